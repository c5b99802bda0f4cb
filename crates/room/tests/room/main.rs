//! The control room from outside: stories, properties, and the text of its journal.

#![expect(clippy::unwrap_used, reason = "a story that cannot be read must fail its test")]

mod armed;
mod bounds;
mod clearing;
mod explained;
mod findings;
mod incidents;
mod invariants;
mod journal_text;
mod load;
mod lost_alarms;
mod orders;
mod people;
mod properties;
mod roots;
mod script;
mod stories;
mod time;
