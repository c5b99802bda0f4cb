//! Orders: who may give them, what they answer, and what stays as it was.

use alert::{AlarmKind, Order};
use axum::{body::Body, http::Request};
use expect_test::expect;

use super::{Desk, post};
use crate::{CommandAnswer, body::BODY_MAX};

async fn order(desk: &mut Desk, path: &str, body: &str) -> super::Seen {
    let (router, request) = (desk.router.clone(), post(path, body));
    let answer = tokio::spawn(async move { tower::ServiceExt::oneshot(router, request).await.unwrap() });
    desk.obey().await;
    let (parts, body) = answer.await.unwrap().into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap().to_vec();
    super::Seen { status: parts.status, headers: parts.headers, body }
}

#[tokio::test]
async fn the_first_takes_it_and_the_second_is_told_who_has_it() {
    let mut desk = Desk::new();
    let id = desk.press("18/1", AlarmKind::Fire, |_| {});
    let path = format!("/v1/alerts/{id}/acknowledge");
    let mine = order(&mut desk, &path, r#"{"by":"kim","desk":"2","seen":1,"comment":"calling"}"#).await;
    assert_eq!(mine.status, 200);
    let alert = mine.json()["data"].clone();
    assert_eq!(
        (&alert["owner"], &alert["owner_desk"], &alert["next_step"]),
        (&"kim".into(), &"2".into(), &"Have the driver stop, open the doors and get everybody out, upwind".into())
    );
    let again = order(&mut desk, &path, r#"{"by":"kim","desk":"2","seen":1,"comment":"calling"}"#).await;
    assert_eq!((again.status.as_u16(), &again.json()["data"]["owner"]), (200, &"kim".into()));
    let late = order(&mut desk, &path, r#"{"by":"lee","seen":1}"#).await;
    assert_eq!(late.problem(), format!("409 already-taken: Nothing was changed: alert {id} was already taken by kim."));
    let late = late.json();
    assert_eq!((&late["owner"], &late["since"]), (&"kim".into(), &"2026-11-23T08:00:00.000Z".into()));
    assert_eq!(late["record"]["id"], id.to_string());
}

#[tokio::test]
async fn a_closed_alert_is_final() {
    let mut desk = Desk::new();
    let id = desk.press("18/1", AlarmKind::Fire, |_| {});
    let closed = order(&mut desk, &format!("/v1/alerts/{id}/close"), r#"{"by":"kim","reason":"false_alarm"}"#).await;
    assert_eq!((closed.status.as_u16(), &closed.json()["data"]["close_reason"]), (200, &"false_alarm".into()));
    assert_eq!(desk.get("/v1/alerts").await.ids(), Vec::<String>::new());
    let late = order(&mut desk, &format!("/v1/alerts/{id}/acknowledge"), r#"{"by":"lee"}"#).await;
    assert_eq!(late.problem(), format!("409 closed: Nothing was changed: alert {id} is closed."));
    let changed = desk.get("/v1/alerts?since=e1-2").await;
    assert_eq!(changed.json()["data"][0]["state"], "closed");
}

#[tokio::test]
async fn a_person_gives_exactly_the_reasons_that_are_offered() {
    for reason in <alert::CloseReason as transit::Word>::ALL {
        let mut desk = Desk::new();
        let id = desk.press("18/1", AlarmKind::Fire, |_| {});
        let order = Order::Close { alert: id.clone(), reason: *reason, seen: None, comment: None };
        let actor = alert::Actor { by: "kim".to_owned(), desk: None, supervisor: false };
        let command = alert::Command { actor, request_id: "r".to_owned(), order };
        let verdict = desk.commit(&room::Input::Command(command));
        let word = transit::Word::word(*reason);
        let document = crate::openapi().pointer("/components/schemas/Closing/properties/reason/enum").unwrap().clone();
        let offered = document.as_array().unwrap().iter().any(|w| w == word);
        assert_eq!(matches!(verdict, room::Verdict::Done(_)), offered, "{word}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_an_order_is_said_by_name() {
    let mut desk = Desk::new();
    let id = desk.press("18/1", AlarmKind::Fire, |_| {}).to_string();
    let mut lines = Vec::new();
    for (verb, body) in [
        ("acknowledge", "{}"),
        ("acknowledge", r#"{"by":"  "}"#),
        ("acknowledge", r#"{"by":"a\nb"}"#),
        ("acknowledge", r#"{"by":"kim","sen":1}"#),
        ("acknowledge", r#"{"by":"kim","seen":"1"}"#),
        ("acknowledge", "{"),
        ("acknowledge", ""),
        ("close", r#"{"by":"kim"}"#),
        ("close", r#"{"by":"kim","reason":"resolve"}"#),
    ] {
        lines.push(format!("{verb} {body} -> {}", desk.post(&format!("/v1/alerts/{id}/{verb}"), body).await.problem()));
    }
    lines.push(desk.post("/v1/alerts/x/acknowledge", r#"{"by":"kim"}"#).await.problem());
    let long = format!(r#"{{"by":"{}"}}"#, "x".repeat(65));
    lines.push(desk.post(&format!("/v1/alerts/{id}/acknowledge"), &long).await.problem());
    let huge = format!(r#"{{"by":"kim","comment":"{}"}}"#, "x".repeat(BODY_MAX));
    lines.push(desk.post(&format!("/v1/alerts/{id}/acknowledge"), &huge).await.problem());
    let form = Request::post(format!("/v1/alerts/{id}/acknowledge")).body(Body::from("by=kim")).unwrap();
    lines.push(desk.send(form).await.problem());
    let keyed = Request::post(format!("/v1/alerts/{id}/acknowledge"))
        .header("content-type", "application/json; charset=utf-8")
        .header("idempotency-key", "x".repeat(201))
        .body(Body::from(r#"{"by":"kim"}"#))
        .unwrap();
    lines.push(desk.send(keyed).await.problem());
    expect![[r#"
        acknowledge {} -> 400 bad-member: by: is required: who gives this order? Send {"by": "your name"}.
        acknowledge {"by":"  "} -> 400 bad-member: by: is required: who gives this order? Send {"by": "your name"}.
        acknowledge {"by":"a\nb"} -> 400 bad-member: by: holds a control character.
        acknowledge {"by":"kim","sen":1} -> 422 bad-body: The body is JSON, but not what is expected: unknown field `sen`, expected one of `by`, `desk`, `seen`, `comment`.
        acknowledge {"by":"kim","seen":"1"} -> 422 bad-body: The body is JSON, but not what is expected: seen: invalid type: string "1", expected a whole number, not negative.
        acknowledge { -> 400 bad-json: The body is not readable as JSON: EOF while parsing an object at line 1 column 1.
        acknowledge  -> 400 bad-json: The body is not readable as JSON: EOF while parsing a value at line 1 column 0.
        close {"by":"kim"} -> 400 bad-member: reason: is required, one of resolved, false_alarm, test, duplicate_of.
        close {"by":"kim","reason":"resolve"} -> 400 bad-member: reason: is none of resolved, false_alarm, test, duplicate_of. Did you mean resolved?
        404 not-found: There is no alert x.
        400 bad-member: by: has more than 64 characters.
        413 too-large: The body is larger than 65536 bytes.
        415 not-json: Send the body with Content-Type: application/json.
        400 bad-member: Idempotency-Key: has to be 1 to 200 visible ASCII characters."#]].assert_eq(&lines.join("\n"));
    assert!(desk.orders.try_recv().is_err(), "none of them reached the room");
}

#[tokio::test]
async fn the_default_key_names_who_what_and_what_was_seen() {
    let mut desk = Desk::new();
    let id = desk.press("18/1", AlarmKind::Fire, |_| {});
    let path = format!("/v1/alerts/{id}/acknowledge");
    for (key, expected) in [(None, format!("kim/{id}/acknowledge/1")), (Some("my-key"), "my-key".to_owned())] {
        let mut request = post(&path, r#"{"by":"kim","seen":1}"#);
        if let Some(key) = key {
            request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        }
        let router = desk.router.clone();
        let waiting = tokio::spawn(async move { tower::ServiceExt::oneshot(router, request).await.unwrap().status() });
        let pending = desk.orders.recv().await.unwrap();
        assert_eq!(pending.command.request_id, expected);
        assert_eq!(pending.command.order, Order::Acknowledge { alert: id.clone(), seen: Some(1), comment: None });
        pending.answer.send(CommandAnswer::NotSaved { full: key.is_some() }).unwrap();
        assert_eq!(waiting.await.unwrap().as_u16(), if key.is_some() { 507 } else { 503 });
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_without_an_answer_says_that_its_outcome_is_unknown() {
    let mut desk = Desk::new();
    let id = desk.press("18/1", AlarmKind::Fire, |_| {});
    let path = format!("/v1/alerts/{id}/acknowledge");
    let mut waiting = Vec::new();
    for n in 0..4 {
        let (router, request) = (desk.router.clone(), post(&path, &format!(r#"{{"by":"k{n}"}}"#)));
        waiting.push(tokio::spawn(async move { tower::ServiceExt::oneshot(router, request).await.unwrap().status() }));
    }
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert!(desk.post(&path, r#"{"by":"one too many"}"#).await.problem().starts_with("503 busy"));
    for answer in waiting {
        assert_eq!(answer.await.unwrap(), 503);
    }
    desk.orders.close();
    assert!(desk.post(&path, r#"{"by":"kim"}"#).await.problem().starts_with("503 not-saved"));
}

#[tokio::test]
async fn a_message_is_checked_without_any_effect() {
    let desk = Desk::new();
    let good = desk
        .post(
            "/v1/validate",
            r#"{"topic":"topis/v1/vehicle/18/423/position","body":{"event_time":"2026-11-23T08:00:00Z","lat":60.2,"lon":24.9}}"#,
        )
        .await
        .json();
    assert_eq!((&good["data"]["accepted"], &good["data"]["feed_id"]), (&true.into(), &"native".into()));
    assert_eq!(good["data"]["messages"][0]["lat"], 60.2);
    let bad =
        desk.post("/v1/validate", r#"{"topic":"topis/v1/vehicle/18/423/position","body_base64":"e30="}"#).await.json();
    assert_eq!(
        (&bad["data"]["accepted"], &bad["data"]["problems"][0]["reason"]),
        (&false.into(), &"missing_field".into())
    );
    let alarm = desk.post("/v1/validate", r#"{"topic":"topis/v1/vehicle/18/423/alarm","body":""}"#).await.json();
    assert_eq!(alarm["data"]["messages"][0]["type"], "alarm");
    for body in
        [r#"{"topic":""}"#, r#"{"topic":"t","body":"x","body_base64":"eA=="}"#, r#"{"topic":"t","body_base64":"*"}"#]
    {
        assert!(desk.post("/v1/validate", body).await.problem().starts_with("400 bad-member"), "{body}");
    }
    let wrong = desk.post("/v1/validate", r#"{"topic":"topis/v1/vehicle/1/2/alarm","body":"","feed":"hfp"}"#).await;
    assert!(wrong.problem().contains(r#"feed: is "hfp""#), "{}", wrong.text());
    assert_eq!(desk.get("/v1/alerts").await.ids(), Vec::<String>::new());
}
