//! VEH.CROWD: a vehicle is full from stop to stop.

use alert::{AlertClass, Priority};
use picture::VehicleRecord;
use serde::{Deserialize, Serialize};
use transit::OccupancyStatus;

use crate::{
    judgement::{Judgements, Proof, figures},
    options::{OptionsError, read, table_of},
    parents,
    registry::{Annunciate, Habits, Rule, RuleDef},
    survey::Survey,
};

pub(crate) const DEF: RuleDef = RuleDef {
    code: "VEH.CROWD",
    class: AlertClass::Service,
    doc: "A vehicle is reported FULL (P3) or CRUSHED_STANDING_ROOM_ONLY (P4) at 2 stops in a row. Over when it is \
          reported anything else that is known at 2 stops. The words are no scale: NO_DATA_AVAILABLE, NOT_BOARDABLE \
          and NOT_ACCEPTING_PASSENGERS say nothing of crowding.",
    habits: Habits::of(Annunciate::Exception).on(0.0, 2).off(0.0, 2),
    keys: &[],
    defaults: table_of::<Options>,
    build,
    parents: parents::of_vehicle,
};

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {}

struct VehicleCrowd;

fn build(table: toml::Table) -> Result<Box<dyn Rule>, OptionsError> {
    read::<Options>(table)?;
    Ok(Box::new(VehicleCrowd))
}

impl Rule for VehicleCrowd {
    fn examine(&self, survey: &Survey<'_>, out: &mut Judgements<'_>) {
        for sighting in survey.sightings.iter().filter(|s| s.fresh) {
            let vehicle = sighting.vehicle;
            let Some((status, stop)) = vehicle.occupancy.status.zip(stop_of(vehicle)) else { continue };
            match status {
                OccupancyStatus::Full | OccupancyStatus::CrushedStandingRoomOnly => {
                    let full = status == OccupancyStatus::Full;
                    let priority = if full { Priority::P3 } else { Priority::P4 };
                    out.raise(sighting.subject(), stop, priority, || {
                        figures([("occupancy_status", transit::Word::word(status).to_owned())])
                    });
                }
                OccupancyStatus::Empty
                | OccupancyStatus::ManySeatsAvailable
                | OccupancyStatus::FewSeatsAvailable
                | OccupancyStatus::StandingRoomOnly => {
                    if !out.is_idle() {
                        out.clear(sighting.subject(), stop);
                    }
                }
                OccupancyStatus::NotAcceptingPassengers
                | OccupancyStatus::NoDataAvailable
                | OccupancyStatus::NotBoardable => {}
            }
        }
    }
}

/// Tells one stop from the next; without stops there is nothing to count.
fn stop_of(vehicle: &VehicleRecord) -> Option<Proof> {
    let stop = &vehicle.stop;
    if stop.stop_id.is_none() && stop.current_stop_sequence.is_none() {
        return None;
    }
    // FNV-1a: equal stops are equal, and neighbours differ.
    let id = stop.stop_id.as_ref().map_or("", |id| id.as_str()).bytes();
    let sequence = stop.current_stop_sequence.unwrap_or(u32::MAX).to_le_bytes();
    let hash = id
        .chain(sequence)
        .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3));
    Some(Proof::Message(hash))
}
