//! The users file of the embedded broker: who may log in, and as what.
//!
//! TOML, one `[[users]]` table each:
//! ```toml
//! [[users]]
//! name = "0018/640"                # agency/vehicle for a vehicle
//! password_sha256 = "9f86d0..."    # printf %s "$PASSWORD" | sha256sum
//! role = "vehicle"                 # vehicle, feeder or operator
//! publish = ["%p/v1/vehicle/%u/#"] # optional; replaces the role's own rules
//! subscribe = ["%p/v1/receipt/%u"] # optional
//! ```
//! `%u` is the name, `%p` the configured prefix. A password must be random and long, as a token is: a plain SHA-256
//! keeps no guessable one.

use std::{collections::BTreeMap, ops::Range};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use toml::Spanned;

use crate::Filter;

/// What a user is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// One vehicle: publishes its own topics, reads its own receipts, retains nothing but its status and its alarm.
    Vehicle,
    /// A source of many vehicles or incidents: publishes by the configured feeds' filters, reads receipts.
    Feeder,
    /// A control room's tool: publishes incidents, reads what is published.
    Operator,
}

/// Why a users file is refused: line and field, and what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsersError {
    /// Not the TOML expected; the library's words name line and key.
    #[error("users file: {0}")]
    Syntax(String),
    /// A value that means nothing.
    #[error("users file, line {line}: `{field}` {fault}")]
    Value {
        /// From 1.
        line: usize,
        /// The key.
        field: &'static str,
        /// What is wrong with its value.
        fault: String,
    },
}

/// The users, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Users(BTreeMap<String, User>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    digest: [u8; 32],
    pub(crate) role: Role,
    /// Patterns in place of the role's own.
    pub(crate) publish: Option<Vec<String>>,
    pub(crate) subscribe: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    users: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: Spanned<String>,
    password_sha256: Spanned<String>,
    role: Role,
    publish: Option<Vec<Spanned<String>>>,
    subscribe: Option<Vec<Spanned<String>>>,
}

impl Users {
    /// Reads a users file.
    ///
    /// # Errors
    /// The first fault, with its line.
    pub fn parse(text: &str) -> Result<Self, UsersError> {
        let file: File = toml::from_str(text).map_err(|error| UsersError::Syntax(error.to_string()))?;
        let mut users = BTreeMap::new();
        for entry in file.users {
            let name = entry.name.get_ref().clone();
            let fault = |fault: &str| fault_at(text, entry.name.span(), "name", fault);
            check_name(&name).map_err(fault)?;
            let digest = read_digest(text, &entry.password_sha256)?;
            let publish = read_patterns(text, "publish", entry.publish, entry.role)?;
            let subscribe = read_patterns(text, "subscribe", entry.subscribe, entry.role)?;
            let user = User { digest, role: entry.role, publish, subscribe };
            if users.insert(name, user).is_some() {
                return Err(fault("is given twice"));
            }
        }
        Ok(Self(users))
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// None: nobody can log in.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `password` is the user's. Takes as long for an unknown name or a wrong password as for the right one.
    pub fn admits(&self, name: &str, password: &[u8]) -> bool {
        let (known, expected) = match self.0.get(name) {
            Some(user) => (true, user.digest),
            None => (false, [0; 32]),
        };
        same_password(password, &expected) && known
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &User)> {
        self.0.iter()
    }
}

/// Compares a password with a digest in constant time.
pub(crate) fn same_password(password: &[u8], digest: &[u8; 32]) -> bool {
    bool::from(Sha256::digest(password).as_slice().ct_eq(digest.as_slice()))
}

/// A name becomes topic levels by `%u`: it must not be able to hold a wildcard or name a `$` topic.
fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() || name.split('/').any(str::is_empty) {
        return Err("has an empty level");
    }
    if name.starts_with('$') {
        return Err("must not begin with `$`");
    }
    if name.contains(['+', '#']) || name.chars().any(char::is_control) {
        return Err("must not hold `+`, `#` or control characters");
    }
    Ok(())
}

fn read_digest(text: &str, hex: &Spanned<String>) -> Result<[u8; 32], UsersError> {
    let fault = || {
        let fault = "must be the 64 hexadecimal digits of the password's SHA-256";
        fault_at(text, hex.span(), "password_sha256", fault)
    };
    let digits = hex.get_ref().as_bytes();
    if digits.len() != 64 {
        return Err(fault());
    }
    let mut digest = [0_u8; 32];
    for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
        for digit in pair {
            let value = char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
            *byte = *byte << 4 | value.ok_or_else(fault)?;
        }
    }
    Ok(digest)
}

fn read_patterns(
    text: &str,
    field: &'static str,
    patterns: Option<Vec<Spanned<String>>>,
    role: Role,
) -> Result<Option<Vec<String>>, UsersError> {
    let Some(patterns) = patterns else { return Ok(None) };
    let mut read = Vec::with_capacity(patterns.len());
    for pattern in patterns {
        let fault = |fault: &str| fault_at(text, pattern.span(), field, fault);
        let filter = Filter::parse(pattern.get_ref()).map_err(|error| fault(&format!("is refused: {error}")))?;
        if filter.as_str().starts_with('$') {
            return Err(fault("must not name a `$` topic"));
        }
        if role == Role::Vehicle && filter.as_str().starts_with(['+', '#']) {
            return Err(fault("must not begin with a wildcard for a vehicle"));
        }
        read.push(filter.as_str().to_owned());
    }
    Ok(Some(read))
}

fn fault_at(text: &str, span: Range<usize>, field: &'static str, fault: &str) -> UsersError {
    let line = 1 + text.bytes().take(span.start).filter(|byte| *byte == b'\n').count();
    UsersError::Value { line, field, fault: fault.to_owned() }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    /// SHA-256 of "secret".
    const SECRET: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

    fn user(extra: &str) -> String {
        format!("[[users]]\nname = \"0018/640\"\npassword_sha256 = \"{SECRET}\"\n{extra}\n")
    }

    fn refused(text: &str, expected: Expect) {
        expected.assert_eq(&Users::parse(text).unwrap_err().to_string());
    }

    #[test]
    fn only_the_right_password_admits() {
        let users = Users::parse(&user("role = \"vehicle\"")).unwrap();
        assert_eq!(users.len(), 1);
        assert!(users.admits("0018/640", b"secret"));
        assert!(!users.admits("0018/640", b"Secret"));
        assert!(!users.admits("0018/641", b"secret"));
        assert!(!users.admits("", b""));
    }

    #[test]
    fn a_fault_is_named_with_its_line_and_field() {
        refused(
            &format!("# fleet\n[[users]]\nname = \"a/+\"\npassword_sha256 = \"{SECRET}\"\nrole = \"feeder\"\n"),
            expect!["users file, line 3: `name` must not hold `+`, `#` or control characters"],
        );
        refused(
            "[[users]]\nname = \"a\"\npassword_sha256 = \"secret\"\nrole = \"feeder\"\n",
            expect![
                "users file, line 3: `password_sha256` must be the 64 hexadecimal digits of the password's SHA-256"
            ],
        );
        refused(
            &user("role = \"vehicle\"\nsubscribe = [\"#\"]"),
            expect!["users file, line 5: `subscribe` must not begin with a wildcard for a vehicle"],
        );
        refused(
            &user("role = \"operator\"\nsubscribe = [\"$SYS/#\"]"),
            expect!["users file, line 5: `subscribe` must not name a `$` topic"],
        );
        let twice = user("role = \"vehicle\"").repeat(2);
        refused(&twice, expect!["users file, line 6: `name` is given twice"]);
    }

    #[test]
    fn an_unknown_key_or_role_is_named_by_line() {
        for text in [user("role = \"driver\""), user("role = \"vehicle\"\nqos = 1")] {
            let fault = Users::parse(&text).unwrap_err().to_string();
            assert!(fault.contains("line "), "{fault}");
        }
    }
}
