//! The patrol itself: what it remembers, and what it survives.

use alert::{AlertClass, FindingVerdict, Priority, Subject};
use detect::{Annunciate, Habits, Judgements, OpenAlert, Patrol, RULES, Rule, RuleDef, Rulebook, Survey};
use expect_test::expect;
use picture::PictureOptions;
use transit::Status;

use crate::stage::{Stage, feed, play, timeline};

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

#[test]
fn an_alert_open_before_a_restart_is_cleared_by_fresh_data_only() {
    let subject = Subject::Feed { feed: feed("f"), scope: None };
    let open = |rule: &str| OpenAlert {
        rule: rule.to_owned(),
        subject: subject.clone(),
        status: Status::Actual,
        priority: Priority::P1,
        members: Vec::new(),
    };
    let all = vec![open("FEED.SILENT"), open("FEED.FROZEN"), open("FEED.PARTIAL"), open("NO.SUCH")];
    let mut stage = Stage::new(Rulebook::default(), all, PictureOptions::default());
    play(&mut stage, "+1000 end");
    assert_eq!(stage.timeline(), "", "silence clears nothing");
    let mut fresh = Stage::new(Rulebook::default(), vec![open("FEED.SILENT")], PictureOptions::default());
    play(&mut fresh, "+100..200 a/[1-5] every 5 at 0 m");
    assert!(fresh.timeline().starts_with("+100 cleared P1 FEED.SILENT feed:f\n"), "{}", fresh.timeline());
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
