//! What an endpoint has not been told yet: alerts that changed after its cursor, by the record of their last change.
//!
//! The journal is the outbox. A state that has been overtaken by a newer one is not told any more, and the last state of
//! an alert always is. Covert alerts and tests never are; one that becomes covert is withdrawn, once.
//!
//! Knows no clock and sends nothing.

use alert::{Alert, AlertId, Priority};
use api::News;
use room::ControlRoom;
use transit::{Status, UtcMillis};

use crate::config::Wanted;

/// Changes gathered at a look; more wait for the next.
const BATCH_MAX: usize = 1_000;
/// The alert about an endpoint that could not be told. Giving up one of these is counted and raises no further one.
pub(crate) const SYS_NOTIFY: &str = "SYS.NOTIFY";

/// A change to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Due {
    /// Its record.
    pub(crate) seq: u64,
    /// Of which alert.
    pub(crate) alert: AlertId,
}

/// What is pending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Backlog {
    /// The first of it, in the order of the records.
    pub(crate) next: Vec<Due>,
    /// How many in all.
    pub(crate) count: usize,
}

/// What is to be given up together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expired {
    /// Changes.
    pub(crate) count: u64,
    /// Of them, those that a person is told of.
    pub(crate) worth_telling: u64,
    /// The record up to which.
    pub(crate) through_seq: u64,
}

impl Wanted {
    /// Whether news of the alert, as it is, are for the endpoint.
    pub(crate) fn takes(&self, alert: &Alert) -> bool {
        alert.status != Status::Test
            && self.statuses.contains(&alert.status)
            && self.takes_priority(alert)
            && (self.classes.is_empty() || self.classes.contains(&alert.class))
    }

    /// What hides an alert often makes it more urgent too, and whoever was told of it has to hear that it is withdrawn.
    /// An alert becomes more urgent and never less, so that it had no priority but its own and those below.
    fn takes_priority(&self, alert: &Alert) -> bool {
        let had = |wanted: &Priority| *wanted == alert.priority || (alert.covert && *wanted > alert.priority);
        self.priorities.is_empty() || self.priorities.iter().any(had)
    }
}

/// Looks through a room that is on disk as a whole.
pub(crate) fn backlog(room: &ControlRoom, cursor: u64, wanted: &Wanted) -> Backlog {
    let mut next: Vec<Due> =
        after(room, cursor, wanted).map(|news| Due { seq: news.seq, alert: news.alert.id.clone() }).collect();
    next.sort_unstable_by_key(|due| due.seq);
    let count = next.len();
    next.truncate(BATCH_MAX);
    Backlog { next, count }
}

/// What changed before `before`, up to the first that changed later.
pub(crate) fn expired(room: &ControlRoom, cursor: u64, wanted: &Wanted, before: UtcMillis) -> Expired {
    let first_young = after(room, cursor, wanted).filter(|news| news.at >= before).map(|news| news.seq).min();
    let old = after(room, cursor, wanted).filter(|news| first_young.is_none_or(|young| news.seq < young));
    let none = Expired { count: 0, worth_telling: 0, through_seq: cursor };
    old.fold(none, |so_far, news| Expired {
        count: so_far.count + 1,
        worth_telling: so_far.worth_telling + u64::from(news.alert.rule != SYS_NOTIFY),
        through_seq: so_far.through_seq.max(news.seq),
    })
}

fn after<'a>(room: &'a ControlRoom, cursor: u64, wanted: &'a Wanted) -> impl Iterator<Item = News<'a>> {
    let news = room.alerts().filter_map(|alert| News::of(alert));
    news.filter(move |news| news.seq > cursor && wanted.takes(news.alert))
}

#[cfg(test)]
mod tests {
    use alert::{Actor, AlarmKind, AlertClass, CloseReason, Command, Finding, OperatorAlert, Order, Subject};
    use expect_test::{Expect, expect};
    use room::{Input, RoomOptions};
    use transit::{Now, VehicleKey, Word as _};

    use super::*;
    use crate::recurrence::over;

    const START: UtcMillis = UtcMillis(1_795_420_800_000);

    struct Stage {
        room: ControlRoom,
        second: i64,
    }

    impl Stage {
        fn new() -> Self {
            Self { room: ControlRoom::new(RoomOptions::default()), second: 0 }
        }

        fn take(&mut self, input: &Input) {
            self.second += 1;
            let now = Now { utc: at(self.second), mono_ms: 0 };
            for change in self.room.decide(input, now).changes {
                self.room.apply(&change);
            }
        }

        fn order(&mut self, order: Order) {
            let actor = Actor { by: "kim".to_owned(), ..Actor::default() };
            let request_id = format!("k{}", self.second);
            self.take(&Input::Command(Command { request_id, actor, order }));
        }

        fn raise(&mut self, vehicle: &str, change: impl FnOnce(&mut OperatorAlert)) {
            let mut said = OperatorAlert {
                subject: Subject::Vehicle(VehicleKey::parse(vehicle).unwrap()),
                kind: AlarmKind::Fire,
                priority: None,
                status: Status::Actual,
                covert: Some(false),
                lat: None,
                lon: None,
                text: None,
                expires_at: None,
            };
            change(&mut said);
            self.order(Order::Raise(Box::new(said)));
        }

        fn id(&self, number: u64) -> AlertId {
            self.room.alerts().find(|alert| alert.id.number == number).unwrap().id.clone()
        }

        fn acknowledge(&mut self, number: u64) {
            let alert = self.id(number);
            self.order(Order::Acknowledge { alert, seen: None, comment: None });
        }

        fn close(&mut self, number: u64) {
            let alert = self.id(number);
            self.order(Order::Close { alert, reason: CloseReason::Resolved, seen: None, comment: None });
        }

        fn find(&mut self, findings: Vec<Finding>) {
            findings.into_iter().for_each(|finding| self.take(&Input::Finding(Box::new(finding))));
        }
    }

    fn at(second: i64) -> UtcMillis {
        START.plus_millis(second * 1000)
    }

    fn all() -> Wanted {
        Wanted { priorities: Vec::new(), classes: Vec::new(), statuses: vec![Status::Actual, Status::Exercise] }
    }

    fn check(stage: &Stage, cursor: u64, wanted: &Wanted, expected: Expect) {
        let Backlog { next, count } = backlog(&stage.room, cursor, wanted);
        let list: Vec<String> = next.iter().map(|due| format!("{}@{}", due.alert.number, due.seq)).collect();
        expected.assert_eq(&format!("{count}: {}", list.join(" ")));
    }

    #[test]
    fn changes_after_the_cursor_are_due_in_the_order_of_their_records_and_overtaken_states_are_not() {
        let mut stage = Stage::new();
        stage.raise("22/1", |_| ());
        stage.raise("22/2", |_| ());
        check(&stage, 0, &all(), expect!["2: 1@1 2@2"]);
        stage.acknowledge(1);
        stage.close(1);
        check(&stage, 0, &all(), expect!["2: 2@2 1@4"]);
        check(&stage, 2, &all(), expect!["1: 1@4"]);
        check(&stage, 4, &all(), expect!["0: "]);
    }

    #[test]
    fn covert_alerts_and_tests_are_never_due_and_drills_only_where_they_are_wanted() {
        let mut stage = Stage::new();
        stage.raise("22/1", |said| said.covert = Some(true));
        stage.raise("22/2", |said| said.status = Status::Test);
        stage.raise("22/3", |said| said.status = Status::Exercise);
        stage.close(1);
        check(&stage, 0, &all(), expect!["1: 3@3"]);
        check(&stage, 0, &Wanted { statuses: vec![Status::Actual], ..all() }, expect!["0: "]);
        check(&stage, 0, &Wanted { statuses: Status::ALL.to_vec(), ..all() }, expect!["1: 3@3"]);
    }

    #[test]
    fn what_becomes_covert_is_withdrawn_once_whatever_happens_to_it_later() {
        let mut stage = Stage::new();
        stage.raise("22/1", |_| ());
        stage.acknowledge(1);
        stage.raise("22/1", |said| said.covert = Some(true));
        let hidden_seq = stage.room.find_alert(&stage.id(1)).unwrap().hidden_seq;
        assert_eq!(hidden_seq, Some(3));
        check(&stage, 0, &all(), expect!["1: 1@3"]);
        stage.raise("22/2", |_| ());
        stage.close(1);
        check(&stage, 0, &all(), expect!["2: 1@3 2@4"]);
        check(&stage, 2, &all(), expect!["2: 1@3 2@4"]);
        check(&stage, 3, &all(), expect!["1: 2@4"]);
        check(&stage, 5, &all(), expect!["0: "]);
    }

    #[test]
    fn who_was_told_of_an_alert_hears_that_it_is_withdrawn_even_when_it_became_more_urgent() {
        let mut stage = Stage::new();
        stage.raise("22/1", |said| said.priority = Some(Priority::P2));
        let paged = Wanted { priorities: vec![Priority::P2], ..all() };
        check(&stage, 0, &paged, expect!["1: 1@1"]);
        stage.raise("22/1", |said| (said.priority, said.covert) = (Some(Priority::P1), Some(true)));
        assert_eq!(stage.room.find_alert(&stage.id(1)).unwrap().priority, Priority::P1);
        check(&stage, 1, &paged, expect!["1: 1@2"]);
        check(&stage, 1, &Wanted { statuses: vec![Status::Exercise], ..all() }, expect!["0: "]);
        check(&stage, 1, &Wanted { classes: vec![AlertClass::Service], ..all() }, expect!["0: "]);
        stage.raise("22/2", |said| said.priority = Some(Priority::P3));
        stage.raise("22/2", |said| (said.priority, said.covert) = (Some(Priority::P3), Some(true)));
        check(&stage, 2, &paged, expect!["0: "]);
        check(&stage, 2, &Wanted { priorities: vec![Priority::P3], ..all() }, expect!["1: 2@4"]);
    }

    #[test]
    fn what_was_hidden_long_ago_is_given_up_by_then_and_not_by_its_last_change() {
        let mut stage = Stage::new();
        stage.raise("22/1", |_| ());
        stage.raise("22/1", |said| said.covert = Some(true));
        stage.second = 100;
        stage.close(1);
        let old = expired(&stage.room, 1, &all(), at(50));
        assert_eq!(old, Expired { count: 1, worth_telling: 1, through_seq: 2 });
    }

    #[test]
    fn an_endpoint_hears_of_the_priorities_and_classes_it_wants() {
        let mut stage = Stage::new();
        stage.raise("22/1", |_| ());
        stage.raise("22/2", |said| said.kind = AlarmKind::Breakdown);
        check(&stage, 0, &Wanted { priorities: vec![Priority::P3, Priority::P4], ..all() }, expect!["1: 2@2"]);
        check(&stage, 0, &Wanted { classes: vec![AlertClass::Emergency], ..all() }, expect!["1: 1@1"]);
    }

    #[test]
    fn what_is_too_old_is_given_up_together_and_its_own_alerts_are_not_worth_another() {
        let mut stage = Stage::new();
        stage.raise("22/1", |_| ());
        stage.find(over(SYS_NOTIFY, Subject::System("notify/pager".to_owned()), Priority::P2, [].into()));
        stage.raise("22/2", |_| ());
        let old = |before| expired(&stage.room, 0, &all(), at(before));
        assert_eq!(old(1), Expired { count: 0, worth_telling: 0, through_seq: 0 });
        assert_eq!(old(4), Expired { count: 2, worth_telling: 1, through_seq: 3 });
        assert_eq!(old(9), Expired { count: 3, worth_telling: 2, through_seq: 4 });
    }
}
