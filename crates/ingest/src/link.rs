//! What a session, or the embedded broker, says of its link: published to whoever watches.

use tokio::sync::watch;
use transit::UtcMillis;

use crate::{Clock, topic::Filter};

/// How a link stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkState {
    /// Trying, or connected and not yet granted what it asked for.
    Connecting,
    /// Connected, and every subscription granted.
    Up,
    /// Not connected; it will be tried again.
    Down,
    /// Connected, but the broker refuses some subscriptions: nothing comes by those filters. They are asked for again
    /// at every connection and every half minute.
    Refused {
        /// The filters.
        filters: Vec<Filter>,
        /// MQTT 5 reason code of the first, 128 and above.
        code: u8,
    },
}

impl LinkState {
    /// It as one word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Up => "up",
            Self::Down => "down",
            Self::Refused { .. } => "refused",
        }
    }
}

/// A link as of now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkStatus {
    /// How it stands.
    pub state: LinkState,
    /// Since when it has stood so.
    pub since: UtcMillis,
    /// Why, in words for a person; empty when there is nothing to say.
    pub detail: String,
    /// Number of the connection, from 1; 0 before the first attempt.
    pub epoch: u64,
    /// Connections the broker accepted.
    pub connects: u64,
    /// Times a packet above our cap broke the connection. We announce the cap, and a broker that honours it
    /// withholds such a packet without a word; one that does not will break the connection with it again and again
    /// until the message expires there: then this counter climbs and a person must purge it at the broker.
    pub oversized: u64,
}

impl LinkStatus {
    /// Whether everything subscribed to is flowing.
    pub fn is_up(&self) -> bool {
        self.state == LinkState::Up
    }

    /// Whether everything that was asked for by `filters` is flowing: a refused filter stops its own messages, and
    /// those of filters that it covers, and no others.
    pub fn carries(&self, filters: &[Filter]) -> bool {
        match &self.state {
            LinkState::Up => true,
            LinkState::Connecting | LinkState::Down => false,
            LinkState::Refused { filters: refused, .. } => {
                !refused.iter().any(|refused| filters.iter().any(|filter| refused.covers(filter)))
            }
        }
    }
}

/// The writing end.
pub(crate) struct LinkReporter {
    session: &'static str,
    clock: Clock,
    status: watch::Sender<LinkStatus>,
}

impl LinkReporter {
    /// `session` is the label of metrics and log lines: a fixed word, never an id.
    pub(crate) fn new(session: &'static str, clock: Clock) -> Self {
        let status = LinkStatus {
            state: LinkState::Connecting,
            since: clock().utc,
            detail: String::new(),
            epoch: 0,
            connects: 0,
            oversized: 0,
        };
        Self { session, clock, status: watch::Sender::new(status) }
    }

    pub(crate) fn watch(&self) -> watch::Receiver<LinkStatus> {
        self.status.subscribe()
    }

    /// A connection is being attempted.
    pub(crate) fn connecting(&self) {
        // While it is down it stays down in name and keeps the reason; a new attempt alone is no change.
        self.status.send_modify(|status| status.epoch += 1);
    }

    /// The broker accepted us; subscriptions are still out.
    pub(crate) fn connected(&self) {
        self.status.send_modify(|status| status.connects += 1);
        metrics::counter!("topis_mqtt_connects_total", "session" => self.session).increment(1);
        self.enter(LinkState::Connecting, "waiting for the subscriptions to be granted");
    }

    /// All is granted.
    pub(crate) fn up(&self) {
        self.enter(LinkState::Up, "");
    }

    /// Some subscriptions were refused, the first with `code`.
    pub(crate) fn refused(&self, filters: Vec<Filter>, code: u8) {
        let named: Vec<String> = filters.iter().map(|filter| format!("`{}`", filter.as_str())).collect();
        let named = named.join(", ");
        let detail = format!("the broker refuses {named} with code {code:#04x}; check its access rules for us");
        self.enter(LinkState::Refused { filters, code }, &detail);
    }

    /// The connection ended.
    pub(crate) fn down(&self, why: &str) {
        self.enter(LinkState::Down, why);
    }

    /// A packet above the cap ended it.
    pub(crate) fn oversized(&self) {
        self.status.send_modify(|status| status.oversized += 1);
        metrics::counter!("topis_mqtt_oversized_total", "session" => self.session).increment(1);
    }

    fn enter(&self, state: LinkState, detail: &str) {
        let now = (self.clock)().utc;
        let changed = self.status.send_if_modified(|status| {
            if status.state == state && status.detail == detail {
                return false;
            }
            if status.state != state {
                status.since = now;
            }
            state.clone_into(&mut status.state);
            detail.clone_into(&mut status.detail);
            true
        });
        if changed {
            let up = if state == LinkState::Up { 1.0 } else { 0.0 };
            metrics::gauge!("topis_mqtt_link_up", "session" => self.session).set(up);
            tracing::info!(session = self.session, state = ?state, detail, "link changed");
        }
    }
}
