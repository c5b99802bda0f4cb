//! Suppressions as answers.

use alert::Suppression;
use serde::Serialize;
use utoipa::ToSchema;

use super::Stamp;

/// What is silent by design.
#[derive(Serialize, ToSchema)]
pub(crate) struct SuppressionView<'a> {
    /// Its name.
    id: String,
    /// Of what; null is everything.
    subject: Option<String>,
    /// Rules by code, or by the head of the code and a star; empty is all.
    rules: &'a [String],
    /// Why.
    why: &'a str,
    /// Ends by itself then.
    until: Stamp,
    /// Goes on.
    active: bool,
    /// Who ordered it.
    by: &'a str,
    /// Their desk.
    desk: Option<&'a str>,
    /// Since when.
    started_at: Stamp,
    /// When it ended, by a person or by its time.
    ended_at: Option<Stamp>,
    /// The person who ended it.
    ended_by: Option<&'a str>,
}

impl<'a> SuppressionView<'a> {
    /// Of a record.
    pub(crate) fn of(suppression: &'a Suppression) -> Self {
        let request = &suppression.request;
        Self {
            id: suppression.id.to_string(),
            subject: request.subject.as_ref().map(ToString::to_string),
            rules: &request.rules,
            why: &request.why,
            until: Stamp(request.until),
            active: suppression.ended_at.is_none(),
            by: &suppression.actor.by,
            desk: suppression.actor.desk.as_deref(),
            started_at: Stamp(suppression.started_at),
            ended_at: suppression.ended_at.map(Stamp),
            ended_by: suppression.ended_by.as_deref(),
        }
    }
}
