//! What a patrol looks at: everything required, nothing read from the world.

use std::{collections::BTreeMap, sync::Arc};

use alert::{Incident, Subject};
use impact::{Area, ArmedArea, TrailLookup};
use picture::{FeedRecord, Link, View};
use transit::{FeedId, Now, Status, UtcMillis};

/// The situation at one instant. Cheap to put together: all of it is borrowed.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The instant of judgement.
    pub now: Now,
    /// When the process began; for a grace after it nothing is concluded from silence.
    pub started: Now,
    /// When `view` and `feeds` were published. Rules judge nothing by a picture that stands still.
    pub as_of: Now,
    /// Every vehicle.
    pub view: &'a View,
    /// Every feed, heard or only configured.
    pub feeds: &'a BTreeMap<FeedId, Arc<FeedRecord>>,
    /// Every broker session behind every feed.
    pub links: &'a [Link],
    /// The session that brings alarms and incidents; `None` where the broker is our own and hands them over itself.
    pub emergency: Option<&'a EmergencyLink>,
    /// Incidents that are open. The room's own record: one that is not here is over.
    pub incidents: &'a [Arc<Incident>],
    /// Areas that are armed, by incidents, places and operators.
    pub areas: &'a [ArmedArea],
    /// Of whom persons say that they are missed no more.
    pub accounted: &'a [AccountedFor],
    /// Whether the room has that alert open, by rule, subject and status; `None`: whatever was told is.
    pub open: Option<IsOpen<'a>>,
    /// Depots: a vehicle last seen in one is parked, not silent.
    pub depots: &'a [Area],
    /// Where vehicles were; `None`: only what they say of their course counts.
    pub trail: Option<TrailLookup<'a>>,
}

/// Whether an alert is open, by its rule, subject and status.
pub type IsOpen<'a> = &'a dyn Fn(&str, &Subject, Status) -> bool;

/// A person knows where a vehicle is that an open alert missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountedFor {
    /// What the alert is about.
    pub about: Subject,
    /// Meant, or a drill.
    pub status: Status,
    /// Who was missed.
    pub member: Subject,
    /// When they said so.
    pub at: UtcMillis,
}

/// What is known of the session that brings alarms and incidents from a broker of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmergencyLink {
    /// It is connected, and every one of its subscriptions is granted.
    pub up: bool,
    /// Since when.
    pub since: Now,
    /// Why it is not, in words for a person; names a topic that is refused.
    pub reason: String,
}

impl std::fmt::Debug for Scene<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scene").field("now", &self.now).field("as_of", &self.as_of).finish_non_exhaustive()
    }
}
