//! Desks: who hears what, as typed and as meant.

use super::{file, resolve::Check};

/// Desks at most: each is a set of series in `/metrics`.
const DESKS_MAX: usize = 50;
/// Characters of a desk's name.
const NAME_MAX: usize = 64;

impl Check<'_> {
    /// Checks all of them; those with a fault are left out.
    pub(super) fn desks(&mut self, typed: &[file::Desk]) -> Vec<room::Desk> {
        if typed.len() > DESKS_MAX {
            self.number_fault("alarms.desks", typed.len(), &format!("are too many; use {DESKS_MAX} at most"));
        }
        let mut desks: Vec<room::Desk> = Vec::new();
        for (i, desk) in typed.iter().enumerate() {
            let key = |name: &str| format!("alarms.desks.{i}.{name}");
            let name = desk.name.trim();
            if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
                self.fault(&key("name"), &desk.name, format!("must be 1 to {NAME_MAX} characters that can be printed"));
            } else if name == room::EVERYWHERE {
                self.fault(&key("name"), &desk.name, "is the whole room's; give the desk another name");
            } else if desks.iter().any(|earlier| earlier.name == name) {
                self.fault(&key("name"), &desk.name, "is given twice; put both entries into one");
            }
            for (at, rule) in desk.rules.iter().enumerate().filter(|(_, rule)| !is_rule(rule)) {
                self.fault(
                    &key(&format!("rules.{at}")),
                    rule,
                    "is no rule; write it like EMG.PANIC, or FEED.* for a family",
                );
            }
            let heads = desk.rules.iter().map(|rule| rule.trim_end_matches('*').to_owned());
            let (name, agencies) = (name.to_owned(), desk.agencies.clone());
            desks.push(room::Desk { name, agencies, rules: heads.collect() });
        }
        desks
    }
}

fn is_rule(rule: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    rule.split_once('.').is_some_and(|(family, name)| plain(family) && (name == "*" || plain(name)))
}
