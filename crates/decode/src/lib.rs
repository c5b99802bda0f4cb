//! Wire formats to observations, alarms and incidents; and back, where the simulator speaks a format.
//!
//! Knows no network and no clock: `received_at` is an argument. A broken message is data: [`Decoded`] carries what
//! could be read and the [`Problem`]s with the rest. Start at [`Feeds::decode`].

mod decoded;
mod feeds;
mod fields;
pub mod formats;
#[expect(
    clippy::map_err_ignore,
    clippy::too_many_lines,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
pub mod gtfs_realtime;
mod json;
mod problem;
mod rejects;
mod text;
mod topic;

pub use decoded::{Decoded, FeedSpec, Frame, Message, Presence};
pub use feeds::{FeedError, Feeds, PREFIX};
pub use formats::{FORMATS, FormatDef};
pub use problem::{Grade, Problem, ProblemCode, Reject};
pub use rejects::reject_of;
