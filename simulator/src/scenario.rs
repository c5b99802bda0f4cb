//! Scenario files: a city, a time of day, what goes wrong, what people do, and what the service must answer.
//! Knows no file system: texts come in, and those of the repository are built in.

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::Deserialize;
use transit::{ServiceDate, ServiceTime, UtcMillis};

use crate::{
    city::{City, CitySize, SIZES},
    expectation::Expectation,
    faults::{FAULTS, FaultEntry},
    script::Action,
    simulation::SimulationOptions,
};

/// Why a text is no scenario.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// What is wrong, in words that name the key.
    #[error("{0}")]
    Invalid(String),
    /// A name that is none of the known ones.
    #[error("unknown {what} `{name}`{suggestion}")]
    Unknown {
        /// What kind of name.
        what: &'static str,
        /// The name given.
        name: String,
        /// `; did you mean ..?` or the whole list.
        suggestion: String,
    },
}

impl ScenarioError {
    pub(crate) fn unknown<'a>(what: &'static str, name: &str, known: impl Iterator<Item = &'a str>) -> Self {
        Self::Unknown { what, name: name.to_owned(), suggestion: suggestion(name, known) }
    }
}

/// The nearest known name within two edits, else all of them.
fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let near = known.iter().map(|k| (strsim::damerau_levenshtein(name, k), *k)).filter(|(edits, _)| *edits <= 2).min();
    match near {
        Some((_, near)) => format!("; did you mean `{near}`?"),
        None => format!("; known are {}", known.join(", ")),
    }
}

/// A TOML error with its place, and for an unknown key the nearest known one.
pub(crate) fn friendly(error: &toml::de::Error) -> String {
    let message = error.message();
    let mut quoted = message.split('`').skip(1).step_by(2);
    match (message.starts_with("unknown field") || message.starts_with("unknown variant"), quoted.next()) {
        (true, Some(name)) => {
            let what = if message.starts_with("unknown field") { "field" } else { "value" };
            format!("unknown {what} `{name}`{}", suggestion(name, quoted))
        }
        _ => message.to_owned(),
    }
}

/// A scenario.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// A few words.
    pub title: String,
    /// What it shows, and why that matters.
    pub doc: String,
    /// What everything is drawn from.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// A named city size; `river-town` when neither this nor `vehicles` is given.
    pub size: Option<String>,
    /// A city of so many vehicles instead of a named size.
    pub vehicles: Option<usize>,
    /// What the city's clocks show at the start, HH:MM or HH:MM:SS; may pass 24:00 for the night.
    #[serde(default = "default_start")]
    pub start: String,
    /// The service day at the start, YYYY-MM-DD. Played from another instant on, the day of that instant is taken.
    #[serde(default = "default_date")]
    pub date: String,
    /// Seconds that it lasts.
    pub duration_s: f64,
    /// Milliseconds between two reports of a vehicle.
    #[serde(default = "default_interval_ms")]
    pub interval_ms: u32,
    /// Share of the street lines that report in HFP, 0 to 1.
    #[serde(default = "default_hfp_share")]
    pub hfp_share: f64,
    /// What goes wrong.
    #[serde(default)]
    pub faults: Vec<FaultEntry>,
    /// What people do.
    #[serde(default)]
    pub actions: Vec<Action>,
    /// What the service must answer.
    #[serde(default)]
    pub expectations: Vec<Expectation>,
}

/// The city lies in Seoul, nine hours ahead of Greenwich all year.
const EAST_OF_GREENWICH_MS: i64 = 9 * 3_600_000;

fn default_seed() -> u64 {
    1
}
fn default_start() -> String {
    "08:00".to_owned()
}
fn default_date() -> String {
    "2026-11-24".to_owned()
}
fn default_interval_ms() -> u32 {
    1000
}
fn default_hfp_share() -> f64 {
    0.2
}

macro_rules! scenarios {
    ($($name:literal,)*) => {
        /// The scenarios of the repository: name and text.
        pub const SCENARIOS: &[(&str, &str)] = &[$(($name, include_str!(concat!("../scenarios/", $name, ".toml"))),)*];
    };
}

scenarios! {
    "alarm_storm",
    "blocked_road",
    "buffer_flush",
    "calm_day",
    "closed_underpass",
    "crash",
    "demo",
    "depot_evening",
    "drill",
    "evacuation",
    "feed_outage",
    "flapping_sensor",
    "gateway_outage",
    "hostile_feed",
    "mirrored_feeds",
    "panic_button",
    "planned_rally",
    "rough_radio",
    "spreading_flood",
    "weather_warning",
}

impl Scenario {
    /// Reads and checks a scenario.
    ///
    /// # Errors
    /// The first thing that is wrong, naming the key and, for an unknown one, the nearest known.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(0, |span| text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1);
            ScenarioError::Invalid(format!("line {line}: {}", friendly(&error)))
        })?;
        scenario.check()?;
        Ok(scenario)
    }

    /// The scenario of the repository with that name.
    ///
    /// # Errors
    /// No such scenario; the nearest name is suggested.
    pub fn named(name: &str) -> Result<Self, ScenarioError> {
        match SCENARIOS.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Self::parse(text),
            None => Err(ScenarioError::unknown("scenario", name, SCENARIOS.iter().map(|(known, _)| *known))),
        }
    }

    /// Every scenario of the repository with its name.
    pub fn all() -> Vec<(&'static str, Self)> {
        let parse = |text| Self::parse(text).expect("a test parses every scenario that is built in");
        SCENARIOS.iter().map(|(name, text)| (*name, parse(text))).collect()
    }

    /// An ordinary day without script and expectations, for load or just to look at.
    pub fn plain(duration_s: f64) -> Self {
        Self {
            title: "Free run".to_owned(),
            doc: "An ordinary day, as long as you like.".to_owned(),
            seed: default_seed(),
            size: None,
            vehicles: None,
            start: default_start(),
            date: default_date(),
            duration_s,
            interval_ms: default_interval_ms(),
            hfp_share: default_hfp_share(),
            faults: Vec::new(),
            actions: Vec::new(),
            expectations: Vec::new(),
        }
    }

    /// Checks what a caller may have changed since it was read.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), ScenarioError> {
        let invalid = |text: String| Err(ScenarioError::Invalid(text));
        self.city_size()?;
        self.start_of_day()?;
        self.service_date()?;
        if self.size.is_some() && self.vehicles.is_some() {
            return invalid("give size or vehicles, not both".to_owned());
        }
        if !(self.duration_s > 0.0 && self.duration_s <= 172_800.0) {
            return invalid("duration_s is not within 0 to 172800 (two days)".to_owned());
        }
        if !(100..=3_600_000).contains(&self.interval_ms) {
            return invalid("interval_ms is not within 100 to 3600000".to_owned());
        }
        if !(0.0..=1.0).contains(&self.hfp_share) {
            return invalid("hfp_share is not within 0 to 1".to_owned());
        }
        let late = self.actions.iter().map(|action| action.at_s).chain(self.expectations.iter().map(|e| e.at_s));
        if let Some(at) = late.into_iter().find(|at| !(0.0..=self.duration_s).contains(at)) {
            return invalid(format!("at_s = {at} is not within the scenario's {} s", self.duration_s));
        }
        self.faults.iter().try_for_each(FaultEntry::check)
    }

    /// The city's makings.
    ///
    /// # Errors
    /// An unknown size; the nearest is suggested.
    pub fn city_size(&self) -> Result<CitySize, ScenarioError> {
        match (self.vehicles, self.size.as_deref()) {
            (Some(vehicles), _) => Ok(CitySize::of_vehicles(vehicles)),
            (None, Some(name)) => match CitySize::find(name) {
                Some(size) => Ok(size),
                None => Err(ScenarioError::unknown("size", name, SIZES.iter().map(|def| def.name))),
            },
            (None, None) => Ok(SIZES[0].size),
        }
    }

    /// The city it plays in.
    ///
    /// # Errors
    /// As [`Self::city_size`].
    pub fn city(&self) -> Result<City, ScenarioError> {
        Ok(City::generate(self.seed, self.city_size()?))
    }

    fn start_of_day(&self) -> Result<ServiceTime, ScenarioError> {
        ServiceTime::parse(&self.start).map_err(|error| ScenarioError::Invalid(format!("start {error}")))
    }

    fn service_date(&self) -> Result<ServiceDate, ScenarioError> {
        ServiceDate::parse(&self.date).map_err(|error| ScenarioError::Invalid(format!("date {error}")))
    }

    /// How it is simulated from the instant `start` on: the city's clocks then show what the scenario says, whatever
    /// the instant. With no instant given it is the scenario's own date and time at UTC+09:00, always the same.
    ///
    /// # Errors
    /// `start` or `date` cannot be read.
    pub fn options(&self, start: Option<UtcMillis>) -> Result<SimulationOptions, ScenarioError> {
        let (date, clock) = (self.service_date()?, self.start_of_day()?);
        let own = || {
            let days = date.0.since(jiff::civil::date(1970, 1, 1)).map_or(0, |span| i64::from(span.get_days()));
            UtcMillis((days * 86_400 + i64::from(clock.0)) * 1000 - EAST_OF_GREENWICH_MS)
        };
        // Noon of the day that the city's clocks show, wherever the instant lies in it.
        let day_of = |start: UtcMillis| {
            let noon = start.plus_millis((12 * 3600 - i64::from(clock.0)) * 1000 + EAST_OF_GREENWICH_MS);
            ServiceDate(jiff::tz::Offset::UTC.to_datetime(noon.timestamp()).date())
        };
        Ok(SimulationOptions {
            seed: self.seed,
            start: start.unwrap_or_else(own),
            service_date: start.map_or(date, day_of),
            clock,
            interval_ms: self.interval_ms,
            hfp_share: self.hfp_share,
            faults: self.faults.clone(),
            script: self.actions.clone(),
            ..SimulationOptions::default()
        })
    }
}

/// JSON schema of scenario files, with each fault's own options.
pub fn scenario_schema() -> Schema {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<Scenario>();
    let choices: Vec<_> = FAULTS
        .iter()
        .map(|def| {
            serde_json::json!({
                "description": def.doc,
                "properties": {"code": {"const": def.code}, "options": def.schema()},
            })
        })
        .collect();
    if let Some(fault) = schema.pointer_mut("/properties/faults/items").and_then(|items| items.as_object_mut()) {
        fault.insert("oneOf".to_owned(), choices.into());
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_of_the_repository_parses_and_grows_its_city() {
        let mut titles = std::collections::BTreeSet::new();
        for (name, text) in SCENARIOS {
            let scenario = Scenario::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(titles.insert(scenario.title.clone()), "{name}: title is taken");
            assert!(scenario.doc.len() > 40, "{name}: says too little");
            assert!(!scenario.expectations.is_empty(), "{name}: expects nothing");
            assert!(scenario.city_size().unwrap().vehicles() > 0);
        }
    }

    #[test]
    fn every_file_in_the_folder_is_built_in() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap().replace(".toml", ""))
            .collect();
        files.sort();
        assert_eq!(files, SCENARIOS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    }

    fn refused(text: &str) -> String {
        Scenario::parse(&format!("title = 't'\ndoc = 'd'\n{text}")).unwrap_err().to_string()
    }

    #[test]
    fn unknown_keys_are_refused_with_a_suggestion() {
        assert_eq!(refused("duration = 5"), "line 3: unknown field `duration`; did you mean `duration_s`?");
        assert_eq!(
            refused("duration_s = 5\nsize = 'river-twon'"),
            "unknown size `river-twon`; did you mean `river-town`?"
        );
        assert_eq!(
            Scenario::named("clam_day").unwrap_err().to_string(),
            "unknown scenario `clam_day`; did you mean `calm_day`?"
        );
    }

    #[test]
    fn contradictions_are_refused() {
        assert!(refused("duration_s = 0").contains("duration_s"));
        assert!(refused("duration_s = 5\nstart = 'noon'").contains("start is no time of service"));
        assert!(refused("duration_s = 5\nsize = 'capital'\nvehicles = 3").contains("not both"));
        let action = refused("duration_s = 5\n[[actions]]\nat_s = 9\nswitch_off = {}");
        assert!(action.contains("at_s = 9"), "{action}");
        let empty = refused("duration_s = 5\n[[actions]]\nat_s = 1");
        assert!(empty.contains("does nothing"), "{empty}");
    }

    #[test]
    fn played_from_now_on_the_city_has_today_s_date() {
        let calm = Scenario::named("calm_day").unwrap();
        let own = calm.options(None).unwrap();
        assert_eq!(own.start.to_string(), "2026-11-23T23:00:00.000Z");
        assert_eq!(calm.options(Some(own.start)).unwrap().service_date, own.service_date);
        let later = calm.options(Some(own.start.plus_millis(86_400_000))).unwrap();
        assert_eq!(later.service_date.to_string(), "2026-11-25");
    }

    #[test]
    fn the_schema_lists_every_fault_with_its_options() {
        let schema = scenario_schema();
        let choices = schema.pointer("/properties/faults/items/oneOf").and_then(|c| c.as_array()).unwrap();
        assert_eq!(choices.len(), FAULTS.len());
        assert!(schema.pointer("/properties/actions/items/properties/alarm").is_some());
    }
}
