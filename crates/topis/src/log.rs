//! Logging, to stderr: text for people or JSON lines for programs.

use anyhow::anyhow;
use tracing_subscriber::EnvFilter;

use crate::config::LogConfig;

/// Starts logging for the whole process.
///
/// # Errors
/// It was started before.
pub fn start(config: &LogConfig) -> anyhow::Result<()> {
    let filter: EnvFilter = config.level.parse()?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if config.json { lines.json().try_init() } else { lines.try_init() };
    started.map_err(|error| anyhow!("logging could not be started: {error}"))
}
