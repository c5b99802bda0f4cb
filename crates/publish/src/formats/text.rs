//! Plain text for a terminal: alerts as a list, status as a wall for `watch curl`.
//!
//! Fixed columns by display width, so that Korean lines up too. Nothing a stranger wrote can move the cursor: control
//! and direction characters are shown as a dot.

use std::{borrow::Cow, fmt::Write as _};

use alert::{Alert, AlertCondition, Priority};
use picture::{FeedRecord, Freshness};
use transit::{Status, UtcMillis, Word};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::{
    FormatDef, Lang, headline,
    labels::{self, Label},
    place_text,
};

/// The registry entry.
pub const FORMAT: FormatDef = FormatDef {
    code: "text",
    media_type: "text/plain; charset=utf-8",
    doc: "Plain text in fixed columns, made for `watch curl`.",
    own_route: false,
    vehicles: None,
    alerts: Some(alerts_text),
    incidents: None,
    reports: None,
};

/// Alerts the wall shows before it says how many more there are.
const WALL_ALERTS: usize = 10;
const PLACE_COLUMNS: usize = 30;
const OWNER_COLUMNS: usize = 12;

/// One reason why the picture is worse than it should be.
#[derive(Debug, Clone, Copy)]
pub struct DegradedLine<'a> {
    /// Stable code.
    pub code: &'a str,
    /// What it concerns.
    pub scope: &'a str,
    /// Since when.
    pub since: UtcMillis,
    /// In words.
    pub detail: &'a str,
}

/// What the wall shows.
#[derive(Debug, Clone)]
pub struct StatusFigures<'a> {
    /// As of when.
    pub as_of: UtcMillis,
    /// `wall` or `simulated`.
    pub clock: &'a str,
    /// Vehicles that are live, aging, stale, lost.
    pub by_freshness: [usize; 4],
    /// Vehicles by what they are doing, in the order to show.
    pub by_journey_state: Vec<(&'a str, usize)>,
    /// Feeds in the order to show.
    pub feeds: Vec<&'a FeedRecord>,
    /// Open alerts, most urgent first, each with how many stand behind it.
    pub alerts: Vec<(Cow<'a, Alert>, usize)>,
    /// What is worse than it should be.
    pub degraded: Vec<DegradedLine<'a>>,
}

/// Alerts, one line each: priority, number, age, owner, place, headline.
pub fn alerts_text(alerts: &mut dyn Iterator<Item = (&Alert, usize)>, as_of: UtcMillis, lang: Lang) -> Vec<u8> {
    let mut text = String::new();
    for (alert, behind) in alerts {
        push_alert(&mut text, alert, behind, as_of, lang);
    }
    if text.is_empty() {
        line(&mut text, format_args!("{}", Label::NoAlerts.text(lang)));
    }
    text.into_bytes()
}

/// The wall: fleet, open alerts, feeds, and what is degraded and since when.
pub fn status_text(figures: &StatusFigures<'_>, lang: Lang) -> Vec<u8> {
    let mut text = String::new();
    let clock = plain(&labels::clock(figures.clock, lang));
    line(&mut text, format_args!("TOPIS  {}  {clock}", figures.as_of));
    push_fleet(&mut text, figures, lang);
    push_alerts(&mut text, figures, lang);
    push_feeds(&mut text, figures, lang);
    push_degraded(&mut text, figures, lang);
    text.into_bytes()
}

fn push_fleet(text: &mut String, figures: &StatusFigures<'_>, lang: Lang) {
    let total: usize = figures.by_freshness.iter().sum();
    let mut row = labels::vehicles(total, lang);
    for (freshness, count) in Freshness::ALL.iter().zip(figures.by_freshness) {
        append(&mut row, format_args!("   {} {count}", labels::freshness(*freshness, lang)));
    }
    line(text, format_args!("{row}"));
    let doing = figures.by_journey_state.iter();
    let doing: Vec<String> =
        doing.map(|(state, count)| format!("{} {count}", plain(labels::journey(state, lang)))).collect();
    if !doing.is_empty() {
        line(text, format_args!("{}", doing.join("   ")));
    }
}

fn push_alerts(text: &mut String, figures: &StatusFigures<'_>, lang: Lang) {
    // A drill is listed and not counted.
    let actual = || figures.alerts.iter().map(|(alert, _)| alert).filter(|alert| alert.status == Status::Actual);
    let mut row = format!("{}  {}", Label::Alerts.text(lang), labels::open(actual().count(), lang));
    for priority in Priority::ALL {
        let count = actual().filter(|alert| alert.priority == *priority).count();
        append(&mut row, format_args!("   {} {count}", priority.word()));
    }
    line(text, format_args!(""));
    line(text, format_args!("{row}"));
    for (alert, behind) in figures.alerts.iter().take(WALL_ALERTS) {
        push_alert(text, alert, *behind, figures.as_of, lang);
    }
    let hidden = figures.alerts.len().saturating_sub(WALL_ALERTS);
    if hidden > 0 {
        line(text, format_args!("  {}", labels::more(hidden, lang)));
    }
}

fn push_feeds(text: &mut String, figures: &StatusFigures<'_>, lang: Lang) {
    line(text, format_args!(""));
    line(text, format_args!("{}", Label::Feeds.text(lang)));
    if figures.feeds.is_empty() {
        line(text, format_args!("  {}", Label::NoFeeds.text(lang)));
    }
    for feed in &figures.feeds {
        let since = age(figures.as_of.since(feed.condition_since), lang);
        line(
            text,
            format_args!(
                "  {} {} {} {} {}",
                column(feed.id.as_str(), 20),
                column(labels::condition(feed.condition, lang), 10),
                right(&since, age_columns(lang)),
                right(&labels::vehicles(feed.vehicles, lang), 16),
                right(&labels::rate(feed.rate_per_s, lang), rate_columns(lang)),
            ),
        );
    }
}

fn push_degraded(text: &mut String, figures: &StatusFigures<'_>, lang: Lang) {
    line(text, format_args!(""));
    if figures.degraded.is_empty() {
        line(text, format_args!("{}  {}", Label::Degraded.text(lang), Label::Nothing.text(lang)));
        return;
    }
    line(text, format_args!("{}  {}", Label::Degraded.text(lang), figures.degraded.len()));
    for fault in &figures.degraded {
        let (code, scope) = (plain(labels::trouble(fault.code, lang)), plain(fault.scope));
        let detail = plain(&detail_of(fault, figures, lang));
        match lang {
            Lang::En => line(text, format_args!("  {code} {scope} since {}: {detail}", fault.since)),
            Lang::Ko => line(text, format_args!("  {code} {scope}, {}부터: {detail}", fault.since)),
        }
    }
}

/// What is said of a fault. Of a feed it is told anew in `lang`; of links and disks it is what the system said.
fn detail_of<'a>(fault: &DegradedLine<'a>, figures: &StatusFigures<'_>, lang: Lang) -> Cow<'a, str> {
    let of_feed = fault.scope.strip_prefix("feed:").filter(|_| lang == Lang::Ko);
    match figures.feeds.iter().find(|feed| of_feed == Some(feed.id.as_str())) {
        Some(feed) => Cow::Owned(format!("{}대 중 최신 {}대", feed.vehicles, feed.by_freshness[0])),
        None => Cow::Borrowed(fault.detail),
    }
}

fn push_alert(text: &mut String, alert: &Alert, behind: usize, as_of: UtcMillis, lang: Lang) {
    let owner = alert.acknowledgement.as_ref().map_or(Label::NobodyHasIt.text(lang), |a| &a.by);
    let mut row = format!(
        "  {} {:>6} {}  {} {} {}{}",
        alert.priority.word(),
        alert.id.number,
        right(&age(as_of.since(alert.raised_at), lang), age_columns(lang)),
        column(owner, OWNER_COLUMNS),
        column(&place_text(alert, lang), PLACE_COLUMNS),
        marks(alert, lang),
        // The last of the row, so it is not cut: its end names the vehicle.
        plain(&headline(alert, lang)),
    );
    if behind > 0 {
        append(&mut row, format_args!(" {}", labels::behind(behind, lang)));
    }
    if !alert.durable {
        append(&mut row, format_args!(" {}", Label::NotOnDisk.text(lang)));
    }
    line(text, format_args!("{row}"));
}

/// What has to be known of an alert before its words are acted on.
fn marks(alert: &Alert, lang: Lang) -> String {
    let waits = alert.is_open() && !alert.acknowledged();
    let marks = [
        (waits && alert.due.escalated > 0, Label::Overdue),
        (alert.condition == AlertCondition::Cleared, Label::Cleared),
        (alert.covert, Label::Covert),
    ];
    let said = marks.iter().filter(|(is, _)| *is);
    said.map(|(_, label)| format!("[{}] ", label.text(lang))).collect()
}

/// A span as people say it, at most seven characters up to 11 years: `5s`, `3m12s`, `2h05m`, `4d07h`.
fn age(millis: i64, lang: Lang) -> String {
    let seconds = millis.max(0) / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match lang {
        Lang::En if minutes == 0 => format!("{seconds}s"),
        Lang::En if hours == 0 => format!("{minutes}m{:02}s", seconds % 60),
        Lang::En if days == 0 => format!("{hours}h{:02}m", minutes % 60),
        Lang::En => format!("{days}d{:02}h", hours % 24),
        Lang::Ko if minutes == 0 => format!("{seconds}초"),
        Lang::Ko if hours == 0 => format!("{minutes}분{:02}초", seconds % 60),
        Lang::Ko if days == 0 => format!("{hours}시간{:02}분", minutes % 60),
        Lang::Ko => format!("{days}일{:02}시간", hours % 24),
    }
}

/// Terminal columns that an age takes, Korean being wider.
fn age_columns(lang: Lang) -> usize {
    match lang {
        Lang::En => 8,
        Lang::Ko => 11,
    }
}

/// Terminal columns that a rate takes.
fn rate_columns(lang: Lang) -> usize {
    match lang {
        Lang::En => 11,
        Lang::Ko => 15,
    }
}

/// `words` at the right end of `columns` terminal columns.
fn right(words: &str, columns: usize) -> String {
    let words = plain(words);
    format!("{}{words}", " ".repeat(columns.saturating_sub(words.width())))
}

/// `words` in exactly `columns` terminal columns: cut with an ellipsis, or filled with spaces.
fn column(words: &str, columns: usize) -> String {
    let words = plain(words);
    let mut out = String::new();
    let cut = words.width() > columns;
    let room = if cut { columns.saturating_sub(1) } else { columns };
    let mut used = 0;
    for c in words.chars() {
        let width = c.width().unwrap_or(0);
        if used + width > room {
            break;
        }
        used += width;
        out.push(c);
    }
    if cut {
        out.push('…');
        used += 1;
    }
    out.extend(std::iter::repeat_n(' ', columns.saturating_sub(used)));
    out
}

/// Without anything that moves a cursor or turns the direction of writing.
pub(super) fn plain(words: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    words.chars().map(|c| if c.is_control() || turns(c) { '·' } else { c }).collect()
}

pub(super) fn append(row: &mut String, words: std::fmt::Arguments<'_>) {
    row.write_fmt(words).expect("a String takes every character");
}

/// Adds one line, without blanks at its end.
pub(super) fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    let from = text.len();
    append(text, words);
    let kept = text.split_at(from).1.trim_end().len();
    text.truncate(from + kept);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use alert::Acknowledgement;
    use expect_test::expect;
    use picture::FeedCondition;

    use super::*;
    use crate::samples::{self, NOW};

    fn wall(figures: &StatusFigures<'_>, lang: Lang) -> String {
        String::from_utf8(status_text(figures, lang)).unwrap()
    }

    fn figures<'a>() -> StatusFigures<'a> {
        StatusFigures {
            as_of: NOW,
            clock: "wall",
            by_freshness: [0; 4],
            by_journey_state: Vec::new(),
            feeds: Vec::new(),
            alerts: Vec::new(),
            degraded: Vec::new(),
        }
    }

    #[test]
    fn the_wall_shows_fleet_alerts_feeds_and_what_is_degraded() {
        let panic = samples::panic();
        let mut taken = samples::panic();
        taken.id.number = 5;
        taken.acknowledgement = Some(Acknowledgement { by: "kim".into(), desk: None, at: NOW, seen: None });
        taken.raised_at = NOW.plus_millis(-7_500_000);
        taken.durable = false;
        let (hfp, native) = (samples::feed("hfp", FeedCondition::Good), samples::feed("native", FeedCondition::Silent));
        let figures = StatusFigures {
            by_freshness: [1_400, 40, 15, 5],
            by_journey_state: vec![("in_service", 1_200), ("deadrun", 260)],
            feeds: vec![&hfp, &native],
            alerts: vec![(Cow::Borrowed(&panic), 0), (Cow::Borrowed(&taken), 59)],
            degraded: vec![DegradedLine {
                code: "feed_silent",
                scope: "feed:native",
                since: NOW.plus_millis(-125_000),
                detail: "nothing for 2 min",
            }],
            ..figures()
        };
        expect![[r#"
            TOPIS  2026-11-23T08:00:00.000Z  clock wall
            1460 vehicles   live 1400   aging 40   stale 15   lost 5
            in_service 1200   deadrun 260

            ALERTS  2 open   P1 2   P2 0   P3 0   P4 0
              P1    417    1m01s  NOBODY       60.17000,24.94000              [COVERT] Panic alarm, vehicle 22/800
              P1      5    2h05m  kim          60.17000,24.94000              [COVERT] Panic alarm, vehicle 22/800 (and 59 more like it) NOT ON DISK

            FEEDS
              hfp                  good          2m05s    1460 vehicles     948.5/s
              native               silent        2m05s    1460 vehicles     948.5/s

            DEGRADED  1
              feed_silent feed:native since 2026-11-23T07:57:55.000Z: nothing for 2 min
        "#]].assert_eq(&wall(&figures, Lang::En));
        expect![[r#"
            TOPIS  2026-11-23T08:00:00.000Z  실제 시각
            차량 1460대   최신 1400   갱신 지연 40   오래됨 15   두절 5
            운행 중 1200   공차 회송 260

            경보  미종결 2건   P1 2   P2 0   P3 0   P4 0
              P1    417     1분01초  미인수       60.17000,24.94000              [비노출] 비상 버튼, 차량 22/800
              P1      5   2시간05분  kim          60.17000,24.94000              [비노출] 비상 버튼, 차량 22/800 (같은 경보 59건 더) 미저장

            수신 피드
              hfp                  정상           2분05초      차량 1460대    초당 948.5건
              native               수신 끊김      2분05초      차량 1460대    초당 948.5건

            장애  1
              피드 수신 끊김 feed:native, 2026-11-23T07:57:55.000Z부터: 1460대 중 최신 1400대
        "#]].assert_eq(&wall(&figures, Lang::Ko));
    }

    #[test]
    fn an_empty_room_says_so_and_does_not_look_good_by_accident() {
        expect![[r#"
            TOPIS  2026-11-23T08:00:00.000Z  clock wall
            0 vehicles   live 0   aging 0   stale 0   lost 0

            ALERTS  0 open   P1 0   P2 0   P3 0   P4 0

            FEEDS
              no feed is configured

            DEGRADED  nothing
        "#]]
        .assert_eq(&wall(&figures(), Lang::En));
        let none = alerts_text(&mut std::iter::empty(), NOW, Lang::En);
        assert_eq!(String::from_utf8(none).unwrap(), "no open alert\n");
    }

    #[test]
    fn the_wall_shows_ten_alerts_and_counts_the_rest() {
        let alert = samples::panic();
        let text = wall(&StatusFigures { alerts: vec![(Cow::Borrowed(&alert), 0); 13], ..figures() }, Lang::En);
        assert_eq!(text.matches("Panic alarm").count(), 10);
        assert!(text.contains("13 open   P1 13"), "{text}");
        assert!(text.contains("+3 more"), "{text}");
    }

    #[test]
    fn a_stranger_cannot_move_the_cursor() {
        let mut alert = samples::panic();
        alert.kind_word = Some("\u{1b}[2Jx\u{202e}y\n".to_owned());
        let text = String::from_utf8(alerts_text(&mut [(&alert, 0)].into_iter(), NOW, Lang::En)).unwrap();
        assert!(text.contains("·[2Jx·y·"), "{text}");
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn columns_count_what_the_terminal_shows() {
        assert_eq!(column("비상", 6), "비상  ");
        assert_eq!(column("비상버튼", 6), "비상… ");
        assert_eq!(column("panic", 5), "panic");
        assert_eq!(column("panics", 5), "pani…");
    }

    #[test]
    fn ages_are_short() {
        let ages = |lang| [-5, 5_000, 192_000, 7_500_000, 371_000_000].map(|millis| age(millis, lang)).join(" ");
        expect!["0s 5s 3m12s 2h05m 4d07h"].assert_eq(&ages(Lang::En));
        expect!["0초 5초 3분12초 2시간05분 4일07시간"].assert_eq(&ages(Lang::Ko));
    }

    #[test]
    fn a_fault_and_a_quiet_room_read_in_korean() {
        let native = samples::feed("native", FeedCondition::LinkDown);
        let fault = |code, scope, detail| DegradedLine { code, scope, since: NOW, detail };
        let figures = StatusFigures {
            clock: "simulated",
            by_journey_state: vec![
                ("in_service", 2),
                ("upcoming", 1),
                ("layover", 1),
                ("signed_off", 1),
                ("unknown", 3),
            ],
            feeds: vec![&native],
            degraded: vec![
                fault("feed_link_down", "feed:native", "1400 of 1460 vehicles live"),
                fault("journal_full", "journal", "3 messages wait: no space left on device"),
                fault("made_up", "feed:gone", "as it was said"),
            ],
            ..figures()
        };
        expect![[r#"
            TOPIS  2026-11-23T08:00:00.000Z  모의 시각
            차량 0대   최신 0   갱신 지연 0   오래됨 0   두절 0
            운행 중 2   운행 예정 1   회차 대기 1   운행 종료 1   상태 미상 3

            경보  미종결 0건   P1 0   P2 0   P3 0   P4 0

            수신 피드
              native               링크 단절      2분05초      차량 1460대    초당 948.5건

            장애  3
              피드 링크 단절 feed:native, 2026-11-23T08:00:00.000Z부터: 1460대 중 최신 1400대
              기록 디스크 가득 참 journal, 2026-11-23T08:00:00.000Z부터: 3 messages wait: no space left on device
              made_up feed:gone, 2026-11-23T08:00:00.000Z부터: as it was said
        "#]]
        .assert_eq(&wall(&figures, Lang::Ko));
        let none = alerts_text(&mut std::iter::empty(), NOW, Lang::Ko);
        assert_eq!(String::from_utf8(none).unwrap(), "미종결 경보 없음\n");
    }
}
