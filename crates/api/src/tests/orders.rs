//! Orders beyond taking and closing: an alert's whole life, silence by design, incidents of operators.

use alert::AlarmKind;
use expect_test::expect;
use serde_json::{Value, json};

use super::{Desk, post};

impl Desk {
    /// Sends an order and carries it out; status and body.
    pub(super) async fn order(&mut self, path: &str, body: Value) -> (u16, Value) {
        self.carry_out(post(path, &body.to_string())).await
    }

    /// As [`Self::order`], named by its giver.
    async fn order_named(&mut self, key: &str, path: &str, body: Value) -> (u16, Value) {
        let mut request = post(path, &body.to_string());
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        self.carry_out(request).await
    }

    async fn carry_out(&mut self, request: axum::http::Request<axum::body::Body>) -> (u16, Value) {
        let router = self.router.clone();
        let answer = tokio::spawn(async move { tower::ServiceExt::oneshot(router, request).await.unwrap() });
        self.obey().await;
        let (parts, body) = answer.await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (parts.status.as_u16(), serde_json::from_slice(&body).unwrap())
    }

    /// What an order did to an alert, in a line.
    async fn line(&mut self, path: &str, body: Value) -> String {
        let (status, answer) = self.order(path, body).await;
        let verb = path.rsplit('/').next().unwrap();
        if status != 200 {
            return format!("{verb}: {status} {} {}", answer["code"], answer["detail"]);
        }
        let alert = &answer["data"];
        format!("{verb}: {} owner {} shelved until {}", alert["state"], alert["owner"], alert["shelved_until"])
    }
}

#[tokio::test]
async fn an_emergency_is_taken_passed_on_given_up_and_never_put_aside() {
    let mut desk = Desk::new();
    let id = desk.press("18/1", AlarmKind::Fire, |_| {});
    let path = |verb: &str| format!("/v1/alerts/{id}/{verb}");
    let mut lines = vec![desk.line(&path("release"), json!({"by": "kim"})).await];
    lines.push(desk.line(&path("acknowledge"), json!({"by": "kim", "seen": 1})).await);
    lines.push(desk.line(&path("comment"), json!({"by": "kim", "comment": "driver answers"})).await);
    let mark = json!({"by": "kim", "step": "police_notified", "party": "112", "reference": "7", "time": "2026-11-23T17:01:00+09:00"});
    lines.push(desk.line(&path("mark"), mark).await);
    lines.push(desk.line(&path("handover"), json!({"by": "kim", "to": "lee", "to_desk": "north"})).await);
    lines.push(desk.line(&path("shelve"), json!({"by": "lee", "until": "2026-11-23T08:30:00Z", "comment": "x"})).await);
    lines.push(desk.line(&path("reset"), json!({"by": "lee"})).await);
    lines.push(desk.line(&path("release"), json!({"by": "lee"})).await);
    lines.push(desk.line(&path("close"), json!({"by": "lee", "reason": "resolved"})).await);
    lines.push(desk.line(&path("comment"), json!({"by": "lee", "comment": "late"})).await);
    expect![[r#"
        release: 409 "not-taken" "Nothing was changed: nobody has taken alert 20261123-1."
        acknowledge: "active" owner "kim" shelved until null
        comment: "active" owner "kim" shelved until null
        mark: "active" owner "kim" shelved until null
        handover: "active" owner "lee" shelved until null
        shelve: 409 "not-shelvable" "Nothing was changed: alert 20261123-1 is an emergency and is never shelved."
        reset: 409 "source-not-normal" "Nothing was changed: the source of alert 20261123-1 is not normal yet."
        release: "active" owner null shelved until null
        close: "closed" owner "lee" shelved until null
        comment: "closed" owner "lee" shelved until null"#]]
    .assert_eq(&lines.join("\n"));
    let history = desk.get(&path("history")).await.json();
    let told: Vec<String> = history["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| format!("{} {} {} -> {}", e["actor"], e["reason"], e["from"], e["to"]))
        .collect();
    expect![[r#"
        "driver" "raised" "none" -> "active/unacknowledged"
        "kim" "acknowledged" "active/unacknowledged" -> "active/acknowledged"
        "kim" "comment" "active/acknowledged" -> "active/acknowledged"
        "kim" "mark" "active/acknowledged" -> "active/acknowledged"
        "kim" "handover" "active/acknowledged" -> "active/acknowledged"
        "lee" "release" "active/acknowledged" -> "active/unacknowledged"
        "lee" "closed" "active/unacknowledged" -> "closed/acknowledged"
        "lee" "comment" "closed/acknowledged" -> "closed/acknowledged""#]]
    .assert_eq(&told.join("\n"));
}

#[tokio::test]
async fn what_is_no_emergency_is_put_aside_but_not_closed_while_it_holds() {
    let mut desk = Desk::new();
    desk.commit(&room::Input::Finding(Box::new(alert::Finding {
        rule: "FEED.PARTIAL".to_owned(),
        subject: alert::Subject::System("fleet".to_owned()),
        status: transit::Status::Actual,
        verdict: alert::FindingVerdict::Raised,
        class: alert::AlertClass::System,
        priority: alert::Priority::P3,
        latched: false,
        evidence: alert::Evidence::default(),
        parents: Vec::new(),
    })));
    let id = desk.get("/v1/alerts").await.ids().remove(0);
    let path = |verb: &str| format!("/v1/alerts/{id}/{verb}");
    let until = |text: &str| json!({"by": "kim", "until": text, "comment": "gateway is being changed"});
    let mut lines = vec![desk.line(&path("close"), json!({"by": "kim", "reason": "resolved"})).await];
    lines.push(desk.line(&path("shelve"), until("2026-11-24T08:00:00Z")).await);
    lines.push(desk.line(&path("shelve"), until("2026-11-23T10:00:00Z")).await);
    assert!(desk.get("/v1/alerts").await.ids().is_empty(), "what is on the shelf is not on the list");
    lines.push(desk.line(&path("unshelve"), json!({"by": "kim"})).await);
    assert_eq!(desk.get("/v1/alerts").await.ids(), [id.as_str()]);
    expect![[r#"
        close: 409 "still-active" "Nothing was changed: the condition of alert 20261123-1 still holds; shelve it instead, or have a supervisor close it with a comment."
        shelve: 400 "bad-member" "until: has to lie ahead, by at most 8.0 hours."
        shelve: "active" owner null shelved until "2026-11-23T10:00:00.000Z"
        unshelve: "active" owner null shelved until null"#]].assert_eq(&lines.join("\n"));
}

#[tokio::test]
async fn an_alert_called_in_by_radio_is_one_like_any_other() {
    let mut desk = Desk::new();
    let told = json!({"by": "kim", "subject": "vehicle:18/7", "kind": "breakdown", "text": "by radio"});
    let (status, raised) = desk.order("/v1/alerts", told).await;
    let alert = &raised["data"];
    assert_eq!((status, &alert["priority"], &alert["rule"]), (200, &json!("P3"), &json!("CALL.BREAKDOWN")));
    let path = format!("/v1/alerts/{}/close", alert["id"].as_str().unwrap());
    let closed = desk.line(&path, json!({"by": "kim", "reason": "resolved"})).await;
    assert!(closed.starts_with("close: \"closed\""), "{closed}");
    for (body, wrong) in [
        (json!({"by": "kim", "kind": "fire"}), "subject: is required, or a place"),
        (json!({"by": "kim", "kind": "fire", "lat": 60.2}), "lon: is required with lat"),
        (json!({"by": "kim", "kind": "fyre", "subject": "vehicle:18/7"}), "Did you mean fire?"),
        (json!({"by": "kim", "kind": "fire", "subject": "18/7"}), "subject: has to be like vehicle:18/423"),
    ] {
        let refused = desk.post("/v1/alerts", &body.to_string()).await;
        assert!(refused.problem().contains(wrong), "{wrong}: {}", refused.text());
    }
}

#[tokio::test]
async fn a_suppression_is_listed_and_ends() {
    let mut desk = Desk::new();
    let body = json!({"by": "kim", "rules": ["VEH.*"], "until": "2026-11-23T20:00:00Z", "why": "strike"});
    let mut emergencies = body.clone();
    emergencies["rules"] = json!(["VEH.*", "EMG.PANIC"]);
    let refused = desk.post("/v1/suppressions", &emergencies.to_string()).await;
    assert!(refused.problem().contains("EMG.PANIC is an emergency"), "{}", refused.text());
    let (status, answer) = desk.order("/v1/suppressions", body).await;
    assert_eq!((status, &answer["data"]["active"], &answer["data"]["id"]), (200, &json!(true), &json!("1")));
    assert_eq!(desk.get("/v1/suppressions").await.json()["data"][0]["why"], "strike");
    let (status, answer) = desk.order("/v1/suppressions/1/end", json!({"by": "lee"})).await;
    assert_eq!((status, &answer["data"]["active"], &answer["data"]["ended_by"]), (200, &json!(false), &json!("lee")));
}

#[tokio::test]
async fn an_operators_incident_goes_outside_in_the_words_that_were_ordered() {
    let mut desk = Desk::new();
    for (body, wrong) in [
        (json!({"by": "kim", "kind": "fire"}), "geometry"),
        (json!({"by": "kim", "lat": 60.2, "lon": 24.9}), "kind"),
        (json!({"by": "kim", "kind": "fire", "lat": 60.2, "lon": 24.9, "titel": "x"}), "titel"),
    ] {
        let refused = desk.post("/v1/incidents", &body.to_string()).await;
        assert!(refused.problem().starts_with("400 bad-member"), "{}", refused.text());
        assert!(refused.text().contains(wrong), "{wrong}: {}", refused.text());
    }
    let body = json!({"by": "kim", "id": "i1", "kind": "fire", "lat": 60.2, "lon": 24.9, "title": "pump 3 failed",
        "affects": [{"route_id": "550"}]});
    let (status, answer) = desk.order("/v1/incidents", body).await;
    assert_eq!((status, &answer["data"]["id"]), (200, &json!("operator/i1")), "{answer}");
    let (path, public) = ("/v1/incidents/operator/i1", "/gtfs-rt/alerts.json");
    assert_eq!(desk.get(public).await.json().get("entity"), None);
    let refused = desk.post(&format!("{path}/publish"), r#"{"by":"kim","title":"Fire"}"#).await;
    assert!(refused.problem().contains("text: is required by language"), "{}", refused.text());
    let words = json!({"by": "kim", "title": "Fire at the bridge", "text": {"en": "550 is diverted"}});
    assert_eq!(desk.order(&format!("{path}/publish"), words).await.0, 200);
    desk.pass(1_000);
    let seen = desk.get(public).await;
    assert!(seen.text().contains("550 is diverted") && !seen.text().contains("pump"), "{}", seen.text());
    let id = desk.press("18/1", AlarmKind::Fire, |_| {});
    let (status, _) = desk.order(&format!("{path}/confirm"), json!({"by": "kim", "alerts": [id.to_string()]})).await;
    assert_eq!(status, 200);
    assert_eq!(desk.get(&format!("/v1/alerts/{id}")).await.json()["data"]["incident_id"], "operator/i1");
    assert_eq!(desk.order(&format!("{path}/withdraw"), json!({"by": "kim"})).await.0, 200);
    desk.pass(2_000);
    assert_eq!(desk.get(public).await.json().get("entity"), None);
    let (status, answer) = desk.order(&format!("{path}/close"), json!({"by": "kim"})).await;
    assert_eq!((status, &answer["data"]["state"]), (200, &json!("closed")));
}

#[tokio::test]
async fn the_load_of_every_desk_is_told() {
    let mut desk = Desk::new();
    desk.press("18/1", AlarmKind::Fire, |_| {});
    let load = desk.get("/v1/load").await.json();
    assert_eq!((&load["data"][0]["desk"], &load["data"][0]["last_10_min"]), (&json!("all"), &json!(1)));
    assert_eq!(load["data"][0]["by_priority"], json!([1, 0, 0, 0]));
}

#[tokio::test]
async fn what_is_said_again_is_one_order_until_its_giver_has_read_of_a_new_press() {
    let mut desk = Desk::new();
    let id = desk.press("18/1", AlarmKind::Fire, |_| {});
    let mark = |seen: Value| json!({"by": "kim", "step": "police_notified", "seen": seen});
    let path = |verb: &str| format!("/v1/alerts/{id}/{verb}");
    let mut marks = Vec::new();
    for (press, seen) in
        [(false, json!(1)), (false, json!(1)), (true, json!(2)), (false, json!(2)), (false, json!(null))]
    {
        if press {
            desk.pass(20_000);
            assert_eq!(desk.press("18/1", AlarmKind::Fire, |_| {}), id);
        }
        let (status, answer) = desk.order(&path("mark"), mark(seen)).await;
        assert_eq!(status, 200, "{answer}");
        let history = desk.get(&path("history")).await.json()["data"].clone();
        marks.push(history.as_array().unwrap().iter().filter(|entry| entry["reason"] == "mark").count());
    }
    assert_eq!(marks, [1, 1, 2, 2, 3], "told the police twice: once for each press, and once unsaid for which");
    for _ in 0..2 {
        let close = json!({"by": "kim", "reason": "resolved", "seen": 2});
        assert_eq!(desk.order(&path("close"), close).await.0, 200);
    }
}

#[tokio::test]
async fn an_operators_wrong_member_is_refused_by_name_and_never_dropped() {
    let desk = Desk::new();
    for (member, value, wrong) in [
        ("severity", json!("critical"), "severity: "),
        ("radius_m", json!(-5), "radius_m: "),
        ("expected_end", json!("2026-11-23T10:00:00"), "expected_end: "),
        ("weather", json!("rain"), "weather: is not known"),
        ("kind", json!("fyre"), "Did you mean fire?"),
        ("affects", json!([{"route_id": "550", "colour": "red"}]), "colour: affects: is not known"),
    ] {
        let mut body = json!({"by": "kim", "kind": "fire", "lat": 60.2, "lon": 24.9});
        body[member] = value;
        let refused = desk.post("/v1/incidents", &body.to_string()).await;
        let told = refused.problem();
        assert!(told.starts_with("400 bad-member") && told.contains(wrong), "{wrong}: {told}");
    }
}

#[tokio::test]
async fn a_duplicate_names_the_alert_that_stays_and_nobody_has_seen_more_than_there_is() {
    let mut desk = Desk::new();
    let stays = desk.press("18/1", AlarmKind::Fire, |_| {});
    let goes = desk.press("18/2", AlarmKind::Fire, |_| {});
    let path = format!("/v1/alerts/{goes}/close");
    let named = |original: &str| json!({"by": "kim", "reason": "duplicate_of", "duplicate_of": original});
    for (body, wrong) in [
        (json!({"by": "kim", "reason": "duplicate_of"}), "duplicate_of: is required"),
        (named("20261123-999"), "names no alert"),
        (named(&goes.to_string()), "is the alert itself"),
        (json!({"by": "kim", "reason": "resolved", "duplicate_of": stays.to_string()}), "goes with reason"),
    ] {
        let refused = desk.post(&path, &body.to_string()).await;
        assert!(
            refused.problem().starts_with("400 bad-member") && refused.text().contains(wrong),
            "{}",
            refused.text()
        );
    }
    assert_eq!(desk.order(&path, named(&stays.to_string())).await.0, 200);
    let history = desk.get(&format!("/v1/alerts/{goes}/history")).await;
    assert!(history.text().contains(&format!("duplicate of {stays}")), "{}", history.text());
    let refused = desk.post(&format!("/v1/alerts/{stays}/acknowledge"), r#"{"by":"kim","seen":7}"#).await;
    assert!(refused.problem().contains("seen: is 7, but the alert has 1"), "{}", refused.text());
}

#[tokio::test]
async fn an_incident_is_opened_once_however_often_its_order_is_sent() {
    let mut desk = Desk::new();
    let body = || json!({"by": "kim", "kind": "crash", "lat": 37.5, "lon": 127.0});
    let (status, first) = desk.order_named("k1", "/v1/incidents", body()).await;
    assert_eq!(status, 200, "{first}");
    desk.pass(5_000);
    let (status, again) = desk.order_named("k1", "/v1/incidents", body()).await;
    assert_eq!((status, &again["data"]["id"]), (200, &first["data"]["id"]), "{again}");
    let other = json!({"by": "kim", "kind": "fire", "lat": 37.5, "lon": 127.0});
    assert_eq!(desk.order_named("k1", "/v1/incidents", other).await.1["code"], "key-reused");
    let (_, second) = desk.order_named("k2", "/v1/incidents", body()).await;
    assert_ne!(second["data"]["id"], first["data"]["id"]);
    assert_eq!(desk.get("/v1/incidents").await.json()["data"].as_array().unwrap().len(), 2);
    // A long name makes no long id.
    let long = json!({"by": "k".repeat(64), "kind": "crash", "lat": 37.5, "lon": 127.0});
    assert_eq!(desk.order("/v1/incidents", long).await.0, 200);
}

#[tokio::test]
async fn a_group_without_an_incident_is_confirmed_by_what_its_proposal_says() {
    let mut desk = Desk::new();
    for vehicle in ["18/1", "18/2"] {
        desk.press(vehicle, AlarmKind::Collision, |r| r.fix = Some(transit::Fix::at(37.5, 127.0)));
    }
    let proposal = desk.get("/v1/proposals").await.json()["data"][0].clone();
    assert_eq!((&proposal["kind"], &proposal["incident_id"]), (&json!("group"), &Value::Null));
    let mut body = proposal["confirm_body"].clone();
    body["by"] = json!("kim");
    let (status, opened) = desk.order(proposal["confirm"].as_str().unwrap(), body).await;
    assert_eq!((status, &opened["data"]["kind"], &opened["data"]["lat"]), (200, &json!("crash"), &json!(37.5)));
    let incident = opened["data"]["id"].as_str().unwrap();
    let alerts = desk.get("/v1/alerts").await.json()["data"].clone();
    let of: Vec<&str> = alerts.as_array().unwrap().iter().filter_map(|alert| alert["incident_id"].as_str()).collect();
    assert_eq!(of, [incident, incident]);
    assert_eq!(desk.get("/v1/proposals").await.json()["data"], json!([]));
    let wrong = desk.post("/v1/incidents", r#"{"by":"kim","kind":"crash","lat":1,"lon":1,"alerts":[]}"#).await;
    assert_eq!((wrong.status.as_u16(), &wrong.json()["parameter"]), (400, &json!("alerts")));
}

#[tokio::test]
async fn what_would_reach_nobody_outside_is_not_called_public() {
    let mut desk = Desk::new();
    desk.report("river", "f1", |_| {});
    let words = json!({"by": "kim", "title": "Closed", "text": {"en": "Use the bridge"}});
    let refused = desk.post("/v1/incidents/river/f1/publish", &words.to_string()).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["parameter"]), (400, &json!("affects")));
    desk.report("river", "f1", |r| {
        r.affects = vec![alert::Affected { route_id: Some("402".to_owned()), ..alert::Affected::default() }];
    });
    let (status, told) = desk.order("/v1/incidents/river/f1/publish", words).await;
    let told = &told["data"];
    assert_eq!((status, &told["published_title"], &told["published_by"]), (200, &json!("Closed"), &json!("kim")));
    assert_eq!(told["published_text"], json!({"en": "Use the bridge"}));
}
