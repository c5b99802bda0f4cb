//! One HTTP request for one event: signed, bounded in time and size, following nothing.
//!
//! Knows no alert. What the answer means is `pace`'s.

use std::{error::Error, fmt::Write as _, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Request, Response, Uri,
    body::{Bytes, Incoming},
    header,
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore};
use sha2::Sha256;
use tokio::time::timeout;
use transit::UtcMillis;

use super::{address::Lookup, pace::Outcome};
use crate::config::{Secret, WebhookConfig};

/// Seconds since 1970 at which the request was signed.
pub(crate) const TIMESTAMP: &str = "topis-timestamp";
/// `v1=` and the HMAC-SHA256 of `<timestamp>.<body>` in hexadecimal.
pub(crate) const SIGNATURE: &str = "topis-signature";

/// The head of an answer may be this large, and so may its body, which nobody reads.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// How long the rest of an answer may take whose head has said everything.
const DRAIN: Duration = Duration::from_secs(1);
/// An unused connection is closed after this, before most receivers would.
const IDLE: Duration = Duration::from_secs(20);

/// Brings events to one receiver.
pub(crate) struct Courier {
    client: Client<HttpsConnector<HttpConnector<Lookup>>, Full<Bytes>>,
    uri: Uri,
    secret: Option<Secret>,
    timeout: Duration,
}

impl Courier {
    /// To `webhook`; the certificates of `https` are checked against `roots`.
    ///
    /// # Errors
    /// No TLS can be set up.
    pub(crate) fn new(webhook: &WebhookConfig, allow_private: bool, roots: RootCertStore) -> anyhow::Result<Self> {
        let mut connector = HttpConnector::new_with_resolver(Lookup { allow_private });
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(webhook.timeout));
        connector.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls(roots)?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(1)
            .http1_max_buf_size(ANSWER_BYTES_MAX)
            .build(connector);
        let mut url = webhook.url.clone();
        url.set_fragment(None);
        let uri = url.as_str().parse().context("a webhook's URL is no address for a request")?;
        Ok(Self { client, uri, secret: webhook.secret.clone(), timeout: webhook.timeout })
    }

    /// Posts one body. Redirects are not followed, proxies not asked.
    pub(crate) async fn post(&self, media_type: &str, body: Bytes, now: UtcMillis) -> Outcome {
        let failed = |why: String| Outcome::Failed { why, retry_after: None };
        let request = match self.request(media_type, body, now) {
            Ok(request) => request,
            Err(error) => return failed(error.to_string()),
        };
        let answer = match timeout(self.timeout, self.client.request(request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return failed(words_of(&error)),
            Err(_) => return failed(format!("no answer within {} s", self.timeout.as_secs())),
        };
        let outcome = outcome_of(&answer, now);
        // Read to its end so that the connection can be used again; one that has no end is dropped.
        drop(timeout(DRAIN, Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect()).await);
        outcome
    }

    fn request(
        &self,
        media_type: &str,
        body: Bytes,
        now: UtcMillis,
    ) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
        let mut request = Request::post(self.uri.clone())
            .header(header::CONTENT_TYPE, media_type)
            .header(header::USER_AGENT, concat!("topis/", env!("CARGO_PKG_VERSION")));
        if let Some(secret) = &self.secret {
            let timestamp = now.0.div_euclid(1_000).to_string();
            request = request.header(SIGNATURE, signature(secret, &timestamp, &body)).header(TIMESTAMP, timestamp);
        }
        request.body(Full::new(body))
    }
}

fn outcome_of(answer: &Response<Incoming>, now: UtcMillis) -> Outcome {
    let retry_after = answer.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    Outcome::of(answer.status().as_u16(), retry_after, now)
}

fn signature(secret: &Secret, timestamp: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret.0).expect("HMAC takes keys of any length");
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().iter().fold("v1=".to_owned(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a text never fails");
        text
    })
}

/// Every cause, outermost first: the library's own words say no more than that it did not work.
fn words_of(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        cause = inner.source();
    }
    text
}

/// With the provider named: the process has no default one, and none is wanted that needs more than a C compiler.
fn tls(roots: RootCertStore) -> anyhow::Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// The certificates that this system trusts, or the file that `SSL_CERT_FILE` names; read only where one is needed.
///
/// # Errors
/// There are none.
pub(crate) fn system_roots(webhooks: &[WebhookConfig]) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    if let Some(webhook) = webhooks.iter().find(|webhook| webhook.url.scheme() == "https") {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            bail!(
                "webhook {}: this system trusts no certificates, so https reaches nobody; install ca-certificates, or \
                 name a PEM file by SSL_CERT_FILE",
                webhook.id
            );
        }
    }
    Ok(roots)
}

#[cfg(test)]
mod tests;
