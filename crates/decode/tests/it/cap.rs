//! CAP messages in our own words.

use alert::{Incident, IncidentOutcome, IncidentPhase, IncidentReport};
use decode::{FeedSpec, Feeds, Message};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use transit::{FeedId, UtcMillis};

use crate::show::{frame, print, shown_as};

const INFO: &str = "<info><category>Met</category><event>호우</event><urgency>Expected</urgency>\
    <severity>Severe</severity><certainty>Likely</certainty></info>";

fn message(identifier: &str, sent: &str, kind: &str, rest: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">\
         <identifier>{identifier}</identifier><sender>kma.go.kr</sender><sent>{sent}</sent><status>Actual</status>\
         <msgType>{kind}</msgType><scope>Public</scope>{rest}</alert>"
    )
}

fn check(body: &str, expected: Expect) {
    expected.assert_eq(&shown_as("cap", body));
}

fn alert(rest: &str) -> String {
    message("M1", "2026-11-23T17:00:00+09:00", "Alert", rest)
}

fn feeds() -> Feeds {
    Feeds::new("topis", vec![FeedSpec::new(FeedId::parse("kma").unwrap(), "cap")]).unwrap()
}

/// The reports of a message, and the ids it withdraws beside.
fn read(body: &str) -> (Vec<IncidentReport>, Vec<String>) {
    let (mut reports, mut withdrawn) = (Vec::new(), Vec::new());
    for message in feeds().decode(&frame("topis/v1/cap/kma", body.as_bytes())).messages {
        match message {
            Message::Incident(report) => reports.push(*report),
            Message::Withdrawal(withdrawal) => withdrawn.push(withdrawal.key.id),
            other @ (Message::Vehicle(_) | Message::Alarm(_) | Message::Presence(_)) => panic!("{other:?}"),
        }
    }
    (reports, withdrawn)
}

#[test]
fn a_full_message_is_read() {
    let areas = "<area><areaDesc>마포구</areaDesc><polygon>37.5,126.9 37.6,126.9 37.6,127.0 37.5,126.9</polygon>\
        <geocode><valueName>EMMA_ID</valueName><value>KR011</value></geocode></area>\
        <area><areaDesc>은평구</areaDesc><polygon>37.7,126.9 37.8,126.9 37.8,127.0 37.7,126.9</polygon></area>";
    let info = |language: &str, event: &str, severity: &str, texts: &str| {
        format!(
            "<info><language>{language}</language><category>Met</category><event>{event}</event>\
             <urgency>Immediate</urgency><severity>{severity}</severity><certainty>Observed</certainty>\
             <effective>2026-11-23T17:00:00+09:00</effective><onset>2026-11-23T18:00:00+09:00</onset>\
             <expires>2026-11-23T23:00:00+09:00</expires>{texts}{areas}</info>"
        )
    };
    let korean = info(
        "ko-KR",
        "홍수경보",
        "Extreme",
        "<headline>마포구 홍수경보</headline><description>하천 범람 &amp; 침수</description><instruction>대피하십시오</instruction>",
    );
    let english =
        info("en-US", "Flood warning", "Extreme", "<headline>Flood in Mapo</headline><instruction>Leave</instruction>");
    check(
        &alert(&format!("<incidents>flood-7 flood-8</incidents>{korean}{english}")),
        expect![[r#"
        INCIDENT kma.go.kr/flood-7 flood active actual version=1795420800000 severity=extreme urgency=Immediate certainty=Observed expected_end=2026-11-23T14:00:00.000Z geometry={"type":"MultiPolygon","coordinates":[[[[126.9,37.5],[126.9,37.6],[127.0,37.6],[126.9,37.5]]],[[[126.9,37.7],[126.9,37.8],[127.0,37.8],[126.9,37.7]]]]} title="마포구 홍수경보" subkind=홍수경보
          area 마포구 (EMMA_ID KR011)
          area 은평구
          period start=2026-11-23T09:00:00.000Z end=2026-11-23T14:00:00.000Z
          text[en]="Flood in Mapo Leave"
          text[ko]="하천 범람 & 침수 대피하십시오"
          public_text[en]="Flood in Mapo Leave"
          public_text[ko]="하천 범람 & 침수 대피하십시오"
    "#]],
    );
}

#[test]
fn a_circle_alone_is_a_point_with_a_radius() {
    let circle = |circles: &str| {
        let area = format!("<area><areaDesc>x</areaDesc>{circles}</area></info>");
        let (mut reports, _) = read(&alert(&INFO.replace("</info>", &area)));
        let report = reports.remove(0);
        (report.lat, report.lon, report.radius_m, report.geometry)
    };
    assert_eq!(circle("<circle>37.5,127 2.5</circle>"), (Some(37.5), Some(127.0), Some(2500.0), None));
    assert_eq!(circle("<circle>37.5,127 0</circle>").2, None, "no radius known: the kind's default");
    let (lat, _, radius_m, geometry) = circle("<circle>37.5,127 1</circle><circle>37.6,127 1</circle>");
    assert_eq!((lat, radius_m), (None, None));
    assert!(geometry.unwrap().contains("MultiPolygon"));
}

#[test]
fn missing_elements_are_named_with_their_repair() {
    check(
        "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"/>",
        expect![[r#"
        reject missing_field identifier: is required: write <identifier> without spaces, commas, < and &
        reject missing_field sender: is required: write <sender> without spaces, commas, < and &
        reject missing_field sent: is required: write <sent> like 2026-11-23T17:00:00+09:00
        reject missing_field status: is required: write <status> with one of Actual, Exercise, System, Test, Draft
        reject missing_field scope: is required: write <scope> with one of Public, Restricted, Private
        reject missing_field msgType: is required: write <msgType> with one of Alert, Update, Cancel, Ack, Error
    "#]],
    );
    check(
        &alert("<info><category>Met</category></info>"),
        expect![[r#"
        reject missing_field info[0].event: is required: a few words, like Flood
        reject missing_field info[0].severity: is required: one of minor, moderate, severe, extreme, unknown
        reject missing_field info[0].urgency: is required: one of Immediate, Expected, Future, Past, Unknown
        reject missing_field info[0].certainty: is required: one of Observed, Likely, Possible, Unlikely, Unknown
    "#]],
    );
    check(
        &message("a b", "2026-11-23T17:00:00", "Warn", INFO).replace("Public", "Everybody"),
        expect![[r#"
        reject bad_id identifier: holds ' '; spaces, commas, < and & are not allowed
        reject naive_time sent: "2026-11-23T17:00:00" has no UTC offset; write it like 2026-11-23T08:00:00Z or 2026-11-23T17:00:00+09:00
        reject bad_field scope: "Everybody" is none of Public, Restricted, Private
        reject bad_field msgType: "Warn" is none of Alert, Update, Cancel, Ack, Error
    "#]],
    );
}

#[test]
fn what_is_no_cap_is_refused() {
    for (body, expected) in [
        (
            "",
            expect![[r#"
            reject empty_body -: the body is empty; a CAP source takes a message back with msgType Cancel
        "#]],
        ),
        (
            "{}",
            expect![[r#"
            reject unparsable -: the body is no well-formed XML: it has no element
        "#]],
        ),
        (
            "<alert/>",
            expect![[r#"
            reject unparsable -: the root element "alert" is no alert in the namespace urn:oasis:names:tc:emergency:cap:1.2 or urn:oasis:names:tc:emergency:cap:1.1
        "#]],
        ),
        (
            "<alert xmlns=\"http://www.incident.com/cap/1.0\"/>",
            expect![[r#"
            reject unparsable -: the root element "alert" is no alert in the namespace urn:oasis:names:tc:emergency:cap:1.2 or urn:oasis:names:tc:emergency:cap:1.1
        "#]],
        ),
        (
            "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>",
            expect![[r#"
            reject unparsable -: the body is no well-formed XML: it ends inside an element
        "#]],
        ),
        (
            "<a></b>",
            expect![[r#"
            reject unparsable -: the body is no well-formed XML: ill-formed document: expected `</a>`, but `</b>` was found
        "#]],
        ),
    ] {
        check(body, expected);
    }
}

#[test]
fn document_types_entities_and_strange_trees_are_refused() {
    for (body, expected) in [
        (
            "<!DOCTYPE alert><alert/>",
            expect![[r#"
            reject unparsable -: the body has a DOCTYPE; CAP needs none, and document types and entities are never read: leave it out
        "#]],
        ),
        (
            "<!DOCTYPE a [<!ENTITY x \"y\">]><alert>&x;</alert>",
            expect![[r#"
            reject unparsable -: the body has a DOCTYPE; CAP needs none, and document types and entities are never read: leave it out
        "#]],
        ),
        (
            "<alert>&x;</alert>",
            expect![[r#"
            reject unparsable -: the body uses the entity &x;, which XML does not define by itself
        "#]],
        ),
        (
            "<alert>&#0;</alert>",
            expect![[r#"
            reject unparsable -: the body uses the entity &#0;, which XML does not define by itself
        "#]],
        ),
        (
            "<a/><b/>",
            expect![[r#"
            reject unparsable -: the body has more than one root element
        "#]],
        ),
    ] {
        check(body, expected);
    }
    let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
    check(
        &deep,
        expect![[r#"
        reject oversized -: more than 16 levels or 50000 elements
    "#]],
    );
}

#[test]
fn times_in_other_forms_are_read_with_a_warning() {
    check(
        &message("M1", "2026-11-23T08:00:00Z", "Alert", INFO),
        expect![[r#"
        INCIDENT kma.go.kr/M1 weather active actual version=1795420800000 severity=severe urgency=Expected certainty=Likely title="호우" subkind=호우
          period start=2026-11-23T08:00:00.000Z
        warning bad_field sent: "2026-11-23T08:00:00Z": CAP writes a numeric offset, +00:00 instead of Z; it was read
    "#]],
    );
    let expires = INFO.replace("</info>", "<expires>tomorrow</expires></info>");
    check(
        &message("M1", "2026-11-23T17:00:00.5+09:00", "Alert", &expires),
        expect![[r#"
        INCIDENT kma.go.kr/M1 weather active actual version=1795420800500 severity=severe urgency=Expected certainty=Likely title="호우" subkind=호우
          period start=2026-11-23T08:00:00.500Z
        warning bad_field sent: "2026-11-23T17:00:00.5+09:00": CAP writes no fractions of seconds; it was read
        warning bad_field info[0].expires: "tomorrow" is no RFC 3339 time and no epoch seconds or milliseconds
    "#]],
    );
}

#[test]
fn an_area_that_cannot_be_used_is_lost_alone_and_the_last_one_takes_the_message() {
    let with =
        |shapes: &str| alert(&INFO.replace("</info>", &format!("<area><areaDesc>x</areaDesc>{shapes}</area></info>")));
    let good = "<polygon>37.5,127 37.6,127 37.6,127.1 37.5,127</polygon>";
    check(
        &with(&format!("{good}<polygon>127,37.5 127,37.6 127.1,37.6 127,37.5</polygon>")),
        expect![[r#"
        INCIDENT kma.go.kr/M1 weather active actual version=1795420800000 severity=severe urgency=Expected certainty=Likely geometry={"type":"Polygon","coordinates":[[[127.0,37.5],[127.0,37.6],[127.1,37.6],[127.0,37.5]]]} title="호우" subkind=호우
          area x
          period start=2026-11-23T08:00:00.000Z
        reject bad_field area.polygon: "127,37.5" is outside -90..90 for a latitude or -180..180 for a longitude; CAP writes latitude first
    "#]],
    );
    check(
        &with("<polygon>1,2 3,4</polygon>"),
        expect![[r#"
        reject bad_field area.polygon: has 2 pairs; a polygon needs at least four, the last like the first
    "#]],
    );
}

#[test]
fn machines_talk_and_drafts_are_no_incidents() {
    for kind in ["Ack", "Error"] {
        let (reports, withdrawn) = read(&message("M2", "2026-11-23T17:00:00+09:00", kind, INFO));
        assert!(reports.is_empty() && withdrawn.is_empty(), "{kind}");
    }
    check(
        &alert(INFO).replace(">Actual<", ">Draft<"),
        expect![[r#"
        warning unknown_word status: is Draft or System: nothing to act on
    "#]],
    );
}

#[test]
fn drills_stay_drills_and_only_public_words_are_public() {
    for (status, scope, is_public) in [
        ("Actual", "Public", true),
        ("Actual", "Restricted", false),
        ("Exercise", "Public", false),
        ("Test", "Public", false),
    ] {
        let body = alert(INFO).replace(">Actual<", &format!(">{status}<")).replace(">Public<", &format!(">{scope}<"));
        let report = read(&body).0.remove(0);
        assert_eq!(transit::Word::word(report.status), status.to_lowercase());
        assert_eq!(report.public_title.is_some(), is_public, "{status} {scope}");
    }
}

#[test]
fn a_message_goes_along_with_every_id_that_it_is_called_by() {
    let names = |kind: &str, rest: &str| {
        let report = read(&message("M4", "2026-11-23T18:00:00+09:00", kind, &format!("{rest}{INFO}"))).0.remove(0);
        format!("{}: {}", report.key.id, report.names.join(" "))
    };
    let reference = |id: &str, hour: u8| format!("kma.go.kr,{id},2026-11-23T{hour}:00:00+09:00");
    let both = format!("<references>{} {}</references>", reference("M3", 17), reference("M2", 16));
    let one = format!("<references>{}</references>", reference("M3", 17));
    assert_eq!(names("Alert", ""), "M4: ");
    assert_eq!(names("Update", &one), "M3: M4");
    assert_eq!(names("Update", &both), "M2: M3 M4");
    assert_eq!(names("Cancel", &both), "M2: M3 M4");
    assert_eq!(names("Update", &format!("{one}<incidents>I7</incidents>")), "I7: M3 M4");
}

#[test]
fn a_text_that_says_it_is_over_only_proposes_it() {
    let lifted = INFO.replace("</info>", "<description>호우경보 해제</description></info>");
    let report = read(&alert(&lifted)).0.remove(0);
    assert!(report.proposes_clear && report.phase == IncidentPhase::Active && !report.cancelled);
    assert!(!read(&alert(INFO)).0[0].proposes_clear);
}

#[test]
fn a_cancel_without_any_info_closes_and_names_what_else_it_lists() {
    let references =
        "<references>kma.go.kr,M2,2026-11-23T18:00:00+09:00 kma.go.kr,M1,2026-11-23T17:00:00+09:00</references>";
    let cancel = message("M3", "2026-11-23T19:00:00+09:00", "Cancel", references);
    check(
        &cancel,
        expect![[r#"
            INCIDENT kma.go.kr/M1 other closed actual version=1795428000000 cancelled=true
            withdrawn kma.go.kr/M2
        "#]],
    );
    let broken = message("M3", "2026-11-23T19:00:00+09:00", "Cancel", &format!("{references}<info><event/></info>"));
    assert_eq!(read(&broken).0[0].phase, IncidentPhase::Closed, "taken back, whatever else is wrong");
}

/// What a room keeps of reports in the order given.
fn kept(bodies: &[&String]) -> Incident {
    let mut known: Option<Incident> = None;
    for body in bodies {
        for report in read(body).0 {
            if Incident::judge(known.as_ref(), &report) == IncidentOutcome::Recorded {
                known = Some(Incident::record(known.as_ref(), &report, UtcMillis(0)));
            }
        }
    }
    known.unwrap()
}

#[test]
fn in_whatever_order_they_arrive_the_last_word_counts() {
    let references = "<references>kma.go.kr,M1,2026-11-23T17:00:00+09:00</references>";
    let first = alert(INFO);
    let update =
        message("M2", "2026-11-23T18:00:00+09:00", "Update", &format!("{references}{}", INFO.replace("호우", "홍수")));
    let cancel = message("M3", "2026-11-23T19:00:00+09:00", "Cancel", references);
    for order in
        [[&first, &update, &cancel], [&cancel, &first, &update], [&update, &cancel, &first], [&first, &cancel, &update]]
    {
        let incident = kept(&order);
        assert_eq!((incident.report.key.id.as_str(), incident.phase), ("M1", IncidentPhase::Closed));
        assert!(incident.withdrawn);
    }
    let told = kept(&[&first, &update, &cancel]);
    assert_eq!(told.report.subkind.as_deref(), Some("홍수"), "a cancel without words erases none");
    assert_eq!(kept(&[&update, &first]).report.subkind.as_deref(), Some("홍수"));
}

#[test]
fn a_feed_that_lists_its_senders_hears_no_other() {
    let spec =
        FeedSpec { senders: vec!["kma.go.kr".to_owned()], ..FeedSpec::new(FeedId::parse("kma").unwrap(), "cap") };
    let feeds = Feeds::new("topis", vec![spec]).unwrap();
    let told = alert(INFO);
    let ask = |body: &str| {
        let decoded = feeds.decode(&frame("topis/v1/cap/kma", body.as_bytes()));
        (decoded.messages.len(), decoded.problems.first().map(|p| (p.code, p.field.clone())))
    };
    assert_eq!(ask(&told), (1, None));
    let other = told.replace("kma.go.kr", "road-works");
    assert_eq!(ask(&other), (0, Some((decode::ProblemCode::BadId, Some("sender".to_owned())))));
}

#[test]
fn cap_feeds_come_by_the_emergency_lane() {
    let own =
        FeedSpec { topics: vec!["hazards/+/cap".to_owned()], ..FeedSpec::new(FeedId::parse("own").unwrap(), "cap") };
    let mut specs = Feeds::defaults();
    specs.push(own);
    let feeds = Feeds::new("topis", specs).unwrap();
    for topic in ["topis/v1/cap/kma", "hazards/kma/cap"] {
        assert!(feeds.is_emergency(topic) && feeds.has_emergency_filter(topic), "{topic}");
        let decoded = feeds.decode(&frame(topic, alert(INFO).as_bytes()));
        assert!(matches!(decoded.messages.as_slice(), [Message::Incident(_)]), "{topic} {}", print(&decoded));
    }
    for filter in ["topis/v1/cap/#", "hazards/+/cap"] {
        assert!(feeds.emergency_filters().iter().any(|f| f == filter), "{filter}");
        assert!(!feeds.telemetry_filters().iter().any(|f| f == filter), "{filter}");
    }
    assert!(!feeds.is_emergency("hazards/kma/other") && !feeds.is_emergency("topis/v1/vehicle/a/b/position"));
    assert!(feeds.is_emergency("topis/v1/incident/a/b"), "native incidents still do");
    assert!(
        feeds.is_emergency("topis/v1/gtfs-rt/mbta/alerts") && !feeds.is_emergency("topis/v1/gtfs-rt/mbta/vehicles")
    );
}

proptest! {
    #[test]
    fn whatever_arrives_is_an_incident_or_a_reject(body in "(<(/?)(alert|info|area|polygon|sent|!DOCTYPE)( xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\")?>|&[a-z#0-9]{0,4};|[ -~가-힣]{0,8}){0,24}") {
        let decoded = feeds().decode(&frame("topis/v1/cap/x", body.as_bytes()));
        let rejected = decoded.problems.iter().any(|p| p.grade == decode::Grade::Reject);
        prop_assert!(rejected || !decoded.messages.is_empty());
    }
}
