//! What an operator's order does, or why it is refused (T3 to T5, T9 to T11, T18 to T21). A repeat changes nothing.

use alert::{
    Alert, AlertCondition, AlertId, AlertOrigin, Author, Change, CloseReason, Command, Deed, IncidentKey,
    OperatorAlert, Order, Ordered, Refusal, Renewal, Suppression, SuppressionId, SuppressionRequest, Turn,
};
use transit::{Now, UtcMillis};

use super::{draft::Draft, incidents::SEVERE};
use crate::{CarriedOut, ControlRoom, Decision, OpenKey, RequestKey, Target, Verdict};

impl ControlRoom {
    pub(super) fn decide_command(&self, command: &Command, now: Now) -> Decision {
        let mut draft = Draft::of(self, now);
        let command = &Command { order: command.order.kept(), ..command.clone() };
        let verdict = match self.find_request(command, now) {
            Err(refusal) => Err(refusal),
            Ok(known) => draft.obey(command, known),
        };
        match verdict {
            Ok(verdict) => draft.ends(verdict),
            Err(refusal) => super::nothing(Verdict::Refused(refusal)),
        }
    }

    /// What came of this order when it was carried out before.
    fn find_request(&self, command: &Command, now: Now) -> Result<Option<&CarriedOut>, Refusal> {
        let key = RequestKey { by: command.actor.by.clone(), request_id: command.request_id.clone() };
        match self.requests.find(&key, now.utc, self.options.request_ms) {
            None => Ok(None),
            Some(known) if known.order.says_as(&command.order) => Ok(Some(known)),
            // A default key leaves out the comment, which makes no other order of one that it names.
            Some(known) if !is_own_key(command) => Ok(Some(&**known).filter(|_| command.order.is_settled())),
            Some(_) => Err(Refusal::KeyReused),
        }
    }
}

/// The key is the sender's own, not one that was made for the order.
fn is_own_key(command: &Command) -> bool {
    !command.order.is_default_request_id(&command.actor.by, &command.request_id)
}

fn done(target: &Target) -> Verdict {
    match target {
        Target::Alert(id) => Verdict::Done(id.clone()),
        Target::Incident(key) => Verdict::IncidentDone(key.clone()),
        Target::Suppression(id) => Verdict::SuppressionDone(*id),
    }
}

impl Draft {
    fn obey(&mut self, command: &Command, known: Option<&CarriedOut>) -> Result<Verdict, Refusal> {
        let by_state = matches!(command.order, Order::Acknowledge { .. });
        if let Some(known) = known.filter(|_| is_own_key(command) && !by_state) {
            return Ok(done(&known.target));
        }
        match &command.order {
            Order::Acknowledge { alert, seen, comment } => {
                self.acknowledge(command, alert, *seen, comment.as_ref(), known.is_some())
            }
            Order::Close { alert, .. } if known.is_some() => Ok(Verdict::Done(alert.clone())),
            Order::Close { alert, reason, seen, comment } => {
                self.order_close(command, alert, *reason, *seen, comment.as_ref())
            }
            Order::Tend { alert, deed, comment } => self.tend(command, alert, deed, comment.as_ref(), known.is_some()),
            Order::Raise(said) => self.report(command, said, known),
            Order::Group { incident, alerts, joined, comment } => {
                self.group(command, incident, alerts, *joined, comment.as_ref())
            }
            Order::Suppress(request) => self.suppress(command, request),
            Order::EndSuppression { id, comment } => self.unsuppress(command, *id, comment.as_ref(), known.is_some()),
            Order::Incident { key, deed, comment } => self.order_incident(command, key, deed, comment.as_ref()),
        }
    }

    fn alert(&self, id: &AlertId) -> Result<Alert, Refusal> {
        self.room.find_alert(id).map(|alert| Alert::clone(alert)).ok_or_else(|| Refusal::Unknown(id.clone()))
    }

    fn acknowledge(
        &mut self,
        command: &Command,
        id: &AlertId,
        seen: Option<u32>,
        comment: Option<&String>,
        known: bool,
    ) -> Result<Verdict, Refusal> {
        let (alert, by) = (self.alert(id)?, &command.actor.by);
        if known && !alert.is_open() && alert.is_owned_by(by) {
            return Ok(Verdict::Done(id.clone()));
        }
        if !alert.judge_acknowledgement(by, seen)? {
            return Ok(Verdict::Done(id.clone()));
        }
        // Carried out before, and nobody's since: it re-alarmed. A key of the sender's own is a late copy of the old
        // order and must not silence what came after it; the default key is all a new order can have.
        if known && is_own_key(command) {
            return Err(Refusal::ReAlarmed(id.clone()));
        }
        self.push(Change::AlertAcknowledged {
            alert: id.clone(),
            at: self.now.utc,
            actor: command.actor.clone(),
            seen,
            comment: comment.cloned(),
            request_id: command.request_id.clone(),
            remind_at: self.remind_at(&alert),
        });
        if alert.condition == AlertCondition::Cleared && !alert.flap.held() {
            self.resolve(id, Author::Person(command.actor.clone()), CloseReason::Resolved);
        }
        Ok(Verdict::Done(id.clone()))
    }

    fn remind_at(&self, alert: &Alert) -> Option<UtcMillis> {
        let after = self.room.options.reminder_ms.filter(|_| alert.priority == alert::Priority::P1)?;
        Some(self.now.utc.plus_millis(after))
    }

    fn order_close(
        &mut self,
        command: &Command,
        id: &AlertId,
        reason: CloseReason,
        seen: Option<u32>,
        comment: Option<&String>,
    ) -> Result<Verdict, Refusal> {
        // A severe incident's alert ends with it, or when it is lowered: nothing would tell it anew before.
        let alert = self.alert(id)?;
        let reasoned = alert.rule != SEVERE && comment.is_some_and(|words| !words.trim().is_empty());
        if alert.judge_close(&command.actor, reason, seen, reasoned)? {
            self.close(Change::AlertClosed {
                alert: id.clone(),
                at: self.now.utc,
                author: Author::Person(command.actor.clone()),
                reason,
                seen,
                comment: comment.cloned(),
                request_id: Some(command.request_id.clone()),
            });
        }
        Ok(Verdict::Done(id.clone()))
    }

    fn tend(
        &mut self,
        command: &Command,
        id: &AlertId,
        deed: &Deed,
        comment: Option<&String>,
        known: bool,
    ) -> Result<Verdict, Refusal> {
        let alert = self.alert(id)?;
        let is_so_already = match deed {
            Deed::Comment | Deed::Mark(_) => true,
            Deed::Release => !alert.acknowledged() && alert.is_open(),
            Deed::Unshelve => alert.silence.shelf.is_none() && alert.is_open(),
            Deed::Handover { .. } | Deed::Shelve { .. } | Deed::Reset | Deed::Account { .. } => false,
        };
        if known && is_so_already {
            return Ok(Verdict::Done(id.clone()));
        }
        let is_reasoned = matches!(deed, Deed::Comment | Deed::Shelve { .. });
        if is_reasoned && comment.is_none_or(|words| words.trim().is_empty()) {
            return Err(Refusal::Missing("comment"));
        }
        let shelf_max_ms = self.room.options.shelf_max_ms(alert.priority);
        if !alert.judge_deed(&command.actor, deed, shelf_max_ms, self.now)? {
            return Ok(Verdict::Done(id.clone()));
        }
        let waits = !alert.acknowledged() || matches!(deed, Deed::Release);
        let due_at = match deed {
            Deed::Release | Deed::Unshelve if waits => self.ack_due(alert.priority, alert.status),
            Deed::Handover { .. } | Deed::Comment | Deed::Mark(_) | Deed::Account { .. } => self.remind_at(&alert),
            Deed::Release | Deed::Unshelve | Deed::Shelve { .. } | Deed::Reset => None,
        };
        self.push(Change::AlertTended {
            alert: id.clone(),
            at: self.now.utc,
            actor: command.actor.clone(),
            deed: deed.clone(),
            comment: comment.cloned(),
            request_id: command.request_id.clone(),
            due_at,
        });
        if matches!(deed, Deed::Shelve { .. }) {
            self.falls_silent(id);
        }
        if matches!(deed, Deed::Reset) && alert.acknowledged() {
            self.resolve(id, Author::Person(command.actor.clone()), CloseReason::Resolved);
        }
        Ok(Verdict::Done(id.clone()))
    }

    /// An operator raises an alert, or says again what is open already.
    fn report(
        &mut self,
        command: &Command,
        said: &OperatorAlert,
        known: Option<&CarriedOut>,
    ) -> Result<Verdict, Refusal> {
        if said.expires_at.is_some_and(|at| at <= self.now.utc) {
            return Err(Refusal::Until { max_ms: i64::MAX });
        }
        if let Some(CarriedOut { target: Target::Alert(id), .. }) = known
            && self.room.find_alert(id).is_some_and(|alert| alert.is_open())
        {
            return Ok(Verdict::Done(id.clone()));
        }
        let (actor, request_id) = (command.actor.clone(), command.request_id.clone());
        let ordered = Some(Box::new(Ordered { actor: actor.clone(), request_id, said: said.clone() }));
        let alert = Alert::reported(self.room.next_id(self.now), said, self.now);
        let key = OpenKey::of(&alert);
        let Some(open) = self.room.find_open(&key).cloned() else {
            let raised = |alert| Change::AlertRaised { alert, fingerprint: None, identified: false, ordered };
            return Ok(Verdict::Raised(self.raise(alert, raised)));
        };
        let renewal = Renewal {
            text: said.text.clone(),
            lat: alert.lat,
            lon: alert.lon,
            covert: said.covert == Some(true),
            // When a device's own alert is over is not an operator's to foretell.
            expires_at: said.expires_at.filter(|_| open.origin == AlertOrigin::Operator),
            ..self.echoed(&open, alert.priority)
        };
        let (id, re_alarmed) = (open.id.clone(), renewal.re_alarmed);
        self.renew(&open, Author::Person(actor), renewal, ordered, &key);
        Ok(Verdict::Repeated { alert: id, re_alarmed })
    }

    fn group(
        &mut self,
        command: &Command,
        incident: &IncidentKey,
        alerts: &[AlertId],
        joined: bool,
        comment: Option<&String>,
    ) -> Result<Verdict, Refusal> {
        if joined && self.room.find_incident(incident).is_none() {
            return Err(Refusal::UnknownIncident(incident.clone()));
        }
        let changed = self.regrouped(incident, alerts, joined)?;
        if !changed.is_empty() {
            self.push(Change::AlertsGrouped {
                incident: incident.clone(),
                alerts: changed,
                joined,
                at: self.now.utc,
                actor: command.actor.clone(),
                comment: comment.cloned(),
                request_id: command.request_id.clone(),
            });
        }
        Ok(Verdict::IncidentDone(incident.clone()))
    }

    /// Of these alerts those that would be put to the incident, or taken from it; each once.
    pub(super) fn regrouped(
        &self,
        incident: &IncidentKey,
        alerts: &[AlertId],
        joined: bool,
    ) -> Result<Vec<AlertId>, Refusal> {
        if alerts.is_empty() {
            return Err(Refusal::Missing("alerts"));
        }
        let mut changed = Vec::new();
        for id in alerts {
            let alert = self.alert(id)?;
            let belongs = alert.incident.as_ref() == Some(incident);
            if !alert.is_open() && belongs != joined {
                return Err(Refusal::Closed(id.clone()));
            }
            if !joined && !belongs && alert.incident.is_some() {
                return Err(Refusal::NotOfIncident(id.clone()));
            }
            if belongs != joined && !changed.contains(id) {
                changed.push(id.clone());
            }
        }
        Ok(changed)
    }

    fn suppress(&mut self, command: &Command, request: &SuppressionRequest) -> Result<Verdict, Refusal> {
        let max_ms = self.room.options.suppression_max_ms;
        if request.until <= self.now.utc || request.until.since(self.now.utc) > max_ms {
            return Err(Refusal::Until { max_ms });
        }
        if request.why.trim().is_empty() {
            return Err(Refusal::Missing("the reason"));
        }
        let running = |s: &&std::sync::Arc<Suppression>| s.ended_at.is_none();
        if let Some(same) = self.room.suppressions.values().filter(running).find(|s| s.request == *request) {
            return Ok(Verdict::SuppressionDone(same.id));
        }
        if self.room.suppressions.values().filter(running).count() >= self.room.options.suppressions_max {
            return Err(Refusal::NoRoom);
        }
        let id = self.room.highest_suppression + 1;
        let suppression = Suppression {
            id,
            request: request.clone(),
            actor: command.actor.clone(),
            started_at: self.now.utc,
            ended_at: None,
            ended_by: None,
            seq: 0,
        };
        let silenced: Vec<AlertId> = self
            .room
            .open
            .values()
            .filter_map(|id| self.room.alerts.get(id))
            .filter(|alert| alert.silence.out_of_service.is_none() && suppression.covers(alert))
            .map(|alert| alert.id.clone())
            .collect();
        let (suppression, request_id) = (Box::new(suppression), command.request_id.clone());
        self.push(Change::SuppressionStarted { suppression, request_id });
        for alert in silenced {
            self.turn(&alert, Turn::OutOfService(id), false, None);
        }
        Ok(Verdict::SuppressionDone(id))
    }

    fn unsuppress(
        &mut self,
        command: &Command,
        id: SuppressionId,
        comment: Option<&String>,
        known: bool,
    ) -> Result<Verdict, Refusal> {
        let suppression = self.room.suppressions.get(&id).ok_or(Refusal::UnknownSuppression(id))?;
        if suppression.ended_at.is_some() {
            return if known { Ok(Verdict::SuppressionDone(id)) } else { Err(Refusal::SuppressionEnded(id)) };
        }
        let author = Author::Person(command.actor.clone());
        self.end_suppression(id, author, comment.cloned(), Some(command.request_id.clone()));
        Ok(Verdict::SuppressionDone(id))
    }
}
