//! One follower of the picture: what it is sent next, and how many may follow at once.
//!
//! A follower pulls from snapshots, so that a slow one costs no queue: it gets the newest when it comes back, and a
//! `reset` when what it missed is no longer kept.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use alert::{AlertId, IncidentKey};
use axum::response::sse::Event;
use serde::Serialize;
use tokio::{sync::watch, time::Instant};
use transit::{FeedId, VehicleKey, Word as _};

use crate::{
    Shared, Snapshot,
    delta::{Following, Item, Record},
    etag::cursor_text,
    problem::ApiError,
    views::Stamp,
};

/// Positions are gathered this long; a person sees no difference and a fleet costs a quarter.
const GATHER: Duration = Duration::from_millis(250);

/// A reader that has heard nothing for longer knows that the line is dead.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Streams of one principal or address.
const SEATS_EACH: usize = 8;

/// Streams altogether.
const SEATS: usize = 500;

/// Who follows, counted by principal or address.
#[derive(Debug, Default)]
pub(crate) struct Seats {
    taken: Mutex<BTreeMap<String, usize>>,
}

/// A place among the followers; given back when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Arc<Seats>,
    whose: String,
}

impl Seats {
    /// Takes a place.
    ///
    /// # Errors
    /// 503 when there is none left, for all or for this one.
    pub(crate) fn take(self: &Arc<Self>, whose: String) -> Result<Seat, ApiError> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.values().sum::<usize>() >= SEATS {
            return Err(ApiError::no_seat(&format!("{SEATS} streams are open, which is all there may be.")));
        }
        let own = taken.entry(whose.clone()).or_default();
        if *own >= SEATS_EACH {
            return Err(ApiError::no_seat(&format!("You have {SEATS_EACH} streams open, which is all you may have.")));
        }
        *own += 1;
        metrics::gauge!("topis_stream_followers").increment(1.0);
        Ok(Seat { seats: Arc::clone(self), whose })
    }

    /// Streams that are open.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }

    fn give_back(&self, whose: &str) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(whose) {
            *own -= 1;
            metrics::gauge!("topis_stream_followers").decrement(1.0);
            if *own == 0 {
                taken.remove(whose);
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.give_back(&self.whose);
    }
}

/// What an event carries.
#[derive(Serialize)]
struct Payload<'a> {
    topic: Option<&'static str>,
    id: Option<String>,
    revision: u64,
    record: Option<Record<'a>>,
    as_of: Stamp,
}

/// What the reader has, so that an `add` is an addition and a `remove` names nothing it never had.
#[derive(Debug, Default)]
struct Known {
    vehicles: BTreeSet<VehicleKey>,
    alerts: BTreeSet<AlertId>,
    incidents: BTreeSet<IncidentKey>,
    feeds: BTreeSet<FeedId>,
    exceptions: BTreeSet<String>,
    /// The reader came back with a cursor, and what changed since is being told.
    guessing: bool,
    /// The reader came back with a cursor, and there was no reset since: what it has beyond what changed since is never
    /// known to us.
    resumed: bool,
    /// Vehicles it was told to remove in case it had them. As many as there are vehicles.
    removed: BTreeSet<VehicleKey>,
}

impl Known {
    /// The verb for an item that is no noise, noting whether the reader has it from now on.
    fn verb(&mut self, item: &Item) -> &'static str {
        let is_new = match item {
            Item::VehicleGone(key, _) => {
                self.vehicles.remove(key);
                if self.resumed {
                    self.removed.insert(key.clone());
                }
                return "remove";
            }
            Item::AlertGone(id, _) => {
                self.alerts.remove(id);
                return "remove";
            }
            Item::ExceptionGone(id, _) => {
                self.exceptions.remove(&**id);
                return "remove";
            }
            Item::Vehicle(v) => self.vehicles.insert(v.key.clone()),
            Item::Alert(a) if !a.is_open() => {
                // Its end is the last that is said of it: nothing to remember.
                self.alerts.remove(&a.id);
                false
            }
            Item::Alert(a) => self.alerts.insert(a.id.clone()),
            Item::Incident(i) => self.incidents.insert(i.report.key.clone()),
            Item::Feed(f) => self.feeds.insert(f.id.clone()),
            Item::Exception(e) => self.exceptions.insert(e.exception.id.clone()),
        };
        if is_new && !self.guessing { "add" } else { "update" }
    }
}

/// One follower.
pub(crate) struct Follower {
    shared: Arc<Shared>,
    following: Following,
    bell: watch::Receiver<u64>,
    /// Everything up to this revision was sent; `None` until the first whole picture was.
    sent: Option<u64>,
    /// Alerts and incidents were sent up to this revision.
    urgent_sent: Option<u64>,
    urgent: VecDeque<Item>,
    bulk: VecDeque<Item>,
    /// The snapshot the bulk was gathered from.
    source: Arc<Snapshot>,
    known: Known,
    reset_due: bool,
    next_bulk: Instant,
    next_beat: Instant,
    _seat: Seat,
}

impl Follower {
    /// Begins after `since`, or with a reset.
    pub(crate) fn new(shared: Arc<Shared>, following: Following, since: Option<u64>, seat: Seat) -> Self {
        let bell = shared.sources.published.bell();
        let source = shared.newest();
        let now = Instant::now();
        Self {
            bell,
            source,
            following,
            sent: since,
            urgent_sent: since,
            urgent: VecDeque::new(),
            bulk: VecDeque::new(),
            known: Known { guessing: since.is_some(), resumed: since.is_some(), ..Known::default() },
            reset_due: since.is_none(),
            next_bulk: now,
            next_beat: now + HEARTBEAT,
            shared,
            _seat: seat,
        }
    }

    /// The next event; `None` at shutdown.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if self.shared.sources.shutdown.is_cancelled() {
                return None;
            }
            self.bell.mark_unchanged();
            let newest = self.shared.newest();
            if self.is_out_of_reach(&newest) {
                self.begin_anew();
            }
            if std::mem::take(&mut self.reset_due) {
                return Some(self.bare("reset", &newest));
            }
            self.gather(&newest);
            if let Some(event) = self.pop() {
                return Some(event);
            }
            let now = Instant::now();
            if now >= self.next_beat {
                self.next_beat = now + HEARTBEAT;
                return Some(self.bare("heartbeat", &newest));
            }
            let behind = self.sent.is_none_or(|sent| newest.revision > sent);
            let until = if behind { self.next_beat.min(self.next_bulk) } else { self.next_beat };
            let shutdown = self.shared.sources.shutdown.clone();
            tokio::select! {
                rung = self.bell.changed() => if rung.is_err() { return None },
                () = tokio::time::sleep_until(until) => {}
                () = shutdown.cancelled() => return None,
            }
        }
    }

    /// What the reader has not got is no longer kept.
    fn is_out_of_reach(&self, newest: &Snapshot) -> bool {
        self.sent.is_some_and(|sent| sent < self.following.floor(newest) && self.bulk.is_empty())
    }

    fn begin_anew(&mut self) {
        self.sent = None;
        self.urgent_sent = None;
        self.urgent.clear();
        self.bulk.clear();
        self.known = Known::default();
        self.reset_due = true;
        self.next_bulk = Instant::now();
    }

    fn gather(&mut self, newest: &Arc<Snapshot>) {
        if self.urgent_sent.is_none_or(|seen| newest.revision > seen) {
            self.urgent.extend(self.following.urgent(newest, self.urgent_sent));
            self.urgent_sent = Some(newest.revision);
        }
        let now = Instant::now();
        let behind = self.sent.is_none_or(|sent| newest.revision > sent);
        // Only after what is urgent up to the same revision, so that the cursor never runs ahead of an alarm.
        if behind && self.bulk.is_empty() && self.urgent.is_empty() && now >= self.next_bulk {
            self.next_bulk = now + GATHER;
            self.source = Arc::clone(newest);
            let known = &mut self.known;
            let items = self.following.bulk(newest, self.sent);
            self.bulk = items.into_iter().filter(|item| !is_noise(item, known)).collect();
            if self.bulk.is_empty() {
                self.finish();
            }
        }
    }

    /// Everything of the present bulk was sent.
    fn finish(&mut self) {
        self.sent = Some(self.source.revision);
        self.known.guessing = false;
    }

    fn pop(&mut self) -> Option<Event> {
        // Only now: an alert that is gone may have been waiting here to be sent a moment ago.
        while let Some(item) = self.urgent.pop_front() {
            if !is_noise(&item, &self.known) {
                let newest = self.shared.newest();
                return Some(self.event(&item, &newest));
            }
        }
        let item = self.bulk.pop_front()?;
        let source = Arc::clone(&self.source);
        // Whether it is known has to be asked before the batch ends, its id after.
        let verb = self.known.verb(&item);
        if self.bulk.is_empty() {
            self.finish();
        }
        Some(self.write(verb, &item, &source))
    }

    fn event(&mut self, item: &Item, snapshot: &Snapshot) -> Event {
        let verb = self.known.verb(item);
        self.write(verb, item, snapshot)
    }

    fn write(&self, verb: &str, item: &Item, snapshot: &Snapshot) -> Event {
        let payload = Payload {
            topic: Some(item.topic().word()),
            id: Some(item.id()),
            revision: item.revision(snapshot),
            record: self.following.record(item, snapshot),
            as_of: Stamp(snapshot.as_of),
        };
        self.framed(verb, &payload)
    }

    fn bare(&self, verb: &str, snapshot: &Snapshot) -> Event {
        let revision = snapshot.revision;
        self.framed(verb, &Payload { topic: None, id: None, revision, record: None, as_of: Stamp(snapshot.as_of) })
    }

    /// The id says up to where everything was sent; what overtakes carries the one before.
    fn framed(&self, verb: &str, payload: &Payload<'_>) -> Event {
        // Views hold nothing that JSON cannot: a test writes each.
        let data = serde_json::to_string(payload).unwrap_or_default();
        let event = Event::default().event(verb).data(data);
        match self.sent {
            Some(sent) => event.id(cursor_text(&self.source, sent)),
            None => event,
        }
    }
}

/// A vehicle, alert or exception that left what is followed and that the reader never had, or was told to remove.
fn is_noise(item: &Item, known: &Known) -> bool {
    match item {
        Item::VehicleGone(key, _) => !known.vehicles.contains(key) && (!known.resumed || known.removed.contains(key)),
        Item::AlertGone(id, _) => !known.resumed && !known.alerts.contains(id),
        Item::ExceptionGone(id, _) => !known.resumed && !known.exceptions.contains(&**id),
        Item::Vehicle(_) | Item::Alert(_) | Item::Incident(_) | Item::Feed(_) | Item::Exception(_) => false,
    }
}
