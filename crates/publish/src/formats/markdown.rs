//! Markdown: a report that a chief reads, in a browser or as it is.
//!
//! Nothing a stranger wrote can become a link, a picture, HTML, a heading or a row of its own: every sign that Markdown
//! could read is escaped, and what ends a line or turns the direction of writing is shown as a dot.

use std::fmt::Display;

use alert::{Alert, AlertId, Incident};
use transit::{Status, UtcMillis, Word};

use super::text::{append, line, plain};
use crate::{
    FormatDef, Lang, headline, place_text,
    recording::{Lack, LackKind, RecordedFor, RecordedVehicle, Recording},
    report::{Report, TimelineEntry},
};

/// The registry entry.
pub const FORMAT: FormatDef = FormatDef {
    code: "md",
    media_type: "text/markdown; charset=utf-8",
    doc: "Markdown to read; what strangers wrote is escaped, and long ways are thinned, saying so.",
    own_route: false,
    vehicles: None,
    alerts: None,
    incidents: None,
    reports: Some(report_markdown),
};

/// Points shown of the way of a vehicle that an alert is about; the others are summed up in one row.
const POINTS_SHOWN: usize = 40;

/// What Markdown could read as anything but the sign itself.
const SIGNS: [char; 25] = [
    '\\', '`', '*', '_', '{', '}', '[', ']', '<', '>', '(', ')', '#', '+', '-', '.', '!', '|', '~', '&', '=', ':', '@',
    '"', '$',
];

/// A stranger's words.
fn safe(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for c in plain(words).chars() {
        if SIGNS.contains(&c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn or_dash(words: Option<&str>) -> String {
    words.map_or_else(|| "—".to_owned(), safe)
}

fn shown<T: Display>(value: Option<T>) -> String {
    value.map_or_else(|| "—".to_owned(), |value| value.to_string())
}

/// A table of rows whose cells are safe already.
struct Table<const N: usize> {
    head: [&'static str; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    fn new(head: [(&'static str, &'static str); N], lang: Lang) -> Self {
        Self { head: head.map(|words| lang.pick(words)), rows: Vec::new() }
    }

    fn push_to(&self, text: &mut String) {
        line(text, format_args!("| {} |", self.head.join(" | ")));
        line(text, format_args!("|{}", "---|".repeat(N)));
        for row in &self.rows {
            line(text, format_args!("| {} |", row.join(" | ")));
        }
        text.push('\n');
    }
}

fn heading(text: &mut String, level: usize, words: impl Display) {
    line(text, format_args!("{} {words}", "#".repeat(level)));
    text.push('\n');
}

fn paragraph(text: &mut String, words: impl Display) {
    line(text, format_args!("{words}"));
    text.push('\n');
}

/// A report as Markdown.
pub fn report_markdown(report: &Report<'_>, lang: Lang) -> Vec<u8> {
    let mut text = String::new();
    push_title(&mut text, report, lang);
    if let Some(incident) = report.incident {
        push_incident(&mut text, incident, lang);
    }
    for reported in &report.alerts {
        push_alert(&mut text, reported.alert, report.incident.is_some(), lang);
    }
    push_timeline(&mut text, report, lang);
    push_owners(&mut text, report, lang);
    push_marks(&mut text, report, lang);
    for (alert, recording) in report.recordings() {
        push_recording(&mut text, &alert.id, recording, lang);
    }
    push_unknown(&mut text, report, lang);
    let kept = text.trim_end().len();
    text.truncate(kept);
    text.push('\n');
    text.into_bytes()
}

fn push_title(text: &mut String, report: &Report<'_>, lang: Lang) {
    let word = lang.pick(("Report", "보고서"));
    match (report.incident, report.alerts.first()) {
        (Some(incident), _) => {
            let name = safe(&incident.report.key.to_string());
            heading(text, 1, format_args!("{word}: {} {name}", lang.pick(("incident", "돌발상황"))));
        }
        (None, Some(reported)) => {
            let id = &reported.alert.id;
            heading(text, 1, format_args!("{word}: {} {} ({id})", lang.pick(("alert", "경보")), id.number));
        }
        (None, None) => heading(text, 1, word),
    }
    paragraph(text, format_args!("{} {}", lang.pick(("As of", "기준 시각")), report.as_of));
    let status = report.incident.map(|incident| incident.report.status);
    let status = status.or_else(|| report.alerts.first().map(|reported| reported.alert.status));
    match status {
        Some(Status::Exercise) => paragraph(text, format_args!("**{}**", lang.pick(("EXERCISE", "훈련")))),
        Some(Status::Test) => paragraph(text, format_args!("**{}**", lang.pick(("TEST", "시험")))),
        Some(Status::Actual) | None => {}
    }
}

fn facts(text: &mut String, lang: Lang, rows: Vec<((&'static str, &'static str), String)>) {
    let mut table = Table::new([("fact", "항목"), ("value", "내용")], lang);
    table.rows = rows.into_iter().map(|(name, value)| [lang.pick(name).to_owned(), value]).collect();
    table.push_to(text);
}

fn push_incident(text: &mut String, incident: &Incident, lang: Lang) {
    let report = &incident.report;
    let degrees = report.lat.zip(report.lon).map(|(lat, lon)| format!("{lat:.5},{lon:.5}"));
    let severity = format!(
        "{}{}",
        incident.severity.word(),
        if incident.severity_defaulted { lang.pick((" (by kind)", " (종류 기본값)")) } else { "" }
    );
    facts(
        text,
        lang,
        vec![
            (("title", "제목"), or_dash(report.title.as_deref())),
            (("kind", "종류"), report.kind.word().to_owned()),
            (("severity", "심각도"), severity),
            (("state", "상태"), incident.phase.word().to_owned()),
            (("place", "위치"), shown(degrees)),
            (("opened", "개시"), incident.opened_at.to_string()),
            (("closed", "종료"), shown(incident.closed_at)),
        ],
    );
}

fn push_alert(text: &mut String, alert: &Alert, among_others: bool, lang: Lang) {
    if among_others {
        heading(text, 2, format_args!("{} {} ({})", lang.pick(("Alert", "경보")), alert.id.number, alert.id));
    }
    paragraph(text, format_args!("**{}**", safe(&headline(alert, lang))));
    let owner = alert.acknowledgement.as_ref();
    let closing = alert.closing.as_ref();
    let ended = closing.map(|closing| {
        let by = closing.by.as_deref().map(|by| format!(", {}", safe(by))).unwrap_or_default();
        format!("{} ({}{by})", closing.at, closing.reason.word())
    });
    facts(
        text,
        lang,
        vec![
            (("priority, class", "우선순위, 분류"), format!("{}, {}", alert.priority.word(), alert.class.word())),
            (("rule", "규칙"), safe(&alert.rule)),
            (("about", "대상"), safe(&alert.subject.to_string())),
            (("place as said", "신고 위치"), safe(&place_text(alert, lang))),
            (("pressed, by its own clock", "누른 시각 (장치)"), shown(alert.event_at)),
            (("reached us", "수신"), alert.received_at.to_string()),
            (("raised", "발령"), alert.raised_at.to_string()),
            (("state", "상태"), alert.condition.word().to_owned()),
            (("owner", "담당자"), or_dash(owner.map(|owner| owner.by.as_str()))),
            (("presses", "횟수"), alert.count.to_string()),
            (("passengers", "승객"), shown(alert.passengers)),
            (("text", "내용"), or_dash(alert.text.as_deref())),
            (("closed", "종료"), shown(ended)),
        ],
    );
}

/// Of what: an alert by its number, or the incident.
fn about(alert: Option<&AlertId>, lang: Lang) -> String {
    alert.map_or_else(|| lang.pick(("incident", "돌발상황")).to_owned(), |id| id.number.to_string())
}

fn push_timeline(text: &mut String, report: &Report<'_>, lang: Lang) {
    heading(text, 2, lang.pick(("Timeline", "경과")));
    let head = [
        ("when", "시각"),
        ("alert", "경보"),
        ("what", "사건"),
        ("who", "주체"),
        ("desk", "자리"),
        ("from", "이전"),
        ("to", "이후"),
        ("words", "내용"),
    ];
    let mut table = Table::new(head, lang);
    table.rows = report.timeline().iter().map(|row| timeline_row(row, lang)).collect();
    table.push_to(text);
}

fn timeline_row(row: &TimelineEntry<'_>, lang: Lang) -> [String; 8] {
    let entry = row.entry;
    [
        entry.at.to_string(),
        about(row.alert, lang),
        safe(&entry.reason),
        format!("{} ({})", safe(&entry.actor), safe(&entry.actor_kind)),
        or_dash(entry.desk.as_deref()),
        safe(&entry.from),
        safe(&entry.to),
        or_dash(entry.comment.as_deref()),
    ]
}

fn push_owners(text: &mut String, report: &Report<'_>, lang: Lang) {
    heading(text, 2, lang.pick(("Owners", "담당")));
    let owners = report.owners();
    if owners.is_empty() {
        return paragraph(text, lang.pick(("Nobody has taken it.", "담당자가 없었다.")));
    }
    let head = [
        ("alert", "경보"),
        ("who", "담당자"),
        ("desk", "자리"),
        ("from", "부터"),
        ("until", "까지"),
        ("ended by", "종료 사유"),
    ];
    let mut table = Table::new(head, lang);
    for owner in &owners {
        table.rows.push([
            about(Some(owner.alert), lang),
            or_dash(owner.owner),
            or_dash(owner.desk),
            owner.from.to_string(),
            shown(owner.until),
            or_dash(owner.ended_by),
        ]);
    }
    table.push_to(text);
}

fn push_marks(text: &mut String, report: &Report<'_>, lang: Lang) {
    heading(text, 2, lang.pick(("Marks", "조치 표시")));
    let marks = report.marks();
    if marks.is_empty() {
        return paragraph(text, lang.pick(("None.", "없음.")));
    }
    let head = [
        ("alert", "경보"),
        ("step", "조치"),
        ("party", "기관"),
        ("reference", "번호"),
        ("reached", "도달"),
        ("noted", "기록"),
        ("by", "기록자"),
        ("words", "내용"),
    ];
    let mut table = Table::new(head, lang);
    for marked in &marks {
        table.rows.push([
            about(Some(marked.alert), lang),
            marked.mark.map_or_else(|| "—".to_owned(), |mark| mark.step.word().to_owned()),
            or_dash(marked.mark.and_then(|mark| mark.party.as_deref())),
            or_dash(marked.mark.and_then(|mark| mark.reference.as_deref())),
            shown(marked.mark.and_then(|mark| mark.time)),
            marked.entry.at.to_string(),
            safe(&marked.entry.actor),
            or_dash(marked.entry.comment.as_deref()),
        ]);
    }
    table.push_to(text);
}

fn push_recording(text: &mut String, alert: &AlertId, recording: &Recording, lang: Lang) {
    heading(text, 2, format_args!("{} {}", lang.pick(("Vehicles around alert", "주변 차량, 경보")), alert.number));
    let end = recording.ended_at.map_or_else(|| lang.pick(("not ended", "계속 중")).to_owned(), |at| at.to_string());
    let place = recording.place.map(|at| format!("{:.5},{:.5}", at.lat(), at.lon()));
    paragraph(
        text,
        match lang {
            Lang::En => format!(
                "Recorded from {} min before the raise on; begun {}, end: {end}. Near is within {} m of {}.",
                recording.before_minutes,
                recording.begun_at,
                recording.radius_m,
                shown(place),
            ),
            Lang::Ko => format!(
                "발령 {}분 전부터 기록. 기록 시작 {}, 끝: {end}. 반경 {} m, 중심 {}.",
                recording.before_minutes,
                recording.begun_at,
                recording.radius_m,
                shown(place),
            ),
        },
    );
    let head = [
        ("vehicle", "차량"),
        ("why", "이유"),
        ("metres away", "거리 m"),
        ("points", "지점"),
        ("doubtful", "의심"),
        ("first", "처음"),
        ("last", "마지막"),
        ("last place", "마지막 위치"),
    ];
    let mut table = Table::new(head, lang);
    for vehicle in &recording.vehicles {
        let last = vehicle.points.last();
        table.rows.push([
            safe(&vehicle.key.to_string()),
            vehicle.why.word().to_owned(),
            shown(vehicle.distance_m.map(f64::round)),
            vehicle.recorded.to_string(),
            vehicle.doubtful.to_string(),
            shown(vehicle.points.first().map(|point| point.event_time)),
            shown(last.map(|point| point.event_time)),
            shown(last.map(|point| format!("{:.5},{:.5}", point.coordinate.lat(), point.coordinate.lon()))),
        ]);
    }
    table.push_to(text);
    for vehicle in recording.vehicles.iter().filter(|vehicle| vehicle.why != RecordedFor::Near) {
        push_way(text, vehicle, lang);
    }
}

fn push_way(text: &mut String, vehicle: &RecordedVehicle, lang: Lang) {
    if vehicle.points.is_empty() {
        return;
    }
    heading(text, 3, format_args!("{} {}", lang.pick(("Positions of", "이동 경로:")), safe(&vehicle.key.to_string())));
    let step = vehicle.points.len().div_ceil(POINTS_SHOWN);
    let last = vehicle.points.len() - 1;
    let head = [
        ("time, by its own clock", "시각 (장치)"),
        ("lat", "위도"),
        ("lon", "경도"),
        ("m/s", "m/s"),
        ("course", "방향"),
        ("doubts", "의심"),
    ];
    let mut table = Table::new(head, lang);
    for (_, point) in vehicle.points.iter().enumerate().filter(|(at, _)| at % step == 0 || *at == last) {
        let doubts: Vec<&str> = point.doubts().map(Word::word).collect();
        table.rows.push([
            point.event_time.to_string(),
            format!("{:.5}", point.coordinate.lat()),
            format!("{:.5}", point.coordinate.lon()),
            shown(point.speed_mps),
            shown(point.bearing),
            if doubts.is_empty() { "—".to_owned() } else { safe(&doubts.join(", ")) },
        ]);
    }
    let count = table.rows.len();
    table.push_to(text);
    if u64::try_from(count).unwrap_or(u64::MAX) < vehicle.recorded {
        let recorded = vehicle.recorded;
        paragraph(
            text,
            match lang {
                Lang::En => format!("{count} of {recorded} points, spread evenly; more with f=csv or f=json."),
                Lang::Ko => format!("전체 {recorded}개 중 {count}개, 고르게 추림; f=csv 또는 f=json에 더 있음."),
            },
        );
    }
}

fn push_unknown(text: &mut String, report: &Report<'_>, lang: Lang) {
    heading(text, 2, lang.pick(("What was not known", "알 수 없었던 것")));
    let unknown = report.unknown();
    if unknown.is_empty() {
        return paragraph(text, lang.pick(("Nothing is known to be missing.", "빠진 것으로 알려진 것은 없음.")));
    }
    for missing in &unknown {
        let mut row = String::from("- ");
        if let Some(alert) = missing.alert.filter(|_| report.incident.is_some()) {
            append(&mut row, format_args!("{} {}, ", lang.pick(("alert", "경보")), alert.number));
        }
        row.push_str(&lack_text(&missing.lack, lang));
        line(text, format_args!("{row}"));
    }
}

/// One thing that was not known, as a sentence.
fn lack_text(lack: &Lack, lang: Lang) -> String {
    let mut words = String::new();
    if let Some(vehicle) = &lack.vehicle {
        append(&mut words, format_args!("{}: ", safe(&vehicle.to_string())));
    }
    words.push_str(lang.pick(lack_words(lack.what)));
    if let Some(count) = lack.count {
        append(&mut words, format_args!(", {count}"));
    }
    if let Some(detail) = &lack.detail {
        append(&mut words, format_args!(" ({})", safe(detail)));
    }
    if let Some(since) = lack.since {
        let until: Option<UtcMillis> = lack.until;
        append(&mut words, format_args!(", {since} – {}", until.map_or_else(String::new, |until| until.to_string())));
    }
    words
}

fn lack_words(what: LackKind) -> (&'static str, &'static str) {
    match what {
        LackKind::NoPlace => {
            ("no place is known, so nobody near could be chosen", "위치를 몰라 주변 차량을 고를 수 없었음")
        }
        LackKind::NoPosition => ("has no position", "위치 없음"),
        LackKind::Unaccounted => ("was never accounted for", "소재 미확인"),
        LackKind::NeverHeard => ("was never heard", "수신된 적 없음"),
        LackKind::Silent => ("silent", "수신 끊김"),
        LackKind::Doubtful => ("doubtful", "의심스러움"),
        LackKind::NeverSaid => ("never said", "보고되지 않은 항목"),
        LackKind::VehiclesLeftOut => ("more vehicles were near than are recorded", "기록되지 않은 주변 차량"),
        LackKind::PointsDropped => ("points dropped, over the hourly budget", "시간당 한도를 넘어 버려진 지점"),
        LackKind::NotRecorded => ("not recorded", "기록되지 않음"),
        LackKind::NoRecording => ("there is no recording", "기록 없음"),
        LackKind::RecordingOff => ("recording is switched off", "기록 기능이 꺼져 있음"),
        LackKind::Unreadable => ("the recording, or lines of it, cannot be read", "기록을 읽을 수 없음"),
        LackKind::PointsThinned => ("points recorded and left out here, evenly", "고르게 추려 여기서 뺀 지점"),
        LackKind::NotDurable => ("not on disk", "디스크에 기록되지 않음"),
        LackKind::RepeatsFolded => ("repeats counted and not listed", "세기만 하고 나열하지 않은 반복"),
        LackKind::AlertsLeftOut => ("alerts left out here", "여기서 뺀 경보"),
    }
}

#[cfg(test)]
mod tests;
