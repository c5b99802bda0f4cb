//! What the fuzz targets share: frames from raw bytes, and what must hold of whatever comes out.
//!
//! An input is a topic's tail, a line feed, and a payload; the target says what the topic begins and ends with. What
//! has no line feed is all payload.

use decode::{Decoded, Feeds, Frame, Grade, reject_of};
use transit::UtcMillis;

/// The feeds that are there without any configuration.
pub fn feeds() -> Feeds {
    Feeds::new("topis", Feeds::defaults()).expect("the defaults are right, a test holds them")
}

/// Splits an input into the levels for a topic and the payload.
pub fn split(input: &[u8]) -> (String, &[u8]) {
    match input.iter().position(|b| *b == b'\n') {
        Some(at) => (String::from_utf8_lossy(&input[..at]).into_owned(), &input[at + 1..]),
        None => (String::new(), input),
    }
}

/// Decodes on every path a frame can take, and checks what must hold of any.
pub fn decode(feeds: &Feeds, topic: &str, payload: &[u8]) -> Decoded {
    let frame = Frame { topic, payload, retained: false, dup: false, received_at: UtcMillis(1_795_420_800_000) };
    let decoded = feeds.decode(&frame);
    assert_eq!(decoded, feeds.decode(&frame), "decoding is a function of the frame");
    let rejected = decoded.problems.iter().any(|p| p.grade == Grade::Reject);
    let silent = decoded.messages.is_empty() && !rejected;
    let may_be_silent = topic.contains("/receipt") || topic.contains("/status/") || topic.contains("gtfs-rt")
        // Receipts between machines and drafts are said in a warning.
        || topic.contains("/cap/") && !decoded.problems.is_empty();
    assert!(!silent || may_be_silent, "{topic}: nothing came of it and nobody was told");
    for problem in &decoded.problems {
        let reject = reject_of(&frame, &decoded, problem);
        assert!(reject.head.chars().count() <= 256 && reject.topic.chars().count() <= 256);
        assert!(!reject.head.chars().any(char::is_control) && !reject.topic.chars().any(char::is_control));
    }
    let _replaceable = feeds.is_replaceable(topic, payload);
    decoded
}
