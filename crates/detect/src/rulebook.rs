//! The rules as configured. Reading reports everything that is wrong at once.

use transit::Status;

use crate::{
    options::{OptionsError, nearest},
    registry::{HABIT_KEYS, Habits, Rule, RuleDef},
    rules::RULES,
};

/// One thing wrong with the configuration of the rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// No such rule.
    #[error("rules: there is no rule \"{code}\", did you mean \"{nearest}\"? A code is quoted: [rules.\"VEH.SILENT\"]")]
    UnknownRule {
        /// As written.
        code: String,
        /// The nearest known one.
        nearest: String,
    },
    /// Its entry is no table.
    #[error("rules.\"{code}\": is no table")]
    NoTable {
        /// The rule.
        code: String,
    },
    /// A key of it.
    #[error("rules.\"{code}\": {error}")]
    Options {
        /// The rule.
        code: &'static str,
        /// What is wrong.
        error: OptionsError,
    },
}

/// Every rule that is enabled, in the order of the list; one that judges drills stands there twice.
pub struct Rulebook {
    pub(crate) rules: Vec<ConfiguredRule>,
}

pub(crate) struct ConfiguredRule {
    pub(crate) def: &'static RuleDef,
    pub(crate) habits: Habits,
    pub(crate) rule: Box<dyn Rule>,
    /// What it judges: what is meant, or drills.
    pub(crate) status: Status,
}

/// Rules that judge drills as well, by the heads of their codes: a drill arms its area as the real thing would, and
/// what is found in it is part of the drill.
const DRILLED: [&str; 2] = ["GEO.", "HAZ."];

fn judges_drills(def: &RuleDef) -> bool {
    DRILLED.iter().any(|head| def.code.starts_with(head))
}

impl std::fmt::Debug for Rulebook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.rules.iter().map(|r| r.def)).finish()
    }
}

impl Default for Rulebook {
    fn default() -> Self {
        Self::read(&toml::Table::new()).expect("a test holds that defaults parse")
    }
}

impl Rulebook {
    /// Reads the table `rules` of a configuration: a table for each rule that is not as by default.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn read(rules: &toml::Table) -> Result<Self, Vec<RulesError>> {
        Self::read_by(RULES, rules)
    }

    /// As [`Self::read`], of another list of rules: for those who try out one of their own.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn read_by(list: &'static [RuleDef], rules: &toml::Table) -> Result<Self, Vec<RulesError>> {
        let mut errors = Vec::new();
        for (code, value) in rules {
            if !list.iter().any(|def| def.code == code) {
                let nearest = nearest(code, list.iter().map(|def| def.code));
                errors.push(RulesError::UnknownRule { code: code.clone(), nearest });
            } else if !value.is_table() {
                errors.push(RulesError::NoTable { code: code.clone() });
            }
        }
        let mut configured = Vec::new();
        for def in list {
            let table = rules.get(def.code).and_then(toml::Value::as_table).cloned().unwrap_or_default();
            let statuses: &[Status] =
                if judges_drills(def) { &[Status::Actual, Status::Exercise] } else { &[Status::Actual] };
            let rules = statuses.iter().map(|status| configure(def, table.clone(), *status));
            match rules.collect::<Result<Vec<_>, _>>() {
                Ok(rules) => configured.extend(rules.into_iter().filter(|rule| rule.habits.enabled)),
                Err(error) => errors.push(RulesError::Options { code: def.code, error }),
            }
        }
        if errors.is_empty() { Ok(Self { rules: configured }) } else { Err(errors) }
    }
}

/// Parts a rule's table into what all rules have and what is its own.
fn configure(def: &'static RuleDef, table: toml::Table, status: Status) -> Result<ConfiguredRule, OptionsError> {
    let mut habits = toml::Table::try_from(&def.habits).expect("habits are a plain table");
    let mut own = (def.defaults)();
    for (key, value) in table {
        let known = if habits.contains_key(&key) { &mut habits } else { &mut own };
        if !known.contains_key(&key) {
            let all = HABIT_KEYS.iter().chain(def.keys).map(|(key, _)| *key);
            let nearest = nearest(&key, all);
            return Err(OptionsError::UnknownKey { key, nearest });
        }
        known.insert(key, value);
    }
    let habits: Habits = crate::options::read(habits)?;
    habits.check()?;
    Ok(ConfiguredRule { def, habits, rule: (def.build)(own)?, status })
}
