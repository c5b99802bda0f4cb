//! Starts from snapshots, without them, and from those that are not this journal's.

use std::path::Path;

use alert::{AlertClass, Evidence, Finding, FindingVerdict, Priority, Subject};
use journal::{Record, SqliteLog};
use room::Input;
use tempfile::TempDir;
use transit::{Now, UtcMillis};

use super::*;

/// A journal with a story in it.
pub(crate) struct Story {
    pub(crate) folder: TempDir,
    pub(crate) room: ControlRoom,
}

fn finding(n: u64) -> Input {
    Input::Finding(Box::new(Finding {
        rule: "FEED.SILENT".to_owned(),
        subject: Subject::System(format!("part {n}")),
        status: transit::Status::Actual,
        verdict: FindingVerdict::Raised,
        class: AlertClass::System,
        priority: Priority::P3,
        latched: false,
        evidence: Evidence::default(),
        parents: Vec::new(),
    }))
}

impl Story {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), room: ControlRoom::new(RoomOptions::default()) }
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("journal.db")
    }

    pub(crate) fn go_on(&mut self, numbers: std::ops::Range<u64>) {
        let mut journal = SqliteLog::open(&self.path()).unwrap();
        for n in numbers {
            self.step(&mut journal, n);
        }
    }

    fn step(&mut self, journal: &mut SqliteLog, n: u64) {
        let at = i64::try_from(n).unwrap() * 1_000;
        let now = Now { utc: UtcMillis(1_795_000_000_000 + at), mono_ms: n * 1_000 };
        let before = self.room.seq();
        let decision = self.room.decide(&finding(n), now);
        let record = |change| Record { body: room::encode(change), key: None, at_ms: now.utc.0 };
        let records: Vec<_> = decision.changes.iter().map(record).collect();
        journal.append(before, &records).unwrap();
        decision.changes.iter().for_each(|change| self.room.apply(change));
    }

    pub(crate) fn keep(&self) {
        self.keep_as(self.room.seq());
    }

    /// Keeps the room as if it followed record `seq`.
    pub(crate) fn keep_as(&self, seq: u64) {
        let mut journal = SqliteLog::open(&self.path()).unwrap();
        let checksum = journal.checksum(seq).unwrap().unwrap();
        let snapshot = Snapshot { seq, checksum, body: room::encode_snapshot(&self.room) };
        SnapshotFiles::beside(&self.path()).save(&snapshot).unwrap();
    }
}

fn start(path: &Path) -> Restored {
    let mut journal = SqliteLog::open(path).unwrap();
    restore(&mut journal, &SnapshotFiles::beside(path), &RoomOptions::default()).unwrap()
}

fn same(restored: &Restored, story: &Story) {
    assert_eq!(room::encode_snapshot(&restored.room), room::encode_snapshot(&story.room));
}

#[test]
fn a_start_replays_only_what_came_after_the_snapshot_and_ends_in_the_same_room() {
    let mut story = Story::new();
    story.go_on(0..20);
    let whole = start(&story.path());
    assert_eq!((whole.snapshot_seq, whole.replayed), (0, story.room.seq()));
    same(&whole, &story);
    story.keep();
    let kept = story.room.seq();
    story.go_on(20..30);
    let restored = start(&story.path());
    assert_eq!((restored.snapshot_seq, restored.replayed), (kept, story.room.seq() - kept));
    same(&restored, &story);
}

#[test]
fn a_damaged_snapshot_or_one_of_another_journal_only_costs_a_longer_replay() {
    let mut story = Story::new();
    story.go_on(0..10);
    story.keep();
    let snapshot = story.folder.path().join("journal.db.snapshot");
    let mut bytes = std::fs::read(&snapshot).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&snapshot, &bytes).unwrap();
    let restored = start(&story.path());
    assert_eq!(restored.snapshot_seq, 0);
    same(&restored, &story);

    let mut other = Story::new();
    other.go_on(100..110);
    other.keep();
    std::fs::copy(other.folder.path().join("journal.db.snapshot"), &snapshot).unwrap();
    let restored = start(&story.path());
    assert_eq!(restored.snapshot_seq, 0);
    same(&restored, &story);
}

#[test]
fn records_that_a_snapshot_stands_for_may_be_forgotten() {
    let mut story = Story::new();
    story.go_on(0..10);
    story.keep();
    story.go_on(10..15);
    let pruned = SqliteLog::open(&story.path()).unwrap().prune(story.room.seq() - 6, i64::MAX).unwrap();
    assert!(pruned > 0);
    same(&start(&story.path()), &story);
}

#[test]
fn a_damaged_record_is_passed_over_and_named() {
    let mut story = Story::new();
    story.go_on(0..5);
    let connection = rusqlite::Connection::open(story.path()).unwrap();
    connection.execute("UPDATE record SET body = x'00' WHERE seq = 3", []).unwrap();
    drop(connection);
    let restored = start(&story.path());
    assert_eq!((restored.set_aside, restored.room.seq()), (vec![3], story.room.seq()));
    assert!(start(&story.path()).set_aside.is_empty(), "said once");
}

/// The journal's own tests cut at every byte and look at the records; here a few hundred cuts look at the room.
#[test]
fn wherever_the_write_ahead_log_is_cut_the_room_is_as_it_was_after_a_whole_decision() {
    let mut story = Story::new();
    let path = story.path();
    let wal = path.with_extension("db-wal");
    let mut journal = SqliteLog::open(&path).unwrap();
    let length = || usize::try_from(std::fs::metadata(&wal).unwrap().len()).unwrap();
    let mut rooms = vec![(length(), room::encode_snapshot(&story.room))];
    // From the fifth on one decision is several records: the burst is folded into one.
    for n in 0..10 {
        story.step(&mut journal, n);
        rooms.push((length(), room::encode_snapshot(&story.room)));
    }
    let (database, whole) = (std::fs::read(&path).unwrap(), std::fs::read(&wal).unwrap());
    drop(journal);
    let ends = rooms.iter().flat_map(|(end, _)| [end - 1, *end]).filter(|cut| *cut <= whole.len());
    for cut in (0..whole.len()).step_by(401).chain(ends) {
        std::fs::write(&path, &database).unwrap();
        std::fs::write(&wal, &whole[..cut]).unwrap();
        let restored = start(&path);
        let then = rooms.iter().rev().find(|(end, _)| *end <= cut).unwrap_or(&rooms[0]);
        assert_eq!(room::encode_snapshot(&restored.room), then.1, "cut at {cut} of {}", whole.len());
    }
}
