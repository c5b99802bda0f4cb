//! Who writes the journal: a thread of its own, because an fsync blocks, and a disk that hangs must not keep people from
//! seeing what arrives meanwhile.

use std::{io, sync::mpsc, thread};

use journal::{AppendError, Record, RecordLog};
use tokio::sync::oneshot;

/// What came of a writing; an error means that the thread is gone.
pub(crate) type Written = oneshot::Receiver<Result<(), AppendError>>;

/// The thread's door. At most one writing is under way, because the owner waits for it, so the channel needs no bound.
pub(crate) struct Scribe {
    jobs: mpsc::Sender<Job>,
}

struct Job {
    expected_seq: u64,
    records: Vec<Record>,
    done: oneshot::Sender<Result<(), AppendError>>,
}

impl Scribe {
    /// Gives the journal to its thread, which ends when the scribe is dropped and the last writing is done.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(mut journal: Box<dyn RecordLog>) -> io::Result<Self> {
        let (jobs, work) = mpsc::channel::<Job>();
        thread::Builder::new().name("journal".to_owned()).spawn(move || {
            for Job { expected_seq, records, done } in work {
                let written = if records.is_empty() {
                    journal.probe()
                } else {
                    journal.append(expected_seq, &records).map(|_| ())
                };
                // An owner that was told to stop waits no more.
                drop(done.send(written));
            }
        })?;
        Ok(Self { jobs })
    }

    /// Has `records` appended after `expected_seq`; with none, has the disk tried.
    pub(crate) fn write(&self, expected_seq: u64, records: Vec<Record>) -> Written {
        let (done, written) = oneshot::channel();
        // When the thread is gone the answer's sender is too, and the receiver says so.
        drop(self.jobs.send(Job { expected_seq, records, done }));
        written
    }
}
