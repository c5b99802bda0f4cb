//! The one test binary: the real programs over real sockets, the rules about the text, the dependency graph.
//!
//! What a test needs and does not find (mosquitto, the recordings) it names as `SKIPPED` and returns.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the verdict")]

mod bad_input;
mod broker_restart;
mod cli;
mod demo;
mod emergency;
mod evidence;
mod graph;
mod hostile;
mod kill;
mod order;
mod recordings;
mod scenarios;
mod straight_line;
mod stream;
mod tidy;
mod watch;
mod webhook;
