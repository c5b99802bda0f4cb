//! The decision card as JSON: flat, every key always present, and for what is null the reason in `unknown`.

use std::collections::{BTreeMap, BTreeSet};

use alert::{Alert, Incident, Subject};
use impact::{Card, CardAbout, Known, NearAlert, Reason, Suggestion, Words};
use publish::Lang;
use serde::Serialize;
use transit::TripId;
use utoipa::ToSchema;

use super::{
    ActionWord, AlertView, HistoryView, IncidentView, OccupancyStatusWord, PlaceView, PriorityWord, Shown, Stamp,
    UnknownWord, VehicleView,
    area::{AreaView, NearAreaView, NotJudgedView, ReachCounts},
    incident_id,
    proposal::ClearProposalView,
    row::{EnteringRow, InsideRow, NearRow, NeighbourRow, UnaccountedRow, UnplacedRow},
};
use crate::{
    Snapshot,
    desk::armed_areas,
    wording::{action_text, reason_text},
};

/// All that is known about an alert, an incident or a vehicle in one answer. It proposes and never acts.
#[derive(Serialize, ToSchema)]
pub(crate) struct CardView<'a> {
    /// What it is about: `alert`, `incident` or `vehicle`.
    about: &'static str,
    /// The id of the alert, incident or vehicle.
    id: String,
    /// The alert; null of others.
    alert: Option<AlertView<'a>>,
    /// What happened to the alert, oldest first; empty of others.
    history: Vec<HistoryView<'a>>,
    /// The incident; null of others.
    incident: Option<IncidentView<'a>>,
    /// The vehicle concerned.
    vehicle: Option<VehicleView<'a>>,
    /// Degrees north of the subject.
    lat: Option<f64>,
    /// Degrees east of the subject.
    lon: Option<f64>,
    /// Where that is, in `lang`.
    place_text: String,
    /// Seconds since that position was true.
    position_age_s: Option<f64>,
    /// That position is to be doubted.
    position_doubtful: Option<bool>,
    /// Who says so: `vehicle`, or `record` of the alarm or incident.
    position_from: Option<&'static str>,
    /// Seconds since the vehicle's newest message was true.
    age_s: Option<f64>,
    /// Its trip.
    trip_id: Option<&'a str>,
    /// Seconds behind the timetable, as the vehicle says; late is positive.
    delay_s: Option<i32>,
    /// How full, in words.
    #[schema(inline)]
    occupancy_status: Option<OccupancyStatusWord>,
    /// How full, in percent of capacity.
    occupancy_percentage: Option<u32>,
    /// People on board, as the alarm says.
    passengers: Option<u32>,
    /// The next stops with their times.
    next_stops: Option<Vec<String>>,
    /// Ahead on the same route; null without a reason in `unknown`: nobody.
    ahead: Option<NeighbourRow<'a>>,
    /// Behind on the same route; null without a reason in `unknown`: nobody.
    behind: Option<NeighbourRow<'a>>,
    /// Nearest other vehicles, nearest first.
    nearest: Option<Vec<NearRow<'a>>>,
    /// The area concerned.
    area: Option<AreaView<'a>>,
    /// It endangers who is inside.
    dangerous: bool,
    /// How many are inside, coming in, unaccounted for.
    counts: Option<ReachCounts>,
    /// Inside, certain ones first, then by distance.
    inside: Option<Vec<InsideRow<'a>>>,
    /// Coming in within 10 minutes, soonest first.
    entering: Option<Vec<EnteringRow<'a>>>,
    /// Gone dark inside or on the way in: expected ones first, then the longest silent.
    unaccounted: Option<Vec<UnaccountedRow<'a>>>,
    /// With a position that cannot be true.
    unplaced: Option<Vec<UnplacedRow<'a>>>,
    /// Not judged.
    not_judged: Option<NotJudgedView>,
    /// Routes cut.
    routes_cut: Option<Vec<String>>,
    /// Stops cut.
    stops_cut: Option<Vec<String>>,
    /// Trips that will meet the cut.
    trips_cut: Option<Vec<String>>,
    /// Areas of other active incidents that overlap, nearest first.
    areas: Option<Vec<NearAreaView<'a>>>,
    /// Incidents that this is about or lies in, of which their source says that they are over. That ends nothing:
    /// a person closes or keeps them.
    clear_proposed: Vec<ClearProposalView<'a>>,
    /// Open alerts near, nearest first.
    alerts: Option<Vec<NearAlertView<'a>>>,
    /// Open alerts near that are not listed.
    alerts_more: Option<usize>,
    /// Nearest places of each kind.
    places: Option<Vec<PlaceView<'a>>>,
    /// What to do, in order, in `lang`; empty where no runbook says.
    steps: Vec<&'a str>,
    /// What never to do; null where no runbook says.
    never: Option<&'a str>,
    /// What could be done, most urgent first. Never carried out by itself.
    suggestions: Vec<SuggestionView<'a>>,
    /// Why a key is null.
    #[schema(value_type = BTreeMap<String, UnknownWord>)]
    unknown: BTreeMap<&'static str, UnknownWord>,
    /// The same in `lang`.
    #[schema(value_type = BTreeMap<String, String>)]
    unknown_text: BTreeMap<&'static str, &'static str>,
}

/// An open alert near the subject.
#[derive(Serialize, ToSchema)]
pub(crate) struct NearAlertView<'a> {
    /// Which.
    id: String,
    /// Its rule.
    rule: &'a str,
    /// How soon somebody must act.
    #[schema(inline)]
    priority: PriorityWord,
    /// What happened, in `lang`.
    headline: String,
    /// When it was recorded.
    raised_at: Stamp,
    /// Who has it.
    owner: Option<&'a str>,
    /// Metres from the subject.
    distance_m: f64,
}

/// Something that could be done, with its reason and the figures it rests on.
#[derive(Serialize, ToSchema)]
pub(crate) struct SuggestionView<'a> {
    /// What.
    #[schema(inline)]
    action: ActionWord,
    /// The same as an order, in `lang`.
    text: &'static str,
    /// With which vehicles, most urgent first.
    #[schema(value_type = Vec<String>)]
    vehicles: Vec<Shown<&'a transit::VehicleKey>>,
    /// Why, in a sentence, in `lang`.
    reason: &'a str,
    /// What that rests on, units in the names.
    #[schema(value_type = BTreeMap<String, f64>)]
    figures: &'a BTreeMap<&'static str, f64>,
}

/// The record a card tells of.
#[derive(Clone, Copy)]
pub(crate) enum Told<'a> {
    /// An alert.
    Alert(&'a Alert),
    /// An incident.
    Incident(&'a Incident),
    /// A vehicle.
    Vehicle,
}

/// A sentence in the language asked for.
pub(super) fn spoken(words: &Words, lang: Lang) -> &str {
    match lang {
        Lang::En => &words.en,
        Lang::Ko => &words.ko,
    }
}

impl<'a> CardView<'a> {
    /// Of a card as of the snapshot it was made from.
    pub(crate) fn of(card: &'a Card, told: Told<'a>, snapshot: &'a Snapshot, lang: Lang) -> Self {
        let place = card.whereabouts.known();
        let here = place.map(|w| w.coordinate);
        let reach = card.area.known().map(|_| &card.reach);
        let occupancy = card.occupancy.known();
        let neighbour = |side: &'a Known<Option<impact::Neighbour>>| {
            side.known().and_then(Option::as_ref).map(|n| NeighbourRow::of(n, snapshot))
        };
        let (about, id) = named(&card.subject, told);
        let unknown = unknown(card);
        Self {
            about,
            id,
            alert: told.alert().map(|alert| AlertView::of(alert, snapshot, lang)),
            history: told.alert().map_or_else(Vec::new, |a| a.history.iter().map(HistoryView::of).collect()),
            incident: told.incident().map(IncidentView::of),
            vehicle: card.vehicle.known().map(|record| VehicleView::of(record, snapshot)),
            lat: here.map(transit::Coordinate::lat),
            lon: here.map(transit::Coordinate::lon),
            place_text: publish::position_text(here, place.is_some_and(|w| w.doubtful), lang),
            position_age_s: place.map(|w| w.age_s),
            position_doubtful: place.map(|w| w.doubtful),
            position_from: place.map(|w| if w.by_vehicle { "vehicle" } else { "record" }),
            age_s: card.age_s.known().copied(),
            trip_id: card.trip_id.known().map(TripId::as_str),
            delay_s: card.delay_s.known().copied(),
            occupancy_status: occupancy.and_then(|o| o.status).map(OccupancyStatusWord),
            occupancy_percentage: occupancy.and_then(|o| o.percentage),
            passengers: card.passengers.known().copied(),
            next_stops: texts(&card.next_stops),
            ahead: neighbour(&card.neighbours.ahead),
            behind: neighbour(&card.neighbours.behind),
            nearest: here.map(|_| card.nearest.iter().map(|row| NearRow::of(row, snapshot)).collect()),
            area: card.area.known().map(AreaView::of),
            dangerous: card.dangerous,
            counts: reach.map(ReachCounts::of),
            inside: reach.map(|r| r.inside.iter().map(|row| InsideRow::of(row, snapshot)).collect()),
            entering: reach.map(|r| r.entering.iter().map(|row| EnteringRow::of(row, snapshot)).collect()),
            unaccounted: reach.map(|r| r.unaccounted.iter().map(|row| UnaccountedRow::of(row, snapshot)).collect()),
            unplaced: reach.map(|r| r.unplaced.iter().map(|row| UnplacedRow::of(row, snapshot)).collect()),
            not_judged: reach.map(|r| NotJudgedView::of(r.unjudged)),
            routes_cut: texts(&card.routes_cut),
            stops_cut: texts(&card.stops_cut),
            trips_cut: texts(&card.trips_cut),
            areas: near_areas(card, snapshot),
            clear_proposed: proposed_clears(card, told, snapshot),
            alerts: here.map(|_| card.alerts.iter().filter_map(|n| NearAlertView::of(n, snapshot, lang)).collect()),
            alerts_more: here.map(|_| card.alerts_more),
            places: here
                .map(|_| card.places.iter().map(|n| PlaceView::of(&n.place, Some(n.distance_m), snapshot)).collect()),
            steps: card.runbook.iter().flat_map(|r| &r.steps).map(|words| spoken(words, lang)).collect(),
            never: card.runbook.as_ref().and_then(|r| r.never.as_ref()).map(|words| spoken(words, lang)),
            suggestions: card.suggestions.iter().map(|s| SuggestionView::of(s, lang)).collect(),
            unknown_text: unknown.iter().map(|(key, word)| (*key, reason_text(word.0, lang))).collect(),
            unknown,
        }
    }
}

impl<'a> Told<'a> {
    fn alert(self) -> Option<&'a Alert> {
        match self {
            Self::Alert(alert) => Some(alert),
            Self::Incident(_) | Self::Vehicle => None,
        }
    }

    fn incident(self) -> Option<&'a Incident> {
        match self {
            Self::Incident(incident) => Some(incident),
            Self::Alert(_) | Self::Vehicle => None,
        }
    }
}

fn named(subject: &CardAbout, told: Told<'_>) -> (&'static str, String) {
    match (subject, told.incident()) {
        (CardAbout::Incident(_), Some(incident)) => ("incident", incident_id(incident)),
        (CardAbout::Incident(key), None) => ("incident", format!("{}/{}", key.source, key.id)),
        (CardAbout::Alert(id), _) => ("alert", id.to_string()),
        (CardAbout::Vehicle(key), _) => ("vehicle", key.to_string()),
    }
}

fn texts<T: ToString>(fact: &Known<Vec<T>>) -> Option<Vec<String>> {
    fact.known().map(|all| all.iter().map(ToString::to_string).collect())
}

fn near_areas<'a>(card: &Card, snapshot: &'a Snapshot) -> Option<Vec<NearAreaView<'a>>> {
    let from = card.whereabouts.known().map(|w| w.coordinate).or_else(|| Some(card.area.known()?.centre()))?;
    let armed = |id: &str| armed_areas(snapshot).iter().find(|armed| armed.area.id() == id);
    Some(card.areas.iter().filter_map(|near| Some(NearAreaView::of(armed(&near.id)?, from))).collect())
}

/// By the incident itself, by those an alert belongs to or is about, and by those whose areas overlap.
fn proposed_clears<'a>(card: &Card, told: Told<'a>, snapshot: &'a Snapshot) -> Vec<ClearProposalView<'a>> {
    let own = told.incident().map(|incident| incident.report.key.to_string());
    let joined = told.alert().and_then(|alert| alert.incident.as_ref()).map(ToString::to_string);
    let named = told.alert().and_then(|alert| match &alert.subject {
        Subject::Area(id) | Subject::Incident(id) => Some(id.clone()),
        Subject::Vehicle(_)
        | Subject::Unparsed(_)
        | Subject::Feed { .. }
        | Subject::Stop(_)
        | Subject::Line(_)
        | Subject::System(_) => None,
    });
    let around = card.areas.iter().map(|near| near.id.clone());
    let ids: BTreeSet<String> = own.into_iter().chain(joined).chain(named).chain(around).collect();
    let proposed = snapshot.room.incidents().filter(|incident| incident.clear_proposed.is_some());
    proposed
        .filter(|incident| ids.contains(&incident.report.key.to_string()))
        .filter_map(|incident| ClearProposalView::of(incident))
        .collect()
}

impl<'a> NearAlertView<'a> {
    fn of(near: &NearAlert, snapshot: &'a Snapshot, lang: Lang) -> Option<Self> {
        let alert = snapshot.room.find_alert(&near.id)?;
        Some(Self {
            id: near.id.to_string(),
            rule: &alert.rule,
            priority: PriorityWord(alert.priority),
            headline: publish::headline(alert, lang),
            raised_at: Stamp(alert.raised_at),
            owner: alert.acknowledgement.as_ref().map(|o| o.by.as_str()),
            distance_m: near.distance_m,
        })
    }
}

impl<'a> SuggestionView<'a> {
    fn of(suggestion: &'a Suggestion, lang: Lang) -> Self {
        Self {
            action: ActionWord(suggestion.action),
            text: action_text(suggestion.action, lang),
            vehicles: suggestion.vehicles.iter().map(Shown).collect(),
            reason: spoken(&suggestion.reason, lang),
            figures: &suggestion.figures,
        }
    }
}

/// The keys that are null because a fact of the card is not known.
fn keys_of(fact: &'static str) -> &'static [&'static str] {
    match fact {
        "whereabouts" => &[
            "lat",
            "lon",
            "position_age_s",
            "position_doubtful",
            "position_from",
            "nearest",
            "alerts",
            "alerts_more",
            "places",
        ],
        "area" => &["area", "counts", "inside", "entering", "unaccounted", "unplaced", "not_judged"],
        "occupancy" => &["occupancy_status", "occupancy_percentage"],
        "vehicle" => &["vehicle"],
        "age_s" => &["age_s"],
        "trip_id" => &["trip_id"],
        "delay_s" => &["delay_s"],
        "passengers" => &["passengers"],
        "next_stops" => &["next_stops"],
        "ahead" => &["ahead"],
        "behind" => &["behind"],
        "routes_cut" => &["routes_cut"],
        "stops_cut" => &["stops_cut"],
        "trips_cut" => &["trips_cut"],
        // A fact that is not shown yet: a test compares the keys that are null with the reasons given.
        _ => &[],
    }
}

fn unknown(card: &Card) -> BTreeMap<&'static str, UnknownWord> {
    let mut unknown: BTreeMap<&'static str, UnknownWord> = BTreeMap::new();
    for (fact, reason) in card.unknowns() {
        unknown.extend(keys_of(fact).iter().map(|key| (*key, UnknownWord(reason))));
    }
    if let Some(occupancy) = card.occupancy.known() {
        let unsaid = [
            ("occupancy_status", occupancy.status.is_none()),
            ("occupancy_percentage", occupancy.percentage.is_none()),
        ];
        let unsaid = unsaid.into_iter().filter(|(_, missing)| *missing);
        unknown.extend(unsaid.map(|(key, _)| (key, UnknownWord(Reason::NotReported))));
    }
    if let (Some(reason), None) = (card.area.reason(), card.whereabouts.known()) {
        unknown.insert("areas", UnknownWord(reason));
    }
    unknown
}
