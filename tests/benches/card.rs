//! Figure 5: the decision card of an alert, the impact of an incident and an area question over 9,000 vehicles, one request
//! at a time, against axum's hello under the same client.
//!
//! The fleet is published anew before each round, so that every round pays for laying out its positions once.

use std::time::{Duration, Instant};

use serde_json::json;
use tests::{
    Broker, Home, eventually,
    figures::{Delays, say, say_target},
    http::Http,
    load::count,
    measured,
    mqtt::{Fate, Mqtt},
    process::free_port,
    roles::{self, Part},
};

const VEHICLES: usize = 9_000;
const INCIDENT_TOPIC: &str = "topis/v1/incident/bench/1";
const TARGET: Duration = Duration::from_millis(5);

/// Asks one path again and again.
async fn ask(http: &Http, path: &str, times: usize) -> anyhow::Result<Vec<Duration>> {
    let mut delays = Vec::with_capacity(times);
    for _ in 0..times {
        let started = Instant::now();
        let answer = http.get(path).await?;
        delays.push(started.elapsed());
        anyhow::ensure!(answer.status == 200, "GET {path}: {} {}", answer.status, answer.text);
    }
    Ok(delays)
}

/// Raises an alarm and reports an incident in the midst of the fleet; the paths that are asked for.
async fn questions(home: &Home, http: &Http) -> anyhow::Result<Vec<(&'static str, String)>> {
    let fleet = http.list("/v1/vehicles?limit=1").await;
    let subject = &fleet[0];
    let (id, lat, lon) = (subject["id"].as_str().unwrap_or_default(), &subject["lat"], &subject["lon"]);
    let alarm = json!({"kind": "fire", "lat": lat, "lon": lon}).to_string();
    let incident = json!({"kind": "flood", "lat": lat, "lon": lon, "title": "Flood"}).to_string();
    let mqtt = Mqtt::connect(home.broker_port()).await?;
    for (topic, body) in [(format!("topis/v1/vehicle/{id}/alarm"), alarm), (INCIDENT_TOPIC.to_owned(), incident)] {
        let fate = mqtt.publish_acked(&topic, body, false).await;
        anyhow::ensure!(fate == Fate::Acknowledged, "{topic}: {fate:?}");
    }
    let alert = eventually("the alert", Duration::from_secs(10), async || {
        let body = http.find("/v1/alerts?class=emergency").await?;
        body["data"][0]["id"].as_str().map(str::to_owned)
    })
    .await;
    eventually("the incident", Duration::from_secs(10), async || http.find("/v1/incidents/bench/1").await).await;
    Ok(vec![
        ("card of an alert", format!("/v1/alerts/{alert}/card")),
        ("card of a vehicle", format!("/v1/vehicles/{id}/card")),
        ("impact of an incident", "/v1/incidents/bench/1/impact".to_owned()),
        ("area, 300 m", format!("/v1/area?lat={lat}&lon={lon}&radius_m=300")),
        ("area, 5 km", format!("/v1/area?lat={lat}&lon={lon}&radius_m=5000")),
    ])
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if roles::played().await {
        return Ok(());
    }
    let (rounds, times) = (count("TOPIS_BENCH_ROUNDS", 10), count("TOPIS_BENCH_REQUESTS", 100));
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await?;
    let fill = || Part::start("publish", &[home.broker_port().to_string(), VEHICLES.to_string(), "1".to_owned()]);
    fill()?.finish().await?;
    eventually("the fleet is shown", Duration::from_secs(30), async || {
        (measured::vehicles(topis.http()).await == VEHICLES).then_some(())
    })
    .await;
    let asked = questions(&home, topis.http()).await?;
    let file = home.folder().join("body.json");
    std::fs::write(&file, "{}")?;
    let port = free_port();
    let bare = Part::start("static", &[port.to_string(), file.display().to_string()])?;
    let bare_http = Http::new(([127, 0, 0, 1], port).into());
    eventually("the bare server", Duration::from_secs(10), async || bare_http.get("/hello").await.ok()).await;

    say(&format!("card: {VEHICLES} vehicles, {rounds} rounds of {times} requests each, one at a time"));
    let mut hello = Vec::new();
    let mut found: Vec<Vec<Duration>> = asked.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        fill()?.finish().await?;
        hello.extend(ask(&bare_http, "/hello", times).await?);
        for ((_, path), delays) in asked.iter().zip(&mut found) {
            delays.extend(ask(topis.http(), path, times).await?);
        }
    }
    say(&format!("  axum's hello {}", Delays::new(hello).text()));
    for ((what, _), delays) in asked.iter().zip(found) {
        let delays = Delays::new(delays);
        say_target(&format!("{what} {}", delays.text()), "p99 5 ms", delays.at(0.99) <= TARGET);
    }
    drop(bare);
    topis.stop().await?;
    Ok(())
}
