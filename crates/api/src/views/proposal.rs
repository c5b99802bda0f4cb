//! Alerts that may be one thing, as JSON.

use std::collections::BTreeMap;

use impact::{GroupEvidence, Member, Proposal};
use publish::Lang;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{routes::level, wording::evidence_text};

/// Alerts that may be one thing. A person confirms or splits; nothing is grouped by itself.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProposalView {
    /// The incident they would join; null: a new one would be made.
    incident_id: Option<String>,
    /// The least confidence of any member, 0 to 1.
    confidence: f64,
    /// The alerts, oldest first.
    members: Vec<MemberView>,
}

/// An alert that may belong.
#[derive(Serialize, ToSchema)]
pub(crate) struct MemberView {
    /// Which.
    alert_id: String,
    /// How sure, 0 to 1.
    confidence: f64,
    /// Why; empty of the alert that the others gather around.
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

impl ProposalView {
    /// Of a proposal.
    pub(crate) fn of(proposal: &Proposal, lang: Lang) -> Self {
        let id = |key: &alert::IncidentKey| format!("{}/{}", level(&key.source), level(&key.id));
        Self {
            incident_id: proposal.incident.as_ref().map(id),
            confidence: proposal.confidence,
            members: proposal.members.iter().map(|member| MemberView::of(member, lang)).collect(),
        }
    }
}

impl MemberView {
    fn of(member: &Member, lang: Lang) -> Self {
        Self {
            alert_id: member.alert.to_string(),
            confidence: member.confidence,
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
