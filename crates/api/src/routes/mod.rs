//! The routes, one file a noun. A new resource is a file here and one line in [`all`].

mod alerts;
mod changes;
mod commands;
mod feeds;
mod gtfs_rt;
mod incidents;
mod list;
mod meta;
mod pages;
mod probes;
mod status;
mod stream;
mod validate;

pub use validate::verdict_json;
mod vehicles;

use std::{
    fmt::{self, Display},
    sync::Arc,
};

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::de::DeserializeOwned;
use utoipa_axum::router::OpenApiRouter;

use crate::{Shared, problem::ApiError};

pub(crate) use alerts::{gather as gather_alerts, sees_covert};
pub(crate) use incidents::gather as gather_incidents;
pub(crate) use list::{Page, cut, order_asked, page_params, wait_if_asked};

/// A part of the router with its documentation.
pub(crate) type Routes = OpenApiRouter<Arc<Shared>>;

/// Every documented route.
pub(crate) fn all(doc: utoipa::openapi::OpenApi) -> Routes {
    OpenApiRouter::with_openapi(doc)
        .merge(status::routes())
        .merge(vehicles::routes())
        .merge(alerts::routes())
        .merge(commands::routes())
        .merge(incidents::routes())
        .merge(feeds::routes())
        .merge(validate::routes())
        .merge(changes::routes())
        .merge(stream::routes())
        .merge(gtfs_rt::routes())
        .merge(meta::routes())
        .merge(probes::routes())
        .merge(pages::routes())
}

/// The levels of a path, decoded.
pub(crate) struct Levels<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Levels<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, from: &S) -> Result<Self, ApiError> {
        match Path::<T>::from_request_parts(parts, from).await {
            Ok(Path(levels)) => Ok(Self(levels)),
            Err(rejection) => Err(ApiError::bad_path(&format!("{}.", rejection.body_text()))),
        }
    }
}

const LEVEL: &AsciiSet = &CONTROLS.add(b'/').add(b'%').add(b'+').add(b'#').add(b'?').add(b' ');

/// A text as one level of a path.
pub(crate) fn level(text: &str) -> impl Display + '_ {
    struct Level<'a>(&'a str);
    impl Display for Level<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            Display::fmt(&utf8_percent_encode(self.0, LEVEL), f)
        }
    }
    Level(text)
}
