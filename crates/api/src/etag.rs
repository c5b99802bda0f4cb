//! Cursors, entity tags and the rule that nothing dead is read as live.

use std::{cell::RefCell, fmt::Write as _};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use transit::UtcMillis;

use crate::{Snapshot, problem::ApiError};

/// The header that says as of when an answer is true, on 304 too.
pub(crate) const AS_OF: HeaderName = HeaderName::from_static("topis-as-of");

/// A point in the life of one process: everything up to `revision` of `epoch` is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    epoch: String,
    /// The revision.
    pub(crate) revision: u64,
}

impl Cursor {
    /// Reads `<epoch>-<revision>`.
    pub(crate) fn find(text: &str) -> Option<Self> {
        let (epoch, revision) = text.trim().rsplit_once('-')?;
        if epoch.is_empty() || !revision.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Some(Self { epoch: epoch.to_owned(), revision: revision.parse().ok()? })
    }

    /// Belongs to the life of this process and lies in its past.
    pub(crate) fn is_of(&self, snapshot: &Snapshot) -> bool {
        *self.epoch == *snapshot.epoch && self.revision <= snapshot.revision
    }

    /// Reads the parameter `name` and refuses cursors that cannot be continued.
    ///
    /// # Errors
    /// 400 when it is no cursor, 410 when it is of another life of the process or reaches back too far.
    pub(crate) fn parse(name: &str, text: &str, snapshot: &Snapshot, floor: u64) -> Result<Self, ApiError> {
        let Some(cursor) = Self::find(text) else {
            return Err(ApiError::bad_parameter(name, text, "meta.cursor or meta.next of an earlier answer"));
        };
        if !cursor.is_of(snapshot) {
            return Err(ApiError::gone(
                "The service has started anew since this cursor was given; read the whole list.",
            ));
        }
        if cursor.revision < floor {
            return Err(ApiError::gone("This cursor is older than the changes that are kept; read the whole list."));
        }
        Ok(cursor)
    }
}

/// `<epoch>-<revision>`.
pub(crate) fn cursor_text(snapshot: &Snapshot, revision: u64) -> String {
    format!("{}-{revision}", snapshot.epoch)
}

/// `W/"<epoch>-<r>"`.
pub(crate) fn etag(epoch: &str, revision: u64) -> HeaderValue {
    let mut text = String::with_capacity(epoch.len() + 28);
    // Writing to a String cannot fail.
    if write!(text, "W/\"{epoch}-{revision}\"").is_err() {
        text.clear();
    }
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("W/\"0\""))
}

/// The revision that If-None-Match says the client has of this process, if it does.
pub(crate) fn known_revision(headers: &HeaderMap, epoch: &str) -> Option<u64> {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .filter_map(|tag| {
            let tag = tag.trim();
            let tag = tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')?.strip_suffix('"')?;
            let (life, revision) = tag.rsplit_once('-')?;
            if life == epoch { revision.parse().ok() } else { None }
        })
        .max()
}

/// `as_of` as a header. Every answer carries it and it moves ten times a second at most, so that each thread keeps the
/// last one.
pub(crate) fn as_of_value(as_of: UtcMillis) -> HeaderValue {
    thread_local! {
        static LAST: RefCell<(UtcMillis, HeaderValue)> =
            const { RefCell::new((UtcMillis(i64::MIN), HeaderValue::from_static("unknown"))) };
    }
    LAST.with_borrow_mut(|(known, value)| {
        if *known != as_of {
            *value = HeaderValue::from_str(&as_of.to_string()).unwrap_or(HeaderValue::from_static("unknown"));
            *known = as_of;
        }
        value.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_an_epoch_may_hold_dashes() {
        assert_eq!(Cursor::find("a-b-17"), Some(Cursor { epoch: "a-b".into(), revision: 17 }));
        for bad in ["", "17", "a-", "-17", "a-x", "a--", "a-99999999999999999999999"] {
            assert_eq!(Cursor::find(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_tag_is_compared_weakly_and_among_several() {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("\"other-9\", W/\"e-4\", \"e-7\""));
        assert_eq!(known_revision(&headers, "e"), Some(7));
        assert_eq!(known_revision(&headers, "f"), None);
    }
}
