//! What there is to know about the API itself.

use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::State, response::Response};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::Routes;
use crate::{
    Role, Shared,
    answer::{Meta, answer, json},
    format::Format,
    openapi,
    params::{NoQuery, Params, words},
    problem::ApiError,
};

/// Every vocabulary with its words in their order.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct EnumsAnswer {
    data: BTreeMap<String, Vec<String>>,
    meta: Meta,
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(enums)).routes(routes!(document))
}

/// The vocabularies of the API by their names.
fn vocabularies() -> BTreeMap<&'static str, Vec<&'static str>> {
    fn entry<W: transit::Word>() -> (&'static str, Vec<&'static str>) {
        (W::NAME, words::<W>())
    }
    BTreeMap::from([
        entry::<transit::Mode>(),
        entry::<transit::StopStatus>(),
        entry::<transit::OccupancyStatus>(),
        entry::<transit::PositionSource>(),
        entry::<transit::JourneyState>(),
        entry::<transit::Status>(),
        entry::<picture::Freshness>(),
        entry::<picture::QualityFlag>(),
        entry::<picture::FeedCondition>(),
        entry::<alert::AlarmKind>(),
        entry::<alert::AlarmSource>(),
        entry::<alert::AlarmPhase>(),
        entry::<alert::AlertClass>(),
        entry::<alert::Priority>(),
        entry::<alert::AlertCondition>(),
        entry::<alert::CloseReason>(),
        entry::<alert::IncidentKind>(),
        entry::<alert::IncidentPhase>(),
        entry::<alert::Severity>(),
        entry::<alert::Urgency>(),
        entry::<alert::Certainty>(),
        entry::<impact::PlaceKind>(),
        entry::<impact::AreaPurpose>(),
        entry::<impact::Action>(),
        entry::<impact::Cause>(),
        entry::<impact::Reason>(),
        entry::<decode::Grade>(),
        entry::<decode::ProblemCode>(),
        entry::<publish::Lang>(),
        entry::<publish::RecordedFor>(),
        entry::<publish::PointFrom>(),
        entry::<publish::LackKind>(),
        entry::<Role>(),
    ])
}

/// Every enum with its words in their order.
#[utoipa::path(get, path = "/v1/meta/enums", tag = "meta", params(NoQuery),
    responses((status = 200, description = "Enums.", body = EnumsAnswer)))]
async fn enums(State(shared): State<Arc<Shared>>, _: Params<NoQuery>) -> Result<Response, ApiError> {
    Ok(json(&*shared.live()?, None, &vocabularies()))
}

/// This document.
#[utoipa::path(get, path = "/v1/openapi.json", tag = "meta", params(NoQuery),
    responses((status = 200, description = "OpenAPI 3.1.", body = Object)))]
async fn document(State(shared): State<Arc<Shared>>, _: Params<NoQuery>) -> Response {
    answer(&shared.newest(), None, Format::Json.media_type(), openapi::text())
}
