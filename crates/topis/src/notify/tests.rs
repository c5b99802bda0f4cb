//! An endpoint whose receiver is not there.

use std::time::{Duration, Instant};

use alert::{Actor, AlarmKind, CloseReason, Command, FindingVerdict, OperatorAlert, Order, Subject};
use room::{Input, RoomOptions};
use rustls::RootCertStore;
use tempfile::TempDir;
use transit::{Status, VehicleKey};
use url::Url;

use super::{pace::Failing, *};
use crate::{
    board::Board,
    config::{Wanted, WebhookConfig},
};

/// The service has run for this long.
const UP: Duration = Duration::from_secs(3_600);

fn order(room: &mut ControlRoom, request_id: &str, order: Order, clock: &Clock) {
    let (request_id, actor) = (request_id.to_owned(), Actor { by: "kim".to_owned(), ..Actor::default() });
    for change in room.decide(&Input::Command(Command { request_id, actor, order }), clock.now()).changes {
        room.apply(&change);
    }
}

/// A room in which so many alerts were raised and closed.
fn room_after(alerts: u64, options: RoomOptions, clock: &Clock) -> ControlRoom {
    let mut room = ControlRoom::new(options);
    for number in 0..alerts {
        let said = OperatorAlert {
            subject: Subject::Vehicle(VehicleKey::parse(&format!("22/{number}")).unwrap()),
            kind: AlarmKind::Fire,
            priority: None,
            status: Status::Actual,
            covert: Some(false),
            lat: None,
            lon: None,
            text: None,
            expires_at: None,
        };
        order(&mut room, &format!("r{number}"), Order::Raise(Box::new(said)), clock);
        let alert = room.alerts().last().unwrap().id.clone();
        let close = Order::Close { alert, reason: CloseReason::Resolved, seen: None, comment: None };
        order(&mut room, &format!("c{number}"), close, clock);
    }
    room
}

/// The first findings of an endpoint to nobody that has been told nothing yet, as text, and where its cursor stands.
async fn told(room: ControlRoom, clock: Clock, failing: Option<Failing>) -> (Vec<String>, u64) {
    let folder = TempDir::new().unwrap();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let webhook = WebhookConfig {
        id: "pager".to_owned(),
        url: Url::parse(&format!("http://{nobody}/")).unwrap(),
        secret: None,
        wanted: Wanted { priorities: Vec::new(), classes: Vec::new(), statuses: vec![Status::Actual] },
        timeout: Duration::from_secs(5),
        give_up_after_ms: -1,
    };
    let board = Board::new("e", room.clone(), api::Guide::default(), clock.name(), clock.now());
    let recorded = watch::Sender::new(room);
    let (findings, mut found) = mpsc::channel(1);
    let endpoint = Endpoint {
        source: Arc::from("urn:topis:test"),
        recorded: recorded.subscribe(),
        published: board.published(),
        findings,
        courier: Courier::new(&webhook, false, RootCertStore::empty()).unwrap(),
        cursor: Cursor::open(folder.path(), "pager", 0).unwrap(),
        standing: Arc::new(Standing::new("pager")),
        clock,
        failing,
        retry_at: None,
        parcel: None,
        given_up: Recurrence::new(SYS_NOTIFY, subject_of("pager")),
        webhook,
    };
    let stop = CancellationToken::new();
    let running = tokio::spawn(endpoint.run(stop.clone()));
    let told = tokio::time::timeout(Duration::from_secs(20), found.recv()).await.unwrap().unwrap();
    assert_eq!(told.iter().map(|f| f.verdict).collect::<Vec<_>>(), [FindingVerdict::Raised, FindingVerdict::Cleared]);
    stop.cancel();
    running.await.unwrap();
    let figures = &told[0].evidence.figures;
    let texts = ["count", "host", "reason"].map(|name| figures[name].clone());
    (texts.to_vec(), Cursor::open(folder.path(), "pager", 1_000).unwrap().seq())
}

fn up_for_an_hour() -> Clock {
    Clock::Wall { origin: Instant::now().checked_sub(UP).unwrap() }
}

#[tokio::test]
async fn what_nobody_takes_is_given_up_in_the_end_and_told_to_a_person() {
    let clock = up_for_an_hour();
    let room = room_after(3, RoomOptions::default(), &clock);
    let mut since = clock.now();
    since.mono_ms = 0;
    let failing = Failing::again(None, "before".to_owned(), since);
    let (texts, cursor) = told(room, clock, Some(failing)).await;
    assert_eq!((texts[0].as_str(), texts[1].as_str(), cursor), ("3", "127.0.0.1", 6));
    assert!(texts[2].contains("refused"), "{texts:?}");
}

#[tokio::test]
async fn what_has_left_memory_before_it_was_told_is_given_up_too() {
    let clock = up_for_an_hour();
    let room = room_after(3, RoomOptions { closed_max: 1, ..RoomOptions::default() }, &clock);
    let (texts, cursor) = told(room, clock, None).await;
    assert_eq!((texts[0].as_str(), texts[2].as_str()), ("1", "changes up to record 4 have left memory"));
    assert!(cursor < 6, "what is left is still to be told");
}
