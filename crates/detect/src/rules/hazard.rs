//! HAZ.*: weather, flood or earthquake that a source reports of an area. The area itself arms the rules about areas.

use alert::{AlertClass, Evidence, Incident, IncidentKind, IncidentPhase, Priority, Severity, Subject};
use serde::{Deserialize, Serialize};
use transit::{Status, UtcMillis, Word};

use crate::{
    judgement::{Judgements, Proof, figures},
    options::{OptionsError, read, table_of},
    parents,
    registry::{Annunciate, Habits, Rule, RuleDef},
    survey::Survey,
};

macro_rules! hazard {
    ($name:ident, $code:literal, $kind:ident, $what:literal) => {
        pub(crate) const $name: RuleDef = RuleDef {
            code: $code,
            class: AlertClass::Safety,
            doc: concat!(
                $what,
                " that a source reports as at least `severity_min`: P1 when extreme, else P2; from the beginning of \
                 its period. Over when the source closes or withdraws it or its last period has passed; an expected \
                 end is no end. A drill is told as a drill, a test not at all. Do: look who is inside and who is heading there; stop \
                 and divert."
            ),
            habits: Habits::of(Annunciate::Alert),
            keys: &[("severity_min", "Least severity: \"minor\", \"moderate\", \"severe\" or \"extreme\".")],
            defaults: table_of::<Options>,
            build: |table| build(IncidentKind::$kind, table),
            parents: parents::of_area,
        };
    };
}

hazard!(WEATHER, "HAZ.WEATHER", Weather, "Weather");
hazard!(FLOOD, "HAZ.FLOOD", Flood, "A flood");
hazard!(EARTHQUAKE, "HAZ.EARTHQUAKE", Earthquake, "An earthquake");

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    severity_min: Severity,
}

impl Default for Options {
    fn default() -> Self {
        Self { severity_min: Severity::Severe }
    }
}

struct Hazard {
    kind: IncidentKind,
    severity_min: Severity,
}

fn build(kind: IncidentKind, table: toml::Table) -> Result<Box<dyn Rule>, OptionsError> {
    let options: Options = read(table)?;
    if options.severity_min == Severity::Unknown {
        return Err(OptionsError::Value("`severity_min` cannot be \"unknown\"".to_owned()));
    }
    Ok(Box::new(Hazard { kind, severity_min: options.severity_min }))
}

impl Rule for Hazard {
    fn examine(&self, survey: &Survey<'_>, out: &mut Judgements<'_>) {
        let now = survey.now().utc;
        let holding: Vec<&Incident> =
            survey.scene.incidents.iter().map(AsRef::as_ref).filter(|i| self.holds(i, out.status(), now)).collect();
        for incident in &holding {
            let priority = if incident.severity == Severity::Extreme { Priority::P1 } else { Priority::P2 };
            out.raise(subject_of(incident), Proof::Watched, priority, || evidence_of(incident, survey));
        }
        // Incidents are our own record: one that is not open is over, which is no silence.
        let over: Vec<&Subject> =
            out.standing().filter(|s| holding.iter().all(|incident| subject_of(incident) != **s)).collect();
        for subject in over {
            out.clear(subject.clone(), Proof::Watched);
        }
    }
}

impl Hazard {
    fn holds(&self, incident: &Incident, status: Status, now: UtcMillis) -> bool {
        let report = &incident.report;
        let bad = incident.severity >= self.severity_min && incident.severity != Severity::Unknown;
        let open = incident.phase == IncidentPhase::Active && report.status == status;
        let spans = &report.active_periods;
        let now_in = |p: &alert::ActivePeriod| p.start.is_none_or(|s| s <= now) && p.end.is_none_or(|e| now < e);
        report.kind == self.kind && bad && open && (spans.is_empty() || spans.iter().any(now_in))
    }
}

fn subject_of(incident: &Incident) -> Subject {
    Subject::Area(format!("{}/{}", incident.report.key.source, incident.report.key.id))
}

/// Its place is the one it names, else the middle of the area that it arms.
fn evidence_of(incident: &Incident, survey: &Survey<'_>) -> Evidence {
    let subject = subject_of(incident);
    let is_its_own = |armed: &&impact::ArmedArea| matches!(&subject, Subject::Area(id) if id == armed.area.id());
    let centre = || survey.scene.areas.iter().find(is_its_own).map(|armed| armed.area.centre());
    let said = incident.report.lat.zip(incident.report.lon);
    let place = said.or_else(|| centre().map(|c| (c.lat(), c.lon())));
    let defaulted = if incident.severity_defaulted { "default of its kind" } else { "by the source" };
    Evidence {
        lat: place.map(|(lat, _)| lat),
        lon: place.map(|(_, lon)| lon),
        ..figures([
            ("title", incident.report.title.clone().unwrap_or_default()),
            ("severity", incident.severity.word().to_owned()),
            ("severity_given", defaulted.to_owned()),
            ("radius_m", format!("{:.0}", incident.radius_m)),
        ])
    }
}
