//! Runbooks: what to do about an alert, at most five steps and one thing never to do, in English and Korean.
//!
//! A sentence is `{ en = "..", ko = ".." }`, or one language alone, or a plain text: whoever asks for a language that is
//! not written reads the one that is.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};

/// The set that ships with the product.
const SHIPPED: &str = include_str!("../../../config/runbooks.toml");
/// More steps than this nobody reads under stress.
const STEPS_MAX: usize = 5;

/// One sentence in both languages; the same twice where only one is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// English.
    pub en: String,
    /// Korean.
    pub ko: String,
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

/// Reads a sentence as it is written.
struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = Words;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, or texts by language like { en = \"..\", ko = \"..\" }")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Words, E> {
        Ok(Words { en: text.to_owned(), ko: text.to_owned() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Words, A::Error> {
        /// A sentence by language.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct ByLanguage {
            en: Option<String>,
            ko: Option<String>,
        }
        match ByLanguage::deserialize(MapAccessDeserializer::new(map))? {
            ByLanguage { en: Some(en), ko: Some(ko) } => Ok(Words { en, ko }),
            ByLanguage { en: Some(only), ko: None } | ByLanguage { en: None, ko: Some(only) } => self.visit_str(&only),
            ByLanguage { en: None, ko: None } => {
                Err(de::Error::custom("is in no language; write `en` or `ko` or both"))
            }
        }
    }
}

/// What to do about alerts of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runbook {
    /// One to five orders, in order.
    pub steps: Vec<Words>,
    /// What never to do.
    pub never: Option<Words>,
}

impl Runbook {
    /// What to do first.
    pub fn next_step(&self) -> Option<&Words> {
        self.steps.first()
    }
}

/// What is wrong in a runbook file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunbookError {
    /// Not TOML, or with keys nobody knows.
    #[error("runbooks: {0}")]
    Unreadable(String),
    /// No steps at all.
    #[error("runbooks.{0}.steps: is empty; give one to five steps or leave the rule out")]
    NoSteps(String),
    /// Too many.
    #[error("runbooks.{rule}.steps: has {found} steps, at most {STEPS_MAX} are read under stress; join or drop some")]
    TooManySteps {
        /// The rule.
        rule: String,
        /// How many there are.
        found: usize,
    },
    /// A text that says nothing.
    #[error("runbooks.{rule}.{field}: is empty; write it, or leave the language out")]
    EmptyWords {
        /// The rule.
        rule: String,
        /// Which text.
        field: String,
    },
    /// A key that is no rule and no family.
    #[error("runbooks.{0}: is no rule's code; write it like EMG.PANIC, or EMG.* for a family")]
    Rule(String),
}

/// The runbooks by rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Runbooks(BTreeMap<String, Runbook>);

impl Runbooks {
    /// Reads a file's text.
    ///
    /// # Errors
    /// Everything that is wrong, each with its field and the fix.
    pub fn parse(text: &str) -> Result<Self, Vec<RunbookError>> {
        let read = toml::from_str::<BTreeMap<String, Runbook>>(text)
            .map_err(|e| vec![RunbookError::Unreadable(e.to_string().trim_end().to_owned())])?;
        let wrong: Vec<RunbookError> = read.iter().flat_map(|(rule, runbook)| problems(rule, runbook)).collect();
        if wrong.is_empty() { Ok(Self(read)) } else { Err(wrong) }
    }

    /// The set that ships with the product.
    pub fn shipped() -> Self {
        Self::parse(SHIPPED).expect("a test holds that the shipped runbooks are sound")
    }

    /// The runbook of a rule: its own, else that of its family.
    pub fn find(&self, rule: &str) -> Option<&Runbook> {
        self.0.get(rule).or_else(|| {
            let (family, _) = rule.rsplit_once('.')?;
            self.0.get(&format!("{family}.*"))
        })
    }
}

fn problems(rule: &str, runbook: &Runbook) -> Vec<RunbookError> {
    let mut wrong = Vec::new();
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    if !rule.split_once('.').is_some_and(|(family, name)| plain(family) && (name == "*" || plain(name))) {
        wrong.push(RunbookError::Rule(rule.to_owned()));
    }
    match runbook.steps.len() {
        0 => wrong.push(RunbookError::NoSteps(rule.to_owned())),
        found if found > STEPS_MAX => wrong.push(RunbookError::TooManySteps { rule: rule.to_owned(), found }),
        _ => {}
    }
    let steps = runbook.steps.iter().enumerate().map(|(at, words)| (format!("steps[{at}]"), words));
    for (field, words) in steps.chain(runbook.never.iter().map(|words| ("never".to_owned(), words))) {
        for (language, text) in [("en", &words.en), ("ko", &words.ko)] {
            if text.trim().is_empty() {
                wrong.push(RunbookError::EmptyWords { rule: rule.to_owned(), field: format!("{field}.{language}") });
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use alert::AlarmKind;
    use expect_test::{Expect, expect};
    use transit::Word;

    use super::*;

    /// Every code that may raise an alert or be listed as an exception without a timetable.
    const RULES: &[&str] = &[
        "FEED.LINK",
        "FEED.SILENT",
        "FEED.FROZEN",
        "FEED.PARTIAL",
        "FEED.SKEW",
        "GEO.INSIDE",
        "GEO.HEADING",
        "GEO.UNACCOUNTED",
        "HAZ.EARTHQUAKE",
        "HAZ.WEATHER",
        "HAZ.FLOOD",
        "INC.SEVERE",
        "VEH.SILENT",
        "VEH.SPEED",
        "VEH.CROWD",
        "SYS.WATCHDOG",
        "SYS.POISON",
        "SYS.NOTIFY",
        "SYS.JOURNAL",
    ];

    #[test]
    fn every_rule_has_a_shipped_runbook_with_something_never_to_do() {
        let shipped = Runbooks::shipped();
        for rule in AlarmKind::ALL.iter().map(|kind| kind.rule()).chain(RULES.iter().copied()) {
            let runbook = shipped.find(rule).unwrap_or_else(|| panic!("no runbook for {rule}"));
            assert!(runbook.next_step().is_some() && runbook.never.is_some(), "{rule}");
        }
        assert_eq!(shipped.find("GHOST"), None);
    }

    fn check(text: &str, expected: Expect) {
        let said = match Runbooks::parse(text) {
            Ok(read) => format!("{} read", read.0.len()),
            Err(wrong) => wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        };
        expected.assert_eq(&said);
    }

    #[test]
    fn what_is_wrong_is_named_all_at_once() {
        check(
            r#"
["EMG.FIRE"]
steps = []
never = { en = "x", ko = " " }
["panic"]
steps = [
  { en = "1", ko = "1" }, { en = "2", ko = "2" }, { en = "3", ko = "3" },
  { en = "4", ko = "4" }, { en = "5", ko = "5" }, { en = "6", ko = "6" },
]
"#,
            expect![[r#"
                runbooks.EMG.FIRE.steps: is empty; give one to five steps or leave the rule out
                runbooks.EMG.FIRE.never.ko: is empty; write it, or leave the language out
                runbooks.panic: is no rule's code; write it like EMG.PANIC, or EMG.* for a family
                runbooks.panic.steps: has 6 steps, at most 5 are read under stress; join or drop some"#]],
        );
    }

    #[test]
    fn a_key_nobody_knows_is_an_error() {
        let said = Runbooks::parse("[\"EMG.FIRE\"]\nstep = []\n").unwrap_err()[0].to_string();
        assert!(said.contains("unknown field `step`"), "{said}");
        let said =
            Runbooks::parse("[\"EMG.FIRE\"]\nsteps = [{ en = \"x\", fi = \"x\" }]\n").unwrap_err()[0].to_string();
        assert!(said.contains("unknown field `fi`, expected `en` or `ko`"), "{said}");
        let said = Runbooks::parse("[\"EMG.FIRE\"]\nsteps = [{}]\n").unwrap_err()[0].to_string();
        assert!(said.contains("is in no language"), "{said}");
    }

    #[test]
    fn a_language_that_is_not_written_reads_as_the_one_that_is() {
        let text = r#"
["EMG.FIRE"]
steps = ["Stop", { en = "Open" }, { ko = "대피시킨다" }, { en = "Call", ko = "신고한다" }]
"#;
        let runbooks = Runbooks::parse(text).unwrap();
        let steps = runbooks.find("EMG.FIRE").unwrap().steps.iter();
        let told: Vec<String> = steps.map(|words| format!("{} / {}", words.en, words.ko)).collect();
        assert_eq!(told, ["Stop / Stop", "Open / Open", "대피시킨다 / 대피시킨다", "Call / 신고한다"]);
    }

    #[test]
    fn every_shipped_sentence_is_korean_in_korean() {
        let hangul = |c: char| ('가'..='힣').contains(&c);
        for (rule, runbook) in Runbooks::shipped().0 {
            for words in runbook.steps.iter().chain(&runbook.never) {
                assert!(words.ko.chars().any(hangul) && !words.en.chars().any(hangul), "{rule}: {words:?}");
            }
        }
    }
}
