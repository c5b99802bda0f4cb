//! Incidents: versions, withdrawal, what a kind implies.

use alert::{IncidentKey, IncidentPhase, Severity};
use expect_test::expect;
use room::RoomOptions;

use crate::script::{Stage, input, now, play, play_with};

#[test]
fn a_higher_version_replaces_and_anything_else_is_ignored() {
    expect![[r#"
        +0 incident its/7 v1 flood => Recorded
        +1 incident its/7 v1 flood => Same
        +2 incident its/7 v1 flood title=other => SameVersion
        +3 incident its/7 v3 flood => Recorded
        +4 incident its/7 v2 flood => Older
        +5 withdraw its/7 => Withdrawn
        +6 withdraw its/7 => Same
        +7 incident its/7 v3 flood => Same
        +8 incident its/7 v4 flood => Recorded
        +9 withdraw its/8 => Unknown
    "#]]
    .assert_eq(&play(
        "+0 incident its/7 v1 flood
         +1 incident its/7 v1 flood
         +2 incident its/7 v1 flood title=other
         +3 incident its/7 v3 flood
         +4 incident its/7 v2 flood
         +5 withdraw its/7
         +6 withdraw its/7
         +7 incident its/7 v3 flood
         +8 incident its/7 v4 flood
         +9 withdraw its/8",
    ));
}

#[test]
fn the_alert_of_a_severe_incident_that_is_told_as_a_shape_has_the_middle_of_the_shape() {
    let mut stage = Stage::new(RoomOptions::default());
    let room::Input::Incident(mut report) = input("+0 incident its/7 v1 flood") else { panic!("no incident") };
    (report.lat, report.lon) = (None, None);
    let shape = r#"{"type":"Polygon","coordinates":[[[24,60],[25,60],[25,61],[24,61],[24,60]]]}"#;
    report.geometry = Some(shape.to_owned());
    stage.step(&room::Input::Incident(report), now(0));
    let alert = stage.room.alerts().next().unwrap();
    assert_eq!((alert.rule.as_str(), alert.lat, alert.lon), ("INC.SEVERE", Some(60.5), Some(24.5)));
}

#[test]
fn a_source_without_versions_replaces_by_content() {
    expect![[r#"
        +0 incident its/7 crash => Recorded
        +1 incident its/7 crash retained => Same
        +2 incident its/7 crash title=more => Recorded
        +3 withdraw its/7 => Withdrawn
        +4 incident its/7 crash title=more => Recorded
    "#]]
    .assert_eq(&play(
        "+0 incident its/7 crash
         +1 incident its/7 crash retained
         +2 incident its/7 crash title=more
         +3 withdraw its/7
         +4 incident its/7 crash title=more",
    ));
}

#[test]
fn more_open_incidents_than_the_bound_are_refused_until_one_closes() {
    let options = RoomOptions { incidents_max: 1, ..RoomOptions::default() };
    expect![[r#"
        +0 incident its/1 v1 crash => Recorded
        +1 incident its/2 v1 crash => NoRoom
        +2 incident its/1 v2 crash => Recorded
        +3 withdraw its/1 => Withdrawn
        +4 incident its/2 v1 crash => Recorded
    "#]]
    .assert_eq(&play_with(
        options,
        "+0 incident its/1 v1 crash
         +1 incident its/2 v1 crash
         +2 incident its/1 v2 crash
         +3 withdraw its/1
         +4 incident its/2 v1 crash",
    ));
}

fn kept(line: &str) -> alert::Incident {
    let mut stage = Stage::new(RoomOptions::default());
    stage.step(&input(line), now(0));
    stage.room.incidents().next().unwrap().as_ref().clone()
}

#[test]
fn severity_and_radius_come_from_the_kind_and_say_so() {
    let flood = kept("+0 incident its/1 flood");
    assert_eq!((flood.severity, flood.severity_defaulted), (Severity::Severe, true));
    assert_eq!((flood.radius_m, flood.radius_defaulted), (500.0, true));
    let said = kept("+0 incident its/1 flood minor radius=80");
    assert_eq!((said.severity, said.severity_defaulted), (Severity::Minor, false));
    assert_eq!((said.radius_m, said.radius_defaulted), (80.0, false));
    assert_eq!(kept("+0 incident its/1 other unknown").severity, Severity::Minor);
    assert_eq!(kept("+0 incident its/1 kind=asteroid").severity, Severity::Severe);
    let absurd = kept("+0 incident its/1 flood radius=NaN");
    assert_eq!((absurd.radius_m, absurd.report.radius_m), (500.0, None));
}

#[test]
fn a_withdrawal_closes_and_never_erases() {
    let mut stage = Stage::new(RoomOptions::default());
    stage.step(&input("+0 incident its/1 v1 flood"), now(0));
    stage.step(&input("+9 withdraw its/1"), now(9));
    let key = IncidentKey { source: "its".to_owned(), id: "1".to_owned() };
    let incident = stage.room.find_incident(&key).unwrap();
    assert!(incident.withdrawn);
    assert_eq!(incident.phase, IncidentPhase::Closed);
    assert_eq!((incident.opened_at, incident.closed_at), (now(0).utc, Some(now(9).utc)));
    assert_eq!(incident.seq, 3, "after the incident and the alert it raised");
}

#[test]
fn a_closed_incident_leaves_memory_after_its_time() {
    let mut stage = Stage::new(RoomOptions::default());
    stage.step(&input("+0 incident its/1 v1 flood closed"), now(0));
    stage.step(&input("+1 incident its/2 v1 flood"), now(1));
    let week = 7 * 86_400;
    stage.step(&input("+2 incident its/3 v1 flood"), now(week + 1));
    assert_eq!(stage.room.incidents().count(), 2);
}

/// Which incidents there are after a story, each with what became of it.
fn ending(script: &str) -> String {
    let mut stage = Stage::new(RoomOptions::default());
    for (second, line) in (0..).zip(script.lines().map(str::trim).filter(|line| !line.is_empty())) {
        stage.step(&input(&format!("+0 {line}")), now(second));
    }
    let live = format!("{:?}", stage.room);
    for records in [0, stage.log.len() / 2, stage.log.len()] {
        assert_eq!(format!("{:?}", stage.restarted_at(records)), live, "what things are called survives a restart");
    }
    let told = |i: &std::sync::Arc<alert::Incident>| {
        let withdrawn = if i.withdrawn { " withdrawn" } else { "" };
        format!("{} v{} {}{withdrawn}", i.report.key, i.report.version.unwrap_or_default(), i.standing())
    };
    stage.room.incidents().map(told).collect::<Vec<_>>().join("; ")
}

#[test]
fn an_update_that_names_only_its_predecessor_is_of_the_first_in_any_order() {
    // As CAP is read: an update of a chain is keyed by the one it names, and names itself.
    let chain = [
        "incident kma/O v1 weather severe names=O",
        "incident kma/O v2 weather severe names=U2",
        "incident kma/U2 v3 weather severe names=U3",
        "incident kma/U3 v4 weather severe names=U4",
    ];
    assert_eq!(ending(&chain.join("\n")), "kma/O v4 active/severe");
    // What comes late says no more than what belongs together.
    for order in [[3, 2, 1, 0], [0, 2, 1, 3], [0, 3, 2, 1], [2, 0, 3, 1], [1, 3, 0, 2]] {
        let lines: Vec<&str> = order.iter().map(|n| chain[*n]).collect();
        let end = ending(&lines.join("\n"));
        let open: Vec<&str> = end.split("; ").filter(|told| told.contains("active")).collect();
        assert_eq!(open.len(), 1, "{order:?}: {end}");
        assert!(open[0].contains(" v4 "), "{order:?}: {end}");
    }
}

#[test]
fn an_update_of_the_same_second_counts_in_any_order_and_only_once() {
    let (first, update) = ("incident kma/O v1 weather severe names=O", "incident kma/O v1 weather extreme names=U2");
    for told in [[first, update], [update, first], [update, update]] {
        assert_eq!(ending(&told.join("\n")), "kma/O v1 active/extreme", "{told:?}");
    }
    let cancel = "incident kma/O v1 other cancelled names=C";
    let end = ending(&[first, cancel, update].join("\n"));
    assert!(end.contains("withdrawn"), "a cancel is the last word of its second: {end}");
}

#[test]
fn a_cancel_by_any_of_its_ids_ends_the_incident_and_stays_the_last_word() {
    let told = "incident kma/O v1 weather names=O
        incident kma/O v2 weather names=U2
        incident kma/U2 v3 weather names=U3\n";
    for cancel in [
        "incident kma/U3 v9 other cancelled names=C",
        "incident kma/O v9 other cancelled names=C,U2,U3",
        "incident kma/U2 v9 other cancelled names=C",
        "withdraw kma/U3",
        "withdraw kma/U2",
    ] {
        let end = ending(&format!("{told}{cancel}\nincident kma/U2 v3 weather names=U3"));
        let is_over = end.contains(" closed/") && end.ends_with(" withdrawn");
        assert!(end.starts_with("kma/O v") && is_over && !end.contains(';'), "{cancel}: {end}");
    }
}

#[test]
fn a_cancel_before_what_it_takes_back_is_a_tombstone_for_all_its_ids() {
    let cancel = "incident kma/O v9 other cancelled names=C,U2,U3";
    for late in [
        "incident kma/O v1 weather",
        "incident kma/O v2 weather names=U2",
        "incident kma/U2 v3 weather names=U3",
        "incident kma/U3 v4 weather names=U4",
    ] {
        let end = ending(&format!("{cancel}\n{late}"));
        assert_eq!(end, "kma/O v9 closed/minor withdrawn", "{late}");
    }
    // A cancel that lists what are several incidents of ours ends them all and makes them none.
    let end = ending(
        "incident kma/A v1 weather
         incident kma/B v2 weather
         incident kma/A v9 other cancelled names=C,B
         withdraw kma/B",
    );
    assert_eq!(end, "kma/A v9 closed/minor withdrawn; kma/B v2 closed/moderate withdrawn");
}

#[test]
fn what_incidents_are_called_is_bounded() {
    let mut stage = Stage::new(RoomOptions { alias_max: 2, ..RoomOptions::default() });
    for n in 0..10 {
        stage.step(&input(&format!("+0 incident kma/A v{n} weather names=U{n}")), now(n));
    }
    stage.step(&input("+0 incident kma/U1 v20 weather"), now(20));
    stage.step(&input("+0 incident kma/U9 v30 weather"), now(30));
    let keys: Vec<String> = stage.room.incidents().map(|i| i.report.key.to_string()).collect();
    assert_eq!(keys, ["kma/A", "kma/U1"], "the oldest name is forgotten, which only makes two of one");
}
