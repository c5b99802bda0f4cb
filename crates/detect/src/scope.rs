//! Parts of the fleet that fail together: all feeds, one feed, an agency in it, a depot in that by the beginning of
//! its vehicles' numbers. Knows how each is written as a subject.

use alert::Subject;
use picture::VehicleRecord;
use transit::{AgencyId, FeedId, VehicleId};

/// A part of the fleet. Ordered from the whole to the part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope<'a> {
    Fleet,
    Feed(&'a FeedId),
    Agency(&'a FeedId, &'a AgencyId),
    Depot(&'a FeedId, &'a AgencyId, &'a str),
}

const FLEET: &str = "fleet";
const AGENCY: &str = "agency ";
const DEPOT: &str = "depot ";

impl Scope<'_> {
    pub(crate) fn subject(&self) -> Subject {
        match self {
            Self::Fleet => Subject::System(FLEET.to_owned()),
            Self::Feed(feed) => Subject::Feed { feed: (*feed).clone(), scope: None },
            Self::Agency(feed, agency) => {
                Subject::Feed { feed: (*feed).clone(), scope: Some(format!("{AGENCY}{agency}")) }
            }
            Self::Depot(feed, agency, prefix) => {
                Subject::Feed { feed: (*feed).clone(), scope: Some(format!("{DEPOT}{agency}/{prefix}")) }
            }
        }
    }

    /// Whether a vehicle belongs to what a subject names.
    pub(crate) fn holds(subject: &Subject, vehicle: &VehicleRecord) -> bool {
        match subject {
            Subject::System(name) => name == FLEET,
            Subject::Feed { feed, scope: None } => *feed == vehicle.feed,
            Subject::Feed { feed, scope: Some(part) } => *feed == vehicle.feed && part_holds(part, vehicle),
            Subject::Vehicle(_)
            | Subject::Unparsed(_)
            | Subject::Area(_)
            | Subject::Incident(_)
            | Subject::Stop(_)
            | Subject::Line(_) => false,
        }
    }

    /// The subjects of the wholes that a subject is part of.
    pub(crate) fn wholes(subject: &Subject) -> Vec<Subject> {
        let Subject::Feed { feed, scope } = subject else { return Vec::new() };
        let mut wholes = vec![Scope::Fleet.subject()];
        if let Some(part) = scope {
            wholes.push(Scope::Feed(feed).subject());
            if let Some((agency, _)) = part.strip_prefix(DEPOT).and_then(|p| p.rsplit_once('/')) {
                wholes.push(Subject::Feed { feed: feed.clone(), scope: Some(format!("{AGENCY}{agency}")) });
            }
        }
        wholes
    }
}

fn part_holds(part: &str, vehicle: &VehicleRecord) -> bool {
    if let Some(agency) = part.strip_prefix(AGENCY) {
        return agency == vehicle.key.agency.as_str();
    }
    let depot = part.strip_prefix(DEPOT).and_then(|p| p.rsplit_once('/'));
    depot.is_some_and(|(agency, prefix)| {
        agency == vehicle.key.agency.as_str() && vehicle.key.vehicle.as_str().starts_with(prefix)
    })
}

/// The first characters of a vehicle's number; `None` when it is no longer than that.
pub(crate) fn depot_prefix(vehicle: &VehicleId, chars: usize) -> Option<&str> {
    let text = vehicle.as_str();
    let (end, _) = text.char_indices().nth(chars)?;
    text.get(..end).filter(|prefix| !prefix.is_empty())
}

#[cfg(test)]
mod tests {
    use transit::VehicleKey;

    use super::*;

    #[test]
    fn a_depot_is_part_of_its_agency_its_feed_and_the_fleet() {
        let feed = FeedId::parse("f").unwrap();
        let agency = AgencyId::parse("a/b").unwrap();
        let depot = Scope::Depot(&feed, &agency, "8").subject();
        let wholes: Vec<String> = Scope::wholes(&depot).iter().map(ToString::to_string).collect();
        assert_eq!(wholes, ["system:fleet", "feed:f", "feed:f agency a/b"]);
        let key = VehicleKey { agency, vehicle: VehicleId::parse("800").unwrap() };
        let vehicle = VehicleRecord::unknown(key, feed);
        for scope in Scope::wholes(&depot).iter().chain([&depot]) {
            assert!(Scope::holds(scope, &vehicle), "{scope}");
        }
    }

    #[test]
    fn a_prefix_is_counted_in_characters() {
        let id = VehicleId::parse("서울74").unwrap();
        assert_eq!(depot_prefix(&id, 1), Some("서"));
        assert_eq!(depot_prefix(&id, 4), None);
        assert_eq!(depot_prefix(&id, 0), None);
    }
}
