//! What may end an incident besides its source and its operator: words that say it is over, and the time until which an
//! area is armed.
//!
//! Words end nothing by themselves. They stand as a proposal until a person closes the incident, a person says that it
//! goes on, or the source speaks of it anew without them.

use serde::{Deserialize, Serialize};
use transit::UtcMillis;

use crate::{
    Incident, IncidentPhase, IncidentReport,
    incident::{over_at, starts_after, stretch_end},
};

/// What the clock does to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncidentTurn {
    /// Its time has come, or goes on.
    Starts,
    /// A period is over and another is to come.
    Rests {
        /// When it begins.
        until: UtcMillis,
    },
    /// It is over.
    Ends,
}

/// Characters of the words that are kept with a proposal.
const WORDS_CHARS: usize = 300;

/// A source's words that an incident is over: a person confirms it or refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClearProposal {
    /// Since when it stands; a newer version with the same meaning leaves that as it is.
    pub at: UtcMillis,
    /// The source.
    pub by: String,
    /// What it says: its title and its texts.
    pub words: Option<String>,
}

/// An area that a person armed by one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arming {
    /// Who.
    pub by: String,
    /// Since when.
    pub at: UtcMillis,
    /// It ends by itself then.
    pub until: Option<UtcMillis>,
}

impl ClearProposal {
    /// What stands after `report`, in the place of what stood before.
    pub(crate) fn after(known: Option<&Incident>, report: &IncidentReport, at: UtcMillis) -> Option<Self> {
        if !report.proposes_clear || report.phase != IncidentPhase::Active {
            return None;
        }
        let stood = known.and_then(|known| known.clear_proposed.as_ref());
        Some(Self { at: stood.map_or(at, |stood| stood.at), by: report.key.source.clone(), words: words_of(report) })
    }
}

fn words_of(report: &IncidentReport) -> Option<String> {
    let said: Vec<&str> = report.title.iter().chain(report.text.values()).map(String::as_str).collect();
    let words: String = said.join(" / ").chars().take(WORDS_CHARS).collect();
    Some(words).filter(|words| !words.is_empty())
}

impl Incident {
    /// When something of it is due by itself: its beginning where it is planned, its end where it was armed for a time,
    /// the end of the period that runs where its source gave some.
    pub fn due_at(&self) -> Option<UtcMillis> {
        if self.phase != IncidentPhase::Active {
            return None;
        }
        let turns_at = self.starts_at.or_else(|| stretch_end(&self.report, self.updated_at));
        turns_at.into_iter().chain(self.armed_until()).chain(over_at(&self.report)).min()
    }

    /// What becomes of it at `at`, when something of it is due.
    pub fn turn_at(&self, at: UtcMillis) -> IncidentTurn {
        let ends_at = self.armed_until().into_iter().chain(over_at(&self.report)).min();
        match starts_after(&self.report, at) {
            _ if ends_at.is_some_and(|ends| ends <= at) => IncidentTurn::Ends,
            Some(until) => IncidentTurn::Rests { until },
            None => IncidentTurn::Starts,
        }
    }

    fn armed_until(&self) -> Option<UtcMillis> {
        self.armed.as_ref().and_then(|armed| armed.until)
    }

    /// It is over, whoever says so: nothing is proposed of it and its area is armed no more.
    pub fn end(&mut self, at: UtcMillis) {
        self.phase = IncidentPhase::Closed;
        self.updated_at = at;
        self.closed_at.get_or_insert(at);
        (self.clear_proposed, self.armed) = (None, None);
    }
}
