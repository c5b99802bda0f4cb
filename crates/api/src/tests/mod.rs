//! The routes as a client meets them, over a picture and a room built through their own doors.

mod access;
mod cards;
mod commands;
mod conditional;
mod documents;
mod lists;
mod orders;
mod outside;
mod pages;
mod places;
mod reports;
mod sockets;
mod streams;

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use alert::{
    AlarmKind, AlarmPhase, AlarmReport, AlarmSource, AlarmSubject, AlertId, Fingerprint, IncidentKey, IncidentKind,
    IncidentPhase, IncidentReport,
};
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use http_body_util::BodyExt as _;
use picture::{FeedCondition, FeedRecord, Freshness, VehicleRecord, View};
use room::{ControlRoom, Input, Verdict};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use transit::{Coordinate, FeedId, Fix, JourneyState, Mode, Now, RouteId, Status, UtcMillis, VehicleKey};

use crate::{
    Access, CommandAnswer, Derived, Exceptions, Guide, PendingCommand, Published, Revisions, Shared, Snapshot, Sources,
    router,
};

/// A control room that plays by hand: what a test does is published at once.
pub(super) struct Desk {
    pub(super) last: Snapshot,
    pub(super) published: Arc<Published>,
    pub(super) shared: Arc<Shared>,
    pub(super) router: Router,
    pub(super) orders: mpsc::Receiver<PendingCommand>,
    pub(super) shutdown: CancellationToken,
    presses: u128,
}

/// An answer as a client sees it.
pub(super) struct Seen {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Seen {
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e} in {:?}", self.text()))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// `status code: detail` of a problem.
    pub(super) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text());
        let body = self.json();
        assert_eq!(body["status"], self.status.as_u16());
        assert_eq!(body["type"], format!("/problems/{}", body["code"].as_str().unwrap()));
        format!("{} {}: {}", self.status.as_u16(), body["code"].as_str().unwrap(), body["detail"].as_str().unwrap())
    }

    /// The ids of a list.
    pub(super) fn ids(&self) -> Vec<String> {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        self.json()["data"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect()
    }
}

pub(super) static T0: LazyLock<UtcMillis> = LazyLock::new(|| UtcMillis::parse_rfc3339("2026-11-23T08:00:00Z").unwrap());

pub(super) fn key(text: &str) -> VehicleKey {
    VehicleKey::parse(text).unwrap()
}

fn feed(id: &str) -> FeedRecord {
    FeedRecord {
        id: FeedId::parse(id).unwrap(),
        condition: FeedCondition::Good,
        condition_since: *T0,
        vehicles: 1,
        by_freshness: [1, 0, 0, 0],
        rate_per_s: 1.0,
        interval_s: Some(1.0),
        interval_s_by_mode: std::collections::BTreeMap::new(),
        interval_configured: false,
        lag_ms_min: Some(120),
        lag_ms_typical: Some(200),
        skewed_vehicles: 0,
        received: 10,
        duplicates: 1,
        out_of_order: 0,
        rejected: 0,
        warned: 0,
        retained: 0,
        last_message_at: Some(*T0),
        last_advance_at: Some(*T0),
        stamps_move: true,
        revision: 1,
    }
}

impl Desk {
    pub(super) fn new() -> Self {
        Self::with(Access::Open { listen: "127.0.0.1:8080".parse().unwrap() })
    }

    pub(super) fn with(access: Access) -> Self {
        let feeds = BTreeMap::from([(FeedId::parse("native").unwrap(), Arc::new(feed("native")))]);
        let first = Snapshot {
            epoch: Arc::from("e1"),
            revision: 1,
            as_of: *T0,
            revisions: Revisions { vehicles: 1, alerts: 1, incidents: 1, feeds: 1, status: 1, exceptions: 1 },
            view: View::default(),
            index: Derived::default(),
            areas: Derived::default(),
            guide: Arc::new(Guide::new(impact::Places::default(), impact::Runbooks::shipped())),
            removed: imbl::Vector::new(),
            removed_floor: 1,
            room: ControlRoom::default(),
            room_revisions: imbl::Vector::unit((0, 1)),
            feeds,
            rejects: BTreeMap::new(),
            clients: BTreeMap::new(),
            exceptions: Exceptions::default(),
            degraded: Vec::new(),
            checks: vec![("broker".to_owned(), true, "subscribed".to_owned())],
            clock: "wall",
        };
        let published = Arc::new(Published::new(first.clone()));
        let (commands, orders) = mpsc::channel(4);
        let shutdown = CancellationToken::new();
        let feeds = decode::Feeds::new("topis", vec![native_spec()]).unwrap();
        let shared = Shared::new(Sources {
            published: Arc::clone(&published),
            commands,
            prefix: Arc::from("topis"),
            decoder: Arc::new(move |frame| feeds.decode(frame)),
            recorder: Arc::new(|_, _| Box::pin(std::future::ready(true))),
            trail: Arc::new(|_| {
                let point = |s: i64, lat| picture::TrailPoint {
                    at: T0.plus_millis(s * 1000),
                    coordinate: Coordinate::parse(lat, 24.9).unwrap(),
                };
                Some(vec![point(-30, 60.1), point(-15, 60.2)])
            }),
            evidence: Arc::new(reports::recorded),
            access,
            clock: Arc::new(|| Now { utc: *T0, mono_ms: 0 }),
            metrics_text: Arc::new(|| "topis_up 1\n".to_owned()),
            version: "0.0.0",
            shutdown: shutdown.clone(),
        });
        let router = router(Arc::clone(&shared));
        Self { last: first, published, shared, router, orders, shutdown, presses: 0 }
    }

    fn publish(&mut self) {
        self.published.publish(self.last.clone());
    }

    /// Time passes and nothing happens.
    pub(super) fn pass(&mut self, millis: i64) {
        self.last.as_of = self.last.as_of.plus_millis(millis);
        self.publish();
    }

    /// A vehicle in service on route 550, 2 s old, changed by `change`.
    pub(super) fn put(&mut self, id: &str, change: impl FnOnce(&mut VehicleRecord)) {
        self.last.revision += 1;
        self.last.revisions.vehicles = self.last.revision;
        let mut record = VehicleRecord::unknown(key(id), FeedId::parse("native").unwrap());
        record.mode = Mode::Bus;
        record.event_time = self.last.as_of.plus_millis(-2_000);
        record.received_at = self.last.as_of.plus_millis(-1_500);
        record.freshness = Freshness::Live;
        record.coordinate = Some(Coordinate::parse(60.2, 24.9).unwrap());
        record.position_event_time = Some(record.event_time);
        record.journey.state = Some(JourneyState::InService);
        record.journey.route_id = Some(RouteId::parse("550").unwrap());
        record.revision = self.last.revision;
        change(&mut record);
        self.last.view.vehicles.insert(record.key.clone(), Arc::new(record));
        self.last.index = Derived::default();
        self.publish();
    }

    /// A vehicle is forgotten.
    pub(super) fn forget(&mut self, id: &str) {
        self.last.revision += 1;
        self.last.revisions.vehicles = self.last.revision;
        self.last.view.vehicles.remove(&key(id));
        self.last.index = Derived::default();
        self.last.removed.push_back((self.last.revision, key(id)));
        self.publish();
    }

    /// The patrol has looked: this is out of order, and nothing else.
    pub(super) fn note(&mut self, exceptions: Vec<Arc<detect::Exception>>) {
        if self.last.exceptions.replace(exceptions, self.last.revision + 1) {
            self.last.revision += 1;
            self.last.revisions.exceptions = self.last.revision;
        }
        self.publish();
    }

    pub(super) fn commit(&mut self, input: &Input) -> Verdict {
        let now = Now { utc: self.last.as_of, mono_ms: 0 };
        let decision = self.last.room.decide(input, now);
        let first_new = self.last.room.seq() + 1;
        for change in &decision.changes {
            self.last.room.apply(change);
        }
        if !decision.changes.is_empty() {
            self.last.revision += 1;
            self.last.room_revisions.push_back((first_new, self.last.revision));
            if decision.changes.iter().any(alert::Change::touches_alerts) {
                self.last.revisions.alerts = self.last.revision;
            }
            if decision.changes.iter().any(alert::Change::touches_incidents) {
                self.last.revisions.incidents = self.last.revision;
            }
            self.last.areas = Derived::default();
            self.publish();
        }
        decision.verdict
    }

    /// A driver presses, with what `change` makes of it.
    pub(super) fn press(&mut self, id: &str, kind: AlarmKind, change: impl FnOnce(&mut AlarmReport)) -> AlertId {
        self.presses += 1;
        let mut report = AlarmReport {
            feed: FeedId::parse("native").unwrap(),
            subject: AlarmSubject::Vehicle(key(id)),
            event_id: Some(format!("e{}", self.presses)),
            event_time: Some(self.last.as_of.plus_millis(-1_000)),
            kind,
            kind_word: None,
            source: AlarmSource::Driver,
            phase: AlarmPhase::Raised,
            covert: Some(false),
            status: Status::Actual,
            fix: Some(Fix::at(60.17, 24.94)),
            text: None,
            passengers: None,
            unparsed_head: None,
            fingerprint: Fingerprint(self.presses),
            retained: false,
            dup: false,
            received_at: self.last.as_of,
        };
        change(&mut report);
        let verdict = self.commit(&Input::Alarm(Box::new(report)));
        verdict.alert_id().expect("a press always has its alert").clone()
    }

    /// A source reports an incident, with what `change` makes of it.
    pub(super) fn report(&mut self, source: &str, id: &str, change: impl FnOnce(&mut IncidentReport)) {
        self.presses += 1;
        let mut report = IncidentReport {
            key: IncidentKey { source: source.to_owned(), id: id.to_owned() },
            feed: FeedId::parse("native").unwrap(),
            version: Some(u64::try_from(self.presses).unwrap()),
            phase: IncidentPhase::Active,
            status: Status::Actual,
            kind: IncidentKind::Crash,
            kind_word: None,
            subkind: None,
            severity: None,
            urgency: None,
            certainty: None,
            effect: None,
            active_periods: Vec::new(),
            expected_end: None,
            lat: Some(37.5),
            lon: Some(127.0),
            geometry: None,
            radius_m: None,
            affects: Vec::new(),
            title: Some("Crash at the bridge".to_owned()),
            text: BTreeMap::new(),
            public_title: None,
            public_text: BTreeMap::new(),
            road_control: None,
            areas: Vec::new(),
            cancelled: false,
            proposes_clear: false,
            names: Vec::new(),
            fingerprint: Fingerprint(self.presses),
            retained: false,
            received_at: self.last.as_of,
        };
        change(&mut report);
        self.commit(&Input::Incident(Box::new(report)));
    }

    /// Carries out the next order that arrives, as the room's owner does.
    pub(super) async fn obey(&mut self) {
        let PendingCommand { command, answer } = self.orders.recv().await.unwrap();
        let verdict = self.commit(&Input::Command(command));
        let outcome = CommandAnswer::Decided { verdict, room: Box::new(self.last.room.clone()) };
        answer.send(outcome).unwrap();
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Seen {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Seen { status: parts.status, headers: parts.headers, body }
    }

    pub(super) async fn get(&self, path: &str) -> Seen {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(super) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Seen {
        let request = headers.iter().fold(Request::get(path), |r, (name, value)| r.header(*name, *value));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(super) async fn post(&self, path: &str, body: &str) -> Seen {
        self.send(post(path, body)).await
    }
}

pub(super) fn post(path: &str, body: &str) -> Request<Body> {
    let body = Body::from(body.to_owned());
    Request::post(path).header("content-type", "application/json").body(body).unwrap()
}

fn native_spec() -> decode::FeedSpec {
    decode::FeedSpec::new(FeedId::parse("native").unwrap(), "native")
}
