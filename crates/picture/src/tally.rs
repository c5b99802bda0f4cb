//! What one worker has to tell the publisher: counts, and which vehicles changed. Knows no lock: a worker owns its
//! tally and hands it over by [`Tally::take`].

use transit::{FeedId, Now, VehicleKey};

use crate::{interval::GapsByMode, standstill::Place, track::Counted};

/// Messages are counted as heard and as advancing per this much receive time, in milliseconds.
pub(crate) const WINDOW_MS: u64 = 30_000;

/// The counting window of an instant.
pub(crate) fn window(mono_ms: u64) -> u32 {
    // 30 s windows fill 32 bits in four thousand years.
    (mono_ms / WINDOW_MS) as u32
}

/// A worker's counts since it last handed them over, and the vehicles it changed.
///
/// A changed vehicle stands in exactly one tally until it is published, so every tally must reach the publisher
/// within a publication or two even when its worker has nothing to do. Its size is bounded by the number of
/// vehicles, not of messages.
#[derive(Debug, Default)]
pub struct Tally {
    feeds: Vec<FeedTally>,
    pub(crate) changed: Vec<VehicleKey>,
    /// Sets of the overflow with a changed vehicle; the ids themselves could be without number.
    pub(crate) changed_sets: Vec<u16>,
    /// Published vehicles that the overflow dropped.
    pub(crate) evicted: Vec<(VehicleKey, Counted)>,
    pub(crate) evictions: u64,
}

impl Tally {
    /// Nothing counted.
    pub fn new() -> Self {
        Self::default()
    }

    /// Hands over what was counted and begins anew.
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Whether there is nothing to hand over.
    pub fn is_empty(&self) -> bool {
        self.feeds.is_empty() && self.changed.is_empty() && self.changed_sets.is_empty() && self.evicted.is_empty()
    }

    /// Counts a message of which nothing could be used.
    pub fn reject(&mut self, feed: &FeedId, received: Now) {
        let tally = self.feed(feed);
        tally.received += 1;
        tally.rejected += 1;
        tally.last_message = Some(received);
    }

    /// Counts that part of a message was lost; the message itself is counted by its folding.
    pub fn reject_part(&mut self, feed: &FeedId) {
        self.feed(feed).rejected += 1;
    }

    /// Counts a warning.
    pub fn warn(&mut self, feed: &FeedId) {
        self.feed(feed).warned += 1;
    }

    /// The counts of a feed. A worker hears a handful of feeds: looking through them beats any map.
    pub(crate) fn feed(&mut self, feed: &FeedId) -> &mut FeedTally {
        let at = match self.feeds.iter().position(|t| t.feed == *feed) {
            Some(at) => at,
            None => {
                self.feeds.push(FeedTally::of(feed.clone()));
                self.feeds.len() - 1
            }
        };
        &mut self.feeds[at]
    }

    pub(crate) fn feeds(&self) -> &[FeedTally] {
        &self.feeds
    }
}

/// One feed's share of a tally.
#[derive(Debug, Clone)]
pub(crate) struct FeedTally {
    pub(crate) feed: FeedId,
    pub(crate) received: u64,
    pub(crate) duplicates: u64,
    pub(crate) out_of_order: u64,
    pub(crate) rejected: u64,
    pub(crate) warned: u64,
    pub(crate) retained: u64,
    /// Newest message of any kind.
    pub(crate) last_message: Option<Now>,
    /// Newest message of a vehicle that was not retained.
    pub(crate) last_vehicle: Option<Now>,
    /// Newest message that advanced a vehicle.
    pub(crate) last_advance: Option<Now>,
    /// Receive minus device time of advancing messages: least, sum, number.
    pub(crate) lag_ms_min: Option<i64>,
    pub(crate) lag_ms_sum: i64,
    pub(crate) lags: u32,
    /// Gaps between advancing messages of a vehicle.
    pub(crate) gaps: GapsByMode,
    /// Vehicles last heard in a window: changes of the number, by window.
    pub(crate) heard: Vec<(u32, i64)>,
    /// Vehicles that may run by when they were heard and how their stamp stands: likewise.
    pub(crate) stamps: Vec<(Place, i64)>,
}

impl FeedTally {
    fn of(feed: FeedId) -> Self {
        Self {
            feed,
            received: 0,
            duplicates: 0,
            out_of_order: 0,
            rejected: 0,
            warned: 0,
            retained: 0,
            last_message: None,
            last_vehicle: None,
            last_advance: None,
            lag_ms_min: None,
            lag_ms_sum: 0,
            lags: 0,
            gaps: GapsByMode::default(),
            heard: Vec::new(),
            stamps: Vec::new(),
        }
    }

    /// Counts the lag of an advancing message.
    pub(crate) fn lag(&mut self, lag_ms: i64) {
        self.lag_ms_min = Some(self.lag_ms_min.map_or(lag_ms, |least| least.min(lag_ms)));
        self.lag_ms_sum = self.lag_ms_sum.saturating_add(lag_ms);
        self.lags += 1;
    }
}

/// Moves a vehicle from where it was last counted to another place, or to none.
pub(crate) fn move_count<P: Copy + PartialEq>(moves: &mut Vec<(P, i64)>, from: Option<P>, to: Option<P>) {
    let mut add = |place: P, change: i64| match moves.iter_mut().find(|(known, _)| *known == place) {
        Some((_, sum)) => *sum += change,
        None => moves.push((place, change)),
    };
    if let Some(from) = from {
        add(from, -1);
    }
    if let Some(to) = to {
        add(to, 1);
    }
}
