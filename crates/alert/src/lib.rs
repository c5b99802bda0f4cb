//! Alerts, alarms and incidents: what an operator must act on, and what happened in the world.
//!
//! Knows no geometry, no wire format, no clock and no HTTP. Start at [`Alert`]; what may happen to one is in
//! `Change`, made by the room's `decide` and carried out by `apply`.

mod alarm;
mod change;
mod clearing;
mod command;
mod deed;
mod explained;
mod finding;
mod history;
mod incident;
mod judge;
mod kinds;
mod life;
mod opened;
mod raise;
mod record;
mod silence;
mod suppression;

pub use alarm::{AlarmReport, AlarmSubject, Fingerprint};
pub use change::{Author, Change, Ordered, Press};
pub use clearing::{Arming, ClearProposal, IncidentTurn};
pub use command::{Actor, Command, IncidentDeed, Order, Refusal};
pub use deed::{Deed, Mark, OperatorAlert, Renewal, Turn};
pub use explained::Explanation;
pub use finding::{Evidence, Finding, FindingVerdict};
pub use incident::{
    ActivePeriod, Affected, Incident, IncidentKey, IncidentOutcome, IncidentReport, IncidentWithdrawal, Publication,
};
pub use judge::{REALARM_AFTER_ACK_MS, REALARM_EVERY_MS, UNACCOUNTED};
pub use kinds::{
    AlarmKind, AlarmPhase, AlarmSource, AlertClass, AlertCondition, AlertOrigin, Certainty, CloseReason, IncidentKind,
    IncidentPhase, KindFacts, MarkStep, Priority, Severity, ShelfKind, Urgency,
};
pub use raise::{has_plausible_time, priority_of};
pub use record::{Accounted, Acknowledgement, Alert, AlertId, Closing, HistoryEntry, Subject};
pub use silence::{Due, Flap, Shelf, Silence};
pub use suppression::{Suppression, SuppressionId, SuppressionRequest};
