//! The control room from outside: stories, properties, and the text of its journal.

#![expect(clippy::unwrap_used, reason = "a story that cannot be read must fail its test")]

mod bounds;
mod incidents;
mod journal_text;
mod lost_alarms;
mod properties;
mod script;
mod stories;
