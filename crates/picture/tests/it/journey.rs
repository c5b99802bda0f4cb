//! Journeys, announcements, sign-offs, stops.

use picture::PictureOptions;
use transit::{
    Journey, JourneyState, Observation, RouteId, ServiceDate, ServiceTime, StopId, StopReference, StopStatus,
    StopStatusReport, TripId,
};

use crate::stage::{Stage, message, position};

fn journey(state: JourneyState, trip: &str, start_h: u32) -> Journey {
    Journey {
        state: Some(state),
        route_id: Some(RouteId::parse("550").unwrap()),
        trip_id: Some(TripId::parse(trip).unwrap()),
        service_date: Some(ServiceDate::parse("2026-11-23").unwrap()),
        start_time: Some(ServiceTime(start_h * 3600)),
        ..Journey::default()
    }
}

#[test]
fn an_announced_journey_is_a_second_fact_until_the_vehicle_is_on_it() {
    let mut stage = Stage::new(PictureOptions::default());
    let next = journey(JourneyState::Upcoming, "t2", 9);
    stage.say(&Observation { journey: Some(journey(JourneyState::InService, "t1", 8)), ..message("1", 0.0) });
    stage.at(1.0).say(&Observation { upcoming: Some(next.clone()), ..message("1", 1.0) });
    let shown = stage.shown("1");
    assert_eq!(shown.journey.trip_id, TripId::parse("t1").ok());
    assert_eq!(shown.upcoming.as_deref(), Some(&next));
    // Still on the old one: the announcement stays. On the new one: it is over, and stays so on the one after.
    let steps = [(2.0, "t1", 8, true), (3.0, "t2", 9, false), (4.0, "t3", 10, false)];
    for (second, trip, start_h, announced) in steps {
        let on = journey(JourneyState::InService, trip, start_h);
        stage.at(second).say(&Observation { journey: Some(on), ..message("1", second) });
        assert_eq!(stage.shown("1").upcoming.is_some(), announced, "on {trip}");
    }
}

#[test]
fn an_announcement_of_half_an_hour_ago_is_not_shown() {
    let mut stage = Stage::new(PictureOptions::default());
    let next = journey(JourneyState::Upcoming, "t2", 9);
    stage.say(&Observation { upcoming: Some(next), ..message("1", 0.0) });
    for (second, announced) in [(1800.0, true), (1801.0, false)] {
        stage.at(second).say(&message("1", second));
        assert_eq!(stage.shown("1").upcoming.is_some(), announced, "after {second} s");
    }
}

#[test]
fn a_sign_off_ends_the_journey_and_keeps_the_vehicle() {
    let mut stage = Stage::new(PictureOptions::default());
    let on = journey(JourneyState::InService, "t1", 8);
    stage.say(&Observation { journey: Some(on), ..position("1", 0.0, 60.0, 25.0) });
    let off = journey(JourneyState::SignedOff, "t1", 8);
    stage.at(1.0).say(&Observation { journey: Some(off), ..message("1", 1.0) });
    let shown = stage.shown("1");
    assert_eq!(shown.journey, Journey { state: Some(JourneyState::SignedOff), ..Journey::default() });
    assert!(shown.coordinate.is_some());
    assert_eq!(stage.last.view.counts.of_journey_state(Some(JourneyState::SignedOff)), 1);
    assert_eq!(stage.last.view.counts.of_journey_state(Some(JourneyState::InService)), 0);
}

#[test]
fn a_status_counts_for_the_stop_it_was_said_of() {
    let stop = |id: &str| StopId::parse(id).ok();
    let at = |second: f64, id: Option<StopId>| Observation {
        stop: Some(StopReference { stop_id: id, current_stop_sequence: None }),
        ..message("1", second)
    };
    let status = |second: f64, id: Option<StopId>| Observation {
        stop_status: Some(StopStatusReport { stop_id: id, status: StopStatus::StoppedAt }),
        ..message("1", second)
    };
    let table = [
        ("of the stop shown", vec![at(0.0, stop("s1")), status(1.0, stop("s1"))], Some(StopStatus::StoppedAt)),
        ("of none in particular", vec![at(0.0, stop("s1")), status(1.0, None)], Some(StopStatus::StoppedAt)),
        (
            "overtaken by the next stop",
            vec![at(0.0, stop("s1")), status(1.0, stop("s1")), at(2.0, stop("s2"))],
            Some(StopStatus::InTransitTo),
        ),
        ("overtaken by no stop", vec![status(1.0, stop("s1")), at(2.0, None)], None),
        ("of a stop not yet shown", vec![at(0.0, stop("s1")), status(1.0, stop("s2"))], None),
        ("never said", vec![at(0.0, stop("s1"))], None),
    ];
    for (case, messages, expected) in table {
        let mut stage = Stage::new(PictureOptions::default());
        stage.at(3.0);
        for o in &messages {
            stage.say(o);
        }
        assert_eq!(stage.shown("1").current_status, expected, "{case}");
    }
}
