//! Tables: what `kubectl get` prints. The server says which columns a kind has and what stands in them.

mod age;
mod cells;
mod custom;
mod pods;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::sim::store::{Kind, Object};

/// One column: its name, type and priority (0 is always shown).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Column {
    name: &'static str,
    ty: &'static str,
    priority: u8,
}

/// Reads columns: comma-separated names, each with a mark before it where it is no plain text: `#` integer, `?` boolean, `@` date, `*` only in wide output.
fn read(line: &'static str) -> Vec<Column> {
    line.split(',')
        .map(|name| {
            let (ty, priority) = match name.chars().next() {
                Some('#') => ("integer", 0),
                Some('?') => ("boolean", 0),
                Some('@') => ("date", 0),
                Some('*') => ("string", 1),
                _ => ("string", 0),
            };
            Column {
                name: name.trim_start_matches(['#', '?', '@', '*']),
                ty,
                priority,
            }
        })
        .collect()
}

/// The columns of a built-in kind.
#[rustfmt::skip]
fn built_in(kind: &Kind) -> &'static str {
    match kind.plural {
        "pods" => "Name,Ready,Status,Restarts,Age,*IP,*Node,*Nominated Node,*Readiness Gates",
        "configmaps" => "Name,Data,Age",
        "secrets" => "Name,Type,Data,Age",
        "services" => "Name,Type,Cluster-IP,External-IP,Port(s),Age,*Selector",
        "endpoints" => "Name,Endpoints,Age",
        "events" => "Last Seen,Type,Reason,Object,*Subobject,*Source,Message,*First Seen,*Count,*Name",
        "namespaces" => "Name,Status,Age",
        "nodes" => "Name,Status,Roles,Age,Version,*Internal-IP,*External-IP,*OS-Image,*Kernel-Version,*Container-Runtime",
        "persistentvolumeclaims" => "Name,Status,Volume,Capacity,Access Modes,StorageClass,VolumeAttributesClass,Age,*VolumeMode",
        "deployments" => "Name,Ready,Up-to-date,Available,Age,*Containers,*Images,*Selector",
        "replicasets" => "Name,#Desired,#Current,#Ready,Age,*Containers,*Images,*Selector",
        "statefulsets" => "Name,Ready,Age,*Containers,*Images",
        "daemonsets" => "Name,#Desired,#Current,#Ready,#Up-to-date,#Available,Node Selector,Age,*Containers,*Images,*Selector",
        "jobs" => "Name,Status,Completions,Duration,Age,*Containers,*Images,*Selector",
        "cronjobs" => "Name,Schedule,Timezone,?Suspend,#Active,Last Schedule,Age,*Containers,*Images,*Selector",
        "horizontalpodautoscalers" => "Name,Reference,Targets,MinPods,MaxPods,Replicas,Age",
        "ingresses" => "Name,Class,Hosts,Address,Ports,Age",
        "networkpolicies" => "Name,Pod-Selector,Age",
        "poddisruptionbudgets" => "Name,Min Available,Max Unavailable,#Allowed Disruptions,Age",
        "rolebindings" | "clusterrolebindings" => "Name,Role,Age,*Users,*Groups,*ServiceAccounts",
        "roles" | "clusterroles" | "customresourcedefinitions" => "Name,@Created At",
        "leases" => "Name,Holder,Age",
        _ => "Name,Age",
    }
}

fn columns(kind: &Kind) -> Vec<Column> {
    if kind.custom {
        return custom::columns(kind);
    }
    read(built_in(kind))
}

fn definitions(kind: &Kind) -> Value {
    let definition = |c: Column| {
        let format = if c.name == "Name" { "name" } else { "" };
        json!({"name": c.name, "type": c.ty, "format": format, "description": "", "priority": c.priority})
    };
    columns(kind).into_iter().map(definition).collect()
}

/// A table of some objects. `headed` leaves out the columns when false: a watch names them once.
pub(crate) fn table(kind: &Kind, objects: &[&Object], metadata: &Value, view: TableView) -> Value {
    let rows: Vec<Value> = objects.iter().map(|o| row(o, view)).collect();
    let columns = if view.headed {
        definitions(kind)
    } else {
        Value::Null
    };
    json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": columns,
        "rows": rows,
    })
}

/// How a table is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TableView {
    pub(crate) now: Timestamp,
    pub(crate) headed: bool,
    pub(crate) include: Include,
}

/// What a row carries besides its cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Include {
    /// The object's metadata.
    #[default]
    Metadata,
    /// The whole object.
    Object,
    /// Nothing.
    None,
}

fn row(object: &Object, view: TableView) -> Value {
    let kind = object.key.kind;
    let document = object.value();
    let cells = if kind.custom {
        custom::cells(kind, &document, view.now)
    } else {
        cells::cells(kind, &document, view.now)
    };
    match view.include {
        Include::None => json!({"cells": cells}),
        Include::Metadata => json!({"cells": cells, "object": partial(&document)}),
        Include::Object => json!({"cells": cells, "object": document}),
    }
}

/// The object's metadata alone.
pub(crate) fn partial(document: &Value) -> Value {
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": document["metadata"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::store::{KindSet, Store, StoreOptions, WriteOptions};

    #[test]
    fn every_kind_has_as_many_cells_as_columns() {
        let now: Timestamp = "2026-11-21T05:00:00Z".parse().unwrap();
        let kinds = KindSet::bare().with_argo().with_flux().with_monitoring();
        for kind in kinds.iter().filter(|k| !k.review) {
            let document = json!({"apiVersion": kind.api_version(), "kind": kind.kind, "metadata": {"name": "a"}});
            let object = Object::pack(crate::sim::store::Key::new(kind, "edge", "a"), &document);
            let view = TableView {
                now,
                headed: true,
                include: Include::Metadata,
            };
            let table = table(kind, &[&object], &json!({}), view);
            let width = table["columnDefinitions"].as_array().unwrap().len();
            assert_eq!(
                table["rows"][0]["cells"].as_array().unwrap().len(),
                width,
                "{kind}"
            );
        }
    }

    #[test]
    fn a_deployment_shows_its_ready_pods_age_and_image() {
        let now: Timestamp = "2026-11-21T05:00:00Z".parse().unwrap();
        let store = Store::new(StoreOptions::new(KindSet::bare(), 1, now));
        let document = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default"},
            "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}}});
        let written = store
            .create(document, &WriteOptions::new("test", now))
            .unwrap();
        let later = now + jiff::SignedDuration::from_secs(250);
        let view = TableView {
            now: later,
            headed: false,
            include: Include::None,
        };
        let table = table(
            written.object.key.kind,
            &[&written.object],
            &json!({}),
            view,
        );
        assert_eq!(table["columnDefinitions"], Value::Null);
        assert_eq!(
            table["rows"][0]["cells"],
            json!(["web", "0/3", 0, 0, "4m10s", "web", "web:1", "app=web"])
        );
    }
}
