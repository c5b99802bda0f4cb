//! All routes behind one guard: who asks, which headers every answer has, and what answers when no route does.

use std::{any::Any, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::{
    Shared,
    etag::{AS_OF, as_of_value},
    openapi,
    problem::ApiError,
};

const NOSNIFF: (HeaderName, HeaderValue) = (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));

/// The documentation's pages bring their own scripts and inline styles, and nothing from elsewhere.
const DOCS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; \
     base-uri 'none'; frame-ancestors 'none'",
);

/// Every route of the HTTP contract.
pub fn router(shared: Arc<Shared>) -> Router {
    let docs = SwaggerUi::new("/docs").config(Config::from("/v1/openapi.json").validator_url("none"));
    openapi::parts()
        .0
        .merge(docs)
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), guard))
        .layer(CatchPanicLayer::custom(after_panic))
        .with_state(shared)
}

async fn no_route(uri: Uri) -> ApiError {
    ApiError::no_route(uri.path())
}

async fn no_method(method: Method) -> ApiError {
    ApiError::method_not_allowed(method.as_str())
}

/// Lets requests in, and gives every answer what every answer has.
async fn guard(State(shared): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    let is_docs = request.uri().path().starts_with("/docs");
    let admitted = shared.sources.access.admit(request.method(), request.uri(), request.headers());
    let mut response = match admitted {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(refused) => refused.into_response(),
    };
    let headers = response.headers_mut();
    if !headers.contains_key(AS_OF) {
        headers.insert(AS_OF, as_of_value(shared.newest().as_of));
    }
    headers.insert(NOSNIFF.0, NOSNIFF.1);
    if is_docs {
        headers.insert(header::CONTENT_SECURITY_POLICY, DOCS_POLICY);
    }
    response
}

/// The panic itself was logged by the process's hook.
fn after_panic(_: Box<dyn Any + Send + 'static>) -> Response {
    ApiError::internal().into_response()
}
