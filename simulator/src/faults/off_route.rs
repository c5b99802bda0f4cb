//! A vehicle drives on another road than its line's, beside it, as on a detour of its own. Knows no road: it is moved
//! sideways.

use schemars::JsonSchema;
use serde::Deserialize;
use transit::Observation;

use super::{Fault, put_at};
use crate::dice::Dice;

/// Options.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OffRoute {
    /// How far to the right of its course, in metres; negative is left.
    offset_m: f64,
}

impl Default for OffRoute {
    fn default() -> Self {
        Self { offset_m: 300.0 }
    }
}

/// Metres of one degree of latitude, on the mean sphere.
const METRES_PER_DEGREE: f64 = 111_195.0;

impl Fault for OffRoute {
    fn distort(&mut self, _: usize, said: &mut Observation, _: &mut Dice) {
        let Some(fix) = said.position.as_mut() else { return };
        let (Some(place), Some(course)) = (fix.coordinate, fix.bearing) else { return };
        let right = (f64::from(course) + 90.0).to_radians();
        let lat = place.lat() + self.offset_m * right.cos() / METRES_PER_DEGREE;
        let lon = place.lon() + self.offset_m * right.sin() / (METRES_PER_DEGREE * place.lat().to_radians().cos());
        put_at(fix, (lat * 1e6).round() / 1e6, (lon * 1e6).round() / 1e6);
    }
}

#[cfg(test)]
mod tests {
    use crate::faults::trial::{clean, native, with};

    #[test]
    fn every_fix_lies_beside_the_line() {
        let places = |messages: &[crate::simulation::Outgoing]| -> Vec<transit::Coordinate> {
            let bodies = messages.iter().filter_map(native);
            bodies.filter_map(|b| transit::Coordinate::parse(b["lat"].as_f64()?, b["lon"].as_f64()?).ok()).collect()
        };
        let (honest, strayed) = (places(&clean()), places(&with("off_route", "offset_m = 400")));
        assert_eq!(honest.len(), strayed.len());
        assert!(!honest.is_empty());
        for (a, b) in honest.iter().zip(&strayed) {
            assert!((a.distance(*b).0 - 400.0).abs() < 2.0, "{a:?} {b:?}");
        }
    }
}
