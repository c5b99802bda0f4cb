//! What is due: shelves, escalation, reminders, expiry, holds, suppressions, incidents that begin or end by the clock
//! (T12, T15 to T17).

use alert::{Alert, AlertClass, AlertCondition, AlertId, Author, Change, CloseReason, IncidentTurn, Turn};
use transit::Now;

use super::draft::Draft;
use crate::{
    ControlRoom, Decision, Verdict,
    timers::{Deadline, Timer},
};

/// Timers carried out in one step; the rest come with the next.
const TIMERS_MAX: usize = 1000;

impl ControlRoom {
    pub(super) fn decide_tick(&self, now: Now) -> Decision {
        let due: Vec<Timer> = self.timers.due(now.utc).take(TIMERS_MAX).cloned().collect();
        let mut draft = Draft::of(self, now);
        for timer in due {
            // An earlier one of this step may have taken its cause away.
            if draft.room.timers.is_due(&timer, now.utc) {
                draft.ring(&timer);
            }
        }
        draft.ends(Verdict::Ticked)
    }

    pub(super) fn decide_clock_step(&self, by_ms: i64, now: Now) -> Decision {
        let mut draft = Draft::of(self, now);
        if by_ms != 0 {
            draft.push(Change::ClockStepped { at: now.utc, by_ms });
        }
        draft.ends(Verdict::Ticked)
    }
}

impl Draft {
    fn ring(&mut self, timer: &Timer) {
        match timer {
            Timer::Alert(kind, id) => {
                let Some(alert) = self.room.find_alert(id).cloned() else { return };
                match kind {
                    Deadline::Shelf => self.speak(id, Turn::ShelfEnded),
                    Deadline::Explained => self.explain_anew(id),
                    Deadline::Acknowledge => self.escalate(&alert),
                    Deadline::Remind => self.remind(&alert),
                    Deadline::Expire => self.expire(&alert),
                    Deadline::Release => self.release_hold(&alert),
                }
            }
            Timer::Suppression(id) => self.end_suppression(*id, Author::Timer, None, None),
            Timer::Incident(key) => {
                let (key, at) = (key.clone(), self.now.utc);
                let Some(incident) = self.room.find_incident(&key) else { return };
                let change = match incident.turn_at(at) {
                    IncidentTurn::Ends => Change::IncidentEnded { key, at },
                    IncidentTurn::Rests { until } => Change::IncidentRested { key, at, starts_at: until },
                    IncidentTurn::Starts => Change::IncidentStarted { key, at },
                };
                self.change_incident(change);
            }
        }
    }

    fn escalate(&mut self, alert: &Alert) {
        let step = alert.due.escalated + 1;
        let again = step < self.room.options.escalation_steps;
        let due_at = again.then(|| self.ack_due(alert.priority, alert.status)).flatten();
        self.turn(&alert.id, Turn::Escalated { step }, false, due_at);
    }

    fn remind(&mut self, alert: &Alert) {
        if alert.due.reminded {
            let due_at = self.ack_due(alert.priority, alert.status);
            self.turn(&alert.id, Turn::OwnerDropped, alert.silence.is_none(), due_at);
        } else {
            let due_at = self.now.utc.plus_millis(self.room.options.reminder_answer_ms);
            self.turn(&alert.id, Turn::Reminded, false, Some(due_at));
        }
    }

    fn expire(&mut self, alert: &Alert) {
        if alert.class == AlertClass::Emergency {
            let due_at = self.ack_due(alert.priority, alert.status);
            self.turn(&alert.id, Turn::Unattended, true, due_at);
        } else {
            self.resolve(&alert.id, Author::Timer, CloseReason::Expired);
        }
    }

    fn release_hold(&mut self, alert: &Alert) {
        // What was held from its first moment and goes on has never sounded.
        let waits = alert.condition == AlertCondition::Active && !alert.acknowledged() && alert.silence.is_none();
        self.turn(&alert.id, Turn::HoldReleased, waits && alert.annunciations == 0, None);
        if alert.condition == AlertCondition::Cleared && alert.acknowledged() {
            self.resolve(&alert.id, Author::Timer, CloseReason::Resolved);
        }
    }

    /// Ends a suppression, and what it alone kept silent speaks.
    pub(super) fn end_suppression(
        &mut self,
        id: alert::SuppressionId,
        author: Author,
        comment: Option<String>,
        request_id: Option<String>,
    ) {
        self.push(Change::SuppressionEnded { id, at: self.now.utc, author, comment, request_id });
        let covered: Vec<AlertId> = self.room.silenced_by(id);
        for alert in covered {
            match self.room.find_alert(&alert).and_then(|a| self.room.covering(a)) {
                Some(other) => self.turn(&alert, Turn::OutOfService(other), false, None),
                None => self.speak(&alert, Turn::InService),
            }
        }
    }
}
