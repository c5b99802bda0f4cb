//! The formats lists come in: our JSON, and whatever `publish` can write.

use axum::http::{HeaderMap, header};
use publish::{FORMATS, FormatDef};

use crate::problem::ApiError;

/// One of the formats of an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Format {
    /// `{data, meta}`.
    Json,
    /// One of `publish`.
    Other(&'static FormatDef),
}

impl Format {
    /// Every format there is.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::Json).chain(FORMATS.iter().map(Self::Other))
    }

    /// Its word for `f`.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Other(format) => format.code,
        }
    }

    /// `Content-Type`.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Other(format) => format.media_type,
        }
    }

    /// The media type without parameters.
    fn media(self) -> &'static str {
        self.media_type().split(';').next().unwrap_or_default().trim()
    }
}

/// What a route offers besides JSON.
pub(crate) type Offers = fn(&FormatDef) -> bool;

/// Formats that carry vehicles.
pub(crate) const OF_VEHICLES: Offers = |format| format.vehicles.is_some() && !format.own_route;
/// Formats that carry alerts.
pub(crate) const OF_ALERTS: Offers = |format| format.alerts.is_some();
/// Formats that carry incidents.
pub(crate) const OF_INCIDENTS: Offers = |format| format.incidents.is_some();
/// The wall is a text.
pub(crate) const OF_STATUS: Offers = |format| format.code == publish::formats::text::FORMAT.code;
/// Formats that carry a report.
pub(crate) const OF_REPORTS: Offers = |format| format.reports.is_some();
/// JSON and nothing else.
pub(crate) const JSON_ONLY: Offers = |_| false;

fn offered(offers: Offers) -> impl Iterator<Item = Format> {
    Format::all().filter(move |format| match format {
        Format::Json => true,
        Format::Other(def) => offers(def),
    })
}

/// The words `f` takes for `offers`.
pub(crate) fn codes(offers: Offers) -> Vec<&'static str> {
    offered(offers).map(Format::code).collect()
}

/// The media types of `offers`.
pub(crate) fn media_types(offers: Offers) -> Vec<&'static str> {
    offered(offers).map(Format::media_type).collect()
}

/// Which format to answer in: `f` decides, else Accept in its order, else JSON.
///
/// # Errors
/// 400 for an unknown `f`, 406 when Accept leaves nothing.
pub(crate) fn negotiate(f: Option<&str>, headers: &HeaderMap, offers: Offers) -> Result<Format, ApiError> {
    if let Some(f) = f {
        let found = offered(offers).find(|o| o.code().eq_ignore_ascii_case(f));
        return found.ok_or_else(|| ApiError::bad_parameter("f", f, &codes(offers).join(", ")));
    }
    let mut asked = false;
    let accepts = headers.get_all(header::ACCEPT);
    for range in accepts.iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(',')) {
        let media = range.split(';').next().unwrap_or_default().trim();
        if media.is_empty() {
            continue;
        }
        if media == "*/*" {
            return Ok(Format::Json);
        }
        asked = true;
        let fits = |o: &Format| {
            media.eq_ignore_ascii_case(o.media())
                || media.strip_suffix("/*").is_some_and(|kind| o.media().split('/').next() == Some(kind))
        };
        if let Some(format) = offered(offers).find(fits) {
            return Ok(format);
        }
    }
    if asked { Err(ApiError::not_acceptable(&media_types(offers).join(", "))) } else { Ok(Format::Json) }
}
