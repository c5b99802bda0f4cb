//! Whether a fix can be true, given the last good one. Depends on arrival by nature. Knows nothing of registers.

use transit::Coordinate;

use crate::options::ServiceArea;

/// Receivers wander this far while standing, and stamps are whole seconds: never a jump, in metres.
const WANDER_M: f64 = 200.0;
/// Two fixes closer than this in both axes are nearer than [`WANDER_M`] everywhere on the globe, in degrees.
const NEAR_DEG: f64 = 0.001;
/// This many fixes in a row that agree with each other outvote the anchor.
const OUTVOTE: u8 = 3;

/// A fix and when it was true, on whichever clock the vehicle's fixes are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Spot {
    coordinate: Coordinate,
    at_ms: i64,
}

impl Spot {
    /// Whether a vehicle that cannot exceed `limit_mps` can have been at both.
    fn can_reach(self, other: Self, limit_mps: f64) -> bool {
        let (a, b) = (self.coordinate, other.coordinate);
        if (a.lat() - b.lat()).abs() < NEAR_DEG && (a.lon() - b.lon()).abs() < NEAR_DEG {
            return true;
        }
        let metres = a.distance(b).0;
        let seconds = (other.at_ms.saturating_sub(self.at_ms).saturating_abs() as f64 / 1000.0).max(1.0);
        metres <= WANDER_M || metres <= limit_mps * seconds
    }
}

impl ServiceArea {
    fn contains(self, c: Coordinate) -> bool {
        (self.south..=self.north).contains(&c.lat()) && (self.west..=self.east).contains(&c.lon())
    }
}

/// What a fix is to be taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Doubt {
    /// Farther than the vehicle can drive.
    pub(crate) jump: bool,
    /// It would fit with latitude and longitude exchanged.
    pub(crate) swapped: bool,
}

impl Doubt {
    /// Whether there is none.
    pub(crate) fn none(self) -> bool {
        !self.jump && !self.swapped
    }
}

/// The last good fix of a vehicle and the fixes that dispute it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Anchor {
    good: Option<Spot>,
    rival: Option<(Spot, u8)>,
}

impl Anchor {
    /// Judges a fix whose numbers are a place on the globe, and moves the anchor when it is good.
    pub(crate) fn judge(
        &mut self,
        coordinate: Coordinate,
        at_ms: i64,
        limit_mps: f64,
        area: Option<ServiceArea>,
    ) -> Doubt {
        let spot = Spot { coordinate, at_ms };
        let exchanged = Coordinate::parse(coordinate.lon(), coordinate.lat()).ok();
        if let (Some(area), Some(exchanged)) = (area, exchanged)
            && !area.contains(coordinate)
            && area.contains(exchanged)
        {
            return Doubt { jump: false, swapped: true };
        }
        let Some(good) = self.good else {
            self.good = Some(spot);
            return Doubt::default();
        };
        if at_ms < good.at_ms {
            // Older than the anchor: it says nothing of where the vehicle went since.
            return Doubt::default();
        }
        if good.can_reach(spot, limit_mps) {
            *self = Self { good: Some(spot), rival: None };
            return Doubt::default();
        }
        let swapped = exchanged.is_some_and(|c| good.can_reach(Spot { coordinate: c, at_ms }, limit_mps));
        if swapped {
            // Never a rival: a device that exchanges its axes agrees with itself for ever.
            return Doubt { jump: true, swapped };
        }
        let votes = match self.rival {
            Some((last, votes)) if last.can_reach(spot, limit_mps) => votes + 1,
            _ => 1,
        };
        if votes >= OUTVOTE {
            *self = Self { good: Some(spot), rival: None };
            return Doubt::default();
        }
        self.rival = Some((spot, votes));
        Doubt { jump: true, swapped: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUS: f64 = 31.0;

    /// Judges (second, lat, lon) fixes of a bus: `.` good, `j` jump, `s` swapped, `b` both.
    fn judge(fixes: &[(i64, f64, f64)], area: Option<ServiceArea>) -> String {
        let mut anchor = Anchor::default();
        fixes
            .iter()
            .map(|(second, lat, lon)| {
                let c = Coordinate::parse(*lat, *lon).unwrap();
                match anchor.judge(c, second * 1000, BUS, area) {
                    Doubt { jump: false, swapped: false } => '.',
                    Doubt { jump: true, swapped: false } => 'j',
                    Doubt { jump: false, swapped: true } => 's',
                    Doubt { jump: true, swapped: true } => 'b',
                }
            })
            .collect()
    }

    #[test]
    fn a_lone_impossible_fix_is_a_jump_and_the_next_good_one_is_good() {
        assert_eq!(judge(&[(0, 60.17, 24.94), (1, 60.2701, 24.94), (2, 60.17, 24.94)], None), ".j.");
    }

    #[test]
    fn three_fixes_that_agree_outvote_a_wrong_first_one() {
        let wrong_first =
            [(0, 60.9, 24.94), (1, 60.17, 24.94), (2, 60.1701, 24.94), (3, 60.1702, 24.94), (4, 60.1703, 24.94)];
        assert_eq!(judge(&wrong_first, None), ".jj..");
    }

    #[test]
    fn fixes_that_disagree_with_each_other_never_outvote() {
        let wild = [(0, 60.1, 24.9), (1, 60.9, 24.9), (2, 61.5, 24.9), (3, 62.5, 24.9), (4, 60.1, 24.9)];
        assert_eq!(judge(&wild, None), ".jjj.");
    }

    #[test]
    fn standing_receivers_and_whole_second_stamps_are_no_jumps() {
        assert_eq!(judge(&[(0, 60.17, 24.94), (0, 60.1717, 24.94), (0, 60.1717, 24.9434)], None), "...");
    }

    #[test]
    fn a_long_silence_allows_a_long_way() {
        assert_eq!(judge(&[(0, 60.17, 24.94), (600, 60.27, 24.94)], None), "..");
    }

    #[test]
    fn a_fix_older_than_the_anchor_is_left_out_of_it() {
        assert_eq!(judge(&[(100, 60.17, 24.94), (50, 61.17, 24.94), (101, 60.17, 24.94)], None), "...");
    }

    #[test]
    fn exchanged_axes_are_seen_by_the_anchor_and_by_the_service_area() {
        let from_the_second =
            [(0, 60.17, 24.94), (1, 24.94, 60.17), (2, 24.94, 60.17), (3, 24.94, 60.17), (4, 24.94, 60.17)];
        assert_eq!(judge(&from_the_second, None), ".bbbb");
        let helsinki = ServiceArea::from([24.0, 59.9, 25.6, 60.6]);
        assert_eq!(judge(&[(0, 24.94, 60.17), (1, 60.17, 24.94)], Some(helsinki)), "s.");
    }
}
