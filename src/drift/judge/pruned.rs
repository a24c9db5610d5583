//! What the API server drops of Git's word because the kind's type does not have it: no sync can put it back, so it is no drift.

use serde_json::Value;

use super::{Comparison, reasons};
use crate::domain::{Gvk, Ignored, Verdict};
use crate::drift::compare::Type;

/// Git's versions as the server would store them.
pub(super) struct Pruned {
    deployed: Option<Value>,
    target: Option<Value>,
    dropped: Vec<Ignored>,
}

impl Pruned {
    /// `None` when the server keeps every field, or nobody knows.
    pub(super) fn of(comparison: &Comparison<'_>, gvk: &Gvk) -> Option<Self> {
        let schema = Type::of(gvk, comparison.custom).custom?;
        let stored = |wanted: Option<&Value>| schema.as_stored(wanted?, comparison.live);
        let (deployed, target) = (stored(comparison.deployed), stored(comparison.target));
        if deployed.is_none() && target.is_none() {
            return None;
        }
        let wanted = comparison.deployed.or(comparison.target);
        let dropped = wanted.map_or(Vec::new(), |wanted| schema.unknown_fields(wanted));
        Some(Self {
            deployed,
            target,
            dropped: dropped.iter().map(reasons::dropped).collect(),
        })
    }

    /// The comparison with what the server would store of Git's versions.
    pub(super) fn of_stored<'a>(&'a self, comparison: &Comparison<'a>) -> Comparison<'a> {
        Comparison {
            deployed: self.deployed.as_ref().or(comparison.deployed),
            target: self.target.as_ref().or(comparison.target),
            ..*comparison
        }
    }

    /// Lists what is dropped beside what does not count otherwise.
    pub(super) fn tell(self, verdict: &mut Verdict) {
        verdict.ignored.extend(self.dropped);
        verdict.ignored.sort_by(|a, b| a.path.cmp(&b.path));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ignored_paths, judge, paths};
    use super::*;
    use crate::domain::DriftState;
    use crate::drift::IgnoreRules;
    use crate::drift::openapi::CustomSchema;
    use serde_json::json;

    fn tunnel(spec: Value) -> Value {
        json!({"apiVersion": "edge.example/v1", "kind": "Tunnel", "metadata": {"name": "oslo", "namespace": "edge"}, "spec": spec})
    }

    fn judged(git: &Value, live: Option<&Value>) -> Verdict {
        let crd = json!({"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "mode": {"type": "string"}, "hops": {"type": "array", "items": {"type": "object", "properties": {"via": {"type": "string"}}}},
        }}}}}}]}});
        let schema = CustomSchema::of_crd(&crd, "v1").unwrap();
        judge(&Comparison {
            deployed: Some(git),
            target: Some(git),
            live,
            rules: &IgnoreRules::none(),
            custom: Some(&schema),
        })
    }

    fn git() -> Value {
        tunnel(json!({"mode": "auto", "mdoe": "manual", "hops": [{"via": "x", "vai": "y"}]}))
    }

    #[test]
    fn a_field_that_the_type_lacks_is_listed_and_is_no_drift() {
        let live = tunnel(json!({"mode": "auto", "hops": [{"via": "x"}]}));
        let verdict = judged(&git(), Some(&live));
        assert_eq!(verdict.states, []);
        assert_eq!(
            ignored_paths(&verdict.ignored),
            ["spec.hops[0].vai", "spec.mdoe"]
        );
        assert!(verdict.ignored[0].reason.contains("the server drops it"));
    }

    #[test]
    fn what_the_type_has_still_counts_beside_it() {
        let live = tunnel(json!({"mode": "manual", "hops": [{"via": "x"}]}));
        let verdict = judged(&git(), Some(&live));
        assert_eq!(paths(&verdict.changes), ["spec.mode"]);
        assert_eq!(judged(&git(), None).states, [DriftState::Missing]);
    }

    #[test]
    fn where_a_live_object_shows_that_the_server_keeps_such_fields_they_count() {
        let live = tunnel(json!({"mode": "auto", "other": 1, "hops": [{"via": "x"}]}));
        let verdict = judged(&git(), Some(&live));
        assert!(
            paths(&verdict.changes).contains(&"spec.mdoe"),
            "{verdict:?}"
        );
    }
}
