//! A place as JSON.

use alert::{Incident, IncidentPhase};
use impact::Place;
use serde::Serialize;
use utoipa::ToSchema;

use super::{PlaceKindWord, Stamp, incident_id};
use crate::Snapshot;

/// A place the control room needs: whom to call, where to turn, what to keep ready.
#[derive(Serialize, ToSchema)]
pub(crate) struct PlaceView<'a> {
    /// Its id in the places file.
    id: &'a str,
    /// What it is.
    #[schema(inline)]
    kind: PlaceKindWord,
    /// For people.
    name: &'a str,
    /// Whom to call.
    phone: Option<&'a str>,
    /// Where to look: a camera's link.
    url: Option<&'a str>,
    /// What else to know.
    note: Option<&'a str>,
    /// Degrees north of its middle.
    lat: f64,
    /// Degrees east of its middle.
    lon: f64,
    /// Nothing of it is farther from its middle, in metres; null of a point that nobody can be inside of.
    extent_m: Option<f64>,
    /// Kept ready to be armed.
    standing: bool,
    /// Armed: vehicles inside and heading there are alerts.
    armed: bool,
    /// Who armed it.
    armed_by: Option<&'a str>,
    /// Since when.
    armed_at: Option<Stamp>,
    /// It ends by itself then; null while it is armed: when somebody disarms it.
    armed_until: Option<Stamp>,
    /// The incident that it is while it is armed.
    incident_id: Option<String>,
    /// Metres from the subject to it, 0 inside; null where no place was asked about.
    distance_m: Option<f64>,
}

impl<'a> PlaceView<'a> {
    /// Of a place as of a snapshot, seen from somewhere or not.
    pub(crate) fn of(place: &'a Place, distance_m: Option<f64>, snapshot: &'a Snapshot) -> Self {
        let incident = armed(place, snapshot);
        let arming = incident.and_then(|incident| incident.armed.as_ref());
        Self {
            id: &place.id,
            kind: PlaceKindWord(place.kind),
            name: &place.name,
            phone: place.phone.as_deref(),
            url: place.url.as_deref(),
            note: place.note.as_deref(),
            lat: place.coordinate.lat(),
            lon: place.coordinate.lon(),
            extent_m: place.area.as_ref().map(impact::Area::extent_m),
            standing: place.standing,
            armed: incident.is_some(),
            armed_by: arming.map(|arming| arming.by.as_str()),
            armed_at: arming.map(|arming| Stamp(arming.at)),
            armed_until: arming.and_then(|arming| arming.until).map(Stamp),
            incident_id: incident.map(incident_id),
            distance_m,
        }
    }
}

/// The incident that a place is while it is armed.
fn armed<'a>(place: &Place, snapshot: &'a Snapshot) -> Option<&'a Incident> {
    let incident = snapshot.room.find_incident(&place.incident_key()).filter(|_| place.standing)?;
    Some(&**incident).filter(|incident| incident.phase == IncidentPhase::Active)
}
