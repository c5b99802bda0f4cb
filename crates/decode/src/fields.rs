//! What a field may hold: from [`Raw`] values to the field's types, every refusal noted.
//!
//! A field that holds something it cannot is lost alone: the note says what was found and how to repair it, and the
//! rest of the message is used. Knows the types of `transit`, no format.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use transit::{Fix, Flaw, IdError, TimeError, UtcMillis, Word};

use crate::{
    Grade, Problem, ProblemCode,
    json::{Raw, Unknown},
};

/// Notes kept of one frame; a payload of thousands of entities may have something wrong with each.
const NOTES_KEPT: usize = 100;

/// What was wrong with one frame, as it is found.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) problems: Vec<Problem>,
    pub(crate) unknown_fields: u32,
}

impl Notes {
    fn note(&mut self, grade: Grade, code: ProblemCode, field: Option<&str>, detail: String) {
        if self.problems.len() < NOTES_KEPT {
            self.problems.push(Problem { grade, code, field: field.map(str::to_owned), detail });
        }
    }

    /// Something is odd; all that could be used was.
    pub(crate) fn warn(&mut self, code: ProblemCode, field: &str, detail: impl Into<String>) {
        self.note(Grade::Warning, code, Some(field), detail.into());
    }

    /// The message, or one entity of it, is lost.
    pub(crate) fn reject(&mut self, code: ProblemCode, field: Option<&str>, detail: impl Into<String>) {
        self.note(Grade::Reject, code, field, detail.into());
    }

    fn bad(&mut self, field: &str, found: &Raw<'_>, wanted: &str) {
        self.warn(ProblemCode::BadField, field, format!("{found} is not {wanted}"));
    }

    /// A finite number within bounds.
    pub(crate) fn number(&mut self, field: &str, raw: &Raw<'_>, bounds: RangeInclusive<f64>) -> Option<f64> {
        let number = match raw {
            Raw::Absent => return None,
            Raw::Unsigned(n) => *n as f64,
            Raw::Signed(n) => *n as f64,
            Raw::Float(n) => *n,
            Raw::Text(t) if t.trim().parse::<f64>().is_ok() => {
                self.bad(field, raw, "a number; write it without quotes");
                return None;
            }
            Raw::Bool(_) | Raw::Text(_) | Raw::List(_) | Raw::Object => {
                self.bad(field, raw, "a number");
                return None;
            }
        };
        if bounds.contains(&number) {
            Some(number)
        } else {
            self.bad(field, raw, &format!("within {} to {}", bounds.start(), bounds.end()));
            None
        }
    }

    /// As [`Self::number`], rounded to a whole one.
    pub(crate) fn whole(&mut self, field: &str, raw: &Raw<'_>, bounds: RangeInclusive<i32>) -> Option<i32> {
        let (from, to) = (f64::from(*bounds.start()), f64::from(*bounds.end()));
        self.number(field, raw, from..=to).map(|n| n.round() as i32)
    }

    /// A count from 0 up, as a number or as decimal text (not every language can write 64 bits as a number).
    pub(crate) fn counter(&mut self, field: &str, raw: &Raw<'_>) -> Option<u64> {
        let counter = match raw {
            Raw::Absent => return None,
            Raw::Unsigned(n) => Some(*n),
            Raw::Text(t) if t.bytes().all(|b| b.is_ascii_digit()) => t.parse().ok(),
            Raw::Bool(_) | Raw::Signed(_) | Raw::Float(_) | Raw::Text(_) | Raw::List(_) | Raw::Object => None,
        };
        if counter.is_none() {
            self.bad(field, raw, "a whole number from 0 to 18446744073709551615");
        }
        counter
    }

    /// True or false.
    pub(crate) fn flag(&mut self, field: &str, raw: &Raw<'_>) -> Option<bool> {
        match raw {
            Raw::Absent => None,
            Raw::Bool(b) => Some(*b),
            Raw::Unsigned(_) | Raw::Signed(_) | Raw::Float(_) | Raw::Text(_) | Raw::List(_) | Raw::Object => {
                self.bad(field, raw, "true or false");
                None
            }
        }
    }

    /// A text that names something: a whole number stands for its decimal digits, an empty text for null.
    pub(crate) fn name<'r>(&mut self, field: &str, raw: &'r Raw<'_>) -> Option<Cow<'r, str>> {
        match raw {
            Raw::Absent => None,
            Raw::Text(t) if t.is_empty() => None,
            Raw::Text(t) => Some(Cow::Borrowed(t)),
            Raw::Unsigned(n) => Some(Cow::Owned(n.to_string())),
            Raw::Signed(n) => Some(Cow::Owned(n.to_string())),
            Raw::Bool(_) | Raw::Float(_) | Raw::List(_) | Raw::Object => {
                self.bad(field, raw, "a text");
                None
            }
        }
    }

    /// An id.
    pub(crate) fn id<T>(
        &mut self,
        field: &str,
        raw: &Raw<'_>,
        parse: impl FnOnce(&str) -> Result<T, IdError>,
    ) -> Option<T> {
        let name = self.name(field, raw)?;
        parse(&name).map_err(|e| self.warn(ProblemCode::BadField, field, format!("{raw} {e}"))).ok()
    }

    /// What a parser of `transit` reads from a text.
    pub(crate) fn parsed<T>(
        &mut self,
        field: &str,
        raw: &Raw<'_>,
        parse: impl FnOnce(&str) -> Result<T, TimeError>,
    ) -> Option<T> {
        match raw {
            Raw::Absent => None,
            Raw::Text(t) => parse(t).map_err(|e| self.warn(ProblemCode::BadField, field, format!("{raw} {e}"))).ok(),
            Raw::Bool(_) | Raw::Unsigned(_) | Raw::Signed(_) | Raw::Float(_) | Raw::List(_) | Raw::Object => {
                self.bad(field, raw, "a text");
                None
            }
        }
    }

    /// A word of a vocabulary, in any case.
    pub(crate) fn word<W: Word>(&mut self, field: &str, raw: &Raw<'_>) -> Option<W> {
        self.word_by(field, raw, W::find)
    }

    /// A word of a vocabulary that reads more spellings than its own.
    pub(crate) fn word_by<W: Word>(
        &mut self,
        field: &str,
        raw: &Raw<'_>,
        find: impl FnOnce(&str) -> Option<W>,
    ) -> Option<W> {
        let text = match raw {
            Raw::Absent => return None,
            Raw::Text(t) => t,
            Raw::Bool(_) | Raw::Unsigned(_) | Raw::Signed(_) | Raw::Float(_) | Raw::List(_) | Raw::Object => {
                self.bad(field, raw, "a word");
                return None;
            }
        };
        let word = find(text);
        if word.is_none() {
            let known: Vec<&str> = W::ALL.iter().map(|w| w.word()).collect();
            self.warn(ProblemCode::UnknownWord, field, format!("{raw} is none of {}", known.join(", ")));
        }
        word
    }

    /// An instant; a refusal is returned and not noted, because only the caller knows what is lost with it.
    pub(crate) fn instant(raw: &Raw<'_>) -> Result<Option<UtcMillis>, Problem> {
        let read = match raw {
            Raw::Absent => return Ok(None),
            Raw::Unsigned(n) => UtcMillis::parse_epoch(*n as f64),
            Raw::Signed(n) => UtcMillis::parse_epoch(*n as f64),
            Raw::Float(n) => UtcMillis::parse_epoch(*n),
            Raw::Text(t) => UtcMillis::parse_rfc3339(t),
            Raw::Bool(_) | Raw::List(_) | Raw::Object => Err(TimeError::Unreadable),
        };
        read.map(Some).map_err(|e| {
            let quoted = matches!(raw, Raw::Text(t) if t.trim().parse::<f64>().is_ok());
            let hint = if quoted { "; write an epoch number without quotes" } else { "" };
            let code = if e == TimeError::Naive { ProblemCode::NaiveTime } else { ProblemCode::BadField };
            Problem { grade: Grade::Warning, code, field: None, detail: format!("{raw} {e}{hint}") }
        })
    }

    /// An instant that the message can do without.
    pub(crate) fn optional_instant(&mut self, field: &str, raw: &Raw<'_>) -> Option<UtcMillis> {
        Self::instant(raw).unwrap_or_else(|problem| {
            self.warn(problem.code, field, problem.detail);
            None
        })
    }

    /// An instant without which there is no message: its absence or refusal is a reject.
    pub(crate) fn required_instant(&mut self, field: &str, raw: &Raw<'_>) -> Option<UtcMillis> {
        match Self::instant(raw) {
            Ok(Some(instant)) => Some(instant),
            Ok(None) => {
                self.reject(
                    ProblemCode::MissingField,
                    Some(field),
                    "is required; write it like 2026-11-23T08:00:00.000Z or as epoch seconds",
                );
                None
            }
            Err(problem) => {
                self.reject(problem.code, Some(field), problem.detail);
                None
            }
        }
    }

    /// A fix from its two numbers; `None` when neither is given, or one of them cannot be used.
    pub(crate) fn fix(&mut self, names: [&str; 2], lat: &Raw<'_>, lon: &Raw<'_>) -> Option<Fix> {
        if !lat.is_present() && !lon.is_present() {
            return None;
        }
        let any = f64::NEG_INFINITY..=f64::INFINITY;
        for (name, other, raw) in [(names[0], names[1], lat), (names[1], names[0], lon)] {
            if !raw.is_present() {
                self.warn(ProblemCode::BadField, name, format!("is missing beside {other}: no position was taken"));
                return None;
            }
        }
        let lat = self.number(names[0], lat, any.clone());
        let lon = self.number(names[1], lon, any);
        let fix = Fix::at(lat?, lon?);
        self.flaw(names[0], &fix);
        Some(fix)
    }

    /// Notes what is wrong with a fix's numbers.
    pub(crate) fn flaw(&mut self, field: &str, fix: &Fix) {
        let detail = match fix.flaw {
            None => return,
            Some(Flaw::NullIsland) => "0, 0 is where broken receivers report",
            Some(Flaw::NotFinite) => "is not a finite number",
            Some(Flaw::OutOfRange) => "the coordinates are off the globe",
            Some(Flaw::SwappedAxes) => "the coordinates are off the globe; latitude and longitude may be swapped",
        };
        self.warn(ProblemCode::BadPosition, field, detail);
    }

    /// Degrees clockwise from north, 0..360; a full turn is north.
    pub(crate) fn bearing(&mut self, field: &str, raw: &Raw<'_>) -> Option<f32> {
        self.number(field, raw, 0.0..=360.0).map(|degrees| if degrees >= 360.0 { 0.0 } else { degrees as f32 })
    }

    /// Counts the fields that nobody knows and names the ones that look misspelled.
    pub(crate) fn unknown(&mut self, unknown: &Unknown<'_>, known: &[&str]) {
        self.unknown_fields = self.unknown_fields.saturating_add(unknown.count);
        for name in &unknown.names {
            if let Some(meant) = nearest(name, known, 2) {
                let shown: String = name.chars().take(64).collect();
                self.warn(ProblemCode::MisspelledField, &shown, format!("is not known; did you mean {meant}?"));
            }
        }
    }
}

/// The candidate within `edits` of `text`, the nearest first; never one that shares nothing with it.
pub(crate) fn nearest<'k>(text: &str, candidates: &[&'k str], edits: usize) -> Option<&'k str> {
    // Length bounds the distance from below: most candidates cost nothing.
    candidates
        .iter()
        .filter(|c| c.len().abs_diff(text.len()) <= edits)
        .map(|c| (strsim::levenshtein(c, text), *c))
        .filter(|(distance, c)| *distance <= edits && *distance < c.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}

/// Free text fit for a display: no control or direction-changing characters, at most `max` characters.
pub(crate) fn clean(text: &str, max: usize) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\n' | '\r' | '\t' => Some(' '),
            c if c.is_control() || turns_text(c) => None,
            c => Some(c),
        })
        .take(max)
        .collect()
}

/// Characters that reorder what stands around them.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The head of a body as text of at most `max` characters, what cannot be shown escaped.
pub(crate) fn head(payload: &[u8], max: usize) -> String {
    // Four bytes a character at most, and a margin for the one that is cut in two.
    let bytes = payload.get(..max.saturating_mul(4)).unwrap_or(payload);
    let mut shown = String::new();
    let mut count = 0;
    for c in String::from_utf8_lossy(bytes).chars() {
        let escaped = c.is_control() || turns_text(c);
        count += if escaped { c.escape_default().count() } else { 1 };
        if count > max {
            break;
        }
        if escaped {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_bounded_and_shows_no_control_characters() {
        assert_eq!(head(b"a\nb\x1b\xff", 256), "a\\nb\\u{1b}\u{fffd}");
        assert_eq!(head("ä".repeat(300).as_bytes(), 256).chars().count(), 256);
        assert_eq!(head("\u{202e}x".as_bytes(), 256), "\\u{202e}x");
    }

    #[test]
    fn cleaned_text_cannot_reorder_a_display() {
        assert_eq!(clean("a\u{202e}b\0c\nd", 10), "abc d");
        assert_eq!(clean(&"서".repeat(9), 3), "서서서");
    }

    #[test]
    fn the_nearest_name_is_within_two_edits() {
        assert_eq!(nearest("route_Id", &["trip_id", "route_id"], 2), Some("route_id"));
        assert_eq!(nearest("temperature", &["trip_id", "route_id"], 2), None);
        assert_eq!(nearest("x", &["lat"], 2), None);
    }
}
