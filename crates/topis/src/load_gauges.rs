//! The load on operators as metrics: the figures of `/v1/load`, for each desk, as of the moment they are asked for.
//!
//! Labels are desks, priorities and spans, never an alert, a rule or a vehicle: series are few, and nothing in them
//! tells a covert alarm from another.

use api::Snapshot;
use metrics::{describe_gauge, gauge};
use room::DeskLoad;
use transit::Word as _;

/// Says once what each figure is.
pub(crate) fn describe() {
    describe_gauge!("topis_load_annunciated", "Alerts that sounded at the desk within the span.");
    describe_gauge!("topis_load_raised", "Alerts raised within the span, those that never sounded included.");
    describe_gauge!("topis_load_peak_minute", "Most alerts that sounded in one minute of the last day.");
    describe_gauge!("topis_load_peak_hour", "Most alerts that sounded in one hour of the last day.");
    describe_gauge!("topis_load_raised_peak_minute", "Most alerts raised in one minute of the last day.");
    describe_gauge!("topis_load_annunciated_by_priority", "Alerts that sounded within the last day, by priority.");
    describe_gauge!("topis_load_flood", "1 while a flood goes on: ten in ten minutes, until fewer than five.");
    describe_gauge!("topis_load_flood_share", "Share of the last day in flood, 0 to 1.");
    describe_gauge!("topis_load_periods_over_10", "Ten-minute periods of the last day with more than ten.");
    describe_gauge!("topis_load_hours_over_30", "Hours of the last day with more than thirty.");
    describe_gauge!("topis_load_top_rules_share", "Share of the ten rules that sounded most, 0 to 1.");
    describe_gauge!("topis_load_standing", "Open alerts on the list now, by priority.");
    describe_gauge!("topis_load_unacknowledged", "Open alerts on the list that nobody has, by priority.");
    describe_gauge!("topis_load_stale", "Alerts that have been active for more than a day.");
    describe_gauge!("topis_load_shelved", "Alerts on the shelf now.");
    describe_gauge!("topis_load_chattering", "Times an alert began to chatter.");
    describe_gauge!("topis_load_expired_unacknowledged", "Alerts whose time passed with nobody having taken them.");
    describe_gauge!(
        "topis_load_ack_seconds",
        "Seconds from sounding to taking within the last day; NaN while none was taken."
    );
    describe_gauge!("topis_load_ack_p50_seconds", "The half of them by priority; NaN while none was taken.");
}

/// Sets every figure to what it is in `snapshot`.
pub(crate) fn set(snapshot: &Snapshot) {
    for load in snapshot.room.load(snapshot.as_of) {
        set_desk(&load);
    }
}

fn set_desk(load: &DeskLoad) {
    let desk = || load.desk.clone();
    let spans = [
        ("10m", load.last_10_min, load.raised_10_min),
        ("1h", load.last_hour, load.raised_hour),
        ("1d", load.last_day, load.raised_day),
    ];
    for (span, annunciated, raised) in spans {
        gauge!("topis_load_annunciated", "desk" => desk(), "span" => span).set(annunciated as f64);
        gauge!("topis_load_raised", "desk" => desk(), "span" => span).set(raised as f64);
    }
    for (at, priority) in alert::Priority::ALL.iter().enumerate() {
        let labels = [("desk", desk()), ("priority", priority.word().to_owned())];
        let of = |counts: &[usize; 4]| counts.get(at).map_or(0.0, |n| *n as f64);
        gauge!("topis_load_annunciated_by_priority", &labels).set(of(&load.by_priority));
        gauge!("topis_load_standing", &labels).set(of(&load.standing));
        gauge!("topis_load_unacknowledged", &labels).set(of(&load.unacknowledged));
        let half = load.ack_p50_by_priority_ms.get(at).copied().flatten();
        gauge!("topis_load_ack_p50_seconds", &labels).set(seconds(half));
    }
    for (quantile, ms) in [("0.5", load.ack_p50_ms), ("0.95", load.ack_p95_ms)] {
        gauge!("topis_load_ack_seconds", "desk" => desk(), "quantile" => quantile).set(seconds(ms));
    }
    let flood = if load.flood { 1.0 } else { 0.0 };
    let rest = [
        ("topis_load_peak_minute", load.peak_minute as f64),
        ("topis_load_peak_hour", load.peak_hour as f64),
        ("topis_load_raised_peak_minute", load.raised_peak_minute as f64),
        ("topis_load_flood", flood),
        ("topis_load_flood_share", load.flood_share),
        ("topis_load_periods_over_10", load.periods_over_10 as f64),
        ("topis_load_hours_over_30", load.hours_over_30 as f64),
        ("topis_load_top_rules_share", load.top_rules_share),
        ("topis_load_stale", load.stale as f64),
        ("topis_load_shelved", load.shelved as f64),
        ("topis_load_chattering", load.chattering as f64),
        ("topis_load_expired_unacknowledged", load.expired_unacknowledged as f64),
    ];
    for (name, figure) in rest {
        gauge!(name, "desk" => desk()).set(figure);
    }
}

/// Not a number where nothing was measured: a zero would read as the fastest room of all.
fn seconds(ms: Option<i64>) -> f64 {
    ms.map_or(f64::NAN, |ms| ms as f64 / 1000.0)
}

#[cfg(test)]
mod tests;
