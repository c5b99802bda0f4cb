//! Rules about the text of the project that no compiler checks, over `git ls-files`.
//!
//! Each test lists everything that is wrong, so that one run is enough to repair it.

use std::{collections::BTreeSet, fs, path::Path};

use tests::workspace;

const FILE_LINES_MAX: usize = 500;
const BANNED_NAMES: &[&str] = &[
    "manager",
    "handler",
    "processor",
    "engine",
    "service",
    "util",
    "utils",
    "common",
    "helper",
    "helpers",
    "info",
    "data",
    "event",
    "state",
    "context",
];
const PURE_CRATES: &[&str] = &["transit", "decode", "picture", "detect", "alert", "impact", "room", "publish"];
const ROOT_ALLOWED: &[&str] = &[
    ".ci",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "clippy.toml",
    "config",
    "crates",
    "deny.toml",
    "docs",
    "fuzz",
    "packaging",
    "rustfmt.toml",
    "simulator",
    "tests",
];

/// A file of ours with its text.
struct Source {
    path: String,
    text: String,
}

fn sources(extension: &str) -> Vec<Source> {
    let root = workspace::root();
    workspace::tracked_files()
        .into_iter()
        .filter(|path| Path::new(path).extension().is_some_and(|e| e == extension))
        .filter_map(|path| fs::read_to_string(root.join(&path)).ok().map(|text| Source { path, text }))
        .collect()
}

fn assert_none(what: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{what}:\n  {}", wrong.join("\n  "));
}

#[test]
fn every_rust_file_says_what_it_is() {
    let wrong: Vec<String> = sources("rs").into_iter().filter(|s| !s.text.starts_with("//!")).map(|s| s.path).collect();
    assert_none("files that do not start with `//!`", &wrong);
}

/// Lines before the first in-file test module, which by custom stands last.
fn lines_without_tests(text: &str) -> usize {
    text.lines().take_while(|line| line.trim() != "#[cfg(test)]").count()
}

#[test]
fn no_file_is_longer_than_a_reader_s_patience() {
    let wrong: Vec<String> = sources("rs")
        .into_iter()
        .map(|s| (lines_without_tests(&s.text), s.path))
        .filter(|(lines, _)| *lines > FILE_LINES_MAX)
        .map(|(lines, path)| format!("{path}: {lines} lines, at most {FILE_LINES_MAX}"))
        .collect();
    assert_none("long files", &wrong);
}

/// The names of types and modules that a line declares.
fn declared(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub ")).unwrap_or(line);
    let rest = ["struct ", "enum ", "trait ", "type ", "mod "].iter().find_map(|k| line.strip_prefix(k))?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

/// `FeedStateRing` and `feed_state_ring` both as their words.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c == '_' || c.is_uppercase() {
            words.push(String::new());
        }
        if c != '_' {
            words.last_mut().expect("never empty").extend(c.to_lowercase());
        }
    }
    words.retain(|w| !w.is_empty());
    words
}

#[test]
fn no_type_or_module_has_a_name_that_says_nothing() {
    let mut wrong = Vec::new();
    for source in sources("rs") {
        let stem = Path::new(&source.path).file_stem().map(|s| s.to_string_lossy().to_string()).unwrap_or_default();
        let named = source.text.lines().take(lines_without_tests(&source.text)).filter_map(declared);
        for name in named.chain([stem.as_str()]) {
            // A word of the field may contain one of these (`JourneyState` is GTFS); a name may not *be* one.
            if let [only] = words(name).as_slice()
                && BANNED_NAMES.contains(&only.as_str())
            {
                wrong.push(format!("{}: {name}", source.path));
            }
            if words(name).last().is_some_and(|w| matches!(w.as_str(), "manager" | "handler" | "processor" | "util")) {
                wrong.push(format!("{}: {name}", source.path));
            }
        }
    }
    assert_none("names that say nothing", &wrong);
}

#[test]
fn nothing_is_left_to_do_in_the_code() {
    // Spelled in two halves, so that this file passes itself.
    let marks = [concat!("FIX", "ME"), concat!("TO", "DO"), concat!("XX", "X")];
    let ignored = concat!("#[ign", "ore");
    let mut wrong = Vec::new();
    for source in sources("rs").into_iter().chain(sources("toml")).chain(sources("py")) {
        for (number, line) in source.text.lines().enumerate() {
            let marked = marks.iter().any(|m| line.split(|c: char| !c.is_alphanumeric()).any(|w| w == *m));
            if marked || line.trim_start().starts_with(ignored) {
                wrong.push(format!("{}:{}: {}", source.path, number + 1, line.trim()));
            }
        }
    }
    assert_none("left to do", &wrong);
}

#[test]
fn no_path_of_one_machine_is_written_down() {
    let homes = [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/"), concat!("/Us", "ers/")];
    let mut wrong = Vec::new();
    for extension in ["rs", "toml", "md", "py", "sh"] {
        for source in sources(extension) {
            for (number, line) in source.text.lines().enumerate() {
                if homes.iter().any(|home| line.contains(home)) {
                    wrong.push(format!("{}:{}: {}", source.path, number + 1, line.trim()));
                }
            }
        }
    }
    assert_none("paths of one machine", &wrong);
}

#[test]
fn a_folder_is_named_like_its_crate() {
    let wrong: Vec<String> = workspace::tracked_files()
        .into_iter()
        .filter(|path| path.ends_with("/Cargo.toml") && !path.starts_with("fuzz/"))
        .filter_map(|path| {
            let text = fs::read_to_string(workspace::root().join(&path)).ok()?;
            let manifest: toml::Table = text.parse().ok()?;
            let name = manifest.get("package")?.get("name")?.as_str()?.to_owned();
            let folder = Path::new(&path).parent()?.file_name()?.to_string_lossy().to_string();
            (folder != name).then(|| format!("{path}: crate {name}"))
        })
        .collect();
    assert_none("folders not named like their crate", &wrong);
}

#[test]
fn the_root_holds_what_a_rust_workspace_expects_and_nothing_else() {
    let found: BTreeSet<String> =
        workspace::tracked_files().iter().filter_map(|path| path.split('/').next().map(str::to_owned)).collect();
    let wrong: Vec<String> = found.into_iter().filter(|name| !ROOT_ALLOWED.contains(&name.as_str())).collect();
    assert_none("things at the root", &wrong);
}

fn bans(crate_name: &str) -> (toml::Table, toml::Table) {
    let root = workspace::root();
    let read = |path: &Path| -> toml::Table {
        fs::read_to_string(path)
            .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
            .parse()
            .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    };
    (read(&root.join("clippy.toml")), read(&root.join("crates").join(crate_name).join("clippy.toml")))
}

/// A crate's clippy.toml replaces the root's, so both must say the same where both speak.
#[test]
fn every_pure_crate_bans_the_world_and_keeps_the_shared_lints() {
    let (_, first) = bans(PURE_CRATES[0]);
    for name in PURE_CRATES {
        let (shared, own) = bans(name);
        for (key, value) in &shared {
            assert_eq!(own.get(key), Some(value), "crates/{name}/clippy.toml: {key} differs from the root's");
        }
        for key in ["disallowed-methods", "disallowed-types"] {
            assert_eq!(
                own.get(key),
                first.get(key),
                "crates/{name}/clippy.toml: {key} differs from {}",
                PURE_CRATES[0]
            );
            let list = own.get(key).and_then(|v| v.as_array()).unwrap_or_else(|| panic!("crates/{name}: no {key}"));
            for ban in list {
                let reason = ban.get("reason").and_then(|r| r.as_str()).unwrap_or_default();
                assert!(!reason.is_empty(), "crates/{name}: {ban} does not name what to use instead");
            }
        }
    }
}

#[test]
fn every_scenario_file_parses_and_says_what_it_shows() {
    let files: Vec<Source> =
        sources("toml").into_iter().filter(|s| s.path.starts_with("simulator/scenarios/")).collect();
    for file in &files {
        let table: toml::Table = file.text.parse().unwrap_or_else(|e| panic!("{}: {e}", file.path));
        for key in ["title", "doc"] {
            let text = table.get(key).and_then(|v| v.as_str()).unwrap_or_default();
            assert!(!text.is_empty(), "{}: `{key}` is missing", file.path);
        }
    }
}
