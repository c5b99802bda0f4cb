//! Every rule, a file each. The order is that of judgement: what is wrong with feeds before what is wrong with their
//! vehicles, our own means last.

mod feed_frozen;
mod feed_link;
mod feed_partial;
mod feed_silent;
mod feed_skew;
mod geo_heading;
mod geo_inside;
mod geo_unaccounted;
mod hazard;
mod vehicle_crowd;
mod vehicle_silent;
mod vehicle_speed;
mod watchdog;

use crate::registry::RuleDef;

pub(crate) use feed_partial::CODE as FEED_PARTIAL;

/// The list of rules.
pub const RULES: &[RuleDef] = &[
    feed_link::DEF,
    feed_silent::DEF,
    feed_frozen::DEF,
    feed_partial::DEF,
    feed_skew::DEF,
    vehicle_silent::DEF,
    vehicle_speed::DEF,
    vehicle_crowd::DEF,
    geo_inside::DEF,
    geo_heading::DEF,
    geo_unaccounted::DEF,
    hazard::WEATHER,
    hazard::FLOOD,
    hazard::EARTHQUAKE,
    watchdog::DEF,
];
