//! Standing areas armed by one call: one winner, repeats change nothing, an end by itself, and the same record for ever.

use alert::{IncidentKey, IncidentPhase};
use expect_test::{Expect, expect};
use room::RoomOptions;

use crate::script::{Stage, input, now, play};

fn check(script: &str, timeline: &Expect) {
    timeline.assert_eq(&play(script));
}

#[test]
fn of_two_who_arm_one_wins_and_repeats_change_nothing() {
    check(
        "+0 inc-arm operator/place:u flood by kim
         +0 inc-arm operator/place:u flood by lee
         +1 inc-arm operator/place:u flood by kim
         +2 inc-arm operator/place:u flood by kim until=600
         +3 inc-arm operator/place:u flood by kim until=1
         +4 inc-close operator/place:u by lee
         +5 inc-close operator/place:u by lee
         +6 inc-arm operator/place:u flood by lee
         +7 inc-open ops/1 flood by kim
         +8 inc-arm ops/1 flood by kim",
        &expect![[r#"
            +0 inc-arm operator/place:u flood by kim => done incident operator/place:u
            +0 inc-arm operator/place:u flood by lee => refused: kim has armed operator/place:u already
            +1 inc-arm operator/place:u flood by kim => done incident operator/place:u
            +2 inc-arm operator/place:u flood by kim until=600 => done incident operator/place:u
            +3 inc-arm operator/place:u flood by kim until=1 => refused: the end must lie ahead, by at most 2678400000 ms
            +4 inc-close operator/place:u by lee => done incident operator/place:u
            +5 inc-close operator/place:u by lee => done incident operator/place:u
            +6 inc-arm operator/place:u flood by lee => done incident operator/place:u
            +7 inc-open ops/1 flood by kim => done incident ops/1
            +8 inc-arm ops/1 flood by kim => refused: there is an incident ops/1 already
        "#]],
    );
}

#[test]
fn an_area_armed_for_a_time_is_disarmed_by_itself_and_armed_again() {
    check(
        "+0 inc-arm operator/place:u flood by kim until=600
         +599 tick
         +600 tick
         +601 tick
         +700 inc-arm operator/place:u flood by lee until=900
         +900 tick",
        &expect![[r#"
            +0 inc-arm operator/place:u flood by kim until=600 => done incident operator/place:u
            +599 tick => 1 escalated
            +600 tick => IncidentEnded; AlertCleared
            +601 tick => nothing due
            +700 inc-arm operator/place:u flood by lee until=900 => done incident operator/place:u
            +900 tick => IncidentEnded; AlertCleared
        "#]],
    );
}

#[test]
fn an_armed_area_survives_a_restart_with_who_armed_it_and_until_when() {
    let mut stage = Stage::new(RoomOptions::default());
    stage.step(&input("+0 inc-arm operator/place:u flood by kim until=600"), now(0));
    for records in [0, stage.log.len()] {
        let room = stage.restarted_at(records);
        let incident = room.incidents().next().unwrap();
        let armed = incident.armed.as_ref().unwrap();
        assert_eq!((armed.by.as_str(), armed.until), ("kim", Some(now(600).utc)));
        assert_eq!(room.next_due(), stage.room.next_due());
    }
    stage.room = stage.restarted_at(stage.log.len());
    stage.step(&input("+0 tick"), now(600));
    let key = IncidentKey { source: "operator".to_owned(), id: "place:u".to_owned() };
    let incident = stage.room.find_incident(&key).unwrap();
    assert_eq!((incident.phase, incident.armed.as_ref()), (IncidentPhase::Closed, None));
    let reasons: Vec<_> = incident.history.iter().map(|e| format!("{} {}", e.actor, e.reason)).collect();
    assert_eq!(reasons, ["kim arm", "room ended"]);
}
