//! The OpenAPI document, the pages, and that both stay true.

use alert::AlarmKind;
use serde_json::Value;

use super::Desk;
use crate::openapi;

#[tokio::test]
async fn the_document_is_served_and_names_every_route_of_the_contract() {
    let desk = Desk::new();
    let served = desk.get("/v1/openapi.json").await.json();
    assert_eq!(served, openapi());
    assert!(served["openapi"].as_str().unwrap().starts_with("3.1"));
    expect_test::expect![[r#"
        get /
        get /gtfs-rt/alerts.json
        get /gtfs-rt/alerts.pb
        get /gtfs-rt/vehicle-positions.json
        get /gtfs-rt/vehicle-positions.pb
        get /livez
        get /metrics
        get /readyz
        get /v1/alerts
        post /v1/alerts
        get /v1/alerts/{id}
        post /v1/alerts/{id}/account
        post /v1/alerts/{id}/acknowledge
        get /v1/alerts/{id}/card
        post /v1/alerts/{id}/close
        post /v1/alerts/{id}/comment
        post /v1/alerts/{id}/handover
        get /v1/alerts/{id}/history
        post /v1/alerts/{id}/mark
        post /v1/alerts/{id}/release
        get /v1/alerts/{id}/report
        post /v1/alerts/{id}/reset
        post /v1/alerts/{id}/shelve
        post /v1/alerts/{id}/unshelve
        get /v1/area
        post /v1/area
        post /v1/cap
        get /v1/changes
        get /v1/exceptions
        get /v1/feeds
        get /v1/feeds/{feed}
        get /v1/feeds/{feed}/rejects
        get /v1/incidents
        post /v1/incidents
        get /v1/incidents/{source}/{id}
        post /v1/incidents/{source}/{id}/close
        post /v1/incidents/{source}/{id}/confirm
        get /v1/incidents/{source}/{id}/impact
        post /v1/incidents/{source}/{id}/keep
        post /v1/incidents/{source}/{id}/publish
        get /v1/incidents/{source}/{id}/report
        post /v1/incidents/{source}/{id}/split
        post /v1/incidents/{source}/{id}/update
        post /v1/incidents/{source}/{id}/withdraw
        get /v1/load
        get /v1/meta/enums
        get /v1/openapi.json
        get /v1/places
        post /v1/places/{id}/arm
        post /v1/places/{id}/disarm
        get /v1/proposals
        get /v1/status
        get /v1/stream
        get /v1/suppressions
        post /v1/suppressions
        post /v1/suppressions/{id}/end
        post /v1/validate
        get /v1/vehicles
        get /v1/vehicles/{agency}/{vehicle}
        get /v1/vehicles/{agency}/{vehicle}/card
        get /v1/vehicles/{agency}/{vehicle}/trail"#]]
    .assert_eq(&routes_of(&served).join("\n"));
}

fn routes_of(document: &Value) -> Vec<String> {
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        routes.extend(item.as_object().unwrap().keys().map(|method| format!("{method} {path}")));
    }
    routes
}

#[test]
fn every_operation_and_parameter_is_described() {
    let document = openapi();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path}");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(parameter["description"].is_string(), "{method} {path}: {parameter}");
            }
            assert!(operation["responses"]["400"].is_object() && operation["responses"]["200"].is_object());
        }
    }
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let document = openapi();
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

/// Follows references.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => resolved(document, document.pointer(reference.trim_start_matches('#')).unwrap()),
        None => schema,
    }
}

/// Whether `value` is what `schema` says, as far as our document goes: types, enums, keys, alternatives.
fn is_true(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let schema = resolved(document, schema);
    let found = || format!("{value} against {schema}");
    if let Some(alternatives) = schema["oneOf"].as_array() {
        return if alternatives.iter().any(|s| is_true(document, s, value).is_ok()) { Ok(()) } else { Err(found()) };
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = |t: &Value| t == kind || (t == "number" && kind == "integer");
    let typed = match schema["type"].as_array() {
        Some(types) => types.iter().any(fits),
        None => schema["type"].is_null() || fits(&schema["type"]),
    };
    let listed = schema["enum"].as_array().is_none_or(|words| value.is_null() || words.contains(value));
    if !typed || !listed {
        return Err(found());
    }
    if let Some(items) = value.as_array() {
        items.iter().try_for_each(|item| is_true(document, &schema["items"], item))?;
    }
    let Some(object) = value.as_object() else { return Ok(()) };
    let required = schema["required"].as_array().into_iter().flatten();
    if let Some(missing) = required.filter_map(Value::as_str).find(|key| !object.contains_key(*key)) {
        return Err(format!("{missing} is missing in {value}"));
    }
    let Some(properties) = schema["properties"].as_object() else { return Ok(()) };
    object.iter().try_for_each(|(key, member)| match properties.get(key) {
        Some(schema) => is_true(document, schema, member).map_err(|e| format!("{key}: {e}")),
        None => Err(format!("{key} is not documented")),
    })
}

#[tokio::test]
async fn what_is_answered_is_what_the_document_says() {
    let mut desk = Desk::new();
    desk.put("18/1", |_| {});
    desk.put("18/2", |v| {
        v.delay_s = Some(900);
        v.upcoming = Some(Box::new(v.journey.clone()));
        v.quality.insert(picture::QualityFlag::Jump);
        v.journey.consist = Some(["a".into(), "b".into()].into());
        v.current_status = Some(transit::StopStatus::StoppedAt);
        v.bearing = Some(90.5);
    });
    desk.press("18/1", AlarmKind::Fire, |_| {});
    desk.press("18/9", AlarmKind::Panic, |r| r.fix = None);
    desk.report("s", "1", |r| {
        r.active_periods = vec![alert::ActivePeriod { start: Some(*super::T0), end: None }];
        r.affects = vec![alert::Affected { route_id: Some("550".to_owned()), ..alert::Affected::default() }];
        r.geometry = Some(r#"{"type":"Point","coordinates":[127.0,37.5]}"#.to_owned());
    });
    let document = openapi();
    for (path, item) in document["paths"].as_object().unwrap() {
        let ok = &item["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        if ok.is_null() {
            continue;
        }
        let filled = path.replace("{agency}", "18").replace("{vehicle}", "2").replace("{feed}", "native");
        let filled = filled.replace("{source}/{id}", "s/1").replace("{id}", "20261123-1");
        let query = if path == "/v1/area" { "?lat=60.17&lon=24.94&radius_m=5000" } else { "" };
        let seen = desk.get(&format!("{filled}{query}")).await;
        assert_eq!(seen.status, 200, "{filled}");
        is_true(&document, ok, &seen.json()).unwrap_or_else(|e| panic!("{path}: {e}"));
    }
    for path in ["/v1/vehicles?x=1", "/v1/alerts/1", "/v1/changes?since=e0-1", "/nothing"] {
        let problem = desk.get(path).await.json();
        is_true(&document, &document["components"]["schemas"]["Problem"], &problem).unwrap();
    }
    let verdict = desk.post("/v1/validate", r#"{"topic":"topis/v1/vehicle/18/1/position","body":"{"}"#).await.json();
    let schema =
        &document["paths"]["/v1/validate"]["post"]["responses"]["200"]["content"]["application/json"]["schema"];
    is_true(&document, schema, &verdict).unwrap();
}

#[tokio::test]
async fn the_pages_need_nothing_from_elsewhere() {
    let desk = Desk::new();
    let front = desk.get("/").await;
    assert!(front.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    for link in front.text().split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert_eq!(desk.get(link).await.status, 200, "{link}");
    }
    let docs = desk.get("/docs/").await;
    assert!(docs.header("content-security-policy").unwrap().contains("default-src 'self'"));
    for page in [docs.text().to_owned(), desk.get("/docs/swagger-initializer.js").await.text().to_owned()] {
        assert!(!page.contains("https://") && !page.contains("src=\"//"), "{page}");
    }
    assert_eq!(desk.get("/docs").await.status, 303);
}

#[tokio::test]
async fn probes_and_metrics_answer() {
    let mut desk = Desk::new();
    assert_eq!(desk.get("/livez").await.text(), "alive\n");
    assert_eq!(desk.get("/metrics").await.text(), "topis_up 1\n");
    desk.last.checks = vec![("broker".to_owned(), false, "not connected".to_owned())];
    desk.pass(1);
    let ready = desk.get("/readyz").await;
    expect_test::expect![[r#"{"ready":false,"checks":[{"name":"broker","ready":false,"detail":"not connected"},{"name":"picture","ready":true,"detail":"advances"}]}"#]].assert_eq(ready.text());
}

/// Names of the members that a route's body must have.
fn must_have(document: &Value, path: &str) -> Vec<String> {
    let schema = &document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"];
    let required = resolved(document, schema)["required"].as_array().cloned().unwrap_or_default();
    required.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_order_needs_no_more_than_it_needs() {
    let document = openapi();
    let paths = document["paths"].as_object().unwrap();
    let orders = paths.iter().filter(|(path, item)| item["post"].is_object() && *path != "/v1/cap");
    let lines: Vec<String> =
        orders.map(|(path, _)| format!("{path}: {}", must_have(&document, path).join(", "))).collect();
    expect_test::expect![[r#"
        /v1/alerts: kind
        /v1/alerts/{id}/account: vehicle
        /v1/alerts/{id}/acknowledge: 
        /v1/alerts/{id}/close: reason
        /v1/alerts/{id}/comment: 
        /v1/alerts/{id}/handover: to
        /v1/alerts/{id}/mark: step
        /v1/alerts/{id}/release: 
        /v1/alerts/{id}/reset: 
        /v1/alerts/{id}/shelve: until
        /v1/alerts/{id}/unshelve: 
        /v1/area: type
        /v1/incidents: kind
        /v1/incidents/{source}/{id}/close: 
        /v1/incidents/{source}/{id}/confirm: 
        /v1/incidents/{source}/{id}/keep: 
        /v1/incidents/{source}/{id}/publish: 
        /v1/incidents/{source}/{id}/split: 
        /v1/incidents/{source}/{id}/update: kind
        /v1/incidents/{source}/{id}/withdraw: 
        /v1/places/{id}/arm: 
        /v1/places/{id}/disarm: 
        /v1/suppressions: until, why
        /v1/suppressions/{id}/end: 
        /v1/validate: topic"#]]
    .assert_eq(&lines.join("\n"));
}
