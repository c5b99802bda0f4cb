//! Request bodies: JSON only, bounded in size and time.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, header},
};
use bytes::Bytes;
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::problem::ApiError;

/// The largest body.
pub(crate) const BODY_MAX: usize = 64 * 1024;

/// A body that trickles in any slower holds a connection for nothing.
const BODY_PATIENCE: Duration = Duration::from_secs(10);

/// Reads a JSON body.
///
/// # Errors
/// 415 for another content type, 413 beyond the bound, 408 too slow, 400 no JSON, 422 other JSON than expected.
pub(crate) async fn read_json<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, ApiError> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if !["application/json", "application/geo+json"].iter().any(|known| media.eq_ignore_ascii_case(known)) {
        return Err(ApiError::not_json());
    }
    let bytes = read_bytes(body, BODY_MAX).await?;
    let mut read = serde_json::Deserializer::from_slice(&bytes);
    let value = serde_path_to_error::deserialize(&mut read).map_err(|error| match error.inner().classify() {
        Category::Data => ApiError::wrong_type(&error),
        Category::Io | Category::Syntax | Category::Eof => ApiError::bad_json(&error.inner().to_string()),
    })?;
    read.end().map_err(|error| ApiError::bad_json(&error.to_string()))?;
    Ok(value)
}

impl ApiError {
    /// A body of JSON whose members are not what is expected; names the member.
    pub(crate) fn wrong_type(error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let (path, detail) = (error.path().to_string(), in_words(error.inner()));
        if path == "." || detail.starts_with("unknown field") {
            return Self::bad_body(&detail);
        }
        Self::bad_body(&format!("{path}: {detail}")).with("parameter", path)
    }
}

/// What is wrong, for somebody who does not know our language's types.
fn in_words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // Where in the text a body without line breaks is wrong says nothing to its sender.
    let text = text.split_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    let Some((what, expected)) = text.rsplit_once(", expected ") else { return text.to_owned() };
    let expected = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not negative",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        other => other,
    };
    format!("{what}, expected {expected}")
}

/// Reads a body of at most `most` bytes.
///
/// # Errors
/// 413 beyond the bound, 408 too slow, 400 broken off.
pub(crate) async fn read_bytes(body: Body, most: usize) -> Result<Bytes, ApiError> {
    match tokio::time::timeout(BODY_PATIENCE, axum::body::to_bytes(body, most)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => {
            let mut cause: Option<&dyn std::error::Error> = Some(&error);
            while let Some(inner) = cause {
                if inner.is::<LengthLimitError>() {
                    return Err(ApiError::too_large(most));
                }
                cause = inner.source();
            }
            Err(ApiError::bad_json("it broke off"))
        }
        Err(_) => Err(ApiError::too_slow()),
    }
}
