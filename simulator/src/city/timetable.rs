//! When a line runs: a headway timetable, and which vehicle does which trips. Knows no place and no delay.

use serde::Serialize;

/// Seconds of the service day at which the first vehicles leave.
const FIRST_S: u32 = 5 * 3600;
/// No trip starts later: 00:30 of the next calendar day.
const LAST_S: u32 = 24 * 3600 + 1800;
/// The two peaks, in seconds of the service day.
const PEAKS: [(u32, u32); 2] = [(6 * 3600 + 1800, 10 * 3600), (16 * 3600, 20 * 3600 + 1800)];

/// A line's timetable: the same running times all day, in both directions.
#[derive(Debug, Clone, Serialize)]
pub struct Timetable {
    /// From a departure to the same vehicle's next departure in the other direction, seconds; whole minutes.
    pub half_cycle_s: u32,
    /// From one vehicle to the next, seconds, when all are out.
    pub headway_s: u32,
    /// Seconds from departure to the arrival at each stop, in direction 0.
    pub arrival_s: [Vec<u32>; 2],
}

/// Trips that one vehicle does without going home in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Departure of its first trip, seconds of the service day; whole minutes.
    pub(crate) first_s: u32,
    /// How many trips; even, so that it ends where it began.
    pub(crate) trips: u32,
}

impl Timetable {
    pub(crate) fn new(arrival_s: [Vec<u32>; 2], vehicles: u32) -> Self {
        let run_s = arrival_s.iter().filter_map(|stops| stops.last()).max().copied().unwrap_or(0);
        // Layover: a tenth of the run and at least four minutes, so that a late vehicle can catch up.
        let half_cycle_s = (run_s + (run_s / 10).max(240)).div_ceil(60) * 60;
        Self { half_cycle_s, headway_s: (half_cycle_s * 2 / vehicles.max(1)).max(1), arrival_s }
    }

    /// What the vehicle on place `seat` of the line does in a day, in order. Every third runs in the peaks only.
    pub(crate) fn pieces(&self, seat: u32) -> Vec<Piece> {
        let cycle_s = self.half_cycle_s * 2;
        let own_first_s = FIRST_S + (seat * self.headway_s) % cycle_s / 60 * 60;
        let between = |from_s: u32, to_s: u32| {
            let skipped = from_s.saturating_sub(own_first_s).div_ceil(cycle_s);
            let first_s = own_first_s + skipped * cycle_s;
            let trips = to_s.saturating_sub(first_s) / cycle_s * 2;
            (trips > 0).then_some(Piece { first_s, trips })
        };
        if seat % 3 == 1 {
            PEAKS.iter().filter_map(|(from_s, to_s)| between(*from_s, *to_s)).collect()
        } else {
            between(FIRST_S, LAST_S + cycle_s).into_iter().collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_third_vehicle_goes_home_between_the_peaks() {
        let timetable = Timetable::new([vec![0, 1500], vec![0, 1500]], 3);
        assert_eq!((timetable.half_cycle_s, timetable.headway_s), (1740, 1160));
        assert_eq!(timetable.pieces(0), [Piece { first_s: 18_000, trips: 42 }]);
        let peaks = timetable.pieces(1);
        assert_eq!(peaks.len(), 2);
        assert!(peaks[0].first_s + peaks[0].trips * 1740 <= 36_000);
    }
}
