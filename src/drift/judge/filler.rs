//! What the API server fills in by itself: defaults, allocated addresses, what admission adds to every Pod.

use std::cell::OnceCell;

use serde_json::Value;

use crate::drift::compare::{Difference, Type};
use crate::drift::defaults;
use crate::drift::path::{Path, Step};
use crate::drift::scalar;

/// Knows what the server would make of one desired object. The defaults are worked out when first asked for.
pub(super) struct Filler<'a> {
    desired: &'a Value,
    ty: Type<'a>,
    defaulted: OnceCell<Value>,
}

impl<'a> Filler<'a> {
    /// For what Git says of an object.
    pub(super) fn of(desired: &'a Value, ty: Type<'a>) -> Self {
        Self {
            desired,
            ty,
            defaulted: OnceCell::new(),
        }
    }

    /// Whether the live value is what the server itself puts there.
    pub(super) fn fills(&self, difference: &Difference<'_>) -> bool {
        let holder = difference.holder.structure().map_or("", |s| s.name);
        let field = difference.path.last_field().unwrap_or_default();
        match (holder, field) {
            (
                "core/v1.ServiceSpec",
                "clusterIP"
                | "clusterIPs"
                | "ipFamilies"
                | "ipFamilyPolicy"
                | "healthCheckNodePort",
            )
            | ("core/v1.ServicePort", "nodePort")
            | ("core/v1.PersistentVolumeClaimSpec", "volumeName")
            | ("core/v1.PersistentVolumeClaim", "apiVersion" | "kind" | "status")
            | ("core/v1.PodSpec", "nodeName" | "serviceAccount") => true,
            _ => {
                is_projected_token(difference)
                    || is_default_toleration(difference)
                    || self.is_default(difference)
            }
        }
    }

    /// The live value is what defaulting Git's object gives at the same place.
    fn is_default(&self, difference: &Difference<'_>) -> bool {
        let defaulted = self.defaulted.get_or_init(|| {
            let mut object = self.desired.clone();
            match self.ty.custom {
                Some(custom) => custom.fill(&mut object),
                None => defaults::apply(&mut object, self.ty.shape),
            }
            object
        });
        match (difference.path.find_in(defaulted), difference.live) {
            (Some(default), Some(live)) => scalar::same_all(default, live, difference.shape),
            _ => false,
        }
    }
}

/// The key of the element that a path ends in, when it ends in one.
fn last_key<'p>(path: &'p Path, name: &str) -> Option<&'p str> {
    match path.steps().last() {
        Some(Step::Key(keys)) => keys.iter().find(|(k, _)| k == name)?.1.as_str(),
        _ => None,
    }
}

/// The service account's volume and its mount, which admission adds to every Pod.
fn is_projected_token(difference: &Difference<'_>) -> bool {
    let key = |name: &str| last_key(&difference.path, name);
    key("name").is_some_and(|name| name.starts_with("kube-api-access-"))
        || key("mountPath") == Some("/var/run/secrets/kubernetes.io/serviceaccount")
}

/// Tolerations that admission adds to every Pod: Git's come first, the two defaults behind them.
pub(super) fn is_default_toleration(difference: &Difference<'_>) -> bool {
    let added = |item: &Value| {
        let text = |key: &str| item.get(key).and_then(Value::as_str);
        matches!(
            text("key"),
            Some("node.kubernetes.io/not-ready" | "node.kubernetes.io/unreachable")
        ) && text("operator") == Some("Exists")
            && item.get("tolerationSeconds") == Some(&Value::from(300))
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
