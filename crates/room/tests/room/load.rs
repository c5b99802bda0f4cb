//! The load on operators, counted from what sounded and was taken.

use room::{Desk, DeskLoad, RoomOptions};

use crate::script::{Stage, at, input, now};

fn stage_with(desks: Vec<Desk>) -> Stage {
    Stage::new(RoomOptions { desks, ..RoomOptions::default() })
}

fn play(stage: &mut Stage, script: &[(i64, &str)]) {
    for (second, line) in script {
        stage.step(&input(line), now(*second));
    }
}

fn all(stage: &Stage, second: i64) -> DeskLoad {
    stage.room.load(at(second)).remove(0)
}

#[test]
fn what_sounds_is_counted_and_what_is_silent_is_only_raised() {
    let mut stage = stage_with(Vec::new());
    play(
        &mut stage,
        &[
            (0, "+0 find FEED.SILENT feed:native P1 class=system"),
            (1, "+0 find VEH.SILENT 22/1 P3 parent=FEED.SILENT/feed:native"),
            (2, "+0 press 22/2 e1@2"),
            (3, "+0 press 22/3 e1@3 test"),
            (32, "+0 ack 3 by kim"),
        ],
    );
    assert_eq!(all(&stage, 50).unacknowledged, [1, 0, 0, 0]);
    play(&mut stage, &[(100, "+0 ack 1 by kim")]);
    let load = all(&stage, 120);
    assert_eq!((load.desk.as_str(), load.last_10_min, load.last_day, load.raised_day), ("all", 2, 2, 3));
    assert_eq!((load.raised_10_min, load.raised_hour, load.raised_peak_minute), (3, 3, 3));
    assert_eq!((load.standing, load.unacknowledged), ([2, 0, 0, 0], [0; 4]), "the one behind its parent is not listed");
    assert_eq!(load.by_priority, [2, 0, 0, 0]);
    assert_eq!((load.ack_p50_ms, load.ack_p95_ms), (Some(30_000), Some(100_000)));
    assert_eq!(load.top_rules, [("EMG.PANIC".to_owned(), 1), ("FEED.SILENT".to_owned(), 1)]);
    assert_eq!((load.peak_minute, load.flood), (2, false));
    assert_eq!(all(&stage, 700).last_10_min, 0);
    assert_eq!(all(&stage, 90_000).last_day, 0);
    assert_eq!(all(&stage, 90_000).stale, 3, "the silent one too");
}

#[test]
fn a_flood_begins_with_ten_in_ten_minutes_and_ends_below_five() {
    let mut stage = stage_with(Vec::new());
    for n in 0..12 {
        play(&mut stage, &[(n * 10, &format!("+0 press 22/{n} e1@{n}"))]);
    }
    assert!(!all(&stage, 80).flood);
    assert!(all(&stage, 120).flood);
    // The fifth from the end sounded at 70.
    assert!(all(&stage, 669).flood);
    let after = all(&stage, 670);
    assert!(!after.flood);
    assert!((after.flood_share - 580.0 / 86_400.0).abs() < 1e-9, "from the tenth at 90 on: {}", after.flood_share);
    assert_eq!((after.periods_over_10, after.peak_hour), (1, 12));
}

#[test]
fn each_desk_counts_what_is_its_business() {
    let north = Desk { name: "north".to_owned(), agencies: vec!["22".to_owned()], rules: Vec::new() };
    let system = Desk { name: "system".to_owned(), agencies: Vec::new(), rules: vec!["FEED.".to_owned()] };
    let mut stage = stage_with(vec![north, system]);
    play(
        &mut stage,
        &[
            (0, "+0 press 22/1 e1@0"),
            (1, "+0 press 18/1 e1@1"),
            (2, "+0 find FEED.SILENT feed:native P2 class=system"),
            (3, "+0 shelve 3 by kim until=900 comment=known"),
        ],
    );
    let counts: Vec<_> = stage.room.load(at(9)).into_iter().map(|d| (d.desk, d.last_hour, d.shelved)).collect();
    let expected = [("all", 3, 1), ("north", 1, 0), ("system", 1, 1)];
    assert_eq!(counts, expected.map(|(desk, sounded, shelved)| (desk.to_owned(), sounded, shelved)));
    let restarted = stage.restarted_at(2).load(at(9));
    assert_eq!(restarted, stage.room.load(at(9)), "and counts the same after a restart");
}
