//! Which objects an ignore rule is about: regular expressions on what an object is called, label expressions on what it carries.

use regex::Regex;
use serde_json::Value;

use crate::domain::safe::escape;

/// A selector; what it leaves out matches everything.
#[derive(Clone, Debug, Default)]
pub struct Selector {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: Vec<Requirement>,
    annotations: Vec<Requirement>,
}

/// One requirement on labels or annotations.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    Exists(String),
    Absent(String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
}

impl Selector {
    /// Reads a selector in the form of a rule's `target`; field names in any case of their first letter.
    ///
    /// # Errors
    /// An expression that is none, in a sentence.
    pub fn parse(target: &Value) -> Result<Self, String> {
        let text = |key: &str| {
            let mut upper = key.to_owned();
            if let Some(first) = upper.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            let found = target.get(key).or_else(|| target.get(&upper));
            found.and_then(Value::as_str).unwrap_or_default()
        };
        Ok(Self {
            group: whole(text("group"))?,
            version: whole(text("version"))?,
            kind: whole(text("kind"))?,
            name: whole(text("name"))?,
            namespace: whole(text("namespace"))?,
            labels: requirements(text("labelSelector"))?,
            annotations: requirements(text("annotationSelector"))?,
        })
    }

    /// Whether an object is meant.
    pub fn matches(&self, object: &Value) -> bool {
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (group, version) = text("/apiVersion")
            .split_once('/')
            .unwrap_or(("", text("/apiVersion")));
        let carried = |place: &str| object.get("metadata").and_then(|m| m.get(place));
        fits(self.namespace.as_ref(), text("/metadata/namespace"))
            && fits(self.name.as_ref(), text("/metadata/name"))
            && fits(self.group.as_ref(), group)
            && fits(self.version.as_ref(), version)
            && fits(self.kind.as_ref(), text("/kind"))
            && self.labels.iter().all(|r| r.holds(carried("labels")))
            && self
                .annotations
                .iter()
                .all(|r| r.holds(carried("annotations")))
    }
}

fn fits(pattern: Option<&Regex>, text: &str) -> bool {
    pattern.is_none_or(|pattern| pattern.is_match(text))
}

/// A pattern for the whole text; none when it is empty.
fn whole(pattern: &str) -> Result<Option<Regex>, String> {
    if pattern.is_empty() {
        return Ok(None);
    }
    Regex::new(&format!("^(?:{pattern})$"))
        .map(Some)
        .map_err(|_| format!("`{}` is no regular expression", escape(pattern)))
}

impl Requirement {
    fn holds(&self, carried: Option<&Value>) -> bool {
        let value = |key: &str| carried.and_then(|map| map.get(key)).and_then(Value::as_str);
        let among = |values: &[String], own: &str| values.iter().any(|v| v == own);
        match self {
            Self::Exists(key) => value(key).is_some(),
            Self::Absent(key) => value(key).is_none(),
            Self::In(key, values) => value(key).is_some_and(|own| among(values, own)),
            Self::NotIn(key, values) => value(key).is_none_or(|own| !among(values, own)),
        }
    }
}

/// Reads a label expression: `a=b,c!=d,e in (f, g),h notin (i),j,!k`.
fn requirements(text: &str) -> Result<Vec<Requirement>, String> {
    let parts = split_outside_brackets(text);
    let parts = parts
        .iter()
        .map(|part| part.trim())
        .filter(|p| !p.is_empty());
    parts.map(requirement).collect()
}

fn split_outside_brackets(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    text.split(move |c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
    .collect()
}

fn requirement(part: &str) -> Result<Requirement, String> {
    if let Some(key) = part.strip_prefix('!') {
        return key_of(key).map(Requirement::Absent);
    }
    if let Some(inner) = part.strip_suffix(')') {
        return among(inner, part);
    }
    for (sign, equal) in [("!=", false), ("==", true), ("=", true)] {
        if let Some((key, value)) = part.split_once(sign) {
            let (key, values) = (key_of(key)?, vec![value.trim().to_owned()]);
            return Ok(if equal {
                Requirement::In(key, values)
            } else {
                Requirement::NotIn(key, values)
            });
        }
    }
    key_of(part).map(Requirement::Exists)
}

/// `key in (a, b` and `key notin (a, b`.
fn among(inner: &str, part: &str) -> Result<Requirement, String> {
    let wrong = || format!("`{}` is no label expression", escape(part));
    let (head, values) = inner.split_once('(').ok_or_else(wrong)?;
    let (key, word) = head
        .trim()
        .rsplit_once(char::is_whitespace)
        .ok_or_else(wrong)?;
    let key = key_of(key)?;
    let values = values.split(',').map(|v| v.trim().to_owned()).collect();
    match word {
        "in" => Ok(Requirement::In(key, values)),
        "notin" => Ok(Requirement::NotIn(key, values)),
        _ => Err(wrong()),
    }
}

fn key_of(text: &str) -> Result<String, String> {
    let key = text.trim();
    if key.is_empty() || key.contains(char::is_whitespace) || key.contains(['(', ')', '=', '!']) {
        return Err(format!("`{}` is no label key", escape(text)));
    }
    Ok(key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_matched_whole_and_labels_by_expression() {
        let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "edge-microservice", "namespace": "edge", "labels": {"tier": "web"}}});
        let matches = |target: Value| Selector::parse(&target).unwrap().matches(&object);
        assert!(matches(json!({})));
        assert!(matches(json!({"name": "edge-.*", "group": "apps"})));
        assert!(!matches(json!({"name": "edge"})));
        assert!(matches(
            json!({"labelSelector": "tier in (web, api),!canary,zone notin (a)"})
        ));
        assert!(!matches(json!({"labelSelector": "tier!=web"})));
        assert!(!matches(json!({"labelSelector": "tier,zone"})));
        assert!(Selector::parse(&json!({"name": "("})).is_err());
        assert!(Selector::parse(&json!({"labelSelector": "a near (b)"})).is_err());
    }
}
