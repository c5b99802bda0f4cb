//! The emergency session: alarms and incidents from a foreign broker, confirmed only when they are on disk.
//!
//! Three things keep an alarm from being lost between the broker and the disk. The session is persistent, so the
//! broker keeps what comes while we are away. Confirmation is by hand and in the order of receipt, as MQTT asks and
//! rumqttc does not ensure. And a frame that cannot be recorded ends the connection after a pause, because a broker
//! redelivers only then.

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rumqttc::v5::{
    AsyncClient,
    mqttbytes::{
        QoS,
        v5::{ConnectProperties, Publish},
    },
};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use super::{Ended, SUBSCRIBE_REQUESTS, SessionConfig, Subscriptions, converse, frame, left_over, pause, report_end};
use crate::{
    Clock, EmergencyLane, FilterError, LinkStatus,
    backoff::Backoff,
    emergency::{NotQueued, Pending, Verdict},
    link::LinkReporter,
};

/// How long the broker is asked to keep our session and its queue: a long weekend without us loses nothing.
const SESSION_EXPIRY_S: u32 = 4 * 24 * 3600;

/// Feeds the emergency lane from a foreign broker. Not for the embedded one, whose publish hook waits for the
/// verdict: it would wait for itself.
pub struct EmergencySession {
    config: SessionConfig,
    subscriptions: Subscriptions,
    lane: EmergencyLane,
    clock: Clock,
    link: LinkReporter,
}

/// A QoS 1 message waiting for its verdict.
struct Unconfirmed {
    packet_id: u16,
    verdict: Pending,
}

impl EmergencySession {
    /// A session into `lane`.
    ///
    /// # Errors
    /// A filter that is none.
    pub fn new(config: SessionConfig, lane: EmergencyLane, clock: Clock) -> Result<Self, FilterError> {
        let subscriptions = Subscriptions::new(&config.filters, QoS::AtLeastOnce)?;
        let link = LinkReporter::new("emergency", Arc::clone(&clock));
        Ok(Self { config, subscriptions, lane, clock, link })
    }

    /// The state of the link, now and at every change.
    pub fn link(&self) -> watch::Receiver<LinkStatus> {
        self.link.watch()
    }

    /// Connects, and reconnects until nobody reads the lane. Drop the future to end the session; the broker keeps it.
    pub async fn run(self) {
        let Self { config, mut subscriptions, lane, clock, link } = self;
        let window = lane.receive_maximum();
        let mut backoff = Backoff::new(config.seed, &config.client_id);
        let options = {
            let mut properties = ConnectProperties::new();
            properties.receive_maximum = Some(window);
            properties.session_expiry_interval = Some(SESSION_EXPIRY_S);
            let mut options = config.options(properties);
            options.set_clean_start(false).set_manual_acks(true);
            options
        };
        loop {
            lane.room().await;
            let started = Instant::now();
            link.connecting();
            // An acknowledgement never waits: the channel holds one for each message that may be out.
            let (client, mut eventloop) = AsyncClient::new(options.clone(), usize::from(window) + SUBSCRIBE_REQUESTS);
            let (unconfirmed, verdicts) = mpsc::channel(usize::from(window));
            let mut inbox = Inbox { lane: &lane, clock: &clock, unconfirmed: Some(unconfirmed) };
            let all_confirmed = AtomicBool::new(false);
            let mut ended = tokio::select! {
                ended = converse(&mut eventloop, &client, &mut subscriptions, &link, |publish| inbox.take(publish)) => ended,
                ended = confirm_in_order(verdicts, &client, &lane, &all_confirmed) => ended,
            };
            // Unconfirmed ones come again, QoS 0 ones never.
            for publish in left_over(&mut eventloop).filter(|publish| publish.qos == QoS::AtMostOnce) {
                if inbox.take(publish).is_break() {
                    break;
                }
            }
            if inbox.unconfirmed.is_none() && matches!(ended, Ended::Broken(_)) {
                ended = Ended::ByUs(BEYOND_WINDOW);
            }
            // All that was taken is confirmed and the broker holds more: nobody gains by waiting, and an alarm may be
            // among it.
            if !report_end(&ended, &link) {
                return;
            }
            if all_confirmed.into_inner() {
                backoff.reset();
            } else {
                pause(&mut backoff, started).await;
            }
        }
    }
}

/// Where the messages of one connection go. Never waits.
struct Inbox<'a> {
    lane: &'a EmergencyLane,
    clock: &'a Clock,
    /// `None` once the broker has sent more than it may: no QoS 1 message is taken any more on this connection. What
    /// was taken is confirmed first, so that however much a broker holds, every connection makes it less.
    unconfirmed: Option<mpsc::Sender<Unconfirmed>>,
}

impl Inbox<'_> {
    /// Queues one message and notes its confirmation as owed.
    fn take(&mut self, publish: Publish) -> ControlFlow<Ended> {
        let packet_id = publish.pkid;
        let slot = match (publish.qos, &self.unconfirmed) {
            (QoS::AtMostOnce, _) => None,
            (QoS::AtLeastOnce | QoS::ExactlyOnce, None) => return ControlFlow::Continue(()),
            (QoS::AtLeastOnce | QoS::ExactlyOnce, Some(unconfirmed)) => match unconfirmed.clone().try_reserve_owned() {
                Ok(slot) => Some(slot),
                Err(_) => return self.take_no_more(),
            },
        };
        match (self.lane.offer(frame(publish, (self.clock)().utc)), slot) {
            (Ok(Some(verdict)), Some(slot)) => drop(slot.send(Unconfirmed { packet_id, verdict })),
            (Ok(_) | Err(NotQueued::Shed), _) => {}
            (Err(NotQueued::Full), _) => return self.take_no_more(),
            (Err(NotQueued::Closed), _) => return ControlFlow::Break(Ended::Unread),
        }
        ControlFlow::Continue(())
    }

    fn take_no_more(&mut self) -> ControlFlow<Ended> {
        self.unconfirmed = None;
        ControlFlow::Continue(())
    }
}

/// The queue cannot fill from QoS 1 while the broker keeps to what we announced. Mosquitto 2.0 does not when it delivers
/// what it kept for us.
const BEYOND_WINDOW: &str =
    "the broker sent more unconfirmed messages than our receive maximum; asking for the rest again";

/// Sends confirmations in the order of receipt, whatever the order of the verdicts, until one is withheld, or until no
/// more is taken and all that was taken is confirmed.
async fn confirm_in_order(
    mut verdicts: mpsc::Receiver<Unconfirmed>,
    client: &AsyncClient,
    lane: &EmergencyLane,
    all_confirmed: &AtomicBool,
) -> Ended {
    while let Some(Unconfirmed { packet_id, verdict }) = verdicts.recv().await {
        match verdict.await {
            Ok(Verdict::Recorded) => {}
            // MQTT redelivers on reconnect only, and a later confirmation would leave out of order. So this
            // connection confirms nothing more and is given up after a pause.
            Ok(Verdict::Withheld | Verdict::Held) | Err(_) => {
                tokio::time::sleep(EmergencyLane::WITHHELD_PAUSE).await;
                return Ended::ByUs("a message could not be recorded; asking for it again");
            }
        }
        let mut receipt = Publish::new("", QoS::AtLeastOnce, "", None);
        receipt.pkid = packet_id;
        if client.try_ack(&receipt).is_err() {
            return Ended::ByUs("a confirmation found no room in the request channel");
        }
        lane.count_acknowledged();
    }
    all_confirmed.store(true, Ordering::Relaxed);
    // No more is taken, and everything taken is confirmed: behind the last confirmation the connection ends.
    if client.try_disconnect().is_err() {
        return Ended::ByUs(BEYOND_WINDOW);
    }
    std::future::pending().await
}
