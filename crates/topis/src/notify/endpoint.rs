//! The task of one endpoint: tells it what it has not been told, one event at a time, in the order of the records.
//!
//! Reads the room as it is on disk and never what is only shown. Nothing here can hold up the room or a reader: both are
//! read as they are, and what a person must know goes through the door that rules use.

use std::{sync::Arc, time::Duration};

use alert::{Finding, Subject};
use api::{News, Published};
use hyper::body::Bytes;
use room::ControlRoom;
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{
    courier::Courier,
    cursor::Cursor,
    pace::{Failing, Outcome},
    pending::{Backlog, Due, SYS_NOTIFY, backlog, expired},
    standing::Standing,
};
use crate::{clock::Clock, config::WebhookConfig, recurrence::Recurrence};

/// How long it goes on with what it found before it looks again, so that a flood is not looked through for every event.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After a look it rests for so many times as long as the look took: a twentieth of a core at most, however much there is
/// to look through.
const LOOK_SHARE: u32 = 20;
/// How often it looks when nothing happens, and how old the cursor on disk may be when nothing was delivered.
const IDLE: Duration = Duration::from_secs(60);

/// What the task needs.
pub(crate) struct Endpoint {
    pub(crate) webhook: WebhookConfig,
    /// The `source` of its events.
    pub(crate) source: Arc<str>,
    /// The room on disk, after every commit.
    pub(crate) recorded: watch::Receiver<ControlRoom>,
    /// Where vehicles are.
    pub(crate) published: Arc<Published>,
    pub(crate) findings: mpsc::Sender<Vec<Finding>>,
    pub(crate) courier: Courier,
    pub(crate) cursor: Cursor,
    pub(crate) standing: Arc<Standing>,
    pub(crate) clock: Clock,
    pub(crate) failing: Option<Failing>,
    /// Not before then.
    pub(crate) retry_at: Option<Instant>,
    /// The event that is being tried, so that every retry sends the same bytes.
    pub(crate) parcel: Option<(u64, Bytes)>,
    pub(crate) given_up: Recurrence,
}

/// What an alert about an endpoint is about.
pub(crate) fn subject_of(endpoint: &str) -> Subject {
    Subject::System(format!("notify/{endpoint}"))
}

impl Endpoint {
    /// Tells until told to stop.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.work() => {}
        }
        self.save().await;
    }

    /// Ends when nobody records any more.
    async fn work(&mut self) {
        let mut unsaved_since = Instant::now();
        loop {
            let began = Instant::now();
            let room = self.recorded.borrow_and_update().clone();
            self.note_forgotten(&room);
            self.tell(&room).await;
            let Backlog { next, count } = backlog(&room, self.cursor.seq(), &self.webhook.wanted);
            metrics::gauge!("topis_webhook_pending", "endpoint" => self.webhook.id.clone()).set(count as f64);
            // What lies before the first, or before everything where there is none, is not for this endpoint.
            self.cursor.reach(next.first().map_or(room.seq(), |first| first.seq - 1));
            let took = began.elapsed();
            if next.is_empty() {
                if unsaved_since.elapsed() >= IDLE {
                    self.save().await;
                    unsaved_since = Instant::now();
                }
                tokio::time::sleep(took * LOOK_SHARE).await;
                tokio::select! {
                    changed = self.recorded.changed() => if changed.is_err() { return },
                    () = tokio::time::sleep(IDLE) => {}
                }
            } else if let Some(retry_at) = self.retry_at.filter(|retry_at| *retry_at > Instant::now()) {
                // Meanwhile what waits is counted.
                tokio::time::sleep_until(retry_at.min(Instant::now() + LOOK_EVERY)).await;
            } else if self.deliver_all(next).await {
                // Told before it is passed over for good.
                self.tell(&room).await;
                self.save().await;
                unsaved_since = Instant::now();
            }
        }
    }

    /// Delivers one after the other until one fails or it is time to look again. True when something was settled.
    async fn deliver_all(&mut self, next: Vec<Due>) -> bool {
        let (began, before) = (Instant::now(), self.cursor.seq());
        for due in next {
            self.retry_at = self.deliver(&due).await.map(|wait| Instant::now() + wait);
            if self.retry_at.is_some() || began.elapsed() >= LOOK_EVERY {
                break;
            }
        }
        self.cursor.seq() > before
    }

    /// Tries one change once; how long to wait when it failed.
    async fn deliver(&mut self, due: &Due) -> Option<Duration> {
        let room = self.recorded.borrow().clone();
        let found = room.find_alert(&due.alert);
        let Some(news) = found.and_then(|alert| News::of(alert)).filter(|news| news.seq == due.seq) else {
            // It was overtaken: its newer state is told in its own turn. What was forgotten is noted at the next look.
            if found.is_some() {
                self.cursor.reach(due.seq);
            }
            return None;
        };
        let now = self.clock.now();
        let body = self.body(&news);
        let outcome = self.courier.post(api::CLOUD_EVENT, body, now.utc).await;
        let (endpoint, word) = (self.webhook.id.clone(), outcome.word());
        metrics::counter!("topis_webhook_deliveries_total", "endpoint" => endpoint, "outcome" => word).increment(1);
        match outcome {
            Outcome::Delivered => {
                self.settled(due.seq);
                None
            }
            Outcome::Refused { status } => {
                self.settled(due.seq);
                let alert = news.alert;
                self.give_up(1, u64::from(alert.rule != SYS_NOTIFY), format!("answered {status} to {}", alert.id));
                None
            }
            Outcome::Failed { why, retry_after } => {
                let failing = Failing::again(self.failing.take(), why, self.clock.now());
                tracing::warn!(
                    endpoint = self.webhook.id,
                    times = failing.times,
                    why = failing.why,
                    "an event did not arrive"
                );
                let wait = failing.wait(retry_after, getrandom::u64().unwrap_or(due.seq));
                self.standing.set(Some(failing.clone()));
                self.give_up_the_old(&room, &failing);
                self.failing = Some(failing);
                Some(wait)
            }
        }
    }

    fn body(&mut self, news: &News<'_>) -> Bytes {
        match &self.parcel {
            Some((seq, body)) if *seq == news.seq => body.clone(),
            Some(_) | None => {
                let body = Bytes::from(news.event(&self.published.load(), &self.source));
                self.parcel = Some((news.seq, body.clone()));
                body
            }
        }
    }

    /// The receiver answered for good.
    fn settled(&mut self, seq: u64) {
        self.cursor.reach(seq);
        self.parcel = None;
        if self.failing.take().is_some() {
            self.standing.set(None);
            tracing::info!(endpoint = self.webhook.id, "the receiver answers again");
        }
    }

    fn give_up_the_old(&mut self, room: &ControlRoom, failing: &Failing) {
        let Some(before) = failing.gives_up_before(self.webhook.give_up_after_ms, self.clock.now()) else { return };
        let old = expired(room, self.cursor.seq(), &self.webhook.wanted, before);
        if old.count > 0 {
            self.cursor.reach(old.through_seq);
            self.give_up(old.count, old.worth_telling, failing.why.clone());
        }
    }

    /// Changes of alerts that have left memory can no longer be told; whether they were this endpoint's is not known.
    fn note_forgotten(&mut self, room: &ControlRoom) {
        let forgotten = room.forgotten_seq();
        if self.cursor.misses(forgotten) {
            self.cursor.lose(forgotten);
            self.give_up(1, 1, format!("changes up to record {forgotten} have left memory"));
        }
    }

    fn give_up(&mut self, count: u64, worth_telling: u64, why: String) {
        let endpoint = self.webhook.id.clone();
        tracing::error!(endpoint, count, why, "events are given up");
        metrics::counter!("topis_webhook_given_up_total", "endpoint" => endpoint).increment(count);
        if worth_telling > 0 {
            let host = self.webhook.url.host_str().unwrap_or_default().to_owned();
            self.given_up.note(worth_telling, [("host", host), ("reason", why)]);
        }
    }

    /// Tells a person what was given up. Waits while the room's owner is busy: a finding must not be lost.
    async fn tell(&mut self, room: &ControlRoom) {
        let findings = self.given_up.tell(room, self.clock.now());
        if !findings.is_empty() {
            // At shutdown nobody is left to be told; what was given up is in the log.
            self.findings.send(findings).await.ok();
        }
    }

    async fn save(&mut self) {
        let Some(writing) = self.cursor.writing() else { return };
        let saved = tokio::task::spawn_blocking(move || writing.save().map(|()| writing)).await;
        match saved {
            Ok(Ok(writing)) => self.cursor.saved(writing),
            // After a crash some events are sent again.
            Ok(Err(error)) => tracing::warn!(endpoint = self.webhook.id, %error, "the cursor could not be kept"),
            Err(error) => tracing::error!(endpoint = self.webhook.id, %error, "the cursor's writing panicked"),
        }
    }
}
