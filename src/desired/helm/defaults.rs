//! Files that stand in the place of a chart's `values.yaml`, as Flux packages a chart that names `valuesFiles`.
//!
//! Source of the rules: source-controller. The files are laid over each other in their order, and the chart's own `values.yaml` counts only where
//! it is named among them.

use std::path::Path;

use serde_json::{Map, Value};

use super::{Blob, Helm, with};
use crate::desired::copy::unwritable;
use crate::desired::links::{self, Target};
use crate::desired::tree::join;
use crate::desired::unjudged;
use crate::domain::{Unjudged, UnjudgedReason};
use crate::drift::yaml::{Limits, parse_values};

/// The files that are named.
pub(in crate::desired) struct ValuesFiles<'a> {
    pub(in crate::desired) paths: &'a [String],
    /// Whether the paths begin at the root of the repository, and not in the chart.
    pub(in crate::desired) from_root: bool,
    pub(in crate::desired) ignore_missing: bool,
}

impl Helm {
    /// The same chart with these files in the place of its `values.yaml`; none leave it as it is. Blocking.
    ///
    /// # Errors
    /// `NotFound` for a file that is not there, unless such are ignored.
    pub(in crate::desired) fn with_defaults(
        mut self,
        files: &ValuesFiles<'_>,
    ) -> Result<Self, Unjudged> {
        for path in files.paths {
            let written = path.trim_start_matches('/');
            let path = if files.from_root {
                written.to_owned()
            } else {
                join(&self.chart.path, written)
            };
            let target = with(&self.chart.bare, |repo| {
                links::resolve(repo, self.chart.root, &path)
            })?;
            match target {
                Target::File(blob, _) => {
                    self.defaults.push(Blob::Git(self.chart.bare.clone(), blob));
                }
                _ if files.ignore_missing => {}
                _ => return Err(missing(written)),
            }
        }
        Ok(self)
    }
}

fn missing(path: &str) -> Unjudged {
    unjudged(
        UnjudgedReason::NotFound,
        format!(
            "The values file `{path}` of the chart is not there; push it, or correct `valuesFiles` of its chart."
        ),
    )
}

/// Writes the merged files over the `values.yaml` of a chart's copy; none leave it as it is. Blocking.
///
/// # Errors
/// `BadManifest` for a file that does not parse.
pub(super) fn lay_out(chart: &Path, files: &[Blob]) -> Result<(), Unjudged> {
    let mut merged = Map::new();
    for file in files {
        lay_over(&mut merged, read(file)?);
    }
    if merged.is_empty() {
        return Ok(());
    }
    let text = Value::Object(merged).to_string();
    std::fs::write(chart.join("values.yaml"), text).map_err(|e| unwritable(&e))
}

fn read(file: &Blob) -> Result<Map<String, Value>, Unjudged> {
    let limits = Limits {
        documents: 1,
        ..Limits::default()
    };
    let documents = parse_values(&file.read()?, &limits);
    match documents.map(|documents| documents.into_iter().next()) {
        Ok(Some(Value::Object(values))) => Ok(values),
        Ok(None | Some(Value::Null)) => Ok(Map::new()),
        _ => Err(unjudged(
            UnjudgedReason::BadManifest,
            "A file of `valuesFiles` of the chart holds no values that can be read; correct it and push it.",
        )),
    }
}

/// Maps are merged, all else is replaced.
fn lay_over(under: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Object(under)), Value::Object(over)) => lay_over(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn later_files_win_and_a_null_stays_one() {
        let dir = tempfile::tempdir().unwrap();
        let file = |text: &str| Blob::Inline(text.to_owned());
        let files = [
            file("a: {b: 1, c: 2}\nd: [1, 2]\n"),
            file("a: {c: null}\nd: [3]\n"),
            file("# nothing\n"),
        ];
        lay_out(dir.path(), &files).unwrap();
        let text = std::fs::read_to_string(dir.path().join("values.yaml")).unwrap();
        let values: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(values, json!({"a": {"b": 1, "c": null}, "d": [3]}));
        assert!(lay_out(dir.path(), &[file("- a")]).is_err());
    }
}
