//! HFP of both versions: any topic below them, any payload.

#![no_main]

use std::sync::LazyLock;

use decode::Feeds;
use libfuzzer_sys::fuzz_target;

static FEEDS: LazyLock<Feeds> = LazyLock::new(fuzz::feeds);

fuzz_target!(|input: &[u8]| {
    let (levels, payload) = fuzz::split(input);
    fuzz::decode(&FEEDS, &format!("/hfp/v2/{levels}"), payload);
    fuzz::decode(&FEEDS, &format!("/hfp/v1/{levels}"), payload);
    fuzz::decode(
        &FEEDS,
        "/hfp/v2/journey/ongoing/vp/bus/0018/00640/1057/1/Munkkiniemi/07:32/1471139/3/60;25/20/38/71",
        payload,
    );
});
