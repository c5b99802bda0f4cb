//! What holds in every reachable state, by random stories. Numbers in names are those of the project's invariants.

use std::{collections::BTreeSet, sync::Arc};

use alert::{Alert, AlertClass, AlertCondition, AlertId, Change, Order, Priority};
use proptest::prelude::*;
use room::{ControlRoom, Input, RoomOptions, Verdict};

use crate::script::{Stage, input, now};

fn alarm_line() -> impl Strategy<Value = String> {
    let verb = prop_oneof![4 => Just("press"), 1 => Just("end")];
    let subject = prop_oneof![Just("22/1"), Just("22/2"), Just("?x")];
    let event = prop_oneof![Just("-"), Just("e1"), Just("e1@5"), Just("e1@50"), Just("e2@5"), Just("e2@99999999")];
    let kind = prop_oneof![Just("panic"), Just("fire"), Just("breakdown"), Just("panic passenger"), Just("panic test")];
    let flags = prop_oneof![3 => Just(""), 1 => Just("dup"), 1 => Just("retained")];
    let place =
        prop_oneof![Just(String::new()), (-89.0..89.0, -179.0..179.0).prop_map(|(y, x)| format!("fix={y},{x}"))];
    (verb, subject, event, kind, flags, place).prop_map(|(a, b, c, d, e, f)| format!("+0 {a} {b} {c} {d} {e} {f}"))
}

fn command_line() -> impl Strategy<Value = String> {
    let order = (1..6_u32, prop_oneof![Just("kim"), Just("lee")]);
    let rest = prop_oneof![Just(""), Just("seen=1"), Just("seen=2"), Just("seen=9"), Just("key=k")];
    prop_oneof![
        3 => (order.clone(), rest).prop_map(|((n, by), rest)| format!("+0 ack {n} by {by} {rest}")),
        1 => order.prop_map(|(n, by)| format!("+0 close {n} by {by} resolved")),
    ]
}

fn incident_line() -> impl Strategy<Value = String> {
    let report = (
        1..3_u32,
        0..4_u32,
        prop_oneof![
            Just("flood"),
            Just("crash closed"),
            Just("rally radius=0.1234567"),
            Just("flood lifted"),
            Just("rally effect=DETOUR affects=402 ends=400"),
            Just("rally effect=DETOUR affects=402"),
            Just("flood periods=0..60,90..200,400..500")
        ],
    );
    prop_oneof![
        3 => report.clone().prop_map(|(id, version, rest)| format!("+0 incident its/{id} v{version} {rest}")),
        1 => report.clone().prop_map(|(id, _, rest)| format!("+0 incident its/{id} {rest}")),
        1 => report.prop_map(|(id, ..)| format!("+0 withdraw its/{id}")),
    ]
}

fn finding_line() -> impl Strategy<Value = String> {
    let rule = prop_oneof![Just("VEH.SILENT"), Just("VEH.STALL"), Just("VEH.OFFROUTE"), Just("EMG.X"), Just("HAZ.Q")];
    let subject = prop_oneof![Just("22/1"), Just("22/2"), Just("22/3"), Just("22/4"), Just("22/5"), Just("22/6")];
    let rest = prop_oneof![Just("P3"), Just("P2"), Just("P1"), Just("P3 members=22/1"), Just("P3 members=22/1,22/2")];
    let verb = prop_oneof![3 => Just("find"), 2 => Just("normal")];
    let child = (verb.clone(), rule, subject, rest).prop_map(|(verb, rule, subject, rest)| {
        let more = match rule {
            "EMG.X" => "class=emergency route=402",
            "VEH.OFFROUTE" => "route=402",
            "HAZ.Q" => "latched",
            _ => "",
        };
        format!("+0 {verb} {rule} {subject} {rest} {more} parent=FEED.SILENT/feed:native")
    });
    let missed = prop_oneof![Just("22/1"), Just("22/1,22/2"), Just("22/2,22/3")];
    let missed = missed.prop_map(|who| format!("+0 find GEO.UNACCOUNTED area:its/1 P1 class=safety members={who}"));
    prop_oneof![5 => child, 1 => missed, 1 => verb.prop_map(|verb| format!("+0 {verb} FEED.SILENT feed:native P1 class=system"))]
}

/// Orders beside taking and closing; `until` is put in by the story.
fn order_line() -> impl Strategy<Value = String> {
    let on = (1..9_u32, prop_oneof![Just("kim"), Just("lee"), Just("boss supervisor")]);
    let tend = prop_oneof![
        Just("handover to=lee"),
        Just("release"),
        Just("comment comment=a"),
        Just("mark on_scene"),
        Just("shelve until=UNTIL comment=known"),
        Just("shelve until=UNTIL one_shot comment=known"),
        Just("unshelve"),
        Just("reset"),
        Just("account member=22/1"),
        Just("account member=22/2"),
    ];
    let key = prop_oneof![3 => Just(""), 1 => Just("key=k")];
    let alone = prop_oneof![
        Just("raise by kim stop:s1 fire"),
        Just("raise by lee stop:s2 breakdown expires=UNTIL"),
        Just("suppress VEH.* by kim until=UNTIL"),
        Just("unsuppress 1 by kim"),
        Just("inc-open ops/1 flood by kim"),
        Just("inc-update ops/1 flood minor by kim"),
        Just("inc-close its/1 by kim"),
        Just("inc-keep its/1 by lee"),
        Just("inc-arm operator/place:u flood by kim until=UNTIL"),
        Just("inc-arm operator/place:u flood by lee"),
        Just("inc-close operator/place:u by lee"),
        Just("publish ops/1 by kim title=a"),
        Just("unpublish ops/1 by kim"),
        Just("group its/1 1,2 by kim"),
        Just("split its/1 1 by kim"),
        Just("form ops/2 1,2 crash by kim"),
    ];
    prop_oneof![
        3 => (on, tend, key).prop_map(|((n, by), deed, key)| {
            let (verb, rest) = deed.split_once(' ').unwrap_or((deed, ""));
            format!("+0 {verb} {n} by {by} {rest} {key}")
        }),
        2 => alone.prop_map(|order| format!("+0 {order}")),
    ]
}

fn time_line() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => Just("+0 tick".to_owned()),
        1 => prop_oneof![Just(3600), Just(-3600)].prop_map(|by| format!("+0 step {by}")),
    ]
}

/// Steps of a story: seconds since the last (negative: the clock was set back) and what happens.
fn story() -> impl Strategy<Value = Vec<(i64, String)>> {
    let pause = prop_oneof![4 => 0..20_i64, 1 => 20..200_i64, 1 => -30..0_i64, 1 => Just(8 * 86_400)];
    let line = prop_oneof![
        4 => alarm_line(),
        3 => command_line(),
        1 => incident_line(),
        4 => finding_line(),
        4 => order_line(),
        3 => time_line(),
    ];
    prop::collection::vec((pause, line), 1..60)
}

fn open_keys_are_unique(room: &ControlRoom) {
    let mut seen = BTreeSet::new();
    for alert in room.alerts().filter(|alert| alert.is_open()) {
        assert!(seen.insert((&alert.rule, &alert.subject, alert.status)), "I3: two open alerts of {}", alert.rule);
    }
}

/// I11: whoever follows by sequence sees every alert at its last record.
fn followers_miss_nothing(room: &ControlRoom) {
    let mut by_seq: Vec<_> = room.alerts().cloned().collect();
    by_seq.sort_by_key(|alert| (alert.seq, alert.id.clone()));
    let followed = |seq| room.alerts_since(seq).cloned().collect::<Vec<_>>();
    assert_eq!(followed(0), by_seq, "I11");
    let newest = by_seq.last().map_or(0, |alert| alert.seq);
    by_seq.retain(|alert| alert.seq == newest);
    assert_eq!(followed(newest), by_seq, "I11");
}

fn history_is_whole(alert: &Alert) {
    assert!(alert.history.windows(2).all(|pair| pair[0].seq < pair[1].seq && pair[0].to == pair[1].from), "I11");
    assert_eq!(alert.history.last().map(|entry| entry.seq), Some(alert.seq));
    assert!(alert.history.iter().all(|entry| !entry.actor.is_empty() && !entry.from.is_empty()));
}

fn never_shed(alert: &Alert) {
    if alert.class == AlertClass::Emergency {
        assert!(alert.silence.is_none() && !alert.flap.held(), "I12: {alert:?}");
        let closed_by_itself = alert.closing.as_ref().is_some_and(|closing| closing.by.is_none());
        assert!(!closed_by_itself, "I12: {alert:?}");
    }
    let hidden = alert.is_open() && alert.silence.collapsed_into.is_some();
    assert!(alert.priority != Priority::P1 || !hidden, "what is critical stands alone: {alert:?}");
}

/// Who goes on behind another is spoken for by one that stands there to be seen.
fn is_spoken_for(room: &ControlRoom, alert: &Alert) {
    let Some(root) = &alert.silence.collapsed_into else { return };
    let alone = alert::Silence { collapsed_into: None, ..alert.silence.clone() }.is_none();
    if alone && alert.condition == AlertCondition::Active {
        let root = room.find_alert(root).unwrap();
        assert!(root.condition == AlertCondition::Active && root.silence.is_none(), "{alert:?} behind {root:?}");
    }
}

fn untouched_owner(before: Option<&Arc<Alert>>, after: &Alert) {
    if let Some(before) = before {
        assert_eq!(before.acknowledgement, after.acknowledgement, "I8");
        assert_eq!(before.previous_owner, after.previous_owner, "I8");
    }
}

fn check_step(before: &ControlRoom, stage: &Stage, input: &Input, verdict: &Verdict, changes: &[Change]) {
    let room = &stage.room;
    open_keys_are_unique(room);
    followers_miss_nothing(room);
    assert_eq!(room.seq(), u64::try_from(stage.log.len()).unwrap(), "I11: one number a record");
    for known in before.alerts().filter(|alert| !alert.is_open()) {
        if let Some(now) = room.find_alert(&known.id) {
            // Words may be added to what is final; nothing else may.
            let said = now.history.len() > known.history.len() && now.history.last().unwrap().reason == "comment";
            let without = |alert: &Alert| Alert { history: Vec::new(), seq: 0, ..alert.clone() };
            assert_eq!(without(known), without(now), "I7: a closed alert stays as it is");
            assert!(said || known == now, "I7");
        }
    }
    for alert in room.alerts() {
        history_is_whole(alert);
        never_shed(alert);
        is_spoken_for(room, alert);
    }
    match verdict {
        Verdict::Raised(id) => assert!(before.find_alert(id).is_none() && room.find_alert(id).is_some()),
        Verdict::Repeated { alert, re_alarmed } => {
            let after = room.find_alert(alert).unwrap();
            // A press that comes after its end is over at once.
            assert!(after.is_open() || changes.iter().any(|change| matches!(change, Change::AlertClosed { .. })));
            if changes.is_empty() {
                assert_eq!(Some(after), before.find_alert(alert), "repetition leaves no record");
                return;
            }
            assert_eq!(after.count, before.find_alert(alert).unwrap().count + 1);
            if !re_alarmed {
                untouched_owner(before.find_alert(alert), after);
            }
        }
        Verdict::Duplicate(_) | Verdict::NothingOpen | Verdict::Refused(_) => assert!(changes.is_empty(), "I5, I8"),
        Verdict::EndCameFirst => assert_eq!(changes.len(), 1, "remembered"),
        Verdict::SourceNormal(id) => {
            if let Some(after) = room.find_alert(id) {
                untouched_owner(before.find_alert(id), after);
                assert!(after.latched <= after.is_open(), "T7: latched stays active");
            }
        }
        Verdict::Done(_)
        | Verdict::Incident(_)
        | Verdict::IncidentDone(_)
        | Verdict::SuppressionDone(_)
        | Verdict::Ticked => {}
    }
    if let (Input::Command(command), Verdict::Done(id)) = (input, verdict)
        && let Some(alert) = room.find_alert(id)
    {
        let is_take = matches!(command.order, Order::Acknowledge { .. });
        assert!(!is_take || alert.is_owned_by(&command.actor.by), "200 = it is yours");
        assert!(!matches!(command.order, Order::Close { .. }) || !alert.is_open());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_reachable_state_is_sound_and_replays_byte_for_byte(story in story()) {
        let mut stage = Stage::new(RoomOptions::default());
        let mut second = 100;
        for (pause, line) in story {
            second += pause;
            let before = stage.room.clone();
            let mut input = input(&line.replace("UNTIL", &(second + 500).to_string()));
            if let Input::Alarm(report) = &mut input {
                report.received_at = now(second).utc;
            }
            let decision = stage.step(&input, now(second));
            check_step(&before, &stage, &input, &decision.verdict, &decision.changes);
        }
        let (replayed, live) = (stage.replayed(), format!("{:?}", stage.room));
        prop_assert_eq!(format!("{replayed:?}"), live.clone(), "I9");
        for records in [0, stage.log.len() / 3, stage.log.len() * 2 / 3, stage.log.len()] {
            let restarted = format!("{:?}", stage.restarted_at(records));
            prop_assert_eq!(restarted, live.clone(), "snapshot after {} records and the tail", records);
        }
    }

    #[test]
    fn any_order_and_number_of_copies_of_the_same_presses_counts_each_once(
        deliveries in prop::collection::vec((0..3_u32, 0..4_u32, any::<bool>()), 1..40)
    ) {
        let mut stage = Stage::new(RoomOptions::default());
        let mut pressed = BTreeSet::new();
        for (vehicle, event, dup) in deliveries {
            let dup = if dup { "dup" } else { "" };
            stage.step(&input(&format!("+0 press 22/{vehicle} e{event}@{event} {dup}")), now(10));
            pressed.insert((vehicle, event));
        }
        let vehicles: BTreeSet<u32> = pressed.iter().map(|(vehicle, _)| *vehicle).collect();
        prop_assert_eq!(stage.room.alerts().count(), vehicles.len());
        let counted: u32 = stage.room.alerts().map(|alert| alert.count).sum();
        prop_assert_eq!(usize::try_from(counted).unwrap(), pressed.len());
    }
}

#[test]
fn of_a_thousand_racing_acknowledgements_one_wins_and_the_rest_learn_who() {
    let mut stage = Stage::new(RoomOptions::default());
    stage.step(&input("+0 press 22/800 e1@0"), now(0));
    let mut won = Vec::new();
    for n in 0..1000 {
        let decision = stage.step(&input(&format!("+1 ack 1 by operator{n} seen=1")), now(1));
        if let Verdict::Refused(refusal) = &decision.verdict {
            assert_eq!(refusal.to_string(), "alert 20261123-1 was already taken by operator0");
        } else {
            won.push(n);
        }
    }
    assert_eq!(won, [0]);
    assert_eq!(stage.log.len(), 2);
}

#[test]
fn deciding_changes_nothing_and_a_dropped_batch_leaves_no_trace() {
    let mut stage = Stage::new(RoomOptions::default());
    stage.step(&input("+0 press 22/800 e1@0"), now(0));
    let before = format!("{:?}", stage.room);
    let mut staged = stage.room.clone();
    for line in ["+1 press 22/801 e1@1", "+2 ack 1 by kim", "+3 close 2 by kim resolved"] {
        let decision = staged.decide(&input(line), now(5));
        decision.changes.iter().for_each(|change| staged.apply(change));
    }
    assert_ne!(format!("{staged:?}"), before);
    assert_eq!(format!("{:?}", stage.room), before);
    let id = AlertId::find("20261123-2").unwrap();
    assert!(stage.room.find_alert(&id).is_none());
}
