//! Out of service by design: alerts that would say what everybody knows (a strike, snow, a holiday plan).
//!
//! Never covers an emergency; the room sees to that.

use serde::{Deserialize, Serialize};
use transit::UtcMillis;

use crate::{Actor, Alert, AlertClass, Subject};

/// Names one suppression; counted from 1.
pub type SuppressionId = u64;

/// What an operator wants suppressed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppressionRequest {
    /// Of what; `None` = of everything. A feed without a scope covers all its scopes.
    pub subject: Option<Subject>,
    /// Rules by code, or by the head of the code and a star (`VEH.*`); empty = all.
    pub rules: Vec<String>,
    /// Ends by itself then.
    pub until: UtcMillis,
    /// In words.
    pub why: String,
}

/// One suppression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// Its name.
    pub id: SuppressionId,
    /// What it covers.
    pub request: SuppressionRequest,
    /// Who ordered it.
    pub actor: Actor,
    /// Since when.
    pub started_at: UtcMillis,
    /// When it ended, by a person or by its time.
    pub ended_at: Option<UtcMillis>,
    /// The person who ended it.
    pub ended_by: Option<String>,
    /// Journal sequence of the last change.
    pub seq: u64,
}

impl Suppression {
    /// Whether it silences `alert`. An emergency never.
    pub fn covers(&self, alert: &Alert) -> bool {
        alert.class != AlertClass::Emergency
            && self.ended_at.is_none()
            && self.covers_rule(&alert.rule)
            && self.covers_subject(&alert.subject)
    }

    fn covers_rule(&self, rule: &str) -> bool {
        self.request.rules.is_empty()
            || self.request.rules.iter().any(|wanted| match wanted.strip_suffix('*') {
                Some(head) => rule.starts_with(head),
                None => rule == wanted,
            })
    }

    fn covers_subject(&self, subject: &Subject) -> bool {
        match (&self.request.subject, subject) {
            (None, _) => true,
            (Some(Subject::Feed { feed: wanted, scope: None }), Subject::Feed { feed, .. }) => wanted == feed,
            (Some(wanted), subject) => wanted == subject,
        }
    }
}
