//! Who gets in: every documented route against every role, and every door against strangers.

use alert::AlarmKind;
use axum::{
    body::Body,
    http::{Method, Request},
};
use serde_json::json;

use super::{Desk, Seen};
use crate::{Access, Role, Tokens, openapi};

pub(super) fn with_tokens() -> Desk {
    let lines: String = [("kim", Role::Operator), ("wall", Role::Viewer), ("bus", Role::Feeder)]
        .map(|(name, role)| Tokens::line(name, role, &format!("{name}-token")).unwrap() + "\n")
        .concat();
    Desk::with(Access::Tokens(Tokens::parse(&lines).unwrap()))
}

pub(super) async fn ask(desk: &Desk, method: Method, path: &str, token: Option<&str>) -> Seen {
    let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    desk.send(request.body(Body::from(r#"{"topic":"t"}"#)).unwrap()).await
}

/// Every documented method and path, with ids filled in.
fn documented() -> Vec<(Method, String)> {
    let document = openapi();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let filled = path.replace("{agency}", "18").replace("{vehicle}", "1").replace("{id}", "20261123-1");
            let filled = filled.replace("{source}", "s").replace("{feed}", "native");
            all.push((method.to_uppercase().parse().unwrap(), filled));
        }
    }
    assert!(all.len() > 20, "{all:?}");
    all
}

#[tokio::test]
async fn every_route_keeps_out_who_may_not() {
    let desk = with_tokens();
    for (method, path) in documented() {
        // A stream that is let in has no end.
        let is_stream = path == "/v1/stream";
        let is_probe = path == "/livez" || path == "/readyz";
        let is_get = method == Method::GET;
        let is_validate = path == "/v1/validate" || path == "/v1/cap";
        let is_question = path == "/v1/area";
        for (token, may) in [
            (None, is_probe),
            (Some("nobody-token"), is_probe),
            (Some("wall-token"), is_get || is_question),
            (Some("bus-token"), is_probe || is_validate),
            (Some("kim-token"), true),
        ] {
            if is_stream && may {
                continue;
            }
            let seen = ask(&desk, method.clone(), &path, token).await.status.as_u16();
            let stranger = matches!(token, None | Some("nobody-token"));
            match (may, stranger) {
                (true, _) => assert!(seen != 401 && seen != 403, "{method} {path} {token:?}: {seen}"),
                (false, true) => assert_eq!(seen, 401, "{method} {path} {token:?}"),
                (false, false) => assert_eq!(seen, 403, "{method} {path} {token:?}"),
            }
        }
    }
    let refused = ask(&desk, Method::GET, "/v1/vehicles", None).await;
    assert_eq!(refused.header("www-authenticate"), Some("Bearer realm=\"topis\""));
    assert_eq!(ask(&desk, Method::GET, "/nothing/there", None).await.status, 401);
    assert_eq!(ask(&desk, Method::GET, "/docs/", None).await.status, 401);
}

#[tokio::test]
async fn covert_alerts_are_for_operators() {
    let mut desk = with_tokens();
    let id = desk.press("18/1", AlarmKind::Panic, |r| r.covert = Some(true));
    let paths = [
        "/v1/alerts".to_owned(),
        "/v1/alerts?class=emergency".to_owned(),
        "/v1/status".to_owned(),
        "/v1/status?f=text".to_owned(),
        "/v1/changes".to_owned(),
        format!("/v1/alerts/{id}"),
        format!("/v1/alerts/{id}/history"),
    ];
    for path in paths {
        let wall = ask(&desk, Method::GET, &path, Some("wall-token")).await;
        assert!(!wall.text().to_lowercase().contains("panic"), "{path}: {}", wall.text());
        assert!(!wall.text().contains("\"open\":1"), "{path}");
        let kim = ask(&desk, Method::GET, &path, Some("kim-token")).await;
        let told = kim.text().to_lowercase();
        assert!(told.contains("panic") || told.contains("raised"), "{path}: {told}");
    }
}

#[tokio::test]
async fn what_could_not_be_read_of_an_alarm_is_for_operators() {
    let mut desk = with_tokens();
    let feed = transit::FeedId::parse("native").unwrap();
    let reject = |topic: &str, confidential| {
        std::sync::Arc::new(decode::Reject {
            feed: feed.clone(),
            topic: topic.to_owned(),
            vehicle: Some(super::key("18/1")),
            confidential,
            received_at: *super::T0,
            problem: decode::Problem {
                grade: decode::Grade::Reject,
                code: decode::ProblemCode::Unparsable,
                field: None,
                detail: "is no JSON".to_owned(),
            },
            head: "{kind: panic".to_owned(),
        })
    };
    let ring = [reject("alarm", true), reject("position", false)].into_iter().collect();
    desk.last.rejects.insert(feed.clone(), ring);
    desk.pass(0);
    for (token, topics) in [("wall-token", vec!["position"]), ("kim-token", vec!["position", "alarm"])] {
        let seen = ask(&desk, Method::GET, "/v1/feeds/native/rejects", Some(token)).await.json();
        let told: Vec<_> = seen["data"].as_array().unwrap().iter().map(|r| r["topic"].as_str().unwrap()).collect();
        assert_eq!(told, topics, "{token}");
    }
}

#[tokio::test]
async fn with_a_token_the_name_is_the_tokens() {
    let mut desk = with_tokens();
    let id = desk.press("18/1", AlarmKind::Fire, |_| {});
    let path = format!("/v1/alerts/{id}/acknowledge");
    let send = |body: &'static str| {
        let request = Request::post(&path).header("content-type", "application/json");
        request.header("authorization", "bearer kim-token").body(Body::from(body)).unwrap()
    };
    let other = desk.send(send(r#"{"by":"lee"}"#)).await;
    assert!(other.problem().contains("by: has to be \"kim\""), "{}", other.text());
    let (router, request) = (desk.router.clone(), send("{}"));
    let answer = tokio::spawn(async move { tower::ServiceExt::oneshot(router, request).await.unwrap().status() });
    desk.obey().await;
    assert_eq!(answer.await.unwrap(), 200);
    assert_eq!(desk.last.room.find_alert(&id).unwrap().acknowledgement.as_ref().unwrap().by, "kim");
}

#[tokio::test]
async fn pages_of_other_sites_order_nothing() {
    let mut desk = Desk::new();
    let id = desk.press("18/1", AlarmKind::Fire, |_| {});
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("origin", "http://localhost:9999"),
    ] {
        let request = Request::post(format!("/v1/alerts/{id}/acknowledge"))
            .header("host", "localhost:8080")
            .header("content-type", "application/json")
            .header(name, value)
            .body(Body::from(r#"{"by":"kim"}"#))
            .unwrap();
        assert!(desk.send(request).await.problem().starts_with("403 forbidden"), "{name}: {value}");
    }
    assert!(desk.orders.try_recv().is_err());
    let question = Request::post("/v1/area").header("host", "localhost:8080").header("origin", "http://evil.example");
    let question = question.header("content-type", "application/geo+json").body(Body::from("{}")).unwrap();
    assert!(desk.send(question).await.problem().starts_with("403 forbidden"));
    let own = Request::post("/v1/validate")
        .header("host", "localhost:8080")
        .header("origin", "http://localhost:8080")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/json")
        .body(Body::from(r#"{"topic":"t"}"#))
        .unwrap();
    assert_eq!(desk.send(own).await.status, 200);
}

#[tokio::test]
async fn an_open_loopback_answers_to_its_own_names_only() {
    let desk = Desk::new();
    for (host, status) in [("localhost:8080", 200), ("127.0.0.1:8080", 200), ("[::1]:8080", 200), ("evil.example", 403)]
    {
        assert_eq!(desk.get_with("/v1/vehicles", &[("host", host)]).await.status, status, "{host}");
    }
    assert_eq!(desk.get_with("/livez", &[("host", "probe.internal")]).await.status, 200);
}

#[tokio::test]
async fn the_load_tells_a_viewer_how_many_emergencies_sounded_and_not_which() {
    let mut desk = with_tokens();
    desk.press("18/1", AlarmKind::Panic, |r| r.covert = Some(true));
    desk.press("18/2", AlarmKind::Fire, |_| {});
    desk.press("18/3", AlarmKind::CallRequest, |_| {});
    for (token, expected) in [
        ("wall-token", json!([{"rule": "EMG.*", "count": 2}, {"rule": "CALL.REQUEST", "count": 1}])),
        (
            "kim-token",
            json!([
                {"rule": "CALL.REQUEST", "count": 1},
                {"rule": "EMG.FIRE", "count": 1},
                {"rule": "EMG.PANIC", "count": 1},
            ]),
        ),
    ] {
        let load = ask(&desk, Method::GET, "/v1/load", Some(token)).await.json()["data"][0].clone();
        assert_eq!(load["top_rules"], expected, "{token}");
        assert_eq!((&load["standing"], &load["raised_10_min"]), (&json!([2, 0, 0, 1]), &json!(3)), "{token}");
    }
}

#[tokio::test]
async fn a_page_does_not_tell_a_viewer_that_there_is_a_covert_alert() {
    let mut desk = with_tokens();
    desk.press("18/1", AlarmKind::Panic, |report| report.covert = Some(true));
    for number in ["1", "2"] {
        let path = format!("/v1/alerts?limit=1&cursor=e1-1~20261123-{number}");
        let seen = ask(&desk, Method::GET, &path, Some("wall-token")).await;
        assert_eq!(seen.status, 410, "{number}");
    }
}
