//! Listening: connections with time limits, in plain text or under TLS, and a graceful stop.

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use axum::response::IntoResponse as _;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tower::ServiceExt as _;

use crate::connections::Connections;
use crate::graceful_close::GracefulCloseStream;
use crate::handshakes::Handshakes;
use crate::tls::TlsConfigWatch;

/// A connection is closed if its next request, with all headers, has not arrived by then. Load balancers keep idle
/// connections for 60 seconds: if this side closed one earlier, the balancer would use it once more and get an error.
const NEXT_REQUEST_WITHIN: Duration = Duration::from_secs(75);
/// The request line and all headers together: the longest request that is served, with the headers that a browser
/// sends.
const MOST_HEAD_BYTES: usize = 64 * 1024;
/// The shortest time between two log lines with the same problem of connections.
const SAID_EVERY: Duration = Duration::from_mins(1);
/// How long requests in progress may take after a stop was requested.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// After an accept fails (too many open files, say), a pause lets other connections finish.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves on all listeners until `stop` is ready, then lets the requests in progress finish. Without `tls`, in plain
/// text.
pub async fn serve(
    listeners: Vec<TcpListener>,
    tls: Option<TlsConfigWatch>,
    router: Router,
    connections: Connections,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let graceful = GracefulShutdown::new();
    let mut handshakes = Handshakes::default();
    let mut server = Server { graceful: &graceful, router, connections, full_logged_at: None };
    let mut failure_said_at = None;
    tokio::pin!(stop);
    loop {
        tokio::select! {
            accepted = accept(&listeners) => match accepted {
                Ok((stream, peer)) => {
                    // Responses are small and written in one piece: waiting to fill a packet would only add delay.
                    let _ = stream.set_nodelay(true);
                    match &tls {
                        None => server.begin(GracefulCloseStream::new(stream), peer),
                        Some(tls) if server.connections.has_room(peer.ip(), handshakes.under_way()) => {
                            handshakes.begin(tls, stream, peer);
                        }
                        Some(_) => server.log_full(peer),
                    }
                }
                Err(error) => {
                    // Without file descriptors this happens again and again.
                    if is_due(&mut failure_said_at) {
                        tracing::warn!("a connection could not be accepted: {error}");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some((stream, peer)) = handshakes.next() => server.begin(stream, peer),
            () = &mut stop => break,
        }
    }
    drop(server);
    // Connections whose handshake is in progress have no request yet.
    drop((listeners, handshakes));
    if tokio::time::timeout(STOP_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("the time for stopping is over, and requests were still in progress");
    }
    Ok(())
}

/// Whether the line may be logged again; if so, the time is recorded.
fn is_due(said_at: &mut Option<Instant>) -> bool {
    let is_due = said_at.is_none_or(|at| at.elapsed() >= SAID_EVERY);
    if is_due {
        *said_at = Some(Instant::now());
    }
    is_due
}

async fn accept(listeners: &[TcpListener]) -> io::Result<(TcpStream, SocketAddr)> {
    let waiting = listeners.iter().map(|listener| Box::pin(listener.accept()));
    futures_util::future::select_all(waiting).await.0
}

/// Serves the connections.
struct Server<'a> {
    graceful: &'a GracefulShutdown,
    router: Router,
    connections: Connections,
    full_logged_at: Option<Instant>,
}

impl Server<'_> {
    fn begin<S>(&mut self, stream: S, peer: SocketAddr)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Some(permit) = self.connections.admit(peer.ip()) else { return self.log_full(peer) };
        let router = self.router.clone();
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            let router = router.clone();
            async move {
                if head_bytes(&request) > MOST_HEAD_BYTES {
                    return Ok(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE.into_response());
                }
                router.oneshot(request.map(Body::new)).await
            }
        });
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(NEXT_REQUEST_WITHIN);
        http.max_headers(100).max_buf_size(MOST_HEAD_BYTES);
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let watched = self.graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(%peer, "connection ended: {error}");
            }
            drop(permit);
        });
    }

    fn log_full(&mut self, peer: SocketAddr) {
        if is_due(&mut self.full_logged_at) {
            tracing::warn!(%peer, "connections are closed at once: too many are open, from this address or in total");
        }
    }
}

/// The size of the request's head. The buffer's limit applies to each read, so a head that arrives in one piece may be
/// longer.
fn head_bytes(request: &Request<Incoming>) -> usize {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    target + headers.sum::<usize>()
}

/// SIGTERM from a service manager, SIGINT from a terminal.
pub async fn stop_signal() {
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(signal) => signal,
        Err(error) => {
            tracing::error!("stop signals cannot be received: {error}");
            return std::future::pending().await;
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connections::ConnectionLimits;
    use axum::routing::get;
    use std::net::Ipv4Addr;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// Serves until the test ends.
    async fn serving(bounds: ConnectionLimits) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router =
            Router::new().route("/", get(async || "here").post(async || StatusCode::PAYLOAD_TOO_LARGE));
        let connections = Connections::within(bounds, Vec::new());
        tokio::spawn(serve(vec![listener], None, router, connections, std::future::pending()));
        address
    }

    async fn asked(stream: &mut TcpStream, request: &str) -> String {
        let mut answer = Vec::new();
        // Some clients and proxies read no response if they cannot write their request.
        for part in request.as_bytes().chunks(16 * 1024) {
            if stream.write_all(part).await.is_err() {
                return String::new();
            }
            tokio::task::yield_now().await;
        }
        while !answer.ends_with(b"here") && stream.read_buf(&mut answer).await.unwrap_or(0) > 0 {
            if answer.starts_with(b"HTTP/1.1 4") {
                break;
            }
        }
        String::from_utf8(answer).unwrap()
    }

    #[tokio::test]
    async fn idle_connections_of_one_address_are_bounded_and_their_places_come_back() {
        const ASK: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
        let address = serving(ConnectionLimits { all: 8, each: 2, each_wider: 2 }).await;
        let mut held = Vec::new();
        for _ in 0..2 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            assert!(asked(&mut stream, ASK).await.starts_with("HTTP/1.1 200"));
            held.push(stream);
        }
        let mut third = TcpStream::connect(address).await.unwrap();
        assert_eq!(asked(&mut third, ASK).await, "", "closed at once");
        let mut first = held.remove(0);
        assert!(
            asked(&mut first, &ASK.replace("host", "connection: close\r\nhost"))
                .await
                .starts_with("HTTP/1.1 200")
        );
        assert_eq!(first.read(&mut [0; 16]).await.unwrap(), 0);
        drop(first);
        // The server closes its side a moment after the last byte of its response.
        loop {
            let mut next = TcpStream::connect(address).await.unwrap();
            if asked(&mut next, ASK).await.starts_with("HTTP/1.1 200") {
                break;
            }
        }
    }

    #[tokio::test]
    async fn headers_are_bounded() {
        let address = serving(ConnectionLimits { all: 8, each: 8, each_wider: 8 }).await;
        for (bytes, status) in [(60_000, "200"), (70_000, "431"), (450_000, "431")] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let request = format!("GET / HTTP/1.1\r\nhost: a\r\nx-long: {}\r\n\r\n", "x".repeat(bytes));
            let answer = asked(&mut stream, &request).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{bytes}: {answer}");
        }
    }

    #[tokio::test]
    async fn rfc9112_9_6_what_is_refused_before_it_was_all_read_is_answered() {
        let address = serving(ConnectionLimits { all: 8, each: 8, each_wider: 8 }).await;
        let body = "x".repeat(1_000_000);
        let request = format!("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        for _ in 0..50 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let answer = asked(&mut stream, &request).await;
            assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        }
    }
}
