//! Who writes the journal: a thread of its own, because an fsync blocks, and a disk that hangs must not keep people from
//! seeing what arrives meanwhile. Snapshots are made and written on a further thread, so that no alarm waits for one.

use std::{io, sync::mpsc, thread, time::Instant};

use journal::{AppendError, Record, RecordLog, Snapshot, SnapshotFiles};
use room::ControlRoom;
use tokio::sync::oneshot;

/// What came of a writing; an error means that the thread is gone.
pub(crate) type Written = oneshot::Receiver<Result<(), AppendError>>;

/// The thread's door. At most one writing is under way, because the owner waits for it, and one snapshot, so the channel
/// needs no bound.
pub(crate) struct Scribe {
    jobs: mpsc::Sender<Job>,
}

enum Job {
    Write { expected_seq: u64, records: Vec<Record>, done: oneshot::Sender<Result<(), AppendError>> },
    Keep { room: Box<ControlRoom>, before_ms: i64, done: oneshot::Sender<()> },
    Kept { seq: u64, before_ms: i64 },
    Stop,
}

impl Drop for Scribe {
    fn drop(&mut self) {
        // The desk has a sender of its own, for its snapshots' threads, so the channel does not close by itself.
        drop(self.jobs.send(Job::Stop));
    }
}

impl Scribe {
    /// Gives the journal and its snapshots to the thread, which ends when the scribe is dropped and the last writing is
    /// done. `kept_seq` is the record that the newest snapshot follows.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(journal: Box<dyn RecordLog>, files: SnapshotFiles, kept_seq: u64) -> io::Result<Self> {
        let (jobs, work) = mpsc::channel();
        let desk = Desk { journal, files, kept_seq, jobs: jobs.clone() };
        thread::Builder::new().name("journal".to_owned()).spawn(move || desk.work(&work))?;
        Ok(Self { jobs })
    }

    /// Has `records` appended after `expected_seq`; with none, has the disk tried.
    pub(crate) fn write(&self, expected_seq: u64, records: Vec<Record>) -> Written {
        let (done, written) = oneshot::channel();
        // When the thread is gone the answer's sender is too, and the receiver says so.
        drop(self.jobs.send(Job::Write { expected_seq, records, done }));
        written
    }

    /// Has a snapshot of `room` kept, and records forgotten that are older than `before_ms` and that the snapshot before
    /// this one stands for. Resolves when it is done or has failed.
    pub(crate) fn keep(&self, room: ControlRoom, before_ms: i64) -> oneshot::Receiver<()> {
        let (done, kept) = oneshot::channel();
        drop(self.jobs.send(Job::Keep { room: Box::new(room), before_ms, done }));
        kept
    }
}

/// The thread's own.
struct Desk {
    journal: Box<dyn RecordLog>,
    files: SnapshotFiles,
    kept_seq: u64,
    jobs: mpsc::Sender<Job>,
}

impl Desk {
    fn work(mut self, work: &mpsc::Receiver<Job>) {
        while let Ok(job) = work.recv() {
            match job {
                Job::Write { expected_seq, records, done } => {
                    let written = match records.is_empty() {
                        true => self.journal.probe(),
                        false => self.journal.append(expected_seq, &records).map(|_| ()),
                    };
                    // An owner that was told to stop waits no more.
                    drop(done.send(written));
                }
                Job::Stop => return,
                Job::Keep { room, before_ms, done } => self.keep(*room, before_ms, done),
                Job::Kept { seq, before_ms } => self.forget(seq, before_ms),
            }
        }
    }

    /// A snapshot is kept: what the one before it follows is not needed for any start.
    fn forget(&mut self, seq: u64, before_ms: i64) {
        let through_seq = std::mem::replace(&mut self.kept_seq, seq);
        match self.journal.prune(through_seq, before_ms) {
            Ok(0) => {}
            Ok(forgotten) => tracing::info!(journal.forgotten = forgotten, "old records are forgotten"),
            Err(error) => tracing::warn!(%error, "old records are not forgotten"),
        }
    }

    fn keep(&mut self, room: ControlRoom, before_ms: i64, done: oneshot::Sender<()>) {
        let seq = room.seq();
        let Ok(Some(checksum)) = self.journal.checksum(seq) else { return };
        let (files, jobs) = (self.files.clone(), self.jobs.clone());
        let snapshot = move || {
            let began = Instant::now();
            let body = room::encode_snapshot(&room);
            match files.save(&Snapshot { seq, checksum, body }) {
                Ok(()) => {
                    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
                    tracing::info!(snapshot.seq = seq, took_ms, "a snapshot is kept");
                    drop(jobs.send(Job::Kept { seq, before_ms }));
                }
                // The journal still has everything; the next start takes longer.
                Err(error) => {
                    metrics::counter!("topis_snapshots_failed_total").increment(1);
                    tracing::warn!(%error, "no snapshot could be kept");
                }
            }
            done.send(()).ok();
        };
        if let Err(error) = thread::Builder::new().name("snapshot".to_owned()).spawn(snapshot) {
            tracing::warn!(%error, "no thread for a snapshot");
        }
    }
}
