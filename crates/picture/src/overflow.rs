//! Vehicles beyond the cap of unknown ones: a bounded store that drops the least recently heard.
//!
//! Set-associative like a processor cache: an id belongs to one small set, ordered by recency. The bound is hard
//! whatever arrives, and workers on different sets never meet.

use std::{
    hash::{BuildHasher, DefaultHasher, Hasher},
    sync::atomic::{AtomicUsize, Ordering},
};

use dashmap::DashMap;
use transit::VehicleKey;

use crate::track::Track;

/// Vehicles a set: enough that a set rarely fills while others are empty, few enough to look through.
const WAYS: usize = 8;

/// Hashes with a seed given from outside: the crate has no randomness of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SeededHash(pub(crate) u64);

impl BuildHasher for SeededHash {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.0);
        hasher
    }
}

/// Vehicles of one set, least recently heard first.
#[derive(Debug, Default)]
struct Set {
    tracks: Vec<Track>,
    /// Listed in a tally as changed.
    listed: bool,
}

/// The store.
#[derive(Debug)]
pub(crate) struct Overflow {
    sets: DashMap<u16, Set, SeededHash>,
    set_count: u16,
    held: AtomicUsize,
    hash: SeededHash,
}

/// What an admission did.
pub(crate) struct Admitted<R> {
    pub(crate) answer: R,
    /// The set, when it must be listed as changed.
    pub(crate) list: Option<u16>,
    /// Who had to go.
    pub(crate) dropped: Option<Track>,
}

impl Overflow {
    /// Holds at most `cap` vehicles, rounded down to whole sets, at least one set.
    pub(crate) fn new(cap: usize, hash: SeededHash) -> Self {
        let set_count = u16::try_from(cap / WAYS).unwrap_or(u16::MAX).max(1);
        Self { sets: DashMap::with_hasher(hash), set_count, held: AtomicUsize::new(0), hash }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.held.load(Ordering::Relaxed) == 0
    }

    fn set_of(&self, key: &VehicleKey) -> u16 {
        // The remainder is below a u16.
        (self.hash.hash_one(key) % u64::from(self.set_count)) as u16
    }

    /// Lets a vehicle in, or finds it, and folds; `fold` says whether readers will see a difference.
    pub(crate) fn admit<R>(
        &self,
        key: &VehicleKey,
        begin: impl FnOnce() -> Track,
        fold: impl FnOnce(&mut Track) -> (R, bool),
    ) -> Admitted<R> {
        let index = self.set_of(key);
        let mut set = self.sets.entry(index).or_default();
        let (track, dropped) = match set.tracks.iter().position(|t| t.key() == key) {
            Some(at) => (set.tracks.remove(at), None),
            None => {
                let full = set.tracks.len() >= WAYS;
                let dropped = full.then(|| set.tracks.remove(0));
                if !full {
                    self.held.fetch_add(1, Ordering::Relaxed);
                }
                (begin(), dropped)
            }
        };
        set.tracks.push(track);
        let newest = set.tracks.last_mut().expect("one was pushed in the line above");
        let (answer, changed) = fold(newest);
        newest.listed |= changed;
        let list = (changed && !std::mem::replace(&mut set.listed, true)).then_some(index);
        Admitted { answer, list, dropped }
    }

    /// Looks at a vehicle.
    pub(crate) fn with<R>(&self, key: &VehicleKey, look: impl FnOnce(&mut Track) -> R) -> Option<R> {
        let mut set = self.sets.get_mut(&self.set_of(key))?;
        set.tracks.iter_mut().find(|t| t.key() == key).map(look)
    }

    /// Takes a vehicle out, if it meets the condition.
    pub(crate) fn take_if(&self, key: &VehicleKey, condition: impl Fn(&Track) -> bool) -> Option<Box<Track>> {
        let mut set = self.sets.get_mut(&self.set_of(key))?;
        let at = set.tracks.iter().position(|t| t.key() == key && condition(t))?;
        self.held.fetch_sub(1, Ordering::Relaxed);
        Some(Box::new(set.tracks.remove(at)))
    }

    /// The changed vehicles of a listed set, which is then no longer listed.
    pub(crate) fn changed(&self, index: u16) -> Vec<VehicleKey> {
        let Some(mut set) = self.sets.get_mut(&index) else {
            return Vec::new();
        };
        set.listed = false;
        set.tracks.iter().filter(|t| t.listed).map(|t| t.key().clone()).collect()
    }

    /// Vehicles held.
    pub(crate) fn len(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }
}
