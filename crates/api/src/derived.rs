//! What follows from a part of a snapshot: made when first asked for, at most once, and shared by every copy.

use std::sync::{Arc, OnceLock};

/// A value that follows from a part of the snapshot. Whoever replaces that part replaces this by a new, empty one.
#[derive(Debug, Clone)]
pub struct Derived<T>(Arc<OnceLock<T>>);

impl<T> Default for Derived<T> {
    fn default() -> Self {
        Self(Arc::new(OnceLock::new()))
    }
}

impl<T> Derived<T> {
    /// The value; whoever comes first makes it and the others wait for that one.
    pub(crate) fn get_or_make(&self, make: impl FnOnce() -> T) -> &T {
        self.0.get_or_init(make)
    }

    /// The value, when it was asked for already.
    #[cfg(test)]
    pub(crate) fn made(&self) -> Option<&T> {
        self.0.get()
    }
}
