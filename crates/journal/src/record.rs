//! The small trait behind which the record is kept, whatever keeps it.
//!
//! Made so that a log shared by several processes fits behind it: sequence numbers are gap-free in commit order, an
//! append names the number it follows, and the outcome of a lost answer can be looked up by its key.

use crate::{AppendError, ReadError};

/// Why a reader wants no more records.
pub type ReplayError = Box<dyn std::error::Error + Send + Sync>;

/// Takes one record: its number and its bytes.
pub type Reader<'a> = dyn FnMut(u64, &[u8]) -> Result<(), ReplayError> + 'a;

/// One record to append.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// The bytes; the log does not look into them.
    pub body: Vec<u8>,
    /// By what name to find it again, when somebody has to ask whether it was recorded. Not unique: the newest counts.
    pub key: Option<String>,
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

    /// Hands every record from `from_seq` on to `each`, in order. Gives the number of the last record, 0 for none.
    ///
    /// # Errors
    /// A damaged or missing record, or what `each` gave; no later record was handed on.
    fn tail(&mut self, from_seq: u64, each: &mut Reader<'_>) -> Result<u64, ReadError>;

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
