//! What Argo CD takes out or rewrites before it compares.

use base64::Engine as _;
use serde_json::{Map, Value, json};

use crate::domain::ObjectRef;
use crate::drift::ignore::{IgnoreRules, remove};
use crate::drift::known;

/// The normalisation of one installation and application.
#[derive(Clone, Debug, Default)]
pub struct Normalizer {
    /// `ignoreDifferences` of the application and of argocd-cm.
    pub rules: IgnoreRules,
    /// Rules of roles that aggregate others are not compared.
    pub ignore_aggregated_roles: bool,
    /// Whose `status` is compared; by default nobody's.
    pub status: IgnoreStatus,
}

/// Whose `status` is left out of comparisons (`resource.compareoptions: ignoreResourceStatusField` in argocd-cm).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IgnoreStatus {
    /// Everybody's.
    #[default]
    All,
    /// Only that of CustomResourceDefinitions.
    Crd,
    /// Nobody's.
    None,
}

impl IgnoreStatus {
    /// Whether the `status` of objects of this kind is left out.
    pub fn leaves_out(self, kind: &str) -> bool {
        match self {
            Self::All => true,
            Self::Crd => kind == "CustomResourceDefinition",
            Self::None => false,
        }
    }
}

impl Normalizer {
    /// Normalises one object.
    pub fn apply(&self, object: &mut Value) {
        self.apply_built_in(object);
        if self.leaves_out_status(object) {
            remove(object, &["status".to_owned()]);
        }
        if let Some(reference) = reference(object) {
            let rules = self.rules.for_object(&reference);
            rules.strip(object);
            rules.retype(object);
            if is_rollout(&reference) {
                known::retype(object, &["spec", "template", "spec"], "core/v1/PodSpec");
            }
        }
    }

    /// What is done for every installation, without the rules and types that one declares.
    pub(super) fn apply_built_in(&self, object: &mut Value) {
        if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
            metadata.remove("creationTimestamp");
        }
        built_in(object, self.ignore_aggregated_roles);
    }

    /// The managers whose differences in this object do not count.
    pub(super) fn trusted(&self, object: &Value) -> Vec<String> {
        let reference = reference(object);
        let rules = reference.as_ref().map(|r| self.rules.for_object(r));
        rules.map_or_else(Vec::new, |rules| {
            rules.managers().map(str::to_owned).collect()
        })
    }

    fn leaves_out_status(&self, object: &Value) -> bool {
        let kind = object.get("kind").and_then(Value::as_str);
        self.status.leaves_out(kind.unwrap_or_default())
    }
}

/// The one kind whose field's type Argo CD knows by itself.
fn is_rollout(reference: &ObjectRef) -> bool {
    &*reference.gvk.group == "argoproj.io" && &*reference.gvk.kind == "Rollout"
}

/// Rules match by what an object says of itself; one without a name is matched as nameless.
fn reference(object: &Value) -> Option<ObjectRef> {
    ObjectRef::of(object).or_else(|| {
        let mut named = object.clone();
        named
            .as_object_mut()?
            .insert("metadata".to_owned(), json!({"name": ""}));
        ObjectRef::of(&named)
    })
}

fn built_in(object: &mut Value, ignore_aggregated_roles: bool) {
    let text = |key: &str| {
        object
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let group = text("apiVersion")
        .split_once('/')
        .map(|(g, _)| g.to_owned())
        .unwrap_or_default();
    match (group.as_str(), text("kind").as_str()) {
        ("", "Secret") => secret(object),
        ("", "Endpoints") => endpoints(object),
        ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => {
            role(object, ignore_aggregated_roles)
        }
        _ => {}
    }
}

/// `stringData` moves into `data`, base64; a null in `data` is an empty text.
fn secret(object: &mut Value) {
    let Some(secret) = object.as_object_mut() else {
        return;
    };
    let plain = match secret.get("stringData") {
        Some(Value::Object(plain)) => plain.clone(),
        _ => Map::new(),
    };
    if !plain.is_empty() {
        let data = secret.entry("data").or_insert_with(|| json!({}));
        if !data.is_object() {
            *data = json!({});
        }
        if let Some(data) = data.as_object_mut() {
            for (key, value) in plain {
                data.insert(key, encoded(value));
            }
        }
        secret.remove("stringData");
    }
    if let Some(Value::Object(data)) = secret.get_mut("data") {
        for value in data.values_mut().filter(|v| v.is_null()) {
            *value = json!("");
        }
    }
}

/// Text is encoded; what is no text passes as it is.
fn encoded(value: Value) -> Value {
    match value {
        // A sealed value stands for bytes already.
        Value::String(text) if crate::drift::seal::is_token(&text) => Value::String(text),
        Value::String(text) => {
            Value::String(base64::engine::general_purpose::STANDARD.encode(text))
        }
        other => other,
    }
}

fn role(object: &mut Value, ignore_aggregated: bool) {
    let aggregates = object.get("aggregationRule").is_some_and(|r| !r.is_null());
    let empty = object
        .get("rules")
        .and_then(Value::as_array)
        .is_some_and(Vec::is_empty);
    if let Some(rules) = object
        .get_mut("rules")
        .filter(|_| empty || (aggregates && ignore_aggregated))
    {
        *rules = Value::Null;
    }
}

/// Ports get their default protocol, and everything a fixed order.
fn endpoints(object: &mut Value) {
    let Some(subsets) = object.get_mut("subsets").and_then(Value::as_array_mut) else {
        return;
    };
    for subset in subsets.iter_mut() {
        for port in list_of(subset, "ports").filter_map(Value::as_object_mut) {
            let unset = port.get("protocol").is_none_or(|p| p.is_null() || p == "");
            if unset {
                port.insert("protocol".to_owned(), json!("TCP"));
            }
        }
        for list in ["addresses", "notReadyAddresses", "ports"] {
            if let Some(items) = subset.get_mut(list).and_then(Value::as_array_mut) {
                items.sort_by_cached_key(ToString::to_string);
            }
        }
    }
    subsets.sort_by_cached_key(ToString::to_string);
}

fn list_of<'v>(value: &'v mut Value, key: &str) -> impl Iterator<Item = &'v mut Value> {
    value
        .get_mut(key)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}
