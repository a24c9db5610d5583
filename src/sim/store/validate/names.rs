//! Names and labels that the server accepts.

use serde_json::Value;

use super::super::value::at;
use super::super::{Cause, Key};

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// Whether every part between dots is a label.
fn is_subdomain(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_label)
}

/// Lower case letters, digits and inner dashes.
pub(super) fn is_label(part: &str) -> bool {
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let bytes = part.as_bytes();
    bytes.iter().all(|c| plain(*c) || *c == b'-')
        && bytes.first().is_some_and(|c| plain(*c))
        && bytes.last().is_some_and(|c| plain(*c))
}

/// What is wrong with the object's name.
pub(super) fn name(key: &Key) -> Vec<Cause> {
    let name: &str = &key.name;
    let right = match (key.kind.group, key.kind.kind) {
        // Any path segment will do.
        ("rbac.authorization.k8s.io", _) => !name.contains(['/', '%']),
        ("", "Namespace" | "Service") => is_label(name) && name.len() <= 63,
        _ => is_subdomain(name),
    };
    if right {
        return Vec::new();
    }
    let rule = match key.kind.kind {
        "Namespace" | "Service" => LABEL,
        _ => SUBDOMAIN,
    };
    vec![Cause::invalid("metadata.name", &format!("{name:?}"), rule)]
}

/// What is wrong with the object's labels.
pub(super) fn labels(document: &Value) -> Vec<Cause> {
    let labels = at(document, &["metadata", "labels"]).and_then(Value::as_object);
    let values = labels.into_iter().flatten().filter_map(|(_, v)| v.as_str());
    values
        .filter(|value| !is_label_value(value))
        .map(|value| Cause::invalid("metadata.labels", &format!("{value:?}"), VALUE))
        .collect()
}

fn is_label_value(value: &str) -> bool {
    let bytes = value.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    value.len() <= 63
        && bytes
            .iter()
            .all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(c))
        && ends.iter().flatten().all(|c| c.is_ascii_alphanumeric())
}
