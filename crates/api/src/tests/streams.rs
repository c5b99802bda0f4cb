//! The stream and the poll of changes.

use std::{pin::Pin, time::Duration};

use alert::{AlarmKind, CloseReason};
use axum::{body::Body, http::Request};
use futures_util::{Stream, StreamExt as _};
use tower::ServiceExt as _;

use super::Desk;

/// The events of an open stream.
struct Tap {
    body: Pin<Box<dyn Stream<Item = Result<bytes::Bytes, axum::Error>> + Send>>,
    rest: String,
}

impl Tap {
    async fn open(desk: &Desk, path: &str, last_id: Option<&str>) -> Self {
        let mut request = Request::get(path);
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        let response = desk.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: Box::pin(response.into_body().into_data_stream()), rest: String::new() }
    }

    /// The next event as `verb topic id @cursor`; `None` at the end.
    async fn next(&mut self) -> Option<String> {
        while !self.rest.contains("\n\n") {
            self.rest.push_str(std::str::from_utf8(&self.body.next().await?.unwrap()).unwrap());
        }
        let (event, rest) = self.rest.split_once("\n\n").map(|(e, r)| (e.to_owned(), r.to_owned())).unwrap();
        self.rest = rest;
        let field = |name: &str| event.lines().find_map(|l| l.strip_prefix(name)).map(str::trim);
        let data: serde_json::Value = serde_json::from_str(field("data:").unwrap()).unwrap();
        let text = |v: &serde_json::Value| v.as_str().unwrap_or("-").to_owned();
        let cursor = field("id:").unwrap_or("none");
        assert_eq!(data["record"].is_null(), !matches!(field("event:"), Some("add" | "update")), "{event}");
        Some(format!("{} {} {} @{cursor}", field("event:").unwrap(), text(&data["topic"]), text(&data["id"])))
    }

    async fn take(&mut self, n: usize) -> Vec<String> {
        let mut events = Vec::new();
        for _ in 0..n {
            events.push(self.next().await.unwrap());
        }
        events
    }

    /// Nothing comes for a while.
    async fn is_quiet(&mut self, millis: u64) -> bool {
        tokio::time::timeout(Duration::from_millis(millis), self.next()).await.is_err()
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_follower_gets_a_reset_and_everything() {
    let mut desk = Desk::new();
    desk.put("18/1", |_| {});
    desk.put("18/2", |_| {});
    desk.press("18/1", AlarmKind::Fire, |_| {});
    let mut tap = Tap::open(&desk, "/v1/stream", None).await;
    assert_eq!(
        tap.take(5).await,
        [
            "reset - - @none",
            "add alerts 20261123-1 @none",
            "add feeds native @none",
            "add vehicles 18/1 @none",
            "add vehicles 18/2 @e1-4",
        ]
    );
    assert!(tap.is_quiet(4_000).await);
    assert_eq!(tap.take(1).await, ["heartbeat - - @e1-4"]);
}

#[tokio::test(start_paused = true)]
async fn alarms_overtake_and_positions_are_gathered() {
    let mut desk = Desk::new();
    desk.put("18/1", |_| {});
    let mut tap = Tap::open(&desk, "/v1/stream?topics=vehicles,alerts,exceptions", None).await;
    assert_eq!(tap.take(2).await, ["reset - - @none", "add vehicles 18/1 @e1-2"]);
    // The first whole picture opened the interval: what comes within it is gathered, the newest of each.
    for delay in 0..5 {
        desk.put("18/1", |v| v.delay_s = Some(delay));
    }
    desk.put("18/2", |_| {});
    assert!(tap.is_quiet(200).await);
    let id = desk.press("18/1", AlarmKind::Fire, |_| {});
    assert_eq!(tap.take(1).await, [format!("add alerts {id} @e1-2")]);
    assert_eq!(tap.take(2).await, ["update vehicles 18/1 @e1-2", "add vehicles 18/2 @e1-9"]);
    desk.forget("18/2");
    assert_eq!(tap.take(1).await, ["remove vehicles 18/2 @e1-10"]);
    let order = alert::Order::Close { alert: id.clone(), reason: CloseReason::Resolved, comment: None };
    let actor = alert::Actor { by: "kim".to_owned(), desk: None, supervisor: false };
    desk.commit(&room::Input::Command(alert::Command { actor, request_id: "r1".to_owned(), order }));
    assert_eq!(tap.take(1).await, [format!("update alerts {id} @e1-10")]);
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_with_a_cursor_skips_nothing_and_needs_no_reset() {
    let mut desk = Desk::new();
    desk.put("18/1", |_| {});
    desk.put("18/2", |_| {});
    let mut tap = Tap::open(&desk, "/v1/stream", None).await;
    tap.take(4).await;
    drop(tap);
    tokio::time::advance(Duration::from_secs(3)).await;
    desk.put("18/2", |_| {});
    desk.forget("18/1");
    desk.press("18/2", AlarmKind::Fire, |_| {});
    let mut tap = Tap::open(&desk, "/v1/stream", Some("e1-3")).await;
    assert_eq!(
        tap.take(3).await,
        ["update alerts 20261123-1 @e1-3", "remove vehicles 18/1 @e1-3", "update vehicles 18/2 @e1-6"]
    );
    let mut tap = Tap::open(&desk, "/v1/stream?since=e1-6", None).await;
    assert!(tap.is_quiet(1_000).await);
}

#[tokio::test(start_paused = true)]
async fn a_cursor_of_another_life_or_beyond_the_ring_gets_a_reset() {
    let mut desk = Desk::new();
    desk.put("18/1", |_| {});
    desk.forget("18/1");
    desk.last.removed.clear();
    desk.last.removed_floor = 4;
    desk.pass(1);
    for id in ["e0-3", "e1-2", "e1-99", "rubbish"] {
        let mut tap = Tap::open(&desk, "/v1/stream?topics=vehicles", Some(id)).await;
        assert_eq!(tap.take(1).await[0].split(' ').next(), Some("reset"), "{id}");
    }
    assert_eq!(desk.get("/v1/changes?since=e1-2").await.status, 410);
    assert_eq!(desk.get("/v1/changes?since=e0-3").await.status, 410);
}

#[tokio::test(start_paused = true)]
async fn a_vehicle_that_leaves_the_filter_is_removed_and_others_make_no_noise() {
    let mut desk = Desk::new();
    desk.put("18/1", |_| {});
    desk.put("18/2", |v| v.journey.route_id = None);
    let mut tap = Tap::open(&desk, "/v1/stream?topics=vehicles&route_id=550", None).await;
    assert_eq!(tap.take(2).await, ["reset - - @none", "add vehicles 18/1 @e1-3"]);
    desk.put("18/2", |v| v.journey.route_id = None);
    desk.put("18/1", |v| v.journey.route_id = None);
    assert_eq!(tap.take(1).await, ["remove vehicles 18/1 @e1-5"]);
    desk.put("18/2", |_| {});
    assert_eq!(tap.take(1).await, ["add vehicles 18/2 @e1-6"]);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_comes_back_late_gets_the_newest_of_each() {
    let mut desk = Desk::new();
    desk.put("18/1", |_| {});
    let mut tap = Tap::open(&desk, "/v1/stream?topics=vehicles", None).await;
    tap.take(2).await;
    for n in 0..1_000 {
        desk.put("18/1", |v| v.delay_s = Some(n));
    }
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(tap.take(1).await, ["update vehicles 18/1 @e1-1002"]);
}

#[tokio::test(start_paused = true)]
async fn seats_are_counted_and_given_back_and_shutdown_ends_streams() {
    let desk = Desk::new();
    let mut taps = Vec::new();
    for _ in 0..8 {
        taps.push(Tap::open(&desk, "/v1/stream", None).await);
    }
    let ninth = desk.get("/v1/stream").await;
    assert!(ninth.problem().starts_with("503 no-seat"), "{}", ninth.text());
    assert!(ninth.header("retry-after").is_some());
    taps.pop();
    let mut tap = Tap::open(&desk, "/v1/stream", None).await;
    tap.take(2).await;
    desk.shutdown.cancel();
    assert_eq!(tap.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn changes_come_by_long_poll_with_the_next_cursor() {
    let mut desk = Desk::new();
    desk.put("18/1", |_| {});
    let all = desk.get("/v1/changes").await.json();
    assert_eq!(all["data"]["vehicles"]["upserts"][0]["id"], "18/1");
    assert_eq!(all["data"]["exceptions"], serde_json::json!({"upserts": [], "removed": []}));
    let next = all["meta"]["next"].as_str().unwrap().to_owned();
    assert_eq!(next, "e1-2");
    let router = desk.router.clone();
    let waiting = tokio::spawn(async move {
        let path = format!("/v1/changes?since={next}&wait=10&topics=vehicles");
        let response = router.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
        axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap()
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    desk.press("18/1", AlarmKind::Fire, |_| {});
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!waiting.is_finished());
    desk.forget("18/1");
    let json: serde_json::Value = serde_json::from_slice(&waiting.await.unwrap()).unwrap();
    assert_eq!(json["data"], serde_json::json!({"vehicles": {"upserts": [], "removed": ["18/1"]}}));
    assert_eq!(json["meta"]["next"], "e1-4");
}
