//! Which incident a CAP message speaks of: identifiers, `incidents` and the chain of `references`.

use alert::IncidentKey;
use transit::UtcMillis;

use super::xml::Element;
use crate::{ProblemCode, fields::Notes};

/// Characters of a sender or an identifier.
const ID_CHARS_MAX: usize = 256;
/// Earlier messages that one message may list.
const REFERENCES_MAX: usize = 1_000;

/// What a message says of itself and of earlier ones.
#[derive(Debug)]
pub(super) struct Identity {
    /// The incident.
    pub(super) key: IncidentKey,
    /// Further incidents of the same sender that the message may mean, when it takes back.
    pub(super) listed: Vec<IncidentKey>,
    /// What else it is called: the message's own identifier and those it lists.
    pub(super) names: Vec<String>,
}

/// The identity; noted and `None` where the message has no usable sender or identifier.
pub(super) fn identity(alert: &Element, notes: &mut Notes) -> Option<Identity> {
    let identifier = id("identifier", alert, notes);
    let sender = id("sender", alert, notes);
    let (identifier, sender) = (identifier?, sender?);
    let references = references(alert, notes);
    let group = alert.text_of("incidents").and_then(first_word).filter(|id| is_usable(id).is_ok());
    let earliest = references.iter().min_by_key(|(sent, _)| *sent).map(|(_, id)| id.clone());
    let id = group.or(earliest).unwrap_or_else(|| identifier.clone());
    let key_of = |id: String| IncidentKey { source: sender.clone(), id };
    let mut listed: Vec<IncidentKey> = Vec::new();
    for (_, other) in references {
        if other != id && !listed.iter().any(|key| key.id == other) {
            listed.push(key_of(other));
        }
    }
    let mut names: Vec<String> = listed.iter().map(|key| key.id.clone()).collect();
    if identifier != id && !names.contains(&identifier) {
        names.push(identifier);
    }
    Some(Identity { key: key_of(id), listed, names })
}

fn id(name: &'static str, alert: &Element, notes: &mut Notes) -> Option<String> {
    let Some(text) = alert.text_of(name) else {
        let detail = format!("is required: write <{name}> without spaces, commas, < and &");
        notes.reject(ProblemCode::MissingField, Some(name), detail);
        return None;
    };
    match is_usable(text) {
        Ok(()) => Some(text.to_owned()),
        Err(why) => {
            notes.reject(ProblemCode::BadId, Some(name), why);
            None
        }
    }
}

fn is_usable(id: &str) -> Result<(), String> {
    if id.chars().count() > ID_CHARS_MAX {
        return Err(format!("has more than {ID_CHARS_MAX} characters"));
    }
    match id.chars().find(|c| c.is_whitespace() || c.is_control() || matches!(c, ',' | '<' | '&')) {
        Some(c) => Err(format!("holds {c:?}; spaces, commas, < and & are not allowed")),
        None => Ok(()),
    }
}

/// The first of the ids in `incidents`: separated by spaces, in quotes where they hold one.
fn first_word(text: &str) -> Option<String> {
    text.split_whitespace().next().map(|word| word.trim_matches('"').to_owned()).filter(|word| !word.is_empty())
}

/// The messages listed as `sender,identifier,sent`, with the instant each was sent.
fn references(alert: &Element, notes: &mut Notes) -> Vec<(UtcMillis, String)> {
    let text = alert.text_of("references").unwrap_or_default();
    let mut read = Vec::new();
    for triple in text.split_whitespace().take(REFERENCES_MAX) {
        let mut parts = triple.split(',');
        let usable = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(_), Some(id), Some(sent), None) if is_usable(id).is_ok() && !id.is_empty() => {
                UtcMillis::parse_rfc3339(sent).ok().map(|sent| (sent, id.to_owned()))
            }
            _ => None,
        };
        match usable {
            Some(reference) => read.push(reference),
            None => notes.warn(
                ProblemCode::BadField,
                "references",
                "has an entry that is no sender,identifier,sent; it was passed over",
            ),
        }
    }
    read
}
