//! What could be done, each with its reason and the figures it rests on. Nothing here is carried out by itself.

use std::collections::BTreeMap;

use transit::{VehicleKey, words};

use crate::{
    Card, CardAbout, HORIZONS_S, SilentWhy,
    reach::{Entering, Unaccounted},
};

words! {
    /// What could be done.
    Action as "action" {
        /// Find out by radio where the subject is: its position is old.
        Locate = "locate",
        /// Call those who have gone dark.
        CallUnaccounted = "call_unaccounted",
        /// Hold those who enter within 2 minutes.
        HoldEntering = "hold_entering",
        /// Lead those inside out.
        LeadOut = "lead_out",
        /// Ask those whose position cannot be true.
        AskPosition = "ask_position",
        /// Send the nearest vehicle to look or to help.
        SendNearest = "send_nearest",
        /// Hold the follower on the same route.
        HoldFollower = "hold_follower",
    }
}

/// One thing that could be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// What.
    pub action: Action,
    /// With whom, most urgent first.
    pub vehicles: Vec<VehicleKey>,
    /// Why, in a sentence.
    pub reason: String,
    /// What that rests on, units in the names.
    pub figures: BTreeMap<&'static str, f64>,
}

/// Farther than this nobody is sent, in metres.
const SEND_MAX_M: f64 = 3_000.0;
/// Nobody is sent, and no place is trusted, on a position older than this, in seconds.
const FRESH_S: f64 = 60.0;

/// What a card's figures suggest, most urgent first.
pub(crate) fn suggestions(card: &Card) -> Vec<Suggestion> {
    let all = [
        call_unaccounted(card),
        locate(card),
        hold_entering(card),
        lead_out(card),
        ask_position(card),
        send_nearest(card),
        hold_follower(card),
    ];
    all.into_iter().flatten().collect()
}

fn suggestion(
    action: Action,
    vehicles: Vec<VehicleKey>,
    reason: String,
    figures: impl IntoIterator<Item = (&'static str, f64)>,
) -> Option<Suggestion> {
    Some(Suggestion { action, vehicles, reason, figures: figures.into_iter().collect() })
}

fn call_unaccounted(card: &Card) -> Option<Suggestion> {
    let missed: Vec<&Unaccounted> =
        card.reach.unaccounted.iter().filter(|u| u.expected || u.why == SilentWhy::Inside).collect();
    let longest = missed.iter().map(|u| u.position_age_s).fold(0.0, f64::max);
    let first = missed.first()?;
    let reason = format!(
        "{} gone dark inside or on the way in; {} for {:.0} s, {:.0} s are usual",
        missed.len(),
        first.vehicle.key,
        first.position_age_s,
        first.limit_s
    );
    let figures = [("vehicles", missed.len() as f64), ("longest_silent_s", longest), ("limit_s", first.limit_s)];
    suggestion(Action::CallUnaccounted, missed.iter().map(|u| u.vehicle.key.clone()).collect(), reason, figures)
}

fn locate(card: &Card) -> Option<Suggestion> {
    let vehicle = card.vehicle.known()?;
    let (age_s, reason) = match card.whereabouts.known() {
        Some(place) if place.age_s <= FRESH_S && !place.doubtful => return None,
        Some(place) if place.doubtful => (place.age_s, "its position is to be doubted".to_owned()),
        Some(place) => (place.age_s, format!("its position is {:.0} s old", place.age_s)),
        None => (card.age_s.known().copied()?, "nobody knows where it is".to_owned()),
    };
    suggestion(Action::Locate, vec![vehicle.key.clone()], reason, [("age_s", age_s)])
}

fn hold_entering(card: &Card) -> Option<Suggestion> {
    let soon: &[Entering] = card.reach.entering_within(HORIZONS_S[0]);
    let coming: Vec<&Entering> = soon.iter().filter(|e| !card.is_about(&e.vehicle.key)).collect();
    let first = coming.first()?;
    let reason = format!(
        "{} enter within 2 minutes if they go on; {} in {:.0} s, {:.0} m away at {:.1} m/s",
        coming.len(),
        first.vehicle.key,
        first.eta_s,
        first.distance_m,
        first.speed_mps
    );
    let oldest = coming.iter().map(|e| e.position_age_s).fold(0.0, f64::max);
    let figures = [
        ("vehicles", coming.len() as f64),
        ("soonest_eta_s", first.eta_s),
        ("nearest_m", first.distance_m),
        ("oldest_position_s", oldest),
    ];
    suggestion(Action::HoldEntering, coming.iter().map(|e| e.vehicle.key.clone()).collect(), reason, figures)
}

fn lead_out(card: &Card) -> Option<Suggestion> {
    if !card.dangerous {
        return None;
    }
    let inside: Vec<_> =
        card.reach.inside.iter().filter(|w| w.parked.is_none() && !card.is_about(&w.vehicle.key)).collect();
    let certain = inside.iter().filter(|w| w.certain && !w.doubtful).count();
    inside.first()?;
    let oldest = inside.iter().map(|w| w.position_age_s).fold(0.0, f64::max);
    let reason = format!("{} inside, {certain} of them for certain", inside.len());
    let figures = [("vehicles", inside.len() as f64), ("certain", certain as f64), ("oldest_position_s", oldest)];
    suggestion(Action::LeadOut, inside.iter().map(|w| w.vehicle.key.clone()).collect(), reason, figures)
}

fn ask_position(card: &Card) -> Option<Suggestion> {
    let doubtful = card.reach.inside.iter().filter(|w| w.doubtful).map(|w| &w.vehicle.key);
    let asked: Vec<VehicleKey> = doubtful
        .chain(card.reach.unplaced.iter().map(|u| &u.vehicle.key))
        .filter(|k| !card.is_about(k))
        .cloned()
        .collect();
    asked.first()?;
    let reason = format!("{} with a position that cannot be true may be inside", asked.len());
    let figures = [("vehicles", asked.len() as f64)];
    suggestion(Action::AskPosition, asked, reason, figures)
}

fn send_nearest(card: &Card) -> Option<Suggestion> {
    if !matches!(card.subject, CardAbout::Alert(_)) || !card.vehicle_is_subject {
        return None;
    }
    // Nobody is sent who has to get out first.
    let endangered =
        |n: &crate::NearVehicle| card.dangerous && card.reach.inside.iter().any(|w| w.vehicle.key == n.vehicle.key);
    let fit = |n: &&crate::NearVehicle| n.distance_m <= SEND_MAX_M && n.position_age_s <= FRESH_S && !endangered(n);
    let nearest = card.nearest.iter().find(fit)?;
    let going = match nearest.approaching {
        Some(true) => ", coming nearer",
        Some(false) => ", going away",
        None => "",
    };
    let reason = format!(
        "{} is nearest: {:.0} m through the air{going}, position {:.0} s old",
        nearest.vehicle.key, nearest.distance_m, nearest.position_age_s
    );
    let figures = [("distance_m", nearest.distance_m), ("position_age_s", nearest.position_age_s)];
    suggestion(Action::SendNearest, vec![nearest.vehicle.key.clone()], reason, figures)
}

fn hold_follower(card: &Card) -> Option<Suggestion> {
    if !matches!(card.subject, CardAbout::Alert(_)) {
        return None;
    }
    let follower = card.neighbours.behind.known()?.as_ref()?;
    let reason = format!(
        "{} follows on the same route, {:.0} m behind, position {:.0} s old",
        follower.vehicle.key, follower.gap_m, follower.position_age_s
    );
    let figures = [("gap_m", follower.gap_m), ("position_age_s", follower.position_age_s)];
    suggestion(Action::HoldFollower, vec![follower.vehicle.key.clone()], reason, figures)
}
