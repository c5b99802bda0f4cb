//! The parts of an alert that keep it quiet, and the times at which something is due.
//!
//! The reasons to be silent stand side by side and none ends another.

use serde::{Deserialize, Serialize};
use transit::UtcMillis;

use crate::{AlertId, Explanation, ShelfKind, SuppressionId, record::is_default};

/// Why an alert is kept from the main list. It is still judged, stored and answered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Silence {
    /// A person put it aside.
    #[serde(default, skip_serializing_if = "is_default")]
    pub shelf: Option<Shelf>,
    /// An open alert explains it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub by_parent: Option<AlertId>,
    /// An open incident explains it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub by_incident: Option<Explanation>,
    /// Its subject is out of service by design.
    #[serde(default, skip_serializing_if = "is_default")]
    pub out_of_service: Option<SuppressionId>,
    /// One of many of its rule; the first speaks for all.
    #[serde(default, skip_serializing_if = "is_default")]
    pub collapsed_into: Option<AlertId>,
}

impl Silence {
    /// It is to be shown and to sound.
    pub fn is_none(&self) -> bool {
        is_default(self)
    }
}

/// Put aside by a person, for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelf {
    /// Until it clears, or only until the time.
    pub kind: ShelfKind,
    /// As ordered: it ends then at the latest.
    pub until: UtcMillis,
    /// Where the wall clock was set back since, the same instant on the clock as it stands now.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ends_at: Option<UtcMillis>,
    /// Who.
    pub by: String,
    /// When.
    pub at: UtcMillis,
    /// In words.
    pub why: Option<String>,
}

impl Shelf {
    /// When it ends by itself.
    pub fn due_at(&self) -> UtcMillis {
        self.ends_at.map_or(self.until, |at| at.min(self.until))
    }
}

/// Returns after which an alert chatters, and so as many are remembered.
const RETURNS_KEPT: usize = 3;

/// How often an alert came and went.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Flap {
    /// Times it came back within this occurrence.
    #[serde(default, skip_serializing_if = "is_default")]
    pub count: u32,
    /// When it last came back, at most three times.
    #[serde(default, skip_serializing_if = "is_default")]
    pub returns: Vec<UtcMillis>,
    /// Held open and silent since.
    #[serde(default, skip_serializing_if = "is_default")]
    pub held_since: Option<UtcMillis>,
    /// The hold ends then, if nothing more comes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub release_at: Option<UtcMillis>,
}

impl Flap {
    /// It chatters: one open occurrence is held and does not sound.
    pub fn held(&self) -> bool {
        self.held_since.is_some()
    }

    /// Remembers that it came back at `at`.
    pub fn note_return(&mut self, at: UtcMillis) {
        self.returns.push(at);
        if self.returns.len() > RETURNS_KEPT {
            self.returns.remove(0);
        }
    }
}

/// What is due about an alert. Wall times, kept with it, so that a restart neither forgets nor repeats one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Due {
    /// Somebody has to take it by then; then it escalates.
    #[serde(default, skip_serializing_if = "is_default")]
    pub acknowledge_at: Option<UtcMillis>,
    /// Steps escalated since it last sounded.
    #[serde(default, skip_serializing_if = "is_default")]
    pub escalated: u32,
    /// Its owner is asked then, or when already asked, dropped.
    #[serde(default, skip_serializing_if = "is_default")]
    pub remind_at: Option<UtcMillis>,
    /// Its owner was asked and has not answered.
    #[serde(default, skip_serializing_if = "is_default")]
    pub reminded: bool,
    /// It is over by then.
    #[serde(default, skip_serializing_if = "is_default")]
    pub expires_at: Option<UtcMillis>,
}
