//! The alert as kept, and its history.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use transit::{FeedId, Status, UtcMillis, VehicleKey};

use crate::{
    AlarmKind, AlarmSource, AlertClass, AlertCondition, AlertOrigin, CloseReason, Deed, Due, Evidence, Flap,
    IncidentKey, Priority, Silence,
};

/// Left out of a record: old records do without, and most alerts have none of it.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Names one occurrence for ever: service date and number, spoken as "alert 417". Ordered by number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId {
    /// Number; continues from the journal's highest.
    pub number: u64,
    /// Calendar date in the configured zone, `YYYYMMDD`.
    pub date: u32,
}

impl AlertId {
    /// Reads `20261123-417`.
    pub fn find(text: &str) -> Option<Self> {
        let (date, number) = text.split_once('-')?;
        if date.len() != 8 || number.is_empty() || number.starts_with('0') {
            return None;
        }
        let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        if !digits(date) || !digits(number) {
            return None;
        }
        Some(Self { number: number.parse().ok()?, date: date.parse().ok()? })
    }
}

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08}-{}", self.date, self.number)
    }
}

impl fmt::Debug for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for AlertId {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AlertId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        Self::find(&text).ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no alert id like 20261123-417")))
    }
}

/// What an alert is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A vehicle.
    Vehicle(VehicleKey),
    /// An alarm whose ids could not be read: the head of its topic levels.
    Unparsed(String),
    /// A feed, or the part of it that a scope names (`agency 22`, `depot 22/8`).
    Feed {
        /// The feed.
        feed: FeedId,
        /// The part; `None` is all of it.
        scope: Option<String>,
    },
    /// An area, by the incident or place that makes it.
    Area(String),
    /// An incident, as `source/id`.
    Incident(String),
    /// A stop.
    Stop(String),
    /// A route, with its direction where that matters.
    Line(String),
    /// Our own part.
    System(String),
}

impl Subject {
    /// The vehicle, when it is one.
    pub fn vehicle(&self) -> Option<&VehicleKey> {
        if let Self::Vehicle(key) = self { Some(key) } else { None }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vehicle(key) => write!(f, "vehicle:{key}"),
            Self::Unparsed(head) => write!(f, "unparsed:{head}"),
            Self::Feed { feed, scope: None } => write!(f, "feed:{feed}"),
            Self::Feed { feed, scope: Some(scope) } => write!(f, "feed:{feed} {scope}"),
            Self::Area(area) => write!(f, "area:{area}"),
            Self::Incident(incident) => write!(f, "incident:{incident}"),
            Self::Stop(stop) => write!(f, "stop:{stop}"),
            Self::Line(line) => write!(f, "line:{line}"),
            Self::System(part) => write!(f, "system:{part}"),
        }
    }
}

/// Who took an alert, and what they had read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The owner.
    pub by: String,
    /// Their desk.
    pub desk: Option<String>,
    /// When.
    pub at: UtcMillis,
    /// `count` as read.
    pub seen: Option<u32>,
}

/// One of those that an alert missed, of whom a person knows where they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounted {
    /// Which.
    pub member: Subject,
    /// The person.
    pub by: String,
    /// When they said so: who is heard after it and falls silent again is missed again.
    pub at: UtcMillis,
}

/// How an alert ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// Why.
    pub reason: CloseReason,
    /// When.
    pub at: UtcMillis,
    /// The person, when one did it.
    pub by: Option<String>,
}

/// One line of an alert's history; append-only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// Journal sequence, gap-free over all records.
    pub seq: u64,
    /// When, UTC.
    pub at: UtcMillis,
    /// `person`, `source`, `detector` or `timer`.
    pub actor_kind: String,
    /// Who or what.
    pub actor: String,
    /// Desk of a person.
    pub desk: Option<String>,
    /// State before, e.g. `active/unacknowledged`; `none` at the raise.
    pub from: String,
    /// State after.
    pub to: String,
    /// What happened, as a stable code: `raised`, `repeated`, `re_alarmed`, `acknowledged`, `source_normal`, `closed`.
    pub reason: String,
    /// Free text.
    pub comment: Option<String>,
    /// The order's idempotency key.
    pub request_id: Option<String>,
    /// What a person did, in its parts: to whom it was handed over, which step was marked and by whom. Not kept of what
    /// versions before this one recorded in a snapshot.
    #[serde(default, skip_serializing_if = "is_default")]
    pub deed: Option<Box<Deed>>,
}

/// One occurrence of one (rule, subject) condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Its name.
    pub id: AlertId,
    /// The rule that raised it.
    pub rule: String,
    /// What it is about.
    pub subject: Subject,
    /// How soon.
    pub priority: Priority,
    /// What is endangered.
    pub class: AlertClass,
    /// Kind of alarm; none for what a rule found.
    pub kind: Option<AlarmKind>,
    /// The kind as sent, when it was not one of ours.
    pub kind_word: Option<String>,
    /// Who pressed; none where nobody did.
    pub source: Option<AlarmSource>,
    /// The feed it came by; none where it came by no feed.
    pub feed: Option<FeedId>,
    /// The device's id of the newest press.
    pub event_id: Option<String>,
    /// The device's clock at the first press; `None` when it gave none.
    pub event_at: Option<UtcMillis>,
    /// The newest plausible device time of any press.
    pub last_event_at: Option<UtcMillis>,
    /// When the first press reached us.
    pub received_at: UtcMillis,
    /// When it was decided, and so recorded.
    pub raised_at: UtcMillis,
    /// The newest press.
    pub last_seen_at: UtcMillis,
    /// Last time it sounded: raise or re-alarm.
    pub annunciated_at: UtcMillis,
    /// Active, cleared or closed.
    pub condition: AlertCondition,
    /// Stays active until a person ends it.
    pub latched: bool,
    /// The source said that it is normal again.
    pub source_normal_at: Option<UtcMillis>,
    /// Who has it now.
    pub acknowledgement: Option<Acknowledgement>,
    /// Who had it before it re-alarmed.
    pub previous_owner: Option<String>,
    /// Presses, the first included.
    pub count: u32,
    /// `count` at the last re-alarm; an order that has seen less is refused.
    pub re_alarmed_count: Option<u32>,
    /// Meant, drill or test.
    pub status: Status,
    /// Displays stay silent.
    pub covert: bool,
    /// Delivered from the retained store.
    pub retained: bool,
    /// Where the alarm said it was, degrees north.
    pub lat: Option<f64>,
    /// Degrees east.
    pub lon: Option<f64>,
    /// What is doubtful: `clock_ahead`, `late`, `retained`, `unparsed`, `null_island`, ...
    pub quality: Vec<String>,
    /// Free text of the newest press that had one.
    pub text: Option<String>,
    /// People on board, as reported.
    pub passengers: Option<u32>,
    /// How it ended.
    pub closing: Option<Closing>,
    /// Everything that happened to it, except repeats left out as [`Self::repeats_folded`] says.
    pub history: Vec<HistoryEntry>,
    /// Repeats that are counted and no longer listed: of a button pressed for ever the first and the last stay.
    #[serde(default)]
    pub repeats_folded: u32,
    /// What made it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub origin: AlertOrigin,
    /// What a rule's verdict rests on.
    #[serde(default, skip_serializing_if = "is_default")]
    pub evidence: Option<Evidence>,
    /// Whom persons accounted for, of those that it missed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub accounted: Vec<Accounted>,
    /// Conditions that explain it while they are open, as (rule, subject).
    #[serde(default, skip_serializing_if = "is_default")]
    pub parents: Vec<(String, Subject)>,
    /// Why it is kept from the main list, for each reason.
    #[serde(default, skip_serializing_if = "is_default")]
    pub silence: Silence,
    /// How it chatters.
    #[serde(default, skip_serializing_if = "is_default")]
    pub flap: Flap,
    /// What is due, and when.
    #[serde(default, skip_serializing_if = "is_default")]
    pub due: Due,
    /// The incident it belongs to.
    #[serde(default, skip_serializing_if = "is_default")]
    pub incident: Option<IncidentKey>,
    /// How often it sounded.
    #[serde(default, skip_serializing_if = "is_default")]
    pub annunciations: u32,
    /// Cleared since, where it is cleared or was when it ended.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cleared_at: Option<UtcMillis>,
    /// The journal record by which it became covert, where it was not from the start: who was shown it before has to
    /// hear that it is gone.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hidden_seq: Option<u64>,
    /// Journal sequence of the last change.
    pub seq: u64,
    /// On disk. False only while the journal cannot be written.
    pub durable: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_and_its_json() {
        let id = AlertId { number: 417, date: 20_261_123 };
        assert_eq!(AlertId::find(&id.to_string()), Some(id.clone()));
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, r#""20261123-417""#);
        assert_eq!(serde_json::from_str::<AlertId>(&json).unwrap(), id);
        for bad in ["", "417", "20261123-", "20261123-0", "20261123-007", "2026112-4", "20261123-4x"] {
            assert_eq!(AlertId::find(bad), None, "{bad}");
        }
    }

    #[test]
    fn subjects_are_written_as_operators_read_them() {
        let vehicle = Subject::Vehicle(VehicleKey::parse("22/800").unwrap());
        assert_eq!(vehicle.to_string(), "vehicle:22/800");
        assert_eq!(Subject::Unparsed("a b".to_owned()).to_string(), "unparsed:a b");
    }
}
