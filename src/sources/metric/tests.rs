//! Rounds against an API server that is a function.

use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Request, Response};
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::json;

use super::*;

type Routes = Arc<Mutex<BTreeMap<String, (u16, String)>>>;

/// A client whose server answers by path, 404 else, and counts what was asked.
fn client(routes: &Routes) -> (Client, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let (routes, count) = (routes.clone(), asked.clone());
    let service = tower::service_fn(move |request: Request<Body>| {
        count.fetch_add(1, Ordering::Relaxed);
        let path = request.uri().path().to_owned();
        let (status, body) = routes
            .lock()
            .get(&path)
            .cloned()
            .unwrap_or((404, String::new()));
        async move {
            if status == 0 {
                std::future::pending::<()>().await;
            }
            let body = if status >= 400 && body.is_empty() {
                json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "no", "reason": "x", "code": status}).to_string()
            } else {
                body
            };
            Ok::<_, std::convert::Infallible>(
                Response::builder()
                    .status(status)
                    .body(Body::from(body.into_bytes()))
                    .unwrap(),
            )
        }
    });
    (Client::new(service, "default"), asked)
}

const MONITORS: &str = "/apis/monitoring.coreos.com/v1/servicemonitors";
const SERVICES: &str = "/api/v1/services";
const WEB: &str = "/api/v1/namespaces/edge/services/web:metrics/proxy/metrics";

fn routes() -> Routes {
    let monitor = json!({"items": [{
        "metadata": {"name": "web", "namespace": "edge"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "endpoints": [{"port": "metrics", "interval": "30s"}]}
    }]});
    let service = json!({"items": [{
        "metadata": {"name": "web", "namespace": "edge", "labels": {"app": "web"}, "annotations": {"argocd.argoproj.io/tracking-id": "edge-microservice:/Service:edge/web"}},
        "spec": {"ports": [{"name": "metrics", "port": 9100}]}
    }]});
    let routes = [
        (MONITORS, (200, monitor.to_string())),
        (SERVICES, (200, service.to_string())),
        (WEB, (200, web(0))),
    ];
    Arc::new(Mutex::new(
        routes
            .map(|(path, answer)| (path.to_owned(), answer))
            .into(),
    ))
}

fn web(count: u32) -> String {
    format!("http_requests_total{{code=\"200\"}} {count}\nprocess_resident_memory_bytes 5e7\n")
}

fn set(routes: &Routes, path: &str, status: u16, body: &str) {
    routes
        .lock()
        .insert(path.to_owned(), (status, body.to_owned()));
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

fn source() -> MetricSource {
    MetricSource::new("".into(), None)
}

#[tokio::test]
async fn two_rounds_show_rates_for_the_cluster_and_its_application() {
    let routes = routes();
    let (client, _) = client(&routes);
    let mut source = source();
    let first = source.round(&client, at(0)).await;
    assert_eq!((first.targets, first.targets_up, first.samples), (1, 1, 2));
    assert_eq!(first.message, None);
    set(&routes, WEB, 200, &web(120));
    let second = source.round(&client, at(10)).await;
    let told: Vec<(&str, f64)> = second
        .figures
        .iter()
        .map(|f| (f.name.as_str(), f.value))
        .collect();
    assert_eq!(told, [("req/s", 12.0), ("5xx", 0.0), ("mem", 5e7)]);
    assert_eq!(second.by_app[0].0.as_str(), "edge-microservice");
    assert_eq!(second.scraped_at, Some(at(10)));
}

#[tokio::test]
async fn a_cluster_without_the_crd_and_one_that_forbids_the_list_have_a_message() {
    let routes = routes();
    let (client, _) = client(&routes);
    set(&routes, MONITORS, 404, "");
    let message = source().round(&client, at(0)).await.message.unwrap();
    assert!(message.as_str().contains("not served"), "{message}");
    set(&routes, MONITORS, 403, "");
    let message = source().round(&client, at(0)).await.message.unwrap();
    assert!(
        message
            .as_str()
            .contains("Not permitted: list servicemonitors"),
        "{message}"
    );
}

#[tokio::test]
async fn an_endpoint_that_refuses_is_named_with_the_missing_right() {
    let routes = routes();
    let (client, _) = client(&routes);
    set(&routes, WEB, 403, "");
    let told = source().round(&client, at(0)).await;
    assert_eq!((told.targets, told.targets_up), (1, 0));
    let message = told.message.unwrap();
    assert!(
        message.as_str().contains("edge/web:metrics")
            && message.as_str().contains("services/proxy"),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_hangs_costs_only_its_own_time() {
    let routes = routes();
    let (client, _) = client(&routes);
    set(&routes, WEB, 0, "");
    let began = Instant::now();
    let told = source().round(&client, at(0)).await;
    assert!(
        began.elapsed() <= Duration::from_secs(9),
        "{:?}",
        began.elapsed()
    );
    assert!(
        told.message
            .unwrap()
            .as_str()
            .contains("no answer within 8 s")
    );
}

#[tokio::test]
async fn a_huge_answer_is_refused() {
    let routes = routes();
    let (client, _) = client(&routes);
    set(&routes, WEB, 200, &"a 1\n".repeat(1000));
    let mut source = source();
    source.limits.bytes = 500;
    let told = source.round(&client, at(0)).await;
    assert_eq!(told.targets_up, 0);
}

#[tokio::test]
async fn dropped_families_are_counted_and_the_first_is_named() {
    let routes = routes();
    let (client, _) = client(&routes);
    set(
        &routes,
        WEB,
        200,
        &format!("{}http_request_size{{x=1}} 5\n", web(1)),
    );
    let told = source().round(&client, at(0)).await;
    assert_eq!((told.dropped_families, told.samples), (1, 2));
    assert!(
        told.message
            .unwrap()
            .as_str()
            .contains("`http_request_size` of edge/web:metrics")
    );
}

#[tokio::test(start_paused = true)]
async fn discovery_is_made_once_a_minute_and_the_second_round_comes_early() {
    let routes = routes();
    let (client, asked) = client(&routes);
    let mut source = source();
    let mut rounds = Vec::new();
    let began = Instant::now();
    let (_kick, kicks) = watch::channel(0);
    let clock = WallClock::Machine;
    let run = source.run(&client, &clock, kicks, |_| rounds.push(began.elapsed()));
    let _ = tokio::time::timeout(Duration::from_secs(50), run).await;
    assert!(rounds[1] < Duration::from_secs(4), "{rounds:?}");
    assert!(rounds.len() >= 3, "{rounds:?}");
    // ServiceMonitors, PodMonitors and Services, and then the one endpoint.
    assert_eq!(asked.load(Ordering::Relaxed), 3 + rounds.len());
}

#[tokio::test]
async fn a_strange_monitor_costs_only_itself() {
    let routes = routes();
    let (_, body) = routes.lock().get(MONITORS).cloned().unwrap();
    let strange = r#"{"items":[{"metadata":{"labels":null},"spec":{"endpoints":"none"}},"#;
    set(
        &routes,
        MONITORS,
        200,
        &body.replacen("{\"items\":[", strange, 1),
    );
    let (client, _) = client(&routes);
    assert_eq!(source().round(&client, at(0)).await.targets_up, 1);
}

#[tokio::test]
async fn a_row_confined_to_a_namespace_asks_only_there() {
    let routes = routes();
    for path in [MONITORS, SERVICES] {
        let (status, body) = routes.lock().remove(path).unwrap();
        let plural = path.rsplit('/').next().unwrap();
        let confined = path.replace(plural, &format!("namespaces/edge/{plural}"));
        set(&routes, &confined, status, &body);
    }
    let (client, _) = client(&routes);
    let told = MetricSource::new("edge".into(), None)
        .round(&client, at(0))
        .await;
    assert_eq!(told.targets_up, 1);
}

#[test]
fn pauses_follow_the_monitors_within_bounds() {
    let secs = Duration::from_secs;
    assert_eq!(pause(2, None, 0.5), secs(15));
    assert_eq!(pause(2, Some(secs(30)), 0.5), secs(30));
    assert_eq!(pause(2, Some(secs(1)), 0.5), secs(5));
    assert_eq!(pause(2, Some(secs(3600)), 1.0), secs(66));
    assert_eq!(pause(1, Some(secs(30)), 0.5), secs(3));
}

#[tokio::test]
async fn a_controllers_pod_is_asked_by_its_own_proxy_and_told_as_silent_when_it_is_not_ready() {
    const POD: &str =
        "/api/v1/namespaces/flux-system/pods/kustomize-controller-7d9f:8080/proxy/metrics";
    let routes = routes();
    let monitor = json!({"items": [{
        "metadata": {"name": "flux", "namespace": "flux-system"},
        "spec": {"selector": {"matchLabels": {"app": "kustomize-controller"}}, "podMetricsEndpoints": [{"port": "http-prom"}]}
    }]});
    let pods = json!({"items": [{
        "metadata": {"name": "kustomize-controller-7d9f", "namespace": "flux-system", "labels": {"app": "kustomize-controller"}},
        "spec": {"containers": [{"ports": [{"name": "http-prom", "containerPort": 8080}]}]}, "status": {"phase": "Running"}
    }]});
    set(
        &routes,
        "/apis/monitoring.coreos.com/v1/podmonitors",
        200,
        &monitor.to_string(),
    );
    set(
        &routes,
        "/api/v1/namespaces/flux-system/pods",
        200,
        &pods.to_string(),
    );
    let text = "gotk_reconcile_duration_seconds_count{kind=\"Kustomization\"} 4\nworkqueue_depth{name=\"kustomization\"} 3\n";
    set(&routes, POD, 200, text);
    let (client, _) = client(&routes);
    let mut source = source();
    let told = source.round(&client, at(0)).await;
    assert_eq!((told.targets, told.targets_up), (2, 2), "{told:?}");
    let reading = &told.controllers[0];
    assert_eq!((reading.kind, reading.waiting), (AppKind::Kustomization, 3));
    set(&routes, POD, 503, "");
    let told = source.round(&client, at(15)).await;
    assert_eq!(told.controllers[0].silent_since, Some(at(15)));
    set(&routes, POD, 403, "");
    let told = source.round(&client, at(30)).await;
    assert!(
        told.controllers.is_empty(),
        "whoever may not ask knows nothing"
    );
}
