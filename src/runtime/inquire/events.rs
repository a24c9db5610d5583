//! The events of objects and of what they own, the newest first.

use jiff::Timestamp;
use serde_json::Value;

use super::{connection, items, json, text};
use crate::app::inquiry::EventLine;
use crate::app::msg::WishTarget;
use crate::domain::{ObjectRef, Safe};
use crate::sources::Sources;

/// Kinds whose children carry their name before a dash: ReplicaSets, Pods, Jobs.
const PARENTS: [&str; 6] = [
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "Job",
    "CronJob",
];

pub(super) async fn read(
    sources: &Sources,
    targets: &[WishTarget],
) -> Result<Vec<EventLine>, Safe> {
    let mut places: Vec<(_, &str)> = targets
        .iter()
        .map(|t| (&t.cluster, namespace(&t.object)))
        .collect();
    places.sort();
    places.dedup();
    let mut lines = Vec::new();
    for (cluster, namespace) in places {
        let connection = connection(sources, cluster)?;
        let path = format!("/api/v1/namespaces/{namespace}/events?limit=1000");
        let list = json(&connection, &path).await.map_err(|f| f.sentence)?;
        let own: Vec<&ObjectRef> = targets
            .iter()
            .filter(|t| t.cluster == *cluster)
            .map(|t| &t.object)
            .collect();
        let of_these = items(&list).filter(|event| own.iter().any(|o| is_about(event, o)));
        lines.extend(of_these.map(|event| EventLine {
            cluster: cluster.clone(),
            ..line(event)
        }));
    }
    lines.sort_by_key(|line| std::cmp::Reverse(line.last));
    Ok(lines)
}

/// Events of cluster-scoped objects are kept in `default`.
fn namespace(object: &ObjectRef) -> &str {
    if object.namespace.is_empty() {
        "default"
    } else {
        &object.namespace
    }
}

fn is_about(event: &Value, object: &ObjectRef) -> bool {
    let name = text(event, "/involvedObject/name");
    let kind = text(event, "/involvedObject/kind");
    if name == &*object.name {
        return kind == &*object.gvk.kind;
    }
    let child = name
        .strip_prefix(&*object.name)
        .is_some_and(|rest| rest.starts_with('-'));
    child && PARENTS.contains(&&*object.gvk.kind) && kind != &*object.gvk.kind
}

fn line(event: &Value) -> EventLine {
    let time = |pointer| text(event, pointer).parse::<Timestamp>().ok();
    let last = time("/series/lastObservedTime")
        .or_else(|| time("/lastTimestamp"))
        .or_else(|| time("/eventTime"))
        .or_else(|| time("/metadata/creationTimestamp"));
    let count = event.pointer("/series/count").or(event.get("count"));
    let object = format!(
        "{} {}",
        text(event, "/involvedObject/kind"),
        text(event, "/involvedObject/name")
    );
    EventLine {
        cluster: "".into(),
        last,
        warning: text(event, "/type") == "Warning",
        reason: Safe::new(text(event, "/reason")),
        message: Safe::new(text(event, "/message")),
        object: object.into(),
        count: count.and_then(Value::as_u64).unwrap_or(1),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::Gvk;

    fn event(kind: &str, name: &str) -> Value {
        json!({"involvedObject": {"kind": kind, "name": name}, "type": "Warning", "reason": "BackOff", "message": "restarting failed container", "count": 31, "lastTimestamp": "2026-11-21T02:06:00Z"})
    }

    #[test]
    fn events_of_an_object_and_of_what_it_owns_belong_to_it() {
        let deployment = ObjectRef::new(Gvk::new("apps", "v1", "Deployment"), "edge", "gateway");
        assert!(is_about(&event("Deployment", "gateway"), &deployment));
        assert!(is_about(&event("Pod", "gateway-6f7d9b-x4k2m"), &deployment));
        assert!(!is_about(&event("Service", "gateway"), &deployment));
        assert!(!is_about(&event("Pod", "gateway2-x4k2m"), &deployment));
        assert!(!is_about(
            &event("Deployment", "gateway-admin"),
            &deployment
        ));
        let service = ObjectRef::new(Gvk::new("", "v1", "Service"), "edge", "gateway");
        assert!(!is_about(&event("Pod", "gateway-6f7d9b-x4k2m"), &service));
    }

    #[test]
    fn an_event_tells_how_often_and_when() {
        let line = line(&event("Pod", "gateway-x"));
        assert!(line.warning);
        assert_eq!(line.count, 31);
        assert_eq!(line.last, "2026-11-21T02:06:00Z".parse().ok());
    }
}
