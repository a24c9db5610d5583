//! Finds the place that a readable path means in a document: `spec.containers[name=app].image`.

use serde_json::Value;

/// The JSON pointer of a readable path, when the document has that place.
///
/// Keys may hold dots (`metadata.labels.app.kubernetes.io/name`): the longest key that fits is taken. A selector is `[name=app]`, several fields
/// separated by commas, `[3]` for an index, or `[=value]` for an item that is the value itself.
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

/// What follows a key at the beginning of a path; the key may be written in brackets and quotes.
fn after<'p>(path: &'p str, key: &str) -> Option<&'p str> {
    if let Some(rest) = path.strip_prefix(key)
        && (rest.is_empty() || rest.starts_with(['.', '[']))
    {
        return Some(rest);
    }
    for quote in ['"', '\''] {
        let inside = path.strip_prefix('[').unwrap_or(path).strip_prefix(quote);
        if let Some(rest) = inside
            .and_then(|p| p.strip_prefix(key))
            .and_then(|p| p.strip_prefix(quote))
        {
            return Some(rest.strip_prefix(']').unwrap_or(rest));
        }
    }
    None
}

fn selects(selector: &str, index: usize, item: &Value) -> bool {
    if let Ok(wanted) = selector.parse::<usize>() {
        return wanted == index;
    }
    if let Some(value) = selector.strip_prefix('=') {
        return text(item) == value.trim_matches('"');
    }
    selector.split(',').all(|pair| match pair.split_once('=') {
        Some((key, value)) => item
            .get(key.trim())
            .is_some_and(|v| text(v) == value.trim_matches('"')),
        None => text(item) == pair.trim_matches('"'),
    })
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
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
            ("metadata.finalizers[=b]", "/metadata/finalizers/1"),
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
