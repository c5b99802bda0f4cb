//! What operators live through, one story a rule.

use expect_test::{Expect, expect};
use room::RoomOptions;

use crate::script::{play, play_with};

fn check(script: &str, timeline: &Expect) {
    timeline.assert_eq(&play(script));
}

#[test]
fn a_panic_button_is_pressed_taken_and_closed() {
    check(
        "+0 press 22/800 e1@0
         +5 ack 1 by kim seen=1
         +600 close 1 by kim resolved",
        &expect![[r#"
            +0 press 22/800 e1@0 => raised 20261123-1: P1 active, nobody's, count 1
            +5 ack 1 by kim seen=1 => done 20261123-1: P1 active, kim's, count 1
            +600 close 1 by kim resolved => done 20261123-1: P1 closed, kim's, count 1, resolved
        "#]],
    );
}

#[test]
fn an_end_that_comes_before_its_press_is_known_when_the_press_comes() {
    check(
        "+0 end 22/800 e1@0 fire
         +1 end 22/800 e1@0 fire
         +2 press 22/800 e1@-5 fire
         +3 press 22/800 e2@3 fire
         +10 end 22/801 e7@10 breakdown
         +11 press 22/801 e7@9 breakdown
         +20 end 22/802 e4@20 other
         +21 press 22/802 e4@19 fire
         +22 press 22/802 e5@18 panic
         +30 end 22/803 @30 fire
         +31 end 22/803 @31 fire
         +32 press 22/803 @30 fire
         +40 end 22/804 e1@40 fire
         +3642 press 22/804 e1@39 fire",
        &expect![[r#"
            +0 end 22/800 e1@0 fire => end came first
            +1 end 22/800 e1@0 fire => nothing open
            +2 press 22/800 e1@-5 fire => raised 20261123-1: P1 active, nobody's, source normal, count 1
            +3 press 22/800 e2@3 fire => repeated 20261123-1: P1 active, nobody's, count 2
            +10 end 22/801 e7@10 breakdown => end came first
            +11 press 22/801 e7@9 breakdown => raised 20261123-2: P3 cleared, nobody's, source normal, count 1
            +20 end 22/802 e4@20 other => end came first
            +21 press 22/802 e4@19 fire => raised 20261123-3: P1 active, nobody's, source normal, count 1
            +22 press 22/802 e5@18 panic => raised 20261123-4: P1 active, nobody's, count 1
            +30 end 22/803 @30 fire => end came first
            +31 end 22/803 @31 fire => nothing open
            +32 press 22/803 @30 fire => raised 20261123-5: P1 active, nobody's, source normal, count 1
            +40 end 22/804 e1@40 fire => end came first
            +3642 press 22/804 e1@39 fire => raised 20261123-6: P1 active, nobody's, count 1, late
        "#]],
    );
}

#[test]
fn a_duplicate_is_the_same_id_and_the_same_time_even_after_closing() {
    check(
        "+0 press 22/800 e1@0
         +1 press 22/800 e1@0
         +2 press 22/800 e1@0 dup
         +3 press 22/801 e1@0
         +4 close 1 by kim resolved
         +5 press 22/800 e1@0 dup
         +6 press 22/800 e1@6",
        &expect![[r#"
            +0 press 22/800 e1@0 => raised 20261123-1: P1 active, nobody's, count 1
            +1 press 22/800 e1@0 => duplicate 20261123-1: P1 active, nobody's, count 1
            +2 press 22/800 e1@0 dup => duplicate 20261123-1: P1 active, nobody's, count 1
            +3 press 22/801 e1@0 => raised 20261123-2: P1 active, nobody's, count 1
            +4 close 1 by kim resolved => done 20261123-1: P1 closed, kim's, count 1, resolved
            +5 press 22/800 e1@0 dup => duplicate 20261123-1: P1 closed, kim's, count 1, resolved
            +6 press 22/800 e1@6 => raised 20261123-3: P1 active, nobody's, count 1
        "#]],
    );
}

#[test]
fn without_id_or_plausible_time_only_the_dup_flag_of_an_open_alert_makes_a_duplicate() {
    check(
        "+0 press 22/800 -
         +1 press 22/800 - dup
         +2 press 22/800 -
         +3 press 22/800 e1
         +4 press 22/800 e1 dup
         +5 press 22/800 e2@90000
         +6 press 22/800 e2@90000
         +7 press 22/800 e2@90000 dup
         +8 close 1 by kim resolved
         +9 press 22/800 - dup",
        &expect![[r#"
            +0 press 22/800 - => raised 20261123-1: P1 active, nobody's, count 1
            +1 press 22/800 - dup => duplicate 20261123-1: P1 active, nobody's, count 1
            +2 press 22/800 - => repeated 20261123-1: P1 active, nobody's, count 2
            +3 press 22/800 e1 => repeated 20261123-1: P1 active, nobody's, count 3
            +4 press 22/800 e1 dup => duplicate 20261123-1: P1 active, nobody's, count 3
            +5 press 22/800 e2@90000 => repeated 20261123-1: P1 active, nobody's, count 4, implausible_time
            +6 press 22/800 e2@90000 => repeated 20261123-1: P1 active, nobody's, count 5, implausible_time
            +7 press 22/800 e2@90000 dup => duplicate 20261123-1: P1 active, nobody's, count 5, implausible_time
            +8 close 1 by kim resolved => done 20261123-1: P1 closed, kim's, count 5, implausible_time, resolved
            +9 press 22/800 - dup => raised 20261123-2: P1 active, nobody's, count 1
        "#]],
    );
}

#[test]
fn a_retained_alarm_is_raised_once_and_marked() {
    check(
        "+0 press 22/800 - retained
         +10 press 22/800 - retained
         +20 close 1 by kim false_alarm
         +30 press 22/800 - retained
         +604801 press 22/800 - retained",
        &expect![[r#"
            +0 press 22/800 - retained => raised 20261123-1: P1 active, nobody's, count 1, retained
            +10 press 22/800 - retained => duplicate 20261123-1: P1 active, nobody's, count 1, retained
            +20 close 1 by kim false_alarm => done 20261123-1: P1 closed, kim's, count 1, retained, false_alarm
            +30 press 22/800 - retained => duplicate 20261123-1: P1 closed, kim's, count 1, retained, false_alarm
            +604801 press 22/800 - retained => raised 20261130-2: P1 active, nobody's, count 1, retained
        "#]],
    );
}

#[test]
fn a_taken_emergency_sounds_again_ten_seconds_after_and_then_once_a_minute() {
    check(
        "+0 press 22/800 e1@0
         +5 ack 1 by kim seen=1
         +15 press 22/800 e2@15
         +16 press 22/800 e3@16
         +17 press 22/800 e4@17
         +20 ack 1 by lee seen=4
         +40 press 22/800 e5@40
         +75 press 22/800 e6@75
         +76 press 22/800 e7@76",
        &expect![[r#"
            +0 press 22/800 e1@0 => raised 20261123-1: P1 active, nobody's, count 1
            +5 ack 1 by kim seen=1 => done 20261123-1: P1 active, kim's, count 1
            +15 press 22/800 e2@15 => repeated 20261123-1: P1 active, kim's, count 2
            +16 press 22/800 e3@16 => re-alarmed 20261123-1: P1 active, nobody's, was kim's, sounded 2, count 3
            +17 press 22/800 e4@17 => repeated 20261123-1: P1 active, nobody's, was kim's, sounded 2, count 4
            +20 ack 1 by lee seen=4 => done 20261123-1: P1 active, lee's, sounded 2, count 4
            +40 press 22/800 e5@40 => repeated 20261123-1: P1 active, lee's, sounded 2, count 5
            +75 press 22/800 e6@75 => repeated 20261123-1: P1 active, lee's, sounded 2, count 6
            +76 press 22/800 e7@76 => re-alarmed 20261123-1: P1 active, nobody's, was lee's, sounded 3, count 7
        "#]],
    );
}

#[test]
fn what_is_no_emergency_does_not_sound_again() {
    check(
        "+0 press 22/800 e1@0 breakdown
         +5 ack 1 by kim
         +100 press 22/800 e2@100 breakdown",
        &expect![[r#"
            +0 press 22/800 e1@0 breakdown => raised 20261123-1: P3 active, nobody's, count 1
            +5 ack 1 by kim => done 20261123-1: P3 active, kim's, count 1
            +100 press 22/800 e2@100 breakdown => repeated 20261123-1: P3 active, kim's, count 2
        "#]],
    );
}

#[test]
fn a_more_urgent_press_raises_the_priority_and_sounds_at_once() {
    check(
        "+0 press 22/800 e1@0 passenger
         +5 ack 1 by kim
         +6 press 22/800 e2@6
         +10 press 22/801 e1@10 breakdown
         +11 ack 2 by kim
         +12 press 22/801 e2@12 breakdown passengers=12",
        &expect![[r#"
            +0 press 22/800 e1@0 passenger => raised 20261123-1: P2 active, nobody's, count 1
            +5 ack 1 by kim => done 20261123-1: P2 active, kim's, count 1
            +6 press 22/800 e2@6 => re-alarmed 20261123-1: P1 active, nobody's, was kim's, sounded 2, count 2
            +10 press 22/801 e1@10 breakdown => raised 20261123-2: P3 active, nobody's, count 1
            +11 ack 2 by kim => done 20261123-2: P3 active, kim's, count 1
            +12 press 22/801 e2@12 breakdown passengers=12 => re-alarmed 20261123-2: P2 active, nobody's, was kim's, sounded 2, count 2
        "#]],
    );
}

#[test]
fn one_winner_takes_an_alert_and_what_they_had_not_read_is_refused() {
    check(
        "+0 press 22/800 e1@0
         +1 ack 1 by kim seen=1
         +1 ack 1 by kim seen=1
         +1 ack 1 by lee seen=1
         +20 press 22/800 e2@20
         +21 ack 1 by kim seen=1
         +22 ack 1 by kim seen=2
         +30 close 1 by kim resolved
         +31 ack 1 by lee
         +32 ack 9 by lee",
        &expect![[r#"
            +0 press 22/800 e1@0 => raised 20261123-1: P1 active, nobody's, count 1
            +1 ack 1 by kim seen=1 => done 20261123-1: P1 active, kim's, count 1
            +1 ack 1 by kim seen=1 => done 20261123-1: P1 active, kim's, count 1
            +1 ack 1 by lee seen=1 => refused: alert 20261123-1 was already taken by kim
            +20 press 22/800 e2@20 => re-alarmed 20261123-1: P1 active, nobody's, was kim's, sounded 2, count 2
            +21 ack 1 by kim seen=1 => refused: alert 20261123-1 has re-alarmed since you read it
            +22 ack 1 by kim seen=2 => done 20261123-1: P1 active, kim's, sounded 2, count 2
            +30 close 1 by kim resolved => done 20261123-1: P1 closed, kim's, sounded 2, count 2, resolved
            +31 ack 1 by lee => refused: alert 20261123-1 is closed
            +32 ack 9 by lee => refused: there is no alert 20261123-9
        "#]],
    );
}

#[test]
fn a_late_copy_of_an_order_never_silences_a_re_alarm_but_a_new_order_may() {
    check(
        "+0 press 22/800 e1@0
         +1 ack 1 by kim key=abc
         +2 ack 1 by kim key=abc
         +3 close 1 by kim resolved key=abc
         +20 press 22/800 e2@20
         +21 ack 1 by kim key=abc
         +22 ack 1 by kim
         +90 press 22/800 e3@90
         +91 ack 1 by kim
         +92 close 1 by kim resolved
         +93 ack 1 by kim key=abc
         +94 close 1 by kim resolved
         +95 close 1 by kim resolved key=xyz
         +96 close 1 by lee resolved",
        &expect![[r#"
            +0 press 22/800 e1@0 => raised 20261123-1: P1 active, nobody's, count 1
            +1 ack 1 by kim key=abc => done 20261123-1: P1 active, kim's, count 1
            +2 ack 1 by kim key=abc => done 20261123-1: P1 active, kim's, count 1
            +3 close 1 by kim resolved key=abc => refused: this Idempotency-Key was used for another order
            +20 press 22/800 e2@20 => re-alarmed 20261123-1: P1 active, nobody's, was kim's, sounded 2, count 2
            +21 ack 1 by kim key=abc => refused: alert 20261123-1 has re-alarmed since you read it
            +22 ack 1 by kim => done 20261123-1: P1 active, kim's, sounded 2, count 2
            +90 press 22/800 e3@90 => re-alarmed 20261123-1: P1 active, nobody's, was kim's, sounded 3, count 3
            +91 ack 1 by kim => done 20261123-1: P1 active, kim's, sounded 3, count 3
            +92 close 1 by kim resolved => done 20261123-1: P1 closed, kim's, sounded 3, count 3, resolved
            +93 ack 1 by kim key=abc => done 20261123-1: P1 closed, kim's, sounded 3, count 3, resolved
            +94 close 1 by kim resolved => done 20261123-1: P1 closed, kim's, sounded 3, count 3, resolved
            +95 close 1 by kim resolved key=xyz => done 20261123-1: P1 closed, kim's, sounded 3, count 3, resolved
            +96 close 1 by lee resolved => refused: alert 20261123-1 is closed
        "#]],
    );
}

#[test]
fn an_order_carried_out_is_no_longer_yours_once_somebody_else_took_over() {
    check(
        "+0 press 22/800 e1@0
         +1 ack 1 by kim key=abc
         +20 press 22/800 e2@20
         +21 ack 1 by lee
         +22 ack 1 by kim key=abc
         +23 close 1 by lee resolved
         +24 ack 1 by kim key=abc",
        &expect![[r#"
            +0 press 22/800 e1@0 => raised 20261123-1: P1 active, nobody's, count 1
            +1 ack 1 by kim key=abc => done 20261123-1: P1 active, kim's, count 1
            +20 press 22/800 e2@20 => re-alarmed 20261123-1: P1 active, nobody's, was kim's, sounded 2, count 2
            +21 ack 1 by lee => done 20261123-1: P1 active, lee's, sounded 2, count 2
            +22 ack 1 by kim key=abc => refused: alert 20261123-1 was already taken by lee
            +23 close 1 by lee resolved => done 20261123-1: P1 closed, lee's, sounded 2, count 2, resolved
            +24 ack 1 by kim key=abc => refused: alert 20261123-1 is closed
        "#]],
    );
}

#[test]
fn the_source_going_normal_leaves_an_emergency_active() {
    check(
        "+0 end 22/800 e0@0
         +10 press 22/800 e1@10
         +20 end 22/800 e1@20
         +21 end 22/800 e1@20
         +22 end 22/800 e1@21
         +30 press 22/800 e2@30
         +31 end 22/800 e1@20 dup
         +32 end 22/800 e9@25
         +40 end 22/800 e2@40 other",
        &expect![[r#"
            +0 end 22/800 e0@0 => end came first
            +10 press 22/800 e1@10 => raised 20261123-1: P1 active, nobody's, count 1
            +20 end 22/800 e1@20 => source normal 20261123-1: P1 active, nobody's, source normal, count 1
            +21 end 22/800 e1@20 => duplicate 20261123-1: P1 active, nobody's, source normal, count 1
            +22 end 22/800 e1@21 => source normal 20261123-1: P1 active, nobody's, source normal, count 1
            +30 press 22/800 e2@30 => repeated 20261123-1: P1 active, nobody's, count 2
            +31 end 22/800 e1@20 dup => duplicate 20261123-1: P1 active, nobody's, count 2
            +32 end 22/800 e9@25 => nothing open
            +40 end 22/800 e2@40 other => source normal 20261123-1: P1 active, nobody's, source normal, count 2
        "#]],
    );
}

#[test]
fn a_breakdown_clears_by_its_source_and_ends_once_taken_in_either_order() {
    check(
        "+0 press 22/800 e1@0 breakdown
         +10 end 22/800 e1@10 breakdown
         +20 ack 1 by kim
         +30 press 22/801 e1@30 breakdown
         +40 ack 2 by kim
         +50 end 22/801 e1@50 breakdown
         +60 press 22/802 e1@60 breakdown
         +61 end 22/802 e1@61 breakdown
         +62 press 22/802 e2@62 breakdown",
        &expect![[r#"
            +0 press 22/800 e1@0 breakdown => raised 20261123-1: P3 active, nobody's, count 1
            +10 end 22/800 e1@10 breakdown => source normal 20261123-1: P3 cleared, nobody's, source normal, count 1
            +20 ack 1 by kim => done 20261123-1: P3 closed, kim's, source normal, count 1, resolved
            +30 press 22/801 e1@30 breakdown => raised 20261123-2: P3 active, nobody's, count 1
            +40 ack 2 by kim => done 20261123-2: P3 active, kim's, count 1
            +50 end 22/801 e1@50 breakdown => source normal 20261123-2: P3 closed, kim's, source normal, count 1, resolved
            +60 press 22/802 e1@60 breakdown => raised 20261123-3: P3 active, nobody's, count 1
            +61 end 22/802 e1@61 breakdown => source normal 20261123-3: P3 cleared, nobody's, source normal, count 1
            +62 press 22/802 e2@62 breakdown => repeated 20261123-3: P3 active, nobody's, count 2
        "#]],
    );
}

#[test]
fn a_device_that_chatters_is_held_until_it_is_quiet_and_an_emergency_never() {
    check(
        "+0 press 22/1 e1@0 breakdown
         +1 end 22/1 e1@1 breakdown
         +2 press 22/1 e2@2 breakdown
         +3 end 22/1 e2@3 breakdown
         +4 press 22/1 e3@4 breakdown
         +5 end 22/1 e3@5 breakdown
         +6 press 22/1 e4@6 breakdown
         +7 ack 1 by kim
         +8 end 22/1 e4@8 breakdown
         +9 press 22/1 e5@9 breakdown passengers=9
         +10 end 22/1 e5@10 breakdown
         +608 tick
         +609 tick
         +610 press 22/1 e6@610 breakdown
         +611 end 22/1 e6@611 breakdown
         +700 press 22/1 e7@700 breakdown
         +800 press 22/2 e1@800
         +801 end 22/2 e1@801
         +802 press 22/2 e2@802
         +803 end 22/2 e2@803
         +804 reset 3 by kim
         +805 press 22/2 e3@805
         +806 end 22/2 e3@806
         +807 reset 3 by kim
         +808 press 22/2 e4@808",
        &expect![[r#"
            +0 press 22/1 e1@0 breakdown => raised 20261123-1: P3 active, nobody's, count 1
            +1 end 22/1 e1@1 breakdown => source normal 20261123-1: P3 cleared, nobody's, source normal, count 1
            +2 press 22/1 e2@2 breakdown => repeated 20261123-1: P3 active, nobody's, count 2
            +3 end 22/1 e2@3 breakdown => source normal 20261123-1: P3 cleared, nobody's, source normal, count 2
            +4 press 22/1 e3@4 breakdown => repeated 20261123-1: P3 active, nobody's, count 3
            +5 end 22/1 e3@5 breakdown => source normal 20261123-1: P3 cleared, nobody's, source normal, count 3
            +6 press 22/1 e4@6 breakdown => repeated 20261123-1: P3 active, nobody's, held, count 4
            +7 ack 1 by kim => done 20261123-1: P3 active, kim's, held, count 4
            +8 end 22/1 e4@8 breakdown => source normal 20261123-1: P3 cleared, kim's, source normal, held, count 4
            +9 press 22/1 e5@9 breakdown passengers=9 => repeated 20261123-1: P2 active, kim's, held, count 5
            +10 end 22/1 e5@10 breakdown => source normal 20261123-1: P2 cleared, kim's, source normal, held, count 5
            +608 tick => nothing due
            +609 tick => 1 hold_released; 1 closed resolved
            +610 press 22/1 e6@610 breakdown => raised 20261123-2: P3 active, nobody's, count 1
            +611 end 22/1 e6@611 breakdown => source normal 20261123-2: P3 cleared, nobody's, source normal, count 1
            +700 press 22/1 e7@700 breakdown => repeated 20261123-2: P3 active, nobody's, sounded 2, count 2
            +800 press 22/2 e1@800 => raised 20261123-3: P1 active, nobody's, count 1
            +801 end 22/2 e1@801 => source normal 20261123-3: P1 active, nobody's, source normal, count 1
            +802 press 22/2 e2@802 => repeated 20261123-3: P1 active, nobody's, count 2
            +803 end 22/2 e2@803 => source normal 20261123-3: P1 active, nobody's, source normal, count 2
            +804 reset 3 by kim => done 20261123-3: P1 cleared, nobody's, source normal, count 2
            +805 press 22/2 e3@805 => repeated 20261123-3: P1 active, nobody's, sounded 2, count 3
            +806 end 22/2 e3@806 => source normal 20261123-3: P1 active, nobody's, source normal, sounded 2, count 3
            +807 reset 3 by kim => done 20261123-3: P1 cleared, nobody's, source normal, sounded 2, count 3
            +808 press 22/2 e4@808 => repeated 20261123-3: P1 active, nobody's, sounded 3, count 4
        "#]],
    );
}

#[test]
fn a_test_never_swallows_a_real_press() {
    check(
        "+0 press 22/800 e1@0 test
         +1 press 22/800 e2@1
         +2 press 22/800 e3@2 test
         +3 end 22/800 e2@3 test
         +4 close 1 by kim test",
        &expect![[r#"
            +0 press 22/800 e1@0 test => raised 20261123-1: P1 active, nobody's, count 1
            +1 press 22/800 e2@1 => raised 20261123-2: P1 active, nobody's, count 1
            +2 press 22/800 e3@2 test => repeated 20261123-1: P1 active, nobody's, count 2
            +3 end 22/800 e2@3 test => source normal 20261123-1: P1 active, nobody's, source normal, count 2
            +4 close 1 by kim test => done 20261123-1: P1 closed, kim's, source normal, count 2, test
        "#]],
    );
}

#[test]
fn a_person_closes_what_nobody_took_and_takes_it_by_that() {
    check(
        "+0 press 22/800 e1@0
         +1 close 1 by kim expired
         +2 close 1 by kim false_alarm",
        &expect![[r#"
            +0 press 22/800 e1@0 => raised 20261123-1: P1 active, nobody's, count 1
            +1 close 1 by kim expired => refused: expired is not a reason a person can close with
            +2 close 1 by kim false_alarm => done 20261123-1: P1 closed, kim's, count 1, false_alarm
        "#]],
    );
}

#[test]
fn doubts_are_marked_and_change_nothing_else() {
    check(
        "+1000 press 22/1 e@600 fix=0,0
         +1000 press 22/2 e@1061
         +1000 press 22/3 e@-900000000
         +1000 press 22/4 e@1000 fix=NaN,3
         +1000 press 22/5 e@1000 fix=190,3
         +1000 press 22/6 e@1000 fix=60.1,24.9
         +1000 press ?bad_level -",
        &expect![[r#"
            +1000 press 22/1 e@600 fix=0,0 => raised 20261123-1: P1 active, nobody's, count 1, late null_island
            +1000 press 22/2 e@1061 => raised 20261123-2: P1 active, nobody's, count 1, clock_ahead
            +1000 press 22/3 e@-900000000 => raised 20261123-3: P1 active, nobody's, count 1, implausible_time
            +1000 press 22/4 e@1000 fix=NaN,3 => raised 20261123-4: P1 active, nobody's, count 1, not_finite
            +1000 press 22/5 e@1000 fix=190,3 => raised 20261123-5: P1 active, nobody's, count 1, out_of_range
            +1000 press 22/6 e@1000 fix=60.1,24.9 => raised 20261123-6: P1 active, nobody's, count 1
            +1000 press ?bad_level - => raised 20261123-7: P1 active, nobody's, count 1, unparsed
        "#]],
    );
}

#[test]
fn the_date_of_an_id_is_the_citys_and_numbers_go_on() {
    let options = RoomOptions { timezone: jiff::tz::TimeZone::get("Asia/Seoul").unwrap(), ..RoomOptions::default() };
    let script = "+0 press 22/800 e1@0
                  +25199 press 22/801 e1@25199
                  +25200 press 22/802 e1@25200";
    expect![[r#"
        +0 press 22/800 e1@0 => raised 20261123-1: P1 active, nobody's, count 1
        +25199 press 22/801 e1@25199 => raised 20261123-2: P1 active, nobody's, count 1
        +25200 press 22/802 e1@25200 => raised 20261124-3: P1 active, nobody's, count 1
    "#]]
    .assert_eq(&play_with(options, script));
}
