//! Feeds, rejects and publishing clients as JSON.

use std::collections::BTreeMap;

use decode::Reject;
use picture::FeedRecord;
use serde::Serialize;
use transit::Word as _;
use utoipa::ToSchema;

use super::{FeedConditionWord, GradeWord, ReasonWord, Stamp};
use crate::ClientRecord;

/// A feed and its health.
#[derive(Serialize, ToSchema)]
pub(crate) struct FeedView<'a> {
    /// Its id.
    id: &'a str,
    /// The one thing to know.
    #[schema(inline)]
    condition: FeedConditionWord,
    /// Since when.
    condition_since: Stamp,
    /// Vehicles whose newest message came by it.
    vehicles: usize,
    /// Of them, live.
    live: usize,
    /// Of them, aging.
    aging: usize,
    /// Of them, stale.
    stale: usize,
    /// Of them, lost.
    lost: usize,
    /// Messages a second over the last minute.
    rate_per_s: f64,
    /// Reporting interval in seconds per vehicle; null until known.
    interval_s: Option<f64>,
    /// The same of the vehicles of each mode, as far as it was learned; empty where it is configured.
    #[schema(value_type = BTreeMap<String, f64>)]
    interval_s_by_mode: BTreeMap<&'static str, f64>,
    /// The interval is configured, not learned.
    interval_configured: bool,
    /// Smallest receive minus device time over 10 minutes, milliseconds; negative: clocks ahead of ours.
    lag_ms_min: Option<i64>,
    /// Receive minus device time, smoothed, milliseconds.
    lag_ms_typical: Option<i64>,
    /// Vehicles whose clock is more than 60 s ahead or 300 s behind.
    skewed_vehicles: usize,
    /// Messages received.
    received: u64,
    /// Exact copies among them.
    duplicates: u64,
    /// Messages older than what was known.
    out_of_order: u64,
    /// Messages of which something was lost.
    rejected: u64,
    /// Messages with a warning.
    warned: u64,
    /// Messages from the broker's retained store.
    retained: u64,
    /// Newest message of any kind.
    last_message_at: Option<Stamp>,
    /// Newest message that advanced a vehicle.
    last_advance_at: Option<Stamp>,
}

impl<'a> FeedView<'a> {
    /// Of a record.
    pub(crate) fn of(feed: &'a FeedRecord) -> Self {
        let [live, aging, stale, lost] = feed.by_freshness;
        Self {
            id: feed.id.as_str(),
            condition: FeedConditionWord(feed.condition),
            condition_since: Stamp(feed.condition_since),
            vehicles: feed.vehicles,
            live,
            aging,
            stale,
            lost,
            rate_per_s: feed.rate_per_s,
            interval_s: feed.interval_s,
            interval_s_by_mode: feed.interval_s_by_mode.iter().map(|(mode, s)| (mode.word(), *s)).collect(),
            interval_configured: feed.interval_configured,
            lag_ms_min: feed.lag_ms_min,
            lag_ms_typical: feed.lag_ms_typical,
            skewed_vehicles: feed.skewed_vehicles,
            received: feed.received,
            duplicates: feed.duplicates,
            out_of_order: feed.out_of_order,
            rejected: feed.rejected,
            warned: feed.warned,
            retained: feed.retained,
            last_message_at: feed.last_message_at.map(Stamp),
            last_advance_at: feed.last_advance_at.map(Stamp),
        }
    }
}

/// One thing wrong with one message.
#[derive(Serialize, ToSchema)]
pub(crate) struct RejectView<'a> {
    /// When the message arrived.
    received_at: Stamp,
    /// The feed.
    feed_id: &'a str,
    /// The topic, at most 256 characters of it.
    topic: &'a str,
    /// `agency/vehicle`, where the message named one.
    vehicle_id: Option<String>,
    /// `reject` when something was lost, `warning` when not.
    #[schema(inline)]
    grade: GradeWord,
    /// Why.
    #[schema(inline)]
    reason: ReasonWord,
    /// The field or topic level.
    field: Option<&'a str>,
    /// What was found and how to repair it.
    detail: &'a str,
    /// Head of the body, control characters escaped.
    head: &'a str,
}

impl<'a> RejectView<'a> {
    /// Of a record.
    pub(crate) fn of(reject: &'a Reject) -> Self {
        Self {
            received_at: Stamp(reject.received_at),
            feed_id: reject.feed.as_str(),
            topic: &reject.topic,
            vehicle_id: reject.vehicle.as_ref().map(ToString::to_string),
            grade: GradeWord(reject.problem.grade),
            reason: ReasonWord(reject.problem.code),
            field: reject.problem.field.as_deref(),
            detail: &reject.problem.detail,
            head: &reject.head,
        }
    }
}

/// A publishing client's own word about its connection.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientView<'a> {
    /// The client.
    client: &'a str,
    /// Connected.
    online: bool,
    /// Signed off cleanly, rather than lost.
    clean: bool,
    /// Since when.
    since: Stamp,
}

impl<'a> ClientView<'a> {
    /// Of a record.
    pub(crate) fn of(client: &'a ClientRecord) -> Self {
        Self { client: &client.client, online: client.online, clean: client.clean, since: Stamp(client.since) }
    }
}
