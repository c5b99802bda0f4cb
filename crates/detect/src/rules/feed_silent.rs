//! FEED.SILENT: the link is up, but no vehicle is heard although service is expected.

use alert::{AlertClass, Priority, Subject};
use picture::FeedCondition;
use serde::{Deserialize, Serialize};

use crate::{
    judgement::{Judgements, Proof, figures, seconds},
    options::{OptionsError, read, table_of},
    parents,
    registry::{Annunciate, Habits, Rule, RuleDef},
    survey::Survey,
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

impl Rule for FeedSilent {
    fn examine(&self, survey: &Survey<'_>, out: &mut Judgements<'_>) {
        for feed in &survey.feeds {
            let subject = Subject::Feed { feed: feed.record.id.clone(), scope: None };
            match feed.record.condition {
                FeedCondition::Silent => out.raise(subject, Proof::Watched, Priority::P1, || {
                    let since = feed.record.last_message_at.unwrap_or(survey.scene.started.utc);
                    let silent_ms = u64::try_from(survey.now().utc.since(since)).unwrap_or(0);
                    figures([
                        ("silent_s", seconds(silent_ms)),
                        ("last_message_at", since.to_string()),
                        ("vehicles", feed.record.vehicles.to_string()),
                    ])
                }),
                FeedCondition::Good | FeedCondition::Partial | FeedCondition::Frozen => {
                    out.clear(subject, Proof::Watched);
                }
                FeedCondition::Quiet | FeedCondition::Unheard | FeedCondition::LinkDown => out.unjudgeable(&subject),
            }
        }
    }
}
