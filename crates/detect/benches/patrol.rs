//! What a look costs: all rules over 9,000 and 100,000 vehicles, all well and with a quarter of them silent. Beside it
//! the bare reference of the same run: walking the same view and adding up its freshness.

#![expect(clippy::print_stdout, reason = "a benchmark's only output is its table")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::{collections::BTreeMap, hint::black_box, sync::Arc, time::Instant};

use detect::{Patrol, Rulebook, Scene};
use picture::{FeedCondition, FeedRecord, Freshness, Link, VehicleRecord, View};
use transit::{AgencyId, Coordinate, FeedId, JourneyState, Mode, Now, UtcMillis, VehicleId, VehicleKey};

const START: UtcMillis = UtcMillis(1_795_420_800_000);
const LOOKS: u64 = 50;

fn main() {
    for vehicles in [9_000, 100_000] {
        for silent_percent in [0, 25] {
            measure(vehicles, silent_percent);
        }
    }
}

fn measure(vehicles: usize, silent_percent: usize) {
    let feed = FeedId::parse("f").expect("an id");
    let feeds = BTreeMap::from([(feed.clone(), Arc::new(record(&feed, vehicles)))]);
    let links = [Link { feed: feed.clone(), up: true, since: now(0) }];
    let mut patrol = Patrol::new(Rulebook::default(), []);
    let (mut spent, mut bare, mut worst) = (0.0, 0.0, 0.0_f64);
    let mut listed = 0;
    for look in 0..LOOKS {
        let second = 3_600 + look;
        let view: View = (0..vehicles).map(|n| vehicle(n, &feed, second, n % 100 < silent_percent)).collect();
        let scene = Scene {
            now: now(second),
            started: now(0),
            as_of: now(second),
            view: &view,
            feeds: &feeds,
            links: &links,
            emergency: None,
            incidents: &[],
            areas: &[],
            accounted: &[],
            open: None,
            depots: &[],
            trail: None,
        };
        let begun = Instant::now();
        black_box(view.vehicles.values().map(|v| v.freshness as usize).sum::<usize>());
        bare += begun.elapsed().as_secs_f64();
        let begun = Instant::now();
        let round = black_box(patrol.step(&scene));
        let took = begun.elapsed().as_secs_f64();
        spent += took;
        worst = worst.max(took);
        listed = round.exceptions.len();
    }
    let ms = |seconds: f64| seconds * 1e3 / LOOKS as f64;
    println!(
        "{vehicles} vehicles, {silent_percent} % silent: {:.2} ms a look (worst {:.2}), bare walk {:.2} ms, {listed} exceptions",
        ms(spent),
        worst * 1e3,
        ms(bare),
    );
}

fn now(second: u64) -> Now {
    Now { utc: START.plus_millis(second as i64 * 1000), mono_ms: second * 1000 }
}

fn vehicle(n: usize, feed: &FeedId, second: u64, silent: bool) -> VehicleRecord {
    let agency = AgencyId::parse("22").expect("an id");
    let id = VehicleId::parse(&format!("{n:05}")).expect("an id");
    let heard = if silent { second - 200 - (n as u64 % 600) } else { second };
    let mut record = VehicleRecord::unknown(VehicleKey { agency, vehicle: id }, feed.clone());
    record.mode = Mode::Bus;
    (record.event_time, record.received_at) = (now(heard).utc, now(heard).utc);
    record.freshness = if silent { Freshness::Stale } else { Freshness::Live };
    record.coordinate = Coordinate::parse(37.5 + n as f64 * 1e-5, 127.0).ok();
    record.position_event_time = Some(record.event_time);
    record.speed_mps = Some(9.0);
    record.journey.state = Some(JourneyState::InService);
    record
}

fn record(feed: &FeedId, vehicles: usize) -> FeedRecord {
    FeedRecord {
        id: feed.clone(),
        condition: FeedCondition::Good,
        condition_since: START,
        vehicles,
        by_freshness: [vehicles, 0, 0, 0],
        rate_per_s: vehicles as f64,
        interval_s: Some(1.0),
        interval_s_by_mode: std::collections::BTreeMap::new(),
        interval_configured: false,
        lag_ms_min: Some(0),
        lag_ms_typical: Some(0),
        skewed_vehicles: 0,
        received: 0,
        duplicates: 0,
        out_of_order: 0,
        rejected: 0,
        warned: 0,
        retained: 0,
        last_message_at: Some(now(3_650).utc),
        last_advance_at: Some(now(3_650).utc),
        stamps_move: true,
        revision: 0,
    }
}
