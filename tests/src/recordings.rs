//! Real recordings, which are not part of the project: found by `TOPIS_RECORDINGS` or beside the checkout.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{process, workspace};

/// One line of an HFP recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When it was received.
    pub received_at: String,
    /// Topic; may hold spaces.
    pub topic: String,
    /// Body.
    pub payload: String,
}

/// A file among the recordings; when it is not there, says so for the test that wanted it.
pub fn find(path: &str) -> Option<PathBuf> {
    let folder =
        env::var_os("TOPIS_RECORDINGS").map_or_else(|| workspace::root().join("../shared/data"), PathBuf::from);
    let found = folder.join(path);
    if found.exists() {
        return Some(found);
    }
    process::skipped(&format!("recordings not present ({}; set TOPIS_RECORDINGS)", found.display()));
    None
}

/// Reads the line format: receive time, topic, and the body from the first ` {` on.
///
/// # Panics
/// When the file cannot be read or a line is not of that form.
pub fn lines(path: &Path) -> Vec<Line> {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let (received_at, rest) = line.split_once(' ').unwrap_or_else(|| panic!("no topic: {line}"));
            let (topic, payload) = rest.split_once(" {").unwrap_or_else(|| panic!("no body: {line}"));
            Line { received_at: received_at.to_owned(), topic: topic.to_owned(), payload: format!("{{{payload}") }
        })
        .collect()
}

/// The same lines in an order that a seed decides.
pub fn shuffled(lines: &[Line], seed: u64) -> Vec<Line> {
    let mut dice = crate::load::Dice::new(seed);
    let mut mixed = lines.to_vec();
    for last in (1..mixed.len()).rev() {
        let other = dice.below(last + 1);
        mixed.swap(last, other);
    }
    mixed
}
