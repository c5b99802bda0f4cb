//! One minute of a small city, with and without a fault: what the faults' tests compare.

use serde_json::Value;
use transit::UtcMillis;

use super::FaultEntry;
use crate::{City, CitySize, Outgoing, Simulation, SimulationOptions};

/// When the minute begins.
pub(crate) const START: UtcMillis = UtcMillis(1_795_474_800_000);

pub(crate) fn city() -> City {
    City::generate(11, CitySize::of_vehicles(80))
}

fn minute(faults: Vec<FaultEntry>) -> Vec<Outgoing> {
    let options = SimulationOptions { start: START, faults, ..SimulationOptions::default() };
    let mut simulation = Simulation::new(city(), options).expect("the test's own options are good");
    simulation.advance(START.plus_millis(60_000))
}

/// The minute as it should be.
pub(crate) fn clean() -> Vec<Outgoing> {
    minute(Vec::new())
}

/// The minute with a fault that strikes everybody all the time.
pub(crate) fn with(code: &str, options: &str) -> Vec<Outgoing> {
    with_entry(&format!("code = '{code}'\n[options]\n{options}"))
}

/// The minute with a fault as a scenario writes it.
pub(crate) fn with_entry(toml: &str) -> Vec<Outgoing> {
    minute(vec![toml::from_str(toml).expect("the test's own entry is good")])
}

/// A message's own stamp.
pub(crate) fn stamp(message: &Outgoing) -> UtcMillis {
    let body: Value = serde_json::from_slice(&message.payload).expect("the message is whole");
    let text = match body["event_time"].as_str() {
        Some(text) => text,
        // HFP: one key, whose value holds the stamp.
        None => body.as_object().and_then(|o| o.values().next()?.get("tst")?.as_str()).expect("HFP carries tst"),
    };
    UtcMillis::parse_rfc3339(text).expect("stamps are RFC 3339")
}

/// The body of a native position.
pub(crate) fn native(message: &Outgoing) -> Option<Value> {
    message.topic.ends_with("/position").then(|| serde_json::from_slice(&message.payload).expect("it is JSON"))
}
