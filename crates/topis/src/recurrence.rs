//! What happened and is over, and may happen again a thousand times: when a person is told of it.
//!
//! The first time at once; then when it has happened as often again as was told, and at most once a minute. So a
//! stranger who makes it happen for ever makes one alert with a short history.

use std::{collections::BTreeMap, sync::Arc};

use alert::{Alert, AlertClass, Evidence, Finding, FindingVerdict, Priority, Subject};
use room::ControlRoom;
use transit::Now;

/// At most so often it is told anew, in milliseconds.
const TOLD_EVERY_MS: u64 = 60_000;
/// The figure in which an alert says how often it has happened.
const COUNT: &str = "count";

/// One such thing: a rule and what it is about.
#[derive(Debug)]
pub(crate) struct Recurrence {
    rule: &'static str,
    subject: Subject,
    /// How often since it was told.
    untold: u64,
    told_mono_ms: Option<u64>,
    /// What it rests on, the newest.
    figures: BTreeMap<String, String>,
}

impl Recurrence {
    /// Has not happened yet.
    pub(crate) fn new(rule: &'static str, subject: Subject) -> Self {
        Self { rule, subject, untold: 0, told_mono_ms: None, figures: BTreeMap::new() }
    }

    /// It happened `times` more.
    pub(crate) fn note(&mut self, times: u64, figures: impl IntoIterator<Item = (&'static str, String)>) {
        self.untold = self.untold.saturating_add(times);
        self.figures = figures.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    }

    /// What is to be told now; nothing most of the time.
    pub(crate) fn tell(&mut self, room: &ControlRoom, now: Now) -> Vec<Finding> {
        let rested = self.told_mono_ms.is_none_or(|told| now.mono_ms.saturating_sub(told) >= TOLD_EVERY_MS);
        if self.untold == 0 || !rested {
            return Vec::new();
        }
        let told = room.find_open_alert(self.rule, &self.subject).map_or(0, count_of);
        if self.untold < told {
            return Vec::new();
        }
        self.told_mono_ms = Some(now.mono_ms);
        let count = told.saturating_add(std::mem::take(&mut self.untold));
        self.figures.insert(COUNT.to_owned(), count.to_string());
        over(self.rule, self.subject.clone(), Priority::P2, self.figures.clone())
    }
}

/// How often an open alert says that it has happened.
fn count_of(alert: &Arc<Alert>) -> u64 {
    let said = alert.evidence.as_ref().and_then(|evidence| evidence.figures.get(COUNT));
    said.and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// Of our own means, and over when it is told: the source is normal, so that a person can end the alert.
pub(crate) fn over(
    rule: &str,
    subject: Subject,
    priority: Priority,
    figures: BTreeMap<String, String>,
) -> Vec<Finding> {
    let raised = Finding {
        rule: rule.to_owned(),
        subject,
        status: transit::Status::Actual,
        verdict: FindingVerdict::Raised,
        class: AlertClass::System,
        priority,
        latched: true,
        evidence: Evidence { figures, ..Evidence::default() },
        parents: Vec::new(),
    };
    let cleared = Finding { verdict: FindingVerdict::Cleared, evidence: Evidence::default(), ..raised.clone() };
    vec![raised, cleared]
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use alert::{Actor, CloseReason, Command, Order};
    use expect_test::{Expect, expect};
    use room::{Input, RoomOptions, Verdict};
    use transit::UtcMillis;

    use super::*;

    fn now(second: i64) -> Now {
        Now { utc: UtcMillis(1_795_420_800_000 + second * 1000), mono_ms: u64::try_from(second * 1000).unwrap() }
    }

    fn carry_out(room: &mut ControlRoom, input: &Input, now: Now) -> Verdict {
        let decision = room.decide(input, now);
        for change in &decision.changes {
            room.apply(change);
        }
        decision.verdict
    }

    /// It happens `times` at each second; after each line that told something, what the room then has.
    fn check(happens: &[(i64, u64)], expected: Expect) {
        let (mut room, mut text) = (ControlRoom::new(RoomOptions::default()), String::new());
        let mut recurrence = Recurrence::new("SYS.POISON", Subject::System("x".to_owned()));
        for (second, times) in happens {
            recurrence.note(*times, [("code", "unparsable".to_owned())]);
            let findings = recurrence.tell(&room, now(*second));
            let told = !findings.is_empty();
            for finding in findings {
                carry_out(&mut room, &Input::Finding(Box::new(finding)), now(*second));
            }
            if told {
                let alert = room.alerts().last().unwrap();
                let figures = &alert.evidence.as_ref().unwrap().figures;
                let lines = alert.history.len();
                writeln!(text, "+{second} alert {} {figures:?}, {lines} lines", alert.id.number).unwrap();
            }
        }
        expected.assert_eq(&text);
    }

    #[test]
    fn the_first_is_told_at_once_and_then_only_doublings_a_minute_apart() {
        check(
            &[(0, 1), (1, 1), (59, 1), (60, 0), (61, 1), (90, 100), (130, 1), (200, 50), (300, 200)],
            expect![[r#"
                +0 alert 1 {"code": "unparsable", "count": "1"}, 2 lines
                +60 alert 1 {"code": "unparsable", "count": "3"}, 4 lines
                +130 alert 1 {"code": "unparsable", "count": "105"}, 6 lines
                +300 alert 1 {"code": "unparsable", "count": "355"}, 8 lines
            "#]],
        );
    }

    #[test]
    fn a_flood_for_a_day_is_one_alert_with_a_short_history() {
        let mut room = ControlRoom::new(RoomOptions::default());
        let mut recurrence = Recurrence::new("SYS.POISON", Subject::System("x".to_owned()));
        for second in 0..86_400 {
            recurrence.note(1_000, []);
            for finding in recurrence.tell(&room, now(second)) {
                carry_out(&mut room, &Input::Finding(Box::new(finding)), now(second));
            }
        }
        let alert = room.alerts().next().unwrap();
        assert!(room.alerts().count() == 1 && alert.history.len() < 40, "{} lines", alert.history.len());
        assert!(alert.flap.held_since.is_none() && alert.annunciations == 1);
    }

    #[test]
    fn a_person_ends_it_and_the_next_time_is_told_anew() {
        let mut room = ControlRoom::new(RoomOptions::default());
        let mut recurrence = Recurrence::new("SYS.NOTIFY", Subject::System("x".to_owned()));
        let happens = |recurrence: &mut Recurrence, room: &mut ControlRoom, second| {
            recurrence.note(1, []);
            for finding in recurrence.tell(room, now(second)) {
                carry_out(room, &Input::Finding(Box::new(finding)), now(second));
            }
        };
        happens(&mut recurrence, &mut room, 0);
        let id = room.alerts().next().unwrap().id.clone();
        let actor = Actor { by: "kim".to_owned(), ..Actor::default() };
        let order = Order::Close { alert: id, reason: CloseReason::Resolved, seen: None, comment: None };
        let request_id = order.default_request_id("kim");
        let verdict = carry_out(&mut room, &Input::Command(Command { request_id, actor, order }), now(5));
        assert!(matches!(verdict, Verdict::Done(_)), "{verdict:?}");
        happens(&mut recurrence, &mut room, 6);
        assert_eq!(room.alerts().count(), 1, "within the minute it is only counted");
        happens(&mut recurrence, &mut room, 66);
        let again = room.find_open_alert("SYS.NOTIFY", &Subject::System("x".to_owned())).unwrap();
        assert_eq!((again.id.number, count_of(again)), (2, 2));
    }
}
