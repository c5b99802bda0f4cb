//! The telemetry lane's workers: decode and fold, in parallel, outside every lock but a vehicle's own.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use decode::{Feeds, Grade, Message};
use ingest::{EmergencyLane, LaneQueue};
use picture::{Picture, Tally};
use transit::Now;

use crate::{clock::Clock, ledger::Ledger};

/// Frames a worker takes at once: long enough to spread the wake-up, short enough (under a millisecond of work) not to
/// hold the tally from the publisher.
const BATCH_FRAMES_MAX: usize = 256;

/// A worker that took less than this waits before it looks again.
const BATCH_FRAMES_MIN: usize = 128;
/// How long. Waking for every frame costs more than the frame; positions are published every 100 ms anyway, and the lane
/// holds a second of the design load. Emergencies do not come this way.
const GATHER: Duration = Duration::from_millis(4);

/// What every worker shares.
pub(crate) struct Bench {
    pub(crate) feeds: Arc<Feeds>,
    pub(crate) picture: Arc<Picture>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) emergencies: EmergencyLane,
    pub(crate) clock: Clock,
}

/// A worker's counts since the last publication; the publisher takes them away each tick.
pub(crate) type TallySlot = Arc<Mutex<Tally>>;

/// Runs one worker until its queue is closed.
pub(crate) async fn run(bench: Arc<Bench>, queue: Arc<LaneQueue>, slot: TallySlot) {
    let mut frames = Vec::with_capacity(BATCH_FRAMES_MAX);
    while queue.next_batch(&mut frames, BATCH_FRAMES_MAX).await {
        let was_quiet = frames.len() < BATCH_FRAMES_MIN && queue.len() < BATCH_FRAMES_MIN;
        bench.take_all(&mut frames, &slot);
        if was_quiet {
            tokio::time::sleep(GATHER).await;
        } else {
            // On two cores there are as many workers as threads: with a backlog they would hold all of them until it is
            // gone, and neither alarms nor answers nor timers would have one.
            tokio::task::yield_now().await;
        }
    }
}

impl Bench {
    fn take_all(&self, frames: &mut Vec<ingest::Frame>, slot: &TallySlot) {
        let mut tally = slot.lock().unwrap_or_else(PoisonError::into_inner);
        // A batch takes less than a millisecond: one look at the clock is as good as 256.
        let now = self.clock.now();
        for frame in frames.drain(..) {
            // Alarms and incidents have a session of their own; one whose topic no filter of it could name comes here.
            if self.feeds.is_emergency(&frame.topic) {
                self.emergencies.divert(frame);
            } else if self.take(&frame, now, &mut tally) {
                // Alerts among vehicles, in a feed whose topics do not tell: what happened in the world goes by the
                // other lane, and what vehicles said is in the picture already.
                self.emergencies.divert(frame);
            }
        }
    }

    /// Folds what vehicles said; true when the frame holds something for the emergency lane too.
    fn take(&self, frame: &ingest::Frame, now: Now, tally: &mut Tally) -> bool {
        let read = decode::Frame {
            topic: &frame.topic,
            payload: &frame.payload,
            retained: frame.retained,
            dup: frame.dup,
            received_at: frame.received_at,
        };
        let mut decoded = self.feeds.decode(&read);
        let messages = std::mem::take(&mut decoded.messages);
        let received = Now { utc: frame.received_at, ..now };
        let nothing_read = messages.is_empty();
        let mut misdirected = false;
        for message in messages {
            match message {
                Message::Vehicle(observation) => {
                    self.picture.fold(&observation, received, tally);
                }
                Message::Presence(presence) => self.ledger.note_presence(presence),
                Message::Alarm(_) | Message::Incident(_) | Message::Withdrawal(_) => misdirected = true,
            }
        }
        for problem in &decoded.problems {
            match problem.grade {
                Grade::Reject if nothing_read => tally.reject(&decoded.feed, received),
                Grade::Reject => tally.reject_part(&decoded.feed),
                Grade::Warning => tally.warn(&decoded.feed),
            }
            self.ledger.note_reject(decode::reject_of(&read, &decoded, problem));
        }
        misdirected
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use ingest::{Frame, LaneLimits, Lanes};
    use picture::PictureOptions;
    use transit::UtcMillis;

    use super::*;

    #[tokio::test]
    async fn a_backlog_leaves_the_thread_to_others_between_batches() {
        let lanes = Lanes::new(LaneLimits { workers: 1, ..LaneLimits::default() }, Arc::new(|_, _| true));
        for n in 0..20 * BATCH_FRAMES_MAX {
            let topic = format!("topis/v1/vehicle/22/{n}/position").into();
            let payload = Bytes::from_static(br#"{"lat":37.5,"lon":127.0}"#);
            lanes.push(Frame { topic, payload, qos: 0, retained: false, dup: false, received_at: UtcMillis(0) });
        }
        lanes.close();
        let bench = Bench {
            feeds: Arc::new(Feeds::new("topis", Feeds::defaults()).unwrap()),
            picture: Arc::new(Picture::new(PictureOptions::default())),
            ledger: Arc::default(),
            emergencies: EmergencyLane::new(1, Arc::new(|_, _| false)).0,
            clock: Clock::wall(),
        };
        let queue = Arc::clone(&lanes.queues()[0]);
        let worker = tokio::spawn(run(Arc::new(bench), Arc::clone(&queue), TallySlot::default()));
        tokio::task::yield_now().await;
        assert!(!queue.is_empty(), "this would have waited for the last of them");
        worker.await.unwrap();
        assert!(queue.is_empty());
    }
}
