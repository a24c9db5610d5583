//! One kind of one cluster, for ever: list, then watch, then watch again; what was known stays until a new list replaces it at once.
//!
//! An expired resource version comes as HTTP 200 with an ERROR event of code 410 inside the stream; the list is then made again. A watch that
//! merely ends resumes where it was. The server's `Retry-After` is obeyed; everything else backs off with jitter.

use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt as _;
use http::Request;
use kube::core::{Status, WatchEvent};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::sync::{Semaphore, mpsc};

use crate::domain::Safe;

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
}

impl WatchSpec {
    /// Everything below a collection path, 100 objects a page.
    pub fn all(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            labels: String::new(),
            fields: String::new(),
            page: 100,
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
    /// It cannot be followed now; what was known stays, and it is tried again.
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
}

/// Follows a collection until the receiver is dropped.
///
/// `Listed` comes first; after that `Changed` and `Gone` in the server's order, and `Listed` again whenever the order was lost.
pub async fn follow<T: DeserializeOwned>(
    context: WatchContext,
    spec: WatchSpec,
    tell: mpsc::Sender<Step<T>>,
) {
    let mut pace = Pace::new(context.seed);
    let mut from: Option<String> = None;
    while !tell.is_closed() {
        let outcome = match from.take() {
            None => list(&context, &spec, &tell).await,
            Some(version) => watch(&context, &spec, version, &tell).await,
        };
        let wait = match outcome {
            Ok(next) => {
                from = next;
                // A watch that ended without one event still waits a moment: servers that close at once must not be hammered.
                pace.after_success()
            }
            Err(failure) => {
                let wait = pace.after_failure(&failure.trouble, failure.retry_after);
                from = failure.resume;
                say(&tell, Step::Trouble(failure.trouble)).await;
                wait
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = tell.closed() => return,
        }
    }
}

/// Tells a step; when nobody listens any more, the loop ends by itself.
async fn say<T>(tell: &mpsc::Sender<Step<T>>, step: Step<T>) {
    let _ = tell.send(step).await;
}

struct Failure {
    trouble: Trouble,
    retry_after: Option<Duration>,
    resume: Option<String>,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(default)]
    metadata: PageMeta,
    #[serde(borrow)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PageMeta {
    resource_version: String,
    #[serde(rename = "continue")]
    next: Option<String>,
}

/// Lists all pages; tells them as one. An expired continue token starts over. Returns the version to watch from.
async fn list<T: DeserializeOwned>(
    context: &WatchContext,
    spec: &WatchSpec,
    tell: &mpsc::Sender<Step<T>>,
) -> Result<Option<String>, Failure> {
    // The semaphore is never closed; if it were, listing without its bound is still right.
    let _turn = context.lists.acquire().await.ok();
    let mut items = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let uri = list_uri(spec, next.as_deref());
        let request = get(&uri).map_err(|m| failure(TroubleKind::Transport, &m, None))?;
        let text = context
            .client
            .request_text(request)
            .await
            .map_err(|e| failed(&e, None))?;
        let page: Page<'_> = serde_json::from_str(&text).map_err(|e| {
            failure(
                TroubleKind::Transport,
                &format!("The list of {} does not parse: {e}.", spec.path),
                None,
            )
        })?;
        for item in page.items.unwrap_or_default() {
            let object = serde_json::from_str(item.get()).map_err(|e| {
                failure(
                    TroubleKind::Transport,
                    &format!("An object of {} does not parse: {e}.", spec.path),
                    None,
                )
            })?;
            items.push(object);
        }
        match page.metadata.next.filter(|token| !token.is_empty()) {
            Some(token) => next = Some(token),
            None => {
                say(tell, Step::Listed(items)).await;
                return Ok(Some(page.metadata.resource_version));
            }
        }
    }
}

/// Watches until the stream ends. Returns the version to resume from, or nothing when the list must be made again.
async fn watch<T: DeserializeOwned>(
    context: &WatchContext,
    spec: &WatchSpec,
    mut version: String,
    tell: &mpsc::Sender<Step<T>>,
) -> Result<Option<String>, Failure> {
    let uri = watch_uri(spec, &version, context.seed);
    let request = get(&uri).map_err(|m| failure(TroubleKind::Transport, &m, None))?;
    let opened = context
        .client
        .request_events::<serde_json::Value>(request)
        .await;
    let events = match opened {
        Ok(events) => events,
        Err(error) if is_expired(&error) => return Ok(None),
        Err(error) => return Err(failed(&error, Some(version))),
    };
    futures::pin_mut!(events);
    loop {
        match events.try_next().await {
            Ok(None) => return Ok(Some(version)),
            Ok(Some(WatchEvent::Error(status))) if status.code == 410 => return Ok(None),
            Ok(Some(WatchEvent::Error(status))) => return Err(refused(&status, Some(version))),
            Ok(Some(WatchEvent::Bookmark(mark))) => version = mark.metadata.resource_version,
            Ok(Some(WatchEvent::Added(object) | WatchEvent::Modified(object))) => {
                pass(object, &mut version, spec, Step::Changed, tell).await?;
            }
            Ok(Some(WatchEvent::Deleted(object))) => {
                pass(object, &mut version, spec, Step::Gone, tell).await?
            }
            Err(error) => return Err(failed(&error, Some(version))),
        }
    }
}

async fn pass<T: DeserializeOwned>(
    object: serde_json::Value,
    version: &mut String,
    spec: &WatchSpec,
    step: impl FnOnce(T) -> Step<T>,
    tell: &mpsc::Sender<Step<T>>,
) -> Result<(), Failure> {
    if let Some(new) = object
        .pointer("/metadata/resourceVersion")
        .and_then(serde_json::Value::as_str)
    {
        new.clone_into(version);
    }
    let object = serde_json::from_value(object).map_err(|e| {
        failure(
            TroubleKind::Transport,
            &format!("An event of {} does not parse: {e}.", spec.path),
            None,
        )
    })?;
    say(tell, step(object)).await;
    Ok(())
}

fn list_uri(spec: &WatchSpec, next: Option<&str>) -> String {
    let mut query = form(spec);
    query.push(("limit", spec.page.to_string()));
    if let Some(token) = next {
        query.push(("continue", token.to_owned()));
    }
    with_query(&spec.path, &query)
}

/// 240 to 300 seconds, so that a fleet's watches do not all end in the same second.
fn watch_uri(spec: &WatchSpec, version: &str, seed: u64) -> String {
    let mut query = form(spec);
    query.push(("watch", "true".to_owned()));
    query.push(("allowWatchBookmarks", "true".to_owned()));
    query.push(("timeoutSeconds", (240 + seed % 60).to_string()));
    query.push(("resourceVersion", version.to_owned()));
    with_query(&spec.path, &query)
}

fn form(spec: &WatchSpec) -> Vec<(&'static str, String)> {
    let mut query = Vec::new();
    if !spec.labels.is_empty() {
        query.push(("labelSelector", spec.labels.clone()));
    }
    if !spec.fields.is_empty() {
        query.push(("fieldSelector", spec.fields.clone()));
    }
    query
}

fn with_query(path: &str, query: &[(&str, String)]) -> String {
    let pairs: Vec<String> = query
        .iter()
        .map(|(key, value)| format!("{key}={}", encoded(value)))
        .collect();
    format!("{path}?{}", pairs.join("&"))
}

/// Percent-encodes a query value: everything but unreserved characters (RFC 3986, section 2.3).
fn encoded(value: &str) -> String {
    value
        .bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

fn get(uri: &str) -> Result<Request<Vec<u8>>, String> {
    Request::get(uri)
        .body(Vec::new())
        .map_err(|e| format!("The path {uri} is no request target: {e}."))
}

fn is_expired(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 410)
}

fn failed(error: &kube::Error, resume: Option<String>) -> Failure {
    match error {
        // An expired continue token: what was listed so far is of no use.
        kube::Error::Api(status) if status.code == 410 => refused(status, None),
        kube::Error::Api(status) => refused(status, resume),
        other => failure(TroubleKind::Transport, &other.to_string(), resume),
    }
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

fn failure(kind: TroubleKind, message: &str, resume: Option<String>) -> Failure {
    Failure {
        trouble: Trouble {
            kind,
            message: Safe::new(message),
        },
        retry_after: None,
        resume,
    }
}

/// How long to wait before the next try.
struct Pace {
    random: fastrand::Rng,
    failures: u32,
}

impl Pace {
    fn new(seed: u64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            failures: 0,
        }
    }

    fn after_success(&mut self) -> Duration {
        self.failures = 0;
        Duration::from_millis(self.random.u64(20..100))
    }

    /// At least what the server asked for; else 0.5 s doubling to 30 s, half of it jitter. Refusals are asked again every five minutes or so.
    fn after_failure(&mut self, trouble: &Trouble, retry_after: Option<Duration>) -> Duration {
        self.failures = (self.failures + 1).min(7);
        let base = match trouble.kind {
            TroubleKind::Forbidden | TroubleKind::Absent => 300_000,
            _ => (250_u64 << self.failures).min(30_000),
        };
        let jittered = Duration::from_millis(base / 2 + self.random.u64(0..=base / 2));
        retry_after.map_or(jittered, |asked| {
            asked + Duration::from_millis(self.random.u64(0..500))
        })
    }
}

#[cfg(test)]
mod tests;
