//! What hangs under a workload of the embedded fleet, asked as the console asks.

use std::sync::Arc;
use std::time::Duration;

use driftdeck::app::inquiry::{Answer, Question, TreeWish};
use driftdeck::config::{Config, Folders};
use driftdeck::domain::{AppKind, AppRef, Gvk, Health, ObjectRef};
use driftdeck::drift::SealKey;
use driftdeck::runtime::inquire;
use driftdeck::runtime::session::{self, SessionOptions};

use crate::program::Demo;

const SITE: &str = "edge-oslo-001";
const NAMESPACE: &str = "edge-microservice-namespace";

fn wish() -> TreeWish {
    let gvk = Gvk::new("apps", "v1", "Deployment");
    TreeWish {
        cluster: SITE.into(),
        app: AppRef {
            hub: "hub-1".into(),
            kind: AppKind::Application,
            namespace: "argocd".into(),
            name: "edge-microservice".into(),
        },
        roots: vec![ObjectRef::new(gvk, NAMESPACE, "edge-microservice")],
        namespaces: vec![NAMESPACE.into()],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_shows_its_replica_set_and_pods() {
    let demo = tokio::task::spawn_blocking(|| Demo::serve("--scenario calm --clusters 3 --seed 4"))
        .await
        .unwrap();
    let home = tempfile::tempdir().unwrap();
    let folder = |name: &str| home.path().join(name);
    let folders = Folders {
        config: folder("config"),
        state: folder("state"),
        cache: folder("cache"),
    };
    let options = SessionOptions {
        kubeconfig: vec![demo.kubeconfig.clone()],
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
    let question = Question::Tree(wish());
    let answer = inquire::ask(Arc::clone(&session.sources), question, key).await;
    session.sources.shutdown().await;
    let Ok(Answer::Tree(tree)) = answer else {
        panic!("{answer:?} is no tree");
    };
    let line = |depth: usize, kind: &str| (depth, kind.to_owned(), Some(Health::Healthy));
    let mut kinds: Vec<_> = tree
        .branches
        .iter()
        .map(|b| {
            (
                b.depth,
                b.object.gvk.kind.to_string(),
                b.health.as_ref().map(|h| h.0),
            )
        })
        .collect();
    kinds.dedup();
    let chain = [line(0, "Deployment"), line(1, "ReplicaSet"), line(2, "Pod")];
    assert_eq!(kinds, chain, "{tree:#?}");
}
