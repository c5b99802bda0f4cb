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
            near 22/6 60 m at 90°, approaching None
            near 22/7 90 m at 270°, approaching None
            near 22/4 400 m at 180°, approaching Some(true)
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
            SendNearest [22/4]: 22/4 is nearest: 400 m through the air, coming nearer, position 1 s old [distance_m 400, position_age_s 1]
              가장 가까운 차량 22/4: 직선거리 400m, 접근 중, 위치 1초 전
            HoldFollower [22/4]: 22/4 follows on the same route, 400 m behind, position 1 s old [gap_m 400, position_age_s 1]
              같은 노선 후속 차량 22/4: 400m 뒤, 위치 1초 전
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
            near 22/6 60 m at 90°, approaching None
            near 22/7 90 m at 270°, approaching None
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
