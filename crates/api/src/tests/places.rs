//! Standing areas armed by one call, and incidents whose source says that they are over.

use std::sync::Arc;

use alert::{AlarmKind, IncidentKind};
use axum::http::Method;
use impact::{Places, Runbooks};
use serde_json::{Value, json};

use super::{
    Desk,
    access::{ask, with_tokens},
};
use crate::Guide;

const UNDERPASS: &str = "/v1/places/underpass-river-2";

fn desk_with_places() -> Desk {
    let mut desk = Desk::new();
    let places = Places::parse(include_str!("../../../../config/places.geojson")).unwrap();
    desk.last.guide = Arc::new(Guide::new(places, Runbooks::shipped()));
    desk.pass(0);
    desk
}

async fn place(desk: &Desk, id: &str) -> Value {
    let listed = desk.get("/v1/places").await.json();
    listed["data"].as_array().unwrap().iter().find(|place| place["id"] == id).unwrap().clone()
}

#[tokio::test]
async fn a_standing_place_is_armed_by_one_call_and_is_an_incident_from_then_on() {
    let mut desk = desk_with_places();
    let before = place(&desk, "underpass-river-2").await;
    assert_eq!(
        (&before["armed"], &before["armed_by"], &before["incident_id"]),
        (&json!(false), &Value::Null, &Value::Null)
    );
    let (status, answer) =
        desk.order(&format!("{UNDERPASS}/arm"), json!({"by": "kim", "comment": "gauge at 4 m"})).await;
    let incident = &answer["data"];
    assert_eq!(
        (status, &incident["kind"], &incident["severity"]),
        (200, &json!("flood"), &json!("severe")),
        "{answer}"
    );
    assert_eq!((&incident["geometry"]["type"], &incident["radius_m"]), (&json!("LineString"), &json!(25.0)));
    assert_eq!((&incident["id"], &incident["armed_by"]), (&json!("operator/place:underpass-river-2"), &json!("kim")));

    let armed = place(&desk, "underpass-river-2").await;
    assert_eq!(
        (&armed["armed"], &armed["armed_by"], &armed["armed_until"]),
        (&json!(true), &json!("kim"), &Value::Null)
    );
    assert_eq!(armed["incident_id"], incident["id"]);
    let around = desk.get("/v1/area?lat=37.5405&lon=126.9526&radius_m=50").await.json();
    assert_eq!(around["data"]["areas"][0]["area"]["id"], incident["id"], "cards and areas know of it");
    assert_eq!(around["data"]["areas"][0]["purpose"], "hazard");

    // Repeated it is the same; whoever did not arm it learns who did.
    let (status, again) = desk.order(&format!("{UNDERPASS}/arm"), json!({"by": "kim"})).await;
    assert_eq!((status, &again["data"]["updated_at"]), (200, &incident["updated_at"]));
    let (status, refused) = desk.order(&format!("{UNDERPASS}/arm"), json!({"by": "lee"})).await;
    assert_eq!((status, &refused["code"], &refused["armed_by"]), (409, &json!("already-armed"), &json!("kim")));

    for by in ["lee", "lee"] {
        let (status, answer) = desk.order(&format!("{UNDERPASS}/disarm"), json!({"by": by})).await;
        assert_eq!((status, &answer["data"]["state"]), (200, &json!("closed")));
    }
    assert_eq!(place(&desk, "underpass-river-2").await["armed"], false);
    let until = json!({"by": "lee", "kind": "fire", "until": "2026-11-23T09:00:00Z", "status": "exercise"});
    let (status, answer) = desk.order(&format!("{UNDERPASS}/arm"), until).await;
    assert_eq!((status, &answer["data"]["kind"], &answer["data"]["status"]), (200, &json!("fire"), &json!("exercise")));
    assert_eq!(place(&desk, "underpass-river-2").await["armed_until"], "2026-11-23T09:00:00.000Z");
    desk.pass(3_600_000);
    desk.commit(&room::Input::Tick);
    assert_eq!(place(&desk, "underpass-river-2").await["armed"], false, "it ends by itself");
}

#[tokio::test]
async fn what_cannot_be_armed_says_why() {
    let mut desk = desk_with_places();
    let mut lines = Vec::new();
    for (path, body) in [
        ("/v1/places/nowhere/arm", json!({"by": "kim"})),
        ("/v1/places/hospital-river/arm", json!({"by": "kim"})),
        ("/v1/places/hospital-river/disarm", json!({"by": "kim"})),
        ("/v1/places/underpass-river-2/arm", json!({})),
        ("/v1/places/underpass-river-2/arm", json!({"by": "kim", "kind": "fload"})),
        ("/v1/places/underpass-river-2/arm", json!({"by": "kim", "until": "tomorrow"})),
        ("/v1/places/underpass-river-2/arm", json!({"by": "kim", "untill": "2026-11-23T09:00:00Z"})),
    ] {
        lines.push(desk.post(path, &body.to_string()).await.problem());
    }
    let past = json!({"by": "kim", "until": "2026-11-23T07:00:00Z"});
    for (path, body) in [(format!("{UNDERPASS}/arm"), past), (format!("{UNDERPASS}/disarm"), json!({"by": "kim"}))] {
        let (status, refused) = desk.order(&path, body).await;
        lines.push(format!("{status} {}: {}", refused["code"].as_str().unwrap(), refused["detail"].as_str().unwrap()));
    }
    expect_test::expect![[r#"
        404 not-found: There is no place nowhere.
        409 not-standing: hospital-river is not kept ready to be armed: give it "standing": true in the places file, and a width or a polygon.
        409 not-standing: hospital-river is not kept ready to be armed: give it "standing": true in the places file, and a width or a polygon.
        400 bad-member: by: is required: who gives this order? Send {"by": "your name"}.
        400 bad-member: kind: is none of crash, breakdown, pedestrian_crash, road_works, fallen_object, bus_crash, subway_accident, fire, weather, rally, other, report, notice, flood, earthquake, ground_collapse, power_failure, signal_failure, track_obstruction, medical, security, police_activity, hazmat, strike, special_event. Did you mean flood?
        400 bad-member: until: is no instant like 2026-11-26T18:00:00+09:00: failed to parse four digit integer as year: invalid digit, expected 0-9 but got t.
        422 bad-body: The body is JSON, but not what is expected: unknown field `untill`, expected one of `kind`, `severity`, `status`, `until`, `by`, `desk`, `seen`, `comment`.
        400 bad-member: until: has to lie ahead, by at most 744.0 hours.
        404 not-found: There is no incident operator/place:underpass-river-2."#]].assert_eq(&lines.join("\n"));
    let tokens = with_tokens();
    assert_eq!(ask(&tokens, Method::POST, &format!("{UNDERPASS}/arm"), Some("wall-token")).await.status, 403);
}

#[tokio::test]
async fn lifted_is_shown_as_a_proposal_that_a_person_confirms_or_refuses() {
    let mut desk = Desk::new();
    let flood = |r: &mut alert::IncidentReport| {
        r.kind = IncidentKind::Flood;
        r.title = Some("Flood warning".to_owned());
    };
    desk.report("kma", "1", flood);
    let fire = desk.press("18/1", AlarmKind::Fire, |r| r.fix = Some(transit::Fix::at(37.5, 127.0)));
    let joined = json!({"by": "kim", "alerts": [fire.to_string()]});
    assert_eq!(desk.order("/v1/incidents/kma/1/confirm", joined).await.0, 200);
    assert_eq!(desk.get("/v1/proposals").await.json()["data"], json!([]));

    desk.report("kma", "1", |r| {
        flood(r);
        (r.title, r.proposes_clear) = (Some("Flood warning lifted".to_owned()), true);
    });
    let incident = desk.get("/v1/incidents/kma/1").await.json()["data"].clone();
    assert_eq!((&incident["state"], &incident["clear_proposed_by"]), (&json!("active"), &json!("kma")));
    assert_eq!(incident["clear_proposed_text"], "Flood warning lifted");
    assert_eq!(incident["clear_proposed_at"], "2026-11-23T08:00:00.000Z");
    let proposal = desk.get("/v1/proposals").await.json()["data"][0].clone();
    assert_eq!(
        (&proposal["kind"], &proposal["incident_id"], &proposal["by"]),
        (&json!("clear"), &json!("kma/1"), &json!("kma"))
    );
    let members: Vec<&str> =
        proposal["members"].as_array().unwrap().iter().map(|m| m["alert_id"].as_str().unwrap()).collect();
    assert!(members.contains(&fire.to_string().as_str()), "{proposal}");
    assert_eq!(
        (&proposal["confirm"], &proposal["refuse"]),
        (&json!("/v1/incidents/kma/1/close"), &json!("/v1/incidents/kma/1/keep"))
    );
    for path in [format!("/v1/alerts/{fire}/card"), "/v1/incidents/kma/1/impact".to_owned()] {
        let card = desk.get(&path).await.json()["data"].clone();
        assert_eq!(card["clear_proposed"][0]["incident_id"], "kma/1", "{path}");
    }

    let (status, kept) = desk.order("/v1/incidents/kma/1/keep", json!({"by": "kim", "comment": "still wet"})).await;
    assert_eq!(
        (status, &kept["data"]["state"], &kept["data"]["clear_proposed_at"]),
        (200, &json!("active"), &Value::Null)
    );
    assert_eq!(desk.order("/v1/incidents/kma/1/keep", json!({"by": "lee"})).await.0, 200);
    assert_eq!(desk.get("/v1/proposals").await.json()["data"], json!([]));
    let card = desk.get(&format!("/v1/alerts/{fire}/card")).await.json();
    assert_eq!(card["data"]["clear_proposed"], json!([]));
    assert_eq!(desk.order("/v1/incidents/kma/1/close", json!({"by": "kim"})).await.0, 200);
    let (status, refused) = desk.order("/v1/incidents/kma/1/keep", json!({"by": "kim"})).await;
    assert_eq!((status, &refused["code"]), (409, &json!("closed")));
}

#[tokio::test]
async fn an_alert_says_which_incident_explains_it() {
    let mut desk = Desk::new();
    desk.report("its", "1", |r| {
        r.effect = Some("DETOUR".to_owned());
        r.affects = vec![alert::Affected { route_id: Some("550".to_owned()), ..alert::Affected::default() }];
        r.severity = Some(alert::Severity::Minor);
    });
    desk.commit(&room::Input::Finding(Box::new(alert::Finding {
        rule: "LINE.DIVERT".to_owned(),
        subject: alert::Subject::Line("550".to_owned()),
        status: transit::Status::Actual,
        verdict: alert::FindingVerdict::Raised,
        class: alert::AlertClass::Service,
        priority: alert::Priority::P3,
        latched: false,
        evidence: alert::Evidence::default(),
        parents: Vec::new(),
    })));
    assert_eq!(desk.get("/v1/alerts").await.json()["data"], json!([]));
    let alert = desk.get("/v1/alerts/20261123-1").await.json()["data"].clone();
    assert_eq!((&alert["quiet"], &alert["explained_by"]), (&json!(["by_incident"]), &json!("its/1")));
}

#[tokio::test]
async fn a_drill_is_marked_as_one_everywhere_counts_in_no_figure_and_never_goes_outside() {
    let mut desk = desk_with_places();
    let drill = json!({"by": "kim", "kind": "fire", "severity": "extreme", "status": "exercise"});
    assert_eq!(desk.order(&format!("{UNDERPASS}/arm"), drill).await.0, 200);
    desk.commit(&room::Input::Finding(Box::new(alert::Finding {
        rule: "GEO.INSIDE".to_owned(),
        subject: alert::Subject::Vehicle(super::key("18/1")),
        status: transit::Status::Exercise,
        verdict: alert::FindingVerdict::Raised,
        class: alert::AlertClass::Safety,
        priority: alert::Priority::P1,
        latched: false,
        evidence: alert::Evidence::default(),
        parents: Vec::new(),
    })));
    let alerts = desk.get("/v1/alerts").await.json()["data"].clone();
    let alerts = alerts.as_array().unwrap();
    assert_eq!(alerts.len(), 2, "the incident's own and who is inside");
    for alert in alerts {
        assert_eq!(alert["status"], "exercise");
        assert!(alert["headline"].as_str().unwrap().starts_with("EXERCISE"), "{}", alert["headline"]);
    }
    let around = desk.get("/v1/area?lat=37.5405&lon=126.9526&radius_m=50").await.json();
    assert_eq!(around["data"]["areas"][0]["status"], "exercise");
    let load = desk.get("/v1/load").await.json()["data"][0].clone();
    assert_eq!((&load["last_10_min"], &load["by_priority"]), (&json!(0), &json!([0, 0, 0, 0])), "{load}");
    let wall = desk.get("/v1/status").await.json()["data"].clone();
    assert!(wall.to_string().contains("\"not_actual\":2"), "{wall}");
    let words = json!({"by": "kim", "title": "Fire", "text": {"en": "Fire"}});
    let path = "/v1/incidents/operator/place:underpass-river-2/publish";
    let (status, refused) = desk.order(path, words).await;
    assert_eq!((status, &refused["code"]), (409, &json!("not-actual")));
    assert_eq!(desk.get("/gtfs-rt/alerts.json").await.json().get("entity"), None);
}
