//! The embedded broker: what an acknowledgement means, who gets in, and what it keeps.

use bytes::Bytes;
use ingest::{Broker, BrokerError, BrokerUrl, EmbeddedBroker, EmbeddedConfig, Login, Outbox, OutboxConfig};
use rumqttc::v5::mqttbytes::{QoS, v5::LastWill};
use std::{net::SocketAddr, sync::Arc};

use crate::support::{
    House, Peer, Seen, clock, embedded_config, emergency_lane, is_emergency, lanes, next_emergency, next_frame,
    v5_options, within,
};

const ALARM: &str = "topis/v1/vehicle/a/1/alarm";
const POSITION: &str = "topis/v1/vehicle/a/1/position";
const INCIDENT: &str = "topis/v1/incident/police/7";

/// The password of everybody is "secret".
const USERS: &str = r#"
[[users]]
name = "a/1"
password_sha256 = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
role = "vehicle"
[[users]]
name = "a/2"
password_sha256 = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
role = "vehicle"
[[users]]
name = "desk"
password_sha256 = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
role = "operator"
"#;

fn login(house: &House, user: &str, password: &str) -> BrokerUrl {
    let login = Login { user: user.to_owned(), password: password.to_owned() };
    BrokerUrl { login: Some(login), ..house.url.clone() }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_is_acknowledged_only_when_it_is_recorded() {
    let mut house = House::open().await;
    let mut vehicle = Peer::connect(&house.anonymous(), "vehicle").await;
    vehicle.publish(ALARM, "help").await;
    let emergency = next_emergency(&mut house.emergencies).await;
    assert_eq!((&*emergency.frame.topic, &emergency.frame.payload), (ALARM, &Bytes::from("help")));
    // Another client's whole round trip: the broker has had every chance to acknowledge.
    let mut other = Peer::connect(&house.anonymous(), "other").await;
    other.publish(POSITION, "{}").await;
    assert_eq!(other.next().await, Seen::Acknowledged);
    assert!(vehicle.saw_nothing(), "acknowledged before it was recorded");
    emergency.done.recorded();
    assert_eq!(vehicle.next().await, Seen::Acknowledged);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_that_could_not_be_recorded_is_not_acknowledged_and_comes_again() {
    let mut house = House::open().await;
    let mut vehicle = Peer::connect(&house.anonymous(), "vehicle").await;
    vehicle.publish(ALARM, "help").await;
    next_emergency(&mut house.emergencies).await.done.withhold();
    assert_eq!(vehicle.next().await, Seen::Lost);
    assert_eq!(vehicle.next_good().await, Seen::Connected);
    let again = next_emergency(&mut house.emergencies).await;
    assert_eq!(again.frame.payload, "help");
    again.done.recorded();
    assert_eq!(vehicle.next_good().await, Seen::Acknowledged);
    let counts = house.lane.counters();
    assert_eq!((counts.received, counts.withheld, counts.acknowledged), (2, 1, 1));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_whose_first_alarm_waits_for_the_disk_still_shows_its_second() {
    let mut house = House::open().await;
    let mut gateway = Peer::connect(&house.anonymous(), "gateway").await;
    let mut kept = Vec::new();
    for vehicle in ["1", "2", "3"] {
        gateway.publish(&format!("topis/v1/vehicle/a/{vehicle}/alarm"), vehicle).await;
        let mut emergency = next_emergency(&mut house.emergencies).await;
        assert_eq!(emergency.frame.payload, vehicle);
        emergency.done.held();
        assert_eq!(gateway.next().await, Seen::NotAcknowledged, "told that it is not on disk, and still connected");
        kept.push(emergency.done);
    }
    kept.into_iter().for_each(ingest::Done::recorded);
    gateway.publish(ALARM, "after").await;
    next_emergency(&mut house.emergencies).await.done.recorded();
    assert_eq!(gateway.next().await, Seen::Acknowledged);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_obligation_counts_as_withheld() {
    let mut house = House::open().await;
    let mut vehicle = Peer::connect(&house.anonymous(), "vehicle").await;
    vehicle.publish(ALARM, "help").await;
    drop(next_emergency(&mut house.emergencies).await);
    assert_eq!(vehicle.next().await, Seen::Lost);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_client_and_an_unconfirmed_alarm_get_in_too() {
    let mut house = House::open().await;
    let options = rumqttc::MqttOptions::new("old", "127.0.0.1", house.addr.port());
    let (client, mut eventloop) = rumqttc::AsyncClient::new(options, 10);
    client.publish(ALARM, rumqttc::QoS::AtMostOnce, false, "zero").await.unwrap();
    client.publish(ALARM, rumqttc::QoS::AtLeastOnce, false, "one").await.unwrap();
    let old = async {
        loop {
            if let rumqttc::Event::Incoming(rumqttc::Packet::PubAck(_)) = eventloop.poll().await.unwrap() {
                return;
            }
        }
    };
    let room = async {
        for expected in [(0, "zero"), (1, "one")] {
            let emergency = next_emergency(&mut house.emergencies).await;
            assert_eq!((emergency.frame.qos, emergency.frame.payload.clone()), (expected.0, Bytes::from(expected.1)));
            emergency.done.recorded();
        }
    };
    within("the acknowledgement", async { tokio::join!(old, room) }).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_go_straight_to_their_lane_and_strange_topics_nowhere() {
    let house = House::open().await;
    let mut gateway = Peer::connect(&house.anonymous(), "gateway").await;
    for topic in ["elsewhere", POSITION, "topis/v1/vehicel/a/1/position", "/hfp/v2/journey/ongoing/vp/bus/1/2"] {
        gateway.publish(topic, "{}").await;
        assert_eq!(gateway.next().await, Seen::Acknowledged);
    }
    let frame = next_frame(&house.lanes).await;
    assert_eq!((&*frame.topic, frame.qos, frame.retained), (POSITION, 1, false));
    assert_eq!(&*next_frame(&house.lanes).await.topic, "topis/v1/vehicel/a/1/position");
    assert_eq!(&*next_frame(&house.lanes).await.topic, "/hfp/v2/journey/ongoing/vp/bus/1/2");
    assert_eq!(house.lanes.counters().depth, 0);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retained_incident_reaches_a_late_subscriber_until_it_is_withdrawn() {
    let mut house = House::open().await;
    let mut police = Peer::connect(&house.anonymous(), "police").await;
    police.retain(INCIDENT, "crash").await;
    let emergency = next_emergency(&mut house.emergencies).await;
    assert!(!emergency.frame.retained, "a live message is not out of the store");
    emergency.done.recorded();
    assert_eq!(police.next().await, Seen::Acknowledged);

    let mut late = Peer::connect(&house.anonymous(), "late").await;
    late.subscribe("topis/v1/incident/#").await;
    let message =
        |payload: &str, retained| Seen::Message { topic: INCIDENT.to_owned(), payload: payload.to_owned(), retained };
    assert_eq!(late.next().await, message("crash", true));

    police.retain(INCIDENT, "").await;
    let withdrawal = next_emergency(&mut house.emergencies).await;
    assert!(withdrawal.frame.payload.is_empty());
    withdrawal.done.recorded();
    assert_eq!(police.next().await, Seen::Acknowledged);
    assert_eq!(late.next().await, message("", false));

    let mut later = Peer::connect(&house.anonymous(), "later").await;
    later.subscribe("topis/#").await;
    police.publish(POSITION, "next").await;
    let Seen::Message { topic, .. } = later.next().await else { panic!("expected the position") };
    assert_eq!(topic, POSITION, "the withdrawn incident is gone from the store");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_left_as_a_will_is_raised_when_the_vehicle_is_lost() {
    let mut house = House::open().await;
    let mut options = v5_options(&house.anonymous(), "vehicle");
    options.set_last_will(LastWill::new(ALARM, "lost", QoS::AtLeastOnce, false, None));
    options.set_session_expiry_interval(Some(0));
    let mut vehicle = Peer::start(options);
    assert_eq!(vehicle.next().await, Seen::Connected);
    drop(vehicle); // the socket closes without a DISCONNECT
    let emergency = next_emergency(&mut house.emergencies).await;
    assert_eq!(emergency.frame.payload, "lost");
    emergency.done.recorded();
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_packet_cuts_its_sender_only() {
    let house = House::open().await;
    let mut bystander = Peer::connect(&house.anonymous(), "bystander").await;
    let mut options = rumqttc::MqttOptions::new("shouter", "127.0.0.1", house.addr.port());
    options.set_max_packet_size(1 << 20, 1 << 20);
    let (client, mut eventloop) = rumqttc::AsyncClient::new(options, 10);
    client.publish(POSITION, rumqttc::QoS::AtLeastOnce, true, vec![b'x'; 300 * 1024]).await.unwrap();
    within("the cut", async { while eventloop.poll().await.is_ok() {} }).await;
    bystander.publish(POSITION, "{}").await;
    assert_eq!(bystander.next().await, Seen::Acknowledged);
    assert_eq!(house.lanes.counters().received, 1);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_delivered_and_is_no_input_of_ours() {
    let house = House::open().await;
    let mut vehicle = Peer::connect(&house.anonymous(), "vehicle").await;
    vehicle.subscribe("topis/v1/receipt/a/1").await;
    let config = OutboxConfig { url: house.url.clone(), client_id: "topis-out".to_owned(), capacity: 10, seed: 1 };
    let (outbox, session) = Outbox::new(config, clock());
    let session = tokio::spawn(session.run());
    assert!(outbox.try_publish("topis/v1/receipt/a/1", "recorded"));
    assert!(!outbox.try_publish("topis/+", "nowhere"));
    let expected =
        Seen::Message { topic: "topis/v1/receipt/a/1".to_owned(), payload: "recorded".to_owned(), retained: false };
    assert_eq!(vehicle.next().await, expected);
    assert_eq!((house.lanes.counters().received, outbox.dropped()), (0, 1));
    // A forged receipt ends its sender's connection.
    vehicle.publish("topis/v1/receipt/a/2", "recorded").await;
    assert_eq!(vehicle.next().await, Seen::Lost);
    drop(outbox);
    within("the outbox session's end", session).await.unwrap();
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_users_file_only_good_logins_get_in() {
    let house = House::guarded(USERS).await;
    for url in
        [house.anonymous(), login(&house, "a/1", "guess"), login(&house, "a/9", "secret"), login(&house, "$topis", "x")]
    {
        let mut stranger = Peer::start(v5_options(&url, "stranger"));
        assert_eq!(stranger.next().await, Seen::Refused("BadUserNamePassword".to_owned()), "{url:?}");
    }
    Peer::connect(&login(&house, "a/1", "secret"), "vehicle").await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vehicle_speaks_only_for_itself() {
    let mut house = House::guarded(USERS).await;
    let mut vehicle = Peer::connect(&login(&house, "a/2", "secret"), "vehicle").await;
    assert_eq!(vehicle.subscribe("#").await, ["NotAuthorized"]);
    assert_eq!(vehicle.subscribe("topis/v1/receipt/+/+").await, ["NotAuthorized"]);
    assert_eq!(vehicle.subscribe("topis/v1/receipt/a/2").await, ["Success(AtLeastOnce)"]);
    vehicle.client.publish(ALARM, QoS::AtMostOnce, false, "forged").await.unwrap();
    assert_eq!(vehicle.next().await, Seen::Lost);
    assert_eq!(house.lane.counters().refused, 1, "and it is told");

    let mut itself = Peer::connect(&login(&house, "a/1", "secret"), "itself").await;
    itself.publish(ALARM, "true").await;
    let emergency = next_emergency(&mut house.emergencies).await;
    assert_eq!(emergency.frame.payload, "true", "the forged alarm did not get through");
    emergency.done.recorded();
    assert_eq!(itself.next().await, Seen::Acknowledged);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_id_cannot_be_taken_by_another_user_nor_a_will_left_for_one() {
    let house = House::guarded(USERS).await;
    let mut vehicle = Peer::connect(&login(&house, "a/1", "secret"), "same").await;
    let mut thief = Peer::start(v5_options(&login(&house, "a/2", "secret"), "same"));
    assert_eq!(thief.next().await, Seen::Refused("NotAuthorized".to_owned()));
    vehicle.publish(POSITION, "{}").await;
    assert_eq!(vehicle.next().await, Seen::Acknowledged);

    let mut options = v5_options(&login(&house, "a/2", "secret"), "will");
    options.set_last_will(LastWill::new(ALARM, "forged", QoS::AtLeastOnce, false, None));
    assert_eq!(Peer::start(options).next().await, Seen::Refused("NotAuthorized".to_owned()));
    house.close().await;
}

async fn bind(config: EmbeddedConfig) -> Result<EmbeddedBroker, BrokerError> {
    let (lane, _) = emergency_lane(1);
    EmbeddedBroker::bind(config, lanes(), lane, Arc::new(is_emergency), clock()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_broker_on_the_network_is_refused() {
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let refused = bind(EmbeddedConfig { listen: everywhere, ..embedded_config(0) }).await.map(|_| ());
    assert!(matches!(refused, Err(BrokerError::Open(_))));
    let users = ingest::Users::parse(USERS).unwrap();
    let broker =
        bind(EmbeddedConfig { listen: everywhere, users: Some(users), ..embedded_config(0) }).await.expect("guarded");
    assert_ne!(broker.local_addr().port(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_named() {
    let house = House::open().await;
    let fault = bind(embedded_config(house.addr.port())).await.map(|_| ()).unwrap_err().to_string();
    assert!(fault.contains(&house.addr.to_string()) && fault.contains("broker.embedded_listen"), "{fault}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_too_many_is_refused_and_the_others_stay() {
    let house = House::with(EmbeddedConfig { max_sessions: 1, ..embedded_config(0) }).await;
    let mut first = Peer::connect(&house.anonymous(), "first").await;
    let mut second = Peer::start(v5_options(&house.anonymous(), "second"));
    assert_eq!(second.next().await, Seen::Refused("ServerUnavailable".to_owned()));
    first.publish(POSITION, "{}").await;
    assert_eq!(first.next().await, Seen::Acknowledged);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_behind_a_flood_of_positions_gets_through() {
    let mut house = House::open().await;
    let gateway = Peer::connect(&house.anonymous(), "gateway").await;
    let flood = tokio::spawn(async move {
        for n in 0..40_000 {
            let topic = format!("topis/v1/vehicle/a/{n}/position");
            gateway.client.publish(topic, QoS::AtMostOnce, false, "{}").await.unwrap();
        }
        gateway
    });
    let mut vehicle = Peer::connect(&house.anonymous(), "vehicle").await;
    vehicle.publish(ALARM, "help").await;
    next_emergency(&mut house.emergencies).await.done.recorded();
    assert_eq!(vehicle.next().await, Seen::Acknowledged);
    let mut gateway = within("the flood", flood).await.unwrap();
    gateway.publish(POSITION, "last").await;
    assert_eq!(gateway.next().await, Seen::Acknowledged);
    // Nobody reads the lane: beyond its capacity positions wait aside, one a topic, and none is lost.
    let counts = house.lanes.counters();
    assert_eq!((counts.received, counts.depth, counts.dropped_positions), (40_001, 40_001, 0));
    house.close().await;
}
