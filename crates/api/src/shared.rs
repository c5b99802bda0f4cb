//! What every route reads from: the published picture, the door for orders, and what the process lends us.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use alert::AlertId;
use bytes::Bytes;
use decode::{Decoded, Frame};
use picture::TrailPoint;
use publish::Recorded;
use tokio_util::sync::CancellationToken;
use transit::{Now, VehicleKey};

use crate::{
    Access, CommandDoor, Published, Snapshot, bodies::Bodies, problem::ApiError, snapshot::Collection, stream::Seats,
};

/// The last 60 minutes of a vehicle, oldest first; `None` when it is not known.
pub type TrailSource = Arc<dyn Fn(&VehicleKey) -> Option<Vec<TrailPoint>> + Send + Sync>;

/// What was recorded of the vehicles around an alert, with about so many points at most. Reads files: not for a task
/// that others wait for.
pub type EvidenceSource = Arc<dyn Fn(&AlertId, usize) -> Recorded + Send + Sync>;

/// What a frame says, as `decode` reads it.
pub type Decoder = Arc<dyn Fn(&Frame<'_>) -> Decoded + Send + Sync>;

/// Has a message recorded as one that came by the emergency lane: topic and body in, whether it is on disk out.
pub type Recorder = Arc<dyn Fn(String, Bytes) -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

/// Reads the clock.
pub type Clock = Arc<dyn Fn() -> Now + Send + Sync>;

/// The Prometheus text of the process.
pub type MetricsText = Arc<dyn Fn() -> String + Send + Sync>;

/// What the process lends to its routes.
#[derive(Clone)]
pub struct Sources {
    /// Where every read comes from.
    pub published: Arc<Published>,
    /// Where every order goes.
    pub commands: CommandDoor,
    /// The root of our topics.
    pub prefix: Arc<str>,
    /// For `POST /v1/validate`.
    pub decoder: Decoder,
    /// For `POST /v1/cap`.
    pub recorder: Recorder,
    /// For `…/trail`.
    pub trail: TrailSource,
    /// For `…/report`.
    pub evidence: EvidenceSource,
    /// Who may do what.
    pub access: Access,
    /// The clock of receive times.
    pub clock: Clock,
    /// For `/metrics`.
    pub metrics_text: MetricsText,
    /// Version of the program.
    pub version: &'static str,
    /// Ends streams and waits.
    pub shutdown: CancellationToken,
}

/// [`Sources`] with what the routes keep between requests.
pub struct Shared {
    pub(crate) sources: Sources,
    pub(crate) bodies: Bodies,
    pub(crate) seats: Arc<Seats>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("access", &self.sources.access).finish_non_exhaustive()
    }
}

/// An answer older than this is refused rather than read as live.
const STILL_MAX: Duration = Duration::from_secs(5);

impl Shared {
    /// Begins with nothing kept.
    pub fn new(sources: Sources) -> Arc<Self> {
        Arc::new(Self { sources, bodies: Bodies::default(), seats: Arc::default() })
    }

    /// The newest snapshot, dead or alive: for errors, probes and headers only.
    pub(crate) fn newest(&self) -> Arc<Snapshot> {
        self.sources.published.load()
    }

    /// Whether the publisher still moves.
    pub(crate) fn is_moving(&self) -> bool {
        self.sources.published.still_for() < STILL_MAX
    }

    /// The newest snapshot.
    ///
    /// # Errors
    /// 503 when it has not advanced for 5 s.
    pub(crate) fn live(&self) -> Result<Arc<Snapshot>, ApiError> {
        let snapshot = self.newest();
        if self.is_moving() { Ok(snapshot) } else { Err(ApiError::standing_still(&snapshot.as_of.to_string())) }
    }

    /// Waits until `collection` has changed after `since`, `wait_ms` have passed or the process ends; then the newest
    /// snapshot.
    ///
    /// # Errors
    /// 503 when the publisher has died meanwhile.
    pub(crate) async fn changed_after(
        &self,
        collection: &(dyn Fn(&Snapshot) -> u64 + Sync),
        since: u64,
        wait_ms: i64,
    ) -> Result<Arc<Snapshot>, ApiError> {
        let mut bell = self.sources.published.bell();
        let patience = tokio::time::sleep(Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0)));
        tokio::pin!(patience);
        loop {
            bell.mark_unchanged();
            let snapshot = self.live()?;
            if collection(&snapshot) > since {
                return Ok(snapshot);
            }
            tokio::select! {
                rung = bell.changed() => if rung.is_err() { return Ok(snapshot) },
                () = &mut patience => return self.live(),
                () = self.sources.shutdown.cancelled() => return Ok(snapshot),
            }
        }
    }

    /// As [`Self::changed_after`], for one collection.
    pub(crate) async fn wait_on(
        &self,
        collection: Collection,
        since: u64,
        wait_ms: i64,
    ) -> Result<Arc<Snapshot>, ApiError> {
        self.changed_after(&|s| s.changed(collection), since, wait_ms).await
    }
}
