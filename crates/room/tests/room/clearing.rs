//! Words that say "lifted" end nothing: they stand as a proposal until a person or the source decides.

use std::fmt::Write;

use alert::IncidentKey;
use expect_test::{Expect, expect};
use room::RoomOptions;

use crate::script::{Stage, input, now};

/// Plays a story about one incident and gives its standing and what is proposed of it after each line.
fn check(script: &str, timeline: &Expect) {
    let mut stage = Stage::new(RoomOptions::default());
    let key = IncidentKey { source: "kma".to_owned(), id: "1".to_owned() };
    let mut told = String::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let second: i64 = line.trim_start_matches('+').split(' ').next().unwrap().parse().unwrap();
        let decision = stage.step(&input(line), now(second));
        let refused =
            if let room::Verdict::Refused(why) = &decision.verdict { format!(" ({why})") } else { String::new() };
        let incident = stage.room.find_incident(&key).unwrap();
        let proposed = incident.clear_proposed.as_ref().map_or_else(String::new, |p| {
            format!(", since +{} by {}: {}", p.at.since(now(0).utc) / 1000, p.by, p.words.as_deref().unwrap_or("-"))
        });
        writeln!(told, "{line} => {}{proposed}{refused}", incident.standing()).unwrap();
    }
    assert_eq!(format!("{:?}", stage.replayed()), format!("{:?}", stage.room));
    assert_eq!(format!("{:?}", stage.restarted_at(stage.log.len())), format!("{:?}", stage.room));
    timeline.assert_eq(&told);
}

#[test]
fn lifted_only_proposes_and_a_person_closes() {
    check(
        "+0 incident kma/1 v1 flood title=warning
         +60 incident kma/1 v2 flood title=lifted lifted
         +70 incident kma/1 v2 flood title=lifted lifted
         +86400 tick
         +86401 inc-close kma/1 by kim",
        &expect![[r#"
            +0 incident kma/1 v1 flood title=warning => active/severe
            +60 incident kma/1 v2 flood title=lifted lifted => active/severe/clear_proposed, since +60 by kma: lifted
            +70 incident kma/1 v2 flood title=lifted lifted => active/severe/clear_proposed, since +60 by kma: lifted
            +86400 tick => active/severe/clear_proposed, since +60 by kma: lifted
            +86401 inc-close kma/1 by kim => closed/severe
        "#]],
    );
}

#[test]
fn a_person_keeps_what_goes_on_and_newer_words_propose_anew() {
    check(
        "+0 incident kma/1 v1 flood
         +1 inc-keep kma/1 by kim
         +60 incident kma/1 v2 flood title=lifted lifted
         +61 inc-keep kma/1 by kim comment=water_still_there
         +62 inc-keep kma/1 by lee
         +70 incident kma/1 v2 flood title=lifted lifted
         +80 incident kma/1 v3 flood title=really lifted
         +90 inc-update kma/1 flood extreme by kim
         +91 inc-close kma/1 by kim
         +92 inc-keep kma/1 by kim",
        &expect![[r#"
            +0 incident kma/1 v1 flood => active/severe
            +1 inc-keep kma/1 by kim => active/severe
            +60 incident kma/1 v2 flood title=lifted lifted => active/severe/clear_proposed, since +60 by kma: lifted
            +61 inc-keep kma/1 by kim comment=water_still_there => active/severe
            +62 inc-keep kma/1 by lee => active/severe
            +70 incident kma/1 v2 flood title=lifted lifted => active/severe
            +80 incident kma/1 v3 flood title=really lifted => active/severe/clear_proposed, since +80 by kma: really
            +90 inc-update kma/1 flood extreme by kim => active/extreme/clear_proposed, since +80 by kma: really
            +91 inc-close kma/1 by kim => closed/extreme
            +92 inc-keep kma/1 by kim => closed/extreme (incident kma/1 is closed)
        "#]],
    );
}

#[test]
fn the_source_takes_its_proposal_back_by_speaking_without_it_or_by_ending_the_incident_itself() {
    check(
        "+0 incident kma/1 v1 flood title=lifted lifted
         +10 incident kma/1 v2 flood title=still_lifted lifted
         +20 incident kma/1 v3 flood title=warning
         +30 incident kma/1 v4 flood title=lifted lifted
         +40 withdraw kma/1",
        &expect![[r#"
            +0 incident kma/1 v1 flood title=lifted lifted => active/severe/clear_proposed, since +0 by kma: lifted
            +10 incident kma/1 v2 flood title=still_lifted lifted => active/severe/clear_proposed, since +0 by kma: still_lifted
            +20 incident kma/1 v3 flood title=warning => active/severe
            +30 incident kma/1 v4 flood title=lifted lifted => active/severe/clear_proposed, since +30 by kma: lifted
            +40 withdraw kma/1 => closed/severe
        "#]],
    );
}

#[test]
fn the_alert_of_an_incident_stays_while_its_end_is_only_proposed() {
    let mut stage = Stage::new(RoomOptions::default());
    stage.step(&input("+0 incident kma/1 v1 flood"), now(0));
    stage.step(&input("+0 ack 1 by kim"), now(1));
    stage.step(&input("+0 incident kma/1 v2 flood title=lifted lifted"), now(2));
    let alert = stage.room.alerts().next().unwrap();
    assert_eq!((alert.rule.as_str(), alert.condition), ("INC.SEVERE", alert::AlertCondition::Active));
    stage.step(&input("+0 inc-close kma/1 by kim"), now(3));
    assert_eq!(stage.room.alerts().next().unwrap().condition, alert::AlertCondition::Closed);
    let history = &stage.room.incidents().next().unwrap().history;
    let lines: Vec<_> = history.iter().map(|e| format!("{} {}: {} -> {}", e.actor, e.reason, e.from, e.to)).collect();
    expect![[r#"
        kma recorded: none -> active/severe
        kma updated: active/severe -> active/severe/clear_proposed
        kim close: active/severe/clear_proposed -> closed/severe"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn what_a_source_says_again_undoes_no_operators_work_and_what_is_newer_replaces_it() {
    check(
        "+0 incident kma/1 v3 flood
         +10 inc-update kma/1 flood extreme by kim
         +20 incident kma/1 v3 flood
         +21 incident kma/1 v2 flood minor
         +30 incident kma/1 v4 flood moderate",
        &expect![[r#"
            +0 incident kma/1 v3 flood => active/severe
            +10 inc-update kma/1 flood extreme by kim => active/extreme
            +20 incident kma/1 v3 flood => active/extreme
            +21 incident kma/1 v2 flood minor => active/extreme
            +30 incident kma/1 v4 flood moderate => active/moderate
        "#]],
    );
}

#[test]
fn words_for_the_public_are_not_said_again_of_what_comes_under_an_old_name() {
    check(
        "+0 incident kma/1 v1 flood
         +10 publish kma/1 by kim title=Flooded
         +20 withdraw kma/1
         +30 incident kma/1 v2 fire",
        &expect![[r#"
            +0 incident kma/1 v1 flood => active/severe
            +10 publish kma/1 by kim title=Flooded => active/severe/public
            +20 withdraw kma/1 => closed/severe/public
            +30 incident kma/1 v2 fire => active/severe
        "#]],
    );
}

#[test]
fn it_is_over_with_its_last_period_and_what_was_over_before_raises_nothing() {
    check(
        "+0 incident kma/1 v1 flood ends=60
         +59 tick
         +60 tick
         +70 incident kma/1 v1 flood ends=60",
        &expect![[r#"
            +0 incident kma/1 v1 flood ends=60 => active/severe
            +59 tick => active/severe
            +60 tick => closed/severe
            +70 incident kma/1 v1 flood ends=60 => closed/severe
        "#]],
    );
}

#[test]
fn what_is_planned_begins_and_is_over_by_itself() {
    check(
        "+90 incident kma/1 v1 flood starts=100 ends=110
         +100 tick
         +110 tick",
        &expect![[r#"
            +90 incident kma/1 v1 flood starts=100 ends=110 => active/severe/upcoming
            +100 tick => active/severe
            +110 tick => closed/severe
        "#]],
    );
}

#[test]
fn between_its_periods_an_incident_rests() {
    check(
        "+0 incident kma/1 v1 flood severe periods=10..20,20..30,50..60
         +10 tick
         +20 tick
         +30 tick
         +40 publish kma/1 by kim title=Tonight
         +50 tick
         +60 tick",
        &expect![[r#"
            +0 incident kma/1 v1 flood severe periods=10..20,20..30,50..60 => active/severe/upcoming
            +10 tick => active/severe
            +20 tick => active/severe
            +30 tick => active/severe/upcoming
            +40 publish kma/1 by kim title=Tonight => active/severe/upcoming/public
            +50 tick => active/severe/public
            +60 tick => closed/severe/public
        "#]],
    );
    // Nobody looked for a while: what came and went meanwhile is passed over, and nothing is due twice.
    check(
        "+0 incident kma/1 v1 flood severe periods=0..20,30..40,50..60,90..
         +55 tick
         +56 tick
         +70 tick
         +71 tick
         +90 tick
         +91 tick",
        &expect![[r#"
            +0 incident kma/1 v1 flood severe periods=0..20,30..40,50..60,90.. => active/severe
            +55 tick => active/severe
            +56 tick => active/severe
            +70 tick => active/severe/upcoming
            +71 tick => active/severe/upcoming
            +90 tick => active/severe
            +91 tick => active/severe
        "#]],
    );
}

#[test]
fn what_was_over_before_it_came_is_recorded_and_raises_nothing() {
    let mut stage = Stage::new(RoomOptions::default());
    stage.step(&input("+80 incident kma/1 v1 flood extreme starts=10 ends=70"), now(80));
    let incident = stage.room.incidents().next().unwrap();
    assert_eq!((incident.standing().as_str(), stage.room.alerts().count()), ("closed/extreme", 0));
}
