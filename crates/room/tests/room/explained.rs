//! What an incident explains: a detour keeps silent who is off the route because of it, and nothing else.

use expect_test::{Expect, expect};

use crate::script::play;

fn check(script: &str, timeline: &Expect) {
    timeline.assert_eq(&play(script));
}

#[test]
fn a_detour_explains_who_is_off_its_route_until_it_is_over() {
    check(
        "+0 find VEH.OFFROUTE 22/1 P3 route=402
         +1 incident its/1 v1 road_works effect=DETOUR affects=402
         +2 find VEH.OFFROUTE 22/1 P2 route=402
         +3 find VEH.OFFROUTE 22/2 P3 route=402
         +4 find VEH.OFFROUTE 22/3 P3 route=405
         +5 find LINE.DIVERT line:402+1 P3
         +6 find GEO.HEADING 22/1 P2 class=safety route=402
         +7 find VEH.OFFROUTE 22/4 P3
         +8 incident its/1 v2 road_works effect=DETOUR affects=405
         +9 incident its/1 v3 road_works
         +10 tick
         +11 normal VEH.OFFROUTE 22/1
         +12 normal VEH.OFFROUTE 22/2
         +13 normal VEH.OFFROUTE 22/3
         +14 normal LINE.DIVERT line:402+1",
        &expect![[r#"
            +0 find VEH.OFFROUTE 22/1 P3 route=402 => raised 20261123-1: P3 active, nobody's, count 1
            +1 incident its/1 v1 road_works effect=DETOUR affects=402 => Recorded
            +2 find VEH.OFFROUTE 22/1 P2 route=402 => repeated 20261123-1: P2 active, nobody's, by incident, count 2
            +3 find VEH.OFFROUTE 22/2 P3 route=402 => raised 20261123-2: P3 active, nobody's, by incident, count 1
            +4 find VEH.OFFROUTE 22/3 P3 route=405 => raised 20261123-3: P3 active, nobody's, count 1
            +5 find LINE.DIVERT line:402+1 P3 => raised 20261123-4: P3 active, nobody's, by incident, count 1
            +6 find GEO.HEADING 22/1 P2 class=safety route=402 => raised 20261123-5: P2 active, nobody's, count 1
            +7 find VEH.OFFROUTE 22/4 P3 => raised 20261123-6: P3 active, nobody's, count 1
            +8 incident its/1 v2 road_works effect=DETOUR affects=405 => Recorded
            +9 incident its/1 v3 road_works => Recorded
            +10 tick => nothing due
            +11 normal VEH.OFFROUTE 22/1 => source normal 20261123-1: P2 cleared, nobody's, source normal, sounded 2, count 2
            +12 normal VEH.OFFROUTE 22/2 => source normal 20261123-2: P3 cleared, nobody's, source normal, count 1
            +13 normal VEH.OFFROUTE 22/3 => source normal 20261123-3: P3 cleared, nobody's, source normal, sounded 2, count 1
            +14 normal LINE.DIVERT line:402+1 => source normal 20261123-4: P3 cleared, nobody's, source normal, count 1
        "#]],
    );
}

#[test]
fn emergencies_are_explained_by_nothing_and_a_drill_explains_no_real_finding() {
    check(
        "+0 incident its/1 v1 road_works effect=DETOUR affects=402
         +1 find VEH.OFFROUTE 22/1 P1 class=emergency route=402
         +2 press 22/2 e1@2
         +3 incident its/2 v1 road_works effect=DETOUR affects=405 exercise
         +4 find VEH.OFFROUTE 22/5 P3 route=405
         +5 incident its/3 v1 road_works effect=REDUCED_SERVICE affects=405
         +6 find VEH.OFFROUTE 22/6 P3 route=405",
        &expect![[r#"
            +0 incident its/1 v1 road_works effect=DETOUR affects=402 => Recorded
            +1 find VEH.OFFROUTE 22/1 P1 class=emergency route=402 => raised 20261123-1: P1 active, nobody's, count 1
            +2 press 22/2 e1@2 => raised 20261123-2: P1 active, nobody's, count 1
            +3 incident its/2 v1 road_works effect=DETOUR affects=405 exercise => Recorded
            +4 find VEH.OFFROUTE 22/5 P3 route=405 => raised 20261123-3: P3 active, nobody's, count 1
            +5 incident its/3 v1 road_works effect=REDUCED_SERVICE affects=405 => Recorded
            +6 find VEH.OFFROUTE 22/6 P3 route=405 => raised 20261123-4: P3 active, nobody's, count 1
        "#]],
    );
}

#[test]
fn an_entry_means_all_that_it_names() {
    check(
        "+0 incident its/1 v1 road_works effect=DETOUR affects=402+0,403@t1,404#5
         +1 find LINE.DIVERT line:402+0 P3
         +2 find LINE.DIVERT line:402+1 P3
         +3 find VEH.OFFROUTE 22/1 P3 route=403 trip=t1
         +4 find VEH.OFFROUTE 22/2 P3 route=403 trip=t2
         +5 find VEH.OFFROUTE 22/3 P3 route=403
         +6 find VEH.OFFROUTE 22/5 P3 route=404
         +7 find VEH.OFFROUTE 22/6 P3 route=404",
        &expect![[r#"
            +0 incident its/1 v1 road_works effect=DETOUR affects=402+0,403@t1,404#5 => Recorded
            +1 find LINE.DIVERT line:402+0 P3 => raised 20261123-1: P3 active, nobody's, by incident, count 1
            +2 find LINE.DIVERT line:402+1 P3 => raised 20261123-2: P3 active, nobody's, count 1
            +3 find VEH.OFFROUTE 22/1 P3 route=403 trip=t1 => raised 20261123-3: P3 active, nobody's, by incident, count 1
            +4 find VEH.OFFROUTE 22/2 P3 route=403 trip=t2 => raised 20261123-4: P3 active, nobody's, count 1
            +5 find VEH.OFFROUTE 22/3 P3 route=403 => raised 20261123-5: P3 active, nobody's, count 1
            +6 find VEH.OFFROUTE 22/5 P3 route=404 => raised 20261123-6: P3 active, nobody's, by incident, count 1
            +7 find VEH.OFFROUTE 22/6 P3 route=404 => raised 20261123-7: P3 active, nobody's, count 1
        "#]],
    );
}

#[test]
fn a_detour_explains_while_its_period_runs_and_another_takes_its_place() {
    check(
        "+0 incident its/1 v1 road_works effect=DETOUR affects=402 ends=600
         +1 find VEH.OFFROUTE 22/1 P3 route=402
         +2 incident its/2 v1 road_works effect=DETOUR affects=402 ends=900
         +600 tick
         +899 tick
         +900 tick
         +901 find VEH.OFFROUTE 22/2 P3 route=402
         +902 incident its/3 v1 road_works effect=DETOUR affects=402 starts=2000
         +903 find VEH.OFFROUTE 22/3 P3 route=402
         +2000 tick
         +2001 withdraw its/3
         +2002 normal VEH.OFFROUTE 22/3",
        &expect![[r#"
            +0 incident its/1 v1 road_works effect=DETOUR affects=402 ends=600 => Recorded
            +1 find VEH.OFFROUTE 22/1 P3 route=402 => raised 20261123-1: P3 active, nobody's, by incident, count 1
            +2 incident its/2 v1 road_works effect=DETOUR affects=402 ends=900 => Recorded
            +600 tick => 1 by_incident; IncidentEnded
            +899 tick => nothing due
            +900 tick => 1 incident_over, sounds; IncidentEnded
            +901 find VEH.OFFROUTE 22/2 P3 route=402 => raised 20261123-2: P3 active, nobody's, count 1
            +902 incident its/3 v1 road_works effect=DETOUR affects=402 starts=2000 => Recorded
            +903 find VEH.OFFROUTE 22/3 P3 route=402 => raised 20261123-3: P3 active, nobody's, count 1
            +2000 tick => 1 escalated; 2 escalated; 3 escalated; IncidentStarted; 1 by_incident; 2 by_incident; 3 by_incident
            +2001 withdraw its/3 => Withdrawn
            +2002 normal VEH.OFFROUTE 22/3 => source normal 20261123-3: P3 cleared, nobody's, source normal, sounded 2, count 1
        "#]],
    );
}
