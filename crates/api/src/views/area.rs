//! An area as JSON, and what it means for the fleet.

use std::collections::BTreeMap;

use impact::{Area, AreaRemark, AreaSource, ArmedArea, HORIZONS_S, Reach, Reason, Unjudged};
use serde::Serialize;
use transit::{Coordinate, Word as _};
use utoipa::ToSchema;

use super::{
    AreaPurposeWord, Stamp, StatusWord, UnknownWord,
    row::{EnteringRow, InsideRow, UnaccountedRow, UnplacedRow},
};
use crate::{Snapshot, routes::level};

/// A part of the map that means something.
#[derive(Serialize, ToSchema)]
pub(crate) struct AreaView<'a> {
    /// `source/incident`, `place:<id>`, or `query` of what was asked for.
    id: String,
    /// For people.
    label: &'a str,
    /// Where it comes from: `incident`, `place` or `query`.
    source: &'static str,
    /// The kind of incident or place; null of a query.
    kind: Option<&'static str>,
    /// Degrees north of its middle.
    lat: f64,
    /// Degrees east of its middle.
    lon: f64,
    /// Nothing of it is farther from its middle than this, in metres.
    extent_m: f64,
    /// What was taken although it is not quite right: `radius_defaulted`, or `not_simple` and where.
    remarks: Vec<String>,
}

impl<'a> AreaView<'a> {
    /// Of an area.
    pub(crate) fn of(area: &'a Area) -> Self {
        let name = area.name();
        let (id, source, kind) = match &name.source {
            AreaSource::Incident { key, kind } => {
                (format!("{}/{}", level(&key.source), level(&key.id)), "incident", Some(kind.word()))
            }
            AreaSource::Place(kind) => (name.id.clone(), "place", Some(kind.word())),
            AreaSource::Query => (name.id.clone(), "query", None),
        };
        let remark = |remark: &AreaRemark| match remark {
            AreaRemark::RadiusDefaulted => "radius_defaulted".to_owned(),
            AreaRemark::NotSimple(at) => format!("not_simple {at}: crosses or touches itself"),
        };
        Self {
            id,
            label: &name.label,
            source,
            kind,
            lat: area.centre().lat(),
            lon: area.centre().lon(),
            extent_m: area.extent_m(),
            remarks: area.remarks().iter().map(remark).collect(),
        }
    }
}

/// An area that is watched, near another.
#[derive(Serialize, ToSchema)]
pub(crate) struct NearAreaView<'a> {
    /// The area.
    area: AreaView<'a>,
    /// Whether to keep out, to get out, or only to watch.
    #[schema(inline)]
    purpose: AreaPurposeWord,
    /// Meant, or a drill.
    #[schema(inline)]
    status: StatusWord,
    /// Since when it is armed.
    since: Stamp,
    /// Metres from the place asked about to it; 0: the place is inside.
    distance_m: f64,
}

impl<'a> NearAreaView<'a> {
    /// Of an armed area as seen from a place.
    pub(crate) fn of(armed: &'a ArmedArea, from: Coordinate) -> Self {
        Self {
            area: AreaView::of(&armed.area),
            purpose: AreaPurposeWord(armed.purpose),
            status: StatusWord(armed.status),
            since: Stamp(armed.since),
            distance_m: armed.area.distance_m(from),
        }
    }
}

/// Vehicles near enough to matter that could not be judged, by reason.
#[derive(Serialize, ToSchema)]
pub(crate) struct NotJudgedView {
    /// No position was ever reported, anywhere in the fleet.
    no_position: usize,
    /// Near, outside, and without a course.
    no_course: usize,
    /// Near, outside, and without a speed.
    no_speed: usize,
}

impl NotJudgedView {
    /// Of the counts.
    pub(crate) fn of(counts: Unjudged) -> Self {
        Self { no_position: counts.no_position, no_course: counts.no_course, no_speed: counts.no_speed }
    }
}

/// How many are inside, coming in and unaccounted for.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReachCounts {
    /// Inside.
    inside: usize,
    /// In within 2 minutes.
    entering_2_min: usize,
    /// In within 5 minutes, those of 2 included.
    entering_5_min: usize,
    /// In within 10 minutes, all others included.
    entering_10_min: usize,
    /// Gone dark inside or on the way in.
    unaccounted: usize,
    /// With a position that cannot be true.
    unplaced: usize,
}

impl ReachCounts {
    /// Of what an area means.
    pub(crate) fn of(reach: &Reach) -> Self {
        let [two, five, ten] = HORIZONS_S.map(|horizon_s| reach.entering_within(horizon_s).len());
        Self {
            inside: reach.inside.len(),
            entering_2_min: two,
            entering_5_min: five,
            entering_10_min: ten,
            unaccounted: reach.unaccounted.len(),
            unplaced: reach.unplaced.len(),
        }
    }
}

/// What an area means for the fleet. Lists hold every vehicle with the age of what it rests on.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReachView<'a> {
    /// What was asked for.
    area: AreaView<'a>,
    /// How many.
    counts: ReachCounts,
    /// Inside, certain ones first, then by distance.
    inside: Vec<InsideRow<'a>>,
    /// Coming in within 10 minutes, soonest first.
    entering: Vec<EnteringRow<'a>>,
    /// Gone dark inside or on the way in: expected ones first, then the longest silent.
    unaccounted: Vec<UnaccountedRow<'a>>,
    /// With a position that cannot be true.
    unplaced: Vec<UnplacedRow<'a>>,
    /// Not judged; filters do not narrow these counts.
    not_judged: NotJudgedView,
    /// Areas of active incidents that overlap, nearest first.
    areas: Vec<NearAreaView<'a>>,
    /// Routes cut; null without a network.
    routes_cut: Option<Vec<String>>,
    /// Stops cut; null without a network.
    stops_cut: Option<Vec<String>>,
    /// Why a key is null.
    #[schema(value_type = BTreeMap<String, UnknownWord>)]
    unknown: BTreeMap<&'static str, UnknownWord>,
}

impl<'a> ReachView<'a> {
    /// Of what an area means, beside the armed areas there are.
    pub(crate) fn of(area: &'a Area, reach: &'a Reach, armed: &'a [ArmedArea], snapshot: &Snapshot) -> Self {
        let overlaps = |other: &&ArmedArea| other.area.distance_m(area.centre()) <= area.extent_m();
        let mut areas: Vec<NearAreaView<'a>> =
            armed.iter().filter(overlaps).map(|other| NearAreaView::of(other, area.centre())).collect();
        areas.sort_by(|a, b| a.distance_m.total_cmp(&b.distance_m));
        let no_timetable = |key| (key, UnknownWord(Reason::NoTimetable));
        Self {
            area: AreaView::of(area),
            counts: ReachCounts::of(reach),
            inside: reach.inside.iter().map(|row| InsideRow::of(row, snapshot)).collect(),
            entering: reach.entering.iter().map(|row| EnteringRow::of(row, snapshot)).collect(),
            unaccounted: reach.unaccounted.iter().map(|row| UnaccountedRow::of(row, snapshot)).collect(),
            unplaced: reach.unplaced.iter().map(|row| UnplacedRow::of(row, snapshot)).collect(),
            not_judged: NotJudgedView::of(reach.unjudged),
            areas,
            routes_cut: None,
            stops_cut: None,
            unknown: BTreeMap::from(["routes_cut", "stops_cut"].map(no_timetable)),
        }
    }
}
