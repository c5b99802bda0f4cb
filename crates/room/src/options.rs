//! What the room is told at start.
//!
//! Options bound what is kept in memory and how new alarms rank. Replay takes every verdict from the record, so a
//! changed option never changes history.

use alert::Priority;
use jiff::tz::TimeZone;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
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
    /// Milliseconds for which it is known that a press is over, for one that comes later than its end.
    pub ends_ms: i64,
    /// Such ends known at most; the oldest are forgotten first, which can only leave an alert active.
    pub ends_max: usize,
    /// Milliseconds for which a request id is known again.
    pub request_ms: i64,
    /// Request ids known at most.
    pub request_max: usize,
    /// Milliseconds for which it is known what else a source calls an incident.
    pub alias_ms: i64,
    /// Such names known at most; the oldest are forgotten first, which can only make two incidents of one.
    pub alias_max: usize,
    /// Milliseconds for which closed alerts and incidents stay in memory; the journal keeps all.
    pub closed_ms: i64,
    /// Closed alerts in memory at most, and as many incidents.
    pub closed_max: usize,
    /// Open alerts whose ids could not be read, beyond which all further ones fold into one: ids cost a flooder
    /// nothing, and an emergency must stay visible.
    pub unparsed_max: usize,
    /// Open incidents at most; further ones are refused and counted.
    pub incidents_max: usize,
    /// Milliseconds after which an alert that nobody took escalates, P1 to P4; `None` = never.
    pub escalate_after_ms: [Option<i64>; 4],
    /// Steps an alert escalates at most, one after the other.
    pub escalation_steps: u32,
    /// Milliseconds after which the owner of a P1 alert is asked whether they still have it; `None` = never.
    pub reminder_ms: Option<i64>,
    /// Milliseconds they have to answer before it is nobody's.
    pub reminder_answer_ms: i64,
    /// Milliseconds an alert may be shelved at most, P1 to P4; P1 by a supervisor only.
    pub shelf_ms: [i64; 4],
    /// Milliseconds a suppression may last at most.
    pub suppression_max_ms: i64,
    /// Suppressions that may run at once.
    pub suppressions_max: usize,
    /// An alert that returns so often within `flap_window_ms` chatters.
    pub flap_cycles: usize,
    /// Milliseconds within which returns count.
    pub flap_window_ms: i64,
    /// Milliseconds of quiet after which what chattered is released.
    pub flap_release_ms: i64,
    /// So many raises of one rule within `collapse_window_ms` stand behind the first.
    pub collapse_count: usize,
    /// Milliseconds within which raises count.
    pub collapse_window_ms: i64,
    /// The desks whose load is counted, besides the whole room.
    pub desks: Vec<Desk>,
}

/// What sounds at one desk. Empty lists are no limit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Desk {
    /// Its name.
    pub name: String,
    /// Agencies whose vehicles are its business.
    pub agencies: Vec<String>,
    /// Heads of the rules that are its business.
    pub rules: Vec<String>,
}

impl RoomOptions {
    pub(crate) fn escalate_ms(&self, priority: Priority) -> Option<i64> {
        self.escalate_after_ms[priority as usize]
    }

    pub(crate) fn shelf_max_ms(&self, priority: Priority) -> i64 {
        self.shelf_ms[priority as usize]
    }
}

impl Default for RoomOptions {
    fn default() -> Self {
        Self {
            timezone: TimeZone::UTC,
            passenger_priority: Priority::P2,
            dedup_ms: 7 * DAY_MS,
            dedup_max: 1_000_000,
            ends_ms: HOUR_MS,
            ends_max: 20_000,
            request_ms: 7 * DAY_MS,
            request_max: 200_000,
            alias_ms: 90 * DAY_MS,
            alias_max: 200_000,
            closed_ms: 7 * DAY_MS,
            closed_max: 50_000,
            unparsed_max: 100_000,
            incidents_max: 100_000,
            escalate_after_ms: [Some(MINUTE_MS), Some(5 * MINUTE_MS), Some(15 * MINUTE_MS), None],
            escalation_steps: 3,
            reminder_ms: None,
            reminder_answer_ms: 5 * MINUTE_MS,
            shelf_ms: [2 * HOUR_MS, 2 * HOUR_MS, 8 * HOUR_MS, 8 * HOUR_MS],
            suppression_max_ms: 31 * DAY_MS,
            suppressions_max: 1000,
            flap_cycles: 3,
            flap_window_ms: MINUTE_MS,
            flap_release_ms: 10 * MINUTE_MS,
            collapse_count: 5,
            collapse_window_ms: MINUTE_MS,
            desks: Vec::new(),
        }
    }
}
