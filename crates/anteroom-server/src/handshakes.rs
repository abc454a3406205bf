//! TLS handshakes in progress: each runs in a task of its own, with a short time limit, and their number is limited, so
//! that a slow peer, or one that opens many, does not delay the others.

use anteroom_domain::rate::AddressPrefix;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::{Id, JoinSet};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::graceful_close::GracefulCloseStream;
use crate::tls::TlsConfigWatch;

/// A connection beyond these limits is closed at once; the peer may retry.
#[derive(Clone, Copy, Debug)]
pub struct HandshakeLimits {
    pub all: usize,
    /// For one address prefix. A whole office shares one, and its handshakes last milliseconds.
    pub each: usize,
    /// A handshake needs two round trips, which even a slow connection makes in this time.
    pub time: Duration,
}

impl Default for HandshakeLimits {
    fn default() -> Self {
        Self { all: 1_024, each: 128, time: Duration::from_secs(10) }
    }
}

/// Dropping this aborts the handshakes in progress.
#[derive(Default)]
pub struct Handshakes {
    bounds: HandshakeLimits,
    tasks: JoinSet<Option<(TlsStream<GracefulCloseStream<TcpStream>>, SocketAddr)>>,
    under_way: HashMap<Id, AddressPrefix>,
}

impl Handshakes {
    pub fn within(bounds: HandshakeLimits) -> Self {
        Self { bounds, ..Self::default() }
    }

    pub fn begin(&mut self, tls: &TlsConfigWatch, stream: TcpStream, peer: SocketAddr) {
        let prefix = AddressPrefix::of(peer.ip());
        let of_same = self.under_way.values().filter(|other| **other == prefix).count();
        if self.under_way.len() >= self.bounds.all || of_same >= self.bounds.each {
            tracing::debug!(%peer, "too many handshakes are in progress: the connection was closed");
            return;
        }
        let (acceptor, time) = (TlsAcceptor::from(tls.current()), self.bounds.time);
        let task = self.tasks.spawn(async move {
            match timeout(time, acceptor.accept(GracefulCloseStream::new(stream))).await {
                Ok(Ok(stream)) => return Some((stream, peer)),
                Ok(Err(error)) => tracing::debug!(%peer, "the TLS handshake failed: {error}"),
                Err(_) => tracing::debug!(%peer, "the TLS handshake took too long"),
            }
            None
        });
        self.under_way.insert(task.id(), prefix);
    }

    pub fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// The next completed handshake; `None` if no handshake is in progress. Cancel safe: a dropped call loses nothing.
    pub async fn next(&mut self) -> Option<(TlsStream<GracefulCloseStream<TcpStream>>, SocketAddr)> {
        while let Some(ended) = self.tasks.join_next_with_id().await {
            let id = match &ended {
                Ok((id, _)) => *id,
                Err(error) => error.id(),
            };
            self.under_way.remove(&id);
            if let Ok((_, Some(done))) = ended {
                return Some(done);
            }
        }
        None
    }
}
