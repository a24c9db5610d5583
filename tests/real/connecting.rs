//! The product's connections against real API servers: one HTTP/2 connection, the second beyond sixty streams, silence, refusal.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use driftdeck::connect::kubeconfig::load;
use driftdeck::connect::{
    ConnectOptions, Connection, Connector, Fault, FaultKind, FleetPlan, Lane, LoadOptions, Mode,
    Slowness, state_of,
};
use driftdeck::domain::LinkState;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::bed::{bed, blocking};
use crate::kubeconfig::{self, Entry};
use crate::objects::{apply, namespace};
use crate::servers::User;

const LIMIT: usize = 1 << 20;

fn plan(kubeconfig: &Path) -> FleetPlan {
    load(&LoadOptions {
        paths: vec![kubeconfig.to_owned()],
        ..LoadOptions::default()
    })
    .unwrap()
}

/// The connection of the first row of a kubeconfig.
fn connect(kubeconfig: &Path, mode: Mode) -> Connection {
    let connector = Connector::new(ConnectOptions {
        mode,
        ..ConnectOptions::default()
    });
    connector.connection(&plan(kubeconfig).rows[0]).unwrap()
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn forty_calls_at_once_share_one_connection() {
    let bed = bed().await;
    let connection = connect(&bed.kubeconfig(User::Viewer), Mode::ReadOnly);
    let call = || connection.get(Lane::Interactive, "/api/v1/namespaces?limit=1", LIMIT);
    let answers = futures::future::join_all((0..40).map(|_| call())).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(connection.connections().await, 1);
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_call_does_not_wait_behind_a_hundred_watches() {
    let bed = bed().await;
    let connection = connect(&bed.kubeconfig(User::Viewer), Mode::ReadOnly);
    let watch = || async {
        let path = "/api/v1/namespaces?watch=true&timeoutSeconds=60";
        let request = Request::get(path).body(Bytes::new()).unwrap();
        connection.open(Lane::Watch, request).await.unwrap()
    };
    let _open = futures::future::join_all((0..100).map(|_| watch())).await;
    assert_eq!(
        connection.connections().await,
        2,
        "sixty streams at most on one"
    );
    let begun = Instant::now();
    connection
        .get(Lane::Interactive, "/version", LIMIT)
        .await
        .unwrap();
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "it waited {:?}",
        begun.elapsed()
    );
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_refused_token_is_a_matter_of_credentials_and_the_rest_is_not_touched() {
    let bed = bed().await;
    let mut document = kubeconfig::document(&bed.entries(User::Viewer));
    for user in document["users"].as_array_mut().unwrap() {
        if user["name"] == "hub-1-viewer" {
            user["user"]["token"] = json!("expired");
        }
    }
    let path = bed.dir.join("expired.kubeconfig");
    std::fs::write(&path, document.to_string()).unwrap();
    let connector = Connector::new(ConnectOptions::default());
    for row in &plan(&path).rows {
        let connection = connector.connection(row).unwrap();
        let answer = connection
            .get(Lane::Interactive, "/api/v1/namespaces?limit=1", LIMIT)
            .await;
        if row.cluster.as_str() == "hub-1" {
            assert!(answer.as_ref().is_err_and(Fault::is_auth), "{answer:?}");
        } else {
            assert!(answer.is_ok(), "{}: {answer:?}", row.cluster);
        }
    }
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn read_only_lets_dry_runs_and_reviews_pass_and_no_write() {
    let bed = bed().await;
    let admin = bed.hub.client(User::Admin).await;
    namespace(&admin, "guarded").await;
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "m", "namespace": "guarded" }, "data": { "v": "1" } });
    apply(&admin, "kubectl", &map).await;
    let connection = connect(&bed.kubeconfig(User::Admin), Mode::ReadOnly);
    let send = |method: Method, path: &'static str, body: Value| {
        let kind = if method == Method::PATCH {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", kind);
        connection.call(
            Lane::Interactive,
            request.body(Bytes::from(body.to_string())).unwrap(),
            LIMIT,
        )
    };
    let change = json!({ "data": { "v": "2" } });
    let path = "/api/v1/namespaces/guarded/configmaps/m";
    let refused = send(Method::PATCH, path, change.clone()).await.unwrap_err();
    assert!(refused.not_sent(), "{refused:?}");
    assert!(
        send(Method::DELETE, path, json!({}))
            .await
            .unwrap_err()
            .not_sent()
    );
    let dry = send(
        Method::PATCH,
        "/api/v1/namespaces/guarded/configmaps/m?dryRun=All",
        change,
    )
    .await
    .unwrap();
    assert!(
        String::from_utf8_lossy(&dry).contains("\"v\":\"2\""),
        "the server answers what would be"
    );
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": { "verb": "patch", "resource": "configmaps" } },
    });
    let answer = send(
        Method::POST,
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        review,
    )
    .await
    .unwrap();
    assert!(String::from_utf8_lossy(&answer).contains("\"allowed\":true"));
    let live = crate::objects::live(&admin, &map).await.unwrap();
    assert_eq!(live["data"]["v"], "1", "nothing was written");
}

/// The server's process stands still: its sockets stay open and nothing answers, as on a link that went dark.
#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_server_that_falls_silent_is_stale_within_ten_seconds_and_comes_back() {
    let bed = bed().await;
    let edge = Arc::new(bed.start_edge("edge-bgo-013").await);
    let path = bed.dir.join("silent.kubeconfig");
    kubeconfig::write(&path, &[Entry::of(&edge, User::Viewer)]);
    let connection = connect(&path, Mode::ReadOnly);
    let request = Request::get("/api/v1/namespaces?watch=true&timeoutSeconds=300")
        .body(Bytes::new())
        .unwrap();
    let _watch = connection.open(Lane::Watch, request).await.unwrap();
    assert_eq!(state(&connection), LinkState::Live);
    edge.freeze();
    let begun = Instant::now();
    until(&connection, LinkState::Stale).await;
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "it took {:?}",
        begun.elapsed()
    );
    let fault = connection
        .get(Lane::Interactive, "/version", LIMIT)
        .await
        .unwrap_err();
    assert!(
        fault.is_link() && fault.kind != FaultKind::Auth,
        "{fault:?}"
    );
    edge.thaw();
    let back = Instant::now();
    while connection
        .get(Lane::Interactive, "/version", LIMIT)
        .await
        .is_err()
    {
        assert!(
            back.elapsed() < Duration::from_secs(60),
            "it did not come back"
        );
    }
    assert_eq!(state(&connection), LinkState::Live);
    blocking(move || drop(edge)).await;
}

fn state(connection: &Connection) -> LinkState {
    let clock = connection.clock();
    state_of(
        &clock.link(),
        clock.silence(),
        clock.latency(),
        &Slowness::default(),
    )
}

async fn until(connection: &Connection, wanted: LinkState) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while state(connection) != wanted {
        assert!(
            Instant::now() < deadline,
            "the link is {:?}",
            state(connection)
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
