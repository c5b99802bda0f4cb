//! Fifty labelled cases: what the proposals find of them, and what they wrongly join.

use std::collections::BTreeSet;

use alert::{Alert, Incident};
use geo::Coord;

use super::*;
use crate::{
    flat::Flat,
    samples::{self, NOW, heart},
};

const CASES: &str = include_str!("cases.txt");

/// A case read from its line.
struct Case<'a> {
    title: &'a str,
    alerts: Vec<(char, Alert)>,
    incidents: Vec<(char, Incident)>,
    view: View,
    expected: BTreeSet<(char, char)>,
}

fn place(words: &[&str]) -> Coordinate {
    let number = |at: usize| words[at].parse::<f64>().unwrap_or_else(|e| panic!("{words:?}: {e}"));
    Flat::around(heart()).coordinate(Coord { x: number(1), y: number(2) })
}

fn pairs(group: &[char]) -> impl Iterator<Item = (char, char)> + '_ {
    group.iter().enumerate().flat_map(|(at, a)| group.iter().skip(at + 1).map(|b| (*a.min(b), *a.max(b))))
}

fn read(line: &str) -> Case<'_> {
    let parts: Vec<&str> = line.split('|').map(str::trim).collect();
    let [title, entries, groups] = parts.as_slice() else { panic!("not three parts: {line}") };
    let (mut alerts, mut incidents, mut standing) = (Vec::new(), Vec::new(), 0);
    for (letter, entry) in ('a'..).zip(entries.split(';').map(str::trim)) {
        let words: Vec<&str> = entry.split_whitespace().collect();
        if words[0] == "stands" {
            standing = words[1].parse().unwrap();
        } else if let Some(kind) = words[0].strip_prefix('@') {
            let ago = words[3].parse().unwrap();
            incidents.push((letter, samples::incident(&letter.to_string(), kind, Some(place(&words)), ago)));
        } else {
            let (rule, vehicle) = words[0].split_once('/').unwrap();
            let (key, ago) = (format!("22/{vehicle}"), words[3].parse().unwrap());
            alerts.push((letter, samples::alert(u64::from(letter), rule, &key, Some(place(&words)), ago)));
        }
    }
    let view = (0..standing).map(|n| samples::vehicle(&format!("23/{n} at 0 m N speed 0 doing in_service"))).collect();
    let expected = groups.split(',').filter(|g| *g != "-").flat_map(|g| {
        let letters: Vec<char> = g.chars().collect();
        pairs(&letters).collect::<Vec<_>>()
    });
    Case { title, alerts, incidents, view, expected: expected.collect() }
}

fn propose(case: &Case<'_>) -> Vec<Proposal> {
    let alerts: Vec<&Alert> = case.alerts.iter().map(|(_, a)| a).collect();
    let incidents: Vec<&Incident> = case.incidents.iter().map(|(_, i)| i).collect();
    propose_groups(&alerts, &incidents, &case.view, NOW, &GroupOptions::default())
}

fn found(proposals: &[Proposal]) -> BTreeSet<(char, char)> {
    let letters = |p: &Proposal| -> Vec<char> {
        let alerts = p.members.iter().filter_map(|m| char::from_u32(m.alert.number as u32));
        alerts.chain(p.incident.iter().filter_map(|key| key.id.chars().next())).collect()
    };
    proposals.iter().flat_map(|p| pairs(&letters(p)).collect::<Vec<_>>()).collect()
}

#[test]
fn fifty_labelled_cases_reach_the_stated_precision_and_recall() {
    let cases: Vec<Case<'_>> = CASES.lines().filter(|l| !l.starts_with('#')).map(read).collect();
    assert_eq!(cases.len(), 50);
    let (mut right, mut wrong, mut missed, mut off) = (0, 0, 0, Vec::new());
    for case in &cases {
        let found = found(&propose(case));
        right += found.intersection(&case.expected).count();
        wrong += found.difference(&case.expected).count();
        missed += case.expected.difference(&found).count();
        if found != case.expected {
            off.push(format!("{}: expected {:?}, found {found:?}", case.title, case.expected));
        }
    }
    let precision = f64::from(u32::try_from(right).unwrap()) / f64::from(u32::try_from(right + wrong).unwrap());
    let recall = f64::from(u32::try_from(right).unwrap()) / f64::from(u32::try_from(right + missed).unwrap());
    let report = format!("pairs: {right} right, {wrong} wrong, {missed} missed\n{}", off.join("\n"));
    #[expect(clippy::print_stdout, reason = "the figures are to be read in the test's output")]
    {
        println!("precision {precision:.3}, recall {recall:.3}; {report}");
    }
    assert!(precision >= 0.9, "precision {precision:.3}\n{report}");
    assert!(recall >= 0.9, "recall {recall:.3}\n{report}");
}

#[test]
fn every_member_but_the_seed_says_why() {
    for line in CASES.lines().filter(|l| !l.starts_with('#')) {
        for proposal in propose(&read(line)) {
            let bare = proposal.members.iter().filter(|m| m.evidence.is_empty()).count();
            assert_eq!(bare, usize::from(proposal.incident.is_none()), "{line}");
            assert!((0.0..=1.0).contains(&proposal.confidence), "{line}");
        }
    }
}

#[test]
fn drills_closed_alerts_and_alerts_without_a_place_are_left_alone() {
    let here = Some(heart());
    let fire = samples::alert(1, "EMG.FIRE", "22/1", here, 60);
    let drill = Alert { status: Status::Exercise, ..samples::alert(2, "EMG.FIRE", "22/2", here, 60) };
    let closed = Alert { condition: alert::AlertCondition::Closed, ..samples::alert(3, "EMG.FIRE", "22/3", here, 60) };
    let lost = samples::alert(4, "EMG.FIRE", "22/4", None, 60);
    let none = propose_groups(&[&fire, &drill, &closed, &lost], &[], &View::default(), NOW, &GroupOptions::default());
    assert_eq!(none, []);
    // The vehicle's own position takes the place of one that the alarm lacks.
    let view: View = [samples::vehicle("22/4 at 20 m N")].into_iter().collect();
    assert_eq!(propose_groups(&[&fire, &lost], &[], &view, NOW, &GroupOptions::default()).len(), 1);
}
