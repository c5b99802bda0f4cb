//! What goes in and what comes out.

use alert::{AlarmReport, IncidentReport, IncidentWithdrawal};
use smallvec::SmallVec;
use transit::{FeedId, Mode, Observation, UtcMillis, VehicleKey};

use crate::Problem;

/// One message as received.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// MQTT topic.
    pub topic: &'a str,
    /// Body.
    pub payload: &'a [u8],
    /// Delivered from the retained store.
    pub retained: bool,
    /// DUP flag.
    pub dup: bool,
    /// When we received it.
    pub received_at: UtcMillis,
}

/// What one message said, in our words.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every message is an observation; a box each would cost an allocation"
)]
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// A vehicle spoke of itself.
    Vehicle(Observation),
    /// An alarm.
    Alarm(Box<AlarmReport>),
    /// An incident.
    Incident(Box<IncidentReport>),
    /// An incident withdrawn by its source.
    Withdrawal(IncidentWithdrawal),
    /// A client came or went.
    Presence(Presence),
}

/// A client's own word about its connection, or its Will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// The client's name, from the topic.
    pub client: String,
    /// Connected.
    pub online: bool,
    /// Signed off cleanly; `false` with `online` false is a loss (the Will has `"will": true` or no `since`).
    pub clean: bool,
    /// Since when, as it says.
    pub since: Option<UtcMillis>,
    /// When we received it.
    pub received_at: UtcMillis,
}

/// What came of one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The feed the topic belongs to; `native` for everything under the prefix.
    pub feed: FeedId,
    /// The vehicle that the topic names, where it names one: a message that was lost still says whose it was.
    pub vehicle: Option<VehicleKey>,
    /// What could be read.
    pub messages: SmallVec<[Message; 1]>,
    /// Fields nobody knows; counted, no fault.
    pub unknown_fields: u32,
    /// What was wrong. A frame with a [`crate::Grade::Reject`] lost something; warnings lost nothing.
    pub problems: Vec<Problem>,
}

/// One configured source of messages.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedSpec {
    /// Its id.
    pub id: FeedId,
    /// A code of the format registry: `native`, `hfp`, `gtfs-rt`.
    pub format: String,
    /// MQTT filters, `{prefix}` standing for the configured prefix; the format's own when empty.
    pub topics: Vec<String>,
    /// Agency where the format has none; the id when absent.
    pub agency: Option<String>,
    /// Put before every agency as `<namespace>:<agency>`, so that two sources cannot claim one vehicle by accident.
    pub namespace: Option<String>,
    /// Mode where the message has none.
    pub mode: Option<Mode>,
    /// IANA zone of the feed's local times, where its format has any; the format's own when absent.
    pub timezone: Option<String>,
    /// Who may send, where the format names its senders; empty: everybody.
    pub senders: Vec<String>,
}

impl FeedSpec {
    /// A feed with everything else as its format has it.
    pub fn new(id: FeedId, format: &str) -> Self {
        Self {
            id,
            format: format.to_owned(),
            topics: Vec::new(),
            agency: None,
            namespace: None,
            mode: None,
            timezone: None,
            senders: Vec::new(),
        }
    }
}
