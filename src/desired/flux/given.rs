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

/// Everything that is given to one application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// The variables of `spec.postBuild.substituteFrom`, later references over earlier ones.
    pub variables: BTreeMap<String, GivenText>,
}

impl Given {
    /// Whether anything of it came out of a Secret.
    pub fn has_secrets(&self) -> bool {
        self.variables.values().any(|v| v.secret)
    }
}
