//! The one owner of the control room: decide, append and fsync, apply, then answer.
//!
//! Runs on its own thread, because an fsync blocks. Inputs are taken in batches that share one fsync: each is decided on
//! a staged clone, so that the second sees what the first did, and the clone becomes the room only when the journal
//! has the whole batch.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use alert::{AlarmReport, AlarmSubject, Alert, Change, Order, Refusal, Subject};
use anyhow::Context as _;
use api::{CommandAnswer, Degraded, PendingCommand};
use decode::{Feeds, Grade, Message};
use ingest::{Done, EmergencyFrame, Outbox};
use journal::{AppendError, Record, RecordLog};
use room::{ControlRoom, Input, Verdict};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use transit::{Now, UtcMillis, Word as _};

use crate::{
    board::{Board, JOURNAL_SCOPE, Touched},
    clock::Clock,
    ledger::Ledger,
    receipt::{Receipt, ReceiptState},
};

/// Inputs decided under one fsync. Larger batches would only add latency to their first member.
const BATCH_INPUTS_MAX: usize = 256;
/// Messages held while the journal refuses. Behind them the lane fills and their senders wait unacknowledged.
const HELD_MAX: usize = 4_096;
/// How long to wait before trying a journal that refused to be written.
const RETRY: Duration = Duration::from_secs(1);

/// What the owner needs of the rest.
pub(crate) struct Owner {
    pub(crate) room: ControlRoom,
    pub(crate) journal: Box<dyn RecordLog>,
    pub(crate) feeds: Arc<Feeds>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) board: Arc<Board>,
    pub(crate) outbox: Outbox,
    pub(crate) prefix: String,
    pub(crate) clock: Clock,
    /// The journal refused the last thing it was given.
    pub(crate) troubled: bool,
}

/// The owner's doors.
pub(crate) struct Doors {
    /// Alarms and incidents.
    pub(crate) emergencies: mpsc::Receiver<EmergencyFrame>,
    /// Orders.
    pub(crate) commands: mpsc::Receiver<PendingCommand>,
    /// Ends the loop.
    pub(crate) stop: CancellationToken,
}

/// What came through a door.
enum Work {
    Emergency(EmergencyFrame),
    Command(PendingCommand),
}

/// Inputs of one message or order, with whoever waits for their fsync.
struct Pending {
    inputs: Vec<Input>,
    waiting: Waiting,
}

enum Waiting {
    Source(Done),
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

/// Rebuilds the room from the journal, by `apply` alone; gives the number of records.
///
/// # Errors
/// A record that cannot be read or was not written by this program.
pub(crate) fn replay(room: &mut ControlRoom, journal: &mut dyn RecordLog) -> anyhow::Result<u64> {
    let records = journal.tail(1, &mut |seq, bytes| {
        room.apply(&room::decode(bytes)?);
        if room.seq() == seq { Ok(()) } else { Err(format!("record {seq} left the room at {}", room.seq()).into()) }
    })?;
    Ok(records)
}

impl Owner {
    /// Owns the room until told to stop.
    ///
    /// # Errors
    /// The journal failed in a way after which nothing may be answered any more: the process must end and replay.
    pub(crate) fn run(mut self, runtime: &tokio::runtime::Handle, mut doors: Doors) -> anyhow::Result<()> {
        let mut held = VecDeque::new();
        while let Some(batch) = runtime.block_on(next_batch(&mut doors, held.len(), self.troubled)) {
            held.extend(batch.into_iter().map(|work| self.read(work)));
            if !held.is_empty() || self.troubled {
                self.commit(&mut held)?;
            }
        }
        Ok(())
    }

    /// Decodes an emergency frame; an order is already decoded.
    fn read(&self, work: Work) -> Pending {
        let EmergencyFrame { frame, done } = match work {
            Work::Command(PendingCommand { command, answer }) => {
                return Pending { inputs: vec![Input::Command(command)], waiting: Waiting::Operator(answer) };
            }
            Work::Emergency(frame) => frame,
        };
        let read = decode::Frame {
            topic: &frame.topic,
            payload: &frame.payload,
            retained: frame.retained,
            dup: frame.dup,
            received_at: frame.received_at,
        };
        let decoded = self.feeds.decode(&read);
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
        Pending { inputs: decoded.messages.into_iter().filter_map(input).collect(), waiting: Waiting::Source(done) }
    }

    /// Decides everything held, records it, and answers; or keeps what may not be lost when the journal refuses.
    fn commit(&mut self, held: &mut VecDeque<Pending>) -> anyhow::Result<()> {
        let now = self.clock.now();
        let Staged { room, records, touched, verdicts } = self.stage(held, now);
        if !records.is_empty() || self.troubled {
            // With nothing to record, whether the journal works again is found out by asking it.
            let appended = match records.is_empty() {
                true => self.journal.probe().map(|()| self.room.seq()),
                false => self.journal.append(self.room.seq(), &records),
            };
            match appended {
                Ok(_) => metrics::counter!("topis_journal_records_total").increment(records.len() as u64),
                Err(AppendError::Full(_) | AppendError::Unwritable(_)) => {
                    let full = matches!(appended, Err(AppendError::Full(_)));
                    let cause = appended.map_or_else(|error| error.to_string(), |_| String::new());
                    self.hold(held, full, &cause, now);
                    return Ok(());
                }
                Err(fatal @ (AppendError::Fatal(_) | AppendError::Conflict { .. })) => {
                    return Err(fatal).context("the journal can no longer be trusted; the process must replay it");
                }
            }
            self.troubled = false;
            self.room = room;
            self.board.post_room(self.room.clone(), touched, None, now);
        }
        for (pending, verdicts) in held.drain(..).zip(verdicts) {
            self.answer(pending, verdicts, now.utc);
        }
        Ok(())
    }

    fn stage(&self, held: &VecDeque<Pending>, now: Now) -> Staged {
        let mut staged = Staged {
            room: self.room.clone(),
            records: Vec::new(),
            touched: Touched::default(),
            verdicts: VecDeque::with_capacity(held.len()),
        };
        for pending in held {
            let mut verdicts = Vec::with_capacity(pending.inputs.len());
            for input in &pending.inputs {
                let decision = staged.room.decide(input, now);
                for change in &decision.changes {
                    staged.records.push(Record { body: room::encode(change), key: change.request_key() });
                    staged.room.apply(change);
                    note_touched(&mut staged.touched, change);
                }
                verdicts.push(decision.verdict);
            }
            staged.verdicts.push_back(verdicts);
        }
        staged
    }

    /// The journal refuses: shows what cannot be recorded as not durable, refuses orders, and keeps the rest for the
    /// next try. Nothing kept is acknowledged or receipted, so its sender still has it.
    fn hold(&mut self, held: &mut VecDeque<Pending>, full: bool, cause: &str, now: Now) {
        metrics::counter!("topis_journal_refusals_total").increment(1);
        self.troubled = true;
        let mut kept = VecDeque::with_capacity(held.len());
        for Pending { inputs, waiting } in held.drain(..) {
            match waiting {
                Waiting::Source(_) => kept.push_back(Pending { inputs, waiting }),
                // An operator who hung up needs no answer.
                Waiting::Operator(answer) => drop(answer.send(CommandAnswer::NotSaved { full })),
            }
        }
        *held = kept;
        let mut shown = self.room.clone();
        for input in held.iter().flat_map(|pending| &pending.inputs) {
            shown = shown.overlay(&shown.decide(input, now));
        }
        let trouble = Degraded {
            code: if full { "journal_full" } else { "journal_unwritable" }.to_owned(),
            scope: JOURNAL_SCOPE.to_owned(),
            since: now.utc,
            detail: format!("{} messages are shown or wait but are not on disk: {cause}", held.len()),
        };
        tracing::error!(cause, held = held.len(), "the journal cannot be written");
        self.board.post_room(shown, Touched { alerts: true, incidents: true }, Some(trouble), now);
    }

    /// Tells whoever waits, now that it is on disk.
    fn answer(&self, pending: Pending, verdicts: Vec<Verdict>, at: UtcMillis) {
        match pending.waiting {
            Waiting::Source(done) => {
                done.recorded();
                for (input, verdict) in pending.inputs.iter().zip(&verdicts) {
                    if let Input::Alarm(report) = input {
                        self.receipt_press(report, verdict, at);
                    }
                }
            }
            Waiting::Operator(answer) => {
                let Some((Input::Command(command), verdict)) = pending.inputs.first().zip(verdicts.into_iter().next())
                else {
                    return;
                };
                let ordered = command.order.alert();
                let record = self.room.find_alert(ordered).cloned();
                let told = match (verdict, record) {
                    (Verdict::Done(_), Some(alert)) => {
                        if matches!(command.order, Order::Acknowledge { .. }) {
                            self.receipt_taken(&alert, at);
                        }
                        CommandAnswer::Done(alert)
                    }
                    (Verdict::Refused(refusal), record) => CommandAnswer::Refused(refusal, record),
                    (_, _) => CommandAnswer::Refused(Refusal::Unknown(ordered.clone()), None),
                };
                drop(answer.send(told));
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

    /// Somebody has the alert.
    fn receipt_taken(&self, alert: &Alert, at: UtcMillis) {
        let Subject::Vehicle(vehicle) = &alert.subject else { return };
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

fn note_touched(touched: &mut Touched, change: &Change) {
    if change.alert_id().is_some() {
        touched.alerts = true;
    } else {
        touched.incidents = true;
    }
}

/// Takes what is there, waiting for the first, or only for the retry in trouble; `None` when told to stop.
async fn next_batch(doors: &mut Doors, held: usize, troubled: bool) -> Option<Vec<Work>> {
    let mut batch = Vec::new();
    tokio::select! {
        biased;
        () = doors.stop.cancelled() => return None,
        Some(frame) = doors.emergencies.recv(), if held < HELD_MAX => batch.push(Work::Emergency(frame)),
        Some(command) = doors.commands.recv() => batch.push(Work::Command(command)),
        () = tokio::time::sleep(RETRY), if troubled => {}
        else => return None,
    }
    while batch.len() < BATCH_INPUTS_MAX {
        if held + batch.len() < HELD_MAX
            && let Ok(frame) = doors.emergencies.try_recv()
        {
            batch.push(Work::Emergency(frame));
        } else if let Ok(command) = doors.commands.try_recv() {
            batch.push(Work::Command(command));
        } else {
            break;
        }
    }
    Some(batch)
}
