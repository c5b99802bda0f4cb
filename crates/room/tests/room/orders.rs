//! What operators order beside taking and closing: each is one order however often it comes, and is refused in words.

use expect_test::{Expect, expect};

use crate::script::play;

fn check(script: &str, timeline: &Expect) {
    timeline.assert_eq(&play(script));
}

#[test]
fn an_alert_is_handed_over_by_its_owner_or_a_supervisor_and_released() {
    check(
        "+0 press 22/800 e1@0
         +1 handover 1 by kim to=lee
         +2 ack 1 by kim
         +3 handover 1 by lee to=lee
         +4 handover 1 by kim to=lee
         +5 handover 1 by kim to=lee
         +6 release 1 by kim
         +7 handover 1 by boss to=kim supervisor
         +8 handover 1 by kim to=lee
         +9 release 1 by lee
         +10 release 1 by lee
         +11 ack 1 by kim",
        &expect![[r#"
            +0 press 22/800 e1@0 => raised 20261123-1: P1 active, nobody's, count 1
            +1 handover 1 by kim to=lee => refused: nobody has taken alert 20261123-1
            +2 ack 1 by kim => done 20261123-1: P1 active, kim's, count 1
            +3 handover 1 by lee to=lee => refused: alert 20261123-1 is kim's; only they or a supervisor may do this
            +4 handover 1 by kim to=lee => done 20261123-1: P1 active, lee's, count 1
            +5 handover 1 by kim to=lee => done 20261123-1: P1 active, lee's, count 1
            +6 release 1 by kim => refused: alert 20261123-1 is lee's; only they or a supervisor may do this
            +7 handover 1 by boss to=kim supervisor => done 20261123-1: P1 active, kim's, count 1
            +8 handover 1 by kim to=lee => done 20261123-1: P1 active, lee's, count 1
            +9 release 1 by lee => done 20261123-1: P1 active, nobody's, was lee's, count 1
            +10 release 1 by lee => done 20261123-1: P1 active, nobody's, was lee's, count 1
            +11 ack 1 by kim => done 20261123-1: P1 active, kim's, count 1
        "#]],
    );
}

#[test]
fn comments_and_marks_are_history_and_come_once_each() {
    check(
        "+0 press 22/800 e1@0
         +1 comment 1 by kim
         +2 comment 1 by kim comment=called
         +3 comment 1 by kim comment=called
         +4 comment 1 by kim comment=again
         +5 mark 1 by kim police_notified party=west ref=77 at=4
         +6 mark 1 by kim police_notified party=west ref=77 at=4
         +7 mark 1 by kim on_scene
         +8 close 1 by kim resolved
         +9 comment 1 by kim comment=afterwards
         +10 mark 1 by kim area_clear",
        &expect![[r#"
            +0 press 22/800 e1@0 => raised 20261123-1: P1 active, nobody's, count 1
            +1 comment 1 by kim => refused: comment is missing
            +2 comment 1 by kim comment=called => done 20261123-1: P1 active, nobody's, count 1
            +3 comment 1 by kim comment=called => done 20261123-1: P1 active, nobody's, count 1
            +4 comment 1 by kim comment=again => done 20261123-1: P1 active, nobody's, count 1
            +5 mark 1 by kim police_notified party=west ref=77 at=4 => done 20261123-1: P1 active, nobody's, count 1
            +6 mark 1 by kim police_notified party=west ref=77 at=4 => done 20261123-1: P1 active, nobody's, count 1
            +7 mark 1 by kim on_scene => done 20261123-1: P1 active, nobody's, count 1
            +8 close 1 by kim resolved => done 20261123-1: P1 closed, kim's, count 1, resolved
            +9 comment 1 by kim comment=afterwards => done 20261123-1: P1 closed, kim's, count 1, resolved
            +10 mark 1 by kim area_clear => refused: alert 20261123-1 is closed
        "#]],
    );
}

#[test]
fn shelves_have_limits_and_never_hold_an_emergency_or_what_is_critical() {
    check(
        "+0 press 22/800 e1@0 passenger
         +1 shelve 1 by kim until=600 comment=known
         +2 find FEED.SILENT feed:native P1 class=system
         +3 shelve 2 by kim until=600 comment=known
         +4 find VEH.STALL 22/1 P3
         +5 shelve 3 by kim until=28806 comment=known
         +6 shelve 3 by kim until=28806 comment=known
         +7 shelve 3 by kim until=28806 comment=known
         +8 shelve 3 by kim until=8 comment=known
         +9 unshelve 3 by kim
         +10 unshelve 3 by kim
         +11 unshelve 3 by lee
         +12 find VEH.STALL 22/2 P2
         +13 shelve 4 by kim until=7214 comment=known
         +14 shelve 4 by kim until=7200 one_shot comment=known
         +15 find VEH.STALL 22/2 P2
         +16 normal VEH.STALL 22/2",
        &expect![[r#"
            +0 press 22/800 e1@0 passenger => raised 20261123-1: P2 active, nobody's, count 1
            +1 shelve 1 by kim until=600 comment=known => refused: alert 20261123-1 is an emergency and is never shelved
            +2 find FEED.SILENT feed:native P1 class=system => raised 20261123-2: P1 active, nobody's, count 1
            +3 shelve 2 by kim until=600 comment=known => refused: alert 20261123-2 is critical; only a supervisor shelves it
            +4 find VEH.STALL 22/1 P3 => raised 20261123-3: P3 active, nobody's, count 1
            +5 shelve 3 by kim until=28806 comment=known => refused: the end must lie ahead, by at most 28800000 ms
            +6 shelve 3 by kim until=28806 comment=known => done 20261123-3: P3 active, nobody's, shelved, count 1
            +7 shelve 3 by kim until=28806 comment=known => done 20261123-3: P3 active, nobody's, shelved, count 1
            +8 shelve 3 by kim until=8 comment=known => refused: the end must lie ahead, by at most 28800000 ms
            +9 unshelve 3 by kim => done 20261123-3: P3 active, nobody's, count 1
            +10 unshelve 3 by kim => done 20261123-3: P3 active, nobody's, count 1
            +11 unshelve 3 by lee => refused: alert 20261123-3 is not shelved
            +12 find VEH.STALL 22/2 P2 => raised 20261123-4: P2 active, nobody's, count 1
            +13 shelve 4 by kim until=7214 comment=known => refused: the end must lie ahead, by at most 7200000 ms
            +14 shelve 4 by kim until=7200 one_shot comment=known => done 20261123-4: P2 active, nobody's, shelved, count 1
            +15 find VEH.STALL 22/2 P2 => repeated 20261123-4: P2 active, nobody's, shelved, count 1
            +16 normal VEH.STALL 22/2 => source normal 20261123-4: P2 cleared, nobody's, source normal, count 1
        "#]],
    );
}

#[test]
fn an_operator_raises_an_alert_and_a_second_call_folds_into_it() {
    check(
        "+0 raise by kim stop:s1 fire text=smoke
         +1 raise by kim stop:s1 fire text=smoke
         +2 raise by lee stop:s1 fire text=flames
         +3 raise by lee line:144 breakdown P2 key=a
         +4 raise by lee line:144 breakdown P2 key=a
         +5 raise by lee line:145 breakdown P2 key=a
         +6 press 22/800 e1@6
         +7 raise by kim vehicle:22/800 panic covert
         +8 ack 1 by kim
         +9 close 1 by kim resolved
         +10 raise by kim stop:s1 fire text=smoke",
        &expect![[r#"
            +0 raise by kim stop:s1 fire text=smoke => raised 20261123-1: P1 active, nobody's, count 1
            +1 raise by kim stop:s1 fire text=smoke => done 20261123-1: P1 active, nobody's, count 1
            +2 raise by lee stop:s1 fire text=flames => repeated 20261123-1: P1 active, nobody's, count 2
            +3 raise by lee line:144 breakdown P2 key=a => raised 20261123-2: P2 active, nobody's, count 1
            +4 raise by lee line:144 breakdown P2 key=a => done 20261123-2: P2 active, nobody's, count 1
            +5 raise by lee line:145 breakdown P2 key=a => refused: this Idempotency-Key was used for another order
            +6 press 22/800 e1@6 => raised 20261123-3: P1 active, nobody's, count 1
            +7 raise by kim vehicle:22/800 panic covert => repeated 20261123-3: P1 active, nobody's, count 2
            +8 ack 1 by kim => done 20261123-1: P1 active, kim's, count 2
            +9 close 1 by kim resolved => done 20261123-1: P1 closed, kim's, count 2, resolved
            +10 raise by kim stop:s1 fire text=smoke => raised 20261123-4: P1 active, nobody's, count 1
        "#]],
    );
}

#[test]
fn a_suppression_silences_what_it_covers_until_it_ends() {
    check(
        "+0 find VEH.STALL 22/1 P3
         +1 suppress VEH.* by kim until=3600
         +2 suppress VEH.* by kim until=3600
         +3 find VEH.STALL 22/2 P3
         +4 find LINK.BLOCKED line:1 P3
         +5 press 22/3 e1@5
         +6 suppress VEH.* by kim until=1
         +7 unsuppress 2 by kim
         +8 unsuppress 1 by kim
         +9 unsuppress 1 by kim
         +10 unsuppress 1 by lee
         +11 suppress EMG.* by kim until=3600
         +3611 tick",
        &expect![[r#"
            +0 find VEH.STALL 22/1 P3 => raised 20261123-1: P3 active, nobody's, count 1
            +1 suppress VEH.* by kim until=3600 => done suppression 1
            +2 suppress VEH.* by kim until=3600 => done suppression 1
            +3 find VEH.STALL 22/2 P3 => raised 20261123-2: P3 active, nobody's, out of service, count 1
            +4 find LINK.BLOCKED line:1 P3 => raised 20261123-3: P3 active, nobody's, count 1
            +5 press 22/3 e1@5 => raised 20261123-4: P1 active, nobody's, count 1
            +6 suppress VEH.* by kim until=1 => refused: the end must lie ahead, by at most 2678400000 ms
            +7 unsuppress 2 by kim => refused: there is no suppression 2
            +8 unsuppress 1 by kim => done suppression 1
            +9 unsuppress 1 by kim => done suppression 1
            +10 unsuppress 1 by lee => refused: suppression 1 has ended
            +11 suppress EMG.* by kim until=3600 => done suppression 2
            +3611 tick => 4 escalated; 3 escalated; 1 escalated; 2 escalated; SuppressionEnded
        "#]],
    );
}

#[test]
fn an_operator_opens_changes_publishes_and_closes_an_incident() {
    check(
        "+0 inc-open ops/1 flood by kim
         +1 inc-open ops/1 flood by kim
         +2 inc-open ops/1 fire by kim
         +3 inc-update ops/1 flood minor by kim
         +4 unpublish ops/1 by kim
         +5 publish ops/1 by kim
         +6 publish ops/1 by kim title=Closed
         +7 publish ops/1 by kim title=Closed
         +8 unpublish ops/1 by kim
         +9 inc-close ops/1 by kim
         +10 inc-close ops/1 by kim
         +11 publish ops/1 by kim title=Closed
         +12 inc-open ops/2 flood test by kim
         +13 publish ops/2 by kim title=Closed
         +14 inc-close ops/9 by kim",
        &expect![[r#"
            +0 inc-open ops/1 flood by kim => done incident ops/1
            +1 inc-open ops/1 flood by kim => done incident ops/1
            +2 inc-open ops/1 fire by kim => refused: there is an incident ops/1 already
            +3 inc-update ops/1 flood minor by kim => done incident ops/1
            +4 unpublish ops/1 by kim => refused: incident ops/1 is not public
            +5 publish ops/1 by kim => refused: the public text is missing
            +6 publish ops/1 by kim title=Closed => done incident ops/1
            +7 publish ops/1 by kim title=Closed => done incident ops/1
            +8 unpublish ops/1 by kim => done incident ops/1
            +9 inc-close ops/1 by kim => done incident ops/1
            +10 inc-close ops/1 by kim => done incident ops/1
            +11 publish ops/1 by kim title=Closed => refused: incident ops/1 is closed
            +12 inc-open ops/2 flood test by kim => done incident ops/2
            +13 publish ops/2 by kim title=Closed => refused: incident ops/2 is a drill or a test and is never public
            +14 inc-close ops/9 by kim => refused: there is no incident ops/9
        "#]],
    );
}

#[test]
fn alerts_are_put_to_an_incident_and_split_from_it() {
    check(
        "+0 press 22/1 e1@0
         +1 press 22/2 e1@1
         +2 group its/7 1,2 by kim
         +3 incident its/7 v1 rally
         +4 group its/7 1,2 by kim
         +5 group its/7 1,2 by kim
         +6 split its/8 1 by kim
         +7 split its/7 1 by kim
         +8 group its/7 9 by kim",
        &expect![[r#"
            +0 press 22/1 e1@0 => raised 20261123-1: P1 active, nobody's, count 1
            +1 press 22/2 e1@1 => raised 20261123-2: P1 active, nobody's, count 1
            +2 group its/7 1,2 by kim => refused: there is no incident its/7
            +3 incident its/7 v1 rally => Recorded
            +4 group its/7 1,2 by kim => done incident its/7
            +5 group its/7 1,2 by kim => done incident its/7
            +6 split its/8 1 by kim => refused: alert 20261123-1 does not belong to this incident
            +7 split its/7 1 by kim => done incident its/7
            +8 group its/7 9 by kim => refused: there is no alert 20261123-9
        "#]],
    );
}
