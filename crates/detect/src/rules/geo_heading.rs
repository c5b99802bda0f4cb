//! GEO.HEADING: a vehicle will soon be in an armed area if it goes on as it goes.

use std::collections::BTreeMap;

use alert::{AlertClass, Evidence, Priority};
use impact::{Entering, HORIZONS_S};
use serde::{Deserialize, Serialize};
use transit::VehicleKey;

use crate::{
    judgement::{Judgements, Proof, figures},
    options::{OptionsError, check_figure, read, table_of},
    parents,
    registry::{Annunciate, Habits, Rule, RuleDef},
    survey::{AreaReach, Survey},
};

pub(crate) const DEF: RuleDef = RuleDef {
    code: "GEO.HEADING",
    class: AlertClass::Safety,
    doc: "By its course and speed a vehicle meets an armed area within `heading_s`, or within `heading_m`. A course \
          counts wherever it leads: a bus that was told to divert drives where no timetable says. Over after 2 \
          positions whose course does not meet it, or when it is inside, or when no area is armed any more. Do: call \
          the driver; stop or divert before the area.",
    habits: Habits::of(Annunciate::Alert).on(3.0, 1).off(0.0, 2),
    keys: &[
        ("heading_s", "Seconds to the area at its speed, at most 600."),
        ("heading_m", "Metres to the area along its course."),
    ],
    defaults: table_of::<Options>,
    build,
    parents: parents::none,
};

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    heading_s: f64,
    heading_m: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { heading_s: 300.0, heading_m: 1_500.0 }
    }
}

/// Courses are followed no further.
const HORIZON_MAX_S: f64 = HORIZONS_S[HORIZONS_S.len() - 1];

struct GeoHeading {
    options: Options,
}

fn build(table: toml::Table) -> Result<Box<dyn Rule>, OptionsError> {
    let options: Options = read(table)?;
    check_figure("heading_s", options.heading_s)?;
    if options.heading_s > HORIZON_MAX_S {
        return Err(OptionsError::Value(format!(
            "`heading_s` is {}; courses are followed for {HORIZON_MAX_S} s, it has to be that or less",
            options.heading_s
        )));
    }
    check_figure("heading_m", options.heading_m)?;
    Ok(Box::new(GeoHeading { options }))
}

impl Rule for GeoHeading {
    fn examine(&self, survey: &Survey<'_>, out: &mut Judgements<'_>) {
        // Of several areas the one it meets first.
        let mut soonest: BTreeMap<&VehicleKey, (&AreaReach<'_>, &Entering)> = BTreeMap::new();
        for area in survey.reaches(out.status()) {
            for entering in area.reach.entering.iter().filter(|e| self.is_near(e)) {
                let known = soonest.entry(&entering.vehicle.key).or_insert((area, entering));
                if entering.eta_s < known.1.eta_s {
                    *known = (area, entering);
                }
            }
        }
        for (key, (area, entering)) in &soonest {
            let sighting = survey.find_sighting(key).filter(|s| s.fresh && s.fix().is_some());
            let Some(sighting) = sighting else { continue };
            out.raise(sighting.subject(), Proof::Watched, Priority::P2, || evidence_of(area, entering));
        }
        for subject in out.standing() {
            let Some(key) = subject.vehicle().filter(|key| !soonest.contains_key(key)) else { continue };
            if survey.reaches(out.status()).is_empty() {
                out.clear(subject.clone(), Proof::Watched);
            } else if let Some(fix) = survey.find_sighting(key).filter(|s| s.fresh).and_then(|s| s.fix()) {
                out.clear(subject.clone(), fix);
            }
        }
    }
}

impl GeoHeading {
    fn is_near(&self, entering: &Entering) -> bool {
        entering.eta_s <= self.options.heading_s || entering.along_m <= self.options.heading_m
    }
}

fn evidence_of(area: &AreaReach<'_>, entering: &Entering) -> Evidence {
    let c = entering.vehicle.coordinate;
    Evidence {
        lat: c.map(|c| c.lat()),
        lon: c.map(|c| c.lon()),
        ..figures([
            ("area", area.armed.area.id().to_owned()),
            ("eta_s", format!("{:.0}", entering.eta_s)),
            ("along_m", format!("{:.0}", entering.along_m)),
            ("course_deg", format!("{:.0}", entering.course_deg)),
            ("speed_mps", format!("{:.1}", entering.speed_mps)),
            ("position_age_s", format!("{:.0}", entering.position_age_s)),
        ])
    }
}
