//! How big a city is. Knows nothing of how it is drawn.

use serde::Serialize;

/// The makings of a city.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CitySize {
    /// Bus routes.
    pub bus_lines: usize,
    /// Buses on all of them.
    pub buses: usize,
    /// Tram routes.
    pub tram_lines: usize,
    /// Trams on all of them.
    pub trams: usize,
    /// Metro lines, whose trains have no satellite position.
    pub metro_lines: usize,
    /// Trains on all of them.
    pub trains: usize,
}

/// A size with a name.
#[derive(Debug)]
pub struct SizeDef {
    /// The name, as given to `--size`.
    pub name: &'static str,
    /// What kind of place it is.
    pub doc: &'static str,
    /// Its makings.
    pub size: CitySize,
}

/// Every named size, smallest first.
pub const SIZES: &[SizeDef] = &[
    SizeDef {
        name: "river-town",
        doc: "10 lines and 130 vehicles: small enough to know every bus",
        size: CitySize { bus_lines: 8, buses: 112, tram_lines: 1, trams: 10, metro_lines: 1, trains: 8 },
    },
    SizeDef {
        name: "county-seat",
        doc: "50 lines and 900 vehicles",
        size: CitySize { bus_lines: 46, buses: 830, tram_lines: 3, trams: 45, metro_lines: 1, trains: 25 },
    },
    SizeDef {
        name: "capital",
        doc: "160 lines and 3,000 vehicles",
        size: CitySize { bus_lines: 148, buses: 2780, tram_lines: 8, trams: 100, metro_lines: 4, trains: 120 },
    },
    SizeDef {
        name: "metropolis",
        doc: "370 bus routes with 7,400 buses and 8 metro lines with 400 trains, as in Seoul",
        size: CitySize { bus_lines: 370, buses: 7400, tram_lines: 0, trams: 0, metro_lines: 8, trains: 400 },
    },
];

/// Buses on a route of a city whose size is given as a number of vehicles: the metropolis' own ratio.
const BUSES_PER_LINE: usize = 20;

impl CitySize {
    /// The size of that name.
    pub fn find(name: &str) -> Option<Self> {
        SIZES.iter().find(|def| def.name == name).map(|def| def.size)
    }

    /// A city of exactly `vehicles` vehicles (at least one): from 200 on with metro lines, whose trains are 1 in 20.
    pub fn of_vehicles(vehicles: usize) -> Self {
        let vehicles = vehicles.max(1);
        let metro_lines = if vehicles < 200 { 0 } else { (vehicles / 900 + 1).min(8) };
        let trains = if metro_lines == 0 { 0 } else { (vehicles / 20).min(metro_lines * 50) };
        let buses = vehicles - trains;
        Self { bus_lines: buses.div_ceil(BUSES_PER_LINE), buses, tram_lines: 0, trams: 0, metro_lines, trains }
    }

    /// Vehicles of all kinds.
    pub fn vehicles(&self) -> usize {
        self.buses + self.trams + self.trains
    }

    /// Lines of all kinds.
    pub fn lines(&self) -> usize {
        self.bus_lines + self.tram_lines + self.metro_lines
    }

    /// From the centre to the edge in metres: area grows with the number of street lines.
    pub(crate) fn radius_m(&self) -> f64 {
        2500.0 + 800.0 * ((self.bus_lines + self.tram_lines) as f64).sqrt()
    }
}
