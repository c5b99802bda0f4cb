//! How far an endpoint has been told, kept in a small file beside the journal.
//!
//! It says less than what was told rather than more: after a crash the last events are sent again, under the same ids.
//! The file is replaced as a whole, so that a crash leaves the old or the new one.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// The file's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    /// Every change up to this record was delivered, given up, or is none of the endpoint's.
    seq: u64,
    /// What memory forgot up to this record was given up, whosever it was.
    #[serde(default)]
    lost: u64,
}

/// The cursor of one endpoint.
#[derive(Debug)]
pub(crate) struct Cursor {
    path: PathBuf,
    now: Kept,
    on_disk: Option<Kept>,
}

/// What is to be written, apart from the cursor, so that nobody waits for the disk.
#[derive(Debug)]
pub(crate) struct Writing {
    path: PathBuf,
    kept: Kept,
}

impl Cursor {
    /// The folder of the cursors of the journal at `journal`.
    pub(crate) fn folder(journal: &Path) -> PathBuf {
        let mut name = journal.as_os_str().to_owned();
        name.push(".notify");
        PathBuf::from(name)
    }

    /// Reads the cursor of `endpoint`; a new one begins at the present, which is `newest`. One that cannot be read begins
    /// at the beginning: rather twice than never.
    ///
    /// # Errors
    /// The disk refuses to read or to keep it.
    pub(crate) fn open(folder: &Path, endpoint: &str, newest: u64) -> io::Result<Self> {
        let path = folder.join(format!("{endpoint}.json"));
        let on_disk = match fs::read(&path) {
            Ok(bytes) => match serde_json::from_slice::<Kept>(&bytes) {
                Ok(kept) => Some(kept),
                Err(error) => {
                    tracing::error!(endpoint, %error, "the cursor cannot be read; everything in memory is told again");
                    Some(Kept::default())
                }
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        // A cursor ahead of the journal is another journal's, or this one is an older copy.
        let seq = on_disk.map_or(newest, |kept| kept.seq.min(newest));
        let now = Kept { seq, ..on_disk.unwrap_or_default() };
        let mut cursor = Self { path, now, on_disk };
        if on_disk.is_none() {
            fs::create_dir_all(folder)?;
        }
        if let Some(writing) = cursor.writing() {
            writing.save()?;
            cursor.saved(writing);
        }
        Ok(cursor)
    }

    /// The record up to which nothing is left to tell.
    pub(crate) fn seq(&self) -> u64 {
        self.now.seq
    }

    /// Nothing up to `seq` is left to tell.
    pub(crate) fn reach(&mut self, seq: u64) {
        self.now.seq = self.now.seq.max(seq);
    }

    /// Whether what memory forgot up to `seq` may have been this endpoint's and is not given up yet.
    pub(crate) fn misses(&self, seq: u64) -> bool {
        seq > self.now.seq.max(self.now.lost)
    }

    /// What memory forgot up to `seq` is given up.
    pub(crate) fn lose(&mut self, seq: u64) {
        self.now.lost = self.now.lost.max(seq);
    }

    /// What has to be written, if anything has.
    pub(crate) fn writing(&self) -> Option<Writing> {
        (self.on_disk != Some(self.now)).then(|| Writing { path: self.path.clone(), kept: self.now })
    }

    /// It is on disk.
    pub(crate) fn saved(&mut self, writing: Writing) {
        self.on_disk = Some(writing.kept);
    }
}

impl Writing {
    /// Writes it. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// The disk refuses; the file is as it was.
    pub(crate) fn save(&self) -> io::Result<()> {
        let unfinished = self.path.with_extension("json.new");
        let mut file = File::create(&unfinished)?;
        serde_json::to_writer(&mut file, &self.kept)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&unfinished, &self.path)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn keep(cursor: &mut Cursor, seq: u64) {
        cursor.reach(seq);
        let writing = cursor.writing().unwrap();
        writing.save().unwrap();
        cursor.saved(writing);
        assert!(cursor.writing().is_none());
    }

    #[test]
    fn a_new_endpoint_begins_at_the_present_and_goes_on_from_there_after_a_restart() {
        let home = TempDir::new().unwrap();
        let folder = Cursor::folder(&home.path().join("journal.db"));
        let mut cursor = Cursor::open(&folder, "pager", 7).unwrap();
        assert_eq!(cursor.seq(), 7);
        assert_eq!(Cursor::open(&folder, "pager", 9).unwrap().seq(), 7, "its beginning is on disk");
        keep(&mut cursor, 8);
        cursor.reach(5);
        assert_eq!((cursor.seq(), Cursor::open(&folder, "pager", 9).unwrap().seq()), (8, 8));
        assert_eq!(Cursor::open(&folder, "other", 9).unwrap().seq(), 9);
    }

    #[test]
    fn what_memory_forgot_is_missed_once() {
        let home = TempDir::new().unwrap();
        let mut cursor = Cursor::open(home.path(), "pager", 7).unwrap();
        assert!(cursor.misses(8) && !cursor.misses(7));
        cursor.lose(8);
        keep(&mut cursor, 7);
        let again = Cursor::open(home.path(), "pager", 20).unwrap();
        assert!(again.misses(9) && !again.misses(8));
        assert_eq!(again.seq(), 7, "what is still there is told");
    }

    #[test]
    fn one_that_was_cut_tells_everything_again_and_one_of_another_journal_nothing_of_the_future() {
        let home = TempDir::new().unwrap();
        let mut cursor = Cursor::open(home.path(), "pager", 7).unwrap();
        assert_eq!(Cursor::open(home.path(), "pager", 3).unwrap().seq(), 3);
        keep(&mut cursor, 1_000);
        let path = home.path().join("pager.json");
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() - 2 {
            fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(Cursor::open(home.path(), "pager", 2_000).unwrap().seq(), 0, "cut at {at}");
        }
    }
}
