//! Deployments: one ReplicaSet a template, and the careful exchange of the old one for the new.

use serde_json::{Value, json};

use super::pods::{Counted, Wanted};
use super::status::{self, Rollout};
use super::{Round, owner_reference};
use crate::sim::world::dice::{dice, hash, suffix};
use crate::sim::world::json::{number, text};

/// The label that tells the pods of one template from those of another.
const TEMPLATE_HASH: &str = "pod-template-hash";

impl Round<'_> {
    /// Brings a Deployment's ReplicaSets and pods where they should be, and writes its status.
    pub(super) fn deployment(&mut self, deployment: &Value) {
        let Some((current, mut old)) = self.replica_sets(deployment) else {
            return;
        };
        old.retain(|set| number(set, "/spec/replicas") > 0);
        let wanted = replicas(deployment);
        let named = (
            text(deployment, "/metadata/namespace").to_owned(),
            text(deployment, "/metadata/name").to_owned(),
        );
        let crashing = self.crashing.get(&named).copied();
        // The first new pod must work before the others follow.
        let mut goal = wanted;
        if !old.is_empty() && number(&current, "/status/readyReplicas") == 0 {
            goal = goal.min(1);
        }
        let new = self.replica_set(&current, goal, crashing);
        let done = new.ready >= wanted && goal == wanted;
        let mut before = Counted::default();
        for set in &old {
            let keep = if done { 0 } else { count(set).min(wanted) };
            let counted = self.replica_set(set, keep, None);
            before.total += counted.total;
            before.ready += counted.ready;
        }
        if done && !old.is_empty() || goal < wanted && new.ready > 0 {
            self.wake(self.now + jiff::SignedDuration::from_millis(500));
        }
        self.note_scaling(deployment, &current, goal);
        let rollout = Rollout {
            deployment,
            replica_set: text(&current, "/metadata/name"),
            wanted,
            new,
            old: before,
            now: self.now,
        };
        let (status, deadline) = status::deployment(&rollout);
        if let Some(deadline) = deadline {
            self.wake(deadline);
        }
        self.write_status(super::MANAGER, deployment, status);
    }

    /// The ReplicaSet of the current template (made if need be) and all others.
    fn replica_sets(&self, deployment: &Value) -> Option<(Value, Vec<Value>)> {
        let template = &deployment["spec"]["template"];
        let name = format!(
            "{}-{}",
            text(deployment, "/metadata/name"),
            template_hash(template)
        );
        let mut sets = self.owned(deployment, "apps/v1", "ReplicaSet");
        let current = sets
            .iter()
            .position(|set| text(set, "/metadata/name") == name)
            .map(|i| sets.swap_remove(i))
            .or_else(|| self.create_replica_set(deployment, &name))?;
        Some((current, sets))
    }

    fn create_replica_set(&self, deployment: &Value, name: &str) -> Option<Value> {
        let mut template = deployment["spec"]["template"].clone();
        let hash = template_hash(&template);
        template["metadata"]["labels"][TEMPLATE_HASH] = hash.clone().into();
        let mut selector = deployment["spec"]["selector"].clone();
        selector["matchLabels"][TEMPLATE_HASH] = hash.into();
        let set = json!({
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": name,
                "namespace": text(deployment, "/metadata/namespace"),
                "labels": template["metadata"]["labels"],
                "annotations": {"deployment.kubernetes.io/desired-replicas": replicas(deployment).to_string()},
                "ownerReferences": owner_reference(deployment),
            },
            "spec": {"replicas": 0, "selector": selector, "template": template},
        });
        self.pen().create(set).ok().map(|w| w.object.value())
    }

    /// Scales a ReplicaSet and its pods, and writes its status.
    fn replica_set(
        &mut self,
        set: &Value,
        goal: usize,
        crashing: Option<jiff::Timestamp>,
    ) -> Counted {
        let mut set = set.clone();
        if count(&set) != goal
            && let Ok(key) = self.pen().key(&set)
            && let Ok(written) = self.pen().merge(&key, json!({"spec": {"replicas": goal}}))
        {
            set = written.object.value();
        }
        let counted = self.pods(&Wanted {
            owner: &set,
            template: &set["spec"]["template"],
            count: goal,
            ordinals: false,
            crashing,
        });
        self.write_status(super::MANAGER, &set, status::replica_set(&set, counted));
        counted
    }

    /// DaemonSets and StatefulSets: their pods are their own, and a new template replaces them.
    pub(super) fn plain(&mut self, owner: &Value) {
        const REVISION: &str = "controller-revision-hash";
        let daemon = text(owner, "/kind") == "DaemonSet";
        let mut template = owner["spec"]["template"].clone();
        let hash = template_hash(&template);
        template["metadata"]["labels"][REVISION] = hash.clone().into();
        for pod in self.owned(owner, "v1", "Pod") {
            if pod["metadata"]["labels"][REVISION] != hash.as_str()
                && let Ok(key) = self.pen().key(&pod)
            {
                // Gone already is as good.
                let _ = self.pen().delete(&key);
            }
        }
        let wanted = if daemon { 1 } else { replicas(owner) };
        let counted = self.pods(&Wanted {
            owner,
            template: &template,
            count: wanted,
            ordinals: !daemon,
            crashing: None,
        });
        let status = if daemon {
            status::daemon_set(owner, counted)
        } else {
            status::stateful_set(owner, counted, &hash)
        };
        self.write_status(super::MANAGER, owner, status);
    }
}

/// `spec.replicas`, 1 when it is not set.
fn replicas(object: &Value) -> usize {
    let replicas = object.pointer("/spec/replicas").and_then(Value::as_u64);
    usize::try_from(replicas.unwrap_or(1)).unwrap_or(usize::MAX)
}

/// `spec.replicas` of a ReplicaSet.
fn count(set: &Value) -> usize {
    usize::try_from(number(set, "/spec/replicas")).unwrap_or(0)
}

/// Ten letters and digits that stand for a template.
fn template_hash(template: &Value) -> String {
    suffix(&mut dice(hash(&template.to_string()), "template"), 10)
}
