//! Sessions against brokers that restart: the embedded one, and a mosquitto child where it is installed.

use std::{process::Stdio, sync::Arc};

use ingest::{BrokerUrl, EmbeddedConfig, EmergencySession, SessionConfig, TelemetrySession};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
};

use crate::support::{
    House, Peer, Seen, clock, embedded_config, emergency_lane, is_emergency, lanes, link_is, next_emergency,
    next_frame, session, within,
};

const ALARM: &str = "topis/v1/vehicle/a/1/alarm";
const POSITION: &str = "topis/v1/vehicle/a/1/position";

async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

fn url(port: u16) -> BrokerUrl {
    BrokerUrl { host: "127.0.0.1".to_owned(), port, login: None }
}

/// A mosquitto of our own; `None`, said loudly, where it is not installed.
async fn mosquitto(port: u16) -> Option<Child> {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("mosquitto.conf");
    std::fs::write(
        &config,
        format!("listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0\n"),
    )
    .unwrap();
    let spawned = ["mosquitto", "/usr/sbin/mosquitto"].iter().find_map(|program| {
        Command::new(program).arg("-v").arg("-c").arg(&config).stderr(Stdio::piped()).kill_on_drop(true).spawn().ok()
    });
    let Some(mut child) = spawned else {
        #[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
        {
            eprintln!("SKIPPED: mosquitto is not installed (apt-get install mosquitto)");
        }
        return None;
    };
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let running = async {
        while let Some(line) = log.next_line().await.unwrap() {
            if line.contains("running") {
                return;
            }
        }
        panic!("mosquitto ended");
    };
    within("mosquitto's start", running).await;
    // Its log must go somewhere, or it stops when the pipe is full.
    tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
    Some(child)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_telemetry_session_resubscribes_after_every_restart_of_the_broker() {
    let port = free_port().await;
    let lanes = lanes();
    let config = session(url(port), "topis-telemetry", &["topis/#"]);
    let reader = TelemetrySession::new(config, Arc::clone(&lanes), Arc::new(is_emergency), clock()).unwrap();
    let mut link = reader.link();
    let reader = tokio::spawn(reader.run());
    for round in 1..=6 {
        let mut house = House::with(EmbeddedConfig { ..embedded_config(port) }).await;
        link_is(&mut link, |status| status.is_up() && status.connects >= round).await;
        let gateway = Peer::connect(&url(port), "gateway").await;
        gateway.publish(ALARM, "not for this lane").await;
        next_emergency(&mut house.emergencies).await.done.recorded();
        gateway.publish(POSITION, &round.to_string()).await;
        let frame = next_frame(&lanes).await;
        assert_eq!((&*frame.topic, frame.payload), (POSITION, round.to_string().into()));
        drop(gateway);
        house.close().await;
        link_is(&mut link, |status| !status.is_up()).await;
    }
    reader.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_finds_mosquitto_again_after_every_kill() {
    let port = free_port().await;
    let lanes = lanes();
    let config = session(url(port), "topis-telemetry", &["topis/#"]);
    let reader = TelemetrySession::new(config, Arc::clone(&lanes), Arc::new(is_emergency), clock()).unwrap();
    let mut link = reader.link();
    let reader = tokio::spawn(reader.run());
    for round in 1..=5 {
        let Some(mut broker) = mosquitto(port).await else { return };
        link_is(&mut link, |status| status.is_up()).await;
        let mut gateway = Peer::connect(&url(port), &format!("gateway-{round}")).await;
        gateway.publish(POSITION, &round.to_string()).await;
        assert_eq!(gateway.next().await, Seen::Acknowledged);
        assert_eq!(next_frame(&lanes).await.payload, round.to_string());
        within("mosquitto's end", broker.kill()).await.unwrap();
        link_is(&mut link, |status| !status.is_up()).await;
    }
    reader.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn alarms_wait_at_mosquitto_while_we_are_away_and_come_again_when_withheld() {
    let port = free_port().await;
    let Some(_broker) = mosquitto(port).await else { return };
    let config = session(url(port), "topis-emergency", &["topis/v1/vehicle/+/+/alarm", "topis/v1/incident/#"]);
    let (lane, mut frames) = emergency_lane(8);
    let open = || EmergencySession::new(config.clone(), lane.clone(), clock()).unwrap();

    let reader = open();
    let mut link = reader.link();
    let reader = tokio::spawn(reader.run());
    link_is(&mut link, |status| status.is_up()).await;
    reader.abort();
    assert!(within("the session's end", reader).await.unwrap_err().is_cancelled());

    let mut vehicle = Peer::connect(&url(port), "vehicle").await;
    for payload in ["one", "two"] {
        vehicle.publish(ALARM, payload).await;
        assert_eq!(vehicle.next().await, Seen::Acknowledged);
    }
    let reader = open();
    let reader = tokio::spawn(reader.run());
    let (one, two) = (next_emergency(&mut frames).await, next_emergency(&mut frames).await);
    assert_eq!((&*one.frame.payload, &*two.frame.payload), (&b"one"[..], &b"two"[..]));
    one.done.withhold();
    two.done.recorded(); // behind one that is withheld: not acknowledged either
    for expected in ["one", "two"] {
        let again = next_emergency(&mut frames).await;
        assert_eq!((again.frame.payload.clone(), again.frame.dup), (expected.into(), true));
        again.done.recorded();
    }
    vehicle.publish(ALARM, "three").await;
    let third = next_emergency(&mut frames).await;
    assert_eq!(third.frame.payload, "three", "nothing acknowledged comes a third time");
    third.done.recorded();
    reader.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn however_much_mosquitto_kept_for_us_every_alarm_arrives() {
    const KEPT: usize = 1_000;
    let port = free_port().await;
    let Some(_broker) = mosquitto(port).await else { return };
    let config = session(url(port), "topis-emergency", &["topis/v1/vehicle/+/+/alarm"]);
    let (lane, mut frames) = emergency_lane(64);
    let open = || EmergencySession::new(config.clone(), lane.clone(), clock()).unwrap();
    let reader = open();
    let mut link = reader.link();
    let reader = tokio::spawn(reader.run());
    link_is(&mut link, |status| status.is_up()).await;
    reader.abort();
    assert!(within("the session's end", reader).await.unwrap_err().is_cancelled());

    let mut gateway = Peer::connect(&url(port), "gateway").await;
    for number in 0..KEPT {
        gateway.publish(&format!("topis/v1/vehicle/a/{number}/alarm"), "help").await;
        assert_eq!(gateway.next().await, Seen::Acknowledged);
    }
    let reader = tokio::spawn(open().run());
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < KEPT {
        let emergency = next_emergency(&mut frames).await;
        seen.insert(emergency.frame.topic.clone());
        emergency.done.recorded();
    }
    reader.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_retained_message_at_mosquitto_does_not_keep_us_out() {
    let port = free_port().await;
    let Some(_broker) = mosquitto(port).await else { return };
    let mut gateway = Peer::connect(&url(port), "gateway").await;
    gateway
        .client
        .publish("topis/v1/vehicle/a/2/position", rumqttc::v5::mqttbytes::QoS::AtLeastOnce, true, vec![b'x'; 100_000])
        .await
        .unwrap();
    assert_eq!(gateway.next().await, Seen::Acknowledged);
    let lanes = lanes();
    let config = SessionConfig { max_packet_bytes: 65_536, ..session(url(port), "topis-telemetry", &["topis/#"]) };
    let reader = TelemetrySession::new(config, Arc::clone(&lanes), Arc::new(is_emergency), clock()).unwrap();
    let mut link = reader.link();
    let reader = tokio::spawn(reader.run());
    link_is(&mut link, |status| status.is_up()).await;
    gateway.publish(POSITION, "small").await;
    assert_eq!(next_frame(&lanes).await.payload, "small");
    assert_eq!(link_is(&mut link, |status| status.is_up()).await.connects, 1);
    reader.abort();
}
