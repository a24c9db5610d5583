//! What Flux says: every kind of it that the cluster serves, as rows. Kinds that appear later are found.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Semaphore;

use super::hub::{Hub, follow_first};
use crate::connect::Connection;
use crate::domain::{AppKind, AppRef, Application, Engine, Fact, Gvk};
use crate::sources::contact::{Route, served};
use crate::sources::engine::flux;
use crate::sources::watch::{Step, WatchSpec};

/// The namespace that Flux is usually installed in.
pub(super) const USUAL: &str = "flux-system";

/// How long a failed discovery waits before it is tried again.
const AGAIN: Duration = Duration::from_secs(10);

type Served = Vec<(AppKind, Gvk, Route)>;

/// Follows Flux until dropped; discovery is asked again every `rediscover`.
pub(super) async fn follow_flux(hub: Hub, connection: Connection, rediscover: Duration) {
    let mut kinds = discover(&connection).await;
    loop {
        let newer = async {
            loop {
                tokio::time::sleep(rediscover.mul_f64(0.75 + fastrand::f64() / 2.0)).await;
                let found = discover(&connection).await;
                if found != kinds {
                    return found;
                }
            }
        };
        tokio::select! {
            () = follow_all(&hub, &kinds) => return,
            found = newer => kinds = found,
        }
    }
}

async fn discover(connection: &Connection) -> Served {
    loop {
        match served(connection, &AppKind::FLUX).await {
            Ok(kinds) => return kinds,
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
}

async fn follow_all(hub: &Hub, kinds: &Served) {
    let heard = Semaphore::new(0);
    let following = kinds
        .iter()
        .map(|(kind, gvk, route)| follow_kind(hub, *kind, gvk, route, &heard));
    let telling = async {
        // A semaphore that nobody closes only waits.
        let _ = heard
            .acquire_many(u32::try_from(kinds.len()).unwrap_or(u32::MAX))
            .await;
        hub.teller.tell(Fact::EngineListed(Engine::Flux));
        std::future::pending::<()>().await;
    };
    futures::join!(futures::future::join_all(following), telling);
}

async fn follow_kind(hub: &Hub, kind: AppKind, gvk: &Gvk, route: &Route, heard: &Semaphore) {
    let base = format!("/apis/{}/{}", gvk.group, gvk.version);
    let paths = hub.paths(&base, &route.plural);
    let mut known: BTreeMap<AppRef, Application> = BTreeMap::new();
    let mut first = true;
    let row = |object: &Value| {
        let row = flux::row(kind, object, hub.teller.cluster());
        (row.id.clone(), row)
    };
    follow_first::<Value>(
        hub,
        paths.into_iter().map(WatchSpec::all).collect(),
        |step| {
            match step {
                Step::Listed(all) => {
                    known = all.iter().map(row).collect();
                    let apps = known.values().cloned().collect();
                    hub.teller.tell(Fact::AppsOf { kind, apps });
                }
                Step::Changed(one) => {
                    let (id, row) = row(&one);
                    known.insert(id, row.clone());
                    hub.teller.tell(Fact::App(Box::new(row)));
                }
                Step::Gone(one) => {
                    let (id, _) = row(&one);
                    known.remove(&id);
                    hub.teller.tell(Fact::AppGone(id));
                }
                Step::Trouble(_) => {}
            }
            if std::mem::take(&mut first) {
                heard.add_permits(1);
            }
        },
    )
    .await;
}
