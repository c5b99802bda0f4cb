//! The list of rules and its configuration.

use std::collections::BTreeSet;

use detect::{RULES, Rulebook, example_config, reference};
use expect_test::{expect, expect_file};
use impact::{Cause, Runbooks};

#[test]
fn the_reference_and_the_example_are_what_the_list_says() {
    // `UPDATE_EXPECT=1` writes the files.
    expect_file!["../../../../docs/rules.md"].assert_eq(&reference());
    expect_file!["../../../../config/rules.toml"].assert_eq(&example_config());
}

#[test]
fn codes_are_unique_and_every_rule_and_key_has_its_words() {
    let codes: BTreeSet<&str> = RULES.iter().map(|def| def.code).collect();
    assert_eq!(codes.len(), RULES.len());
    for def in RULES {
        let family = def.code.split('.').next().unwrap();
        assert!(["FEED", "VEH", "GEO", "HAZ", "SYS"].contains(&family), "{}", def.code);
        assert!(def.doc.len() > 80, "{} says too little", def.code);
        let own: BTreeSet<String> = (def.defaults)().keys().cloned().collect();
        let told: BTreeSet<String> = def.keys.iter().map(|(key, _)| (*key).to_owned()).collect();
        assert_eq!(own, told, "{}: keys and their words differ", def.code);
    }
}

#[test]
fn every_hazard_has_a_cause_of_its_own_and_every_rule_a_runbook() {
    let hazards = RULES.iter().filter(|def| def.code.starts_with("HAZ."));
    let causes: Vec<String> = hazards.map(|def| format!("{} {:?}", def.code, Cause::of_rule(def.code))).collect();
    assert_eq!(causes, ["HAZ.WEATHER Weather", "HAZ.FLOOD Weather", "HAZ.EARTHQUAKE Failure"]);
    let runbooks = Runbooks::shipped();
    let without: Vec<&str> = RULES.iter().map(|def| def.code).filter(|code| runbooks.find(code).is_none()).collect();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn every_default_can_be_written_and_read_back() {
    let mut all = toml::Table::new();
    for def in RULES {
        let mut table = toml::Table::try_from(&def.habits).unwrap();
        table.extend((def.defaults)());
        all.insert(def.code.to_owned(), toml::Value::Table(table));
    }
    assert!(Rulebook::read(&all).is_ok());
    // The example with every `#` before a key or heading taken away is the same.
    let example = example_config();
    let lines =
        example.lines().map(|l| l.strip_prefix('#').filter(|r| !r.starts_with(' ') && !r.is_empty()).unwrap_or(""));
    let read: toml::Table = lines.collect::<Vec<_>>().join("\n").parse().unwrap();
    assert_eq!(read["rules"].as_table().unwrap(), &all);
}

#[test]
fn whatever_is_wrong_is_named_with_the_nearest_right_word_all_at_once() {
    let config = r#"
        "VEH.SILNT" = { silent_s = 1 }
        "VEH.SILENT" = { silent = 1 }
        "VEH.SPEED" = { limit_mps = { buss = 20.0 } }
        "FEED.LINK" = { on_delay = 3 }
        "FEED.SILENT" = { on_delay_s = -1.0 }
        "FEED.SKEW" = { annunciate = "loud" }
        VEH = { SPEED = {} }
        "VEH.CROWD" = 3
    "#;
    let errors = Rulebook::read(&config.parse().unwrap()).unwrap_err();
    let text: Vec<String> = errors.iter().map(ToString::to_string).collect();
    expect![[r#"
        rules: there is no rule "VEH", did you mean "VEH.SPEED"? A code is quoted: [rules."VEH.SILENT"]
        rules."VEH.CROWD": is no table
        rules: there is no rule "VEH.SILNT", did you mean "VEH.SILENT"? A code is quoted: [rules."VEH.SILENT"]
        rules."FEED.LINK": unknown key `on_delay`, did you mean `on_delay_s`?
        rules."FEED.SILENT": `on_delay_s` is -1; it has to be zero or more
        rules."FEED.SKEW": "loud" is none of alert, exception
        rules."VEH.SILENT": unknown key `silent`, did you mean `silent_s`?
        rules."VEH.SPEED": unknown key `limit_mps.buss`, did you mean `bus`?"#]]
    .assert_eq(&text.join("\n"));
}

#[test]
fn a_figure_that_makes_no_sense_is_refused_with_what_it_has_to_be() {
    let config = r#"
        "FEED.PARTIAL" = { share = 0.0 }
        "FEED.SKEW" = { share = 20.0 }
        "GEO.HEADING" = { heading_s = 900.0 }
        "SYS.WATCHDOG" = { picture_age_max_s = 4.0 }
    "#;
    let wrong = |config: &str| -> String {
        let errors = Rulebook::read(&config.parse().unwrap()).unwrap_err();
        errors.iter().map(|error| format!("{error}\n")).collect()
    };
    expect![[r#"
        rules."FEED.PARTIAL": `share` is 0; it has to be more than 0 and at most 1, as 0.2 is for a fifth
        rules."FEED.SKEW": `share` is 20; it has to be more than 0 and at most 1, as 0.2 is for a fifth
        rules."GEO.HEADING": `heading_s` is 900; courses are followed for 600 s, it has to be that or less
        rules."SYS.WATCHDOG": `picture_age_max_s` is 4; it has to be 5 or more: a younger picture is being published
    "#]]
    .assert_eq(&wrong(config));
    expect![[r#"
        rules."FEED.PARTIAL": `clear_share` is 0.2; it has to be below `share`, which is 0.2: lower the one or raise the other
        rules."FEED.PARTIAL": `clear_share` is 0.3; it has to be below `few_share`, which is 0.3: lower the one or raise the other
        rules."FEED.PARTIAL": `few_share` is 1.5; it has to be more than 0 and at most 1, as 0.2 is for a fifth
        rules."FEED.PARTIAL": `share` is NaN; it has to be more than 0 and at most 1, as 0.2 is for a fifth
    "#]].assert_eq(
        &["clear_share = 0.2", "clear_share = 0.3\nshare = 0.5\nfew_share = 0.3", "few_share = 1.5", "share = nan"]
            .map(|keys| wrong(&format!("[\"FEED.PARTIAL\"]\n{keys}")))
            .concat(),
    );
    let edge = "[\"FEED.PARTIAL\"]\nfew_share = 1.0\n[\"GEO.HEADING\"]\nheading_s = 600\n\
                [\"SYS.WATCHDOG\"]\npicture_age_max_s = 5";
    assert!(Rulebook::read(&edge.parse().unwrap()).is_ok());
}
