//! Create, replace and patch: the order of checks of the real server.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::prepare::{self, fill_identity};
use super::state::State;
use super::value::text;
use super::{ApiStatus, Key, KindRef, Object, Patch, Store, WriteOptions};
use crate::sim::patch;

/// What a write led to.
#[derive(Clone, Debug)]
pub struct Written {
    /// The object as it is now, or would be.
    pub object: Arc<Object>,
    /// Whether it came to be by this write.
    pub created: bool,
    /// What the server wants to have said, one `Warning` header each.
    pub warnings: Vec<String>,
}

impl Store {
    /// Creates an object; its document says what and where it is.
    ///
    /// # Errors
    /// 404 for an unknown kind or namespace, 409 when it exists, 422 when it is wrong.
    pub fn create(&self, document: Value, options: &WriteOptions) -> Result<Written, ApiStatus> {
        let kind = self
            .kind(text(&document, "apiVersion"), text(&document, "kind"))
            .ok_or_else(ApiStatus::no_such_resource)?;
        let written = create(&mut self.0.state.lock(), kind, document, options);
        self.announce();
        written
    }

    /// Replaces an object (or, by the options, its status).
    ///
    /// # Errors
    /// 404, 409 for a stale version, 422 when it is wrong.
    pub fn update(
        &self,
        key: &Key,
        document: Value,
        options: &WriteOptions,
    ) -> Result<Written, ApiStatus> {
        let mut state = self.0.state.lock();
        let existing = find(&state, key)?;
        let written = replace(&mut state, &existing, document, options);
        drop(state);
        self.announce();
        written
    }

    /// Patches an object (or, by the options, its status). An apply creates what is not there.
    ///
    /// # Errors
    /// 404, 409 for conflicts, 422 when the result is wrong.
    pub fn patch(
        &self,
        key: &Key,
        patch: &Patch,
        options: &WriteOptions,
    ) -> Result<Written, ApiStatus> {
        let mut state = self.0.state.lock();
        let existing = find(&state, key)?;
        let document = patch::patched(key.kind, &existing.value(), patch)?;
        let written = replace(&mut state, &existing, document, options);
        drop(state);
        self.announce();
        written
    }

    /// Stores a complete document as it is, with a fresh resource version and, if it has none, a uid: for building a world quickly.
    ///
    /// # Errors
    /// 404 for an unknown kind.
    pub fn restore(&self, mut document: Value, now: Timestamp) -> Result<Arc<Object>, ApiStatus> {
        let kind = self
            .kind(text(&document, "apiVersion"), text(&document, "kind"))
            .ok_or_else(ApiStatus::no_such_resource)?;
        let metadata = &document["metadata"];
        let key = Key::new(kind, text(metadata, "namespace"), text(metadata, "name"));
        let mut state = self.0.state.lock();
        fill_identity(&mut state, &mut document, now);
        let object = state.commit(key, document);
        drop(state);
        self.announce();
        Ok(object)
    }
}

fn find(state: &State, key: &Key) -> Result<Arc<Object>, ApiStatus> {
    state
        .get(key)
        .cloned()
        .ok_or_else(|| ApiStatus::not_found(key.kind, &key.name))
}

fn create(
    state: &mut State,
    kind: KindRef,
    mut document: Value,
    options: &WriteOptions,
) -> Result<Written, ApiStatus> {
    let key = prepare::name(state, kind, &mut document)?;
    if state.get(&key).is_some() {
        return Err(ApiStatus::already_exists(kind, &key.name));
    }
    prepare::for_create(state, &key, &mut document, options.now);
    let object = if options.dry_run {
        Arc::new(Object::pack(key, &document))
    } else {
        state.commit(key, document)
    };
    Ok(Written {
        object,
        created: true,
        warnings: Vec::new(),
    })
}

fn replace(
    state: &mut State,
    existing: &Arc<Object>,
    mut document: Value,
    options: &WriteOptions,
) -> Result<Written, ApiStatus> {
    let key = existing.key.clone();
    let old = existing.value();
    prepare::check_preconditions(&key, &old, &document)?;
    prepare::for_update(&key, &old, &mut document, options.subresource);
    let object = if document == old {
        Arc::clone(existing)
    } else if options.dry_run {
        Arc::new(Object::pack(key, &document))
    } else if prepare::is_released(&document) {
        state.remove(&key).unwrap_or_else(|| Arc::clone(existing))
    } else {
        state.commit(key, document)
    };
    Ok(Written {
        object,
        created: false,
        warnings: Vec::new(),
    })
}
