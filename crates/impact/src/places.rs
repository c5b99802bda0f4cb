//! Places the control room needs, from GeoJSON text: whom to call, where to turn, what to keep ready.
//!
//! A standing place is an area that is armed by one call. Reading names everything that is wrong, by feature.

use alert::IncidentKey;
use geojson::{Feature, FeatureCollection, GeoJson, feature::Id};
use transit::{Coordinate, Word};

use crate::{Area, AreaName, AreaSource, PlaceKind, area::checked_radius, outline::Outline};

/// Source of incidents that operators open.
pub const OPERATOR: &str = "operator";
/// Characters of a standing place's id: with `place:` before it, it is the id of an incident.
const STANDING_ID_CHARS_MAX: usize = 58;

/// What is wrong with a feature, or with all of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{field}: {problem}", feature_label(*index, id.as_deref()))]
pub struct PlaceError {
    /// Which feature, counted from 0; `None`: the text as a whole.
    pub index: Option<usize>,
    /// Its id, when it has one.
    pub id: Option<String>,
    /// Which field.
    pub field: String,
    /// What is wrong and what to do.
    pub problem: String,
}

fn feature_label(index: Option<usize>, id: Option<&str>) -> String {
    match (index, id) {
        (Some(index), Some(id)) => format!("features[{index}] ({id}) "),
        (Some(index), None) => format!("features[{index}] "),
        (None, _) => String::new(),
    }
}

/// One place.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Unique in the file.
    pub id: String,
    /// What it is.
    pub kind: PlaceKind,
    /// For people.
    pub name: String,
    /// Whom to call.
    pub phone: Option<String>,
    /// Where to look: a camera's link.
    pub url: Option<String>,
    /// What else to know.
    pub note: Option<String>,
    /// Its middle.
    pub coordinate: Coordinate,
    /// What it covers; `None` for a point that nobody can be inside of.
    pub area: Option<Area>,
    /// Its geometry as written, GeoJSON text.
    pub geometry: String,
    /// Width in metres of its points and lines; `None` where it has none.
    pub width_m: Option<f64>,
    /// Kept ready to be armed.
    pub standing: bool,
}

/// A place and how far away it is.
#[derive(Debug, Clone, PartialEq)]
pub struct NearPlace {
    /// The place.
    pub place: Place,
    /// Metres to it; 0 inside.
    pub distance_m: f64,
}

/// All places.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Places(Vec<Place>);

impl PlaceKind {
    /// Width in metres of a place of this kind that gives none; `None`: it needs no area.
    fn width_m(self) -> Option<f64> {
        match self {
            Self::Depot => Some(150.0),
            Self::Underpass => Some(50.0),
            Self::Tunnel | Self::Bridge => Some(30.0),
            Self::Hospital | Self::Police | Self::FireStation | Self::TurnBack => None,
            Self::Camera | Self::Contact | Self::Other => None,
        }
    }
}

impl Places {
    /// Reads `config/places.geojson`.
    ///
    /// # Errors
    /// Everything that is wrong, each with its feature, field and fix.
    pub fn parse(text: &str) -> Result<Self, Vec<PlaceError>> {
        let whole = |problem: String| vec![PlaceError { index: None, id: None, field: "places".to_owned(), problem }];
        let features = match text.parse::<GeoJson>() {
            Ok(GeoJson::FeatureCollection(FeatureCollection { features, .. })) => features,
            Ok(GeoJson::Geometry(_) | GeoJson::Feature(_)) => {
                return Err(whole("is no FeatureCollection; put the features into one".to_owned()));
            }
            Err(e) => return Err(whole(format!("is no GeoJSON: {e}"))),
        };
        let (mut places, mut wrong): (Vec<Place>, Vec<PlaceError>) = (Vec::new(), Vec::new());
        for (index, feature) in features.iter().enumerate() {
            match (Reader { index, feature }).place() {
                Ok(place) if places.iter().any(|known| known.id == place.id) => wrong.push(PlaceError {
                    index: Some(index),
                    id: Some(place.id),
                    field: "id".to_owned(),
                    problem: "is taken by an earlier feature; give each its own".to_owned(),
                }),
                Ok(place) => places.push(place),
                Err(error) => wrong.push(error),
            }
        }
        if wrong.is_empty() { Ok(Self(places)) } else { Err(wrong) }
    }

    /// All of them, as in the file.
    pub fn all(&self) -> &[Place] {
        &self.0
    }

    /// The place of an id.
    pub fn find(&self, id: &str) -> Option<&Place> {
        self.0.iter().find(|place| place.id == id)
    }

    /// The `most` nearest places of a kind, nearest first.
    pub fn nearest(&self, from: Coordinate, kind: PlaceKind, most: usize) -> Vec<NearPlace> {
        let measured = |place: &Place| NearPlace {
            distance_m: place.area.as_ref().map_or_else(|| from.distance(place.coordinate).0, |a| a.distance_m(from)),
            place: place.clone(),
        };
        let mut near: Vec<NearPlace> = self.0.iter().filter(|p| p.kind == kind).map(measured).collect();
        near.sort_by(|a, b| a.distance_m.total_cmp(&b.distance_m));
        near.truncate(most);
        near
    }

    /// The `most` nearest of every kind, in the order of kinds.
    pub fn nearest_of_each(&self, from: Coordinate, most: usize) -> Vec<NearPlace> {
        PlaceKind::ALL.iter().flat_map(|kind| self.nearest(from, *kind, most)).collect()
    }

    /// The areas of depots.
    pub fn depots(&self) -> Vec<Area> {
        self.0.iter().filter(|p| p.kind == PlaceKind::Depot).filter_map(|p| p.area.clone()).collect()
    }

    /// The places that are kept ready.
    pub fn standing(&self) -> impl Iterator<Item = &Place> {
        self.0.iter().filter(|p| p.standing)
    }
}

impl Place {
    /// The incident that it is while it is armed: there is one at a time, and it goes on in the same record.
    pub fn incident_key(&self) -> IncidentKey {
        IncidentKey { source: OPERATOR.to_owned(), id: format!("place:{}", self.id) }
    }
}

/// One feature being read.
struct Reader<'a> {
    index: usize,
    feature: &'a Feature,
}

impl Reader<'_> {
    fn id(&self) -> Option<String> {
        match (&self.feature.id, self.feature.property("id").and_then(|v| v.as_str())) {
            (Some(Id::String(id)), _) => Some(id.clone()),
            (Some(Id::Number(number)), _) => Some(number.to_string()),
            (None, id) => id.map(str::to_owned),
        }
    }

    fn error(&self, field: &str, problem: impl Into<String>) -> PlaceError {
        PlaceError { index: Some(self.index), id: self.id(), field: field.to_owned(), problem: problem.into() }
    }

    fn text(&self, field: &str) -> Result<Option<String>, PlaceError> {
        match self.feature.property(field) {
            None => Ok(None),
            Some(value) if value.is_null() => Ok(None),
            Some(value) => match value.as_str().map(str::trim) {
                Some(text) if !text.is_empty() => Ok(Some(text.to_owned())),
                _ => Err(self.error(field, format!("{value} is no text; write it in quotes or leave it out"))),
            },
        }
    }

    fn kind(&self) -> Result<PlaceKind, PlaceError> {
        let known = || PlaceKind::ALL.iter().map(|k| k.word()).collect::<Vec<_>>().join(", ");
        let Some(word) = self.text("kind")? else {
            return Err(self.error("kind", format!("is missing; give one of {}", known())));
        };
        PlaceKind::find(&word).ok_or_else(|| self.error("kind", format!("{word:?} is none of {}", known())))
    }

    fn width_m(&self, kind: PlaceKind) -> Result<Option<f64>, PlaceError> {
        match self.feature.property("radius_m") {
            None => Ok(kind.width_m()),
            Some(value) => {
                let number = value.as_f64().unwrap_or(f64::NAN);
                let radius_m = checked_radius("radius_m", number);
                let Ok(radius_m) = radius_m else {
                    let said = format!("{value} is no width; give metres above 0 and at most 20000000");
                    return Err(self.error("radius_m", said));
                };
                Ok(Some(radius_m))
            }
        }
    }

    fn standing(&self) -> Result<bool, PlaceError> {
        match self.feature.property("standing") {
            None => Ok(false),
            Some(value) => {
                value.as_bool().ok_or_else(|| self.error("standing", format!("{value} is neither true nor false")))
            }
        }
    }

    fn place(&self) -> Result<Place, PlaceError> {
        let Some(id) = self.id() else {
            return Err(self.error("id", "is missing; give each feature one, unique in the file"));
        };
        let kind = self.kind()?;
        let Some(name) = self.text("name")? else {
            return Err(self.error("name", "is missing; write what people call it"));
        };
        let Some(geometry) = &self.feature.geometry else {
            return Err(self.error("geometry", "is missing; give it a point, line or polygon"));
        };
        let (width_m, standing) = (self.width_m(kind)?, self.standing()?);
        // A metre gives a point its middle where nothing is inside of it.
        let mut outline = Outline::default();
        outline
            .read(&geometry.value, width_m.or(Some(1.0)), "geometry")
            .map_err(|e| self.error("geometry", e.to_string()))?;
        let covers = width_m.is_some() || outline.has_region();
        if standing && !covers {
            return Err(self.error("radius_m", "is missing; a standing area needs a width in metres or a polygon"));
        }
        if standing && id.chars().count() > STANDING_ID_CHARS_MAX {
            let said = format!("has more than {STANDING_ID_CHARS_MAX} characters, too many for an area that is armed");
            return Err(self.error("id", said));
        }
        let source = AreaSource::Place(kind);
        let area = Area::outlined(AreaName { id: format!("place:{id}"), label: name.clone(), source }, outline);
        Ok(Place {
            phone: self.text("phone")?,
            url: self.text("url")?,
            note: self.text("note")?,
            coordinate: area.centre(),
            area: covers.then_some(area),
            geometry: geometry.to_string(),
            width_m,
            id,
            kind,
            name,
            standing,
        })
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    const EXAMPLE: &str = include_str!("../../../config/places.geojson");

    #[test]
    fn the_example_reads_and_holds_every_kind_of_use() {
        let places = Places::parse(EXAMPLE).unwrap();
        let here = Coordinate::parse(37.5665, 126.978).unwrap();
        let near: Vec<String> = places
            .nearest_of_each(here, 1)
            .iter()
            .map(|n| format!("{} {} {:.0} m", n.place.kind.word(), n.place.id, n.distance_m))
            .collect();
        expect![[r#"
            hospital hospital-river 406 m
            police police-central 374 m
            fire_station fire-north 1756 m
            depot depot-east 5567 m
            turn_back turn-market 1014 m
            camera camera-bridge-n 4139 m
            contact contact-rail 1461 m
            underpass underpass-river-2 3506 m
            tunnel tunnel-hill-1 1899 m
            bridge bridge-long 4188 m"#]]
        .assert_eq(&near.join("\n"));
        assert_eq!(places.standing().count(), 3);
        assert_eq!(places.depots().len(), 2);
    }

    #[test]
    fn a_standing_place_keeps_its_shape_for_the_incident_that_it_becomes() {
        let places = Places::parse(EXAMPLE).unwrap();
        let here = Coordinate::parse(37.5405, 126.9526).unwrap();
        for place in places.standing() {
            let name = place.area.as_ref().unwrap().name().clone();
            let again = Area::of_geojson(name, &place.geometry, place.width_m).unwrap();
            assert_eq!(Some(&again), place.area.as_ref(), "{}", place.id);
        }
        let underpass = places.find("underpass-river-2").unwrap();
        assert!(underpass.standing && underpass.area.as_ref().unwrap().may_hold(here, 0.0));
        assert_eq!(underpass.incident_key().to_string(), "operator/place:underpass-river-2");
        assert!(!places.find("hospital-river").unwrap().standing);
    }

    fn check(features: &str, expected: Expect) {
        let text = format!(r#"{{"type":"FeatureCollection","features":[{features}]}}"#);
        let said = match Places::parse(&text) {
            Ok(places) => format!("{} read", places.0.len()),
            Err(wrong) => wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        };
        expected.assert_eq(&said);
    }

    #[test]
    fn what_is_wrong_is_named_by_feature_field_and_fix() {
        let point = r#""geometry":{"type":"Point","coordinates":[127,37]}"#;
        let feature = |id: &str, properties: &str, geometry: &str| {
            format!(r#"{{"type":"Feature"{id},"properties":{{{properties}}},{geometry}}}"#)
        };
        let id = |id: &str| format!(r#","id":"{id}""#);
        let police = r#""kind":"police","name":"P""#;
        let features = [
            feature("", police, point),
            feature(&id("a"), r#""kind":"pub","name":"P""#, point),
            feature(&id("b"), r#""kind":"police""#, point),
            feature(&id("c"), r#""kind":"police","name":7"#, point),
            feature(&id("d"), r#""kind":"police","name":"P","standing":true"#, point),
            feature(&id("e"), r#""kind":"depot","name":"D","radius_m":-4"#, point),
            feature(&id("f"), police, r#""geometry":{"type":"Point","coordinates":[37,127]}"#),
            feature(&id("g"), police, r#""geometry":{"type":"Polygon","coordinates":[[[1,1],[2,1],[2,2]]]}"#),
            feature(&id("h"), police, point),
            feature(&id("h"), police, point),
            feature(&id("i"), police, r#""geometry":null"#),
        ];
        check(
            &features.join(","),
            expect![[r#"
            features[0] id: is missing; give each feature one, unique in the file
            features[1] (a) kind: "pub" is none of hospital, police, fire_station, depot, turn_back, camera, contact, underpass, tunnel, bridge, other
            features[2] (b) name: is missing; write what people call it
            features[3] (c) name: 7 is no text; write it in quotes or leave it out
            features[4] (d) radius_m: is missing; a standing area needs a width in metres or a polygon
            features[5] (e) radius_m: -4 is no width; give metres above 0 and at most 20000000
            features[6] (f) geometry: geometry.coordinates: [37, 127] is no place; GeoJSON wants [longitude, latitude], -180..180 and -90..90
            features[7] (g) geometry: geometry.coordinates[0]: the ring is not closed; repeat its first position at its end
            features[9] (h) id: is taken by an earlier feature; give each its own
            features[10] (i) geometry: is missing; give it a point, line or polygon"#]],
        );
    }

    #[test]
    fn what_is_no_collection_is_told_so() {
        for (text, said) in [
            ("[", "places: is no GeoJSON"),
            (r#"{"type":"Point","coordinates":[1,2]}"#, "places: is no FeatureCollection"),
        ] {
            let wrong = Places::parse(text).unwrap_err();
            assert!(wrong[0].to_string().starts_with(said), "{}", wrong[0]);
        }
    }
}
