//! The stream of changes, as server-sent events.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use axum::{
    Extension,
    extract::{ConnectInfo, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response, Sse},
};
use futures_util::stream;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Routes;
use crate::{
    Principal, Shared,
    delta::{FOLLOWING, Following},
    etag::{AS_OF, Cursor, as_of_value},
    params::{Params, SINCE, query},
    problem::ApiError,
    stream::Follower,
};

query! {
    StreamQuery = &[SINCE], FOLLOWING[0], FOLLOWING[1]
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(follow))
}

/// Changes as they come: `reset`, `add`, `update`, `remove`, and every 5 s `heartbeat`.
///
/// `data` is `{topic, id, revision, record, as_of}`; `record` is what its own route gives, null when it is gone. The
/// event's id says up to where everything was sent: send it back as `Last-Event-ID` (or `since`) and nothing is
/// skipped, though something may be repeated. After such a return the first `update` of a record may be news. A
/// `reset` says that everything follows anew. A closed alert is an `update`; a `remove` of an alert says that it is no
/// longer shown, and may name one the reader never had. Alerts and incidents come at once, the rest every 250 ms, the
/// newest of each vehicle. The vehicle filters narrow vehicles alone. At most 8 streams each, 500 altogether.
#[utoipa::path(get, path = "/v1/stream", tag = "changes",
    params(StreamQuery, ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event received.")),
    responses((status = 200, description = "Events.", body = String, content_type = "text/event-stream")))]
async fn follow(
    State(shared): State<Arc<Shared>>,
    Extension(principal): Extension<Principal>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    params: Params<StreamQuery>,
) -> Result<Response, ApiError> {
    let snapshot = shared.live()?;
    let following = Following::of(&params, &principal)?;
    // Unlike a poll, a stream that cannot be continued begins anew by itself.
    let said = match headers.get("last-event-id").and_then(|v| v.to_str().ok()) {
        Some(id) => Cursor::find(id),
        None => match params.one("since")? {
            Some(text) => Some(Cursor::find(text).ok_or_else(|| {
                ApiError::bad_parameter("since", text, "the id of an event, or meta.cursor of an answer")
            })?),
            None => None,
        },
    };
    let since = said.filter(|cursor| cursor.is_of(&snapshot)).map(|cursor| cursor.revision);
    let whose = match (&principal.name, peer) {
        (Some(name), _) => format!("token {name}"),
        (None, Some(Extension(ConnectInfo(address)))) => format!("address {}", address.ip()),
        (None, None) => "unnamed".to_owned(),
    };
    let seat = shared.seats.take(whose)?;
    let follower = Follower::new(Arc::clone(&shared), following, since, seat);
    let events = stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok::<_, Infallible>(event), follower))
    });
    let mut response = Sse::new(events).into_response();
    let to = response.headers_mut();
    to.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that gather answers would hold alarms back.
    to.insert("x-accel-buffering", HeaderValue::from_static("no"));
    to.insert(AS_OF, as_of_value(snapshot.as_of));
    Ok(response)
}
