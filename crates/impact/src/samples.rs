//! Scenes in text for the tests of this crate: one vehicle a line.
//!
//! `22/1 at 300 m N course 180 speed 10 age 5 route 59` is a bus 300 m north of [`HEART`]. Further words: `accuracy`,
//! `heard` (age of the newest message where its position is older), `flag`, `doing`, `feed`, `nowhere`, `dir`.

use picture::{Freshness, Quality, QualityFlag, VehicleRecord, View};
use transit::{Coordinate, FeedId, JourneyState, Mode, RouteId, UtcMillis, VehicleKey, Word};

use crate::flat::Flat;

/// 2026-11-23T08:00:00Z.
pub(crate) const NOW: UtcMillis = UtcMillis(1_795_420_800_000);

/// The middle of every scene.
pub(crate) fn heart() -> Coordinate {
    Coordinate::parse(37.5665, 126.978).unwrap()
}

/// The place some metres from the heart towards a quarter of the compass.
pub(crate) fn away(metres: f64, quarter: &str) -> Coordinate {
    let (x, y) = match quarter {
        "N" => (0.0, metres),
        "E" => (metres, 0.0),
        "S" => (0.0, -metres),
        "W" => (-metres, 0.0),
        other => panic!("no quarter: {other}"),
    };
    Flat::around(heart()).coordinate(geo::Coord { x, y })
}

/// One line of a scene.
pub(crate) fn vehicle(line: &str) -> VehicleRecord {
    let words: Vec<&str> = line.split_whitespace().collect();
    let after = |word: &str| words.iter().position(|w| *w == word).map(|at| words[at + 1]);
    let number = |word: &str| after(word).map(|text| text.parse::<f64>().unwrap_or_else(|e| panic!("{line}: {e}")));
    let feed = FeedId::parse(after("feed").unwrap_or("native")).unwrap();
    let age_ms = (number("age").unwrap_or(1.0) * 1000.0) as i64;
    let heard_ms = number("heard").map_or(age_ms, |s| (s * 1000.0) as i64);
    let mut record = VehicleRecord {
        mode: Mode::Bus,
        freshness: match heard_ms {
            ..=30_000 => Freshness::Live,
            30_001..=90_000 => Freshness::Aging,
            90_001..=360_000 => Freshness::Stale,
            _ => Freshness::Lost,
        },
        event_time: NOW.plus_millis(-heard_ms),
        received_at: NOW.plus_millis(-heard_ms),
        position_event_time: Some(NOW.plus_millis(-age_ms)),
        bearing: number("course").map(|n| n as f32),
        speed_mps: number("speed").map(|n| n as f32),
        accuracy_m: number("accuracy").map(|n| n as f32),
        ..VehicleRecord::unknown(VehicleKey::parse(words[0]).unwrap(), feed)
    };
    if let Some(at) = words.iter().position(|w| *w == "at") {
        record.coordinate = Some(away(words[at + 1].parse().unwrap(), words[at + 3]));
    }
    let mut quality = Quality::default();
    after("flag").into_iter().flat_map(|f| f.split(',')).for_each(|f| quality.insert(QualityFlag::find(f).unwrap()));
    record.quality = quality;
    record.journey.route_id = after("route").map(|r| RouteId::parse(r).unwrap());
    record.journey.direction_id = number("dir").map(|n| n as u8);
    record.journey.state = after("doing").map(|w| JourneyState::find(w).unwrap());
    record
}

/// All lines of a scene.
pub(crate) fn view(scene: &str) -> View {
    scene.lines().map(str::trim).filter(|l| !l.is_empty()).map(vehicle).collect()
}

/// An open alert of a rule about a vehicle, some seconds ago; `place` as the alarm says.
pub(crate) fn alert(number: u64, rule: &str, key: &str, place: Option<Coordinate>, ago_s: i64) -> alert::Alert {
    let at = NOW.plus_millis(-ago_s * 1000);
    let kind = alert::AlarmKind::ALL.iter().copied().find(|kind| kind.rule() == rule);
    let subject = VehicleKey::parse(key).unwrap();
    let report = alert::AlarmReport {
        feed: FeedId::parse("native").unwrap(),
        subject: alert::AlarmSubject::Vehicle(subject.clone()),
        event_id: None,
        event_time: Some(at),
        kind: kind.unwrap_or(alert::AlarmKind::Other),
        kind_word: None,
        source: alert::AlarmSource::Driver,
        phase: alert::AlarmPhase::Raised,
        covert: None,
        status: transit::Status::Actual,
        fix: place.map(|c| transit::Fix::at(c.lat(), c.lon())),
        text: None,
        passengers: None,
        unparsed_head: None,
        fingerprint: alert::Fingerprint(u128::from(number)),
        retained: false,
        dup: false,
        received_at: at,
    };
    let id = alert::AlertId { number, date: 20_261_123 };
    let now = transit::Now { utc: at, mono_ms: 0 };
    let raised = alert::Alert::raise(id, alert::Subject::Vehicle(subject), &report, alert::Priority::P2, now);
    alert::Alert { rule: rule.to_owned(), ..raised }
}

/// An active incident of a kind at a place, recorded some seconds ago.
pub(crate) fn incident(id: &str, kind: &str, place: Option<Coordinate>, ago_s: i64) -> alert::Incident {
    let at = NOW.plus_millis(-ago_s * 1000);
    let report = alert::IncidentReport {
        key: alert::IncidentKey { source: "topis".to_owned(), id: id.to_owned() },
        feed: FeedId::parse("native").unwrap(),
        version: None,
        phase: alert::IncidentPhase::Active,
        status: transit::Status::Actual,
        kind: alert::IncidentKind::find(kind).unwrap_or_else(|| panic!("no kind: {kind}")),
        kind_word: None,
        subkind: None,
        severity: None,
        urgency: None,
        certainty: None,
        effect: None,
        active_periods: Vec::new(),
        expected_end: None,
        lat: place.map(Coordinate::lat),
        lon: place.map(Coordinate::lon),
        geometry: None,
        radius_m: None,
        affects: Vec::new(),
        title: None,
        text: std::collections::BTreeMap::new(),
        public_title: None,
        public_text: std::collections::BTreeMap::new(),
        road_control: None,
        areas: Vec::new(),
        cancelled: false,
        proposes_clear: false,
        names: Vec::new(),
        fingerprint: alert::Fingerprint(1),
        retained: false,
        received_at: at,
    };
    alert::Incident::record(None, &report, at)
}
