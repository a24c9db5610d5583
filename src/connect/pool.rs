//! The open connections to one server: few HTTP/2 ones shared by all requests, or HTTP/1.1 where the server speaks nothing else.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http2;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::clock::LinkClock;
use super::dial::{Connector, Dialer, Wire};
use super::fault::{self, Fault, FaultKind};
use super::turns::polite;

/// Long-lived streams on one connection; one more opens another. Servers grant about 100, and the rest is for calls.
pub(super) const STREAMS: usize = 60;

/// Flow-control window of one stream. Sixty of them fit into the connection's, so that a watch nobody reads from blocks no call.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 96 << 20;

/// A dial that has not succeeded after this gives its place to the next one and goes on outside the count.
const PATIENCE: Duration = Duration::from_millis(500);

/// Which way a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Somebody waits for the answer.
    Interactive,
    /// A long-lived stream, or work in the background.
    Watch,
}

/// Times of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Timings {
    /// Limit for name, TCP, proxy and TLS together.
    pub connect: Duration,
    /// Silence after which a ping is sent.
    pub ping: Duration,
    /// Time for the pong, after which the connection counts as dead.
    pub pong: Duration,
    /// Time for the head of an answer.
    pub answer: Duration,
}

impl Default for Timings {
    /// 5 s to connect, pings after 4 s with 4 s to answer: a dead link is known within 8 s. 10 s for an answer.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            ping: Duration::from_secs(4),
            pong: Duration::from_secs(4),
            answer: Duration::from_secs(10),
        }
    }
}

pub(super) type Outgoing = Request<Full<Bytes>>;

/// The connections to one server.
pub(super) struct Pool {
    dialer: Dialer,
    timings: Timings,
    clock: Arc<LinkClock>,
    dials: Arc<Semaphore>,
    place: Arc<str>,
    open: Mutex<Vec<Arc<Channel>>>,
    old: Mutex<Option<Old>>,
    dialing: tokio::sync::Mutex<()>,
}

type Old = legacy::Client<Connector, Full<Bytes>>;

/// What a pool is made of.
pub(super) struct PoolParts {
    pub(super) dialer: Dialer,
    pub(super) timings: Timings,
    pub(super) clock: Arc<LinkClock>,
    pub(super) dials: Arc<Semaphore>,
    pub(super) place: Arc<str>,
}

/// One HTTP/2 connection.
struct Channel {
    sender: http2::SendRequest<Full<Bytes>>,
    long_lived: AtomicUsize,
    /// Streams the server grants, as far as it has said.
    granted: Arc<AtomicUsize>,
}

impl Channel {
    fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    fn has_room(&self, lane: Lane) -> bool {
        let granted = self.granted.load(Ordering::Relaxed).max(2);
        let held = self.long_lived.load(Ordering::Relaxed);
        match lane {
            Lane::Watch => held < STREAMS.min(granted * 3 / 4),
            Lane::Interactive => held < granted,
        }
    }
}

/// How a request travels.
enum Way {
    New(Arc<Channel>),
    Old(Box<Old>),
}

impl Pool {
    pub(super) fn new(parts: PoolParts) -> Arc<Self> {
        Arc::new(Self {
            dialer: parts.dialer,
            timings: parts.timings,
            clock: parts.clock,
            dials: parts.dials,
            place: parts.place,
            open: Mutex::new(Vec::new()),
            old: Mutex::new(None),
            dialing: tokio::sync::Mutex::new(()),
        })
    }

    /// Sends one request and gives the head of its answer. A request that met a connection just closing goes out once more.
    pub(super) async fn send(
        self: &Arc<Self>,
        lane: Lane,
        mut request: Outgoing,
    ) -> Result<Response<Reply>, Fault> {
        for _ in 0..3 {
            let way = self.way(lane).await?;
            let begun = Instant::now();
            match self.send_on(way, lane, request).await {
                Ok(response) => {
                    if lane == Lane::Interactive {
                        self.clock.took(begun.elapsed());
                    }
                    return Ok(response);
                }
                Err(Unsent::Again(back)) => request = *back,
                Err(Unsent::Failed(fault)) => return Err(fault),
            }
        }
        Err(self.broken())
    }

    async fn send_on(
        &self,
        way: Way,
        lane: Lane,
        request: Outgoing,
    ) -> Result<Response<Reply>, Unsent> {
        match way {
            Way::New(channel) => self.send_new(channel, lane, request).await,
            Way::Old(client) => match self.in_time(client.request(request)).await? {
                Ok(response) => {
                    self.clock.opened();
                    Ok(response.map(|body| Reply { body, _held: None }))
                }
                Err(error) => {
                    let fault = fault::of_error(&error, &self.place);
                    if fault.is_link() {
                        self.clock.closed(fault.clone());
                    }
                    Err(Unsent::Failed(fault))
                }
            },
        }
    }

    async fn send_new(
        &self,
        channel: Arc<Channel>,
        lane: Lane,
        request: Outgoing,
    ) -> Result<Response<Reply>, Unsent> {
        let held = (lane == Lane::Watch).then(|| Held::take(&channel));
        let mut sender = channel.sender.clone();
        match self.in_time(sender.try_send_request(request)).await? {
            Ok(response) => Ok(response.map(|body| Reply { body, _held: held })),
            Err(mut error) => match error.take_message() {
                Some(request) => {
                    self.forget(&channel);
                    Err(Unsent::Again(Box::new(request)))
                }
                None => Err(Unsent::Failed(fault::of_error(error.error(), &self.place))),
            },
        }
    }

    async fn in_time<T>(&self, answer: impl Future<Output = T>) -> Result<T, Unsent> {
        tokio::time::timeout(self.timings.answer, answer)
            .await
            .map_err(|_| {
                Unsent::Failed(Fault::new(
                    FaultKind::Timeout,
                    format!(
                        "{} accepted the request but did not answer within {} s.",
                        self.place,
                        self.timings.answer.as_secs()
                    ),
                ))
            })
    }

    /// An open connection with room, or a new one.
    async fn way(self: &Arc<Self>, lane: Lane) -> Result<Way, Fault> {
        if let Some(way) = self.ready(lane) {
            return Ok(way);
        }
        let _turn = self.dialing.lock().await;
        if let Some(way) = self.ready(lane) {
            return Ok(way);
        }
        match self.connect().await {
            Ok(way) => Ok(way),
            Err(fault) => {
                if !self.is_open() {
                    self.clock.closed(fault.clone());
                }
                Err(fault)
            }
        }
    }

    fn ready(&self, lane: Lane) -> Option<Way> {
        if let Some(old) = self.old.lock().as_ref() {
            return Some(Way::Old(Box::new(old.clone())));
        }
        let mut open = self.open.lock();
        open.retain(|channel| channel.is_open());
        open.iter()
            .find(|channel| channel.has_room(lane))
            .map(|channel| Way::New(Arc::clone(channel)))
    }

    async fn connect(self: &Arc<Self>) -> Result<Way, Fault> {
        let wire = polite(&self.dials, PATIENCE, self.dialer.dial()).await?;
        if wire.inner().is_h2() {
            return self.handshake(wire).await.map(Way::New);
        }
        // The server speaks HTTP/1.1 only: this connection served to find out, the old client makes its own.
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(60))
            .build(self.dialer.connector());
        *self.old.lock() = Some(client.clone());
        self.clock.opened();
        Ok(Way::Old(Box::new(client)))
    }

    async fn handshake(self: &Arc<Self>, wire: Wire) -> Result<Arc<Channel>, Fault> {
        let made = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .keep_alive_interval(self.timings.ping)
            .keep_alive_timeout(self.timings.pong)
            .keep_alive_while_idle(true)
            .handshake(wire)
            .await;
        let (sender, connection) = made.map_err(|e| fault::of_error(&e, &self.place))?;
        let channel = Arc::new(Channel {
            sender,
            long_lived: AtomicUsize::new(0),
            granted: Arc::new(AtomicUsize::new(100)),
        });
        self.open.lock().push(Arc::clone(&channel));
        self.clock.opened();
        tokio::spawn(drive(
            connection,
            Arc::clone(&channel.granted),
            Arc::downgrade(self),
        ));
        Ok(channel)
    }

    fn forget(&self, channel: &Arc<Channel>) {
        self.open.lock().retain(|c| !Arc::ptr_eq(c, channel));
    }

    fn is_open(&self) -> bool {
        self.old.lock().is_some() || self.open.lock().iter().any(|c| c.is_open())
    }

    /// Whether the server takes many requests on one connection; without that nobody pings it.
    pub(super) fn speaks_only_http1(&self) -> bool {
        self.old.lock().is_some()
    }

    /// Open HTTP/2 connections.
    pub(super) fn connections(&self) -> usize {
        self.open.lock().iter().filter(|c| c.is_open()).count()
    }

    fn ended(&self, result: Result<(), hyper::Error>) {
        self.open.lock().retain(|c| c.is_open());
        if self.is_open() {
            return;
        }
        let fault = match result {
            Ok(()) => self.broken(),
            Err(error) => fault::of_error(&error, &self.place),
        };
        self.clock.closed(fault);
    }

    fn broken(&self) -> Fault {
        Fault::new(
            FaultKind::Closed,
            format!("{} closed the connection; it is made again.", self.place),
        )
    }
}

/// Runs one connection to its end, keeping an eye on how many streams the server grants.
async fn drive(
    connection: http2::Connection<Wire, Full<Bytes>, TokioExecutor>,
    granted: Arc<AtomicUsize>,
    pool: std::sync::Weak<Pool>,
) {
    // The connection must be gone before anybody asks whether it is open.
    let result = {
        let mut connection = pin!(connection);
        std::future::poll_fn(|cx| {
            let polled = connection.as_mut().poll(cx);
            granted.store(connection.current_max_send_streams(), Ordering::Relaxed);
            polled
        })
        .await
    };
    if let Some(pool) = pool.upgrade() {
        pool.ended(result);
    }
}

/// Why a request has no answer.
enum Unsent {
    /// It never left; here it is back.
    Again(Box<Outgoing>),
    Failed(Fault),
}

/// A long-lived stream's place on its connection.
struct Held(Arc<Channel>);

impl Held {
    fn take(channel: &Arc<Channel>) -> Self {
        channel.long_lived.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(channel))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.long_lived.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The body of an answer; a long-lived one keeps its place until it ends.
pub(super) struct Reply {
    body: Incoming,
    _held: Option<Held>,
}

impl Body for Reply {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
