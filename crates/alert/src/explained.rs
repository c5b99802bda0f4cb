//! What an incident explains: what it does to the service makes some findings nothing new.
//!
//! A rule that is not in the table is explained by no incident. An emergency never is, and a vehicle that heads for a
//! danger does so on a detour as well.

use serde::{Deserialize, Serialize};
use transit::{UtcMillis, VehicleKey};

use crate::{Affected, Alert, AlertClass, Incident, IncidentKey, IncidentPhase, Subject};

/// Effect in GTFS-Realtime's word, and the rules whose findings on the routes it names it explains.
const EXPLAINED: &[(&str, &[&str])] = &[("DETOUR", &["VEH.OFFROUTE", "LINE.DIVERT"])];

/// The incident that explains an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// Which.
    pub incident: IncidentKey,
    /// It does so until then: the end of the period that runs; `None` = until the incident is over.
    pub until: Option<UtcMillis>,
}

/// What a finding says of the service it is about, as far as it does.
struct Concerned<'a> {
    route: &'a str,
    direction: Option<&'a str>,
    agency: Option<&'a str>,
    trip: Option<&'a str>,
    vehicle: Option<&'a VehicleKey>,
}

impl<'a> Concerned<'a> {
    /// By the figures that the rule gives (`route_id`, `direction_id`, `agency_id`, `trip_id`), else by the subject.
    fn of(alert: &'a Alert) -> Option<Self> {
        let figure = |name: &str| alert.evidence.as_ref().and_then(|e| e.figures.get(name)).map(String::as_str);
        let vehicle = alert.subject.vehicle();
        let (line, of_line) = match &alert.subject {
            Subject::Line(line) => match line.rsplit_once('+') {
                Some((line, direction @ ("0" | "1"))) => (Some(line), Some(direction)),
                Some(_) | None => (Some(line.as_str()), None),
            },
            Subject::Vehicle(_)
            | Subject::Unparsed(_)
            | Subject::Feed { .. }
            | Subject::Area(_)
            | Subject::Incident(_)
            | Subject::Stop(_)
            | Subject::System(_) => (None, None),
        };
        Some(Self {
            route: figure("route_id").or(line)?,
            direction: figure("direction_id").or(of_line),
            agency: figure("agency_id").or_else(|| vehicle.map(|key| key.agency.as_str())),
            trip: figure("trip_id"),
            vehicle,
        })
    }

    /// Whether an entry names it: its route, and of what else the entry names nothing that is known to be another.
    /// A trip or a vehicle has to be known to be that one, because the entry then means few of many. Stops say where
    /// the detour is, which is no other route.
    fn is_named_by(&self, entry: &Affected) -> bool {
        let direction = entry.direction_id.map(|direction| direction.to_string());
        let is_vehicle = |wanted: &String| {
            self.vehicle.is_some_and(|key| key.vehicle.as_str() == wanted || key.to_string() == *wanted)
        };
        entry.route_id.as_deref() == Some(self.route)
            && direction.is_none_or(|wanted| self.direction.is_none_or(|own| own == wanted))
            && entry.agency_id.as_deref().is_none_or(|wanted| self.agency.is_none_or(|own| own == wanted))
            && entry.trip_id.as_deref().is_none_or(|wanted| self.trip == Some(wanted))
            && entry.vehicle_id.as_ref().is_none_or(is_vehicle)
    }
}

impl Incident {
    /// It goes on and has an effect that explains something, in a period that runs or is to come.
    pub fn may_explain(&self) -> bool {
        self.phase == IncidentPhase::Active && !self.explained_rules().is_empty()
    }

    fn explained_rules(&self) -> &'static [&'static str] {
        let effect = self.report.effect.as_deref().unwrap_or_default();
        EXPLAINED.iter().find(|(word, _)| *word == effect).map_or(&[], |(_, rules)| *rules)
    }

    /// Whether it explains `alert` at `now`, and until when.
    pub fn explains(&self, alert: &Alert, now: UtcMillis) -> Option<Explanation> {
        let may = self.may_explain()
            && alert.class != AlertClass::Emergency
            && alert.status == self.report.status
            && self.explained_rules().contains(&alert.rule.as_str());
        let concerned = Concerned::of(alert).filter(|_| may)?;
        if !self.report.affects.iter().any(|entry| concerned.is_named_by(entry)) {
            return None;
        }
        let until = self.runs_until(now)?;
        Some(Explanation { incident: self.report.key.clone(), until })
    }

    /// The latest end of the periods that run at `now`; `None` when none does, `Some(None)` without an end.
    fn runs_until(&self, now: UtcMillis) -> Option<Option<UtcMillis>> {
        let periods = &self.report.active_periods;
        if periods.is_empty() {
            return Some(None);
        }
        let runs = periods.iter().filter(|p| p.start.is_none_or(|s| s <= now) && p.end.is_none_or(|e| now < e));
        let ends: Vec<Option<UtcMillis>> = runs.map(|period| period.end).collect();
        let open = ends.iter().any(Option::is_none);
        if ends.is_empty() { None } else { Some(ends.into_iter().flatten().max().filter(|_| !open)) }
    }
}

impl Alert {
    /// Whether an incident may explain it at all: by its rule. An emergency never.
    pub fn is_explainable(&self) -> bool {
        self.class != AlertClass::Emergency && EXPLAINED.iter().any(|(_, rules)| rules.contains(&self.rule.as_str()))
    }
}
