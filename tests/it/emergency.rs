//! The ways in which other systems lose a driver's press, and a thousand operators who want the same alert.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};
use tests::{Broker, Home, eventually, messages, mqtt::Fate, mqtt::Mqtt, one_at_a_time};
use tokio::sync::{Barrier, Semaphore};

use crate::straight_line::alert_of;

const SOON: Duration = Duration::from_secs(5);

async fn press(mqtt: &Mqtt, vehicle: &str, body: &Value) {
    let fate = mqtt.publish_acked(&messages::alarm_topic("22", vehicle), body.to_string(), false).await;
    assert_eq!(fate, Fate::Acknowledged, "{vehicle}");
}

async fn drive_to(mqtt: &Mqtt, vehicle: &str, lat: f64, lon: f64, offset_ms: i64) {
    let mut body = messages::position(lat, lon);
    body["event_time"] = json!(messages::at(offset_ms));
    mqtt.publish_acked(&messages::position_topic("22", vehicle), body.to_string(), false).await;
}

#[tokio::test]
async fn each_of_the_ten_lost_presses_raises_exactly_once() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    let with_place = |id: &str, lat: f64, lon: f64| {
        let mut body = messages::panic(id);
        (body["lat"], body["lon"]) = (json!(lat), json!(lon));
        body
    };
    let with_time = |id: &str, offset_ms: i64| {
        let mut body = messages::panic(id);
        body["event_time"] = json!(messages::at(offset_ms));
        body
    };

    press(&mqtt, "no-fix", &messages::panic("1")).await;
    press(&mqtt, "zero-coordinates", &with_place("2", 0.0, 0.0)).await;
    drive_to(&mqtt, "duplicate-position", 37.5, 127.0, 0).await;
    press(&mqtt, "duplicate-position", &with_place("3", 37.5, 127.0)).await;
    for back in (0..5).rev() {
        drive_to(&mqtt, "static", 37.5, 127.0, back * -60_000).await;
    }
    press(&mqtt, "static", &with_place("4", 37.5, 127.0)).await;
    press(&mqtt, "day-ahead", &with_time("5", 24 * 3_600_000)).await;
    press(&mqtt, "hour-behind", &with_time("6", -3_600_000)).await;
    drive_to(&mqtt, "speed-filter", 37.5, 127.0, -1_000).await;
    press(&mqtt, "speed-filter", &with_place("7", 35.1, 129.0)).await;
    // Two presses of a device that sends neither id nor time: the second may be a new press, never a second alert.
    press(&mqtt, "equal-to-previous", &json!({ "kind": "panic" })).await;
    press(&mqtt, "equal-to-previous", &json!({ "kind": "panic" })).await;
    press(&mqtt, "unknown-device", &messages::panic("9")).await;
    for second in 0..60 {
        drive_to(&mqtt, "batch-flush", 37.5 + f64::from(second) * 1e-4, 127.0, i64::from(second) * 1_000 - 60_000)
            .await;
        if second == 30 {
            press(&mqtt, "batch-flush", &with_time("10", -30_000)).await;
        }
    }

    let cases = [
        "no-fix",
        "zero-coordinates",
        "duplicate-position",
        "static",
        "day-ahead",
        "hour-behind",
        "speed-filter",
        "equal-to-previous",
        "unknown-device",
        "batch-flush",
    ];
    for case in cases {
        let alert = alert_of(topis.http(), &format!("vehicle:22/{case}")).await;
        assert_eq!((&alert["priority"], &alert["state"]), (&json!("P1"), &json!("active")), "{alert:#}");
    }
    let alerts = topis.http().list("/v1/alerts").await;
    assert_eq!(alerts.len(), cases.len(), "one alert a case, no more: {alerts:#?}");
}

#[tokio::test]
async fn a_thousand_racing_acknowledgements_have_one_winner() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    press(&mqtt, "contested", &messages::panic("1")).await;
    let alert = alert_of(topis.http(), "vehicle:22/contested").await;
    let path = format!("/v1/alerts/{}/acknowledge", alert["id"].as_str().unwrap());

    const OPERATORS: usize = 1_000;
    // As many at once as a service accepts connections without complaint; the rest push from behind.
    let (start, connections) = (Arc::new(Barrier::new(OPERATORS)), Arc::new(Semaphore::new(200)));
    let racers: Vec<_> = (0..OPERATORS)
        .map(|operator| {
            let (start, connections, http, path) =
                (Arc::clone(&start), Arc::clone(&connections), topis.http().clone(), path.clone());
            tokio::spawn(async move {
                start.wait().await;
                let _one = connections.acquire().await.unwrap();
                let by = format!("operator-{operator}");
                let answer = http.post(&path, &json!({ "by": by, "seen": 1 })).await.unwrap();
                (by, answer.status, answer.text)
            })
        })
        .collect();
    let (mut winners, mut losers) = (Vec::new(), 0);
    for racer in racers {
        let (by, status, text) = racer.await.unwrap();
        match status {
            200 => winners.push(by),
            409 => {
                assert!(text.contains("already-taken"), "{text}");
                losers += 1;
            }
            other => panic!("{by}: {other} {text}"),
        }
    }
    assert_eq!((winners.len(), losers), (1, OPERATORS - 1));
    let owner = topis.http().find(path.trim_end_matches("/acknowledge")).await.unwrap()["data"]["owner"].clone();
    assert_eq!(owner, json!(winners[0]));
}

#[tokio::test]
async fn a_new_press_after_somebody_took_it_re_alarms_the_same_alert() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    press(&mqtt, "again", &messages::panic("1")).await;
    let alert = alert_of(topis.http(), "vehicle:22/again").await;
    let path = format!("/v1/alerts/{}/acknowledge", alert["id"].as_str().unwrap());
    assert_eq!(topis.http().post(&path, &json!({ "by": "kim", "seen": 1 })).await.unwrap().status, 200);
    // The rule waits 10 s after the acknowledgement: somebody keeps pressing until it takes effect.
    let started = Timestamp::now();
    let mut presses = tokio::time::interval(Duration::from_millis(500));
    eventually("it sounds again", Duration::from_secs(20), async || {
        presses.tick().await;
        press(&mqtt, "again", &messages::panic(&messages::now())).await;
        let now = topis.http().find(path.trim_end_matches("/acknowledge")).await?["data"].clone();
        (now["acknowledged"] == false).then_some(now)
    })
    .await;
    assert!(Timestamp::now().duration_since(started).as_secs() >= 9, "not within 10 s of being taken");
    let old = topis.http().post(&path, &json!({ "by": "lee", "seen": 1 })).await.unwrap();
    assert!(old.status == 409 && old.text.contains("re-alarmed"), "{} {}", old.status, old.text);
    assert_eq!(topis.http().list("/v1/alerts").await.len(), 1);
}

#[tokio::test]
async fn a_repeated_order_with_the_same_key_is_answered_the_same() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    press(&mqtt, "keyed", &messages::panic("1")).await;
    let alert = alert_of(topis.http(), "vehicle:22/keyed").await;
    let path = format!("/v1/alerts/{}/acknowledge", alert["id"].as_str().unwrap());
    let order = async |topis: &tests::Topis| {
        let request = topis.http().request(reqwest::Method::POST, &path).header("Idempotency-Key", "k-1");
        topis.http().send(request.json(&json!({ "by": "kim" }))).await.unwrap().status
    };
    assert_eq!((order(&topis).await, order(&topis).await), (200, 200));
    topis.kill();
    let topis = home.start().await.unwrap();
    assert_eq!(order(&topis).await, 200, "the key is as durable as the order");
    eventually("one acknowledgement in the history", SOON, async || {
        let history = topis.http().find(&format!("{}/history", path.trim_end_matches("/acknowledge"))).await?;
        let taken = history["data"].as_array()?.iter().filter(|entry| entry["reason"] == "acknowledged").count();
        (taken == 1).then_some(())
    })
    .await;
}
