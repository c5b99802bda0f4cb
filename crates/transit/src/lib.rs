//! The field's words as types: ids, places, times, and what a vehicle says of itself.
//!
//! Knows no wire format, no clock and no IO. Everything that parses, parses here or in `decode`
//! into a type that cannot be wrong; the rest of the system never looks at raw text again.
//! Start at [`Observation`].

mod hours;
mod ids;
mod observation;
mod place;
mod time;
mod words;

pub use hours::{HoursError, ServiceHours};
pub use ids::{AgencyId, BlockId, FeedId, IdError, RouteId, StopId, TripId, VehicleId, VehicleKey};
pub use observation::{Fix, Flaw, Journey, Observation, Occupancy, Significance, StopReference, StopStatusReport};
pub use place::{Coordinate, CoordinateError, Metres};
pub use time::{Now, ServiceDate, ServiceTime, TimeError, UtcMillis};
pub use words::{JourneyState, Mode, OccupancyStatus, PositionSource, Status, StopStatus, Word};
