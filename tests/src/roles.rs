//! Parts a benchmark plays in processes of their own, so that their CPU time is not the service's and not the measurer's:
//! the same program, started again with `--role`.

use std::{
    env,
    net::{Ipv4Addr, SocketAddr},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use rumqttc::{
    Outgoing,
    v5::{
        AsyncClient, Event, MqttOptions,
        mqttbytes::{QoS, v5::Packet},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::{net::TcpListener, time::timeout};

use crate::{figures::say, load, load::Fleet, messages, process};

/// A silence this long means that nothing more is coming.
const SILENCE: Duration = Duration::from_secs(3);
const CHANNEL: usize = 10_000;
/// Alarms of one gateway that may wait for their confirmation.
const CALLS_IN_FLIGHT: u16 = 256;

/// A part being played; killed when dropped.
#[derive(Debug)]
pub struct Part(Child);

impl Part {
    /// Starts this program again in a role.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(role: &str, arguments: &[String]) -> anyhow::Result<Self> {
        let own = env::current_exe()?;
        let child = Command::new(own)
            .args(["--role", role])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("role {role} did not start"))?;
        Ok(Self(child))
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Whether it has ended.
    pub fn is_over(&mut self) -> bool {
        self.0.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Waits for its end and returns what it printed.
    ///
    /// # Errors
    /// It failed.
    pub async fn finish(mut self) -> anyhow::Result<String> {
        let mut out = self.0.stdout.take().context("its output was taken before")?;
        let text = tokio::task::spawn_blocking(move || std::io::read_to_string(&mut out)).await??;
        let status = self.0.wait()?;
        if !status.success() {
            bail!("a part ended with {status}");
        }
        Ok(text)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// What the bare loop measured of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bare {
    /// Messages decoded.
    pub received: u64,
    /// From the first to the last, seconds.
    pub elapsed_s: f64,
    /// CPU time of the whole process, seconds.
    pub cpu_s: f64,
}

/// Plays the role the command line names. False when it names none: then this is the benchmark itself.
///
/// # Panics
/// When the role is unknown, lacks an argument or fails: its process has nothing else to do.
pub async fn played() -> bool {
    let mut arguments = env::args().skip_while(|argument| argument != "--role").skip(1);
    let Some(role) = arguments.next() else { return false };
    let rest: Vec<String> = arguments.collect();
    let number = |index: usize| -> u64 {
        let text = rest.get(index).unwrap_or_else(|| panic!("role {role} lacks argument {index}"));
        text.parse().unwrap_or_else(|e| panic!("role {role}: {text}: {e}"))
    };
    let port = |index| u16::try_from(number(index)).expect("a port");
    let count = |index| usize::try_from(number(index)).expect("a count");
    let done = match role.as_str() {
        "publish" => publish(port(0), count(1), number(2)).await,
        "drive" => drive(port(0), count(1), number(2)).await,
        "call" => call(port(0), number(1), &rest[2], number(3)).await,
        "bare" => bare(port(0), number(1)).await,
        "static" => serve_file(port(0), &rest[1]).await,
        unknown => panic!("there is no role {unknown}"),
    };
    done.unwrap_or_else(|e| panic!("role {role}: {e:#}"));
    true
}

fn options(port: u16) -> MqttOptions {
    let mut options = MqttOptions::new(format!("bench-{}", std::process::id()), "127.0.0.1", port);
    options.set_keep_alive(Duration::from_secs(60));
    options.set_max_packet_size(Some(1024 * 1024));
    options
}

/// Rounds of the whole fleet, made before the connection, published as fast as it takes them. The last round carries
/// the present second, so that the fleet reads live.
async fn publish(port: u16, vehicles: usize, rounds: u64) -> anyhow::Result<()> {
    let fleet = Fleet::new(vehicles);
    let start = Timestamp::now().as_millisecond() - i64::try_from(rounds)? * 100;
    let bodies: Vec<Vec<u8>> = (0..rounds)
        .flat_map(|round| (0..vehicles).map(move |vehicle| (round, vehicle)))
        .map(|(round, vehicle)| {
            fleet.body(vehicle, start + i64::try_from(round).unwrap_or_default() * 100, round).into_bytes()
        })
        .collect();
    let (client, mut connection) = AsyncClient::new(options(port), CHANNEL);
    // Not every broker closes the connection after DISCONNECT; by then everything before it is written.
    let polled = tokio::spawn(async move {
        let good_bye = Event::Outgoing(Outgoing::Disconnect);
        while connection.poll().await.is_ok_and(|seen| seen != good_bye) {}
    });
    for (number, body) in bodies.into_iter().enumerate() {
        client.publish(fleet.topic(number), QoS::AtMostOnce, false, body).await?;
    }
    client.disconnect().await?;
    timeout(Duration::from_secs(60), polled).await.context("the broker does not take what was sent")??;
    Ok(())
}

async fn drive(port: u16, vehicles: usize, per_s: u64) -> anyhow::Result<()> {
    load::drive(Fleet::new(vehicles), port, per_s as f64).await;
    bail!("the connection was lost")
}

/// Vehicles of an agency ask to be called, one after the other and round again, as fast as the broker confirms them.
/// Prints `raised` and the seconds it took when the last is confirmed.
async fn call(port: u16, calls: u64, agency: &str, vehicles: u64) -> anyhow::Result<()> {
    let mut options = options(port);
    options.set_outgoing_inflight_upper_limit(CALLS_IN_FLIGHT);
    let (client, mut connection) = AsyncClient::new(options, CHANNEL);
    let started = Instant::now();
    let agency = agency.to_owned();
    let asking = tokio::spawn(async move {
        for call in 0..calls {
            let topic = messages::alarm_topic(&agency, &format!("c{:06}", call % vehicles));
            let event = call.to_string();
            let body = json!({ "event_id": event, "event_time": messages::now(), "kind": "call_request" }).to_string();
            client.publish(topic, QoS::AtLeastOnce, false, body).await?;
        }
        anyhow::Ok(client)
    });
    let mut confirmed = 0;
    while confirmed < calls {
        if let Event::Incoming(Packet::PubAck(_)) = connection.poll().await? {
            confirmed += 1;
        }
    }
    say(&format!("raised {:.1}", started.elapsed().as_secs_f64()));
    drop(asking.await??);
    Ok(())
}

/// The same JSON as the service decodes, into the plainest form a program could want.
#[derive(Deserialize)]
#[expect(dead_code, reason = "the reference decodes every field and uses none")]
struct BarePosition<'a> {
    event_time: &'a str,
    lat: Option<f64>,
    lon: Option<f64>,
    bearing: Option<f64>,
    speed_mps: Option<f64>,
    odometer_m: Option<f64>,
    route_id: Option<&'a str>,
    direction_id: Option<u8>,
    trip_id: Option<&'a str>,
    service_date: Option<&'a str>,
    start_time: Option<&'a str>,
    stop_id: Option<&'a str>,
    current_status: Option<&'a str>,
    delay_s: Option<i32>,
    occupancy_status: Option<&'a str>,
    journey_state: Option<&'a str>,
    seq: Option<u64>,
}

/// Subscribes and decodes; prints what it measured when `expected` have come or nothing more does.
async fn bare(port: u16, expected: u64) -> anyhow::Result<()> {
    let (client, mut connection) = AsyncClient::new(options(port), 100);
    client.subscribe("topis/v1/vehicle/#", QoS::AtMostOnce).await?;
    let (mut received, mut first, mut last) = (0, None, Instant::now());
    loop {
        let polled = if first.is_some() {
            match timeout(SILENCE, connection.poll()).await {
                Ok(polled) => polled?,
                Err(_) => break,
            }
        } else {
            connection.poll().await?
        };
        if let Event::Incoming(Packet::SubAck(_)) = polled {
            say("ready");
        } else if let Event::Incoming(Packet::Publish(publish)) = polled {
            let position: BarePosition<'_> = serde_json::from_slice(&publish.payload)?;
            received += u64::from(std::hint::black_box(position).lat.is_some());
            last = Instant::now();
            first.get_or_insert(last);
            if received == expected {
                break;
            }
        }
    }
    let cpu_s = process::cpu_time(std::process::id()).unwrap_or_default().as_secs_f64();
    let elapsed_s = first.map_or(0.0, |first| last.duration_since(first).as_secs_f64());
    say(&serde_json::to_string(&Bare { received, elapsed_s, cpu_s })?);
    Ok(())
}

/// Serves one file's bytes at `/` and a hello at `/hello`, from memory.
async fn serve_file(port: u16, path: &str) -> anyhow::Result<()> {
    let bytes = axum::body::Bytes::from(std::fs::read(path)?);
    let json = [(axum::http::header::CONTENT_TYPE, "application/json")];
    let router = axum::Router::new()
        .route("/", axum::routing::get(move || std::future::ready((json, bytes.clone()))))
        .route("/hello", axum::routing::get(|| std::future::ready("hello")));
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    Ok(axum::serve(listener, router).await?)
}
