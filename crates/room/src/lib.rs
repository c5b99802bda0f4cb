//! The control room: decides before it records, acts after.
//!
//! Knows no IO of any kind. [`ControlRoom::decide`] makes every verdict and changes nothing; the owner task appends the
//! changes to the journal; [`ControlRoom::apply`] makes them so and decides nothing, so that replay gives the same room.
//! A room is cheap to clone: readers hold a clone, the owner task stages a batch on one and keeps it only when the
//! journal has it.

mod apply;
mod codec;
mod decide;
mod memory;
mod options;
mod verdict;

use std::sync::Arc;

use alert::{Alert, AlertId, Fingerprint, Incident, IncidentKey, Order, Subject};
use imbl::OrdMap;
use transit::{Status, UtcMillis};

pub use codec::{CodecError, decode, encode};
pub use options::RoomOptions;
pub use verdict::{Decision, Input, Verdict};

use memory::Memory;

/// Alerts and incidents as of one journal record.
#[derive(Debug, Clone, Default)]
pub struct ControlRoom {
    options: Arc<RoomOptions>,
    seq: u64,
    highest_number: u64,
    alerts: OrdMap<AlertId, Arc<Alert>>,
    incidents: OrdMap<IncidentKey, Arc<Incident>>,
    /// At most one open alert per key.
    open: OrdMap<OpenKey, AlertId>,
    open_unparsed: usize,
    open_incidents: usize,
    /// Presses by what the device calls them.
    presses: Memory<PressKey, AlertId>,
    /// Presses by their bytes.
    prints: Memory<Fingerprint, AlertId>,
    requests: Memory<RequestKey, Arc<Order>>,
    closed_alerts: Memory<AlertId, ()>,
    closed_incidents: Memory<IncidentKey, ()>,
}

/// What one open alert is about. Status belongs to it: a test must never swallow a real press.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct OpenKey {
    subject: Subject,
    rule: String,
    status: Status,
}

impl OpenKey {
    fn of(alert: &Alert) -> Self {
        Self { subject: alert.subject.clone(), rule: alert.rule.clone(), status: alert.status }
    }
}

/// A press as its device names it. The time belongs to it, because device counters restart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct PressKey {
    subject: Subject,
    ended: bool,
    event_id: String,
    event_at: UtcMillis,
}

/// An order as its giver names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct RequestKey {
    by: String,
    request_id: String,
}

impl ControlRoom {
    /// An empty room.
    pub fn new(options: RoomOptions) -> Self {
        Self { options: Arc::new(options), ..Self::default() }
    }

    /// Sequence of the last record applied; gap-free.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Every kept alert, closed ones too, oldest first.
    pub fn alerts(&self) -> impl Iterator<Item = &Arc<Alert>> {
        self.alerts.values()
    }

    /// One alert.
    pub fn find_alert(&self, id: &AlertId) -> Option<&Arc<Alert>> {
        self.alerts.get(id)
    }

    /// Every kept incident, closed ones too.
    pub fn incidents(&self) -> impl Iterator<Item = &Arc<Incident>> {
        self.incidents.values()
    }

    /// One incident.
    pub fn find_incident(&self, key: &IncidentKey) -> Option<&Arc<Incident>> {
        self.incidents.get(key)
    }
}
