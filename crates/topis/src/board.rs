//! The board that readers look at: one immutable snapshot behind one pointer, built by two writers that take turns.
//!
//! The room's owner posts at once after a commit; the picture's tick posts when something changed, and at least every
//! second, so that `as_of` shows that we are alive.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use api::{Degraded, Derived, Exceptions, Guide, JOURNAL_SCOPE, Published, Snapshot};
use imbl::Vector;
use picture::{Publication, View};
use room::ControlRoom;
use transit::{Now, VehicleKey};

use crate::{health::Check, ledger::Pages};

/// Removed vehicles remembered for pollers; a cursor from before the oldest gets a 410.
const REMOVED_MAX: usize = 20_000;
/// Commits remembered with the revision that showed them; an alert older than all counts as shown at the first.
const COMMITS_MAX: usize = 20_000;
/// At least this often `as_of` moves, in milliseconds of the service's clock.
const AS_OF_MOVES_MS: i64 = 1_000;
/// Who asked for a card is expected to ask again for so long, in milliseconds.
const ASKS_FOR_MS: u64 = 60_000;

/// What one tick learned.
pub(crate) struct Tick {
    /// The picture's news.
    pub(crate) picture: Publication,
    /// Rejects and clients, when they changed.
    pub(crate) pages: Option<Pages>,
    /// What is worse than it should be, the journal apart.
    pub(crate) degraded: Vec<Degraded>,
    /// Checks for `/readyz`.
    pub(crate) checks: Vec<Check>,
}

/// What a commit changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Touched {
    /// An alert.
    pub(crate) alerts: bool,
    /// An incident.
    pub(crate) incidents: bool,
}

/// Builds snapshots and makes them readable.
pub(crate) struct Board {
    published: Arc<Published>,
    last: Mutex<Posted>,
}

/// The newest snapshot, and how far the room in it is on disk.
struct Posted {
    snapshot: Snapshot,
    durable_seq: u64,
    /// When somebody last asked who is near, on the clock that never jumps.
    asked_mono_ms: Option<u64>,
}

impl Board {
    /// Begins with the room as replayed and an empty picture. `epoch` is new at every start of the process.
    pub(crate) fn new(epoch: &str, room: ControlRoom, guide: Guide, clock: &'static str, now: Now) -> Self {
        let first = Snapshot {
            epoch: Arc::from(epoch),
            revision: 1,
            as_of: now.utc,
            revisions: api::Revisions { vehicles: 1, alerts: 1, incidents: 1, feeds: 1, status: 1, exceptions: 1 },
            view: View::default(),
            index: Derived::default(),
            areas: Derived::default(),
            guide: Arc::new(guide),
            removed: Vector::new(),
            removed_floor: 1,
            room_revisions: Vector::unit((0, 1)),
            room,
            feeds: BTreeMap::new(),
            rejects: BTreeMap::new(),
            clients: BTreeMap::new(),
            exceptions: Exceptions::default(),
            degraded: Vec::new(),
            checks: vec![("broker".to_owned(), false, "not connected yet".to_owned())],
            clock,
        };
        let durable_seq = first.room.seq();
        Self {
            published: Arc::new(Published::new(first.clone())),
            last: Mutex::new(Posted { snapshot: first, durable_seq, asked_mono_ms: None }),
        }
    }

    /// What readers follow.
    pub(crate) fn published(&self) -> Arc<Published> {
        Arc::clone(&self.published)
    }

    /// Posts the room, of which the journal has everything up to `on_disk`: after a commit, or, with what is wrong with
    /// the journal, as it would be if it could be recorded.
    pub(crate) fn post_room(
        &self,
        room: ControlRoom,
        on_disk: u64,
        touched: Touched,
        trouble: Option<Degraded>,
        now: Now,
    ) {
        let mut posted = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let Posted { snapshot: last, durable_seq, .. } = &mut *posted;
        // What was shown before it was on disk is shown anew, so that its readers see it become durable.
        let was_troubled = last.degraded.iter().any(|d| d.scope == JOURNAL_SCOPE);
        let revision = last.revision + 1;
        last.revision = revision;
        if touched.alerts || was_troubled {
            last.revisions.alerts = revision;
        }
        if touched.incidents || was_troubled {
            last.revisions.incidents = revision;
            last.areas = Derived::default();
        }
        let first_shown = *durable_seq + 1;
        while last.room_revisions.back().is_some_and(|(first, _)| *first >= first_shown) {
            last.room_revisions.pop_back();
        }
        last.room_revisions.push_back((first_shown, revision));
        if last.room_revisions.len() > COMMITS_MAX {
            last.room_revisions.pop_front();
        }
        *durable_seq = on_disk;
        last.room = room;
        last.as_of = now.utc;
        let others = last.degraded.iter().filter(|d| d.scope != JOURNAL_SCOPE).cloned();
        let degraded = others.chain(trouble).collect();
        note_degraded(last, degraded, revision);
        self.published.publish(last.clone());
    }

    /// Posts what is out of order without needing an owner.
    pub(crate) fn post_exceptions(&self, exceptions: Vec<Arc<detect::Exception>>, now: Now) {
        let mut posted = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let last = &mut posted.snapshot;
        let revision = last.revision + 1;
        if last.exceptions.replace(exceptions, revision) {
            last.revision = revision;
            last.revisions.exceptions = revision;
        }
        last.as_of = last.as_of.max(now.utc);
        self.published.publish(last.clone());
    }

    /// Posts what the workers folded. `look` is asked for the news under a revision that every changed record carries.
    ///
    /// While people ask for cards the vehicles are laid out by place as soon as they are readable, so that who asks next
    /// need not wait for that.
    pub(crate) fn post_picture(&self, now: Now, look: impl FnOnce(u64) -> Tick) {
        let mut posted = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let Posted { snapshot: last, asked_mono_ms, .. } = &mut *posted;
        if last.index.was_asked() {
            *asked_mono_ms = Some(now.mono_ms);
        }
        let asks = asked_mono_ms.is_some_and(|asked| now.mono_ms.saturating_sub(asked) < ASKS_FOR_MS);
        let revision = last.revision + 1;
        let Tick { picture, pages, degraded, checks } = look(revision);
        let mut changed = picture.changed.vehicles || picture.changed.feeds || pages.is_some();
        if picture.changed.vehicles {
            last.revisions.vehicles = revision;
            last.view = picture.view;
            last.index = Derived::default();
            note_removed(last, picture.removed, revision);
        }
        if picture.changed.feeds {
            last.revisions.feeds = revision;
            last.feeds = picture.feeds;
        }
        if let Some(pages) = pages {
            last.revisions.feeds = revision;
            if last.clients != pages.clients {
                last.revisions.status = revision;
                last.clients = pages.clients;
            }
            last.rejects = pages.rejects;
        }
        let journal = last.degraded.iter().find(|d| d.scope == JOURNAL_SCOPE).cloned();
        let writable = journal.as_ref().map_or("writable", |trouble| &trouble.detail).to_owned();
        last.checks = checks;
        last.checks.push((JOURNAL_SCOPE.to_owned(), journal.is_none(), writable));
        let degraded = degraded.into_iter().chain(journal).collect();
        changed |= note_degraded(last, degraded, revision);
        if changed {
            last.revision = revision;
        }
        if changed || now.utc.since(last.as_of).abs() >= AS_OF_MOVES_MS {
            last.as_of = now.utc;
            self.published.publish(last.clone());
        }
        let ahead = asks.then(|| last.clone());
        // A commit need not wait for it.
        drop(posted);
        if let Some(snapshot) = ahead {
            snapshot.place_ahead();
        }
    }
}

fn note_removed(last: &mut Snapshot, removed: Vec<VehicleKey>, revision: u64) {
    for key in removed {
        last.removed.push_back((revision, key));
    }
    while last.removed.len() > REMOVED_MAX {
        if let Some((forgotten, _)) = last.removed.pop_front() {
            last.removed_floor = forgotten + 1;
        }
    }
}

/// Replaces the complaints; one that stands on keeps its `since`, and a new wording alone is no change. True when one
/// came or went.
fn note_degraded(last: &mut Snapshot, mut degraded: Vec<Degraded>, revision: u64) -> bool {
    let same = |a: &Degraded, b: &Degraded| a.code == b.code && a.scope == b.scope;
    for complaint in &mut degraded {
        if let Some(before) = last.degraded.iter().find(|d| same(d, complaint)) {
            complaint.since = before.since;
        }
    }
    let changed =
        degraded.len() != last.degraded.len() || degraded.iter().zip(&last.degraded).any(|(a, b)| !same(a, b));
    if changed {
        last.revisions.status = revision;
    }
    last.degraded = degraded;
    changed
}

#[cfg(test)]
mod tests;
