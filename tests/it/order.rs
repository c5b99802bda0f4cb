//! Order by content, not by arrival: whatever order and however often the same messages come, after any number of them
//! the newest value and the order key of every field group are the same.
//!
//! Real decoder and real picture, in one process, from the bytes on the wire.

use std::collections::BTreeMap;

use decode::{Feeds, Frame, Message};
use picture::{Freshness, Group, OrderKey, Picture, PictureOptions, Quality, Tally, VehicleRecord};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tests::{
    load::{Dice, seed},
    recordings,
};
use transit::{Now, Observation, UtcMillis, VehicleKey};

/// What the claim is about: who owns each field group, and what is shown of it.
type Newest = BTreeMap<VehicleKey, (Vec<Option<OrderKey>>, VehicleRecord)>;

/// A picture being folded, at an instant after every stamp.
struct Folding {
    picture: Picture,
    tally: Tally,
    now: Now,
}

impl Folding {
    fn new(now: UtcMillis) -> Self {
        Self {
            picture: Picture::new(PictureOptions::default()),
            tally: Tally::new(),
            now: Now { utc: now, mono_ms: 1_000_000 },
        }
    }

    fn fold(&mut self, observation: &Observation) {
        self.picture.fold(observation, self.now, &mut self.tally);
    }

    fn newest<'a>(&self, vehicles: impl IntoIterator<Item = &'a VehicleKey>) -> Newest {
        let of = |key: &VehicleKey| {
            let detail = self.picture.detail(key, self.now)?;
            let owners = Group::ALL.iter().map(|group| detail.order_keys.find(*group)).collect();
            Some((key.clone(), (owners, without_arrival((*detail.regular).clone()))))
        };
        vehicles.into_iter().filter_map(of).collect()
    }
}

/// Trail, flags, clock offset, receive time and freshness depend on arrival and are outside the claim.
fn without_arrival(record: VehicleRecord) -> VehicleRecord {
    VehicleRecord {
        received_at: UtcMillis(0),
        offset_ms: 0,
        freshness: Freshness::Lost,
        quality: Quality::default(),
        revision: 0,
        ..record
    }
}

fn feeds() -> Feeds {
    Feeds::new("topis", Feeds::defaults()).expect("the default feeds are valid")
}

fn observations(feeds: &Feeds, topic: &str, payload: &[u8], received_at: UtcMillis) -> Vec<Observation> {
    let frame = Frame { topic, payload, retained: false, dup: false, received_at };
    let vehicle = |message| if let Message::Vehicle(observation) = message { Some(observation) } else { None };
    feeds.decode(&frame).messages.into_iter().filter_map(vehicle).collect()
}

/// The first `length` messages, each one to three times, in an order of the dice's.
fn mixed<'a>(messages: &'a [Observation], length: usize, dice: &mut Dice) -> Vec<&'a Observation> {
    let mut mixed: Vec<&Observation> =
        messages[..length].iter().flat_map(|m| std::iter::repeat_n(m, 1 + dice.below(3))).collect();
    for last in (1..mixed.len()).rev() {
        mixed.swap(last, dice.below(last + 1));
    }
    mixed
}

/// Folds as given, and at every `step`th message compares with a mixed folding of the same messages.
fn assert_order_is_by_content(messages: &[Observation], step: usize, seed: u64) {
    let mut dice = Dice::new(seed);
    let latest = messages.iter().map(|m| m.event_time).max().unwrap_or(UtcMillis(0));
    let now = latest.plus_millis(1_000);
    let mut given = Folding::new(now);
    let mut heard = std::collections::BTreeSet::new();
    for (number, message) in messages.iter().enumerate() {
        given.fold(message);
        heard.insert(message.vehicle.clone());
        let length = number + 1;
        if length % step != 0 && length != messages.len() {
            continue;
        }
        let mut other = Folding::new(now);
        for message in mixed(messages, length, &mut dice) {
            other.fold(message);
        }
        let (given, other) = (given.newest(&heard), other.newest(&heard));
        if given != other {
            let differ = given.iter().find(|(key, newest)| other.get(*key) != Some(newest));
            let there = differ.and_then(|(key, _)| other.get(key));
            panic!("seed {seed}, after {length} messages:\n  as given {differ:#?}\n  mixed {there:#?}");
        }
    }
}

fn recording_in_any_order(path: &str, expected_vehicles: Option<usize>) {
    let Some(path) = recordings::find(path) else { return };
    let feeds = feeds();
    let messages: Vec<Observation> = recordings::lines(&path)
        .iter()
        .flat_map(|line| observations(&feeds, &line.topic, line.payload.as_bytes(), UtcMillis(4_000_000_000_000)))
        .collect();
    assert_order_is_by_content(&messages, 10, seed());
    if let Some(expected) = expected_vehicles {
        let vehicles: std::collections::BTreeSet<_> = messages.iter().map(|m| &m.vehicle).collect();
        assert_eq!(vehicles.len(), expected);
    }
}

#[test]
fn every_tenth_prefix_of_a_fleet_s_burst_is_one_picture_in_any_order() {
    recording_in_any_order("hfp/hsl-v1-fleet-burst-5000.txt", Some(1_460));
}

#[test]
fn every_tenth_prefix_of_the_v2_recordings_is_one_picture_in_any_order() {
    for name in ["v2-currentStopNull", "v2-serviceJourneyChangeSameStop", "v2-stopChange"] {
        recording_in_any_order(&format!("hfp/{name}/hfp.dump"), None);
    }
}

/// One field that may be absent, null, or one of a few values, so that ties and repeats are common.
fn field(key: &'static str, values: &'static [&'static str]) -> impl Strategy<Value = Option<(String, Value)>> {
    prop_oneof![
        2 => Just(None),
        1 => Just(Some((key.to_owned(), Value::Null))),
        4 => proptest::sample::select(values)
            .prop_map(move |text| Some((key.to_owned(), serde_json::from_str(text).expect("the tables hold JSON")))),
    ]
}

/// A message of one of three vehicles within four seconds: nulls, equal stamps, event messages (no position), missing
/// `seq`, reboots.
fn native() -> impl Strategy<Value = (String, Vec<u8>)> {
    let time = proptest::sample::select(vec!["00.000", "00.500", "01.000", "02.000", "03.000"]);
    let place = prop_oneof![
        1 => Just(None),
        4 => (0..4_i32, 0..4_i32)
            .prop_map(|(a, b)| Some((37.5 + f64::from(a) * 1e-4, 127.0 + f64::from(b) * 1e-4))),
    ];
    let fields = vec![
        field("seq", &["0", "1", "2", "9"]).boxed(),
        field("boot", &["1", "2"]).boxed(),
        field("doors_open", &["true", "false"]).boxed(),
        field("stop_id", &["\"s1\"", "\"s2\""]).boxed(),
        field("current_status", &["\"STOPPED_AT\"", "\"in_transit_to\""]).boxed(),
        field("delay_s", &["-30", "0", "120"]).boxed(),
        field("occupancy_status", &["\"FULL\"", "\"EMPTY\""]).boxed(),
        field("route_id", &["\"402\"", "\"720\""]).boxed(),
        field("trip_id", &["\"t1\"", "\"t2\""]).boxed(),
        field("journey_state", &["\"in_service\"", "\"upcoming\"", "\"signed_off\"", "\"layover\""]).boxed(),
        field("bearing", &["0", "90.5"]).boxed(),
        field("mode", &["\"bus\"", "\"metro\""]).boxed(),
    ];
    (0..3_u8, time, place, fields).prop_map(|(vehicle, second, place, fields)| {
        let mut body: Map<String, Value> = fields.into_iter().flatten().collect();
        body.insert("event_time".to_owned(), json!(format!("2026-11-24T08:00:{second}Z")));
        if let Some((lat, lon)) = place {
            body.extend([("lat".to_owned(), json!(lat)), ("lon".to_owned(), json!(lon))]);
        }
        (format!("topis/v1/vehicle/22/{vehicle}/position"), Value::Object(body).to_string().into_bytes())
    })
}

/// The same for HFP, whose events and upcoming trips are told by the topic.
fn hfp() -> impl Strategy<Value = (String, Vec<u8>)> {
    let event = proptest::sample::select(vec!["vp", "due", "ars", "doo", "doc", "dep", "pas", "vja", "vjout", "wait"]);
    let temporal = proptest::sample::select(vec!["ongoing", "ongoing", "upcoming"]);
    let stop = proptest::sample::select(vec!["1130110", "1130112", "EOL", ""]);
    let time = proptest::sample::select(vec!["00.000", "00.500", "01.000", "02.000"]);
    let fields = vec![
        field("lat", &["60.1", "60.2"]).boxed(),
        field("drst", &["0", "1"]).boxed(),
        field("dl", &["-112", "0", "20"]).boxed(),
        field("occu", &["0", "100"]).boxed(),
    ];
    (event, temporal, stop, time, fields).prop_map(|(event, temporal, stop, second, fields)| {
        let mut body: Map<String, Value> = fields.into_iter().flatten().collect();
        body.extend([
            ("tst".to_owned(), json!(format!("2026-11-24T08:00:{second}Z"))),
            (
                "long".to_owned(),
                body.get("lat").map_or(Value::Null, |lat| if lat.is_null() { Value::Null } else { json!(24.9) }),
            ),
            ("oday".to_owned(), json!("2026-11-24")),
            ("start".to_owned(), json!("10:00")),
            ("dir".to_owned(), json!("1")),
        ]);
        let key = event.to_uppercase();
        let topic =
            format!("/hfp/v2/journey/{temporal}/{event}/bus/0012/01913/4400/1/Kamppi/10:00/{stop}/4/60;24/19/72/15");
        (topic, json!({ key: body }).to_string().into_bytes())
    })
}

fn assert_frames(frames: &[(String, Vec<u8>)], seed: u64) {
    let feeds = feeds();
    let received_at = UtcMillis::parse_rfc3339("2026-11-24T08:00:05Z").expect("a time");
    let messages: Vec<Observation> =
        frames.iter().flat_map(|(topic, body)| observations(&feeds, topic, body, received_at)).collect();
    assert_eq!(messages.len(), frames.len(), "the generator makes readable messages only");
    assert_order_is_by_content(&messages, 1, seed);
}

proptest! {
    /// 256 cases, or as many as PROPTEST_CASES says.
    #[test]
    fn native_messages_end_in_one_picture_in_any_order(
        frames in proptest::collection::vec(native(), 1..14), seed: u64,
    ) {
        assert_frames(&frames, seed);
    }

    #[test]
    fn hfp_messages_end_in_one_picture_in_any_order(frames in proptest::collection::vec(hfp(), 1..14), seed: u64) {
        assert_frames(&frames, seed);
    }
}
