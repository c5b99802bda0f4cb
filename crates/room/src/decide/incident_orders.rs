//! What an operator's order does to an incident: opened, changed, armed, told to the public, ended, kept.

use alert::{
    Arming, Change, Command, Incident, IncidentDeed, IncidentKey, IncidentPhase, IncidentReport, Publication, Refusal,
};
use transit::UtcMillis;

use super::{draft::Draft, incidents::is_for_public};
use crate::Verdict;

impl Draft {
    pub(super) fn order_incident(
        &mut self,
        command: &Command,
        key: &IncidentKey,
        deed: &IncidentDeed,
        comment: Option<&String>,
    ) -> Result<Verdict, Refusal> {
        let known = self.room.find_incident(key).map(|incident| Incident::clone(incident));
        if let Some(incident) = self.incident_after(command, key, deed, known)? {
            self.change_incident(Change::IncidentOrdered {
                key: key.clone(),
                at: self.now.utc,
                actor: command.actor.clone(),
                deed: deed.clone(),
                incident: Box::new(incident),
                comment: comment.cloned(),
                request_id: command.request_id.clone(),
            });
        }
        Ok(Verdict::IncidentDone(key.clone()))
    }

    /// The incident as the order leaves it; `None` when it is so already.
    fn incident_after(
        &self,
        command: &Command,
        key: &IncidentKey,
        deed: &IncidentDeed,
        known: Option<Incident>,
    ) -> Result<Option<Incident>, Refusal> {
        let at = self.now.utc;
        let mut incident = match (deed, known) {
            (IncidentDeed::Open(report), known) => return self.opened(key, report, known.as_ref()),
            (IncidentDeed::Form { report, alerts }, known) => {
                let opened = self.opened(key, report, known.as_ref())?;
                let joins = !self.regrouped(key, alerts, true)?.is_empty();
                // What is open already takes alerts by another order.
                return if opened.is_none() && joins { Err(Refusal::IncidentExists(key.clone())) } else { Ok(opened) };
            }
            (IncidentDeed::Arm { report, until }, known) => {
                return self.armed(command, key, report, *until, known.as_ref());
            }
            (_, None) => return Err(Refusal::UnknownIncident(key.clone())),
            (_, Some(incident)) => incident,
        };
        let is_open = incident.phase == IncidentPhase::Active;
        match deed {
            IncidentDeed::Open(_) | IncidentDeed::Form { .. } | IncidentDeed::Arm { .. } => {}
            IncidentDeed::Update(_) if !is_open => return Err(Refusal::IncidentClosed(key.clone())),
            IncidentDeed::Update(report) => {
                let said = &incident.report;
                // What its source says again, word for word or in the same version, does not undo an operator's work.
                let report = IncidentReport {
                    key: key.clone(),
                    version: said.version,
                    fingerprint: said.fingerprint,
                    ..IncidentReport::clone(report)
                };
                let again = IncidentReport { received_at: said.received_at, ..report.kept() } == *said;
                // What its source proposes is its source's to take back.
                let clear_proposed = incident.clear_proposed.clone().filter(|_| report.phase == IncidentPhase::Active);
                let after = || Incident { clear_proposed, ..Incident::record(Some(&incident), &report, at) };
                return Ok((!again).then(after));
            }
            IncidentDeed::Close if !is_open => return Ok(None),
            IncidentDeed::Close => incident.end(at),
            IncidentDeed::Keep if !is_open => return Err(Refusal::IncidentClosed(key.clone())),
            IncidentDeed::Keep if incident.clear_proposed.is_none() => return Ok(None),
            IncidentDeed::Keep => incident.clear_proposed = None,
            IncidentDeed::Publish { .. } if !is_open => return Err(Refusal::IncidentClosed(key.clone())),
            IncidentDeed::Publish { .. } if !is_for_public(incident.report.status) => {
                return Err(Refusal::NotActual(key.clone()));
            }
            IncidentDeed::Publish { title, text } => {
                if title.is_none() && text.is_empty() {
                    return Err(Refusal::Missing("the public text"));
                }
                let said = incident.publication.as_ref();
                if said.is_some_and(|said| said.title == *title && said.text == *text) {
                    return Ok(None);
                }
                let by = command.actor.by.clone();
                incident.publication = Some(Publication { title: title.clone(), text: text.clone(), by, at });
            }
            IncidentDeed::Withdraw if incident.publication.is_none() => return Err(Refusal::NotPublic(key.clone())),
            IncidentDeed::Withdraw => incident.publication = None,
        }
        incident.updated_at = at;
        incident.history = Vec::new();
        Ok(Some(incident))
    }

    fn opened(
        &self,
        key: &IncidentKey,
        report: &IncidentReport,
        known: Option<&Incident>,
    ) -> Result<Option<Incident>, Refusal> {
        if let Some(known) = known {
            let same = known.report.fingerprint == report.fingerprint && known.phase == IncidentPhase::Active;
            return if same { Ok(None) } else { Err(Refusal::IncidentExists(key.clone())) };
        }
        if self.room.open_incidents >= self.room.options.incidents_max {
            return Err(Refusal::NoRoom);
        }
        let report = IncidentReport { key: key.clone(), ..report.clone() };
        Ok(Some(Incident::record(None, &report, self.now.utc)))
    }

    /// Arms what was kept ready, anew where it was armed before and is over. Who armed it may change how; for others
    /// it is armed already.
    fn armed(
        &self,
        command: &Command,
        key: &IncidentKey,
        report: &IncidentReport,
        until: Option<UtcMillis>,
        known: Option<&Incident>,
    ) -> Result<Option<Incident>, Refusal> {
        let (at, by, max_ms) = (self.now.utc, &command.actor.by, self.room.options.suppression_max_ms);
        if until.is_some_and(|until| until <= at || until.since(at) > max_ms) {
            return Err(Refusal::Until { max_ms });
        }
        let open = known.filter(|known| known.phase == IncidentPhase::Active);
        let armed = match open.map(|open| (open, open.armed.as_ref())) {
            None if self.room.open_incidents >= self.room.options.incidents_max => return Err(Refusal::NoRoom),
            None => Arming { by: by.clone(), at, until },
            Some((_, None)) => return Err(Refusal::IncidentExists(key.clone())),
            Some((_, Some(armed))) if armed.by != *by => {
                return Err(Refusal::AlreadyArmed { incident: key.clone(), by: armed.by.clone(), at: armed.at });
            }
            Some((open, Some(armed))) => {
                if armed.until == until && open.report.fingerprint == report.fingerprint {
                    return Ok(None);
                }
                Arming { until, ..armed.clone() }
            }
        };
        let report = IncidentReport { key: key.clone(), ..report.clone() };
        Ok(Some(Incident { armed: Some(armed), ..Incident::record(open, &report, at) }))
    }
}
