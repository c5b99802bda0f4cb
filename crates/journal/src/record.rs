//! The small trait behind which the record is kept, whatever keeps it.
//!
//! Made so that a log shared by several processes fits behind it: sequence numbers are gap-free in commit order, an
//! append names the number it follows, and the outcome of a lost answer can be looked up by its key.

use sha2::{Digest as _, Sha256};

use crate::{AppendError, ReadError};

/// Why a reader wants no more records.
pub type ReplayError = Box<dyn std::error::Error + Send + Sync>;

/// Takes one record: its number and its bytes, or none for one that was set aside.
pub type Reader<'a> = dyn FnMut(u64, Option<&[u8]>) -> Result<(), ReplayError> + 'a;

/// First bytes of the SHA-256 over a record's number, body and key: enough against any fault of a disk.
pub type Checksum = [u8; 16];

/// What reading the record back came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tail {
    /// Number of the last record, 0 for none.
    pub last_seq: u64,
    /// Records found damaged or missing by this reading, and set aside: somebody has to be told.
    pub set_aside: Vec<u64>,
}

/// One record to append.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// The bytes; the log does not look into them.
    pub body: Vec<u8>,
    /// By what name to find it again, when somebody has to ask whether it was recorded. Not unique: the newest counts.
    pub key: Option<String>,
    /// When it was decided, UTC milliseconds: what its age is counted from.
    pub at_ms: i64,
}

/// An append-only log of records numbered from 1 without gaps.
pub trait RecordLog: Send {
    /// Appends `records` as one unit after record `expected_seq`: all or none. Gives the number of the last one.
    /// When it returns `Ok`, they are on disk.
    ///
    /// # Errors
    /// See [`AppendError`]; nothing was appended, except after [`AppendError::Fatal`], when nobody knows.
    fn append(&mut self, expected_seq: u64, records: &[Record]) -> Result<u64, AppendError>;

    /// Writes to the disk what is no record, to learn whether an append would succeed after one was refused.
    ///
    /// # Errors
    /// As an append; nothing changed.
    fn probe(&mut self) -> Result<(), AppendError>;

    /// Hands every record from `from_seq` on to `each`, in order. One whose bytes are not those that were written, or
    /// that is missing among others, is set aside for a person to look at, and `each` gets its number alone: a start
    /// must not depend on one bad sector.
    ///
    /// # Errors
    /// What `each` gave (no later record was handed on), records before the first one kept, or a log that cannot be
    /// read.
    fn tail(&mut self, from_seq: u64, each: &mut Reader<'_>) -> Result<Tail, ReadError>;

    /// The checksum of a record, by which a snapshot taken after it knows its journal again.
    ///
    /// # Errors
    /// The log cannot be read.
    fn checksum(&mut self, seq: u64) -> Result<Option<Checksum>, ReadError>;

    /// Forgets records up to `through_seq` that are older than `before_ms`. Gives their number.
    ///
    /// # Errors
    /// As an append; nothing was forgotten.
    fn prune(&mut self, through_seq: u64, before_ms: i64) -> Result<usize, AppendError>;

    /// Number of the last record, 0 for none.
    ///
    /// # Errors
    /// The log cannot be read.
    fn last_seq(&mut self) -> Result<u64, ReadError>;

    /// Number of the newest record with that key.
    ///
    /// # Errors
    /// The log cannot be read.
    fn find_key(&mut self, key: &str) -> Result<Option<u64>, ReadError>;
}

/// Of a record, or of anything else with a number and bytes.
pub(crate) fn checksum(seq: u64, body: &[u8], key: Option<&str>) -> Checksum {
    let mut hash = Sha256::new();
    hash.update(seq.to_be_bytes());
    hash.update(u64::try_from(body.len()).unwrap_or(u64::MAX).to_be_bytes());
    hash.update(body);
    if let Some(key) = key {
        hash.update(key.as_bytes());
    }
    let mut kept = Checksum::default();
    let length = kept.len();
    kept.copy_from_slice(&hash.finalize()[..length]);
    kept
}
