//! From what was typed to what is meant: addresses, words, files. Finds every fault there is before it gives up.

mod webhooks;

use std::{net::SocketAddr, path::PathBuf, str::FromStr};

use decode::{FeedSpec, Feeds};
use ingest::BrokerUrl;
use jiff::tz::TimeZone;
use picture::{Expect, FeedPolicy, JumpLimits, PictureOptions, ServiceArea};
use tracing_subscriber::EnvFilter;
use transit::{Coordinate, FeedId, Mode, ServiceHours, Word};

use super::{
    BrokerConfig, Config, ConfigFault, ConfigFaults, EvidenceConfig, HttpConfig, LogConfig, Typed, fault::redact,
    feed_layers::merged_feeds, file, layers::nearest,
};

/// A week, in which a press that comes again is known, and a day.
const KEEP_DAYS_MIN: u32 = 8;
/// A clock that is off by more than an hour is no clock.
const CLOCK_LIMIT_MAX_S: u32 = 3_600;

/// `broker.url` for the broker in this process.
pub(super) const EMBEDDED: &str = "embedded";

/// Checks everything; `faults` are those that were found before.
pub(super) fn resolve(typed: &Typed, faults: Vec<ConfigFault>) -> Result<Config, ConfigFaults> {
    let mut check = Check { typed, faults };
    let file = &typed.file;
    let http = check.http(&file.http);
    let broker = check.broker(&file.broker);
    let timezone = check.timezone("schedule.timezone", &file.schedule.timezone);
    let (feeds, policies) = check.feeds(timezone.as_ref());
    let picture = check.picture(&file.picture, policies);
    let passenger_priority = check.word("alarms.passenger_priority", &file.alarms.passenger_priority);
    let desks = check.desks(&file.alarms.desks);
    let places = check.listed_file("places.file", &file.places.file, impact::Places::parse);
    let runbooks = check.listed_file("runbooks.file", &file.runbooks.file, impact::Runbooks::parse);
    let evidence = check.evidence(&file.evidence, file.picture.trail_minutes);
    let notify = check.notify(file);
    let log = check.log(&file.log);
    let rules = check.file("detect.rules_file", &file.detect.rules_file, rules);
    check.client_id(&file.mqtt.client_id);
    check.filled("journal.path", &file.journal.path);
    if file.journal.keep_days < KEEP_DAYS_MIN {
        let fix =
            format!("would forget what a press within the last week is compared with; use {KEEP_DAYS_MIN} or more");
        check.number_fault("journal.keep_days", file.journal.keep_days, &fix);
    }
    match (http, broker, timezone, passenger_priority, rules) {
        (Some(http), Some(broker), Some(timezone), Some(passenger_priority), Some(rules))
            if check.faults.is_empty() =>
        {
            Ok(Config {
                http,
                broker,
                mqtt_prefix: file.mqtt.prefix.clone(),
                mqtt_client_id: file.mqtt.client_id.clone(),
                journal_path: PathBuf::from(&file.journal.path),
                journal_keep_days: file.journal.keep_days,
                evidence,
                rules: rules.unwrap_or_default(),
                places: places.flatten().unwrap_or_default(),
                runbooks: runbooks.flatten().unwrap_or_else(impact::Runbooks::shipped),
                schedule_gtfs: file.schedule.gtfs.iter().map(PathBuf::from).collect(),
                timezone,
                passenger_priority,
                desks,
                feeds,
                picture,
                notify,
                log,
            })
        }
        _ => Err(ConfigFaults(check.faults)),
    }
}

/// What was typed, and what was found wrong with it so far.
pub(super) struct Check<'a> {
    typed: &'a Typed,
    faults: Vec<ConfigFault>,
}

impl Check<'_> {
    pub(super) fn fault(&mut self, key: &str, value: &str, fix: impl Into<String>) {
        let value = Some(format!("{:?}", redact(value)));
        self.faults.push(ConfigFault { key: key.to_owned(), value, origin: self.typed.origin(key), fix: fix.into() });
    }

    pub(super) fn number_fault(&mut self, key: &str, value: impl ToString, fix: &str) {
        let (key, value) = (key.to_owned(), Some(value.to_string()));
        self.faults.push(ConfigFault { origin: self.typed.origin(&key), key, value, fix: fix.to_owned() });
    }

    fn http(&mut self, http: &file::Http) -> Option<HttpConfig> {
        let listen = self.address("http.listen", &http.listen);
        let tokens = self.file("http.tokens_file", &http.tokens_file, api::Tokens::parse);
        if let Some(listen) = listen
            && !listen.ip().is_loopback()
            && http.tokens_file.is_empty()
        {
            self.fault(
                "http.listen",
                &http.listen,
                "would let everybody who reaches this machine read and order: run `topis token new --role operator \
                 --name NAME --file tokens` and set http.tokens_file = \"tokens\", or listen on 127.0.0.1",
            );
        }
        if http.max_connections == 0 {
            self.number_fault("http.max_connections", 0, "would let nobody in; use 1 or more");
        }
        Some(HttpConfig { listen: listen?, tokens: tokens?, max_connections: http.max_connections })
    }

    fn broker(&mut self, broker: &file::Broker) -> Option<BrokerConfig> {
        let url = match broker.url.as_str() {
            EMBEDDED => Some(None),
            text => match BrokerUrl::parse(text) {
                Ok(url) => Some(Some(url)),
                Err(error) => {
                    self.fault("broker.url", text, format!("{error}; or write `{EMBEDDED}` for the broker in here"));
                    None
                }
            },
        };
        let listen = self.address("broker.embedded_listen", &broker.embedded_listen);
        let users = self.file("broker.users_file", &broker.users_file, ingest::Users::parse);
        if let Some(listen) = listen
            && broker.url == EMBEDDED
            && !listen.ip().is_loopback()
            && broker.users_file.is_empty()
        {
            self.fault(
                "broker.embedded_listen",
                &broker.embedded_listen,
                "would let everybody who reaches this machine raise alarms: run `topis user new --role vehicle --name \
                 AGENCY/VEHICLE --file users.toml` and set broker.users_file = \"users.toml\", or listen on 127.0.0.1",
            );
        }
        if broker.max_packet_bytes < 65_536 {
            let fix = "is less than an incident may have; use 65536 or more";
            self.number_fault("broker.max_packet_bytes", broker.max_packet_bytes, fix);
        }
        if broker.max_connections == 0 {
            self.number_fault("broker.max_connections", 0, "would let nobody in; use 1 or more");
        }
        Some(BrokerConfig {
            url: url?,
            embedded_listen: listen?,
            users: users?,
            max_packet_bytes: broker.max_packet_bytes,
            max_connections: broker.max_connections,
        })
    }

    fn feeds(&mut self, zone: Option<&TimeZone>) -> (Vec<FeedSpec>, Vec<FeedPolicy>) {
        let file = &self.typed.file;
        for (i, entry) in file.feeds.iter().enumerate() {
            let key = format!("feeds.{i}.id");
            if entry.id.is_empty() {
                let origin = self.typed.origin("feeds");
                let fix = "is missing; give the feed a name".to_owned();
                self.faults.push(ConfigFault { key, value: None, origin, fix });
            } else if file.feeds.iter().take(i).any(|earlier| earlier.id == entry.id) {
                self.fault(&key, &entry.id, "is given twice; put both entries into one");
            }
        }
        let (mut specs, mut policies) = (Vec::new(), Vec::new());
        for feed in merged_feeds(&file.feeds).into_iter().filter(|feed| feed.enabled != Some(false)) {
            if let Some((spec, policy)) = self.feed(feed, zone) {
                specs.push(spec);
                policies.push(policy);
            }
        }
        // Prefix, filters, formats, zones: the decoder knows best what it takes.
        if let Err(errors) = Feeds::new(&file.mqtt.prefix, specs.clone()) {
            for error in errors {
                let origin = self.typed.origin(if file.feeds.is_empty() { "mqtt.prefix" } else { "feeds" });
                self.faults.push(ConfigFault { key: String::new(), value: None, origin, fix: error.to_string() });
            }
        }
        (specs, policies)
    }

    fn feed(&mut self, feed: file::Feed, zone: Option<&TimeZone>) -> Option<(FeedSpec, FeedPolicy)> {
        let at = self.typed.file.feeds.iter().position(|entry| entry.id == feed.id);
        let key = |name: &str| at.map_or_else(|| format!("feeds.{name}"), |i| format!("feeds.{i}.{name}"));
        let id = match FeedId::parse(&feed.id) {
            Ok(id) => Some(id),
            Err(error) => {
                self.fault(&key("id"), &feed.id, format!("{error}"));
                None
            }
        };
        if feed.format.is_none() {
            let formats = "is a new feed and has no `format`: native, hfp, gtfs-rt or cap";
            self.fault(&key("id"), &feed.id, formats);
        }
        // A word that is wrong is told here; the rest of the feed is looked at all the same.
        let mode = feed.mode.as_ref().and_then(|word| self.word::<Mode>(&key("mode"), word));
        let (expect, hours) = self.expectation(&feed, &key, zone);
        if let Some(interval_s) = feed.interval_s.filter(|s| !(0.1..=3600.0).contains(s)) {
            self.number_fault(&key("interval_s"), interval_s, "is no reporting interval; use 0.1 to 3600 seconds");
        }
        let (id, format) = (id?, feed.format?);
        let learned = FeedPolicy::of(id.clone());
        let expect = expect.unwrap_or(learned.expect);
        let policy = FeedPolicy { interval_s: feed.interval_s, expect, hours, ..learned };
        let spec = FeedSpec {
            topics: feed.topics.unwrap_or_default(),
            agency: feed.agency,
            namespace: feed.namespace,
            mode,
            timezone: feed.timezone,
            senders: feed.senders.unwrap_or_default(),
            ..FeedSpec::new(id, &format)
        };
        Some((spec, policy))
    }

    /// When a feed should speak.
    fn expectation(
        &mut self,
        feed: &file::Feed,
        key: &dyn Fn(&str) -> String,
        zone: Option<&TimeZone>,
    ) -> (Option<Expect>, Option<ServiceHours>) {
        let expect = match feed.expect.as_deref() {
            Some("schedule") => {
                let fix = "needs a timetable, which this version does not read; use \"hours\" with service_hours";
                self.fault(&key("expect"), "schedule", fix);
                return (None, None);
            }
            word => word.and_then(|word| self.word::<Expect>(&key("expect"), word)),
        };
        match (expect, &feed.service_hours) {
            (Some(Expect::Hours), None) => {
                let fix = "needs service_hours, like [\"Mo-Fr 04:30-25:30\", \"Sa,Su 05:00-24:00\"]";
                self.fault(&key("expect"), "hours", fix);
                (expect, None)
            }
            (Some(Expect::Hours), Some(texts)) => {
                if self.typed.file.schedule.timezone.is_empty() {
                    let fix = "is empty, and service_hours are in it; write it like Asia/Seoul, or UTC";
                    self.fault("schedule.timezone", "", fix);
                }
                let hours = ServiceHours::parse(texts, zone.cloned().unwrap_or(TimeZone::UTC));
                let told =
                    hours.map_err(|error| self.fault(&key("service_hours"), &texts.join(", "), error.to_string()));
                (expect, told.ok())
            }
            (Some(Expect::Recent | Expect::Always) | None, Some(texts)) => {
                let fix = "mean nothing without expect = \"hours\"; write that too, or leave them out";
                self.fault(&key("service_hours"), &texts.join(", "), fix);
                (expect, None)
            }
            (Some(Expect::Recent | Expect::Always) | None, None) => (expect, None),
        }
    }

    fn picture(&mut self, limits: &file::Picture, feeds: Vec<FeedPolicy>) -> PictureOptions {
        let speeds = [
            ("picture.jump_road_mps", limits.jump_road_mps),
            ("picture.jump_rail_mps", limits.jump_rail_mps),
            ("picture.jump_other_mps", limits.jump_other_mps),
            ("picture.jump_unknown_mps", limits.jump_unknown_mps),
        ];
        for (key, speed) in speeds {
            self.speed(key, speed);
        }
        let mut by_mode = Vec::new();
        for (word, speed) in &limits.jump_mps_by_mode {
            let key = format!("picture.jump_mps_by_mode.{word}");
            self.speed(&key, *speed);
            match Mode::find_alias(word) {
                Some(mode) => by_mode.push((mode, *speed)),
                None => self.number_fault(&key, speed, &unknown_word::<Mode>(word)),
            }
        }
        let counts = [
            ("picture.trail_minutes", limits.trail_minutes as usize),
            ("picture.trail_points_max", limits.trail_points_max),
            ("picture.forget_after_h", limits.forget_after_h as usize),
            ("picture.unknown_cap", limits.unknown_cap),
        ];
        for (key, _) in counts.into_iter().filter(|(_, count)| *count == 0) {
            self.number_fault(key, 0, "would keep nothing; use 1 or more");
        }
        let clocks =
            [("picture.future_limit_s", limits.future_limit_s), ("picture.behind_limit_s", limits.behind_limit_s)];
        for (key, seconds) in clocks.into_iter().filter(|(_, seconds)| *seconds > CLOCK_LIMIT_MAX_S) {
            self.number_fault(
                key,
                seconds,
                &format!("would believe any clock; use at most {CLOCK_LIMIT_MAX_S} seconds"),
            );
        }
        PictureOptions {
            future_limit_ms: i64::from(limits.future_limit_s) * 1000,
            behind_limit_ms: i64::from(limits.behind_limit_s) * 1000,
            jump_limits: JumpLimits {
                road_mps: limits.jump_road_mps,
                rail_mps: limits.jump_rail_mps,
                other_mps: limits.jump_other_mps,
                unknown_mps: limits.jump_unknown_mps,
                by_mode,
            },
            trail_minutes: limits.trail_minutes,
            trail_points_max: limits.trail_points_max,
            forget_after_h: limits.forget_after_h,
            unknown_cap: limits.unknown_cap,
            lru_cap: limits.lru_cap,
            service_area: self.service_area(&limits.service_area),
            feeds,
            ..PictureOptions::default()
        }
    }

    fn speed(&mut self, key: &str, mps: f64) {
        if !(1.0..=500.0).contains(&mps) {
            self.number_fault(key, mps, "is no speed of a vehicle; use 1 to 500 m/s");
        }
    }

    fn service_area(&mut self, edges: &[f64]) -> Option<ServiceArea> {
        let [west, south, east, north] = *edges else {
            if !edges.is_empty() {
                let found = format!("{edges:?}");
                self.number_fault("picture.service_area", found, "must be four numbers: west, south, east, north");
            }
            return None;
        };
        let corners = [Coordinate::parse(south, west), Coordinate::parse(north, east)];
        if corners.iter().any(Result::is_err) || south >= north || west >= east {
            let found = format!("{edges:?}");
            let fix = "is no area in degrees: west < east within -180..180, south < north within -90..90";
            self.number_fault("picture.service_area", found, fix);
            return None;
        }
        Some(ServiceArea::from([west, south, east, north]))
    }

    fn evidence(&mut self, evidence: &file::Evidence, trail_minutes: u32) -> EvidenceConfig {
        let file::Evidence { enabled, radius_m, vehicles_max, before_minutes, after_minutes, mb_per_hour } = *evidence;
        if !(1.0..=50_000.0).contains(&radius_m) {
            self.number_fault("evidence.radius_m", radius_m, "is no neighbourhood; use 1 to 50000 m");
        }
        if !(1..=100).contains(&vehicles_max) {
            self.number_fault("evidence.vehicles_max", vehicles_max, "must be 1 to 100");
        }
        // A trail that keeps nothing was told already.
        if before_minutes > trail_minutes && trail_minutes > 0 {
            let fix = "is more than is kept of a trail; lower it, or raise picture.trail_minutes";
            self.number_fault("evidence.before_minutes", before_minutes, fix);
        }
        if after_minutes > 1_440 {
            self.number_fault("evidence.after_minutes", after_minutes, "is more than a day; use 1440 or less");
        }
        if mb_per_hour == 0 {
            self.number_fault("evidence.mb_per_hour", 0, "would record nothing; use 1 or more, or enabled = false");
        }
        let bytes_per_hour = u64::from(mb_per_hour) * 1_000_000;
        EvidenceConfig { enabled, radius_m, vehicles_max, before_minutes, after_minutes, bytes_per_hour }
    }

    fn log(&mut self, log: &file::Log) -> LogConfig {
        if !matches!(log.format.as_str(), "text" | "json") {
            self.fault("log.format", &log.format, "must be `text` or `json`");
        }
        if let Err(error) = EnvFilter::from_str(&log.level) {
            self.fault("log.level", &log.level, format!("{error}; write `info`, or `warn,topis=debug`"));
        }
        LogConfig { json: log.format == "json", level: log.level.clone() }
    }

    fn client_id(&mut self, id: &str) {
        // 65 bytes are what brokers of the field take without being told; ours are ten longer at most.
        if id.is_empty() || id.len() > 48 || id.contains(['+', '#', '/']) || id.chars().any(char::is_control) {
            self.fault("mqtt.client_id", id, "must be 1 to 48 bytes without `+`, `#`, `/` and control characters");
        }
    }

    fn filled(&mut self, key: &str, value: &str) {
        if value.is_empty() {
            self.fault(key, value, "must not be empty");
        }
    }

    fn timezone(&mut self, key: &str, name: &str) -> Option<TimeZone> {
        if name.is_empty() {
            return Some(TimeZone::UTC);
        }
        match TimeZone::get(name) {
            Ok(zone) => Some(zone),
            Err(_) => {
                self.fault(key, name, "is no time zone; write it like Asia/Seoul");
                None
            }
        }
    }

    fn word<W: Word>(&mut self, key: &str, text: &str) -> Option<W> {
        let found = W::find(text);
        if found.is_none() {
            self.fault(key, text, unknown_word::<W>(text));
        }
        found
    }

    fn address(&mut self, key: &str, text: &str) -> Option<SocketAddr> {
        // The one name that means the same everywhere.
        let numeric = text.replacen("localhost:", "127.0.0.1:", 1);
        match numeric.parse() {
            Ok(address) => Some(address),
            Err(_) => {
                self.fault(key, text, "is no address and port; write it like 127.0.0.1:8080 or [::1]:8080");
                None
            }
        }
    }

    /// Reads and parses a file; `Some(None)` when none is configured.
    fn file<T, E: std::fmt::Display>(
        &mut self,
        key: &str,
        path: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        self.listed_file(key, path, |text| parse(text).map_err(|error| vec![error]))
    }

    /// As [`Self::file`], for a file in which several things can be wrong at once.
    fn listed_file<T, E: std::fmt::Display>(
        &mut self,
        key: &str,
        path: &str,
        parse: impl Fn(&str) -> Result<T, Vec<E>>,
    ) -> Option<Option<T>> {
        if path.is_empty() {
            return Some(None);
        }
        let faults: Vec<String> = match std::fs::read_to_string(path) {
            Ok(text) => match parse(&text) {
                Ok(read) => return Some(Some(read)),
                Err(errors) => errors.iter().map(ToString::to_string).collect(),
            },
            Err(error) => vec![format!("cannot be read: {error}")],
        };
        faults.into_iter().for_each(|fault| self.fault(key, path, fault));
        None
    }
}

/// The table of rules in a file of its own.
fn rules(text: &str) -> Result<toml::Table, String> {
    let mut file: toml::Table = text.parse().map_err(|error| format!("is no TOML: {error}"))?;
    let rules = match file.remove("rules") {
        None => toml::Table::new(),
        Some(toml::Value::Table(rules)) => rules,
        Some(_) => return Err("rules: is no table; a rule is headed [rules.\"VEH.SILENT\"]".to_owned()),
    };
    if let Some(other) = file.keys().next() {
        return Err(format!("{other}: is no key here; a rule is headed [rules.\"VEH.SILENT\"]"));
    }
    let listed =
        |errors: Vec<detect::RulesError>| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    detect::Rulebook::read(&rules).map_err(listed)?;
    Ok(rules)
}

fn unknown_word<W: Word>(text: &str) -> String {
    let known = || W::ALL.iter().map(|w| w.word());
    match nearest(text, known()) {
        Some(near) => format!("is no {}; did you mean `{near}`?", W::NAME),
        None => format!("is no {}; there are {}", W::NAME, known().collect::<Vec<_>>().join(", ")),
    }
}
