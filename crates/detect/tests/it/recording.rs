//! An ordinary morning of a real city, every message through the picture and the patrol.
#![expect(clippy::disallowed_methods, reason = "a test is told by its environment where the recordings are")]

use std::{env, path::PathBuf};

use alert::FindingVerdict;
use picture::FeedCondition;
use transit::{Fix, Journey, Mode, RouteId, TripId, UtcMillis, VehicleKey};

use crate::stage::{START_MS, Stage, feed, message};

/// The recording, or why not.
fn recording(path: &str) -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let found = env::var_os("TOPIS_RECORDINGS").map_or_else(beside, PathBuf::from).join(path);
    if found.exists() {
        return Some(found);
    }
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    {
        eprintln!("SKIPPED: recordings not present ({}; set TOPIS_RECORDINGS)", found.display());
    }
    None
}

struct Report {
    at: UtcMillis,
    observation: transit::Observation,
}

fn reports(path: &PathBuf) -> Vec<Report> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let mut reports: Vec<Report> = reader
        .records()
        .map(|row| {
            let row = row.unwrap();
            let at = UtcMillis::parse_rfc3339(&row[1]).unwrap();
            let mut o = message("a/1", at.since(UtcMillis(START_MS)) / 1000);
            o.vehicle = VehicleKey::parse(&format!("capmetro/{}", &row[0])).unwrap();
            o.feed = feed("austin");
            o.mode = Some(Mode::Bus);
            let mut fix = Fix::at(row[5].parse().unwrap(), row[6].parse().unwrap());
            fix.speed_mps = row[2].parse().ok();
            o.position = Some(fix);
            let (route_id, trip_id) = (RouteId::parse(&row[3]).ok(), TripId::parse(&row[4]).ok());
            o.journey = Some(Journey { route_id, trip_id, ..Journey::default() });
            Report { at, observation: o }
        })
        .collect();
    reports.sort_by(|a, b| (a.at, &a.observation.vehicle).cmp(&(b.at, &b.observation.vehicle)));
    reports
}

#[test]
fn an_ordinary_morning_is_at_most_12_alerts_an_hour_and_the_feed_reads_live() {
    let Some(path) = recording("austin/2016-12-16.csv") else { return };
    let reports = reports(&path);
    assert_eq!(reports.len(), 34_501);
    let start = reports[0].at;
    // At 9:43 local time the recording has a hole of hours: what is told of that is right, but no ordinary morning.
    let end = UtcMillis::parse_rfc3339("2016-12-16T09:42:00-06:00").unwrap();
    let mut stage = Stage::by_default();
    let mut next = reports.iter().peekable();
    let mut alerts = Vec::new();
    let (mut good, mut looks, mut live, mut known) = (0_usize, 0_usize, 0_usize, 0_usize);
    for second in 0..u64::try_from(end.since(start) / 1000).unwrap() {
        while let Some(report) = next.next_if(|r| r.at.since(start) <= second as i64 * 1000) {
            let mut o = report.observation.clone();
            // On the test's own clock.
            o.event_time = UtcMillis(START_MS + report.at.since(start));
            stage.say(&o, second);
        }
        stage.look(second);
        for finding in stage.round.findings.iter().filter(|f| f.verdict == FindingVerdict::Raised) {
            alerts.push((second / 3_600, format!("+{second} {} {}", finding.rule, finding.subject)));
        }
        let record = &stage.last.feeds[&feed("austin")];
        if second >= 900 {
            looks += 1;
            good += usize::from(record.condition == FeedCondition::Good);
            live += record.by_freshness[0];
            known += record.by_freshness[..3].iter().sum::<usize>();
        }
    }
    let worst = (0..6).map(|hour| alerts.iter().filter(|(h, _)| *h == hour).count()).max().unwrap_or(0);
    assert!(worst <= 12, "{alerts:#?}");
    assert!(good * 100 >= looks * 99, "the feed was good in {good} of {looks} seconds");
    assert!(live * 100 >= known * 80, "{live} live of {known} that are not lost");
}
