//! Configuration: TOML file, then environment, then flags; read in two steps, all faults told together.
//!
//! `layers` merges what was typed into a [`ConfigFile`]; `resolve` makes of it a [`Config`] that cannot be wrong.
//! Knows no environment and no arguments: `main` hands both in as [`Sources`].

mod desks;
mod fault;
mod feed_layers;
mod file;
mod layers;
mod resolve;
mod show;

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use jiff::tz::TimeZone;

pub use fault::{ConfigFault, ConfigFaults, Origin};
pub use file::ConfigFile;
pub use layers::{Sources, Typed};

/// Everything the service needs to start, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// HTTP.
    pub http: HttpConfig,
    /// Where messages come from.
    pub broker: BrokerConfig,
    /// First level of our topics.
    pub mqtt_prefix: String,
    /// Stem of our client ids.
    pub mqtt_client_id: String,
    /// The journal's file.
    pub journal_path: PathBuf,
    /// Days that the journal's records stay at least.
    pub journal_keep_days: u32,
    /// Where vehicles went around an emergency.
    pub evidence: EvidenceConfig,
    /// Detection rules that are not as by default, checked.
    pub rules: toml::Table,
    /// GTFS files or folders.
    pub schedule_gtfs: Vec<PathBuf>,
    /// Zone of calendar dates, such as those in alert ids.
    pub timezone: TimeZone,
    /// Priority of a passenger's emergency button.
    pub passenger_priority: alert::Priority,
    /// Desks whose alarm load is counted apart.
    pub desks: Vec<room::Desk>,
    /// Places the control room needs.
    pub places: impact::Places,
    /// What to do about alerts.
    pub runbooks: impact::Runbooks,
    /// The enabled feeds.
    pub feeds: Vec<decode::FeedSpec>,
    /// The picture's limits and the enabled feeds' policies; `hash_seed` is for the caller to draw.
    pub picture: picture::PictureOptions,
    /// Who outside is told of alerts.
    pub notify: NotifyConfig,
    /// Logging.
    pub log: LogConfig,
}

/// HTTP.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Who may call; `None` is an open loopback.
    pub tokens: Option<api::Tokens>,
    /// Connections at a time.
    pub max_connections: usize,
}

/// Where messages come from.
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    /// A foreign broker; `None` is the embedded one.
    pub url: Option<ingest::BrokerUrl>,
    /// Where the embedded one listens.
    pub embedded_listen: SocketAddr,
    /// Who may log in at the embedded one; `None` admits everybody on loopback.
    pub users: Option<ingest::Users>,
    /// Larger packets end their sender's connection, in bytes.
    pub max_packet_bytes: u32,
    /// Clients of the embedded broker at a time.
    pub max_connections: usize,
}

/// Recording of where vehicles went around an emergency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EvidenceConfig {
    /// Record at all.
    pub enabled: bool,
    /// How far from the alert's place a vehicle may be to be recorded, in metres.
    pub radius_m: f64,
    /// Vehicles recorded for an alert at most.
    pub vehicles_max: usize,
    /// How far back before the raise.
    pub before_minutes: u32,
    /// How long after the end.
    pub after_minutes: u32,
    /// Bytes written in an hour at most.
    pub bytes_per_hour: u64,
}

/// Who outside is told of alerts.
#[derive(Debug, Clone)]
pub struct NotifyConfig {
    /// The `source` of events.
    pub source: String,
    /// A host's name may stand for an address of a private network.
    pub allow_private: bool,
    /// The receivers.
    pub webhooks: Vec<WebhookConfig>,
}

/// A receiver of alerts.
#[derive(Debug, Clone)]
pub struct WebhookConfig {
    /// Its name.
    pub id: String,
    /// Where events are posted; its host is listed.
    pub url: url::Url,
    /// What events are signed with.
    pub secret: Option<Secret>,
    /// What it hears of.
    pub wanted: Wanted,
    /// How long an answer may take.
    pub timeout: Duration,
    /// After which a change that could not be delivered is given up, in milliseconds.
    pub give_up_after_ms: i64,
}

/// What a receiver hears of. Covert alerts and tests it never does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Priorities; empty = all.
    pub priorities: Vec<alert::Priority>,
    /// Classes; empty = all.
    pub classes: Vec<alert::AlertClass>,
    /// Statuses.
    pub statuses: Vec<transit::Status>,
}

/// Bytes that are never printed.
#[derive(Clone)]
pub struct Secret(pub Vec<u8>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Logging, to stderr.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// JSON lines instead of text.
    pub json: bool,
    /// `tracing` directives, such as `info` or `warn,topis=debug`.
    pub level: String,
}

impl Config {
    /// Merges, checks, and opens what the configuration names.
    ///
    /// # Errors
    /// Every fault there is.
    pub fn load(sources: &Sources) -> Result<Self, ConfigFaults> {
        let (typed, faults) = Typed::read_what_can_be(sources)?;
        resolve::resolve(&typed, faults)
    }
}

/// The fault of a file that cannot be read.
pub fn unreadable(path: &std::path::Path, error: &std::io::Error) -> ConfigFaults {
    let origin = fault::Origin::File(path.to_owned());
    let fix = format!("cannot be read: {error}; name another by --config or TOPIS_CONFIG");
    ConfigFaults(vec![ConfigFault { key: String::new(), value: None, origin, fix }])
}

/// The JSON schema of the file.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(ConfigFile).to_value()
}

/// The effective configuration as TOML, secrets left out.
pub fn show(typed: &Typed) -> String {
    show::show(typed)
}

#[cfg(test)]
mod tests;
