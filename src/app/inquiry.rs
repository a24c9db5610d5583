//! Questions to clusters that only a person asks: what the watches do not bring, read when it is looked at.

use jiff::{SignedDuration, Timestamp};

use super::msg::WishTarget;
use crate::domain::{AppRef, ClusterId, Commit, Health, Name, ObjectRef, Safe, Source};
use crate::ops::ServerWord;

/// A question; the runtime asks it on the interactive lane and answers with [`super::Done::Answered`].
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// Nodes, controllers, clock and credentials of a cluster.
    Cluster(ClusterId),
    /// The events of objects and of what they own.
    Events(Vec<WishTarget>),
    /// The logs of workloads, followed until [`super::Effect::Hush`].
    Logs(Vec<WishTarget>),
    /// An object as it is live, as Git wants it, and as it was last applied.
    Yaml(WishTarget),
    /// The commits up to what is deployed.
    Commits(CommitWish),
    /// What hangs under objects, down to the pods.
    Tree(TreeWish),
    /// What the servers' dry runs say of our verdicts.
    Word(Vec<WishTarget>),
    /// What objects have at a path. Never of Secrets.
    Field {
        /// Which objects.
        targets: Vec<WishTarget>,
        /// Where in them: `data.LOG_LEVEL`, `env.LOG_LEVEL`, `spec.template.spec.containers[app].image`.
        path: Safe,
    },
    /// The same object on many clusters.
    Compare {
        /// Which object.
        object: ObjectRef,
        /// Where.
        clusters: Vec<ClusterId>,
    },
}

/// What became of a question.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// To [`Question::Cluster`].
    Cluster(Box<ClusterDetail>),
    /// To [`Question::Events`]: the newest first.
    Events(Vec<EventLine>),
    /// To [`Question::Logs`], again and again: what came in since the last answer.
    Logs(Vec<LogLine>),
    /// To [`Question::Yaml`].
    Yaml(Box<YamlText>),
    /// To [`Question::Commits`]: the newest first.
    Commits(Vec<Commit>),
    /// To [`Question::Tree`].
    Tree(Box<ResourceTree>),
    /// To [`Question::Word`], in the same order.
    Word(Vec<(WishTarget, ServerWord)>),
    /// To [`Question::Field`], in the same order.
    Field(Vec<(WishTarget, FieldReading)>),
    /// To [`Question::Compare`].
    Compare(Box<Comparison>),
}

/// The value that an object has, none where it has none, or why that is not known.
pub type FieldReading = Result<Option<Safe>, Safe>;

/// Whose commits are wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct CommitWish {
    /// The application.
    pub app: AppRef,
    /// Where its desired state comes from.
    pub source: Source,
    /// The newest one.
    pub revision: Name,
}

/// Whose tree is wanted, and where it is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeWish {
    /// Where.
    pub cluster: ClusterId,
    /// The application that manages the objects.
    pub app: AppRef,
    /// The objects at the top.
    pub roots: Vec<ObjectRef>,
    /// The namespaces that are listed.
    pub namespaces: Vec<Name>,
}

/// What hangs under some objects by owner references.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceTree {
    /// Each owner before what it owns.
    pub branches: Vec<Branch>,
    /// What was not looked at or is not shown, in sentences.
    pub remarks: Vec<Safe>,
}

/// One object of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// How many owners are above it.
    pub depth: usize,
    /// Which object.
    pub object: ObjectRef,
    /// Its health by our rules, and the words that come with it; none for kinds that have none, or when it was not read.
    pub health: Option<(Health, Safe)>,
    /// Which rule told it, in words; none for Argo CD's own checks.
    pub health_by: Option<Safe>,
    /// A few words: what is ready, what it waits for.
    pub fact: Safe,
    /// When it was made.
    pub created: Option<Timestamp>,
}

/// One event of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventLine {
    /// Where.
    pub cluster: ClusterId,
    /// When it was last seen.
    pub last: Option<Timestamp>,
    /// Whether the cluster calls it a warning.
    pub warning: bool,
    /// Its reason, such as `BackOff`.
    pub reason: Safe,
    /// Its words.
    pub message: Safe,
    /// Kind and name of what it is about.
    pub object: Safe,
    /// How often it was seen.
    pub count: u64,
}

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Where.
    pub cluster: ClusterId,
    /// The pod.
    pub pod: Safe,
    /// When it was written, as the kubelet says.
    pub at: Option<Timestamp>,
    /// The text.
    pub text: Safe,
}

/// An object as lines of YAML. In place of a Secret's values stand marks: equal marks under one key are equal values, in all three texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlText {
    /// As it is, without bookkeeping, or why that is not known.
    pub live: Result<Vec<Safe>, Safe>,
    /// As the deployed revision wants it, or why that is not known.
    pub desired: Result<Vec<Safe>, Safe>,
    /// The copy that `kubectl apply` left, when there is one.
    pub last_applied: Option<Vec<Safe>>,
}

/// The same object on many clusters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Clusters that have it as most have it.
    pub majority: Vec<ClusterId>,
    /// The others, by what they have.
    pub variants: Vec<Variant>,
    /// Clusters it could not be read on, and why.
    pub unread: Vec<(ClusterId, Safe)>,
}

/// Clusters that have an object alike, and otherwise than most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Which.
    pub clusters: Vec<ClusterId>,
    /// Path, what most have, what these have.
    pub changes: Vec<(Safe, Option<Safe>, Option<Safe>)>,
    /// How many more differences there are.
    pub left_out: usize,
}

/// How far a question is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Inquiry<T> {
    /// Nobody asked.
    #[default]
    Idle,
    /// Asked, under this number.
    Asking(u64),
    /// It cannot be answered, and why.
    Failed(Safe),
    /// The answer.
    Here(T),
}

impl<T> Inquiry<T> {
    /// Whether the answer to this question is waited for.
    pub fn waits_for(&self, ask: u64) -> bool {
        matches!(self, Self::Asking(own) if *own == ask)
    }
}

/// What was read of one cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterDetail {
    /// When it was asked.
    pub asked_at: Timestamp,
    /// How we prove who we are, in words; never the proof.
    pub credential: Safe,
    /// When the client certificate ends.
    pub certificate_ends: Option<Timestamp>,
    /// When the token of the kubeconfig ends, as it says itself.
    pub token_ends: Option<Timestamp>,
    /// Whether the server's certificate is not checked.
    pub insecure: bool,
    /// The server's clock minus ours, to the second; `None` when the answer carried no date.
    pub skew: Option<SignedDuration>,
    /// How long the question took.
    pub round_trip: SignedDuration,
    /// Open connections.
    pub connections: usize,
    /// The nodes, or why they cannot be read.
    pub nodes: Result<Vec<NodeLine>, Safe>,
    /// The engines' controllers, or why they cannot be read.
    pub controllers: Result<Vec<ControllerLine>, Safe>,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeLine {
    /// Its name.
    pub name: Safe,
    /// Whether its kubelet says it is ready.
    pub ready: bool,
    /// What else there is to say: pressure, cordoned, why it is not ready.
    pub remarks: Vec<Safe>,
    /// The kubelet's version.
    pub version: Safe,
}

/// One workload of a GitOps engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControllerLine {
    /// Namespace and name.
    pub name: Safe,
    /// Replicas that are ready.
    pub ready: u64,
    /// Replicas that are wanted.
    pub wanted: u64,
    /// The image of its first container, without registry.
    pub image: Safe,
}
