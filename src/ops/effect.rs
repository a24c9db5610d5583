//! The exact effects: everything a write needs, decided when the plan is made.

use serde_json::Value;

use super::catalog::Place;
use super::content::ContentHash;
use super::{Unsealed, Yardstick};
use crate::domain::{AppRef, ClusterId, Name, ObjectRef};

/// The field manager of every direct write: the engine's own, so that the engine goes on owning what it deploys.
pub(super) const FIELD_MANAGER: &str = "argocd-controller";

/// One exact change: one write to one API server.
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

/// One object of a selective sync, for the look before and after.
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

impl Effect {
    /// The cluster whose API server receives the write.
    pub fn receiver(&self) -> &ClusterId {
        match self {
            Self::ArgoSync(e) => &e.app.hub,
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
                for member in &e.members {
                    feed(member.cluster.as_str().as_bytes());
                    place(&member.place, feed);
                    feed(member.seen.as_ref().map_or(&[], ContentHash::bytes));
                    feed(
                        member
                            .yardstick
                            .wanted()
                            .map(|d| d.expose().to_string())
                            .unwrap_or_default()
                            .as_bytes(),
                    );
                }
            }
            Self::Apply(e) => {
                feed(b"apply");
                place(&e.place, feed);
                feed(e.uid.as_bytes());
                feed(e.seen.bytes());
                feed(e.body.expose().to_string().as_bytes());
            }
            Self::Create(e) => {
                feed(b"create");
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
