//! Takes entries out of a document by their readable paths, and says what a merge patch must hold to get there.

use serde_json::{Map, Value};

use crate::drift::path::{Path, Step};

/// One step into a document.
#[derive(Clone, Debug, PartialEq, Eq)]
enum At {
    Key(String),
    Index(usize),
}

/// The document without the values at the given readable paths; `None` when one of them is not found.
pub(super) fn without(document: &Value, paths: &[String]) -> Option<Value> {
    let mut places: Vec<Vec<At>> = paths
        .iter()
        .map(|path| find(document, &Path::root(), path))
        .collect::<Option<_>>()?;
    // Later entries of a list first, so that the earlier ones keep their places.
    places.sort_by_key(|place| std::cmp::Reverse(last_index(place)));
    let mut document = document.clone();
    for place in &places {
        remove(&mut document, place)?;
    }
    Some(document)
}

fn last_index(place: &[At]) -> usize {
    match place.last() {
        Some(At::Index(index)) => *index,
        _ => 0,
    }
}

fn remove(document: &mut Value, place: &[At]) -> Option<()> {
    let (last, way) = place.split_last()?;
    let mut holder = document;
    for step in way {
        holder = match step {
            At::Key(key) => holder.get_mut(key)?,
            At::Index(index) => holder.get_mut(index)?,
        };
    }
    match (holder, last) {
        (Value::Object(map), At::Key(key)) => map.remove(key).map(drop),
        (Value::Array(entries), At::Index(index)) if *index < entries.len() => {
            entries.remove(*index);
            Some(())
        }
        _ => None,
    }
}

/// Walks down as long as the readable path of where it is begins the wanted one.
fn find(value: &Value, here: &Path, wanted: &str) -> Option<Vec<At>> {
    if here.to_string() == wanted {
        return Some(Vec::new());
    }
    let down = |at: At, step: Step, child: &Value| {
        let there = here.with(step);
        begins(&there.to_string(), wanted)
            .then(|| find(child, &there, wanted))?
            .map(|mut place| {
                place.insert(0, at);
                place
            })
    };
    match value {
        Value::Object(map) => map
            .iter()
            .find_map(|(key, child)| down(At::Key(key.clone()), Step::Field(key.clone()), child)),
        Value::Array(list) => list.iter().enumerate().find_map(|(index, child)| {
            steps(index, child)
                .into_iter()
                .find_map(|step| down(At::Index(index), step, child))
        }),
        _ => None,
    }
}

fn begins(here: &str, wanted: &str) -> bool {
    wanted
        .strip_prefix(here)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Every step by which a list entry may be named: its position, its value, one of its fields, or two of them.
fn steps(index: usize, entry: &Value) -> Vec<Step> {
    let mut steps = vec![Step::Index(index)];
    let Some(map) = entry.as_object() else {
        steps.push(Step::Element(entry.clone()));
        return steps;
    };
    let named = |key: &String, value: &Value| (key.clone(), value.clone());
    let scalars: Vec<(&String, &Value)> = map
        .iter()
        .filter(|(_, v)| !v.is_object() && !v.is_array())
        .collect();
    for (key, value) in &scalars {
        steps.push(Step::Key(vec![named(key, value)]));
        let others = scalars.iter().filter(|(other, _)| other != key);
        steps.extend(
            others.map(|(other, second)| Step::Key(vec![named(key, value), named(other, second)])),
        );
    }
    steps
}

/// The merge patch that makes `to` of `from`.
pub(super) fn merge_patch(from: &Value, to: &Value) -> Value {
    match (from, to) {
        (Value::Object(from), Value::Object(to)) => Value::Object(merge_maps(from, to)),
        (_, to) => to.clone(),
    }
}

fn merge_maps(from: &Map<String, Value>, to: &Map<String, Value>) -> Map<String, Value> {
    let gone = from
        .keys()
        .filter(|key| !to.contains_key(*key))
        .map(|key| (key.clone(), Value::Null));
    let changed = to
        .iter()
        .filter(|(key, value)| from.get(*key) != Some(value));
    let changed = changed.map(|(key, value)| {
        (
            key.clone(),
            from.get(key)
                .map_or_else(|| value.clone(), |was| merge_patch(was, value)),
        )
    });
    gone.chain(changed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn pod() -> Value {
        json!({
            "metadata": {"labels": {"app.kubernetes.io/name": "web", "team": "edge"}, "finalizers": ["edge/hold", "edge/keep"]},
            "spec": {"containers": [
                {"name": "app", "env": [{"name": "A", "value": "1"}, {"name": "B"}, {"name": "C"}], "ports": [{"containerPort": 80, "protocol": "TCP"}, {"containerPort": 80, "protocol": "UDP"}], "args": ["x", "y"]},
                {"name": "side"}
            ]}
        })
    }

    fn stripped(paths: &[&str]) -> Option<Value> {
        without(
            &pod(),
            &paths.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>(),
        )
    }

    #[test]
    fn entries_named_by_one_key_two_keys_value_and_position_are_found() {
        let left = stripped(&[
            "spec.containers[name=app].env[name=B]",
            "spec.containers[name=app].ports[containerPort=80,protocol=UDP]",
            "metadata.finalizers[edge/keep]",
            "spec.containers[name=app].args[1]",
            "metadata.labels[\"app.kubernetes.io/name\"]",
        ])
        .unwrap();
        assert_eq!(
            left["spec"]["containers"][0]["env"],
            json!([{"name": "A", "value": "1"}, {"name": "C"}])
        );
        assert_eq!(
            left["spec"]["containers"][0]["ports"],
            json!([{"containerPort": 80, "protocol": "TCP"}])
        );
        assert_eq!(
            left["metadata"],
            json!({"labels": {"team": "edge"}, "finalizers": ["edge/hold"]})
        );
        assert_eq!(left["spec"]["containers"][0]["args"], json!(["x"]));
    }

    #[test]
    fn several_entries_of_one_list_go_together() {
        let left = stripped(&[
            "spec.containers[name=app].env[name=A]",
            "spec.containers[name=app].env[name=C]",
        ])
        .unwrap();
        assert_eq!(left["spec"]["containers"][0]["env"], json!([{"name": "B"}]));
    }

    #[test]
    fn a_path_that_leads_nowhere_strips_nothing() {
        assert_eq!(stripped(&["spec.containers[name=app].env[name=Z]"]), None);
        assert_eq!(stripped(&["spec.contain"]), None);
    }

    #[test]
    fn a_merge_patch_names_only_what_changes() {
        let (from, to) = (
            json!({"a": 1, "b": {"c": 2, "d": 3}, "e": [1]}),
            json!({"a": 1, "b": {"c": 2}, "e": [2], "f": true}),
        );
        assert_eq!(
            merge_patch(&from, &to),
            json!({"b": {"d": null}, "e": [2], "f": true})
        );
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            (0..9_i32).prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("[a-d]", inner, 0..4)
                    .prop_map(|map| map.into_iter().collect())
            ]
        })
    }

    proptest! {
        #[test]
        fn a_merge_patch_leads_there(from in documents(), to in documents()) {
            let mut made = from.clone();
            json_patch::merge(&mut made, &merge_patch(&from, &to));
            prop_assert_eq!(made, to);
        }
    }
}
