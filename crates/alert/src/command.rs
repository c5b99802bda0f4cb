//! What an operator orders, and why an order is refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use transit::{UtcMillis, Word};

use crate::{
    AlertId, CloseReason, Deed, IncidentKey, IncidentReport, OperatorAlert, SuppressionId, SuppressionRequest,
    record::is_default,
};

/// Who orders.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Actor {
    /// The person: the token's name, or the `by` of an open loopback.
    pub by: String,
    /// The desk they sit at.
    pub desk: Option<String>,
    /// They may hand over and release what is somebody else's.
    #[serde(default, skip_serializing_if = "is_default")]
    pub supervisor: bool,
}

/// One order of one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// Who.
    pub actor: Actor,
    /// `Idempotency-Key`, or the default key: by + alert + verb + seen.
    pub request_id: String,
    /// What.
    pub order: Order,
}

/// What may be ordered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Take the alert.
    Acknowledge {
        /// Which.
        alert: AlertId,
        /// `count` as the operator read it.
        seen: Option<u32>,
        /// Free text.
        comment: Option<String>,
    },
    /// End the alert.
    Close {
        /// Which.
        alert: AlertId,
        /// Why.
        reason: CloseReason,
        /// `count` as the operator read it.
        #[serde(default, skip_serializing_if = "is_default")]
        seen: Option<u32>,
        /// Free text.
        comment: Option<String>,
    },
    /// Do something else to the alert.
    Tend {
        /// Which.
        alert: AlertId,
        /// What.
        deed: Deed,
        /// Free text.
        comment: Option<String>,
    },
    /// Raise an alert.
    Raise(Box<OperatorAlert>),
    /// Put alerts to an incident, or take them from it.
    Group {
        /// The incident.
        incident: IncidentKey,
        /// Which alerts.
        alerts: Vec<AlertId>,
        /// Put to it (confirm), or taken from it (split).
        joined: bool,
        /// Free text.
        comment: Option<String>,
    },
    /// Silence alerts by design.
    Suppress(Box<SuppressionRequest>),
    /// End such a silence.
    EndSuppression {
        /// Which.
        id: SuppressionId,
        /// Free text.
        comment: Option<String>,
    },
    /// Do something to an incident.
    Incident {
        /// Which.
        key: IncidentKey,
        /// What.
        deed: IncidentDeed,
        /// Free text.
        comment: Option<String>,
    },
}

/// What an operator may do to an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentDeed {
    /// Report a new one.
    Open(Box<IncidentReport>),
    /// Report a new one that alerts are put to by the same stroke.
    Form {
        /// What it is.
        report: Box<IncidentReport>,
        /// What it is made of.
        alerts: Vec<AlertId>,
    },
    /// Report it anew, in place of what is on record.
    Update(Box<IncidentReport>),
    /// It is over.
    Close,
    /// It goes on, whatever its source's words say.
    Keep,
    /// Arm an area that was kept ready: it is an incident from then on, until the time or a person ends it.
    Arm {
        /// What is armed.
        report: Box<IncidentReport>,
        /// It ends by itself then.
        until: Option<UtcMillis>,
    },
    /// Tell the public, in these words.
    Publish {
        /// Title.
        title: Option<String>,
        /// Text by language ("" = not said).
        text: BTreeMap<String, String>,
    },
    /// Take back what the public was told.
    Withdraw,
}

impl IncidentDeed {
    /// The stable word of it, for keys and history.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Open(_) => "open",
            Self::Form { .. } => "form",
            Self::Update(_) => "update",
            Self::Close => "close",
            Self::Keep => "keep",
            Self::Arm { .. } => "arm",
            Self::Publish { .. } => "publish",
            Self::Withdraw => "withdraw",
        }
    }

    /// The same, its report made into what `of` makes of it.
    fn map_report(&self, of: impl FnOnce(&IncidentReport) -> IncidentReport) -> Self {
        match self {
            Self::Open(report) => Self::Open(Box::new(of(report))),
            Self::Form { report, alerts } => Self::Form { report: Box::new(of(report)), alerts: alerts.clone() },
            Self::Update(report) => Self::Update(Box::new(of(report))),
            Self::Arm { report, until } => Self::Arm { report: Box::new(of(report)), until: *until },
            Self::Close | Self::Keep | Self::Publish { .. } | Self::Withdraw => self.clone(),
        }
    }
}

impl Order {
    /// The alert it is about, where it is about one that is there already.
    pub fn alert(&self) -> Option<&AlertId> {
        match self {
            Self::Acknowledge { alert, .. } | Self::Close { alert, .. } | Self::Tend { alert, .. } => Some(alert),
            Self::Raise(_)
            | Self::Group { .. }
            | Self::Suppress(_)
            | Self::EndSuppression { .. }
            | Self::Incident { .. } => None,
        }
    }

    /// The same, fit to be recorded: figures to what replays exactly.
    #[must_use]
    pub fn kept(&self) -> Self {
        match self {
            Self::Raise(said) => Self::Raise(Box::new(said.kept())),
            Self::Incident { key, deed, comment } => {
                let deed = deed.map_report(IncidentReport::kept);
                Self::Incident { key: key.clone(), deed, comment: comment.clone() }
            }
            Self::Acknowledge { .. }
            | Self::Close { .. }
            | Self::Tend { .. }
            | Self::Group { .. }
            | Self::Suppress(_)
            | Self::EndSuppression { .. } => self.clone(),
        }
    }

    /// Whether both order the same; when each arrived makes no difference.
    pub fn says_as(&self, other: &Self) -> bool {
        let timeless = |deed: &IncidentDeed| {
            deed.map_report(|report| IncidentReport { received_at: UtcMillis(0), ..report.clone() })
        };
        let (
            Self::Incident { key, deed, comment },
            Self::Incident { key: of, deed: other_deed, comment: other_comment },
        ) = (self, other)
        else {
            return self == other;
        };
        key == of && comment == other_comment && timeless(deed) == timeless(other_deed)
    }

    /// Whether its default key names it: it leaves what it is about one way or the other. The rest may be meant twice.
    pub fn is_settled(&self) -> bool {
        match self {
            Self::Acknowledge { .. } | Self::Close { .. } | Self::EndSuppression { .. } => true,
            Self::Tend { .. } | Self::Raise(_) | Self::Group { .. } | Self::Suppress(_) | Self::Incident { .. } => {
                false
            }
        }
    }

    /// The idempotency key of an order that came without one: by + alert + verb + what was read or why.
    ///
    /// The room knows such a key again: given twice it is one order, but given after a re-alarm it is a new one, since
    /// the person had no other way to say so. Orders other than to take, to close and to end a suppression are judged
    /// by what they would change, so that a repeat changes nothing and a second comment is a second comment.
    pub fn default_request_id(&self, by: &str) -> String {
        match self {
            Self::Acknowledge { alert, seen: Some(seen), .. } => format!("{by}/{alert}/acknowledge/{seen}"),
            Self::Acknowledge { alert, seen: None, .. } => format!("{by}/{alert}/acknowledge"),
            Self::Close { alert, reason, .. } => format!("{by}/{alert}/close/{}", reason.word()),
            Self::Tend { alert, deed, .. } => format!("{by}/{alert}/{}", deed.word()),
            Self::Raise(said) => format!("{by}/raise/{}/{}", said.subject, said.kind.rule()),
            Self::Group { incident, joined, .. } => {
                let verb = if *joined { "confirm" } else { "split" };
                format!("{by}/incident/{}/{}/{verb}", incident.source, incident.id)
            }
            Self::Suppress(_) => format!("{by}/suppress"),
            Self::EndSuppression { id, .. } => format!("{by}/suppression/{id}/end"),
            Self::Incident { key, deed, .. } => format!("{by}/incident/{}/{}/{}", key.source, key.id, deed.word()),
        }
    }

    /// As [`Self::default_request_id`], where its giver says which `count` they read: an order on an alert that is given
    /// again after the alert re-alarmed is a new one. Of other orders it says nothing.
    pub fn default_request_id_after(&self, by: &str, seen: Option<u32>) -> String {
        let key = self.default_request_id(by);
        match (self, seen) {
            (Self::Close { .. } | Self::Tend { .. }, Some(seen)) => format!("{key}{SEEN}{seen}"),
            _ => key,
        }
    }

    /// Whether the key was made for the order, not brought by its giver.
    pub fn is_default_request_id(&self, by: &str, request_id: &str) -> bool {
        let made = self.default_request_id(by);
        let after = request_id.strip_prefix(made.as_str()).and_then(|rest| rest.strip_prefix(SEEN));
        let seen = after.and_then(|seen| seen.parse().ok());
        request_id == made || seen.is_some_and(|seen| self.default_request_id_after(by, Some(seen)) == request_id)
    }
}

/// Stands before the `count` in a default key.
const SEEN: &str = "/seen/";

/// Why an order was not carried out. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such alert.
    #[error("there is no alert {0}")]
    Unknown(AlertId),
    /// Somebody else has it.
    #[error("alert {alert} was already taken by {owner}")]
    AlreadyTaken {
        /// Which.
        alert: AlertId,
        /// Who has it.
        owner: String,
    },
    /// It re-alarmed after what the operator read.
    #[error("alert {0} has re-alarmed since you read it")]
    ReAlarmed(AlertId),
    /// It is final.
    #[error("alert {0} is closed")]
    Closed(AlertId),
    /// The key was used for another order.
    #[error("this Idempotency-Key was used for another order")]
    KeyReused,
    /// The reason is one that only sources or timers give.
    #[error("{0} is not a reason a person can close with")]
    Reason(&'static str),
    /// Its condition still holds, and it would be raised again at once: shelve it instead.
    #[error("the condition of alert {0} still holds; shelve it instead, or have a supervisor close it with a comment")]
    StillActive(AlertId),
    /// Somebody else has it, and only they or a supervisor may do this.
    #[error("alert {alert} is {owner}'s; only they or a supervisor may do this")]
    NotOwner {
        /// Which.
        alert: AlertId,
        /// Who has it.
        owner: String,
    },
    /// Nobody has it.
    #[error("nobody has taken alert {0}")]
    NotTaken(AlertId),
    /// An emergency is never put aside.
    #[error("alert {0} is an emergency and is never shelved")]
    Emergency(AlertId),
    /// Only a supervisor puts aside what is critical.
    #[error("alert {0} is critical; only a supervisor shelves it")]
    Critical(AlertId),
    /// The time is past, or further ahead than allowed.
    #[error("the end must lie ahead, by at most {max_ms} ms")]
    Until {
        /// Milliseconds ahead at most.
        max_ms: i64,
    },
    /// It does not miss whom somebody accounts for.
    #[error("alert {0} does not miss it")]
    NotMissed(AlertId),
    /// It is not on the shelf.
    #[error("alert {0} is not shelved")]
    NotShelved(AlertId),
    /// It does not wait for a person to reset it.
    #[error("alert {0} does not latch: it clears by itself")]
    NotLatched(AlertId),
    /// Its source is still in alarm.
    #[error("the source of alert {0} is not normal yet")]
    SourceNotNormal(AlertId),
    /// Words are missing: a comment, a name, a reason, a public text.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// No such incident.
    #[error("there is no incident {0}")]
    UnknownIncident(IncidentKey),
    /// There is such an incident already.
    #[error("there is an incident {0} already")]
    IncidentExists(IncidentKey),
    /// Somebody else armed it.
    #[error("{by} has armed {incident} already")]
    AlreadyArmed {
        /// The incident that it is.
        incident: IncidentKey,
        /// Who.
        by: String,
        /// Since when.
        at: UtcMillis,
    },
    /// It is over.
    #[error("incident {0} is closed")]
    IncidentClosed(IncidentKey),
    /// A drill or test is never told to the public.
    #[error("incident {0} is a drill or a test and is never public")]
    NotActual(IncidentKey),
    /// The public was told nothing of it.
    #[error("incident {0} is not public")]
    NotPublic(IncidentKey),
    /// The alert does not belong to it.
    #[error("alert {0} does not belong to this incident")]
    NotOfIncident(AlertId),
    /// More open incidents or suppressions than may be kept.
    #[error("no more can be kept open at once")]
    NoRoom,
    /// No such suppression.
    #[error("there is no suppression {0}")]
    UnknownSuppression(SuppressionId),
    /// It has ended.
    #[error("suppression {0} has ended")]
    SuppressionEnded(SuppressionId),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_key_is_known_as_such_with_and_without_what_was_read() {
        let alert = AlertId { date: 20_261_123, number: 7 };
        let take = |seen| Order::Acknowledge { alert: alert.clone(), seen, comment: None };
        let close = Order::Close { alert: alert.clone(), reason: CloseReason::Resolved, seen: None, comment: None };
        let words = Order::Tend { alert: alert.clone(), deed: Deed::Comment, comment: Some("x".to_owned()) };
        let keys: Vec<String> =
            [(&take(Some(2)), Some(2)), (&take(None), None), (&close, Some(2)), (&words, Some(3)), (&words, None)]
                .map(|(order, seen)| {
                    let key = order.default_request_id_after("kim", seen);
                    assert!(order.is_default_request_id("kim", &key), "{key}");
                    assert!(!order.is_default_request_id("lee", &key), "{key}");
                    key
                })
                .into();
        assert_eq!(
            keys,
            [
                "kim/20261123-7/acknowledge/2",
                "kim/20261123-7/acknowledge",
                "kim/20261123-7/close/resolved/seen/2",
                "kim/20261123-7/comment/seen/3",
                "kim/20261123-7/comment",
            ]
        );
        for own in
            ["7f3a", "kim/20261123-7/comment/seen/", "kim/20261123-7/comment/seen/03", "kim/20261123-7/comment/2"]
        {
            assert!(!words.is_default_request_id("kim", own), "{own}");
        }
    }
}
