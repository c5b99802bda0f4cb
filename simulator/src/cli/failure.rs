//! Why a command ends badly, and its exit code. Knows no command.

use std::process::ExitCode;

/// Why a command ends badly.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Anything without a code of its own.
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
    /// What was typed cannot be meant.
    #[error("{0}")]
    Usage(String),
    /// A scenario, or what was asked of it, is no good.
    #[error("{0}")]
    Scenario(String),
    /// Nobody answers at the broker's address.
    #[error(
        "no broker at {url}: {cause}\n  start one: `topis serve` or `topis demo` bring their own, or `mosquitto -p 1883`"
    )]
    Unreachable {
        /// Where.
        url: String,
        /// What the system said.
        cause: String,
    },
    /// Whoever read stdout has seen enough.
    #[error("nobody reads our output any more")]
    ReaderLeft,
    /// The service did not answer as expected.
    #[error("{failed} of {all} expectations failed")]
    Expectations {
        /// How many did not come true.
        failed: usize,
        /// Of how many.
        all: usize,
    },
}

impl From<simulator::ScenarioError> for Failure {
    fn from(error: simulator::ScenarioError) -> Self {
        Self::Scenario(error.to_string())
    }
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::ReaderLeft => 0,
            Self::Other(_) => 1,
            Self::Usage(_) => 2,
            Self::Scenario(_) => 3,
            Self::Unreachable { .. } => 4,
            Self::Expectations { .. } => 5,
        })
    }
}
