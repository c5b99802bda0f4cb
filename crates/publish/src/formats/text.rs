//! Plain text for a terminal: alerts as a list, status as a wall for `watch curl`.
//!
//! Fixed columns by display width, so that Korean lines up too. Nothing a stranger wrote can move the cursor: control
//! and direction characters are shown as a dot.

use std::{borrow::Cow, fmt::Write as _};

use alert::{Alert, Priority};
use picture::{FeedRecord, Freshness};
use transit::{Status, UtcMillis, Word};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::{FormatDef, Lang, headline, phrases::Label, place_text};

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
const HEADLINE_COLUMNS: usize = 52;
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
    /// Open alerts, most urgent first.
    pub alerts: Vec<Cow<'a, Alert>>,
    /// What is worse than it should be.
    pub degraded: Vec<DegradedLine<'a>>,
}

/// Alerts, one line each: priority, number, age, owner, place, headline.
pub fn alerts_text(alerts: &mut dyn Iterator<Item = &Alert>, as_of: UtcMillis, lang: Lang) -> Vec<u8> {
    let mut text = String::new();
    for alert in alerts {
        push_alert(&mut text, alert, as_of, lang);
    }
    if text.is_empty() {
        line(&mut text, format_args!("{}", Label::NoAlerts.text(lang)));
    }
    text.into_bytes()
}

/// The wall: fleet, open alerts, feeds, and what is degraded and since when.
pub fn status_text(figures: &StatusFigures<'_>, lang: Lang) -> Vec<u8> {
    let mut text = String::new();
    let clock = plain(figures.clock);
    line(&mut text, format_args!("TOPIS  {}  {} {clock}", figures.as_of, Label::Clock.text(lang)));
    push_fleet(&mut text, figures, lang);
    push_alerts(&mut text, figures, lang);
    push_feeds(&mut text, figures, lang);
    push_degraded(&mut text, figures, lang);
    text.into_bytes()
}

fn push_fleet(text: &mut String, figures: &StatusFigures<'_>, lang: Lang) {
    let total: usize = figures.by_freshness.iter().sum();
    let mut row = format!("{total} {}", Label::Vehicles.text(lang));
    for (freshness, count) in Freshness::ALL.iter().zip(figures.by_freshness) {
        append(&mut row, format_args!("   {} {count}", freshness.word()));
    }
    line(text, format_args!("{row}"));
    let doing: Vec<String> =
        figures.by_journey_state.iter().map(|(state, count)| format!("{} {count}", plain(state))).collect();
    if !doing.is_empty() {
        line(text, format_args!("{}", doing.join("   ")));
    }
}

fn push_alerts(text: &mut String, figures: &StatusFigures<'_>, lang: Lang) {
    // A drill is listed and not counted.
    let actual = || figures.alerts.iter().filter(|alert| alert.status == Status::Actual);
    let mut row = format!("{}  {} {}", Label::Alerts.text(lang), actual().count(), Label::Open.text(lang));
    for priority in Priority::ALL {
        let count = actual().filter(|alert| alert.priority == *priority).count();
        append(&mut row, format_args!("   {} {count}", priority.word()));
    }
    line(text, format_args!(""));
    line(text, format_args!("{row}"));
    for alert in figures.alerts.iter().take(WALL_ALERTS) {
        push_alert(text, alert, figures.as_of, lang);
    }
    let hidden = figures.alerts.len().saturating_sub(WALL_ALERTS);
    if hidden > 0 {
        line(text, format_args!("  +{hidden} {}", Label::More.text(lang)));
    }
}

fn push_feeds(text: &mut String, figures: &StatusFigures<'_>, lang: Lang) {
    line(text, format_args!(""));
    line(text, format_args!("{}", Label::Feeds.text(lang)));
    if figures.feeds.is_empty() {
        line(text, format_args!("  {}", Label::NoFeeds.text(lang)));
    }
    for feed in &figures.feeds {
        let since = age(figures.as_of.since(feed.condition_since));
        line(
            text,
            format_args!(
                "  {} {} {since:>8} {:>7} {} {:>9.1}/s",
                column(feed.id.as_str(), 20),
                column(feed.condition.word(), 10),
                feed.vehicles,
                Label::Vehicles.text(lang),
                feed.rate_per_s,
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
        let (code, scope, detail) = (plain(fault.code), plain(fault.scope), plain(fault.detail));
        let since = Label::Since.text(lang);
        line(text, format_args!("  {code} {scope} {since} {}: {detail}", fault.since));
    }
}

fn push_alert(text: &mut String, alert: &Alert, as_of: UtcMillis, lang: Lang) {
    let owner = alert.acknowledgement.as_ref().map_or(Label::NobodyHasIt.text(lang), |a| &a.by);
    let mut row = format!(
        "  {} {:>6} {:>8}  {} {} {}",
        alert.priority.word(),
        alert.id.number,
        age(as_of.since(alert.raised_at)),
        column(owner, OWNER_COLUMNS),
        column(&place_text(alert, lang), PLACE_COLUMNS),
        column(&headline(alert, lang), HEADLINE_COLUMNS),
    );
    if !alert.durable {
        append(&mut row, format_args!(" {}", Label::NotOnDisk.text(lang)));
    }
    line(text, format_args!("{row}"));
}

/// A span as people say it, at most seven characters up to 11 years: `5s`, `3m12s`, `2h05m`, `4d07h`.
fn age(millis: i64) -> String {
    let seconds = millis.max(0) / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match () {
        () if minutes == 0 => format!("{seconds}s"),
        () if hours == 0 => format!("{minutes}m{:02}s", seconds % 60),
        () if days == 0 => format!("{hours}h{:02}m", minutes % 60),
        () => format!("{days}d{:02}h", hours % 24),
    }
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
            alerts: vec![Cow::Borrowed(&panic), Cow::Borrowed(&taken)],
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
              P1    417    1m01s  NOBODY       60.17000,24.94000              Panic alarm, vehicle 22/800
              P1      5    2h05m  kim          60.17000,24.94000              Panic alarm, vehicle 22/800                          NOT ON DISK

            FEEDS
              hfp                  good          2m05s    1460 vehicles     948.5/s
              native               silent        2m05s    1460 vehicles     948.5/s

            DEGRADED  1
              feed_silent feed:native since 2026-11-23T07:57:55.000Z: nothing for 2 min
        "#]].assert_eq(&wall(&figures, Lang::En));
        expect![[r#"
            TOPIS  2026-11-23T08:00:00.000Z  시계 wall
            1460 차량   live 1400   aging 40   stale 15   lost 5
            in_service 1200   deadrun 260

            경보  2 미종결   P1 2   P2 0   P3 0   P4 0
              P1    417    1m01s  미확인       60.17000,24.94000              비상 버튼, 차량 22/800
              P1      5    2h05m  kim          60.17000,24.94000              비상 버튼, 차량 22/800                               기록 안 됨

            수신원
              hfp                  good          2m05s    1460 차량     948.5/s
              native               silent        2m05s    1460 차량     948.5/s

            장애  1
              feed_silent feed:native 시작 2026-11-23T07:57:55.000Z: nothing for 2 min
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
        let text = wall(&StatusFigures { alerts: vec![Cow::Borrowed(&alert); 13], ..figures() }, Lang::En);
        assert_eq!(text.matches("Panic alarm").count(), 10);
        assert!(text.contains("13 open   P1 13"), "{text}");
        assert!(text.contains("+3 more"), "{text}");
    }

    #[test]
    fn a_stranger_cannot_move_the_cursor() {
        let mut alert = samples::panic();
        alert.kind_word = Some("\u{1b}[2Jx\u{202e}y\n".to_owned());
        let text = String::from_utf8(alerts_text(&mut [&alert].into_iter(), NOW, Lang::En)).unwrap();
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
        let ages: Vec<String> = [-5, 5_000, 192_000, 7_500_000, 371_000_000].into_iter().map(age).collect();
        expect!["0s 5s 3m12s 2h05m 4d07h"].assert_eq(&ages.join(" "));
    }
}
