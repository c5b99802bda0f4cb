//! Stories as text: a line is a second and what happens then, the answer is what the room made of it.
//!
//! `+61 press 22/800 e1@60 fire passengers=3` · `+62 ack 1 by kim seen=1` · `+63 end 22/800 e1@63` ·
//! `+70 close 1 by kim resolved` · `+80 incident its/7 v2 flood` · `+90 withdraw its/7`.
//! `+5 find VEH.SILENT vehicle:22/800 P3 members=22/1,22/2 parent=FEED.SILENT/feed:native latched class=safety` ·
//! `+6 normal VEH.SILENT vehicle:22/800` · `+7 tick` · `+8 step 3600` · `+9 shelve 1 by kim until=3600 one_shot` ·
//! `+10 handover 1 by kim to=lee` · `+11 release|unshelve|reset|comment|mark 1 by kim comment=..` ·
//! `+12 raise by kim stop:s1 fire P2 covert expires=900` · `+13 suppress VEH.* by kim until=3600 subject=..` ·
//! `+14 unsuppress 1 by kim` · `+15 group|split its/7 1,2 by kim` · `+16 inc-open|inc-update|inc-close|publish|unpublish
//! ops/1 flood by kim` · `+17 inc-keep its/7 by kim` · `+18 inc-arm operator/place:u flood by kim until=3600`.
//! `+19 account 1 by kim member=22/800` · `+20 form ops/1 1,2 flood by kim`.
//! An incident's words: `lifted` (they say that it is over), `names=U1,U2` (what its
//! source calls it besides), `cancelled`, `effect=DETOUR affects=402+0,403 ends=600`, `periods=0..60,90..`; a finding's:
//! `route=402 trip=t1`.
//! Subjects starting with `?` are unreadable; an event is `id@second`, `id`, `@second` or `-`; `dup` and `retained` are
//! flags of the delivery and do not change the bytes.

use std::{collections::BTreeMap, fmt::Write};

use alert::{
    ActivePeriod, Actor, Affected, AlarmKind, AlarmPhase, AlarmReport, AlarmSource, AlarmSubject, AlertClass, AlertId,
    Change, CloseReason, Command, Deed, Evidence, Finding, FindingVerdict, Fingerprint, IncidentDeed, IncidentKey,
    IncidentKind, IncidentPhase, IncidentReport, IncidentWithdrawal, Mark, MarkStep, OperatorAlert, Order, Priority,
    Severity, ShelfKind, Subject, SuppressionRequest,
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

    /// A room made from a snapshot after `records` and the journal's tail.
    pub(crate) fn restarted_at(&self, records: usize) -> ControlRoom {
        let mut room = ControlRoom::new(self.options.clone());
        for bytes in &self.log[..records] {
            room.apply(&decode(bytes).unwrap());
        }
        let mut room = room::decode_snapshot(&room::encode_snapshot(&room), self.options.clone()).unwrap();
        for bytes in &self.log[records..] {
            room.apply(&decode(bytes).unwrap());
        }
        room
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
    let live = format!("{:?}", stage.room);
    assert_eq!(format!("{:?}", stage.replayed()), live, "replay differs from the live room");
    for records in [stage.log.len() / 2, stage.log.len()] {
        assert_eq!(format!("{:?}", stage.restarted_at(records)), live, "snapshot and tail differ from the live room");
    }
    timeline
}

fn told(room: &ControlRoom, decision: &Decision) -> String {
    let verdict = match &decision.verdict {
        Verdict::Raised(_) => "raised".to_owned(),
        Verdict::Repeated { re_alarmed: true, .. } => "re-alarmed".to_owned(),
        Verdict::Repeated { .. } => "repeated".to_owned(),
        Verdict::Duplicate(_) => "duplicate".to_owned(),
        Verdict::SourceNormal(_) => "source normal".to_owned(),
        Verdict::EndCameFirst => "end came first".to_owned(),
        Verdict::NothingOpen => "nothing open".to_owned(),
        Verdict::Done(_) => "done".to_owned(),
        Verdict::Incident(outcome) => return format!("{outcome:?}"),
        Verdict::IncidentDone(key) => return format!("done incident {key}"),
        Verdict::SuppressionDone(id) => return format!("done suppression {id}"),
        Verdict::Ticked => return turns(decision),
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
    let silence = &alert.silence;
    let marks = [
        (silence.shelf.is_some(), "shelved"),
        (silence.by_parent.is_some(), "by parent"),
        (silence.by_incident.is_some(), "by incident"),
        (silence.out_of_service.is_some(), "out of service"),
        (silence.collapsed_into.is_some(), "collapsed"),
        (alert.flap.held(), "held"),
    ];
    for (_, mark) in marks.iter().filter(|(is, _)| *is) {
        write!(text, ", {mark}").unwrap();
    }
    if alert.annunciations > 1 {
        write!(text, ", sounded {}", alert.annunciations).unwrap();
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

/// What happened by itself, one after the other.
fn turns(decision: &Decision) -> String {
    let told = |change: &Change| {
        if let Change::AlertTurned { alert, turn, sounds, .. } = change {
            return format!("{} {}{}", alert.number, turn.word(), if *sounds { ", sounds" } else { "" });
        }
        if let Change::AlertClosed { alert, reason, .. } = change {
            return format!("{} closed {}", alert.number, reason.word());
        }
        format!("{change:?}").split([' ', '(']).next().unwrap_or_default().to_owned()
    };
    match decision.changes.iter().map(told).collect::<Vec<_>>() {
        turns if turns.is_empty() => "nothing due".to_owned(),
        turns => turns.join("; "),
    }
}

pub(crate) fn parse(line: &str) -> (i64, Input) {
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
        "find" => Input::Finding(Box::new(finding(&words, FindingVerdict::Raised))),
        "normal" => Input::Finding(Box::new(finding(&words, FindingVerdict::Cleared))),
        "tick" => Input::Tick,
        "step" => Input::ClockStepped { by_ms: words[0].parse::<i64>().unwrap() * 1000 },
        other => Input::Command(order(other, &words)),
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
        let seen = value("seen=").and_then(|n| n.parse().ok());
        Order::Close { alert, reason: CloseReason::find(words[3]).unwrap(), seen, comment }
    };
    let by = words[2].to_owned();
    let request_id = value("key=").unwrap_or_else(|| order.default_request_id(&by));
    Command { actor: Actor { by, desk: None, supervisor: words.contains(&"supervisor") }, request_id, order }
}

fn subject(text: &str) -> Subject {
    let (kind, name) = text.split_once(':').unwrap_or(("vehicle", text));
    match kind {
        "vehicle" => Subject::Vehicle(VehicleKey::parse(name).unwrap()),
        "feed" => Subject::Feed { feed: FeedId::parse(name).unwrap(), scope: None },
        "stop" => Subject::Stop(name.to_owned()),
        "line" => Subject::Line(name.to_owned()),
        "area" => Subject::Area(name.to_owned()),
        other => panic!("no subject {other}"),
    }
}

fn finding(words: &[&str], verdict: FindingVerdict) -> Finding {
    let value = |name: &str| words.iter().find_map(|w| w.strip_prefix(name));
    let members = value("members=").map(|list| list.split(',').map(subject).collect()).unwrap_or_default();
    let figure = |name: &str, key: &str| value(name).map(|said| (key.to_owned(), said.to_owned()));
    let figures = [figure("silent=", "silent_s"), figure("route=", "route_id"), figure("trip=", "trip_id")];
    let parent = value("parent=").map(|p| p.split_once('/').unwrap());
    Finding {
        rule: words[0].to_owned(),
        subject: subject(words[1]),
        status: words.iter().find_map(|w| Status::find(w)).unwrap_or(Status::Actual),
        verdict,
        class: value("class=").map_or(AlertClass::Service, |w| AlertClass::find(w).unwrap()),
        priority: words.iter().find_map(|w| Priority::find(w)).unwrap_or(Priority::P3),
        latched: words.contains(&"latched"),
        evidence: Evidence {
            figures: figures.into_iter().flatten().collect(),
            members,
            lat: Some(60.170_833_333_333_33),
            lon: Some(24.1 + 0.2),
        },
        parents: parent.map(|(rule, of)| (rule.to_owned(), subject(of))).into_iter().collect(),
    }
}

/// Orders beside taking and closing: what they are about, then `by <who>` anywhere.
fn order(verb: &str, words: &[&str]) -> Command {
    let value = |name: &str| words.iter().find_map(|w| w.strip_prefix(name)).map(str::to_owned);
    let seconds = |name: &str| value(name).map(|s| at(s.parse().unwrap()));
    let by = words[words.iter().position(|w| *w == "by").expect(verb) + 1].to_owned();
    let comment = value("comment=");
    let deed = match verb {
        "handover" => Some(Deed::Handover { to: value("to=").unwrap_or_default(), desk: None }),
        "release" => Some(Deed::Release),
        "comment" => Some(Deed::Comment),
        "mark" => Some(Deed::Mark(Mark {
            step: words.iter().find_map(|w| MarkStep::find(w)).unwrap(),
            party: value("party="),
            reference: value("ref="),
            time: seconds("at="),
        })),
        "shelve" => Some(Deed::Shelve {
            kind: words.iter().find_map(|w| ShelfKind::find(w)).unwrap_or(ShelfKind::Timed),
            until: seconds("until=").unwrap(),
        }),
        "unshelve" => Some(Deed::Unshelve),
        "reset" => Some(Deed::Reset),
        "account" => Some(Deed::Account { member: subject(&value("member=").unwrap()) }),
        _ => None,
    };
    let id = |number: &str| AlertId::find(&format!("20261123-{number}")).unwrap();
    let order = match deed {
        Some(deed) => Order::Tend { alert: id(words[0]), deed, comment },
        None => order_without_alert(verb, words, comment),
    };
    let request_id = value("key=").unwrap_or_else(|| order.default_request_id(&by));
    Command { actor: Actor { by, desk: None, supervisor: words.contains(&"supervisor") }, request_id, order }
}

fn order_without_alert(verb: &str, words: &[&str], comment: Option<String>) -> Order {
    let value = |name: &str| words.iter().find_map(|w| w.strip_prefix(name)).map(str::to_owned);
    let seconds = |name: &str| value(name).map(|s| at(s.parse().unwrap()));
    let on_incident = |deed| Order::Incident { key: incident_key(words[0]), deed, comment: comment.clone() };
    match verb {
        "raise" => Order::Raise(Box::new(OperatorAlert {
            subject: subject(words[2]),
            kind: words.iter().find_map(|w| AlarmKind::find(w)).unwrap(),
            priority: words.iter().find_map(|w| Priority::find(w)),
            status: words.iter().find_map(|w| Status::find(w)).unwrap_or(Status::Actual),
            text: value("text="),
            covert: words.contains(&"covert").then_some(true),
            lat: None,
            lon: None,
            expires_at: seconds("expires="),
        })),
        "suppress" => Order::Suppress(Box::new(SuppressionRequest {
            subject: value("subject=").map(|s| subject(&s)),
            rules: words[0].split(',').map(str::to_owned).collect(),
            until: seconds("until=").unwrap(),
            why: value("why=").unwrap_or_else(|| "strike".to_owned()),
        })),
        "unsuppress" => Order::EndSuppression { id: words[0].parse().unwrap(), comment },
        "group" | "split" => {
            let id = |number: &str| AlertId::find(&format!("20261123-{number}")).unwrap();
            let (incident, alerts) = (incident_key(words[0]), words[1].split(',').map(id).collect());
            Order::Group { incident, alerts, joined: verb == "group", comment }
        }
        "inc-open" => on_incident(IncidentDeed::Open(Box::new(incident(words, 0)))),
        "form" => {
            let id = |number: &str| AlertId::find(&format!("20261123-{number}")).unwrap();
            let alerts = words[1].split(',').map(id).collect();
            on_incident(IncidentDeed::Form { report: Box::new(incident(words, 0)), alerts })
        }
        "inc-update" => on_incident(IncidentDeed::Update(Box::new(incident(words, 0)))),
        "inc-close" => on_incident(IncidentDeed::Close),
        "inc-keep" => on_incident(IncidentDeed::Keep),
        "inc-arm" => {
            // Who and until when are not part of what is armed.
            let what: Vec<&str> = words.iter().copied().take_while(|word| *word != "by").collect();
            on_incident(IncidentDeed::Arm { report: Box::new(incident(&what, 0)), until: seconds("until=") })
        }
        "publish" => on_incident(IncidentDeed::Publish { title: value("title="), text: BTreeMap::new() }),
        "unpublish" => on_incident(IncidentDeed::Withdraw),
        other => panic!("no verb {other}"),
    }
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
        phase: if words.contains(&"closed") || words.contains(&"cancelled") {
            IncidentPhase::Closed
        } else {
            IncidentPhase::Active
        },
        status: words.iter().find_map(|w| Status::find(w)).unwrap_or(Status::Actual),
        kind: words.iter().find_map(|w| IncidentKind::find(w)).unwrap_or(IncidentKind::Other),
        kind_word: value("kind=").map(str::to_owned),
        subkind: None,
        severity: words.iter().find_map(|w| Severity::find(w)),
        urgency: None,
        certainty: None,
        effect: value("effect=").map(str::to_owned),
        active_periods: value("periods=").map_or_else(|| period(value("starts="), value("ends=")), periods),
        expected_end: None,
        lat: Some(60.170_833_333_333_33),
        lon: Some(24.1 + 0.2),
        geometry: None,
        radius_m: value("radius=").and_then(|n| n.parse().ok()),
        affects: value("affects=").map(|list| list.split(',').map(affected).collect()).unwrap_or_default(),
        title: value("title=").map(str::to_owned),
        text: BTreeMap::new(),
        public_title: None,
        public_text: BTreeMap::new(),
        road_control: None,
        areas: Vec::new(),
        cancelled: words.contains(&"cancelled"),
        names: value("names=").map(|list| list.split(',').map(str::to_owned).collect()).unwrap_or_default(),
        proposes_clear: words.contains(&"lifted"),
        fingerprint: print_of(words, AlarmPhase::Raised),
        retained: words.contains(&"retained"),
        received_at: at(second),
    }
}

fn period(starts: Option<&str>, ends: Option<&str>) -> Vec<ActivePeriod> {
    let second = |text: Option<&str>| text.map(|s| at(s.parse().unwrap()));
    let period = ActivePeriod { start: second(starts), end: second(ends) };
    if starts.is_some() || ends.is_some() { vec![period] } else { Vec::new() }
}

/// `0..60,90..`: several, an open side left away.
fn periods(text: &str) -> Vec<ActivePeriod> {
    let said = |side| Some(side).filter(|side: &&str| !side.is_empty());
    text.split(',').filter_map(|one| one.split_once("..")).flat_map(|(s, e)| period(said(s), said(e))).collect()
}

/// `402`, `402+0`, `402@trip`, or `402#vehicle`.
fn affected(text: &str) -> Affected {
    let split = |sign: char| text.split_once(sign).map(|(_, rest)| rest.to_owned());
    Affected {
        route_id: Some(text.split(['+', '@', '#']).next().unwrap().to_owned()),
        direction_id: split('+').map(|direction| direction.parse().unwrap()),
        trip_id: split('@'),
        vehicle_id: split('#'),
        ..Affected::default()
    }
}

/// The input of one line.
pub(crate) fn input(line: &str) -> Input {
    parse(line).1
}
