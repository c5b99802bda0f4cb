//! What clients were told: every alarm, incident and order they sent, with its fate.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use tests::mqtt::Fate;

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verb {
    Alarm,
    Incident,
    Raise,
    Acknowledge,
    Handover,
    Release,
    Comment,
    Mark,
    Shelve,
    Unshelve,
    Close,
}

impl Verb {
    pub(super) const ALL: [Self; 11] = [
        Self::Alarm,
        Self::Incident,
        Self::Raise,
        Self::Acknowledge,
        Self::Handover,
        Self::Release,
        Self::Comment,
        Self::Mark,
        Self::Shelve,
        Self::Unshelve,
        Self::Close,
    ];

    /// As the route's last level and the table say it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Alarm => "alarm",
            Self::Incident => "incident",
            Self::Raise => "raise",
            Self::Acknowledge => "acknowledge",
            Self::Handover => "handover",
            Self::Release => "release",
            Self::Comment => "comment",
            Self::Mark => "mark",
            Self::Shelve => "shelve",
            Self::Unshelve => "unshelve",
            Self::Close => "close",
        }
    }

    /// The code that the alert's history writes for it.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Raise => "raised",
            Self::Acknowledge => "acknowledged",
            Self::Close => "closed",
            Self::Alarm
            | Self::Incident
            | Self::Handover
            | Self::Release
            | Self::Comment
            | Self::Mark
            | Self::Shelve
            | Self::Unshelve => self.word(),
        }
    }
}

/// A message published at QoS 1: an alarm of a vehicle of its own, or an incident.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) verb: Verb,
    /// The vehicle, or the incident's id.
    pub(super) name: String,
    pub(super) topic: String,
    pub(super) body: Value,
    pub(super) fate: Fate,
}

/// An order given over HTTP.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) verb: Verb,
    /// The vehicle whose alert it is about.
    pub(super) vehicle: String,
    pub(super) path: String,
    /// Its idempotency key, by which the history shows it.
    pub(super) key: String,
    pub(super) body: Value,
    pub(super) fate: Fate,
}

impl Order {
    /// Who gives it.
    pub(super) fn by(&self) -> String {
        self.body["by"].as_str().unwrap_or_default().to_owned()
    }
}

/// Everything, in the order in which each client asked.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) messages: Vec<Message>,
    pub(super) orders: Vec<Order>,
    /// Event ids of which a receipt said `recorded` or `duplicate`.
    pub(super) receipted: Vec<String>,
}

/// The clients' one ledger.
pub(super) type Shared = Arc<Mutex<Ledger>>;

pub(super) fn locked(ledger: &Shared) -> MutexGuard<'_, Ledger> {
    ledger.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ledger {
    /// How many of a verb had each fate: acknowledged, failed, unknown.
    pub(super) fn counts(&self) -> BTreeMap<Verb, [usize; 3]> {
        let mut counts: BTreeMap<Verb, [usize; 3]> = Verb::ALL.iter().map(|verb| (*verb, [0; 3])).collect();
        let messages = self.messages.iter().map(|m| (m.verb, m.fate));
        for (verb, fate) in messages.chain(self.orders.iter().map(|o| (o.verb, o.fate))) {
            let column = match fate {
                Fate::Acknowledged => 0,
                Fate::Refused => 1,
                Fate::Unknown => 2,
            };
            counts.entry(verb).or_default()[column] += 1;
        }
        counts
    }

    /// The counts as a table.
    pub(super) fn table(&self) -> String {
        let mut text = format!("kill: {:<12}{:>13}{:>8}{:>9}\n", "", "acknowledged", "failed", "unknown");
        for (verb, [acknowledged, failed, unknown]) in self.counts() {
            writeln!(text, "kill: {:<12}{acknowledged:>13}{failed:>8}{unknown:>9}", verb.word()).unwrap();
        }
        text
    }
}
