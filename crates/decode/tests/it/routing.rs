//! Which feed a topic belongs to, and what is said of those that belong to none.

use alert::{AlarmKind, AlarmSubject};
use decode::{FeedSpec, Feeds, Frame, Message, reject_of};
use expect_test::{Expect, expect};
use transit::FeedId;

use crate::show::{feeds, frame, shown};

fn spec(id: &str, format: &str, topics: &[&str]) -> FeedSpec {
    let topics = topics.iter().map(|t| (*t).to_owned()).collect();
    FeedSpec { topics, ..FeedSpec::new(FeedId::parse(id).unwrap(), format) }
}

#[test]
fn a_wrong_topic_names_the_nearest() {
    for (topic, expected) in [
        (
            "topis/v1/vehicle/a/b/positon",
            expect![[r#"
            reject unknown_topic topic: is none of ours; the nearest is topis/v1/vehicle/<agency>/<vehicle>/position
        "#]],
        ),
        (
            "topis/v1/vehicles/a/b/position",
            expect![[r#"
            reject unknown_topic topic: is none of ours; the nearest is topis/v1/vehicle/<agency>/<vehicle>/position
        "#]],
        ),
        (
            "topis/v1/vehicle/a/position",
            expect![[r#"
            reject unknown_topic topic: is none of ours; the nearest is topis/v1/vehicle/<agency>/<vehicle>/position
        "#]],
        ),
        (
            "topis/v2/vehicle/a/b/position",
            expect![[r#"
            reject unknown_topic topic: is none of ours; the nearest is topis/v1/vehicle/<agency>/<vehicle>/position
        "#]],
        ),
        (
            "topsi/v1/vehicle/a/b/position",
            expect![[r#"
            reject unknown_topic topic: is matched by no feed; the nearest of ours is topis/v1/vehicle/<agency>/<vehicle>/position
        "#]],
        ),
        (
            "topis",
            expect![[r#"
            reject unknown_topic topic: is none of ours; the nearest is topis/v1/status/<client>
        "#]],
        ),
        (
            "",
            expect![[r#"
            reject unknown_topic topic: is matched by no feed; the nearest of ours is topis/v1/status/<client>
        "#]],
        ),
        (
            "/hfp/v2/journey/ongoing/vp/bus",
            expect![[r#"
            reject unknown_topic topic: ends before its operator level
        "#]],
        ),
        (
            "/hfp/v3/journey",
            expect![[r#"
                reject unknown_topic topic: is matched by no feed; the nearest of ours is /hfp/v2/#
            "#]],
        ),
    ] {
        expected.assert_eq(&shown(topic, r#"{"event_time":1795420800}"#));
    }
}

#[test]
fn ids_that_are_none_are_rejected_by_level() {
    for (topic, expected) in [
        (
            "topis/v1/vehicle//7011/position",
            expect![[r#"
            reject bad_id agency: the topic level "" is empty
        "#]],
        ),
        (
            "topis/v1/vehicle/a/%01/position",
            expect![[r#"
            reject bad_id vehicle: the topic level "%01" holds the control character U+0001
        "#]],
        ),
        (
            "topis/v1/vehicle/a/%c3%28/position",
            expect![[r#"
            reject bad_id vehicle: the topic level "%c3%28" is not UTF-8 after percent-decoding
        "#]],
        ),
        (
            "/hfp/v2/deadrun/ongoing/vp/bus//00640",
            expect![[r#"
            reject bad_id operator: the topic level "" is empty
        "#]],
        ),
    ] {
        expected.assert_eq(&shown(topic, r#"{"event_time":1795420800}"#));
    }
    let long = format!("topis/v1/vehicle/a/{}/position", "x".repeat(65));
    expect![[r#"
        reject bad_id vehicle: the topic level "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" has 65 characters, at most 64 are allowed
    "#]].assert_eq(&shown(&long, "{}"));
}

#[test]
fn an_unknown_agency_is_no_fault() {
    expect![[r#"
        never-heard-of/1 2026-11-23T08:00:00.000Z Event
    "#]]
    .assert_eq(&shown("topis/v1/vehicle/never-heard-of/1/position", r#"{"event_time":1795420800}"#));
}

#[test]
fn our_own_receipts_are_silent_and_a_clients_word_is_read() {
    assert_eq!(shown("topis/v1/receipt/a/b", "{}"), "");
    for (body, expected) in [
        (
            r#"{"online":true,"since":"2026-11-23T08:00:00Z"}"#,
            expect![[r#"
            client sim-1 online=true clean=true
        "#]],
        ),
        (
            r#"{"online":false,"since":"2026-11-23T08:00:00Z"}"#,
            expect![[r#"
            client sim-1 online=false clean=true
        "#]],
        ),
        (
            r#"{"online":false}"#,
            expect![[r#"
            client sim-1 online=false clean=false
        "#]],
        ),
        (
            r#"{"online":false,"since":1795420800,"will":true}"#,
            expect![[r#"
            client sim-1 online=false clean=false
        "#]],
        ),
        ("", expect![]),
        (
            r#"{"online":"yes"}"#,
            expect![[r#"
            warning bad_field online: "yes" is not true or false
            reject missing_field online: is required: true or false
        "#]],
        ),
        (
            "down",
            expect![[r#"
            reject unparsable -: the body is no JSON object: expected value at line 1 column 1
        "#]],
        ),
    ] {
        expected.assert_eq(&shown("topis/v1/status/sim-1", body));
    }
}

#[test]
fn the_most_literal_filter_takes_a_topic() {
    let mut specs = Feeds::defaults();
    specs.push(spec("bridge", "hfp", &["topis/hfp/#"]));
    let feeds = Feeds::new("topis", specs).unwrap();
    let feed = |topic: &str| feeds.decode(&frame(topic, b"{}")).feed.to_string();
    assert_eq!(feed("topis/v1/vehicle/a/b/position"), "native");
    assert_eq!(feed("topis/v1/gtfs-rt/mbta"), "gtfs-rt");
    assert_eq!(feed("topis/hfp/v2/deadrun/ongoing/vp/bus/1/2"), "bridge");
    assert_eq!(feed("/hfp/v1/deadrun/ongoing/bus/1/2"), "hfp");
    assert_eq!(feeds.telemetry_filters(), ["topis/#", "/hfp/v1/#", "/hfp/v2/#"]);
    assert_eq!(
        feeds.emergency_filters(),
        [
            "topis/v1/vehicle/+/+/alarm",
            "topis/v1/vehicle/alarm",
            "topis/v1/vehicle/+/alarm",
            "topis/v1/vehicle/+/+/+/alarm",
            "topis/v1/vehicle/+/+/+/+/alarm",
            "topis/v1/incident/#",
            "topis/v1/cap/#",
        ]
    );
}

#[test]
fn emergency_topics_are_known_whatever_their_ids() {
    let feeds = feeds();
    for (topic, emergency, subscribed) in [
        ("topis/v1/vehicle/a/b/alarm", true, true),
        ("topis/v1/vehicle/alarm", true, true),
        ("topis/v1/vehicle/a/b/c/d/e/f/alarm", true, false),
        ("topis/v1/incident/a/b", true, true),
        ("topis/v1/incident", true, true),
        ("topis/v1/vehicle/a/b/position", false, false),
        ("topis/v1/vehicle/alarm/b/position", false, false),
        ("topis/v1/alarm", false, false),
        ("other/v1/vehicle/a/b/alarm", false, false),
    ] {
        assert_eq!(feeds.is_emergency(topic), emergency, "{topic}");
        assert_eq!(feeds.has_emergency_filter(topic), subscribed, "{topic}");
    }
}

#[test]
fn alarms_are_taken_without_any_native_feed() {
    let feeds = Feeds::new("topis", vec![spec("hsl", "hfp", &[])]).unwrap();
    assert!(feeds.is_emergency("topis/v1/vehicle/a/b/alarm"));
    let decoded = feeds.decode(&frame("topis/v1/vehicle/a/b/alarm", b""));
    assert!(matches!(decoded.messages.first(), Some(Message::Alarm(_))));
}

#[test]
fn a_second_native_root_has_its_own_alarms() {
    let feeds = Feeds::new("topis", vec![spec("east", "native", &["region/+/east/v1/vehicle/#"])]).unwrap();
    assert!(feeds.is_emergency("region/7/east/v1/vehicle/a/b/alarm"));
    assert!(feeds.is_emergency("topis/v1/vehicle/a/b/alarm"));
    assert_eq!(feeds.decode(&frame("region/7/east/v1/vehicle/a/b/alarm", b"")).feed.as_str(), "east");
}

#[test]
fn a_namespace_stands_before_the_agency() {
    let hsl = FeedSpec { namespace: Some("fi".to_owned()), ..spec("hsl", "hfp", &[]) };
    let feeds = Feeds::new("topis", vec![hsl]).unwrap();
    let body = br#"{"VP":{"tst":"2026-11-23T08:00:00Z"}}"#;
    match feeds.decode(&frame("/hfp/v1/deadrun/ongoing/bus/0018/00640", body)).messages.first() {
        Some(Message::Vehicle(o)) => assert_eq!(o.vehicle.to_string(), "fi:0018/00640"),
        other => panic!("{other:?}"),
    }
}

fn refused(prefix: &str, specs: Vec<FeedSpec>, expected: Expect) {
    let errors = Feeds::new(prefix, specs).unwrap_err();
    expected.assert_eq(&errors.iter().map(|e| format!("{e}\n")).collect::<String>());
}

#[test]
fn every_error_of_a_configuration_is_listed() {
    refused(
        "topis/#",
        vec![],
        expect![[r#"
        mqtt.prefix "topis/#": must be topic levels without wildcards
    "#]],
    );
    let broken = FeedSpec {
        timezone: Some("Mars/Olympus".to_owned()),
        agency: Some(String::new()),
        ..spec("b", "hfp", &["a#", "/hfp/#"])
    };
    refused(
        "topis",
        vec![
            spec("a", "hpf", &[]),
            broken,
            spec("c", "siri-vm", &[]),
            spec("hfp", "hfp", &[]),
            spec("hfp", "hfp", &[]),
        ],
        expect![[r#"
            feed a: format "hpf" is not known; did you mean hfp?
            feed b: topic filter "a#" has a # that is no level of its own
            feed b: agency is empty
            feed b: timezone "Mars/Olympus" is no zone like Europe/Helsinki
            feed c: format "siri-vm" is not known; known are native, hfp, gtfs-rt, cap
            feed hfp: is configured twice
        "#]],
    );
}

#[test]
fn a_reject_keeps_the_head_of_what_it_was_found_in() {
    let feeds = feeds();
    let body = format!("\u{1b}[31m{}", "é".repeat(400));
    let topic = "topis/v1/vehicle/seoul-bus/7011/position";
    let frame = Frame { retained: true, ..frame(topic, body.as_bytes()) };
    let decoded = feeds.decode(&frame);
    let reject = reject_of(&frame, &decoded, decoded.problems.last().unwrap());
    assert_eq!(reject.vehicle.as_ref().unwrap().to_string(), "seoul-bus/7011");
    assert_eq!(reject.topic, topic);
    assert!(reject.head.starts_with("\\u{1b}[31mé") && reject.head.chars().count() == 256);
}

#[test]
fn what_may_come_from_a_covert_alarm_is_confidential() {
    let feeds = feeds();
    for (topic, body, confidential) in [
        ("topis/v1/vehicle/22/1/alarm", "{kind: panic", true),
        ("topis/v1/vehicle/22/1/alarm", r#"{"kind":"fire","lat":999}"#, true),
        ("topis/v1/vehicle/22/1/alarms", r#"{"kind":"panic"}"#, true),
        ("topis/v1/vehicle/22/1/position", "{", false),
        ("topis/v1/incident/police/1", "{", false),
    ] {
        let frame = frame(topic, body.as_bytes());
        let decoded = feeds.decode(&frame);
        let reject = reject_of(&frame, &decoded, decoded.problems.first().unwrap());
        assert_eq!(reject.confidential, confidential, "{topic} {body}");
    }
}

#[test]
fn what_may_wait_for_a_press_says_beyond_doubt_that_it_is_none() {
    let feeds = feeds();
    let alarm = "topis/v1/vehicle/22/1/alarm";
    for (topic, body, may_wait) in [
        (alarm, r#"{"kind":"call_request"}"#, true),
        (alarm, r#"{"kind":" Breakdown ","state":"ended"}"#, true),
        (alarm, r#"{"kind":"call\u005frequest"}"#, true),
        (alarm, r#"{"kind":"panic"}"#, false),
        (alarm, r#"{"kind":"a word of theirs"}"#, false),
        (alarm, r#"{"event_id":"7"}"#, false),
        (alarm, r#"{"kind":"call_request","kind":"panic"}"#, false),
        (alarm, r#"{"kind":"call_request""#, false),
        (alarm, r#"["call_request"]"#, false),
        (alarm, "", false),
        ("topis/v1/vehicle/alarm", "?", false),
        ("topis/v1/vehicle/a/b/c/alarm", "?", false),
        ("topis/v1/incident/police/1", r#"{"kind":"fire"}"#, true),
        ("topis/v1/cap/kma", "<alert/>", true),
    ] {
        assert!(feeds.is_emergency(topic), "{topic}");
        assert_eq!(feeds.may_wait(topic, body.as_bytes()), may_wait, "{topic} {body}");
    }
}

#[test]
fn an_alarm_all_but_named_as_one_is_one_and_its_author_is_told() {
    let feeds = feeds();
    for between in ["vehicle/22/1/alarms", "vehicle/22/1/Alarm", "vehicle/22/1/alarm/", "vehicles/22/1/alarm"] {
        let topic = format!("topis/v1/{between}");
        assert!(feeds.is_emergency(&topic), "{topic}");
        let decoded = feeds.decode(&frame(&topic, br#"{"kind":"panic"}"#));
        let [Message::Alarm(report)] = &decoded.messages[..] else { panic!("{topic}: {decoded:?}") };
        let AlarmSubject::Vehicle(key) = &report.subject else { panic!("{topic}: {report:?}") };
        assert_eq!((key.to_string().as_str(), report.kind), ("22/1", AlarmKind::Panic));
        assert!(between.ends_with("/alarm") || decoded.problems[0].detail.contains("end it with /alarm"), "{topic}");
    }
    for other in ["vehicle/22/1/alarming", "vehicle/22/1/position/alarm/x", "vehicles/22/1/position"] {
        assert!(!feeds.is_emergency(&format!("topis/v1/{other}")), "{other}");
    }
}

#[test]
fn a_broken_body_keeps_the_kind_of_emergency_that_it_names() {
    let feeds = feeds();
    let kind_of = |body: &[u8]| {
        let decoded = feeds.decode(&frame("topis/v1/vehicle/22/1/alarm", body));
        let [Message::Alarm(report)] = &decoded.messages[..] else { panic!("{decoded:?}") };
        assert!(report.unparsed_head.is_some());
        report.kind
    };
    assert_eq!(kind_of(br#"{"kind":"panic","speed":nan}"#), AlarmKind::Panic);
    assert_eq!(kind_of(b"{\"text\":\"\xbf\xc0\",\"kind\" : \"assault\"}"), AlarmKind::Assault);
    // What is said to be less may be more.
    assert_eq!(kind_of(br#"{"kind":"call_request","speed":nan}"#), AlarmKind::Other);
    assert_eq!(kind_of(br#"{"kind":"#), AlarmKind::Other);
}
