//! Rounds of one alert, in text: the fleet of a second in, the lines of the file out.

use alert::{AlarmKind, CloseReason, Closing, Evidence, OperatorAlert, Subject};
use expect_test::{Expect, expect};
use picture::{Freshness, VehicleRecord};
use transit::{Coordinate, FeedId, Status};

use super::*;

const T0: UtcMillis = UtcMillis(1_795_420_800_000);
const CONFIG: EvidenceConfig = EvidenceConfig {
    enabled: true,
    radius_m: 2_000.0,
    vehicles_max: 3,
    before_minutes: 60,
    after_minutes: 30,
    bytes_per_hour: 1_000_000,
};

fn now(second: i64) -> Now {
    Now { utc: T0.plus_millis(second * 1000), mono_ms: u64::try_from(second * 1000).unwrap() }
}

fn panic_of(vehicle: &str) -> Alert {
    let said = OperatorAlert {
        subject: Subject::Vehicle(key(vehicle)),
        kind: AlarmKind::Panic,
        priority: None,
        status: Status::Actual,
        text: None,
        covert: None,
        lat: None,
        lon: None,
        expires_at: None,
    };
    Alert::reported(AlertId { date: 20_261_123, number: 417 }, &said, now(0))
}

fn key(vehicle: &str) -> VehicleKey {
    VehicleKey::parse(&format!("22/{vehicle}")).unwrap()
}

/// `800 at 500`: a vehicle 500 m north, heard this second; `800 lost`, `800 nowhere`.
fn fleet(script: &str, second: i64) -> View {
    let vehicle = |words: &str| {
        let parts: Vec<&str> = words.trim().split(' ').collect();
        let mut record = VehicleRecord::unknown(key(parts[0]), FeedId::parse("native").unwrap());
        record.event_time = T0.plus_millis(second * 1000);
        record.received_at = record.event_time;
        record.position_event_time = Some(record.event_time);
        record.freshness = Freshness::Live;
        record.revision = u64::try_from(second).unwrap() + 1;
        let metres = match parts[1] {
            "at" => Some(parts[2].parse::<f64>().unwrap()),
            "lost" => Some(0.0),
            _ => None,
        };
        if parts[1] == "lost" {
            record.freshness = Freshness::Lost;
        }
        record.coordinate = metres.map(|metres| Coordinate::parse(60.0 + metres / 111_195.0, 25.0).unwrap());
        record
    };
    script.split(',').filter(|words| !words.trim().is_empty()).map(vehicle).collect()
}

/// The file as a test reads it: the words that tell lines apart.
fn shown(text: &[u8]) -> String {
    let mut told = String::new();
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let second = |at: UtcMillis| at.since(T0) / 1000;
        told.push_str(&match Line::parse(line).unwrap() {
            Line::Evidence(head) => format!("  evidence of {} from {:+}", head.subject, second(head.begun_at.0)),
            Line::Vehicle(c) => format!("  {} {:?} {:?}", c.key(), c.why, c.distance_m.map(f64::round)),
            Line::Place(spot) => format!("  place {:.4}", spot.lat),
            Line::Position(fix) => format!("  {} was there at {:+}", fix.key(), second(fix.event_time.0)),
            Line::Unknown(missing) => {
                let Lack { what, vehicle, since, until, count, detail } = missing.lack();
                let (since, until) = (since.map(second), until.map(second));
                format!("  unknown {what:?} {vehicle:?} {since:?} {until:?} {count:?} {detail:?}")
            }
            Line::End { at } => format!("  end at {:+}", second(at.0)),
        });
        told.push('\n');
    }
    told
}

/// A file that is written round by round.
struct Stage {
    case: Case,
    budget: Budget,
    config: EvidenceConfig,
    file: Vec<u8>,
    told: String,
}

impl Stage {
    fn new(config: EvidenceConfig) -> Self {
        let case = Case::new(AlertId { date: 20_261_123, number: 417 });
        Self { case, budget: Budget::new(config.bytes_per_hour), config, file: Vec::new(), told: String::new() }
    }

    fn round(&mut self, second: i64, alert: Option<&Alert>, script: &str) {
        let view = fleet(script, second);
        let index = Index::of(&view);
        let trail = |_: &VehicleKey| {
            let coordinate = Coordinate::parse(60.0, 25.0).unwrap();
            vec![TrailPoint { at: T0.plus_millis((second - 7) * 1000), coordinate }]
        };
        let scene = Scene { now: now(second), view: &view, index: &|| &index, trail: &trail, config: &self.config };
        let round = self.case.round(alert, &scene, &self.budget);
        self.told.push_str(&format!(
            "{second:+}: {} points, {} dropped, {} left out{}\n",
            round.points,
            round.dropped,
            round.left_out,
            if round.ended { ", the last" } else { "" },
        ));
        self.told.push_str(&shown(&round.text));
        self.file.extend(round.text);
        (self.case, self.budget) = (round.next, round.budget);
    }

    /// The process dies and reads what it wrote.
    fn restart(&mut self, second: i64) {
        let mut case = Case::new(self.case.id.clone());
        for line in self.file.split(|byte| *byte == b'\n') {
            Line::parse(line).iter().for_each(|line| case.resume(line));
        }
        case.resumed(now(second));
        self.case = case;
        self.told.push_str("restart\n");
    }

    fn end(self, expected: Expect) {
        expected.assert_eq(&self.told);
    }
}

#[test]
fn the_subject_and_those_near_are_followed_until_half_an_hour_after_the_end() {
    let mut stage = Stage::new(CONFIG);
    let mut alert = panic_of("800");
    stage.round(1, Some(&alert), "800 at 0, 1 at 900, 2 at 300, 3 at 1999, 4 at 2001");
    stage.round(16, Some(&alert), "800 at 10, 1 at 900, 2 lost");
    alert.closing = Some(Closing { reason: CloseReason::Resolved, at: T0.plus_millis(20_000), by: None });
    stage.round(31, Some(&alert), "800 at 20, 2 at 310");
    stage.round(1_820, Some(&alert), "800 at 30, 9 at 0");
    stage.end(expect![[r#"
        +1: 6 points, 0 dropped, 1 left out
          evidence of vehicle:22/800 from +1
          22/800 Subject Some(0.0)
          place 60.0000
          22/2 Near Some(300.0)
          22/1 Near Some(900.0)
          unknown VehiclesLeftOut None None None Some(1) None
          22/800 was there at -6
          22/800 was there at +1
          22/2 was there at -6
          22/2 was there at +1
          22/1 was there at -6
          22/1 was there at +1
        +16: 6 points, 0 dropped, 0 left out
          22/800 was there at +9
          22/800 was there at +16
          22/2 was there at +9
          22/2 was there at +16
          unknown Silent Some(22/2) Some(16) None None None
          22/1 was there at +9
          22/1 was there at +16
        +31: 4 points, 0 dropped, 0 left out
          22/800 was there at +24
          22/800 was there at +31
          22/2 was there at +24
          22/2 was there at +31
          unknown Silent Some(22/1) Some(16) None None None
        +1820: 2 points, 0 dropped, 0 left out, the last
          22/800 was there at +1813
          22/800 was there at +1820
          unknown Silent Some(22/2) Some(31) None None None
          end at +1820
    "#]]);
}

#[test]
fn after_a_restart_nothing_is_written_twice_and_the_gap_is_told() {
    let mut stage = Stage::new(CONFIG);
    let alert = panic_of("800");
    stage.round(1, Some(&alert), "800 at 0, 1 at 900, 5 at 1900");
    stage.restart(40);
    stage.round(55, Some(&alert), "800 at 10, 1 at 900");
    stage.round(70, Some(&alert), "800 at 10, 1 at 900");
    stage.end(expect![[r#"
        +1: 6 points, 0 dropped, 0 left out
          evidence of vehicle:22/800 from +1
          22/800 Subject Some(0.0)
          place 60.0000
          22/1 Near Some(900.0)
          22/5 Near Some(1900.0)
          22/800 was there at -6
          22/800 was there at +1
          22/1 was there at -6
          22/1 was there at +1
          22/5 was there at -6
          22/5 was there at +1
        restart
        +55: 4 points, 0 dropped, 0 left out
          unknown NotRecorded None Some(1) Some(55) None Some("the service was not running")
          22/800 was there at +48
          22/800 was there at +55
          22/1 was there at +48
          22/1 was there at +55
          unknown Silent Some(22/5) Some(1) None None None
        +70: 4 points, 0 dropped, 0 left out
          22/800 was there at +63
          22/800 was there at +70
          22/1 was there at +63
          22/1 was there at +70
    "#]]);
}

#[test]
fn a_vehicle_that_says_nothing_is_told_so_and_its_neighbours_are_chosen_when_it_speaks() {
    let mut stage = Stage::new(CONFIG);
    let alert = panic_of("800");
    stage.round(1, Some(&alert), "1 at 100");
    stage.round(16, Some(&alert), "800 nowhere, 1 at 100");
    stage.round(31, Some(&alert), "800 at 0, 1 at 100");
    stage.end(expect![[r#"
        +1: 0 points, 0 dropped, 0 left out
          evidence of vehicle:22/800 from +1
          22/800 Subject None
          unknown NoPlace None Some(1) None None None
          unknown NeverHeard Some(22/800) None None None None
        +16: 1 points, 0 dropped, 0 left out
          22/800 was there at +9
          unknown NoPosition Some(22/800) None None None None
        +31: 4 points, 0 dropped, 0 left out
          place 60.0000
          22/1 Near Some(100.0)
          22/800 was there at +24
          22/800 was there at +31
          22/1 was there at +24
          22/1 was there at +31
    "#]]);
}

#[test]
fn members_come_whenever_a_rule_names_them_and_find_room_or_are_counted() {
    let mut stage = Stage::new(CONFIG);
    let mut alert = panic_of("800");
    stage.round(1, Some(&alert), "800 at 0, 1 at 100");
    let members = ["800", "7", "8"].map(|vehicle| Subject::Vehicle(key(vehicle)));
    alert.evidence = Some(Evidence { members: members.into(), ..Evidence::default() });
    stage.round(16, Some(&alert), "800 at 0, 7 at 5000, 8 at 5000");
    stage.end(expect![[r#"
        +1: 4 points, 0 dropped, 0 left out
          evidence of vehicle:22/800 from +1
          22/800 Subject Some(0.0)
          place 60.0000
          22/1 Near Some(100.0)
          22/800 was there at -6
          22/800 was there at +1
          22/1 was there at -6
          22/1 was there at +1
        +16: 4 points, 0 dropped, 1 left out
          22/7 Member Some(5000.0)
          unknown VehiclesLeftOut None None None Some(1) None
          22/800 was there at +9
          22/800 was there at +16
          unknown Silent Some(22/1) Some(1) None None None
          22/7 was there at +9
          22/7 was there at +16
    "#]]);
}

#[test]
fn what_the_budget_leaves_no_room_for_is_counted_on_file_and_the_subject_comes_first() {
    let mut stage = Stage::new(EvidenceConfig { bytes_per_hour: 1_500, ..CONFIG });
    let alert = panic_of("800");
    stage.round(1, Some(&alert), "800 at 0, 1 at 100, 2 at 200");
    stage.round(16, Some(&alert), "800 at 0, 1 at 100, 2 at 200");
    stage.round(31, Some(&alert), "800 at 0, 1 at 100, 2 at 200");
    stage.round(3_700, Some(&alert), "800 at 0, 1 at 100, 2 at 200");
    stage.end(expect![[r#"
        +1: 3 points, 3 dropped, 0 left out
          evidence of vehicle:22/800 from +1
          22/800 Subject Some(0.0)
          place 60.0000
          22/1 Near Some(100.0)
          22/2 Near Some(200.0)
          22/800 was there at -6
          22/800 was there at +1
          22/1 was there at -6
          unknown PointsDropped None None None Some(3) None
        +16: 1 points, 5 dropped, 0 left out
          22/800 was there at +9
          unknown PointsDropped None None None Some(5) None
        +31: 0 points, 6 dropped, 0 left out
        +3700: 6 points, 0 dropped, 0 left out
          22/800 was there at +3693
          22/800 was there at +3700
          22/1 was there at +3693
          22/1 was there at +3700
          22/2 was there at +3693
          22/2 was there at +3700
          unknown PointsDropped None None None Some(6) None
    "#]]);
}

#[test]
fn an_alert_that_is_gone_or_was_over_before_anything_was_written_leaves_no_file_open() {
    let mut stage = Stage::new(CONFIG);
    let mut alert = panic_of("800");
    alert.closing = Some(Closing { reason: CloseReason::Test, at: T0, by: None });
    stage.round(1_800, Some(&alert), "800 at 0");
    stage.round(1_800, None, "800 at 0");
    stage.end(expect![[r#"
        +1800: 0 points, 0 dropped, 0 left out, the last
        +1800: 0 points, 0 dropped, 0 left out, the last
    "#]]);
}
