//! Making one connection: name, TCP, proxy, TLS and ALPN, within one time limit.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Authority;
use hyper::rt::{Read, Write};
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use kube::Config;
use kube::client::ConfigExt as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service, ServiceExt as _};

use super::clock::LinkClock;
use super::fault::{self, Fault, FaultKind};
use super::target::{ClientCertificate, Target};

/// TLS sessions that are remembered for a server.
const SESSIONS: usize = 2;

/// The proxies that the environment names; loopback addresses never go through one.
static ENVIRONMENT: LazyLock<Matcher> = LazyLock::new(Matcher::from_env);

/// Makes connections to one server with one client certificate.
#[derive(Clone)]
pub(super) struct Dialer {
    server: Uri,
    place: Arc<str>,
    time: Duration,
    connector: Connector,
}

type Redirected = BoxCloneSyncService<Uri, TokioIo<TcpStream>, BoxError>;
pub(super) type Connector = BoxCloneSyncService<Uri, Wire, BoxError>;

impl Dialer {
    /// Prepares TLS and proxy. Blocking: it may read certificate files and the system's roots.
    pub(super) fn new(
        target: &Target,
        certificate: Option<ClientCertificate>,
        clock: &Arc<LinkClock>,
        time: Duration,
    ) -> Result<Self, Fault> {
        let place: Arc<str> = target.server().to_string().trim_end_matches('/').into();
        let tls = tls(target, certificate, &place)?;
        let tcp = tcp(time);
        let connector = match proxy_for(target) {
            None => secured(redirected(tcp, target), tls, target, clock)?,
            Some(proxy) => through(&proxy, tcp, tls, target, clock)?,
        };
        Ok(Self {
            server: target.server().clone(),
            place,
            time,
            connector,
        })
    }

    /// The connector, for a client that makes its own connections (HTTP/1.1).
    pub(super) fn connector(&self) -> Connector {
        self.connector.clone()
    }

    /// Connects.
    pub(super) async fn dial(&self) -> Result<Wire, Fault> {
        let connect = self.connector.clone().oneshot(self.server.clone());
        match tokio::time::timeout(self.time, connect).await {
            Ok(Ok(wire)) => Ok(wire),
            Ok(Err(error)) => Err(fault::of_error(error.as_ref(), &self.place)),
            Err(_) => Err(Fault::new(
                FaultKind::Timeout,
                format!(
                    "{} did not accept a connection within {} s; check the site's link or a firewall in between.",
                    self.place,
                    self.time.as_secs()
                ),
            )),
        }
    }
}

fn tcp(time: Duration) -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(time));
    tcp.set_keepalive(Some(Duration::from_secs(15)));
    tcp.set_keepalive_interval(Some(Duration::from_secs(5)));
    tcp.set_keepalive_retries(Some(2));
    tcp
}

/// TCP to where the kubeconfig says the server is reached; TLS above it still asks for the server by its own name.
fn redirected(tcp: HttpConnector, target: &Target) -> Redirected {
    let address = target.address().cloned();
    let redirect = move |server: Uri| {
        let Some(address) = address.clone() else {
            return server;
        };
        let mut parts = server.clone().into_parts();
        parts.authority = Some(address);
        Uri::from_parts(parts).unwrap_or(server)
    };
    BoxCloneSyncService::new(tcp.map_request(redirect).map_err(BoxError::from))
}

fn tls(
    target: &Target,
    certificate: Option<ClientCertificate>,
    place: &str,
) -> Result<rustls::ClientConfig, Fault> {
    provide_crypto();
    let unusable =
        |e: String| Fault::new(FaultKind::Config, format!("{place} cannot be used: {e}."));
    let mut config = Config::new(target.server().clone());
    config.accept_invalid_certs = target.insecure();
    config.root_cert = target
        .roots()
        .map_err(unusable)?
        .map(|ders| ders.iter().map(|d| d.to_vec()).collect());
    let mut tls = config
        .rustls_client_config()
        .map_err(|e| unusable(e.to_string()))?;
    // One server: the usual cache is made for hundreds, and a fleet has one of them a row.
    tls.resumption = rustls::client::Resumption::in_memory_sessions(SESSIONS);
    if let Some(certificate) = certificate {
        tls.client_auth_cert_resolver = resolver(certificate)
            .map_err(|()| unusable("the client certificate and its key do not fit".into()))?;
    }
    Ok(tls)
}

fn resolver(
    certificate: ClientCertificate,
) -> Result<Arc<dyn rustls::client::ResolvesClientCert>, ()> {
    let provider = rustls::crypto::ring::default_provider();
    let key = rustls::sign::CertifiedKey::from_der(certificate.chain, certificate.key, &provider)
        .map_err(|_| ())?;
    Ok(Arc::new(rustls::sign::SingleCertAndKey::from(key)))
}

/// One provider for the whole process; a second call finds it there already.
fn provide_crypto() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Somebody else was faster in between: just as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// The proxy of the kubeconfig, which counts for every address; else that of the environment.
fn proxy_for(target: &Target) -> Option<Intercept> {
    if let Some(named) = target.proxy() {
        return Matcher::builder()
            .all(named.to_string())
            .build()
            .intercept(target.server());
    }
    let own = target.server().host().unwrap_or_default();
    let host = target.address().map_or(own, Authority::host);
    if is_loopback(host) {
        return None;
    }
    ENVIRONMENT.intercept(target.server())
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn through(
    proxy: &Intercept,
    tcp: HttpConnector,
    tls: rustls::ClientConfig,
    target: &Target,
    clock: &Arc<LinkClock>,
) -> Result<Connector, Fault> {
    let at = proxy.uri().clone();
    match at.scheme_str() {
        Some("socks5" | "socks5h") => {
            let mut socks = SocksV5::new(at, tcp);
            if let Some((user, password)) = proxy.raw_auth() {
                socks = socks.with_auth(user.to_owned(), password.to_owned());
            }
            secured(socks, tls, target, clock)
        }
        Some("https") => {
            let mut roots = Config::new(at.clone());
            roots.accept_invalid_certs = false;
            let proxy_tls = roots.rustls_client_config().map_err(|e| {
                Fault::new(FaultKind::Config, format!("The proxy cannot be used: {e}."))
            })?;
            let secure = hyper_rustls::HttpsConnectorBuilder::new()
                .with_tls_config(proxy_tls)
                .https_or_http()
                .enable_http1()
                .wrap_connector(tcp);
            secured(tunnel(proxy, at, secure), tls, target, clock)
        }
        _ => secured(tunnel(proxy, at, tcp), tls, target, clock),
    }
}

fn tunnel<C>(proxy: &Intercept, at: Uri, inner: C) -> Tunnel<C> {
    let tunnel = Tunnel::new(at, inner);
    match proxy.basic_auth() {
        Some(value) => tunnel.with_auth(value.clone()),
        None => tunnel,
    }
}

/// Puts TLS with ALPN on top, and the clock around the result.
fn secured<C>(
    inner: C,
    tls: rustls::ClientConfig,
    target: &Target,
    clock: &Arc<LinkClock>,
) -> Result<Connector, Fault>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + Read + Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    let mut builder = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http();
    if let Some(name) = target.cluster().tls_server_name.clone() {
        let name = rustls_pki_types::ServerName::try_from(name).map_err(|_| {
            Fault::new(
                FaultKind::Config,
                "Its tls-server-name is no host name; correct it in the kubeconfig.",
            )
        })?;
        builder =
            builder.with_server_name_resolver(hyper_rustls::FixedServerNameResolver::new(name));
    }
    let https = builder.enable_all_versions().wrap_connector(inner);
    let clock = Arc::clone(clock);
    let wired = https.map_response(move |io| Heard::wire(io, Arc::clone(&clock)));
    Ok(BoxCloneSyncService::new(wired))
}

/// An open byte stream of whatever make, as hyper takes it.
pub(super) type Wire = TokioIo<Heard>;

/// Tells the clock when something is heard.
pub(super) struct Heard {
    io: Pin<Box<dyn Io>>,
    h2: bool,
    clock: Arc<LinkClock>,
}

trait Io: AsyncRead + AsyncWrite + Send {}
impl<T: AsyncRead + AsyncWrite + Send> Io for T {}

impl Heard {
    fn wire<T>(io: T, clock: Arc<LinkClock>) -> Wire
    where
        T: Connection + Read + Write + Send + Unpin + 'static,
    {
        TokioIo::new(Self {
            h2: io.connected().is_negotiated_h2(),
            io: Box::pin(TokioIo::new(io)),
            clock,
        })
    }

    /// Whether the server agreed to HTTP/2.
    pub(super) fn is_h2(&self) -> bool {
        self.h2
    }
}

impl Connection for Heard {
    fn connected(&self) -> Connected {
        if self.h2 {
            Connected::new().negotiated_h2()
        } else {
            Connected::new()
        }
    }
}

impl AsyncRead for Heard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = self.io.as_mut().poll_read(cx, buf);
        if buf.filled().len() > before {
            self.clock.touch();
        }
        polled
    }
}

impl AsyncWrite for Heard {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.io.as_mut().poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.as_mut().poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.io.as_mut().poll_write_vectored(cx, bufs)
    }
}
