//! Figure 2: a press, from publishing to its alert in `GET /v1/alerts`, fsync included, while a city reports at the design
//! load; while 100,000 raises of other classes run; and while positions arrive as fast as the broker passes them.
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

/// An operator's client: asks for the emergencies that changed and waits for them.
async fn poll_alerts(http: Http, seen: Seen) {
    let mut since = String::new();
    loop {
        let path = if since.is_empty() {
            "/v1/alerts?class=emergency&limit=100000".to_owned()
        } else {
            format!("/v1/alerts?class=emergency&since={since}&wait=10&limit=100000")
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

/// Presses once every so often: so many times, or until `over` says that what runs beside it is.
async fn press(port: u16, presses: usize, mut over: impl FnMut() -> bool) -> anyhow::Result<BTreeMap<String, Instant>> {
    let mqtt = Arc::new(Mqtt::connect(port).await?);
    let mut pressed = BTreeMap::new();
    let mut due = tokio::time::interval(PRESS_EVERY);
    let mut waiting: Vec<JoinHandle<()>> = Vec::new();
    for number in 0..presses {
        due.tick().await;
        if over() {
            break;
        }
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

/// What runs beside the presses.
#[derive(Debug, Clone, Copy)]
struct Beside {
    /// Positions a second that are sent.
    per_s: u64,
    /// Raises of other classes.
    raises: usize,
    /// Targets of the 99th and 99.9th in a hundred, in milliseconds.
    p99_ms: u64,
    p999_ms: Option<u64>,
}

const DESIGN_LOAD: Beside = Beside { per_s: PER_S, raises: 0, p99_ms: 50, p999_ms: Some(250) };
const RAISES: Beside = Beside { per_s: PER_S, raises: 100_000, p99_ms: 250, p999_ms: None };
/// More than any broker passes: the sender is held up by its connection.
const FLOOD: Beside = Beside { per_s: 10_000_000, raises: 0, p99_ms: 250, p999_ms: None };

async fn measure(name: &str, home: &Home, presses: usize, beside: Beside) -> anyhow::Result<()> {
    let topis = home.start().await?;
    let (visible, delivered) = (Seen::default(), Seen::default());
    let poller = tokio::spawn(poll_alerts(home.http(), Arc::clone(&visible)));
    let listener = tokio::spawn(listen(home.broker_port(), Arc::clone(&delivered)));
    let port = home.broker_port().to_string();
    let load = Part::start("drive", &[port.clone(), VEHICLES.to_string(), beside.per_s.to_string()])?;
    eventually("the fleet is shown", Duration::from_secs(60), async || {
        (measured::vehicles(topis.http()).await >= VEHICLES).then_some(())
    })
    .await;
    let mut raising = match beside.raises {
        0 => None,
        raises => Some(Part::start("call", &[port, raises.to_string(), "calls".to_owned(), raises.to_string()])?),
    };
    let (before, started) = (measured::received(topis.http(), "native").await, Instant::now());
    // While others raise, only what was pressed meanwhile counts.
    let most = if raising.is_some() { usize::MAX } else { presses };
    let over = || raising.as_mut().is_some_and(Part::is_over);
    let pressed = press(home.broker_port(), most, over).await?;
    let rate = (measured::received(topis.http(), "native").await - before) as f64 / started.elapsed().as_secs_f64();
    let all_seen = async || (delays(&pressed, &visible).1 == 0).then_some(());
    eventually("every press is visible", DRAIN_WITHIN, all_seen).await;
    drop(load);
    poller.abort();
    listener.abort();
    let (alert, bare) = (delays(&pressed, &visible).0, delays(&pressed, &delivered).0);
    say(&format!("{name}, positions at {rate:.0}/s"));
    if let Some(raising) = raising {
        let took = raising.finish().await?;
        say(&format!("  while {} raises of other classes run: {} s", beside.raises, took.trim()));
    }
    say(&format!("  publish to GET /v1/alerts: {}", alert.text()));
    say(&format!("  publish to a plain subscriber: {}", bare.text()));
    let within = |share: f64, ms: u64| alert.at(share) <= Duration::from_millis(ms);
    say_target("p99", &format!("{} ms", beside.p99_ms), within(0.99, beside.p99_ms));
    if let Some(ms) = beside.p999_ms {
        say_target("p99.9", &format!("{ms} ms"), within(0.999, ms));
    }
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
    for beside in [DESIGN_LOAD, RAISES, FLOOD] {
        measure("its own broker", &Home::new(Broker::Embedded), presses, beside).await?;
        if Mosquitto::is_here() {
            let folder = tempfile::tempdir()?;
            let broker = Mosquitto::start(folder.path(), &MosquittoOptions::default()).await?;
            measure("mosquitto", &Home::new(Broker::Foreign(broker.port())), presses, beside).await?;
        }
    }
    Ok(())
}
