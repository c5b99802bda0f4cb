//! A place as JSON.

use impact::Place;
use serde::Serialize;
use utoipa::ToSchema;

use super::PlaceKindWord;

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
    /// Metres from the subject to it, 0 inside; null where no place was asked about.
    distance_m: Option<f64>,
}

impl<'a> PlaceView<'a> {
    /// Of a place, seen from somewhere or not.
    pub(crate) fn of(place: &'a Place, distance_m: Option<f64>) -> Self {
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
            distance_m,
        }
    }
}
