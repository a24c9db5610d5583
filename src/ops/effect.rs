//! The exact effects: everything a write needs, decided when the plan is made.

use serde_json::Value;

use super::Unsealed;
use crate::domain::{AppRef, ClusterId, Name, ObjectRef};

/// The field manager of every direct write: the engine's own, so that the engine goes on owning what it deploys.
pub const FIELD_MANAGER: &str = "argocd-controller";

/// One exact change of one cluster.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Ask Argo CD on the hub for a sync of single objects.
    ArgoSync(Box<ArgoSync>),
    /// Forced server-side apply over a live object.
    Apply(Box<Apply>),
    /// Create an object that is missing.
    Create(Box<Create>),
    /// Delete an object that Git does not have.
    Delete(Box<Delete>),
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
    /// The cluster that holds the object, for the look afterwards.
    pub cluster: ClusterId,
    /// The object, for the look afterwards.
    pub object: ObjectRef,
    /// What the object must then equal; `None` when it must be gone.
    pub desired: Option<Unsealed>,
}

/// A server-side apply with `force`, bound to the object that the plan showed.
#[derive(Clone, Debug)]
pub struct Apply {
    /// The cluster.
    pub cluster: ClusterId,
    /// The object.
    pub object: ObjectRef,
    /// `metadata.uid` of the live object.
    pub uid: Name,
    /// Hash of the live object's content when the plan was made; a changed object makes the plan void.
    pub seen: String,
    /// The manifest, without preconditions.
    pub body: Unsealed,
}

/// A plain create, which fails when somebody was faster.
#[derive(Clone, Debug)]
pub struct Create {
    /// The cluster.
    pub cluster: ClusterId,
    /// The object.
    pub object: ObjectRef,
    /// The manifest.
    pub body: Unsealed,
}

/// A delete with UID and resourceVersion preconditions.
#[derive(Clone, Debug)]
pub struct Delete {
    /// The cluster.
    pub cluster: ClusterId,
    /// The object.
    pub object: ObjectRef,
    /// `metadata.uid` of the live object.
    pub uid: Name,
    /// Hash of the live object's content when the plan was made.
    pub seen: String,
}

impl Effect {
    /// The cluster whose API server receives the write.
    pub fn receiver(&self) -> &ClusterId {
        match self {
            Self::ArgoSync(e) => &e.app.hub,
            Self::Apply(e) => &e.cluster,
            Self::Create(e) => &e.cluster,
            Self::Delete(e) => &e.cluster,
        }
    }
}
