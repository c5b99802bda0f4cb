//! How much may be written: bytes in any hour, wherever it begins. `now` is an argument.

use std::collections::VecDeque;

use transit::Now;

const MINUTE_MS: u64 = 60_000;
/// Whole minutes that count beside the one that runs, so that no span of an hour has more than the limit.
const MINUTES: u64 = 60;
/// The last fifth is kept for the vehicles that alerts are about: in a flood everybody's own way is worth more than
/// the neighbours of the first.
const FOR_SUBJECTS: u64 = 5;

/// What a line is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worth {
    /// Who was near.
    Near,
    /// The alert itself, its vehicles, and what was not known.
    Subject,
}

/// Bytes spent, by minute.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    limit: u64,
    spent: VecDeque<(u64, u64)>,
    total: u64,
}

impl Budget {
    /// Nothing spent yet.
    pub(crate) fn new(bytes_per_hour: u64) -> Self {
        Self { limit: bytes_per_hour, spent: VecDeque::new(), total: 0 }
    }

    /// Spends `bytes` where they fit.
    pub(crate) fn take(&mut self, bytes: u64, worth: Worth, now: Now) -> bool {
        let minute = now.mono_ms / MINUTE_MS;
        while let Some((of, gone)) = self.spent.front().copied()
            && of + MINUTES < minute
        {
            self.total -= gone;
            self.spent.pop_front();
        }
        let open = match worth {
            Worth::Subject => self.limit,
            Worth::Near => self.limit - self.limit / FOR_SUBJECTS,
        };
        if self.total + bytes > open {
            return false;
        }
        self.total += bytes;
        match self.spent.back_mut() {
            Some((of, gone)) if *of == minute => *gone += bytes,
            Some(_) | None => self.spent.push_back((minute, bytes)),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use transit::UtcMillis;

    use super::*;

    /// `minute worth bytes` a line, answered with what was said.
    fn check(limit: u64, script: &str, expected: expect_test::Expect) {
        let mut budget = Budget::new(limit);
        let mut told = String::new();
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split(' ').collect();
            let mono_ms = words[0].parse::<u64>().unwrap() * MINUTE_MS;
            let worth = if words[1] == "near" { Worth::Near } else { Worth::Subject };
            let taken = budget.take(words[2].parse().unwrap(), worth, Now { utc: UtcMillis(0), mono_ms });
            told.push_str(&format!("{line}: {}\n", if taken { "written" } else { "dropped" }));
        }
        expected.assert_eq(&told);
    }

    #[test]
    fn no_hour_has_more_than_the_limit_and_the_last_fifth_is_for_subjects() {
        check(
            100,
            "0 near 80
             0 near 1
             0 subject 19
             30 subject 1
             30 subject 1
             60 subject 1
             61 subject 99
             61 subject 1
             91 subject 1
             200 near 81
             200 near 80",
            expect![[r#"
                0 near 80: written
                0 near 1: dropped
                0 subject 19: written
                30 subject 1: written
                30 subject 1: dropped
                60 subject 1: dropped
                61 subject 99: written
                61 subject 1: dropped
                91 subject 1: written
                200 near 81: dropped
                200 near 80: written
            "#]],
        );
    }
}
