//! VEH.SILENT: a vehicle in service is not heard while its feed is.

use alert::{AlertClass, Priority};
use picture::Freshness;
use serde::{Deserialize, Serialize};

use crate::{
    judgement::{Judgements, Proof, figures, seconds},
    options::{OptionsError, check_figure, read, table_of},
    parents,
    registry::{Annunciate, Habits, Rule, RuleDef},
    survey::{Sighting, Survey},
};

pub(crate) const DEF: RuleDef = RuleDef {
    code: "VEH.SILENT",
    class: AlertClass::Service,
    doc: "A vehicle in service was not heard for max(`silent_s`, 4 reporting intervals), P3; P2 from max(360 s, 10 \
          intervals). Only while others of its feed are heard: of a feed that is down, silent, frozen or just back \
          nobody can say which vehicle is silent. A vehicle last seen in a depot is parked. Over after 2 fresh messages.",
    habits: Habits::of(Annunciate::Exception).off(0.0, 2),
    keys: &[("silent_s", "Least silence, in seconds.")],
    defaults: table_of::<Options>,
    build,
    parents: parents::of_vehicle,
};

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    silent_s: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { silent_s: 150.0 }
    }
}

/// Reporting intervals that a silence has at least.
const INTERVALS: u64 = 4;

struct VehicleSilent {
    silent_ms: u64,
}

fn build(table: toml::Table) -> Result<Box<dyn Rule>, OptionsError> {
    let options: Options = read(table)?;
    check_figure("silent_s", options.silent_s)?;
    Ok(Box::new(VehicleSilent { silent_ms: (options.silent_s * 1000.0) as u64 }))
}

impl Rule for VehicleSilent {
    fn examine(&self, survey: &Survey<'_>, out: &mut Judgements<'_>) {
        for sighting in &survey.sightings {
            if sighting.fresh {
                if !out.is_idle() {
                    out.clear(sighting.subject(), sighting.message());
                }
            } else if let Some((silent_ms, limit_ms)) = self.find_silence(survey, sighting) {
                let lost = sighting.vehicle.freshness == Freshness::Lost;
                let priority = if lost { Priority::P2 } else { Priority::P3 };
                out.raise(sighting.subject(), Proof::Watched, priority, || {
                    figures([
                        ("silent_s", seconds(silent_ms)),
                        ("limit_s", seconds(limit_ms)),
                        ("last_heard_at", sighting.vehicle.received_at.to_string()),
                    ])
                });
            }
        }
    }
}

impl VehicleSilent {
    /// How long a vehicle has been silent and how long it may be, when that is too long and can be told.
    fn find_silence(&self, survey: &Survey<'_>, sighting: &Sighting<'_>) -> Option<(u64, u64)> {
        let vehicle = sighting.vehicle;
        // Freshness runs on the monotonic clock: a step of the wall clock makes nobody silent.
        if !sighting.in_service || vehicle.freshness < Freshness::Stale {
            return None;
        }
        let feed = survey.find_feed(sighting)?;
        let limit_ms = self.silent_ms.max(feed.interval_ms_of(vehicle.mode).saturating_mul(INTERVALS));
        let silent_ms = u64::try_from(vehicle.age_ms(survey.now().utc)).unwrap_or(0);
        let long = silent_ms > limit_ms || vehicle.freshness == Freshness::Lost;
        let tellable = survey.is_sound_for(feed, limit_ms) && feed.spoke_after(vehicle, limit_ms);
        let excused = || survey.is_missing_with_others(vehicle) || survey.is_in_depot(vehicle);
        (long && tellable && !excused()).then_some((silent_ms, limit_ms))
    }
}
