//! What the room is asked, and what it answers.

use alert::{
    AlarmReport, AlertId, Change, Command, Finding, IncidentKey, IncidentOutcome, IncidentReport, IncidentWithdrawal,
    Refusal, SuppressionId,
};

/// One thing to decide.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A vehicle's alarm.
    Alarm(Box<AlarmReport>),
    /// A source's incident.
    Incident(Box<IncidentReport>),
    /// A source takes an incident back.
    Withdrawal(IncidentWithdrawal),
    /// A rule's word on a subject.
    Finding(Box<Finding>),
    /// A person's order.
    Command(Command),
    /// Time has passed: whatever is due happens. With more than a thousand due, the rest comes with the next.
    Tick,
    /// The wall clock jumped against the clock that never does, since the last input; what is due after a span of time
    /// moves with it. Without this word timers follow the wall clock alone, as they do over a restart.
    ClockStepped {
        /// Milliseconds ahead; negative when it was set back.
        by_ms: i64,
    },
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
    /// A source is normal again before anything was heard of its press.
    EndCameFirst,
    /// A source is normal again, and no alert of it is open, or a newer press is: nothing changes.
    NothingOpen,
    /// What came of an incident.
    Incident(IncidentOutcome),
    /// An order was carried out, now or when it came first.
    Done(AlertId),
    /// An order on an incident was carried out, now or when it came first.
    IncidentDone(IncidentKey),
    /// An order on a suppression was carried out, now or when it came first.
    SuppressionDone(SuppressionId),
    /// What was due has happened.
    Ticked,
    /// An order was not carried out.
    Refused(Refusal),
}

impl Verdict {
    /// The alert it is about.
    pub fn alert_id(&self) -> Option<&AlertId> {
        match self {
            Self::Raised(id) | Self::Duplicate(id) | Self::SourceNormal(id) | Self::Done(id) => Some(id),
            Self::Repeated { alert, .. } => Some(alert),
            Self::EndCameFirst
            | Self::NothingOpen
            | Self::Incident(_)
            | Self::IncidentDone(_)
            | Self::SuppressionDone(_)
            | Self::Ticked
            | Self::Refused(_) => None,
        }
    }

    /// The `state` of the receipt that a vehicle gets for an alarm, once everything is on disk.
    pub fn receipt_word(&self) -> Option<&'static str> {
        match self {
            Self::Raised(_) | Self::Repeated { .. } | Self::SourceNormal(_) | Self::EndCameFirst => Some("recorded"),
            Self::Duplicate(_) => Some("duplicate"),
            Self::NothingOpen
            | Self::Incident(_)
            | Self::Done(_)
            | Self::IncidentDone(_)
            | Self::SuppressionDone(_)
            | Self::Ticked
            | Self::Refused(_) => None,
        }
    }
}
