//! The room as its journal left it: the newest snapshot that belongs to this journal, and every record after it.

use journal::{ReadError, RecordLog, Snapshot, SnapshotFiles};
use room::{ControlRoom, RoomOptions};

/// Records after which a new snapshot is worth its writing: replaying them takes tenths of a second.
pub(crate) const SNAPSHOT_EVERY: u64 = 10_000;
/// Nor is one begun sooner than this after the last, in milliseconds.
pub(crate) const SNAPSHOT_REST_MS: u64 = 10_000;

/// What the start found.
pub(crate) struct Restored {
    pub(crate) room: ControlRoom,
    /// Record that the newest usable snapshot follows, 0 for none.
    pub(crate) snapshot_seq: u64,
    /// Records that were found damaged, and set aside.
    pub(crate) set_aside: Vec<u64>,
    /// Records applied after the snapshot.
    pub(crate) replayed: u64,
}

/// Rebuilds the room, by `apply` alone.
///
/// # Errors
/// A journal that cannot be read, or a record that no version up to this one wrote.
pub(crate) fn restore(
    journal: &mut dyn RecordLog,
    snapshots: &SnapshotFiles,
    options: &RoomOptions,
) -> anyhow::Result<Restored> {
    let snapshot = newest_of_this_journal(journal, snapshots, options)?;
    let (mut room, snapshot_seq) = snapshot.unwrap_or_else(|| (ControlRoom::new(options.clone()), 0));
    let tail = journal.tail(snapshot_seq + 1, &mut |seq, bytes| {
        match bytes {
            Some(bytes) => room.apply(&room::decode(bytes)?),
            None => room.pass_over(),
        }
        if room.seq() == seq { Ok(()) } else { Err(format!("record {seq} left the room at {}", room.seq()).into()) }
    })?;
    Ok(Restored { replayed: room.seq() - snapshot_seq, room, snapshot_seq, set_aside: tail.set_aside })
}

/// A snapshot whose record the journal does not have in the same words is another journal's, or the journal is an
/// older copy: neither may stand for what is not on record.
fn newest_of_this_journal(
    journal: &mut dyn RecordLog,
    snapshots: &SnapshotFiles,
    options: &RoomOptions,
) -> Result<Option<(ControlRoom, u64)>, ReadError> {
    for Snapshot { seq, checksum, body } in snapshots.load() {
        if journal.checksum(seq)? != Some(checksum) {
            tracing::warn!(snapshot.seq = seq, "a snapshot is not of this journal and is left out");
            continue;
        }
        match room::decode_snapshot(&body, options.clone()) {
            Ok(room) if room.seq() == seq => return Ok(Some((room, seq))),
            Ok(_) => tracing::warn!(snapshot.seq = seq, "a snapshot says another number than its room"),
            Err(error) => tracing::warn!(snapshot.seq = seq, %error, "a snapshot is of another version"),
        }
    }
    Ok(None)
}

#[cfg(test)]
pub(crate) mod tests;
