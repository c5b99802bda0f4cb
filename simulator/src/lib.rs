//! A city's public transport from a seed: lines, vehicles, what they report, and what goes wrong with it.
//!
//! Pure: the same seed, options and instants give the same bytes, however the time is cut into steps. Knows no
//! clock, no file and no network, and of the service only the formats that `decode` writes and reads; the binary `topis-sim` and
//! `topis demo` play what comes out of here. Start at [`Scenario`], which holds a [`City`]'s size, a script and
//! expectations, and at [`Simulation::advance`].

mod city;
mod dice;
mod expectation;
mod faults;
mod fleet;
mod hazard;
mod motion;
mod plane;
mod recording;
mod scenario;
mod script;
mod simulation;

pub use city::{City, CitySize, DEFAULT_CENTRE, Depot, Line, LineStop, Roster, SIZES, SizeDef, Stop, Timetable};
pub use expectation::{Expectation, Query};
pub use faults::{Control, FAULTS, FaultDef, FaultEntry, Selection};
pub use fleet::Truth;
pub use plane::{Plane, Shape, Spot};
pub use recording::{ReadError, Rebase, RecordedLine, shuffle};
pub use scenario::{SCENARIOS, Scenario, ScenarioError, scenario_schema};
pub use script::{
    Action, AlarmDeed, CapDeed, CapInfo, CommandDeed, Deed, EarlierCap, FlapDeed, IncidentDeed, PublishDeed, StormDeed,
    SwitchOffDeed, WithdrawDeed,
};
pub use simulation::{Outgoing, Simulation, SimulationOptions};
