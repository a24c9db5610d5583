//! The watch machinery of the product against real API servers: order, restarts, expired versions.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use driftdeck::sources::watch::{Step, TroubleKind, WatchContext, WatchSpec, follow};
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::bed::{bed, blocking};
use crate::objects::{api_of, apply, namespace};
use crate::servers::{Cluster, User};

/// A follower that runs while it is asked, and what it was told, in words.
struct Follower {
    told: Arc<Mutex<Vec<String>>>,
    following: Pin<Box<dyn Future<Output = ()>>>,
}

impl Follower {
    async fn of(cluster: &Cluster, user: User, path: &str) -> Self {
        let client = cluster.client(user).await;
        let context = WatchContext::new(client, Arc::new(Semaphore::new(1)), 11);
        let spec = WatchSpec {
            page: 2,
            ..WatchSpec::all(path)
        };
        let told = Arc::new(Mutex::new(Vec::new()));
        let notes = told.clone();
        let following = Box::pin(async move {
            let (tell, mut steps) = tokio::sync::mpsc::channel(16);
            let noting = async {
                while let Some(step) = steps.recv().await {
                    notes.lock().unwrap().push(words(&step));
                }
            };
            tokio::join!(follow::<Value>(context, spec, tell), noting);
        });
        Self { told, following }
    }

    /// All that was told once `line` is among it.
    async fn until(&mut self, line: &str) -> Vec<String> {
        let told = self.told.clone();
        let heard = async {
            while !told.lock().unwrap().iter().any(|l| l == line) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            () = heard => {}
            () = &mut self.following => panic!("the follower ended"),
            () = tokio::time::sleep(Duration::from_secs(60)) => {
                panic!("`{line}` was not told within a minute, but {:?}", self.told.lock().unwrap())
            }
        }
        self.told.lock().unwrap().clone()
    }
}

fn words(step: &Step<Value>) -> String {
    let name = |v: &Value| v["metadata"]["name"].as_str().unwrap_or("?").to_owned();
    match step {
        Step::Listed(items) => {
            let value = |v: &Value| v["data"]["v"].as_str().unwrap_or("?").to_owned();
            let mut names: Vec<String> = items
                .iter()
                .map(|v| format!("{}={}", name(v), value(v)))
                .collect();
            names.sort();
            format!("listed {}", names.join(" "))
        }
        Step::Changed(object) => format!(
            "{} is {}",
            name(object),
            object["data"]["v"].as_str().unwrap_or("?")
        ),
        Step::Gone(object) => format!("{} is gone", name(object)),
        Step::Trouble(trouble) => format!("{:?}", trouble.kind),
    }
}

fn map(namespace: &str, name: &str, value: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": namespace }, "data": { "v": value } })
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_paged_list_is_one_and_changes_follow_in_order() {
    let bed = bed().await;
    let client = bed.edges[0].client(User::Admin).await;
    namespace(&client, "followed").await;
    for name in ["a", "b", "c", "d", "e"] {
        apply(&client, "kubectl", &map("followed", name, "1")).await;
    }
    let mut follower = Follower::of(
        &bed.edges[0],
        User::Viewer,
        "/api/v1/namespaces/followed/configmaps",
    )
    .await;
    follower.until("listed a=1 b=1 c=1 d=1 e=1").await;
    apply(&client, "kubectl", &map("followed", "a", "2")).await;
    apply(&client, "kubectl", &map("followed", "a", "3")).await;
    let api = api_of(&client, &map("followed", "b", "1")).await;
    api.delete("b", &DeleteParams::default()).await.unwrap();
    api.patch(
        "c",
        &PatchParams::default(),
        &Patch::Merge(json!({ "data": { "v": "4" } })),
    )
    .await
    .unwrap();
    let told = follower.until("c is 4").await;
    assert_eq!(
        told,
        [
            "listed a=1 b=1 c=1 d=1 e=1",
            "a is 2",
            "a is 3",
            "b is gone",
            "c is 4"
        ]
    );
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_forbidden_and_an_unknown_collection_are_told_apart() {
    let bed = bed().await;
    let mut secrets = Follower::of(&bed.edges[0], User::Viewer, "/api/v1/secrets").await;
    let mut unknown = Follower::of(
        &bed.edges[0],
        User::Viewer,
        "/apis/argoproj.io/v1alpha1/applications",
    )
    .await;
    secrets
        .until(&format!("{:?}", TroubleKind::Forbidden))
        .await;
    unknown.until(&format!("{:?}", TroubleKind::Absent)).await;
}

/// The restarted server's cache begins at etcd's newest revision: the follower's own is too old for it, and the answer
/// is 410 inside the stream.
#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_restarted_server_is_followed_again_and_never_seen_empty() {
    let bed = bed().await;
    let cluster = Arc::new(bed.start_edge("edge-svg-052").await);
    let client = cluster.client(User::Admin).await;
    namespace(&client, "followed").await;
    apply(&client, "kubectl", &map("followed", "kept", "1")).await;
    let mut follower = Follower::of(
        &cluster,
        User::Viewer,
        "/api/v1/namespaces/followed/configmaps",
    )
    .await;
    follower.until("listed kept=1").await;
    let down = cluster.clone();
    blocking(move || down.stop()).await;
    // Another cluster of the same etcd moves its revision on while this one is down.
    namespace(&bed.edges[1].client(User::Admin).await, "meanwhile").await;
    follower
        .until(&format!("{:?}", TroubleKind::Transport))
        .await;
    let up = cluster.clone();
    blocking(move || up.restart()).await;
    apply(
        &cluster.client(User::Admin).await,
        "kubectl",
        &map("followed", "kept", "2"),
    )
    .await;
    follower.until("listed kept=2").await;
    apply(
        &cluster.client(User::Admin).await,
        "kubectl",
        &map("followed", "kept", "3"),
    )
    .await;
    let mut told = follower.until("kept is 3").await;
    told.retain(|line| *line != format!("{:?}", TroubleKind::Transport));
    assert_eq!(
        told,
        ["listed kept=1", "listed kept=2", "kept is 3"],
        "one new list, never an empty one"
    );
    blocking(move || drop(cluster)).await;
}
