//! SYS.WATCHDOG: a part of ourselves does not do its work.

use alert::{AlertClass, Priority, Subject};
use serde::{Deserialize, Serialize};

use crate::{
    judgement::{Judgements, Proof, figures, seconds},
    options::{OptionsError, check_figure, read, table_of},
    parents,
    registry::{Annunciate, Habits, Rule, RuleDef},
    survey::Survey,
};

pub(crate) const DEF: RuleDef = RuleDef {
    code: "SYS.WATCHDOG",
    class: AlertClass::System,
    doc: "The picture was not published for `picture_age_max_s` (P1), or a rule broke down while judging (P2). Over \
          when the picture is published again, or the rule has run for `rule_sound_s`. Do: tell whoever runs the \
          service; until then what is shown is of the time it says.",
    habits: Habits::of(Annunciate::Alert),
    keys: &[
        ("picture_age_max_s", "Age of the picture, in seconds, at which it counts as dead; at least 5."),
        ("rule_sound_s", "Seconds without a breakdown after which a rule is sound again."),
    ],
    defaults: table_of::<Options>,
    build,
    parents: parents::none,
};

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    picture_age_max_s: f64,
    rule_sound_s: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { picture_age_max_s: 15.0, rule_sound_s: 600.0 }
    }
}

/// A picture no older than this is being published, in seconds.
const PUBLISHED_S: f64 = 5.0;
/// The same in milliseconds.
const PUBLISHED_MS: u64 = (PUBLISHED_S * 1000.0) as u64;
/// How the subject of a rule that broke down begins.
const RULE: &str = "rule ";

struct Watchdog {
    picture_age_max_ms: u64,
    rule_sound_ms: u64,
}

fn build(table: toml::Table) -> Result<Box<dyn Rule>, OptionsError> {
    let options: Options = read(table)?;
    check_figure("picture_age_max_s", options.picture_age_max_s)?;
    if options.picture_age_max_s < PUBLISHED_S {
        return Err(OptionsError::Value(format!(
            "`picture_age_max_s` is {}; it has to be {PUBLISHED_S} or more: a younger picture is being published",
            options.picture_age_max_s
        )));
    }
    check_figure("rule_sound_s", options.rule_sound_s)?;
    Ok(Box::new(Watchdog {
        picture_age_max_ms: (options.picture_age_max_s * 1000.0) as u64,
        rule_sound_ms: (options.rule_sound_s * 1000.0) as u64,
    }))
}

impl Rule for Watchdog {
    fn judges_a_still_picture(&self) -> bool {
        true
    }

    fn examine(&self, survey: &Survey<'_>, out: &mut Judgements<'_>) {
        let now_ms = survey.now().mono_ms;
        let picture = Subject::System("picture".to_owned());
        let age_ms = now_ms.saturating_sub(survey.scene.as_of.mono_ms);
        if age_ms > self.picture_age_max_ms {
            out.raise(picture, Proof::Watched, Priority::P1, || figures([("picture_age_s", seconds(age_ms))]));
        } else if age_ms <= PUBLISHED_MS {
            out.clear(picture, Proof::Watched);
        }
        for broken in survey.broken.values() {
            let subject = Subject::System(format!("{RULE}{}", broken.rule));
            if now_ms.saturating_sub(broken.last.mono_ms) < self.rule_sound_ms {
                out.raise(subject, Proof::Watched, Priority::P2, || {
                    figures([("count", broken.count.to_string()), ("message", broken.message.clone())])
                });
            } else {
                out.clear(subject, Proof::Watched);
            }
        }
        // What broke down before the process began has not been seen to since: a while of that is the proof. By a picture
        // that stands still no rule judges.
        if now_ms.saturating_sub(survey.scene.started.mono_ms) < self.rule_sound_ms || age_ms > PUBLISHED_MS {
            return;
        }
        for subject in out.standing() {
            let Subject::System(part) = subject else { continue };
            if part.strip_prefix(RULE).is_some_and(|rule| !survey.broken.contains_key(rule)) {
                out.clear(subject.clone(), Proof::Watched);
            }
        }
    }
}
