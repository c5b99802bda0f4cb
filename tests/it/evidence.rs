//! What is there to read after an emergency: ways of the vehicles around it, recorded over a kill, and the report in
//! every form.

use std::{collections::BTreeSet, fs, path::PathBuf, time::Duration};

use serde_json::{Value, json};
use tests::{Broker, Home, eventually, messages, mqtt::Mqtt, one_at_a_time};

use crate::straight_line::alert_of;

const SOON: Duration = Duration::from_secs(10);
/// A round of the recorder is 15 s; one that goes on after a restart waits for as long.
const TWO_ROUNDS: Duration = Duration::from_secs(45);

/// A vehicle at so many metres north of the centre, at an instant relative to now.
async fn drive(mqtt: &Mqtt, vehicle: &str, metres: f64, offset_ms: i64) {
    let mut body = messages::position(37.5 + metres / 111_195.0, 127.0);
    body["event_time"] = json!(messages::at(offset_ms));
    mqtt.publish_acked(&messages::position_topic("22", vehicle), body.to_string(), false).await;
}

fn file(home: &Home, alert: &str) -> PathBuf {
    home.folder().join(format!("journal.db.evidence/{alert}.jsonl"))
}

/// The whole lines of a file.
fn lines(path: &PathBuf) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

fn positions_of<'a>(lines: &'a [Value], vehicle: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["row"] == "position" && line["vehicle_id"] == vehicle).collect()
}

#[tokio::test]
async fn the_ways_around_an_emergency_are_on_file_over_a_kill_and_the_report_tells_who_where_and_what_was_unknown() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded).with("TOPIS__EVIDENCE__RADIUS_M", "1000");
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    for round in 0..=30_i32 {
        let (metres, offset_ms) = (f64::from(round) * 20.0, i64::from(round - 30) * 20_000);
        drive(&mqtt, "800", metres, offset_ms).await;
        drive(&mqtt, "7", metres + 300.0, offset_ms).await;
        drive(&mqtt, "9", metres + 3_000.0, offset_ms).await;
    }
    mqtt.publish_acked(&messages::alarm_topic("22", "800"), messages::panic("1").to_string(), false).await;
    let alert = alert_of(topis.http(), "vehicle:22/800").await;
    let id = alert["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/alerts/{id}");
    assert_eq!(alert["links"]["report"], format!("{path}/report"));
    let ordered = [
        ("acknowledge", json!({"by": "kim", "desk": "north"})),
        ("mark", json!({"by": "kim", "step": "on_scene", "party": "ambulance 3", "reference": "A-7"})),
    ];
    for (verb, body) in &ordered {
        let answer = topis.http().post(&format!("{path}/{verb}"), body).await.unwrap();
        assert_eq!(answer.status, 200, "{verb}: {}", answer.text);
    }
    let evidence = file(&home, &id);
    let before = eventually("ten minutes of the subject's way and of the one near are on file", SOON, async || {
        let lines = lines(&evidence);
        (positions_of(&lines, "800").len() >= 30 && positions_of(&lines, "7").len() >= 30).then_some(lines)
    })
    .await;
    assert!(positions_of(&before, "9").is_empty(), "three kilometres are not near");

    topis.kill();
    let torn = fs::read(&evidence).unwrap();
    fs::write(&evidence, [&torn[..], b"{\"row\":\"posi"].concat()).unwrap();
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    let after = eventually("it goes on for both", TWO_ROUNDS, async || {
        drive(&mqtt, "800", 640.0, 0).await;
        drive(&mqtt, "7", 940.0, 0).await;
        let lines = lines(&evidence);
        let more = |vehicle| positions_of(&lines, vehicle).len() > positions_of(&before, vehicle).len();
        (more("800") && more("7")).then_some(lines)
    })
    .await;
    assert_eq!(&after[..before.len()], &before[..], "what was on file stays as it was");
    let keys: Vec<String> = after
        .iter()
        .filter(|line| matches!(line["row"].as_str(), Some("evidence" | "vehicle" | "position")))
        .map(|line| format!("{} {} {}", line["row"], line["vehicle_id"], line["event_time"]))
        .collect();
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len(), "nothing is there twice");
    let gap = after.iter().find(|line| line["what"] == "not_recorded").expect("the gap is told");
    assert!(gap["since"].is_string() && gap["until"].is_string(), "{gap}");

    let report = topis.http().find(&format!("{path}/report")).await.unwrap()["data"].clone();
    assert_eq!((&report["owners"][0]["owner"], &report["marks"][0]["party"]), (&json!("kim"), &json!("ambulance 3")));
    let told: Vec<&str> = report["timeline"].as_array().unwrap().iter().filter_map(|e| e["reason"].as_str()).collect();
    assert_eq!(told, ["raised", "acknowledged", "mark"]);
    let count = |key: &str| report[key].as_array().unwrap().len();
    assert_eq!((count("vehicles"), count("recordings")), (2, 1), "{report:#}");
    assert_eq!(count("positions"), after.iter().filter(|line| line["row"] == "position").count());
    assert!(report["unknown"].as_array().unwrap().iter().any(|row| row["what"] == "not_recorded"), "{report:#}");
    for form in ["csv", "md"] {
        let text = topis.http().get(&format!("{path}/report?f={form}")).await.unwrap().text;
        for words in ["kim", "ambulance 3", "37.5", "127.0", "acknowledged"] {
            assert!(text.contains(words), "{form} does not name {words}: {text}");
        }
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_counted_and_holds_up_no_alarm() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    fs::write(home.folder().join("journal.db.evidence"), "a file is in the way").unwrap();
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    mqtt.publish_acked(&messages::alarm_topic("22", "800"), messages::panic("1").to_string(), false).await;
    let alert = alert_of(topis.http(), "vehicle:22/800").await;
    assert_eq!(alert["durable"], true);
    eventually("the failure is counted and shown", SOON, async || {
        let metrics = topis.http().get("/metrics").await.ok()?.text;
        (metrics.contains("topis_evidence_failing 1") && metrics.contains("topis_evidence_failures_total 1"))
            .then_some(())
    })
    .await;
    let path = format!("/v1/alerts/{}", alert["id"].as_str().unwrap());
    let report = topis.http().find(&format!("{path}/report")).await.unwrap()["data"].clone();
    assert_eq!(report["recordings"][0]["state"], "unreadable", "{report:#}");
    let taken = topis.http().post(&format!("{path}/acknowledge"), &json!({ "by": "kim" })).await.unwrap();
    assert_eq!(taken.status, 200, "{}", taken.text);
}
