//! What the room is told at start.
//!
//! Options bound what is kept in memory and how new alarms rank. Replay takes every verdict from the record, so a
//! changed option never changes history.

use alert::Priority;
use jiff::tz::TimeZone;

/// One day in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// Settings of the room; [`RoomOptions::default`] is what an empty configuration means.
#[derive(Debug, Clone, PartialEq)]
pub struct RoomOptions {
    /// Zone of the calendar date in an alert's id.
    pub timezone: TimeZone,
    /// Priority of a passenger's emergency button.
    pub passenger_priority: Priority,
    /// Milliseconds for which a press is known again.
    pub dedup_ms: i64,
    /// Presses known at most; the oldest are forgotten first, which can only raise twice, never lose.
    pub dedup_max: usize,
    /// Milliseconds for which a request id is known again.
    pub request_ms: i64,
    /// Request ids known at most.
    pub request_max: usize,
    /// Milliseconds for which closed alerts and incidents stay in memory; the journal keeps all.
    pub closed_ms: i64,
    /// Closed alerts in memory at most, and as many incidents.
    pub closed_max: usize,
    /// Open alerts whose ids could not be read, beyond which all further ones fold into one: ids cost a flooder
    /// nothing, and an emergency must stay visible.
    pub unparsed_max: usize,
    /// Open incidents at most; further ones are refused and counted.
    pub incidents_max: usize,
}

impl Default for RoomOptions {
    fn default() -> Self {
        Self {
            timezone: TimeZone::UTC,
            passenger_priority: Priority::P2,
            dedup_ms: 7 * DAY_MS,
            dedup_max: 1_000_000,
            request_ms: 7 * DAY_MS,
            request_max: 200_000,
            closed_ms: 7 * DAY_MS,
            closed_max: 50_000,
            unparsed_max: 100_000,
            incidents_max: 100_000,
        }
    }
}
