//! The words operators read: headlines and places, in every language from one table each. The wall's own are in `labels`.
//!
//! Knows no timetable and no map: a place is what the alarm said. These words stay inside the control room; a covert
//! alarm is named here as what it is.

use std::{borrow::Cow, collections::BTreeMap};

use alert::{AlarmKind, AlarmSource, Alert, AlertOrigin, IncidentKind, Subject};
use transit::{Coordinate, Status, Word, words};

use crate::{incident_words::incident_words, labels};

/// Characters of a headline at most: public messages hold no more.
pub const HEADLINE_CHARS: usize = 90;
/// So many characters of a name are kept before what stands in brackets is.
const NAME_CHARS: usize = 32;
/// In fewer characters a word as sent says nothing.
const WORD_CHARS_MIN: usize = 6;

words! {
    /// A language operators can ask for.
    Lang as "lang" {
        /// English.
        En = "en",
        /// Korean.
        Ko = "ko",
    }
}

impl Lang {
    /// The language of a tag such as `ko`, `ko-KR` or `EN_us`.
    pub fn find_tag(tag: &str) -> Option<Self> {
        Self::find(tag.split(['-', '_']).next().unwrap_or_default())
    }

    pub(crate) fn pick(self, (en, ko): (&'static str, &'static str)) -> &'static str {
        match self {
            Self::En => en,
            Self::Ko => ko,
        }
    }
}

/// What happened, in (English, Korean).
fn kind_words(kind: AlarmKind) -> (&'static str, &'static str) {
    match kind {
        AlarmKind::Panic => ("Panic alarm", "비상 버튼"),
        AlarmKind::Assault => ("Assault", "폭행"),
        AlarmKind::Fire => ("Fire", "화재"),
        AlarmKind::Evacuation => ("Evacuation", "승객 대피"),
        AlarmKind::Collision => ("Collision", "충돌 사고"),
        AlarmKind::SuspiciousItem => ("Suspicious item", "의심 물체"),
        AlarmKind::Medical => ("Medical emergency", "응급 환자"),
        AlarmKind::Other => ("Emergency of unknown kind", "종류 불명 비상"),
        AlarmKind::Breakdown => ("Breakdown", "차량 고장"),
        AlarmKind::CallPriority => ("Priority call request", "긴급 통화 요청"),
        AlarmKind::CallRequest => ("Call request", "통화 요청"),
    }
}

/// Who pressed, where that is worth saying.
fn source_words(source: AlarmSource) -> Option<(&'static str, &'static str)> {
    match source {
        AlarmSource::Driver => None,
        AlarmSource::Passenger => Some(("by a passenger", "승객 신고")),
        AlarmSource::Device => Some(("by a detector", "장치 감지")),
    }
}

fn status_words(status: Status) -> Option<(&'static str, &'static str)> {
    match status {
        Status::Actual => None,
        Status::Exercise => Some(("EXERCISE", "훈련")),
        Status::Test => Some(("TEST", "시험")),
    }
}

/// What a rule found, where the rule is one of ours; any other is called by its code.
fn rule_words(rule: &str, of: &Subject) -> Option<(&'static str, &'static str)> {
    let words = match rule {
        // The session by which alarms come is no feed: without it nobody hears a driver.
        "FEED.LINK" if matches!(of, Subject::System(part) if part == "emergency") => {
            ("Drivers' alarms cannot arrive", "비상 경보 수신 불가")
        }
        "FEED.LINK" => ("Feed link down", "수신 링크 단절"),
        "FEED.SILENT" => ("Feed silent", "수신 끊김"),
        "FEED.FROZEN" => ("Feed frozen", "수신 시각 정지"),
        "FEED.PARTIAL" => ("Part of the fleet not heard", "일부 차량 수신 끊김"),
        "FEED.SKEW" => ("Clock of a vehicle wrong", "차량 시계 오차"),
        "VEH.SILENT" => ("Not heard", "무응답"),
        "VEH.SPEED" => ("Too fast", "과속"),
        "VEH.CROWD" => ("Crowded", "차내 혼잡"),
        "GEO.INSIDE" => ("Inside a danger area", "위험 구역 안"),
        "GEO.HEADING" => ("Heading into a danger area", "위험 구역 진입 예상"),
        "GEO.UNACCOUNTED" => ("Vehicles unaccounted for", "소재 미확인 차량"),
        "HAZ.WEATHER" => ("Weather warning", "기상 특보"),
        "HAZ.FLOOD" => ("Flood warning", "침수 경보"),
        "HAZ.EARTHQUAKE" => ("Earthquake warning", "지진 경보"),
        "INC.SEVERE" => ("Severe incident", "중대 돌발상황"),
        "SYS.WATCHDOG" => ("Part of the service stands still", "관제 시스템 이상"),
        "SYS.POISON" => ("Message set aside unread", "판독 불가 메시지"),
        "SYS.NOTIFY" => ("Notification not delivered", "알림 발송 실패"),
        "SYS.JOURNAL" => ("Damaged records in the journal", "기록 손상"),
        _ => return None,
    };
    Some(words)
}

/// The headline's stable code, for clients that bring their own words: `alarm.` and the kind, or `rule.` and the rule.
pub fn headline_code(alert: &Alert) -> String {
    alert.kind.map_or_else(|| format!("rule.{}", alert.rule), |kind| format!("alarm.{}", kind.word()))
}

/// What the headline is made of besides its code; only what is known.
pub fn headline_args(alert: &Alert) -> BTreeMap<&'static str, String> {
    let mut args = BTreeMap::from([
        ("subject", subject_text(&alert.subject)),
        ("status", alert.status.word().to_owned()),
        ("count", alert.count.to_string()),
    ]);
    if let Some(source) = alert.source {
        args.insert("source", source.word().to_owned());
    }
    if let Some(evidence) = &alert.evidence {
        args.insert("members", evidence.members.len().to_string());
    }
    if let Some(word) = &alert.kind_word {
        args.insert("kind_word", word.clone());
    }
    if let Some(passengers) = alert.passengers {
        args.insert("passengers", passengers.to_string());
    }
    args
}

/// One line that says what happened to whom: `TEST: Fire (by a detector), vehicle 22/800, 3 times`. At most
/// [`HEADLINE_CHARS`] characters: what was sent gives way to them, what happened never does.
pub fn headline(alert: &Alert, lang: Lang) -> String {
    let status = status_words(alert.status).map(|words| format!("{}: ", lang.pick(words))).unwrap_or_default();
    let what = match alert.kind {
        Some(kind) => lang.pick(kind_words(kind)),
        None => rule_words(&alert.rule, &alert.subject).map_or(alert.rule.as_str(), |words| lang.pick(words)),
    };
    let times = match (alert.count, lang) {
        // A rule looks every second: how often it had something new to say is no news.
        _ if alert.origin == AlertOrigin::Detector => String::new(),
        (0 | 1, _) => String::new(),
        (count, Lang::En) => format!(", {count} times"),
        (count, Lang::Ko) => format!(", {count}회"),
    };
    let whom = whom_words(alert).map(|words| format!("{} ", lang.pick(words))).unwrap_or_default();
    let subject = subject_text(&alert.subject);
    let fixed: usize = [status.as_str(), what, ", ", &whom, &times].iter().map(|part| chars(part)).sum();
    let room = HEADLINE_CHARS.saturating_sub(fixed);
    // A name is worth more than what stands in brackets, up to a length at which it still tells one from another.
    let details = details(alert, lang, room.saturating_sub(chars(&subject).min(NAME_CHARS)));
    let subject = shortened(&subject, room.saturating_sub(chars(&details)));
    format!("{status}{what}{details}, {whom}{subject}{times}")
}

/// What is known more closely, in brackets, as far as it fits into `room` characters: what was sent gives way first.
fn details(alert: &Alert, lang: Lang, room: usize) -> String {
    let room = room.saturating_sub(chars(" ()"));
    let before = closer(alert, lang).filter(|words| chars(words) <= room);
    let room = room.saturating_sub(before.as_deref().map_or(0, |words| chars(words) + chars(", ")));
    let source = alert.source.and_then(source_words).map(|source| lang.pick(source));
    let source = source.filter(|source| chars(source) <= room);
    let left = room.saturating_sub(source.map_or(0, |source| chars(source) + chars(", ")) + chars("\u{201c}\u{201d}"));
    let word = sent_words(alert).filter(|_| left >= WORD_CHARS_MIN);
    let word = word.map(|word| format!("\u{201c}{}\u{201d}", shortened(word, left)));
    let parts: Vec<&str> = before.as_deref().into_iter().chain(word.as_deref()).chain(source).collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}

/// The kind of an alarm, or the title of an incident, as it was sent.
fn sent_words(alert: &Alert) -> Option<&str> {
    let title = || alert.text.as_deref().filter(|_| alert.rule.starts_with("INC."));
    let titled = || figure(alert, "title").filter(|title| !title.is_empty());
    alert.kind_word.as_deref().or_else(title).or_else(titled)
}

/// What a rule's finding is about besides its subject: what happened, which area, how many.
fn closer(alert: &Alert, lang: Lang) -> Option<String> {
    let area = figure(alert, "areas").or_else(|| figure(alert, "area"));
    match alert.rule.as_str() {
        "INC.SEVERE" => {
            figure(alert, "kind").and_then(IncidentKind::find).map(|kind| incident_words(kind, lang).to_owned())
        }
        "GEO.INSIDE" | "GEO.HEADING" => area.map(|area| shortened(area, NAME_CHARS).into_owned()),
        "GEO.UNACCOUNTED" => {
            let missed = alert.evidence.as_ref().map_or(0, |evidence| evidence.members.len());
            (missed > 0).then(|| labels::vehicles(missed, lang))
        }
        _ => None,
    }
}

fn figure<'a>(alert: &'a Alert, name: &str) -> Option<&'a str> {
    alert.evidence.as_ref()?.figures.get(name).map(String::as_str)
}

/// What kind of thing it is about, unless what happened says so.
fn whom_words(alert: &Alert) -> Option<(&'static str, &'static str)> {
    let words = match &alert.subject {
        Subject::Vehicle(_) => ("vehicle", "차량"),
        Subject::Unparsed(_) => ("unreadable sender", "식별 불가"),
        Subject::Feed { .. } | Subject::System(_) if alert.rule.starts_with("FEED.") => return None,
        Subject::Feed { .. } => ("feed", "피드"),
        Subject::Area(_) => ("area", "구역"),
        Subject::Incident(_) if alert.rule.starts_with("INC.") => return None,
        Subject::Incident(_) => ("incident", "돌발상황"),
        Subject::Stop(_) => ("stop", "정류소"),
        Subject::Line(_) => ("route", "노선"),
        Subject::System(_) => ("system", "시스템"),
    };
    Some(words)
}

fn chars(text: &str) -> usize {
    text.chars().count()
}

/// `text` in at most `max` characters. What is left out is its middle: the end of an id tells one from another.
fn shortened(text: &str, max: usize) -> Cow<'_, str> {
    let length = chars(text);
    if length <= max {
        return Cow::Borrowed(text);
    }
    let kept = max.saturating_sub(1);
    let head = kept / 3;
    let head_text: String = text.chars().take(head).collect();
    let tail: String = text.chars().skip(length - (kept - head)).collect();
    Cow::Owned(if max == 0 { String::new() } else { format!("{head_text}\u{2026}{tail}") })
}

/// Where the alarm said it was: degrees north and east, marked when its numbers are doubtful; a text even when it said
/// nothing.
pub fn place_text(alert: &Alert, lang: Lang) -> String {
    let at = alert.lat.zip(alert.lon).and_then(|(lat, lon)| Coordinate::parse(lat, lon).ok());
    position_text(at, alert.quality.iter().any(|flag| flag == "null_island"), lang)
}

/// A place in words: degrees north and east with five decimals (1 m), or that it is unknown.
pub fn position_text(at: Option<Coordinate>, doubtful: bool, lang: Lang) -> String {
    match at {
        None => lang.pick(("place unknown", "위치 미상")).to_owned(),
        Some(at) if doubtful => {
            format!("{:.5},{:.5} ({})", at.lat(), at.lon(), lang.pick(("doubtful", "부정확")))
        }
        Some(at) => format!("{:.5},{:.5}", at.lat(), at.lon()),
    }
}

fn subject_text(subject: &Subject) -> String {
    match subject {
        Subject::Vehicle(key) => key.spoken(),
        Subject::Feed { feed, scope: None } => feed.to_string(),
        Subject::Feed { feed, scope: Some(scope) } => format!("{feed} {scope}"),
        Subject::Unparsed(text)
        | Subject::Area(text)
        | Subject::Incident(text)
        | Subject::Stop(text)
        | Subject::Line(text)
        | Subject::System(text) => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use expect_test::expect;
    use transit::{AgencyId, FeedId, VehicleId, VehicleKey};

    use super::*;
    use crate::samples;

    #[test]
    fn every_kind_source_and_status_has_its_own_headline_in_every_language() {
        let mut seen = BTreeSet::new();
        for kind in AlarmKind::ALL {
            for source in AlarmSource::ALL {
                for status in Status::ALL {
                    for lang in Lang::ALL {
                        let alert =
                            Alert { kind: Some(*kind), source: Some(*source), status: *status, ..samples::panic() };
                        let line = headline(&alert, *lang);
                        assert!(line.contains("22/800"), "{line}");
                        assert!(seen.insert(line.clone()), "{line} twice");
                        let korean = line.chars().any(|c| ('가'..='힣').contains(&c));
                        assert_eq!(korean, *lang == Lang::Ko, "{line}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_headline_says_what_who_whom_and_how_often() {
        let mut alert = samples::panic();
        expect!["Panic alarm, vehicle 22/800"].assert_eq(&headline(&alert, Lang::En));
        alert.kind = Some(AlarmKind::Other);
        alert.kind_word = Some("sinkhole".to_owned());
        alert.source = Some(AlarmSource::Passenger);
        alert.status = Status::Exercise;
        alert.count = 3;
        expect!["EXERCISE: Emergency of unknown kind (“sinkhole”, by a passenger), vehicle 22/800, 3 times"]
            .assert_eq(&headline(&alert, Lang::En));
        expect!["훈련: 종류 불명 비상 (“sinkhole”, 승객 신고), 차량 22/800, 3회"]
            .assert_eq(&headline(&alert, Lang::Ko));
        alert.subject = Subject::Unparsed("a/b/c".to_owned());
        alert.count = 1;
        expect!["EXERCISE: Emergency of unknown kind (“sinkhole”, by a passenger), unreadable sender a/b/c"]
            .assert_eq(&headline(&alert, Lang::En));
        assert_eq!(headline_code(&alert), "alarm.other");
        assert_eq!(headline_args(&alert)["kind_word"], "sinkhole");
    }

    /// Every rule that raises an alert or is listed as an exception, by whom ever.
    const RULES: &[&str] = &[
        "FEED.LINK",
        "FEED.SILENT",
        "FEED.FROZEN",
        "FEED.PARTIAL",
        "FEED.SKEW",
        "VEH.SILENT",
        "VEH.SPEED",
        "VEH.CROWD",
        "GEO.INSIDE",
        "GEO.HEADING",
        "GEO.UNACCOUNTED",
        "HAZ.WEATHER",
        "HAZ.FLOOD",
        "HAZ.EARTHQUAKE",
        "INC.SEVERE",
        "SYS.WATCHDOG",
        "SYS.POISON",
        "SYS.NOTIFY",
        "SYS.JOURNAL",
    ];

    fn subjects(id: &str) -> Vec<Subject> {
        let key = VehicleKey { agency: AgencyId::parse(id).unwrap(), vehicle: VehicleId::parse(id).unwrap() };
        vec![
            Subject::Vehicle(key),
            Subject::Feed { feed: FeedId::parse(id).unwrap(), scope: Some(id.to_owned()) },
            Subject::Unparsed(id.repeat(4)),
            Subject::Area(id.to_owned()),
            Subject::Incident(format!("{id}/{id}")),
            Subject::Stop(id.to_owned()),
            Subject::Line(id.to_owned()),
            Subject::System(id.to_owned()),
        ]
    }

    #[test]
    fn every_headline_fits_a_public_message_and_keeps_what_happened() {
        let long: String = "역삼운수-가나다라".chars().cycle().take(60).chain("4711".chars()).collect();
        let mut longest = 0;
        for subject in subjects(&long) {
            for (status, lang) in
                Status::ALL.iter().flat_map(|status| Lang::ALL.iter().map(move |lang| (*status, *lang)))
            {
                let sent = || Alert { status, count: u32::MAX, subject: subject.clone(), ..samples::panic() };
                let kinds = AlarmKind::ALL.iter().flat_map(|kind| AlarmSource::ALL.iter().map(move |by| (*kind, *by)));
                let of_kinds = kinds.map(|(kind, source)| {
                    let alert =
                        Alert { kind: Some(kind), source: Some(source), kind_word: Some(long.repeat(3)), ..sent() };
                    (alert, lang.pick(kind_words(kind)))
                });
                let of_rules = RULES.iter().chain(&["SOME.RULE_OF_TOMORROW"]).map(|rule| {
                    let alert = Alert { kind: None, source: None, rule: (*rule).to_owned(), ..sent() };
                    (alert, rule_words(rule, &subject).map_or(*rule, |words| lang.pick(words)))
                });
                for (alert, what) in of_kinds.chain(of_rules) {
                    let line = headline(&alert, lang);
                    assert!(chars(&line) <= HEADLINE_CHARS, "{} characters: {line}", chars(&line));
                    assert!(line.contains(what), "{what} is cut: {line}");
                    assert!(line.contains("11"), "the end of the name is cut: {line}");
                    longest = longest.max(chars(&line));
                }
            }
        }
        assert_eq!(longest, HEADLINE_CHARS, "the bound was reached");
    }

    #[test]
    fn every_rule_is_said_in_words_and_no_two_alike() {
        let mut seen = BTreeSet::new();
        for rule in RULES {
            let (en, ko) = rule_words(rule, &samples::panic().subject).unwrap_or_else(|| panic!("{rule} has no words"));
            assert!(seen.insert(en) && seen.insert(ko), "{rule}: {en} {ko}");
        }
        let mut alert = Alert { kind: None, rule: "FEED.SILENT".to_owned(), source: None, ..samples::panic() };
        alert.subject = Subject::Feed { feed: FeedId::parse("hfp").unwrap(), scope: Some("22".to_owned()) };
        expect!["Feed silent, hfp 22"].assert_eq(&headline(&alert, Lang::En));
        expect!["수신 끊김, hfp 22"].assert_eq(&headline(&alert, Lang::Ko));
        alert.rule = "FEED.LINK".to_owned();
        alert.subject = Subject::System("emergency".to_owned());
        expect!["Drivers' alarms cannot arrive, emergency"].assert_eq(&headline(&alert, Lang::En));
        alert.subject = Subject::System("broker".to_owned());
        expect!["Feed link down, broker"].assert_eq(&headline(&alert, Lang::En));
        alert.rule = "GEO.INSIDE".to_owned();
        alert.subject = samples::panic().subject;
        expect!["위험 구역 안, 차량 22/800"].assert_eq(&headline(&alert, Lang::Ko));
        let figures = |figures: [(&str, &str); 1]| {
            let figures = figures.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
            Some(alert::Evidence { figures, ..alert::Evidence::default() })
        };
        alert.evidence = figures([("areas", "topis/77")]);
        (alert.origin, alert.count) = (AlertOrigin::Detector, 3);
        expect!["Inside a danger area (topis/77), vehicle 22/800"].assert_eq(&headline(&alert, Lang::En));
        let inside = alert.clone();
        alert.rule = "INC.SEVERE".to_owned();
        alert.subject = Subject::Incident("river/f1".to_owned());
        alert.text = Some("Underpass under water".to_owned());
        alert.evidence = figures([("kind", "flood")]);
        expect!["Severe incident (flood, “Underpass under water”), river/f1"].assert_eq(&headline(&alert, Lang::En));
        expect!["중대 돌발상황 (침수, “Underpass under water”), river/f1"].assert_eq(&headline(&alert, Lang::Ko));
        alert.rule = "HAZ.WEATHER".to_owned();
        alert.evidence = figures([("title", "호우경보")]);
        expect!["기상 특보 (“호우경보”), 돌발상황 river/f1"].assert_eq(&headline(&alert, Lang::Ko));
        alert.rule = "GEO.UNACCOUNTED".to_owned();
        alert.subject = Subject::Area("river/f1".to_owned());
        let members = vec![samples::panic().subject, Subject::Stop("7".to_owned())];
        alert.evidence = Some(alert::Evidence { members, ..alert::Evidence::default() });
        expect!["Vehicles unaccounted for (2 vehicles), area river/f1"].assert_eq(&headline(&alert, Lang::En));
        alert = Alert { evidence: None, ..inside };
        alert.subject = Subject::Vehicle(VehicleKey::parse("서울/74사1234").unwrap());
        expect!["위험 구역 안, 차량 서울/74사1234"].assert_eq(&headline(&alert, Lang::Ko));
        alert.subject = samples::panic().subject;
        alert.rule = "SOME.RULE".to_owned();
        expect!["SOME.RULE, vehicle 22/800"].assert_eq(&headline(&alert, Lang::En));
        assert_eq!(headline_code(&alert), "rule.SOME.RULE");
    }

    #[test]
    fn what_is_left_out_of_a_name_is_its_middle() {
        assert_eq!(shortened("22/800", 6), "22/800");
        assert_eq!(shortened("agency/4711", 8), "ag\u{2026}/4711");
        assert_eq!(shortened("가나다라마", 4), "가\u{2026}라마");
        assert_eq!((&*shortened("abc", 1), &*shortened("abc", 0)), ("\u{2026}", ""));
    }

    #[test]
    fn a_place_is_never_invented() {
        let mut alert = samples::panic();
        expect!["60.17000,24.94000"].assert_eq(&place_text(&alert, Lang::En));
        alert.quality = vec!["null_island".to_owned()];
        alert.lat = Some(0.0);
        alert.lon = Some(0.0);
        expect!["0.00000,0.00000 (doubtful)"].assert_eq(&place_text(&alert, Lang::En));
        alert.lat = Some(f64::NAN);
        expect!["위치 미상"].assert_eq(&place_text(&alert, Lang::Ko));
        alert.lat = None;
        expect!["place unknown"].assert_eq(&place_text(&alert, Lang::En));
    }

    #[test]
    fn a_language_is_found_by_its_tag() {
        assert_eq!(Lang::find_tag("ko-KR"), Some(Lang::Ko));
        assert_eq!(Lang::find_tag("EN"), Some(Lang::En));
        assert_eq!(Lang::find_tag("fi"), None);
    }
}
