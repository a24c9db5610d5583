//! `spec.source.helm` as Argo CD's API gives it, and what becomes of its texts on a command line. Pure.

use serde::Deserialize;
use serde_json::Value;

use crate::desired::written;
use crate::domain::{Unjudged, Verbatim};

/// What decides a run of `helm template`, beside the chart.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::desired) struct Settings {
    pub(super) release_name: String,
    pub(super) namespace: String,
    pub(super) value_files: Vec<String>,
    pub(super) ignore_missing_value_files: bool,
    values: String,
    values_object: Value,
    pub(super) parameters: Vec<Parameter>,
    pub(super) file_parameters: Vec<FileParameter>,
    pub(in crate::desired) skip_crds: bool,
    pub(super) skip_tests: bool,
    pub(in crate::desired) skip_schema_validation: bool,
    pub(super) kube_version: String,
    pub(super) api_versions: Vec<String>,
    pub(super) pass_credentials: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) force_string: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FileParameter {
    pub(super) name: String,
    pub(super) path: String,
}

impl Settings {
    /// Reads them; none are the defaults.
    ///
    /// # Errors
    /// `BadSource` for what the API would not have taken.
    pub(in crate::desired) fn read(settings: Option<&Verbatim>) -> Result<Self, Unjudged> {
        written::read(
            settings,
            "`helm` of the application's source does not have the form that Argo CD's API gives it; correct the source.",
        )
    }

    /// A release of this name in this namespace, and nothing else.
    pub(in crate::desired) fn named(release: &str, namespace: &str) -> Self {
        Self {
            release_name: release.to_owned(),
            namespace: namespace.to_owned(),
            ..Self::default()
        }
    }

    /// The values that stand in the application itself: the object before the text.
    pub(super) fn inline(&self) -> Option<String> {
        match &self.values_object {
            Value::Object(_) => Some(self.values_object.to_string()),
            _ if self.values.is_empty() => None,
            _ => Some(self.values.clone()),
        }
    }
}

/// A value for `--set`: commas are escaped, unless they are or the whole is a list in braces.
pub(super) fn escaped(value: &str) -> String {
    if value.starts_with('{') && value.ends_with('}') {
        return value.to_owned();
    }
    let mut out = String::with_capacity(value.len());
    let mut before = ' ';
    for c in value.chars() {
        if c == ',' && before != '\\' {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_object_of_values_wins_over_the_text() {
        let read = |v: Value| Settings::read(Verbatim::of(v).as_ref()).unwrap().inline();
        assert_eq!(read(json!({"values": "a: 1\n"})).as_deref(), Some("a: 1\n"));
        let both = json!({"values": "a: 1\n", "valuesObject": {"a": 2}});
        assert_eq!(read(both).as_deref(), Some("{\"a\":2}"));
        assert_eq!(read(json!({"valueFiles": []})), None);
    }

    #[test]
    fn commas_are_escaped_once_and_lists_are_left_alone() {
        assert_eq!(escaped("a,b"), "a\\,b");
        assert_eq!(escaped("a\\,b"), "a\\,b");
        assert_eq!(escaped("{a,b}"), "{a,b}");
        assert_eq!(escaped(","), "\\,");
    }
}
