//! Finds the place that a readable path means in a document: `spec.containers[name=app].image`.

use serde_json::Value;

use crate::domain::safe::escape;

/// The JSON pointer of a readable path, as `drift::path` writes it, when the document has that place.
///
/// Keys may hold dots (`metadata.labels["app.kubernetes.io/name"]`). A selector is `[name=app]`, several fields separated by commas, `[3]` for an
/// index, or the value itself in a set.
pub fn locate(path: &str, document: &Value) -> Option<String> {
    let mut pointer = String::new();
    walk(path, document, &mut pointer).then_some(pointer)
}

fn walk(path: &str, value: &Value, pointer: &mut String) -> bool {
    let path = path.strip_prefix('.').unwrap_or(path);
    if path.is_empty() {
        return true;
    }
    match value {
        Value::Object(map) => {
            let mut fitting: Vec<(&str, &str)> = map
                .keys()
                .filter_map(|k| after(path, k).map(|rest| (k.as_str(), rest)))
                .collect();
            fitting.sort_by_key(|(key, _)| usize::MAX - key.len());
            fitting.into_iter().any(|(key, rest)| {
                let escaped = key.replace('~', "~0").replace('/', "~1");
                map.get(key)
                    .is_some_and(|inner| step(rest, inner, &escaped, pointer))
            })
        }
        Value::Array(list) => {
            let Some((selector, rest)) = path.strip_prefix('[').and_then(|p| p.split_once(']'))
            else {
                return false;
            };
            let found = list
                .iter()
                .enumerate()
                .find(|(i, item)| selects(selector, *i, item));
            found.is_some_and(|(i, item)| step(rest, item, &i.to_string(), pointer))
        }
        _ => false,
    }
}

fn step(rest: &str, inner: &Value, segment: &str, pointer: &mut String) -> bool {
    let length = pointer.len();
    pointer.push('/');
    pointer.push_str(segment);
    let found = walk(rest, inner, pointer);
    if !found {
        pointer.truncate(length);
    }
    found
}

/// What follows a key at the beginning of a path; the key may be written in brackets and quotes, and its control characters as pictures.
fn after<'p>(path: &'p str, key: &str) -> Option<&'p str> {
    let key = escape(key);
    if let Some(rest) = path.strip_prefix(&*key)
        && (rest.is_empty() || rest.starts_with(['.', '[']))
    {
        return Some(rest);
    }
    let inside = path.strip_prefix("[\"")?.strip_prefix(&*key)?;
    inside.strip_prefix("\"]")
}

fn selects(selector: &str, index: usize, item: &Value) -> bool {
    if !item.is_object() && text(item) == selector.trim_matches('"') {
        return true;
    }
    if let Ok(wanted) = selector.parse::<usize>() {
        return wanted == index;
    }
    item.is_object()
        && selector.split(',').all(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let found = item.get(key.trim()).map(text);
            found.is_some_and(|found| found == value.trim().trim_matches('"'))
        })
}

fn text(value: &Value) -> String {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    escape(&text).into_owned()
}

/// A place further up: the path without its last step.
pub(super) fn parent(path: &str) -> Option<&str> {
    let end = path.rfind(['.', '['])?;
    path.get(..end)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment() -> Value {
        json!({
            "metadata": {"labels": {"app.kubernetes.io/name": "web", "app": {"kubernetes": "odd"}}, "finalizers": ["a", "b"]},
            "spec": {"containers": [{"name": "app", "image": "a:1", "ports": [{"containerPort": 80, "protocol": "TCP"}]}]}
        })
    }

    #[test]
    fn plain_keys_selectors_and_indexes_lead_there() {
        for (path, pointer) in [
            (
                "spec.containers[name=app].image",
                "/spec/containers/0/image",
            ),
            ("spec.containers[0].image", "/spec/containers/0/image"),
            (
                "spec.containers[name=app].ports[containerPort=80,protocol=TCP]",
                "/spec/containers/0/ports/0",
            ),
            ("metadata.finalizers[b]", "/metadata/finalizers/1"),
            (
                "metadata.labels.app.kubernetes.io/name",
                "/metadata/labels/app.kubernetes.io~1name",
            ),
            (
                "metadata.labels[\"app.kubernetes.io/name\"]",
                "/metadata/labels/app.kubernetes.io~1name",
            ),
            (
                "metadata.labels.app.kubernetes",
                "/metadata/labels/app/kubernetes",
            ),
        ] {
            assert_eq!(
                locate(path, &deployment()).as_deref(),
                Some(pointer),
                "{path}"
            );
        }
    }

    #[test]
    fn a_path_that_is_not_there_leads_nowhere() {
        for path in [
            "spec.replicas",
            "spec.containers[name=log].image",
            "spec.containers.image",
            "metadata.label",
        ] {
            assert_eq!(locate(path, &deployment()), None, "{path}");
        }
    }
}
