//! The difference of two objects as Flux reports it: JSON patch operations that would make the second out of the first.

use serde_json::{Map, Value, json};

/// One operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// `add`, `replace` or `remove`.
    pub op: &'static str,
    /// A JSON pointer.
    pub path: String,
    /// What was there.
    pub old: Option<Value>,
    /// What will be there.
    pub new: Option<Value>,
}

impl Operation {
    /// As Flux writes it.
    pub fn to_json(&self) -> Value {
        let mut written = Map::new();
        written.insert("op".to_owned(), json!(self.op));
        written.insert("path".to_owned(), json!(self.path));
        if let Some(old) = self.old.as_ref().filter(|_| self.op == "replace") {
            written.insert("old_value".to_owned(), old.clone());
        }
        if let Some(new) = &self.new {
            written.insert("value".to_owned(), new.clone());
        }
        Value::Object(written)
    }
}

/// What a reconciliation would change in the existing object: labels and annotations that are added or changed, and all outside metadata
/// and status. Labels and annotations that others added stay.
pub fn between(existing: &Value, wanted: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    compare(
        &marks(existing),
        &marks(wanted),
        &mut String::new(),
        &mut operations,
    );
    operations.retain(|operation| operation.op != "remove");
    compare(
        &body(existing),
        &body(wanted),
        &mut String::new(),
        &mut operations,
    );
    operations
}

/// Only labels and annotations.
fn marks(object: &Value) -> Value {
    let mut metadata = Map::new();
    for key in ["annotations", "labels"] {
        if let Some(map) = object.get("metadata").and_then(|m| m.get(key)) {
            metadata.insert(key.to_owned(), map.clone());
        }
    }
    if metadata.is_empty() {
        return json!({});
    }
    json!({ "metadata": metadata })
}

fn body(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(map) = object.as_object_mut() {
        map.remove("metadata");
        map.remove("status");
    }
    object
}

fn compare(old: &Value, new: &Value, path: &mut String, found: &mut Vec<Operation>) {
    match (old, new) {
        _ if old == new => {}
        (Value::Object(own), Value::Object(other)) => objects(own, other, path, found),
        (Value::Array(own), Value::Array(other)) => lists(own, other, path, found),
        _ => found.push(Operation {
            op: "replace",
            path: path.clone(),
            old: Some(old.clone()),
            new: Some(new.clone()),
        }),
    }
}

fn objects(
    own: &Map<String, Value>,
    other: &Map<String, Value>,
    path: &mut String,
    found: &mut Vec<Operation>,
) {
    let mut names: Vec<&String> = own.keys().chain(other.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let step = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        at(path, &step, |path| match (own.get(name), other.get(name)) {
            (Some(old), Some(new)) => compare(old, new, path, found),
            (old, new) => found.push(one_sided(path, old, new)),
        });
    }
}

fn lists(own: &[Value], other: &[Value], path: &mut String, found: &mut Vec<Operation>) {
    for (index, (old, new)) in own.iter().zip(other).enumerate() {
        at(path, &format!("/{index}"), |path| {
            compare(old, new, path, found)
        });
    }
    for old in own.iter().skip(other.len()) {
        // Each removal moves the rest up.
        let step = format!("/{}", other.len());
        at(path, &step, |path| {
            found.push(one_sided(path, Some(old), None))
        });
    }
    for new in other.iter().skip(own.len()) {
        at(path, "/-", |path| {
            found.push(one_sided(path, None, Some(new)))
        });
    }
}

fn one_sided(path: &str, old: Option<&Value>, new: Option<&Value>) -> Operation {
    Operation {
        op: if new.is_some() { "add" } else { "remove" },
        path: path.to_owned(),
        old: old.cloned(),
        new: new.cloned(),
    }
}

/// Runs with the path one step further.
fn at(path: &mut String, step: &str, run: impl FnOnce(&mut String)) {
    let length = path.len();
    path.push_str(step);
    run(path);
    path.truncate(length);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_others_stay_and_the_body_is_compared_whole() {
        let live = json!({"metadata": {"labels": {"a/b": "1", "theirs": "x"}, "uid": "u"}, "spec": {"list": [1, 2, 3], "gone": 1}, "status": {"x": 1}});
        let git =
            json!({"metadata": {"labels": {"a/b": "2"}}, "spec": {"list": [1, 5], "new": {}}});
        let written: Vec<Value> = between(&live, &git)
            .iter()
            .map(Operation::to_json)
            .collect();
        assert_eq!(
            Value::Array(written),
            json!([
                {"op": "replace", "path": "/metadata/labels/a~1b", "old_value": "1", "value": "2"},
                {"op": "remove", "path": "/spec/gone"},
                {"op": "replace", "path": "/spec/list/1", "old_value": 2, "value": 5},
                {"op": "remove", "path": "/spec/list/2"},
                {"op": "add", "path": "/spec/new", "value": {}},
            ])
        );
    }
}
