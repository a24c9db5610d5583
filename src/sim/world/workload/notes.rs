//! Events, as `kubectl get events` shows them: scaling, and containers that do not stay up.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{KUBELET, MANAGER, Round};
use crate::sim::world::cluster::Pen;
use crate::sim::world::dice::{dice, suffix};
use crate::sim::world::json::{number, stamp, text};

/// One thing worth telling of an object.
struct Note<'a> {
    about: &'a Value,
    kind: &'static str,
    reason: &'static str,
    message: String,
    source: &'static str,
    first: Timestamp,
    count: u32,
}

impl Round<'_> {
    /// Tells of a ReplicaSet that is being scaled.
    pub(super) fn note_scaling(&self, deployment: &Value, set: &Value, goal: usize) {
        let before = usize::try_from(number(set, "/spec/replicas")).unwrap_or(0);
        if before == goal {
            return;
        }
        let way = if goal > before { "up" } else { "down" };
        let name = text(set, "/metadata/name");
        self.note(&Note {
            about: deployment,
            kind: "Normal",
            reason: "ScalingReplicaSet",
            message: format!("Scaled {way} replica set {name} from {before} to {goal}"),
            source: "deployment-controller",
            first: self.now,
            count: 1,
        });
    }

    /// Tells of a container that is restarted again and again.
    pub(super) fn note_crash(&self, pod: &Value, restarts: u32, since: Timestamp) {
        let told = number(pod, "/status/containerStatuses/0/restartCount");
        if told >= i64::from(restarts) {
            return;
        }
        let container = text(pod, "/spec/containers/0/name");
        let name = text(pod, "/metadata/name");
        self.note(&Note {
            about: pod,
            kind: "Warning",
            reason: "BackOff",
            message: format!(
                "Back-off restarting failed container {container} in pod {name}_{}({})",
                text(pod, "/metadata/namespace"),
                text(pod, "/metadata/uid")
            ),
            source: KUBELET,
            first: since,
            count: restarts,
        });
    }

    /// Makes the event, or counts it on when it is there.
    fn note(&self, note: &Note<'_>) {
        let about = note.about;
        let (namespace, name) = (
            text(about, "/metadata/namespace"),
            text(about, "/metadata/name"),
        );
        let purpose = format!("{namespace}/{name}/{}/{}", note.reason, note.message);
        let event = format!("{name}.{}", suffix(&mut dice(self.seed, &purpose), 16));
        let manager = if note.source == KUBELET {
            KUBELET
        } else {
            MANAGER
        };
        let pen = Pen::new(self.store, manager, self.now);
        let changing = json!({"count": note.count, "lastTimestamp": stamp(self.now)});
        let mut document = json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": event, "namespace": namespace},
            "involvedObject": {
                "apiVersion": text(about, "/apiVersion"),
                "kind": text(about, "/kind"),
                "namespace": namespace,
                "name": name,
                "uid": text(about, "/metadata/uid"),
            },
            "type": note.kind,
            "reason": note.reason,
            "message": note.message,
            "source": {"component": note.source},
            "reportingComponent": note.source,
            "firstTimestamp": stamp(note.first),
        });
        json_patch::merge(&mut document, &changing);
        let Ok(key) = pen.key(&document) else { return };
        // Events are best effort on a real cluster too.
        let _ = if self.store.get(&key).is_some() {
            pen.merge(&key, changing)
        } else {
            pen.create(document)
        };
    }
}
