//! The exact effects: everything a write needs, decided when the plan is made.

use serde_json::Value;

use super::catalog::Place;
use super::content::ContentHash;
use super::{Unsealed, Yardstick};
use crate::domain::{AppKind, AppRef, ClusterId, Engine, Name, ObjectRef};

/// The field manager of a direct write: the engine's own, so that the engine goes on owning what it deploys.
pub(super) fn field_manager(kind: AppKind) -> &'static str {
    match kind {
        AppKind::HelmRelease => "helm-controller",
        kind if kind.engine() == Engine::Flux => "kustomize-controller",
        _ => "argocd-controller",
    }
}

/// One exact change: one write to one API server.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Ask Argo CD on the hub for a sync of single objects.
    ArgoSync(Box<ArgoSync>),
    /// Ask Flux to reconcile an object of its own.
    FluxReconcile(Box<FluxReconcile>),
    /// Forced server-side apply over a live object.
    Apply(Box<Apply>),
    /// Create an object that is missing.
    Create(Box<Create>),
    /// Delete an object that Git does not have.
    Delete(Box<Delete>),
    /// Merge patch of a live object.
    Merge(Box<Merge>),
}

/// A selective sync, asked for by writing `operation` to the Application.
#[derive(Clone, Debug)]
pub struct ArgoSync {
    /// The Application, on its hub.
    pub app: AppRef,
    /// `metadata.uid` of the Application.
    pub app_uid: Name,
    /// Hash of the Application's `spec`; a changed spec makes the plan void.
    pub spec_hash: String,
    /// The value of `operation`, complete.
    pub operation: Value,
    /// The objects that it syncs, in the order of the order's targets.
    pub members: Vec<Member>,
}

/// A reconciliation, asked for by an annotation of the Kustomization or HelmRelease.
#[derive(Clone, Debug)]
pub struct FluxReconcile {
    /// The Kustomization or HelmRelease, on the cluster that holds it.
    pub app: AppRef,
    /// `metadata.uid` of it.
    pub app_uid: Name,
    /// Hash of its `spec`; a changed spec makes the plan void.
    pub spec_hash: String,
    /// The annotations, complete.
    pub annotations: Value,
    /// The objects that it is asked for, in the order of the order's targets; it applies others besides.
    pub members: Vec<Member>,
}

/// One object that an engine is asked to put back, for the look before and after.
#[derive(Clone, Debug)]
pub struct Member {
    /// The cluster that holds the object.
    pub cluster: ClusterId,
    /// The object.
    pub object: ObjectRef,
    /// Where it lives.
    pub place: Place,
    /// The live object's content when the plan was made; `None` while it was missing.
    pub seen: Option<ContentHash>,
    /// What it must then be like.
    pub yardstick: Yardstick,
}

/// A server-side apply with `force`, bound to the object that the plan showed.
#[derive(Clone, Debug)]
pub struct Apply {
    /// The cluster.
    pub cluster: ClusterId,
    /// Where the object lives.
    pub place: Place,
    /// `metadata.uid` of the live object.
    pub uid: Name,
    /// The live object's content when the plan was made; a changed object makes the plan void.
    pub seen: ContentHash,
    /// Under which field manager.
    pub manager: &'static str,
    /// The manifest, without preconditions.
    pub body: Unsealed,
    /// What the object must then be like.
    pub yardstick: Yardstick,
}

/// A plain create, which the server refuses when somebody was faster.
///
/// Not a server-side apply: that would take over an object which somebody made in the meantime, and it has no precondition that says "only if absent".
#[derive(Clone, Debug)]
pub struct Create {
    /// The cluster.
    pub cluster: ClusterId,
    /// Where the object will live.
    pub place: Place,
    /// Under which field manager.
    pub manager: &'static str,
    /// The manifest.
    pub body: Unsealed,
    /// What the object must then be like.
    pub yardstick: Yardstick,
}

/// A delete with UID and resourceVersion preconditions.
#[derive(Clone, Debug)]
pub struct Delete {
    /// The cluster.
    pub cluster: ClusterId,
    /// Where the object lives.
    pub place: Place,
    /// `metadata.uid` of the live object.
    pub uid: Name,
    /// The live object's content when the plan was made.
    pub seen: ContentHash,
    /// That it must then be gone.
    pub yardstick: Yardstick,
}

/// A merge patch from what is live to what is wanted, bound to what is live.
///
/// A server-side apply removes nothing that another manager added. Where list entries have to go, this takes its place: one write that sets and
/// removes at once, so that a workload rolls out once. An undo is one too.
#[derive(Clone, Debug)]
pub struct Merge {
    /// The cluster.
    pub cluster: ClusterId,
    /// Where the object lives.
    pub place: Place,
    /// `metadata.uid` of the live object.
    pub uid: Name,
    /// The live object's content when the plan was made.
    pub seen: ContentHash,
    /// Under which field manager.
    pub manager: &'static str,
    /// The merge patch, without preconditions.
    pub patch: Unsealed,
    /// What the object must then be like.
    pub yardstick: Yardstick,
}

impl Member {
    fn bind(&self, feed: &mut dyn FnMut(&[u8])) {
        feed(self.cluster.as_str().as_bytes());
        feed(self.place.path().as_bytes());
        feed(self.seen.as_ref().map_or(&[], ContentHash::bytes));
        let wanted = self.yardstick.wanted();
        let wanted = wanted.map(|d| d.expose().to_string()).unwrap_or_default();
        feed(wanted.as_bytes());
    }
}

impl Effect {
    /// The cluster whose API server receives the write.
    pub fn receiver(&self) -> &ClusterId {
        match self {
            Self::ArgoSync(e) => &e.app.hub,
            Self::FluxReconcile(e) => &e.app.hub,
            Self::Apply(e) => &e.cluster,
            Self::Create(e) => &e.cluster,
            Self::Delete(e) => &e.cluster,
            Self::Merge(e) => &e.cluster,
        }
    }

    /// Everything the write depends on, as bytes in a fixed order: a confirmation is bound to them. They may hold Secret values.
    pub(super) fn bind(&self, feed: &mut dyn FnMut(&[u8])) {
        let place = |place: &Place, feed: &mut dyn FnMut(&[u8])| feed(place.path().as_bytes());
        feed(self.receiver().as_str().as_bytes());
        match self {
            Self::ArgoSync(e) => {
                feed(b"argo");
                feed(e.app.to_string().as_bytes());
                feed(e.app_uid.as_bytes());
                feed(e.spec_hash.as_bytes());
                feed(e.operation.to_string().as_bytes());
                e.members.iter().for_each(|member| member.bind(feed));
            }
            Self::FluxReconcile(e) => {
                feed(b"flux");
                feed(e.app.to_string().as_bytes());
                feed(e.app_uid.as_bytes());
                feed(e.spec_hash.as_bytes());
                feed(e.annotations.to_string().as_bytes());
                e.members.iter().for_each(|member| member.bind(feed));
            }
            Self::Apply(e) => {
                feed(b"apply");
                feed(e.manager.as_bytes());
                place(&e.place, feed);
                feed(e.uid.as_bytes());
                feed(e.seen.bytes());
                feed(e.body.expose().to_string().as_bytes());
            }
            Self::Create(e) => {
                feed(b"create");
                feed(e.manager.as_bytes());
                place(&e.place, feed);
                feed(e.body.expose().to_string().as_bytes());
            }
            Self::Delete(e) => {
                feed(b"delete");
                place(&e.place, feed);
                feed(e.uid.as_bytes());
                feed(e.seen.bytes());
            }
            Self::Merge(e) => {
                feed(b"merge");
                feed(e.manager.as_bytes());
                place(&e.place, feed);
                feed(e.uid.as_bytes());
                feed(e.seen.bytes());
                feed(e.patch.expose().to_string().as_bytes());
            }
        }
    }
}
