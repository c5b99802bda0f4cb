//! What a recorded change does to the room. Decides nothing: the same for a live step and for replay.

use std::sync::Arc;

use alert::{
    Alert, AlertClass, AlertId, Author, Change, Fingerprint, HistoryEntry, Incident, IncidentKey, IncidentPhase, Order,
    Press, Subject, Suppression, SuppressionId,
};
use imbl::OrdMap;
use transit::UtcMillis;

use crate::{CarriedOut, ControlRoom, Decision, OpenKey, PressKey, RequestKey, Target, timers::Timer};

impl ControlRoom {
    /// Counts a record that could not be read back: what it said is lost, and numbers go on.
    pub fn pass_over(&mut self) {
        self.seq += 1;
    }

    /// Makes a recorded change so, as the journal's next record. A change of an alert that is no longer in memory is
    /// counted in the sequence and does nothing else.
    pub fn apply(&mut self, change: &Change) {
        self.seq += 1;
        match change {
            Change::AlertRaised { alert, fingerprint, identified, .. } => {
                self.admit(alert, *fingerprint, *identified, change);
            }
            Change::AlertRepeated { alert, press, .. } => {
                self.follow(alert, change);
                self.remember(alert, press, false, change.at());
            }
            Change::AlertSourceNormal { alert, press, .. } | Change::AlertCleared { alert, press, .. } => {
                self.follow(alert, change);
                if let Some(press) = press {
                    self.remember(alert, press, true, change.at());
                    if let Some(key) = self.alerts.get(alert).map(|alert| OpenKey::of(alert)) {
                        self.note_end(key, change.at(), press);
                    }
                }
            }
            Change::EndCameFirst { subject, rule, status, at, press } => {
                let key = OpenKey { subject: subject.clone(), rule: rule.clone(), status: *status };
                self.note_end(key, *at, press);
            }
            Change::AlertRenewed { alert, .. }
            | Change::AlertAcknowledged { alert, .. }
            | Change::AlertTended { alert, .. }
            | Change::AlertTurned { alert, .. } => self.follow(alert, change),
            Change::AlertsGrouped { alerts, .. } => alerts.iter().for_each(|alert| self.follow(alert, change)),
            Change::AlertClosed { alert, .. } => {
                self.follow(alert, change);
                self.put_away(alert, change.at());
            }
            Change::ClockStepped { .. } => {
                for alert in self.timers.alerts() {
                    self.follow(&alert, change);
                }
            }
            Change::IncidentRecorded(incident) => {
                self.name(&incident.report.key, &incident.report.names, change.at());
                self.keep_incident(Incident::clone(incident), change);
            }
            Change::IncidentOrdered { incident, .. } => {
                self.keep_incident(Incident::clone(incident), change);
                change.formed_of().iter().for_each(|alert| self.follow(alert, change));
            }
            Change::IncidentNamed { key, names, at } => self.name(key, names, *at),
            Change::IncidentWithdrawn { key, at } => self.change_incident(key, change, |i| i.withdraw(*at)),
            Change::IncidentStarted { key, at } => self.change_incident(key, change, |incident| {
                (incident.starts_at, incident.updated_at) = (None, *at);
            }),
            Change::IncidentRested { key, at, starts_at } => self.change_incident(key, change, |incident| {
                (incident.starts_at, incident.updated_at) = (Some(*starts_at), *at);
            }),
            Change::IncidentEnded { key, at } => self.change_incident(key, change, |incident| incident.end(*at)),
            Change::SuppressionStarted { suppression, .. } => {
                self.highest_suppression = self.highest_suppression.max(suppression.id);
                self.keep_suppression(Suppression::clone(suppression));
            }
            Change::SuppressionEnded { id, at, author, .. } => self.lift(*id, *at, author),
        }
        if let Some((key, carried_out)) = carried_out(change) {
            self.requests.insert(key, change.at(), Arc::new(carried_out));
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

    fn admit(&mut self, raised: &Alert, fingerprint: Option<Fingerprint>, identified: bool, change: &Change) {
        let mut alert = raised.clone();
        alert.follow(self.seq, change);
        let (id, at) = (alert.id.clone(), alert.raised_at);
        self.highest_number = self.highest_number.max(id.number);
        self.open_unparsed += usize::from(matches!(alert.subject, Subject::Unparsed(_)));
        self.open.insert(OpenKey::of(&alert), id.clone());
        if let Some(fingerprint) = fingerprint {
            self.prints.insert(fingerprint, at, id.clone());
        }
        if identified && let (Some(event_id), Some(event_at)) = (alert.event_id.clone(), alert.event_at) {
            let key = PressKey { subject: alert.subject.clone(), ended: false, event_id, event_at };
            self.presses.insert(key, at, id);
        }
        self.note_raise(&alert);
        self.replace(None, alert);
    }

    fn follow(&mut self, id: &AlertId, change: &Change) {
        let Some(before) = self.alerts.get(id).map(Arc::clone) else { return };
        let mut after = Alert::clone(&before);
        after.follow(self.seq, change);
        self.replace(Some(&before), after);
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

    /// A source says that it is normal again; what it says later of an earlier time changes nothing.
    fn note_end(&mut self, key: OpenKey, at: UtcMillis, press: &Press) {
        let known = self.ends.find(&key, at, self.options.ends_ms);
        if press.plausible && known.is_none_or(|known| known.event_at < press.event_at) {
            self.ends.insert(key, at, Arc::new(press.clone()));
        }
    }

    fn put_away(&mut self, id: &AlertId, at: UtcMillis) {
        let Some(alert) = self.alerts.get(id) else { return };
        if self.open.remove(&OpenKey::of(alert)).is_some() {
            self.open_unparsed -= usize::from(matches!(alert.subject, Subject::Unparsed(_)));
        }
        self.closed_alerts.insert(id.clone(), at, ());
        if alert.cleared_at.is_some() && alert.class != AlertClass::Emergency {
            self.ended.insert(OpenKey::of(alert), at, id.clone());
        }
    }

    /// What a source says of these ids is about the incident of `key`.
    fn name(&mut self, key: &IncidentKey, names: &[String], at: UtcMillis) {
        for name in names {
            let alias = IncidentKey { source: key.source.clone(), id: name.clone() };
            self.aliases.insert(alias, at, key.clone());
        }
    }

    fn change_incident(&mut self, key: &IncidentKey, change: &Change, alter: impl FnOnce(&mut Incident)) {
        if let Some(known) = self.incidents.get(key) {
            let mut incident = Incident::clone(known);
            alter(&mut incident);
            self.keep_incident(incident, change);
        }
    }

    fn keep_incident(&mut self, mut incident: Incident, change: &Change) {
        let (key, at) = (incident.report.key.clone(), change.at());
        let is_open = |incident: &Incident| incident.phase == IncidentPhase::Active;
        let known = self.incidents.get(&key).map(Arc::clone);
        let was_open = known.as_ref().is_some_and(|known| is_open(known));
        self.open_incidents -= usize::from(was_open);
        if is_open(&incident) {
            self.open_incidents += 1;
            self.closed_incidents.remove(&key);
        } else {
            self.closed_incidents.insert(key.clone(), at, ());
        }
        incident.seq = self.seq;
        incident.history = known.as_ref().map(|known| known.history.clone()).unwrap_or_default();
        let from = known.map_or_else(|| "none".to_owned(), |known| known.standing());
        let entry = incident_entry(self.seq, from, &incident, change);
        incident.note(entry);
        self.timers.set(Timer::Incident(key.clone()), incident.due_at());
        if incident.may_explain() {
            self.explaining.insert(key.clone());
        } else {
            self.explaining.remove(&key);
        }
        self.incidents.insert(key, Arc::new(incident));
    }

    fn keep_suppression(&mut self, suppression: Suppression) {
        let until = suppression.request.until;
        let ends = suppression.ended_at.is_none().then_some(until);
        self.timers.set(Timer::Suppression(suppression.id), ends);
        self.suppressions.insert(suppression.id, Arc::new(Suppression { seq: self.seq, ..suppression }));
    }

    fn lift(&mut self, id: SuppressionId, at: UtcMillis, author: &Author) {
        let Some(known) = self.suppressions.get(&id) else { return };
        let ended_by = if let Author::Person(actor) = author { Some(actor.by.clone()) } else { None };
        let ended = Suppression { ended_at: Some(at), ended_by, ..Suppression::clone(known) };
        self.keep_suppression(ended);
        self.ended_suppressions.insert(id, at, ());
    }

    fn forget(&mut self, now: UtcMillis) {
        let options = Arc::clone(&self.options);
        self.presses.prune(now, options.dedup_ms, options.dedup_max);
        self.prints.prune(now, options.dedup_ms, options.dedup_max);
        self.ends.prune(now, options.ends_ms, options.ends_max);
        self.aliases.prune(now, options.alias_ms, options.alias_max);
        self.requests.prune(now, options.request_ms, options.request_max);
        self.ended.prune(now, options.flap_window_ms, options.closed_max);
        let alerts = self.closed_alerts.prune(now, options.closed_ms, options.closed_max);
        for id in &alerts {
            if let Some(alert) = self.alerts.remove(id) {
                self.accounting.remove(id);
                self.forgotten_seq = self.forgotten_seq.max(alert.seq);
                self.by_seq.remove(&(alert.seq, alert.id.clone()));
            }
        }
        let incidents: Vec<IncidentKey> = self.closed_incidents.prune(now, options.closed_ms, options.closed_max);
        drop_all(&mut self.incidents, &incidents);
        let suppressions = self.ended_suppressions.prune(now, options.closed_ms, options.closed_max);
        drop_all(&mut self.suppressions, &suppressions);
    }
}

fn drop_all<K: Ord + Clone, V: Clone>(from: &mut OrdMap<K, V>, keys: &[K]) {
    for key in keys {
        from.remove(key);
    }
}

/// The line of an incident's history that `change` makes.
fn incident_entry(seq: u64, from: String, incident: &Incident, change: &Change) -> HistoryEntry {
    let ordered = if let Change::IncidentOrdered { actor, deed, comment, .. } = change {
        Some((actor, deed.word(), comment.clone()))
    } else {
        None
    };
    let by_clock = [
        (matches!(change, Change::IncidentStarted { .. }), "started"),
        (matches!(change, Change::IncidentRested { .. }), "rested"),
        (matches!(change, Change::IncidentEnded { .. }), "ended"),
    ];
    let by_clock = by_clock.iter().find(|(is, _)| *is).map(|(_, word)| *word);
    let reason = if let Some(word) = by_clock {
        word
    } else if matches!(change, Change::IncidentWithdrawn { .. }) {
        "withdrawn_by_source"
    } else if from == "none" {
        "recorded"
    } else {
        "updated"
    };
    let source = || ("source", incident.report.key.source.clone());
    let (actor_kind, actor) = if by_clock.is_some() { ("timer", "room".to_owned()) } else { source() };
    HistoryEntry {
        seq,
        at: change.at(),
        actor_kind: ordered.as_ref().map_or(actor_kind, |_| "person").to_owned(),
        actor: ordered.as_ref().map_or(actor, |(by, ..)| by.by.clone()),
        desk: ordered.as_ref().and_then(|(by, ..)| by.desk.clone()),
        from,
        to: incident.standing(),
        reason: ordered.as_ref().map_or(reason, |(_, word, _)| word).to_owned(),
        comment: ordered.and_then(|(.., comment)| comment),
        request_id: change.ordered_by().map(|(_, request_id)| request_id.to_owned()),
        deed: None,
    }
}

/// The order a change carries out, and how its giver names it.
fn carried_out(change: &Change) -> Option<(RequestKey, CarriedOut)> {
    let (actor, request_id) = change.ordered_by()?;
    let key = RequestKey { by: actor.by.clone(), request_id: request_id.to_owned() };
    let on = |alert: &AlertId| Target::Alert(alert.clone());
    let (order, target) = match change {
        Change::AlertAcknowledged { alert, seen, comment, .. } => {
            let order = Order::Acknowledge { alert: alert.clone(), seen: *seen, comment: comment.clone() };
            (order, on(alert))
        }
        Change::AlertClosed { alert, reason, seen, comment, .. } => {
            (Order::Close { alert: alert.clone(), reason: *reason, seen: *seen, comment: comment.clone() }, on(alert))
        }
        Change::AlertTended { alert, deed, comment, .. } => {
            let order = Order::Tend { alert: alert.clone(), deed: deed.clone(), comment: comment.clone() };
            (order, on(alert))
        }
        Change::AlertRaised { alert, ordered, .. } => {
            (Order::Raise(Box::new(ordered.as_ref()?.said.clone())), on(&alert.id))
        }
        Change::AlertRenewed { alert, ordered, .. } => {
            (Order::Raise(Box::new(ordered.as_ref()?.said.clone())), on(alert))
        }
        Change::AlertsGrouped { incident, alerts, joined, comment, .. } => {
            let (incident, comment) = (incident.clone(), comment.clone());
            let target = Target::Incident(incident.clone());
            (Order::Group { incident, alerts: alerts.clone(), joined: *joined, comment }, target)
        }
        Change::IncidentOrdered { key, deed, comment, .. } => {
            let order = Order::Incident { key: key.clone(), deed: deed.clone(), comment: comment.clone() };
            (order, Target::Incident(key.clone()))
        }
        Change::SuppressionStarted { suppression, .. } => {
            (Order::Suppress(Box::new(suppression.request.clone())), Target::Suppression(suppression.id))
        }
        Change::SuppressionEnded { id, comment, .. } => {
            (Order::EndSuppression { id: *id, comment: comment.clone() }, Target::Suppression(*id))
        }
        Change::AlertRepeated { .. }
        | Change::EndCameFirst { .. }
        | Change::AlertSourceNormal { .. }
        | Change::AlertCleared { .. }
        | Change::AlertTurned { .. }
        | Change::IncidentRecorded(_)
        | Change::IncidentNamed { .. }
        | Change::IncidentWithdrawn { .. }
        | Change::IncidentStarted { .. }
        | Change::IncidentRested { .. }
        | Change::IncidentEnded { .. }
        | Change::ClockStepped { .. } => return None,
    };
    Some((key, CarriedOut { order, target }))
}
