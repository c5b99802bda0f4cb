//! The journal's text, pinned: a record written today must be read by every later version.

use expect_test::expect;
use room::{RoomOptions, decode, encode};

use crate::script::{Stage, input, now};

fn records(script: &str) -> String {
    let mut stage = Stage::new(RoomOptions::default());
    for (second, line) in script.lines().map(str::trim).enumerate() {
        stage.step(&input(line), now(i64::try_from(second).unwrap()));
    }
    let text: Vec<String> = stage.log.iter().map(|bytes| String::from_utf8(bytes.clone()).unwrap()).collect();
    for line in &text {
        assert_eq!(encode(&decode(line.as_bytes()).unwrap()), line.as_bytes());
    }
    text.join("\n")
}

#[test]
fn each_change_of_an_alert_has_its_text() {
    expect![[r#"
        {"alert_raised":{"alert":{"id":"20261123-1","rule":"EMG.PANIC","subject":{"vehicle":{"agency":"22","vehicle":"800"}},"priority":"P1","class":"emergency","kind":"panic","kind_word":null,"source":"driver","feed":"native","event_id":"e1","event_at":1795420800000,"last_event_at":1795420800000,"received_at":1795420800000,"raised_at":1795420800000,"last_seen_at":1795420800000,"annunciated_at":1795420800000,"condition":"active","latched":true,"source_normal_at":null,"acknowledgement":null,"previous_owner":null,"count":1,"re_alarmed_count":null,"status":"actual","covert":true,"retained":false,"lat":60.17,"lon":24.94,"quality":[],"text":"help","passengers":3,"closing":null,"history":[],"repeats_folded":0,"seq":0,"durable":true},"fingerprint":"227e5990deb56b8369a140a02118b3e9","identified":true}}
        {"alert_repeated":{"alert":"20261123-1","at":1795420801000,"re_alarmed":false,"press":{"fingerprint":"978251f1f84bc58d237d243643923d2e","identified":true,"event_id":"e2","event_at":1795420801000,"plausible":true,"received_at":1795420801000,"source":"driver","priority":"P1","covert":true,"retained":false,"lat":null,"lon":null,"quality":[],"text":null,"passengers":null}}}
        {"alert_source_normal":{"alert":"20261123-1","at":1795420802000,"press":{"fingerprint":"359e979219489b2ada11e34fb0d27af7","identified":true,"event_id":"e2","event_at":1795420802000,"plausible":true,"received_at":1795420802000,"source":"driver","priority":"P1","covert":true,"retained":false,"lat":null,"lon":null,"quality":[],"text":null,"passengers":null}}}
        {"alert_acknowledged":{"alert":"20261123-1","at":1795420803000,"actor":{"by":"kim","desk":null},"seen":2,"comment":null,"request_id":"kim/20261123-1/acknowledge/2"}}
        {"alert_closed":{"alert":"20261123-1","at":1795420804000,"author":{"person":{"by":"kim","desk":null}},"reason":"resolved","comment":"police","request_id":"kim/20261123-1/close/resolved"}}
        {"alert_raised":{"alert":{"id":"20261123-2","rule":"CALL.BREAKDOWN","subject":{"unparsed":"x/y"},"priority":"P3","class":"service","kind":"breakdown","kind_word":null,"source":"driver","feed":"native","event_id":null,"event_at":null,"last_event_at":null,"received_at":1795420805000,"raised_at":1795420805000,"last_seen_at":1795420805000,"annunciated_at":1795420805000,"condition":"active","latched":false,"source_normal_at":null,"acknowledgement":null,"previous_owner":null,"count":1,"re_alarmed_count":null,"status":"actual","covert":false,"retained":false,"lat":null,"lon":null,"quality":["unparsed"],"text":null,"passengers":null,"closing":null,"history":[],"repeats_folded":0,"seq":0,"durable":true},"fingerprint":"9b6b662215076953ddba356f5d5daaef","identified":false}}
        {"alert_cleared":{"alert":"20261123-2","at":1795420806000,"press":{"fingerprint":"c8b5ba4600b20136c4b74e5087b1edb5","identified":false,"event_id":null,"event_at":null,"plausible":false,"received_at":1795420806000,"source":"driver","priority":"P3","covert":false,"retained":false,"lat":null,"lon":null,"quality":["unparsed"],"text":null,"passengers":null}}}"#]].assert_eq(&records(
        "+0 press 22/800 e1@0 fix=60.17,24.94 text=help passengers=3
         +1 press 22/800 e2@1
         +2 end 22/800 e2@2
         +3 ack 1 by kim seen=2
         +4 close 1 by kim resolved comment=police
         +5 press ?x/y breakdown
         +6 end ?x/y breakdown",
    ));
}

#[test]
fn each_change_of_an_incident_has_its_text() {
    expect![[r#"
        {"incident_recorded":{"report":{"key":{"source":"its","id":"7"},"feed":"native","version":2,"phase":"active","status":"actual","kind":"flood","kind_word":null,"subkind":null,"severity":null,"urgency":null,"certainty":null,"effect":null,"active_periods":[],"expected_end":null,"lat":60.1708333,"lon":24.3,"geometry":null,"radius_m":null,"affects":[],"title":"Underpass","text":{},"public_title":null,"public_text":{},"road_control":null,"fingerprint":"d7c9cb4c0ada0e872beb1d38d3a8c06f","retained":false,"received_at":1795420800000},"severity":"severe","severity_defaulted":true,"radius_m":500.0,"radius_defaulted":true,"phase":"active","withdrawn":false,"opened_at":1795420800000,"updated_at":1795420800000,"closed_at":null,"seq":0}}
        {"incident_withdrawn":{"key":{"source":"its","id":"7"},"at":1795420801000}}"#]].assert_eq(&records(
        "+0 incident its/7 v2 flood title=Underpass
         +1 withdraw its/7",
    ));
}

#[test]
fn what_is_no_change_is_refused_in_words() {
    let refused = decode(br#"{"alert_evaporated":{}}"#).unwrap_err().to_string();
    assert!(refused.starts_with("is no change that this version of the program knows: unknown variant"), "{refused}");
}
