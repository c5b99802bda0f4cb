//! A report as it is read, and that nothing in it is a stranger's.

use expect_test::expect;

use super::*;
use crate::{
    recording::Recorded,
    report::{
        Reported,
        tests::{handled, point, recording},
    },
    samples::{self, NOW},
};

#[test]
fn a_chief_can_read_it() {
    let alert = handled();
    let reported = Reported { alert: &alert, recorded: Recorded::Kept(Box::new(recording())) };
    let report = Report { as_of: NOW, incident: None, alerts: vec![reported], alerts_left_out: 0 };
    let text = String::from_utf8(report_markdown(&report, Lang::En)).unwrap();
    expect![[""]].assert_eq(&text);
    let korean = String::from_utf8(report_markdown(&report, Lang::Ko)).unwrap();
    assert!(korean.starts_with("# 보고서: 경보 417") && korean.contains("## 알 수 없었던 것"), "{korean}");
}

#[test]
fn nothing_a_stranger_wrote_is_read_as_markdown_or_html() {
    for (given, written) in [
        ("<img src=x onerror=y>", "\\<img src\\=x onerror\\=y\\>"),
        ("[a](http://b)", "\\[a\\]\\(http\\://b\\)"),
        ("www.b.example a@b.example", "www\\.b\\.example a\\@b\\.example"),
        ("`a` *b* _c_ ~d~ \\", "\\`a\\` \\*b\\* \\_c\\_ \\~d\\~ \\\\"),
        ("a | b\n# c\r\n- d", "a \\| b·\\# c··\\- d"),
        ("&lt; \u{202e}x \u{1b}[2J", "\\&lt; ·x ·\\[2J"),
        ("종로 3가", "종로 3가"),
    ] {
        assert_eq!(safe(given), written);
    }
}

#[test]
fn a_long_way_is_thinned_and_says_so() {
    let (alert, mut kept) = (handled(), recording());
    kept.vehicles[0].points = (0..500).map(|second| point(second, None)).collect();
    kept.vehicles[0].recorded = 1_000;
    let reported = Reported { alert: &alert, recorded: Recorded::Kept(Box::new(kept)) };
    let report = Report { as_of: NOW, incident: None, alerts: vec![reported], alerts_left_out: 0 };
    let text = String::from_utf8(report_markdown(&report, Lang::En)).unwrap();
    assert!(text.contains("40 of 1000 points, spread evenly"), "{text}");
}

#[test]
fn an_incident_names_its_alerts_and_an_empty_one_says_that_nobody_took_anything() {
    let (incident, alert) = (samples::flood(), samples::panic());
    let reported = Reported { alert: &alert, recorded: Recorded::Absent };
    let report = Report { as_of: NOW, incident: Some(&incident), alerts: vec![reported], alerts_left_out: 3 };
    let text = String::from_utf8(report_markdown(&report, Lang::En)).unwrap();
    for words in [
        "# Report: incident topis/77\n",
        "| title | Underpass under water |",
        "## Alert 417 (20261123-417)",
        "Nobody has taken it.",
        "- alerts left out here, 3",
        "- alert 417, there is no recording",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}
