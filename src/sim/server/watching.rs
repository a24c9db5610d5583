//! Watches over HTTP: initial state, changes, bookmarks, and the ways they end.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Clock;
use super::call::Call;
use super::faults::Fault;
use super::objects::{bad_version, selection};
use super::reply::{self, Reply};
use super::route::Target;
use super::selector::Selection;
use super::shape::{Frame as Line, Shape};
use crate::sim::store::{
    ApiStatus, Cause, ChangeType, Event, KindRef, ListQuery, Object, Store, Watch,
};

/// How often a quiet watch says where it stands.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);

/// Opens a watch.
pub(crate) fn watch(call: &Call, target: &Target) -> Result<Reply, ApiStatus> {
    let kind = call.kind(target)?;
    let shape = call.shape()?;
    let mut selection = selection(call, kind, target)?;
    if !target.name.is_empty() {
        selection.named(&target.name);
    }
    let start = start(call)?;
    let stream = Stream::open(call, kind, shape, selection, &start);
    let body = futures::stream::unfold(stream, |mut stream| async move {
        let frame = stream.next().await?;
        Some((Ok::<_, Infallible>(Frame::data(frame)), stream))
    });
    let mut reply = reply::bytes(200, "application/json", Bytes::new());
    *reply.body_mut() = StreamBody::new(body).boxed_unsync();
    Ok(reply)
}

/// Where a watch begins.
struct Start {
    /// After this version; `None` begins with the current state.
    from: Option<u64>,
    /// Whether the end of the initial state is marked.
    marked: bool,
}

fn start(call: &Call) -> Result<Start, ApiStatus> {
    let version = call.query.get("resourceVersion").unwrap_or("");
    let from = match version {
        "" | "0" => None,
        text => Some(text.parse().map_err(|_| bad_version(text))?),
    };
    if call.query.get("sendInitialEvents").is_none() {
        if call.query.get("resourceVersionMatch").is_some() {
            return Err(forbidden_option(
                "resourceVersionMatch",
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
            ));
        }
        return Ok(Start {
            from,
            marked: false,
        });
    }
    if call.server.faults.current().no_streaming_lists {
        return Err(forbidden_option(
            "sendInitialEvents",
            "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled",
        ));
    }
    if call.query.get("resourceVersionMatch") != Some("NotOlderThan") {
        return Err(forbidden_option(
            "resourceVersionMatch",
            "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
        ));
    }
    if call.query.flag("sendInitialEvents") {
        return Ok(Start {
            from: None,
            marked: true,
        });
    }
    let current = call.server.store.resource_version();
    Ok(Start {
        from: Some(from.unwrap_or(current)),
        marked: false,
    })
}

fn forbidden_option(field: &str, why: &str) -> ApiStatus {
    ApiStatus::options("ListOptions", &Cause::forbidden(field, why))
}

/// What a waiting watch woke up for.
enum Wake {
    Event(Result<Event, ApiStatus>),
    Bookmark,
    End,
    Cut,
}

/// One open watch.
struct Stream {
    kind: KindRef,
    shape: Shape,
    selection: Selection,
    source: Watch,
    waiting: VecDeque<Bytes>,
    fault: watch::Receiver<Fault>,
    cuts: u64,
    bookmarks: bool,
    clock: Clock,
    headed: bool,
    next_bookmark: Instant,
    end: Instant,
    over: bool,
}

impl Stream {
    fn open(call: &Call, kind: KindRef, shape: Shape, selection: Selection, start: &Start) -> Self {
        let store = &call.server.store;
        let current_fault = call.server.faults.current();
        let fault = call.server.faults.subscribe();
        let now = Instant::now();
        let current = store.resource_version();
        let mut stream = Self {
            kind,
            shape,
            selection,
            source: Watch::new(store.clone(), start.from.unwrap_or(current)),
            waiting: VecDeque::new(),
            cuts: current_fault.watches_cut(),
            end: now + lifetime(call, &current_fault),
            fault,
            bookmarks: call.query.flag("allowWatchBookmarks"),
            clock: std::sync::Arc::clone(&call.server.clock),
            headed: false,
            next_bookmark: now + BOOKMARK_EVERY,
            over: false,
        };
        if start.from.is_none() {
            stream.initial(store, start.marked);
        }
        stream
    }

    /// Queues the current state, and the version it stands for as the place to go on from.
    fn initial(&mut self, store: &Store, marked: bool) {
        let query = ListQuery::all(self.kind);
        let Ok(listing) = store.list(&query, |o| self.selection.keeps(o)) else {
            return;
        };
        for object in &listing.items {
            let frame = self.frame("ADDED", object);
            self.waiting.push_back(frame);
        }
        self.source = Watch::new(store.clone(), listing.resource_version);
        if marked && self.bookmarks {
            let frame = self.bookmark(true);
            self.waiting.push_back(frame);
        }
    }

    /// The next frame; `None` when the watch has ended.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(frame) = self.waiting.pop_front() {
                return Some(frame);
            }
            if self.over {
                return None;
            }
            match self.wake().await {
                Wake::Event(event) => self.take(event).await,
                Wake::Bookmark => {
                    self.next_bookmark = Instant::now() + BOOKMARK_EVERY;
                    self.waiting.push_back(self.bookmark(false));
                }
                Wake::End => self.finish(),
                Wake::Cut => self.over = true,
            }
        }
    }

    /// Waits for whatever comes first.
    async fn wake(&mut self) -> Wake {
        let cuts = self.cuts;
        tokio::select! {
            event = self.source.next() => Wake::Event(event),
            () = tokio::time::sleep_until(self.end) => Wake::End,
            () = tokio::time::sleep_until(self.next_bookmark), if self.bookmarks => Wake::Bookmark,
            _ = self.fault.wait_for(|f| f.watches_cut() != cuts) => Wake::Cut,
        }
    }

    async fn take(&mut self, event: Result<Event, ApiStatus>) {
        let latency = self.fault.borrow().latency;
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        match event {
            Ok(event) if event.object.key.kind == self.kind => {
                let frame = self.visible(&event);
                self.waiting.extend(frame);
            }
            Ok(_) => {}
            Err(status) => {
                self.waiting.push_back(line("ERROR", &status.to_value()));
                self.over = true;
            }
        }
    }

    /// The event as this selection sees it: what leaves the selection is deleted to it, what enters is added.
    fn visible(&mut self, event: &Event) -> Option<Bytes> {
        let now = self.selection.keeps(&event.object);
        let before = event
            .before
            .as_ref()
            .map_or(now, |b| self.selection.keeps(b));
        let word = match (event.change, before, now) {
            (ChangeType::Added, _, true) | (ChangeType::Modified, false, true) => "ADDED",
            (ChangeType::Modified, true, true) => "MODIFIED",
            (ChangeType::Deleted, _, true) | (ChangeType::Modified, true, false) => "DELETED",
            _ => return None,
        };
        Some(self.frame(word, &event.object))
    }

    fn finish(&mut self) {
        self.over = true;
        if self.bookmarks {
            let frame = self.bookmark(false);
            self.waiting.push_back(frame);
        }
    }

    fn frame(&mut self, word: &str, object: &Object) -> Bytes {
        let line = Line {
            now: (self.clock)(),
            first: !std::mem::replace(&mut self.headed, true),
        };
        let mut frame = format!(r#"{{"type":"{word}","object":"#).into_bytes();
        frame.extend_from_slice(&self.shape.bytes(object, &line));
        frame.extend_from_slice(b"}\n");
        frame.into()
    }

    fn bookmark(&self, initial_end: bool) -> Bytes {
        let mut metadata = json!({"resourceVersion": self.source.position().to_string()});
        if initial_end {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        line("BOOKMARK", &self.shape.bookmark(self.kind, &metadata))
    }
}

fn line(word: &str, object: &Value) -> Bytes {
    format!("{}\n", json!({"type": word, "object": object})).into()
}

/// What the client asked for, or half an hour to an hour; never beyond the fault's limit.
fn lifetime(call: &Call, fault: &Fault) -> Duration {
    let asked = call.query.number("timeoutSeconds").filter(|s| *s > 0);
    let seconds = asked.unwrap_or_else(|| 1_800 + fastrand::u64(0..1_800));
    let lifetime = Duration::from_secs(seconds);
    fault
        .watch_limit
        .map_or(lifetime, |limit| limit.min(lifetime))
}
