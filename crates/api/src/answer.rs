//! The envelope of every JSON answer and the headers that go with it.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

use crate::{
    Shared, Snapshot,
    bodies::{Encoded, Recipe},
    etag::{AS_OF, as_of_value, cursor_text, etag, known_revision},
    format::Format,
    problem::ApiError,
    views::{DegradedView, Stamp},
};

/// As of when an answer is true, and what is worse than it should be.
#[derive(Serialize, ToSchema)]
pub(crate) struct Meta {
    /// When the answer was true.
    as_of: Stamp,
    /// New at every start of the process.
    epoch: String,
    /// The revision of the picture it was read from.
    revision: u64,
    /// For `since`: everything up to it is in here and in the pages before. While there is a `next` page of what changed,
    /// it is the `since` that was asked for.
    cursor: String,
    /// Where to go on: the next page of a list, the next `since` of changes.
    next: Option<String>,
    /// What is worse than it should be, and since when.
    degraded: Vec<DegradedView>,
}

/// Where a reader goes on.
#[derive(Debug, Default)]
pub(crate) struct Onward {
    /// The next page of a list, or the next `since` of changes.
    pub(crate) next: Option<String>,
    /// The revision up to which the reader then knows everything; that of the snapshot by default.
    pub(crate) known: Option<u64>,
}

impl Meta {
    /// Of a snapshot.
    pub(crate) fn of(snapshot: &Snapshot, onward: Onward) -> Self {
        let Onward { next, known } = onward;
        Self {
            as_of: Stamp(snapshot.as_of),
            epoch: snapshot.epoch.to_string(),
            revision: snapshot.revision,
            cursor: cursor_text(snapshot, known.unwrap_or(snapshot.revision)),
            next,
            degraded: snapshot.degraded.iter().map(DegradedView::of).collect(),
        }
    }
}

#[derive(Serialize)]
struct Envelope<'a, D> {
    data: &'a D,
    meta: Meta,
}

/// Rows that are written one after the other, never gathered.
pub(crate) struct Rows<I>(pub(crate) std::cell::RefCell<Option<I>>);

impl<I: Iterator> Rows<I> {
    /// Of an iterator, to be written once.
    pub(crate) fn new(rows: I) -> Self {
        Self(std::cell::RefCell::new(Some(rows)))
    }
}

impl<T: Serialize, I: Iterator<Item = T>> Serialize for Rows<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.borrow_mut().take() {
            Some(rows) => serializer.collect_seq(rows),
            None => Err(serde::ser::Error::custom("these rows were already written")),
        }
    }
}

/// Only some keys of a record, in the order asked for; `id` always.
pub(crate) struct Picked<'a> {
    record: Value,
    fields: &'a [String],
}

impl<'a> Picked<'a> {
    /// Of a view.
    pub(crate) fn of(view: &impl Serialize, fields: &'a [String]) -> Self {
        // Views hold nothing that JSON cannot: a test writes each.
        Self { record: serde_json::to_value(view).unwrap_or_default(), fields }
    }
}

impl Serialize for Picked<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.fields.iter().any(|f| f == "id") {
            map.serialize_entry("id", &self.record["id"])?;
        }
        for field in self.fields {
            map.serialize_entry(field, &self.record[field.as_str()])?;
        }
        map.end()
    }
}

/// `{data, meta}` as bytes. `capacity` saves growing for bodies of known size.
pub(crate) fn envelope<D: Serialize>(snapshot: &Snapshot, data: &D, onward: Onward, capacity: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(capacity.max(512));
    if let Err(error) = serde_json::to_writer(&mut bytes, &Envelope { data, meta: Meta::of(snapshot, onward) }) {
        // Views hold nothing that JSON cannot: a test writes each.
        tracing::error!(%error, "an answer could not be written as JSON");
        bytes.clear();
    }
    bytes
}

/// An answer with the headers every answer has. `revision` makes it conditional for the next time.
pub(crate) fn answer(
    snapshot: &Snapshot,
    revision: Option<u64>,
    content_type: &'static str,
    body: impl Into<Body>,
) -> Response {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding, authorization"));
    headers.insert(AS_OF, as_of_value(snapshot.as_of));
    if let Some(revision) = revision {
        headers.insert(header::ETAG, etag(&snapshot.epoch, revision));
    }
    response
}

/// `{data, meta}` as an answer.
pub(crate) fn json<D: Serialize>(snapshot: &Snapshot, revision: Option<u64>, data: &D) -> Response {
    answer(snapshot, revision, Format::Json.media_type(), envelope(snapshot, data, Onward::default(), 0))
}

/// 304 when the client already has `revision`.
pub(crate) fn not_modified(headers: &HeaderMap, snapshot: &Snapshot, revision: u64) -> Option<Response> {
    (known_revision(headers, &snapshot.epoch)? == revision)
        .then(|| bare(etag(&snapshot.epoch, revision), as_of_value(snapshot.as_of)))
}

fn bare(etag: HeaderValue, as_of: HeaderValue) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    let headers = response.headers_mut();
    headers.insert(header::ETAG, etag);
    headers.insert(AS_OF, as_of);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding, authorization"));
    response
}

/// A whole list from the kept bodies: nothing is encoded or copied for this request unless it is the first of its
/// revision.
pub(crate) async fn whole(
    shared: &Shared,
    snapshot: &Arc<Snapshot>,
    recipe: &Recipe,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let revision = snapshot.changed(recipe.collection);
    if let Some(response) = not_modified(headers, snapshot, revision) {
        return Ok(response);
    }
    let encoded: Arc<Encoded> = if takes_gzip(headers) {
        shared.bodies.packed(recipe, snapshot).await?
    } else {
        shared.bodies.plain(recipe, snapshot).await?
    };
    if known_revision(headers, &snapshot.epoch) == Some(encoded.revision) {
        return Ok(bare(encoded.etag.clone(), as_of_value(encoded.as_of)));
    }
    let mut response = Response::new(Body::from(Bytes::clone(&encoded.body)));
    let to = response.headers_mut();
    to.insert(header::CONTENT_TYPE, HeaderValue::from_static(recipe.format.media_type()));
    to.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    to.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding, authorization"));
    to.insert(header::ETAG, encoded.etag.clone());
    // The ages in a body count from its own time, not from now.
    to.insert(AS_OF, as_of_value(encoded.as_of));
    if encoded.gzip {
        to.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

/// The client can unpack gzip and did not say that it would rather not.
fn takes_gzip(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(',')).any(
        |coding| {
            let mut parts = coding.split(';').map(str::trim);
            let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip") || name == "*");
            named && !parts.any(|p| p.strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0)))
        },
    )
}
