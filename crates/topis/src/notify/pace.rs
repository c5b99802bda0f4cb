//! What an answer means, and when to try again.
//!
//! Knows no clock and no socket: instants and randomness are arguments.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use transit::{Now, UtcMillis};

/// The first retry comes no sooner: a receiver that is just starting is not helped by haste.
const WAIT_MIN_MS: u64 = 1_000;
/// And the last no later: a receiver that is back hears of everything within this.
const WAIT_MAX_MS: u64 = 60 * 1_000;
/// Unless it asks for more by itself.
const ASKED_MAX_MS: u64 = 5 * 60 * 1_000;
/// A receiver has to have been failing for this long in the life of the process before anything is given up for its age,
/// in milliseconds: after a long stop both sides may be starting.
const GIVE_UP_GRACE_MS: u64 = 10 * 60 * 1_000;

/// What became of one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The receiver has it.
    Delivered,
    /// The receiver will never take it.
    Refused {
        /// Its answer.
        status: u16,
    },
    /// It did not arrive, or not now.
    Failed {
        /// In words for a person; the host at most, never the address in full.
        why: String,
        /// When the receiver wants it again.
        retry_after: Option<Duration>,
    },
}

impl Outcome {
    /// Of an answer's status and `Retry-After`.
    pub(crate) fn of(status: u16, retry_after: Option<&str>, now: UtcMillis) -> Self {
        match status {
            200..=299 => Self::Delivered,
            // Asked too early, too slowly or too often, these say: again.
            408 | 425 | 429 => Self::failed(status, retry_after, now),
            400..=499 => Self::Refused { status },
            _ => Self::failed(status, retry_after, now),
        }
    }

    fn failed(status: u16, retry_after: Option<&str>, now: UtcMillis) -> Self {
        let hint =
            if (300..=399).contains(&status) { "; redirects are not followed, give the final address" } else { "" };
        let retry_after = retry_after.and_then(|text| parse_retry_after(text.trim(), now));
        Self::Failed { why: format!("answered {status}{hint}"), retry_after }
    }

    /// The label of the metric.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Refused { .. } => "refused",
            Self::Failed { .. } => "failed",
        }
    }
}

/// Seconds, or an HTTP date.
fn parse_retry_after(text: &str, now: UtcMillis) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTimeParser::new().parse_timestamp(text).ok()?;
    let millis = UtcMillis::from(at).since(now).max(0);
    Some(Duration::from_millis(millis.unsigned_abs()))
}

/// A run of failures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failing {
    /// How many in a row.
    pub(crate) times: u32,
    /// Since when.
    pub(crate) since: Now,
    /// The last reason.
    pub(crate) why: String,
}

impl Failing {
    /// One more, or the first.
    pub(crate) fn again(before: Option<Self>, why: String, now: Now) -> Self {
        let (times, since) = before.map_or((0, now), |before| (before.times, before.since));
        Self { times: times.saturating_add(1), since, why }
    }

    /// How long to wait: anything from the shortest time to one that doubles with every failure in a row, so that
    /// receivers are not met by everybody at once when they come back; `draw` is any number. What the receiver asks for
    /// goes before it, up to five minutes.
    pub(crate) fn wait(&self, asked: Option<Duration>, draw: u64) -> Duration {
        let bound = WAIT_MIN_MS.saturating_mul(1 << self.times.min(20)).min(WAIT_MAX_MS);
        let own = WAIT_MIN_MS + draw % (bound - WAIT_MIN_MS + 1);
        let asked = asked.map(|asked| u64::try_from(asked.as_millis()).unwrap_or(u64::MAX));
        Duration::from_millis(asked.map_or(own, |asked| asked.clamp(WAIT_MIN_MS, ASKED_MAX_MS)))
    }

    /// Changes from before this instant are given up now, if any are.
    pub(crate) fn gives_up_before(&self, give_up_after_ms: i64, now: Now) -> Option<UtcMillis> {
        let failing_ms = now.mono_ms.saturating_sub(self.since.mono_ms);
        (failing_ms >= GIVE_UP_GRACE_MS).then(|| now.utc.plus_millis(-give_up_after_ms))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use expect_test::expect;

    use super::*;

    const NOW: UtcMillis = UtcMillis(1_795_420_800_000);

    fn now(second: u64) -> Now {
        Now { utc: NOW.plus_millis(i64::try_from(second * 1000).unwrap()), mono_ms: second * 1000 }
    }

    fn failing(times: u32) -> Failing {
        Failing { times, since: now(0), why: String::new() }
    }

    #[test]
    fn only_what_the_receiver_will_never_take_is_given_up_at_once() {
        let mut text = String::new();
        for status in [200, 202, 204, 299, 301, 307, 400, 401, 404, 408, 410, 413, 422, 425, 429, 500, 503, 999] {
            writeln!(text, "{status} {}", Outcome::of(status, None, NOW).word()).unwrap();
        }
        expect![[r#"
            200 delivered
            202 delivered
            204 delivered
            299 delivered
            301 failed
            307 failed
            400 refused
            401 refused
            404 refused
            408 failed
            410 refused
            413 refused
            422 refused
            425 failed
            429 failed
            500 failed
            503 failed
            999 failed
        "#]]
        .assert_eq(&text);
    }

    #[test]
    fn what_a_receiver_asks_for_is_honoured_within_bounds() {
        let wait = |text: &str| match Outcome::of(503, Some(text), NOW) {
            Outcome::Failed { retry_after, .. } => failing(1).wait(retry_after, 0).as_secs(),
            Outcome::Delivered | Outcome::Refused { .. } => unreachable!("503 is a failure"),
        };
        assert_eq!(wait("17"), 17);
        assert_eq!(wait("0"), 1);
        assert_eq!(wait("86400"), 300);
        assert_eq!(wait("18446744073709551615"), 300);
        let date = |second: u64| {
            let at = jiff::Timestamp::from_millisecond(now(second).utc.0).unwrap();
            jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at).unwrap()
        };
        assert_eq!(wait(&date(90)), 90);
        let mut past = date(0);
        past.replace_range(past.len() - 12..past.len() - 10, "00");
        assert_eq!(wait(&past), 1, "{past}");
        assert_eq!(wait("soon"), 1, "our own wait");
    }

    #[test]
    fn waits_double_with_full_jitter_up_to_five_minutes() {
        let mut text = String::new();
        for times in [1, 2, 3, 8, 9, 1_000] {
            let waits: Vec<u128> =
                [0, u64::MAX / 2, u64::MAX].map(|draw| failing(times).wait(None, draw).as_millis()).to_vec();
            assert!(waits.iter().all(|wait| (1_000..=300_000).contains(wait)));
            let longest = (0..10_000).map(|draw| failing(times).wait(None, draw * 31).as_millis()).max();
            writeln!(text, "{times} up to {} s", longest.unwrap_or_default().div_ceil(1000)).unwrap();
        }
        expect![[r#"
            1 up to 2 s
            2 up to 4 s
            3 up to 8 s
            8 up to 60 s
            9 up to 60 s
            1000 up to 60 s
        "#]]
        .assert_eq(&text);
    }

    #[test]
    fn age_alone_gives_nothing_up_before_the_receiver_had_time_to_come_back() {
        let hour = 3_600_000;
        let first = Failing::again(None, "refused".to_owned(), now(0));
        let again = Failing::again(Some(first.clone()), "refused".to_owned(), now(599));
        assert_eq!((again.times, again.since), (2, now(0)));
        assert_eq!(first.gives_up_before(hour, now(599)), None);
        assert_eq!(first.gives_up_before(hour, now(600)), Some(now(600).utc.plus_millis(-hour)));
    }
}
