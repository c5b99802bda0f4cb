//! The OpenAPI document, made from the routes themselves.

use std::{collections::BTreeSet, sync::LazyLock};

use bytes::Bytes;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use crate::{
    format::{OF_ALERTS, OF_INCIDENTS, OF_REPORTS, OF_STATUS, OF_VEHICLES, Offers, media_types},
    problem::Problem,
    routes,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "topis",
        description = "A control room for a city's public transport: what is happening, how sure we are, and who acts.\n\n\
            Bodies are `{data, meta}`; keys are always present and null means unknown (unless `fields` picks). `meta` and \
            the header `Topis-As-Of` say as of when an answer is true. Errors are RFC 9457 problem+json. An unknown \
            parameter is an error; `_` is ignored.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags(
        (name = "status", description = "The wall."),
        (name = "vehicles", description = "The live picture."),
        (name = "alerts", description = "What somebody must act on."),
        (name = "incidents", description = "What happened in the world."),
        (name = "impact", description = "What it means: who is inside, who will be, what can be done."),
        (name = "changes", description = "What changed since."),
        (name = "feeds", description = "How well the sources speak."),
        (name = "gtfs-rt", description = "For the rest of the world."),
        (name = "meta", description = "About the API."),
        (name = "probes", description = "For those who run the service.")
    ),
    components(schemas(Problem))
)]
struct Doc;

/// Errors any route can answer with: status, description.
const ERRORS: &[(&str, &str)] = &[
    ("400", "A parameter, path level or body that cannot be used; `parameter` names it."),
    ("401", "No usable token."),
    ("403", "This token, host name or page may not do this."),
    ("406", "None of the formats offered is acceptable."),
    ("500", "Our own fault."),
    ("503", "The picture stands still, or there is no room for this now; see Retry-After."),
];

/// Errors of routes with an id in their path.
const ID_ERRORS: &[(&str, &str)] = &[("404", "There is no such record.")];

/// Errors of routes that take a cursor.
const CURSOR_ERRORS: &[(&str, &str)] = &[("410", "The cursor cannot be continued; read the whole list.")];

/// Errors of routes that take a body.
const BODY_ERRORS: &[(&str, &str)] = &[
    ("408", "The body came too slowly."),
    ("413", "The body is larger than 64 KiB, a warning than 256 KiB."),
    ("415", "The body is not sent as application/json, a warning not as application/cap+xml."),
    ("422", "The body is JSON, but not what is expected."),
];

/// What is posted without ordering anything.
const QUESTIONS: [&str; 2] = ["/v1/validate", "/v1/area"];

/// Errors of orders.
const ORDER_ERRORS: &[(&str, &str)] = &[
    (
        "409",
        "The record does not allow it; `code` says why (already-taken, re-alarmed, closed, key-reused, still-active, \
         not-owner, ...) and `record` is the alert as it is now.",
    ),
    ("507", "Not saved: the disk is full."),
];

/// The router's parts and the raw document.
pub(crate) fn parts() -> (axum::Router<std::sync::Arc<crate::Shared>>, utoipa::openapi::OpenApi) {
    routes::all(Doc::openapi()).split_for_parts()
}

/// The OpenAPI 3.1 document.
pub fn openapi() -> Value {
    let mut document = serde_json::to_value(parts().1).unwrap_or_default();
    document["info"]["version"] = json!("1");
    document["components"]["securitySchemes"] = json!({
        "token": {"type": "http", "scheme": "bearer", "description": "A token of `topis token new`. An open loopback needs none."}
    });
    document["security"] = json!([{"token": []}, {}]);
    let answered = answered(&document);
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        require_keys(schemas, &answered);
        schemas.values_mut().for_each(lift_descriptions);
        join_flattened(schemas);
    }
    if let Some(paths) = document["paths"].as_object_mut() {
        for (path, item) in paths {
            for (method, operation) in item.as_object_mut().into_iter().flatten() {
                operation["operationId"] = json!(operation_id(method, path));
                add_formats(path, method, operation);
                add_errors(path, method, operation);
            }
        }
    }
    document
}

/// A body that is read in two parts comes as `allOf` of two closed objects, which no body satisfies; meant is one
/// object with the members of both.
fn join_flattened(schemas: &mut Map<String, Value>) {
    let known = schemas.clone();
    for schema in schemas.values_mut() {
        let Some(parts) = schema.get("allOf").and_then(Value::as_array) else { continue };
        let named = |part: &Value| {
            let name = part["$ref"].as_str().and_then(|path| path.rsplit('/').next())?;
            known.get(name).filter(|found| found["type"] == "object").cloned()
        };
        let Some(parts) = parts.iter().map(named).collect::<Option<Vec<Value>>>() else { continue };
        let mut joined = json!({"type": "object", "properties": {}, "additionalProperties": false});
        let mut required = Vec::new();
        for part in parts {
            for (name, member) in part["properties"].as_object().into_iter().flatten() {
                joined["properties"][name] = member.clone();
            }
            required.extend(part["required"].as_array().into_iter().flatten().cloned());
        }
        if !required.is_empty() {
            joined["required"] = json!(required);
        }
        joined["description"] = schema["description"].clone();
        *schema = joined;
    }
}

/// `get_v1_alerts_id_history`: unique, because handlers of different resources share names like `list`.
fn operation_id(method: &str, path: &str) -> String {
    let levels = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|level| !level.is_empty());
    std::iter::once(method).chain(levels).collect::<Vec<_>>().join("_")
}

/// A documented field of an inlined vocabulary comes as `allOf: [words, {type: object, description}]`, which no word
/// satisfies; meant is the vocabulary with a description.
fn lift_descriptions(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(lift_descriptions),
        Value::Object(fields) => {
            fields.values_mut().for_each(lift_descriptions);
            let both = fields.get("allOf").and_then(Value::as_array).filter(|all| all.len() == 2).cloned();
            if let Some([Value::Object(words), Value::Object(note)]) = both.as_deref()
                && words.contains_key("enum")
                && let Some(description) = note.get("description")
            {
                fields.remove("allOf");
                fields.extend(words.clone());
                fields.insert("description".to_owned(), description.clone());
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The document as bytes.
pub(crate) fn text() -> Bytes {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(openapi().to_string()));
    TEXT.clone()
}

/// Records whose keys `fields` can pick: only `id` is always there.
const PICKABLE: &[&str] = &["VehicleView", "AlertView", "IncidentView"];

/// Names of the schemas that answers are made of, and what those are made of.
fn answered(document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let operations = document["paths"].as_object().into_iter().flat_map(|paths| paths.values());
    for operation in operations.filter_map(Value::as_object).flat_map(|item| item.values()) {
        gather_schemas(&operation["responses"], document, &mut found);
    }
    found
}

fn gather_schemas(value: &Value, document: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather_schemas(item, document, found)),
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
            if let Some(name) = name
                && found.insert(name.to_owned())
            {
                gather_schemas(&document["components"]["schemas"][name], document, found);
            }
            fields.values().for_each(|field| gather_schemas(field, document, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Keys of answers are always present, which an optional Rust field does not say by itself. What callers send says of
/// each member whether it is required.
fn require_keys(schemas: &mut Map<String, Value>, answered: &BTreeSet<String>) {
    for (name, schema) in schemas {
        let keys: Vec<String> = match schema["properties"].as_object() {
            Some(properties) => properties.keys().cloned().collect(),
            None => continue,
        };
        if !answered.contains(name) || name == "Problem" {
            continue;
        }
        schema["required"] = if PICKABLE.contains(&name.as_str()) { json!(["id"]) } else { json!(keys) };
    }
}

/// Lists and reports in formats besides JSON, by path.
const IN_FORMATS: &[(&str, Offers)] = &[
    ("/v1/vehicles", OF_VEHICLES),
    ("/v1/alerts", OF_ALERTS),
    ("/v1/incidents", OF_INCIDENTS),
    ("/v1/status", OF_STATUS),
    ("/v1/alerts/{id}/report", OF_REPORTS),
    ("/v1/incidents/{source}/{id}/report", OF_REPORTS),
];

fn add_formats(path: &str, method: &str, operation: &mut Value) {
    if method != "get" {
        return;
    }
    let Some((_, offers)) = IN_FORMATS.iter().find(|(list, _)| *list == path) else { return };
    let Some(content) = operation["responses"]["200"]["content"].as_object_mut() else { return };
    for media in media_types(*offers) {
        content.entry(media).or_insert(json!({"schema": {}}));
    }
}

fn add_errors(path: &str, method: &str, operation: &mut Value) {
    let takes_cursor = operation["parameters"]
        .as_array()
        .is_some_and(|all| all.iter().any(|p| p["name"] == "since" || p["name"] == "cursor"));
    let mut errors: Vec<(&str, &str)> = ERRORS.to_vec();
    if path.contains('{') {
        errors.extend(ID_ERRORS);
    }
    if takes_cursor {
        errors.extend(CURSOR_ERRORS);
    }
    if method == "post" {
        errors.extend(BODY_ERRORS);
    }
    if method == "post" && !QUESTIONS.contains(&path) {
        errors.extend(ORDER_ERRORS);
    }
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    if let Some(Value::Object(ok)) = responses.get_mut("200") {
        let as_of = json!({"description": "As of when the answer is true.", "schema": {"type": "string", "format": "date-time"}});
        ok.insert("headers".to_owned(), json!({"Topis-As-Of": as_of}));
    }
    if method == "get" {
        let unchanged =
            json!({"description": "You have it already (If-None-Match); Topis-As-Of says as of when that is true."});
        responses.insert("304".to_owned(), unchanged);
    }
    for (status, description) in errors {
        let problem = json!({
            "description": description,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        });
        responses.entry(status.to_owned()).or_insert(problem);
    }
}
