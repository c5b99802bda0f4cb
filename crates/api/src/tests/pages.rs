//! Parts of lists: pages, picked fields, boxes.

use alert::AlarmKind;

use super::Desk;

#[tokio::test]
async fn who_reads_what_changed_page_by_page_misses_nothing() {
    let mut desk = Desk::new();
    for n in 1..=5 {
        desk.press(&format!("18/{n}"), AlarmKind::Fire, |_| {});
    }
    let first = desk.get("/v1/alerts?since=e1-1&limit=2").await.json();
    assert_eq!(first["meta"]["cursor"], "e1-1", "what was left off is still news");
    let next = first["meta"]["next"].as_str().unwrap().to_owned();
    // Taken between the pages, and it stands on the first.
    desk.press("18/1", AlarmKind::Fire, |_| {});
    let rest = desk.get(&format!("/v1/alerts?since=e1-1&limit=4&cursor={next}")).await.json();
    assert_eq!((rest["data"].as_array().unwrap().len(), &rest["meta"]["next"]), (3, &serde_json::Value::Null));
    assert_eq!(rest["meta"]["cursor"], "e1-6");
    let news = desk.get("/v1/alerts?since=e1-6").await.json();
    assert_eq!((news["data"].as_array().unwrap().len(), &news["data"][0]["vehicle_id"]), (1, &"1".into()));
    assert_eq!(news["meta"]["cursor"], "e1-7");
}

#[tokio::test]
async fn a_field_that_is_picked_often_comes_once_and_values_are_bounded() {
    let mut desk = Desk::new();
    desk.put("18/1", |_| {});
    let picked = desk.get(&format!("/v1/vehicles?fields={}", vec!["id"; 400].join(","))).await;
    assert!(picked.text().starts_with(r#"{"data":[{"id":"18/1"}],"#), "{}", picked.text());
    let many = desk.get(&format!("/v1/vehicles?vehicle_id={}", vec!["a/1"; 501].join(","))).await;
    assert!(many.problem().starts_with("400 bad-parameter: vehicle_id"), "{}", many.problem());
}

#[tokio::test]
async fn no_box_and_no_route_hides_an_emergency_or_a_shape() {
    let mut desk = Desk::new();
    // Nobody has ever heard of this vehicle, and its driver's alarm has no fix.
    desk.press("18/9", AlarmKind::Fire, |report| report.fix = None);
    let ids = |seen: super::Seen| seen.json()["data"].as_array().unwrap().len();
    assert_eq!(ids(desk.get("/v1/alerts?bbox=24,60,25,61").await), 1);
    let square = r#"{"type":"Polygon","coordinates":[[[24.5,60.5],[26,60.5],[26,61],[24.5,61],[24.5,60.5]]]}"#;
    desk.report("kma", "1", |report| {
        (report.lat, report.lon) = (None, None);
        report.geometry = Some(square.to_owned());
    });
    assert_eq!(ids(desk.get("/v1/incidents?bbox=24,60,25,61").await), 1);
    assert_eq!(ids(desk.get("/v1/incidents?bbox=20,60,21,61").await), 0);
}

#[tokio::test]
async fn an_alert_follows_its_vehicle_into_a_box_whatever_the_reader_has() {
    let mut desk = Desk::new();
    desk.put("18/1", |_| {});
    desk.press("18/1", AlarmKind::Fire, |report| report.fix = None);
    let seen = desk.get("/v1/alerts?bbox=24,60,25,61").await;
    assert_eq!((seen.header("etag"), seen.json()["data"].as_array().unwrap().len()), (None, 1));
}
