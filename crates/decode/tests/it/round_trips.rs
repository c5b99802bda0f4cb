//! What the encoders write, the decoders read back.

use std::sync::Arc;

use decode::{
    Message,
    formats::{
        hfp::{self, HfpEvent, LastTopic, Sent},
        native::{self, AlarmBody, IncidentBody},
    },
};
use proptest::{option, prelude::*};
use transit::{
    AgencyId, BlockId, FeedId, Fix, Journey, JourneyState, Mode, Observation, Occupancy, OccupancyStatus,
    PositionSource, RouteId, ServiceDate, ServiceTime, Significance, StopId, StopReference, StopStatus,
    StopStatusReport, TripId, UtcMillis, VehicleId, VehicleKey, Word,
};

use crate::show::{feeds, frame};

fn word<W: Word + std::fmt::Debug>() -> impl Strategy<Value = W> {
    (0..W::ALL.len()).prop_map(|i| W::ALL[i])
}

const NAME: &str = "[^\\p{C}]{1,20}";

fn journey() -> impl Strategy<Value = Journey> {
    let ids = (option::of(NAME), option::of(NAME), option::of(NAME), option::of(prop::collection::vec(NAME, 1..4)));
    (word::<JourneyState>(), ids, option::of(0..2_u8), option::of(0..30 * 3600_u32)).prop_map(
        |(state, (route, trip, block, consist), direction_id, start)| Journey {
            state: Some(state),
            route_id: route.map(|r| RouteId::parse(&r).unwrap()),
            direction_id,
            trip_id: trip.map(|t| TripId::parse(&t).unwrap()),
            service_date: ServiceDate::parse("2026-11-23").ok(),
            start_time: start.map(ServiceTime),
            block_id: block.map(|b| BlockId::parse(&b).unwrap()),
            consist: consist.map(|units| units.iter().map(|u| Arc::from(u.as_str())).collect()),
        },
    )
}

/// As receivers write them: seven decimals, which is a centimetre.
fn degrees(most: i32) -> impl Strategy<Value = f64> {
    (-most * 10_000_000..most * 10_000_000).prop_map(|d| f64::from(d) / 1e7)
}

fn fix() -> impl Strategy<Value = Fix> {
    let plain = (degrees(90), degrees(180), option::of(0.0..360.0_f32), option::of(0.0..100.0_f32));
    (plain, option::of((0..10_000_000_u32).prop_map(|dm| f64::from(dm) / 10.0)), option::of(word::<PositionSource>()))
        .prop_map(|((lat, lon, bearing, speed_mps), odometer_m, source)| Fix {
            bearing,
            speed_mps,
            odometer_m,
            source,
            accuracy_m: Some(4.5),
            ..Fix::at(lat, lon)
        })
}

prop_compose! {
    fn an_observation()(
        who in (NAME, NAME),
        event_time in 0..4_000_000_000_000_i64,
        counters in (option::of(any::<u64>()), option::of(any::<u64>())),
        position in option::of(fix()),
        doors_open in option::of(any::<bool>()),
        stop in option::of((NAME, option::of(0..1000_u32), option::of(word::<StopStatus>()))),
        delay_s in option::of(-10_000..10_000_i32),
        occupancy in option::of((word::<OccupancyStatus>(), option::of(0..150_u32))),
        journey in option::of(journey()),
        mode in option::of(word::<Mode>()),
    ) -> Observation {
        let (journey, upcoming) = match journey {
            Some(j) if j.state == Some(JourneyState::Upcoming) => (None, Some(j)),
            j => (j, None),
        };
        let signed_off = journey.as_ref().is_some_and(|j| j.state == Some(JourneyState::SignedOff));
        let stop_id = stop.as_ref().map(|(id, ..)| StopId::parse(id).unwrap());
        Observation {
            vehicle: VehicleKey { agency: AgencyId::parse(&who.0).unwrap(), vehicle: VehicleId::parse(&who.1).unwrap() },
            feed: FeedId::parse("native").unwrap(),
            event_time: UtcMillis(event_time),
            boot: counters.0,
            seq: counters.1,
            significance: if position.is_none() || signed_off { Significance::Event } else { Significance::Plain },
            content: 0,
            mode,
            position,
            doors_open,
            stop_status: stop.as_ref().and_then(|(.., status)| *status)
                .map(|status| StopStatusReport { stop_id: stop_id.clone(), status }),
            stop: stop.map(|(_, current_stop_sequence, _)| StopReference { stop_id, current_stop_sequence }),
            delay_s,
            occupancy: occupancy.map(|(status, percentage)| Occupancy { status: Some(status), percentage }),
            journey,
            upcoming,
            retained: false,
        }
    }
}

/// Passenger counts carry no position, and the end of a journey no journey.
fn a_journey_event() -> impl Strategy<Value = HfpEvent> {
    word::<HfpEvent>().prop_filter("carries a whole observation", |event| {
        !matches!(event, HfpEvent::Apc | HfpEvent::ApcPartial | HfpEvent::Vjout)
    })
}

proptest! {
    #[test]
    fn a_native_position_survives_its_encoding(o in an_observation()) {
        let (topic, body) = (native::position_topic("topis", &o.vehicle), native::encode_position(&o));
        let decoded = feeds().decode(&frame(&topic, &body));
        let Some(Message::Vehicle(read)) = decoded.messages.first() else {
            return Err(TestCaseError::fail(format!("{:?}", decoded.problems)));
        };
        prop_assert_eq!(read, &Observation { content: read.content, ..o });
    }

    #[test]
    fn an_hfp_message_survives_its_encoding(
        lat in degrees(90), lon in degrees(180), late in -600..600_i32, event in a_journey_event(),
        start in 4 * 3600..28 * 3600_u32, minutes_on in 0..300_i64, doors in any::<bool>(), eol in any::<bool>(),
    ) {
        // Midnight of 2026-11-23 in Helsinki, plus the start and how long the trip has been on.
        let start = start / 60 * 60;
        let now = UtcMillis(1_795_384_800_000 + (i64::from(start) + minutes_on * 60) * 1_000);
        let stop_id = (!eol).then(|| StopId::parse("1353117").unwrap());
        let o = Observation {
            vehicle: VehicleKey::parse("0018/00679").unwrap(),
            feed: FeedId::parse("hfp").unwrap(),
            event_time: now,
            boot: None, seq: None, content: 0,
            significance: if event == HfpEvent::Vp { Significance::Plain } else { Significance::Event },
            mode: Some(Mode::Rail),
            position: Some(Fix { bearing: Some(90.0), speed_mps: Some(4.5), source: Some(PositionSource::Gps), ..Fix::at(lat, lon) }),
            doors_open: Some(doors),
            stop: Some(StopReference { stop_id, current_stop_sequence: None }),
            stop_status: None,
            delay_s: Some(late),
            occupancy: Some(Occupancy { status: None, percentage: Some(0) }),
            journey: Some(Journey {
                state: Some(JourneyState::InService),
                route_id: RouteId::parse("1004 4").ok(),
                direction_id: Some(1),
                service_date: ServiceDate::parse("2026-11-23").ok(),
                start_time: Some(ServiceTime(start)),
                ..Journey::default()
            }),
            upcoming: None,
            retained: false,
        };
        let sent = Sent { event, headsign: "Itäkeskus (M)", desi: "4", jrn: None };
        let (topic, body) = hfp::encode(&o, &sent, &mut LastTopic::default());
        let decoded = feeds().decode(&frame(&topic, &body));
        let Some(Message::Vehicle(read)) = decoded.messages.first() else {
            return Err(TestCaseError::fail(format!("{topic} {:?}", decoded.problems)));
        };
        prop_assert_eq!(read, &Observation { content: read.content, stop_status: read.stop_status.clone(), ..o });
    }
}

#[test]
fn alarms_and_incidents_survive_their_encoding() {
    let key = VehicleKey::parse("seoul-bus/7011").unwrap();
    let alarm = AlarmBody { kind: Some("fire".to_owned()), lat: Some(37.5), lon: Some(127.0), ..Default::default() };
    let decoded = feeds().decode(&frame(&native::alarm_topic("topis", &key), &native::encode_alarm(&alarm)));
    assert_eq!((decoded.messages.len(), decoded.problems.as_slice()), (1, &[][..]));
    let incident = IncidentBody { kind: "crash".to_owned(), lat: Some(37.5), lon: Some(127.0), ..Default::default() };
    let topic = native::incident_topic("topis", "desk/1", "서울 #1");
    let decoded = feeds().decode(&frame(&topic, &native::encode_incident(&incident)));
    match decoded.messages.first() {
        Some(Message::Incident(report)) => {
            assert_eq!((report.key.source.as_str(), report.key.id.as_str()), ("desk/1", "서울 #1"))
        }
        other => panic!("{other:?} {:?}", decoded.problems),
    }
}
