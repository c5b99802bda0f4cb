//! A scene and a subject in, the card in text out.

use std::fmt::Write;

use expect_test::{Expect, expect};
use transit::TripId;

use super::*;
use crate::{
    Index, Intervals,
    samples::{self, NOW, away, heart},
};

const PLACES: &str = include_str!("../../../../config/places.geojson");

fn told(card: &Card) -> String {
    let mut out = format!("{:?}\n", card.subject);
    if let Some(w) = card.whereabouts.known() {
        let by = if w.by_vehicle { "vehicle" } else { "record" };
        writeln!(out, "at {} s ago by {by}{}", w.age_s, if w.doubtful { ", doubtful" } else { "" }).unwrap();
    }
    for (side, neighbour) in [("ahead", &card.neighbours.ahead), ("behind", &card.neighbours.behind)] {
        let text = match neighbour {
            Known::Known(Some(n)) => format!("{} {:.0} m, {} s old", n.vehicle.key, n.gap_m, n.position_age_s),
            Known::Known(None) => "nobody".to_owned(),
            Known::Unknown(reason) => format!("unknown: {reason:?}"),
        };
        writeln!(out, "{side}: {text}").unwrap();
    }
    for n in &card.nearest {
        let (key, direction) = (&n.vehicle.key, n.direction_deg);
        writeln!(out, "near {key} {:.0} m at {direction:.0}°, approaching {:?}", n.distance_m, n.approaching).unwrap();
    }
    let Reach { inside, entering, unaccounted, .. } = &card.reach;
    writeln!(out, "inside {}, entering {}, unaccounted {}", inside.len(), entering.len(), unaccounted.len()).unwrap();
    card.areas.iter().for_each(|a| writeln!(out, "overlaps {} at {:.0} m", a.id, a.distance_m).unwrap());
    card.alerts.iter().for_each(|a| writeln!(out, "alert {} {} at {:.0} m", a.id, a.rule, a.distance_m).unwrap());
    let places: Vec<&str> = card.places.iter().map(|n| n.place.id.as_str()).collect();
    writeln!(out, "places {}", places.join(" ")).unwrap();
    let step = card.runbook.as_ref().and_then(Runbook::next_step).map_or("none", |w| w.en.as_str());
    writeln!(out, "next step: {step}").unwrap();
    for s in &card.suggestions {
        let figures: Vec<String> = s.figures.iter().map(|(name, n)| format!("{name} {n:.0}")).collect();
        writeln!(out, "{:?} {:?}: {} [{}]", s.action, s.vehicles, s.reason.en, figures.join(", ")).unwrap();
        writeln!(out, "  {}", s.reason.ko).unwrap();
    }
    let unknowns: Vec<String> = card.unknowns().iter().map(|(f, r)| format!("{f} {r:?}")).collect();
    writeln!(out, "{} unknown: {}", unknowns.len(), unknowns.join(", ")).unwrap();
    out
}

fn card_of(subject: CardSubject<'_>, view: &View, alerts: &[&Alert], areas: &[ArmedArea]) -> Card {
    let (places, runbooks) = (Places::parse(PLACES).unwrap(), Runbooks::shipped());
    let (index, intervals) = (Index::of(view), Intervals::default());
    let scene = Scene { index: &index, intervals: &intervals, as_of: NOW, depots: &[], trail: None };
    let desk = Desk { view, scene, alerts, areas, places: &places, runbooks: &runbooks };
    Card::of(subject, &desk, &CardOptions { nearest: 3, places_each: 1, ..CardOptions::default() })
}

fn check(subject: CardSubject<'_>, view: &View, alerts: &[&Alert], areas: &[ArmedArea], expected: Expect) {
    expected.assert_eq(&told(&card_of(subject, view, alerts, areas)));
}

const STREET: &str = "22/1 at 0 m N course 0 speed 5 route 59 dir 0 doing in_service
    22/2 at 700 m N course 10 speed 5 route 59 dir 0 doing in_service
    22/3 at 900 m N course 180 speed 9 route 59 dir 1 doing in_service
    22/4 at 400 m S course 0 speed 9 route 59 dir 0 doing in_service
    22/5 at 1500 m S course 0 speed 9 route 59 dir 0 doing in_service
    22/6 at 60 m E age 200 doing in_service
    22/7 at 90 m W speed 0 doing in_service";

#[test]
fn a_burning_bus_among_others() {
    let view = samples::view(STREET);
    let fire = samples::alert(417, "EMG.FIRE", "22/1", Some(heart()), 20);
    let other = samples::alert(418, "VEH.SILENT", "22/6", None, 20);
    let flood = ArmedArea::of_incident(&samples::incident("7", "flood", Some(away(600.0, "E")), 900)).unwrap();
    let far = ArmedArea::of_incident(&samples::incident("8", "flood", Some(away(9_000.0, "E")), 900)).unwrap();
    check(
        CardSubject::Alert(&fire),
        &view,
        &[&fire, &other],
        &[flood, far],
        expect![[r#"
            Alert(20261123-417)
            at 1 s ago by vehicle
            ahead: 22/2 700 m, 1 s old
            behind: 22/4 400 m, 1 s old
            near 22/7 90 m at 270°, approaching None
            near 22/4 400 m at 180°, approaching Some(true)
            near 22/2 700 m at 0°, approaching Some(false)
            inside 2, entering 3, unaccounted 1
            overlaps topis/7 at 100 m
            alert 20261123-418 VEH.SILENT at 60 m
            places hospital-river police-central fire-north depot-east turn-market camera-bridge-n contact-rail underpass-river-2 tunnel-hill-1 bridge-long
            next step: Have the driver stop, open the doors and get everybody out, upwind
            CallUnaccounted [22/6]: 1 gone dark inside or on the way in; 22/6 for 200 s, 60 s are usual [limit_s 60, longest_silent_s 200, vehicles 1]
              구역 안이나 진입 중 무응답 1대. 22/6 200초째 무응답(통상 60초 이내 수신)
            HoldEntering [22/4, 22/3]: 2 enter within 2 minutes if they go on; 22/4 in 21 s, 200 m away at 9.0 m/s [nearest_m 200, oldest_position_s 1, soonest_eta_s 21, vehicles 2]
              계속 운행하면 2분 안에 2대 진입. 22/4 21초 뒤 진입 예상(거리 200m, 시속 32km)
            LeadOut [22/7]: 1 inside, 1 of them for certain [certain 1, oldest_position_s 1, vehicles 1]
              구역 안 1대(확실 1대)
            8 unknown: trip_id NotReported, delay_s NotReported, occupancy NotReported, passengers NotReported, next_stops NoTimetable, routes_cut NoTimetable, stops_cut NoTimetable, trips_cut NoTimetable
        "#]],
    );
}

#[test]
fn an_incident_has_its_own_area_and_no_vehicle() {
    let incident = samples::incident("7", "fire", Some(heart()), 300);
    check(
        CardSubject::Incident(&incident),
        &samples::view(STREET),
        &[],
        &[],
        expect![[r#"
            Incident(IncidentKey { source: "topis", id: "7" })
            at 300 s ago by record
            ahead: unknown: NoVehicle
            behind: unknown: NoVehicle
            near 22/1 0 m at 0°, approaching Some(true)
            near 22/7 90 m at 270°, approaching None
            near 22/4 400 m at 180°, approaching Some(true)
            inside 2, entering 3, unaccounted 1
            places hospital-river police-central fire-north depot-east turn-market camera-bridge-n contact-rail underpass-river-2 tunnel-hill-1 bridge-long
            next step: Read the incident's area: inside, entering in 2 minutes, unaccounted for
            CallUnaccounted [22/6]: 1 gone dark inside or on the way in; 22/6 for 200 s, 60 s are usual [limit_s 60, longest_silent_s 200, vehicles 1]
              구역 안이나 진입 중 무응답 1대. 22/6 200초째 무응답(통상 60초 이내 수신)
            HoldEntering [22/4, 22/3]: 2 enter within 2 minutes if they go on; 22/4 in 21 s, 200 m away at 9.0 m/s [nearest_m 200, oldest_position_s 1, soonest_eta_s 21, vehicles 2]
              계속 운행하면 2분 안에 2대 진입. 22/4 21초 뒤 진입 예상(거리 200m, 시속 32km)
            LeadOut [22/1, 22/7]: 2 inside, 2 of them for certain [certain 2, oldest_position_s 1, vehicles 2]
              구역 안 2대(확실 2대)
            12 unknown: vehicle NoVehicle, age_s NoVehicle, trip_id NoVehicle, delay_s NoVehicle, occupancy NoVehicle, passengers NotReported, next_stops NoTimetable, ahead NoVehicle, behind NoVehicle, routes_cut NoTimetable, stops_cut NoTimetable, trips_cut NoTimetable
        "#]],
    );
}

#[test]
fn a_vehicle_nobody_has_heard_says_so_everywhere() {
    let key = VehicleKey::parse("22/99").unwrap();
    check(
        CardSubject::Vehicle(&key),
        &samples::view(STREET),
        &[],
        &[],
        expect![[r#"
        Vehicle(22/99)
        ahead: unknown: NeverHeard
        behind: unknown: NeverHeard
        inside 0, entering 0, unaccounted 0
        places 
        next step: none
        14 unknown: vehicle NeverHeard, whereabouts NoPosition, age_s NeverHeard, trip_id NeverHeard, delay_s NeverHeard, occupancy NeverHeard, passengers NotReported, next_stops NoTimetable, ahead NeverHeard, behind NeverHeard, area NoPosition, routes_cut NoTimetable, stops_cut NoTimetable, trips_cut NoTimetable
    "#]],
    );
}

#[test]
fn an_alarm_with_an_older_vehicle_position_stands_where_the_alarm_says() {
    let view = samples::view("22/1 at 5000 m N age 300 course 0 speed 5");
    let panic = samples::alert(1, "EMG.PANIC", "22/1", Some(heart()), 4);
    let card = card_of(CardSubject::Alert(&panic), &view, &[], &[]);
    let place = card.whereabouts.known().unwrap();
    assert_eq!((place.by_vehicle, place.coordinate.distance(heart()).0 < 1.0), (false, true));
}

#[test]
fn what_the_vehicle_says_is_on_its_card() {
    let mut record = samples::vehicle("22/1 at 0 m N course 0 speed 5 route 59");
    record.delay_s = Some(90);
    record.journey.trip_id = TripId::parse("T-1").ok();
    record.occupancy.percentage = Some(70);
    let key = record.key.clone();
    let view: View = [record].into_iter().collect();
    let card = card_of(CardSubject::Vehicle(&key), &view, &[], &[]);
    assert_eq!(card.delay_s, Known::Known(90));
    assert_eq!(card.trip_id.known().map(TripId::as_str), Some("T-1"));
    assert_eq!(card.occupancy.known().and_then(|o| o.percentage), Some(70));
    assert_eq!(card.age_s, Known::Known(1.0));
}

#[test]
fn without_a_timetable_the_same_four_fields_are_unknown_on_every_card() {
    let key = VehicleKey::parse("22/1").unwrap();
    let card = card_of(CardSubject::Vehicle(&key), &samples::view(STREET), &[], &[]);
    let missing: Vec<&str> =
        card.unknowns().iter().filter(|(_, r)| *r == Reason::NoTimetable).map(|(field, _)| *field).collect();
    assert_eq!(missing, ["next_stops", "routes_cut", "stops_cut", "trips_cut"]);
}

/// An incident told as a square of 200 m around a place, with nothing else to say where it is.
fn shaped(id: &str, kind: &str, middle: Coordinate) -> Incident {
    let mut incident = samples::incident(id, kind, None, 300);
    let (lat, lon, d) = (middle.lat(), middle.lon(), 0.0009);
    let corner = |y: f64, x: f64| format!("[{},{}]", lon + x * d, lat + y * d);
    let ring = [(-1.0, -1.0), (-1.0, 1.0), (1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)].map(|(y, x)| corner(y, x));
    incident.report.geometry = Some(format!(r#"{{"type":"Polygon","coordinates":[[{}]]}}"#, ring.join(",")));
    incident
}

fn about(rule: &str, subject: alert::Subject) -> Alert {
    Alert { subject, ..samples::alert(9, rule, "22/1", None, 20) }
}

fn by_rule(rule: &str, key: &str, figure: &str, ids: &str) -> Alert {
    let figures = [(figure.to_owned(), ids.to_owned())].into_iter().collect();
    let evidence = alert::Evidence { figures, ..alert::Evidence::default() };
    Alert { evidence: Some(evidence), ..samples::alert(9, rule, key, None, 20) }
}

/// Actions with the vehicles they name.
fn proposed(card: &Card) -> Vec<String> {
    let keys = |s: &Suggestion| s.vehicles.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    card.suggestions.iter().map(|s| format!("{:?} {}", s.action, keys(s))).collect()
}

#[test]
fn an_alert_about_an_incident_or_area_without_a_place_stands_in_the_middle_of_its_area() {
    let view = samples::view(STREET);
    let armed = [ArmedArea::of_incident(&shaped("7", "flood", heart())).unwrap()];
    for subject in [alert::Subject::Incident("topis/7".to_owned()), alert::Subject::Area("topis/7".to_owned())] {
        let card = card_of(CardSubject::Alert(&about("INC.SEVERE", subject)), &view, &[], &armed);
        let place = card.whereabouts.known().unwrap();
        assert!(place.coordinate.distance(heart()).0 < 1.0 && !place.by_vehicle && !place.doubtful, "{place:?}");
        assert!(!card.nearest.is_empty() && !card.places.is_empty());
    }
    let gone = about("INC.SEVERE", alert::Subject::Incident("topis/8".to_owned()));
    let card = card_of(CardSubject::Alert(&gone), &view, &[], &armed);
    assert_eq!(card.whereabouts.reason(), Some(Reason::NoPosition));
}

#[test]
fn a_vehicle_in_or_before_an_armed_area_is_judged_by_that_area() {
    let view = samples::view(STREET);
    let armed = [
        ArmedArea::of_incident(&samples::incident("6", "flood", Some(away(9_000.0, "E")), 300)).unwrap(),
        ArmedArea::of_incident(&shaped("7", "flood", heart())).unwrap(),
    ];
    let inside = by_rule("GEO.INSIDE", "22/1", "areas", "topis/5, topis/7");
    let card = card_of(CardSubject::Alert(&inside), &view, &[], &armed);
    assert_eq!((card.area.known().map(Area::id), card.dangerous), (Some("topis/7"), true));
    // It is led out itself, nobody is sent to it, and nobody is held whom it does not concern twice.
    assert_eq!(proposed(&card), ["CallUnaccounted 22/6", "HoldEntering 22/4 22/3", "LeadOut 22/1 22/7"]);
    let heading = by_rule("GEO.HEADING", "22/4", "area", "topis/7");
    let card = card_of(CardSubject::Alert(&heading), &view, &[], &armed);
    assert_eq!(card.area.known().map(Area::id), Some("topis/7"));
    assert!(proposed(&card).contains(&"HoldEntering 22/4 22/3".to_owned()), "{:?}", proposed(&card));
    // What is not armed any more leaves the circle around the vehicle.
    let card = card_of(CardSubject::Alert(&inside), &view, &[], &[]);
    assert_eq!((card.area.known().map(Area::id), card.dangerous), (Some("query"), false));
}

#[test]
fn nobody_is_sent_or_held_who_has_an_emergency_or_has_to_get_out_of_danger() {
    let view = samples::view(
        "22/1 at 0 m N course 0 speed 0 route 59 dir 0 doing in_service
         22/2 at 300 m N speed 0 doing in_service
         22/3 at 400 m E speed 0 doing in_service
         22/4 at 500 m W speed 0 doing signed_off
         22/5 at 600 m S course 0 speed 0 route 59 dir 0 doing in_service
         22/6 at 700 m W speed 0 doing in_service",
    );
    let medical = samples::alert(1, "EMG.MEDICAL", "22/1", None, 20);
    let card = card_of(CardSubject::Alert(&medical), &view, &[&medical], &[]);
    assert_eq!(proposed(&card), ["SendNearest 22/2", "HoldFollower 22/5"]);
    let panics = ["22/2", "22/5"].map(|key| samples::alert(2, "EMG.PANIC", key, None, 20));
    let flood = [ArmedArea::of_incident(&shaped("7", "flood", away(400.0, "E"))).unwrap()];
    let card = card_of(CardSubject::Alert(&medical), &view, &[&medical, &panics[0], &panics[1]], &flood);
    assert_eq!(proposed(&card), Vec::<String>::new(), "the nearest three cannot go");
    let card = card_of(CardSubject::Alert(&medical), &view, &[&medical, &panics[0]], &[]);
    assert_eq!(proposed(&card), ["SendNearest 22/3", "HoldFollower 22/5"]);
    // Who is to be held is not sent.
    let two = samples::view(
        "22/1 at 0 m N course 0 speed 0 route 59 dir 0 doing in_service
         22/5 at 600 m S course 0 speed 0 route 59 dir 0 doing in_service",
    );
    let card = card_of(CardSubject::Alert(&medical), &two, &[&medical], &[]);
    assert_eq!(proposed(&card), ["HoldFollower 22/5"]);
    // Nobody is sent into danger.
    let around = [ArmedArea::of_incident(&shaped("7", "flood", heart())).unwrap()];
    let card = card_of(CardSubject::Alert(&medical), &view, &[&medical], &around);
    assert_eq!(proposed(&card), ["HoldFollower 22/5"]);
}

#[test]
fn a_follower_that_is_far_or_not_heard_is_not_held_and_one_that_is_heard_goes_before_a_nearer_one() {
    let medical = samples::alert(1, "EMG.MEDICAL", "22/1", None, 20);
    let subject = "22/1 at 0 m N course 0 speed 0 route 59 dir 0 doing in_service";
    for (follower, expected) in [
        ("22/5 at 2900 m S course 0 speed 0 route 59 dir 0", vec!["HoldFollower 22/5"]),
        ("22/5 at 3100 m S course 0 speed 0 route 59 dir 0", vec![]),
        ("22/5 at 900 m S age 90 course 0 speed 0 route 59 dir 0", vec![]),
    ] {
        let view = samples::view(&format!("{subject}\n{follower}"));
        let card = card_of(CardSubject::Alert(&medical), &view, &[&medical], &[]);
        assert_eq!(proposed(&card), expected, "{follower}");
    }
    let view = samples::view(&format!(
        "{subject}
         22/5 at 100 m S age 2000 course 0 speed 0 route 59 dir 0
         22/6 at 200 m S course 0 speed 0 route 59 dir 0 doing signed_off
         22/7 at 800 m S course 0 speed 0 route 59 dir 0"
    ));
    let card = card_of(CardSubject::Alert(&medical), &view, &[&medical], &[]);
    let behind = card.neighbours.behind.known().unwrap().as_ref().unwrap();
    assert_eq!(behind.vehicle.key.to_string(), "22/7");
    let near: Vec<String> = card.nearest.iter().map(|n| n.vehicle.key.to_string()).collect();
    assert_eq!(near, ["22/7"]);
    let view = samples::view(&format!("{subject}\n22/5 at 100 m S age 2000"));
    let card = card_of(CardSubject::Alert(&medical), &view, &[&medical], &[]);
    assert_eq!(card.nearest.len(), 1, "a stale one where there is no other");
}

#[test]
fn an_incident_that_has_not_begun_or_is_over_endangers_nobody_and_proposes_nothing() {
    let view = samples::view(STREET);
    let fire = samples::incident("7", "fire", Some(heart()), 300);
    let planned = Incident { starts_at: Some(NOW.plus_millis(60_000)), ..fire.clone() };
    let closed = Incident { phase: alert::IncidentPhase::Closed, ..fire.clone() };
    for incident in [planned, closed] {
        let card = card_of(CardSubject::Incident(&incident), &view, &[], &[]);
        assert_eq!((card.dangerous, proposed(&card)), (false, Vec::new()));
        assert!(card.area.known().is_some());
    }
    assert!(card_of(CardSubject::Incident(&fire), &view, &[], &[]).dangerous);
}
