//! What is told of feeds, and that their vehicles are left alone then.

use expect_test::expect;

use crate::stage::{Stage, check, message, play, timeline};

/// Every rule sounds, so that nothing hides in the list of exceptions.
const ALL_ALERTS: &str = "[\"VEH.SILENT\"]\nannunciate = \"alert\"\n[\"VEH.SPEED\"]\nannunciate = \"alert\"\n\
                          [\"VEH.CROWD\"]\nannunciate = \"alert\"\n[\"FEED.SKEW\"]\nannunciate = \"alert\"\n";

/// I13: whole-feed loss.
#[test]
fn a_feed_that_falls_silent_is_one_alert_whatever_its_size_and_interval() {
    for every in [1, 10, 30, 120] {
        for fleet in [1, 2, 3, 6, 19, 20, 60] {
            let lost = 200 + every * 20;
            let script = format!("+0..{lost} a/[1-{fleet}] every {every} at 0 m\n+{} end", lost + every * 30 + 600);
            let told = timeline(ALL_ALERTS, &script);
            assert_eq!(told.lines().count(), 1, "{fleet} vehicles, every {every} s:\n{told}");
            assert!(told.contains("raised P1 FEED.SILENT feed:f"), "{fleet} vehicles, every {every} s:\n{told}");
        }
    }
}

#[test]
fn with_9000_vehicles_known_a_silent_feed_is_one_alert() {
    let told = timeline(ALL_ALERTS, "+0..121 a/[1-9000] every 20 at 0 m\n+700 end");
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains("FEED.SILENT"), "{told}");
}

#[test]
fn i13_with_20_000_vehicles_known_a_silent_feed_is_one_alert() {
    let rules = detect::Rulebook::read(&ALL_ALERTS.parse().unwrap()).unwrap();
    let mut stage = Stage::new(rules, Vec::new(), picture::PictureOptions::default());
    for second in (0..900_u64).step_by(10) {
        if second <= 60 {
            (0..20_000).for_each(|n| stage.say(&message(&format!("a/{n}"), second as i64), second));
        }
        stage.look(second);
    }
    assert_eq!(stage.told.len(), 1, "{}", stage.timeline());
    assert!(stage.told[0].ends_with("raised P1 FEED.SILENT feed:f"), "{}", stage.timeline());
}

/// I13: no vehicle known.
#[test]
fn a_feed_with_no_vehicle_known_is_silent_where_service_is_always_expected() {
    let mut policy = picture::FeedPolicy::of(crate::stage::feed("f"));
    for (expect, alerts) in [(picture::Expect::Recent, 0), (picture::Expect::Always, 1)] {
        policy.expect = expect;
        let options = picture::PictureOptions { feeds: vec![policy.clone()], ..picture::PictureOptions::default() };
        let mut stage = Stage::new(detect::Rulebook::default(), Vec::new(), options);
        play(&mut stage, "+900 end");
        assert_eq!(stage.told.len(), alerts, "{}", stage.timeline());
    }
}

/// I13: stopped is not silent.
#[test]
fn vehicles_that_stand_but_report_are_nothing_to_tell() {
    for fleet in [1, 6, 19, 20, 200] {
        let told = timeline(ALL_ALERTS, &format!("+0..900 a/[1-{fleet}] every 5 at 0 m speed 0\n+899 end"));
        assert_eq!(told, "", "{fleet} vehicles");
    }
}

#[test]
fn a_silent_feed_is_over_when_three_vehicles_are_heard_and_those_still_away_are_given_time() {
    check(
        "+0..300 a/[1-19] every 5 at 0 m
         +1000..1500 a/[1-16] every 5 at 0 m
         +1499 end",
        &expect![[r#"
            +346 raised P1 FEED.SILENT feed:f
            +1000 cleared P1 FEED.SILENT feed:f
            +1150 exception P2 VEH.SILENT vehicle:a/17
            +1150 exception P2 VEH.SILENT vehicle:a/18
            +1150 exception P2 VEH.SILENT vehicle:a/19
        "#]],
    );
}

#[test]
fn a_link_down_is_told_after_30_s_and_over_when_it_is_up_and_heard() {
    check(
        "+0 link f up
         +0..300 a/[1-19] every 5 at 0 m
         +300 link f down
         +310 link f up
         +310..500 a/[1-19] every 5 at 0 m
         +500 link f down
         +900 link f up
         +920..1300 a/[1-19] every 5 at 0 m
         +1299 end",
        &expect![[r#"
            +530 raised P1 FEED.LINK feed:f
            +920 cleared P1 FEED.LINK feed:f
        "#]],
    );
}

#[test]
fn a_broker_that_was_never_there_is_one_alert() {
    check(
        "+0 link f down
         +0 link g down
         +100 link f up
         +110..200 a/[1-19] every 5 at 0 m
         +199 end",
        &expect![[r#"
            +30 raised P1 FEED.LINK system:broker
            +110 cleared P1 FEED.LINK system:broker
        "#]],
    );
}

/// I13: the broker behind every feed.
#[test]
fn a_broker_that_goes_away_is_one_alert_however_many_feeds_it_carried() {
    let outage = "+0 link f up\n+0 link g up\n+0 link h up\n+0 link unused up\n\
                  +0..500 a/[1-19] every 5 at 0 m\n+0..500 b/[1-19] every 5 at 0 m feed g\n\
                  +0..500 c/[1-3] every 5 at 0 m feed h\n\
                  +500 link f down\n+500 link g down\n+500 link h down\n+500 link unused down\n";
    let recovery = "+900 link f up\n+900 link g up\n+900 link h up\n+900 link unused up\n\
                    +920..1300 a/[1-19] every 5 at 0 m\n+930..1300 b/[1-19] every 5 at 0 m feed g\n\
                    +940..1300 c/[1-3] every 5 at 0 m feed h\n+1299 end";
    let rules = detect::Rulebook::read(&ALL_ALERTS.parse().unwrap()).unwrap();
    let mut stage = Stage::new(rules, Vec::new(), picture::PictureOptions::default());
    play(&mut stage, &format!("{outage}+530 end"));
    let members: Vec<String> = stage.round.findings[0].evidence.members.iter().map(ToString::to_string).collect();
    assert_eq!(members, ["feed:f", "feed:g", "feed:h"]);
    expect![[r#"
        +530 raised P1 FEED.LINK system:broker
        +920 cleared P1 FEED.LINK system:broker
    "#]]
    .assert_eq(&timeline(ALL_ALERTS, &format!("{outage}{recovery}")));
}

#[test]
fn of_several_feeds_one_that_is_refused_is_told_by_itself() {
    check(
        "+0 link f up
         +0 link g up
         +0..900 a/[1-19] every 5 at 0 m
         +0..300 b/[1-19] every 5 at 0 m feed g
         +300 link g down
         +899 end",
        &expect![[r#"
            +330 raised P1 FEED.LINK feed:g
        "#]],
    );
}

#[test]
fn alarms_that_cannot_reach_us_are_told_after_30_s_although_positions_flow() {
    check(
        "+0 link f up
         +0 emergency up
         +0..900 a/[1-19] every 5 at 0 m
         +300 emergency down
         +320 emergency up
         +400 emergency down
         +700 emergency up
         +899 end",
        &expect![[r#"
            +430 raised P1 FEED.LINK system:emergency
            +700 cleared P1 FEED.LINK system:emergency
        "#]],
    );
}

/// I13: the broker with every session at it.
#[test]
fn an_emergency_session_that_goes_down_with_all_feeds_is_told_by_itself_only_when_it_stays_away() {
    let outage = "+0 link f up\n+0 emergency up\n+0..300 a/[1-19] every 5 at 0 m\n\
                  +292 emergency down\n+300 link f down\n";
    let mut stage = Stage::by_default();
    play(&mut stage, &format!("{outage}+330 end"));
    assert_eq!(stage.round.findings[0].evidence.figures["emergency_session"], "down");
    check(
        &format!("{outage}+600 link f up\n+601..900 a/[1-19] every 5 at 0 m\n+899 end"),
        &expect![[r#"
            +330 raised P1 FEED.LINK feed:f
            +601 cleared P1 FEED.LINK feed:f
            +630 raised P1 FEED.LINK system:emergency
        "#]],
    );
}

#[test]
fn a_feed_that_has_been_down_for_long_does_not_speak_for_the_emergency_session() {
    let script = "+0 link f up\n+0 emergency up\n+0..300 a/[1-19] every 5 at 0 m\n+300 link f down\n\
                  +500 emergency down\n+530 end";
    let mut stage = Stage::by_default();
    play(&mut stage, script);
    assert_eq!(stage.round.findings[0].evidence.figures["reason"], "gone");
    expect![[r#"
        +330 raised P1 FEED.LINK feed:f
        +530 raised P1 FEED.LINK system:emergency
    "#]]
    .assert_eq(&stage.timeline());
}

#[test]
fn with_a_broker_of_our_own_there_is_no_emergency_session_to_be_down() {
    let mut stage = Stage::by_default();
    play(&mut stage, "+0 link f up\n+0 emergency down\n+30 end");
    stage.emergency = None;
    stage.look(31);
    expect![[r#"
        +30 raised P1 FEED.LINK system:emergency
        +31 cleared P1 FEED.LINK system:emergency
    "#]]
    .assert_eq(&stage.timeline());
}

#[test]
fn stamps_that_stand_still_are_one_alert() {
    let told =
        timeline(ALL_ALERTS, "+0..300 a/[1-30] every 5 at 0 m\n+300..900 a/[1-30] every 5 at 0 m frozen 299\n+899 end");
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains("raised P1 FEED.FROZEN feed:f"), "{told}");
}

#[test]
fn the_largest_part_that_fell_silent_together_is_told_once() {
    // Half the feed; all of one of three agencies; all of one depot of an agency.
    let half = "+0..900 a/[1-30] every 5 at 0 m\n+0..300 a/[31-60] every 5 at 0 m\n+899 end";
    let agency = "+0..900 a/[1001-1100] every 5 at 0 m\n+0..900 b/[1001-1100] every 5 at 0 m\n\
                  +0..300 c/[1001-1030] every 5 at 0 m\n+899 end";
    let depot = "+0..900 a/[1001-1150] every 5 at 0 m\n+0..300 a/[8001-8030] every 5 at 0 m\n+899 end";
    let fleet = "+0..900 a/[1-30] every 5 at 0 m\n+0..300 a/[31-60] every 5 at 0 m\n\
                 +0..900 b/[1-30] every 5 at 0 m feed g\n+0..300 b/[31-60] every 5 at 0 m feed g\n+899 end";
    let told = [half, agency, depot, fleet].map(|script| timeline(ALL_ALERTS, script)).concat();
    expect![[r#"
        +386 raised P2 FEED.PARTIAL feed:f
        +386 raised P2 FEED.PARTIAL feed:f agency c
        +386 raised P2 FEED.PARTIAL feed:f depot a/8
        +386 raised P2 FEED.PARTIAL system:fleet
    "#]]
    .assert_eq(&told);
}

#[test]
fn a_part_that_is_missing_for_hours_is_not_found_by_waiting() {
    check(
        "+0..5000 a/[1-30] every 10 at 0 m
         +0..300 a/[31-60] every 10 at 0 m
         +4500..5000 a/[31-59] every 10 at 0 m
         +4999 end",
        &expect![[r#"
            +381 raised P2 FEED.PARTIAL feed:f
            +4620 cleared P2 FEED.PARTIAL feed:f
            +4620 exception P2 VEH.SILENT vehicle:a/60
        "#]],
    );
}

#[test]
fn a_feed_that_is_not_over_speaks_only_for_those_that_were_missing_while_it_held() {
    // 70 of 294 go and 40 of them return: the feed is neither partial any more nor whole. Then a depot of 24 goes dark.
    check(
        "+0..1900 a/[1001-1200] every 5 at 0 m
         +0..300 a/[8001-8070] every 5 at 0 m
         +1000..1900 a/[8001-8040] every 5 at 0 m
         +0..1500 a/[9001-9024] every 5 at 0 m
         +1700..1900 a/[9001-9024] every 5 at 0 m
         +1899 end",
        &expect![[r#"
            +386 raised P2 FEED.PARTIAL feed:f
            +1586 raised P2 FEED.PARTIAL feed:f depot a/9
            +1820 cleared P2 FEED.PARTIAL feed:f depot a/9
        "#]],
    );
}

#[test]
fn an_agency_that_is_all_that_is_left_of_its_feed_can_still_be_whole_again() {
    // Agency b goes home one by one while c is dark; then c is all there is, and comes back.
    let mut script = String::from("+0..300 c/[1001-1030] every 5 at 0 m\n+3000..3400 c/[1001-1030] every 5 at 0 m\n");
    for n in 1001..1201 {
        let off = 600 + (n - 1001) * 10;
        script += &format!("+0..{off} b/{n} every 5 at 0 m\n+{off} b/{n} at 0 m off\n");
    }
    // One of c has another way to us: the feed never falls silent.
    script += "+0..3400 c/2001 every 5 at 0 m\n+3399 end";
    let told = timeline("", &script);
    expect![[r#"
        +386 raised P2 FEED.PARTIAL feed:f agency c
        +3120 cleared P2 FEED.PARTIAL feed:f agency c
    "#]]
    .assert_eq(&told);
}

/// In the evening most are parked, with the device on: those that still drive are judged.
#[test]
fn a_vehicle_that_falls_silent_is_missed_while_most_others_are_parked_and_repeat_their_last_stamp() {
    let mut script = String::from("+0..3000 a/[101-115] every 5 at 0 m\n+0..2500 a/116 every 5 at 0 m\n+2999 end\n");
    for n in 1..=85 {
        let parked = 300 + n * 10;
        script +=
            &format!("+0..{parked} a/{n} every 5 at 0 m\n+{parked}..3000 a/{n} every 5 at 0 m frozen {parked} idle\n");
    }
    assert_eq!(
        timeline("", &script),
        "+2646 exception P3 VEH.SILENT vehicle:a/116\n+2856 exception P2 VEH.SILENT vehicle:a/116\n"
    );
}

#[test]
fn too_few_or_one_by_one_is_not_partial() {
    let few = "+0..900 a/[1-100] every 5 at 0 m\n+0..300 a/[101-119] every 5 at 0 m\n+899 end";
    let mut one_by_one = String::from("+1500 end\n+0..1501 a/[1-30] every 5 at 0 m\n");
    for n in 0..60 {
        one_by_one += &format!("+0..{} a/{} every 5 at 0 m\n", 300 + n * 15, 100 + n);
    }
    for script in [few, &one_by_one] {
        let told = timeline("[\"FEED.PARTIAL\"]\ndepot_prefix_chars = 0", script);
        assert!(!told.contains("FEED."), "{told}");
    }
}

/// A night in a depot: nobody signs off, and nothing is wrong.
#[test]
fn nine_thousand_buses_switched_off_one_by_one_and_back_in_the_morning_are_no_alert() {
    const FLEET: u64 = 9_000;
    const EVERY: u64 = 120;
    const LOOK: u64 = 60;
    // 20:00 to 01:30, back at 04:00; some service before and after.
    let (evening, night, morning, end) = (900, 900 + 19_800, 900 + 28_800, 900 + 29_400);
    let ids: Vec<String> = (0..FLEET).map(|n| format!("a/{:05}", n * 7_919 % FLEET)).collect();
    let mut stage = Stage::by_default();
    let (mut heard_at_night, mut seconds) = (0, 0);
    while seconds <= end {
        for n in (0..FLEET).filter(|n| (seconds..seconds + LOOK).any(|s| s % EVERY == n % EVERY)) {
            let off = evening + n * (night - evening) / FLEET;
            if seconds < off || seconds >= morning {
                stage.say(&message(&ids[n as usize], seconds as i64), seconds);
                heard_at_night += u64::from(seconds > night && seconds < morning);
            }
        }
        stage.look(seconds);
        seconds += LOOK;
    }
    assert_eq!(heard_at_night, 0);
    let alerts: Vec<&String> =
        stage.told.iter().filter(|line| !line.contains("exception") && !line.contains("over")).collect();
    assert!(alerts.is_empty(), "{alerts:#?}");
    assert!(stage.told.len() > 9_000, "the vehicles are listed as silent");
    assert!(stage.round.exceptions.is_empty(), "and all are heard again in the morning");
}
