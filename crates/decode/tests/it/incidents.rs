//! Native incidents.

use expect_test::{Expect, expect};

use crate::show::shown;

const TOPIC: &str = "topis/v1/incident/topis/20261123-1";

fn check(body: &str, expected: Expect) {
    expected.assert_eq(&shown(TOPIC, body));
}

#[test]
fn a_full_incident_is_read() {
    check(
        r#"{"kind":"A10","version":3,"state":"ACTIVE","status":"test","subkind":"march","severity":"severe","urgency":"immediate",
            "certainty":"observed","effect":"detour","active_periods":[{"start":"2026-11-23T17:00:00+09:00","end":null}],
            "expected_end":1795424400,"geometry":{"type":"LineString","coordinates":[[126.97,37.57],[126.98,37.56]]},
            "radius_m":50,"affects":[{"route_id":"100100112","direction_id":0},{"stop_id":111},{"agency_id":"seoul-bus","vehicle_id":"7011"}],
            "title":"Rally at City Hall","text":{"en":"Seven lanes shut","ko":"7개 차로 통제"},"public_text":"Expect delays","road_control":"FULL"}"#,
        expect![[r#"
            INCIDENT topis/20261123-1 rally active test version=3 severity=severe urgency=Immediate certainty=Observed effect=DETOUR radius_m=50 expected_end=2026-11-23T09:00:00.000Z geometry={"type":"LineString","coordinates":[[126.97,37.57],[126.98,37.56]]} title="Rally at City Hall" road_control=full subkind=march
              affects route=100100112 direction=0
              affects stop=111
              affects agency=seoul-bus vehicle=7011
              period start=2026-11-23T08:00:00.000Z
              text[en]="Seven lanes shut"
              text[ko]="7개 차로 통제"
              public_text[]="Expect delays"
        "#]],
    );
}

#[test]
fn a_kind_and_one_place_are_enough() {
    check(
        r#"{"kind":"crash","lat":37.5,"lon":127}"#,
        expect![[r#"
        INCIDENT topis/20261123-1 crash active actual lat=37.5 lon=127
    "#]],
    );
    check(
        r#"{"kind":"meteor","affects":{"route_id":"9404"}}"#,
        expect![[r#"
        INCIDENT topis/20261123-1 other active actual word=meteor
          affects route=9404
        warning unknown_word kind: "meteor" is not known; taken as other
    "#]],
    );
    check(
        r#"{"kind":"flood","geometry":{"type":"Point","coordinates":[127,37.5]},"latitude":null}"#,
        expect![[r#"
        INCIDENT topis/20261123-1 flood active actual geometry={"type":"Point","coordinates":[127.0,37.5]}
    "#]],
    );
}

#[test]
fn without_kind_or_place_it_is_rejected() {
    for (body, expected) in [
        (
            "{}",
            expect![[r#"
            reject missing_field kind: is required: a word like crash, or a TOPIS code A01 to A13
            reject missing_field geometry: needs one place: geometry, lat and lon, or a stop, route or vehicle in affects
        "#]],
        ),
        (
            r#"{"kind":"crash"}"#,
            expect![[r#"
            reject missing_field geometry: needs one place: geometry, lat and lon, or a stop, route or vehicle in affects
        "#]],
        ),
        (
            r#"{"lat":37.5,"lon":127}"#,
            expect![[r#"
            reject missing_field kind: is required: a word like crash, or a TOPIS code A01 to A13
        "#]],
        ),
        (
            r#"{"kind":"crash","lat":0,"lon":0}"#,
            expect![[r#"
            warning bad_position lat: 0, 0 is where broken receivers report
            reject missing_field geometry: needs one place: geometry, lat and lon, or a stop, route or vehicle in affects
        "#]],
        ),
        (
            r#"{"kind":"crash","affects":[{"agency_id":"seoul-bus"}]}"#,
            expect![[r#"
            reject missing_field geometry: needs one place: geometry, lat and lon, or a stop, route or vehicle in affects
        "#]],
        ),
        (
            "not json",
            expect![[r#"
            reject unparsable -: the body is no JSON object: expected ident at line 1 column 2
        "#]],
        ),
        (
            "[1]",
            expect![[r#"
            reject unparsable -: the body is no JSON object: invalid type: sequence, expected a map at line 1 column 0
        "#]],
        ),
    ] {
        check(body, expected);
    }
}

#[test]
fn geometries_are_checked() {
    for (geometry, expected) in [
        (
            r#"{"type":"Point","coordinates":[37.5,127]}"#,
            expect![[r#"
            INCIDENT topis/20261123-1 crash active actual lat=37.5 lon=127
            warning bad_field geometry: has the position [37.5, 127], which is outside -90..90 for a latitude or -180..180 for a longitude; GeoJSON writes longitude first
        "#]],
        ),
        (
            r#"{"type":"Point","coordinates":[127]}"#,
            expect![[r#"
            INCIDENT topis/20261123-1 crash active actual lat=37.5 lon=127
            warning bad_field geometry: is no GeoJSON geometry: A position must contain two or more elements, but got `1`
        "#]],
        ),
        (
            r#"{"type":"Circle","coordinates":[127,37]}"#,
            expect![[r#"
            INCIDENT topis/20261123-1 crash active actual lat=37.5 lon=127
            warning bad_field geometry: is no GeoJSON geometry: unknown variant `Circle`, expected one of `Point`, `LineString`, `Polygon`, `MultiPoint`, `MultiLineString`, `MultiPolygon`, `GeometryCollection`
        "#]],
        ),
        (
            r#"{"type":"Polygon","coordinates":[[[127,37],[127.1,37],[127.1,37.1],[127,37.1]]]}"#,
            expect![[r#"
            INCIDENT topis/20261123-1 crash active actual lat=37.5 lon=127
            warning bad_field geometry: has a ring whose last position is not its first
        "#]],
        ),
        (
            r#"{"type":"LineString","coordinates":[[127,37]]}"#,
            expect![[r#"
            INCIDENT topis/20261123-1 crash active actual lat=37.5 lon=127
            warning bad_field geometry: has a part of 1 positions, at least 2 are needed
        "#]],
        ),
        (
            r#"{"type":"LineString","coordinates":[]}"#,
            expect![[r#"
            INCIDENT topis/20261123-1 crash active actual lat=37.5 lon=127
            warning bad_field geometry: has a part of 0 positions, at least 2 are needed
        "#]],
        ),
        (
            r#"{"type":"MultiPoint","coordinates":[]}"#,
            expect![[r#"
            INCIDENT topis/20261123-1 crash active actual lat=37.5 lon=127
            warning bad_field geometry: has a part of 0 positions, at least 1 are needed
        "#]],
        ),
        (
            r#"{"type":"Feature","geometry":{"type":"Point","coordinates":[127,37]}}"#,
            expect![[r#"
            INCIDENT topis/20261123-1 crash active actual lat=37.5 lon=127
            warning bad_field geometry: is a GeoJSON Feature; write its geometry alone
        "#]],
        ),
        (
            r#""POINT(127 37)""#,
            expect![[r#"
            INCIDENT topis/20261123-1 crash active actual lat=37.5 lon=127
            warning bad_field geometry: is no GeoJSON geometry: invalid type: string "POINT(127 37)", expected Geometry object
        "#]],
        ),
    ] {
        check(&format!(r#"{{"kind":"crash","geometry":{geometry},"lat":37.5,"lon":127}}"#), expected);
    }
}

#[test]
fn an_entry_of_affects_with_a_wrong_field_is_dropped_whole() {
    check(
        r#"{"kind":"crash","affects":[{"route_id":"9404","direction_id":7},{},5,{"route_id":"9405","stopp_id":"1"}]}"#,
        expect![[r#"
            INCIDENT topis/20261123-1 crash active actual
              affects route=9405
            warning bad_field affects[2]: 5 is not an object
            warning bad_field direction_id: 7 is neither 0 nor 1
            warning bad_field affects[0]: was dropped whole: without the wrong field it would mean more
            warning bad_field affects[1]: names nothing
            warning misspelled_field stopp_id: is not known; did you mean stop_id?
            unknown fields: 1
        "#]],
    );
}

#[test]
fn other_wrong_fields_are_lost_alone() {
    check(
        r#"{"kind":"crash","lat":37.5,"lon":127,"version":-1,"severity":"bad","radius_m":-5,"effect":"boom","road_control":"half",
            "active_periods":[{"start":"2026-11-23T17:00:00"},{"start":2000000000,"end":1900000000}],"text":7.5,"title":{}}"#,
        expect![[r#"
            INCIDENT topis/20261123-1 crash active actual effect=UNKNOWN_EFFECT lat=37.5 lon=127
            warning bad_field version: -1 is not a whole number from 0 to 18446744073709551615
            warning unknown_word severity: "bad" is none of minor, moderate, severe, extreme, unknown
            warning unknown_word effect: "boom" is no GTFS-Realtime effect; taken as unknown
            warning naive_time active_periods[0].start: "2026-11-23T17:00:00" has no UTC offset; write it like 2026-11-23T08:00:00Z or 2026-11-23T17:00:00+09:00
            warning bad_field active_periods[1]: ends before it starts; dropped
            warning bad_field radius_m: -5 is not within 0 to 500000
            warning bad_field title: an object is not a text
            warning bad_field text: 7.5e0 is not a text
            warning unknown_word road_control: "half" is neither full nor partial
        "#]],
    );
}

#[test]
fn an_empty_payload_withdraws() {
    check(
        "",
        expect![[r#"
        withdrawn topis/20261123-1
    "#]],
    );
}

#[test]
fn a_topic_without_source_and_incident_is_rejected() {
    for (topic, expected) in [
        (
            "topis/v1/incident",
            expect![[r#"
            reject bad_id topic: an incident's topic ends with <source>/<incident>, percent-encoded where they hold a slash
        "#]],
        ),
        (
            "topis/v1/incident/topis",
            expect![[r#"
            reject bad_id topic: an incident's topic ends with <source>/<incident>, percent-encoded where they hold a slash
        "#]],
        ),
        (
            "topis/v1/incident/topis/",
            expect![[r#"
            reject bad_id incident: the topic level "" is empty
        "#]],
        ),
        (
            "topis/v1/incident/a/b/c",
            expect![[r#"
            reject bad_id topic: an incident's topic ends with <source>/<incident>, percent-encoded where they hold a slash
        "#]],
        ),
        (
            "topis/v1/incident/a/b%2Fc",
            expect![[r#"
            INCIDENT a/b/c crash active actual lat=37.5 lon=127
        "#]],
        ),
    ] {
        expected.assert_eq(&shown(topic, r#"{"kind":"crash","lat":37.5,"lon":127}"#));
    }
}

#[test]
fn deep_brackets_are_rejected() {
    check(
        &"[".repeat(100_000),
        expect![[r#"
        reject unparsable -: the body is no JSON object: invalid type: sequence, expected a map at line 1 column 0
    "#]],
    );
    let deep = format!(r#"{{"kind":"crash","geometry":{}{}}}"#, "[".repeat(50_000), "]".repeat(50_000));
    check(
        &deep,
        expect![[r#"
        reject unparsable -: the body is no JSON object: recursion limit exceeded at line 1 column 154
    "#]],
    );
}
