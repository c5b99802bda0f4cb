//! A river and the streets along it: a grid bent by the water, with bridges now and then. Knows no line.

use crate::{
    dice::{Dice, Purpose},
    plane::{Shape, Spot},
};

/// Metres between two street corners: the usual distance of bus stops.
const BLOCK_M: f64 = 420.0;

/// How far from the water streets still follow its bends, in metres.
const RIVER_REACH_M: f64 = 4500.0;

/// Columns of the grid between two bridges.
const BRIDGE_EVERY: i32 = 5;

/// A street corner: column from west to east, row counted from the river. There is no row 0: that is water.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Corner {
    pub(crate) column: i32,
    pub(crate) row: i32,
}

/// The ground plan.
#[derive(Debug)]
pub(crate) struct Streets {
    columns: i32,
    rows: i32,
    river_half_m: f64,
    /// Amplitude in metres, wave length in metres and phase of the river's bends.
    bends: [(f64, f64, f64); 3],
    /// The same for the streets' own irregularity, east and north.
    warp: [(f64, f64, f64); 2],
}

impl Streets {
    pub(crate) fn lay_out(seed: u64, radius_m: f64) -> Self {
        let mut river = Dice::new(seed, Purpose::River, 0, 0);
        let mut bend = |amplitude: f64, length: f64| {
            (
                amplitude * river.between(0.6, 1.2),
                length * river.between(0.8, 1.25),
                river.between(0.0, std::f64::consts::TAU),
            )
        };
        let bends = [
            bend(radius_m * 0.16, radius_m * 2.2),
            bend(radius_m * 0.07, radius_m * 0.9),
            bend(radius_m * 0.02, radius_m * 0.35),
        ];
        let mut streets = Dice::new(seed, Purpose::Streets, 0, 0);
        let mut irregular =
            |amplitude: f64| (amplitude, streets.between(2300.0, 3900.0), streets.between(0.0, std::f64::consts::TAU));
        let half = ((radius_m / BLOCK_M) as i32).max(6);
        Self {
            columns: half,
            rows: (half * 4 / 5).max(5),
            river_half_m: (radius_m * 0.025).clamp(80.0, 480.0),
            bends,
            warp: [irregular(130.0), irregular(110.0)],
        }
    }

    fn river_y(&self, x: f64) -> f64 {
        self.bends
            .iter()
            .map(|(amplitude, length, phase)| amplitude * (x / length * std::f64::consts::TAU + phase).sin())
            .sum()
    }

    /// The place of a point between corners; `row` runs through 0 only on a bridge.
    fn spot(&self, column: f64, row: f64) -> Spot {
        let (wave_x, wave_y) = (self.warp[0], self.warp[1]);
        let grid_x = column * BLOCK_M;
        let x = grid_x + wave_x.0 * (row * BLOCK_M / wave_x.1 * std::f64::consts::TAU + wave_x.2).sin();
        let follow = (-row.abs() * BLOCK_M / RIVER_REACH_M).exp();
        let y = self.river_y(x) * follow
            + row * BLOCK_M * 0.92
            + row.clamp(-1.0, 1.0) * self.river_half_m
            + wave_y.0 * (row.abs() / 6.0).min(1.0) * (grid_x / wave_y.1 * std::f64::consts::TAU + wave_y.2).sin();
        Spot { x, y }
    }

    pub(crate) fn corner_spot(&self, corner: Corner) -> Spot {
        self.spot(f64::from(corner.column), f64::from(corner.row))
    }

    /// The middle of the river from west to east, and its width in metres.
    pub(crate) fn river(&self) -> (Vec<Spot>, f64) {
        let steps = self.columns * 2;
        let points = (-steps..=steps)
            .map(|i| {
                let x = f64::from(i) * BLOCK_M * 0.55;
                Spot { x, y: self.river_y(x) }
            })
            .collect();
        (points, self.river_half_m * 2.0)
    }

    /// A corner anywhere within `share` of the way to the edge, on either bank.
    pub(crate) fn draw_corner(&self, dice: &mut Dice, from_share: f64, to_share: f64) -> Corner {
        let angle = dice.between(0.0, std::f64::consts::TAU);
        // The square root spreads corners evenly over the area between the two circles.
        let reach = dice.between(from_share * from_share, to_share * to_share).sqrt();
        let column = (angle.cos() * reach * f64::from(self.columns)).round() as i32;
        let row = (angle.sin() * reach * f64::from(self.rows)).round() as i32;
        Corner { column, row: if row == 0 { 1 } else { row } }
    }

    /// A corner about `blocks` away from `from`.
    pub(crate) fn draw_corner_near(&self, dice: &mut Dice, from: Corner, blocks: f64) -> Corner {
        let angle = dice.between(0.0, std::f64::consts::TAU);
        let reach = |axis: f64, at: i32, limit: i32| ((axis * blocks * 0.75).round() as i32 + at).clamp(-limit, limit);
        let column = reach(angle.cos(), from.column, self.columns);
        let row = reach(angle.sin(), from.row, self.rows);
        Corner { column, row: if row == 0 { from.row.signum() } else { row } }
    }

    fn bridge_near(&self, a: Corner, b: Corner) -> i32 {
        let limit = self.columns / BRIDGE_EVERY;
        let middle = (a.column + b.column).div_euclid(2);
        ((f64::from(middle) / f64::from(BRIDGE_EVERY)).round() as i32).clamp(-limit, limit) * BRIDGE_EVERY
    }

    /// Corners from `from` to `to` along streets and over a bridge, each at most once.
    pub(crate) fn walk(&self, from: Corner, to: Corner, dice: &mut Dice) -> Vec<Corner> {
        let mut path = vec![from];
        if from.row.signum() != to.row.signum() {
            let column = self.bridge_near(from, to);
            let (near, far) = (from.row.signum(), to.row.signum());
            stroll(&mut path, Corner { column, row: near }, dice);
            path.push(Corner { column, row: far });
        }
        stroll(&mut path, to, dice);
        without_loops(path)
    }

    /// The street line through `corners`, with three points between two of them so that streets are curves.
    /// Also the metres along it at which each corner lies.
    pub(crate) fn trace(&self, corners: &[Corner]) -> (Shape, Vec<f64>) {
        let mut points = Vec::with_capacity(corners.len() * 4);
        for pair in corners.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            for quarter in 0..4 {
                let share = f64::from(quarter) / 4.0;
                let mix = |from: i32, to: i32| f64::from(from) + f64::from(to - from) * share;
                points.push(self.spot(mix(a.column, b.column), mix(a.row, b.row)));
            }
        }
        points.extend(corners.last().map(|last| self.corner_spot(*last)));
        let shape = Shape::through(points);
        let at = (0..corners.len()).map(|i| shape.corner_m(i * 4)).collect();
        (shape, at)
    }
}

/// Walks on to `to` on the same bank, corner by corner, preferring to go straight on as streets do.
fn stroll(path: &mut Vec<Corner>, to: Corner, dice: &mut Dice) {
    let Some(mut at) = path.last().copied() else { return };
    let mut along_row = dice.chance(0.5);
    while at != to {
        let (columns, rows) = (to.column - at.column, to.row - at.row);
        if columns == 0 {
            along_row = false;
        } else if rows == 0 {
            along_row = true;
        } else if dice.chance(0.25) {
            along_row = !along_row;
        }
        if along_row {
            at.column += columns.signum();
        } else {
            at.row += rows.signum();
        }
        path.push(at);
    }
}

/// Cuts out what lies between two visits of one corner.
pub(crate) fn without_loops(path: Vec<Corner>) -> Vec<Corner> {
    let mut plain: Vec<Corner> = Vec::with_capacity(path.len());
    for corner in path {
        match plain.iter().position(|seen| *seen == corner) {
            Some(first) => plain.truncate(first + 1),
            None => plain.push(corner),
        }
    }
    plain
}
