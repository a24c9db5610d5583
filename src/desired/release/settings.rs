//! What a HelmRelease of Flux says about rendering, and what its HelmChart adds. Pure.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::desired::flux::CommonMetadata;
use crate::desired::written;
use crate::domain::{Source, Unjudged};

/// The whole of `flux` of a source; other kinds of Flux's have no `release`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Written {
    release: Settings,
}

/// One release.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Settings {
    /// Its name, as Helm knows it.
    pub(super) name: String,
    /// The namespace that it is installed in.
    pub(super) namespace: String,
    /// Whether it was upgraded since it was installed.
    pub(super) upgraded: bool,
    /// The HelmRelease's own values.
    pub(super) values: Map<String, Value>,
    /// The files that stand in the place of the chart's `values.yaml`.
    pub(super) values_files: Vec<String>,
    pub(super) ignore_missing_values_files: bool,
    pub(super) post_renderers: Vec<PostRenderer>,
    pub(super) common_metadata: CommonMetadata,
    /// Whether the CRDs beside the chart's templates are brought to what the chart says.
    pub(super) replaces_crds: bool,
    pub(super) skip_schema_validation: bool,
    /// What Flux puts behind the plus of the chart's version; empty leaves it as it is.
    pub(super) version_metadata: String,
    /// The digest of the values that it was deployed with; empty where any will do.
    pub(super) config_digest: String,
    /// The version of the chart that Flux has packaged out of a Git repository; empty where the revision says all.
    pub(super) packaged: String,
}

/// One step after the templates.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct PostRenderer {
    pub(super) kustomize: Option<Kustomize>,
}

/// What kustomize does in such a step.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Kustomize {
    pub(super) patches: Vec<Value>,
    pub(super) patches_strategic_merge: Vec<Value>,
    pub(super) patches_json6902: Vec<Value>,
    pub(super) images: Vec<Value>,
}

impl Settings {
    /// Reads those of a source.
    ///
    /// # Errors
    /// `BadSource` for what the API would not have taken.
    pub(super) fn read(source: &Source) -> Result<Self, Unjudged> {
        let written: Written = written::read(
            source.flux.as_ref(),
            "The HelmRelease does not have the form that Flux's API gives it; correct its spec.",
        )?;
        Ok(written.release)
    }
}
