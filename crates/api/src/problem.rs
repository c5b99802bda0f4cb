//! Every error an answer can be, as RFC 9457 problem+json.
//!
//! One type, built by named functions; what went wrong inside is for the log, never for the client.

use std::collections::BTreeMap;

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use problem_details::{ProblemDetails, ProblemType};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// An answer that is an error. Boxed, because it travels in every `Result` and is rare.
#[derive(Debug, Clone)]
pub(crate) struct ApiError(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
    members: BTreeMap<&'static str, Value>,
    headers: HeaderMap,
}

/// The body of every error, RFC 9457.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document; the body itself is made by problem_details")]
pub(crate) struct Problem {
    /// Names the kind of error; `/problems/` and `code`.
    #[schema(example = "/problems/unknown-parameter")]
    r#type: String,
    /// The kind of error in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What is wrong with this request and how to repair it.
    detail: String,
    /// The kind of error, for programs.
    #[schema(example = "unknown-parameter")]
    code: String,
    /// The parameter, header or member that is wrong.
    parameter: Option<String>,
    /// The record as it is now, where an order was refused.
    record: Option<Value>,
    /// Who has the alert, where it was already taken.
    owner: Option<String>,
    /// Since when they have it.
    since: Option<String>,
    /// As of when the picture stands still.
    as_of: Option<String>,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            status,
            code,
            title,
            detail: detail.into(),
            members: BTreeMap::new(),
            headers: HeaderMap::new(),
        }))
    }

    /// Adds a member to the body.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.members.insert(name, value.into());
        self
    }

    fn header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    fn retry_after(self, seconds: &'static str) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from_static(seconds))
    }

    /// No route has this path.
    pub(crate) fn no_route(path: &str) -> Self {
        let detail = format!("There is nothing at {path}. What there is: /v1/openapi.json, or /docs in a browser.");
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    /// No such record.
    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", format!("There is no {what} {id}."))
    }

    /// The path exists, the method does not.
    pub(crate) fn method_not_allowed(method: &str) -> Self {
        let detail = format!("{method} is not offered here; the Allow header says what is.");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed", detail)
    }

    /// None of the formats offered is acceptable.
    pub(crate) fn not_acceptable(offered: &str) -> Self {
        Self::new(
            StatusCode::NOT_ACCEPTABLE,
            "not-acceptable",
            "Not acceptable",
            format!("Offered here: {offered}. Ask for one of them in Accept, or leave Accept away."),
        )
    }

    /// A parameter that this route does not have.
    pub(crate) fn unknown_parameter(name: &str, known: &str) -> Self {
        let known = if known.is_empty() { "none".to_owned() } else { known.to_owned() };
        Self::new(
            StatusCode::BAD_REQUEST,
            "unknown-parameter",
            "Unknown parameter",
            format!("There is no parameter {name}. Known here: {known}."),
        )
        .with("parameter", name)
    }

    /// A parameter that holds something it cannot.
    pub(crate) fn bad_parameter(name: &str, found: &str, allowed: &str) -> Self {
        let found: String = found.chars().take(64).collect();
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad-parameter",
            "Bad parameter",
            format!("{name}={found:?} cannot be used. Allowed: {allowed}."),
        )
        .with("parameter", name)
    }

    /// A parameter that this route cannot do without.
    pub(crate) fn missing_parameter(name: &str, needed: &str) -> Self {
        let detail = format!("{name} is missing. Needed: {needed}.");
        Self::new(StatusCode::BAD_REQUEST, "missing-parameter", "Missing parameter", detail).with("parameter", name)
    }

    /// Adds what was probably meant.
    pub(crate) fn meaning(mut self, nearest: Option<&str>) -> Self {
        if let Some(nearest) = nearest {
            self.0.detail.push_str(&format!(" Did you mean {nearest}?"));
        }
        self
    }

    /// The query cannot be read at all.
    pub(crate) fn bad_query() -> Self {
        let detail = "The query is not name=value pairs in percent-encoded UTF-8.";
        Self::new(StatusCode::BAD_REQUEST, "bad-query", "Bad query", detail)
    }

    /// A path level that is no id.
    pub(crate) fn bad_path(detail: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-path", "Bad path", detail)
    }

    /// The body is not JSON.
    pub(crate) fn bad_json(detail: &str) -> Self {
        let detail = format!("The body is not readable as JSON: {detail}.");
        Self::new(StatusCode::BAD_REQUEST, "bad-json", "Bad JSON", detail)
    }

    /// JSON, but not what is expected.
    pub(crate) fn bad_body(detail: &str) -> Self {
        let detail = format!("The body is JSON, but not what is expected: {detail}.");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-body", "Bad body", detail)
    }

    /// One member of the body is missing or wrong.
    pub(crate) fn bad_member(name: &str, detail: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-member", "Bad member", format!("{name}: {detail}."))
            .with("parameter", name)
    }

    /// The body is larger than the bound.
    pub(crate) fn too_large(limit: usize) -> Self {
        let detail = format!("The body is larger than {limit} bytes.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Body too large", detail)
    }

    /// The body came too slowly.
    pub(crate) fn too_slow() -> Self {
        let detail = "The body did not arrive in time.";
        Self::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "Request timeout", detail)
            .header(header::CONNECTION, HeaderValue::from_static("close"))
    }

    /// Not sent as JSON.
    pub(crate) fn not_json() -> Self {
        let detail = "Send the body with Content-Type: application/json.";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", "Unsupported media type", detail)
    }

    /// Not sent as XML.
    pub(crate) fn not_xml() -> Self {
        let detail = "Send the warning with Content-Type: application/cap+xml.";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-xml", "Unsupported media type", detail)
    }

    /// A warning that cannot be taken.
    pub(crate) fn bad_warning(why: &str) -> Self {
        let detail = format!("The body is no CAP warning that can be taken: {why}.");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-warning", "Bad warning", detail)
    }

    /// No usable credentials.
    pub(crate) fn unauthorized(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Unauthorized", detail)
            .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"topis\""))
    }

    /// Known, but not allowed.
    pub(crate) fn forbidden(detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Forbidden", detail)
    }

    /// A cursor that cannot be continued.
    pub(crate) fn gone(detail: &str) -> Self {
        Self::new(StatusCode::GONE, "cursor-gone", "Cursor gone", detail)
    }

    /// What is known no longer moves.
    pub(crate) fn standing_still(as_of: &str) -> Self {
        let detail = format!("The picture has not advanced since {as_of}; nothing here may be read as live.");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "standing-still", "Not live", detail)
            .with("as_of", as_of)
            .retry_after("2")
    }

    /// Every seat at the streams is taken.
    pub(crate) fn no_seat(detail: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "no-seat", "Too many streams", detail).retry_after("5")
    }

    /// The door for orders is full.
    pub(crate) fn busy() -> Self {
        let detail = "Too many orders are waiting. Nothing was changed; repeat with the same Idempotency-Key.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Busy", detail).retry_after("1")
    }

    /// The order went in and no answer came out.
    pub(crate) fn unanswered() -> Self {
        let detail = "The order was not answered in time and may or may not have been saved; \
                      repeat it with the same Idempotency-Key to learn which.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unanswered", "Unanswered", detail).retry_after("1")
    }

    /// The journal cannot be written.
    pub(crate) fn not_saved(full: bool) -> Self {
        let (status, why) = if full {
            (StatusCode::INSUFFICIENT_STORAGE, "the disk is full")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "the journal cannot be written")
        };
        let detail = format!("Not saved: {why}. Nothing was changed; reading and alarming go on.");
        Self::new(status, "not-saved", "Not saved", detail).retry_after("5")
    }

    /// An order that the record does not allow any more.
    pub(crate) fn conflict(code: &'static str, title: &'static str, detail: String) -> Self {
        Self::new(StatusCode::CONFLICT, code, title, detail)
    }

    /// Our own fault; says nothing.
    pub(crate) fn internal() -> Self {
        let detail = "Something went wrong on our side; it is in the log.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", detail)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Parts { status, code, title, detail, mut members, headers } = *self.0;
        members.insert("code", json!(code));
        let mut problem =
            ProblemDetails::new().with_status(status).with_title(title).with_detail(detail).with_extensions(members);
        if let Ok(uri) = format!("/problems/{}", code).parse::<axum::http::Uri>() {
            problem = problem.with_type(ProblemType::from(uri));
        }
        let mut response = problem.into_response();
        response.headers_mut().extend(headers);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
