//! The patrol itself: what it remembers, and what it survives.

use alert::{AlertClass, FindingVerdict, Priority, Subject};
use detect::{Annunciate, Habits, Judgements, OpenAlert, Patrol, RULES, Rule, RuleDef, Rulebook, Survey};
use expect_test::expect;
use picture::PictureOptions;
use transit::{Journey, JourneyState, Observation, Status, VehicleKey};

use crate::stage::{Stage, feed, message, play, timeline};

struct Breaks;

impl Rule for Breaks {
    fn examine(&self, survey: &Survey<'_>, _: &mut Judgements<'_>) {
        let second = survey.scene.now.mono_ms / 1000 - 1_000;
        assert!(!(10..20).contains(&second), "broke at {second}");
    }
}

fn list_with_a_broken_rule() -> &'static [RuleDef] {
    let habits: Habits = toml::from_str(
        "enabled = true\nannunciate = \"exception\"\non_delay_s = 0.0\non_fixes = 1\noff_delay_s = 0.0\noff_fixes = 1\n\
         promote_modes = []\npromote_routes = []",
    )
    .unwrap();
    assert_eq!(habits.annunciate, Annunciate::Exception);
    let broken = RuleDef {
        code: "VEH.BROKEN",
        class: AlertClass::Service,
        doc: "",
        habits,
        keys: &[],
        defaults: toml::Table::new,
        build: |_| Ok(Box::new(Breaks)),
        parents: |_, _| Vec::new(),
    };
    let watchdog = RULES
        .iter()
        .filter(|def| matches!(def.code, "SYS.WATCHDOG" | "VEH.SPEED"))
        .map(|def| RuleDef { habits: def.habits.clone(), ..*def });
    let mut list: Vec<RuleDef> = watchdog.collect();
    list.insert(0, broken);
    list.leak()
}

#[test]
fn a_rule_that_panics_is_contained_counted_and_told() {
    let rules = Rulebook::read_by(list_with_a_broken_rule(), &toml::Table::new()).unwrap();
    let mut stage = Stage::new(rules, Vec::new(), PictureOptions::default());
    std::panic::set_hook(Box::new(|_| {}));
    play(&mut stage, "+0..40 a/1 every 1 at 0 m speed 40\n+700 end");
    drop(std::panic::take_hook());
    expect![[r#"
        +10 exception P3 VEH.SPEED vehicle:a/1
        +11 raised P2 SYS.WATCHDOG system:rule VEH.BROKEN
        +619 cleared P2 SYS.WATCHDOG system:rule VEH.BROKEN
    "#]]
    .assert_eq(&stage.timeline());
    let broken: Vec<_> = stage.patrol.broken().map(|b| (b.rule, b.count, b.message.clone())).collect();
    assert_eq!(broken, [("VEH.BROKEN", 10, "broke at 19".to_owned())]);
}

#[test]
fn a_picture_that_is_not_published_is_told_and_nothing_is_concluded_from_it() {
    let mut stage = Stage::by_default();
    play(&mut stage, "+0..300 a/[1-30] every 5 at 0 m speed 40\n+300 end");
    stage.told.clear();
    for second in 301..1_000 {
        stage.look_at_last(second);
    }
    expect![[r#"
        +316 raised P1 SYS.WATCHDOG system:picture
    "#]]
    .assert_eq(&stage.timeline());
}

/// An alert of a feed that was told before the process began.
fn open(rule: &str, subject: &Subject, members: &[String], figures: &[(&str, &str)]) -> OpenAlert {
    OpenAlert {
        rule: rule.to_owned(),
        subject: subject.clone(),
        status: Status::Actual,
        priority: if rule == "FEED.PARTIAL" { Priority::P2 } else { Priority::P1 },
        members: members.iter().map(|id| Subject::Vehicle(VehicleKey::parse(id).unwrap())).collect(),
        figures: figures.iter().map(|(name, figure)| ((*name).to_owned(), (*figure).to_owned())).collect(),
    }
}

fn feed_f() -> Subject {
    Subject::Feed { feed: feed("f"), scope: None }
}

fn resumed(open: Vec<OpenAlert>, script: &str) -> String {
    let mut stage = Stage::new(Rulebook::default(), open, PictureOptions::default());
    play(&mut stage, script);
    stage.timeline()
}

#[test]
fn an_alert_open_before_a_restart_is_cleared_by_fresh_data_only() {
    let rules = ["FEED.SILENT", "FEED.FROZEN", "FEED.PARTIAL", "NO.SUCH"];
    let all = rules.map(|rule| open(rule, &feed_f(), &[], &[])).to_vec();
    assert_eq!(resumed(all, "+1000 end"), "", "silence clears nothing");
}

#[test]
fn a_feed_silent_before_a_restart_is_heard_again_when_three_vehicles_are_or_all_of_fewer() {
    let silent = |figures: &[(&str, &str)]| vec![open("FEED.SILENT", &feed_f(), &[], figures)];
    let one_by_one = "+100..900 a/1 every 5 at 0 m
                      +200..900 a/2 every 5 at 0 m
                      +300..900 a/3 every 5 at 0 m
                      +899 end";
    assert_eq!(resumed(silent(&[("expected", "100")]), one_by_one), "+300 cleared P1 FEED.SILENT feed:f\n");
    assert_eq!(resumed(silent(&[("expected", "2")]), one_by_one), "+200 cleared P1 FEED.SILENT feed:f\n");
    assert_eq!(resumed(silent(&[("expected", "0")]), one_by_one), "+100 cleared P1 FEED.SILENT feed:f\n");
    // As told by an earlier version.
    assert_eq!(resumed(silent(&[]), one_by_one), "+300 cleared P1 FEED.SILENT feed:f\n");
}

#[test]
fn a_part_missing_before_a_restart_is_missing_until_it_is_heard() {
    let members: Vec<String> = (41..=60).map(|n| format!("a/{n}")).collect();
    let partial = |missing, expected| {
        vec![open("FEED.PARTIAL", &feed_f(), &members, &[("missing", missing), ("expected", expected)])]
    };
    let two_thirds = "+0..2000 a/[1-40] every 5 at 0 m\n";
    let end = "+1999 end\n";
    assert_eq!(resumed(partial("20", "60"), &format!("{two_thirds}{end}")), "");
    // The others come, but for a few.
    let back = "+1000..2000 a/[41-56] every 5 at 0 m\n";
    assert_eq!(
        resumed(partial("20", "60"), &format!("{two_thirds}{back}{end}")),
        "+1120 cleared P2 FEED.PARTIAL feed:f\n"
    );
    let half_back = "+1000..2000 a/[41-50] every 5 at 0 m\n";
    assert_eq!(resumed(partial("20", "60"), &format!("{two_thirds}{half_back}{end}")), "");
    // As many as were expected, but none of those who are missing.
    let strangers = "+1000..2000 a/[101-120] every 5 at 0 m\n";
    assert_eq!(resumed(partial("20", "60"), &format!("{two_thirds}{strangers}{end}")), "");
    // All that were named, but they were only some.
    let named = "+1000..2000 a/[41-60] every 5 at 0 m\n";
    assert_eq!(resumed(partial("120", "160"), &format!("{two_thirds}{named}{end}")), "");
    // Those who only left a message with the broker are not heard.
    let mut stage = Stage::new(Rulebook::default(), partial("20", "60"), PictureOptions::default());
    for id in &members {
        stage.say(&Observation { retained: true, ..message(id, -300) }, 0);
    }
    play(&mut stage, &format!("{two_thirds}{end}"));
    assert_eq!(stage.timeline(), "");
}

/// Told of a whole feed at the peak, before the process began.
fn told_at_the_peak() -> Vec<OpenAlert> {
    let members: Vec<String> = (7_001..=7_020).map(|n| format!("a/{n}")).collect();
    vec![open("FEED.PARTIAL", &feed_f(), &members, &[("missing", "80"), ("expected", "400"), ("known", "400")])]
}

/// 150 run; one of their depots goes dark and comes back.
const NIGHT: &str = "+0..1300 a/[1001-1125] every 5 at 0 m
                     +0..600 a/[9001-9025] every 5 at 0 m
                     +900..1300 a/[9001-9025] every 5 at 0 m
                     +1299 end";

#[test]
fn a_feed_told_at_the_peak_before_a_restart_hides_no_depot_that_goes_dark_at_night() {
    expect![[r#"
        +686 raised P2 FEED.PARTIAL feed:f depot a/9
        +1020 cleared P2 FEED.PARTIAL feed:f depot a/9
    "#]]
    .assert_eq(&resumed(told_at_the_peak(), NIGHT));
    // Nor does the room hold it back behind the feed's, which is open.
    let mut stage = Stage::new(Rulebook::default(), told_at_the_peak(), PictureOptions::default());
    play(&mut stage, &format!("+686 end\n{NIGHT}"));
    let parents = &stage.round.findings[0].parents;
    let parents: Vec<String> = parents.iter().map(|(rule, subject)| format!("{rule} {subject}")).collect();
    expect![[r#"
        FEED.LINK feed:f
        FEED.SILENT feed:f
        FEED.FROZEN feed:f
        FEED.LINK system:broker
        FEED.PARTIAL system:fleet
        FEED.PARTIAL feed:f agency a"#]]
    .assert_eq(&parents.join("\n"));
}

/// The room has all open that was told, but for the alert of the feed.
fn but_the_feed() -> detect::IsOpen<'static> {
    &|_, subject, _| *subject != feed_f()
}

#[test]
fn a_feed_whose_alert_a_person_closed_while_it_is_not_seen_to_hold_hides_nothing() {
    let mut stage = Stage::new(Rulebook::default(), told_at_the_peak(), PictureOptions::default());
    stage.open = Some(but_the_feed());
    play(&mut stage, &format!("+0..600 a/1200 every 5 at 0 m\n{NIGHT}"));
    expect![[r#"
        +686 raised P2 FEED.PARTIAL feed:f depot a/9
        +746 exception P3 VEH.SILENT vehicle:a/1200
        +956 exception P2 VEH.SILENT vehicle:a/1200
        +1020 cleared P2 FEED.PARTIAL feed:f depot a/9
    "#]]
    .assert_eq(&stage.timeline());
}

#[test]
fn what_is_told_anew_after_a_person_closed_it_is_over_by_what_is_known_since_the_restart() {
    let mut stage = Stage::new(Rulebook::default(), told_at_the_peak(), PictureOptions::default());
    for second in 0..1_400_u64 {
        let dark = (600..1_000).contains(&second);
        let depot = (9_001..=9_050).filter(|_| !dark);
        for n in (1_001..=1_100).chain(depot).filter(|_| second.is_multiple_of(5)) {
            stage.say(&message(&format!("a/{n}"), second as i64), second);
        }
        stage.open = (second == 800).then(but_the_feed);
        stage.look(second);
    }
    expect![[r#"
        +800 raised P2 FEED.PARTIAL feed:f
        +1120 cleared P2 FEED.PARTIAL feed:f
    "#]]
    .assert_eq(&stage.timeline());
}

#[test]
fn a_part_missing_before_a_restart_is_whole_when_all_are_heard_but_those_that_signed_off() {
    // Their last word is with the broker: of 250 that they signed off, of the missing that they were in service.
    let heard_to = |last: u32| {
        let mut stage = Stage::new(Rulebook::default(), told_at_the_peak(), PictureOptions::default());
        let off = || Some(Journey { state: Some(JourneyState::SignedOff), ..Journey::default() });
        for n in 1_001..=1_250 {
            let kept = Observation { retained: true, journey: off(), ..message(&format!("a/{n}"), -300) };
            stage.say(&kept, 0);
        }
        for n in 7_001..=7_080 {
            stage.say(&Observation { retained: true, ..message(&format!("a/{n}"), -300) }, 0);
        }
        let night = "+0..2000 a/[2001-2070] every 5 at 0 m\n+1999 end\n";
        play(&mut stage, &format!("{night}+1000..2000 a/[7001-{last}] every 5 at 0 m"));
        stage.timeline()
    };
    assert_eq!(heard_to(7_080), "+1120 cleared P2 FEED.PARTIAL feed:f\n");
    assert_eq!(heard_to(7_060), "", "of the others nothing is known");
}

#[test]
fn a_feed_frozen_before_a_restart_thaws_when_its_stamps_are_seen_to_move() {
    let frozen = || vec![open("FEED.FROZEN", &feed_f(), &[], &[])];
    // It froze a minute, ten minutes, ten hours ago.
    for stamp in [-60, -600, -36_000] {
        let script = format!(
            "+0..900 a/[1-30] every 5 at 0 m frozen {stamp}
             +900..1300 a/[1-30] every 5 at 0 m
             +1299 end"
        );
        let told = resumed(frozen(), &script);
        let (at, what) = told.split_once(' ').unwrap();
        assert_eq!(what, "cleared P1 FEED.FROZEN feed:f\n", "{told}");
        let at: u64 = at.trim_start_matches('+').parse().unwrap();
        assert!((1_020..1_100).contains(&at), "frozen {stamp}: {told}");
    }
    // A message each is new, but proves nothing; nor does a sixth of the fleet.
    assert_eq!(resumed(frozen(), "+0..2 a/[1-30] at 0 m\n+900 end"), "+60 raised P1 FEED.SILENT feed:f\n");
    let few = "+0..900 a/[1-5] every 5 at 0 m\n+0..900 a/[6-30] every 5 at 0 m frozen -36000\n+899 end";
    assert_eq!(resumed(frozen(), few), "");
}

#[test]
fn a_rule_that_broke_before_a_restart_is_sound_when_it_has_run_for_a_while() {
    let of = |part: &str| open("SYS.WATCHDOG", &Subject::System(part.to_owned()), &[], &[]);
    let told = resumed(vec![of("rule VEH.SPEED"), of("rule NO.SUCH"), of("disk")], "+1000 end");
    expect![[r#"
        +600 cleared P1 SYS.WATCHDOG system:rule NO.SUCH
        +600 cleared P1 SYS.WATCHDOG system:rule VEH.SPEED
    "#]]
    .assert_eq(&told);
    let picture_dead = || {
        let mut stage = Stage::new(Rulebook::default(), vec![of("rule VEH.SPEED")], PictureOptions::default());
        (0..1_000).for_each(|second| stage.look_at_last(second));
        stage.timeline()
    };
    assert_eq!(picture_dead(), "+16 raised P1 SYS.WATCHDOG system:picture\n");
}

#[test]
fn findings_of_vehicles_name_what_would_explain_them() {
    let config: toml::Table = "[\"VEH.SPEED\"]\nannunciate = \"alert\"".parse().unwrap();
    let mut stage = Stage::new(Rulebook::read(&config).unwrap(), Vec::new(), PictureOptions::default());
    play(&mut stage, "+0..12 22/800 every 1 at 0 m speed 40\n+10 end");
    let finding = &stage.round.findings[0];
    assert_eq!((finding.verdict, finding.class, finding.latched), (FindingVerdict::Raised, AlertClass::Safety, false));
    let parents: Vec<String> = finding.parents.iter().map(|(rule, subject)| format!("{rule} {subject}")).collect();
    expect![[r#"
        FEED.FROZEN feed:f
        FEED.LINK feed:f
        FEED.LINK system:broker
        FEED.PARTIAL feed:f
        FEED.PARTIAL feed:f agency 22
        FEED.SILENT feed:f"#]]
    .assert_eq(&parents.join("\n"));
    assert_eq!(finding.evidence.figures["speed_mps"], "40.0");
    assert_eq!(finding.evidence.lat, Some(37.5));
}

#[test]
fn a_rule_that_is_switched_off_says_nothing() {
    let script = "+0..40 22/800 every 1 at 0 m speed 40\n+40 end";
    assert_eq!(timeline("[\"VEH.SPEED\"]\nenabled = false", script), "");
    let patrol = Patrol::new(Rulebook::default(), []);
    assert_eq!(patrol.broken().count(), 0);
}
