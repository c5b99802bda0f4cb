//! What a fold, a publication and a vehicle cost: nanoseconds and bytes at 1,000, 10,000 and 100,000 vehicles.
//!
//! `cargo bench -p picture`. Beside the figures stands what the same loop costs that only puts the observation's key
//! and stamp into a bare `DashMap`, so that machines can be compared by ratio.
#![expect(clippy::print_stdout, reason = "a benchmark's only output is its table")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and its own memory")]

use std::{fs, hint::black_box, time::Instant};

use dashmap::DashMap;
use picture::{Picture, PictureOptions, Publication, Tally};
use transit::{
    AgencyId, FeedId, Fix, Journey, JourneyState, Mode, Now, Observation, Occupancy, RouteId, ServiceDate, ServiceTime,
    Significance, StopId, StopReference, StopStatus, StopStatusReport, TripId, UtcMillis, VehicleId, VehicleKey,
};

const START_MS: i64 = 1_795_420_800_000;
/// The design load: 18,000 messages a second are 9,000 vehicles at 1 Hz over two mirrored brokers.
const MESSAGES_PER_SECOND: usize = 18_000;
/// Publications a second.
const PUBLICATIONS: usize = 10;

fn main() {
    println!("vehicles  fold ns  copy ns  bare map ns  publish us  us/record  core at 18,000/s  bytes/vehicle");
    // In rising order: memory is what the process grew by, and it never gives back.
    for vehicles in [1_000, 10_000, 100_000] {
        measure(vehicles);
    }
}

fn now(ms: i64) -> Now {
    Now { utc: UtcMillis(START_MS + ms), mono_ms: ms as u64 }
}

/// A full native position report, every id an allocation of its own, as a decoder makes them.
fn report(n: usize, at_ms: i64, feed: &FeedId) -> Observation {
    let id = |prefix: &str, number: usize| format!("{prefix}{number:05}");
    let minute = at_ms / 60_000;
    let stop = StopId::parse(&id("1", (n * 7 + minute as usize) % 12_000)).ok();
    let status = StopStatusReport { stop_id: stop.clone(), status: StopStatus::InTransitTo };
    let lat = 37.4 + (n % 300) as f64 * 1e-3 + at_ms as f64 * 1e-8;
    Observation {
        vehicle: VehicleKey {
            agency: AgencyId::parse("seoul").expect("a plain word"),
            vehicle: VehicleId::parse(&id("7", n)).expect("a number"),
        },
        feed: feed.clone(),
        event_time: UtcMillis(START_MS + at_ms - 300),
        boot: Some(1),
        seq: Some(at_ms as u64),
        significance: Significance::Plain,
        content: (n as u64) << 32 ^ (at_ms as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15),
        mode: Some(Mode::Bus),
        position: Some(Fix { bearing: Some(90.0), speed_mps: Some(8.0), ..Fix::at(lat, 127.0) }),
        doors_open: Some(false),
        stop: Some(StopReference { stop_id: stop, current_stop_sequence: Some(12) }),
        stop_status: Some(status),
        delay_s: Some(35),
        occupancy: Some(Occupancy { status: None, percentage: Some(40) }),
        journey: Some(Journey {
            state: Some(JourneyState::InService),
            route_id: RouteId::parse(&id("R", n % 370)).ok(),
            direction_id: Some(0),
            trip_id: TripId::parse(&id("trip-", n)).ok(),
            service_date: ServiceDate::parse("2026-11-23").ok(),
            start_time: Some(ServiceTime(8 * 3600)),
            ..Journey::default()
        }),
        upcoming: None,
        retained: false,
    }
}

/// Resident bytes of this process: 0 where the kernel does not tell.
fn resident_bytes() -> usize {
    let pages = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split_whitespace().nth(1).and_then(|p| p.parse::<usize>().ok()).unwrap_or(0) * 4096
}

fn measure(vehicles: usize) {
    let feed = FeedId::parse("native").expect("a plain word");
    let before = resident_bytes();
    let picture = Picture::new(PictureOptions::default());
    let mut publisher = picture.publisher(now(0));
    let mut tally = Tally::new();
    let mut last: Option<Publication> = None;
    let mut revision = 0;
    // An hour, so that every trail is full.
    for round in 0..244_i64 {
        let at_ms = round * 15_000;
        // Published a tenth at a time: what changes between two publications is held twice while it is made.
        for slice in 0..10 {
            for n in vehicles * slice / 10..vehicles * (slice + 1) / 10 {
                picture.fold(&report(n, at_ms, &feed), now(at_ms), &mut tally);
            }
            revision += 1;
            last = Some(publisher.publish(&picture, [tally.take()], &[], now(at_ms), revision));
        }
    }
    let full = last.map(|publication| publication.view.vehicles.len());
    assert_eq!(full, Some(vehicles), "every vehicle is shown");
    let bytes = resident_bytes().saturating_sub(before) / vehicles;

    let bare: DashMap<VehicleKey, i64> = DashMap::new();
    let (mut fold_ns, mut copy_ns, mut bare_ns, mut publish_ns, mut folds, mut shown) = (0, 0, 0, 0, 0, 0);
    let slice = MESSAGES_PER_SECOND / PUBLICATIONS / 2;
    let mut next = 0;
    let mut at_ms = 244 * 15_000;
    for _ in 0..60 {
        at_ms += 100;
        // Half of the messages are the other broker's copies.
        let messages: Vec<Observation> =
            (next..next + slice).map(|n| report(n * 7919 % vehicles, at_ms, &feed)).collect();
        next += slice;
        folds += messages.len();
        let mut fold_all = || {
            timed(|| {
                for o in &messages {
                    black_box(picture.fold(o, now(at_ms), &mut tally));
                }
            })
        };
        fold_ns += fold_all();
        copy_ns += fold_all();
        bare_ns += timed(|| {
            for o in &messages {
                black_box(bare.insert(o.vehicle.clone(), o.event_time.0));
            }
        });
        revision += 1;
        let mut made = None;
        publish_ns += timed(|| made = Some(publisher.publish(&picture, [tally.take()], &[], now(at_ms), revision)));
        shown += made.as_ref().map_or(0, |p| p.upserts.len());
    }
    let each = |ns: u128| ns as f64 / folds as f64;
    let seconds = 60.0 / PUBLICATIONS as f64;
    println!(
        "{vehicles:>8}  {:>7.0}  {:>7.0}  {:>11.0}  {:>10.0}  {:>9.2}  {:>14.1} %  {bytes:>13}",
        each(fold_ns),
        each(copy_ns),
        each(bare_ns),
        publish_ns as f64 / 60.0 / 1e3,
        publish_ns as f64 / shown as f64 / 1e3,
        (fold_ns + copy_ns + publish_ns) as f64 / 1e9 / seconds * 100.0,
    );
}

fn timed(mut work: impl FnMut()) -> u128 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_nanos()
}
