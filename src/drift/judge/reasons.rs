//! Why a difference does not count, in words.

use super::counted::is_hand;
use super::filler::Filler;
use crate::domain::Ignored;
use crate::drift::compare::Difference;
use crate::drift::ignore::Removal;
use crate::drift::managers::ManagerClass;
use crate::drift::owners::{Owned, Owners};
use crate::drift::path::Path;

/// The controllers' own report.
pub(super) fn status() -> Ignored {
    Ignored {
        path: "status".to_owned(),
        reason: "status is what controllers report, not what Git wants".to_owned(),
        owner: None,
    }
}

pub(super) fn defaulted() -> String {
    "not set by Git: defaulted by the server".to_owned()
}

/// A field of Git's that the kind's type does not have.
pub(super) fn dropped(path: &Path) -> Ignored {
    Ignored {
        path: path.to_string(),
        reason: "the server drops it: the type that the cluster publishes for this kind does not have it; check its spelling, or the version of its CustomResourceDefinition".to_owned(),
        owner: None,
    }
}

pub(super) fn wanted_by_now() -> String {
    "not as deployed, but as Git's newest revision wants it".to_owned()
}

pub(super) fn rule(removal: &Removal) -> String {
    let rules = match removal {
        Removal::OfFlux(_) => "an ignore rule of Flux",
        Removal::Pointer(_) | Removal::Expression(..) => "ignoreDifferences",
    };
    format!("{rules} names {}", removal.text())
}

/// A role whose rules the cluster gathers from others.
pub(super) fn aggregated() -> String {
    "resource.compareoptions in argocd-cm ignores the rules of roles that aggregate others"
        .to_owned()
}

/// An expression that was given up on this object.
pub(super) fn too_long(expression: &str) -> String {
    format!(
        "the jq expression `{expression}` takes too long on this object; what it names still counts as drift"
    )
}

pub(super) fn trusted(manager: &str) -> String {
    format!("ignoreDifferences trusts the manager {manager}")
}

/// What `kubectl apply` keeps for itself.
pub(super) fn is_last_applied(difference: &Difference<'_>) -> bool {
    difference
        .path
        .starts_with(&["metadata", "annotations", super::super::seal::LAST_APPLIED])
}

/// A field of which Git says nothing.
pub(super) fn beyond(
    difference: &Difference<'_>,
    owned: Option<&Owned>,
    owners: &Owners<'_>,
    filler: &Filler<'_>,
) -> String {
    if is_last_applied(difference) {
        return "not set by Git: kept by kubectl apply for its own use".to_owned();
    }
    match owned {
        None if !owners.is_empty() => defaulted(),
        None if filler.fills(difference) => defaulted(),
        None => "not set by Git".to_owned(),
        Some(owned) if owned.class == ManagerClass::Engine => {
            format!(
                "not set by Git: defaulted by the server when {} wrote the object",
                owned.owner.manager
            )
        }
        // The first writer of an object owns what the server filled in with it.
        Some(_) if filler.fills(difference) => defaulted(),
        Some(owned) => format!(
            "not set by Git: set by {} ({})",
            owned.owner.manager,
            owned.class.words()
        ),
    }
}

/// An addition to a list that Git sets counts unless a machine made it.
pub(super) fn by_machine(owned: Option<&Owned>, owners: &Owners<'_>) -> Option<String> {
    match owned {
        None if owners.is_empty() => None,
        None => Some(defaulted()),
        Some(owned) if is_hand(owned) => None,
        Some(owned) if owned.class == ManagerClass::Engine => Some(format!(
            "not in Git: filled in by the server when {} wrote the object",
            owned.owner.manager
        )),
        Some(owned) => Some(format!(
            "not in Git: added by {} ({})",
            owned.owner.manager,
            owned.class.words()
        )),
    }
}
