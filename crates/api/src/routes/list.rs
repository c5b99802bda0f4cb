//! What lists have in common: order, pages, picked fields, and waiting for a change.

use std::{cmp::Ordering, collections::BTreeSet, sync::Arc};

use axum::http::HeaderMap;

use crate::{
    Shared, Snapshot,
    answer::Onward,
    etag::{cursor_text, known_revision},
    params::{Param, Params, Query, Shape, nearest, one},
    problem::ApiError,
    snapshot::Collection,
};

/// The parameters of a list that can be ordered by `sort` and comes in the formats `f`.
pub(crate) const fn page_params(sorts: fn() -> Vec<&'static str>, formats: fn() -> Vec<&'static str>) -> [Param; 2] {
    [
        one("sort", Shape::Words(sorts), "Order by this key; with a leading - the other way round."),
        one("f", Shape::Words(formats), "Format; else Accept decides."),
    ]
}

/// Which part of a list, and which keys.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// At most this many.
    pub(crate) limit: Option<usize>,
    /// After this id.
    pub(crate) after: Option<String>,
    /// Only these keys; empty is all.
    pub(crate) fields: Vec<String>,
    /// What the reader knew before, as a revision.
    pub(crate) since: Option<u64>,
    /// The revision that the first page was read from.
    pub(crate) begun: Option<u64>,
}

impl Page {
    /// Reads it from a query with [`crate::params::PAGING`].
    pub(crate) fn of<Q: Query>(
        params: &Params<Q>,
        snapshot: &Snapshot,
        default_limit: Option<usize>,
        keys: &[&str],
    ) -> Result<Self, ApiError> {
        let limit = params.whole("limit", 1, 100_000)?.and_then(|n| usize::try_from(n).ok()).or(default_limit);
        let (begun, after) = match params.one("cursor")? {
            Some(text) => after(text, snapshot).map(|(begun, after)| (Some(begun), Some(after)))?,
            None => (None, None),
        };
        let mut fields = params.texts("fields");
        // Each once: an answer grows with the list, never with how often somebody asks for the same.
        let mut seen = BTreeSet::new();
        fields.retain(|field| seen.insert(field.clone()));
        if let Some(unknown) = fields.iter().find(|f| !keys.contains(&f.as_str())) {
            return Err(ApiError::bad_parameter("fields", unknown, &keys.join(", ")).meaning(nearest(unknown, keys)));
        }
        Ok(Self { limit, after, fields, since: None, begun })
    }
}

fn after(text: &str, snapshot: &Snapshot) -> Result<(u64, String), ApiError> {
    let bad = || ApiError::bad_parameter("cursor", text, "meta.next of the page before");
    let (life, id) = text.split_once('~').ok_or_else(bad)?;
    let cursor = crate::etag::Cursor::find(life).ok_or_else(bad)?;
    if !cursor.is_of(snapshot) {
        return Err(ApiError::gone("The service has started anew since this page was given; begin with the first."));
    }
    Ok((cursor.revision, id.to_owned()))
}

/// Orders `rows`, skips to behind `after` and cuts at the limit of the page; with where to go on.
pub(crate) fn cut<T>(
    mut rows: Vec<T>,
    after: Option<&T>,
    page: &Page,
    order: impl Fn(&T, &T) -> Ordering,
    id: impl Fn(&T) -> String,
    snapshot: &Snapshot,
) -> (Vec<T>, Onward) {
    rows.sort_by(&order);
    if let Some(after) = after {
        let begin = rows.partition_point(|row| order(row, after) != Ordering::Greater);
        rows.drain(..begin);
    }
    // What changes between two pages may be of an earlier one: it is news to whoever goes on from the first.
    let begun = page.begun.unwrap_or(snapshot.revision);
    let next = match page.limit {
        Some(limit) if rows.len() > limit => {
            rows.truncate(limit);
            rows.last().map(|row| format!("{}~{}", cursor_text(snapshot, begun), id(row)))
        }
        _ => None,
    };
    // Whoever leaves pages unread knows no more than before.
    let known = page.since.filter(|_| next.is_some()).unwrap_or(begun);
    (rows, Onward { next, known: Some(known) })
}

/// The order by one `sort` key: its word, its word the other way round, and how two rows compare.
pub(crate) type Order<T> = (&'static str, &'static str, Compare<T>);

/// How two rows compare.
pub(crate) type Compare<T> = fn(&T, &T) -> Ordering;

/// Every word `sort` takes.
pub(crate) fn sort_words<T>(orders: &[Order<T>]) -> Vec<&'static str> {
    orders.iter().flat_map(|(up, down, _)| [*up, *down]).collect()
}

/// The order that `sort` asks for, the first of `orders` by default, and whether the other way round.
pub(crate) fn order_asked<T, Q: Query>(
    params: &Params<Q>,
    orders: &'static [Order<T>],
) -> Result<(Compare<T>, bool), ApiError> {
    let first = orders.first().map_or("", |(up, _, _)| up);
    let asked = params.one("sort")?.unwrap_or(first);
    match orders.iter().find(|(up, down, _)| *up == asked || *down == asked) {
        Some((up, _, order)) => Ok((*order, *up != asked)),
        None => {
            let known = sort_words(orders);
            Err(ApiError::bad_parameter("sort", asked, &known.join(", ")).meaning(nearest(asked, &known)))
        }
    }
}

/// Holds a request with `wait` until `collection` changes; others go on with `snapshot` at once.
pub(crate) async fn wait_if_asked<Q: Query>(
    shared: &Shared,
    snapshot: Arc<Snapshot>,
    collection: Collection,
    params: &Params<Q>,
    since: Option<u64>,
    headers: &HeaderMap,
) -> Result<Arc<Snapshot>, ApiError> {
    let Some(wait_ms) = params.seconds("wait", 30.0)? else { return Ok(snapshot) };
    let known = since.or_else(|| known_revision(headers, &snapshot.epoch));
    shared.wait_on(collection, known.unwrap_or_else(|| snapshot.changed(collection)), wait_ms).await
}
