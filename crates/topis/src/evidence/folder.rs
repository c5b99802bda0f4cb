//! The folder beside the journal and its files, one an alert: append only, cut where a crash tore the last line.
//!
//! Knows nothing of what a line says. Nothing here is fsynced: what is written waits for nobody and keeps no alarm
//! waiting for the disk. A killed process loses none of it; a power cut may cost the last half minute.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use alert::AlertId;
use transit::UtcMillis;

/// A longer line is none of ours.
const LINE_BYTES_MAX: u64 = 16 * 1024;
/// No more than this is read of a file: so long an alert is open for weeks.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;
const SUFFIX: &str = ".jsonl";

/// Where evidence is.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

/// How a reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// Bytes of whole lines.
    pub(super) whole: u64,
    /// The file goes on beyond what may be read.
    pub(super) too_long: bool,
}

impl Folder {
    /// That of the journal at `journal`: `journal.db.evidence`.
    pub(crate) fn beside(journal: &Path) -> Self {
        let mut name = journal.as_os_str().to_owned();
        name.push(".evidence");
        Self(PathBuf::from(name))
    }

    fn path(&self, id: &AlertId) -> PathBuf {
        self.0.join(format!("{id}{SUFFIX}"))
    }

    /// Hands every whole line of an alert's file on; `None` when there is no file.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn read(&self, id: &AlertId, each: &mut dyn FnMut(&[u8])) -> io::Result<Option<Extent>> {
        let file = match File::open(self.path(id)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut reader = BufReader::new(file);
        let (mut whole, mut line) = (0, Vec::new());
        loop {
            line.clear();
            let read = reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
            let read = u64::try_from(read).unwrap_or(u64::MAX);
            if read == 0 || (line.last() != Some(&b'\n') && read < LINE_BYTES_MAX) {
                // The end, perhaps in the middle of a line that a crash tore.
                return Ok(Some(Extent { whole, too_long: false }));
            }
            if whole + read > FILE_BYTES_MAX {
                return Ok(Some(Extent { whole, too_long: true }));
            }
            whole += read;
            each(line.strip_suffix(b"\n").unwrap_or(&line));
        }
    }

    /// Writes `text` behind the first `len` bytes, which end with a whole line; what stands there beyond was torn and
    /// goes. Gives the new length.
    ///
    /// # Errors
    /// Not all of it could be written; then nothing of it counts. `UnexpectedEof`: somebody took away what was written.
    pub(super) fn append(&self, id: &AlertId, len: u64, text: &[u8]) -> io::Result<u64> {
        let mut file = self.open(id)?;
        let found = file.metadata()?.len();
        if found < len {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file is shorter than what was written"));
        }
        file.set_len(len)?;
        file.seek(SeekFrom::Start(len))?;
        if let Err(error) = file.write_all(text) {
            // Where this fails too, the next append cuts it.
            file.set_len(len).ok();
            return Err(error);
        }
        Ok(len + text.len() as u64)
    }

    fn open(&self, id: &AlertId) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        match options.open(self.path(id)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make()?;
                options.open(self.path(id))
            }
            opened => opened,
        }
    }

    fn make(&self) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt as _;
            builder.mode(0o700);
        }
        builder.create(&self.0)
    }

    /// Removes the files that nobody has written to since `before`, unless `in_use`. Gives how many.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub(super) fn prune(&self, before: UtcMillis, in_use: &dyn Fn(&AlertId) -> bool) -> io::Result<usize> {
        let listed = match fs::read_dir(&self.0) {
            Ok(listed) => listed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(error),
        };
        let mut removed = 0;
        for entry in listed {
            let entry = entry?;
            let name = entry.file_name();
            // Only what is named as ours is ours.
            let id = name.to_str().and_then(|name| name.strip_suffix(SUFFIX)).and_then(AlertId::find);
            let written_at = entry.metadata().and_then(|about| about.modified()).ok();
            let since_1970 = written_at.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
            let written_ms = since_1970.and_then(|span| i64::try_from(span.as_millis()).ok());
            if let (Some(id), Some(at)) = (id, written_ms)
                && UtcMillis(at) < before
                && !in_use(&id)
                && fs::remove_file(entry.path()).is_ok()
            {
                removed += 1;
            }
        }
        Ok(removed)
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn id() -> AlertId {
        AlertId { date: 20_261_123, number: 417 }
    }

    fn lines(folder: &Folder) -> Vec<String> {
        let mut all = Vec::new();
        folder.read(&id(), &mut |line| all.push(String::from_utf8(line.to_vec()).unwrap())).unwrap();
        all
    }

    #[test]
    fn a_line_torn_anywhere_is_left_out_and_cut_by_the_next() {
        let place = TempDir::new().unwrap();
        let folder = Folder::beside(&place.path().join("journal.db"));
        assert_eq!(folder.read(&id(), &mut |_| {}).unwrap(), None);
        let len = folder.append(&id(), 0, b"one\ntwo\n").unwrap();
        for torn in ["", "t", "thre", "three"] {
            let path = place.path().join("journal.db.evidence/20261123-417.jsonl");
            fs::write(&path, format!("one\ntwo\n{torn}")).unwrap();
            assert_eq!(lines(&folder), ["one", "two"]);
            assert_eq!(folder.read(&id(), &mut |_| {}).unwrap(), Some(Extent { whole: len, too_long: false }));
            assert_eq!(folder.append(&id(), len, b"four\n").unwrap(), len + 5);
            assert_eq!(lines(&folder), ["one", "two", "four"]);
        }
    }

    #[test]
    fn a_line_without_end_is_handed_on_in_pieces_and_kept_in_no_memory() {
        let place = TempDir::new().unwrap();
        let folder = Folder::beside(&place.path().join("journal.db"));
        let endless = vec![b'x'; 40_000];
        folder.append(&id(), 0, &endless).unwrap();
        assert_eq!(lines(&folder).iter().map(String::len).collect::<Vec<_>>(), [16_384, 16_384]);
    }

    #[test]
    fn a_file_that_somebody_took_away_is_told_and_never_filled_with_a_hole() {
        let place = TempDir::new().unwrap();
        let folder = Folder::beside(&place.path().join("journal.db"));
        let len = folder.append(&id(), 0, b"one\n").unwrap();
        fs::remove_file(place.path().join("journal.db.evidence/20261123-417.jsonl")).unwrap();
        assert_eq!(folder.append(&id(), len, b"two\n").unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(lines(&folder), Vec::<String>::new());
    }

    #[test]
    fn what_cannot_be_written_is_an_error_and_nothing_else() {
        let place = TempDir::new().unwrap();
        fs::write(place.path().join("journal.db.evidence"), "a file is in the way").unwrap();
        let folder = Folder::beside(&place.path().join("journal.db"));
        assert!(folder.append(&id(), 0, b"one\n").is_err());
        assert!(folder.read(&id(), &mut |_| {}).is_err());
        assert!(folder.prune(UtcMillis(0), &|_| false).is_err());
    }

    #[test]
    fn old_files_go_unless_they_are_in_use_and_nobody_else_s_do() {
        let place = TempDir::new().unwrap();
        let folder = Folder::beside(&place.path().join("journal.db"));
        assert_eq!(folder.prune(UtcMillis(i64::MAX), &|_| false).unwrap(), 0);
        folder.append(&id(), 0, b"one\n").unwrap();
        let foreign = place.path().join("journal.db.evidence/notes.txt");
        fs::write(&foreign, "mine").unwrap();
        assert_eq!(folder.prune(UtcMillis(0), &|_| false).unwrap(), 0);
        assert_eq!(folder.prune(UtcMillis(i64::MAX), &|in_use| *in_use == id()).unwrap(), 0);
        assert_eq!(folder.prune(UtcMillis(i64::MAX), &|_| false).unwrap(), 1);
        assert!(lines(&folder).is_empty() && foreign.exists());
    }
}
