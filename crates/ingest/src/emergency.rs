//! The emergency lane between whoever receives alarms and the one task that records them.
//!
//! Knows that a message must not be confirmed before it is on disk, and nothing of what it says.
//!
//! Bounds. A broker may have `receive_maximum` QoS 1 messages out to us unconfirmed; as many again may be QoS 0, so
//! the queue holds twice that and QoS 1 finds room without waiting. A QoS 0 alarm that finds none of its share is
//! shed and counted, because nobody holds a copy that could be asked for again.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::Frame;

/// A frame that must be recorded, and the way to say that it is.
#[derive(Debug)]
pub struct EmergencyFrame {
    /// The message.
    pub frame: Frame,
    /// Its confirmation.
    pub done: Done,
}

/// The obligation to say what became of a frame. Dropped without a word it counts as withheld.
#[derive(Debug)]
#[must_use = "a frame whose `Done` is dropped is not confirmed and comes again"]
pub struct Done {
    verdict: Option<oneshot::Sender<Verdict>>,
    held: Option<oneshot::Sender<()>>,
    counts: Arc<Counts>,
    _share: Option<OwnedSemaphorePermit>,
}

impl Done {
    /// The decision on the frame is on disk: confirm it to the sender. Call it only after the fsync.
    pub fn recorded(self) {
        self.settle(Verdict::Recorded);
    }

    /// It could not be recorded: do not confirm. From a foreign broker it is redelivered when the session
    /// reconnects, which it does for this reason after [`EmergencyLane::WITHHELD_PAUSE`]; a publisher at the embedded
    /// broker is disconnected after a pause and sends again when it is back. Until then frames behind it are not
    /// confirmed either, because confirmations leave in the order of receipt.
    pub fn withhold(self) {
        self.settle(Verdict::Withheld);
    }

    /// It waits for a journal that cannot be written, and people see it meanwhile. The obligation stands. A publisher
    /// at the embedded broker who can be told so (MQTT 5) is, and goes on with the next message; saying it twice
    /// changes nothing.
    pub fn held(&mut self) {
        if let Some(held) = self.held.take() {
            // Who waits no more needs no word.
            held.send(()).ok();
        }
    }

    fn settle(mut self, verdict: Verdict) {
        if verdict == Verdict::Withheld {
            self.counts.withheld.fetch_add(1, Relaxed);
            metrics::counter!("topis_emergency_withheld_total").increment(1);
        }
        if let Some(sender) = self.verdict.take()
            && sender.send(verdict).is_err()
        {
            // The connection it came by is gone: a confirmation now would go to another message of the next one.
            self.counts.stale.fetch_add(1, Relaxed);
            metrics::counter!("topis_emergency_stale_acks_total").increment(1);
        }
    }
}

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// On disk.
    Recorded,
    /// Not on disk.
    Withheld,
    /// Not on disk yet; kept and shown.
    Held,
}

/// Resolves to the verdict; an error means that the `Done` was dropped.
pub(crate) type Pending = oneshot::Receiver<Verdict>;

/// What went through the lane since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EmergencyCounts {
    /// Frames queued for recording.
    pub received: u64,
    /// QoS 0 alarms lost because their share of the queue was full. Any is a fault to be shown.
    pub qos0_shed: u64,
    /// Confirmations sent to a broker or a publisher.
    pub acknowledged: u64,
    /// Frames that could not be recorded.
    pub withheld: u64,
    /// Verdicts that came after their connection was gone; the frames are redelivered.
    pub stale: u64,
    /// Frames waiting now.
    pub depth: u64,
}

#[derive(Debug, Default)]
struct Counts {
    received: AtomicU64,
    qos0_shed: AtomicU64,
    acknowledged: AtomicU64,
    withheld: AtomicU64,
    stale: AtomicU64,
}

/// Why a frame was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotQueued {
    /// QoS 0, and its share is full.
    Shed,
    /// QoS 1, and the broker sent more than it may.
    Full,
    /// Nobody reads any more.
    Closed,
}

/// The writing end, shared by the session and the embedded broker.
#[derive(Clone)]
pub struct EmergencyLane {
    frames: mpsc::Sender<EmergencyFrame>,
    qos0: Arc<Semaphore>,
    receive_maximum: u16,
    counts: Arc<Counts>,
}

impl EmergencyLane {
    /// A pause after a frame could not be recorded, before it is asked for again: long enough not to hammer a full
    /// disk, short enough that alarms are confirmed soon after it has room.
    pub const WITHHELD_PAUSE: std::time::Duration = std::time::Duration::from_secs(5);

    /// A lane for `receive_maximum` unconfirmed QoS 1 frames (at least 1) and as many of QoS 0, and its reading end.
    pub fn new(receive_maximum: u16) -> (Self, mpsc::Receiver<EmergencyFrame>) {
        let receive_maximum = receive_maximum.max(1);
        let share = usize::from(receive_maximum);
        let (frames, receiver) = mpsc::channel(2 * share);
        let qos0 = Arc::new(Semaphore::new(share));
        (Self { frames, qos0, receive_maximum, counts: Arc::default() }, receiver)
    }

    /// QoS 1 frames that may be out unconfirmed.
    pub(crate) fn receive_maximum(&self) -> u16 {
        self.receive_maximum
    }

    /// Queues `frame` without waiting. The pending verdict is `None` for QoS 0, which nobody confirms.
    pub(crate) fn offer(&self, frame: Frame) -> Result<Option<Pending>, NotQueued> {
        let (done, pending) = if frame.qos == 0 {
            let Ok(share) = Arc::clone(&self.qos0).try_acquire_owned() else {
                self.counts.qos0_shed.fetch_add(1, Relaxed);
                metrics::counter!("topis_emergency_qos0_shed_total").increment(1);
                return Err(NotQueued::Shed);
            };
            (Done { verdict: None, held: None, counts: Arc::clone(&self.counts), _share: Some(share) }, None)
        } else {
            self.obligation()
        };
        match self.frames.try_send(EmergencyFrame { frame, done }) {
            Ok(()) => {
                self.count_received();
                Ok(pending)
            }
            Err(mpsc::error::TrySendError::Full(_)) => Err(NotQueued::Full),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(NotQueued::Closed),
        }
    }

    /// Takes over a frame that came by another lane, where nobody waits for its confirmation; shed like QoS 0 when the
    /// queue is full.
    pub fn divert(&self, frame: Frame) {
        // What is shed or unread is counted there.
        drop(self.offer(Frame { qos: 0, ..frame }));
    }

    /// Hands in a frame that came by no broker, and waits until it is on disk: true. False when it could not be recorded
    /// yet; it is shown meanwhile and will be.
    pub async fn record(&self, frame: Frame) -> bool {
        self.submit(Frame { qos: 1, ..frame }, true).await == Verdict::Recorded
    }

    /// Queues `frame`, waiting for room, and, unless it is QoS 0, for its verdict; with `leaves_when_held` only until the
    /// frame is held. For a caller that holds back only the sender of this frame.
    pub(crate) async fn submit(&self, frame: Frame, leaves_when_held: bool) -> Verdict {
        let (mut done, pending) = match frame.qos {
            0 => (Done { verdict: None, held: None, counts: Arc::clone(&self.counts), _share: None }, None),
            _ => self.obligation(),
        };
        let (held, is_held) = oneshot::channel();
        if leaves_when_held {
            done.held = Some(held);
        }
        if self.frames.send(EmergencyFrame { frame, done }).await.is_err() {
            return Verdict::Withheld;
        }
        self.count_received();
        let Some(pending) = pending else { return Verdict::Recorded };
        tokio::select! {
            biased;
            verdict = pending => verdict.unwrap_or(Verdict::Withheld),
            Ok(()) = is_held => Verdict::Held,
        }
    }

    /// Waits until a full window of QoS 1 frames has room. A session does so before it connects: what an earlier
    /// connection left in the queue is redelivered, and both must fit.
    pub(crate) async fn room(&self) {
        // Closed is found out by the next frame.
        drop(self.frames.reserve_many(usize::from(self.receive_maximum)).await);
    }

    /// A confirmation left.
    pub(crate) fn count_acknowledged(&self) {
        self.counts.acknowledged.fetch_add(1, Relaxed);
        metrics::counter!("topis_emergency_acks_total").increment(1);
    }

    /// What went through so far.
    pub fn counters(&self) -> EmergencyCounts {
        EmergencyCounts {
            received: self.counts.received.load(Relaxed),
            qos0_shed: self.counts.qos0_shed.load(Relaxed),
            acknowledged: self.counts.acknowledged.load(Relaxed),
            withheld: self.counts.withheld.load(Relaxed),
            stale: self.counts.stale.load(Relaxed),
            depth: (self.frames.max_capacity() - self.frames.capacity()) as u64,
        }
    }

    fn obligation(&self) -> (Done, Option<Pending>) {
        let (verdict, pending) = oneshot::channel();
        (Done { verdict: Some(verdict), held: None, counts: Arc::clone(&self.counts), _share: None }, Some(pending))
    }

    fn count_received(&self) {
        self.counts.received.fetch_add(1, Relaxed);
        metrics::counter!("topis_emergency_received_total").increment(1);
        metrics::gauge!("topis_emergency_depth").set((self.frames.max_capacity() - self.frames.capacity()) as f64);
    }
}
