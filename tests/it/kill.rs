//! SIGKILL at random moments while alarms arrive and operators take them: nothing promised may be missing afterwards,
//! and nothing may be there twice.
//!
//! A client's log holds what it was told: acknowledged, refused, or nothing (unknown). Afterwards every acknowledged key
//! is present once, and an unknown one at most once, also after its sender has repeated it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};
use tests::{
    Broker, Home, eventually,
    http::Http,
    load::{Dice, count, seed},
    messages,
    mosquitto::{Mosquitto, MosquittoOptions},
    mqtt::{Fate, Mqtt},
    one_at_a_time, process,
};
use tokio::{sync::watch, task::JoinSet, time::timeout};

/// Drivers who press at the same time.
const DRIVERS: usize = 4;
/// The latest moment of a kill after the service is ready.
const KILL_WITHIN: Duration = Duration::from_millis(1_500);
const SOON: Duration = Duration::from_secs(20);

struct Press {
    vehicle: String,
    body: String,
    fate: Fate,
}

/// What the clients were told.
#[derive(Default)]
struct Log {
    presses: Vec<Press>,
    /// Vehicle and operator of every acknowledgement answered 200.
    taken: Vec<(String, String)>,
    /// Event ids of which a receipt said `recorded` or `duplicate`.
    receipted: Vec<String>,
}

type Shared = Arc<Mutex<Log>>;

fn locked(log: &Shared) -> MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Presses, and takes every second alert, until told to stop or cut off.
async fn press_and_take(name: String, port: u16, http: Http, log: Shared, stop: watch::Receiver<bool>) {
    let Ok(mqtt) = Mqtt::connect(port).await else { return };
    for number in 0.. {
        if *stop.borrow() || mqtt.is_lost() {
            return;
        }
        let vehicle = format!("{name}-{number}");
        let body = messages::panic(&vehicle).to_string();
        let fate = mqtt.publish_acked(&messages::alarm_topic("k", &vehicle), body.clone(), false).await;
        locked(&log).presses.push(Press { vehicle: vehicle.clone(), body, fate });
        if number % 2 == 0 && take(&http, &vehicle, &name).await == Some(200) {
            locked(&log).taken.push((vehicle, name.clone()));
        }
    }
}

/// Acknowledges the alert of a vehicle; the status, when there was an answer.
async fn take(http: &Http, vehicle: &str, by: &str) -> Option<u16> {
    let found = http.find(&format!("/v1/alerts?subject=vehicle:k/{vehicle}")).await?;
    let id = found["data"].get(0)?["id"].as_str()?.to_owned();
    let answer = http.post(&format!("/v1/alerts/{id}/acknowledge"), &json!({ "by": by })).await.ok()?;
    Some(answer.status)
}

/// Notes every receipt until the connection is cut.
async fn note_receipts(port: u16, log: Shared) {
    let Ok(mut mqtt) = Mqtt::connect(port).await else { return };
    if !mqtt.subscribe("topis/v1/receipt/#").await.unwrap_or(false) {
        return;
    }
    while let Ok(receipt) = mqtt.next(Duration::from_secs(60)).await {
        let body: Value = serde_json::from_slice(&receipt.payload).unwrap_or(Value::Null);
        let recorded = body["state"] == "recorded" || body["state"] == "duplicate";
        if let (true, Some(event)) = (recorded, body["event_id"].as_str()) {
            locked(&log).receipted.push(event.to_owned());
        }
    }
}

/// Every alert by vehicle; two for one vehicle are a failure.
async fn alerts_by_vehicle(http: &Http) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for vehicle_alert in http.list("/v1/alerts?limit=100000").await {
        let vehicle = vehicle_alert["vehicle_id"].as_str().unwrap_or_default().to_owned();
        let before = found.insert(vehicle, vehicle_alert);
        assert!(before.is_none(), "doubled: {before:?}");
    }
    found
}

/// One run of the service that ends with SIGKILL.
async fn one_life(home: &Home, round: usize, dice: &mut Dice, log: &Shared, broker_survives: bool) {
    let topis = home.start().await.unwrap();
    let (stop, stopped) = watch::channel(false);
    let port = home.broker_port();
    let mut people = JoinSet::new();
    people.spawn(note_receipts(port, Arc::clone(log)));
    let mut drivers = JoinSet::new();
    for driver in 0..DRIVERS {
        let name = format!("r{round}d{driver}");
        drivers.spawn(press_and_take(name, port, home.http(), Arc::clone(log), stopped.clone()));
    }
    let moment = dice.moment(KILL_WITHIN);
    let all = async { while drivers.join_next().await.is_some() {} };
    timeout(moment, all).await.ok();
    topis.kill();
    if broker_survives {
        // The service is dead and the broker takes over: these must be there too.
        press_while_dead(port, round, log).await;
    }
    stop.send(true).ok();
    while drivers.join_next().await.is_some() {}
    people.abort_all();
}

async fn press_while_dead(port: u16, round: usize, log: &Shared) {
    let mqtt = Mqtt::connect(port).await.unwrap();
    for number in 0..3 {
        let vehicle = format!("r{round}dead-{number}");
        let body = messages::panic(&vehicle).to_string();
        let fate = mqtt.publish_acked(&messages::alarm_topic("k", &vehicle), body.clone(), false).await;
        locked(log).presses.push(Press { vehicle, body, fate });
    }
}

/// Compares what was promised with what is there.
async fn audit(http: &Http, log: &Shared, seed: u64) {
    let promised: Vec<String> = {
        let log = locked(log);
        let acknowledged = log.presses.iter().filter(|p| p.fate == Fate::Acknowledged).map(|p| p.vehicle.clone());
        acknowledged.chain(log.receipted.iter().cloned()).collect()
    };
    let found = eventually(&format!("seed {seed}: everything promised is there"), SOON, async || {
        let found = alerts_by_vehicle(http).await;
        promised.iter().all(|vehicle| found.contains_key(vehicle)).then_some(found)
    })
    .await;
    let log = locked(log);
    for press in &log.presses {
        let count = found.get(&press.vehicle).map(|alert| alert["count"].clone());
        assert!(count.is_none() || count == Some(json!(1)), "seed {seed}: doubled {}: {count:?}", press.vehicle);
        assert!(press.fate != Fate::Refused || count.is_none(), "seed {seed}: refused but raised: {}", press.vehicle);
    }
    for (vehicle, operator) in &log.taken {
        let owner = found.get(vehicle).map(|alert| alert["owner"].clone());
        assert_eq!(owner, Some(json!(operator)), "seed {seed}: un-acknowledged: {vehicle}");
    }
}

/// What a sender does that never heard back: the same press again, same id, same time.
async fn repeat_unknown(port: u16, log: &Shared) -> usize {
    let unknown: Vec<(String, String)> = {
        let log = locked(log);
        let unknown = log.presses.iter().filter(|p| p.fate == Fate::Unknown);
        unknown.map(|p| (p.vehicle.clone(), p.body.clone())).collect()
    };
    let mqtt = Mqtt::connect(port).await.unwrap();
    for (vehicle, body) in &unknown {
        let fate = mqtt.publish_acked(&messages::alarm_topic("k", vehicle), body.clone(), false).await;
        assert_eq!(fate, Fate::Acknowledged);
    }
    for press in &mut locked(log).presses {
        press.fate = if press.fate == Fate::Unknown { Fate::Acknowledged } else { press.fate };
    }
    unknown.len()
}

#[expect(clippy::print_stderr, reason = "the seed and the tally belong to the record of a run")]
async fn kill_often(home: Home, broker_survives: bool) {
    let (seed, kills) = (seed(), count("TOPIS_KILLS", 10));
    eprintln!("kill: seed {seed}, {kills} kills");
    let mut dice = Dice::new(seed);
    let log = Shared::default();
    // The persistent session must exist before the broker can hold anything for it.
    home.start().await.unwrap().stop().await.unwrap();
    for round in 0..kills {
        one_life(&home, round, &mut dice, &log, broker_survives).await;
    }
    let topis = home.start().await.unwrap();
    audit(topis.http(), &log, seed).await;
    let repeated = repeat_unknown(home.broker_port(), &log).await;
    audit(topis.http(), &log, seed).await;
    let log = locked(&log);
    eprintln!(
        "kill: {} presses ({repeated} of unknown fate, repeated), {} taken, {} receipts: 0 lost, 0 doubled, 0 un-acknowledged",
        log.presses.len(),
        log.taken.len(),
        log.receipted.len()
    );
    assert!(log.presses.len() >= kills, "seed {seed}: the test pressed too little to show anything");
}

#[tokio::test]
async fn nothing_acknowledged_by_a_broker_that_lives_on_is_lost_when_the_service_is_killed() {
    let _turn = one_at_a_time().await;
    if !Mosquitto::is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let broker = Mosquitto::start(folder.path(), &MosquittoOptions::default()).await.unwrap();
    kill_often(Home::new(Broker::Foreign(broker.port())), true).await;
}

#[tokio::test]
async fn nothing_acknowledged_or_receipted_by_the_embedded_broker_is_lost_when_it_is_killed() {
    let _turn = one_at_a_time().await;
    kill_often(Home::new(Broker::Embedded), false).await;
}

#[tokio::test]
async fn two_services_do_not_share_one_journal() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let first = home.start().await.unwrap();
    let second = home
        .command()
        .env("TOPIS__HTTP__LISTEN", format!("127.0.0.1:{}", process::free_port()))
        .env("TOPIS__BROKER__EMBEDDED_LISTEN", format!("127.0.0.1:{}", process::free_port()))
        .arg("serve")
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("journal"), "{said}");
    assert_eq!(first.http().get("/livez").await.unwrap().status, 200);
}
