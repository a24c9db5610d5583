//! Strategic merge patches: maps merge, lists merge by the key their kind names, and directives say the rest.

use serde_json::{Map, Value};

use super::super::schema::{ANY, Base, Field, MergeBy, Type, of_kind, structure};
use super::super::store::ApiStatus;

const DIRECTIVE: &str = "$patch";
const RETAIN: &str = "$retainKeys";
const ORDER: &str = "$setElementOrder/";
const DELETE: &str = "$deleteFromPrimitiveList/";

/// What a strategic patch makes of a document.
pub(super) fn patched(kind: &str, live: Value, patch: &Value) -> Result<Value, ApiStatus> {
    match (live, patch) {
        (Value::Object(live), Value::Object(patch)) => {
            merge_map(live, patch.clone(), &of_kind(kind)).map(Value::Object)
        }
        _ => Err(ApiStatus::bad_request(
            "json: cannot unmarshal array into Go value of type map[string]interface {}",
        )),
    }
}

fn wrong(why: String) -> ApiStatus {
    ApiStatus::bad_request(why)
}

/// A member's field, when the type is a struct.
fn field_of(ty: &Type, name: &str) -> Option<&'static Field> {
    match &ty.base {
        Base::Struct(id) => structure(*id).fields.get(name),
        _ => None,
    }
}

fn member_type(ty: &Type, name: &str) -> Type {
    match &ty.base {
        Base::Map(item) => (**item).clone(),
        _ => field_of(ty, name).map_or_else(|| ANY.clone(), |f| f.ty.clone()),
    }
}

fn merge_map(
    mut live: Map<String, Value>,
    mut patch: Map<String, Value>,
    ty: &Type,
) -> Result<Map<String, Value>, ApiStatus> {
    match patch.remove(DIRECTIVE).as_ref().map(Value::as_str) {
        None | Some(Some("merge")) => {}
        Some(Some("replace")) => return Ok(patch),
        Some(Some("delete")) => return Ok(Map::new()),
        Some(other) => return Err(wrong(format!("unknown patch type found: {other:?}"))),
    }
    if let Some(Value::Array(kept)) = patch.remove(RETAIN) {
        live.retain(|name, _| kept.iter().any(|k| k == name));
    }
    merge_ordered_lists(&mut live, &mut patch, ty)?;
    for (name, value) in patch {
        if let Some(list) = name.strip_prefix(DELETE) {
            delete_values(&mut live, list, &value);
        } else if value.is_null() {
            live.remove(&name);
        } else {
            let merged = match live.remove(&name) {
                Some(old) => merge_member(old, value, ty, &name)?,
                None => without_directives(value),
            };
            live.extend(merged.map_or_else(Vec::new, |v| vec![(name, v)]));
        }
    }
    Ok(live)
}

/// `None` when nothing is left of the member.
fn merge_member(
    live: Value,
    patch: Value,
    ty: &Type,
    name: &str,
) -> Result<Option<Value>, ApiStatus> {
    let below = member_type(ty, name);
    match (live, patch) {
        (Value::Object(live), Value::Object(patch)) => {
            let deleted = patch.get(DIRECTIVE).is_some_and(|d| d == "delete");
            let merged = merge_map(live, patch, &below)?;
            Ok((!deleted || !merged.is_empty()).then_some(Value::Object(merged)))
        }
        (Value::Array(live), Value::Array(patch)) => match merge_by(ty, name) {
            Some(by) => merge_list(live, patch, &below, by).map(|l| Some(Value::Array(l))),
            None => Ok(Some(Value::Array(patch))),
        },
        (_, patch) => Ok(without_directives(patch)),
    }
}

fn merge_by(ty: &Type, name: &str) -> Option<&'static MergeBy> {
    field_of(ty, name)?.merge_by.as_ref()
}

/// A value that is new to the document: no nulls, no directives.
fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(map) => {
            if map.get(DIRECTIVE).is_some_and(|d| d == "delete") {
                return None;
            }
            let kept = map.into_iter().filter(|(name, _)| !name.starts_with('$'));
            Some(Value::Object(
                kept.filter_map(|(name, v)| Some((name, without_directives(v)?)))
                    .collect(),
            ))
        }
        Value::Array(list) => Some(list.into_iter().filter_map(without_directives).collect()),
        other => Some(other),
    }
}

fn delete_values(live: &mut Map<String, Value>, list: &str, gone: &Value) {
    let gone = gone.as_array().cloned().unwrap_or_default();
    if let Some(Value::Array(values)) = live.get_mut(list) {
        values.retain(|v| !gone.contains(v));
    }
}

/// Merges the elements of a patch into a list.
fn merge_list(
    mut live: Vec<Value>,
    patch: Vec<Value>,
    ty: &Type,
    by: &MergeBy,
) -> Result<Vec<Value>, ApiStatus> {
    let key = match by {
        MergeBy::Field(key) => key,
        MergeBy::Value => {
            for value in patch {
                if !live.contains(&value) {
                    live.push(value);
                }
            }
            return Ok(live);
        }
    };
    let item = match &ty.base {
        Base::List(item, _) => (**item).clone(),
        _ => ANY.clone(),
    };
    let directive = |v: &Value| v.get(DIRECTIVE).and_then(Value::as_str).map(str::to_owned);
    if patch
        .iter()
        .any(|v| directive(v).as_deref() == Some("replace"))
    {
        let kept = patch.into_iter().filter(|v| directive(v).is_none());
        return Ok(kept.collect());
    }
    for element in patch {
        let Some(id) = element.get(key).cloned() else {
            return Err(wrong(format!(
                "map: {element} does not contain declared merge key: {key}"
            )));
        };
        let place = live.iter().position(|v| v.get(key) == Some(&id));
        if directive(&element).as_deref() == Some("delete") {
            live.retain(|v| v.get(key) != Some(&id));
            continue;
        }
        match (place.and_then(|i| live.get_mut(i)), element) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                *old = merge_map(std::mem::take(old), new, &item)?;
            }
            (_, element) => live.extend(without_directives(element)),
        }
    }
    Ok(live)
}

/// Lists whose order the patch gives: merged, then brought into that order; elements of only the server keep their place among the others.
fn merge_ordered_lists(
    live: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
    ty: &Type,
) -> Result<(), ApiStatus> {
    let ordered: Vec<String> = patch
        .keys()
        .filter_map(|name| name.strip_prefix(ORDER).map(str::to_owned))
        .collect();
    for name in ordered {
        let order = patch.remove(&format!("{ORDER}{name}"));
        let order = order
            .and_then(|o| o.as_array().cloned())
            .unwrap_or_default();
        let Some(by) = merge_by(ty, &name) else {
            continue;
        };
        let before = live.get(&name).and_then(Value::as_array).cloned();
        let sent = match patch.remove(&name) {
            Some(Value::Array(list)) => list,
            Some(other) => {
                patch.insert(name, other);
                continue;
            }
            None => Vec::new(),
        };
        let Some(before) = before else {
            let fresh = sent.into_iter().filter_map(without_directives).collect();
            live.insert(name, sort_by_order(fresh, &order, by).into());
            continue;
        };
        let merged = merge_list(before.clone(), sent, &member_type(ty, &name), by)?;
        live.insert(name, in_order(merged, &order, &before, by).into());
    }
    Ok(())
}

/// What tells an element from others.
fn identity<'a>(element: &'a Value, by: &MergeBy) -> &'a Value {
    match by {
        MergeBy::Field(key) => element.get(key).unwrap_or(&Value::Null),
        MergeBy::Value => element,
    }
}

fn place(list: &[Value], element: &Value, by: &MergeBy) -> Option<usize> {
    let wanted = identity(element, by);
    list.iter().position(|v| identity(v, by) == wanted)
}

fn sort_by_order(mut list: Vec<Value>, order: &[Value], by: &MergeBy) -> Vec<Value> {
    list.sort_by_key(|element| place(order, element, by).unwrap_or(usize::MAX));
    list
}

fn in_order(merged: Vec<Value>, order: &[Value], before: &[Value], by: &MergeBy) -> Vec<Value> {
    let (mine, servers): (Vec<Value>, Vec<Value>) = merged
        .into_iter()
        .partition(|element| place(order, element, by).is_some());
    let mine = sort_by_order(mine, order, by);
    let servers = sort_by_order(servers, before, by);
    let (mut mine, mut servers) = (mine.into_iter().peekable(), servers.into_iter().peekable());
    let mut sorted = Vec::new();
    while let Some(server) = servers.peek() {
        let Some(next) = mine.peek() else {
            break;
        };
        let first = match (place(before, server, by), place(before, next, by)) {
            (Some(server), Some(mine)) => server < mine,
            _ => false,
        };
        sorted.extend(if first { servers.next() } else { mine.next() });
    }
    sorted.extend(servers);
    sorted.extend(mine);
    sorted
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod_spec(live: &Value, patch: &Value) -> Value {
        let wrap = |v: &Value| json!({"spec": {"template": {"spec": v}}});
        let done = patched("Deployment", wrap(live), &wrap(patch)).unwrap();
        done["spec"]["template"]["spec"].clone()
    }

    #[test]
    fn containers_and_their_variables_merge_by_name() {
        let live = json!({"containers": [{"name": "web", "image": "web:1", "env": [{"name": "A", "value": "1"}]}, {"name": "proxy", "image": "proxy:1"}]});
        let patch = json!({"containers": [{"name": "web", "env": [{"name": "B", "value": "2"}]}]});
        let done = pod_spec(&live, &patch);
        assert_eq!(
            done["containers"][0]["env"],
            json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])
        );
        assert_eq!(done["containers"][0]["image"], "web:1");
        assert_eq!(done["containers"][1]["name"], "proxy");
    }

    #[test]
    fn an_element_is_deleted_by_its_key() {
        let live = json!({"containers": [{"name": "web"}, {"name": "proxy"}]});
        let patch = json!({"containers": [{"name": "proxy", "$patch": "delete"}]});
        assert_eq!(
            pod_spec(&live, &patch),
            json!({"containers": [{"name": "web"}]})
        );
    }

    #[test]
    fn a_list_without_merge_key_is_replaced() {
        let live = json!({"tolerations": [{"key": "a"}], "containers": [{"name": "web", "args": ["a", "b"]}]});
        let patch =
            json!({"tolerations": [{"key": "b"}], "containers": [{"name": "web", "args": ["c"]}]});
        let done = pod_spec(&live, &patch);
        assert_eq!(done["tolerations"], json!([{"key": "b"}]));
        assert_eq!(done["containers"][0]["args"], json!(["c"]));
    }

    #[test]
    fn retain_keys_drops_the_other_strategy() {
        let live = json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}});
        let patch = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
        let done = patched("Deployment", live, &patch).unwrap();
        assert_eq!(done, json!({"spec": {"strategy": {"type": "Recreate"}}}));
    }

    #[test]
    fn the_order_of_the_patch_is_kept_and_server_only_elements_stay_among_them() {
        let live = json!({"containers": [{"name": "web", "env": [{"name": "A"}, {"name": "S"}, {"name": "B"}]}]});
        let patch = json!({"$setElementOrder/containers": [{"name": "web"}], "containers": [{"name": "web",
            "$setElementOrder/env": [{"name": "B"}, {"name": "C"}, {"name": "A"}], "env": [{"name": "C", "value": "3"}]}]});
        let done = pod_spec(&live, &patch);
        let names: Vec<&str> = done["containers"][0]["env"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["S", "B", "C", "A"]);
    }

    #[test]
    fn a_finalizer_is_deleted_from_its_list_by_value() {
        let live = json!({"metadata": {"finalizers": ["a", "b"]}});
        let patch = json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}});
        assert_eq!(
            patched("ConfigMap", live, &patch).unwrap(),
            json!({"metadata": {"finalizers": ["b"]}})
        );
    }

    #[test]
    fn null_deletes_a_key_and_a_missing_merge_key_is_refused() {
        let live = json!({"data": {"a": "1", "b": "2"}});
        assert_eq!(
            patched("ConfigMap", live, &json!({"data": {"a": null}})).unwrap(),
            json!({"data": {"b": "2"}})
        );
        let patch = json!({"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}});
        let live = json!({"spec": {"template": {"spec": {"containers": [{"name": "web"}]}}}});
        assert!(
            patched("Deployment", live, &patch)
                .unwrap_err()
                .message
                .contains("declared merge key: name")
        );
    }
}
