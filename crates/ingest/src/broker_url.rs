//! Where a broker is and how to log in there.

use std::fmt;

use percent_encoding::percent_decode_str;

/// Why a text names no broker we can reach.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokerUrlError {
    /// TLS was asked for.
    #[error(
        "`mqtts://` is not supported yet: write `mqtt://` and let a TLS proxy on this host (stunnel, HAProxy) or a bridging broker carry the encryption"
    )]
    Tls,
    /// Not `mqtt://`.
    #[error("a broker is written `mqtt://[user:password@]host[:port]`")]
    Scheme,
    /// No host.
    #[error("the broker URL names no host")]
    Host,
    /// No port number.
    #[error("`{0}` is no port; use 1 to 65535")]
    Port(String),
    /// A path, query or fragment, which MQTT has no use for.
    #[error("`{0}` after the port means nothing to MQTT; remove it")]
    Trailing(String),
    /// User or password not UTF-8 once percent-decoded.
    #[error("user or password is not UTF-8 after percent-decoding")]
    Login,
}

/// User and password. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// Name.
    pub user: String,
    /// Secret.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:***", self.user)
    }
}

/// A broker's address. Displays without the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerUrl {
    /// Name or address; an IPv6 address keeps its brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How to log in; `None` is anonymous.
    pub login: Option<Login>,
}

impl BrokerUrl {
    /// The port when none is given.
    pub const DEFAULT_PORT: u16 = 1883;

    /// Reads `mqtt://[user:password@]host[:port]`; user and password may be percent-encoded.
    ///
    /// # Errors
    /// See [`BrokerUrlError`]; none of them holds the password.
    pub fn parse(text: &str) -> Result<Self, BrokerUrlError> {
        if text.starts_with("mqtts://") || text.starts_with("ssl://") {
            return Err(BrokerUrlError::Tls);
        }
        let rest =
            text.strip_prefix("mqtt://").or_else(|| text.strip_prefix("tcp://")).ok_or(BrokerUrlError::Scheme)?;
        let (login, address) = match rest.rsplit_once('@') {
            Some((login, address)) => (Some(parse_login(login)?), address),
            None => (None, rest),
        };
        let address = address.strip_suffix('/').unwrap_or(address);
        if let Some(at) = address.find(['/', '?', '#']) {
            return Err(BrokerUrlError::Trailing(address.get(at..).unwrap_or_default().to_owned()));
        }
        // The colons of an IPv6 address stand inside its brackets.
        let port_colon = address.rfind(':').filter(|at| address.rfind(']').is_none_or(|bracket| *at > bracket));
        let (host, port) = match port_colon.and_then(|at| address.split_at_checked(at)) {
            Some((host, port)) => (host, parse_port(port.trim_start_matches(':'))?),
            None => (address, Self::DEFAULT_PORT),
        };
        if host.is_empty() {
            return Err(BrokerUrlError::Host);
        }
        Ok(Self { host: host.to_owned(), port, login })
    }
}

impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mqtt://{}:{}", self.host, self.port)
    }
}

fn parse_port(text: &str) -> Result<u16, BrokerUrlError> {
    match text.parse() {
        Ok(port) if port > 0 => Ok(port),
        Ok(_) | Err(_) => Err(BrokerUrlError::Port(text.to_owned())),
    }
}

fn parse_login(text: &str) -> Result<Login, BrokerUrlError> {
    let decode = |part: &str| match percent_decode_str(part).decode_utf8() {
        Ok(plain) => Ok(plain.into_owned()),
        Err(_) => Err(BrokerUrlError::Login),
    };
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    Ok(Login { user: decode(user)?, password: decode(password)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_gives_host_port_and_login() {
        let url = BrokerUrl::parse("mqtt://desk:p%40ss%3A@broker.example:1884").unwrap();
        assert_eq!((url.host.as_str(), url.port), ("broker.example", 1884));
        assert_eq!(url.login, Some(Login { user: "desk".to_owned(), password: "p@ss:".to_owned() }));
        assert_eq!(BrokerUrl::parse("mqtt://[::1]").unwrap().to_string(), "mqtt://[::1]:1883");
        assert_eq!(BrokerUrl::parse("mqtt://[::1]:18").unwrap().port, 18);
        assert_eq!(BrokerUrl::parse("tcp://h/").unwrap().port, 1883);
    }

    #[test]
    fn what_is_no_broker_is_refused_with_the_fix() {
        assert_eq!(BrokerUrl::parse("mqtts://h"), Err(BrokerUrlError::Tls));
        assert_eq!(BrokerUrl::parse("http://h"), Err(BrokerUrlError::Scheme));
        assert_eq!(BrokerUrl::parse("mqtt://:1883"), Err(BrokerUrlError::Host));
        assert_eq!(BrokerUrl::parse("mqtt://h:0"), Err(BrokerUrlError::Port("0".to_owned())));
        assert_eq!(BrokerUrl::parse("mqtt://h:99999"), Err(BrokerUrlError::Port("99999".to_owned())));
        assert_eq!(BrokerUrl::parse("mqtt://h/x"), Err(BrokerUrlError::Trailing("/x".to_owned())));
    }

    #[test]
    fn no_text_form_holds_the_password() {
        let url = BrokerUrl::parse("mqtt://desk:secret@h").unwrap();
        assert!(!format!("{url} {url:?}").contains("secret"));
    }
}
