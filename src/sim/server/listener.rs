//! Accepting connections while the server is up, and serving HTTP/1.1 and HTTP/2 on each.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::faults::{Certificate, Fault, Link};
use super::link::Cable;
use super::{ServerOptions, handle};

/// Streams a connection may have open at once, as the real server allows.
const STREAMS: u32 = 100;

/// Listens and serves in the background until `stop`.
pub(crate) async fn start(
    server: Arc<ServerOptions>,
    stop: CancellationToken,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(server.address).await?;
    let address = listener.local_addr()?;
    let fault = server.faults.subscribe();
    tokio::spawn(async move {
        let run = run(server, listener, address, fault);
        stop.run_until_cancelled(run).await;
    });
    Ok(address)
}

/// Listens while the link is not refused, for ever. Connections end with this future.
async fn run(
    server: Arc<ServerOptions>,
    listener: TcpListener,
    address: SocketAddr,
    mut fault: watch::Receiver<Fault>,
) {
    let mut listener = Some(listener);
    loop {
        let current = match listener.take() {
            Some(listener) => listener,
            None => match listen_again(address).await {
                Some(listener) => listener,
                None => continue,
            },
        };
        let connections = CancellationToken::new();
        tokio::select! {
            () = accept(&server, &current, &connections) => {}
            _ = fault.wait_for(|f| f.link == Link::Refused) => {}
        }
        drop(current);
        connections.cancel();
        // Keeps the port ours while nobody listens on it.
        let reserved = reserve(address);
        if fault.wait_for(|f| f.link != Link::Refused).await.is_err() {
            return;
        }
        drop(reserved);
    }
}

fn reserve(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn listen_again(address: SocketAddr) -> Option<TcpListener> {
    if let Ok(listener) = TcpListener::bind(address).await {
        return Some(listener);
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    None
}

async fn accept(server: &Arc<ServerOptions>, listener: &TcpListener, stop: &CancellationToken) {
    let _guard = stop.clone().drop_guard();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let server = Arc::clone(server);
                let stop = stop.clone();
                tokio::spawn(
                    async move { stop.run_until_cancelled(connection(server, stream)).await },
                );
            }
            // Out of descriptors: let some connection end first.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn connection(server: Arc<ServerOptions>, stream: TcpStream) {
    // Small answers must not wait for each other; a failure only makes them slower.
    let _ = stream.set_nodelay(true);
    let cable = Cable::new(stream, server.faults.subscribe());
    let config = match server.faults.current().certificate {
        Certificate::Sound => server.tls.sound(),
        Certificate::Stranger => server.tls.stranger(),
        Certificate::Expired => server.tls.expired(),
        Certificate::None => return http(server, cable).await,
    };
    if let Ok(stream) = TlsAcceptor::from(config).accept(cable).await {
        http(server, stream).await;
    }
}

async fn http(server: Arc<ServerOptions>, stream: impl AsyncRead + AsyncWrite + Unpin + 'static) {
    let service = service_fn(move |request: Request<Incoming>| {
        let server = Arc::clone(&server);
        async move { Ok::<_, Infallible>(handle::answer(server, request).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http2().max_concurrent_streams(STREAMS);
    // A client that goes away mid-request is its own affair.
    let _ = builder
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
