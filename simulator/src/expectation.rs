//! What a scenario expects the service to answer, and whether an answer meets it. Knows no HTTP: the answer's JSON
//! is an argument.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// An answer that must come true.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// Seconds from the start of the scenario from which it is asked.
    pub at_s: f64,
    /// Seconds within which it must come true.
    #[serde(default = "ten")]
    pub within_s: f64,
    /// What it shows, in words.
    pub title: String,
    /// Path and query of the GET.
    pub get: String,
    /// What is looked at, and how.
    #[serde(default)]
    pub query: Query,
}

fn ten() -> f64 {
    10.0
}

/// A look at one value of an answer. With no test given, the value must exist.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Query {
    /// JSON pointer to the value; `/data` when absent.
    pub pointer: Option<String>,
    /// Of a list, only records with these values; `null` also matches an absent key.
    #[serde(rename = "where")]
    pub filter: Map<String, Value>,
    /// Exactly this value.
    pub equals: Option<Value>,
    /// A list of so many records, or this number.
    pub count: Option<f64>,
    /// A list of at least so many records, or at least this number.
    pub at_least: Option<f64>,
    /// A list of at most so many records, or at most this number.
    pub at_most: Option<f64>,
    /// Present and not null, or (false) absent or null.
    pub exists: Option<bool>,
}

impl Expectation {
    /// Whether the whole answer meets the expectation.
    ///
    /// # Errors
    /// What was found instead, in words.
    pub fn check(&self, answer: &Value) -> Result<(), String> {
        self.query.check(answer)
    }
}

impl Query {
    fn check(&self, answer: &Value) -> Result<(), String> {
        let pointer = self.pointer.as_deref().unwrap_or("/data");
        let found = answer.pointer(pointer).filter(|value| !value.is_null());
        match (found, self.exists) {
            (Some(_), Some(false)) => return Err(format!("{pointer} is there")),
            (None, Some(false)) => return Ok(()),
            (None, _) => return Err(format!("{pointer} is not there")),
            (Some(_), Some(true) | None) => {}
        }
        let Some(found) = found else { return Ok(()) };
        let kept = self.keep(found);
        if let Some(wanted) = self.equals.as_ref().filter(|wanted| **wanted != kept) {
            return Err(format!("{pointer} is {}, not {wanted}", shortened(&kept)));
        }
        self.check_size(pointer, &kept)
    }

    fn keep(&self, found: &Value) -> Value {
        let Value::Array(records) = found else { return found.clone() };
        let meets =
            |record: &&Value| self.filter.iter().all(|(key, wanted)| record.get(key).unwrap_or(&Value::Null) == wanted);
        Value::Array(records.iter().filter(meets).cloned().collect())
    }

    fn check_size(&self, pointer: &str, kept: &Value) -> Result<(), String> {
        if self.count.is_none() && self.at_least.is_none() && self.at_most.is_none() {
            return Ok(());
        }
        let Some(size) = kept.as_array().map(|records| records.len() as f64).or_else(|| kept.as_f64()) else {
            return Err(format!("{pointer} is neither a list nor a number: {}", shortened(kept)));
        };
        let fails = |limit: Option<f64>, broken: fn(f64, f64) -> bool| limit.filter(|limit| broken(size, *limit));
        if let Some(limit) = fails(self.at_least, |size, limit| size < limit) {
            return Err(format!("{pointer} is {size}, fewer than {limit}"));
        }
        if let Some(limit) = fails(self.at_most, |size, limit| size > limit) {
            return Err(format!("{pointer} is {size}, more than {limit}"));
        }
        if let Some(limit) = fails(self.count, |size, limit| (size - limit).abs() > f64::EPSILON) {
            return Err(format!("{pointer} is {size}, not {limit}"));
        }
        Ok(())
    }
}

/// Enough of a value to recognise it in a report.
fn shortened(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 120 { text } else { text.chars().take(117).chain("...".chars()).collect() }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (GET {}, from {} s, within {} s)", self.title, self.get, self.at_s, self.within_s)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(query: &str) -> String {
        let answer = json!({
            "data": [
                {"id": "a", "kind": "panic", "covert": true},
                {"id": "b", "kind": "panic", "covert": false},
                {"id": "c", "kind": "fire"},
            ],
            "meta": {"revision": 7, "gone": null},
        });
        let query: Query = toml::from_str(query).unwrap();
        match query.check(&answer) {
            Ok(()) => "met".to_owned(),
            Err(text) => text,
        }
    }

    #[test]
    fn lists_are_filtered_and_counted() {
        assert_eq!(check("where = { kind = 'panic' }\ncount = 2"), "met");
        assert_eq!(check("where = { kind = 'panic', covert = true }\ncount = 2"), "/data is 1, not 2");
        assert_eq!(check("at_least = 4"), "/data is 3, fewer than 4");
        assert_eq!(check("where = { kind = 'flood' }\nat_most = 0"), "met");
        assert_eq!(check("at_most = 2"), "/data is 3, more than 2");
    }

    #[test]
    fn values_are_found_by_pointer() {
        assert_eq!(check("pointer = '/meta/revision'\nequals = 7"), "met");
        assert_eq!(check("pointer = '/meta/revision'\nequals = 8"), "/meta/revision is 7, not 8");
        assert_eq!(check("pointer = '/data/2/kind'\nequals = 'fire'"), "met");
        assert_eq!(check("pointer = '/meta/gone'\nexists = false"), "met");
        assert_eq!(check("pointer = '/meta/gone'"), "/meta/gone is not there");
        assert_eq!(check("exists = false"), "/data is there");
        assert_eq!(check("pointer = '/data/0/id'\nat_least = 1"), "/data/0/id is neither a list nor a number: \"a\"");
    }
}
