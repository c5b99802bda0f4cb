//! Writes a seed corpus for every target below `fuzz/corpus`: our own strings, one good message of each kind and the
//! classic bad ones.

use std::{fs, io, path::Path};

const TIME: &str = "2026-11-23T17:00:00+09:00";

/// Bodies that have broken readers before.
const BAD: &[&str] = &[
    "",
    "{",
    "[]",
    "null",
    "{}",
    "{}{}",
    "[[[[[[[[",
    "\u{feff}{}",
    "{\"event_time\":1e999}",
    "{\"lat\":1e39,\"lon\":-1e39}",
    "{\"event_time\":\"2026-11-23T17:00:00\"}",
    "{\"event_time\":1795420800123456}",
    "{\"a\":1,\"a\":2}",
    "{\"kind\":\"\\ud800\"}",
    "{\"text\":\"\\u202e\\u0000\"}",
];

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (target, levels, good) in targets() {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder)?;
        for (i, body) in good.iter().map(String::as_str).chain(BAD.iter().copied()).enumerate() {
            fs::write(folder.join(format!("seed-{i:02}")), format!("{levels}\n{body}"))?;
        }
    }
    Ok(())
}

fn targets() -> Vec<(&'static str, &'static str, Vec<String>)> {
    let position = format!(
        r#"{{"event_time":"{TIME}","lat":37.5665,"lon":126.978,"bearing":360,"speed_mps":8.25,"accuracy_m":4,
        "odometer_m":1.5,"mode":"bus","route_id":"9404","direction_id":1,"trip_id":"t","service_date":"2026-11-23",
        "start_time":"25:10:00","block_id":7,"stop_id":"111","current_stop_sequence":12,"current_status":"STOPPED_AT",
        "delay_s":-30,"occupancy_status":"FULL","occupancy_percentage":104,"doors_open":true,"position_source":"gps",
        "journey_state":"in_service","consist":["a","b"],"boot":3,"seq":18446744073709551615}}"#
    );
    let alarm = format!(
        r#"{{"event_id":"e","event_time":"{TIME}","kind":"panic","source":"driver","state":"raised","covert":true,
        "status":"test","lat":37.5,"lon":127,"text":"help","passengers":40}}"#
    );
    let incident = format!(
        r#"{{"kind":"A10","version":3,"state":"active","severity":"severe","urgency":"Immediate","effect":"DETOUR",
        "active_periods":[{{"start":"{TIME}","end":null}}],"expected_end":1795424400,
        "geometry":{{"type":"Polygon","coordinates":[[[127,37],[127.1,37],[127.1,37.1],[127,37]]]}},"radius_m":50,
        "affects":[{{"route_id":"9404","direction_id":0}}],"title":"Rally","text":{{"ko":"집회"}},"road_control":"full"}}"#
    );
    let vp = r#"{"VP":{"desi":"64","dir":"1","oper":6,"veh":679,"tst":"2026-11-23T19:46:39.370Z","spd":5.0,"hdg":360,
        "lat":60.249085,"long":24.958315,"dl":-376,"odo":10459,"drst":0,"oday":"2026-11-23","start":"21:12","loc":"GPS",
        "stop":1353117,"route":"1064","occu":0}}"#;
    let apc = r#"{"APC":{"tst":1707842100,"vehiclecounts":{"vehicleload":8,"vehicleloadratio":0.1}}}"#;
    let rt = r#"{"header":{"gtfs_realtime_version":"2.0","timestamp":"1795420800"},"entity":[{"id":"1","vehicle":
        {"vehicle":{"id":"R"},"position":{"latitude":42.3,"longitude":-71.0},"current_status":"STOPPED_AT"}}]}"#;
    let protobuf = "\u{a}\u{5}\u{a}\u{3}2.0\u{12}\u{9}\u{a}\u{1}1\"\u{4}B\u{2}\u{a}\u{0}";
    let cap = |kind: &str, rest: &str| {
        format!(
            "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>M2</identifier><sender>kma</sender>\
             <sent>{TIME}</sent><status>Actual</status><msgType>{kind}</msgType><scope>Public</scope>\
             <references>kma,M1,{TIME}</references><incidents>a b</incidents>{rest}</alert>"
        )
    };
    let info = format!(
        "<info><language>ko-KR</language><category>Met</category><event>\u{d638}\u{c6b0} &amp; &#x41;</event>\
         <urgency>Expected</urgency><severity>Severe</severity><certainty>Likely</certainty><onset>{TIME}</onset>\
         <expires>{TIME}</expires><headline><![CDATA[x]]></headline><area><areaDesc>x</areaDesc>\
         <polygon>37.5,127 37.6,127 37.6,127.1 37.5,127</polygon><circle>37.5,127 2.5</circle><geocode>\
         <valueName>EMMA_ID</valueName><value>KR011</value></geocode></area></info>"
    );
    let hostile = "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///x\">]><alert>&x;</alert>";
    vec![
        ("cap", "kma", vec![cap("Alert", &info), cap("Update", &info), cap("Cancel", ""), hostile.into()]),
        ("native_position", "seoul-bus/7011", vec![position]),
        ("alarm", "seoul-bus/7011", vec![alarm]),
        ("incident", "topis/1", vec![incident]),
        (
            "hfp",
            "journey/ongoing/dep/bus/0018/00679/1064/1/Kamppi/21:12/1353117/5/60;24/29/45/98",
            vec![vp.into(), apc.into()],
        ),
        ("gtfs_rt", "x", vec![rt.into(), protobuf.into()]),
    ]
}
