//! What an area and a card cost at 1,000, 9,000 and 100,000 vehicles: milliseconds, median and 99th of a hundred.
//!
//! `cargo bench -p impact`. Beside the figures stands the bare loop that only measures the great-circle distance of
//! every vehicle to one place, so that machines can be compared by ratio. The index is made once a snapshot and shared.
#![expect(clippy::print_stdout, reason = "a benchmark's only output is its table")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::{hint::black_box, time::Instant};

use impact::{
    Area, AreaName, Card, CardOptions, CardSubject, Desk, Index, Intervals, Places, Reach, ReachOptions, Runbooks,
    Scene,
};
use picture::{TrailPoint, VehicleRecord, View};
use transit::{Coordinate, FeedId, JourneyState, Mode, RouteId, UtcMillis, VehicleKey};

const NOW: UtcMillis = UtcMillis(1_795_420_800_000);
const RUNS: usize = 100;

fn main() {
    println!("vehicles      loop     index    circle   polygon      card   card+trails  (ms, median / p99)");
    for vehicles in [1_000, 9_000, 100_000] {
        measure(vehicles);
    }
}

/// Golden-ratio scatter over Seoul's 30 km by 30 km, a third of it within 8 km.
fn place(n: usize) -> Coordinate {
    let (u, v) = ((n as f64 * 0.618_033_98).fract(), (n as f64 * 0.754_877_66).fract());
    let spread = if n.is_multiple_of(3) { 0.07 } else { 0.27 };
    Coordinate::parse(37.5665 + (u - 0.5) * spread, 126.978 + (v - 0.5) * spread * 1.26).expect("on the globe")
}

fn fleet(vehicles: usize) -> View {
    let feed = FeedId::parse("native").expect("a plain word");
    let record = |n: usize| {
        let key = VehicleKey::parse(&format!("seoul/7{n:05}")).expect("a number");
        let mut record = VehicleRecord {
            mode: Mode::Bus,
            event_time: NOW.plus_millis(-((n % 4) as i64) * 500),
            received_at: NOW,
            position_event_time: Some(NOW.plus_millis(-((n % 4) as i64) * 500)),
            coordinate: Some(place(n)),
            bearing: Some((n * 37 % 360) as f32),
            speed_mps: Some((n % 15) as f32),
            accuracy_m: Some(5.0),
            ..VehicleRecord::unknown(key, feed.clone())
        };
        record.journey.route_id = RouteId::parse(&format!("R{}", n % 370)).ok();
        record.journey.state = Some(JourneyState::InService);
        record
    };
    (0..vehicles).map(record).collect()
}

/// A trail of an hour, as the picture keeps it.
fn trail(key: &VehicleKey) -> Vec<TrailPoint> {
    let n = key.vehicle.as_str().len();
    let point = |at: i64| TrailPoint { at: NOW.plus_millis(-at * 15_000), coordinate: place(n + at as usize) };
    (0..240).rev().map(point).collect()
}

fn timed(mut work: impl FnMut(usize)) -> String {
    let mut ms: Vec<f64> = (0..RUNS)
        .map(|run| {
            let begun = Instant::now();
            work(run);
            begun.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    ms.sort_by(f64::total_cmp);
    format!("{:.2}/{:.2}", ms[RUNS / 2], ms[RUNS * 99 / 100])
}

fn measure(vehicles: usize) {
    let view = fleet(vehicles);
    let index = Index::of(&view);
    let intervals = Intervals::default();
    let still = Scene { index: &index, intervals: &intervals, as_of: NOW, depots: &[], trail: None };
    let options = ReachOptions::default();
    let bare = timed(|run| {
        let here = place(run * 7);
        let sum: f64 = view.vehicles.values().filter_map(|r| Some(here.distance(r.coordinate?).0)).sum();
        black_box(sum);
    });
    let made = timed(|_| {
        black_box(Index::of(&view));
    });
    let circle = timed(|run| {
        let area = Area::around(AreaName::query(), place(run * 7), 300.0).expect("a sound radius");
        black_box(Reach::of(&area, &still, &options));
    });
    // A district of 60 corners.
    let corners: Vec<String> = (0..=60)
        .map(|n| {
            let turn = f64::from(n % 60) / 60.0 * std::f64::consts::TAU;
            format!("[{},{}]", 126.978 + turn.cos() * 0.02, 37.5665 + turn.sin() * 0.016)
        })
        .collect();
    let district = format!(r#"{{"type":"Polygon","coordinates":[[{}]]}}"#, corners.join(","));
    let polygon = timed(|_| {
        let area = Area::of_geojson(AreaName::query(), &district, None).expect("a sound polygon");
        black_box(Reach::of(&area, &still, &options));
    });
    let places = Places::parse(include_str!("../../../config/places.geojson")).expect("the example is sound");
    let runbooks = Runbooks::shipped();
    let keys: Vec<&VehicleKey> = view.vehicles.keys().collect();
    let desk = |scene| Desk { view: &view, scene, alerts: &[], areas: &[], places: &places, runbooks: &runbooks };
    let card = |scene| {
        timed(|run| {
            let key = keys[run * 7 % keys.len()];
            black_box(Card::of(CardSubject::Vehicle(key), &desk(scene), &CardOptions::default()));
        })
    };
    let (plain, trailed) = (card(still), card(Scene { trail: Some(&trail), ..still }));
    println!("{vehicles:>8}  {bare:>8}  {made:>8}  {circle:>8}  {polygon:>8}  {plain:>8}  {trailed:>12}");
}
