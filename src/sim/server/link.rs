//! The cable: a TCP stream through which nothing passes while the link is a black hole.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;

use super::faults::{Fault, Link};

/// A stream with a fault switch in it.
pub(crate) struct Cable<S> {
    inner: S,
    fault: watch::Receiver<Fault>,
    changes: WatchStream<Fault>,
}

impl<S> Cable<S> {
    pub(crate) fn new(inner: S, fault: watch::Receiver<Fault>) -> Self {
        Self {
            inner,
            changes: WatchStream::from_changes(fault.clone()),
            fault,
        }
    }

    /// Ready while bytes pass; wakes the task when they pass again.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.fault.borrow().link != Link::BlackHole {
                return Poll::Ready(());
            }
            // The switchboard outlives its connections; should it go, the hole stays.
            if ready!(Pin::new(&mut self.changes).poll_next(cx)).is_none() {
                return Poll::Pending;
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Cable<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_open(cx));
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Cable<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_open(cx));
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_open(cx));
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_open(cx));
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
