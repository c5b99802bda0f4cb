//! A room to bytes and back, so that a start needs only the last snapshot and the records after it.
//!
//! Writes what is of its own; what follows from alerts is made anew. A snapshot of another version is refused and the
//! whole journal replayed instead.

use std::sync::Arc;

use alert::{
    Alert, AlertId, Fingerprint, Incident, IncidentKey, IncidentPhase, Press, Subject, Suppression, SuppressionId,
};
use serde::{Deserialize, Serialize};
use transit::Status;

use crate::{
    CarriedOut, ControlRoom, OpenKey, PressKey, RequestKey, RoomOptions,
    indexes::Raises,
    load::{Load, LoadParts},
    memory::{Kept, Memory},
    timers::Timer,
};

/// Goes up whenever the bytes change their meaning.
const VERSION: u32 = 1;

/// A snapshot that cannot be used; the journal still holds everything.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Not one of ours, or cut off.
    #[error("is no snapshot that this version of the program knows: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// Written by another version.
    #[error("is a snapshot of version {0}, not {VERSION}")]
    Version(u32),
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// A snapshot's text.
#[derive(Serialize, Deserialize)]
struct Parts {
    version: u32,
    seq: u64,
    highest_number: u64,
    #[serde(default)]
    forgotten_seq: u64,
    highest_suppression: SuppressionId,
    alerts: Vec<Arc<Alert>>,
    incidents: Vec<Arc<Incident>>,
    suppressions: Vec<Arc<Suppression>>,
    presses: Kept<PressKey, AlertId>,
    #[serde(default)]
    ends: Kept<OpenKey, Arc<Press>>,
    prints: Kept<Fingerprint, AlertId>,
    #[serde(default)]
    aliases: Kept<IncidentKey, IncidentKey>,
    requests: Kept<RequestKey, Arc<CarriedOut>>,
    closed_alerts: Kept<AlertId, ()>,
    #[serde(default)]
    ended: Kept<OpenKey, AlertId>,
    closed_incidents: Kept<IncidentKey, ()>,
    ended_suppressions: Kept<SuppressionId, ()>,
    raises: Vec<((String, Status), Raises)>,
    load: LoadParts,
}

/// The bytes of a room. Its options are not among them: they are told at start.
pub fn encode_snapshot(room: &ControlRoom) -> Vec<u8> {
    let parts = Parts {
        version: VERSION,
        seq: room.seq,
        highest_number: room.highest_number,
        forgotten_seq: room.forgotten_seq,
        highest_suppression: room.highest_suppression,
        alerts: room.alerts.values().cloned().collect(),
        incidents: room.incidents.values().cloned().collect(),
        suppressions: room.suppressions.values().cloned().collect(),
        presses: room.presses.to_kept(),
        ends: room.ends.to_kept(),
        prints: room.prints.to_kept(),
        aliases: room.aliases.to_kept(),
        requests: room.requests.to_kept(),
        closed_alerts: room.closed_alerts.to_kept(),
        ended: room.ended.to_kept(),
        closed_incidents: room.closed_incidents.to_kept(),
        ended_suppressions: room.ended_suppressions.to_kept(),
        raises: room.raises.iter().map(|(key, raises)| (key.clone(), raises.clone())).collect(),
        load: room.load.to_parts(),
    };
    serde_json::to_vec(&parts).expect("a room holds only text keys, so it always has a JSON form")
}

/// Reads a room. Replaying the records after [`ControlRoom::seq`] on it gives the room of the whole journal.
///
/// # Errors
/// Not a snapshot, or one of another version.
pub fn decode_snapshot(bytes: &[u8], options: RoomOptions) -> Result<ControlRoom, SnapshotError> {
    let Versioned { version } = serde_json::from_slice(bytes)?;
    if version != VERSION {
        return Err(SnapshotError::Version(version));
    }
    let parts: Parts = serde_json::from_slice(bytes)?;
    let mut room = ControlRoom {
        seq: parts.seq,
        highest_number: parts.highest_number,
        forgotten_seq: parts.forgotten_seq,
        highest_suppression: parts.highest_suppression,
        presses: Memory::from_kept(parts.presses),
        ends: Memory::from_kept(parts.ends),
        prints: Memory::from_kept(parts.prints),
        aliases: Memory::from_kept(parts.aliases),
        requests: Memory::from_kept(parts.requests),
        closed_alerts: Memory::from_kept(parts.closed_alerts),
        ended: Memory::from_kept(parts.ended),
        closed_incidents: Memory::from_kept(parts.closed_incidents),
        ended_suppressions: Memory::from_kept(parts.ended_suppressions),
        raises: parts.raises.into_iter().collect(),
        load: Load::from_parts(parts.load),
        ..ControlRoom::new(options)
    };
    for alert in parts.alerts {
        if alert.is_open() {
            room.open.insert(OpenKey::of(&alert), alert.id.clone());
            room.open_unparsed += usize::from(matches!(alert.subject, Subject::Unparsed(_)));
        }
        room.ties.add(&alert);
        if !alert.accounted.is_empty() {
            room.accounting.insert(alert.id.clone());
        }
        room.timers.set_alert(&alert);
        room.by_seq.insert((alert.seq, alert.id.clone()));
        room.alerts.insert(alert.id.clone(), alert);
    }
    for incident in parts.incidents {
        let key = incident.report.key.clone();
        room.open_incidents += usize::from(incident.phase == IncidentPhase::Active);
        room.timers.set(Timer::Incident(key.clone()), incident.due_at());
        if incident.may_explain() {
            room.explaining.insert(key.clone());
        }
        room.incidents.insert(key, incident);
    }
    for suppression in parts.suppressions {
        let ends = suppression.ended_at.is_none().then_some(suppression.request.until);
        room.timers.set(Timer::Suppression(suppression.id), ends);
        room.suppressions.insert(suppression.id, suppression);
    }
    Ok(room)
}
