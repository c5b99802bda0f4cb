//! What was wrong with a message, as data.

use transit::{FeedId, UtcMillis, VehicleKey, words};

words! {
    /// Whether something was lost.
    Grade as "reject_grade" {
        /// Nothing of the message, or a whole part of it, could be used.
        Reject = "reject",
        /// Everything was used; a look is worth it.
        Warning = "warning",
    }

    /// Why.
    ProblemCode as "reject_reason" {
        /// Under our prefix, but no topic of ours.
        UnknownTopic = "unknown_topic",
        /// A topic level is no id.
        BadId = "bad_id",
        /// Nothing in it.
        EmptyBody = "empty_body",
        /// Larger than the bound.
        Oversized = "oversized",
        /// Not the format at all: no JSON, no protobuf, not UTF-8.
        Unparsable = "unparsable",
        /// A required field is absent or null.
        MissingField = "missing_field",
        /// A field holds something it cannot.
        BadField = "bad_field",
        /// A time without offset.
        NaiveTime = "naive_time",
        /// A field we do not know, within two edits of one we do.
        MisspelledField = "misspelled_field",
        /// A word outside a vocabulary; kept as unknown.
        UnknownWord = "unknown_word",
        /// Coordinates that are no place; the rest was used.
        BadPosition = "bad_position",
        /// A retained position: last known, never fresh.
        Retained = "retained",
        /// Of an incident of which a newer version is on record: nothing changes.
        Outdated = "outdated",
        /// Other words under the version of an incident that is on record: nobody can say which are right.
        Conflicting = "conflicting",
        /// As many incidents are open as are kept.
        NoRoom = "no_room",
    }
}

/// One thing wrong with one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Whether something was lost.
    pub grade: Grade,
    /// Why.
    pub code: ProblemCode,
    /// The field or topic level.
    pub field: Option<String>,
    /// What was found and how to repair it, for the author of the message.
    pub detail: String,
}

/// A problem with the message it was found in, as kept in the reject ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The feed.
    pub feed: FeedId,
    /// The topic, at most 256 characters of it.
    pub topic: String,
    /// The vehicle, where the topic or body named one.
    pub vehicle: Option<VehicleKey>,
    /// Of an alarm, or of a message on a topic nobody knows, which may be a misdirected one: only for people who may
    /// see covert alerts, because a body that cannot be read may be covert.
    pub confidential: bool,
    /// When it arrived.
    pub received_at: UtcMillis,
    /// What was wrong.
    pub problem: Problem,
    /// Head of the body, at most 256 characters, control characters escaped.
    pub head: String,
}
