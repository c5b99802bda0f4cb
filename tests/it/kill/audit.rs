//! Compares the ledger with what is there: what was acknowledged is there exactly once, what failed has no effect, what
//! is unknown is there whole or not at all, and nothing is doubled.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use tests::{eventually, http::Http, mqtt::Fate};

use super::{
    ledger::{Ledger, Message, Order, Shared, Verb, locked},
    people::AGENCY,
};

const SOON: Duration = Duration::from_secs(20);

/// Everything that is there, by the names of the ledger.
struct Found {
    alerts: BTreeMap<String, Value>,
    incidents: BTreeMap<String, Value>,
    /// What is there twice, and what the service says of its own journal.
    wrong: Vec<String>,
}

impl Found {
    async fn ask(http: &Http) -> Self {
        let mut found = Self { alerts: BTreeMap::new(), incidents: BTreeMap::new(), wrong: Vec::new() };
        for alert in http.list("/v1/alerts?state=active,cleared,closed&shelved=any&limit=100000").await {
            if alert["rule"] == "SYS.JOURNAL" {
                found.wrong.push(format!("the journal is damaged: {}", alert["figures"]));
            }
            if alert["agency_id"] == AGENCY {
                let vehicle = alert["vehicle_id"].as_str().unwrap_or_default().to_owned();
                let before = found.alerts.insert(vehicle.clone(), alert);
                found.wrong.extend(before.map(|_| format!("{vehicle}: two alerts")));
            }
        }
        for incident in http.list(&format!("/v1/incidents?source={AGENCY}&state=active,closed&limit=100000")).await {
            let name = incident["incident_id"].as_str().unwrap_or_default().to_owned();
            let before = found.incidents.insert(name.clone(), incident);
            found.wrong.extend(before.map(|_| format!("{name}: two incidents")));
        }
        found
    }

    fn of(&self, message: &Message) -> Option<&Value> {
        if message.verb == Verb::Incident { &self.incidents } else { &self.alerts }.get(&message.name)
    }

    /// Nothing that was promised is missing; whether more is right, the checks say.
    fn has_promised(&self, ledger: &Ledger) -> bool {
        let acknowledged = ledger.messages.iter().filter(|m| m.fate == Fate::Acknowledged);
        acknowledged.map(|m| self.of(m)).all(|found| found.is_some())
            && ledger.receipted.iter().all(|vehicle| self.alerts.contains_key(vehicle))
    }

    fn check_message(&self, message: &Message) -> Option<String> {
        let Some(found) = self.of(message) else {
            return (message.fate == Fate::Acknowledged).then(|| "acknowledged and lost".to_owned());
        };
        let key = if message.verb == Verb::Incident { "title" } else { "event_id" };
        if message.fate == Fate::Refused {
            Some("failed and there".to_owned())
        } else if found[key] != message.body[key] {
            Some(format!("there, but not whole: its {key} is {}", found[key]))
        } else {
            let count = &found["count"];
            (message.verb == Verb::Alarm && *count != json!(1)).then(|| format!("doubled: counted {count} times"))
        }
    }
}

/// Compares, and fails with everything that is wrong.
pub(super) async fn audit(http: &Http, ledger: &Shared, seed: u64) {
    let found = eventually(&format!("seed {seed}: everything promised is there"), SOON, async || {
        let found = Found::ask(http).await;
        found.has_promised(&locked(ledger)).then_some(found)
    })
    .await;
    let (messages, orders) = {
        let ledger = locked(ledger);
        (ledger.messages.clone(), ledger.orders.clone())
    };
    let mut wrong = found.wrong.clone();
    for message in &messages {
        let said = found.check_message(message);
        wrong.extend(said.map(|said| format!("{} {}: {said}", message.verb.word(), message.name)));
    }
    let mut by_vehicle: BTreeMap<&str, Vec<&Order>> = BTreeMap::new();
    for order in &orders {
        by_vehicle.entry(&order.vehicle).or_default().push(order);
    }
    for (vehicle, orders) in by_vehicle {
        let said = match found.alerts.get(vehicle) {
            Some(alert) => check_orders(alert, &history(http, alert).await, &orders),
            None => orders.iter().filter(|o| o.fate == Fate::Acknowledged).map(|o| lost(o)).collect(),
        };
        wrong.extend(said.into_iter().map(|said| format!("{vehicle}: {said}")));
    }
    assert!(wrong.is_empty(), "seed {seed}: {} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

async fn history(http: &Http, alert: &Value) -> Vec<Value> {
    http.list(&format!("/v1/alerts/{}/history", alert["id"].as_str().unwrap_or_default())).await
}

fn lost(order: &Order) -> String {
    format!("{} {}: acknowledged and lost", order.verb.word(), order.key)
}

/// What orders leave behind on an alert.
#[derive(Debug, Default, PartialEq)]
struct Standing {
    owner: Option<String>,
    shelved: bool,
    closed_by: Option<String>,
}

impl Standing {
    fn of(alert: &Value) -> Self {
        let closed = alert["state"] == "closed";
        let text = |key: &str| alert[key].as_str().map(str::to_owned);
        Self {
            owner: text("owner"),
            shelved: !closed && !alert["shelved_until"].is_null(),
            closed_by: text("closed_by"),
        }
    }

    fn follow(&mut self, order: &Order) {
        match order.verb {
            Verb::Acknowledge => self.owner = Some(order.by()),
            Verb::Handover => self.owner = order.body["to"].as_str().map(str::to_owned),
            Verb::Release => self.owner = None,
            Verb::Shelve => self.shelved = true,
            Verb::Unshelve => self.shelved = false,
            Verb::Close => {
                self.owner.get_or_insert(order.by());
                (self.shelved, self.closed_by) = (false, Some(order.by()));
            }
            Verb::Alarm | Verb::Incident | Verb::Raise | Verb::Comment | Verb::Mark => {}
        }
    }
}

/// Everything that is wrong with one alert, given the orders on it in the order in which they were given.
fn check_orders(alert: &Value, history: &[Value], orders: &[&Order]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut expected = Standing::default();
    for order in orders {
        let entries: Vec<&Value> = history.iter().filter(|entry| entry["request_id"] == json!(order.key)).collect();
        let said = match (order.fate, entries.as_slice()) {
            (Fate::Acknowledged, []) => Some("acknowledged and lost".to_owned()),
            (Fate::Refused, [_, ..]) => Some("failed and there".to_owned()),
            (_, [_, _, ..]) => Some("doubled".to_owned()),
            (Fate::Refused | Fate::Unknown, []) => None,
            (Fate::Acknowledged | Fate::Unknown, [entry]) => {
                expected.follow(order);
                (!is_whole(order, entry, alert)).then(|| format!("there, but not whole: {entry}"))
            }
        };
        wrong.extend(said.map(|said| format!("{} {}: {said}", order.verb.word(), order.key)));
    }
    let found = Standing::of(alert);
    if found != expected {
        wrong.push(format!("its orders lead to {expected:?}, and it is {found:?}"));
    }
    wrong
}

/// The history's line says what was ordered, by whom and with which words.
fn is_whole(order: &Order, entry: &Value, alert: &Value) -> bool {
    let comment = entry["comment"].as_str().unwrap_or_default();
    let words = match order.verb {
        Verb::Handover | Verb::Comment | Verb::Mark | Verb::Shelve => comment.contains(&order.key),
        Verb::Raise => alert["text"] == order.body["text"] && alert["kind"] == order.body["kind"],
        Verb::Alarm | Verb::Incident | Verb::Acknowledge | Verb::Release | Verb::Unshelve | Verb::Close => true,
    };
    words && entry["reason"] == order.verb.reason() && entry["actor"] == json!(order.by())
}

/// The judge is judged: each kind of wrong is seen, and what is right passes.
#[test]
fn what_is_lost_doubled_in_part_or_there_in_spite_of_failing_is_seen() {
    let order = |verb: Verb, key: &str, fate| {
        let body = json!({ "by": "kim", "to": "lee", "comment": key });
        Order { verb, vehicle: "7".to_owned(), path: String::new(), key: key.to_owned(), body, fate }
    };
    let line = |reason: &str, key: &str, comment: &str| json!({ "reason": reason, "request_id": key, "actor": "kim", "comment": comment });
    let alert = |owner: Value| json!({ "state": "active", "owner": owner });
    let taken = [line("acknowledged", "a", "")];
    let acknowledged = order(Verb::Acknowledge, "a", Fate::Acknowledged);
    let comment = |fate| order(Verb::Comment, "c", fate);
    let cases: [(&str, Value, &[Value], Vec<Order>); 8] = [
        ("", alert(json!("kim")), &taken, vec![acknowledged.clone()]),
        ("acknowledged and lost", alert(Value::Null), &[], vec![acknowledged.clone()]),
        ("doubled", alert(json!("kim")), &[taken[0].clone(), taken[0].clone()], vec![acknowledged.clone()]),
        ("failed and there", alert(json!("kim")), &taken, vec![order(Verb::Acknowledge, "a", Fate::Refused)]),
        ("not whole", alert(Value::Null), &[line("comment", "c", "other words")], vec![comment(Fate::Unknown)]),
        ("lead to", alert(Value::Null), &taken, vec![order(Verb::Acknowledge, "a", Fate::Unknown)]),
        ("", alert(Value::Null), &[], vec![comment(Fate::Unknown), order(Verb::Handover, "h", Fate::Refused)]),
        ("", alert(json!("lee")), &[taken[0].clone(), line("handover", "h", "to lee: h")], {
            vec![acknowledged.clone(), order(Verb::Handover, "h", Fate::Acknowledged)]
        }),
    ];
    for (expected, alert, history, orders) in cases {
        let found = check_orders(&alert, history, &orders.iter().collect::<Vec<_>>()).join("; ");
        let right = if expected.is_empty() { found.is_empty() } else { found.contains(expected) };
        assert!(right, "expected {expected:?}, found {found:?}");
    }
}
