//! What follows from a part of a snapshot: made when first asked for, at most once, and shared by every copy.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering::Relaxed},
};

/// A value that follows from a part of the snapshot. Whoever replaces that part replaces this by a new, empty one.
#[derive(Debug, Clone)]
pub struct Derived<T>(Arc<Made<T>>);

#[derive(Debug)]
struct Made<T> {
    value: OnceLock<T>,
    asked: AtomicBool,
}

impl<T> Default for Derived<T> {
    fn default() -> Self {
        Self(Arc::new(Made { value: OnceLock::new(), asked: AtomicBool::new(false) }))
    }
}

impl<T> Derived<T> {
    /// The value; whoever comes first makes it and the others wait for that one.
    pub(crate) fn get_or_make(&self, make: impl FnOnce() -> T) -> &T {
        self.0.asked.store(true, Relaxed);
        self.0.value.get_or_init(make)
    }

    /// Makes it before anybody asks.
    pub(crate) fn make_ahead(&self, make: impl FnOnce() -> T) {
        self.0.value.get_or_init(make);
    }

    /// Whether anybody asked.
    pub fn was_asked(&self) -> bool {
        self.0.asked.load(Relaxed)
    }

    /// The value, when it was made already.
    pub fn made(&self) -> Option<&T> {
        self.0.value.get()
    }
}
