//! The one owner of the control room: decide, append and fsync, apply, then answer.
//!
//! Runs on its own thread. Inputs are taken in batches that share one fsync: each is decided on a staged clone, so that
//! the second sees what the first did, and the clone becomes the room only when the journal has the whole batch. While
//! the journal refuses or hangs, [`Trouble`] shows people what is not on disk yet.

mod doors;
mod passed_over;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use alert::{AlarmReport, AlarmSubject, Alert, AlertOrigin, Finding, Order, Subject};
use anyhow::Context as _;
use api::{CommandAnswer, PendingCommand};
use decode::{Decoded, Feeds, Grade, Message, Problem, ProblemCode};
use impact::OPERATOR;
use ingest::{Done, EmergencyFrame, Outbox};
use journal::{AppendError, Record};
use room::{ControlRoom, Input, Verdict};
use tokio::{
    sync::{oneshot, watch},
    time::{Instant, timeout},
};
use transit::{Now, UtcMillis, Word as _};

pub(crate) use doors::Doors;
use doors::{WAITING_MAX, WAITING_WITH_PRESSES_MAX, Work, next_batch};
use passed_over::passed_over;

use crate::{
    board::{Board, Touched},
    clock::Clock,
    ledger::Ledger,
    poison::Poison,
    receipt::{Receipt, ReceiptState},
    restore::{SNAPSHOT_EVERY, SNAPSHOT_REST_MS},
    scribe::{Scribe, Written},
    trouble::{Cause, Trouble},
};

/// How long to wait before trying a journal that refused to be written, and how often its trouble is told anew.
const RETRY: Duration = Duration::from_secs(1);
/// A writing that takes longer than this hangs: people are shown what it holds up. Disks under load take tenths.
const STALL: Duration = Duration::from_millis(500);

/// How often timers are looked at.
const TICK: Duration = Duration::from_millis(250);
/// A wall clock that moves this much against the clock that never jumps was set, in milliseconds.
const CLOCK_STEP_MS: i64 = 1_000;

/// How long the last snapshot may hold up the end; the journal has everything without it.
const KEEP_LAST_WITHIN: Duration = Duration::from_secs(3);

/// What the owner needs of the rest.
pub(crate) struct Owner {
    pub(crate) room: ControlRoom,
    pub(crate) scribe: Scribe,
    pub(crate) feeds: Arc<Feeds>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) board: Arc<Board>,
    pub(crate) outbox: Outbox,
    pub(crate) prefix: String,
    pub(crate) clock: Clock,
    /// The room on disk, for those who tell others.
    pub(crate) recorded: watch::Sender<ControlRoom>,
    /// What was set aside.
    pub(crate) poison: Poison,
    /// What is wrong with the journal.
    pub(crate) trouble: Option<Trouble>,
    /// When the clock was last looked at.
    pub(crate) looked: Now,
    /// Records stay at least this long, in milliseconds.
    pub(crate) keep_ms: i64,
    /// The record that the newest snapshot follows, when it was begun on the clock that never jumps, and one under way.
    pub(crate) kept_seq: u64,
    pub(crate) kept_at_mono_ms: u64,
    pub(crate) keeping: Option<oneshot::Receiver<()>>,
}

/// Inputs of one message or order, with whoever waits for their fsync.
pub(crate) struct Pending {
    pub(crate) inputs: Vec<Input>,
    pub(crate) waiting: Waiting,
}

pub(crate) enum Waiting {
    Nobody,
    Source { done: Done, topic: Box<str> },
    Operator(oneshot::Sender<CommandAnswer>),
}

/// A batch decided, before anything of it is true.
struct Staged {
    room: ControlRoom,
    records: Vec<Record>,
    touched: Touched,
    /// One for each input of each pending, in order.
    verdicts: VecDeque<Vec<Verdict>>,
}

impl Owner {
    /// Owns the room until told to stop.
    ///
    /// # Errors
    /// The journal failed in a way after which nothing may be answered any more: the process must end and replay.
    pub(crate) async fn run(mut self, mut doors: Doors, at_start: Vec<Finding>) -> anyhow::Result<()> {
        self.work(&mut doors, at_start).await?;
        self.keep_last().await;
        Ok(())
    }

    async fn work(&mut self, doors: &mut Doors, at_start: Vec<Finding>) -> anyhow::Result<()> {
        let mut waiting = VecDeque::from([Pending::found(at_start)]);
        let mut tick_at = Instant::now();
        loop {
            let retry_at = self.trouble.as_ref().map(|trouble| trouble.retry_at);
            let until = retry_at.unwrap_or(tick_at);
            let Some(batch) = next_batch(doors, waiting.len(), until).await else { return Ok(()) };
            waiting.extend(batch.into_iter().map(|work| self.read(work)));
            // While the journal refuses, nothing more becomes due: it would only wait.
            if retry_at.is_none() && Instant::now() >= tick_at {
                waiting.push_back(Pending { inputs: self.tick(), waiting: Waiting::Nobody });
                tick_at = Instant::now() + self.clock.pause(TICK);
            }
            if retry_at.is_some_and(|retry_at| Instant::now() < retry_at) {
                self.refuse_orders(&mut waiting);
                self.show_trouble(&mut waiting);
                continue;
            }
            // What arrived while the disk hung is written next.
            while !waiting.is_empty() || self.trouble.is_some() {
                let written = self.commit(&mut waiting, doors).await?;
                if doors.stop.is_cancelled() {
                    return Ok(());
                }
                if !written {
                    break;
                }
            }
        }
    }

    /// Decodes an emergency frame; everything else is already decoded.
    fn read(&mut self, work: Work) -> Pending {
        let EmergencyFrame { frame, done } = match work {
            Work::Command(PendingCommand { command, answer }) => {
                return Pending { inputs: vec![Input::Command(command)], waiting: Waiting::Operator(answer) };
            }
            Work::Findings(findings) => return Pending::found(findings),
            Work::Emergency(frame) => frame,
        };
        let read = decode::Frame {
            topic: &frame.topic,
            payload: &frame.payload,
            retained: frame.retained,
            dup: frame.dup,
            received_at: frame.received_at,
        };
        let mut decoded = self.feeds.decode(&read);
        keep_to_operators(&mut decoded);
        for problem in &decoded.problems {
            if problem.grade == Grade::Reject {
                metrics::counter!("topis_emergency_rejects_total").increment(1);
            }
            self.ledger.note_reject(decode::reject_of(&read, &decoded, problem));
        }
        let input = |message| match message {
            Message::Alarm(report) => Some(Input::Alarm(report)),
            Message::Incident(report) => Some(Input::Incident(report)),
            Message::Withdrawal(withdrawal) => Some(Input::Withdrawal(withdrawal)),
            Message::Vehicle(_) | Message::Presence(_) => None,
        };
        self.poison.look_at(&frame.topic, &decoded);
        let mut inputs: Vec<Input> = decoded.messages.into_iter().filter_map(input).collect();
        // Recorded with the message, and so before it is confirmed.
        inputs.extend(self.told_of_poison());
        Pending { inputs, waiting: Waiting::Source { done, topic: frame.topic } }
    }

    fn told_of_poison(&mut self) -> impl Iterator<Item = Input> + use<> {
        let findings = self.poison.tell(&self.room, self.clock.now());
        findings.into_iter().map(|finding| Input::Finding(Box::new(finding)))
    }

    /// A wall clock that was set since the last look.
    fn clock_step(&mut self, now: Now) -> Option<Input> {
        let mono_ms = i64::try_from(now.mono_ms.saturating_sub(self.looked.mono_ms)).unwrap_or(0);
        let by_ms = now.utc.since(self.looked.utc) - mono_ms;
        self.looked = now;
        if by_ms.abs() < CLOCK_STEP_MS {
            return None;
        }
        tracing::warn!(by_ms, "the wall clock was set");
        Some(Input::ClockStepped { by_ms })
    }

    /// What the clock brings: timers that are due.
    fn tick(&mut self) -> Vec<Input> {
        let now = self.clock.now();
        let mut inputs: Vec<Input> = self.told_of_poison().collect();
        if self.room.next_due().is_some_and(|due| due <= now.utc) {
            inputs.push(Input::Tick);
        }
        inputs
    }

    /// Has a snapshot kept when the last one is old, one at a time and not one upon the other: in a storm each would cost
    /// as much as the storm itself.
    fn keep_snapshot(&mut self, now: Now) {
        if self.keeping.as_mut().is_some_and(|done| done.try_recv() == Err(oneshot::error::TryRecvError::Empty)) {
            return;
        }
        self.keeping = None;
        let rested = now.mono_ms.saturating_sub(self.kept_at_mono_ms) >= SNAPSHOT_REST_MS;
        if self.room.seq() >= self.kept_seq + SNAPSHOT_EVERY && rested {
            self.kept_seq = self.room.seq();
            self.kept_at_mono_ms = now.mono_ms;
            self.keeping = Some(self.scribe.keep(self.room.clone(), now.utc.0 - self.keep_ms));
        }
    }

    /// Has the room kept as it ends, so that the next start has nothing to replay. A journal that is in trouble is left
    /// alone.
    async fn keep_last(&mut self) {
        if let Some(under_way) = self.keeping.take() {
            drop(timeout(KEEP_LAST_WITHIN, under_way).await);
        }
        if self.trouble.is_some() || self.room.seq() == self.kept_seq {
            return;
        }
        let kept = self.scribe.keep(self.room.clone(), self.clock.now().utc.0 - self.keep_ms);
        if timeout(KEEP_LAST_WITHIN, kept).await.is_err() {
            tracing::warn!("no snapshot was kept in time; the next start replays more of the journal");
        }
    }

    /// Decides everything that waits, records it, and answers; or keeps what may not be lost when the journal refuses.
    /// True when it was written.
    async fn commit(&mut self, waiting: &mut VecDeque<Pending>, doors: &mut Doors) -> anyhow::Result<bool> {
        let now = self.clock.now();
        // Before anything is decided by the new time: its timers must not be moved with the old ones.
        if let Some(step) = self.clock_step(now) {
            waiting.push_front(Pending { inputs: vec![step], waiting: Waiting::Nobody });
            // Those behind it are shown already.
            if let Some(trouble) = &mut self.trouble {
                trouble.shown_count += 1;
            }
        }
        let Staged { room, records, touched, verdicts } = self.stage(waiting, now);
        let count = records.len();
        // With nothing to record, whether the journal works again is found out by asking it.
        if count > 0 || self.trouble.is_some() {
            let written = self.scribe.write(self.room.seq(), records);
            let Some(written) = self.written(written, waiting, doors).await? else { return Ok(false) };
            match written {
                Ok(()) => metrics::counter!("topis_journal_records_total").increment(count as u64),
                Err(AppendError::Full(cause)) => return Ok(self.refused(Cause::Full, cause.to_string(), waiting)),
                Err(AppendError::Unwritable(cause)) => {
                    return Ok(self.refused(Cause::Unwritable, cause.to_string(), waiting));
                }
                Err(fatal @ (AppendError::Fatal(_) | AppendError::Conflict { .. })) => {
                    return Err(fatal).context("the journal can no longer be trusted; the process must replay it");
                }
            }
            self.trouble = None;
            self.room = room;
            self.recorded.send_replace(self.room.clone());
            // What waits behind this writing was shown and stays so.
            let behind = waiting.iter().skip(verdicts.len());
            let shown = crate::trouble::overlay(self.room.clone(), behind, now);
            self.board.post_room(shown, self.room.seq(), touched, None, now);
            self.keep_snapshot(now);
        }
        for (pending, verdicts) in waiting.drain(..verdicts.len()).zip(verdicts) {
            self.answer(pending, verdicts, now.utc);
        }
        Ok(true)
    }

    /// Waits for the disk. When that takes long, people are shown what waits for it, what arrives meanwhile too, and
    /// orders that arrive are refused. `None` when told to stop.
    async fn written(
        &mut self,
        mut written: Written,
        waiting: &mut VecDeque<Pending>,
        doors: &mut Doors,
    ) -> anyhow::Result<Option<Result<(), AppendError>>> {
        let mut look_at = Instant::now() + STALL;
        let mut hangs = false;
        loop {
            tokio::select! {
                biased;
                outcome = &mut written => return outcome.map(Some).context("the journal's thread panicked"),
                // Nothing of this was promised to anybody: senders still have it.
                () = doors.stop.cancelled(), if hangs => return Ok(None),
                () = tokio::time::sleep_until(look_at) => {
                    look_at = Instant::now() + RETRY;
                    hangs = true;
                    if self.trouble.is_none() {
                        metrics::counter!("topis_journal_stalls_total").increment(1);
                        self.trouble = Some(Trouble::new(Cause::Hangs, &self.room, self.clock.now(), look_at));
                    }
                }
                Some(frame) = doors.emergencies.urgent.recv(), if hangs && waiting.len() < WAITING_WITH_PRESSES_MAX => {
                    waiting.push_back(self.read(Work::Emergency(frame)));
                }
                Some(frame) = doors.emergencies.others.recv(), if hangs && waiting.len() < WAITING_MAX => {
                    waiting.push_back(self.read(Work::Emergency(frame)));
                }
                Some(findings) = doors.findings.recv(), if hangs && waiting.len() < WAITING_MAX => {
                    waiting.push_back(Pending::found(findings));
                }
                Some(PendingCommand { answer, .. }) = doors.commands.recv(), if hangs => {
                    // An operator who hung up needs no answer.
                    drop(answer.send(CommandAnswer::NotSaved { full: false }));
                }
            }
            self.show_trouble(waiting);
        }
    }

    fn stage(&self, waiting: &VecDeque<Pending>, now: Now) -> Staged {
        let mut staged = Staged {
            room: self.room.clone(),
            records: Vec::new(),
            touched: Touched::default(),
            verdicts: VecDeque::with_capacity(waiting.len()),
        };
        for pending in waiting {
            let mut verdicts = Vec::with_capacity(pending.inputs.len());
            for input in &pending.inputs {
                let decision = staged.room.decide(input, now);
                for change in &decision.changes {
                    staged.records.push(Record {
                        body: room::encode(change),
                        key: change.request_key(),
                        at_ms: change.at().0,
                    });
                    staged.room.apply(change);
                    staged.touched.alerts |= change.touches_alerts();
                    staged.touched.incidents |= change.touches_incidents();
                }
                verdicts.push(decision.verdict);
            }
            staged.verdicts.push_back(verdicts);
        }
        staged
    }

    /// The journal refuses: orders are refused too, everything else waits for the next try. Nothing that waits is
    /// acknowledged or receipted, so its sender still has it. Always false, as what was not written.
    fn refused(&mut self, cause: Cause, detail: String, waiting: &mut VecDeque<Pending>) -> bool {
        metrics::counter!("topis_journal_refusals_total").increment(1);
        tracing::error!(detail, waiting = waiting.len(), "the journal cannot be written");
        let retry_at = Instant::now() + RETRY;
        // Orders are gone from what was shown of a writing that hung, so it is shown anew.
        let before = self.trouble.take().filter(|trouble| trouble.cause != Cause::Hangs);
        let trouble = before.unwrap_or_else(|| Trouble::new(cause, &self.room, self.clock.now(), retry_at));
        self.trouble = Some(Trouble { cause, detail, retry_at, ..trouble });
        self.refuse_orders(waiting);
        self.show_trouble(waiting);
        false
    }

    fn refuse_orders(&self, waiting: &mut VecDeque<Pending>) {
        let full = self.trouble.as_ref().is_some_and(|trouble| trouble.cause == Cause::Full);
        for Pending { inputs, waiting: whom } in std::mem::take(waiting) {
            match whom {
                Waiting::Source { .. } | Waiting::Nobody => waiting.push_back(Pending { inputs, waiting: whom }),
                // An operator who hung up needs no answer.
                Waiting::Operator(answer) => drop(answer.send(CommandAnswer::NotSaved { full })),
            }
        }
    }

    /// Shows what waits for the journal as not durable.
    fn show_trouble(&mut self, waiting: &mut VecDeque<Pending>) {
        let Some(trouble) = &mut self.trouble else { return };
        let now = self.clock.now();
        let degraded = trouble.show(waiting, now);
        let shown = trouble.shown.clone();
        let both = Touched { alerts: true, incidents: true };
        self.board.post_room(shown, self.room.seq(), both, Some(degraded), now);
    }

    /// Tells whoever waits, now that it is on disk.
    fn answer(&mut self, pending: Pending, verdicts: Vec<Verdict>, at: UtcMillis) {
        match pending.waiting {
            Waiting::Nobody => {}
            Waiting::Source { done, topic } => {
                done.recorded();
                for (input, verdict) in pending.inputs.iter().zip(&verdicts) {
                    match (input, verdict) {
                        (Input::Alarm(report), _) => self.receipt_press(report, verdict, at),
                        (Input::Incident(report), Verdict::Incident(outcome)) => {
                            if let Some(reject) = passed_over(report, *outcome, &topic) {
                                self.poison.note(&reject);
                                self.ledger.note_reject(reject);
                            }
                        }
                        _ => {}
                    }
                }
            }
            Waiting::Operator(answer) => {
                let Some((Input::Command(command), verdict)) = pending.inputs.first().zip(verdicts.into_iter().next())
                else {
                    return;
                };
                if let (Order::Acknowledge { alert, .. } | Order::Close { alert, .. }, Verdict::Done(_)) =
                    (&command.order, &verdict)
                    && let Some(alert) = self.room.find_alert(alert)
                {
                    self.receipt_taken(alert, at);
                }
                drop(answer.send(CommandAnswer::Decided { verdict, room: Box::new(self.room.clone()) }));
            }
        }
    }

    /// The press is on disk, or was.
    fn receipt_press(&self, report: &AlarmReport, verdict: &Verdict, at: UtcMillis) {
        let Some(state) = verdict.receipt_word().and_then(ReceiptState::find) else { return };
        let AlarmSubject::Vehicle(vehicle) = &report.subject else { return };
        self.send(&Receipt {
            vehicle,
            event_id: report.event_id.as_deref(),
            event_time: report.event_time,
            state,
            alert: verdict.alert_id(),
            at,
        });
    }

    /// Somebody has the alert, or had it as they ended it. Nobody is told of an alert that no device pressed for: a
    /// display would light up for nothing, or beside whom it must not warn.
    fn receipt_taken(&self, alert: &Alert, at: UtcMillis) {
        let Subject::Vehicle(vehicle) = &alert.subject else { return };
        if alert.origin != AlertOrigin::DeviceEvent && alert.event_id.is_none() && alert.last_event_at.is_none() {
            return;
        }
        self.send(&Receipt {
            vehicle,
            event_id: alert.event_id.as_deref(),
            event_time: alert.last_event_at,
            state: ReceiptState::Acknowledged,
            alert: Some(&alert.id),
            at,
        });
    }

    fn send(&self, receipt: &Receipt<'_>) {
        let (topic, body) = receipt.message(&self.prefix);
        // A receipt that finds no room is counted there; the feeder that hears none sends again.
        self.outbox.try_publish(&topic, body);
    }
}

impl Pending {
    fn found(findings: Vec<Finding>) -> Self {
        let inputs = findings.into_iter().map(|finding| Input::Finding(Box::new(finding))).collect();
        Self { inputs, waiting: Waiting::Nobody }
    }
}

/// Incidents under the operators' name are theirs alone: no source changes or ends one.
fn keep_to_operators(decoded: &mut Decoded) {
    let before = decoded.messages.len();
    decoded.messages.retain(|message| match message {
        Message::Incident(report) => report.key.source != OPERATOR,
        Message::Withdrawal(withdrawal) => withdrawal.key.source != OPERATOR,
        Message::Alarm(_) | Message::Vehicle(_) | Message::Presence(_) => true,
    });
    if decoded.messages.len() < before {
        let detail = format!("{OPERATOR} is the name of the operators' own incidents; send it under your own name");
        let field = Some("source".to_owned());
        decoded.problems.push(Problem { grade: Grade::Reject, code: ProblemCode::BadId, field, detail });
    }
}

#[cfg(test)]
mod tests;
