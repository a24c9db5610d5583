//! Turns at work that many clusters want to do at once: a slow site gives its turn away, a slow machine of ours does not make it.

use std::pin::pin;
use std::sync::LazyLock;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinError;

/// A patience is so many looks at the work. Where this machine is what is slow each look comes late, and the patience grows by as much: if
/// turns were given away then, everything would be under way at once, and the machine slower yet.
const LOOKS: u32 = 10;

/// Does something in its turn, but keeps the turn not much longer than `patience`: what takes longer goes on beside the others, so that dead
/// servers hold up nobody.
pub async fn polite<T>(turns: &Semaphore, patience: Duration, work: impl Future<Output = T>) -> T {
    // The semaphore is never closed; if it were, working without its bound is still right.
    let turn = turns.acquire().await.ok();
    let mut work = pin!(work);
    for _ in 0..LOOKS {
        if let Ok(done) = tokio::time::timeout(patience / LOOKS, work.as_mut()).await {
            return done;
        }
    }
    drop(turn);
    work.await
}

/// How long computing may take before others compute beside it: it may be waiting for a disk.
const COMPUTING: Duration = Duration::from_secs(2);

/// A turn for each core of this machine, for all clusters together.
static CORES: LazyLock<Semaphore> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism();
    Semaphore::new(cores.map_or(1, usize::from))
});

/// Computes beside the loop, no more at a time than there are cores: of a thousand at once each would get a thread of its own, with its memory,
/// and be done no sooner.
///
/// # Errors
/// The work panicked, or the program ends.
pub async fn compute<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    // The work does not begin before its turn.
    let work = async { tokio::task::spawn_blocking(work).await };
    polite(&CORES, COMPUTING, work).await
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(2);

    /// How long somebody waits for the only turn behind this work.
    async fn behind(slow: impl Future<Output = ()>) -> Duration {
        let turns = Semaphore::new(1);
        let slow = polite(&turns, PATIENCE, slow);
        let quick = async {
            tokio::task::yield_now().await;
            let begun = Instant::now();
            polite(&turns, PATIENCE, async {}).await;
            begun.elapsed()
        };
        tokio::join!(slow, quick).1
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_takes_long_gives_its_turn_away() {
        let waited = behind(sleep(Duration::from_secs(600))).await;
        assert!(waited >= PATIENCE && waited < PATIENCE * 2, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn short_work_is_done_in_its_turn() {
        let waited = behind(sleep(PATIENCE / 2)).await;
        assert!(waited <= PATIENCE / 2 + PATIENCE / LOOKS, "{waited:?}");
    }

    /// Each time somebody looks, this machine has been away for a second.
    #[tokio::test(start_paused = true)]
    async fn patience_grows_by_as_much_as_this_machine_is_late() {
        let late = Duration::from_secs(1);
        let work = async {
            for _ in 0..8 {
                tokio::time::advance(late).await;
                tokio::task::yield_now().await;
            }
        };
        let turns = Semaphore::new(1);
        let work = async {
            work.await;
            turns.available_permits()
        };
        assert_eq!(polite(&turns, PATIENCE, work).await, 0);
    }

    #[tokio::test]
    async fn no_more_is_computed_at_once_than_there_are_cores() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static NOW: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        let work = || {
            let now = NOW.fetch_add(1, Ordering::SeqCst) + 1;
            MOST.fetch_max(now, Ordering::SeqCst);
            std::hint::black_box((0..200_000_u64).sum::<u64>());
            NOW.fetch_sub(1, Ordering::SeqCst);
        };
        let all = (0..64).map(|_| compute(work));
        assert!(
            futures::future::join_all(all)
                .await
                .iter()
                .all(Result::is_ok)
        );
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        assert!((1..=cores).contains(&MOST.load(Ordering::SeqCst)));
    }
}
