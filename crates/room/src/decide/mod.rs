//! The verdicts: what one input does to the room as it is. Changes nothing.
//!
//! One file for each kind of input; what follows from a change (silence, collapse, resolution) is in `draft`.

mod alarms;
mod draft;
mod echo;
mod explanations;
mod findings;
mod incident_orders;
mod incidents;
mod names;
mod orders;
mod place;
mod ticks;

pub use place::{Extent, extent_of};

use alert::Change;
use transit::Now;

use crate::{ControlRoom, Decision, Input, Verdict};

pub(crate) use draft::Burst;

fn nothing(verdict: Verdict) -> Decision {
    Decision { changes: Vec::new(), verdict }
}

fn one(change: Change, verdict: Verdict) -> Decision {
    Decision { changes: vec![change], verdict }
}

impl ControlRoom {
    /// What `input` does at `now`. The changes are to be appended to the journal as they stand and then applied in
    /// their order; until then nothing has happened.
    pub fn decide(&self, input: &Input, now: Now) -> Decision {
        match input {
            Input::Alarm(report) => self.decide_alarm(report, now),
            Input::Finding(finding) => self.decide_finding(finding, now),
            Input::Incident(report) => self.decide_incident(report, now),
            Input::Withdrawal(withdrawal) => self.decide_withdrawal(withdrawal, now),
            Input::Command(command) => self.decide_command(command, now),
            Input::Tick => self.decide_tick(now),
            Input::ClockStepped { by_ms } => self.decide_clock_step(*by_ms, now),
        }
    }
}
