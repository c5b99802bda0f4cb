//! Decision cards: all that is known about an alert, an incident or a vehicle in one answer.

use std::sync::Arc;

use alert::{Alert, Incident, IncidentKey};
use axum::{Extension, extract::State, response::Response};
use impact::{Card, CardOptions, CardSubject};
use publish::Lang;
use serde::Serialize;
use transit::VehicleKey;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Levels, Routes, alerts, sees_covert, vehicles::key_of};
use crate::{
    Principal, Shared, Snapshot, TrailSource,
    answer::{Meta, Onward, Picked, Rows, answer, envelope},
    bodies::aside,
    desk::with_desk,
    format::Format,
    params::{LANG, Params, query},
    problem::ApiError,
    views::{AlertView, CardView, Told},
};

/// Alerts with their cards in one answer.
pub(super) const LIST_MAX: usize = 50;

/// A decision card.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct CardAnswer {
    data: CardView<'static>,
    meta: Meta,
}

query! {
    CardQuery = &[LANG]
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(of_alert)).routes(routes!(of_vehicle)).routes(routes!(of_incident))
}

/// For whom a card is made, and from which trails.
pub(super) struct Reader {
    trail: TrailSource,
    see_covert: bool,
    lang: Lang,
}

impl Reader {
    /// Of a request.
    pub(super) fn of(shared: &Shared, principal: &Principal, lang: Lang) -> Self {
        Self { trail: Arc::clone(&shared.sources.trail), see_covert: sees_covert(principal), lang }
    }
}

/// What a card is asked for.
enum Asked {
    Alert(Arc<Alert>),
    Incident(Arc<Incident>),
    Vehicle(VehicleKey),
}

impl Asked {
    fn subject(&self) -> CardSubject<'_> {
        match self {
            Self::Alert(alert) => CardSubject::Alert(alert),
            Self::Incident(incident) => CardSubject::Incident(incident),
            Self::Vehicle(key) => CardSubject::Vehicle(key),
        }
    }

    fn told(&self) -> Told<'_> {
        match self {
            Self::Alert(alert) => Told::Alert(alert),
            Self::Incident(incident) => Told::Incident(incident),
            Self::Vehicle(_) => Told::Vehicle,
        }
    }
}

/// The decision card of an alert: where and how sure, who is inside, coming in, unaccounted for, what can be done.
#[utoipa::path(get, path = "/v1/alerts/{id}/card", tag = "impact",
    params(("id" = String, Path, description = "Its id.", example = "20261123-417"), CardQuery),
    responses((status = 200, description = "Its card.", body = CardAnswer)))]
async fn of_alert(
    State(shared): State<Arc<Shared>>,
    Extension(principal): Extension<Principal>,
    Levels(id): Levels<String>,
    params: Params<CardQuery>,
) -> Result<Response, ApiError> {
    let reader = Reader::of(&shared, &principal, params.lang()?);
    let snapshot = shared.live()?;
    let alert = Arc::clone(alerts::find(&snapshot, &id, &principal)?);
    respond(snapshot, Asked::Alert(alert), reader).await
}

/// The decision card of a vehicle: its trip and delay, who runs ahead and behind, what is around it.
#[utoipa::path(get, path = "/v1/vehicles/{agency}/{vehicle}/card", tag = "impact",
    params(("agency" = String, Path, description = "Its agency.", min_length = 1, max_length = 64),
           ("vehicle" = String, Path, description = "Its number within the agency.", min_length = 1, max_length = 64),
           CardQuery),
    responses((status = 200, description = "Its card.", body = CardAnswer)))]
async fn of_vehicle(
    State(shared): State<Arc<Shared>>,
    Extension(principal): Extension<Principal>,
    Levels((agency, vehicle)): Levels<(String, String)>,
    params: Params<CardQuery>,
) -> Result<Response, ApiError> {
    let reader = Reader::of(&shared, &principal, params.lang()?);
    let snapshot = shared.live()?;
    let key = key_of(&agency, &vehicle)?;
    if !snapshot.view.vehicles.contains_key(&key) {
        return Err(ApiError::not_found("vehicle", &key.to_string()));
    }
    respond(snapshot, Asked::Vehicle(key), reader).await
}

/// What an incident means: who is inside its area, coming in, unaccounted for, what can be done.
#[utoipa::path(get, path = "/v1/incidents/{source}/{id}/impact", tag = "impact",
    params(("source" = String, Path, description = "Its source."),
           ("id" = String, Path, description = "Its id within the source."), CardQuery),
    responses((status = 200, description = "Its card.", body = CardAnswer)))]
async fn of_incident(
    State(shared): State<Arc<Shared>>,
    Extension(principal): Extension<Principal>,
    Levels((source, id)): Levels<(String, String)>,
    params: Params<CardQuery>,
) -> Result<Response, ApiError> {
    let reader = Reader::of(&shared, &principal, params.lang()?);
    let snapshot = shared.live()?;
    let key = IncidentKey { source, id };
    let Some(incident) = snapshot.room.find_incident(&key).cloned() else {
        return Err(ApiError::not_found("incident", &format!("{}/{}", key.source, key.id)));
    };
    respond(snapshot, Asked::Incident(incident), reader).await
}

async fn respond(snapshot: Arc<Snapshot>, asked: Asked, reader: Reader) -> Result<Response, ApiError> {
    let read = Arc::clone(&snapshot);
    let body = aside(move || {
        with_desk(&read, &reader.trail, reader.see_covert, |desk| {
            let card = Card::of(asked.subject(), desk, &CardOptions::default());
            envelope(&read, &CardView::of(&card, asked.told(), &read, reader.lang), Onward::default(), 0)
        })
    })
    .await?;
    Ok(answer(&snapshot, None, Format::Json.media_type(), body))
}

/// An alert with its card.
#[derive(Serialize)]
struct AlertWithCard<'a> {
    #[serde(flatten)]
    alert: AlertView<'a>,
    card: CardView<'a>,
}

/// Alerts with their cards as a body; `fields` picks among the keys of the alerts, the card is always there.
pub(super) fn list(
    snapshot: &Snapshot,
    rows: &[Arc<Alert>],
    reader: &Reader,
    fields: &[String],
    onward: Onward,
) -> Vec<u8> {
    with_desk(snapshot, &reader.trail, reader.see_covert, |desk| {
        let cards: Vec<(&Alert, Card)> = rows
            .iter()
            .map(|alert| (&**alert, Card::of(CardSubject::Alert(alert), desk, &CardOptions::default())))
            .collect();
        let row = |(alert, card): &'_ (&Alert, Card)| {
            let record = AlertWithCard {
                alert: AlertView::of(alert, snapshot, reader.lang),
                card: CardView::of(card, Told::Alert(alert), snapshot, reader.lang),
            };
            serde_json::to_value(record).unwrap_or_default()
        };
        if fields.is_empty() {
            return envelope(snapshot, &Rows::new(cards.iter().map(row)), onward, 0);
        }
        let picked: Vec<String> = fields.iter().cloned().chain(["card".to_owned()]).collect();
        envelope(snapshot, &Rows::new(cards.iter().map(|pair| Picked::of(&row(pair), &picked))), onward, 0)
    })
}
