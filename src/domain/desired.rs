//! The desired state of an application's objects, as it comes out of Git, and why there may be none.

use std::sync::Arc;

use serde_json::Value;

use super::{Name, ObjectRef, Safe};

/// One object as Git wants it, already with the destination's namespace and the tracking mark that the engine would set.
#[derive(Clone, Debug, PartialEq)]
pub struct DesiredObject {
    /// Who it is.
    pub object: ObjectRef,
    /// The manifest.
    pub body: Arc<Value>,
    /// Repository it came from.
    pub repo: Name,
    /// Commit it came from.
    pub revision: Name,
    /// File inside the repository.
    pub path: Name,
}

/// How Argo CD marks what it manages (`application.resourceTrackingMethod` in argocd-cm).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TrackingMethod {
    /// `argocd.argoproj.io/tracking-id`, the default since 3.0.
    #[default]
    Annotation,
    /// Both; the label is cut to 63 characters.
    AnnotationAndLabel,
    /// `app.kubernetes.io/instance`, or the configured key.
    Label,
}

/// The tracking settings of one hub, read from argocd-cm.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tracking {
    /// Which marks are set.
    pub method: TrackingMethod,
    /// The label's key.
    pub label_key: Name,
    /// `installationID`, empty when none is set.
    pub installation_id: Name,
}

impl Default for Tracking {
    fn default() -> Self {
        Self {
            method: TrackingMethod::Annotation,
            label_key: "app.kubernetes.io/instance".into(),
            installation_id: "".into(),
        }
    }
}

/// Why an application cannot be judged by us. Argo's own verdict then stays, labelled Argo's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unjudged {
    /// The kind of obstacle.
    pub reason: UnjudgedReason,
    /// One sentence: what, where, next step. Holds no credentials.
    pub message: Safe,
}

/// The kinds of obstacle to judging.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnjudgedReason {
    /// The path needs `helm template`.
    NeedsHelm,
    /// The path needs `kustomize`.
    NeedsKustomize,
    /// The path needs jsonnet or a plugin.
    NeedsPlugin,
    /// Several sources.
    MultiSource,
    /// The repository's URL is of a kind that is not allowed.
    ForbiddenUrl,
    /// The repository did not answer or refused.
    NoAccess,
    /// The revision or the path is not in the repository.
    NotFound,
    /// A manifest does not parse, or a limit was passed.
    BadManifest,
    /// Nothing was ever deployed.
    NeverDeployed,
    /// The destination is no cluster of the kubeconfig.
    Unmatched,
    /// The desired state is still being fetched.
    Pending,
}
