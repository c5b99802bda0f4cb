//! A journal opened to be looked at: nothing in it changes, and nobody may write it meanwhile.

use std::{io, path::Path};

use rusqlite::config::DbConfig;

use super::{FORMAT, SqliteLog, Standing, connect, standing};
use crate::{Checksum, OpenError, ReadError, Reader, RecordLog as _};

/// A log whose file stays as it is, its write-ahead log too.
#[derive(Debug)]
pub struct Inspection(SqliteLog);

impl Inspection {
    /// Opens the log at `path`, which has to be there, and holds it until dropped.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        if !path.exists() {
            let cause = io::Error::from(io::ErrorKind::NotFound);
            return Err(OpenError::Io { path: path.to_owned(), cause });
        }
        let fault = |cause| OpenError::of(path.to_owned(), cause);
        let connection = connect(path).map_err(fault)?;
        // Closing would move the write-ahead log into the file.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(fault)?;
        connection.pragma_update(None, "query_only", "ON").map_err(fault)?;
        connection.pragma_update(None, "trusted_schema", "OFF").map_err(fault)?;
        match standing(&connection).map_err(fault)? {
            Standing::Ours(FORMAT) => {}
            Standing::Ours(found) if found < FORMAT => {
                return Err(OpenError::Older { path: path.to_owned(), found, known: FORMAT });
            }
            Standing::Ours(found) => return Err(OpenError::Newer { path: path.to_owned(), found, known: FORMAT }),
            Standing::Foreign | Standing::Empty => return Err(OpenError::Foreign(path.to_owned())),
        }
        Ok(Self(SqliteLog { connection, path: path.to_owned(), failed: true }))
    }

    /// Hands every record from `from_seq` on to `each`, in order, and the number alone of one that is damaged or was set
    /// aside before. Gives the number of the last one handed on, and those that were only numbers.
    ///
    /// # Errors
    /// What `each` gave, records before the first one kept, or a log that cannot be read.
    pub fn read(&mut self, from_seq: u64, each: &mut Reader<'_>) -> Result<(u64, Vec<u64>), ReadError> {
        self.0.read(from_seq.max(1), each)
    }

    /// The checksum of a record.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn checksum(&mut self, seq: u64) -> Result<Option<Checksum>, ReadError> {
        self.0.checksum(seq)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::Record;

    fn record(body: &str) -> Record {
        Record { body: body.as_bytes().to_vec(), key: None, at_ms: 0 }
    }

    fn words(inspection: &mut Inspection) -> (Vec<String>, (u64, Vec<u64>)) {
        let mut found = Vec::new();
        let outcome = inspection.read(1, &mut |_, body| {
            found.push(body.map_or("-".to_owned(), |body| String::from_utf8_lossy(body).into_owned()));
            Ok(())
        });
        (found, outcome.unwrap())
    }

    #[test]
    fn looking_changes_no_byte_of_a_journal_as_a_kill_left_it_and_a_damaged_record_stays_where_it_is() {
        let (folder, copy) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let mut log = SqliteLog::open(&folder.path().join("journal.db")).unwrap();
        log.append(0, &["a", "b", "c"].map(record)).unwrap();
        log.connection.execute("UPDATE record SET body = x'00' WHERE seq = 2", []).unwrap();
        for name in ["journal.db", "journal.db-wal"] {
            fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
        }
        let bytes = || ["journal.db", "journal.db-wal"].map(|name| fs::read(copy.path().join(name)).unwrap());
        let before = bytes();
        for _ in 0..2 {
            let mut inspection = Inspection::open(&copy.path().join("journal.db")).unwrap();
            let said = words(&mut inspection);
            assert_eq!(said, (vec!["a".to_owned(), "-".to_owned(), "c".to_owned()], (3, vec![2])));
        }
        assert!(before == bytes(), "the files are as they were");
    }

    #[test]
    fn one_that_a_service_has_open_one_that_is_none_and_one_that_is_not_there_are_refused() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("journal.db");
        assert!(matches!(Inspection::open(&path), Err(OpenError::Io { .. })));
        assert!(!path.exists(), "looking makes none");
        let log = SqliteLog::open(&path).unwrap();
        assert!(matches!(Inspection::open(&path), Err(OpenError::InUse(_))));
        drop(log);
        let inspection = Inspection::open(&path).unwrap();
        assert!(matches!(SqliteLog::open(&path), Err(OpenError::InUse(_))));
        drop(inspection);
        SqliteLog::open(&path).unwrap();
        let text = folder.path().join("notes.txt");
        fs::write(&text, "dear diary, today no bus came. ".repeat(40)).unwrap();
        assert!(matches!(Inspection::open(&text), Err(OpenError::Foreign(_))));
    }
}
