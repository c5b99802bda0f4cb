//! The write-ahead log cut at every byte, as a crash may leave it: a cut after the last answered commit loses nothing
//! that was answered; one before it opens to whole commits up to there and nothing else. Every cut takes new records.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    thread,
    time::Instant,
};

use tempfile::TempDir;

use super::{SqliteLog, read, record};
use crate::{Record, RecordLog};

/// One cut in so many bytes is opened, and every one around the end of a commit. `TOPIS_CUT_EVERY` says another.
const EVERY: usize = 1;
/// Bytes around the end of a commit that no stride leaves out.
const AROUND: usize = 32;

/// A log as it was written: the file beneath, the whole write-ahead log, and where in it each commit ends.
struct Written {
    database: Vec<u8>,
    wal: Vec<u8>,
    /// Bytes of the write-ahead log, and records, after each commit. The first is that of the tables.
    ends: Vec<(usize, usize)>,
    bodies: Vec<String>,
}

impl Written {
    /// From an empty folder to a handful of commits: of one record, of several, with a key, longer than a page.
    fn at(folder: &Path) -> Self {
        let path = folder.join("journal.db");
        let mut log = SqliteLog::open(&path).unwrap();
        let length = || usize::try_from(fs::metadata(wal_of(&path)).unwrap().len()).unwrap();
        let mut written = Self { database: Vec::new(), wal: Vec::new(), ends: vec![(length(), 0)], bodies: Vec::new() };
        let long = "long ".repeat(1_000);
        let commits: [&[&str]; 6] =
            [&["first"], &["second"], &["a", "batch", "of four", "records"], &[&long], &["k"], &["last", "x"]];
        for bodies in commits {
            let records: Vec<Record> = bodies.iter().map(|body| Record { key: key_of(body), ..record(body) }).collect();
            let seq = log.append(u64::try_from(written.bodies.len()).unwrap(), &records).unwrap();
            written.bodies.extend(bodies.iter().map(|body| (*body).to_owned()));
            written.ends.push((length(), usize::try_from(seq).unwrap()));
        }
        // Read while the log is open: closing it moves everything into the file beneath.
        (written.database, written.wal) = (fs::read(&path).unwrap(), fs::read(wal_of(&path)).unwrap());
        written
    }

    /// Records of the commits that are whole at a cut.
    fn whole_at(&self, cut: usize) -> usize {
        self.ends.iter().rev().find(|(end, _)| *end <= cut).map_or(0, |(_, records)| *records)
    }

    fn cuts(&self, every: usize) -> Vec<usize> {
        let near_an_end = |cut: usize| self.ends.iter().any(|(end, _)| end.abs_diff(cut) <= AROUND);
        (0..=self.wal.len()).filter(|cut| cut % every == 0 || near_an_end(*cut)).collect()
    }

    /// Opens what a cut leaves, and appends to it.
    fn check(&self, folder: &Path, cut: usize) {
        let path = folder.join("journal.db");
        fs::write(&path, &self.database).unwrap();
        fs::write(wal_of(&path), &self.wal[..cut]).unwrap();
        let mut log = SqliteLog::open(&path).unwrap_or_else(|error| panic!("cut at {cut}: {error}"));
        let found: Vec<String> = read(&mut log, 1).into_iter().map(|(_, body)| body).collect();
        let whole = self.whole_at(cut);
        assert_eq!(found, self.bodies[..whole], "cut at {cut} of {}, commits end at {:?}", self.wal.len(), self.ends);
        let last = u64::try_from(whole).unwrap();
        assert_eq!(log.append(last, &[record("after")]).unwrap(), last + 1, "cut at {cut}");
    }
}

fn key_of(body: &str) -> Option<String> {
    (body == "k").then(|| "kim/1".to_owned())
}

fn wal_of(path: &Path) -> PathBuf {
    path.with_extension("db-wal")
}

/// In memory where the system has a place for that: tens of thousands of opens sync tens of thousands of times.
fn scratch() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

fn every() -> usize {
    std::env::var("TOPIS_CUT_EVERY").ok().and_then(|text| text.parse().ok()).unwrap_or(EVERY).max(1)
}

#[test]
#[expect(clippy::print_stderr, reason = "how much was tried belongs to the record of a run")]
fn a_cut_at_any_byte_opens_to_whole_commits_and_after_the_last_answered_one_to_all_that_was_answered() {
    let (folder, every, started) = (scratch(), every(), Instant::now());
    let written = Written::at(folder.path());
    let cuts = written.cuts(every);
    let answered = written.ends[written.ends.len() - 2];
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let part = |part: usize| -> Range<usize> { cuts.len() * part / threads..cuts.len() * (part + 1) / threads };
    thread::scope(|scope| {
        for number in 0..threads {
            let (written, cuts) = (&written, &cuts[part(number)]);
            scope.spawn(move || {
                let folder = scratch();
                cuts.iter().for_each(|cut| written.check(folder.path(), *cut));
            });
        }
    });
    let after = cuts.iter().filter(|cut| **cut >= answered.0).count();
    assert!(
        after > 1_000 / every && cuts.iter().any(|cut| written.whole_at(*cut) == 0),
        "too few cuts to show anything"
    );
    eprintln!(
        "cuts: {} of {} bytes of the write-ahead log, one in {every}; {after} after the last answered commit; {:.1} s",
        cuts.len(),
        written.wal.len(),
        started.elapsed().as_secs_f64()
    );
}
