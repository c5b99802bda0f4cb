//! ETags, waiting, one body for all, and the rule that nothing dead is read as live.

use std::{sync::Arc, time::Duration};

use alert::AlarmKind;
use futures_util::future::join_all;
use tokio::time::Instant;

use super::Desk;

#[tokio::test]
async fn an_unchanged_list_is_an_empty_304_that_says_as_of_when() {
    let mut desk = Desk::new();
    desk.put("18/1", |_| {});
    let first = desk.get("/v1/vehicles").await;
    assert_eq!(first.header("etag"), Some("W/\"e1-2\""));
    assert_eq!(first.header("cache-control"), Some("no-cache"));
    desk.pass(700);
    for path in ["/v1/vehicles", "/v1/vehicles?agency_id=18", "/v1/vehicles?f=csv", "/gtfs-rt/vehicle-positions.pb"] {
        let again = desk.get_with(path, &[("if-none-match", "\"x\", W/\"e1-2\"")]).await;
        assert_eq!((again.status.as_u16(), again.body.len()), (304, 0), "{path}");
        assert_eq!(again.header("topis-as-of"), Some("2026-11-23T08:00:00.700Z"));
        assert_eq!(again.header("etag"), Some("W/\"e1-2\""));
    }
    desk.press("18/1", AlarmKind::Fire, |_| {});
    assert_eq!(desk.get_with("/v1/vehicles", &[("if-none-match", "W/\"e1-2\"")]).await.status, 304);
    desk.put("18/1", |_| {});
    assert_eq!(desk.get_with("/v1/vehicles", &[("if-none-match", "W/\"e1-2\"")]).await.status, 200);
    assert_eq!(desk.get_with("/v1/vehicles", &[("if-none-match", "W/\"e0-4\"")]).await.status, 200);
}

#[tokio::test]
async fn what_depends_on_the_hour_of_asking_is_never_called_unchanged() {
    let mut desk = Desk::new();
    desk.put("18/1", |_| {});
    let seen = desk.get_with("/v1/vehicles?max_age_s=10", &[("if-none-match", "W/\"e1-2\"")]).await;
    assert_eq!((seen.status.as_u16(), seen.header("etag")), (200, None));
}

#[tokio::test]
async fn degradation_is_a_change_of_every_list() {
    let mut desk = Desk::new();
    let before = desk.get("/v1/incidents").await;
    desk.last.revision += 1;
    desk.last.revisions.status = desk.last.revision;
    desk.last.degraded.push(crate::Degraded {
        code: "feed_silent".to_owned(),
        scope: "feed:hfp".to_owned(),
        since: *super::T0,
        detail: "nothing for 30 s".to_owned(),
    });
    desk.pass(0);
    let after = desk.get_with("/v1/incidents", &[("if-none-match", before.header("etag").unwrap())]).await;
    assert_eq!(after.json()["meta"]["degraded"][0]["code"], "feed_silent");
}

#[tokio::test(start_paused = true)]
async fn when_the_publisher_dies_no_route_answers_as_if_it_lived() {
    let mut desk = Desk::new();
    desk.put("18/1", |_| {});
    tokio::time::advance(Duration::from_millis(4_900)).await;
    assert_eq!(desk.get_with("/v1/vehicles", &[("if-none-match", "W/\"e1-2\"")]).await.status, 304);
    tokio::time::advance(Duration::from_millis(200)).await;
    for path in [
        "/v1/vehicles",
        "/v1/vehicles?agency_id=18",
        "/v1/vehicles/18/1",
        "/v1/alerts",
        "/v1/incidents",
        "/v1/feeds",
        "/v1/status",
        "/v1/changes",
        "/v1/stream",
        "/gtfs-rt/vehicle-positions.pb",
        "/livez",
    ] {
        let seen = desk.get_with(path, &[("if-none-match", "W/\"e1-2\"")]).await;
        assert!(seen.problem().starts_with("503 standing-still"), "{path}: {}", seen.text());
        assert!(seen.header("retry-after").is_some());
    }
    let ready = desk.get("/readyz").await;
    assert_eq!((ready.status.as_u16(), ready.json()["ready"].as_bool()), (503, Some(false)));
    desk.pass(100);
    assert_eq!(desk.get("/v1/vehicles").await.status, 200);
    assert_eq!(desk.get("/readyz").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_wait_wakes_on_its_own_collection_only() {
    let mut desk = Desk::new();
    let began = Instant::now();
    let router = desk.router.clone();
    let waiting = tokio::spawn(async move {
        let request =
            axum::http::Request::get("/v1/alerts?since=e1-1&wait=20").body(axum::body::Body::empty()).unwrap();
        tower::ServiceExt::oneshot(router, request).await.unwrap()
    });
    for second in 1..=7 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        desk.put("18/1", |v| v.delay_s = Some(second));
        desk.pass(10);
        assert!(!waiting.is_finished(), "a vehicle woke it");
    }
    desk.press("18/1", AlarmKind::Fire, |_| {});
    let response = waiting.await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 7);
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(json["data"].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_sees_no_change_ends_empty_or_unchanged() {
    let mut desk = Desk::new();
    desk.put("18/1", |_| {});
    let began = Instant::now();
    let (seen, ()) = tokio::join!(
        desk.get_with("/v1/vehicles?wait=3", &[("if-none-match", "W/\"e1-2\"")]),
        tokio::time::sleep(Duration::from_secs(1)),
    );
    assert_eq!((seen.status.as_u16(), began.elapsed().as_secs()), (304, 3));
    desk.pass(1_000);
    let seen = desk.get("/v1/alerts?since=e1-2&wait=0.5").await;
    assert_eq!(seen.ids(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_pollers_of_one_revision_cost_one_encoding() {
    let mut desk = Desk::new();
    for n in 0..500 {
        desk.put(&format!("18/{n}"), |_| {});
    }
    let pollers = (0..200).map(|_| {
        let router = desk.router.clone();
        tokio::spawn(async move {
            let request = axum::http::Request::get("/v1/vehicles").body(axum::body::Body::empty()).unwrap();
            tower::ServiceExt::oneshot(router, request).await.unwrap().status()
        })
    });
    assert!(join_all(pollers).await.into_iter().all(|s| s.unwrap() == 200));
    assert_eq!(desk.shared.bodies.encodes(), 1);
    desk.put("18/1", |_| {});
    desk.get("/v1/vehicles").await;
    assert_eq!(desk.shared.bodies.encodes(), 2);
}

#[tokio::test(start_paused = true)]
async fn compression_is_asked_for_and_happens_once_a_second() {
    let mut desk = Desk::new();
    for n in 0..20 {
        desk.put(&format!("18/{n}"), |_| {});
    }
    let gzip = [("accept-encoding", "br, gzip;q=0.8")];
    assert_eq!(desk.get("/v1/vehicles").await.header("content-encoding"), None);
    assert_eq!(
        desk.get_with("/v1/vehicles", &[("accept-encoding", "gzip;q=0")]).await.header("content-encoding"),
        None
    );
    let packed = desk.get_with("/v1/vehicles", &gzip).await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_eq!(packed.header("etag"), Some("W/\"e1-21\""));
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&packed.body[..]), &mut text).unwrap();
    assert_eq!(text, desk.get("/v1/vehicles").await.text());
    // Within the second the packed one is served on, and says as of when it is.
    desk.pass(400);
    desk.put("18/1", |_| {});
    let held = desk.get_with("/v1/vehicles", &gzip).await;
    assert_eq!(
        (held.header("etag"), held.header("topis-as-of")),
        (Some("W/\"e1-21\""), Some("2026-11-23T08:00:00.000Z"))
    );
    tokio::time::advance(Duration::from_millis(1_001)).await;
    let next = desk.get_with("/v1/vehicles", &gzip).await;
    assert_eq!(
        (next.header("etag"), next.header("topis-as-of")),
        (Some("W/\"e1-22\""), Some("2026-11-23T08:00:00.400Z"))
    );
}

#[tokio::test(start_paused = true)]
async fn an_alert_is_never_held_back_for_compression() {
    let mut desk = Desk::new();
    let gzip = [("accept-encoding", "gzip")];
    for n in 0..4 {
        desk.press(&format!("18/{n}"), AlarmKind::Fire, |_| {});
    }
    assert_eq!(desk.get_with("/v1/alerts", &gzip).await.header("content-encoding"), Some("gzip"));
    desk.press("18/9", AlarmKind::Fire, |_| {});
    let seen = desk.get_with("/v1/alerts", &gzip).await;
    assert_eq!((seen.header("content-encoding"), seen.ids().len()), (None, 5));
}

#[tokio::test]
async fn a_list_encoded_from_nine_thousand_vehicles_is_whole() {
    let mut desk = Desk::new();
    let record = {
        desk.put("18/0", |_| {});
        Arc::clone(desk.last.view.vehicles.get(&super::key("18/0")).unwrap())
    };
    for n in 0..9_000 {
        let mut next = (*record).clone();
        next.key = super::key(&format!("18/{n}"));
        desk.last.view.vehicles.insert(next.key.clone(), Arc::new(next));
    }
    desk.put("18/1", |_| {});
    assert_eq!(desk.get("/v1/vehicles").await.ids().len(), 9_000);
}

#[tokio::test]
async fn a_packed_list_ages_as_a_plain_one_does() {
    use std::io::Read as _;
    let mut desk = Desk::new();
    desk.put("18/1", |_| {});
    desk.press("18/1", AlarmKind::Fire, |_| {});
    for _ in 0..2 {
        let packed = desk.get_with("/v1/alerts", &[("accept-encoding", "gzip")]).await;
        let mut text = String::new();
        // Packing is not repeated within a second: then it comes as it is.
        match packed.header("content-encoding") {
            Some("gzip") => drop(flate2::read::GzDecoder::new(&packed.body[..]).read_to_string(&mut text).unwrap()),
            _ => packed.text().clone_into(&mut text),
        }
        let said: serde_json::Value = serde_json::from_str(&text).unwrap();
        let plain = desk.get("/v1/alerts").await.json();
        assert_eq!((&said["meta"]["as_of"], &said["data"]), (&plain["meta"]["as_of"], &plain["data"]));
        // Nothing happens, and a wall that shows the minute before is not looked at.
        desk.pass(60_000);
    }
}
