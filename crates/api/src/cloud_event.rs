//! An alert as a CloudEvent 1.0 in structured JSON: what webhooks carry.
//!
//! Knows no endpoint and sends nothing. An event is the state an alert has after its last journal record, so its `id`
//! names both and is the same however often it is made. Of an alert that became covert the last event says only that it
//! is withdrawn.

use alert::{Alert, AlertCondition, AlertId};
use publish::Lang;
use serde::Serialize;
use transit::UtcMillis;

use crate::{
    Snapshot,
    views::{AlertView, Shown, Stamp, StatusWord},
};

/// Media type of one event.
pub const CLOUD_EVENT: &str = "application/cloudevents+json; charset=utf-8";

#[derive(Serialize)]
struct CloudEvent<'a, D> {
    specversion: &'static str,
    id: String,
    source: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    subject: Shown<&'a AlertId>,
    time: Stamp,
    /// As the extension of that name wants it: a text whose order is the order of the numbers.
    sequence: String,
    /// Whoever routes by the envelope alone must not take a drill for real.
    status: StatusWord,
    datacontenttype: &'static str,
    data: D,
}

/// What is said of an alert that is no longer shown to everybody: not why, and nothing that it has become since.
#[derive(Serialize)]
struct Withdrawn<'a> {
    id: Shown<&'a AlertId>,
}

/// What those outside may be told of an alert now.
#[derive(Debug, Clone, Copy)]
pub struct News<'a> {
    /// The alert.
    pub alert: &'a Alert,
    /// The record it is about: the alert's last, or the one by which it became covert, after which nothing is told.
    pub seq: u64,
    /// When that record was made.
    pub at: UtcMillis,
}

impl<'a> News<'a> {
    /// Of `alert`; `None` when it was covert from the start.
    pub fn of(alert: &'a Alert) -> Option<Self> {
        if !alert.covert {
            return Some(Self { alert, seq: alert.seq, at: changed_at(alert) });
        }
        let seq = alert.hidden_seq?;
        // Its line is never left out of the history. Were it, the time must still be the same at every retry.
        let hidden_at = alert.history.iter().find(|entry| entry.seq == seq).map_or(alert.raised_at, |entry| entry.at);
        Some(Self { alert, seq, at: hidden_at })
    }

    /// As an event of `source`; `data` is what `/v1/alerts/{id}` gives, or the id alone of what is withdrawn. The alert
    /// may be newer than the snapshot, which says where its vehicle is.
    pub fn event(&self, snapshot: &Snapshot, source: &str) -> Vec<u8> {
        if self.alert.covert {
            self.enveloped(source, "topis.alert.withdrawn", Withdrawn { id: Shown(&self.alert.id) })
        } else {
            self.enveloped(source, kind(self.alert), AlertView::of(self.alert, snapshot, Lang::En))
        }
    }

    fn enveloped<D: Serialize>(&self, source: &str, kind: &'static str, data: D) -> Vec<u8> {
        let event = CloudEvent {
            specversion: "1.0",
            id: format!("{}.{}", self.alert.id, self.seq),
            source,
            kind,
            subject: Shown(&self.alert.id),
            time: Stamp(self.at),
            sequence: format!("{:020}", self.seq),
            status: StatusWord(self.alert.status),
            datacontenttype: "application/json",
            data,
        };
        // Views hold nothing that JSON cannot: a test writes each.
        serde_json::to_vec(&event).unwrap_or_default()
    }
}

/// When the alert's last record was made.
fn changed_at(alert: &Alert) -> UtcMillis {
    alert.history.last().map_or(alert.raised_at, |entry| entry.at)
}

fn kind(alert: &Alert) -> &'static str {
    match alert.condition {
        AlertCondition::Closed => "topis.alert.closed",
        // What is decided together with the raise, such as that it stands behind another, is a part of it.
        AlertCondition::Active | AlertCondition::Cleared if changed_at(alert) == alert.raised_at => {
            "topis.alert.raised"
        }
        AlertCondition::Active | AlertCondition::Cleared => "topis.alert.changed",
    }
}

#[cfg(test)]
mod tests {
    use alert::{Actor, AlarmKind, CloseReason, Command, Order};
    use expect_test::expect;
    use room::Input;
    use serde_json::Value;
    use transit::Status;

    use super::*;
    use crate::tests::Desk;

    fn event(desk: &Desk, id: &alert::AlertId) -> Value {
        let news = News::of(desk.last.room.find_alert(id).unwrap()).unwrap();
        serde_json::from_slice(&news.event(&desk.last, "urn:topis:north")).unwrap()
    }

    fn order(desk: &mut Desk, order: Order) {
        let actor = Actor { by: "kim".to_owned(), ..Actor::default() };
        let request_id = order.default_request_id("kim");
        desk.commit(&Input::Command(Command { request_id, actor, order }));
    }

    /// The envelope, without what it carries.
    fn envelope(mut event: Value) -> String {
        let data = event["data"].take();
        assert_eq!(data["id"], event["subject"]);
        event.as_object_mut().unwrap().remove("data");
        serde_json::to_string_pretty(&event).unwrap()
    }

    #[tokio::test]
    async fn an_event_is_the_alert_as_the_api_gives_it_in_an_envelope_that_names_its_state() {
        let mut desk = Desk::new();
        let id = desk.press("18/423", AlarmKind::Fire, |report| report.status = Status::Exercise);
        let raised = event(&desk, &id);
        assert_eq!(raised["data"], desk.get(&format!("/v1/alerts/{id}")).await.json()["data"]);
        expect![[r#"
            {
              "datacontenttype": "application/json",
              "id": "20261123-1.1",
              "sequence": "00000000000000000001",
              "source": "urn:topis:north",
              "specversion": "1.0",
              "status": "exercise",
              "subject": "20261123-1",
              "time": "2026-11-23T08:00:00.000Z",
              "type": "topis.alert.raised"
            }"#]]
        .assert_eq(&envelope(raised.clone()));
        assert_eq!(event(&desk, &id), raised, "made anew it is the same");
    }

    #[test]
    fn every_change_has_an_id_and_a_greater_sequence_of_its_own() {
        let mut desk = Desk::new();
        let id = desk.press("18/423", AlarmKind::Fire, |_| ());
        let told = |desk: &Desk| {
            let event = event(desk, &id);
            [&event["type"], &event["id"], &event["sequence"]].map(|v| v.as_str().unwrap().to_owned()).join(" ")
        };
        let mut seen = vec![told(&desk)];
        desk.pass(1_000);
        order(&mut desk, Order::Acknowledge { alert: id.clone(), seen: None, comment: None });
        seen.push(told(&desk));
        let (alert, reason) = (id.clone(), CloseReason::Resolved);
        order(&mut desk, Order::Close { alert, reason, seen: None, comment: None });
        seen.push(told(&desk));
        expect![[r#"
            topis.alert.raised 20261123-1.1 00000000000000000001
            topis.alert.changed 20261123-1.2 00000000000000000002
            topis.alert.closed 20261123-1.3 00000000000000000003"#]]
        .assert_eq(&seen.join("\n"));
    }

    #[test]
    fn what_became_covert_is_withdrawn_by_its_id_alone_and_the_same_however_late() {
        let mut desk = Desk::new();
        let id = desk.press("18/423", AlarmKind::Fire, |report| report.status = Status::Exercise);
        desk.pass(1_000);
        let again = desk.press("18/423", AlarmKind::Fire, |report| {
            (report.status, report.covert) = (Status::Exercise, Some(true));
            report.text = Some("they must not know".to_owned());
        });
        assert_eq!(again, id);
        let withdrawn = event(&desk, &id);
        expect![[r#"
            {
              "data": {
                "id": "20261123-1"
              },
              "datacontenttype": "application/json",
              "id": "20261123-1.2",
              "sequence": "00000000000000000002",
              "source": "urn:topis:north",
              "specversion": "1.0",
              "status": "exercise",
              "subject": "20261123-1",
              "time": "2026-11-23T08:00:01.000Z",
              "type": "topis.alert.withdrawn"
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&withdrawn).unwrap());
        desk.pass(60_000);
        order(&mut desk, Order::Acknowledge { alert: id.clone(), seen: None, comment: None });
        let (alert, reason) = (id.clone(), CloseReason::Resolved);
        order(&mut desk, Order::Close { alert, reason, seen: None, comment: None });
        assert!(desk.last.room.find_alert(&id).unwrap().seq > 2, "it went on");
        assert_eq!(event(&desk, &id), withdrawn);
    }

    #[test]
    fn nothing_is_told_of_what_was_covert_from_the_start() {
        let mut desk = Desk::new();
        let id = desk.press("18/423", AlarmKind::Panic, |report| report.covert = Some(true));
        desk.press("18/423", AlarmKind::Panic, |report| report.covert = Some(true));
        assert!(News::of(desk.last.room.find_alert(&id).unwrap()).is_none());
    }
}
