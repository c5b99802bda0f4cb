//! The two programs under test: built once per test run, in the profile of the tests themselves.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::workspace;

struct Built {
    topis: PathBuf,
    sim: PathBuf,
}

/// The service. `TOPIS_BIN` names another one.
pub fn topis() -> &'static Path {
    &built().topis
}

/// The simulator. `TOPIS_SIM_BIN` names another one.
pub fn topis_sim() -> &'static Path {
    &built().sim
}

fn built() -> &'static Built {
    static BUILT: OnceLock<Built> = OnceLock::new();
    BUILT.get_or_init(|| {
        let given = |key: &str| env::var_os(key).map(PathBuf::from).filter(|path| path.exists());
        if let (Some(topis), Some(sim)) = (given("TOPIS_BIN"), given("TOPIS_SIM_BIN")) {
            return Built { topis, sim };
        }
        build()
    })
}

/// This program is `<target>/<profile>/deps/<name>`, so the binaries of the same profile are two folders up.
fn build() -> Built {
    let own = env::current_exe().expect("a running program has a path");
    let folder = own.parent().and_then(Path::parent).expect("test programs live in <profile>/deps").to_path_buf();
    let target = folder.parent().expect("a profile folder is in the target folder");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--workspace", "--bins"]).arg("--target-dir").arg(target).current_dir(workspace::root());
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo.status().expect("cargo runs");
    assert!(status.success(), "building the binaries under test failed");
    Built { topis: folder.join("topis"), sim: folder.join("topis-sim") }
}
