//! The project's invariants that are about alerts alone, each as a test by its number. I3, I5, I7, I8, I9 and I11 also
//! hold in every state that `properties` reaches; I12 is shown here under load.

use alert::{AlertCondition, AlertId, Change, Turn};
use proptest::prelude::*;
use room::{Input, RoomOptions, Verdict};

use crate::script::{Stage, input, now};

fn stage(script: &[(i64, &str)]) -> Stage {
    let mut stage = Stage::new(RoomOptions::default());
    for (second, line) in script {
        stage.step(&input(line), now(*second));
    }
    stage
}

fn first(stage: &Stage) -> alert::Alert {
    stage.room.alerts().next().unwrap().as_ref().clone()
}

fn escalations(stage: &Stage) -> Vec<u32> {
    let steps = stage.log.iter().filter_map(|bytes| {
        let change = room::decode(bytes).unwrap();
        if let Change::AlertTurned { turn: Turn::Escalated { step }, .. } = change { Some(step) } else { None }
    });
    steps.collect()
}

#[test]
fn i3_concurrent_raises_of_one_condition_make_one_open_alert() {
    let mut stage = Stage::new(RoomOptions::default());
    for second in 0..200 {
        stage.step(&input("+0 find VEH.STALL 22/1 P3"), now(second));
        stage.step(&input("+0 find VEH.STALL 22/2 P3"), now(second));
    }
    assert_eq!(stage.room.alerts().filter(|alert| alert.is_open()).count(), 2);
    assert_eq!(stage.replayed().alerts().filter(|alert| alert.is_open()).count(), 2);
    assert_eq!(stage.log.len(), 2, "repetition leaves no record");
}

#[test]
fn i4_taking_twice_is_one_record_and_of_two_one_learns_the_owner() {
    let mut stage = stage(&[(0, "+0 find VEH.STALL 22/1 P3")]);
    for _ in 0..2 {
        let decision = stage.step(&input("+0 ack 1 by kim seen=1"), now(1));
        assert!(matches!(decision.verdict, Verdict::Done(_)));
    }
    let other = stage.step(&input("+0 ack 1 by lee seen=1"), now(1));
    let Verdict::Refused(refusal) = other.verdict else { panic!("{:?}", other.verdict) };
    assert!(refusal.to_string().contains("already taken by kim"), "{refusal}");
    assert_eq!(stage.log.len(), 2);
}

#[test]
fn i5_an_old_or_late_acknowledgement_changes_nothing() {
    let mut stage = stage(&[(0, "+0 press 22/1 e1@0"), (1, "+0 ack 1 by kim seen=1"), (20, "+0 press 22/1 e2@20")]);
    let before = format!("{:?}", stage.room);
    let old = stage.step(&input("+0 ack 1 by lee seen=1"), now(21));
    assert!(matches!(old.verdict, Verdict::Refused(alert::Refusal::ReAlarmed(_))));
    assert_eq!(format!("{:?}", stage.room), before);
    stage.step(&input("+0 close 1 by kim resolved"), now(22));
    let before = format!("{:?}", stage.room);
    let closed = stage.step(&input("+0 ack 1 by lee seen=2"), now(23));
    assert!(matches!(closed.verdict, Verdict::Refused(alert::Refusal::Closed(_))));
    assert_eq!(format!("{:?}", stage.room), before);
}

#[test]
fn i6_taking_and_clearing_in_either_order_end_final_and_never_active() {
    let orders = [["+0 ack 1 by kim", "+0 normal VEH.STALL 22/1"], ["+0 normal VEH.STALL 22/1", "+0 ack 1 by kim"]];
    for [one, other] in orders {
        let stage = stage(&[(0, "+0 find VEH.STALL 22/1 P3"), (1, one), (1, other)]);
        let alert = first(&stage);
        assert_eq!(alert.condition, AlertCondition::Closed, "{one} first");
        assert!(alert.is_owned_by("kim") && alert.cleared_at.is_some());
    }
}

#[test]
fn i7_nothing_leads_out_of_a_final_state() {
    let mut stage = stage(&[(0, "+0 find VEH.STALL 22/1 P3"), (1, "+0 ack 1 by kim"), (2, "+0 normal VEH.STALL 22/1")]);
    let before = first(&stage);
    let after = [
        "find VEH.STALL 22/1 P1",
        "normal VEH.STALL 22/1",
        "ack 1 by lee",
        "release 1 by kim",
        "unshelve 1 by kim",
        "shelve 1 by kim until=99 comment=known",
        "handover 1 by kim to=lee",
        "mark 1 by kim on_scene",
        "reset 1 by kim",
        "tick",
        "close 1 by lee resolved",
        "suppress VEH.* by kim until=99",
        "step 3600",
    ];
    for line in after {
        stage.step(&input(&format!("+0 {line}")), now(10));
        assert_eq!(first(&stage), before, "{line}");
    }
}

#[test]
fn i8_coming_again_changes_neither_owner_nor_shelf_nor_notes() {
    let mut stage = stage(&[
        (0, "+0 find VEH.STALL 22/1 P3"),
        (1, "+0 comment 1 by kim comment=seen"),
        (2, "+0 shelve 1 by kim until=3600 comment=known"),
        (3, "+0 ack 1 by kim"),
        (4, "+0 group its/7 1 by kim"),
    ]);
    let before = first(&stage);
    for second in 5..100 {
        stage.step(&input(&format!("+0 find VEH.STALL 22/1 P3 members=22/{second}")), now(second));
    }
    let after = first(&stage);
    assert_eq!((&after.silence, &after.acknowledgement), (&before.silence, &before.acknowledgement));
    assert_eq!(after.history[..before.history.len()], before.history[..]);
    assert_eq!(after.annunciations, 1);
}

#[test]
fn i12_an_emergency_stands_alone_and_open_under_a_flood_of_100_000_other_raises() {
    let mut stage = stage(&[(0, "+0 press 22/1 e1@0"), (0, "+0 press 22/2 e1@0")]);
    for n in 0..100_000_i64 {
        let mut flood = input("+0 find VEH.STALL 22/9 P3 ");
        if let Input::Finding(finding) = &mut flood {
            finding.subject = alert::Subject::Line(n.to_string());
        }
        let decision = stage.room.decide(&flood, now(n / 1000));
        decision.changes.iter().for_each(|change| stage.room.apply(change));
    }
    let emergencies: Vec<_> = stage.room.alerts().filter(|a| a.class == alert::AlertClass::Emergency).collect();
    assert_eq!(emergencies.len(), 2);
    assert!(emergencies.iter().all(|a| a.is_open() && a.silence.is_none() && a.condition == AlertCondition::Active));
    let loud = stage.room.alerts().filter(|alert| alert.silence.is_none()).count();
    assert!(loud <= 2 + 5, "{loud} alerts stand on the list");
    assert_eq!(stage.room.alerts().count(), 100_002, "and every one is kept");
}

#[test]
fn i14_without_word_of_a_subject_nothing_of_it_is_cleared() {
    let mut stage = stage(&[(0, "+0 find VEH.STALL 22/1 P3"), (0, "+0 incident its/1 v1 flood")]);
    for hour in 0..24 * 14 {
        stage.step(&Input::Tick, now(hour * 3600));
        stage.step(&input("+0 normal VEH.STALL 22/2"), now(hour * 3600));
    }
    assert!(stage.room.alerts().all(|alert| alert.condition == AlertCondition::Active));
}

#[test]
fn i16_an_hour_of_flapping_each_second_is_one_open_alert_that_sounds_at_most_twice() {
    let mut stage = Stage::new(RoomOptions::default());
    for second in 0..3600 {
        let line = if second % 2 == 0 { "+0 find VEH.STALL 22/1 P3" } else { "+0 normal VEH.STALL 22/1" };
        stage.step(&input(line), now(second));
        stage.step(&Input::Tick, now(second));
    }
    let alert = first(&stage);
    assert_eq!((stage.room.alerts().count(), alert.is_open()), (1, true));
    assert!(alert.annunciations <= 2, "sounded {}", alert.annunciations);
    assert!(alert.history.len() < 300, "{} entries", alert.history.len());
}

#[test]
fn i16_an_hour_of_a_device_flapping_each_second_is_one_open_alert_that_sounds_at_most_twice() {
    // Nobody takes it; somebody takes it each time that it stands there untaken; and that from the first second on.
    for taken_from in [u32::MAX, 10, 0] {
        let mut stage = Stage::new(RoomOptions::default());
        for second in 0..3600 {
            let verb = if second % 2 == 0 { "press" } else { "end" };
            stage.step(&input(&format!("+0 {verb} 22/1 e{second}@{second} breakdown")), now(second));
            stage.step(&Input::Tick, now(second));
            let newest = stage.room.alerts().last().unwrap();
            if second > taken_from.into() && !newest.acknowledged() && newest.is_open() {
                let number = newest.id.number;
                stage.step(&input(&format!("+0 ack {number} by kim")), now(second));
            }
        }
        let alert = stage.room.alerts().last().unwrap();
        assert_eq!((alert.is_open(), alert.flap.held()), (true, true), "{taken_from}");
        // Taken at once it ends with each return, until it has come back often enough to be held.
        let occurrences = stage.room.alerts().count();
        assert!(occurrences == if taken_from == 0 { 4 } else { 1 }, "{occurrences} from {taken_from}");
        let sounded: u32 = stage.room.alerts().map(|alert| alert.annunciations).sum();
        assert!(sounded <= 2, "sounded {sounded}");
        assert!(alert.history.len() < 300, "{} entries", alert.history.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn i17_a_shelf_ends_by_its_time_over_restarts_and_clock_steps(
        until in 60..28_800_i64,
        steps in prop::collection::vec((1..900_i64, prop_oneof![8 => Just(0), 1 => Just(3600), 1 => Just(-3600)], any::<bool>()), 1..80),
    ) {
        let mut stage = stage(&[(0, "+0 find VEH.STALL 22/1 P3")]);
        stage.step(&input(&format!("+0 shelve 1 by kim until={until} comment=known")), now(0));
        let (mut wall, mut passed) = (0, 0);
        for (pause, jump, restart) in steps {
            wall += pause + jump;
            passed += pause;
            if restart {
                stage.room = stage.restarted_at(stage.log.len());
            }
            if jump != 0 {
                stage.step(&Input::ClockStepped { by_ms: jump * 1000 }, now(wall));
            }
            stage.step(&Input::Tick, now(wall));
            let shelved = first(&stage).silence.shelf.is_some();
            prop_assert!(!(shelved && wall >= until), "still shelved at {} past {}", wall, until);
            prop_assert!(!(shelved && passed >= until), "still shelved after {} of {}", passed, until);
        }
    }

    #[test]
    fn i18_the_same_presses_and_ends_in_any_order_end_in_the_same_state(
        order in Just((0..6_u32).collect::<Vec<_>>()).prop_shuffle(),
        verbs in prop::collection::vec(prop_oneof![2 => Just("press"), 1 => Just("end")], 6),
        kinds in prop::collection::vec(prop_oneof![Just("panic"), Just("fire"), Just("breakdown"), Just("panic passenger")], 6),
    ) {
        let play = |order: &[u32]| {
            let mut stage = Stage::new(RoomOptions::default());
            for n in order {
                let (verb, kind) = (verbs[*n as usize], kinds[*n as usize]);
                stage.step(&input(&format!("+0 {verb} 22/1 e{n}@{n} {kind}")), now(100));
            }
            let mut end: Vec<_> = stage.room.alerts().map(|a| {
                (a.rule.clone(), a.priority, a.condition, a.count, a.covert, a.last_event_at, a.source_normal_at)
            }).collect();
            end.sort();
            end
        };
        prop_assert_eq!(play(&order), play(&[0, 1, 2, 3, 4, 5]));
    }

    #[test]
    fn i18_the_same_versions_of_an_incident_in_any_order_end_in_the_same_state(
        order in Just((1..7_u32).collect::<Vec<_>>()).prop_shuffle(),
        words in prop::collection::vec(prop_oneof![
            Just("flood"), Just("flood lifted"), Just("flood extreme"), Just("rally"), Just("flood closed"), Just("flood exercise"),
        ], 7),
    ) {
        let play = |order: &[u32]| {
            let mut stage = Stage::new(RoomOptions::default());
            for n in order {
                let line = format!("+0 incident its/1 v{n} title=t{n} {}", words[*n as usize]);
                stage.step(&input(&line), now(100));
            }
            let incident = stage.room.incidents().next().unwrap().as_ref().clone();
            (incident.report.title.clone(), incident.severity, incident.standing(), incident.clear_proposed)
        };
        prop_assert_eq!(play(&order), play(&[1, 2, 3, 4, 5, 6]));
    }

    #[test]
    fn i25_each_step_of_escalation_comes_once_over_restarts(
        pauses in prop::collection::vec((1..120_i64, any::<bool>()), 1..60)
    ) {
        let mut stage = stage(&[(0, "+0 press 22/1 e1@0")]);
        let mut second = 0;
        for (pause, restart) in pauses {
            second += pause;
            if restart {
                stage.room = stage.restarted_at(stage.log.len() / 2);
            }
            stage.step(&Input::Tick, now(second));
            stage.step(&Input::Tick, now(second));
            let steps = escalations(&stage);
            prop_assert_eq!(&steps, &(1..=u32::try_from(steps.len()).unwrap()).collect::<Vec<_>>());
            prop_assert!(i64::try_from(steps.len()).unwrap() <= second / 60, "early: {:?} at {}", steps, second);
        }
        prop_assert!(second < 60 || !escalations(&stage).is_empty());
    }
}

#[test]
fn i9_and_i11_hold_over_a_day_with_every_kind_of_order() {
    let stage = stage(&[
        (0, "+0 press 22/1 e1@0"),
        (1, "+0 ack 1 by kim"),
        (2, "+0 mark 1 by kim on_scene"),
        (3, "+0 handover 1 by kim to=lee"),
        (4, "+0 find VEH.STALL 22/2 P3"),
        (5, "+0 shelve 2 by kim until=3600 comment=known"),
        (3600, "+0 tick"),
        (3601, "+0 inc-open ops/1 flood by kim"),
        (3602, "+0 group ops/1 1,2 by kim"),
        (3603, "+0 inc-close ops/1 by kim"),
        (3604, "+0 suppress VEH.* by kim until=7200"),
        (7200, "+0 tick"),
    ]);
    assert_eq!(format!("{:?}", stage.replayed()), format!("{:?}", stage.room));
    for alert in stage.room.alerts() {
        for entry in &alert.history {
            assert!(!entry.actor.is_empty() && !entry.from.is_empty() && !entry.to.is_empty() && entry.seq > 0);
        }
    }
    let id = AlertId::find("20261123-1").unwrap();
    let reasons: Vec<_> = stage.room.find_alert(&id).unwrap().history.iter().map(|e| e.reason.clone()).collect();
    assert_eq!(reasons, ["raised", "acknowledged", "mark", "handover", "grouped"]);
    let incident = stage.room.incidents().next().unwrap();
    let entries: Vec<_> = incident.history.iter().map(|e| (e.actor.as_str(), e.reason.as_str())).collect();
    assert_eq!(entries, [("kim", "open"), ("kim", "close")]);
}
