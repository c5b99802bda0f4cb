//! What happened in the world, in words: every kind of incident in every language.

use alert::IncidentKind;

use crate::Lang;

/// The kind of an incident as people say it.
pub(crate) fn incident_words(kind: IncidentKind, lang: Lang) -> &'static str {
    use IncidentKind as K;
    lang.pick(match kind {
        K::Crash => ("crash", "교통사고"),
        K::Breakdown => ("breakdown", "차량 고장"),
        K::PedestrianCrash => ("pedestrian hit", "보행자 사고"),
        K::RoadWorks => ("road works", "도로 공사"),
        K::FallenObject => ("object on the road", "낙하물"),
        K::BusCrash => ("bus crash", "버스 사고"),
        K::SubwayAccident => ("subway accident", "지하철 사고"),
        K::Fire => ("fire", "화재"),
        K::Weather => ("weather", "기상"),
        K::Rally => ("rally", "집회"),
        K::Other => ("other", "기타"),
        K::Report => ("report", "제보"),
        K::Notice => ("notice", "공지"),
        K::Flood => ("flood", "침수"),
        K::Earthquake => ("earthquake", "지진"),
        K::GroundCollapse => ("ground collapse", "지반 침하"),
        K::PowerFailure => ("power failure", "정전"),
        K::SignalFailure => ("signal failure", "신호 장애"),
        K::TrackObstruction => ("track obstructed", "선로 장애물"),
        K::Medical => ("medical", "응급 환자"),
        K::Security => ("security", "치안"),
        K::PoliceActivity => ("police activity", "경찰 활동"),
        K::Hazmat => ("hazardous material", "위험물"),
        K::Strike => ("strike", "파업"),
        K::SpecialEvent => ("event", "행사"),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use transit::Word;

    use super::*;

    #[test]
    fn every_kind_has_words_of_its_own_in_every_language() {
        for lang in Lang::ALL {
            let words: BTreeSet<&str> = IncidentKind::ALL.iter().map(|kind| incident_words(*kind, *lang)).collect();
            assert_eq!(words.len(), IncidentKind::ALL.len(), "{lang:?}");
        }
    }
}
