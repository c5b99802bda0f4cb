//! What coming again does to an alert that is open, whoever says it: a rule, a device, an operator. One judgement for
//! all of them, so that what chatters is held alike (T2, T8 and the hold of what chatters).

use alert::{Alert, AlertClass, AlertCondition, Priority, REALARM_EVERY_MS};
use transit::UtcMillis;

use super::draft::Draft;

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

impl Draft {
    /// Judges what says `alert` anew with that priority. An emergency is never held and sounds at every return.
    pub(super) fn echo_of(&self, alert: &Alert, priority: Priority) -> Echo {
        let at = self.now.utc;
        let emergency = alert.class == AlertClass::Emergency;
        let (returns, risen) = (alert.condition == AlertCondition::Cleared, priority < alert.priority);
        let held = !emergency && (alert.flap.held() || self.chatters(alert, returns));
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

    /// This return is one too many within the time.
    fn chatters(&self, alert: &Alert, returns: bool) -> bool {
        let options = &self.room.options;
        let recent = alert.flap.returns.iter().filter(|at| self.now.utc.since(**at) < options.flap_window_ms).count();
        returns && recent + 1 >= options.flap_cycles
    }
}
