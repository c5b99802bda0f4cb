//! Who speaks for a burst: the first of it, as long as it stands, is nobody's and is put aside by nothing.

use expect_test::{Expect, expect};
use room::RoomOptions;

use crate::script::{Stage, input, now, play};

/// Five blocked lines within a minute: the first speaks for the others.
const BURST: &str = "+0 find LINK.BLOCKED line:1 P3
     +1 find LINK.BLOCKED line:2 P3
     +2 find LINK.BLOCKED line:3 P3
     +3 find LINK.BLOCKED line:4 P3
     +4 find LINK.BLOCKED line:5 P3";

fn check(script: &str, timeline: &Expect) {
    let told = play(&format!("{BURST}\n{script}"));
    timeline.assert_eq(&told.lines().skip(5).map(|line| format!("{line}\n")).collect::<String>());
}

#[test]
fn what_is_put_aside_speaks_for_nobody() {
    check(
        "+10 shelve 1 by kim until=3600 comment=known
         +11 find LINK.BLOCKED line:2 P3 members=22/1
         +12 find LINK.BLOCKED line:6 P3
         +13 find LINK.BLOCKED line:3 P3 members=22/1",
        &expect![[r#"
            +10 shelve 1 by kim until=3600 comment=known => done 20261123-1: P3 active, nobody's, shelved, count 1
            +11 find LINK.BLOCKED line:2 P3 members=22/1 => repeated 20261123-2: P3 active, nobody's, sounded 2, count 2
            +12 find LINK.BLOCKED line:6 P3 => raised 20261123-6: P3 active, nobody's, collapsed, count 1
            +13 find LINK.BLOCKED line:3 P3 members=22/1 => repeated 20261123-3: P3 active, nobody's, collapsed, count 2
        "#]],
    );
}

#[test]
fn what_is_over_or_taken_speaks_for_nobody_who_comes_later() {
    check(
        "+10 normal LINK.BLOCKED line:1
         +11 find LINK.BLOCKED line:2 P3 members=22/1
         +12 find LINK.BLOCKED line:6 P3
         +13 ack 5 by kim
         +14 find LINK.BLOCKED line:7 P3
         +15 find LINK.BLOCKED line:8 P3",
        &expect![[r#"
            +10 normal LINK.BLOCKED line:1 => source normal 20261123-1: P3 cleared, nobody's, source normal, count 1
            +11 find LINK.BLOCKED line:2 P3 members=22/1 => repeated 20261123-2: P3 active, nobody's, collapsed, count 2
            +12 find LINK.BLOCKED line:6 P3 => raised 20261123-6: P3 active, nobody's, collapsed, count 1
            +13 ack 5 by kim => done 20261123-5: P3 active, kim's, count 1
            +14 find LINK.BLOCKED line:7 P3 => raised 20261123-7: P3 active, nobody's, count 1
            +15 find LINK.BLOCKED line:8 P3 => raised 20261123-8: P3 active, nobody's, collapsed, count 1
        "#]],
    );
}

#[test]
fn what_falls_silent_with_its_parent_speaks_for_nobody_else() {
    let told = play(
        "+0 find VEH.STALL 22/1 P3 parent=FEED.SILENT/feed:a
         +1 find VEH.STALL 22/2 P3
         +2 find VEH.STALL 22/3 P3
         +3 find VEH.STALL 22/4 P3
         +4 find VEH.STALL 22/5 P3
         +5 find FEED.SILENT feed:a P1
         +6 find VEH.STALL 22/1 P3 members=22/9
         +7 find VEH.STALL 22/2 P3 members=22/9
         +8 find VEH.STALL 22/3 P3 members=22/9",
    );
    expect![[r#"
        +0 find VEH.STALL 22/1 P3 parent=FEED.SILENT/feed:a => raised 20261123-1: P3 active, nobody's, count 1
        +1 find VEH.STALL 22/2 P3 => raised 20261123-2: P3 active, nobody's, count 1
        +2 find VEH.STALL 22/3 P3 => raised 20261123-3: P3 active, nobody's, count 1
        +3 find VEH.STALL 22/4 P3 => raised 20261123-4: P3 active, nobody's, count 1
        +4 find VEH.STALL 22/5 P3 => raised 20261123-5: P3 active, nobody's, collapsed, count 1
        +5 find FEED.SILENT feed:a P1 => raised 20261123-6: P1 active, nobody's, count 1
        +6 find VEH.STALL 22/1 P3 members=22/9 => repeated 20261123-1: P3 active, nobody's, by parent, count 2
        +7 find VEH.STALL 22/2 P3 members=22/9 => repeated 20261123-2: P3 active, nobody's, sounded 2, count 2
        +8 find VEH.STALL 22/3 P3 members=22/9 => repeated 20261123-3: P3 active, nobody's, collapsed, count 2
    "#]]
    .assert_eq(&told);
}

#[test]
fn a_burst_that_is_over_ends_without_a_word_for_each() {
    let mut stage = Stage::new(RoomOptions::default());
    for n in 0..1_000 {
        stage.step(&input(&format!("+0 find GEO.INSIDE 22/{n} P2 class=safety")), now(n / 20));
    }
    let records = stage.log.len();
    for n in 0..1_000 {
        stage.step(&input(&format!("+0 normal GEO.INSIDE 22/{n}")), now(100));
    }
    let (records, sounded) = (stage.log.len() - records, stage.room.alerts().map(|a| a.annunciations).sum::<u32>());
    assert!(records <= 3_000, "{records} records for 1000 ends");
    assert!(sounded <= 10, "{sounded} sounds");
}

#[test]
fn what_is_raised_as_chattering_is_to_be_taken_all_the_same_and_sounds_when_it_stays() {
    let told = play(
        "+0 find GEO.INSIDE 22/1 P2 class=safety
         +5 normal GEO.INSIDE 22/1
         +10 find GEO.INSIDE 22/1 P2 class=safety
         +15 normal GEO.INSIDE 22/1
         +20 find GEO.INSIDE 22/1 P2 class=safety
         +25 normal GEO.INSIDE 22/1
         +27 ack 1 by kim
         +30 find GEO.INSIDE 22/1 P2 class=safety
         +329 tick
         +330 tick
         +630 tick
         +631 ack 2 by kim",
    );
    expect![[r#"
        +0 find GEO.INSIDE 22/1 P2 class=safety => raised 20261123-1: P2 active, nobody's, count 1
        +5 normal GEO.INSIDE 22/1 => source normal 20261123-1: P2 cleared, nobody's, source normal, count 1
        +10 find GEO.INSIDE 22/1 P2 class=safety => repeated 20261123-1: P2 active, nobody's, count 2
        +15 normal GEO.INSIDE 22/1 => source normal 20261123-1: P2 cleared, nobody's, source normal, count 2
        +20 find GEO.INSIDE 22/1 P2 class=safety => repeated 20261123-1: P2 active, nobody's, count 3
        +25 normal GEO.INSIDE 22/1 => source normal 20261123-1: P2 cleared, nobody's, source normal, count 3
        +27 ack 1 by kim => done 20261123-1: P2 closed, kim's, source normal, count 3, resolved
        +30 find GEO.INSIDE 22/1 P2 class=safety => raised 20261123-2: P2 active, nobody's, held, count 1
        +329 tick => nothing due
        +330 tick => 2 escalated
        +630 tick => 2 escalated; 2 hold_released, sounds
        +631 ack 2 by kim => done 20261123-2: P2 active, kim's, count 1
    "#]]
    .assert_eq(&told);
}
