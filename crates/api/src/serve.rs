//! The listener: connections accepted, bounded, timed and ended in order.
//!
//! `axum::serve` installs no timer, so that a client that never finishes its headers holds a connection for ever.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, extract::ConnectInfo};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{Instant, Sleep},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Bounds of a listener.
#[derive(Debug, Clone, Copy)]
pub struct ServeLimits {
    /// Connections at once; more wait in the system's queue.
    pub connections: usize,
    /// Time to send the headers of a request, the wait for a next one included.
    pub header_read: Duration,
    /// Time a reader may take nothing of what we write.
    pub write_stall: Duration,
    /// Time that requests have to end at shutdown.
    pub drain: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            header_read: Duration::from_secs(5),
            write_stall: Duration::from_secs(30),
            drain: Duration::from_secs(8),
        }
    }
}

/// Serves `router` on `listener` until `shutdown`; streams end at once, other requests have [`ServeLimits::drain`].
///
/// # Errors
/// The listener itself fails; failures of single connections are theirs alone.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
    limits: ServeLimits,
) -> io::Result<()> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.header_read).keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(100)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(limits.header_read);
    let builder = Arc::new(builder);
    let seats = Arc::new(Semaphore::new(limits.connections));
    let graceful = GracefulShutdown::new();
    loop {
        let (stream, seat) = tokio::select! {
            () = shutdown.cancelled() => break,
            next = accept(&listener, &seats) => next?,
        };
        let peer = stream.peer_addr().ok();
        let service = router.clone().map_request(move |mut request: axum::http::Request<_>| {
            if let Some(peer) = peer {
                request.extensions_mut().insert(ConnectInfo(peer));
            }
            request
        });
        let builder = Arc::clone(&builder);
        let watcher = graceful.watcher();
        tokio::spawn(async move {
            let io = TokioIo::new(Stalling::new(stream, &limits));
            let connection = builder.serve_connection(io, TowerToHyperService::new(service)).into_owned();
            if let Err(error) = watcher.watch(connection).await {
                // Clients that go away or are cut are everyday.
                tracing::debug!(%error, "connection ended");
            }
            drop(seat);
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests did not end in time and are cut");
    }
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    seats: &Arc<Semaphore>,
) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let seat = Arc::clone(seats).acquire_owned().await.map_err(io::Error::other)?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "no TCP_NODELAY");
                }
                return Ok((stream, seat));
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                // Out of descriptors, most often: it passes when connections end.
                tracing::warn!(%error, "cannot accept connections for a moment");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

/// What an HTTP/2 client says first. As long as it may still become this, hyper waits for more and no timer of its own
/// runs.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection that fails when it does not say for too long which protocol it speaks, and when its reader takes nothing
/// for too long.
struct Stalling {
    inner: TcpStream,
    limit: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    /// Until when it has to say what it speaks, and how much of [`PREFACE`] it has said; `None` once that is known.
    silent: Option<(Pin<Box<Sleep>>, usize)>,
}

impl Stalling {
    fn new(inner: TcpStream, limits: &ServeLimits) -> Self {
        let until = Instant::now() + limits.header_read;
        let silent = Some((Box::pin(tokio::time::sleep_until(until)), 0));
        Self { inner, limit: limits.write_stall, stalled: None, silent }
    }

    /// Takes note of what was read while it is not known what the other side speaks.
    fn listen(&mut self, read: &[u8]) {
        if let Some((_, said)) = &mut self.silent {
            *said += read.len();
            let may_become = PREFACE.get(*said - read.len()..*said).is_some_and(|part| part == read);
            if !may_become || *said == PREFACE.len() {
                self.silent = None;
            }
        }
    }

    /// Fails a write that has been pending for the limit.
    fn judge<T>(&mut self, written: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let limit = self.limit;
        let timer = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + limit)));
        timer.as_mut().poll(cx).map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, "the reader takes nothing")))
    }
}

impl AsyncRead for Stalling {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        if read.is_ready() {
            self.listen(&buf.filled()[before..]);
            return read;
        }
        match &mut self.silent {
            Some((until, _)) => until
                .as_mut()
                .poll(cx)
                .map(|()| Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not say what it speaks"))),
            None => read,
        }
    }
}

impl AsyncWrite for Stalling {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.judge(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.judge(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        self.judge(flushed, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
