//! Figure 8, the part without a timetable: from starting the service again after SIGKILL to its first answer, which must
//! already hold every open alert: after 100,000 records about 80 alerts, and after 100,000 records as many alerts.
//!
//! Beside it, from the same run, what reading the journal's file takes, and the start of a service that has none.

use std::time::{Duration, Instant};

use tests::{
    Broker, Home, eventually,
    figures::{say, say_target},
    http::Http,
    load::count,
    roles::{self, Part},
};

/// Gateways that raise at the same time, each over one connection.
const GATEWAYS: usize = 8;
const SHOWN_WITHIN: Duration = Duration::from_secs(60);
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Open alerts as the wall counts them, those that stand behind another included; `None` while nothing is answered.
async fn open(http: &Http) -> Option<u64> {
    let body = http.find("/v1/alerts?shelved=any&limit=100000&fields=id").await?;
    body["data"].as_array().map(|alerts| alerts.len() as u64)
}

/// The first answer of a service that is started now, and how long it took.
async fn first_answer(home: &Home) -> anyhow::Result<(u64, Duration)> {
    let started = Instant::now();
    let topis = home.spawn()?;
    let first = async || open(topis.http()).await.map(|alerts| (alerts, started.elapsed()));
    let answer = eventually("the service answers", ANSWER_WITHIN, first).await;
    topis.kill();
    Ok(answer)
}

/// What is in the journal when the service is killed.
#[derive(Debug, Clone, Copy)]
struct Case {
    calls: usize,
    /// Vehicles of each gateway among which its calls go round: each has one open alert.
    vehicles: usize,
    within: Duration,
}

async fn measure(case: Case) -> anyhow::Result<()> {
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await?;
    let (port, each) = (home.broker_port().to_string(), case.calls / GATEWAYS);
    let vehicles = case.vehicles.min(each);
    let raise = |gateway: usize| {
        Part::start("call", &[port.clone(), each.to_string(), format!("g{gateway}"), vehicles.to_string()])
    };
    for part in (0..GATEWAYS).map(raise).collect::<anyhow::Result<Vec<_>>>()? {
        part.finish().await?;
    }
    let (records, wanted) = (each * GATEWAYS, (vehicles * GATEWAYS) as u64);
    eventually("every alert is shown", SHOWN_WITHIN, async || (open(topis.http()).await == Some(wanted)).then_some(()))
        .await;
    topis.kill();
    let reading = Instant::now();
    let bytes: usize = std::fs::read_dir(home.folder())?
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("journal.db"))
        .filter_map(|entry| std::fs::read(entry.path()).ok())
        .map(|read| read.len())
        .sum();
    let read = reading.elapsed().as_secs_f64();
    say(&format!("  {records} records and more, reading their {:.0} MB: {read:.2} s", bytes as f64 / 1e6));
    let (seen, took) = first_answer(&home).await?;
    let figure =
        format!("{seen} of {wanted} open alerts in the first answer, {:.2} s after the start", took.as_secs_f64());
    let target = format!("all, {} s", case.within.as_secs());
    say_target(&figure, &target, seen == wanted && took <= case.within);
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if roles::played().await {
        return Ok(());
    }
    let calls = count("TOPIS_ALERTS", 100_000);
    let (_, bare) = first_answer(&Home::new(Broker::Embedded)).await?;
    say(&format!("restart: a service without a journal answers after {:.2} s", bare.as_secs_f64()));
    measure(Case { calls, vehicles: 10, within: Duration::from_secs(2) }).await?;
    measure(Case { calls, vehicles: calls, within: Duration::from_secs(3) }).await
}
