//! What the cluster already has of the target revision: done by hand first and committed later, or deployed in part.

use serde_json::Value;

use super::reasons;
use crate::domain::{Change, Ignored, Verdict};
use crate::drift::compare::{self, Type};
use crate::drift::owners::Owners;

/// Takes out of a verdict what live and target agree on: nobody has to put it back, and a sync would not change it.
///
/// Argo CD compares the target alone and calls such an object Synced.
pub(super) fn settle(verdict: &mut Verdict, target: &Value, live: &Value, ty: Type<'_>) {
    if verdict.behind.is_empty() {
        return;
    }
    let left: Vec<String> = compare::objects(target, live, ty, &Owners::of(live))
        .iter()
        .map(|difference| difference.path.to_string())
        .collect();
    let stands = |change: &Change| left.iter().any(|path| overlap(path, &change.path));
    verdict.behind.retain(stands);
    let (stay, gone): (Vec<_>, Vec<_>) = std::mem::take(&mut verdict.changes)
        .into_iter()
        .partition(stands);
    verdict.changes = stay;
    verdict
        .ignored
        .extend(gone.into_iter().map(|change| Ignored {
            path: change.path,
            reason: reasons::wanted_by_now(),
            owner: change.owner,
        }));
}

/// Whether one path is the other or lies inside it.
fn overlap(one: &str, other: &str) -> bool {
    let inside = |path: &str, whole: &str| {
        path.strip_prefix(whole)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    inside(one, other) || inside(other, one)
}
