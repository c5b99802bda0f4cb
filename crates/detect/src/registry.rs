//! What a rule is, and what the list says of each.

use alert::{AlertClass, Subject};
use serde::{Deserialize, Serialize};
use transit::{Mode, RouteId, words};

use crate::{
    judgement::Judgements,
    options::{OptionsError, check_figure},
    survey::Survey,
};

/// A rule: says what holds at one instant. Stateless: the same survey gives the same judgements.
pub trait Rule: Send + Sync {
    /// Judges every subject it can.
    fn examine(&self, survey: &Survey<'_>, out: &mut Judgements<'_>);

    /// It is about ourselves, and has its say even while the picture is not being published.
    fn judges_a_still_picture(&self) -> bool {
        false
    }
}

/// One entry of the list of rules.
pub struct RuleDef {
    /// Its code, as in alerts and in the configuration.
    pub code: &'static str,
    /// What its condition endangers.
    pub class: AlertClass,
    /// What raises it and what clears it, for operators.
    pub doc: &'static str,
    /// How it is told, where the configuration does not say.
    pub habits: Habits,
    /// Its own keys, each with what it means.
    pub keys: &'static [(&'static str, &'static str)],
    /// The defaults of its own keys.
    pub defaults: fn() -> toml::Table,
    /// Makes it from its own keys.
    pub build: fn(toml::Table) -> Result<Box<dyn Rule>, OptionsError>,
    /// Conditions that explain the one of a subject while they are open.
    pub parents: fn(&Survey<'_>, &Subject) -> Vec<(String, Subject)>,
}

impl std::fmt::Debug for RuleDef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code)
    }
}

words! {
    /// How a condition is told.
    Annunciate as "annunciate" {
        /// It needs an owner: sounds, is acknowledged, counts as load.
        Alert = "alert",
        /// It is out of order and listed, no more.
        Exception = "exception",
    }
}

/// What all rules have: how a condition is told, and the delays before it begins and ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Habits {
    /// Judged at all.
    pub enabled: bool,
    /// Alert or exception.
    pub annunciate: Annunciate,
    /// Seconds for which it has to hold before it is told.
    pub on_delay_s: f64,
    /// Messages that have to show it, where it is judged by messages of a vehicle.
    pub on_fixes: u32,
    /// Seconds for which it has to be away before it is over.
    pub off_delay_s: f64,
    /// Messages that have to show that it is away.
    pub off_fixes: u32,
    /// Modes of vehicles for which an exception is an alert.
    pub promote_modes: Vec<Mode>,
    /// Routes for whose vehicles an exception is an alert.
    pub promote_routes: Vec<RouteId>,
}

/// What each of the common keys means.
pub(crate) const HABIT_KEYS: &[(&str, &str)] = &[
    ("enabled", "Judged at all."),
    ("annunciate", "\"alert\" (sounds, needs an owner) or \"exception\" (listed, no more)."),
    ("on_delay_s", "Seconds for which it has to hold before it is told."),
    ("on_fixes", "Messages that have to show it, where it is judged by a vehicle's messages."),
    ("off_delay_s", "Seconds for which it has to be away before it is over."),
    ("off_fixes", "Messages that have to show that it is away."),
    ("promote_modes", "Modes of vehicles for which an exception is an alert, e.g. [\"metro\"]."),
    ("promote_routes", "Routes for whose vehicles an exception is an alert."),
];

impl Habits {
    /// Told at once, over at once.
    pub(crate) const fn of(annunciate: Annunciate) -> Self {
        Self {
            enabled: true,
            annunciate,
            on_delay_s: 0.0,
            on_fixes: 1,
            off_delay_s: 0.0,
            off_fixes: 1,
            promote_modes: Vec::new(),
            promote_routes: Vec::new(),
        }
    }

    /// With a delay and a number of messages before it is told.
    pub(crate) const fn on(mut self, delay_s: f64, fixes: u32) -> Self {
        self.on_delay_s = delay_s;
        self.on_fixes = fixes;
        self
    }

    /// With a delay and a number of messages before it is over.
    pub(crate) const fn off(mut self, delay_s: f64, fixes: u32) -> Self {
        self.off_delay_s = delay_s;
        self.off_fixes = fixes;
        self
    }

    pub(crate) fn check(&self) -> Result<(), OptionsError> {
        check_figure("on_delay_s", self.on_delay_s)?;
        check_figure("off_delay_s", self.off_delay_s)
    }

    pub(crate) fn on_delay_ms(&self) -> u64 {
        (self.on_delay_s * 1000.0) as u64
    }

    pub(crate) fn off_delay_ms(&self) -> u64 {
        (self.off_delay_s * 1000.0) as u64
    }
}
