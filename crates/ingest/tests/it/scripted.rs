//! Sessions against a broker scripted byte by byte: order of acknowledgements, broken windows, silence.

use std::net::SocketAddr;

use ingest::{BrokerUrl, EmergencySession, Filter, LinkState, Outbox, OutboxConfig, SessionConfig, TelemetrySession};
use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::support::{clock, emergency_lane, lanes, link_is, next_emergency, next_frame, session, within};

const ALARMS: &str = "topis/v1/vehicle/+/+/alarm";

struct Script {
    listener: TcpListener,
}

/// One client's connection, past CONNECT and SUBSCRIBE.
struct Conversation(TcpStream);

impl Script {
    async fn new() -> Self {
        Self { listener: TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap() }
    }

    fn url(&self) -> BrokerUrl {
        let addr = self.listener.local_addr().unwrap();
        BrokerUrl { host: addr.ip().to_string(), port: addr.port(), login: None }
    }

    /// Accepts a client and answers its SUBSCRIBE with `code`.
    async fn accept(&self, code: u8) -> Conversation {
        let mut client = self.greet().await;
        client.answer_subscribe(code).await;
        client
    }

    /// Accepts a client.
    async fn greet(&self) -> Conversation {
        let (stream, _) = within("a connection", self.listener.accept()).await.unwrap();
        let mut client = Conversation(stream);
        assert_eq!(client.read().await.0 >> 4, 1, "CONNECT first");
        client.write(&[0x20, 3, 0, 0, 0]).await;
        client
    }
}

impl Conversation {
    /// The next packet but pings: first byte and body.
    async fn read(&mut self) -> (u8, Vec<u8>) {
        loop {
            let first = within("a packet", self.0.read_u8()).await.unwrap();
            let (mut length, mut shift) = (0_usize, 0);
            loop {
                let byte = self.0.read_u8().await.unwrap();
                length |= usize::from(byte & 0x7f) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            let mut body = vec![0; length];
            self.0.read_exact(&mut body).await.unwrap();
            if first == 0xc0 {
                self.write(&[0xd0, 0]).await;
            } else {
                return (first, body);
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    async fn answer_subscribe(&mut self, code: u8) {
        self.answer_each(&[code]).await;
    }

    /// Answers a SUBSCRIBE of as many filters.
    async fn answer_each(&mut self, codes: &[u8]) {
        let (first, body) = self.read().await;
        assert_eq!(first, 0x82, "SUBSCRIBE");
        self.write(&[0x90, 3 + u8::try_from(codes.len()).unwrap(), body[0], body[1], 0]).await;
        self.write(codes).await;
    }

    async fn publish(&mut self, qos: u8, packet_id: u16, payload: &[u8]) {
        let mut body = vec![0, 3];
        body.extend_from_slice(b"a/b");
        if qos > 0 {
            body.extend_from_slice(&packet_id.to_be_bytes());
        }
        body.push(0); // no properties
        body.extend_from_slice(payload);
        let mut packet = vec![0x30 | qos << 1];
        let mut length = body.len();
        while length > 0x7f {
            packet.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        packet.push(u8::try_from(length).unwrap());
        packet.extend_from_slice(&body);
        self.write(&packet).await;
    }

    /// A QoS 1 message of a one-byte topic, as `topic=payload`.
    async fn published(&mut self) -> String {
        let (first, body) = self.read().await;
        assert_eq!(first >> 1, 0x32 >> 1, "PUBLISH at QoS 1");
        format!("{}={}", char::from(body[2]), std::str::from_utf8(&body[6..]).unwrap())
    }

    async fn acknowledged(&mut self) -> u16 {
        let (first, body) = self.read().await;
        assert_eq!(first, 0x40, "PUBACK");
        u16::from_be_bytes([body[0], body[1]])
    }
}

#[tokio::test]
async fn acknowledgements_leave_in_the_order_of_receipt() {
    let script = Script::new().await;
    let (lane, mut frames) = emergency_lane(8);
    let reader = EmergencySession::new(session(script.url(), "topis-emergency", &[ALARMS]), lane, clock()).unwrap();
    let reader = tokio::spawn(reader.run());
    let mut client = script.accept(1).await;
    let mut obligations = Vec::new();
    for packet_id in 1..=5 {
        client.publish(1, packet_id, &packet_id.to_be_bytes()).await;
        obligations.push(Some(next_emergency(&mut frames).await.done));
    }
    for recorded in [2, 0, 4, 1, 3] {
        obligations[recorded].take().unwrap().recorded();
    }
    for packet_id in 1..=5 {
        assert_eq!(client.acknowledged().await, packet_id);
    }
    reader.abort();
}

#[tokio::test]
async fn a_verdict_of_an_earlier_connection_acknowledges_nothing() {
    let script = Script::new().await;
    let (lane, mut frames) = emergency_lane(8);
    let reader =
        EmergencySession::new(session(script.url(), "topis-emergency", &[ALARMS]), lane.clone(), clock()).unwrap();
    let mut link = reader.link();
    let reader = tokio::spawn(reader.run());
    let mut first = script.accept(1).await;
    first.publish(1, 1, b"first").await;
    let old = next_emergency(&mut frames).await;
    drop(first);
    let mut second = script.accept(1).await;
    assert_eq!(link_is(&mut link, |status| status.is_up() && status.connects == 2).await.epoch, 2);
    second.publish(1, 1, b"another").await;
    second.publish(1, 2, b"first").await;
    old.done.recorded();
    assert_eq!(lane.counters().stale, 1);
    let (another, again) = (next_emergency(&mut frames).await, next_emergency(&mut frames).await);
    assert_eq!(again.frame.payload, "first");
    again.done.recorded();
    another.done.recorded();
    assert_eq!((second.acknowledged().await, second.acknowledged().await), (1, 2));
    assert_eq!(lane.counters().acknowledged, 2);
    reader.abort();
}

#[tokio::test]
async fn qos_0_alarms_are_shed_only_when_their_share_is_full_and_never_displace_qos_1() {
    let script = Script::new().await;
    let (lane, mut frames) = emergency_lane(2);
    let reader =
        EmergencySession::new(session(script.url(), "topis-emergency", &[ALARMS]), lane.clone(), clock()).unwrap();
    let reader = tokio::spawn(reader.run());
    let mut client = script.accept(1).await;
    for payload in [b"a", b"b", b"c"] {
        client.publish(0, 0, payload).await;
    }
    client.publish(1, 1, b"d").await;
    client.publish(1, 2, b"e").await;
    for expected in ["a", "b", "d", "e"] {
        let emergency = next_emergency(&mut frames).await;
        assert_eq!(emergency.frame.payload, expected);
        emergency.done.recorded();
    }
    assert_eq!(lane.counters().qos0_shed, 1);
    assert_eq!((client.acknowledged().await, client.acknowledged().await), (1, 2));
    reader.abort();
}

#[tokio::test]
async fn a_broker_that_breaks_the_window_is_confirmed_what_was_taken_then_left_for_the_rest() {
    let script = Script::new().await;
    let (lane, mut frames) = emergency_lane(1);
    let reader = EmergencySession::new(session(script.url(), "topis-emergency", &[ALARMS]), lane, clock()).unwrap();
    let mut link = reader.link();
    let reader = tokio::spawn(reader.run());
    for first in [1, 2, 3] {
        let mut client = script.accept(1).await;
        for packet_id in first..=4 {
            client.publish(1, packet_id, &packet_id.to_be_bytes()).await;
        }
        let taken = next_emergency(&mut frames).await;
        assert_eq!(*taken.frame.payload, first.to_be_bytes());
        taken.done.recorded();
        // However much the broker sends at once, each connection makes it one less.
        assert_eq!(client.acknowledged().await, first);
        assert_eq!(client.read().await.0, 0xe0, "DISCONNECT, behind the confirmation");
        drop(client);
        let status = link_is(&mut link, |status| status.state == LinkState::Down).await;
        assert!(status.detail.contains("receive maximum"), "{status:?}");
        assert!(frames.try_recv().is_err(), "what is not to be confirmed is not taken");
    }
    reader.abort();
}

#[tokio::test]
async fn a_refused_subscription_is_shown_with_filter_and_code() {
    let script = Script::new().await;
    let reader =
        TelemetrySession::new(session(script.url(), "t", &["topis/#"]), lanes(), Arc::new(|_| false), clock()).unwrap();
    let mut link = reader.link();
    let reader = tokio::spawn(reader.run());
    let _client = script.accept(0x87).await;
    let status = link_is(&mut link, |status| matches!(status.state, LinkState::Refused { .. })).await;
    let filters = vec![Filter::parse("topis/#").unwrap()];
    assert_eq!(status.state, LinkState::Refused { filters, code: 0x87 });
    assert!(!status.is_up());
    reader.abort();
}

#[tokio::test]
async fn a_refused_filter_stops_what_it_covers_and_nothing_else() {
    let script = Script::new().await;
    let filters = ["topis/#", "/hfp/v1/#", "/hfp/v2/#"];
    let reader =
        TelemetrySession::new(session(script.url(), "t", &filters), lanes(), Arc::new(|_| false), clock()).unwrap();
    let mut link = reader.link();
    let reader = tokio::spawn(reader.run());
    let mut client = script.greet().await;
    client.answer_each(&[0, 0x87, 0x80]).await;
    let status = link_is(&mut link, |status| matches!(status.state, LinkState::Refused { .. })).await;
    assert_eq!(
        status.detail,
        "the broker refuses `/hfp/v1/#`, `/hfp/v2/#` with code 0x87; check its access rules for us"
    );
    for (filters, carried) in [
        ("topis/#", true),
        ("topis/v1/gtfs-rt/#", true),
        ("/hfp/v1/#", false),
        ("/hfp/v2/journey/#", false),
        ("topis/# /hfp/v2/#", false),
    ] {
        let parsed: Vec<Filter> = filters.split(' ').map(|filter| Filter::parse(filter).unwrap()).collect();
        assert_eq!(status.carries(&parsed), carried, "{filters}");
    }
    drop(client);
    let status = link_is(&mut link, |status| status.state == LinkState::Down).await;
    assert!(!status.carries(&[Filter::parse("topis/#").unwrap()]));
    reader.abort();
}

#[tokio::test]
async fn an_emergency_session_that_is_refused_its_alarms_is_not_up() {
    let script = Script::new().await;
    let (lane, _frames) = emergency_lane(8);
    let filters = [ALARMS, "topis/v1/incident/#"];
    let reader = EmergencySession::new(session(script.url(), "topis-emergency", &filters), lane, clock()).unwrap();
    let mut link = reader.link();
    let reader = tokio::spawn(reader.run());
    let mut client = script.greet().await;
    client.answer_each(&[0x87, 1]).await;
    let status = link_is(&mut link, |status| matches!(status.state, LinkState::Refused { .. })).await;
    assert!(!status.is_up());
    assert!(status.detail.contains(ALARMS), "{status:?}");
    reader.abort();
}

#[tokio::test]
async fn a_packet_above_our_cap_is_counted_and_the_session_comes_back() {
    let script = Script::new().await;
    let config = SessionConfig { max_packet_bytes: 1024, ..session(script.url(), "t", &["topis/#"]) };
    let lanes = lanes();
    let reader = TelemetrySession::new(config, Arc::clone(&lanes), Arc::new(|_| false), clock()).unwrap();
    let mut link = reader.link();
    let reader = tokio::spawn(reader.run());
    let mut client = script.accept(0).await;
    client.publish(0, 0, &[b'x'; 2000]).await;
    link_is(&mut link, |status| status.state == LinkState::Down && status.oversized == 1).await;
    let mut client = script.accept(0).await;
    client.publish(0, 0, b"fits").await;
    assert_eq!(next_frame(&lanes).await.payload, "fits");
    reader.abort();
}

#[tokio::test]
async fn a_silent_broker_is_noticed_within_two_pings() {
    let script = Script::new().await;
    let reader =
        TelemetrySession::new(session(script.url(), "t", &["topis/#"]), lanes(), Arc::new(|_| false), clock()).unwrap();
    let mut link = reader.link();
    let reader = tokio::spawn(reader.run());
    let _mute = script.accept(0).await; // open, and never read again
    link_is(&mut link, |status| status.is_up()).await;
    let up = tokio::time::Instant::now();
    link_is(&mut link, |status| status.state == LinkState::Down).await;
    assert!(up.elapsed().as_secs() < 15, "noticed after {:?}", up.elapsed());
    reader.abort();
}

#[tokio::test]
async fn a_receipt_out_when_the_connection_breaks_goes_out_again_in_order() {
    let script = Script::new().await;
    let config = OutboxConfig { url: script.url(), client_id: "topis-out".to_owned(), capacity: 2, seed: 1 };
    let (outbox, sender) = Outbox::new(config, clock());
    assert!(outbox.try_publish("a", "1") && outbox.try_publish("b", "2"));
    assert!(!outbox.try_publish("c", "3"), "the queue is full");
    let sender = tokio::spawn(sender.run());
    let mut first = script.greet().await;
    assert_eq!(first.published().await, "a=1");
    assert_eq!(first.published().await, "b=2");
    drop(first);
    let mut second = script.greet().await;
    for expected in ["a=1", "b=2"] {
        assert_eq!(second.published().await, expected);
    }
    drop(outbox);
    second.write(&[0x40, 2, 0, 1]).await;
    second.write(&[0x40, 2, 0, 2]).await;
    within("the session's end", sender).await.unwrap();
}
