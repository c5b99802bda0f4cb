//! Bounds hold whatever arrives.

use std::collections::BTreeSet;

use picture::{PictureOptions, QualityFlag, Tally};
use transit::Observation;

use crate::stage::{Stage, instant, message, position, vehicle};

#[test]
fn a_million_invented_ids_leave_the_fleet_untouched_and_memory_bounded() {
    let registered: BTreeSet<_> = (0..50).map(|n| vehicle(&format!("bus-{n}"))).collect();
    let mut stage = Stage::new(PictureOptions {
        registered: Some(registered),
        unknown_cap: 100,
        lru_cap: 1_000,
        ..PictureOptions::default()
    });
    for n in 0..50 {
        stage.say(&position(&format!("bus-{n}"), 0.0, 60.0, 25.0));
    }
    for n in 0..1_000_000_u64 {
        let invented = Observation { content: n, ..message(&format!("{:x}", n.wrapping_mul(0x9e37_79b9)), 0.0) };
        stage.say(&invented);
        if n % 100_000 == 0 {
            stage.publish();
        }
        if n % 250_000 == 249_999 {
            let (kept, beyond) = stage.picture.held();
            assert_eq!(kept, 150, "50 of the fleet and the first 100 others");
            assert!(beyond <= 1_000, "{beyond}");
        }
    }
    stage.publish();
    let (_, beyond) = stage.picture.held();
    assert_eq!(stage.last.view.vehicles.len(), 150 + beyond);
    assert_eq!(stage.last.view.counts.overflow, beyond);
    assert_eq!(stage.last.totals.evicted, 1_000_000 - 100 - beyond as u64);
    assert_eq!((stage.last.totals.unknown, stage.last.totals.unknown_cap), (100, 100));
    let flagged = stage.last.view.vehicles.values().filter(|r| r.quality.contains(QualityFlag::Overflow)).count();
    assert_eq!(flagged, beyond);
    for n in 0..50 {
        assert!(!stage.shown(&format!("bus-{n}")).quality.contains(QualityFlag::Overflow));
    }
}

#[test]
fn a_waiting_vehicle_gets_a_place_when_one_is_free_and_keeps_what_it_said() {
    let mut stage = Stage::new(PictureOptions { unknown_cap: 1, lru_cap: 8, ..PictureOptions::default() });
    stage.say(&message("first", 0.0));
    stage.at(3600.0).say(&Observation { delay_s: Some(60), ..message("second", 3600.0) });
    assert!(stage.shown("second").quality.contains(QualityFlag::Overflow));
    // The first one's day is over.
    assert!(stage.at(86_400.0).publish().removed.contains(&vehicle("first")));
    stage.say(&message("second", 86_400.0));
    let shown = stage.shown("second");
    assert!(!shown.quality.contains(QualityFlag::Overflow));
    assert_eq!(shown.delay_s, Some(60));
    assert_eq!((stage.picture.held(), stage.last.view.counts.overflow), ((1, 0), 0));
    assert_eq!(stage.last.view.counts.vehicles, 1);
}

#[test]
fn a_tally_is_bounded_by_vehicles_not_by_messages() {
    let stage = Stage::new(PictureOptions::default());
    let mut tally = Tally::new();
    for n in 0..10_000 {
        let second = f64::from(n) / 100.0;
        stage.picture.fold(&message(["1", "2", "3"][n as usize % 3], second), instant(second), &mut tally);
    }
    let mut publisher = stage.picture.publisher(instant(0.0));
    let publication = publisher.publish(&stage.picture, [tally.take()], &[], instant(100.0), 1);
    assert_eq!(publication.upserts.len(), 3);
    assert!(tally.is_empty());
}

#[test]
fn counts_stay_those_of_the_view_through_a_wild_day() {
    let mut stage = Stage::new(PictureOptions { unknown_cap: 40, lru_cap: 16, ..PictureOptions::default() });
    let mut dice = 12_345_u64;
    let mut roll = |sides: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    for step in 0..3_000_u32 {
        let second = f64::from(step) * 60.0;
        stage.at(second);
        for _ in 0..roll(4) {
            // Another fleet takes over, so that the first one is forgotten.
            let id = format!("{}-{}", step / 1_000, roll(80));
            let skew_s = [0.0, -20.0, 4_000.0, -1_000.0][roll(4) as usize];
            let journey = transit::Journey {
                state: [None, Some(transit::JourneyState::InService)][roll(2) as usize],
                ..transit::Journey::default()
            };
            let o = Observation {
                journey: Some(journey),
                feed: crate::stage::feed(["f", "g"][roll(2) as usize]),
                retained: roll(10) == 0,
                content: roll(u64::MAX),
                ..position(&id, second + skew_s, 60.0 + roll(100) as f64 * 1e-3, 25.0)
            };
            stage.say(&o);
        }
        stage.publish();
        let view = &stage.last.view;
        let recounted: picture::View = view.vehicles.values().map(|r| (**r).clone()).collect();
        assert_eq!(view.counts, recounted.counts, "step {step}");
        let by_feed: usize = stage.last.feeds.values().map(|f| f.vehicles).sum();
        assert!(by_feed <= 56 && stage.picture.held().0 <= 40, "step {step}");
    }
    assert!(stage.last.totals.forgotten > 0 && stage.last.totals.evicted > 0);
}
