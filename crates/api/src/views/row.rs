//! Vehicles in lists of areas and cards: one flat row each, the same keys first and then what the list says about it.

use impact::{CourseFrom, Entering, NearVehicle, Neighbour, Parked, SilentWhy, Unaccounted, Unplaced, Why, Within};
use picture::VehicleRecord;
use serde::Serialize;
use transit::{RouteId, VehicleKey};
use utoipa::ToSchema;

use super::{
    FreshnessWord, JourneyStateWord, ModeWord, QualityWord, Shown, Stamp, freshness_as_of, seconds, vehicle::Doubts,
};
use crate::Snapshot;

/// Declares rows: `Name of Source as row { key: type = value, }`.
macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident of $source:ty as $row:ident {
        $($(#[$key_doc:meta])* $key:ident: $type:ty = $value:expr,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Serialize, ToSchema)]
        pub(crate) struct $name<'a> {
            /// `agency/vehicle`.
            #[schema(value_type = String)]
            id: Shown<&'a VehicleKey>,
            /// Kind of vehicle.
            #[schema(inline)]
            mode: ModeWord,
            /// The route it is on.
            route_id: Option<&'a str>,
            /// What it is doing.
            #[schema(inline)]
            journey_state: Option<JourneyStateWord>,
            /// Degrees north, as it reported.
            lat: Option<f64>,
            /// Degrees east.
            lon: Option<f64>,
            /// Seconds, as of `meta.as_of`, since its newest message was true.
            #[schema(minimum = 0)]
            age_s: f64,
            /// How fresh, against the reporting interval of its feed.
            #[schema(inline)]
            freshness: FreshnessWord,
            /// What to doubt.
            #[schema(value_type = Vec<QualityWord>, inline)]
            quality: Doubts,
            $($(#[$key_doc])* $key: $type,)*
        }

        impl<'a> $name<'a> {
            /// Of a row as of a snapshot.
            pub(crate) fn of($row: &'a $source, snapshot: &Snapshot) -> Self {
                let record: &'a VehicleRecord = &$row.vehicle;
                Self {
                    id: Shown(&record.key),
                    mode: ModeWord(record.mode),
                    route_id: record.journey.route_id.as_ref().map(RouteId::as_str),
                    journey_state: record.journey.state.map(JourneyStateWord),
                    lat: record.coordinate.map(transit::Coordinate::lat),
                    lon: record.coordinate.map(transit::Coordinate::lon),
                    age_s: seconds(record.age_ms(snapshot.as_of)),
                    freshness: FreshnessWord(freshness_as_of(record, snapshot)),
                    quality: Doubts(record.quality),
                    $($key: $value,)*
                }
            }
        }
    )*};
}

rows! {
    /// A vehicle inside an area.
    InsideRow of Within as row {
        /// Seconds since its position was true.
        position_age_s: f64 = row.position_age_s,
        /// Its position itself is inside; false: only its accuracy reaches in.
        certain: bool = row.certain,
        /// Metres from its position to the area; 0 when certain.
        distance_m: f64 = row.distance_m,
        /// Its position is to be doubted; `quality` says why.
        doubtful: bool = row.doubtful,
        /// It stands there for good: `signed_off`, or `depot` and which; null when it does not.
        parked: Option<String> = row.parked.as_ref().map(parked_text),
    }

    /// A vehicle that will be inside within 10 minutes if it goes on as it goes.
    EnteringRow of Entering as row {
        /// Seconds since its position was true.
        position_age_s: f64 = row.position_age_s,
        /// Minutes within which it will be in: 2, 5 or 10.
        within_min: u8 = within_min(row.eta_s),
        /// Seconds until it is in; 0: it may be in by now.
        eta_s: f64 = row.eta_s,
        /// The same at its fastest and straight.
        earliest_s: f64 = row.earliest_s,
        /// Metres straight to the area.
        distance_m: f64 = row.distance_m,
        /// Metres along its course.
        along_m: f64 = row.along_m,
        /// Why it is thought so: `on_course`, `near_course` or `paused`.
        why: &'static str = why_word(row.why),
        /// Degrees clockwise from north.
        course_deg: f64 = row.course_deg,
        /// Where the course is from: `reported` or `trail`.
        course_from: &'static str = course_word(row.course_from),
        /// The speed reckoned with, metres a second.
        speed_mps: f64 = row.speed_mps,
        /// Its position is to be doubted; `quality` says why.
        doubtful: bool = row.doubtful,
    }

    /// A vehicle that has gone dark inside an area or on its way in.
    UnaccountedRow of Unaccounted as row {
        /// Seconds since its position was true.
        position_age_s: f64 = row.position_age_s,
        /// When its last position was true, by our clock.
        last_seen_at: Stamp = Stamp(row.last_seen_at),
        /// It should have spoken within this, in seconds.
        limit_s: f64 = row.limit_s,
        /// How it was last seen: `inside` or `heading_in`.
        why: &'static str = silent_word(row.why),
        /// Seconds it had to go to the area when it was last seen; null when it was inside.
        eta_s: Option<f64> = silent_eta_s(row.why),
        /// Metres from its last position to the area.
        distance_m: f64 = row.distance_m,
        /// Somebody expects it to speak: in service, or with a route or trip.
        expected: bool = row.expected,
        /// Its last position is to be doubted; `quality` says why.
        doubtful: bool = row.doubtful,
    }

    /// A vehicle whose reported position cannot be true: it may be anywhere it can have driven to.
    UnplacedRow of Unplaced as row {
        /// When its last good position was true, by the vehicle's clock; null when no trail knows one.
        last_good_at: Option<Stamp> = row.last_good.map(|p| Stamp(p.at)),
        /// Degrees north of its last good position.
        last_good_lat: Option<f64> = row.last_good.map(|p| p.coordinate.lat()),
        /// Degrees east of it.
        last_good_lon: Option<f64> = row.last_good.map(|p| p.coordinate.lon()),
        /// Metres from there to the area.
        distance_m: Option<f64> = row.distance_m,
    }

    /// A vehicle near a place.
    NearRow of NearVehicle as row {
        /// Seconds since its position was true.
        position_age_s: f64 = row.position_age_s,
        /// Metres through the air.
        distance_m: f64 = row.distance_m,
        /// Where it is seen from the place, degrees clockwise from north.
        direction_deg: f64 = row.direction_deg,
        /// Where it goes, degrees; null when it does not say.
        course_deg: Option<f64> = row.course_deg,
        /// It comes nearer; null without a course, or when it stands.
        approaching: Option<bool> = row.approaching,
    }

    /// The vehicle ahead or behind on the same route.
    NeighbourRow of Neighbour as row {
        /// Seconds since its position was true.
        position_age_s: f64 = row.position_age_s,
        /// Metres between the two through the air, not along the line.
        gap_m: f64 = row.gap_m,
    }
}

fn parked_text(parked: &Parked) -> String {
    match parked {
        Parked::SignedOff => "signed_off".to_owned(),
        Parked::Depot(label) => format!("depot {label}"),
    }
}

fn within_min(eta_s: f64) -> u8 {
    let [two, five, _] = impact::HORIZONS_S;
    if eta_s <= two {
        2
    } else if eta_s <= five {
        5
    } else {
        10
    }
}

fn why_word(why: Why) -> &'static str {
    match why {
        Why::OnCourse => "on_course",
        Why::NearCourse => "near_course",
        Why::Paused => "paused",
    }
}

fn course_word(from: CourseFrom) -> &'static str {
    match from {
        CourseFrom::Reported => "reported",
        CourseFrom::Trail => "trail",
    }
}

fn silent_word(why: SilentWhy) -> &'static str {
    match why {
        SilentWhy::Inside => "inside",
        SilentWhy::HeadingIn { .. } => "heading_in",
    }
}

fn silent_eta_s(why: SilentWhy) -> Option<f64> {
    match why {
        SilentWhy::Inside => None,
        SilentWhy::HeadingIn { eta_s } => Some(eta_s),
    }
}
