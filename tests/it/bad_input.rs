//! Every kind of bad input, at the door where its author will look for the reason.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{
    Broker, Home, Topis, eventually, messages,
    mosquitto::{Mosquitto, MosquittoOptions},
    mqtt::{Fate, Mqtt},
    one_at_a_time,
};

use crate::straight_line::alert_of;

const SOON: Duration = Duration::from_secs(5);

/// Publishes and waits until a reject with this code is in the feed's ring.
async fn rejected(topis: &Topis, port: u16, topic: &str, body: impl Into<Vec<u8>>, code: &str) -> Value {
    let mqtt = Mqtt::connect(port).await.unwrap();
    mqtt.publish_acked(topic, body, false).await;
    eventually(&format!("{topic} is rejected as {code}"), SOON, async || {
        let body = topis.http().find("/v1/feeds/native/rejects").await?;
        body["data"]
            .as_array()?
            .iter()
            .find(|reject| reject["topic"] == topic && reject.to_string().contains(code))
            .cloned()
    })
    .await
}

#[tokio::test]
async fn a_bad_position_is_a_reject_with_reason_field_and_head() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let port = home.broker_port();
    let topic = messages::position_topic("22", "9");
    let (deep, deeper) = ("[".repeat(30_000), "[".repeat(100_000));
    let time = messages::now();
    let cases: [(&str, String, &str); 8] = [
        ("topis/v1/vehicle/22/9/positon", "{}".to_owned(), "unknown_topic"),
        ("topis/v1/vehicle/a%00b/9/position", format!(r#"{{"event_time":"{time}"}}"#), "bad_id"),
        (&topic, String::new(), "empty_body"),
        (&topic, deep, "unparsable"),
        (&topic, deeper, "oversized"),
        (&topic, r#"{"lat":37.5,"lon":127.0}"#.to_owned(), "missing_field"),
        (&topic, r#"{"event_time":"2026-11-24T10:00:00","lat":37.5,"lon":127.0}"#.to_owned(), "naive_time"),
        (&topic, format!(r#"{{"event_time":"{time}","lat":1e39,"lon":127.0}}"#), "bad_"),
    ];
    for (topic, body, code) in cases {
        let head: String = body.chars().take(8).collect();
        let reject = rejected(&topis, port, topic, body, code).await;
        assert!(reject["head"].as_str().unwrap_or_default().starts_with(&head), "{reject:#}");
    }
    let near = rejected(&topis, port, "topis/v1/vehicle/22/9/positon", "{}", "unknown_topic").await;
    assert!(near.to_string().contains("position"), "names the nearest topic: {near:#}");
}

#[tokio::test]
async fn sixteen_digit_ids_and_agencies_never_heard_of_are_just_vehicles() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    let body = messages::position(37.5, 127.0).to_string();
    mqtt.publish_acked(&messages::position_topic("nobody-knows", "1234567890123456"), body, false).await;
    let found =
        eventually("the vehicle", SOON, async || topis.http().find("/v1/vehicles/nobody-knows/1234567890123456").await)
            .await;
    assert_eq!(found["data"]["vehicle_id"], "1234567890123456", "ids are strings");
}

#[tokio::test]
async fn places_that_cannot_be_are_shown_as_suspect_and_not_dropped() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    for (vehicle, lat, lon, flag) in [
        ("null", 0.0, 0.0, "null_island"),
        ("off", 999.0, 999.0, "out_of_range"),
        ("swap", 126.978, 37.56, "swapped_axes"),
    ] {
        let body = messages::position(lat, lon).to_string();
        mqtt.publish_acked(&messages::position_topic("22", vehicle), body, false).await;
        eventually(&format!("{vehicle} is flagged {flag}"), SOON, async || {
            let body = topis.http().find(&format!("/v1/vehicles/22/{vehicle}")).await?;
            body["data"]["quality"].as_array()?.iter().any(|f| f == flag).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn an_alarm_that_says_nothing_readable_still_raises() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    let bodies: [(&str, Vec<u8>); 5] = [
        ("empty", vec![]),
        ("binary", vec![0xff, 0x00, 0x80]),
        ("deep", b"[".repeat(100_000)),
        ("types", br#"{"kind":7,"lat":"x","event_time":"yesterday","passengers":-3}"#.to_vec()),
        ("absurd", br#"{"kind":"panic","lat":1e39,"lon":500,"event_time":"9999-01-01T00:00:00Z"}"#.to_vec()),
    ];
    for (vehicle, body) in bodies {
        assert_eq!(mqtt.publish_acked(&messages::alarm_topic("22", vehicle), body, false).await, Fate::Acknowledged);
        let alert = alert_of(topis.http(), &format!("vehicle:22/{vehicle}")).await;
        assert_eq!((&alert["class"], &alert["priority"]), (&json!("emergency"), &json!("P1")), "{alert:#}");
    }
    mqtt.publish_acked("topis/v1/vehicle/a%00b/9/alarm", "{}", false).await;
    eventually("an alarm with ids that are none", SOON, async || {
        let body = topis.http().find("/v1/alerts").await?;
        body["data"]
            .as_array()?
            .iter()
            .find(|a| a["subject"].as_str().is_some_and(|s| s.starts_with("unparsed:")))
            .cloned()
    })
    .await;
}

#[tokio::test]
async fn unknown_parameters_paths_and_bodies_are_answered_with_a_problem_that_helps() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    for (path, status, names) in [
        ("/v1/vehicles?rout_id=402", 400, "route_id"),
        ("/v1/vehicles?bbox=1,2,3", 400, "bbox"),
        ("/v1/vehicles?freshness=alive", 400, "freshness"),
        ("/v1/vehicles/22/nobody", 404, "22/nobody"),
        ("/v1/alerts/20261124-999999", 404, "20261124-999999"),
        ("/v1/alerts?wait=soon", 400, "wait"),
        ("/v1/vehicels", 404, ""),
    ] {
        let answer = topis.http().get(path).await.unwrap();
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        assert!(answer.text.contains(names), "{path} names {names}: {}", answer.text);
        let kind = answer.header("content-type").unwrap_or_default();
        assert!(kind.starts_with("application/problem+json"), "{path}: {kind}");
    }
    let body = json!({ "topic": "topis/v1/vehicle/22/1/position", "body": "{}" });
    let answer = topis.http().post("/v1/validate", &body).await.unwrap();
    assert!(answer.text.contains("event_time"), "validate says what is missing: {}", answer.text);
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_waited_for_and_said_so() {
    let _turn = one_at_a_time().await;
    if !Mosquitto::is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut broker = Mosquitto::start(folder.path(), &MosquittoOptions::default()).await.unwrap();
    broker.stop();
    let home = Home::new(Broker::Foreign(broker.port()));
    let topis = home.spawn().unwrap();
    let unready = eventually("readiness is answered without a broker", Duration::from_secs(20), async || {
        topis.http().get("/readyz").await.ok().filter(|answer| answer.status == 503)
    })
    .await;
    assert!(unready.text.contains("broker") || unready.text.contains("link"), "{}", unready.text);
    assert_eq!(topis.http().get("/livez").await.unwrap().status, 200);
    broker.resume().await.unwrap();
    eventually("ready once the broker is there", Duration::from_secs(10), async || {
        topis.http().get("/readyz").await.ok().filter(|answer| answer.status == 200)
    })
    .await;
}

#[tokio::test]
async fn a_broker_that_refuses_the_subscription_leaves_the_service_unready_and_says_which() {
    let _turn = one_at_a_time().await;
    if !Mosquitto::is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let options = MosquittoOptions { refuse_subscriptions: true };
    let broker = match Mosquitto::start(folder.path(), &options).await {
        Ok(broker) => broker,
        Err(cause) => return tests::process::skipped(&cause.to_string()),
    };
    let mut probe = Mqtt::connect(broker.port()).await.unwrap();
    assert!(!probe.subscribe("topis/#").await.unwrap(), "this broker refuses");
    let home = Home::new(Broker::Foreign(broker.port()));
    let topis = home.spawn().unwrap();
    let unready = eventually("the refusal is named", Duration::from_secs(20), async || {
        topis.http().get("/readyz").await.ok().filter(|answer| answer.text.contains("refused"))
    })
    .await;
    assert_eq!(unready.status, 503);
}
