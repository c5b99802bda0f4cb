//! Figure 7: resident memory per vehicle at 100,000 vehicles with a trail point every 15 s over 60 minutes, after one full
//! GET, measured on the real service; and whether it stays flat when another hour of points pushes the first one out.
//!
//! Every point is a message over MQTT (24 million of them), so a run takes minutes: the sender keeps at most a window of
//! messages ahead of what the service has folded, because a lane that is behind may coalesce positions and a trail would
//! miss points. `TOPIS_VEHICLES` and `TOPIS_POINTS` make it smaller; the figures then say of what.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use tests::{
    Broker, Home, Topis, eventually,
    figures::{say, say_target},
    load::{Fleet, count},
    measured,
    mqtt::Mqtt,
    process, roles,
};

const POINT_EVERY_MS: i64 = 15_000;
/// Messages sent ahead of what is folded.
const AHEAD_MAX: u64 = 20_000;
/// Portion after which the service is asked how far it is.
const PORTION: u64 = 10_000;
const FOLDED_WITHIN: Duration = Duration::from_secs(60);

/// Sends these points of every vehicle, oldest first; point 0 happened at `first_ms`.
async fn send(
    topis: &Topis,
    mqtt: &Mqtt,
    fleet: &Fleet,
    points: std::ops::Range<i64>,
    first_ms: i64,
) -> anyhow::Result<()> {
    let before = measured::received(topis.http(), "native").await;
    let mut sent = 0;
    for point in points {
        for vehicle in 0..fleet.len() {
            let stamp = first_ms + point * POINT_EVERY_MS;
            mqtt.publish(fleet.topic(vehicle), fleet.body(vehicle, stamp, point.unsigned_abs())).await?;
            sent += 1;
            if sent % PORTION == 0 {
                eventually("the service keeps up", FOLDED_WITHIN, async || {
                    let folded = measured::received(topis.http(), "native").await - before;
                    (sent - folded.min(sent) <= AHEAD_MAX).then_some(())
                })
                .await;
            }
        }
    }
    eventually("everything is folded", FOLDED_WITHIN, async || {
        (measured::received(topis.http(), "native").await - before >= sent).then_some(())
    })
    .await;
    Ok(())
}

fn resident(topis: &Topis) -> f64 {
    process::resident_bytes(topis.pid()).unwrap_or_default() as f64
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if roles::played().await {
        return Ok(());
    }
    let vehicles = count("TOPIS_VEHICLES", 100_000);
    let points = i64::try_from(count("TOPIS_POINTS", 240))?;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await?;
    let mqtt = Mqtt::connect(home.broker_port()).await?;
    let fleet = Fleet::new(vehicles);
    let empty = resident(&topis);
    say(&format!("memory: {vehicles} vehicles, {points} trail points each; {:.0} MB before the first", empty / 1e6));
    let (started, first_ms) = (Instant::now(), Timestamp::now().as_millisecond() - points * POINT_EVERY_MS);
    send(&topis, &mqtt, &fleet, 0..points, first_ms).await?;
    say(&format!("  filled in {:.0} s", started.elapsed().as_secs_f64()));
    let get = topis.http().get("/v1/vehicles").await?;
    let full = resident(&topis);
    say(&format!("  after one full GET of {:.0} MB: {:.0} MB resident", get.text.len() as f64 / 1e6, full / 1e6));
    let trail = topis.http().get("/v1/vehicles/load/v000000/trail").await?.json();
    let kept = trail["data"].as_array().map_or(0, Vec::len);
    say(&format!("  a vehicle's trail answers with {kept} points"));
    let per_vehicle = full / vehicles as f64;
    say(&format!("  of which the service without vehicles, per vehicle: {:.0} B", empty / vehicles as f64));
    say_target(&format!("{per_vehicle:.0} B a vehicle"), "4,000 B", per_vehicle <= 4_000.0);
    // Later points push the oldest ones out and must cost nothing: as many as became due while the first were sent.
    let more = i64::try_from(started.elapsed().as_millis())? / POINT_EVERY_MS;
    send(&topis, &mqtt, &fleet, points..points + more, first_ms).await?;
    topis.http().get("/v1/vehicles").await?;
    let later = resident(&topis);
    let growth = later / full - 1.0;
    say_target(
        &format!("{:+.1} % after {more} more points and another GET", growth * 100.0),
        "flat (5 %)",
        growth < 0.05,
    );
    topis.stop().await?;
    Ok(())
}
