//! Both ways of reaching publishers, alike to the rest: a broker of our own, or sessions at a foreign one.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context as _;
use decode::Feeds;
use ingest::{
    Broker as _, BrokerUrl, Classify, Clock, EmbeddedBroker, EmbeddedConfig, Emergencies, EmergencyLane,
    EmergencySession, LaneLimits, Lanes, LinkStatus, Outbox, OutboxConfig, SessionConfig, TelemetrySession, TopicTest,
};
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::config::Config;

/// Unconfirmed emergencies that may be on their way from the broker to the journal: as many as MQTT can say, because what
/// a broker still holds back, no press overtakes.
const RECEIVE_MAXIMUM: u16 = u16::MAX;
/// Receipts that may wait while the broker is away; a feeder that hears none sends again.
const OUTBOX_MESSAGES: usize = 10_000;

/// The link by which alarms and incidents come from a foreign broker.
pub(crate) const EMERGENCY: &str = "emergency";

/// Each link by name.
pub(crate) type LinkStatuses = Vec<(&'static str, watch::Receiver<LinkStatus>)>;

/// The lanes, and what is known of the links behind them.
pub(crate) struct Links {
    /// Frames for the workers.
    pub(crate) lanes: Arc<Lanes>,
    /// Frames for the room's owner.
    pub(crate) emergencies: Emergencies,
    /// The emergency lane's counters.
    pub(crate) emergency_lane: EmergencyLane,
    /// Receipts, and the link they go by.
    pub(crate) outbox: Outbox,
    pub(crate) out: watch::Receiver<LinkStatus>,
    /// Each link by name.
    pub(crate) status: LinkStatuses,
    /// Where the embedded broker listens.
    pub(crate) embedded: Option<SocketAddr>,
}

impl Links {
    /// Opens the links; their tasks run in `tasks` until `stop`.
    ///
    /// # Errors
    /// The embedded broker cannot listen, or a filter is none. A foreign broker that is away is no error.
    pub(crate) async fn open(
        config: &Config,
        feeds: &Arc<Feeds>,
        clock: Clock,
        stop: &CancellationToken,
        tasks: &mut JoinSet<anyhow::Result<()>>,
    ) -> anyhow::Result<Self> {
        let of_topic = |test: fn(&Feeds, &str) -> bool| -> TopicTest {
            let feeds = Arc::clone(feeds);
            Arc::new(move |topic| test(&feeds, topic))
        };
        let of_frame = |test: fn(&Feeds, &str, &[u8]) -> bool| -> Classify {
            let feeds = Arc::clone(feeds);
            Arc::new(move |topic, payload| test(&feeds, topic, payload))
        };
        let lanes = Arc::new(Lanes::new(LaneLimits::default(), of_frame(Feeds::is_replaceable)));
        let (lane, emergencies) = EmergencyLane::new(RECEIVE_MAXIMUM, of_frame(Feeds::may_wait));
        let mut status = Vec::new();
        let mut embedded = None;
        let url = if let Some(url) = &config.broker.url {
            let session = |name: &str, filters| SessionConfig {
                url: url.clone(),
                client_id: format!("{}-{name}", config.mqtt_client_id),
                filters,
                max_packet_bytes: SessionConfig::DEFAULT_MAX_PACKET_BYTES,
                seed: jitter_seed(),
            };
            // What the emergency session's own filters deliver is left to it; anything else comes this way.
            let skip = of_topic(Feeds::has_emergency_filter);
            let telemetry = session("telemetry", feeds.telemetry_filters());
            let telemetry = TelemetrySession::new(telemetry, Arc::clone(&lanes), skip, Arc::clone(&clock))?;
            let emergency = session(EMERGENCY, feeds.emergency_filters());
            let emergency = EmergencySession::new(emergency, lane.clone(), Arc::clone(&clock))?;
            status.push(("telemetry", telemetry.link()));
            status.push((EMERGENCY, emergency.link()));
            spawn_until(tasks, stop, telemetry.run());
            spawn_until(tasks, stop, emergency.run());
            url.clone()
        } else {
            let broker = EmbeddedConfig {
                listen: config.broker.embedded_listen,
                prefix: config.mqtt_prefix.clone(),
                telemetry_filters: feeds.telemetry_filters(),
                emergency_filters: feeds.emergency_filters(),
                users: config.broker.users.clone(),
                max_packet_bytes: config.broker.max_packet_bytes,
                max_sessions: config.broker.max_connections,
            };
            let is_emergency = of_topic(Feeds::is_emergency);
            let broker =
                EmbeddedBroker::bind(broker, Arc::clone(&lanes), lane.clone(), is_emergency, Arc::clone(&clock))
                    .await?;
            embedded = Some(broker.local_addr());
            status.push(("embedded", broker.link()));
            let (url, stop) = (broker.url(), stop.clone());
            tasks.spawn(async move { broker.run(stop).await.context("the embedded broker ended") });
            url
        };
        let (outbox, out) = open_outbox(url, config, clock, stop, tasks);
        Ok(Self { lanes, emergencies, emergency_lane: lane, outbox, out, status, embedded })
    }
}

fn open_outbox(
    url: BrokerUrl,
    config: &Config,
    clock: Clock,
    stop: &CancellationToken,
    tasks: &mut JoinSet<anyhow::Result<()>>,
) -> (Outbox, watch::Receiver<LinkStatus>) {
    let client_id = format!("{}-out", config.mqtt_client_id);
    let seed = jitter_seed();
    let (outbox, session) = Outbox::new(OutboxConfig { url, client_id, capacity: OUTBOX_MESSAGES, seed }, clock);
    let link = session.link();
    spawn_until(tasks, stop, session.run());
    (outbox, link)
}

/// Runs a session that ends only by being told to.
fn spawn_until(
    tasks: &mut JoinSet<anyhow::Result<()>>,
    stop: &CancellationToken,
    session: impl Future<Output = ()> + Send + 'static,
) {
    let stop = stop.clone();
    tasks.spawn(async move {
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            () = session => if stop.is_cancelled() { Ok(()) } else { Err(anyhow::anyhow!("a broker session ended by itself")) },
        }
    });
}

/// Two processes that lost one broker must not come back in step.
fn jitter_seed() -> u64 {
    u64::from(std::process::id())
}
