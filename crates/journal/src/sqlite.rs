//! The record in one SQLite file: write-ahead log, fsync at every commit, one process at a time.

mod inspection;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, ffi, params};

pub use inspection::Inspection;

use crate::{AppendError, Checksum, OpenError, ReadError, Reader, Record, RecordLog, Tail, record::checksum};

/// "TOPI": marks our files among all SQLite files.
const APPLICATION_ID: i64 = 0x544f_5049;
/// Format of the tables: the number of steps in [`STEPS`]. Older versions refuse a newer one.
const FORMAT: i64 = 2;

/// From an empty file to today's tables, one step a format; a file of an older format goes the steps it lacks.
const STEPS: [&str; 2] = [
    "CREATE TABLE record (
        seq INTEGER PRIMARY KEY,
        body BLOB NOT NULL,
        key TEXT,
        checksum BLOB NOT NULL
    ) STRICT;
    CREATE INDEX record_key ON record (key, seq) WHERE key IS NOT NULL;",
    "ALTER TABLE record ADD COLUMN at_ms INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE aside (
        seq INTEGER PRIMARY KEY,
        body BLOB,
        key TEXT,
        checksum BLOB
    ) STRICT;",
];

/// A log in one file, held by this process alone.
#[derive(Debug)]
pub struct SqliteLog {
    connection: Connection,
    path: PathBuf,
    /// A commit failed in a way that leaves the disk's content unknown.
    failed: bool,
}

impl SqliteLog {
    /// Opens the log at `path`, and makes it and its folder when there is none; readable by this user only.
    ///
    /// # Errors
    /// See [`OpenError`]; a file that is not ours is left as it is.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        create(path).map_err(|cause| OpenError::Io { path: path.to_owned(), cause })?;
        let connection = connect(path).map_err(|cause| OpenError::of(path.to_owned(), cause))?;
        match standing(&connection).map_err(|cause| OpenError::of(path.to_owned(), cause))? {
            Standing::Ours(found) if found > FORMAT => {
                return Err(OpenError::Newer { path: path.to_owned(), found, known: FORMAT });
            }
            Standing::Foreign => return Err(OpenError::Foreign(path.to_owned())),
            Standing::Ours(_) | Standing::Empty => {}
        }
        prepare(&connection).map_err(|cause| OpenError::of(path.to_owned(), cause))?;
        Ok(Self { connection, path: path.to_owned(), failed: false })
    }

    /// Hands on what can be read. Gives the last number and those of records that are damaged or missing.
    fn read(&self, from_seq: u64, each: &mut Reader<'_>) -> Result<(u64, Vec<u64>), ReadError> {
        let fault = |cause| self.read_error(cause);
        let refused = |seq| move |cause| ReadError::Refused { seq, path: self.path.clone(), cause };
        let mut statement = self
            .connection
            .prepare_cached("SELECT seq, body, key, checksum FROM record WHERE seq >= ?1 ORDER BY seq")
            .map_err(fault)?;
        let mut rows = statement.query([signed(from_seq)]).map_err(fault)?;
        let (mut next, mut damaged) = (from_seq, Vec::new());
        while let Some(row) = rows.next().map_err(fault)? {
            let seq = row.get(0).map(unsigned).map_err(fault)?;
            if next == from_seq && seq > next && !is_aside(&self.connection, next).map_err(fault)? {
                return Err(ReadError::Missing { seq: next, path: self.path.clone() });
            }
            for gone in next..seq {
                damaged.push(gone);
                each(gone, None).map_err(refused(gone))?;
            }
            let body = intact(row, seq).map_err(fault)?;
            if body.is_none() {
                damaged.push(seq);
            }
            each(seq, body).map_err(refused(seq))?;
            next = seq + 1;
        }
        Ok((next - 1, damaged))
    }

    fn read_error(&self, cause: rusqlite::Error) -> ReadError {
        ReadError::Database { path: self.path.clone(), cause }
    }
}

impl RecordLog for SqliteLog {
    fn append(&mut self, expected_seq: u64, records: &[Record]) -> Result<u64, AppendError> {
        if self.failed {
            let code = ffi::Error::new(ffi::SQLITE_IOERR_FSYNC);
            let earlier = Some("an earlier append failed on its way to the disk".to_owned());
            return Err(AppendError::Fatal(rusqlite::Error::SqliteFailure(code, earlier)));
        }
        let result = insert(&mut self.connection, expected_seq, records);
        self.failed = matches!(result, Err(AppendError::Fatal(_)));
        result
    }

    fn probe(&mut self) -> Result<(), AppendError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(AppendError::of)?;
        // Setting it to what it is still writes and syncs a page.
        transaction.pragma_update(None, "user_version", FORMAT).map_err(AppendError::of)?;
        let result = transaction.commit().map_err(AppendError::of);
        self.failed |= matches!(result, Err(AppendError::Fatal(_)));
        result
    }

    fn tail(&mut self, from_seq: u64, each: &mut Reader<'_>) -> Result<Tail, ReadError> {
        let (last_seq, damaged) = self.read(from_seq.max(1), each)?;
        let transaction = self.connection.unchecked_transaction().map_err(|cause| self.read_error(cause))?;
        let mut set_aside = Vec::new();
        for seq in damaged {
            if set_aside_one(&transaction, seq).map_err(|cause| self.read_error(cause))? {
                set_aside.push(seq);
            }
        }
        transaction.commit().map_err(|cause| self.read_error(cause))?;
        Ok(Tail { last_seq, set_aside })
    }

    fn checksum(&mut self, seq: u64) -> Result<Option<Checksum>, ReadError> {
        self.connection
            .prepare_cached("SELECT checksum FROM record WHERE seq = ?1")
            .and_then(|mut statement| statement.query_row([signed(seq)], |row| row.get(0)).optional())
            .map_err(|cause| self.read_error(cause))
    }

    fn prune(&mut self, through_seq: u64, before_ms: i64) -> Result<usize, AppendError> {
        // The record that a snapshot follows is what it is recognised by: it stays.
        let pruned = self
            .connection
            .execute("DELETE FROM record WHERE seq < ?1 AND at_ms < ?2", [signed(through_seq), before_ms])
            .map_err(AppendError::of);
        self.failed |= matches!(pruned, Err(AppendError::Fatal(_)));
        pruned
    }

    fn last_seq(&mut self) -> Result<u64, ReadError> {
        last_seq(&self.connection).map_err(|cause| self.read_error(cause))
    }

    fn find_key(&mut self, key: &str) -> Result<Option<u64>, ReadError> {
        self.connection
            .prepare_cached("SELECT seq FROM record WHERE key = ?1 ORDER BY seq DESC LIMIT 1")
            .and_then(|mut statement| statement.query_row([key], |row| row.get(0)).optional())
            .map(|seq| seq.map(unsigned))
            .map_err(|cause| self.read_error(cause))
    }
}

/// SQLite counts in `i64`; a log of ours never comes near its end.
fn signed(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

fn unsigned(seq: i64) -> u64 {
    u64::try_from(seq).unwrap_or(0)
}

/// A record's body, when it is what was written.
fn intact<'a>(row: &'a rusqlite::Row<'_>, seq: u64) -> rusqlite::Result<Option<&'a [u8]>> {
    let (body, key, sum) = (row.get_ref(1)?.as_blob(), row.get_ref(2)?.as_str_or_null(), row.get_ref(3)?.as_blob());
    let (Ok(body), Ok(key), Ok(sum)) = (body, key, sum) else { return Ok(None) };
    Ok((sum == checksum(seq, body, key)).then_some(body))
}

fn is_aside(connection: &Connection, seq: u64) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM aside WHERE seq = ?1")?.exists([signed(seq)])
}

/// Keeps what is left of a damaged record out of the way; false when it was there already.
fn set_aside_one(connection: &Connection, seq: u64) -> rusqlite::Result<bool> {
    if is_aside(connection, seq)? {
        return Ok(false);
    }
    let seq = [signed(seq)];
    let found = connection.execute(
        "INSERT INTO aside (seq, body, key, checksum) SELECT seq, body, key, checksum FROM record WHERE seq = ?1",
        seq,
    )?;
    if found == 0 {
        connection.execute("INSERT INTO aside (seq) VALUES (?1)", seq)?;
    }
    connection.execute("DELETE FROM record WHERE seq = ?1", seq)?;
    Ok(true)
}

fn last_seq(connection: &Connection) -> rusqlite::Result<u64> {
    // The last record may be one that was set aside.
    let mut statement = connection.prepare_cached(
        "SELECT max((SELECT coalesce(max(seq), 0) FROM record), (SELECT coalesce(max(seq), 0) FROM aside))",
    )?;
    statement.query_row([], |row| row.get(0)).map(unsigned)
}

fn insert(connection: &mut Connection, expected_seq: u64, records: &[Record]) -> Result<u64, AppendError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(AppendError::of)?;
    let found = last_seq(&transaction).map_err(AppendError::of)?;
    if found != expected_seq {
        return Err(AppendError::Conflict { expected: expected_seq, found });
    }
    let mut seq = found;
    {
        let mut statement = transaction
            .prepare_cached("INSERT INTO record (seq, body, key, checksum, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)")
            .map_err(AppendError::of)?;
        for record in records {
            seq += 1;
            let sum = checksum(seq, &record.body, record.key.as_deref());
            statement
                .execute(params![signed(seq), record.body, record.key, sum.as_slice(), record.at_ms])
                .map_err(AppendError::of)?;
        }
    }
    // With synchronous FULL this returns after the fsync of the write-ahead log. A transaction that is dropped on the
    // way here is rolled back.
    transaction.commit().map_err(AppendError::of)?;
    Ok(seq)
}

/// Makes the folder and an empty file, both for this user only, and makes the file's name durable.
fn create(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        builder.mode(0o700);
        options.mode(0o600);
    }
    builder.create(folder)?;
    match options.open(path) {
        Ok(file) => {
            file.sync_all()?;
            fs::File::open(folder)?.sync_all()
        }
        // Never opened here when it exists: closing any handle of a file drops the locks this process has on it.
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(e),
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // Another process keeps its lock until it ends: waiting would only delay saying so.
    connection.busy_timeout(std::time::Duration::ZERO)?;
    connection.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
    Ok(connection)
}

enum Standing {
    Empty,
    Foreign,
    Ours(i64),
}

/// Whose file this is; reads only.
fn standing(connection: &Connection) -> rusqlite::Result<Standing> {
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match number("application_id")? {
        APPLICATION_ID => Standing::Ours(number("user_version")?),
        0 if tables == 0 => Standing::Empty,
        _ => Standing::Foreign,
    })
}

/// Sets the modes, takes the lock, and makes the tables or what an older format lacks of them.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    // A burst must not leave a write-ahead log of its size behind.
    connection.pragma_update_and_check(None, "journal_size_limit", 16 * 1024 * 1024, |_| Ok(()))?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let format: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for step in STEPS.iter().skip(usize::try_from(format).unwrap_or(0)) {
        connection.execute_batch(step)?;
    }
    if format != FORMAT {
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        connection.pragma_update(None, "user_version", FORMAT)?;
    }
    connection.execute_batch("COMMIT")
}

#[cfg(test)]
mod tests;
