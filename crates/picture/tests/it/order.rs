//! Any permutation with any duplication of the same messages ends in the same picture, at every prefix.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use picture::{Folded, Freshness, Group, GroupKeys, OrderKey, Picture, PictureOptions, Quality, Tally, VehicleRecord};
use proptest::{collection::vec, option, prelude::*, sample::select};
use transit::{
    Fix, Journey, JourneyState, Mode, Observation, Occupancy, RouteId, Significance, StopId, StopReference, StopStatus,
    StopStatusReport, TripId, UtcMillis, VehicleKey,
};

use crate::stage::{Stage, feed, instant, message, utc};

/// Few stamps, stops and trips, so that messages collide.
fn observations() -> impl Strategy<Value = Observation> {
    let identity = (select(vec!["1", "2", "3"]), select(vec!["f", "g"]), 0..6_i64);
    let order = (option::of(0..3_u64), option::of(0..3_u64), any::<bool>(), any::<bool>());
    let place = (option::of((60.0..60.001, 24.9..24.901_f64)), option::of(any::<bool>()), option::of(-60..600_i32));
    let at = (option::of(stops()), option::of((stops(), 0..3_usize)), option::of(0..9_u32));
    let doing = (option::of(journeys()), option::of(journeys()), option::of(select(vec![Mode::Bus, Mode::Tram])));
    (identity, order, place, at, doing).prop_map(|(identity, order, place, at, doing)| {
        let mut o = message(identity.0, 0.0);
        o.feed = feed(identity.1);
        o.event_time = utc(identity.2 as f64);
        (o.boot, o.seq) = (order.0, order.1);
        o.significance = if order.2 { Significance::Event } else { Significance::Plain };
        o.retained = order.3 && order.2;
        o.position = place.0.map(|(lat, lon)| Fix::at(lat, lon));
        (o.doors_open, o.delay_s) = (place.1, place.2);
        o.stop = at.0.map(|stop_id| StopReference { stop_id, current_stop_sequence: None });
        o.stop_status = at.1.map(|(stop_id, n)| StopStatusReport {
            stop_id,
            status: [StopStatus::IncomingAt, StopStatus::StoppedAt, StopStatus::InTransitTo][n],
        });
        o.occupancy = at.2.map(|percentage| Occupancy { status: None, percentage: Some(percentage) });
        (o.journey, o.upcoming, o.mode) = doing;
        // A hash of the content as a decoder makes it: the feed and the retained flag are not part of a payload.
        let content = Observation { feed: feed("f"), retained: false, ..o.clone() };
        let mut hasher = DefaultHasher::new();
        format!("{content:?}").hash(&mut hasher);
        o.content = hasher.finish();
        o
    })
}

fn stops() -> impl Strategy<Value = Option<StopId>> {
    select(vec![None, Some("s1"), Some("s2")]).prop_map(|id| id.map(|id| StopId::parse(id).unwrap()))
}

fn journeys() -> impl Strategy<Value = Journey> {
    let states = vec![None, Some(JourneyState::InService), Some(JourneyState::SignedOff)];
    (select(states), select(vec![None, Some("t1"), Some("t2")])).prop_map(|(state, trip)| Journey {
        state,
        route_id: Some(RouteId::parse("r").unwrap()),
        trip_id: trip.map(|t| TripId::parse(t).unwrap()),
        ..Journey::default()
    })
}

/// What the order says of a vehicle: owners and values, what depends on arrival blanked.
type Newest = BTreeMap<VehicleKey, (GroupKeys, VehicleRecord)>;

fn newest(picture: &Picture, messages: &[Observation]) -> Newest {
    let keys = messages.iter().map(|o| o.vehicle.clone());
    keys.map(|key| {
        let detail = picture.detail(&key, instant(10.0)).unwrap();
        let record = VehicleRecord {
            received_at: UtcMillis(0),
            offset_ms: 0,
            freshness: Freshness::Live,
            quality: Quality::default(),
            ..(*detail.regular).clone()
        };
        (key, (detail.order_keys, record))
    })
    .collect()
}

fn fold_all(messages: &[Observation]) -> Newest {
    let picture = Picture::new(PictureOptions::default());
    for o in messages {
        picture.fold(o, instant(10.0), &mut Tally::new());
    }
    newest(&picture, messages)
}

/// The owner of a group by the definition: the greatest key of all messages that speak of it.
fn owner(messages: &[Observation], key: &VehicleKey, group: Group) -> Option<OrderKey> {
    let speaks = |o: &&Observation| match group {
        Group::Heard => true,
        Group::Position => o.position.is_some(),
        Group::Doors => o.doors_open.is_some(),
        Group::Stop => o.stop.is_some(),
        Group::StopStatus => o.stop_status.is_some(),
        Group::Delay => o.delay_s.is_some(),
        Group::Occupancy => o.occupancy.is_some(),
        Group::Journey => o.journey.is_some(),
        Group::Upcoming => o.upcoming.is_some(),
        Group::Mode => o.mode.is_some(),
    };
    messages.iter().filter(|o| o.vehicle == *key).filter(speaks).map(OrderKey::of).max()
}

/// The plain values by the definition: those of each group's owner.
fn check_values(messages: &[Observation], key: &VehicleKey, record: &VehicleRecord) {
    let of = |group| {
        let owner = owner(messages, key, group)?;
        messages.iter().find(|o| o.vehicle == *key && OrderKey::of(o) == owner)
    };
    assert_eq!(of(Group::Heard).map(|o| o.event_time), Some(record.event_time));
    assert_eq!(of(Group::Position).and_then(|o| o.position.clone()?.coordinate), record.coordinate);
    assert_eq!(of(Group::Position).map(|o| o.event_time), record.position_event_time);
    assert_eq!(of(Group::Doors).and_then(|o| o.doors_open), record.doors_open);
    assert_eq!(of(Group::Delay).and_then(|o| o.delay_s), record.delay_s);
    assert_eq!(of(Group::Stop).and_then(|o| o.stop.clone()).unwrap_or_default(), record.stop);
    assert_eq!(of(Group::Occupancy).and_then(|o| o.occupancy.clone()).unwrap_or_default(), record.occupancy);
    assert_eq!(of(Group::Mode).and_then(|o| o.mode).unwrap_or(Mode::Unknown), record.mode);
    assert_eq!(of(Group::Journey).and_then(|o| o.journey.clone()?.state), record.journey.state);
}

fn config() -> ProptestConfig {
    // The default reads PROPTEST_CASES; a failure prints its case, which belongs into a test of its own.
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_prefix_of_every_arrival_ends_in_the_same_picture(
        messages in vec(observations(), 1..10),
        arrival in vec(any::<prop::sample::Index>(), 1..24),
    ) {
        let picture = Picture::new(PictureOptions::default());
        let arrived: Vec<Observation> = arrival.iter().map(|at| at.get(&messages).clone()).collect();
        let mut tally = Tally::new();
        for (n, o) in arrived.iter().enumerate() {
            picture.fold(o, instant(10.0 + n as f64), &mut tally);
            let prefix = &arrived[..=n];
            let found = newest(&picture, prefix);
            for (key, (keys, record)) in &found {
                for group in Group::ALL {
                    prop_assert_eq!(keys.find(group), owner(prefix, key, group), "{:?} of {}", group, key);
                }
                check_values(prefix, key, record);
            }
            // Derived values too: the same set, sorted, without copies.
            let mut sorted = prefix.to_vec();
            sorted.sort_by_key(|o| (OrderKey::of(o), o.feed.clone()));
            sorted.dedup();
            prop_assert_eq!(&found, &fold_all(&sorted));
            sorted.reverse();
            prop_assert_eq!(&found, &fold_all(&sorted));
        }
    }

    #[test]
    fn a_copy_changes_nothing_and_is_counted(messages in vec(observations(), 1..8)) {
        let mut stage = Stage::new(PictureOptions::default());
        stage.at(10.0);
        for o in &messages {
            stage.say(o);
            stage.publish();
            let copy = stage.say(o);
            prop_assert!(!copy.changed(), "{:?}", copy);
            prop_assert_eq!(stage.publish().upserts.len(), 0);
        }
    }
}

#[test]
fn a_position_with_doors_closed_and_a_door_event_of_the_same_millisecond_are_both_kept() {
    let position =
        Observation { doors_open: Some(false), content: u64::MAX, ..crate::stage::position("1", 0.0, 60.0, 25.0) };
    let doors = Observation { doors_open: Some(true), significance: Significance::Event, ..message("1", 0.0) };
    for both in [[&position, &doors], [&doors, &position]] {
        let mut stage = Stage::new(PictureOptions::default());
        for o in both {
            stage.say(o);
        }
        let shown = stage.shown("1");
        assert_eq!((shown.doors_open, shown.coordinate.map(|c| c.lat())), (Some(true), Some(60.0)));
    }
}

#[test]
fn what_became_of_a_message_is_told_and_counted() {
    let mut stage = Stage::new(PictureOptions::default());
    stage.at(10.0);
    let doors = Observation { doors_open: Some(true), ..message("1", 3.0) };
    let told = [
        stage.say(&message("1", 5.0)),
        stage.say(&message("1", 5.0)),
        stage.say(&message("1", 4.0)),
        stage.say(&message("1", 4.0)),
        stage.say(&doors),
        stage.say(&doors),
        stage.say(&message("1", 6.0)),
        stage.say(&message("1", 4000.0)),
    ];
    use Folded::{Advanced, Ahead, Duplicate, Filled, Older};
    assert_eq!(told, [Advanced, Duplicate, Older, Duplicate, Filled, Duplicate, Advanced, Ahead]);
    stage.tally().reject(&feed("f"), instant(10.0));
    stage.tally().warn(&feed("f"));
    let record = stage.publish().feeds[&feed("f")].clone();
    assert_eq!((record.received, record.duplicates, record.out_of_order), (9, 3, 2));
    assert_eq!((record.rejected, record.warned), (1, 1));
}
