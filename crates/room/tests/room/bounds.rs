//! Nothing grows without end, and no bound loses an emergency.

use alert::{AlarmReport, Fingerprint, Refusal};
use room::{Input, RoomOptions, Verdict};

use crate::script::{Stage, input, now, report};

#[test]
fn a_button_pressed_for_ever_keeps_its_first_and_last_presses() {
    let mut stage = Stage::new(RoomOptions::default());
    for n in 0..5000 {
        let press = AlarmReport { fingerprint: Fingerprint(n), ..report("22/800", 0) };
        stage.step(&Input::Alarm(Box::new(press)), now(0));
    }
    let alert = stage.room.alerts().next().unwrap();
    assert_eq!(alert.count, 5000);
    assert_eq!(alert.history.len(), 101);
    assert_eq!(alert.repeats_folded, 4899);
    let seqs: Vec<u64> = alert.history.iter().map(|entry| entry.seq).collect();
    assert_eq!((seqs[0], seqs[50], seqs[51], seqs[100]), (1, 51, 4951, 5000));
}

#[test]
fn unreadable_ids_beyond_the_bound_fold_into_one_open_alert() {
    let mut stage = Stage::new(RoomOptions { unparsed_max: 3, ..RoomOptions::default() });
    for n in 0..10 {
        stage.step(&input(&format!("+0 press ?{n} -")), now(0));
    }
    let last = stage.room.alerts().last().unwrap();
    assert_eq!(stage.room.alerts().count(), 4);
    assert_eq!((last.subject.to_string().as_str(), last.count), ("unparsed:*overflow*", 7));
    let known = stage.step(&input("+1 press 22/800 -"), now(1));
    assert!(matches!(known.verdict, Verdict::Raised(_)), "a readable id is never folded");
    stage.step(&input("+2 close 1 by kim resolved"), now(2));
    stage.step(&input("+2 close 2 by kim resolved"), now(2));
    let after = stage.step(&input("+3 press ?new -"), now(3));
    assert!(matches!(after.verdict, Verdict::Raised(_)), "and there is room again once alerts are closed");
}

#[test]
fn closed_alerts_leave_memory_oldest_first_and_numbers_never_return() {
    let mut stage = Stage::new(RoomOptions { closed_max: 2, ..RoomOptions::default() });
    for n in 1..=4 {
        stage.step(&input(&format!("+0 press 22/{n} e@{n}")), now(n));
        stage.step(&input(&format!("+0 close {n} by kim resolved")), now(n));
    }
    let numbers: Vec<u64> = stage.room.alerts().map(|alert| alert.id.number).collect();
    assert_eq!(numbers, [3, 4]);
    assert_eq!(stage.room.forgotten_seq(), 4, "the second alert's last record");
    assert!(stage.room.alerts().all(|alert| alert.seq > 4));
    let gone = stage.step(&input("+9 ack 1 by kim"), now(9));
    assert!(matches!(gone.verdict, Verdict::Refused(Refusal::Unknown(_))));
    let next = stage.step(&input("+9 press 22/9 e@9"), now(9));
    assert_eq!(next.verdict.alert_id().unwrap().number, 5);
    assert_eq!(stage.replayed().alerts().count(), 3);
}

#[test]
fn forgotten_presses_raise_again_rather_than_being_lost() {
    let mut stage = Stage::new(RoomOptions { dedup_max: 1, ..RoomOptions::default() });
    stage.step(&input("+0 press 22/1 e@0"), now(0));
    stage.step(&input("+0 close 1 by kim resolved"), now(0));
    stage.step(&input("+1 press 22/2 e@1"), now(1));
    assert!(matches!(stage.step(&input("+2 press 22/1 e@0"), now(2)).verdict, Verdict::Raised(_)));
}

#[test]
fn while_nothing_can_be_recorded_alarms_show_as_not_durable() {
    let mut stage = Stage::new(RoomOptions::default());
    stage.step(&input("+0 press 22/1 e@0"), now(0));
    let waiting = [input("+1 press 22/1 e@1"), input("+2 press 22/2 e@2")];
    let mut shown = stage.room.clone();
    for pending in &waiting {
        shown = shown.overlay(&shown.decide(pending, now(2)));
    }
    assert_eq!(shown.alerts().map(|a| (a.count, a.durable)).collect::<Vec<_>>(), [(2, false), (1, false)]);
    assert_eq!(stage.room.alerts().map(|a| (a.count, a.durable)).collect::<Vec<_>>(), [(1, true)]);
    for pending in &waiting {
        stage.step(pending, now(60));
    }
    assert_eq!(stage.room.alerts().map(|a| (a.count, a.durable)).collect::<Vec<_>>(), [(2, true), (1, true)]);
    let ids = |room: &room::ControlRoom| room.alerts().map(|a| a.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&shown), ids(&stage.room), "the numbers already spoken stay");
}
