//! Plays a scenario to the embedded broker, as any publisher would: over MQTT, on a port of this machine.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use rumqttc::v5::{AsyncClient, MqttOptions, mqttbytes::QoS};
use simulator::{City, Control, Outgoing, Scenario, Simulation, SimulationOptions};
use tokio::{task::JoinSet, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use transit::UtcMillis;

use crate::clock::Clock;

/// How often the virtual city moves. Finer than a reporting interval, coarse enough to cost nothing.
const STEP: Duration = Duration::from_millis(50);
/// Connections that share the city. With the embedded broker an alarm's connection waits for the disk: a storm must not
/// hold up everybody else's messages, as it would not in a city.
const CONNECTIONS: usize = 8;
/// Messages between the simulation and the wire; when full, the simulation waits.
const QUEUE_MESSAGES: usize = 10_000;

/// A city about to move.
pub(crate) struct Player {
    simulation: Simulation,
    clock: Clock,
}

impl Player {
    /// Sets the scenario's city up so that its time is the clock's.
    ///
    /// # Errors
    /// A scenario that asks for what does not exist.
    pub(crate) fn new(scenario: &Scenario, city: City, prefix: &str, clock: Clock) -> anyhow::Result<Self> {
        let start = clock.now().utc;
        let options = SimulationOptions { prefix: prefix.to_owned(), ..scenario.options(Some(start))? };
        Ok(Self { simulation: Simulation::new(city, options)?, clock })
    }

    /// Plays until told to stop.
    ///
    /// # Errors
    /// The broker cannot be reached.
    pub(crate) async fn play(mut self, broker: SocketAddr, stop: CancellationToken) -> anyhow::Result<()> {
        let mut wires = JoinSet::new();
        let clients: Vec<AsyncClient> = (0..CONNECTIONS).map(|n| connect(n, broker, &stop, &mut wires)).collect();
        let mut ticks = tokio::time::interval(STEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ended = loop {
            tokio::select! {
                () = stop.cancelled() => break Ok(()),
                Some(ended) = wires.join_next() => break ended.context("the demo's publisher panicked")?,
                _ = ticks.tick() => {
                    let stepped = self.step(&clients, self.clock.now().utc).await;
                    // The broker goes with the service: what fails from then on is the end and no failure.
                    if stepped.is_err() || stop.is_cancelled() {
                        break stepped;
                    }
                }
            }
        };
        if stop.is_cancelled() { Ok(()) } else { ended }
    }

    async fn step(&mut self, clients: &[AsyncClient], until: UtcMillis) -> anyhow::Result<()> {
        for Outgoing { topic, payload, qos, retain, control, .. } in self.simulation.advance(until) {
            match control {
                // These connections play the whole city, so that a storm of reconnects has nothing to act on.
                Some(Control::Disconnect | Control::Reconnect | Control::Storm { .. }) => {}
                None => {
                    let qos = if qos == 0 { QoS::AtMostOnce } else { QoS::AtLeastOnce };
                    let client = &clients[connection_of(&topic) % clients.len()];
                    client.publish(topic, qos, retain, payload).await.context("the demo's publisher has stopped")?;
                }
            }
        }
        Ok(())
    }
}

/// A connection that is polled until told to stop.
fn connect(
    number: usize,
    broker: SocketAddr,
    stop: &CancellationToken,
    wires: &mut JoinSet<anyhow::Result<()>>,
) -> AsyncClient {
    let mut options = MqttOptions::new(format!("topis-demo-{number}"), broker.ip().to_string(), broker.port());
    options.set_keep_alive(Duration::from_secs(5));
    let (client, mut events) = AsyncClient::new(options, QUEUE_MESSAGES);
    let stop = stop.clone();
    wires.spawn(async move {
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                event = events.poll() => { event.context("the demo's publisher lost the embedded broker")?; }
            }
        }
    });
    client
}

/// What one topic says stays in order: it always goes the same way.
fn connection_of(topic: &str) -> usize {
    topic.bytes().fold(0, |sum: usize, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)))
}
