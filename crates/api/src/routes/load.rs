//! The load on operators, per desk.

use std::sync::Arc;

use axum::{Extension, extract::State, response::Response};
use room::DeskLoad;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Routes, sees_covert};
use crate::{
    Principal, Shared,
    answer::{Meta, Rows, json},
    params::{NoQuery, Params},
    problem::ApiError,
};

/// The load of every desk.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the shape for the OpenAPI document")]
struct LoadAnswer {
    data: Vec<LoadView>,
    meta: Meta,
}

/// A rule and how often it sounded.
#[derive(Serialize, ToSchema)]
struct RuleCount {
    /// The rule.
    rule: String,
    /// How often.
    count: usize,
}

/// The alarm load of one desk over the last day, after EEMUA 191 and IEC 62682. What sounds counts; what is folded,
/// shelved or suppressed does not.
#[derive(Serialize, ToSchema)]
struct LoadView {
    /// The desk; `all` counts everything.
    desk: String,
    /// Sounded in the last ten minutes; about 1 is right, 2 the limit.
    last_10_min: usize,
    /// Sounded in the last hour; about 6, at most 12.
    last_hour: usize,
    /// Sounded in the last day; about 150, at most 300.
    last_day: usize,
    /// Sounded in ten minutes, on average.
    average_10_min: f64,
    /// Most in one minute.
    peak_minute: usize,
    /// Most in one hour.
    peak_hour: usize,
    /// Ten-minute periods with more than ten.
    periods_over_10: usize,
    /// Hours with more than thirty.
    hours_over_30: usize,
    /// A flood goes on: ten in ten minutes, until fewer than five.
    flood: bool,
    /// Share of the day in flood, 0 to 1.
    flood_share: f64,
    /// Raised in the last ten minutes, what never sounded included.
    raised_10_min: usize,
    /// Raised in the last hour.
    raised_hour: usize,
    /// Raised in the last day.
    raised_day: usize,
    /// Most raised in one minute.
    raised_peak_minute: usize,
    /// The ten rules that sounded most, most first. Who may not see covert alerts reads all emergencies as `EMG.*`.
    top_rules: Vec<RuleCount>,
    /// Their share, 0 to 1.
    top_rules_share: f64,
    /// Sounded by priority, P1 first.
    by_priority: [usize; 4],
    /// Seconds from sounding to taking: half were faster.
    ack_p50_s: Option<f64>,
    /// Nineteen of twenty were faster.
    ack_p95_s: Option<f64>,
    /// The half by priority, P1 first.
    ack_p50_by_priority_s: [Option<f64>; 4],
    /// Times an alert began to chatter.
    chattering: u64,
    /// Alerts whose time passed with nobody having taken them.
    expired_unacknowledged: u64,
    /// Active for more than a day.
    stale: usize,
    /// On the shelf now.
    shelved: usize,
    /// Open now and on the list, by priority, P1 first.
    standing: [usize; 4],
    /// Of them, those that nobody has.
    unacknowledged: [usize; 4],
}

fn seconds(ms: Option<i64>) -> Option<f64> {
    ms.map(|ms| ms as f64 / 1000.0)
}

/// A rule tells which emergencies were covert: all of them are counted as one.
fn emergencies_as_one(rules: Vec<(String, usize)>) -> Vec<(String, usize)> {
    let (emergencies, mut others): (Vec<_>, Vec<_>) = rules.into_iter().partition(|(rule, _)| rule.starts_with("EMG."));
    let count: usize = emergencies.iter().map(|(_, count)| count).sum();
    if count > 0 {
        let at = others.iter().position(|(_, other)| *other < count).unwrap_or(others.len());
        others.insert(at, ("EMG.*".to_owned(), count));
    }
    others
}

impl LoadView {
    fn of(load: DeskLoad, see_covert: bool) -> Self {
        let top_rules = if see_covert { load.top_rules } else { emergencies_as_one(load.top_rules) };
        Self {
            desk: load.desk,
            last_10_min: load.last_10_min,
            last_hour: load.last_hour,
            last_day: load.last_day,
            average_10_min: load.average_10_min,
            peak_minute: load.peak_minute,
            peak_hour: load.peak_hour,
            periods_over_10: load.periods_over_10,
            hours_over_30: load.hours_over_30,
            flood: load.flood,
            flood_share: load.flood_share,
            raised_10_min: load.raised_10_min,
            raised_hour: load.raised_hour,
            raised_day: load.raised_day,
            raised_peak_minute: load.raised_peak_minute,
            top_rules: top_rules.into_iter().map(|(rule, count)| RuleCount { rule, count }).collect(),
            top_rules_share: load.top_rules_share,
            by_priority: load.by_priority,
            ack_p50_s: seconds(load.ack_p50_ms),
            ack_p95_s: seconds(load.ack_p95_ms),
            ack_p50_by_priority_s: load.ack_p50_by_priority_ms.map(seconds),
            chattering: load.chattering,
            expired_unacknowledged: load.expired_unacknowledged,
            stale: load.stale,
            shelved: load.shelved,
            standing: load.standing,
            unacknowledged: load.unacknowledged,
        }
    }
}

/// The routes.
pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(load))
}

/// The alarm load of each desk: what sounded, how fast it was taken, and whether a flood goes on.
#[utoipa::path(get, path = "/v1/load", tag = "alerts", params(NoQuery),
    responses((status = 200, description = "The load of every desk, everything first.", body = LoadAnswer)))]
async fn load(
    State(shared): State<Arc<Shared>>,
    Extension(principal): Extension<Principal>,
    _: Params<NoQuery>,
) -> Result<Response, ApiError> {
    let see_covert = sees_covert(&principal);
    let snapshot = shared.live()?;
    let rows = snapshot.room.load(snapshot.as_of).into_iter().map(|load| LoadView::of(load, see_covert));
    Ok(json(&snapshot, None, &Rows::new(rows)))
}
