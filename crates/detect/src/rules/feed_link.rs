//! FEED.LINK: our session with the broker behind a feed, or behind the alarms, is down.

use alert::{AlertClass, Evidence, Priority, Subject};
use picture::Link;
use serde::{Deserialize, Serialize};
use transit::{FeedId, UtcMillis};

use crate::{
    judgement::{Judgements, Proof, figures, seconds},
    options::{OptionsError, read, table_of},
    parents,
    registry::{Annunciate, Habits, Rule, RuleDef},
    scene::EmergencyLink,
    survey::Survey,
};

pub(crate) const DEF: RuleDef = RuleDef {
    code: "FEED.LINK",
    class: AlertClass::System,
    doc: "Our session with the broker behind a feed is down, or the broker refuses the feed's topics. Over when it is \
          up again and the feed was heard. When that holds of all feeds that were heard, and they are two or more, it \
          is one alert of `system:broker` with the feeds as members, over when any of them is heard again; so it is \
          when nothing was heard since start and every session is down. The session that brings alarms and incidents \
          from a broker of others is judged by itself, as `system:emergency`: it is down, or one of its topics is \
          refused; over when it is up. Until then no press arrives. When it goes down with all the feeds, that is \
          their alert with `emergency_session` in its figures, and it is told by itself once one of them is back and \
          it is not. Do: check broker, network and access rules; use the radio for what the feed's vehicles would \
          report.",
    habits: Habits::of(Annunciate::Alert).on(30.0, 1),
    keys: &[],
    defaults: table_of::<Options>,
    build,
    parents: parents::none,
};

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {}

/// Sessions that went down no further apart went down together: each notices a dead broker by its own pings.
const TOGETHER_MS: u64 = 60_000;

struct FeedLink;

fn build(table: toml::Table) -> Result<Box<dyn Rule>, OptionsError> {
    read::<Options>(table)?;
    Ok(Box::new(FeedLink))
}

/// A feed that was heard since start, and the session that counts for it.
struct Heard<'a> {
    feed: &'a FeedId,
    at: UtcMillis,
    link: &'a Link,
}

impl Heard<'_> {
    fn subject(&self) -> Subject {
        subject_of(self.feed)
    }

    fn is_heard_again(&self) -> bool {
        self.link.up && self.at >= self.link.since.utc
    }
}

impl Rule for FeedLink {
    fn examine(&self, survey: &Survey<'_>, out: &mut Judgements<'_>) {
        let heard: Vec<Heard<'_>> = survey
            .feeds
            .iter()
            .filter_map(|feed| {
                let (feed, at) = (&feed.record.id, feed.record.last_message_at?);
                Some(Heard { feed, at, link: link_of(survey, feed)? })
            })
            .collect();
        let all_down = heard.len() > 1 && heard.iter().all(|feed| !feed.link.up);
        for feed in &heard {
            if feed.is_heard_again() {
                out.clear(feed.subject(), Proof::Watched);
            } else if feed.link.up || all_down {
                out.unjudgeable(&feed.subject());
            } else {
                out.raise(feed.subject(), Proof::Watched, Priority::P1, || {
                    let down = ("down_s", down_s(survey, feed.link));
                    outage(survey, [down, ("last_message_at", feed.at.to_string())])
                });
            }
        }
        judge_broker(survey, &heard, all_down, out);
        judge_emergency(survey, out);
    }
}

fn judge_broker(survey: &Survey<'_>, heard: &[Heard<'_>], all_down: bool, out: &mut Judgements<'_>) {
    let links = survey.scene.links;
    let never_there = || {
        let unheard = survey.feeds.iter().all(|feed| feed.record.last_message_at.is_none());
        unheard && !links.is_empty() && links.iter().all(|link| !link.up)
    };
    if heard.iter().any(Heard::is_heard_again) {
        out.clear(parents::broker(), Proof::Watched);
    } else if all_down {
        out.raise(parents::broker(), Proof::Watched, Priority::P1, || {
            let last = heard.iter().map(|feed| feed.at).max();
            let down = heard.iter().map(|feed| feed.link).min_by_key(|link| link.since.mono_ms);
            Evidence {
                members: heard.iter().map(Heard::subject).collect(),
                ..outage(
                    survey,
                    [
                        ("down_s", down.map(|link| down_s(survey, link)).unwrap_or_default()),
                        ("last_message_at", last.map(|at| at.to_string()).unwrap_or_default()),
                    ],
                )
            }
        });
    } else if never_there() {
        out.raise(parents::broker(), Proof::Watched, Priority::P1, || Evidence {
            members: links.iter().map(|link| subject_of(&link.feed)).collect(),
            ..outage(survey, [("sessions_down", links.len().to_string())])
        });
    } else {
        out.unjudgeable(&parents::broker());
    }
}

/// The session that brings what drivers press.
fn judge_emergency(survey: &Survey<'_>, out: &mut Judgements<'_>) {
    let Some(session) = survey.scene.emergency.filter(|session| !session.up) else {
        // With a broker of our own there is no such session: one of an earlier configuration is gone for good.
        out.clear(emergency(), Proof::Watched);
        return;
    };
    if is_same_outage(survey, session) {
        out.unjudgeable(&emergency());
        return;
    }
    out.raise(emergency(), Proof::Watched, Priority::P1, || {
        let down_ms = survey.now().mono_ms.saturating_sub(session.since.mono_ms);
        figures([("down_s", seconds(down_ms)), ("reason", session.reason.clone())])
    });
}

/// A broker that is away takes all its sessions with it: then the feeds or the broker are told, and this is part of it.
/// Feeds that went down at another time explain nothing.
fn is_same_outage(survey: &Survey<'_>, session: &EmergencyLink) -> bool {
    let together = |link: &Link| !link.up && link.since.mono_ms.abs_diff(session.since.mono_ms) <= TOGETHER_MS;
    let links = survey.scene.links;
    !links.is_empty() && links.iter().all(together)
}

/// What an outage rests on, and whether presses are cut off by it as well.
fn outage<const N: usize>(survey: &Survey<'_>, figures_of: [(&str, String); N]) -> Evidence {
    let mut evidence = figures(figures_of);
    if survey.scene.emergency.is_some_and(|session| !session.up) {
        evidence.figures.insert("emergency_session".to_owned(), "down".to_owned());
    }
    evidence
}

fn emergency() -> Subject {
    Subject::System("emergency".to_owned())
}

fn subject_of(feed: &FeedId) -> Subject {
    Subject::Feed { feed: feed.clone(), scope: None }
}

fn down_s(survey: &Survey<'_>, link: &Link) -> String {
    seconds(survey.now().mono_ms.saturating_sub(link.since.mono_ms))
}

/// The session that counts: one that is up, else the one that went down last.
fn link_of<'a>(survey: &Survey<'a>, feed: &FeedId) -> Option<&'a Link> {
    let up = survey.links_of(feed).filter(|l| l.up).min_by_key(|l| l.since.mono_ms);
    up.or_else(|| survey.links_of(feed).max_by_key(|l| l.since.mono_ms))
}
