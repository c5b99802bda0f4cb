//! Native positions.

use decode::{Frame, Message};
use expect_test::{Expect, expect};

use crate::show::{decode, feeds, frame, print, shown};

const TOPIC: &str = "topis/v1/vehicle/seoul-bus/7011/position";

fn check(body: &str, expected: Expect) {
    expected.assert_eq(&shown(TOPIC, body));
}

#[test]
fn a_full_position_fills_every_group() {
    check(
        r#"{"event_time":"2026-11-23T17:00:00.250+09:00","lat":37.5665,"lon":126.978,"bearing":360,"speed_mps":8.25,
            "accuracy_m":4,"odometer_m":120345.5,"mode":"BUS","route_id":"100100112","direction_id":"1","trip_id":"t-1",
            "service_date":"2026-11-23","start_time":"25:10:00","block_id":7,"stop_id":"111","current_stop_sequence":12,
            "current_status":"stopped_at","delay_s":-30,"occupancy_status":"full","occupancy_percentage":104,
            "doors_open":true,"position_source":"GPS","journey_state":"in_service","consist":["a","b"],
            "boot":3,"seq":18446744073709551615}"#,
        expect![[r#"
            seoul-bus/7011 2026-11-23T08:00:00.250Z Plain mode=bus boot=3 seq=18446744073709551615 doors_open=true delay_s=-30
              at 37.5665 126.978 bearing=0 speed_mps=8.25 accuracy_m=4 odometer_m=120345.5 source=gps
              stop 111 sequence=12
              STOPPED_AT 111
              occupancy status=FULL percentage=104
              journey state=in_service route=100100112 direction=1 trip=t-1 date=2026-11-23 start=25:10:00 block=7 consist=a+b
        "#]],
    );
}

#[test]
fn event_time_alone_is_enough() {
    check(
        r#"{"event_time":1795420800}"#,
        expect![[r#"
        seoul-bus/7011 2026-11-23T08:00:00.000Z Event
    "#]],
    );
}

#[test]
fn aliases_epochs_and_nulls_are_read() {
    check(
        r#"{"timestamp":1795420800123,"latitude":37.5,"longitude":127,"speed":1,"start_date":"20261123","delay_s":null}"#,
        expect![[r#"
            seoul-bus/7011 2026-11-23T08:00:00.123Z Plain
              at 37.5 127 speed_mps=1
              journey date=2026-11-23
        "#]],
    );
}

#[test]
fn an_upcoming_journey_is_not_the_journey() {
    check(
        r#"{"event_time":1795420800,"journey_state":"UPCOMING","route_id":"9404"}"#,
        expect![[r#"
        seoul-bus/7011 2026-11-23T08:00:00.000Z Event
          upcoming state=upcoming route=9404
    "#]],
    );
}

#[test]
fn a_metro_without_gps_is_placed_by_its_stop() {
    check(
        r#"{"event_time":1795420800,"mode":"subway","stop_id":"K210","current_status":"STOPPED_AT"}"#,
        expect![[r#"
        seoul-bus/7011 2026-11-23T08:00:00.000Z Event mode=metro
          stop K210
          STOPPED_AT K210
    "#]],
    );
}

#[test]
fn a_sign_off_is_an_event() {
    check(
        r#"{"event_time":1795420800,"lat":37.5,"lon":127,"journey_state":"signed_off"}"#,
        expect![[r#"
        seoul-bus/7011 2026-11-23T08:00:00.000Z Event
          at 37.5 127
          journey state=signed_off
    "#]],
    );
}

#[test]
fn sixteen_digit_ids_are_kept_digit_by_digit() {
    check(
        r#"{"event_time":1795420800,"trip_id":9007199254740993,"route_id":"1234567890123456"}"#,
        expect![[r#"
        seoul-bus/7011 2026-11-23T08:00:00.000Z Event
          journey route=1234567890123456 trip=9007199254740993
    "#]],
    );
}

#[test]
fn a_wrong_field_is_lost_alone() {
    check(
        r#"{"event_time":1795420800,"lat":37.5,"lon":127,"speed_mps":"8.2","bearing":-1,"direction_id":2,"delay_s":"late",
            "doors_open":"yes","seq":-1,"stop_id":{"id":1},"service_date":"23.11.2026","occupancy_status":"packed",
            "mode":"hovercraft","position_source":"psychic","route_id":"\u0000"}"#,
        expect![[r#"
            seoul-bus/7011 2026-11-23T08:00:00.000Z Plain mode=unknown
              at 37.5 127 source=unknown
            warning bad_field bearing: -1 is not within 0 to 360
            warning bad_field speed_mps: "8.2" is not a number; write it without quotes
            warning unknown_word position_source: "psychic" is none of gps, odometer, manual, dead_reckoning, track_circuit, stop, unknown
            warning bad_field route_id: "\0" holds the control character U+0000
            warning bad_field direction_id: 2 is neither 0 nor 1
            warning bad_field service_date: "23.11.2026" is no date; write it like 2026-11-23
            warning bad_field stop_id: an object is not a text
            warning bad_field seq: -1 is not a whole number from 0 to 18446744073709551615
            warning unknown_word mode: "hovercraft" is none of tram, metro, rail, bus, ferry, cable_tram, aerial_lift, funicular, trolleybus, monorail, taxi, unknown
            warning bad_field doors_open: "yes" is not true or false
            warning bad_field delay_s: "late" is not a number
            warning unknown_word occupancy_status: "packed" is none of EMPTY, MANY_SEATS_AVAILABLE, FEW_SEATS_AVAILABLE, STANDING_ROOM_ONLY, CRUSHED_STANDING_ROOM_ONLY, FULL, NOT_ACCEPTING_PASSENGERS, NO_DATA_AVAILABLE, NOT_BOARDABLE
        "#]],
    );
}

#[test]
fn coordinates_that_are_no_place_are_told_and_the_rest_is_used() {
    for (lat, lon, expected) in [
        (
            "0",
            "0",
            expect![[r#"
            seoul-bus/7011 2026-11-23T08:00:00.000Z Plain doors_open=false
              at 0 0 flaw=NullIsland
            warning bad_position lat: 0, 0 is where broken receivers report
        "#]],
        ),
        (
            "127.0",
            "37.5",
            expect![[r#"
            seoul-bus/7011 2026-11-23T08:00:00.000Z Plain doors_open=false
              at no place flaw=SwappedAxes
            warning bad_position lat: the coordinates are off the globe; latitude and longitude may be swapped
        "#]],
        ),
        (
            "1e39",
            "37.5",
            expect![[r#"
            seoul-bus/7011 2026-11-23T08:00:00.000Z Plain doors_open=false
              at no place flaw=OutOfRange
            warning bad_position lat: the coordinates are off the globe
        "#]],
        ),
        (
            "37.5",
            "null",
            expect![[r#"
            seoul-bus/7011 2026-11-23T08:00:00.000Z Event doors_open=false
            warning bad_field lon: is missing beside lat: no position was taken
        "#]],
        ),
        (
            "\"37.5\"",
            "127",
            expect![[r#"
            seoul-bus/7011 2026-11-23T08:00:00.000Z Event doors_open=false
            warning bad_field lat: "37.5" is not a number; write it without quotes
        "#]],
        ),
        (
            "[37.5]",
            "127",
            expect![[r#"
            seoul-bus/7011 2026-11-23T08:00:00.000Z Event doors_open=false
            warning bad_field lat: a list is not a number
        "#]],
        ),
    ] {
        check(&format!(r#"{{"event_time":1795420800,"lat":{lat},"lon":{lon},"doors_open":false}}"#), expected);
    }
}

#[test]
fn numbers_beyond_their_type_are_refused() {
    check(
        r#"{"event_time":1795420800,"lat":37.5,"lon":127,"speed_mps":1e39,"odometer_m":1e308}"#,
        expect![[r#"
        seoul-bus/7011 2026-11-23T08:00:00.000Z Plain
          at 37.5 127
        warning bad_field speed_mps: 1e39 is not within 0 to 500
        warning bad_field odometer_m: 1e308 is not within -10000000000 to 10000000000
    "#]],
    );
    check(
        r#"{"event_time":1795420800,"lat":1e999}"#,
        expect![[r#"
        reject unparsable -: the body is no JSON object: number out of range at line 1 column 36
    "#]],
    );
}

#[test]
fn a_position_without_a_time_that_means_an_instant_is_rejected() {
    for (body, expected) in [
        (
            r#"{"lat":37.5,"lon":127}"#,
            expect![[r#"
            reject missing_field event_time: is required; write it like 2026-11-23T08:00:00.000Z or as epoch seconds
        "#]],
        ),
        (
            r#"{"event_time":null}"#,
            expect![[r#"
            reject missing_field event_time: is required; write it like 2026-11-23T08:00:00.000Z or as epoch seconds
        "#]],
        ),
        (
            r#"{"event_time":"2026-11-23T17:00:00"}"#,
            expect![[r#"
            reject naive_time event_time: "2026-11-23T17:00:00" has no UTC offset; write it like 2026-11-23T08:00:00Z or 2026-11-23T17:00:00+09:00
        "#]],
        ),
        (
            r#"{"event_time":"1795420800"}"#,
            expect![[r#"
            reject bad_field event_time: "1795420800" is no RFC 3339 time and no epoch seconds or milliseconds; write an epoch number without quotes
        "#]],
        ),
        (
            r#"{"event_time":"yesterday"}"#,
            expect![[r#"
            reject bad_field event_time: "yesterday" is no RFC 3339 time and no epoch seconds or milliseconds
        "#]],
        ),
        (
            r#"{"event_time":1795420800123456}"#,
            expect![[r#"
            reject bad_field event_time: 1795420800123456 is no RFC 3339 time and no epoch seconds or milliseconds
        "#]],
        ),
    ] {
        check(body, expected);
    }
}

#[test]
fn what_is_no_json_object_is_rejected() {
    for (body, expected) in [
        (
            "",
            expect![[r#"
            reject empty_body -: the body is empty; a position needs at least event_time
        "#]],
        ),
        (
            "[]",
            expect![[r#"
            reject unparsable -: the body is no JSON object: invalid type: sequence, expected a JSON object at line 1 column 0
        "#]],
        ),
        (
            "{\"event_time\":1795420800} {}",
            expect![[r#"
            reject unparsable -: the body is no JSON object: trailing characters at line 1 column 27
        "#]],
        ),
        (
            "{\"event_time\":1795420800,",
            expect![[r#"
            reject unparsable -: the body is no JSON object: EOF while parsing a value at line 1 column 25
        "#]],
        ),
        (
            "\u{feff}{}",
            expect![[r#"
            reject unparsable -: the body is no JSON object: expected value at line 1 column 1
        "#]],
        ),
    ] {
        check(body, expected);
    }
    let invalid_utf8 = feeds().decode(&frame(TOPIC, b"{\"event_time\":\"\xff\"}"));
    expect![[r#"
        reject unparsable -: the body is no JSON object: invalid unicode code point at line 1 column 16
    "#]]
    .assert_eq(&print(&invalid_utf8));
}

#[test]
fn a_hundred_thousand_brackets_are_rejected_at_once() {
    let brackets = "[".repeat(60_000);
    check(
        &brackets,
        expect![[r#"
        reject unparsable -: the body is no JSON object: invalid type: sequence, expected a JSON object at line 1 column 0
    "#]],
    );
    check(
        &format!("{{\"lat\":{brackets}"),
        expect![[r#"
        reject unparsable -: the body is no JSON object: recursion limit exceeded at line 1 column 134
    "#]],
    );
    check(
        &"[".repeat(100_000),
        expect![[r#"
        reject oversized -: 100000 bytes; at most 65536 are read
    "#]],
    );
}

#[test]
fn doubled_keys_take_the_last_value() {
    check(
        r#"{"event_time":1,"event_time":1795420800,"route_id":"a","route_id":"b"}"#,
        expect![[r#"
        seoul-bus/7011 2026-11-23T08:00:00.000Z Event
          journey route=b
    "#]],
    );
}

#[test]
fn a_misspelled_field_is_named_and_others_are_counted() {
    check(
        r#"{"event_time":1795420800,"route_Id":"a","temperature":3,"driver":{"name":[1]}}"#,
        expect![[r#"
        seoul-bus/7011 2026-11-23T08:00:00.000Z Event
        warning misspelled_field route_Id: is not known; did you mean route_id?
        unknown fields: 3
    "#]],
    );
}

#[test]
fn the_topic_says_who_speaks() {
    check(
        r#"{"event_time":1795420800,"vehicle":7012,"agency_id":"seoul-bus"}"#,
        expect![[r#"
        seoul-bus/7011 2026-11-23T08:00:00.000Z Event
        warning bad_field vehicle: 7012 is not the topic's "7011"; the topic was believed
    "#]],
    );
}

#[test]
fn a_retained_position_is_marked() {
    let retained = Frame { retained: true, ..frame(TOPIC, br#"{"event_time":1795420800,"lat":37.5,"lon":127}"#) };
    expect![[r#"
        seoul-bus/7011 2026-11-23T08:00:00.000Z Plain retained
          at 37.5 127
        warning retained retain: a retained position is last known, never fresh; publish without retain
    "#]]
    .assert_eq(&print(&feeds().decode(&retained)));
}

#[test]
fn an_oversized_position_is_rejected() {
    check(
        &format!(r#"{{"event_time":1795420800,"x":"{}"}}"#, "x".repeat(70_000)),
        expect![[r#"
        reject oversized -: 70032 bytes; at most 65536 are read
    "#]],
    );
}

#[test]
fn equal_messages_have_equal_content_and_others_do_not() {
    let content = |topic: &str, body: &str| match decode(topic, body).messages.first() {
        Some(Message::Vehicle(o)) => o.content,
        other => panic!("{other:?}"),
    };
    let body = r#"{"event_time":1795420800}"#;
    // The value is part of the order of what a vehicle says: it must be the same on every machine, for ever.
    assert_eq!(content(TOPIC, body), 2_271_814_007_049_584_417);
    assert_ne!(content(TOPIC, body), content("topis/v1/vehicle/seoul-bus/7012/position", body));
    assert_ne!(content(TOPIC, body), content(TOPIC, r#"{"event_time":1795420800 }"#));
}

#[test]
fn only_plain_positions_are_replaceable() {
    let feeds = feeds();
    for (body, expected) in [
        (r#"{"event_time":1,"lat":37.5,"lon":127}"#, true),
        (r#"{"event_time":1,"latitude":37.5,"lon":127,"doors_open":false,"journey_state":"in_service"}"#, true),
        (r#"{"event_time":1,"lat":37.5,"lon":127,"stop_id":"1","current_status":"IN_TRANSIT_TO"}"#, true),
        (r#"{"event_time":1,"lat" : null,"lon":null}"#, false),
        (r#"{"event_time":1,"doors_open":false}"#, false),
        (r#"{"event_time":1,"lat":37.5,"lon":127,"doors_open" : true}"#, false),
        (r#"{"event_time":1,"lat":37.5,"lon":127,"current_status":"stopped_at"}"#, false),
        (r#"{"event_time":1,"lat":37.5,"lon":127,"current_status":"INCOMING_AT"}"#, false),
        (r#"{"event_time":1,"lat":37.5,"lon":127,"journey_state":"Signed_Off"}"#, false),
        (r#"{"event_time":1,"lat":37.5,"lon":127,"journey_state":"deadrun"}"#, false),
        ("", false),
    ] {
        assert_eq!(feeds.is_replaceable(TOPIC, body.as_bytes()), expected, "{body}");
    }
    let vp = "/hfp/v2/journey/ongoing/vp/bus/0018/00640/1057/1/Munkkiniemi/07:32/1471139/3/60;25/20/38/71";
    assert!(feeds.is_replaceable(vp, b"{}"));
    assert!(feeds.is_replaceable("/hfp/v1/deadrun/ongoing/train/0090/06313", b"{}"));
    assert!(!feeds.is_replaceable(&vp.replace("/vp/", "/doo/"), b"{}"));
    assert!(!feeds.is_replaceable("/hfp/v2/signoff/ongoing/vp/bus/0018/00640", b"{}"));
    assert!(!feeds.is_replaceable("topis/v1/gtfs-rt/mbta", b""));
    assert!(!feeds.is_replaceable("topis/v1/vehicle/a/b/alarm", br#"{"lat":1,"lon":2}"#));
}
