//! The resource tree: what hangs under objects on a real server, by owner references, for who may see it.

use std::sync::Arc;
use std::time::Duration;

use driftdeck::app::inquiry::{Answer, Question, ResourceTree, TreeWish};
use driftdeck::config::{Config, Folders};
use driftdeck::domain::{AppKind, AppRef, ObjectRef, Safe};
use driftdeck::drift::SealKey;
use driftdeck::runtime::inquire;
use driftdeck::runtime::session::{self, SessionOptions};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::bed::{Bed, EDGES, bed};
use crate::crds;
use crate::gitops_states::{kustomization, put};
use crate::kubeconfig::{self, Entry};
use crate::objects::{api_of, apply, name_of, namespace};
use crate::servers::{Cluster, User};

const SECRET: &str = "dHJlZS1zZWNyZXQ=";

/// Writes objects and what controllers would say of them: there is no controller manager.
struct Gardener {
    client: kube::Client,
    place: &'static str,
}

impl Gardener {
    async fn at(edge: &Cluster, place: &'static str) -> Self {
        let client = edge.client(User::Admin).await;
        namespace(&client, place).await;
        Self { client, place }
    }

    /// Applies it under its owner, with this status; the object as the server has it.
    async fn plant(&self, mut object: Value, owner: Option<&Value>, status: Value) -> Value {
        object["metadata"]["namespace"] = json!(self.place);
        if let Some(owner) = owner {
            object["metadata"]["ownerReferences"] = json!([{
                "apiVersion": owner["apiVersion"], "kind": owner["kind"], "controller": true,
                "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
            }]);
        }
        let mut held =
            serde_json::to_value(apply(&self.client, "gardener", &object).await).unwrap();
        if !status.is_null() {
            let api = api_of(&self.client, &object).await;
            let patch = Patch::Merge(json!({ "status": status }));
            let done = api
                .patch_status(&name_of(&object), &PatchParams::default(), &patch)
                .await;
            held = serde_json::to_value(done.unwrap()).unwrap();
        }
        held
    }

    async fn pod(&self, name: &str, owner: &Value, status: Value) -> Value {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name },
            "spec": { "containers": [{ "name": "app", "image": "registry.example/edge/reader:1.4.2" }] },
        });
        self.plant(pod, Some(owner), status).await
    }
}

fn template() -> Value {
    json!({
        "metadata": { "labels": { "app": "reader" } },
        "spec": { "containers": [{ "name": "app", "image": "registry.example/edge/reader:1.4.2" }] },
    })
}

fn workload(kind: &str, name: &str, replicas: u32) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": kind, "metadata": { "name": name },
        "spec": { "replicas": replicas, "selector": { "matchLabels": { "app": "reader" } }, "template": template() },
    })
}

fn running() -> Value {
    json!({
        "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }],
        "containerStatuses": [container(true, json!({ "running": {} }), 0)],
    })
}

fn container(ready: bool, state: Value, restarts: u32) -> Value {
    json!({
        "name": "app", "ready": ready, "restartCount": restarts, "state": state,
        "image": "registry.example/edge/reader:1.4.2", "imageID": "",
    })
}

fn crashing() -> Value {
    let waits = json!({ "waiting": { "reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container" } });
    json!({ "phase": "Running", "containerStatuses": [container(false, waits, 31)] })
}

/// What the console asks of an Argo CD application on the third edge.
fn wish(place: &str, root: &Value) -> TreeWish {
    TreeWish {
        cluster: EDGES[2].into(),
        app: AppRef {
            hub: "hub-1".into(),
            kind: AppKind::Application,
            namespace: "argocd".into(),
            name: "reader".into(),
        },
        roots: vec![ObjectRef::of(root).unwrap()],
        namespaces: vec![place.into()],
    }
}

/// Asks as this user on the third edge.
async fn tree(bed: &Bed, user: User, place: &str, root: &Value) -> Result<ResourceTree, Safe> {
    ask(bed, &bed.edges[2], user, wish(place, root)).await
}

/// Asks one cluster, as the console does.
async fn ask(
    bed: &Bed,
    cluster: &Cluster,
    user: User,
    wish: TreeWish,
) -> Result<ResourceTree, Safe> {
    let folder = bed.dir.join(format!("tree-{:x}", fastrand::u64(..)));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("kubeconfig");
    kubeconfig::write(&path, &[Entry::of(cluster, user)]);
    let folders = Folders {
        config: folder.join("config"),
        state: folder.join("state"),
        cache: folder.join("cache"),
    };
    let options = SessionOptions {
        kubeconfig: vec![path],
        include: Vec::new(),
        exclude: Vec::new(),
        impersonate: None,
        write: false,
        request_timeout: Duration::from_secs(15),
        time: driftdeck::connect::WallClock::Machine,
    };
    let session = session::plan(options, Config::default(), folders)
        .unwrap()
        .open();
    let key = Arc::new(SealKey::new([5; 32]));
    let answer = inquire::ask(Arc::clone(&session.sources), Question::Tree(wish), key).await;
    session.sources.shutdown().await;
    match answer? {
        Answer::Tree(tree) => Ok(*tree),
        other => panic!("{other:?} is no tree"),
    }
}

/// `depth Kind name health fact` of each branch.
fn lines(tree: &ResourceTree) -> Vec<String> {
    let line = |branch: &driftdeck::app::inquiry::Branch| {
        let health = branch
            .health
            .as_ref()
            .map_or("-".to_owned(), |h| format!("{:?}", h.0));
        let (kind, name) = (&branch.object.gvk.kind, &branch.object.name);
        format!("{} {kind} {name} {health} {}", branch.depth, branch.fact)
            .trim_end()
            .to_owned()
    };
    tree.branches.iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs real servers: run .ci/run"]
async fn a_deployment_shows_its_replica_sets_and_pods_with_health() {
    let bed = bed().await;
    let place = "tree-deployment";
    let garden = Gardener::at(&bed.edges[2], place).await;
    let status = json!({ "observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 1, "availableReplicas": 1 });
    let web = garden
        .plant(workload("Deployment", "web", 2), None, status)
        .await;
    let idle = json!({ "replicas": 0, "observedGeneration": 1 });
    garden
        .plant(workload("ReplicaSet", "web-1aa", 0), Some(&web), idle)
        .await;
    let status = json!({ "replicas": 2, "readyReplicas": 1, "availableReplicas": 1, "observedGeneration": 1 });
    let set = garden
        .plant(workload("ReplicaSet", "web-2bb", 2), Some(&web), status)
        .await;
    garden.pod("web-2bb-q8z1c", &set, crashing()).await;
    garden.pod("web-2bb-x4k2m", &set, running()).await;
    garden
        .plant(workload("ReplicaSet", "stranger", 1), None, Value::Null)
        .await;
    let elsewhere = Gardener::at(&bed.edges[2], "tree-elsewhere").await;
    elsewhere.pod("of-another-place", &set, running()).await;

    let tree = tree(bed, User::Viewer, place, &web).await.unwrap();
    assert_eq!(
        lines(&tree),
        [
            "0 Deployment web Progressing 1/2 ready",
            "1 ReplicaSet web-2bb Progressing 1/2 ready",
            "2 Pod web-2bb-q8z1c Degraded 0/1 ready, 31 restarts, CrashLoopBackOff",
            "2 Pod web-2bb-x4k2m Healthy 1/1 ready",
        ]
    );
    let message = &tree.branches[2].health.as_ref().unwrap().1;
    assert!(message.as_str().contains("back-off 5m0s"), "{message}");
    assert_eq!(
        tree.remarks,
        [Safe::fixed("ReplicaSets that run nothing are left out: 1.")]
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs real servers: run .ci/run"]
async fn a_cron_job_shows_its_jobs_and_their_pods() {
    let bed = bed().await;
    let place = "tree-cron";
    let garden = Gardener::at(&bed.edges[2], place).await;
    let mut pod = template();
    pod["spec"]["restartPolicy"] = json!("Never");
    let cron = json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": { "name": "sweep" },
        "spec": { "schedule": "*/5 * * * *", "jobTemplate": { "spec": { "template": pod } } },
    });
    let cron = garden.plant(cron, None, Value::Null).await;
    let job = json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": "sweep-1" }, "spec": { "template": pod } });
    let job = garden.plant(job, Some(&cron), Value::Null).await;
    garden.pod("sweep-1-abcde", &job, running()).await;
    let tree = tree(bed, User::Viewer, place, &cron).await.unwrap();
    assert_eq!(
        lines(&tree),
        [
            "0 CronJob sweep Healthy",
            "1 Job sweep-1 Progressing 0/1 done",
            "2 Pod sweep-1-abcde Healthy 1/1 ready",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs real servers: run .ci/run"]
async fn whatever_a_custom_owner_owns_is_shown_as_far_as_one_may_see() {
    let bed = bed().await;
    let place = "tree-custom";
    let garden = Gardener::at(&bed.edges[2], place).await;
    let owner = json!({ "apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor", "metadata": { "name": "probe" }, "spec": {} });
    let owner = garden.plant(owner, None, Value::Null).await;
    let map =
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "probe-config" } });
    garden.plant(map, Some(&owner), Value::Null).await;
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "probe-token" }, "data": { "token": SECRET } });
    garden.plant(secret, Some(&owner), Value::Null).await;
    let set = garden
        .plant(
            workload("StatefulSet", "probe", 1),
            Some(&owner),
            Value::Null,
        )
        .await;
    garden.pod("probe-0", &set, running()).await;

    let whole = tree(bed, User::Operator, place, &owner).await.unwrap();
    let expected = [
        "0 ServiceMonitor probe -",
        "1 ConfigMap probe-config -",
        "1 Secret probe-token -",
        "1 StatefulSet probe Progressing 0/1 ready",
        "2 Pod probe-0 Healthy 1/1 ready",
    ];
    assert_eq!(lines(&whole), expected);
    assert_eq!(whole.remarks, Vec::<Safe>::new());
    assert!(!format!("{whole:?}").contains(SECRET));

    let seen = tree(bed, User::Viewer, place, &owner).await.unwrap();
    let without = expected.iter().filter(|line| !line.contains("Secret"));
    assert_eq!(lines(&seen), without.copied().collect::<Vec<_>>());
    let words = format!("{:?}", seen.remarks);
    assert!(
        words.contains("You may not list") && words.contains("secrets"),
        "{words}"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs real servers: run .ci/run"]
async fn an_object_that_is_gone_is_said_to_be() {
    let bed = bed().await;
    let gone = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "gone", "namespace": "default" } });
    let why = tree(bed, User::Viewer, "default", &gone).await.unwrap_err();
    assert!(why.as_str().contains("gone"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs real servers: run .ci/run"]
async fn the_expressions_of_a_kustomization_tell_the_health_of_what_it_applies() {
    let bed = bed().await;
    let edge = bed.start_edge("edge-flux-tree").await;
    let client = edge.client(User::Admin).await;
    crds::install(&client, &crds::flux()).await;
    namespace(&client, "flux-system").await;
    let checks = json!({ "healthCheckExprs": [{
        "apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor",
        "failed": "spec.phase == 'Broken'", "current": "spec.phase == 'Up'",
    }] });
    put(&client, &kustomization("infra", &checks, &Value::Null)).await;
    let place = "tree-flux";
    let garden = Gardener::at(&edge, place).await;
    for (name, phase) in [
        ("a-up", "Up"),
        ("b-broken", "Broken"),
        ("c-starting", "Starting"),
    ] {
        let monitor = json!({
            "apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor",
            "metadata": { "name": name }, "spec": { "phase": phase },
        });
        garden.plant(monitor, None, Value::Null).await;
    }
    let root = |name: &str| {
        let monitor = json!({ "apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor", "metadata": { "name": name, "namespace": place } });
        ObjectRef::of(&monitor).unwrap()
    };
    let wish = TreeWish {
        cluster: "edge-flux-tree".into(),
        app: AppRef {
            hub: "edge-flux-tree".into(),
            kind: AppKind::Kustomization,
            namespace: "flux-system".into(),
            name: "infra".into(),
        },
        roots: vec![root("a-up"), root("b-broken"), root("c-starting")],
        namespaces: vec![place.into()],
    };
    let tree = ask(bed, &edge, User::Operator, wish.clone()).await.unwrap();
    assert_eq!(
        lines(&tree),
        [
            "0 ServiceMonitor a-up Healthy",
            "0 ServiceMonitor b-broken Degraded",
            "0 ServiceMonitor c-starting Progressing",
        ]
    );
    // Who may not read the Kustomization is told so; the kind has no other rule.
    let seen = ask(bed, &edge, User::Viewer, wish).await.unwrap();
    assert_eq!(lines(&seen)[0], "0 ServiceMonitor a-up -");
    let words = format!("{:?}", seen.remarks);
    assert!(
        words.contains("without the Kustomization's healthCheckExprs"),
        "{words}"
    );
}
