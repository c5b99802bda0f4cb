//! Which incident a message means, where its source numbers messages and not incidents: by every id that the source
//! has called it by.

use alert::{Change, IncidentKey, IncidentReport};
use transit::UtcMillis;

use super::draft::Draft;
use crate::ControlRoom;

/// Names that lead on to others are followed so far.
const HOPS_MAX: usize = 8;

/// What a message's ids mean.
pub(super) struct Meant {
    /// The incident.
    pub(super) key: IncidentKey,
    /// Ids that are not yet known to mean it.
    pub(super) names: Vec<String>,
    /// Incidents that were taken for others and are this one.
    pub(super) merged: Vec<IncidentKey>,
}

impl ControlRoom {
    /// The incident that an id means; `None` where it is not known.
    pub fn find_meant(&self, key: &IncidentKey, now: UtcMillis) -> Option<IncidentKey> {
        let next = |key: &IncidentKey| self.aliases.find(key, now, self.options.alias_ms).cloned();
        let mut meant = next(key);
        for _ in 0..HOPS_MAX {
            match meant.as_ref().and_then(next) {
                Some(further) => meant = Some(further),
                None => break,
            }
        }
        meant.or_else(|| self.incidents.contains_key(key).then(|| key.clone()))
    }

    /// What a report's ids mean. Of several incidents that turn out to be one, the first stays, unless another is of a
    /// newer version than the message. A message that takes back may list several: it makes none of them one.
    pub(super) fn meant_by(&self, report: &IncidentReport, now: UtcMillis) -> Meant {
        let key_of = |id: &String| IncidentKey { source: report.key.source.clone(), id: id.clone() };
        let said: Vec<IncidentKey> =
            std::iter::once(report.key.clone()).chain(report.names.iter().map(key_of)).collect();
        let mut known: Vec<IncidentKey> = Vec::new();
        for key in said.iter().filter_map(|key| self.find_meant(key, now)) {
            if !known.contains(&key) {
                known.push(key);
            }
        }
        let version = |key: &IncidentKey| self.incidents.get(key).and_then(|incident| incident.report.version);
        let newest = known.iter().max_by_key(|key| version(key));
        let first = known.first().unwrap_or(&report.key);
        let key = newest.filter(|key| !report.cancelled && version(key) > report.version).unwrap_or(first).clone();
        let merged: Vec<IncidentKey> =
            if report.cancelled { Vec::new() } else { known.into_iter().filter(|other| *other != key).collect() };
        let is_new = |id: &&IncidentKey| match self.find_meant(id, now) {
            Some(meant) => merged.contains(&meant),
            None => **id != key,
        };
        let mut names: Vec<String> = said.iter().chain(&merged).filter(is_new).map(|id| id.id.clone()).collect();
        names.sort();
        names.dedup();
        Meant { key, names, merged }
    }
}

impl Draft {
    /// Ends the incidents that were taken for others: what is theirs is that of the one they are.
    pub(super) fn merge(&mut self, merged: &[IncidentKey]) {
        for key in merged {
            if self.room.find_incident(key).is_some_and(|incident| !incident.withdrawn) {
                self.change_incident(Change::IncidentWithdrawn { key: key.clone(), at: self.now.utc });
            }
        }
    }
}
