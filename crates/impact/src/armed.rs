//! The areas that incidents arm, read once for each state of an incident: their geometry may be long, and rules look at
//! them every second.

use std::{collections::BTreeMap, sync::Arc};

use alert::Incident;

use crate::ArmedArea;

/// Areas of live incidents, kept from one look to the next.
#[derive(Debug, Default)]
pub struct ArmedAreas {
    /// What was read, in the order of the incidents, and whether it arms one of `areas`.
    read: Vec<(Arc<Incident>, bool)>,
    areas: Vec<ArmedArea>,
}

impl ArmedAreas {
    /// The areas of these incidents, in their order. One without a place of its own arms nothing; one that has not
    /// begun arms its area when it begins.
    pub fn follow<'a>(&mut self, incidents: impl IntoIterator<Item = &'a Arc<Incident>>) -> &[ArmedArea] {
        self.follow_by(incidents, |incident| ArmedArea::of_incident(incident).ok())
    }

    fn follow_by<'a>(
        &mut self,
        incidents: impl IntoIterator<Item = &'a Arc<Incident>>,
        mut read: impl FnMut(&Incident) -> Option<ArmedArea>,
    ) -> &[ArmedArea] {
        let mut areas = std::mem::take(&mut self.areas).into_iter();
        // A record is replaced when it changes, never written to, and is held here: the same address is the same state.
        let mut kept: BTreeMap<*const Incident, (Arc<Incident>, Option<ArmedArea>)> = BTreeMap::new();
        for (incident, arms) in self.read.drain(..) {
            let area = if arms { areas.next() } else { None };
            kept.insert(Arc::as_ptr(&incident), (incident, area));
        }
        for incident in incidents.into_iter().filter(|incident| incident.is_live()) {
            let area = match kept.remove(&Arc::as_ptr(incident)) {
                Some((_, area)) => area,
                None => read(incident),
            };
            self.read.push((Arc::clone(incident), area.is_some()));
            self.areas.extend(area);
        }
        &self.areas
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{away, incident};

    #[test]
    fn what_did_not_change_is_not_read_again() {
        let one = |id, metres| Arc::new(incident(id, "flood", Some(away(metres, "E")), 60));
        let (first, nowhere, last) = (one("1", 0.0), Arc::new(incident("2", "flood", None, 60)), one("3", 900.0));
        let mut planned = incident("4", "flood", Some(away(0.0, "E")), 60);
        planned.starts_at = Some(crate::samples::NOW.plus_millis(1));
        let planned = Arc::new(planned);
        let mut areas = ArmedAreas::default();
        let mut look = |incidents: &[&Arc<Incident>]| {
            let mut read = Vec::new();
            let armed = areas.follow_by(incidents.iter().copied(), |incident| {
                read.push(incident.report.key.id.clone());
                ArmedArea::of_incident(incident).ok()
            });
            let ids: Vec<&str> = armed.iter().map(|armed| armed.area.id()).collect();
            format!("{} read {}", ids.join(" "), read.join(" "))
        };
        assert_eq!(look(&[&first, &nowhere, &last, &planned]), "topis/1 topis/3 read 1 2 3");
        assert_eq!(look(&[&first, &nowhere, &last, &planned]), "topis/1 topis/3 read ");
        let moved = one("1", 300.0);
        assert_eq!(look(&[&nowhere, &moved, &last]), "topis/1 topis/3 read 1");
        assert_eq!(look(&[&last, &moved]), "topis/3 topis/1 read ");
        assert_eq!(look(&[]), " read ");
        assert_eq!(look(&[&last]), "topis/3 read 3");
    }
}
