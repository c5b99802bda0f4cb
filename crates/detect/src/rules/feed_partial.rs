//! FEED.PARTIAL: many vehicles of one feed, agency or depot fell silent together.

use std::collections::BTreeMap;

use alert::{AlertClass, Evidence, Priority, Subject};
use picture::{Freshness, SILENCE_SLICE_MS, fell_silent_together};
use serde::{Deserialize, Serialize};
use transit::JourneyState;

use crate::{
    judgement::{Judgements, Proof, figures},
    options::{OptionsError, check_share, read, table_of},
    parents,
    registry::{Annunciate, Habits, Rule, RuleDef},
    scope::{Scope, depot_prefix},
    survey::{FeedSight, Sighting, Survey},
};

pub(crate) const CODE: &str = "FEED.PARTIAL";

pub(crate) const DEF: RuleDef = RuleDef {
    code: CODE,
    class: AlertClass::System,
    doc: "Of the vehicles that are expected (in service and heard in the last 15 minutes) at least `share` and \
          `vehicles_min`, or of few `few_share` and `few_min`, are not heard for max(90 s, 4 reporting intervals), and \
          they fell silent together, not one after another as at the end of a day. Told once, of the largest part it \
          holds for: the fleet (two feeds or more), a feed, an agency in it, a depot by the first characters of its \
          vehicles' numbers; others that fall silent while a whole no longer holds but is not over are told of their \
          part. Over when less than `clear_share` is missing for 2 minutes; a vehicle missing since then does not stop \
          being so by staying away, nor by a restart of the service: after one, nearly as many as were expected have \
          to be heard first; where all vehicles are known again, those off duty are not waited for. Do: call the \
          gateway's or depot's operator.",
    habits: Habits::of(Annunciate::Alert).off(120.0, 1),
    keys: &[
        ("share", "Share of the expected vehicles that is many."),
        ("vehicles_min", "And at least this many."),
        ("few_share", "Share that is many of a small fleet."),
        ("few_min", "And at least this many."),
        ("clear_share", "Share below which it is over."),
        ("depot_prefix_chars", "Characters of a vehicle's number that name its depot; 0: none do."),
    ],
    defaults: table_of::<Options>,
    build,
    parents: parents::of_scope,
};

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    share: f64,
    vehicles_min: usize,
    few_share: f64,
    few_min: usize,
    clear_share: f64,
    depot_prefix_chars: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { share: 0.2, vehicles_min: 20, few_share: 0.5, few_min: 3, clear_share: 0.1, depot_prefix_chars: 1 }
    }
}

/// A vehicle heard this long before a silence is expected to go on, in milliseconds.
const EXPECTED_MS: u64 = 900_000;
/// Vehicles named in the evidence.
const EXAMPLES: usize = 20;

struct FeedPartial {
    options: Options,
}

fn build(table: toml::Table) -> Result<Box<dyn Rule>, OptionsError> {
    let options: Options = read(table)?;
    for (key, share) in
        [("share", options.share), ("few_share", options.few_share), ("clear_share", options.clear_share)]
    {
        check_share(key, share)?;
    }
    for (key, share) in [("share", options.share), ("few_share", options.few_share)] {
        if options.clear_share >= share {
            let clear_share = options.clear_share;
            return Err(OptionsError::Value(format!(
                "`clear_share` is {clear_share}; it has to be below `{key}`, which is {share}: lower the one or raise the \
                 other"
            )));
        }
    }
    Ok(Box::new(FeedPartial { options }))
}

/// What is expected and what is missing of one part of the fleet.
#[derive(Default)]
struct Count<'a> {
    standing_ms: u64,
    /// Silences that last less began after all that is told of the wholes.
    news_ms: u64,
    expected: usize,
    /// Of them, heard.
    present: usize,
    missing: usize,
    /// Of the missing, those that are not told with a whole.
    news: usize,
    /// Them by how long they have been missing, in slices.
    by_slice: Vec<usize>,
    span: usize,
    examples: Vec<&'a Sighting<'a>>,
}

/// How one feed's silences are sliced.
#[derive(Clone, Copy)]
struct Slices {
    first_ms: u64,
    count: usize,
    span: usize,
    expected_ms: u64,
}

impl Slices {
    fn of(feed: &FeedSight<'_>) -> Self {
        let i = feed.interval_ms;
        let first_ms = 90_000.max(i.saturating_mul(4));
        let lost_ms = 360_000.max(i.saturating_mul(10));
        let expected_ms = EXPECTED_MS.max(lost_ms.saturating_add(EXPECTED_MS / 3));
        let slices = expected_ms.saturating_sub(first_ms).div_ceil(SILENCE_SLICE_MS).clamp(1, 10_000);
        let span = i.div_ceil(SILENCE_SLICE_MS).saturating_add(1).min(slices);
        Self { first_ms, count: slices as usize, span: span as usize, expected_ms }
    }
}

impl Rule for FeedPartial {
    fn examine(&self, survey: &Survey<'_>, out: &mut Judgements<'_>) {
        let counts = self.count(survey, out);
        let mut raised: Vec<Subject> = Vec::new();
        let partial_feeds =
            counts.iter().filter(|(scope, count)| matches!(scope, Scope::Feed(_)) && self.is_partial(count)).count();
        // From the whole to the part: what is told of the whole is not told again of its parts. One that only stands,
        // as it may from one peak to the next, speaks for those that were missing when it was last seen to hold.
        for (scope, count) in &counts {
            let subject = scope.subject();
            if Scope::wholes(&subject).iter().any(|whole| raised.contains(whole)) {
                out.unjudgeable(&subject);
                continue;
            }
            let stands = out.find_onset(&subject).is_some();
            let wide_enough = *scope != Scope::Fleet || partial_feeds >= 2;
            if self.are_few(count.missing as f64, (count.present + count.missing) as f64) {
                if self.is_made_up_for(&subject, survey, out) {
                    out.clear(subject, Proof::Watched);
                } else {
                    out.unjudgeable(&subject);
                }
            } else if (stands && self.are_many(count.missing, count.expected))
                || (wide_enough && self.is_partial(count))
            {
                raised.push(subject.clone());
                out.raise(subject, Proof::Watched, Priority::P2, || count.evidence(known_of(scope, survey)));
            }
        }
    }
}

impl FeedPartial {
    /// Counts every part of the fleet in which something may be missing.
    fn count<'s>(&self, survey: &'s Survey<'_>, out: &Judgements<'_>) -> BTreeMap<Scope<'s>, Count<'s>> {
        let slices: Vec<Slices> = survey.feeds.iter().map(Slices::of).collect();
        let sound: Vec<bool> = survey.feeds.iter().map(|feed| survey.is_sound_for(feed, 0)).collect();
        let mut missing = vec![0_usize; survey.feeds.len()];
        for sighting in &survey.sightings {
            if let Some(at) = sighting.feed
                && is_missing(sighting)
            {
                missing[at] += 1;
            }
        }
        let idle = out.is_idle();
        let mut counts: Vec<(Scope<'s>, Count<'s>)> = Vec::new();
        let mut places: BTreeMap<Scope<'s>, usize> = BTreeMap::new();
        // Neighbours in the order of vehicles mostly share all their scopes: looked up once a run.
        let mut run: Vec<usize> = Vec::new();
        for sighting in &survey.sightings {
            let Some(at) = sighting.feed.filter(|at| sighting.in_service && sound[*at]) else { continue };
            // In a healthy feed there is nothing to count.
            if idle && missing[at] < self.options.few_min.min(self.options.vehicles_min) {
                continue;
            }
            let same = run.len() == self.scopes(sighting, survey).count()
                && self.scopes(sighting, survey).zip(&run).all(|(scope, at)| counts[*at].0 == scope);
            if !same {
                run.clear();
                for scope in self.scopes(sighting, survey) {
                    let place = *places.entry(scope.clone()).or_insert_with(|| {
                        let standing_ms = standing_ms(&scope, survey, out);
                        let news_ms = news_ms(&scope, survey, out);
                        counts.push((scope, Count { standing_ms, news_ms, ..Count::default() }));
                        counts.len() - 1
                    });
                    run.push(place);
                }
            }
            for place in &run {
                counts[*place].1.add(sighting, slices[at], survey);
            }
        }
        let mut counts = counts.into_iter().collect();
        drop_repeats(&mut counts, out);
        counts
    }

    fn scopes<'s>(&self, sighting: &'s Sighting<'_>, survey: &Survey<'_>) -> impl Iterator<Item = Scope<'s>> {
        let vehicle = sighting.vehicle;
        let (feed, agency) = (&vehicle.feed, &vehicle.key.agency);
        let depot = depot_prefix(&vehicle.key.vehicle, self.options.depot_prefix_chars);
        let fleet = (survey.feeds.len() > 1).then_some(Scope::Fleet);
        let depot = depot.map(|prefix| Scope::Depot(feed, agency, prefix));
        fleet.into_iter().chain([Scope::Feed(feed), Scope::Agency(feed, agency)]).chain(depot)
    }

    fn are_many(&self, vehicles: usize, of: usize) -> bool {
        let o = &self.options;
        let (some, of) = (vehicles as f64, of as f64);
        let many = vehicles >= o.vehicles_min && some >= o.share * of;
        many || (vehicles >= o.few_min && some >= o.few_share * of)
    }

    /// So few are missing that it is over.
    fn are_few(&self, missing: f64, of: f64) -> bool {
        missing < self.options.clear_share * of
    }

    /// After a restart those missing before are not known any more, and nobody is missed: what stands since before is
    /// over when nearly as many as were expected then have been heard since, and those that were named among them. They
    /// are some of the missing and speak for the others.
    fn is_made_up_for(&self, subject: &Subject, survey: &Survey<'_>, out: &Judgements<'_>) -> bool {
        let Some(told) = out.told_before(subject) else { return true };
        let figure = |name: &str| told.get(name).and_then(|figure| figure.parse::<f64>().ok());
        let members = out.members_of(subject);
        let is_unheard = |member: &&Subject| {
            let sighting = member.vehicle().and_then(|key| survey.find_sighting(key));
            !sighting.is_some_and(Sighting::was_heard)
        };
        let unheard = members.iter().filter(is_unheard).count();
        let (Some(missing), Some(expected)) = (figure("missing"), figure("expected")) else {
            return unheard == 0 && !members.is_empty();
        };
        let of_scope = |s: &&Sighting<'_>| Scope::holds(subject, s.vehicle);
        let (mut known, mut off_duty, mut heard) = (0_usize, 0_usize, 0_usize);
        for sighting in survey.sightings.iter().filter(of_scope) {
            known += 1;
            off_duty += usize::from(is_off_duty(sighting));
            heard += usize::from(sighting.in_service);
        }
        // Where as many are known as were then, no more can be expected than those that do not say they are off duty.
        // Of one that is not known nobody can say that it went home.
        let all_known = figure("known").is_some_and(|then| known as f64 >= then);
        let expected = if all_known { expected.min((known - off_duty) as f64) } else { expected };
        let still_missing = missing * unheard as f64 / members.len().max(1) as f64;
        self.are_few(expected - heard as f64, expected) && self.are_few(still_missing, expected)
    }

    /// Those who went home before do not count, or the last of an evening would always be missing many.
    fn is_partial(&self, count: &Count<'_>) -> bool {
        let expected = count.expected - (count.missing - count.news);
        let together = fell_silent_together(&count.by_slice, count.span);
        self.are_many(count.news, expected) && self.are_many(together, expected)
    }
}

/// For how long a part is known to be missing: all that were expected when that began are expected still.
fn standing_ms(scope: &Scope<'_>, survey: &Survey<'_>, out: &Judgements<'_>) -> u64 {
    let onset = if out.is_idle() { None } else { out.find_onset(&scope.subject()) };
    onset.map_or(0, |onset| survey.now().mono_ms.saturating_sub(onset))
}

/// How long ago a whole that a part is of and that stands was last seen to hold: who was silent then is told with it.
/// After a restart it speaks for nobody who was heard since.
fn news_ms(scope: &Scope<'_>, survey: &Survey<'_>, out: &Judgements<'_>) -> u64 {
    if out.is_idle() {
        return u64::MAX;
    }
    let last_held = Scope::wholes(&scope.subject()).iter().filter_map(|whole| out.find_last_held(whole)).max();
    last_held.filter(|at| *at > 0).map_or(u64::MAX, |at| survey.now().mono_ms.saturating_sub(at))
}

/// Vehicles of a part, whether anything is expected of them or not.
fn known_of(scope: &Scope<'_>, survey: &Survey<'_>) -> usize {
    let subject = scope.subject();
    survey.sightings.iter().filter(|sighting| Scope::holds(&subject, sighting.vehicle)).count()
}

/// It says so, or said so last to the broker. That a kept message says nothing of its journey proves nothing.
fn is_off_duty(sighting: &Sighting<'_>) -> bool {
    let says_so = || sighting.vehicle.journey.state.is_some_and(|state| state != JourneyState::InService);
    if sighting.was_heard() { !sighting.in_service } else { says_so() }
}

fn is_missing(sighting: &Sighting<'_>) -> bool {
    sighting.in_service && sighting.vehicle.freshness >= Freshness::Stale
}

/// An agency that is all of its feed, or a depot that is all of its agency, is not another part. What stands is kept, so
/// that it can end: what stands of the part is not told of the whole then.
fn drop_repeats(counts: &mut BTreeMap<Scope<'_>, Count<'_>>, out: &Judgements<'_>) {
    let stands = |scope: &Scope<'_>| out.find_onset(&scope.subject()).is_some();
    let extents: BTreeMap<Scope<'_>, (usize, usize)> =
        counts.iter().map(|(scope, count)| (scope.clone(), (count.expected, count.present))).collect();
    for (scope, extent) in &extents {
        let mut wholes = match scope {
            Scope::Fleet | Scope::Feed(_) => Vec::new(),
            Scope::Agency(feed, _) => vec![Scope::Feed(feed)],
            Scope::Depot(feed, agency, _) => vec![Scope::Agency(feed, agency), Scope::Feed(feed)],
        };
        wholes.retain(|whole| extents.get(whole) == Some(extent));
        if stands(scope) {
            wholes.retain(|whole| !stands(whole));
            counts.retain(|known, _| !wholes.contains(known));
        } else if !wholes.is_empty() {
            counts.remove(scope);
        }
    }
}

impl<'a> Count<'a> {
    fn add(&mut self, sighting: &'a Sighting<'a>, slices: Slices, survey: &Survey<'_>) {
        if !is_missing(sighting) {
            self.expected += 1;
            self.present += 1;
            return;
        }
        let silent_ms = sighting.heard_ms_ago(survey.now());
        if silent_ms > slices.expected_ms.saturating_add(self.standing_ms) || survey.is_in_depot(sighting.vehicle) {
            return;
        }
        self.expected += 1;
        // One that fell silent with all the others may be missing or not: that is for the feed to tell.
        let told_by_others =
            survey.find_feed(sighting).is_some_and(|f| f.spoke_after(sighting.vehicle, slices.first_ms));
        if !told_by_others {
            return;
        }
        self.missing += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(sighting);
        }
        if silent_ms >= self.news_ms {
            return;
        }
        self.news += 1;
        self.by_slice.resize(self.by_slice.len().max(slices.count), 0);
        self.span = self.span.max(slices.span);
        let slice = (silent_ms.saturating_sub(slices.first_ms) / SILENCE_SLICE_MS) as usize;
        if let Some(count) = self.by_slice.get_mut(slice) {
            *count += 1;
        }
    }

    fn evidence(&self, known: usize) -> Evidence {
        Evidence {
            members: self.examples.iter().map(|s| s.subject()).collect(),
            ..figures([
                ("missing", self.missing.to_string()),
                ("expected", self.expected.to_string()),
                ("known", known.to_string()),
                ("share_percent", (self.missing * 100 / self.expected.max(1)).to_string()),
            ])
        }
    }
}
