//! From a CAP alert's elements to an incident report.

use std::collections::BTreeMap;

use alert::{
    ActivePeriod, Certainty, IncidentKey, IncidentKind, IncidentPhase, IncidentReport, IncidentWithdrawal, Severity,
    Urgency,
};
use transit::{Status, UtcMillis, Word};

use super::{area, kinds, references, xml::Element};
use crate::{
    Frame, Message, ProblemCode,
    feeds::{Out, Source, fingerprint},
    fields::{Notes, clean},
};

const TITLE_CHARS: usize = 200;
const TEXT_CHARS: usize = 4_000;
const NAME_CHARS: usize = 128;
/// Blocks of `info` that are read.
const INFOS_MAX: usize = 200;

/// What a message wants to be.
enum Purpose {
    /// Tells of an incident.
    Tell,
    /// Takes one back.
    Cancel,
    /// Nothing for a control room: receipts between machines, drafts, the network's own housekeeping.
    Aside(&'static str),
}

pub(super) fn decode(source: &Source, frame: &Frame<'_>, alert: &Element, out: &mut Out) {
    let notes = &mut out.notes;
    let identity = references::identity(alert, notes);
    if let Some(identity) = &identity
        && !source.hears(&identity.key.source)
    {
        let detail = "is none that this feed lists; only those may send warnings and take theirs back";
        return notes.reject(ProblemCode::BadId, Some("sender"), detail);
    }
    let sent = sent(alert, notes);
    let (status, scope, purpose) = (status(alert, notes), scope(alert, notes), purpose(alert, notes));
    let (Some(identity), Some(sent), Some(status), Some(is_public), Some(purpose)) =
        (identity, sent, status, scope, purpose)
    else {
        return;
    };
    let (cancelled, status) = match (purpose, status) {
        (Purpose::Aside(why), _) => return notes.warn(ProblemCode::UnknownWord, "msgType", why),
        (_, Standing::Aside(why)) => return notes.warn(ProblemCode::UnknownWord, "status", why),
        (Purpose::Cancel, Standing::Counts(status)) => (true, status),
        (Purpose::Tell, Standing::Counts(status)) => (false, status),
    };
    let infos: Vec<&Element> = alert.all("info").take(INFOS_MAX).collect();
    let (version, names) = (u64::try_from(sent.0).ok(), identity.names);
    let bare = IncidentReport { version, status, cancelled, names, ..blank(source, frame, identity.key) };
    let report = match (cancelled, told(&bare, sent, is_public, &infos, notes)) {
        // Taken back is taken back, whatever is wrong with the rest of the message.
        (true, told) => told.unwrap_or(bare),
        (false, Some(told)) => told,
        (false, None) => return,
    };
    let phase = if cancelled { IncidentPhase::Closed } else { IncidentPhase::Active };
    out.messages.push(Message::Incident(Box::new(IncidentReport { phase, ..report })));
    if cancelled {
        let withdrawal = |key| IncidentWithdrawal { key, feed: source.feed.clone(), received_at: frame.received_at };
        out.messages.extend(identity.listed.into_iter().map(withdrawal).map(Message::Withdrawal));
    }
}

/// A report that says nothing yet.
fn blank(source: &Source, frame: &Frame<'_>, key: IncidentKey) -> IncidentReport {
    IncidentReport {
        key,
        feed: source.feed.clone(),
        version: None,
        phase: IncidentPhase::Active,
        status: Status::Actual,
        kind: IncidentKind::Other,
        kind_word: None,
        subkind: None,
        severity: None,
        urgency: None,
        certainty: None,
        effect: None,
        active_periods: Vec::new(),
        expected_end: None,
        lat: None,
        lon: None,
        geometry: None,
        radius_m: None,
        affects: Vec::new(),
        title: None,
        text: BTreeMap::new(),
        public_title: None,
        public_text: BTreeMap::new(),
        road_control: None,
        areas: Vec::new(),
        cancelled: false,
        proposes_clear: false,
        names: Vec::new(),
        fingerprint: fingerprint(frame.topic, frame.payload),
        retained: frame.retained,
        received_at: frame.received_at,
    }
}

/// `bare` with what the blocks of info say: the worst of them gives the facts, all of them texts, areas and periods.
/// `None` when a block is invalid; what is wrong is noted.
fn told(
    bare: &IncidentReport,
    sent: UtcMillis,
    is_public: bool,
    infos: &[&Element],
    notes: &mut Notes,
) -> Option<IncidentReport> {
    let read: Vec<Option<InfoBlock<'_>>> =
        infos.iter().enumerate().map(|(i, info)| InfoBlock::read(i, info, notes)).collect();
    let read: Vec<InfoBlock<'_>> = read.into_iter().collect::<Option<_>>()?;
    let Some(main) = read.iter().rev().max_by_key(|info| rank(info.severity)) else {
        if bare.cancelled {
            return Some(bare.clone());
        }
        notes.warn(ProblemCode::MissingField, "info", "is absent: the message does not say what happens or where");
        // Of a kind nobody can know: it may be anything.
        return Some(IncidentReport { kind_word: Some("unspecified".to_owned()), ..bare.clone() });
    };
    let areas: Vec<&Element> = infos.iter().flat_map(|info| info.all("area")).collect();
    let place = area::place(&areas, notes)?;
    let (kind, kind_word) = main.kind(notes);
    let title = Some(clean(main.title(), TITLE_CHARS)).filter(|title| !title.is_empty());
    let text = texts(&read, main);
    let is_public = is_public && bare.status == Status::Actual;
    Some(IncidentReport {
        kind,
        kind_word,
        subkind: Some(clean(main.event, NAME_CHARS)),
        severity: Some(main.severity),
        urgency: Some(main.urgency),
        certainty: Some(main.certainty),
        active_periods: periods(&read, sent),
        expected_end: read
            .iter()
            .map(|info| info.expires)
            .collect::<Option<Vec<_>>>()
            .and_then(|e| e.into_iter().max()),
        lat: place.lat,
        lon: place.lon,
        geometry: place.geometry,
        radius_m: place.radius_m,
        areas: place.areas,
        public_title: title.clone().filter(|_| is_public),
        public_text: if is_public { text.clone() } else { BTreeMap::new() },
        title,
        text,
        proposes_clear: !bare.cancelled && read.iter().any(InfoBlock::says_over),
        ..bare.clone()
    })
}

/// Worst last, not said first.
fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Unknown => 0,
        Severity::Minor => 1,
        Severity::Moderate => 2,
        Severity::Severe => 3,
        Severity::Extreme => 4,
    }
}

/// One block of info.
struct InfoBlock<'e> {
    element: &'e Element,
    event: &'e str,
    severity: Severity,
    urgency: Urgency,
    certainty: Certainty,
    begins: Option<UtcMillis>,
    expires: Option<UtcMillis>,
}

impl<'e> InfoBlock<'e> {
    fn read(index: usize, element: &'e Element, notes: &mut Notes) -> Option<Self> {
        let at = |name: &str| format!("info[{index}].{name}");
        let event = required(&at("event"), element.text_of("event"), "a few words, like Flood", notes);
        let category = required(&at("category"), element.text_of("category"), "Met, Geo, Fire or another", notes);
        let severity = word(&at("severity"), element.text_of("severity"), notes);
        let urgency = word(&at("urgency"), element.text_of("urgency"), notes);
        let certainty = word_by(&at("certainty"), element.text_of("certainty"), notes, |text| match text {
            // CAP 1.0's word for the same.
            "Very Likely" => Some(Certainty::Likely),
            text => Certainty::find(text),
        });
        if element.all("area").any(|area| area.text_of("areaDesc").is_none()) {
            notes.warn(ProblemCode::MissingField, &at("area.areaDesc"), "is required: write what the area is called");
        }
        let mut time = |name: &'static str| optional_time(&at(name), element.text_of(name), notes);
        let (onset, effective, expires) = (time("onset"), time("effective"), time("expires"));
        category?;
        Some(Self {
            element,
            event: event?,
            severity: severity?,
            urgency: urgency?,
            certainty: certainty?,
            begins: onset.or(effective),
            expires,
        })
    }

    /// By the event, else by the headline, else by the category; a word nobody knows is kept.
    fn kind(&self, notes: &mut Notes) -> (IncidentKind, Option<String>) {
        let by_words = kinds::of_words(self.event).or_else(|| kinds::of_words(self.title()));
        let by_category = || self.element.all("category").find_map(|category| kinds::of_category(&category.text));
        if let Some(kind) = by_words.or_else(by_category) {
            return (kind, None);
        }
        let word = clean(self.event, NAME_CHARS);
        notes.warn(ProblemCode::UnknownWord, "event", format!("{word:?} is not known; taken as other"));
        (IncidentKind::Other, Some(word))
    }

    fn title(&self) -> &'e str {
        self.element.text_of("headline").unwrap_or(self.event)
    }

    /// The primary subtag of its language; CAP's own default is American English.
    fn language(&self) -> String {
        let tag = self.element.text_of("language").unwrap_or("en");
        clean(tag.split('-').next().unwrap_or(tag), 16).to_lowercase()
    }

    fn says_over(&self) -> bool {
        let by_response = self.element.all("responseType").any(|response| response.text == "AllClear");
        let texts = [Some(self.event), self.element.text_of("headline"), self.element.text_of("description")];
        by_response || texts.into_iter().flatten().any(kinds::says_over)
    }
}

/// The texts by language: description and instruction, behind the headline where it is not the title.
fn texts(read: &[InfoBlock<'_>], main: &InfoBlock<'_>) -> BTreeMap<String, String> {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for info in read {
        let headline = Some(info.title()).filter(|title| *title != main.title());
        let parts = [headline, info.element.text_of("description"), info.element.text_of("instruction")];
        let said = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let said = clean(&said, TEXT_CHARS);
        if said.is_empty() {
            continue;
        }
        let text = texts.entry(info.language()).or_default();
        if text.is_empty() {
            *text = said;
        } else if !text.contains(&said) {
            *text = clean(&format!("{text} {said}"), TEXT_CHARS);
        }
    }
    texts
}

fn periods(read: &[InfoBlock<'_>], sent: UtcMillis) -> Vec<ActivePeriod> {
    let mut periods: Vec<ActivePeriod> = Vec::new();
    for info in read {
        let start = info.begins.unwrap_or(sent);
        let end = info.expires.filter(|end| *end >= start);
        let period = ActivePeriod { start: Some(start), end };
        if !periods.contains(&period) {
            periods.push(period);
        }
    }
    periods
}

fn required<'e>(field: &str, text: Option<&'e str>, hint: &str, notes: &mut Notes) -> Option<&'e str> {
    if text.is_none() {
        notes.reject(ProblemCode::MissingField, Some(field), format!("is required: {hint}"));
    }
    text
}

/// A required word of one of our vocabularies.
fn word<W: Word>(field: &str, text: Option<&str>, notes: &mut Notes) -> Option<W> {
    word_by(field, text, notes, W::find)
}

fn word_by<W: Word>(
    field: &str,
    text: Option<&str>,
    notes: &mut Notes,
    find: impl FnOnce(&str) -> Option<W>,
) -> Option<W> {
    let known = || W::ALL.iter().map(|w| w.word()).collect::<Vec<_>>().join(", ");
    let text = required(field, text, &format!("one of {}", known()), notes)?;
    let word = find(text);
    if word.is_none() {
        let detail = format!("{:?} is none of {}", clean(text, 64), known());
        notes.reject(ProblemCode::BadField, Some(field), detail);
    }
    word
}

/// Whether a status counts in a control room.
#[derive(Clone, Copy)]
enum Standing {
    Counts(Status),
    Aside(&'static str),
}

/// One of a closed list of words; absent or unknown is noted as lost.
fn listed<T: Copy>(name: &'static str, alert: &Element, words: &[(&str, T)], notes: &mut Notes) -> Option<T> {
    let known = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
    let text = required(name, alert.text_of(name), &format!("write <{name}> with one of {}", known()), notes)?;
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        notes.reject(ProblemCode::BadField, Some(name), format!("{:?} is none of {}", clean(text, 64), known()));
    }
    found
}

fn status(alert: &Element, notes: &mut Notes) -> Option<Standing> {
    let words = [
        ("Actual", Some(Status::Actual)),
        ("Exercise", Some(Status::Exercise)),
        ("System", None),
        ("Test", Some(Status::Test)),
        ("Draft", None),
    ];
    let status = listed("status", alert, &words, notes)?;
    Some(status.map_or(Standing::Aside("is Draft or System: nothing to act on"), Standing::Counts))
}

/// Whether the scope is public.
fn scope(alert: &Element, notes: &mut Notes) -> Option<bool> {
    listed("scope", alert, &[("Public", true), ("Restricted", false), ("Private", false)], notes)
}

fn purpose(alert: &Element, notes: &mut Notes) -> Option<Purpose> {
    let words = [("Alert", 0_u8), ("Update", 0), ("Cancel", 1), ("Ack", 2), ("Error", 3)];
    Some(match listed("msgType", alert, &words, notes)? {
        0 => Purpose::Tell,
        1 => Purpose::Cancel,
        2 => Purpose::Aside("is Ack, a receipt between machines: nothing to act on"),
        _ => Purpose::Aside("is Error, one machine's complaint to another: nothing to act on"),
    })
}

fn sent(alert: &Element, notes: &mut Notes) -> Option<UtcMillis> {
    let hint = "write <sent> like 2026-11-23T17:00:00+09:00";
    let text = required("sent", alert.text_of("sent"), hint, notes)?;
    match time(text) {
        Ok((at, flaw)) => {
            if let Some(flaw) = flaw {
                notes.warn(ProblemCode::BadField, "sent", flaw);
            }
            Some(at)
        }
        Err((code, why)) => {
            notes.reject(code, Some("sent"), why);
            None
        }
    }
}

/// A time that the message can do without.
fn optional_time(field: &str, text: Option<&str>, notes: &mut Notes) -> Option<UtcMillis> {
    let (code, why, read) = match time(text?) {
        Ok((at, None)) => return Some(at),
        Ok((at, Some(flaw))) => (ProblemCode::BadField, flaw, Some(at)),
        Err((code, why)) => (code, why, None),
    };
    notes.warn(code, field, why);
    read
}

/// An instant, and what is wrong with the way it is written.
fn time(text: &str) -> Result<(UtcMillis, Option<String>), (ProblemCode, String)> {
    let shown = clean(text, 64);
    let at = UtcMillis::parse_rfc3339(text).map_err(|e| {
        let code = if e == transit::TimeError::Naive { ProblemCode::NaiveTime } else { ProblemCode::BadField };
        (code, format!("{shown:?} {e}"))
    })?;
    let flaw = if text.ends_with(['Z', 'z']) {
        Some("CAP writes a numeric offset, +00:00 instead of Z; it was read")
    } else if text.contains('.') {
        Some("CAP writes no fractions of seconds; it was read")
    } else {
        None
    };
    Ok((at, flaw.map(|flaw| format!("{shown:?}: {flaw}"))))
}
