//! The life of one alert: what an order or a press may do to it, and what a change does.
//!
//! The first half judges and changes nothing; the second half carries out a [`Change`] and judges nothing. The
//! transitions are numbered as in the project's alarm rules: T2 repeat, T3 acknowledge, T5 acknowledge after clearing,
//! T6 clear, T7 source normal, T8 raise again, T9 close.

use transit::{Now, UtcMillis, Word};

use crate::{
    Acknowledgement, Actor, AlarmSource, Alert, AlertClass, AlertCondition, Author, Change, CloseReason, Closing,
    HistoryEntry, Press, Refusal,
};

/// A press this soon after the acknowledgement is the same press of the same thumb.
pub const REALARM_AFTER_ACK_MS: i64 = 10_000;
/// From its first re-alarm on, an alert sounds at most once in this time.
pub const REALARM_EVERY_MS: i64 = 60_000;
/// Repeats listed from the start of an alert's history, and as many from its end.
const REPEATS_LISTED: usize = 50;

/// More than `millis` from `earlier` to `now`. A clock that was set back counts as passed: rather one sound too many.
fn passed(now: UtcMillis, earlier: UtcMillis, millis: i64) -> bool {
    let elapsed = now.since(earlier);
    elapsed < 0 || elapsed > millis
}

impl Alert {
    /// Somebody has it.
    pub fn acknowledged(&self) -> bool {
        self.acknowledgement.is_some()
    }

    /// `person` has it, or had it when it ended.
    pub fn is_owned_by(&self, person: &str) -> bool {
        self.acknowledgement.as_ref().is_some_and(|taken| taken.by == person)
    }

    /// Not final.
    pub fn is_open(&self) -> bool {
        self.condition != AlertCondition::Closed
    }

    /// Whether a new press makes it sound again (T2): somebody has it, and the press is either more urgent than what
    /// they took, or an emergency's first press after it was taken.
    pub fn re_alarms(&self, press: &Press, now: Now) -> bool {
        let Some(taken) = &self.acknowledgement else { return false };
        if press.priority < self.priority {
            return true;
        }
        self.class == AlertClass::Emergency
            && passed(now.utc, taken.at, REALARM_AFTER_ACK_MS)
            && (self.re_alarmed_count.is_none() || passed(now.utc, self.annunciated_at, REALARM_EVERY_MS - 1))
    }

    /// Whether `by` may take it having read `seen` presses (T3 to T5): `Ok(true)` = yes, `Ok(false)` = they have it.
    ///
    /// # Errors
    /// It is closed, another person's, or re-alarmed after what was read.
    pub fn judge_acknowledgement(&self, by: &str, seen: Option<u32>) -> Result<bool, Refusal> {
        if !self.is_open() {
            return Err(Refusal::Closed(self.id.clone()));
        }
        match &self.acknowledgement {
            Some(taken) if taken.by == by => Ok(false),
            Some(taken) => Err(Refusal::AlreadyTaken { alert: self.id.clone(), owner: taken.by.clone() }),
            None if self.is_newer_than(seen) => Err(Refusal::ReAlarmed(self.id.clone())),
            None => Ok(true),
        }
    }

    fn is_newer_than(&self, seen: Option<u32>) -> bool {
        matches!((seen, self.re_alarmed_count), (Some(seen), Some(re_alarmed)) if seen < re_alarmed)
    }

    /// Whether `by` may close it for `reason` (T9): `Ok(true)` = yes, `Ok(false)` = they have done so.
    ///
    /// # Errors
    /// It is closed otherwise, or the reason is not one a person gives.
    pub fn judge_close(&self, by: &str, reason: CloseReason) -> Result<bool, Refusal> {
        match reason {
            CloseReason::Resolved | CloseReason::FalseAlarm | CloseReason::Test | CloseReason::DuplicateOf => {}
            CloseReason::CancelledBySource | CloseReason::Expired | CloseReason::SupersededBy => {
                return Err(Refusal::Reason(reason.word()));
            }
        }
        match &self.closing {
            None => Ok(true),
            Some(closing) if closing.reason == reason && closing.by.as_deref() == Some(by) => Ok(false),
            Some(_) => Err(Refusal::Closed(self.id.clone())),
        }
    }

    /// Condition and owner in words, as history writes them.
    fn standing(&self) -> String {
        let owner = if self.acknowledged() { "acknowledged" } else { "unacknowledged" };
        let source = if self.source_normal_at.is_some() { "/source_normal" } else { "" };
        format!("{}/{owner}{source}", self.condition.word())
    }

    /// Carries out `change`, which is about this alert, as journal record `seq`.
    pub fn follow(&mut self, seq: u64, change: &Change) {
        let from = if matches!(change, Change::AlertRaised { .. }) { "none".to_owned() } else { self.standing() };
        match change {
            Change::AlertRaised { .. } => {}
            Change::AlertRepeated { at, re_alarmed, press, .. } => self.repeat(*at, *re_alarmed, press),
            Change::AlertSourceNormal { at, .. } => self.source_normal_at = Some(*at),
            Change::AlertCleared { at, .. } => {
                self.source_normal_at = Some(*at);
                self.condition = AlertCondition::Cleared;
            }
            Change::AlertAcknowledged { at, actor, seen, .. } => self.take(*at, actor, *seen),
            Change::AlertClosed { at, author, reason, .. } => self.end(*at, author, *reason),
            Change::IncidentRecorded(_) | Change::IncidentWithdrawn { .. } => return,
        }
        self.seq = seq;
        self.note(seq, from, change);
    }

    fn repeat(&mut self, at: UtcMillis, re_alarmed: bool, press: &Press) {
        self.count = self.count.saturating_add(1);
        self.condition = AlertCondition::Active;
        self.source_normal_at = None;
        self.last_seen_at = self.last_seen_at.max(press.received_at);
        if press.plausible {
            self.last_event_at = self.last_event_at.max(press.event_at);
        }
        if re_alarmed {
            self.previous_owner = self.acknowledgement.take().map(|taken| taken.by);
            self.re_alarmed_count = Some(self.count);
            self.annunciated_at = at;
        }
        if press.priority < self.priority {
            // The body names whom to answer first: the more urgent of those who pressed.
            self.priority = press.priority;
            self.source = press.source;
        }
        // Once a display must be silent it stays silent, and doubts once marked stay marked.
        self.covert |= press.covert;
        self.retained |= press.retained;
        for mark in &press.quality {
            if !self.quality.contains(mark) {
                self.quality.push(mark.clone());
            }
        }
        if press.lat.is_some() {
            (self.lat, self.lon) = (press.lat, press.lon);
        }
        self.event_id = press.event_id.clone().or_else(|| self.event_id.take());
        self.text = press.text.clone().or_else(|| self.text.take());
        self.passengers = press.passengers.or(self.passengers);
    }

    fn take(&mut self, at: UtcMillis, actor: &Actor, seen: Option<u32>) {
        self.acknowledgement = Some(Acknowledgement { by: actor.by.clone(), desk: actor.desk.clone(), at, seen });
    }

    fn end(&mut self, at: UtcMillis, author: &Author, reason: CloseReason) {
        let by = match author {
            Author::Person(actor) => {
                if !self.acknowledged() {
                    self.take(at, actor, None);
                }
                Some(actor.by.clone())
            }
            Author::Source(_) => None,
        };
        self.condition = AlertCondition::Closed;
        self.closing = Some(Closing { reason, at, by });
    }

    fn note(&mut self, seq: u64, from: String, change: &Change) {
        let person = |actor: &Actor| ("person", actor.by.clone(), actor.desk.clone());
        let source = |source: AlarmSource| ("source", source.word().to_owned(), None);
        let (code, (kind, actor, desk), comment, request_id) = match change {
            Change::AlertRaised { alert, .. } => ("raised", source(alert.source), alert.text.clone(), None),
            Change::AlertRepeated { re_alarmed, press, .. } => {
                let code = if *re_alarmed { "re_alarmed" } else { "repeated" };
                (code, source(press.source), press.text.clone(), None)
            }
            Change::AlertSourceNormal { press, .. } => ("source_normal", source(press.source), None, None),
            Change::AlertCleared { press, .. } => ("cleared", source(press.source), None, None),
            Change::AlertAcknowledged { actor, comment, request_id, .. } => {
                ("acknowledged", person(actor), comment.clone(), Some(request_id.clone()))
            }
            Change::AlertClosed { author, comment, request_id, .. } => {
                let author = match author {
                    Author::Person(actor) => person(actor),
                    Author::Source(who) => source(*who),
                };
                ("closed", author, comment.clone(), request_id.clone())
            }
            Change::IncidentRecorded(_) | Change::IncidentWithdrawn { .. } => return,
        };
        let (to, reason, actor_kind) = (self.standing(), code.to_owned(), kind.to_owned());
        self.history.push(HistoryEntry {
            seq,
            at: change.at(),
            actor_kind,
            actor,
            desk,
            from,
            to,
            reason,
            comment,
            request_id,
        });
        self.fold_repeats();
    }

    /// Leaves out the oldest repeat that is neither among the first nor among the last.
    fn fold_repeats(&mut self) {
        let repeats = || self.history.iter().enumerate().filter(|(_, entry)| entry.reason == "repeated");
        if repeats().count() > 2 * REPEATS_LISTED
            && let Some((at, _)) = repeats().nth(REPEATS_LISTED)
        {
            self.history.remove(at);
            self.repeats_folded = self.repeats_folded.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use transit::{FeedId, Status};

    use super::*;
    use crate::{AlarmKind, AlarmPhase, AlarmReport, AlarmSubject, AlertId, Fingerprint, Priority, Subject};

    fn now(second: i64) -> Now {
        Now { utc: UtcMillis(1_795_420_800_000 + second * 1000), mono_ms: 0 }
    }

    fn panic_button() -> AlarmReport {
        AlarmReport {
            feed: FeedId::parse("native").unwrap(),
            subject: AlarmSubject::Unparsed("x".to_owned()),
            event_id: None,
            event_time: None,
            kind: AlarmKind::Panic,
            kind_word: None,
            source: AlarmSource::Driver,
            phase: AlarmPhase::Raised,
            covert: None,
            status: Status::Actual,
            fix: None,
            text: None,
            passengers: None,
            unparsed_head: None,
            fingerprint: Fingerprint(1),
            retained: false,
            dup: false,
            received_at: now(0).utc,
        }
    }

    fn taken_at(second: i64, report: &AlarmReport) -> Alert {
        let id = AlertId { number: 1, date: 20_261_123 };
        let mut alert = Alert::raise(id, Subject::Unparsed("x".to_owned()), report, Priority::P2, now(0));
        let actor = Actor { by: "kim".to_owned(), desk: Some("north".to_owned()) };
        let (alert_id, at, seen) = (alert.id.clone(), now(second).utc, Some(1));
        let request_id = "k".to_owned();
        alert.follow(7, &Change::AlertAcknowledged { alert: alert_id, at, actor, seen, comment: None, request_id });
        alert
    }

    #[test]
    fn a_clock_set_back_sounds_rather_than_staying_silent() {
        let press = Press::of(&panic_button(), false, Priority::P2);
        let alert = taken_at(5, &panic_button());
        assert!(!alert.re_alarms(&press, now(15)));
        assert!(alert.re_alarms(&press, now(16)));
        assert!(alert.re_alarms(&press, now(-3600)));
    }

    #[test]
    fn a_less_urgent_press_changes_no_priority_and_a_covert_one_hides_for_good() {
        let mut alert = taken_at(5, &AlarmReport { covert: Some(false), ..panic_button() });
        let passenger = AlarmReport { source: AlarmSource::Passenger, ..panic_button() };
        let press = Press::of(&passenger, false, Priority::P2);
        assert_eq!(press.priority, Priority::P2);
        alert.repeat(now(6).utc, false, &press);
        assert_eq!((alert.priority, alert.source, alert.covert), (Priority::P1, AlarmSource::Driver, true));
        alert.repeat(now(7).utc, false, &Press { covert: false, ..press });
        assert!(alert.covert);
    }

    #[test]
    fn history_says_who_did_what_and_from_where_to_where() {
        let alert = taken_at(5, &panic_button());
        let entry = alert.history.last().unwrap();
        assert_eq!((entry.seq, alert.seq), (7, 7));
        assert_eq!((entry.actor_kind.as_str(), entry.actor.as_str()), ("person", "kim"));
        assert_eq!((entry.desk.as_deref(), entry.request_id.as_deref()), (Some("north"), Some("k")));
        assert_eq!((entry.from.as_str(), entry.to.as_str()), ("active/unacknowledged", "active/acknowledged"));
    }
}
