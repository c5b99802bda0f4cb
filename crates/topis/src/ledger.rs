//! What strangers got wrong and which clients are there: small, bounded, written by many, read by the publisher.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use api::ClientRecord;
use decode::{Presence, Reject};
use imbl::Vector;
use transit::FeedId;

/// Rejects kept per feed; the oldest goes first.
const REJECTS_PER_FEED_MAX: usize = 1_000;
/// Clients kept; one more than this is not remembered, only counted.
const CLIENTS_MAX: usize = 10_000;

/// Rejects and clients.
#[derive(Default)]
pub(crate) struct Ledger {
    inner: Mutex<Pages>,
}

/// What the ledger holds, cheap to clone.
#[derive(Default, Clone)]
pub(crate) struct Pages {
    /// Newest rejects per feed, oldest first.
    pub(crate) rejects: BTreeMap<FeedId, Vector<Arc<Reject>>>,
    /// Clients by name.
    pub(crate) clients: BTreeMap<String, ClientRecord>,
    /// Counts every change.
    pub(crate) version: u64,
}

impl Ledger {
    /// Keeps a reject, dropping the feed's oldest when full.
    pub(crate) fn note_reject(&self, reject: Reject) {
        let mut pages = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        pages.version += 1;
        let ring = pages.rejects.entry(reject.feed.clone()).or_default();
        if ring.len() == REJECTS_PER_FEED_MAX {
            ring.pop_front();
        }
        ring.push_back(Arc::new(reject));
    }

    /// Keeps a client's word about itself.
    pub(crate) fn note_presence(&self, presence: Presence) {
        let mut pages = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if !pages.clients.contains_key(&presence.client) && pages.clients.len() >= CLIENTS_MAX {
            metrics::counter!("topis_clients_not_kept_total").increment(1);
            return;
        }
        pages.version += 1;
        let record = ClientRecord {
            client: presence.client.clone(),
            online: presence.online,
            clean: presence.clean,
            since: presence.since.unwrap_or(presence.received_at),
        };
        pages.clients.insert(presence.client, record);
    }

    /// A copy of everything, when it changed after `seen`.
    pub(crate) fn changed_since(&self, seen: u64) -> Option<Pages> {
        let pages = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        (pages.version != seen).then(|| pages.clone())
    }
}
