//! The history of one alert: a line for each change, and what is left out of a long one.

use transit::{UtcMillis, Word};

use crate::{Actor, AlarmSource, Alert, Author, Change, Deed, HistoryEntry, IncidentDeed, Mark, Press, Turn};

/// Repeats listed from the start of an alert's history, and as many from its end; returns of a chattering one alike.
const REPEATS_LISTED: usize = 50;

/// Who did it: kind, name, desk.
type By = (&'static str, String, Option<String>);

fn person(actor: &Actor) -> By {
    ("person", actor.by.clone(), actor.desk.clone())
}

fn source(source: AlarmSource) -> By {
    ("source", source.word().to_owned(), None)
}

fn timer() -> By {
    ("timer", "room".to_owned(), None)
}

impl Author {
    fn by(&self) -> By {
        match self {
            Self::Person(actor) => person(actor),
            Self::Source(who) => source(*who),
            Self::Detector(rule) => ("detector", rule.clone(), None),
            Self::Timer => timer(),
        }
    }
}

/// Who or what a turn of events is laid to.
fn author_of(turn: &Turn) -> By {
    match turn {
        Turn::ShelfEnded
        | Turn::Escalated { .. }
        | Turn::Unattended
        | Turn::Reminded
        | Turn::OwnerDropped
        | Turn::HoldReleased => timer(),
        Turn::ByParent(of) | Turn::Collapsed(of) => ("detector", of.to_string(), None),
        Turn::ByIncident(explanation) => ("detector", explanation.incident.to_string(), None),
        Turn::OutOfService(id) => ("detector", format!("suppression {id}"), None),
        Turn::ParentOver | Turn::IncidentOver | Turn::InService | Turn::Uncollapsed => {
            ("detector", "room".to_owned(), None)
        }
    }
}

fn said_of(deed: &Deed, comment: Option<&String>) -> Option<String> {
    let detail = match deed {
        Deed::Handover { to, .. } => format!("to {to}"),
        Deed::Mark(Mark { step, party, reference, time }) => {
            let mut words = vec![step.word().to_owned()];
            words.extend(party.iter().cloned());
            words.extend(reference.iter().cloned());
            words.extend(time.iter().map(UtcMillis::to_string));
            words.join(", ")
        }
        Deed::Shelve { kind, until } => format!("{}, until {until}", kind.word()),
        Deed::Account { member } => member.to_string(),
        Deed::Release | Deed::Comment | Deed::Unshelve | Deed::Reset => return comment.cloned(),
    };
    Some(comment.map_or_else(|| detail.clone(), |comment| format!("{detail}: {comment}")))
}

impl Alert {
    /// Condition, owner and silence in words, as history writes them.
    pub(crate) fn standing(&self) -> String {
        let mut words = vec![self.condition.word()];
        words.push(if self.acknowledged() { "acknowledged" } else { "unacknowledged" });
        let silence = &self.silence;
        let marks = [
            (self.source_normal_at.is_some(), "source_normal"),
            (silence.shelf.is_some(), "shelved"),
            (silence.by_parent.is_some(), "by_parent"),
            (silence.by_incident.is_some(), "by_incident"),
            (silence.out_of_service.is_some(), "out_of_service"),
            (silence.collapsed_into.is_some(), "collapsed"),
            (self.flap.held(), "held"),
        ];
        words.extend(marks.iter().filter(|(is, _)| *is).map(|(_, word)| *word));
        words.join("/")
    }

    fn by_press(&self, press: Option<&Press>) -> By {
        press.map_or_else(|| ("detector", self.rule.clone(), None), |press| source(press.source))
    }

    /// Adds the line of `change`, recorded as `seq`, that led here `from` where it was.
    pub(crate) fn note(&mut self, seq: u64, from: String, change: &Change) {
        let Some((code, (actor_kind, actor, desk), comment)) = self.told(change) else { return };
        self.history.push(HistoryEntry {
            seq,
            at: change.at(),
            actor_kind: actor_kind.to_owned(),
            actor,
            desk,
            from,
            to: self.standing(),
            reason: code.to_owned(),
            comment,
            request_id: change.ordered_by().map(|(_, request_id)| request_id.to_owned()),
            deed: if let Change::AlertTended { deed, .. } = change { Some(Box::new(deed.clone())) } else { None },
        });
        self.fold_repeats();
        self.fold_returns();
    }

    fn told(&self, change: &Change) -> Option<(&'static str, By, Option<String>)> {
        Some(match change {
            Change::AlertRaised { alert, ordered, .. } => {
                let by = match (ordered, alert.source) {
                    (Some(ordered), _) => person(&ordered.actor),
                    (None, Some(who)) => source(who),
                    (None, None) => ("detector", alert.rule.clone(), None),
                };
                ("raised", by, alert.text.clone())
            }
            Change::AlertRepeated { re_alarmed, press, .. } => {
                (if *re_alarmed { "re_alarmed" } else { "repeated" }, source(press.source), press.text.clone())
            }
            Change::AlertRenewed { author, renewal, .. } => {
                let code = match (renewal.re_alarmed, renewal.re_raised) {
                    (true, _) => "re_alarmed",
                    (false, true) => "re_raised",
                    (false, false) => "renewed",
                };
                (code, author.by(), renewal.text.clone())
            }
            Change::AlertSourceNormal { press, .. } => ("source_normal", self.by_press(press.as_ref()), None),
            Change::AlertCleared { press, .. } => ("cleared", self.by_press(press.as_ref()), None),
            Change::AlertAcknowledged { actor, comment, .. } => ("acknowledged", person(actor), comment.clone()),
            Change::AlertTended { actor, deed, comment, .. } => {
                (deed.word(), person(actor), said_of(deed, comment.as_ref()))
            }
            Change::AlertTurned { turn, .. } => {
                let step = if let Turn::Escalated { step } = turn { Some(format!("step {step}")) } else { None };
                (turn.word(), author_of(turn), step)
            }
            Change::AlertsGrouped { joined, incident, actor, comment, .. } => {
                let said = comment.as_ref().map_or_else(|| incident.to_string(), |c| format!("{incident}: {c}"));
                (if *joined { "grouped" } else { "split" }, person(actor), Some(said))
            }
            Change::IncidentOrdered { key, actor, deed: IncidentDeed::Form { .. }, comment, .. } => {
                let said = comment.as_ref().map_or_else(|| key.to_string(), |c| format!("{key}: {c}"));
                ("grouped", person(actor), Some(said))
            }
            Change::AlertClosed { author, comment, .. } => ("closed", author.by(), comment.clone()),
            Change::ClockStepped { by_ms, .. } => ("clock_stepped", timer(), Some(format!("by {by_ms} ms"))),
            Change::IncidentRecorded(_)
            | Change::EndCameFirst { .. }
            | Change::IncidentNamed { .. }
            | Change::IncidentWithdrawn { .. }
            | Change::IncidentStarted { .. }
            | Change::IncidentRested { .. }
            | Change::IncidentEnded { .. }
            | Change::IncidentOrdered { .. }
            | Change::SuppressionStarted { .. }
            | Change::SuppressionEnded { .. } => return None,
        })
    }

    /// Leaves out the oldest repeat that is neither among the first nor among the last.
    fn fold_repeats(&mut self) {
        // That line says when it became covert, which receivers are told however late: it is never left out.
        let hidden_seq = self.hidden_seq;
        let repeats = || {
            let is_repeat = |reason: &str| matches!(reason, "repeated" | "renewed");
            self.history.iter().enumerate().filter(move |(_, entry)| {
                is_repeat(&entry.reason) && entry.from == entry.to && hidden_seq != Some(entry.seq)
            })
        };
        if repeats().count() > 2 * REPEATS_LISTED
            && let Some((at, _)) = repeats().nth(REPEATS_LISTED)
        {
            self.history.remove(at);
            self.repeats_folded = self.repeats_folded.saturating_add(1);
        }
    }

    /// Leaves out the oldest pair of clearing and return that is neither among the first nor among the last.
    fn fold_returns(&mut self) {
        let hidden_seq = self.hidden_seq;
        let returns = || {
            let pairs = self.history.windows(2).enumerate();
            pairs.filter(move |(_, pair)| {
                let [gone, back] = pair else { return false };
                let is_return = matches!(back.reason.as_str(), "re_raised" | "repeated");
                gone.reason == "cleared" && is_return && gone.from == back.to && hidden_seq != Some(back.seq)
            })
        };
        if returns().count() > 2 * REPEATS_LISTED
            && let Some((at, _)) = returns().nth(REPEATS_LISTED)
        {
            self.history.drain(at..at + 2);
            self.repeats_folded = self.repeats_folded.saturating_add(2);
        }
    }
}
