//! The main job from end to end: a vehicle's message becomes an answer, an alarm an alert that somebody takes.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Broker, Home, eventually, http::Http, messages, mqtt::Fate, mqtt::Mqtt, one_at_a_time};

const SOON: Duration = Duration::from_secs(5);

/// What design.md promises of every vehicle.
const VEHICLE_KEYS: &[&str] = &[
    "id",
    "agency_id",
    "vehicle_id",
    "feed_id",
    "received_at",
    "age_s",
    "freshness",
    "quality",
    "upcoming",
    "event_time",
    "lat",
    "lon",
    "bearing",
    "speed_mps",
    "accuracy_m",
    "odometer_m",
    "mode",
    "route_id",
    "direction_id",
    "trip_id",
    "service_date",
    "start_time",
    "block_id",
    "stop_id",
    "current_stop_sequence",
    "current_status",
    "delay_s",
    "occupancy_status",
    "occupancy_percentage",
    "doors_open",
    "position_source",
    "journey_state",
    "consist",
    "boot",
    "seq",
];

/// What design.md promises of every alert.
const ALERT_KEYS: &[&str] = &[
    "id",
    "number",
    "priority",
    "class",
    "rule",
    "kind",
    "headline",
    "place_text",
    "code",
    "args",
    "subject",
    "feed_id",
    "event_id",
    "agency_id",
    "vehicle_id",
    "route_id",
    "lat",
    "lon",
    "position_age_s",
    "quality",
    "event_at",
    "received_at",
    "raised_at",
    "late_by_s",
    "state",
    "acknowledged",
    "owner",
    "owner_since",
    "ack_due_at",
    "overdue",
    "count",
    "status",
    "covert",
    "durable",
    "shelved_until",
    "closed_at",
    "close_reason",
    "incident_id",
    "next_step",
    "links",
];

fn assert_keys(record: &Value, keys: &[&str]) {
    let missing: Vec<&&str> = keys.iter().filter(|key| record.get(**key).is_none()).collect();
    assert!(missing.is_empty(), "keys are always present; missing {missing:?} in {record:#}");
}

/// Waits for the only open alert of a vehicle.
pub(crate) async fn alert_of(http: &Http, subject: &str) -> Value {
    eventually(&format!("an alert about {subject}"), SOON, async || {
        let body = http.find("/v1/alerts").await?;
        body["data"].as_array()?.iter().find(|alert| alert["subject"] == subject).cloned()
    })
    .await
}

#[tokio::test]
async fn a_position_is_readable_over_http_with_both_times_and_its_age() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    let sent = messages::position(37.5665, 126.978);
    let fate = mqtt.publish_acked(&messages::position_topic("22", "8001"), sent.to_string(), false).await;
    assert_eq!(fate, Fate::Acknowledged);

    let vehicle = eventually("the vehicle is shown", SOON, async || {
        topis.http().find("/v1/vehicles/22/8001").await.map(|body| body["data"].clone())
    })
    .await;
    assert_keys(&vehicle, VEHICLE_KEYS);
    assert_eq!(vehicle["id"], "22/8001");
    assert_eq!(vehicle["feed_id"], "native");
    assert_eq!(vehicle["route_id"], "402");
    assert_eq!(vehicle["freshness"], "live");
    assert_eq!(vehicle["doors_open"], Value::Null, "what was not said is unknown, not false");
    assert!((vehicle["lat"].as_f64().unwrap() - 37.5665).abs() < 1e-6, "{vehicle:#}");
    assert!(vehicle["age_s"].as_f64().unwrap() < 30.0, "{vehicle:#}");
    for time in ["event_time", "received_at"] {
        assert!(vehicle[time].as_str().unwrap().ends_with('Z'), "{time} is UTC");
    }

    let list = topis.http().get("/v1/vehicles?route_id=402&freshness=live").await.unwrap().json();
    assert_eq!(list["data"].as_array().map(Vec::len), Some(1));
    for key in ["as_of", "epoch", "revision", "degraded"] {
        assert!(list["meta"].get(key).is_some(), "meta.{key}: {}", list["meta"]);
    }
    assert!(topis.http().list("/v1/vehicles?route_id=other").await.is_empty());
}

#[tokio::test]
async fn a_press_becomes_an_alert_that_one_operator_takes_and_closes() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let http = topis.http();
    let mut receipts = Mqtt::connect(home.broker_port()).await.unwrap();
    assert!(receipts.subscribe("topis/v1/receipt/22/8002").await.unwrap());
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();

    let press = messages::panic("press-1");
    let topic = messages::alarm_topic("22", "8002");
    assert_eq!(mqtt.publish_acked(&topic, press.to_string(), false).await, Fate::Acknowledged);
    let receipt: Value = serde_json::from_slice(&receipts.next(SOON).await.unwrap().payload).unwrap();
    assert_eq!((&receipt["event_id"], &receipt["state"]), (&json!("press-1"), &json!("recorded")));
    assert!(!receipt.to_string().contains("panic"), "a receipt gives no covert alarm away: {receipt}");

    let alert = alert_of(http, "vehicle:22/8002").await;
    assert_keys(&alert, ALERT_KEYS);
    assert_eq!(
        (&alert["priority"], &alert["class"], &alert["rule"]),
        (&json!("P1"), &json!("emergency"), &json!("EMG.PANIC"))
    );
    assert_eq!(
        (&alert["state"], &alert["acknowledged"], &alert["owner"]),
        (&json!("active"), &json!(false), &Value::Null)
    );
    assert_eq!((&alert["covert"], &alert["durable"], &alert["count"]), (&json!(true), &json!(true), &json!(1)));
    let id = alert["id"].as_str().unwrap().to_owned();
    assert_eq!(receipt["alert_id"], *id);

    // The same press again: counted, no second alert, and the vehicle is told.
    assert_eq!(mqtt.publish_acked(&topic, press.to_string(), false).await, Fate::Acknowledged);
    let again: Value = serde_json::from_slice(&receipts.next(SOON).await.unwrap().payload).unwrap();
    assert_eq!(again["state"], "duplicate");
    assert_eq!(http.list("/v1/alerts").await.len(), 1);

    take_and_close(http, &id).await;
    let told: Value = serde_json::from_slice(&receipts.next(SOON).await.unwrap().payload).unwrap();
    assert_eq!(told["state"], "acknowledged");
}

async fn take_and_close(http: &Http, id: &str) {
    let take = format!("/v1/alerts/{id}/acknowledge");
    let nobody = http.post(&take, &json!({})).await.unwrap();
    assert_eq!(nobody.status, 400, "an open loopback must be told who: {}", nobody.text);
    let kim = http.post(&take, &json!({ "by": "kim", "desk": "north", "seen": 1 })).await.unwrap();
    assert_eq!((kim.status, &kim.json()["data"]["owner"]), (200, &json!("kim")), "{}", kim.text);
    let kim_again = http.post(&take, &json!({ "by": "kim", "desk": "north", "seen": 1 })).await.unwrap();
    assert_eq!(kim_again.status, 200, "{}", kim_again.text);
    let lee = http.post(&take, &json!({ "by": "lee" })).await.unwrap();
    assert_eq!(lee.status, 409, "{}", lee.text);
    assert!(lee.text.contains("already-taken") && lee.text.contains("kim"), "{}", lee.text);
    assert_eq!(lee.header("content-type").map(|t| t.starts_with("application/problem+json")), Some(true));

    let close = format!("/v1/alerts/{id}/close");
    let closed = http.post(&close, &json!({ "by": "kim", "reason": "false_alarm", "comment": "test press" })).await;
    let closed = closed.unwrap();
    assert_eq!((closed.status, &closed.json()["data"]["state"]), (200, &json!("closed")), "{}", closed.text);
    let late = http.post(&take, &json!({ "by": "lee" })).await.unwrap();
    assert!(late.status == 409 && late.text.contains("closed"), "{} {}", late.status, late.text);
    assert!(http.list("/v1/alerts").await.is_empty(), "a closed alert leaves the list");

    let history = http.get(&format!("/v1/alerts/{id}/history")).await.unwrap().json();
    let text = history["data"].to_string();
    for word in ["raised", "acknowledged", "closed", "kim"] {
        assert!(text.contains(word), "history names {word}: {history:#}");
    }
}

#[tokio::test]
async fn an_incident_is_shown_replaced_by_a_higher_version_and_withdrawn_without_being_erased() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let http = topis.http();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    let topic = messages::incident_topic("police", "77");
    let publish = async |version| {
        let body = messages::incident("crash", 37.5, 127.0, version).to_string();
        assert_eq!(mqtt.publish_acked(&topic, body, true).await, Fate::Acknowledged);
    };
    let shown = async |what: &str, is: &dyn Fn(&Value) -> bool| {
        eventually(what, SOON, async || {
            http.find("/v1/incidents/police/77").await.map(|b| b["data"].clone()).filter(|incident| is(incident))
        })
        .await
    };
    publish(2).await;
    let first = shown("the incident", &|_| true).await;
    assert_eq!(
        (&first["kind"], &first["severity"], &first["state"]),
        (&json!("crash"), &json!("moderate"), &json!("active"))
    );
    publish(1).await;
    publish(3).await;
    shown("version 3", &|incident| incident["version"] == 3).await;
    assert_eq!(mqtt.publish_acked(&topic, "", true).await, Fate::Acknowledged);
    shown("closed by its source", &|incident| incident["state"] == "closed").await;
}

#[tokio::test]
async fn a_retained_incident_reaches_who_comes_later_and_a_retained_position_is_never_fresh() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    let topic = messages::incident_topic("police", "78");
    let body = messages::incident("flood", 37.5, 127.0, 1).to_string();
    assert_eq!(mqtt.publish_acked(&topic, body.clone(), true).await, Fate::Acknowledged);
    let mut later = Mqtt::connect(home.broker_port()).await.unwrap();
    assert!(later.subscribe("topis/v1/incident/#").await.unwrap());
    let delivered = later.next(SOON).await.unwrap();
    assert_eq!((delivered.topic, delivered.retained), (topic, true));
    assert_eq!(delivered.payload, body.into_bytes());
    drop(topis);
}

#[tokio::test]
async fn a_restart_keeps_alerts_incidents_and_who_has_them() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    for (vehicle, event) in [("1", "a"), ("2", "b")] {
        let body = messages::panic(event).to_string();
        mqtt.publish_acked(&messages::alarm_topic("22", vehicle), body, false).await;
    }
    let incident = messages::incident("fire", 37.5, 127.0, 1).to_string();
    mqtt.publish_acked(&messages::incident_topic("119", "5"), incident, true).await;
    let taken = alert_of(topis.http(), "vehicle:22/1").await;
    let path = format!("/v1/alerts/{}/acknowledge", taken["id"].as_str().unwrap());
    assert_eq!(topis.http().post(&path, &json!({ "by": "kim" })).await.unwrap().status, 200);
    let (alerts, epoch) = (durable_parts(topis.http()).await, epoch(topis.http()).await);
    let status = topis.stop().await.unwrap();
    assert_eq!(status.code(), Some(0), "SIGTERM is a clean end");

    let topis = home.start().await.unwrap();
    assert_eq!(durable_parts(topis.http()).await, alerts);
    assert_ne!(self::epoch(topis.http()).await, epoch, "every start is a new epoch");
    let stale = topis.http().get(&format!("/v1/changes?since={}-1", epoch.as_str().unwrap())).await.unwrap();
    assert_eq!(stale.status, 410, "an old cursor is told so: {}", stale.text);
}

async fn epoch(http: &Http) -> Value {
    http.get("/v1/alerts").await.unwrap().json()["meta"]["epoch"].clone()
}

/// Alerts and incidents without what depends on when they are read.
async fn durable_parts(http: &Http) -> (Vec<Value>, Vec<Value>) {
    let strip = |mut records: Vec<Value>| {
        for record in &mut records {
            let fields = record.as_object_mut().unwrap();
            fields.retain(|key, _| !matches!(key.as_str(), "position_age_s" | "overdue" | "revision" | "age_s"));
        }
        records
    };
    (strip(http.list("/v1/alerts").await), strip(http.list("/v1/incidents").await))
}

#[tokio::test]
async fn the_wall_shows_the_fleet_the_alerts_and_the_feeds_in_one_answer() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    let body = messages::position(37.5, 127.0).to_string();
    mqtt.publish_acked(&messages::position_topic("22", "3"), body, false).await;
    mqtt.publish_acked(&messages::alarm_topic("22", "3"), messages::panic("x").to_string(), false).await;
    alert_of(topis.http(), "vehicle:22/3").await;
    let status = topis.http().get("/v1/status").await.unwrap();
    assert_eq!(status.status, 200);
    assert!(status.text.contains("EMG.PANIC") && status.text.contains("native"), "{}", status.text);
    let wall = topis.http().get("/v1/status?f=text").await.unwrap();
    assert_eq!(wall.status, 200);
    assert!(wall.header("content-type").unwrap().starts_with("text/plain"));
    assert!(wall.text.contains("22/3"), "{}", wall.text);
}
