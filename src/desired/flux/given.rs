//! What a cluster's ConfigMaps and Secrets give to a rendering of Flux. It holds values of Secrets in clear, so its debug form shows none.

use std::collections::BTreeMap;
use std::fmt;

/// One text of a ConfigMap or a Secret.
#[derive(Clone, PartialEq, Eq)]
pub struct GivenText {
    /// The text.
    pub text: String,
    /// Whether it came out of a Secret: whatever it touches is sealed.
    pub secret: bool,
}

impl fmt::Debug for GivenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GivenText(..)")
    }
}

/// One reference of a HelmRelease's `spec.valuesFrom`, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenValues {
    /// A document of values, or the value for the path.
    pub given: GivenText,
    /// Where it was read, for messages: `the Secret apps/pins`.
    pub from: String,
    /// Where the value is set; empty for a document.
    pub target_path: String,
    /// Whether the value is taken as it is.
    pub literal: bool,
}

/// Everything that is given to one application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// The variables of `spec.postBuild.substituteFrom`, later references over earlier ones.
    pub variables: BTreeMap<String, GivenText>,
    /// The values of `spec.valuesFrom`, in their order.
    pub values: Vec<GivenValues>,
}
