//! What could be done, each with its reason in every language and the figures it rests on. Nothing here is carried out
//! by itself.

use std::collections::{BTreeMap, BTreeSet};

use alert::AlertClass;
use picture::VehicleRecord;
use transit::{Status, VehicleKey, words};

use crate::{
    Area, AreaSource, Card, CardAbout, CardSubject, Desk, HORIZONS_S, ReachOptions, SilentWhy, Words,
    reach::{Entering, Unaccounted},
    reading::is_signed_off,
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
    pub reason: Words,
    /// What that rests on, units in the names.
    pub figures: BTreeMap<&'static str, f64>,
}

/// Farther than this nobody is sent, in metres.
const SEND_MAX_M: f64 = 3_000.0;
/// Farther behind than this nobody is held, in metres: it has other ways to go.
const FOLLOW_MAX_M: f64 = 3_000.0;
/// Nobody is sent, and no place is trusted, on a position older than this, in seconds.
const FRESH_S: f64 = 60.0;

/// What a card's figures suggest, most urgent first.
pub(crate) fn suggestions(card: &Card, subject: CardSubject<'_>, desk: &Desk<'_>) -> Vec<Suggestion> {
    if matches!(subject, CardSubject::Incident(incident) if !incident.is_live()) {
        return Vec::new();
    }
    let mut choice = Choice::of(card, subject, desk);
    let urgent = [call_unaccounted, locate, hold_entering, lead_out, ask_position];
    let mut all: Vec<Suggestion> = urgent.into_iter().filter_map(|propose| choice.take(propose)).collect();
    // Who is to be held is not sent, although sending is told first.
    let hold = choice.take(hold_follower);
    all.extend(choice.take(send_nearest));
    all.extend(hold);
    all
}

/// Who can be named in the suggestions of a card. Nobody is named twice: what is more urgent goes first.
struct Choice<'a> {
    card: &'a Card,
    /// Vehicles with an emergency of their own.
    in_need: BTreeSet<&'a VehicleKey>,
    /// Areas that endanger who is inside, the card's among them.
    dangers: Vec<&'a Area>,
    /// Named already.
    named: BTreeSet<VehicleKey>,
}

impl<'a> Choice<'a> {
    fn of(card: &'a Card, subject: CardSubject<'_>, desk: &Desk<'a>) -> Self {
        let status = match subject {
            CardSubject::Alert(alert) => alert.status,
            CardSubject::Incident(incident) => incident.report.status,
            CardSubject::Vehicle(_) => Status::Actual,
        };
        // A drill keeps nobody from what is meant.
        let counts = |of: Status| of == Status::Actual || of == status;
        let emergencies =
            desk.alerts.iter().filter(|a| a.class == AlertClass::Emergency && a.is_open() && counts(a.status));
        let armed = desk.areas.iter().filter(|armed| armed.is_dangerous() && counts(armed.status));
        let own = card.area.known().filter(|_| card.dangerous);
        Self {
            card,
            in_need: emergencies.filter_map(|alert| alert.subject.vehicle()).collect(),
            dangers: armed.map(|armed| &armed.area).chain(own).collect(),
            named: BTreeSet::new(),
        }
    }

    fn take(&mut self, propose: fn(&Choice<'_>) -> Option<Suggestion>) -> Option<Suggestion> {
        let suggestion = propose(self)?;
        self.named.extend(suggestion.vehicles.iter().cloned());
        Some(suggestion)
    }

    fn is_free(&self, key: &VehicleKey) -> bool {
        !self.named.contains(key)
    }

    /// The area is only the circle around this vehicle, which is in it wherever it goes.
    fn is_heart(&self, key: &VehicleKey) -> bool {
        let circle = self.card.area.known().is_none_or(|area| area.name().source == AreaSource::Query);
        circle && self.card.is_about(key)
    }

    /// It can be told to do something for others or for the service: it has no emergency of its own, its driver is
    /// there, and it does not have to get out of danger first.
    fn is_fit(&self, record: &VehicleRecord) -> bool {
        self.is_free(&record.key)
            && !self.in_need.contains(&record.key)
            && !is_signed_off(record)
            && !self.is_endangered(record)
    }

    /// As exactly as it knows its place.
    fn is_endangered(&self, record: &VehicleRecord) -> bool {
        let trust = ReachOptions::default();
        let accuracy_m = record.accuracy_m.map_or(trust.accuracy_default_m, f64::from).min(trust.accuracy_max_m);
        let held = |area: &&Area| record.coordinate.is_some_and(|c| area.may_hold(c, accuracy_m));
        self.card.dangerous && self.card.reach.inside.iter().any(|w| w.vehicle.key == record.key)
            || self.dangers.iter().any(held)
    }

    /// The subject stands where nobody else should go.
    fn is_subject_endangered(&self) -> bool {
        let here = self.card.whereabouts.known().map(|place| place.coordinate);
        here.is_some_and(|here| self.dangers.iter().any(|area| area.may_hold(here, 0.0)))
    }
}

fn suggestion(
    action: Action,
    vehicles: Vec<VehicleKey>,
    reason: Words,
    figures: impl IntoIterator<Item = (&'static str, f64)>,
) -> Option<Suggestion> {
    Some(Suggestion { action, vehicles, reason, figures: figures.into_iter().collect() })
}

fn call_unaccounted(choice: &Choice<'_>) -> Option<Suggestion> {
    let is_missed = |u: &&Unaccounted| {
        (u.expected || u.why == SilentWhy::Inside) && choice.is_free(&u.vehicle.key) && !choice.is_heart(&u.vehicle.key)
    };
    let missed: Vec<&Unaccounted> = choice.card.reach.unaccounted.iter().filter(is_missed).collect();
    let longest = missed.iter().map(|u| u.position_age_s).fold(0.0, f64::max);
    let first = missed.first()?;
    let (count, key, silent_s, limit_s) =
        (missed.len(), first.vehicle.key.spoken(), first.position_age_s, first.limit_s);
    let reason = Words {
        en: format!("{count} gone dark inside or on the way in; {key} for {silent_s:.0} s, {limit_s:.0} s are usual"),
        ko: format!(
            "구역 안이나 진입 중 무응답 {count}대. {key} {silent_s:.0}초째 무응답(통상 {limit_s:.0}초 이내 수신)"
        ),
    };
    let figures = [("vehicles", missed.len() as f64), ("longest_silent_s", longest), ("limit_s", first.limit_s)];
    suggestion(Action::CallUnaccounted, missed.iter().map(|u| u.vehicle.key.clone()).collect(), reason, figures)
}

fn locate(choice: &Choice<'_>) -> Option<Suggestion> {
    let card = choice.card;
    let vehicle = card.vehicle.known().filter(|vehicle| choice.is_free(&vehicle.key))?;
    let said = |en: &str, ko: &str| Words { en: en.to_owned(), ko: ko.to_owned() };
    let (age_s, reason) = match card.whereabouts.known() {
        Some(place) if place.age_s <= FRESH_S && !place.doubtful => return None,
        Some(place) if place.doubtful => (place.age_s, said("its position is to be doubted", "위치를 신뢰할 수 없음")),
        Some(place) => {
            let age_s = place.age_s;
            let en = format!("its position is {age_s:.0} s old");
            (age_s, Words { en, ko: format!("마지막 위치가 {age_s:.0}초 전 것임") })
        }
        None => (card.age_s.known().copied()?, said("nobody knows where it is", "위치를 알 수 없음")),
    };
    suggestion(Action::Locate, vec![vehicle.key.clone()], reason, [("age_s", age_s)])
}

fn hold_entering(choice: &Choice<'_>) -> Option<Suggestion> {
    let soon: &[Entering] = choice.card.reach.entering_within(HORIZONS_S[0]);
    let can_be_held = |e: &&Entering| {
        let key = &e.vehicle.key;
        choice.is_free(key) && !choice.in_need.contains(key) && !choice.is_heart(key)
    };
    let coming: Vec<&Entering> = soon.iter().filter(can_be_held).collect();
    let first = coming.first()?;
    let (count, key) = (coming.len(), first.vehicle.key.spoken());
    let Entering { eta_s, distance_m, speed_mps, .. } = first;
    let speed_kmh = speed_mps * 3.6;
    let reason = Words {
        en: format!(
            "{count} enter within 2 minutes if they go on; {key} in {eta_s:.0} s, {distance_m:.0} m away at {speed_mps:.1} m/s"
        ),
        ko: format!(
            "계속 운행하면 2분 안에 {count}대 진입. {key} {eta_s:.0}초 뒤 진입 예상(거리 {distance_m:.0}m, 시속 {speed_kmh:.0}km)"
        ),
    };
    let oldest = coming.iter().map(|e| e.position_age_s).fold(0.0, f64::max);
    let figures = [
        ("vehicles", coming.len() as f64),
        ("soonest_eta_s", first.eta_s),
        ("nearest_m", first.distance_m),
        ("oldest_position_s", oldest),
    ];
    suggestion(Action::HoldEntering, coming.iter().map(|e| e.vehicle.key.clone()).collect(), reason, figures)
}

fn lead_out(choice: &Choice<'_>) -> Option<Suggestion> {
    let card = choice.card;
    if !card.dangerous {
        return None;
    }
    // One with an emergency of its own has to get out all the same.
    let has_to_leave =
        |w: &&crate::Within| w.parked.is_none() && choice.is_free(&w.vehicle.key) && !choice.is_heart(&w.vehicle.key);
    let inside: Vec<_> = card.reach.inside.iter().filter(has_to_leave).collect();
    let certain = inside.iter().filter(|w| w.certain && !w.doubtful).count();
    inside.first()?;
    let oldest = inside.iter().map(|w| w.position_age_s).fold(0.0, f64::max);
    let count = inside.len();
    let reason = Words {
        en: format!("{count} inside, {certain} of them for certain"),
        ko: format!("구역 안 {count}대(확실 {certain}대)"),
    };
    let figures = [("vehicles", inside.len() as f64), ("certain", certain as f64), ("oldest_position_s", oldest)];
    suggestion(Action::LeadOut, inside.iter().map(|w| w.vehicle.key.clone()).collect(), reason, figures)
}

fn ask_position(choice: &Choice<'_>) -> Option<Suggestion> {
    let card = choice.card;
    let mut asked_before = BTreeSet::new();
    let doubtful = card.reach.inside.iter().filter(|w| w.doubtful).map(|w| &w.vehicle.key);
    let asked: Vec<VehicleKey> = doubtful
        .chain(card.reach.unplaced.iter().map(|u| &u.vehicle.key))
        .filter(|key| !card.is_about(key) && choice.is_free(key) && asked_before.insert(*key))
        .cloned()
        .collect();
    asked.first()?;
    let count = asked.len();
    let reason = Words {
        en: format!("{count} with a position that cannot be true may be inside"),
        ko: format!("위치 오류 차량 {count}대가 구역 안에 있을 수 있음"),
    };
    let figures = [("vehicles", asked.len() as f64)];
    suggestion(Action::AskPosition, asked, reason, figures)
}

fn send_nearest(choice: &Choice<'_>) -> Option<Suggestion> {
    let card = choice.card;
    if !matches!(card.subject, CardAbout::Alert(_)) || !card.vehicle_is_subject || choice.is_subject_endangered() {
        return None;
    }
    let fit = |n: &&crate::NearVehicle| {
        n.distance_m <= SEND_MAX_M && n.position_age_s <= FRESH_S && choice.is_fit(&n.vehicle)
    };
    let nearest = card.nearest.iter().find(fit)?;
    let going = match nearest.approaching {
        Some(true) => (", coming nearer", ", 접근 중"),
        Some(false) => (", going away", ", 멀어지는 중"),
        None => ("", ""),
    };
    let crate::NearVehicle { distance_m, position_age_s: age_s, .. } = nearest;
    let key = nearest.vehicle.key.spoken();
    let reason = Words {
        en: format!("{key} is nearest: {distance_m:.0} m through the air{}, position {age_s:.0} s old", going.0),
        ko: format!("가장 가까운 차량 {key}: 직선거리 {distance_m:.0}m{}, 위치 {age_s:.0}초 전", going.1),
    };
    let figures = [("distance_m", nearest.distance_m), ("position_age_s", nearest.position_age_s)];
    suggestion(Action::SendNearest, vec![nearest.vehicle.key.clone()], reason, figures)
}

fn hold_follower(choice: &Choice<'_>) -> Option<Suggestion> {
    let card = choice.card;
    if !matches!(card.subject, CardAbout::Alert(_)) {
        return None;
    }
    let follower = card.neighbours.behind.known()?.as_ref()?;
    if follower.gap_m > FOLLOW_MAX_M || follower.position_age_s > FRESH_S || !choice.is_fit(&follower.vehicle) {
        return None;
    }
    let (key, gap_m, age_s) = (follower.vehicle.key.spoken(), follower.gap_m, follower.position_age_s);
    let reason = Words {
        en: format!("{key} follows on the same route, {gap_m:.0} m behind, position {age_s:.0} s old"),
        ko: format!("같은 노선 후속 차량 {key}: {gap_m:.0}m 뒤, 위치 {age_s:.0}초 전"),
    };
    let figures = [("gap_m", follower.gap_m), ("position_age_s", follower.position_age_s)];
    suggestion(Action::HoldFollower, vec![follower.vehicle.key.clone()], reason, figures)
}
