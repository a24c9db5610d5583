//! What drift is: the verdict on one object, field by field, with the owner of each field.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Safe;

/// The engine's word on an application or resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SyncState {
    /// Live equals desired.
    Synced,
    /// Live differs from desired.
    OutOfSync,
    /// The comparison itself failed, or nobody looked; never "probably fine".
    #[default]
    Unknown,
}

/// Health, best to worst, in Argo CD's order.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Health {
    /// All well.
    Healthy,
    /// Paused on purpose.
    Suspended,
    /// On its way.
    Progressing,
    /// Not in the cluster.
    Missing,
    /// Failed.
    Degraded,
    /// Could not be told.
    #[default]
    Unknown,
}

/// How one object stands to Git. `Edited` and `Behind` can hold at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DriftState {
    /// Live differs from the deployed revision: somebody changed it.
    Edited,
    /// Deployed, and gone from the cluster.
    Missing,
    /// In the cluster and claimed by the application, but not in Git.
    Extra,
    /// The deployed revision differs from the target revision: Git moved on.
    Behind,
    /// It could not be judged.
    Unknown,
}

impl DriftState {
    /// The word of the JSON contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Edited => "edited",
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Behind => "behind",
            Self::Unknown => "unknown",
        }
    }
}

/// Who says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VerdictSource {
    /// We compared Git with the live object ourselves.
    #[default]
    Computed,
    /// The API server's dry run said so.
    Server,
    /// Argo CD said so.
    Argo,
    /// Flux said so.
    Flux,
    /// We compared what Argo CD's API says is wanted with the live object, because Git could not be rendered here.
    #[serde(rename = "argo-api")]
    ArgoApi,
    /// We compared what was last applied with the live object, because nothing better is known.
    #[serde(rename = "last-applied")]
    LastApplied,
}

/// What happened to a field, seen from Git.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeOp {
    /// Both have it, with different values.
    Changed,
    /// Only live has it.
    Added,
    /// Only Git has it.
    Removed,
}

/// The tool that last set a field, from `metadata.managedFields`. A tool, not a person.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct FieldOwner {
    /// Field manager, such as `kubectl-edit`.
    pub manager: Safe,
    /// `Apply` or `Update`.
    pub operation: Safe,
    /// Subresource it wrote through, empty for the object itself.
    pub subresource: Safe,
    /// When it last wrote any field.
    pub time: Option<Timestamp>,
}

/// One counted difference. Values inside Secrets are already masks.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Readable path: `spec.template.spec.containers[name=app].image`.
    pub path: String,
    /// What happened to it.
    pub op: ChangeOp,
    /// The value Git sets, absent when Git sets none.
    pub desired: Option<Value>,
    /// The live value, absent when there is none.
    pub live: Option<Value>,
    /// Who set the live value; for a removed field nobody is recorded, and the newest human writer is named as likely.
    pub owner: Option<FieldOwner>,
    /// Whether the owner was inferred (a removed field has no owner of record).
    pub owner_inferred: bool,
}

/// A difference that does not count, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Ignored {
    /// Readable path.
    pub path: String,
    /// Why it does not count, in one sentence.
    pub reason: String,
    /// Who set it, when recorded.
    pub owner: Option<FieldOwner>,
}

/// Equal for equal changes, whatever cluster they are on; stable across runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u64);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The verdict on one object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// Every state that holds; empty when the object is as deployed and as Git wants it.
    pub states: Vec<DriftState>,
    /// Who says it.
    pub source: VerdictSource,
    /// Live against deployed: the counted differences, in path order.
    pub changes: Vec<Change>,
    /// Deployed against target: what a sync to the newest revision would change. `desired` is the target's, `live` the deployed value.
    pub behind: Vec<Change>,
    /// Live against deployed: what differs and does not count.
    pub ignored: Vec<Ignored>,
    /// Shadow drift: what Git does not set and a tool in a person's hands did. It is among `ignored` too, and never counts by itself.
    pub shadow: Vec<Change>,
    /// Groups equal changes; `None` when nothing drifted.
    pub fingerprint: Option<Fingerprint>,
    /// One line that tells the change: `spec.replicas 3→1`, `missing in cluster`.
    pub summary: Safe,
    /// Why it could not be judged, when it could not; or what else must be said of how it was.
    pub message: Option<Safe>,
    /// How the engine treats the object.
    pub handling: Handling,
}

/// How Argo CD treats one object, by the annotations of its manifest and of its application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Handling {
    /// The wave of a sync in which it is applied.
    pub wave: i64,
    /// As what kinds of hook it runs; empty for an ordinary object.
    pub hooks: Vec<&'static str>,
    /// How Argo CD compares it.
    pub mode: CompareMode,
    /// Its own sync and compare options, as they are written.
    pub options: Vec<Safe>,
}

/// How Argo CD compares an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CompareMode {
    /// With what was applied last, Git and live.
    #[default]
    ThreeWay,
    /// With Git and live only: nothing is known to have been applied.
    TwoWay,
    /// As a server-side apply would merge, worked out by Argo CD itself.
    StructuredMerge,
    /// By the API server's dry run, without what webhooks change.
    ServerSide,
    /// By the API server's dry run, what webhooks change included.
    ServerSideWithWebhooks,
}

impl CompareMode {
    /// The word of the JSON contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::ThreeWay => "three-way",
            Self::TwoWay => "two-way",
            Self::StructuredMerge => "structured-merge",
            Self::ServerSide => "server-side",
            Self::ServerSideWithWebhooks => "server-side-with-webhooks",
        }
    }
}

/// The path that stands for an object as a whole.
pub const WHOLE: &str = ".";

impl Verdict {
    /// Nothing of it counts, for this reason; every difference is still listed.
    pub fn dismiss(&mut self, reason: &str) {
        let whole = self.states.iter().find(|state| {
            matches!(
                state,
                DriftState::Missing | DriftState::Extra | DriftState::Behind
            )
        });
        let counted = self.changes.drain(..).map(|c| (c.path, c.owner));
        let mut gone: Vec<_> = counted.collect();
        gone.extend(self.behind.drain(..).map(|c| (c.path, None)));
        if let Some(state) = whole.filter(|_| gone.is_empty()) {
            gone.push((WHOLE.to_owned(), None));
            self.summary = format!("{}, which does not count", state.word()).into();
        } else {
            self.summary = Safe::default();
        }
        self.ignored
            .extend(gone.into_iter().map(|(path, owner)| Ignored {
                path,
                reason: reason.to_owned(),
                owner,
            }));
        self.states.retain(|state| *state == DriftState::Unknown);
        self.shadow.clear();
        self.fingerprint = None;
    }

    /// Whether the object counts as drifted.
    pub fn is_drift(&self) -> bool {
        self.states.iter().any(|s| *s != DriftState::Unknown)
    }

    /// The state that stands in one column: edited before missing before extra before behind.
    pub fn main_state(&self) -> Option<DriftState> {
        self.states.iter().copied().min()
    }
}
