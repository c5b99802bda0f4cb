//! What a vehicle said, a register per field group. Knows nothing of arrival: the same messages in any order and
//! number end in the same registers.

use std::sync::Arc;

use transit::{FeedId, Fix, Journey, JourneyState, Observation, StopStatus, StopStatusReport, VehicleKey};

use crate::{
    order::{Group, GroupKeys, GroupSet, OrderKey},
    record::VehicleRecord,
};

/// An announced journey is not shown when the vehicle's newest message is this much younger, in milliseconds.
const UPCOMING_MAX_MS: i64 = 30 * 60_000;

/// The registers of one vehicle.
///
/// The values stand in the record that readers see, shared with the last publication until the next message changes
/// it: one copy of a vehicle's values in memory, and a publication costs a reference.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) keys: GroupKeys,
    record: Arc<VehicleRecord>,
    /// The register behind `current_status`.
    stop_status: Option<StopStatusReport>,
    /// The register behind `upcoming`.
    upcoming: Option<Box<Journey>>,
}

impl Said {
    /// Nothing yet.
    pub(crate) fn nothing(key: VehicleKey, feed: FeedId) -> Self {
        Self {
            keys: GroupKeys::default(),
            record: Arc::new(VehicleRecord::unknown(key, feed)),
            stop_status: None,
            upcoming: None,
        }
    }

    /// As readers see it, shared.
    pub(crate) fn record(&self) -> &Arc<VehicleRecord> {
        &self.record
    }

    /// For what depends on arrival: receive time, flags, freshness, revision.
    pub(crate) fn record_mut(&mut self) -> &mut VehicleRecord {
        Arc::make_mut(&mut self.record)
    }

    /// Takes the groups that the message is newest in; says which.
    pub(crate) fn fold(&mut self, observation: &Observation, key: OrderKey) -> GroupSet {
        let taken = self.keys.advance(key, GroupSet::spoken_of(observation));
        if taken.is_empty() {
            return taken;
        }
        take_values(self.record_mut(), observation, taken);
        if taken.contains(Group::StopStatus) {
            self.stop_status.clone_from(&observation.stop_status);
        }
        if taken.contains(Group::Upcoming) {
            self.upcoming = observation.upcoming.clone().map(Box::new);
        }
        if taken.contains(Group::Stop) || taken.contains(Group::StopStatus) {
            let status = self.current_status();
            self.record_mut().current_status = status;
        }
        if self.upcoming.is_some() {
            let shown = self.shown_upcoming();
            if self.record.upcoming.as_deref() != shown {
                let shown = shown.cloned().map(Box::new);
                self.record_mut().upcoming = shown;
            }
        }
        taken
    }

    /// Two feeds that deliver the same message must agree which of them is named, whoever came first.
    /// Says whether the name changed.
    pub(crate) fn settle_feed(&mut self, feed: &FeedId) -> bool {
        let changes = *feed < self.record.feed;
        if changes {
            self.record_mut().feed = feed.clone();
        }
        changes
    }

    /// The last status said, while it speaks of the stop shown or of none in particular; on the way when a newer
    /// stop reference overtook it; else unknown.
    fn current_status(&self) -> Option<StopStatus> {
        let said = self.stop_status.as_ref()?;
        let stop = &self.record.stop.stop_id;
        if said.stop_id.is_none() || said.stop_id == *stop {
            return Some(said.status);
        }
        let overtaken = self.keys.find(Group::Stop) > self.keys.find(Group::StopStatus);
        (stop.is_some() && overtaken).then_some(StopStatus::InTransitTo)
    }

    /// The announced journey, until the vehicle is on it or past it, or the announcement is old.
    fn shown_upcoming(&self) -> Option<&Journey> {
        let upcoming = self.upcoming.as_deref()?;
        let announced = self.keys.find(Group::Upcoming)?;
        let newest = self.keys.find(Group::Heard)?;
        if newest.event_time.since(announced.event_time) > UPCOMING_MAX_MS {
            return None;
        }
        let begun = self.keys.find(Group::Journey).is_some_and(|journey| journey > announced)
            && has_reached(&self.record.journey, upcoming);
        (!begun).then_some(upcoming)
    }
}

/// Whether a journey is the announced one or a later one.
fn has_reached(journey: &Journey, announced: &Journey) -> bool {
    if journey.trip_id.is_some() && journey.trip_id == announced.trip_id {
        return journey.service_date == announced.service_date;
    }
    let start = |j: &Journey| Some((j.service_date?, j.start_time?));
    match (start(journey), start(announced)) {
        (Some(on), Some(announced)) => on >= announced,
        _ => false,
    }
}

fn take_values(record: &mut VehicleRecord, observation: &Observation, taken: GroupSet) {
    let o = observation;
    if taken.contains(Group::Heard) {
        record.event_time = o.event_time;
        record.boot = o.boot;
        record.seq = o.seq;
        if record.feed != o.feed {
            record.feed = o.feed.clone();
        }
    }
    if let (true, Some(fix)) = (taken.contains(Group::Position), &o.position) {
        take_fix(record, fix);
        record.position_event_time = Some(o.event_time);
    }
    if taken.contains(Group::Doors) {
        record.doors_open = o.doors_open;
    }
    // Equal ids keep the old allocations, so that what readers hold and what is stored stay one.
    if let (true, Some(stop)) = (taken.contains(Group::Stop), &o.stop)
        && record.stop != *stop
    {
        record.stop = stop.clone();
    }
    if taken.contains(Group::Delay) {
        record.delay_s = o.delay_s;
    }
    if let (true, Some(occupancy)) = (taken.contains(Group::Occupancy), &o.occupancy) {
        record.occupancy = occupancy.clone();
    }
    if let (true, Some(journey)) = (taken.contains(Group::Journey), &o.journey)
        && record.journey != *journey
    {
        record.journey = ended_if_signed_off(journey);
    }
    if let (true, Some(mode)) = (taken.contains(Group::Mode), o.mode) {
        record.mode = mode;
    }
}

fn take_fix(record: &mut VehicleRecord, fix: &Fix) {
    record.coordinate = fix.coordinate;
    record.bearing = fix.bearing;
    record.speed_mps = fix.speed_mps;
    record.accuracy_m = fix.accuracy_m;
    record.odometer_m = fix.odometer_m;
    record.position_source = fix.source;
}

/// A sign-off ends the journey, whatever it still names; the train stays coupled as it is.
fn ended_if_signed_off(journey: &Journey) -> Journey {
    if journey.state == Some(JourneyState::SignedOff) {
        return Journey { state: journey.state, consist: journey.consist.clone(), ..Journey::default() };
    }
    journey.clone()
}
