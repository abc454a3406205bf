//! How connections are closed (RFC 9112 §9.6).
//!
//! A request may be refused before all of it was read. If a server closes the socket while the client still sends, the
//! kernel resets the connection, and the client, or the proxy in front, loses the response that it has not read yet. So
//! this stream shuts down its write side first and discards what still arrives, up to `MOST_DROPPED` bytes and for
//! `LINGERS_FOR`.
//!
//! A client that reads nothing of its response for `STALLED_FOR` would keep its place among the connections, so it is
//! disconnected.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// From the end of the response.
const LINGERS_FOR: Duration = Duration::from_secs(2);
/// The most bytes that are discarded. `server.max_body` is smaller by default.
const MOST_DROPPED: usize = 4 * 1024 * 1024;

/// Without the client reading one byte of the response.
const STALLED_FOR: Duration = Duration::from_secs(30);

pub struct GracefulCloseStream<S> {
    stream: S,
    stalled_for: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    ending: Option<ClosingState>,
}

/// The state after this side has shut down its write side.
struct ClosingState {
    until: Pin<Box<Sleep>>,
    dropped: usize,
}

impl<S> GracefulCloseStream<S> {
    pub const fn new(stream: S) -> Self {
        Self { stream, stalled_for: STALLED_FOR, stalled: None, ending: None }
    }
}

impl<S> GracefulCloseStream<S> {
    /// The result of a write, or an error if the client has read nothing for too long.
    fn bounded(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled_for = self.stalled_for;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(stalled_for)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl ClosingState {
    /// Ready when the other side has closed, or a limit is reached.
    fn poll_drop_rest<S: AsyncRead + Unpin>(&mut self, stream: &mut S, cx: &mut Context<'_>) -> Poll<()> {
        let mut space = [0; 16 * 1024];
        while self.dropped < MOST_DROPPED && self.until.as_mut().poll(cx).is_pending() {
            let mut read = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut *stream).poll_read(cx, &mut read)) {
                Ok(()) if !read.filled().is_empty() => self.dropped += read.filled().len(),
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for GracefulCloseStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, data);
        self.bounded(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, ending, .. } = &mut *self;
        if ending.is_none() {
            ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
        }
        let begun = || ClosingState { until: Box::pin(sleep(LINGERS_FOR)), dropped: 0 };
        ready!(ending.get_or_insert_with(begun).poll_drop_rest(stream, cx));
        Poll::Ready(Ok(()))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, data);
        self.bounded(cx, written)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for GracefulCloseStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        read: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::timeout;

    #[tokio::test]
    async fn what_is_read_slowly_is_written_to_the_end() {
        let (mut other, ours) = duplex(16);
        let writing = tokio::spawn(async move { GracefulCloseStream::new(ours).write_all(&[7; 64]).await });
        let mut read = [0; 64];
        other.read_exact(&mut read).await.unwrap();
        assert!(writing.await.unwrap().is_ok());
        assert_eq!(read, [7; 64]);
    }

    #[tokio::test]
    async fn an_answer_that_is_not_read_is_given_up() {
        let (_other, ours) = duplex(16);
        let mut ours =
            GracefulCloseStream { stalled_for: Duration::from_millis(1), ..GracefulCloseStream::new(ours) };
        let written = timeout(Duration::from_secs(20), ours.write_all(&[7; 64])).await;
        assert_eq!(written.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
