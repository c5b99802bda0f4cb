//! FEED.FROZEN: messages arrive, but the devices' stamps stand still.

use alert::{AlertClass, Priority, Subject};
use picture::FeedCondition;
use serde::{Deserialize, Serialize};
use transit::UtcMillis;

use crate::{
    judgement::{Judgements, Proof, figures, seconds},
    options::{OptionsError, read, table_of},
    parents,
    registry::{Annunciate, Habits, Rule, RuleDef},
    survey::{FeedSight, Survey},
};

pub(crate) const DEF: RuleDef = RuleDef {
    code: "FEED.FROZEN",
    class: AlertClass::System,
    doc: "Messages arrive, but for max(150 s, 2.5 reporting intervals) the device times of at least 80 % of the \
          active vehicles have not advanced: of those that are heard, do not say that they are out of service, and \
          whose time did advance in the 15 minutes before. Over when fewer than 20 % stand still for 2 minutes; after \
          a restart of the service, when so many have been seen to advance. Vehicles that stand but report are not \
          frozen, nor are those that were parked one after another and repeat their last time. Do: call the feed's \
          operator; positions are of the time shown, not of now.",
    habits: Habits::of(Annunciate::Alert),
    keys: &[],
    defaults: table_of::<Options>,
    build,
    parents: parents::of_feed,
};

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {}

struct FeedFrozen;

fn build(table: toml::Table) -> Result<Box<dyn Rule>, OptionsError> {
    read::<Options>(table)?;
    Ok(Box::new(FeedFrozen))
}

/// Between two looks lies about this, in milliseconds.
const LOOK_MS: i64 = 1_000;

/// A message arrived since the last look.
fn speaks(last_message_at: Option<UtcMillis>, survey: &Survey<'_>) -> bool {
    last_message_at.is_some_and(|at| survey.scene.as_of.utc.since(at) < LOOK_MS)
}

/// A feed that froze before the process began has thawed when its stamps are seen to move: a first message, however
/// new, may be the one that it repeats.
fn may_be_over(feed: &FeedSight<'_>, subject: &Subject, out: &Judgements<'_>) -> bool {
    out.told_before(subject).is_none() || feed.record.stamps_move
}

impl Rule for FeedFrozen {
    fn examine(&self, survey: &Survey<'_>, out: &mut Judgements<'_>) {
        for feed in &survey.feeds {
            let subject = Subject::Feed { feed: feed.record.id.clone(), scope: None };
            match feed.record.condition {
                FeedCondition::Frozen => out.raise(subject, Proof::Watched, Priority::P1, || {
                    let since = feed.record.last_advance_at.unwrap_or(survey.scene.started.utc);
                    let frozen_ms = u64::try_from(survey.now().utc.since(since)).unwrap_or(0);
                    figures([
                        ("last_advance_at", since.to_string()),
                        ("last_advance_s_ago", seconds(frozen_ms)),
                        ("vehicles", feed.record.vehicles.to_string()),
                    ])
                }),
                // The two minutes may run out in silence, which thaws nothing: only a feed that speaks now is over it.
                FeedCondition::Good | FeedCondition::Partial
                    if speaks(feed.record.last_message_at, survey) && may_be_over(feed, &subject, out) =>
                {
                    out.clear(subject, Proof::Watched);
                }
                FeedCondition::Good
                | FeedCondition::Partial
                | FeedCondition::Quiet
                | FeedCondition::Unheard
                | FeedCondition::Silent
                | FeedCondition::LinkDown => out.unjudgeable(&subject),
            }
        }
    }
}
