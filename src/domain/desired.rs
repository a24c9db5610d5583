//! The desired state of an application's objects, as it comes out of Git, and why there may be none.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::{AppKind, AppRef, Engine, Name, ObjectRef, Safe};

/// One object as Git wants it, already with the destination's namespace and the tracking mark that the engine would set.
#[derive(Clone, Debug, PartialEq)]
pub struct DesiredObject {
    /// Who it is.
    pub object: ObjectRef,
    /// The manifest.
    pub body: DesiredBody,
    /// Repository it came from.
    pub repo: Name,
    /// Commit it came from.
    pub revision: Name,
    /// File inside the repository.
    pub path: Name,
}

/// One commit, for display.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its full name.
    pub id: Name,
    /// Its author's name.
    pub author: Safe,
    /// When it was authored.
    pub time: Option<Timestamp>,
    /// The first line of its message.
    pub subject: Safe,
}

/// What an application's target revision means now, beside what is deployed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Newest {
    /// The repository's URL, without credentials.
    pub repo: Name,
    /// The commit, chart version or digest that is deployed.
    pub deployed: Name,
    /// The one that the target revision means now.
    pub revision: Name,
    /// Commits that the newest has and the deployed has not; counted to a thousand. Versions of a chart have none between them.
    pub count: usize,
    /// The newest of them, newest first.
    pub commits: Vec<Commit>,
}

impl Newest {
    /// Whether what is deployed is not the newest.
    pub fn is_behind(&self) -> bool {
        self.deployed != self.revision
    }
}

/// A manifest with an application's marks.
///
/// The manifest is shared by all applications of the same path and namespace, and the marks are kept beside it: a fleet has hundreds of
/// thousands of these, and as documents of their own they would fill gigabytes.
#[derive(Clone, Debug, PartialEq)]
pub struct DesiredBody {
    shared: Arc<Value>,
    marks: Box<[Mark]>,
}

/// One annotation or label that the engine sets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mark {
    /// Where it stands.
    pub place: MarkPlace,
    /// Its key.
    pub key: Name,
    /// Its value.
    pub value: Name,
}

/// Where a mark stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MarkPlace {
    /// `metadata.annotations`.
    Annotation,
    /// `metadata.labels`.
    Label,
}

impl DesiredBody {
    /// A manifest to be marked.
    pub fn new(shared: Arc<Value>, marks: Vec<Mark>) -> Self {
        Self {
            shared,
            marks: marks.into(),
        }
    }

    /// The whole manifest, marks included; made anew, so call it once.
    pub fn document(&self) -> Value {
        let mut document = (*self.shared).clone();
        for mark in &self.marks {
            mark.set(&mut document);
        }
        document
    }

    /// The manifest without the marks.
    pub fn unmarked(&self) -> &Arc<Value> {
        &self.shared
    }
}

impl From<Value> for DesiredBody {
    /// A manifest without marks, or with marks that stand in it already.
    fn from(document: Value) -> Self {
        Self::new(Arc::new(document), Vec::new())
    }
}

impl Mark {
    fn set(&self, document: &mut Value) {
        let Some(metadata) = document.get_mut("metadata").and_then(Value::as_object_mut) else {
            return;
        };
        let map = match self.place {
            MarkPlace::Annotation => "annotations",
            MarkPlace::Label => "labels",
        };
        let entry = metadata.entry(map).or_insert(Value::Null);
        if !entry.is_object() {
            *entry = Value::Object(serde_json::Map::new());
        }
        if let Some(entries) = entry.as_object_mut() {
            entries.insert(self.key.to_string(), Value::String(self.value.to_string()));
        }
    }
}

/// How an engine marks what it manages: Argo CD by `application.resourceTrackingMethod` in argocd-cm, Flux always the same way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TrackingMethod {
    /// `argocd.argoproj.io/tracking-id`, the default since 3.0.
    #[default]
    Annotation,
    /// Both; the label is cut to 63 characters.
    AnnotationAndLabel,
    /// `app.kubernetes.io/instance`, or the configured key.
    Label,
    /// Flux's two labels, name and namespace of the owner; the key is the group of its kind.
    Flux,
}

/// How one hub marks and compares, read from argocd-cm.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tracking {
    /// Which marks are set.
    pub method: TrackingMethod,
    /// The label's key.
    pub label_key: Name,
    /// `installationID`, empty when none is set.
    pub installation_id: Name,
    /// `kustomize.buildOptions`, as it is written.
    pub kustomize_options: Name,
    /// Rules for every application of the hub, in the form of `spec.ignoreDifferences`.
    pub ignore_differences: Vec<serde_json::Value>,
    /// What argocd-cm says about comparing, verbatim by key; shared by all who hold it.
    pub comparing: Arc<BTreeMap<Name, Name>>,
    /// Where Argo CD's own pages are (`url`), empty when argocd-cm does not say.
    pub page: Name,
    /// Whether the hub's default is the server's own dry run (`controller.diff.server.side` in argocd-cmd-params-cm).
    pub server_side_diff: bool,
}

impl Tracking {
    /// How Flux marks what an owner of this kind brought.
    pub fn flux(kind: AppKind) -> Self {
        Self {
            method: TrackingMethod::Flux,
            label_key: kind.group().into(),
            ..Self::default()
        }
    }

    /// How an application's objects are marked, where its hub's Argo CD marks as this says.
    pub fn of(&self, app: &AppRef) -> Self {
        match app.kind.engine() {
            Engine::Argo => self.clone(),
            Engine::Flux => Self::flux(app.kind),
        }
    }

    /// What an application ignores: the hub's rules and its own. An application's word that is no list stands alone, for the reader to name.
    pub fn ignoring(&self, own: Option<&serde_json::Value>) -> Option<serde_json::Value> {
        use serde_json::Value;
        match own {
            None | Some(Value::Null) if self.ignore_differences.is_empty() => None,
            None | Some(Value::Null) => Some(Value::Array(self.ignore_differences.clone())),
            Some(Value::Array(own)) => {
                let all = self.ignore_differences.iter().chain(own);
                Some(Value::Array(all.cloned().collect()))
            }
            Some(other) => Some(other.clone()),
        }
    }
}

impl Default for Tracking {
    fn default() -> Self {
        Self {
            method: TrackingMethod::Annotation,
            label_key: "app.kubernetes.io/instance".into(),
            installation_id: "".into(),
            kustomize_options: "".into(),
            ignore_differences: Vec::new(),
            comparing: Arc::default(),
            page: "".into(),
            server_side_diff: false,
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
    /// The source needs `helm`, which is not there.
    NeedsHelm,
    /// The path needs `kustomize`, which is not there.
    NeedsKustomize,
    /// The path needs `jsonnet`, which is not there.
    NeedsJsonnet,
    /// The source needs a config management plugin, which is never run here.
    NeedsPlugin,
    /// Its sources do not fit together, or name settings of several kinds at once.
    BadSource,
    /// The URL of the repository, of a remote base or of a dependency is not allowed.
    ForbiddenUrl,
    /// The repository did not answer or refused.
    NoAccess,
    /// The repository asks for credentials that are not there.
    NoCredentials,
    /// The rendering program refused, took too long or wrote too much.
    RenderFailed,
    /// The revision or the path is not in the repository.
    NotFound,
    /// A manifest does not parse, or a limit was passed.
    BadManifest,
    /// What it wants is encrypted, and only the engine holds the key.
    Encrypted,
    /// Nothing was ever deployed.
    NeverDeployed,
    /// The destination is no cluster of the kubeconfig.
    Unmatched,
    /// The desired state is still being fetched.
    Pending,
}

impl UnjudgedReason {
    /// Whether another word on the desired state may stand in for Git's: Argo CD's API, or what was last applied.
    pub fn may_stand_in(self) -> bool {
        matches!(
            self,
            Self::NeedsHelm
                | Self::NeedsKustomize
                | Self::NeedsJsonnet
                | Self::NeedsPlugin
                | Self::ForbiddenUrl
                | Self::NoAccess
                | Self::NoCredentials
                | Self::RenderFailed
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn marks_are_set_beside_what_stands_there_and_replace_their_like() {
        let mark = |place, key: &str, value: &str| Mark {
            place,
            key: key.into(),
            value: value.into(),
        };
        let manifest = json!({"metadata": {"name": "web", "annotations": {"team": "edge", "id": "old"}, "labels": null}});
        let body = DesiredBody::new(
            Arc::new(manifest.clone()),
            vec![
                mark(MarkPlace::Annotation, "id", "new"),
                mark(MarkPlace::Label, "instance", "web"),
            ],
        );
        assert_eq!(
            body.document(),
            json!({"metadata": {"name": "web", "annotations": {"team": "edge", "id": "new"}, "labels": {"instance": "web"}}})
        );
        assert_eq!(**body.unmarked(), manifest);
    }

    #[test]
    fn a_document_without_metadata_is_left_alone() {
        let mark = Mark {
            place: MarkPlace::Label,
            key: "a".into(),
            value: "b".into(),
        };
        let body = DesiredBody::new(Arc::new(json!({"kind": "Odd"})), vec![mark]);
        assert_eq!(body.document(), json!({"kind": "Odd"}));
    }
}
