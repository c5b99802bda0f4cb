//! The courier against receivers that behave, misbehave and deceive.

use std::{net::SocketAddr, sync::Arc};

use expect_test::expect;
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_rustls::TlsAcceptor;
use transit::Status;
use url::Url;

use super::*;
use crate::config::Wanted;

const NOW: UtcMillis = UtcMillis(1_795_420_800_000);

fn webhook(url: &str) -> WebhookConfig {
    WebhookConfig {
        id: "pager".to_owned(),
        url: Url::parse(url).unwrap(),
        secret: Some(Secret(b"0123456789abcdef".to_vec())),
        wanted: Wanted { priorities: Vec::new(), classes: Vec::new(), statuses: vec![Status::Actual] },
        timeout: Duration::from_secs(2),
        give_up_after_ms: 1,
    }
}

async fn post_to(url: &str, roots: RootCertStore) -> Outcome {
    let courier = Courier::new(&webhook(url), false, roots).unwrap();
    courier.post("application/json", Bytes::from_static(b"{}"), NOW).await
}

/// Reads one request to the end of its two-byte body.
async fn request(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n{}") {
        let mut byte = [0];
        if stream.read(&mut byte).await.unwrap_or(0) == 0 {
            break;
        }
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

/// A receiver that answers every request with `answer`, and then `more` without end; the requests come by the channel.
async fn receiver(answer: String, more: &'static [u8]) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (seen, requests) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (seen, answer) = (seen.clone(), answer.clone());
            tokio::spawn(async move {
                seen.send(request(&mut stream).await).ok();
                stream.write_all(answer.as_bytes()).await.ok();
                while !more.is_empty() && stream.write_all(more).await.is_ok() {}
                // Not closed before the other side is.
                request(&mut stream).await;
            });
        }
    });
    (address, requests)
}

#[tokio::test]
async fn an_event_is_signed_over_its_time_and_body() {
    let (address, mut requests) = receiver("HTTP/1.1 204 No Content\r\n\r\n".to_owned(), b"").await;
    assert_eq!(post_to(&format!("http://{address}/hook?k=v"), RootCertStore::empty()).await, Outcome::Delivered);
    let seen = requests.recv().await.unwrap().replace(&address.to_string(), "ADDRESS").replace("\r\n", "\n");
    expect![[r#"
        POST /hook?k=v HTTP/1.1
        content-type: application/json
        user-agent: topis/0.0.0
        topis-signature: v1=31357169478cda27fa38ea0b01abfbd6e32a45018b13511854d7f5a74032ffeb
        topis-timestamp: 1795420800
        host: ADDRESS
        content-length: 2

        {}"#]]
    .assert_eq(&seen);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (trap, mut trapped) = receiver("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned(), b"").await;
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let answer = format!("HTTP/1.1 {status}\r\nlocation: http://{trap}/\r\ncontent-length: 0\r\n\r\n");
        let (address, _requests) = receiver(answer, b"").await;
        let outcome = post_to(&format!("http://{address}/"), RootCertStore::empty()).await;
        assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
    }
    assert!(trapped.try_recv().is_err());
}

#[tokio::test]
async fn an_answer_without_end_costs_neither_time_nor_memory() {
    let body = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
    let (address, _requests) = receiver(body, b"4\r\nmore\r\n").await;
    assert_eq!(post_to(&format!("http://{address}/"), RootCertStore::empty()).await, Outcome::Delivered);

    let (address, _requests) = receiver("HTTP/1.1 200 OK\r\n".to_owned(), b"x-more: and more\r\n").await;
    let outcome = post_to(&format!("http://{address}/"), RootCertStore::empty()).await;
    assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");

    let (address, _requests) = receiver(String::new(), b"").await;
    let outcome = post_to(&format!("http://{address}/"), RootCertStore::empty()).await;
    assert_eq!(outcome, Outcome::Failed { why: "no answer within 2 s".to_owned(), retry_after: None });
}

#[tokio::test]
async fn nobody_there_is_told_in_plain_words() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let outcome = post_to(&format!("http://{address}/secret-path"), RootCertStore::empty()).await;
    let Outcome::Failed { why, retry_after: None } = outcome else { panic!("{outcome:?}") };
    assert!(why.contains("refused") && !why.contains("secret-path"), "{why}");
}

/// A receiver that speaks TLS with a certificate for `name`, and what trusts it.
async fn secure_receiver(name: &str) -> (u16, RootCertStore) {
    let rcgen::CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer_over(acceptor.clone(), stream));
        }
    });
    (port, roots)
}

async fn answer_over(acceptor: TlsAcceptor, stream: TcpStream) {
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    request(&mut stream).await;
    stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").await.ok();
    request(&mut stream).await;
}

#[tokio::test]
async fn https_reaches_whom_the_system_trusts_and_nobody_else() {
    let (port, roots) = secure_receiver("localhost").await;
    let url = format!("https://localhost:{port}/");
    assert_eq!(post_to(&url, roots).await, Outcome::Delivered);
    let (_, of_others) = secure_receiver("localhost").await;
    let outcome = post_to(&url, of_others).await;
    assert!(matches!(&outcome, Outcome::Failed { why, .. } if why.contains("certificate")), "{outcome:?}");

    let (port, roots) = secure_receiver("elsewhere.example").await;
    let outcome = post_to(&format!("https://localhost:{port}/"), roots).await;
    assert!(matches!(&outcome, Outcome::Failed { why, .. } if why.contains("certificate")), "{outcome:?}");
}
