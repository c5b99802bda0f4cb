//! Where a name may lead: the host is listed, but whoever answers for its name decides what it stands for.
//!
//! A name is looked up once and the connection goes to what was looked at, so that a second answer changes nothing. An
//! address that is listed as such needs no look.

use std::{
    io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
    vec,
};

use hyper_util::client::legacy::connect::dns::Name;
use tower::Service;

/// The name that stands for this machine everywhere.
const LOCALHOST: &str = "localhost";

/// Looks names up and leaves out what they may not lead to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lookup {
    pub(crate) allow_private: bool,
}

impl Service<Name> for Lookup {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(reachable(name.as_str(), &found, allow_private)?.into_iter())
        })
    }
}

/// Those of `found` that `name` may lead to.
///
/// # Errors
/// There are none; it says what stands against the first.
fn reachable(name: &str, found: &[SocketAddr], allow_private: bool) -> io::Result<Vec<SocketAddr>> {
    let against = |address: &SocketAddr| {
        if name == LOCALHOST { None } else { objection(address.ip().to_canonical(), allow_private) }
    };
    let kept: Vec<SocketAddr> = found.iter().filter(|address| against(address).is_none()).copied().collect();
    match found.first().and_then(against) {
        Some(why) if kept.is_empty() => {
            let text = format!("{name} stands for {}, {why}", found[0].ip());
            Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
        }
        Some(_) | None => Ok(kept),
    }
}

/// What stands against an address behind a name.
fn objection(address: IpAddr, allow_private: bool) -> Option<&'static str> {
    let (inside, private) = match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            let special = v4.is_loopback() || v4.is_link_local() || v4.is_multicast() || a == 0 || a >= 240;
            // 100.64.0.0/10 is shared by carriers' customers.
            (special, v4.is_private() || (a == 100 && (64..128).contains(&b)))
        }
        IpAddr::V6(v6) => {
            let special = v6.is_loopback() || v6.is_unspecified() || v6.is_multicast() || v6.is_unicast_link_local();
            // What hides an IPv4 address in an IPv6 one is judged by nobody behind us: NAT64, 6to4, and the old mapping.
            (special || embeds_v4(v6), v6.is_unique_local())
        }
    };
    if inside {
        Some("which is this machine or its link; list the address itself if that is meant")
    } else if private && !allow_private {
        Some("which is private; list the address itself, or set notify.allow_private = true")
    } else {
        None
    }
}

fn embeds_v4(v6: Ipv6Addr) -> bool {
    let segments = v6.segments();
    matches!(segments, [0x64, 0xff9b, ..] | [0x2002, ..] | [0, 0, 0, 0, 0, 0, ..])
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use expect_test::expect;

    use super::*;

    #[test]
    fn a_name_leads_to_public_addresses_and_to_private_ones_only_when_that_is_said() {
        let mut text = String::new();
        for address in [
            "203.0.113.7",
            "2001:db8::7",
            "10.0.0.7",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "fd00::1",
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "169.254.169.254",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "fe80::1",
            "ff02::1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ] {
            let found = [SocketAddr::new(address.parse().unwrap(), 0)];
            let is_open = |allow_private| reachable("pager.example", &found, allow_private).is_ok();
            let word = match (is_open(false), is_open(true)) {
                (true, true) => "yes",
                (false, true) => "when private ones may be reached",
                (_, false) => "never",
            };
            writeln!(text, "{address} {word}").unwrap();
        }
        expect![[r#"
            203.0.113.7 yes
            2001:db8::7 yes
            10.0.0.7 when private ones may be reached
            172.16.0.1 when private ones may be reached
            192.168.1.1 when private ones may be reached
            100.64.0.1 when private ones may be reached
            fd00::1 when private ones may be reached
            127.0.0.1 never
            127.8.8.8 never
            0.0.0.0 never
            169.254.169.254 never
            224.0.0.1 never
            255.255.255.255 never
            ::1 never
            :: never
            ::7f00:1 never
            ::ffff:127.0.0.1 never
            ::ffff:10.0.0.1 when private ones may be reached
            ::ffff:169.254.169.254 never
            fe80::1 never
            ff02::1 never
            64:ff9b::7f00:1 never
            2002:7f00:1:: never
        "#]]
        .assert_eq(&text);
    }

    #[test]
    fn a_second_address_behind_a_name_does_not_slip_in_with_the_first() {
        let addresses = ["127.0.0.1:0", "203.0.113.7:0", "10.0.0.1:0"].map(|text| text.parse().unwrap());
        assert_eq!(reachable("pager.example", &addresses, false).unwrap(), [addresses[1]]);
        let why = reachable("pager.example", &addresses[..1], true).unwrap_err().to_string();
        expect!["pager.example stands for 127.0.0.1, which is this machine or its link; list the address itself if that is meant"]
            .assert_eq(&why);
    }

    #[tokio::test]
    async fn localhost_is_what_it_says() {
        let name: Name = "localhost".parse().unwrap();
        let found = Lookup { allow_private: false }.call(name).await.unwrap();
        assert!(found.into_iter().all(|address| address.ip().is_loopback()));
    }
}
