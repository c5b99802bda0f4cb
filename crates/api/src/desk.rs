//! A snapshot as the questions of `impact` want it: vehicles by place, armed areas, and the alerts the asker may know of.

use alert::Alert;
use impact::{ArmedArea, Intervals, Scene};
use transit::{Status, VehicleKey};

use crate::{Snapshot, TrailSource, views::is_shown};

/// Asks something of a snapshot. Covert alerts are on the desk of those who `see_covert` only.
pub(crate) fn with_desk<T>(
    snapshot: &Snapshot,
    trail: &TrailSource,
    see_covert: bool,
    ask: impl FnOnce(&impact::Desk<'_>) -> T,
) -> T {
    let intervals = Intervals::of(&snapshot.feeds);
    let look = |key: &VehicleKey| trail(key).unwrap_or_default();
    let alerts: Vec<&Alert> = snapshot.room.alerts().map(|a| &**a).filter(|a| is_shown(a, see_covert)).collect();
    let scene = Scene {
        index: snapshot.placed(),
        intervals: &intervals,
        as_of: snapshot.as_of,
        depots: &snapshot.guide.depots,
        trail: Some(&look),
    };
    ask(&impact::Desk {
        view: &snapshot.view,
        scene,
        alerts: &alerts,
        areas: armed_areas(snapshot),
        places: &snapshot.guide.places,
        runbooks: &snapshot.guide.runbooks,
    })
}

/// The areas of incidents that have begun, are not over and name a place on the map, tests apart.
pub(crate) fn armed_areas(snapshot: &Snapshot) -> &[ArmedArea] {
    snapshot.areas.get_or_make(|| {
        let live = |i: &&std::sync::Arc<alert::Incident>| i.is_live() && i.report.status != Status::Test;
        snapshot.room.incidents().filter(live).filter_map(|i| ArmedArea::of_incident(i).ok()).collect()
    })
}
