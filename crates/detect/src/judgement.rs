//! What a rule says of its subjects at one instant. Knows no delays and no history but what stands.

use std::collections::BTreeMap;

use alert::{Evidence, Priority, Subject};
use transit::Status;

use crate::standing::Standing;

/// What a judgement rests on, so that delays are counted in the right coin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Our own counters and clock: it holds anew at every look.
    Watched,
    /// One message, by whatever tells it from the one before (its stamp, its stop). Only another message goes on with
    /// a delay, so that nothing begins or ends by silence.
    Message(u64),
}

/// What holds of one subject. A subject that is not spoken of could not be judged: what stands, stands.
#[derive(Debug, Clone)]
pub(crate) struct Judgement {
    pub(crate) subject: Subject,
    pub(crate) proof: Proof,
    pub(crate) verdict: Verdict,
}

#[derive(Debug, Clone)]
pub(crate) enum Verdict {
    Raised {
        priority: Priority,
        /// Made only where somebody will read it.
        evidence: Option<Evidence>,
        /// Members whose coming and going is told; `None` where they are only illustration.
        members: Option<Vec<Subject>>,
    },
    Cleared,
}

/// Where a rule writes down its judgements of one instant.
///
/// Three answers: raised, cleared, and unjudgeable. Missing data is unjudgeable: it neither raises nor clears, and a
/// delay that was running begins anew.
#[derive(Debug)]
pub struct Judgements<'a> {
    status: Status,
    standing: &'a BTreeMap<Subject, Standing>,
    pub(crate) list: Vec<Judgement>,
}

impl<'a> Judgements<'a> {
    pub(crate) fn new(status: Status, standing: &'a BTreeMap<Subject, Standing>) -> Self {
        Self { status, standing, list: Vec::new() }
    }

    /// Whether what is meant is judged, or a drill. Rules about areas and hazards look at each by itself.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The condition holds. Evidence is asked for only when it will be told.
    pub fn raise(&mut self, subject: Subject, proof: Proof, priority: Priority, evidence: impl FnOnce() -> Evidence) {
        let told =
            self.standing.get(&subject).and_then(|s| s.raised.as_ref()).filter(|r| !r.untold).map(|r| r.priority);
        let evidence = told.is_none_or(|told| priority < told).then(evidence);
        self.list.push(Judgement { subject, proof, verdict: Verdict::Raised { priority, evidence, members: None } });
    }

    /// The condition holds of a group: whoever joins or leaves it is told, too.
    pub fn raise_group(&mut self, subject: Subject, proof: Proof, priority: Priority, evidence: Evidence) {
        let members = Some(evidence.members.clone());
        let verdict = Verdict::Raised { priority, evidence: Some(evidence), members };
        self.list.push(Judgement { subject, proof, verdict });
    }

    /// The condition was judged and does not hold.
    pub fn clear(&mut self, subject: Subject, proof: Proof) {
        if self.standing.contains_key(&subject) {
            self.list.push(Judgement { subject, proof, verdict: Verdict::Cleared });
        }
    }

    /// The subject cannot be judged. The same as not to speak of it; says so where a reader would wonder.
    pub fn unjudgeable(&mut self, _subject: &Subject) {}

    /// Nothing of this rule stands or is about to: there is nothing to clear.
    pub fn is_idle(&self) -> bool {
        self.standing.is_empty()
    }

    /// Since when a standing condition holds, on the monotonic clock; 0 for one from before the process began.
    pub fn find_onset(&self, subject: &Subject) -> Option<u64> {
        self.standing.get(subject).and_then(|s| s.raised.as_ref()).map(|r| r.onset_mono_ms)
    }

    /// When a standing condition was last seen to hold, on the monotonic clock; 0: not since the process began.
    pub fn find_last_held(&self, subject: &Subject) -> Option<u64> {
        self.standing.get(subject).and_then(|s| s.raised.as_ref()).map(|r| r.last_held_mono_ms)
    }

    /// The figures told of a condition that stands since before the process began; `None` of any other. What was heard
    /// then is forgotten: that nothing is out of order in what is known now is no reason to clear such a one.
    pub fn told_before(&self, subject: &Subject) -> Option<&'a BTreeMap<String, String>> {
        self.standing.get(subject).and_then(|s| s.raised.as_ref()).and_then(|r| r.told_before.as_ref())
    }

    /// Members of a standing condition, as told.
    pub fn members_of(&self, subject: &Subject) -> &'a [Subject] {
        self.standing.get(subject).and_then(|s| s.raised.as_ref()).map_or(&[], |r| &r.members)
    }

    /// Subjects of which this rule's condition stands, in their order.
    pub fn standing(&self) -> impl Iterator<Item = &'a Subject> + use<'a> {
        self.standing.iter().filter(|(_, s)| s.raised.is_some()).map(|(subject, _)| subject)
    }
}

/// Evidence from figures, each named with its unit.
pub(crate) fn figures<const N: usize>(figures: [(&str, String); N]) -> Evidence {
    let figures = figures.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Evidence { figures, ..Evidence::default() }
}

/// Milliseconds as whole seconds.
pub(crate) fn seconds(ms: u64) -> String {
    (ms / 1000).to_string()
}
