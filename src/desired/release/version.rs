//! The version of a chart as Flux packages it: with the commit, the digest or the generation that it was made of behind the plus.
//!
//! Templates write the version into labels, so that it decides what is installed.

use std::path::Path;

use serde_json::{Value, json};

use crate::desired::copy::unwritable;
use crate::desired::unjudged;
use crate::domain::{Unjudged, UnjudgedReason};
use crate::drift::yaml::{Limits, parse_values};

/// Writes what stands behind the plus into the `Chart.yaml` of a chart's copy; nothing leaves it as it is. Blocking.
///
/// # Errors
/// `BadManifest` for a chart that does not parse.
pub(super) fn mark(chart: &Path, metadata: &str) -> Result<(), Unjudged> {
    if metadata.is_empty() {
        return Ok(());
    }
    let file = chart.join("Chart.yaml");
    let text = std::fs::read(&file).map_err(|e| unwritable(&e))?;
    let documents = parse_values(&text, &Limits::default()).unwrap_or_default();
    let marked = documents.into_iter().next().and_then(|mut chart| {
        let version = chart.get_mut("version")?;
        *version = json!(with(version.as_str()?, metadata));
        Some(chart)
    });
    let chart: Value = marked.ok_or_else(|| {
        let message =
            "`Chart.yaml` of the chart names no version that can be read; correct it and push it.";
        unjudged(UnjudgedReason::BadManifest, message)
    })?;
    std::fs::write(&file, chart.to_string()).map_err(|e| unwritable(&e))
}

fn with(version: &str, metadata: &str) -> String {
    let number = version
        .split_once('+')
        .map_or(version, |(number, _)| number);
    format!("{number}+{metadata}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_the_plus_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("Chart.yaml");
        std::fs::write(&file, "name: web\nversion: 1.2.0+a\n").unwrap();
        mark(dir.path(), "").unwrap();
        mark(dir.path(), "6f1c0d2e3a4b.2").unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        let chart: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            chart,
            json!({"name": "web", "version": "1.2.0+6f1c0d2e3a4b.2"})
        );
        std::fs::write(&file, "name: web\n").unwrap();
        assert!(mark(dir.path(), "a").is_err());
    }
}
