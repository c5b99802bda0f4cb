//! Snapshots beside the journal: a shortcut for the start, never the record.
//!
//! A snapshot says which record it follows and that record's checksum, so that one of another journal is not taken for
//! this one's. The newest two are kept: one that is damaged costs a longer replay and nothing else.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::{Checksum, record::checksum};

/// First word of a snapshot file.
const MAGIC: &str = "topis-snapshot-1";

/// The snapshot files of one journal.
#[derive(Debug, Clone)]
pub struct SnapshotFiles {
    newest: PathBuf,
    before: PathBuf,
    unfinished: PathBuf,
}

/// Everything as of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The record it follows.
    pub seq: u64,
    /// That record's checksum.
    pub checksum: Checksum,
    /// The bytes; not looked into here.
    pub body: Vec<u8>,
}

impl SnapshotFiles {
    /// Those of the journal at `journal`: `journal.db.snapshot` and `journal.db.snapshot.1`.
    pub fn beside(journal: &Path) -> Self {
        let with = |suffix: &str| {
            let mut name = journal.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        Self { newest: with(".snapshot"), before: with(".snapshot.1"), unfinished: with(".snapshot.new") }
    }

    /// Keeps a snapshot, and the one before it.
    ///
    /// # Errors
    /// It cannot be written; those kept before are as they were.
    pub fn save(&self, snapshot: &Snapshot) -> io::Result<()> {
        let mut file = private(&self.unfinished)?;
        let seq = snapshot.seq;
        writeln!(file, "{MAGIC} {seq} {} {}", word(snapshot.checksum), word(checksum(seq, &snapshot.body, None)))?;
        file.write_all(&snapshot.body)?;
        file.sync_all()?;
        match fs::rename(&self.newest, &self.before) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        fs::rename(&self.unfinished, &self.newest)?;
        let folder = self.newest.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }

    /// Those that are whole, newest first.
    pub fn load(&self) -> Vec<Snapshot> {
        let mut whole: Vec<_> = [&self.newest, &self.before].into_iter().filter_map(|path| read(path)).collect();
        whole.sort_by_key(|snapshot| std::cmp::Reverse(snapshot.seq));
        whole
    }
}

fn private(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

/// `None` for one that is not there, not whole, or not a snapshot.
fn read(path: &Path) -> Option<Snapshot> {
    let mut bytes = fs::read(path).ok()?;
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let body = bytes.split_off(end + 1);
    let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let mut words = head.split(' ');
    if words.next()? != MAGIC {
        return None;
    }
    let (seq, of_record, of_body) = (words.next()?.parse().ok()?, words.next()?, words.next()?);
    let record = u128::from_str_radix(of_record, 16).ok()?.to_be_bytes();
    (of_body == word(checksum(seq, &body, None))).then_some(Snapshot { seq, checksum: record, body })
}

fn word(sum: Checksum) -> String {
    format!("{:032x}", u128::from_be_bytes(sum))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn snapshot(seq: u64) -> Snapshot {
        Snapshot { seq, checksum: [7; 16], body: format!("all as of {seq}\nand more").into_bytes() }
    }

    #[test]
    fn the_newest_two_are_kept() {
        let folder = TempDir::new().unwrap();
        let files = SnapshotFiles::beside(&folder.path().join("journal.db"));
        assert_eq!(files.load(), []);
        for seq in [10, 20, 30] {
            files.save(&snapshot(seq)).unwrap();
        }
        assert_eq!(files.load(), [snapshot(30), snapshot(20)]);
    }

    #[test]
    fn one_cut_or_changed_anywhere_is_left_out_and_the_one_before_stands() {
        let folder = TempDir::new().unwrap();
        let files = SnapshotFiles::beside(&folder.path().join("journal.db"));
        files.save(&snapshot(1)).unwrap();
        files.save(&snapshot(2)).unwrap();
        let whole = fs::read(&files.newest).unwrap();
        for at in 0..whole.len() {
            fs::write(&files.newest, &whole[..at]).unwrap();
            assert_eq!(files.load(), [snapshot(1)], "cut at {at}");
        }
        let body_from = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for at in body_from..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(&files.newest, &changed).unwrap();
            assert_eq!(files.load(), [snapshot(1)], "changed at {at}");
        }
    }
}
