//! Who is near a vehicle, and who runs ahead of it and behind it on its route, by position alone.
//!
//! Without the network a route is a cloud of vehicles: ahead is what lies before the subject on its own course and
//! goes the same way. Gaps are metres through the air, not minutes along the line.

use std::sync::Arc;

use picture::VehicleRecord;
use transit::{Coordinate, UtcMillis};

use crate::{
    Index, Known, Reason,
    flat::Flat,
    index::position_true_at,
    motion::{bearing_deg, turn_deg},
    reading::{is_in_use, seconds},
};

/// Courses that differ by less than this go the same way, in degrees.
const SAME_WAY_DEG: f64 = 90.0;

/// A vehicle near a place.
#[derive(Debug, Clone)]
pub struct NearVehicle {
    /// The vehicle.
    pub vehicle: Arc<VehicleRecord>,
    /// Great-circle metres.
    pub distance_m: f64,
    /// Where it is seen from the place, degrees clockwise from north.
    pub direction_deg: f64,
    /// Where it goes, degrees; `None`: not said.
    pub course_deg: Option<f64>,
    /// It goes towards the place; `None`: no course, or it stands.
    pub approaching: Option<bool>,
    /// Seconds since its position was true.
    pub position_age_s: f64,
}

/// The `most` nearest vehicles to a place that `wanted` takes: of those in use, and only where there is none of the
/// others, because one that was here an hour ago would take the place of one that is.
pub(crate) fn near_vehicles(
    index: &Index,
    from: Coordinate,
    most: usize,
    as_of: UtcMillis,
    wanted: impl Fn(&VehicleRecord) -> bool,
) -> Vec<NearVehicle> {
    let describe = |near: crate::Near| {
        let record = near.vehicle;
        let at = record.coordinate?;
        let course_deg = record.bearing.map(f64::from);
        let moves = record.speed_mps.is_some_and(|v| v > 0.8);
        let approaching = course_deg.filter(|_| moves).map(|c| turn_deg(c, bearing_deg(at, from)) < SAME_WAY_DEG);
        Some(NearVehicle {
            distance_m: near.distance_m,
            direction_deg: bearing_deg(from, at),
            course_deg,
            approaching,
            position_age_s: seconds(as_of.since(position_true_at(&record))),
            vehicle: record,
        })
    };
    let mut near = index.nearest(from, most, |record| is_in_use(record) && wanted(record));
    if near.is_empty() {
        near = index.nearest(from, most, wanted);
    }
    near.into_iter().filter_map(describe).collect()
}

/// One vehicle of the same route.
#[derive(Debug, Clone)]
pub struct Neighbour {
    /// The vehicle.
    pub vehicle: Arc<VehicleRecord>,
    /// Metres between the two, through the air.
    pub gap_m: f64,
    /// Seconds since its position was true.
    pub position_age_s: f64,
}

/// Who runs ahead and behind on the same route; `Known(None)`: nobody does.
#[derive(Debug, Clone)]
pub struct Neighbours {
    /// Ahead.
    pub ahead: Known<Option<Neighbour>>,
    /// Behind.
    pub behind: Known<Option<Neighbour>>,
}

impl Neighbours {
    /// Nobody can say.
    pub(crate) fn unknown(reason: Reason) -> Self {
        Self { ahead: Known::Unknown(reason), behind: Known::Unknown(reason) }
    }

    /// By the positions of the vehicles of its route, on its own course. One that is in use goes before a nearer one
    /// that is not.
    pub(crate) fn of(subject: &VehicleRecord, index: &Index, as_of: UtcMillis) -> Self {
        let Some(route) = &subject.journey.route_id else { return Self::unknown(Reason::NoRoute) };
        let Some(here) = subject.coordinate else { return Self::unknown(Reason::NoPosition) };
        let Some(course) = subject.bearing.map(f64::from) else { return Self::unknown(Reason::NoCourse) };
        let flat = Flat::around(here);
        let (sin, cos) = course.to_radians().sin_cos();
        let (mut ahead, mut behind): (Option<Neighbour>, Option<Neighbour>) = (None, None);
        for placed in index.of_route(&subject.key.agency, route) {
            let record = &placed.record;
            if record.key == subject.key || !goes_the_same_way(subject, course, record) {
                continue;
            }
            let metres = flat.metres(placed.coordinate);
            let side = if metres.x * sin + metres.y * cos >= 0.0 { &mut ahead } else { &mut behind };
            let gap_m = here.distance(placed.coordinate).0;
            let rank = |record: &VehicleRecord, gap_m: f64| (!is_in_use(record), gap_m);
            if side.as_ref().is_none_or(|known| rank(record, gap_m) < rank(&known.vehicle, known.gap_m)) {
                let position_age_s = seconds(as_of.since(placed.true_at));
                *side = Some(Neighbour { vehicle: Arc::clone(record), gap_m, position_age_s });
            }
        }
        Self { ahead: Known::Known(ahead), behind: Known::Known(behind) }
    }
}

/// By direction where both say it, else by course; of one that says neither nobody can tell.
fn goes_the_same_way(subject: &VehicleRecord, course: f64, other: &VehicleRecord) -> bool {
    match (subject.journey.direction_id, other.journey.direction_id, other.bearing) {
        (Some(ours), Some(theirs), _) => ours == theirs,
        (_, _, Some(bearing)) => turn_deg(course, f64::from(bearing)) < SAME_WAY_DEG,
        (_, _, None) => false,
    }
}
