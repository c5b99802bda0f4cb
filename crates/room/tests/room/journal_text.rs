//! The journal's text, pinned: a record written today must be read by every later version.

use alert::AlertOrigin;
use expect_test::expect;
use room::{ControlRoom, RoomOptions, decode, encode};

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
        {"alert_raised":{"alert":{"id":"20261123-1","rule":"EMG.PANIC","subject":{"vehicle":{"agency":"22","vehicle":"800"}},"priority":"P1","class":"emergency","kind":"panic","kind_word":null,"source":"driver","feed":"native","event_id":"e1","event_at":1795420800000,"last_event_at":1795420800000,"received_at":1795420800000,"raised_at":1795420800000,"last_seen_at":1795420800000,"annunciated_at":1795420800000,"condition":"active","latched":true,"source_normal_at":null,"acknowledgement":null,"previous_owner":null,"count":1,"re_alarmed_count":null,"status":"actual","covert":true,"retained":false,"lat":60.17,"lon":24.94,"quality":[],"text":"help","passengers":3,"closing":null,"history":[],"repeats_folded":0,"due":{"acknowledge_at":1795420860000},"seq":0,"durable":true},"fingerprint":"227e5990deb56b8369a140a02118b3e9","identified":true}}
        {"alert_repeated":{"alert":"20261123-1","at":1795420801000,"re_alarmed":false,"press":{"fingerprint":"978251f1f84bc58d237d243643923d2e","identified":true,"event_id":"e2","event_at":1795420801000,"plausible":true,"received_at":1795420801000,"source":"driver","priority":"P1","covert":true,"retained":false,"lat":null,"lon":null,"quality":[],"text":null,"passengers":null}}}
        {"alert_source_normal":{"alert":"20261123-1","at":1795420802000,"press":{"fingerprint":"359e979219489b2ada11e34fb0d27af7","identified":true,"event_id":"e2","event_at":1795420802000,"plausible":true,"received_at":1795420802000,"source":"driver","priority":"P1","covert":true,"retained":false,"lat":null,"lon":null,"quality":[],"text":null,"passengers":null}}}
        {"alert_acknowledged":{"alert":"20261123-1","at":1795420803000,"actor":{"by":"kim","desk":null},"seen":2,"comment":null,"request_id":"kim/20261123-1/acknowledge/2"}}
        {"alert_closed":{"alert":"20261123-1","at":1795420804000,"author":{"person":{"by":"kim","desk":null}},"reason":"resolved","comment":"police","request_id":"kim/20261123-1/close/resolved"}}
        {"alert_raised":{"alert":{"id":"20261123-2","rule":"CALL.BREAKDOWN","subject":{"unparsed":"x/y"},"priority":"P3","class":"service","kind":"breakdown","kind_word":null,"source":"driver","feed":"native","event_id":null,"event_at":null,"last_event_at":null,"received_at":1795420805000,"raised_at":1795420805000,"last_seen_at":1795420805000,"annunciated_at":1795420805000,"condition":"active","latched":false,"source_normal_at":null,"acknowledgement":null,"previous_owner":null,"count":1,"re_alarmed_count":null,"status":"actual","covert":false,"retained":false,"lat":null,"lon":null,"quality":["unparsed"],"text":null,"passengers":null,"closing":null,"history":[],"repeats_folded":0,"due":{"acknowledge_at":1795421705000},"seq":0,"durable":true},"fingerprint":"9b6b662215076953ddba356f5d5daaef","identified":false}}
        {"alert_cleared":{"alert":"20261123-2","at":1795420806000,"press":{"fingerprint":"c8b5ba4600b20136c4b74e5087b1edb5","identified":false,"event_id":null,"event_at":null,"plausible":false,"received_at":1795420806000,"source":"driver","priority":"P3","covert":false,"retained":false,"lat":null,"lon":null,"quality":["unparsed"],"text":null,"passengers":null}}}
        {"end_came_first":{"subject":{"vehicle":{"agency":"22","vehicle":"801"}},"rule":"EMG.FIRE","status":"actual","at":1795420807000,"press":{"fingerprint":"e587f0792af0fb5f6b86528ad0da2498","identified":true,"event_id":"e9","event_at":1795420807000,"plausible":true,"received_at":1795420807000,"source":"driver","priority":"P1","covert":false,"retained":false,"lat":null,"lon":null,"quality":[],"text":null,"passengers":null}}}"#]].assert_eq(&records(
        "+0 press 22/800 e1@0 fix=60.17,24.94 text=help passengers=3
         +1 press 22/800 e2@1
         +2 end 22/800 e2@2
         +3 ack 1 by kim seen=2
         +4 close 1 by kim resolved comment=police
         +5 press ?x/y breakdown
         +6 end ?x/y breakdown
         +7 end 22/801 e9@7 fire",
    ));
}

#[test]
fn each_change_of_an_incident_has_its_text() {
    expect![[r#"
        {"incident_recorded":{"report":{"key":{"source":"its","id":"7"},"feed":"native","version":2,"phase":"active","status":"actual","kind":"flood","kind_word":null,"subkind":null,"severity":null,"urgency":null,"certainty":null,"effect":null,"active_periods":[],"expected_end":null,"lat":60.1708333,"lon":24.3,"geometry":null,"radius_m":null,"affects":[],"title":"Underpass","text":{},"public_title":null,"public_text":{},"road_control":null,"fingerprint":"d7c9cb4c0ada0e872beb1d38d3a8c06f","retained":false,"received_at":1795420800000},"severity":"severe","severity_defaulted":true,"radius_m":500.0,"radius_defaulted":true,"phase":"active","withdrawn":false,"opened_at":1795420800000,"updated_at":1795420800000,"closed_at":null,"seq":0}}
        {"alert_raised":{"alert":{"id":"20261123-1","rule":"INC.SEVERE","subject":{"incident":"its/7"},"priority":"P2","class":"safety","kind":null,"kind_word":null,"source":null,"feed":null,"event_id":null,"event_at":null,"last_event_at":null,"received_at":1795420800000,"raised_at":1795420800000,"last_seen_at":1795420800000,"annunciated_at":1795420800000,"condition":"active","latched":false,"source_normal_at":null,"acknowledgement":null,"previous_owner":null,"count":1,"re_alarmed_count":null,"status":"actual","covert":false,"retained":false,"lat":60.1708333,"lon":24.3,"quality":[],"text":"Underpass","passengers":null,"closing":null,"history":[],"repeats_folded":0,"origin":"detector","evidence":{"figures":{"kind":"flood","severity":"severe","severity_defaulted":"true"},"members":[{"incident":"its/7"}],"lat":60.1708333,"lon":24.3},"due":{"acknowledge_at":1795421100000},"incident":{"source":"its","id":"7"},"seq":0,"durable":true},"identified":false}}
        {"incident_withdrawn":{"key":{"source":"its","id":"7"},"at":1795420801000}}
        {"alert_cleared":{"alert":"20261123-1","at":1795420801000}}"#]].assert_eq(&records(
        "+0 incident its/7 v2 flood title=Underpass
         +1 withdraw its/7",
    ));
}

#[test]
fn what_is_no_change_is_refused_in_words() {
    let refused = decode(br#"{"alert_evaporated":{}}"#).unwrap_err().to_string();
    assert!(refused.starts_with("is no change that this version of the program knows: unknown variant"), "{refused}");
}

/// Records as written before there were findings, orders beside taking and closing, and timers.
const OLD: &str = r#"{"alert_raised":{"alert":{"id":"20261123-1","rule":"EMG.PANIC","subject":{"vehicle":{"agency":"22","vehicle":"800"}},"priority":"P1","class":"emergency","kind":"panic","kind_word":null,"source":"driver","feed":"native","event_id":"e1","event_at":1795420800000,"last_event_at":1795420800000,"received_at":1795420800000,"raised_at":1795420800000,"last_seen_at":1795420800000,"annunciated_at":1795420800000,"condition":"active","latched":true,"source_normal_at":null,"acknowledgement":null,"previous_owner":null,"count":1,"re_alarmed_count":null,"status":"actual","covert":true,"retained":false,"lat":60.17,"lon":24.94,"quality":[],"text":"help","passengers":3,"closing":null,"history":[],"repeats_folded":0,"seq":0,"durable":true},"fingerprint":"227e5990deb56b8369a140a02118b3e9","identified":true}}
{"alert_repeated":{"alert":"20261123-1","at":1795420801000,"re_alarmed":false,"press":{"fingerprint":"978251f1f84bc58d237d243643923d2e","identified":true,"event_id":"e2","event_at":1795420801000,"plausible":true,"received_at":1795420801000,"source":"driver","priority":"P1","covert":true,"retained":false,"lat":null,"lon":null,"quality":[],"text":null,"passengers":null}}}
{"alert_source_normal":{"alert":"20261123-1","at":1795420802000,"press":{"fingerprint":"359e979219489b2ada11e34fb0d27af7","identified":true,"event_id":"e2","event_at":1795420802000,"plausible":true,"received_at":1795420802000,"source":"driver","priority":"P1","covert":true,"retained":false,"lat":null,"lon":null,"quality":[],"text":null,"passengers":null}}}
{"alert_acknowledged":{"alert":"20261123-1","at":1795420803000,"actor":{"by":"kim","desk":null},"seen":2,"comment":null,"request_id":"kim/20261123-1/acknowledge/2"}}
{"alert_closed":{"alert":"20261123-1","at":1795420804000,"author":{"person":{"by":"kim","desk":null}},"reason":"resolved","comment":"police","request_id":"kim/20261123-1/close/resolved"}}
{"alert_raised":{"alert":{"id":"20261123-2","rule":"CALL.BREAKDOWN","subject":{"unparsed":"x/y"},"priority":"P3","class":"service","kind":"breakdown","kind_word":null,"source":"driver","feed":"native","event_id":null,"event_at":null,"last_event_at":null,"received_at":1795420805000,"raised_at":1795420805000,"last_seen_at":1795420805000,"annunciated_at":1795420805000,"condition":"active","latched":false,"source_normal_at":null,"acknowledgement":null,"previous_owner":null,"count":1,"re_alarmed_count":null,"status":"actual","covert":false,"retained":false,"lat":null,"lon":null,"quality":["unparsed"],"text":null,"passengers":null,"closing":null,"history":[],"repeats_folded":0,"seq":0,"durable":true},"fingerprint":"9b6b662215076953ddba356f5d5daaef","identified":false}}
{"alert_cleared":{"alert":"20261123-2","at":1795420806000,"press":{"fingerprint":"c8b5ba4600b20136c4b74e5087b1edb5","identified":false,"event_id":null,"event_at":null,"plausible":false,"received_at":1795420806000,"source":"driver","priority":"P3","covert":false,"retained":false,"lat":null,"lon":null,"quality":["unparsed"],"text":null,"passengers":null}}}
{"incident_recorded":{"report":{"key":{"source":"its","id":"7"},"feed":"native","version":2,"phase":"active","status":"actual","kind":"flood","kind_word":null,"subkind":null,"severity":null,"urgency":null,"certainty":null,"effect":null,"active_periods":[],"expected_end":null,"lat":60.1708333,"lon":24.3,"geometry":null,"radius_m":null,"affects":[],"title":"Underpass","text":{},"public_title":null,"public_text":{},"road_control":null,"fingerprint":"d7c9cb4c0ada0e872beb1d38d3a8c06f","retained":false,"received_at":1795420800000},"severity":"severe","severity_defaulted":true,"radius_m":500.0,"radius_defaulted":true,"phase":"active","withdrawn":false,"opened_at":1795420800000,"updated_at":1795420800000,"closed_at":null,"seq":0}}
{"incident_withdrawn":{"key":{"source":"its","id":"7"},"at":1795420801000}}"#;

#[test]
fn records_of_earlier_versions_are_read_and_written_as_they_were() {
    let mut room = ControlRoom::new(RoomOptions::default());
    for line in OLD.lines() {
        let change = decode(line.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(encode(&change)).unwrap(), line);
        room.apply(&change);
    }
    assert_eq!((room.seq(), room.alerts().count(), room.incidents().count()), (9, 2, 1));
    let first = room.alerts().next().unwrap();
    assert_eq!((first.origin, first.annunciations, first.due.acknowledge_at), (AlertOrigin::DeviceEvent, 1, None));
}

#[test]
fn each_change_by_a_rule_an_order_or_a_timer_has_its_text() {
    expect![[r#"
        {"alert_raised":{"alert":{"id":"20261123-1","rule":"VEH.STALL","subject":{"vehicle":{"agency":"22","vehicle":"800"}},"priority":"P2","class":"service","kind":null,"kind_word":null,"source":null,"feed":null,"event_id":null,"event_at":null,"last_event_at":null,"received_at":1795420800000,"raised_at":1795420800000,"last_seen_at":1795420800000,"annunciated_at":1795420800000,"condition":"active","latched":false,"source_normal_at":null,"acknowledgement":null,"previous_owner":null,"count":1,"re_alarmed_count":null,"status":"actual","covert":false,"retained":false,"lat":60.1708333,"lon":24.3,"quality":[],"text":null,"passengers":null,"closing":null,"history":[],"repeats_folded":0,"origin":"detector","evidence":{"figures":{"silent_s":"151"},"members":[{"vehicle":{"agency":"22","vehicle":"801"}}],"lat":60.1708333,"lon":24.3},"parents":[["FEED.SILENT",{"feed":{"feed":"native","scope":null}}]],"due":{"acknowledge_at":1795421100000},"seq":0,"durable":true},"identified":false}}
        {"alert_renewed":{"alert":"20261123-1","at":1795420801000,"author":{"detector":"VEH.STALL"},"renewal":{"priority":null,"evidence":{"figures":{},"members":[{"vehicle":{"agency":"22","vehicle":"802"}}],"lat":60.1708333,"lon":24.3},"re_raised":false,"re_alarmed":false,"sounds":false,"held":false,"release_at":null,"ack_due_at":null,"text":null}}}
        {"alert_tended":{"alert":"20261123-1","at":1795420803000,"actor":{"by":"kim","desk":null},"deed":"comment","comment":"called","request_id":"kim/20261123-1/comment","due_at":null}}
        {"alert_tended":{"alert":"20261123-1","at":1795420804000,"actor":{"by":"kim","desk":null},"deed":{"mark":{"step":"on_scene","party":"west","reference":"7","time":1795420803000}},"comment":null,"request_id":"kim/20261123-1/mark","due_at":null}}
        {"alert_tended":{"alert":"20261123-1","at":1795420805000,"actor":{"by":"kim","desk":null},"deed":{"shelve":{"kind":"timed","until":1795421400000}},"comment":"known","request_id":"kim/20261123-1/shelve","due_at":null}}
        {"alert_tended":{"alert":"20261123-1","at":1795420806000,"actor":{"by":"kim","desk":null},"deed":"unshelve","comment":null,"request_id":"kim/20261123-1/unshelve","due_at":1795421106000}}
        {"incident_ordered":{"key":{"source":"ops","id":"1"},"at":1795420807000,"actor":{"by":"kim","desk":null},"deed":{"open":{"key":{"source":"ops","id":"1"},"feed":"native","version":null,"phase":"active","status":"actual","kind":"rally","kind_word":null,"subkind":null,"severity":null,"urgency":null,"certainty":null,"effect":null,"active_periods":[],"expected_end":null,"lat":60.1708333,"lon":24.3,"geometry":null,"radius_m":null,"affects":[],"title":null,"text":{},"public_title":null,"public_text":{},"road_control":null,"fingerprint":"11e3bf1274fdc6f2ac0a481e078f7871","retained":false,"received_at":1795420800000}},"incident":{"report":{"key":{"source":"ops","id":"1"},"feed":"native","version":null,"phase":"active","status":"actual","kind":"rally","kind_word":null,"subkind":null,"severity":null,"urgency":null,"certainty":null,"effect":null,"active_periods":[],"expected_end":null,"lat":60.1708333,"lon":24.3,"geometry":null,"radius_m":null,"affects":[],"title":null,"text":{},"public_title":null,"public_text":{},"road_control":null,"fingerprint":"11e3bf1274fdc6f2ac0a481e078f7871","retained":false,"received_at":1795420800000},"severity":"minor","severity_defaulted":true,"radius_m":300.0,"radius_defaulted":true,"phase":"active","withdrawn":false,"opened_at":1795420807000,"updated_at":1795420807000,"closed_at":null,"seq":0},"comment":null,"request_id":"kim/incident/ops/1/open"}}
        {"alerts_grouped":{"incident":{"source":"ops","id":"1"},"alerts":["20261123-1"],"joined":true,"at":1795420808000,"actor":{"by":"kim","desk":null},"comment":"same","request_id":"kim/incident/ops/1/confirm"}}
        {"incident_ordered":{"key":{"source":"ops","id":"1"},"at":1795420809000,"actor":{"by":"kim","desk":null},"deed":{"publish":{"title":"Closed","text":{}}},"incident":{"report":{"key":{"source":"ops","id":"1"},"feed":"native","version":null,"phase":"active","status":"actual","kind":"rally","kind_word":null,"subkind":null,"severity":null,"urgency":null,"certainty":null,"effect":null,"active_periods":[],"expected_end":null,"lat":60.1708333,"lon":24.3,"geometry":null,"radius_m":null,"affects":[],"title":null,"text":{},"public_title":null,"public_text":{},"road_control":null,"fingerprint":"11e3bf1274fdc6f2ac0a481e078f7871","retained":false,"received_at":1795420800000},"severity":"minor","severity_defaulted":true,"radius_m":300.0,"radius_defaulted":true,"phase":"active","withdrawn":false,"opened_at":1795420807000,"updated_at":1795420809000,"closed_at":null,"publication":{"title":"Closed","text":{},"by":"kim","at":1795420809000},"seq":7},"comment":null,"request_id":"kim/incident/ops/1/publish"}}
        {"suppression_started":{"suppression":{"id":1,"request":{"subject":null,"rules":["VEH.*"],"until":1795421400000,"why":"strike"},"actor":{"by":"kim","desk":null},"started_at":1795420810000,"ended_at":null,"ended_by":null,"seq":0},"request_id":"kim/suppress"}}
        {"alert_turned":{"alert":"20261123-1","at":1795420810000,"turn":{"out_of_service":1},"sounds":false,"due_at":null}}
        {"suppression_ended":{"id":1,"at":1795420811000,"author":{"person":{"by":"kim","desk":null}},"comment":null,"request_id":"kim/suppression/1/end"}}
        {"alert_turned":{"alert":"20261123-1","at":1795420811000,"turn":"in_service","sounds":true,"due_at":1795421111000}}
        {"alert_cleared":{"alert":"20261123-1","at":1795420812000}}
        {"alert_raised":{"alert":{"id":"20261123-2","rule":"EMG.FIRE","subject":{"stop":"s1"},"priority":"P1","class":"emergency","kind":"fire","kind_word":null,"source":null,"feed":null,"event_id":null,"event_at":null,"last_event_at":null,"received_at":1795420813000,"raised_at":1795420813000,"last_seen_at":1795420813000,"annunciated_at":1795420813000,"condition":"active","latched":true,"source_normal_at":null,"acknowledgement":null,"previous_owner":null,"count":1,"re_alarmed_count":null,"status":"actual","covert":false,"retained":false,"lat":null,"lon":null,"quality":[],"text":"smoke","passengers":null,"closing":null,"history":[],"repeats_folded":0,"origin":"operator","due":{"acknowledge_at":1795420873000},"seq":0,"durable":true},"identified":false,"ordered":{"actor":{"by":"kim","desk":null},"request_id":"kim/raise/stop:s1/EMG.FIRE","said":{"subject":{"stop":"s1"},"kind":"fire","priority":null,"status":"actual","text":"smoke","covert":null,"lat":null,"lon":null,"expires_at":null}}}}
        {"clock_stepped":{"at":1795420814000,"by_ms":3600000}}
        {"incident_recorded":{"report":{"key":{"source":"its","id":"7"},"feed":"native","version":1,"phase":"active","status":"actual","kind":"rally","kind_word":null,"subkind":null,"severity":null,"urgency":null,"certainty":null,"effect":null,"active_periods":[{"start":1795420816000,"end":null}],"expected_end":null,"lat":60.1708333,"lon":24.3,"geometry":null,"radius_m":null,"affects":[],"title":null,"text":{},"public_title":null,"public_text":{},"road_control":null,"fingerprint":"6bc1bfc52d05c65d78323e7302107821","retained":false,"received_at":1795420815000},"severity":"minor","severity_defaulted":true,"radius_m":300.0,"radius_defaulted":true,"phase":"active","withdrawn":false,"opened_at":1795420815000,"updated_at":1795420815000,"closed_at":null,"starts_at":1795420816000,"seq":0}}
        {"incident_started":{"key":{"source":"its","id":"7"},"at":1795420816000}}
        {"incident_recorded":{"report":{"key":{"source":"its","id":"8"},"feed":"native","version":1,"phase":"active","status":"actual","kind":"rally","kind_word":null,"subkind":null,"severity":null,"urgency":null,"certainty":null,"effect":null,"active_periods":[{"start":null,"end":1795420818000},{"start":1795420820000,"end":null}],"expected_end":null,"lat":60.1708333,"lon":24.3,"geometry":null,"radius_m":null,"affects":[],"title":null,"text":{},"public_title":null,"public_text":{},"road_control":null,"fingerprint":"94c4620c5b976417a876265ee8146843","retained":false,"received_at":1795420817000},"severity":"minor","severity_defaulted":true,"radius_m":300.0,"radius_defaulted":true,"phase":"active","withdrawn":false,"opened_at":1795420817000,"updated_at":1795420817000,"closed_at":null,"seq":0}}
        {"incident_rested":{"key":{"source":"its","id":"8"},"at":1795420818000,"starts_at":1795420820000}}"#]].assert_eq(&records(
        "+0 find VEH.STALL 22/800 P2 members=22/801 silent=151 parent=FEED.SILENT/feed:native
         +1 find VEH.STALL 22/800 P2 members=22/802
         +2 handover 1 by kim to=lee
         +3 comment 1 by kim comment=called
         +4 mark 1 by kim on_scene party=west ref=7 at=3
         +5 shelve 1 by kim until=600 comment=known
         +6 unshelve 1 by kim
         +7 inc-open ops/1 rally by kim
         +8 group ops/1 1 by kim comment=same
         +9 publish ops/1 by kim title=Closed
         +10 suppress VEH.* by kim until=600
         +11 unsuppress 1 by kim
         +12 normal VEH.STALL 22/800
         +13 raise by kim stop:s1 fire text=smoke
         +14 step 3600
         +15 incident its/7 v1 rally starts=16
         +16 tick
         +17 incident its/8 v1 rally periods=..18,20..
         +18 tick",
    ));
}

#[test]
fn each_change_by_names_words_arming_and_explanation_has_its_text() {
    expect![[r#"
        {"incident_recorded":{"report":{"key":{"source":"kma","id":"1"},"feed":"native","version":1,"phase":"active","status":"actual","kind":"weather","kind_word":null,"subkind":null,"severity":null,"urgency":null,"certainty":null,"effect":null,"active_periods":[],"expected_end":null,"lat":60.1708333,"lon":24.3,"geometry":null,"radius_m":null,"affects":[],"title":"lifted","text":{},"public_title":null,"public_text":{},"road_control":null,"proposes_clear":true,"names":["U1"],"fingerprint":"a97809f5f6d57f0b3f99a7dbd3015b09","retained":false,"received_at":1795420800000},"severity":"moderate","severity_defaulted":true,"radius_m":1000.0,"radius_defaulted":true,"phase":"active","withdrawn":false,"opened_at":1795420800000,"updated_at":1795420800000,"closed_at":null,"clear_proposed":{"at":1795420800000,"by":"kma","words":"lifted"},"seq":0}}
        {"incident_named":{"key":{"source":"kma","id":"1"},"names":["U2"],"at":1795420801000}}
        {"incident_ordered":{"key":{"source":"kma","id":"1"},"at":1795420802000,"actor":{"by":"kim","desk":null},"deed":"keep","incident":{"report":{"key":{"source":"kma","id":"1"},"feed":"native","version":1,"phase":"active","status":"actual","kind":"weather","kind_word":null,"subkind":null,"severity":null,"urgency":null,"certainty":null,"effect":null,"active_periods":[],"expected_end":null,"lat":60.1708333,"lon":24.3,"geometry":null,"radius_m":null,"affects":[],"title":"lifted","text":{},"public_title":null,"public_text":{},"road_control":null,"proposes_clear":true,"names":["U1"],"fingerprint":"a97809f5f6d57f0b3f99a7dbd3015b09","retained":false,"received_at":1795420800000},"severity":"moderate","severity_defaulted":true,"radius_m":1000.0,"radius_defaulted":true,"phase":"active","withdrawn":false,"opened_at":1795420800000,"updated_at":1795420802000,"closed_at":null,"seq":1},"comment":null,"request_id":"kim/incident/kma/1/keep"}}
        {"incident_ordered":{"key":{"source":"operator","id":"place:u"},"at":1795420803000,"actor":{"by":"kim","desk":null},"deed":{"arm":{"report":{"key":{"source":"operator","id":"place:u"},"feed":"native","version":null,"phase":"active","status":"actual","kind":"rally","kind_word":null,"subkind":null,"severity":null,"urgency":null,"certainty":null,"effect":null,"active_periods":[],"expected_end":null,"lat":60.1708333,"lon":24.3,"geometry":null,"radius_m":null,"affects":[],"title":null,"text":{},"public_title":null,"public_text":{},"road_control":null,"fingerprint":"d950e29b7ac1e96ca5618728e4862174","retained":false,"received_at":1795420800000},"until":1795420804000}},"incident":{"report":{"key":{"source":"operator","id":"place:u"},"feed":"native","version":null,"phase":"active","status":"actual","kind":"rally","kind_word":null,"subkind":null,"severity":null,"urgency":null,"certainty":null,"effect":null,"active_periods":[],"expected_end":null,"lat":60.1708333,"lon":24.3,"geometry":null,"radius_m":null,"affects":[],"title":null,"text":{},"public_title":null,"public_text":{},"road_control":null,"fingerprint":"d950e29b7ac1e96ca5618728e4862174","retained":false,"received_at":1795420800000},"severity":"minor","severity_defaulted":true,"radius_m":300.0,"radius_defaulted":true,"phase":"active","withdrawn":false,"opened_at":1795420803000,"updated_at":1795420803000,"closed_at":null,"armed":{"by":"kim","at":1795420803000,"until":1795420804000},"seq":0},"comment":null,"request_id":"kim/incident/operator/place:u/arm"}}
        {"incident_ended":{"key":{"source":"operator","id":"place:u"},"at":1795420804000}}
        {"incident_recorded":{"report":{"key":{"source":"its","id":"1"},"feed":"native","version":1,"phase":"active","status":"actual","kind":"road_works","kind_word":null,"subkind":null,"severity":null,"urgency":null,"certainty":null,"effect":"DETOUR","active_periods":[{"start":null,"end":1795420807000}],"expected_end":null,"lat":60.1708333,"lon":24.3,"geometry":null,"radius_m":null,"affects":[{"agency_id":null,"route_id":"402","route_type":null,"direction_id":null,"trip_id":null,"stop_id":null,"from_stop_id":null,"to_stop_id":null,"vehicle_id":null}],"title":null,"text":{},"public_title":null,"public_text":{},"road_control":null,"fingerprint":"aab07bd9e8d45a3e66e41438249415bf","retained":false,"received_at":1795420805000},"severity":"minor","severity_defaulted":true,"radius_m":100.0,"radius_defaulted":true,"phase":"active","withdrawn":false,"opened_at":1795420805000,"updated_at":1795420805000,"closed_at":null,"seq":0}}
        {"alert_raised":{"alert":{"id":"20261123-1","rule":"VEH.OFFROUTE","subject":{"vehicle":{"agency":"22","vehicle":"1"}},"priority":"P3","class":"service","kind":null,"kind_word":null,"source":null,"feed":null,"event_id":null,"event_at":null,"last_event_at":null,"received_at":1795420806000,"raised_at":1795420806000,"last_seen_at":1795420806000,"annunciated_at":1795420806000,"condition":"active","latched":false,"source_normal_at":null,"acknowledgement":null,"previous_owner":null,"count":1,"re_alarmed_count":null,"status":"actual","covert":false,"retained":false,"lat":60.1708333,"lon":24.3,"quality":[],"text":null,"passengers":null,"closing":null,"history":[],"repeats_folded":0,"origin":"detector","evidence":{"figures":{"route_id":"402"},"members":[],"lat":60.1708333,"lon":24.3},"silence":{"by_incident":{"incident":{"source":"its","id":"1"},"until":1795420807000}},"seq":0,"durable":true},"identified":false}}
        {"alert_turned":{"alert":"20261123-1","at":1795420807000,"turn":"incident_over","sounds":true,"due_at":1795421707000}}
        {"incident_ended":{"key":{"source":"its","id":"1"},"at":1795420807000}}
        {"alert_raised":{"alert":{"id":"20261123-2","rule":"CALL.BREAKDOWN","subject":{"vehicle":{"agency":"22","vehicle":"2"}},"priority":"P3","class":"service","kind":"breakdown","kind_word":null,"source":"driver","feed":"native","event_id":"e1","event_at":1795420808000,"last_event_at":1795420808000,"received_at":1795420808000,"raised_at":1795420808000,"last_seen_at":1795420808000,"annunciated_at":1795420808000,"condition":"active","latched":false,"source_normal_at":null,"acknowledgement":null,"previous_owner":null,"count":1,"re_alarmed_count":null,"status":"actual","covert":false,"retained":false,"lat":null,"lon":null,"quality":[],"text":null,"passengers":null,"closing":null,"history":[],"repeats_folded":0,"due":{"acknowledge_at":1795421708000},"seq":0,"durable":true},"fingerprint":"048b03bf2dfa9d30c600d18ff905edbb","identified":true}}
        {"alert_cleared":{"alert":"20261123-2","at":1795420809000,"press":{"fingerprint":"8c87d323cacadc53e9bc67919e28217e","identified":true,"event_id":"e1","event_at":1795420809000,"plausible":true,"received_at":1795420809000,"source":"driver","priority":"P3","covert":false,"retained":false,"lat":null,"lon":null,"quality":[],"text":null,"passengers":null}}}
        {"alert_repeated":{"alert":"20261123-2","at":1795420810000,"re_alarmed":false,"press":{"fingerprint":"9e596424e42258d2bd090dc3a5fed5e9","identified":true,"event_id":"e2","event_at":1795420810000,"plausible":true,"received_at":1795420810000,"source":"driver","priority":"P3","covert":false,"retained":false,"lat":null,"lon":null,"quality":[],"text":null,"passengers":null}}}
        {"alert_cleared":{"alert":"20261123-2","at":1795420811000,"press":{"fingerprint":"452a326a608a099843d9aa0f7e23f0f4","identified":true,"event_id":"e2","event_at":1795420811000,"plausible":true,"received_at":1795420811000,"source":"driver","priority":"P3","covert":false,"retained":false,"lat":null,"lon":null,"quality":[],"text":null,"passengers":null}}}
        {"alert_repeated":{"alert":"20261123-2","at":1795420812000,"re_alarmed":false,"press":{"fingerprint":"8203dcfa02d77382a601eb61adc1312c","identified":true,"event_id":"e3","event_at":1795420812000,"plausible":true,"received_at":1795420812000,"source":"driver","priority":"P3","covert":false,"retained":false,"lat":null,"lon":null,"quality":[],"text":null,"passengers":null}}}
        {"alert_cleared":{"alert":"20261123-2","at":1795420813000,"press":{"fingerprint":"35f5eb183a2e8f8814fd1c45743447af","identified":true,"event_id":"e3","event_at":1795420813000,"plausible":true,"received_at":1795420813000,"source":"driver","priority":"P3","covert":false,"retained":false,"lat":null,"lon":null,"quality":[],"text":null,"passengers":null}}}
        {"alert_repeated":{"alert":"20261123-2","at":1795420814000,"re_alarmed":false,"release_at":1795421414000,"press":{"fingerprint":"a3359e1d7fdbec03a082fb3600e2e677","identified":true,"event_id":"e4","event_at":1795420814000,"plausible":true,"received_at":1795420814000,"source":"driver","priority":"P3","covert":false,"retained":false,"lat":null,"lon":null,"quality":[],"text":null,"passengers":null}}}"#]].assert_eq(&records(
        "+0 incident kma/1 v1 weather title=lifted lifted names=U1
         +1 incident kma/U1 v0 weather names=U2
         +2 inc-keep kma/1 by kim
         +3 inc-arm operator/place:u rally by kim until=4
         +4 tick
         +5 incident its/1 v1 road_works effect=DETOUR affects=402 ends=7
         +6 find VEH.OFFROUTE 22/1 P3 route=402
         +7 tick
         +8 press 22/2 e1@8 breakdown
         +9 end 22/2 e1@9 breakdown
         +10 press 22/2 e2@10 breakdown
         +11 end 22/2 e2@11 breakdown
         +12 press 22/2 e3@12 breakdown
         +13 end 22/2 e3@13 breakdown
         +14 press 22/2 e4@14 breakdown",
    ));
}
