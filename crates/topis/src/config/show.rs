//! The effective configuration as TOML, to be read by people and to be used as a file again. Secrets are left out.

use super::{Typed, fault::redact, feed_layers::merged_feeds};

/// What is in force, defaults and default feeds included.
pub(super) fn show(typed: &Typed) -> String {
    let mut file = typed.file.clone();
    file.broker.url = redact(&file.broker.url);
    for webhook in &mut file.webhooks {
        webhook.url = redact(&webhook.url);
    }
    file.feeds = merged_feeds(&file.feeds);
    toml::to_string(&file).expect("every key is text and every value has a TOML form")
}
