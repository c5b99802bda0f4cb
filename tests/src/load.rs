//! Positions of a made-up fleet at a chosen rate, and the dice for everything that must be random but repeatable.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng as _, SeedableRng as _},
};

use crate::{messages, mqtt::Mqtt};

/// Random numbers of a seed.
#[derive(Debug)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The dice of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Any number: a seed for other dice.
    pub fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number in `0..below`; 0 when `below` is 0.
    pub fn below(&mut self, below: usize) -> usize {
        let below = u64::try_from(below).unwrap_or(u64::MAX);
        usize::try_from(self.0.next_u64().checked_rem(below).unwrap_or(0)).unwrap_or(0)
    }

    /// A duration in `0..most`.
    pub fn moment(&mut self, most: Duration) -> Duration {
        Duration::from_micros(self.0.next_u64().checked_rem(most.as_micros() as u64).unwrap_or(0))
    }
}

/// A seed for this run: `TOPIS_SEED`, else the clock. Whoever uses one prints it.
pub fn seed() -> u64 {
    let given = std::env::var("TOPIS_SEED").ok().and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| Timestamp::now().as_microsecond().unsigned_abs())
}

/// A count from the environment, for tests that run short in CI and long by hand.
pub fn count(key: &str, default: usize) -> usize {
    std::env::var(key).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A fleet whose vehicles each drive a little square.
#[derive(Debug, Clone)]
pub struct Fleet {
    topics: Vec<String>,
    places: Vec<(f64, f64)>,
    routes: usize,
}

impl Fleet {
    /// So many vehicles of agency `load`.
    pub fn new(vehicles: usize) -> Self {
        let topics = (0..vehicles).map(|v| messages::position_topic("load", &format!("v{v:06}"))).collect();
        let places = (0..vehicles).map(|v| (37.45 + (v % 300) as f64 * 0.001, 126.8 + (v / 300) as f64 * 0.001));
        Self { topics, places: places.collect(), routes: (vehicles / 20).max(1) }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.topics.len()
    }

    /// None at all.
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// The topic of a vehicle.
    pub fn topic(&self, vehicle: usize) -> &str {
        &self.topics[vehicle % self.topics.len()]
    }

    /// What a vehicle says at an instant; about 330 bytes, as real feeds send.
    pub fn body(&self, vehicle: usize, event_ms: i64, seq: u64) -> String {
        let vehicle = vehicle % self.topics.len();
        let (lat, lon) = self.places[vehicle];
        let step = (seq % 40) as f64 * 0.000_05;
        let route = vehicle % self.routes;
        let time = Timestamp::from_millisecond(event_ms).map(|t| t.to_string()).unwrap_or_default();
        let mut body = String::with_capacity(360);
        write!(
            body,
            "{{\"event_time\":\"{time}\",\"lat\":{:.6},\"lon\":{:.6},\"bearing\":{},\"speed_mps\":7.5,\
             \"odometer_m\":{},\"route_id\":\"{route}\",\"direction_id\":{},\"trip_id\":\"{route}-{vehicle}\",\
             \"service_date\":\"2026-11-24\",\"start_time\":\"07:15:00\",\"stop_id\":\"{route}-{}\",\
             \"current_status\":\"IN_TRANSIT_TO\",\"delay_s\":{},\"occupancy_status\":\"FEW_SEATS_AVAILABLE\",\
             \"journey_state\":\"in_service\",\"seq\":{seq}}}",
            lat + step,
            lon + step,
            seq % 360,
            seq * 8,
            vehicle % 2,
            seq / 60,
            (seq % 600) as i64 - 120,
        )
        .expect("writing to a string");
        body
    }
}

/// Sends positions at a steady rate.
#[derive(Debug)]
pub struct Pace {
    per_s: f64,
    started: Instant,
    sent: u64,
}

/// Messages are released in portions of this long, so that the timer is not the limit.
const PORTION: Duration = Duration::from_millis(5);

impl Pace {
    /// So many messages a second from now on.
    pub fn new(per_s: f64) -> Self {
        Self { per_s, started: Instant::now(), sent: 0 }
    }

    /// How many are due, waiting until at least one is. Counts them as sent.
    pub async fn due(&mut self) -> u64 {
        let mut portions = tokio::time::interval(PORTION);
        loop {
            portions.tick().await;
            let owed = (self.started.elapsed().as_secs_f64() * self.per_s) as u64;
            if owed > self.sent {
                let due = owed - self.sent;
                self.sent = owed;
                return due;
            }
        }
    }

    /// How many were released so far.
    pub fn sent(&self) -> u64 {
        self.sent
    }
}

/// Publishes the fleet's positions at QoS 0 and a steady rate, round and round, until the connection is lost.
pub async fn drive(fleet: Fleet, port: u16, per_s: f64) -> u64 {
    let Ok(mqtt) = Mqtt::connect(port).await else { return 0 };
    let mut pace = Pace::new(per_s);
    let (mut vehicle, mut round) = (0, 0);
    loop {
        for _ in 0..pace.due().await {
            let body = fleet.body(vehicle, Timestamp::now().as_millisecond(), round);
            if mqtt.publish(fleet.topic(vehicle), body).await.is_err() {
                return pace.sent();
            }
            vehicle += 1;
            if vehicle == fleet.len() {
                (vehicle, round) = (0, round + 1);
            }
        }
    }
}
