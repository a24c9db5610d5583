//! What one simulated cluster holds: objects, their history and the rules of writing them. One lock, cheap clones.

mod admit;
mod defaults;
mod delete;
mod furnish;
mod history;
mod kind;
mod kinds;
mod list;
mod mold;
mod object;
mod options;
mod prepare;
mod read;
mod reading;
mod scale;
mod state;
mod status;
mod validate;
pub(crate) mod value;
mod watch;
mod write;

use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::watch as signal;

pub use delete::Deleted;
pub use history::{ChangeType, Event};
pub use kind::Kind;
pub use kinds::{KindRef, KindSet};
pub use list::{ListQuery, Listing, VersionMatch};
pub(crate) use mold::{Mold, Words};
pub use object::{Key, Object};
pub use options::{DeleteOptions, FieldValidation, Patch, Propagation, Subresource, WriteOptions};
pub use status::{ApiStatus, Cause};
pub use watch::Watch;
pub use write::Written;

pub(crate) use prepare::stamp;
pub(crate) use reading::{Source, empty as empty_of, read as read_document};
pub(crate) use scale::view as scale_of;

use state::State;

/// One simulated cluster's objects. Clones share them.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    version: signal::Sender<u64>,
}

/// What a store starts with.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The kinds it serves.
    pub kinds: KindSet,
    /// Makes the uids, so that equal seeds give equal fleets.
    pub seed: u64,
    /// How many changes watches can resume over.
    pub history: usize,
    /// Now, for what the server itself creates (its namespaces, the definitions of custom kinds).
    pub now: Timestamp,
}

impl StoreOptions {
    /// A store of these kinds with the usual history of a thousand changes.
    pub fn new(kinds: KindSet, seed: u64, now: Timestamp) -> Self {
        Self {
            kinds,
            seed,
            history: 1_000,
            now,
        }
    }
}

#[cfg(test)]
mod tests;
