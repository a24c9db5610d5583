//! Following a store: changes after a version, in order, without loss, until the history no longer reaches back.

use std::collections::VecDeque;

use tokio::sync::watch as signal;

use super::{ApiStatus, Event, Store};

/// A reader of the history that remembers where it stands.
#[derive(Debug)]
pub struct Watch {
    store: Store,
    changed: signal::Receiver<u64>,
    pending: VecDeque<Event>,
    position: u64,
}

impl Watch {
    pub(crate) fn new(store: Store, from: u64) -> Self {
        let changed = store.versions();
        Self {
            store,
            changed,
            pending: VecDeque::new(),
            position: from,
        }
    }

    /// The version up to which everything was read.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// What happened since the last call, without waiting.
    ///
    /// # Errors
    /// 410 when the reader fell behind the history.
    pub fn drain(&mut self) -> Result<Vec<Event>, ApiStatus> {
        self.fill()?;
        Ok(self.pending.drain(..).collect())
    }

    /// The next change; waits for it. Safe to cancel.
    ///
    /// # Errors
    /// 410 when the reader fell behind the history.
    pub async fn next(&mut self) -> Result<Event, ApiStatus> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Ok(event);
            }
            // Mark first, read second: a change in between wakes the wait below.
            self.changed.mark_unchanged();
            self.fill()?;
            // The store holds the sender and we hold the store, so this cannot fail.
            if self.pending.is_empty() && self.changed.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    fn fill(&mut self) -> Result<(), ApiStatus> {
        let state = self.store.0.state.lock();
        let events = state.history.since(self.position)?;
        self.position = self.position.max(state.version);
        drop(state);
        self.pending.extend(events);
        Ok(())
    }
}
