//! Native incidents: any payload, on any incident's topic.

#![no_main]

use std::sync::LazyLock;

use decode::Feeds;
use libfuzzer_sys::fuzz_target;

static FEEDS: LazyLock<Feeds> = LazyLock::new(fuzz::feeds);

fuzz_target!(|input: &[u8]| {
    let (levels, payload) = fuzz::split(input);
    let levels = if levels.is_empty() { "a/b" } else { levels.as_str() };
    let topic = format!("topis/v1/incident/{levels}");
    assert!(FEEDS.is_emergency(&topic));
    fuzz::decode(&FEEDS, &topic, payload);
});
