//! A hub and its edges seen together on real servers: whatever the hub and the kubeconfig call an edge, one row carries it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::bed::{Bed, bed};
use crate::gitops::{assert_rows, hub, rows};
use crate::gitops_states::{NAMESPACE, application, put};
use crate::kubeconfig::{self, Entry};
use crate::objects::apply;
use crate::program::Driftdeck;
use crate::servers::{Cluster, User};

/// A cluster Secret: a name, an address as the hub sees it, and the CA it trusts.
fn secret(name: &str, server: &str, ca: &str) -> Value {
    let encode = |text: &str| STANDARD.encode(text);
    let config = json!({ "tlsClientConfig": { "caData": encode(ca) } }).to_string();
    json!({ "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": format!("cluster-{name}"), "namespace": NAMESPACE, "labels": { "argocd.argoproj.io/secret-type": "cluster" } },
        "data": { "name": encode(name), "server": encode(server), "config": encode(&config) } })
}

/// An application that deploys to a cluster of this address or name.
fn to(name: &str, destination: &Value) -> Value {
    let mut app = application(name, "", &json!({}));
    app["spec"]["destination"] = destination.clone();
    app["spec"]["destination"]["namespace"] = json!("edge");
    app
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn one_edge_is_found_by_address_secret_authority_and_alias_whatever_its_context_is_called() {
    let bed = bed().await;
    let (hub, edge) = tokio::join!(hub(bed, "hub-joining"), bed.start_edge("edge-joining"));
    let client = hub.client(User::Admin).await;
    // The hub reaches the edge through an address that no kubeconfig knows: only the authority tells.
    let inside = "https://edge-joining.inside.example:6443";
    apply(
        &client,
        "argocd",
        &secret("through-a-tunnel", inside, &edge.ca),
    )
    .await;
    let elsewhere = "https://10.99.0.7:6443";
    for app in [
        to("by-address", &json!({ "server": format!("{}/", edge.url) })),
        to("by-authority", &json!({ "server": inside })),
        to("by-secret-name", &json!({ "name": "through-a-tunnel" })),
        to("by-alias", &json!({ "server": elsewhere })),
        to(
            "at-home",
            &json!({ "server": "https://kubernetes.default.svc" }),
        ),
        to("nowhere", &json!({ "server": "https://10.99.0.8:6443" })),
    ] {
        put(&client, &app).await;
    }
    let driftdeck = renamed(bed, &[(&hub, "control"), (&edge, "oslo-old-name")]);
    driftdeck.configure(&format!(
        "[[alias]]\ndestination = \"{elsewhere}\"\ncontext = \"oslo-old-name\"\n"
    ));
    let answer = driftdeck.run("apps --wait 40s -o json").await;
    let found = |app: &str| {
        let items = answer.items();
        let item = items.iter().find(|i| i["name"] == app).cloned();
        item.unwrap_or_else(|| panic!("{app}: {answer:#?}"))["cluster"].clone()
    };
    for app in ["by-address", "by-authority", "by-secret-name", "by-alias"] {
        assert_eq!(found(app), "oslo-old-name", "{app}: {answer:#?}");
    }
    assert_eq!(found("at-home"), "control");
    assert_eq!(found("nowhere"), Value::Null);
}

/// The program with a kubeconfig whose contexts are called otherwise than the clusters.
fn renamed(bed: &'static Bed, contexts: &[(&Cluster, &str)]) -> Driftdeck {
    let path = bed.dir.join("joining.kubeconfig");
    let entries = contexts
        .iter()
        .map(|(cluster, name)| Entry::of(cluster, User::Admin).alias(name));
    kubeconfig::write(&path, &entries.collect::<Vec<_>>());
    Driftdeck::with(bed, &path)
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_cluster_that_its_secret_tells_the_hub_to_leave_alone_is_named_on_its_applications() {
    let bed = bed().await;
    let (hub, edge) = tokio::join!(hub(bed, "hub-leaving"), bed.start_edge("edge-left"));
    let client = hub.client(User::Admin).await;
    let mut left = secret("left-alone", &edge.url, &edge.ca);
    left["metadata"]["annotations"] = json!({ "argocd.argoproj.io/skip-reconcile": "true" });
    apply(&client, "argocd", &left).await;
    put(&client, &to("reader", &json!({ "name": "left-alone" }))).await;
    let path = bed.dir.join("leaving.kubeconfig");
    let entries = [Entry::of(&hub, User::Admin), Entry::of(&edge, User::Admin)];
    kubeconfig::write(&path, &entries);
    let driftdeck = Driftdeck::with(bed, &path);
    assert_rows(
        &rows(&driftdeck, "").await,
        &[("reader", "Synced Healthy: frozen")],
    );
}
