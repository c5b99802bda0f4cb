//! The control room: decides before it records, acts after.
//!
//! Knows no IO of any kind. [`ControlRoom::decide`] makes every verdict and changes nothing; the owner task appends the
//! changes to the journal; [`ControlRoom::apply`] makes them so and decides nothing, so that replay gives the same room.
//! A room is cheap to clone: readers hold a clone, the owner task stages a batch on one and keeps it only when the
//! journal has it.

mod apply;
mod codec;
mod decide;
mod indexes;
mod load;
mod memory;
mod options;
mod snapshot;
mod timers;
mod verdict;

use std::sync::Arc;

use alert::{Alert, AlertId, Fingerprint, Incident, IncidentKey, Order, Press, Subject, Suppression, SuppressionId};
use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};
use transit::{Status, UtcMillis};

pub use codec::{CodecError, decode, encode};
pub use decide::{Extent, extent_of};
pub use load::{DeskLoad, EVERYWHERE};
pub use options::{Desk, RoomOptions};
pub use snapshot::{SnapshotError, decode_snapshot, encode_snapshot};
pub use verdict::{Decision, Input, Verdict};

use indexes::{RaisesByRule, Ties};
use load::Load;
use memory::Memory;
use timers::Timers;

/// Alerts and incidents as of one journal record.
#[derive(Debug, Clone, Default)]
pub struct ControlRoom {
    options: Arc<RoomOptions>,
    seq: u64,
    highest_number: u64,
    /// The highest sequence of an alert that was dropped from memory.
    forgotten_seq: u64,
    alerts: OrdMap<AlertId, Arc<Alert>>,
    /// The same by their last record; follows from them.
    by_seq: OrdSet<(u64, AlertId)>,
    /// Those of whose missed ones persons accounted for some; follows from them.
    accounting: OrdSet<AlertId>,
    incidents: OrdMap<IncidentKey, Arc<Incident>>,
    /// At most one open alert per key.
    open: OrdMap<OpenKey, AlertId>,
    open_unparsed: usize,
    open_incidents: usize,
    /// Open incidents with an effect that explains some alerts; follows from them.
    explaining: OrdSet<IncidentKey>,
    /// Presses by what the device calls them.
    presses: Memory<PressKey, AlertId>,
    /// The newest end that a source told of each of its alerts, open or not.
    ends: Memory<OpenKey, Arc<Press>>,
    /// Presses by their bytes.
    prints: Memory<Fingerprint, AlertId>,
    /// Incidents by what else their sources call them.
    aliases: Memory<IncidentKey, IncidentKey>,
    requests: Memory<RequestKey, Arc<CarriedOut>>,
    closed_alerts: Memory<AlertId, ()>,
    /// What cleared and ended a moment ago: what comes back so soon chatters, though it is another occurrence.
    ended: Memory<OpenKey, AlertId>,
    closed_incidents: Memory<IncidentKey, ()>,
    suppressions: OrdMap<SuppressionId, Arc<Suppression>>,
    highest_suppression: SuppressionId,
    ended_suppressions: Memory<SuppressionId, ()>,
    /// What each rule raised within the last minute.
    raises: RaisesByRule,
    /// What concerns open alerts together; follows from them.
    ties: Ties,
    /// What is due; follows from the rest.
    timers: Timers,
    load: Load,
}

/// What one open alert is about. Status belongs to it: a test must never swallow a real press.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct OpenKey {
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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct PressKey {
    subject: Subject,
    ended: bool,
    event_id: String,
    event_at: UtcMillis,
}

/// An order as its giver names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct RequestKey {
    by: String,
    request_id: String,
}

/// An order that was carried out, and on what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct CarriedOut {
    order: Order,
    target: Target,
}

/// What an order was carried out on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Target {
    Alert(AlertId),
    Incident(IncidentKey),
    Suppression(SuppressionId),
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

    /// When the newest record was made that any of its alerts and incidents follow; looks through all of them.
    pub fn latest_at(&self) -> UtcMillis {
        let alerts = self.alerts.values().filter_map(|alert| Some((alert.seq, alert.history.last()?.at)));
        let incidents = self.incidents.values().map(|incident| (incident.seq, incident.updated_at));
        alerts.chain(incidents).max_by_key(|(seq, _)| *seq).map(|(_, at)| at).unwrap_or_default()
    }

    /// Every kept alert, closed ones too, oldest first.
    pub fn alerts(&self) -> impl Iterator<Item = &Arc<Alert>> {
        self.alerts.values()
    }

    /// Every kept alert whose last record is `seq` or a later one, in the order of their last records.
    pub fn alerts_since(&self, seq: u64) -> impl Iterator<Item = &Arc<Alert>> {
        let first = (seq, AlertId { date: 0, number: 0 });
        self.by_seq.range(first..).filter_map(|(_, id)| self.alerts.get(id))
    }

    /// One alert.
    pub fn find_alert(&self, id: &AlertId) -> Option<&Arc<Alert>> {
        self.alerts.get(id)
    }

    /// The open alert of a rule about a subject, drills and tests apart.
    pub fn find_open_alert(&self, rule: &str, subject: &Subject) -> Option<&Arc<Alert>> {
        let key = OpenKey { subject: subject.clone(), rule: rule.to_owned(), status: Status::Actual };
        self.open.get(&key).and_then(|id| self.alerts.get(id))
    }

    /// Whether an alert of that rule about that subject and of that status is open.
    pub fn is_open(&self, rule: &str, subject: &Subject, status: Status) -> bool {
        self.open.contains_key(&OpenKey { subject: subject.clone(), rule: rule.to_owned(), status })
    }

    /// The kept alerts, open or closed, of whose missed ones persons accounted for some.
    pub fn accounting(&self) -> impl Iterator<Item = &Arc<Alert>> {
        self.accounting.iter().filter_map(|id| self.alerts.get(id))
    }

    /// Sequence of the newest change of which memory no longer has the alert; 0 for none. Whoever has read the alerts
    /// up to here has missed none.
    pub fn forgotten_seq(&self) -> u64 {
        self.forgotten_seq
    }

    /// Every kept incident, closed ones too.
    pub fn incidents(&self) -> impl Iterator<Item = &Arc<Incident>> {
        self.incidents.values()
    }

    /// One incident.
    pub fn find_incident(&self, key: &IncidentKey) -> Option<&Arc<Incident>> {
        self.incidents.get(key)
    }

    /// Every kept suppression, ended ones too, oldest first.
    pub fn suppressions(&self) -> impl Iterator<Item = &Arc<Suppression>> {
        self.suppressions.values()
    }

    /// One suppression.
    pub fn find_suppression(&self, id: SuppressionId) -> Option<&Arc<Suppression>> {
        self.suppressions.get(&id)
    }

    /// When the next timer is due; a tick before then changes nothing.
    pub fn next_due(&self) -> Option<UtcMillis> {
        self.timers.next()
    }

    /// The load figures of every desk at `now`; the first desk counts everything.
    pub fn load(&self, now: UtcMillis) -> Vec<DeskLoad> {
        self.load.figures(&self.options.desks, &self.alerts, now)
    }
}
