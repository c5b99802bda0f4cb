//! Makes publications: what changed since the last one, as readers see it. One task owns it, so it needs no lock.
//!
//! Its cost follows what changed: vehicles listed by the workers, and those whose freshness ran out by the deadlines
//! kept here.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    sync::Arc,
};

use transit::{FeedId, Mode, Now, VehicleKey};

use crate::{
    feed::FeedRecord,
    freshness::AgeLimits,
    options::{FeedPolicy, PictureOptions},
    picture::Picture,
    record::{VehicleRecord, View},
    tally::Tally,
    track::Counted,
    watch::Watch,
};

/// Nobody is left alone for longer than this, in milliseconds: a deadline that an earlier one has replaced stays in the
/// heap until it comes, and so it never stays long.
const LOOK_AGAIN_MS: u64 = 3_600_000;

/// What is known of the broker session behind a feed. A feed with several sessions is up while one of them is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The feed.
    pub feed: FeedId,
    /// The session is up and its subscriptions granted.
    pub up: bool,
    /// Since when.
    pub since: Now,
}

/// What readers see from now on.
#[derive(Debug, Clone)]
pub struct Publication {
    /// As of when.
    pub as_of: Now,
    /// The revision given.
    pub revision: u64,
    /// Every vehicle, sorted, and their counts.
    pub view: View,
    /// Vehicles new or changed since the last publication, in no particular order.
    pub upserts: Vec<Arc<VehicleRecord>>,
    /// Vehicles forgotten after a day of silence or dropped beyond the cap, sorted.
    pub removed: Vec<VehicleKey>,
    /// Every feed, heard or only configured.
    pub feeds: BTreeMap<FeedId, Arc<FeedRecord>>,
    /// What differs from the last publication.
    pub changed: Changed,
    /// Counters of the picture as a whole.
    pub totals: Totals,
}

/// What differs from the last publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Changed {
    /// A vehicle was upserted or removed.
    pub vehicles: bool,
    /// A feed's record.
    pub feeds: bool,
}

/// Counters of the picture as a whole, and figures for its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Vehicles the registry does not name, within the cap.
    pub unknown: usize,
    /// The cap.
    pub unknown_cap: usize,
    /// Vehicles held beyond the cap.
    pub overflow: usize,
    /// Vehicles dropped beyond the cap since start.
    pub evicted: u64,
    /// Vehicles removed after their day of silence since start.
    pub forgotten: u64,
}

/// What readers were shown, and when they must be shown something else.
#[derive(Debug)]
pub struct Publisher {
    view: View,
    watches: Vec<Watch>,
    feeds: BTreeMap<FeedId, Arc<FeedRecord>>,
    /// Deadlines on the monotonic clock. A vehicle's entry counts only while its track names the same instant.
    due: BinaryHeap<Reverse<(u64, VehicleKey)>>,
    forget_after_ms: u64,
    unknown_cap: usize,
    started: Now,
    evicted: u64,
    forgotten: u64,
}

/// One publication in the making.
struct Turn<'a> {
    picture: &'a Picture,
    now: Now,
    revision: u64,
    upserts: Vec<Arc<VehicleRecord>>,
    removed: BTreeSet<VehicleKey>,
}

/// What a look at a track found.
enum Look {
    /// Nothing that anybody would see.
    Same,
    /// Counted differently, but shown the same.
    Recounted(Option<Counted>, Counted),
    /// To be shown.
    Shown(Arc<VehicleRecord>, Option<Counted>, Counted),
    /// Silent for so long that it is to be removed.
    Forgotten,
}

impl Publisher {
    pub(crate) fn new(options: &PictureOptions, started: Now) -> Self {
        Self {
            view: View::default(),
            watches: options.feeds.iter().map(|policy| Watch::new(policy, started)).collect(),
            feeds: BTreeMap::new(),
            due: BinaryHeap::new(),
            forget_after_ms: u64::from(options.forget_after_h) * 3_600_000,
            unknown_cap: options.unknown_cap,
            started,
            evicted: 0,
            forgotten: 0,
        }
    }

    /// Makes the publication of this instant from what the workers hand over.
    ///
    /// `revision` must grow with every publication that has `changed` anything; it marks every record that changed.
    /// To be called at least every second, so that freshness runs out in time, and not before every tally that was
    /// taken earlier has been given.
    pub fn publish(
        &mut self,
        picture: &Picture,
        tallies: impl IntoIterator<Item = Tally>,
        links: &[Link],
        now: Now,
        revision: u64,
    ) -> Publication {
        let mut turn = Turn { picture, now, revision, upserts: Vec::new(), removed: BTreeSet::new() };
        let limits_before: Vec<_> = self.watches.iter().map(Watch::all_limits).collect();
        self.take_links(links);
        let mut changed_sets = Vec::new();
        for tally in tallies {
            self.evicted += tally.evictions;
            for feed in tally.feeds() {
                let at = watch_of(&mut self.watches, &feed.feed, self.started);
                self.watches[usize::from(at)].absorb(feed);
            }
            for (key, counted) in tally.evicted {
                self.drop_evicted(&mut turn, key, counted);
            }
            for key in tally.changed {
                self.show_changed(&mut turn, &key);
            }
            changed_sets.extend(tally.changed_sets);
        }
        for set in changed_sets {
            for key in picture.changed_in_set(set) {
                self.show_changed(&mut turn, &key);
            }
        }
        self.look_at_shifted(&mut turn, &limits_before);
        self.look_at_due(&mut turn);
        let feeds_changed = self.publish_feeds(now, revision);
        self.view.counts.vehicles = self.view.vehicles.len();
        let (_, overflow) = picture.held();
        Publication {
            as_of: now,
            revision,
            view: self.view.clone(),
            changed: Changed { vehicles: !turn.upserts.is_empty() || !turn.removed.is_empty(), feeds: feeds_changed },
            upserts: turn.upserts,
            removed: turn.removed.into_iter().collect(),
            feeds: self.feeds.clone(),
            totals: Totals {
                unknown: picture.unknown(),
                unknown_cap: self.unknown_cap,
                overflow,
                evicted: self.evicted,
                forgotten: self.forgotten,
            },
        }
    }

    fn take_links(&mut self, links: &[Link]) {
        for link in links {
            let at = usize::from(watch_of(&mut self.watches, &link.feed, self.started));
            let of_feed = || links.iter().filter(|l| l.feed == link.feed);
            let up = of_feed().any(|l| l.up);
            let sessions = || of_feed().filter(|l| l.up == up).map(|l| l.since);
            // Up since the first came up, down since the last went down.
            let since = if up { sessions().min_by_key(|n| n.mono_ms) } else { sessions().max_by_key(|n| n.mono_ms) };
            self.watches[at].health.link(up, since.unwrap_or(link.since));
        }
    }

    /// Shows a vehicle that a worker listed.
    fn show_changed(&mut self, turn: &mut Turn<'_>, key: &VehicleKey) {
        let looked = self.look(turn, key, true);
        self.settle(turn, key, looked);
    }

    /// Vehicles of feeds whose learned interval moved their limits. Rare, and the only place where the whole fleet
    /// of a feed is looked at.
    fn look_at_shifted(&mut self, turn: &mut Turn<'_>, before: &[(AgeLimits, Vec<(Mode, AgeLimits)>)]) {
        let shifted: Vec<FeedId> = self
            .watches
            .iter()
            .zip(before)
            .filter(|(watch, before)| watch.all_limits() != **before)
            .map(|(watch, _)| watch.id.clone())
            .collect();
        if shifted.is_empty() {
            return;
        }
        let keys: Vec<VehicleKey> =
            self.view.vehicles.iter().filter(|(_, r)| shifted.contains(&r.feed)).map(|(key, _)| key.clone()).collect();
        for key in keys {
            let looked = self.look(turn, &key, false);
            self.settle(turn, &key, looked);
        }
    }

    /// Vehicles whose freshness ran out, and those to be forgotten.
    fn look_at_due(&mut self, turn: &mut Turn<'_>) {
        while self.due.peek().is_some_and(|Reverse((at, _))| *at <= turn.now.mono_ms) {
            let Some(Reverse((at, key))) = self.due.pop() else {
                return;
            };
            let planned = turn.picture.with(&key, |track| {
                let planned = track.due_mono_ms == at;
                if planned {
                    track.due_mono_ms = 0;
                }
                planned
            });
            if planned == Some(true) {
                let looked = self.look(turn, &key, false);
                self.settle(turn, &key, looked);
            }
        }
    }

    /// Looks at a vehicle: what must be shown of it, and when to look again.
    fn look(&mut self, turn: &Turn<'_>, key: &VehicleKey, listed: bool) -> Option<Look> {
        let mono_ms = turn.now.mono_ms;
        let forget_after_ms = self.forget_after_ms;
        let (watches, started) = (&mut self.watches, self.started);
        let (look, due) = turn.picture.with(key, |track| {
            let forgotten_at = track.forgotten_at(forget_after_ms);
            if !listed && forgotten_at <= mono_ms {
                return (Look::Forgotten, None);
            }
            let feed = watch_of(watches, track.feed(), started);
            let (phase, until) = track.phase(mono_ms, watches[usize::from(feed)].limits(track.mode()));
            let due = until.map_or(forgotten_at, |until| until.min(forgotten_at));
            let due = due.clamp(mono_ms + 1, mono_ms + LOOK_AGAIN_MS);
            // One entry a vehicle: the one planned stands unless something has to happen earlier.
            let plan = track.due_mono_ms == 0 || track.due_mono_ms > due;
            if plan {
                track.due_mono_ms = due;
            }
            let (before, after) = (track.counted, track.count(feed, phase));
            track.counted = Some(after);
            let shows = (listed && track.listed) || before.is_none_or(|b| b.phase.freshness() != phase.freshness());
            let look = if shows {
                Look::Shown(track.publish(phase.freshness(), turn.revision), before, after)
            } else if before == Some(after) {
                Look::Same
            } else {
                Look::Recounted(before, after)
            };
            (look, plan.then_some(due))
        })?;
        if let Some(due) = due {
            self.due.push(Reverse((due, key.clone())));
        }
        Some(look)
    }

    fn settle(&mut self, turn: &mut Turn<'_>, key: &VehicleKey, looked: Option<Look>) {
        match looked {
            None | Some(Look::Same) => {}
            Some(Look::Recounted(before, after)) => self.recount(key, before, Some(after)),
            Some(Look::Shown(record, before, after)) => {
                self.recount(key, before, Some(after));
                turn.removed.remove(key);
                self.view.vehicles.insert(record.key.clone(), Arc::clone(&record));
                turn.upserts.push(record);
            }
            Some(Look::Forgotten) => {
                let (limit, mono_ms) = (self.forget_after_ms, turn.now.mono_ms);
                let gone = turn.picture.forget(key, |track| track.forgotten_at(limit) <= mono_ms);
                if let Some(track) = gone {
                    self.forgotten += 1;
                    self.recount(key, track.counted, None);
                    self.remove(turn, key);
                }
            }
        }
    }

    fn drop_evicted(&mut self, turn: &mut Turn<'_>, key: VehicleKey, counted: Counted) {
        self.recount(&key, Some(counted), None);
        // Another worker may have let it in again since, and another tally may have had it shown.
        let shown_anew = turn.picture.with(&key, |track| track.counted.is_some());
        if shown_anew != Some(true) {
            self.remove(turn, &key);
        }
    }

    fn remove(&mut self, turn: &mut Turn<'_>, key: &VehicleKey) {
        if self.view.vehicles.remove(key).is_some() {
            turn.removed.insert(key.clone());
        }
    }

    /// Moves a vehicle from one count to another.
    fn recount(&mut self, key: &VehicleKey, before: Option<Counted>, after: Option<Counted>) {
        let counts = &mut self.view.counts;
        if let Some(c) = before {
            let watch = &mut self.watches[usize::from(c.feed)];
            counts.by_freshness[c.phase.freshness() as usize] -= 1;
            counts.by_journey_state[usize::from(c.journey)] -= 1;
            counts.skewed -= usize::from(c.skewed);
            counts.overflow -= usize::from(c.overflow);
            watch.skewed -= usize::from(c.skewed);
            watch.health.by_phase[c.phase as usize] -= 1;
            watch.health.expected_by_phase[c.phase as usize] -= usize::from(c.expected);
            watch.health.moved(key, None);
            if c.expected {
                watch.health.in_service.apply(&[(c.heard, -1)]);
            }
        }
        if let Some(c) = after {
            let watch = &mut self.watches[usize::from(c.feed)];
            counts.by_freshness[c.phase.freshness() as usize] += 1;
            counts.by_journey_state[usize::from(c.journey)] += 1;
            counts.skewed += usize::from(c.skewed);
            counts.overflow += usize::from(c.overflow);
            watch.skewed += usize::from(c.skewed);
            watch.health.by_phase[c.phase as usize] += 1;
            watch.health.expected_by_phase[c.phase as usize] += usize::from(c.expected);
            watch.health.moved(key, Some(c.phase).filter(|_| c.expected));
            if c.expected {
                watch.health.in_service.apply(&[(c.heard, 1)]);
            }
        }
    }

    fn publish_feeds(&mut self, now: Now, revision: u64) -> bool {
        let mut changed = false;
        for watch in &mut self.watches {
            if watch.publish(now, revision)
                && let Some(record) = watch.record()
            {
                self.feeds.insert(watch.id.clone(), Arc::clone(record));
                changed = true;
            }
        }
        changed
    }
}

/// The index of a feed; one that nobody configured is watched from when it is first heard.
fn watch_of(watches: &mut Vec<Watch>, feed: &FeedId, started: Now) -> u16 {
    let at = match watches.iter().position(|w| w.id == *feed) {
        Some(at) => at,
        None => {
            watches.push(Watch::new(&FeedPolicy::of(feed.clone()), started));
            watches.len() - 1
        }
    };
    u16::try_from(at).expect("feeds come from the configuration, which nobody writes 65,536 of")
}
