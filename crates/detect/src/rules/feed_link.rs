//! FEED.LINK: our session with the broker behind a feed is down.

use alert::{AlertClass, Evidence, Priority, Subject};
use serde::{Deserialize, Serialize};
use transit::FeedId;

use crate::{
    judgement::{Judgements, Proof, figures, seconds},
    options::{OptionsError, read, table_of},
    parents,
    registry::{Annunciate, Habits, Rule, RuleDef},
    survey::Survey,
};

pub(crate) const DEF: RuleDef = RuleDef {
    code: "FEED.LINK",
    class: AlertClass::System,
    doc: "Our session with the broker behind a feed is down. Over when it is up again and the feed was heard. When \
          nothing was heard since start and every session is down, it is one alert of `system:broker`. Do: check \
          broker and network; use the radio for what the feed's vehicles would report.",
    habits: Habits::of(Annunciate::Alert).on(30.0, 1),
    keys: &[],
    defaults: table_of::<Options>,
    build,
    parents: parents::none,
};

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {}

struct FeedLink;

fn build(table: toml::Table) -> Result<Box<dyn Rule>, OptionsError> {
    read::<Options>(table)?;
    Ok(Box::new(FeedLink))
}

/// The sessions as a whole, for when no feed was ever heard.
fn broker() -> Subject {
    Subject::System("broker".to_owned())
}

impl Rule for FeedLink {
    fn examine(&self, survey: &Survey<'_>, out: &mut Judgements<'_>) {
        let mut heard_any = false;
        for feed in &survey.feeds {
            let Some(heard) = feed.record.last_message_at else { continue };
            heard_any = true;
            let subject = Subject::Feed { feed: feed.record.id.clone(), scope: None };
            match link_of(survey, &feed.record.id) {
                None => out.unjudgeable(&subject),
                Some(link) if link.up && heard >= link.since.utc => out.clear(subject, Proof::Watched),
                Some(link) if link.up => out.unjudgeable(&subject),
                Some(link) => out.raise(subject, Proof::Watched, Priority::P1, || {
                    let down_ms = survey.now().mono_ms.saturating_sub(link.since.mono_ms);
                    figures([("down_s", seconds(down_ms)), ("last_message_at", heard.to_string())])
                }),
            }
        }
        judge_broker(survey, heard_any, out);
    }
}

fn judge_broker(survey: &Survey<'_>, heard_any: bool, out: &mut Judgements<'_>) {
    let links = survey.scene.links;
    if links.iter().any(|link| link.up) {
        out.clear(broker(), Proof::Watched);
    } else if !heard_any && !links.is_empty() {
        out.raise(broker(), Proof::Watched, Priority::P1, || Evidence {
            members: links.iter().map(|l| Subject::Feed { feed: l.feed.clone(), scope: None }).collect(),
            ..figures([("sessions_down", links.len().to_string())])
        });
    }
}

/// The session that counts: one that is up, else the one that went down last.
fn link_of<'a>(survey: &Survey<'a>, feed: &FeedId) -> Option<&'a picture::Link> {
    let up = survey.links_of(feed).filter(|l| l.up).min_by_key(|l| l.since.mono_ms);
    up.or_else(|| survey.links_of(feed).max_by_key(|l| l.since.mono_ms))
}
