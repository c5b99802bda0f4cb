//! The command line: what was typed, and which exit code answers it. Knows no message.

mod broker;
mod failure;
mod output;
mod referee;
mod replay;
mod run;
mod send;
mod show;
mod truth;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use jiff::SignedDuration;

use self::failure::Failure;

#[derive(Debug, Parser)]
#[command(name = "topis-sim", version, about = "A city's vehicles, alarms and faults for a transit control room")]
#[command(after_help = "Examples:
  topis-sim list
  topis-sim run --scenario panic_button --dry-run --duration 20
  topis-sim run --size metropolis --broker mqtt://127.0.0.1:1883
  topis-sim send alarm --agency 0012 --vehicle 00031 --kind panic --text 'Help'

Exit codes: 0 ok, 1 failure, 2 usage, 3 bad scenario, 4 broker unreachable, 5 expectations failed.
Data goes to stdout, everything else to stderr.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Describe a city: lines, stops, depots, vehicles.
    City(show::CityArgs),
    /// Play a city or a scenario to a broker and check what the service answers.
    Run(run::RunArgs),
    /// Play recordings in the HFP line format.
    Replay(replay::ReplayArgs),
    /// Publish one message and wait until the broker has it.
    Send(send::SendArgs),
    /// List scenarios, faults and city sizes.
    List(show::ListArgs),
}

/// Which broker, and as whom.
#[derive(Debug, Clone, Args)]
struct BrokerArgs {
    /// The broker to publish to.
    #[arg(long, default_value = "mqtt://127.0.0.1:1883", value_name = "URL")]
    broker: String,
    /// User name at the broker.
    #[arg(long)]
    user: Option<String>,
    /// File whose first line is the password.
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<std::path::PathBuf>,
    /// First level of native topics.
    #[arg(long, default_value = "topis")]
    prefix: String,
}

/// A number above 0.
fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("is no number above 0".to_owned()),
    }
}

/// Seconds: a number above 0, or a span such as `60s`, `5m` and `1h30m`.
fn seconds(text: &str) -> Result<f64, String> {
    let span = || text.parse::<SignedDuration>().ok().map(|span| span.as_secs_f64()).filter(|seconds| *seconds > 0.0);
    positive(text)
        .or_else(|_| span().ok_or_else(|| "is no span above 0; write it like 60, 60s, 5m or 1h30m".to_owned()))
}

/// Parses, runs, and turns what happened into an exit code.
pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::City(args) => show::city(&args),
        Command::List(args) => show::list(&args),
        Command::Run(args) => wait(run::run(args)),
        Command::Replay(args) => wait(replay::replay(args)),
        Command::Send(args) => wait(send::send(args)),
    };
    match outcome {
        Ok(()) | Err(Failure::ReaderLeft) => ExitCode::SUCCESS,
        Err(failure) => {
            output::note(&format!("error: {failure}"));
            failure.exit_code()
        }
    }
}

fn wait(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(anyhow::Error::from)?;
    runtime.block_on(work)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_example_in_the_help_parses() {
        let mut seen = 0;
        let root = Cli::command();
        for command in std::iter::once(&root).chain(root.get_subcommands()) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in help.lines().map(str::trim).filter(|line| line.starts_with("topis-sim ")) {
                // Quoted arguments hold spaces; without them they parse alike.
                let words: Vec<String> = line
                    .split('\'')
                    .enumerate()
                    .map(|(i, part)| if i % 2 == 1 { part.replace(' ', "_") } else { part.to_owned() })
                    .collect();
                let words = words.concat();
                if let Err(error) = Cli::try_parse_from(words.split_whitespace()) {
                    panic!("{line}: {error}");
                }
                seen += 1;
            }
        }
        assert!(seen >= 10, "{seen} examples");
    }

    #[test]
    fn spans_are_plain_seconds_or_carry_their_units() {
        for (text, expected) in [("60", 60.0), ("0.5", 0.5), ("60s", 60.0), ("5m", 300.0), ("1h30m", 5400.0)] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for bad in ["", "0", "-5s", "soon", "inf"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
