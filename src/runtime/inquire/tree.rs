//! What hangs under objects by owner references: read when somebody looks, as metadata first and whole only what is shown.
//!
//! Only the namespaces named are listed, and each kind by itself: a kind that may not be listed costs its branches, not the tree.

mod catalog;
mod facts;
mod grow;
mod lists;
mod spoken;

use std::collections::HashMap;

use futures::StreamExt as _;
use serde_json::Value;

use super::{connection, json};
use crate::app::inquiry::{Branch, ResourceTree, TreeWish};
use crate::connect::Connection;
use crate::domain::{ObjectRef, Safe};
use crate::drift::seal::{SealKey, seal};
use crate::sources::Sources;
use catalog::Catalog;
use grow::{Grown, Leaf, grow};
use spoken::Speaker;

/// Requests under way at once.
const AT_ONCE: usize = 8;
/// Objects read whole; the others are named without health.
const READ: usize = 200;

/// The objects of a tree as the cluster has them, masked.
type Bodies = HashMap<ObjectRef, Value>;

/// Reads the trees of some objects of one cluster.
pub(super) async fn read(
    sources: &Sources,
    wish: &TreeWish,
    key: &SealKey,
) -> Result<ResourceTree, Safe> {
    let connection = connection(sources, &wish.cluster)?;
    let catalog = Catalog::read(&connection).await?;
    let reader = Reader {
        connection: &connection,
        catalog: &catalog,
        key,
    };
    let mut bodies = reader.roots(&wish.roots).await?;
    let roots: Vec<Leaf> = wish
        .roots
        .iter()
        .filter_map(|root| Some(Leaf::of(root.clone(), bodies.get(root)?)))
        .collect();
    let kinds = catalog.below(&wish.roots);
    let lists = lists::read(&connection, &kinds, &wish.namespaces).await;
    let mut remarks = lists.remarks;
    let grown = grow(roots, lists.leaves);
    bodies.extend(reader.bodies(&grown, &bodies).await);
    let (shown, idle): (Vec<Grown>, Vec<Grown>) =
        grown.into_iter().partition(|g| !is_idle(g, &bodies));
    if !idle.is_empty() {
        let words = format!("ReplicaSets that run nothing are left out: {}.", idle.len());
        remarks.push(words.into());
    }
    let (speaker, unread) = Speaker::of(sources, wish).await;
    remarks.extend(unread);
    let mut branches = Vec::new();
    for grown in shown {
        let body = bodies.get(&grown.leaf.object);
        branches.push(branch(&speaker, grown, body).await);
    }
    Ok(ResourceTree { branches, remarks })
}

/// Carries all of it out, some at a time.
async fn at_once<T>(work: Vec<impl Future<Output = T>>) -> Vec<T> {
    futures::stream::iter(work)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await
}

/// Reads objects of one cluster.
struct Reader<'a> {
    connection: &'a Connection,
    catalog: &'a Catalog,
    key: &'a SealKey,
}

impl Reader<'_> {
    /// The objects that were asked for, of which at least one has to be there.
    async fn roots(&self, roots: &[ObjectRef]) -> Result<Bodies, Safe> {
        let asked = roots
            .iter()
            .map(|root| async { (root.clone(), self.body(root).await) });
        let answers = at_once(asked.collect()).await;
        let mut refused = None;
        let mut bodies = Bodies::new();
        for (root, answer) in answers {
            match answer {
                Ok(body) => drop(bodies.insert(root, body)),
                Err(why) => refused = Some(why),
            }
        }
        match refused {
            Some(why) if bodies.is_empty() => Err(why),
            _ => Ok(bodies),
        }
    }

    /// What is shown and not read yet. What went away meanwhile, or may not be read, is left without health.
    async fn bodies(&self, grown: &[Grown], known: &Bodies) -> Bodies {
        let objects = grown.iter().map(|g| &g.leaf.object);
        let unread = objects.filter(|o| !known.contains_key(*o) && is_worth_reading(o));
        let asked = unread
            .take(READ)
            .map(|object| async { Some((object.clone(), self.body(object).await.ok()?)) });
        at_once(asked.collect())
            .await
            .into_iter()
            .flatten()
            .collect()
    }

    async fn body(&self, object: &ObjectRef) -> Result<Value, Safe> {
        let path = self.catalog.path(object)?;
        let mut body = json(self.connection, &path)
            .await
            .map_err(|fault| fault.sentence)?;
        seal(&mut body, self.key);
        Ok(body)
    }
}

/// Kinds whose objects only hold something have no health, and nobody needs their content here.
fn is_worth_reading(object: &ObjectRef) -> bool {
    !matches!(
        &*object.gvk.kind,
        "Secret" | "ConfigMap" | "ControllerRevision" | "EndpointSlice"
    )
}

/// A ReplicaSet that a Deployment keeps for going back.
fn is_idle(grown: &Grown, bodies: &Bodies) -> bool {
    let wanted = || {
        bodies
            .get(&grown.leaf.object)?
            .pointer("/spec/replicas")?
            .as_u64()
    };
    grown.depth > 0
        && !grown.bears
        && &*grown.leaf.object.gvk.kind == "ReplicaSet"
        && wanted() == Some(0)
}

async fn branch(speaker: &Speaker<'_>, grown: Grown, body: Option<&Value>) -> Branch {
    let told = match body {
        Some(body) => speaker.health(grown.depth, body).await,
        None => None,
    };
    Branch {
        depth: grown.depth,
        health_by: told.as_ref().and_then(|told| told.by.clone()),
        health: told.map(|told| (told.health, told.words)),
        fact: body.map(facts::of).unwrap_or_default(),
        created: grown.leaf.created,
        object: grown.leaf.object,
    }
}
