//! `topis token`: makes, lists and revokes the bearer tokens of the HTTP API.
//!
//! The file's form and the hash are `api`'s; here are randomness and files. A token is printed once and kept nowhere.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use api::Tokens;
use transit::Word as _;

use crate::{
    cli::{SecretsFile, TokenCommand},
    output,
};

/// Carries a command out; `configured` is `http.tokens_file`, empty when there is none.
///
/// # Errors
/// No file is named, or it cannot be read, parsed or written; a name is taken or unknown.
pub fn run(command: TokenCommand, configured: &str) -> anyhow::Result<ExitCode> {
    match command {
        TokenCommand::New { role, name, file } => {
            let file = chosen(file, configured, "http.tokens_file")?;
            let token = new(&file, &name, role)?;
            output::note(&format!(
                "token of {name} ({}) made; its SHA-256 is in {}; it is shown this once, and holds from the next start:",
                role.word(),
                file.display()
            ));
            output::data(&token)
        }
        TokenCommand::List { file } => {
            let text = read(&chosen(file, configured, "http.tokens_file")?)?;
            let tokens = Tokens::parse(&text)?;
            let lines: Vec<String> = tokens.list().map(|(name, role)| format!("{}\t{name}", role.word())).collect();
            if lines.is_empty() { Ok(ExitCode::SUCCESS) } else { output::data(&lines.join("\n")) }
        }
        TokenCommand::Revoke { name, file } => {
            let file = chosen(file, configured, "http.tokens_file")?;
            let Some(rest) = Tokens::without(&read(&file)?, &name) else {
                bail!("there is no token of {name:?} in {}", file.display());
            };
            replace(&file, &rest)?;
            output::note(&format!("token of {name} revoked; this holds from the next start"));
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn new(file: &Path, name: &str, role: api::Role) -> anyhow::Result<String> {
    let mut text = read_or_empty(file)?;
    Tokens::parse(&text).with_context(|| format!("{}", file.display()))?;
    let token = format!("topis_{}", secret()?);
    let Some(line) = Tokens::line(name, role, &token) else {
        bail!("a name has 1 to 64 characters, none of them a control character, and no blank at its ends");
    };
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&line);
    text.push('\n');
    if Tokens::parse(&text).is_err() {
        bail!("there is a token of {name:?} already; revoke it first: topis token revoke --name {name:?}");
    }
    replace(file, &text)?;
    Ok(token)
}

/// The file of the command line, else of the configuration.
pub(crate) fn chosen(given: SecretsFile, configured: &str, key: &str) -> anyhow::Result<PathBuf> {
    match given.file {
        Some(file) => Ok(file),
        None if !configured.is_empty() => Ok(PathBuf::from(configured)),
        None => bail!("name the file: --file FILE, or {key} in the configuration"),
    }
}

/// 256 bits from the operating system, in hexadecimal.
pub(crate) fn secret() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("the system gives no randomness: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

pub(crate) fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}

pub(crate) fn read_or_empty(file: &Path) -> anyhow::Result<String> {
    match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read.with_context(|| format!("{} cannot be read", file.display())),
    }
}

/// Puts a new file in the place of the old, whole or not at all, readable by its owner only.
pub(crate) fn replace(file: &Path, text: &str) -> anyhow::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = || -> io::Result<()> {
        let mut draft = tempfile::NamedTempFile::new_in(folder)?;
        draft.write_all(text.as_bytes())?;
        draft.as_file().sync_all()?;
        draft.persist(file)?;
        Ok(())
    };
    written().with_context(|| format!("{} cannot be written", file.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_token_lets_in_until_it_is_revoked_and_is_kept_as_a_hash_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens");
        let kim = new(&file, "kim", api::Role::Operator).unwrap();
        let board = new(&file, "board 3", api::Role::Viewer).unwrap();
        assert_ne!(kim, board);
        assert_eq!(kim.len(), 6 + 64);

        let text = read(&file).unwrap();
        assert!(!text.contains(&kim) && !text.contains(kim.trim_start_matches("topis_")), "{text}");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let tokens = Tokens::parse(&text).unwrap();
        assert_eq!(tokens.find(&kim).unwrap().role, api::Role::Operator);
        assert_eq!(tokens.find(&board).unwrap().name.as_deref(), Some("board 3"));
        assert!(tokens.find("topis_").is_none());

        let named = SecretsFile { file: Some(file.clone()) };
        run(TokenCommand::Revoke { name: "kim".to_owned(), file: named.clone() }, "").unwrap();
        let tokens = Tokens::parse(&read(&file).unwrap()).unwrap();
        assert!(tokens.find(&kim).is_none() && tokens.find(&board).is_some());
        assert!(run(TokenCommand::Revoke { name: "kim".to_owned(), file: named }, "").is_err());
    }

    #[test]
    fn a_name_is_given_once_and_a_broken_file_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens");
        new(&file, "kim", api::Role::Viewer).unwrap();
        assert!(new(&file, "kim", api::Role::Operator).unwrap_err().to_string().contains("revoke it first"));
        assert!(new(&file, "", api::Role::Viewer).is_err());
        fs::write(&file, "not a token line\n").unwrap();
        assert!(new(&file, "lee", api::Role::Viewer).is_err());
        assert_eq!(read(&file).unwrap(), "not a token line\n");
    }

    #[test]
    fn without_a_file_it_says_how_to_name_one() {
        let error = chosen(SecretsFile { file: None }, "", "http.tokens_file").unwrap_err().to_string();
        assert_eq!(error, "name the file: --file FILE, or http.tokens_file in the configuration");
    }
}
