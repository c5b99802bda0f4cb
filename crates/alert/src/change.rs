//! What a decision did: the journal's records. Their JSON text is a format on disk; a test pins it.
//!
//! Decides nothing. A change carries every verdict with it, so that replaying it runs no rule.

use serde::{Deserialize, Serialize};
use transit::UtcMillis;

use crate::{Actor, AlarmSource, Alert, AlertId, CloseReason, Fingerprint, Incident, IncidentKey, Priority};

/// One step of the room. Each is one record of the journal with its own sequence number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A new occurrence; its history and sequence are made when it is applied.
    AlertRaised {
        /// As raised.
        alert: Box<Alert>,
        /// Identity of the message.
        fingerprint: Fingerprint,
        /// Event id and event time together name this press.
        identified: bool,
    },
    /// A new press of an open alert.
    AlertRepeated {
        /// Which.
        alert: AlertId,
        /// Decided at.
        at: UtcMillis,
        /// It sounds again and is nobody's.
        re_alarmed: bool,
        /// What it said.
        press: Press,
    },
    /// The source is normal again; a latched alert stays active.
    AlertSourceNormal {
        /// Which.
        alert: AlertId,
        /// Decided at.
        at: UtcMillis,
        /// What it said.
        press: Press,
    },
    /// The condition of an alert that is not latched went away.
    AlertCleared {
        /// Which.
        alert: AlertId,
        /// Decided at.
        at: UtcMillis,
        /// What it said.
        press: Press,
    },
    /// A person took it.
    AlertAcknowledged {
        /// Which.
        alert: AlertId,
        /// Decided at.
        at: UtcMillis,
        /// Who.
        actor: Actor,
        /// `count` as read.
        seen: Option<u32>,
        /// Free text.
        comment: Option<String>,
        /// The order's idempotency key.
        request_id: String,
    },
    /// It is final. One that nobody had is acknowledged by the same stroke.
    AlertClosed {
        /// Which.
        alert: AlertId,
        /// Decided at.
        at: UtcMillis,
        /// Who or what.
        author: Author,
        /// Why.
        reason: CloseReason,
        /// Free text.
        comment: Option<String>,
        /// The order's idempotency key; none when it followed from something else.
        request_id: Option<String>,
    },
    /// A new incident, or a new version of one.
    IncidentRecorded(Box<Incident>),
    /// The source took an incident back.
    IncidentWithdrawn {
        /// Which.
        key: IncidentKey,
        /// Decided at.
        at: UtcMillis,
    },
}

/// What one further message of a source adds to an open alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Press {
    /// Identity of the message.
    pub fingerprint: Fingerprint,
    /// Event id and event time together name this press.
    pub identified: bool,
    /// The device's id of it.
    pub event_id: Option<String>,
    /// The device's clock.
    pub event_at: Option<UtcMillis>,
    /// `event_at` can be true.
    pub plausible: bool,
    /// When we received it.
    pub received_at: UtcMillis,
    /// Who pressed.
    pub source: AlarmSource,
    /// How urgent it is by itself.
    pub priority: Priority,
    /// Displays stay silent.
    pub covert: bool,
    /// Delivered from the retained store.
    pub retained: bool,
    /// Degrees north.
    pub lat: Option<f64>,
    /// Degrees east.
    pub lon: Option<f64>,
    /// What is doubtful.
    pub quality: Vec<String>,
    /// Free text.
    pub text: Option<String>,
    /// People on board.
    pub passengers: Option<u32>,
}

/// Who or what ended an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// A person.
    Person(Actor),
    /// The source whose condition went away.
    Source(AlarmSource),
}

impl Change {
    /// When it was decided. Everything that ages in the room ages by this, so that replay ages it the same.
    pub fn at(&self) -> UtcMillis {
        match self {
            Self::AlertRaised { alert, .. } => alert.raised_at,
            Self::IncidentRecorded(incident) => incident.updated_at,
            Self::AlertRepeated { at, .. }
            | Self::AlertSourceNormal { at, .. }
            | Self::AlertCleared { at, .. }
            | Self::AlertAcknowledged { at, .. }
            | Self::AlertClosed { at, .. }
            | Self::IncidentWithdrawn { at, .. } => *at,
        }
    }

    /// The alert it changes, if it changes one.
    pub fn alert_id(&self) -> Option<&AlertId> {
        match self {
            Self::AlertRaised { alert, .. } => Some(&alert.id),
            Self::AlertRepeated { alert, .. }
            | Self::AlertSourceNormal { alert, .. }
            | Self::AlertCleared { alert, .. }
            | Self::AlertAcknowledged { alert, .. }
            | Self::AlertClosed { alert, .. } => Some(alert),
            Self::IncidentRecorded(_) | Self::IncidentWithdrawn { .. } => None,
        }
    }

    /// The idempotency key of the order it carries out, scoped to the person; for the journal's key column.
    pub fn request_key(&self) -> Option<String> {
        match self {
            Self::AlertAcknowledged { actor, request_id, .. }
            | Self::AlertClosed { author: Author::Person(actor), request_id: Some(request_id), .. } => {
                Some(format!("{}\u{1f}{request_id}", actor.by))
            }
            Self::AlertRaised { .. }
            | Self::AlertRepeated { .. }
            | Self::AlertSourceNormal { .. }
            | Self::AlertCleared { .. }
            | Self::AlertClosed { .. }
            | Self::IncidentRecorded(_)
            | Self::IncidentWithdrawn { .. } => None,
        }
    }
}
