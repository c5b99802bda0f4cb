//! Native alarms: whatever arrives, exactly one alarm comes out.

#![no_main]

use std::sync::LazyLock;

use decode::{Feeds, Message};
use libfuzzer_sys::fuzz_target;

static FEEDS: LazyLock<Feeds> = LazyLock::new(fuzz::feeds);

fuzz_target!(|input: &[u8]| {
    let (levels, payload) = fuzz::split(input);
    let topic = format!("topis/v1/vehicle/{levels}/alarm");
    assert!(FEEDS.is_emergency(&topic));
    let decoded = fuzz::decode(&FEEDS, &topic, payload);
    assert!(matches!(decoded.messages.as_slice(), [Message::Alarm(_)]), "{decoded:?}");
});
