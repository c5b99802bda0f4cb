//! The life of one (rule, subject) condition between looks: delays before it is told, delays before it is over.
//!
//! Knows no rule. All times are monotonic.

use std::collections::BTreeMap;

use alert::{Priority, Subject};
use transit::{Now, UtcMillis};

use crate::{
    judgement::{Judgement, Proof, Verdict},
    registry::Habits,
};

/// A condition that holds, or begins to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    /// Told.
    pub(crate) raised: Option<Raised>,
    /// On its way to the other verdict.
    run: Option<Run>,
    /// The look at which it was last spoken of.
    pub(crate) look: u64,
}

/// A condition that was told.
#[derive(Debug, Clone)]
pub(crate) struct Raised {
    pub(crate) onset_mono_ms: u64,
    /// The last look at which it was seen to hold; 0 for one that was not since the process began.
    pub(crate) last_held_mono_ms: u64,
    pub(crate) priority: Priority,
    pub(crate) members: Vec<Subject>,
    /// It is an alert; else an exception.
    pub(crate) is_alert: bool,
    /// The look at which it was told.
    pub(crate) told_at: u64,
    /// A person ended what was told although it held: it is to be told anew.
    pub(crate) untold: bool,
    /// Figures told of it, where that was before the process began; `None` where it began since.
    pub(crate) told_before: Option<BTreeMap<String, String>>,
}

impl Raised {
    /// It is told anew at that look.
    pub(crate) fn tell_again(&mut self, look: u64) {
        if self.untold {
            // That is another alert than the one a person ended: what was figured before a restart binds it no more.
            self.told_before = None;
        }
        (self.untold, self.told_at) = (false, look);
    }
}

/// A delay under way.
#[derive(Debug, Clone, Copy)]
struct Run {
    first: Now,
    last_mono_ms: u64,
    proof: Proof,
    messages: u32,
}

impl Run {
    fn begin(proof: Proof, now: Now) -> Self {
        Self { first: now, last_mono_ms: now.mono_ms, proof, messages: 1 }
    }

    /// A message that was seen before proves nothing new: time alone does not go on with it.
    fn go_on(&mut self, proof: Proof, now: Now) {
        if proof == Proof::Watched || proof != self.proof {
            self.last_mono_ms = now.mono_ms;
            self.messages = self.messages.saturating_add(1);
            self.proof = proof;
        }
    }

    fn is_over(&self, delay_ms: u64, messages: u32) -> bool {
        let counted = self.proof == Proof::Watched || self.messages >= messages;
        counted && self.last_mono_ms.saturating_sub(self.first.mono_ms) >= delay_ms
    }
}

/// What a judgement did to a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing to tell.
    Nothing,
    /// It is to be told, since then.
    Raise { since: UtcMillis, onset_mono_ms: u64 },
    /// It is worse, or of others, than was told.
    Change,
    /// It is over.
    Clear,
    /// It never was.
    Forget,
}

impl Standing {
    /// One that was open before the process began.
    pub(crate) fn resumed(priority: Priority, members: Vec<Subject>, figures: BTreeMap<String, String>) -> Self {
        let raised = Raised {
            onset_mono_ms: 0,
            last_held_mono_ms: 0,
            priority,
            members,
            is_alert: true,
            told_at: 0,
            untold: false,
            told_before: Some(figures),
        };
        Self { raised: Some(raised), run: None, look: 0 }
    }

    /// Takes the judgement of this look.
    pub(crate) fn take(&mut self, judgement: &Judgement, habits: &Habits, now: Now) -> Step {
        let toward_raise = matches!(judgement.verdict, Verdict::Raised { .. });
        if toward_raise && let Some(told) = &mut self.raised {
            told.last_held_mono_ms = now.mono_ms;
        }
        match (&self.raised, toward_raise) {
            (None, false) => Step::Forget,
            (Some(told), true) => {
                self.run = None;
                if told.untold || differs(told, &judgement.verdict) { Step::Change } else { Step::Nothing }
            }
            (None, true) => {
                let run = self.advance(judgement.proof, now);
                if run.is_over(habits.on_delay_ms(), habits.on_fixes) {
                    self.run = None;
                    return Step::Raise { since: run.first.utc, onset_mono_ms: run.first.mono_ms };
                }
                Step::Nothing
            }
            (Some(_), false) => {
                let run = self.advance(judgement.proof, now);
                if run.is_over(habits.off_delay_ms(), habits.off_fixes) { Step::Clear } else { Step::Nothing }
            }
        }
    }

    fn advance(&mut self, proof: Proof, now: Now) -> Run {
        match &mut self.run {
            Some(run) => {
                run.go_on(proof, now);
                *run
            }
            none @ None => *none.insert(Run::begin(proof, now)),
        }
    }

    /// It was not spoken of at this look: what stands, stands; what began has to begin anew.
    pub(crate) fn skip(&mut self) {
        self.run = None;
    }
}

/// Worse than told, or of others. What gets better is told when it is over: a priority that goes to and fro is noise.
fn differs(told: &Raised, verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Raised { priority, members, .. } => {
            *priority < told.priority || members.as_ref().is_some_and(|members| *members != told.members)
        }
        Verdict::Cleared => false,
    }
}
