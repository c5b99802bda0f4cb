//! Connections to a broker: opened, fed with back-pressure, counted, closed. Knows no message's meaning.
//!
//! Each connection has a task of its own that only polls; publishing waits in a bounded channel, so that a slow
//! broker slows the player down instead of filling memory.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use anyhow::{Context as _, bail};
use rumqttc::v5::{
    AsyncClient, ConnectionError, Event, EventLoop, MqttOptions,
    mqttbytes::{
        QoS,
        v5::{Packet, PubAckReason},
    },
};
use simulator::Outgoing;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::{BrokerArgs, Failure};

/// Requests that may wait in one connection.
const CHANNEL: usize = 2000;
/// How long a first connection is tried.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a close waits for what is under way.
const FAREWELL: Duration = Duration::from_secs(10);
/// Longer than any honest position.
const LONG_BYTES: usize = 8 * 1024;
/// The longest packet read: the broker's answers are short.
const INCOMING_BYTES: u32 = 64 * 1024;

/// Where a broker is and how to enter.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    url: String,
    host: String,
    port: u16,
    login: Option<(String, String)>,
}

impl Address {
    /// Reads `mqtt://host[:port]`.
    pub(crate) fn read(args: &BrokerArgs) -> Result<Self, Failure> {
        let url = args.broker.clone();
        let bad = |why: &str| Failure::Scenario(format!("--broker {url}: {why}"));
        if url.starts_with("mqtts://") {
            return Err(bad("TLS is not built in; publish to a plain listener on loopback, or through a TLS tunnel"));
        }
        let rest = url.strip_prefix("mqtt://").ok_or_else(|| bad("write it like mqtt://127.0.0.1:1883"))?;
        let rest = rest.trim_end_matches('/');
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) => (host, port.parse::<u16>().map_err(|error| bad(&format!("port: {error}")))?),
            None => (rest, 1883),
        };
        if host.is_empty() {
            return Err(bad("the host is missing"));
        }
        let login = match (&args.user, &args.password_file) {
            (None, _) => None,
            (Some(user), None) => Some((user.clone(), String::new())),
            (Some(user), Some(file)) => {
                let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
                Some((user.clone(), text.lines().next().unwrap_or_default().to_owned()))
            }
        };
        Ok(Self { host: host.to_owned(), port, login, url })
    }

    fn options(&self, client: &str) -> MqttOptions {
        // One process a client id: another run must not take over this one's connections.
        let id = format!("topis-sim-{}-{client}", std::process::id());
        let mut options = MqttOptions::new(id, &self.host, self.port);
        options.set_keep_alive(Duration::from_secs(5)).set_connection_timeout(3);
        options.set_max_packet_size(Some(INCOMING_BYTES));
        if let Some((user, password)) = &self.login {
            options.set_credentials(user, password);
        }
        options
    }
}

/// What became of the messages, over all connections.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Handed to a connection.
    pub(crate) queued: AtomicU64,
    /// Of these, how many the broker must acknowledge.
    pub(crate) promised: AtomicU64,
    /// Written to a socket.
    pub(crate) written: AtomicU64,
    /// Acknowledged by the broker.
    pub(crate) acknowledged: AtomicU64,
    /// Refused: by the broker, or because the topic cannot be sent.
    pub(crate) refused: AtomicU64,
    /// Connections that broke and were made again.
    pub(crate) reconnects: AtomicU64,
}

/// One connection.
pub(crate) struct Connection {
    client: AsyncClient,
    polling: JoinHandle<()>,
}

impl Connection {
    /// Connects within five seconds.
    pub(crate) async fn open(address: &Address, client: &str, tally: Arc<Tally>) -> Result<Self, Failure> {
        let (client, mut eventloop) = AsyncClient::new(address.options(client), CHANNEL);
        let deadline = Instant::now() + PATIENCE;
        loop {
            match eventloop.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => break,
                Ok(_) => {}
                Err(ConnectionError::ConnectionRefused(code)) => {
                    return Err(anyhow::anyhow!("the broker at {} refuses us: {code:?}", address.url).into());
                }
                Err(error) if Instant::now() >= deadline => {
                    return Err(Failure::Unreachable { url: address.url.clone(), cause: error.to_string() });
                }
                Err(_) => sleep(Duration::from_millis(250)).await,
            }
        }
        Ok(Self { client, polling: tokio::spawn(poll(eventloop, tally)) })
    }

    /// Waits for room and hands the message over; one that MQTT cannot carry is counted as refused.
    pub(crate) async fn publish(&self, message: Outgoing, tally: &Tally) {
        let qos = if message.qos == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce };
        match self.client.publish(message.topic, qos, message.retain, message.payload).await {
            Ok(()) => {
                tally.queued.fetch_add(1, Relaxed);
                tally.promised.fetch_add(u64::from(message.qos > 0), Relaxed);
            }
            Err(_) => {
                tally.refused.fetch_add(1, Relaxed);
            }
        }
    }

    /// Sends what waits, says goodbye, and ends.
    pub(crate) async fn close(self) {
        if self.client.disconnect().await.is_ok() && timeout(FAREWELL, self.polling).await.is_err() {
            super::output::note("warning: a connection did not close in time");
        }
    }
}

/// Polls until the goodbye is said.
async fn poll(mut eventloop: EventLoop, tally: Arc<Tally>) {
    use rumqttc::Outgoing as Sent;
    let mut pause = Duration::from_millis(200);
    loop {
        match eventloop.poll().await {
            Ok(Event::Outgoing(Sent::Publish(_))) => {
                tally.written.fetch_add(1, Relaxed);
            }
            Ok(Event::Outgoing(Sent::Disconnect)) | Err(ConnectionError::RequestsDone) => return,
            Ok(Event::Incoming(Packet::PubAck(ack))) => {
                let taken = matches!(ack.reason, PubAckReason::Success | PubAckReason::NoMatchingSubscribers);
                if taken { &tally.acknowledged } else { &tally.refused }.fetch_add(1, Relaxed);
            }
            Ok(Event::Incoming(Packet::ConnAck(_))) => pause = Duration::from_millis(200),
            Ok(_) => {}
            Err(_) => {
                tally.reconnects.fetch_add(1, Relaxed);
                sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(3));
            }
        }
    }
}

/// Several connections that share the topics among them, so that the order within a topic is kept, and one more for
/// messages so long that the broker may cut their sender off: that must not silence the rest of the fleet.
pub(crate) struct Pool {
    address: Address,
    size: usize,
    connections: Vec<Connection>,
    pub(crate) tally: Arc<Tally>,
}

impl Pool {
    pub(crate) async fn open(address: Address, size: usize) -> Result<Self, Failure> {
        let mut pool = Self { address, size: size.max(1), connections: Vec::new(), tally: Arc::default() };
        pool.reopen().await?;
        Ok(pool)
    }

    /// Publishes on the topic's own connection. While all are closed, messages are lost, as a vehicle's are.
    pub(crate) async fn publish(&self, message: Outgoing) {
        let hash = message.topic.bytes().fold(0_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        let place = if message.payload.len() > LONG_BYTES { self.size } else { hash % self.size };
        match self.connections.get(place) {
            Some(connection) => connection.publish(message, &self.tally).await,
            None => {
                self.tally.refused.fetch_add(1, Relaxed);
            }
        }
    }

    /// Does what the script wants of the connections.
    pub(crate) async fn obey(&mut self, control: simulator::Control) -> Result<(), Failure> {
        match control {
            simulator::Control::Disconnect => self.close().await,
            simulator::Control::Reconnect => self.reopen().await?,
            simulator::Control::Storm { clients } => self.storm(clients),
        }
        Ok(())
    }

    async fn reopen(&mut self) -> Result<(), Failure> {
        for number in self.connections.len()..=self.size {
            let opened = Connection::open(&self.address, &number.to_string(), self.tally.clone()).await?;
            self.connections.push(opened);
        }
        Ok(())
    }

    fn storm(&self, clients: u32) {
        for number in 0..clients {
            let address = self.address.clone();
            tokio::spawn(async move {
                // A guest of its own tally: it sends nothing, and whether it gets in is the broker's affair.
                let guest = Connection::open(&address, &format!("storm-{number}"), Arc::default()).await;
                if let Ok(guest) = guest {
                    guest.close().await;
                }
            });
        }
    }

    /// Waits for the acknowledgements still owed, as long as any arrive.
    async fn settle(&self) {
        let answered = || self.tally.acknowledged.load(Relaxed) + self.tally.refused.load(Relaxed);
        let (mut before, mut quiet) = (answered(), 0);
        while answered() < self.tally.promised.load(Relaxed) && quiet < 100 {
            sleep(Duration::from_millis(20)).await;
            quiet = if answered() == before { quiet + 1 } else { 0 };
            before = answered();
        }
    }

    /// Closes all connections after what waits in them is sent and acknowledged.
    pub(crate) async fn close(&mut self) {
        self.settle().await;
        for connection in self.connections.drain(..) {
            connection.close().await;
        }
    }
}

/// Publishes one message at QoS 1 and waits until the broker has acknowledged it.
pub(crate) async fn publish_one(address: &Address, message: Outgoing) -> Result<(), Failure> {
    let tally = Arc::new(Tally::default());
    let connection = Connection::open(address, "send", tally.clone()).await?;
    connection.publish(Outgoing { qos: 1, ..message }, &tally).await;
    let answered = || tally.acknowledged.load(Relaxed) + tally.refused.load(Relaxed) > 0;
    let waited = timeout(PATIENCE, async {
        while !answered() {
            sleep(Duration::from_millis(5)).await;
        }
    });
    if waited.await.is_err() {
        return Err(anyhow::anyhow!("the broker did not acknowledge within {} s", PATIENCE.as_secs()).into());
    }
    connection.close().await;
    if tally.refused.load(Relaxed) > 0 {
        refused()?;
    }
    Ok(())
}

fn refused() -> anyhow::Result<()> {
    bail!("the message was refused: is the topic allowed, and free of `+` and `#`?")
}
