//! OpenAPI v3: an index, and one document for each group and version, made from the table of kinds. What kubectl reads before it validates, applies or explains.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha512};

use super::{Group, grouped};
use crate::sim::schema::{Base, Field, MergeBy, Topology, Type, of_kind, structure};
use crate::sim::store::{Kind, KindSet};

/// `/openapi/v3`.
pub(crate) fn index(kinds: &KindSet) -> Value {
    let mut paths = Map::new();
    for group in grouped(kinds) {
        let path = path_of(&group);
        let hash = hash(&document(&group));
        let url = format!("/openapi/v3/{path}?hash={hash}");
        paths.insert(path, json!({"serverRelativeURL": url}));
    }
    json!({"paths": paths})
}

/// `/openapi/v3/PATH`, where PATH is `api/v1` or `apis/GROUP/VERSION`.
pub(crate) fn specification(kinds: &KindSet, path: &str) -> Option<Value> {
    let groups = grouped(kinds);
    let group = groups.iter().find(|g| path_of(g) == path)?;
    Some(document(group))
}

fn path_of(group: &Group) -> String {
    if group.name.is_empty() {
        format!("api/{}", group.version)
    } else {
        format!("apis/{}/{}", group.name, group.version)
    }
}

/// Of the very bytes that are sent, as kube-openapi does it (`handler3`, `computeETag`).
fn hash(document: &Value) -> String {
    let digest: [u8; 64] = Sha512::digest(document.to_string().as_bytes()).into();
    let hex = digest.iter().map(|b| format!("{b:02X}"));
    hex.collect()
}

fn document(group: &Group) -> Value {
    let mut paths = Map::new();
    let mut schemas = BTreeMap::new();
    for kind in &group.kinds {
        paths.extend(paths_of(kind));
        let schema = root(kind, &mut schemas);
        schemas.insert(root_name(kind), schema);
    }
    json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": super::SERVER_VERSION},
        "paths": paths,
        "components": {"schemas": schemas},
    })
}

fn root_name(kind: &Kind) -> String {
    let group = if kind.group.is_empty() {
        "core"
    } else {
        kind.group
    };
    format!("{group}.{}.{}", kind.version, kind.kind)
}

/// The schema of a kind; `found` collects the structs it speaks of.
fn root(kind: &Kind, found: &mut BTreeMap<String, Value>) -> Value {
    let mut schema = match of_kind(kind.kind).base {
        Base::Struct(id) => object(&structure(id).fields, found),
        _ => json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
    };
    schema["x-kubernetes-group-version-kind"] = json!([gvk(kind)]);
    schema
}

fn gvk(kind: &Kind) -> Value {
    json!({"group": kind.group, "version": kind.version, "kind": kind.kind})
}

fn object(fields: &BTreeMap<String, Field>, found: &mut BTreeMap<String, Value>) -> Value {
    let mut properties = Map::new();
    for field in fields.values() {
        properties.insert(field.name.clone(), property(field, found));
    }
    let required: Vec<&String> = fields
        .values()
        .filter(|f| f.required)
        .map(|f| &f.name)
        .collect();
    let mut schema = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        schema["required"] = required.into_iter().cloned().collect();
    }
    schema
}

fn property(field: &Field, found: &mut BTreeMap<String, Value>) -> Value {
    let mut schema = schema(&field.ty, found);
    let mut strategies = Vec::new();
    if let Some(by) = &field.merge_by {
        strategies.push("merge");
        if let MergeBy::Field(key) = by {
            schema["x-kubernetes-patch-merge-key"] = key.as_str().into();
        }
    }
    if field.retain_keys {
        strategies.push("retainKeys");
    }
    if !strategies.is_empty() {
        schema["x-kubernetes-patch-strategy"] = strategies.join(",").into();
    }
    if !field.choices.is_empty() {
        schema["enum"] = field.choices.as_slice().into();
    }
    schema
}

fn schema(ty: &Type, found: &mut BTreeMap<String, Value>) -> Value {
    let mut schema = match &ty.base {
        Base::Text => json!({"type": "string"}),
        Base::Bytes => json!({"type": "string", "format": "byte"}),
        Base::Time | Base::MicroTime => json!({"type": "string", "format": "date-time"}),
        Base::Int32 => json!({"type": "integer", "format": "int32"}),
        Base::Int64 => json!({"type": "integer", "format": "int64"}),
        Base::Number => json!({"type": "number", "format": "double"}),
        Base::Bool => json!({"type": "boolean"}),
        Base::Quantity => json!({"oneOf": [{"type": "string"}, {"type": "number"}]}),
        Base::IntOrText => {
            json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]})
        }
        Base::Any => json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
        Base::Map(item) => {
            json!({"type": "object", "additionalProperties": self::schema(item, found)})
        }
        Base::List(item, topology) => list(item, topology, found),
        Base::Struct(id) => {
            let known = structure(*id);
            if !found.contains_key(&known.name) {
                // Stands in while its own fields are written: a struct may speak of itself.
                found.insert(known.name.clone(), Value::Null);
                let body = object(&known.fields, found);
                found.insert(known.name.clone(), body);
            }
            let name = format!("#/components/schemas/{}", known.name);
            json!({"allOf": [{"$ref": name}]})
        }
    };
    if ty.atomic {
        schema["x-kubernetes-map-type"] = "atomic".into();
    }
    schema
}

fn list(item: &Type, topology: &Topology, found: &mut BTreeMap<String, Value>) -> Value {
    let mut list = json!({"type": "array", "items": schema(item, found)});
    let word = match topology {
        Topology::Atomic => "atomic",
        Topology::Set => "set",
        Topology::Keyed(keys) => {
            let keys: Vec<&str> = keys.iter().map(|(name, _)| name.as_str()).collect();
            list["x-kubernetes-list-map-keys"] = keys.into();
            "map"
        }
    };
    list["x-kubernetes-list-type"] = word.into();
    list
}

/// The paths of a kind with the parameters a client looks for.
fn paths_of(kind: &Kind) -> Vec<(String, Value)> {
    let namespace = kind.namespaced.then_some("{namespace}");
    let collection = kind.path(namespace);
    let body =
        json!({"content": {"application/json": {"schema": reference(kind)}}, "required": true});
    let write = |action: &str| {
        json!({
            "parameters": parameters(&["dryRun", "fieldManager", "fieldValidation"]),
            "requestBody": body,
            "responses": {"200": {"description": "OK"}},
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": gvk(kind),
        })
    };
    if kind.review {
        return vec![(collection, json!({"post": write("post")}))];
    }
    let mut patch = write("patch");
    patch["parameters"] = parameters(&["dryRun", "fieldManager", "fieldValidation", "force"]);
    patch["requestBody"] = json!({"content": patch_content(kind), "required": true});
    let single = format!("{collection}/{{name}}");
    vec![
        (
            collection,
            json!({"get": read(kind, "list"), "post": write("post")}),
        ),
        (
            single,
            json!({"get": read(kind, "get"), "put": write("put"), "patch": patch, "delete": read(kind, "delete")}),
        ),
    ]
}

fn read(kind: &Kind, action: &str) -> Value {
    json!({
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": gvk(kind),
    })
}

fn reference(kind: &Kind) -> Value {
    json!({"$ref": format!("#/components/schemas/{}", root_name(kind))})
}

fn parameters(names: &[&str]) -> Value {
    let one = |name: &&str| {
        let ty = if *name == "force" {
            "boolean"
        } else {
            "string"
        };
        json!({"name": name, "in": "query", "schema": {"type": ty, "uniqueItems": true}})
    };
    names.iter().map(one).collect()
}

fn patch_content(kind: &Kind) -> Value {
    let mut types = vec![
        "application/apply-patch+yaml",
        "application/json-patch+json",
        "application/merge-patch+json",
    ];
    if !kind.custom {
        types.push("application/strategic-merge-patch+json");
    }
    let content = types
        .iter()
        .map(|t| ((*t).to_owned(), json!({"schema": {"type": "object"}})));
    Value::Object(content.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_patch_says_that_it_knows_field_validation_and_dry_runs() {
        let kinds = KindSet::bare().with_argo();
        for path in ["apis/apps/v1", "apis/argoproj.io/v1alpha1", "api/v1"] {
            let spec = specification(&kinds, path).unwrap();
            let paths = spec["paths"].as_object().unwrap();
            let patches: Vec<&Value> = paths.values().filter_map(|p| p.get("patch")).collect();
            assert!(!patches.is_empty());
            for patch in patches {
                let text = patch["parameters"].to_string();
                assert!(text.contains("fieldValidation") && text.contains("dryRun"));
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let kinds = KindSet::bare().with_argo().with_flux().with_monitoring();
        let index = index(&kinds);
        for path in index["paths"].as_object().unwrap().keys() {
            let spec = specification(&kinds, path).unwrap();
            let schemas = spec["components"]["schemas"].as_object().unwrap().clone();
            for part in spec.to_string().split("#/components/schemas/").skip(1) {
                let name = part.split('"').next().unwrap();
                assert!(
                    schemas.get(name).is_some_and(Value::is_object),
                    "{path}: {name}"
                );
            }
        }
    }

    #[test]
    fn containers_carry_their_merge_key() {
        let spec = specification(&KindSet::bare(), "apis/apps/v1").unwrap();
        let containers = &spec["components"]["schemas"]["PodSpec"]["properties"]["containers"];
        assert_eq!(containers["x-kubernetes-patch-merge-key"], "name");
        assert_eq!(containers["x-kubernetes-list-type"], "map");
    }
}
