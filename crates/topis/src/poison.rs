//! SYS.POISON: a message on the emergency lane that says nothing readable is confirmed to its broker and set aside in the
//! ring of rejects, and a person is told, because it may have been an emergency.
//!
//! An alarm always raises and is never set aside. What reached the lane under no topic of ours is a plain reject. One
//! open alert a feed at most, however many strangers send however much.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::Duration,
};

use alert::{Finding, Subject};
use decode::{Decoded, Grade, Problem, ProblemCode, Reject};
use ingest::LinkStatus;
use room::ControlRoom;
use tokio::sync::{mpsc, watch};
use transit::{FeedId, Now, Word as _};

use crate::{clock::Clock, recurrence::Recurrence};

const RULE: &str = "SYS.POISON";
/// How often it is looked whether something counted is to be told by now.
const LOOK: Duration = Duration::from_secs(60);

/// Characters of a topic that the alert shows; the ring of rejects has more.
const TOPIC_CHARS: usize = 128;

/// What was set aside, by feed: as many entries as feeds are configured.
#[derive(Debug, Default)]
pub(crate) struct Poison {
    feeds: BTreeMap<FeedId, Recurrence>,
}

impl Poison {
    /// Counts the message when it is set aside whole.
    pub(crate) fn look_at(&mut self, topic: &str, decoded: &Decoded) {
        if let Some(problem) = set_aside_for(decoded) {
            self.count(&decoded.feed, problem.code, topic);
        }
    }

    /// Counts an incident that could be read and was not taken, where nothing of the kind is on record.
    pub(crate) fn note(&mut self, reject: &Reject) {
        if reject.problem.code == ProblemCode::NoRoom {
            self.count(&reject.feed, reject.problem.code, &reject.topic);
        }
    }

    fn count(&mut self, feed: &FeedId, code: ProblemCode, topic: &str) {
        metrics::counter!("topis_emergency_set_aside_total").increment(1);
        let entry = match self.feeds.entry(feed.clone()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let subject = Subject::Feed { feed: feed.clone(), scope: None };
                entry.insert(Recurrence::new(RULE, subject))
            }
        };
        let shown = topic.chars().take(TOPIC_CHARS).map(|c| if c.is_control() { '\u{fffd}' } else { c });
        entry.note(1, [("code", code.word().to_owned()), ("topic", shown.collect())]);
    }

    /// What a person is to be told now.
    pub(crate) fn tell(&mut self, room: &ControlRoom, now: Now) -> Vec<Finding> {
        self.feeds.values_mut().flat_map(|recurrence| recurrence.tell(room, now)).collect()
    }
}

/// Tells of packets that broke the emergency session because they are above its cap. Such a packet cannot be confirmed and
/// comes again with every connection until a person purges it at the broker. Ends with the session.
pub(crate) async fn watch_oversized(
    mut link: watch::Receiver<LinkStatus>,
    recorded: watch::Receiver<ControlRoom>,
    findings: mpsc::Sender<Vec<Finding>>,
    clock: Clock,
) {
    let mut recurrence = Recurrence::new(RULE, Subject::System("emergency session".to_owned()));
    let mut seen = 0;
    loop {
        let oversized = link.borrow_and_update().oversized;
        if oversized > seen {
            recurrence.note(oversized - seen, [("code", ProblemCode::Oversized.word().to_owned())]);
            seen = oversized;
        }
        let told = recurrence.tell(&recorded.borrow(), clock.now());
        if !told.is_empty() && findings.send(told).await.is_err() {
            return;
        }
        tokio::select! {
            changed = link.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Why nothing of the message could be used.
fn set_aside_for(decoded: &Decoded) -> Option<&Problem> {
    if !decoded.messages.is_empty() {
        return None;
    }
    decoded.problems.iter().find(|problem| {
        // A retained message that its source takes back is empty: there is nothing in it to be set aside.
        problem.grade == Grade::Reject && !matches!(problem.code, ProblemCode::UnknownTopic | ProblemCode::EmptyBody)
    })
}

#[cfg(test)]
mod tests {
    use decode::{Feeds, Frame};
    use expect_test::{Expect, expect};
    use room::RoomOptions;
    use transit::UtcMillis;

    use super::*;

    /// Topics and bodies in; the subjects and figures that are told out.
    fn check(messages: &[(&str, &str)], expected: Expect) {
        let feeds = Feeds::new("topis", Feeds::defaults()).unwrap();
        let mut poison = Poison::default();
        for (topic, body) in messages {
            assert!(feeds.is_emergency(topic), "{topic}");
            let (payload, received_at) = (body.as_bytes(), UtcMillis(0));
            let decoded = feeds.decode(&Frame { topic, payload, retained: false, dup: false, received_at });
            poison.look_at(topic, &decoded);
        }
        let now = Now { utc: UtcMillis(0), mono_ms: 0 };
        let told = poison.tell(&ControlRoom::new(RoomOptions::default()), now);
        let lines: Vec<String> =
            told.iter().map(|f| format!("{:?} {} {:?}", f.verdict, f.subject, f.evidence.figures)).collect();
        expected.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn incidents_and_warnings_that_cannot_be_read_are_told_once_a_feed() {
        check(
            &[
                ("topis/v1/incident/radio/1", "{\"kind\":"),
                ("topis/v1/incident/radio/2", "{}"),
                ("topis/v1/incident/radio", "{\"kind\":\"fire\",\"lat\":37.5,\"lon\":127.0}"),
                ("topis/v1/cap/kma", "no xml"),
            ],
            expect![[r#"
                Raised feed:cap {"code": "unparsable", "count": "1", "topic": "topis/v1/cap/kma"}
                Cleared feed:cap {}
                Raised feed:native {"code": "bad_id", "count": "3", "topic": "topis/v1/incident/radio"}
                Cleared feed:native {}"#]],
        );
    }

    #[test]
    fn alarms_however_broken_and_what_is_taken_back_are_none() {
        check(
            &[
                ("topis/v1/vehicle/22/800/alarm", "{{{"),
                ("topis/v1/vehicle/alarm", ""),
                ("topis/v1/vehicle/a/b/c/d/alarm", "\u{0}"),
                ("topis/v1/incident/radio/1", ""),
                ("topis/v1/incident/radio/1", "{\"kind\":\"fire\",\"lat\":37.5,\"lon\":127.0,\"severity\":7}"),
                ("topis/v1/cap/kma", ""),
            ],
            expect![[""]],
        );
    }

    #[tokio::test]
    async fn a_packet_above_the_cap_of_the_emergency_session_is_told() {
        let status = LinkStatus {
            state: ingest::LinkState::Down,
            since: UtcMillis(0),
            detail: String::new(),
            epoch: 1,
            connects: 1,
            oversized: 0,
        };
        let link = watch::Sender::new(status);
        let room = watch::Sender::new(ControlRoom::new(RoomOptions::default()));
        let (findings, mut found) = mpsc::channel(1);
        let watching = tokio::spawn(watch_oversized(link.subscribe(), room.subscribe(), findings, Clock::wall()));
        link.send_modify(|status| status.oversized += 1);
        let told = found.recv().await.unwrap();
        assert_eq!((told[0].rule.as_str(), told[0].subject.to_string().as_str()), (RULE, "system:emergency session"));
        assert_eq!(told[0].evidence.figures["count"], "1");
        drop(link);
        watching.await.unwrap();
    }
}
