//! Areas: a named part of the map that means something, from an incident, a place or a question.
//!
//! An [`Area`] is never invalid: its constructors read, and name what is wrong together with the fix.

use alert::{Incident, IncidentKey, IncidentKind};
use transit::{Coordinate, Status, UtcMillis, words};

use crate::{
    outline::Outline,
    shape::{Part, Shape},
};

/// The largest radius or half-width: half the earth's circumference.
const RADIUS_MAX_M: f64 = 20_000_000.0;

words! {
    /// What a place is.
    PlaceKind as "place_kind" {
        /// Hospital.
        Hospital = "hospital",
        /// Police station.
        Police = "police",
        /// Fire station.
        FireStation = "fire_station",
        /// Depot: vehicles there are parked, not lost.
        Depot = "depot",
        /// Where a long vehicle can turn.
        TurnBack = "turn_back",
        /// A camera and its link.
        Camera = "camera",
        /// Somebody to call.
        Contact = "contact",
        /// Underpass.
        Underpass = "underpass",
        /// Tunnel.
        Tunnel = "tunnel",
        /// Bridge.
        Bridge = "bridge",
        /// Something else.
        Other = "other",
    }
}

/// Where an area comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AreaSource {
    /// An incident.
    Incident {
        /// Which.
        key: IncidentKey,
        /// What happened.
        kind: IncidentKind,
    },
    /// A place of `config/places.geojson`.
    Place(PlaceKind),
    /// Somebody asks.
    Query,
}

/// What an area is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaName {
    /// Unique among armed areas: `source/id` of an incident, `place:<id>`, or `query`.
    pub id: String,
    /// For people.
    pub label: String,
    /// Where it comes from.
    pub source: AreaSource,
}

impl AreaName {
    /// The name of a question's area.
    pub fn query() -> Self {
        Self { id: "query".to_owned(), label: "query".to_owned(), source: AreaSource::Query }
    }
}

/// Why something is no area. Each says which field and what to do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AreaError {
    /// Not GeoJSON at all.
    #[error("geometry: is no GeoJSON ({0}); send a Geometry, a Feature or a FeatureCollection")]
    NotGeoJson(String),
    /// Nothing in it.
    #[error("geometry: holds no shape; give at least one point, line or polygon")]
    Empty,
    /// A feature without a geometry.
    #[error("{0}: has no geometry; give it one or leave the feature out")]
    NoGeometry(String),
    /// A radius that is none.
    #[error("{field}: {found} is no radius; give metres above 0 and at most 20000000")]
    Radius {
        /// Which.
        field: String,
        /// What stood there.
        found: String,
    },
    /// A point or line without a width.
    #[error("{0}: a point or a line covers nothing by itself; give `radius_m` in metres")]
    NoRadius(String),
    /// A position that is none.
    #[error("{field}: {found} is no place; GeoJSON wants [longitude, latitude], -180..180 and -90..90")]
    Position {
        /// Which.
        field: String,
        /// What stood there.
        found: String,
    },
    /// Too short a line or ring.
    #[error("{field}: has {found} positions and needs {needed}{}", ring_hint(*needed))]
    TooFewPositions {
        /// Which.
        field: String,
        /// How many there are.
        found: usize,
        /// How many there must be.
        needed: usize,
    },
    /// A ring that ends elsewhere than it begins.
    #[error("{0}: the ring is not closed; repeat its first position at its end")]
    RingNotClosed(String),
    /// Larger than may be asked.
    #[error("{field}: more than {max} positions; simplify the shape")]
    TooManyPositions {
        /// Where the limit was passed.
        field: String,
        /// The limit.
        max: usize,
    },
    /// A latitude or longitude that is none.
    #[error("lat, lon: {lat}, {lon} is no place; degrees, -90..90 and -180..180")]
    Centre {
        /// As given.
        lat: String,
        /// As given.
        lon: String,
    },
    /// An incident that names no place on the map.
    #[error(
        "incident {0}: has neither `geometry` nor `lat` and `lon`; a stop, route or vehicle alone gives no area \
         without the network"
    )]
    NoPlace(String),
}

fn ring_hint(needed: usize) -> &'static str {
    if needed == 4 { ": three corners and the first one again" } else { "" }
}

/// What was taken although it is not quite right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AreaRemark {
    /// The polygon at this place crosses or touches itself: what its outline winds around is taken as inside.
    NotSimple(String),
    /// The radius is the default of the incident's kind.
    RadiusDefaulted,
}

/// Checks a radius or half-width in metres.
pub(crate) fn checked_radius(field: &str, radius_m: f64) -> Result<f64, AreaError> {
    if radius_m > 0.0 && radius_m <= RADIUS_MAX_M {
        Ok(radius_m)
    } else {
        Err(AreaError::Radius { field: field.to_owned(), found: radius_m.to_string() })
    }
}

/// A part of the map that means something.
#[derive(Debug, Clone, PartialEq)]
pub struct Area {
    name: AreaName,
    shape: Shape,
    remarks: Vec<AreaRemark>,
}

impl Area {
    /// The circle around a place.
    ///
    /// # Errors
    /// The radius is not above 0 or larger than half the globe.
    pub fn around(name: AreaName, centre: Coordinate, radius_m: f64) -> Result<Self, AreaError> {
        let radius_m = checked_radius("radius_m", radius_m)?;
        Ok(Self { name, shape: Shape::of(vec![Part::Circle { centre, radius_m }]), remarks: Vec::new() })
    }

    /// What GeoJSON text covers: points and lines are widened by `radius_m` (a feature's own property of that name
    /// goes first), several shapes are one area.
    ///
    /// # Errors
    /// Names the field and the fix.
    pub fn of_geojson(name: AreaName, text: &str, radius_m: Option<f64>) -> Result<Self, AreaError> {
        let radius_m = radius_m.map(|r| checked_radius("radius_m", r)).transpose()?;
        Ok(Self::outlined(name, Outline::parse(text, radius_m)?))
    }

    pub(crate) fn outlined(name: AreaName, outline: Outline) -> Self {
        Self { name, shape: Shape::of(outline.parts), remarks: outline.remarks }
    }

    /// What an incident covers: its geometry, widened by its radius where that is a point or a line, else the circle
    /// around its place.
    ///
    /// # Errors
    /// It names no place on the map, or its geometry cannot be read.
    pub fn of_incident(incident: &Incident) -> Result<Self, AreaError> {
        let report = &incident.report;
        let id = format!("{}/{}", report.key.source, report.key.id);
        let label = report.title.clone().unwrap_or_else(|| format!("{} {id}", transit::Word::word(report.kind)));
        let source = AreaSource::Incident { key: report.key.clone(), kind: report.kind };
        let name = AreaName { id: id.clone(), label, source };
        let radius_m = checked_radius("radius_m", incident.radius_m);
        let mut area = match (&report.geometry, report.lat, report.lon) {
            (Some(text), _, _) => Self::of_geojson(name, text, radius_m.ok())?,
            (None, Some(lat), Some(lon)) => {
                let Ok(centre) = Coordinate::parse(lat, lon) else {
                    return Err(AreaError::Centre { lat: lat.to_string(), lon: lon.to_string() });
                };
                Self::around(name, centre, radius_m?)?
            }
            (None, _, _) => return Err(AreaError::NoPlace(id)),
        };
        let widened = area.shape.parts().iter().any(|part| !matches!(part, Part::Region { .. }));
        if incident.radius_defaulted && widened {
            area.remarks.push(AreaRemark::RadiusDefaulted);
        }
        Ok(area)
    }

    /// What it is called.
    pub fn name(&self) -> &AreaName {
        &self.name
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.name.id
    }

    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// What was taken although it is not quite right.
    pub fn remarks(&self) -> &[AreaRemark] {
        &self.remarks
    }

    /// Metres from a place to the nearest place of the area; 0 inside.
    pub fn distance_m(&self, c: Coordinate) -> f64 {
        self.shape.distance_m(c)
    }

    /// Whether a position known to `accuracy_m` metres may be inside.
    pub fn may_hold(&self, c: Coordinate, accuracy_m: f64) -> bool {
        self.distance_m(c) <= accuracy_m.max(0.0)
    }

    /// The middle of the circle around it.
    pub fn centre(&self) -> Coordinate {
        self.shape.centre()
    }

    /// The radius of the circle around it, in metres: nothing farther from the centre is inside.
    pub fn extent_m(&self) -> f64 {
        self.shape.extent_m()
    }
}

words! {
    /// What an area is armed for.
    AreaPurpose as "area_purpose" {
        /// Keep out: inside and heading there are alerts.
        Hazard = "hazard",
        /// Get out: one fix inside counts (fire, earthquake, evacuation).
        Evacuation = "evacuation",
        /// Only watched: no alert.
        Watch = "watch",
    }
}

/// An area that rules look at.
#[derive(Debug, Clone, PartialEq)]
pub struct ArmedArea {
    /// Where.
    pub area: Area,
    /// Since when.
    pub since: UtcMillis,
    /// What for.
    pub purpose: AreaPurpose,
    /// Until when, where somebody said so.
    pub until: Option<UtcMillis>,
    /// Meant, or a drill: what is found in it is the same.
    pub status: Status,
}

impl ArmedArea {
    /// The area of an incident, armed since it was recorded or from when it begins, for what its kind demands.
    ///
    /// # Errors
    /// As [`Area::of_incident`].
    pub fn of_incident(incident: &Incident) -> Result<Self, AreaError> {
        let area = Area::of_incident(incident)?;
        let since = incident.starts_at.unwrap_or(incident.opened_at);
        let (purpose, status) = (AreaPurpose::of_incident(incident), incident.report.status);
        Ok(Self { area, since, purpose, until: None, status })
    }

    /// It endangers who is inside: more than watched.
    pub(crate) fn is_dangerous(&self) -> bool {
        self.purpose != AreaPurpose::Watch
    }
}

impl AreaPurpose {
    /// What an incident demands: what its kind does, and where the road is closed, that nobody drives into it.
    pub fn of_incident(incident: &Incident) -> Self {
        let closed = incident.report.road_control.as_deref() == Some("full");
        let purpose = Self::of_kind(incident.report.kind);
        if closed && purpose == Self::Watch { Self::Hazard } else { purpose }
    }

    /// What an incident's kind demands: out of fires, earthquakes and poison, away from what blocks or floods, and an
    /// eye on what only slows.
    fn of_kind(kind: IncidentKind) -> Self {
        use IncidentKind as K;
        match kind {
            K::Fire | K::Earthquake | K::Hazmat => Self::Evacuation,
            K::Flood | K::GroundCollapse | K::Security | K::Crash | K::PedestrianCrash | K::BusCrash => Self::Hazard,
            K::SubwayAccident | K::PoliceActivity | K::TrackObstruction | K::FallenObject => Self::Hazard,
            K::Breakdown | K::RoadWorks | K::Weather | K::Rally | K::Other | K::Report | K::Notice => Self::Watch,
            K::PowerFailure | K::SignalFailure | K::Medical | K::Strike | K::SpecialEvent => Self::Watch,
        }
    }
}

#[cfg(test)]
mod tests;
