//! `topis-sim city` and `topis-sim list`: what there is to play. Knows no broker.

use clap::{Args, ValueEnum};
use serde_json::json;
use simulator::{City, CitySize, DEFAULT_CENTRE, FAULTS, SIZES, Scenario, ScenarioError, scenario_schema};

use super::{Failure, output::Lines};

/// How a city is chosen, wherever one is needed.
#[derive(Debug, Clone, Args)]
pub(crate) struct SizeArgs {
    /// A named size, see `topis-sim list`.
    #[arg(long, conflicts_with = "vehicles")]
    pub(crate) size: Option<String>,
    /// A city of so many vehicles.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    pub(crate) vehicles: Option<u32>,
    /// What everything is drawn from.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
}

impl SizeArgs {
    /// Puts what was typed over what the scenario says.
    pub(crate) fn put_over(&self, scenario: &mut Scenario) -> Result<(), ScenarioError> {
        if self.size.is_some() || self.vehicles.is_some() {
            scenario.size.clone_from(&self.size);
            scenario.vehicles = self.vehicles.map(|n| n as usize);
        }
        scenario.seed = self.seed.unwrap_or(scenario.seed);
        scenario.check()
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  topis-sim city --size river-town
  topis-sim city --vehicles 500 --seed 7 --format geojson")]
pub(crate) struct CityArgs {
    #[command(flatten)]
    size: SizeArgs,
    /// Latitude of its centre.
    #[arg(long, default_value_t = DEFAULT_CENTRE.0, allow_negative_numbers = true)]
    lat: f64,
    /// Longitude of its centre.
    #[arg(long, default_value_t = DEFAULT_CENTRE.1, allow_negative_numbers = true)]
    lon: f64,
    /// How it is written.
    #[arg(long, value_enum, default_value_t = CityFormat::Json)]
    format: CityFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum CityFormat {
    /// Lines with timetables, stops, depots, vehicles.
    Json,
    /// Lines, stops, depots and the river, for a map.
    Geojson,
}

pub(crate) fn city(args: &CityArgs) -> Result<(), Failure> {
    let mut scenario = Scenario::plain(1.0);
    args.size.put_over(&mut scenario)?;
    let size: CitySize = scenario.city_size()?;
    let city = City::generate_at(scenario.seed, size, args.lat, args.lon);
    let mut lines = Lines::new();
    lines.put(&match args.format {
        CityFormat::Json => city.describe(),
        CityFormat::Geojson => city.geojson(),
    })?;
    lines.finish()
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  topis-sim list
  topis-sim list --schema")]
pub(crate) struct ListArgs {
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// The JSON schema of scenario files instead.
    #[arg(long, conflicts_with = "json")]
    schema: bool,
}

pub(crate) fn list(args: &ListArgs) -> Result<(), Failure> {
    let mut lines = Lines::new();
    if args.schema {
        lines.put(scenario_schema().as_value())?;
        return lines.finish();
    }
    let scenarios = Scenario::all();
    let entries = scenarios.iter().map(|(name, scenario)| ("scenario", *name, scenario.doc.as_str()));
    let entries = entries.chain(FAULTS.iter().map(|def| ("fault", def.code, def.doc)));
    let entries = entries.chain(SIZES.iter().map(|def| ("size", def.name, def.doc)));
    let mut last_kind = "";
    for (kind, name, doc) in entries {
        if args.json {
            lines.put(&json!({"kind": kind, "name": name, "doc": doc}))?;
            continue;
        }
        if kind != last_kind {
            let gap = if last_kind.is_empty() { "" } else { "\n" };
            lines.text(&format!("{gap}{kind}s"))?;
            last_kind = kind;
        }
        lines.text(&format!("  {name:<20}{doc}"))?;
    }
    lines.finish()
}
