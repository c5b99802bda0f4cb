//! Which records a reader wants.

use alert::{Alert, AlertClass, AlertCondition, Incident, IncidentKind, IncidentPhase, Priority, Severity};
use picture::{Freshness, VehicleRecord};
use transit::{JourneyState, Mode, Status};

use crate::{
    Snapshot,
    params::{Bbox, Params, Query, words},
    problem::ApiError,
    views::{freshness_as_of, place, route_of},
};

/// An empty list asks for nothing in particular.
fn wants<T: PartialEq + ?Sized>(list: &[impl std::borrow::Borrow<T>], value: Option<&T>) -> bool {
    list.is_empty() || value.is_some_and(|v| list.iter().any(|wanted| wanted.borrow() == v))
}

/// Which vehicles.
#[derive(Debug, Default)]
pub(crate) struct VehicleFilter {
    agencies: Vec<String>,
    routes: Vec<String>,
    directions: Vec<u8>,
    trips: Vec<String>,
    vehicles: Vec<String>,
    modes: Vec<Mode>,
    bbox: Option<Bbox>,
    freshness: Vec<Freshness>,
    journey_states: Vec<JourneyState>,
    max_age_ms: Option<i64>,
}

impl VehicleFilter {
    /// Reads it from a query that has [`crate::params::VEHICLE_FILTERS`].
    pub(crate) fn of<Q: Query>(params: &Params<Q>) -> Result<Self, ApiError> {
        let direction = |text: &str| match text {
            "0" => Ok(0),
            "1" => Ok(1),
            other => Err(ApiError::bad_parameter("direction_id", other, "0, 1")),
        };
        Ok(Self {
            agencies: params.texts("agency_id"),
            routes: params.texts("route_id"),
            directions: params.all("direction_id").map(direction).collect::<Result<_, _>>()?,
            trips: params.texts("trip_id"),
            vehicles: params.texts("vehicle_id"),
            modes: params.words("mode")?,
            bbox: params.bbox()?,
            freshness: params.words("freshness")?,
            journey_states: params.words("journey_state")?,
            max_age_ms: params.seconds("max_age_s", 86_400.0)?,
        })
    }

    /// Its answer depends on the time of asking, not only on what changed.
    pub(crate) fn moves_with_time(&self) -> bool {
        self.max_age_ms.is_some()
    }

    /// The vehicle itself is one that is asked for, whatever it does now.
    pub(crate) fn wants_identity(&self, key: &transit::VehicleKey) -> bool {
        let number = key.vehicle.as_str();
        wants::<str>(&self.agencies, Some(key.agency.as_str()))
            && (self.vehicles.is_empty()
                || self
                    .vehicles
                    .iter()
                    .any(|wanted| wanted == number || (wanted.contains('/') && *wanted == key.to_string())))
    }

    /// The vehicle as it is now is asked for.
    pub(crate) fn wants(&self, record: &VehicleRecord, snapshot: &Snapshot) -> bool {
        let journey = &record.journey;
        self.wants_identity(&record.key)
            && wants::<str>(&self.routes, journey.route_id.as_ref().map(transit::RouteId::as_str))
            && wants::<u8>(&self.directions, journey.direction_id.as_ref())
            && wants::<str>(&self.trips, journey.trip_id.as_ref().map(transit::TripId::as_str))
            && wants::<Mode>(&self.modes, Some(&record.mode))
            && wants::<JourneyState>(&self.journey_states, journey.state.as_ref())
            && (self.freshness.is_empty() || self.freshness.contains(&freshness_as_of(record, snapshot)))
            && self.max_age_ms.is_none_or(|max| record.age_ms(snapshot.as_of) <= max)
            && self.bbox.is_none_or(|b| record.coordinate.is_some_and(|c| b.contains(c.lat(), c.lon())))
    }
}

/// Which alerts.
#[derive(Debug, Default)]
pub(crate) struct AlertFilter {
    conditions: Vec<AlertCondition>,
    statuses: Vec<Status>,
    priorities: Vec<Priority>,
    classes: Vec<AlertClass>,
    rules: Vec<String>,
    subjects: Vec<String>,
    routes: Vec<String>,
    bbox: Option<Bbox>,
    see_covert: bool,
    closed_too: bool,
    quiet: Quiet,
}

/// Alerts that are kept from the main list: shelved, explained by another, out of service by design, or one of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Quiet {
    #[default]
    LeftOut,
    ShelvedOnly,
    Included,
}

/// What `shelved` may say.
pub(crate) const SHELVED: [&str; 3] = ["false", "true", "any"];

impl Quiet {
    fn find(word: Option<&str>, followed: bool) -> Result<Self, ApiError> {
        match word {
            // Who follows changes has to see how each goes and comes.
            None if followed => Ok(Self::Included),
            None | Some("false") => Ok(Self::LeftOut),
            Some("true") => Ok(Self::ShelvedOnly),
            Some("any") => Ok(Self::Included),
            Some(word) => Err(ApiError::bad_parameter("shelved", word, &SHELVED.join(", "))),
        }
    }

    fn wants(self, alert: &Alert) -> bool {
        match self {
            Self::LeftOut => alert.silence.is_none(),
            Self::ShelvedOnly => alert.silence.shelf.is_some(),
            Self::Included => true,
        }
    }
}

impl AlertFilter {
    /// Open ones that are no tests, for somebody who may see covert alerts or not.
    pub(crate) fn open(see_covert: bool) -> Self {
        Self { see_covert, ..Self::default() }
    }

    /// Every one whatever its state, tests apart: what a follower of changes needs to see an end.
    pub(crate) fn followed(see_covert: bool) -> Self {
        Self { see_covert, closed_too: true, quiet: Quiet::Included, ..Self::default() }
    }

    /// Reads it from a query of alerts; with `since`, closed ones are wanted too.
    pub(crate) fn of<Q: Query>(params: &Params<Q>, see_covert: bool) -> Result<Self, ApiError> {
        Ok(Self {
            conditions: params.words("state")?,
            statuses: params.words("status")?,
            priorities: params.words("priority")?,
            classes: params.words("class")?,
            rules: params.texts("rule"),
            subjects: params.texts("subject"),
            routes: params.texts("route_id"),
            bbox: params.bbox()?,
            see_covert,
            closed_too: params.has("since"),
            quiet: Quiet::find(params.one("shelved")?, params.has("since"))?,
        })
    }

    /// This alert is wanted.
    pub(crate) fn wants(&self, alert: &Alert, snapshot: &Snapshot) -> bool {
        let by_state = if self.conditions.is_empty() {
            self.closed_too || alert.is_open()
        } else {
            self.conditions.contains(&alert.condition)
        };
        let by_status =
            if self.statuses.is_empty() { alert.status != Status::Test } else { self.statuses.contains(&alert.status) };
        by_state
            && by_status
            && (self.see_covert || !alert.covert)
            && self.quiet.wants(alert)
            && wants::<Priority>(&self.priorities, Some(&alert.priority))
            && wants::<AlertClass>(&self.classes, Some(&alert.class))
            && wants::<str>(&self.rules, Some(&alert.rule))
            && (self.subjects.is_empty() || self.subjects.contains(&alert.subject.to_string()))
            && (self.routes.is_empty() || wants::<str>(&self.routes, route_of(alert, snapshot)))
            && self.bbox.is_none_or(|b| match place(alert, snapshot) {
                Some(p) => b.contains(p.coordinate.lat(), p.coordinate.lon()),
                // It may be anywhere, and no district may be without it.
                None => alert.class == AlertClass::Emergency,
            })
    }

    /// Its answer depends on where vehicles are, not only on the alerts.
    pub(crate) fn moves_with_vehicles(&self) -> bool {
        self.bbox.is_some() || !self.routes.is_empty()
    }
}

/// Which incidents.
#[derive(Debug, Default)]
pub(crate) struct IncidentFilter {
    phases: Vec<IncidentPhase>,
    statuses: Vec<Status>,
    kinds: Vec<IncidentKind>,
    severities: Vec<Severity>,
    sources: Vec<String>,
    bbox: Option<Bbox>,
    closed_too: bool,
}

impl IncidentFilter {
    /// Every one whatever its state, tests apart.
    pub(crate) fn followed() -> Self {
        Self { closed_too: true, ..Self::default() }
    }

    /// Reads it from a query of incidents; with `since`, closed ones are wanted too.
    pub(crate) fn of<Q: Query>(params: &Params<Q>) -> Result<Self, ApiError> {
        let kind = |text: &str| {
            IncidentKind::find_word_or_code(text).ok_or_else(|| {
                let allowed = format!("{}, or a TOPIS code A01 to A13", words::<IncidentKind>().join(", "));
                ApiError::bad_parameter("kind", text, &allowed)
            })
        };
        Ok(Self {
            phases: params.words("state")?,
            statuses: params.words("status")?,
            kinds: params.all("kind").map(kind).collect::<Result<_, _>>()?,
            severities: params.words("severity")?,
            sources: params.texts("source"),
            bbox: params.bbox()?,
            closed_too: params.has("since"),
        })
    }

    /// This incident is wanted.
    pub(crate) fn wants(&self, incident: &Incident) -> bool {
        let report = &incident.report;
        let by_state = if self.phases.is_empty() {
            self.closed_too || incident.phase == IncidentPhase::Active
        } else {
            self.phases.contains(&incident.phase)
        };
        let by_status = if self.statuses.is_empty() {
            report.status != Status::Test
        } else {
            self.statuses.contains(&report.status)
        };
        by_state
            && by_status
            && wants::<IncidentKind>(&self.kinds, Some(&report.kind))
            && wants::<Severity>(&self.severities, Some(&incident.severity))
            && wants::<str>(&self.sources, Some(&report.key.source))
            && self.bbox.is_none_or(|b| room::extent_of(report).is_some_and(|extent| b.touches(&extent)))
    }
}

/// The word an alert's state or a vehicle's freshness sorts by is its order in the vocabulary.
pub(crate) fn order_of<W: transit::Word>(word: W) -> usize {
    W::ALL.iter().position(|w| *w == word).unwrap_or(usize::MAX)
}
