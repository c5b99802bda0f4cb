//! What is told of armed areas: inside, heading there, unaccounted for; and hazards that sources report.

use std::{collections::BTreeMap, sync::Arc};

use alert::{
    Fingerprint, Incident, IncidentKey, IncidentKind, IncidentPhase, IncidentReport, Priority, Severity, Subject,
};
use detect::{AccountedFor, OpenAlert, Rulebook};
use expect_test::{Expect, expect};
use impact::{Area, AreaName, AreaPurpose, AreaSource, ArmedArea, PlaceKind};
use picture::PictureOptions;
use transit::{Coordinate, Status};

use crate::stage::{Stage, feed, instant, message, play};

/// A vehicle in service that stands `at_m` metres along the road.
fn at(id: &str, second: u64, at_m: f64) -> transit::Observation {
    let position = Some(transit::Fix { speed_mps: Some(0.0), ..transit::Fix::at(37.5 + at_m / 111_195.0, 127.0) });
    transit::Observation { position, ..message(id, second as i64) }
}

/// A circle around the place `at_m` metres along the road.
fn circle(id: &str, at_m: f64, radius_m: f64) -> Area {
    let name = AreaName { id: id.to_owned(), label: id.to_owned(), source: AreaSource::Place(PlaceKind::Underpass) };
    Area::around(name, Coordinate::parse(37.5 + at_m / 111_195.0, 127.0).unwrap(), radius_m).unwrap()
}

fn armed(purpose: AreaPurpose) -> Vec<ArmedArea> {
    let (area, since) = (circle("flood/1", 2_000.0, 200.0), instant(0).utc);
    vec![ArmedArea { area, since, purpose, until: None, status: Status::Actual }]
}

fn check(purpose: AreaPurpose, script: &str, expected: &Expect) {
    let mut stage = Stage::by_default();
    stage.areas = armed(purpose);
    play(&mut stage, script);
    expected.assert_eq(&stage.timeline());
}

#[test]
fn a_bus_that_drives_through_is_told_as_heading_then_inside_and_over_when_out() {
    check(
        AreaPurpose::Hazard,
        "+0..300 22/800 every 1 at 0 m from 0 speed 10 bearing 0
         +0..300 22/900 every 1 at 0 m from 0 speed 0 bearing 180
         +299 end",
        &expect![[r#"
            +3 raised P2 GEO.HEADING vehicle:22/800
            +180 raised P2 GEO.INSIDE vehicle:22/800
            +180 cleared P2 GEO.HEADING vehicle:22/800
            +224 cleared P2 GEO.INSIDE vehicle:22/800
        "#]],
    );
}

#[test]
fn one_position_is_enough_where_everybody_has_to_get_out() {
    let script = "+0..6 22/800 every 1 at 2000 m speed 0\n+6 end";
    check(
        AreaPurpose::Evacuation,
        script,
        &expect![[r#"
        +0 raised P1 GEO.INSIDE vehicle:22/800
    "#]],
    );
    check(
        AreaPurpose::Hazard,
        script,
        &expect![[r#"
        +1 raised P2 GEO.INSIDE vehicle:22/800
    "#]],
    );
    check(AreaPurpose::Watch, script, &expect![[""]]);
}

#[test]
fn a_vehicle_gone_dark_inside_is_unaccounted_until_it_is_heard_though_its_feed_is_silent_too() {
    check(
        AreaPurpose::Hazard,
        "+0..100 22/800 every 5 at 2000 m speed 0
         +0..100 22/801 every 5 at 2050 m speed 0
         +0..100 22/[1-9] every 5 at 9000 m speed 0
         +5000..5040 22/801 every 5 at 2050 m speed 0
         +5000..5040 22/[1-9] every 5 at 9000 m speed 0
         +5020..5040 22/800 every 5 at 2000 m speed 0
         +5039 end",
        &expect![[r#"
            +5 raised P2 GEO.INSIDE vehicle:22/800
            +5 raised P2 GEO.INSIDE vehicle:22/801
            +146 raised P1 FEED.SILENT feed:f
            +156 raised P1 GEO.UNACCOUNTED area:flood/1
            +5000 cleared P1 FEED.SILENT feed:f
            +5000 raised P1 GEO.UNACCOUNTED area:flood/1
            +5020 cleared P1 GEO.UNACCOUNTED area:flood/1
        "#]],
    );
}

#[test]
fn who_was_missed_before_a_restart_or_the_end_of_the_incident_is_missed_until_heard() {
    let subject = Subject::Area("flood/1".to_owned());
    let members = ["22/800", "22/801"].map(|id| Subject::Vehicle(transit::VehicleKey::parse(id).unwrap())).to_vec();
    let (rule, status) = ("GEO.UNACCOUNTED".to_owned(), Status::Actual);
    let figures = BTreeMap::new();
    let open = OpenAlert { rule, subject, status, priority: Priority::P1, members, figures };
    let mut stage = Stage::new(Rulebook::default(), vec![open], PictureOptions::default());
    play(
        &mut stage,
        "+200..400 22/800 every 5 at 2000 m speed 0
         +300..400 22/801 every 5 at 2000 m speed 0
         +399 end",
    );
    expect![[r#"
        +200 raised P1 GEO.UNACCOUNTED area:flood/1
        +300 cleared P1 GEO.UNACCOUNTED area:flood/1
    "#]]
    .assert_eq(&stage.timeline());
}

#[test]
fn whom_a_person_accounted_for_is_missed_again_only_when_heard_and_silent_again() {
    let mut stage = Stage::by_default();
    stage.areas = armed(AreaPurpose::Hazard);
    let dark = "+0..100 22/800 every 5 at 2000 m speed 0
                +0..100 22/801 every 5 at 2050 m speed 0";
    play(&mut stage, &format!("{dark}\n+0..5000 22/[1-9] every 5 at 9000 m speed 0\n+200 end"));
    let said = |vehicle: &str, second| AccountedFor {
        about: Subject::Area("flood/1".to_owned()),
        status: Status::Actual,
        member: Subject::Vehicle(transit::VehicleKey::parse(vehicle).unwrap()),
        at: instant(second).utc,
    };
    let mut go_on = |accounted: &[AccountedFor], seconds: std::ops::Range<u64>, heard: bool| {
        stage.accounted = accounted.to_vec();
        for second in seconds.clone() {
            if second % 5 == 0 {
                (1..10).for_each(|n| stage.say(&at(&format!("22/{n}"), second, 9_000.0), second));
                heard.then(|| stage.say(&at("22/800", second, 2_000.0), second));
            }
            stage.look(second);
        }
        let told = std::mem::take(&mut stage.told);
        format!("{}..{}: {}\n", seconds.start, seconds.end, told.join(" | "))
    };
    let one = [said("22/800", 201)];
    let both = [said("22/800", 201), said("22/801", 210)];
    let told: String = [
        go_on(&[], 201..202, false),
        go_on(&one, 202..210, false),
        go_on(&both, 210..300, false),
        go_on(&both, 300..320, true),
        go_on(&both, 320..500, false),
    ]
    .concat();
    expect![[r#"
        201..202: +5 raised P2 GEO.INSIDE vehicle:22/800 | +5 raised P2 GEO.INSIDE vehicle:22/801 | +156 raised P1 GEO.UNACCOUNTED area:flood/1
        202..210: +202 raised P1 GEO.UNACCOUNTED area:flood/1
        210..300: +210 cleared P1 GEO.UNACCOUNTED area:flood/1 | +246 exception P3 VEH.SILENT vehicle:22/800 | +246 exception P3 VEH.SILENT vehicle:22/801
        300..320: +305 over P3 VEH.SILENT vehicle:22/800
        320..500: +376 raised P1 GEO.UNACCOUNTED area:flood/1 | +456 exception P2 VEH.SILENT vehicle:22/801 | +466 exception P3 VEH.SILENT vehicle:22/800
    "#]].assert_eq(&told);
}

#[test]
fn what_a_person_ended_although_it_holds_is_told_anew() {
    let mut stage = Stage::by_default();
    stage.areas = armed(AreaPurpose::Hazard);
    // Nothing is open in the room: what is told there is ended at once.
    stage.open = Some(&|_, _, _| false);
    play(&mut stage, "+0..150 22/800 every 1 at 2000 m speed 0\n+149 end");
    expect![[r#"
        +1 raised P2 GEO.INSIDE vehicle:22/800
        +62 raised P2 GEO.INSIDE vehicle:22/800
        +123 raised P2 GEO.INSIDE vehicle:22/800
    "#]]
    .assert_eq(&stage.timeline());
}

#[test]
fn an_area_that_is_disarmed_ends_what_it_raised() {
    let mut stage = Stage::by_default();
    stage.areas = armed(AreaPurpose::Hazard);
    stage.areas[0].until = Some(instant(30).utc);
    play(&mut stage, "+0..60 22/800 every 1 at 2000 m speed 0\n+59 end");
    expect![[r#"
        +1 raised P2 GEO.INSIDE vehicle:22/800
        +30 cleared P2 GEO.INSIDE vehicle:22/800
    "#]]
    .assert_eq(&stage.timeline());
}

#[test]
fn a_vehicle_last_seen_in_a_depot_is_parked() {
    let mut stage = Stage::by_default();
    stage.depots = vec![circle("place:depot", 0.0, 150.0)];
    play(&mut stage, "+0..900 22/[1-9] every 5 at 5000 m\n+0..200 22/[11-30] every 5 at 100 m\n+899 end");
    assert_eq!(stage.timeline(), "");
}

fn incident(kind: IncidentKind, severity: Option<Severity>) -> Incident {
    let report = IncidentReport {
        key: IncidentKey { source: "kma".to_owned(), id: "7".to_owned() },
        feed: feed("f"),
        version: None,
        phase: IncidentPhase::Active,
        status: Status::Actual,
        kind,
        kind_word: None,
        subkind: None,
        severity,
        urgency: None,
        certainty: None,
        effect: None,
        active_periods: Vec::new(),
        expected_end: None,
        lat: Some(37.5),
        lon: Some(127.0),
        geometry: None,
        radius_m: None,
        affects: Vec::new(),
        title: None,
        text: BTreeMap::new(),
        public_title: None,
        public_text: BTreeMap::new(),
        road_control: None,
        areas: Vec::new(),
        cancelled: false,
        proposes_clear: false,
        names: Vec::new(),
        fingerprint: Fingerprint(0),
        retained: false,
        received_at: instant(0).utc,
    };
    Incident::record(None, &report, instant(0).utc)
}

#[test]
fn a_hazard_is_told_from_severe_on_and_over_when_its_incident_is() {
    let mut told = Vec::new();
    let exercise = |mut i: Incident| {
        i.report.status = Status::Exercise;
        i
    };
    let test = |mut i: Incident| {
        i.report.status = Status::Test;
        i
    };
    for incident in [
        incident(IncidentKind::Weather, None),
        incident(IncidentKind::Weather, Some(Severity::Severe)),
        incident(IncidentKind::Flood, None),
        incident(IncidentKind::Earthquake, Some(Severity::Extreme)),
        incident(IncidentKind::Crash, Some(Severity::Extreme)),
        exercise(incident(IncidentKind::Flood, None)),
        test(incident(IncidentKind::Flood, None)),
    ] {
        let mut stage = Stage::by_default();
        stage.incidents = vec![Arc::new(incident)];
        stage.look(1);
        stage.look(2);
        stage.incidents.clear();
        stage.look(3);
        told.push(stage.timeline());
    }
    expect![[r#"
        --
        +1 raised P2 HAZ.WEATHER area:kma/7
        +3 cleared P2 HAZ.WEATHER area:kma/7
        --
        +1 raised P2 HAZ.FLOOD area:kma/7
        +3 cleared P2 HAZ.FLOOD area:kma/7
        --
        +1 raised P1 HAZ.EARTHQUAKE area:kma/7
        +3 cleared P1 HAZ.EARTHQUAKE area:kma/7
        --
        --
        +1 raised P2 HAZ.FLOOD area:kma/7 (drill)
        +3 cleared P2 HAZ.FLOOD area:kma/7 (drill)
        --
    "#]]
    .assert_eq(&told.join("--\n"));
}

#[test]
fn a_hazard_told_as_a_shape_has_its_place_in_the_middle_of_the_shape() {
    let mut flood = incident(IncidentKind::Flood, None);
    (flood.report.lat, flood.report.lon) = (None, None);
    flood.report.geometry = Some(
        r#"{"type":"Polygon","coordinates":[[[127,37.5],[127.02,37.5],[127.02,37.52],[127,37.52],[127,37.5]]]}"#
            .to_owned(),
    );
    let mut stage = Stage::by_default();
    stage.areas = vec![ArmedArea::of_incident(&flood).unwrap()];
    stage.incidents = vec![Arc::new(flood)];
    stage.look(1);
    let evidence = &stage.round.findings[0].evidence;
    let near = |degrees: Option<f64>, wanted: f64| degrees.is_some_and(|d| (d - wanted).abs() < 1e-6);
    assert!(near(evidence.lat, 37.51) && near(evidence.lon, 127.01), "{evidence:?}");
}

#[test]
fn a_hazard_of_tomorrow_is_told_tomorrow() {
    let mut stage = Stage::by_default();
    let mut flood = incident(IncidentKind::Flood, None);
    let period = alert::ActivePeriod { start: Some(instant(100).utc), end: Some(instant(200).utc) };
    flood.report.active_periods = vec![period];
    stage.incidents = vec![Arc::new(flood)];
    for second in 0..300 {
        stage.look(second);
    }
    expect![[r#"
        +100 raised P2 HAZ.FLOOD area:kma/7
        +200 cleared P2 HAZ.FLOOD area:kma/7
    "#]]
    .assert_eq(&stage.timeline());
}

#[test]
fn a_drill_is_told_as_a_drill_and_hides_nothing_that_is_meant() {
    let mut stage = Stage::by_default();
    let meant = ArmedArea { area: circle("flood/1", 0.0, 200.0), ..armed(AreaPurpose::Evacuation).remove(0) };
    let drill = ArmedArea { status: Status::Exercise, ..meant.clone() };
    let test = ArmedArea { status: Status::Test, ..drill.clone() };
    let mut flood = incident(IncidentKind::Flood, None);
    flood.report.status = Status::Exercise;
    stage.incidents = vec![Arc::new(flood)];
    for second in 0..20_u64 {
        // The real thing comes while the drill goes on, and the drill ends while it does.
        stage.areas = match second {
            0..7 => vec![drill.clone(), test.clone()],
            7..13 => vec![drill.clone(), test.clone(), meant.clone()],
            _ => vec![test.clone(), meant.clone()],
        };
        if second == 13 {
            stage.incidents.clear();
        }
        stage.say(&message("22/800", second as i64), second);
        stage.look(second);
    }
    expect![[r#"
        +0 raised P1 GEO.INSIDE vehicle:22/800 (drill)
        +0 raised P2 HAZ.FLOOD area:kma/7 (drill)
        +7 raised P1 GEO.INSIDE vehicle:22/800
        +13 cleared P1 GEO.INSIDE vehicle:22/800 (drill)
        +13 cleared P2 HAZ.FLOOD area:kma/7 (drill)
    "#]]
    .assert_eq(&stage.timeline());
}
