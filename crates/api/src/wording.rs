//! The words of cards, proposals and lines in trouble, beside their codes and figures, in every language from one table each.
//!
//! Headlines, places and the wall have theirs in `publish`; runbooks and what rests on a card's figures bring their own.

use impact::{Action, Cause, GroupEvidence, Reason};
use publish::Lang;

/// One of two.
fn pick(lang: Lang, (en, ko): (&'static str, &'static str)) -> &'static str {
    match lang {
        Lang::En => en,
        Lang::Ko => ko,
    }
}

/// What could be done.
pub(crate) fn action_text(action: Action, lang: Lang) -> &'static str {
    let words = match action {
        Action::Locate => ("Find out by radio where it is", "무전으로 위치를 확인한다"),
        Action::CallUnaccounted => ("Call those who have gone dark", "무응답 차량을 호출한다"),
        Action::HoldEntering => ("Hold those who enter within 2 minutes", "2분 안에 진입할 차량을 대기시킨다"),
        Action::LeadOut => ("Lead those inside out", "구역 안 차량을 밖으로 유도한다"),
        Action::AskPosition => {
            ("Ask where they are: their position cannot be true", "위치 오류 차량에 현재 위치를 묻는다")
        }
        Action::SendNearest => {
            ("Send the nearest vehicle to look or to help", "가장 가까운 차량을 보내 확인하고 지원하게 한다")
        }
        Action::HoldFollower => ("Hold the follower on the same route", "같은 노선 후속 차량을 대기시킨다"),
    };
    pick(lang, words)
}

/// Why something is not known.
pub(crate) fn reason_text(reason: Reason, lang: Lang) -> &'static str {
    let words = match reason {
        Reason::NoTimetable => ("no timetable is loaded", "시간표 없음"),
        Reason::NotReported => ("not reported", "보고 없음"),
        Reason::NoVehicle => ("the subject is no vehicle", "대상이 차량이 아님"),
        Reason::NeverHeard => ("the vehicle was never heard", "차량 수신 이력 없음"),
        Reason::NoPosition => ("nobody knows where it is", "위치 미상"),
        Reason::NoCourse => ("nobody knows which way it goes", "진행 방향 미상"),
        Reason::NoRoute => ("nobody knows on which route it runs", "노선 미상"),
        Reason::NoArea => ("the place on the map cannot be read", "구역 판독 불가"),
    };
    pick(lang, words)
}

fn cause_text(cause: Cause, lang: Lang) -> &'static str {
    let words = match cause {
        Cause::Fire => ("fire", "화재"),
        Cause::Crash => ("crash", "충돌 사고"),
        Cause::Violence => ("violence", "폭력·위협"),
        Cause::Weather => ("weather", "기상"),
        Cause::Failure => ("failure", "시설 장애"),
        Cause::Medical => ("medical", "응급 환자"),
        Cause::Breakdown => ("breakdown", "차량 고장"),
        Cause::Occupation => ("occupation", "도로 점용"),
        Cause::Consequence => ("consequence", "파생 상황"),
        Cause::Means => ("means", "관제 설비"),
    };
    pick(lang, words)
}

/// What lines in trouble are judged by.
pub(crate) fn lines_basis_text(lang: Lang) -> &'static str {
    let en = "delays as reported by the vehicles; there is no timetable to measure against";
    pick(lang, (en, "차량이 보고한 지연 기준. 비교할 시간표 없음"))
}

/// How many of a line's vehicles report that they are late.
pub(crate) fn late_text(late: usize, reporting: usize, limit_s: i32, lang: Lang) -> String {
    match lang {
        Lang::En => format!("{late} of {reporting} vehicles report more than {limit_s} s late"),
        Lang::Ko => format!("{reporting}대 중 {late}대가 {limit_s}초 넘게 지연 보고"),
    }
}

/// Why an alert is thought to belong to others.
pub(crate) fn evidence_text(evidence: &GroupEvidence, lang: Lang) -> String {
    match (evidence, lang) {
        (GroupEvidence::SameVehicle, _) => {
            pick(lang, ("the same vehicle reports both", "같은 차량이 둘 다 신고")).to_owned()
        }
        (GroupEvidence::Near { distance_m }, Lang::En) => format!("{distance_m:.0} m away"),
        (GroupEvidence::Near { distance_m }, Lang::Ko) => format!("{distance_m:.0}m 거리"),
        (GroupEvidence::SameTime { apart_s }, Lang::En) => format!("{apart_s:.0} s apart"),
        (GroupEvidence::SameTime { apart_s }, Lang::Ko) => format!("{apart_s:.0}초 차이"),
        (GroupEvidence::CauseFits { member, seed, .. }, Lang::En) => {
            format!("{} goes with {}", cause_text(*member, lang), cause_text(*seed, lang))
        }
        (GroupEvidence::CauseFits { member, seed, .. }, Lang::Ko) => {
            format!("원인 연관: {} - {}", cause_text(*member, lang), cause_text(*seed, lang))
        }
        (GroupEvidence::VehiclesStanding { count, within_m }, Lang::En) => {
            format!("{count} vehicles in service stand within {within_m:.0} m")
        }
        (GroupEvidence::VehiclesStanding { count, within_m }, Lang::Ko) => {
            format!("{within_m:.0}m 안에 운행 중 멈춰 선 차량 {count}대")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use expect_test::expect;
    use transit::Word;

    use super::*;

    /// Every word of a vocabulary in both languages, a line each.
    fn table<W: Word + Copy>(text: fn(W, Lang) -> &'static str) -> String {
        let line = |word: &W| format!("{}: {} / {}\n", word.word(), text(*word, Lang::En), text(*word, Lang::Ko));
        let table: String = W::ALL.iter().map(line).collect();
        let korean: BTreeSet<&str> = W::ALL.iter().map(|word| text(*word, Lang::Ko)).collect();
        assert_eq!(korean.len(), W::ALL.len(), "two words read the same: {table}");
        table
    }

    #[test]
    fn every_action_reason_and_cause_has_its_words_in_both_languages() {
        let all = [table(action_text), table(reason_text), table(cause_text)].concat();
        expect![[r#"
            locate: Find out by radio where it is / 무전으로 위치를 확인한다
            call_unaccounted: Call those who have gone dark / 무응답 차량을 호출한다
            hold_entering: Hold those who enter within 2 minutes / 2분 안에 진입할 차량을 대기시킨다
            lead_out: Lead those inside out / 구역 안 차량을 밖으로 유도한다
            ask_position: Ask where they are: their position cannot be true / 위치 오류 차량에 현재 위치를 묻는다
            send_nearest: Send the nearest vehicle to look or to help / 가장 가까운 차량을 보내 확인하고 지원하게 한다
            hold_follower: Hold the follower on the same route / 같은 노선 후속 차량을 대기시킨다
            no_timetable: no timetable is loaded / 시간표 없음
            not_reported: not reported / 보고 없음
            no_vehicle: the subject is no vehicle / 대상이 차량이 아님
            never_heard: the vehicle was never heard / 차량 수신 이력 없음
            no_position: nobody knows where it is / 위치 미상
            no_course: nobody knows which way it goes / 진행 방향 미상
            no_route: nobody knows on which route it runs / 노선 미상
            no_area: the place on the map cannot be read / 구역 판독 불가
            fire: fire / 화재
            crash: crash / 충돌 사고
            violence: violence / 폭력·위협
            weather: weather / 기상
            failure: failure / 시설 장애
            medical: medical / 응급 환자
            breakdown: breakdown / 차량 고장
            occupation: occupation / 도로 점용
            consequence: consequence / 파생 상황
            means: means / 관제 설비
        "#]]
        .assert_eq(&all);
    }

    #[test]
    fn evidence_reads_in_both_languages() {
        let all = [
            GroupEvidence::SameVehicle,
            GroupEvidence::Near { distance_m: 84.6 },
            GroupEvidence::SameTime { apart_s: 12.0 },
            GroupEvidence::CauseFits { member: Cause::Fire, seed: Cause::Crash, fit: 0.6 },
            GroupEvidence::VehiclesStanding { count: 3, within_m: 150.0 },
        ];
        let line = |e: &GroupEvidence| format!("{} / {}\n", evidence_text(e, Lang::En), evidence_text(e, Lang::Ko));
        expect![[r#"
            the same vehicle reports both / 같은 차량이 둘 다 신고
            85 m away / 85m 거리
            12 s apart / 12초 차이
            fire goes with crash / 원인 연관: 화재 - 충돌 사고
            3 vehicles in service stand within 150 m / 150m 안에 운행 중 멈춰 선 차량 3대
        "#]]
        .assert_eq(&all.iter().map(line).collect::<String>());
        assert_eq!(late_text(2, 3, 300, Lang::Ko), "3대 중 2대가 300초 넘게 지연 보고");
    }
}
