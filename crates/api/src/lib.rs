//! HTTP: routes, views, ETags, deltas, streams, problem+json and the OpenAPI document.
//!
//! Knows no MQTT and no disk. Every read comes from the published [`Snapshot`]; every order goes through a
//! [`CommandDoor`]. Start at [`router`].

mod access;
mod answer;
mod bodies;
mod body;
mod cloud_event;
mod delta;
mod derived;
mod desk;
mod etag;
mod exceptions;
mod filters;
mod format;
mod guide;
mod openapi;
mod orders;
mod params;
mod problem;
mod router;
mod routes;
mod serve;
mod shared;
mod snapshot;
mod stream;
#[cfg(test)]
mod tests;
mod views;
mod wording;

pub use access::{Access, Principal, Role, Tokens, TokensError};
pub use cloud_event::{CLOUD_EVENT, News};
pub use derived::Derived;
pub use exceptions::Exceptions;
pub use guide::Guide;
pub use openapi::openapi;
pub use router::router;
pub use routes::verdict_json;
pub use serve::{ServeLimits, serve};
pub use shared::{Clock, Decoder, EvidenceSource, MetricsText, Recorder, Shared, Sources, TrailSource};
pub use snapshot::{
    ClientRecord, CommandAnswer, CommandDoor, Degraded, JOURNAL_SCOPE, PendingCommand, Published, Revisions, Snapshot,
};
