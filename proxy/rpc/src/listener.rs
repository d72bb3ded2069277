//! Accepts connections.

use hyper::body::Incoming;
use jsonrpsee::core::BoxError;
use jsonrpsee::server::{HttpResponse, StopHandle, serve_with_graceful_shutdown};
use prometheus_client::metrics::gauge::Gauge;
use std::io::{self, IoSlice};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tower::Service;

/// The pause after a connection could not be accepted: most likely there are no file descriptors left.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections and serves HTTP on each, until `stop` says so; what is in progress is finished after that.
/// `service` gives the service of a connection from an address, and `open` tells how many there are.
pub(crate) async fn accept<S>(
    listener: TcpListener,
    stop: StopHandle,
    open: Gauge,
    service: impl Fn(IpAddr) -> S,
) where
    S: Service<http::Request<Incoming>, Response = HttpResponse, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
{
    let mut stopped = pin!(stop.clone().shutdown());
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stopped => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Answers are written at once: there is nothing to wait for.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection without TCP_NODELAY");
                }
                let (service, stopped) = (service(peer.ip()), stop.clone().shutdown());
                let connection = Connection::new(stream, open.clone());
                tokio::spawn(async move {
                    if let Err(error) = serve_with_graceful_shutdown(connection, service, stopped).await {
                        tracing::debug!(%peer, %error, "a connection ended badly");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// A connection that is counted as long as it is open, be it HTTP or WebSocket.
struct Connection {
    stream: TcpStream,
    open: Gauge,
}

impl Connection {
    fn new(stream: TcpStream, open: Gauge) -> Self {
        open.inc();
        Self { stream, open }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.open.dec();
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
