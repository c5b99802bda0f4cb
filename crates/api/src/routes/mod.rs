//! The routes, one file a noun. A new resource is a file here and one line in [`all`].

mod alerts;
mod area;
mod cap;
mod cards;
mod changes;
mod commands;
mod exceptions;
mod feeds;
mod gtfs_rt;
mod incident_orders;
mod incidents;
mod list;
mod load;
mod meta;
mod pages;
mod places;
mod probes;
mod proposals;
mod raise;
mod reports;
mod status;
mod stream;
mod suppressions;
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

pub(crate) use alerts::{gather as gather_alerts, hidden as gather_hidden, sees_covert};
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
        .merge(raise::routes())
        .merge(commands::routes())
        .merge(suppressions::routes())
        .merge(exceptions::routes())
        .merge(load::routes())
        .merge(incidents::routes())
        .merge(incident_orders::routes())
        .merge(cap::routes())
        .merge(area::routes())
        .merge(cards::routes())
        .merge(reports::routes())
        .merge(places::routes())
        .merge(proposals::routes())
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

/// What an order is about, as alerts say it: `vehicle:18/423`, `stop:..`, `line:..`, `area:..`, `feed:..`.
pub(crate) fn subject_of(name: &'static str, text: &str) -> Result<alert::Subject, ApiError> {
    let bad = || {
        let detail =
            "has to be like vehicle:18/423, stop:1050109, line:402, area:name, feed:native or incident:source/id";
        ApiError::bad_member(name, detail)
    };
    let (kind, rest) = text.split_once(':').filter(|(_, rest)| !rest.is_empty()).ok_or_else(bad)?;
    if rest.chars().count() > 200 || rest.chars().any(char::is_control) {
        return Err(bad());
    }
    let rest = rest.to_owned();
    Ok(match kind {
        "vehicle" => alert::Subject::Vehicle(transit::VehicleKey::parse(&rest).ok().ok_or_else(bad)?),
        "stop" => alert::Subject::Stop(rest),
        "line" => alert::Subject::Line(rest),
        "area" => alert::Subject::Area(rest),
        "incident" => alert::Subject::Incident(rest),
        "feed" => alert::Subject::Feed { feed: transit::FeedId::parse(&rest).ok().ok_or_else(bad)?, scope: None },
        _ => return Err(bad()),
    })
}
