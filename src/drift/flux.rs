//! What Flux does when it compares: which objects it leaves alone, which fields it ignores, and how it normalises both sides.
//!
//! Facts: fluxcd/pkg `ssa`, `ssa/normalize`, `ssa/jsondiff`; kustomize-controller and helm-controller's annotations.

mod fill;
pub mod inventory;
pub mod normalize;
pub mod patch;
pub mod selector;

use serde_json::Value;

pub use selector::Selector;

/// Why Flux does not bring an object back to what Git says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftAlone {
    /// `kustomize.toolkit.fluxcd.io/reconcile: disabled`.
    ReconcileDisabled,
    /// `kustomize.toolkit.fluxcd.io/ssa: Ignore`.
    Ignored,
    /// `kustomize.toolkit.fluxcd.io/ssa: IfNotPresent`: made once, then left to others.
    IfNotPresent,
    /// `helm.toolkit.fluxcd.io/driftDetection: disabled`.
    DriftDetectionDisabled,
}

impl LeftAlone {
    /// Whether Flux does nothing at all about the object, there or not: nothing of it is drift then.
    pub fn covers(self, is_there: bool) -> bool {
        match self {
            Self::ReconcileDisabled | Self::Ignored => true,
            Self::IfNotPresent => is_there,
            Self::DriftDetectionDisabled => false,
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::ReconcileDisabled => {
                "its annotation kustomize.toolkit.fluxcd.io/reconcile says disabled: Flux leaves it alone"
            }
            Self::Ignored => {
                "its annotation kustomize.toolkit.fluxcd.io/ssa says Ignore: Flux leaves it alone"
            }
            Self::IfNotPresent => {
                "its annotation kustomize.toolkit.fluxcd.io/ssa says IfNotPresent: Flux makes it once and never changes it"
            }
            Self::DriftDetectionDisabled => {
                "its annotation helm.toolkit.fluxcd.io/driftDetection says disabled: Flux does not compare it"
            }
        }
    }
}

/// Whether an annotation or label of the object tells Flux to leave it alone. Case does not count, as in Flux.
pub fn left_alone(object: &Value) -> Option<LeftAlone> {
    let metadata = object.get("metadata")?;
    let says = |key: &str, word: &str| {
        ["annotations", "labels"].iter().any(|place| {
            let value = metadata.get(*place).and_then(|map| map.get(key));
            value
                .and_then(Value::as_str)
                .is_some_and(|v| v.eq_ignore_ascii_case(word))
        })
    };
    let rules = [
        (
            "kustomize.toolkit.fluxcd.io/reconcile",
            "disabled",
            LeftAlone::ReconcileDisabled,
        ),
        (
            "kustomize.toolkit.fluxcd.io/ssa",
            "Ignore",
            LeftAlone::Ignored,
        ),
        (
            "kustomize.toolkit.fluxcd.io/ssa",
            "IfNotPresent",
            LeftAlone::IfNotPresent,
        ),
        (
            "helm.toolkit.fluxcd.io/driftDetection",
            "disabled",
            LeftAlone::DriftDetectionDisabled,
        ),
    ];
    let found = rules.iter().find(|(key, word, _)| says(key, word));
    found.map(|(_, _, why)| *why)
}

/// Whether an object carries the labels by which Flux knows what it brought.
pub fn is_owned(object: &Value) -> bool {
    let labels = object.pointer("/metadata/labels");
    ["kustomize", "helm"].iter().any(|engine| {
        labels
            .and_then(|l| l.get(format!("{engine}.toolkit.fluxcd.io/name")))
            .is_some()
    })
}

/// The ignore rules of a Kustomization (`spec.ignore`) or a HelmRelease (`spec.driftDetection.ignore`).
pub fn ignore_rules(owner: &Value) -> &[Value] {
    let at = |pointer: &str| owner.pointer(pointer).and_then(Value::as_array);
    at("/spec/ignore")
        .or_else(|| at("/spec/driftDetection/ignore"))
        .map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn annotations_and_labels_leave_objects_alone() {
        let with = |place: &str, key: &str, value: &str| json!({"metadata": {place: {key: value}}});
        let alone = |object: Value| left_alone(&object);
        assert_eq!(
            alone(with(
                "annotations",
                "kustomize.toolkit.fluxcd.io/ssa",
                "IfNotPresent"
            )),
            Some(LeftAlone::IfNotPresent)
        );
        assert_eq!(
            alone(with(
                "labels",
                "kustomize.toolkit.fluxcd.io/reconcile",
                "Disabled"
            )),
            Some(LeftAlone::ReconcileDisabled)
        );
        assert_eq!(
            alone(with(
                "annotations",
                "kustomize.toolkit.fluxcd.io/ssa",
                "Merge"
            )),
            None
        );
        assert_eq!(alone(json!({})), None);
    }
}
