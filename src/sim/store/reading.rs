//! From a client's document to the server's: decoded against the kind's table, with refusals worded as the server words them.

use serde_json::{Value, json};

use super::{ApiStatus, Cause, FieldValidation, Kind};
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
    let bare = json!({"apiVersion": kind.api_version(), "kind": kind.kind});
    if kind.custom {
        return bare;
    }
    decode(bare, &type_of(kind), false).document
}

/// Reads a document. `patched` is the patch it came from, which the server shows when it refuses.
pub(crate) fn read(
    kind: &Kind,
    document: Value,
    validation: FieldValidation,
    patched: Option<&Value>,
) -> Result<Reading, ApiStatus> {
    let name = document["metadata"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let decoded = decode(document, &type_of(kind), kind.custom);
    refuse(kind, &name, &decoded, patched)?;
    let unknown: Vec<String> = decoded
        .unknown
        .iter()
        .map(|path| format!("unknown field \"{path}\""))
        .collect();
    if validation == FieldValidation::Strict && !unknown.is_empty() {
        let why = format!("strict decoding error: {}", unknown.join(", "));
        return Err(not_handled(kind, &why, patched));
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

fn refuse(
    kind: &Kind,
    name: &str,
    decoded: &Decoded,
    patched: Option<&Value>,
) -> Result<(), ApiStatus> {
    if decoded.wrong.is_empty() {
        return Ok(());
    }
    if kind.custom {
        let causes: Vec<Cause> = decoded.wrong.iter().map(cause).collect();
        return Err(ApiStatus::invalid(kind, name, &causes));
    }
    match decoded.wrong.first() {
        Some(wrong) => Err(not_handled(kind, &why(wrong), patched)),
        None => Ok(()),
    }
}

fn not_handled(kind: &Kind, why: &str, patched: Option<&Value>) -> ApiStatus {
    match patched {
        Some(patch) => ApiStatus::invalid_patch(&format!("{:?}", patch.to_string()), why),
        None => ApiStatus::bad_request(format!(
            "{} in version \"{}\" cannot be handled as a {}: {why}",
            kind.kind, kind.version, kind.kind
        )),
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::store::KindSet;

    fn refused(api_version: &str, kind: &str, spec: &Value) -> ApiStatus {
        let kind = KindSet::bare()
            .with_argo()
            .by_kind(api_version, kind)
            .unwrap();
        let document = json!({"apiVersion": api_version, "kind": kind.kind, "metadata": {"name": "web"}, "spec": spec});
        match read(kind, document, FieldValidation::Strict, None) {
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
