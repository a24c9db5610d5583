//! Contents of folders that were read: once for all who ask at the same time, shared while anybody holds them, the newest kept a while.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::OnceCell;

use crate::domain::{Unjudged, UnjudgedReason};

use super::key::ContentKey;
use super::render::Content;
use super::shelf::Shelf;

/// Filled by the first who asks; the others wait for it.
type Slot = Arc<OnceCell<Result<Weak<Content>, Unjudged>>>;

/// Bytes of manifests that are kept alive although nobody holds them.
const KEPT_BYTES: usize = 16 << 20;

#[derive(Debug, Default)]
pub(super) struct Contents {
    slots: Mutex<Shelf<ContentKey, Slot>>,
    recent: Mutex<VecDeque<Arc<Content>>>,
}

impl Contents {
    /// The content, or what `read` makes of it.
    ///
    /// # Errors
    /// Those of `read`. What is wrong with the content itself is remembered, as the content will not change.
    pub(super) async fn get<F>(
        &self,
        key: &ContentKey,
        read: impl Fn() -> F,
    ) -> Result<Arc<Content>, Unjudged>
    where
        F: Future<Output = Result<Content, Unjudged>>,
    {
        loop {
            let slot = self.slot(key);
            let mut fresh = None;
            let filled = slot
                .get_or_init(|| async {
                    let content = Arc::new(read().await?);
                    fresh = Some(content.clone());
                    Ok(Arc::downgrade(&content))
                })
                .await;
            let content = match filled {
                Ok(kept) => fresh.or_else(|| kept.upgrade()),
                Err(why) => {
                    if !is_lasting(why) {
                        self.forget(key, &slot);
                    }
                    return Err(why.clone());
                }
            };
            if let Some(content) = content {
                self.keep(&content);
                return Ok(content);
            }
            self.forget(key, &slot);
        }
    }

    fn slot(&self, key: &ContentKey) -> Slot {
        let mut slots = self.slots.lock();
        if let Some(slot) = slots.get(key) {
            return slot.clone();
        }
        slots.sweep(|slot| match slot.get() {
            Some(Ok(content)) => content.strong_count() > 0,
            Some(Err(_)) => false,
            None => true,
        });
        let slot = Slot::default();
        slots.insert(*key, slot.clone());
        slot
    }

    fn forget(&self, key: &ContentKey, slot: &Slot) {
        let mut slots = self.slots.lock();
        if slots.get(key).is_some_and(|kept| Arc::ptr_eq(kept, slot)) {
            slots.remove(key);
        }
    }

    fn keep(&self, content: &Arc<Content>) {
        let mut recent = self.recent.lock();
        if recent.iter().any(|kept| Arc::ptr_eq(kept, content)) {
            return;
        }
        recent.push_back(content.clone());
        let mut bytes: usize = recent.iter().map(|c| c.bytes).sum();
        while bytes > KEPT_BYTES {
            match recent.pop_front() {
                Some(old) => bytes -= old.bytes,
                None => break,
            }
        }
    }
}

/// Whether asking again would give the same answer.
fn is_lasting(why: &Unjudged) -> bool {
    !matches!(
        why.reason,
        UnjudgedReason::NoAccess
            | UnjudgedReason::NoCredentials
            | UnjudgedReason::Pending
            | UnjudgedReason::NeedsHelm
            | UnjudgedReason::NeedsKustomize
            | UnjudgedReason::NeedsJsonnet
            | UnjudgedReason::RenderFailed
    )
}
