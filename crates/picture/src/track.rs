//! One vehicle: its registers, its clock, its trail, and what the publisher last counted it as.
//!
//! Knows nothing of other vehicles and of how it is stored; whoever calls holds it exclusively.

use std::sync::Arc;

use transit::{Coordinate, Flaw, Mode, Observation, Significance, UtcMillis, VehicleKey};

use crate::{
    Freshness, QualityFlag,
    anchor::{Anchor, Doubt},
    freshness::{AgeLimits, Phase},
    interval::Sampler,
    options::{JumpLimits, ServiceArea},
    order::{Group, GroupKeys, OrderKey},
    record::{VehicleRecord, journey_state_index},
    said::Said,
    skew::{Receipt, Skew},
    standstill::{Place, Stamp},
    tally::{FeedTally, move_count, window},
    trail::{Occasion, Trail, TrailLimits, TrailPoint},
};

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folded {
    /// It is the newest of its vehicle.
    Advanced,
    /// Its stamp lies ahead of its receipt: shown beside the regular picture, which it does not touch.
    Ahead,
    /// It is not the newest, but the newest in at least one field group.
    Filled,
    /// It is older than everything it speaks of.
    Older,
    /// It is an exact copy.
    Duplicate,
}

impl Folded {
    /// Whether readers will see a difference.
    pub fn changed(self) -> bool {
        match self {
            Self::Advanced | Self::Ahead | Self::Filled => true,
            Self::Older | Self::Duplicate => false,
        }
    }
}

/// What folding one vehicle needs of the options.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) future_limit_ms: i64,
    pub(crate) behind_limit_ms: i64,
    pub(crate) jump_limits: JumpLimits,
    pub(crate) area: Option<ServiceArea>,
    pub(crate) trail: TrailLimits,
}

/// What the publisher counted a vehicle as; taken back before it is counted anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Index of the feed in the publisher.
    pub(crate) feed: u16,
    pub(crate) phase: Phase,
    /// Index of the journey state.
    pub(crate) journey: u8,
    /// In service: its silence means something.
    pub(crate) expected: bool,
    /// Window of receive time in which it was last heard.
    pub(crate) heard: u32,
    pub(crate) skewed: bool,
    pub(crate) overflow: bool,
}

/// Messages with a stamp from the future: registers of their own over a copy of the regular ones.
#[derive(Debug)]
struct Ahead {
    said: Said,
    /// Its receipt on the monotonic clock.
    true_at_mono_ms: i64,
}

/// Copies recognised among the last few messages.
const RECENT: usize = 8;

/// All that is kept of a vehicle.
#[derive(Debug)]
pub(crate) struct Track {
    said: Said,
    ahead: Option<Box<Ahead>>,
    /// When what the newest message says was true, on the monotonic clock. Before the process began: negative.
    true_at_mono_ms: i64,
    heard_mono_ms: u64,
    advanced_mono_ms: Option<u64>,
    skew: Skew,
    anchor: Anchor,
    trail: Trail,
    sampler: Sampler,
    heard_window: Option<u32>,
    /// How its stamp stands; `None` until it is heard live.
    stamp: Option<Stamp>,
    /// Its feed counts it by that: nothing says that it is out of service.
    stamp_counts: bool,
    /// Content hashes of the last messages, for counting only.
    recent: [u32; RECENT],
    recent_at: u8,
    overflow: bool,
    /// Changed since the last publication, and listed in a tally.
    pub(crate) listed: bool,
    pub(crate) counted: Option<Counted>,
    /// When the publisher will look at it again, on the monotonic clock; 0: not planned.
    pub(crate) due_mono_ms: u64,
}

impl Track {
    /// A vehicle at its first message.
    pub(crate) fn begin(key: VehicleKey, observation: &Observation, overflow: bool) -> Self {
        Self {
            said: Said::nothing(key, observation.feed.clone()),
            ahead: None,
            true_at_mono_ms: i64::MIN,
            heard_mono_ms: 0,
            advanced_mono_ms: None,
            skew: Skew::default(),
            anchor: Anchor::default(),
            trail: Trail::default(),
            sampler: Sampler::default(),
            heard_window: None,
            stamp: None,
            stamp_counts: false,
            recent: [0; RECENT],
            recent_at: 0,
            overflow,
            listed: false,
            counted: None,
            due_mono_ms: 0,
        }
    }

    /// Who it is.
    pub(crate) fn key(&self) -> &VehicleKey {
        &self.said.record().key
    }

    /// What it is, as it said last.
    pub(crate) fn mode(&self) -> Mode {
        self.said.record().mode
    }

    /// It has been given a place among the vehicles that are kept; its caller lists it as changed.
    pub(crate) fn leave_overflow(&mut self) {
        self.overflow = false;
        self.listed = true;
    }

    /// Takes one message.
    pub(crate) fn fold(&mut self, o: &Observation, receipt: Receipt, rules: &Rules, tally: &mut FeedTally) -> Folded {
        let same_feed = self.said.record().feed == o.feed;
        let place = self.place();
        self.hear(o, receipt, same_feed, tally);
        let key = OrderKey::of(o);
        let limit = rules.future_limit_ms.saturating_neg();
        // Ahead by both clocks: a step of our own clock must not put the whole fleet into the future.
        let folded = if receipt.lag_ms(o.event_time.0) < limit && receipt.steady_lag_ms(o.event_time.0) < limit {
            self.fold_ahead(o, key, receipt, rules, tally)
        } else {
            self.fold_regular(o, key, receipt, rules, tally)
        };
        match folded {
            Folded::Advanced | Folded::Ahead => tally.last_advance = Some(receipt.now),
            Folded::Duplicate => tally.duplicates += 1,
            Folded::Older | Folded::Filled => tally.out_of_order += 1,
        }
        self.count_place(place, receipt, same_feed, tally);
        folded
    }

    fn hear(&mut self, o: &Observation, receipt: Receipt, same_feed: bool, tally: &mut FeedTally) {
        tally.received += 1;
        tally.last_message = Some(receipt.now);
        self.heard_mono_ms = receipt.now.mono_ms;
        if o.retained {
            tally.retained += 1;
            return;
        }
        tally.last_vehicle = Some(receipt.now);
        let now = window(receipt.now.mono_ms);
        if self.heard_window != Some(now) {
            move_count(&mut tally.heard, self.heard_window.filter(|_| same_feed), Some(now));
            self.heard_window = Some(now);
        }
    }

    fn fold_regular(
        &mut self,
        o: &Observation,
        key: OrderKey,
        receipt: Receipt,
        rules: &Rules,
        tally: &mut FeedTally,
    ) -> Folded {
        let newest = self.said.keys.find(Group::Heard);
        let copy = self.seen_before(o.content);
        let taken = self.said.fold(o, key);
        if taken.is_empty() {
            if newest == Some(key) && self.said.settle_feed(&o.feed) {
                return Folded::Filled;
            }
            return if copy { Folded::Duplicate } else { Folded::Older };
        }
        let advanced = taken.contains(Group::Heard);
        if advanced {
            self.refresh(o, receipt, rules, tally);
            if !o.retained && newest.is_none_or(|n| o.event_time > n.event_time) {
                self.count_stamp(receipt, tally);
            }
        }
        if taken.contains(Group::Position) {
            let at_ms = o.event_time.0;
            locate(self.said.record_mut(), &mut self.anchor, &mut self.trail, o, at_ms, rules);
        }
        if advanced { Folded::Advanced } else { Folded::Filled }
    }

    /// The newest message sets how old the vehicle is.
    fn refresh(&mut self, o: &Observation, receipt: Receipt, rules: &Rules, tally: &mut FeedTally) {
        let mono = receipt.now.mono_ms;
        let lag_ms = receipt.lag_ms(o.event_time.0);
        let offset = if o.retained {
            // Whenever the broker got it: its own stamp is all that counts, and never as live.
            crate::skew::Offset::default()
        } else {
            tally.lag(lag_ms);
            self.skew.observe(o.event_time.0, receipt)
        };
        self.true_at_mono_ms = (mono as i64).saturating_sub(lag_ms.saturating_sub(offset.ms).max(0));
        let record = self.said.record_mut();
        record.received_at = receipt.now.utc;
        record.offset_ms = offset.ms;
        record.quality.set(QualityFlag::Retained, o.retained);
        record.quality.set(QualityFlag::ClockBehind, offset.behind_ms > rules.behind_limit_ms);
    }

    /// The device's stamp advanced: its feed is not frozen, and reports this often.
    fn count_stamp(&mut self, receipt: Receipt, tally: &mut FeedTally) {
        let mono = receipt.now.mono_ms;
        let gap = self.advanced_mono_ms.replace(mono).map(|before| mono.saturating_sub(before));
        if let (true, Some(gap)) = (self.sampler.ends_sample(mono), gap) {
            tally.gaps.add(self.mode(), gap);
        }
        // The first message of all moves nothing: a feed may have been frozen before we heard it.
        if let Some(stamp) = &mut self.stamp {
            *stamp = Stamp::Moved(window(mono));
        }
    }

    /// Where its feed counts it by its stamp.
    fn place(&self) -> Option<Place> {
        self.heard_window.zip(self.stamp).filter(|_| self.stamp_counts)
    }

    /// Counts it anew after a message that found it counted elsewhere.
    fn count_place(&mut self, before: Option<Place>, receipt: Receipt, same_feed: bool, tally: &mut FeedTally) {
        let record = self.shown().0.record();
        // A copy of what the broker had kept leaves the record as it is, but was said by a vehicle that is there.
        // One of which nothing is said counts too: what no longer runs stops moving its stamp, and is told by that.
        let may_run = record.journey.state.is_none_or(|state| state == transit::JourneyState::InService);
        let event_time = record.event_time;
        if let (None, Some(heard)) = (self.stamp, self.heard_window) {
            self.stamp = Some(Stamp::at_first(receipt.lag_ms(event_time.0), heard));
        }
        self.stamp_counts = may_run;
        let after = self.place();
        if before != after {
            move_count(&mut tally.stamps, before.filter(|_| same_feed), after);
        }
    }

    fn fold_ahead(
        &mut self,
        o: &Observation,
        key: OrderKey,
        receipt: Receipt,
        rules: &Rules,
        tally: &mut FeedTally,
    ) -> Folded {
        let copy = self.seen_before(o.content);
        let hidden = self.ahead.as_ref().is_none_or(|a| a.true_at_mono_ms <= self.true_at_mono_ms);
        let known = self.ahead.as_ref().and_then(|a| a.said.keys.find(Group::Heard));
        // A clock that was set back, though not far enough, begins anew; mere disorder does not.
        let set_back = known.is_some_and(|known| known.event_time.since(key.event_time) > rules.future_limit_ms);
        if copy || known == Some(key) {
            return Folded::Duplicate;
        }
        if hidden && !set_back && known > Some(key) {
            return Folded::Older;
        }
        // A leftover from the future has no time at all: shown only when there is nothing else.
        let mono = if o.retained { i64::MIN + 1 } else { receipt.now.mono_ms as i64 };
        let (mut said, before) = match self.ahead.take() {
            Some(ahead) if !hidden && !set_back => (ahead.said, ahead.true_at_mono_ms),
            _ => (self.said.clone(), mono),
        };
        let taken = said.fold(o, key);
        let advanced = taken.contains(Group::Heard);
        let record = said.record_mut();
        if advanced {
            record.received_at = receipt.now.utc;
            record.offset_ms = receipt.lag_ms(o.event_time.0);
            record.quality.set(QualityFlag::Retained, o.retained);
            record.quality.set(QualityFlag::ClockBehind, false);
            record.quality.set(QualityFlag::ClockAhead, true);
        }
        if taken.contains(Group::Position) {
            let at_ms = receipt.now.utc.0;
            locate(record, &mut self.anchor, &mut self.trail, o, at_ms, rules);
        }
        if advanced && !o.retained {
            tally.lag(receipt.lag_ms(o.event_time.0));
            if known.is_none_or(|known| known.event_time != o.event_time) {
                self.count_stamp(receipt, tally);
            }
        }
        self.ahead = Some(Box::new(Ahead { said, true_at_mono_ms: if advanced { mono } else { before } }));
        if taken.is_empty() { Folded::Older } else { Folded::Ahead }
    }

    fn seen_before(&mut self, content: u64) -> bool {
        // Never 0, which marks an empty place.
        let mark = content as u32 | 1;
        if self.recent.contains(&mark) {
            return true;
        }
        self.recent[usize::from(self.recent_at)] = mark;
        self.recent_at = (self.recent_at + 1) % RECENT as u8;
        false
    }

    /// What readers see: the newest by when it was true.
    fn shown(&mut self) -> (&mut Said, i64) {
        match &mut self.ahead {
            Some(ahead) if ahead.true_at_mono_ms > self.true_at_mono_ms => (&mut ahead.said, ahead.true_at_mono_ms),
            _ => (&mut self.said, self.true_at_mono_ms),
        }
    }

    /// How it stands now, and until when on the monotonic clock that will not change by itself.
    pub(crate) fn phase(&mut self, mono_ms: u64, limits: AgeLimits) -> (Phase, Option<u64>) {
        let (said, true_at) = self.shown();
        let age_ms = (mono_ms as i64).saturating_sub(true_at).max(0) as u64;
        let mut phase = limits.phase(age_ms);
        if said.record().quality.contains(QualityFlag::Retained) {
            // Last known, never fresh.
            phase = phase.max(Phase::Stale);
        }
        let until = limits.end_of(phase).map(|age| u64::try_from(true_at.saturating_add_unsigned(age)).unwrap_or(0));
        (phase, until)
    }

    /// When a vehicle that stays silent is removed, on the monotonic clock.
    pub(crate) fn forgotten_at(&self, forget_after_ms: u64) -> u64 {
        self.heard_mono_ms.saturating_add(forget_after_ms)
    }

    /// The record for readers, marked with its freshness and the revision.
    pub(crate) fn publish(&mut self, freshness: Freshness, revision: u64) -> Arc<VehicleRecord> {
        self.listed = false;
        let overflow = self.overflow;
        let (said, _) = self.shown();
        let record = said.record_mut();
        record.freshness = freshness;
        record.revision = revision;
        record.quality.set(QualityFlag::Overflow, overflow);
        Arc::clone(said.record())
    }

    /// What to count it as.
    pub(crate) fn count(&mut self, feed: u16, phase: Phase) -> Counted {
        let overflow = self.overflow;
        let heard = window(self.heard_mono_ms);
        let record = self.shown().0.record();
        Counted {
            feed,
            phase,
            journey: journey_state_index(record.journey.state) as u8,
            expected: is_in_service(record) && !record.quality.contains(QualityFlag::Retained),
            heard,
            skewed: record.quality.is_skewed(),
            overflow,
        }
    }

    /// The feed of what is shown.
    pub(crate) fn feed(&mut self) -> &transit::FeedId {
        &self.shown().0.record().feed
    }

    /// The last hour, oldest first.
    pub(crate) fn trail(&self) -> Vec<TrailPoint> {
        self.trail.points()
    }

    /// Who owns each group of the regular registers.
    pub(crate) fn order_keys(&self) -> &GroupKeys {
        &self.said.keys
    }

    /// The regular registers, as they are now.
    pub(crate) fn regular(&self) -> &Arc<VehicleRecord> {
        self.said.record()
    }

    /// The stamp of the newest message from the future, and when it came, on the monotonic clock.
    pub(crate) fn ahead(&self) -> Option<(UtcMillis, i64)> {
        self.ahead.as_ref().map(|a| (a.said.record().event_time, a.true_at_mono_ms))
    }

    /// Last message of any kind, on the monotonic clock.
    pub(crate) fn heard_mono_ms(&self) -> u64 {
        self.heard_mono_ms
    }
}

/// It carries passengers, as far as it says.
fn is_in_service(record: &VehicleRecord) -> bool {
    let journey = &record.journey;
    match journey.state {
        Some(state) => state == transit::JourneyState::InService,
        None => journey.route_id.is_some() || journey.trip_id.is_some(),
    }
}

/// Judges a new position: sets the flags that speak of it, and lets good ones into the trail.
fn locate(
    record: &mut VehicleRecord,
    anchor: &mut Anchor,
    trail: &mut Trail,
    o: &Observation,
    at_ms: i64,
    rules: &Rules,
) {
    let Some(fix) = &o.position else {
        return;
    };
    let sound: Option<Coordinate> = fix.coordinate.filter(|_| fix.flaw.is_none());
    let doubt = sound.map_or(Doubt::default(), |coordinate| {
        anchor.judge(coordinate, at_ms, rules.jump_limits.of(record.mode), rules.area)
    });
    let q = &mut record.quality;
    q.set(QualityFlag::NullIsland, fix.flaw == Some(Flaw::NullIsland));
    q.set(QualityFlag::NotFinite, fix.flaw == Some(Flaw::NotFinite));
    q.set(QualityFlag::OutOfRange, fix.flaw == Some(Flaw::OutOfRange));
    q.set(QualityFlag::SwappedAxes, fix.flaw == Some(Flaw::SwappedAxes) || doubt.swapped);
    q.set(QualityFlag::Jump, doubt.jump);
    if let (Some(coordinate), true) = (sound, doubt.none()) {
        let at_stop = o.significance == Significance::Event && (o.stop_status.is_some() || o.doors_open.is_some());
        let occasion = if at_stop { Occasion::StopEvent } else { Occasion::Plain };
        trail.add(coordinate, at_ms, occasion, rules.trail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vehicle_costs_no_more_than_budgeted() {
        // 2.6 kB a vehicle: these, 1.2 kB of trail, its ids, and its places in the map, the view and the deadlines.
        // The allocator hands out 448 bytes for anything from 385 on; a shared record carries two counts.
        assert!(size_of::<Track>() <= 448, "{}", size_of::<Track>());
        assert!(size_of::<VehicleRecord>() <= 448 - 16, "{}", size_of::<VehicleRecord>());
        assert!(size_of::<OrderKey>() <= 40, "{}", size_of::<OrderKey>());
    }
}
