//! FEED.SILENT: the link is up, but no vehicle is heard although service is expected.

use alert::{AlertClass, Priority, Subject};
use picture::{FeedCondition, HEARD_AGAIN};
use serde::{Deserialize, Serialize};
use transit::UtcMillis;

use crate::{
    judgement::{Judgements, Proof, figures, seconds},
    options::{OptionsError, read, table_of},
    parents,
    registry::{Annunciate, Habits, Rule, RuleDef},
    survey::{Sighting, Survey},
};

pub(crate) const DEF: RuleDef = RuleDef {
    code: "FEED.SILENT",
    class: AlertClass::System,
    doc: "The link is up, but no vehicle of the feed was heard for max(30 s, 10 times the usual gap between messages) \
          although service is expected. Over when 3 vehicles, or all of fewer, were heard again. A fleet whose \
          vehicles fall silent one after another is going home, not silent. Do: call the feed's operator; its \
          vehicles are shown with their age.",
    habits: Habits::of(Annunciate::Alert),
    keys: &[],
    defaults: table_of::<Options>,
    build,
    parents: parents::of_feed,
};

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {}

struct FeedSilent;

fn build(table: toml::Table) -> Result<Box<dyn Rule>, OptionsError> {
    read::<Options>(table)?;
    Ok(Box::new(FeedSilent))
}

/// A vehicle heard this long before a silence was expected to go on, in milliseconds.
const EXPECTED_MS: i64 = 900_000;

/// Vehicles in service that were heard shortly before the last message of a feed.
fn count_expected(survey: &Survey<'_>, feed: usize, last: UtcMillis) -> usize {
    let recent = |s: &&Sighting<'_>| last.since(s.vehicle.received_at) <= EXPECTED_MS;
    survey.sightings.iter().filter(|s| s.feed == Some(feed) && s.in_service).filter(recent).count()
}

/// Enough vehicles were heard. The picture counts them, but not from before the process began.
fn is_heard_again(survey: &Survey<'_>, feed: usize, subject: &Subject, out: &Judgements<'_>) -> bool {
    let Some(figures) = out.told_before(subject) else { return true };
    let expected = figures.get("expected").or_else(|| figures.get("vehicles"));
    let expected = expected.and_then(|n| n.parse::<usize>().ok()).unwrap_or(HEARD_AGAIN);
    let heard = survey.sightings.iter().filter(|s| s.feed == Some(feed) && s.was_heard());
    let enough = HEARD_AGAIN.min(expected.max(1));
    heard.take(enough).count() == enough
}

impl Rule for FeedSilent {
    fn examine(&self, survey: &Survey<'_>, out: &mut Judgements<'_>) {
        for (at, feed) in survey.feeds.iter().enumerate() {
            let subject = Subject::Feed { feed: feed.record.id.clone(), scope: None };
            match feed.record.condition {
                FeedCondition::Silent => out.raise(subject, Proof::Watched, Priority::P1, || {
                    let since = feed.record.last_message_at.unwrap_or(survey.scene.started.utc);
                    let silent_ms = u64::try_from(survey.now().utc.since(since)).unwrap_or(0);
                    figures([
                        ("silent_s", seconds(silent_ms)),
                        ("last_message_at", since.to_string()),
                        ("vehicles", feed.record.vehicles.to_string()),
                        ("expected", count_expected(survey, at, since).to_string()),
                    ])
                }),
                FeedCondition::Good | FeedCondition::Partial | FeedCondition::Frozen
                    if is_heard_again(survey, at, &subject, out) =>
                {
                    out.clear(subject, Proof::Watched);
                }
                FeedCondition::Good
                | FeedCondition::Partial
                | FeedCondition::Frozen
                | FeedCondition::Quiet
                | FeedCondition::Unheard
                | FeedCondition::LinkDown => out.unjudgeable(&subject),
            }
        }
    }
}
