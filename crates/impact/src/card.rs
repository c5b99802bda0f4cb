//! The decision card: all that is known about an alert, an incident or a vehicle in one answer.
//!
//! What is not known says why; every position has its age. The card proposes and never acts.

use std::sync::Arc;

use alert::{Alert, AlertId, Incident, IncidentKey};
use picture::{VehicleRecord, View};
use transit::{Coordinate, Occupancy, RouteId, StopId, TripId, VehicleKey};

use crate::{
    Area, AreaName, ArmedArea, Known, NearPlace, NearVehicle, Neighbours, Places, Reach, ReachOptions, Reason, Runbook,
    Runbooks, Scene, Suggestion,
    index::position_true_at,
    neighbours::near_vehicles,
    reading::{is_doubtful, seconds},
    suggestion::suggestions,
};

/// What the control room knows at one instant.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// The vehicles by id.
    pub view: &'a View,
    /// The vehicles by place, and the instant.
    pub scene: Scene<'a>,
    /// Open alerts.
    pub alerts: &'a [&'a Alert],
    /// Areas of active incidents and armed places.
    pub areas: &'a [ArmedArea],
    /// Places.
    pub places: &'a Places,
    /// Runbooks.
    pub runbooks: &'a Runbooks,
}

/// What can be tuned in a card.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CardOptions {
    /// How its area is judged.
    pub reach: ReachOptions,
    /// Nearest vehicles listed.
    pub nearest: usize,
    /// Nearest places listed of each kind.
    pub places_each: usize,
    /// Open alerts within this are listed, in metres,
    pub alerts_within_m: f64,
    /// at most so many.
    pub alerts_most: usize,
    /// The circle around a vehicle or an alarm whose kind has none, in metres.
    pub radius_m: f64,
}

impl Default for CardOptions {
    fn default() -> Self {
        Self {
            reach: ReachOptions::default(),
            nearest: 5,
            places_each: 2,
            alerts_within_m: 1_000.0,
            alerts_most: 20,
            radius_m: 150.0,
        }
    }
}

/// What a card is asked for.
#[derive(Debug, Clone, Copy)]
pub enum CardSubject<'a> {
    /// An alert.
    Alert(&'a Alert),
    /// An incident.
    Incident(&'a Incident),
    /// A vehicle.
    Vehicle(&'a VehicleKey),
}

/// What a card is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CardAbout {
    /// An alert; its history is kept under this id.
    Alert(AlertId),
    /// An incident.
    Incident(IncidentKey),
    /// A vehicle.
    Vehicle(VehicleKey),
}

/// A place and when it was true.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Whereabouts {
    /// Where.
    pub coordinate: Coordinate,
    /// Seconds since.
    pub age_s: f64,
    /// It is to be doubted.
    pub doubtful: bool,
    /// The vehicle says so now; else the alarm said so then, or the incident's record.
    pub by_vehicle: bool,
}

/// An area near the subject's.
#[derive(Debug, Clone, PartialEq)]
pub struct NearArea {
    /// Which: an incident's `source/id`, or `place:<id>`.
    pub id: String,
    /// For people.
    pub label: String,
    /// Metres from the subject's place to it; 0: it is inside.
    pub distance_m: f64,
}

/// An open alert near the subject.
#[derive(Debug, Clone, PartialEq)]
pub struct NearAlert {
    /// Which.
    pub id: AlertId,
    /// Its rule.
    pub rule: String,
    /// Metres.
    pub distance_m: f64,
}

/// The decision card.
#[derive(Debug, Clone)]
pub struct Card {
    /// What it is about.
    pub subject: CardAbout,
    /// The vehicle concerned.
    pub vehicle: Known<Arc<VehicleRecord>>,
    /// Where, and since when that is known.
    pub whereabouts: Known<Whereabouts>,
    /// Seconds since the vehicle's newest message was true.
    pub age_s: Known<f64>,
    /// Its trip.
    pub trip_id: Known<TripId>,
    /// Seconds behind the timetable, as the vehicle says.
    pub delay_s: Known<i32>,
    /// How full.
    pub occupancy: Known<Occupancy>,
    /// People on board, as the alarm says.
    pub passengers: Known<u32>,
    /// The next stops.
    pub next_stops: Known<Vec<StopId>>,
    /// Same route, ahead and behind.
    pub neighbours: Neighbours,
    /// Nearest other vehicles.
    pub nearest: Vec<NearVehicle>,
    /// The area concerned.
    pub area: Known<Area>,
    /// It endangers who is inside.
    pub dangerous: bool,
    /// Who is inside, coming in, unaccounted for.
    pub reach: Reach,
    /// Routes cut.
    pub routes_cut: Known<Vec<RouteId>>,
    /// Stops cut.
    pub stops_cut: Known<Vec<StopId>>,
    /// Trips that will meet the cut.
    pub trips_cut: Known<Vec<TripId>>,
    /// Other armed areas that overlap, nearest first.
    pub areas: Vec<NearArea>,
    /// Open alerts near, nearest first.
    pub alerts: Vec<NearAlert>,
    /// Open alerts near that are not listed.
    pub alerts_more: usize,
    /// Nearest places of each kind.
    pub places: Vec<NearPlace>,
    /// What to do.
    pub runbook: Option<Runbook>,
    /// What could be done, most urgent first.
    pub suggestions: Vec<Suggestion>,
    /// The vehicle is the subject itself, or the alert's.
    pub(crate) vehicle_is_subject: bool,
}

impl Card {
    /// Makes the card of a subject.
    pub fn of(subject: CardSubject<'_>, desk: &Desk<'_>, options: &CardOptions) -> Self {
        let vehicle = vehicle_of(subject, desk);
        let whereabouts = whereabouts(subject, &vehicle, desk);
        let (area, dangerous) = area_of(subject, &whereabouts, desk, options);
        let reach = area.known().map_or_else(Reach::default, |area| Reach::of(area, &desk.scene, &options.reach));
        let here = whereabouts.known().map(|w| w.coordinate);
        let (alerts, alerts_more) = here.map_or((Vec::new(), 0), |here| near_alerts(subject, here, desk, options));
        let said = |reason: Option<Reason>| reason.unwrap_or(Reason::NotReported);
        let record = vehicle.known();
        let own_key = record.map(|r| r.key.clone());
        let mut card = Self {
            subject: named(subject),
            age_s: record
                .map_or(Known::Unknown(said(vehicle.reason())), |r| Known::Known(seconds(r.age_ms(desk.scene.as_of)))),
            trip_id: fact(&vehicle, |r| r.journey.trip_id.clone()),
            delay_s: fact(&vehicle, |r| r.delay_s),
            occupancy: fact(&vehicle, |r| Some(r.occupancy.clone()).filter(|o| *o != Occupancy::default())),
            passengers: match subject {
                CardSubject::Alert(alert) => Known::reported(alert.passengers),
                CardSubject::Incident(_) | CardSubject::Vehicle(_) => Known::Unknown(Reason::NotReported),
            },
            next_stops: Known::Unknown(Reason::NoTimetable),
            neighbours: record.map_or_else(
                || Neighbours::unknown(said(vehicle.reason())),
                |r| Neighbours::of(r, desk.scene.index, desk.scene.as_of),
            ),
            nearest: here.map_or_else(Vec::new, |here| {
                let other = |r: &VehicleRecord| Some(&r.key) != own_key.as_ref();
                near_vehicles(desk.scene.index, here, options.nearest, desk.scene.as_of, other)
            }),
            areas: near_areas(&area, here, desk),
            area,
            dangerous,
            reach,
            routes_cut: Known::Unknown(Reason::NoTimetable),
            stops_cut: Known::Unknown(Reason::NoTimetable),
            trips_cut: Known::Unknown(Reason::NoTimetable),
            alerts,
            alerts_more,
            places: here.map_or_else(Vec::new, |here| desk.places.nearest_of_each(here, options.places_each)),
            runbook: rule_of(subject).and_then(|rule| desk.runbooks.find(rule)).cloned(),
            suggestions: Vec::new(),
            vehicle_is_subject: own_key.is_some(),
            vehicle,
            whereabouts,
        };
        card.suggestions = suggestions(&card, subject, desk);
        card
    }

    /// Whether it is about this vehicle.
    pub fn is_about(&self, key: &VehicleKey) -> bool {
        self.vehicle.known().is_some_and(|record| record.key == *key)
    }

    /// What is not known, and why.
    pub fn unknowns(&self) -> Vec<(&'static str, Reason)> {
        let all = [
            ("vehicle", self.vehicle.reason()),
            ("whereabouts", self.whereabouts.reason()),
            ("age_s", self.age_s.reason()),
            ("trip_id", self.trip_id.reason()),
            ("delay_s", self.delay_s.reason()),
            ("occupancy", self.occupancy.reason()),
            ("passengers", self.passengers.reason()),
            ("next_stops", self.next_stops.reason()),
            ("ahead", self.neighbours.ahead.reason()),
            ("behind", self.neighbours.behind.reason()),
            ("area", self.area.reason()),
            ("routes_cut", self.routes_cut.reason()),
            ("stops_cut", self.stops_cut.reason()),
            ("trips_cut", self.trips_cut.reason()),
        ];
        all.into_iter().filter_map(|(field, reason)| Some((field, reason?))).collect()
    }
}

fn named(subject: CardSubject<'_>) -> CardAbout {
    match subject {
        CardSubject::Alert(alert) => CardAbout::Alert(alert.id.clone()),
        CardSubject::Incident(incident) => CardAbout::Incident(incident.report.key.clone()),
        CardSubject::Vehicle(key) => CardAbout::Vehicle(key.clone()),
    }
}

fn fact<T>(vehicle: &Known<Arc<VehicleRecord>>, read: impl Fn(&VehicleRecord) -> Option<T>) -> Known<T> {
    match vehicle {
        Known::Known(record) => Known::reported(read(record)),
        Known::Unknown(reason) => Known::Unknown(*reason),
    }
}

fn rule_of(subject: CardSubject<'_>) -> Option<&str> {
    match subject {
        CardSubject::Alert(alert) => Some(&alert.rule),
        CardSubject::Incident(_) => Some("INC.SEVERE"),
        CardSubject::Vehicle(_) => None,
    }
}

fn vehicle_of(subject: CardSubject<'_>, desk: &Desk<'_>) -> Known<Arc<VehicleRecord>> {
    let key = match subject {
        CardSubject::Alert(alert) => alert.subject.vehicle(),
        CardSubject::Incident(_) => None,
        CardSubject::Vehicle(key) => Some(key),
    };
    let Some(key) = key else { return Known::Unknown(Reason::NoVehicle) };
    desk.view.vehicles.get(key).map_or(Known::Unknown(Reason::NeverHeard), |record| Known::Known(Arc::clone(record)))
}

/// Where the vehicle says it is, unless the alarm's own place is newer or the vehicle's is none; else the area's middle.
fn whereabouts(subject: CardSubject<'_>, vehicle: &Known<Arc<VehicleRecord>>, desk: &Desk<'_>) -> Known<Whereabouts> {
    let as_of = desk.scene.as_of;
    let by_vehicle = vehicle.known().and_then(|record| {
        Some(Whereabouts {
            coordinate: record.coordinate?,
            age_s: seconds(as_of.since(position_true_at(record))),
            doubtful: is_doubtful(record),
            by_vehicle: true,
        })
    });
    let by_alarm = match subject {
        CardSubject::Alert(alert) => place_of(alert)
            .map(|said| (said, !alert.quality.is_empty()))
            .or_else(|| Some((area_about(alert, desk)?.area.centre(), false)))
            .map(|(coordinate, doubtful)| Whereabouts {
                coordinate,
                age_s: seconds(as_of.since(alert.last_event_at.unwrap_or(alert.received_at).min(alert.received_at))),
                doubtful,
                by_vehicle: false,
            }),
        CardSubject::Incident(incident) => Area::of_incident(incident).ok().map(|area| Whereabouts {
            coordinate: area.centre(),
            age_s: seconds(as_of.since(incident.updated_at)),
            doubtful: false,
            by_vehicle: false,
        }),
        CardSubject::Vehicle(_) => None,
    };
    let best = match (by_vehicle, by_alarm) {
        (Some(v), Some(a)) if (v.doubtful, v.age_s) <= (a.doubtful, a.age_s) => Some(v),
        (_, Some(a)) => Some(a),
        (v, None) => v,
    };
    best.map_or(Known::Unknown(Reason::NoPosition), Known::Known)
}

fn place_of(alert: &Alert) -> Option<Coordinate> {
    Coordinate::parse(alert.lat?, alert.lon?).ok().filter(|c| !c.is_null_island())
}

/// The armed area that an alert is about.
fn area_about<'a>(alert: &Alert, desk: &Desk<'a>) -> Option<&'a ArmedArea> {
    match &alert.subject {
        alert::Subject::Area(id) | alert::Subject::Incident(id) => find_armed(desk, id),
        alert::Subject::Vehicle(_)
        | alert::Subject::Unparsed(_)
        | alert::Subject::Feed { .. }
        | alert::Subject::Stop(_)
        | alert::Subject::Line(_)
        | alert::Subject::System(_) => None,
    }
}

/// The armed area in which, or on whose way in, a rule found the alert's vehicle: the first that its evidence names and
/// that is still armed.
fn area_found_by_rule<'a>(alert: &Alert, desk: &Desk<'a>) -> Option<&'a ArmedArea> {
    let figure = match alert.rule.as_str() {
        "GEO.INSIDE" => "areas",
        "GEO.HEADING" => "area",
        _ => return None,
    };
    let named = alert.evidence.as_ref()?.figures.get(figure)?;
    find_armed(desk, named).or_else(|| named.split(", ").find_map(|id| find_armed(desk, id)))
}

fn find_armed<'a>(desk: &Desk<'a>, id: &str) -> Option<&'a ArmedArea> {
    desk.areas.iter().find(|armed| armed.area.id() == id)
}

/// The area concerned, and whether it endangers who is inside.
fn area_of(
    subject: CardSubject<'_>,
    whereabouts: &Known<Whereabouts>,
    desk: &Desk<'_>,
    options: &CardOptions,
) -> (Known<Area>, bool) {
    let of_armed = |found: Option<&ArmedArea>| match found {
        Some(armed) => (Known::Known(armed.area.clone()), armed.is_dangerous()),
        None => (Known::Unknown(Reason::NoArea), false),
    };
    let alert = match subject {
        CardSubject::Incident(incident) => {
            let (area, dangerous) = of_armed(ArmedArea::of_incident(incident).ok().as_ref());
            // Nobody is in danger of what has not begun or is over.
            return (area, dangerous && incident.is_live());
        }
        CardSubject::Vehicle(_) => None,
        CardSubject::Alert(Alert { subject: alert::Subject::Area(id) | alert::Subject::Incident(id), .. }) => {
            return of_armed(find_armed(desk, id));
        }
        CardSubject::Alert(alert) => match area_found_by_rule(alert, desk) {
            Some(armed) => return of_armed(Some(armed)),
            None => Some(alert),
        },
    };
    let Some(here) = whereabouts.known() else { return (Known::Unknown(Reason::NoPosition), false) };
    let (radius_m, dangerous) = alert.map_or((options.radius_m, false), |alert| danger_of(alert, options.radius_m));
    let area = Area::around(AreaName::query(), here.coordinate, radius_m);
    (area.map_or(Known::Unknown(Reason::NoArea), Known::Known), dangerous)
}

/// How far an alarm reaches, in metres, and whether it endangers others.
fn danger_of(alert: &Alert, otherwise_m: f64) -> (f64, bool) {
    match alert.rule.as_str() {
        "EMG.FIRE" | "EMG.EVACUATION" => (200.0, true),
        "EMG.SUSPICIOUS_ITEM" => (300.0, true),
        "EMG.COLLISION" => (100.0, false),
        _ => (otherwise_m, false),
    }
}

fn near_areas(area: &Known<Area>, here: Option<Coordinate>, desk: &Desk<'_>) -> Vec<NearArea> {
    let (own, reach_m) = area.known().map_or((None, 0.0), |a| (Some(a), a.extent_m()));
    let Some(here) = here.or(own.map(Area::centre)) else { return Vec::new() };
    let others = desk.areas.iter().filter(|armed| own.is_none_or(|own| own.id() != armed.area.id()));
    let mut near: Vec<NearArea> = others
        .map(|armed| NearArea {
            id: armed.area.id().to_owned(),
            label: armed.area.name().label.clone(),
            distance_m: armed.area.distance_m(here),
        })
        .filter(|near| near.distance_m <= reach_m)
        .collect();
    near.sort_by(|a, b| a.distance_m.total_cmp(&b.distance_m));
    near
}

fn near_alerts(
    subject: CardSubject<'_>,
    here: Coordinate,
    desk: &Desk<'_>,
    options: &CardOptions,
) -> (Vec<NearAlert>, usize) {
    let own = match subject {
        CardSubject::Alert(alert) => Some(&alert.id),
        CardSubject::Incident(_) | CardSubject::Vehicle(_) => None,
    };
    let measured = |alert: &&Alert| {
        let vehicle = alert.subject.vehicle().and_then(|key| desk.view.vehicles.get(key)?.coordinate);
        let distance_m = here.distance(vehicle.or_else(|| place_of(alert))?).0;
        Some(NearAlert { id: alert.id.clone(), rule: alert.rule.clone(), distance_m })
    };
    let mut near: Vec<NearAlert> = desk
        .alerts
        .iter()
        .filter(|alert| Some(&alert.id) != own)
        .filter_map(measured)
        .filter(|near| near.distance_m <= options.alerts_within_m)
        .collect();
    near.sort_by(|a, b| a.distance_m.total_cmp(&b.distance_m));
    let more = near.len().saturating_sub(options.alerts_most);
    near.truncate(options.alerts_most);
    (near, more)
}

#[cfg(test)]
mod tests;
