//! Instants, service days and times of service. Nothing here reads a clock: `now` arrives as an argument.

use std::fmt;

use jiff::{Timestamp, civil};

/// Why a text is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// No offset: a naive time means a different instant to everybody who reads it.
    #[error("has no UTC offset; write it like 2026-11-23T08:00:00Z or 2026-11-23T17:00:00+09:00")]
    Naive,
    /// Not a time at all.
    #[error("is no RFC 3339 time and no epoch seconds or milliseconds")]
    Unreadable,
    /// Not YYYY-MM-DD or YYYYMMDD.
    #[error("is no date; write it like 2026-11-23")]
    Date,
    /// Not HH:MM or HH:MM:SS.
    #[error("is no time of service; write it like 25:10:00")]
    ServiceTime,
}

/// An instant in UTC, milliseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct UtcMillis(pub i64);

impl UtcMillis {
    /// Reads RFC 3339 with any offset.
    ///
    /// # Errors
    /// [`TimeError::Naive`] when only the offset is missing, else [`TimeError::Unreadable`].
    pub fn parse_rfc3339(text: &str) -> Result<Self, TimeError> {
        match text.parse::<Timestamp>() {
            Ok(t) => Ok(Self(t.as_millisecond())),
            Err(_) if text.parse::<civil::DateTime>().is_ok() => Err(TimeError::Naive),
            Err(_) => Err(TimeError::Unreadable),
        }
    }

    /// Reads an epoch number: seconds below 10^11, milliseconds from there on. 10^11 s is the year 5138 and
    /// 10^11 ms is March 1973, so that no plausible stamp is ambiguous.
    ///
    /// # Errors
    /// Not finite, or outside the years that can be written.
    pub fn parse_epoch(number: f64) -> Result<Self, TimeError> {
        let millis = if number.abs() < 1e11 { number * 1000.0 } else { number };
        if !millis.is_finite() || millis.abs() > 2.5e14 {
            return Err(TimeError::Unreadable);
        }
        Ok(Self(millis.round() as i64))
    }

    /// Milliseconds from `earlier` to `self`; negative when `self` is before it.
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// `self` moved by milliseconds.
    pub fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// As the library's instant; the nearest representable one when out of its range.
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 { Timestamp::MIN } else { Timestamp::MAX })
    }
}

impl From<Timestamp> for UtcMillis {
    fn from(t: Timestamp) -> Self {
        Self(t.as_millisecond())
    }
}

/// RFC 3339 in UTC with `Z` and always three decimals.
impl fmt::Display for UtcMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.timestamp())
    }
}

impl fmt::Debug for UtcMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The instant a step happens at: the wall clock for records and people, the monotonic one for timers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Wall clock.
    pub utc: UtcMillis,
    /// Milliseconds on a clock that never jumps; only differences mean anything.
    pub mono_ms: u64,
}

/// A GTFS service day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceDate(pub civil::Date);

impl ServiceDate {
    /// Reads `YYYY-MM-DD` or GTFS's `YYYYMMDD`.
    ///
    /// # Errors
    /// [`TimeError::Date`].
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let bytes = text.as_bytes();
        let digits = |from: usize, to: usize| -> Result<i16, TimeError> {
            let part = text.get(from..to).ok_or(TimeError::Date)?;
            if part.bytes().all(|b| b.is_ascii_digit()) {
                part.parse().or(Err(TimeError::Date))
            } else {
                Err(TimeError::Date)
            }
        };
        let (month, day) = match bytes.len() {
            8 => (digits(4, 6)?, digits(6, 8)?),
            10 if bytes[4] == b'-' && bytes[7] == b'-' => (digits(5, 7)?, digits(8, 10)?),
            _ => return Err(TimeError::Date),
        };
        let narrow = |n: i16| i8::try_from(n).or(Err(TimeError::Date));
        civil::Date::new(digits(0, 4)?, narrow(month)?, narrow(day)?).map(Self).or(Err(TimeError::Date))
    }
}

/// `YYYY-MM-DD`.
impl fmt::Display for ServiceDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Seconds from noon minus 12 h of the service day; may pass 24:00:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceTime(pub u32);

impl ServiceTime {
    /// Reads `H:MM`, `HH:MM` or `HH:MM:SS`, up to 99:59:59.
    ///
    /// # Errors
    /// [`TimeError::ServiceTime`].
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let mut parts = text.split(':');
        let mut next = |max: u32, required: bool| match parts.next() {
            Some(p) if (1..=2).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit()) => {
                p.parse::<u32>().ok().filter(|n| *n <= max).ok_or(TimeError::ServiceTime)
            }
            None if !required => Ok(0),
            _ => Err(TimeError::ServiceTime),
        };
        let seconds = next(99, true)? * 3600 + next(59, true)? * 60 + next(59, false)?;
        if parts.next().is_some() { Err(TimeError::ServiceTime) } else { Ok(Self(seconds)) }
    }
}

/// `HH:MM:SS`.
impl fmt::Display for ServiceTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}:{:02}", self.0 / 3600, self.0 / 60 % 60, self.0 % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_with_any_offset_and_written_in_utc() {
        let t = UtcMillis::parse_rfc3339("2026-11-23T17:00:00+09:00").unwrap();
        assert_eq!(t.to_string(), "2026-11-23T08:00:00.000Z");
        assert_eq!(UtcMillis::parse_epoch(1_795_420_800.0), UtcMillis::parse_epoch(1_795_420_800_000.0));
    }

    #[test]
    fn a_naive_time_is_refused_as_naive() {
        assert_eq!(UtcMillis::parse_rfc3339("2026-11-23T17:00:00"), Err(TimeError::Naive));
        assert_eq!(UtcMillis::parse_rfc3339("yesterday"), Err(TimeError::Unreadable));
        assert_eq!(UtcMillis::parse_epoch(1e39), Err(TimeError::Unreadable));
    }

    #[test]
    fn service_times_pass_midnight() {
        assert_eq!(ServiceTime::parse("25:10:00").unwrap().to_string(), "25:10:00");
        assert_eq!(ServiceTime::parse("7:05").unwrap(), ServiceTime(25_500));
        for bad in ["", "7", "7:60", "7:05:99", "1:2:3:4", "-1:00"] {
            assert_eq!(ServiceTime::parse(bad), Err(TimeError::ServiceTime), "{bad}");
        }
    }

    #[test]
    fn both_date_forms_are_read() {
        assert_eq!(ServiceDate::parse("20261123"), ServiceDate::parse("2026-11-23"));
        for bad in ["2026-13-01", "2026-02-30", "26-1-1", "2026/11/23", "2026112ä"] {
            assert_eq!(ServiceDate::parse(bad), Err(TimeError::Date), "{bad}");
        }
    }
}
