//! Alarms in, the lines of `/metrics` out.

use alert::{Actor, Command, Order};
use api::Guide;
use decode::{Feeds, Message};
use expect_test::expect;
use metrics_exporter_prometheus::PrometheusBuilder;
use room::{ControlRoom, Desk, Input, RoomOptions};
use transit::{Now, UtcMillis};

use crate::board::Board;

const T0: UtcMillis = UtcMillis(1_795_420_800_000);

fn at(second: i64) -> Now {
    Now { utc: T0.plus_millis(second * 1000), mono_ms: u64::try_from(second * 1000).unwrap() }
}

fn room() -> ControlRoom {
    let north = Desk { name: "north".to_owned(), agencies: vec!["22".to_owned()], rules: Vec::new() };
    ControlRoom::new(RoomOptions { desks: vec![north], ..RoomOptions::default() })
}

fn step(room: &mut ControlRoom, input: &Input, now: Now) {
    for change in room.decide(input, now).changes {
        room.apply(&change);
    }
}

fn press(room: &mut ControlRoom, vehicle: &str, body: &str, second: i64) {
    let frame = decode::Frame {
        topic: &format!("topis/v1/vehicle/{vehicle}/alarm"),
        payload: body.as_bytes(),
        retained: false,
        dup: false,
        received_at: at(second).utc,
    };
    for message in Feeds::new("topis", Feeds::defaults()).unwrap().decode(&frame).messages {
        if let Message::Alarm(report) = message {
            step(room, &Input::Alarm(report), at(second));
        }
    }
}

fn take(room: &mut ControlRoom, number: u64, second: i64) {
    let alert = room.alerts().find(|alert| alert.id.number == number).unwrap().id.clone();
    let actor = Actor { by: "kim".to_owned(), ..Actor::default() };
    let order = Order::Acknowledge { alert, seen: None, comment: None };
    step(room, &Input::Command(Command { request_id: "r".to_owned(), actor, order }), at(second));
}

/// What `/metrics` says of the load at an instant.
fn scraped(room: &ControlRoom, second: i64) -> String {
    let board = Board::new("e", room.clone(), Guide::default(), "wall", at(second));
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || crate::assembly::metrics_text(board.published(), recorder.handle())())
}

fn lines(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().filter(|line| line.starts_with("topis_load")).collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[test]
fn what_sounds_and_who_takes_it_is_on_metrics_desk_by_desk() {
    let mut room = room();
    press(&mut room, "22/1", r#"{"kind":"fire"}"#, 0);
    press(&mut room, "18/1", r#"{"kind":"call_request"}"#, 1);
    take(&mut room, 1, 30);
    let text = lines(&scraped(&room, 60));
    let (all, north): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.contains("desk=\"all\""));
    assert_eq!(all.len(), north.len());
    for line in ["annunciated{desk=\"all\",span=\"10m\"} 2", "unacknowledged{desk=\"all\",priority=\"P4\"} 1"] {
        assert!(all.iter().any(|said| said.ends_with(line)), "{line} in {all:#?}");
    }
    expect![[r#"
        topis_load_ack_p50_seconds{desk="north",priority="P1"} 30
        topis_load_ack_p50_seconds{desk="north",priority="P2"} NaN
        topis_load_ack_p50_seconds{desk="north",priority="P3"} NaN
        topis_load_ack_p50_seconds{desk="north",priority="P4"} NaN
        topis_load_ack_seconds{desk="north",quantile="0.5"} 30
        topis_load_ack_seconds{desk="north",quantile="0.95"} 30
        topis_load_annunciated_by_priority{desk="north",priority="P1"} 1
        topis_load_annunciated_by_priority{desk="north",priority="P2"} 0
        topis_load_annunciated_by_priority{desk="north",priority="P3"} 0
        topis_load_annunciated_by_priority{desk="north",priority="P4"} 0
        topis_load_annunciated{desk="north",span="10m"} 1
        topis_load_annunciated{desk="north",span="1d"} 1
        topis_load_annunciated{desk="north",span="1h"} 1
        topis_load_chattering{desk="north"} 0
        topis_load_expired_unacknowledged{desk="north"} 0
        topis_load_flood_share{desk="north"} 0
        topis_load_flood{desk="north"} 0
        topis_load_hours_over_30{desk="north"} 0
        topis_load_peak_hour{desk="north"} 1
        topis_load_peak_minute{desk="north"} 1
        topis_load_periods_over_10{desk="north"} 0
        topis_load_raised_peak_minute{desk="north"} 1
        topis_load_raised{desk="north",span="10m"} 1
        topis_load_raised{desk="north",span="1d"} 1
        topis_load_raised{desk="north",span="1h"} 1
        topis_load_shelved{desk="north"} 0
        topis_load_stale{desk="north"} 0
        topis_load_standing{desk="north",priority="P1"} 1
        topis_load_standing{desk="north",priority="P2"} 0
        topis_load_standing{desk="north",priority="P3"} 0
        topis_load_standing{desk="north",priority="P4"} 0
        topis_load_top_rules_share{desk="north"} 1
        topis_load_unacknowledged{desk="north",priority="P1"} 0
        topis_load_unacknowledged{desk="north",priority="P2"} 0
        topis_load_unacknowledged{desk="north",priority="P3"} 0
        topis_load_unacknowledged{desk="north",priority="P4"} 0"#]]
    .assert_eq(&north.join("\n"));
}

#[test]
fn every_figure_says_what_it_is_and_no_series_names_a_vehicle_an_alert_or_a_rule() {
    let mut room = room();
    press(&mut room, "22/4711", r#"{"kind":"panic","covert":true}"#, 0);
    let text = scraped(&room, 10);
    let named = |line: &str| line.split(['{', ' ']).next().unwrap().to_owned();
    for line in lines(&text).lines() {
        assert!(text.contains(&format!("# HELP {} ", named(line))), "{line}");
    }
    for secret in ["4711", "EMG", "panic", "covert", "20261123"] {
        assert!(!lines(&text).contains(secret), "{secret} in {text}");
    }
}

#[test]
fn a_covert_alarm_reads_as_any_other() {
    let scrape = |body: &str| {
        let mut room = room();
        press(&mut room, "22/1", body, 0);
        lines(&scraped(&room, 10))
    };
    assert_eq!(scrape(r#"{"kind":"panic","covert":true}"#), scrape(r#"{"kind":"fire","covert":false}"#));
}
