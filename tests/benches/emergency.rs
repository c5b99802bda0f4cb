//! Figure 2: a press, from publishing to its alert in `GET /v1/alerts`, fsync included, while a city reports.
//!
//! Beside it, in the same run and under the same load, the same press from publishing to a plain subscriber: what the
//! broker and this machine take of it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde_json::json;
use tests::{
    Broker, Home, eventually,
    figures::{Delays, say, say_target},
    http::Http,
    load::count,
    measured, messages,
    mosquitto::{Mosquitto, MosquittoOptions},
    mqtt::Mqtt,
    roles::{self, Part},
};
use tokio::{task::JoinHandle, time::timeout};

const PER_S: u64 = 18_000;
const VEHICLES: usize = 9_000;
/// Presses a second: far more than a city has, few enough that each is measured alone.
const PRESS_EVERY: Duration = Duration::from_millis(20);
const DRAIN_WITHIN: Duration = Duration::from_secs(30);

type Seen = Arc<Mutex<BTreeMap<String, Instant>>>;

fn note(seen: &Seen, event: &str) {
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.entry(event.to_owned()).or_insert_with(Instant::now);
}

/// An operator's client: asks for what changed and waits for it.
async fn poll_alerts(http: Http, seen: Seen) {
    let mut since = String::new();
    loop {
        let path = if since.is_empty() {
            "/v1/alerts?limit=100000".to_owned()
        } else {
            format!("/v1/alerts?since={since}&wait=10&limit=100000")
        };
        let Some(body) = http.find(&path).await else { continue };
        for alert in body["data"].as_array().into_iter().flatten() {
            note(&seen, alert["event_id"].as_str().unwrap_or_default());
        }
        body["meta"]["cursor"].as_str().unwrap_or_default().clone_into(&mut since);
    }
}

/// Somebody who only listens at the broker.
async fn listen(port: u16, seen: Seen) -> anyhow::Result<()> {
    let mut mqtt = Mqtt::connect(port).await?;
    anyhow::ensure!(mqtt.subscribe("topis/v1/vehicle/press/+/alarm").await?, "subscription refused");
    loop {
        let delivered = mqtt.next(Duration::from_secs(600)).await?;
        let body: serde_json::Value = serde_json::from_slice(&delivered.payload)?;
        note(&seen, body["event_id"].as_str().unwrap_or_default());
    }
}

async fn press(port: u16, presses: usize) -> anyhow::Result<BTreeMap<String, Instant>> {
    let mqtt = Arc::new(Mqtt::connect(port).await?);
    let mut pressed = BTreeMap::new();
    let mut due = tokio::time::interval(PRESS_EVERY);
    let mut waiting: Vec<JoinHandle<()>> = Vec::new();
    for number in 0..presses {
        due.tick().await;
        let event = format!("p{number:06}");
        let body = json!({ "event_id": event, "event_time": messages::now(), "kind": "panic" }).to_string();
        let (mqtt, topic) = (Arc::clone(&mqtt), messages::alarm_topic("press", &event));
        pressed.insert(event, Instant::now());
        waiting.push(tokio::spawn(async move {
            mqtt.publish_acked(&topic, body, false).await;
        }));
    }
    for one in waiting {
        timeout(DRAIN_WITHIN, one).await??;
    }
    Ok(pressed)
}

fn delays(pressed: &BTreeMap<String, Instant>, seen: &Seen) -> (Delays, usize) {
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    let found: Vec<Duration> =
        pressed.iter().filter_map(|(event, at)| Some(seen.get(event)?.saturating_duration_since(*at))).collect();
    let missing = pressed.len() - found.len();
    (Delays::new(found), missing)
}

async fn measure(name: &str, home: &Home, presses: usize) -> anyhow::Result<()> {
    let topis = home.start().await?;
    let (visible, delivered) = (Seen::default(), Seen::default());
    let poller = tokio::spawn(poll_alerts(home.http(), Arc::clone(&visible)));
    let listener = tokio::spawn(listen(home.broker_port(), Arc::clone(&delivered)));
    let load = Part::start("drive", &[home.broker_port().to_string(), VEHICLES.to_string(), PER_S.to_string()])?;
    eventually("the fleet is shown", Duration::from_secs(60), async || {
        (measured::vehicles(topis.http()).await >= VEHICLES).then_some(())
    })
    .await;
    let (before, started) = (measured::received(topis.http(), "native").await, Instant::now());
    let pressed = press(home.broker_port(), presses).await?;
    let rate = (measured::received(topis.http(), "native").await - before) as f64 / started.elapsed().as_secs_f64();
    let all_seen = async || (delays(&pressed, &visible).1 == 0).then_some(());
    eventually("every press is visible", DRAIN_WITHIN, all_seen).await;
    drop(load);
    poller.abort();
    listener.abort();
    let (alert, bare) = (delays(&pressed, &visible).0, delays(&pressed, &delivered).0);
    say(&format!("{name}, positions at {rate:.0}/s"));
    say(&format!("  publish to GET /v1/alerts: {}", alert.text()));
    say(&format!("  publish to a plain subscriber: {}", bare.text()));
    say_target("p99", "50 ms", alert.at(0.99) <= Duration::from_millis(50));
    say_target("p99.9", "250 ms", alert.at(0.999) <= Duration::from_millis(250));
    topis.stop().await?;
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if roles::played().await {
        return Ok(());
    }
    let presses = count("TOPIS_PRESSES", 2_000);
    say(&format!("emergency: {presses} presses, one every {} ms", PRESS_EVERY.as_millis()));
    measure("its own broker", &Home::new(Broker::Embedded), presses).await?;
    if Mosquitto::is_here() {
        let folder = tempfile::tempdir()?;
        let broker = Mosquitto::start(folder.path(), &MosquittoOptions::default()).await?;
        measure("mosquitto", &Home::new(Broker::Foreign(broker.port())), presses).await?;
    }
    Ok(())
}
