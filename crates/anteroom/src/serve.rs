//! Listening: connections with bounded patience, in the clear or under TLS, and a graceful stop.

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;

use crate::handshakes::Handshakes;
use crate::tls::Served;

/// A client that has not sent its headers by then is let go: a slow one cannot hold anything.
const HEADER_TIMEOUT: Duration = Duration::from_secs(15);
/// How long requests under way may take once a stop was asked for.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// After an accept fails (too many open files, say), others get a moment to finish.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves on all listeners until `stop` is ready, then lets the requests under way finish. Without `tls`, in the clear.
pub async fn serve(
    listeners: Vec<TcpListener>,
    tls: Option<Served>,
    router: Router,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let graceful = GracefulShutdown::new();
    let mut handshakes = Handshakes::default();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            accepted = accept(&listeners) => match accepted {
                Ok((stream, peer)) => {
                    // Answers are small and written whole: waiting to fill a packet only adds delay.
                    let _ = stream.set_nodelay(true);
                    match &tls {
                        None => spawn(&graceful, stream, peer, router.clone()),
                        Some(tls) => handshakes.begin(tls, stream, peer),
                    }
                }
                Err(error) => {
                    tracing::warn!("a connection was not accepted: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some((stream, peer)) = handshakes.next() => spawn(&graceful, stream, peer, router.clone()),
            () = &mut stop => break,
        }
    }
    // Nothing was asked yet under the handshakes that are under way.
    drop((listeners, handshakes));
    if tokio::time::timeout(STOP_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still under way when the time to stop was over");
    }
    Ok(())
}

async fn accept(listeners: &[TcpListener]) -> io::Result<(TcpStream, SocketAddr)> {
    let waiting = listeners.iter().map(|listener| Box::pin(listener.accept()));
    futures_util::future::select_all(waiting).await.0
}

fn spawn<S>(graceful: &GracefulShutdown, stream: S, peer: SocketAddr, router: Router)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = router.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.map(Body::new)
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_headers(100);
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let watched = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = watched.await {
            tracing::debug!(%peer, "connection ended: {error}");
        }
    });
}

/// SIGTERM from a service manager, SIGINT from a terminal.
pub async fn stop_signal() {
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(signal) => signal,
        Err(error) => {
            tracing::error!("signals cannot be received: {error}");
            return std::future::pending().await;
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
