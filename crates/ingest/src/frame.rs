//! One message as received, and the few function types the caller hands in.
//!
//! Knows nothing of what a payload means.

use std::sync::Arc;

use bytes::Bytes;
use transit::{Now, UtcMillis};

/// The caller's clock. Every stamp of this crate comes from it; timers run on tokio's own.
pub type Clock = Arc<dyn Fn() -> Now + Send + Sync>;

/// A question about a topic.
pub type TopicTest = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Whether the message of this topic and payload is a plain position, which a newer one of the same topic may
/// A question about a topic and its payload.
pub type Classify = Arc<dyn Fn(&str, &[u8]) -> bool + Send + Sync>;

/// One message as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The topic it was published to.
    pub topic: Box<str>,
    /// The body; may be empty.
    pub payload: Bytes,
    /// 0, 1 or 2, as delivered to us.
    pub qos: u8,
    /// Out of the broker's retained store: last known, not fresh. A live message that asks to be retained is not.
    pub retained: bool,
    /// The sender, or the broker, marked it as sent again.
    pub dup: bool,
    /// When we took it off the wire.
    pub received_at: UtcMillis,
}
