//! The one pass over the fleet that all rules share: what each of them would work out of every record.
//!
//! Judges nothing but whether something can be judged at all.

use std::{cell::OnceCell, collections::BTreeMap};

use alert::Subject;
use impact::{ArmedArea, Index, Intervals, Reach, ReachOptions};
use picture::{FeedCondition, FeedRecord, Freshness, Link, QualityFlag, VehicleRecord};
use transit::{FeedId, JourneyState, Mode, Now, Status, VehicleKey};

use crate::{patrol::BrokenRule, scene::Scene, scope::Scope};

/// What rules look at.
#[derive(Debug)]
pub struct Survey<'a> {
    /// The situation.
    pub scene: &'a Scene<'a>,
    /// Every feed, sorted.
    pub feeds: Vec<FeedSight<'a>>,
    /// Every vehicle, sorted.
    pub sightings: Vec<Sighting<'a>>,
    /// Rules that broke lately.
    pub broken: &'a BTreeMap<&'static str, BrokenRule>,
    /// Parts of the fleet that are known to be missing (`FEED.PARTIAL` stands).
    pub(crate) missing_scopes: Vec<Subject>,
    reaches: OnceCell<Vec<AreaReach<'a>>>,
    drills: OnceCell<Vec<AreaReach<'a>>>,
}

/// An armed area and what it means for the fleet.
#[derive(Debug)]
pub struct AreaReach<'a> {
    /// The area.
    pub armed: &'a ArmedArea,
    /// Inside, coming in, unaccounted for.
    pub reach: Reach,
}

/// A feed at this instant.
#[derive(Debug)]
pub struct FeedSight<'a> {
    /// As published.
    pub record: &'a FeedRecord,
    /// Milliseconds between two reports of a vehicle; 0 until known.
    pub interval_ms: u64,
    /// After it is heard again its vehicles have this long to report, in milliseconds, before one is missed.
    pub grace_ms: u64,
    /// Nothing that its vehicles do or do not say can be told from what arrives: link down, silent, frozen, unheard.
    pub blind: bool,
    /// Since when that is over, on the monotonic clock. A silence is counted from here at the earliest.
    pub sound_since_mono_ms: u64,
}

/// A vehicle at this instant.
#[derive(Debug, Clone, Copy)]
pub struct Sighting<'a> {
    /// As published.
    pub vehicle: &'a VehicleRecord,
    /// Index of its feed in [`Survey::feeds`]; `None` when the feed is not published.
    pub feed: Option<usize>,
    /// It carries passengers, as far as it says: its silence means something.
    pub in_service: bool,
    /// It was heard within its feed's interval, and its feed can be believed.
    pub fresh: bool,
}

impl<'a> Survey<'a> {
    pub(crate) fn of(
        scene: &'a Scene<'a>,
        blind_until: &BTreeMap<FeedId, u64>,
        broken: &'a BTreeMap<&'static str, BrokenRule>,
    ) -> Self {
        let feeds: Vec<FeedSight<'a>> =
            scene.feeds.iter().map(|(id, record)| FeedSight::of(record, blind_until.get(id).copied(), scene)).collect();
        let mut last: Option<(&FeedId, Option<usize>)> = None;
        let sightings = scene
            .view
            .vehicles
            .values()
            .map(|vehicle| {
                // Neighbours mostly share their feed.
                let feed = match last {
                    Some((id, at)) if *id == vehicle.feed => at,
                    _ => feeds.binary_search_by(|f| f.record.id.cmp(&vehicle.feed)).ok(),
                };
                last = Some((&vehicle.feed, feed));
                Sighting::of(vehicle, feed, &feeds)
            })
            .collect();
        let missing_scopes = Vec::new();
        Self { scene, feeds, sightings, broken, missing_scopes, reaches: OnceCell::new(), drills: OnceCell::new() }
    }

    /// What every armed area of that status that is more than watched means for the fleet. Worked out at the first
    /// question. A test arms nothing.
    pub fn reaches(&self, status: Status) -> &[AreaReach<'a>] {
        match status {
            Status::Actual => self.reaches.get_or_init(|| self.work_out_reaches(status)),
            Status::Exercise => self.drills.get_or_init(|| self.work_out_reaches(status)),
            Status::Test => &[],
        }
    }

    fn work_out_reaches(&self, status: Status) -> Vec<AreaReach<'a>> {
        let now = self.scene.now.utc;
        let is_armed = |a: &&ArmedArea| {
            let watched = a.purpose == impact::AreaPurpose::Watch;
            a.status == status && !watched && a.since <= now && a.until.is_none_or(|until| now < until)
        };
        let armed: Vec<&ArmedArea> = self.scene.areas.iter().filter(is_armed).collect();
        if armed.is_empty() {
            return Vec::new();
        }
        let (index, intervals) = (Index::of(self.scene.view), Intervals::of(self.scene.feeds));
        let scene = impact::Scene {
            index: &index,
            intervals: &intervals,
            as_of: now,
            depots: self.scene.depots,
            trail: self.scene.trail,
        };
        let options = ReachOptions::default();
        armed.into_iter().map(|armed| AreaReach { armed, reach: Reach::of(&armed.area, &scene, &options) }).collect()
    }

    /// The sighting of a vehicle.
    pub fn find_sighting(&self, key: &VehicleKey) -> Option<&Sighting<'a>> {
        let at = self.sightings.binary_search_by(|s| s.vehicle.key.cmp(key)).ok()?;
        self.sightings.get(at)
    }

    /// It was last seen in a depot.
    pub fn is_in_depot(&self, vehicle: &VehicleRecord) -> bool {
        let Some(c) = vehicle.coordinate else { return false };
        self.scene.depots.iter().any(|depot| {
            // A degree of latitude is 111 km: most depots are ruled out without measuring.
            let north_m = (depot.centre().lat() - c.lat()).abs() * 110_000.0;
            north_m <= depot.extent_m() && depot.may_hold(c, 0.0)
        })
    }

    /// The instant of judgement.
    pub fn now(&self) -> Now {
        self.scene.now
    }

    /// The feed of a vehicle.
    pub fn find_feed(&self, sighting: &Sighting<'_>) -> Option<&FeedSight<'a>> {
        sighting.feed.map(|at| &self.feeds[at])
    }

    /// The sessions behind a feed.
    pub fn links_of<'s>(&'s self, feed: &'s FeedId) -> impl Iterator<Item = &'a Link> + 's {
        self.scene.links.iter().filter(move |link| link.feed == *feed)
    }

    /// A vehicle belongs to a part of the fleet of which it is known that it is missing.
    pub fn is_missing_with_others(&self, vehicle: &VehicleRecord) -> bool {
        !self.missing_scopes.is_empty() && self.missing_scopes.iter().any(|s| Scope::holds(s, vehicle))
    }

    /// The feed has been believed for long enough that a vehicle's silence of `limit_ms` is the vehicle's.
    pub fn is_sound_for(&self, feed: &FeedSight<'_>, limit_ms: u64) -> bool {
        let sound_ms = self.scene.now.mono_ms.saturating_sub(feed.sound_since_mono_ms);
        !feed.blind && sound_ms > limit_ms.max(feed.grace_ms)
    }
}

impl<'a> FeedSight<'a> {
    fn of(record: &'a FeedRecord, blind_until: Option<u64>, scene: &Scene<'_>) -> Self {
        let interval_ms = record.interval_s.map(|s| (s * 1000.0) as u64);
        Self {
            record,
            interval_ms: interval_ms.unwrap_or(0),
            grace_ms: interval_ms.map_or(GRACE_UNKNOWN_MS, |i| GRACE_MS.max(i.saturating_mul(GRACE_INTERVALS))),
            blind: is_blind(record.condition),
            sound_since_mono_ms: blind_until.unwrap_or(scene.started.mono_ms),
        }
    }
}

impl FeedSight<'_> {
    /// Milliseconds between two reports of a vehicle of that mode; 0 until known.
    pub fn interval_ms_of(&self, mode: Mode) -> u64 {
        self.record.interval_s_of(mode).map_or(0, |s| (s * 1000.0) as u64)
    }

    /// Other vehicles went on speaking well after one fell silent: it is the vehicle that is silent, not the feed.
    pub fn spoke_after(&self, vehicle: &VehicleRecord, limit_ms: u64) -> bool {
        let after = i64::try_from(limit_ms / 2).unwrap_or(i64::MAX);
        self.record.last_advance_at.is_some_and(|at| at.since(vehicle.received_at) >= after)
    }
}

/// Least grace, in milliseconds.
const GRACE_MS: u64 = 60_000;
/// Intervals that it lasts at least.
const GRACE_INTERVALS: u64 = 3;
/// Grace of a feed whose interval is not known yet, in milliseconds.
const GRACE_UNKNOWN_MS: u64 = 300_000;

/// Whether nothing can be told of a feed's vehicles. A partial feed can: those it still carries are heard.
pub(crate) fn is_blind(condition: FeedCondition) -> bool {
    match condition {
        FeedCondition::Good | FeedCondition::Partial => false,
        FeedCondition::Quiet
        | FeedCondition::Unheard
        | FeedCondition::Frozen
        | FeedCondition::Silent
        | FeedCondition::LinkDown => true,
    }
}

impl<'a> Sighting<'a> {
    fn of(vehicle: &'a VehicleRecord, feed: Option<usize>, feeds: &[FeedSight<'_>]) -> Self {
        let journey = &vehicle.journey;
        let carries = match journey.state {
            Some(state) => state == JourneyState::InService,
            None => journey.route_id.is_some() || journey.trip_id.is_some(),
        };
        let retained = vehicle.quality.contains(QualityFlag::Retained);
        let believed = feed.is_some_and(|at| !feeds[at].blind);
        Self {
            vehicle,
            feed,
            in_service: carries && !retained,
            fresh: vehicle.freshness == Freshness::Live && !retained && believed,
        }
    }

    /// It as a subject.
    pub fn subject(&self) -> Subject {
        Subject::Vehicle(self.vehicle.key.clone())
    }

    /// Tells its newest message from the one before.
    pub fn message(&self) -> crate::Proof {
        crate::Proof::Message(self.vehicle.event_time.0 as u64)
    }

    /// Tells its newest position from the one before; `None` when it has none that can be trusted.
    pub fn fix(&self) -> Option<crate::Proof> {
        let doubts = [
            QualityFlag::NullIsland,
            QualityFlag::NotFinite,
            QualityFlag::OutOfRange,
            QualityFlag::SwappedAxes,
            QualityFlag::Jump,
        ];
        let sound = self.vehicle.coordinate.is_some() && !doubts.iter().any(|d| self.vehicle.quality.contains(*d));
        self.vehicle.position_event_time.filter(|_| sound).map(|t| crate::Proof::Message(t.0 as u64))
    }

    /// It was heard since the process began: what the broker had kept of it is no sign of life.
    pub fn was_heard(&self) -> bool {
        !self.vehicle.quality.contains(QualityFlag::Retained)
    }

    /// Milliseconds since it was last heard.
    pub fn heard_ms_ago(&self, now: Now) -> u64 {
        u64::try_from(now.utc.since(self.vehicle.received_at)).unwrap_or(0)
    }
}
