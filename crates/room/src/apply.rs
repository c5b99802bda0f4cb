//! What a recorded change does to the room. Decides nothing: the same for a live step and for replay.

use std::sync::Arc;

use alert::{Alert, AlertId, Change, Fingerprint, Incident, IncidentKey, IncidentPhase, Order, Press, Subject};
use imbl::OrdMap;
use transit::UtcMillis;

use crate::{ControlRoom, Decision, OpenKey, PressKey, RequestKey};

impl ControlRoom {
    /// Makes a recorded change so, as the journal's next record. A change of an alert that is no longer in memory is
    /// counted in the sequence and does nothing else.
    pub fn apply(&mut self, change: &Change) {
        self.seq += 1;
        match change {
            Change::AlertRaised { alert, fingerprint, identified } => {
                self.admit(alert, *fingerprint, *identified, change);
            }
            Change::AlertRepeated { alert, press, .. } => {
                self.follow(alert, change);
                self.remember(alert, press, false, change.at());
            }
            Change::AlertSourceNormal { alert, press, .. } | Change::AlertCleared { alert, press, .. } => {
                self.follow(alert, change);
                self.remember(alert, press, true, change.at());
            }
            Change::AlertAcknowledged { alert, .. } => self.follow(alert, change),
            Change::AlertClosed { alert, .. } => {
                self.follow(alert, change);
                self.put_away(alert, change.at());
            }
            Change::IncidentRecorded(incident) => self.keep_incident(incident, change.at()),
            Change::IncidentWithdrawn { key, at } => {
                if let Some(known) = self.incidents.get(key) {
                    let mut incident = Incident::clone(known);
                    incident.withdraw(*at);
                    self.keep_incident(&incident, *at);
                }
            }
        }
        if let Some((key, order)) = carried_out(change) {
            self.requests.insert(key, change.at(), Arc::new(order));
        }
        self.forget(change.at());
    }

    /// The room as operators see it while the journal cannot be written: `decision` applied, its alerts marked as not
    /// durable.
    ///
    /// The owner task keeps the durable room and the inputs it could not record. It shows an overlay, one input on top
    /// of the other (`shown = shown.overlay(&shown.decide(input, now))`), and refuses orders. When the journal is back
    /// it decides the kept inputs anew on the durable room, records and applies them, and drops the overlay. An
    /// overlay's sequence numbers are therefore provisional, and so are its alert ids, although the same inputs in the
    /// same order take the same numbers again.
    #[must_use]
    pub fn overlay(&self, decision: &Decision) -> Self {
        let mut shown = self.clone();
        for change in &decision.changes {
            shown.apply(change);
            if let Some(alert) = change.alert_id().and_then(|id| shown.alerts.get_mut(id)) {
                Arc::make_mut(alert).durable = false;
            }
        }
        shown
    }

    fn admit(&mut self, raised: &Alert, fingerprint: Fingerprint, identified: bool, change: &Change) {
        let mut alert = raised.clone();
        alert.follow(self.seq, change);
        let (id, at) = (alert.id.clone(), alert.raised_at);
        self.highest_number = self.highest_number.max(id.number);
        self.open_unparsed += usize::from(matches!(alert.subject, Subject::Unparsed(_)));
        self.open.insert(OpenKey::of(&alert), id.clone());
        self.prints.insert(fingerprint, at, id.clone());
        if identified && let (Some(event_id), Some(event_at)) = (alert.event_id.clone(), alert.event_at) {
            let key = PressKey { subject: alert.subject.clone(), ended: false, event_id, event_at };
            self.presses.insert(key, at, id.clone());
        }
        self.alerts.insert(id, Arc::new(alert));
    }

    fn follow(&mut self, id: &AlertId, change: &Change) {
        if let Some(alert) = self.alerts.get_mut(id) {
            Arc::make_mut(alert).follow(self.seq, change);
        }
    }

    fn remember(&mut self, id: &AlertId, press: &Press, ended: bool, at: UtcMillis) {
        self.prints.insert(press.fingerprint, at, id.clone());
        let Some(alert) = self.alerts.get(id) else { return };
        if press.identified
            && let (Some(event_id), Some(event_at)) = (press.event_id.clone(), press.event_at)
        {
            let key = PressKey { subject: alert.subject.clone(), ended, event_id, event_at };
            self.presses.insert(key, at, id.clone());
        }
    }

    fn put_away(&mut self, id: &AlertId, at: UtcMillis) {
        let Some(alert) = self.alerts.get(id) else { return };
        if self.open.remove(&OpenKey::of(alert)).is_some() {
            self.open_unparsed -= usize::from(matches!(alert.subject, Subject::Unparsed(_)));
        }
        self.closed_alerts.insert(id.clone(), at, ());
    }

    fn keep_incident(&mut self, incident: &Incident, at: UtcMillis) {
        let key = incident.report.key.clone();
        let is_open = |incident: &Incident| incident.phase == IncidentPhase::Active;
        let was_open = self.incidents.get(&key).is_some_and(|known| is_open(known));
        self.open_incidents -= usize::from(was_open);
        if is_open(incident) {
            self.open_incidents += 1;
            self.closed_incidents.remove(&key);
        } else {
            self.closed_incidents.insert(key.clone(), at, ());
        }
        self.incidents.insert(key, Arc::new(Incident { seq: self.seq, ..incident.clone() }));
    }

    fn forget(&mut self, now: UtcMillis) {
        let options = Arc::clone(&self.options);
        self.presses.prune(now, options.dedup_ms, options.dedup_max);
        self.prints.prune(now, options.dedup_ms, options.dedup_max);
        self.requests.prune(now, options.request_ms, options.request_max);
        let alerts = self.closed_alerts.prune(now, options.closed_ms, options.closed_max);
        drop_all(&mut self.alerts, &alerts);
        let incidents: Vec<IncidentKey> = self.closed_incidents.prune(now, options.closed_ms, options.closed_max);
        drop_all(&mut self.incidents, &incidents);
    }
}

fn drop_all<K: Ord + Clone, V: Clone>(from: &mut OrdMap<K, V>, keys: &[K]) {
    for key in keys {
        from.remove(key);
    }
}

/// The order a change carries out, and how its giver names it.
fn carried_out(change: &Change) -> Option<(RequestKey, Order)> {
    match change {
        Change::AlertAcknowledged { alert, actor, seen, comment, request_id, .. } => Some((
            RequestKey { by: actor.by.clone(), request_id: request_id.clone() },
            Order::Acknowledge { alert: alert.clone(), seen: *seen, comment: comment.clone() },
        )),
        Change::AlertClosed {
            alert,
            author: alert::Author::Person(actor),
            reason,
            comment,
            request_id: Some(request_id),
            ..
        } => Some((
            RequestKey { by: actor.by.clone(), request_id: request_id.clone() },
            Order::Close { alert: alert.clone(), reason: *reason, comment: comment.clone() },
        )),
        Change::AlertRaised { .. }
        | Change::AlertRepeated { .. }
        | Change::AlertSourceNormal { .. }
        | Change::AlertCleared { .. }
        | Change::AlertClosed { .. }
        | Change::IncidentRecorded(_)
        | Change::IncidentWithdrawn { .. } => None,
    }
}
