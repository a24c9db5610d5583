//! What a Kustomization of Flux says about rendering, as its API gives it. Pure.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::desired::written;
use crate::domain::{Unjudged, Verbatim};

/// The parts of `spec` that decide what is rendered, and what its source and its references add.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Settings {
    pub(super) target_namespace: String,
    pub(super) name_prefix: String,
    pub(super) name_suffix: String,
    pub(super) patches: Vec<Value>,
    pub(super) patches_strategic_merge: Vec<Value>,
    pub(super) patches_json6902: Vec<Value>,
    pub(super) images: Vec<Value>,
    pub(super) components: Vec<String>,
    pub(super) ignore_missing_components: bool,
    pub(super) common_metadata: CommonMetadata,
    pub(super) post_build: PostBuild,
    pub(super) decryption: Option<Value>,
    /// The source's `spec.ignore`.
    pub(super) source_ignore: String,
}

/// Labels and annotations that every object gets.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(in crate::desired) struct CommonMetadata {
    pub(in crate::desired) labels: BTreeMap<String, String>,
    pub(in crate::desired) annotations: BTreeMap<String, String>,
}

/// Variables that stand in the Kustomization itself.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct PostBuild {
    pub(super) substitute: BTreeMap<String, String>,
}

impl Settings {
    /// Reads them; none are the defaults.
    ///
    /// # Errors
    /// `BadSource` for what the API would not have taken.
    pub(super) fn read(settings: Option<&Verbatim>) -> Result<Self, Unjudged> {
        written::read(
            settings,
            "The Kustomization does not have the form that Flux's API gives it; correct its spec.",
        )
    }

    /// Whether nothing is asked of kustomize but to collect the files.
    pub(super) fn only_collects(&self) -> bool {
        self.target_namespace.is_empty()
            && self.name_prefix.is_empty()
            && self.name_suffix.is_empty()
            && self.patches.is_empty()
            && self.patches_strategic_merge.is_empty()
            && self.patches_json6902.is_empty()
            && self.images.is_empty()
            && self.components.is_empty()
    }
}
