//! From a client's document to the server's: decoded against the kind's table, with refusals worded as the server words them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{ApiStatus, Cause, FieldValidation, Kind, KindSet};
use crate::sim::schema::{Decoded, Fault, Type, Wrong, decode, of_kind};

/// A document as the server holds it, and the warnings about what it dropped.
pub(crate) struct Reading {
    pub(crate) document: Value,
    pub(crate) warnings: Vec<String>,
}

/// The type of a kind.
pub(crate) fn type_of(kind: &Kind) -> Type {
    of_kind(kind.kind)
}

/// The document of a kind before anybody wrote anything: what a create is compared with.
pub(crate) fn empty(kind: &Kind) -> Value {
    static EMPTIES: LazyLock<BTreeMap<&str, Value>> = LazyLock::new(|| {
        let built_in = KindSet::bare();
        let bare = |k: &Kind| decode(envelope(k), &type_of(k), false).document;
        built_in.iter().map(|k| (k.kind, bare(k))).collect()
    });
    if kind.custom {
        return envelope(kind);
    }
    EMPTIES.get(kind.kind).cloned().unwrap_or_default()
}

fn envelope(kind: &Kind) -> Value {
    json!({"apiVersion": kind.api_version(), "kind": kind.kind})
}

/// Where a document comes from; the server words its refusals by that.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'a> {
    /// The body of the request.
    Body,
    /// A JSON or merge patch: the whole result is shown.
    Patched,
    /// A strategic merge patch, which is shown itself.
    Strategic(&'a Value),
}

/// Reads a document.
pub(crate) fn read(
    kind: &Kind,
    document: Value,
    validation: FieldValidation,
    source: Source<'_>,
) -> Result<Reading, ApiStatus> {
    let name = document["metadata"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let shown = match source {
        Source::Patched => document.to_string(),
        _ => String::new(),
    };
    let decoded = decode(document, &type_of(kind), kind.custom);
    let refusal = Refusal {
        kind,
        source,
        shown: &shown,
    };
    refusal.check(&name, &decoded)?;
    let unknown: Vec<String> = decoded
        .unknown
        .iter()
        .map(|path| format!("unknown field \"{path}\""))
        .collect();
    if validation == FieldValidation::Strict && !unknown.is_empty() {
        let why = format!("strict decoding error: {}", unknown.join(", "));
        return Err(refusal.not_handled(&why));
    }
    let warnings = match validation {
        FieldValidation::Warn => unknown,
        _ => Vec::new(),
    };
    Ok(Reading {
        document: decoded.document,
        warnings,
    })
}

/// How a document is refused.
struct Refusal<'a> {
    kind: &'a Kind,
    source: Source<'a>,
    shown: &'a str,
}

impl Refusal<'_> {
    fn check(&self, name: &str, decoded: &Decoded) -> Result<(), ApiStatus> {
        let Some(first) = decoded.wrong.first() else {
            return Ok(());
        };
        if self.kind.custom {
            let causes: Vec<Cause> = decoded.wrong.iter().map(cause).collect();
            return Err(ApiStatus::invalid(self.kind, name, &causes));
        }
        let why = match self.source {
            Source::Strategic(_) => why_not_restored(first),
            _ => why(first),
        };
        Err(self.not_handled(&why))
    }

    fn not_handled(&self, why: &str) -> ApiStatus {
        match self.source {
            Source::Strategic(patch) => {
                ApiStatus::invalid_patch(&format!("{:?}", go_map(patch)), why)
            }
            Source::Patched => ApiStatus::invalid_patch(&format!("{:?}", self.shown), why),
            Source::Body => ApiStatus::bad_request(format!(
                "{} in version \"{}\" cannot be handled as a {}: {why}",
                self.kind.kind, self.kind.version, self.kind.kind
            )),
        }
    }
}

/// A document as Go prints a map.
fn go_map(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let members = map.iter().map(|(k, v)| format!("{k}:{}", go_map(v)));
            format!("map[{}]", members.collect::<Vec<_>>().join(" "))
        }
        Value::Array(list) => {
            let elements: Vec<String> = list.iter().map(go_map).collect();
            format!("[{}]", elements.join(" "))
        }
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".to_owned(),
        other => other.to_string(),
    }
}

/// The words of the converter that strategic patches go through.
fn why_not_restored(wrong: &Wrong) -> String {
    let Fault::Type(found, wanted, own) = &wrong.fault else {
        return why(wrong);
    };
    let found = match *found {
        "integer" => "int64",
        "number" => "float64",
        "boolean" => "bool",
        "array" => "slice",
        "object" => "map",
        other => other,
    };
    match *wanted {
        "object" if own.starts_with("map") => format!("cannot restore map from {found}"),
        "object" => format!("cannot restore struct from: {found}"),
        "array" => format!("cannot restore slice from {found}"),
        "string" => format!("cannot convert {found} to string"),
        _ => format!("unrecognized type: {own}"),
    }
}

/// The decoder's words for a built-in kind.
fn why(wrong: &Wrong) -> String {
    match &wrong.fault {
        Fault::Type(found, _, wanted) => {
            let found = match *found {
                "boolean" => "bool",
                "integer" => "number",
                other => other,
            };
            let path = without_indexes(&wrong.path);
            format!(
                "json: cannot unmarshal {found} into Go struct field {}.{path} of type {wanted}",
                wrong.owner
            )
        }
        Fault::Quantity => "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'".to_owned(),
        Fault::Base64(at) => format!("illegal base64 data at input byte {at}"),
        Fault::Time(text) => format!(
            "parsing time {text:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {text:?} as \"2006\""
        ),
        Fault::Missing => format!("missing required field \"{}\"", wrong.path),
        Fault::Choice(value, _) => format!("{}: unsupported value {value}", wrong.path),
    }
}

fn without_indexes(path: &str) -> String {
    let mut inside = false;
    path.chars()
        .filter(|c| {
            inside = (inside || *c == '[') && *c != ']';
            !inside && *c != ']'
        })
        .collect()
}

/// The validator's words for a custom kind.
fn cause(wrong: &Wrong) -> Cause {
    let path = wrong.path.as_str();
    match &wrong.fault {
        Fault::Type(found, wanted, _) => Cause::type_invalid(
            path,
            &format!("\"{found}\""),
            &format!("{path} in body must be of type {wanted}: \"{found}\""),
        ),
        Fault::Choice(value, choices) => {
            let choices: Vec<&str> = choices.iter().map(String::as_str).collect();
            Cause::not_supported(path, &value.to_string(), &choices)
        }
        Fault::Missing => Cause::required(path, ""),
        Fault::Quantity => Cause::invalid(path, "\"\"", "must be a quantity"),
        Fault::Base64(_) => {
            let why = format!("{path} in body must be of type byte");
            Cause::type_invalid(path, "\"\"", &why)
        }
        Fault::Time(text) => Cause::type_invalid(
            path,
            &format!("{text:?}"),
            &format!("{path} in body must be of type date-time: {text:?}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(api_version: &str, kind: &str, spec: &Value) -> ApiStatus {
        let kind = KindSet::bare()
            .with_argo()
            .by_kind(api_version, kind)
            .unwrap();
        let document = json!({"apiVersion": api_version, "kind": kind.kind, "metadata": {"name": "web"}, "spec": spec});
        match read(kind, document, FieldValidation::Strict, Source::Body) {
            Err(status) => status,
            Ok(_) => panic!("accepted"),
        }
    }

    #[test]
    fn a_wrong_type_of_a_built_in_kind_is_a_bad_request() {
        let status = refused("apps/v1", "Deployment", &json!({"replicas": "five"}));
        assert_eq!(status.code, 400);
        assert_eq!(
            status.message,
            "Deployment in version \"v1\" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
        );
    }

    #[test]
    fn a_wrong_type_of_a_custom_kind_names_the_field() {
        let spec = json!({"project": 5, "destination": {}});
        let status = refused("argoproj.io/v1alpha1", "Application", &spec);
        assert_eq!((status.code, status.reason), (422, "Invalid"));
        assert_eq!(
            status.message,
            "Application.argoproj.io \"web\" is invalid: spec.project: Invalid value: \"integer\": spec.project in body must be of type string: \"integer\""
        );
        let details = status.details.unwrap();
        assert_eq!(details["causes"][0]["field"], "spec.project");
    }

    #[test]
    fn an_unknown_field_fails_a_strict_request() {
        let status = refused("apps/v1", "Deployment", &json!({"replica": 3}));
        assert!(
            status
                .message
                .ends_with("strict decoding error: unknown field \"spec.replica\"")
        );
    }
}
