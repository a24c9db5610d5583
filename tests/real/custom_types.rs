//! Custom kinds are compared by the types that the cluster itself publishes, and a definition that changes is taken up.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use driftdeck::connect::{ConnectOptions, Connector, Lane};
use driftdeck::domain::Gvk;
use driftdeck::drift::schema::Kind;
use driftdeck::sources::schemas::{Parts, Published, Schemas};
use driftdeck::sources::watch::WatchContext;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};
use tokio::sync::{Semaphore, mpsc};

use crate::answers::{assert_clean, changes, item, on_edge};
use crate::argo::Controller;
use crate::bed::{EDGES, bed};
use crate::crds;
use crate::kubectl::Kubectl;
use crate::program::Driftdeck;
use crate::servers::{Cluster, User};
use crate::story::{Policy, Team};

/// The definition of a kind `Tunnel` in a group of its own, whose mode defaults to this.
fn definition(group: &str, mode: &str) -> Value {
    let quantity = r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$";
    let number_or_text = json!([{ "type": "integer" }, { "type": "string" }]);
    let route = json!({
        "host": { "type": "string" }, "port": { "type": "integer", "default": 443 }, "weight": { "type": "integer" },
    });
    let spec = json!({
        "routes": {
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["host", "port"],
            "items": { "type": "object", "required": ["host"], "properties": route },
        },
        "hops": { "type": "array", "items": { "type": "object", "properties": {
            "via": { "type": "string" }, "proto": { "type": "string", "default": "tcp" },
        } } },
        "mode": { "type": "string", "default": mode },
        "memory": { "anyOf": number_or_text, "x-kubernetes-int-or-string": true, "pattern": quantity },
    });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("tunnels.{group}") },
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": { "kind": "Tunnel", "listKind": "TunnelList", "plural": "tunnels", "singular": "tunnel" },
            "versions": [{ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": {
                "type": "object", "properties": { "spec": { "type": "object", "properties": spec } },
            } } }],
        },
    })
}

fn tunnel(group: &str, name: &str) -> Value {
    json!({
        "apiVersion": format!("{group}/v1"), "kind": "Tunnel", "metadata": { "name": name },
        "spec": {
            "routes": [{ "host": "a.edge", "weight": 1 }, { "host": "b.edge", "weight": 2 }],
            "hops": [{ "via": "x" }, { "via": "y" }],
            "memory": "1024Mi",
        },
    })
}

/// Commits one more object and lets the controller deploy it with this sync option.
async fn deploy(team: &Team, app: &Controller, object: &Value, option: &str) {
    let file = ("microserviceA/tunnel.json".to_owned(), object.to_string());
    team.repository.commit("Dig a tunnel", &[file]);
    let patch = json!({
        "operation": { "sync": { "syncOptions": [option] } },
        "status": { "operationState": null },
    });
    let applications = app.applications().await;
    applications
        .patch(&app.app, &PatchParams::default(), &Patch::Merge(&patch))
        .await
        .unwrap();
    app.play().await;
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_custom_object_is_compared_by_its_published_type() {
    let group = "typed.edge.example";
    let bed = bed().await;
    let admin = bed.edges[0].client(User::Admin).await;
    crds::install(&admin, &[definition(group, "auto")]).await;
    let team = Team::deploy("typed-reader", Policy::MANUAL).await;
    let app = team.on(EDGES[0]);
    let object = tunnel(group, "typed-reader");
    deploy(&team, app, &object, "ServerSideApply=true").await;
    let driftdeck = Driftdeck::of(team.bed, User::Operator);
    let ask = format!("drift {}", on_edge(&team, app));
    assert_clean(&driftdeck.run(&ask).await);

    // What an operator's types make of it: another order, another spelling. No drift.
    let kubectl = Kubectl::on(team.bed, app.edge, User::Operator);
    let resource = format!("tunnels.{group}/typed-reader");
    let patch = |spec: Value| {
        kubectl.patch(&team.namespace, &resource, &json!({ "spec": spec }));
    };
    let turned = json!([{ "host": "b.edge", "port": 443, "weight": 2 }, { "host": "a.edge", "port": 443, "weight": 1 }]);
    patch(json!({ "routes": turned, "memory": "1Gi" }));
    assert_clean(&driftdeck.run(&ask).await);

    let heavier = json!([{ "host": "b.edge", "port": 443, "weight": 7 }, { "host": "a.edge", "port": 443, "weight": 1 }]);
    patch(
        json!({ "routes": heavier, "hops": [{ "via": "y", "proto": "tcp" }, { "via": "x", "proto": "tcp" }] }),
    );
    let items = driftdeck.run(&ask).await.items();
    let found = changes(item(&items, "Tunnel", "typed-reader"));
    let edit = |path: &str, desired: Value, live: Value| {
        let words = (path.to_owned(), "changed".to_owned());
        (words.0, words.1, desired, live, "kubectl-patch".to_owned())
    };
    assert_eq!(
        found,
        [
            edit("spec.hops[0].via", json!("x"), json!("y")),
            edit("spec.hops[1].via", json!("y"), json!("x")),
            edit(
                "spec.routes[host=b.edge,port=443].weight",
                json!(2),
                json!(7)
            ),
        ]
    );
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_field_that_the_server_drops_is_no_drift_and_does_not_stop_a_revert() {
    let group = "dropping.edge.example";
    let bed = bed().await;
    let admin = bed.edges[0].client(User::Admin).await;
    crds::install(&admin, &[definition(group, "auto")]).await;
    let team = Team::deploy("typed-dropper", Policy::MANUAL).await;
    let app = team.on(EDGES[0]);
    let mut object = tunnel(group, "typed-dropper");
    object["spec"]["mtu"] = json!(1400);
    object["spec"]["hops"][0]["note"] = json!("misspelt");
    deploy(&team, app, &object, "Validate=false").await;
    let driftdeck = Driftdeck::of(team.bed, User::Operator);
    let here = on_edge(&team, app);
    let drift = format!("drift {here}");
    assert_clean(&driftdeck.run(&drift).await);

    let kubectl = Kubectl::on(team.bed, app.edge, User::Operator);
    let resource = format!("tunnels.{group}/typed-dropper");
    let heavier = json!({ "spec": { "memory": "2Gi" } });
    kubectl.patch(&team.namespace, &resource, &heavier);
    let items = driftdeck.run(&drift).await.items();
    let found = item(&items, "Tunnel", "typed-dropper");
    assert_eq!(changes(found).len(), 1, "{found}");
    let ignored = found["ignored"].as_array().unwrap();
    let reason = |path: &str| {
        let entry = ignored.iter().find(|i| i["path"] == path);
        entry.and_then(|i| i["reason"].as_str()).unwrap_or_default()
    };
    for path in ["spec.mtu", "spec.hops[0].note"] {
        assert!(reason(path).contains("the server drops it"), "{ignored:?}");
    }

    let reverted = driftdeck
        .run(&format!("revert --write --yes --via direct {here}"))
        .await;
    assert_eq!(reverted.status, 0, "{}{}", reverted.out, reverted.err);
    assert_clean(&driftdeck.run(&drift).await);
}

fn parts(cluster: &Cluster, kubeconfig: &std::path::Path) -> Parts {
    let options = driftdeck::connect::LoadOptions {
        paths: vec![kubeconfig.to_owned()],
        ..Default::default()
    };
    let plan = driftdeck::connect::kubeconfig::load(&options).unwrap();
    let row = plan
        .rows
        .iter()
        .find(|r| *r.cluster.as_str() == *cluster.name);
    let connector = Connector::new(ConnectOptions::default());
    let connection = connector.connection(row.unwrap()).unwrap();
    let lists = Arc::new(Semaphore::new(4));
    Parts {
        cluster: (*cluster.name).into(),
        context: WatchContext::new(connection.client(Lane::Watch), lists, 7),
        connection,
        pool: Arc::default(),
        tell: mpsc::channel(1).0,
    }
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_definition_that_changes_is_read_again_and_one_that_does_not_is_not() {
    let group = "changing.edge.example";
    let bed = bed().await;
    let edge = &bed.edges[1];
    let admin = edge.client(User::Admin).await;
    crds::install(&admin, &[definition(group, "auto")]).await;
    let (tell, mut news) = mpsc::channel(8);
    let schemas = Schemas::start(Parts {
        tell,
        ..parts(edge, &bed.kubeconfig(User::Viewer))
    });
    let kind = Gvk::new(group, "v1", "Tunnel");
    schemas.want(BTreeSet::from([kind.clone()]));
    let first = published(&mut news, "auto").await;
    let spec = first.field("spec").unwrap();
    assert_eq!(
        spec.field("memory").unwrap().shape().kind(),
        Some(&Kind::Quantity),
        "the pattern of a quantity is published"
    );
    schemas.poke();
    let quiet = tokio::time::timeout(Duration::from_secs(2), news.recv()).await;
    assert!(quiet.is_err(), "the same type was told twice: {quiet:?}");

    let changed = definition(group, "manual");
    crds::install(&admin, std::slice::from_ref(&changed)).await;
    let asking = async {
        loop {
            schemas.poke();
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::select! {
        () = asking => {}
        _ = published(&mut news, "manual") => {}
    }
}

/// The next type whose mode defaults to this.
async fn published(
    news: &mut mpsc::Receiver<(Gvk, Published)>,
    mode: &str,
) -> Arc<driftdeck::drift::openapi::CustomSchema> {
    let found = async {
        loop {
            if let Some((_, Published::Schema(schema))) = news.recv().await {
                let default = schema
                    .field("spec")
                    .and_then(|s| s.field("mode")?.default_value());
                if default == Some(&json!(mode)) {
                    return schema;
                }
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), found)
        .await
        .unwrap()
}

/// What lets one edge's types stand for another's: the hash of a document is that of its bytes, and edges with the same definitions have the same.
#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_document_is_named_by_the_hash_of_its_bytes_on_every_edge_alike() {
    let group = "alike.edge.example";
    let bed = bed().await;
    let mut urls = BTreeSet::new();
    for edge in &bed.edges {
        let client = edge.client(User::Admin).await;
        crds::install(&client, &[definition(group, "auto")]).await;
        let text = async |path: &str| {
            let request = http::Request::get(path).body(Vec::new()).unwrap();
            client.request_text(request).await
        };
        let named = async {
            loop {
                let index = text("/openapi/v3").await.unwrap();
                let index: Value = serde_json::from_str(&index).unwrap();
                let entry = &index["paths"][format!("apis/{group}/v1")];
                if let Some(url) = entry["serverRelativeURL"].as_str() {
                    return url.to_owned();
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let minute = Duration::from_secs(60);
        let url = tokio::time::timeout(minute, named).await.unwrap();
        let document = text(&url).await.unwrap();
        let digest = Sha512::digest(document.as_bytes());
        let hex: String = digest.iter().map(|byte| format!("{byte:02X}")).collect();
        assert!(url.ends_with(&format!("?hash={hex}")), "{url}: {hex}");
        urls.insert(url);
    }
    assert_eq!(urls.len(), 1, "{urls:?}");
}
