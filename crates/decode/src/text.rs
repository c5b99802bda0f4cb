//! Values that are written as their display text. Knows no format.

use std::fmt;

use serde::{Serialize, Serializer};

/// A JSON string of what `T` displays, written without a copy of its own.
pub(crate) struct Text<T>(pub(crate) T);

impl<T: fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
