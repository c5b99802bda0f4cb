//! The live state store. Folding runs in parallel, one vehicle at a time; knows no publication order and no feeds'
//! health.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use dashmap::{DashMap, DashSet, Entry};
use transit::{AgencyId, Now, Observation, UtcMillis, VehicleKey};

use crate::{
    options::PictureOptions,
    order::GroupKeys,
    overflow::{Overflow, SeededHash},
    publisher::Publisher,
    record::VehicleRecord,
    skew::Receipt,
    tally::Tally,
    track::{Folded, Rules, Track},
    trail::{TrailLimits, TrailPoint},
};

/// Agencies shared by their vehicles; a stranger who invents more gains nothing.
const SHARED_AGENCIES_MAX: usize = 1_000;

/// Everything known of every vehicle.
///
/// Shared by all workers. A `DashMap` guard makes the fold of a vehicle exclusive; it never outlives one closure and
/// never meets a second map call.
#[derive(Debug)]
pub struct Picture {
    options: PictureOptions,
    rules: Rules,
    tracks: DashMap<VehicleKey, Box<Track>, SeededHash>,
    overflow: Overflow,
    /// One allocation an agency: a publication copies keys by the thousand.
    agencies: DashSet<AgencyId, SeededHash>,
    /// Vehicles in `tracks` that the registry does not name.
    unknown: AtomicUsize,
    /// Wall clock minus monotonic clock at the first message.
    wall_ahead_ms: OnceLock<i64>,
}

/// More of a vehicle than its record says: for those who look for a fault.
#[derive(Debug, Clone, PartialEq)]
pub struct Detail {
    /// Who owns each field group of the regular registers.
    pub order_keys: GroupKeys,
    /// The regular registers as of now, even while a message from the future is shown.
    pub regular: Arc<VehicleRecord>,
    /// Stamp of the newest message from the future, if any came.
    pub ahead_event_time: Option<UtcMillis>,
    /// Milliseconds since the last message of any kind, copies included.
    pub heard_ms_ago: u64,
    /// Points in its trail.
    pub trail_points: usize,
}

impl Picture {
    /// An empty picture.
    pub fn new(options: PictureOptions) -> Self {
        let rules = Rules {
            future_limit_ms: options.future_limit_ms,
            behind_limit_ms: options.behind_limit_ms,
            jump_limits: options.jump_limits.clone(),
            area: options.service_area,
            trail: TrailLimits { minutes: options.trail_minutes, points_max: options.trail_points_max },
        };
        let hash = SeededHash(options.hash_seed);
        Self {
            rules,
            tracks: DashMap::with_hasher(hash),
            overflow: Overflow::new(options.lru_cap, hash),
            agencies: DashSet::with_hasher(hash),
            unknown: AtomicUsize::new(0),
            wall_ahead_ms: OnceLock::new(),
            options,
        }
    }

    /// The publisher of this picture. There must be one only: it keeps count of what readers were shown.
    pub fn publisher(&self, started: Now) -> Publisher {
        Publisher::new(&self.options, started)
    }

    /// Takes one message of a vehicle. Called by many workers at once, each with its own tally.
    ///
    /// Total: whatever the observation holds, the picture stays sound. What is newest in each field group depends on
    /// the messages alone; freshness, flags, trail and counts depend on their arrival too, and so does what is shown
    /// between two messages from the future.
    pub fn fold(&self, observation: &Observation, received: Now, tally: &mut Tally) -> Folded {
        let receipt = self.receipt(received);
        if let Some(mut track) = self.tracks.get_mut(&observation.vehicle) {
            return self.fold_into(&mut track, observation, receipt, tally);
        }
        self.fold_newcomer(observation, receipt, tally)
    }

    /// The newest value's owner in every field group of a vehicle.
    pub fn order_keys(&self, key: &VehicleKey) -> Option<GroupKeys> {
        self.with(key, |track| track.order_keys().clone())
    }

    /// A vehicle's last hour of good positions, oldest first, up to its newest one: a vehicle that is lost keeps the
    /// path it was lost on.
    pub fn trail(&self, key: &VehicleKey) -> Option<Vec<TrailPoint>> {
        self.with(key, |track| track.trail())
    }

    /// What the record does not say.
    pub fn detail(&self, key: &VehicleKey, now: Now) -> Option<Detail> {
        self.with(key, |track| Detail {
            order_keys: track.order_keys().clone(),
            regular: Arc::clone(track.regular()),
            ahead_event_time: track.ahead().map(|(stamp, _)| stamp),
            heard_ms_ago: now.mono_ms.saturating_sub(track.heard_mono_ms()),
            trail_points: track.trail().len(),
        })
    }

    /// Vehicles held, published or not: within the caps, and beyond them.
    pub fn held(&self) -> (usize, usize) {
        (self.tracks.len(), self.overflow.len())
    }

    /// Vehicles held that the registry does not name, those beyond the cap left out.
    pub fn unknown(&self) -> usize {
        self.unknown.load(Ordering::Relaxed)
    }

    fn receipt(&self, now: Now) -> Receipt {
        let wall_ahead = now.utc.0.saturating_sub(now.mono_ms as i64);
        let at_first = *self.wall_ahead_ms.get_or_init(|| wall_ahead);
        Receipt { now, step_ms: wall_ahead.saturating_sub(at_first) }
    }

    fn fold_into(&self, track: &mut Track, o: &Observation, receipt: Receipt, tally: &mut Tally) -> Folded {
        let folded = track.fold(o, receipt, &self.rules, tally.feed(&o.feed));
        if folded.changed() && !std::mem::replace(&mut track.listed, true) {
            tally.changed.push(o.vehicle.clone());
        }
        folded
    }

    /// The first message of a vehicle, or one of a vehicle beyond the cap.
    fn fold_newcomer(&self, o: &Observation, receipt: Receipt, tally: &mut Tally) -> Folded {
        let registered = self.is_registered(&o.vehicle);
        let room = registered || self.unknown() < self.options.unknown_cap;
        if room {
            // One that had to wait beyond the cap brings along what it said there.
            let waiting = if self.overflow.is_empty() { None } else { self.overflow.take_if(&o.vehicle, |_| true) };
            let key = self.shared_key(&o.vehicle);
            return match self.tracks.entry(key.clone()) {
                Entry::Occupied(mut entry) => self.fold_into(entry.get_mut(), o, receipt, tally),
                Entry::Vacant(entry) => {
                    if !registered {
                        self.unknown.fetch_add(1, Ordering::Relaxed);
                    }
                    let track = match waiting {
                        Some(mut track) => {
                            // Seen without its flag from now on, whatever this message says.
                            track.leave_overflow();
                            tally.changed.push(o.vehicle.clone());
                            track
                        }
                        None => Box::new(Track::begin(key, o, false)),
                    };
                    self.fold_into(entry.insert(track).value_mut(), o, receipt, tally)
                }
            };
        }
        let admitted = self.overflow.admit(
            &o.vehicle,
            || Track::begin(o.vehicle.clone(), o, true),
            |track| {
                let folded = track.fold(o, receipt, &self.rules, tally.feed(&o.feed));
                (folded, folded.changed())
            },
        );
        tally.changed_sets.extend(admitted.list);
        if let Some(dropped) = admitted.dropped {
            tally.evictions += 1;
            tally.evicted.extend(dropped.counted.map(|counted| (dropped.key().clone(), counted)));
        }
        admitted.answer
    }

    /// The same key, its agency shared with the vehicles that came before.
    fn shared_key(&self, key: &VehicleKey) -> VehicleKey {
        let known = self.agencies.get(&key.agency).map(|agency| agency.clone());
        if known.is_none() && self.agencies.len() < SHARED_AGENCIES_MAX {
            self.agencies.insert(key.agency.clone());
        }
        VehicleKey { agency: known.unwrap_or_else(|| key.agency.clone()), vehicle: key.vehicle.clone() }
    }

    pub(crate) fn is_registered(&self, key: &VehicleKey) -> bool {
        self.options.registered.as_ref().is_some_and(|registry| registry.contains(key))
    }

    /// Looks at one vehicle, exclusively.
    pub(crate) fn with<R>(&self, key: &VehicleKey, look: impl FnOnce(&mut Track) -> R) -> Option<R> {
        if let Some(mut track) = self.tracks.get_mut(key) {
            return Some(look(&mut track));
        }
        self.overflow.with(key, look)
    }

    /// The changed vehicles of a set beyond the cap.
    pub(crate) fn changed_in_set(&self, set: u16) -> Vec<VehicleKey> {
        self.overflow.changed(set)
    }

    /// Removes a vehicle, unless it was heard in the meantime.
    pub(crate) fn forget(&self, key: &VehicleKey, silent: impl Fn(&Track) -> bool) -> Option<Box<Track>> {
        let Some((_, gone)) = self.tracks.remove_if(key, |_, track| silent(track)) else {
            return self.overflow.take_if(key, silent);
        };
        if !self.is_registered(key) {
            self.unknown.fetch_sub(1, Ordering::Relaxed);
        }
        Some(gone)
    }
}
