//! A client's own word about its connection, or its Will.
//!
//! `{"online":true,"since":".."}`. Offline is a sign-off when the client said it itself and a loss when the broker did:
//! a Will says `"will":true`, or has no `since`, because it was written before anything could be known.

use crate::{
    Frame, Message, Presence, ProblemCode,
    feeds::Out,
    fields::clean,
    json::{Fields, object, read},
};

object! {
    /// The body.
    Body { online: "online", since: "since", will: "will", } ignored {}
}

pub(super) fn decode(frame: &Frame<'_>, client: &str, out: &mut Out) {
    // A retained status that is taken back says nothing about the connection.
    if frame.payload.is_empty() {
        return;
    }
    let notes = &mut out.notes;
    let (body, unknown) = match read::<Body<'_>>(frame.payload) {
        Ok(read) => read,
        Err(e) => return notes.reject(ProblemCode::Unparsable, None, format!("the body is no JSON object: {e}")),
    };
    notes.unknown(&unknown, Body::KNOWN);
    let Some(online) = notes.flag("online", &body.online) else {
        return notes.reject(ProblemCode::MissingField, Some("online"), "is required: true or false");
    };
    let since = notes.optional_instant("since", &body.since);
    let will = notes.flag("will", &body.will) == Some(true);
    out.messages.push(Message::Presence(Presence {
        client: clean(client, 128),
        online,
        clean: online || (since.is_some() && !will),
        since,
        received_at: frame.received_at,
    }));
}
