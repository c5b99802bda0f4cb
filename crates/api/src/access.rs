//! Who may do what: bearer tokens with roles, or an open loopback.
//!
//! Knows no randomness: tokens are made by the command line; only their SHA-256 is kept.

use std::{fmt, net::SocketAddr, sync::Arc};

use axum::http::{HeaderMap, Method, Uri, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use transit::{Word, words};

use crate::problem::ApiError;

words! {
    /// What a token may do.
    Role as "role" {
        /// Read.
        Viewer = "viewer",
        /// Read, order, see covert alerts.
        Operator = "operator",
        /// As an operator, and hand over or release what is somebody else's.
        Supervisor = "supervisor",
        /// Check messages with `POST /v1/validate`, nothing else.
        Feeder = "feeder",
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The token's name; `None` on an open loopback, where an order names its `by`.
    pub name: Option<Arc<str>>,
    /// What they may do.
    pub role: Role,
}

/// How requests are let in.
#[derive(Debug, Clone)]
pub enum Access {
    /// No tokens: only for a loopback listener. Everybody there is an operator.
    Open {
        /// Where we listen; requests for other host names are refused (DNS rebinding).
        listen: SocketAddr,
    },
    /// Bearer tokens.
    Tokens(Tokens),
}

/// The tokens of one file.
#[derive(Clone, Default)]
pub struct Tokens {
    entries: Vec<TokenEntry>,
}

#[derive(Clone)]
struct TokenEntry {
    name: Arc<str>,
    role: Role,
    sha256: [u8; 32],
}

/// Why a tokens file cannot be used. Never quotes the line: it may hold a secret put there by mistake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokensError {
    /// Not `role sha256 name`.
    #[error("line {0}: is not `role sha256 name`; lines are made by `topis token new`")]
    Shape(usize),
    /// No such role.
    #[error("line {0}: the role is none of viewer, operator, supervisor, feeder")]
    Role(usize),
    /// Not 64 hexadecimal digits.
    #[error("line {0}: the second word is no SHA-256 in hexadecimal; a token itself does not belong here")]
    Hash(usize),
    /// A name outside 1 to 64 characters or with control characters.
    #[error("line {0}: the name has to have 1 to 64 characters, none of them a control character")]
    Name(usize),
    /// Two lines with one name.
    #[error("line {0}: the name was already used")]
    Twice(usize),
}

fn name_is_usable(name: &str) -> bool {
    (1..=64).contains(&name.chars().count()) && name.trim() == name && !name.chars().any(char::is_control)
}

impl Tokens {
    /// Reads a tokens file: one `role sha256 name` a line, `#` begins a comment line.
    ///
    /// # Errors
    /// The first line that cannot be used.
    pub fn parse(text: &str) -> Result<Self, TokensError> {
        let mut entries: Vec<TokenEntry> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let mut parts = line.splitn(3, ' ').map(str::trim);
            let (Some(role), Some(hash), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
                return Err(TokensError::Shape(number));
            };
            let role = Role::find(role).ok_or(TokensError::Role(number))?;
            let sha256 = unhex(hash).ok_or(TokensError::Hash(number))?;
            if !name_is_usable(name) {
                return Err(TokensError::Name(number));
            }
            if entries.iter().any(|e| &*e.name == name) {
                return Err(TokensError::Twice(number));
            }
            entries.push(TokenEntry { name: Arc::from(name), role, sha256 });
        }
        Ok(Self { entries })
    }

    /// The line that lets `token` in; `None` when the name cannot be kept in one.
    pub fn line(name: &str, role: Role, token: &str) -> Option<String> {
        name_is_usable(name).then(|| format!("{} {} {name}", role.word(), Hex(&Sha256::digest(token.as_bytes()))))
    }

    /// The file without the line of `name`; `None` when there is none. Comments and order stay.
    pub fn without(text: &str, name: &str) -> Option<String> {
        let is_it = |line: &&str| {
            let line = line.trim();
            !line.starts_with('#') && line.splitn(3, ' ').nth(2).is_some_and(|n| n.trim() == name)
        };
        text.lines().any(|l| is_it(&l)).then(|| text.lines().filter(|l| !is_it(l)).map(|l| format!("{l}\n")).collect())
    }

    /// Names and roles, in the file's order.
    pub fn list(&self) -> impl Iterator<Item = (&str, Role)> {
        self.entries.iter().map(|e| (&*e.name, e.role))
    }

    /// Whose token this is. Takes as long for a wrong one as for a right one.
    pub fn find(&self, token: &str) -> Option<Principal> {
        let digest = Sha256::digest(token.as_bytes());
        let mut found = None;
        for entry in &self.entries {
            if bool::from(entry.sha256.as_slice().ct_eq(digest.as_slice())) {
                found = Some(Principal { name: Some(Arc::clone(&entry.name)), role: entry.role });
            }
        }
        found
    }
}

/// Never shows a hash.
impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.list()).finish()
    }
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// What a request wants to do, by method and path alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// Ask whether we live: open to everybody.
    Probe,
    /// Read.
    Read,
    /// Read, with a question too long for a query.
    Question,
    /// Check a message without any effect.
    Validate,
    /// Report what happened in the world.
    Report,
    /// Change something.
    Order,
}

impl Wish {
    fn of(method: &Method, path: &str) -> Self {
        match (method, path) {
            (_, "/livez" | "/readyz") => Self::Probe,
            (&Method::GET | &Method::HEAD | &Method::OPTIONS, _) => Self::Read,
            (_, "/v1/validate") => Self::Validate,
            (_, "/v1/cap") => Self::Report,
            (_, "/v1/area") => Self::Question,
            _ => Self::Order,
        }
    }

    fn is_granted_to(self, role: Role) -> bool {
        match self {
            Self::Probe => true,
            Self::Read | Self::Question => matches!(role, Role::Viewer | Role::Operator | Role::Supervisor),
            Self::Validate | Self::Report => matches!(role, Role::Operator | Role::Supervisor | Role::Feeder),
            Self::Order => matches!(role, Role::Operator | Role::Supervisor),
        }
    }
}

impl Access {
    /// Lets a request in, or says why not.
    ///
    /// # Errors
    /// 401 without a usable token, 403 for a role that may not, a foreign host name, or another site's page.
    pub(crate) fn admit(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Principal, ApiError> {
        let wish = Wish::of(method, uri.path());
        let everybody = || Principal { name: None, role: Role::Operator };
        if wish == Wish::Probe {
            return Ok(Principal { name: None, role: Role::Feeder });
        }
        let host = host_of(uri, headers);
        if matches!(wish, Wish::Order | Wish::Validate | Wish::Report | Wish::Question) {
            refuse_other_sites(host, headers)?;
        }
        match self {
            Self::Open { listen } => match host {
                Some(host) if !is_loopback(host, *listen) => Err(ApiError::forbidden(
                    "This listener is open to its own machine only and was asked for under a foreign host name. \
                     Use localhost or 127.0.0.1, or give it tokens.",
                )),
                _ => Ok(everybody()),
            },
            Self::Tokens(tokens) => {
                let principal = bearer(headers)
                    .ok_or_else(|| ApiError::unauthorized("Send Authorization: Bearer and your token."))
                    .and_then(|token| {
                        tokens.find(token).ok_or_else(|| ApiError::unauthorized("This token is not known here."))
                    })?;
                if wish.is_granted_to(principal.role) {
                    Ok(principal)
                } else {
                    Err(ApiError::forbidden(&format!("A {} token may not do this.", principal.role.word())))
                }
            }
        }
    }
}

fn host_of<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    match headers.get(header::HOST) {
        // A host that is no text is nobody's.
        Some(value) => Some(value.to_str().unwrap_or("")),
        None => uri.authority().map(axum::http::uri::Authority::as_str),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|t| !t.is_empty())
}

fn is_loopback(host: &str, listen: SocketAddr) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(rest, |(address, _)| address),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback() || ip == listen.ip())
}

/// Pages of other sites may not order anything in the name of whoever looks at them.
fn refuse_other_sites(host: Option<&str>, headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name: &str| headers.get(name).map(|v| v.to_str().unwrap_or(""));
    let fetched_across = text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
    let from_elsewhere = text("origin").is_some_and(|origin| {
        let origin_host = origin.split_once("://").map(|(_, host)| host);
        origin_host.is_none() || origin_host != host
    });
    if fetched_across || from_elsewhere {
        return Err(ApiError::forbidden("Orders are not taken from pages of other sites."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "topis_5f0c";

    fn file() -> String {
        let line = |n, r, t| Tokens::line(n, r, t).unwrap();
        format!("# tokens\n{}\n\n{}\n", line("Kim Min-ji", Role::Operator, SECRET), line("wall", Role::Viewer, "other"))
    }

    #[test]
    fn a_token_is_found_by_its_hash_alone() {
        let tokens = Tokens::parse(&file()).unwrap();
        assert!(!file().contains(SECRET));
        let kim = tokens.find(SECRET).unwrap();
        assert_eq!((kim.name.as_deref(), kim.role), (Some("Kim Min-ji"), Role::Operator));
        assert_eq!(tokens.find("topis_5f0d"), None);
        assert_eq!(format!("{tokens:?}"), r#"[("Kim Min-ji", Operator), ("wall", Viewer)]"#);
    }

    #[test]
    fn a_bad_line_is_named_and_never_quoted() {
        let hash = "0".repeat(64);
        for (text, error) in [
            ("operator".to_owned(), TokensError::Shape(1)),
            (format!("\nadmin {hash} kim"), TokensError::Role(2)),
            ("operator topis_5f0c kim".to_owned(), TokensError::Hash(1)),
            (format!("viewer {hash} {}", "x".repeat(65)), TokensError::Name(1)),
            (format!("viewer {hash} kim\nviewer {hash} kim"), TokensError::Twice(2)),
        ] {
            let found = Tokens::parse(&text).unwrap_err();
            assert_eq!(found, error);
            assert!(!found.to_string().contains(SECRET));
        }
        assert_eq!(Tokens::line("two\nlines", Role::Viewer, "t"), None);
    }

    #[test]
    fn revoking_takes_one_line_away() {
        let rest = Tokens::without(&file(), "Kim Min-ji").unwrap();
        let names: Vec<_> = Tokens::parse(&rest).unwrap().list().map(|(n, _)| n.to_owned()).collect();
        assert_eq!(names, ["wall"]);
        assert!(rest.starts_with("# tokens\n"));
        assert_eq!(Tokens::without(&file(), "nobody"), None);
    }

    #[test]
    fn only_names_of_the_own_machine_are_loopback() {
        let listen: SocketAddr = "127.0.0.1:8080".parse().unwrap();
        for ok in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080", "[::1]"] {
            assert!(is_loopback(ok, listen), "{ok}");
        }
        for bad in ["evil.example", "localhost.evil.example", "10.0.0.1", "[fe80::1]", "", "127.0.0.1.evil.example:80"]
        {
            assert!(!is_loopback(bad, listen), "{bad}");
        }
    }
}
