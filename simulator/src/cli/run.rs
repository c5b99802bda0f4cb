//! `topis-sim run`: plays a city or a scenario against the wall clock. Knows no message's meaning.

use std::{
    path::PathBuf,
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use simulator::{Deed, Outgoing, Scenario, Simulation};
use tokio::time::{MissedTickBehavior, interval};
use transit::UtcMillis;

use super::{
    BrokerArgs, Failure,
    broker::{Address, Pool},
    output::{self, Lines},
    positive,
    referee::{Referee, Verdict},
    seconds,
    show::SizeArgs,
    truth::TruthFile,
};

/// How often the simulation is asked: fine enough that a second's messages do not come as one burst.
const TICK: Duration = Duration::from_millis(20);
/// The longest stretch simulated at once, so that catching up does not fill memory.
const STRETCH_MS: i64 = 1000;
/// A free run without a duration: two days, the most a scenario may last.
const FREE_RUN_S: f64 = 172_800.0;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  topis-sim run
  topis-sim run --scenario panic_button --api http://127.0.0.1:8080
  topis-sim run --vehicles 9000 --connections 8 --duration 5m --qos 0
  topis-sim run --scenario hostile_feed --dry-run --duration 5
  topis-sim run --scenario spreading_flood --truth truth.jsonl

Without --scenario it is an ordinary morning until Ctrl-C. --speed other than 1 is for load only: the messages then
carry the city's own time, which runs ahead of the service's clock.")]
pub(crate) struct RunArgs {
    /// A scenario's name (see `topis-sim list`) or file.
    #[arg(long, value_name = "NAME|FILE")]
    scenario: Option<String>,
    #[command(flatten)]
    size: SizeArgs,
    #[command(flatten)]
    broker: BrokerArgs,
    /// Where the service answers; expectations are checked and commands sent there.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    api: String,
    /// Bearer token for the service.
    #[arg(long, env = "TOPIS_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Play without commands and expectations.
    #[arg(long)]
    unchecked: bool,
    /// Times as fast as the clock.
    #[arg(long, default_value_t = 1.0, value_parser = positive)]
    speed: f64,
    /// How long in the city's time, instead of the scenario's: seconds, or a span such as 60s or 5m.
    #[arg(long, value_name = "SPAN", value_parser = seconds)]
    duration: Option<f64>,
    /// What the city's clocks show at the start, HH:MM, instead of the scenario's.
    #[arg(long, value_name = "HH:MM")]
    start: Option<String>,
    /// Milliseconds between two reports of a vehicle, instead of the scenario's.
    #[arg(long, value_name = "MS")]
    interval_ms: Option<u32>,
    /// Share of the lines that report in HFP, 0 to 1, instead of the scenario's.
    #[arg(long, value_name = "SHARE")]
    hfp: Option<f64>,
    /// Quality of service of positions.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=1))]
    qos: u8,
    /// Connections that share the vehicles.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    connections: u8,
    /// Print the messages as JSON lines instead of publishing, as fast as possible and always the same.
    #[arg(long)]
    dry_run: bool,
    /// Write where every vehicle truly is to this file, a JSON line a second, and ten minutes beyond the end.
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    truth: Option<PathBuf>,
}

pub(crate) async fn run(args: RunArgs) -> Result<(), Failure> {
    let scenario = scenario(&args)?;
    let start = (!args.dry_run).then(|| UtcMillis::from(Timestamp::now()));
    let mut options = scenario.options(start)?;
    options.prefix.clone_from(&args.broker.prefix);
    options.position_qos = args.qos;
    let from = options.start;
    let until = from.plus_millis((scenario.duration_s * 1000.0) as i64);
    if args.dry_run {
        return dry_run(Simulation::new(scenario.city()?, options)?, from, until);
    }
    // The broker first: growing a metropolis for nobody is no use.
    let mut pool = Pool::open(Address::read(&args.broker)?, args.connections.into()).await?;
    let city = scenario.city()?;
    output::note(&format!(
        "{}: {} vehicles on {} lines, seed {}, {} s at speed {}",
        scenario.title,
        city.vehicles.len(),
        city.lines.len(),
        scenario.seed,
        scenario.duration_s,
        args.speed
    ));
    // Growing took time; the city's clock starts where the wall clock is now.
    options.start = UtcMillis::from(Timestamp::now());
    let (from, until) = (options.start, options.start.plus_millis(until.since(from)));
    let mut simulation = Simulation::new(city, options)?;
    let referee = (!args.unchecked).then(|| Referee::call(&args.api, args.token.as_deref(), &scenario, args.speed));
    let begun = Instant::now();
    let mut truth = args.truth.as_deref().map(|path| TruthFile::create(path, from)).transpose()?;
    let published = play(&mut simulation, &mut pool, truth.as_mut(), (from, until), args.speed).await?;
    pool.close().await;
    if let Some(truth) = truth {
        truth.finish(&mut simulation)?;
    }
    let verdicts = match referee {
        Some(referee) => referee.verdicts().await,
        None => Vec::new(),
    };
    report(&scenario, &pool, published, begun.elapsed(), &verdicts)
}

fn scenario(args: &RunArgs) -> Result<Scenario, Failure> {
    let mut scenario = match &args.scenario {
        None => Scenario::plain(args.duration.unwrap_or(FREE_RUN_S)),
        Some(file) if file.ends_with(".toml") || file.contains('/') => {
            let text = std::fs::read_to_string(file).map_err(|error| Failure::Scenario(format!("{file}: {error}")))?;
            Scenario::parse(&text).map_err(|error| Failure::Scenario(format!("{file}: {error}")))?
        }
        Some(name) => Scenario::named(name)?,
    };
    scenario.interval_ms = args.interval_ms.unwrap_or(scenario.interval_ms);
    scenario.hfp_share = args.hfp.unwrap_or(scenario.hfp_share);
    if let Some(start) = &args.start {
        scenario.start.clone_from(start);
    }
    if let Some(duration_s) = args.duration {
        scenario.duration_s = duration_s;
        scenario.actions.retain(|action| action.at_s <= duration_s);
        scenario.expectations.retain(|expectation| expectation.at_s <= duration_s);
    }
    args.size.put_over(&mut scenario)?;
    Ok(scenario)
}

fn dry_run(mut simulation: Simulation, from: UtcMillis, until: UtcMillis) -> Result<(), Failure> {
    let mut lines = Lines::new();
    let mut at = from;
    while at < until {
        at = at.plus_millis(STRETCH_MS).min(until);
        for message in simulation.advance(at) {
            lines.put(&output::record(&message))?;
        }
    }
    lines.finish()
}

/// Publishes until `until` in the city's time, or until Ctrl-C; how many messages.
async fn play(
    simulation: &mut Simulation,
    pool: &mut Pool,
    mut truth: Option<&mut TruthFile>,
    (from, until): (UtcMillis, UtcMillis),
    speed: f64,
) -> Result<u64, Failure> {
    let (begun, bar) = (Instant::now(), output::progress("publishing"));
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stop = tokio::signal::ctrl_c();
    tokio::pin!(stop);
    let (mut at, mut published) = (from, 0);
    while at < until {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = &mut stop => break,
        }
        let due = from.plus_millis((begun.elapsed().as_secs_f64() * speed * 1000.0) as i64).min(until);
        while at < due {
            at = at.plus_millis(STRETCH_MS).min(due);
            published += publish(simulation.advance(at), pool).await?;
            if let Some(truth) = &mut truth {
                truth.note(simulation)?;
            }
        }
        bar.set_position(published);
    }
    bar.finish_and_clear();
    Ok(published)
}

async fn publish(messages: Vec<Outgoing>, pool: &mut Pool) -> Result<u64, Failure> {
    let mut published = 0;
    for message in messages {
        match message.control {
            Some(control) => pool.obey(control).await?,
            None => {
                pool.publish(message).await;
                published += 1;
            }
        }
    }
    Ok(published)
}

fn report(
    scenario: &Scenario,
    pool: &Pool,
    published: u64,
    took: Duration,
    verdicts: &[Verdict],
) -> Result<(), Failure> {
    let tally = &pool.tally;
    let failed = verdicts.iter().filter(|verdict| verdict.problem.is_some()).count();
    let summary = json!({
        "scenario": scenario.title,
        "published": published,
        "written": tally.written.load(Relaxed),
        "acknowledged": tally.acknowledged.load(Relaxed),
        "refused": tally.refused.load(Relaxed),
        "reconnects": tally.reconnects.load(Relaxed),
        "seconds": took.as_secs_f64(),
        "messages_per_second": (published as f64 / took.as_secs_f64()).round(),
        "commands": scenario.actions.iter().filter(|action| matches!(action.deed, Deed::Command(_))).count(),
        "checked": verdicts.iter().map(Verdict::record).collect::<Vec<_>>(),
    });
    let mut lines = Lines::new();
    lines.put(&summary)?;
    lines.finish()?;
    if failed > 0 {
        return Err(Failure::Expectations { failed, all: verdicts.len() });
    }
    Ok(())
}
