//! GTFS-Realtime messages.

use decode::{
    Feeds, Message,
    gtfs_realtime::{
        FeedEntity, FeedHeader, FeedMessage, Position, TripDescriptor, TripUpdate, VehicleDescriptor, VehiclePosition,
    },
};
use expect_test::expect;
use prost::Message as _;

use crate::show::{self, feeds, frame, print};

const TOPIC: &str = "topis/v1/gtfs-rt/mbta";

fn header() -> FeedHeader {
    FeedHeader { gtfs_realtime_version: "2.0".to_owned(), timestamp: Some(1_795_420_800), ..Default::default() }
}

fn entity(id: &str, vehicle: VehiclePosition) -> FeedEntity {
    FeedEntity { id: id.to_owned(), vehicle: Some(vehicle), ..Default::default() }
}

fn named(id: &str) -> VehiclePosition {
    VehiclePosition {
        vehicle: Some(VehicleDescriptor { id: Some(id.to_owned()), ..Default::default() }),
        ..Default::default()
    }
}

fn shown(message: &FeedMessage) -> String {
    print(&feeds().decode(&frame(TOPIC, &message.encode_to_vec())))
}

fn sample() -> FeedMessage {
    let full = VehiclePosition {
        trip: Some(TripDescriptor {
            trip_id: Some("t1".to_owned()),
            route_id: Some("Red".to_owned()),
            direction_id: Some(1),
            start_date: Some("20261123".to_owned()),
            start_time: Some("25:10:00".to_owned()),
            ..Default::default()
        }),
        position: Some(Position {
            latitude: 42.355_99,
            longitude: -71.06,
            bearing: Some(360.0),
            speed: Some(3.5),
            odometer: None,
        }),
        current_stop_sequence: Some(3),
        stop_id: Some("70075".to_owned()),
        current_status: Some(1),
        timestamp: Some(1_795_420_790),
        occupancy_status: Some(5),
        occupancy_percentage: Some(90),
        ..named("R-1")
    };
    let label_only = VehiclePosition {
        vehicle: Some(VehicleDescriptor { label: Some("1817".to_owned()), ..Default::default() }),
        position: Some(Position {
            latitude: f32::NAN,
            longitude: 1.0,
            bearing: Some(f32::INFINITY),
            ..Default::default()
        }),
        timestamp: Some(5),
        ..Default::default()
    };
    let from_the_future = VehiclePosition {
        position: Some(Position::default()),
        current_status: Some(77),
        occupancy_status: Some(-1),
        ..named("0018/01029")
    };
    let delay = TripUpdate {
        vehicle: Some(VehicleDescriptor { id: Some("R-1".to_owned()), ..Default::default() }),
        delay: Some(240),
        ..Default::default()
    };
    FeedMessage {
        header: header(),
        entity: vec![
            entity("1", full),
            entity("2", label_only),
            entity("3", from_the_future),
            entity("4", VehiclePosition::default()),
            FeedEntity { is_deleted: Some(true), ..entity("5", named("gone")) },
            FeedEntity { id: "6".to_owned(), trip_update: Some(delay), ..Default::default() },
        ],
    }
}

#[test]
fn entities_become_observations_one_by_one() {
    expect![[r#"
        gtfs-rt/R-1 2026-11-23T07:59:50.000Z Plain
          at 42.355991 -71.059998 bearing=0 speed_mps=3.5
          stop 70075 sequence=3
          STOPPED_AT 70075
          occupancy status=FULL percentage=90
          journey state=in_service route=Red direction=1 trip=t1 date=2026-11-23 start=25:10:00
        gtfs-rt/1817 2026-11-23T08:00:00.000Z Plain
          at no place flaw=NotFinite
          journey
        gtfs-rt/0018%2F01029 2026-11-23T08:00:00.000Z Plain
          at 0 0 flaw=NullIsland
          journey
        gtfs-rt/R-1 2026-11-23T08:00:00.000Z Plain delay_s=240
        warning bad_position entity[2].position: is not a finite number
        warning bad_field entity[2].bearing: inf is not within 0 to 360
        warning bad_position entity[3].position: 0, 0 is where broken receivers report
        warning unknown_word entity[3].current_status: 77 is no current_status
        warning unknown_word entity[3].occupancy_status: -1 is no occupancy_status
        reject missing_field entity[4].vehicle.id: the entity names no vehicle
    "#]]
    .assert_eq(&shown(&sample()));
}

#[test]
fn protobuf_json_says_the_same() {
    let message = FeedMessage {
        entity: sample().entity.into_iter().filter(|e| e.id != "2" && e.id != "3").collect(),
        ..sample()
    };
    let json = serde_json::to_vec(&message).unwrap();
    assert_eq!(print(&feeds().decode(&frame(TOPIC, &json))), shown(&message));
    let snake = br#"{"header":{"gtfs_realtime_version":"2.0","timestamp":"1795420800"},"entity":[{"id":"1","enhanced":{},
        "vehicle":{"vehicle":{"id":"R-1"},"current_status":"STOPPED_AT","stop_id":"9","occupancy_status":"BURSTING"}}]}"#;
    expect![[r#"
        gtfs-rt/R-1 2026-11-23T08:00:00.000Z Plain
          stop 9
          STOPPED_AT 9
          journey
        warning unknown_word occupancy_status: "BURSTING" is no occupancy_status
    "#]]
    .assert_eq(&print(&feeds().decode(&frame(TOPIC, snake))));
}

#[test]
fn without_any_time_an_entity_is_rejected() {
    let message =
        FeedMessage { header: FeedHeader { timestamp: None, ..header() }, entity: vec![entity("1", named("a"))] };
    expect![[r#"
        reject missing_field entity[1].timestamp: neither the entity nor the header has a time after 1999
    "#]]
    .assert_eq(&shown(&message));
}

#[test]
fn what_is_no_feed_message_is_rejected() {
    for (payload, expected) in [
        (
            &b""[..],
            expect![[r#"
            reject empty_body -: the body is empty
        "#]],
        ),
        (
            b"\x0a\x00",
            expect![[r#"
            reject missing_field header.gtfs_realtime_version: is required; an empty or foreign payload reads as a message without it
        "#]],
        ),
        (
            b"\xff\xff\xff",
            expect![[r#"
            reject unparsable -: the body is no protobuf FeedMessage: failed to decode Protobuf message: invalid varint
        "#]],
        ),
        (
            b"{}",
            expect![[r#"
            reject unparsable -: the body is no protobuf-JSON FeedMessage: missing field `header` at line 1 column 2
        "#]],
        ),
        (
            b"hello",
            expect![[r#"
            reject unparsable -: the body is no protobuf FeedMessage: failed to decode Protobuf message: unexpected end group tag
        "#]],
        ),
    ] {
        expected.assert_eq(&print(&feeds().decode(&frame(TOPIC, payload))));
    }
}

#[test]
fn thousands_of_entities_are_one_frame() {
    let entities = (0..5_000).map(|n| entity(&n.to_string(), named(&n.to_string()))).collect();
    let payload = FeedMessage { header: header(), entity: entities }.encode_to_vec();
    let decoded = feeds().decode(&frame(TOPIC, &payload));
    assert_eq!((decoded.messages.len(), decoded.problems.len()), (5_000, 0));
}

#[test]
fn an_entity_is_equal_whichever_message_it_comes_in() {
    let content = |entities: Vec<FeedEntity>| {
        let payload = FeedMessage { header: header(), entity: entities }.encode_to_vec();
        let decoded = feeds().decode(&frame(TOPIC, &payload));
        decoded.messages.iter().map(|m| if let Message::Vehicle(o) = m { o.content } else { 0 }).collect::<Vec<_>>()
    };
    let (a, b) = (entity("1", named("a")), entity("2", named("b")));
    assert_eq!(content(vec![a.clone(), b.clone()])[1], content(vec![b])[0]);
    assert_ne!(content(vec![a])[0], 0);
}

#[test]
fn the_agency_is_the_feeds() {
    let mut specs = Feeds::defaults();
    for spec in &mut specs {
        spec.agency = Some("mbta".to_owned());
    }
    let payload = FeedMessage { header: header(), entity: vec![entity("1", named("a"))] }.encode_to_vec();
    match Feeds::new("topis", specs).unwrap().decode(&frame(TOPIC, &payload)).messages.first() {
        Some(Message::Vehicle(o)) => assert_eq!(o.vehicle.to_string(), "mbta/a"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn alerts_become_incidents_and_deleted_ones_are_withdrawn() {
    let body = r#"{"header":{"gtfs_realtime_version":"2.0","timestamp":"1795420800","incrementality":"DIFFERENTIAL"},"entity":[
        {"id":"A1","alert":{"active_period":[{"start":"1795420800","end":"1795424400"},{"start":"1795507200"}],
          "informed_entity":[{"route_id":"9404","direction_id":1},{"trip":{"trip_id":"t"}},{"stop_id":"111"}],
          "cause":"MAINTENANCE","effect":"DETOUR","severity_level":"WARNING",
          "header_text":{"translation":[{"text":"Detour","language":"en"}]},
          "description_text":{"translation":[{"text":"Works","language":"en"},{"text":"공사","language":"ko"}]}}},
        {"id":"A2","alert":{"informed_entity":[{}],"header_text":{"translation":[{"text":"x"}]}}},
        {"id":"A3","is_deleted":true}]}"#;
    expect![[r#"
        INCIDENT gtfs-rt/A1 road_works active actual severity=moderate effect=DETOUR title="Detour" subkind=MAINTENANCE
          affects route=9404 direction=1
          affects trip=t
          affects stop=111
          period start=2026-11-23T08:00:00.000Z end=2026-11-23T09:00:00.000Z
          period start=2026-11-24T08:00:00.000Z
          text[en]="Works"
          text[ko]="공사"
          public_text[en]="Works"
          public_text[ko]="공사"
        withdrawn gtfs-rt/A3
        reject missing_field entity[A2].informed_entity: names no agency, route, trip or stop: nobody knows whom the alert concerns
    "#]].assert_eq(&show::shown("topis/v1/gtfs-rt/city/alerts", body));
}
