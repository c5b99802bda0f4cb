//! How vehicles age, are forgotten, and what a publication says of it.

use picture::{Expect, FeedPolicy, Freshness, PictureOptions};
use transit::{Mode, Observation};

use crate::stage::{Stage, feed, message, position, vehicle};

fn with_interval(interval_s: Option<f64>) -> Stage {
    let policy = FeedPolicy { interval_s, expect: Expect::Recent, ..FeedPolicy::of(feed("f")) };
    Stage::new(PictureOptions { feeds: vec![policy], ..PictureOptions::default() })
}

#[test]
fn a_vehicle_ages_by_itself_and_each_step_is_a_change() {
    let mut stage = with_interval(Some(1.0));
    stage.say(&position("1", 0.0, 60.0, 25.0));
    assert_eq!(stage.freshness("1"), Freshness::Live);
    let born = stage.last.revision;
    let mut changes = Vec::new();
    for second in 1..400 {
        if stage.at(f64::from(second)).publish().changed.vehicles {
            let record = &stage.last.upserts[0];
            assert_eq!(record.revision, stage.last.revision);
            changes.push((second, record.freshness));
        }
    }
    assert_eq!(changes, [(31, Freshness::Aging), (91, Freshness::Stale), (361, Freshness::Lost)]);
    assert!(stage.last.revision > born);
    assert_eq!(stage.last.view.counts.by_freshness, [0, 0, 0, 1]);
}

#[test]
fn copies_and_older_messages_do_not_refresh() {
    let mut stage = with_interval(Some(1.0));
    let newest = position("1", 0.0, 60.0, 25.0);
    stage.say(&newest);
    for second in 1..32 {
        stage.at(f64::from(second)).say(&newest);
        stage.say(&Observation { doors_open: Some(true), ..message("1", -f64::from(second)) });
    }
    assert_eq!(stage.freshness("1"), Freshness::Aging);
}

#[test]
fn a_configured_interval_moves_the_limits() {
    let mut stage = with_interval(Some(120.0));
    stage.say(&message("1", 0.0));
    for (second, expected) in [(240.0, Freshness::Live), (241.0, Freshness::Aging), (481.0, Freshness::Stale)] {
        assert_eq!(stage.at(second).freshness("1"), expected, "after {second} s");
    }
}

#[test]
fn an_interval_is_learned_shown_and_moves_vehicles_that_are_already_aging() {
    let mut stage = with_interval(None);
    stage.say(&message("silent", 0.0));
    for n in 0..8 {
        let second = f64::from(n) * 60.0;
        for id in ["1", "2", "3"] {
            stage.at(second).say(&message(id, second));
        }
        stage.publish();
        if n == 1 {
            // Three gaps teach nothing yet.
            assert_eq!(stage.last.feeds[&feed("f")].interval_s, None);
            assert_eq!(stage.freshness("silent"), Freshness::Aging);
        }
        if n == 2 {
            // Learned: 120 s old is live at an interval of 60 s, also for the one that sent nothing.
            assert_eq!(stage.freshness("silent"), Freshness::Live);
        }
    }
    let record = &stage.last.feeds[&feed("f")];
    assert_eq!((record.interval_s, record.interval_configured), (Some(60.0), false));
    assert_eq!(stage.freshness("1"), Freshness::Live);
    assert_eq!(stage.at(420.0 + 121.0).freshness("1"), Freshness::Aging);
}

#[test]
fn silence_removes_nobody_for_a_day_and_then_says_so() {
    let mut stage = with_interval(None);
    stage.say(&position("1", 0.0, 60.0, 25.0));
    stage.publish();
    for hour in 1..24 {
        stage.at(f64::from(hour) * 3600.0).publish();
        assert!(stage.last.removed.is_empty());
    }
    assert_eq!(stage.freshness("1"), Freshness::Lost);
    assert_eq!(stage.at(86_400.0).publish().removed, [vehicle("1")]);
    assert!(stage.last.view.vehicles.is_empty() && stage.last.changed.vehicles);
    assert_eq!((stage.last.totals.forgotten, stage.picture.held()), (1, (0, 0)));
    // Heard again, it is back.
    stage.at(86_401.0).say(&position("1", 86_401.0, 60.0, 25.0));
    assert_eq!(stage.freshness("1"), Freshness::Live);
}

#[test]
fn a_publication_without_news_changes_no_vehicle_and_shares_all_records() {
    let mut stage = with_interval(Some(1.0));
    for id in ["1", "2", "3"] {
        stage.say(&message(id, 0.0));
    }
    stage.publish();
    let before = stage.last.view.clone();
    stage.at(5.0).say(&message("2", 5.0));
    stage.publish();
    assert_eq!(stage.last.upserts.len(), 1);
    for id in ["1", "3"] {
        let of = |view: &picture::View| std::sync::Arc::as_ptr(&view.vehicles[&vehicle(id)]);
        assert_eq!(of(&before), of(&stage.last.view));
    }
    let keys: Vec<_> = stage.last.view.vehicles.keys().cloned().collect();
    assert_eq!(keys, [vehicle("1"), vehicle("2"), vehicle("3")]);
    assert!(!stage.publish().changed.vehicles);
}

#[test]
fn each_mode_of_a_feed_ages_by_its_own_interval() {
    let mut stage = with_interval(None);
    let of = |id: &str, second: f64, mode: Mode| Observation { mode: Some(mode), ..message(id, second) };
    for second in 0..600_u32 {
        stage.at(f64::from(second));
        for id in ["1", "2", "3", "4"].iter().filter(|_| second % 5 == 0) {
            stage.say(&of(id, f64::from(second), Mode::Bus));
        }
        for id in ["f1", "f2", "f3"].iter().filter(|_| second % 60 == 0) {
            stage.say(&of(id, f64::from(second), Mode::Ferry));
        }
        stage.publish();
    }
    let record = &stage.last.feeds[&feed("f")];
    assert_eq!((record.interval_s_of(Mode::Bus), record.interval_s_of(Mode::Ferry)), (Some(5.0), Some(60.0)));
    assert_eq!(record.interval_s_of(Mode::Tram), record.interval_s, "of a mode that was not heard: as of all");
    // Last heard at 595 and at 540.
    for (second, bus, ferry) in [
        (626.0, Freshness::Aging, Freshness::Live),
        (661.0, Freshness::Aging, Freshness::Aging),
        (686.0, Freshness::Stale, Freshness::Aging),
        (781.0, Freshness::Stale, Freshness::Stale),
    ] {
        stage.at(second).publish();
        assert_eq!((stage.freshness("1"), stage.freshness("f1")), (bus, ferry), "at {second}");
    }
}
