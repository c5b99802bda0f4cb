//! Those who press, report and order while the service is killed under them.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    http::Http,
    load::Dice,
    messages,
    mqtt::{Fate, Mqtt},
};
use tokio::{sync::watch, time::interval};

use super::ledger::{Message, Order, Shared, Verb, locked};

/// Agency of the vehicles, and source of the incidents, that the ledger is about.
pub(super) const AGENCY: &str = "k";
/// How long an operator looks for the alert of a press.
const LOOK_WITHIN: u32 = 300;
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// How a story begins.
#[derive(Debug, Clone, Copy)]
enum Opening {
    /// A press of this kind.
    Press(&'static str),
    /// A call of this kind by radio, raised by an operator.
    Call(&'static str),
    /// An incident of a source.
    Report,
}

use Opening::{Call, Press, Report};
use Verb::{Acknowledge, Close, Comment, Handover, Mark, Release, Shelve, Unshelve};

/// An order, and which of a desk's two operators gives it.
type Step = (Verb, usize);

/// What people do. Some of it must be refused: taking what another has, shelving an emergency, taking from the shelf
/// what is not on it.
const STORIES: &[(Opening, &[Step])] = &[
    (
        Press("panic"),
        &[(Acknowledge, 0), (Acknowledge, 1), (Shelve, 0), (Comment, 1), (Mark, 0), (Handover, 0), (Close, 1)],
    ),
    (Press("collision"), &[(Acknowledge, 0), (Release, 0), (Acknowledge, 1), (Mark, 1), (Close, 0)]),
    (Press("breakdown"), &[(Unshelve, 0), (Shelve, 0), (Comment, 0), (Unshelve, 1), (Acknowledge, 1), (Close, 1)]),
    (Press("medical"), &[(Comment, 0), (Close, 0), (Acknowledge, 1)]),
    (Call("medical"), &[(Acknowledge, 0), (Handover, 0), (Mark, 1), (Comment, 1), (Release, 1)]),
    (Call("breakdown"), &[(Acknowledge, 1), (Shelve, 1), (Mark, 0), (Unshelve, 0), (Release, 1), (Close, 0)]),
    (Report, &[]),
];

/// One driver with a desk of two operators.
pub(super) struct Desk {
    pub(super) name: String,
    pub(super) port: u16,
    pub(super) http: Http,
    pub(super) ledger: Shared,
    pub(super) dice: Dice,
    pub(super) stop: watch::Receiver<bool>,
}

impl Desk {
    /// Plays one story after the other until told to stop or cut off.
    pub(super) async fn work(mut self) {
        let Ok(mqtt) = Mqtt::connect(self.port).await else { return };
        for number in 0.. {
            if *self.stop.borrow() || mqtt.is_lost() {
                return;
            }
            let (opening, steps) = STORIES[self.dice.below(STORIES.len())];
            self.play(&mqtt, &format!("{}-{number}", self.name), opening, steps).await;
        }
    }

    async fn play(&self, mqtt: &Mqtt, name: &str, opening: Opening, steps: &[Step]) {
        let alert = match opening {
            Report => {
                publish(mqtt, &self.ledger, Verb::Incident, name, incident(name)).await;
                None
            }
            Press(kind) => {
                let mut body = messages::panic(name);
                body["kind"] = json!(kind);
                match publish(mqtt, &self.ledger, Verb::Alarm, name, body).await {
                    Fate::Acknowledged => self.find_alert(name).await,
                    Fate::Refused | Fate::Unknown => None,
                }
            }
            Call(kind) => {
                let subject = format!("vehicle:{AGENCY}/{name}");
                let body = json!({ "by": self.person(0), "subject": subject, "kind": kind, "text": name });
                let raised = self.order(Verb::Raise, name, "/v1/alerts".to_owned(), format!("{name}-raise"), body);
                raised.await.and_then(|data| data["id"].as_str().map(str::to_owned))
            }
        };
        let Some(alert) = alert else { return };
        for (number, (verb, who)) in steps.iter().enumerate() {
            let key = format!("{name}-{number}");
            let body = self.body(*verb, *who, &key);
            let path = format!("/v1/alerts/{alert}/{}", verb.word());
            self.order(*verb, name, path, key, body).await;
            if *self.stop.borrow() {
                return;
            }
        }
    }

    fn person(&self, who: usize) -> String {
        format!("{}-{who}", self.name)
    }

    fn body(&self, verb: Verb, who: usize, key: &str) -> Value {
        let mut body = json!({ "by": self.person(who) });
        match verb {
            Handover => (body["to"], body["comment"]) = (json!(self.person(1 - who)), json!(key)),
            Comment => body["comment"] = json!(key),
            Mark => (body["step"], body["party"]) = (json!("on_scene"), json!(key)),
            Shelve => (body["until"], body["comment"]) = (json!(messages::at(3_600_000)), json!(key)),
            Close => body["reason"] = json!("resolved"),
            Acknowledge | Release | Unshelve | Verb::Alarm | Verb::Incident | Verb::Raise => {}
        }
        body
    }

    /// The id of a vehicle's alert, as soon as it is seen. A broker that lives on has the press before the service.
    async fn find_alert(&self, vehicle: &str) -> Option<String> {
        let path = format!("/v1/alerts?shelved=any&subject=vehicle:{AGENCY}/{vehicle}");
        let mut looks = interval(LOOK_EVERY);
        for _ in 0..LOOK_WITHIN {
            looks.tick().await;
            if *self.stop.borrow() {
                return None;
            }
            let found = self.http.find(&path).await;
            if let Some(id) = found.as_ref().and_then(|body| body["data"][0]["id"].as_str()) {
                return Some(id.to_owned());
            }
        }
        None
    }

    /// Gives an order and notes its fate; the record when it was carried out.
    async fn order(&self, verb: Verb, vehicle: &str, path: String, key: String, body: Value) -> Option<Value> {
        let (fate, record) = give(&self.http, &path, &key, &body).await;
        let vehicle = vehicle.to_owned();
        locked(&self.ledger).orders.push(Order { verb, vehicle, path, key, body, fate });
        record
    }
}

/// Posts an order. A connection that never came to be carried nothing; one that was cut may have.
pub(super) async fn give(http: &Http, path: &str, key: &str, body: &Value) -> (Fate, Option<Value>) {
    let request = http.request(Method::POST, path).header("Idempotency-Key", key).json(body);
    match http.send(request).await {
        Ok(answer) if (200..300).contains(&answer.status) => (Fate::Acknowledged, Some(answer.json()["data"].take())),
        Ok(answer) if answer.text.contains("unanswered") => (Fate::Unknown, None),
        Ok(_) => (Fate::Refused, None),
        Err(error) if error.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_connect) => {
            (Fate::Refused, None)
        }
        Err(_) => (Fate::Unknown, None),
    }
}

/// Publishes a message of a name of its own at QoS 1 and notes its fate.
pub(super) async fn publish(mqtt: &Mqtt, ledger: &Shared, verb: Verb, name: &str, body: Value) -> Fate {
    let of_vehicle = verb != Verb::Incident;
    let topic = if of_vehicle { messages::alarm_topic(AGENCY, name) } else { messages::incident_topic(AGENCY, name) };
    let fate = mqtt.publish_acked(&topic, body.to_string(), false).await;
    locked(ledger).messages.push(Message { verb, name: name.to_owned(), topic, body, fate });
    fate
}

/// A word about a route: it has no place on the map, so that thousands of them cost rules nothing.
fn incident(name: &str) -> Value {
    json!({ "kind": "notice", "version": 1, "title": name, "affects": [{ "route_id": "402" }] })
}

/// Notes every receipt until the connection is cut.
pub(super) async fn note_receipts(port: u16, ledger: Shared) {
    let Ok(mut mqtt) = Mqtt::connect(port).await else { return };
    if !mqtt.subscribe(&format!("topis/v1/receipt/{AGENCY}/#")).await.unwrap_or(false) {
        return;
    }
    while let Ok(receipt) = mqtt.next(Duration::from_secs(60)).await {
        let body: Value = serde_json::from_slice(&receipt.payload).unwrap_or(Value::Null);
        let recorded = body["state"] == "recorded" || body["state"] == "duplicate";
        if let (true, Some(event)) = (recorded, body["event_id"].as_str()) {
            locked(&ledger).receipted.push(event.to_owned());
        }
    }
}

/// What a sender does that never heard back: the same again, under the same name and time. Gives how many there were.
pub(super) async fn repeat_unknown(port: u16, http: &Http, ledger: &Shared) -> usize {
    let (mut messages, mut orders) = {
        let ledger = locked(ledger);
        (ledger.messages.clone(), ledger.orders.clone())
    };
    let mqtt = Mqtt::connect(port).await.unwrap();
    let mut repeated = 0;
    for message in messages.iter_mut().filter(|m| m.fate == Fate::Unknown) {
        message.fate = mqtt.publish_acked(&message.topic, message.body.to_string(), false).await;
        assert_eq!(message.fate, Fate::Acknowledged, "{message:?}");
        repeated += 1;
    }
    for order in orders.iter_mut().filter(|o| o.fate == Fate::Unknown) {
        order.fate = give(http, &order.path, &order.key, &order.body).await.0;
        assert_ne!(order.fate, Fate::Unknown, "{order:?}");
        repeated += 1;
    }
    let mut ledger = locked(ledger);
    (ledger.messages, ledger.orders) = (messages, orders);
    repeated
}
