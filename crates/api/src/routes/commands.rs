//! Orders on one alert: taking it, passing it on, putting it aside, ending it.

use alert::{AlertId, CloseReason, Deed, Mark, MarkStep, Order, ShelfKind, Subject};
use axum::response::Response;
use serde::Deserialize;
use transit::{UtcMillis, VehicleKey, Word as _};
use utoipa::{
    ToSchema,
    openapi::{Object, ObjectBuilder, Type},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Levels, Routes, alerts::AlertAnswer};
use crate::{
    orders::{Asked, NAME_MAX, NothingMore, OrderQuery, Signature, Signed, bounded, required},
    params::nearest,
    problem::ApiError,
};

/// Why a person may end an alert; other reasons are for sources and timers to give.
const REASONS: [CloseReason; 4] =
    [CloseReason::Resolved, CloseReason::FalseAlarm, CloseReason::Test, CloseReason::DuplicateOf];

/// Ending an alert.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Closing {
    /// Why. Required.
    #[schema(schema_with = reasons_schema, required)]
    reason: Option<String>,
    /// The alert that it is a duplicate of. Required with `duplicate_of`, and only there.
    #[schema(example = "20261123-417")]
    duplicate_of: Option<String>,
}

/// Passing an alert on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Passing {
    /// The new owner. Required.
    #[schema(max_length = 64, required, nullable = false)]
    to: Option<String>,
    /// Their desk.
    #[schema(max_length = 64)]
    to_desk: Option<String>,
}

/// A step that was reached.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Marking {
    /// Which. Required.
    #[schema(schema_with = words_schema::<MarkStep>, required)]
    step: Option<String>,
    /// Who reached it: a crew, a station, a person.
    #[schema(max_length = 200)]
    party: Option<String>,
    /// Their number of it.
    #[schema(max_length = 200)]
    reference: Option<String>,
    /// When it was reached, RFC 3339 with an offset.
    #[schema(format = DateTime)]
    time: Option<String>,
}

/// Putting an alert aside.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Shelving {
    /// `one_shot`: until it clears, and at most until `until`. `timed` (default): until `until`.
    #[schema(schema_with = words_schema::<ShelfKind>)]
    kind: Option<String>,
    /// RFC 3339 with an offset, at most 8 hours ahead (2 for priorities P1 and P2). Required.
    #[schema(format = DateTime, required, nullable = false)]
    until: Option<String>,
}

/// Who is missed no more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Accounting {
    /// The vehicle, `agency/vehicle` or as `members` has it. Required.
    #[schema(max_length = 300, required, nullable = false, example = "22/800")]
    vehicle: Option<String>,
}

macro_rules! bodies {
    ($($(#[$doc:meta])* $name:ident = $what:ty;)*) => {$(
        $(#[$doc])*
        #[derive(ToSchema)]
        #[expect(dead_code, reason = "the shape for the OpenAPI document; read in two parts")]
        pub(crate) struct $name {
            #[serde(flatten)]
            who: Signature,
            #[serde(flatten)]
            what: $what,
        }
    )*};
}
pub(crate) use bodies;

bodies! {
    /// An order that needs no more than its giver.
    PlainOrder = NothingMore;
    /// Ends an alert.
    CloseOrder = Closing;
    /// Passes an alert on.
    HandoverOrder = Passing;
    /// Marks a step.
    MarkOrder = Marking;
    /// Puts an alert aside.
    ShelveOrder = Shelving;
    /// Accounts for a vehicle.
    AccountOrder = Accounting;
}

fn reasons_schema() -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(REASONS.iter().map(|r| r.word()))).build()
}

/// The words of a vocabulary.
pub(crate) fn words_schema<W: transit::Word>() -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(W::ALL.iter().map(|w| w.word()))).build()
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(acknowledge))
        .routes(routes!(close))
        .routes(routes!(handover))
        .routes(routes!(release))
        .routes(routes!(comment))
        .routes(routes!(mark))
        .routes(routes!(shelve))
        .routes(routes!(unshelve))
        .routes(routes!(reset))
        .routes(routes!(account))
}

fn alert_id(id: &str) -> Result<AlertId, ApiError> {
    AlertId::find(id).ok_or_else(|| ApiError::not_found("alert", id))
}

/// A word of a vocabulary that has to be there.
pub(crate) fn word<W: transit::Word>(name: &'static str, said: Option<&str>) -> Result<W, ApiError> {
    let known: Vec<&str> = W::ALL.iter().map(|w| w.word()).collect();
    let Some(said) = said else {
        return Err(ApiError::bad_member(name, &format!("is required, one of {}", known.join(", "))));
    };
    W::find(said).ok_or_else(|| {
        ApiError::bad_member(name, &format!("is none of {}", known.join(", "))).meaning(nearest(said, &known))
    })
}

/// An instant, RFC 3339 with an offset.
pub(crate) fn instant(name: &'static str, said: Option<&str>) -> Result<Option<UtcMillis>, ApiError> {
    said.map(|text| text.parse::<jiff::Timestamp>().map(UtcMillis::from))
        .transpose()
        .map_err(|error| ApiError::bad_member(name, &format!("is no instant like 2026-11-26T18:00:00+09:00: {error}")))
}

async fn tend(signed: Signed, id: &str, deed: Deed) -> Result<Response, ApiError> {
    let order = Order::Tend { alert: alert_id(id)?, deed, comment: signed.comment.clone() };
    signed.give(order).await
}

/// Takes an alert: 200 says that it is yours, and is on disk.
///
/// Exactly one of several who try wins; the others are told who has it. Repeating an order with the same
/// `Idempotency-Key` (by default made of by, alert, verb and `seen`) gives the same answer.
#[utoipa::path(post, path = "/v1/alerts/{id}/acknowledge", tag = "alerts",
    params(("id" = String, Path, description = "Its id.", example = "20261123-417"),
           ("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = PlainOrder, responses((status = 200, description = "It is yours.", body = AlertAnswer)))]
async fn acknowledge(Levels(id): Levels<String>, asked: Asked) -> Result<Response, ApiError> {
    let (signed, NothingMore {}) = asked.read().await?;
    let alert = alert_id(&id)?;
    let count = signed.shared.newest().room.find_alert(&alert).map(|known| known.count);
    if let (Some(seen), Some(count)) = (signed.seen, count)
        && seen > count
    {
        let detail = format!("is {seen}, but the alert has {count}; send back `count` as you read it");
        return Err(ApiError::bad_member("seen", &detail));
    }
    let order = Order::Acknowledge { alert, seen: signed.seen, comment: signed.comment.clone() };
    signed.give(order).await
}

/// The alert that `alert` is a duplicate of, where that is why it ends.
fn original(
    signed: &Signed,
    alert: &AlertId,
    reason: CloseReason,
    said: Option<String>,
) -> Result<Option<AlertId>, ApiError> {
    let wrong = |detail: &str| ApiError::bad_member("duplicate_of", detail);
    match (said, reason == CloseReason::DuplicateOf) {
        (None, false) => Ok(None),
        (None, true) => Err(wrong("is required with reason duplicate_of: the id of the alert that stays")),
        (Some(_), false) => Err(wrong("goes with reason duplicate_of only")),
        (Some(text), true) => {
            let found = AlertId::find(&text).filter(|id| signed.shared.newest().room.find_alert(id).is_some());
            let original = found.ok_or_else(|| wrong("names no alert; give the id of the alert that stays"))?;
            if original == *alert {
                return Err(wrong("is the alert itself; give the id of the alert that stays"));
            }
            Ok(Some(original))
        }
    }
}

/// Ends an alert. It stays in the record; nothing that happens later reopens it.
///
/// Ending an alert that nobody has taken takes it too. `reason` is required. With `seen`, one that re-alarmed since is not
/// ended. One that is no emergency and whose condition still holds is not ended: shelve it, or have a supervisor end it
/// with a `comment`; its rule raises it anew where it still holds.
#[utoipa::path(post, path = "/v1/alerts/{id}/close", tag = "alerts",
    params(("id" = String, Path, description = "Its id.", example = "20261123-417"),
           ("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = CloseOrder, responses((status = 200, description = "It is closed.", body = AlertAnswer)))]
async fn close(Levels(id): Levels<String>, asked: Asked) -> Result<Response, ApiError> {
    let (signed, Closing { reason, duplicate_of }) = asked.read().await?;
    let alert = alert_id(&id)?;
    let known: Vec<&str> = REASONS.iter().map(|r| r.word()).collect();
    let Some(said) = reason else {
        return Err(ApiError::bad_member("reason", &format!("is required, one of {}", known.join(", "))));
    };
    let reason = CloseReason::find(&said).filter(|r| REASONS.contains(r)).ok_or_else(|| {
        ApiError::bad_member("reason", &format!("is none of {}", known.join(", "))).meaning(nearest(&said, &known))
    })?;
    let comment = match original(&signed, &alert, reason, duplicate_of)? {
        None => signed.comment.clone(),
        Some(original) => Some(match &signed.comment {
            None => format!("duplicate of {original}"),
            Some(comment) => format!("duplicate of {original}: {comment}"),
        }),
    };
    let order = Order::Close { alert, reason, seen: signed.seen, comment };
    signed.give(order).await
}

/// Makes somebody else the owner. Only the owner or a supervisor may.
#[utoipa::path(post, path = "/v1/alerts/{id}/handover", tag = "alerts",
    params(("id" = String, Path, description = "Its id.", example = "20261123-417"),
           ("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = HandoverOrder, responses((status = 200, description = "It is theirs.", body = AlertAnswer)))]
async fn handover(Levels(id): Levels<String>, asked: Asked) -> Result<Response, ApiError> {
    let (signed, Passing { to, to_desk }) = asked.read().await?;
    let to = required("to", to, NAME_MAX)?;
    let desk = bounded("to_desk", to_desk, NAME_MAX)?;
    tend(signed, &id, Deed::Handover { to, desk }).await
}

/// Gives an alert up: it is nobody's, and has to be taken anew. Only the owner or a supervisor may.
#[utoipa::path(post, path = "/v1/alerts/{id}/release", tag = "alerts",
    params(("id" = String, Path, description = "Its id.", example = "20261123-417"),
           ("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = PlainOrder, responses((status = 200, description = "It is nobody's.", body = AlertAnswer)))]
async fn release(Levels(id): Levels<String>, asked: Asked) -> Result<Response, ApiError> {
    let (signed, NothingMore {}) = asked.read().await?;
    tend(signed, &id, Deed::Release).await
}

/// Puts words into an alert's history. `comment` is required.
#[utoipa::path(post, path = "/v1/alerts/{id}/comment", tag = "alerts",
    params(("id" = String, Path, description = "Its id.", example = "20261123-417"),
           ("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = PlainOrder, responses((status = 200, description = "It is in the history.", body = AlertAnswer)))]
async fn comment(Levels(id): Levels<String>, asked: Asked) -> Result<Response, ApiError> {
    let (signed, NothingMore {}) = asked.read().await?;
    tend(signed, &id, Deed::Comment).await
}

/// Marks a step reached outside: police notified, crew on the scene, power off, area clear.
#[utoipa::path(post, path = "/v1/alerts/{id}/mark", tag = "alerts",
    params(("id" = String, Path, description = "Its id.", example = "20261123-417"),
           ("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = MarkOrder, responses((status = 200, description = "It is in the history.", body = AlertAnswer)))]
async fn mark(Levels(id): Levels<String>, asked: Asked) -> Result<Response, ApiError> {
    let (signed, Marking { step, party, reference, time }) = asked.read().await?;
    let mark = Mark {
        step: word("step", step.as_deref())?,
        party: bounded("party", party, 200)?,
        reference: bounded("reference", reference, 200)?,
        time: instant("time", time.as_deref())?,
    };
    tend(signed, &id, Deed::Mark(mark)).await
}

/// Puts an alert aside for a while; it is watched on and comes back by itself. Never an emergency, and what is
/// critical (P1) only by a supervisor.
///
/// `comment` is required: why may it wait?
#[utoipa::path(post, path = "/v1/alerts/{id}/shelve", tag = "alerts",
    params(("id" = String, Path, description = "Its id.", example = "20261123-417"),
           ("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = ShelveOrder, responses((status = 200, description = "It is on the shelf.", body = AlertAnswer)))]
async fn shelve(Levels(id): Levels<String>, asked: Asked) -> Result<Response, ApiError> {
    let (signed, Shelving { kind, until }) = asked.read().await?;
    let kind = match kind {
        Some(said) => word("kind", Some(&said))?,
        None => ShelfKind::Timed,
    };
    let until = instant("until", until.as_deref())?.ok_or_else(|| ApiError::bad_member("until", "is required"))?;
    tend(signed, &id, Deed::Shelve { kind, until }).await
}

/// Takes an alert from the shelf.
#[utoipa::path(post, path = "/v1/alerts/{id}/unshelve", tag = "alerts",
    params(("id" = String, Path, description = "Its id.", example = "20261123-417"),
           ("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = PlainOrder, responses((status = 200, description = "It is back.", body = AlertAnswer)))]
async fn unshelve(Levels(id): Levels<String>, asked: Asked) -> Result<Response, ApiError> {
    let (signed, NothingMore {}) = asked.read().await?;
    tend(signed, &id, Deed::Unshelve).await
}

/// Ends a latched condition whose source is normal again, without closing the alert.
#[utoipa::path(post, path = "/v1/alerts/{id}/reset", tag = "alerts",
    params(("id" = String, Path, description = "Its id.", example = "20261123-417"),
           ("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = PlainOrder, responses((status = 200, description = "It is cleared.", body = AlertAnswer)))]
async fn reset(Levels(id): Levels<String>, asked: Asked) -> Result<Response, ApiError> {
    let (signed, NothingMore {}) = asked.read().await?;
    tend(signed, &id, Deed::Reset).await
}

/// Accounts for a vehicle that GEO.UNACCOUNTED misses: somebody knows where it is. `comment` says how.
///
/// It is a member of the alert no more; the alert clears when all are accounted for. One that is heard after that and
/// falls silent again is missed again.
#[utoipa::path(post, path = "/v1/alerts/{id}/account", tag = "alerts",
    params(("id" = String, Path, description = "Its id.", example = "20261123-417"),
           ("Idempotency-Key" = Option<String>, Header, description = "Names this order; at most 200 characters."),
           OrderQuery),
    request_body = AccountOrder, responses((status = 200, description = "It is accounted for.", body = AlertAnswer)))]
async fn account(Levels(id): Levels<String>, asked: Asked) -> Result<Response, ApiError> {
    let (signed, Accounting { vehicle }) = asked.read().await?;
    let said = required("vehicle", vehicle, 300)?;
    let key = VehicleKey::parse(said.strip_prefix("vehicle:").unwrap_or(&said));
    let wrong =
        |why| ApiError::bad_member("vehicle", &format!("is no vehicle like 22/800 ({why}); copy it from `members`"));
    let key = key.map_err(wrong)?;
    tend(signed, &id, Deed::Account { member: Subject::Vehicle(key) }).await
}
