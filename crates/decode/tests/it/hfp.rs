//! HFP, message by message.

use expect_test::{Expect, expect};
use transit::Word as _;

use crate::show::{observation, shown};
use decode::formats::hfp::HfpEvent;

const TRIP: &str = "bus/0018/00679/1064/1/Itä-Pakila/21:12/1353117/5/60;24/29/45/98";

fn body(key: &str, fields: &str) -> String {
    format!(
        r#"{{"{key}":{{"tst":"2026-11-23T19:46:39.370Z","oday":"2026-11-23","lat":60.249085,"long":24.958315,{fields}}}}}"#
    )
}

fn check(topic: &str, body: &str, expected: Expect) {
    expected.assert_eq(&shown(topic, body));
}

#[test]
fn a_position_of_version_2() {
    check(
        &format!("/hfp/v2/journey/ongoing/vp/{TRIP}"),
        &body(
            "VP",
            r#""desi":"64","dir":"1","oper":6,"veh":679,"spd":5.00,"hdg":360,"acc":-0.15,"dl":-376,"odo":10459,"drst":0,"jrn":513,"line":80,"start":"21:12","loc":"GPS","stop":null,"route":"1064","occu":0"#,
        ),
        expect![[r#"
            0018/00679 2026-11-23T19:46:39.370Z Plain mode=bus doors_open=false delay_s=376
              at 60.249085 24.958315 bearing=0 speed_mps=5 odometer_m=10459 source=gps
              stop 1353117
              occupancy percentage=0
              journey state=in_service route=1064 direction=0 date=2026-11-23 start=21:12:00
        "#]],
    );
}

#[test]
fn a_position_of_version_1() {
    check(
        "/hfp/v1/journey/ongoing/tram/0040/00211/1004 4/2/Kaivopuisto/00:10/EOL/0////",
        r#"{"VP":{"desi":"4","dir":"2","oper":40,"veh":211,"tst":"2026-11-23T22:30:00Z","tsi":1,"spd":null,"hdg":null,"lat":null,"long":null,"acc":null,"dl":12,"odo":null,"drst":1,"oday":"2026-11-23","jrn":1,"line":2,"start":"00:10"}}"#,
        expect![[r#"
            0040/00211 2026-11-23T22:30:00.000Z Plain mode=tram doors_open=true delay_s=-12
              stop none
              journey state=in_service route=1004 4 direction=1 date=2026-11-23 start=24:10:00
        "#]],
    );
}

#[test]
fn deadrun_signoff_and_upcoming_are_told_apart() {
    check(
        "/hfp/v1/deadrun/ongoing/train/0090/06313",
        &body("VP", r#""dl":0,"oper":null"#),
        expect![[r#"
        0090/06313 2026-11-23T19:46:39.370Z Plain mode=rail
          at 60.249085 24.958315
          journey state=deadrun
    "#]],
    );
    check(
        "/hfp/v2/signoff/ongoing/dout/bus/0018/00679",
        &body("DOUT", r#""dr-type":1,"block":7"#),
        expect![[r#"
        0018/00679 2026-11-23T19:46:39.370Z Event mode=bus
          at 60.249085 24.958315
          journey state=signed_off
    "#]],
    );
    check(
        &format!("/hfp/v2/journey/upcoming/vp/{TRIP}"),
        &body("VP", r#""dl":60,"drst":1"#),
        expect![[r#"
        0018/00679 2026-11-23T19:46:39.370Z Plain mode=bus doors_open=true
          at 60.249085 24.958315
          upcoming state=upcoming route=1064 direction=0 date=2026-11-23 start=21:12:00
    "#]],
    );
    check(
        &format!("/hfp/v2/journey/ongoing/vjout/{TRIP}"),
        &body("VJOUT", r#""stop":1353117"#),
        expect![[r#"
        0018/00679 2026-11-23T19:46:39.370Z Event mode=bus
          at 60.249085 24.958315
          stop 1353117
          journey state=signed_off
    "#]],
    );
}

#[test]
fn every_event_says_what_it_says_of_stops() {
    let mut table = String::new();
    for event in HfpEvent::ALL {
        let (level, key) = (event.word(), event.word().to_uppercase());
        let o = observation(&format!("/hfp/v2/journey/ongoing/{level}/{TRIP}"), &body(&key, r#""stop":1342115"#));
        let status = o.stop_status.map_or("-".to_owned(), |s| format!("{} {:?}", s.status.word(), s.stop_id.unwrap()));
        table += &format!("{level} {:?} doors={:?} {status}\n", o.significance, o.doors_open);
    }
    expect![[r#"
        vp Plain doors=None -
        due Event doors=None INCOMING_AT "1342115"
        arr Event doors=None -
        ars Event doors=None STOPPED_AT "1342115"
        pde Event doors=None IN_TRANSIT_TO "1353117"
        dep Event doors=None IN_TRANSIT_TO "1353117"
        pas Event doors=None IN_TRANSIT_TO "1353117"
        wait Event doors=None STOPPED_AT "1342115"
        doo Event doors=Some(true) STOPPED_AT "1342115"
        doc Event doors=Some(false) STOPPED_AT "1342115"
        tlr Event doors=None -
        tla Event doors=None -
        da Event doors=None -
        dout Event doors=None -
        ba Event doors=None -
        bout Event doors=None -
        vja Event doors=None -
        vjout Event doors=None -
        apc Event doors=None -
        apc-partial Event doors=None -
    "#]]
    .assert_eq(&table);
}

#[test]
fn doors_that_open_away_from_a_stop_are_at_no_stop() {
    check(
        &format!("/hfp/v2/journey/ongoing/doo/{TRIP}"),
        &body("DOO", r#""drst":1,"stop":null"#),
        expect![[r#"
        0018/00679 2026-11-23T19:46:39.370Z Event mode=bus doors_open=true
          at 60.249085 24.958315
          stop 1353117
          journey state=in_service route=1064 direction=0 date=2026-11-23 start=21:12:00
    "#]],
    );
}

#[test]
fn passenger_counts_are_read_in_every_shape() {
    let topic = "/hfp/v2/journey/ongoing/apc/bus/0018/01029";
    for (body, expected) in [
        (
            r#"{"APC":{"tst":"2024-02-13T16:35:00Z","lat":60.2,"long":24.8,"vehiclecounts":{"vehicleload":8,"vehicleloadratio":0.1025641,"doorcounts":[{"door":"1"}],"countquality":"regular"},"schemaVersion":"1-1-0"}}"#,
            expect![[r#"
                0018/01029 2024-02-13T16:35:00.000Z Event mode=bus
                  at 60.2 24.8
                  occupancy status=MANY_SEATS_AVAILABLE percentage=10
            "#]],
        ),
        (
            r#"{"desi":"520","tst":1707842100,"lat":60.2,"long":24.8,"vehicleCounts":{"countQuality":"regular","vehicleLoad":55,"vehicleLoadRatio":0.7}}"#,
            expect![[r#"
                0018/01029 2024-02-13T16:35:00.000Z Event mode=bus
                  at 60.2 24.8
                  occupancy status=CRUSHED_STANDING_ROOM_ONLY percentage=70
            "#]],
        ),
        (
            r#"{"APC":{"tst":"2024-02-13T16:35:00Z","vehiclecounts":{"vehicleload":-1,"vehicleloadratio":-0.0128}}}"#,
            expect![[r#"
                0018/01029 2024-02-13T16:35:00.000Z Event mode=bus
            "#]],
        ),
        (
            r#"{"APC":{"tst":"2024-02-13T16:35:00Z","vehiclecounts":null}}"#,
            expect![[r#"
                0018/01029 2024-02-13T16:35:00.000Z Event mode=bus
            "#]],
        ),
    ] {
        check(topic, body, expected);
    }
}

#[test]
fn unknown_words_are_kept_as_unknown() {
    check(
        "/hfp/v2/journey/ongoing/xyz/zeppelin/0018/00679",
        &body("XYZ", r#""loc":"GALILEO","brand-new":{"a":[1]}"#),
        expect![[r#"
            0018/00679 2026-11-23T19:46:39.370Z Event mode=unknown
              at 60.249085 24.958315 source=unknown
            warning unknown_word event_type: "xyz" is no event of HFP; taken as one that says nothing of stops
            warning unknown_word mode: "zeppelin" is no mode of HFP
            unknown fields: 1
        "#]],
    );
    check(
        "/hfp/v2/deadrun/ongoing/vp//0018/00679",
        &body("VP", r#""loc":"N/A""#),
        expect![[r#"
        0018/00679 2026-11-23T19:46:39.370Z Plain
          at 60.249085 24.958315 source=unknown
          journey state=deadrun
    "#]],
    );
}

#[test]
fn broken_messages_are_rejected() {
    let topic = "/hfp/v2/deadrun/ongoing/vp/bus/0018/00679";
    for (body, expected) in [
        (
            "",
            expect![[r#"
            reject empty_body -: the body is empty
        "#]],
        ),
        (
            "{}",
            expect![[r#"
            reject missing_field tst: is required; write it like 2026-11-23T08:00:00.000Z or as epoch seconds
        "#]],
        ),
        (
            r#"{"VP":null}"#,
            expect![[r#"
            reject unparsable -: the body is no HFP object: invalid type: null, expected an event's fields at line 1 column 10
        "#]],
        ),
        (
            r#"{"VP":{"tst":null,"lat":60}}"#,
            expect![[r#"
            reject missing_field tst: is required; write it like 2026-11-23T08:00:00.000Z or as epoch seconds
        "#]],
        ),
        (
            r#"{"VP":{"tst":"2026-11-23T19:46:39"}}"#,
            expect![[r#"
            reject naive_time tst: "2026-11-23T19:46:39" has no UTC offset; write it like 2026-11-23T08:00:00Z or 2026-11-23T17:00:00+09:00
        "#]],
        ),
        (
            r#"{"VP":[]}"#,
            expect![[r#"
            reject unparsable -: the body is no HFP object: invalid type: sequence, expected an event's fields at line 1 column 6
        "#]],
        ),
        (
            r#"{"VP":{"tst":"2026-11-23T19:46:39Z"}} trailing"#,
            expect![[r#"
            reject unparsable -: the body is no HFP object: trailing characters at line 1 column 39
        "#]],
        ),
    ] {
        check(topic, body, expected);
    }
}
