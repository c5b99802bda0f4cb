//! The ingest crate against real parts: the embedded broker, a mosquitto child where there is one, and a broker
//! scripted byte by byte for what no honest broker does.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail as loudly as the test")]

mod embedded;
mod lanes;
mod mosquitto;
mod scripted;
mod support;
