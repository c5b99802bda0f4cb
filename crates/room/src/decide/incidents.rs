//! What becomes of incidents, and the alert that a severe one raises (INC.SEVERE).

use alert::{
    Alert, AlertClass, AlertOrigin, Author, Change, CloseReason, Evidence, Finding, FindingVerdict, Incident,
    IncidentKey, IncidentOutcome, IncidentPhase, IncidentReport, IncidentWithdrawal, Priority, Severity, Subject,
};
use transit::{Now, Status, Word};

use super::{draft::Draft, names::Meant, nothing, place::place_of};
use crate::{ControlRoom, Decision, OpenKey, Verdict};

/// The rule of a severe incident's alert.
pub(super) const SEVERE: &str = "INC.SEVERE";
/// Subject of the one alert for all severe incidents that were there when we connected.
const AT_CONNECT: &str = "incidents at connect";

impl ControlRoom {
    pub(super) fn decide_incident(&self, report: &IncidentReport, now: Now) -> Decision {
        let Meant { key, names, merged } = self.meant_by(report, now.utc);
        let report = &IncidentReport { key, names, ..report.clone() };
        let known = self.incidents.get(&report.key).map(|incident| &**incident);
        let mut outcome = Incident::judge(known, report);
        let opens = outcome == IncidentOutcome::Recorded && known.is_none() && report.phase == IncidentPhase::Active;
        if opens && self.open_incidents >= self.options.incidents_max {
            outcome = IncidentOutcome::NoRoom;
        }
        let mut draft = Draft::of(self, now);
        if outcome == IncidentOutcome::Recorded {
            let incident = Box::new(Incident::record(known, report, now.utc));
            draft.change_incident(Change::IncidentRecorded(incident));
        } else if known.is_some() && !report.names.is_empty() {
            // A message that comes late says no news, but what belongs together.
            let (key, names) = (report.key.clone(), report.names.clone());
            draft.push(Change::IncidentNamed { key, names, at: now.utc });
        }
        draft.merge(&merged);
        draft.ends(Verdict::Incident(outcome))
    }

    pub(super) fn decide_withdrawal(&self, withdrawal: &IncidentWithdrawal, now: Now) -> Decision {
        let key = self.find_meant(&withdrawal.key, now.utc).unwrap_or_else(|| withdrawal.key.clone());
        match self.incidents.get(&key) {
            None => nothing(Verdict::Incident(IncidentOutcome::Unknown)),
            Some(incident) if incident.withdrawn => nothing(Verdict::Incident(IncidentOutcome::Same)),
            Some(_) => {
                let mut draft = Draft::of(self, now);
                draft.change_incident(Change::IncidentWithdrawn { key, at: now.utc });
                draft.ends(Verdict::Incident(IncidentOutcome::Withdrawn))
            }
        }
    }
}

fn priority_of(incident: &Incident) -> Option<Priority> {
    match incident.severity {
        _ if !incident.is_live() => None,
        Severity::Extreme => Some(Priority::P1),
        Severity::Severe => Some(Priority::P2),
        Severity::Minor | Severity::Moderate | Severity::Unknown => None,
    }
}

fn subject_of(key: &IncidentKey) -> Subject {
    Subject::Incident(key.to_string())
}

impl Draft {
    /// Changes an incident, and brings in line with it what it raises and what it explains.
    pub(super) fn change_incident(&mut self, change: Change) {
        let key = change.incident_key().cloned();
        self.push(change);
        if let Some(key) = key {
            self.weigh_incident(&key);
            self.explain(&key);
        }
    }

    /// Brings the alert of an incident in line with what the incident is now.
    fn weigh_incident(&mut self, key: &IncidentKey) {
        let Some(incident) = self.room.find_incident(key).cloned() else { return };
        let status = incident.report.status;
        // Its source may take back that it is meant, or that it is a drill: what it raised as the other is over.
        for other in Status::ALL.iter().filter(|other| **other != status) {
            self.calm(&incident, &OpenKey { subject: subject_of(key), rule: SEVERE.to_owned(), status: *other });
        }
        let own = OpenKey { subject: subject_of(key), rule: SEVERE.to_owned(), status };
        let summary = OpenKey { subject: Subject::System(AT_CONNECT.to_owned()), rule: SEVERE.to_owned(), status };
        let is_member =
            |alert: &&Alert| alert.evidence.as_ref().is_some_and(|evidence| evidence.members.contains(&own.subject));
        let in_summary = self.room.find_open(&summary).filter(is_member).is_some();
        let summed = in_summary || (incident.report.retained && self.room.find_open(&own).is_none());
        match priority_of(&incident) {
            Some(priority) if summed => self.warn(&incident, priority, own.subject, &summary),
            Some(priority) => self.warn(&incident, priority, own.subject.clone(), &own),
            None if in_summary && self.is_another_severe(&summary, &own.subject) => {}
            None if in_summary => self.calm(&incident, &summary),
            None => self.calm(&incident, &own),
        }
    }

    fn warn(&mut self, incident: &Incident, priority: Priority, member: Subject, key: &OpenKey) {
        let open = self.room.find_open(key).cloned();
        let mut members = open.as_ref().and_then(|o| o.evidence.clone()).map(|e| e.members).unwrap_or_default();
        if !members.contains(&member) {
            members.push(member);
        }
        let figures = [
            ("severity", incident.severity.word().to_owned()),
            ("kind", incident.report.kind.word().to_owned()),
            ("severity_defaulted", incident.severity_defaulted.to_string()),
        ];
        let figures = figures.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let (lat, lon) = place_of(&incident.report).unzip();
        let evidence = Evidence { figures, members, lat, lon };
        if let Some(alert) = open {
            if let Some(renewal) = self.renewal_of(&alert, priority, Some(&evidence)) {
                self.renew(&alert, Author::Detector(SEVERE.to_owned()), renewal, None, key);
            }
            return;
        }
        let finding = Finding {
            rule: SEVERE.to_owned(),
            subject: key.subject.clone(),
            status: key.status,
            verdict: FindingVerdict::Raised,
            class: AlertClass::Safety,
            priority,
            latched: false,
            evidence,
            parents: Vec::new(),
        };
        let mut alert = Alert::found(self.room.next_id(self.now), &finding, self.now);
        alert.incident = matches!(key.subject, Subject::Incident(_)).then(|| incident.report.key.clone());
        alert.retained = incident.report.retained;
        alert.text.clone_from(&incident.report.title);
        self.raise(alert, |alert| Change::AlertRaised { alert, fingerprint: None, identified: false, ordered: None });
    }

    /// One of the summary's other incidents is still severe.
    fn is_another_severe(&self, summary: &OpenKey, but: &Subject) -> bool {
        let Some(evidence) = self.room.find_open(summary).and_then(|alert| alert.evidence.as_ref()) else {
            return false;
        };
        let is_member = |incident: &Incident| {
            let subject = Subject::Incident(incident.report.key.to_string());
            subject != *but && evidence.members.contains(&subject)
        };
        self.room.incidents().any(|incident| priority_of(incident).is_some() && is_member(incident))
    }

    fn calm(&mut self, incident: &Incident, key: &OpenKey) {
        let Some(alert) = self.room.find_open(key).cloned() else { return };
        if alert.origin != AlertOrigin::Detector || alert.condition != alert::AlertCondition::Active {
            return;
        }
        // Taken back by its source is another end than over (T14).
        let reason = if incident.withdrawn { CloseReason::CancelledBySource } else { CloseReason::Resolved };
        self.clear(&alert.id, None, Author::Detector(SEVERE.to_owned()), reason);
    }
}

/// Whether an incident of that status may be told to the public.
pub(super) fn is_for_public(status: Status) -> bool {
    status == Status::Actual
}
