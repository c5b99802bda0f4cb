//! VEH.SPEED: a vehicle is faster than its kind may be.

use std::collections::BTreeMap;

use alert::{AlertClass, Evidence, Priority};
use serde::{Deserialize, Serialize};
use transit::{Mode, Word};

use crate::{
    judgement::{Judgements, figures},
    options::{OptionsError, check_figure, read, table_of},
    parents,
    registry::{Annunciate, Habits, Rule, RuleDef},
    survey::Survey,
};

pub(crate) const DEF: RuleDef = RuleDef {
    code: "VEH.SPEED",
    class: AlertClass::Safety,
    doc: "A vehicle reports more than `limit_mps` of its mode times `factor`, in at least 2 positions over 10 s. Over \
          when it stays below the limit itself for 10 s. Modes without a limit are not judged; nor is a speed beyond \
          `implausible_mps`, which is a broken sensor.",
    habits: Habits::of(Annunciate::Exception).on(10.0, 2).off(10.0, 2),
    keys: &[
        ("factor", "Times the limit, from which on it is too fast."),
        ("implausible_mps", "Metres a second that no vehicle drives."),
        ("limit_mps", "Metres a second by mode."),
    ],
    defaults: table_of::<Options>,
    build,
    parents: parents::of_vehicle,
};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    factor: f64,
    implausible_mps: f64,
    limit_mps: BTreeMap<String, f64>,
}

impl Default for Options {
    fn default() -> Self {
        // 90 km/h for a bus on a city's expressways, 70 for a tram, 100 for a metro, 160 for a suburban train.
        let limits = [
            (Mode::Bus, 25.0),
            (Mode::Trolleybus, 25.0),
            (Mode::Tram, 19.5),
            (Mode::Metro, 28.0),
            (Mode::Rail, 44.5),
            (Mode::Monorail, 28.0),
        ];
        let limit_mps = limits.into_iter().map(|(mode, mps)| (mode.word().to_owned(), mps)).collect();
        Self { factor: 1.1, implausible_mps: 90.0, limit_mps }
    }
}

struct VehicleSpeed {
    factor: f64,
    implausible_mps: f64,
    limits: Vec<Option<f64>>,
}

fn build(table: toml::Table) -> Result<Box<dyn Rule>, OptionsError> {
    let options: Options = read(table)?;
    check_figure("factor", options.factor)?;
    check_figure("implausible_mps", options.implausible_mps)?;
    let mut limits = vec![None; Mode::ALL.len()];
    for (word, limit) in &options.limit_mps {
        let Some(mode) = Mode::find(word) else {
            let nearest = crate::options::nearest(word, Mode::ALL.iter().map(|m| m.word()));
            return Err(OptionsError::UnknownKey { key: format!("limit_mps.{word}"), nearest });
        };
        check_figure("limit_mps", *limit)?;
        limits[mode as usize] = Some(*limit);
    }
    Ok(Box::new(VehicleSpeed { factor: options.factor, implausible_mps: options.implausible_mps, limits }))
}

impl Rule for VehicleSpeed {
    fn examine(&self, survey: &Survey<'_>, out: &mut Judgements<'_>) {
        for sighting in survey.sightings.iter().filter(|s| s.fresh) {
            let vehicle = sighting.vehicle;
            let (Some(limit), Some(speed)) = (self.limits[vehicle.mode as usize], vehicle.speed_mps) else { continue };
            let speed = f64::from(speed);
            let Some(fix) = sighting.fix().filter(|_| speed <= self.implausible_mps) else { continue };
            if speed > limit * self.factor {
                out.raise(sighting.subject(), fix, Priority::P3, || Evidence {
                    lat: vehicle.coordinate.map(|c| c.lat()),
                    lon: vehicle.coordinate.map(|c| c.lon()),
                    ..figures([("speed_mps", format!("{speed:.1}")), ("limit_mps", format!("{limit:.1}"))])
                });
            } else if speed < limit && !out.is_idle() {
                out.clear(sighting.subject(), fix);
            }
        }
    }
}
