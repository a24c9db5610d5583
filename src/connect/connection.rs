//! What everybody else holds of a cluster: a cheap handle that sends requests in one of two lanes and knows how the link stands.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use kube::Client;
use kube::client::{Body, ConfigExt as _};
use tokio::sync::watch;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt as _};
use tower_http::decompression::DecompressionLayer;

use super::clock::{Link, LinkClock};
use super::fault::{self, Fault};
use super::guard::{self, Mode};
use super::patience;
use super::pool::{Lane, Timings};
use super::session::Session;

/// An answer's body as it comes in, already unpacked.
pub type Stream = UnsyncBoxBody<Bytes, BoxError>;

type Stack = BoxCloneSyncService<Request<Body>, Response<Stream>, BoxError>;

/// The connection to one cluster as one identity. Clones share it.
#[derive(Clone)]
pub struct Connection {
    session: Arc<Session>,
    mode: Mode,
    interactive: (Stack, Client),
    watch: (Stack, Client),
}

impl Connection {
    /// Builds the handle; nothing is sent yet. Must be called on the runtime.
    pub(super) fn new(session: Arc<Session>, mode: Mode, namespace: &str) -> Result<Self, Fault> {
        let lane = |lane| -> Result<(Stack, Client), Fault> {
            let stack = stack(&session, mode, lane)?;
            let client = Client::new(stack.clone(), namespace);
            Ok((stack, client))
        };
        Ok(Self {
            interactive: lane(Lane::Interactive)?,
            watch: lane(Lane::Watch)?,
            mode,
            session,
        })
    }

    /// kube's client on this connection. Failures of ours arrive as `kube::Error::Service` holding a [`Fault`]; see [`Self::explain`].
    pub fn client(&self, lane: Lane) -> Client {
        match lane {
            Lane::Interactive => self.interactive.1.clone(),
            Lane::Watch => self.watch.1.clone(),
        }
    }

    /// The fault behind an error of [`Self::client`].
    pub fn explain(&self, error: &kube::Error) -> Fault {
        fault::of_kube(error, self.place())
    }

    /// The server, for sentences.
    pub fn place(&self) -> &str {
        self.session.place()
    }

    /// What it lets through.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether the server's certificate is not checked.
    pub fn is_insecure(&self) -> bool {
        self.session.target().insecure()
    }

    /// Follows how the link stands.
    pub fn link(&self) -> watch::Receiver<Link> {
        self.session.clock().follow()
    }

    /// The freshness clock.
    pub fn clock(&self) -> &LinkClock {
        self.session.clock()
    }

    /// Times of the connection.
    pub fn timings(&self) -> &Timings {
        self.session.timings()
    }

    /// Whether the server speaks HTTP/1.1 only: then nothing pings it, and a call now and then must tell that it lives.
    pub async fn needs_heartbeat(&self) -> bool {
        self.session.needs_heartbeat().await
    }

    /// Asks whether the server lives, as a ping would; no answer in the pong's time counts as a lost link.
    pub async fn heartbeat(&self) {
        let asked = self.get(Lane::Interactive, "/version", 64 << 10);
        if tokio::time::timeout(self.timings().pong, asked)
            .await
            .is_err()
        {
            self.session.clock().closed(Fault::new(
                fault::FaultKind::Timeout,
                format!(
                    "{} does not answer in time; check the site's link.",
                    self.place()
                ),
            ));
        }
    }

    /// Open HTTP/2 connections, for tests and `doctor`.
    pub async fn connections(&self) -> usize {
        self.session.connections().await
    }

    /// Runs the credential plugin on the operator's terminal; the caller has left the alternate screen.
    ///
    /// # Errors
    /// The plugin failed, or there is none.
    pub async fn login(&self) -> Result<(), Fault> {
        self.session.login().await
    }

    /// Forgets earlier failures of the credentials, so that the next request tries again.
    pub async fn forgive(&self) {
        self.session.forgive().await;
    }

    /// Sends a request and gives the head and the stream of its answer, whatever its status.
    ///
    /// # Errors
    /// The link, the credentials or our own guard; never an HTTP status.
    pub async fn send(
        &self,
        lane: Lane,
        request: Request<Bytes>,
    ) -> Result<Response<Stream>, Fault> {
        let stack = match lane {
            Lane::Interactive => self.interactive.0.clone(),
            Lane::Watch => self.watch.0.clone(),
        };
        let answer = stack.oneshot(request.map(Body::from)).await;
        answer.map_err(|e| fault::of_error(e.as_ref(), self.place()))
    }

    /// Sends a request and opens its answer, which must be a success.
    ///
    /// # Errors
    /// As [`Self::send`], and any status that is no success.
    pub async fn open(
        &self,
        lane: Lane,
        request: Request<Bytes>,
    ) -> Result<Response<Stream>, Fault> {
        let answer = self.send(lane, request).await?;
        self.success(answer).await
    }

    /// The answer, if it is a success.
    ///
    /// # Errors
    /// Any status that is no success.
    pub async fn success(&self, answer: Response<Stream>) -> Result<Response<Stream>, Fault> {
        if answer.status().is_success() {
            return Ok(answer);
        }
        let (head, body) = answer.into_parts();
        let body = self.collect(body, 64 << 10).await.unwrap_or_default();
        Err(fault::of_answer(
            head.status.as_u16(),
            &head.headers,
            &body,
            self.place(),
        ))
    }

    /// Reads a path to its end, at most `limit` bytes.
    ///
    /// # Errors
    /// As [`Self::open`]; an answer beyond the limit.
    pub async fn get(&self, lane: Lane, path: &str, limit: usize) -> Result<Bytes, Fault> {
        let request = get(path)?;
        self.call(lane, request, limit).await
    }

    /// Sends a short call and reads its answer to the end, at most `limit` bytes.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn call(
        &self,
        lane: Lane,
        request: Request<Bytes>,
        limit: usize,
    ) -> Result<Bytes, Fault> {
        let answer = self.open(lane, request).await?;
        self.collect(answer.into_body(), limit).await
    }

    /// Collects a body of at most `limit` bytes, within half a minute of silence.
    pub async fn collect(&self, mut body: Stream, limit: usize) -> Result<Bytes, Fault> {
        let mut all = Vec::new();
        while let Some(frame) = self.next_frame(&mut body).await? {
            all.extend_from_slice(&frame);
            if all.len() > limit {
                return Err(Fault::new(
                    fault::FaultKind::Garbage,
                    format!(
                        "{} answered with more than {limit} bytes; the rest is not read.",
                        self.place()
                    ),
                ));
            }
        }
        Ok(all.into())
    }

    /// The next piece of a body; `None` at its end.
    async fn next_frame(&self, body: &mut Stream) -> Result<Option<Bytes>, Fault> {
        let next = tokio::time::timeout(Duration::from_secs(30), body.frame()).await;
        match next {
            Ok(None) => Ok(None),
            Ok(Some(Ok(frame))) => Ok(Some(frame.into_data().unwrap_or_default())),
            Ok(Some(Err(e))) => Err(fault::of_error(e.as_ref(), self.place())),
            Err(_) => Err(Fault::new(
                fault::FaultKind::Timeout,
                format!("{} stopped in the middle of an answer.", self.place()),
            )),
        }
    }
}

/// A GET of a path of the API.
///
/// # Errors
/// The path cannot stand in a URL.
pub fn get(path: &str) -> Result<Request<Bytes>, Fault> {
    Request::get(path).body(Bytes::new()).map_err(|_| {
        Fault::new(
            fault::FaultKind::Config,
            format!("The path {path} cannot be asked for."),
        )
    })
}

/// Guard, server prefix, unpacking and impersonation around the session.
fn stack(session: &Arc<Session>, mode: Mode, lane: Lane) -> Result<Stack, Fault> {
    let target = session.target();
    let mut config = kube::Config::new(target.server().clone());
    config.auth_info = target.user().clone();
    let extra = config.extra_headers_layer().map_err(|_| {
        Fault::new(
            fault::FaultKind::Config,
            "Whom to act as holds characters that cannot be sent; correct --as or the kubeconfig.",
        )
    })?;
    let packed = !target.cluster().disable_compression.unwrap_or(false);
    let service = ServiceBuilder::new()
        .layer_fn(|inner| Guarded { inner, mode })
        .layer(config.base_uri_layer())
        .layer(DecompressionLayer::new().gzip(packed))
        .layer(extra)
        .service(Wired {
            session: Arc::clone(session),
            lane,
        })
        .map_response(|r: Response<_>| r.map(|b| b.map_err(Into::into).boxed_unsync()));
    let service: Stack = BoxCloneSyncService::new(service);
    let service =
        service.and_then(|answer| -> Answer<Response<Stream>> { Box::pin(patience::told(answer)) });
    Ok(BoxCloneSyncService::new(service))
}

/// The guard as a service: it sees the request's own path, before any prefix of the server.
#[derive(Clone)]
struct Guarded<S> {
    inner: S,
    mode: Mode,
}

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

impl<S, B> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>>,
    S::Error: Into<BoxError>,
    S::Response: Send + 'static,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Answer<S::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if let Err(fault) = guard::check(self.mode, request.method(), request.uri()) {
            return Box::pin(std::future::ready(Err(fault.into())));
        }
        let sent = self.inner.call(request);
        Box::pin(async move { sent.await.map_err(Into::into) })
    }
}

/// The session as a service.
#[derive(Clone)]
struct Wired {
    session: Arc<Session>,
    lane: Lane,
}

impl Service<Request<Body>> for Wired {
    type Response = Response<super::pool::Reply>;
    type Error = BoxError;
    type Future = Answer<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let (session, lane) = (Arc::clone(&self.session), self.lane);
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let request = Request::from_parts(head, Full::new(body));
            session.send(lane, request).await.map_err(Into::into)
        })
    }
}
