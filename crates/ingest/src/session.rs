//! What every MQTT client of ours does alike: options, the loop that polls, subscriptions, waiting between
//! attempts.
//!
//! A connection is a value: every attempt has its own rumqttc client and event loop. So nothing of an earlier
//! connection (an acknowledgement, a packet id, a request) can reach the next one, which rumqttc does not keep apart
//! by itself. The loop that polls does nothing else: it never waits on a channel of ours and never publishes.
//! Start at [`converse`].

mod emergency;
mod outbox;
mod telemetry;

use std::{collections::VecDeque, ops::ControlFlow, time::Duration};

use rumqttc::{
    NetworkOptions,
    v5::{
        AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, StateError,
        mqttbytes::{
            Error as PacketError, QoS,
            v5::{ConnectProperties, Filter as Subscription, Packet, Publish, SubscribeReasonCode},
        },
    },
};
use tokio::time::Instant;
use transit::UtcMillis;

use crate::{
    BrokerUrl, FilterError, Frame,
    backoff::Backoff,
    link::LinkReporter,
    topic::{self, Filter},
};

pub use emergency::EmergencySession;
pub use outbox::{Outbox, OutboxConfig, OutboxSession};
pub use telemetry::TelemetrySession;

/// A dead link shows within two of these: a ping goes out each, and the next one finds it unanswered.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Seconds for the TCP and MQTT handshakes together.
const CONNECTION_TIMEOUT_S: u64 = 3;
/// A connection that held this long was good: the next failure is the first again.
const HELD: Duration = Duration::from_secs(5);
/// How often a refused subscription is asked for again. Access rules change by a person's hand.
const REFUSED_RETRY: Duration = Duration::from_secs(30);
/// Requests besides acknowledgements that may wait for the loop: subscriptions.
const SUBSCRIBE_REQUESTS: usize = 8;

/// A session's side of a broker.
#[derive(Debug, Clone)]
pub struct SessionConfig {
    /// The broker.
    pub url: BrokerUrl,
    /// Our name there; one session at a time may use it.
    pub client_id: String,
    /// What to subscribe to. A filter that another one covers is left out.
    pub filters: Vec<String>,
    /// Packets above this are not for us, in bytes. Must be at least twice the broker's own cap, see
    /// [`crate::LinkStatus::oversized`].
    pub max_packet_bytes: u32,
    /// Seed of the reconnect jitter; should differ between processes.
    pub seed: u64,
}

impl SessionConfig {
    /// Twice the cap of the embedded broker.
    pub const DEFAULT_MAX_PACKET_BYTES: u32 = 512 * 1024;

    fn options(&self, properties: ConnectProperties) -> MqttOptions {
        // Announced to the broker as well, which is rumqttc's only way to raise its own cap of 10 KiB.
        options(
            &self.url,
            &self.client_id,
            ConnectProperties { max_packet_size: Some(self.max_packet_bytes), ..properties },
        )
    }
}

/// Options that all our clients share. A topic alias maximum is never announced: rumqttc hands an aliased message
/// on with an empty topic.
fn options(url: &BrokerUrl, client_id: &str, properties: ConnectProperties) -> MqttOptions {
    let mut options = MqttOptions::new(client_id, &url.host, url.port);
    if let Some(login) = &url.login {
        options.set_credentials(&login.user, &login.password);
    }
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    options
        .set_keep_alive(KEEP_ALIVE)
        .set_connection_timeout(CONNECTION_TIMEOUT_S)
        .set_connect_properties(properties)
        // Sizes a table of the event loop, 8 MB by default, which a reader has no use for.
        .set_outgoing_inflight_upper_limit(outbox::INFLIGHT)
        .set_network_options(network);
    options
}

/// Why a connection ended.
#[derive(Debug)]
enum Ended {
    /// The network, the broker or the protocol ended it.
    Broken(String),
    /// The broker sent a packet above our cap.
    Oversized(String),
    /// We end it, for this reason, so that the broker delivers again.
    ByUs(&'static str),
    /// Nobody reads what we receive: the session is over.
    Unread,
}

/// Polls one connection until it ends; `take` gets every message.
async fn converse(
    eventloop: &mut EventLoop,
    client: &AsyncClient,
    subscriptions: &mut Subscriptions,
    link: &LinkReporter,
    mut take: impl FnMut(Publish) -> ControlFlow<Ended>,
) -> Ended {
    loop {
        let step = match eventloop.poll().await {
            Ok(Event::Incoming(packet)) => match packet {
                Packet::Publish(publish) => take(publish),
                Packet::ConnAck(_) => {
                    link.connected();
                    let asked = subscriptions.ask_for_all(client);
                    subscriptions.report(link);
                    asked
                }
                Packet::SubAck(ack) => {
                    subscriptions.answered(&ack.return_codes);
                    subscriptions.report(link);
                    ControlFlow::Continue(())
                }
                // A ping comes back every few seconds, which makes it the clock of this loop.
                Packet::PingResp(_) => subscriptions.retry_refused(client),
                Packet::Auth(_)
                | Packet::Connect(..)
                | Packet::Disconnect(_)
                | Packet::PingReq(_)
                | Packet::PubAck(_)
                | Packet::PubComp(_)
                | Packet::PubRec(_)
                | Packet::PubRel(_)
                | Packet::Subscribe(_)
                | Packet::UnsubAck(_)
                | Packet::Unsubscribe(_) => ControlFlow::Continue(()),
            },
            Ok(Event::Outgoing(_)) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(ended_by(&error)),
        };
        if let ControlFlow::Break(ended) = step {
            return ended;
        }
    }
}

/// Messages that were read together with what ended the connection and not handed out yet.
fn left_over(eventloop: &mut EventLoop) -> impl Iterator<Item = Publish> + '_ {
    eventloop
        .state
        .events
        .drain(..)
        .filter_map(|event| if let Event::Incoming(Packet::Publish(publish)) = event { Some(publish) } else { None })
}

fn ended_by(error: &ConnectionError) -> Ended {
    let text = error.to_string();
    if let ConnectionError::MqttState(StateError::Deserialization(PacketError::PayloadSizeLimitExceeded { .. })) = error
    {
        Ended::Oversized(text)
    } else {
        Ended::Broken(text)
    }
}

/// Tells the link's watchers why it is down; `false` when the session is over.
fn report_end(ended: &Ended, link: &LinkReporter) -> bool {
    match ended {
        Ended::Broken(why) => link.down(why),
        Ended::Oversized(why) => {
            link.oversized();
            link.down(why);
        }
        Ended::ByUs(why) => link.down(why),
        Ended::Unread => {
            link.down("nobody reads this session any more");
            return false;
        }
    }
    true
}

/// Waits before the next attempt; `started` is when the last one began.
async fn pause(backoff: &mut Backoff, started: Instant) {
    if started.elapsed() >= HELD {
        backoff.reset();
    }
    tokio::time::sleep(backoff.next()).await;
}

/// What we subscribe to, and what became of it on this connection.
struct Subscriptions {
    table: Vec<Filter>,
    qos: QoS,
    /// The broker's code by filter; `None` before it answered.
    codes: Vec<Option<SubscribeReasonCode>>,
    /// Indices into the table, by SUBSCRIBE still unanswered: answers come in the order of the questions.
    asked: VecDeque<Vec<usize>>,
    retry_at: Instant,
}

impl Subscriptions {
    fn new(filters: &[String], qos: QoS) -> Result<Self, FilterError> {
        let table = topic::table(filters)?;
        let codes = vec![None; table.len()];
        Ok(Self { table, qos, codes, asked: VecDeque::new(), retry_at: Instant::now() })
    }

    /// On every connection, whatever the broker says it remembers: rumqttc does not do it.
    fn ask_for_all(&mut self, client: &AsyncClient) -> ControlFlow<Ended> {
        self.asked.clear();
        self.codes.fill(None);
        self.ask_for((0..self.table.len()).collect(), client)
    }

    fn retry_refused(&mut self, client: &AsyncClient) -> ControlFlow<Ended> {
        let refused: Vec<usize> = self.refused().map(|(at, _)| at).collect();
        if refused.is_empty() || Instant::now() < self.retry_at || !self.asked.is_empty() {
            return ControlFlow::Continue(());
        }
        self.ask_for(refused, client)
    }

    fn ask_for(&mut self, filters: Vec<usize>, client: &AsyncClient) -> ControlFlow<Ended> {
        self.retry_at = Instant::now() + REFUSED_RETRY;
        if filters.is_empty() {
            return ControlFlow::Continue(());
        }
        let wanted: Vec<_> = filters.iter().map(|at| Subscription::new(self.table[*at].as_str(), self.qos)).collect();
        self.asked.push_back(filters);
        match client.try_subscribe_many(wanted) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(Ended::ByUs("a subscription found no room in the request channel")),
        }
    }

    fn answered(&mut self, codes: &[SubscribeReasonCode]) {
        for (at, code) in self.asked.pop_front().unwrap_or_default().into_iter().zip(codes) {
            self.codes[at] = Some(*code);
        }
    }

    fn report(&self, link: &LinkReporter) {
        if let Some((_, code)) = self.refused().next() {
            link.refused(self.refused().map(|(at, _)| self.table[at].clone()).collect(), code);
        } else if self.codes.iter().all(Option::is_some) {
            link.up();
        }
    }

    /// Indices into the table, each with the broker's code.
    fn refused(&self) -> impl Iterator<Item = (usize, u8)> + '_ {
        let codes = self.codes.iter().map(|code| code.as_ref().map(reason_code)).enumerate();
        codes.filter_map(|(at, code)| code.filter(|code| *code >= 0x80).map(|code| (at, code)))
    }
}

/// The number on the wire; rumqttc keeps its own function for it private.
fn reason_code(code: &SubscribeReasonCode) -> u8 {
    match code {
        SubscribeReasonCode::Success(qos) => *qos as u8,
        SubscribeReasonCode::Failure | SubscribeReasonCode::Unspecified => 0x80,
        SubscribeReasonCode::ImplementationSpecific => 0x83,
        SubscribeReasonCode::NotAuthorized => 0x87,
        SubscribeReasonCode::TopicFilterInvalid => 0x8f,
        SubscribeReasonCode::PkidInUse => 0x91,
        SubscribeReasonCode::QuotaExceeded => 0x97,
        SubscribeReasonCode::SharedSubscriptionsNotSupported => 0x9e,
        SubscribeReasonCode::SubscriptionIdNotSupported => 0xa1,
        SubscribeReasonCode::WildcardSubscriptionsNotSupported => 0xa2,
    }
}

/// A broker's message as a frame. A topic that is not UTF-8 breaks the protocol; it is kept readable, not lost.
fn frame(publish: Publish, received_at: UtcMillis) -> Frame {
    Frame {
        topic: match std::str::from_utf8(&publish.topic) {
            Ok(topic) => topic.into(),
            Err(_) => String::from_utf8_lossy(&publish.topic).into(),
        },
        payload: publish.payload,
        qos: publish.qos as u8,
        retained: publish.retain,
        dup: publish.dup,
        received_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_refused_filter_is_asked_for_again_every_half_minute_and_alone() {
        let (client, _requests) = AsyncClient::new(MqttOptions::new("t", "localhost", 1883), 10);
        let mut subscriptions = Subscriptions::new(&["a/#", "b/#"].map(str::to_owned), QoS::AtMostOnce).unwrap();
        let refused = |subscriptions: &Subscriptions| {
            subscriptions.refused().map(|(at, code)| (subscriptions.table[at].as_str().to_owned(), code)).next()
        };
        assert!(subscriptions.ask_for_all(&client).is_continue());
        assert_eq!(subscriptions.asked, [[0, 1]]);
        subscriptions.answered(&[SubscribeReasonCode::Success(QoS::AtMostOnce), SubscribeReasonCode::NotAuthorized]);
        assert_eq!(refused(&subscriptions), Some(("b/#".to_owned(), 0x87)));

        assert!(subscriptions.retry_refused(&client).is_continue());
        assert!(subscriptions.asked.is_empty(), "too early");
        tokio::time::advance(REFUSED_RETRY).await;
        assert!(subscriptions.retry_refused(&client).is_continue());
        assert_eq!(subscriptions.asked, [[1]]);
        subscriptions.answered(&[SubscribeReasonCode::Success(QoS::AtMostOnce)]);
        assert_eq!(refused(&subscriptions), None);
    }
}
