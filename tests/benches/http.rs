//! Figure 4: `GET /v1/vehicles` of 9,000 vehicles at an unchanged revision against axum serving the same bytes from memory,
//! and a 304 against a hello route. Both servers take turns under the same client.

use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use reqwest::Client;
use tests::{
    Broker, Home, eventually,
    figures::{say, say_target},
    http::Http,
    load::count,
    measured,
    process::{free_port, installed},
    roles::{self, Part},
};

const VEHICLES: usize = 9_000;
const CONNECTIONS: usize = 16;

/// Requests a second over keep-alive connections. With `wrk` where it is installed: it costs the machine least.
async fn rate(url: &str, tag: Option<&str>, seconds: u64) -> anyhow::Result<f64> {
    if installed("wrk") {
        let mut wrk = Command::new("wrk");
        wrk.args(["-t1", &format!("-c{CONNECTIONS}"), &format!("-d{seconds}s")]);
        if let Some(tag) = tag {
            wrk.arg("-H").arg(format!("If-None-Match: {tag}"));
        }
        wrk.arg(url);
        let run = tokio::task::spawn_blocking(move || wrk.output()).await??;
        let text = String::from_utf8_lossy(&run.stdout).into_owned();
        let line = text.lines().find_map(|l| l.strip_prefix("Requests/sec:")).with_context(|| text.clone())?;
        return Ok(line.trim().parse()?);
    }
    own_client_rate(url, tag, seconds).await
}

async fn own_client_rate(url: &str, tag: Option<&str>, seconds: u64) -> anyhow::Result<f64> {
    let answered = Arc::new(AtomicU64::new(0));
    let client = Client::builder().no_proxy().build()?;
    let started = Instant::now();
    let askers: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (client, answered, url, tag) =
                (client.clone(), Arc::clone(&answered), url.to_owned(), tag.map(str::to_owned));
            tokio::spawn(async move {
                loop {
                    let mut request = client.get(&url);
                    if let Some(tag) = &tag {
                        request = request.header("If-None-Match", tag);
                    }
                    if let Ok(response) = request.send().await
                        && response.bytes().await.is_ok()
                    {
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    tokio::time::timeout(Duration::from_secs(seconds), std::future::pending::<()>()).await.ok();
    askers.iter().for_each(tokio::task::JoinHandle::abort);
    Ok(answered.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64())
}

/// The collection's ETag once it has stayed the same for half a second: what was published has been folded.
async fn settled(http: &Http) -> String {
    let (mut last, mut since) = (String::new(), Instant::now());
    eventually("the revision stands still", Duration::from_secs(20), async || {
        let answer = http.get("/v1/vehicles?limit=1").await.ok()?;
        let tag = answer.header("etag")?.to_owned();
        if tag != last {
            (last, since) = (tag, Instant::now());
        }
        (since.elapsed() > Duration::from_millis(500)).then_some(())
    })
    .await;
    let whole = http.get("/v1/vehicles").await.ok();
    whole.and_then(|answer| answer.header("etag").map(str::to_owned)).unwrap_or(last)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if roles::played().await {
        return Ok(());
    }
    let seconds = count("TOPIS_BENCH_S", 5) as u64;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await?;
    let fill = || Part::start("publish", &[home.broker_port().to_string(), VEHICLES.to_string(), "1".to_owned()]);
    fill()?.finish().await?;
    eventually("the fleet is shown", Duration::from_secs(30), async || {
        (measured::vehicles(topis.http()).await == VEHICLES).then_some(())
    })
    .await;
    let whole = topis.http().get("/v1/vehicles").await?;
    let file = home.folder().join("body.json");
    std::fs::write(&file, &whole.text)?;
    let port = free_port();
    let bare = Part::start("static", &[port.to_string(), file.display().to_string()])?;
    let bare_url = format!("http://127.0.0.1:{port}");
    let bare_http = Http::new(([127, 0, 0, 1], port).into());
    eventually("the bare server", Duration::from_secs(10), async || bare_http.find("/hello").await).await;

    say(&format!(
        "http: {VEHICLES} vehicles, {:.2} MB, {CONNECTIONS} connections, {seconds} s each, client {}",
        whole.text.len() as f64 / 1e6,
        if installed("wrk") { "wrk" } else { "own (install wrk for a lighter one)" }
    ));
    let url = format!("{}/v1/vehicles", topis.http().base());
    // Twice in turn, the better of each: a neighbour's burst on the machine must not decide.
    let (mut ours, mut theirs, mut ours_304, mut hello) = (0.0_f64, 0.0_f64, 0.0_f64, 0.0_f64);
    for _ in 0..2 {
        // A vehicle turning from live to aging is a change; fresh stamps keep the revision still while we measure.
        fill()?.finish().await?;
        let tag = settled(topis.http()).await;
        theirs = theirs.max(rate(&bare_url, None, seconds).await?);
        ours = ours.max(rate(&url, None, seconds).await?);
        hello = hello.max(rate(&format!("{bare_url}/hello"), None, seconds).await?);
        ours_304 = ours_304.max(rate(&url, Some(&tag), seconds).await?);
        let after = topis.http().get("/v1/vehicles").await?.header("etag").context("no ETag")?.to_owned();
        say(&format!("  revision {}", if after == tag { "unchanged over the measurement" } else { "moved meanwhile" }));
    }
    say(&format!("  full list {ours:.0}/s, axum with the same bytes {theirs:.0}/s"));
    say_target(&format!("ratio {:.2}", ours / theirs), "at least 0.80", ours / theirs >= 0.8);
    say(&format!("  304 {ours_304:.0}/s, axum's hello {hello:.0}/s"));
    say_target(&format!("ratio {:.2}", ours_304 / hello), "at least 0.80", ours_304 / hello >= 0.8);
    drop(bare);
    topis.stop().await?;
    Ok(())
}
