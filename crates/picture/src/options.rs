//! What can be tuned in the picture. Knows no configuration file: `topis` fills this in.

use std::collections::BTreeSet;

use transit::{FeedId, Mode, ServiceHours, VehicleKey, words};

words! {
    /// When a feed is expected to speak, so that its silence means something.
    Expect as "expect" {
        /// While it had vehicles in service in the 15 minutes before the silence.
        Recent = "recent",
        /// In its hours of service, even with no vehicle known; outside them never.
        Hours = "hours",
        /// Around the clock, even with no vehicle known.
        Always = "always",
    }
}

/// How one feed is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedPolicy {
    /// Which.
    pub id: FeedId,
    /// Seconds between two reports of a vehicle; `None` to learn it.
    pub interval_s: Option<f64>,
    /// When it should speak.
    pub expect: Expect,
    /// Its hours of service, for [`Expect::Hours`].
    pub hours: Option<ServiceHours>,
}

impl FeedPolicy {
    /// The policy of a feed nobody configured: interval learned, service expected where there was some.
    pub fn of(id: FeedId) -> Self {
        Self { id, interval_s: None, expect: Expect::Recent, hours: None }
    }
}

/// The fastest a vehicle of each mode can be, in metres a second. Beyond it a fix is a jump.
#[derive(Debug, Clone, PartialEq)]
pub struct JumpLimits {
    /// Bus, trolleybus, tram, taxi, cable tram: 31 m/s, TransitClock's limit (112 km/h).
    pub road_mps: f64,
    /// Metro, rail, monorail: 83 m/s (300 km/h).
    pub rail_mps: f64,
    /// Ferry, aerial lift, funicular: 31 m/s.
    pub other_mps: f64,
    /// Mode not said: as the fastest.
    pub unknown_mps: f64,
    /// Overrides for single modes.
    pub by_mode: Vec<(Mode, f64)>,
}

impl Default for JumpLimits {
    fn default() -> Self {
        Self { road_mps: 31.0, rail_mps: 83.0, other_mps: 31.0, unknown_mps: 83.0, by_mode: Vec::new() }
    }
}

impl JumpLimits {
    /// Metres a second for a mode.
    pub fn of(&self, mode: Mode) -> f64 {
        if let Some((_, limit)) = self.by_mode.iter().find(|(m, _)| *m == mode) {
            return *limit;
        }
        match mode {
            Mode::Bus | Mode::Trolleybus | Mode::Tram | Mode::Taxi | Mode::CableTram => self.road_mps,
            Mode::Metro | Mode::Rail | Mode::Monorail => self.rail_mps,
            Mode::Ferry | Mode::AerialLift | Mode::Funicular => self.other_mps,
            Mode::Unknown => self.unknown_mps,
        }
    }
}

/// The area vehicles of this operator can be in, in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServiceArea {
    /// Western edge.
    pub west: f64,
    /// Southern edge.
    pub south: f64,
    /// Eastern edge.
    pub east: f64,
    /// Northern edge.
    pub north: f64,
}

impl From<[f64; 4]> for ServiceArea {
    /// West, south, east, north, as in GeoJSON's `bbox`.
    fn from([west, south, east, north]: [f64; 4]) -> Self {
        Self { west, south, east, north }
    }
}

/// The picture's limits.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureOptions {
    /// A stamp this many milliseconds ahead of its receipt is shown beside the regular picture and never enters it.
    pub future_limit_ms: i64,
    /// A clock this many milliseconds behind is flagged.
    pub behind_limit_ms: i64,
    /// The fastest each mode can be.
    pub jump_limits: JumpLimits,
    /// How far back a trail goes, in minutes.
    pub trail_minutes: u32,
    /// The most points a trail may have.
    pub trail_points_max: usize,
    /// Hours of silence after which a vehicle is removed.
    pub forget_after_h: u32,
    /// How many vehicles outside the fleet registry are kept like registered ones; workers that meet newcomers at the
    /// same moment may pass it by one each.
    pub unknown_cap: usize,
    /// How many vehicles beyond that are kept, least recently heard dropped first; rounded down to a multiple of 8,
    /// at least 8.
    pub lru_cap: usize,
    /// Where vehicles can be; helps to recognise exchanged axes.
    pub service_area: Option<ServiceArea>,
    /// The fleet registry; `None`: there is none, all are unknown, which is fine up to the cap.
    pub registered: Option<BTreeSet<VehicleKey>>,
    /// The configured feeds. Others are judged by [`FeedPolicy::of`] as they are heard.
    pub feeds: Vec<FeedPolicy>,
    /// Seed of the vehicle map's hash, so that nobody outside can aim ids at one bucket; never visible in any output.
    pub hash_seed: u64,
}

impl Default for PictureOptions {
    fn default() -> Self {
        Self {
            future_limit_ms: 60_000,
            behind_limit_ms: 300_000,
            jump_limits: JumpLimits::default(),
            trail_minutes: 60,
            trail_points_max: 240,
            forget_after_h: 24,
            unknown_cap: 200_000,
            lru_cap: 1_000,
            service_area: None,
            registered: None,
            feeds: Vec::new(),
            hash_seed: 0,
        }
    }
}
