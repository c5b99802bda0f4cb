//! What a hazard's words mean in ours, in English and Korean. Knows no XML.
//!
//! English needles begin at the beginning of a word, Korean ones stand anywhere. The first row that matches wins, so
//! that a tidal wave is no earthquake and a lightning strike no strike.

use alert::IncidentKind;

/// Words of an event, and the kind they mean.
const WORDS: &[(&str, IncidentKind)] = &[
    ("지진해일", IncidentKind::Flood),
    ("쓰나미", IncidentKind::Flood),
    ("해일", IncidentKind::Flood),
    ("tsunami", IncidentKind::Flood),
    ("지진", IncidentKind::Earthquake),
    ("earthquake", IncidentKind::Earthquake),
    ("seismic", IncidentKind::Earthquake),
    ("산사태", IncidentKind::GroundCollapse),
    ("싱크홀", IncidentKind::GroundCollapse),
    ("지반침하", IncidentKind::GroundCollapse),
    ("붕괴", IncidentKind::GroundCollapse),
    ("landslide", IncidentKind::GroundCollapse),
    ("sinkhole", IncidentKind::GroundCollapse),
    ("debris flow", IncidentKind::GroundCollapse),
    ("홍수", IncidentKind::Flood),
    ("침수", IncidentKind::Flood),
    ("범람", IncidentKind::Flood),
    ("댐 방류", IncidentKind::Flood),
    ("댐방류", IncidentKind::Flood),
    ("flood", IncidentKind::Flood),
    ("flash flood", IncidentKind::Flood),
    ("dam failure", IncidentKind::Flood),
    ("storm surge", IncidentKind::Flood),
    ("정전", IncidentKind::PowerFailure),
    ("power outage", IncidentKind::PowerFailure),
    ("power failure", IncidentKind::PowerFailure),
    ("blackout", IncidentKind::PowerFailure),
    ("유해화학", IncidentKind::Hazmat),
    ("화학", IncidentKind::Hazmat),
    ("가스", IncidentKind::Hazmat),
    ("방사", IncidentKind::Hazmat),
    ("원전", IncidentKind::Hazmat),
    ("hazardous material", IncidentKind::Hazmat),
    ("chemical", IncidentKind::Hazmat),
    ("radiological", IncidentKind::Hazmat),
    ("nuclear", IncidentKind::Hazmat),
    ("gas leak", IncidentKind::Hazmat),
    ("화재", IncidentKind::Fire),
    ("산불", IncidentKind::Fire),
    ("firearm", IncidentKind::Security),
    ("fire weather", IncidentKind::Weather),
    ("fire", IncidentKind::Fire),
    ("wildfire", IncidentKind::Fire),
    ("bushfire", IncidentKind::Fire),
    ("테러", IncidentKind::Security),
    ("폭발물", IncidentKind::Security),
    ("공습", IncidentKind::Security),
    ("민방공", IncidentKind::Security),
    ("terror", IncidentKind::Security),
    ("bomb", IncidentKind::Security),
    ("shoot", IncidentKind::Security),
    ("active assailant", IncidentKind::Security),
    ("air raid", IncidentKind::Security),
    ("missile", IncidentKind::Security),
    ("집회", IncidentKind::Rally),
    ("시위", IncidentKind::Rally),
    ("demonstration", IncidentKind::Rally),
    ("rally", IncidentKind::Rally),
    ("protest", IncidentKind::Rally),
    ("civil unrest", IncidentKind::Rally),
    ("감염병", IncidentKind::Medical),
    ("전염병", IncidentKind::Medical),
    ("epidemic", IncidentKind::Medical),
    ("medical", IncidentKind::Medical),
    ("파업", IncidentKind::Strike),
    ("lightning", IncidentKind::Weather),
    ("strike", IncidentKind::Strike),
    ("버스 사고", IncidentKind::BusCrash),
    ("버스사고", IncidentKind::BusCrash),
    ("지하철", IncidentKind::SubwayAccident),
    ("열차", IncidentKind::SubwayAccident),
    ("교통사고", IncidentKind::Crash),
    ("traffic accident", IncidentKind::Crash),
    ("crash", IncidentKind::Crash),
    ("collision", IncidentKind::Crash),
    ("공사", IncidentKind::RoadWorks),
    ("road works", IncidentKind::RoadWorks),
    ("roadworks", IncidentKind::RoadWorks),
    ("축제", IncidentKind::SpecialEvent),
    ("행사", IncidentKind::SpecialEvent),
    ("festival", IncidentKind::SpecialEvent),
    ("marathon", IncidentKind::SpecialEvent),
    ("실종", IncidentKind::Notice),
    ("child abduction", IncidentKind::PoliceActivity),
    ("law enforcement", IncidentKind::PoliceActivity),
    ("호우", IncidentKind::Weather),
    ("태풍", IncidentKind::Weather),
    ("대설", IncidentKind::Weather),
    ("폭설", IncidentKind::Weather),
    ("강풍", IncidentKind::Weather),
    ("풍랑", IncidentKind::Weather),
    ("한파", IncidentKind::Weather),
    ("폭염", IncidentKind::Weather),
    ("안개", IncidentKind::Weather),
    ("황사", IncidentKind::Weather),
    ("미세먼지", IncidentKind::Weather),
    ("낙뢰", IncidentKind::Weather),
    ("건조", IncidentKind::Weather),
    ("thunderstorm", IncidentKind::Weather),
    ("storm", IncidentKind::Weather),
    ("rain", IncidentKind::Weather),
    ("snow", IncidentKind::Weather),
    ("wind", IncidentKind::Weather),
    ("typhoon", IncidentKind::Weather),
    ("hurricane", IncidentKind::Weather),
    ("tornado", IncidentKind::Weather),
    ("blizzard", IncidentKind::Weather),
    ("winter", IncidentKind::Weather),
    ("heat", IncidentKind::Weather),
    ("freez", IncidentKind::Weather),
    ("frost", IncidentKind::Weather),
    ("fog", IncidentKind::Weather),
    ("hail", IncidentKind::Weather),
    ("ice", IncidentKind::Weather),
];

/// CAP categories that say enough by themselves.
const CATEGORIES: &[(&str, IncidentKind)] = &[
    ("Met", IncidentKind::Weather),
    ("Fire", IncidentKind::Fire),
    ("Security", IncidentKind::Security),
    ("Health", IncidentKind::Medical),
    ("CBRNE", IncidentKind::Hazmat),
];

/// The kind of an event's words.
pub(super) fn of_words(text: &str) -> Option<IncidentKind> {
    let text = format!(" {}", text.to_lowercase());
    let begins_word = |needle: &str| {
        text.match_indices(needle).any(|(at, _)| {
            text.get(..at).and_then(|before| before.chars().last()).is_some_and(|c| !c.is_alphanumeric())
        })
    };
    let says = |needle: &str| if needle.is_ascii() { begins_word(needle) } else { text.contains(needle) };
    WORDS.iter().find(|(needle, _)| says(needle)).map(|(_, kind)| *kind)
}

/// The kind of a category.
pub(super) fn of_category(category: &str) -> Option<IncidentKind> {
    CATEGORIES.iter().find(|(word, _)| word.eq_ignore_ascii_case(category)).map(|(_, kind)| *kind)
}

/// Words by which a message says that it is over.
const OVER: &[&str] = &[
    "해제",
    "종료되었",
    "종료됨",
    "상황 종료",
    "all clear",
    "has been lifted",
    "have been lifted",
    "is lifted",
    "are lifted",
    "no longer in effect",
    "has been cancelled",
    "has been canceled",
    "has ended",
];

/// Whether the words say that it is over.
pub(super) fn says_over(text: &str) -> bool {
    let text = text.to_lowercase();
    OVER.iter().any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_both_languages_have_their_kind() {
        for (text, kind) in [
            ("Flash Flood Watch", Some(IncidentKind::Flood)),
            ("SEVERE THUNDERSTORM", Some(IncidentKind::Weather)),
            ("Tsunami Warning", Some(IncidentKind::Flood)),
            ("Bushfire", Some(IncidentKind::Fire)),
            ("Firearms seized", Some(IncidentKind::Security)),
            ("Lightning strike risk", Some(IncidentKind::Weather)),
            ("Police training", None),
            ("Moonlight", None),
            ("지진", Some(IncidentKind::Earthquake)),
            ("지진해일", Some(IncidentKind::Flood)),
            ("호우경보", Some(IncidentKind::Weather)),
            ("홍수주의보", Some(IncidentKind::Flood)),
            ("다중밀집건물 화재", Some(IncidentKind::Fire)),
            ("산사태", Some(IncidentKind::GroundCollapse)),
            ("", None),
        ] {
            assert_eq!(of_words(text), kind, "{text}");
        }
    }

    #[test]
    fn no_row_hides_behind_an_earlier_one() {
        for (i, (needle, _)) in WORDS.iter().enumerate() {
            assert!(!WORDS[..i].iter().any(|(earlier, _)| earlier == needle), "{needle} twice");
            assert_eq!(*needle, needle.to_lowercase(), "{needle}");
        }
    }

    #[test]
    fn the_end_is_said_in_both_languages() {
        assert!(says_over("호우경보 해제") && says_over("The warning HAS BEEN LIFTED."));
        assert!(!says_over("호우경보 발효") && !says_over("Lifts are out of order"));
    }
}
