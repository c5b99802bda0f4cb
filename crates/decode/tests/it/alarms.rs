//! Native alarms: whatever arrives, one alarm comes out.

use decode::{Frame, Message};
use expect_test::{Expect, expect};
use proptest::prelude::*;

use crate::show::{decode, feeds, frame, print, shown};

const TOPIC: &str = "topis/v1/vehicle/seoul-bus/7011/alarm";

fn check(body: &str, expected: Expect) {
    expected.assert_eq(&shown(TOPIC, body));
}

#[test]
fn a_full_alarm_is_read() {
    check(
        r#"{"event_id":"e-1","event_time":"2026-11-23T17:00:00+09:00","kind":"Panic","source":"driver","state":"raised",
            "covert":false,"status":"exercise","lat":37.5,"lon":127,"text":"help\u0007 \u202enow","passengers":40}"#,
        expect![[r#"
            ALARM seoul-bus/7011 panic driver raised exercise event_id=e-1 event_time=2026-11-23T08:00:00.000Z covert=false passengers=40 text="help now"
              at 37.5 127
        "#]],
    );
}

#[test]
fn every_field_is_optional() {
    check(
        "{}",
        expect![[r#"
        ALARM seoul-bus/7011 other driver raised actual
    "#]],
    );
    check(
        r#"{"kind":"call_request","state":"ended"}"#,
        expect![[r#"
        ALARM seoul-bus/7011 call_request driver ended actual
    "#]],
    );
}

#[test]
fn a_body_that_cannot_be_read_still_raises() {
    for (body, expected) in [
        (
            "",
            expect![[r#"
            ALARM seoul-bus/7011 other driver raised actual head=""
            warning empty_body body: is empty; raised all the same
        "#]],
        ),
        (
            "help",
            expect![[r#"
            ALARM seoul-bus/7011 other driver raised actual head="help"
            warning unparsable body: is no JSON object: expected value at line 1 column 1; raised all the same
        "#]],
        ),
        (
            "[1,2]",
            expect![[r#"
            ALARM seoul-bus/7011 other driver raised actual head="[1,2]"
            warning unparsable body: is no JSON object: invalid type: sequence, expected a JSON object at line 1 column 0; raised all the same
        "#]],
        ),
        (
            r#"{"kind":"call_request","#,
            expect![[r#"
            ALARM seoul-bus/7011 other driver raised actual head="{\"kind\":\"call_request\","
            warning unparsable body: is no JSON object: EOF while parsing a value at line 1 column 23; raised all the same
        "#]],
        ),
        (
            r#"{"kind":"call_request","lat":1e999}"#,
            expect![[r#"
            ALARM seoul-bus/7011 other driver raised actual head="{\"kind\":\"call_request\",\"lat\":1e999}"
            warning unparsable body: is no JSON object: number out of range at line 1 column 34; raised all the same
        "#]],
        ),
    ] {
        check(body, expected);
    }
    let brackets = "[".repeat(100_000);
    assert_eq!(decode(TOPIC, &brackets).messages.len(), 1);
    assert_eq!(decode(TOPIC, &"x".repeat(1_000_000)).messages.len(), 1);
}

#[test]
fn wrong_fields_are_lost_alone() {
    check(
        r#"{"event_id":77,"event_time":"2026-11-23T17:00:00","kind":["fire"],"source":"ghost","state":"maybe","covert":"no",
            "status":5,"lat":0,"lon":0,"text":[],"passengers":-3}"#,
        expect![[r#"
            ALARM seoul-bus/7011 other driver raised actual event_id=77
              at 0 0 flaw=NullIsland
            warning bad_field kind: a list is not a text
            warning naive_time event_time: "2026-11-23T17:00:00" has no UTC offset; write it like 2026-11-23T08:00:00Z or 2026-11-23T17:00:00+09:00
            warning unknown_word source: "ghost" is none of driver, passenger, device
            warning unknown_word state: "maybe" is none of raised, ended
            warning bad_field covert: "no" is not true or false
            warning bad_field status: 5 is not a word
            warning bad_position lat: 0, 0 is where broken receivers report
            warning bad_field text: a list is not a text
            warning bad_field passengers: -3 is not within 0 to 100000
        "#]],
    );
    check(
        r#"{"kind":"hijack","event_time":1}"#,
        expect![[r#"
        ALARM seoul-bus/7011 other driver raised actual word=hijack event_time=1970-01-01T00:00:01.000Z
        warning unknown_word kind: "hijack" is not known; taken as other
    "#]],
    );
    check(
        r#"{"knid":"fire","lat":"x","lon":127}"#,
        expect![[r#"
        ALARM seoul-bus/7011 other driver raised actual
        warning misspelled_field knid: is not known; did you mean kind?
        warning bad_field lat: "x" is not a number
        unknown fields: 1
    "#]],
    );
}

#[test]
fn ids_outside_the_pattern_still_raise() {
    for (topic, expected) in [
        (
            "topis/v1/vehicle/alarm",
            expect![[r#"
            ALARM unparsed: fire driver raised actual
            warning bad_id topic: "" is no agency and vehicle; raised all the same
        "#]],
        ),
        (
            "topis/v1/vehicle//alarm",
            expect![[r#"
            ALARM unparsed: fire driver raised actual
            warning bad_id topic: "" is no agency and vehicle; raised all the same
        "#]],
        ),
        (
            "topis/v1/vehicle/seoul-bus/alarm",
            expect![[r#"
            ALARM unparsed:seoul-bus fire driver raised actual
            warning bad_id topic: "seoul-bus" is no agency and vehicle; raised all the same
        "#]],
        ),
        (
            "topis/v1/vehicle/a/b/c/alarm",
            expect![[r#"
            ALARM unparsed:a/b/c fire driver raised actual
            warning bad_id topic: "a/b/c" is no agency and vehicle; raised all the same
        "#]],
        ),
        (
            "topis/v1/vehicle/a/%00/alarm",
            expect![[r#"
            ALARM unparsed:a/%00 fire driver raised actual
            warning bad_id topic: "a/%00" is no agency and vehicle; raised all the same
        "#]],
        ),
        (
            "topis/v1/vehicle/a/%ff/alarm",
            expect![[r#"
            ALARM unparsed:a/%ff fire driver raised actual
            warning bad_id topic: "a/%ff" is no agency and vehicle; raised all the same
        "#]],
        ),
        (
            "topis/v1/vehicle/서울/74사%201234/alarm",
            expect![[r#"
            ALARM %EC%84%9C%EC%9A%B8/74%EC%82%AC%201234 fire driver raised actual
        "#]],
        ),
    ] {
        assert!(feeds().is_emergency(topic), "{topic}");
        expected.assert_eq(&shown(topic, r#"{"kind":"fire"}"#));
    }
}

#[test]
fn one_print_is_one_message() {
    let print_of = |topic: &str, body: &str| match decode(topic, body).messages.first() {
        Some(Message::Alarm(report)) => report.fingerprint.0,
        other => panic!("{other:?}"),
    };
    // First 16 bytes of `printf 'topis/v1/vehicle/seoul-bus/7011/alarm\0{}' | sha256sum`.
    assert_eq!(format!("{:032x}", print_of(TOPIC, "{}")), "d738eccd670f6aecc4c27e8a1383bd06");
    assert_ne!(print_of(TOPIC, "{}"), print_of(TOPIC, "{ }"));
}

#[test]
fn retained_and_repeated_deliveries_are_marked() {
    let decoded = feeds().decode(&Frame { retained: true, dup: true, ..frame(TOPIC, b"{}") });
    match decoded.messages.first() {
        Some(Message::Alarm(report)) => assert!(report.retained && report.dup),
        other => panic!("{other:?}"),
    }
    assert_eq!(print(&decoded), shown(TOPIC, "{}"));
}

proptest! {
    #[test]
    fn whatever_arrives_one_alarm_comes_out(levels in "[^#+\0]{0,40}", body in prop::collection::vec(any::<u8>(), 0..200)) {
        let topic = format!("topis/v1/vehicle/{levels}/alarm");
        let feeds = feeds();
        prop_assert!(feeds.is_emergency(&topic));
        let decoded = feeds.decode(&frame(&topic, &body));
        prop_assert_eq!(decoded.messages.iter().filter(|m| matches!(m, Message::Alarm(_))).count(), 1);
    }

    #[test]
    fn any_json_fields_raise_one_alarm(kind in ".{0,20}", lat in any::<f64>(), time in any::<i64>()) {
        let body = serde_json::json!({ "kind": kind, "lat": lat, "lon": lat, "event_time": time }).to_string();
        prop_assert_eq!(decode(TOPIC, &body).messages.len(), 1);
    }
}
