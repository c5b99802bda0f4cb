//! MQTT filters and topics: which filter matches, and which topic somebody probably meant.
//!
//! Knows no feed and no format.

/// One level of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Level {
    Literal(String),
    /// `+`
    Any,
}

/// A parsed MQTT filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    levels: Vec<Level>,
    /// Ends with `#`.
    open: bool,
    /// The literal levels it begins with, as text, and how many they are: every message is asked, and most filters are
    /// answered by one comparison.
    head: String,
    head_levels: usize,
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("is empty");
        }
        if text.len() > 65_535 || text.contains('\0') {
            return Err("is too long or holds a NUL");
        }
        let (body, open) = match text.strip_suffix('#') {
            Some("") => return Ok(Self::of(Vec::new(), true)),
            Some(body) => (body.strip_suffix('/').ok_or("has a # that is no level of its own")?, true),
            None => (text, false),
        };
        let levels = body.split('/').map(|level| match level {
            "+" => Ok(Level::Any),
            l if l.contains('#') => Err("has a # before its last level"),
            l if l.contains('+') => Err("has a + that is no level of its own"),
            l => Ok(Level::Literal(l.to_owned())),
        });
        Ok(Self::of(levels.collect::<Result<_, _>>()?, open))
    }

    fn of(levels: Vec<Level>, open: bool) -> Self {
        let literal = |level: &Level| if let Level::Literal(text) = level { Some(text.clone()) } else { None };
        let head: Vec<String> = levels.iter().map_while(literal).collect();
        Self { head: head.join("/"), head_levels: head.len(), levels, open }
    }

    /// Whether a message on `topic` is delivered for this filter.
    pub(crate) fn matches(&self, topic: &str) -> bool {
        match self.strip(topic) {
            Some(rest) => rest.is_empty() || self.open,
            None => false,
        }
    }

    /// What stands behind this filter's own levels, without the slash between.
    pub(crate) fn strip<'t>(&self, topic: &'t str) -> Option<&'t str> {
        // Wildcards do not match `$SYS`.
        if topic.starts_with('$') && !matches!(self.levels.first(), Some(Level::Literal(_))) {
            return None;
        }
        if let (false, Some(Level::Literal(last))) = (self.open, self.levels.last())
            && !topic.ends_with(last.as_str())
        {
            return None;
        }
        let mut rest = self.strip_head(topic)?;
        for level in self.levels.iter().skip(self.head_levels) {
            let here = rest?;
            let (head, tail) = match here.split_once('/') {
                Some((head, tail)) => (head, Some(tail)),
                None => (here, None),
            };
            match level {
                Level::Literal(text) if text != head => return None,
                Level::Literal(_) | Level::Any => rest = tail,
            }
        }
        match rest {
            None => Some(""),
            // An empty last level is a level: `a/` is not `a`.
            Some("") if !self.open && !self.levels.is_empty() => None,
            Some(rest) => Some(rest),
        }
    }

    /// What stands behind the literal levels that this filter begins with; `Some(None)` when that is all.
    fn strip_head<'t>(&self, topic: &'t str) -> Option<Option<&'t str>> {
        if self.head_levels == 0 {
            return Some(Some(topic));
        }
        let behind = topic.strip_prefix(self.head.as_str())?;
        match behind.strip_prefix('/') {
            Some(rest) => Some(Some(rest)),
            None => behind.is_empty().then_some(None),
        }
    }

    /// Levels that are no wildcard: of two filters that match, the one with more of them means the topic more.
    pub(crate) fn literal_levels(&self) -> usize {
        self.levels.iter().filter(|l| matches!(l, Level::Literal(_))).count()
    }

    /// Whether every topic that `other` matches is matched by this one.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        if self.levels.len() > other.levels.len()
            || (!self.open && (other.open || self.levels.len() != other.levels.len()))
        {
            return false;
        }
        self.levels.iter().zip(&other.levels).all(|(a, b)| *a == Level::Any || a == b)
    }

    /// This filter up to (not with) the first level `level`, or whole, as the open filter of a subtree's root.
    pub(crate) fn root_before(&self, level: &str) -> Self {
        let at = self.levels.iter().position(|l| matches!(l, Level::Literal(t) if t == level));
        Self::of(self.levels.get(..at.unwrap_or(self.levels.len())).unwrap_or_default().to_vec(), true)
    }

    /// The filter for `below` under this root.
    pub(crate) fn joined(&self, below: &str) -> String {
        let mut text = String::new();
        for level in &self.levels {
            text.push_str(match level {
                Level::Literal(l) => l,
                Level::Any => "+",
            });
            text.push('/');
        }
        text + below
    }
}

/// The template nearest to `topic`. `<..>` levels stand for anything.
pub(crate) fn nearest_template<'t>(topic: &str, templates: &[&'t str]) -> Option<&'t str> {
    let distance = |template: &str| -> usize {
        let mut found = topic.split('/');
        let mut wanted = template.split('/');
        let mut sum = 0;
        loop {
            sum += match (found.next(), wanted.next()) {
                (None, None) => return sum,
                (Some(_), None) | (None, Some(_)) => 3,
                (Some(_), Some(w)) if w.starts_with('<') => 0,
                (Some(f), Some(w)) => strsim::levenshtein(f, w).min(8),
            };
        }
    };
    templates.iter().copied().min_by_key(|t| distance(t))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(text: &str) -> Filter {
        Filter::parse(text).unwrap()
    }

    #[test]
    fn filters_match_as_mqtt_says() {
        for (f, topic, expected) in [
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("a/#", "ab", false),
            ("a/+/c", "a/b/c", true),
            ("a/+/c", "a/b/c/d", false),
            ("a/+/c", "a//c", true),
            ("a/+", "a/", true),
            ("a", "a/", false),
            ("/hfp/v2/#", "/hfp/v2/journey", true),
            ("#", "anything/at/all", true),
            ("#", "$SYS/broker", false),
            ("+/b", "$SYS/b", false),
            ("a/b/#", "a/b", true),
            ("a/b/#", "a/bc", false),
            ("a/b", "a/b", true),
            ("a/b/+/d", "a/b/c/dd", false),
            ("/#", "/a", true),
            ("/#", "a", false),
            ("+/b/#", "a/b/c", true),
        ] {
            assert_eq!(filter(f).matches(topic), expected, "{f} {topic}");
        }
    }

    #[test]
    fn broken_filters_are_refused() {
        for bad in ["", "a#", "a/#/b", "a/b+", "a\0"] {
            assert!(Filter::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_wider_filter_covers_a_narrower() {
        assert!(filter("topis/#").covers(&filter("topis/v1/gtfs-rt/#")));
        assert!(filter("a/+/c").covers(&filter("a/b/c")));
        assert!(!filter("a/b/c").covers(&filter("a/+/c")));
        assert!(!filter("a/+").covers(&filter("a/b/#")));
    }

    #[test]
    fn the_root_of_a_subtree_is_what_stands_before_v1() {
        assert_eq!(filter("city/+/v1/vehicle/#").root_before("v1").joined("v1/x"), "city/+/v1/x");
        assert_eq!(filter("topis/#").root_before("v1").joined("v1/x"), "topis/v1/x");
        assert_eq!(filter("topis/#").root_before("v1").strip("topis/v1/x"), Some("v1/x"));
    }
}
