//! The same object on many clusters against the majority.

use std::collections::BTreeMap;

use futures::StreamExt as _;
use serde_json::Value;

use super::{connection, objects};
use crate::app::inquiry::{Comparison, Variant};
use crate::domain::{ClusterId, ObjectRef, Safe};
use crate::drift::diff_text::readable;
use crate::drift::seal::SealKey;
use crate::sources::Sources;

/// Clusters asked at a time.
const AT_ONCE: usize = 16;
/// Differences told of each variant.
const TOLD: usize = 50;

/// Asks every cluster that answers and groups what they have.
pub(super) async fn read(
    sources: &Sources,
    object: &ObjectRef,
    clusters: Vec<ClusterId>,
    key: &SealKey,
) -> Comparison {
    let answers = futures::stream::iter(clusters)
        .map(|id| async move {
            let answer = match connection(sources, &id) {
                Ok(connection) => objects::read(&connection, object, key).await,
                Err(why) => Err(why),
            };
            (id, answer)
        })
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    compared(answers)
}

fn compared(answers: Vec<(ClusterId, Result<Value, Safe>)>) -> Comparison {
    let mut comparison = Comparison::default();
    let mut kinds: BTreeMap<String, (Value, Vec<ClusterId>)> = BTreeMap::new();
    for (id, answer) in answers {
        match answer {
            Ok(live) => {
                let own = own_part(&live);
                let same = kinds.entry(own.to_string()).or_insert((own, Vec::new()));
                same.1.push(id);
            }
            Err(why) => comparison.unread.push((id, why)),
        }
    }
    let mut kinds: Vec<(Value, Vec<ClusterId>)> = kinds.into_values().collect();
    for (_, clusters) in &mut kinds {
        clusters.sort();
    }
    kinds.sort_by_key(|(_, clusters)| (usize::MAX - clusters.len(), clusters.first().cloned()));
    comparison.unread.sort();
    let mut kinds = kinds.into_iter();
    let Some((usual, majority)) = kinds.next() else {
        return comparison;
    };
    comparison.majority = majority;
    comparison.variants = kinds
        .map(|(value, clusters)| {
            let mut changes = Vec::new();
            differences(String::new(), Some(&usual), Some(&value), &mut changes);
            let left_out = changes.len().saturating_sub(TOLD);
            changes.truncate(TOLD);
            Variant {
                clusters,
                changes,
                left_out,
            }
        })
        .collect();
    comparison
}

/// What people set of an object: without its status and what each server gives it by itself.
fn own_part(live: &Value) -> Value {
    let mut own = readable(live);
    if let Some(object) = own.as_object_mut() {
        object.remove("status");
    }
    if let Some(Value::Object(metadata)) = own.get_mut("metadata") {
        for field in [
            "uid",
            "resourceVersion",
            "creationTimestamp",
            "generation",
            "selfLink",
            "ownerReferences",
        ] {
            metadata.remove(field);
        }
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            // The tracking mark names the application, which differs from cluster to cluster; the revision counts rollouts.
            annotations.remove("argocd.argoproj.io/tracking-id");
            annotations.remove("deployment.kubernetes.io/revision");
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        }
    }
    if let Some(Value::Object(spec)) = own.get_mut("spec") {
        // Addresses are given out by each cluster.
        spec.remove("clusterIP");
        spec.remove("clusterIPs");
    }
    own
}

type Difference = (Safe, Option<Safe>, Option<Safe>);

/// The leaves that differ, with their paths.
fn differences(path: String, a: Option<&Value>, b: Option<&Value>, into: &mut Vec<Difference>) {
    match (a, b) {
        (a, b) if a == b => {}
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let below = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                differences(below, a.get(key), b.get(key), into);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for i in 0..a.len().max(b.len()) {
                differences(format!("{path}[{i}]"), a.get(i), b.get(i), into);
            }
        }
        (a, b) => into.push((path.into(), a.map(short), b.map(short))),
    }
}

fn short(value: &Value) -> Safe {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut short: String = text.chars().take(120).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(uid: &str, replicas: u64) -> Value {
        json!({"kind": "Deployment", "metadata": {"name": "gateway", "uid": uid, "resourceVersion": uid, "annotations": {"argocd.argoproj.io/tracking-id": uid}}, "spec": {"replicas": replicas, "paused": false}, "status": {"readyReplicas": 1}})
    }

    #[test]
    fn the_majority_is_what_most_clusters_have_and_the_rest_says_where_it_differs() {
        let told = compared(vec![
            ("edge-oslo-001".into(), Ok(deployment("a", 3))),
            ("edge-oslo-002".into(), Ok(deployment("b", 1))),
            ("edge-oslo-003".into(), Ok(deployment("c", 3))),
            ("edge-oslo-004".into(), Err("It is not there.".into())),
        ]);
        assert_eq!(
            told.majority,
            [ClusterId::from("edge-oslo-001"), "edge-oslo-003".into()]
        );
        assert_eq!(told.variants.len(), 1);
        assert_eq!(
            told.variants[0].changes,
            [("spec.replicas".into(), Some("3".into()), Some("1".into()))]
        );
        assert_eq!(told.unread.len(), 1);
    }

    #[test]
    fn nobody_who_answers_is_no_majority() {
        let told = compared(vec![("edge-oslo-001".into(), Err("Forbidden.".into()))]);
        assert!(told.majority.is_empty() && told.variants.is_empty());
    }
}
