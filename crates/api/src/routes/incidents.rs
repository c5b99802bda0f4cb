//! Incidents: what happened in the world, as its sources report it.

use std::sync::Arc;

use alert::{Incident, IncidentKey};
use axum::{extract::State, http::HeaderMap, response::Response};
use transit::Status;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Levels, Page, Routes, cut,
    list::{Order, sort_words},
    order_asked, page_params, wait_if_asked,
};
use crate::{
    Shared, Snapshot,
    answer::{Meta, Picked, Rows, answer, envelope, json, not_modified, whole},
    bodies::{Encode, Recipe, Whole, aside},
    etag::Cursor,
    filters::{IncidentFilter, order_of},
    format::{Format, OF_INCIDENTS, codes, negotiate},
    params::{BBOX, NoQuery, PAGING, Param, Params, SINCE, Shape, WAIT, many, query, words},
    problem::ApiError,
    snapshot::Collection,
    views::{IncidentView, incident_id},
};

/// Incidents in one answer when no `limit` is given.
const LIMIT: usize = 500;

/// Incidents.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct IncidentsAnswer {
    data: Vec<IncidentView<'static>>,
    meta: Meta,
}

/// One incident.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
pub(super) struct IncidentAnswer {
    data: IncidentView<'static>,
    meta: Meta,
}

const FILTERS: &[Param] = &[
    many("state", Shape::Words(words::<alert::IncidentPhase>), "Incidents in these states; active ones by default."),
    many("kind", Shape::Words(kinds), "Incidents of these kinds; TOPIS codes A01 to A13 are read too."),
    many("severity", Shape::Words(words::<alert::Severity>), "Incidents of these severities."),
    many("source", Shape::Text, "Incidents of these sources."),
    many("status", Shape::Words(words::<Status>), "Incidents of these statuses; all but tests by default."),
    BBOX,
    SINCE,
    WAIT,
];

fn kinds() -> Vec<&'static str> {
    let codes = <alert::IncidentKind as transit::Word>::ALL.iter().filter_map(|k| k.facts().topis_code);
    words::<alert::IncidentKind>().into_iter().chain(codes).collect()
}

fn formats() -> Vec<&'static str> {
    codes(OF_INCIDENTS)
}

fn sorts() -> Vec<&'static str> {
    sort_words(ORDERS)
}

const ORDERS: &[Order<Arc<Incident>>] = &[
    ("opened_at", "-opened_at", |a, b| a.opened_at.cmp(&b.opened_at)),
    ("updated_at", "-updated_at", |a, b| a.updated_at.cmp(&b.updated_at)),
    ("severity", "-severity", |a, b| order_of(a.severity).cmp(&order_of(b.severity))),
    ("id", "-id", |_, _| std::cmp::Ordering::Equal),
];

query! {
    IncidentsQuery = FILTERS, PAGING, &page_params(sorts, formats)
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(one))
}

/// Incidents that are wanted; with a cursor those that changed after it.
pub(crate) fn gather(snapshot: &Snapshot, filter: &IncidentFilter, since: Option<u64>) -> Vec<Arc<Incident>> {
    let is_news = |i: &Incident| since.is_none_or(|since| snapshot.revision_of_seq(i.seq) > since);
    snapshot.room.incidents().filter(|i| is_news(i) && filter.wants(i)).cloned().collect()
}

fn encode(snapshot: &Snapshot, format: Format) -> Vec<u8> {
    let page = Page { limit: Some(LIMIT), ..Page::default() };
    let wanted = gather(snapshot, &IncidentFilter::default(), None);
    let order = |a: &Arc<Incident>, b: &Arc<Incident>| {
        a.opened_at.cmp(&b.opened_at).then_with(|| a.report.key.cmp(&b.report.key))
    };
    render(snapshot, wanted, &page, format, order).unwrap_or_default()
}

fn render(
    snapshot: &Snapshot,
    wanted: Vec<Arc<Incident>>,
    page: &Page,
    format: Format,
    order: impl Fn(&Arc<Incident>, &Arc<Incident>) -> std::cmp::Ordering,
) -> Result<Vec<u8>, ApiError> {
    let after = match &page.after {
        Some(id) => {
            let found = snapshot.room.incidents().find(|i| incident_id(i) == *id);
            Some(found.ok_or_else(|| ApiError::gone("The incident this page ended with is gone; begin anew."))?)
        }
        None => None,
    };
    let (rows, onward) = cut(wanted, after, page, order, |i| incident_id(i), snapshot);
    Ok(match format {
        Format::Other(def) => def.incidents.map_or_else(Vec::new, |encode| encode(&mut rows.iter().map(|i| &**i))),
        Format::Json if page.fields.is_empty() => {
            envelope(snapshot, &Rows::new(rows.iter().map(|i| IncidentView::of(i))), onward, 0)
        }
        Format::Json => {
            let picked = rows.iter().map(|i| Picked::of(&IncidentView::of(i), &page.fields));
            envelope(snapshot, &Rows::new(picked), onward, 0)
        }
    })
}

/// Incidents: by default every active one that is no test, the oldest first.
///
/// With `since`, every incident that changed after that cursor, closed ones too.
#[utoipa::path(get, path = "/v1/incidents", tag = "incidents", params(IncidentsQuery),
    responses((status = 200, description = "Incidents.", body = IncidentsAnswer)))]
async fn list(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    params: Params<IncidentsQuery>,
) -> Result<Response, ApiError> {
    let snapshot = shared.live()?;
    let format = negotiate(params.one("f")?, &headers, OF_INCIDENTS)?;
    if params.is_plain() {
        let recipe =
            Recipe { whole: Whole::Incidents, format, collection: Collection::Incidents, encode: Encode::AsOf(encode) };
        return whole(&shared, &snapshot, &recipe, &headers).await;
    }
    let filter = IncidentFilter::of(&params)?;
    let mut page = Page::of(&params, &snapshot, Some(LIMIT), IncidentView::KEYS)?;
    let (order, reverse) = order_asked(&params, ORDERS)?;
    let since = match params.one("since")? {
        Some(text) => Some(Cursor::parse("since", text, &snapshot, snapshot.room_floor())?.revision),
        None => None,
    };
    page.since = since;
    let snapshot = wait_if_asked(&shared, snapshot, Collection::Incidents, &params, since, &headers).await?;
    let revision = since.is_none().then(|| snapshot.changed(Collection::Incidents));
    if let Some(response) = revision.and_then(|r| not_modified(&headers, &snapshot, r)) {
        return Ok(response);
    }
    let read = Arc::clone(&snapshot);
    let body = aside(move || {
        let order = |a: &Arc<Incident>, b: &Arc<Incident>| {
            let by_key = order(a, b).then_with(|| a.report.key.cmp(&b.report.key));
            if reverse { by_key.reverse() } else { by_key }
        };
        let wanted = gather(&read, &filter, since);
        render(&read, wanted, &page, format, order)
    })
    .await??;
    Ok(answer(&snapshot, revision, format.media_type(), body))
}

/// One incident.
#[utoipa::path(get, path = "/v1/incidents/{source}/{id}", tag = "incidents",
    params(("source" = String, Path, description = "Its source."),
           ("id" = String, Path, description = "Its id within the source."), NoQuery),
    responses((status = 200, description = "The incident.", body = IncidentAnswer)))]
async fn one(
    State(shared): State<Arc<Shared>>,
    Levels((source, id)): Levels<(String, String)>,
    _: Params<NoQuery>,
) -> Result<Response, ApiError> {
    let snapshot = shared.live()?;
    let key = IncidentKey { source, id };
    let Some(incident) = snapshot.room.find_incident(&key) else {
        return Err(ApiError::not_found("incident", &format!("{}/{}", key.source, key.id)));
    };
    Ok(json(&snapshot, None, &IncidentView::of(incident)))
}
