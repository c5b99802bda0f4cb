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
