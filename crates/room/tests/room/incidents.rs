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
