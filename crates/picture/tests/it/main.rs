//! Tests of the picture through its public interface, all in one binary.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed; helpers are no `#[test]` to clippy")]

mod bounds;
mod doubts;
mod feeds;
mod freshness;
mod journey;
mod order;
mod parallel;
mod stage;
