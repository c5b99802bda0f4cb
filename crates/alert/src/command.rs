//! What an operator orders, and why an order is refused.

use transit::Word;

use crate::{AlertId, CloseReason};

/// Who orders.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Actor {
    /// The person: the token's name, or the `by` of an open loopback.
    pub by: String,
    /// The desk they sit at.
    pub desk: Option<String>,
}

/// One order of one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Who.
    pub actor: Actor,
    /// `Idempotency-Key`, or the default key: by + alert + verb + seen.
    pub request_id: String,
    /// What.
    pub order: Order,
}

/// What may be ordered.
#[derive(Debug, Clone, PartialEq, Eq)]
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
        /// Free text.
        comment: Option<String>,
    },
}

impl Order {
    /// The alert it is about.
    pub fn alert(&self) -> &AlertId {
        match self {
            Self::Acknowledge { alert, .. } | Self::Close { alert, .. } => alert,
        }
    }

    /// The idempotency key of an order that came without one: by + alert + verb + what was read or why.
    ///
    /// The room knows such a key again: given twice it is one order, but given after a re-alarm it is a new one, since
    /// the person had no other way to say so.
    pub fn default_request_id(&self, by: &str) -> String {
        match self {
            Self::Acknowledge { alert, seen: Some(seen), .. } => format!("{by}/{alert}/acknowledge/{seen}"),
            Self::Acknowledge { alert, seen: None, .. } => format!("{by}/{alert}/acknowledge"),
            Self::Close { alert, reason, .. } => format!("{by}/{alert}/close/{}", reason.word()),
        }
    }
}

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
}
