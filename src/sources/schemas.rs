//! The types of the custom kinds that a cluster manages, as the cluster itself publishes them: told once, and again when they change.
//!
//! `/openapi/v3` names each group's version with a hash of its document, and answers 304 when asked again with its entity tag (kube-openapi
//! `handler3`). Only documents in which a wanted kind stands are fetched, and only when their hash is another than before, and than that of a
//! document that was read from another cluster: a thousand sites that are alike send one.

mod pool;
#[cfg(test)]
#[cfg(feature = "demo")]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;

use super::watch::WatchContext;
use crate::connect::turns::{compute, polite};
use crate::connect::{Backoff, Connection, Fault, FaultKind, Lane, get};
use crate::domain::{ClusterId, Gvk, Safe};
use crate::drift::openapi::CustomSchema;
use pool::Content;
pub use pool::Pool;

const INDEX: &str = "/openapi/v3";

/// Bytes of the index; a server with hundreds of groups stays far below.
const INDEX_LIMIT: usize = 4 << 20;

/// Bytes of one group's document; that of the Prometheus operator has two millions.
const DOCUMENT_LIMIT: usize = 32 << 20;

/// How often the index is asked for again: an answer without news has no body.
const AGAIN: Duration = Duration::from_secs(120);

/// How long one cluster may keep others waiting that want to read theirs.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is known of a kind's type.
#[derive(Clone, Debug, PartialEq)]
pub enum Published {
    /// Its type.
    Schema(Arc<CustomSchema>),
    /// Why there is none: one sentence.
    Nothing(Safe),
}

/// News of one kind.
pub type News = (Gvk, Published);

/// What following needs.
pub struct Parts {
    /// The name of the cluster.
    pub cluster: ClusterId,
    /// The cluster.
    pub connection: Connection,
    /// What its followers share: the bound on big answers, and the waits.
    pub context: WatchContext,
    /// The types of the whole fleet.
    pub pool: Arc<Pool>,
    /// Who is told.
    pub tell: mpsc::Sender<News>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}

/// Follows the types of the kinds it is told to; dropping it ends that.
#[derive(Debug)]
pub struct Schemas {
    wanted: watch::Sender<BTreeSet<Gvk>>,
    poke: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Schemas {
    /// Starts following nothing. Needs a tokio runtime.
    pub fn start(parts: Parts) -> Self {
        let (wanted, wishes) = watch::channel(BTreeSet::new());
        let poke = Arc::new(Notify::new());
        let reader = Reader {
            parts,
            tag: None,
            index: HashMap::new(),
            told: HashMap::new(),
        };
        let task = tokio::spawn(reader.follow(wishes, Arc::clone(&poke)));
        Self { wanted, poke, task }
    }

    /// Follows exactly these kinds from now on.
    pub fn want(&self, kinds: BTreeSet<Gvk>) {
        self.wanted.send_if_modified(|known| {
            let changed = *known != kinds;
            *known = kinds;
            changed
        });
    }

    /// A definition changed: asks again now.
    pub fn poke(&self) {
        self.poke.notify_one();
    }
}

impl Drop for Schemas {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The index of documents: path below `/openapi/v3` to where it is, with its hash.
#[derive(Deserialize)]
struct Index {
    paths: HashMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "serverRelativeURL")]
    url: String,
}

/// What was said of a kind last.
#[derive(Clone, PartialEq)]
enum Told {
    /// Its type, read from the document with this hash.
    Read(String),
    Nothing(Safe),
}

struct Reader {
    parts: Parts,
    /// The entity tag of the index that is known.
    tag: Option<HeaderValue>,
    index: HashMap<String, String>,
    told: HashMap<Gvk, Told>,
}

impl Reader {
    async fn follow(mut self, mut wanted: watch::Receiver<BTreeSet<Gvk>>, poke: Arc<Notify>) {
        let mut soon = Backoff::new(Duration::from_millis(500), AGAIN);
        loop {
            let kinds = wanted.borrow_and_update().clone();
            self.told.retain(|gvk, _| kinds.contains(gvk));
            if kinds.is_empty() {
                if wanted.changed().await.is_err() {
                    return;
                }
                continue;
            }
            let wait = match self.round(&kinds).await {
                Ok(true) => {
                    soon.reset();
                    AGAIN.mul_f64(0.75 + fastrand::f64() / 2.0)
                }
                // A new kind's document is published a moment after the kind is served.
                Ok(false) => soon.next(fastrand::f64()),
                Err(fault) => {
                    self.tell_fault(&kinds, &fault).await;
                    fault.wait().unwrap_or_else(|| soon.next(fastrand::f64()))
                }
            };
            tokio::select! {
                () = self.parts.context.pause(wait) => {}
                () = poke.notified() => {}
                changed = wanted.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Asks what changed and tells it; whether every kind has its type now.
    async fn round(&mut self, kinds: &BTreeSet<Gvk>) -> Result<bool, Fault> {
        self.look().await?;
        let mut by_document: BTreeMap<String, Vec<&Gvk>> = BTreeMap::new();
        for gvk in kinds {
            by_document.entry(document_of(gvk)).or_default().push(gvk);
        }
        let mut complete = true;
        for (path, kinds) in by_document {
            let Some(hash) = self.index.get(&path).cloned() else {
                complete = false;
                for gvk in kinds {
                    self.nothing(gvk, Safe::fixed("the server publishes no type for it"))
                        .await;
                }
                continue;
            };
            let read = Told::Read(hash);
            if kinds.iter().any(|gvk| self.told.get(gvk) != Some(&read)) {
                complete &= self.read(&path, &kinds, &read).await?;
            }
        }
        Ok(complete)
    }

    /// Asks for the index, unless it is as it was.
    async fn look(&mut self) -> Result<(), Fault> {
        let connection = &self.parts.connection;
        let mut request = get(INDEX)?;
        if let Some(tag) = &self.tag {
            let headers = request.headers_mut();
            headers.insert(header::IF_NONE_MATCH, tag.clone());
        }
        let answer = connection.send(Lane::Interactive, request).await?;
        if answer.status() == StatusCode::NOT_MODIFIED {
            return Ok(());
        }
        let answer = connection.success(answer).await?;
        let tag = answer.headers().get(header::ETAG).cloned();
        let bytes = connection.collect(answer.into_body(), INDEX_LIMIT).await?;
        let index: Index = serde_json::from_slice(&bytes).map_err(|e| self.garbage(INDEX, &e))?;
        let entries = index.paths.into_iter();
        self.index = entries.map(|(path, entry)| (path, entry.url)).collect();
        self.tag = tag;
        Ok(())
    }

    /// Reads one document and tells of the kinds in it; whether all were found.
    async fn read(&mut self, path: &str, kinds: &[&Gvk], read: &Told) -> Result<bool, Fault> {
        let content = match read {
            Told::Read(url) => Content::named(url),
            Told::Nothing(_) => None,
        };
        let lists = &self.parts.context.lists;
        let work = self.found(path, kinds, content.as_ref());
        let (found, content) = polite(lists, PATIENCE, work).await?;
        let mut complete = true;
        for (gvk, schema) in found {
            match schema {
                Some(schema) => {
                    let parts = &self.parts;
                    let shared = parts
                        .pool
                        .share(&parts.cluster, &gvk, schema, content.as_ref());
                    self.told.insert(gvk.clone(), read.clone());
                    self.send(gvk, Published::Schema(shared)).await;
                }
                None => {
                    complete = false;
                    self.nothing(&gvk, Safe::fixed("the server publishes no type for it"))
                        .await;
                }
            }
        }
        Ok(complete)
    }

    /// What a document says of these kinds, with its content where that is proved: known from another cluster, or fetched.
    async fn found(
        &self,
        path: &str,
        kinds: &[&Gvk],
        content: Option<&Content>,
    ) -> Result<(Found, Option<Content>), Fault> {
        let wanted: Vec<Gvk> = kinds.iter().map(|gvk| (*gvk).clone()).collect();
        if let Some(content) = content {
            let known = |gvk: &Gvk| {
                let schema = self.parts.pool.within(content, gvk)?;
                Some((gvk.clone(), Some(schema)))
            };
            if let Some(known) = wanted.iter().map(known).collect() {
                return Ok((known, Some(content.clone())));
            }
        }
        let document = format!("{INDEX}/{path}");
        let connection = &self.parts.connection;
        let bytes = connection
            .get(Lane::Interactive, &document, DOCUMENT_LIMIT)
            .await?;
        let content = content.cloned();
        // Megabytes of JSON: beside the tasks that must answer at once.
        let work = move || {
            let content = content.filter(|content| content.is(&bytes));
            Ok((schemas(&bytes, wanted)?, content))
        };
        match compute(work).await {
            Ok(found) => found.map_err(|e| self.garbage(path, &e)),
            Err(ended) => Err(Fault::new(FaultKind::Closed, ended.to_string())),
        }
    }

    /// A refusal is told of every kind that has no type yet; trouble of the link passes, and what was known stays.
    async fn tell_fault(&mut self, kinds: &BTreeSet<Gvk>, fault: &Fault) {
        let lasting = matches!(
            fault.kind,
            FaultKind::Forbidden | FaultKind::NotFound | FaultKind::Garbage | FaultKind::Refusal(_)
        );
        if !lasting {
            return;
        }
        for gvk in kinds {
            if !matches!(self.told.get(gvk), Some(Told::Read(_))) {
                self.nothing(gvk, fault.sentence.clone()).await;
            }
        }
    }

    /// Tells once why a kind has no type.
    async fn nothing(&mut self, gvk: &Gvk, why: Safe) {
        let told = Told::Nothing(why.clone());
        if self.told.insert(gvk.clone(), told.clone()) != Some(told) {
            self.send(gvk.clone(), Published::Nothing(why)).await;
        }
    }

    async fn send(&self, gvk: Gvk, published: Published) {
        // Nobody listening any more means that this task is about to be stopped.
        let _ = self.parts.tell.send((gvk, published)).await;
    }

    fn garbage(&self, path: &str, error: &serde_json::Error) -> Fault {
        let sentence = format!(
            "{} answered {path} with something that is no OpenAPI ({error}); check the server's URL.",
            self.parts.connection.place()
        );
        Fault::new(FaultKind::Garbage, sentence)
    }
}

/// Where a kind's group and version are described, below `/openapi/v3`.
fn document_of(gvk: &Gvk) -> String {
    let root = if gvk.group.is_empty() { "api" } else { "apis" };
    format!("{root}/{}", gvk.api_version())
}

type Found = Vec<(Gvk, Option<Arc<CustomSchema>>)>;

fn schemas(document: &Bytes, wanted: Vec<Gvk>) -> Result<Found, serde_json::Error> {
    let document: Value = serde_json::from_slice(document)?;
    let found = wanted.into_iter().map(|gvk| {
        let schema = CustomSchema::of_openapi(&document, &gvk);
        (gvk, schema.map(Arc::new))
    });
    Ok(found.collect())
}
