//! What a rule holds true of a subject: the room's input from detection.
//!
//! Knows no rule and judges nothing. A finding already has its delays and hysteresis behind it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use transit::Status;

use crate::{AlertClass, Priority, Subject};

/// One rule's word on one subject. A rule that cannot judge says nothing: silence never clears.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The rule's code, e.g. `FEED.SILENT`.
    pub rule: String,
    /// What it is about.
    pub subject: Subject,
    /// Meant, or found in a drill.
    pub status: Status,
    /// Whether the condition holds.
    pub verdict: FindingVerdict,
    /// What is endangered.
    pub class: AlertClass,
    /// How soon somebody must act.
    pub priority: Priority,
    /// Only a person ends it; a cleared verdict marks the source as normal and nothing more.
    pub latched: bool,
    /// What it rests on, kept with the alert.
    pub evidence: Evidence,
    /// Conditions that explain it while they are open, as (rule, subject): the alert is then suppressed by its parent.
    pub parents: Vec<(String, Subject)>,
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FindingVerdict {
    /// It holds.
    Raised,
    /// It was judged on fresh data and does not hold.
    Cleared,
}

/// What a finding rests on. Figures are texts with their unit in the key (`silent_s`, `limit_s`), so that a record
/// replays bit for bit.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// Thresholds and measured values by name.
    pub figures: BTreeMap<String, String>,
    /// The vehicles or parts it is made of.
    pub members: Vec<Subject>,
    /// Degrees north, where the condition has a place.
    pub lat: Option<f64>,
    /// Degrees east.
    pub lon: Option<f64>,
}
