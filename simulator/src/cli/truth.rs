//! Where every vehicle truly is, second by second, beside what is published: what the service's answers are measured
//! against. Knows no message.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::Path,
};

use anyhow::Context as _;
use serde_json::{Value, json};
use simulator::Simulation;
use transit::{UtcMillis, Word as _};

use super::Failure;

/// Milliseconds of the city between two lines.
const EVERY_MS: i64 = 1000;
/// The truth goes on for so long after the last message: who will be inside in ten minutes is known only then.
const BEYOND_MS: i64 = 600_000;

/// A file with a line for each second of the city.
pub(crate) struct TruthFile {
    out: BufWriter<File>,
    next: UtcMillis,
}

impl TruthFile {
    pub(crate) fn create(path: &Path, from: UtcMillis) -> Result<Self, Failure> {
        let file = File::create(path).with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Self { out: BufWriter::new(file), next: from })
    }

    /// Writes a line when a second has passed since the last one.
    pub(crate) fn note(&mut self, simulation: &Simulation) -> Result<(), Failure> {
        if simulation.now() < self.next {
            return Ok(());
        }
        self.next = self.next.plus_millis(EVERY_MS).max(simulation.now().plus_millis(1));
        let rosters = &simulation.city().vehicles;
        let vehicles: Vec<Value> = simulation
            .truth()
            .map(|truth| {
                let roster = &rosters[truth.vehicle];
                json!({
                    "id": format!("{}/{}", roster.agency, roster.vehicle),
                    "lat": truth.lat,
                    "lon": truth.lon,
                    "speed_mps": truth.speed_mps,
                    "journey_state": truth.journey.word(),
                    "on": truth.switched_on,
                    "delay_s": truth.delay_s,
                    "passengers": truth.passengers,
                })
            })
            .collect();
        let line = json!({ "at": simulation.now().to_string(), "vehicles": vehicles });
        writeln!(self.out, "{line}").context("the truth cannot be written")?;
        Ok(())
    }

    /// Lets the city go on unheard, and closes the file.
    pub(crate) fn finish(mut self, simulation: &mut Simulation) -> Result<(), Failure> {
        let end = simulation.now().plus_millis(BEYOND_MS);
        while simulation.now() < end {
            drop(simulation.advance(simulation.now().plus_millis(EVERY_MS)));
            self.note(simulation)?;
        }
        self.out.flush().context("the truth cannot be written")?;
        Ok(())
    }
}
