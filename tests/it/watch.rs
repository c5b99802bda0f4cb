//! The service watches by itself: a feed that falls silent, a warning from outside, and the decision in one call.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Broker, Home, eventually, http::Http, messages, mqtt::Mqtt, one_at_a_time};

const SOON: Duration = Duration::from_secs(10);
/// A feed is silent after 30 s at the least.
const SILENT_WITHIN: Duration = Duration::from_secs(60);

async fn drive(mqtt: &Mqtt, vehicles: std::ops::Range<u32>) {
    for vehicle in vehicles {
        let body = messages::position(37.5 + f64::from(vehicle) * 1e-4, 127.0).to_string();
        mqtt.publish_acked(&messages::position_topic("22", &vehicle.to_string()), body, false).await;
    }
}

/// Rule, subject and state of every open alert.
async fn alerts(http: &Http) -> Vec<String> {
    let word = |alert: &Value, key: &str| alert[key].as_str().unwrap_or_default().to_owned();
    let all = http.list("/v1/alerts").await;
    all.iter().map(|a| format!("{} {} {}", word(a, "rule"), word(a, "subject"), word(a, "state"))).collect()
}

#[tokio::test]
async fn a_feed_that_falls_silent_is_one_alert_and_its_return_clears_it() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    let mut rounds = tokio::time::interval(Duration::from_millis(500));
    for _ in 0..10 {
        rounds.tick().await;
        drive(&mqtt, 0..25).await;
    }
    assert_eq!(alerts(topis.http()).await, Vec::<String>::new());
    eventually("the silence is told once, and no vehicle by itself", SILENT_WITHIN, async || {
        (alerts(topis.http()).await == ["FEED.SILENT feed:native active"]).then_some(())
    })
    .await;
    let seen = topis.http().list("/v1/alerts").await.remove(0);
    assert_eq!((&seen["priority"], &seen["origin"]), (&json!("P1"), &json!("detector")), "{seen:#}");
    let alive = topis.http().find("/v1/vehicles?freshness=live").await.unwrap()["data"].as_array().unwrap().len();
    assert_eq!(alive, 0, "nothing of a silent feed reads live");

    eventually("it clears when vehicles are heard again, and waits for somebody", SOON, async || {
        rounds.tick().await;
        drive(&mqtt, 0..25).await;
        (alerts(topis.http()).await == ["FEED.SILENT feed:native cleared"]).then_some(())
    })
    .await;
    let path = format!("/v1/alerts/{}/acknowledge", seen["id"].as_str().unwrap());
    let taken = topis.http().post(&path, &json!({ "by": "kim" })).await.unwrap();
    assert_eq!((taken.status, &taken.json()["data"]["state"]), (200, &json!("closed")), "{}", taken.text);
}

fn warning(kind: &str, id: &str, references: &str, body: &str) -> String {
    let sent = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S+00:00");
    format!(
        "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\"><identifier>{id}</identifier>\
         <sender>kma.go.kr</sender><sent>{sent}</sent><status>Actual</status><msgType>{kind}</msgType>\
         <scope>Public</scope>{references}{body}</alert>"
    )
}

const FLOOD: &str = "<info><language>en-US</language><category>Met</category><event>Flood</event>\
    <urgency>Immediate</urgency><severity>Extreme</severity><certainty>Observed</certainty>\
    <headline>Flood at the river</headline><area><areaDesc>river</areaDesc><circle>37.5,127 1.0</circle></area></info>";

async fn hand_in(http: &Http, xml: String) -> (u16, String) {
    let request = http.request(Method::POST, "/v1/cap").header("content-type", "application/cap+xml").body(xml);
    let answer = http.send(request).await.unwrap();
    (answer.status, answer.text)
}

#[tokio::test]
async fn a_warning_becomes_an_incident_and_an_alert_says_who_is_inside_and_all_of_it_outlives_a_kill() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    drive(&mqtt, 0..5).await;
    let (status, text) = hand_in(topis.http(), warning("Alert", "W1", "", FLOOD)).await;
    assert_eq!(status, 200, "{text}");
    for hostile in ["<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><alert>&x;</alert>", "no xml", ""] {
        let (status, text) = hand_in(topis.http(), hostile.to_owned()).await;
        assert!(status == 422 && text.contains("bad-warning"), "{hostile}: {status} {text}");
    }
    let severe = eventually("the incident raises an alert", SOON, async || {
        topis.http().list("/v1/alerts?rule=INC.SEVERE").await.pop()
    })
    .await;
    assert_eq!((&severe["priority"], &severe["state"]), (&json!("P1"), &json!("active")));
    let impact = eventually("who is inside", SOON, async || {
        let impact = topis.http().find("/v1/incidents/kma.go.kr/W1/impact").await?["data"].clone();
        (impact["inside"].as_array()?.len() == 5).then_some(impact)
    })
    .await;
    assert!(impact["inside"].as_array().unwrap().iter().all(|v| v["age_s"].is_number()), "{impact:#}");
    let card = topis.http().find(&format!("/v1/alerts/{}/card", severe["id"].as_str().unwrap())).await.unwrap();
    assert!(card["data"]["suggestions"].is_array() && card["data"]["unknown"].is_object(), "{card:#}");

    topis.kill();
    let topis = home.start().await.unwrap();
    assert_eq!(topis.http().find("/v1/incidents/kma.go.kr/W1").await.unwrap()["data"]["state"], "active");
    assert_eq!(topis.http().list("/v1/alerts?rule=INC.SEVERE").await.len(), 1);
    let replaced =
        format!("<references>kma.go.kr,W1,{}</references>", Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S+00:00"));
    let (status, text) = hand_in(topis.http(), warning("Cancel", "W2", &replaced, "")).await;
    assert_eq!(status, 200, "{text}");
    eventually("the cancellation ends the incident", SOON, async || {
        let incident = topis.http().find("/v1/incidents/kma.go.kr/W1").await?["data"].clone();
        (incident["state"] == "closed").then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_alert_is_passed_on_and_told_so_after_a_kill() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let raised =
        topis.http().post("/v1/alerts", &json!({"by": "kim", "subject": "vehicle:22/7", "kind": "medical"})).await;
    let alert = raised.unwrap().json()["data"].clone();
    let path = format!("/v1/alerts/{}", alert["id"].as_str().unwrap());
    for (verb, body) in [
        ("acknowledge", json!({"by": "kim"})),
        ("mark", json!({"by": "kim", "step": "on_scene", "party": "ambulance 3"})),
        ("handover", json!({"by": "kim", "to": "lee"})),
    ] {
        let answer = topis.http().post(&format!("{path}/{verb}"), &body).await.unwrap();
        assert_eq!(answer.status, 200, "{verb}: {}", answer.text);
    }
    topis.kill();
    let topis = home.start().await.unwrap();
    assert_eq!(topis.http().find(&path).await.unwrap()["data"]["owner"], "lee");
    let history = topis.http().find(&format!("{path}/history")).await.unwrap();
    let told: Vec<&str> = history["data"].as_array().unwrap().iter().filter_map(|e| e["reason"].as_str()).collect();
    assert_eq!(told, ["raised", "acknowledged", "mark", "handover"]);
}
