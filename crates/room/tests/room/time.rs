//! What time does by itself: shelves, escalation, reminders, expiry, and clocks that jump.

use expect_test::{Expect, expect};
use room::RoomOptions;

use crate::script::{Stage, now, parse, play, play_with};

fn check(script: &str, timeline: &Expect) {
    timeline.assert_eq(&play(script));
}

#[test]
fn nobody_takes_an_alert_and_it_escalates_step_by_step() {
    check(
        "+0 press 22/1 e1@0
         +0 find VEH.STALL 22/2 P2
         +0 find VEH.STALL 22/3 P3
         +0 find VEH.STALL 22/4 P4
         +59 tick
         +60 tick
         +61 tick
         +120 tick
         +150 ack 1 by kim
         +299 tick
         +300 tick
         +900 tick
         +9000 tick
         +9001 release 1 by kim
         +9061 tick",
        &expect![[r#"
            +0 press 22/1 e1@0 => raised 20261123-1: P1 active, nobody's, count 1
            +0 find VEH.STALL 22/2 P2 => raised 20261123-2: P2 active, nobody's, count 1
            +0 find VEH.STALL 22/3 P3 => raised 20261123-3: P3 active, nobody's, count 1
            +0 find VEH.STALL 22/4 P4 => raised 20261123-4: P4 active, nobody's, count 1
            +59 tick => nothing due
            +60 tick => 1 escalated
            +61 tick => nothing due
            +120 tick => 1 escalated
            +150 ack 1 by kim => done 20261123-1: P1 active, kim's, count 1
            +299 tick => nothing due
            +300 tick => 2 escalated
            +900 tick => 2 escalated; 3 escalated
            +9000 tick => 2 escalated; 3 escalated
            +9001 release 1 by kim => done 20261123-1: P1 active, nobody's, was kim's, count 1
            +9061 tick => 1 escalated
        "#]],
    );
}

#[test]
fn a_shelf_ends_by_its_time_however_the_clock_was_set() {
    check(
        "+0 find VEH.STALL 22/1 P3
         +0 find VEH.STALL 22/2 P3
         +1 shelve 1 by kim until=7200 comment=known
         +1 shelve 2 by kim until=14000 comment=known
         +4000 step 3600
         +4001 tick
         +7199 tick
         +7200 tick
         +5000 step -3600
         +10399 tick
         +10400 tick",
        &expect![[r#"
            +0 find VEH.STALL 22/1 P3 => raised 20261123-1: P3 active, nobody's, count 1
            +0 find VEH.STALL 22/2 P3 => raised 20261123-2: P3 active, nobody's, count 1
            +1 shelve 1 by kim until=7200 comment=known => done 20261123-1: P3 active, nobody's, shelved, count 1
            +1 shelve 2 by kim until=14000 comment=known => done 20261123-2: P3 active, nobody's, shelved, count 1
            +4000 step 3600 => ClockStepped
            +4001 tick => nothing due
            +7199 tick => nothing due
            +7200 tick => 1 shelf_ended, sounds
            +5000 step -3600 => ClockStepped
            +10399 tick => 1 escalated
            +10400 tick => 2 shelf_ended, sounds
        "#]],
    );
}

#[test]
fn escalation_follows_the_time_that_passed_and_not_a_clock_that_jumped() {
    check(
        "+0 press 22/1 e1@0
         +3630 step 3600
         +3631 tick
         +3659 tick
         +3660 tick
         +90 step -3600
         +119 tick
         +120 tick",
        &expect![[r#"
            +0 press 22/1 e1@0 => raised 20261123-1: P1 active, nobody's, count 1
            +3630 step 3600 => ClockStepped
            +3631 tick => nothing due
            +3659 tick => nothing due
            +3660 tick => 1 escalated
            +90 step -3600 => ClockStepped
            +119 tick => nothing due
            +120 tick => 1 escalated
        "#]],
    );
}

#[test]
fn what_expires_is_over_and_an_emergency_sounds_instead() {
    check(
        "+0 raise by kim stop:s1 breakdown expires=900
         +0 raise by kim stop:s1 fire expires=900
         +1 ack 2 by kim
         +900 tick
         +901 tick",
        &expect![[r#"
            +0 raise by kim stop:s1 breakdown expires=900 => raised 20261123-1: P3 active, nobody's, count 1
            +0 raise by kim stop:s1 fire expires=900 => raised 20261123-2: P1 active, nobody's, count 1
            +1 ack 2 by kim => done 20261123-2: P1 active, kim's, count 1
            +900 tick => 1 closed expired; 2 unattended, sounds
            +901 tick => nothing due
        "#]],
    );
}

#[test]
fn the_owner_of_a_critical_alert_is_asked_and_without_an_answer_it_is_nobodys() {
    let options = RoomOptions { reminder_ms: Some(1_800_000), ..RoomOptions::default() };
    expect![[r#"
        +0 press 22/1 e1@0 => raised 20261123-1: P1 active, nobody's, count 1
        +10 ack 1 by kim => done 20261123-1: P1 active, kim's, count 1
        +1809 tick => nothing due
        +1810 tick => 1 reminded
        +1820 ack 1 by kim => done 20261123-1: P1 active, kim's, count 1
        +3620 tick => 1 reminded
        +3630 comment 1 by kim comment=here => done 20261123-1: P1 active, kim's, count 1
        +5430 tick => 1 reminded
        +5729 tick => nothing due
        +5730 tick => 1 owner_dropped, sounds
    "#]]
    .assert_eq(&play_with(
        options,
        "+0 press 22/1 e1@0
         +10 ack 1 by kim
         +1809 tick
         +1810 tick
         +1820 ack 1 by kim
         +3620 tick
         +3630 comment 1 by kim comment=here
         +5430 tick
         +5729 tick
         +5730 tick",
    ));
}

#[test]
fn the_newest_record_says_how_late_it_was_whatever_a_clock_said_before() {
    let mut stage = Stage::new(RoomOptions::default());
    // An hour ahead, an alert is closed; then the clock is set right, and another is raised.
    for line in ["+3600 press 22/1 e1@0", "+3610 close 1 by kim resolved", "+20 step -3600", "+30 press 22/2 e2@0"] {
        let (at, input) = parse(line);
        stage.step(&input, now(at));
    }
    assert_eq!(stage.room.latest_at(), now(30).utc);
}
