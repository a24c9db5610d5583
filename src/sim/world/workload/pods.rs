//! Pods: made and removed until there are as many as wanted, and what their kubelet says of them.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{KUBELET, Round, owner_reference};
use crate::sim::world::dice::{dice, suffix};
use crate::sim::world::json::{list, stamp, text};

/// The pods one owner wants.
pub(super) struct Wanted<'a> {
    /// ReplicaSet, DaemonSet or StatefulSet.
    pub(super) owner: &'a Value,
    /// Its pod template with every label its pods carry.
    pub(super) template: &'a Value,
    /// How many.
    pub(super) count: usize,
    /// Whether they are numbered, as those of a StatefulSet.
    pub(super) ordinals: bool,
    /// Since when they fail, if they do.
    pub(super) crashing: Option<Timestamp>,
}

/// Pods of one owner by their state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) total: usize,
    pub(super) ready: usize,
}

impl Round<'_> {
    /// Makes the pods be as many as wanted and tells their state.
    pub(super) fn pods(&mut self, wanted: &Wanted<'_>) -> Counted {
        let mut pods = self.owned(wanted.owner, "v1", "Pod");
        pods.sort_by_key(created);
        for surplus in pods.drain(wanted.count.min(pods.len())..) {
            if let Ok(key) = self.pen().key(&surplus) {
                // Gone already is as good.
                let _ = self.pen().delete(&key);
            }
        }
        for index in pods.len()..wanted.count {
            pods.extend(self.create_pod(wanted, index));
        }
        let ready = pods
            .iter()
            .filter(|pod| self.kubelet(pod, wanted.crashing))
            .count();
        Counted {
            total: pods.len(),
            ready,
        }
    }

    fn create_pod(&self, wanted: &Wanted<'_>, index: usize) -> Option<Value> {
        let owner = text(wanted.owner, "/metadata/name");
        let name = if wanted.ordinals {
            format!("{owner}-{index}")
        } else {
            // The resource version makes a replaced pod's name another one.
            let version = self.store.resource_version();
            let purpose = format!("{owner}/{index}/{version}");
            format!("{owner}-{}", suffix(&mut dice(self.seed, &purpose), 5))
        };
        let mut spec = wanted.template["spec"].clone();
        spec["nodeName"] = format!("{}-node-1", self.cluster).into();
        let pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": text(wanted.owner, "/metadata/namespace"),
                "labels": wanted.template["metadata"]["labels"],
                "ownerReferences": owner_reference(wanted.owner),
            },
            "spec": spec,
        });
        self.pen().create(pod).ok().map(|w| w.object.value())
    }

    /// Writes what the kubelet says; answers whether the pod is ready.
    fn kubelet(&mut self, pod: &Value, crashing: Option<Timestamp>) -> bool {
        let ready_at = created(pod) + start_time(self.seed, text(pod, "/metadata/name"));
        self.wake(ready_at);
        let state = if self.now < ready_at {
            State::Creating
        } else if let Some(since) = crashing {
            let since = since.max(ready_at);
            let (restarts, next) = restarts(since, self.now);
            self.wake(next);
            self.note_crash(pod, restarts, since);
            State::Crashing { since, restarts }
        } else {
            State::Ready { since: ready_at }
        };
        self.write_status(KUBELET, pod, pod_status(pod, state));
        matches!(state, State::Ready { .. })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Creating,
    Ready { since: Timestamp },
    Crashing { since: Timestamp, restarts: u32 },
}

fn pod_status(pod: &Value, state: State) -> Value {
    let begun = created(pod);
    let ready = matches!(state, State::Ready { .. });
    let (phase, since) = match state {
        State::Creating => ("Pending", begun),
        State::Ready { since } | State::Crashing { since, .. } => ("Running", since),
    };
    let condition = |kind: &str, ok: bool, at: Timestamp| json!({"type": kind, "status": if ok { "True" } else { "False" }, "lastTransitionTime": stamp(at)});
    let containers: Vec<Value> = list(pod, "/spec/containers")
        .iter()
        .map(|container| container_status(container, state))
        .collect();
    json!({
        "phase": phase,
        "startTime": stamp(begun),
        "conditions": [
            condition("PodScheduled", true, begun),
            condition("Initialized", true, begun),
            condition("ContainersReady", ready, since),
            condition("Ready", ready, since),
        ],
        "containerStatuses": containers,
        "qosClass": "Burstable",
    })
}

fn container_status(container: &Value, state: State) -> Value {
    let name = text(container, "/name");
    let mut status = json!({
        "name": name,
        "image": text(container, "/image"),
        "imageID": "",
        "ready": false,
        "restartCount": 0,
        "started": false,
    });
    match state {
        State::Creating => {
            status["state"] = json!({"waiting": {"reason": "ContainerCreating"}});
        }
        State::Ready { since } => {
            status["ready"] = true.into();
            status["started"] = true.into();
            status["state"] = json!({"running": {"startedAt": stamp(since)}});
        }
        State::Crashing { restarts, since } => {
            let wait = backoff_seconds(restarts);
            status["restartCount"] = restarts.into();
            status["state"] = json!({"waiting": {
                "reason": "CrashLoopBackOff",
                "message": format!("back-off {wait}s restarting failed container={name}"),
            }});
            status["lastState"] = json!({"terminated": {
                "exitCode": 1,
                "reason": "Error",
                "startedAt": stamp(since),
                "finishedAt": stamp(since),
            }});
        }
    }
    status
}

/// The kubelet's waits between restarts: 10 s, doubled each time, 300 s at most.
fn backoff_seconds(restarts: u32) -> i64 {
    10_i64
        .saturating_mul(2_i64.saturating_pow(restarts.saturating_sub(1).min(10)))
        .min(300)
}

/// How often a container that fails since `since` was restarted by `now`, and when it is next.
fn restarts(since: Timestamp, now: Timestamp) -> (u32, Timestamp) {
    let mut at = since;
    let mut count = 1;
    loop {
        at += SignedDuration::from_secs(backoff_seconds(count));
        if at > now {
            return (count, at);
        }
        count += 1;
    }
}

/// How long a pod takes to become ready: one to three seconds, the same for the same name.
fn start_time(seed: u64, name: &str) -> SignedDuration {
    SignedDuration::from_millis(dice(seed, name).i64(1_000..3_000))
}

pub(super) fn created(object: &Value) -> Timestamp {
    text(object, "/metadata/creationTimestamp")
        .parse()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_come_further_and_further_apart() {
        let since: Timestamp = "2026-11-21T02:00:00Z".parse().unwrap();
        let after = |seconds| restarts(since, since + SignedDuration::from_secs(seconds));
        assert_eq!(after(0), (1, since + SignedDuration::from_secs(10)));
        assert_eq!(after(10).0, 2);
        assert_eq!(after(29).0, 2);
        assert_eq!(after(30).0, 3);
        assert_eq!(after(70).0, 4);
        assert!(after(3_600).0 < 20);
    }

    #[test]
    fn a_crashing_container_says_so_as_a_kubelet_does() {
        let since: Timestamp = "2026-11-21T02:00:00Z".parse().unwrap();
        let state = State::Crashing { since, restarts: 3 };
        let status = container_status(&json!({"name": "app", "image": "app:1"}), state);
        assert_eq!(status["state"]["waiting"]["reason"], "CrashLoopBackOff");
        assert_eq!(
            status["state"]["waiting"]["message"],
            "back-off 40s restarting failed container=app"
        );
        assert_eq!(status["restartCount"], 3);
        assert_eq!(status["ready"], false);
    }
}
