//! Alerts, alarms and incidents: what an operator must act on, and what happened in the world.
//!
//! Knows no geometry, no wire format, no clock and no HTTP. Start at [`Alert`]; what may happen to one is in
//! `Change`, made by the room's `decide` and carried out by `apply`.

mod alarm;
mod change;
mod command;
mod finding;
mod incident;
mod kinds;
mod life;
mod raise;
mod record;

pub use alarm::{AlarmReport, AlarmSubject, Fingerprint};
pub use change::{Author, Change, Press};
pub use command::{Actor, Command, Order, Refusal};
pub use finding::{Evidence, Finding, FindingVerdict};
pub use incident::{
    ActivePeriod, Affected, Incident, IncidentKey, IncidentOutcome, IncidentReport, IncidentWithdrawal,
};
pub use kinds::{
    AlarmKind, AlarmPhase, AlarmSource, AlertClass, AlertCondition, Certainty, CloseReason, IncidentKind,
    IncidentPhase, KindFacts, Priority, Severity, Urgency,
};
pub use life::{REALARM_AFTER_ACK_MS, REALARM_EVERY_MS};
pub use raise::{has_plausible_time, priority_of};
pub use record::{Acknowledgement, Alert, AlertId, Closing, HistoryEntry, Subject};
