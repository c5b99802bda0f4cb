//! Which alerts an open incident explains: silent while it does, heard again when it no longer does.

use alert::{Alert, AlertId, Explanation, IncidentKey, Turn};
use transit::UtcMillis;

use super::draft::Draft;
use crate::ControlRoom;

impl ControlRoom {
    /// The incident that explains `alert` at `now`, the one with the first name where several do.
    pub(super) fn explanation_of(&self, alert: &Alert, now: UtcMillis) -> Option<Explanation> {
        if !alert.is_explainable() {
            return None;
        }
        let incidents = self.explaining.iter().filter_map(|key| self.incidents.get(key));
        incidents.filter_map(|incident| incident.explains(alert, now)).next()
    }
}

impl Draft {
    /// Brings what an incident explains in line with what it is now.
    pub(super) fn explain(&mut self, key: &IncidentKey) {
        for alert in self.room.explained_by_incident(key) {
            self.explain_anew(&alert);
        }
        let Some(incident) = self.room.find_incident(key).filter(|incident| incident.may_explain()).cloned() else {
            return;
        };
        let now = self.now.utc;
        let open = self.room.open.values().filter_map(|id| self.room.find_alert(id));
        let heard = open.filter(|alert| alert.silence.by_incident.is_none());
        let explained: Vec<(AlertId, Explanation)> =
            heard.filter_map(|alert| Some((alert.id.clone(), incident.explains(alert, now)?))).collect();
        for (alert, explanation) in explained {
            self.turn(&alert, Turn::ByIncident(explanation), false, None);
        }
    }

    /// Looks again whether anything still explains an alert that was silent for it.
    pub(super) fn explain_anew(&mut self, id: &AlertId) {
        let Some(alert) = self.room.find_alert(id) else { return };
        match self.room.explanation_of(alert, self.now.utc) {
            Some(same) if alert.silence.by_incident.as_ref() == Some(&same) => {}
            Some(other) => self.turn(id, Turn::ByIncident(other), false, None),
            None => self.speak(id, Turn::IncidentOver),
        }
    }
}
