//! The wall.

use std::{borrow::Cow, sync::Arc};

use axum::{Extension, extract::State, http::HeaderMap, response::Response};
use picture::Freshness;
use publish::{DegradedLine, Lang, StatusFigures};
use transit::{JourneyState, Word as _};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Routes, sees_covert, wait_if_asked};
use crate::{
    Principal, Shared, Snapshot,
    answer::{Meta, Onward, answer, envelope, not_modified, whole},
    bodies::{Encode, Recipe, Whole, aside},
    filters::order_of,
    format::{Format, OF_STATUS, codes, negotiate},
    params::{LANG, Params, Shape, WAIT, one, query},
    problem::ApiError,
    snapshot::Collection,
    views::{StatusView, freshness_as_of, is_shown, located, rank, status_of},
};

/// The wall.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct StatusAnswer {
    data: StatusView<'static>,
    meta: Meta,
}

fn formats() -> Vec<&'static str> {
    codes(OF_STATUS)
}

query! {
    StatusQuery = &[one("f", Shape::Words(formats), "Format; else Accept decides."), LANG, WAIT]
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(status))
}

fn for_viewers(snapshot: &Snapshot, format: Format) -> Vec<u8> {
    encode(snapshot, format, false, Lang::En)
}

fn for_operators(snapshot: &Snapshot, format: Format) -> Vec<u8> {
    encode(snapshot, format, true, Lang::En)
}

fn encode(snapshot: &Snapshot, format: Format, see_covert: bool, lang: Lang) -> Vec<u8> {
    match format {
        Format::Json => envelope(snapshot, &status_of(snapshot, see_covert, lang), Onward::default(), 16_384),
        Format::Other(_) => publish::status_text(&figures(snapshot, see_covert), lang),
    }
}

/// Alerts that the wall has lines for, and some to spare.
const WALL_ROWS: usize = 20;

fn figures(snapshot: &Snapshot, see_covert: bool) -> StatusFigures<'_> {
    let mut by_freshness = [0; 4];
    let mut by_journey = vec![0; JourneyState::ALL.len()];
    let mut unsaid = 0;
    for record in snapshot.view.vehicles.values() {
        if let Some(n) = by_freshness.get_mut(order_of::<Freshness>(freshness_as_of(record, snapshot))) {
            *n += 1;
        }
        match record.journey.state.and_then(|s| by_journey.get_mut(order_of(s))) {
            Some(n) => *n += 1,
            None => unsaid += 1,
        }
    }
    let mut by_journey_state: Vec<(&str, usize)> = JourneyState::ALL.iter().map(|s| s.word()).zip(by_journey).collect();
    by_journey_state.push(("unknown", unsaid));
    let mut alerts: Vec<&alert::Alert> =
        snapshot.room.alerts().map(|a| &**a).filter(|a| is_shown(a, see_covert)).collect();
    alerts.sort_by_key(|a| rank(a));
    // Only the wall's own lines need a place and what stands behind them.
    let line = |(row, alert): (usize, _)| {
        if row < WALL_ROWS {
            (located(alert, snapshot), snapshot.room.collapsed_count(&alert.id))
        } else {
            (Cow::Borrowed(alert), 0)
        }
    };
    let alerts = alerts.into_iter().enumerate().map(line).collect();
    let degraded = snapshot.degraded.iter();
    StatusFigures {
        as_of: snapshot.as_of,
        clock: snapshot.clock,
        by_freshness,
        by_journey_state,
        feeds: snapshot.feeds.values().map(|f| &**f).collect(),
        alerts,
        degraded: degraded
            .map(|d| DegradedLine { code: &d.code, scope: &d.scope, since: d.since, detail: &d.detail })
            .collect(),
    }
}

/// The wall: the fleet, the most urgent alerts, feeds, lines in trouble, and what is degraded and since when.
///
/// `watch -n1 curl -s localhost:8080/v1/status?f=text` is a wall in a terminal.
#[utoipa::path(get, path = "/v1/status", tag = "status", params(StatusQuery),
    responses((status = 200, description = "The wall.", body = StatusAnswer)))]
async fn status(
    State(shared): State<Arc<Shared>>,
    Extension(principal): Extension<Principal>,
    headers: HeaderMap,
    params: Params<StatusQuery>,
) -> Result<Response, ApiError> {
    let snapshot = shared.live()?;
    let format = negotiate(params.one("f")?, &headers, OF_STATUS)?;
    let see_covert = sees_covert(&principal);
    if params.is_plain() {
        let (whole_wall, encode): (_, fn(&Snapshot, Format) -> Vec<u8>) = if see_covert {
            (Whole::StatusForOperators, for_operators)
        } else {
            (Whole::StatusForViewers, for_viewers)
        };
        let recipe =
            Recipe { whole: whole_wall, format, collection: Collection::Everything, encode: Encode::AsOf(encode) };
        return whole(&shared, &snapshot, &recipe, &headers).await;
    }
    let lang = params.lang()?;
    let snapshot = wait_if_asked(&shared, snapshot, Collection::Everything, &params, None, &headers).await?;
    let revision = snapshot.changed(Collection::Everything);
    if let Some(response) = not_modified(&headers, &snapshot, revision) {
        return Ok(response);
    }
    let read = Arc::clone(&snapshot);
    let body = aside(move || encode(&read, format, see_covert, lang)).await?;
    Ok(answer(&snapshot, Some(revision), format.media_type(), body))
}
