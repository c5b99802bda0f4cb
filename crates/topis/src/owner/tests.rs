//! The owner at a disk that hangs or is full: what people see, what senders are told, and what happens when it is back.

use std::sync::mpsc::{Receiver, Sender, channel};

use alert::{Actor, Command};
use api::Snapshot;
use ingest::{EmergencyLane, Frame, OutboxConfig};
use journal::{Checksum, Reader, RecordLog, SnapshotFiles, SqliteLog, Tail};
use room::RoomOptions;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::*;

/// What the disk does with the next writing.
enum Disk {
    Writes,
    IsFull,
}

/// A real journal on a disk that does nothing until it is told.
struct SlowDisk {
    journal: SqliteLog,
    orders: Receiver<Disk>,
}

impl SlowDisk {
    fn obey(&self) -> Result<(), AppendError> {
        match self.orders.recv() {
            Ok(Disk::Writes) => Ok(()),
            // The test is over, or wants it so.
            Ok(Disk::IsFull) | Err(_) => Err(AppendError::Full(journal::DatabaseError::InvalidQuery)),
        }
    }
}

impl RecordLog for SlowDisk {
    fn append(&mut self, expected_seq: u64, records: &[Record]) -> Result<u64, AppendError> {
        self.obey()?;
        self.journal.append(expected_seq, records)
    }

    fn probe(&mut self) -> Result<(), AppendError> {
        self.obey()?;
        self.journal.probe()
    }

    fn tail(&mut self, from_seq: u64, each: &mut Reader<'_>) -> Result<Tail, journal::ReadError> {
        self.journal.tail(from_seq, each)
    }

    fn checksum(&mut self, seq: u64) -> Result<Option<Checksum>, journal::ReadError> {
        self.journal.checksum(seq)
    }

    fn prune(&mut self, through_seq: u64, before_ms: i64) -> Result<usize, AppendError> {
        self.journal.prune(through_seq, before_ms)
    }

    fn last_seq(&mut self) -> Result<u64, journal::ReadError> {
        self.journal.last_seq()
    }

    fn find_key(&mut self, key: &str) -> Result<Option<u64>, journal::ReadError> {
        self.journal.find_key(key)
    }
}

fn is_call(_topic: &str, payload: &[u8]) -> bool {
    payload == CALL
}

const CALL: &[u8] = br#"{"kind":"call_request"}"#;
const PRESS: &[u8] = br#"{"kind":"fire"}"#;

fn alarm(vehicle: &str, payload: &'static [u8]) -> Frame {
    Frame {
        topic: format!("topis/v1/vehicle/22/{vehicle}/alarm").into(),
        payload: bytes::Bytes::from_static(payload),
        qos: 1,
        retained: false,
        dup: false,
        received_at: Clock::wall().now().utc,
    }
}

fn acknowledge(alert: &alert::AlertId) -> Command {
    let actor = Actor { by: "kim".to_owned(), ..Actor::default() };
    let order = Order::Acknowledge { alert: alert.clone(), seen: None, comment: None };
    Command { request_id: order.default_request_id("kim"), actor, order }
}

/// A running owner and everything around it.
struct Desk {
    disk: Sender<Disk>,
    lane: EmergencyLane,
    orders: mpsc::Sender<PendingCommand>,
    board: Arc<Board>,
    stop: CancellationToken,
    running: tokio::task::JoinHandle<anyhow::Result<()>>,
    _found: mpsc::Sender<Vec<Finding>>,
    _folder: TempDir,
}

impl Desk {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (disk, orders) = channel();
        let journal = SlowDisk { journal: SqliteLog::open(&folder.path().join("journal.db")).unwrap(), orders };
        let (clock, stop) = (Clock::wall(), CancellationToken::new());
        let room = ControlRoom::new(RoomOptions::default());
        let board = Arc::new(Board::new("e", room.clone(), api::Guide::default(), clock.name(), clock.now()));
        let url = ingest::BrokerUrl { host: "127.0.0.1".to_owned(), port: 1, login: None };
        let outbox = OutboxConfig { url, client_id: "out".to_owned(), capacity: 10, seed: 1 };
        let owner = Owner {
            recorded: watch::Sender::new(room.clone()),
            poison: Poison::default(),
            room,
            scribe: Scribe::start(Box::new(journal), SnapshotFiles::beside(&folder.path().join("journal.db")), 0)
                .unwrap(),
            feeds: Arc::new(Feeds::new("topis", Feeds::defaults()).unwrap()),
            ledger: Arc::new(Ledger::default()),
            board: Arc::clone(&board),
            outbox: Outbox::new(outbox, clock.reader()).0,
            prefix: "topis".to_owned(),
            looked: clock.now(),
            clock,
            keep_ms: i64::MAX,
            kept_seq: 0,
            kept_at_mono_ms: 0,
            keeping: None,
            trouble: None,
        };
        let (lane, emergencies) = EmergencyLane::new(16, Arc::new(is_call));
        let (orders, commands) = mpsc::channel(16);
        let (found, findings) = mpsc::channel(1);
        let doors = Doors { emergencies, commands, findings, stop: stop.clone() };
        let running = tokio::spawn(owner.run(doors, Vec::new()));
        Self { disk, lane, orders, board, stop, running, _found: found, _folder: folder }
    }

    /// A driver presses; nobody waits for the confirmation.
    fn press(&self, vehicle: &str) {
        self.lane.divert(alarm(vehicle, PRESS));
    }

    /// Waits until readers see what they should.
    async fn see(&self, what: &str, is_so: impl Fn(&Snapshot) -> bool) {
        let published = self.board.published();
        let mut bell = published.bell();
        let seen = async {
            while !is_so(&published.load()) {
                bell.changed().await.expect("the board is there");
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(20), seen).await;
        assert!(in_time.is_ok(), "never seen: {what}: {:?}", published.load().degraded);
    }

    async fn order(&self, alert: &Alert) -> oneshot::Receiver<CommandAnswer> {
        let (answer, answered) = oneshot::channel();
        let command = acknowledge(&alert.id);
        assert!(self.orders.send(PendingCommand { command, answer }).await.is_ok());
        answered
    }

    async fn close(self) {
        self.stop.cancel();
        self.running.await.unwrap().unwrap();
    }
}

/// Vehicles with an alert, and whether it is on disk.
fn alerts(snapshot: &Snapshot) -> Vec<(String, bool)> {
    snapshot.room.alerts().map(|alert| (alert.subject.to_string(), alert.durable)).collect()
}

fn trouble(snapshot: &Snapshot) -> Option<&str> {
    snapshot.degraded.first().map(|degraded| degraded.code.as_str())
}

fn all(vehicles: &[&str], durable: bool) -> Vec<(String, bool)> {
    vehicles.iter().map(|vehicle| (format!("vehicle:22/{vehicle}"), durable)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_hangs_hides_no_alarm_and_takes_no_order() {
    let desk = Desk::open();
    desk.press("1");
    desk.see("the alarm that the disk holds up", |s| alerts(s) == all(&["1"], false)).await;
    desk.see("and why", |s| trouble(s) == Some("journal_hangs")).await;
    desk.press("2");
    desk.see("what came after it", |s| alerts(s) == all(&["1", "2"], false)).await;
    let first = desk.board.published().load().room.alerts().next().unwrap().clone();
    let answer = desk.order(&first).await.await.unwrap();
    assert!(matches!(answer, CommandAnswer::NotSaved { full: false }), "{answer:?}");

    desk.disk.send(Disk::Writes).unwrap();
    desk.disk.send(Disk::Writes).unwrap();
    desk.see("both on disk", |s| alerts(s) == all(&["1", "2"], true) && trouble(s).is_none()).await;
    desk.disk.send(Disk::Writes).unwrap();
    let answer = desk.order(&first).await.await.unwrap();
    assert!(matches!(answer, CommandAnswer::Decided { verdict: Verdict::Done(_), .. }), "{answer:?}");
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_shows_every_alarm_and_records_them_all_when_it_has_room() {
    let desk = Desk::open();
    desk.disk.send(Disk::IsFull).unwrap();
    desk.press("1");
    desk.see("the first", |s| alerts(s) == all(&["1"], false) && trouble(s) == Some("journal_full")).await;
    desk.press("2");
    desk.press("3");
    desk.see("the others", |s| alerts(s) == all(&["1", "2", "3"], false)).await;
    let first = desk.board.published().load().room.alerts().next().unwrap().clone();
    let answer = desk.order(&first).await.await.unwrap();
    assert!(matches!(answer, CommandAnswer::NotSaved { full: true }), "{answer:?}");
    desk.disk.send(Disk::Writes).unwrap();
    desk.see("all on disk", |s| alerts(s) == all(&["1", "2", "3"], true) && trouble(s).is_none()).await;
    desk.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_told_to_stop_at_a_hanging_disk_stops_and_promises_nothing() {
    let desk = Desk::open();
    desk.press("1");
    desk.see("that it hangs", |s| trouble(s) == Some("journal_hangs")).await;
    let disk = desk.disk.clone();
    desk.close().await;
    drop(disk); // it hung until now
}

#[tokio::test]
async fn no_storm_at_one_door_holds_up_the_others_and_presses_come_first() {
    let (lane, emergencies) = EmergencyLane::new(1_000, Arc::new(is_call));
    let (orders, commands) = mpsc::channel(1_000);
    let (found, findings) = mpsc::channel(100);
    let mut doors = Doors { emergencies, commands, findings, stop: CancellationToken::new() };
    for n in 0..600 {
        lane.divert(alarm(&n.to_string(), CALL));
    }
    for n in 0..300 {
        lane.divert(alarm(&n.to_string(), PRESS));
        let command = acknowledge(&alert::AlertId::find("20261126-1").unwrap());
        assert!(orders.try_send(PendingCommand { command, answer: oneshot::channel().0 }).is_ok());
    }
    for _ in 0..20 {
        assert!(found.try_send(Vec::new()).is_ok());
    }
    let mut counts = Vec::new();
    for waiting in [0, 0, WAITING_MAX, WAITING_WITH_PRESSES_MAX] {
        let batch = next_batch(&mut doors, waiting, Instant::now() + RETRY).await.unwrap();
        let kinds: Vec<&str> = batch
            .iter()
            .map(|work| match work {
                Work::Emergency(emergency) if emergency.frame.payload == PRESS => "press",
                Work::Emergency(_) => "call",
                Work::Command(_) => "order",
                Work::Findings(_) => "found",
            })
            .collect();
        let mut order = kinds.clone();
        order.dedup();
        counts.push(order.iter().map(|kind| (*kind, kinds.iter().filter(|k| k == &kind).count())).collect::<Vec<_>>());
    }
    assert_eq!(
        counts,
        [
            vec![("press", 257), ("order", 256), ("found", 8), ("call", 256)],
            vec![("press", 43), ("order", 44), ("found", 8), ("call", 256)],
            // What may wait finds no more room.
            vec![],
            vec![],
        ]
    );
}

#[test]
fn no_source_speaks_under_the_operators_name() {
    let feeds = Feeds::new("topis", Feeds::defaults()).unwrap();
    let read = |topic: &str, payload: &[u8]| {
        let received_at = Clock::wall().now().utc;
        let frame = decode::Frame { topic, payload, retained: false, dup: false, received_at };
        let mut decoded = feeds.decode(&frame);
        keep_to_operators(&mut decoded);
        (decoded.messages.len(), decoded.problems.iter().any(|problem| problem.detail.contains("under your own name")))
    };
    let body = br#"{"kind":"fire","lat":37.5,"lon":127.0}"#;
    assert_eq!(read("topis/v1/incident/operator/1", body), (0, true));
    assert_eq!(read("topis/v1/incident/operator/1", b""), (0, true), "nor ends what is theirs");
    assert_eq!(read("topis/v1/incident/police/1", body), (1, false));
    let cancel = b"<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>x</identifier>\
        <sender>operator</sender><sent>2026-11-26T10:00:00+00:00</sent><status>Actual</status>\
        <msgType>Cancel</msgType><scope>Public</scope>\
        <references>operator,1,2026-11-26T09:00:00+00:00</references></alert>";
    assert_eq!(read("topis/v1/cap/kma", cancel), (0, true));
}
