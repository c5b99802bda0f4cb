//! A picture with its publisher, one worker and a clock that the test turns.

use std::sync::Arc;

use picture::{Folded, Freshness, Link, Picture, PictureOptions, Publication, Publisher, Tally, VehicleRecord};
use transit::{AgencyId, FeedId, Fix, Now, Observation, Significance, UtcMillis, VehicleId, VehicleKey};

/// Second 0 of every test, 2026-11-23 08:00:00 UTC.
pub(crate) const START_MS: i64 = 1_795_420_800_000;

/// The wall clock at a second of the test.
pub(crate) fn utc(second: f64) -> UtcMillis {
    UtcMillis(START_MS + (second * 1000.0) as i64)
}

/// An instant at which nobody has touched the clock.
pub(crate) fn instant(second: f64) -> Now {
    Now { utc: utc(second), mono_ms: 1_000_000 + (second * 1000.0) as u64 }
}

pub(crate) fn feed(id: &str) -> FeedId {
    FeedId::parse(id).unwrap()
}

pub(crate) fn vehicle(id: &str) -> VehicleKey {
    VehicleKey { agency: AgencyId::parse("a").unwrap(), vehicle: VehicleId::parse(id).unwrap() }
}

/// A message with a stamp and nothing else, by feed `f`.
pub(crate) fn message(id: &str, stamp_s: f64) -> Observation {
    Observation {
        vehicle: vehicle(id),
        feed: feed("f"),
        event_time: utc(stamp_s),
        boot: None,
        seq: None,
        significance: Significance::Plain,
        content: 7 + (stamp_s * 1000.0) as i64 as u64,
        mode: None,
        position: None,
        doors_open: None,
        stop: None,
        stop_status: None,
        delay_s: None,
        occupancy: None,
        journey: None,
        upcoming: None,
        retained: false,
    }
}

/// A message with a position.
pub(crate) fn position(id: &str, stamp_s: f64, lat: f64, lon: f64) -> Observation {
    Observation { position: Some(Fix::at(lat, lon)), ..message(id, stamp_s) }
}

/// The picture under test.
pub(crate) struct Stage {
    pub(crate) picture: Picture,
    publisher: Publisher,
    tally: Tally,
    pub(crate) now: Now,
    pub(crate) links: Vec<Link>,
    pub(crate) last: Publication,
    revision: u64,
}

impl Stage {
    pub(crate) fn new(options: PictureOptions) -> Self {
        let picture = Picture::new(options);
        let now = instant(0.0);
        let mut publisher = picture.publisher(now);
        let last = publisher.publish(&picture, [], &[], now, 0);
        Self { picture, publisher, tally: Tally::new(), now, links: Vec::new(), last, revision: 0 }
    }

    /// Turns the clock to a second of the test.
    pub(crate) fn at(&mut self, second: f64) -> &mut Self {
        self.now = instant(second);
        self
    }

    pub(crate) fn say(&mut self, message: &Observation) -> Folded {
        self.picture.fold(message, self.now, &mut self.tally)
    }

    pub(crate) fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    pub(crate) fn publish(&mut self) -> &Publication {
        self.revision += 1;
        let tally = self.tally.take();
        self.last = self.publisher.publish(&self.picture, [tally], &self.links, self.now, self.revision);
        &self.last
    }

    /// Publishes and finds a vehicle.
    pub(crate) fn shown(&mut self, id: &str) -> Arc<VehicleRecord> {
        self.find(id).unwrap_or_else(|| panic!("{id} is not in the view"))
    }

    pub(crate) fn find(&mut self, id: &str) -> Option<Arc<VehicleRecord>> {
        self.publish().view.vehicles.get(&vehicle(id)).cloned()
    }

    pub(crate) fn freshness(&mut self, id: &str) -> Freshness {
        self.shown(id).freshness
    }
}
