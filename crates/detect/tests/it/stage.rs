//! A picture with its publisher and a patrol over it, driven by a script of lines; what was told is the timeline.
//!
//! A line is `+61 22/800 at 450 m speed 12` or, for many, `+0..200 a/[1-20] every 10 at 0 m`. Its words: `at N m` along
//! a straight road, `speed N`, `route R`, `mode M`, `stop S`, `occupancy WORD`, `off` (signed off), `idle` (no journey),
//! `from N` (drives north at its speed from second N on), `bearing N`,
//! `clock N` (stamp ahead by N seconds), `frozen N` (stamp stays that of second N), `feed F`. Besides: `+200 link f down`,
//! `+200 emergency down` and `+400 end`.

use std::{collections::BTreeMap, fmt::Write, ops::Range, sync::Arc};

use alert::{FindingVerdict, Incident};
use detect::{AccountedFor, EmergencyLink, OpenAlert, Patrol, Round, Rulebook, Scene};
use impact::{Area, ArmedArea};
use picture::{Link, Picture, PictureOptions, Publication, Publisher, Tally};
use transit::{
    FeedId, Fix, Journey, JourneyState, Mode, Now, Observation, Occupancy, OccupancyStatus, RouteId, Significance,
    Status, StopId, StopReference, UtcMillis, VehicleKey, Word,
};

/// Second 0 of every test, 2026-11-23 08:00:00 UTC.
pub(crate) const START_MS: i64 = 1_795_420_800_000;

pub(crate) fn instant(second: u64) -> Now {
    Now { utc: UtcMillis(START_MS + second as i64 * 1000), mono_ms: 1_000_000 + second * 1000 }
}

pub(crate) fn feed(id: &str) -> FeedId {
    FeedId::parse(id).unwrap()
}

/// A message of a vehicle in service on route 1, by feed `f`.
pub(crate) fn message(id: &str, stamp_s: i64) -> Observation {
    let event_time = UtcMillis(START_MS + stamp_s * 1000);
    let journey = Journey {
        state: Some(JourneyState::InService),
        route_id: Some(RouteId::parse("1").unwrap()),
        ..Journey::default()
    };
    Observation {
        vehicle: VehicleKey::parse(id).unwrap(),
        feed: feed("f"),
        event_time,
        boot: None,
        seq: None,
        significance: Significance::Plain,
        content: 7 + event_time.0 as u64,
        mode: Some(Mode::Bus),
        position: Some(Fix::at(37.5, 127.0)),
        doors_open: None,
        stop: None,
        stop_status: None,
        delay_s: None,
        occupancy: None,
        journey: Some(journey),
        upcoming: None,
        retained: false,
    }
}

/// Everything under test.
pub(crate) struct Stage {
    picture: Picture,
    publisher: Publisher,
    tally: Tally,
    pub(crate) patrol: Patrol,
    pub(crate) links: Vec<Link>,
    pub(crate) emergency: Option<EmergencyLink>,
    pub(crate) incidents: Vec<Arc<Incident>>,
    pub(crate) areas: Vec<ArmedArea>,
    pub(crate) accounted: Vec<AccountedFor>,
    pub(crate) open: Option<detect::IsOpen<'static>>,
    pub(crate) depots: Vec<Area>,
    pub(crate) last: Publication,
    pub(crate) round: Round,
    /// What was told, a line each.
    pub(crate) told: Vec<String>,
    exceptions: BTreeMap<String, String>,
    revision: u64,
}

impl Stage {
    pub(crate) fn new(rules: Rulebook, open: Vec<OpenAlert>, options: PictureOptions) -> Self {
        let picture = Picture::new(options);
        let mut publisher = picture.publisher(instant(0));
        let last = publisher.publish(&picture, [], &[], instant(0), 0);
        Self {
            picture,
            publisher,
            tally: Tally::new(),
            patrol: Patrol::new(rules, open),
            links: Vec::new(),
            emergency: None,
            incidents: Vec::new(),
            areas: Vec::new(),
            accounted: Vec::new(),
            open: None,
            depots: Vec::new(),
            last,
            round: Round::default(),
            told: Vec::new(),
            exceptions: BTreeMap::new(),
            revision: 0,
        }
    }

    pub(crate) fn by_default() -> Self {
        Self::new(Rulebook::default(), Vec::new(), PictureOptions::default())
    }

    pub(crate) fn say(&mut self, message: &Observation, second: u64) {
        self.picture.fold(message, instant(second), &mut self.tally);
    }

    /// Publishes and looks.
    pub(crate) fn look(&mut self, second: u64) {
        self.revision += 1;
        let tally = self.tally.take();
        self.last = self.publisher.publish(&self.picture, [tally], &self.links, instant(second), self.revision);
        self.look_at_last(second);
    }

    /// Looks at what was published last.
    pub(crate) fn look_at_last(&mut self, second: u64) {
        let scene = Scene {
            now: instant(second),
            started: instant(0),
            as_of: self.last.as_of,
            view: &self.last.view,
            feeds: &self.last.feeds,
            links: &self.links,
            emergency: self.emergency.as_ref(),
            incidents: &self.incidents,
            areas: &self.areas,
            accounted: &self.accounted,
            open: self.open,
            depots: &self.depots,
            trail: None,
        };
        self.round = self.patrol.step(&scene);
        for finding in &self.round.findings {
            let verdict = match finding.verdict {
                FindingVerdict::Raised => "raised",
                FindingVerdict::Cleared => "cleared",
            };
            let (priority, subject) = (finding.priority.word(), &finding.subject);
            let drill = if finding.status == Status::Actual { "" } else { " (drill)" };
            self.told.push(format!("+{second} {verdict} {priority} {} {subject}{drill}", finding.rule));
        }
        if self.round.exceptions_changed {
            self.note_exceptions(second);
        }
    }

    fn note_exceptions(&mut self, second: u64) {
        let now: BTreeMap<String, String> = self
            .round
            .exceptions
            .iter()
            .map(|e| (e.id.clone(), format!("{} {} {}", e.priority.word(), e.rule, e.subject)))
            .collect();
        for (id, text) in &now {
            if self.exceptions.get(id) != Some(text) {
                self.told.push(format!("+{second} exception {text}"));
            }
        }
        for (id, text) in &self.exceptions {
            if !now.contains_key(id) {
                self.told.push(format!("+{second} over {text}"));
            }
        }
        self.exceptions = now;
    }

    pub(crate) fn timeline(&self) -> String {
        self.told.iter().fold(String::new(), |mut text, line| {
            writeln!(text, "{line}").unwrap();
            text
        })
    }
}

/// One line of a script, for the seconds it speaks of.
struct Line {
    seconds: Range<u64>,
    every: u64,
    act: Act,
}

enum Act {
    Link { feed: FeedId, up: bool },
    Emergency { up: bool },
    Say { vehicles: Vec<String>, words: Vec<String> },
    End,
}

fn parse(line: &str) -> Line {
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let when = words[0].trim_start_matches('+');
    let (from, to) = when.split_once("..").unwrap_or((when, when));
    let (from, to): (u64, u64) = (from.parse().unwrap(), to.trim_start_matches('+').parse().unwrap());
    let act = match words[1].as_str() {
        "end" => Act::End,
        "link" => Act::Link { feed: feed(&words[2]), up: words[3] == "up" },
        "emergency" => Act::Emergency { up: words[2] == "up" },
        vehicles => Act::Say { vehicles: spread(vehicles), words: words[2..].to_vec() },
    };
    let every = words.iter().position(|w| w == "every").map_or(1, |at| words[at + 1].parse().unwrap());
    Line { seconds: from..to.max(from + 1), every, act }
}

/// `a/[1-3]` as three.
fn spread(vehicles: &str) -> Vec<String> {
    let Some((head, rest)) = vehicles.split_once('[') else { return vec![vehicles.to_owned()] };
    let (from, to) = rest.trim_end_matches(']').split_once('-').unwrap();
    let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
    (from..=to).map(|n| format!("{head}{n}")).collect()
}

fn observation(id: &str, second: u64, words: &[String]) -> Observation {
    let value = |key: &str| words.iter().position(|w| w == key).map(|at| words[at + 1].as_str());
    let number = |key: &str| value(key).map(|v| v.parse::<f64>().unwrap());
    let stamp = number("frozen").unwrap_or(second as f64 + number("clock").unwrap_or(0.0)) as i64;
    let mut o = message(id, stamp);
    // Another content each second, as of devices that send on with a clock that stands.
    o.content = o.content.wrapping_add(second << 32);
    let mut fix = Fix::at(37.5 + number("at").unwrap_or(0.0) / 111_195.0, 127.0);
    let driven = number("from").map_or(0.0, |from| (second as f64 - from) * number("speed").unwrap_or(0.0));
    if driven > 0.0 {
        fix = Fix::at(37.5 + (number("at").unwrap_or(0.0) + driven) / 111_195.0, 127.0);
    }
    fix.speed_mps = number("speed").map(|v| v as f32);
    fix.bearing = number("bearing").map(|v| v as f32);
    o.position = Some(fix);
    o.mode = value("mode").and_then(Mode::find).or(o.mode);
    o.feed = value("feed").map_or(o.feed, feed);
    o.stop = value("stop").map(|s| StopReference { stop_id: StopId::parse(s).ok(), current_stop_sequence: None });
    o.occupancy = value("occupancy").map(|w| Occupancy { status: OccupancyStatus::find(w), percentage: None });
    if let Some(route) = value("route")
        && let Some(journey) = &mut o.journey
    {
        journey.route_id = RouteId::parse(route).ok();
    }
    if words.iter().any(|w| w == "off") {
        o.journey = Some(Journey { state: Some(JourneyState::SignedOff), ..Journey::default() });
    }
    if words.iter().any(|w| w == "idle") {
        o.journey = Some(Journey::default());
    }
    o
}

/// Plays a script second by second, to 120 s after its last line unless it has an end.
pub(crate) fn play(stage: &mut Stage, script: &str) {
    let lines: Vec<Line> = script.lines().map(str::trim).filter(|l| !l.is_empty()).map(parse).collect();
    let end = lines.iter().find(|l| matches!(l.act, Act::End)).map(|l| l.seconds.start);
    let last = lines.iter().map(|l| l.seconds.end).max().unwrap_or(0);
    for second in 0..=end.unwrap_or(last + 120) {
        for line in lines.iter().filter(|l| l.seconds.contains(&second)) {
            if !(second - line.seconds.start).is_multiple_of(line.every) {
                continue;
            }
            match &line.act {
                Act::End => {}
                Act::Link { feed, up } => {
                    stage.links.retain(|l| l.feed != *feed);
                    stage.links.push(Link { feed: feed.clone(), up: *up, since: instant(second) });
                }
                Act::Emergency { up } => {
                    let reason = if *up { "" } else { "gone" };
                    stage.emergency =
                        Some(EmergencyLink { up: *up, since: instant(second), reason: reason.to_owned() });
                }
                Act::Say { vehicles, words } => {
                    for id in vehicles {
                        stage.say(&observation(id, second, words), second);
                    }
                }
            }
        }
        stage.look(second);
    }
}

/// What the rules tell of a script, by the configuration given.
pub(crate) fn timeline(config: &str, script: &str) -> String {
    let rules: toml::Table = config.parse().unwrap();
    let mut stage = Stage::new(Rulebook::read(&rules).unwrap(), Vec::new(), PictureOptions::default());
    play(&mut stage, script);
    stage.timeline()
}

/// Compares what the rules tell of a script with what is expected.
pub(crate) fn check(script: &str, expected: &expect_test::Expect) {
    expected.assert_eq(&timeline("", script));
}
