//! `topis`: the control room in one program.
//!
//! The only crate that sees all others. Here the outside is read (environment and configuration file) and a command is
//! chosen; what the commands do is in their modules, the service itself in [`serve`]. Start at [`run`].

mod assembly;
mod board;
pub mod cli;
mod clock;
pub mod config;
pub mod demo;
mod evidence;
mod health;
mod ledger;
mod links;
mod load_gauges;
pub mod log;
mod notify;
pub mod output;
mod owner;
mod patrol;
mod player;
mod poison;
mod receipt;
mod recurrence;
mod restore;
mod scribe;
pub mod serve;

mod ticker;
pub mod tokens;
mod trouble;
pub mod users;
pub mod validate;
pub mod verify;
mod workers;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;

use cli::{Cli, Command, ConfigCommand, ConfigSources, JournalCommand};
use config::{Config, ConfigFaults, Sources, Typed};

/// Carries out what was typed.
///
/// # Errors
/// [`ConfigFaults`] when the configuration is not valid; anything else is a failure of the command.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let sources = cli.sources;
    match cli.command.unwrap_or_default() {
        Command::Serve(options) => {
            let config = Config::load(&gather(&sources, options.settings())?)?;
            log::start(&config.log)?;
            run_to_end(serve::serve(config))
        }
        Command::Demo(options) => run_to_end(demo::demo(options, gather(&sources, Vec::new())?)),
        Command::Token(command) => {
            let typed = Typed::read(&gather(&sources, Vec::new())?)?;
            tokens::run(command, &typed.file.http.tokens_file)
        }
        Command::User(command) => {
            let typed = Typed::read(&gather(&sources, Vec::new())?)?;
            users::run(command, &typed.file.broker.users_file)
        }
        Command::Validate(options) => {
            let config = Config::load(&gather(&sources, Vec::new())?)?;
            validate::run(&options, config)
        }
        Command::Journal(JournalCommand::Verify { file }) => {
            verify::run(file.as_deref(), &Config::load(&gather(&sources, Vec::new())?)?)
        }
        Command::Config(command) => show_config(command, &gather(&sources, Vec::new())?),
        Command::Openapi => output::data(&serde_json::to_string_pretty(&api::openapi())?),
        Command::Version => output::data(concat!("topis ", env!("CARGO_PKG_VERSION"))),
    }
}

fn show_config(command: ConfigCommand, sources: &Sources) -> anyhow::Result<ExitCode> {
    match command {
        ConfigCommand::Check => {
            Config::load(sources)?;
            output::data("the configuration is valid")
        }
        ConfigCommand::Show => output::data(config::show(&Typed::read(sources)?).trim_end()),
        ConfigCommand::Schema => output::data(&serde_json::to_string_pretty(&config::schema())?),
    }
}

/// Reads what lies outside: the file, the environment, the flags. A file that cannot be read is a fault of the
/// configuration.
fn gather(given: &ConfigSources, settings: Vec<(String, String)>) -> anyhow::Result<Sources> {
    // An empty TOPIS_CONFIG is how a shell says that there is none.
    let file = given.config.as_deref().filter(|path| !path.as_os_str().is_empty()).map(read_file).transpose()?;
    // Names and values that are not UTF-8 cannot be ours.
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let flags = given.set.iter().cloned().chain(settings).collect();
    Ok(Sources { file, environment: environment.collect(), flags })
}

fn read_file(path: &Path) -> Result<(PathBuf, String), ConfigFaults> {
    match fs::read_to_string(path) {
        Ok(text) => Ok((path.to_owned(), text)),
        Err(error) => Err(config::unreadable(path, &error)),
    }
}

/// Runs `work` and ends: a call that hangs in the system, such as a look at a disk that died, does not keep a process
/// alive that has to be started anew.
fn run_to_end(work: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the threads could not be started")?;
    let ended = runtime.block_on(work);
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    ended
}
