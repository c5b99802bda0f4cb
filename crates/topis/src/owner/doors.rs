//! What comes to the owner and in which order: every door has its share of every batch, and presses come first.

use alert::Finding;
use api::PendingCommand;
use ingest::{Emergencies, EmergencyFrame};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

/// Inputs of each door decided under one fsync. Every door has its share of every batch: no storm at one holds up the
/// others. Larger shares would only add latency to the first of them.
pub(super) const SHARE_MAX: usize = 256;
/// As much of what rules found, which comes many at a time.
pub(super) const FOUND_MAX: usize = 8;
/// Messages that wait for the journal. Behind them the lane fills and their senders wait unacknowledged.
pub(super) const WAITING_MAX: usize = 4_096;
/// As much again is kept for presses, which are shown while they wait.
pub(super) const WAITING_WITH_PRESSES_MAX: usize = 2 * WAITING_MAX;

/// The owner's doors.
pub(crate) struct Doors {
    /// Alarms and incidents.
    pub(crate) emergencies: Emergencies,
    /// Orders.
    pub(crate) commands: mpsc::Receiver<PendingCommand>,
    /// What rules found.
    pub(crate) findings: mpsc::Receiver<Vec<Finding>>,
    /// Ends the loop.
    pub(crate) stop: CancellationToken,
}

/// What came through a door.
pub(super) enum Work {
    Emergency(EmergencyFrame),
    Command(PendingCommand),
    Findings(Vec<Finding>),
}

/// Takes what is there, waiting for the first, at most until then; `None` when told to stop. Presses come first.
pub(super) async fn next_batch(doors: &mut Doors, waiting: usize, until: Instant) -> Option<Vec<Work>> {
    let share = |most: usize, full_at: usize| most.min(full_at.saturating_sub(waiting));
    let urgent = share(SHARE_MAX, WAITING_WITH_PRESSES_MAX);
    let (others, found) = (share(SHARE_MAX, WAITING_MAX), share(FOUND_MAX, WAITING_MAX));
    let first = tokio::select! {
        biased;
        () = doors.stop.cancelled() => return None,
        Some(frame) = doors.emergencies.urgent.recv(), if urgent > 0 => Some(Work::Emergency(frame)),
        Some(command) = doors.commands.recv() => Some(Work::Command(command)),
        Some(findings) = doors.findings.recv(), if found > 0 => Some(Work::Findings(findings)),
        Some(frame) = doors.emergencies.others.recv(), if others > 0 => Some(Work::Emergency(frame)),
        () = tokio::time::sleep_until(until) => None,
    };
    let mut batch = Vec::from_iter(first);
    batch.extend(waiting_at(&mut doors.emergencies.urgent, urgent).map(Work::Emergency));
    batch.extend(waiting_at(&mut doors.commands, SHARE_MAX).map(Work::Command));
    batch.extend(waiting_at(&mut doors.findings, found).map(Work::Findings));
    batch.extend(waiting_at(&mut doors.emergencies.others, others).map(Work::Emergency));
    Some(batch)
}

/// What waits at a door, at most so many.
fn waiting_at<T>(door: &mut mpsc::Receiver<T>, most: usize) -> impl Iterator<Item = T> {
    std::iter::from_fn(|| door.try_recv().ok()).take(most)
}
