//! Who may publish and subscribe where, at the embedded broker.
//!
//! Knows topics and roles; knows neither connections nor the broker library.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::users::{Role, Users, same_password};
use crate::{Filter, FilterError};

/// The service's own user, which no users file can name.
pub(super) const SERVICE: &str = "$topis";

/// The rules in force.
pub(super) struct Access {
    /// `None`: no users file, on loopback; everybody is admitted.
    users: Option<(Users, BTreeMap<String, Rules>)>,
    service_digest: [u8; 32],
    receipts: String,
    statuses: String,
}

/// One user's rules, with the name filled in.
struct Rules {
    role: Role,
    publish: Vec<Filter>,
    subscribe: Vec<Filter>,
}

impl Access {
    /// Rules for `users`; `feeds` are the filters of the configured feeds, `prefix` is that of our own topics.
    ///
    /// # Errors
    /// A pattern that is no filter once the prefix is filled in.
    pub(super) fn new(
        users: Option<Users>,
        prefix: &str,
        feeds: &[String],
        service_password: &[u8],
    ) -> Result<Self, FilterError> {
        let users = match users {
            Some(users) => {
                let rules = users
                    .iter()
                    .map(|(name, user)| {
                        let (publish, subscribe) = defaults(user.role, feeds);
                        let fill = |patterns: &[String]| fill_in(patterns, prefix, name);
                        let rules = Rules {
                            role: user.role,
                            publish: fill(user.publish.as_ref().unwrap_or(&publish))?,
                            subscribe: fill(user.subscribe.as_ref().unwrap_or(&subscribe))?,
                        };
                        Ok((name.clone(), rules))
                    })
                    .collect::<Result<_, FilterError>>()?;
                Some((users, rules))
            }
            None => None,
        };
        Ok(Self {
            users,
            service_digest: Sha256::digest(service_password).into(),
            receipts: format!("{prefix}/v1/receipt/"),
            statuses: format!("{prefix}/v1/status/"),
        })
    }

    /// Whether this login is good.
    pub(super) fn admits(&self, user: Option<&str>, password: Option<&[u8]>) -> bool {
        let password = password.unwrap_or_default();
        match (user, &self.users) {
            (Some(SERVICE), _) => same_password(password, &self.service_digest),
            (_, None) => true,
            (Some(name), Some((users, _))) => users.admits(name, password),
            (None, Some(_)) => false,
        }
    }

    /// Whether `user`, once admitted, may publish to `topic`.
    pub(super) fn may_publish(&self, user: Option<&str>, topic: &str, retain: bool) -> bool {
        if topic.starts_with('$') {
            return false;
        }
        if user == Some(SERVICE) {
            return true;
        }
        // A receipt says that an alarm is on disk. Only we know.
        if topic.starts_with(&self.receipts) {
            return false;
        }
        let Some((_, rules)) = &self.users else { return true };
        let Some(rules) = user.and_then(|name| rules.get(name)) else { return false };
        // What is retained outlives its sender's mistake, so vehicles retain nothing but whether they are online. No flag
        // keeps an alarm out.
        let may_retain = rules.role != Role::Vehicle || topic.starts_with(&self.statuses) || topic.ends_with("/alarm");
        (may_retain || !retain) && rules.publish.iter().any(|filter| filter.matches(topic))
    }

    /// Whether `user`, once admitted, may subscribe to `filter`.
    pub(super) fn may_subscribe(&self, user: Option<&str>, filter: &str) -> bool {
        if filter.starts_with('$') {
            return false;
        }
        let Some((_, rules)) = &self.users else { return true };
        if user == Some(SERVICE) {
            return true;
        }
        let (Ok(wanted), Some(rules)) = (Filter::parse(filter), user.and_then(|name| rules.get(name))) else {
            return false;
        };
        rules.subscribe.iter().any(|allowed| allowed.covers(&wanted))
    }
}

/// A role's own patterns: publish, subscribe.
fn defaults(role: Role, feeds: &[String]) -> (Vec<String>, Vec<String>) {
    let own = |patterns: &[&str]| patterns.iter().map(|&pattern| pattern.to_owned()).collect::<Vec<_>>();
    match role {
        Role::Vehicle => (own(&["%p/v1/vehicle/%u/#", "%p/v1/status/%u"]), own(&["%p/v1/receipt/%u"])),
        Role::Feeder => (feeds.to_vec(), own(&["%p/v1/receipt/#"])),
        Role::Operator => {
            let mut read = own(&["%p/#"]);
            read.extend_from_slice(feeds);
            (own(&["%p/v1/incident/#", "%p/v1/status/%u"]), read)
        }
    }
}

fn fill_in(patterns: &[String], prefix: &str, name: &str) -> Result<Vec<Filter>, FilterError> {
    patterns.iter().map(|pattern| Filter::parse(&pattern.replace("%p", prefix).replace("%u", name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = r#"
[[users]]
name = "0018/640"
password_sha256 = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
role = "vehicle"
[[users]]
name = "gateway"
password_sha256 = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
role = "feeder"
[[users]]
name = "desk"
password_sha256 = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
role = "operator"
[[users]]
name = "tram/7"
password_sha256 = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
role = "vehicle"
publish = ["/hfp/v2/journey/ongoing/+/tram/%u/#"]
"#;

    fn access(users: Option<Users>) -> Access {
        let feeds = ["topis/#", "/hfp/v2/#"].map(str::to_owned);
        Access::new(users, "topis", &feeds, b"inside").unwrap()
    }

    fn closed() -> Access {
        access(Some(Users::parse(USERS).unwrap()))
    }

    #[test]
    fn each_role_publishes_where_it_belongs() {
        let access = closed();
        for (user, topic, retain, allowed) in [
            ("0018/640", "topis/v1/vehicle/0018/640/alarm", false, true),
            ("0018/640", "topis/v1/vehicle/0018/641/alarm", false, false),
            ("0018/640", "topis/v1/vehicle/0018/640/alarm", true, true),
            ("0018/640", "topis/v1/vehicle/0018/641/alarm", true, false),
            ("0018/640", "topis/v1/vehicle/0018/640/position", true, false),
            ("0018/640", "topis/v1/status/0018/640", true, true),
            ("0018/640", "topis/v1/incident/police/1", false, false),
            ("tram/7", "/hfp/v2/journey/ongoing/vp/tram/tram/7/x", false, true),
            ("tram/7", "topis/v1/vehicle/tram/7/alarm", false, false),
            ("gateway", "topis/v1/incident/police/1", true, true),
            ("gateway", "/hfp/v2/journey/ongoing/vp/bus/1/2", false, true),
            ("gateway", "other/topic", false, false),
            ("gateway", "topis/v1/receipt/0018/640", false, false),
            ("gateway", "$SYS/x", false, false),
            ("desk", "topis/v1/incident/desk/1", true, true),
            ("desk", "topis/v1/vehicle/0018/640/position", false, false),
            ("stranger", "topis/v1/vehicle/0018/640/alarm", false, false),
            (SERVICE, "topis/v1/receipt/0018/640", false, true),
        ] {
            assert_eq!(access.may_publish(Some(user), topic, retain), allowed, "{user} to {topic}, retain {retain}");
        }
    }

    #[test]
    fn each_role_reads_what_it_needs_and_nobody_reads_sys() {
        let access = closed();
        for (user, filter, allowed) in [
            ("0018/640", "topis/v1/receipt/0018/640", true),
            ("0018/640", "topis/v1/receipt/+/+", false),
            ("0018/640", "#", false),
            ("gateway", "topis/v1/receipt/#", true),
            ("gateway", "#", false),
            ("desk", "topis/#", true),
            ("desk", "#", false),
            ("desk", "$SYS/#", false),
        ] {
            assert_eq!(access.may_subscribe(Some(user), filter), allowed, "{user} reads {filter}");
        }
    }

    #[test]
    fn without_a_users_file_all_is_open_but_receipts_and_the_service() {
        let access = access(None);
        assert!(access.admits(None, None) && access.admits(Some("anybody"), Some(b"x")));
        assert!(access.may_publish(None, "topis/v1/incident/a/1", true) && access.may_subscribe(None, "#"));
        assert!(!access.may_publish(None, "topis/v1/receipt/a/1", false));
        assert!(!access.may_subscribe(None, "$SYS/#"));
        assert!(!access.admits(Some(SERVICE), Some(b"guess")) && access.admits(Some(SERVICE), Some(b"inside")));
    }

    #[test]
    fn with_a_users_file_nobody_is_anonymous() {
        let access = closed();
        assert!(!access.admits(None, None) && !access.admits(Some("desk"), None));
        assert!(access.admits(Some("desk"), Some(b"secret")));
    }
}
