//! The health of a feed, as readers see it.

use std::collections::BTreeMap;

use transit::{FeedId, Mode, UtcMillis, words};

words! {
    /// The one thing to know about a feed. Worst last.
    FeedCondition as "feed_condition" {
        /// Vehicles are heard and their stamps advance.
        Good = "good",
        /// Nothing arrives, and no service is expected.
        Quiet = "quiet",
        /// Never heard since start: nothing is known, which is not good.
        Unheard = "unheard",
        /// Many of its vehicles are stale at once.
        Partial = "partial",
        /// Messages arrive, but the devices' stamps do not advance.
        Frozen = "frozen",
        /// The link is up, nothing arrives.
        Silent = "silent",
        /// Our session with the broker is down.
        LinkDown = "link_down",
    }
}

/// One feed as published.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedRecord {
    /// Its id.
    pub id: FeedId,
    /// The one thing to know.
    pub condition: FeedCondition,
    /// Since when.
    pub condition_since: UtcMillis,
    /// Vehicles whose newest message came by it.
    pub vehicles: usize,
    /// Of them, by freshness: live, aging, stale, lost.
    pub by_freshness: [usize; 4],
    /// Messages a second over the last minute.
    pub rate_per_s: f64,
    /// Reporting interval in seconds per vehicle, learned or configured; `None` until known.
    pub interval_s: Option<f64>,
    /// The same of the vehicles of each mode, as far as it was learned; empty where the interval is configured.
    pub interval_s_by_mode: BTreeMap<Mode, f64>,
    /// The interval is configured.
    pub interval_configured: bool,
    /// Smallest receive minus device time over the last 10 minutes, milliseconds; negative: clocks ahead of ours.
    pub lag_ms_min: Option<i64>,
    /// Newest receive minus device time smoothed, milliseconds.
    pub lag_ms_typical: Option<i64>,
    /// Vehicles whose clock is more than 60 s ahead or 300 s behind.
    pub skewed_vehicles: usize,
    /// Messages received.
    pub received: u64,
    /// Exact copies among them.
    pub duplicates: u64,
    /// Messages older than what was known.
    pub out_of_order: u64,
    /// Messages of which something was lost.
    pub rejected: u64,
    /// Messages with a warning.
    pub warned: u64,
    /// From the broker's retained store.
    pub retained: u64,
    /// Newest message of any kind.
    pub last_message_at: Option<UtcMillis>,
    /// Newest message that advanced a vehicle.
    pub last_advance_at: Option<UtcMillis>,
    /// For two minutes the stamps of more than 80 % of its vehicles have been seen to move on between messages. Until
    /// then a feed that was frozen before we began may be so still.
    pub stamps_move: bool,
    /// The publication at which it last changed.
    pub revision: u64,
}

impl FeedRecord {
    /// Reporting interval in seconds of its vehicles of a mode, else of all; `None` until known.
    pub fn interval_s_of(&self, mode: Mode) -> Option<f64> {
        self.interval_s_by_mode.get(&mode).copied().or(self.interval_s)
    }
}
