//! The words operators read: headlines, places and the labels of the text wall, in every language from one table each.
//!
//! Knows no timetable and no map: a place is what the alarm said. These words stay inside the control room; a covert
//! alarm is named here as what it is.

use std::{borrow::Cow, collections::BTreeMap};

use alert::{AlarmKind, AlarmSource, Alert, Subject};
use transit::{Coordinate, Status, Word, words};

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

/// A label of the text wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    Vehicles,
    Feeds,
    Alerts,
    Open,
    Degraded,
    Since,
    Nothing,
    NoFeeds,
    NoAlerts,
    NobodyHasIt,
    NotOnDisk,
    PlaceUnknown,
    Doubtful,
    Clock,
    More,
}

impl Label {
    pub(crate) fn text(self, lang: Lang) -> &'static str {
        lang.pick(match self {
            Self::Vehicles => ("vehicles", "차량"),
            Self::Feeds => ("FEEDS", "수신원"),
            Self::Alerts => ("ALERTS", "경보"),
            Self::Open => ("open", "미종결"),
            Self::Degraded => ("DEGRADED", "장애"),
            Self::Since => ("since", "시작"),
            Self::Nothing => ("nothing", "없음"),
            Self::NoFeeds => ("no feed is configured", "설정된 수신원 없음"),
            Self::NoAlerts => ("no open alert", "미종결 경보 없음"),
            Self::NobodyHasIt => ("NOBODY", "미확인"),
            Self::NotOnDisk => ("NOT ON DISK", "기록 안 됨"),
            Self::PlaceUnknown => ("place unknown", "위치 미상"),
            Self::Doubtful => ("doubtful", "의심"),
            Self::Clock => ("clock", "시계"),
            Self::More => ("more", "건 더"),
        })
    }
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

/// One line that says what happened to whom: `TEST: Fire (by a detector), vehicle 22/800, 3 times`.
pub fn headline(alert: &Alert, lang: Lang) -> String {
    let mut line = String::new();
    if let Some(status) = status_words(alert.status) {
        line.push_str(lang.pick(status));
        line.push_str(": ");
    }
    match alert.kind {
        Some(kind) => line.push_str(lang.pick(kind_words(kind))),
        None => line.push_str(&alert.rule),
    }
    let details: Vec<Cow<'_, str>> = [
        alert.kind_word.as_ref().map(|word| Cow::Owned(format!("\u{201c}{word}\u{201d}"))),
        alert.source.and_then(source_words).map(|source| Cow::Borrowed(lang.pick(source))),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !details.is_empty() {
        line.push_str(&format!(" ({})", details.join(", ")));
    }
    let whom = match &alert.subject {
        Subject::Vehicle(_) => lang.pick(("vehicle", "차량")),
        Subject::Unparsed(_) => lang.pick(("unreadable sender", "식별 불가")),
        Subject::Feed { .. } => lang.pick(("feed", "피드")),
        Subject::Area(_) => lang.pick(("area", "구역")),
        Subject::Incident(_) => lang.pick(("incident", "돌발상황")),
        Subject::Stop(_) => lang.pick(("stop", "정류소")),
        Subject::Line(_) => lang.pick(("route", "노선")),
        Subject::System(_) => lang.pick(("system", "시스템")),
    };
    line.push_str(&format!(", {whom} {}", subject_text(&alert.subject)));
    if alert.count > 1 {
        line.push_str(&match lang {
            Lang::En => format!(", {} times", alert.count),
            Lang::Ko => format!(", {}회", alert.count),
        });
    }
    line
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
        None => Label::PlaceUnknown.text(lang).to_owned(),
        Some(at) if doubtful => format!("{:.5},{:.5} ({})", at.lat(), at.lon(), Label::Doubtful.text(lang)),
        Some(at) => format!("{:.5},{:.5}", at.lat(), at.lon()),
    }
}

fn subject_text(subject: &Subject) -> String {
    match subject {
        Subject::Vehicle(key) => key.to_string(),
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
