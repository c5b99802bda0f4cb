//! Figure 6: CPU time per message of the service process at 1,000, 10,000 and 100,000 vehicles, always 18,000 messages/s.

use std::time::Duration;

use tests::{
    Broker, Home, eventually,
    figures::{say, say_target},
    load::count,
    measured,
    mosquitto::{Mosquitto, MosquittoOptions},
    roles::{self, Part},
};

const PER_S: u64 = 18_000;
const FLEETS: [usize; 3] = [1_000, 10_000, 100_000];

async fn cost(home: &Home, vehicles: usize, window: Duration) -> anyhow::Result<(f64, f64)> {
    let topis = home.start().await?;
    let load = Part::start("drive", &[home.broker_port().to_string(), vehicles.to_string(), PER_S.to_string()])?;
    // Learning a new vehicle costs more than hearing a known one; the figure is about the latter.
    eventually("the fleet is shown", Duration::from_secs(120), async || {
        (measured::vehicles(topis.http()).await == vehicles).then_some(())
    })
    .await;
    let measured = measured::steady_cpu(&topis, window).await;
    drop(load);
    topis.stop().await?;
    Ok(measured)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if roles::played().await {
        return Ok(());
    }
    let window = Duration::from_secs(count("TOPIS_BENCH_S", 15) as u64);
    say(&format!("scale: CPU time a message of the service process, {} s each", window.as_secs()));
    let folder = tempfile::tempdir()?;
    for name in ["mosquitto", "its own broker (the broker's CPU included)"] {
        let foreign = name == "mosquitto";
        if foreign && !Mosquitto::is_here() {
            continue;
        }
        say(name);
        let mut costs = Vec::new();
        for vehicles in FLEETS {
            let broker = match foreign {
                true => Some(Mosquitto::start(folder.path(), &MosquittoOptions::default()).await?),
                false => None,
            };
            let home = Home::new(broker.as_ref().map_or(Broker::Embedded, |b| Broker::Foreign(b.port())));
            let (cpu, rate) = cost(&home, vehicles, window).await?;
            say(&format!("  {vehicles} vehicles: {cpu:.2} us a message at {rate:.0} messages/s"));
            costs.push(cpu);
        }
        let (least, most) = costs.iter().fold((f64::MAX, 0.0_f64), |(least, most), c| (least.min(*c), most.max(*c)));
        say_target(&format!("most over least {:.2}", most / least), "at most 1.3", most / least <= 1.3);
    }
    Ok(())
}
