//! What rules find: raise, renew, clear, hold, parents, collapse.

use expect_test::{Expect, expect};

use crate::script::play;

fn check(script: &str, timeline: &Expect) {
    timeline.assert_eq(&play(script));
}

#[test]
fn a_finding_is_raised_taken_cleared_and_final() {
    check(
        "+0 find VEH.STALL 22/800 P3
         +10 ack 1 by kim
         +20 normal VEH.STALL 22/800
         +21 normal VEH.STALL 22/800
         +30 find VEH.STALL 22/800 P3",
        &expect![[r#"
            +0 find VEH.STALL 22/800 P3 => raised 20261123-1: P3 active, nobody's, count 1
            +10 ack 1 by kim => done 20261123-1: P3 active, kim's, count 1
            +20 normal VEH.STALL 22/800 => source normal 20261123-1: P3 closed, kim's, source normal, count 1, resolved
            +21 normal VEH.STALL 22/800 => nothing open
            +30 find VEH.STALL 22/800 P3 => raised 20261123-2: P3 active, nobody's, count 1
        "#]],
    );
}

#[test]
fn a_cleared_finding_that_nobody_took_waits_and_comes_back_as_the_same() {
    check(
        "+0 find VEH.STALL 22/800 P3
         +20 normal VEH.STALL 22/800
         +90 find VEH.STALL 22/800 P3
         +95 normal VEH.STALL 22/800
         +100 ack 1 by kim",
        &expect![[r#"
            +0 find VEH.STALL 22/800 P3 => raised 20261123-1: P3 active, nobody's, count 1
            +20 normal VEH.STALL 22/800 => source normal 20261123-1: P3 cleared, nobody's, source normal, count 1
            +90 find VEH.STALL 22/800 P3 => repeated 20261123-1: P3 active, nobody's, sounded 2, count 2
            +95 normal VEH.STALL 22/800 => source normal 20261123-1: P3 cleared, nobody's, source normal, sounded 2, count 2
            +100 ack 1 by kim => done 20261123-1: P3 closed, kim's, source normal, sounded 2, count 2, resolved
        "#]],
    );
}

#[test]
fn repetition_leaves_no_record_and_news_do() {
    check(
        "+0 find GEO.INSIDE area:flood P2 members=22/1
         +1 find GEO.INSIDE area:flood P2 members=22/1
         +2 find GEO.INSIDE area:flood P2 members=22/1,22/2
         +3 find GEO.INSIDE area:flood P2 members=22/2
         +4 ack 1 by kim
         +5 find GEO.INSIDE area:flood P2 members=22/3
         +6 find GEO.INSIDE area:flood P1 members=22/3",
        &expect![[r#"
            +0 find GEO.INSIDE area:flood P2 members=22/1 => raised 20261123-1: P2 active, nobody's, count 1
            +1 find GEO.INSIDE area:flood P2 members=22/1 => repeated 20261123-1: P2 active, nobody's, count 1
            +2 find GEO.INSIDE area:flood P2 members=22/1,22/2 => repeated 20261123-1: P2 active, nobody's, count 2
            +3 find GEO.INSIDE area:flood P2 members=22/2 => repeated 20261123-1: P2 active, nobody's, count 3
            +4 ack 1 by kim => done 20261123-1: P2 active, kim's, count 3
            +5 find GEO.INSIDE area:flood P2 members=22/3 => repeated 20261123-1: P2 active, kim's, count 4
            +6 find GEO.INSIDE area:flood P1 members=22/3 => re-alarmed 20261123-1: P1 active, nobody's, was kim's, sounded 2, count 5
        "#]],
    );
}

#[test]
fn a_latched_finding_waits_for_a_person_to_reset_it() {
    check(
        "+0 find HAZ.QUAKE area:city P1 latched class=safety
         +1 reset 1 by kim
         +2 normal HAZ.QUAKE area:city
         +3 reset 1 by kim
         +4 reset 1 by kim
         +5 ack 1 by kim
         +6 reset 1 by kim",
        &expect![[r#"
            +0 find HAZ.QUAKE area:city P1 latched class=safety => raised 20261123-1: P1 active, nobody's, count 1
            +1 reset 1 by kim => refused: the source of alert 20261123-1 is not normal yet
            +2 normal HAZ.QUAKE area:city => source normal 20261123-1: P1 active, nobody's, source normal, count 1
            +3 reset 1 by kim => done 20261123-1: P1 cleared, nobody's, source normal, count 1
            +4 reset 1 by kim => done 20261123-1: P1 cleared, nobody's, source normal, count 1
            +5 ack 1 by kim => done 20261123-1: P1 closed, kim's, source normal, count 1, resolved
            +6 reset 1 by kim => done 20261123-1: P1 closed, kim's, source normal, count 1, resolved
        "#]],
    );
}

#[test]
fn an_emergency_found_by_a_rule_always_latches_and_nothing_explains_it() {
    check(
        "+0 find FEED.SILENT feed:native P1 class=system
         +1 find EMG.CRASH 22/1 P1 class=emergency parent=FEED.SILENT/feed:native
         +2 normal EMG.CRASH 22/1",
        &expect![[r#"
            +0 find FEED.SILENT feed:native P1 class=system => raised 20261123-1: P1 active, nobody's, count 1
            +1 find EMG.CRASH 22/1 P1 class=emergency parent=FEED.SILENT/feed:native => raised 20261123-2: P1 active, nobody's, count 1
            +2 normal EMG.CRASH 22/1 => source normal 20261123-2: P1 active, nobody's, source normal, count 1
        "#]],
    );
}

#[test]
fn a_parent_keeps_its_children_silent_until_it_is_final() {
    check(
        "+0 find VEH.SILENT 22/1 P3 parent=FEED.SILENT/feed:native
         +1 find FEED.SILENT feed:native P1 class=system
         +2 find VEH.SILENT 22/2 P3 parent=FEED.SILENT/feed:native
         +3 find VEH.SILENT 22/1 P3 parent=FEED.SILENT/feed:native
         +4 ack 2 by kim
         +5 normal FEED.SILENT feed:native
         +6 find VEH.SILENT 22/2 P2 parent=FEED.SILENT/feed:native
         +7 normal VEH.SILENT 22/1",
        &expect![[r#"
            +0 find VEH.SILENT 22/1 P3 parent=FEED.SILENT/feed:native => raised 20261123-1: P3 active, nobody's, count 1
            +1 find FEED.SILENT feed:native P1 class=system => raised 20261123-2: P1 active, nobody's, count 1
            +2 find VEH.SILENT 22/2 P3 parent=FEED.SILENT/feed:native => raised 20261123-3: P3 active, nobody's, by parent, count 1
            +3 find VEH.SILENT 22/1 P3 parent=FEED.SILENT/feed:native => repeated 20261123-1: P3 active, nobody's, by parent, count 1
            +4 ack 2 by kim => done 20261123-2: P1 active, kim's, count 1
            +5 normal FEED.SILENT feed:native => source normal 20261123-2: P1 closed, kim's, source normal, count 1, resolved
            +6 find VEH.SILENT 22/2 P2 parent=FEED.SILENT/feed:native => repeated 20261123-3: P2 active, nobody's, sounded 2, count 2
            +7 normal VEH.SILENT 22/1 => source normal 20261123-1: P3 cleared, nobody's, source normal, sounded 2, count 1
        "#]],
    );
}

#[test]
fn what_chatters_is_held_open_and_silent_until_it_is_quiet() {
    check(
        "+0 find VEH.STALL 22/800 P3
         +5 normal VEH.STALL 22/800
         +10 find VEH.STALL 22/800 P3
         +15 normal VEH.STALL 22/800
         +20 find VEH.STALL 22/800 P3
         +25 normal VEH.STALL 22/800
         +30 find VEH.STALL 22/800 P3
         +35 ack 1 by kim
         +40 normal VEH.STALL 22/800
         +200 find VEH.STALL 22/800 P3
         +210 normal VEH.STALL 22/800
         +799 tick
         +800 tick
         +801 find VEH.STALL 22/800 P3",
        &expect![[r#"
            +0 find VEH.STALL 22/800 P3 => raised 20261123-1: P3 active, nobody's, count 1
            +5 normal VEH.STALL 22/800 => source normal 20261123-1: P3 cleared, nobody's, source normal, count 1
            +10 find VEH.STALL 22/800 P3 => repeated 20261123-1: P3 active, nobody's, count 2
            +15 normal VEH.STALL 22/800 => source normal 20261123-1: P3 cleared, nobody's, source normal, count 2
            +20 find VEH.STALL 22/800 P3 => repeated 20261123-1: P3 active, nobody's, count 3
            +25 normal VEH.STALL 22/800 => source normal 20261123-1: P3 cleared, nobody's, source normal, count 3
            +30 find VEH.STALL 22/800 P3 => repeated 20261123-1: P3 active, nobody's, held, count 4
            +35 ack 1 by kim => done 20261123-1: P3 active, kim's, held, count 4
            +40 normal VEH.STALL 22/800 => source normal 20261123-1: P3 cleared, kim's, source normal, held, count 4
            +200 find VEH.STALL 22/800 P3 => repeated 20261123-1: P3 active, kim's, held, count 5
            +210 normal VEH.STALL 22/800 => source normal 20261123-1: P3 cleared, kim's, source normal, held, count 5
            +799 tick => nothing due
            +800 tick => 1 hold_released; 1 closed resolved
            +801 find VEH.STALL 22/800 P3 => raised 20261123-2: P3 active, nobody's, count 1
        "#]],
    );
}

#[test]
fn many_of_one_rule_stand_behind_the_first_and_emergencies_never() {
    check(
        "+0 find LINK.BLOCKED line:1 P3
         +1 find LINK.BLOCKED line:2 P3
         +2 find LINK.BLOCKED line:3 P3
         +3 find LINK.BLOCKED line:4 P3
         +4 find LINK.BLOCKED line:5 P3
         +5 find LINK.BLOCKED line:6 P3
         +6 find LINK.BLOCKED line:7 P1
         +7 press 22/1 e1@7
         +8 press 22/2 e1@8
         +9 press 22/3 e1@9
         +10 press 22/4 e1@10
         +11 press 22/5 e1@11
         +12 find LINK.BLOCKED line:2 P2
         +13 ack 1 by kim
         +14 normal LINK.BLOCKED line:1
         +100 find LINK.BLOCKED line:9 P3",
        &expect![[r#"
            +0 find LINK.BLOCKED line:1 P3 => raised 20261123-1: P3 active, nobody's, count 1
            +1 find LINK.BLOCKED line:2 P3 => raised 20261123-2: P3 active, nobody's, count 1
            +2 find LINK.BLOCKED line:3 P3 => raised 20261123-3: P3 active, nobody's, count 1
            +3 find LINK.BLOCKED line:4 P3 => raised 20261123-4: P3 active, nobody's, count 1
            +4 find LINK.BLOCKED line:5 P3 => raised 20261123-5: P3 active, nobody's, collapsed, count 1
            +5 find LINK.BLOCKED line:6 P3 => raised 20261123-6: P3 active, nobody's, collapsed, count 1
            +6 find LINK.BLOCKED line:7 P1 => raised 20261123-7: P1 active, nobody's, count 1
            +7 press 22/1 e1@7 => raised 20261123-8: P1 active, nobody's, count 1
            +8 press 22/2 e1@8 => raised 20261123-9: P1 active, nobody's, count 1
            +9 press 22/3 e1@9 => raised 20261123-10: P1 active, nobody's, count 1
            +10 press 22/4 e1@10 => raised 20261123-11: P1 active, nobody's, count 1
            +11 press 22/5 e1@11 => raised 20261123-12: P1 active, nobody's, count 1
            +12 find LINK.BLOCKED line:2 P2 => repeated 20261123-2: P2 active, nobody's, collapsed, count 2
            +13 ack 1 by kim => done 20261123-1: P3 active, kim's, count 1
            +14 normal LINK.BLOCKED line:1 => source normal 20261123-1: P3 closed, kim's, source normal, count 1, resolved
            +100 find LINK.BLOCKED line:9 P3 => raised 20261123-13: P3 active, nobody's, count 1
        "#]],
    );
}

#[test]
fn a_burst_goes_on_past_a_critical_alert_and_past_the_end_of_its_first() {
    check(
        "+0 find LINK.BLOCKED line:1 P3
         +1 find LINK.BLOCKED line:2 P3
         +2 find LINK.BLOCKED line:3 P3
         +3 find LINK.BLOCKED line:4 P3
         +4 find LINK.BLOCKED line:5 P3
         +5 find LINK.BLOCKED line:6 P1
         +6 find LINK.BLOCKED line:7 P3
         +7 find LINK.BLOCKED line:8 P3
         +8 find LINK.BLOCKED line:9 P3
         +9 find LINK.BLOCKED line:10 P3
         +10 ack 1 by kim
         +11 normal LINK.BLOCKED line:1
         +12 find LINK.BLOCKED line:11 P3
         +13 find LINK.BLOCKED line:12 P3",
        &expect![[r#"
            +0 find LINK.BLOCKED line:1 P3 => raised 20261123-1: P3 active, nobody's, count 1
            +1 find LINK.BLOCKED line:2 P3 => raised 20261123-2: P3 active, nobody's, count 1
            +2 find LINK.BLOCKED line:3 P3 => raised 20261123-3: P3 active, nobody's, count 1
            +3 find LINK.BLOCKED line:4 P3 => raised 20261123-4: P3 active, nobody's, count 1
            +4 find LINK.BLOCKED line:5 P3 => raised 20261123-5: P3 active, nobody's, collapsed, count 1
            +5 find LINK.BLOCKED line:6 P1 => raised 20261123-6: P1 active, nobody's, count 1
            +6 find LINK.BLOCKED line:7 P3 => raised 20261123-7: P3 active, nobody's, collapsed, count 1
            +7 find LINK.BLOCKED line:8 P3 => raised 20261123-8: P3 active, nobody's, collapsed, count 1
            +8 find LINK.BLOCKED line:9 P3 => raised 20261123-9: P3 active, nobody's, collapsed, count 1
            +9 find LINK.BLOCKED line:10 P3 => raised 20261123-10: P3 active, nobody's, collapsed, count 1
            +10 ack 1 by kim => done 20261123-1: P3 active, kim's, count 1
            +11 normal LINK.BLOCKED line:1 => source normal 20261123-1: P3 closed, kim's, source normal, count 1, resolved
            +12 find LINK.BLOCKED line:11 P3 => raised 20261123-11: P3 active, nobody's, collapsed, count 1
            +13 find LINK.BLOCKED line:12 P3 => raised 20261123-12: P3 active, nobody's, collapsed, count 1
        "#]],
    );
}

#[test]
fn a_person_cannot_resolve_what_a_rule_still_sees_but_may_shelve_it() {
    check(
        "+0 find VEH.STALL 22/800 P3
         +1 close 1 by kim resolved
         +2 shelve 1 by kim until=3600 comment=known
         +3 normal VEH.STALL 22/800
         +4 close 1 by kim resolved",
        &expect![[r#"
            +0 find VEH.STALL 22/800 P3 => raised 20261123-1: P3 active, nobody's, count 1
            +1 close 1 by kim resolved => refused: the condition of alert 20261123-1 still holds; shelve it instead, or have a supervisor close it with a comment
            +2 shelve 1 by kim until=3600 comment=known => done 20261123-1: P3 active, nobody's, shelved, count 1
            +3 normal VEH.STALL 22/800 => source normal 20261123-1: P3 cleared, nobody's, source normal, shelved, count 1
            +4 close 1 by kim resolved => done 20261123-1: P3 closed, kim's, source normal, shelved, count 1, resolved
        "#]],
    );
}

#[test]
fn a_severe_incident_raises_an_alert_until_it_is_lowered_or_closed() {
    check(
        "+0 incident its/7 v1 flood
         +1 incident its/7 v2 flood extreme
         +2 ack 1 by kim
         +3 close 1 by kim resolved
         +4 incident its/7 v3 flood minor
         +5 incident its/8 v1 flood
         +6 withdraw its/8
         +7 ack 2 by kim
         +8 incident its/9 v1 rally
         +9 incident its/10 v1 flood test",
        &expect![[r#"
            +0 incident its/7 v1 flood => Recorded
            +1 incident its/7 v2 flood extreme => Recorded
            +2 ack 1 by kim => done 20261123-1: P1 active, kim's, sounded 2, count 2
            +3 close 1 by kim resolved => refused: the condition of alert 20261123-1 still holds; shelve it instead, or have a supervisor close it with a comment
            +4 incident its/7 v3 flood minor => Recorded
            +5 incident its/8 v1 flood => Recorded
            +6 withdraw its/8 => Withdrawn
            +7 ack 2 by kim => done 20261123-2: P2 closed, kim's, source normal, count 1, resolved
            +8 incident its/9 v1 rally => Recorded
            +9 incident its/10 v1 flood test => Recorded
        "#]],
    );
}

#[test]
fn incidents_that_were_there_at_connect_raise_one_summary() {
    check(
        "+0 incident its/1 v1 flood retained
         +0 incident its/2 v1 fire retained
         +0 incident its/3 v1 rally retained
         +1 ack 1 by kim
         +2 incident its/1 v2 flood closed
         +3 incident its/2 v2 fire closed",
        &expect![[r#"
            +0 incident its/1 v1 flood retained => Recorded
            +0 incident its/2 v1 fire retained => Recorded
            +0 incident its/3 v1 rally retained => Recorded
            +1 ack 1 by kim => done 20261123-1: P2 active, kim's, count 2
            +2 incident its/1 v2 flood closed => Recorded
            +3 incident its/2 v2 fire closed => Recorded
        "#]],
    );
}

#[test]
fn a_severe_incident_is_no_alert_between_its_periods() {
    check(
        "+0 incident its/1 v1 flood periods=10..20,40..50
         +10 tick
         +20 tick
         +40 tick
         +50 tick",
        &expect![[r#"
            +0 incident its/1 v1 flood periods=10..20,40..50 => Recorded
            +10 tick => IncidentStarted; AlertRaised
            +20 tick => IncidentRested; AlertCleared
            +40 tick => IncidentStarted; AlertRenewed
            +50 tick => IncidentEnded; AlertCleared
        "#]],
    );
}

#[test]
fn a_planned_incident_is_silent_until_it_starts() {
    check(
        "+0 incident its/1 v1 flood starts=600
         +599 tick
         +600 tick
         +601 tick",
        &expect![[r#"
            +0 incident its/1 v1 flood starts=600 => Recorded
            +599 tick => nothing due
            +600 tick => IncidentStarted; AlertRaised
            +601 tick => nothing due
        "#]],
    );
}
