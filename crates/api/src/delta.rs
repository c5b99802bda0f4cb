//! What changed after a cursor, topic by topic: the one source of `/v1/changes` and `/v1/stream`.

use std::sync::Arc;

use alert::{Alert, AlertId, Incident};
use picture::{FeedRecord, VehicleRecord};
use publish::Lang;
use serde::{Serialize, Serializer};
use transit::{VehicleKey, words};

use crate::{
    Principal, Snapshot,
    exceptions::Noted,
    filters::{AlertFilter, IncidentFilter, VehicleFilter},
    params::{LANG, Param, Params, Query, Shape, VEHICLE_FILTERS, many, words as all_words},
    problem::ApiError,
    routes::{gather_alerts, gather_hidden, gather_incidents, sees_covert},
    snapshot::Collection,
    views::{AlertView, ExceptionView, FeedView, IncidentView, VehicleView, incident_id},
};

words! {
    /// What can be followed.
    Topic as "topic" {
        /// Vehicles.
        Vehicles = "vehicles",
        /// Alerts.
        Alerts = "alerts",
        /// Incidents.
        Incidents = "incidents",
        /// Exceptions.
        Exceptions = "exceptions",
        /// Feeds.
        Feeds = "feeds",
    }
}

/// What narrows down what is followed.
pub(crate) const FOLLOWING: &[&[Param]] = &[
    &[
        many(
            "topics",
            Shape::Words(all_words::<Topic>),
            "What to follow; everything by default. The vehicle filters narrow vehicles alone.",
        ),
        LANG,
    ],
    VEHICLE_FILTERS,
];

/// What somebody follows.
#[derive(Debug)]
pub(crate) struct Following {
    topics: Vec<Topic>,
    /// Which vehicles.
    pub(crate) filter: VehicleFilter,
    see_covert: bool,
    lang: Lang,
}

/// One record that changed.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    /// A vehicle.
    Vehicle(Arc<VehicleRecord>),
    /// A vehicle that is gone, or no longer one that is followed; at a revision.
    VehicleGone(VehicleKey, u64),
    /// An alert.
    Alert(Arc<Alert>),
    /// An alert that was shown and is no longer, by its id; at a revision.
    AlertGone(AlertId, u64),
    /// An incident.
    Incident(Arc<Incident>),
    /// A feed.
    Feed(Arc<FeedRecord>),
    /// An exception.
    Exception(Noted),
    /// An exception that is over, by its id; at a revision.
    ExceptionGone(Arc<str>, u64),
}

impl Item {
    /// Its topic.
    pub(crate) fn topic(&self) -> Topic {
        match self {
            Self::Vehicle(_) | Self::VehicleGone(..) => Topic::Vehicles,
            Self::Alert(_) | Self::AlertGone(..) => Topic::Alerts,
            Self::Incident(_) => Topic::Incidents,
            Self::Feed(_) => Topic::Feeds,
            Self::Exception(_) | Self::ExceptionGone(..) => Topic::Exceptions,
        }
    }

    /// Its id.
    pub(crate) fn id(&self) -> String {
        match self {
            Self::Vehicle(v) => v.key.to_string(),
            Self::VehicleGone(key, _) => key.to_string(),
            Self::Alert(a) => a.id.to_string(),
            Self::AlertGone(id, _) => id.to_string(),
            Self::Incident(i) => incident_id(i),
            Self::Feed(f) => f.id.to_string(),
            Self::Exception(e) => e.exception.id.clone(),
            Self::ExceptionGone(id, _) => id.to_string(),
        }
    }

    /// The revision at which it changed.
    pub(crate) fn revision(&self, snapshot: &Snapshot) -> u64 {
        match self {
            Self::Vehicle(v) => v.revision,
            Self::VehicleGone(_, revision) | Self::AlertGone(_, revision) | Self::ExceptionGone(_, revision) => {
                *revision
            }
            Self::Alert(a) => snapshot.revision_of_seq(a.seq),
            Self::Incident(i) => snapshot.revision_of_seq(i.seq),
            Self::Feed(f) => f.revision,
            Self::Exception(e) => e.revision,
        }
    }
}

impl Following {
    /// Reads it from a query that has [`FOLLOWING`].
    pub(crate) fn of<Q: Query>(params: &Params<Q>, principal: &Principal) -> Result<Self, ApiError> {
        let asked: Vec<Topic> = params.words("topics")?;
        let topics = if asked.is_empty() { <Topic as transit::Word>::ALL.to_vec() } else { asked };
        Ok(Self {
            topics,
            filter: VehicleFilter::of(params)?,
            see_covert: sees_covert(principal),
            lang: params.lang()?,
        })
    }

    /// The topic is followed.
    pub(crate) fn follows(&self, topic: Topic) -> bool {
        self.topics.contains(&topic)
    }

    /// The revision at which anything that is followed last changed.
    pub(crate) fn changed(&self, snapshot: &Snapshot) -> u64 {
        let of = |topic: Topic, collection| if self.follows(topic) { snapshot.changed(collection) } else { 0 };
        of(Topic::Vehicles, Collection::Vehicles)
            .max(of(Topic::Alerts, Collection::Alerts))
            .max(of(Topic::Incidents, Collection::Incidents))
            .max(of(Topic::Feeds, Collection::Feeds))
            .max(of(Topic::Exceptions, Collection::Exceptions))
    }

    /// The oldest cursor that can be continued.
    pub(crate) fn floor(&self, snapshot: &Snapshot) -> u64 {
        let vehicles = if self.follows(Topic::Vehicles) { snapshot.removed_floor } else { 0 };
        let room =
            if self.follows(Topic::Alerts) || self.follows(Topic::Incidents) { snapshot.room_floor() } else { 0 };
        let exceptions = if self.follows(Topic::Exceptions) { snapshot.exceptions.floor() } else { 0 };
        vehicles.max(room).max(exceptions)
    }

    /// What must not wait: alerts and incidents that changed after `since`, or without it the open and active ones. An
    /// alert that became covert after `since` is gone for who must not see it, and nothing else is said of it.
    pub(crate) fn urgent(&self, snapshot: &Snapshot, since: Option<u64>) -> Vec<Item> {
        let mut items = Vec::new();
        if self.follows(Topic::Alerts) && since.is_none_or(|s| snapshot.revisions.alerts > s) {
            let filter = match since {
                Some(_) => AlertFilter::followed(self.see_covert),
                None => AlertFilter::open(self.see_covert),
            };
            items.extend(gather_alerts(snapshot, &filter, since).into_iter().map(Item::Alert));
            if let Some(since) = since.filter(|_| !self.see_covert) {
                let hidden = gather_hidden(snapshot, since);
                items.extend(hidden.into_iter().map(|(id, revision)| Item::AlertGone(id, revision)));
            }
        }
        if self.follows(Topic::Incidents) && since.is_none_or(|s| snapshot.revisions.incidents > s) {
            let filter = if since.is_some() { IncidentFilter::followed() } else { IncidentFilter::default() };
            items.extend(gather_incidents(snapshot, &filter, since).into_iter().map(Item::Incident));
        }
        items
    }

    /// What can wait a moment: vehicles, exceptions and feeds that changed after `since`, or without it all of them. A
    /// vehicle that changed and is no longer wanted counts as gone, because only the reader knows whether it had it.
    pub(crate) fn bulk(&self, snapshot: &Snapshot, since: Option<u64>) -> Vec<Item> {
        let mut items = Vec::new();
        if self.follows(Topic::Feeds) && since.is_none_or(|s| snapshot.revisions.feeds > s) {
            let changed = snapshot.feeds.values().filter(|f| since.is_none_or(|s| f.revision > s));
            items.extend(changed.cloned().map(Item::Feed));
        }
        if self.follows(Topic::Exceptions) && since.is_none_or(|s| snapshot.revisions.exceptions > s) {
            let changed = snapshot.exceptions.iter().filter(|e| since.is_none_or(|s| e.revision > s));
            items.extend(changed.cloned().map(Item::Exception));
            let gone = since.map(|s| snapshot.exceptions.gone_after(s)).unwrap_or_default();
            items.extend(gone.into_iter().map(|(revision, id)| Item::ExceptionGone(id, revision)));
        }
        if self.follows(Topic::Vehicles) && since.is_none_or(|s| snapshot.revisions.vehicles > s) {
            self.vehicles(snapshot, since, &mut items);
        }
        items
    }

    fn vehicles(&self, snapshot: &Snapshot, since: Option<u64>, items: &mut Vec<Item>) {
        if let Some(since) = since {
            let gone = snapshot.removed.iter().rev().take_while(|(revision, _)| *revision > since);
            let gone =
                gone.filter(|(_, key)| self.filter.wants_identity(key) && !snapshot.view.vehicles.contains_key(key));
            items.extend(gone.map(|(revision, key)| Item::VehicleGone(key.clone(), *revision)));
        }
        for record in snapshot.view.vehicles.values() {
            if since.is_some_and(|s| record.revision <= s) {
                continue;
            }
            if self.filter.wants(record, snapshot) {
                items.push(Item::Vehicle(Arc::clone(record)));
            } else if since.is_some() && self.filter.wants_identity(&record.key) {
                items.push(Item::VehicleGone(record.key.clone(), record.revision));
            }
        }
    }

    /// The record as its own route gives it; `None` when it is gone.
    pub(crate) fn record<'a>(&self, item: &'a Item, snapshot: &'a Snapshot) -> Option<Record<'a>> {
        let gone = matches!(item, Item::VehicleGone(..) | Item::AlertGone(..) | Item::ExceptionGone(..));
        (!gone).then_some(Record { item, snapshot, lang: self.lang })
    }
}

/// A record to be written as its own route gives it.
pub(crate) struct Record<'a> {
    item: &'a Item,
    snapshot: &'a Snapshot,
    lang: Lang,
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.item {
            Item::Vehicle(v) => VehicleView::of(v, self.snapshot).serialize(serializer),
            Item::VehicleGone(..) | Item::AlertGone(..) | Item::ExceptionGone(..) => serializer.serialize_none(),
            Item::Alert(a) => AlertView::of(a, self.snapshot, self.lang).serialize(serializer),
            Item::Incident(i) => IncidentView::of(i).serialize(serializer),
            Item::Feed(f) => FeedView::of(f).serialize(serializer),
            Item::Exception(e) => ExceptionView::of(&e.exception).serialize(serializer),
        }
    }
}
