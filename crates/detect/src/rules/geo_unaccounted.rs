//! GEO.UNACCOUNTED: vehicles went dark inside an armed area or on their way in.

use std::collections::{BTreeMap, BTreeSet};

use alert::{AlertClass, Evidence, Priority, Subject};
use impact::{ArmedArea, Unaccounted};
use picture::VehicleRecord;
use serde::{Deserialize, Serialize};
use transit::Status;

use crate::{
    judgement::{Judgements, Proof, figures},
    options::{OptionsError, check_figure, read, table_of},
    parents,
    registry::{Annunciate, Habits, Rule, RuleDef},
    survey::{AreaReach, Survey},
};

pub(crate) const DEF: RuleDef = RuleDef {
    code: "GEO.UNACCOUNTED",
    class: AlertClass::Safety,
    doc: "Vehicles in service were last seen inside an armed area or heading in, and are silent for max(60 s, 3 \
          reporting intervals). One alert an area; the vehicles are its members. A feed that is lost does not excuse \
          them. A member is accounted for by a fresh position or by a person, not by silence and not by the end of \
          the incident; over when all are. Who was accounted for by a person, is heard after that and falls silent \
          again, is missed again. Do: call them one after another, and send somebody to look.",
    habits: Habits::of(Annunciate::Alert),
    keys: &[("seen_before_s", "A vehicle last seen longer ago than this when the area was armed is no member.")],
    defaults: table_of::<Options>,
    build,
    parents: parents::none,
};

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    seen_before_s: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { seen_before_s: 900.0 }
    }
}

struct GeoUnaccounted {
    seen_before_ms: i64,
}

fn build(table: toml::Table) -> Result<Box<dyn Rule>, OptionsError> {
    let options: Options = read(table)?;
    check_figure("seen_before_s", options.seen_before_s)?;
    Ok(Box::new(GeoUnaccounted { seen_before_ms: (options.seen_before_s * 1000.0) as i64 }))
}

impl Rule for GeoUnaccounted {
    fn examine(&self, survey: &Survey<'_>, out: &mut Judgements<'_>) {
        let mut missed: BTreeMap<Subject, (BTreeSet<Subject>, Option<&AreaReach<'_>>)> = BTreeMap::new();
        for area in survey.reaches(out.status()) {
            let about = Subject::Area(area.armed.area.id().to_owned());
            let members = area.reach.unaccounted.iter().filter(|u| self.counts(u, area.armed));
            let members = members.map(|u| (Subject::Vehicle(u.vehicle.key.clone()), &*u.vehicle));
            let members =
                members.filter(|(member, of)| !is_accounted_for(survey, &about, out.status(), member, Some(of)));
            let members: BTreeSet<Subject> = members.map(|(member, _)| member).collect();
            missed.insert(about, (members, Some(area)));
        }
        // Who was missed is missed until heard, whatever became of the area.
        for subject in out.standing() {
            let (members, _) = missed.entry(subject.clone()).or_default();
            let is_found = |member: &Subject| {
                let of = member.vehicle().and_then(|key| survey.find_sighting(key)).map(|sighting| sighting.vehicle);
                is_heard(survey, member) || is_accounted_for(survey, subject, out.status(), member, of)
            };
            members.extend(out.members_of(subject).iter().filter(|member| !is_found(member)).cloned());
        }
        for (subject, (members, area)) in missed {
            if members.is_empty() {
                out.clear(subject, Proof::Watched);
                continue;
            }
            let centre = area.map(|a| a.armed.area.centre());
            let evidence = Evidence {
                lat: centre.map(|c| c.lat()),
                lon: centre.map(|c| c.lon()),
                members: members.iter().cloned().collect(),
                ..figures([("unaccounted", members.len().to_string())])
            };
            out.raise_group(subject, Proof::Watched, Priority::P1, evidence);
        }
    }
}

impl GeoUnaccounted {
    fn counts(&self, unaccounted: &Unaccounted, armed: &ArmedArea) -> bool {
        unaccounted.expected && armed.since.since(unaccounted.last_seen_at) <= self.seen_before_ms
    }
}

/// A person said so, and the vehicle has not been heard since.
fn is_accounted_for(
    survey: &Survey<'_>,
    about: &Subject,
    status: Status,
    member: &Subject,
    vehicle: Option<&VehicleRecord>,
) -> bool {
    let said = survey.scene.accounted.iter().filter(|a| a.about == *about && a.status == status);
    said.filter(|a| a.member == *member).any(|a| vehicle.is_none_or(|v| v.received_at <= a.at))
}

fn is_heard(survey: &Survey<'_>, member: &Subject) -> bool {
    let sighting = member.vehicle().and_then(|key| survey.find_sighting(key));
    sighting.is_some_and(|s| s.fresh && s.fix().is_some())
}
