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
    expect![[r#"
        # Report: alert 417 (20261123-417)

        As of 2026-11-23T08:00:00.000Z

        **Panic alarm, vehicle 22/800**

        | fact | value |
        |---|---|
        | priority, class | P1, emergency |
        | rule | EMG\.PANIC |
        | about | vehicle\:22/800 |
        | place as said | 60\.17000,24\.94000 |
        | pressed, by its own clock | 2026-11-23T07:58:58.000Z |
        | reached us | 2026-11-23T07:58:59.000Z |
        | raised | 2026-11-23T07:58:59.000Z |
        | state | active |
        | owner | lee |
        | presses | 1 |
        | passengers | 12 |
        | text | \@everyone \!\[x\]\(http\://x\.example/y\.png\) \&lt;b\&gt; |
        | closed | — |

        ## Timeline

        | when | alert | what | who | desk | from | to | words |
        |---|---|---|---|---|---|---|---|
        | 2026-11-23T07:58:59.000Z | 417 | raised | driver (person) | — | none | active/unacknowledged | — |
        | 2026-11-23T08:00:05.000Z | 417 | acknowledged | kim (person) | — | active/unacknowledged | active/acknowledged | — |
        | 2026-11-23T08:00:30.000Z | 417 | mark | kim (person) | — | active/acknowledged | active/acknowledged | \<script\>alert\(1\)\</script\>·\# not a heading \| nor a cell www\.x\.example |
        | 2026-11-23T08:01:00.000Z | 417 | handover | kim (person) | — | active/acknowledged | active/acknowledged | — |

        ## Owners

        | alert | who | desk | from | until | ended by |
        |---|---|---|---|---|---|
        | 417 | kim | — | 2026-11-23T08:00:05.000Z | 2026-11-23T08:01:00.000Z | handover |
        | 417 | lee | north | 2026-11-23T08:01:00.000Z | — | — |

        ## Marks

        | alert | step | party | reference | reached | noted | by | words |
        |---|---|---|---|---|---|---|---|
        | 417 | on_scene | \=cmd\|' /C calc'\!A0 | \[119\]\(http\://x\.example\) | 2026-11-23T08:00:20.000Z | 2026-11-23T08:00:30.000Z | kim | \<script\>alert\(1\)\</script\>·\# not a heading \| nor a cell www\.x\.example |

        ## Vehicles around alert 417

        Recorded from 60 min before the raise on; begun 2026-11-23T07:59:00.000Z, end: not ended. Near is within 2000 m of 60.17000,24.94000.

        | vehicle | why | metres away | points | doubtful | first | last | last place |
        |---|---|---|---|---|---|---|---|
        | 22/800 | subject | 12 | 3 | 1 | 2026-11-23T07:59:30.000Z | 2026-11-23T08:01:35.000Z | 60.17000,24.94950 |
        | 22/7 | near | 12 | 1 | 0 | 2026-11-23T08:00:00.000Z | 2026-11-23T08:00:00.000Z | 60.17000,24.94000 |
        | 22/9 | member | — | 0 | 0 | — | — | — |

        ### Positions of 22/800

        | time, by its own clock | lat | lon | m/s | course | doubts |
        |---|---|---|---|---|---|
        | 2026-11-23T07:59:30.000Z | 60.17000 | 24.93700 | 7.5 | 90 | — |
        | 2026-11-23T08:00:00.000Z | 60.17000 | 24.94000 | 7.5 | 90 | jump |
        | 2026-11-23T08:01:35.000Z | 60.17000 | 24.94950 | 7.5 | 90 | — |

        ## What was not known

        - 22/800: silent, 2026-11-23T08:00:00.000Z – 2026-11-23T08:01:35.000Z
        - 22/9: was never heard
        - 22/800: doubtful, 1 (jump)
    "#]].assert_eq(&text);
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
