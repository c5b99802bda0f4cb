//! `topis-sim replay`: plays recordings in the HFP line format. Knows nothing of what the messages mean.

use std::{
    path::PathBuf,
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::json;
use simulator::{Outgoing, ReadError, Rebase, RecordedLine, shuffle};
use tokio::time::sleep_until;
use transit::UtcMillis;

use super::{
    BrokerArgs, Failure,
    broker::{Address, Pool},
    output::{self, Lines},
    seconds,
};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  topis-sim replay recording.txt --rebase now
  topis-sim replay recording.txt --speed max --order shuffled --seed 3 --copies 4
  topis-sim replay recording.txt --only 0018/00640 --dry-run

A line is the time of receipt, the topic, and the payload from the first ` {` on.")]
pub(crate) struct ReplayArgs {
    /// The recordings, played one after the other.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    broker: BrokerArgs,
    /// Move the stamps, so that the first message is as of now.
    #[arg(long, value_enum, default_value_t = To::None)]
    rebase: To,
    /// Times as fast as recorded, or `max`: as fast as the broker takes it.
    #[arg(long, default_value = "1", value_parser = pace)]
    speed: Pace,
    /// Only messages whose topic holds this: a vehicle as `operator/vehicle`, a route, an event type.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Only the first so much, as recorded: seconds, or a span such as 60s or 5m.
    #[arg(long, value_name = "SPAN", value_parser = seconds)]
    duration: Option<f64>,
    /// In which order.
    #[arg(long, value_enum, default_value_t = Order::Recorded)]
    order: Order,
    /// Send every message so many times.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    copies: u32,
    /// What the shuffled order is drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Quality of service.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=1))]
    qos: u8,
    /// Connections that share the topics; with one, the order is exactly as asked.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    connections: u8,
    /// Print the messages as JSON lines instead of publishing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum To {
    /// To the wall clock.
    Now,
    /// Not at all.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Order {
    /// As received.
    Recorded,
    /// In an order drawn from the seed; each place keeps its moment.
    Shuffled,
}

#[derive(Debug, Clone, Copy)]
enum Pace {
    Times(f64),
    Max,
}

fn pace(text: &str) -> Result<Pace, String> {
    match text.parse::<f64>() {
        _ if text == "max" => Ok(Pace::Max),
        Ok(times) if times.is_finite() && times > 0.0 => Ok(Pace::Times(times)),
        _ => Err("is neither a number above 0 nor `max`".to_owned()),
    }
}

pub(crate) async fn replay(args: ReplayArgs) -> Result<(), Failure> {
    let messages = messages(&args)?;
    if args.dry_run {
        let mut lines = Lines::new();
        for message in &messages {
            lines.put(&output::record(message))?;
        }
        return lines.finish();
    }
    let mut pool = Pool::open(Address::read(&args.broker)?, args.connections.into()).await?;
    let (begun, count) = (Instant::now(), messages.len());
    publish(messages, &pool, args.speed).await;
    pool.close().await;
    let mut lines = Lines::new();
    lines.put(&json!({
        "messages": count,
        "written": pool.tally.written.load(Relaxed),
        "acknowledged": pool.tally.acknowledged.load(Relaxed),
        "refused": pool.tally.refused.load(Relaxed),
        "seconds": begun.elapsed().as_secs_f64(),
    }))?;
    lines.finish()?;
    let refused = pool.tally.refused.load(Relaxed);
    if refused > 0 {
        return Err(anyhow::anyhow!("{refused} messages were refused").into());
    }
    Ok(())
}

async fn publish(messages: Vec<Outgoing>, pool: &Pool, speed: Pace) {
    let bar = output::progress("replaying");
    let (begun, first) = (tokio::time::Instant::now(), messages.first().map_or(UtcMillis(0), |message| message.at));
    for message in messages {
        if let Pace::Times(times) = speed {
            let offset_s = message.at.since(first).max(0) as f64 / 1000.0 / times;
            sleep_until(begun + Duration::from_secs_f64(offset_s)).await;
        }
        pool.publish(message).await;
        bar.inc(1);
    }
    bar.finish_and_clear();
}

/// What is published, each with its moment.
fn messages(args: &ReplayArgs) -> Result<Vec<Outgoing>, Failure> {
    let mut lines = Vec::new();
    for file in &args.files {
        let text = std::fs::read_to_string(file).map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            match RecordedLine::parse(line) {
                Ok(line) => lines.push(line),
                Err(error) => skip(file, number, &error),
            }
        }
    }
    if let Some(only) = &args.only {
        lines.retain(|line| line.is_about(only));
    }
    let first = lines.iter().map(|line| line.received_at).min();
    let Some(first) = first else {
        return Err(anyhow::anyhow!("nothing to replay: no line is a message that was asked for").into());
    };
    if let Some(duration_s) = args.duration {
        lines.retain(|line| (line.received_at.since(first) as f64) < duration_s * 1000.0);
    }
    let to = if args.rebase == To::Now { UtcMillis::from(Timestamp::now()) } else { first };
    let rebase = Rebase::between(first, to);
    let moments: Vec<UtcMillis> = lines.iter().map(|line| rebase.instant(line.received_at)).collect();
    if args.order == Order::Shuffled {
        shuffle(&mut lines, args.seed);
    }
    let messages = moments.into_iter().zip(lines).flat_map(|(at, line)| {
        let payload = rebase.payload(&line.payload).into_bytes();
        let message = Outgoing { at, topic: line.topic, payload, qos: args.qos, retain: false, control: None };
        std::iter::repeat_n(message, args.copies as usize)
    });
    Ok(messages.collect())
}

fn skip(file: &std::path::Path, number: usize, error: &ReadError) {
    output::note(&format!("warning: {} line {}: {error}; skipped", file.display(), number + 1));
}
