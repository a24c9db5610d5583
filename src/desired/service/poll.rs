//! Asking repositories again and again, while anybody needs them and the service lives.

use std::sync::{Arc, Weak};

use super::{ChartRepo, Inner, Repo, RepoChanged};

/// Fetches one repository again and again while anybody needs it, until the service is gone.
///
/// A fetch asks for the references first, and nothing more is sent when none moved.
pub(super) async fn poll(service: Weak<Inner>, repo: Arc<Repo>) {
    loop {
        let (pause, patience) = match service.upgrade() {
            Some(inner) => (
                repo.pause(&inner.settings, fastrand::f64()),
                inner.settings.idle_after,
            ),
            None => return,
        };
        repo.leases.needed(patience).await;
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = repo.nudged.notified() => {}
        }
        let Some(inner) = service.upgrade() else {
            return;
        };
        if repo.fetch(&inner.fetches).await {
            // Nobody listening is no failure.
            let _ = inner.changes.send(RepoChanged {
                url: repo.remote.url.clone(),
            });
        }
    }
}

/// Asks one chart repository again and again, while anybody needs it and any answer of it may change, until the service is gone.
pub(super) async fn poll_charts(service: Weak<Inner>, repo: Arc<ChartRepo>) {
    loop {
        let (pause, patience) = match service.upgrade() {
            Some(inner) => (
                repo.pause(&inner.settings, fastrand::f64()),
                inner.settings.idle_after,
            ),
            None => return,
        };
        repo.leases.needed(patience).await;
        if repo.is_quiet() {
            repo.nudged.notified().await;
            continue;
        }
        tokio::time::sleep(pause).await;
        let Some(inner) = service.upgrade() else {
            return;
        };
        if repo.refresh(&inner.charts.tools, &inner.fetches).await {
            // Nobody listening is no failure.
            let _ = inner.changes.send(RepoChanged {
                url: repo.place.url.clone(),
            });
        }
    }
}
