//! Figure 1: the whole ingest against a bare rumqttc loop that only decodes the same JSON, on the same broker.
//!
//! A publisher process makes its messages first and then sends them as fast as the broker takes them. The bare loop and
//! the service take turns as the only subscriber, so that both share the two cores with the same neighbours.

use std::time::Duration;

use tests::{
    Broker, Home, eventually,
    figures::{say, say_target},
    load::count,
    measured::{self, Burst},
    mosquitto::{Mosquitto, MosquittoOptions},
    roles::{self, Bare, Part},
};

/// Two mirrored brokers of a 9,000-vehicle city.
const DESIGN_PER_S: u64 = 18_000;

async fn bare(port: u16, vehicles: usize, rounds: u64) -> anyhow::Result<Bare> {
    let expected = vehicles as u64 * rounds;
    let subscriber = Part::start("bare", &[port.to_string(), expected.to_string()])?;
    // The publisher makes its messages before it connects, longer than a subscription takes.
    Part::start("publish", &[port.to_string(), vehicles.to_string(), rounds.to_string()])?.finish().await?;
    let text = subscriber.finish().await?;
    Ok(serde_json::from_str(text.lines().last().unwrap_or_default())?)
}

async fn full(home: &Home, vehicles: usize, rounds: u64) -> anyhow::Result<Burst> {
    let topis = home.start().await?;
    let expected = vehicles as u64 * rounds;
    let publisher =
        Part::start("publish", &[home.broker_port().to_string(), vehicles.to_string(), rounds.to_string()])?;
    let burst = measured::watch_burst(&topis, expected).await;
    publisher.finish().await?;
    let shown = measured::vehicles(topis.http()).await;
    anyhow::ensure!(shown == vehicles, "{shown} of {vehicles} vehicles shown");
    topis.stop().await?;
    Ok(burst)
}

fn per_s(messages: u64, elapsed_s: f64) -> f64 {
    messages as f64 / elapsed_s.max(1e-9)
}

fn report(name: &str, expected: u64, burst: Burst, bare: &Bare) {
    let (bare_rate, rate) = (per_s(bare.received, bare.elapsed_s), per_s(burst.received, burst.elapsed.as_secs_f64()));
    let bare_cpu = bare.cpu_s * 1e6 / bare.received.max(1) as f64;
    let cpu = burst.cpu.as_secs_f64() * 1e6 / burst.received.max(1) as f64;
    say(&format!("  {name}: {rate:.0} messages/s, {cpu:.2} us CPU a message, {} of {expected} folded", burst.received));
    say(&format!(
        "  bare loop on mosquitto: {bare_rate:.0} messages/s, {bare_cpu:.2} us CPU a message, {} of {expected}",
        bare.received
    ));
    say_target(&format!("rate ratio {:.2}", rate / bare_rate), "at least 0.80", rate / bare_rate >= 0.8);
    say_target(&format!("CPU ratio {:.2}", cpu / bare_cpu), "at most 2.5", cpu / bare_cpu <= 2.5);
}

async fn at_full_speed(vehicles: usize, rounds: u64) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let broker = Mosquitto::start(folder.path(), &MosquittoOptions::default()).await?;
    let expected = vehicles as u64 * rounds;
    say(&format!("as fast as the broker takes them: {vehicles} vehicles, {expected} messages"));
    let bare = bare(broker.port(), vehicles, rounds).await?;
    let foreign = full(&Home::new(Broker::Foreign(broker.port())), vehicles, rounds).await?;
    report("service on mosquitto", expected, foreign, &bare);
    let embedded = full(&Home::new(Broker::Embedded), vehicles, rounds).await?;
    report("service with its own broker (the broker's CPU included)", expected, embedded, &bare);
    Ok(())
}

/// CPU per message at the design load, where both have time to spare: the figure that says what a city costs.
async fn at_design_load(vehicles: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let broker = Mosquitto::start(folder.path(), &MosquittoOptions::default()).await?;
    let window = Duration::from_secs(count("TOPIS_BENCH_S", 10) as u64);
    let expected = DESIGN_PER_S * window.as_secs();
    say(&format!("at {DESIGN_PER_S} messages/s: {vehicles} vehicles, {} s", window.as_secs()));
    let load = |port: u16| Part::start("drive", &[port.to_string(), vehicles.to_string(), DESIGN_PER_S.to_string()]);
    let subscriber = Part::start("bare", &[broker.port().to_string(), expected.to_string()])?;
    let driver = load(broker.port())?;
    let text = subscriber.finish().await?;
    drop(driver);
    let bare: Bare = serde_json::from_str(text.lines().last().unwrap_or_default())?;
    let bare_cpu = bare.cpu_s * 1e6 / bare.received.max(1) as f64;
    say(&format!("  bare loop on mosquitto: {bare_cpu:.2} us CPU a message"));
    for (name, home) in [
        ("service on mosquitto", Home::new(Broker::Foreign(broker.port()))),
        ("service with its own broker (the broker's CPU included)", Home::new(Broker::Embedded)),
    ] {
        let topis = home.start().await?;
        let driver = load(home.broker_port())?;
        eventually("the fleet is shown", Duration::from_secs(60), async || {
            (measured::vehicles(topis.http()).await == vehicles).then_some(())
        })
        .await;
        let (cpu, rate) = measured::steady_cpu(&topis, window).await;
        drop(driver);
        say(&format!("  {name}: {cpu:.2} us CPU a message at {rate:.0} messages/s"));
        say_target(&format!("CPU ratio {:.2}", cpu / bare_cpu), "at most 2.5", cpu / bare_cpu <= 2.5);
        topis.stop().await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if roles::played().await {
        return Ok(());
    }
    if !Mosquitto::is_here() {
        return Ok(());
    }
    say("ingest: MQTT, decode, fold, publish");
    for (vehicles, messages) in [(1_000, 400_000), (9_000, 450_000)] {
        at_full_speed(vehicles, messages / vehicles as u64).await?;
    }
    at_design_load(9_000).await
}
