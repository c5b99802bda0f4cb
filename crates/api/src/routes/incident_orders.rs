//! Orders on incidents: opened, changed and closed by operators, told to the public, and joined with alerts.

use std::collections::BTreeMap;

use alert::{AlertId, IncidentDeed, IncidentKey, IncidentKind, IncidentPhase, IncidentReport, Order};
use axum::response::Response;
use decode::{
    Frame, Message, ProblemCode,
    formats::native::{AFFECTED_MEMBERS, INCIDENT_MEMBERS},
};
use impact::OPERATOR;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use transit::Status;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Levels, Routes,
    commands::{PlainOrder, bodies},
    incidents::IncidentAnswer,
    level,
};
use crate::{
    orders::{Asked, NothingMore, OrderQuery, Signature, Signed, TEXT_MAX, bounded},
    params::{nearest, words},
    problem::ApiError,
};

/// Alerts in one order.
const ALERTS_MAX: usize = 1_000;

/// An incident as a source would publish it, with its `source` and `id` beside.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document; the body is read as a message is")]
struct Reported {
    /// Its source; `operator` when left away.
    #[schema(max_length = 64)]
    source: Option<String>,
    /// Its id within the source; made when left away.
    #[schema(max_length = 64)]
    id: Option<String>,
    /// What happened: a word of `/v1/meta/enums`, or a TOPIS code.
    kind: String,
    /// Degrees north, with `lon`; or `geometry`, or a stop, route or vehicle in `affects`.
    lat: Option<f64>,
    /// Degrees east.
    lon: Option<f64>,
    /// GeoJSON geometry.
    geometry: Option<Object>,
    /// Radius, or half-width on a line, in metres.
    radius_m: Option<f64>,
    /// How bad; the kind's default when left away.
    severity: Option<String>,
    /// Short text.
    title: Option<String>,
    /// Alerts that it is made of: they are put to it by the same stroke.
    #[schema(max_items = 1000, example = json!(["20261123-417"]))]
    alerts: Option<Vec<String>>,
}

/// Any JSON object.
#[derive(ToSchema)]
#[schema(value_type = Object)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct Object(Map<String, Value>);

/// What the public is told.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Words {
    /// Title; the source's `public_title` when left away.
    #[schema(max_length = 200)]
    title: Option<String>,
    /// Text by language, like `{"ko": "..", "en": ".."}`; the source's `public_text` when left away.
    #[serde(default)]
    text: BTreeMap<String, String>,
}

/// Alerts to be joined or split.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Members {
    /// Their ids.
    #[serde(default)]
    #[schema(max_items = 1000, example = json!(["20261123-417"]))]
    alerts: Vec<String>,
}

bodies! {
    /// Reports an incident.
    IncidentOrder = Reported;
    /// Tells the public.
    PublishOrder = Words;
    /// Joins alerts to an incident, or splits them off.
    GroupOrder = Members;
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(open))
        .routes(routes!(update))
        .routes(routes!(close))
        .routes(routes!(keep))
        .routes(routes!(publish))
        .routes(routes!(withdraw))
        .routes(routes!(confirm))
        .routes(routes!(split))
}

/// The rest of a body, read as the message of an incident would be: one grammar for everybody who reports.
pub(super) fn report_of(
    signed: &Signed,
    key: &IncidentKey,
    said: &Map<String, Value>,
) -> Result<Box<IncidentReport>, ApiError> {
    let sources = &signed.shared.sources;
    let topic = format!("{}/v1/incident/{}/{}", sources.prefix, level(&key.source), level(&key.id));
    let payload = Value::Object(said.clone()).to_string().into_bytes();
    let received_at = (sources.clock)().utc;
    let decoded =
        (sources.decoder)(&Frame { topic: &topic, payload: &payload, retained: false, dup: false, received_at });
    // A source is read as far as it goes; a person is there to be asked, and would think that all of it was taken.
    if let Some(problem) = decoded.problems.first() {
        return Err(wrong(problem, said));
    }
    only_known("", said, INCIDENT_MEMBERS)?;
    let affects = said.get("affects");
    let entries =
        affects.and_then(Value::as_array).map_or_else(|| affects.into_iter().collect(), |l| l.iter().collect());
    for entry in Vec::<&Value>::into_iter(entries).filter_map(Value::as_object) {
        only_known("affects: ", entry, AFFECTED_MEMBERS)?;
    }
    let report = decoded.messages.into_iter().find_map(|message| match message {
        Message::Incident(report) => Some(report),
        Message::Vehicle(_) | Message::Alarm(_) | Message::Withdrawal(_) | Message::Presence(_) => None,
    });
    report.ok_or_else(|| ApiError::bad_member("body", "is no incident: kind and a place are required"))
}

/// What is wrong with a member and how to repair it.
fn wrong(problem: &decode::Problem, said: &Map<String, Value>) -> ApiError {
    let name = problem.field.as_deref().unwrap_or("body");
    match said.get(name).and_then(Value::as_str) {
        Some(word) if name == "kind" && problem.code == ProblemCode::UnknownWord => {
            let known = words::<IncidentKind>();
            let detail = format!("{word:?} is none of {}, nor a TOPIS code A01 to A13", known.join(", "));
            ApiError::bad_member(name, &detail).meaning(nearest(word, &known))
        }
        _ => ApiError::bad_member(name, &problem.detail),
    }
}

/// Refuses a member that nobody reads: it was meant to say something.
fn only_known(of: &str, said: &Map<String, Value>, known: &[&'static str]) -> Result<(), ApiError> {
    match said.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let detail = format!("{of}is not known; leave it away, or use one of {}", known.join(", "));
            Err(ApiError::bad_member(name, &detail).meaning(nearest(name, known)))
        }
    }
}

pub(super) async fn deed(signed: Signed, key: IncidentKey, deed: IncidentDeed) -> Result<Response, ApiError> {
    let comment = signed.comment.clone();
    signed.give(Order::Incident { key, deed, comment }).await
}

fn taken(said: &mut Map<String, Value>, name: &'static str) -> Result<Option<String>, ApiError> {
    match said.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if (1..=64).contains(&text.chars().count()) => Ok(Some(text)),
        Some(_) => Err(ApiError::bad_member(name, "has to be a text of 1 to 64 characters")),
    }
}

/// Opens an incident. The body is what a source would publish, with who opens it, and the alerts it is made of.
#[utoipa::path(post, path = "/v1/incidents", tag = "incidents",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = IncidentOrder, responses((status = 200, description = "It is open.", body = IncidentAnswer)))]
async fn open(asked: Asked) -> Result<Response, ApiError> {
    let (signed, mut said): (_, Map<String, Value>) = asked.read().await?;
    let source = taken(&mut said, "source")?.unwrap_or_else(|| OPERATOR.to_owned());
    let id = taken(&mut said, "id")?.unwrap_or_else(|| made_id(&signed));
    let alerts = match said.remove("alerts") {
        None | Some(Value::Null) => None,
        Some(named) => {
            let wrong = |why| ApiError::bad_member("alerts", &format!("has to be a list of ids of alerts: {why}"));
            Some(alert_ids(serde_json::from_value(named).map_err(wrong)?)?)
        }
    };
    let key = IncidentKey { source, id };
    let report = report_of(&signed, &key, &said)?;
    let what = match alerts {
        None => IncidentDeed::Open(report),
        Some(alerts) => IncidentDeed::Form { report, alerts },
    };
    deed(signed, key, what).await
}

/// The id of an incident that was given none. Whoever names their order gets the same again; of others who open one at
/// the same instant the name tells them apart.
fn made_id(signed: &Signed) -> String {
    let when = match signed.key() {
        Some(key) => format!("key {key}"),
        None => (signed.shared.sources.clock)().utc.0.to_string(),
    };
    let digest = Sha256::digest(format!("{}\u{1f}{when}", signed.by()));
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// Alerts that an order names, each once.
fn alert_ids(named: Vec<String>) -> Result<Vec<AlertId>, ApiError> {
    if named.is_empty() || named.len() > ALERTS_MAX {
        return Err(ApiError::bad_member("alerts", "has to be 1 to 1000 ids of alerts"));
    }
    let mut ids = Vec::new();
    for id in named {
        let id = AlertId::find(&id).ok_or_else(|| ApiError::not_found("alert", &id))?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// Reports an incident anew, in place of what is on record.
#[utoipa::path(post, path = "/v1/incidents/{source}/{id}/update", tag = "incidents",
    params(("source" = String, Path, description = "Its source."),
           ("id" = String, Path, description = "Its id within the source."),
           ("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = IncidentOrder, responses((status = 200, description = "It is changed.", body = IncidentAnswer)))]
async fn update(Levels((source, id)): Levels<(String, String)>, asked: Asked) -> Result<Response, ApiError> {
    let (signed, said): (_, Map<String, Value>) = asked.read().await?;
    let key = IncidentKey { source, id };
    let report = report_of(&signed, &key, &said)?;
    deed(signed, key, IncidentDeed::Update(report)).await
}

/// Ends an incident.
#[utoipa::path(post, path = "/v1/incidents/{source}/{id}/close", tag = "incidents",
    params(("source" = String, Path, description = "Its source."),
           ("id" = String, Path, description = "Its id within the source."),
           ("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = PlainOrder, responses((status = 200, description = "It is closed.", body = IncidentAnswer)))]
async fn close(Levels((source, id)): Levels<(String, String)>, asked: Asked) -> Result<Response, ApiError> {
    let (signed, NothingMore {}) = asked.read().await?;
    deed(signed, IncidentKey { source, id }, IncidentDeed::Close).await
}

/// Says that an incident goes on although its source's words say that it is over: the proposal is gone.
///
/// Where nothing is proposed nothing changes. A newer version with such words proposes anew.
#[utoipa::path(post, path = "/v1/incidents/{source}/{id}/keep", tag = "incidents",
    params(("source" = String, Path, description = "Its source."),
           ("id" = String, Path, description = "Its id within the source."),
           ("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = PlainOrder, responses((status = 200, description = "It goes on.", body = IncidentAnswer)))]
async fn keep(Levels((source, id)): Levels<(String, String)>, asked: Asked) -> Result<Response, ApiError> {
    let (signed, NothingMore {}) = asked.read().await?;
    deed(signed, IncidentKey { source, id }, IncidentDeed::Keep).await
}

/// Tells the public, in these words and no others. Never a drill or a test.
#[utoipa::path(post, path = "/v1/incidents/{source}/{id}/publish", tag = "incidents",
    params(("source" = String, Path, description = "Its source."),
           ("id" = String, Path, description = "Its id within the source."),
           ("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = PublishOrder, responses((status = 200, description = "It is public.", body = IncidentAnswer)))]
async fn publish(Levels((source, id)): Levels<(String, String)>, asked: Asked) -> Result<Response, ApiError> {
    let (signed, Words { title, text }) = asked.read().await?;
    let title = bounded("title", title, 200)?;
    if text.iter().any(|(lang, text)| lang.chars().count() > 16 || text.chars().count() > TEXT_MAX) {
        return Err(ApiError::bad_member("text", "has to be texts of at most 2000 characters by language"));
    }
    // Words left away are those that its source proposed, as they are now: what goes out is what somebody ordered.
    let key = IncidentKey { source, id };
    let snapshot = signed.shared.newest();
    let proposed = snapshot.room.find_incident(&key).map(|incident| &incident.report);
    let title = title.or_else(|| proposed.and_then(|report| report.public_title.clone()));
    let text = if text.is_empty() { proposed.map(|r| r.public_text.clone()).unwrap_or_default() } else { text };
    if proposed.is_some() && title.is_none() {
        return Err(ApiError::bad_member("title", "is required, because its source proposes none"));
    }
    if proposed.is_some() && text.values().all(String::is_empty) {
        return Err(ApiError::bad_member("text", "is required by language, because its source proposes none"));
    }
    // One that is over or a drill is refused for that.
    let may_be_told =
        |report: &&IncidentReport| report.status == Status::Actual && report.phase == IncidentPhase::Active;
    if proposed.filter(may_be_told).is_some_and(|report| !publish::concerns_somebody(report)) {
        let detail = "names no agency, route, trip or stop, so that nobody outside would know whom it concerns; say so \
                      by an update first";
        return Err(ApiError::bad_member("affects", detail));
    }
    deed(signed, key, IncidentDeed::Publish { title, text }).await
}

/// Takes back what the public was told.
#[utoipa::path(post, path = "/v1/incidents/{source}/{id}/withdraw", tag = "incidents",
    params(("source" = String, Path, description = "Its source."),
           ("id" = String, Path, description = "Its id within the source."),
           ("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = PlainOrder, responses((status = 200, description = "It is not public.", body = IncidentAnswer)))]
async fn withdraw(Levels((source, id)): Levels<(String, String)>, asked: Asked) -> Result<Response, ApiError> {
    let (signed, NothingMore {}) = asked.read().await?;
    deed(signed, IncidentKey { source, id }, IncidentDeed::Withdraw).await
}

async fn group(asked: Asked, incident: IncidentKey, joined: bool) -> Result<Response, ApiError> {
    let (signed, Members { alerts }) = asked.read().await?;
    let alerts = alert_ids(alerts)?;
    let comment = signed.comment.clone();
    signed.give(Order::Group { incident, alerts, joined, comment }).await
}

/// Confirms that alerts belong to an incident.
#[utoipa::path(post, path = "/v1/incidents/{source}/{id}/confirm", tag = "incidents",
    params(("source" = String, Path, description = "Its source."),
           ("id" = String, Path, description = "Its id within the source."),
           ("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = GroupOrder, responses((status = 200, description = "They belong to it.", body = IncidentAnswer)))]
async fn confirm(Levels((source, id)): Levels<(String, String)>, asked: Asked) -> Result<Response, ApiError> {
    group(asked, IncidentKey { source, id }, true).await
}

/// Splits alerts off an incident.
#[utoipa::path(post, path = "/v1/incidents/{source}/{id}/split", tag = "incidents",
    params(("source" = String, Path, description = "Its source."),
           ("id" = String, Path, description = "Its id within the source."),
           ("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = GroupOrder, responses((status = 200, description = "They stand alone.", body = IncidentAnswer)))]
async fn split(Levels((source, id)): Levels<(String, String)>, asked: Asked) -> Result<Response, ApiError> {
    group(asked, IncidentKey { source, id }, false).await
}
