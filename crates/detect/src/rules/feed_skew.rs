//! FEED.SKEW: a device's clock is wrong.

use alert::{AlertClass, Priority};
use picture::QualityFlag;
use serde::{Deserialize, Serialize};

use crate::{
    judgement::{Judgements, figures},
    options::{OptionsError, read, table_of},
    parents,
    registry::{Annunciate, Habits, Rule, RuleDef},
    survey::Survey,
};

pub(crate) const DEF: RuleDef = RuleDef {
    code: "FEED.SKEW",
    class: AlertClass::System,
    doc: "A vehicle's clock is ahead or behind, by more than `picture.future_limit_s` (60 s) and \
          `picture.behind_limit_s` (300 s) say, while it is heard. Over after 5 messages in range. Do: have the \
          device set right; ages are shown with its offset taken out.",
    habits: Habits::of(Annunciate::Exception).on(0.0, 2).off(0.0, 5),
    keys: &[],
    defaults: table_of::<Options>,
    build,
    parents: parents::of_vehicle,
};

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {}

struct FeedSkew;

fn build(table: toml::Table) -> Result<Box<dyn Rule>, OptionsError> {
    read::<Options>(table)?;
    Ok(Box::new(FeedSkew))
}

impl Rule for FeedSkew {
    fn examine(&self, survey: &Survey<'_>, out: &mut Judgements<'_>) {
        for sighting in survey.sightings.iter().filter(|s| s.fresh) {
            let vehicle = sighting.vehicle;
            if vehicle.quality.is_skewed() {
                out.raise(sighting.subject(), sighting.message(), Priority::P4, || {
                    let ahead = vehicle.quality.contains(QualityFlag::ClockAhead);
                    let offset_s = vehicle.received_at.since(vehicle.event_time).unsigned_abs() / 1000;
                    figures([(if ahead { "ahead_s" } else { "behind_s" }, offset_s.to_string())])
                });
            } else if !out.is_idle() {
                out.clear(sighting.subject(), sighting.message());
            }
        }
    }
}
