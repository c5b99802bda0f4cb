//! Lists: what they hold, filters, pages, formats, and what is refused.

use alert::AlarmKind;
use expect_test::expect;
use picture::{Freshness, QualityFlag};
use transit::{JourneyState, Mode, RouteId, Status, Word as _};

use super::{Desk, T0};
use crate::views::{AlertView, IncidentView, VehicleView};

fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

#[tokio::test]
async fn a_vehicle_has_every_key_and_null_is_unknown() {
    let mut desk = Desk::new();
    desk.put("18/423", |v| v.quality.insert(QualityFlag::Jump));
    let seen = desk.get("/v1/vehicles").await;
    expect![[r#"{"data":[{"id":"18/423","agency_id":"18","vehicle_id":"423","feed_id":"native","event_time":"2026-11-23T07:59:58.000Z","received_at":"2026-11-23T07:59:58.500Z","age_s":2.0,"freshness":"live","quality":["jump"],"mode":"bus","lat":60.2,"lon":24.9,"bearing":null,"speed_mps":null,"accuracy_m":null,"odometer_m":null,"position_source":null,"journey_state":"in_service","route_id":"550","direction_id":null,"trip_id":null,"service_date":null,"start_time":null,"block_id":null,"stop_id":null,"current_stop_sequence":null,"current_status":null,"delay_s":null,"occupancy_status":null,"occupancy_percentage":null,"doors_open":null,"consist":null,"boot":null,"seq":null,"upcoming":null}],"meta":{"as_of":"2026-11-23T08:00:00.000Z","epoch":"e1","revision":2,"cursor":"e1-2","next":null,"degraded":[]}}"#]].assert_eq(seen.text());
    assert_eq!(seen.header("topis-as-of"), Some("2026-11-23T08:00:00.000Z"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("x-content-type-options"), Some("nosniff"));
    let one = desk.get("/v1/vehicles/18/423").await;
    assert_eq!(one.json()["data"], seen.json()["data"][0]);
    let keys: Vec<String> = one.json()["data"].as_object().unwrap().keys().cloned().collect();
    let mut documented: Vec<&str> = VehicleView::KEYS.to_vec();
    documented.sort_unstable();
    assert_eq!(keys, documented);
}

#[tokio::test]
async fn every_filter_of_vehicles_narrows_down() {
    let mut desk = Desk::new();
    desk.put("18/1", |v| v.journey.direction_id = Some(1));
    desk.put("18/2", |v| {
        v.mode = Mode::Tram;
        v.journey.route_id = Some(RouteId::parse("H7").unwrap());
        v.freshness = Freshness::Stale;
        v.event_time = T0.plus_millis(-200_000);
    });
    desk.put("22/1", |v| {
        v.coordinate = None;
        v.journey.state = Some(JourneyState::Layover);
        v.journey.trip_id = Some(transit::TripId::parse("t9").unwrap());
    });
    for (query, expected) in [
        ("agency_id=22", "22/1"),
        ("route_id=H7,nothing", "18/2"),
        ("route_id=H7&route_id=550", "18/1 18/2 22/1"),
        ("direction_id=1", "18/1"),
        ("trip_id=t9", "22/1"),
        ("vehicle_id=1", "18/1 22/1"),
        ("vehicle_id=22/1", "22/1"),
        ("mode=TRAM", "18/2"),
        ("bbox=24,60,25,61", "18/1 18/2"),
        ("bbox=26,60,27,61", ""),
        ("freshness=stale,lost", "18/2"),
        ("journey_state=layover", "22/1"),
        ("max_age_s=60", "18/1 22/1"),
        ("agency_id=18&mode=bus&_=17", "18/1"),
    ] {
        assert_eq!(desk.get(&format!("/v1/vehicles?{query}")).await.ids().join(" "), expected, "{query}");
    }
}

#[tokio::test]
async fn pages_follow_one_another_and_fields_pick() {
    let mut desk = Desk::new();
    for n in 1..=5 {
        desk.put(&format!("18/{n}"), |v| v.delay_s = Some(100 - n));
    }
    let first = desk.get("/v1/vehicles?limit=2&sort=delay_s&fields=delay_s").await;
    expect![[r#"{"data":[{"id":"18/5","delay_s":95},{"id":"18/4","delay_s":96}]"#]]
        .assert_eq(first.text().split(",\"meta\"").next().unwrap());
    let next = first.json()["meta"]["next"].as_str().unwrap().to_owned();
    assert_eq!(next, "e1-6~18/4");
    let second = desk.get(&format!("/v1/vehicles?limit=2&sort=delay_s&cursor={next}")).await;
    assert_eq!(second.ids(), ["18/3", "18/2"]);
    let next = second.json()["meta"]["next"].as_str().unwrap().to_owned();
    desk.forget("18/2");
    let gone = desk.get(&format!("/v1/vehicles?sort=delay_s&cursor={next}")).await;
    assert_eq!(gone.problem(), "410 cursor-gone: The vehicle this page ended with is gone; begin anew.");
    let last = desk.get("/v1/vehicles?limit=9&sort=-id&cursor=e1-6~18/3").await;
    assert_eq!((last.ids(), last.json()["meta"]["next"].clone()), (vec!["18/1".to_owned()], serde_json::Value::Null));
}

#[tokio::test]
async fn other_formats_come_by_f_or_by_accept() {
    let mut desk = Desk::new();
    desk.put("18/423", |_| {});
    let csv = desk.get("/v1/vehicles?f=csv").await;
    assert!(csv.header("content-type").unwrap().starts_with("text/csv; charset=utf-8"));
    assert!(csv.text().lines().nth(1).unwrap().contains("18/423"), "{}", csv.text());
    let geojson = desk.get_with("/v1/vehicles?agency_id=18", &[("accept", "application/geo+json")]).await;
    assert_eq!(geojson.header("content-type"), Some("application/geo+json"));
    assert_eq!(geojson.json()["features"][0]["geometry"]["coordinates"], serde_json::json!([24.9, 60.2]));
    let wall = desk.get("/v1/status?f=text").await;
    assert!(wall.text().starts_with("TOPIS"), "{}", wall.text());
    let feed = desk.get("/gtfs-rt/vehicle-positions.json").await;
    assert_eq!(feed.json()["entity"][0]["id"], "18/423");
    let feed = desk.get("/gtfs-rt/vehicle-positions.pb").await;
    assert_eq!(feed.header("content-type"), Some("application/x-protobuf"));
    let refused = desk.get_with("/v1/vehicles", &[("accept", "image/png")]).await;
    assert!(refused.problem().starts_with("406 not-acceptable: Offered here: application/json"), "{}", refused.text());
    assert_eq!(desk.get_with("/v1/vehicles", &[("accept", "text/html,*/*;q=0.8")]).await.status, 200);
}

const REFUSED: &[&str] = &[
    "/v1/vehicles?rout_id=1",
    "/v1/vehicles?bbox=1,2",
    "/v1/vehicles?mode=bus,rocket",
    "/v1/vehicles?limit=0",
    "/v1/vehicles?limit=1&limit=2",
    "/v1/vehicles?sort=delay",
    "/v1/vehicles?fields=route",
    "/v1/vehicles?f=xml",
    "/v1/vehicles?f=csv&fields=id",
    "/v1/vehicles?cursor=x",
    "/v1/vehicles?cursor=old-1~18/1",
    "/v1/vehicles?%ff=1",
    "/v1/vehicles/18/1?x=1",
    "/v1/vehicles/18/1",
    "/v1/vehicles/18/a%00b",
    "/v1/vehicles/%ff/1",
    "/v1/alerts?state=open",
    "/v1/alerts?wait=31",
    "/v1/alerts?since=x",
    "/v1/alerts?since=e0-1",
    "/v1/alerts?since=e1-99",
    "/v1/alerts?lang=fr",
    "/v1/alerts/417",
    "/v1/incidents?kind=A99",
    "/v1/incidents/a/b",
    "/v1/feeds/none",
    "/v1/feeds/none/rejects",
    "/v1/changes?topics=vehicle",
    "/v2/vehicles",
];

#[tokio::test]
async fn what_cannot_be_used_is_refused_by_name() {
    let desk = Desk::new();
    let mut lines = Vec::new();
    for path in REFUSED {
        lines.push(format!("{path}\n    {}", desk.get(path).await.problem()));
    }
    expect![[r#"
        /v1/vehicles?rout_id=1
            400 unknown-parameter: There is no parameter rout_id. Known here: agency_id, route_id, direction_id, trip_id, vehicle_id, mode, bbox, freshness, journey_state, max_age_s, limit, cursor, fields, sort, f, wait. Did you mean route_id?
        /v1/vehicles?bbox=1,2
            400 bad-parameter: bbox="1,2" cannot be used. Allowed: west,south,east,north in degrees, south not above north, like 24.8,60.1,25.1,60.3.
        /v1/vehicles?mode=bus,rocket
            400 bad-parameter: mode="rocket" cannot be used. Allowed: tram, metro, rail, bus, ferry, cable_tram, aerial_lift, funicular, trolleybus, monorail, taxi, unknown.
        /v1/vehicles?limit=0
            400 bad-parameter: limit="0" cannot be used. Allowed: a whole number from 1 to 100000.
        /v1/vehicles?limit=1&limit=2
            400 bad-parameter: limit="2" cannot be used. Allowed: one value; it was given twice.
        /v1/vehicles?sort=delay
            400 bad-parameter: sort="delay" cannot be used. Allowed: id, -id, age_s, -age_s, event_time, -event_time, received_at, -received_at, delay_s, -delay_s, route_id, -route_id, mode, -mode, freshness, -freshness. Did you mean delay_s?
        /v1/vehicles?fields=route
            400 bad-parameter: fields="route" cannot be used. Allowed: id, agency_id, vehicle_id, feed_id, event_time, received_at, age_s, freshness, quality, mode, lat, lon, bearing, speed_mps, accuracy_m, odometer_m, position_source, journey_state, route_id, direction_id, trip_id, service_date, start_time, block_id, stop_id, current_stop_sequence, current_status, delay_s, occupancy_status, occupancy_percentage, doors_open, consist, boot, seq, upcoming. Did you mean route_id?
        /v1/vehicles?f=xml
            400 bad-parameter: f="xml" cannot be used. Allowed: json, geojson, csv.
        /v1/vehicles?f=csv&fields=id
            400 bad-parameter: fields="id" cannot be used. Allowed: fields with f=json only.
        /v1/vehicles?cursor=x
            400 bad-parameter: cursor="x" cannot be used. Allowed: meta.next of the page before.
        /v1/vehicles?cursor=old-1~18/1
            410 cursor-gone: The service has started anew since this page was given; begin with the first.
        /v1/vehicles?%ff=1
            400 unknown-parameter: There is no parameter �. Known here: agency_id, route_id, direction_id, trip_id, vehicle_id, mode, bbox, freshness, journey_state, max_age_s, limit, cursor, fields, sort, f, wait.
        /v1/vehicles/18/1?x=1
            400 unknown-parameter: There is no parameter x. Known here: none.
        /v1/vehicles/18/1
            404 not-found: There is no vehicle 18/1.
        /v1/vehicles/18/a%00b
            400 bad-path: The vehicle holds the control character U+0000.
        /v1/vehicles/%ff/1
            400 bad-path: Invalid URL: Invalid UTF-8 in `agency`.
        /v1/alerts?state=open
            400 bad-parameter: state="open" cannot be used. Allowed: active, cleared, closed.
        /v1/alerts?wait=31
            400 bad-parameter: wait="31" cannot be used. Allowed: a number from 0 to 30.
        /v1/alerts?since=x
            400 bad-parameter: since="x" cannot be used. Allowed: meta.cursor or meta.next of an earlier answer.
        /v1/alerts?since=e0-1
            410 cursor-gone: The service has started anew since this cursor was given; read the whole list.
        /v1/alerts?since=e1-99
            410 cursor-gone: The service has started anew since this cursor was given; read the whole list.
        /v1/alerts?lang=fr
            400 bad-parameter: lang="fr" cannot be used. Allowed: en, ko.
        /v1/alerts/417
            404 not-found: There is no alert 417.
        /v1/incidents?kind=A99
            400 bad-parameter: kind="A99" cannot be used. Allowed: crash, breakdown, pedestrian_crash, road_works, fallen_object, bus_crash, subway_accident, fire, weather, rally, other, report, notice, flood, earthquake, ground_collapse, power_failure, signal_failure, track_obstruction, medical, security, police_activity, hazmat, strike, special_event, or a TOPIS code A01 to A13.
        /v1/incidents/a/b
            404 not-found: There is no incident a/b.
        /v1/feeds/none
            404 not-found: There is no feed none.
        /v1/feeds/none/rejects
            404 not-found: There is no feed none.
        /v1/changes?topics=vehicle
            400 bad-parameter: topics="vehicle" cannot be used. Allowed: vehicles, alerts, incidents, exceptions, feeds. Did you mean vehicles?
        /v2/vehicles
            404 not-found: There is nothing at /v2/vehicles. What there is: /v1/openapi.json, or /docs in a browser."#]].assert_eq(&lines.join("\n"));
    let delete = axum::http::Request::delete("/v1/alerts").body(axum::body::Body::empty()).unwrap();
    let refused = desk.send(delete).await;
    assert!(refused.problem().starts_with("405 method-not-allowed"), "{}", refused.text());
    assert_eq!(refused.header("allow"), Some("GET,HEAD,POST"));
}

#[tokio::test]
async fn alerts_come_by_urgency_then_age_and_tests_stay_out() {
    let mut desk = Desk::new();
    let call = desk.press("18/1", AlarmKind::CallPriority, |_| {});
    desk.pass(1_000);
    let fire = desk.press("18/2", AlarmKind::Fire, |_| {});
    desk.pass(1_000);
    let panic = desk.press("18/3", AlarmKind::Panic, |r| r.covert = Some(true));
    desk.press("18/4", AlarmKind::Fire, |r| r.status = Status::Test);
    assert_eq!(desk.get("/v1/alerts").await.ids(), [fire.to_string(), panic.to_string(), call.to_string()]);
    assert_eq!(desk.get("/v1/alerts?sort=-number").await.ids().len(), 3);
    for (query, expected) in [
        ("priority=P2", vec![call.to_string()]),
        ("class=emergency", vec![fire.to_string(), panic.to_string()]),
        ("rule=EMG.FIRE", vec![fire.to_string()]),
        ("subject=vehicle:18/3", vec![panic.to_string()]),
        ("status=test", vec!["20261123-4".to_owned()]),
        ("state=closed", vec![]),
        ("bbox=0,0,1,1", vec![]),
        ("route_id=550", vec![]),
        ("limit=1", vec![fire.to_string()]),
    ] {
        assert_eq!(desk.get(&format!("/v1/alerts?{query}")).await.ids(), expected, "{query}");
    }
    desk.put("18/2", |_| {});
    assert_eq!(desk.get("/v1/alerts?route_id=550").await.ids(), [fire.to_string()]);
    let korean = desk.get(&format!("/v1/alerts/{fire}?lang=ko")).await;
    assert!(korean.json()["data"]["headline"].as_str().unwrap().contains("화재"));
}

#[tokio::test]
async fn an_alert_is_the_flat_list_that_operators_build_on() {
    let mut desk = Desk::new();
    let id = desk.press("18/1", AlarmKind::Fire, |r| r.passengers = Some(12));
    let seen = desk.get(&format!("/v1/alerts/{id}")).await;
    expect![[r#"{"accounted":[],"ack_due_at":"2026-11-23T08:01:00.000Z","acknowledged":false,"agency_id":"18","args":{"count":"1","passengers":"12","source":"driver","status":"actual","subject":"18/1"},"class":"emergency","close_reason":null,"closed_at":null,"closed_by":null,"code":"alarm.fire","collapsed_count":0,"count":1,"covert":false,"durable":true,"event_at":"2026-11-23T07:59:59.000Z","event_id":"e1","explained_by":null,"feed_id":"native","figures":{},"headline":"Fire, vehicle 18/1","held":false,"id":"20261123-1","incident_id":null,"kind":"fire","kind_word":null,"last_seen_at":"2026-11-23T08:00:00.000Z","lat":60.17,"late_by_s":1.0,"links":{"acknowledge":"/v1/alerts/20261123-1/acknowledge","card":"/v1/alerts/20261123-1/card","close":"/v1/alerts/20261123-1/close","history":"/v1/alerts/20261123-1/history","report":"/v1/alerts/20261123-1/report","self":"/v1/alerts/20261123-1","vehicle":"/v1/vehicles/18/1"},"lon":24.94,"members":[],"next_step":"acknowledge","number":1,"origin":"device_event","overdue":false,"owner":null,"owner_desk":null,"owner_since":null,"parent_id":null,"passengers":12,"place_text":"60.17000,24.94000","position_age_s":1.0,"previous_owner":null,"priority":"P1","quality":[],"quiet":[],"raised_at":"2026-11-23T08:00:00.000Z","received_at":"2026-11-23T08:00:00.000Z","route_id":null,"rule":"EMG.FIRE","shelved_until":null,"source":"driver","source_normal_at":null,"state":"active","status":"actual","subject":"vehicle:18/1","text":null,"vehicle_id":"1"}"#]].assert_eq(&seen.json()["data"].to_string());
    let keys: Vec<String> = seen.json()["data"].as_object().unwrap().keys().cloned().collect();
    let mut documented: Vec<&str> = AlertView::KEYS.to_vec();
    documented.sort_unstable();
    assert_eq!(keys, documented);
    let history = desk.get(&format!("/v1/alerts/{id}/history")).await;
    assert_eq!(history.json()["data"][0]["reason"], "raised");
}

#[tokio::test]
async fn an_alarm_without_a_fix_is_shown_where_its_vehicle_was_last_known() {
    let mut desk = Desk::new();
    desk.put("18/1", |_| {});
    desk.press("18/1", AlarmKind::Fire, |r| r.fix = None);
    let alert = desk.get("/v1/alerts").await.json()["data"][0].clone();
    assert_eq!((&alert["lat"], &alert["position_age_s"]), (&60.2.into(), &2.0.into()));
    assert_eq!(alert["place_text"], "60.20000,24.90000");
}

#[tokio::test]
async fn an_incident_has_its_defaults_marked() {
    let mut desk = Desk::new();
    desk.report("topis", "A 1/2", |r| r.geometry = Some(r#"{"type":"Point","coordinates":[127.0,37.5]}"#.to_owned()));
    desk.report("topis", "drill", |r| r.status = Status::Test);
    let list = desk.get("/v1/incidents?kind=A01").await;
    let link = list.json()["data"][0]["links"]["self"].as_str().unwrap().to_owned();
    let seen = desk.get(&link).await;
    expect![[r#"
        {
          "active_periods": [],
          "affects": [],
          "areas": [],
          "armed_by": null,
          "armed_until": null,
          "certainty": null,
          "clear_proposed_at": null,
          "clear_proposed_by": null,
          "clear_proposed_text": null,
          "closed_at": null,
          "effect": null,
          "expected_end": null,
          "feed_id": "native",
          "geometry": {
            "coordinates": [
              127.0,
              37.5
            ],
            "type": "Point"
          },
          "id": "topis/A%201%2F2",
          "incident_id": "A 1/2",
          "kind": "crash",
          "kind_word": null,
          "lat": 37.5,
          "links": {
            "impact": "/v1/incidents/topis/A%201%2F2/impact",
            "report": "/v1/incidents/topis/A%201%2F2/report",
            "self": "/v1/incidents/topis/A%201%2F2"
          },
          "lon": 127.0,
          "opened_at": "2026-11-23T08:00:00.000Z",
          "public_text": {},
          "public_title": null,
          "published_at": null,
          "published_by": null,
          "published_text": null,
          "published_title": null,
          "radius_defaulted": true,
          "radius_m": 100.0,
          "received_at": "2026-11-23T08:00:00.000Z",
          "road_control": null,
          "severity": "moderate",
          "severity_defaulted": true,
          "source": "topis",
          "starts_at": null,
          "state": "active",
          "status": "actual",
          "subkind": null,
          "text": {},
          "title": "Crash at the bridge",
          "topis_code": "A01",
          "upcoming": false,
          "updated_at": "2026-11-23T08:00:00.000Z",
          "urgency": null,
          "version": 1,
          "withdrawn": false
        }"#]]
    .assert_eq(&pretty(&seen.json()["data"]));
}

#[tokio::test]
async fn an_incident_has_the_keys_that_are_documented_and_tests_are_not_listed() {
    let mut desk = Desk::new();
    desk.report("topis", "A 1/2", |_| {});
    desk.report("topis", "drill", |r| r.status = Status::Test);
    let list = desk.get("/v1/incidents?kind=A01").await;
    assert_eq!(list.ids(), ["topis/A%201%2F2"]);
    let keys: Vec<String> = list.json()["data"][0].as_object().unwrap().keys().cloned().collect();
    let mut documented: Vec<&str> = IncidentView::KEYS.to_vec();
    documented.sort_unstable();
    assert_eq!(keys, documented);
}

#[tokio::test]
async fn feeds_rejects_trail_and_enums_answer() {
    let mut desk = Desk::new();
    desk.put("18/1", |_| {});
    let reject = |vehicle: &str| {
        std::sync::Arc::new(decode::Reject {
            feed: transit::FeedId::parse("native").unwrap(),
            topic: format!("topis/v1/vehicle/{vehicle}/position"),
            vehicle: Some(super::key(vehicle)),
            confidential: false,
            received_at: *T0,
            problem: decode::Problem {
                grade: decode::Grade::Reject,
                code: decode::ProblemCode::MissingField,
                field: Some("event_time".to_owned()),
                detail: "is required".to_owned(),
            },
            head: "{}".to_owned(),
        })
    };
    let ring = [reject("18/1"), reject("22/1")].into_iter().collect();
    desk.last.rejects.insert(transit::FeedId::parse("native").unwrap(), ring);
    desk.pass(0);
    assert_eq!(desk.get("/v1/feeds").await.ids(), ["native"]);
    assert_eq!(desk.get("/v1/feeds/native").await.json()["data"]["live"], 1);
    let rejects = desk.get("/v1/feeds/native/rejects").await.json();
    assert_eq!(rejects["data"][0]["vehicle_id"], "22/1");
    let rejects = desk.get("/v1/feeds/native/rejects?vehicle_id=1&limit=1").await.json();
    expect![[r#"[{"detail":"is required","feed_id":"native","field":"event_time","grade":"reject","head":"{}","reason":"missing_field","received_at":"2026-11-23T08:00:00.000Z","topic":"topis/v1/vehicle/22/1/position","vehicle_id":"22/1"}]"#]]
        .assert_eq(&rejects["data"].to_string());
    let trail = desk.get("/v1/vehicles/18/1/trail").await.json();
    assert_eq!(trail["data"][1]["lat"], 60.2);
    let enums = desk.get("/v1/meta/enums").await.json();
    assert_eq!(enums["data"]["freshness"], serde_json::json!(["live", "aging", "stale", "lost"]));
    assert_eq!(enums["data"]["role"].as_array().unwrap().len(), crate::Role::ALL.len());
}

#[tokio::test]
async fn the_wall_counts_and_names_the_urgent() {
    let mut desk = Desk::new();
    for n in 1..=4 {
        desk.put(&format!("18/{n}"), |v| v.delay_s = Some(n * 200 - 300));
    }
    for n in 5..=9 {
        desk.put(&format!("18/{n}"), |v| {
            v.journey.route_id = Some(RouteId::parse("23").unwrap());
            v.delay_s = Some(400);
        });
    }
    desk.press("18/1", AlarmKind::Fire, |_| {});
    desk.press("18/2", AlarmKind::CallRequest, |_| {});
    let mut wall = desk.get("/v1/status").await.json()["data"].clone();
    assert_eq!(wall["most_urgent"][0]["kind"], "fire");
    wall["most_urgent"] = serde_json::Value::Null;
    wall["feeds"] = serde_json::Value::Null;
    expect![[r#"{"alerts":{"not_actual":0,"open":2,"p1":1,"p2":0,"p3":0,"p4":1,"unacknowledged":2},"clients":[],"clock":"wall","degraded":[],"feeds":null,"fleet":{"adherence":null,"adherence_reason":"no timetable is loaded","by_freshness":{"aging":0,"live":9,"lost":0,"stale":0},"by_journey_state":{"deadrun":0,"in_service":9,"layover":0,"signed_off":0,"unknown":0,"upcoming":0},"reported_delay":{"early":1,"late":6,"on_time":2,"unknown":0},"total":9},"incidents_active":0,"journal":{"seq":2,"writable":true},"lines_basis":"delays as reported by the vehicles; there is no timetable to measure against","lines_in_trouble":[{"late":5,"median_delay_s":400,"reason":"5 of 5 vehicles report more than 300 s late","route_id":"23","vehicles":5}],"most_urgent":null}"#]].assert_eq(&wall.to_string());
}

#[tokio::test]
async fn a_record_that_lags_behind_its_limit_is_not_called_live() {
    let mut desk = Desk::new();
    desk.put("18/1", |_| {});
    desk.pass(29_000);
    assert_eq!(desk.get("/v1/vehicles?agency_id=18").await.json()["data"][0]["freshness"], "aging");
}

#[tokio::test]
async fn every_rule_of_the_list_has_a_headline_in_words_that_fits_a_public_message() {
    let mut desk = Desk::new();
    for def in detect::RULES {
        desk.commit(&room::Input::Finding(Box::new(alert::Finding {
            rule: def.code.to_owned(),
            subject: alert::Subject::Incident(format!("{0}/{0}", "long".repeat(16))),
            verdict: alert::FindingVerdict::Raised,
            class: def.class,
            priority: alert::Priority::P2,
            latched: false,
            status: transit::Status::Actual,
            evidence: alert::Evidence::default(),
            parents: Vec::new(),
        })));
    }
    for lang in ["en", "ko"] {
        let listed = desk.get(&format!("/v1/alerts?lang={lang}")).await.json()["data"].clone();
        assert_eq!(listed.as_array().unwrap().len(), detect::RULES.len());
        for alert in listed.as_array().unwrap() {
            let (rule, headline) = (alert["rule"].as_str().unwrap(), alert["headline"].as_str().unwrap());
            assert!(!headline.contains(rule), "{rule} has no words in publish: {headline}");
            assert!(headline.chars().count() <= publish::HEADLINE_CHARS, "{headline}");
            assert_eq!(headline.contains(|c: char| ('가'..='힣').contains(&c)), lang == "ko", "{headline}");
        }
    }
}

#[tokio::test]
async fn a_press_stands_before_what_was_worked_out_and_one_line_says_how_many_it_speaks_for() {
    let mut desk = Desk::new();
    let find = |desk: &mut Desk, rule: &str, vehicle: String, priority| {
        desk.pass(100);
        desk.commit(&room::Input::Finding(Box::new(alert::Finding {
            rule: rule.to_owned(),
            subject: alert::Subject::Vehicle(super::key(&vehicle)),
            status: transit::Status::Actual,
            verdict: alert::FindingVerdict::Raised,
            class: alert::AlertClass::Safety,
            priority,
            latched: false,
            evidence: alert::Evidence::default(),
            parents: Vec::new(),
        })));
    };
    for n in 0..12 {
        find(&mut desk, "GEO.INSIDE", format!("18/{n}"), alert::Priority::P1);
        find(&mut desk, "GEO.HEADING", format!("18/{n}"), alert::Priority::P2);
    }
    desk.press("18/99", AlarmKind::Panic, |_| {});
    let first = desk.get("/v1/alerts").await.json()["data"][0].clone();
    assert!(first["rule"] == "EMG.PANIC" && first["vehicle_id"] == "99", "{first:#}");
    let wall = desk.get("/v1/status?f=text").await.text().to_owned();
    assert!(wall.find("Panic alarm").unwrap() < wall.find("Inside").unwrap(), "{wall}");
    let roots = desk.get("/v1/alerts?rule=GEO.HEADING").await.json()["data"].clone();
    let counted: u64 = roots.as_array().unwrap().iter().map(|root| 1 + root["collapsed_count"].as_u64().unwrap()).sum();
    assert_eq!(counted, 12, "{roots:#}");
    let text = desk.get("/v1/alerts?rule=GEO.HEADING&f=text").await.text().to_owned();
    assert!(text.contains("more like it)"), "{text}");
}
