//! A journal that refuses or hangs: what people are shown meanwhile, and in which words.

use std::collections::VecDeque;

use api::{Degraded, JOURNAL_SCOPE};
use room::ControlRoom;
use tokio::time::Instant;
use transit::{Now, words};

use crate::owner::{Pending, Waiting};

/// Publishers who can be told that their alarm is not on disk are told after this, in milliseconds: a hiccup needs no
/// word.
const TELL_AFTER_MS: u64 = 1_000;

words! {
    /// What is wrong, as `degraded` says it.
    Cause as "journal_trouble" {
        /// No space.
        Full = "journal_full",
        /// Cannot be written now.
        Unwritable = "journal_unwritable",
        /// Neither done nor refused.
        Hangs = "journal_hangs",
    }
}

/// The journal's trouble, and the room as people see it during it.
pub(crate) struct Trouble {
    pub(crate) cause: Cause,
    /// What the system said.
    pub(crate) detail: String,
    /// When to try again.
    pub(crate) retry_at: Instant,
    /// The room on disk with what waits on top of it, not durable.
    pub(crate) shown: ControlRoom,
    /// How many of those who wait are in `shown`.
    pub(crate) shown_count: usize,
    pub(crate) since: Now,
}

impl Trouble {
    /// Begins now, with nothing shown yet but `room`, which is on disk.
    pub(crate) fn new(cause: Cause, room: &ControlRoom, now: Now, retry_at: Instant) -> Self {
        Self { cause, detail: String::new(), retry_at, shown: room.clone(), shown_count: 0, since: now }
    }

    /// Puts what newly waits on top of what is shown, and says what is wrong.
    pub(crate) fn show(&mut self, waiting: &mut VecDeque<Pending>, now: Now) -> Degraded {
        let new = waiting.iter().skip(self.shown_count);
        self.shown = overlay(self.shown.clone(), new, now);
        self.shown_count = waiting.len();
        if now.mono_ms.saturating_sub(self.since.mono_ms) >= TELL_AFTER_MS {
            for pending in waiting.iter_mut() {
                if let Waiting::Source { done, .. } = &mut pending.waiting {
                    done.held();
                }
            }
        }
        let why = if self.detail.is_empty() { "the disk does not answer" } else { &self.detail };
        Degraded {
            code: transit::Word::word(self.cause).to_owned(),
            scope: JOURNAL_SCOPE.to_owned(),
            since: self.since.utc,
            detail: format!("{} messages are shown or wait but are not on disk: {why}", waiting.len()),
        }
    }
}

/// `room` with what messages in `waiting` would do, marked as not durable. Orders are left out: they are nobody's
/// before they are on disk.
pub(crate) fn overlay<'a>(room: ControlRoom, waiting: impl Iterator<Item = &'a Pending>, now: Now) -> ControlRoom {
    waiting
        .filter(|pending| !matches!(pending.waiting, Waiting::Operator(_)))
        .flat_map(|pending| &pending.inputs)
        .fold(room, |shown, input| shown.overlay(&shown.decide(input, now)))
}
