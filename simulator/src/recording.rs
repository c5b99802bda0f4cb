//! Recordings of HFP, one message a line: when it was received, its topic, its payload. Knows no file, and of the
//! payload only where its stamps are.

use jiff::{Timestamp, ToSpan};
use transit::{ServiceDate, UtcMillis};

use crate::dice::{Dice, Purpose};

/// Why a line is no recorded message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// No time of receipt at the beginning.
    #[error("does not begin with a time of receipt")]
    Receipt,
    /// No payload.
    #[error("has no payload: nothing begins with \" {{\"")]
    Payload,
}

/// A recorded message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedLine {
    /// When it was received.
    pub received_at: UtcMillis,
    /// The topic, which may hold spaces.
    pub topic: String,
    /// The payload, from the first brace on.
    pub payload: String,
}

impl RecordedLine {
    /// Reads a line `<time> <topic> <payload>`; the payload begins at the first ` {`.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub fn parse(line: &str) -> Result<Self, ReadError> {
        let (received, rest) = line.trim_end().split_once(' ').ok_or(ReadError::Receipt)?;
        let received: Timestamp = received.parse().or(Err(ReadError::Receipt))?;
        let (topic, payload) = rest.split_once(" {").ok_or(ReadError::Payload)?;
        let payload = format!("{{{payload}");
        Ok(Self { received_at: received.into(), topic: topic.to_owned(), payload })
    }

    /// Whether the topic holds `part`, or names the vehicle `operator/vehicle` given by it.
    pub fn is_about(&self, part: &str) -> bool {
        self.topic.contains(part)
    }
}

/// Moves recorded stamps by a whole number of seconds, so that an old recording reads as of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebase {
    seconds: i64,
}

impl Rebase {
    /// Moves `from` to `to`, as near as whole seconds come.
    pub fn between(from: UtcMillis, to: UtcMillis) -> Self {
        Self { seconds: to.since(from).div_euclid(1000) }
    }

    /// An instant, moved.
    pub fn instant(self, at: UtcMillis) -> UtcMillis {
        at.plus_millis(self.seconds * 1000)
    }

    /// A payload with `tst`, `tsi`, `ttarr`, `ttdep` and `oday` moved, and nothing else touched; the operating day
    /// moves by whole days.
    pub fn payload(self, payload: &str) -> String {
        let mut moved = payload.to_owned();
        for key in ["tst", "ttarr", "ttdep"] {
            moved = replace_text(moved, key, |text| self.stamp(text));
        }
        moved = replace_text(moved, "oday", |text| {
            let days = (self.seconds as f64 / 86_400.0).round() as i32;
            let date = ServiceDate::parse(text).ok()?;
            Some(ServiceDate(date.0.saturating_add(days.days())).to_string())
        });
        replace_number(moved, "tsi", |number| number + self.seconds)
    }

    fn stamp(self, text: &str) -> Option<String> {
        let moved = self.instant(UtcMillis::parse_rfc3339(text).ok()?).to_string();
        // As many decimals as there were: version 1 writes none.
        if text.contains('.') { Some(moved) } else { Some(moved.replace(".000Z", "Z")) }
    }
}

/// Replaces the text value of `"key":"..."`, where there is one and `with` has a better one.
fn replace_text(payload: String, key: &str, with: impl Fn(&str) -> Option<String>) -> String {
    let opening = format!("\"{key}\":\"");
    let replaced = payload.split_once(&opening).and_then(|(before, rest)| {
        let (value, after) = rest.split_once('"')?;
        Some(format!("{before}{opening}{}\"{after}", with(value)?))
    });
    replaced.unwrap_or(payload)
}

/// Replaces the whole number of `"key":123`, where there is one.
fn replace_number(payload: String, key: &str, with: impl Fn(i64) -> i64) -> String {
    let opening = format!("\"{key}\":");
    let replaced = payload.split_once(&opening).and_then(|(before, rest)| {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (value, after) = rest.split_at_checked(digits)?;
        Some(format!("{before}{opening}{}{after}", with(value.parse().ok()?)))
    });
    replaced.unwrap_or(payload)
}

/// Brings `items` into an order drawn from `seed`.
pub fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut dice = Dice::new(seed, Purpose::Shuffle, 0, 0);
    for last in (1..items.len()).rev() {
        items.swap(last, dice.below(last + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"2018-10-09T04:32:52.553716+0000 /hfp/v1/journey/ongoing/bus/0017/00031/1090/2/Vuosaari (M)/07:29/1542104/4/60;25/21/16/38 {"VP":{"desi":"90","tst":"2018-10-09T04:32:52Z","tsi":1539059572,"lat":60.213167,"oday":"2018-10-09","start":"07:29"}}"#;

    #[test]
    fn a_topic_may_hold_spaces_and_the_payload_begins_at_its_brace() {
        let line = RecordedLine::parse(LINE).unwrap();
        assert_eq!(line.received_at.to_string(), "2018-10-09T04:32:52.553Z");
        assert!(line.topic.ends_with("/Vuosaari (M)/07:29/1542104/4/60;25/21/16/38"));
        assert!(line.payload.starts_with(r#"{"VP":{"desi""#) && line.payload.ends_with("}}"));
        assert!(line.is_about("0017/00031") && !line.is_about("0018/"));
    }

    #[test]
    fn what_is_no_message_says_why() {
        assert_eq!(RecordedLine::parse(""), Err(ReadError::Receipt));
        assert_eq!(RecordedLine::parse("now /a {}"), Err(ReadError::Receipt));
        assert_eq!(RecordedLine::parse("2018-10-09T04:32:52Z /a"), Err(ReadError::Payload));
    }

    #[test]
    fn rebasing_moves_the_stamps_and_nothing_else() {
        let line = RecordedLine::parse(LINE).unwrap();
        let to = UtcMillis::parse_rfc3339("2026-11-24T10:00:00.000Z").unwrap();
        let rebase = Rebase::between(line.received_at, to);
        assert_eq!(
            rebase.payload(&line.payload),
            r#"{"VP":{"desi":"90","tst":"2026-11-24T09:59:59Z","tsi":1795514399,"lat":60.213167,"oday":"2026-11-24","start":"07:29"}}"#
        );
        assert_eq!(rebase.payload(r#"{"VP":{"tst":null,"tsi":"x"}}"#), r#"{"VP":{"tst":null,"tsi":"x"}}"#);
    }

    #[test]
    fn a_shuffle_is_a_permutation_and_repeats() {
        let mut items: Vec<u32> = (0..100).collect();
        let mut again = items.clone();
        shuffle(&mut items, 5);
        shuffle(&mut again, 5);
        assert_eq!(items, again);
        again.sort_unstable();
        assert!(items != again && again == (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn every_line_of_the_real_recordings_is_read() {
        let folder = std::env::var("TOPIS_RECORDINGS")
            .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data").to_owned());
        let read = |file: &str| std::fs::read_to_string(format!("{folder}/hfp/{file}")).ok();
        let Some(burst) = read("hsl-v1-fleet-burst-5000.txt") else {
            use std::io::Write as _;
            writeln!(std::io::stderr(), "SKIPPED: recordings not present ({folder})").unwrap();
            return;
        };
        assert_eq!(burst.lines().filter(|line| RecordedLine::parse(line).is_ok()).count(), 5000);
        for folder in ["v2-currentStopNull", "v2-serviceJourneyChangeSameStop", "v2-stopChange"] {
            let dump = read(&format!("{folder}/hfp.dump")).unwrap();
            assert!(dump.lines().all(|line| RecordedLine::parse(line).is_ok()), "{folder}");
        }
    }
}
