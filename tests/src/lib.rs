//! What the end-to-end tests and the benchmarks stand on: the real binaries, a real broker, real sockets.
//!
//! Knows the contracts (topics, routes, environment keys, exit codes) and nothing of the service's insides.
//! Start at [`Home`], which is a place where one service lives and may be killed and started again.

pub mod binaries;
pub mod figures;
pub mod http;
pub mod load;
pub mod measured;
pub mod messages;
pub mod mosquitto;
pub mod mqtt;
pub mod process;
pub mod recordings;
pub mod roles;
pub mod workspace;

mod eventually;
mod home;

pub use eventually::{eventually, one_at_a_time};
pub use home::{Broker, Home, Topis, run_to_end};
