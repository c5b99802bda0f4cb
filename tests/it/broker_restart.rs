//! The broker goes away and comes back, under load.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use tests::{
    Broker, Home, Topis, eventually,
    load::{Fleet, count, drive},
    mosquitto::{Mosquitto, MosquittoOptions},
    one_at_a_time,
};

const VEHICLES: usize = 500;
const PER_S: f64 = 1_000.0;
/// The promise.
const BACK_WITHIN: Duration = Duration::from_secs(5);
/// A vehicle is live for 30 s at the least, so it must show as aging soon after.
const AGED_WITHIN: Duration = Duration::from_secs(45);

/// Publishes for ever, coming back whenever the broker does.
async fn persistent_load(port: u16) {
    let mut attempts = tokio::time::interval(Duration::from_millis(50));
    loop {
        attempts.tick().await;
        drive(Fleet::new(VEHICLES), port, PER_S).await;
    }
}

/// Vehicles with a stamp after `instant`.
async fn heard_after(topis: &Topis, instant: Timestamp) -> usize {
    let Some(body) = topis.http().find("/v1/vehicles?agency_id=load").await else { return 0 };
    let Some(vehicles) = body["data"].as_array() else { return 0 };
    let stamps = vehicles.iter().filter_map(|v| v["event_time"].as_str()?.parse::<Timestamp>().ok());
    stamps.filter(|stamp| *stamp > instant).count()
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "the measured times belong to the record of a run")]
async fn data_flows_within_five_seconds_of_each_broker_restart_and_vehicles_are_kept_meanwhile() {
    let _turn = one_at_a_time().await;
    if !Mosquitto::is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut broker = Mosquitto::start(folder.path(), &MosquittoOptions::default()).await.unwrap();
    let home = Home::new(Broker::Foreign(broker.port()));
    let topis = home.start().await.unwrap();
    let load = tokio::spawn(persistent_load(broker.port()));
    eventually("the whole fleet is shown", Duration::from_secs(20), async || {
        (topis.http().list("/v1/vehicles?agency_id=load").await.len() == VEHICLES).then_some(())
    })
    .await;

    let restarts = count("TOPIS_RESTARTS", 5);
    let mut slowest = Duration::ZERO;
    for restart in 0..restarts {
        broker.stop();
        eventually("the loss is said", Duration::from_secs(10), async || {
            let answer = topis.http().get("/v1/vehicles?limit=1").await.ok()?;
            answer.json()["meta"]["degraded"].as_array().filter(|d| !d.is_empty()).map(|_| ())
        })
        .await;
        assert_eq!(topis.http().list("/v1/vehicles?agency_id=load").await.len(), VEHICLES, "kept");
        if restart == 0 {
            eventually("no vehicle reads live while nothing arrives", AGED_WITHIN, async || {
                topis.http().list("/v1/vehicles?freshness=live&agency_id=load").await.is_empty().then_some(())
            })
            .await;
            let marked = topis.http().list("/v1/vehicles?freshness=aging,stale&agency_id=load").await.len();
            assert_eq!(marked, VEHICLES, "kept and marked");
        }
        broker.resume().await.unwrap();
        let (back, instant) = (Instant::now(), Timestamp::now());
        eventually(&format!("data flows after restart {restart}"), BACK_WITHIN, async || {
            (heard_after(&topis, instant).await > 0).then_some(())
        })
        .await;
        slowest = slowest.max(back.elapsed());
    }
    eprintln!("broker restarts: {restarts}, slowest return of data {slowest:?}");
    load.abort();
}
