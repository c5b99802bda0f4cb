//! What an order or a press may do to an alert. Changes nothing.
//!
//! The transitions are numbered as in the project's alarm rules: T2 repeat, T3 to T5 acknowledge, T9 and T10 close,
//! T11 shelve, T18 handover and release, T20 reset.

use transit::{Now, UtcMillis, Word};

use crate::{
    Actor, Alert, AlertClass, AlertCondition, AlertOrigin, CloseReason, Deed, Press, Priority, Refusal, ShelfKind,
    Subject,
};

/// A press this soon after the acknowledgement is the same press of the same thumb.
pub const REALARM_AFTER_ACK_MS: i64 = 10_000;
/// From its first re-alarm on, an alert sounds at most once in this time.
pub const REALARM_EVERY_MS: i64 = 60_000;
/// The rule whose members a person can account for.
pub const UNACCOUNTED: &str = "GEO.UNACCOUNTED";

/// More than `millis` from `earlier` to `now`. A clock that was set back counts as passed: rather one sound too many.
fn passed(now: UtcMillis, earlier: UtcMillis, millis: i64) -> bool {
    let elapsed = now.since(earlier);
    elapsed < 0 || elapsed > millis
}

impl Alert {
    /// Somebody has it.
    pub fn acknowledged(&self) -> bool {
        self.acknowledgement.is_some()
    }

    /// `person` has it, or had it when it ended.
    pub fn is_owned_by(&self, person: &str) -> bool {
        self.acknowledgement.as_ref().is_some_and(|taken| taken.by == person)
    }

    /// Not final.
    pub fn is_open(&self) -> bool {
        self.condition != AlertCondition::Closed
    }

    /// Whether a new press makes it sound again (T2): somebody has it, and the press is either more urgent than what
    /// they took, or an emergency's first press after it was taken.
    pub fn re_alarms(&self, press: &Press, now: Now) -> bool {
        self.re_alarms_at(press.priority, now)
    }

    /// The same of anything that says it anew with that priority. What is put aside and becomes more urgent sounds too.
    pub fn re_alarms_at(&self, priority: Priority, now: Now) -> bool {
        if priority < self.priority && self.silence.shelf.is_some() {
            return true;
        }
        let Some(taken) = &self.acknowledgement else { return false };
        if priority < self.priority {
            return true;
        }
        self.class == AlertClass::Emergency
            && passed(now.utc, taken.at, REALARM_AFTER_ACK_MS)
            && (self.re_alarmed_count.is_none() || passed(now.utc, self.annunciated_at, REALARM_EVERY_MS - 1))
    }

    /// Whether `by` may take it having read `seen` presses (T3 to T5): `Ok(true)` = yes, `Ok(false)` = they have it.
    ///
    /// # Errors
    /// It is closed, another person's, or re-alarmed after what was read.
    pub fn judge_acknowledgement(&self, by: &str, seen: Option<u32>) -> Result<bool, Refusal> {
        if !self.is_open() {
            return Err(Refusal::Closed(self.id.clone()));
        }
        match &self.acknowledgement {
            // Asked whether they still have it, the owner says so by taking it again.
            Some(taken) if taken.by == by => Ok(self.due.reminded),
            Some(taken) => Err(Refusal::AlreadyTaken { alert: self.id.clone(), owner: taken.by.clone() }),
            None if self.is_newer_than(seen) => Err(Refusal::ReAlarmed(self.id.clone())),
            None => Ok(true),
        }
    }

    fn is_newer_than(&self, seen: Option<u32>) -> bool {
        matches!((seen, self.re_alarmed_count), (Some(seen), Some(re_alarmed)) if seen < re_alarmed)
    }

    /// Whether `actor`, having read `seen` presses and giving a reason in words or not, may close it for `reason` (T9):
    /// `Ok(true)` = yes, `Ok(false)` = they have done so.
    ///
    /// # Errors
    /// It is closed otherwise, re-alarmed after what was read, or the reason is not one a person gives.
    pub fn judge_close(
        &self,
        actor: &Actor,
        reason: CloseReason,
        seen: Option<u32>,
        reasoned: bool,
    ) -> Result<bool, Refusal> {
        match reason {
            CloseReason::Resolved | CloseReason::FalseAlarm | CloseReason::Test | CloseReason::DuplicateOf => {}
            CloseReason::CancelledBySource | CloseReason::Expired | CloseReason::SupersededBy => {
                return Err(Refusal::Reason(reason.word()));
            }
        }
        match &self.closing {
            None if self.is_newer_than(seen) => Err(Refusal::ReAlarmed(self.id.clone())),
            // What no rule judges any more would stand for ever: a supervisor ends it, and says why. Where it still
            // holds its rule raises it anew.
            None if self.is_observed_active() && !(actor.supervisor && reasoned) => {
                Err(Refusal::StillActive(self.id.clone()))
            }
            None => Ok(true),
            Some(closing) if closing.reason == reason && closing.by.as_ref() == Some(&actor.by) => Ok(false),
            Some(_) => Err(Refusal::Closed(self.id.clone())),
        }
    }

    /// A rule watches its condition and it holds (T10). What a person closed would be back at once. An emergency is
    /// always a person's to close.
    fn is_observed_active(&self) -> bool {
        self.origin == AlertOrigin::Detector
            && self.class != AlertClass::Emergency
            && self.condition == AlertCondition::Active
            && self.source_normal_at.is_none()
    }

    /// Whether `actor` may do `deed` at `now`: `Ok(true)` = yes, `Ok(false)` = it is so already. `shelf_max_ms` is how
    /// far ahead a shelf may end.
    ///
    /// # Errors
    /// What stands against it.
    pub fn judge_deed(&self, actor: &Actor, deed: &Deed, shelf_max_ms: i64, now: Now) -> Result<bool, Refusal> {
        if !self.is_open() && !matches!(deed, Deed::Comment | Deed::Mark(_) | Deed::Reset) {
            return Err(Refusal::Closed(self.id.clone()));
        }
        match deed {
            Deed::Comment => Ok(true),
            Deed::Mark(_) if !self.is_open() => Err(Refusal::Closed(self.id.clone())),
            Deed::Mark(_) => Ok(true),
            Deed::Handover { to, .. } if to.is_empty() => Err(Refusal::Missing("the new owner")),
            Deed::Handover { to, .. } if self.is_owned_by(to) => Ok(false),
            Deed::Handover { .. } | Deed::Release => self.judge_owner(actor),
            Deed::Shelve { kind, until } => self.judge_shelf(actor, *kind, *until, shelf_max_ms, now),
            Deed::Unshelve if self.silence.shelf.is_none() => Err(Refusal::NotShelved(self.id.clone())),
            Deed::Unshelve => Ok(true),
            Deed::Reset => self.judge_reset(),
            Deed::Account { member } => self.judge_account(member),
        }
    }

    fn judge_owner(&self, actor: &Actor) -> Result<bool, Refusal> {
        match &self.acknowledgement {
            None => Err(Refusal::NotTaken(self.id.clone())),
            Some(taken) if taken.by == actor.by || actor.supervisor => Ok(true),
            Some(taken) => Err(Refusal::NotOwner { alert: self.id.clone(), owner: taken.by.clone() }),
        }
    }

    fn judge_shelf(
        &self,
        actor: &Actor,
        kind: ShelfKind,
        until: UtcMillis,
        max_ms: i64,
        now: Now,
    ) -> Result<bool, Refusal> {
        if self.class == AlertClass::Emergency {
            return Err(Refusal::Emergency(self.id.clone()));
        }
        if self.priority == Priority::P1 && !actor.supervisor {
            return Err(Refusal::Critical(self.id.clone()));
        }
        if until <= now.utc || until.since(now.utc) > max_ms {
            return Err(Refusal::Until { max_ms });
        }
        Ok(self.silence.shelf.as_ref().is_none_or(|shelf| shelf.kind != kind || shelf.until != until))
    }

    fn judge_account(&self, member: &Subject) -> Result<bool, Refusal> {
        let is_missed = self.evidence.as_ref().is_some_and(|evidence| evidence.members.contains(member));
        if is_missed && self.rule == UNACCOUNTED {
            return Ok(true);
        }
        let is_known = self.accounted.iter().any(|known| known.member == *member);
        if is_known { Ok(false) } else { Err(Refusal::NotMissed(self.id.clone())) }
    }

    fn judge_reset(&self) -> Result<bool, Refusal> {
        match self.condition {
            _ if !self.latched => Err(Refusal::NotLatched(self.id.clone())),
            AlertCondition::Cleared | AlertCondition::Closed if self.cleared_at.is_some() => Ok(false),
            AlertCondition::Cleared | AlertCondition::Closed => Err(Refusal::Closed(self.id.clone())),
            AlertCondition::Active if self.source_normal_at.is_none() => Err(Refusal::SourceNotNormal(self.id.clone())),
            AlertCondition::Active => Ok(true),
        }
    }
}
