//! `RespectIgnoreDifferences=true`: what is applied keeps the live value of every field that does not count.
//!
//! Argo CD (`controller/sync.go`, `normalizeTargetResources`) takes what is ignored out of both sides, and puts the live object's own values of it
//! into what Git wants. A server-side apply would give such fields up if they were simply left out.

use serde_json::Value;

use super::argo::trusted::without_trusted;
use super::ignore::ObjectRules;
use super::merge::{MergeError, json, strategic};
use super::schema::{Shape, is_scheme_kind};
use super::ssa;
use crate::domain::Gvk;

/// What Git wants, with the live values where the rules say that differences do not count.
pub fn respecting(wanted: &Value, live: &Value, rules: &ObjectRules<'_>) -> Value {
    if rules.is_empty() {
        return wanted.clone();
    }
    let managers: Vec<&str> = rules.managers().collect();
    let trusted = without_trusted(live, wanted, &managers, ssa::schema_of(wanted, None));
    let (mut live_left, mut wanted_left) = trusted
        .ok()
        .flatten()
        .unwrap_or_else(|| (live.clone(), wanted.clone()));
    rules.strip(&mut live_left);
    rules.strip(&mut wanted_left);
    // A list that cannot be merged by keys is kept as it is live: better too much kept than a field overwritten that must not be.
    merged(&wanted_left, &live_left, live)
        .unwrap_or_else(|_| json::apply(&wanted_left, &json::difference(&live_left, live)))
}

/// `wanted` with what brings `from` to `to`.
fn merged(wanted: &Value, from: &Value, to: &Value) -> Result<Value, MergeError> {
    let text = |key: &str| wanted.get(key).and_then(Value::as_str).unwrap_or_default();
    let gvk = Gvk::from_api_version(text("apiVersion"), text("kind"));
    if !is_scheme_kind(&gvk) {
        return Ok(json::apply(wanted, &json::difference(from, to)));
    }
    let shape = Shape::of(&gvk);
    let patch = strategic::two_way(from, to, shape)?;
    strategic::apply(wanted, &patch, shape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ObjectRef;
    use crate::drift::IgnoreRules;
    use pretty_assertions::assert_eq;
    use serde_json::json;

    fn respected(wanted: &Value, live: &Value, rules: &Value) -> Value {
        let rules = IgnoreRules::from_spec(rules);
        let object = ObjectRef::of(wanted).unwrap();
        respecting(wanted, live, &rules.for_object(&object))
    }

    fn deployment(replicas: i64, image: &str, proxy: Option<&str>) -> Value {
        let mut containers = vec![json!({"name": "app", "image": image})];
        containers.extend(proxy.map(|image| json!({"name": "proxy", "image": image})));
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {"replicas": replicas, "template": {"spec": {"containers": containers}}}})
    }

    #[test]
    fn ignored_fields_keep_their_live_values_and_the_rest_is_gits() {
        let (wanted, live) = (
            deployment(2, "app:1", Some("proxy:1")),
            deployment(7, "app:9", Some("proxy:9")),
        );
        let rules = json!([{"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"],
            "jqPathExpressions": [".spec.template.spec.containers[] | select(.name == \"proxy\") | .image"]}]);
        assert_eq!(
            respected(&wanted, &live, &rules),
            deployment(7, "app:1", Some("proxy:9"))
        );
        assert_eq!(respected(&wanted, &live, &json!([])), wanted);
    }

    #[test]
    fn what_a_trusted_manager_owns_stays_as_it_is() {
        let wanted = deployment(2, "app:1", None);
        let mut live = deployment(7, "app:9", None);
        live["metadata"]["managedFields"] = json!([{"manager": "keda", "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}}}]);
        let rules = json!([{"group": "*", "kind": "*", "managedFieldsManagers": ["keda"]}]);
        assert_eq!(
            respected(&wanted, &live, &rules),
            deployment(7, "app:1", None)
        );
    }

    #[test]
    fn fields_of_custom_kinds_are_kept_too() {
        let tunnel = |mode: &str, mtu: i64| json!({"apiVersion": "edge.example/v1", "kind": "Tunnel", "metadata": {"name": "up"}, "spec": {"mode": mode, "mtu": mtu}});
        let rules =
            json!([{"group": "edge.example", "kind": "Tunnel", "jsonPointers": ["/spec/mtu"]}]);
        assert_eq!(
            respected(&tunnel("auto", 1500), &tunnel("manual", 1400), &rules),
            tunnel("auto", 1400)
        );
    }
}
