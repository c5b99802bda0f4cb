//! Those outside hear of alerts: signed, in order, each last state, over kills and outages, and never of what is covert.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tests::{
    Broker, Home, eventually,
    http::Http,
    messages,
    mqtt::{Fate, Mqtt},
    one_at_a_time, process, run_to_end,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::straight_line::alert_of;

const SOON: Duration = Duration::from_secs(10);
/// Retries come up to a quarter of a minute apart after an outage as short as these.
const AFTER_OUTAGE: Duration = Duration::from_secs(60);
const SECRET: &str = "a secret of sixteen bytes and more";

/// One request, as received.
#[derive(Debug, Clone)]
struct Seen {
    headers: HeaderMap,
    body: Bytes,
}

impl Seen {
    fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// As a receiver checks it.
    fn is_signed(&self) -> bool {
        let header = |name: &str| self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(header("topis-timestamp").as_bytes());
        mac.update(b".");
        mac.update(&self.body);
        let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        header("topis-signature") == format!("v1={hex}")
    }
}

/// What a receiver answers, and what it has seen.
struct Desk {
    answer: StatusCode,
    seen: Vec<Seen>,
}

/// A receiver that can be away and come back at the same port.
struct Receiver {
    address: SocketAddr,
    desk: Arc<Mutex<Desk>>,
    serving: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Receiver {
    async fn start() -> Self {
        let desk = Arc::new(Mutex::new(Desk { answer: StatusCode::NO_CONTENT, seen: Vec::new() }));
        let mut receiver =
            Self { address: SocketAddr::from(([127, 0, 0, 1], process::free_port())), desk, serving: None };
        receiver.resume().await;
        receiver
    }

    async fn resume(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        let router = Router::new().route("/hook", post(take)).with_state(Arc::clone(&self.desk));
        let (leave, left) = oneshot::channel();
        let leaving = async { left.await.unwrap_or_default() };
        let serving = async move { axum::serve(listener, router).with_graceful_shutdown(leaving).await.unwrap() };
        self.serving = Some((leave, tokio::spawn(serving)));
    }

    /// Nobody listens any more, and connections are closed.
    async fn go_away(&mut self) {
        if let Some((leave, serving)) = self.serving.take() {
            drop(leave);
            serving.await.unwrap();
        }
    }

    fn answer_with(&self, status: StatusCode) {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner).answer = status;
    }

    fn seen(&self) -> Vec<Seen> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner).seen.clone()
    }

    /// Types of the events about one vehicle, in their order, repeats left out.
    fn told_of(&self, vehicle: &str) -> Vec<String> {
        let events: Vec<Value> = self.seen().iter().map(Seen::event).collect();
        let mut ids = BTreeSet::new();
        let about = events.iter().filter(|event| event["data"]["vehicle_id"] == vehicle);
        about.filter(|event| ids.insert(event["id"].to_string())).map(|event| word(event, "type")).collect()
    }
}

async fn take(State(desk): State<Arc<Mutex<Desk>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
    desk.seen.push(Seen { headers, body });
    desk.answer
}

fn word(event: &Value, key: &str) -> String {
    event[key].as_str().unwrap_or_default().to_owned()
}

/// A service that tells `receivers`.
fn home_telling(receivers: &[(&str, &Receiver)]) -> Home {
    let home = Home::new(Broker::Embedded);
    let secret = home.folder().join("secret");
    fs::write(&secret, SECRET).unwrap();
    let hosts: Vec<String> = receivers.iter().map(|(_, receiver)| format!("'{}'", receiver.address)).collect();
    let mut toml = format!("[notify]\nallow_hosts = [{}]\n", hosts.join(", "));
    for (id, receiver) in receivers {
        toml.push_str(&format!(
            "[[webhooks]]\nid = '{id}'\nurl = 'http://{}/hook'\nsecret_file = '{}'\n",
            receiver.address,
            secret.display()
        ));
    }
    let config = home.folder().join("topis.toml");
    fs::write(&config, toml).unwrap();
    let path = config.display().to_string();
    home.with("TOPIS_CONFIG", path)
}

async fn press(mqtt: &Mqtt, vehicle: &str, kind: &str, covert: bool) {
    let mut body = messages::panic(&format!("{vehicle}-{kind}"));
    (body["kind"], body["covert"]) = (json!(kind), json!(covert));
    mqtt.publish_acked(&messages::alarm_topic("22", vehicle), body.to_string(), false).await;
}

async fn order(http: &Http, vehicle: &str, verb: &str) {
    let alert = alert_of(http, &format!("vehicle:22/{vehicle}")).await;
    let path = format!("/v1/alerts/{}/{verb}", alert["id"].as_str().unwrap());
    let body = if verb == "close" { json!({ "by": "kim", "reason": "resolved" }) } else { json!({ "by": "kim" }) };
    let answer = http.post(&path, &body).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text);
}

const RAISED: &str = "topis.alert.raised";
const CHANGED: &str = "topis.alert.changed";
const CLOSED: &str = "topis.alert.closed";
const WITHDRAWN: &str = "topis.alert.withdrawn";

#[tokio::test]
async fn a_receiver_hears_raise_acknowledgement_and_close_signed_and_nothing_covert() {
    let _turn = one_at_a_time().await;
    let receiver = Receiver::start().await;
    let home = home_telling(&[("pager", &receiver)]);
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    press(&mqtt, "hidden", "panic", true).await;
    press(&mqtt, "seen", "fire", false).await;
    eventually("the raise", SOON, async || (receiver.told_of("seen") == [RAISED]).then_some(())).await;
    order(topis.http(), "seen", "acknowledge").await;
    eventually("who took it", SOON, async || (receiver.told_of("seen") == [RAISED, CHANGED]).then_some(())).await;
    order(topis.http(), "hidden", "acknowledge").await;
    order(topis.http(), "hidden", "close").await;
    let alert = alert_of(topis.http(), "vehicle:22/seen").await;
    order(topis.http(), "seen", "close").await;
    eventually("its end", SOON, async || (receiver.told_of("seen") == [RAISED, CHANGED, CLOSED]).then_some(())).await;

    let seen = receiver.seen();
    assert!(
        seen.iter()
            .all(|seen| seen.is_signed()
                && seen.headers["content-type"] == "application/cloudevents+json; charset=utf-8")
    );
    let events: Vec<Value> = seen.iter().map(Seen::event).collect();
    assert!(!seen.iter().any(|seen| String::from_utf8_lossy(&seen.body).contains("hidden")), "covert stays covert");
    let [raised, taken, closed] = events.as_slice() else { panic!("{events:#?}") };
    for event in &events {
        assert_eq!((&event["specversion"], &event["subject"]), (&json!("1.0"), &alert["id"]), "{event:#}");
        assert_eq!(event["source"], format!("urn:topis:topis-{}", home.address().port()));
        assert_eq!(
            word(event, "id"),
            format!("{}.{}", word(event, "subject"), word(event, "sequence").trim_start_matches('0'))
        );
    }
    assert!(word(raised, "sequence") < word(taken, "sequence") && word(taken, "sequence") < word(closed, "sequence"));
    assert_eq!((&taken["data"]["owner"], &closed["data"]["state"]), (&json!("kim"), &json!("closed")));
    assert_eq!(raised["data"]["headline"], "Fire, vehicle 22/seen");
    let metrics = topis.http().get("/metrics").await.unwrap().text;
    assert!(
        metrics.contains("topis_webhook_deliveries_total{endpoint=\"pager\",outcome=\"delivered\"} 3"),
        "{metrics}"
    );
    assert!(metrics.contains("topis_webhook_pending{endpoint=\"pager\"}"));
}

#[tokio::test]
async fn a_receiver_hears_of_what_becomes_covert_that_it_is_withdrawn_and_nothing_more() {
    let _turn = one_at_a_time().await;
    let receiver = Receiver::start().await;
    let home = home_telling(&[("pager", &receiver)]);
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    press(&mqtt, "turned", "fire", false).await;
    eventually("the raise", SOON, async || (receiver.told_of("turned") == [RAISED]).then_some(())).await;
    let mut again = messages::panic("again");
    (again["kind"], again["covert"]) = (json!("fire"), json!(true));
    mqtt.publish_acked(&messages::alarm_topic("22", "turned"), again.to_string(), false).await;
    eventually("that it is gone", SOON, async || (receiver.seen().len() == 2).then_some(())).await;
    let alert = alert_of(topis.http(), "vehicle:22/turned").await;
    order(topis.http(), "turned", "acknowledge").await;
    order(topis.http(), "turned", "close").await;
    press(&mqtt, "after", "fire", false).await;
    eventually("another", SOON, async || (receiver.told_of("after") == [RAISED]).then_some(())).await;

    let events: Vec<Value> = receiver.seen().iter().map(Seen::event).collect();
    let [_, withdrawn, _] = events.as_slice() else { panic!("{events:#?}") };
    assert_eq!((&withdrawn["type"], &withdrawn["subject"]), (&json!(WITHDRAWN), &alert["id"]));
    assert_eq!(withdrawn["data"], json!({ "id": alert["id"] }));
}

/// The condition of every alert that may be told, by id.
async fn last_states(http: &Http) -> BTreeMap<String, String> {
    let every = http.list("/v1/alerts?state=active,cleared,closed&shelved=any").await;
    let open = every.iter().filter(|alert| alert["covert"] == false);
    open.map(|alert| (word(alert, "id"), word(alert, "state"))).collect()
}

#[tokio::test]
async fn a_receiver_that_was_away_hears_every_last_state_over_kills_of_the_service() {
    let _turn = one_at_a_time().await;
    let mut receiver = Receiver::start().await;
    let steady = Receiver::start().await;
    let home = home_telling(&[("pager", &receiver), ("log", &steady)]);
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    press(&mqtt, "before", "fire", false).await;
    eventually("both are told", SOON, async || {
        (receiver.told_of("before") == [RAISED] && steady.told_of("before") == [RAISED]).then_some(())
    })
    .await;

    receiver.go_away().await;
    for vehicle in 0..20 {
        let (vehicle, covert) = (vehicle.to_string(), vehicle % 5 == 0);
        press(&mqtt, &vehicle, "fire", covert).await;
        if vehicle.len() == 1 {
            order(topis.http(), &vehicle, "close").await;
        }
    }
    order(topis.http(), "before", "close").await;
    eventually("the other is told all the same", SOON, async || {
        (steady.told_of("before").last().map(String::as_str) == Some(CLOSED)).then_some(())
    })
    .await;
    topis.kill();
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    press(&mqtt, "between", "fire", false).await;
    let expected = last_states(topis.http()).await;
    assert_eq!(expected.len(), 18, "{expected:#?}");
    topis.kill();

    receiver.resume().await;
    let topis = home.start().await.unwrap();
    let told = |receiver: &Receiver| -> BTreeMap<String, String> {
        let events = receiver.seen();
        let state = |event: &Value| (word(event, "subject"), word(&event["data"], "state"));
        events.iter().map(|seen| state(&seen.event())).collect()
    };
    eventually("every last state is told", AFTER_OUTAGE, async || (told(&receiver) == expected).then_some(())).await;
    eventually("to the other too", AFTER_OUTAGE, async || (told(&steady) == expected).then_some(())).await;
    for receiver in [&receiver, &steady] {
        let mut sequence_of: BTreeMap<String, String> = BTreeMap::new();
        let mut last: BTreeMap<String, String> = BTreeMap::new();
        for seen in receiver.seen() {
            let event = seen.event();
            assert!(seen.is_signed() && event["data"]["covert"] == false, "{event:#}");
            let (id, sequence) = (word(&event, "id"), word(&event, "sequence"));
            assert_eq!(
                sequence_of.entry(id).or_insert_with(|| sequence.clone()),
                &sequence,
                "a repeat has its id again"
            );
            let before = last.insert(word(&event, "subject"), sequence.clone());
            assert!(before.is_none_or(|before| before <= sequence), "an older state after a newer one");
        }
    }
    drop(topis);
}

#[tokio::test]
async fn a_receiver_that_will_not_take_an_event_is_told_to_a_person_once() {
    let _turn = one_at_a_time().await;
    let receiver = Receiver::start().await;
    receiver.answer_with(StatusCode::BAD_REQUEST);
    let home = home_telling(&[("pager", &receiver)]);
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    press(&mqtt, "1", "fire", false).await;
    let subject = "system:notify/pager";
    let given_up = alert_of(topis.http(), subject).await;
    assert_eq!((&given_up["rule"], &given_up["priority"]), (&json!("SYS.NOTIFY"), &json!("P2")), "{given_up:#}");
    assert_eq!(given_up["figures"]["count"], "1");
    assert!(word(&given_up["figures"], "reason").starts_with("answered 400 to "), "{given_up:#}");
    let settled = async || {
        let metrics = topis.http().get("/metrics").await.unwrap().text;
        metrics.contains("topis_webhook_pending{endpoint=\"pager\"} 0").then_some(())
    };
    eventually("the alert about itself is refused too", SOON, async || {
        receiver.seen().iter().any(|seen| seen.event()["data"]["rule"] == "SYS.NOTIFY").then_some(())
    })
    .await;
    eventually("and that is the end of it", SOON, settled).await;
    let path = format!("/v1/alerts/{}", word(&given_up, "id"));
    assert_eq!(topis.http().find(&path).await.unwrap()["data"]["figures"]["count"], "1");
    let closed =
        topis.http().post(&format!("{path}/close"), &json!({ "by": "kim", "reason": "resolved" })).await.unwrap();
    assert_eq!(closed.status, 200, "{}", closed.text);
    eventually("its end is refused too", SOON, async || {
        receiver.seen().iter().any(|seen| seen.event()["type"] == CLOSED).then_some(())
    })
    .await;
    eventually("and raises nothing new", SOON, settled).await;
    assert_eq!(topis.http().list("/v1/alerts?rule=SYS.NOTIFY").await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_message_of_the_emergency_lane_that_cannot_be_read_is_told_once_and_a_person_ends_it() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    for number in 0..100 {
        let topic = messages::incident_topic("radio", &number.to_string());
        let fate = mqtt.publish_acked(&topic, "{\"kind\":", false).await;
        assert_eq!(fate, Fate::Acknowledged);
    }
    mqtt.publish_acked("topis/v1/nonsense", "{}", false).await;
    let poison = alert_of(topis.http(), "feed:native").await;
    assert_eq!(
        (&poison["rule"], &poison["priority"], &poison["class"]),
        (&json!("SYS.POISON"), &json!("P2"), &json!("system"))
    );
    assert_eq!(
        (&poison["figures"]["code"], &poison["figures"]["count"]),
        (&json!("unparsable"), &json!("1")),
        "{poison:#}"
    );
    assert_eq!(topis.http().list("/v1/alerts").await.len(), 1, "a hundred of them are one alert");
    eventually("what was set aside can be read", SOON, async || {
        (topis.http().list("/v1/feeds/native/rejects").await.len() >= 100).then_some(())
    })
    .await;
    let path = format!("/v1/alerts/{}/close", word(&poison, "id"));
    let closed = topis.http().post(&path, &json!({ "by": "kim", "reason": "resolved" })).await.unwrap();
    assert_eq!(closed.status, 200, "{}", closed.text);
}

#[test]
fn a_host_that_is_not_listed_is_refused_at_the_start() {
    let home = Home::new(Broker::Embedded);
    let toml = "[notify]\nallow_hosts = ['pager.example']\n[[webhooks]]\nid = 'x'\nurl = 'http://127.0.0.1:1/'\n";
    fs::write(home.folder().join("topis.toml"), toml).unwrap();
    for command in [&["config", "check"][..], &["serve"]] {
        let mut topis = home.command();
        topis.args(["--config", "topis.toml"]).args(command);
        let (code, _, said) = run_to_end(&mut topis, Duration::from_secs(20)).unwrap();
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("webhooks.0.url") && said.contains("notify.allow_hosts"), "{said}");
    }
}
