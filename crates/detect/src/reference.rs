//! The list of rules as text: the reference for operators, and an example configuration with every default.

use std::fmt::Write;

use crate::{
    registry::{HABIT_KEYS, RuleDef},
    rules::RULES,
};

/// Rules that the list does not hold, because no picture is needed to judge them, with where they are decided.
const ELSEWHERE: &[(&str, &str)] = &[
    ("EMG.*", "A driver's, passenger's or device's alarm. Raised by the room from the alarm itself, at once, latched."),
    ("CALL.*", "A breakdown or a driver's wish to be called. Raised by the room from the alarm itself."),
    ("INC.SEVERE", "An incident that is severe or extreme. Raised by the room when it records the incident."),
    (
        "SYS.POISON",
        "A message on an incident or CAP topic of which nothing could be read: it is confirmed to its broker and set aside \
         at `/v1/feeds/{feed}/rejects`. One open alert a feed, P2, until a person ends it; told anew when the count has \
         doubled, at most once a minute. Also a packet above the cap of the emergency session.",
    ),
    (
        "SYS.NOTIFY",
        "An alert's change that a webhook was not told of: its receiver answered that it will never take it, or did not \
         take it in `give_up_after_h`. One open alert an endpoint, P2, until a person ends it; told anew as SYS.POISON \
         is. Giving up a SYS.NOTIFY itself raises none.",
    ),
    (
        "SYS.JOURNAL",
        "Records of the journal were found damaged at the start and set aside. P1, until a person ends it.",
    ),
];

/// The text of `docs/rules.md`.
pub fn reference() -> String {
    let mut text = String::from(
        "# Rules\n\nWhat raises and clears each alert and exception. This page is generated from the list of rules; \
         `config/rules.toml` shows every key with its default.\n\nA rule answers raised, cleared or unjudgeable. \
         Missing data is unjudgeable: it neither raises nor clears, and what stands, stands. An **alert** sounds and \
         needs an owner; an **exception** is listed at `/v1/exceptions` and needs none. `annunciate` makes one of the \
         other, `promote_modes` and `promote_routes` make alerts of the exceptions of some vehicles only.\n\nWhile a \
         feed is down, silent, frozen or not yet heard, nothing is concluded from its vehicles, and silences are \
         counted from its recovery at the earliest.\n\n| rule | class | told as | before it is told | before it is \
         over |\n|---|---|---|---|---|\n",
    );
    for def in RULES {
        let h = &def.habits;
        let told = transit::Word::word(h.annunciate);
        let class = transit::Word::word(def.class);
        let (on, off) = (delay(h.on_delay_s, h.on_fixes), delay(h.off_delay_s, h.off_fixes));
        write_to(&mut text, format_args!("| {} | {class} | {told} | {on} | {off} |\n", def.code));
    }
    for def in RULES {
        write_to(&mut text, format_args!("\n## {}\n\n{}\n", def.code, def.doc));
        if !def.keys.is_empty() {
            text.push_str("\n| key | default | |\n|---|---|---|\n");
        }
        for (key, value) in own_defaults(def) {
            write_to(&mut text, format_args!("| `{key}` | `{value}` | {} |\n", doc_of(def, &key)));
        }
    }
    text.push_str("\n## Keys of every rule\n\n| key | |\n|---|---|\n");
    for (key, doc) in HABIT_KEYS {
        write_to(&mut text, format_args!("| `{key}` | {doc} |\n"));
    }
    text.push_str("\n## Decided elsewhere\n\n| rule | |\n|---|---|\n");
    for (code, doc) in ELSEWHERE {
        write_to(&mut text, format_args!("| {code} | {doc} |\n"));
    }
    text
}

/// The text of `config/rules.toml`.
pub fn example_config() -> String {
    let mut text = String::from(
        "# Detection rules, every key with its default. A line that begins with `#` and a blank is text; one that \
         begins\n# with `#` and a key is a default: take the `#` away from it and from its heading to change it. What \
         each\n# rule does: docs/rules.md.\n#\n# Keys of every rule:\n",
    );
    for (key, doc) in HABIT_KEYS {
        write_to(&mut text, format_args!("#   {key:<16}{doc}\n"));
    }
    for def in RULES {
        write_to(&mut text, format_args!("\n{}", wrapped(def.doc)));
        write_to(&mut text, format_args!("#[rules.\"{}\"]\n", def.code));
        for (key, value) in habit_defaults(def) {
            write_to(&mut text, format_args!("#{key} = {value}\n"));
        }
        for (key, value) in own_defaults(def) {
            write_to(&mut text, format_args!("# {}\n#{key} = {value}\n", doc_of(def, &key)));
        }
    }
    text
}

fn habit_defaults(def: &RuleDef) -> Vec<(String, String)> {
    let table = toml::Table::try_from(&def.habits).expect("habits are a plain table");
    HABIT_KEYS.iter().filter_map(|(key, _)| table.get(*key).map(|value| ((*key).to_owned(), inline(value)))).collect()
}

fn own_defaults(def: &RuleDef) -> Vec<(String, String)> {
    let table = (def.defaults)();
    def.keys.iter().filter_map(|(key, _)| table.get(*key).map(|value| ((*key).to_owned(), inline(value)))).collect()
}

fn doc_of(def: &RuleDef, key: &str) -> &'static str {
    def.keys.iter().find(|(known, _)| *known == key).map_or("", |(_, doc)| doc)
}

/// A value on one line.
fn inline(value: &toml::Value) -> String {
    match value {
        toml::Value::Table(table) => {
            let pairs: Vec<String> = table.iter().map(|(key, value)| format!("{key} = {}", inline(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        toml::Value::String(_)
        | toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_)
        | toml::Value::Array(_) => value.to_string(),
    }
}

fn delay(seconds: f64, fixes: u32) -> String {
    match (seconds > 0.0, fixes > 1) {
        (false, false) => "at once".to_owned(),
        (true, false) => format!("{seconds} s"),
        (false, true) => format!("{fixes} messages"),
        (true, true) => format!("{fixes} messages over {seconds} s"),
    }
}

/// A text as comment lines.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::from("#")];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("never empty");
        if line.chars().count() + word.chars().count() >= 120 {
            lines.push(format!("# {word}"));
        } else {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines.join("\n") + "\n"
}

fn write_to(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("writing to a text never fails");
}
