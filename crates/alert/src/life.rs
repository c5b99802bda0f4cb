//! What a recorded change does to one alert. Judges nothing.

use transit::UtcMillis;

use crate::{
    Accounted, Acknowledgement, Actor, Alert, AlertCondition, Author, Change, CloseReason, Closing, Deed, IncidentDeed,
    Press, Renewal, Shelf, Subject, Turn,
};

impl Alert {
    /// Carries out `change`, which is about this alert, as journal record `seq`.
    pub fn follow(&mut self, seq: u64, change: &Change) {
        let from = if matches!(change, Change::AlertRaised { .. }) { "none".to_owned() } else { self.standing() };
        let was_covert = self.covert;
        match change {
            Change::AlertRaised { .. } => {
                // One that ended a moment ago and is back keeps the time of its last sound.
                self.annunciations = u32::from(self.silence.is_none() && self.annunciated_at == self.raised_at);
            }
            Change::AlertRepeated { at, re_alarmed, sounds, release_at, press, ack_due_at, .. } => {
                self.come_again(*at, press);
                self.hold(*at, *release_at);
                self.answer(*at, *re_alarmed, *sounds, *ack_due_at);
            }
            Change::AlertRenewed { at, renewal, .. } => self.renew(*at, renewal),
            Change::AlertSourceNormal { at, .. } => self.source_normal_at = Some(*at),
            Change::AlertCleared { at, .. } => {
                self.source_normal_at = Some(*at);
                self.clear(*at);
            }
            Change::AlertAcknowledged { at, actor, seen, remind_at, .. } => {
                self.take(*at, &actor.by, actor.desk.clone(), *seen);
                self.due.remind_at = *remind_at;
            }
            Change::AlertTended { at, actor, deed, comment, due_at, .. } => {
                self.tend(*at, actor, deed, comment.as_ref(), *due_at);
            }
            Change::AlertTurned { at, turn, sounds, due_at, .. } => {
                self.turn(turn, *due_at);
                if *sounds {
                    self.sound(*at);
                }
            }
            Change::AlertsGrouped { incident, joined, .. } => {
                self.incident = joined.then(|| incident.clone());
            }
            Change::IncidentOrdered { key, deed: IncidentDeed::Form { .. }, .. } => self.incident = Some(key.clone()),
            Change::AlertClosed { at, author, reason, .. } => self.end(*at, author, *reason),
            Change::ClockStepped { by_ms, .. } => self.shift(*by_ms),
            Change::IncidentRecorded(_)
            | Change::EndCameFirst { .. }
            | Change::IncidentNamed { .. }
            | Change::IncidentWithdrawn { .. }
            | Change::IncidentStarted { .. }
            | Change::IncidentRested { .. }
            | Change::IncidentEnded { .. }
            | Change::IncidentOrdered { .. }
            | Change::SuppressionStarted { .. }
            | Change::SuppressionEnded { .. } => return,
        }
        self.seq = seq;
        if self.covert && !was_covert {
            self.hidden_seq = Some(seq);
        }
        self.note(seq, from, change);
    }

    fn come_again(&mut self, at: UtcMillis, press: &Press) {
        self.count = self.count.saturating_add(1);
        if self.condition == AlertCondition::Cleared {
            self.note_return(at);
        }
        self.activate();
        self.last_seen_at = self.last_seen_at.max(press.received_at);
        if press.plausible {
            self.last_event_at = self.last_event_at.max(press.event_at);
        }
        if press.priority < self.priority {
            // The body names whom to answer first: the more urgent of those who pressed.
            self.priority = press.priority;
            self.source = Some(press.source);
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
        // Whoever presses anew says that it is not over by then.
        self.due.expires_at = None;
    }

    fn renew(&mut self, at: UtcMillis, renewal: &Renewal) {
        self.count = self.count.saturating_add(1);
        self.last_seen_at = self.last_seen_at.max(at);
        if renewal.re_raised {
            self.note_return(at);
        }
        self.activate();
        self.hold(at, renewal.release_at.filter(|_| renewal.held));
        self.answer(at, renewal.re_alarmed, renewal.sounds, renewal.ack_due_at);
        self.priority = renewal.priority.unwrap_or(self.priority);
        if let Some(evidence) = &renewal.evidence {
            if evidence.lat.is_some() {
                (self.lat, self.lon) = (evidence.lat, evidence.lon);
            }
            self.evidence = Some(evidence.clone());
        }
        self.text = renewal.text.clone().or_else(|| self.text.take());
        if renewal.lat.is_some() {
            (self.lat, self.lon) = (renewal.lat, renewal.lon);
        }
        self.covert |= renewal.covert;
        self.due.expires_at = renewal.expires_at.or(self.due.expires_at);
    }

    /// It had cleared and is back.
    fn note_return(&mut self, at: UtcMillis) {
        self.flap.count = self.flap.count.saturating_add(1);
        self.flap.note_return(at);
    }

    /// It chatters, and is held until `release_at`; `None`: it does not.
    fn hold(&mut self, at: UtcMillis, release_at: Option<UtcMillis>) {
        if release_at.is_some() {
            self.flap.held_since.get_or_insert(at);
            self.flap.release_at = release_at;
        }
    }

    /// What coming again makes it do.
    fn answer(&mut self, at: UtcMillis, re_alarmed: bool, sounds: bool, ack_due_at: Option<UtcMillis>) {
        if re_alarmed {
            self.re_alarm(at, ack_due_at);
        } else if sounds {
            self.sound(at);
            self.await_owner(ack_due_at);
        }
    }

    fn activate(&mut self) {
        self.condition = AlertCondition::Active;
        self.source_normal_at = None;
        self.cleared_at = None;
    }

    fn clear(&mut self, at: UtcMillis) {
        self.condition = AlertCondition::Cleared;
        self.cleared_at = Some(at);
    }

    fn sound(&mut self, at: UtcMillis) {
        self.annunciated_at = at;
        self.annunciations = self.annunciations.saturating_add(1);
    }

    /// It sounds again and is nobody's; what has been read before no longer takes it.
    fn re_alarm(&mut self, at: UtcMillis, ack_due_at: Option<UtcMillis>) {
        self.drop_owner(ack_due_at);
        self.silence.shelf = None;
        self.re_alarmed_count = Some(self.count);
        self.sound(at);
    }

    fn drop_owner(&mut self, ack_due_at: Option<UtcMillis>) {
        self.previous_owner = self.acknowledgement.take().map(|taken| taken.by);
        self.await_owner(ack_due_at);
        (self.due.remind_at, self.due.reminded) = (None, false);
    }

    fn await_owner(&mut self, ack_due_at: Option<UtcMillis>) {
        (self.due.acknowledge_at, self.due.escalated) = (ack_due_at, 0);
    }

    fn take(&mut self, at: UtcMillis, by: &str, desk: Option<String>, seen: Option<u32>) {
        self.acknowledgement = Some(Acknowledgement { by: by.to_owned(), desk, at, seen });
        (self.due.acknowledge_at, self.due.reminded) = (None, false);
    }

    fn tend(&mut self, at: UtcMillis, actor: &Actor, deed: &Deed, comment: Option<&String>, due_at: Option<UtcMillis>) {
        // Whatever the owner does says that they still have it.
        if self.due.reminded && self.is_owned_by(&actor.by) {
            (self.due.reminded, self.due.remind_at) = (false, due_at);
        }
        match deed {
            Deed::Handover { to, desk } => {
                self.previous_owner = self.acknowledgement.take().map(|taken| taken.by);
                self.take(at, to, desk.clone(), None);
                self.due.remind_at = due_at;
            }
            Deed::Release => self.drop_owner(due_at),
            Deed::Comment | Deed::Mark(_) => {}
            Deed::Shelve { kind, until } => {
                let (by, why) = (actor.by.clone(), comment.cloned());
                self.silence.shelf = Some(Shelf { kind: *kind, until: *until, ends_at: None, by, at, why });
                self.await_owner(None);
            }
            Deed::Unshelve => {
                self.silence.shelf = None;
                self.await_owner(due_at);
            }
            Deed::Reset => self.clear(at),
            Deed::Account { member } => self.account(at, &actor.by, member),
        }
    }

    /// `member` is missed no more, as `by` says.
    fn account(&mut self, at: UtcMillis, by: &str, member: &Subject) {
        if let Some(evidence) = &mut self.evidence {
            evidence.members.retain(|missed| missed != member);
        }
        self.accounted.retain(|known| known.member != *member);
        self.accounted.push(Accounted { member: member.clone(), by: by.to_owned(), at });
    }

    fn turn(&mut self, turn: &Turn, due_at: Option<UtcMillis>) {
        match turn {
            Turn::ShelfEnded => self.silence.shelf = None,
            Turn::Escalated { step } => {
                (self.due.acknowledge_at, self.due.escalated) = (due_at, *step);
                return;
            }
            Turn::Unattended => {
                self.due.expires_at = None;
                self.drop_owner(due_at);
                return;
            }
            Turn::Reminded => {
                (self.due.reminded, self.due.remind_at) = (true, due_at);
                return;
            }
            Turn::OwnerDropped => {
                self.drop_owner(due_at);
                return;
            }
            Turn::HoldReleased => {
                (self.flap.held_since, self.flap.release_at) = (None, None);
                self.flap.returns.clear();
                return;
            }
            Turn::ByParent(parent) => self.silence.by_parent = Some(parent.clone()),
            Turn::ParentOver => self.silence.by_parent = None,
            Turn::ByIncident(explanation) => self.silence.by_incident = Some(explanation.clone()),
            Turn::IncidentOver => self.silence.by_incident = None,
            Turn::OutOfService(suppression) => self.silence.out_of_service = Some(*suppression),
            Turn::InService => self.silence.out_of_service = None,
            Turn::Collapsed(root) => self.silence.collapsed_into = Some(root.clone()),
            Turn::Uncollapsed => self.silence.collapsed_into = None,
        }
        self.await_owner(due_at);
    }

    fn end(&mut self, at: UtcMillis, author: &Author, reason: CloseReason) {
        let by = match author {
            Author::Person(actor) => {
                if !self.acknowledged() {
                    self.take(at, &actor.by, actor.desk.clone(), None);
                }
                Some(actor.by.clone())
            }
            Author::Source(_) | Author::Detector(_) | Author::Timer => None,
        };
        self.condition = AlertCondition::Closed;
        self.due = crate::Due::default();
        self.flap.release_at = None;
        self.closing = Some(Closing { reason, at, by });
    }

    /// The clock jumped: what is due after a span is due after the same span still. A shelf ends by the time that was
    /// said, and no later than it would have.
    fn shift(&mut self, by_ms: i64) {
        let shift = |at: &mut Option<UtcMillis>| *at = at.map(|at| at.plus_millis(by_ms));
        shift(&mut self.due.acknowledge_at);
        shift(&mut self.due.remind_at);
        shift(&mut self.flap.release_at);
        if let Some(shelf) = &mut self.silence.shelf {
            let moved = shelf.due_at().plus_millis(by_ms);
            shelf.ends_at = (moved < shelf.until).then_some(moved);
        }
    }
}

#[cfg(test)]
mod tests {
    use transit::{FeedId, Now, Status};

    use super::*;
    use crate::{
        AlarmKind, AlarmPhase, AlarmReport, AlarmSource, AlarmSubject, AlertId, Fingerprint, Priority, Subject,
    };

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
        let actor = Actor { by: "kim".to_owned(), desk: Some("north".to_owned()), supervisor: false };
        let (alert_id, at, seen) = (alert.id.clone(), now(second).utc, Some(1));
        let request_id = "k".to_owned();
        let (comment, remind_at) = (None, None);
        alert
            .follow(7, &Change::AlertAcknowledged { alert: alert_id, at, actor, seen, comment, request_id, remind_at });
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
        alert.come_again(now(6).utc, &press);
        assert_eq!((alert.priority, alert.source, alert.covert), (Priority::P1, Some(AlarmSource::Driver), true));
        alert.come_again(now(7).utc, &Press { covert: false, ..press });
        assert!(alert.covert);
    }

    fn repeated(alert: &Alert, second: i64, press: &Press) -> Change {
        Change::AlertRepeated {
            alert: alert.id.clone(),
            at: now(second).utc,
            re_alarmed: false,
            sounds: false,
            release_at: None,
            press: press.clone(),
            ack_due_at: None,
        }
    }

    #[test]
    fn the_record_that_hides_it_is_kept_and_no_later_one_nor_a_raise_takes_its_place() {
        let press = Press::of(&panic_button(), false, Priority::P2);
        assert!(press.covert);
        let mut alert = taken_at(5, &AlarmReport { covert: Some(false), ..panic_button() });
        assert_eq!(alert.hidden_seq, None);
        for seq in 8..=9 {
            let again = repeated(&alert, 6, &Press { covert: seq == 9, ..press.clone() });
            alert.follow(seq, &again);
        }
        assert_eq!((alert.hidden_seq, alert.seq), (Some(9), 9));
        let again = repeated(&alert, 7, &press);
        alert.follow(10, &again);
        assert_eq!((alert.hidden_seq, alert.seq), (Some(9), 10));
        assert_eq!(taken_at(5, &panic_button()).hidden_seq, None, "it was covert from the start");
    }

    #[test]
    fn an_operator_who_says_so_hides_it_too() {
        let mut alert = taken_at(5, &AlarmReport { covert: Some(false), ..panic_button() });
        let (renewal, author) = (Box::new(Renewal { covert: true, ..Renewal::default() }), Author::Timer);
        let (id, at) = (alert.id.clone(), now(6).utc);
        alert.follow(8, &Change::AlertRenewed { alert: id, at, author, renewal, ordered: None });
        assert_eq!((alert.covert, alert.hidden_seq), (true, Some(8)));
    }

    #[test]
    fn the_line_that_tells_when_it_was_hidden_outlasts_any_number_of_repeats() {
        let press = Press::of(&panic_button(), false, Priority::P2);
        let mut alert = taken_at(5, &AlarmReport { covert: Some(false), ..panic_button() });
        for seq in 8..500 {
            // The first fifty repeats stay listed anyhow.
            let again = repeated(&alert, 6, &Press { covert: seq >= 100, ..press.clone() });
            alert.follow(seq, &again);
        }
        assert_eq!(alert.hidden_seq, Some(100));
        assert!(alert.repeats_folded > 0 && alert.history.iter().any(|entry| entry.seq == 100));
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
