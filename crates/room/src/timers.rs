//! What is due and when, in order: a step looks at the earliest and no further.
//!
//! Follows from alerts, incidents and suppressions alone, so that replay and a snapshot give the same.

use alert::{Alert, AlertId, IncidentKey, SuppressionId};
use imbl::{OrdMap, OrdSet};
use transit::UtcMillis;

/// One thing that can be due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// Of an alert.
    Alert(Deadline, AlertId),
    /// A suppression's end.
    Suppression(SuppressionId),
    /// A planned incident's beginning, or the end of one that was armed for a time.
    Incident(IncidentKey),
}

/// Which deadline of an alert. In one step an end of silence comes before what may then sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deadline {
    Shelf,
    Explained,
    Expire,
    Acknowledge,
    Remind,
    Release,
}

impl Deadline {
    pub(crate) const ALL: [Self; 6] =
        [Self::Shelf, Self::Explained, Self::Expire, Self::Acknowledge, Self::Remind, Self::Release];

    /// When it is due for `alert`, if at all.
    pub(crate) fn of(self, alert: &Alert) -> Option<UtcMillis> {
        if !alert.is_open() {
            return None;
        }
        match self {
            Self::Shelf => alert.silence.shelf.as_ref().map(alert::Shelf::due_at),
            Self::Explained => alert.silence.by_incident.as_ref().and_then(|explanation| explanation.until),
            Self::Expire => alert.due.expires_at,
            Self::Acknowledge => alert.due.acknowledge_at.filter(|_| !alert.acknowledged() && alert.silence.is_none()),
            Self::Remind => alert.due.remind_at.filter(|_| alert.acknowledged()),
            Self::Release => alert.flap.release_at,
        }
    }
}

/// Timers by the time they are due.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timers {
    order: OrdSet<(UtcMillis, Timer)>,
    due: OrdMap<Timer, UtcMillis>,
}

impl Timers {
    /// Sets a timer anew, or takes it away.
    pub(crate) fn set(&mut self, timer: Timer, at: Option<UtcMillis>) {
        if self.due.get(&timer).copied() == at {
            return;
        }
        if let Some(old) = self.due.remove(&timer) {
            self.order.remove(&(old, timer.clone()));
        }
        if let Some(at) = at {
            self.order.insert((at, timer.clone()));
            self.due.insert(timer, at);
        }
    }

    /// Sets all timers of an alert.
    pub(crate) fn set_alert(&mut self, alert: &Alert) {
        for deadline in Deadline::ALL {
            self.set(Timer::Alert(deadline, alert.id.clone()), deadline.of(alert));
        }
    }

    /// What is due at `now`, earliest first.
    pub(crate) fn due(&self, now: UtcMillis) -> impl Iterator<Item = &Timer> {
        self.order.iter().take_while(move |(at, _)| *at <= now).map(|(_, timer)| timer)
    }

    pub(crate) fn is_due(&self, timer: &Timer, now: UtcMillis) -> bool {
        self.due.get(timer).is_some_and(|at| *at <= now)
    }

    /// When the next is due.
    pub(crate) fn next(&self) -> Option<UtcMillis> {
        self.order.get_min().map(|(at, _)| *at)
    }

    /// The alerts that have a timer.
    pub(crate) fn alerts(&self) -> Vec<AlertId> {
        let mut ids: Vec<AlertId> = self
            .due
            .keys()
            .filter_map(|timer| if let Timer::Alert(_, id) = timer { Some(id.clone()) } else { None })
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}
