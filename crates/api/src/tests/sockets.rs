//! The listener over real sockets: slow clients, the cap, and an orderly end.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};

use super::Desk;
use crate::{ServeLimits, serve};

const SOON: Duration = Duration::from_secs(5);

async fn listening(desk: &Desk, limits: ServeLimits) -> (std::net::SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = serve(listener, desk.router.clone(), desk.shutdown.clone(), limits);
    (address, tokio::spawn(async move { serving.await.unwrap() }))
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    timeout(SOON, stream.read_to_end(&mut text)).await.unwrap().unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn a_client_that_never_ends_its_headers_is_cut() {
    let desk = Desk::new();
    let limits = ServeLimits { header_read: Duration::from_millis(100), ..ServeLimits::default() };
    let (address, _serving) = listening(&desk, limits).await;
    let began = Instant::now();
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").await.unwrap();
    read_all(&mut slow).await;
    assert!(began.elapsed() < SOON);
    let mut good = TcpStream::connect(address).await.unwrap();
    good.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(read_all(&mut good).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn who_says_nothing_or_not_what_it_speaks_is_cut() {
    let desk = Desk::new();
    let limits = ServeLimits { header_read: Duration::from_millis(100), connections: 3, ..ServeLimits::default() };
    let (address, _serving) = listening(&desk, limits).await;
    let mut idle = Vec::new();
    for said in ["", "P", "PRI * HTTP/2.0\r\n"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        idle.push(stream);
    }
    let mut good = TcpStream::connect(address).await.unwrap();
    good.write_all(b"POST /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(read_all(&mut good).await.starts_with("HTTP/1.1 405"), "every seat was taken");
    for mut stream in idle {
        read_all(&mut stream).await;
    }
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_cut() {
    let mut desk = Desk::new();
    for n in 0..20_000 {
        let mut record =
            picture::VehicleRecord::unknown(super::key(&format!("18/{n}")), transit::FeedId::parse("native").unwrap());
        record.revision = 2;
        desk.last.view.vehicles.insert(record.key.clone(), std::sync::Arc::new(record));
    }
    desk.put("18/1", |_| {});
    let limits = ServeLimits { write_stall: Duration::from_millis(200), ..ServeLimits::default() };
    let (address, _serving) = listening(&desk, limits).await;
    let mut lazy = TcpStream::connect(address).await.unwrap();
    lazy.write_all(b"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let gone = async {
        while desk.shared.seats.count() == 0 {
            tokio::task::yield_now().await;
        }
        while desk.shared.seats.count() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), gone).await.expect("the seat is given back when the reader is cut");
}

#[tokio::test]
async fn connections_beyond_the_cap_wait_their_turn() {
    let desk = Desk::new();
    let (address, _serving) = listening(&desk, ServeLimits { connections: 1, ..ServeLimits::default() }).await;
    let mut first = TcpStream::connect(address).await.unwrap();
    first.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut head = [0; 12];
    timeout(SOON, first.read_exact(&mut head)).await.unwrap().unwrap();
    let mut second = TcpStream::connect(address).await.unwrap();
    second.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut byte = [0; 1];
    assert!(timeout(Duration::from_millis(150), second.read(&mut byte)).await.is_err(), "served beyond the cap");
    drop(first);
    assert!(read_all(&mut second).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn shutdown_ends_streams_and_closes_the_listener() {
    let desk = Desk::new();
    let (address, serving) = listening(&desk, ServeLimits::default()).await;
    let mut follower = TcpStream::connect(address).await.unwrap();
    follower.write_all(b"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut head = [0; 12];
    timeout(SOON, follower.read_exact(&mut head)).await.unwrap().unwrap();
    desk.shutdown.cancel();
    read_all(&mut follower).await;
    timeout(SOON, serving).await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
