//! What the room is asked, and what it answers.

use alert::{AlarmReport, AlertId, Change, Command, IncidentOutcome, IncidentReport, IncidentWithdrawal, Refusal};

/// One thing to decide.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A vehicle's alarm.
    Alarm(Box<AlarmReport>),
    /// A source's incident.
    Incident(Box<IncidentReport>),
    /// A source takes an incident back.
    Withdrawal(IncidentWithdrawal),
    /// A person's order.
    Command(Command),
}

/// What is to be recorded, and what to answer once it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// To be appended in this order, each as one record; empty when nothing changes.
    pub changes: Vec<Change>,
    /// The answer.
    pub verdict: Verdict,
}

/// The answer to one input.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// A new alert.
    Raised(AlertId),
    /// A new press of an open alert.
    Repeated {
        /// Which.
        alert: AlertId,
        /// It sounds again.
        re_alarmed: bool,
    },
    /// A message that was decided before; of which alert, where that is still known.
    Duplicate(AlertId),
    /// The source of an open alert is normal again.
    SourceNormal(AlertId),
    /// A source is normal again, and no alert of it is open, or a newer press is: nothing changes.
    NothingOpen,
    /// What came of an incident.
    Incident(IncidentOutcome),
    /// An order was carried out, now or when it came first.
    Done(AlertId),
    /// An order was not carried out.
    Refused(Refusal),
}

impl Verdict {
    /// The alert it is about.
    pub fn alert_id(&self) -> Option<&AlertId> {
        match self {
            Self::Raised(id) | Self::Duplicate(id) | Self::SourceNormal(id) | Self::Done(id) => Some(id),
            Self::Repeated { alert, .. } => Some(alert),
            Self::NothingOpen | Self::Incident(_) | Self::Refused(_) => None,
        }
    }

    /// The `state` of the receipt that a vehicle gets for an alarm, once everything is on disk.
    pub fn receipt_word(&self) -> Option<&'static str> {
        match self {
            Self::Raised(_) | Self::Repeated { .. } | Self::SourceNormal(_) => Some("recorded"),
            Self::Duplicate(_) => Some("duplicate"),
            Self::NothingOpen | Self::Incident(_) | Self::Done(_) | Self::Refused(_) => None,
        }
    }
}
