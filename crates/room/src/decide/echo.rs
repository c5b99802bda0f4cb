//! What coming again does to an alert that is open, whoever says it: a rule, a device, an operator. One judgement for
//! all of them, so that what chatters is held alike (T2, T8 and the hold of what chatters).

use alert::{Alert, AlertClass, AlertCondition, Priority, REALARM_EVERY_MS};
use transit::UtcMillis;

use super::draft::Draft;
use crate::{ControlRoom, OpenKey};

/// What coming again does besides being counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Echo {
    /// It sounds again and is nobody's.
    pub(super) re_alarmed: bool,
    /// It sounds.
    pub(super) sounds: bool,
    /// It chatters: held open and silent until then, if nothing more comes.
    pub(super) release_at: Option<UtcMillis>,
    /// When it has to be taken, where that starts anew.
    pub(super) ack_due_at: Option<UtcMillis>,
}

impl ControlRoom {
    /// What ended a moment ago and is back is another occurrence, but no other trouble: it goes on chattering, is held
    /// when it has come back often enough, and does not sound at each return.
    pub(super) fn recall_flap(&self, alert: &mut Alert, at: UtcMillis) {
        let ended = self.ended.find(&OpenKey::of(alert), at, self.options.flap_window_ms);
        let Some(last) = ended.and_then(|id| self.alerts.get(id)) else { return };
        if alert.class == AlertClass::Emergency || alert.priority < last.priority {
            return;
        }
        alert.flap.count = last.flap.count.saturating_add(1);
        alert.flap.returns.clone_from(&last.flap.returns);
        if self.chatters(alert, at) {
            alert.flap.held_since = Some(at);
            alert.flap.release_at = Some(at.plus_millis(self.options.flap_release_ms));
        }
        alert.flap.note_return(at);
        // A clock that was set back counts as passed, and what was silent when it began is heard now.
        let rested = !(0..REALARM_EVERY_MS).contains(&at.since(last.annunciated_at));
        let was_heard = last.annunciations > 0 || last.annunciated_at != last.raised_at;
        if was_heard && (alert.flap.held() || !rested) {
            alert.annunciated_at = last.annunciated_at;
        }
    }

    /// A return at `at` is one too many within the time.
    fn chatters(&self, alert: &Alert, at: UtcMillis) -> bool {
        let is_recent = |earlier: &&UtcMillis| (0..self.options.flap_window_ms).contains(&at.since(**earlier));
        alert.flap.returns.iter().filter(is_recent).count() + 1 >= self.options.flap_cycles
    }
}

impl Draft {
    /// Judges what says `alert` anew with that priority. An emergency is never held and sounds at every return.
    pub(super) fn echo_of(&self, alert: &Alert, priority: Priority) -> Echo {
        let at = self.now.utc;
        let emergency = alert.class == AlertClass::Emergency;
        let (returns, risen) = (alert.condition == AlertCondition::Cleared, priority < alert.priority);
        let held = !emergency && (alert.flap.held() || (returns && self.room.chatters(alert, at)));
        let re_alarmed = !held && alert.re_alarms_at(priority, self.now);
        // One that still stands on the list unanswered need not sound at each return.
        let rested = emergency || at.since(alert.annunciated_at) >= REALARM_EVERY_MS;
        let waits = alert.silence.is_none() && !held && !re_alarmed && !alert.acknowledged();
        let sounds = waits && (risen || (returns && rested));
        let ack_due_at =
            if re_alarmed || sounds { self.ack_due(priority.min(alert.priority), alert.status) } else { None };
        let release_at = held.then(|| at.plus_millis(self.room.options.flap_release_ms));
        Echo { re_alarmed, sounds, release_at, ack_due_at }
    }
}
