//! Real recordings, where they are present: not one message of theirs is lost.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use decode::{Grade, Message};
use expect_test::{Expect, expect};
use transit::{Observation, Significance, Word as _};

use crate::show::{feeds, frame, shown_as};

/// A file of the recordings, or `None` after saying loudly that it is not there.
#[expect(clippy::disallowed_methods, reason = "recordings are found by the environment and read from files")]
fn recording(name: &str) -> Option<Vec<u8>> {
    let folder = std::env::var_os("TOPIS_RECORDINGS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let path = folder.join(name);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        #[expect(clippy::print_stderr, reason = "a test that is skipped must be seen to be")]
        {
            eprintln!("SKIPPED: recordings not present ({})", path.display());
        }
    }
    bytes
}

/// (topic, payload) of the lines of an HFP recording: receive time, topic, payload.
fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter(|line| !line.is_empty()).map(|line| {
        let (_, rest) = line.split_once(' ').unwrap();
        rest.split_at(rest.find(" {").unwrap())
    })
}

fn observations(text: &str) -> Vec<Observation> {
    let feeds = feeds();
    lines(text)
        .map(|(topic, payload)| {
            let decoded = feeds.decode(&frame(topic, payload.trim().as_bytes()));
            assert_eq!(decoded.problems, [], "{topic} {payload}");
            assert_eq!(decoded.unknown_fields, 0, "{payload}");
            match decoded.messages.first() {
                Some(Message::Vehicle(o)) => o.clone(),
                other => panic!("{other:?}"),
            }
        })
        .collect()
}

/// How often each of a few facts is said, to be compared with counts that another program made.
fn summary(all: &[Observation]) -> String {
    let count = |name: &str, says: &dyn Fn(&Observation) -> bool| {
        format!("{name} {}\n", all.iter().filter(|o| says(o)).count())
    };
    let vehicles: BTreeSet<String> = all.iter().map(|o| o.vehicle.to_string()).collect();
    let mut text = format!("messages {}\nvehicles {}\n", all.len(), vehicles.len());
    text += &count("with position", &|o| o.position.is_some());
    text += &count("events", &|o| o.significance == Significance::Event);
    text += &count("doors open", &|o| o.doors_open == Some(true));
    text += &count("doors closed", &|o| o.doors_open == Some(false));
    text += &count("late", &|o| o.delay_s.is_some_and(|d| d > 0));
    text += &count("upcoming", &|o| o.upcoming.is_some());
    text += &count("with stop", &|o| o.stop.is_some());
    text += &count("with next stop", &|o| o.stop.as_ref().is_some_and(|s| s.stop_id.is_some()));
    let mut words: BTreeMap<String, usize> = BTreeMap::new();
    for o in all {
        for word in [
            o.mode.map(|m| m.word()),
            o.journey.as_ref().and_then(|j| j.state).map(|s| s.word()),
            o.stop_status.as_ref().map(|s| s.status.word()),
            o.position.as_ref().and_then(|f| f.source).map(|s| s.word()),
        ]
        .into_iter()
        .flatten()
        {
            *words.entry(word.to_owned()).or_default() += 1;
        }
    }
    words.iter().for_each(|(word, n)| text += &format!("{word} {n}\n"));
    text
}

#[test]
fn five_thousand_messages_of_1460_vehicles_are_read_without_a_reject() {
    check(
        "hfp/hsl-v1-fleet-burst-5000.txt",
        expect![[r#"
        messages 5000
        vehicles 1460
        with position 4854
        events 0
        doors open 772
        doors closed 3554
        late 2501
        upcoming 112
        with stop 4167
        with next stop 4115
        bus 4249
        deadrun 721
        in_service 4167
        rail 456
        tram 295
    "#]],
    );
}

fn check(name: &str, expected: Expect) {
    let Some(bytes) = recording(name) else { return };
    expected.assert_eq(&summary(&observations(&String::from_utf8(bytes).unwrap())));
}

#[test]
fn a_trip_that_loses_its_stop_is_read() {
    check(
        "hfp/v2-currentStopNull/hfp.dump",
        expect![[r#"
        messages 1034
        vehicles 1
        with position 94
        events 21
        doors open 31
        doors closed 1003
        late 208
        upcoming 0
        with stop 281
        with next stop 281
        INCOMING_AT 1
        IN_TRANSIT_TO 4
        STOPPED_AT 3
        bus 1034
        deadrun 753
        in_service 280
        odometer 94
        signed_off 1
    "#]],
    );
}

#[test]
fn a_change_of_trips_at_one_stop_is_read() {
    check(
        "hfp/v2-serviceJourneyChangeSameStop/hfp.dump",
        expect![[r#"
        messages 35
        vehicles 1
        with position 35
        events 19
        doors open 18
        doors closed 17
        late 26
        upcoming 0
        with stop 34
        with next stop 34
        INCOMING_AT 3
        IN_TRANSIT_TO 4
        STOPPED_AT 8
        bus 35
        deadrun 1
        gps 33
        in_service 33
        odometer 2
        signed_off 1
    "#]],
    );
}

#[test]
fn stop_and_door_events_at_one_stop_are_read() {
    check(
        "hfp/v2-stopChange/hfp.dump",
        expect![[r#"
        messages 14
        vehicles 1
        with position 14
        events 8
        doors open 2
        doors closed 12
        late 14
        upcoming 0
        with stop 14
        with next stop 14
        INCOMING_AT 2
        IN_TRANSIT_TO 2
        STOPPED_AT 3
        bus 14
        gps 13
        in_service 14
        odometer 1
    "#]],
    );
}

#[test]
fn passenger_counts_of_both_wire_shapes_are_read() {
    let mut said = String::new();
    for name in ["v2-currentStopNull", "v2-serviceJourneyChangeSameStop", "v2-stopChange"] {
        let Some(bytes) = recording(&format!("hfp/{name}/partialApc.dump")) else { return };
        for o in observations(&String::from_utf8(bytes).unwrap()) {
            said += &format!("partial {} {:?}\n", o.vehicle, o.occupancy);
        }
        let Some(bytes) = recording(&format!("hfp/{name}/apc.json")) else { return };
        let exported: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        for entry in exported.as_array().unwrap() {
            let (topic, payload) = (entry["data"]["topic"].as_str().unwrap(), entry["data"]["payload"].to_string());
            let decoded = feeds().decode(&frame(topic, payload.as_bytes()));
            assert_eq!(decoded.problems, []);
            match decoded.messages.first() {
                Some(Message::Vehicle(o)) => said += &format!("whole {} {:?}\n", o.vehicle, o.occupancy),
                other => panic!("{other:?}"),
            }
        }
    }
    expect![[r#"
        partial 0018/01029 None
        partial 0018/01029 None
        whole 0018/01029 None
        whole 0018/01029 Some(Occupancy { status: Some(ManySeatsAvailable), percentage: Some(8) })
        partial 0018/00679 None
        partial 0018/00679 None
        whole 0018/00679 Some(Occupancy { status: Some(ManySeatsAvailable), percentage: Some(10) })
        whole 0018/00679 Some(Occupancy { status: Some(ManySeatsAvailable), percentage: Some(15) })
        partial 0012/01913 None
        whole 0012/01913 Some(Occupancy { status: Some(ManySeatsAvailable), percentage: Some(15) })
    "#]]
    .assert_eq(&said);
}

#[test]
fn gtfs_realtime_recordings_are_read() {
    let mut said = String::new();
    for name in [
        "vehiclepositions.pb",
        "tripupdates.pb",
        "alerts.pb",
        "vehicle_position_1683740698.json",
        "trip_update_1683740698.json",
    ] {
        let Some(bytes) = recording(&format!("gtfs-rt/{name}")) else { return };
        let decoded = feeds().decode(&frame("topis/v1/gtfs-rt/x", &bytes));
        let rejects = decoded.problems.iter().filter(|p| p.grade == Grade::Reject).count();
        let positions =
            decoded.messages.iter().filter(|m| matches!(m, Message::Vehicle(o) if o.position.is_some())).count();
        said += &format!(
            "{name}: {} messages, {positions} with position, {rejects} rejects, {} problems\n",
            decoded.messages.len(),
            decoded.problems.len()
        );
        for p in decoded.problems.iter().take(3) {
            said += &format!("  {} {:?} {}\n", p.code.word(), p.field, p.detail);
        }
    }
    expect![[r#"
        vehiclepositions.pb: 48 messages, 48 with position, 0 rejects, 0 problems
        tripupdates.pb: 0 messages, 0 with position, 0 rejects, 0 problems
        alerts.pb: 51 messages, 0 with position, 0 rejects, 0 problems
        vehicle_position_1683740698.json: 14 messages, 14 with position, 0 rejects, 0 problems
        trip_update_1683740698.json: 14 messages, 0 with position, 0 rejects, 0 problems
    "#]]
    .assert_eq(&said);
}

#[test]
fn cap_samples_become_incidents_or_rejects() {
    let mut said = String::new();
    for name in ["australia", "earthquake", "no_optional_fields", "wcatwc-warning", "weather", "invalid", "xee"] {
        let Some(bytes) = recording(&format!("cap/samples/{name}.cap")) else { return };
        for line in shown_as("cap", &String::from_utf8(bytes).unwrap()).lines() {
            let head: String = line.chars().take(230).collect();
            said += &format!("{name}: {head}\n");
        }
    }
    expect![[r#"
        australia: INCIDENT webmaster@rfs.nsw.gov.au/tag:www.rfs.nsw.gov.au2011-10-06:40184 fire active actual version=1317819840000 severity=minor urgency=Expected certainty=Observed lat=-35.3888 lon=147.0598 radius_m=25000 expected_end=2011-10-06T
        australia:   area Yerong Creek Structure Fire (http://www.iso.org/iso/country_codes.html AU-NSW)
        australia:   area Yerong Creek Structure Fire (http://www.psma.com.au/?product=postcode-boundaries 2642)
        australia:   period start=2011-10-05T13:04:00.000Z end=2011-10-06T13:04:00.000Z
        australia:   text[en]="ALERT LEVEL: Not Applicable<br />LOCATION: 12 Cox Street, Yerong Creek<br />COUNCIL AREA: Lockhart<br />STATUS: Out of Control<br />TYPE: Structure fire (A fire involving a residential, commercial or industrial buildin
        australia:   public_text[en]="ALERT LEVEL: Not Applicable<br />LOCATION: 12 Cox Street, Yerong Creek<br />COUNCIL AREA: Lockhart<br />STATUS: Out of Control<br />TYPE: Structure fire (A fire involving a residential, commercial or industrial 
        earthquake: INCIDENT http://earthquake.usgs.gov/research/monitoring/anss/neic//USGS-earthquakes-us2010apcd.6.20100831T000925.496Z earthquake active actual version=1283231365000 severity=unknown urgency=Past certainty=Likely lat=-16.053 lon=-1
        earthquake:   area 185 miles (298 km) NNE of Neiafu, Tonga; 186 miles (299 km) SSW of APIA, Samoa; 211 miles (340 km) SW of PAGO PAGO, American Samoa; 1570 miles (2527 km) W of PAPEETE, Tahiti, French Polynesia
        earthquake:   period start=2010-08-31T05:09:25.000Z end=2010-09-02T05:09:25.000Z
        earthquake:   text[en]="An earthquake with magnitude 6.3 occurred near Neiafu, Tonga at 23:25:40.68 UTC on Aug 30, 2010. (This event has been reviewed by a seismologist.)"
        earthquake:   public_text[en]="An earthquake with magnitude 6.3 occurred near Neiafu, Tonga at 23:25:40.68 UTC on Aug 30, 2010. (This event has been reviewed by a seismologist.)"
        no_optional_fields: INCIDENT http://earthquake.usgs.gov/research/monitoring/anss/neic//USGS-earthquakes-us2010apcd.6.20100831T000925.496Z other active actual word=unspecified version=1283231365000
        no_optional_fields: warning missing_field info: is absent: the message does not say what happens or where
        wcatwc-warning: INCIDENT http://newwcatwc.arh.noaa.gov/tsuPortal//lqw6d6 flood active actual version=1314963410000 severity=extreme urgency=Immediate certainty=Likely expected_end=2011-09-02T12:36:50.000Z title="The tsunami Warning continues in e
        wcatwc-warning:   area Coastal areas between and including Unimak Pass, Alaska (80 miles NE of Dutch Harbor) to Amchitka Pass, Alaska (125 miles W of Adak) (UGC AKZ185, UGC AKZ187)
        wcatwc-warning:   period start=2011-09-02T11:36:50.000Z end=2011-09-02T12:36:50.000Z
        wcatwc-warning:   text[en]="The tsunami Warning continues in effect for the coastal areas of Alaska from Unimak Pass, Alaska (80 miles NE of Dutch Harbor) to Amchitka Pass, Alaska (125 miles W of Adak) - Event details: Preliminary magnitude 7.1 (
        wcatwc-warning:   public_text[en]="The tsunami Warning continues in effect for the coastal areas of Alaska from Unimak Pass, Alaska (80 miles NE of Dutch Harbor) to Amchitka Pass, Alaska (125 miles W of Adak) - Event details: Preliminary magnitud
        weather: INCIDENT w-nws.webmaster@noaa.gov/NOAA-NWS-ALERTS-MT20100830100700TFXFlashFloodWatchTFX20100830180000MT flood active actual version=1283162820000 severity=severe urgency=Expected certainty=Possible expected_end=2010-08-30T18:00:00
        weather:   area Central and Southern Lewis and Clark; Lewis and Clark (FIPS6 030049, UGC MTZ014)
        weather:   period start=2010-08-30T10:07:00.000Z end=2010-08-30T18:00:00.000Z
        weather:   text[en]="...FLASH FLOOD WATCH REMAINS IN EFFECT UNTIL NOON MDT TODAY... THE FLASH FLOOD WATCH CONTINUES FOR * A PORTION OF SOUTHWEST MONTANA...INCLUDING THE FOLLOWING AREA...CENTRAL AND SOUTHERN LEWIS AND CLARK. * UNTIL NOON MD
        weather:   public_text[en]="...FLASH FLOOD WATCH REMAINS IN EFFECT UNTIL NOON MDT TODAY... THE FLASH FLOOD WATCH CONTINUES FOR * A PORTION OF SOUTHWEST MONTANA...INCLUDING THE FOLLOWING AREA...CENTRAL AND SOUTHERN LEWIS AND CLARK. * UNTIL 
        invalid: reject missing_field scope: is required: write <scope> with one of Public, Restricted, Private
        xee: reject unparsable -: the body has a DOCTYPE; CAP needs none, and document types and entities are never read: leave it out
    "#]].assert_eq(&said);
}
