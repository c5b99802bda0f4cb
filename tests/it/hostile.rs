//! What strangers and broken senders do, all at once, while an alarm must still get through.

use std::time::Duration;

use tests::{
    Broker, Home, Topis, eventually,
    load::{Dice, seed},
    messages,
    mosquitto::{Mosquitto, MosquittoOptions},
    mqtt::{Fate, Mqtt},
    one_at_a_time,
};

use crate::straight_line::alert_of;

const SOON: Duration = Duration::from_secs(10);

/// Bodies from nothing to nonsense, and topics from ours to nobody's.
fn nonsense(dice: &mut Dice) -> (String, Vec<u8>) {
    let topics = [
        "topis/v1/vehicle/22/1/position",
        "topis/v1/vehicle/22/1",
        "topis/v1",
        "topis",
        "topis/v2/x",
        "topis/v1/status/me",
        "topis/v1/incident/s/1",
        "topis/v1/incident//",
        "/hfp/v2/journey/ongoing/vp/bus/0012/01913",
        "/hfp/v2",
        "/hfp/v1/",
        "/hfp/v2/journey/ongoing/vp//0012/01913/x/1/y/07:00/1/0////",
        "topis/v1/gtfs-rt/x",
        "topis/v1/vehicle/%/%ff/position",
    ];
    let bodies: [&[u8]; 10] = [
        b"",
        b"{",
        b"null",
        b"[]",
        b"{\"VP\":{}}",
        b"{\"VP\":null}",
        b"\xff\xfe",
        b"{\"event_time\":1e400}",
        b"{\"event_time\":\"2026-11-24T00:00:00Z\",\"lat\":\"NaN\",\"lon\":[],\"seq\":-1}",
        b"\x0a\x05\x0a\x031.0\x12\x00",
    ];
    let mut body = bodies[dice.below(bodies.len())].to_vec();
    if dice.below(20) == 0 {
        body = b"[".repeat(dice.below(100_000));
    }
    (topics[dice.below(topics.len())].to_owned(), body)
}

async fn still_works(home: &Home, topis: &Topis, vehicle: &str) {
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    let press = messages::panic(vehicle).to_string();
    assert_eq!(mqtt.publish_acked(&messages::alarm_topic("22", vehicle), press, false).await, Fate::Acknowledged);
    alert_of(topis.http(), &format!("vehicle:22/{vehicle}")).await;
    let body = messages::position(37.5, 127.0).to_string();
    mqtt.publish_acked(&messages::position_topic("22", vehicle), body, false).await;
    eventually("positions still arrive", SOON, async || topis.http().find(&format!("/v1/vehicles/22/{vehicle}")).await)
        .await;
    assert_eq!(topis.http().get("/livez").await.unwrap().status, 200);
}

#[tokio::test]
async fn ten_thousand_nonsense_messages_are_counted_and_an_alarm_gets_through() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let seed = seed();
    let mut dice = Dice::new(seed);
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    for _ in 0..10_000 {
        let (topic, body) = nonsense(&mut dice);
        mqtt.publish(&topic, body).await.unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    }
    mqtt.disconnect().await;
    still_works(&home, &topis, "after-nonsense").await;
    let rejects = topis.http().list("/v1/feeds/native/rejects").await;
    assert!(!rejects.is_empty(), "seed {seed}: rejects are visible");
}

#[tokio::test]
async fn an_oversized_packet_cuts_its_sender_and_nobody_else() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    let huge = vec![b'x'; 8 * 1024 * 1024];
    let fate = mqtt.publish_acked(&messages::position_topic("22", "big"), huge, true).await;
    assert_ne!(fate, Fate::Acknowledged, "8 MiB is no position");
    still_works(&home, &topis, "after-oversize").await;
}

#[tokio::test]
async fn retained_garbage_and_an_oversized_retained_message_at_a_foreign_broker_do_not_loop_the_service() {
    let _turn = one_at_a_time().await;
    if !Mosquitto::is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let broker = Mosquitto::start(folder.path(), &MosquittoOptions::default()).await.unwrap();
    let mqtt = Mqtt::connect(broker.port()).await.unwrap();
    let leftovers = [
        (messages::position_topic("22", "old"), messages::position(37.5, 127.0).to_string().into_bytes()),
        (messages::position_topic("22", "junk"), b"\xff\xff".to_vec()),
        ("topis/v1/nothing/of/ours".to_owned(), b"{}".to_vec()),
        (messages::incident_topic("s", "bad"), b"[[[[".to_vec()),
        (messages::position_topic("22", "fat"), vec![b'x'; 300 * 1024]),
    ];
    for (topic, body) in leftovers {
        assert_eq!(mqtt.publish_acked(&topic, body, true).await, Fate::Acknowledged);
    }
    let home = Home::new(Broker::Foreign(broker.port()));
    let topis = home.start().await.unwrap();
    still_works(&home, &topis, "after-retained").await;
    let old = topis.http().find("/v1/vehicles/22/old").await.expect("a retained position is last known");
    assert!(old["data"]["quality"].to_string().contains("retained"), "and is marked: {old:#}");
}

#[tokio::test]
async fn a_flood_of_positions_from_one_client_does_not_delay_an_alarm() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let flood = tokio::spawn(tests::load::drive(tests::load::Fleet::new(1), home.broker_port(), 20_000.0));
    for press in 0..5 {
        still_works(&home, &topis, &format!("in-flood-{press}")).await;
    }
    flood.abort();
}
