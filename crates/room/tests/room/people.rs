//! What people order besides taking and closing, and what their orders must not do.

use expect_test::{Expect, expect};
use room::RoomOptions;

use crate::script::{Stage, input, now, play};

fn check(script: &str, timeline: &Expect) {
    timeline.assert_eq(&play(script));
}

#[test]
fn nobody_closes_a_press_that_they_have_not_read() {
    check(
        "+0 press 22/800 e1@0
         +5 ack 1 by kim seen=1
         +20 press 22/800 e2@20
         +21 close 1 by kim false_alarm seen=1
         +22 close 1 by kim false_alarm seen=2",
        &expect![[r#"
            +0 press 22/800 e1@0 => raised 20261123-1: P1 active, nobody's, count 1
            +5 ack 1 by kim seen=1 => done 20261123-1: P1 active, kim's, count 1
            +20 press 22/800 e2@20 => re-alarmed 20261123-1: P1 active, nobody's, was kim's, sounded 2, count 2
            +21 close 1 by kim false_alarm seen=1 => refused: alert 20261123-1 has re-alarmed since you read it
            +22 close 1 by kim false_alarm seen=2 => done 20261123-1: P1 closed, kim's, sounded 2, count 2, false_alarm
        "#]],
    );
}

#[test]
fn a_person_accounts_for_who_is_missed() {
    check(
        "+0 find GEO.UNACCOUNTED area:f/1 P1 members=22/1,22/2,22/3
         +1 account 1 by kim member=22/1 comment=radio
         +2 account 1 by kim member=22/1 comment=again
         +3 account 1 by kim member=22/9
         +4 find GEO.UNACCOUNTED area:f/1 P1 members=22/2
         +5 find GEO.UNACCOUNTED area:f/1 P1 members=22/2
         +6 find GEO.UNACCOUNTED area:f/1 P1 members=22/2,22/1
         +7 find VEH.STALL 22/5 P3 members=22/6
         +8 account 2 by kim member=22/6",
        &expect![[r#"
            +0 find GEO.UNACCOUNTED area:f/1 P1 members=22/1,22/2,22/3 => raised 20261123-1: P1 active, nobody's, count 1
            +1 account 1 by kim member=22/1 comment=radio => done 20261123-1: P1 active, nobody's, count 1
            +2 account 1 by kim member=22/1 comment=again => done 20261123-1: P1 active, nobody's, count 1
            +3 account 1 by kim member=22/9 => refused: alert 20261123-1 does not miss it
            +4 find GEO.UNACCOUNTED area:f/1 P1 members=22/2 => repeated 20261123-1: P1 active, nobody's, count 2
            +5 find GEO.UNACCOUNTED area:f/1 P1 members=22/2 => repeated 20261123-1: P1 active, nobody's, count 2
            +6 find GEO.UNACCOUNTED area:f/1 P1 members=22/2,22/1 => repeated 20261123-1: P1 active, nobody's, count 3
            +7 find VEH.STALL 22/5 P3 members=22/6 => raised 20261123-2: P3 active, nobody's, count 1
            +8 account 2 by kim member=22/6 => refused: alert 20261123-2 does not miss it
        "#]],
    );
    let mut stage = Stage::new(RoomOptions::default());
    let mut missed = |second, line: &str| {
        stage.step(&input(line), now(second));
        let alert = stage.room.alerts().next().unwrap();
        let names = |names: Vec<String>| names.join(" ");
        let of = alert.evidence.as_ref().unwrap().members.iter().map(ToString::to_string).collect();
        let known = alert.accounted.iter().map(|known| format!("{} by {}", known.member, known.by)).collect();
        format!("{} / {}", names(of), names(known))
    };
    let lines = [
        missed(0, "+0 find GEO.UNACCOUNTED area:f/1 P1 members=22/1,22/2,22/3"),
        missed(1, "+1 account 1 by kim member=22/1"),
        missed(2, "+2 find GEO.UNACCOUNTED area:f/1 P1 members=22/2"),
        missed(3, "+3 find GEO.UNACCOUNTED area:f/1 P1 members=22/1,22/2"),
        missed(4, "+4 account 1 by lee member=22/1"),
    ];
    expect![[r#"
        vehicle:22/1 vehicle:22/2 vehicle:22/3 / 
        vehicle:22/2 vehicle:22/3 / vehicle:22/1 by kim
        vehicle:22/2 / vehicle:22/1 by kim
        vehicle:22/1 vehicle:22/2 / vehicle:22/1 by kim
        vehicle:22/2 / vehicle:22/1 by lee"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn whom_a_person_accounted_for_is_known_after_the_alert_is_closed() {
    let mut stage = Stage::new(RoomOptions::default());
    for (second, line) in [
        (0, "+0 find GEO.UNACCOUNTED area:f/1 P1 members=22/1"),
        (1, "+1 ack 1 by kim"),
        (2, "+2 account 1 by kim member=22/1"),
        (3, "+3 normal GEO.UNACCOUNTED area:f/1"),
    ] {
        stage.step(&input(line), now(second));
    }
    let known = |room: &room::ControlRoom| {
        room.accounting().map(|alert| (alert.is_open(), alert.accounted.len())).collect::<Vec<_>>()
    };
    assert_eq!(known(&stage.room), [(false, 1)]);
    assert_eq!(known(&stage.restarted_at(stage.log.len())), [(false, 1)]);
    // It is forgotten with the alert.
    stage.step(&input("+0 press 22/9 e1@0"), now(8 * 86_400));
    assert_eq!(known(&stage.room), []);
}

#[test]
fn alerts_make_an_incident_by_one_order() {
    check(
        "+0 press 22/1 e1@0 fire
         +1 press 22/2 e1@1 collision
         +2 form ops/1 1,2 fire by kim comment=same
         +3 form ops/1 1,2 fire by kim comment=same
         +4 form ops/2 7 fire by kim
         +5 close 1 by kim resolved
         +6 form ops/3 1 fire by kim
         +6 press 22/3 e1@6 fire
         +6 inc-open ops/4 fire by kim
         +6 form ops/4 3 fire by kim
         +7 split ops/1 2 by kim",
        &expect![[r#"
            +0 press 22/1 e1@0 fire => raised 20261123-1: P1 active, nobody's, count 1
            +1 press 22/2 e1@1 collision => raised 20261123-2: P1 active, nobody's, count 1
            +2 form ops/1 1,2 fire by kim comment=same => done incident ops/1
            +3 form ops/1 1,2 fire by kim comment=same => done incident ops/1
            +4 form ops/2 7 fire by kim => refused: there is no alert 20261123-7
            +5 close 1 by kim resolved => done 20261123-1: P1 closed, kim's, count 1, resolved
            +6 form ops/3 1 fire by kim => refused: alert 20261123-1 is closed
            +6 press 22/3 e1@6 fire => raised 20261123-4: P1 active, nobody's, count 1
            +6 inc-open ops/4 fire by kim => done incident ops/4
            +6 form ops/4 3 fire by kim => refused: there is an incident ops/4 already
            +7 split ops/1 2 by kim => done incident ops/1
        "#]],
    );
}

#[test]
fn what_no_rule_judges_any_more_is_ended_by_a_supervisor_who_says_why() {
    check(
        "+0 find FEED.SILENT feed:a P1
         +1 close 1 by kim resolved comment=gone
         +2 close 1 by boss resolved supervisor
         +3 close 1 by boss resolved supervisor comment=gone
         +4 normal FEED.SILENT feed:a
         +100 find FEED.SILENT feed:a P1
         +101 incident its/1 v1 flood
         +102 close 3 by boss resolved supervisor comment=known",
        &expect![[r#"
            +0 find FEED.SILENT feed:a P1 => raised 20261123-1: P1 active, nobody's, count 1
            +1 close 1 by kim resolved comment=gone => refused: the condition of alert 20261123-1 still holds; shelve it instead, or have a supervisor close it with a comment
            +2 close 1 by boss resolved supervisor => refused: the condition of alert 20261123-1 still holds; shelve it instead, or have a supervisor close it with a comment
            +3 close 1 by boss resolved supervisor comment=gone => done 20261123-1: P1 closed, boss's, count 1, resolved
            +4 normal FEED.SILENT feed:a => nothing open
            +100 find FEED.SILENT feed:a P1 => raised 20261123-2: P1 active, nobody's, count 1
            +101 incident its/1 v1 flood => Recorded
            +102 close 3 by boss resolved supervisor comment=known => refused: the condition of alert 20261123-3 still holds; shelve it instead, or have a supervisor close it with a comment
        "#]],
    );
}

#[test]
fn critical_is_put_aside_by_a_supervisor_and_nothing_without_a_reason() {
    check(
        "+0 find FEED.SILENT feed:a P1
         +1 shelve 1 by kim until=3600 comment=known
         +2 shelve 1 by boss supervisor until=3600
         +3 shelve 1 by boss supervisor until=9000 comment=known
         +4 shelve 1 by boss supervisor until=3600 comment=known
         +5 press 22/800 e1@5
         +6 shelve 2 by boss supervisor until=3600 comment=no",
        &expect![[r#"
            +0 find FEED.SILENT feed:a P1 => raised 20261123-1: P1 active, nobody's, count 1
            +1 shelve 1 by kim until=3600 comment=known => refused: alert 20261123-1 is critical; only a supervisor shelves it
            +2 shelve 1 by boss supervisor until=3600 => refused: comment is missing
            +3 shelve 1 by boss supervisor until=9000 comment=known => refused: the end must lie ahead, by at most 7200000 ms
            +4 shelve 1 by boss supervisor until=3600 comment=known => done 20261123-1: P1 active, nobody's, shelved, count 1
            +5 press 22/800 e1@5 => raised 20261123-2: P1 active, nobody's, count 1
            +6 shelve 2 by boss supervisor until=3600 comment=no => refused: alert 20261123-2 is an emergency and is never shelved
        "#]],
    );
}

#[test]
fn what_an_operator_says_again_is_kept_and_asks_the_owner_anew() {
    let mut stage = Stage::new(RoomOptions::default());
    let mut told = |second, line: &str| {
        let decision = stage.step(&input(line), now(second));
        let alert = stage.room.alerts().next().unwrap();
        let owner = alert.acknowledgement.as_ref().map_or("nobody", |taken| &taken.by);
        let expires = alert.due.expires_at.map(|at| at.since(now(0).utc) / 1000);
        format!(
            "{} {owner} covert {} text {:?} expires {expires:?} records {}",
            alert.count,
            alert.covert,
            alert.text,
            decision.changes.len(),
        )
    };
    let lines = [
        told(0, "+0 raise by kim 22/800 fire text=smoke"),
        told(1, "+1 ack 1 by kim"),
        told(20, "+20 raise by lee 22/800 fire covert expires=900"),
        told(21, "+21 raise by lee 22/800 fire covert expires=900"),
    ];
    expect![[r#"
        1 nobody covert false text Some("smoke") expires None records 1
        1 kim covert false text Some("smoke") expires None records 1
        2 nobody covert true text Some("smoke") expires Some(900) records 1
        2 nobody covert true text Some("smoke") expires Some(900) records 0"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn an_incident_that_was_no_drill_leaves_no_alert_of_the_drill() {
    check(
        "+0 incident its/1 v1 flood exercise
         +1 incident its/1 v2 flood
         +2 ack 1 by kim
         +3 incident its/1 v3 flood exercise
         +4 incident its/1 v4 flood closed exercise
         +5 ack 2 by kim",
        &expect![[r#"
            +0 incident its/1 v1 flood exercise => Recorded
            +1 incident its/1 v2 flood => Recorded
            +2 ack 1 by kim => done 20261123-1: P2 closed, kim's, source normal, count 1, resolved
            +3 incident its/1 v3 flood exercise => Recorded
            +4 incident its/1 v4 flood closed exercise => Recorded
            +5 ack 2 by kim => done 20261123-2: P2 closed, kim's, source normal, count 1, resolved
        "#]],
    );
}
