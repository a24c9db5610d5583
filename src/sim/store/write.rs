//! Create, replace, patch and apply: the order of steps of the real server.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::delete::release;
use super::prepare::{self, fill_identity};
use super::reading::{self, Source, empty, type_of};
use super::state::State;
use super::value::{child, put, text};
use super::{
    ApiStatus, FieldValidation, Key, Kind, KindRef, Object, Patch, Store, Subresource,
    WriteOptions, admit, defaults, scale, validate,
};
use crate::sim::ssa::{ApplyRequest, Author, Managers, apply, check_config, track};
use crate::sim::{patch, schema::Type};

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
    /// 404 for an unknown kind or namespace, 409 when it exists, 400 and 422 when it is wrong.
    pub fn create(&self, document: Value, options: &WriteOptions) -> Result<Written, ApiStatus> {
        let kind = self
            .kind(text(&document, "apiVersion"), text(&document, "kind"))
            .ok_or_else(ApiStatus::no_such_resource)?;
        let written = create(&mut self.writing(), kind, document, options);
        self.announce();
        written
    }

    /// Replaces an object (or, by the options, its status or scale).
    ///
    /// # Errors
    /// 404, 409 for a stale version, 400 and 422 when it is wrong.
    pub fn update(
        &self,
        key: &Key,
        document: Value,
        options: &WriteOptions,
    ) -> Result<Written, ApiStatus> {
        let mut state = self.writing();
        let written = update(&mut state, key, document, options);
        drop(state);
        self.announce();
        written
    }

    /// Patches an object (or, by the options, its status or scale). An apply creates what is not there.
    ///
    /// # Errors
    /// 404, 409 for conflicts, 422 when the result is wrong.
    pub fn patch(
        &self,
        key: &Key,
        patch: &Patch,
        options: &WriteOptions,
    ) -> Result<Written, ApiStatus> {
        let mut state = self.writing();
        let written = match patch {
            Patch::Apply(config) => put_on(&mut state, key, config, options),
            other => amend(&mut state, key, other, options),
        };
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
        let mut state = self.writing();
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
        .ok_or_else(|| ApiStatus::not_found(key.kind, &key.name))
}

fn author<'a>(kind: &'a Kind, options: &'a WriteOptions) -> Author<'a> {
    Author {
        manager: &options.manager,
        now: options.now,
        door: options.subresource,
        kind,
    }
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
    let reading = reading::read(kind, document, options.field_validation, Source::Body)?;
    let mut document = reading.document;
    defaults::fill(kind, &mut document);
    let managers = Managers::of(&document);
    let ty = type_of(kind);
    let managers = track(
        managers,
        &empty(kind),
        &document,
        &ty,
        &author(kind, options),
    );
    add(state, key, document, &managers, options, reading.warnings)
}

/// Stores a new object: identity, what admission adds, validation.
fn add(
    state: &mut State,
    key: Key,
    mut document: Value,
    managers: &Managers,
    options: &WriteOptions,
    warnings: Vec<String>,
) -> Result<Written, ApiStatus> {
    own(&mut document, managers);
    let mut warnings = warnings;
    warnings.extend(validate::doubts(key.kind, &document));
    prepare::for_create(state, &key, &mut document, options.now);
    admit::new(state, key.kind, &mut document);
    validate::new(&key, &document)?;
    let object = if options.dry_run {
        Arc::new(Object::pack(key, &document))
    } else {
        admit::installed(state, &document);
        state.commit(key, document)
    };
    Ok(Written {
        object,
        created: true,
        warnings,
    })
}

fn own(document: &mut Value, managers: &Managers) {
    let list = (!managers.is_empty()).then(|| managers.to_value());
    put(child(document, "metadata"), "managedFields", list);
}

fn update(
    state: &mut State,
    key: &Key,
    document: Value,
    options: &WriteOptions,
) -> Result<Written, ApiStatus> {
    let existing = find(state, key)?;
    let old = existing.value();
    let document = if options.subresource == Subresource::Scale {
        scale::written(key.kind, &old, &document)?
    } else {
        validate::versioned(key, &document)?;
        document
    };
    change(state, &existing, &old, document, Source::Body, options)
}

fn amend(
    state: &mut State,
    key: &Key,
    patch: &Patch,
    options: &WriteOptions,
) -> Result<Written, ApiStatus> {
    let existing = find(state, key)?;
    let old = existing.value();
    let document = if options.subresource == Subresource::Scale {
        let view = scale::view(key.kind, &old)?;
        scale::written(key.kind, &old, &patch::patched(key.kind, &view, patch)?)?
    } else {
        let document = patch::patched(key.kind, &old, patch)?;
        validate::placed(key, &document)?;
        document
    };
    let source = match patch {
        Patch::Strategic(patch) => Source::Strategic(patch),
        _ => Source::Patched,
    };
    change(state, &existing, &old, document, source, options)
}

/// Replaces a document by another one that somebody wrote, and works out who owns what.
fn change(
    state: &mut State,
    existing: &Arc<Object>,
    old: &Value,
    document: Value,
    source: Source<'_>,
    options: &WriteOptions,
) -> Result<Written, ApiStatus> {
    let key = &existing.key;
    prepare::check_preconditions(key, old, &document, matches!(source, Source::Body))?;
    let managers = owners_before(old, &document, options.subresource);
    let reading = reading::read(key.kind, document, options.field_validation, source)?;
    let mut document = reading.document;
    defaults::fill(key.kind, &mut document);
    prepare::for_update(key, old, &mut document, options.subresource);
    let managers = if managers.is_empty() {
        managers
    } else {
        let ty = type_of(key.kind);
        track(managers, old, &document, &ty, &author(key.kind, options))
    };
    own(&mut document, &managers);
    store(state, existing, old, document, options, reading.warnings)
}

/// The owners a write starts from: those it sends, else those there are. One empty entry forgets them all.
fn owners_before(old: &Value, new: &Value, door: Subresource) -> Managers {
    if door != Subresource::None {
        return Managers::of(old);
    }
    if Managers::are_reset(new) {
        return Managers::default();
    }
    let sent = Managers::of(new);
    if sent.is_empty() {
        Managers::of(old)
    } else {
        sent
    }
}

/// Stores a changed document, or lets the object go when it only waited for its finalizers.
fn store(
    state: &mut State,
    existing: &Arc<Object>,
    old: &Value,
    mut document: Value,
    options: &WriteOptions,
    warnings: Vec<String>,
) -> Result<Written, ApiStatus> {
    let key = existing.key.clone();
    let mut warnings = warnings;
    if old["metadata"]["finalizers"] != document["metadata"]["finalizers"] {
        warnings.extend(validate::doubts(key.kind, &document));
    }
    admit::changed(state, key.kind, old, &mut document);
    prepare::count_generation(key.kind, old, &mut document);
    validate::changed(&key, old, &document)?;
    let object = if document == *old {
        Arc::clone(existing)
    } else if options.dry_run {
        Arc::new(Object::pack(key, &document))
    } else if prepare::is_released(&document) {
        release(state, &key, document, options).unwrap_or_else(|| Arc::clone(existing))
    } else {
        state.commit(key, document)
    };
    Ok(Written {
        object,
        created: false,
        warnings,
    })
}

/// Server-side apply.
fn put_on(
    state: &mut State,
    key: &Key,
    config: &Value,
    options: &WriteOptions,
) -> Result<Written, ApiStatus> {
    let existing = state.get(key);
    let old = existing.as_ref().map(|o| o.value());
    validate::applied(key, config, old.is_some())?;
    let ty: Type = type_of(key.kind);
    check_config(config, &ty).map_err(|why| {
        let namespace = text(&config["metadata"], "namespace");
        validate::untyped(key, namespace, &why)
    })?;
    let placed = place(key, config);
    let nothing = empty(key.kind);
    let (document, managers) = apply(&ApplyRequest {
        live: old.as_ref().unwrap_or(&nothing),
        exists: old.is_some(),
        config: &placed,
        sent: config,
        ty: &ty,
        empty: &nothing,
        force: options.force,
        author: author(key.kind, options),
    })?;
    // The configuration was checked against the table, so only defaults and empty parts are left to fill in.
    let mut reading = reading::read(key.kind, document, FieldValidation::Ignore, Source::Body)?;
    defaults::fill(key.kind, &mut reading.document);
    let mut document = reading.document;
    let (Some(existing), Some(old)) = (existing, old) else {
        let key = prepare::name(state, key.kind, &mut document)?;
        return add(state, key, document, &managers, options, Vec::new());
    };
    prepare::check_preconditions(key, &old, &document, false)?;
    prepare::for_update(key, &old, &mut document, options.subresource);
    own(&mut document, &managers);
    store(state, &existing, &old, document, options, Vec::new())
}

/// The configuration with the name and namespace of the URL where it has none.
fn place(key: &Key, config: &Value) -> Value {
    let mut placed = config.clone();
    let metadata = child(&mut placed, "metadata");
    metadata
        .entry("name")
        .or_insert_with(|| key.name.to_string().into());
    if key.kind.namespaced {
        metadata
            .entry("namespace")
            .or_insert_with(|| key.namespace.to_string().into());
    }
    placed
}
