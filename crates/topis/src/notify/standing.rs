//! How an endpoint stands, for those who show it.

use std::sync::{Mutex, PoisonError};

use api::Degraded;
use transit::Now;

use super::pace::Failing;

/// A receiver that restarts is nobody's business; after this it is, in milliseconds.
const TOLD_AFTER_MS: u64 = 60_000;

/// Written by the endpoint, read by whoever looks at our health.
#[derive(Debug)]
pub(crate) struct Standing {
    endpoint: String,
    failing: Mutex<Option<Failing>>,
}

impl Standing {
    /// Nothing is wrong yet.
    pub(crate) fn new(endpoint: &str) -> Self {
        Self { endpoint: endpoint.to_owned(), failing: Mutex::default() }
    }

    /// How it is now.
    pub(crate) fn set(&self, failing: Option<Failing>) {
        *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = failing;
    }

    /// What is worse than it should be, once it has been so for a while.
    pub(crate) fn complaint(&self, now: Now) -> Option<Degraded> {
        let failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let lasts_ms = now.mono_ms.saturating_sub(failing.since.mono_ms);
        (lasts_ms >= TOLD_AFTER_MS).then(|| Degraded {
            code: "webhook_failing".to_owned(),
            scope: format!("webhook:{}", self.endpoint),
            since: failing.since.utc,
            detail: format!("{} attempts failed; the last: {}", failing.times, failing.why),
        })
    }
}

#[cfg(test)]
mod tests {
    use transit::UtcMillis;

    use super::*;

    #[test]
    fn a_receiver_is_shown_as_failing_after_a_minute_and_no_longer_when_it_answers() {
        let now = |second: u64| Now { utc: UtcMillis(0), mono_ms: second * 1000 };
        let standing = Standing::new("pager");
        assert_eq!(standing.complaint(now(0)), None);
        let failing = Failing::again(None, "connection refused".to_owned(), now(0));
        standing.set(Some(failing));
        assert_eq!(standing.complaint(now(59)), None);
        let told = standing.complaint(now(60)).unwrap();
        assert_eq!((told.code.as_str(), told.scope.as_str()), ("webhook_failing", "webhook:pager"));
        assert_eq!(told.detail, "1 attempts failed; the last: connection refused");
        standing.set(None);
        assert_eq!(standing.complaint(now(60)), None);
    }
}
