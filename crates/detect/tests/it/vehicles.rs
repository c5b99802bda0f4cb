//! What is told of single vehicles.

use expect_test::expect;

use crate::stage::{check, timeline};

#[test]
fn a_vehicle_that_falls_silent_among_others_is_an_exception_that_gets_worse_and_ends_when_it_is_heard_twice() {
    check(
        "+0..800 22/[1-9] every 5 at 0 m
         +0..200 22/800 every 5 at 0 m
         +700 22/800 at 0 m
         +705 22/800 at 0 m
         +790 end",
        &expect![[r#"
            +346 exception P3 VEH.SILENT vehicle:22/800
            +556 exception P2 VEH.SILENT vehicle:22/800
            +705 over P2 VEH.SILENT vehicle:22/800
        "#]],
    );
}

#[test]
fn a_vehicle_that_signed_off_or_has_no_journey_is_not_silent() {
    check(
        "+0..800 22/[1-9] every 5 at 0 m
         +0..200 22/800 every 5 at 0 m off
         +0..200 22/801 every 5 at 0 m idle
         +790 end",
        &expect![[""]],
    );
}

#[test]
fn slow_reporters_are_silent_by_their_own_interval() {
    check(
        "+0..3000 22/[1-9] every 120 at 0 m
         +0..1000 22/800 every 120 at 0 m
         +2990 end",
        &expect![[r#"
            +1441 exception P3 VEH.SILENT vehicle:22/800
            +2161 exception P2 VEH.SILENT vehicle:22/800
        "#]],
    );
}

#[test]
fn too_fast_is_told_after_10_s_and_over_when_below_the_limit_for_10_s() {
    check(
        "+0..20 22/800 every 1 at 0 m speed 12
         +20..60 22/800 every 1 at 0 m speed 28
         +60..100 22/800 every 1 at 0 m speed 24.9
         +110 end",
        &expect![[r#"
            +30 exception P3 VEH.SPEED vehicle:22/800
            +70 over P3 VEH.SPEED vehicle:22/800
        "#]],
    );
}

#[test]
fn a_single_fast_fix_or_a_broken_sensor_is_not_too_fast() {
    check(
        "+0..20 22/800 every 1 at 0 m speed 12
         +20 22/800 at 0 m speed 40
         +40..80 22/800 every 1 at 0 m speed 300
         +40..80 22/801 every 1 at 0 m speed 40 mode taxi
         +90 end",
        &expect![[""]],
    );
}

#[test]
fn a_speed_that_swings_within_the_band_is_told_once() {
    let mut script = String::from("+0..20 22/800 every 1 at 0 m speed 28\n");
    for second in 20..600 {
        let speed = if second % 2 == 0 { 25.5 } else { 27.6 };
        script += &format!("+{second} 22/800 at 0 m speed {speed}\n");
    }
    let told = timeline("", &script);
    assert_eq!(told.matches("VEH.SPEED").count(), 1, "{told}");
}

#[test]
fn full_at_two_stops_is_told_and_over_after_two_stops_with_room() {
    check(
        "+0..30 22/800 every 5 at 0 m stop A occupancy FULL
         +30..60 22/800 every 5 at 0 m stop B occupancy FULL
         +60..90 22/800 every 5 at 0 m stop C occupancy NO_DATA_AVAILABLE
         +90..120 22/800 every 5 at 0 m stop D occupancy FEW_SEATS_AVAILABLE
         +120..150 22/800 every 5 at 0 m stop E occupancy FEW_SEATS_AVAILABLE
         +0..150 22/801 every 5 at 0 m stop A occupancy FULL
         +150 end",
        &expect![[r#"
            +30 exception P3 VEH.CROWD vehicle:22/800
            +120 over P3 VEH.CROWD vehicle:22/800
        "#]],
    );
}

#[test]
fn a_clock_that_is_wrong_is_an_exception_and_right_after_five_messages() {
    check(
        "+0..60 22/800 every 5 at 0 m clock -400
         +0..60 22/801 every 5 at 0 m clock 90
         +0..60 22/802 every 5 at 0 m clock -30
         +60..120 22/800 every 5 at 0 m
         +60..120 22/801 every 5 at 0 m
         +60..120 22/802 every 5 at 0 m
         +120 end",
        &expect![[r#"
            +5 exception P4 FEED.SKEW vehicle:22/801
            +15 exception P4 FEED.SKEW vehicle:22/800
            +80 over P4 FEED.SKEW vehicle:22/800
            +80 over P4 FEED.SKEW vehicle:22/801
        "#]],
    );
}

#[test]
fn clocks_that_are_wrong_in_a_whole_feed_are_told_once_of_the_feed() {
    check(
        "+0..60 22/[800-829] every 5 at 0 m clock -400
         +60..120 22/[800-829] every 5 at 0 m
         +120 end",
        &expect![[r#"
            +10 exception P4 FEED.SKEW feed:f
            +60 over P4 FEED.SKEW feed:f
        "#]],
    );
}

#[test]
fn an_exception_is_an_alert_for_promoted_modes_and_routes() {
    let script = "+0..40 22/800 every 1 at 0 m speed 40 mode metro
         +0..40 22/801 every 1 at 0 m speed 40 route 9
         +0..40 22/802 every 1 at 0 m speed 40
         +40 end";
    let config = "[\"VEH.SPEED\"]\npromote_modes = [\"metro\"]\npromote_routes = [\"9\"]\n";
    expect![[r#"
        +10 raised P3 VEH.SPEED vehicle:22/800
        +10 raised P3 VEH.SPEED vehicle:22/801
        +10 exception P3 VEH.SPEED vehicle:22/802
    "#]]
    .assert_eq(&timeline(config, script));
}
