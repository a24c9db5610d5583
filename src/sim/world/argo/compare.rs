//! The stand-in's own comparison: whether the live object has every field that Git sets. Rough on purpose; the console judges for itself.

use base64::Engine as _;
use serde_json::{Map, Value};

/// Members by which elements of lists are the same element, in the order of trial.
const LIST_KEYS: &[&str] = &[
    "name",
    "mountPath",
    "containerPort",
    "port",
    "topologyKey",
    "ip",
    "uid",
];

/// Lists of plain rules: compared as a whole, whatever members their elements have.
const ATOMIC: &[&str] = &[
    "rules",
    "ingress",
    "egress",
    "tolerations",
    "groups",
    "endpoints",
];

/// Whether a live object lacks something that Git sets.
pub(crate) fn differs(desired: &Value, live: &Value) -> bool {
    let Value::Object(members) = desired else {
        return desired != live;
    };
    let desired_data = secret_data(desired);
    members
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "metadata" | "status" | "stringData"))
        .any(|(name, value)| {
            let value = match (&desired_data, name.as_str()) {
                (Some(data), "data") => data,
                _ => value,
            };
            member_differs(name, value, live.get(name))
        })
        || metadata_differs(desired, live)
}

fn metadata_differs(desired: &Value, live: &Value) -> bool {
    ["labels", "annotations"].iter().any(|name| {
        let of = |document: &Value| document["metadata"].get(name).cloned();
        of(desired).is_some_and(|wanted| member_differs(name, &wanted, of(live).as_ref()))
    })
}

/// `data` of a Secret with `stringData` folded in, as the server stores it.
fn secret_data(desired: &Value) -> Option<Value> {
    let plain = desired.get("stringData")?.as_object()?;
    let mut data = desired
        .get("data")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_else(Map::new);
    for (key, value) in plain {
        let encoded =
            base64::engine::general_purpose::STANDARD.encode(value.as_str().unwrap_or_default());
        data.insert(key.clone(), encoded.into());
    }
    Some(Value::Object(data))
}

fn member_differs(name: &str, desired: &Value, live: Option<&Value>) -> bool {
    match (desired, live) {
        (Value::Null, None) => false,
        (Value::Object(map), None) if map.is_empty() => false,
        (Value::Array(list), None) if list.is_empty() => false,
        (_, None) => true,
        (Value::Object(wanted), Some(live)) => wanted
            .iter()
            .any(|(name, value)| member_differs(name, value, live.get(name))),
        (Value::Array(wanted), Some(Value::Array(live))) => list_differs(name, wanted, live),
        (wanted, Some(live)) => wanted != live,
    }
}

fn list_differs(name: &str, wanted: &[Value], live: &[Value]) -> bool {
    let key = (!ATOMIC.contains(&name))
        .then(|| {
            LIST_KEYS
                .iter()
                .find(|key| !wanted.is_empty() && wanted.iter().all(|v| v.get(**key).is_some()))
        })
        .flatten();
    match key {
        Some(key) => wanted.iter().any(|element| {
            let same = live.iter().find(|l| l.get(*key) == element.get(*key));
            same.is_none_or(|live| member_differs("", element, Some(live)))
        }),
        None => {
            wanted.len() != live.len()
                || wanted
                    .iter()
                    .zip(live)
                    .any(|(w, l)| member_differs("", w, Some(l)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployment() -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "ingress", "labels": {"app": "ingress"}, "annotations": {"t": "id"}},
            "spec": {"replicas": 3, "template": {"spec": {"containers": [
                {"name": "proxy", "image": "proxy:4.10.1", "env": [{"name": "A", "value": "1"}]}]}}},
        })
    }

    /// The same with what servers and controllers add.
    fn live() -> Value {
        let mut live = deployment();
        live["metadata"]["uid"] = json!("x");
        live["metadata"]["labels"]["added"] = json!("by somebody");
        live["spec"]["strategy"] = json!({"type": "RollingUpdate"});
        live["spec"]["template"]["spec"]["containers"][0]["terminationMessagePath"] =
            json!("/dev/termination-log");
        live["status"] = json!({"replicas": 3});
        live
    }

    #[test]
    fn what_servers_and_controllers_add_is_no_difference() {
        assert!(!differs(&deployment(), &live()));
    }

    #[test]
    fn a_changed_field_a_lost_label_and_an_image_are_differences() {
        let edits: [fn(&mut Value); 4] = [
            |l| l["spec"]["replicas"] = json!(1),
            |l| l["metadata"]["labels"] = json!({"added": "x"}),
            |l| l["spec"]["template"]["spec"]["containers"][0]["image"] = json!("proxy:4.9.0"),
            |l| l["metadata"]["annotations"]["t"] = json!("other"),
        ];
        for edit in edits {
            let mut live = live();
            edit(&mut live);
            assert!(differs(&deployment(), &live), "{live}");
        }
    }

    #[test]
    fn an_added_element_of_a_keyed_list_is_no_difference_and_a_changed_one_is() {
        let mut live = live();
        let env = &mut live["spec"]["template"]["spec"]["containers"][0]["env"];
        env.as_array_mut()
            .unwrap()
            .insert(0, json!({"name": "B", "value": "2"}));
        assert!(!differs(&deployment(), &live));
        live["spec"]["template"]["spec"]["containers"][0]["env"][1]["value"] = json!("9");
        assert!(differs(&deployment(), &live));
    }

    #[test]
    fn plain_lists_are_compared_whole() {
        let role = json!({"kind": "Role", "rules": [{"verbs": ["get"]}]});
        let more = json!({"kind": "Role", "rules": [{"verbs": ["get"]}, {"verbs": ["list"]}]});
        assert!(differs(&role, &more));
        assert!(!differs(&role, &role));
    }

    #[test]
    fn string_data_equals_its_encoded_form() {
        let desired = json!({"kind": "Secret", "stringData": {"user": "demo"}});
        assert!(!differs(
            &desired,
            &json!({"kind": "Secret", "data": {"user": "ZGVtbw=="}})
        ));
        let with_data = json!({"kind": "Secret", "data": {"a": "eA=="}, "stringData": {"a": "y"}});
        assert!(differs(
            &with_data,
            &json!({"kind": "Secret", "data": {"a": "eA=="}})
        ));
    }

    #[test]
    fn null_and_empty_in_git_for_nothing_live_is_no_difference() {
        let desired = json!({"kind": "Role", "spec": {"a": null, "b": {}, "c": []}});
        assert!(!differs(&desired, &json!({"kind": "Role", "spec": {}})));
    }
}
