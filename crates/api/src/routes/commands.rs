//! Orders: taking an alert and ending it. An order is answered with 200 only after it is on disk.

use std::{sync::Arc, time::Duration};

use alert::{Actor, AlertId, CloseReason, Command, Order, Refusal};
use axum::{Extension, body::Body, extract::State, http::HeaderMap, response::Response};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{mpsc::error::TrySendError, oneshot};
use transit::Word as _;
use utoipa::{
    ToSchema,
    openapi::{Object, ObjectBuilder, Type},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Levels, Routes, alerts::AlertAnswer};
use crate::{
    CommandAnswer, PendingCommand, Principal, Shared, Snapshot,
    answer::json as answer_json,
    body::read_json,
    params::{LANG, Params, nearest, query},
    problem::ApiError,
    views::AlertView,
};

/// After this long without an answer the outcome is unknown to us.
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);

/// Why a person may end an alert; other reasons are for sources and timers to give.
const REASONS: [CloseReason; 4] =
    [CloseReason::Resolved, CloseReason::FalseAlarm, CloseReason::Test, CloseReason::DuplicateOf];

const NAME_MAX: usize = 64;
const COMMENT_MAX: usize = 2_000;
const KEY_MAX: usize = 200;

query! {
    OrderQuery = &[LANG]
}

/// Taking an alert.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AcknowledgeBody {
    /// Who orders. Required on an open loopback; with a token it is the token's name and may be left away.
    #[schema(max_length = 64, example = "kim")]
    by: Option<String>,
    /// The desk they sit at.
    #[schema(max_length = 64)]
    desk: Option<String>,
    /// `count` as they read it: an alert that has re-alarmed since is not taken.
    seen: Option<u32>,
    /// Free text.
    #[schema(max_length = 2000)]
    comment: Option<String>,
}

/// Ending an alert.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CloseBody {
    /// Who orders. Required on an open loopback; with a token it is the token's name and may be left away.
    #[schema(max_length = 64, example = "kim")]
    by: Option<String>,
    /// The desk they sit at.
    #[schema(max_length = 64)]
    desk: Option<String>,
    /// `count` as they read it; a close does not depend on it.
    #[serde(rename = "seen")]
    _seen: Option<u32>,
    /// Free text.
    #[schema(max_length = 2000)]
    comment: Option<String>,
    /// Why. Required.
    #[schema(schema_with = reasons_schema, required)]
    reason: Option<String>,
}

fn reasons_schema() -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(REASONS.iter().map(|r| r.word()))).build()
}

/// Who orders, as both bodies say it.
struct Signature {
    by: Option<String>,
    desk: Option<String>,
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(acknowledge)).routes(routes!(close))
}

/// Takes an alert: 200 says that it is yours, and is on disk.
///
/// Exactly one of several who try wins; the others are told who has it. Repeating an order with the same
/// `Idempotency-Key` (by default made of by, alert, verb and `seen`) gives the same answer.
#[utoipa::path(post, path = "/v1/alerts/{id}/acknowledge", tag = "alerts",
    params(("id" = String, Path, description = "Its id.", example = "20261123-417"),
           ("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = AcknowledgeBody,
    responses((status = 200, description = "It is yours.", body = AlertAnswer)))]
async fn acknowledge(
    State(shared): State<Arc<Shared>>,
    Extension(principal): Extension<Principal>,
    Levels(id): Levels<String>,
    params: Params<OrderQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let AcknowledgeBody { by, desk, seen, comment } = read_json(&headers, body).await?;
    let alert = alert_id(&id)?;
    let signature = Signature { by, desk };
    let comment = bounded("comment", comment, COMMENT_MAX)?;
    let command = signature.sign(&principal, &headers, Order::Acknowledge { alert, seen, comment })?;
    obey(&shared, command, &params).await
}

/// Ends an alert. It stays in the record; nothing that happens later reopens it.
///
/// Ending an alert that nobody has taken takes it too. `reason` is required.
#[utoipa::path(post, path = "/v1/alerts/{id}/close", tag = "alerts",
    params(("id" = String, Path, description = "Its id.", example = "20261123-417"),
           ("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = CloseBody,
    responses((status = 200, description = "It is closed.", body = AlertAnswer)))]
async fn close(
    State(shared): State<Arc<Shared>>,
    Extension(principal): Extension<Principal>,
    Levels(id): Levels<String>,
    params: Params<OrderQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let CloseBody { by, desk, _seen: _, comment, reason } = read_json(&headers, body).await?;
    let alert = alert_id(&id)?;
    let reason = close_reason(reason.as_deref())?;
    let signature = Signature { by, desk };
    let comment = bounded("comment", comment, COMMENT_MAX)?;
    let command = signature.sign(&principal, &headers, Order::Close { alert, reason, comment })?;
    obey(&shared, command, &params).await
}

fn alert_id(id: &str) -> Result<AlertId, ApiError> {
    AlertId::find(id).ok_or_else(|| ApiError::not_found("alert", id))
}

fn close_reason(word: Option<&str>) -> Result<CloseReason, ApiError> {
    let known: Vec<&str> = REASONS.iter().map(|r| r.word()).collect();
    let Some(word) = word else {
        return Err(ApiError::bad_member("reason", &format!("is required, one of {}", known.join(", "))));
    };
    CloseReason::find(word).filter(|r| REASONS.contains(r)).ok_or_else(|| {
        ApiError::bad_member("reason", &format!("is none of {}", known.join(", "))).meaning(nearest(word, &known))
    })
}

fn bounded(name: &'static str, text: Option<String>, max: usize) -> Result<Option<String>, ApiError> {
    match &text {
        Some(t) if t.chars().count() > max => {
            Err(ApiError::bad_member(name, &format!("has more than {max} characters")))
        }
        _ => Ok(text.filter(|t| !t.trim().is_empty())),
    }
}

impl Signature {
    /// Makes the order of a person.
    fn sign(self, principal: &Principal, headers: &HeaderMap, order: Order) -> Result<Command, ApiError> {
        let said = bounded("by", self.by, NAME_MAX)?;
        if said.as_deref().is_some_and(|by| by.chars().any(char::is_control)) {
            return Err(ApiError::bad_member("by", "holds a control character"));
        }
        let by = match (&principal.name, said) {
            (Some(name), Some(said)) if *said != **name => {
                let detail = format!("has to be {name:?}, the name of your token, or be left away");
                return Err(ApiError::bad_member("by", &detail));
            }
            (Some(name), _) => name.to_string(),
            (None, Some(said)) => said,
            (None, None) => {
                return Err(ApiError::bad_member(
                    "by",
                    "is required: who gives this order? Send {\"by\": \"your name\"}",
                ));
            }
        };
        let desk = bounded("desk", self.desk, NAME_MAX)?;
        let request_id = match headers.get("idempotency-key") {
            Some(key) => match key.to_str() {
                Ok(key) if (1..=KEY_MAX).contains(&key.len()) => key.to_owned(),
                _ => {
                    let detail = format!("has to be 1 to {KEY_MAX} visible ASCII characters");
                    return Err(ApiError::bad_member("Idempotency-Key", &detail));
                }
            },
            None => order.default_request_id(&by),
        };
        Ok(Command { actor: Actor { by, desk }, request_id, order })
    }
}

/// Hands an order to the room and waits for its answer.
async fn obey(shared: &Shared, command: Command, params: &Params<OrderQuery>) -> Result<Response, ApiError> {
    let lang = params.lang()?;
    let (answer, answered) = oneshot::channel();
    match shared.sources.commands.try_send(PendingCommand { command, answer }) {
        Ok(()) => {}
        Err(TrySendError::Full(_)) => return Err(ApiError::busy()),
        Err(TrySendError::Closed(_)) => return Err(ApiError::not_saved(false)),
    }
    let Ok(Ok(outcome)) = tokio::time::timeout(ANSWER_PATIENCE, answered).await else {
        return Err(ApiError::unanswered());
    };
    let snapshot = shared.newest();
    match outcome {
        CommandAnswer::Done(alert) => Ok(answer_json(&snapshot, None, &AlertView::of(&alert, &snapshot, lang))),
        CommandAnswer::Refused(refusal, record) => {
            let record = record.map(|alert| record_of(&alert, &snapshot, lang));
            Err(refused(&refusal, record))
        }
        CommandAnswer::NotSaved { full } => Err(ApiError::not_saved(full)),
    }
}

/// The record as it is, for an order that was refused.
struct Current {
    body: serde_json::Value,
    since: Option<String>,
}

fn record_of(alert: &alert::Alert, snapshot: &Snapshot, lang: publish::Lang) -> Current {
    Current {
        body: serde_json::to_value(AlertView::of(alert, snapshot, lang)).unwrap_or_default(),
        since: alert.acknowledgement.as_ref().map(|a| a.at.to_string()),
    }
}

fn refused(refusal: &Refusal, record: Option<Current>) -> ApiError {
    let since = record.as_ref().and_then(|r| r.since.clone());
    let detail = format!("Nothing was changed: {refusal}.");
    let error = match refusal {
        Refusal::Unknown(id) => ApiError::not_found("alert", &id.to_string()),
        Refusal::AlreadyTaken { owner, .. } => ApiError::conflict("already-taken", "Already taken", detail)
            .with("owner", owner.as_str())
            .with("since", json!(since)),
        Refusal::ReAlarmed(_) => ApiError::conflict("re-alarmed", "Re-alarmed", detail),
        Refusal::Closed(_) => ApiError::conflict("closed", "Closed", detail),
        Refusal::KeyReused => {
            ApiError::conflict("key-reused", "Idempotency-Key reused", detail).with("parameter", "Idempotency-Key")
        }
        Refusal::Reason(word) => ApiError::bad_member("reason", &format!("{word} is not for a person to give")),
    };
    match record {
        Some(record) => error.with("record", record.body),
        None => error,
    }
}
