//! Areas and what they mean for the fleet: who is inside, who will be in 2, 5 and 10 minutes, who is unaccounted for.
//!
//! Knows no HTTP, no clock and no timetable: `as_of` is an argument, and what would need a timetable is said to be
//! unknown. Start at [`Area`] and [`Reach::of`].

mod area;
mod armed;
mod card;
mod flat;
mod grouping;
mod index;
mod known;
mod motion;
mod neighbours;
mod outline;
mod places;
mod reach;
mod reading;
mod runbook;
#[cfg(test)]
mod samples;
mod shape;
mod suggestion;

pub use area::{Area, AreaError, AreaName, AreaPurpose, AreaRemark, AreaSource, ArmedArea, PlaceKind};
pub use armed::ArmedAreas;
pub use card::{Card, CardAbout, CardOptions, CardSubject, Desk, NearAlert, NearArea, Whereabouts};
pub use grouping::{Cause, GroupEvidence, GroupOptions, Member, Proposal, propose_groups};
pub use index::{Index, Intervals, Near};
pub use known::{Known, Reason};
pub use motion::{CourseFrom, MotionOptions, TrailLookup};
pub use neighbours::{NearVehicle, Neighbour, Neighbours};
pub use places::{NearPlace, OPERATOR, Place, PlaceError, Places};
pub use reach::{
    Entering, HORIZONS_S, Parked, Reach, ReachOptions, Scene, SilentWhy, Unaccounted, Unjudged, Unplaced, Why, Within,
};
pub use runbook::{Runbook, RunbookError, Runbooks, Words};
pub use suggestion::{Action, Suggestion};
