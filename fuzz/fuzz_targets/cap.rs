//! CAP: any payload on a cap feed's topic.

#![no_main]

use std::sync::LazyLock;

use decode::{FeedSpec, Feeds};
use libfuzzer_sys::fuzz_target;
use transit::FeedId;

static FEEDS: LazyLock<Feeds> = LazyLock::new(|| {
    let id = FeedId::parse("cap").expect("a short word is an id");
    Feeds::new("topis", vec![FeedSpec::new(id, "cap")]).expect("the format's own topics are right, a test holds them")
});

fuzz_target!(|input: &[u8]| {
    let (levels, payload) = fuzz::split(input);
    let topic = format!("topis/v1/cap/{levels}");
    assert!(FEEDS.is_emergency(&topic));
    fuzz::decode(&FEEDS, &topic, payload);
    // Payloads with a line feed early on are payloads too.
    fuzz::decode(&FEEDS, "topis/v1/cap/x", input);
});
