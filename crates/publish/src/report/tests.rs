//! Who had an alert, what was not known, and in which order it is told.

use alert::{Acknowledgement, CloseReason, Closing, MarkStep};
use expect_test::{Expect, expect};
use picture::{Quality, QualityFlag};
use transit::{Coordinate, Word as _};

use super::*;
use crate::{
    recording::{PointFrom, RecordedFor},
    samples::{self, NOW},
};

/// `+5 kim: acknowledged -> active/acknowledged`, one line a change.
fn history(lines: &[(i64, &str, &str, &str)]) -> Vec<HistoryEntry> {
    let mut from = "none".to_owned();
    let mut all = Vec::new();
    for (number, (second, actor, reason, to)) in (1..).zip(lines) {
        all.push(HistoryEntry {
            seq: number,
            at: NOW.plus_millis(second * 1000),
            actor_kind: "person".to_owned(),
            actor: (*actor).to_owned(),
            desk: None,
            from: std::mem::replace(&mut from, (*to).to_owned()),
            to: (*to).to_owned(),
            reason: (*reason).to_owned(),
            comment: None,
            request_id: None,
            deed: None,
        });
    }
    all
}

fn owners(alert: &Alert, expected: Expect) {
    let shown = |tenure: &Tenure<'_>| {
        let second = |at: UtcMillis| at.since(NOW) / 1000;
        let until = tenure.until.map_or("now".to_owned(), |at| format!("+{}", second(at)));
        format!("{:?} +{} to {until} by {:?}\n", tenure.owner, second(tenure.from), tenure.ended_by)
    };
    expected.assert_eq(&tenures(alert).iter().map(shown).collect::<String>());
}

#[test]
fn who_had_it_and_when_follows_from_the_history() {
    let mut alert = samples::panic();
    alert.history = history(&[
        (0, "driver", "raised", "active/unacknowledged"),
        (5, "kim", "acknowledged", "active/acknowledged"),
        (6, "kim", "comment", "active/acknowledged"),
        (20, "driver", "re_alarmed", "active/unacknowledged"),
        (25, "lee", "acknowledged", "active/acknowledged"),
        (40, "lee", "handover", "active/acknowledged"),
        (50, "lee", "handover", "active/acknowledged"),
        (60, "park", "closed", "closed/acknowledged"),
    ]);
    let to_park = Deed::Handover { to: "park".to_owned(), desk: Some("north".to_owned()) };
    alert.history[6].deed = Some(Box::new(to_park));
    alert.closing = Some(Closing { reason: CloseReason::Resolved, at: NOW.plus_millis(60_000), by: None });
    owners(
        &alert,
        expect![[r#"
            Some("kim") +5 to +20 by Some("re_alarmed")
            Some("lee") +25 to +40 by Some("handover")
            None +40 to +50 by Some("handover")
            Some("park") +50 to +60 by Some("closed")
        "#]],
    );
}

#[test]
fn whoever_closes_what_nobody_had_is_its_owner_for_that_moment_and_a_source_is_none() {
    let mut alert = samples::panic();
    let raised = (0, "driver", "raised", "active/unacknowledged");
    alert.closing = Some(Closing { reason: CloseReason::FalseAlarm, at: NOW.plus_millis(9_000), by: None });
    alert.history = history(&[raised, (9, "kim", "closed", "closed/acknowledged")]);
    owners(
        &alert,
        expect![[r#"
        Some("kim") +9 to +9 by Some("closed")
    "#]],
    );
    alert.history = history(&[raised, (9, "radio", "closed", "closed/unacknowledged")]);
    owners(&alert, expect![[""]]);
}

/// A point so many seconds after now.
pub(crate) fn point(second: i64, flag: Option<QualityFlag>) -> RecordedPoint {
    let mut quality = Quality::default();
    flag.into_iter().for_each(|flag| quality.insert(flag));
    RecordedPoint {
        event_time: NOW.plus_millis(second * 1000),
        received_at: Some(NOW.plus_millis(second * 1000 + 400)),
        coordinate: Coordinate::parse(60.17, 24.94 + second as f64 * 1e-4).unwrap(),
        bearing: Some(90.0),
        speed_mps: Some(7.5),
        quality,
        from: PointFrom::Report,
    }
}

/// The subject with a gap and a doubt, one near, one that was never heard.
pub(crate) fn recording() -> Recording {
    let vehicle = |id: &str, why, points: Vec<RecordedPoint>| RecordedVehicle {
        key: VehicleKey::parse(id).unwrap(),
        why,
        distance_m: Some(12.4),
        recorded: u64::try_from(points.len()).unwrap(),
        doubtful: points.iter().filter(|p| p.doubts().next().is_some()).count().try_into().unwrap(),
        doubts: points.iter().flat_map(RecordedPoint::doubts).fold(Quality::default(), |mut all, flag| {
            all.insert(flag);
            all
        }),
        points,
    };
    let mut silent = Lack::of(LackKind::Silent);
    silent.vehicle = Some(VehicleKey::parse("22/800").unwrap());
    silent.since = Some(NOW);
    let mut never = Lack::of(LackKind::NeverHeard);
    never.vehicle = Some(VehicleKey::parse("22/9").unwrap());
    Recording {
        begun_at: NOW.plus_millis(-60_000),
        ended_at: None,
        place: Coordinate::parse(60.17, 24.94).ok(),
        radius_m: 2_000.0,
        before_minutes: 60,
        vehicles: vec![
            vehicle(
                "22/800",
                RecordedFor::Subject,
                vec![point(-30, None), point(0, Some(QualityFlag::Jump)), point(95, Some(QualityFlag::AtStop))],
            ),
            vehicle("22/7", RecordedFor::Near, vec![point(0, None)]),
            RecordedVehicle { distance_m: None, ..vehicle("22/9", RecordedFor::Member, Vec::new()) },
        ],
        lacks: vec![silent, never],
    }
}

/// An alert that was taken, marked in a stranger's words and passed on.
pub(crate) fn handled() -> Alert {
    let mut alert = samples::panic();
    alert.history = history(&[
        (-61, "driver", "raised", "active/unacknowledged"),
        (5, "kim", "acknowledged", "active/acknowledged"),
        (30, "kim", "mark", "active/acknowledged"),
        (60, "kim", "handover", "active/acknowledged"),
    ]);
    let mark = Mark {
        step: MarkStep::OnScene,
        party: Some("=cmd|' /C calc'!A0".to_owned()),
        reference: Some("[119](http://x.example)".to_owned()),
        time: Some(NOW.plus_millis(20_000)),
    };
    alert.history[2].deed = Some(Box::new(Deed::Mark(mark)));
    alert.history[2].comment = Some("<script>alert(1)</script>\n# not a heading | nor a cell www.x.example".to_owned());
    let handover = Deed::Handover { to: "lee".to_owned(), desk: Some("north".to_owned()) };
    alert.history[3].deed = Some(Box::new(handover));
    let taken = Acknowledgement { by: "lee".to_owned(), desk: None, at: NOW.plus_millis(60_000), seen: None };
    alert.acknowledgement = Some(taken);
    alert.text = Some("@everyone ![x](http://x.example/y.png) &lt;b&gt;".to_owned());
    alert
}

#[test]
fn what_was_not_known_is_listed_with_its_span() {
    let mut alert = handled();
    alert.quality = vec!["late".to_owned()];
    alert.received_at = alert.raised_at.plus_millis(-90_000);
    alert.event_id = None;
    let mut kept = recording();
    kept.vehicles[0].recorded = 300;
    let reported = |recorded| Reported { alert: &alert, recorded };
    let report = |recorded| Report { as_of: NOW, incident: None, alerts: vec![reported(recorded)], alerts_left_out: 2 };
    let shown = |report: &Report<'_>| -> String {
        let second = |at: Option<UtcMillis>| at.map(|at| at.since(NOW) / 1000);
        let line = |unknown: Unknown<'_>| {
            let Unknown { alert, lack } = unknown;
            let (since, until) = (second(lack.since), second(lack.until));
            let about = lack.vehicle.map_or(alert.map(ToString::to_string), |key| Some(key.to_string()));
            format!("{about:?} {} {since:?} {until:?} {:?} {:?}\n", lack.what.word(), lack.count, lack.detail)
        };
        report.unknown().into_iter().map(line).collect()
    };
    expect![[r#"
        None alerts_left_out None None Some(2) None
        Some("20261123-417") never_said None None None Some("event_id")
        Some("20261123-417") doubtful None None None Some("late")
        Some("20261123-417") not_durable Some(-151) Some(-61) None None
        Some("22/800") silent Some(0) Some(95) None None
        Some("22/9") never_heard None None None None
        Some("22/800") doubtful None None Some(1) Some("jump")
        Some("22/800") points_thinned None None Some(297) None
    "#]]
    .assert_eq(&shown(&report(Recorded::Kept(Box::new(kept)))));
    expect![[r#"
        None alerts_left_out None None Some(2) None
        Some("20261123-417") never_said None None None Some("event_id")
        Some("20261123-417") doubtful None None None Some("late")
        Some("20261123-417") not_durable Some(-151) Some(-61) None None
        Some("20261123-417") no_recording None None None None
    "#]]
    .assert_eq(&shown(&report(Recorded::Absent)));
}

#[test]
fn an_incident_tells_its_own_story_and_that_of_its_alerts_in_one_order() {
    let (mut incident, first) = (samples::flood(), handled());
    let mut second = samples::panic();
    second.id.number = 418;
    second.history = history(&[(1, "driver", "raised", "active/unacknowledged")]);
    incident.history = history(&[(0, "topis", "recorded", "active/severe"), (9, "topis", "updated", "active/severe")]);
    let reported = [&first, &second].map(|alert| Reported { alert, recorded: Recorded::NotMeant });
    let report = Report { as_of: NOW, incident: Some(&incident), alerts: reported.into(), alerts_left_out: 0 };
    let line = |line: &TimelineEntry<'_>| {
        format!("{} {} {}\n", line.entry.seq, line.alert.map_or(0, |id| id.number), line.entry.reason)
    };
    expect![[r#"
        1 0 recorded
        1 417 raised
        1 418 raised
        2 0 updated
        2 417 acknowledged
        3 417 mark
        4 417 handover
    "#]]
    .assert_eq(&report.timeline().iter().map(line).collect::<String>());
}

#[test]
fn who_is_still_missed_is_named_as_unknown() {
    let mut alert = samples::panic();
    alert.rule = UNACCOUNTED.to_owned();
    alert.origin = AlertOrigin::Detector;
    let missed = vec![alert::Subject::Vehicle(VehicleKey::parse("22/800").unwrap())];
    alert.evidence = Some(alert::Evidence { members: missed, ..alert::Evidence::default() });
    let named: Vec<_> = lacks_of_alert(&alert).into_iter().filter(|lack| lack.what == LackKind::Unaccounted).collect();
    assert_eq!(named.len(), 1);
    assert_eq!(
        (named[0].vehicle.as_ref().map(ToString::to_string), named[0].since),
        (Some("22/800".to_owned()), Some(alert.raised_at))
    );
}
