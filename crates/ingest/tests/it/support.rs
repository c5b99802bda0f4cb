//! What the tests share: a clock, a deadline, MQTT peers, and a house with an embedded broker in it.

use std::{
    future::Future,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use ingest::{
    Broker, BrokerUrl, Clock, EmbeddedBroker, EmbeddedConfig, Emergencies, EmergencyFrame, EmergencyLane, Frame,
    LaneLimits, Lanes, LinkStatus, SessionConfig, Users,
};
use rumqttc::v5::mqttbytes::QoS;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use transit::{Now, UtcMillis};

/// Longer than anything here takes, even on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what} did not happen within {DEADLINE:?}"),
    }
}

pub(crate) fn clock() -> Clock {
    Arc::new(|| {
        let utc = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
        Now { utc: UtcMillis(i64::try_from(utc).unwrap()), mono_ms: 0 }
    })
}

pub(crate) fn is_emergency(topic: &str) -> bool {
    topic.ends_with("/alarm") || topic.starts_with("topis/v1/incident/")
}

pub(crate) fn lanes() -> Arc<Lanes> {
    let limits = LaneLimits { workers: 1, ..LaneLimits::default() };
    Arc::new(Lanes::new(limits, Arc::new(|topic, _| topic.ends_with("/position"))))
}

pub(crate) async fn next_frame(lanes: &Lanes) -> Frame {
    let mut batch = Vec::new();
    assert!(within("a frame in the lane", lanes.queues()[0].next_batch(&mut batch, 1)).await);
    batch.remove(0)
}

/// A lane where nothing may wait for anything else.
pub(crate) fn emergency_lane(receive_maximum: u16) -> (EmergencyLane, mpsc::Receiver<EmergencyFrame>) {
    let (lane, Emergencies { urgent, .. }) = EmergencyLane::new(receive_maximum, Arc::new(|_, _| false));
    (lane, urgent)
}

pub(crate) async fn next_emergency(frames: &mut mpsc::Receiver<EmergencyFrame>) -> EmergencyFrame {
    within("a frame in the emergency lane", frames.recv()).await.expect("the lane is open")
}

pub(crate) async fn link_is(
    link: &mut watch::Receiver<LinkStatus>,
    expected: impl Fn(&LinkStatus) -> bool,
) -> LinkStatus {
    within("the link's change", link.wait_for(|status| expected(status))).await.expect("the session runs").clone()
}

pub(crate) fn session(url: BrokerUrl, client_id: &str, filters: &[&str]) -> SessionConfig {
    SessionConfig {
        url,
        client_id: client_id.to_owned(),
        filters: filters.iter().map(|&filter| filter.to_owned()).collect(),
        max_packet_bytes: SessionConfig::DEFAULT_MAX_PACKET_BYTES,
        seed: 1,
    }
}

/// A running embedded broker and what it feeds.
pub(crate) struct House {
    pub(crate) addr: SocketAddr,
    pub(crate) url: BrokerUrl,
    pub(crate) lanes: Arc<Lanes>,
    pub(crate) lane: EmergencyLane,
    pub(crate) emergencies: mpsc::Receiver<EmergencyFrame>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

pub(crate) fn embedded_config(port: u16) -> EmbeddedConfig {
    EmbeddedConfig {
        listen: SocketAddr::from(([127, 0, 0, 1], port)),
        prefix: "topis".to_owned(),
        telemetry_filters: vec!["topis/#".to_owned(), "/hfp/v2/#".to_owned()],
        emergency_filters: vec!["kma/cap/#".to_owned()],
        users: None,
        max_packet_bytes: EmbeddedConfig::DEFAULT_MAX_PACKET_BYTES,
        max_sessions: 100,
    }
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::with(embedded_config(0)).await
    }

    pub(crate) async fn guarded(users: &str) -> Self {
        Self::with(EmbeddedConfig { users: Some(Users::parse(users).unwrap()), ..embedded_config(0) }).await
    }

    pub(crate) async fn with(config: EmbeddedConfig) -> Self {
        let (lanes, (lane, emergencies)) = (lanes(), emergency_lane(16));
        let broker = EmbeddedBroker::bind(config, Arc::clone(&lanes), lane.clone(), Arc::new(is_emergency), clock())
            .await
            .expect("the port is free");
        let (addr, url, stop) = (broker.local_addr(), broker.url(), CancellationToken::new());
        let running = broker.run(stop.clone());
        let task = tokio::spawn(async { running.await.unwrap() });
        Self { addr, url, lanes, lane, emergencies, stop, task }
    }

    /// As a stranger sees it.
    pub(crate) fn anonymous(&self) -> BrokerUrl {
        BrokerUrl { login: None, ..self.url.clone() }
    }

    pub(crate) async fn close(self) {
        self.stop.cancel();
        within("the broker's stop", self.task).await.unwrap();
    }
}

/// What a peer saw.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Connected,
    Acknowledged,
    NotAcknowledged,
    Subscribed(Vec<String>),
    Message { topic: String, payload: String, retained: bool },
    Refused(String),
    Lost,
}

/// An MQTT 5 client of a stranger. It reconnects by itself and sends again what was not acknowledged.
pub(crate) struct Peer {
    pub(crate) client: rumqttc::v5::AsyncClient,
    seen: mpsc::UnboundedReceiver<Seen>,
    task: JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) fn v5_options(url: &BrokerUrl, client_id: &str) -> rumqttc::v5::MqttOptions {
    let mut options = rumqttc::v5::MqttOptions::new(client_id, &url.host, url.port);
    if let Some(login) = &url.login {
        options.set_credentials(&login.user, &login.password);
    }
    options.set_clean_start(false).set_session_expiry_interval(Some(3600));
    options.set_max_packet_size(Some(2_000_000));
    options
}

impl Peer {
    pub(crate) async fn connect(url: &BrokerUrl, client_id: &str) -> Self {
        let mut peer = Self::start(v5_options(url, client_id));
        assert_eq!(peer.next().await, Seen::Connected);
        peer
    }

    pub(crate) fn start(options: rumqttc::v5::MqttOptions) -> Self {
        use rumqttc::v5::{
            Event,
            mqttbytes::v5::{Packet, PubAckReason},
        };
        let (client, mut eventloop) = rumqttc::v5::AsyncClient::new(options, 100);
        let (tell, seen) = mpsc::unbounded_channel();
        let task = tokio::spawn(async move {
            loop {
                let seen = match eventloop.poll().await {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => Seen::Connected,
                    Ok(Event::Incoming(Packet::PubAck(ack))) => {
                        let good = [PubAckReason::Success, PubAckReason::NoMatchingSubscribers].contains(&ack.reason);
                        if good { Seen::Acknowledged } else { Seen::NotAcknowledged }
                    }
                    Ok(Event::Incoming(Packet::SubAck(ack))) => {
                        Seen::Subscribed(ack.return_codes.iter().map(|code| format!("{code:?}")).collect())
                    }
                    Ok(Event::Incoming(Packet::Publish(message))) => Seen::Message {
                        topic: String::from_utf8(message.topic.to_vec()).unwrap(),
                        payload: String::from_utf8(message.payload.to_vec()).unwrap(),
                        retained: message.retain,
                    },
                    Ok(Event::Incoming(_) | Event::Outgoing(_)) => continue,
                    Err(rumqttc::v5::ConnectionError::ConnectionRefused(code)) => {
                        drop(tell.send(Seen::Refused(format!("{code:?}"))));
                        return;
                    }
                    Err(_) => Seen::Lost,
                };
                if tell.send(seen).is_err() {
                    return;
                }
            }
        });
        Self { client, seen, task }
    }

    pub(crate) async fn next(&mut self) -> Seen {
        within("the peer's next event", self.seen.recv()).await.expect("the peer runs")
    }

    pub(crate) fn saw_nothing(&mut self) -> bool {
        self.seen.try_recv().is_err()
    }

    /// The next event but lost connections, which repeat while a broker is away.
    pub(crate) async fn next_good(&mut self) -> Seen {
        loop {
            let seen = self.next().await;
            if seen != Seen::Lost {
                return seen;
            }
        }
    }

    pub(crate) async fn publish(&self, topic: &str, payload: &str) {
        self.client.publish(topic, QoS::AtLeastOnce, false, payload.to_owned()).await.unwrap();
    }

    pub(crate) async fn retain(&self, topic: &str, payload: &str) {
        self.client.publish(topic, QoS::AtLeastOnce, true, payload.to_owned()).await.unwrap();
    }

    pub(crate) async fn subscribe(&mut self, filter: &str) -> Vec<String> {
        self.client.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
        let seen = self.next().await;
        let Seen::Subscribed(codes) = seen else { panic!("expected a SUBACK, saw {seen:?}") };
        codes
    }
}
