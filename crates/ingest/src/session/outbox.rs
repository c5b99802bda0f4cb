//! What we publish: receipts, through a client of its own, because a client that reads a flood sends late.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use bytes::Bytes;
use rumqttc::{
    Outgoing,
    v5::{
        AsyncClient, Event, EventLoop,
        mqttbytes::{
            QoS,
            v5::{ConnectProperties, Packet, PubAckReason},
        },
    },
};
use tokio::{
    sync::{Semaphore, mpsc, watch},
    time::Instant,
};

use super::{Ended, ended_by, options, pause, report_end};
use crate::{BrokerUrl, Clock, LinkStatus, backoff::Backoff, link::LinkReporter};

/// Messages out unacknowledged. rumqttc stops for good when acknowledgements come out of order beyond its window;
/// few in flight keep that from happening.
pub(super) const INFLIGHT: u16 = 64;

/// The publishing client's side of a broker.
#[derive(Debug, Clone)]
pub struct OutboxConfig {
    /// The broker.
    pub url: BrokerUrl,
    /// Our name there.
    pub client_id: String,
    /// Messages that may wait while the broker is slow or away.
    pub capacity: usize,
    /// Seed of the reconnect jitter.
    pub seed: u64,
}

/// Publishes at QoS 1, not retained, at least once. Cheap to clone.
#[derive(Clone)]
pub struct Outbox {
    queue: mpsc::Sender<Message>,
    dropped: Arc<AtomicU64>,
}

#[derive(Debug, Clone)]
struct Message {
    topic: Box<str>,
    payload: Bytes,
}

impl Outbox {
    /// The outbox and the session that empties it.
    pub fn new(config: OutboxConfig, clock: Clock) -> (Self, OutboxSession) {
        let (queue, messages) = mpsc::channel(config.capacity.max(1));
        let link = LinkReporter::new("out", clock);
        let dropped = Arc::<AtomicU64>::default();
        let session = OutboxSession { config, messages, dropped: Arc::clone(&dropped), link };
        (Self { queue, dropped }, session)
    }

    /// Queues a message without waiting. `false` when it was dropped, which is counted: the queue is full, the
    /// session over, or `topic` none that can be published to.
    pub fn try_publish(&self, topic: &str, payload: impl Into<Bytes>) -> bool {
        let queued = rumqttc::valid_topic(topic)
            && self.queue.try_send(Message { topic: topic.into(), payload: payload.into() }).is_ok();
        if !queued {
            self.dropped.fetch_add(1, Relaxed);
            metrics::counter!("topis_outbox_dropped_total").increment(1);
        }
        queued
    }

    /// Messages dropped so far, those that the broker refused included.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }
}

/// Empties the outbox.
pub struct OutboxSession {
    config: OutboxConfig,
    messages: mpsc::Receiver<Message>,
    dropped: Arc<AtomicU64>,
    link: LinkReporter,
}

impl OutboxSession {
    /// The state of the link, now and at every change.
    pub fn link(&self) -> watch::Receiver<LinkStatus> {
        self.link.watch()
    }

    /// Connects, and reconnects until every [`Outbox`] is dropped and what they queued is acknowledged; the caller
    /// bounds how long it waits for that. What was out unacknowledged when a connection broke goes out again on the
    /// next.
    pub async fn run(self) {
        let Self { config, mut messages, dropped, link } = self;
        let mut backoff = Backoff::new(config.seed, &config.client_id);
        let options = options(&config.url, &config.client_id, ConnectProperties::new());
        let mut repeat = VecDeque::new();
        loop {
            let started = Instant::now();
            link.connecting();
            let (client, mut eventloop) = AsyncClient::new(options.clone(), usize::from(INFLIGHT));
            let flight = Flight::default();
            let ended = tokio::select! {
                ended = poll(&mut eventloop, &flight, &dropped, &link) => ended,
                ended = send(&client, &flight, &mut repeat, &mut messages) => ended,
            };
            let mut again = flight.unacknowledged();
            again.append(&mut repeat);
            repeat = again;
            if !report_end(&ended, &link) {
                return;
            }
            pause(&mut backoff, started).await;
        }
    }
}

/// Messages between our hand and the broker's acknowledgement.
struct Flight {
    slots: Semaphore,
    out: Mutex<Out>,
}

#[derive(Default)]
struct Out {
    /// Handed to the client, packet id not yet known; in order.
    handed: VecDeque<Message>,
    /// On the wire, by packet id.
    sent: BTreeMap<u16, Message>,
}

impl Default for Flight {
    fn default() -> Self {
        Self { slots: Semaphore::new(usize::from(INFLIGHT)), out: Mutex::default() }
    }
}

impl Flight {
    fn out(&self) -> MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sent(&self, packet_id: u16) {
        let mut out = self.out();
        if let Some(message) = out.handed.pop_front() {
            out.sent.insert(packet_id, message);
        }
    }

    fn acknowledged(&self, packet_id: u16) {
        if self.out().sent.remove(&packet_id).is_some() {
            self.slots.add_permits(1);
        }
    }

    fn unacknowledged(self) -> VecDeque<Message> {
        let Out { handed, sent } = self.out.into_inner().unwrap_or_else(PoisonError::into_inner);
        sent.into_values().chain(handed).collect()
    }
}

async fn poll(eventloop: &mut EventLoop, flight: &Flight, dropped: &AtomicU64, link: &LinkReporter) -> Ended {
    loop {
        match eventloop.poll().await {
            Ok(Event::Incoming(packet)) => {
                if let Packet::ConnAck(_) = packet {
                    link.connected();
                    link.up();
                } else if let Packet::PubAck(ack) = packet {
                    flight.acknowledged(ack.pkid);
                    if !matches!(ack.reason, PubAckReason::Success | PubAckReason::NoMatchingSubscribers) {
                        // It would be refused again: the broker's rules have to be changed first.
                        dropped.fetch_add(1, Relaxed);
                        metrics::counter!("topis_outbox_refused_total").increment(1);
                        tracing::warn!(reason = ?ack.reason, "the broker refused what we published");
                    }
                }
            }
            Ok(Event::Outgoing(outgoing)) => {
                if let Outgoing::Publish(packet_id) = outgoing {
                    flight.sent(packet_id);
                }
            }
            Err(error) => return ended_by(&error),
        }
    }
}

/// Runs beside [`poll`] in one task, so it may wait: for a free slot, or for the client to take a message.
async fn send(
    client: &AsyncClient,
    flight: &Flight,
    repeat: &mut VecDeque<Message>,
    messages: &mut mpsc::Receiver<Message>,
) -> Ended {
    loop {
        match flight.slots.acquire().await {
            Ok(slot) => slot.forget(), // given back by the acknowledgement
            Err(_) => return Ended::ByUs("the flight is closed"),
        }
        let message = match repeat.pop_front() {
            Some(message) => message,
            None => match messages.recv().await {
                Some(message) => message,
                None => return finish(&flight.slots).await,
            },
        };
        // Noted before the first wait: if the connection breaks here, the message is not lost.
        flight.out().handed.push_back(message.clone());
        if client.publish_bytes(&*message.topic, QoS::AtLeastOnce, false, message.payload).await.is_err() {
            return Ended::ByUs("the client is gone");
        }
    }
}

/// No more messages will come: the session is over when the last one out is acknowledged.
async fn finish(slots: &Semaphore) -> Ended {
    slots.add_permits(1); // the one taken for a message that never came
    match slots.acquire_many(u32::from(INFLIGHT)).await {
        Ok(_) | Err(_) => Ended::Unread,
    }
}
