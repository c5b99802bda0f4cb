//! The page somebody sees who opens the address in a browser.

use axum::{
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Routes;
use crate::params::{NoQuery, Params};

const FRONT: &str = include_str!("front.html");

/// Nothing but our own text and links.
const FRONT_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'none'; script-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(front))
}

/// Where to go from here.
#[utoipa::path(get, path = "/", tag = "meta", params(NoQuery),
    responses((status = 200, description = "A page.", body = String, content_type = "text/html; charset=utf-8")))]
async fn front(_: Params<NoQuery>) -> Response {
    let mut response = Html(FRONT).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, FRONT_POLICY);
    response
}
