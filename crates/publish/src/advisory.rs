//! Advisories: the words about an incident that go outside, whatever format carries them.
//!
//! An advisory is made from public words only, and only of an incident that an operator has published: nothing that was
//! written for operators can end up in one. Knows no wire format.

use std::collections::BTreeMap;

use alert::{ActivePeriod, Affected, Incident, IncidentPhase, IncidentReport, Severity};
use transit::{Status, UtcMillis};

/// What is said outside about one incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Advisory {
    /// The same for as long as the incident lives: `source/id`.
    pub id: String,
    /// When it matters; empty = always, an open side = without limit.
    pub active_periods: Vec<ActivePeriod>,
    /// Whom it concerns: at least one entry, each naming something of the network.
    pub affects: Vec<Affected>,
    /// GTFS-Realtime cause word.
    pub cause: String,
    /// GTFS-Realtime effect word.
    pub effect: Option<String>,
    /// How bad.
    pub severity: Severity,
    /// Short text by language ("" = not said); never empty.
    pub header: BTreeMap<String, String>,
    /// Long text by language ("" = not said); never empty.
    pub description: BTreeMap<String, String>,
    /// Where to read on.
    pub url: Option<String>,
    /// When the words or the incident last changed.
    pub updated_at: UtcMillis,
}

/// Why an incident makes no advisory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Withheld {
    /// An exercise or a test: outside it would be taken for real.
    #[error("it is a {} and stays inside", transit::Word::word(*.0))]
    NotActual(Status),
    /// It is over.
    #[error("it is closed")]
    Closed,
    /// It names no agency, route, trip or stop.
    #[error("it names no agency, route, trip or stop in affects: readers would not know whom it concerns")]
    ConcernsNobody,
    /// No operator has published it.
    #[error("no operator has published it")]
    NotPublished,
    /// No public title.
    #[error("it was published without a title")]
    NoHeader,
    /// No public text.
    #[error("it was published without a text")]
    NoDescription,
}

impl Advisory {
    /// What an incident says outside.
    ///
    /// # Errors
    /// Why it says nothing.
    pub fn of(incident: &Incident) -> Result<Self, Withheld> {
        let report = &incident.report;
        match report.status {
            Status::Actual => {}
            Status::Exercise | Status::Test => return Err(Withheld::NotActual(report.status)),
        }
        match incident.phase {
            IncidentPhase::Active => {}
            IncidentPhase::Closed => return Err(Withheld::Closed),
        }
        let told = incident.publication.as_ref().ok_or(Withheld::NotPublished)?;
        let affects = concerned(report);
        if affects.is_empty() {
            return Err(Withheld::ConcernsNobody);
        }
        let title = told.title.clone().filter(|title| !title.is_empty()).ok_or(Withheld::NoHeader)?;
        let mut description = told.text.clone();
        description.retain(|_, text| !text.is_empty());
        // One title is in no said language, unless there is one language only.
        let language = match description.keys().next() {
            None => return Err(Withheld::NoDescription),
            Some(only) if description.len() == 1 => only.clone(),
            Some(_) => String::new(),
        };
        Ok(Self {
            id: format!("{}/{}", report.key.source, report.key.id),
            active_periods: report.active_periods.clone(),
            affects,
            cause: cause(incident),
            effect: report.effect.clone(),
            severity: incident.severity,
            header: BTreeMap::from([(language, title)]),
            description,
            url: None,
            updated_at: incident.updated_at,
        })
    }
}

/// Whether it names anybody that readers outside know: without, nothing of it can be told.
pub fn concerns_somebody(report: &IncidentReport) -> bool {
    !concerned(report).is_empty()
}

fn concerned(report: &IncidentReport) -> Vec<Affected> {
    report.affects.iter().flat_map(outside).collect()
}

/// The cause its source named, else the one of its kind.
fn cause(incident: &Incident) -> String {
    let of_kind = incident.report.kind.facts().gtfs_rt_cause;
    let said = incident
        .report
        .subkind
        .as_deref()
        .filter(|word| decode::gtfs_realtime::alert::Cause::from_str_name(word).is_some());
    said.unwrap_or(of_kind).to_owned()
}

/// What readers outside can be told of one entry. A vehicle of ours means nothing to them, and without it the entry
/// would mean more than was said; a stretch is told by its two ends.
fn outside(entry: &Affected) -> Vec<Affected> {
    if entry.vehicle_id.is_some() {
        return Vec::new();
    }
    let whole = Affected { from_stop_id: None, to_stop_id: None, ..entry.clone() };
    let ends: Vec<Affected> = [&entry.from_stop_id, &entry.to_stop_id]
        .into_iter()
        .flatten()
        .map(|stop| Affected { stop_id: Some(stop.clone()), ..whole.clone() })
        .collect();
    // A direction is one of a route or trip; alone it names nothing.
    let names_something = |a: &Affected| Affected { direction_id: None, ..a.clone() } != Affected::default();
    let told = if ends.is_empty() { vec![whole] } else { ends };
    told.into_iter().filter(names_something).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    fn told() -> Incident {
        let mut flood = samples::flood();
        flood.publication = Some(alert::Publication {
            title: Some("Underpass closed".to_owned()),
            text: BTreeMap::from([("en".to_owned(), "Buses are diverted".to_owned())]),
            by: "kim".to_owned(),
            at: samples::NOW,
        });
        // What the source would tell the public is the operators' to repeat or not.
        flood.report.public_text = BTreeMap::from([("en".to_owned(), "Call Kim".to_owned())]);
        flood.report.text = BTreeMap::from([("en".to_owned(), "Pump 3 failed, call Kim".to_owned())]);
        flood.report.affects = vec![Affected { route_id: Some("9404".to_owned()), ..Affected::default() }];
        flood
    }

    fn changed(change: impl FnOnce(&mut Incident)) -> Result<Advisory, Withheld> {
        let mut incident = told();
        change(&mut incident);
        Advisory::of(&incident)
    }

    #[test]
    fn only_public_words_go_outside() {
        let advisory = Advisory::of(&told()).unwrap();
        assert_eq!(advisory.id, "topis/77");
        assert_eq!(advisory.header.get("en").map(String::as_str), Some("Underpass closed"));
        assert!(!format!("{advisory:?}").contains("Kim"));
        assert!(!format!("{advisory:?}").contains("Underpass under water"));
    }

    #[test]
    fn what_may_not_or_cannot_be_said_is_withheld_with_its_reason() {
        for status in [Status::Exercise, Status::Test] {
            assert_eq!(changed(|i| i.report.status = status), Err(Withheld::NotActual(status)));
        }
        assert_eq!(changed(|i| i.phase = IncidentPhase::Closed), Err(Withheld::Closed));
        assert_eq!(changed(|i| i.report.affects.clear()), Err(Withheld::ConcernsNobody));
        assert_eq!(changed(|i| i.publication = None), Err(Withheld::NotPublished));
        let told = |i: &mut Incident, change: fn(&mut alert::Publication)| i.publication.iter_mut().for_each(change);
        assert_eq!(changed(|i| told(i, |p| p.title = None)), Err(Withheld::NoHeader));
        assert_eq!(changed(|i| told(i, |p| p.text.clear())), Err(Withheld::NoDescription));
        let only = |entry: Affected| changed(|i| i.report.affects = vec![entry]);
        let vehicle =
            Affected { route_id: Some("1".to_owned()), vehicle_id: Some("7".to_owned()), ..Affected::default() };
        assert_eq!(only(vehicle), Err(Withheld::ConcernsNobody), "without the vehicle it would mean the whole route");
        assert_eq!(only(Affected { direction_id: Some(1), ..Affected::default() }), Err(Withheld::ConcernsNobody));
        assert_eq!(Withheld::NotActual(Status::Test).to_string(), "it is a test and stays inside");
    }

    #[test]
    fn a_stretch_is_told_by_its_ends() {
        let advisory = changed(|i| {
            i.report.affects[0].from_stop_id = Some("A".to_owned());
            i.report.affects[0].to_stop_id = Some("B".to_owned());
        });
        let stops: Vec<_> = advisory.unwrap().affects.into_iter().map(|a| (a.route_id, a.stop_id)).collect();
        let of = |stop: &str| (Some("9404".to_owned()), Some(stop.to_owned()));
        assert_eq!(stops, [of("A"), of("B")]);
    }
}
