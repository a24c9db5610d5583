//! Reading and writing single objects and lists over HTTP.

use serde_json::{Value, json};

use super::call::Call;
use super::reply::{self, Reply};
use super::route::Target;
use super::selector::Selection;
use super::shape::Shape;
use crate::sim::store::value::{at, child, text};
use crate::sim::store::{
    ApiStatus, Cause, DeleteOptions, Deleted, KindRef, ListQuery, Object, Patch, Propagation,
    VersionMatch, Written,
};

/// One object.
pub(crate) fn get(call: &Call, target: &Target) -> Result<Reply, ApiStatus> {
    let kind = call.kind(target)?;
    let shape = call.shape()?;
    let key = Call::key(kind, target);
    let object = call
        .server
        .store
        .get(&key)
        .ok_or_else(|| ApiStatus::not_found(kind, &key.name))?;
    Ok(shape.one(200, &object, call.now()))
}

/// A list, or one page of it.
pub(crate) fn list(call: &Call, target: &Target) -> Result<Reply, ApiStatus> {
    let kind = call.kind(target)?;
    let shape = call.shape()?;
    let selection = selection(call, kind, target)?;
    let query = ListQuery {
        kind,
        namespace: selection.namespace.as_deref().map(Into::into),
        limit: usize::try_from(call.query.number("limit").unwrap_or(0)).unwrap_or(usize::MAX),
        continue_token: call.query.get("continue").map(str::to_owned),
        version: version_match(call)?,
    };
    let mut listing = call.server.store.list(&query, |o| selection.keeps(o))?;
    if selection.is_narrow() {
        listing.remaining = 0;
    }
    Ok(shape.many(kind, &listing, call.now()))
}

pub(crate) fn selection(
    call: &Call,
    kind: KindRef,
    target: &Target,
) -> Result<Selection, ApiStatus> {
    Selection::parse(
        kind,
        &target.namespace,
        call.query.get("labelSelector"),
        call.query.get("fieldSelector"),
    )
}

fn version_match(call: &Call) -> Result<VersionMatch, ApiStatus> {
    let version = match call.query.get("resourceVersion") {
        None | Some("0") => return Ok(VersionMatch::Any),
        Some(text) => text.parse().map_err(|_| bad_version(text))?,
    };
    match call.query.get("resourceVersionMatch") {
        Some("Exact") => Ok(VersionMatch::Exact(version)),
        // A page of a version means that version, as in the real server.
        None if call.query.number("limit").is_some() => Ok(VersionMatch::Exact(version)),
        _ => Ok(VersionMatch::NotOlderThan(version)),
    }
}

pub(crate) fn bad_version(text: &str) -> ApiStatus {
    ApiStatus::bad_request(format!(
        "invalid resource version: resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax"
    ))
}

/// Creates an object from the body.
pub(crate) fn create(call: &Call, target: &Target) -> Result<Reply, ApiStatus> {
    let kind = call.kind(target)?;
    let mut document = call.document()?;
    check_body(kind, target, &document)?;
    if kind.namespaced {
        child(&mut document, "metadata")
            .insert("namespace".into(), target.namespace.clone().into());
    }
    let written = call
        .server
        .store
        .create(document, &call.write_options(target)?)?;
    Ok(done(call, &written))
}

/// Replaces an object by the body.
pub(crate) fn update(call: &Call, target: &Target) -> Result<Reply, ApiStatus> {
    let kind = call.kind(target)?;
    let document = call.document()?;
    if target.subresource != "scale" {
        check_body(kind, target, &document)?;
    }
    let key = Call::key(kind, target);
    let options = call.write_options(target)?;
    let written = call.server.store.update(&key, document, &options)?;
    Ok(done(call, &written))
}

/// Patches an object by the body.
pub(crate) fn patch(call: &Call, target: &Target) -> Result<Reply, ApiStatus> {
    let kind = call.kind(target)?;
    let patch = patch_of(call, kind)?;
    check_force(call, &patch)?;
    let options = call.write_options(target)?;
    let key = Call::key(kind, target);
    let written = call.server.store.patch(&key, &patch, &options)?;
    Ok(done(call, &written))
}

fn patch_of(call: &Call, kind: KindRef) -> Result<Patch, ApiStatus> {
    match call.media_type().as_str() {
        "application/json-patch+json" => Ok(Patch::Json(call.document()?)),
        "application/merge-patch+json" => Ok(Patch::Merge(call.document()?)),
        "application/strategic-merge-patch+json" if !kind.custom => {
            Ok(Patch::Strategic(call.document()?))
        }
        "application/apply-patch+yaml" => {
            let required = Cause::required("fieldManager", "is required for apply patch");
            let manager = call.query.get("fieldManager");
            manager.ok_or_else(|| ApiStatus::options("PatchOptions", &required))?;
            Ok(Patch::Apply(call.document()?))
        }
        "application/strategic-merge-patch+json" => Err(ApiStatus::unsupported_media_type(&[
            "application/json-patch+json",
            "application/merge-patch+json",
            "application/apply-patch+yaml",
        ])),
        _ => {
            let message = "415: Unsupported Media Type";
            let mut status = ApiStatus::new(415, "UnsupportedMediaType", message);
            status.details = Some(json!({}));
            Err(status)
        }
    }
}

/// Only an apply may be forced.
fn check_force(call: &Call, patch: &Patch) -> Result<(), ApiStatus> {
    if matches!(patch, Patch::Apply(_)) || call.query.get("force").is_none() {
        return Ok(());
    }
    let cause = Cause::forbidden("force", "may not be specified for non-apply patch");
    Err(ApiStatus::options("PatchOptions", &cause))
}

/// 400 unless the body is of the kind and place the URL names.
fn check_body(kind: KindRef, target: &Target, document: &Value) -> Result<(), ApiStatus> {
    let (version, word) = (text(document, "apiVersion"), text(document, "kind"));
    if (version, word) != (kind.api_version().as_str(), kind.kind) {
        return Err(ApiStatus::bad_request(format!(
            "{word} in version \"{}\" cannot be handled as a {}: no kind \"{word}\" is registered for version \"{version}\" in this scope",
            kind.version, kind.kind
        )));
    }
    let own = |field| {
        at(document, &["metadata", field])
            .and_then(Value::as_str)
            .unwrap_or("")
    };
    if !own("namespace").is_empty() && kind.namespaced && own("namespace") != target.namespace {
        return Err(ApiStatus::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    if !target.name.is_empty() && own("name") != target.name {
        return Err(ApiStatus::bad_request(format!(
            "the name of the object ({}) does not match the name on the URL ({})",
            own("name"),
            target.name
        )));
    }
    Ok(())
}

fn done(call: &Call, written: &Written) -> Reply {
    let shape = call.shape().unwrap_or_default();
    let code = if written.created { 201 } else { 200 };
    let mut reply = shape.one(code, &written.object, call.now());
    reply::warn(&mut reply, &written.warnings);
    reply
}

/// Deletes an object.
pub(crate) fn delete(call: &Call, target: &Target) -> Result<Reply, ApiStatus> {
    let kind = call.kind(target)?;
    let options = delete_options(call)?;
    match call
        .server
        .store
        .delete(&Call::key(kind, target), &options)?
    {
        Deleted::Waiting(object) => Ok(Shape::Whole.one(200, &object, call.now())),
        Deleted::Gone(object) => Ok(reply::json(200, &gone(&object))),
    }
}

fn gone(object: &Object) -> Value {
    let kind = object.key.kind;
    let mut details = json!({"name": &*object.key.name, "kind": kind.plural, "uid": &*object.uid});
    if !kind.group.is_empty() {
        details["group"] = kind.group.into();
    }
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}

/// Deletes every object a list would show.
pub(crate) fn delete_all(call: &Call, target: &Target) -> Result<Reply, ApiStatus> {
    let kind = call.kind(target)?;
    let selection = selection(call, kind, target)?;
    let options = delete_options(call)?;
    let store = &call.server.store;
    let listing = store.list(&ListQuery::all(kind), |o| selection.keeps(o))?;
    for object in &listing.items {
        match store.delete(&object.key, &options) {
            // Gone already: it was owned by one before it.
            Err(status) if status.code == 404 => {}
            other => drop(other?),
        }
    }
    Ok(Shape::Whole.many(kind, &listing, call.now()))
}

fn delete_options(call: &Call) -> Result<DeleteOptions, ApiStatus> {
    let body = if call.body.is_empty() {
        Value::Null
    } else {
        call.document()?
    };
    let precondition = |name| {
        let found = at(&body, &["preconditions", name]).and_then(Value::as_str);
        found.map(str::to_owned)
    };
    let dry = at(&body, &["dryRun"]).and_then(Value::as_array);
    let policy = call.query.get("propagationPolicy");
    Ok(DeleteOptions {
        now: call.now(),
        dry_run: call.dry_run()? || dry.is_some_and(|list| !list.is_empty()),
        uid: precondition("uid"),
        resource_version: precondition("resourceVersion"),
        propagation: match policy.unwrap_or_else(|| text(&body, "propagationPolicy")) {
            "Orphan" => Propagation::Orphan,
            "Foreground" => Propagation::Foreground,
            _ => Propagation::Background,
        },
    })
}
