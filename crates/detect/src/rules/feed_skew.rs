//! FEED.SKEW: a device's clock is wrong, or that of a whole feed.

use alert::{AlertClass, Evidence, Priority};
use picture::QualityFlag;
use serde::{Deserialize, Serialize};

use crate::{
    judgement::{Judgements, Proof, figures},
    options::{OptionsError, check_share, read, table_of},
    parents,
    registry::{Annunciate, Habits, Rule, RuleDef},
    scope::Scope,
    survey::{FeedSight, Sighting, Survey},
};

pub(crate) const DEF: RuleDef = RuleDef {
    code: "FEED.SKEW",
    class: AlertClass::System,
    doc: "A vehicle's clock is ahead or behind, by more than `picture.future_limit_s` (60 s) and \
          `picture.behind_limit_s` (300 s) say, while it is heard. Over after 5 messages in range. Where it holds of \
          at least `share` and `vehicles_min` of the vehicles of a feed it is told once, of the feed, until less than \
          half of that share is left. Do: have the device or the source set right; ages are shown with the offset \
          taken out.",
    habits: Habits::of(Annunciate::Exception).on(0.0, 2).off(0.0, 5),
    keys: &[
        ("share", "Share of a feed's vehicles of which it is told as one."),
        ("vehicles_min", "And at least this many."),
    ],
    defaults: table_of::<Options>,
    build,
    parents: parents::of_vehicle,
};

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    share: f64,
    vehicles_min: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { share: 0.5, vehicles_min: 20 }
    }
}

/// Vehicles named in the evidence of a feed.
const EXAMPLES: usize = 20;

struct FeedSkew {
    options: Options,
}

fn build(table: toml::Table) -> Result<Box<dyn Rule>, OptionsError> {
    let options: Options = read(table)?;
    check_share("share", options.share)?;
    Ok(Box::new(FeedSkew { options }))
}

/// What is heard of one feed.
#[derive(Default)]
struct Count<'a> {
    heard: usize,
    skewed: usize,
    examples: Vec<&'a Sighting<'a>>,
}

impl Rule for FeedSkew {
    fn examine(&self, survey: &Survey<'_>, out: &mut Judgements<'_>) {
        let as_one = self.feeds_as_one(survey, out);
        for sighting in survey.sightings.iter().filter(|s| s.fresh) {
            // A hundred thousand times the same says less than once.
            let told_of_feed = sighting.feed.is_some_and(|at| as_one[at]);
            if sighting.vehicle.quality.is_skewed() && !told_of_feed {
                out.raise(sighting.subject(), sighting.message(), Priority::P4, || figures([offset(sighting)]));
            } else if !out.is_idle() {
                out.clear(sighting.subject(), sighting.message());
            }
        }
    }
}

impl FeedSkew {
    /// Judges every feed as a whole; says of which it is told.
    fn feeds_as_one(&self, survey: &Survey<'_>, out: &mut Judgements<'_>) -> Vec<bool> {
        let mut counts: Vec<Count<'_>> = survey.feeds.iter().map(|_| Count::default()).collect();
        for sighting in survey.sightings.iter().filter(|s| s.fresh) {
            let Some(count) = sighting.feed.map(|at| &mut counts[at]) else { continue };
            count.heard += 1;
            if sighting.vehicle.quality.is_skewed() {
                count.skewed += 1;
                if count.examples.len() < EXAMPLES {
                    count.examples.push(sighting);
                }
            }
        }
        let judge = |(feed, count): (&FeedSight<'_>, Count<'_>)| {
            let subject = Scope::Feed(&feed.record.id).subject();
            let stands = out.find_onset(&subject).is_some();
            let (skewed, heard) = (count.skewed as f64, count.heard as f64);
            let many = count.skewed >= self.options.vehicles_min && skewed >= self.options.share * heard;
            let still = stands && skewed >= self.options.share / 2.0 * heard;
            if many || still {
                out.raise(subject, Proof::Watched, Priority::P4, || count.evidence());
            } else if count.heard > 0 {
                out.clear(subject, Proof::Watched);
            }
            many || still
        };
        survey.feeds.iter().zip(counts).map(judge).collect()
    }
}

impl Count<'_> {
    fn evidence(&self) -> Evidence {
        let mut evidence = figures([("skewed", self.skewed.to_string()), ("heard", self.heard.to_string())]);
        evidence.figures.extend(self.examples.first().map(|s| offset(s)).map(|(name, value)| (name.to_owned(), value)));
        evidence.members = self.examples.iter().map(|s| s.subject()).collect();
        evidence
    }
}

/// How wrong a vehicle's clock is.
fn offset(sighting: &Sighting<'_>) -> (&'static str, String) {
    let vehicle = sighting.vehicle;
    let ahead = vehicle.quality.contains(QualityFlag::ClockAhead);
    let offset_s = vehicle.received_at.since(vehicle.event_time).unsigned_abs() / 1000;
    (if ahead { "ahead_s" } else { "behind_s" }, offset_s.to_string())
}
