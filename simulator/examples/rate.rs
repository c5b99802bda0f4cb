//! How many messages a second the simulation makes: `cargo run --release -p simulator --example rate -- 7400`.

use std::{io::Write as _, time::Instant};

use simulator::{City, CitySize, Simulation, SimulationOptions};

fn main() -> anyhow::Result<()> {
    let vehicles: usize = std::env::args().nth(1).map_or(Ok(7400), |text| text.parse())?;
    let drawing = Instant::now();
    let city = City::generate(1, CitySize::of_vehicles(vehicles));
    let drawn_ms = drawing.elapsed().as_millis();
    let options = SimulationOptions::default();
    let start = options.start;
    let mut simulation = Simulation::new(city, options)?;
    let ready_ms = drawing.elapsed().as_millis();
    let (mut messages, mut bytes) = (0_usize, 0_usize);
    let playing = Instant::now();
    for second in 1..=60 {
        for message in simulation.advance(start.plus_millis(second * 1000)) {
            messages += 1;
            bytes += message.topic.len() + message.payload.len();
        }
    }
    let rate = messages as f64 / playing.elapsed().as_secs_f64();
    writeln!(
        std::io::stdout(),
        "{vehicles} vehicles: city in {drawn_ms} ms, ready in {ready_ms} ms, {messages} messages of {} bytes, {rate:.0} a second",
        bytes / messages.max(1)
    )?;
    Ok(())
}
