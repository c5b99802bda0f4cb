//! What the benchmarks ask of a running service.

use std::time::{Duration, Instant};

use crate::{Topis, http::Http, process};

/// Messages a feed has received since start; 0 when it is not known yet.
pub async fn received(http: &Http, feed: &str) -> u64 {
    let body = http.find(&format!("/v1/feeds/{feed}")).await;
    body.and_then(|body| body["data"]["received"].as_u64()).unwrap_or(0)
}

/// Vehicles shown.
pub async fn vehicles(http: &Http) -> usize {
    let body = http.find("/v1/vehicles?fields=id").await;
    body.and_then(|body| body["data"].as_array().map(Vec::len)).unwrap_or(0)
}

/// How a burst went.
#[derive(Debug, Clone, Copy)]
pub struct Burst {
    /// Messages decoded and folded.
    pub received: u64,
    /// From the first to the last.
    pub elapsed: Duration,
    /// CPU time of the service process over the burst.
    pub cpu: Duration,
}

/// How long a feed must not move to be considered at its end.
const SILENCE: Duration = Duration::from_secs(3);

/// Watches the native feed until `expected` messages were folded or nothing more comes.
pub async fn watch_burst(topis: &Topis, expected: u64) -> Burst {
    let before = received(topis.http(), "native").await;
    let cpu_before = process::cpu_time(topis.pid()).unwrap_or_default();
    let (mut first, mut last, mut seen) = (None, Instant::now(), before);
    let mut look = tokio::time::interval(Duration::from_millis(20));
    loop {
        look.tick().await;
        let now = received(topis.http(), "native").await;
        if now > seen {
            (seen, last) = (now, Instant::now());
            first.get_or_insert(last);
        }
        if seen - before >= expected || (first.is_some() && last.elapsed() > SILENCE) {
            break;
        }
    }
    let cpu = process::cpu_time(topis.pid()).unwrap_or_default().saturating_sub(cpu_before);
    let elapsed = first.map_or(Duration::ZERO, |first| last.duration_since(first));
    Burst { received: seen - before, elapsed, cpu }
}

/// CPU time per message of the service over a window of steady load, microseconds, and the rate seen in it.
pub async fn steady_cpu(topis: &Topis, window: Duration) -> (f64, f64) {
    let (received_before, cpu_before, started) =
        (received(topis.http(), "native").await, process::cpu_time(topis.pid()), Instant::now());
    // The load runs in another process; what is waited for is the window itself.
    tokio::time::timeout(window, std::future::pending::<()>()).await.ok();
    let elapsed = started.elapsed();
    let messages = received(topis.http(), "native").await.saturating_sub(received_before).max(1) as f64;
    let cpu = process::cpu_time(topis.pid()).unwrap_or_default().saturating_sub(cpu_before.unwrap_or_default());
    (cpu.as_secs_f64() * 1e6 / messages, messages / elapsed.as_secs_f64())
}
