//! Whether anybody needs a repository: applications hold leases, and whoever asks without one counts for a while.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Held by whoever wants to hear of a repository's changes; dropping it ends that.
#[derive(Clone, Debug)]
pub struct Lease {
    _held: Arc<()>,
}

/// The leases of one repository.
#[derive(Debug)]
pub(super) struct Leases {
    held: Arc<()>,
    asked: Mutex<Instant>,
    woken: Notify,
}

impl Leases {
    pub(super) fn new() -> Self {
        Self {
            held: Arc::default(),
            asked: Mutex::new(Instant::now()),
            woken: Notify::new(),
        }
    }

    /// A lease; whoever waits for one goes on.
    pub(super) fn take(&self) -> Lease {
        self.woken.notify_one();
        Lease {
            _held: self.held.clone(),
        }
    }

    /// Somebody asked the repository for something.
    pub(super) fn asked(&self) {
        *self.asked.lock() = Instant::now();
        self.woken.notify_one();
    }

    /// Whether anybody holds a lease, or asked within this time.
    pub(super) fn is_needed(&self, patience: Duration) -> bool {
        Arc::strong_count(&self.held) > 1 || self.asked.lock().elapsed() < patience
    }

    /// Returns when the repository is needed; at once if it is.
    pub(super) async fn needed(&self, patience: Duration) {
        while !self.is_needed(patience) {
            self.woken.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(600);

    #[tokio::test(start_paused = true)]
    async fn a_repository_is_needed_while_it_is_held_and_a_while_after_a_question() {
        let leases = Leases::new();
        assert!(leases.is_needed(PATIENCE));
        tokio::time::advance(PATIENCE).await;
        assert!(!leases.is_needed(PATIENCE));
        let lease = leases.take();
        tokio::time::advance(PATIENCE).await;
        assert!(leases.is_needed(PATIENCE));
        drop(lease);
        assert!(!leases.is_needed(PATIENCE));
        leases.asked();
        assert!(leases.is_needed(PATIENCE));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_goes_on_with_the_next_lease() {
        let leases = Arc::new(Leases::new());
        tokio::time::advance(PATIENCE).await;
        let waiting = tokio::spawn({
            let leases = leases.clone();
            async move { leases.needed(PATIENCE).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        let _lease = leases.take();
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .expect("it goes on")
            .unwrap();
    }
}
