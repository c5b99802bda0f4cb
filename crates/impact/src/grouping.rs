//! Alerts that may have one cause: proposed with evidence and confidence, for a person to confirm or split.
//!
//! Every incident and every alert without one is a seed; an alert joins the seed it fits best, by place, time and
//! cause. Nothing is chained: a member is near its seed, not near another member.

use alert::{Alert, AlertId, Incident, IncidentKey, IncidentKind, IncidentPhase};
use picture::View;
use transit::{Coordinate, JourneyState, Status, UtcMillis, words};

use crate::{
    Area,
    index::position_true_at,
    reading::{is_doubtful, seconds},
};

words! {
    /// What is behind an alert or an incident, as far as its rule or kind tells.
    Cause as "cause" {
        /// Fire.
        Fire = "fire",
        /// Collision.
        Crash = "crash",
        /// Violence or threat.
        Violence = "violence",
        /// Water, snow, wind.
        Weather = "weather",
        /// Ground, power, signals, poison.
        Failure = "failure",
        /// Somebody ill.
        Medical = "medical",
        /// A vehicle broken down.
        Breakdown = "breakdown",
        /// People on the street, works.
        Occupation = "occupation",
        /// Only what follows from something: evacuation, standing vehicles, calls.
        Consequence = "consequence",
        /// Our own means: never grouped with what happens in the world.
        Means = "means",
    }
}

impl Cause {
    /// What is behind an alert of a rule.
    pub fn of_rule(rule: &str) -> Self {
        match rule {
            "EMG.FIRE" => Self::Fire,
            "EMG.COLLISION" => Self::Crash,
            "EMG.PANIC" | "EMG.ASSAULT" | "EMG.SUSPICIOUS_ITEM" => Self::Violence,
            "EMG.MEDICAL" => Self::Medical,
            "CALL.BREAKDOWN" => Self::Breakdown,
            "HAZ.WEATHER" | "HAZ.FLOOD" => Self::Weather,
            "HAZ.EARTHQUAKE" => Self::Failure,
            _ if rule.starts_with("FEED.") || rule.starts_with("SYS.") || rule == "GEO.HEADING" => Self::Means,
            _ => Self::Consequence,
        }
    }

    /// What is behind an incident of a kind.
    pub fn of_kind(kind: IncidentKind) -> Self {
        use IncidentKind as K;
        match kind {
            K::Fire => Self::Fire,
            K::Crash | K::PedestrianCrash | K::BusCrash | K::SubwayAccident => Self::Crash,
            K::Security | K::PoliceActivity => Self::Violence,
            K::Weather | K::Flood => Self::Weather,
            K::Earthquake | K::GroundCollapse | K::PowerFailure | K::SignalFailure | K::Hazmat => Self::Failure,
            K::TrackObstruction | K::FallenObject => Self::Failure,
            K::Medical => Self::Medical,
            K::Breakdown => Self::Breakdown,
            K::RoadWorks | K::Rally | K::Strike | K::SpecialEvent => Self::Occupation,
            K::Other | K::Report | K::Notice => Self::Consequence,
        }
    }

    /// The kind of an incident that has this cause.
    fn kind(self) -> IncidentKind {
        use IncidentKind as K;
        match self {
            Self::Fire => K::Fire,
            Self::Crash => K::Crash,
            Self::Violence => K::Security,
            Self::Weather => K::Weather,
            Self::Medical => K::Medical,
            Self::Breakdown => K::Breakdown,
            Self::Failure | Self::Occupation | Self::Consequence | Self::Means => K::Other,
        }
    }

    /// How well two causes explain each other, 0..=1.
    fn fits(self, other: Self) -> f64 {
        use Cause as C;
        match (self, other) {
            (C::Means, _) | (_, C::Means) => 0.0,
            (C::Consequence, C::Consequence) => 0.5,
            (a, b) if a == b => 1.0,
            // A broken vehicle, a crash and a fire are often one thing told by two people.
            (C::Fire | C::Crash | C::Breakdown, C::Fire | C::Crash | C::Breakdown) => 0.6,
            (C::Crash, C::Medical) | (C::Medical, C::Crash | C::Fire | C::Violence) => 0.5,
            (C::Fire | C::Violence, C::Medical) => 0.5,
            (C::Consequence, _) | (_, C::Consequence) => 0.6,
            _ => 0.0,
        }
    }
}

/// What can be tuned in grouping.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupOptions {
    /// Farther apart is no one cause, in metres; from an incident's area, the same.
    pub within_m: f64,
    /// Longer apart is no one cause, in seconds.
    pub within_s: f64,
    /// Standing vehicles within this are evidence, in metres.
    pub standing_within_m: f64,
    /// Less confidence than this is not proposed.
    pub confidence_min: f64,
}

impl Default for GroupOptions {
    fn default() -> Self {
        Self { within_m: 300.0, within_s: 900.0, standing_within_m: 150.0, confidence_min: 0.5 }
    }
}

/// One reason to think that a member belongs.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupEvidence {
    /// The same vehicle reports both.
    SameVehicle,
    /// Near the seed, or in the incident's area at 0.
    Near {
        /// Metres.
        distance_m: f64,
    },
    /// About the same time.
    SameTime {
        /// Seconds apart.
        apart_s: f64,
    },
    /// Causes that explain each other.
    CauseFits {
        /// Of the member.
        member: Cause,
        /// Of the seed.
        seed: Cause,
        /// 0..=1.
        fit: f64,
    },
    /// Vehicles stand near the seed.
    VehiclesStanding {
        /// How many.
        count: usize,
        /// Within, in metres.
        within_m: f64,
    },
}

/// An alert that is proposed to belong to a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Which.
    pub alert: AlertId,
    /// Why.
    pub evidence: Vec<GroupEvidence>,
    /// How sure, 0..=1.
    pub confidence: f64,
}

/// Alerts that may be one thing. A person confirms or splits.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The alerts, oldest first.
    pub members: Vec<Member>,
    /// The incident on record that they belong to; `None`: a new one would be made.
    pub incident: Option<IncidentKey>,
    /// What the new one would be; of one on record what it is.
    pub kind: IncidentKind,
    /// Where the new one would be; `None` of one on record.
    pub place: Option<Coordinate>,
    /// The least confidence of any member, 0..=1.
    pub confidence: f64,
}

/// Where something is.
enum Ground {
    Spot(Coordinate),
    Area(Area),
}

/// Something alerts may gather around.
struct Seed<'a> {
    incident: Option<&'a Incident>,
    alert: Option<&'a Alert>,
    ground: Ground,
    from: UtcMillis,
    cause: Cause,
    standing: usize,
    members: Vec<Member>,
}

/// Proposes which open alerts are one thing. Drills, tests and what belongs to an incident are left alone.
pub fn propose_groups(
    alerts: &[&Alert],
    incidents: &[&Incident],
    view: &View,
    as_of: UtcMillis,
    options: &GroupOptions,
) -> Vec<Proposal> {
    let mut seeds: Vec<Seed<'_>> = incidents
        .iter()
        .filter(|i| i.phase == IncidentPhase::Active && i.report.status == Status::Actual)
        .filter_map(|incident| seed_of_incident(incident, view, as_of, options))
        .collect();
    // One that belongs to an incident has been decided.
    let is_loose = |a: &&Alert| a.is_open() && a.status == Status::Actual && a.incident.is_none();
    let mut loose: Vec<&Alert> = alerts.iter().copied().filter(is_loose).collect();
    loose.sort_by_key(|alert| (happened_at(alert), alert.id.clone()));
    for alert in loose {
        let cause = Cause::of_rule(&alert.rule);
        let Some(place) = place_of(alert, view).filter(|_| cause != Cause::Means) else { continue };
        let best = seeds
            .iter()
            .enumerate()
            .filter_map(|(at, seed)| Some((at, fit(alert, place, cause, seed, options)?)))
            .max_by(|(_, a), (_, b)| a.confidence.total_cmp(&b.confidence));
        match best {
            Some((at, member)) => {
                if let Some(seed) = seeds.get_mut(at) {
                    seed.members.push(member);
                }
            }
            None => seeds.push(Seed {
                incident: None,
                alert: Some(alert),
                standing: standing_near(view, as_of, options, |c| c.distance(place).0),
                ground: Ground::Spot(place),
                from: happened_at(alert),
                cause,
                members: Vec::new(),
            }),
        }
    }
    seeds.into_iter().filter_map(Seed::proposal).collect()
}

impl Seed<'_> {
    fn proposal(mut self) -> Option<Proposal> {
        let confidence = self.members.iter().map(|m| m.confidence).reduce(f64::min)?;
        if let Some(alert) = self.alert {
            // What the others gather around is as sure as they are.
            self.members.insert(0, Member { alert: alert.id.clone(), evidence: Vec::new(), confidence });
        }
        Some(Proposal {
            incident: self.incident.map(|i| i.report.key.clone()),
            kind: self.incident.map_or_else(|| self.cause.kind(), |incident| incident.report.kind),
            place: if let Ground::Spot(spot) = self.ground { Some(spot) } else { None },
            members: self.members,
            confidence,
        })
    }

    fn distance_m(&self, place: Coordinate) -> f64 {
        match &self.ground {
            Ground::Spot(spot) => spot.distance(place).0,
            Ground::Area(area) => area.distance_m(place),
        }
    }
}

fn seed_of_incident<'a>(
    incident: &'a Incident,
    view: &View,
    as_of: UtcMillis,
    options: &GroupOptions,
) -> Option<Seed<'a>> {
    let area = Area::of_incident(incident).ok()?;
    Some(Seed {
        incident: Some(incident),
        alert: None,
        standing: standing_near(view, as_of, options, |c| area.distance_m(c)),
        ground: Ground::Area(area),
        from: incident.opened_at,
        cause: Cause::of_kind(incident.report.kind),
        members: Vec::new(),
    })
}

/// When the thing happened: the device's time where it can be true, else the receipt.
fn happened_at(alert: &Alert) -> UtcMillis {
    alert.event_at.filter(|at| alert.last_event_at.is_some() && *at <= alert.received_at).unwrap_or(alert.received_at)
}

/// Where the alarm says it was, else where its vehicle is.
fn place_of(alert: &Alert, view: &View) -> Option<Coordinate> {
    let said = alert.lat.zip(alert.lon).and_then(|(lat, lon)| Coordinate::parse(lat, lon).ok());
    said.filter(|c| !c.is_null_island()).or_else(|| view.vehicles.get(alert.subject.vehicle()?)?.coordinate)
}

/// Vehicles in service that stand near, on a fresh position.
fn standing_near(
    view: &View,
    as_of: UtcMillis,
    options: &GroupOptions,
    distance_m: impl Fn(Coordinate) -> f64,
) -> usize {
    let stands = |r: &&std::sync::Arc<picture::VehicleRecord>| {
        r.speed_mps.is_some_and(|v| v < 0.8)
            && !matches!(r.journey.state, Some(JourneyState::SignedOff | JourneyState::Layover))
            && !is_doubtful(r)
            && seconds(as_of.since(position_true_at(r))) <= 120.0
            && r.coordinate.is_some_and(|c| distance_m(c) <= options.standing_within_m)
    };
    view.vehicles.values().filter(stands).count()
}

/// Whether an alert belongs to a seed, and why.
fn fit(alert: &Alert, place: Coordinate, cause: Cause, seed: &Seed<'_>, options: &GroupOptions) -> Option<Member> {
    let distance_m = seed.distance_m(place);
    let apart_s = happened_at(alert).since(seed.from).abs() as f64 / 1000.0;
    // An incident goes on until it is closed: what happens in its area later still belongs.
    let lasting = seed.incident.is_some() && happened_at(alert) >= seed.from;
    let late = if lasting { 0.0 } else { apart_s / options.within_s };
    let same_vehicle = seed.alert.is_some_and(|s| s.subject.vehicle().is_some() && s.subject == alert.subject);
    let fit = if same_vehicle { cause.fits(seed.cause).max(0.8) } else { cause.fits(seed.cause) };
    let far = distance_m / options.within_m;
    if fit <= 0.0 || far > 1.0 || late > 1.0 {
        return None;
    }
    let standing = (seed.standing as f64 * 0.05).min(0.15);
    let recorded = if seed.incident.is_some() { 0.1 } else { 0.0 };
    let confidence = (0.4 * fit + 0.25 * (1.0 - far) + 0.2 * (1.0 - late) + standing + recorded).min(0.99);
    if confidence < options.confidence_min {
        return None;
    }
    let mut evidence = vec![
        GroupEvidence::Near { distance_m },
        GroupEvidence::SameTime { apart_s },
        GroupEvidence::CauseFits { member: cause, seed: seed.cause, fit },
    ];
    if same_vehicle {
        evidence.push(GroupEvidence::SameVehicle);
    }
    if seed.standing > 0 {
        evidence.push(GroupEvidence::VehiclesStanding { count: seed.standing, within_m: options.standing_within_m });
    }
    Some(Member { alert: alert.id.clone(), evidence, confidence })
}

#[cfg(test)]
mod tests;
