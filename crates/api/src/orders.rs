//! What every order has in common: who gives it, how it is named, how it reaches the room, and how it is answered.
//!
//! An order is answered with 200 only after it is on disk.

use std::{sync::Arc, time::Duration};

use alert::{Actor, Alert, Command, Order, Refusal};
use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts as _, Request},
    http::HeaderMap,
    response::Response,
};
use publish::Lang;
use room::{ControlRoom, Verdict};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use tokio::sync::{mpsc::error::TrySendError, oneshot};
use utoipa::ToSchema;

use crate::{
    CommandAnswer, PendingCommand, Principal, Role, Shared, Snapshot,
    answer::json as answer_json,
    body::read_json,
    params::{LANG, Params, query},
    problem::ApiError,
    views::{AlertView, IncidentView, SuppressionView},
};

/// After this long without an answer the outcome is unknown to us.
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);
/// Characters of a person's or desk's name.
pub(crate) const NAME_MAX: usize = 64;
/// Characters of a comment or another free text.
pub(crate) const TEXT_MAX: usize = 2_000;
const KEY_MAX: usize = 200;
/// Members of a body that say who orders; the rest says what.
const SIGNATURE: [&str; 4] = ["by", "desk", "seen", "comment"];

query! {
    OrderQuery = &[LANG]
}

/// Who orders, as every order's body says it.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signature {
    /// Who orders. Required on an open loopback; with a token it is the token's name and may be left away.
    #[schema(max_length = 64, example = "kim")]
    by: Option<String>,
    /// The desk they sit at.
    #[schema(max_length = 64)]
    desk: Option<String>,
    /// `count` as they read it. An alert that has re-alarmed since is not taken. In every other order on an alert it is
    /// part of the default `Idempotency-Key`: what is said again after a re-alarm is said anew. Of no use where an order
    /// is about no alert.
    pub(crate) seen: Option<u32>,
    /// Free text.
    #[schema(max_length = 2000)]
    pub(crate) comment: Option<String>,
}

/// Nothing but the signature.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NothingMore {}

/// A request that gives an order, not yet read.
pub(crate) struct Asked {
    shared: Arc<Shared>,
    principal: Principal,
    headers: HeaderMap,
    lang: Lang,
    body: Body,
}

impl FromRequest<Arc<Shared>> for Asked {
    type Rejection = ApiError;

    async fn from_request(request: Request, shared: &Arc<Shared>) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let lang = Params::<OrderQuery>::from_request_parts(&mut parts, shared).await?.lang()?;
        // The guard puts it there for everybody it lets in.
        let principal = parts.extensions.get::<Principal>().cloned().ok_or_else(ApiError::internal)?;
        Ok(Self { shared: Arc::clone(shared), principal, headers: parts.headers, lang, body })
    }
}

/// An order's giver, known and named.
pub(crate) struct Signed {
    pub(crate) shared: Arc<Shared>,
    pub(crate) seen: Option<u32>,
    pub(crate) comment: Option<String>,
    actor: Actor,
    key: Option<String>,
    lang: Lang,
}

impl Asked {
    /// Reads the body: who orders, and the rest of it as `T`.
    ///
    /// # Errors
    /// Everything that can be wrong with a body, a name or a key.
    pub(crate) async fn read<T: DeserializeOwned>(self) -> Result<(Signed, T), ApiError> {
        let mut rest: Map<String, Value> = read_json(&self.headers, self.body).await?;
        let signature: Map<String, Value> = SIGNATURE.iter().filter_map(|name| rest.remove_entry(*name)).collect();
        let signature: Signature = parse(Value::Object(signature))?;
        let what = parse(Value::Object(rest))?;
        let by = name_of(&self.principal, bounded("by", signature.by, NAME_MAX)?)?;
        let desk = bounded("desk", signature.desk, NAME_MAX)?;
        let comment = bounded("comment", signature.comment, TEXT_MAX)?;
        // An open loopback has no roles: whoever sits there is trusted with everything.
        let supervisor = self.principal.name.is_none() || self.principal.role == Role::Supervisor;
        let key = match self.headers.get("idempotency-key").map(|key| key.to_str()) {
            None => None,
            Some(Ok(key)) if (1..=KEY_MAX).contains(&key.len()) => Some(key.to_owned()),
            Some(_) => {
                let detail = format!("has to be 1 to {KEY_MAX} visible ASCII characters");
                return Err(ApiError::bad_member("Idempotency-Key", &detail));
            }
        };
        let actor = Actor { by, desk, supervisor };
        Ok((Signed { shared: self.shared, seen: signature.seen, comment, actor, key, lang: self.lang }, what))
    }
}

fn parse<T: DeserializeOwned>(value: Value) -> Result<T, ApiError> {
    serde_path_to_error::deserialize(value).map_err(|error| match error.inner().to_string() {
        unknown if unknown.starts_with("unknown field") => ApiError::bad_body(&with_signature(&unknown)),
        _ => ApiError::wrong_type(&error),
    })
}

/// The body is read in two parts, and its reader knows only one of them: both are named.
fn with_signature(error: &str) -> String {
    let Some((unknown, known)) = error.split_once(", ") else { return error.to_owned() };
    let own = known.strip_prefix("expected one of ").or_else(|| known.strip_prefix("expected ")).map(str::to_owned);
    let signature = SIGNATURE.iter().map(|name| format!("`{name}`"));
    let all: Vec<String> = own.into_iter().chain(signature).collect();
    format!("{unknown}, expected one of {}", all.join(", "))
}

fn name_of(principal: &Principal, said: Option<String>) -> Result<String, ApiError> {
    if said.as_deref().is_some_and(|by| by.chars().any(char::is_control)) {
        return Err(ApiError::bad_member("by", "holds a control character"));
    }
    match (&principal.name, said) {
        (Some(name), Some(said)) if *said != **name => {
            let detail = format!("has to be {name:?}, the name of your token, or be left away");
            Err(ApiError::bad_member("by", &detail))
        }
        (Some(name), _) => Ok(name.to_string()),
        (None, Some(said)) => Ok(said),
        (None, None) => {
            Err(ApiError::bad_member("by", "is required: who gives this order? Send {\"by\": \"your name\"}"))
        }
    }
}

/// A text of at most `max` characters; blank is none.
pub(crate) fn bounded(name: &'static str, text: Option<String>, max: usize) -> Result<Option<String>, ApiError> {
    match &text {
        Some(t) if t.chars().count() > max => {
            Err(ApiError::bad_member(name, &format!("has more than {max} characters")))
        }
        _ => Ok(text.filter(|t| !t.trim().is_empty())),
    }
}

/// As [`bounded`], and it has to be there.
pub(crate) fn required(name: &'static str, text: Option<String>, max: usize) -> Result<String, ApiError> {
    bounded(name, text, max)?.ok_or_else(|| ApiError::bad_member(name, "is required"))
}

impl Signed {
    /// Who orders.
    pub(crate) fn by(&self) -> &str {
        &self.actor.by
    }

    /// What they named it.
    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Hands the order to the room, and answers with the record as it is then.
    ///
    /// # Errors
    /// The order was refused, could not be saved, or its outcome is unknown.
    pub(crate) async fn give(self, order: Order) -> Result<Response, ApiError> {
        let Self { shared, actor, seen, key, lang, .. } = self;
        let request_id = key.unwrap_or_else(|| order.default_request_id_after(&actor.by, seen));
        let ordered = order.alert().cloned();
        let command = Command { actor, request_id, order };
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
            CommandAnswer::NotSaved { full } => Err(ApiError::not_saved(full)),
            CommandAnswer::Decided { verdict: Verdict::Refused(refusal), room } => {
                let record = ordered.and_then(|id| room.find_alert(&id).map(|alert| record_of(alert, &snapshot, lang)));
                Err(refused(&refusal, record))
            }
            CommandAnswer::Decided { verdict, room } => told(&verdict, &room, &snapshot, lang),
        }
    }
}

/// The record that an order was carried out on.
fn told(verdict: &Verdict, room: &ControlRoom, snapshot: &Snapshot, lang: Lang) -> Result<Response, ApiError> {
    if let Verdict::IncidentDone(key) = verdict {
        let incident = room.find_incident(key).ok_or_else(ApiError::internal)?;
        return Ok(answer_json(snapshot, None, &IncidentView::of(incident)));
    }
    if let Verdict::SuppressionDone(id) = verdict {
        let suppression = room.find_suppression(*id).ok_or_else(ApiError::internal)?;
        return Ok(answer_json(snapshot, None, &SuppressionView::of(suppression)));
    }
    let alert = verdict.alert_id().and_then(|id| room.find_alert(id)).ok_or_else(ApiError::internal)?;
    Ok(answer_json(snapshot, None, &AlertView::of(alert, snapshot, lang)))
}

/// The record as it is, for an order that was refused.
struct Current {
    body: Value,
    since: Option<String>,
}

fn record_of(alert: &Alert, snapshot: &Snapshot, lang: Lang) -> Current {
    Current {
        body: serde_json::to_value(AlertView::of(alert, snapshot, lang)).unwrap_or_default(),
        since: alert.acknowledgement.as_ref().map(|a| a.at.to_string()),
    }
}

/// Every refusal is a conflict with what is on record, except a name that is on no record and a word that is missing.
fn refused(refusal: &Refusal, record: Option<Current>) -> ApiError {
    let since = record.as_ref().and_then(|r| r.since.clone());
    let detail = format!("Nothing was changed: {refusal}.");
    let conflict = |code, title| ApiError::conflict(code, title, detail.clone());
    let error = match refusal {
        Refusal::Unknown(id) => ApiError::not_found("alert", &id.to_string()),
        Refusal::UnknownIncident(key) => ApiError::not_found("incident", &format!("{}/{}", key.source, key.id)),
        Refusal::UnknownSuppression(id) => ApiError::not_found("suppression", &id.to_string()),
        Refusal::AlreadyTaken { owner, .. } => {
            conflict("already-taken", "Already taken").with("owner", owner.as_str()).with("since", json!(since))
        }
        Refusal::ReAlarmed(_) => conflict("re-alarmed", "Re-alarmed"),
        Refusal::Closed(_) | Refusal::IncidentClosed(_) => conflict("closed", "Closed"),
        Refusal::KeyReused => conflict("key-reused", "Idempotency-Key reused").with("parameter", "Idempotency-Key"),
        Refusal::Reason(word) => ApiError::bad_member("reason", &format!("{word} is not for a person to give")),
        Refusal::Missing(name) => ApiError::bad_member(name, "is required"),
        Refusal::Until { max_ms } => {
            let detail = format!("has to lie ahead, by at most {:.1} hours", *max_ms as f64 / 3_600_000.0);
            ApiError::bad_member("until", &detail)
        }
        Refusal::StillActive(_) => conflict("still-active", "Still active"),
        Refusal::NotOwner { owner, .. } => {
            conflict("not-owner", "Somebody else's").with("owner", owner.as_str()).with("since", json!(since))
        }
        Refusal::NotTaken(_) => conflict("not-taken", "Nobody's"),
        Refusal::Emergency(_) | Refusal::Critical(_) => conflict("not-shelvable", "Not to be put aside"),
        Refusal::NotMissed(_) => conflict("not-missed", "Not missed"),
        Refusal::NotShelved(_) => conflict("not-shelved", "Not shelved"),
        Refusal::NotLatched(_) => conflict("not-latched", "Clears by itself"),
        Refusal::SourceNotNormal(_) => conflict("source-not-normal", "Source still in alarm"),
        Refusal::IncidentExists(_) => conflict("exists", "Exists already"),
        Refusal::AlreadyArmed { by, at, .. } => {
            conflict("already-armed", "Already armed").with("armed_by", by.as_str()).with("since", at.to_string())
        }
        Refusal::NotActual(_) => conflict("not-actual", "A drill or a test"),
        Refusal::NotPublic(_) => conflict("not-public", "Not public"),
        Refusal::NotOfIncident(_) => conflict("not-of-incident", "Not of this incident"),
        Refusal::NoRoom => conflict("no-room", "Too many are open"),
        Refusal::SuppressionEnded(_) => conflict("ended", "Ended"),
    };
    match record {
        Some(record) => error.with("record", record.body),
        None => error,
    }
}
