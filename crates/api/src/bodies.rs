//! Whole lists, encoded once per revision whoever asks, and compressed at most once a second.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use axum::http::HeaderValue;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use tokio::{sync::Mutex, time::Instant};
use transit::{UtcMillis, Word as _, words};

use crate::{Snapshot, etag::etag, format::Format, problem::ApiError, snapshot::Collection};

words! {
    /// A whole list that is kept encoded.
    Whole as "whole" {
        /// Every vehicle.
        Vehicles = "vehicles",
        /// Open alerts as viewers see them.
        AlertsForViewers = "alerts_for_viewers",
        /// Open alerts as operators see them.
        AlertsForOperators = "alerts_for_operators",
        /// Active incidents.
        Incidents = "incidents",
        /// What the public was told.
        Advisories = "advisories",
        /// Feeds.
        Feeds = "feeds",
        /// The wall as viewers see it.
        StatusForViewers = "status_for_viewers",
        /// The wall as operators see it.
        StatusForOperators = "status_for_operators",
    }
}

/// How a whole list is made.
pub(crate) struct Recipe {
    /// Which.
    pub(crate) whole: Whole,
    /// In which format.
    pub(crate) format: Format,
    /// Whose changes make it stale.
    pub(crate) collection: Collection,
    /// Its body.
    pub(crate) encode: Encode,
}

/// Makes a body.
#[derive(Clone, Copy)]
pub(crate) enum Encode {
    /// It says of what instant it is, as everything of ours does.
    AsOf(fn(&Snapshot, Format) -> Vec<u8>),
    /// It carries a time in whole seconds by which its readers tell new from old: one body a second, and a second for
    /// each body, that never goes back, whatever the clock does.
    Stamped(fn(&Snapshot, Format, UtcMillis) -> Vec<u8>),
}

impl Recipe {
    fn is_stamped(&self) -> bool {
        matches!(self.encode, Encode::Stamped(_))
    }
}

/// One list as bytes.
#[derive(Debug)]
pub(crate) struct Encoded {
    /// The revision it shows.
    pub(crate) revision: u64,
    /// When that was true.
    pub(crate) as_of: UtcMillis,
    /// Its tag.
    pub(crate) etag: HeaderValue,
    /// The bytes.
    pub(crate) body: Bytes,
    /// The bytes are gzip.
    pub(crate) gzip: bool,
}

#[derive(Default)]
struct Slot {
    plain: ArcSwapOption<Encoded>,
    packed: ArcSwapOption<(Instant, Arc<Encoded>)>,
    /// Held by whoever encodes; the last second that a body was stamped with.
    turn: Mutex<i64>,
}

/// Bodies smaller than this are not worth compressing.
const WORTH_PACKING: usize = 1_400;

/// Compression is repeated no sooner.
const PACK_EVERY: Duration = Duration::from_secs(1);

/// A wall on which nothing happens is painted anew no sooner.
const REPAINT_MS: i64 = 1_000;

/// The kept bodies.
pub(crate) struct Bodies {
    slots: BTreeMap<(Whole, &'static str), Slot>,
    encodes: AtomicU64,
}

/// A slot for every list in every format there is, so that keeping one never needs a lock on the whole.
impl Default for Bodies {
    fn default() -> Self {
        let lists = Whole::ALL.iter();
        let keys = lists.flat_map(|whole| Format::all().map(|format| (*whole, format.code())));
        Self { slots: keys.map(|key| (key, Slot::default())).collect(), encodes: AtomicU64::new(0) }
    }
}

impl Bodies {
    fn slot(&self, recipe: &Recipe) -> &Slot {
        self.slots.get(&(recipe.whole, recipe.format.code())).expect("every list has a slot in every format")
    }

    /// How often any list was encoded.
    #[cfg(test)]
    pub(crate) fn encodes(&self) -> u64 {
        self.encodes.load(Ordering::Relaxed)
    }

    /// The list as of `snapshot`, encoded by whoever comes first; the others wait for that one.
    pub(crate) async fn plain(&self, recipe: &Recipe, snapshot: &Arc<Snapshot>) -> Result<Arc<Encoded>, ApiError> {
        let slot = self.slot(recipe);
        let revision = snapshot.changed(recipe.collection);
        let kept = || {
            let encoded = slot.plain.load_full()?;
            let is_kept =
                if recipe.is_stamped() { is_of_this_second(snapshot, &encoded) } else { !is_old(snapshot, &encoded) };
            (is_kept && (encoded.revision >= revision || recipe.is_stamped())).then_some(encoded)
        };
        if let Some(encoded) = kept() {
            return Ok(encoded);
        }
        let mut stamp = slot.turn.lock().await;
        if let Some(encoded) = kept() {
            return Ok(encoded);
        }
        let (encode, format) = (recipe.encode, recipe.format);
        let read = Arc::clone(snapshot);
        // Nobody else will be given the old one: a fleet's body is large, and two of them are not needed at once.
        slot.plain.store(None);
        let body = match encode {
            Encode::AsOf(encode) => aside(move || encode(&read, format)).await?,
            Encode::Stamped(encode) => {
                *stamp = (*stamp + 1).max(snapshot.as_of.0.div_euclid(1_000));
                let stamp = UtcMillis(*stamp * 1_000);
                aside(move || encode(&read, format, stamp)).await?
            }
        };
        let total = self.encodes.fetch_add(1, Ordering::Relaxed) + 1;
        metrics::counter!("topis_body_encodes_total").absolute(total);
        let encoded = Arc::new(Encoded {
            revision,
            as_of: snapshot.as_of,
            etag: etag(&snapshot.epoch, revision),
            body: Bytes::from(body),
            gzip: false,
        });
        slot.plain.store(Some(Arc::clone(&encoded)));
        Ok(encoded)
    }

    /// The list compressed: as of `snapshot`, or for positions as of at most a second earlier, because compressing a
    /// fleet for every revision would cost more than everything else. It says its own `as_of`.
    pub(crate) async fn packed(&self, recipe: &Recipe, snapshot: &Arc<Snapshot>) -> Result<Arc<Encoded>, ApiError> {
        let slot = self.slot(recipe);
        let revision = snapshot.changed(recipe.collection);
        let kept = || {
            let packed = slot.packed.load();
            let (made, encoded) = packed.as_deref()?;
            if recipe.is_stamped() {
                let plain = slot.plain.load();
                let is_the_same = plain.as_ref().is_some_and(|plain| plain.as_of == encoded.as_of);
                return (is_the_same && is_of_this_second(snapshot, encoded)).then(|| (true, Arc::clone(encoded)));
            }
            if encoded.revision >= revision && !is_old(snapshot, encoded) && recipe.collection != Collection::Everything
            {
                return Some((true, Arc::clone(encoded)));
            }
            let replaceable = recipe.collection == Collection::Vehicles;
            (made.elapsed() < PACK_EVERY).then(|| (replaceable, Arc::clone(encoded)))
        };
        if let Some((true, encoded)) = kept() {
            return Ok(encoded);
        }
        let plain = self.plain(recipe, snapshot).await?;
        if plain.body.len() < WORTH_PACKING {
            return Ok(plain);
        }
        let _turn = slot.turn.lock().await;
        match kept() {
            Some((true, encoded)) => return Ok(encoded),
            // An alert is not shown late for the sake of a few bytes: it goes out as it is.
            Some((false, _)) => return Ok(plain),
            None => {}
        }
        let body = plain.body.clone();
        let Some(packed) = aside(move || gzip(&body)).await? else { return Ok(plain) };
        let encoded = Arc::new(Encoded {
            revision: plain.revision,
            as_of: plain.as_of,
            etag: plain.etag.clone(),
            body: Bytes::from(packed),
            gzip: true,
        });
        slot.packed.store(Some(Arc::new((Instant::now(), Arc::clone(&encoded)))));
        Ok(encoded)
    }
}

/// Ages have to move though nothing happens: a body is true as of its own `as_of`.
fn is_old(snapshot: &Snapshot, encoded: &Encoded) -> bool {
    snapshot.as_of.since(encoded.as_of) >= REPAINT_MS
}

/// Whether a stamped body still stands for what `snapshot` shows; one from before the clock was set back does not.
fn is_of_this_second(snapshot: &Snapshot, encoded: &Encoded) -> bool {
    snapshot.as_of.since(encoded.as_of).abs() < REPAINT_MS
}

/// Runs work of milliseconds where it holds up no connection.
pub(crate) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "encoding failed");
        ApiError::internal()
    })
}

fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    use std::io::Write as _;
    // The fastest level: a fleet shrinks eightfold with it, and a better level costs more than it saves on a LAN.
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 6), Compression::fast());
    encoder.write_all(body).and_then(|()| encoder.finish()).ok()
}
