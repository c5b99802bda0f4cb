//! The vehicles of one publication, laid out for questions of distance. Made once a snapshot and shared.
//!
//! A scan over unit vectors in one flat array: at 9,000 vehicles it costs less than a tree saves, it knows no date
//! line, and its order is the view's.

use std::{cmp::Ordering, collections::BTreeMap, sync::Arc};

use picture::{FeedRecord, QualityFlag, VehicleRecord, View};
use transit::{AgencyId, Coordinate, FeedId, Mode, RouteId, UtcMillis};

use crate::flat::EARTH_RADIUS_M;

/// A point on the unit sphere: straight distances order as great-circle distances do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Unit([f64; 3]);

impl Unit {
    pub(crate) fn of(c: Coordinate) -> Self {
        let (lat, lon) = (c.lat().to_radians(), c.lon().to_radians());
        Self([lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()])
    }

    /// Metres through the ground: never more than along it, and the same to a millimetre within 10 km.
    pub(crate) fn chord_m(self, other: Self) -> f64 {
        let square = self.0.iter().zip(other.0).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
        square.sqrt() * EARTH_RADIUS_M
    }
}

/// A vehicle with a position that can be measured from.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) unit: Unit,
    /// When the position was true, on our clock.
    pub(crate) true_at: UtcMillis,
    /// As reported.
    pub(crate) speed_mps: Option<f32>,
    pub(crate) coordinate: Coordinate,
    pub(crate) record: Arc<VehicleRecord>,
}

/// A vehicle and how far away it is.
#[derive(Debug, Clone)]
pub struct Near {
    /// The vehicle.
    pub vehicle: Arc<VehicleRecord>,
    /// Great-circle metres.
    pub distance_m: f64,
}

/// Every vehicle of one view.
#[derive(Debug, Clone, Default)]
pub struct Index {
    placed: Vec<Placed>,
    /// Positions that cannot be true: null island, exchanged axes, off the globe; and jumps, which are placed too.
    suspect: Vec<Arc<VehicleRecord>>,
    /// No position was ever reported.
    silent_on_place: usize,
    routes: BTreeMap<(AgencyId, RouteId), Vec<usize>>,
}

/// When the position of a record was true, on our clock; of one that is placed by its stop, the newest message.
pub(crate) fn position_true_at(record: &VehicleRecord) -> UtcMillis {
    record.position_event_time.unwrap_or(record.event_time).plus_millis(record.offset_ms).min(record.received_at)
}

impl Index {
    /// Lays out a view. Costs about as much as one question without it.
    pub fn of(view: &View) -> Self {
        let mut index = Self { placed: Vec::with_capacity(view.vehicles.len()), ..Self::default() };
        for record in view.vehicles.values() {
            let q = record.quality;
            let flawed =
                [QualityFlag::NullIsland, QualityFlag::SwappedAxes, QualityFlag::NotFinite, QualityFlag::OutOfRange]
                    .into_iter()
                    .any(|flag| q.contains(flag));
            if q.contains(QualityFlag::Jump) && !flawed {
                index.suspect.push(Arc::clone(record));
            }
            match record.coordinate {
                Some(coordinate) if !flawed => {
                    if let Some(route) = &record.journey.route_id {
                        let key = (record.key.agency.clone(), route.clone());
                        index.routes.entry(key).or_default().push(index.placed.len());
                    }
                    index.placed.push(Placed {
                        unit: Unit::of(coordinate),
                        true_at: position_true_at(record),
                        speed_mps: record.speed_mps,
                        coordinate,
                        record: Arc::clone(record),
                    });
                }
                Some(_) => index.suspect.push(Arc::clone(record)),
                None if flawed => index.suspect.push(Arc::clone(record)),
                None => index.silent_on_place += 1,
            }
        }
        index
    }

    pub(crate) fn placed(&self) -> &[Placed] {
        &self.placed
    }

    /// Vehicles whose reported position cannot be true.
    pub fn suspect(&self) -> &[Arc<VehicleRecord>] {
        &self.suspect
    }

    /// How many vehicles never said where they are.
    pub fn without_position(&self) -> usize {
        self.silent_on_place
    }

    /// How many vehicles can be measured from.
    pub fn len(&self) -> usize {
        self.placed.len()
    }

    /// Whether no vehicle can be measured from.
    pub fn is_empty(&self) -> bool {
        self.placed.is_empty()
    }

    /// The `most` nearest vehicles that `wanted` takes, nearest first; equal distances in the order of ids.
    pub fn nearest(&self, from: Coordinate, most: usize, wanted: impl Fn(&VehicleRecord) -> bool) -> Vec<Near> {
        let unit = Unit::of(from);
        let mut found: Vec<(f64, &Placed)> = Vec::with_capacity(most + 1);
        for placed in &self.placed {
            let chord = placed.unit.chord_m(unit);
            let full = found.len() == most;
            if (full && found.last().is_none_or(|(worst, _)| *worst <= chord)) || !wanted(&placed.record) {
                continue;
            }
            let at = found.partition_point(|(known, _)| known.total_cmp(&chord) != Ordering::Greater);
            found.insert(at, (chord, placed));
            found.truncate(most);
        }
        let near = |(_, placed): (f64, &Placed)| Near {
            vehicle: Arc::clone(&placed.record),
            distance_m: from.distance(placed.coordinate).0,
        };
        found.into_iter().map(near).collect()
    }

    /// The placed vehicles of a route, in the order of their ids.
    pub(crate) fn of_route(&self, agency: &AgencyId, route: &RouteId) -> impl Iterator<Item = &Placed> {
        let at = self.routes.get(&(agency.clone(), route.clone()));
        at.into_iter().flatten().filter_map(|at| self.placed.get(*at))
    }
}

/// How often the vehicles of each feed report, in seconds, and those of each mode of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Intervals {
    by_feed: BTreeMap<FeedId, f64>,
    by_mode: BTreeMap<FeedId, BTreeMap<Mode, f64>>,
}

impl Intervals {
    /// From the feeds of a publication; a feed whose interval is not known yet is left out.
    pub fn of(feeds: &BTreeMap<FeedId, Arc<FeedRecord>>) -> Self {
        let by_mode = feeds.iter().map(|(id, feed)| (id.clone(), feed.interval_s_by_mode.clone()));
        let known: Self = feeds.iter().filter_map(|(id, feed)| Some((id.clone(), feed.interval_s?))).collect();
        Self { by_mode: by_mode.collect(), ..known }
    }

    /// The interval of a feed's vehicles of a mode, else of all of them, when it is known.
    pub fn find(&self, feed: &FeedId, mode: Mode) -> Option<f64> {
        self.by_mode.get(feed).and_then(|modes| modes.get(&mode)).or_else(|| self.by_feed.get(feed)).copied()
    }
}

impl FromIterator<(FeedId, f64)> for Intervals {
    fn from_iter<I: IntoIterator<Item = (FeedId, f64)>>(pairs: I) -> Self {
        Self { by_feed: pairs.into_iter().collect(), by_mode: BTreeMap::new() }
    }
}
