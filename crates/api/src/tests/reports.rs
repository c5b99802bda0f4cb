//! Reports: the same facts in three forms, for whom they are, and what is refused.

use alert::{AlarmKind, AlertId};
use axum::http::Method;
use expect_test::expect;
use picture::{Quality, QualityFlag};
use publish::{Lack, LackKind, PointFrom, Recorded, RecordedFor, RecordedPoint, RecordedVehicle, Recording};
use serde_json::{Value, json};
use transit::Coordinate;

use super::{
    Desk, T0,
    access::{ask, with_tokens},
    key,
};

/// What was recorded around every alert but the second, which has no file.
pub(super) fn recorded(id: &AlertId, _points_max: usize) -> Recorded {
    if id.number == 2 {
        return Recorded::Absent;
    }
    let mut quality = Quality::default();
    quality.insert(QualityFlag::Jump);
    let point = |second: i64, quality: Quality| RecordedPoint {
        event_time: T0.plus_millis(second * 1000),
        received_at: Some(T0.plus_millis(second * 1000 + 500)),
        coordinate: Coordinate::parse(60.17, 24.94).unwrap(),
        bearing: Some(90.5),
        speed_mps: Some(7.0),
        quality,
        from: PointFrom::Report,
    };
    let near = RecordedVehicle {
        key: key("18/7"),
        why: RecordedFor::Near,
        distance_m: Some(120.0),
        points: vec![point(-20, Quality::default())],
        recorded: 1,
        doubtful: 0,
        doubts: Quality::default(),
    };
    let subject = RecordedVehicle {
        key: key("18/1"),
        why: RecordedFor::Subject,
        distance_m: Some(0.0),
        points: vec![point(-30, Quality::default()), point(0, quality)],
        recorded: 9,
        doubtful: 1,
        doubts: quality,
    };
    let silent = Lack { vehicle: Some(key("18/7")), since: Some(*T0), ..Lack::of(LackKind::Silent) };
    Recorded::Kept(Box::new(Recording {
        begun_at: *T0,
        ended_at: None,
        place: Coordinate::parse(60.17, 24.94).ok(),
        radius_m: 2_000.0,
        before_minutes: 60,
        vehicles: vec![subject, near],
        lacks: vec![silent],
    }))
}

/// An alert that kim took, marked and passed on to lee.
async fn handled(desk: &mut Desk) -> AlertId {
    let id = desk.press("18/1", AlarmKind::Fire, |r| r.text = Some("=1+1 <b>smoke</b>".to_owned()));
    for (verb, body) in [
        ("acknowledge", json!({"by": "kim", "desk": "north"})),
        ("mark", json!({"by": "kim", "step": "on_scene", "party": "engine 3", "reference": "F-12"})),
        ("handover", json!({"by": "kim", "to": "lee", "comment": "end of shift"})),
    ] {
        desk.pass(5_000);
        let request = super::post(&format!("/v1/alerts/{id}/{verb}"), &body.to_string());
        let router = desk.router.clone();
        let sent = tokio::spawn(async move {
            use tower::ServiceExt as _;
            router.oneshot(request).await.unwrap().status()
        });
        desk.obey().await;
        assert_eq!(sent.await.unwrap(), 200, "{verb}");
    }
    id
}

fn rows<'a>(report: &'a Value, key: &str) -> &'a Vec<Value> {
    report[key].as_array().unwrap_or_else(|| panic!("{key}: {report:#}"))
}

#[tokio::test]
async fn an_alert_is_told_from_its_raise_to_its_owner_with_what_was_not_known() {
    let mut desk = Desk::new();
    desk.put("18/1", |_| {});
    let id = handled(&mut desk).await;
    let report = desk.get(&format!("/v1/alerts/{id}/report")).await.json()["data"].clone();
    let alert = desk.get(&format!("/v1/alerts/{id}")).await.json()["data"].clone();
    assert_eq!((&report["alert"], &report["about"], &report["incident"]), (&alert, &json!("alert"), &Value::Null));
    assert_eq!(alert["links"]["report"], format!("/v1/alerts/{id}/report"));
    let mut told = String::new();
    for key in ["timeline", "owners", "marks", "recordings", "vehicles", "positions", "unknown"] {
        for row in rows(&report, key) {
            let known: Vec<String> = row
                .as_object()
                .unwrap()
                .iter()
                .filter(|(key, value)| !value.is_null() && *key != "alert_id" && *key != "seq")
                .map(|(key, value)| format!("{key}={}", value.as_str().map_or(value.to_string(), str::to_owned)))
                .collect();
            told.push_str(&format!("{key}: {}\n", known.join(" ")));
        }
    }
    expect![[r#"
        timeline: actor=driver actor_kind=source at=2026-11-23T08:00:00.000Z comment==1+1 <b>smoke</b> from=none reason=raised to=active/unacknowledged
        timeline: actor=kim actor_kind=person at=2026-11-23T08:00:05.000Z desk=north from=active/unacknowledged reason=acknowledged to=active/acknowledged
        timeline: actor=kim actor_kind=person at=2026-11-23T08:00:10.000Z comment=on_scene, engine 3, F-12 from=active/acknowledged reason=mark to=active/acknowledged
        timeline: actor=kim actor_kind=person at=2026-11-23T08:00:15.000Z comment=to lee: end of shift from=active/acknowledged reason=handover to=active/acknowledged
        owners: desk=north ended_by=handover from=2026-11-23T08:00:05.000Z owner=kim until=2026-11-23T08:00:15.000Z
        owners: from=2026-11-23T08:00:15.000Z owner=lee
        marks: actor=kim at=2026-11-23T08:00:10.000Z comment=on_scene, engine 3, F-12 party=engine 3 reference=F-12 step=on_scene
        recordings: before_minutes=60 begun_at=2026-11-23T08:00:00.000Z lat=60.17 lon=24.94 radius_m=2000.0 state=kept
        vehicles: agency_id=18 distance_m=0.0 id=18/1 points=9 points_doubtful=1 points_listed=2 recorded_for=subject vehicle_id=1
        vehicles: agency_id=18 distance_m=120.0 id=18/7 points=1 points_doubtful=0 points_listed=1 recorded_for=near vehicle_id=7
        positions: agency_id=18 bearing=90.5 event_time=2026-11-23T07:59:30.000Z lat=60.17 lon=24.94 point_from=report quality=[] received_at=2026-11-23T07:59:30.500Z speed_mps=7.0 vehicle_id=1
        positions: agency_id=18 bearing=90.5 event_time=2026-11-23T08:00:00.000Z lat=60.17 lon=24.94 point_from=report quality=["jump"] received_at=2026-11-23T08:00:00.500Z speed_mps=7.0 vehicle_id=1
        positions: agency_id=18 bearing=90.5 event_time=2026-11-23T07:59:40.000Z lat=60.17 lon=24.94 point_from=report quality=[] received_at=2026-11-23T07:59:40.500Z speed_mps=7.0 vehicle_id=7
        unknown: detail=passengers what=never_said
        unknown: agency_id=18 since=2026-11-23T08:00:00.000Z vehicle_id=7 what=silent
        unknown: agency_id=18 count=1 detail=jump vehicle_id=1 what=doubtful
        unknown: agency_id=18 count=7 vehicle_id=1 what=points_thinned
    "#]].assert_eq(&told);
}

#[tokio::test]
async fn the_same_comes_as_a_table_and_as_a_page_and_nothing_in_them_runs() {
    let mut desk = Desk::new();
    let id = handled(&mut desk).await;
    let path = format!("/v1/alerts/{id}/report");
    let csv = desk.get(&format!("{path}?f=csv")).await;
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    let sorts: Vec<&str> = csv.text().lines().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(sorts[..5], ["row", "timeline", "timeline", "timeline", "timeline"]);
    for sort in ["owner", "mark", "position", "unknown"] {
        assert!(sorts.contains(&sort), "{sort}: {}", csv.text());
    }
    assert!(csv.text().contains(",'=1+1 <b>smoke</b>,"), "{}", csv.text());
    let page = desk.get(&format!("{path}?f=md")).await;
    assert_eq!(page.header("content-type"), Some("text/markdown; charset=utf-8"));
    for words in ["# Report: alert 1 (20261123-1)", "| on_scene | engine 3 | F\\-12 |", "| 1 | lee |", "18/7: silent"] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    assert!(!page.text().contains("<b>"), "{}", page.text());
    let korean = desk.get_with(&format!("{path}?lang=ko"), &[("accept", "text/markdown")]).await;
    assert!(korean.text().starts_with("# 보고서"), "{}", korean.text());
}

#[tokio::test]
async fn an_incident_tells_the_story_of_its_alerts_in_one_order() {
    let mut desk = Desk::new();
    let id = handled(&mut desk).await;
    desk.report("radio", "a b", |r| r.kind = alert::IncidentKind::Fire);
    let other = desk.press("18/2", AlarmKind::Collision, |_| {});
    desk.press("18/3", AlarmKind::Collision, |_| {});
    let order = |body: Value| {
        let (router, request) =
            (desk.router.clone(), super::post("/v1/incidents/radio/a%20b/confirm", &body.to_string()));
        tokio::spawn(async move {
            use tower::ServiceExt as _;
            router.oneshot(request).await.unwrap().status()
        })
    };
    let sent = order(json!({"by": "kim", "alerts": [id.to_string(), other.to_string()]}));
    desk.obey().await;
    assert_eq!(sent.await.unwrap(), 200);
    let report = desk.get("/v1/incidents/radio/a%20b/report").await.json()["data"].clone();
    assert_eq!(
        (&report["about"], &report["id"], &report["alert"]),
        (&json!("incident"), &json!("radio/a%20b"), &Value::Null)
    );
    let alerts: Vec<&Value> = rows(&report, "alerts").iter().map(|alert| &alert["rule"]).collect();
    let line =
        |row: &Value| format!("{} {}", row["alert_id"].as_str().unwrap_or("incident"), row["reason"].as_str().unwrap());
    let told: Vec<String> = rows(&report, "timeline").iter().map(line).collect();
    let seqs: Vec<u64> = rows(&report, "timeline").iter().map(|row| row["seq"].as_u64().unwrap()).collect();
    assert!(seqs.is_sorted(), "{seqs:?}");
    expect![[r#"
        [String("EMG.FIRE"), String("INC.SEVERE"), String("EMG.COLLISION")]
        20261123-1 raised
        20261123-1 acknowledged
        20261123-1 mark
        20261123-1 handover
        incident recorded
        20261123-2 raised
        20261123-3 raised
        20261123-1 grouped
        20261123-3 grouped
    "#]]
    .assert_eq(&format!("{alerts:?}\n{}\n", told.join("\n")));
    let page = desk.get("/v1/incidents/radio/a%20b/report?f=md").await;
    assert!(page.text().contains("# Report: incident radio/a b"), "{}", page.text());
}

#[tokio::test]
async fn covert_alerts_are_reported_to_operators_only() {
    let mut desk = with_tokens();
    let id = desk.press("18/1", AlarmKind::Panic, |r| r.covert = Some(true));
    let path = format!("/v1/alerts/{id}/report");
    assert_eq!(ask(&desk, Method::GET, &path, Some("kim-token")).await.status, 200);
    assert_eq!(ask(&desk, Method::GET, &path, Some("wall-token")).await.status, 404);
    desk.report("radio", "1", |_| {});
    let verdict = desk.commit(&room::Input::Command(alert::Command {
        actor: alert::Actor { by: "kim".to_owned(), desk: None, supervisor: false },
        request_id: "k".to_owned(),
        order: alert::Order::Group {
            incident: alert::IncidentKey { source: "radio".to_owned(), id: "1".to_owned() },
            alerts: vec![id.clone()],
            joined: true,
            comment: None,
        },
    }));
    assert!(!matches!(verdict, room::Verdict::Refused(_)), "{verdict:?}");
    for (token, seen) in [("kim-token", true), ("wall-token", false)] {
        for format in ["json", "csv", "md"] {
            let path = format!("/v1/incidents/radio/1/report?f={format}");
            let report = ask(&desk, Method::GET, &path, Some(token)).await;
            assert_eq!(report.text().contains(&id.to_string()), seen, "{token} {format}: {}", report.text());
        }
    }
}

#[tokio::test]
async fn a_report_of_nothing_or_in_no_format_names_what_to_repair() {
    let mut desk = Desk::new();
    let id = desk.press("18/1", AlarmKind::Fire, |_| {});
    let mut lines = Vec::new();
    for path in [
        "/v1/alerts/417/report".to_owned(),
        "/v1/incidents/a/b/report".to_owned(),
        format!("/v1/alerts/{id}/report?f=pdf"),
        format!("/v1/alerts/{id}/report?fields=id"),
        format!("/v1/alerts/{id}/report?lang=fi"),
    ] {
        lines.push(desk.get(&path).await.problem());
    }
    lines.push(desk.get_with(&format!("/v1/alerts/{id}/report"), &[("accept", "application/pdf")]).await.problem());
    expect![[r#"
        404 not-found: There is no alert 417.
        404 not-found: There is no incident a/b.
        400 bad-parameter: f="pdf" cannot be used. Allowed: json, csv, md.
        400 unknown-parameter: There is no parameter fields. Known here: lang, f. Did you mean f?
        400 bad-parameter: lang="fi" cannot be used. Allowed: en, ko.
        406 not-acceptable: Offered here: application/json, text/csv; charset=utf-8; header=present, text/markdown; charset=utf-8. Ask for one of them in Accept, or leave Accept away."#]].assert_eq(&lines.join("\n"));
}
