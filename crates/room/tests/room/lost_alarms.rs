//! The ten ways in which public trackers lose a driver's alarm. Here each raises exactly once.

use alert::{AlarmKind, AlarmReport};
use room::{Input, RoomOptions, Verdict};
use transit::{Fix, Status, UtcMillis};

use crate::script::{Stage, at, now, report};

const DAY: i64 = 86_400;

/// An alarm with an id and a time of its own, as devices send it.
fn pressed(event_at: i64) -> AlarmReport {
    AlarmReport {
        event_id: Some("e1".to_owned()),
        event_time: Some(at(event_at)),
        fix: Some(Fix::at(60.17, 24.94)),
        fingerprint: alert::Fingerprint(u128::from(event_at.unsigned_abs()) + 7),
        ..report("22/800", 0)
    }
}

/// Delivers `report` twice, as a broker does that missed our acknowledgement.
fn raises_exactly_once(case: &str, mut stage: Stage, report: AlarmReport) {
    let before = stage.room.alerts().count();
    let again = Input::Alarm(Box::new(AlarmReport { dup: true, ..report.clone() }));
    let first = stage.step(&Input::Alarm(Box::new(report)), now(0));
    assert!(matches!(first.verdict, Verdict::Raised(_)), "{case}: {:?}", first.verdict);
    let second = stage.step(&again, now(1));
    assert!(matches!(second.verdict, Verdict::Duplicate(_)), "{case}: {:?}", second.verdict);
    assert_eq!(stage.room.alerts().count(), before + 1, "{case}");
}

#[test]
fn each_of_the_ten_lost_alarms_raises_exactly_once() {
    let empty = || Stage::new(RoomOptions::default());
    let place = |lat, lon| AlarmReport { fix: Some(Fix::at(lat, lon)), ..pressed(0) };
    raises_exactly_once("no fix", empty(), AlarmReport { fix: None, ..pressed(0) });
    raises_exactly_once("zero coordinates", empty(), place(0.0, 0.0));
    raises_exactly_once("stamp a day ahead", empty(), pressed(DAY));
    raises_exactly_once("stamp more than a day ahead", empty(), pressed(DAY + 1));
    raises_exactly_once("an hour behind", empty(), pressed(-3600));
    raises_exactly_once("unknown device", empty(), AlarmReport { event_id: None, ..pressed(0) });

    let mut other = Fix::at(60.17, 24.94);
    other.speed_mps = Some(400.0);
    raises_exactly_once("speed filter", empty(), AlarmReport { fix: Some(other), ..pressed(0) });

    // The same vehicle, standing at the same place, with an earlier alarm that was dealt with.
    let dealt_with = || {
        let mut stage = empty();
        stage.step(&Input::Alarm(Box::new(pressed(-60))), now(-60));
        stage.step(&crate::script::input("+0 close 1 by kim resolved"), now(-30));
        stage
    };
    raises_exactly_once("duplicate position", dealt_with(), pressed(0));
    raises_exactly_once("static vehicle", dealt_with(), AlarmReport { event_id: Some("e2".to_owned()), ..pressed(0) });
    let equal = AlarmReport { event_time: None, event_id: None, ..pressed(-60) };
    let mut stage = empty();
    stage.step(&Input::Alarm(Box::new(equal.clone())), now(-60));
    stage.step(&crate::script::input("+0 close 1 by kim resolved"), now(-30));
    raises_exactly_once("equal to the previous alarm", stage, equal);
}

#[test]
fn a_flushed_batch_raises_every_alarm_in_it() {
    let mut stage = Stage::new(RoomOptions::default());
    for vehicle in 0..60 {
        let report = AlarmReport { subject: report(&format!("22/{vehicle}"), 0).subject, ..pressed(-3600 + vehicle) };
        let decision = stage.step(&Input::Alarm(Box::new(report)), now(0));
        assert!(matches!(decision.verdict, Verdict::Raised(_)));
    }
    assert_eq!(stage.room.alerts().filter(|a| a.is_open() && a.quality.contains(&"late".to_owned())).count(), 60);
    assert_eq!(stage.room.alerts().next().unwrap().late_by_ms(), Some(3_600_000));
}

#[test]
fn a_press_that_is_sent_again_as_something_else_raises_and_the_same_one_does_not() {
    let mut stage = Stage::new(RoomOptions::default());
    let mut tell = |report: AlarmReport| stage.step(&Input::Alarm(Box::new(report)), now(0)).verdict;
    let printed = |n| alert::Fingerprint(n);
    let call = AlarmReport { kind: AlarmKind::CallRequest, fingerprint: printed(1), ..pressed(-5) };
    let drill = AlarmReport { status: Status::Exercise, fingerprint: printed(2), ..pressed(-5) };
    let all = [call, drill, pressed(-5)];
    for report in &all {
        assert!(matches!(tell(report.clone()), Verdict::Raised(_)), "{report:?}");
    }
    for report in &all {
        assert!(matches!(tell(report.clone()), Verdict::Duplicate(_)), "{report:?}");
    }
}

#[test]
fn a_device_whose_clock_stands_still_is_heard_again_the_next_day() {
    let mut stage = Stage::new(RoomOptions::default());
    let stopped = Some(UtcMillis(1_577_836_800_000));
    for day in 0..2 {
        let report = AlarmReport { event_time: stopped, ..pressed(day * 86_400) };
        let verdict = stage.step(&Input::Alarm(Box::new(report)), now(day * 86_400)).verdict;
        assert!(matches!(verdict, Verdict::Raised(_) | Verdict::Repeated { .. }), "{verdict:?}");
        stage.step(&crate::script::input("+0 close 1 by kim resolved"), now(day * 86_400 + 1));
    }
}
