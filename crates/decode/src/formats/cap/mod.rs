//! CAP 1.2 (and 1.1) over MQTT: one XML alert a message becomes one incident of ours.
//!
//! **Which incident.** A source numbers its messages, not its incidents: the key is the sender and the first id of
//! `incidents`, else the identifier of the earliest message that `references` lists, else the message's own. The
//! version is the instant `sent` in milliseconds, so that messages may arrive in any order. The message's own
//! identifier and all that it lists go along as names: a message that names only its predecessor is known by them.
//!
//! **Cancel** is decided before areas are read, for it often has none. It comes out as a closed report that is marked
//! `cancelled`, which is its own tombstone: a room that has never heard of the incident records it closed, and the
//! original, arriving later, is an older version. Messages it lists beside the incident's own are withdrawn too, of the
//! same sender only. A text that says that a warning is lifted proposes a clear and is none.
//!
//! Refused: a document type, any missing required element, a shape without one usable part. Knows nothing of what an
//! incident leads to.

mod area;
mod kinds;
mod references;
mod report;
mod xml;

use crate::{
    Frame, ProblemCode,
    feeds::{Out, Source},
    formats::{FormatDef, Lane},
};

pub(crate) const FORMAT: FormatDef = FormatDef {
    code: "cap",
    doc: "Common Alerting Protocol 1.2 and 1.1, one XML alert a message; every one is an incident.",
    topics: &["{prefix}/v1/cap/#"],
    timezone: None,
    by_default: true,
    lane: Lane::Emergency,
    decode,
    replaceable: |_, _| false,
};

/// The largest body that is read: four times what a broker should let through.
const BODY_BYTES_MAX: usize = 1024 * 1024;

fn decode(source: &Source, frame: &Frame<'_>, out: &mut Out) {
    match read(frame.payload) {
        Ok(alert) => report::decode(source, frame, &alert, out),
        Err((code, detail)) => out.notes.reject(code, None, detail),
    }
}

fn read(payload: &[u8]) -> Result<xml::Element, xml::Refusal> {
    if payload.is_empty() {
        let detail = "the body is empty; a CAP source takes a message back with msgType Cancel";
        return Err((ProblemCode::EmptyBody, detail.to_owned()));
    }
    if payload.len() > BODY_BYTES_MAX {
        let detail = format!("{} bytes; at most {BODY_BYTES_MAX} are read", payload.len());
        return Err((ProblemCode::Oversized, detail));
    }
    let text = std::str::from_utf8(payload)
        .map_err(|e| (ProblemCode::Unparsable, format!("the body is not UTF-8: {e}; write the XML in UTF-8")))?;
    xml::parse(text.trim_start_matches('\u{feff}'))?.into_alert()
}
