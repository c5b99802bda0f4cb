//! Tests of detection through its public interface, all in one binary.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed; helpers are no `#[test]` to clippy")]

mod areas;
mod feeds;
mod list;
mod patrol;
mod recording;
mod silence;
mod stage;
mod vehicles;
