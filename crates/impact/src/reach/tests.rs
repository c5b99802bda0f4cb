//! Scenes in, lists out; and the fast way against the slow one on random fleets.

use std::fmt::Write;

use expect_test::{Expect, expect};
use picture::{TrailPoint, View};
use proptest::prelude::*;
use transit::{FeedId, VehicleKey};

use super::*;
use crate::{
    AreaName,
    samples::{self, NOW, away, heart},
};

fn circle(radius_m: f64) -> Area {
    Area::around(AreaName::query(), heart(), radius_m).unwrap()
}

fn trail_of(points: &[(f64, &str, i64)]) -> Vec<TrailPoint> {
    let point = |(metres, quarter, ago): &(f64, &str, i64)| TrailPoint {
        at: NOW.plus_millis(-ago * 1000),
        coordinate: away(*metres, quarter),
    };
    points.iter().map(point).collect()
}

fn told(reach: &Reach) -> String {
    let mut out = String::new();
    let marks = |doubtful: bool, expected: bool| match (doubtful, expected) {
        (true, true) => " doubtful expected",
        (true, false) => " doubtful",
        (false, true) => " expected",
        (false, false) => "",
    };
    for w in &reach.inside {
        let sure = if w.certain { "inside" } else { "may be inside" };
        let parked = w.parked.as_ref().map_or(String::new(), |p| format!(" {p:?}"));
        writeln!(out, "{sure} {} age {} s{}{parked}", w.vehicle.key, w.position_age_s, marks(w.doubtful, false))
            .unwrap();
    }
    for e in &reach.entering {
        writeln!(
            out,
            "enters {} in {:.0} s, earliest {:.0} s, from {:.0} m, {:?} {:?} age {} s{}",
            e.vehicle.key,
            e.eta_s,
            e.earliest_s,
            e.distance_m,
            e.why,
            e.course_from,
            e.position_age_s,
            marks(e.doubtful, false)
        )
        .unwrap();
    }
    for u in &reach.unaccounted {
        let why = match u.why {
            SilentWhy::Inside => "inside".to_owned(),
            SilentWhy::HeadingIn { eta_s } => format!("heading in, {eta_s:.0} s"),
        };
        writeln!(
            out,
            "unaccounted {} last {why}, silent {} s over {} s{}",
            u.vehicle.key,
            u.position_age_s,
            u.limit_s,
            marks(u.doubtful, u.expected)
        )
        .unwrap();
    }
    for u in &reach.unplaced {
        let good = u.distance_m.map_or("nowhere good".to_owned(), |m| format!("last good {m:.0} m away"));
        writeln!(out, "unplaced {} age {} s, {good}", u.vehicle.key, u.age_s).unwrap();
    }
    let Unjudged { no_position, no_course, no_speed } = reach.unjudged;
    if no_position + no_course + no_speed > 0 {
        writeln!(out, "unjudged: {no_position} no position, {no_course} no course, {no_speed} no speed").unwrap();
    }
    out
}

fn survey(area: &Area, view: &View, depots: &[Area], trail: Option<TrailLookup<'_>>) -> Reach {
    let index = Index::of(view);
    let intervals: Intervals = [(FeedId::parse("slow").unwrap(), 120.0)].into_iter().collect();
    let scene = Scene { index: &index, intervals: &intervals, as_of: NOW, depots, trail };
    Reach::of(area, &scene, &ReachOptions::default())
}

/// A circle of 200 m around the heart.
fn check(scene: &str, expected: Expect) {
    expected.assert_eq(&told(&survey(&circle(200.0), &samples::view(scene), &[], None)));
}

#[test]
fn inside_by_position_and_inside_by_accuracy() {
    check(
        "22/1 at 0 m N age 5
         22/2 at 199 m E age 5
         22/3 at 240 m E age 5 accuracy 60
         22/4 at 240 m E age 5 accuracy 10 speed 0
         22/5 at 100 m W age 40 accuracy 9999 flag jump",
        expect![[r#"
            inside 22/1 age 5 s
            inside 22/2 age 5 s
            inside 22/5 age 40 s doubtful
            may be inside 22/3 age 5 s
        "#]],
    );
}

#[test]
fn a_vehicle_on_course_enters_and_its_old_position_is_carried_forward() {
    check(
        "22/1 at 1200 m N course 180 speed 10 age 0
         22/2 at 1200 m N course 180 speed 10 age 50
         22/3 at 400 m N course 180 speed 10 age 50
         22/4 at 1200 m N course 0 speed 10 age 0
         22/5 at 1200 m N course 90 speed 10 age 0
         22/6 at 5900 m N course 180 speed 10 age 0
         22/7 at 6900 m N course 180 speed 10 age 0
         22/8 at 1200 m N course 200 speed 10 age 0
         22/9 at 500 m N course 180 speed 0.2 age 0",
        expect![[r#"
            enters 22/3 in 0 s, earliest 0 s, from 200 m, OnCourse Reported age 50 s
            enters 22/2 in 50 s, earliest 30 s, from 1000 m, OnCourse Reported age 50 s
            enters 22/1 in 100 s, earliest 80 s, from 1000 m, OnCourse Reported age 0 s
            enters 22/8 in 121 s, earliest 97 s, from 1000 m, NearCourse Reported age 0 s
            enters 22/6 in 570 s, earliest 540 s, from 5700 m, OnCourse Reported age 0 s
        "#]],
    );
}

#[test]
fn a_dark_vehicle_is_listed_however_long_it_is_dark() {
    check(
        "22/1 at 50 m N age 61 doing in_service
         22/2 at 50 m N age 59 doing in_service
         22/3 at 50 m N age 300 feed slow route 59
         22/4 at 50 m N age 400 feed slow route 59
         22/5 at 50 m N age 80000
         22/6 at 900 m N course 180 speed 8 age 90 doing in_service
         22/7 at 900 m N course 0 speed 8 age 90 doing in_service
         22/8 at 900 m N course 180 speed 8 age 3700 doing in_service
         22/9 at 220 m N age 90 accuracy 30 flag retained",
        expect![[r#"
            inside 22/2 age 59 s
            inside 22/3 age 300 s
            unaccounted 22/4 last inside, silent 400 s over 360 s expected
            unaccounted 22/6 last heading in, 88 s, silent 90 s over 60 s expected
            unaccounted 22/1 last inside, silent 61 s over 60 s expected
            unaccounted 22/5 last inside, silent 80000 s over 60 s
            unaccounted 22/9 last inside, silent 90 s over 60 s doubtful
        "#]],
    );
}

#[test]
fn a_vehicle_that_speaks_but_no_longer_says_where_is_unaccounted_for() {
    check(
        "22/1 at 50 m N age 90 heard 2 doing in_service",
        expect![[r#"
        unaccounted 22/1 last inside, silent 90 s over 60 s expected
    "#]],
    );
}

#[test]
fn what_is_parked_is_inside_but_neither_missed_nor_coming() {
    let depot = Area::around(
        AreaName { id: "place:d".to_owned(), label: "East Depot".to_owned(), source: crate::AreaSource::Query },
        away(300.0, "N"),
        150.0,
    )
    .unwrap();
    let view = samples::view(
        "22/1 at 50 m N age 900 doing signed_off
         22/2 at 900 m N course 180 speed 8 doing signed_off
         22/3 at 170 m N age 900
         22/4 at 400 m N course 180 speed 8",
    );
    expect![[r#"
        inside 22/1 age 900 s SignedOff
        inside 22/3 age 900 s Depot("East Depot")
    "#]]
    .assert_eq(&told(&survey(&circle(200.0), &view, &[depot], None)));
}

#[test]
fn doubtful_positions_are_listed_and_never_dropped() {
    let view = samples::view(
        "22/1 at 9000 m N flag jump age 3
         22/2 at 10 m N flag null_island
         22/3 age 9 flag not_finite
         22/4 age 9
         22/5 at 45000 m N flag jump age 3",
    );
    expect![[r#"
        unplaced 22/1 age 3 s, nowhere good
        unplaced 22/2 age 1 s, nowhere good
        unplaced 22/3 age 9 s, nowhere good
        unplaced 22/5 age 3 s, nowhere good
        unjudged: 1 no position, 0 no course, 0 no speed
    "#]]
    .assert_eq(&told(&survey(&circle(200.0), &view, &[], None)));
    // With trails: one was near a minute ago, one was far, of the others nothing is known.
    let look = |key: &VehicleKey| match key.to_string().as_str() {
        "22/1" => trail_of(&[(700.0, "N", 60)]),
        "22/2" => trail_of(&[(25_000.0, "N", 60)]),
        _ => Vec::new(),
    };
    expect![[r#"
        unplaced 22/1 age 3 s, last good 500 m away
        unplaced 22/3 age 9 s, nowhere good
        unplaced 22/5 age 3 s, nowhere good
        unjudged: 1 no position, 0 no course, 0 no speed
    "#]]
    .assert_eq(&told(&survey(&circle(200.0), &view, &[], Some(&look))));
}

#[test]
fn exchanged_axes_are_read_the_other_way_round() {
    let (lat, lon) = (60.17, 24.94);
    let area = Area::around(AreaName::query(), Coordinate::parse(lat, lon).unwrap(), 200.0).unwrap();
    let view: View = [VehicleRecord {
        coordinate: Some(Coordinate::parse(lon, lat).unwrap()),
        ..samples::vehicle("22/1 flag swapped_axes")
    }]
    .into_iter()
    .collect();
    expect![[r#"
        inside 22/1 age 1 s doubtful
    "#]]
    .assert_eq(&told(&survey(&area, &view, &[], None)));
}

#[test]
fn the_trail_gives_a_course_to_those_who_say_none_and_to_those_who_turn() {
    let look = |key: &VehicleKey| match key.to_string().as_str() {
        // Says nothing of course and speed.
        "22/1" => trail_of(&[(1_500.0, "N", 60), (1_350.0, "N", 30)]),
        // Says west in a bend, came from the north.
        "22/2" => trail_of(&[(1_500.0, "N", 60), (1_350.0, "N", 30)]),
        // Stands at a stop since half a minute.
        "22/3" => trail_of(&[(1_400.0, "N", 60), (1_200.0, "N", 30)]),
        // Stands for good.
        "22/4" => trail_of(&[(1_200.0, "N", 170), (1_200.0, "N", 30)]),
        _ => Vec::new(),
    };
    let view = samples::view(
        "22/1 at 1200 m N age 0
         22/2 at 1200 m N age 0 course 270 speed 5
         22/3 at 1160 m N age 0 course 90 speed 0
         22/4 at 1200 m N age 0 speed 0
         22/5 at 1200 m N age 0",
    );
    expect![[r#"
        enters 22/1 in 200 s, earliest 160 s, from 1000 m, OnCourse Trail age 0 s
        enters 22/2 in 200 s, earliest 160 s, from 1000 m, OnCourse Trail age 0 s
        enters 22/3 in 240 s, earliest 192 s, from 960 m, Paused Trail age 0 s
        unjudged: 0 no position, 0 no course, 1 no speed
    "#]]
    .assert_eq(&told(&survey(&circle(200.0), &view, &[], Some(&look))));
    expect![[r#"
        unjudged: 0 no position, 0 no course, 2 no speed
    "#]]
    .assert_eq(&told(&survey(&circle(200.0), &view, &[], None)));
}

#[test]
fn horizons_hold_each_other() {
    let scene = "22/1 at 1200 m N course 180 speed 10\n22/2 at 2600 m N course 180 speed 10\n22/3 at 5000 m N course 180 speed 10";
    let reach = survey(&circle(200.0), &samples::view(scene), &[], None);
    assert_eq!(HORIZONS_S.map(|h| reach.entering_within(h).len()), [1, 2, 3]);
}

prop_compose! {
    fn any_vehicle()(
        number in 0_u32..10_000,
        x in -9_000.0_f64..9_000.0,
        y in -9_000.0_f64..9_000.0,
        course in proptest::option::of(0.0_f32..360.0),
        speed in proptest::option::of(0.0_f32..25.0),
        age in 0_i64..200,
        accuracy in proptest::option::of(0.0_f32..300.0),
    ) -> VehicleRecord {
        let coordinate = crate::flat::Flat::around(heart()).coordinate(geo::Coord { x, y });
        VehicleRecord {
            coordinate: Some(coordinate),
            bearing: course,
            speed_mps: speed,
            accuracy_m: accuracy,
            ..samples::vehicle(&format!("22/{number} age {age}"))
        }
    }
}

fn any_area() -> impl Strategy<Value = Area> {
    let name = AreaName::query;
    prop_oneof![
        (20.0_f64..4_000.0).prop_map(circle),
        (20.0_f64..300.0, 0.001_f64..0.05).prop_map(move |(w, d)| {
            let text = format!(
                r#"{{"type":"LineString","coordinates":[[126.978,37.5665],[{},{}],[{},37.5665]]}}"#,
                126.978 + d,
                37.5665 + d,
                126.978 + 2.0 * d
            );
            Area::of_geojson(name(), &text, Some(w)).unwrap()
        }),
        (0.001_f64..0.04).prop_map(move |d| {
            let (w, s, e, n) = (126.978 - d, 37.5665 - d / 2.0, 126.978 + d, 37.5665 + d);
            let text = format!(r#"{{"type":"Polygon","coordinates":[[[{w},{s}],[{e},{s}],[{e},{n}],[{w},{s}]]]}}"#);
            Area::of_geojson(name(), &text, None).unwrap()
        }),
    ]
}

/// Walks the course metre by metre: where the line itself is first inside.
fn walked(area: &Area, from: Coordinate, course_deg: f64, reach_m: f64) -> Option<f64> {
    let (sin, cos) = course_deg.to_radians().sin_cos();
    let flat = crate::flat::Flat::around(from);
    let mut along_m = 0.0;
    while along_m <= reach_m {
        if area.distance_m(flat.coordinate(geo::Coord { x: sin * along_m, y: cos * along_m })) <= 0.0 {
            return Some(along_m);
        }
        along_m += 2.0;
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_index_and_brute_force_agree(area in any_area(), fleet in proptest::collection::vec(any_vehicle(), 1..60)) {
        let view: View = fleet.into_iter().collect();
        let reach = survey(&area, &view, &[], None);
        for record in view.vehicles.values() {
            let c = record.coordinate.unwrap();
            let accuracy_m = record.accuracy_m.map_or(15.0, |a| f64::from(a).min(200.0));
            let touches = area.distance_m(c) <= accuracy_m;
            let age_s = record.age_ms(NOW) as f64 / 1000.0;
            let inside = reach.inside.iter().any(|w| w.vehicle.key == record.key);
            let unaccounted = reach.unaccounted.iter().find(|u| u.vehicle.key == record.key);
            let entering = reach.entering.iter().find(|e| e.vehicle.key == record.key);
            prop_assert_eq!(inside, touches && age_s <= 60.0, "inside {:?}", &record.key);
            prop_assert_eq!(unaccounted.is_some_and(|u| u.why == SilentWhy::Inside), touches && age_s > 60.0);
            prop_assert!(usize::from(inside) + usize::from(unaccounted.is_some()) + usize::from(entering.is_some()) <= 1);
            let (Some(course), Some(speed)) = (record.bearing, record.speed_mps.map(f64::from)) else { continue };
            if touches || speed < 0.8 || age_s > 60.0 { continue; }
            // Whoever's line leads in within 10 minutes is listed, and in time; the list may hold more (bends).
            if let Some(along_m) = walked(&area, c, f64::from(course), speed * (595.0 + age_s)) {
                let eta_s = (along_m / speed - age_s).max(0.0);
                prop_assert!(entering.is_some(), "missing {:?}, {along_m} m, {eta_s} s", &record.key);
                let listed = entering.unwrap();
                prop_assert!(listed.eta_s <= eta_s + 15.0 / speed, "{} late for {eta_s}", listed.eta_s);
                prop_assert!(listed.earliest_s <= listed.eta_s);
            }
        }
    }

    #[test]
    fn the_nearest_are_the_nearest(fleet in proptest::collection::vec(any_vehicle(), 1..80), most in 1_usize..6) {
        let view: View = fleet.into_iter().collect();
        let found: Vec<VehicleKey> =
            Index::of(&view).nearest(heart(), most, |_| true).iter().map(|n| n.vehicle.key.clone()).collect();
        let mut all: Vec<(f64, VehicleKey)> = view
            .vehicles
            .values()
            .map(|r| (heart().distance(r.coordinate.unwrap()).0, r.key.clone()))
            .collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        let expected: Vec<VehicleKey> = all.into_iter().take(most).map(|(_, key)| key).collect();
        prop_assert_eq!(found, expected);
    }
}
