//! `topis user`: makes, lists and revokes users of the embedded broker.
//!
//! What a users file may hold is `ingest`'s; here it is edited, comments kept. A password is printed once and kept
//! nowhere.

use std::{fmt::Write as _, path::Path, process::ExitCode};

use anyhow::{Context as _, bail};
use ingest::Users;
use sha2::{Digest as _, Sha256};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use crate::{
    cli::UserCommand,
    output,
    tokens::{chosen, read, read_or_empty, replace, secret},
};

/// Carries a command out; `configured` is `broker.users_file`, empty when there is none.
///
/// # Errors
/// No file is named, or it cannot be read, parsed or written; a name is taken, unknown or no topic level.
pub fn run(command: UserCommand, configured: &str) -> anyhow::Result<ExitCode> {
    let key = "broker.users_file";
    match command {
        UserCommand::New { role, name, file } => {
            let file = chosen(file, configured, key)?;
            let password = new(&file, &name, &role)?;
            output::note(&format!(
                "user {name} ({role}) made; the SHA-256 of the password is in {}; it is shown this once, and holds from \
                 the next start:",
                file.display()
            ));
            output::data(&password)
        }
        UserCommand::List { file } => {
            let mut lines = String::new();
            for user in tables(&document(&read(&chosen(file, configured, key)?)?)?) {
                let of = |key: &str| user.get(key).and_then(Item::as_str).unwrap_or_default().to_owned();
                writeln!(lines, "{}\t{}", of("role"), of("name"))?;
            }
            if lines.is_empty() { Ok(ExitCode::SUCCESS) } else { output::data(lines.trim_end()) }
        }
        UserCommand::Revoke { name, file } => {
            let file = chosen(file, configured, key)?;
            revoke(&file, &name)?;
            output::note(&format!("user {name} revoked; this holds from the next start"));
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn new(file: &Path, name: &str, role: &str) -> anyhow::Result<String> {
    let mut document = document(&read_or_empty(file)?).with_context(|| format!("{}", file.display()))?;
    let password = secret()?;
    let hash: String = Sha256::digest(password.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut user = Table::new();
    user.insert("name", value(name));
    user.insert("password_sha256", value(hash));
    user.insert("role", value(role));
    let users = document.entry("users").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    let Some(users) = users.as_array_of_tables_mut() else {
        bail!("{}: `users` is no list of [[users]] tables", file.display());
    };
    if users.iter().any(|user| is_of(user, name)) {
        bail!("there is a user {name:?} already; revoke it first: topis user revoke --name {name:?}");
    }
    users.push(user);
    let text = document.to_string();
    Users::parse(&text)?;
    replace(file, &text)?;
    Ok(password)
}

fn revoke(file: &Path, name: &str) -> anyhow::Result<()> {
    let mut document = document(&read(file)?)?;
    let users = document.get_mut("users").and_then(Item::as_array_of_tables_mut);
    let before = users.as_ref().map_or(0, |users| users.len());
    let after = users.map_or(0, |users| {
        users.retain(|user| !is_of(user, name));
        users.len()
    });
    if before == after {
        bail!("there is no user {name:?} in {}", file.display());
    }
    replace(file, &document.to_string())
}

/// The file, checked by those who use it.
fn document(text: &str) -> anyhow::Result<DocumentMut> {
    Users::parse(text)?;
    Ok(text.parse()?)
}

fn tables(document: &DocumentMut) -> impl Iterator<Item = &Table> {
    document.get("users").and_then(Item::as_array_of_tables).into_iter().flat_map(ArrayOfTables::iter)
}

fn is_of(user: &Table, name: &str) -> bool {
    user.get("name").and_then(Item::as_str) == Some(name)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_user_is_admitted_until_revoked_and_comments_stay() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("users.toml");
        fs::write(&file, "# the fleet\n").unwrap();
        let password = new(&file, "22/800", "vehicle").unwrap();
        let other = new(&file, "sim", "feeder").unwrap();
        let text = read(&file).unwrap();
        assert!(text.contains("# the fleet") && !text.contains(&password), "{text}");
        let users = Users::parse(&text).unwrap();
        assert!(users.admits("22/800", password.as_bytes()) && users.admits("sim", other.as_bytes()));

        assert!(new(&file, "sim", "feeder").unwrap_err().to_string().contains("revoke it first"));
        revoke(&file, "22/800").unwrap();
        let text = read(&file).unwrap();
        assert!(!Users::parse(&text).unwrap().admits("22/800", password.as_bytes()));
        assert!(revoke(&file, "22/800").is_err());
    }

    #[test]
    fn a_name_that_is_no_topic_level_is_refused_and_nothing_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("users.toml");
        assert!(new(&file, "22/+", "vehicle").is_err());
        assert!(!file.exists());
    }
}
