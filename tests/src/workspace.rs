//! Where the project is, and which of its files git knows.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The workspace's root folder.
///
/// # Panics
/// When this crate is not inside it, which cannot be while it builds.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate is a folder of the workspace").to_path_buf()
}

/// Every file git tracks, relative to the root. Files deleted but not yet committed are left out.
///
/// # Panics
/// When git is not there or this is no checkout.
pub fn tracked_files() -> Vec<String> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().expect("git is installed");
    assert!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    String::from_utf8_lossy(&listed.stdout)
        .split('\0')
        .filter(|path| !path.is_empty() && root().join(path).exists())
        .map(str::to_owned)
        .collect()
}
