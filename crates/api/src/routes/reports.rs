//! Reports: everything on record about an alert or an incident, to read afterwards and to hand on.

use std::sync::Arc;

use alert::{Alert, AlertClass, Incident, IncidentKey, Subject};
use axum::{Extension, extract::State, http::HeaderMap, response::Response};
use publish::{Lang, Recorded, Report, Reported};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Levels, Routes, alerts, sees_covert};
use crate::{
    EvidenceSource, Principal, Shared, Snapshot,
    answer::{Meta, Onward, answer, envelope},
    bodies::aside,
    format::{Format, OF_REPORTS, codes, negotiate},
    params::{LANG, Param, Params, Shape, one, query},
    problem::ApiError,
    views::ReportView,
};

/// Positions in one report at about the most; the recording on file has all of them.
const POINTS_MAX: usize = 20_000;
/// Alerts of an incident in one report; the oldest, because they tell how it began.
const ALERTS_MAX: usize = 50;

/// A report.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct ReportAnswer {
    data: ReportView<'static>,
    meta: Meta,
}

fn formats() -> Vec<&'static str> {
    codes(OF_REPORTS)
}

const FORMAT: Param = one("f", Shape::Words(formats), "Format; else Accept decides.");

query! {
    ReportQuery = &[LANG, FORMAT]
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(of_alert)).routes(routes!(of_incident))
}

/// How a report is wanted.
struct Wanted {
    evidence: EvidenceSource,
    format: Format,
    lang: Lang,
}

impl Wanted {
    fn of(shared: &Shared, params: &Params<ReportQuery>, headers: &HeaderMap) -> Result<Self, ApiError> {
        let format = negotiate(params.one("f")?, headers, OF_REPORTS)?;
        Ok(Self { evidence: Arc::clone(&shared.sources.evidence), format, lang: params.lang()? })
    }
}

/// Everything on record about an alert: what happened, who had it, what was marked, where the vehicles around it were,
/// and what was not known.
///
/// Of an emergency the ways of its vehicles and of those near are recorded, from 60 minutes before it was raised until
/// 30 after it is closed. A long way is thinned evenly and `unknown` says so.
#[utoipa::path(get, path = "/v1/alerts/{id}/report", tag = "alerts",
    params(("id" = String, Path, description = "Its id.", example = "20261123-417"), ReportQuery),
    responses((status = 200, description = "Its report.", body = ReportAnswer)))]
async fn of_alert(
    State(shared): State<Arc<Shared>>,
    Extension(principal): Extension<Principal>,
    Levels(id): Levels<String>,
    headers: HeaderMap,
    params: Params<ReportQuery>,
) -> Result<Response, ApiError> {
    let wanted = Wanted::of(&shared, &params, &headers)?;
    let snapshot = shared.live()?;
    let alert = Arc::clone(alerts::find(&snapshot, &id, &principal)?);
    respond(snapshot, wanted, None, vec![alert]).await
}

/// Everything on record about an incident and the alerts tied to it, as one story.
///
/// Tied are alerts that were put to it and those it raised itself; the 50 oldest. Covert ones are for operators.
#[utoipa::path(get, path = "/v1/incidents/{source}/{id}/report", tag = "incidents",
    params(("source" = String, Path, description = "Its source."),
           ("id" = String, Path, description = "Its id within the source."), ReportQuery),
    responses((status = 200, description = "Its report.", body = ReportAnswer)))]
async fn of_incident(
    State(shared): State<Arc<Shared>>,
    Extension(principal): Extension<Principal>,
    Levels((source, id)): Levels<(String, String)>,
    headers: HeaderMap,
    params: Params<ReportQuery>,
) -> Result<Response, ApiError> {
    let wanted = Wanted::of(&shared, &params, &headers)?;
    let snapshot = shared.live()?;
    let key = IncidentKey { source, id };
    let Some(incident) = snapshot.room.find_incident(&key).cloned() else {
        return Err(ApiError::not_found("incident", &format!("{}/{}", key.source, key.id)));
    };
    let see_covert = sees_covert(&principal);
    let tied = snapshot.room.alerts().filter(|alert| is_tied(alert, &key) && (see_covert || !alert.covert));
    let tied = tied.cloned().collect();
    respond(snapshot, wanted, Some(incident), tied).await
}

/// Put to the incident, or about it.
fn is_tied(alert: &Alert, key: &IncidentKey) -> bool {
    let about = match &alert.subject {
        Subject::Incident(name) | Subject::Area(name) => *name == key.to_string(),
        Subject::Vehicle(_)
        | Subject::Unparsed(_)
        | Subject::Feed { .. }
        | Subject::Stop(_)
        | Subject::Line(_)
        | Subject::System(_) => false,
    };
    about || alert.incident.as_ref() == Some(key)
}

async fn respond(
    snapshot: Arc<Snapshot>,
    wanted: Wanted,
    incident: Option<Arc<Incident>>,
    mut alerts: Vec<Arc<Alert>>,
) -> Result<Response, ApiError> {
    let alerts_left_out = alerts.len().saturating_sub(ALERTS_MAX);
    alerts.truncate(ALERTS_MAX);
    let read = Arc::clone(&snapshot);
    let Wanted { evidence, format, lang } = wanted;
    let body = aside(move || {
        let points_max = POINTS_MAX / alerts.len().max(1);
        let reported = alerts.iter().map(|alert| Reported {
            alert,
            recorded: match alert.class {
                AlertClass::Emergency => evidence(&alert.id, points_max),
                AlertClass::Safety | AlertClass::Service | AlertClass::Infrastructure | AlertClass::System => {
                    Recorded::NotMeant
                }
            },
        });
        let alerts = reported.collect();
        let report = Report { as_of: read.as_of, incident: incident.as_deref(), alerts, alerts_left_out };
        match format {
            Format::Json => envelope(&read, &ReportView::of(&report, &read, lang), Onward::default(), 0),
            Format::Other(def) => def.reports.map_or_else(Vec::new, |encode| encode(&report, lang)),
        }
    })
    .await?;
    Ok(answer(&snapshot, None, format.media_type(), body))
}
