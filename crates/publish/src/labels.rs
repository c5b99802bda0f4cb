//! The labels of the text wall, in every language from one table.

use picture::{FeedCondition, Freshness};
use transit::{JourneyState, Word};

use crate::Lang;

/// A label of the text wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    Feeds,
    Alerts,
    Degraded,
    Nothing,
    NoFeeds,
    NoAlerts,
    NobodyHasIt,
    NotOnDisk,
    Overdue,
    Cleared,
    Covert,
}

impl Label {
    pub(crate) fn text(self, lang: Lang) -> &'static str {
        lang.pick(match self {
            Self::Feeds => ("FEEDS", "수신 피드"),
            Self::Alerts => ("ALERTS", "경보"),
            Self::Degraded => ("DEGRADED", "장애"),
            Self::Nothing => ("nothing", "없음"),
            Self::NoFeeds => ("no feed is configured", "설정된 피드 없음"),
            Self::NoAlerts => ("no open alert", "미종결 경보 없음"),
            Self::NobodyHasIt => ("NOBODY", "미인수"),
            Self::NotOnDisk => ("NOT ON DISK", "미저장"),
            Self::Overdue => ("OVERDUE", "인수 지연"),
            Self::Cleared => ("CLEARED", "해소됨"),
            Self::Covert => ("COVERT", "비노출"),
        })
    }
}

/// So many vehicles.
pub(crate) fn vehicles(count: usize, lang: Lang) -> String {
    match lang {
        Lang::En if count == 1 => "1 vehicle".to_owned(),
        Lang::En => format!("{count} vehicles"),
        Lang::Ko => format!("차량 {count}대"),
    }
}

/// So many open alerts.
pub(crate) fn open(count: usize, lang: Lang) -> String {
    match lang {
        Lang::En => format!("{count} open"),
        Lang::Ko => format!("미종결 {count}건"),
    }
}

/// So many that are not shown.
pub(crate) fn more(count: usize, lang: Lang) -> String {
    match lang {
        Lang::En => format!("+{count} more"),
        Lang::Ko => format!("외 {count}건"),
    }
}

/// So many of the same that stand behind one.
pub(crate) fn behind(count: usize, lang: Lang) -> String {
    match lang {
        Lang::En => format!("(and {count} more like it)"),
        Lang::Ko => format!("(같은 경보 {count}건 더)"),
    }
}

/// Messages a second.
pub(crate) fn rate(per_s: f64, lang: Lang) -> String {
    match lang {
        Lang::En => format!("{per_s:.1}/s"),
        Lang::Ko => format!("초당 {per_s:.1}건"),
    }
}

/// Which clock is shown.
pub(crate) fn clock(name: &str, lang: Lang) -> String {
    match (name, lang) {
        ("wall", Lang::Ko) => "실제 시각".to_owned(),
        ("simulated", Lang::Ko) => "모의 시각".to_owned(),
        (other, Lang::Ko) => format!("시각 {other}"),
        (name, Lang::En) => format!("clock {name}"),
    }
}

/// How fresh.
pub(crate) fn freshness(freshness: Freshness, lang: Lang) -> &'static str {
    let korean = match freshness {
        Freshness::Live => "최신",
        Freshness::Aging => "갱신 지연",
        Freshness::Stale => "오래됨",
        Freshness::Lost => "두절",
    };
    lang.pick((freshness.word(), korean))
}

/// What vehicles are doing, by the word of it.
pub(crate) fn journey(word: &str, lang: Lang) -> &str {
    let korean = match JourneyState::find(word) {
        Some(JourneyState::InService) => "운행 중",
        Some(JourneyState::Upcoming) => "운행 예정",
        Some(JourneyState::Deadrun) => "공차 회송",
        Some(JourneyState::Layover) => "회차 대기",
        Some(JourneyState::SignedOff) => "운행 종료",
        None => "상태 미상",
    };
    match lang {
        Lang::En => word,
        Lang::Ko => korean,
    }
}

/// How a feed does.
pub(crate) fn condition(condition: FeedCondition, lang: Lang) -> &'static str {
    let korean = match condition {
        FeedCondition::Good => "정상",
        FeedCondition::Quiet => "운행 없음",
        FeedCondition::Unheard => "미수신",
        FeedCondition::Partial => "일부 끊김",
        FeedCondition::Frozen => "시각 정지",
        FeedCondition::Silent => "수신 끊김",
        FeedCondition::LinkDown => "링크 단절",
    };
    lang.pick((condition.word(), korean))
}

/// What is worse than it should be, by its code.
pub(crate) fn trouble(code: &str, lang: Lang) -> &str {
    let korean = match code {
        "link_down" => "브로커 연결 끊김",
        "feed_link_down" => "피드 링크 단절",
        "feed_silent" => "피드 수신 끊김",
        "feed_frozen" => "피드 시각 정지",
        "feed_partial" => "일부 차량 수신 끊김",
        "frames_dropped" => "정차·문·운행 메시지 유실",
        "positions_dropped" => "위치 유실",
        "emergencies_shed" => "QoS 0 비상 메시지 유실",
        "emergencies_refused" => "권한 없는 비상 메시지 거부",
        "journal_full" => "기록 디스크 가득 참",
        "journal_unwritable" => "기록 불가",
        "journal_hangs" => "기록 지연",
        _ => code,
    };
    match lang {
        Lang::En => code,
        Lang::Ko => korean,
    }
}
