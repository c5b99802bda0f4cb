//! Who may use whom: the table in ARCHITECTURE.md against `cargo metadata`.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};
use tests::workspace;

const PURE_CRATES: &[&str] = &["transit", "decode", "picture", "detect", "alert", "impact", "room", "publish"];
const IMPURE: &[&str] =
    &["tokio", "mio", "rumqttc", "rmqtt", "axum", "hyper", "tracing", "rusqlite", "getrandom", "socket2", "reqwest"];

type Edges = BTreeMap<String, BTreeSet<String>>;

/// For the platform the service runs on: what only a browser or a phone would link is not ours.
fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(workspace::root().join("Cargo.toml"))
        .other_options(["--filter-platform".to_owned(), "x86_64-unknown-linux-gnu".to_owned()])
        .exec()
        .expect("cargo metadata of this workspace")
}

/// The fenced block ```` ```deps ```` with lines `api -> alert decode`.
fn written() -> Edges {
    let path = workspace::root().join("ARCHITECTURE.md");
    let text = std::fs::read_to_string(&path).expect("ARCHITECTURE.md is at the root");
    let block: Vec<&str> =
        text.lines().skip_while(|l| l.trim() != "```deps").skip(1).take_while(|l| l.trim() != "```").collect();
    assert!(!block.is_empty(), "ARCHITECTURE.md has no ```deps block");
    block
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let (from, to) = line.split_once("->").unwrap_or_else(|| panic!("not an edge: {line}"));
            (from.trim().to_owned(), to.split_whitespace().map(str::to_owned).collect())
        })
        .collect()
}

fn found(metadata: &Metadata) -> Edges {
    let members: BTreeSet<String> = metadata.workspace_packages().iter().map(|p| p.name.to_string()).collect();
    metadata
        .workspace_packages()
        .iter()
        .filter(|package| package.name.as_str() != "tests")
        .map(|package| {
            let to = package
                .dependencies
                .iter()
                .filter(|d| d.kind != DependencyKind::Development && members.contains(&d.name))
                .map(|d| d.name.clone())
                .collect();
            (package.name.to_string(), to)
        })
        .collect()
}

#[test]
fn crates_use_each_other_as_architecture_md_says() {
    let (written, found) = (written(), found(&metadata()));
    let mut wrong = Vec::new();
    for name in written.keys().chain(found.keys()).collect::<BTreeSet<_>>() {
        let none = BTreeSet::new();
        let (said, is) = (written.get(name).unwrap_or(&none), found.get(name).unwrap_or(&none));
        wrong.extend(is.difference(said).map(|to| format!("{name} -> {to} is not in ARCHITECTURE.md")));
        wrong.extend(said.difference(is).map(|to| format!("{name} -> {to} is in ARCHITECTURE.md only")));
        if !found.contains_key(name) {
            wrong.push(format!("{name} is in ARCHITECTURE.md only"));
        } else if !written.contains_key(name) {
            wrong.push(format!("{name} is not in ARCHITECTURE.md"));
        }
    }
    assert!(
        wrong.is_empty(),
        "a new edge is a decision and is made in ARCHITECTURE.md first:\n  {}",
        wrong.join("\n  ")
    );
}

/// Names of everything that `name` links when it is built alone: in the whole workspace features unify, and a pure crate
/// would be blamed for what a neighbour switched on.
fn normal_closure(name: &str) -> BTreeSet<String> {
    let tree = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["tree", "--package", name, "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .current_dir(workspace::root())
        .output()
        .expect("cargo runs");
    assert!(tree.status.success(), "cargo tree: {}", String::from_utf8_lossy(&tree.stderr));
    let listed = String::from_utf8_lossy(&tree.stdout);
    listed.lines().filter_map(|line| line.split(' ').next().map(str::to_owned)).collect()
}

#[test]
fn pure_crates_link_nothing_that_touches_the_world() {
    let mut wrong = Vec::new();
    for name in PURE_CRATES {
        let closure = normal_closure(name);
        assert!(closure.contains(*name), "cargo tree lists {name} itself");
        wrong.extend(
            IMPURE.iter().filter(|impure| closure.contains(**impure)).map(|impure| format!("{name}: {impure}")),
        );
    }
    assert!(wrong.is_empty(), "linked by a pure crate:\n  {}", wrong.join("\n  "));
}
