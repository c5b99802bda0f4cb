//! Topic filters: which topics they match and which other filters they contain.
//!
//! Knows the MQTT rules for `+`, `#` and `$`, and nothing of what the topics are for.

use std::{fmt, sync::Arc};

use crate::TopicTest;

/// Why a text is no topic filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Nothing in it.
    #[error("the topic filter is empty")]
    Empty,
    /// `#` not alone in the last level.
    #[error("in `{0}` the `#` must stand alone in the last level")]
    Hash(String),
    /// `+` sharing a level with something else.
    #[error("in `{0}` the `+` must stand alone in its level")]
    Plus(String),
    /// A NUL, which MQTT forbids.
    #[error("the topic filter holds a NUL character")]
    Nul,
}

/// A valid topic filter.
#[derive(Clone, PartialEq, Eq)]
pub struct Filter(Box<str>);

impl Filter {
    /// Takes `text` as it is.
    ///
    /// # Errors
    /// See [`FilterError`].
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        if text.is_empty() {
            return Err(FilterError::Empty);
        }
        if text.contains('\0') {
            return Err(FilterError::Nul);
        }
        let mut levels = text.split('/').peekable();
        while let Some(level) = levels.next() {
            if level.contains('#') && (level != "#" || levels.peek().is_some()) {
                return Err(FilterError::Hash(text.to_owned()));
            }
            if level.contains('+') && level != "+" {
                return Err(FilterError::Plus(text.to_owned()));
            }
        }
        Ok(Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a message published to `topic` is delivered to this filter.
    pub fn matches(&self, topic: &str) -> bool {
        // A leading wildcard does not see the broker's own `$` topics [MQTT-4.7.2-1].
        if topic.starts_with('$') && self.0.starts_with(['+', '#']) {
            return false;
        }
        let mut topic = topic.split('/');
        for level in self.0.split('/') {
            if level == "#" {
                return true;
            }
            match topic.next() {
                Some(found) if level == "+" || level == found => {}
                Some(_) | None => return false,
            }
        }
        topic.next().is_none()
    }

    /// Whether every topic that `other` matches is matched by this filter too.
    pub fn covers(&self, other: &Self) -> bool {
        if other.0.starts_with('$') && self.0.starts_with(['+', '#']) {
            return false;
        }
        let mut theirs = other.0.split('/');
        for level in self.0.split('/') {
            if level == "#" {
                return true;
            }
            match theirs.next() {
                Some("#") | None => return false,
                Some(found) if level == "+" || level == found => {}
                Some(_) => return false,
            }
        }
        theirs.next().is_none()
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

/// The question whether any of `filters` matches a topic. One table of filters can so tell the emergency session what
/// to subscribe to, the embedded broker what is an emergency, and the telemetry session what to leave alone.
///
/// # Errors
/// The first text that is no filter.
pub fn any_of(filters: &[String]) -> Result<TopicTest, FilterError> {
    let filters = table(filters)?;
    Ok(Arc::new(move |topic| filters.iter().any(|filter| filter.matches(topic))))
}

/// Parses `texts` and leaves out every filter that another one covers: a broker may deliver once per matching
/// subscription, and a message need not arrive twice.
///
/// # Errors
/// The first text that is no filter.
pub(crate) fn table(texts: &[String]) -> Result<Vec<Filter>, FilterError> {
    let mut kept: Vec<Filter> = Vec::new();
    for text in texts {
        let filter = Filter::parse(text)?;
        if !kept.iter().any(|other| other.covers(&filter)) {
            kept.retain(|other| !filter.covers(other));
            kept.push(filter);
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(text: &str) -> Filter {
        Filter::parse(text).unwrap()
    }

    #[test]
    fn filters_match_as_mqtt_says() {
        for (pattern, topic, expected) in [
            ("a/b", "a/b", true),
            ("a/b", "a/b/c", false),
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("a/#", "ab", false),
            ("a/+/c", "a/b/c", true),
            ("a/+/c", "a//c", true),
            ("a/+", "a/b/c", false),
            ("/hfp/v2/#", "/hfp/v2/journey/ongoing", true),
            ("/hfp/v2/#", "hfp/v2/journey", false),
            ("#", "$SYS/uptime", false),
            ("+/uptime", "$SYS/uptime", false),
            ("$SYS/#", "$SYS/uptime", true),
        ] {
            assert_eq!(filter(pattern).matches(topic), expected, "{pattern} on {topic}");
        }
    }

    #[test]
    fn a_filter_covers_what_it_contains_and_nothing_else() {
        for (outer, inner, expected) in [
            ("a/#", "a/b/+", true),
            ("a/#", "a/#", true),
            ("a/+", "a/b", true),
            ("a/+", "a/#", false),
            ("a/b", "a/+", false),
            ("#", "a/#", true),
            ("#", "$SYS/#", false),
            ("a/+/c", "a/b/c/d", false),
        ] {
            assert_eq!(filter(outer).covers(&filter(inner)), expected, "{outer} over {inner}");
        }
    }

    #[test]
    fn a_wrong_filter_is_refused_with_its_fault() {
        assert_eq!(Filter::parse(""), Err(FilterError::Empty));
        assert_eq!(Filter::parse("a/#/b"), Err(FilterError::Hash("a/#/b".to_owned())));
        assert_eq!(Filter::parse("a#"), Err(FilterError::Hash("a#".to_owned())));
        assert_eq!(Filter::parse("a/b+"), Err(FilterError::Plus("a/b+".to_owned())));
        assert_eq!(Filter::parse("a\0"), Err(FilterError::Nul));
    }

    #[test]
    fn one_table_answers_what_is_an_emergency() {
        let is_emergency = any_of(&["topis/v1/vehicle/+/+/alarm", "topis/v1/incident/#"].map(str::to_owned)).unwrap();
        assert!(is_emergency("topis/v1/vehicle/a/1/alarm") && is_emergency("topis/v1/incident/police/7"));
        assert!(!is_emergency("topis/v1/vehicle/a/1/position"));
    }

    #[test]
    fn the_subscription_table_asks_for_nothing_twice() {
        let texts = ["topis/v1/gtfs-rt/#", "/hfp/v2/#", "topis/#", "topis/v1/x"].map(str::to_owned);
        assert_eq!(table(&texts).unwrap(), [filter("/hfp/v2/#"), filter("topis/#")]);
    }
}
