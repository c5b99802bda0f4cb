//! The emergency lane between whoever receives alarms and the one task that records them.
//!
//! Knows that a message must not be confirmed before it is on disk, and nothing of what it says.
//!
//! Two queues, because a broker hands over everything in one line: a press behind ten thousand calls waits for them in
//! the broker, or here for nobody. So what may wait stands in a queue of its own, and the window is as wide as the
//! protocol allows, so that a storm is in our hands soon. Confirmations keep the order of receipt all the same.
//!
//! Bounds. A broker may have `receive_maximum` QoS 1 messages out to us unconfirmed, and each queue has room for all of
//! them twice, so that QoS 1 finds room without waiting; QoS 0 has a share beside it. A QoS 0 alarm that finds none of its
//! share is shed and counted, because nobody holds a copy that could be asked for again. The bytes that wait are bounded
//! too: a QoS 1 frame beyond them is like one beyond the window.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::{Classify, Frame};

/// QoS 0 frames that may wait in a queue.
const QOS0_SHARE: u16 = 1_024;
/// Bytes that may wait in a queue.
const QUEUE_BYTES: u32 = 64 * 1024 * 1024;
/// What a frame costs besides its topic and body, about.
const FRAME_BYTES: usize = 256;

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
    _shares: Shares,
}

/// What a frame takes of its queue's bounds, until it is settled.
#[derive(Debug)]
struct Shares {
    _bytes: OwnedSemaphorePermit,
    _qos0: Option<OwnedSemaphorePermit>,
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
    /// Alarms and incidents that the embedded broker's users file let nobody publish. Any may be a press under a wrong
    /// name.
    pub refused: u64,
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
    refused: AtomicU64,
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

/// One of the two queues, its writing end.
#[derive(Clone)]
struct Queue {
    frames: mpsc::Sender<EmergencyFrame>,
    qos0: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    depth: metrics::Gauge,
}

impl Queue {
    /// For `receive_maximum` QoS 1 frames and the share of QoS 0.
    fn new(name: &'static str, receive_maximum: u16) -> (Self, mpsc::Receiver<EmergencyFrame>) {
        let qos0 = usize::from(receive_maximum.min(QOS0_SHARE));
        // Twice the window: what a connection that broke left here is redelivered by the next one, which need not wait.
        let (frames, receiver) = mpsc::channel(2 * usize::from(receive_maximum) + qos0);
        let depth = metrics::gauge!("topis_emergency_depth", "queue" => name);
        let bytes = Arc::new(Semaphore::new(QUEUE_BYTES as usize));
        (Self { frames, qos0: Arc::new(Semaphore::new(qos0)), bytes, depth }, receiver)
    }

    /// Frames that wait now. The gauge follows whoever looks, which the service's tick does.
    fn depth(&self) -> usize {
        let depth = self.frames.max_capacity() - self.frames.capacity();
        self.depth.set(depth as f64);
        depth
    }
}

/// A frame larger than all that may wait is still one frame.
fn bytes_of(frame: &Frame) -> u32 {
    let bytes = frame.topic.len() + frame.payload.len() + FRAME_BYTES;
    u32::try_from(bytes).unwrap_or(QUEUE_BYTES).min(QUEUE_BYTES)
}

/// The reading end.
#[derive(Debug)]
pub struct Emergencies {
    /// Presses, and whatever is not known to be less.
    pub urgent: mpsc::Receiver<EmergencyFrame>,
    /// What may wait for them: see [`EmergencyLane::new`].
    pub others: mpsc::Receiver<EmergencyFrame>,
}

/// The writing end, shared by the session and the embedded broker.
#[derive(Clone)]
pub struct EmergencyLane {
    urgent: Queue,
    others: Queue,
    may_wait: Classify,
    receive_maximum: u16,
    counts: Arc<Counts>,
}

impl EmergencyLane {
    /// A pause after a frame could not be recorded, before it is asked for again: long enough not to hammer a full
    /// disk, short enough that alarms are confirmed soon after it has room.
    pub const WITHHELD_PAUSE: std::time::Duration = std::time::Duration::from_secs(5);

    /// A lane for `receive_maximum` unconfirmed QoS 1 frames (at least 1), and its reading end. `may_wait` says of a
    /// frame that presses overtake it; messages about one thing must all get the same answer, to keep their order. It
    /// is asked of every frame, so it must be quick. Install the metrics recorder first: handles are taken here.
    pub fn new(receive_maximum: u16, may_wait: Classify) -> (Self, Emergencies) {
        let receive_maximum = receive_maximum.max(1);
        let (urgent, urgent_end) = Queue::new("urgent", receive_maximum);
        let (others, others_end) = Queue::new("other", receive_maximum);
        let lane = Self { urgent, others, may_wait, receive_maximum, counts: Arc::default() };
        (lane, Emergencies { urgent: urgent_end, others: others_end })
    }

    /// QoS 1 frames that may be out unconfirmed.
    pub(crate) fn receive_maximum(&self) -> u16 {
        self.receive_maximum
    }

    fn queue_of(&self, frame: &Frame) -> &Queue {
        if (self.may_wait)(&frame.topic, &frame.payload) { &self.others } else { &self.urgent }
    }

    /// Queues `frame` without waiting. The pending verdict is `None` for QoS 0, which nobody confirms.
    pub(crate) fn offer(&self, frame: Frame) -> Result<Option<Pending>, NotQueued> {
        let queue = self.queue_of(&frame);
        let bytes = Arc::clone(&queue.bytes).try_acquire_many_owned(bytes_of(&frame));
        let (done, pending) = if frame.qos == 0 {
            let qos0 = Arc::clone(&queue.qos0).try_acquire_owned();
            let (Ok(bytes), Ok(qos0)) = (bytes, qos0) else {
                self.counts.qos0_shed.fetch_add(1, Relaxed);
                metrics::counter!("topis_emergency_qos0_shed_total").increment(1);
                return Err(NotQueued::Shed);
            };
            self.obligation(false, Shares { _bytes: bytes, _qos0: Some(qos0) })
        } else {
            let Ok(bytes) = bytes else { return Err(NotQueued::Full) };
            self.obligation(true, Shares { _bytes: bytes, _qos0: None })
        };
        match queue.frames.try_send(EmergencyFrame { frame, done }) {
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
        let queue = self.queue_of(&frame);
        // The semaphore is never closed.
        let Ok(bytes) = Arc::clone(&queue.bytes).acquire_many_owned(bytes_of(&frame)).await else {
            return Verdict::Withheld;
        };
        let (mut done, pending) = self.obligation(frame.qos != 0, Shares { _bytes: bytes, _qos0: None });
        let (held, is_held) = oneshot::channel();
        if leaves_when_held {
            done.held = Some(held);
        }
        if queue.frames.send(EmergencyFrame { frame, done }).await.is_err() {
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

    /// Waits until a full window of QoS 1 frames has room in both queues. A session does so before it connects: what an
    /// earlier connection left there is redelivered, and both must fit.
    pub(crate) async fn room(&self) {
        for queue in [&self.urgent, &self.others] {
            // Closed is found out by the next frame.
            drop(queue.frames.reserve_many(usize::from(self.receive_maximum)).await);
        }
    }

    /// A confirmation left.
    pub(crate) fn count_acknowledged(&self) {
        self.counts.acknowledged.fetch_add(1, Relaxed);
        metrics::counter!("topis_emergency_acks_total").increment(1);
    }

    /// A publisher had no right to publish it.
    pub(crate) fn count_refused(&self) {
        self.counts.refused.fetch_add(1, Relaxed);
    }

    /// What went through so far.
    pub fn counters(&self) -> EmergencyCounts {
        EmergencyCounts {
            received: self.counts.received.load(Relaxed),
            qos0_shed: self.counts.qos0_shed.load(Relaxed),
            acknowledged: self.counts.acknowledged.load(Relaxed),
            withheld: self.counts.withheld.load(Relaxed),
            stale: self.counts.stale.load(Relaxed),
            refused: self.counts.refused.load(Relaxed),
            depth: (self.urgent.depth() + self.others.depth()) as u64,
        }
    }

    fn count_received(&self) {
        self.counts.received.fetch_add(1, Relaxed);
        metrics::counter!("topis_emergency_received_total").increment(1);
    }

    fn obligation(&self, confirmed: bool, shares: Shares) -> (Done, Option<Pending>) {
        let (verdict, pending) = if confirmed {
            let (verdict, pending) = oneshot::channel();
            (Some(verdict), Some(pending))
        } else {
            (None, None)
        };
        (Done { verdict, held: None, counts: Arc::clone(&self.counts), _shares: shares }, pending)
    }
}
