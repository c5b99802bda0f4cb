//! Areas, decision cards, places and proposals: what they hold, for whom, and what is refused.

use std::sync::Arc;

use alert::AlarmKind;
use axum::http::Method;
use expect_test::expect;
use impact::{Places, Runbooks};
use picture::QualityFlag;
use serde_json::{Value, json};
use transit::{Coordinate, Mode};

use super::{
    Desk,
    access::{ask, with_tokens},
};
use crate::Guide;

/// Degrees north of the middle of the scene.
fn north(metres: f64) -> Option<Coordinate> {
    Some(Coordinate::parse(60.2 + metres / 111_195.0, 24.9).unwrap())
}

/// One of each: inside, heading in, silent inside, with an impossible position, without any.
fn scene(desk: &mut Desk) {
    desk.put("18/1", |v| v.mode = Mode::Tram);
    desk.put("18/2", |v| {
        v.coordinate = north(1_100.0);
        v.bearing = Some(180.0);
        v.speed_mps = Some(10.0);
    });
    desk.put("18/3", |v| {
        v.event_time = v.event_time.plus_millis(-300_000);
        v.received_at = v.received_at.plus_millis(-300_000);
        v.position_event_time = Some(v.event_time);
    });
    desk.put("18/4", |v| {
        v.coordinate = Some(Coordinate::parse(0.0, 0.0).unwrap());
        v.quality.insert(QualityFlag::NullIsland);
    });
    desk.put("18/5", |v| v.coordinate = None);
}

fn ids(rows: &Value) -> Vec<&str> {
    rows.as_array().unwrap_or_else(|| panic!("{rows}")).iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_area_tells_who_is_inside_who_comes_who_is_silent_and_who_may_be_anywhere() {
    let mut desk = Desk::new();
    scene(&mut desk);
    desk.report("s", "1", |r| {
        (r.lat, r.lon) = (Some(60.2), Some(24.9));
        r.kind = alert::IncidentKind::Fire;
    });
    let seen = desk.get("/v1/area?lat=60.2&lon=24.9&radius_m=200").await.json()["data"].clone();
    assert_eq!(ids(&seen["inside"]), ["18/1"]);
    assert_eq!(ids(&seen["entering"]), ["18/2"]);
    assert_eq!(ids(&seen["unaccounted"]), ["18/3"]);
    assert_eq!(ids(&seen["unplaced"]), ["18/4"]);
    assert_eq!(seen["not_judged"], json!({"no_position": 1, "no_course": 0, "no_speed": 0}));
    assert_eq!((&seen["unaccounted"][0]["age_s"], &seen["unaccounted"][0]["why"]), (&json!(302.0), &json!("inside")));
    assert_eq!((&seen["inside"][0]["age_s"], &seen["inside"][0]["certain"]), (&json!(2.0), &json!(true)));
    assert_eq!(seen["entering"][0]["within_min"], 2);
    assert_eq!((&seen["areas"][0]["area"]["id"], &seen["areas"][0]["purpose"]), (&json!("s/1"), &json!("evacuation")));
    assert_eq!(seen["unknown"], json!({"routes_cut": "no_timetable", "stops_cut": "no_timetable"}));

    let point = r#"{"type":"Point","coordinates":[24.9,60.2],"radius_m":200}"#;
    assert_eq!(desk.post("/v1/area", point).await.json()["data"], seen);
    let tram = desk.get("/v1/area?lat=60.2&lon=24.9&radius_m=200&mode=tram").await.json()["data"].clone();
    assert_eq!((ids(&tram["inside"]), ids(&tram["unaccounted"]).len()), (vec!["18/1"], 0));
    let elsewhere = r#"{"type":"Feature","properties":{"radius_m":50},"geometry":
        {"type":"LineString","coordinates":[[25.5,60.2],[25.6,60.2]]}}"#;
    let elsewhere = desk.post("/v1/area", elsewhere).await.json()["data"].clone();
    assert_eq!((ids(&elsewhere["inside"]).len(), &elsewhere["areas"]), (0, &json!([])));
}

#[tokio::test]
async fn a_question_that_cannot_be_answered_names_what_to_repair() {
    let desk = Desk::new();
    let mut lines = Vec::new();
    for query in [
        "lon=24.9&radius_m=200",
        "lat=60.2&lon=24.9",
        "lat=91&lon=24.9&radius_m=200",
        "lat=60.2&lon=24.9&radius_m=0",
        "lat=60.2&lon=24.9&radius=5",
        "lat=60.2&lon=24.9&radius_m=200&mode=rocket",
    ] {
        lines.push(desk.get(&format!("/v1/area?{query}")).await.problem());
    }
    for body in [
        "{}",
        r#"{"type":"Point","coordinates":[24.9,60.2]}"#,
        r#"{"type":"Point","coordinates":[24.9,160.2],"radius_m":5}"#,
        r#"{"type":"Point","coordinates":[24.9,60.2],"radius_m":"wide"}"#,
        r#"{"type":"Polygon","coordinates":[[[1,1],[2,1],[2,2]]]}"#,
    ] {
        lines.push(desk.post("/v1/area", body).await.problem());
    }
    for path in [
        "/v1/places?kind=pub",
        "/v1/alerts/417/card",
        "/v1/vehicles/18/9/card",
        "/v1/incidents/a/b/impact",
        "/v1/alerts?include=cards",
        "/v1/alerts?include=card&limit=51",
        "/v1/alerts?include=card&f=csv",
    ] {
        lines.push(desk.get(path).await.problem());
    }
    expect![[r#"
        400 missing-parameter: lat is missing. Needed: degrees north, from -90 to 90, like 37.5665.
        400 missing-parameter: radius_m is missing. Needed: metres, from 1 to 200000, like 300.
        400 bad-parameter: lat="91" cannot be used. Allowed: a number from -90 to 90.
        400 bad-parameter: radius_m="0" cannot be used. Allowed: a number from 1 to 200000.
        400 unknown-parameter: There is no parameter radius. Known here: lat, lon, radius_m, mode, agency_id, route_id. Did you mean radius_m?
        400 bad-parameter: mode="rocket" cannot be used. Allowed: tram, metro, rail, bus, ferry, cable_tram, aerial_lift, funicular, trolleybus, monorail, taxi, unknown.
        400 bad-member: geometry: is no GeoJSON (Error while deserializing GeoJSON: missing field `type` at line 1 column 2); send a Geometry, a Feature or a FeatureCollection.
        400 bad-member: geometry.coordinates: a point or a line covers nothing by itself; give `radius_m` in metres.
        400 bad-member: geometry.coordinates: [24.9, 160.2] is no place; GeoJSON wants [longitude, latitude], -180..180 and -90..90.
        400 bad-member: radius_m: has to be metres from 1 to 200000, like 50.
        400 bad-member: geometry.coordinates[0]: the ring is not closed; repeat its first position at its end.
        400 bad-parameter: kind="pub" cannot be used. Allowed: hospital, police, fire_station, depot, turn_back, camera, contact, underpass, tunnel, bridge, other.
        404 not-found: There is no alert 417.
        404 not-found: There is no vehicle 18/9.
        404 not-found: There is no incident a/b.
        400 bad-parameter: include="cards" cannot be used. Allowed: card.
        400 bad-parameter: limit="51" cannot be used. Allowed: with include=card a whole number from 1 to 50.
        400 bad-parameter: include="card" cannot be used. Allowed: include=card with f=json only."#]]
    .assert_eq(&lines.join("\n"));
}

/// The keys of a card that may be null without a reason.
const OPTIONAL: [&str; 5] = ["alert", "incident", "never", "ahead", "behind"];

fn assert_every_null_has_its_reason(card: &Value) {
    let unknown = card["unknown"].as_object().unwrap();
    for (key, value) in card.as_object().unwrap() {
        let optional = OPTIONAL.contains(&key.as_str());
        assert!(!value.is_null() || optional || unknown.contains_key(key), "{key} is null without a reason: {card}");
        assert!(value.is_null() || !unknown.contains_key(key), "{key} is known and has a reason: {card}");
    }
    assert!(unknown.keys().all(|key| card.get(key).is_some()), "{card}");
}

#[tokio::test]
async fn a_card_says_in_one_answer_what_is_known_and_why_the_rest_is_not() {
    let mut desk = Desk::new();
    scene(&mut desk);
    let places = Places::parse(include_str!("../../../../config/places.geojson")).unwrap();
    desk.last.guide = Arc::new(Guide::new(places, Runbooks::shipped()));
    let fire = desk.press("18/1", AlarmKind::Fire, |r| r.passengers = Some(12));
    let lost = desk.press("18/5", AlarmKind::Panic, |r| r.fix = None);
    desk.report("s", "1", |_| {});
    desk.report("s", "2", |r| (r.lat, r.lon) = (None, None));

    let card = desk.get(&format!("/v1/alerts/{fire}/card?lang=ko")).await.json()["data"].clone();
    assert_every_null_has_its_reason(&card);
    assert_eq!((&card["about"], &card["id"], &card["passengers"]), (&json!("alert"), &json!("20261123-1"), &json!(12)));
    assert_eq!((&card["alert"]["id"], &card["history"][0]["reason"]), (&card["id"], &json!("raised")));
    assert!(card["steps"][0].as_str().unwrap().contains("대피") && card["never"].is_string());
    assert_eq!(card["vehicle"]["id"], "18/1");
    assert!(ids(&card["places"]).contains(&"hospital-river"));
    assert!(
        card["suggestions"].as_array().unwrap().iter().all(|s| s["reason"].is_string() && s["figures"].is_object())
    );

    // Nobody knows where this one is: nothing reads as "nobody is inside".
    let card = desk.get(&format!("/v1/alerts/{lost}/card")).await.json()["data"].clone();
    assert_every_null_has_its_reason(&card);
    assert_eq!((&card["inside"], &card["unknown"]["inside"]), (&Value::Null, &json!("no_position")));

    for path in
        ["/v1/vehicles/18/1/card", "/v1/vehicles/18/5/card", "/v1/incidents/s/1/impact", "/v1/incidents/s/2/impact"]
    {
        let card = desk.get(path).await.json()["data"].clone();
        assert_every_null_has_its_reason(&card);
        assert_eq!(card["unknown"]["next_stops"], "no_timetable", "{path}");
    }
    let seen = desk.get("/v1/places?kind=hospital,police").await.json();
    assert!(
        seen["data"].as_array().unwrap().iter().all(|p| ["hospital", "police"].contains(&p["kind"].as_str().unwrap()))
    );
}

#[tokio::test]
async fn cards_come_with_the_list_when_asked_for() {
    let mut desk = Desk::new();
    let id = desk.press("18/1", AlarmKind::Fire, |_| {});
    let single = desk.get(&format!("/v1/alerts/{id}/card")).await.json()["data"].clone();
    let listed = desk.get("/v1/alerts?include=card").await;
    assert_eq!(listed.header("etag"), None);
    let listed = listed.json()["data"][0].clone();
    assert_eq!((&listed["id"], &listed["card"]), (&json!(id.to_string()), &single));
    let picked = desk.get("/v1/alerts?include=card&fields=rule").await.json()["data"][0].clone();
    let keys: Vec<&str> = picked.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!((keys, &picked["card"]), (vec!["card", "id", "rule"], &single));
    for n in 2..=60 {
        desk.press(&format!("18/{n}"), AlarmKind::Fire, |_| {});
    }
    let page = desk.get("/v1/alerts?include=card").await.json();
    assert_eq!((page["data"].as_array().unwrap().len(), page["meta"]["next"].is_string()), (50, true));
}

#[tokio::test]
async fn no_card_tells_a_viewer_of_a_covert_alert() {
    let mut desk = with_tokens();
    desk.put("18/1", |v| v.coordinate = Some(Coordinate::parse(60.17, 24.94).unwrap()));
    let open = desk.press("18/1", AlarmKind::Fire, |_| {});
    let covert = desk.press("18/1", AlarmKind::Panic, |r| r.covert = Some(true));
    desk.press("18/2", AlarmKind::Fire, |_| {});
    desk.report("s", "1", |r| (r.lat, r.lon) = (Some(60.17), Some(24.94)));
    assert_eq!(ask(&desk, Method::GET, &format!("/v1/alerts/{covert}/card"), Some("wall-token")).await.status, 404);
    assert_eq!(ask(&desk, Method::GET, &format!("/v1/alerts/{covert}/card"), Some("kim-token")).await.status, 200);
    for path in [
        format!("/v1/alerts/{open}/card"),
        "/v1/vehicles/18/1/card".to_owned(),
        "/v1/incidents/s/1/impact".to_owned(),
        "/v1/alerts?include=card".to_owned(),
        "/v1/proposals".to_owned(),
        "/v1/area?lat=60.17&lon=24.94&radius_m=500".to_owned(),
    ] {
        let wall = ask(&desk, Method::GET, &path, Some("wall-token")).await;
        assert_eq!(wall.status, 200, "{path}");
        assert!(!wall.text().to_lowercase().contains("panic"), "{path}: {}", wall.text());
        assert!(!wall.text().contains(&covert.to_string()), "{path}: {}", wall.text());
        if !path.starts_with("/v1/area") && !path.starts_with("/v1/proposals") {
            let kim = ask(&desk, Method::GET, &path, Some("kim-token")).await;
            assert!(kim.text().contains(&covert.to_string()), "{path}: {}", kim.text());
        }
    }
}

#[tokio::test]
async fn alerts_that_may_be_one_thing_are_proposed_with_their_evidence() {
    let mut desk = Desk::new();
    let first = desk.press("18/1", AlarmKind::Fire, |_| {});
    let second = desk.press("18/2", AlarmKind::Fire, |_| {});
    let seen = desk.get("/v1/proposals").await.json()["data"].clone();
    assert_eq!(seen.as_array().unwrap().len(), 1);
    let members: Vec<_> =
        seen[0]["members"].as_array().unwrap().iter().map(|m| m["alert_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((members, &seen[0]["incident_id"]), (vec![first.to_string(), second.to_string()], &Value::Null));
    let codes: Vec<_> =
        seen[0]["members"][1]["evidence"].as_array().unwrap().iter().map(|e| e["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["near", "same_time", "cause_fits"]);
}

#[tokio::test]
async fn the_fleet_is_laid_out_once_a_revision_and_only_when_asked() {
    let mut desk = Desk::new();
    desk.put("18/1", |_| {});
    assert!(desk.published.load().index.made().is_none());
    desk.get("/v1/area?lat=60.2&lon=24.9&radius_m=200").await;
    let first: *const impact::Index = desk.published.load().index.made().unwrap();
    // Time passes and an alert comes: the vehicles are the same.
    desk.press("18/1", AlarmKind::Fire, |_| {});
    desk.get("/v1/vehicles/18/1/card").await;
    assert!(std::ptr::eq(first, desk.published.load().index.made().unwrap()));
    desk.put("18/2", |_| {});
    assert!(desk.published.load().index.made().is_none());
    let seen = desk.get("/v1/area?lat=60.2&lon=24.9&radius_m=200").await.json();
    assert_eq!(ids(&seen["data"]["inside"]), ["18/1", "18/2"]);
}

/// What people read on a card: where, the steps, what could be done, and why the rest is not known.
fn read_aloud(card: &Value) -> String {
    let mut lines = vec![format!("{} @ {}", text(&card["alert"]["headline"]), text(&card["place_text"]))];
    lines.extend(card["steps"].as_array().unwrap().iter().map(|step| format!("- {}", text(step))));
    lines.push(format!("! {}", text(&card["never"])));
    for suggestion in card["suggestions"].as_array().unwrap() {
        let (action, order) = (text(&suggestion["action"]), text(&suggestion["text"]));
        lines.push(format!("{action}: {order}. {}", text(&suggestion["reason"])));
    }
    let unknown = card["unknown_text"].as_object().unwrap();
    let same_keys = unknown.keys().eq(card["unknown"].as_object().unwrap().keys());
    assert!(same_keys, "every reason has its words: {card}");
    lines.extend(unknown.iter().map(|(key, why)| format!("{key}: {}", text(why))));
    lines.join("\n")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("null")
}

/// A bus on fire, the next one coming and its neighbour silent.
fn burning(desk: &mut Desk) -> alert::AlertId {
    scene(desk);
    desk.put("18/6", |v| v.coordinate = north(-350.0));
    desk.press("18/1", AlarmKind::Fire, |r| r.fix = Some(transit::Fix::at(60.2, 24.9)))
}

#[tokio::test]
async fn a_card_is_read_in_korean_from_its_first_line_to_its_last() {
    let mut desk = Desk::new();
    let id = burning(&mut desk);
    let card = desk.get(&format!("/v1/alerts/{id}/card?lang=ko")).await.json()["data"].clone();
    expect![[r#"
        화재, 차량 18/1 @ 60.20000,24.90000
        - 즉시 정차하고 문을 열어 승객을 바람 위쪽으로 대피시킨다
        - 소방서에 위치, 연료, 승객 수를 알린다
        - 2분 안에 진입할 차량을 모두 세운다
        - 구역 안의 차량을 모두 확인한다. 무응답 차량부터 확인한다
        - 터널과 지하에서는 소방 지휘에 따라서만 전원을 차단한다
        ! 배차를 지키려고 연기 속으로 차량을 보내지 않는다
        call_unaccounted: 무응답 차량을 호출한다. 구역 안이나 진입 중 무응답 1대. 18/3 302초째 무응답(통상 60초 이내 수신)
        hold_entering: 2분 안에 진입할 차량을 대기시킨다. 계속 운행하면 2분 안에 1대 진입. 18/2 0초 뒤 진입 예상(거리 900m, 시속 1571km)
        ask_position: 위치 오류 차량에 현재 위치를 묻는다. 위치 오류 차량 1대가 구역 안에 있을 수 있음
        ahead: 진행 방향 미상
        behind: 진행 방향 미상
        delay_s: 보고 없음
        next_stops: 시간표 없음
        occupancy_percentage: 보고 없음
        occupancy_status: 보고 없음
        passengers: 보고 없음
        routes_cut: 시간표 없음
        stops_cut: 시간표 없음
        trip_id: 보고 없음
        trips_cut: 시간표 없음"#]].assert_eq(&read_aloud(&card));
}

#[tokio::test]
async fn the_same_card_in_english_has_the_same_codes_and_figures() {
    let mut desk = Desk::new();
    let id = burning(&mut desk);
    let [korean, english] = [
        desk.get(&format!("/v1/alerts/{id}/card?lang=ko")).await.json()["data"].clone(),
        desk.get(&format!("/v1/alerts/{id}/card")).await.json()["data"].clone(),
    ];
    expect![[r#"
        Fire, vehicle 18/1 @ 60.20000,24.90000
        - Have the driver stop, open the doors and get everybody out, upwind
        - Call the fire service with place, fuel and number on board
        - Stop every vehicle that enters the area within 2 minutes
        - Account for everybody inside the area, silent vehicles first
        - In a tunnel or underground: power off only on the fire service's word
        ! Never send a vehicle through smoke to keep the timetable
        call_unaccounted: Call those who have gone dark. 1 gone dark inside or on the way in; 18/3 for 302 s, 60 s are usual
        hold_entering: Hold those who enter within 2 minutes. 1 enter within 2 minutes if they go on; 18/2 in 0 s, 900 m away at 436.4 m/s
        ask_position: Ask where they are: their position cannot be true. 1 with a position that cannot be true may be inside
        ahead: nobody knows which way it goes
        behind: nobody knows which way it goes
        delay_s: not reported
        next_stops: no timetable is loaded
        occupancy_percentage: not reported
        occupancy_status: not reported
        passengers: not reported
        routes_cut: no timetable is loaded
        stops_cut: no timetable is loaded
        trip_id: not reported
        trips_cut: no timetable is loaded"#]].assert_eq(&read_aloud(&english));
    let codes = |card: &Value| -> Vec<(Value, Value, Value)> {
        let all = card["suggestions"].as_array().unwrap();
        all.iter().map(|s| (s["action"].clone(), s["vehicles"].clone(), s["figures"].clone())).collect()
    };
    assert_eq!((codes(&korean), &korean["unknown"]), (codes(&english), &english["unknown"]));
}

fn members_aloud(proposal: &Value) -> Vec<String> {
    let aloud = |member: &Value| {
        let evidence = member["evidence"].as_array().unwrap();
        let evidence: Vec<&str> = evidence.iter().map(|e| text(&e["text"])).collect();
        format!("{}: {}", text(&member["alert_id"]), evidence.join(", "))
    };
    proposal["members"].as_array().unwrap().iter().map(aloud).collect()
}

#[tokio::test]
async fn a_vehicle_an_incident_and_a_proposal_are_read_in_korean() {
    let mut desk = Desk::new();
    let id = burning(&mut desk);
    desk.press("18/2", AlarmKind::Collision, |r| r.fix = Some(transit::Fix::at(60.2, 24.9)));
    let vehicle = desk.get("/v1/vehicles/18/5/card?lang=ko").await.json()["data"].clone();
    let proposals = desk.get("/v1/proposals?lang=ko").await.json()["data"].clone();
    let mut lines = vec![read_aloud(&vehicle)];
    lines.extend(members_aloud(&proposals[0]));
    desk.report("s", "1", |r| (r.lat, r.lon) = (Some(60.2), Some(24.9)));
    let impact = desk.get("/v1/incidents/s/1/impact?lang=ko").await.json()["data"].clone();
    lines.push(read_aloud(&impact));
    assert_eq!(impact["alerts"][0]["id"], id.to_string());
    lines.push(text(&impact["alerts"][0]["headline"]).to_owned());
    expect![[r#"
        null @ 위치 미상
        ! null
        locate: 무전으로 위치를 확인한다. 위치를 알 수 없음
        ahead: 위치 미상
        alerts: 위치 미상
        alerts_more: 위치 미상
        area: 위치 미상
        areas: 위치 미상
        behind: 위치 미상
        counts: 위치 미상
        delay_s: 보고 없음
        entering: 위치 미상
        inside: 위치 미상
        lat: 위치 미상
        lon: 위치 미상
        nearest: 위치 미상
        next_stops: 시간표 없음
        not_judged: 위치 미상
        occupancy_percentage: 보고 없음
        occupancy_status: 보고 없음
        passengers: 보고 없음
        places: 위치 미상
        position_age_s: 위치 미상
        position_doubtful: 위치 미상
        position_from: 위치 미상
        routes_cut: 시간표 없음
        stops_cut: 시간표 없음
        trip_id: 보고 없음
        trips_cut: 시간표 없음
        unaccounted: 위치 미상
        unplaced: 위치 미상
        20261123-1: 
        20261123-2: 0m 거리, 0초 차이, 원인 연관: 충돌 사고 - 화재
        null @ 60.20000,24.90000
        - 돌발상황 구역의 내부 차량, 2분 내 진입 차량, 미확인 차량을 확인한다
        - 2분 안에 진입할 차량을 대기시킨다
        - 신고 기관에 위치, 차단 차로, 예상 종료 시각을 확인한다
        - 통과 노선을 우회시키고 승객에게 안내한다
        ! 예상 종료 시각을 종료로 보지 않는다
        call_unaccounted: 무응답 차량을 호출한다. 구역 안이나 진입 중 무응답 1대. 18/3 302초째 무응답(통상 60초 이내 수신)
        lead_out: 구역 안 차량을 밖으로 유도한다. 구역 안 1대(확실 1대)
        ask_position: 위치 오류 차량에 현재 위치를 묻는다. 위치 오류 차량 1대가 구역 안에 있을 수 있음
        age_s: 대상이 차량이 아님
        ahead: 대상이 차량이 아님
        behind: 대상이 차량이 아님
        delay_s: 대상이 차량이 아님
        next_stops: 시간표 없음
        occupancy_percentage: 대상이 차량이 아님
        occupancy_status: 대상이 차량이 아님
        passengers: 보고 없음
        routes_cut: 시간표 없음
        stops_cut: 시간표 없음
        trip_id: 대상이 차량이 아님
        trips_cut: 시간표 없음
        vehicle: 대상이 차량이 아님
        화재, 차량 18/1"#]].assert_eq(&lines.join("\n"));
}

#[tokio::test]
async fn every_link_of_an_alert_and_an_incident_leads_somewhere() {
    let mut desk = Desk::new();
    scene(&mut desk);
    let id = desk.press("18/1", AlarmKind::Fire, |_| {});
    desk.report("s", "1", |_| {});
    for path in [format!("/v1/alerts/{id}"), "/v1/incidents/s/1".to_owned()] {
        let record = desk.get(&path).await.json()["data"].clone();
        for (name, link) in record["links"].as_object().unwrap() {
            let status = desk.get(text(link)).await.status.as_u16();
            let expected = if ["acknowledge", "close"].contains(&name.as_str()) { 405 } else { 200 };
            assert_eq!(status, expected, "{path}: {name} {link}");
        }
    }
}
