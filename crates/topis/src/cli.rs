//! The command line as typed. Knows the shape of the commands and not what they do.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use jiff::SignedDuration;

/// A city's public transport control room: vehicles and alarms in over MQTT, the live picture out over HTTP.
#[derive(Debug, Parser)]
#[command(name = "topis", version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    pub sources: ConfigSources,
    /// What to do; nothing means `serve`.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  topis demo                                    a whole city in one process, nothing to install
  topis                                         serve with an embedded broker on 127.0.0.1:1883
  topis serve --broker-url mqtt://broker:1883   serve what a broker of yours carries
  topis --config config/topis.toml config check
  TOPIS__HTTP__LISTEN=127.0.0.1:9090 topis config show

Exit codes: 0 ok, 1 failure, 2 wrong command line, 3 configuration invalid";

/// Where the configuration comes from: file < environment TOPIS__SECTION__KEY < flags.
#[derive(Debug, Clone, Default, Args)]
pub struct ConfigSources {
    /// TOML file; without one the defaults hold
    #[arg(long, global = true, value_name = "FILE", env = "TOPIS_CONFIG")]
    pub config: Option<PathBuf>,
    /// One key, e.g. --set mqtt.prefix=city; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = parse_setting)]
    pub set: Vec<(String, String)>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the control room
    #[command(after_help = "\
Examples:
  topis serve
  topis serve --listen 127.0.0.1:9090 --journal /tmp/topis.db
  topis serve --broker-url mqtt://127.0.0.1:1884 --set mqtt.prefix=city")]
    Serve(ServeOptions),
    /// Run broker, control room and a synthetic city in this process
    #[command(after_help = "\
Examples:
  topis demo
  topis demo --vehicles 500 --speed 10
  topis demo --scenario panic_button --exit-after 60s")]
    Demo(DemoOptions),
    /// Make, list and revoke tokens of the HTTP API
    #[command(
        subcommand,
        after_help = "\
Examples:
  topis token new --role operator --name kim --file tokens
  topis token list --file tokens
  topis token revoke --name kim --file tokens"
    )]
    Token(TokenCommand),
    /// Make, list and revoke users of the embedded broker
    #[command(
        subcommand,
        after_help = "\
Examples:
  topis user new --role vehicle --name 22/800 --file users.toml
  topis user list --file users.toml
  topis user revoke --name 22/800 --file users.toml"
    )]
    User(UserCommand),
    /// Decode one message offline and say what is wrong with it
    #[command(after_help = "\
Examples:
  echo '{\"event_time\":\"2026-11-23T08:00:00Z\"}' | topis validate --topic topis/v1/vehicle/22/800/position
  topis validate --topic topis/v1/gtfs-rt/city --feed gtfs-rt vehicles.pb

Ends with 1 when something of the message was lost.")]
    Validate(ValidateOptions),
    /// Look at a journal that no service has open: a copy, or the one of a service that is stopped
    #[command(
        subcommand,
        after_help = "\
Examples:
  topis journal verify
  topis journal verify backup/journal.db

Ends with 1 when a record is damaged, or a snapshot is not what the records give."
    )]
    Journal(JournalCommand),
    /// Check, show or describe the configuration
    #[command(
        subcommand,
        after_help = "\
Examples:
  topis config check --config config/topis.toml
  topis config show
  topis config schema > topis.schema.json"
    )]
    Config(ConfigCommand),
    /// Print the OpenAPI 3.1 document of the HTTP API
    #[command(after_help = "Examples:\n  topis openapi > openapi.json")]
    Openapi,
    /// Print the version
    #[command(after_help = "Examples:\n  topis version")]
    Version,
}

impl Default for Command {
    fn default() -> Self {
        Self::Serve(ServeOptions::default())
    }
}

/// Keys that are often given by hand.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeOptions {
    /// http.listen
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<String>,
    /// http.tokens_file
    #[arg(long, value_name = "FILE")]
    tokens_file: Option<String>,
    /// broker.url: embedded, or mqtt://[user:password@]host[:port]
    #[arg(long, value_name = "URL")]
    broker_url: Option<String>,
    /// broker.embedded_listen
    #[arg(long, value_name = "IP:PORT")]
    broker_listen: Option<String>,
    /// broker.users_file
    #[arg(long, value_name = "FILE")]
    users_file: Option<String>,
    /// journal.path
    #[arg(long, value_name = "FILE")]
    journal: Option<String>,
}

impl ServeOptions {
    /// Keys and values given.
    pub fn settings(self) -> Vec<(String, String)> {
        [
            ("http.listen", self.listen),
            ("http.tokens_file", self.tokens_file),
            ("broker.url", self.broker_url),
            ("broker.embedded_listen", self.broker_listen),
            ("broker.users_file", self.users_file),
            ("journal.path", self.journal),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect()
    }
}

/// What the demonstration plays.
#[derive(Debug, Clone, Args)]
pub struct DemoOptions {
    /// Vehicles of the city
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000), conflicts_with = "size")]
    pub vehicles: Option<u32>,
    /// Size of the city by name; `topis-sim list` names them
    #[arg(long, value_name = "SIZE")]
    pub size: Option<String>,
    /// Seconds of the city in one of ours; the service shares the city's clock
    #[arg(long, value_name = "X", default_value = "1", value_parser = parse_speed)]
    pub speed: f64,
    /// What happens: a scenario by name, or a TOML file
    #[arg(long, value_name = "NAME|FILE")]
    pub scenario: Option<String>,
    /// End after this long, e.g. 60s or 5m
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    pub exit_after: Option<Duration>,
    /// HTTP address; the next free port when it is taken
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8080", value_parser = parse_loopback)]
    pub listen: SocketAddr,
    /// Broker address; the next free port when it is taken
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:1883", value_parser = parse_loopback)]
    pub broker_listen: SocketAddr,
    /// The same seed gives the same city and day
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Keep the journal in this file; without it the journal is thrown away
    #[arg(long, value_name = "FILE")]
    pub journal: Option<PathBuf>,
}

/// `topis journal`.
#[derive(Debug, Clone, Subcommand)]
pub enum JournalCommand {
    /// Read it back from its first record as a start would, change nothing, and say what is there
    Verify {
        /// Default: journal.path of the configuration
        file: Option<PathBuf>,
    },
}

/// `topis token`.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token, print it once, keep its SHA-256
    New {
        /// viewer (reads), operator (reads, orders, sees covert alerts) or feeder (checks messages)
        #[arg(long, value_parser = parse_word::<api::Role>)]
        role: api::Role,
        /// Whose it is
        #[arg(long)]
        name: String,
        #[command(flatten)]
        file: SecretsFile,
    },
    /// List names and roles
    List {
        #[command(flatten)]
        file: SecretsFile,
    },
    /// Take a token back
    Revoke {
        /// Whose it is
        #[arg(long)]
        name: String,
        #[command(flatten)]
        file: SecretsFile,
    },
}

/// `topis user`.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make a user, print the password once, keep its SHA-256
    New {
        /// vehicle (named AGENCY/VEHICLE), feeder or operator
        #[arg(long, value_parser = ["vehicle", "feeder", "operator"])]
        role: String,
        /// The login
        #[arg(long)]
        name: String,
        #[command(flatten)]
        file: SecretsFile,
    },
    /// List names and roles
    List {
        #[command(flatten)]
        file: SecretsFile,
    },
    /// Take a user away
    Revoke {
        /// The login
        #[arg(long)]
        name: String,
        #[command(flatten)]
        file: SecretsFile,
    },
}

/// The file that holds the hashes.
#[derive(Debug, Clone, Args)]
pub struct SecretsFile {
    /// Default: the file of the configuration
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// `topis validate`.
#[derive(Debug, Args)]
pub struct ValidateOptions {
    /// MQTT topic of the message
    #[arg(long)]
    pub topic: String,
    /// Take it as a message of this configured feed only
    #[arg(long)]
    pub feed: Option<String>,
    /// Body; `-` is standard input
    #[arg(default_value = "-")]
    pub file: PathBuf,
}

/// `topis config`.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ConfigCommand {
    /// Say everything that is wrong with it
    Check,
    /// Print what is in force, defaults included and secrets left out
    Show,
    /// Print the JSON schema of the file
    Schema,
}

fn parse_setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        Some(_) | None => Err("write it like mqtt.prefix=city".to_owned()),
    }
}

fn parse_span(text: &str) -> Result<Duration, String> {
    let span = text.parse::<SignedDuration>().ok().and_then(|span| Duration::try_from(span).ok());
    span.filter(|span| !span.is_zero()).ok_or_else(|| "write it like 60s, 5m or 1h30m".to_owned())
}

fn parse_speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.1..=1000.0).contains(&speed) => Ok(speed),
        Ok(_) | Err(_) => Err("use 0.1 to 1000".to_owned()),
    }
}

/// The demonstration has neither tokens nor users.
fn parse_loopback(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address),
        Ok(_) => Err("the demo is open to everybody who reaches it: use 127.0.0.1".to_owned()),
        Err(_) => Err("write it like 127.0.0.1:8080".to_owned()),
    }
}

fn parse_word<W: transit::Word>(text: &str) -> Result<W, String> {
    W::find(text).ok_or_else(|| format!("use {}", W::ALL.iter().map(|w| w.word()).collect::<Vec<_>>().join(", ")))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn every_command_ends_its_help_with_examples_that_parse() {
        fn walk(command: &clap::Command) {
            for sub in command.get_subcommands().filter(|c| c.get_subcommands().next().is_none()) {
                assert!(sub.get_about().is_some(), "{}", sub.get_name());
            }
            command.get_subcommands().filter(|c| c.get_name() != "help").for_each(walk);
        }
        Cli::command().debug_assert();
        walk(&Cli::command());
        let mut tried = 0;
        for command in std::iter::once(Cli::command()).chain(Cli::command().get_subcommands().cloned()) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:"), "{}", command.get_name());
            for line in help.lines().filter(|l| l.starts_with("  ")) {
                let from = line.find("topis ").or_else(|| line.find("topis\n")).unwrap_or(2);
                let example: Vec<&str> = line
                    .split_at(from)
                    .1
                    .split("  ")
                    .next()
                    .unwrap()
                    .split(" > ")
                    .next()
                    .unwrap()
                    .split_whitespace()
                    .collect();
                Cli::try_parse_from(&example).unwrap_or_else(|e| panic!("{example:?}: {e}"));
                tried += 1;
            }
        }
        assert!(tried >= 15, "{tried}");
    }

    #[test]
    fn bare_topis_serves() {
        let cli = Cli::try_parse_from(["topis"]).unwrap();
        assert!(matches!(cli.command.unwrap_or_default(), Command::Serve(_)));
    }

    #[test]
    fn flags_become_keys() {
        let cli =
            Cli::try_parse_from(["topis", "serve", "--listen", "127.0.0.1:1", "--set", "mqtt.prefix=x=y"]).unwrap();
        assert_eq!(cli.sources.set, [("mqtt.prefix".to_owned(), "x=y".to_owned())]);
        let Some(Command::Serve(options)) = cli.command else { panic!("not serve") };
        assert_eq!(options.settings(), [("http.listen".to_owned(), "127.0.0.1:1".to_owned())]);
    }

    #[test]
    fn spans_speeds_and_addresses_say_how_to_write_them() {
        assert_eq!(parse_span("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(parse_span("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(parse_span("1h30m"), Ok(Duration::from_secs(5400)));
        for bad in ["", "60", "0s", "-5s", "soon"] {
            assert!(parse_span(bad).is_err(), "{bad}");
        }
        assert!(parse_speed("0").is_err() && parse_speed("NaN").is_err() && parse_speed("10").is_ok());
        assert!(parse_loopback("0.0.0.0:8080").is_err() && parse_loopback("[::1]:8080").is_ok());
    }
}
