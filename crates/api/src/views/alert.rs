//! An alert as JSON: the flat list of keys that operators build on.

use std::borrow::Cow;

use std::collections::BTreeMap;

use alert::{Alert, AlertCondition, HistoryEntry, Subject};
use publish::Lang;
use serde::Serialize;
use transit::{Coordinate, VehicleKey};
use utoipa::ToSchema;

use super::{
    AlarmKindWord, AlarmSourceWord, AlertClassWord, AlertConditionWord, AlertOriginWord, CloseReasonWord, PriorityWord,
    Shown, Stamp, StatusWord, card::spoken, seconds,
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
    /// Kind of alarm; null for what a rule found.
    #[schema(inline)]
    kind: Option<AlarmKindWord>,
    /// The kind as sent, when it was not one of ours.
    kind_word: Option<&'a str>,
    /// Who pressed; null where nobody did.
    #[schema(inline)]
    source: Option<AlarmSourceWord>,
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
    /// The feed it came by; null where it came by none.
    feed_id: Option<&'a str>,
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
    /// When it has to be taken before it escalates; null when somebody has it or nothing is due.
    ack_due_at: Option<Stamp>,
    /// Nobody took it in time.
    overdue: bool,
    /// Open alerts of the same rule that stand behind this one, which speaks for them: `parent_id` is its id there.
    collapsed_count: usize,
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
    /// Why it is kept from the main list: `shelved`, `by_parent`, `by_incident`, `out_of_service`, `collapsed`;
    /// empty when it is not.
    quiet: Vec<&'static str>,
    /// The alert that explains it, or speaks for it and others.
    parent_id: Option<String>,
    /// The incident that explains it: a detour explains who is off the route.
    explained_by: Option<String>,
    /// It chatters: held open and silent until it has been quiet for a while.
    held: bool,
    /// What made it.
    #[schema(inline)]
    origin: AlertOriginWord,
    /// What a rule's finding rests on: thresholds and measured values, with their unit in the name.
    figures: BTreeMap<&'a str, &'a str>,
    /// The vehicles or parts a rule's finding is made of.
    members: Vec<String>,
    /// Whom persons accounted for: they are members no more.
    accounted: Vec<AccountedView<'a>>,
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
    /// What to do next: `acknowledge`; once that is done the first step of the rule's runbook in `lang`, or `close`
    /// where it has none; null when it is final.
    next_step: Option<&'a str>,
    /// Where to go from here.
    links: AlertLinks,
}

/// One that was missed, and of whom a person knows where they are.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccountedView<'a> {
    /// Which, as in `members`.
    member: String,
    /// The person.
    by: &'a str,
    /// When they said so.
    at: Stamp,
}

impl<'a> AccountedView<'a> {
    fn of(known: &'a alert::Accounted) -> Self {
        Self { member: known.member.to_string(), by: &known.by, at: Stamp(known.at) }
    }
}

/// Where to go from an alert.
#[derive(Serialize, ToSchema)]
pub(crate) struct AlertLinks {
    /// Itself.
    #[serde(rename = "self")]
    itself: String,
    /// Everything that happened to it.
    history: String,
    /// Its decision card.
    card: String,
    /// Everything there is on it, to keep or to hand on.
    report: String,
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

/// The route the alert's vehicle is on, or the one that it is about.
pub(crate) fn route_of<'a>(alert: &'a Alert, snapshot: &'a Snapshot) -> Option<&'a str> {
    if let Subject::Line(route) = &alert.subject {
        return Some(route);
    }
    let record = snapshot.view.vehicles.get(vehicle_of(alert)?)?;
    record.journey.route_id.as_ref().map(transit::RouteId::as_str)
}

/// What to do next about an alert; `None` when it is final.
fn next_step<'a>(alert: &Alert, snapshot: &'a Snapshot, lang: Lang) -> Option<&'a str> {
    if alert.condition == AlertCondition::Closed {
        return None;
    }
    if !alert.acknowledged() {
        return Some("acknowledge");
    }
    let first = snapshot.guide.runbooks.find(&alert.rule).and_then(impact::Runbook::next_step);
    Some(first.map_or("close", |words| spoken(words, lang)))
}

/// Orders alerts as operators read them: the most urgent first, a person's call for help before what was worked out, among
/// equals the oldest.
pub(crate) fn rank(alert: &Alert) -> (alert::Priority, bool, transit::UtcMillis, u64) {
    (alert.priority, alert.class != alert::AlertClass::Emergency, alert.raised_at, alert.id.number)
}

impl<'a> AlertView<'a> {
    /// Of an alert as of a snapshot.
    pub(crate) fn of(alert: &'a Alert, snapshot: &'a Snapshot, lang: Lang) -> Self {
        let vehicle = vehicle_of(alert);
        let place = place(alert, snapshot);
        let owner = alert.acknowledgement.as_ref();
        let acknowledged = alert.acknowledged();
        let ack_due_at = alert.due.acknowledge_at.filter(|_| alert.is_open() && !acknowledged);
        let overdue_once = alert.is_open() && !acknowledged && alert.due.escalated > 0;
        let (silence, evidence) = (&alert.silence, alert.evidence.as_ref());
        let doubtful = alert.quality.iter().any(|flag| flag == "null_island");
        Self {
            id: Shown(&alert.id),
            number: alert.id.number,
            priority: PriorityWord(alert.priority),
            class: AlertClassWord(alert.class),
            rule: &alert.rule,
            kind: alert.kind.map(AlarmKindWord),
            kind_word: alert.kind_word.as_deref(),
            source: alert.source.map(AlarmSourceWord),
            headline: publish::headline(alert, lang),
            place_text: publish::position_text(place.as_ref().map(|p| p.coordinate), doubtful, lang),
            code: publish::headline_code(alert),
            args: publish::headline_args(alert),
            subject: Shown(&alert.subject),
            feed_id: alert.feed.as_ref().map(transit::FeedId::as_str),
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
            ack_due_at: ack_due_at.map(Stamp),
            overdue: ack_due_at.is_some_and(|at| at <= snapshot.as_of) || overdue_once,
            count: alert.count,
            status: StatusWord(alert.status),
            covert: alert.covert,
            durable: alert.durable,
            quiet: quiet(alert),
            collapsed_count: snapshot.room.collapsed_count(&alert.id),
            parent_id: silence.by_parent.as_ref().or(silence.collapsed_into.as_ref()).map(ToString::to_string),
            explained_by: silence.by_incident.as_ref().map(|explanation| explanation.incident.to_string()),
            held: alert.flap.held(),
            origin: AlertOriginWord(alert.origin),
            figures: evidence.into_iter().flat_map(|e| &e.figures).map(|(k, v)| (k.as_str(), v.as_str())).collect(),
            members: evidence.into_iter().flat_map(|e| &e.members).map(ToString::to_string).collect(),
            accounted: alert.accounted.iter().map(AccountedView::of).collect(),
            shelved_until: alert.silence.shelf.as_ref().map(|shelf| Stamp(shelf.until)),
            text: alert.text.as_deref(),
            passengers: alert.passengers,
            closed_at: alert.closing.as_ref().map(|c| Stamp(c.at)),
            closed_by: alert.closing.as_ref().and_then(|c| c.by.as_deref()),
            close_reason: alert.closing.as_ref().map(|c| CloseReasonWord(c.reason)),
            incident_id: alert.incident.as_ref().map(ToString::to_string),
            next_step: next_step(alert, snapshot, lang),
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
        "quiet",
        "parent_id",
        "collapsed_count",
        "explained_by",
        "held",
        "origin",
        "figures",
        "members",
        "accounted",
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

fn quiet(alert: &Alert) -> Vec<&'static str> {
    let silence = &alert.silence;
    let reasons = [
        ("shelved", silence.shelf.is_some()),
        ("by_parent", silence.by_parent.is_some()),
        ("by_incident", silence.by_incident.is_some()),
        ("out_of_service", silence.out_of_service.is_some()),
        ("collapsed", silence.collapsed_into.is_some()),
    ];
    reasons.into_iter().filter(|(_, holds)| *holds).map(|(word, _)| word).collect()
}

impl AlertLinks {
    fn of(alert: &Alert, vehicle: Option<&VehicleKey>) -> Self {
        let itself = format!("/v1/alerts/{}", alert.id);
        Self {
            history: format!("{itself}/history"),
            card: format!("{itself}/card"),
            report: format!("{itself}/report"),
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
