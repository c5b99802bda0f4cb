//! The verdicts: what one input does to the room as it is. Changes nothing.

use alert::{
    AlarmPhase, AlarmReport, AlarmSubject, Alert, AlertCondition, AlertId, Author, Change, CloseReason, Command,
    Incident, IncidentOutcome, IncidentReport, IncidentWithdrawal, Order, Press, Refusal, Subject, has_plausible_time,
};
use transit::Now;

use crate::{ControlRoom, Decision, Input, OpenKey, PressKey, RequestKey, Verdict};

/// Subject of all alarms with unreadable ids once too many such are open.
const OVERFLOW: &str = "*overflow*";

fn nothing(verdict: Verdict) -> Decision {
    Decision { changes: Vec::new(), verdict }
}

fn one(change: Change, verdict: Verdict) -> Decision {
    Decision { changes: vec![change], verdict }
}

impl ControlRoom {
    /// What `input` does at `now`. The changes are to be appended to the journal as they stand and then applied in
    /// their order; until then nothing has happened.
    pub fn decide(&self, input: &Input, now: Now) -> Decision {
        match input {
            Input::Alarm(report) => match self.find_duplicate(report, now) {
                Some(alert) => nothing(Verdict::Duplicate(alert)),
                None => match report.phase {
                    AlarmPhase::Raised => self.decide_press(report, now),
                    AlarmPhase::Ended => self.decide_end(report, now),
                },
            },
            Input::Incident(report) => self.decide_incident(report, now),
            Input::Withdrawal(withdrawal) => self.decide_withdrawal(withdrawal, now),
            Input::Command(command) => match &command.order {
                Order::Acknowledge { alert, seen, comment } => {
                    self.decide_acknowledgement(command, alert, *seen, comment.as_ref(), now)
                }
                Order::Close { alert, reason, comment } => {
                    self.decide_close(command, alert, *reason, comment.as_ref(), now)
                }
            },
        }
    }

    /// The alert that this very message belongs to, where it was decided before. In doubt it was not: a press that is
    /// shown twice costs a glance, one that is swallowed may cost a life.
    fn find_duplicate(&self, report: &AlarmReport, now: Now) -> Option<AlertId> {
        let keep_ms = self.options.dedup_ms;
        let same_bytes = || self.prints.find(&report.fingerprint, now.utc, keep_ms).cloned();
        match press_key(report) {
            Some(key) => {
                if let Some(alert) = self.presses.find(&key, now.utc, keep_ms) {
                    return Some(alert.clone());
                }
            }
            // The DUP flag may outlive its alert only as a press that nobody saw: then it raises.
            None if report.dup => {
                let of_open = same_bytes().filter(|id| self.alerts.get(id).is_some_and(|alert| alert.is_open()));
                if of_open.is_some() {
                    return of_open;
                }
            }
            None => {}
        }
        if report.retained { same_bytes() } else { None }
    }

    fn decide_press(&self, report: &AlarmReport, now: Now) -> Decision {
        let mut key = open_key(report);
        let mut open = self.find_open(&key);
        if open.is_none() && is_unparsed(&key.subject) && self.open_unparsed >= self.options.unparsed_max {
            key.subject = Subject::Unparsed(OVERFLOW.to_owned());
            open = self.find_open(&key);
        }
        let identified = press_key(report).is_some();
        let passenger_priority = self.options.passenger_priority;
        let Some(alert) = open else {
            let id = self.next_id(now);
            let alert = Box::new(Alert::raise(id.clone(), key.subject, report, passenger_priority, now));
            let change = Change::AlertRaised { alert, fingerprint: report.fingerprint, identified };
            return one(change, Verdict::Raised(id));
        };
        let press = Press::of(report, identified, passenger_priority);
        let (id, re_alarmed) = (alert.id.clone(), alert.re_alarms(&press, now));
        one(
            Change::AlertRepeated { alert: id.clone(), at: now.utc, re_alarmed, press },
            Verdict::Repeated { alert: id, re_alarmed },
        )
    }

    /// The source says that it is normal again. It names the press by its event id, or only says of what kind it was.
    fn decide_end(&self, report: &AlarmReport, now: Now) -> Decision {
        let key = open_key(report);
        let by_event_id = || {
            let event_id = report.event_id.as_ref()?;
            let mut of_subject = self.open_of(&key.subject).filter(|alert| alert.status == key.status);
            of_subject.find(|alert| alert.event_id.as_ref() == Some(event_id))
        };
        let Some(alert) = by_event_id().or_else(|| self.find_open(&key)) else { return nothing(Verdict::NothingOpen) };
        let plausible = report.event_time.filter(|_| has_plausible_time(report));
        if matches!((plausible, alert.last_event_at), (Some(ended), Some(pressed)) if ended < pressed) {
            // An end that was overtaken by a newer press ends nothing.
            return nothing(Verdict::NothingOpen);
        }
        let id = alert.id.clone();
        let verdict = Verdict::SourceNormal(id.clone());
        if alert.source_normal_at.is_some() {
            return nothing(verdict);
        }
        let press = Press::of(report, press_key(report).is_some(), self.options.passenger_priority);
        if alert.latched {
            return one(Change::AlertSourceNormal { alert: id, at: now.utc, press }, verdict);
        }
        let source = press.source;
        let mut changes = vec![Change::AlertCleared { alert: id.clone(), at: now.utc, press }];
        if alert.acknowledged() {
            changes.push(resolved(id, Author::Source(source), now));
        }
        Decision { changes, verdict }
    }

    fn decide_acknowledgement(
        &self,
        command: &Command,
        id: &AlertId,
        seen: Option<u32>,
        comment: Option<&String>,
        now: Now,
    ) -> Decision {
        let by = &command.actor.by;
        let known = match self.find_request(command, now) {
            Ok(known) => known,
            Err(refusal) => return nothing(Verdict::Refused(refusal)),
        };
        let Some(alert) = self.alerts.get(id) else { return nothing(Verdict::Refused(Refusal::Unknown(id.clone()))) };
        if known && !alert.is_open() && alert.is_owned_by(by) {
            return nothing(Verdict::Done(id.clone()));
        }
        match alert.judge_acknowledgement(by, seen) {
            Ok(false) => nothing(Verdict::Done(id.clone())),
            // Carried out before, and nobody's since: it re-alarmed. A key of the sender's own is a late copy of the
            // old order and must not silence what came after it; the default key is all a new order can have.
            Ok(true) if known && command.request_id != command.order.default_request_id(by) => {
                nothing(Verdict::Refused(Refusal::ReAlarmed(id.clone())))
            }
            Ok(true) => {
                let mut changes = vec![Change::AlertAcknowledged {
                    alert: id.clone(),
                    at: now.utc,
                    actor: command.actor.clone(),
                    seen,
                    comment: comment.cloned(),
                    request_id: command.request_id.clone(),
                }];
                if alert.condition == AlertCondition::Cleared {
                    changes.push(resolved(id.clone(), Author::Person(command.actor.clone()), now));
                }
                Decision { changes, verdict: Verdict::Done(id.clone()) }
            }
            Err(refusal) => nothing(Verdict::Refused(refusal)),
        }
    }

    fn decide_close(
        &self,
        command: &Command,
        id: &AlertId,
        reason: CloseReason,
        comment: Option<&String>,
        now: Now,
    ) -> Decision {
        match self.find_request(command, now) {
            Ok(true) => return nothing(Verdict::Done(id.clone())),
            Ok(false) => {}
            Err(refusal) => return nothing(Verdict::Refused(refusal)),
        }
        let Some(alert) = self.alerts.get(id) else { return nothing(Verdict::Refused(Refusal::Unknown(id.clone()))) };
        match alert.judge_close(&command.actor.by, reason) {
            Ok(false) => nothing(Verdict::Done(id.clone())),
            Ok(true) => {
                let change = Change::AlertClosed {
                    alert: id.clone(),
                    at: now.utc,
                    author: Author::Person(command.actor.clone()),
                    reason,
                    comment: comment.cloned(),
                    request_id: Some(command.request_id.clone()),
                };
                one(change, Verdict::Done(id.clone()))
            }
            Err(refusal) => nothing(Verdict::Refused(refusal)),
        }
    }

    fn decide_incident(&self, report: &IncidentReport, now: Now) -> Decision {
        let known = self.incidents.get(&report.key).map(|incident| &**incident);
        let outcome = Incident::judge(known, report);
        if outcome != IncidentOutcome::Recorded {
            return nothing(Verdict::Incident(outcome));
        }
        if known.is_none() && self.open_incidents >= self.options.incidents_max {
            return nothing(Verdict::Incident(IncidentOutcome::NoRoom));
        }
        let incident = Box::new(Incident::record(known, report, now.utc));
        one(Change::IncidentRecorded(incident), Verdict::Incident(outcome))
    }

    fn decide_withdrawal(&self, withdrawal: &IncidentWithdrawal, now: Now) -> Decision {
        match self.incidents.get(&withdrawal.key) {
            None => nothing(Verdict::Incident(IncidentOutcome::Unknown)),
            Some(incident) if incident.withdrawn => nothing(Verdict::Incident(IncidentOutcome::Same)),
            Some(_) => one(
                Change::IncidentWithdrawn { key: withdrawal.key.clone(), at: now.utc },
                Verdict::Incident(IncidentOutcome::Withdrawn),
            ),
        }
    }

    /// Whether this order was carried out before.
    fn find_request(&self, command: &Command, now: Now) -> Result<bool, Refusal> {
        let key = RequestKey { by: command.actor.by.clone(), request_id: command.request_id.clone() };
        match self.requests.find(&key, now.utc, self.options.request_ms) {
            None => Ok(false),
            Some(order) if **order == command.order => Ok(true),
            // The default key leaves out the comment, which makes no other order.
            Some(_) if command.request_id == command.order.default_request_id(&command.actor.by) => Ok(true),
            Some(_) => Err(Refusal::KeyReused),
        }
    }

    fn find_open(&self, key: &OpenKey) -> Option<&Alert> {
        self.open.get(key).and_then(|id| self.alerts.get(id)).map(|alert| &**alert)
    }

    fn open_of(&self, subject: &Subject) -> impl Iterator<Item = &Alert> {
        let first = OpenKey { subject: subject.clone(), rule: String::new(), status: transit::Status::Actual };
        self.open
            .range(first..)
            .take_while(move |(key, _)| key.subject == *subject)
            .filter_map(|(_, id)| self.alerts.get(id).map(|alert| &**alert))
    }

    fn next_id(&self, now: Now) -> AlertId {
        let date = now.utc.timestamp().to_zoned_datetime(self.options.timezone.clone()).date();
        let number = |n: i16| u32::from(n.unsigned_abs());
        let date = number(date.year()) * 10_000 + number(date.month().into()) * 100 + number(date.day().into());
        AlertId { number: self.highest_number + 1, date }
    }
}

fn resolved(alert: AlertId, author: Author, now: Now) -> Change {
    let reason = CloseReason::Resolved;
    Change::AlertClosed { alert, at: now.utc, author, reason, comment: None, request_id: None }
}

fn is_unparsed(subject: &Subject) -> bool {
    matches!(subject, Subject::Unparsed(_))
}

fn open_key(report: &AlarmReport) -> OpenKey {
    let subject = match &report.subject {
        AlarmSubject::Vehicle(vehicle) => Subject::Vehicle(vehicle.clone()),
        AlarmSubject::Unparsed(head) => Subject::Unparsed(head.clone()),
    };
    OpenKey { subject, rule: report.kind.rule().to_owned(), status: report.status }
}

/// How a device names a press: only a known vehicle's event id together with a time that can be true.
fn press_key(report: &AlarmReport) -> Option<PressKey> {
    let AlarmSubject::Vehicle(vehicle) = &report.subject else { return None };
    let event_id = report.event_id.clone().filter(|id| !id.is_empty())?;
    let event_at = report.event_time.filter(|_| has_plausible_time(report))?;
    let ended = report.phase == AlarmPhase::Ended;
    Some(PressKey { subject: Subject::Vehicle(vehicle.clone()), ended, event_id, event_at })
}
