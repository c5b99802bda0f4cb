//! What readers read: one immutable snapshot behind one pointer.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use alert::Command;
use arc_swap::ArcSwap;
use decode::Reject;
use impact::{ArmedArea, Index};
use picture::{FeedRecord, View};
use room::{ControlRoom, Verdict};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};
use transit::{FeedId, UtcMillis};

use crate::{Derived, Exceptions, Guide};

/// Scope of complaints about the journal: while one stands, not all that is shown is on disk.
pub const JOURNAL_SCOPE: &str = "journal";

/// One reason why the answer is worse than it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Degraded {
    /// Stable code, e.g. `feed_silent`, `link_down`, `journal_unwritable`, `frames_dropped`.
    pub code: String,
    /// What it concerns: `feed:hfp`, `broker`, `journal`.
    pub scope: String,
    /// Since when.
    pub since: UtcMillis,
    /// In words.
    pub detail: String,
}

/// A publishing client's own word about its connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRecord {
    /// The client.
    pub client: String,
    /// Connected.
    pub online: bool,
    /// Signed off cleanly (only when not online).
    pub clean: bool,
    /// Since when.
    pub since: UtcMillis,
}

/// The revision at which each collection last changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Revisions {
    /// Vehicles.
    pub vehicles: u64,
    /// Alerts.
    pub alerts: u64,
    /// Incidents.
    pub incidents: u64,
    /// Feeds and rejects.
    pub feeds: u64,
    /// Degradation and clients.
    pub status: u64,
    /// Exceptions.
    pub exceptions: u64,
}

/// A collection that readers can wait on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Collection {
    Vehicles,
    Alerts,
    Incidents,
    Feeds,
    Exceptions,
    /// All of them at once, as the wall shows them.
    Everything,
}

/// Everything as of one publication.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// New at every start of the process.
    pub epoch: Arc<str>,
    /// Strictly increasing while anything changes.
    pub revision: u64,
    /// When this was true.
    pub as_of: UtcMillis,
    /// By collection.
    pub revisions: Revisions,
    /// Vehicles.
    pub view: View,
    /// Vehicles by place, of `view`; replaced with it.
    pub index: Derived<Index>,
    /// Areas of active incidents, of `room`; replaced when an incident changes.
    pub areas: Derived<Vec<ArmedArea>>,
    /// Places and runbooks.
    pub guide: Arc<Guide>,
    /// Vehicles removed lately: (revision, id), oldest first. Cursors from before `removed_floor` are too old.
    pub removed: imbl::Vector<(u64, transit::VehicleKey)>,
    /// The oldest revision from which `removed` is complete.
    pub removed_floor: u64,
    /// Alerts and incidents.
    pub room: ControlRoom,
    /// The revision at which each journal sequence became visible: (first seq, revision), oldest first, bounded.
    /// Maps an alert's `seq` to the revision at which readers saw it.
    pub room_revisions: imbl::Vector<(u64, u64)>,
    /// Feeds by id.
    pub feeds: BTreeMap<FeedId, Arc<FeedRecord>>,
    /// Newest rejects per feed, oldest first, bounded.
    pub rejects: BTreeMap<FeedId, imbl::Vector<Arc<Reject>>>,
    /// Publishing clients.
    pub clients: BTreeMap<String, ClientRecord>,
    /// What is out of order without needing an owner, by rule and subject; and what went lately.
    pub exceptions: Exceptions,
    /// What is worse than it should be.
    pub degraded: Vec<Degraded>,
    /// Named checks for `/readyz`: (name, ready, detail).
    pub checks: Vec<(String, bool, String)>,
    /// `wall` or `simulated`.
    pub clock: &'static str,
}

impl Snapshot {
    /// Vehicles by place; made when first asked for.
    pub fn placed(&self) -> &Index {
        self.index.get_or_make(|| Index::of(&self.view))
    }

    /// Lays the vehicles out by place before anybody asks.
    pub fn place_ahead(&self) {
        self.index.make_ahead(|| Index::of(&self.view));
    }

    /// The revision at which what is read of `collection` last changed. Degradation is part of every answer, so that
    /// its changes count for every collection.
    pub(crate) fn changed(&self, collection: Collection) -> u64 {
        let r = self.revisions;
        let own = match collection {
            Collection::Vehicles => r.vehicles,
            Collection::Alerts => r.alerts,
            Collection::Incidents => r.incidents,
            Collection::Feeds => r.feeds,
            Collection::Exceptions => r.exceptions,
            Collection::Everything => r.vehicles.max(r.alerts).max(r.incidents).max(r.feeds),
        };
        own.max(r.status)
    }

    /// The revision at which readers first saw the journal record `seq`.
    pub(crate) fn revision_of_seq(&self, seq: u64) -> u64 {
        let entries = &self.room_revisions;
        let (mut low, mut high) = (0, entries.len());
        while low < high {
            let middle = low.midpoint(high);
            if entries.get(middle).is_some_and(|(first, _)| *first <= seq) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low.checked_sub(1).and_then(|i| entries.get(i)).map_or(0, |(_, revision)| *revision)
    }

    /// The first journal record that was shown after a revision.
    pub(crate) fn first_seq_after(&self, revision: u64) -> u64 {
        let newer = self.room_revisions.iter().rev().take_while(|(_, shown)| *shown > revision);
        newer.last().map_or(u64::MAX, |(first, _)| *first)
    }

    /// What the room shows is on disk as a whole.
    pub(crate) fn is_durable(&self) -> bool {
        !self.degraded.iter().any(|complaint| complaint.scope == JOURNAL_SCOPE)
    }

    /// The oldest cursor from which alerts and incidents can be continued: what lies before the ring is only known to
    /// be older than its first entry.
    pub(crate) fn room_floor(&self) -> u64 {
        match self.room_revisions.front() {
            Some((first, revision)) if *first > 1 => *revision,
            _ => 0,
        }
    }
}

/// The one pointer everybody reads, and the bell that rings when it moves.
#[derive(Debug)]
pub struct Published {
    current: ArcSwap<Snapshot>,
    bell: watch::Sender<u64>,
    began: Instant,
    /// Milliseconds after `began` at which `as_of` last advanced.
    advanced_ms: AtomicU64,
}

impl Published {
    /// Starts with `first`.
    pub fn new(first: Snapshot) -> Self {
        let revision = first.revision;
        Self {
            current: ArcSwap::from_pointee(first),
            bell: watch::Sender::new(revision),
            began: Instant::now(),
            advanced_ms: AtomicU64::new(0),
        }
    }

    /// The newest snapshot.
    pub fn load(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Makes `next` the newest and wakes waiting readers when its revision is new.
    pub fn publish(&self, next: Snapshot) {
        let revision = next.revision;
        let as_of = next.as_of;
        let before = self.current.swap(Arc::new(next));
        if before.as_of != as_of {
            self.advanced_ms.store(self.elapsed_ms(), Ordering::Relaxed);
        }
        self.bell.send_if_modified(|seen| {
            let moved = *seen != revision;
            *seen = revision;
            moved
        });
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// How long `as_of` has stood still. Counted on a clock of our own, so that a jump of the wall clock or a
    /// simulated one makes nobody blind.
    pub(crate) fn still_for(&self) -> Duration {
        Duration::from_millis(self.elapsed_ms().saturating_sub(self.advanced_ms.load(Ordering::Relaxed)))
    }

    /// Rings at every new revision.
    pub fn bell(&self) -> watch::Receiver<u64> {
        self.bell.subscribe()
    }
}

/// How an order went.
#[derive(Debug, Clone)]
pub enum CommandAnswer {
    /// Decided, and on disk; the room as it is from then on.
    Decided {
        /// What was decided, a refusal too.
        verdict: Verdict,
        /// With the record it is about.
        room: Box<ControlRoom>,
    },
    /// The journal cannot be written: nothing changed. `full` when the disk is.
    NotSaved {
        /// The disk is full.
        full: bool,
    },
}

/// An order on its way to the room.
#[derive(Debug)]
pub struct PendingCommand {
    /// The order.
    pub command: Command,
    /// Where the answer goes, after the fsync.
    pub answer: oneshot::Sender<CommandAnswer>,
}

/// The bounded door orders go through; full means 503.
pub type CommandDoor = mpsc::Sender<PendingCommand>;
