//! Alerts: what somebody must act on.

use std::sync::Arc;

use alert::{Alert, AlertId};
use axum::{Extension, extract::State, http::HeaderMap, response::Response};
use publish::Lang;
use transit::Status;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Levels, Page, Routes,
    cards::{self, Reader},
    cut,
    list::{Order, sort_words},
    order_asked, page_params, wait_if_asked,
};
use crate::{
    Principal, Role, Shared, Snapshot,
    answer::{Meta, Picked, Rows, answer, envelope, json, not_modified, whole},
    bodies::{Encode, Recipe, Whole, aside},
    etag::Cursor,
    filters::{AlertFilter, SHELVED},
    format::{Format, OF_ALERTS, codes, negotiate},
    params::{BBOX, LANG, PAGING, Param, Params, SINCE, Shape, WAIT, many, one as one_of, query, words},
    problem::ApiError,
    snapshot::Collection,
    views::{AlertView, HistoryView, located, rank},
};

/// Alerts in one answer when no `limit` is given.
const LIMIT: usize = 500;
const PAGE_GONE: &str = "The alert this page ended with is gone; begin anew.";

/// Alerts.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct AlertsAnswer {
    data: Vec<AlertView<'static>>,
    meta: Meta,
}

/// One alert.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
pub(super) struct AlertAnswer {
    data: AlertView<'static>,
    meta: Meta,
}

/// Everything that happened to an alert, oldest first.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct HistoryAnswer {
    data: Vec<HistoryView<'static>>,
    meta: Meta,
}

const FILTERS: &[Param] = &[
    many("state", Shape::Words(words::<alert::AlertCondition>), "Alerts in these states; all open ones by default."),
    many("priority", Shape::Words(words::<alert::Priority>), "Alerts of these priorities."),
    many("class", Shape::Words(words::<alert::AlertClass>), "Alerts of these classes."),
    many("rule", Shape::Text, "Alerts of these rules."),
    many("subject", Shape::Text, "Alerts about these subjects, like `vehicle:18/423`."),
    many("route_id", Shape::Text, "Alerts of vehicles on these routes."),
    one_of(
        "shelved",
        Shape::Words(shelved),
        "false (default): none that is shelved, explained by another, out of service by design or one of many; true: \
         what is on the shelf; any: all of them.",
    ),
    many("status", Shape::Words(words::<Status>), "Alerts of these statuses; all but tests by default."),
    BBOX,
    SINCE,
    WAIT,
    LANG,
    one_of(
        "include",
        Shape::Words(includes),
        "`card`: each record has its decision card under the key `card`, as `/v1/alerts/{id}/card` answers it; then \
         at most 50 records, as JSON.",
    ),
];

fn includes() -> Vec<&'static str> {
    vec!["card"]
}

fn shelved() -> Vec<&'static str> {
    SHELVED.to_vec()
}

fn formats() -> Vec<&'static str> {
    codes(OF_ALERTS)
}

fn sorts() -> Vec<&'static str> {
    sort_words(ORDERS)
}

const ORDERS: &[Order<Arc<Alert>>] = &[
    ("priority", "-priority", |a, b| rank(a).cmp(&rank(b))),
    ("raised_at", "-raised_at", |a, b| a.raised_at.cmp(&b.raised_at)),
    ("last_seen_at", "-last_seen_at", |a, b| a.last_seen_at.cmp(&b.last_seen_at)),
    ("number", "-number", |a, b| a.id.number.cmp(&b.id.number)),
];

query! {
    AlertsQuery = FILTERS, PAGING, &page_params(sorts, formats)
}

query! {
    AlertQuery = &[LANG]
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(one)).routes(routes!(history))
}

/// Covert alerts are for those who can act on them.
pub(crate) fn sees_covert(principal: &Principal) -> bool {
    matches!(principal.role, Role::Operator | Role::Supervisor)
}

fn for_viewers(snapshot: &Snapshot, format: Format) -> Vec<u8> {
    plain(snapshot, format, false)
}

fn for_operators(snapshot: &Snapshot, format: Format) -> Vec<u8> {
    plain(snapshot, format, true)
}

fn plain(snapshot: &Snapshot, format: Format, see_covert: bool) -> Vec<u8> {
    let wanted = gather(snapshot, &AlertFilter::open(see_covert), None);
    let page = Page { limit: Some(LIMIT), ..Page::default() };
    render(snapshot, wanted, &page, format, Lang::En, None, |a, b| rank(a).cmp(&rank(b))).unwrap_or_default()
}

/// Alerts that are wanted; with a cursor those that changed after it.
pub(crate) fn gather(snapshot: &Snapshot, filter: &AlertFilter, since: Option<u64>) -> Vec<Arc<Alert>> {
    let room = &snapshot.room;
    let wants = |a: &&Arc<Alert>| filter.wants(a, snapshot);
    let Some(since) = since else { return room.alerts().filter(wants).cloned().collect() };
    let first = snapshot.first_seq_after(since);
    if snapshot.is_durable() {
        return room.alerts_since(first).filter(wants).cloned().collect();
    }
    // What is not on disk yet has no place in the order of records: it is always news.
    room.alerts().filter(|a| !a.durable || a.seq >= first).filter(wants).cloned().collect()
}

/// Alerts that were shown to everybody and became covert after a cursor, tests apart, each with the revision at which
/// it did. One that was covert from the start was never shown.
pub(crate) fn hidden(snapshot: &Snapshot, since: u64) -> Vec<(AlertId, u64)> {
    let first = snapshot.first_seq_after(since);
    // What was hidden changed then or later.
    let changed = snapshot.room.alerts_since(first).filter(|alert| alert.covert && alert.status != Status::Test);
    changed
        .filter_map(|alert| {
            let seq = alert.hidden_seq.filter(|seq| *seq >= first)?;
            Some((alert.id.clone(), snapshot.revision_of_seq(seq)))
        })
        .collect()
}

fn render(
    snapshot: &Snapshot,
    wanted: Vec<Arc<Alert>>,
    page: &Page,
    format: Format,
    lang: Lang,
    cards: Option<&Reader>,
    order: impl Fn(&Arc<Alert>, &Arc<Alert>) -> std::cmp::Ordering,
) -> Result<Vec<u8>, ApiError> {
    let after = match &page.after {
        Some(id) => {
            let found = AlertId::find(id).and_then(|id| snapshot.room.find_alert(&id));
            Some(found.ok_or_else(|| ApiError::gone(PAGE_GONE))?)
        }
        None => None,
    };
    let (rows, onward) = cut(wanted, after, page, order, |a| a.id.to_string(), snapshot);
    if let Some(reader) = cards {
        return Ok(cards::list(snapshot, &rows, reader, &page.fields, onward));
    }
    Ok(match format {
        Format::Other(def) => {
            let shown: Vec<_> = rows.iter().map(|alert| located(alert, snapshot)).collect();
            let mut rows = shown.iter().map(|alert| (&**alert, snapshot.room.collapsed_count(&alert.id)));
            def.alerts.map_or_else(Vec::new, |encode| encode(&mut rows, snapshot.as_of, lang))
        }
        Format::Json if page.fields.is_empty() => {
            envelope(snapshot, &Rows::new(rows.iter().map(|a| AlertView::of(a, snapshot, lang))), onward, 0)
        }
        Format::Json => {
            let picked = rows.iter().map(|a| Picked::of(&AlertView::of(a, snapshot, lang), &page.fields));
            envelope(snapshot, &Rows::new(picked), onward, 0)
        }
    })
}

/// Alerts: by default every open one that is no test and not shelved, the most urgent first, among equals the oldest.
///
/// With `since`, every alert that changed after that cursor, closed ones too. Covert alerts are for operators. This
/// list names no ids that are gone: `/v1/changes` (`removed`) and `/v1/stream` (`remove`) tell of them.
#[utoipa::path(get, path = "/v1/alerts", tag = "alerts", params(AlertsQuery),
    responses((status = 200, description = "Alerts.", body = AlertsAnswer)))]
async fn list(
    State(shared): State<Arc<Shared>>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    params: Params<AlertsQuery>,
) -> Result<Response, ApiError> {
    let snapshot = shared.live()?;
    let format = negotiate(params.one("f")?, &headers, OF_ALERTS)?;
    let see_covert = sees_covert(&principal);
    if params.is_plain() {
        let (whole_list, encode): (_, fn(&Snapshot, Format) -> Vec<u8>) = if see_covert {
            (Whole::AlertsForOperators, for_operators)
        } else {
            (Whole::AlertsForViewers, for_viewers)
        };
        let recipe = Recipe { whole: whole_list, format, collection: Collection::Alerts, encode: Encode::AsOf(encode) };
        return whole(&shared, &snapshot, &recipe, &headers).await;
    }
    let filter = AlertFilter::of(&params, see_covert)?;
    let lang = params.lang()?;
    let with_cards = cards_asked(&params, format)?;
    let limit = if with_cards { cards::LIST_MAX } else { LIMIT };
    let mut page = Page::of(&params, &snapshot, Some(limit), AlertView::KEYS)?;
    let (order, reverse) = order_asked(&params, ORDERS)?;
    let since = match params.one("since")? {
        Some(text) => Some(Cursor::parse("since", text, &snapshot, snapshot.room_floor())?.revision),
        None => None,
    };
    page.since = since;
    // Whether there is one that the asker may not know of is not told by a page that begins behind it.
    if page.after.as_deref().is_some_and(|id| find(&snapshot, id, &principal).is_err()) {
        return Err(ApiError::gone(PAGE_GONE));
    }
    let snapshot = wait_if_asked(&shared, snapshot, Collection::Alerts, &params, since, &headers).await?;
    // A card moves with every vehicle.
    let moves = with_cards || filter.moves_with_vehicles();
    let revision = (since.is_none() && !moves).then(|| snapshot.changed(Collection::Alerts));
    if let Some(response) = revision.and_then(|r| not_modified(&headers, &snapshot, r)) {
        return Ok(response);
    }
    let reader = with_cards.then(|| Reader::of(&shared, &principal, lang));
    let read = Arc::clone(&snapshot);
    let body = aside(move || {
        let order = |a: &Arc<Alert>, b: &Arc<Alert>| {
            let by_number = order(a, b).then_with(|| a.id.cmp(&b.id));
            if reverse { by_number.reverse() } else { by_number }
        };
        let wanted = gather(&read, &filter, since);
        render(&read, wanted, &page, format, lang, reader.as_ref(), order)
    })
    .await??;
    Ok(answer(&snapshot, revision, format.media_type(), body))
}

/// Whether each record comes with its card.
fn cards_asked(params: &Params<AlertsQuery>, format: Format) -> Result<bool, ApiError> {
    let asked = match params.one("include")? {
        None => return Ok(false),
        Some(word) if includes().contains(&word) => word,
        Some(word) => return Err(ApiError::bad_parameter("include", word, "card")),
    };
    if !matches!(format, Format::Json) {
        return Err(ApiError::bad_parameter("include", asked, "include=card with f=json only"));
    }
    let most = i64::try_from(cards::LIST_MAX).unwrap_or(i64::MAX);
    if params.whole("limit", 1, 100_000)?.is_some_and(|limit| limit > most) {
        let found = params.one("limit")?.unwrap_or_default();
        return Err(ApiError::bad_parameter("limit", found, "with include=card a whole number from 1 to 50"));
    }
    Ok(true)
}

/// The alert of a path, where the asker may know of it.
pub(super) fn find<'a>(snapshot: &'a Snapshot, id: &str, principal: &Principal) -> Result<&'a Arc<Alert>, ApiError> {
    AlertId::find(id)
        .and_then(|id| snapshot.room.find_alert(&id))
        .filter(|a| !a.covert || sees_covert(principal))
        .ok_or_else(|| ApiError::not_found("alert", id))
}

/// One alert.
#[utoipa::path(get, path = "/v1/alerts/{id}", tag = "alerts",
    params(("id" = String, Path, description = "Its id.", example = "20261123-417"), AlertQuery),
    responses((status = 200, description = "The alert.", body = AlertAnswer)))]
async fn one(
    State(shared): State<Arc<Shared>>,
    Extension(principal): Extension<Principal>,
    Levels(id): Levels<String>,
    params: Params<AlertQuery>,
) -> Result<Response, ApiError> {
    let lang = params.lang()?;
    let snapshot = shared.live()?;
    let alert = find(&snapshot, &id, &principal)?;
    Ok(json(&snapshot, None, &AlertView::of(alert, &snapshot, lang)))
}

/// Everything that happened to an alert, oldest first: who, when, from which state to which, and why.
#[utoipa::path(get, path = "/v1/alerts/{id}/history", tag = "alerts",
    params(("id" = String, Path, description = "Its id.", example = "20261123-417"), AlertQuery),
    responses((status = 200, description = "Its history.", body = HistoryAnswer)))]
async fn history(
    State(shared): State<Arc<Shared>>,
    Extension(principal): Extension<Principal>,
    Levels(id): Levels<String>,
    _: Params<AlertQuery>,
) -> Result<Response, ApiError> {
    let snapshot = shared.live()?;
    let alert = find(&snapshot, &id, &principal)?;
    Ok(json(&snapshot, None, &Rows::new(alert.history.iter().map(HistoryView::of))))
}
