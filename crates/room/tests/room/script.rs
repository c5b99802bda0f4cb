//! Stories as text: a line is a second and what happens then, the answer is what the room made of it.
//!
//! `+61 press 22/800 e1@60 fire passengers=3` · `+62 ack 1 by kim seen=1` · `+63 end 22/800 e1@63` ·
//! `+70 close 1 by kim resolved` · `+80 incident its/7 v2 flood` · `+90 withdraw its/7`.
//! Subjects starting with `?` are unreadable; an event is `id@second`, `id`, `@second` or `-`; `dup` and `retained` are
//! flags of the delivery and do not change the bytes.

use std::{collections::BTreeMap, fmt::Write};

use alert::{
    Actor, AlarmKind, AlarmPhase, AlarmReport, AlarmSource, AlarmSubject, AlertId, CloseReason, Command, Fingerprint,
    IncidentKey, IncidentKind, IncidentPhase, IncidentReport, IncidentWithdrawal, Order, Severity,
};
use room::{ControlRoom, Decision, Input, RoomOptions, Verdict, decode, encode};
use transit::{FeedId, Fix, Now, Status, UtcMillis, VehicleKey, Word};

/// 2026-11-23T08:00:00Z, second 0 of every story.
pub(crate) const START: UtcMillis = UtcMillis(1_795_420_800_000);

/// A second of the story.
pub(crate) fn at(second: i64) -> UtcMillis {
    START.plus_millis(second * 1000)
}

pub(crate) fn now(second: i64) -> Now {
    Now { utc: at(second), mono_ms: 0 }
}

/// A room with its journal: every change goes through its bytes.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) room: ControlRoom,
    pub(crate) log: Vec<Vec<u8>>,
    options: RoomOptions,
}

impl Stage {
    pub(crate) fn new(options: RoomOptions) -> Self {
        Self { room: ControlRoom::new(options.clone()), log: Vec::new(), options }
    }

    pub(crate) fn step(&mut self, input: &Input, now: Now) -> Decision {
        let decision = self.room.decide(input, now);
        for change in &decision.changes {
            self.log.push(encode(change));
            self.room.apply(change);
        }
        decision
    }

    /// A room made from the journal alone.
    pub(crate) fn replayed(&self) -> ControlRoom {
        let mut room = ControlRoom::new(self.options.clone());
        for bytes in &self.log {
            room.apply(&decode(bytes).unwrap());
        }
        room
    }
}

/// Plays a story and gives its timeline. Afterwards the journal must replay to the same room.
pub(crate) fn play(script: &str) -> String {
    play_with(RoomOptions::default(), script)
}

pub(crate) fn play_with(options: RoomOptions, script: &str) -> String {
    let mut stage = Stage::new(options);
    let mut timeline = String::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (second, input) = parse(line);
        let decision = stage.step(&input, now(second));
        writeln!(timeline, "{line} => {}", told(&stage.room, &decision)).unwrap();
    }
    assert_eq!(format!("{:?}", stage.replayed()), format!("{:?}", stage.room), "replay differs from the live room");
    timeline
}

fn told(room: &ControlRoom, decision: &Decision) -> String {
    let verdict = match &decision.verdict {
        Verdict::Raised(_) => "raised".to_owned(),
        Verdict::Repeated { re_alarmed: true, .. } => "re-alarmed".to_owned(),
        Verdict::Repeated { .. } => "repeated".to_owned(),
        Verdict::Duplicate(_) => "duplicate".to_owned(),
        Verdict::SourceNormal(_) => "source normal".to_owned(),
        Verdict::NothingOpen => "nothing open".to_owned(),
        Verdict::Done(_) => "done".to_owned(),
        Verdict::Incident(outcome) => return format!("{outcome:?}"),
        Verdict::Refused(refusal) => return format!("refused: {refusal}"),
    };
    let Some(alert) = decision.verdict.alert_id().and_then(|id| room.find_alert(id)) else { return verdict };
    let mut text = format!("{verdict} {}: {} {}", alert.id, alert.priority.word(), alert.condition.word());
    match (&alert.acknowledgement, &alert.previous_owner) {
        (Some(taken), _) => write!(text, ", {}'s", taken.by).unwrap(),
        (None, Some(previous)) => write!(text, ", nobody's, was {previous}'s").unwrap(),
        (None, None) => text.push_str(", nobody's"),
    }
    if alert.source_normal_at.is_some() {
        text.push_str(", source normal");
    }
    write!(text, ", count {}", alert.count).unwrap();
    if !alert.quality.is_empty() {
        write!(text, ", {}", alert.quality.join(" ")).unwrap();
    }
    if let Some(closing) = &alert.closing {
        write!(text, ", {}", closing.reason.word()).unwrap();
    }
    text
}

fn parse(line: &str) -> (i64, Input) {
    let mut words = line.split_whitespace();
    let second: i64 = words.next().unwrap().trim_start_matches('+').parse().unwrap();
    let verb = words.next().unwrap();
    let words: Vec<&str> = words.collect();
    let input = match verb {
        "press" => Input::Alarm(Box::new(alarm(&words, AlarmPhase::Raised, second))),
        "end" => Input::Alarm(Box::new(alarm(&words, AlarmPhase::Ended, second))),
        "ack" | "close" => Input::Command(command(verb, &words)),
        "incident" => Input::Incident(Box::new(incident(&words, second))),
        "withdraw" => Input::Withdrawal(IncidentWithdrawal {
            key: incident_key(words[0]),
            feed: FeedId::parse("native").unwrap(),
            received_at: at(second),
        }),
        other => panic!("no verb {other}"),
    };
    (second, input)
}

/// Any stable function of the text would do.
fn print_of(words: &[&str], phase: AlarmPhase) -> Fingerprint {
    let mut sum = 0xcbf2_9ce4_8422_2325_u128;
    let kept = words.iter().filter(|w| !["dup", "retained"].contains(w));
    for byte in kept.flat_map(|w| w.bytes().chain([0])).chain(phase.word().bytes()) {
        sum = (sum ^ u128::from(byte)).wrapping_mul(0x0100_0000_01b3_0000_0000_013b);
    }
    Fingerprint(sum)
}

fn alarm(words: &[&str], phase: AlarmPhase, second: i64) -> AlarmReport {
    let mut report = report(words[0], second);
    report.phase = phase;
    report.fingerprint = print_of(words, phase);
    for word in &words[1..] {
        match word.split_once('=') {
            Some(("passengers", n)) => report.passengers = n.parse().ok(),
            Some(("text", text)) => report.text = Some(text.to_owned()),
            Some(("fix", place)) => {
                let (lat, lon) = place.split_once(',').unwrap();
                report.fix = Some(Fix::at(lat.parse().unwrap(), lon.parse().unwrap()));
            }
            Some(other) => panic!("no parameter {other:?}"),
            None => flag(&mut report, word),
        }
    }
    report
}

fn flag(report: &mut AlarmReport, word: &str) {
    match word {
        "dup" => report.dup = true,
        "retained" => report.retained = true,
        "passenger" => report.source = AlarmSource::Passenger,
        "overt" => report.covert = Some(false),
        "-" => {}
        _ => {
            if let Some(status) = Status::find(word) {
                report.status = status;
            } else if let Some(kind) = AlarmKind::find(word) {
                report.kind = kind;
            } else {
                let (id, time) = word.split_once('@').unwrap_or((word, ""));
                report.event_id = Some(id.to_owned()).filter(|id| !id.is_empty());
                report.event_time = time.parse().ok().map(at);
            }
        }
    }
}

/// A driver's panic button and nothing else.
pub(crate) fn report(subject: &str, second: i64) -> AlarmReport {
    AlarmReport {
        feed: FeedId::parse("native").unwrap(),
        subject: match subject.strip_prefix('?') {
            Some(head) => AlarmSubject::Unparsed(head.to_owned()),
            None => AlarmSubject::Vehicle(VehicleKey::parse(subject).unwrap()),
        },
        event_id: None,
        event_time: None,
        kind: AlarmKind::Panic,
        kind_word: None,
        source: AlarmSource::Driver,
        phase: AlarmPhase::Raised,
        covert: None,
        status: Status::Actual,
        fix: None,
        text: None,
        passengers: None,
        unparsed_head: None,
        fingerprint: Fingerprint(0),
        retained: false,
        dup: false,
        received_at: at(second),
    }
}

/// `1 by kim seen=2 key=k`: the number of the alert, who, and what belongs to the order.
fn command(verb: &str, words: &[&str]) -> Command {
    let alert = AlertId::find(&format!("20261123-{}", words[0])).unwrap();
    assert_eq!(words[1], "by");
    let value = |name: &str| words.iter().find_map(|w| w.strip_prefix(name)).map(str::to_owned);
    let comment = value("comment=");
    let order = if verb == "ack" {
        Order::Acknowledge { alert, seen: value("seen=").and_then(|n| n.parse().ok()), comment }
    } else {
        Order::Close { alert, reason: CloseReason::find(words[3]).unwrap(), comment }
    };
    let by = words[2].to_owned();
    let request_id = value("key=").unwrap_or_else(|| order.default_request_id(&by));
    Command { actor: Actor { by, desk: None }, request_id, order }
}

fn incident_key(text: &str) -> IncidentKey {
    let (source, id) = text.split_once('/').unwrap();
    IncidentKey { source: source.to_owned(), id: id.to_owned() }
}

fn incident(words: &[&str], second: i64) -> IncidentReport {
    let value = |name: &str| words.iter().find_map(|w| w.strip_prefix(name));
    IncidentReport {
        key: incident_key(words[0]),
        feed: FeedId::parse("native").unwrap(),
        version: value("v").and_then(|n| n.parse().ok()),
        phase: if words.contains(&"closed") { IncidentPhase::Closed } else { IncidentPhase::Active },
        status: Status::Actual,
        kind: words.iter().find_map(|w| IncidentKind::find(w)).unwrap_or(IncidentKind::Other),
        kind_word: value("kind=").map(str::to_owned),
        subkind: None,
        severity: words.iter().find_map(|w| Severity::find(w)),
        urgency: None,
        certainty: None,
        effect: None,
        active_periods: Vec::new(),
        expected_end: None,
        lat: Some(60.170_833_333_333_33),
        lon: Some(24.1 + 0.2),
        geometry: None,
        radius_m: value("radius=").and_then(|n| n.parse().ok()),
        affects: Vec::new(),
        title: value("title=").map(str::to_owned),
        text: BTreeMap::new(),
        public_title: None,
        public_text: BTreeMap::new(),
        road_control: None,
        fingerprint: print_of(words, AlarmPhase::Raised),
        retained: words.contains(&"retained"),
        received_at: at(second),
    }
}

/// The input of one line.
pub(crate) fn input(line: &str) -> Input {
    parse(line).1
}
