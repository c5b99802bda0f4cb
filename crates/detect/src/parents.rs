//! Which conditions explain which: while a parent is open, the room holds its child back.

use alert::Subject;
use transit::FeedId;

use crate::{scope::Scope, survey::Survey};

/// Nothing explains it.
pub(crate) fn none(_: &Survey<'_>, _: &Subject) -> Vec<(String, Subject)> {
    Vec::new()
}

/// A vehicle by what is wrong with its feed.
pub(crate) fn of_vehicle(survey: &Survey<'_>, subject: &Subject) -> Vec<(String, Subject)> {
    let vehicle = subject.vehicle().and_then(|key| survey.scene.view.vehicles.get(key));
    let Some(vehicle) = vehicle else { return Vec::new() };
    let mut parents = of_feed_id(&vehicle.feed);
    let partial = |subject| ("FEED.PARTIAL".to_owned(), subject);
    parents.push(partial(Scope::Feed(&vehicle.feed).subject()));
    parents.push(partial(Scope::Agency(&vehicle.feed, &vehicle.key.agency).subject()));
    let depots = survey.missing_scopes.iter().filter(|s| Scope::holds(s, vehicle));
    parents.extend(depots.cloned().map(partial));
    parents.sort();
    parents.dedup();
    parents
}

/// What is wrong with a feed by its link.
pub(crate) fn of_feed(_: &Survey<'_>, subject: &Subject) -> Vec<(String, Subject)> {
    match subject {
        Subject::Feed { feed, .. } => {
            vec![("FEED.LINK".to_owned(), Scope::Feed(feed).subject()), ("FEED.LINK".to_owned(), broker())]
        }
        Subject::Vehicle(_)
        | Subject::Unparsed(_)
        | Subject::Area(_)
        | Subject::Incident(_)
        | Subject::Stop(_)
        | Subject::Line(_)
        | Subject::System(_) => Vec::new(),
    }
}

/// A part of a feed by what is wrong with the whole: with one of which that is found later. One that was known before
/// does not explain what is told beside it.
pub(crate) fn of_scope(survey: &Survey<'_>, subject: &Subject) -> Vec<(String, Subject)> {
    let Subject::Feed { feed, .. } = subject else { return Vec::new() };
    let mut parents = of_feed_id(feed);
    let wholes = Scope::wholes(subject).into_iter().filter(|whole| !survey.missing_scopes.contains(whole));
    parents.extend(wholes.map(|whole| ("FEED.PARTIAL".to_owned(), whole)));
    parents
}

/// A hazard by the alert of its own incident.
pub(crate) fn of_area(_: &Survey<'_>, subject: &Subject) -> Vec<(String, Subject)> {
    match subject {
        Subject::Area(incident) => vec![("INC.SEVERE".to_owned(), Subject::Incident(incident.clone()))],
        Subject::Vehicle(_)
        | Subject::Unparsed(_)
        | Subject::Feed { .. }
        | Subject::Incident(_)
        | Subject::Stop(_)
        | Subject::Line(_)
        | Subject::System(_) => Vec::new(),
    }
}

fn of_feed_id(feed: &FeedId) -> Vec<(String, Subject)> {
    let of_feed =
        ["FEED.LINK", "FEED.SILENT", "FEED.FROZEN"].map(|rule| (rule.to_owned(), Scope::Feed(feed).subject()));
    of_feed.into_iter().chain([("FEED.LINK".to_owned(), broker())]).collect()
}

/// The sessions behind all feeds as one, which `FEED.LINK` is told of when they are down together.
pub(crate) fn broker() -> Subject {
    Subject::System("broker".to_owned())
}
