//! What a vehicle's alarm does: duplicate, raise, repeat, end (T1, T2, T6 to T8).

use std::sync::Arc;

use alert::{
    AlarmKind, AlarmPhase, AlarmReport, AlarmSubject, Alert, AlertId, Author, Change, CloseReason, Press, Subject,
    has_plausible_time,
};
use transit::Now;

use super::{draft::Draft, echo::Echo, nothing, one};
use crate::{ControlRoom, Decision, OpenKey, PressKey, Verdict};

/// Subject of all alarms with unreadable ids once too many such are open.
const OVERFLOW: &str = "*overflow*";
/// Ends that name no press are remembered once in so long, by their own times, in milliseconds.
const HEARTBEAT_MS: i64 = 600_000;

impl ControlRoom {
    pub(super) fn decide_alarm(&self, report: &AlarmReport, now: Now) -> Decision {
        match (self.find_duplicate(report, now), report.phase) {
            (Some(alert), _) => nothing(Verdict::Duplicate(alert)),
            (None, AlarmPhase::Raised) => self.decide_press(report, now),
            (None, AlarmPhase::Ended) => self.decide_end(report, now),
        }
    }

    /// The alert that this very message belongs to, where it was decided before. In doubt it was not: a press that is
    /// shown twice costs a glance, one that is swallowed may cost a life.
    fn find_duplicate(&self, report: &AlarmReport, now: Now) -> Option<AlertId> {
        let keep_ms = self.options.dedup_ms;
        let same_bytes = || self.prints.find(&report.fingerprint, now.utc, keep_ms).cloned();
        let is_open = |id: &AlertId| self.alerts.get(id).is_some_and(|alert| alert.is_open());
        // A clock so far behind has stopped, and may say of the next press what it said of one that is over.
        let is_dead = report.event_time.is_some_and(|at| report.received_at.since(at) >= keep_ms);
        match press_key(report) {
            Some(key) => {
                let named = self.presses.find(&key, now.utc, keep_ms).cloned();
                // Sent again as something else, either of the two may be delivered twice.
                let known = named.into_iter().flat_map(|alert| [Some(alert), same_bytes()]).flatten();
                let is_this = |id: &AlertId| !self.says_otherwise(report, id) && (is_open(id) || !is_dead);
                if let Some(alert) = known.into_iter().find(is_this) {
                    return Some(alert);
                }
            }
            // The DUP flag may outlive its alert only as a press that nobody saw: then it raises.
            None if report.dup => {
                let of_open = same_bytes().filter(is_open);
                if of_open.is_some() {
                    return of_open;
                }
            }
            None => {}
        }
        if report.retained { same_bytes() } else { None }
    }

    /// A press that a device sends again as something else, such as a call that became an emergency, is no duplicate.
    fn says_otherwise(&self, report: &AlarmReport, alert: &AlertId) -> bool {
        let raises = report.phase == AlarmPhase::Raised;
        let is_other = |alert: &Alert| alert.rule != report.kind.rule() || alert.status != report.status;
        raises && self.alerts.get(alert).is_some_and(|alert| is_other(alert))
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
            let mut draft = Draft::of(self, now);
            let alert = Alert::raise(self.next_id(now), key.subject.clone(), report, passenger_priority, now);
            let fingerprint = Some(report.fingerprint);
            let id = draft.raise(alert, |alert| Change::AlertRaised { alert, fingerprint, identified, ordered: None });
            draft.end_if_over(&id, &key, report);
            return draft.ends(Verdict::Raised(id));
        };
        let press = Press::of(report, identified, passenger_priority);
        let mut draft = Draft::of(self, now);
        let Echo { re_alarmed, sounds, release_at, ack_due_at } = draft.echo_of(alert, press.priority);
        let (id, at) = (alert.id.clone(), now.utc);
        let again = Change::AlertRepeated { alert: id.clone(), at, re_alarmed, sounds, release_at, press, ack_due_at };
        draft.push(again);
        draft.expose(&id);
        draft.end_if_over(&id, &key, report);
        draft.ends(Verdict::Repeated { alert: id, re_alarmed })
    }

    /// The source says that it is normal again. It names the press by its event id, or only says of what kind it was.
    fn decide_end(&self, report: &AlarmReport, now: Now) -> Decision {
        let key = open_key(report);
        let by_event_id = || {
            let event_id = report.event_id.as_ref()?;
            let mut of_subject = self.open_of(&key.subject).filter(|alert| alert.status == key.status);
            of_subject.find(|alert| alert.event_id.as_ref() == Some(event_id))
        };
        let Some(alert) = by_event_id().or_else(|| self.find_open(&key)) else {
            return self.remember_end(key, report, Verdict::NothingOpen, now);
        };
        let plausible = report.event_time.filter(|_| has_plausible_time(report));
        if matches!((plausible, alert.last_event_at), (Some(ended), Some(pressed)) if ended < pressed) {
            // An end that was overtaken by a newer press ends nothing.
            return nothing(Verdict::NothingOpen);
        }
        let id = alert.id.clone();
        let verdict = Verdict::SourceNormal(id.clone());
        if alert.source_normal_at.is_some() {
            return self.remember_end(OpenKey::of(alert), report, verdict, now);
        }
        let press = Press::of(report, press_key(report).is_some(), self.options.passenger_priority);
        let mut draft = Draft::of(self, now);
        draft.end(&id, press);
        draft.ends(verdict)
    }

    /// Nothing of that is open and active. Where its press may still come, its end is remembered for it. An end that names
    /// no press may be no more than a device's heartbeat, so of those only one in a while is.
    fn remember_end(&self, key: OpenKey, report: &AlarmReport, otherwise: Verdict, now: Now) -> Decision {
        let press = Press::of(report, press_key(report).is_some(), self.options.passenger_priority);
        let known = self.ends.find(&key, now.utc, self.options.ends_ms);
        let after = |ms: i64| known.is_none_or(|known| known.event_at.map(|at| at.plus_millis(ms)) < press.event_at);
        let news = if press.event_id.is_some() { after(0) } else { after(HEARTBEAT_MS) };
        if is_unparsed(&key.subject) || !press.plausible || !news {
            return nothing(otherwise);
        }
        let OpenKey { subject, rule, status } = key;
        let (at, press) = (now.utc, Box::new(press));
        let verdict = if otherwise == Verdict::NothingOpen { Verdict::EndCameFirst } else { otherwise };
        one(Change::EndCameFirst { subject, rule, status, at, press }, verdict)
    }
}

impl Draft {
    /// The source of an open alert is normal again.
    fn end(&mut self, id: &AlertId, press: Press) {
        if self.room.find_alert(id).is_some_and(|alert| alert.latched) {
            self.push(Change::AlertSourceNormal { alert: id.clone(), at: self.now.utc, press: Some(press) });
        } else {
            let source = Author::Source(press.source);
            self.clear(id, Some(press), source, CloseReason::Resolved);
        }
    }

    /// A press that comes after its end has raised as any other; that it is over is known too.
    fn end_if_over(&mut self, id: &AlertId, key: &OpenKey, report: &AlarmReport) {
        let Some(pressed) = report.event_time.filter(|_| has_plausible_time(report)) else { return };
        // A newer press of it is not over.
        let last = self.room.find_alert(id).and_then(|alert| alert.last_event_at).map_or(pressed, |at| at.max(pressed));
        let end = self.room.end_of(key, report, self.now).filter(|end| end.event_at.is_some_and(|ended| last <= ended));
        if let Some(end) = end {
            self.end(id, Press::clone(&end));
        }
    }
}

impl ControlRoom {
    /// The newest end that is known of what `report` presses; one that names no kind, by the press's id.
    fn end_of(&self, key: &OpenKey, report: &AlarmReport, now: Now) -> Option<Arc<Press>> {
        let find = |key: &OpenKey| self.ends.find(key, now.utc, self.options.ends_ms).map(Arc::clone);
        let of_no_kind = || {
            let event_id = report.event_id.as_ref()?;
            let key = OpenKey { rule: AlarmKind::Other.rule().to_owned(), ..key.clone() };
            find(&key).filter(|end| end.event_id.as_ref() == Some(event_id))
        };
        find(key).or_else(of_no_kind)
    }
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
