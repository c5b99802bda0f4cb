//! An incident as JSON.

use std::collections::BTreeMap;

use alert::{ActivePeriod, Affected, Incident, IncidentPhase};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{CertaintyWord, IncidentKindWord, IncidentPhaseWord, SeverityWord, Stamp, StatusWord, UrgencyWord};

/// An incident: what a source says happened in the world.
#[derive(Serialize, ToSchema)]
pub(crate) struct IncidentView<'a> {
    /// `source/incident`.
    #[schema(example = "topis/A-2291")]
    id: String,
    /// The source.
    source: &'a str,
    /// The id within the source.
    incident_id: &'a str,
    /// The feed it came by.
    feed_id: &'a str,
    /// The source's version.
    version: Option<u64>,
    /// What happened.
    #[schema(inline)]
    kind: IncidentKindWord,
    /// The kind as sent, when it was not one of ours.
    kind_word: Option<&'a str>,
    /// The source's finer kind.
    subkind: Option<&'a str>,
    /// Seoul TOPIS code, A01 to A13.
    topis_code: Option<&'static str>,
    /// Whether it goes on.
    #[schema(inline)]
    state: IncidentPhaseWord,
    /// It is planned, or rests between two of its periods: listed, and silent until `starts_at`.
    upcoming: bool,
    /// When it begins, or goes on; null where it is not upcoming.
    starts_at: Option<Stamp>,
    /// The source took it back.
    withdrawn: bool,
    /// Meant, drill or test.
    #[schema(inline)]
    status: StatusWord,
    /// How bad.
    #[schema(inline)]
    severity: SeverityWord,
    /// `severity` is the kind's default, not the source's word.
    severity_defaulted: bool,
    /// CAP urgency.
    #[schema(inline)]
    urgency: Option<UrgencyWord>,
    /// CAP certainty.
    #[schema(inline)]
    certainty: Option<CertaintyWord>,
    /// GTFS-Realtime effect.
    effect: Option<&'a str>,
    /// When it matters; empty is always.
    active_periods: Vec<PeriodView>,
    /// When the source expects the end; not an end.
    expected_end: Option<Stamp>,
    /// Degrees north.
    lat: Option<f64>,
    /// Degrees east.
    lon: Option<f64>,
    /// GeoJSON geometry.
    #[schema(value_type = Option<Object>)]
    geometry: Option<Value>,
    /// Radius or half-width in metres.
    radius_m: f64,
    /// `radius_m` is the kind's default.
    radius_defaulted: bool,
    /// Areas by name, as its source writes them.
    areas: &'a [String],
    /// Whom it hits: all named parts of an entry together, several entries as alternatives.
    affects: Vec<AffectedView<'a>>,
    /// Short text.
    title: Option<&'a str>,
    /// Long text by language; "" is a text without one.
    text: &'a BTreeMap<String, String>,
    /// Title fit for the public.
    public_title: Option<&'a str>,
    /// Text fit for the public by language.
    public_text: &'a BTreeMap<String, String>,
    /// What the public is told since `published_at`, as its title; null where nothing is.
    published_title: Option<&'a str>,
    /// As its text by language.
    published_text: Option<&'a BTreeMap<String, String>>,
    /// Who told them.
    published_by: Option<&'a str>,
    /// When.
    published_at: Option<Stamp>,
    /// `full` or `partial`. Where the road is closed in full, who drives into its area is alerted.
    road_control: Option<&'a str>,
    /// Its source's words say that it is over, since then; that ends nothing: a person closes or keeps it.
    clear_proposed_at: Option<Stamp>,
    /// The source that says so.
    clear_proposed_by: Option<&'a str>,
    /// What it says.
    clear_proposed_text: Option<&'a str>,
    /// The person who armed it by one call.
    armed_by: Option<&'a str>,
    /// It is disarmed by itself then.
    armed_until: Option<Stamp>,
    /// When the newest version reached us.
    received_at: Stamp,
    /// First recorded.
    opened_at: Stamp,
    /// Last changed.
    updated_at: Stamp,
    /// Closed since.
    closed_at: Option<Stamp>,
    /// Where to go from here.
    links: IncidentLinks,
}

/// Where to go from an incident.
#[derive(Serialize, ToSchema)]
pub(crate) struct IncidentLinks {
    /// Itself.
    #[serde(rename = "self")]
    itself: String,
    /// What it means for the fleet.
    impact: String,
    /// All that is on record of it.
    report: String,
}

/// One span in which an incident matters.
#[derive(Serialize, ToSchema)]
pub(crate) struct PeriodView {
    /// From; null is open.
    start: Option<Stamp>,
    /// Until; null is open.
    end: Option<Stamp>,
}

/// Whom or what an incident hits.
#[derive(Serialize, ToSchema)]
pub(crate) struct AffectedView<'a> {
    agency_id: Option<&'a str>,
    route_id: Option<&'a str>,
    route_type: Option<i32>,
    direction_id: Option<u8>,
    trip_id: Option<&'a str>,
    stop_id: Option<&'a str>,
    from_stop_id: Option<&'a str>,
    to_stop_id: Option<&'a str>,
    vehicle_id: Option<&'a str>,
}

impl<'a> AffectedView<'a> {
    fn of(affected: &'a Affected) -> Self {
        Self {
            agency_id: affected.agency_id.as_deref(),
            route_id: affected.route_id.as_deref(),
            route_type: affected.route_type,
            direction_id: affected.direction_id,
            trip_id: affected.trip_id.as_deref(),
            stop_id: affected.stop_id.as_deref(),
            from_stop_id: affected.from_stop_id.as_deref(),
            to_stop_id: affected.to_stop_id.as_deref(),
            vehicle_id: affected.vehicle_id.as_deref(),
        }
    }
}

impl PeriodView {
    fn of(period: &ActivePeriod) -> Self {
        Self { start: period.start.map(Stamp), end: period.end.map(Stamp) }
    }
}

/// `source/incident`, each part percent-encoded where it must be.
pub(crate) fn incident_id(incident: &Incident) -> String {
    let key = &incident.report.key;
    format!("{}/{}", crate::routes::level(&key.source), crate::routes::level(&key.id))
}

impl<'a> IncidentView<'a> {
    /// Of a record.
    pub(crate) fn of(incident: &'a Incident) -> Self {
        let report = &incident.report;
        let id = incident_id(incident);
        let published = incident.publication.as_ref();
        let (proposal, armed) = (incident.clear_proposed.as_ref(), incident.armed.as_ref());
        Self {
            links: IncidentLinks {
                itself: format!("/v1/incidents/{id}"),
                impact: format!("/v1/incidents/{id}/impact"),
                report: format!("/v1/incidents/{id}/report"),
            },
            id,
            source: &report.key.source,
            incident_id: &report.key.id,
            feed_id: report.feed.as_str(),
            version: report.version,
            kind: IncidentKindWord(report.kind),
            kind_word: report.kind_word.as_deref(),
            subkind: report.subkind.as_deref(),
            topis_code: report.kind.facts().topis_code,
            state: IncidentPhaseWord(incident.phase),
            upcoming: incident.phase == IncidentPhase::Active && incident.starts_at.is_some(),
            starts_at: incident.starts_at.filter(|_| incident.phase == IncidentPhase::Active).map(Stamp),
            withdrawn: incident.withdrawn,
            status: StatusWord(report.status),
            severity: SeverityWord(incident.severity),
            severity_defaulted: incident.severity_defaulted,
            urgency: report.urgency.map(UrgencyWord),
            certainty: report.certainty.map(CertaintyWord),
            effect: report.effect.as_deref(),
            active_periods: report.active_periods.iter().map(PeriodView::of).collect(),
            expected_end: report.expected_end.map(Stamp),
            lat: report.lat,
            lon: report.lon,
            geometry: report.geometry.as_deref().and_then(|text| serde_json::from_str(text).ok()),
            radius_m: incident.radius_m,
            radius_defaulted: incident.radius_defaulted,
            areas: &report.areas,
            affects: report.affects.iter().map(AffectedView::of).collect(),
            title: report.title.as_deref(),
            text: &report.text,
            public_title: report.public_title.as_deref(),
            public_text: &report.public_text,
            published_title: published.and_then(|told| told.title.as_deref()),
            published_text: published.map(|told| &told.text),
            published_by: published.map(|told| told.by.as_str()),
            published_at: published.map(|told| Stamp(told.at)),
            road_control: report.road_control.as_deref(),
            clear_proposed_at: proposal.map(|proposal| Stamp(proposal.at)),
            clear_proposed_by: proposal.map(|proposal| proposal.by.as_str()),
            clear_proposed_text: proposal.and_then(|proposal| proposal.words.as_deref()),
            armed_by: armed.map(|armed| armed.by.as_str()),
            armed_until: armed.and_then(|armed| armed.until).map(Stamp),
            received_at: Stamp(report.received_at),
            opened_at: Stamp(incident.opened_at),
            updated_at: Stamp(incident.updated_at),
            closed_at: incident.closed_at.map(Stamp),
        }
    }

    /// Its keys, in their order.
    pub(crate) const KEYS: &'static [&'static str] = &[
        "id",
        "source",
        "incident_id",
        "feed_id",
        "version",
        "kind",
        "kind_word",
        "subkind",
        "topis_code",
        "state",
        "upcoming",
        "starts_at",
        "withdrawn",
        "status",
        "severity",
        "severity_defaulted",
        "urgency",
        "certainty",
        "effect",
        "active_periods",
        "expected_end",
        "lat",
        "lon",
        "geometry",
        "radius_m",
        "radius_defaulted",
        "areas",
        "affects",
        "title",
        "text",
        "public_title",
        "public_text",
        "published_title",
        "published_text",
        "published_by",
        "published_at",
        "road_control",
        "clear_proposed_at",
        "clear_proposed_by",
        "clear_proposed_text",
        "armed_by",
        "armed_until",
        "received_at",
        "opened_at",
        "updated_at",
        "closed_at",
        "links",
    ];
}
