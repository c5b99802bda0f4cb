//! The embedded broker: rmqtt in library mode, with the settings under which it loses no emergency.
//!
//! MQTT 3.1, 3.1.1 and 5 on one port. Retained messages are kept in memory and do not survive a restart: incidents
//! come back from the journal, and a feeder that wants its retained copy back publishes it again. Sessions and
//! queues do not survive either; an alarm does, because its PUBACK waited for the disk.

use std::{
    net::SocketAddr,
    num::NonZeroU16,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use rmqtt::{
    context::ServerContext,
    net::Builder,
    server::MqttServer,
    types::{Message, Reason},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    Broker, BrokerError, Users,
    access::{Access, SERVICE},
    door::{self, Door},
};
use crate::{BrokerUrl, Clock, EmergencyLane, Lanes, LinkStatus, Login, TopicTest, link::LinkReporter, topic};

/// The default of 1,000 drops the oldest QoS 1 messages of a subscriber who is away.
const QUEUE_PER_SESSION: usize = 200_000;
/// The default of 5 minutes forgets what a subscriber missed during a coffee.
const MESSAGE_EXPIRY: Duration = Duration::from_secs(7 * 24 * 3600);
/// The default of 16 makes a feeder of many vehicles wait for round trips.
const RECEIVE_MAXIMUM: NonZeroU16 = NonZeroU16::new(1_000).expect("is not 0");
/// A subscriber may be away this long.
const SESSION_EXPIRY: Duration = Duration::from_secs(24 * 3600);
/// HFP has some twenty levels.
const TOPIC_LEVELS: usize = 32;
/// No client needs more, and each costs memory.
const SUBSCRIPTIONS: usize = 1_000;
/// Bounds what a publisher of ever new retained topics can make us keep. At the bound the library refuses to keep
/// even a replacement; the message itself still reaches the lanes and whoever is subscribed.
const RETAINED_MESSAGES: usize = 200_000;
/// MQTT asks for 23; our own ids and those of brokers' bridges are longer.
const CLIENT_ID_BYTES: usize = 256;

/// The embedded broker's side of the configuration.
#[derive(Debug, Clone)]
pub struct EmbeddedConfig {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// First level of our own topics.
    pub prefix: String,
    /// Filters of the configured feeds: what goes to the lanes. A feeder may publish it.
    pub telemetry_filters: Vec<String>,
    /// Filters of the configured feeds of alarms and incidents. A feeder may publish it too.
    pub emergency_filters: Vec<String>,
    /// Who may log in; `None` admits everybody and is refused unless `listen` is loopback.
    pub users: Option<Users>,
    /// Larger packets end their sender's connection, in bytes.
    pub max_packet_bytes: u32,
    /// Sessions at a time, those of absent clients included; at least 1. Further clients are refused.
    pub max_sessions: usize,
}

impl EmbeddedConfig {
    /// Four times the largest incident that is accepted.
    pub const DEFAULT_MAX_PACKET_BYTES: u32 = 256 * 1024;
    /// The largest fleet the service is built for twice over: in a reconnect storm old sessions linger.
    pub const DEFAULT_MAX_SESSIONS: usize = 200_000;
}

/// A broker in this process, listening since it was bound. Its publish hook feeds the lanes directly, so in this mode
/// neither [`crate::TelemetrySession`] nor [`crate::EmergencySession`] is needed.
pub struct EmbeddedBroker {
    server: MqttServer,
    context: ServerContext,
    door: Arc<Door>,
    local_addr: SocketAddr,
    password: String,
    link: LinkReporter,
}

impl EmbeddedBroker {
    /// Binds the address and hangs the lanes in. `is_emergency` says which topics go to the emergency lane, before
    /// any telemetry filter. Nothing is accepted until [`Broker::run`].
    ///
    /// # Errors
    /// See [`BrokerError`].
    pub async fn bind(
        config: EmbeddedConfig,
        lanes: Arc<Lanes>,
        emergency: EmergencyLane,
        is_emergency: TopicTest,
        clock: Clock,
    ) -> Result<Self, BrokerError> {
        if config.users.is_none() && !config.listen.ip().is_loopback() {
            return Err(BrokerError::Open(config.listen));
        }
        let password = random_password()?;
        let feeds = [&config.telemetry_filters[..], &config.emergency_filters].concat();
        let access = Access::new(config.users, &config.prefix, &feeds, password.as_bytes())?;
        let telemetry = topic::table(&config.telemetry_filters)?;
        let failed = |error: rmqtt::Error| BrokerError::Listen { listen: config.listen, reason: error.to_string() };
        let listener = listener(config.listen, config.max_packet_bytes).bind().map_err(failed)?;
        let local_addr = listener.local_addr().map_err(failed)?;
        let listener = listener.tcp().map_err(failed)?;

        let context = context(config.max_sessions).await?;
        let door = Arc::new(Door {
            access,
            lanes,
            telemetry,
            emergency,
            is_emergency,
            clock: Arc::clone(&clock),
            broker: Mutex::new(Some(context.clone())),
            stopping: AtomicBool::new(false),
        });
        door::hang(&door, &*context.extends.hook_mgr().register()).await;
        let server = MqttServer::new(context.clone()).listener_by_id(listener, local_addr.port()).build();
        Ok(Self { server, context, door, local_addr, password, link: LinkReporter::new("embedded", clock) })
    }

    /// Disconnects every client. Their sessions end on their own.
    async fn disconnect_all(&self) {
        self.door.stopping.store(true, Relaxed);
        let clients: Vec<_> = self.context.extends.shared().await.iter().filter_map(|client| client.tx()).collect();
        for client in clients {
            // A client that is gone already needs no goodbye.
            drop(client.unbounded_send(Message::Closed(Reason::ConnectKicked(true))));
        }
        self.door.broker.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Broker for EmbeddedBroker {
    fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    fn url(&self) -> BrokerUrl {
        let ip = self.local_addr.ip();
        let host = match ip {
            _ if ip.is_unspecified() => "localhost".to_owned(),
            std::net::IpAddr::V4(ip) => ip.to_string(),
            std::net::IpAddr::V6(ip) => format!("[{ip}]"),
        };
        let login = Login { user: SERVICE.to_owned(), password: self.password.clone() };
        BrokerUrl { host, port: self.local_addr.port(), login: Some(login) }
    }

    fn link(&self) -> watch::Receiver<LinkStatus> {
        self.link.watch()
    }

    async fn run(self, stop: CancellationToken) -> Result<(), BrokerError> {
        self.link.connecting();
        self.link.connected();
        self.link.up();
        // `run`, not `start`, which ends the process when it fails.
        let served = tokio::select! {
            served = self.server.clone().run() => served.map_err(|error| BrokerError::Library(error.to_string())),
            () = stop.cancelled() => Ok(()),
        };
        self.link.down(if served.is_ok() { "stopped" } else { "the listener failed" });
        self.disconnect_all().await;
        served
    }
}

fn listener(listen: SocketAddr, max_packet_bytes: u32) -> Builder {
    Builder::new()
        .name("embedded")
        .laddr(listen)
        // A restart within a minute would not get the port back otherwise.
        .reuseaddr(Some(true))
        .nodelay(true)
        .max_packet_size(max_packet_bytes)
        // The door decides on anonymous clients, too; the library would admit them past it.
        .allow_anonymous(false)
        .max_inflight(RECEIVE_MAXIMUM)
        .max_mqueue_len(QUEUE_PER_SESSION)
        .max_clientid_len(CLIENT_ID_BYTES)
        .max_topic_levels(TOPIC_LEVELS)
        .max_subscriptions(SUBSCRIPTIONS)
        .session_expiry_interval(SESSION_EXPIRY)
        .max_session_expiry_interval(SESSION_EXPIRY)
        .message_expiry_interval(MESSAGE_EXPIRY)
}

async fn context(max_sessions: usize) -> Result<ServerContext, BrokerError> {
    // No expiry of retained messages: an incident is over when its source says so.
    let retainer =
        format!("storage.type = \"ram\"\nmax_retained_messages = {RETAINED_MESSAGES}\nretained_message_ttl = \"0s\"\n");
    let context = ServerContext::new()
        // Else every CONNECT is refused while the processor is busy, which is when vehicles reconnect.
        .busy_check_enable(false)
        // The listener's `max_connections` bounds handshakes only, whatever its name says; 0 would mean no bound.
        .mqtt_max_sessions(isize::try_from(max_sessions.max(1)).unwrap_or(isize::MAX))
        .plugins_config_map_add("rmqtt-retainer", retainer)
        .build()
        .await;
    rmqtt_retainer::register(&context, true, false)
        .await
        .map_err(|error| BrokerError::Library(format!("retained messages: {error}")))?;
    Ok(context)
}

/// The password of our own clients, known to this process only.
fn random_password() -> Result<String, BrokerError> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(BrokerError::Random)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
