//! What became of a plan: one outcome a target, the events of a run as it goes, and the exit status.

use serde::{Deserialize, Serialize, Serializer};

use super::Verb;
use crate::domain::{AppRef, ClusterId, Name, ObjectRef, Safe};

/// How one target ended: exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The cluster shows the wanted state, and it did not before.
    Reverted,
    /// There was nothing to change.
    Unchanged,
    /// Nothing was changed: a check of ours or the server said no.
    Refused,
    /// The server or the engine took the change and could not carry it out.
    Failed,
    /// Sent, or accepted, and the cluster does not show it (yet): look again.
    Unknown,
}

impl Outcome {
    /// The word of the JSON contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Reverted => "reverted",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the target is as wanted.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Reverted | Self::Unchanged)
    }
}

/// Names one target in documents, events and journal lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetName {
    /// The fleet row.
    pub cluster: ClusterId,
    /// The application.
    pub app: AppRef,
    /// The object.
    pub object: ObjectRef,
}

impl std::fmt::Display for TargetName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} on {}", self.object, self.cluster)
    }
}

impl Serialize for TargetName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct App {
            hub: Safe,
            namespace: Safe,
            name: Safe,
        }
        #[derive(Serialize)]
        struct Row {
            cluster: Safe,
            app: App,
            group: Safe,
            version: Safe,
            kind: Safe,
            namespace: Safe,
            name: Safe,
        }
        let safe = |name: &Name| Safe::new(name);
        Row {
            cluster: Safe::new(self.cluster.as_str()),
            app: App {
                hub: Safe::new(self.app.hub.as_str()),
                namespace: safe(&self.app.namespace),
                name: safe(&self.app.name),
            },
            group: safe(&self.object.gvk.group),
            version: safe(&self.object.gvk.version),
            kind: safe(&self.object.gvk.kind),
            namespace: safe(&self.object.namespace),
            name: safe(&self.object.name),
        }
        .serialize(serializer)
    }
}

/// A look at the live object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// `metadata.resourceVersion`, empty when the object is not in the cluster.
    pub resource_version: String,
    /// SHA-256 over the object without status, managedFields and the server's own metadata; keyed with this machine's journal key for Secrets.
    pub hash: String,
    /// Fields that differ from what is wanted.
    pub differs: usize,
}

/// How one target ended, with what was seen before and after.
#[derive(Clone, Debug, Serialize)]
pub struct TargetOutcome {
    /// Which target.
    pub target: TargetName,
    /// How it ended.
    pub outcome: Outcome,
    /// One sentence: what happened, and the next step where there is one.
    pub message: Safe,
    /// The object before the write, absent when nobody looked.
    pub before: Option<Seen>,
    /// The object after the write, absent when nobody looked.
    pub after: Option<Seen>,
}

/// A run of a plan.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The plan's id.
    pub id: String,
    /// What was done.
    pub verb: Verb,
    /// One entry a target of the plan, in the plan's order.
    pub outcomes: Vec<TargetOutcome>,
    /// Whether any write was sent.
    pub sent: bool,
    /// Why the run stopped before its end.
    pub stopped: Option<Safe>,
}

impl Run {
    /// How many targets ended so.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.outcomes
            .iter()
            .filter(|o| o.outcome == outcome)
            .count()
    }
}

/// The exit status of a writing command: 0 every target reverted or unchanged; 2 nothing was sent; 3 some failed, were refused or are unknown.
pub fn exit_status(run: &Run) -> u8 {
    if run.outcomes.iter().all(|o| o.outcome.is_good()) {
        0
    } else if run.sent {
        3
    } else {
        2
    }
}

/// What a run tells while it goes; numbers index the plan's targets.
#[derive(Clone, Debug)]
pub enum RunEvent {
    /// A wave began (from 0).
    WaveStarted(usize),
    /// The write of a target is about to be sent; its intent is on disk.
    Started(usize),
    /// The write was accepted; the cluster is being watched until it shows it.
    Accepted(usize, Safe),
    /// A target ended.
    Ended(usize, Box<TargetOutcome>),
    /// No further target is sent, and why.
    Stopped(Safe),
    /// The run ended.
    Finished(Box<Run>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Gvk;

    fn run(sent: bool, outcomes: &[Outcome]) -> Run {
        let target = TargetName {
            cluster: "edge-oslo-003".into(),
            app: AppRef {
                kind: crate::domain::AppKind::Application,
                hub: "hub-1".into(),
                namespace: "argocd".into(),
                name: "edge-microservice".into(),
            },
            object: ObjectRef::new(
                Gvk::new("apps", "v1", "Deployment"),
                "edge",
                "edge-microservice",
            ),
        };
        Run {
            id: "r1".to_owned(),
            verb: Verb::Revert,
            outcomes: outcomes
                .iter()
                .map(|outcome| TargetOutcome {
                    target: target.clone(),
                    outcome: *outcome,
                    message: Safe::fixed(""),
                    before: None,
                    after: None,
                })
                .collect(),
            sent,
            stopped: None,
        }
    }

    #[test]
    fn all_good_is_zero_whether_or_not_anything_was_sent() {
        use Outcome::{Reverted, Unchanged};
        assert_eq!(exit_status(&run(true, &[Reverted, Unchanged])), 0);
        assert_eq!(exit_status(&run(false, &[Unchanged])), 0);
    }

    #[test]
    fn a_refusal_is_two_while_nothing_was_sent_and_three_once_something_was() {
        use Outcome::{Refused, Reverted};
        assert_eq!(exit_status(&run(false, &[Refused])), 2);
        assert_eq!(exit_status(&run(true, &[Reverted, Refused])), 3);
    }

    #[test]
    fn failed_and_unknown_are_three() {
        assert_eq!(exit_status(&run(true, &[Outcome::Failed])), 3);
        assert_eq!(exit_status(&run(true, &[Outcome::Unknown])), 3);
    }

    #[test]
    fn a_target_is_named_as_the_drift_list_names_it() {
        let name = serde_json::to_value(&run(false, &[Outcome::Refused]).outcomes[0]).unwrap();
        assert_eq!(
            name["target"],
            serde_json::json!({
                "cluster": "edge-oslo-003",
                "app": {"hub": "hub-1", "namespace": "argocd", "name": "edge-microservice"},
                "group": "apps", "version": "v1", "kind": "Deployment", "namespace": "edge", "name": "edge-microservice"
            })
        );
        assert_eq!(name["outcome"], "refused");
        assert_eq!(name["before"], serde_json::Value::Null);
    }
}
