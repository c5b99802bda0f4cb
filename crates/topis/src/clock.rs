//! The one place where the process reads a clock. Everything else is handed [`Now`].

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use transit::{Now, UtcMillis};

/// The shortest pause between two looks, however fast the clock runs: a pause of nothing would be all work.
const PAUSE_MIN: Duration = Duration::from_millis(20);

/// Where `now` comes from.
#[derive(Debug, Clone)]
pub(crate) enum Clock {
    /// The machine's clock.
    Wall {
        /// Zero of the monotonic reading.
        origin: Instant,
    },
    /// A virtual clock that simulator and service share in one process, so that a day can pass in minutes.
    Simulated {
        /// Zero of the monotonic reading.
        origin: Instant,
        /// Virtual instant at `origin`.
        start: UtcMillis,
        /// Virtual seconds a second.
        speed: f64,
    },
}

impl Clock {
    /// The machine's clock.
    pub(crate) fn wall() -> Self {
        Self::Wall { origin: Instant::now() }
    }

    /// A clock that starts at the wall's time and runs `speed` times as fast.
    pub(crate) fn simulated(speed: f64) -> Self {
        Self::Simulated { origin: Instant::now(), start: Timestamp::now().into(), speed }
    }

    /// This instant.
    pub(crate) fn now(&self) -> Now {
        match self {
            Self::Wall { origin } => Now {
                utc: Timestamp::now().into(),
                mono_ms: u64::try_from(origin.elapsed().as_millis()).unwrap_or(u64::MAX),
            },
            Self::Simulated { origin, start, speed } => {
                let passed_ms = origin.elapsed().as_secs_f64() * 1000.0 * speed;
                Now { utc: start.plus_millis(passed_ms as i64), mono_ms: passed_ms as u64 }
            }
        }
    }

    /// How long a pause of this clock's time takes on the machine's, so that whoever looks once a second sees each
    /// second of a day that passes in minutes.
    pub(crate) fn pause(&self, span: Duration) -> Duration {
        match self {
            Self::Wall { .. } => span,
            Self::Simulated { speed, .. } => span.div_f64(*speed).max(PAUSE_MIN.min(span)),
        }
    }

    /// `wall` or `simulated`, as `/v1/status` says it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Wall { .. } => "wall",
            Self::Simulated { .. } => "simulated",
        }
    }

    /// As a function to hand to the crates that stamp what they receive.
    pub(crate) fn reader(&self) -> Arc<dyn Fn() -> Now + Send + Sync> {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }
}
