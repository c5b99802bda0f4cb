//! What a decision did: the journal's records. Their JSON text is a format on disk; a test pins it.
//!
//! Decides nothing. A change carries every verdict with it, so that replaying it runs no rule.

use serde::{Deserialize, Serialize};
use transit::{Status, UtcMillis};

use crate::{
    Actor, AlarmSource, Alert, AlertId, CloseReason, Deed, Fingerprint, Incident, IncidentDeed, IncidentKey,
    OperatorAlert, Priority, Renewal, Subject, Suppression, SuppressionId, Turn, record::is_default,
};

/// One step of the room. Each is one record of the journal with its own sequence number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A new occurrence; its history and sequence are made when it is applied.
    AlertRaised {
        /// As raised.
        alert: Box<Alert>,
        /// Identity of the message; none where no message raised it.
        #[serde(default, skip_serializing_if = "is_default")]
        fingerprint: Option<Fingerprint>,
        /// Event id and event time together name this press.
        #[serde(default)]
        identified: bool,
        /// The order, where an operator raised it.
        #[serde(default, skip_serializing_if = "is_default")]
        ordered: Option<Box<Ordered>>,
    },
    /// A new press of an open alert.
    AlertRepeated {
        /// Which.
        alert: AlertId,
        /// Decided at.
        at: UtcMillis,
        /// It sounds again and is nobody's.
        re_alarmed: bool,
        /// It sounds.
        #[serde(default, skip_serializing_if = "is_default")]
        sounds: bool,
        /// It chatters: held open and silent until then, if nothing more comes.
        #[serde(default, skip_serializing_if = "is_default")]
        release_at: Option<UtcMillis>,
        /// What it said.
        press: Press,
        /// When it has to be taken, where that starts anew.
        #[serde(default, skip_serializing_if = "is_default")]
        ack_due_at: Option<UtcMillis>,
    },
    /// A rule, or an operator, says of an open alert what is new about it.
    AlertRenewed {
        /// Which.
        alert: AlertId,
        /// Decided at.
        at: UtcMillis,
        /// Who says so.
        author: Author,
        /// What is new.
        renewal: Box<Renewal>,
        /// The order, where an operator says so.
        #[serde(default, skip_serializing_if = "is_default")]
        ordered: Option<Box<Ordered>>,
    },
    /// The source is normal again; a latched alert stays active.
    AlertSourceNormal {
        /// Which.
        alert: AlertId,
        /// Decided at.
        at: UtcMillis,
        /// What it said; none where a rule found so.
        #[serde(default, skip_serializing_if = "is_default")]
        press: Option<Press>,
    },
    /// A source says of a press that has not come that it is over.
    EndCameFirst {
        /// About what the press would be.
        subject: Subject,
        /// The rule that it would raise.
        rule: String,
        /// And as what.
        status: Status,
        /// Decided at.
        at: UtcMillis,
        /// What it said.
        press: Box<Press>,
    },
    /// The condition of an alert that is not latched went away.
    AlertCleared {
        /// Which.
        alert: AlertId,
        /// Decided at.
        at: UtcMillis,
        /// What it said; none where a rule found so.
        #[serde(default, skip_serializing_if = "is_default")]
        press: Option<Press>,
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
        /// When its owner is asked whether they still have it.
        #[serde(default, skip_serializing_if = "is_default")]
        remind_at: Option<UtcMillis>,
    },
    /// A person did something else to it.
    AlertTended {
        /// Which.
        alert: AlertId,
        /// Decided at.
        at: UtcMillis,
        /// Who.
        actor: Actor,
        /// What.
        deed: Deed,
        /// Free text.
        comment: Option<String>,
        /// The order's idempotency key.
        request_id: String,
        /// When it has to be taken, or its owner is asked, where that starts anew.
        due_at: Option<UtcMillis>,
    },
    /// Something happened to it by itself.
    AlertTurned {
        /// Which.
        alert: AlertId,
        /// Decided at.
        at: UtcMillis,
        /// What.
        turn: Turn,
        /// It sounds.
        sounds: bool,
        /// When the next such thing is due.
        due_at: Option<UtcMillis>,
    },
    /// A person put alerts to an incident, or took them from it.
    AlertsGrouped {
        /// The incident.
        incident: IncidentKey,
        /// Which alerts.
        alerts: Vec<AlertId>,
        /// Put to it, or taken from it.
        joined: bool,
        /// Decided at.
        at: UtcMillis,
        /// Who.
        actor: Actor,
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
        /// `count` as a person read it.
        #[serde(default, skip_serializing_if = "is_default")]
        seen: Option<u32>,
        /// Free text.
        comment: Option<String>,
        /// The order's idempotency key; none when it followed from something else.
        request_id: Option<String>,
    },
    /// A new incident, or a new version of one.
    IncidentRecorded(Box<Incident>),
    /// A source calls an incident by other ids as well; what it says of them is about this one.
    IncidentNamed {
        /// Which.
        key: IncidentKey,
        /// The ids, in the same source.
        names: Vec<String>,
        /// Decided at.
        at: UtcMillis,
    },
    /// The source took an incident back.
    IncidentWithdrawn {
        /// Which.
        key: IncidentKey,
        /// Decided at.
        at: UtcMillis,
    },
    /// A planned incident's time has come.
    IncidentStarted {
        /// Which.
        key: IncidentKey,
        /// Decided at.
        at: UtcMillis,
    },
    /// One of an incident's periods is over and another is to come: it is planned again until then.
    IncidentRested {
        /// Which.
        key: IncidentKey,
        /// Decided at.
        at: UtcMillis,
        /// When the next of its periods begins.
        starts_at: UtcMillis,
    },
    /// The time until which an area was armed is over, or the last of an incident's periods.
    IncidentEnded {
        /// Which.
        key: IncidentKey,
        /// Decided at.
        at: UtcMillis,
    },
    /// A person opened, changed, closed, published or unpublished an incident.
    IncidentOrdered {
        /// Which.
        key: IncidentKey,
        /// Decided at.
        at: UtcMillis,
        /// Who.
        actor: Actor,
        /// What.
        deed: IncidentDeed,
        /// The incident as it is from then on.
        incident: Box<Incident>,
        /// Free text.
        comment: Option<String>,
        /// The order's idempotency key.
        request_id: String,
    },
    /// Alerts are silent by design from now on.
    SuppressionStarted {
        /// Which.
        suppression: Box<Suppression>,
        /// The order's idempotency key.
        request_id: String,
    },
    /// They are no longer.
    SuppressionEnded {
        /// Which.
        id: SuppressionId,
        /// Decided at.
        at: UtcMillis,
        /// Who, or its time.
        author: Author,
        /// Free text.
        comment: Option<String>,
        /// The order's idempotency key; none when its time was over.
        request_id: Option<String>,
    },
    /// The wall clock was set; what is due after a span of time moves with it.
    ClockStepped {
        /// After the step.
        at: UtcMillis,
        /// Milliseconds it jumped ahead; negative when it was set back.
        by_ms: i64,
    },
}

/// An operator's order to raise an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ordered {
    /// Who.
    pub actor: Actor,
    /// The order's idempotency key.
    pub request_id: String,
    /// What they said.
    pub said: OperatorAlert,
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

/// Who or what did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// A person.
    Person(Actor),
    /// The source whose condition went away.
    Source(AlarmSource),
    /// A rule, by its code.
    Detector(String),
    /// Its time had come.
    Timer,
}

impl Change {
    /// When it was decided. Everything that ages in the room ages by this, so that replay ages it the same.
    pub fn at(&self) -> UtcMillis {
        match self {
            Self::AlertRaised { alert, .. } => alert.raised_at,
            Self::IncidentRecorded(incident) => incident.updated_at,
            Self::SuppressionStarted { suppression, .. } => suppression.started_at,
            Self::AlertRepeated { at, .. }
            | Self::AlertRenewed { at, .. }
            | Self::AlertSourceNormal { at, .. }
            | Self::EndCameFirst { at, .. }
            | Self::AlertCleared { at, .. }
            | Self::AlertAcknowledged { at, .. }
            | Self::AlertTended { at, .. }
            | Self::AlertTurned { at, .. }
            | Self::AlertsGrouped { at, .. }
            | Self::AlertClosed { at, .. }
            | Self::IncidentNamed { at, .. }
            | Self::IncidentWithdrawn { at, .. }
            | Self::IncidentStarted { at, .. }
            | Self::IncidentRested { at, .. }
            | Self::IncidentEnded { at, .. }
            | Self::IncidentOrdered { at, .. }
            | Self::SuppressionEnded { at, .. }
            | Self::ClockStepped { at, .. } => *at,
        }
    }

    /// The alert it changes, if it changes one and no more.
    pub fn alert_id(&self) -> Option<&AlertId> {
        match self {
            Self::AlertRaised { alert, .. } => Some(&alert.id),
            Self::AlertRepeated { alert, .. }
            | Self::AlertRenewed { alert, .. }
            | Self::AlertSourceNormal { alert, .. }
            | Self::AlertCleared { alert, .. }
            | Self::AlertAcknowledged { alert, .. }
            | Self::AlertTended { alert, .. }
            | Self::AlertTurned { alert, .. }
            | Self::AlertClosed { alert, .. } => Some(alert),
            Self::AlertsGrouped { .. }
            | Self::EndCameFirst { .. }
            | Self::IncidentRecorded(_)
            | Self::IncidentNamed { .. }
            | Self::IncidentWithdrawn { .. }
            | Self::IncidentStarted { .. }
            | Self::IncidentRested { .. }
            | Self::IncidentEnded { .. }
            | Self::IncidentOrdered { .. }
            | Self::SuppressionStarted { .. }
            | Self::SuppressionEnded { .. }
            | Self::ClockStepped { .. } => None,
        }
    }

    /// Whether it changes any alert.
    pub fn touches_alerts(&self) -> bool {
        self.alert_id().is_some()
            || matches!(self, Self::AlertsGrouped { .. } | Self::ClockStepped { .. })
            || !self.formed_of().is_empty()
    }

    /// The alerts that are put to an incident as it is opened.
    pub fn formed_of(&self) -> &[AlertId] {
        if let Self::IncidentOrdered { deed: IncidentDeed::Form { alerts, .. }, .. } = self { alerts } else { &[] }
    }

    /// Whether it changes an incident.
    pub fn touches_incidents(&self) -> bool {
        self.incident_key().is_some()
    }

    /// The incident it changes, if it changes one.
    pub fn incident_key(&self) -> Option<&IncidentKey> {
        if let Self::IncidentRecorded(incident) = self {
            return Some(&incident.report.key);
        }
        if let Self::IncidentWithdrawn { key, .. }
        | Self::IncidentStarted { key, .. }
        | Self::IncidentRested { key, .. }
        | Self::IncidentEnded { key, .. }
        | Self::IncidentOrdered { key, .. } = self
        {
            return Some(key);
        }
        None
    }

    /// Who gave the order that it carries out, and by which key.
    pub fn ordered_by(&self) -> Option<(&Actor, &str)> {
        match self {
            Self::AlertAcknowledged { actor, request_id, .. }
            | Self::AlertTended { actor, request_id, .. }
            | Self::AlertsGrouped { actor, request_id, .. }
            | Self::IncidentOrdered { actor, request_id, .. }
            | Self::AlertClosed { author: Author::Person(actor), request_id: Some(request_id), .. }
            | Self::SuppressionEnded { author: Author::Person(actor), request_id: Some(request_id), .. } => {
                Some((actor, request_id))
            }
            Self::SuppressionStarted { suppression, request_id } => Some((&suppression.actor, request_id)),
            Self::AlertRaised { ordered: Some(ordered), .. } | Self::AlertRenewed { ordered: Some(ordered), .. } => {
                Some((&ordered.actor, &ordered.request_id))
            }
            Self::AlertRaised { .. }
            | Self::AlertRenewed { .. }
            | Self::AlertRepeated { .. }
            | Self::AlertSourceNormal { .. }
            | Self::EndCameFirst { .. }
            | Self::AlertCleared { .. }
            | Self::AlertTurned { .. }
            | Self::AlertClosed { .. }
            | Self::IncidentRecorded(_)
            | Self::IncidentNamed { .. }
            | Self::IncidentWithdrawn { .. }
            | Self::IncidentStarted { .. }
            | Self::IncidentRested { .. }
            | Self::IncidentEnded { .. }
            | Self::SuppressionEnded { .. }
            | Self::ClockStepped { .. } => None,
        }
    }

    /// The idempotency key of the order it carries out, scoped to the person; for the journal's key column.
    pub fn request_key(&self) -> Option<String> {
        self.ordered_by().map(|(actor, request_id)| format!("{}\u{1f}{request_id}", actor.by))
    }
}
