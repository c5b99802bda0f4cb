//! Webhooks: what may be reached, and that nothing else is.

use std::time::Duration;

use alert::{AlertClass, Priority};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use transit::{Status, Word};
use url::{Host, Url};

use super::{
    super::{NotifyConfig, Secret, Wanted, WebhookConfig, file},
    Check,
};

/// A shorter secret could be tried out.
const SECRET_BYTES_MIN: usize = 16;
/// Closed alerts stay in memory for seven days: what is older can no longer be told.
const GIVE_UP_AFTER_H_MAX: u32 = 7 * 24;
const TIMEOUT_S_MAX: u32 = 60;
/// What a URI has another use for.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const HOUR_MS: i64 = 3_600_000;

/// A host that may be reached.
struct Allowed {
    host: Host,
    /// `None` is any.
    port: Option<u16>,
}

impl Allowed {
    /// Reads `host`, `host:port`, `[v6]` or `[v6]:port`, in the one form that URLs have too.
    fn find(text: &str) -> Option<Self> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port.parse().ok()?)),
            Some(_) | None => (text, None),
        };
        Some(Self { host: Host::parse(host).ok()?, port })
    }

    fn covers(&self, url: &Url) -> bool {
        url.host().is_some_and(|host| host == self.host)
            && (self.port.is_none() || self.port == url.port_or_known_default())
    }
}

impl Check<'_> {
    pub(super) fn notify(&mut self, file: &file::ConfigFile) -> NotifyConfig {
        let mut allowed = Vec::new();
        for entry in &file.notify.allow_hosts {
            match Allowed::find(entry) {
                Some(host) => allowed.push(host),
                None => {
                    self.fault("notify.allow_hosts", entry, "is no host; write it like pager.example or 10.0.0.7:8443")
                }
            }
        }
        let source = match file.notify.source.as_str() {
            "" => format!("urn:topis:{}", utf8_percent_encode(&file.mqtt.client_id, RESERVED)),
            given => given.to_owned(),
        };
        // A relative reference is a valid source as well, but two control rooms would be one to their receivers.
        if Url::parse(&source).is_err() {
            self.fault("notify.source", &source, "is no URI; write it like urn:topis:north or https://topis.example");
        }
        let mut webhooks = Vec::new();
        for (i, webhook) in file.webhooks.iter().enumerate() {
            let earlier = &file.webhooks[..i];
            webhooks.extend(self.webhook(i, webhook, earlier, &allowed));
        }
        NotifyConfig { source, allow_private: file.notify.allow_private, webhooks }
    }

    fn webhook(
        &mut self,
        i: usize,
        webhook: &file::Webhook,
        earlier: &[file::Webhook],
        allowed: &[Allowed],
    ) -> Option<WebhookConfig> {
        let key = |name: &str| format!("webhooks.{i}.{name}");
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if webhook.id.is_empty() || webhook.id.len() > 64 || !webhook.id.chars().all(plain) {
            self.fault(&key("id"), &webhook.id, "must be 1 to 64 small letters, digits, `-` and `_`");
        } else if earlier.iter().any(|other| other.id == webhook.id) {
            self.fault(&key("id"), &webhook.id, "is given twice; every webhook has a name of its own");
        }
        let url = self.webhook_url(&key("url"), &webhook.url, allowed);
        let secret = self.file(&key("secret_file"), &webhook.secret_file, secret);
        let wanted = Wanted {
            priorities: self.words::<Priority>(&key("priorities"), &webhook.priorities),
            classes: self.words::<AlertClass>(&key("classes"), &webhook.classes),
            statuses: self.words::<Status>(&key("statuses"), &webhook.statuses),
        };
        if wanted.statuses.contains(&Status::Test) {
            self.fault(&key("statuses"), "test", "tests stay inside; there are actual and exercise");
        }
        if webhook.statuses.is_empty() {
            self.number_fault(&key("statuses"), "[]", "would tell nothing; leave it out for actual and exercise");
        }
        if !(1..=TIMEOUT_S_MAX).contains(&webhook.timeout_s) {
            self.number_fault(&key("timeout_s"), webhook.timeout_s, "must be 1 to 60 seconds");
        }
        if !(1..=GIVE_UP_AFTER_H_MAX).contains(&webhook.give_up_after_h) {
            let fix = "must be 1 to 168 hours, for as long as closed alerts are in memory";
            self.number_fault(&key("give_up_after_h"), webhook.give_up_after_h, fix);
        }
        Some(WebhookConfig {
            id: webhook.id.clone(),
            url: url?,
            secret: secret?,
            wanted,
            timeout: Duration::from_secs(webhook.timeout_s.into()),
            give_up_after_ms: i64::from(webhook.give_up_after_h) * HOUR_MS,
        })
    }

    fn webhook_url(&mut self, key: &str, text: &str, allowed: &[Allowed]) -> Option<Url> {
        let url = match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "https" | "http") => url,
            Ok(_) | Err(_) => {
                self.fault(key, text, "is no URL; write it like https://pager.example/topis");
                return None;
            }
        };
        if !url.username().is_empty() || url.password().is_some() {
            self.fault(key, text, "has a login in it; receivers know us by the signature, see secret_file");
            return None;
        }
        if !allowed.iter().any(|host| host.covers(&url)) {
            let host = url.host_str().unwrap_or_default();
            let fix = format!("its host is not listed; add \"{host}\" to notify.allow_hosts if it may hear of alerts");
            self.fault(key, text, fix);
            return None;
        }
        Some(url)
    }

    fn words<W: Word>(&mut self, key: &str, texts: &[String]) -> Vec<W> {
        texts.iter().filter_map(|text| self.word(key, text)).collect()
    }
}

/// The file's bytes without the line's end that editors leave.
fn secret(text: &str) -> Result<Secret, String> {
    let bytes = text.trim_end_matches(['\n', '\r']).as_bytes();
    if bytes.len() < SECRET_BYTES_MIN {
        return Err(format!("has {} bytes; a secret has {SECRET_BYTES_MIN} or more", bytes.len()));
    }
    Ok(Secret(bytes.to_vec()))
}
