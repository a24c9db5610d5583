//! One kind of one cluster, for ever: list, then watch, then watch again; what was known stays until a new list replaces it at once.
//!
//! An expired resource version comes as HTTP 200 with an ERROR event of code 410 inside the stream; the list is then made again. A watch that
//! merely ends resumes where it was. The server's `Retry-After` is obeyed; everything else backs off with jitter. An object that does not
//! decode is left out and told of; it costs nobody else.

mod pace;
mod running;
#[cfg(test)]
mod tests;
mod uri;
mod wire;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http::header::ACCEPT_ENCODING;
use kube::core::Status;
use serde::de::DeserializeOwned;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::Instant;

use crate::connect::Link;
use crate::connect::turns::polite;
use crate::domain::Safe;
use pace::Pace;
use running::{Unread, Watch};
use wire::Page;

/// A page that is still under way after this gives its place to the next list: slow sites must not hold up quick ones.
const PATIENCE: Duration = Duration::from_secs(2);

/// A watch that the server should have ended this long ago is given up and made again.
const OVERDUE: Duration = Duration::from_secs(30);

/// What to follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchSpec {
    /// Collection path, such as `/apis/apps/v1/deployments` or `/api/v1/namespaces/edge/services`.
    pub path: String,
    /// Label selector, empty for all.
    pub labels: String,
    /// Field selector, empty for all.
    pub fields: String,
    /// Objects a page of the list.
    pub page: u32,
    /// Whether to begin with a streaming list; a server that refuses it is listed.
    pub streaming: bool,
}

impl WatchSpec {
    /// Everything below a collection path, 100 objects a page.
    pub fn all(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            labels: String::new(),
            fields: String::new(),
            page: 100,
            streaming: false,
        }
    }
}

/// What happened.
#[derive(Debug)]
pub enum Step<T> {
    /// The whole collection; replaces what was known.
    Listed(Vec<T>),
    /// An object appeared or changed.
    Changed(T),
    /// An object is gone; its last state.
    Gone(T),
    /// It cannot be followed now, or not wholly; what was known stays, and it is tried again.
    Trouble(Trouble),
}

/// Why a collection cannot be followed now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The kind of trouble.
    pub kind: TroubleKind,
    /// The server's or the transport's words.
    pub message: Safe,
}

/// The kinds of trouble with a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TroubleKind {
    /// 401: the credentials are refused.
    Unauthorized,
    /// 403: this collection may not be read.
    Forbidden,
    /// 404: the server does not serve the kind.
    Absent,
    /// No answer, or one that is not of the protocol.
    Transport,
    /// 429, 503 and other answers that pass.
    Busy,
    /// Objects that do not decode are left out; the rest is followed.
    Unreadable,
}

/// What the followers of one cluster share.
#[derive(Clone)]
pub struct WatchContext {
    /// The client of the watch lane.
    pub client: kube::Client,
    /// Bounds the lists under way over the whole fleet.
    pub lists: Arc<Semaphore>,
    /// Seed of the jitter.
    pub seed: u64,
    /// The link, whose return ends every wait.
    link: Option<watch::Receiver<Link>>,
}

impl WatchContext {
    /// The client, the bound on lists and the seed of the jitter.
    pub fn new(client: kube::Client, lists: Arc<Semaphore>, seed: u64) -> Self {
        Self {
            client,
            lists,
            seed,
            link: None,
        }
    }

    /// The same, with waits that end as soon as this link is back.
    #[must_use]
    pub fn waking_with(self, link: watch::Receiver<Link>) -> Self {
        Self {
            link: Some(link),
            ..self
        }
    }

    /// Waits this long, or until the link is back and its credentials are accepted.
    pub async fn pause(&self, wait: Duration) {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = self.link_is_back() => {
                // Everything of this cluster wakes now.
                tokio::time::sleep(Duration::from_millis(fastrand::u64(0..200))).await;
            }
        }
    }

    async fn link_is_back(&self) {
        let Some(mut link) = self.link.clone() else {
            return std::future::pending().await;
        };
        loop {
            let before = well(&link.borrow_and_update());
            if link.changed().await.is_err() {
                return std::future::pending().await;
            }
            if !before && well(&link.borrow()) {
                return;
            }
        }
    }
}

fn well(link: &Link) -> bool {
    link.up && link.refusal.is_none()
}

/// Follows a collection until the receiver is dropped.
///
/// `Listed` comes first; after that `Changed` and `Gone` in the server's order, and `Listed` again whenever the order was lost.
pub async fn follow<T: DeserializeOwned>(
    context: WatchContext,
    spec: WatchSpec,
    tell: mpsc::Sender<Step<T>>,
) {
    tokio::select! {
        () = follow_for_ever(&context, &spec, &tell) => {}
        () = tell.closed() => {}
    }
}

async fn follow_for_ever<T: DeserializeOwned>(
    context: &WatchContext,
    spec: &WatchSpec,
    tell: &mpsc::Sender<Step<T>>,
) {
    let turn = Turn {
        context,
        spec,
        tell,
    };
    let mut pace = Pace::new(context.seed);
    let mut streaming = spec.streaming;
    let mut from: Option<String> = None;
    loop {
        let begun = Instant::now();
        let outcome = match from.take() {
            None if streaming => {
                let outcome = turn.watch(Begin::Whole(Vec::new())).await;
                // Whatever the server dislikes about it, a plain list is understood everywhere.
                streaming = outcome.is_ok();
                outcome
            }
            None => Box::pin(turn.list()).await,
            Some(version) => turn.watch(Begin::From(version)).await,
        };
        match outcome {
            Ok(next) => {
                from = next.resume;
                let wait = pace.after_success(begun.elapsed(), next.brought);
                tokio::time::sleep(wait).await;
            }
            Err(failure) => {
                let wait = pace.after_failure(&failure.trouble, failure.retry_after);
                from = failure.resume;
                let refused = failure.retry_after.is_some();
                turn.say(Step::Trouble(failure.trouble)).await;
                if refused {
                    tokio::time::sleep(wait).await;
                } else {
                    context.pause(wait).await;
                }
            }
        }
    }
}

/// How a list or watch ended well.
struct Next {
    /// The version to watch from; nothing when the list must be made again.
    resume: Option<String>,
    /// Whether it brought anything.
    brought: bool,
}

struct Failure {
    trouble: Trouble,
    retry_after: Option<Duration>,
    resume: Option<String>,
}

/// How a watch begins.
enum Begin<T> {
    /// After this version.
    From(String),
    /// With everything there is; what came of it so far.
    Whole(Vec<T>),
}

/// One list or watch.
struct Turn<'a, T> {
    context: &'a WatchContext,
    spec: &'a WatchSpec,
    tell: &'a mpsc::Sender<Step<T>>,
}

impl<T: DeserializeOwned> Turn<'_, T> {
    /// Tells a step; when nobody listens any more, the following ends by itself.
    async fn say(&self, step: Step<T>) {
        let _ = self.tell.send(step).await;
    }

    /// Tells of what did not decode since the last time.
    async fn say_unread(&self, unread: &mut Unread) {
        if let Some(trouble) = unread.take(&self.spec.path) {
            self.say(Step::Trouble(trouble)).await;
        }
    }

    /// Lists all pages; tells them as one. An expired continue token starts over.
    async fn list(&self) -> Result<Next, Failure> {
        let mut items = Vec::new();
        let mut unread = Unread::default();
        let mut next: Option<String> = None;
        loop {
            let text = self.page(next.as_deref()).await?;
            let page: Page<'_> = serde_json::from_str(&text).map_err(|e| self.garbage(&e))?;
            if !page.is_list() {
                return Err(self.transport("is answered with something that is no list", None));
            }
            for item in page.items.unwrap_or_default() {
                items.extend(unread.decode(item));
            }
            next = page.metadata.next.filter(|token| !token.is_empty());
            if next.is_none() {
                self.say(Step::Listed(items)).await;
                self.say_unread(&mut unread).await;
                return Ok(Next {
                    resume: Some(page.metadata.resource_version).filter(|v| !v.is_empty()),
                    brought: true,
                });
            }
        }
    }

    async fn page(&self, next: Option<&str>) -> Result<String, Failure> {
        let request = self.request(&uri::list(self.spec, next))?;
        // Boxed: what is needed for one answer must not take room for as long as the watch lives.
        let asked = self.context.client.request_text(request);
        let answer = Box::pin(polite(&self.context.lists, PATIENCE, asked)).await;
        answer.map_err(|e| failed(&e, None))
    }

    /// Watches until the stream ends.
    async fn watch(&self, begin: Begin<T>) -> Result<Next, Failure> {
        // 240 to 300 seconds, so that a fleet's watches do not all end in the same second.
        let seconds = 240 + self.context.seed % 60;
        let uri = match &begin {
            Begin::From(version) => uri::watch(self.spec, version, seconds),
            Begin::Whole(_) => uri::streaming(self.spec, seconds),
        };
        let mut request = self.request(&uri)?;
        // A packed stream holds events back until a block is full, and newer servers pack each event by itself, which breaks our unpacking.
        request
            .headers_mut()
            .insert(ACCEPT_ENCODING, http::HeaderValue::from_static("identity"));
        let mut watch = Watch::new(begin);
        let asked = Box::pin(self.context.client.request_stream(request));
        let stream = match asked.await {
            Ok(stream) => stream,
            Err(error) => return watch.refused(&error),
        };
        let limit = Duration::from_secs(seconds) + OVERDUE;
        let stream = pin!(stream);
        match tokio::time::timeout(limit, watch.read(self, stream)).await {
            Ok(ended) => ended?,
            Err(_) => {
                tracing::debug!(path = %self.spec.path, "the server let a watch run beyond its time");
            }
        }
        Ok(watch.next())
    }

    fn request(&self, uri: &str) -> Result<Request<Vec<u8>>, Failure> {
        Request::get(uri)
            .body(Vec::new())
            .map_err(|_| self.transport("cannot be asked for", None))
    }

    fn garbage(&self, error: &serde_json::Error) -> Failure {
        let what = format!(
            "does not parse at line {}, column {}",
            error.line(),
            error.column()
        );
        self.transport(&what, None)
    }

    fn transport(&self, what: &str, resume: Option<String>) -> Failure {
        Failure {
            trouble: Trouble {
                kind: TroubleKind::Transport,
                message: format!("{} {what}; it is tried again.", self.spec.path).into(),
            },
            retry_after: None,
            resume,
        }
    }
}

fn failed(error: &kube::Error, resume: Option<String>) -> Failure {
    match error {
        // An expired continue token: what was listed so far is of no use.
        kube::Error::Api(status) if status.code == 410 => refused(status, None),
        kube::Error::Api(status) => refused(status, resume),
        other => Failure {
            trouble: Trouble {
                kind: TroubleKind::Transport,
                message: words(other),
            },
            retry_after: None,
            resume,
        },
    }
}
/// The words of the innermost cause that has some; our own stack puts a whole sentence there.
fn words(error: &kube::Error) -> Safe {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(fault) = inner.downcast_ref::<crate::connect::Fault>() {
            return fault.sentence.clone();
        }
        words = inner.to_string();
        cause = inner.source();
    }
    words.into()
}

fn refused(status: &Status, resume: Option<String>) -> Failure {
    let kind = match status.code {
        401 => TroubleKind::Unauthorized,
        403 => TroubleKind::Forbidden,
        404 | 405 => TroubleKind::Absent,
        _ => TroubleKind::Busy,
    };
    let retry_after = status
        .details
        .as_ref()
        .map(|d| u64::from(d.retry_after_seconds))
        .filter(|s| *s > 0)
        .map(Duration::from_secs);
    Failure {
        trouble: Trouble {
            kind,
            message: Safe::new(&status.message),
        },
        retry_after,
        resume,
    }
}
