//! Object in, health out: Argo CD's checks in Argo CD's order, and kstatus for Flux. Pure.
//!
//! The order: an object that is being deleted; the person's own rules; the Lua of the hub's argocd-cm; the rules for custom kinds that come
//! with the program; the checks of gitops-engine's health package, whose codes, conditions and messages these are. A kind that none of them
//! knows has no health. Application roll-up is in [`roll_up`].

mod autoscaler;
mod batch;
pub mod cel;
pub mod kstatus;
pub mod lua;
mod overrides;
mod pod;
pub mod roll_up;
pub mod rules;
mod services;
mod speak;
mod workloads;

use serde_json::Value;

use crate::domain::{Gvk, Health};

pub use overrides::{LuaRule, Overrides};
pub use speak::{Checks, Source, Verdict};

/// A health code and the words that come with it; the words are raw text of the cluster.
pub type Report = (Health, String);

/// The annotation value of a finalizer that keeps finished hooks from reading as "pending deletion".
const HOOK_FINALIZER: &str = "argocd.argoproj.io/hook-finalizer";

/// The health of a live object by what comes with the program; `None` for a kind that has none.
pub fn check(object: &Value) -> Option<Report> {
    let verdict = Checks::default().judge(object, None)?;
    Some((verdict.health, verdict.message))
}

/// The checks of gitops-engine's health package.
fn built_in(object: &Value) -> Option<Report> {
    let gvk = gvk(object);
    match (&*gvk.group, &*gvk.kind) {
        ("apps", "Deployment") => Some(only(&gvk, "v1", object, workloads::deployment)),
        ("apps", "StatefulSet") => Some(only(&gvk, "v1", object, workloads::stateful_set)),
        ("apps", "ReplicaSet") => Some(only(&gvk, "v1", object, workloads::replica_set)),
        ("apps", "DaemonSet") => Some(only(&gvk, "v1", object, workloads::daemon_set)),
        ("", "Pod") => Some(only(&gvk, "v1", object, pod::pod)),
        ("", "Service") => Some(only(&gvk, "v1", object, services::service)),
        ("", "PersistentVolumeClaim") => Some(only(&gvk, "v1", object, services::claim)),
        ("extensions" | "networking.k8s.io", "Ingress") => Some(services::ingress(object)),
        ("apiregistration.k8s.io", "APIService") => Some(services::api_service(object)),
        ("batch", "Job") => Some(only(&gvk, "v1", object, batch::job)),
        ("autoscaling", "HorizontalPodAutoscaler") => Some(autoscaler::check(&gvk, object)),
        ("argoproj.io", "Workflow") => Some(batch::workflow(object)),
        _ => None,
    }
}

/// The worse of two, in Argo CD's order.
pub fn worse(a: Health, b: Health) -> Health {
    a.max(b)
}

fn is_being_deleted(object: &Value) -> bool {
    let deleted = object
        .pointer("/metadata/deletionTimestamp")
        .is_some_and(|t| !t.is_null());
    let is_hook =
        || items(object, "/metadata/finalizers").any(|f| f.as_str() == Some(HOOK_FINALIZER));
    deleted && !is_hook()
}

/// Whether a text is one that a pattern names; `*` stands for any text.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len())
                .filter(|at| rest.is_char_boundary(*at))
                .any(|at| rest.get(at..).is_some_and(|rest| glob(after, rest)))
        }),
    }
}

fn gvk(object: &Value) -> Gvk {
    Gvk::from_api_version(text(object, "/apiVersion"), text(object, "/kind"))
}

/// Checks that know one version only refuse the others, as Argo CD does.
fn only(gvk: &Gvk, version: &str, object: &Value, check: fn(&Value) -> Report) -> Report {
    if &*gvk.version == version {
        check(object)
    } else {
        unsupported(gvk, &gvk.kind)
    }
}

/// The words in which gitops-engine refuses a version.
fn unsupported(gvk: &Gvk, short: &str) -> Report {
    let message = format!(
        "unsupported {short} GVK: {}, Kind={}",
        gvk.api_version(),
        gvk.kind
    );
    (Health::Unknown, message)
}

/// The text at a pointer, empty when there is none.
fn text<'v>(object: &'v Value, pointer: &str) -> &'v str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The whole number at a pointer.
fn number(object: &Value, pointer: &str) -> Option<i64> {
    object.pointer(pointer).and_then(Value::as_i64)
}

/// The elements of the list at a pointer.
fn items<'v>(object: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    object
        .pointer(pointer)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// The first condition of a type.
fn condition<'v>(object: &'v Value, kind: &str) -> Option<&'v Value> {
    items(object, "/status/conditions").find(|c| text(c, "/type") == kind)
}

#[cfg(test)]
mod tests;
