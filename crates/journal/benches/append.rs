//! How long one durable append takes, beside the bare `write` and `fdatasync` of the same bytes in the same folder.
//!
//! `cargo bench -p journal [-- FOLDER]`; the folder decides which disk is measured (default: the current one).

use std::{
    error::Error,
    fs::File,
    io::Write,
    time::{Duration, Instant},
};

use journal::{Record, RecordLog, SqliteLog};

/// An alert's change is about this long.
const BODY_BYTES: usize = 1000;
const ROUNDS: u64 = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_else(|| ".".to_owned());
    let folder = tempfile::tempdir_in(folder)?;
    let body = vec![b'x'; BODY_BYTES];
    let mut out = std::io::stdout().lock();
    writeln!(out, "{ROUNDS} appends of {BODY_BYTES} bytes, microseconds")?;
    writeln!(out, "{:<32}{:>8}{:>8}{:>8}{:>12}", "", "p50", "p99", "max", "per record")?;
    for batch in [1_usize, 10, 100] {
        let mut file = File::create(folder.path().join(format!("bare-{batch}")))?;
        let bytes = body.repeat(batch);
        let bare = measure(|_| {
            file.write_all(&bytes)?;
            Ok(file.sync_data()?)
        })?;
        report(&mut out, &format!("write + fdatasync, {batch} a time"), &bare, batch)?;
        let mut log = SqliteLog::open(&folder.path().join(format!("log-{batch}.db")))?;
        let records = vec![Record { body: body.clone(), key: None, at_ms: 0 }; batch];
        let step = u64::try_from(batch)?;
        let logged = measure(|round| Ok(log.append(round * step, &records).map(drop)?))?;
        report(&mut out, &format!("journal append, {batch} a time"), &logged, batch)?;
    }
    Ok(())
}

fn measure(mut one: impl FnMut(u64) -> Result<(), Box<dyn Error>>) -> Result<Vec<Duration>, Box<dyn Error>> {
    let mut taken = Vec::new();
    for round in 0..ROUNDS {
        let start = Instant::now();
        one(round)?;
        taken.push(start.elapsed());
    }
    taken.sort();
    Ok(taken)
}

fn report(out: &mut impl Write, name: &str, sorted: &[Duration], batch: usize) -> Result<(), Box<dyn Error>> {
    let at = |percent: usize| sorted[(sorted.len() - 1) * percent / 100].as_micros();
    let mean = sorted.iter().sum::<Duration>().as_micros() / u128::try_from(sorted.len() * batch)?;
    writeln!(out, "{name:<32}{:>8}{:>8}{:>8}{mean:>12}", at(50), at(99), at(100))?;
    Ok(())
}
