//! An alert as JSON: the flat list of keys that operators build on.

use std::borrow::Cow;

use std::collections::BTreeMap;

use alert::{Alert, AlertCondition, HistoryEntry, Subject};
use publish::Lang;
use serde::Serialize;
use transit::{Coordinate, VehicleKey};
use utoipa::ToSchema;

use super::{
    AlarmKindWord, AlarmSourceWord, AlertClassWord, AlertConditionWord, CloseReasonWord, PriorityWord, Shown, Stamp,
    StatusWord, seconds,
};
use crate::Snapshot;

/// An alert: what somebody must act on, who has it, and how sure we are where it is.
#[derive(Serialize, ToSchema)]
pub(crate) struct AlertView<'a> {
    /// Service date and number, for ever.
    #[schema(value_type = String, example = "20261123-417")]
    id: Shown<&'a alert::AlertId>,
    /// The number as spoken: "alert 417".
    number: u64,
    /// How soon somebody must act; P1 first.
    #[schema(inline)]
    priority: PriorityWord,
    /// What is endangered.
    #[schema(inline)]
    class: AlertClassWord,
    /// The rule that raised it.
    #[schema(example = "EMG.PANIC")]
    rule: &'a str,
    /// Kind of alarm.
    #[schema(inline)]
    kind: AlarmKindWord,
    /// The kind as sent, when it was not one of ours.
    kind_word: Option<&'a str>,
    /// Who pressed.
    #[schema(inline)]
    source: AlarmSourceWord,
    /// What happened, in `lang`.
    headline: String,
    /// Where, in `lang`.
    place_text: String,
    /// Names the headline, for clients that render it themselves.
    code: String,
    /// What the headline is rendered from.
    #[schema(value_type = BTreeMap<String, String>)]
    args: BTreeMap<&'static str, String>,
    /// `vehicle:<agency>/<vehicle>`, `unparsed:<head>` or `system:<part>`.
    #[schema(value_type = String, example = "vehicle:18/423")]
    subject: Shown<&'a Subject>,
    /// The feed it came by.
    feed_id: &'a str,
    /// The device's id of the newest press.
    event_id: Option<&'a str>,
    /// The vehicle's agency.
    agency_id: Option<&'a str>,
    /// The vehicle's number.
    vehicle_id: Option<&'a str>,
    /// The route the vehicle is on.
    route_id: Option<&'a str>,
    /// Degrees north: where the alarm says it was, else where the vehicle was last known.
    lat: Option<f64>,
    /// Degrees east.
    lon: Option<f64>,
    /// Seconds since that position was true, as of `meta.as_of`.
    position_age_s: Option<f64>,
    /// What is doubtful.
    quality: &'a [String],
    /// The device's clock at the first press.
    event_at: Option<Stamp>,
    /// When the first press reached us.
    received_at: Stamp,
    /// When it was recorded.
    raised_at: Stamp,
    /// The newest press.
    last_seen_at: Stamp,
    /// Seconds from the press to its arrival; null without a device time.
    late_by_s: Option<f64>,
    /// Active, cleared (normal again, nobody has taken it) or closed.
    #[schema(inline)]
    state: AlertConditionWord,
    /// The source said that it is normal again; the alert stays until a person ends it.
    source_normal_at: Option<Stamp>,
    /// Somebody has it.
    acknowledged: bool,
    /// Who.
    owner: Option<&'a str>,
    /// Their desk.
    owner_desk: Option<&'a str>,
    /// Since when.
    owner_since: Option<Stamp>,
    /// Who had it before it re-alarmed.
    previous_owner: Option<&'a str>,
    /// When it has to be taken at the latest; null while no rule sets it.
    ack_due_at: Option<Stamp>,
    /// Past `ack_due_at`.
    overdue: bool,
    /// Presses, the first included; send it back as `seen`.
    count: u32,
    /// Meant, drill or test.
    #[schema(inline)]
    status: StatusWord,
    /// Displays near the vehicle stay silent.
    covert: bool,
    /// On disk. False only while the journal cannot be written.
    durable: bool,
    /// Put aside until.
    shelved_until: Option<Stamp>,
    /// Free text of the alarm.
    text: Option<&'a str>,
    /// People on board, as reported.
    passengers: Option<u32>,
    /// Final since.
    closed_at: Option<Stamp>,
    /// The person who ended it; null when a source or timer did.
    closed_by: Option<&'a str>,
    /// Why it is final.
    #[schema(inline)]
    close_reason: Option<CloseReasonWord>,
    /// The incident it belongs to.
    incident_id: Option<String>,
    /// What to do next: `acknowledge`, `close`, or null when it is final.
    next_step: Option<&'static str>,
    /// Where to go from here.
    links: AlertLinks,
}

/// Where to go from an alert.
#[derive(Serialize, ToSchema)]
pub(crate) struct AlertLinks {
    /// Itself.
    #[serde(rename = "self")]
    itself: String,
    /// Everything that happened to it.
    history: String,
    /// Take it (POST).
    acknowledge: String,
    /// End it (POST).
    close: String,
    /// The vehicle.
    vehicle: Option<String>,
}

/// Where an alert is, and since when that was true.
pub(crate) struct Place {
    /// Where.
    pub(crate) coordinate: Coordinate,
    age_s: f64,
}

fn vehicle_of(alert: &Alert) -> Option<&VehicleKey> {
    alert.subject.vehicle()
}

/// Where the alarm says it was; else where its vehicle was last known, because a driver without a fix is somewhere.
pub(crate) fn place(alert: &Alert, snapshot: &Snapshot) -> Option<Place> {
    let said = alert.lat.zip(alert.lon).and_then(|(lat, lon)| Coordinate::parse(lat, lon).ok());
    if let Some(coordinate) = said {
        let at = alert.received_at.plus_millis(-alert.late_by_ms().unwrap_or(0));
        return Some(Place { coordinate, age_s: seconds(snapshot.as_of.since(at).max(0)) });
    }
    let record = snapshot.view.vehicles.get(vehicle_of(alert)?)?;
    let coordinate = record.coordinate?;
    let at = record.position_event_time.unwrap_or(record.event_time).plus_millis(record.offset_ms);
    Some(Place { coordinate, age_s: seconds(snapshot.as_of.since(at).max(0)) })
}

/// The alert with its place filled in where it said none, so that every format shows the same one.
pub(crate) fn located<'a>(alert: &'a Alert, snapshot: &Snapshot) -> Cow<'a, Alert> {
    match place(alert, snapshot) {
        Some(place) if alert.lat.is_none() || alert.lon.is_none() => {
            let mut shown = alert.clone();
            (shown.lat, shown.lon) = (Some(place.coordinate.lat()), Some(place.coordinate.lon()));
            Cow::Owned(shown)
        }
        Some(_) | None => Cow::Borrowed(alert),
    }
}

/// The route the alert's vehicle is on.
pub(crate) fn route_of<'a>(alert: &Alert, snapshot: &'a Snapshot) -> Option<&'a str> {
    let record = snapshot.view.vehicles.get(vehicle_of(alert)?)?;
    record.journey.route_id.as_ref().map(transit::RouteId::as_str)
}

/// Orders alerts as operators read them: the most urgent first, among equals the oldest.
pub(crate) fn rank(alert: &Alert) -> (alert::Priority, transit::UtcMillis, u64) {
    (alert.priority, alert.raised_at, alert.id.number)
}

impl<'a> AlertView<'a> {
    /// Of an alert as of a snapshot.
    pub(crate) fn of(alert: &'a Alert, snapshot: &'a Snapshot, lang: Lang) -> Self {
        let vehicle = vehicle_of(alert);
        let place = place(alert, snapshot);
        let owner = alert.acknowledgement.as_ref();
        let open = alert.condition != AlertCondition::Closed;
        let acknowledged = alert.acknowledged();
        let doubtful = alert.quality.iter().any(|flag| flag == "null_island");
        Self {
            id: Shown(&alert.id),
            number: alert.id.number,
            priority: PriorityWord(alert.priority),
            class: AlertClassWord(alert.class),
            rule: &alert.rule,
            kind: AlarmKindWord(alert.kind),
            kind_word: alert.kind_word.as_deref(),
            source: AlarmSourceWord(alert.source),
            headline: publish::headline(alert, lang),
            place_text: publish::position_text(place.as_ref().map(|p| p.coordinate), doubtful, lang),
            code: publish::headline_code(alert),
            args: publish::headline_args(alert),
            subject: Shown(&alert.subject),
            feed_id: alert.feed.as_str(),
            event_id: alert.event_id.as_deref(),
            agency_id: vehicle.map(|key| key.agency.as_str()),
            vehicle_id: vehicle.map(|key| key.vehicle.as_str()),
            route_id: route_of(alert, snapshot),
            lat: place.as_ref().map(|p| p.coordinate.lat()),
            lon: place.as_ref().map(|p| p.coordinate.lon()),
            position_age_s: place.as_ref().map(|p| p.age_s),
            quality: &alert.quality,
            event_at: alert.event_at.map(Stamp),
            received_at: Stamp(alert.received_at),
            raised_at: Stamp(alert.raised_at),
            last_seen_at: Stamp(alert.last_seen_at),
            late_by_s: alert.late_by_ms().map(seconds),
            state: AlertConditionWord(alert.condition),
            source_normal_at: alert.source_normal_at.map(Stamp),
            acknowledged,
            owner: owner.map(|o| o.by.as_str()),
            owner_desk: owner.and_then(|o| o.desk.as_deref()),
            owner_since: owner.map(|o| Stamp(o.at)),
            previous_owner: alert.previous_owner.as_deref(),
            ack_due_at: None,
            overdue: false,
            count: alert.count,
            status: StatusWord(alert.status),
            covert: alert.covert,
            durable: alert.durable,
            shelved_until: None,
            text: alert.text.as_deref(),
            passengers: alert.passengers,
            closed_at: alert.closing.as_ref().map(|c| Stamp(c.at)),
            closed_by: alert.closing.as_ref().and_then(|c| c.by.as_deref()),
            close_reason: alert.closing.as_ref().map(|c| CloseReasonWord(c.reason)),
            incident_id: None,
            next_step: open.then_some(if acknowledged { "close" } else { "acknowledge" }),
            links: AlertLinks::of(alert, vehicle),
        }
    }

    /// Its keys, in their order.
    pub(crate) const KEYS: &'static [&'static str] = &[
        "id",
        "number",
        "priority",
        "class",
        "rule",
        "kind",
        "kind_word",
        "source",
        "headline",
        "place_text",
        "code",
        "args",
        "subject",
        "feed_id",
        "event_id",
        "agency_id",
        "vehicle_id",
        "route_id",
        "lat",
        "lon",
        "position_age_s",
        "quality",
        "event_at",
        "received_at",
        "raised_at",
        "last_seen_at",
        "late_by_s",
        "state",
        "source_normal_at",
        "acknowledged",
        "owner",
        "owner_desk",
        "owner_since",
        "previous_owner",
        "ack_due_at",
        "overdue",
        "count",
        "status",
        "covert",
        "durable",
        "shelved_until",
        "text",
        "passengers",
        "closed_at",
        "closed_by",
        "close_reason",
        "incident_id",
        "next_step",
        "links",
    ];
}

impl AlertLinks {
    fn of(alert: &Alert, vehicle: Option<&VehicleKey>) -> Self {
        let itself = format!("/v1/alerts/{}", alert.id);
        Self {
            history: format!("{itself}/history"),
            acknowledge: format!("{itself}/acknowledge"),
            close: format!("{itself}/close"),
            vehicle: vehicle.map(|key| format!("/v1/vehicles/{key}")),
            itself,
        }
    }
}

/// One line of an alert's history.
#[derive(Serialize, ToSchema)]
pub(crate) struct HistoryView<'a> {
    /// Journal sequence, gap-free over all records.
    seq: u64,
    /// When.
    at: Stamp,
    /// `person`, `source`, `detector` or `timer`.
    actor_kind: &'a str,
    /// Who or what.
    actor: &'a str,
    /// Desk of a person.
    desk: Option<&'a str>,
    /// State before; `none` at the raise.
    from: &'a str,
    /// State after.
    to: &'a str,
    /// What happened, as a stable code.
    reason: &'a str,
    /// Free text.
    comment: Option<&'a str>,
    /// The order's idempotency key.
    request_id: Option<&'a str>,
}

impl<'a> HistoryView<'a> {
    /// Of an entry.
    pub(crate) fn of(entry: &'a HistoryEntry) -> Self {
        Self {
            seq: entry.seq,
            at: Stamp(entry.at),
            actor_kind: &entry.actor_kind,
            actor: &entry.actor,
            desk: entry.desk.as_deref(),
            from: &entry.from,
            to: &entry.to,
            reason: &entry.reason,
            comment: entry.comment.as_deref(),
            request_id: entry.request_id.as_deref(),
        }
    }
}
