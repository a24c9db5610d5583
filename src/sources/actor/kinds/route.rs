//! How kinds are called in paths: each group's version is asked once for all its kinds, and again while a kind is missing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::{Follow, News};
use crate::connect::{Backoff, Connection, Fault, FaultKind};
use crate::domain::{Gvk, Name};
use crate::sources::contact::{Route, routes};

/// A kind that is not served is asked for again after this time: its definition may be installed later.
const REPROBE: Duration = Duration::from_secs(300);

/// An answer that lacks a kind is used for this long, so that kinds that start together ask once.
const FRESH: Duration = Duration::from_secs(10);

/// The routes of one cluster.
pub(super) struct Routes {
    connection: Connection,
    known: Mutex<HashMap<(Name, Name), Arc<Slot>>>,
}

/// One group's version; the lock is held while it is asked.
type Slot = tokio::sync::Mutex<Option<(Instant, HashMap<Name, Route>)>>;

impl Routes {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            connection,
            known: Mutex::default(),
        }
    }

    async fn route(&self, gvk: &Gvk) -> Result<Option<Route>, Fault> {
        let key = (gvk.group.clone(), gvk.version.clone());
        let slot = Arc::clone(self.known.lock().entry(key).or_default());
        let mut slot = slot.lock().await;
        if let Some((at, kinds)) = slot.as_ref() {
            let found = kinds.get(&gvk.kind).cloned();
            if found.is_some() || at.elapsed() < FRESH {
                return Ok(found);
            }
        }
        let kinds = routes(&self.connection, &gvk.group, &gvk.version).await?;
        let found = kinds.get(&gvk.kind).cloned();
        *slot = Some((Instant::now(), kinds));
        Ok(found)
    }
}

/// Waits until the server serves the kind, and says that it does not as long as that is so.
pub(super) async fn find(follow: &Follow, gvk: &Gvk) -> Route {
    let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(10));
    loop {
        let wait = match follow.routes.route(gvk).await {
            Ok(Some(route)) => return route,
            Ok(None) => {
                let sentence = format!(
                    "The server does not serve {} {}; install its definition.",
                    gvk.api_version(),
                    gvk.kind
                );
                follow
                    .tell(News::Unread(gvk.clone(), sentence.into()))
                    .await;
                REPROBE.mul_f64(0.75 + fastrand::f64() / 2.0)
            }
            Err(fault) if fault.kind == FaultKind::Forbidden => {
                follow.tell(News::Unread(gvk.clone(), fault.sentence)).await;
                REPROBE
            }
            Err(fault) => fault
                .wait()
                .unwrap_or_else(|| backoff.next(fastrand::f64())),
        };
        follow.context.pause(wait).await;
    }
}
