//! Figure 3: a position, from publishing to its answer in `GET /v1/vehicles/{agency}/{vehicle}`, while a city reports.
//!
//! Beside it, from the same run, the delay of the same message to a plain subscriber and of one GET by itself.

use std::time::{Duration, Instant};

use tests::{
    Broker, Home, eventually,
    figures::{Delays, say, say_target},
    load::count,
    measured, messages,
    mosquitto::{Mosquitto, MosquittoOptions},
    mqtt::Mqtt,
    roles::{self, Part},
};

const PER_S: u64 = 18_000;
const VEHICLES: usize = 9_000;
const VISIBLE_WITHIN: Duration = Duration::from_secs(10);

async fn measure(name: &str, home: &Home, samples: usize) -> anyhow::Result<()> {
    let topis = home.start().await?;
    let mut listener = Mqtt::connect(home.broker_port()).await?;
    let topic = messages::position_topic("probe", "1");
    anyhow::ensure!(listener.subscribe(&topic).await?, "subscription refused");
    let mqtt = Mqtt::connect(home.broker_port()).await?;
    let load = Part::start("drive", &[home.broker_port().to_string(), VEHICLES.to_string(), PER_S.to_string()])?;
    eventually("the fleet is shown", Duration::from_secs(60), async || {
        (measured::vehicles(topis.http()).await >= VEHICLES).then_some(())
    })
    .await;
    let (before, started) = (measured::received(topis.http(), "native").await, Instant::now());
    let (mut visible, mut delivered, mut asked) = (Vec::new(), Vec::new(), Vec::new());
    for sample in 0..samples {
        let mut body = messages::position(37.5, 127.0);
        body["seq"] = sample.into();
        let published = Instant::now();
        mqtt.publish(&topic, body.to_string()).await?;
        listener.next(VISIBLE_WITHIN).await?;
        delivered.push(published.elapsed());
        loop {
            let get = Instant::now();
            let shown = topis.http().find("/v1/vehicles/probe/1").await;
            asked.push(get.elapsed());
            if shown.is_some_and(|body| body["data"]["seq"].as_u64() == Some(sample as u64)) {
                break;
            }
            anyhow::ensure!(published.elapsed() < VISIBLE_WITHIN, "sample {sample} never became visible");
        }
        visible.push(published.elapsed());
    }
    let rate = (measured::received(topis.http(), "native").await - before) as f64 / started.elapsed().as_secs_f64();
    drop(load);
    let visible = Delays::new(visible);
    say(&format!("{name}, positions at {rate:.0}/s"));
    say(&format!("  publish to GET /v1/vehicles/..: {}", visible.text()));
    say(&format!("  publish to a plain subscriber: {}", Delays::new(delivered).text()));
    say(&format!("  one GET by itself: {}", Delays::new(asked).text()));
    say_target("p99", "250 ms", visible.at(0.99) <= Duration::from_millis(250));
    topis.stop().await?;
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if roles::played().await {
        return Ok(());
    }
    let samples = count("TOPIS_SAMPLES", 300);
    say(&format!("position: {samples} samples"));
    measure("its own broker", &Home::new(Broker::Embedded), samples).await?;
    if Mosquitto::is_here() {
        let folder = tempfile::tempdir()?;
        let broker = Mosquitto::start(folder.path(), &MosquittoOptions::default()).await?;
        measure("mosquitto", &Home::new(Broker::Foreign(broker.port())), samples).await?;
    }
    Ok(())
}
