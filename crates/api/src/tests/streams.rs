//! The stream and the poll of changes.

use std::{collections::BTreeMap, pin::Pin, sync::Arc, time::Duration};

use alert::{AlarmKind, CloseReason};
use axum::{
    body::Body,
    http::{Method, Request},
};
use futures_util::{Stream, StreamExt as _};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use transit::Status;

use super::{
    Desk,
    access::{ask, with_tokens},
};
use crate::exceptions::tests::silent;

/// The events of an open stream.
struct Tap {
    body: Pin<Box<dyn Stream<Item = Result<bytes::Bytes, axum::Error>> + Send>>,
    rest: String,
}

impl Tap {
    async fn open(desk: &Desk, path: &str, last_id: Option<&str>) -> Self {
        Self::asked_for(desk, Request::get(path), last_id).await
    }

    /// The alerts as a viewer follows them.
    async fn at_the_wall(desk: &Desk, last_id: Option<&str>) -> Self {
        let request = Request::get("/v1/stream?topics=alerts").header("authorization", "Bearer wall-token");
        Self::asked_for(desk, request, last_id).await
    }

    async fn asked_for(desk: &Desk, mut request: axum::http::request::Builder, last_id: Option<&str>) -> Self {
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
        let (verb, cursor, data) = self.next_raw().await?;
        let text = |v: &Value| v.as_str().unwrap_or("-").to_owned();
        Some(format!("{verb} {} {} @{cursor}", text(&data["topic"]), text(&data["id"])))
    }

    /// The next event as verb, cursor and data.
    async fn next_raw(&mut self) -> Option<(String, String, Value)> {
        while !self.rest.contains("\n\n") {
            self.rest.push_str(std::str::from_utf8(&self.body.next().await?.unwrap()).unwrap());
        }
        let (event, rest) = self.rest.split_once("\n\n").map(|(e, r)| (e.to_owned(), r.to_owned())).unwrap();
        self.rest = rest;
        let field = |name: &str| event.lines().find_map(|l| l.strip_prefix(name)).map(str::trim);
        let data: Value = serde_json::from_str(field("data:").unwrap()).unwrap();
        assert_eq!(data["record"].is_null(), !matches!(field("event:"), Some("add" | "update")), "{event}");
        Some((field("event:").unwrap().to_owned(), field("id:").unwrap_or("none").to_owned(), data))
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
    let order = alert::Order::Close { alert: id.clone(), reason: CloseReason::Resolved, seen: None, comment: None };
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

#[tokio::test(start_paused = true)]
async fn exceptions_come_change_and_go_for_who_streams_and_who_polls() {
    let mut desk = Desk::new();
    desk.note(vec![silent("18/1", 200)]);
    let mut tap = Tap::open(&desk, "/v1/stream?topics=exceptions", None).await;
    assert_eq!(tap.take(2).await, ["reset - - @none", "add exceptions VEH.SILENT:vehicle:18/1 @e1-2"]);
    desk.note(vec![silent("18/1", 200), silent("18/2", 200)]);
    assert_eq!(tap.take(1).await, ["add exceptions VEH.SILENT:vehicle:18/2 @e1-3"]);
    desk.note(vec![silent("18/1", 400), silent("18/2", 200)]);
    assert_eq!(tap.take(1).await, ["update exceptions VEH.SILENT:vehicle:18/1 @e1-4"]);
    // What came and went between two looks is no news.
    desk.note(vec![silent("18/1", 400), silent("18/2", 200), silent("18/3", 200)]);
    desk.note(vec![silent("18/2", 200)]);
    assert_eq!(tap.take(1).await, ["remove exceptions VEH.SILENT:vehicle:18/1 @e1-6"]);
    drop(tap);
    let mut tap = Tap::open(&desk, "/v1/stream?topics=exceptions", Some("e1-3")).await;
    let (verb, _, data) = tap.next_raw().await.unwrap();
    assert_eq!(
        (verb.as_str(), &data["id"], &data["revision"]),
        ("remove", &json!("VEH.SILENT:vehicle:18/3"), &json!(6))
    );
    assert_eq!(tap.take(1).await, ["remove exceptions VEH.SILENT:vehicle:18/1 @e1-6"]);

    let polled = desk.get("/v1/changes?since=e1-2&topics=exceptions").await.json()["data"]["exceptions"].clone();
    assert_eq!(polled["upserts"], desk.get("/v1/exceptions").await.json()["data"]);
    assert_eq!(polled["removed"], json!(["VEH.SILENT:vehicle:18/3", "VEH.SILENT:vehicle:18/1"]));
    let router = desk.router.clone();
    let waiting = tokio::spawn(async move {
        let request = Request::get("/v1/changes?since=e1-6&wait=10&topics=exceptions").body(Body::empty()).unwrap();
        axum::body::to_bytes(router.oneshot(request).await.unwrap().into_body(), 1 << 20).await.unwrap()
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!waiting.is_finished());
    desk.note(Vec::new());
    let woken: Value = serde_json::from_slice(&waiting.await.unwrap()).unwrap();
    let expected = json!({"upserts": [], "removed": ["VEH.SILENT:vehicle:18/2"]});
    assert_eq!((&woken["data"]["exceptions"], &woken["meta"]["next"]), (&expected, &json!("e1-7")));
}

#[tokio::test(start_paused = true)]
async fn a_cursor_from_before_the_exceptions_that_are_kept_is_told_so() {
    let mut desk = Desk::new();
    desk.note((0..20_001).map(|n| silent(&format!("18/{n}"), 1)).collect());
    desk.note(Vec::new());
    assert_eq!(desk.get("/v1/changes?since=e1-2&topics=exceptions").await.status, 410);
    assert_eq!(desk.get("/v1/changes?since=e1-2&topics=vehicles").await.status, 200, "others are not concerned");
    assert_eq!(desk.get("/v1/changes?since=e1-3&topics=exceptions").await.status, 200);
    let mut tap = Tap::open(&desk, "/v1/stream?topics=exceptions", Some("e1-2")).await;
    assert_eq!(tap.take(1).await, ["reset - - @none"]);
}

#[tokio::test(start_paused = true)]
async fn an_alert_that_becomes_covert_is_gone_for_viewers_and_nothing_is_said_of_it_later() {
    let mut desk = with_tokens();
    let id = desk.press("18/1", AlarmKind::Fire, |_| {});
    let mut wall = Tap::at_the_wall(&desk, None).await;
    assert_eq!(wall.take(2).await, ["reset - - @none".to_owned(), format!("add alerts {id} @none")]);
    let kims = Request::get("/v1/stream?topics=alerts").header("authorization", "Bearer kim-token");
    let mut kim = Tap::asked_for(&desk, kims, None).await;
    kim.take(2).await;
    assert!(wall.is_quiet(500).await && kim.is_quiet(500).await);

    assert_eq!(desk.press("18/1", AlarmKind::Fire, |r| r.covert = Some(true)), id);
    let (verb, _, data) = wall.next_raw().await.unwrap();
    let expected = json!({
        "topic": "alerts", "id": id.to_string(), "revision": 3, "record": null, "as_of": "2026-11-23T08:00:00.000Z"
    });
    assert_eq!((verb.as_str(), data), ("remove", expected));
    assert_eq!(kim.take(1).await, [format!("update alerts {id} @e1-2")]);

    let mut late = Tap::at_the_wall(&desk, None).await;
    assert_eq!(late.take(1).await, ["reset - - @none"]);
    assert!(late.is_quiet(500).await);
    let order = alert::Order::Close { alert: id, reason: CloseReason::Resolved, seen: None, comment: None };
    let actor = alert::Actor { by: "kim".to_owned(), desk: None, supervisor: false };
    desk.commit(&room::Input::Command(alert::Command { actor, request_id: "r1".to_owned(), order }));
    assert!(wall.is_quiet(500).await && late.is_quiet(500).await);
    assert_eq!(kim.next_raw().await.unwrap().0, "update");
}

#[tokio::test(start_paused = true)]
async fn who_was_shown_an_alert_before_a_cut_hears_that_it_is_gone_whenever_that_is() {
    let mut desk = with_tokens();
    let id = desk.press("18/1", AlarmKind::Fire, |_| {});
    let mut back_before = Tap::at_the_wall(&desk, Some("e1-2")).await;
    let other = desk.press("18/2", AlarmKind::Fire, |_| {});
    assert_eq!(back_before.take(1).await, [format!("update alerts {other} @e1-2")]);
    // From here on it is not guessed any more what the reader has.
    assert!(back_before.is_quiet(500).await);
    desk.press("18/1", AlarmKind::Fire, |r| r.covert = Some(true));
    assert_eq!(back_before.take(1).await, [format!("remove alerts {id} @e1-3")]);
    let mut back_after = Tap::at_the_wall(&desk, Some("e1-2")).await;
    assert_eq!(back_after.take(2).await, [format!("update alerts {other} @e1-2"), format!("remove alerts {id} @e1-2")]);
    assert!(back_before.is_quiet(500).await && back_after.is_quiet(500).await);
    let mut knows = Tap::at_the_wall(&desk, Some("e1-4")).await;
    assert!(knows.is_quiet(500).await);
}

#[tokio::test(start_paused = true)]
async fn an_alert_that_is_hidden_while_it_waits_to_be_sent_does_not_stay() {
    let mut desk = with_tokens();
    let mut wall = Tap::at_the_wall(&desk, None).await;
    wall.take(1).await;
    assert!(wall.is_quiet(500).await);
    let sent = desk.press("18/1", AlarmKind::Fire, |_| {});
    let waits = desk.press("18/2", AlarmKind::Fire, |_| {});
    assert_eq!(wall.take(1).await, [format!("add alerts {sent} @e1-1")]);
    desk.press("18/2", AlarmKind::Fire, |r| r.covert = Some(true));
    assert_eq!(wall.take(2).await, [format!("add alerts {waits} @e1-1"), format!("remove alerts {waits} @e1-1")]);
}

#[tokio::test(start_paused = true)]
async fn who_polls_hears_of_an_alert_that_became_covert_that_it_is_gone_and_of_no_other() {
    let mut desk = with_tokens();
    let id = desk.press("18/1", AlarmKind::Fire, |_| {});
    desk.press("18/1", AlarmKind::Fire, |r| r.covert = Some(true));
    for _ in 0..2 {
        desk.press("18/2", AlarmKind::Panic, |r| r.covert = Some(true));
    }
    for covert in [false, true] {
        desk.press("18/3", AlarmKind::Fire, |r| (r.status, r.covert) = (Status::Test, Some(covert)));
    }
    let nothing = json!([]);
    for (since, removed) in [("?since=e1-2&", json!([id.to_string()])), ("?since=e1-3&", json!([])), ("?", json!([]))] {
        let path = format!("/v1/changes{since}topics=alerts");
        let wall = ask(&desk, Method::GET, &path, Some("wall-token")).await;
        let seen = wall.json()["data"]["alerts"].clone();
        assert_eq!((&seen["removed"], &seen["upserts"]), (&removed, &nothing), "{path}");
        assert!(!wall.text().contains("covert"), "{}", wall.text());
        let kim = ask(&desk, Method::GET, &path, Some("kim-token")).await.json()["data"]["alerts"].clone();
        assert_eq!(kim["removed"], nothing, "{path}");
    }
    let kim = ask(&desk, Method::GET, "/v1/changes?since=e1-2&topics=alerts", Some("kim-token")).await.json();
    assert_eq!(kim["data"]["alerts"]["upserts"].as_array().unwrap().len(), 2, "{kim:#}");
    let listed = ask(&desk, Method::GET, "/v1/alerts?since=e1-2", Some("wall-token")).await;
    assert_eq!(listed.ids(), Vec::<String>::new());
}

/// Numbers from a seed, the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// What a follower has of a topic: records by id.
type Kept = BTreeMap<String, Value>;

fn id_of(record: &Value) -> String {
    record["id"].as_str().unwrap().to_owned()
}

/// Brings what a poller has up to date.
async fn poll(desk: &Desk, since: &mut String, kept: &mut Kept) {
    let path = format!("/v1/changes?since={since}&topics=exceptions");
    let answer = desk.get(&path).await.json();
    for record in answer["data"]["exceptions"]["upserts"].as_array().unwrap() {
        kept.insert(id_of(record), record.clone());
    }
    for id in answer["data"]["exceptions"]["removed"].as_array().unwrap() {
        kept.remove(id.as_str().unwrap());
    }
    answer["meta"]["next"].as_str().unwrap().clone_into(since);
}

/// Brings what a reader of the stream has up to date: everything until it is quiet.
async fn drain(tap: &mut Tap, kept: &mut Kept) {
    while let Ok(Some((verb, _, data))) = tokio::time::timeout(Duration::from_secs(1), tap.next_raw()).await {
        match verb.as_str() {
            "reset" => kept.clear(),
            "add" | "update" => drop(kept.insert(id_of(&data["record"]), data["record"].clone())),
            "remove" => drop(kept.remove(data["id"].as_str().unwrap())),
            _ => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_follows_has_the_list_however_seldom_they_look() {
    for seed in 1..=20 {
        let (mut dice, mut desk) = (Dice(seed), Desk::new());
        let mut now: BTreeMap<u64, Arc<detect::Exception>> = BTreeMap::new();
        let (mut since, mut polled, mut streamed) = ("e1-1".to_owned(), Kept::new(), Kept::new());
        let mut tap = Tap::open(&desk, "/v1/stream?topics=exceptions", None).await;
        for step in 0..60 {
            for _ in 0..dice.below(4) {
                let vehicle = dice.below(6);
                match dice.below(3) {
                    0 => drop(now.remove(&vehicle)),
                    _ => drop(now.insert(vehicle, silent(&format!("18/{vehicle}"), 200 + step))),
                }
            }
            // An answer that stands still is refused, and quiet streams take their time.
            desk.pass(1_000);
            desk.note(now.values().cloned().collect());
            if dice.below(5) == 0 {
                desk.put("18/1", |_| {});
            }
            let listed = desk.get("/v1/exceptions").await.json()["data"].clone();
            let listed: Kept = listed.as_array().unwrap().iter().map(|e| (id_of(e), e.clone())).collect();
            if dice.below(3) == 0 {
                poll(&desk, &mut since, &mut polled).await;
                assert_eq!(polled, listed, "polled, seed {seed}, step {step}");
            }
            if dice.below(4) == 0 {
                drain(&mut tap, &mut streamed).await;
                assert_eq!(streamed, listed, "streamed, seed {seed}, step {step}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_came_back_is_told_to_remove_what_only_they_know_they_have_once() {
    let mut desk = Desk::new();
    desk.put("18/1", |_| {});
    desk.put("18/2", |_| {});
    // Nothing of these changes before the reader is up to date.
    let mut tap = Tap::open(&desk, "/v1/stream?topics=vehicles&route_id=550", Some("e1-3")).await;
    desk.put("18/2", |_| {});
    assert_eq!(tap.take(1).await, ["update vehicles 18/2 @e1-4"]);
    desk.put("18/1", |v| v.journey.route_id = None);
    assert_eq!(tap.take(1).await, ["remove vehicles 18/1 @e1-5"]);
    desk.put("18/1", |v| v.journey.route_id = None);
    desk.put("18/2", |v| v.journey.route_id = None);
    assert_eq!(tap.take(1).await, ["remove vehicles 18/2 @e1-7"]);
}
