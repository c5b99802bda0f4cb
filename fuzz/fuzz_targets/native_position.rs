//! Native positions: any payload, on any vehicle's topic and near it.

#![no_main]

use std::sync::LazyLock;

use decode::Feeds;
use libfuzzer_sys::fuzz_target;

static FEEDS: LazyLock<Feeds> = LazyLock::new(fuzz::feeds);

fuzz_target!(|input: &[u8]| {
    let (levels, payload) = fuzz::split(input);
    let levels = if levels.is_empty() { "a/b" } else { levels.as_str() };
    fuzz::decode(&FEEDS, &format!("topis/v1/vehicle/{levels}/position"), payload);
    fuzz::decode(&FEEDS, &format!("topis/v1/{levels}"), payload);
});
