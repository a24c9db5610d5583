use super::*;
use crate::sim::store::{KindSet, Store, StoreOptions};

fn secret(frozen: bool) -> Value {
    json!({"metadata": {"annotations": {(app::SKIP_RECONCILE): frozen.to_string()}},
        "data": {"name": "ZWRnZS1vc2xvLTAwMQ==", "server": "aHR0cHM6Ly8xMjcuMC4wLjE6MS8="}})
}

#[test]
fn a_cluster_secret_is_read_without_the_trailing_slash() {
    assert_eq!(decoded(&secret(true), "name"), "edge-oslo-001");
    assert_eq!(decoded(&secret(true), "server"), "https://127.0.0.1:1");
    assert_eq!(decoded(&secret(true), "absent"), "");
    assert!(is_frozen(&secret(true)) && !is_frozen(&secret(false)));
}

#[test]
fn a_controller_reads_everything_again_when_it_fell_behind() {
    let now = "2026-11-21T02:00:00Z".parse().unwrap();
    let store = Store::new(StoreOptions {
        history: 2,
        ..StoreOptions::new(KindSet::bare().with_argo(), 1, now)
    });
    let hub = Cluster {
        name: "hub-1".into(),
        url: String::new(),
        address: None,
        store,
        faults: std::sync::Arc::default(),
    };
    let pen = hub.pen("test", now);
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}});
    pen.create(namespace).unwrap();
    let mut argo = Argo::new(hub.clone(), None, 1);
    for n in 0..5 {
        let app = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": format!("app-{n}"), "namespace": "argocd"},
            "spec": {"project": "default", "source": {"repoURL": "file:///x"}, "destination": {"name": "e", "namespace": "n"}}});
        pen.create(app).unwrap();
    }
    argo.take_in();
    assert_eq!(argo.apps.len(), 5);
}
