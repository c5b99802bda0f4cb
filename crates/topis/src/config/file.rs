//! The configuration file as typed: every key with its unit in its name and its default.
//!
//! Nothing is checked here but shapes and names; [`super::resolve`] does the rest. The text of `config/topis.toml`
//! and the JSON schema say the same, and tests hold them to it.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};

/// The whole file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ConfigFile {
    /// HTTP API.
    pub http: Http,
    /// The MQTT broker: somebody's, or our own.
    pub broker: Broker,
    /// Names on the broker.
    pub mqtt: Mqtt,
    /// The durable record.
    pub journal: Journal,
    /// Where vehicles went around an emergency, recorded beside the journal.
    pub evidence: Evidence,
    /// The timetable.
    pub schedule: Schedule,
    /// Alarms.
    pub alarms: Alarms,
    /// Detection.
    pub detect: Detect,
    /// Places the control room needs.
    pub places: Places,
    /// What to do about alerts.
    pub runbooks: Runbooks,
    /// Limits of the live picture.
    pub picture: Picture,
    /// Who outside is told of alerts, and how far that may reach.
    pub notify: Notify,
    /// Logging, to stderr.
    pub log: Log,
    /// Sources of messages; an entry with the id of a default feed (native, hfp, gtfs-rt) changes that one.
    pub feeds: Vec<Feed>,
    /// Receivers of alerts over HTTP.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<Webhook>,
}

/// HTTP API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Address and port. Beyond loopback only with `tokens_file`.
    pub listen: String,
    /// Bearer tokens, made by `topis token new`; empty = none, which is for loopback only.
    pub tokens_file: String,
    /// Connections at a time.
    pub max_connections: usize,
}

impl Default for Http {
    fn default() -> Self {
        Self { listen: "127.0.0.1:8080".to_owned(), tokens_file: String::new(), max_connections: 10_000 }
    }
}

/// The MQTT broker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Broker {
    /// `embedded`, or `mqtt://[user:password@]host[:port]`.
    pub url: String,
    /// Address and port of the embedded broker. Beyond loopback only with `users_file`.
    pub embedded_listen: String,
    /// Users of the embedded broker, made by `topis user new`; empty = everybody, which is for loopback only.
    pub users_file: String,
    /// Larger packets end their sender's connection, in bytes.
    pub max_packet_bytes: u32,
    /// Clients of the embedded broker at a time.
    pub max_connections: usize,
}

impl Default for Broker {
    fn default() -> Self {
        Self {
            url: super::resolve::EMBEDDED.to_owned(),
            embedded_listen: "127.0.0.1:1883".to_owned(),
            users_file: String::new(),
            max_packet_bytes: 262_144,
            max_connections: 200_000,
        }
    }
}

/// Names on the broker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mqtt {
    /// First level of our own topics.
    pub prefix: String,
    /// Stem of our client ids: `-telemetry`, `-emergency` and `-out` are put behind it.
    pub client_id: String,
}

impl Default for Mqtt {
    fn default() -> Self {
        Self { prefix: "topis".to_owned(), client_id: "topis".to_owned() }
    }
}

/// The durable record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Journal {
    /// The SQLite file; its folder is made.
    pub path: String,
    /// Records stay at least this many days.
    pub keep_days: u32,
}

impl Default for Journal {
    fn default() -> Self {
        Self { path: "./topis-data/journal.db".to_owned(), keep_days: 400 }
    }
}

/// Where vehicles went around an emergency, recorded beside the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Evidence {
    /// Record at all.
    pub enabled: bool,
    /// How far from the alert's place a vehicle may be at the raise to be recorded, in metres.
    pub radius_m: f64,
    /// Vehicles recorded for an alert at most, its subject first.
    pub vehicles_max: usize,
    /// How far back before the raise, in minutes; no further than `picture.trail_minutes`.
    pub before_minutes: u32,
    /// How long after the alert is closed, in minutes.
    pub after_minutes: u32,
    /// Megabytes written in an hour at most; what is beyond is dropped, counted and said so.
    pub mb_per_hour: u32,
}

impl Default for Evidence {
    fn default() -> Self {
        Self {
            enabled: true,
            radius_m: 2_000.0,
            vehicles_max: 20,
            before_minutes: 60,
            after_minutes: 30,
            mb_per_hour: 50,
        }
    }
}

/// The timetable.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// GTFS files or folders.
    #[serde(deserialize_with = "comma_list")]
    pub gtfs: Vec<String>,
    /// IANA zone of calendar dates, such as those in alert ids; empty = UTC.
    pub timezone: String,
}

/// Detection.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Detect {
    /// Rules that are not as by default, like `config/rules.toml`; empty = all by default.
    pub rules_file: String,
}

/// Alarms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Alarms {
    /// Priority of a passenger's emergency button: P1, P2, P3 or P4.
    pub passenger_priority: String,
    /// Desks whose alarm load is counted apart, besides the whole room's.
    pub desks: Vec<Desk>,
}

impl Default for Alarms {
    fn default() -> Self {
        Self { passenger_priority: "P2".to_owned(), desks: Vec::new() }
    }
}

/// A desk, and what sounds at it; an empty list is no limit.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Desk {
    /// Its name.
    pub name: String,
    /// Agencies whose vehicles are its business.
    pub agencies: Vec<String>,
    /// Rules that are its business, or families of them: `EMG.PANIC`, `FEED.*`.
    pub rules: Vec<String>,
}

/// Places the control room needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Places {
    /// A GeoJSON FeatureCollection of hospitals, depots, turn-backs, cameras and more; empty = none.
    pub file: String,
}

/// What to do about alerts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Runbooks {
    /// A TOML file of steps by rule, in the place of the shipped ones as a whole; empty = the shipped ones.
    pub file: String,
}

/// Limits of the live picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Picture {
    /// A stamp this many seconds ahead of its receipt is shown with a flag and never becomes the newest.
    pub future_limit_s: u32,
    /// A device's clock this many seconds behind is flagged.
    pub behind_limit_s: u32,
    /// Fastest bus, trolleybus, tram, cable tram or taxi, in metres a second; beyond it a fix is a jump.
    pub jump_road_mps: f64,
    /// Fastest metro, rail or monorail vehicle, in metres a second.
    pub jump_rail_mps: f64,
    /// Fastest ferry, aerial lift or funicular, in metres a second.
    pub jump_other_mps: f64,
    /// Fastest vehicle of unknown mode, in metres a second.
    pub jump_unknown_mps: f64,
    /// How far back a trail goes, in minutes.
    pub trail_minutes: u32,
    /// The most points a trail may have.
    pub trail_points_max: usize,
    /// Hours of silence after which a vehicle is removed.
    pub forget_after_h: u32,
    /// How many vehicles are kept for good; more go to a short list of the latest.
    pub unknown_cap: usize,
    /// How long that short list is.
    pub lru_cap: usize,
    /// Where vehicles can be: west, south, east, north in degrees; empty = anywhere.
    #[serde(deserialize_with = "comma_list")]
    pub service_area: Vec<f64>,
    /// Fastest vehicle by mode, in metres a second, before the four limits above.
    pub jump_mps_by_mode: BTreeMap<String, f64>,
}

impl Default for Picture {
    fn default() -> Self {
        let limits = picture::PictureOptions::default();
        let whole_seconds = |millis: i64| u32::try_from(millis / 1000).expect("the defaults are minutes");
        Self {
            future_limit_s: whole_seconds(limits.future_limit_ms),
            behind_limit_s: whole_seconds(limits.behind_limit_ms),
            jump_road_mps: limits.jump_limits.road_mps,
            jump_rail_mps: limits.jump_limits.rail_mps,
            jump_other_mps: limits.jump_limits.other_mps,
            jump_unknown_mps: limits.jump_limits.unknown_mps,
            trail_minutes: limits.trail_minutes,
            trail_points_max: limits.trail_points_max,
            forget_after_h: limits.forget_after_h,
            unknown_cap: limits.unknown_cap,
            lru_cap: limits.lru_cap,
            service_area: Vec::new(),
            jump_mps_by_mode: BTreeMap::new(),
        }
    }
}

/// Who outside is told of alerts, and how far that may reach.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Notify {
    /// Hosts that webhooks may name, as `host` or `host:port`. None: no webhook can be configured.
    #[serde(deserialize_with = "comma_list")]
    pub allow_hosts: Vec<String>,
    /// A host's name may stand for an address of a private network.
    pub allow_private: bool,
    /// The `source` of events, a URI; empty = `urn:topis:` and `mqtt.client_id`.
    pub source: String,
}

/// Logging, to stderr.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `text` or `json`.
    pub format: String,
    /// `error`, `warn`, `info`, `debug`, `trace`, or directives such as `warn,topis=debug`.
    pub level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: "text".to_owned(), level: "info".to_owned() }
    }
}

/// A source of messages. What is not given stays as the default feed of that id, or as the format has it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Feed {
    /// Its name.
    pub id: String,
    /// `native`, `hfp` or `gtfs-rt`; required for a new id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// MQTT filters; `{prefix}` stands for `mqtt.prefix`. Default: the format's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topics: Option<Vec<String>>,
    /// Agency where the format has none; default: the id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agency: Option<String>,
    /// Put before every agency, so that two sources cannot claim one vehicle by accident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Mode where a message has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// When its silence means something: `recent` (default), `hours` or `always`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect: Option<String>,
    /// Its hours of service in `schedule.timezone`, for `expect = "hours"`: `["Mo-Fr 04:30-25:30", "Sa,Su 05:00-24:00"]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_hours: Option<Vec<String>>,
    /// Seconds between two reports of a vehicle; default: learned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_s: Option<f64>,
    /// Take it in; default true. Alarms and incidents on our own topics are always taken in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// IANA zone of its local times, where its format has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Who may send its warnings, as CAP names them in `sender`; default: everybody who may publish to its topics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub senders: Option<Vec<String>>,
}

/// A receiver of alerts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Webhook {
    /// Its name, in metrics and on disk: small letters, digits, `-` and `_`.
    pub id: String,
    /// Where events are posted: `https://` or `http://`, of a host that `notify.allow_hosts` lists.
    pub url: String,
    /// File of the secret that events are signed with; empty = they are not.
    pub secret_file: String,
    /// Priorities it hears of: P1, P2, P3, P4; empty = all.
    #[serde(deserialize_with = "comma_list")]
    pub priorities: Vec<String>,
    /// Classes it hears of: emergency, safety, service, infrastructure, system; empty = all.
    #[serde(deserialize_with = "comma_list")]
    pub classes: Vec<String>,
    /// Statuses it hears of: actual, exercise. Tests stay inside.
    #[serde(deserialize_with = "comma_list")]
    pub statuses: Vec<String>,
    /// Seconds an answer may take.
    pub timeout_s: u32,
    /// Hours after which a change that could not be delivered is given up, 1 to 168.
    pub give_up_after_h: u32,
}

impl Default for Webhook {
    fn default() -> Self {
        Self {
            id: String::new(),
            url: String::new(),
            secret_file: String::new(),
            priorities: Vec::new(),
            classes: Vec::new(),
            statuses: ["actual", "exercise"].map(str::to_owned).to_vec(),
            timeout_s: 5,
            give_up_after_h: 24,
        }
    }
}

/// A list as TOML has it, or one text with commas as the environment has it.
fn comma_list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + std::str::FromStr<Err: fmt::Display>,
{
    struct Either<T>(std::marker::PhantomData<T>);

    impl<'de, T: Deserialize<'de> + std::str::FromStr<Err: fmt::Display>> de::Visitor<'de> for Either<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list, or a text with commas")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(|part| part.parse().map_err(|e| E::custom(format!("{part:?}: {e}")))).collect()
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut list = Vec::new();
            while let Some(part) = seq.next_element()? {
                list.push(part);
            }
            Ok(list)
        }
    }

    deserializer.deserialize_any(Either(std::marker::PhantomData))
}
