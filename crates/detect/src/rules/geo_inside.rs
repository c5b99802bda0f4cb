//! GEO.INSIDE: a vehicle is in an armed area.

use std::collections::BTreeMap;

use alert::{AlertClass, Evidence, Priority};
use impact::{AreaPurpose, Within};
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
    code: "GEO.INSIDE",
    class: AlertClass::Safety,
    doc: "A vehicle that is heard is in an armed area, as exactly as it knows its place: P1 at once where everybody \
          has to get out (fire, earthquake, poison), else P2 after 2 positions. Over after 2 positions more than \
          `clear_m` outside every armed area, or when none is armed any more. Parked vehicles are not told. Do: call \
          the driver; bring the vehicle out.",
    habits: Habits::of(Annunciate::Alert).on(0.0, 2).off(0.0, 2),
    keys: &[("clear_m", "Metres outside the area from which on it is out.")],
    defaults: table_of::<Options>,
    build,
    parents: parents::none,
};

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    clear_m: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { clear_m: 30.0 }
    }
}

struct GeoInside {
    clear_m: f64,
}

fn build(table: toml::Table) -> Result<Box<dyn Rule>, OptionsError> {
    let options: Options = read(table)?;
    check_figure("clear_m", options.clear_m)?;
    Ok(Box::new(GeoInside { clear_m: options.clear_m }))
}

impl Rule for GeoInside {
    fn examine(&self, survey: &Survey<'_>, out: &mut Judgements<'_>) {
        let reaches = survey.reaches(out.status());
        // A vehicle in several areas is one alert, of the worst of them.
        let mut inside: BTreeMap<&VehicleKey, Vec<(&AreaReach<'_>, &Within)>> = BTreeMap::new();
        for area in reaches {
            for within in area.reach.inside.iter().filter(|w| w.parked.is_none()) {
                inside.entry(&within.vehicle.key).or_default().push((area, within));
            }
        }
        for (key, areas) in &inside {
            let Some(sighting) = survey.find_sighting(key).filter(|s| s.fresh) else { continue };
            let get_out = areas.iter().any(|(area, _)| area.armed.purpose == AreaPurpose::Evacuation);
            let Some(fix) = sighting.fix() else { continue };
            let (proof, priority) = if get_out { (Proof::Watched, Priority::P1) } else { (fix, Priority::P2) };
            out.raise(sighting.subject(), proof, priority, || evidence_of(areas));
        }
        self.clear_those_outside(survey, &inside, out);
    }
}

impl GeoInside {
    fn clear_those_outside(
        &self,
        survey: &Survey<'_>,
        inside: &BTreeMap<&VehicleKey, Vec<(&AreaReach<'_>, &Within)>>,
        out: &mut Judgements<'_>,
    ) {
        for subject in out.standing() {
            let Some(key) = subject.vehicle().filter(|key| !inside.contains_key(key)) else { continue };
            if survey.reaches(out.status()).is_empty() {
                out.clear(subject.clone(), Proof::Watched);
                continue;
            }
            let Some(sighting) = survey.find_sighting(key).filter(|s| s.fresh) else { continue };
            let (Some(fix), Some(c)) = (sighting.fix(), sighting.vehicle.coordinate) else { continue };
            if survey.reaches(out.status()).iter().all(|area| area.armed.area.distance_m(c) > self.clear_m) {
                out.clear(subject.clone(), fix);
            }
        }
    }
}

fn evidence_of(areas: &[(&AreaReach<'_>, &Within)]) -> Evidence {
    let ids: Vec<&str> = areas.iter().map(|(area, _)| area.armed.area.id()).collect();
    let first = areas.first().map(|(_, within)| within);
    let c = first.and_then(|within| within.vehicle.coordinate);
    Evidence {
        lat: c.map(|c| c.lat()),
        lon: c.map(|c| c.lon()),
        ..figures([
            ("areas", ids.join(", ")),
            ("outside_m", first.map_or(String::new(), |within| format!("{:.0}", within.distance_m))),
            ("position_age_s", first.map_or(String::new(), |within| format!("{:.0}", within.position_age_s))),
        ])
    }
}
