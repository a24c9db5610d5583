//! Why a difference does not count, in words, and the few places that the API server itself fills.

use serde_json::Value;

use super::counted::{is_hand, last_key};
use crate::domain::Ignored;
use crate::drift::compare::Difference;
use crate::drift::defaults;
use crate::drift::managers::ManagerClass;
use crate::drift::owners::{Owned, Owners};

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

pub(super) fn rule(pointer: &str) -> String {
    format!("ignoreDifferences names {pointer}")
}

pub(super) fn trusted(manager: &str) -> String {
    format!("ignoreDifferences trusts the manager {manager}")
}

/// A field of which Git says nothing.
pub(super) fn beyond(
    difference: &Difference<'_>,
    owned: Option<&Owned>,
    owners: &Owners<'_>,
) -> String {
    if difference
        .path
        .starts_with(&["metadata", "annotations", super::super::seal::LAST_APPLIED])
    {
        return "not set by Git: kept by kubectl apply for its own use".to_owned();
    }
    match owned {
        _ if is_filled_by_server(difference) => defaulted(),
        None if owners.is_empty() => "not set by Git".to_owned(),
        None => defaulted(),
        Some(owned) if owned.class == ManagerClass::Engine => {
            format!(
                "not set by Git: defaulted by the server when {} wrote the object",
                owned.owner.manager
            )
        }
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

/// Whether the API server (its defaults, its admission, its allocators) is known to fill the place by itself.
pub(super) fn is_filled_by_server(difference: &Difference<'_>) -> bool {
    let holder = difference.holder.structure().map_or("", |s| s.name);
    let field = difference.path.last_field().unwrap_or_default();
    match (holder, field) {
        (
            "core/v1.ServiceSpec",
            "clusterIP" | "clusterIPs" | "ipFamilies" | "ipFamilyPolicy" | "healthCheckNodePort",
        )
        | ("core/v1.ServicePort", "nodePort")
        | ("core/v1.PersistentVolumeClaimSpec", "volumeName")
        | ("core/v1.PodSpec", "nodeName" | "serviceAccount") => true,
        _ => {
            is_default(difference)
                || is_projected_token(difference)
                || is_default_toleration(difference)
        }
    }
}

/// The live value is what the server's defaulting gives the field, other fields being as they are.
fn is_default(difference: &Difference<'_>) -> bool {
    match (
        difference.holder.structure(),
        difference.around,
        difference.path.last_field(),
    ) {
        (Some(structure), Some(around), Some(field)) => {
            defaults::is_default(structure, around, field)
        }
        _ => false,
    }
}

/// The service account's volume and its mount, which admission adds to every Pod.
fn is_projected_token(difference: &Difference<'_>) -> bool {
    let text = |name: &str| last_key(&difference.path, name).and_then(Value::as_str);
    text("name").is_some_and(|n| n.starts_with("kube-api-access-"))
        || text("mountPath") == Some("/var/run/secrets/kubernetes.io/serviceaccount")
}

/// Tolerations that admission adds to every Pod: Git's come first, the two defaults behind them.
fn is_default_toleration(difference: &Difference<'_>) -> bool {
    let added = |item: &Value| {
        let text = |key: &str| item.get(key).and_then(Value::as_str);
        matches!(
            text("key"),
            Some("node.kubernetes.io/not-ready" | "node.kubernetes.io/unreachable")
        ) && text("operator") == Some("Exists")
    };
    let lists = (
        difference.desired.and_then(Value::as_array),
        difference.live.and_then(Value::as_array),
    );
    match lists {
        (Some(wanted), Some(own)) if difference.path.last_field() == Some("tolerations") => {
            own.len() > wanted.len()
                && own.starts_with(wanted)
                && own.iter().skip(wanted.len()).all(added)
        }
        _ => false,
    }
}
