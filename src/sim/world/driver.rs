//! Driving the clockwork: on every change of any cluster, and when something is due by the clock.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::cluster::Cluster;
use super::machinery::Machinery;

/// Changes that come within this time are reacted to together.
const GATHER: Duration = Duration::from_millis(20);

/// Drives until the guard is dropped.
pub(crate) fn drive(machinery: Arc<Mutex<Machinery>>, clusters: &[Cluster]) -> DropGuard {
    let stop = CancellationToken::new();
    let wake = Arc::new(Notify::new());
    for cluster in clusters {
        let mut versions = cluster.store.versions();
        let told = Arc::clone(&wake);
        let listen = async move {
            while versions.changed().await.is_ok() {
                told.notify_one();
            }
        };
        spawn(&stop, listen);
        let mut faults = cluster.faults.subscribe();
        let told = Arc::clone(&wake);
        let listen = async move {
            while faults.changed().await.is_ok() {
                told.notify_one();
            }
        };
        spawn(&stop, listen);
    }
    spawn(&stop, run(machinery, wake));
    stop.drop_guard()
}

fn spawn(stop: &CancellationToken, task: impl Future<Output = ()> + Send + 'static) {
    let stop = stop.clone();
    tokio::spawn(async move { stop.run_until_cancelled(task).await });
}

async fn run(machinery: Arc<Mutex<Machinery>>, wake: Arc<Notify>) {
    loop {
        let due = step(Arc::clone(&machinery)).await;
        tokio::select! {
            () = wake.notified() => tokio::time::sleep(GATHER).await,
            () = until(due) => {}
        }
    }
}

/// One step, off the async threads; answers how long until the next, if the clock runs by itself.
async fn step(machinery: Arc<Mutex<Machinery>>) -> Option<Duration> {
    let stepped = tokio::task::spawn_blocking(move || {
        let mut machinery = machinery.lock();
        let next = machinery.step();
        let runs = !machinery.clock.is_manual();
        next.filter(|_| runs)
            .map(|at| wait(machinery.clock.now(), at))
    });
    // A step that panicked is reported by the panic hook; the world stands still then.
    stepped.await.unwrap_or(None)
}

fn wait(now: Timestamp, at: Timestamp) -> Duration {
    at.duration_since(now).try_into().unwrap_or_default()
}

async fn until(due: Option<Duration>) {
    match due {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}
