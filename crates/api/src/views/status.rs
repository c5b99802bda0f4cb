//! The wall: everything at one glance.

use std::collections::BTreeMap;

use alert::{Alert, Priority};
use picture::Freshness;
use publish::Lang;
use serde::Serialize;
use transit::{JourneyState, Status, Word};
use utoipa::ToSchema;

use super::{AlertView, ClientView, DegradedView, FeedView, freshness_as_of, rank};
use crate::{
    Snapshot,
    wording::{late_text, lines_basis_text, reason_text},
};

/// Alerts shown in full on the wall.
const URGENT_MAX: usize = 10;

/// Reported delays up to which a vehicle is on time, in seconds, as control rooms draw the line.
const EARLY_BELOW_S: i32 = -60;
const LATE_ABOVE_S: i32 = 300;

/// A line needs this many reporting vehicles before their median says something about it.
const LINE_VEHICLES_MIN: usize = 3;

/// The wall.
#[derive(Serialize, ToSchema)]
pub(crate) struct StatusView<'a> {
    /// `wall` or `simulated`.
    clock: &'static str,
    /// The fleet.
    fleet: FleetView,
    /// Open alerts by priority, drills and tests apart.
    alerts: AlertCounts,
    /// The ten most urgent open alerts.
    most_urgent: Vec<AlertView<'a>>,
    /// Active incidents.
    incidents_active: usize,
    /// Feeds and their health.
    feeds: Vec<FeedView<'a>>,
    /// Lines whose vehicles report the longest delays, worst first.
    lines_in_trouble: Vec<LineView<'a>>,
    /// What `lines_in_trouble` rests on, in `lang`.
    lines_basis: &'static str,
    /// Publishing clients.
    clients: Vec<ClientView<'a>>,
    /// The durable record.
    journal: JournalView,
    /// What is worse than it should be, and since when.
    degraded: Vec<DegradedView>,
}

/// The fleet in numbers.
#[derive(Serialize, ToSchema)]
pub(crate) struct FleetView {
    /// Vehicles known.
    total: usize,
    /// By freshness.
    by_freshness: BTreeMap<&'static str, usize>,
    /// By what they are doing; `unknown` where they do not say.
    by_journey_state: BTreeMap<&'static str, usize>,
    /// Adherence to the timetable; null without one.
    #[schema(value_type = Option<Object>)]
    adherence: Option<()>,
    /// Why `adherence` is null, in `lang`.
    adherence_reason: Option<&'static str>,
    /// Delays as the vehicles in service report them: `early` (more than 60 s), `on_time`, `late` (more than 300 s),
    /// `unknown`.
    reported_delay: BTreeMap<&'static str, usize>,
}

/// Open alerts in numbers.
#[derive(Serialize, ToSchema)]
pub(crate) struct AlertCounts {
    /// Open.
    open: usize,
    /// Open and nobody has taken them.
    unacknowledged: usize,
    /// Open, critical.
    p1: usize,
    /// Open, high.
    p2: usize,
    /// Open, medium.
    p3: usize,
    /// Open, low.
    p4: usize,
    /// Open drills and tests, in none of the other counts.
    not_actual: usize,
}

/// A line in trouble.
#[derive(Serialize, ToSchema)]
pub(crate) struct LineView<'a> {
    /// The route.
    route_id: &'a str,
    /// Vehicles in service on it that report a delay.
    vehicles: usize,
    /// Of them, late.
    late: usize,
    /// Median of the reported delays in seconds.
    median_delay_s: i32,
    /// In words, in `lang`.
    reason: String,
}

/// The durable record.
#[derive(Serialize, ToSchema)]
pub(crate) struct JournalView {
    /// Last record applied.
    seq: u64,
    /// It can be written.
    writable: bool,
}

/// Whether somebody who may `see_covert` or not is shown this alert by default.
pub(crate) fn is_shown(alert: &Alert, see_covert: bool) -> bool {
    alert.is_open() && alert.status != Status::Test && alert.silence.is_none() && (see_covert || !alert.covert)
}

/// The wall as of a snapshot, for somebody who may see covert alerts or not.
pub(crate) fn status_of<'a>(snapshot: &'a Snapshot, see_covert: bool, lang: Lang) -> StatusView<'a> {
    let mut urgent: Vec<&Alert> = snapshot.room.alerts().map(|a| &**a).filter(|a| is_shown(a, see_covert)).collect();
    let visible = |a: &&Alert| a.is_open() && (see_covert || !a.covert);
    let alerts = counts(&snapshot.room.alerts().map(|a| &**a).filter(visible).collect::<Vec<_>>());
    urgent.sort_by_key(|a| rank(a));
    urgent.truncate(URGENT_MAX);
    let unwritable = !snapshot.is_durable();
    StatusView {
        clock: snapshot.clock,
        fleet: fleet(snapshot, lang),
        alerts,
        most_urgent: urgent.into_iter().map(|a| AlertView::of(a, snapshot, lang)).collect(),
        incidents_active: snapshot.room.incidents().filter(|i| i.phase == alert::IncidentPhase::Active).count(),
        feeds: snapshot.feeds.values().map(|f| FeedView::of(f)).collect(),
        lines_in_trouble: lines_in_trouble(snapshot, lang),
        lines_basis: lines_basis_text(lang),
        clients: snapshot.clients.values().map(ClientView::of).collect(),
        journal: JournalView { seq: snapshot.room.seq(), writable: !unwritable },
        degraded: snapshot.degraded.iter().map(DegradedView::of).collect(),
    }
}

fn counts(open: &[&Alert]) -> AlertCounts {
    let meant = |a: &&&Alert| a.status == Status::Actual;
    let of = |p: Priority| open.iter().filter(meant).filter(|a| a.priority == p).count();
    AlertCounts {
        open: open.iter().filter(meant).count(),
        unacknowledged: open.iter().filter(meant).filter(|a| !a.acknowledged()).count(),
        p1: of(Priority::P1),
        p2: of(Priority::P2),
        p3: of(Priority::P3),
        p4: of(Priority::P4),
        not_actual: open.iter().filter(|a| a.status != Status::Actual).count(),
    }
}

fn fleet(snapshot: &Snapshot, lang: Lang) -> FleetView {
    let mut by_freshness: BTreeMap<&str, usize> = Freshness::ALL.iter().map(|w| (w.word(), 0)).collect();
    let mut by_journey_state: BTreeMap<&str, usize> = JourneyState::ALL.iter().map(|w| (w.word(), 0)).collect();
    by_journey_state.insert("unknown", 0);
    let mut reported_delay: BTreeMap<&str, usize> =
        ["early", "on_time", "late", "unknown"].into_iter().map(|w| (w, 0)).collect();
    for record in snapshot.view.vehicles.values() {
        *by_freshness.entry(freshness_as_of(record, snapshot).word()).or_default() += 1;
        *by_journey_state.entry(record.journey.state.map_or("unknown", Word::word)).or_default() += 1;
        if record.journey.state == Some(JourneyState::InService) {
            let punctual = match record.delay_s {
                None => "unknown",
                Some(s) if s < EARLY_BELOW_S => "early",
                Some(s) if s > LATE_ABOVE_S => "late",
                Some(_) => "on_time",
            };
            *reported_delay.entry(punctual).or_default() += 1;
        }
    }
    FleetView {
        total: snapshot.view.vehicles.len(),
        by_freshness,
        by_journey_state,
        adherence: None,
        adherence_reason: Some(reason_text(impact::Reason::NoTimetable, lang)),
        reported_delay,
    }
}

fn lines_in_trouble(snapshot: &Snapshot, lang: Lang) -> Vec<LineView<'_>> {
    let mut delays: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for record in snapshot.view.vehicles.values() {
        let fresh = matches!(record.freshness, Freshness::Live | Freshness::Aging);
        let (Some(route), Some(delay)) = (&record.journey.route_id, record.delay_s) else { continue };
        if fresh && record.journey.state == Some(JourneyState::InService) {
            delays.entry(route.as_str()).or_default().push(delay);
        }
    }
    let mut lines: Vec<LineView<'_>> = delays
        .into_iter()
        .filter(|(_, reported)| reported.len() >= LINE_VEHICLES_MIN)
        .filter_map(|(route_id, mut reported)| {
            reported.sort_unstable();
            let median = *reported.get(reported.len() / 2)?;
            let late = reported.iter().filter(|s| **s > LATE_ABOVE_S).count();
            (median > LATE_ABOVE_S).then(|| LineView {
                route_id,
                vehicles: reported.len(),
                late,
                median_delay_s: median,
                reason: late_text(late, reported.len(), LATE_ABOVE_S, lang),
            })
        })
        .collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.median_delay_s));
    lines.truncate(20);
    lines
}
