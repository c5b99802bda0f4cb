//! How the benchmarks say what they found: a figure, its bare reference from the same run, the target.

use std::time::Duration;

/// Prints one line.
#[expect(clippy::print_stdout, reason = "a benchmark's product is what it prints")]
pub fn say(line: &str) {
    println!("{line}");
}

/// Prints a figure against its target, by whether it is reached.
pub fn say_target(figure: &str, target: &str, reached: bool) {
    say(&format!("  {figure}; target {target}: {}", if reached { "reached" } else { "NOT REACHED" }));
}

/// Delays in rising order.
#[derive(Debug, Clone, Default)]
pub struct Delays(Vec<Duration>);

impl Delays {
    /// Takes them in any order.
    pub fn new(mut delays: Vec<Duration>) -> Self {
        delays.sort_unstable();
        Self(delays)
    }

    /// The delay that this share (0..=1) of all does not exceed; zero when there are none.
    pub fn at(&self, share: f64) -> Duration {
        let last = self.0.len().saturating_sub(1);
        let index = (share * self.0.len() as f64).ceil() as usize;
        self.0.get(index.saturating_sub(1).min(last)).copied().unwrap_or_default()
    }

    /// `p50 1.2 ms, p99 3.4 ms, p99.9 5.6 ms, most 7.8 ms (1000 samples)`.
    pub fn text(&self) -> String {
        let ms = |share: f64| self.at(share).as_secs_f64() * 1_000.0;
        format!(
            "p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms, most {:.1} ms ({} samples)",
            ms(0.5),
            ms(0.99),
            ms(0.999),
            ms(1.0),
            self.0.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_the_smallest_delay_that_so_many_do_not_exceed() {
        let delays = Delays::new((1..=1_000).rev().map(Duration::from_millis).collect());
        assert_eq!(delays.at(0.5), Duration::from_millis(500));
        assert_eq!(delays.at(0.99), Duration::from_millis(990));
        assert_eq!(delays.at(0.999), Duration::from_millis(999));
        assert_eq!(delays.at(1.0), Duration::from_millis(1_000));
        assert_eq!(Delays::default().at(0.5), Duration::ZERO);
    }
}
