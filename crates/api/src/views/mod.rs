//! The JSON forms of records: borrowed from the snapshot, flat, every key always present.
//!
//! Knows no request. The domain's types are not serialisable in themselves; what a client sees is written here.

mod alert;
mod area;
mod card;
mod exception;
mod feed;
mod incident;
mod message;
mod place;
mod proposal;
mod report;
mod row;
mod status;
mod suppression;
mod vehicle;

use std::fmt::Display;

use serde::{Serialize, Serializer};
use transit::{UtcMillis, Word};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, SchemaFormat, Type, schema::KnownFormat},
};

pub(crate) use alert::{AlertView, HistoryView, located, place, rank, route_of};
pub(crate) use area::ReachView;
pub(crate) use card::{CardView, Told};
pub(crate) use exception::ExceptionView;
pub(crate) use feed::{ClientView, FeedView, RejectView};
pub(crate) use incident::{IncidentView, incident_id};
pub(crate) use message::message_json;
pub(crate) use place::PlaceView;
pub(crate) use proposal::ProposalView;
pub(crate) use report::ReportView;
pub(crate) use status::{StatusView, is_shown, status_of};
pub(crate) use suppression::SuppressionView;
pub(crate) use vehicle::{TrailView, VehicleView, freshness_as_of};

use crate::Degraded;

/// An instant, RFC 3339 in UTC with `Z`.
#[derive(Clone, Copy)]
pub(crate) struct Stamp(pub(crate) UtcMillis);

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl PartialSchema for Stamp {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .examples(["2026-11-23T08:00:00.000Z"])
            .into()
    }
}

impl ToSchema for Stamp {}

/// Anything written as text.
#[derive(Clone, Copy)]
pub(crate) struct Shown<T>(pub(crate) T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// The OpenAPI form of a vocabulary.
fn words_schema<W: Word>() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(W::ALL.iter().map(|w| w.word()))).into()
}

/// Declares the documented forms of vocabularies: one line makes one visible in the OpenAPI document.
macro_rules! spelled {
    ($($name:ident: $word:ty;)*) => {$(
        #[derive(Clone, Copy)]
        pub(crate) struct $name(pub(crate) $word);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.0.word())
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                words_schema::<$word>()
            }
        }

        impl ToSchema for $name {}
    )*};
}

spelled! {
    ModeWord: transit::Mode;
    StopStatusWord: transit::StopStatus;
    OccupancyStatusWord: transit::OccupancyStatus;
    PositionSourceWord: transit::PositionSource;
    JourneyStateWord: transit::JourneyState;
    StatusWord: transit::Status;
    FreshnessWord: picture::Freshness;
    QualityWord: picture::QualityFlag;
    FeedConditionWord: picture::FeedCondition;
    AlarmKindWord: ::alert::AlarmKind;
    AlarmSourceWord: ::alert::AlarmSource;
    AlertClassWord: ::alert::AlertClass;
    AlertOriginWord: ::alert::AlertOrigin;
    PriorityWord: ::alert::Priority;
    AlertConditionWord: ::alert::AlertCondition;
    CloseReasonWord: ::alert::CloseReason;
    IncidentKindWord: ::alert::IncidentKind;
    IncidentPhaseWord: ::alert::IncidentPhase;
    SeverityWord: ::alert::Severity;
    UrgencyWord: ::alert::Urgency;
    CertaintyWord: ::alert::Certainty;
    PlaceKindWord: impact::PlaceKind;
    AreaPurposeWord: impact::AreaPurpose;
    ActionWord: impact::Action;
    UnknownWord: impact::Reason;
    GradeWord: decode::Grade;
    ReasonWord: decode::ProblemCode;
    MarkStepWord: ::alert::MarkStep;
    RecordedForWord: publish::RecordedFor;
    PointFromWord: publish::PointFrom;
    LackWord: publish::LackKind;
}

/// One thing that is worse than it should be.
#[derive(Serialize, ToSchema)]
pub(crate) struct DegradedView {
    /// Stable code.
    #[schema(example = "feed_silent")]
    code: String,
    /// What it concerns.
    #[schema(example = "feed:hfp")]
    scope: String,
    /// Since when.
    since: Stamp,
    /// In words.
    detail: String,
}

impl DegradedView {
    /// Of a record.
    pub(crate) fn of(degraded: &Degraded) -> Self {
        Self {
            code: degraded.code.clone(),
            scope: degraded.scope.clone(),
            since: Stamp(degraded.since),
            detail: degraded.detail.clone(),
        }
    }
}

/// Seconds with milliseconds.
pub(crate) fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}
