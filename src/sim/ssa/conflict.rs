//! Conflicts of an apply, worded as the real server words them.

use super::atom::shown;
use super::managers::{Entry, Manager, Managers};
use super::set::{FieldSet, Step};
use crate::sim::store::{ApiStatus, Cause};

/// A field that another manager owns.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Conflict {
    manager: Manager,
    path: Vec<Step>,
}

/// What others own of a set of changed fields.
pub(crate) fn conflicts(
    managers: &Managers,
    applier: &Manager,
    changed: &FieldSet,
) -> Vec<Conflict> {
    let others = managers.0.iter().filter(|e| !e.manager.is(applier));
    let mut found: Vec<Conflict> = others.flat_map(|entry| lost(entry, changed)).collect();
    found.sort();
    found
}

fn lost(entry: &Entry, changed: &FieldSet) -> Vec<Conflict> {
    let paths = entry.fields.intersection(changed).paths();
    let conflict = |path| Conflict {
        manager: entry.manager.clone(),
        path,
    };
    paths.into_iter().map(conflict).collect()
}

/// The conflicts that are not in a set of excused fields.
pub(crate) fn beyond(conflicts: Vec<Conflict>, excused: &FieldSet) -> Vec<Conflict> {
    let excused = excused.paths();
    let left = conflicts.into_iter();
    left.filter(|c| !excused.contains(&c.path)).collect()
}

/// 409 that names every manager and field.
pub(crate) fn status(conflicts: &[Conflict]) -> ApiStatus {
    let causes: Vec<Cause> = conflicts.iter().map(cause).collect();
    ApiStatus::apply_conflict(message(conflicts), &causes)
}

fn cause(conflict: &Conflict) -> Cause {
    Cause {
        reason: "FieldManagerConflict",
        message: format!("conflict with {}", named(&conflict.manager)),
        field: shown(&conflict.path),
    }
}

fn message(conflicts: &[Conflict]) -> String {
    if let [only] = conflicts {
        return format!(
            "Apply failed with 1 conflict: conflict with {}: {}",
            named(&only.manager),
            shown(&only.path)
        );
    }
    let mut lines: Vec<String> = Vec::new();
    let mut last = None;
    for conflict in conflicts {
        if last != Some(&conflict.manager) {
            lines.push(format!("conflicts with {}:", named(&conflict.manager)));
            last = Some(&conflict.manager);
        }
        lines.push(format!("- {}", shown(&conflict.path)));
    }
    let count = conflicts.len();
    format!("Apply failed with {count} conflicts: {}", lines.join("\n"))
}

/// `"kubectl-edit" using apps/v1`; appliers are named alone.
fn named(manager: &Manager) -> String {
    let mut text = format!("\"{}\"", manager.name);
    if !manager.subresource.is_empty() {
        text = format!("{text} with subresource \"{}\"", manager.subresource);
    }
    if !manager.applies {
        text = format!("{text} using {}", manager.api_version);
    }
    text
}
