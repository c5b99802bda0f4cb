//! The program: arguments in, exit code out. Everything else is in the library beside it; start at [`topis::run`].

use std::process::ExitCode;

use clap::Parser as _;
use topis::{cli::Cli, config::ConfigFaults, output};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Something went wrong while running.
const FAILURE: u8 = 1;
// 2 is a wrong command line; clap ends the process with it.
/// The configuration is not valid.
const CONFIGURATION_INVALID: u8 = 3;

fn main() -> ExitCode {
    match topis::run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            output::note(&format!("topis: {error:#}"));
            ExitCode::from(if error.is::<ConfigFaults>() { CONFIGURATION_INVALID } else { FAILURE })
        }
    }
}
