//! One decision being made: changes are tried on a copy of the room, so that each follows from those before it.

use alert::{Alert, AlertCondition, AlertId, Author, Change, CloseReason, Priority, Silence, Subject, Turn};
use transit::{Now, Status, UtcMillis};

use crate::{ControlRoom, Decision, OpenKey, Verdict};

/// The room as it will be, and the changes that lead there.
pub(super) struct Draft {
    pub(super) room: ControlRoom,
    pub(super) now: Now,
    changes: Vec<Change>,
    /// Fell silent by this decision: whoever stands behind one of them needs another to speak for it.
    fallen: Vec<AlertId>,
}

impl Draft {
    pub(super) fn of(room: &ControlRoom, now: Now) -> Self {
        Self { room: room.clone(), now, changes: Vec::new(), fallen: Vec::new() }
    }

    pub(super) fn ends(mut self, verdict: Verdict) -> Decision {
        for id in std::mem::take(&mut self.fallen) {
            if self.room.find_alert(&id).is_some_and(|root| !root.silence.is_none()) {
                self.succeed(&id);
            }
        }
        Decision { changes: self.changes, verdict }
    }

    pub(super) fn push(&mut self, change: Change) {
        self.room.apply(&change);
        self.changes.push(change);
    }

    /// Something happens to an alert by itself.
    pub(super) fn turn(&mut self, alert: &AlertId, turn: Turn, sounds: bool, due_at: Option<UtcMillis>) {
        let falls =
            matches!(turn, Turn::ByParent(_) | Turn::ByIncident(_) | Turn::OutOfService(_) | Turn::Collapsed(_));
        self.push(Change::AlertTurned { alert: alert.clone(), at: self.now.utc, turn, sounds, due_at });
        if falls {
            self.falls_silent(alert);
        }
    }

    /// It speaks for nobody from now on.
    pub(super) fn falls_silent(&mut self, alert: &AlertId) {
        self.fallen.push(alert.clone());
    }

    /// When an alert of that priority that sounds now has to be taken.
    pub(super) fn ack_due(&self, priority: Priority, status: Status) -> Option<UtcMillis> {
        let after = self.room.options.escalate_ms(priority).filter(|_| status != Status::Test)?;
        Some(self.now.utc.plus_millis(after))
    }

    /// Raises `alert` as what is known makes it: silent where something open explains it, and due where it sounds.
    pub(super) fn raise(&mut self, mut alert: Alert, change: impl FnOnce(Box<Alert>) -> Change) -> AlertId {
        let id = alert.id.clone();
        alert.silence.by_parent = self.room.parent_of(&alert);
        alert.silence.by_incident = self.room.explanation_of(&alert, self.now.utc);
        alert.silence.out_of_service = self.room.covering(&alert);
        let burst = self.room.burst_of(&alert, self.now.utc);
        alert.silence.collapsed_into = burst.root;
        self.room.recall_flap(&mut alert, self.now.utc);
        // One that is held and does not sound is to be taken all the same.
        alert.due.acknowledge_at =
            alert.silence.is_none().then(|| self.ack_due(alert.priority, alert.status)).flatten();
        let (root, key) = (alert.silence.collapsed_into.clone(), OpenKey::of(&alert));
        self.push(change(Box::new(alert)));
        if let Some(root) = root {
            for member in burst.first {
                self.turn(&member, Turn::Collapsed(root.clone()), false, None);
            }
        }
        self.shelter(&key);
        id
    }

    /// The alert of `key` is open: what it explains falls silent (T13).
    pub(super) fn shelter(&mut self, key: &OpenKey) {
        let Some(parent) = self.room.open.get(key).cloned() else { return };
        for child in self.room.children_of(key) {
            let unexplained =
                self.room.find_alert(&child).is_some_and(|c| c.is_open() && c.silence.by_parent.is_none());
            if unexplained && child != parent {
                self.turn(&child, Turn::ByParent(parent.clone()), false, None);
            }
        }
    }

    /// Ends `alert`, and what it kept silent speaks again.
    pub(super) fn close(&mut self, change: Change) {
        let Some(id) = change.alert_id().cloned() else { return };
        self.push(change);
        for child in self.room.explained_by(&id) {
            match self.room.find_alert(&child).and_then(|alert| self.room.parent_of(alert)) {
                Some(parent) => self.turn(&child, Turn::ByParent(parent), false, None),
                None => self.speak(&child, Turn::ParentOver),
            }
        }
        self.succeed(&id);
    }

    /// `root` speaks no more for those that stand behind it: the first that nothing else keeps silent does.
    fn succeed(&mut self, root: &AlertId) {
        let members = self.room.collapsed_into(root);
        let speaks = |id: &&AlertId| self.room.find_alert(id).is_some_and(|alert| goes_on(alert));
        if let Some(next) = members.iter().find(speaks).or(members.first()).cloned() {
            self.hand_on(root, &next);
        }
    }

    /// `next` speaks for those that stand behind `root`.
    fn hand_on(&mut self, root: &AlertId, next: &AlertId) {
        self.speak(next, Turn::Uncollapsed);
        for member in self.room.collapsed_into(root) {
            self.turn(&member, Turn::Collapsed(next.clone()), false, None);
        }
    }

    /// What has become critical stands behind nothing, and nothing that goes on behind what does not.
    pub(super) fn expose(&mut self, id: &AlertId) {
        let Some(alert) = self.room.find_alert(id).filter(|alert| alert.is_open()) else { return };
        let Some(root) = &alert.silence.collapsed_into else { return };
        let stands = |root: &Alert| root.condition == AlertCondition::Active && root.silence.is_none();
        let is_spoken_for = self.room.find_alert(root).is_some_and(|root| stands(root));
        if alert.priority == Priority::P1 || (goes_on(alert) && !is_spoken_for) {
            self.speak(id, Turn::Uncollapsed);
        }
    }

    /// One reason to be silent is gone; without another it sounds, if it is active and nobody's.
    pub(super) fn speak(&mut self, id: &AlertId, turn: Turn) {
        let Some(alert) = self.room.find_alert(id) else { return };
        let mut left = alert.silence.clone();
        match &turn {
            Turn::ParentOver => left.by_parent = None,
            Turn::IncidentOver => left.by_incident = None,
            Turn::InService => left.out_of_service = None,
            Turn::Uncollapsed => left.collapsed_into = None,
            Turn::ShelfEnded => left.shelf = None,
            Turn::Escalated { .. }
            | Turn::Unattended
            | Turn::Reminded
            | Turn::OwnerDropped
            | Turn::HoldReleased
            | Turn::ByParent(_)
            | Turn::ByIncident(_)
            | Turn::OutOfService(_)
            | Turn::Collapsed(_) => {}
        }
        let waits = left.is_none() && !alert.acknowledged() && alert.is_open();
        let sounds = waits && alert.condition == AlertCondition::Active && !alert.flap.held();
        let due_at = if waits { self.ack_due(alert.priority, alert.status) } else { None };
        self.turn(id, turn, sounds, due_at);
        self.expose(id);
    }

    /// Final by itself: its condition is over and somebody had it.
    pub(super) fn resolve(&mut self, id: &AlertId, author: Author, reason: CloseReason) {
        let (alert, at) = (id.clone(), self.now.utc);
        self.close(Change::AlertClosed { alert, at, author, reason, seen: None, comment: None, request_id: None });
    }

    /// The condition of an open alert that does not latch is over: cleared, off a one-shot shelf, and final where
    /// somebody has it and it does not chatter (T6).
    pub(super) fn clear(&mut self, id: &AlertId, press: Option<alert::Press>, author: Author, reason: CloseReason) {
        self.push(Change::AlertCleared { alert: id.clone(), at: self.now.utc, press });
        // Where some behind it go on, one of them has to say so: the newest, because what began together ends in the same
        // order.
        let on = |id: &&AlertId| self.room.find_alert(id).is_some_and(|alert| goes_on(alert));
        if let Some(next) = self.room.collapsed_into(id).iter().rev().find(on).cloned() {
            self.hand_on(id, &next);
        }
        let Some(alert) = self.room.find_alert(id).cloned() else { return };
        if alert.silence.shelf.as_ref().is_some_and(|shelf| shelf.kind == alert::ShelfKind::OneShot) {
            self.speak(id, Turn::ShelfEnded);
        }
        if alert.acknowledged() && !alert.flap.held() {
            self.resolve(id, author, reason);
        }
    }
}

/// It is active, and nothing but another that speaks for it keeps it silent.
fn goes_on(alert: &Alert) -> bool {
    let silence = Silence { collapsed_into: None, ..alert.silence.clone() };
    alert.condition == AlertCondition::Active && silence.is_none()
}

/// What a raise meets in its rule's last minute.
#[derive(Default)]
pub(crate) struct Burst {
    /// The first of the burst, that speaks for all.
    pub(crate) root: Option<AlertId>,
    /// Those between it and now that still speak for themselves.
    pub(crate) first: Vec<AlertId>,
}

impl ControlRoom {
    pub(super) fn find_open(&self, key: &OpenKey) -> Option<&Alert> {
        self.open.get(key).and_then(|id| self.alerts.get(id)).map(|alert| &**alert)
    }

    pub(super) fn open_of(&self, subject: &Subject) -> impl Iterator<Item = &Alert> {
        let first = OpenKey { subject: subject.clone(), rule: String::new(), status: Status::Actual };
        self.open
            .range(first..)
            .take_while(move |(key, _)| key.subject == *subject)
            .filter_map(|(_, id)| self.alerts.get(id).map(|alert| &**alert))
    }

    pub(super) fn next_id(&self, now: Now) -> AlertId {
        let date = now.utc.timestamp().to_zoned_datetime(self.options.timezone.clone()).date();
        let number = |n: i16| u32::from(n.unsigned_abs());
        let date = number(date.year()) * 10_000 + number(date.month().into()) * 100 + number(date.day().into());
        AlertId { number: self.highest_number + 1, date }
    }
}
