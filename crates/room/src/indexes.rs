//! Which alerts hang together: by what explains them, by what they stand behind, by what they raised in a burst.
//!
//! Follows from the alerts alone, except for bursts, which keep the raises of a rule's last minute.

use std::sync::Arc;

use alert::{Alert, AlertClass, AlertCondition, AlertId, IncidentKey, Priority, Subject, SuppressionId};
use imbl::{OrdMap, OrdSet, Vector};
use serde::{Deserialize, Serialize};
use transit::{Status, UtcMillis};

use crate::{ControlRoom, OpenKey, decide::Burst};

/// Open alerts by what concerns them together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ties {
    /// (a condition that would explain it, the alert).
    declared: OrdSet<(OpenKey, AlertId)>,
    /// (what explains it, the alert).
    by_parent: OrdSet<(AlertId, AlertId)>,
    /// (the incident that explains it, the alert).
    by_incident: OrdSet<(IncidentKey, AlertId)>,
    /// (what speaks for it, the alert).
    collapsed: OrdSet<(AlertId, AlertId)>,
    /// (the suppression, the alert).
    pub(crate) out_of_service: OrdSet<(SuppressionId, AlertId)>,
}

/// The last raises of one rule and status, as many as make a burst, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Raises {
    pub(crate) recent: Vector<(UtcMillis, AlertId)>,
    /// The alert that speaks for a burst that goes on.
    pub(crate) root: Option<AlertId>,
}

fn second_of<A: Ord + Clone>(set: &OrdSet<(A, AlertId)>, first: &A) -> Vec<AlertId> {
    let from = (first.clone(), AlertId { number: 0, date: 0 });
    set.range(from..).take_while(|(key, _)| key == first).map(|(_, id)| id.clone()).collect()
}

impl Ties {
    pub(crate) fn add(&mut self, alert: &Alert) {
        if !alert.is_open() {
            return;
        }
        let id = &alert.id;
        for parent in declared_by(alert) {
            self.declared.insert((parent, id.clone()));
        }
        if let Some(parent) = &alert.silence.by_parent {
            self.by_parent.insert((parent.clone(), id.clone()));
        }
        if let Some(explanation) = &alert.silence.by_incident {
            self.by_incident.insert((explanation.incident.clone(), id.clone()));
        }
        if let Some(root) = &alert.silence.collapsed_into {
            self.collapsed.insert((root.clone(), id.clone()));
        }
        if let Some(suppression) = alert.silence.out_of_service {
            self.out_of_service.insert((suppression, id.clone()));
        }
    }

    pub(crate) fn remove(&mut self, alert: &Alert) {
        let id = &alert.id;
        for parent in declared_by(alert) {
            self.declared.remove(&(parent, id.clone()));
        }
        if let Some(parent) = &alert.silence.by_parent {
            self.by_parent.remove(&(parent.clone(), id.clone()));
        }
        if let Some(explanation) = &alert.silence.by_incident {
            self.by_incident.remove(&(explanation.incident.clone(), id.clone()));
        }
        if let Some(root) = &alert.silence.collapsed_into {
            self.collapsed.remove(&(root.clone(), id.clone()));
        }
        if let Some(suppression) = alert.silence.out_of_service {
            self.out_of_service.remove(&(suppression, id.clone()));
        }
    }
}

fn declared_by(alert: &Alert) -> impl Iterator<Item = OpenKey> {
    alert.parents.iter().map(|(rule, subject)| OpenKey {
        subject: subject.clone(),
        rule: rule.clone(),
        status: alert.status,
    })
}

impl Raises {
    /// Counts a raise at `at`; as many are kept as make a burst.
    pub(crate) fn note(&mut self, at: UtcMillis, id: AlertId, root: Option<AlertId>, kept: usize) {
        self.root = root;
        self.recent.push_back((at, id));
        while self.recent.len() > kept {
            self.recent.pop_front();
        }
    }
}

impl ControlRoom {
    /// The open, active alert that explains `alert`. Nothing explains an emergency.
    pub(crate) fn parent_of(&self, alert: &Alert) -> Option<AlertId> {
        if alert.class == AlertClass::Emergency {
            return None;
        }
        declared_by(alert)
            .filter_map(|key| self.open.get(&key).and_then(|id| self.alerts.get(id)))
            .find(|parent| parent.condition == AlertCondition::Active && parent.id != alert.id)
            .map(|parent| parent.id.clone())
    }

    /// The open alerts that `key` would explain.
    pub(crate) fn children_of(&self, key: &OpenKey) -> Vec<AlertId> {
        second_of(&self.ties.declared, key)
    }

    /// The open alerts that `parent` keeps silent.
    pub(crate) fn explained_by(&self, parent: &AlertId) -> Vec<AlertId> {
        second_of(&self.ties.by_parent, parent)
    }

    /// The open alerts that `incident` keeps silent.
    pub(crate) fn explained_by_incident(&self, incident: &IncidentKey) -> Vec<AlertId> {
        second_of(&self.ties.by_incident, incident)
    }

    /// The open alerts that stand behind `root`, oldest first.
    pub fn collapsed_into(&self, root: &AlertId) -> Vec<AlertId> {
        second_of(&self.ties.collapsed, root)
    }

    /// How many open alerts stand behind `root`.
    pub fn collapsed_count(&self, root: &AlertId) -> usize {
        let from = (root.clone(), AlertId { number: 0, date: 0 });
        self.ties.collapsed.range(from..).take_while(|(of, _)| of == root).count()
    }

    /// The open alerts that `suppression` keeps silent.
    pub(crate) fn silenced_by(&self, suppression: SuppressionId) -> Vec<AlertId> {
        second_of(&self.ties.out_of_service, &suppression)
    }

    /// The suppression that covers `alert`.
    pub(crate) fn covering(&self, alert: &Alert) -> Option<SuppressionId> {
        self.suppressions.values().find(|suppression| suppression.covers(alert)).map(|suppression| suppression.id)
    }

    /// What `alert`, about to be raised, meets in its rule's last minute. An emergency and what is critical stand
    /// alone always.
    pub(crate) fn burst_of(&self, alert: &Alert, now: UtcMillis) -> Burst {
        if !may_hide(alert) {
            return Burst::default();
        }
        let Some(raises) = self.raises.get(&(alert.rule.clone(), alert.status)) else { return Burst::default() };
        let window_ms = self.options.collapse_window_ms;
        let recent = raises.recent.iter().filter(|(at, _)| now.since(*at) < window_ms).map(|(_, id)| id);
        let recent: Vec<&Arc<Alert>> = recent.filter_map(|id| self.alerts.get(id)).collect();
        // One that is over, put aside or somebody's says nothing of what comes now.
        let speaks = |root: &&Arc<Alert>| {
            root.condition == AlertCondition::Active && root.silence.is_none() && !root.acknowledged()
        };
        // Where the first of a burst has ended or fallen silent, another speaks for those that stood behind it.
        let spoken_for = recent.iter().filter(|alert| alert.is_open()).find_map(|alert| {
            let id = alert.silence.collapsed_into.as_ref()?;
            self.alerts.get(id).filter(speaks)
        });
        let root = raises.root.as_ref().and_then(|id| self.alerts.get(id)).filter(speaks).or(spoken_for);
        match root {
            Some(root) if !recent.is_empty() => Burst { root: Some(root.id.clone()), first: Vec::new() },
            _ if recent.len() + 1 < self.options.collapse_count => Burst::default(),
            _ => {
                let mut first =
                    recent.iter().filter(|alert| speaks(alert) && may_hide(alert)).map(|alert| alert.id.clone());
                Burst { root: first.next(), first: first.collect() }
            }
        }
    }

    /// Counts a raise among those of its rule. What stands alone always is part of no burst and ends none.
    pub(crate) fn note_raise(&mut self, alert: &Alert) {
        if !may_hide(alert) || alert.silence.by_parent.is_some() || alert.silence.by_incident.is_some() {
            return;
        }
        let key: (String, Status) = (alert.rule.clone(), alert.status);
        let mut raises = self.raises.get(&key).cloned().unwrap_or_default();
        let (root, kept) = (alert.silence.collapsed_into.clone(), self.options.collapse_count);
        raises.note(alert.raised_at, alert.id.clone(), root, kept);
        self.raises.insert(key, raises);
    }

    /// Puts an alert in place of what it was, with all that follows from it.
    pub(crate) fn replace(&mut self, before: Option<&Alert>, after: Alert) {
        if let Some(before) = before {
            self.ties.remove(before);
            self.by_seq.remove(&(before.seq, before.id.clone()));
        }
        self.ties.add(&after);
        self.by_seq.insert((after.seq, after.id.clone()));
        self.timers.set_alert(&after);
        self.load.note(&self.options.desks, before, &after);
        if !after.accounted.is_empty() {
            self.accounting.insert(after.id.clone());
        }
        self.alerts.insert(after.id.clone(), Arc::new(after));
    }
}

fn may_hide(alert: &Alert) -> bool {
    alert.class != AlertClass::Emergency && alert.priority != Priority::P1
}

/// Whether a desk's rule or the like names a feed's subject of that agency.
pub(crate) fn agency_of(subject: &Subject) -> Option<&str> {
    subject.vehicle().map(|key| key.agency.as_str())
}

/// Raises by rule and status.
pub(crate) type RaisesByRule = OrdMap<(String, Status), Raises>;
