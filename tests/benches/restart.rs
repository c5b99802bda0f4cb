//! Figure 8, the part without a timetable: from starting the service again after SIGKILL to its first answer, which must
//! already hold every open alert: 100,000 of them, and at least as many records of the journal.
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

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if roles::played().await {
        return Ok(());
    }
    let alerts = count("TOPIS_ALERTS", 100_000);
    let (_, bare) = first_answer(&Home::new(Broker::Embedded)).await?;
    say(&format!("restart: a service without a journal answers after {:.2} s", bare.as_secs_f64()));
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await?;
    let (port, each) = (home.broker_port().to_string(), (alerts / GATEWAYS).to_string());
    let raise = |gateway: usize| Part::start("call", &[port.clone(), each.clone(), format!("g{gateway}")]);
    for part in (0..GATEWAYS).map(raise).collect::<anyhow::Result<Vec<_>>>()? {
        part.finish().await?;
    }
    let wanted = (alerts / GATEWAYS * GATEWAYS) as u64;
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
    say(&format!("  reading its {:.0} MB: {:.2} s", bytes as f64 / 1e6, reading.elapsed().as_secs_f64()));
    let (seen, took) = first_answer(&home).await?;
    let figure =
        format!("{seen} of {wanted} open alerts in the first answer, {:.2} s after the start", took.as_secs_f64());
    say_target(&figure, "all, 3 s", seen == wanted && took <= Duration::from_secs(3));
    Ok(())
}
