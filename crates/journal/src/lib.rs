//! The durable record: append, fsync, read back. What is appended here has happened; everything else can be told again.
//!
//! Knows nothing of alerts or vehicles: a record is bytes with a number. Start at [`RecordLog`]; [`SqliteLog`] keeps
//! one in a file of its own.

mod error;
mod record;
mod snapshot;
mod sqlite;

pub use error::{AppendError, OpenError, ReadError};
pub use record::{Checksum, Reader, Record, RecordLog, ReplayError, Tail};
/// What the database says, inside the errors above.
pub use rusqlite::Error as DatabaseError;
pub use snapshot::{Snapshot, SnapshotFiles};
pub use sqlite::{Inspection, SqliteLog};
