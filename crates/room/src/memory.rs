//! A bounded memory: the newest entries by age and number, cheap to clone.
//!
//! Knows nothing of alerts. Forgetting depends on the instants given alone, so that replay forgets the same.

use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};
use transit::UtcMillis;

/// What is remembered under a key, and since when.
#[derive(Debug, Clone, PartialEq)]
struct Entry<V> {
    at: UtcMillis,
    serial: u64,
    value: V,
}

/// Keys with values, forgotten oldest first once too old or too many.
#[derive(Debug, Clone)]
pub(crate) struct Memory<K: Ord, V> {
    entries: OrdMap<K, Entry<V>>,
    /// Every insertion, oldest first. One whose serial is no longer its key's was renewed since.
    order: Vector<(UtcMillis, u64, K)>,
    serial: u64,
}

impl<K: Ord, V> Default for Memory<K, V> {
    fn default() -> Self {
        Self { entries: OrdMap::default(), order: Vector::default(), serial: 0 }
    }
}

/// A memory as it is written into a snapshot: every insertion still in order, with its value where it still counts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Kept<K, V> {
    serial: u64,
    /// The value stands in a tuple, because a bare unit would be written like nothing.
    order: Vec<(UtcMillis, u64, K, Option<(V,)>)>,
}

impl<K, V> Default for Kept<K, V> {
    /// Of a snapshot from before there was this memory.
    fn default() -> Self {
        Self { serial: 0, order: Vec::new() }
    }
}

impl<K: Ord + Clone, V: Clone> Memory<K, V> {
    pub(crate) fn to_kept(&self) -> Kept<K, V> {
        let value = |key: &K, serial: u64| {
            self.entries.get(key).filter(|entry| entry.serial == serial).map(|entry| (entry.value.clone(),))
        };
        let order = self.order.iter().map(|(at, serial, key)| (*at, *serial, key.clone(), value(key, *serial)));
        Kept { serial: self.serial, order: order.collect() }
    }

    pub(crate) fn from_kept(kept: Kept<K, V>) -> Self {
        let mut memory = Self { serial: kept.serial, ..Self::default() };
        for (at, serial, key, value) in kept.order {
            if let Some((value,)) = value {
                memory.entries.insert(key.clone(), Entry { at, serial, value });
            }
            memory.order.push_back((at, serial, key));
        }
        memory
    }

    /// The value under `key`, unless it is older than `keep_ms`.
    pub(crate) fn find(&self, key: &K, now: UtcMillis, keep_ms: i64) -> Option<&V> {
        self.entries.get(key).filter(|entry| now.since(entry.at) <= keep_ms).map(|entry| &entry.value)
    }

    /// Remembers; a key known already is renewed.
    pub(crate) fn insert(&mut self, key: K, at: UtcMillis, value: V) {
        self.serial += 1;
        let entry = Entry { at, serial: self.serial, value };
        self.entries.insert(key.clone(), entry);
        self.order.push_back((at, self.serial, key));
    }

    /// Forgets one key.
    pub(crate) fn remove(&mut self, key: &K) {
        self.entries.remove(key);
    }

    /// Forgets what is older than `keep_ms` at `now`, and the oldest beyond `max`. Gives the keys forgotten.
    pub(crate) fn prune(&mut self, now: UtcMillis, keep_ms: i64, max: usize) -> Vec<K> {
        let mut forgotten = Vec::new();
        while let Some((at, serial, key)) = self.order.front() {
            let known = self.entries.get(key).is_some_and(|entry| entry.serial == *serial);
            if known && now.since(*at) <= keep_ms && self.entries.len() <= max {
                break;
            }
            if known {
                self.entries.remove(key);
                forgotten.push(key.clone());
            }
            self.order.pop_front();
        }
        forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten_by_age_and_by_number() {
        let mut memory = Memory::default();
        for n in 0..5 {
            memory.insert(n, UtcMillis(n * 10), n);
        }
        assert_eq!(memory.prune(UtcMillis(50), 30, 10), [0, 1]);
        assert_eq!(memory.prune(UtcMillis(50), 30, 2), [2]);
        assert_eq!(memory.find(&3, UtcMillis(50), 30), Some(&3));
        assert_eq!(memory.find(&3, UtcMillis(70), 30), None);
    }

    #[test]
    fn what_is_renewed_counts_from_then() {
        let mut memory = Memory::default();
        memory.insert("a", UtcMillis(0), 1);
        memory.insert("b", UtcMillis(1), 2);
        memory.insert("a", UtcMillis(9), 3);
        assert_eq!(memory.prune(UtcMillis(10), 5, 10), ["b"]);
        assert_eq!(memory.find(&"a", UtcMillis(10), 5), Some(&3));
    }
}
