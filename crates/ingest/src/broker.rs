//! A broker of our own inside the process, behind one small trait.

mod access;
mod door;
mod embedded;
mod users;

use std::{future::Future, net::SocketAddr};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use embedded::{EmbeddedBroker, EmbeddedConfig};
pub use users::{Role, Users, UsersError};

use crate::{BrokerUrl, FilterError, LinkStatus};

/// A broker that this process runs. It hands what is published to the lanes by itself: no session of ours
/// subscribes at it.
pub trait Broker: Send {
    /// Where it listens; the true port when 0 was asked for.
    fn local_addr(&self) -> SocketAddr;

    /// How our own publishing client reaches it and logs in.
    fn url(&self) -> BrokerUrl;

    /// Up while it listens.
    fn link(&self) -> watch::Receiver<LinkStatus>;

    /// Serves until `stop` is cancelled, then disconnects its clients.
    fn run(self, stop: CancellationToken) -> impl Future<Output = Result<(), BrokerError>> + Send;
}

/// Why the broker does not run.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// Everybody who reaches it could raise alarms.
    #[error(
        "the embedded broker would listen on {0} without a users file: anybody there could raise alarms; set `broker.users_file`, or listen on 127.0.0.1"
    )]
    Open(SocketAddr),
    /// The address cannot be listened on.
    #[error(
        "the embedded broker cannot listen on {listen}: {reason}; is another broker running there? Set `broker.embedded_listen` to a free port"
    )]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// The system's reason.
        reason: String,
    },
    /// A telemetry filter or an access rule is no topic filter.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// The operating system gave no randomness for the internal password.
    #[error("no randomness from the operating system: {0}")]
    Random(getrandom::Error),
    /// The broker library failed.
    #[error("the embedded broker failed: {0}")]
    Library(String),
}
