//! The telemetry lane: a bounded queue per worker, and what gives way when a worker is behind.
//!
//! Knows which frames may be replaced only by asking the caller. Start at [`Lanes::push`].

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::{Classify, Frame};

/// Bytes that a worker takes at once, about, however few frames they are: what it does with them keeps a thread busy.
const BATCH_BYTES: usize = 512 * 1024;

/// Bounds of the telemetry lane. Every bound is per worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneLimits {
    /// Queues, one for each worker; at least 1.
    pub workers: usize,
    /// Frames queued before replaceable ones start to coalesce.
    pub capacity: usize,
    /// Frames queued before even stop, door and sign-on messages are dropped, which degrades the service.
    pub hard_capacity: usize,
    /// Topics that may wait in the overflow, one newest frame each.
    pub overflow_topics: usize,
    /// Bytes that may wait in all, topics included: large datasets fill memory long before they are many. A frame that
    /// finds no room is dropped, a plain position only where it is larger than the one it replaces.
    pub bytes: usize,
}

impl Default for LaneLimits {
    /// Two workers; about a second of the design load in order, then 100,000 vehicles' newest positions; thrice the bytes
    /// that these take.
    fn default() -> Self {
        Self { workers: 2, capacity: 16_384, hard_capacity: 65_536, overflow_topics: 131_072, bytes: 64 * 1024 * 1024 }
    }
}

/// What went through a queue since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LaneCounts {
    /// Frames offered.
    pub received: u64,
    /// Positions replaced by a newer one of their topic before anybody read them.
    pub coalesced: u64,
    /// Positions dropped because too many topics were waiting. The next position of the vehicle heals it.
    pub dropped_positions: u64,
    /// Stop, door, sign-on and sign-off messages dropped: nothing heals that, so it degrades the status.
    pub dropped_events: u64,
    /// Frames waiting now.
    pub depth: u64,
}

/// The telemetry lane.
pub struct Lanes {
    queues: Vec<Arc<LaneQueue>>,
    classify: Classify,
}

impl Lanes {
    /// Queues within `limits`; `classify` says of a frame that it is a plain position, which a newer one of the same
    /// topic may replace. It is asked only when a queue is over capacity, so it may parse. Install the metrics recorder first: the handles
    /// are taken here.
    pub fn new(limits: LaneLimits, classify: Classify) -> Self {
        let queues = (0..limits.workers.max(1)).map(|worker| Arc::new(LaneQueue::new(worker, limits))).collect();
        Self { queues, classify }
    }

    /// Hands `frame` to the queue of its topic. Never waits.
    pub fn push(&self, frame: Frame) {
        let queue = match self.queues.as_slice() {
            [only] => only,
            several => &several[worker_of(&frame.topic, several.len())],
        };
        queue.push_with(frame, |frame| (self.classify)(&frame.topic, &frame.payload));
    }

    /// The queues, in the order of the workers.
    pub fn queues(&self) -> &[Arc<LaneQueue>] {
        &self.queues
    }

    /// All queues together.
    pub fn counters(&self) -> LaneCounts {
        self.queues.iter().map(|queue| queue.counters()).fold(LaneCounts::default(), |sum, one| LaneCounts {
            received: sum.received + one.received,
            coalesced: sum.coalesced + one.coalesced,
            dropped_positions: sum.dropped_positions + one.dropped_positions,
            dropped_events: sum.dropped_events + one.dropped_events,
            depth: sum.depth + one.depth,
        })
    }

    /// No more frames will come: workers finish what is queued and are told so.
    pub fn close(&self) {
        for queue in &self.queues {
            queue.close();
        }
    }
}

fn worker_of(topic: &str, workers: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    topic.hash(&mut hasher);
    // The remainder is below a usize, whatever the platform.
    (hasher.finish() % workers as u64) as usize
}

/// One worker's queue: first in, first out below its capacity. Above it, a replaceable frame waits aside and only
/// the newest of its topic stays; any other is queued up to a hard bound.
pub struct LaneQueue {
    limits: LaneLimits,
    held: Mutex<Held>,
    wake: Notify,
    counts: Counts,
    meters: Meters,
}

#[derive(Default)]
struct Held {
    fifo: VecDeque<Frame>,
    overflow: HashMap<Arc<str>, Frame>,
    /// Topics of `overflow`, longest waiting first, so that none starves.
    waiting: VecDeque<Arc<str>>,
    /// Of all that wait.
    bytes: usize,
    closed: bool,
}

impl Held {
    fn len(&self) -> usize {
        self.fifo.len() + self.overflow.len()
    }

    fn has_room(&self, frame: &Frame, limits: &LaneLimits) -> bool {
        // A frame larger than all that may wait is still one frame.
        self.bytes + bytes_of(frame) <= limits.bytes || self.len() == 0
    }

    /// Moves frames out until `batch` has `max` of them or they have `bytes`.
    fn take_in_order(&mut self, batch: &mut Vec<Frame>, max: usize, bytes: usize) {
        let least = self.bytes.saturating_sub(bytes);
        while batch.len() < max
            && self.bytes >= least
            && let Some(frame) = self.fifo.pop_front()
        {
            self.bytes -= bytes_of(&frame);
            batch.push(frame);
        }
    }

    fn take_overflow(&mut self) -> Option<Frame> {
        let frame = self.waiting.pop_front().and_then(|topic| self.overflow.remove(&topic))?;
        self.bytes -= bytes_of(&frame);
        Some(frame)
    }
}

fn bytes_of(frame: &Frame) -> usize {
    frame.topic.len() + frame.payload.len()
}

#[derive(Default)]
struct Counts {
    received: AtomicU64,
    coalesced: AtomicU64,
    dropped_positions: AtomicU64,
    dropped_events: AtomicU64,
}

struct Meters {
    received: metrics::Counter,
    coalesced: metrics::Counter,
    dropped_positions: metrics::Counter,
    dropped_events: metrics::Counter,
    depth: metrics::Gauge,
}

impl LaneQueue {
    fn new(worker: usize, limits: LaneLimits) -> Self {
        let lane = worker.to_string();
        let dropped =
            |what: &'static str| metrics::counter!("topis_lane_dropped_total", "lane" => lane.clone(), "what" => what);
        let meters = Meters {
            received: metrics::counter!("topis_lane_received_total", "lane" => lane.clone()),
            coalesced: metrics::counter!("topis_lane_coalesced_total", "lane" => lane.clone()),
            dropped_positions: dropped("position"),
            dropped_events: dropped("event"),
            depth: metrics::gauge!("topis_lane_depth", "lane" => lane.clone()),
        };
        Self { limits, held: Mutex::default(), wake: Notify::new(), counts: Counts::default(), meters }
    }

    /// Takes `frame` in; `replaceable` is a plain position. Never waits.
    pub fn push(&self, frame: Frame, replaceable: bool) {
        self.push_with(frame, |_| replaceable);
    }

    /// As [`Self::push`], asking whether the frame is replaceable only when the queue is over capacity, and then
    /// outside the lock, because the answer may take parsing.
    pub fn push_with(&self, frame: Frame, replaceable: impl FnOnce(&Frame) -> bool) {
        self.counts.received.fetch_add(1, Relaxed);
        let frame = match self.push_in_order(frame, self.limits.capacity) {
            Ok(()) => return,
            Err(frame) => frame,
        };
        if replaceable(&frame) {
            self.push_aside(frame);
        } else if self.push_in_order(frame, self.limits.hard_capacity).is_err() {
            self.counts.dropped_events.fetch_add(1, Relaxed);
        }
    }

    fn push_in_order(&self, frame: Frame, capacity: usize) -> Result<(), Frame> {
        let mut held = self.lock();
        if held.fifo.len() >= capacity || !held.has_room(&frame, &self.limits) {
            return Err(frame);
        }
        let was_empty = held.len() == 0;
        held.bytes += bytes_of(&frame);
        held.fifo.push_back(frame);
        drop(held);
        if was_empty {
            self.wake.notify_one();
        }
        Ok(())
    }

    fn push_aside(&self, mut frame: Frame) {
        // A payload is a slice of the connection's read buffer, kilobytes that live as long as the slice does: what
        // may wait long is copied out.
        frame.payload = Bytes::copy_from_slice(&frame.payload);
        let topic: Arc<str> = Arc::from(&*frame.topic);
        let mut held = self.lock();
        let was_empty = held.len() == 0;
        let (has_room, bytes) = (held.has_room(&frame, &self.limits), bytes_of(&frame));
        let full = held.overflow.len() >= self.limits.overflow_topics || !has_room;
        let Held { overflow, waiting, bytes: all_bytes, .. } = &mut *held;
        match overflow.entry(Arc::clone(&topic)) {
            Entry::Occupied(newest) if !has_room && bytes > bytes_of(newest.get()) => {
                self.counts.dropped_positions.fetch_add(1, Relaxed);
            }
            Entry::Occupied(mut newest) => {
                *all_bytes = *all_bytes + bytes - bytes_of(&newest.insert(frame));
                self.counts.coalesced.fetch_add(1, Relaxed);
            }
            Entry::Vacant(_) if full => {
                self.counts.dropped_positions.fetch_add(1, Relaxed);
            }
            Entry::Vacant(vacant) => {
                vacant.insert(frame);
                waiting.push_back(topic);
                *all_bytes += bytes;
            }
        }
        drop(held);
        if was_empty {
            self.wake.notify_one();
        }
    }

    /// Waits for frames and puts up to `max` of them into `batch`, which is emptied first. `false` when the lane is
    /// closed and drained. One reader at a time: the worker the queue belongs to.
    pub async fn next_batch(&self, batch: &mut Vec<Frame>, max: usize) -> bool {
        batch.clear();
        loop {
            let closed = self.take(batch, max);
            if !batch.is_empty() {
                return true;
            }
            if closed {
                return false;
            }
            self.wake.notified().await;
        }
    }

    /// Moves frames out; says whether the lane is closed.
    fn take(&self, batch: &mut Vec<Frame>, max: usize) -> bool {
        let mut held = self.lock();
        // What waits aside is the newest there is. It gets half of every batch, else a lasting overload would keep
        // it waiting for ever behind older frames.
        let aside = held.overflow.len().min(max.div_ceil(2));
        let share = if aside == 0 { BATCH_BYTES } else { BATCH_BYTES / 2 };
        held.take_in_order(batch, max - aside, share);
        let least = held.bytes.saturating_sub(BATCH_BYTES / 2);
        while batch.len() < max
            && held.bytes >= least
            && let Some(frame) = held.take_overflow()
        {
            batch.push(frame);
        }
        let (depth, closed) = (held.len(), held.closed);
        drop(held);
        self.report(depth);
        closed
    }

    /// Frames waiting.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Nothing waiting.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What went through so far.
    pub fn counters(&self) -> LaneCounts {
        LaneCounts {
            received: self.counts.received.load(Relaxed),
            coalesced: self.counts.coalesced.load(Relaxed),
            dropped_positions: self.counts.dropped_positions.load(Relaxed),
            dropped_events: self.counts.dropped_events.load(Relaxed),
            depth: self.len() as u64,
        }
    }

    fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_one();
    }

    /// Once a batch rather than once a frame: the hot path only adds to an atomic.
    fn report(&self, depth: usize) {
        self.meters.received.absolute(self.counts.received.load(Relaxed));
        self.meters.coalesced.absolute(self.counts.coalesced.load(Relaxed));
        self.meters.dropped_positions.absolute(self.counts.dropped_positions.load(Relaxed));
        self.meters.dropped_events.absolute(self.counts.dropped_events.load(Relaxed));
        self.meters.depth.set(depth as f64);
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        // Nothing in the critical sections panics half-way; if one ever did, losing a frame beats losing the lane.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
