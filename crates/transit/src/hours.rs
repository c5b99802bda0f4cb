//! Hours of service by day of the week, in the zone of the timetable. A span may run past midnight, as service does.

use jiff::{civil::Weekday, tz::TimeZone};

use crate::UtcMillis;

const MINUTE_MS: i64 = 60_000;
const DAY_MIN: i64 = 24 * 60;
/// A span ends at the latest this many minutes after the midnight of the day it begins on.
const END_MAX_MIN: i64 = 2 * DAY_MIN;
/// Days by their two letters, Monday first.
const DAYS: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];
/// Spans that lie side by side are followed back this far, in milliseconds: service around the clock has no beginning.
const FOLLOWED_MAX_MS: i64 = 8 * DAY_MIN * MINUTE_MS;

/// Why a text is no hours of service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// Nothing was given.
    #[error("are empty; write them like [\"Mo-Fr 04:30-25:30\", \"Sa,Su 05:00-24:00\"]")]
    Empty,
    /// Not days and a span.
    #[error("hold {0:?}, which is no span; write it like \"Mo-Fr 04:30-25:30\" or \"04:30-01:30\"")]
    Span(String),
    /// Not a day.
    #[error("hold {0:?}, which is no day; there are Mo, Tu, We, Th, Fr, Sa, Su, as a list Mo,We or a range Mo-Fr")]
    Day(String),
    /// Not a time of service.
    #[error("hold {0:?}, which is no time; write it like 04:30, and 25:30 for half past one of the next day")]
    Time(String),
}

/// When service is expected.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceHours {
    zone: TimeZone,
    spans: Vec<Span>,
}

/// Minutes after midnight of each of these days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    days: [bool; 7],
    from_min: i64,
    to_min: i64,
}

impl ServiceHours {
    /// Reads spans such as `Mo-Fr 04:30-25:30` or `04:30-01:30`, the latter for every day. An end that is not after
    /// the beginning is of the next day.
    ///
    /// # Errors
    /// The first text that is none, with the way to write it.
    pub fn parse<T: AsRef<str>>(texts: &[T], zone: TimeZone) -> Result<Self, HoursError> {
        let spans = texts.iter().map(|text| Span::parse(text.as_ref().trim())).collect::<Result<Vec<_>, _>>()?;
        if spans.is_empty() { Err(HoursError::Empty) } else { Ok(Self { zone, spans }) }
    }

    /// Milliseconds for which service has been on at `at` without a break; `None` while it is off.
    pub fn open_for_ms(&self, at: UtcMillis) -> Option<i64> {
        let mut since = self.open_since(at)?;
        while at.since(since) < FOLLOWED_MAX_MS {
            // What ends where this begins is the same stretch of service.
            match self.open_since(since.plus_millis(-1)) {
                Some(earlier) if earlier < since => since = earlier,
                Some(_) | None => break,
            }
        }
        Some(at.since(since))
    }

    /// The earliest beginning among the spans that hold `at`.
    fn open_since(&self, at: UtcMillis) -> Option<UtcMillis> {
        let local = at.timestamp().to_zoned_datetime(self.zone.clone());
        let (time, today) = (local.time(), local.date().weekday());
        let into_min_ms = i64::from(time.second()) * 1000 + i64::from(time.millisecond());
        let minute = i64::from(time.hour()) * 60 + i64::from(time.minute());
        let began = |days_ago: i64, day: Weekday| {
            let now_min = minute + days_ago * DAY_MIN;
            let holds = move |span: &&Span| span.is_on(day) && span.from_min <= now_min && now_min < span.to_min;
            let open = self.spans.iter().filter(holds).map(|span| span.from_min).min()?;
            Some(at.plus_millis(-(now_min - open) * MINUTE_MS - into_min_ms))
        };
        began(0, today).into_iter().chain(began(1, today.previous())).min()
    }
}

impl Span {
    fn parse(text: &str) -> Result<Self, HoursError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (days, times) = match *words.as_slice() {
            [times] => ([true; 7], times),
            [days, times] => (days_of(days)?, times),
            _ => return Err(HoursError::Span(text.to_owned())),
        };
        let (from, to) = times.split_once('-').ok_or_else(|| HoursError::Span(text.to_owned()))?;
        let (from_min, to_min) = (minutes_of(from)?, minutes_of(to)?);
        if from_min >= DAY_MIN {
            return Err(HoursError::Time(from.to_owned()));
        }
        let to_min = if to_min <= from_min { to_min + DAY_MIN } else { to_min };
        Ok(Self { days, from_min, to_min })
    }

    fn is_on(&self, day: Weekday) -> bool {
        usize::try_from(day.to_monday_zero_offset()).is_ok_and(|at| self.days.get(at).is_some_and(|on| *on))
    }
}

fn days_of(text: &str) -> Result<[bool; 7], HoursError> {
    let day = |name: &str| {
        let known = DAYS.iter().position(|day| day.eq_ignore_ascii_case(name));
        known.ok_or_else(|| HoursError::Day(name.to_owned()))
    };
    let mut days = [false; 7];
    for part in text.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (mut at, last) = (day(from)?, day(to)?);
        days[at] = true;
        while at != last {
            at = (at + 1) % days.len();
            days[at] = true;
        }
    }
    Ok(days)
}

fn minutes_of(text: &str) -> Result<i64, HoursError> {
    let wrong = || HoursError::Time(text.to_owned());
    let (hours, minutes) = text.split_once(':').ok_or_else(wrong)?;
    let number = |digits: &str, max: i64| {
        let short = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse().ok().filter(|n: &i64| short && *n <= max).ok_or_else(wrong)
    };
    let minutes = number(hours, END_MAX_MIN / 60)? * 60 + number(minutes, 59)?;
    if minutes <= END_MAX_MIN { Ok(minutes) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_for_s(hours: &[&str], at: &str) -> Option<i64> {
        let seoul = TimeZone::get("Asia/Seoul").unwrap();
        let hours = ServiceHours::parse(hours, seoul).unwrap();
        hours.open_for_ms(UtcMillis::parse_rfc3339(at).unwrap()).map(|ms| ms / 1000)
    }

    #[test]
    fn a_span_runs_past_midnight_in_the_zone_of_the_timetable() {
        for hours in ["Mo-Su 04:30-01:30", "04:30-25:30"] {
            for (at, seconds) in [
                ("2026-11-23T04:29:59+09:00", None),
                ("2026-11-23T04:30:00+09:00", Some(0)),
                ("2026-11-23T04:30:07.500+09:00", Some(7)),
                ("2026-11-24T01:29:59+09:00", Some(21 * 3600 - 1)),
                ("2026-11-24T01:30:00+09:00", None),
            ] {
                assert_eq!(open_for_s(&[hours], at), seconds, "{hours} at {at}");
            }
        }
    }

    #[test]
    fn days_are_those_on_which_a_span_begins() {
        let hours = ["Fr,Sa 22:00-26:00", "Su-Mo 06:00-07:00"];
        // 2026-11-27 is a Friday.
        for (at, open) in [
            ("2026-11-26T23:00:00+09:00", false),
            ("2026-11-28T01:59:00+09:00", true),
            ("2026-11-29T01:59:00+09:00", true),
            ("2026-11-30T01:00:00+09:00", false),
            ("2026-11-30T06:30:00+09:00", true),
            ("2026-12-01T06:30:00+09:00", false),
        ] {
            assert_eq!(open_for_s(&hours, at).is_some(), open, "{at}");
        }
    }

    #[test]
    fn spans_side_by_side_are_one_stretch_and_around_the_clock_has_no_beginning() {
        let hours = ["Mo 06:00-24:00", "Tu 00:00-10:00"];
        assert_eq!(open_for_s(&hours, "2026-11-24T00:00:00+09:00"), Some(18 * 3600));
        assert_eq!(open_for_s(&hours, "2026-11-24T09:00:00+09:00"), Some(27 * 3600));
        assert!(open_for_s(&["00:00-24:00"], "2026-11-24T00:00:00+09:00").is_some_and(|s| s > 7 * 86_400));
    }

    #[test]
    fn what_is_no_hours_is_told_with_the_way_to_write_it() {
        let refused = |texts: &[&str]| ServiceHours::parse(texts, TimeZone::UTC).unwrap_err().to_string();
        assert!(refused(&[]).starts_with("are empty"));
        assert!(refused(&["always"]).contains("\"always\", which is no span"));
        assert!(refused(&["Mo-Xx 04:30-05:00"]).contains("\"Xx\", which is no day"));
        assert!(refused(&["04:30-49:00"]).contains("\"49:00\", which is no time"));
        assert!(refused(&["4.30-5.00"]).contains("\"4.30\", which is no time"));
        assert!(refused(&["24:30-25:00"]).contains("\"24:30\", which is no time"));
    }
}
