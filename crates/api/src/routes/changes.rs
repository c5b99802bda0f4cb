//! Changes since a cursor, by long poll.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Extension, extract::State, response::Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Routes;
use crate::{
    Principal, Shared, Snapshot,
    answer::{Meta, Onward, answer, envelope},
    bodies::aside,
    delta::{FOLLOWING, Following, Item, Record, Topic},
    etag::{Cursor, cursor_text},
    format::Format,
    params::{Params, SINCE, WAIT, query},
    problem::ApiError,
};

/// What changed of one topic.
#[derive(Default, Serialize, ToSchema)]
struct TopicChanges<'a> {
    /// Records that are new or changed, as their own routes give them.
    #[schema(value_type = Vec<Object>)]
    upserts: Vec<Record<'a>>,
    /// Ids that are gone, no longer shown to the reader, or no longer match the filters; ids the reader never had may
    /// be among them.
    removed: Vec<String>,
}

/// What changed, by topic; `meta.next` is the next `since`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct ChangesAnswer {
    data: BTreeMap<String, TopicChanges<'static>>,
    meta: Meta,
}

query! {
    ChangesQuery = &[SINCE, WAIT], FOLLOWING[0], FOLLOWING[1]
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(changes))
}

/// What changed after `since`; without it everything there is, to begin with.
///
/// Closed alerts and incidents are upserts with their record; an alert whose id is `removed` is no longer shown,
/// whatever its state. A cursor from before the service last started, or older than what is kept, is a 410: read
/// everything anew.
#[utoipa::path(get, path = "/v1/changes", tag = "changes", params(ChangesQuery),
    responses((status = 200, description = "Changes by topic.", body = ChangesAnswer)))]
async fn changes(
    State(shared): State<Arc<Shared>>,
    Extension(principal): Extension<Principal>,
    params: Params<ChangesQuery>,
) -> Result<Response, ApiError> {
    let following = Following::of(&params, &principal)?;
    let wait_ms = params.seconds("wait", 30.0)?;
    let mut snapshot = shared.live()?;
    let since = match params.one("since")? {
        Some(text) => Some(Cursor::parse("since", text, &snapshot, following.floor(&snapshot))?.revision),
        None => None,
    };
    if let (Some(since), Some(wait_ms)) = (since, wait_ms) {
        snapshot = shared.changed_after(&|s| following.changed(s), since, wait_ms).await?;
    }
    let read = Arc::clone(&snapshot);
    let body = aside(move || render(&read, &following, since)).await?;
    Ok(answer(&snapshot, None, Format::Json.media_type(), body))
}

fn render(snapshot: &Snapshot, following: &Following, since: Option<u64>) -> Vec<u8> {
    let mut topics: BTreeMap<&str, TopicChanges<'_>> = <Topic as transit::Word>::ALL
        .iter()
        .filter(|topic| following.follows(**topic))
        .map(|topic| (transit::Word::word(*topic), TopicChanges::default()))
        .collect();
    let items: Vec<Item> =
        following.urgent(snapshot, since).into_iter().chain(following.bulk(snapshot, since)).collect();
    for item in &items {
        let changes = topics.entry(transit::Word::word(item.topic())).or_default();
        match following.record(item, snapshot) {
            Some(record) => changes.upserts.push(record),
            None => changes.removed.push(item.id()),
        }
    }
    let next = Some(cursor_text(snapshot, snapshot.revision));
    envelope(snapshot, &topics, Onward { next, known: None }, 0)
}
