//! What is new of a vehicle, in text: trail and report in, points out.

use expect_test::{Expect, expect};
use transit::FeedId;

use super::*;

const T0: UtcMillis = UtcMillis(1_795_420_800_000);

fn trail(seconds: &[i64]) -> Vec<TrailPoint> {
    let point = |second: &i64| TrailPoint {
        at: T0.plus_millis(second * 1000),
        coordinate: Coordinate::parse(60.0, 25.0).unwrap(),
    };
    seconds.iter().map(point).collect()
}

/// As reported at a second, heard 400 ms later.
fn report(second: i64) -> VehicleRecord {
    let mut record = VehicleRecord::unknown(VehicleKey::parse("22/1").unwrap(), FeedId::parse("native").unwrap());
    record.event_time = T0.plus_millis(second * 1000 + 700);
    record.position_event_time = Some(record.event_time);
    record.received_at = record.event_time.plus_millis(400);
    record.coordinate = Some(Coordinate::parse(60.0, 25.0).unwrap());
    record.freshness = Freshness::Live;
    record
}

/// Looks several times, each time with what is known by then, and writes down what was new.
fn check(oldest_s: i64, looks: &[(&[i64], Option<VehicleRecord>)], expected: Expect) {
    let (mut cursor, mut told) = (Cursor::default(), String::new());
    for (seconds, record) in looks {
        let new = newer(&trail(seconds), record.as_ref(), cursor, T0.plus_millis(oldest_s * 1000));
        new.iter().for_each(|point| cursor.pass(point));
        let shown = |point: &RecordedPoint| {
            let flags: String = point.quality.iter().map(|flag| format!(" {}", transit::Word::word(flag))).collect();
            let heard = if point.received_at.is_some() { " heard" } else { "" };
            format!("{:+}{heard}{flags}", point.event_time.since(T0).div_euclid(1000))
        };
        told.push_str(&new.iter().map(shown).collect::<Vec<_>>().join(", "));
        told.push('\n');
    }
    expected.assert_eq(&told);
}

#[test]
fn the_first_look_takes_the_hour_and_every_later_one_only_what_is_new() {
    check(
        -60,
        &[
            (&[-75, -60, -45, -30, -15], Some(report(-2))),
            (&[-45, -30, -15, 0], Some(report(-2))),
            (&[-30, -15, 0, 5, 20], Some(report(21))),
            (&[-30, -15, 0, 5, 20], Some(report(21))),
            (&[-15, 0, 5, 20], None),
        ],
        expect![[r#"
            -60, -45, -30, -15, -2 heard
            +0
            +5, +20, +21 heard


        "#]],
    );
}

#[test]
fn a_report_of_the_second_that_the_trail_has_is_told_once_and_in_full() {
    check(
        -60,
        &[(&[0], Some(report(0))), (&[0, 15], Some(report(15)))],
        expect![[r#"
        +0 heard
        +15 heard
    "#]],
    );
}

#[test]
fn a_doubtful_report_is_kept_with_its_doubt_though_no_trail_has_it() {
    let mut jump = report(10);
    jump.quality.insert(QualityFlag::Jump);
    check(
        -60,
        &[(&[0], Some(jump.clone())), (&[0], Some(jump))],
        expect![[r#"
        +0, +10 heard jump

    "#]],
    );
}

#[test]
fn a_position_of_an_earlier_message_has_no_time_of_receipt() {
    let mut doors = report(30);
    doors.position_event_time = Some(T0.plus_millis(12_000));
    check(
        -60,
        &[(&[0], Some(doors))],
        expect![[r#"
        +0, +12
    "#]],
    );
}

#[test]
fn a_clock_a_day_ahead_keeps_nobody_out_once_it_is_set_right() {
    let mut ahead = report(86_400);
    ahead.quality.insert(QualityFlag::ClockAhead);
    (ahead.received_at, ahead.offset_ms) = (T0.plus_millis(20_000), -86_380_000);
    // The trail of such a vehicle is on our clock.
    check(
        -60,
        &[(&[5], Some(ahead)), (&[5, 20, 35], Some(report(50)))],
        expect![[r#"
        +5, +86400 heard clock_ahead
        +35, +50 heard
    "#]],
    );
}

#[test]
fn a_clock_an_hour_behind_is_judged_by_ours() {
    let mut behind = report(-3_600);
    behind.offset_ms = 3_600_000;
    check(
        -60,
        &[(&[-3_700, -3_650], Some(behind))],
        expect![[r#"
        -3650, -3600 heard
    "#]],
    );
}

#[test]
fn silence_is_told_with_its_beginning_and_never_guessed() {
    let said = |record: Option<&VehicleRecord>, last: Option<i64>| {
        let last = last.map(|second| T0.plus_millis(second * 1000));
        lack_of(record, last).map(|(what, since)| (what, since.map(|at| at.since(T0).div_euclid(1000))))
    };
    let live = report(0);
    let lost = VehicleRecord { freshness: Freshness::Lost, ..report(-900) };
    let placeless = VehicleRecord { coordinate: None, ..report(0) };
    assert_eq!(said(Some(&live), None), None);
    assert_eq!(said(Some(&lost), None), Some((LackKind::Silent, Some(-900))));
    assert_eq!(said(Some(&placeless), None), Some((LackKind::NoPosition, None)));
    assert_eq!(said(None, None), Some((LackKind::NeverHeard, None)));
    assert_eq!(said(None, Some(-40)), Some((LackKind::Silent, Some(-40))));
}
