//! The telemetry session: positions and whatever else is not an emergency, from a foreign broker into the lanes.

use std::{ops::ControlFlow, sync::Arc};

use rumqttc::v5::{
    AsyncClient,
    mqttbytes::{QoS, v5::ConnectProperties},
};
use tokio::{sync::watch, time::Instant};

use super::{SUBSCRIBE_REQUESTS, SessionConfig, Subscriptions, converse, frame, left_over, pause, report_end};
use crate::{Clock, FilterError, Lanes, LinkStatus, TopicTest, backoff::Backoff, link::LinkReporter};

/// Feeds the lanes from a foreign broker.
///
/// It subscribes at QoS 0 with a clean start. What it carries is replaceable: a lost position is healed by the next
/// one within seconds. QoS 1 would cost an acknowledgement per message at 18,000 a second, let a broker with a small
/// window (mosquitto: 20) throttle the feed by our round trip, and after an outage deliver minutes of old positions
/// before the first fresh one. The emergency lane pays that price; it is a session of its own.
pub struct TelemetrySession {
    config: SessionConfig,
    subscriptions: Subscriptions,
    lanes: Arc<Lanes>,
    skip: TopicTest,
    clock: Clock,
    link: LinkReporter,
}

impl TelemetrySession {
    /// `skip` says which topics are not for the lanes although a filter here matches them: those that the emergency
    /// session's filters cover, and the receipts that we publish ourselves.
    ///
    /// # Errors
    /// A filter that is none.
    pub fn new(config: SessionConfig, lanes: Arc<Lanes>, skip: TopicTest, clock: Clock) -> Result<Self, FilterError> {
        let subscriptions = Subscriptions::new(&config.filters, QoS::AtMostOnce)?;
        let link = LinkReporter::new("telemetry", Arc::clone(&clock));
        Ok(Self { config, subscriptions, lanes, skip, clock, link })
    }

    /// The state of the link, now and at every change.
    pub fn link(&self) -> watch::Receiver<LinkStatus> {
        self.link.watch()
    }

    /// Connects, and reconnects for ever. Drop the future to end the session.
    pub async fn run(self) {
        let Self { config, mut subscriptions, lanes, skip, clock, link } = self;
        let mut backoff = Backoff::new(config.seed, &config.client_id);
        let options = {
            let mut options = config.options(ConnectProperties::new());
            options.set_clean_start(true);
            options
        };
        let hand_on = |publish| {
            let frame = frame(publish, clock().utc);
            if !skip(&frame.topic) {
                lanes.push(frame);
            }
        };
        loop {
            let started = Instant::now();
            link.connecting();
            let (client, mut eventloop) = AsyncClient::new(options.clone(), SUBSCRIBE_REQUESTS);
            let ended = converse(&mut eventloop, &client, &mut subscriptions, &link, |publish| {
                hand_on(publish);
                ControlFlow::Continue(())
            })
            .await;
            left_over(&mut eventloop).for_each(hand_on);
            if !report_end(&ended, &link) {
                return;
            }
            pause(&mut backoff, started).await;
        }
    }
}
