//! Driving from standstill to standstill: how long it takes, how far and how fast at any moment. Knows no place.

/// How a kind of vehicle drives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drive {
    /// Acceleration and braking, m/s2.
    pub(crate) accel: f64,
    /// The speed the timetable is made with, m/s.
    pub(crate) cruise_mps: f64,
    /// The speed it never passes, m/s.
    pub(crate) cruise_mps_max: f64,
}

/// One run over a distance: speeds up, cruises, brakes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Motion {
    from_ms: i64,
    distance_m: f64,
    peak_mps: f64,
    accel: f64,
}

impl Motion {
    /// Leaves at `from_ms` and drives `distance_m` metres at `cruise_mps` where there is room for it.
    pub(crate) fn new(from_ms: i64, distance_m: f64, cruise_mps: f64, accel: f64) -> Self {
        // On a short link the speed reached is where speeding up meets braking.
        let peak_mps = cruise_mps.min((accel * distance_m).sqrt()).max(0.1);
        Self { from_ms, distance_m, peak_mps, accel }
    }

    fn ramp_s(&self) -> f64 {
        self.peak_mps / self.accel
    }

    /// Seconds from standstill to standstill.
    pub(crate) fn duration_s(&self) -> f64 {
        self.distance_m / self.peak_mps + self.ramp_s()
    }

    /// When it stands again.
    pub(crate) fn end_ms(&self) -> i64 {
        self.from_ms + (self.duration_s() * 1000.0).ceil() as i64
    }

    /// Metres driven and metres a second at an instant; still at the start before, still at the end after.
    pub(crate) fn at(&self, at_ms: i64) -> (f64, f64) {
        let t = (at_ms - self.from_ms) as f64 / 1000.0;
        let (total, ramp) = (self.duration_s(), self.ramp_s());
        if t <= 0.0 {
            (0.0, 0.0)
        } else if t < ramp {
            (0.5 * self.accel * t * t, self.accel * t)
        } else if t < total - ramp {
            (self.peak_mps * (t - 0.5 * ramp), self.peak_mps)
        } else if t < total {
            let left = total - t;
            (self.distance_m - 0.5 * self.accel * left * left, self.accel * left)
        } else {
            (self.distance_m, 0.0)
        }
    }

    /// Metres of the whole run.
    pub(crate) fn distance_m(&self) -> f64 {
        self.distance_m
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_continuous_and_never_faster_than_it_cruises() {
        for distance in [20.0, 400.0, 3000.0] {
            let motion = Motion::new(0, distance, 12.0, 1.0);
            let (mut before, mut at) = (0.0, 0);
            while at <= motion.end_ms() {
                let (s, v) = motion.at(at);
                assert!(s >= before && s - before <= 1.21 && v <= 12.0, "{distance} m at {at} ms: {s} m, {v} m/s");
                (before, at) = (s, at + 100);
            }
            assert_eq!(motion.at(motion.end_ms()), (distance, 0.0));
        }
    }
}
