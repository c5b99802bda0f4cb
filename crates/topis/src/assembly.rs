//! The service: every task of it, started in the order of the line and stopped in reverse.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use api::{Access, ServeLimits, Shared, Sources};
use decode::Feeds;
use journal::SqliteLog;
use metrics_exporter_prometheus::PrometheusHandle;
use picture::{Picture, PictureOptions};
use room::{ControlRoom, RoomOptions};
use tokio::{net::TcpListener, runtime::Handle, sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    board::Board,
    clock::Clock,
    config::Config,
    health::Health,
    ledger::Ledger,
    links::Links,
    owner::{self, Doors, Owner},
    scribe::Scribe,
    ticker::Ticker,
    workers::{self, Bench, TallySlot},
};

/// Orders that may wait for the room; one more is a 503.
const ORDERS_MAX: usize = 1_024;
/// How long open requests and sessions may take to end at shutdown.
const GRACE: Duration = Duration::from_secs(5);

/// A running service.
pub(crate) struct Assembly {
    /// Where HTTP answers.
    pub(crate) http: SocketAddr,
    /// Where the embedded broker listens; `None` with a foreign one.
    pub(crate) broker: Option<SocketAddr>,
    stop: CancellationToken,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Assembly {
    /// Opens the journal, replays it, and starts every task.
    ///
    /// # Errors
    /// The journal cannot be opened or replayed, or an address is taken.
    pub(crate) async fn start(
        config: Config,
        clock: Clock,
        http: TcpListener,
        metrics: PrometheusHandle,
    ) -> anyhow::Result<Self> {
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let feeds = Arc::new(read_feeds(&config)?);
        let (room, journal) = open_room(&config)?;
        let picture = PictureOptions { hash_seed: random_seed()?, ..config.picture.clone() };
        let picture = Arc::new(Picture::new(picture));
        let ledger = Arc::new(Ledger::default());
        let board = Arc::new(Board::new(&new_epoch(), room.clone(), clock.name(), clock.now()));
        let links = Links::open(&config, &feeds, clock.reader(), &stop, &mut tasks).await?;
        let embedded = links.embedded;
        let bench = Bench {
            feeds: Arc::clone(&feeds),
            picture: Arc::clone(&picture),
            ledger: Arc::clone(&ledger),
            emergencies: links.emergency_lane.clone(),
            clock: clock.clone(),
        };
        let slots = spawn_workers(&mut tasks, Arc::new(bench), &links.lanes, &stop);

        let (orders, commands) = mpsc::channel(ORDERS_MAX);
        let owner = Owner {
            room,
            scribe: Scribe::start(Box::new(journal))?,
            feeds: Arc::clone(&feeds),
            ledger: Arc::clone(&ledger),
            board: Arc::clone(&board),
            outbox: links.outbox,
            prefix: config.mqtt_prefix.clone(),
            clock: clock.clone(),
            trouble: None,
        };
        let doors = Doors { emergencies: links.emergencies, commands, stop: stop.clone() };
        spawn_thread(&mut tasks, "room", move |runtime| runtime.block_on(owner.run(doors)))?;

        let feed_ids = config.feeds.iter().map(|feed| feed.id.clone()).collect();
        let ticker = Ticker {
            publisher: picture.publisher(clock.now()),
            picture: Arc::clone(&picture),
            board: Arc::clone(&board),
            ledger,
            slots,
            health: Health::new(links.status, feed_ids, links.lanes, links.emergency_lane),
            clock: clock.clone(),
            pages_seen: 0,
        };
        let ticking = stop.clone();
        spawn_thread(&mut tasks, "picture", move |runtime| {
            ticker.run(runtime, &ticking);
            Ok(())
        })?;

        let bound = http.local_addr()?;
        let sources = Sources {
            published: board.published(),
            commands: orders,
            decoder: Arc::new(move |frame| feeds.decode(frame)),
            trail: Arc::new(move |key| picture.trail(key)),
            access: config.http.tokens.map_or(Access::Open { listen: bound }, Access::Tokens),
            clock: clock.reader(),
            metrics_text: Arc::new(move || metrics.render()),
            version: env!("CARGO_PKG_VERSION"),
            shutdown: stop.clone(),
        };
        let limits = ServeLimits { connections: config.http.max_connections, ..ServeLimits::default() };
        let serving = api::serve(http, api::router(Shared::new(sources)), stop.clone(), limits);
        tasks.spawn(async move { serving.await.context("HTTP ended") });
        Ok(Self { http: bound, broker: embedded, stop, tasks })
    }

    /// A handle that stops the service.
    pub(crate) fn stopper(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Waits until the service was told to stop or a task ended by itself, then ends everything: half a control room
    /// is worse than a restart by a supervisor.
    ///
    /// # Errors
    /// The first task that failed.
    pub(crate) async fn join(mut self) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        if let Some(ended) = self.tasks.join_next().await {
            // The first one ends because it was told to, or is what went wrong.
            outcome = told(ended);
            if outcome.is_ok() && !self.stop.is_cancelled() {
                outcome = Err(anyhow::anyhow!("a task ended by itself"));
            }
        }
        self.stop.cancel();
        let rest = async {
            while let Some(ended) = self.tasks.join_next().await {
                outcome = std::mem::replace(&mut outcome, Ok(())).and(told(ended));
            }
        };
        if tokio::time::timeout(GRACE, rest).await.is_err() {
            tracing::warn!("some tasks did not end in time and were cut");
        }
        outcome
    }
}

fn told(ended: Result<anyhow::Result<()>, tokio::task::JoinError>) -> anyhow::Result<()> {
    ended.context("a task panicked")?
}

/// The room as the journal left it.
fn open_room(config: &Config) -> anyhow::Result<(ControlRoom, SqliteLog)> {
    let mut journal = SqliteLog::open(&config.journal_path)?;
    let mut room = ControlRoom::new(RoomOptions {
        timezone: config.timezone.clone(),
        passenger_priority: config.passenger_priority,
        ..RoomOptions::default()
    });
    let records = owner::replay(&mut room, &mut journal)?;
    tracing::info!(journal.records = records, journal.path = %config.journal_path.display(), "journal replayed");
    Ok((room, journal))
}

fn read_feeds(config: &Config) -> anyhow::Result<Feeds> {
    Feeds::new(&config.mqtt_prefix, config.feeds.clone()).map_err(|errors| {
        let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("feeds: {}", texts.join("; "))
    })
}

/// From the operating system: nobody outside may know it.
fn random_seed() -> anyhow::Result<u64> {
    getrandom::u64().map_err(|error| anyhow::anyhow!("the operating system gives no randomness: {error}"))
}

/// Differs from every earlier start's: a cursor of another life must not be taken for one of this.
fn new_epoch() -> String {
    format!("{:x}{:04x}", jiff::Timestamp::now().as_millisecond(), std::process::id() & 0xffff)
}

fn spawn_workers(
    tasks: &mut JoinSet<anyhow::Result<()>>,
    bench: Arc<Bench>,
    lanes: &Arc<ingest::Lanes>,
    stop: &CancellationToken,
) -> Vec<TallySlot> {
    let mut slots = Vec::new();
    for queue in lanes.queues() {
        let slot = TallySlot::default();
        slots.push(Arc::clone(&slot));
        let (bench, queue) = (Arc::clone(&bench), Arc::clone(queue));
        tasks.spawn(async move {
            workers::run(bench, queue, slot).await;
            Ok(())
        });
    }
    let (lanes, stop) = (Arc::clone(lanes), stop.clone());
    tasks.spawn(async move {
        stop.cancelled().await;
        lanes.close();
        Ok(())
    });
    slots
}

/// Runs work that blocks on a thread of its own, watched like a task.
fn spawn_thread(
    tasks: &mut JoinSet<anyhow::Result<()>>,
    name: &str,
    work: impl FnOnce(&Handle) -> anyhow::Result<()> + Send + 'static,
) -> anyhow::Result<()> {
    let runtime = Handle::current();
    let (ended, watched) = tokio::sync::oneshot::channel();
    std::thread::Builder::new().name(name.to_owned()).spawn(move || drop(ended.send(work(&runtime))))?;
    let name = name.to_owned();
    tasks.spawn(async move { watched.await.unwrap_or_else(|_| Err(anyhow::anyhow!("the {name} thread panicked"))) });
    Ok(())
}
