//! What befalls an alert besides presses, taking and closing: an operator's deeds, and what happens by itself.
//!
//! Plain words for the record; what they do is in `Alert::follow`.

use serde::{Deserialize, Serialize};
use transit::{Status, UtcMillis};

use crate::{
    AlarmKind, AlertId, Evidence, Explanation, MarkStep, Priority, ShelfKind, Subject, SuppressionId,
    record::is_default,
};

/// A person's deed on one alert; taking and closing are changes of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Somebody else is the owner from now on (T18).
    Handover {
        /// The new owner.
        to: String,
        /// Their desk.
        desk: Option<String>,
    },
    /// It is nobody's again (T18).
    Release,
    /// Only words (T21).
    Comment,
    /// A step was reached (T19).
    Mark(Mark),
    /// It is put aside for a while (T11).
    Shelve {
        /// Until it clears, or only until the time.
        kind: ShelfKind,
        /// At the latest.
        until: UtcMillis,
    },
    /// It is taken from the shelf.
    Unshelve,
    /// A latched condition whose source is normal ends (T20).
    Reset,
    /// A person knows where one of those is that are missed.
    Account {
        /// Which of the alert's members.
        member: Subject,
    },
}

impl Deed {
    /// The stable word of it, for keys and history.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Handover { .. } => "handover",
            Self::Release => "release",
            Self::Comment => "comment",
            Self::Mark(_) => "mark",
            Self::Shelve { .. } => "shelve",
            Self::Unshelve => "unshelve",
            Self::Reset => "reset",
            Self::Account { .. } => "account",
        }
    }
}

/// A step reached outside the control room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Which.
    pub step: MarkStep,
    /// Who reached it: a crew, a station, a person.
    pub party: Option<String>,
    /// Their number of it.
    pub reference: Option<String>,
    /// When it was reached, as told.
    pub time: Option<UtcMillis>,
}

/// What happened to an alert by itself: a timer's work, or what followed from another change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// Its time on the shelf is over (T12).
    ShelfEnded,
    /// Nobody took it in time (T16).
    Escalated {
        /// 1 for the first time since it sounded.
        step: u32,
    },
    /// An emergency outlived its expiry: it sounds again and is nobody's (T15).
    Unattended,
    /// Its owner is asked whether they still have it (T17).
    Reminded,
    /// The owner did not answer: it is nobody's (T17).
    OwnerDropped,
    /// It has been quiet long enough after chattering.
    HoldReleased,
    /// Another open alert explains it (T13).
    ByParent(AlertId),
    /// What explained it is over.
    ParentOver,
    /// An open incident explains it.
    ByIncident(Explanation),
    /// That incident is over, or no longer says so.
    IncidentOver,
    /// Its subject is out of service by design.
    OutOfService(SuppressionId),
    /// Its subject is back in service.
    InService,
    /// One of many of its rule: it stands behind the first.
    Collapsed(AlertId),
    /// It stands by itself again.
    Uncollapsed,
}

impl Turn {
    /// The stable word of it, for history.
    pub fn word(&self) -> &'static str {
        match self {
            Self::ShelfEnded => "shelf_ended",
            Self::Escalated { .. } => "escalated",
            Self::Unattended => "unattended",
            Self::Reminded => "reminded",
            Self::OwnerDropped => "owner_dropped",
            Self::HoldReleased => "hold_released",
            Self::ByParent(_) => "by_parent",
            Self::ParentOver => "parent_over",
            Self::ByIncident(_) => "by_incident",
            Self::IncidentOver => "incident_over",
            Self::OutOfService(_) => "out_of_service",
            Self::InService => "in_service",
            Self::Collapsed(_) => "collapsed",
            Self::Uncollapsed => "uncollapsed",
        }
    }
}

/// What a further finding, or an operator's report of the same, changes about an open alert.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Renewal {
    /// It is more urgent now.
    pub priority: Option<Priority>,
    /// What it rests on now.
    pub evidence: Option<Evidence>,
    /// It had cleared and is back (T8).
    pub re_raised: bool,
    /// It sounds again and is nobody's (T2).
    pub re_alarmed: bool,
    /// It sounds.
    pub sounds: bool,
    /// It chatters: held open and silent until quiet.
    pub held: bool,
    /// When the hold ends if nothing more comes.
    pub release_at: Option<UtcMillis>,
    /// When it has to be taken, where that starts anew.
    pub ack_due_at: Option<UtcMillis>,
    /// An operator's words.
    pub text: Option<String>,
    /// Where an operator says it is: degrees north, with `lon`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub lat: Option<f64>,
    /// Degrees east.
    #[serde(default, skip_serializing_if = "is_default")]
    pub lon: Option<f64>,
    /// An operator says that displays stay silent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub covert: bool,
    /// An operator says that it is over by then.
    #[serde(default, skip_serializing_if = "is_default")]
    pub expires_at: Option<UtcMillis>,
}

/// An alert that an operator raises: most calls come by radio.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OperatorAlert {
    /// What it is about: a vehicle, stop, route, or a place by name.
    pub subject: Subject,
    /// What happened.
    pub kind: AlarmKind,
    /// How soon; the kind's own when absent.
    pub priority: Option<Priority>,
    /// Meant, drill or test.
    pub status: Status,
    /// In words.
    pub text: Option<String>,
    /// Displays stay silent; the kind's default when absent.
    pub covert: Option<bool>,
    /// Degrees north, with `lon`.
    pub lat: Option<f64>,
    /// Degrees east.
    pub lon: Option<f64>,
    /// It is over by then unless said otherwise.
    pub expires_at: Option<UtcMillis>,
}
