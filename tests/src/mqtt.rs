//! An MQTT client that knows which of its messages the broker took over.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, bail};
use rumqttc::{
    Outgoing,
    v5::{
        AsyncClient, ConnectionError, Event, EventLoop, MqttOptions,
        mqttbytes::{
            QoS,
            v5::{Packet, PubAckReason, SubscribeReasonCode},
        },
    },
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

/// Requests that wait for the connection; publishing waits when it is full.
const REQUESTS_MAX: usize = 1_000;
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// A message the broker delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// Topic.
    pub topic: String,
    /// Body.
    pub payload: Vec<u8>,
    /// From the retained store.
    pub retained: bool,
}

/// What became of a QoS 1 publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The broker sent PUBACK with a success code.
    Acknowledged,
    /// The broker sent PUBACK with an error code: it did not take it.
    Refused,
    /// The connection ended first: the broker may have it or not.
    Unknown,
}

type Waiting = Arc<Mutex<VecDeque<oneshot::Sender<Fate>>>>;

/// One connection. It does not come back when it is lost: make another.
pub struct Mqtt {
    client: AsyncClient,
    waiting: Waiting,
    inbox: mpsc::UnboundedReceiver<Delivered>,
    poller: JoinHandle<String>,
    granted: mpsc::UnboundedReceiver<bool>,
}

impl Mqtt {
    /// Connects with a client id of its own and waits for CONNACK.
    ///
    /// # Errors
    /// Nobody listens, or the broker refuses.
    pub async fn connect(port: u16) -> anyhow::Result<Self> {
        Self::connect_with(port, |_| ()).await
    }

    /// As [`Self::connect`], with options of the caller's.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_with(port: u16, adjust: impl FnOnce(&mut MqttOptions)) -> anyhow::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = format!("tests-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut options = MqttOptions::new(id, "127.0.0.1", port);
        options.set_keep_alive(Duration::from_secs(30));
        options.set_max_packet_size(Some(16 * 1024 * 1024));
        options.set_outgoing_inflight_upper_limit(100);
        adjust(&mut options);
        let (client, mut connection) = AsyncClient::new(options, REQUESTS_MAX);
        let acknowledged = async {
            loop {
                if let Event::Incoming(Packet::ConnAck(_)) = connection.poll().await? {
                    return Ok::<_, ConnectionError>(());
                }
            }
        };
        timeout(CONNECT_WITHIN, acknowledged).await.context("no CONNACK")??;
        let waiting = Waiting::default();
        let (deliver, inbox) = mpsc::unbounded_channel();
        let (grant, granted) = mpsc::unbounded_channel();
        let poller = tokio::spawn(poll(connection, Arc::clone(&waiting), deliver, grant));
        Ok(Self { client, waiting, inbox, poller, granted })
    }

    /// Publishes at QoS 0: gone when this returns, delivered or not.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn publish(&self, topic: &str, payload: impl Into<Vec<u8>>) -> anyhow::Result<()> {
        if self.poller.is_finished() {
            bail!("the connection is lost");
        }
        Ok(self.client.publish(topic, QoS::AtMostOnce, false, payload.into()).await?)
    }

    /// Publishes at QoS 1 and waits for what becomes of it.
    pub async fn publish_acked(&self, topic: &str, payload: impl Into<Vec<u8>>, retain: bool) -> Fate {
        let (tell, told) = oneshot::channel();
        if self.poller.is_finished() {
            return Fate::Unknown;
        }
        {
            // Queued under the same lock as the request, so that packet ids are matched in the order of publishing.
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if self.client.try_publish(topic, QoS::AtLeastOnce, retain, payload.into()).is_err() {
                return Fate::Unknown;
            }
            waiting.push_back(tell);
        }
        told.await.unwrap_or(Fate::Unknown)
    }

    /// Subscribes at QoS 1 and says whether the broker granted it.
    ///
    /// # Errors
    /// The connection is lost, or no answer in 10 s.
    pub async fn subscribe(&mut self, filter: &str) -> anyhow::Result<bool> {
        self.client.subscribe(filter, QoS::AtLeastOnce).await?;
        timeout(CONNECT_WITHIN, self.granted.recv()).await.context("no SUBACK")?.context("the connection is lost")
    }

    /// The next delivered message, waiting for it.
    ///
    /// # Errors
    /// None came in time, or the connection is lost.
    pub async fn next(&mut self, within: Duration) -> anyhow::Result<Delivered> {
        timeout(within, self.inbox.recv()).await.context("no message")?.context("the connection is lost")
    }

    /// Whether the connection has ended.
    pub fn is_lost(&self) -> bool {
        self.poller.is_finished()
    }

    /// Says good-bye and waits until it is said, so that everything published before has left.
    pub async fn disconnect(self) {
        self.client.disconnect().await.ok();
        timeout(CONNECT_WITHIN, self.poller).await.ok();
    }
}

/// Polls until the connection ends; returns why. Whoever still waits then learns that the outcome is unknown, because
/// its channel is dropped.
async fn poll(
    mut connection: EventLoop,
    waiting: Waiting,
    deliver: mpsc::UnboundedSender<Delivered>,
    grant: mpsc::UnboundedSender<bool>,
) -> String {
    let mut in_flight: BTreeMap<u16, oneshot::Sender<Fate>> = BTreeMap::new();
    let ended = loop {
        let seen = match connection.poll().await {
            Ok(seen) => seen,
            Err(cause) => break cause.to_string(),
        };
        if seen == Event::Outgoing(Outgoing::Disconnect) {
            // Not every broker closes the connection then; by now everything before it is written.
            break "disconnected".to_owned();
        }
        if let Event::Outgoing(Outgoing::Publish(id)) = seen
            && id != 0
        {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            in_flight.extend(next.map(|tell| (id, tell)));
        } else if let Event::Incoming(Packet::PubAck(ack)) = &seen {
            let taken = matches!(ack.reason, PubAckReason::Success | PubAckReason::NoMatchingSubscribers);
            let fate = if taken { Fate::Acknowledged } else { Fate::Refused };
            in_flight.remove(&ack.pkid).and_then(|tell| tell.send(fate).ok());
        } else if let Event::Incoming(Packet::SubAck(ack)) = &seen {
            let granted = ack.return_codes.iter().all(|code| matches!(code, SubscribeReasonCode::Success(_)));
            grant.send(granted).ok();
        } else if let Event::Incoming(Packet::Publish(publish)) = seen {
            let topic = String::from_utf8_lossy(&publish.topic).into_owned();
            deliver.send(Delivered { topic, payload: publish.payload.to_vec(), retained: publish.retain }).ok();
        }
    };
    waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
    ended
}
