//! The health of feeds: silent, frozen, partial, with fleets of every size and of none.

use std::fmt::Write;

use expect_test::{Expect as Snapshot, expect};
use picture::{Expect, FeedCondition, FeedPolicy, Link, PictureOptions};
use transit::{Journey, JourneyState, Observation, ServiceHours};

use crate::stage::{Stage, feed, instant, message, position};

fn stage_expecting(expect: Expect) -> Stage {
    let policy = FeedPolicy { expect, ..FeedPolicy::of(feed("f")) };
    Stage::new(PictureOptions { feeds: vec![policy], ..PictureOptions::default() })
}

/// An in-service report of vehicle `n`: standing still, the stamp given.
fn report(n: usize, stamp_s: f64) -> Observation {
    let journey = Journey { state: Some(JourneyState::InService), ..Journey::default() };
    Observation { journey: Some(journey), ..position(&n.to_string(), stamp_s, 60.0, 25.0) }
}

fn condition(stage: &Stage) -> FeedCondition {
    stage.last.feeds[&feed("f")].condition
}

/// Plays a fleet second by second, each vehicle reporting every 10 s, and writes down each change of condition.
/// `speaks` says whether a vehicle reports at a second, and with which stamp.
fn play(
    stage: &mut Stage,
    fleet: usize,
    seconds: std::ops::Range<usize>,
    speaks: impl Fn(usize, usize) -> Option<f64>,
) -> String {
    let mut log = String::new();
    let mut before = None;
    for second in seconds {
        stage.at(second as f64);
        for n in (0..fleet).filter(|n| n % 10 == second % 10) {
            if let Some(stamp_s) = speaks(n, second) {
                stage.say(&report(n, stamp_s));
            }
        }
        stage.publish();
        let now = condition(stage);
        if before != Some(now) {
            writeln!(log, "{second} {}", transit::Word::word(now)).unwrap();
            before = Some(now);
        }
    }
    log
}

fn check(fleet: usize, speaks: impl Fn(usize, usize) -> Option<f64>, expected: Snapshot) {
    expected.assert_eq(&play(&mut stage_expecting(Expect::Recent), fleet, 0..900, speaks));
}

fn always(_: usize, second: usize) -> Option<f64> {
    Some(second as f64)
}

#[test]
fn no_vehicle_is_not_good() {
    check(
        0,
        always,
        expect![[r#"
        0 unheard
    "#]],
    );
    expect![[r#"
        0 unheard
        301 silent
    "#]]
    .assert_eq(&play(&mut stage_expecting(Expect::Always), 0, 0..900, always));
}

/// A feed whose hours are these, in UTC; second 0 is a Monday's 08:00.
fn stage_in_hours(hours: &str) -> Stage {
    let hours = ServiceHours::parse(&[hours], jiff::tz::TimeZone::UTC).unwrap();
    let policy = FeedPolicy { expect: Expect::Hours, hours: Some(hours), ..FeedPolicy::of(feed("f")) };
    Stage::new(PictureOptions { feeds: vec![policy], ..PictureOptions::default() })
}

#[test]
fn i13_in_hours_of_service_silence_counts_with_no_vehicle_known_and_outside_it_does_not() {
    // Of a feed that nothing is known of, five minutes are a silence.
    for (hours, expected) in [
        ("04:30-25:30", "0 unheard\n301 silent\n"),
        ("18:00-08:00", "0 unheard\n"),
        // It begins after a while: the silence before that is nobody's fault.
        ("Mo 08:05-09:00", "0 unheard\n601 silent\n"),
        ("Tu 08:05-09:00", "0 unheard\n"),
        ("04:30-08:10", "0 unheard\n301 silent\n600 unheard\n"),
    ] {
        assert_eq!(play(&mut stage_in_hours(hours), 0, 0..900, always), expected, "{hours}");
    }
}

#[test]
fn i13_a_fleet_that_falls_silent_is_missed_in_its_hours_and_not_after_them() {
    let speaks = |_: usize, second: usize| (second < 400).then_some(second as f64);
    for fleet in [1, 6, 19, 20, 100] {
        let log = play(&mut stage_in_hours("04:30-25:30"), fleet, 0..900, speaks);
        assert!(log.ends_with(" silent\n") && log.matches("silent").count() == 1, "{fleet}: {log}");
        let log = play(&mut stage_in_hours("04:30-08:00"), fleet, 0..900, speaks);
        assert!(log.ends_with(" quiet\n") && !log.contains("silent"), "{fleet}: {log}");
    }
}

#[test]
fn a_fleet_that_stands_still_but_reports_is_good() {
    for fleet in [1, 6, 19, 20, 100] {
        let log = play(&mut stage_expecting(Expect::Recent), fleet, 0..900, always);
        assert_eq!(log, "0 good\n", "{fleet} vehicles");
    }
}

#[test]
fn a_fleet_of_9000_is_judged_like_the_others() {
    let mut stage = stage_expecting(Expect::Recent);
    let log = play(&mut stage, 9_000, 0..200, |n, second| (second < 70 || n % 4 > 0).then_some(second as f64));
    expect![[r#"
        0 good
        157 partial
    "#]]
    .assert_eq(&log);
    assert_eq!(stage.last.feeds[&feed("f")].vehicles, 9_000);
}

#[test]
fn a_feed_that_falls_silent_is_silent_whatever_its_size() {
    for fleet in [1, 6, 19, 20] {
        let mut stage = stage_expecting(Expect::Recent);
        let log = play(&mut stage, fleet, 0..900, |_, second| (second <= 200).then_some(second as f64));
        let expected = match fleet {
            1 => "0 good\n301 silent\n",
            _ => "0 good\n231 silent\n",
        };
        assert_eq!(log, expected, "{fleet} vehicles");
        // It stays so: nobody is expected any more, but silence is never cleared by silence.
        assert_eq!(play(&mut stage, fleet, 900..3000, |_, _| None), "900 silent\n");
        let again = play(&mut stage, fleet, 3000..3200, always);
        assert!(again.starts_with("3000 ") && again.ends_with("good\n"), "{fleet} vehicles: {again}");
    }
}

#[test]
fn silence_without_service_is_quiet() {
    let mut stage = stage_expecting(Expect::Recent);
    for second in 0..100 {
        let journey = Journey { state: Some(JourneyState::SignedOff), ..Journey::default() };
        stage.at(f64::from(second)).say(&Observation { journey: Some(journey), ..message("1", f64::from(second)) });
        stage.publish();
    }
    stage.at(140.0).publish();
    assert_eq!(condition(&stage), FeedCondition::Quiet);
}

#[test]
fn stamps_that_stand_still_are_a_frozen_feed() {
    // Messages go on with a new content each, but with the stamp of second 300.
    for fleet in [1, 6, 19, 20, 100] {
        let mut stage = stage_expecting(Expect::Recent);
        let log = play(&mut stage, fleet, 0..700, |_, second| Some(second.min(300) as f64));
        let (at, word) = log.lines().last().and_then(|l| l.split_once(' ')).unwrap();
        assert_eq!(word, "frozen", "{fleet} vehicles: {log}");
        assert!((450..=490).contains(&at.parse::<usize>().unwrap()), "{fleet} vehicles: {log}");
        let thawed = play(&mut stage, fleet, 700..1200, always);
        assert!(thawed.ends_with("good\n"), "{fleet} vehicles: {thawed}");
    }
}

#[test]
fn a_fleet_whose_clocks_all_run_ahead_is_skewed_not_frozen() {
    let mut stage = stage_expecting(Expect::Recent);
    let log = play(&mut stage, 20, 0..900, |_, second| Some(second as f64 + 600.0));
    assert_eq!(log, "0 good\n");
    let record = &stage.last.feeds[&feed("f")];
    assert_eq!((record.skewed_vehicles, record.lag_ms_min), (20, Some(-600_000)));
}

#[test]
fn a_silent_feed_that_comes_back_with_old_stamps_is_not_silent() {
    let mut stage = stage_expecting(Expect::Recent);
    play(&mut stage, 20, 0..400, |_, second| (second < 200).then_some(second as f64));
    assert_eq!(condition(&stage), FeedCondition::Silent);
    let log = play(&mut stage, 20, 400..800, |n, _| Some(190.0 + (n % 10) as f64));
    assert!(log.contains("frozen") && !log.ends_with("silent\n"), "{log}");
}

#[test]
fn a_feed_of_slow_reporters_is_not_silent_between_them() {
    let mut stage = stage_expecting(Expect::Recent);
    let log = play(&mut stage, 3, 0..3600, |n, second| second.is_multiple_of(120).then_some((second + n) as f64));
    assert_eq!(log, "0 good\n");
}

#[test]
fn one_vehicle_in_five_that_still_advances_does_not_hide_a_frozen_feed() {
    let frozen = |n: usize, second: usize| Some(if n.is_multiple_of(5) { second } else { second.min(300) } as f64);
    let log = play(&mut stage_expecting(Expect::Recent), 100, 0..700, frozen);
    assert!(log.contains("frozen"), "{log}");
    let half = |n: usize, second: usize| Some(if n.is_multiple_of(2) { second } else { second.min(300) } as f64);
    let log = play(&mut stage_expecting(Expect::Recent), 100, 0..700, half);
    assert!(!log.contains("frozen"), "{log}");
}

/// Parked for the night with the device on: the last stamp is repeated.
#[test]
fn parked_vehicles_that_repeat_their_last_stamp_do_not_freeze_those_that_drive() {
    let off = Journey { state: Some(JourneyState::SignedOff), ..Journey::default() };
    for signed_off in [true, false] {
        let mut stage = stage_expecting(Expect::Recent);
        let mut bad = None;
        for second in 0..6_000_usize {
            stage.at(second as f64);
            for n in (0..100).filter(|n| n % 10 == second % 10) {
                // 85 are parked one after another in half an hour; 15 drive on and are parked later, the last one, too.
                let parked_at = if n < 85 { 300 + n * 20 } else { 3_000 + (n - 85) * 40 };
                let mut report = report(n, second.min(parked_at) as f64);
                report.content ^= (second as u64) << 32;
                if signed_off && second >= parked_at {
                    report.journey = Some(off.clone());
                }
                stage.say(&report);
            }
            stage.publish();
            if condition(&stage) != FeedCondition::Good {
                bad.get_or_insert((second, condition(&stage)));
            }
        }
        assert_eq!(bad, None, "signed off: {signed_off}");
    }
}

#[test]
fn those_that_drive_while_most_are_parked_are_found_frozen_together() {
    let mut stage = stage_expecting(Expect::Recent);
    let stamp = |n: usize, second: usize| Some(second.min(if n < 85 { 300 + n * 20 } else { 4_000 }) as f64);
    assert_eq!(play(&mut stage, 100, 0..3_990, stamp), "0 good\n");
    let log = play(&mut stage, 100, 3_990..9_000, stamp);
    let (at, word) = log.lines().last().and_then(|l| l.split_once(' ')).unwrap();
    assert_eq!(word, "frozen", "{log}");
    assert!((4_150..=4_190).contains(&at.parse::<usize>().unwrap()), "{log}");
}

#[test]
fn a_frozen_feed_does_not_thaw_by_waiting() {
    let mut stage = stage_expecting(Expect::Recent);
    let frozen = |_: usize, second: usize| Some(second.min(300) as f64);
    play(&mut stage, 20, 0..700, frozen);
    assert_eq!(play(&mut stage, 20, 700..12_000, frozen), "700 frozen\n");
    // A few that advance do not thaw it either, nor do those that did and are parked then.
    let few = |n: usize, second: usize| Some(if n < 3 { second.min(14_000) } else { 300 } as f64);
    assert_eq!(play(&mut stage, 20, 12_000..18_000, few), "12000 frozen\n");
    assert!(!stage.last.feeds[&feed("f")].stamps_move);
    let thawed = play(&mut stage, 20, 18_000..18_500, always);
    assert!(thawed.ends_with("good\n"), "{thawed}");
    assert!(stage.last.feeds[&feed("f")].stamps_move);
}

/// The process began while the feed was frozen.
#[test]
fn a_feed_frozen_before_we_began_is_found_however_old_its_stamps_are() {
    for (frozen_for_s, retained) in [(60.0, false), (600.0, false), (36_000.0, false), (36_000.0, true)] {
        let mut stage = stage_expecting(Expect::Recent);
        if retained {
            for n in 0..20 {
                stage.say(&Observation { retained: true, ..report(n, -frozen_for_s) });
            }
        }
        let log = play(&mut stage, 20, 0..1_800, |_, _| Some(-frozen_for_s));
        assert!(log.ends_with("frozen\n"), "for {frozen_for_s} s, retained {retained}: {log}");
        assert!(!stage.last.feeds[&feed("f")].stamps_move);
    }
}

#[test]
fn stamps_are_said_to_move_only_when_they_have_been_seen_to_do_so_for_two_minutes() {
    let mut stage = stage_expecting(Expect::Recent);
    let mut moving_from = None;
    for second in 0..400 {
        // A message each first: nothing has moved yet.
        play(&mut stage, 20, second..second + 1, |_, s| (!(10..100).contains(&s)).then_some(s as f64));
        if stage.last.feeds[&feed("f")].stamps_move {
            moving_from.get_or_insert(second);
        }
    }
    assert!(moving_from.is_some_and(|from| (220..=240).contains(&from)), "{moving_from:?}");
}

#[test]
fn a_part_of_the_fleet_that_falls_silent_makes_the_feed_partial() {
    // (fleet, how many fall silent at second 200, whether that is partial)
    let table = [
        (1, 0, false),
        (6, 2, false),
        (6, 3, true),
        (19, 9, false),
        (19, 10, true),
        (20, 9, false),
        (20, 10, true),
        (100, 19, false),
        (100, 20, true),
        (200, 39, false),
        (200, 40, true),
    ];
    for (fleet, lost, partial) in table {
        let mut stage = stage_expecting(Expect::Recent);
        let log = play(&mut stage, fleet, 0..400, |n, s| (s < 200 || n >= lost).then_some(s as f64));
        assert_eq!(log.contains("partial"), partial, "{lost} of {fleet} lost:\n{log}");
    }
}

#[test]
fn a_partial_feed_stays_partial_until_its_vehicles_are_back_for_two_minutes() {
    let mut stage = stage_expecting(Expect::Recent);
    let log = play(&mut stage, 100, 0..5000, |n, s| (!(200..4000).contains(&s) || n >= 30).then_some(s as f64));
    expect![[r#"
        0 good
        287 partial
        4126 good
    "#]]
    .assert_eq(&log);
}

#[test]
fn vehicles_that_sign_off_are_not_missing() {
    let mut stage = stage_expecting(Expect::Recent);
    let mut log = play(&mut stage, 100, 0..200, always);
    for n in 0..80 {
        let journey = Journey { state: Some(JourneyState::SignedOff), ..Journey::default() };
        stage.say(&Observation { journey: Some(journey), ..message(&n.to_string(), 199.5) });
    }
    log += &play(&mut stage, 100, 200..800, |n, s| (n >= 80).then_some(s as f64));
    assert_eq!(log, "0 good\n200 good\n");
}

/// The end of a day without a sign-off: each vehicle falls silent by itself, the last one too.
#[test]
fn vehicles_that_fall_silent_one_after_another_went_home() {
    for (fleet, every_s) in [(20, 60), (60, 15), (200, 5)] {
        let mut stage = stage_expecting(Expect::Recent);
        let going = |n: usize, s: usize| (s < 1_000 + n * every_s).then_some(s as f64);
        let log = play(&mut stage, fleet, 0..4_000, going);
        assert!(!log.contains("partial") && !log.contains("silent"), "{fleet} vehicles, one every {every_s} s:\n{log}");
        assert_eq!(condition(&stage), FeedCondition::Quiet, "{fleet} vehicles, one every {every_s} s");
        let morning = play(&mut stage, fleet, 4_000..4_300, always);
        assert!(morning.ends_with("good\n") && !morning.contains("silent"), "{fleet} vehicles: {morning}");
    }
}

/// An outage in the evening is none the less one.
#[test]
fn many_that_fall_silent_together_while_others_go_home_are_missing() {
    let mut stage = stage_expecting(Expect::Recent);
    let log = play(&mut stage, 200, 0..2_000, |n, s| {
        let gone = s >= 1_000 + n * 10 || (s >= 1_500 && n >= 130);
        (!gone).then_some(s as f64)
    });
    assert!(log.contains("partial"), "{log}");
}

#[test]
fn a_link_that_is_down_is_said_at_once_and_is_nobody_elses_fault() {
    let mut stage = stage_expecting(Expect::Recent);
    play(&mut stage, 100, 0..200, always);
    let link = |up, second| Link { feed: feed("f"), up, since: instant(second) };
    stage.links = vec![link(false, 200.0)];
    assert_eq!(play(&mut stage, 100, 200..900, |_, _| None), "200 link_down\n");
    // One of two sessions is enough.
    stage.links = vec![link(false, 200.0), link(true, 900.0)];
    assert_eq!(play(&mut stage, 100, 900..1100, always), "900 good\n");
}

#[test]
fn a_feed_says_its_figures() {
    let mut stage = stage_expecting(Expect::Recent);
    for second in 0..60 {
        for id in 0..10 {
            let mut o = report(id, f64::from(second));
            stage.at(f64::from(second) + 0.5).say(&o);
            o.content ^= 1 << 40;
            stage.say(&o);
        }
        stage.publish();
    }
    let record = &stage.last.feeds[&feed("f")];
    assert_eq!((record.received, record.vehicles, record.by_freshness), (1200, 10, [10, 0, 0, 0]));
    assert_eq!((record.lag_ms_min, record.lag_ms_typical), (Some(500), Some(500)));
    assert!((record.rate_per_s - 20.0).abs() < 1.0, "{}", record.rate_per_s);
    assert_eq!((record.interval_s, record.skewed_vehicles), (Some(1.0), 0));
    assert_eq!(record.last_message_at, Some(instant(59.5).utc));
}
