//! `topis-sim`: plays cities, scenarios and recordings to a broker, and single messages too.
//!
//! All input and output of the simulator is here, below `cli`; what is played comes from the library.

use std::process::ExitCode;

mod cli;

fn main() -> ExitCode {
    cli::main()
}
