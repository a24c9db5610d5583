//! Route `direct`: the exact bodies and queries of our own writes to an edge.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use super::api::{Api, ApiError};
use super::catalog::Place;
use super::content::is_secret;
use super::gate::Permit;

/// Whether the server carries a write out or only says what it would do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mode<'a> {
    /// Only say.
    DryRun,
    /// Carry it out; only an approved effect gives the permit.
    ForReal(#[expect(dead_code, reason = "held as proof, never read")] Permit<'a>),
}

impl Mode<'_> {
    fn query(self) -> &'static str {
        match self {
            Self::DryRun => "&dryRun=All",
            Self::ForReal(_) => "",
        }
    }
}

/// UID and resourceVersion that the live object must still have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Precondition<'a> {
    /// `metadata.uid`.
    pub(super) uid: &'a str,
    /// `metadata.resourceVersion`.
    pub(super) resource_version: &'a str,
}

/// A manifest as it is sent: without what only the server writes, and with a Secret's `stringData` as `data`, so that the fields which are applied are the fields which are stored.
pub(super) fn manifest(desired: &Value) -> Value {
    let mut body = desired.clone();
    if let Some(map) = body.as_object_mut() {
        map.remove("status");
    }
    if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
        for key in [
            "managedFields",
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "selfLink",
        ] {
            metadata.remove(key);
        }
    }
    if is_secret(&body) {
        encode_string_data(&mut body);
    }
    body
}

fn encode_string_data(secret: &mut Value) {
    let Some(map) = secret.as_object_mut() else {
        return;
    };
    let Some(Value::Object(plain)) = map.remove("stringData") else {
        return;
    };
    let data = map.entry("data").or_insert_with(|| json!({}));
    for (key, value) in plain {
        if let (Some(data), Some(text)) = (data.as_object_mut(), value.as_str()) {
            data.insert(key, STANDARD.encode(text).into());
        }
    }
}

/// A body with its preconditions. With a UID in it the server never makes the object anew.
fn held(body: &Value, precondition: Precondition<'_>) -> Value {
    let Precondition {
        uid,
        resource_version,
    } = precondition;
    let mut body = body.clone();
    json_patch::merge(
        &mut body,
        &json!({"metadata": {"uid": uid, "resourceVersion": resource_version}}),
    );
    body
}

/// Forced server-side apply.
pub(super) async fn apply(
    api: &Api,
    place: &Place,
    manager: &str,
    manifest: &Value,
    precondition: Precondition<'_>,
    mode: Mode<'_>,
) -> Result<Value, ApiError> {
    let path = format!(
        "{}?fieldManager={manager}&force=true{}",
        place.path(),
        mode.query()
    );
    api.write(
        Method::PATCH,
        &path,
        "application/apply-patch+yaml",
        &held(manifest, precondition),
    )
    .await
}

/// Create: a 409 when the object is there.
pub(super) async fn create(
    api: &Api,
    place: &Place,
    manager: &str,
    manifest: &Value,
    mode: Mode<'_>,
) -> Result<Value, ApiError> {
    let path = format!(
        "{}?fieldManager={manager}{}",
        place.collection,
        mode.query()
    );
    api.write(Method::POST, &path, "application/json", manifest)
        .await
}

/// Delete with preconditions; dependents are collected in the background.
pub(super) async fn delete(
    api: &Api,
    place: &Place,
    precondition: Precondition<'_>,
    mode: Mode<'_>,
) -> Result<Value, ApiError> {
    let mut body = json!({
        "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background",
        "preconditions": {"uid": precondition.uid, "resourceVersion": precondition.resource_version}
    });
    if matches!(mode, Mode::DryRun)
        && let Some(map) = body.as_object_mut()
    {
        map.insert("dryRun".to_owned(), json!(["All"]));
    }
    // The query as well as the body: a gate on the wire reads the query.
    let query = if matches!(mode, Mode::DryRun) {
        "?dryRun=All"
    } else {
        ""
    };
    api.write(
        Method::DELETE,
        &format!("{}{query}", place.path()),
        "application/json",
        &body,
    )
    .await
}

/// Merge patch with preconditions.
pub(super) async fn merge(
    api: &Api,
    place: &Place,
    manager: &str,
    fields: &Value,
    precondition: Precondition<'_>,
    mode: Mode<'_>,
) -> Result<Value, ApiError> {
    let path = format!("{}?fieldManager={manager}{}", place.path(), mode.query());
    let body = held(fields, precondition);
    api.write(Method::PATCH, &path, "application/merge-patch+json", &body)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::fixtures::{desired_deployment, live_deployment};

    #[test]
    fn a_manifest_is_sent_without_what_the_server_writes() {
        let body = manifest(&live_deployment());
        assert_eq!(body.get("status"), None);
        assert_eq!(
            body["metadata"]
                .as_object()
                .unwrap()
                .keys()
                .collect::<Vec<_>>(),
            ["annotations", "name", "namespace"]
        );
        assert_eq!(manifest(&desired_deployment()), desired_deployment());
    }

    #[test]
    fn an_apply_carries_uid_and_resource_version() {
        let body = held(
            &desired_deployment(),
            Precondition {
                uid: "deploy-uid-1",
                resource_version: "881204",
            },
        );
        assert_eq!(
            (
                &body["metadata"]["uid"],
                &body["metadata"]["resourceVersion"]
            ),
            (&json!("deploy-uid-1"), &json!("881204"))
        );
        assert_eq!(body["spec"], desired_deployment()["spec"]);
    }

    #[test]
    fn string_data_of_a_secret_becomes_data_and_wins() {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "data": {"user": "ZWRnZQ==", "password": "b2xk"}, "stringData": {"password": "hunter2"}});
        let body = manifest(&secret);
        assert_eq!(
            body["data"],
            json!({"user": "ZWRnZQ==", "password": "aHVudGVyMg=="})
        );
        assert_eq!(body.get("stringData"), None);
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}, "stringData": {"a": "b"}});
        assert_eq!(manifest(&map), map, "only Secrets have stringData");
    }
}
