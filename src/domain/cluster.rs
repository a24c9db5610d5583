//! What is known of one cluster: its link, its roles, its figures.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use super::{ControllerReading, Safe};

/// The state of the link to a cluster, as the connection's own clock and answers say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkState {
    /// No answer yet, still within the first attempt's time.
    #[default]
    Connecting,
    /// Answering; what is shown is current.
    Live,
    /// Answering, but slower than usual; what is shown is current.
    Slow,
    /// It answered once and no longer does: everything shown of it is old.
    Stale,
    /// No attempt succeeded; never green.
    Unreachable,
    /// The credentials were refused or must be renewed by the operator.
    Auth,
    /// The credentials are accepted but nothing may be read.
    Denied,
}

impl LinkState {
    /// Whether what the store holds of the cluster is current.
    pub fn is_current(self) -> bool {
        matches!(self, Self::Live | Self::Slow)
    }

    /// The word of the JSON contract. `Connecting` has none there and reads as unreachable.
    pub fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Slow => "slow",
            Self::Stale => "stale",
            Self::Connecting | Self::Unreachable => "unreachable",
            Self::Auth => "auth",
            Self::Denied => "denied",
        }
    }
}

/// What a cluster is to the fleet; it can be both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It holds Applications for other clusters.
    Hub,
    /// Applications deploy to it.
    Edge,
}

/// A GitOps engine.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Argo CD.
    #[default]
    Argo,
    /// Flux.
    Flux,
}

/// Static facts of a connection, sent once it is made and again when they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionFacts {
    /// The API server's URL.
    pub server: Safe,
    /// Hash of the CA bundle, empty when the system's roots are used.
    pub ca: Safe,
    /// Git version the server reports, such as `v1.31.2`.
    pub version: Safe,
    /// UID of the namespace kube-system: the identity of the cluster behind aliases. Empty when it may not be read.
    pub uid: Safe,
    /// The one identity this row acts with, such as the kubeconfig user's name.
    pub identity: Safe,
    /// All contexts that lead here, the acting one first.
    pub contexts: Vec<Safe>,
    /// The namespace the row is confined to, empty for the whole cluster.
    pub namespace_scope: Safe,
    /// Engines whose kinds the server serves.
    pub engines: Vec<Engine>,
}

/// One answer to "may I": from a self-subject review or from a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Permission {
    /// What does not work without it, as the end of a sentence.
    pub without: Safe,
    /// What was asked, such as `patch applications.argoproj.io`.
    pub what: Safe,
    /// Whether it is allowed.
    pub allowed: bool,
}

/// One figure of a cluster or application with its recent course.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricFigure {
    /// Short name, such as `req/s` or `cpu`.
    pub name: Safe,
    /// The newest value in `unit`.
    pub value: f64,
    /// Unit of the value: `""`, `"/s"`, `"%"`, `"B"`, `"s"`.
    pub unit: &'static str,
    /// Recent values, oldest first, at most 60.
    pub course: Vec<f64>,
}

/// The figures of one cluster, and what could not be read of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterMetrics {
    /// Figures of the cluster as a whole.
    pub figures: Vec<MetricFigure>,
    /// Figures by application name; one object in JSON.
    #[serde(serialize_with = "by_name")]
    pub by_app: Vec<(Safe, Vec<MetricFigure>)>,
    /// How the controllers of engines are whose metrics are scraped.
    pub controllers: Vec<ControllerReading>,
    /// Endpoints that answered the last round.
    pub targets_up: usize,
    /// Endpoints found by the last round of discovery.
    pub targets: usize,
    /// Families dropped because they did not parse.
    pub dropped_families: usize,
    /// Samples read in the last round.
    pub samples: usize,
    /// Why nothing can be shown, when nothing can.
    pub message: Option<Safe>,
    /// When the last round ended.
    pub scraped_at: Option<Timestamp>,
}

/// Pairs as one object.
fn by_name<S: Serializer>(pairs: &[(Safe, Vec<MetricFigure>)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(pairs.iter().map(|(name, figures)| (name, figures)))
}
