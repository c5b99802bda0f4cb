//! What is out of order without needing an owner, as readers follow it: each with the revision at which it changed,
//! and what has gone lately.
//!
//! Knows no rule and no clock: one list takes the place of another. Start at [`Exceptions::replace`].

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use detect::Exception;
use imbl::Vector;

/// Ids remembered after they went; a cursor from before the oldest gets a 410.
const GONE_MAX: usize = 20_000;

/// An exception, and the revision at which it came or changed.
#[derive(Debug, Clone)]
pub(crate) struct Noted {
    /// The revision.
    pub(crate) revision: u64,
    /// The exception.
    pub(crate) exception: Arc<Exception>,
}

/// All exceptions as of one publication, and those that went before it.
#[derive(Debug, Clone, Default)]
pub struct Exceptions {
    /// By rule and subject.
    noted: Arc<[Noted]>,
    /// (revision, id) of what went, oldest first.
    gone: Vector<(u64, Arc<str>)>,
    /// The oldest cursor after which `gone` is complete.
    floor: u64,
}

impl Exceptions {
    /// Makes `next` the list, as of `revision`. What stays as it was keeps the revision it has. True when anything
    /// came, changed or went.
    pub fn replace(&mut self, next: Vec<Arc<Exception>>, revision: u64) -> bool {
        let mut before: BTreeMap<&str, &Noted> = self.noted.iter().map(|n| (n.exception.id.as_str(), n)).collect();
        let mut changed = false;
        let noted: Vec<Noted> = next
            .into_iter()
            .map(|exception| match before.remove(exception.id.as_str()) {
                Some(known) if Arc::ptr_eq(&known.exception, &exception) || known.exception == exception => {
                    known.clone()
                }
                Some(_) | None => {
                    changed = true;
                    Noted { revision, exception }
                }
            })
            .collect();
        changed |= !before.is_empty();
        let went: Vec<Arc<str>> = before.into_keys().map(Arc::from).collect();
        self.gone.extend(went.into_iter().map(|id| (revision, id)));
        while self.gone.len() > GONE_MAX {
            if let Some((forgotten, _)) = self.gone.pop_front() {
                self.floor = forgotten;
            }
        }
        self.noted = noted.into();
        changed
    }

    /// All there are, by rule and subject.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Noted> {
        self.noted.iter()
    }

    /// What went after the revision `since` and did not come back, each once, with the revision at which it went last.
    pub(crate) fn gone_after(&self, since: u64) -> Vec<(u64, Arc<str>)> {
        let mut done: BTreeSet<&str> = BTreeSet::new();
        let went: Vec<_> = self.gone.iter().rev().take_while(|(revision, _)| *revision > since).collect();
        if went.is_empty() {
            return Vec::new();
        }
        done.extend(self.noted.iter().map(|n| n.exception.id.as_str()));
        went.into_iter().filter(|(_, id)| done.insert(id)).cloned().collect()
    }

    /// The oldest cursor that can be continued.
    pub(crate) fn floor(&self) -> u64 {
        self.floor
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use alert::{Evidence, Priority, Subject};
    use transit::UtcMillis;

    use super::*;

    /// A vehicle that is silent for so long.
    pub(crate) fn silent(vehicle: &str, silent_s: u32) -> Arc<Exception> {
        let subject = Subject::Vehicle(transit::VehicleKey::parse(vehicle).unwrap());
        let figures = BTreeMap::from([("silent_s".to_owned(), silent_s.to_string())]);
        Arc::new(Exception {
            id: format!("VEH.SILENT:{subject}"),
            rule: "VEH.SILENT",
            vehicles: subject.vehicle().into_iter().cloned().collect(),
            subject,
            priority: Priority::P3,
            since: UtcMillis(1_795_420_800_000),
            evidence: Evidence { figures, ..Evidence::default() },
            feed: None,
        })
    }

    fn told(exceptions: &Exceptions, since: u64) -> String {
        let news = exceptions.iter().filter(|n| n.revision > since);
        let news = news.map(|n| format!("+{}@{}", n.exception.subject, n.revision));
        let gone = exceptions.gone_after(since).into_iter().map(|(revision, id)| format!("-{id}@{revision}"));
        news.chain(gone).collect::<Vec<_>>().join(" ").replace("VEH.SILENT:", "").replace("vehicle:", "")
    }

    #[test]
    fn what_stays_keeps_its_revision_and_what_went_is_told_until_it_is_back() {
        let mut all = Exceptions::default();
        assert!(all.replace(vec![silent("22/1", 200), silent("22/2", 200)], 2));
        assert!(!all.replace(vec![silent("22/1", 200), silent("22/2", 200)], 3), "the same again is no news");
        assert!(all.replace(vec![silent("22/1", 400), silent("22/2", 200)], 4));
        assert!(all.replace(vec![silent("22/1", 400)], 5));
        assert_eq!(told(&all, 0), "+22/1@4 -22/2@5");
        assert_eq!((told(&all, 4), told(&all, 5)), ("-22/2@5".to_owned(), String::new()));
        assert!(all.replace(vec![silent("22/2", 200)], 6));
        assert_eq!(told(&all, 4), "+22/2@6 -22/1@6", "back again: no removal");
        assert!(all.replace(vec![], 7) && all.replace(vec![silent("22/2", 1)], 8) && all.replace(vec![], 9));
        assert_eq!(told(&all, 4), "-22/2@9 -22/1@6", "gone twice is told once");
    }

    #[test]
    fn what_went_is_remembered_within_a_bound_and_older_cursors_are_refused() {
        let mut all = Exceptions::default();
        let fleet = |n: usize| (0..n).map(|v| silent(&format!("22/{v}"), 1)).collect::<Vec<_>>();
        all.replace(fleet(GONE_MAX + 1), 2);
        all.replace(fleet(1), 3);
        assert_eq!((all.gone_after(2).len(), all.floor()), (GONE_MAX, 0));
        all.replace(Vec::new(), 4);
        assert_eq!((all.gone_after(3).len(), all.floor()), (1, 3), "3 lost one; after it nothing is missing");
    }
}
