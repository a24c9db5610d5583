//! The same world through its own kubeconfig, as a client that knows nothing of it.

use futures::TryStreamExt as _;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{
    Api, ApiResource, DynamicObject, Patch as Change, PatchParams, WatchEvent, WatchParams,
};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use super::operations::operation;
use super::*;

/// A client by the world's kubeconfig.
async fn client(world: &World, context: &str) -> Client {
    // Another test may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let file = Kubeconfig::read_from(world.kubeconfig_path()).unwrap();
    let options = KubeConfigOptions {
        context: Some(context.into()),
        ..KubeConfigOptions::default()
    };
    let config = Config::from_custom_kubeconfig(file, &options)
        .await
        .unwrap();
    Client::try_from(config).unwrap()
}

fn applications(client: Client) -> Api<DynamicObject> {
    let resource = ApiResource {
        group: "argoproj.io".into(),
        version: "v1alpha1".into(),
        api_version: "argoproj.io/v1alpha1".into(),
        kind: "Application".into(),
        plural: "applications".into(),
    };
    Api::namespaced_with(client, "argocd", &resource)
}

/// A calm world of one edge on the machine's clock.
async fn live() -> World {
    let scenario = Scenario::named("calm").unwrap();
    let options = Options {
        clusters: Some(1),
        apps: Some(2),
        ..Options::new(scenario)
    };
    World::start(options).await.unwrap()
}

/// Waits for the next change of the Application that satisfies `wanted`; a test that hangs is stopped by its deadline.
async fn until(
    api: &Api<DynamicObject>,
    name: &str,
    wanted: impl Fn(&Value) -> bool,
) -> DynamicObject {
    let params = WatchParams::default().fields(&format!("metadata.name={name}"));
    let follow = async {
        let mut events = std::pin::pin!(api.watch(&params, "0").await.unwrap());
        while let Some(event) = events.try_next().await.unwrap() {
            if let WatchEvent::Added(app) | WatchEvent::Modified(app) = event
                && wanted(&app.data)
            {
                return app;
            }
        }
        panic!("the watch ended");
    };
    tokio::time::timeout(seconds(20), follow).await.unwrap()
}

fn sync_is(status: &str) -> impl Fn(&Value) -> bool + '_ {
    move |data| data["status"]["sync"]["status"] == status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_is_seen_by_a_watch_on_the_hub_and_an_operation_puts_it_back() {
    let world = live().await;
    let apps = applications(client(&world, "hub-1").await);
    let edge = client(&world, "edge-oslo-001").await;
    let deployments: Api<Deployment> = Api::namespaced(edge, "ingress");
    let by_hand = PatchParams {
        field_manager: Some("kubectl-edit".into()),
        ..PatchParams::default()
    };
    let edit = json!({"spec": {"replicas": 1}});
    deployments
        .patch("ingress", &by_hand, &Change::Merge(edit))
        .await
        .unwrap();
    let app = until(&apps, "ingress-oslo-001", sync_is("OutOfSync")).await;
    let mut write = operation("HEAD");
    write["metadata"] = json!({"resourceVersion": app.metadata.resource_version});
    apps.patch(
        "ingress-oslo-001",
        &PatchParams::default(),
        &Change::Merge(write),
    )
    .await
    .unwrap();
    let done = until(&apps, "ingress-oslo-001", |data| {
        data.get("operation").is_none() && data["status"]["operationState"]["phase"] == "Succeeded"
    })
    .await;
    assert_eq!(
        done.data["status"]["operationState"]["operation"]["initiatedBy"]["username"],
        "alice@jumphost"
    );
    let live = deployments.get("ingress").await.unwrap();
    assert_eq!(live.spec.unwrap().replicas, Some(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_come_through_the_service_proxy() {
    let world = live().await;
    let client = client(&world, "edge-oslo-001").await;
    let metrics = async |service: &str| {
        let path = format!("/api/v1/namespaces/ingress/services/{service}/proxy/metrics");
        let request = http::Request::get(path).body(Vec::new()).unwrap();
        client.request_text(request).await
    };
    let text = metrics("ingress:web").await.unwrap();
    assert!(text.contains("http_requests_total{method=\"GET\""));
    assert_eq!(
        text,
        metrics("ingress:web").await.unwrap(),
        "constant in calm"
    );
    assert!(metrics("no-such-service:web").await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token_is_refused() {
    let world = live().await;
    let text = world.kubeconfig().replace(world.token(), "guessed");
    let file: Kubeconfig = serde_yaml::from_str(&text).unwrap();
    let options = KubeConfigOptions::default();
    let config = Config::from_custom_kubeconfig(file, &options).await;
    let client = Client::try_from(config.unwrap()).unwrap();
    let refused = applications(client).get("ingress-oslo-001").await;
    let Err(kube::Error::Api(status)) = refused else {
        panic!("a guessed token was let in: {refused:?}");
    };
    assert_eq!(status.code, 401);
}
