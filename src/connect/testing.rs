//! A small HTTPS server in this process for the tests of connect and sources, and a wire between that can be cut.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use parking_lot::Mutex;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;

use super::kubeconfig::{FleetPlan, LoadOptions, load};

/// What the server answers a request with.
pub(crate) type Handler = Arc<dyn Fn(Request<Bytes>) -> Response<Body> + Send + Sync>;

/// How the server is made.
#[derive(Clone)]
pub(crate) struct Setup {
    /// Names and addresses its certificate is for.
    pub(crate) names: Vec<String>,
    /// Protocols it offers.
    pub(crate) alpn: Vec<&'static str>,
    /// Whether its certificate ended yesterday.
    pub(crate) expired: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            names: vec!["127.0.0.1".into()],
            alpn: vec!["h2", "http/1.1"],
            expired: false,
        }
    }
}

/// A running server; it ends with the test's runtime.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// CA certificate, PEM.
    pub(crate) ca: String,
    connections: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts one that answers with `handler`.
    pub(crate) async fn start(
        handler: impl Fn(Request<Bytes>) -> Response<Body> + Send + Sync + 'static,
    ) -> Self {
        Self::with(Setup::default(), handler).await
    }

    pub(crate) async fn with(
        setup: Setup,
        handler: impl Fn(Request<Bytes>) -> Response<Body> + Send + Sync + 'static,
    ) -> Self {
        let (acceptor, ca) = tls(&setup);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self {
            address,
            ca,
            connections: Arc::default(),
            seen: Arc::default(),
        };
        let work = Work {
            handler: Arc::new(handler),
            seen: Arc::clone(&server.seen),
        };
        let connections = Arc::clone(&server.connections);
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(tcp, acceptor.clone(), work.clone()));
            }
        });
        server
    }

    /// TCP connections it accepted.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// `METHOD uri` of every request so far, in order.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().clone()
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// A plan of one row that leads here, with this user entry (YAML flow, such as `{token: t}`).
    pub(crate) fn plan(&self, user: &str) -> FleetPlan {
        self.plan_at(&self.url(), user)
    }

    /// The same, but by another address, such as that of a [`Cut`].
    pub(crate) fn plan_at(&self, url: &str, user: &str) -> FleetPlan {
        self.plan_with(&format!("server: '{url}'"), user, LoadOptions::default())
    }

    /// The same, with these fields of the cluster entry.
    pub(crate) fn plan_with(&self, cluster: &str, user: &str, options: LoadOptions) -> FleetPlan {
        use base64::Engine as _;
        let ca = base64::engine::general_purpose::STANDARD.encode(&self.ca);
        let text = format!(
            "clusters: [{{name: c, cluster: {{{cluster}, certificate-authority-data: {ca}}}}}]\nusers: [{{name: ola, user: {user}}}]\ncontexts: [{{name: edge-oslo-003, context: {{cluster: c, user: ola}}}}]\n"
        );
        plan_of(&text, options)
    }
}

/// Loads a kubeconfig of this text.
pub(crate) fn plan_of(text: &str, mut options: LoadOptions) -> FleetPlan {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    options.paths = vec![file.path().to_owned()];
    load(&options).unwrap()
}

#[derive(Clone)]
struct Work {
    handler: Handler,
    seen: Arc<Mutex<Vec<String>>>,
}

async fn serve(tcp: TcpStream, acceptor: TlsAcceptor, work: Work) {
    let Ok(tls) = acceptor.accept(tcp).await else {
        return;
    };
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let work = work.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = body
                .collect()
                .await
                .map(http_body_util::Collected::to_bytes)
                .unwrap_or_default();
            let path = head.uri.path_and_query().map_or("", |p| p.as_str());
            work.seen.lock().push(format!("{} {path}", head.method));
            Ok::<_, Infallible>((work.handler)(Request::from_parts(head, body)))
        }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http2().max_concurrent_streams(250);
    // The client going away is the end of every test.
    let _ = builder.serve_connection(TokioIo::new(tls), service).await;
}

fn tls(setup: &Setup) -> (TlsAcceptor, String) {
    let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let mut params = CertificateParams::new(setup.names.clone()).unwrap();
    if setup.expired {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2026, 1, 1);
    }
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    config.alpn_protocols = setup.alpn.iter().map(|p| p.as_bytes().to_vec()).collect();
    (TlsAcceptor::from(Arc::new(config)), issuer.pem())
}

/// An answer with JSON.
pub(crate) fn json(status: u16, body: &serde_json::Value) -> Response<Body> {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}

/// An answer that stays open; what is sent into the channel goes out, and dropping the sender ends it.
pub(crate) fn stream() -> (mpsc::UnboundedSender<Bytes>, Response<Body>) {
    let (sender, mut receiver) = mpsc::unbounded_channel::<Bytes>();
    let frames = futures::stream::poll_fn(move |cx| {
        receiver
            .poll_recv(cx)
            .map(|piece| piece.map(Ok::<_, Infallible>))
    });
    (sender, Response::new(Body::from_stream(frames)))
}

/// A wire in front of a server that can be cut without telling either end: what is on it then is lost in both directions.
pub(crate) struct Cut {
    pub(crate) address: SocketAddr,
    passing: watch::Sender<bool>,
}

impl Cut {
    pub(crate) async fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let passing = watch::Sender::new(true);
        let follow = passing.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let follow = follow.subscribe();
                tokio::spawn(async move {
                    if !*follow.borrow() {
                        // A black hole accepts and says nothing.
                        std::future::pending::<()>().await;
                    }
                    let far = TcpStream::connect(server).await.unwrap();
                    let (near_in, near_out) = near.into_split();
                    let (far_in, far_out) = far.into_split();
                    tokio::join!(
                        pass(near_in, far_out, follow.clone()),
                        pass(far_in, near_out, follow)
                    );
                });
            }
        });
        Self { address, passing }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    pub(crate) fn cut(&self) {
        self.passing.send_replace(false);
    }

    pub(crate) fn mend(&self) {
        self.passing.send_replace(true);
    }
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    passing: watch::Receiver<bool>,
) {
    let mut buffer = vec![0_u8; 16 << 10];
    while let Ok(read) = from.read(&mut buffer).await {
        if read == 0 {
            break;
        }
        if *passing.borrow() && to.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
}

/// Waits until something holds, looking often; fails the test after ten seconds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(tokio::time::Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
