//! Takes messages in: MQTT sessions at a foreign broker or a broker of our own, and the two lanes they feed.
//!
//! Knows MQTT, back-pressure and who may publish what; does not know what a message means. It reads no clock of its
//! own for stamps.
//!
//! - [`Lanes`]: positions, replaceable, newest wins when a worker is behind.
//! - [`EmergencyLane`]: alarms and incidents, confirmed to their sender only when they are on disk.
//! - [`TelemetrySession`], [`EmergencySession`]: the two readers at a foreign broker; [`Outbox`] publishes.
//! - [`EmbeddedBroker`]: a broker inside the process whose publish hook feeds both lanes directly.
//!
//! Install the metrics recorder before anything here is made.

mod backoff;
mod broker;
mod broker_url;
mod emergency;
mod frame;
mod lanes;
mod link;
mod session;
mod topic;

pub use broker::{Broker, BrokerError, EmbeddedBroker, EmbeddedConfig, Role, Users, UsersError};
pub use broker_url::{BrokerUrl, BrokerUrlError, Login};
pub use emergency::{Done, Emergencies, EmergencyCounts, EmergencyFrame, EmergencyLane};
pub use frame::{Classify, Clock, Frame, TopicTest};
pub use lanes::{LaneCounts, LaneLimits, LaneQueue, Lanes};
pub use link::{LinkState, LinkStatus};
pub use session::{EmergencySession, Outbox, OutboxConfig, OutboxSession, SessionConfig, TelemetrySession};
pub use topic::{Filter, FilterError, any_of};
