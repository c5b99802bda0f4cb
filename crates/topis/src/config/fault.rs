//! What is wrong with a configuration: key, value, where it came from, and what to write instead.

use std::{fmt, path::PathBuf};

/// Who gave a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody.
    Default,
    /// The TOML file.
    File(PathBuf),
    /// The environment.
    Environment,
    /// The command line.
    Flag,
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFault {
    /// The key, dotted; empty when the whole file is meant.
    pub key: String,
    /// What was given, secrets left out; `None` when that says nothing.
    pub value: Option<String>,
    /// Who gave it.
    pub origin: Origin,
    /// What is wrong and what to do.
    pub fix: String,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.key.is_empty() {
            f.write_str(&self.key)?;
            if let Some(value) = &self.value {
                write!(f, " = {value}")?;
            }
        }
        let space = if self.key.is_empty() { "" } else { " " };
        match &self.origin {
            Origin::Default => {}
            Origin::File(path) => write!(f, "{space}({})", path.display())?,
            Origin::Environment => write!(f, "{space}(environment {})", environment_name(&self.key))?,
            Origin::Flag => write!(f, "{space}(command line)")?,
        }
        write!(f, ": {}", self.fix)
    }
}

/// The environment variable of a key.
pub(super) fn environment_name(key: &str) -> String {
    format!("{}{}", super::layers::ENVIRONMENT_PREFIX, key.to_ascii_uppercase().replace('.', "__"))
}

/// Every fault of a configuration, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFaults(pub Vec<ConfigFault>);

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("the configuration has a fault:")?,
            n => write!(f, "the configuration has {n} faults:")?,
        }
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl std::error::Error for ConfigFaults {}

/// A value as faults and `config show` print it: the password of a URL is left out.
pub(super) fn redact(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else { return value.to_owned() };
    match rest.rsplit_once('@') {
        Some((login, address)) => {
            let user = login.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}:***@{address}")
        }
        None => value.to_owned(),
    }
}
