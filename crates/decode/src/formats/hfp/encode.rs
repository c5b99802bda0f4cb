//! The other direction: an observation as HFP version 2. The simulator speaks with it.

use std::{fmt, fmt::Write as _};

use serde::Serialize;
use transit::{
    Coordinate, Journey, JourneyState, Mode, Observation, PositionSource, ServiceDate, ServiceTime, StopStatus,
    UtcMillis, Word,
};

use super::HfpEvent;
use crate::text::Text;

const NEVER_FULL: &str = "a string takes all text";

/// What HFP says beside the observation itself.
#[derive(Debug, Clone)]
pub struct Sent<'a> {
    /// The event type.
    pub event: HfpEvent,
    /// Where the trip goes, as the front of the vehicle says; slashes become blanks.
    pub headsign: &'a str,
    /// The number passengers know the route by.
    pub desi: &'a str,
    /// The operator's internal number of the trip.
    pub jrn: Option<u32>,
}

/// What a device remembers of its last topic on a trip, from which it tells how much of the place changed.
#[derive(Debug, Clone, Default)]
pub struct LastTopic {
    head: String,
    at: Option<Coordinate>,
}

/// The topic and body of one message; `last` is the sending device's and is brought up to date. Signed-off vehicles
/// and those on no trip get the short topic. HFP has no layover: a vehicle between two trips runs empty.
pub fn encode(o: &Observation, sent: &Sent<'_>, last: &mut LastTopic) -> (String, Vec<u8>) {
    let (journey, temporal) = match (&o.upcoming, &o.journey) {
        (Some(next), None) => (Some(next), "upcoming"),
        (_, now) => (now.as_ref(), "ongoing"),
    };
    let journey_type = match journey.and_then(|j| j.state) {
        Some(JourneyState::Deadrun | JourneyState::Layover) => "deadrun",
        // A trip's own sign-off is said on the trip's topic.
        Some(JourneyState::SignedOff) if sent.event != HfpEvent::Vjout => "signoff",
        Some(JourneyState::SignedOff | JourneyState::InService | JourneyState::Upcoming) | None => "journey",
    };
    let (event, mode) = (sent.event.word(), o.mode.map_or("", mode_level));
    let mut topic = String::with_capacity(128);
    write!(topic, "/hfp/v2/{journey_type}/{temporal}/{event}/{mode}/{}", o.vehicle).expect(NEVER_FULL);
    let counts = matches!(sent.event, HfpEvent::Apc | HfpEvent::ApcPartial);
    if journey_type == "journey" && !counts {
        push_trip(&mut topic, o, journey, sent.headsign);
        push_geohash(&mut topic, o.position.as_ref().and_then(|fix| fix.coordinate), last);
    }
    let key = if counts { "apc" } else { event };
    let mut bytes = Vec::with_capacity(448);
    bytes.extend_from_slice(b"{\"");
    bytes.extend(key.bytes().map(|byte| byte.to_ascii_uppercase()));
    bytes.extend_from_slice(b"\":");
    serde_json::to_writer(&mut bytes, &SentBody::of(o, journey, sent)).expect("numbers and texts are JSON");
    bytes.push(b'}');
    (topic, bytes)
}

fn push_trip(topic: &mut String, o: &Observation, journey: Option<&Journey>, headsign: &str) {
    let route = journey.and_then(|j| j.route_id.as_ref()).map_or("", |r| r.as_str());
    let direction = journey.and_then(|j| j.direction_id).map_or("", direction_word);
    let headsign = headsign.replace('/', " ");
    write!(topic, "/{route}/{direction}/{headsign}/").expect(NEVER_FULL);
    if let Some(start) = journey.and_then(|j| j.start_time) {
        write!(topic, "{}", Clock(start)).expect(NEVER_FULL);
    }
    let next = o.stop.as_ref().map_or("", |s| s.stop_id.as_ref().map_or("EOL", |id| id.as_str()));
    write!(topic, "/{next}/").expect(NEVER_FULL);
}

/// GTFS counts directions from 0, HFP from 1.
fn direction_word(direction_id: u8) -> &'static str {
    if direction_id == 0 { "1" } else { "2" }
}

fn mode_level(mode: Mode) -> &'static str {
    match mode {
        Mode::Rail => "train",
        Mode::Unknown => "",
        Mode::Tram
        | Mode::Metro
        | Mode::Bus
        | Mode::Ferry
        | Mode::CableTram
        | Mode::AerialLift
        | Mode::Funicular
        | Mode::Trolleybus
        | Mode::Monorail
        | Mode::Taxi => mode.word(),
    }
}

/// `HH:MM` on a 24 h clock: HFP has no time past midnight of the operating day.
struct Clock(ServiceTime);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.0 / 3600 % 24, self.0.0 / 60 % 60)
    }
}

/// What stands in the one object of the body, unknown values as null.
#[derive(Serialize)]
struct SentBody<'a> {
    desi: Option<&'a str>,
    dir: Option<&'static str>,
    oper: Option<u32>,
    veh: Option<u32>,
    tst: Text<UtcMillis>,
    tsi: i64,
    spd: Option<f32>,
    hdg: Option<u16>,
    lat: Option<f64>,
    long: Option<f64>,
    acc: Option<f32>,
    dl: Option<i32>,
    odo: Option<i64>,
    drst: Option<u8>,
    oday: Option<Text<ServiceDate>>,
    jrn: Option<u32>,
    line: Option<u32>,
    start: Option<Text<Clock>>,
    loc: &'static str,
    stop: Option<NumberOrText<'a>>,
    route: Option<&'a str>,
    occu: Option<u32>,
    #[serde(rename = "dr-type", skip_serializing_if = "Option::is_none")]
    dr_type: Option<u8>,
}

impl<'a> SentBody<'a> {
    fn of(o: &'a Observation, journey: Option<&'a Journey>, sent: &Sent<'a>) -> Self {
        let fix = o.position.as_ref();
        let at = fix.and_then(|f| f.coordinate);
        let route = journey.and_then(|j| j.route_id.as_ref()).map(|r| r.as_str());
        let number = |text: &str| text.parse::<u32>().ok();
        // On the way, the topic's next stop says all.
        let stop = o.stop_status.as_ref().filter(|s| s.status == StopStatus::StoppedAt);
        let by_driver = matches!(
            sent.event,
            HfpEvent::Da | HfpEvent::Dout | HfpEvent::Ba | HfpEvent::Bout | HfpEvent::Vja | HfpEvent::Vjout
        );
        Self {
            desi: route.map(|_| sent.desi),
            dir: journey.and_then(|j| j.direction_id).map(direction_word),
            // Who runs the trip; without one nobody does.
            oper: route.and_then(|_| number(o.vehicle.agency.as_str())),
            veh: number(o.vehicle.vehicle.as_str()),
            tst: Text(o.event_time),
            tsi: o.event_time.0.div_euclid(1_000),
            spd: fix.and_then(|f| f.speed_mps),
            hdg: fix.and_then(|f| f.bearing).map(|b| b.round() as u16 % 360),
            lat: at.map(Coordinate::lat),
            long: at.map(Coordinate::lon),
            acc: None,
            // HFP counts earliness: late is negative.
            dl: o.delay_s.map(|late| -late),
            odo: fix.and_then(|f| f.odometer_m).map(|m| m.round() as i64),
            drst: o.doors_open.map(u8::from),
            oday: journey.and_then(|j| j.service_date).map(Text),
            jrn: sent.jrn.filter(|_| route.is_some()),
            line: None,
            start: journey.and_then(|j| j.start_time).map(|start| Text(Clock(start))),
            loc: fix.and_then(|f| f.source).map_or("N/A", location_word),
            stop: stop.and_then(|s| s.stop_id.as_ref()).map(|id| NumberOrText::of(id.as_str())),
            route,
            occu: o.occupancy.as_ref().and_then(|p| p.percentage).map(|p| p.min(100)),
            dr_type: by_driver.then_some(1),
        }
    }
}

/// A stop id: a number where nothing is lost by that.
#[derive(Serialize)]
#[serde(untagged)]
enum NumberOrText<'a> {
    Number(u64),
    Text(&'a str),
}

impl<'a> NumberOrText<'a> {
    fn of(text: &'a str) -> Self {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        match text.parse() {
            Ok(number) if digits => Self::Number(number),
            _ => Self::Text(text),
        }
    }
}

fn location_word(source: PositionSource) -> &'static str {
    match source {
        PositionSource::Gps => "GPS",
        PositionSource::Odometer => "ODO",
        PositionSource::Manual => "MAN",
        PositionSource::DeadReckoning => "DR",
        PositionSource::TrackCircuit | PositionSource::Stop | PositionSource::Unknown => "N/A",
    }
}

/// Appends the geohash level and levels: whole degrees, then the first three decimals of both, interleaved and
/// truncated. The level is the highest decimal that changed since the last message; 0 when a whole degree or anything
/// else in the topic did, and where there is no position now or was none then.
fn push_geohash(topic: &mut String, at: Option<Coordinate>, last: &mut LastTopic) {
    let previous = if last.head == *topic {
        last.at
    } else {
        last.head.clone_from(topic);
        None
    };
    last.at = at;
    let Some(at) = at else {
        topic.push_str("0////");
        return;
    };
    let digits = |c: Coordinate| (decimals(c.lat()), decimals(c.lon()));
    let (lat, lon) = digits(at);
    let level = previous.map_or(0, |before| {
        let (old_lat, old_lon) = digits(before);
        let changed = |i: usize| lat[i] != old_lat[i] || lon[i] != old_lon[i];
        (0..lat.len()).find(|i| changed(*i)).unwrap_or(lat.len() - 1)
    });
    write!(topic, "{level}/{};{}/{}{}/{}{}/{}{}", lat[0], lon[0], lat[1], lon[1], lat[2], lon[2], lat[3], lon[3])
        .expect(NEVER_FULL);
}

/// Whole degrees and the first five decimals, truncated towards zero.
fn decimals(degrees: f64) -> [i64; 6] {
    // In whole micro-degrees, because 60.001 is a little less than that in binary and truncation would show it.
    let micro = (degrees * 1e6).round() as i64;
    let (whole, rest) = (micro / 1_000_000, (micro % 1_000_000).abs());
    [whole, rest / 100_000, rest / 10_000 % 10, rest / 1_000 % 10, rest / 100 % 10, rest / 10 % 10]
}

#[cfg(test)]
mod tests {
    use super::*;

    use expect_test::expect;
    use transit::{FeedId, Fix, Occupancy, RouteId, Significance, StopId, StopReference, StopStatusReport, VehicleKey};

    fn at(lat: f64, lon: f64) -> Option<Coordinate> {
        Coordinate::parse(lat, lon).ok()
    }

    #[test]
    fn geohashes_are_truncated_and_name_the_highest_changed_decimal() {
        let mut last = LastTopic::default();
        let mut geohash = |head: &str, at| {
            let mut topic = head.to_owned();
            push_geohash(&mut topic, at, &mut last);
            topic
        };
        assert_eq!(geohash("a/", at(60.237_024, 25.081_113)), "a/0/60;25/20/38/71");
        assert_eq!(geohash("a/", at(60.237_03, 25.081_113)), "a/5/60;25/20/38/71");
        assert_eq!(geohash("a/", at(60.237_03, 25.091_113)), "a/2/60;25/20/39/71");
        assert_eq!(geohash("b/", at(60.237_03, 25.091_113)), "b/0/60;25/20/39/71");
        assert_eq!(geohash("b/", at(59.999_999, 25.0)), "b/0/59;25/90/90/90");
        assert_eq!(geohash("b/", None), "b/0////");
        assert_eq!(geohash("b/", at(60.0, 25.0)), "b/0/60;25/00/00/00");
    }

    fn observation() -> Observation {
        let stop_id = StopId::parse("10040").ok();
        Observation {
            vehicle: VehicleKey::parse("0012/00031").unwrap(),
            feed: FeedId::parse("hfp").unwrap(),
            event_time: UtcMillis(1_795_420_800_123),
            boot: None,
            seq: None,
            significance: Significance::Event,
            content: 0,
            mode: Some(Mode::Bus),
            position: Some(Fix {
                bearing: Some(359.7),
                speed_mps: Some(8.25),
                odometer_m: Some(1234.0),
                source: Some(PositionSource::Gps),
                ..Fix::at(37.566_612, 126.978_041)
            }),
            doors_open: Some(true),
            stop: Some(StopReference { stop_id: stop_id.clone(), current_stop_sequence: None }),
            stop_status: Some(StopStatusReport { stop_id, status: StopStatus::StoppedAt }),
            delay_s: Some(95),
            occupancy: Some(Occupancy { status: None, percentage: Some(0) }),
            journey: Some(Journey {
                state: Some(JourneyState::InService),
                route_id: RouteId::parse("101").ok(),
                direction_id: Some(0),
                service_date: ServiceDate::parse("2026-11-23").ok(),
                start_time: Some(ServiceTime(88_800)),
                ..Journey::default()
            }),
            upcoming: None,
            retained: false,
        }
    }

    fn written(o: &Observation, event: HfpEvent) -> String {
        let sent = Sent { event, headsign: "Itä Park (M)", desi: "101", jrn: Some(12) };
        let (topic, body) = encode(o, &sent, &mut LastTopic::default());
        format!("{topic} {}", String::from_utf8(body).unwrap())
    }

    #[test]
    fn the_delay_is_turned_and_clock_times_stay_below_24_hours() {
        expect![[r#"/hfp/v2/journey/ongoing/doo/bus/0012/00031/101/1/Itä Park (M)/00:40/10040/0/37;126/59/67/68 {"DOO":{"desi":"101","dir":"1","oper":12,"veh":31,"tst":"2026-11-23T08:00:00.123Z","tsi":1795420800,"spd":8.25,"hdg":0,"lat":37.566612,"long":126.978041,"acc":null,"dl":-95,"odo":1234,"drst":1,"oday":"2026-11-23","jrn":12,"line":null,"start":"00:40","loc":"GPS","stop":10040,"route":"101","occu":0}}"#]].assert_eq(&written(&observation(), HfpEvent::Doo));
    }

    #[test]
    fn a_vehicle_between_two_trips_runs_empty_and_names_no_operator() {
        let journey = Some(Journey { state: Some(JourneyState::Layover), ..Journey::default() });
        let o = Observation { journey, stop: None, stop_status: None, delay_s: None, occupancy: None, ..observation() };
        expect![[r#"/hfp/v2/deadrun/ongoing/vp/bus/0012/00031 {"VP":{"desi":null,"dir":null,"oper":null,"veh":31,"tst":"2026-11-23T08:00:00.123Z","tsi":1795420800,"spd":8.25,"hdg":0,"lat":37.566612,"long":126.978041,"acc":null,"dl":null,"odo":1234,"drst":1,"oday":null,"jrn":null,"line":null,"start":null,"loc":"GPS","stop":null,"route":null,"occu":null}}"#]].assert_eq(&written(&o, HfpEvent::Vp));
    }

    #[test]
    fn stop_ids_that_are_no_plain_numbers_stay_texts() {
        for (id, expected) in [("10040", "10040"), ("0040", "\"0040\""), ("+4", "\"+4\""), ("A1", "\"A1\"")] {
            assert_eq!(serde_json::to_string(&NumberOrText::of(id)).unwrap(), expected);
        }
    }
}
