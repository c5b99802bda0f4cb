//! The service: every task of it, started in the order of the line and stopped in reverse.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use alert::{Finding, Priority, Subject};
use anyhow::Context as _;
use api::{Access, Guide, PendingCommand, Published, ServeLimits, Shared, Sources};
use decode::Feeds;
use detect::Patrol;
use ingest::{EmergencyLane, Frame, Outbox};
use journal::{SnapshotFiles, SqliteLog};
use metrics_exporter_prometheus::PrometheusHandle;
use picture::{Picture, PictureOptions};
use room::{ControlRoom, RoomOptions};
use tokio::{
    net::TcpListener,
    runtime::Handle,
    sync::{mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use transit::Now;

use crate::{
    board::Board,
    clock::Clock,
    config::Config,
    evidence::{self, Folder, Recorder},
    health::{FeedLinks, Health, Receipts},
    ledger::Ledger,
    links::{EMERGENCY, LinkStatuses, Links},
    load_gauges, notify,
    owner::{Doors, Owner},
    patrol::{self, PatrolTask},
    poison::{self, Poison},
    recurrence,
    restore::{Restored, restore},
    scribe::Scribe,
    ticker::Ticker,
    workers::{self, Bench, TallySlot},
};

/// Orders that may wait for the room; one more is a 503.
const ORDERS_MAX: usize = 1_024;
/// Rounds of findings that may wait for the room; the patrol waits behind them.
const FINDINGS_MAX: usize = 16;
/// How long open requests and sessions may take to end at shutdown.
const GRACE: Duration = Duration::from_secs(5);
const DAY_MS: i64 = 86_400_000;

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
        let (mut journal, snapshots) = open_journal(&config)?;
        let Restored { room, snapshot_seq, set_aside, replayed } =
            restore(&mut journal, &snapshots, &room_options(&config))?;
        tracing::info!(journal.records = room.seq(), journal.replayed = replayed, "journal replayed");
        let house = House::new(&config, clock, &room)?;
        let links = Links::open(&config, &house.feeds, house.clock.reader(), &stop, &mut tasks).await?;
        let (embedded, lane) = (links.embedded, links.emergency_lane);
        let bench = house.bench(&lane);
        let slots = spawn_workers(&mut tasks, Arc::new(bench), &links.lanes, &stop);

        let patrol = patrol::resumed(rulebook(&config)?, &room);
        let scribe = Scribe::start(Box::new(journal), snapshots, snapshot_seq)?;
        let owner = house.owner(&config, room, scribe, snapshot_seq, links.outbox.clone());
        let recorded = owner.recorded.subscribe();
        let (orders, commands) = mpsc::channel(ORDERS_MAX);
        let (found, findings) = mpsc::channel(FINDINGS_MAX);
        let doors = Doors { emergencies: links.emergencies, commands, findings, stop: stop.clone() };
        let at_start = damage(&set_aside);
        spawn_thread(&mut tasks, "room", move |runtime| runtime.block_on(owner.run(doors, at_start)))?;

        let feed_ids = config.feeds.iter().map(|feed| feed.id.clone());
        let feed_links = FeedLinks::new(&links.status, feed_ids, &house.feeds);
        watch_oversized(&links.status, &recorded, &found, &house.clock, &stop, &mut tasks);
        let desk = house.notify_desk(recorded, found.clone());
        let webhooks = notify::start(&config.notify, &config.journal_path, desk, &stop, &mut tasks)?;
        let patrol = house.patrol(&config, patrol, feed_links.clone(), found);
        let patrolling = stop.clone();
        spawn_thread(&mut tasks, "patrol", move |runtime| {
            runtime.block_on(patrol.run(patrolling));
            Ok(())
        })?;
        house.record_evidence(&config, &mut tasks, &stop)?;
        let receipts = Receipts { outbox: links.outbox, link: links.out };
        let health = Health::new(links.status, links.lanes, lane.clone(), receipts, webhooks);
        let ticker = house.ticker(slots, feed_links, health);
        let ticking = stop.clone();
        spawn_thread(&mut tasks, "picture", move |runtime| {
            ticker.run(runtime, &ticking);
            Ok(())
        })?;

        let bound = http.local_addr()?;
        let limits = ServeLimits { connections: config.http.max_connections, ..ServeLimits::default() };
        let sources = house.sources(config, bound, orders, lane, metrics, stop.clone());
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

/// What several tasks share.
struct House {
    clock: Clock,
    started: Now,
    feeds: Arc<Feeds>,
    picture: Arc<Picture>,
    ledger: Arc<Ledger>,
    board: Arc<Board>,
}

impl House {
    fn new(config: &Config, clock: Clock, room: &ControlRoom) -> anyhow::Result<Self> {
        let picture = PictureOptions { hash_seed: random_seed()?, ..config.picture.clone() };
        let guide = Guide::new(config.places.clone(), config.runbooks.clone());
        let started = clock.now();
        Ok(Self {
            feeds: Arc::new(read_feeds(config)?),
            picture: Arc::new(Picture::new(picture)),
            ledger: Arc::default(),
            board: Arc::new(Board::new(&new_epoch(), room.clone(), guide, clock.name(), started)),
            started,
            clock,
        })
    }

    fn bench(&self, lane: &EmergencyLane) -> Bench {
        Bench {
            feeds: Arc::clone(&self.feeds),
            picture: Arc::clone(&self.picture),
            ledger: Arc::clone(&self.ledger),
            emergencies: lane.clone(),
            clock: self.clock.clone(),
        }
    }

    fn owner(&self, config: &Config, room: ControlRoom, scribe: Scribe, kept_seq: u64, outbox: Outbox) -> Owner {
        // A clock that says less than the last record was set back while nobody looked: that is found at the first look.
        let looked = Now { utc: self.started.utc.max(room.latest_at()), ..self.started };
        Owner {
            recorded: watch::Sender::new(room.clone()),
            poison: Poison::default(),
            room,
            scribe,
            feeds: Arc::clone(&self.feeds),
            ledger: Arc::clone(&self.ledger),
            board: Arc::clone(&self.board),
            outbox,
            prefix: config.mqtt_prefix.clone(),
            clock: self.clock.clone(),
            trouble: None,
            looked,
            keep_ms: i64::from(config.journal_keep_days) * DAY_MS,
            kept_seq,
            kept_at_mono_ms: 0,
            keeping: None,
        }
    }

    fn notify_desk(
        &self,
        recorded: watch::Receiver<ControlRoom>,
        findings: mpsc::Sender<Vec<Finding>>,
    ) -> notify::Desk {
        notify::Desk { recorded, published: self.board.published(), findings, clock: self.clock.clone() }
    }

    fn patrol(
        &self,
        config: &Config,
        patrol: Patrol,
        links: FeedLinks,
        findings: mpsc::Sender<Vec<Finding>>,
    ) -> PatrolTask {
        PatrolTask {
            patrol,
            published: self.board.published(),
            board: Arc::clone(&self.board),
            picture: Arc::clone(&self.picture),
            links,
            findings,
            depots: config.places.depots(),
            areas: impact::ArmedAreas::default(),
            clock: self.clock.clone(),
            started: self.started,
        }
    }

    fn ticker(&self, slots: Vec<TallySlot>, links: FeedLinks, health: Health) -> Ticker {
        Ticker {
            publisher: self.picture.publisher(self.clock.now()),
            picture: Arc::clone(&self.picture),
            board: Arc::clone(&self.board),
            ledger: Arc::clone(&self.ledger),
            slots,
            links,
            health,
            clock: self.clock.clone(),
            pages_seen: 0,
        }
    }

    /// Records where vehicles go around emergencies, on a thread of its own.
    fn record_evidence(
        &self,
        config: &Config,
        tasks: &mut JoinSet<anyhow::Result<()>>,
        stop: &CancellationToken,
    ) -> anyhow::Result<()> {
        if !config.evidence.enabled {
            return Ok(());
        }
        let recorder = Recorder::new(
            self.board.published(),
            Arc::clone(&self.picture),
            self.clock.clone(),
            config.evidence,
            Folder::beside(&config.journal_path),
            i64::from(config.journal_keep_days) * DAY_MS,
        );
        let stop = stop.clone();
        spawn_thread(tasks, "evidence", move |runtime| {
            runtime.block_on(recorder.run(stop));
            Ok(())
        })
    }

    fn sources(
        self,
        config: Config,
        listen: SocketAddr,
        commands: mpsc::Sender<PendingCommand>,
        lane: EmergencyLane,
        metrics: PrometheusHandle,
        shutdown: CancellationToken,
    ) -> Sources {
        let Self { feeds, picture, board, clock, .. } = self;
        Sources {
            published: board.published(),
            commands,
            prefix: Arc::from(config.mqtt_prefix.as_str()),
            decoder: Arc::new(move |frame| feeds.decode(frame)),
            recorder: recorder(lane, clock.clone()),
            trail: Arc::new(move |key| picture.trail(key)),
            evidence: evidence::source(Folder::beside(&config.journal_path), config.evidence.enabled),
            access: config.http.tokens.map_or(Access::Open { listen }, Access::Tokens),
            clock: clock.reader(),
            metrics_text: metrics_text(board.published(), metrics),
            version: env!("CARGO_PKG_VERSION"),
            shutdown,
        }
    }
}

fn open_journal(config: &Config) -> anyhow::Result<(SqliteLog, SnapshotFiles)> {
    Ok((SqliteLog::open(&config.journal_path)?, SnapshotFiles::beside(&config.journal_path)))
}

fn told(ended: Result<anyhow::Result<()>, tokio::task::JoinError>) -> anyhow::Result<()> {
    ended.context("a task panicked")?
}

/// What is counted as it happens, and the load on operators as of the moment somebody asks.
pub(crate) fn metrics_text(published: Arc<Published>, metrics: PrometheusHandle) -> api::MetricsText {
    load_gauges::describe();
    Arc::new(move || {
        load_gauges::set(&published.load());
        metrics.render()
    })
}

/// The emergency lane for what comes over HTTP.
fn recorder(lane: EmergencyLane, clock: Clock) -> api::Recorder {
    Arc::new(move |topic, payload| {
        let (lane, received_at) = (lane.clone(), clock.now().utc);
        Box::pin(async move {
            let topic = topic.into_boxed_str();
            lane.record(Frame { topic, payload, qos: 1, retained: false, dup: false, received_at }).await
        })
    })
}

pub(crate) fn room_options(config: &Config) -> RoomOptions {
    RoomOptions {
        timezone: config.timezone.clone(),
        passenger_priority: config.passenger_priority,
        desks: config.desks.clone(),
        ..RoomOptions::default()
    }
}

/// Somebody has to be told that records of the journal were found damaged.
fn damage(set_aside: &[u64]) -> Vec<Finding> {
    if set_aside.is_empty() {
        return Vec::new();
    }
    let listed: Vec<String> = set_aside.iter().take(20).map(u64::to_string).collect();
    let figures = [("records", set_aside.len().to_string()), ("first_records", listed.join(", "))];
    let figures = figures.map(|(name, value)| (name.to_owned(), value)).into();
    recurrence::over("SYS.JOURNAL", Subject::System("journal".to_owned()), Priority::P1, figures)
}

/// Has packets told that the emergency session at a foreign broker could not take in.
fn watch_oversized(
    links: &LinkStatuses,
    recorded: &watch::Receiver<ControlRoom>,
    findings: &mpsc::Sender<Vec<Finding>>,
    clock: &Clock,
    stop: &CancellationToken,
    tasks: &mut JoinSet<anyhow::Result<()>>,
) {
    let Some((_, link)) = links.iter().find(|(name, _)| *name == EMERGENCY) else { return };
    let watching = poison::watch_oversized(link.clone(), recorded.clone(), findings.clone(), clock.clone());
    let stop = stop.clone();
    tasks.spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = watching => {}
        }
        Ok(())
    });
}

fn rulebook(config: &Config) -> anyhow::Result<detect::Rulebook> {
    detect::Rulebook::read(&config.rules).map_err(|errors| {
        let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("rules: {}", texts.join("; "))
    })
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
