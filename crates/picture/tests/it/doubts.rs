//! Stamps from the future, skewed clocks, flushed buffers, impossible places.

use picture::{Freshness, PictureOptions, QualityFlag, ServiceArea};
use transit::{Observation, UtcMillis};

use crate::stage::{START_MS, Stage, instant, message, position, utc, vehicle};

fn stage() -> Stage {
    Stage::new(PictureOptions::default())
}

#[test]
fn a_stamp_of_the_year_2099_is_shown_with_a_flag_and_the_next_good_one_shows_again() {
    let mut stage = stage();
    stage.say(&position("1", 0.0, 60.0, 25.0));
    let far = 4_070_908_800.0 - START_MS as f64 / 1000.0;
    stage.at(1.0).say(&position("1", far, 60.0001, 25.0));
    let shown = stage.shown("1");
    assert!(shown.quality.contains(QualityFlag::ClockAhead));
    assert_eq!(shown.coordinate.map(|c| c.lat()), Some(60.0001));
    assert_eq!(shown.event_time, UtcMillis(4_070_908_800_000), "the device's own stamp stays visible");
    assert_eq!(shown.received_at, utc(1.0));
    assert_eq!(shown.age_ms(utc(3.0)), 2_000, "its receive time counts");
    let keys = stage.picture.order_keys(&vehicle("1")).unwrap();
    assert_eq!(keys.find(picture::Group::Heard).map(|k| k.event_time), Some(utc(0.0)), "no high-water mark");

    stage.at(2.0).say(&position("1", 2.0, 60.0002, 25.0));
    let shown = stage.shown("1");
    assert!(!shown.quality.contains(QualityFlag::ClockAhead));
    assert_eq!((shown.coordinate.map(|c| c.lat()), shown.event_time), (Some(60.0002), utc(2.0)));
}

#[test]
fn a_vehicle_whose_clock_is_always_ahead_is_live_flagged_and_ages() {
    let mut stage = stage();
    for n in 0..5 {
        stage.at(f64::from(n)).say(&position("1", 3600.0 + f64::from(n), 60.0 + f64::from(n) * 1e-4, 25.0));
    }
    let shown = stage.shown("1");
    assert_eq!((shown.freshness, shown.coordinate.map(|c| c.lat())), (Freshness::Live, Some(60.0004)));
    assert!(shown.quality.contains(QualityFlag::ClockAhead));
    assert_eq!(stage.last.feeds[&shown.feed].skewed_vehicles, 1);
    assert_eq!(stage.at(40.0).freshness("1"), Freshness::Aging);
}

#[test]
fn a_copy_of_a_message_from_the_future_does_not_refresh_it() {
    let mut stage = stage();
    let ahead = position("1", 3600.0, 60.0, 25.0);
    stage.say(&ahead);
    stage.at(10.0).say(&position("1", 10.0, 60.0001, 25.0));
    assert_eq!(stage.at(11.0).say(&ahead), picture::Folded::Duplicate);
    assert_eq!(stage.shown("1").event_time, utc(10.0));
}

#[test]
fn a_clock_set_back_from_2099_to_tomorrow_is_followed() {
    let mut stage = stage();
    stage.say(&position("1", 2e9, 60.0, 25.0));
    stage.at(1.0).say(&position("1", 86_400.0, 60.0001, 25.0));
    assert_eq!(stage.shown("1").event_time, utc(86_400.0));
}

#[test]
fn a_skewed_clock_becomes_live_once_its_lags_agree_and_keeps_its_flag() {
    let mut stage = stage();
    for n in 0..15 {
        stage.at(f64::from(n)).say(&position("1", f64::from(n) - 3600.0, 60.0, 25.0));
        let expected = if n < 10 { Freshness::Lost } else { Freshness::Live };
        assert_eq!(stage.freshness("1"), expected, "after {n} s");
    }
    let shown = stage.shown("1");
    assert!(shown.quality.contains(QualityFlag::ClockBehind));
    assert_eq!((shown.offset_ms, shown.age_ms(utc(14.0))), (3_600_000, 0));
    assert_eq!(stage.last.view.counts.skewed, 1);
}

#[test]
fn a_flushed_buffer_is_as_old_as_it_says_until_it_has_caught_up() {
    let mut stage = stage();
    // Ten minutes of stamps within ten seconds.
    for n in 0..600 {
        stage.at(f64::from(n) / 60.0).say(&position("1", f64::from(n) - 600.0, 60.0, 25.0));
        let shown = stage.shown("1");
        let true_age_s = f64::from(n) / 60.0 - (f64::from(n) - 600.0);
        let limit = if true_age_s > 360.0 {
            Freshness::Lost
        } else if true_age_s > 90.0 {
            Freshness::Stale
        } else {
            continue;
        };
        assert_eq!(shown.freshness, limit, "{true_age_s} s old");
        assert!(!shown.quality.contains(QualityFlag::ClockBehind));
    }
    assert_eq!(stage.freshness("1"), Freshness::Live);
}

#[test]
fn an_old_recording_is_lost_and_flagged() {
    let mut stage = stage();
    for n in 0..20 {
        stage.at(f64::from(n)).say(&position("1", f64::from(n) - 2e8, 60.0, 25.0));
    }
    let shown = stage.shown("1");
    assert_eq!((shown.freshness, shown.offset_ms), (Freshness::Lost, 0));
    assert!(shown.quality.contains(QualityFlag::ClockBehind));
}

#[test]
fn a_step_of_our_own_clock_by_an_hour_makes_nobody_stale_or_skewed() {
    for step_s in [3600.0, -3600.0] {
        let mut stage = stage();
        for n in 0..60 {
            let second = f64::from(n);
            stage.at(second);
            if n >= 30 {
                stage.now.utc = utc(second + step_s);
            }
            stage.say(&position("1", second, 60.0, 25.0));
            let shown = stage.shown("1");
            assert_eq!(shown.freshness, Freshness::Live, "at {n} s, step {step_s}");
            assert!(!shown.quality.is_skewed(), "at {n} s, step {step_s}");
            assert_eq!(shown.age_ms(stage.now.utc), 0);
        }
        // Silent since the step: ages on the clock that did not step.
        stage.at(80.0).now.utc = utc(80.0 + step_s);
        assert_eq!(stage.freshness("1"), Freshness::Live);
        stage.at(100.0).now.utc = utc(100.0 + step_s);
        assert_eq!(stage.freshness("1"), Freshness::Aging);
    }
}

#[test]
fn suspect_places_are_shown_with_their_flag_and_stay_out_of_the_trail() {
    let table = [
        (0.0, 0.0, QualityFlag::NullIsland, true),
        (f64::NAN, 25.0, QualityFlag::NotFinite, false),
        (60.0, f64::INFINITY, QualityFlag::NotFinite, false),
        (91.0, 200.0, QualityFlag::OutOfRange, false),
        (124.0, 60.0, QualityFlag::SwappedAxes, false),
        (25.0, 60.0, QualityFlag::SwappedAxes, true),
        (61.0, 25.0, QualityFlag::Jump, true),
    ];
    for (lat, lon, flag, shown_at_all) in table {
        let mut stage = stage();
        stage.say(&position("1", 0.0, 60.0, 25.0));
        stage.at(20.0).say(&position("1", 20.0, lat, lon));
        let shown = stage.shown("1");
        assert!(shown.quality.contains(flag), "{lat}, {lon}: {:?}", shown.quality.iter().collect::<Vec<_>>());
        assert_eq!(shown.coordinate.is_some(), shown_at_all, "{lat}, {lon}");
        assert_eq!(stage.picture.trail(&vehicle("1")).unwrap().len(), 1, "{lat}, {lon}");
        stage.at(40.0).say(&position("1", 40.0, 60.001, 25.0));
        assert_eq!(stage.shown("1").quality.iter().count(), 0, "{lat}, {lon}: a good fix clears it");
        assert_eq!(stage.picture.trail(&vehicle("1")).unwrap().len(), 2);
    }
}

#[test]
fn the_service_area_tells_exchanged_axes_at_the_first_fix() {
    let area = ServiceArea::from([24.0, 59.9, 25.6, 60.6]);
    let mut stage = Stage::new(PictureOptions { service_area: Some(area), ..PictureOptions::default() });
    stage.say(&position("1", 0.0, 25.0, 60.0));
    assert!(stage.shown("1").quality.contains(QualityFlag::SwappedAxes));
}

#[test]
fn a_train_may_do_what_a_bus_may_not() {
    for (mode, jumps) in [(transit::Mode::Bus, true), (transit::Mode::Rail, false), (transit::Mode::Unknown, false)] {
        let mut stage = stage();
        let fix = |second: f64, lat| Observation { mode: Some(mode), ..position("1", second, lat, 25.0) };
        stage.say(&fix(0.0, 60.0));
        stage.at(10.0).say(&fix(10.0, 60.005));
        assert_eq!(stage.shown("1").quality.contains(QualityFlag::Jump), jumps, "{mode:?}: 556 m in 10 s");
    }
}

#[test]
fn a_null_position_still_updates_the_rest() {
    let mut stage = stage();
    stage.say(&position("1", 0.0, 60.0, 25.0));
    stage.at(5.0).say(&Observation { doors_open: Some(true), delay_s: Some(90), ..message("1", 5.0) });
    let shown = stage.shown("1");
    assert_eq!((shown.doors_open, shown.delay_s), (Some(true), Some(90)));
    assert_eq!((shown.coordinate.map(|c| c.lat()), shown.position_event_time), (Some(60.0), Some(utc(0.0))));
    assert_eq!((shown.event_time, shown.received_at), (utc(5.0), utc(5.0)));
}

#[test]
fn a_retained_leftover_is_known_but_never_fresh() {
    let mut stage = stage();
    let leftover = Observation { retained: true, ..position("1", -5.0, 60.0, 25.0) };
    stage.say(&leftover);
    let shown = stage.shown("1");
    assert!(shown.quality.contains(QualityFlag::Retained));
    assert_eq!(shown.freshness, Freshness::Stale);
    stage.at(1.0).say(&position("1", 1.0, 60.0, 25.0));
    let shown = stage.shown("1");
    assert!(!shown.quality.contains(QualityFlag::Retained));
    assert_eq!(shown.freshness, Freshness::Live);
    // Delivered again after a reconnect, or from the far future: nothing changes.
    stage.at(20.0).say(&leftover);
    stage.say(&Observation { retained: true, ..position("1", 99_999.0, 61.0, 25.0) });
    let shown = stage.shown("1");
    assert_eq!((shown.freshness, shown.event_time), (Freshness::Live, utc(1.0)));
    assert_eq!(stage.at(32.0).freshness("1"), Freshness::Aging);
}

#[test]
fn stamps_at_the_ends_of_time_do_no_harm() {
    let mut stage = stage();
    for stamp in [i64::MIN, i64::MAX, 0, i64::MIN + 1, i64::MAX - 1] {
        let o = Observation { event_time: UtcMillis(stamp), content: stamp as u64, ..position("1", 0.0, 60.0, 25.0) };
        stage.say(&o);
        stage.say(&Observation { retained: true, content: 3, ..o });
        stage.publish();
    }
    stage.now = instant(1e6);
    assert!(stage.find("1").is_none(), "forgotten after its day");
}
