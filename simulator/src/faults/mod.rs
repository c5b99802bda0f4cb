//! What goes wrong between a vehicle and its control room: one file a fault, one entry each in [`FAULTS`].
//!
//! A fault sees what a vehicle says before it is written down ([`Fault::distort`]) and the written message on its
//! way ([`Fault::relay`]). It knows no message format beyond "bytes on a topic", no clock and no broker.

mod buffer_flush;
mod clock_skew;
mod delay;
mod depot_outage;
mod drop;
mod duplicate;
mod feed_outage;
mod frozen_position;
mod malformed;
mod null_island;
mod off_route;
mod oversized;
mod reconnect_storm;
mod reorder;
mod retained_leftovers;
mod silent_vehicle;
mod teleport;
#[cfg(test)]
mod trial;

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde::{Deserialize, de::DeserializeOwned};
use transit::{Fix, Observation};

use crate::{
    city::City,
    dice::{Dice, Purpose},
    scenario::{ScenarioError, friendly},
    simulation::Outgoing,
};

/// A fault that can be asked for by name.
pub struct FaultDef {
    /// Its name in a scenario.
    pub code: &'static str,
    /// What goes wrong.
    pub doc: &'static str,
    build: fn(toml::Table) -> Result<Box<dyn Fault>, toml::de::Error>,
    schema: fn(&mut SchemaGenerator) -> Schema,
}

impl FaultDef {
    /// JSON schema of the fault's options.
    pub fn schema(&self) -> Schema {
        (self.schema)(&mut SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true).into_generator())
    }
}

const fn def<F: Fault + DeserializeOwned + JsonSchema + 'static>(code: &'static str, doc: &'static str) -> FaultDef {
    FaultDef { code, doc, build: |options| Ok(Box::new(options.try_into::<F>()?)), schema: F::json_schema }
}

/// Every fault.
pub const FAULTS: &[FaultDef] = &[
    def::<buffer_flush::BufferFlush>("buffer_flush", "a radio gap: messages are kept and all sent at its end"),
    def::<clock_skew::ClockSkew>("clock_skew", "the device's clock is wrong"),
    def::<delay::Delay>("delay", "messages arrive late, so that some overtake others"),
    def::<depot_outage::DepotOutage>("depot_outage", "one depot's gateway is down: none of its vehicles is heard"),
    def::<drop::Drop>("drop", "messages are lost on the way"),
    def::<duplicate::Duplicate>("duplicate", "messages arrive more than once, as from mirrored brokers"),
    def::<feed_outage::FeedOutage>("feed_outage", "the publisher is cut off: nobody is heard until it is back"),
    def::<frozen_position::FrozenPosition>("frozen_position", "the position stands still while the vehicle drives on"),
    def::<malformed::Malformed>("malformed", "messages arrive broken"),
    def::<null_island::NullIsland>("null_island", "the receiver reports 0, 0"),
    def::<off_route::OffRoute>("off_route", "the vehicle drives on another road than its line's"),
    def::<oversized::Oversized>("oversized", "messages arrive far too long"),
    def::<reconnect_storm::ReconnectStorm>("reconnect_storm", "many clients connect and leave at once"),
    def::<reorder::Reorder>("reorder", "a message arrives after its successor"),
    def::<retained_leftovers::RetainedLeftovers>("retained_leftovers", "positions are left in the broker's store"),
    def::<silent_vehicle::SilentVehicle>("silent_vehicle", "vehicles fall silent without signing off"),
    def::<teleport::Teleport>("teleport", "single fixes lie far away"),
];

/// What the publisher's connections do at an instant, beside sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// All connections end.
    Disconnect,
    /// They are made again.
    Reconnect,
    /// That many further clients connect, and leave at once.
    Storm {
        /// How many.
        clients: u32,
    },
}

/// One fault at work. It is also its own options: what serde reads is what a scenario may set.
pub(crate) trait Fault: Send {
    /// Changes what the vehicle's device believes before it writes it down.
    fn distort(&mut self, _vehicle: usize, _said: &mut Observation, _dice: &mut Dice) {}

    /// Passes a message on: unchanged, changed, later, more than once or not at all.
    fn relay(&mut self, parcel: Parcel, _window: Window, _dice: &mut Dice, onward: &mut Vec<Parcel>) {
        onward.push(parcel);
    }

    /// What happens to the connections, and when.
    fn controls(&self, _window: Window) -> Vec<(i64, Control)> {
        Vec::new()
    }
}

/// A message on its way, and who sent it.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) vehicle: Option<usize>,
    pub(crate) is_position: bool,
    pub(crate) outgoing: Outgoing,
}

/// Puts a fix elsewhere and leaves the rest of it as it is.
fn put_at(fix: &mut Fix, lat: f64, lon: f64) {
    let Fix { coordinate, flaw, .. } = Fix::at(lat, lon);
    (fix.coordinate, fix.flaw) = (coordinate, flaw);
}

/// When a fault is at work, in milliseconds UTC: from, and before until.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) from: i64,
    pub(crate) until: i64,
}

/// A fault as a scenario asks for it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultEntry {
    /// Which fault.
    pub code: String,
    /// Seconds from the start of the scenario at which it begins.
    #[serde(default)]
    pub from_s: f64,
    /// Seconds from the start at which it ends; the end of the scenario when absent.
    pub until_s: Option<f64>,
    /// Whom it strikes.
    #[serde(default)]
    pub select: Selection,
    /// The fault's own options.
    #[serde(default)]
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub options: toml::Table,
}

/// Whom a fault strikes: vehicles that meet every condition given, all of them when none is.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// This share of the vehicles, 0 to 1; the same ones for a seed.
    pub fraction: Option<f64>,
    /// These, as `agency/vehicle`.
    pub vehicles: Vec<String>,
    /// Those of this depot, `D1` and up.
    pub depot: Option<String>,
    /// Those of this line.
    pub line: Option<String>,
    /// Alarms and incidents too, not only positions.
    pub alarms: bool,
}

/// A fault with its window and its victims.
pub(crate) struct Active {
    fault: Box<dyn Fault>,
    window: Window,
    struck: Vec<bool>,
    alarms: bool,
    dice: Dice,
}

impl FaultEntry {
    /// Checks the entry without a city.
    ///
    /// # Errors
    /// An unknown code, a window that ends before it begins, a fraction outside 0..=1, or bad options.
    pub(crate) fn check(&self) -> Result<(), ScenarioError> {
        let problem = |text: String| ScenarioError::Invalid(format!("fault `{}`: {text}", self.code));
        if self.until_s.is_some_and(|until| until <= self.from_s) {
            return Err(problem("until_s is not after from_s".to_owned()));
        }
        if self.select.fraction.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            return Err(problem("select.fraction is not within 0 to 1".to_owned()));
        }
        self.build().map(drop)
    }

    fn build(&self) -> Result<Box<dyn Fault>, ScenarioError> {
        let Some(def) = FAULTS.iter().find(|def| def.code == self.code) else {
            let known = FAULTS.iter().map(|def| def.code);
            return Err(ScenarioError::unknown("fault", &self.code, known));
        };
        (def.build)(self.options.clone())
            .map_err(|error| ScenarioError::Invalid(format!("fault `{}`: options: {}", self.code, friendly(&error))))
    }

    /// Puts the fault to work in a city from `start` on; `number` is its place in the list of faults.
    pub(crate) fn activate(&self, city: &City, seed: u64, number: u64, start: i64) -> Result<Active, ScenarioError> {
        self.check()?;
        let at = |offset_s: f64| start + (offset_s * 1000.0) as i64;
        let window = Window { from: at(self.from_s), until: self.until_s.map_or(i64::MAX, at) };
        let struck = (0..city.vehicles.len()).map(|index| self.strikes(city, seed, number, index)).collect();
        let dice = Dice::new(seed, Purpose::Fault, number, 0);
        Ok(Active { fault: self.build()?, window, struck, alarms: self.select.alarms, dice })
    }

    fn strikes(&self, city: &City, seed: u64, number: u64, index: usize) -> bool {
        let roster = &city.vehicles[index];
        let line = &city.lines[roster.line];
        let select = &self.select;
        let named = |name: &String| name.split_once('/') == Some((&roster.agency, &roster.vehicle));
        let drawn = |share| Dice::new(seed, Purpose::FaultChoice, number, index as u64).chance(share);
        (select.vehicles.is_empty() || select.vehicles.iter().any(named))
            && select.depot.as_ref().is_none_or(|depot| city.depots[line.depot].id == *depot)
            && select.line.as_ref().is_none_or(|id| line.id == *id)
            && select.fraction.is_none_or(drawn)
    }
}

impl Active {
    fn works_at(&self, at: i64) -> bool {
        (self.window.from..self.window.until).contains(&at)
    }

    fn strikes(&self, vehicle: Option<usize>) -> bool {
        vehicle.is_none_or(|index| self.struck[index])
    }

    pub(crate) fn distort(&mut self, vehicle: usize, at: i64, said: &mut Observation) {
        if self.works_at(at) && self.struck[vehicle] {
            self.fault.distort(vehicle, said, &mut self.dice);
        }
    }

    pub(crate) fn relay(&mut self, parcel: Parcel, onward: &mut Vec<Parcel>) {
        let concerns = parcel.is_position || self.alarms;
        if concerns && self.works_at(parcel.outgoing.at.0) && self.strikes(parcel.vehicle) {
            self.fault.relay(parcel, self.window, &mut self.dice, onward);
        } else {
            onward.push(parcel);
        }
    }

    pub(crate) fn controls(&self) -> Vec<(i64, Control)> {
        self.fault.controls(self.window)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::scenario::Scenario;

    #[test]
    fn codes_are_unique_and_sorted_and_every_fault_is_documented() {
        let codes: Vec<_> = FAULTS.iter().map(|def| def.code).collect();
        let sorted: BTreeSet<_> = codes.iter().copied().collect();
        assert_eq!(codes, sorted.into_iter().collect::<Vec<_>>());
        for def in FAULTS {
            assert!(def.doc.len() > 20, "{}", def.code);
            assert!((def.build)(toml::Table::new()).is_ok(), "{}: defaults do not parse", def.code);
            assert_eq!(def.schema().get("type").and_then(|t| t.as_str()), Some("object"), "{}", def.code);
        }
    }

    #[test]
    fn every_fault_has_a_scenario() {
        let used: BTreeSet<String> =
            Scenario::all().into_iter().flat_map(|(_, s)| s.faults.into_iter().map(|fault| fault.code)).collect();
        for def in FAULTS {
            assert!(used.contains(def.code), "no scenario uses {}", def.code);
        }
    }

    #[test]
    fn bad_entries_say_what_is_wrong() {
        let check = |text: &str| {
            let entry: FaultEntry = toml::from_str(text).unwrap();
            entry.check().unwrap_err().to_string()
        };
        assert_eq!(check("code = 'drip'"), "unknown fault `drip`; did you mean `drop`?");
        assert_eq!(
            check("code = 'drop'\noptions = { probabilty = 1 }"),
            "fault `drop`: options: unknown field `probabilty`; did you mean `probability`?"
        );
        assert!(check("code = 'drop'\nfrom_s = 9\nuntil_s = 3").contains("until_s"));
        assert!(check("code = 'drop'\nselect = { fraction = 3 }").contains("fraction"));
    }
}
