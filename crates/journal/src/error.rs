//! What can go wrong with the record, told apart by what the owner must do.

use std::path::PathBuf;

use rusqlite::{ErrorCode, ffi};

use crate::ReplayError;

/// Why a log cannot be opened. Each names the file and the way out.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("the journal {} is in use by another process; stop that one, or give this one its own journal.path", .0.display())]
    InUse(PathBuf),
    /// Some other program's file, or no database at all.
    #[error("{} is not a journal of this program; set journal.path to another file, or move this one away", .0.display())]
    Foreign(PathBuf),
    /// Written by a newer version.
    #[error(
        "the journal {} has format {found}, and this version reads up to {known}; run the newer version that wrote it",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Written by an older version, and only to be looked at.
    #[error("the journal {} has format {found}, older than {known}; the next start of the service brings it up to date", path.display())]
    Older {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Damaged.
    #[error("the journal {} is damaged ({cause}); restore a copy of it, or move it away to start with an empty one", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was found.
        cause: rusqlite::Error,
    },
    /// The folder or file cannot be made or read.
    #[error("the journal {} cannot be opened: {cause}; check its folder, permissions and free space", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// Anything else the database says.
    #[error("the journal {} cannot be opened: {cause}; check its folder, permissions and free space", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What was found.
        cause: rusqlite::Error,
    },
}

/// Why records were not appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// No space. The log works again once there is some.
    #[error("the disk or the journal's quota is full: {0}")]
    Full(rusqlite::Error),
    /// It cannot be written now; it may be later.
    #[error("the journal cannot be written: {0}")]
    Unwritable(rusqlite::Error),
    /// Whether the disk has it is unknown and cannot be asked: the process must end and read the log anew. A failed
    /// fsync is never tried again, because the system may have dropped the pages and then report success.
    #[error("the journal's disk failed: {0}; the process must end")]
    Fatal(rusqlite::Error),
    /// Somebody else appended.
    #[error("the journal is at record {found}, not at {expected}")]
    Conflict {
        /// What the caller took for the last record.
        expected: u64,
        /// The last record.
        found: u64,
    },
}

/// Why records cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The first records are not there, and no snapshot stands for them.
    #[error("record {seq} of the journal {} is missing; put its snapshot files back beside it, or restore a copy", path.display())]
    Missing {
        /// Which.
        seq: u64,
        /// The file.
        path: PathBuf,
    },
    /// The reader could make nothing of it.
    #[error("record {seq} of the journal {}: {cause}", path.display())]
    Refused {
        /// Which.
        seq: u64,
        /// The file.
        path: PathBuf,
        /// What the reader says.
        cause: ReplayError,
    },
    /// The database cannot be read.
    #[error("the journal {} cannot be read: {cause}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What was found.
        cause: rusqlite::Error,
    },
}

/// The primary and the extended code.
fn codes(cause: &rusqlite::Error) -> (Option<ErrorCode>, i32) {
    cause.sqlite_error().map_or((None, 0), |e| (Some(e.code), e.extended_code))
}

impl AppendError {
    pub(crate) fn of(cause: rusqlite::Error) -> Self {
        match codes(&cause) {
            (_, ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC) => Self::Fatal(cause),
            (Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase), _) => Self::Fatal(cause),
            (Some(ErrorCode::DiskFull), _) => Self::Full(cause),
            _ => Self::Unwritable(cause),
        }
    }
}

impl OpenError {
    pub(crate) fn of(path: PathBuf, cause: rusqlite::Error) -> Self {
        match codes(&cause).0 {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse(path),
            Some(ErrorCode::NotADatabase) => Self::Foreign(path),
            Some(ErrorCode::DatabaseCorrupt) => Self::Corrupt { path, cause },
            _ => Self::Database { path, cause },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append_error(code: i32) -> AppendError {
        AppendError::of(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None))
    }

    #[test]
    fn a_failed_fsync_is_fatal_and_a_full_disk_is_not() {
        assert!(matches!(append_error(ffi::SQLITE_IOERR_FSYNC), AppendError::Fatal(_)));
        assert!(matches!(append_error(ffi::SQLITE_IOERR_DIR_FSYNC), AppendError::Fatal(_)));
        assert!(matches!(append_error(ffi::SQLITE_CORRUPT), AppendError::Fatal(_)));
        assert!(matches!(append_error(ffi::SQLITE_FULL), AppendError::Full(_)));
        assert!(matches!(append_error(ffi::SQLITE_IOERR_WRITE), AppendError::Unwritable(_)));
        assert!(matches!(append_error(ffi::SQLITE_READONLY), AppendError::Unwritable(_)));
    }
}
