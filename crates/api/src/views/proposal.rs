//! What a person is asked to decide, as JSON: alerts that may be one thing, incidents whose source says they are over.

use std::collections::BTreeMap;

use alert::Incident;
use impact::{GroupEvidence, Member, Proposal};
use publish::Lang;
use serde::Serialize;
use serde_json::{Value, json};
use transit::Word as _;
use utoipa::ToSchema;

use super::{Stamp, incident_id};
use crate::{routes::level, wording::evidence_text};

/// Something that a person confirms or refuses; nothing of it is done by itself.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProposalView<'a> {
    /// `group`: alerts that may be one thing. `clear`: an incident whose source says that it is over.
    kind: &'static str,
    /// Of a group the incident they would join, null: a new one would be made; of a clear the incident.
    incident_id: Option<String>,
    /// Of a group the least confidence of any member, 0 to 1; null of a clear.
    confidence: Option<f64>,
    /// Of a group the alerts, oldest first; of a clear those that belong to the incident.
    members: Vec<MemberView>,
    /// Of a clear since when it stands; null of a group.
    at: Option<Stamp>,
    /// Of a clear the source that says so; null of a group.
    by: Option<&'a str>,
    /// Of a clear what the source says; null of a group.
    text: Option<&'a str>,
    /// Confirms it (POST).
    confirm: String,
    /// What to send there, besides who confirms. Of a group without an incident it opens one of the kind and at the
    /// place of the alert that the others gather around; both may be changed.
    #[schema(value_type = Object)]
    confirm_body: Value,
    /// Refuses it (POST); null of a group, which nothing needs to refuse.
    refuse: Option<String>,
}

/// An incident whose source says that it is over.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClearProposalView<'a> {
    /// Which.
    incident_id: String,
    /// Since when that stands.
    at: Stamp,
    /// The source that says so.
    by: &'a str,
    /// What it says.
    text: Option<&'a str>,
    /// Confirms it: the incident is closed (POST).
    confirm: String,
    /// Refuses it: the incident goes on (POST).
    refuse: String,
}

/// An alert that may belong.
#[derive(Serialize, ToSchema)]
pub(crate) struct MemberView {
    /// Which.
    alert_id: String,
    /// How sure, 0 to 1; null where it belongs already.
    confidence: Option<f64>,
    /// Why; empty of the alert that the others gather around, and where it belongs already.
    evidence: Vec<EvidenceView>,
}

/// One reason to think that an alert belongs.
#[derive(Serialize, ToSchema)]
pub(crate) struct EvidenceView {
    /// `same_vehicle`, `near`, `same_time`, `cause_fits` or `vehicles_standing`.
    code: &'static str,
    /// In words, in `lang`.
    text: String,
    /// What it rests on, units in the names.
    #[schema(value_type = BTreeMap<String, f64>)]
    figures: BTreeMap<&'static str, f64>,
}

impl<'a> ProposalView<'a> {
    /// Of alerts that may be one thing.
    pub(crate) fn of(proposal: &Proposal, lang: Lang) -> Self {
        let id = |key: &alert::IncidentKey| format!("{}/{}", level(&key.source), level(&key.id));
        let incident_id = proposal.incident.as_ref().map(id);
        let alerts: Vec<String> = proposal.members.iter().map(|member| member.alert.to_string()).collect();
        let (lat, lon) = proposal.place.map(|c| (c.lat(), c.lon())).unzip();
        let confirm_body = match incident_id {
            Some(_) => json!({ "alerts": alerts }),
            None => json!({ "kind": proposal.kind.word(), "lat": lat, "lon": lon, "alerts": alerts }),
        };
        Self {
            kind: "group",
            confidence: Some(proposal.confidence),
            members: proposal.members.iter().map(|member| MemberView::of(member, lang)).collect(),
            at: None,
            by: None,
            text: None,
            confirm: match &incident_id {
                Some(id) => format!("/v1/incidents/{id}/confirm"),
                None => "/v1/incidents".to_owned(),
            },
            confirm_body,
            refuse: None,
            incident_id,
        }
    }

    /// Of an incident whose source says that it is over, with the alerts that belong to it; `None` of others.
    pub(crate) fn of_clear(incident: &'a Incident, alerts: impl Iterator<Item = &'a alert::AlertId>) -> Option<Self> {
        let ClearProposalView { incident_id, at, by, text, confirm, refuse } = ClearProposalView::of(incident)?;
        let member =
            |id: &alert::AlertId| MemberView { alert_id: id.to_string(), confidence: None, evidence: Vec::new() };
        Some(Self {
            kind: "clear",
            incident_id: Some(incident_id),
            confidence: None,
            members: alerts.map(member).collect(),
            at: Some(at),
            by: Some(by),
            text,
            confirm,
            confirm_body: json!({}),
            refuse: Some(refuse),
        })
    }
}

impl<'a> ClearProposalView<'a> {
    /// Of an incident; `None` where its source says no such thing.
    pub(crate) fn of(incident: &'a Incident) -> Option<Self> {
        let proposal = incident.clear_proposed.as_ref()?;
        let id = incident_id(incident);
        Some(Self {
            at: Stamp(proposal.at),
            by: &proposal.by,
            text: proposal.words.as_deref(),
            confirm: format!("/v1/incidents/{id}/close"),
            refuse: format!("/v1/incidents/{id}/keep"),
            incident_id: id,
        })
    }
}

impl MemberView {
    fn of(member: &Member, lang: Lang) -> Self {
        Self {
            alert_id: member.alert.to_string(),
            confidence: Some(member.confidence),
            evidence: member.evidence.iter().map(|evidence| EvidenceView::of(evidence, lang)).collect(),
        }
    }
}

impl EvidenceView {
    fn of(evidence: &GroupEvidence, lang: Lang) -> Self {
        let (code, figures) = match evidence {
            GroupEvidence::SameVehicle => ("same_vehicle", vec![]),
            GroupEvidence::Near { distance_m } => ("near", vec![("distance_m", *distance_m)]),
            GroupEvidence::SameTime { apart_s } => ("same_time", vec![("apart_s", *apart_s)]),
            GroupEvidence::CauseFits { fit, .. } => ("cause_fits", vec![("fit", *fit)]),
            GroupEvidence::VehiclesStanding { count, within_m } => {
                ("vehicles_standing", vec![("vehicles", *count as f64), ("within_m", *within_m)])
            }
        };
        Self { code, text: evidence_text(evidence, lang), figures: figures.into_iter().collect() }
    }
}
