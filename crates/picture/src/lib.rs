//! The operating picture: what every vehicle last said, how old it is and how far it can be trusted.
//!
//! Knows no wire format, no HTTP and no alarms. Folding runs in parallel on a `DashMap`, a vehicle at a time;
//! readers see an immutable [`View`]. Start at [`Picture::fold`] and [`Publisher::publish`].

mod anchor;
mod feed;
mod freshness;
mod health;
mod interval;
mod options;
mod order;
mod overflow;
mod picture;
mod publisher;
mod record;
mod said;
mod skew;
mod standstill;
mod tally;
mod track;
mod trail;
mod watch;
mod words;

pub use feed::{FeedCondition, FeedRecord};
pub use health::{HEARD_AGAIN, SILENCE_SLICE_MS, fell_silent_together};
pub use options::{Expect, FeedPolicy, JumpLimits, PictureOptions, ServiceArea};
pub use order::{Group, GroupKeys, OrderKey};
pub use picture::{Detail, Picture};
pub use publisher::{Changed, Link, Publication, Publisher, Totals};
pub use record::{Counts, VehicleRecord, View};
pub use tally::Tally;
pub use track::Folded;
pub use trail::TrailPoint;
pub use words::{Freshness, Quality, QualityFlag};
