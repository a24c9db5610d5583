//! One file into its objects, with Argo CD's rules on what is a manifest and what is some other YAML.

use std::path::Path;

use serde_json::Value;

use crate::domain::{ObjectRef, Unjudged, UnjudgedReason};
use crate::drift::yaml::{self, Limits};

use super::unjudged;

/// A comment with this text makes Argo CD skip the whole file.
const SKIP_MARK: &str = "+argocd:skip-file-rendering";

/// Reads the objects of one file, in order.
///
/// A file that does not parse or holds a document without `kind` is an error only if it looks like a manifest; else it is some other YAML
/// (Helm values, a CI file) and counts for nothing. JSON files hold exactly one document.
///
/// # Errors
/// `BadManifest`, naming the file and, where the parser tells it, the line.
pub(super) fn objects(path: &str, bytes: &[u8], limits: &Limits) -> Result<Vec<Value>, Unjudged> {
    if contains(bytes, SKIP_MARK) {
        return Ok(Vec::new());
    }
    let json = Path::new(path).extension().is_some_and(|end| end == "json");
    let parsed = if json {
        one_json(bytes, limits)
    } else {
        several(bytes, limits)
    };
    let objects = match parsed {
        Ok(objects) => objects,
        Err(why) if json || looks_like_manifest(bytes) => return Err(bad(path, &why)),
        Err(_) => return Ok(Vec::new()),
    };
    objects
        .iter()
        .try_for_each(|object| check(object).map_err(|why| bad(path, &why)))?;
    Ok(objects)
}

/// Reads what a rendering program printed: every document is an object.
///
/// # Errors
/// `BadManifest`, naming the file that it was made from.
pub(super) fn printed(path: &str, bytes: &[u8], limits: &Limits) -> Result<Vec<Value>, Unjudged> {
    let wrong = |why: String| {
        unjudged(
            UnjudgedReason::BadManifest,
            format!(
                "What is rendered from `{path}` is no manifest: {why}. Correct it and push it."
            ),
        )
    };
    let objects = several(bytes, limits).map_err(wrong)?;
    objects
        .iter()
        .try_for_each(|object| check(object).map_err(wrong))?;
    Ok(objects)
}

fn several(bytes: &[u8], limits: &Limits) -> Result<Vec<Value>, String> {
    let objects = yaml::parse_documents(bytes, limits).map_err(|e| e.to_string())?;
    match objects.iter().position(|o| text(o, "/kind").is_empty()) {
        Some(at) => Err(format!("document {} has no kind", at + 1)),
        None => Ok(objects),
    }
}

fn one_json(bytes: &[u8], limits: &Limits) -> Result<Vec<Value>, String> {
    let documents = yaml::parse_values(bytes, limits).map_err(|e| e.to_string())?;
    if documents.len() > 1 {
        return Err("a .json file must hold one document".to_owned());
    }
    several(bytes, limits)
}

/// What every object needs before anything can be done with it.
fn check(object: &Value) -> Result<(), String> {
    let kind = text(object, "/kind");
    if text(object, "/apiVersion").is_empty() {
        return Err(format!("an object of kind {kind} has no apiVersion"));
    }
    if !object.pointer("/metadata").is_some_and(Value::is_object) {
        return Err(format!("an object of kind {kind} has no metadata"));
    }
    if ObjectRef::of(object).is_none_or(|o| o.name.is_empty())
        && text(object, "/metadata/generateName").is_empty()
    {
        return Err(format!("an object of kind {kind} has no name"));
    }
    Ok(())
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn looks_like_manifest(bytes: &[u8]) -> bool {
    ["apiVersion:", "kind:", "metadata:"]
        .iter()
        .all(|key| contains(bytes, key))
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

fn bad(path: &str, why: &str) -> Unjudged {
    unjudged(
        UnjudgedReason::BadManifest,
        format!("`{path}` cannot be read as a manifest: {why}. Correct the file and push it."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str, text: &str) -> Result<Vec<Value>, String> {
        objects(path, text.as_bytes(), &Limits::default()).map_err(|e| e.message.to_string())
    }

    const SERVICE: &str = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n";

    #[test]
    fn several_documents_and_lists_come_out_one_by_one() {
        let list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n";
        let objects = read("edge.yaml", &format!("---\n{SERVICE}---\n---\n{list}")).unwrap();
        let names: Vec<&str> = objects.iter().map(|o| text(o, "/metadata/name")).collect();
        assert_eq!(names, ["web", "a", "b"]);
    }

    #[test]
    fn yaml_that_is_no_manifest_is_passed_over() {
        assert_eq!(read("values.yaml", "replicas: 3\n").unwrap().len(), 0);
        assert_eq!(read("ci.yml", "{{ broken: template").unwrap().len(), 0);
        assert_eq!(read("list.yaml", "- a\n- b\n").unwrap().len(), 0);
    }

    #[test]
    fn a_broken_manifest_names_file_and_line() {
        let message = read("edge/web.yaml", &format!("{SERVICE}  labels: [a\n")).unwrap_err();
        assert!(message.contains("`edge/web.yaml`"), "{message}");
        assert!(message.contains("line "), "{message}");
    }

    #[test]
    fn a_manifest_among_documents_without_kind_is_an_error() {
        let message = read("web.yaml", &format!("{SERVICE}---\nreplicas: 1\n")).unwrap_err();
        assert!(message.contains("document 2 has no kind"), "{message}");
    }

    #[test]
    fn an_object_without_a_name_or_api_version_is_an_error() {
        let nameless = read("a.yaml", "apiVersion: v1\nkind: Service\nmetadata: {}\n");
        assert!(nameless.unwrap_err().contains("has no name"));
        let versionless = read("a.yaml", "kind: Service\nmetadata: {name: web}\n");
        assert!(versionless.unwrap_err().contains("has no apiVersion"));
    }

    #[test]
    fn generate_name_is_a_name() {
        let job = "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: migrate-}\n";
        assert_eq!(read("job.yaml", job).unwrap().len(), 1);
    }

    #[test]
    fn a_json_file_holds_one_document() {
        let one = r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"web"}}"#;
        assert_eq!(read("web.json", one).unwrap().len(), 1);
        assert!(
            read("web.json", &format!("{one}{one}"))
                .unwrap_err()
                .contains("one document")
        );
        assert!(read("web.json", "{").unwrap_err().contains("`web.json`"));
    }

    #[test]
    fn the_skip_mark_skips_even_what_does_not_parse() {
        let text = format!("# {SKIP_MARK}\n{SERVICE}  labels: [a\n");
        assert_eq!(read("web.yaml", &text).unwrap().len(), 0);
    }

    #[test]
    fn an_alias_bomb_ends_quickly_and_tells_nothing_of_the_content() {
        use std::fmt::Write as _;
        let mut bomb =
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\na0: &a0 [hunter2]\n"
                .to_owned();
        for level in 1..30 {
            let below = format!("*a{}", level - 1);
            let _ = writeln!(
                bomb,
                "a{level}: &a{level} [{}]",
                [below.as_str(); 9].join(",")
            );
        }
        let message = read("bomb.yaml", &bomb).unwrap_err();
        assert!(!message.contains("hunter2"), "{message}");
    }
}
