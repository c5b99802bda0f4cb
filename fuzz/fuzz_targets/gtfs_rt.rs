//! GTFS-Realtime as protobuf and as protobuf-JSON.

#![no_main]

use std::sync::LazyLock;

use decode::Feeds;
use libfuzzer_sys::fuzz_target;

static FEEDS: LazyLock<Feeds> = LazyLock::new(fuzz::feeds);

fuzz_target!(|input: &[u8]| {
    let (levels, payload) = fuzz::split(input);
    fuzz::decode(&FEEDS, &format!("topis/v1/gtfs-rt/{levels}"), payload);
    // Payloads with a line feed early on are payloads too.
    fuzz::decode(&FEEDS, "topis/v1/gtfs-rt/x", input);
});
