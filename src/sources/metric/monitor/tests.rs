//! Monitors and services in, endpoints out.

use serde_json::{Value, json};

use super::*;

fn monitors(items: Value) -> Vec<Monitor> {
    serde_json::from_value(items).unwrap()
}

fn services(items: Value) -> Vec<Service> {
    serde_json::from_value(items).unwrap()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "tests pass what `json!` makes"
)]
fn monitor(endpoint: Value) -> Value {
    json!([{
        "metadata": {"name": "web", "namespace": "edge"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "endpoints": [endpoint]}
    }])
}

fn web() -> Value {
    json!({
        "metadata": {"name": "web", "namespace": "edge", "labels": {"app": "web"}},
        "spec": {"ports": [
            {"name": "http", "port": 80, "targetPort": 8080},
            {"name": "metrics", "port": 9100, "targetPort": "prom"},
        ]}
    })
}

fn found(endpoint: Value, services_found: Value) -> Vec<Target> {
    resolve(&monitors(monitor(endpoint)), &services(services_found)).targets
}

#[test]
fn a_monitor_finds_its_service_by_labels_and_its_port_by_name() {
    let targets = found(
        json!({"port": "metrics", "interval": "30s"}),
        json!([web()]),
    );
    assert_eq!(targets.len(), 1);
    assert_eq!(&*targets[0].id(), "edge/web:metrics");
    assert_eq!((&*targets[0].path, targets[0].tls), ("/metrics", false));
}

#[test]
fn target_ports_scheme_path_and_parameters_are_followed() {
    let targets = found(
        json!({"targetPort": "prom", "scheme": "https", "path": "federate", "params": {"match[]": ["{job=\"edge\"}"]}}),
        json!([web()]),
    );
    let target = &targets[0];
    assert_eq!(
        (&*target.port, target.tls, &*target.path),
        ("metrics", true, "/federate")
    );
    assert_eq!(&*target.query, "match%5B%5D=%7Bjob%3D%22edge%22%7D");
    assert_eq!(&*target.id(), "edge/web:metrics/federate");
    let by_number = found(json!({"targetPort": 8080}), json!([web()]));
    assert_eq!(&*by_number[0].port, "http");
}

#[test]
fn a_port_without_a_name_goes_by_its_number() {
    let mut service = web();
    service["spec"]["ports"] = json!([{"port": 9100}]);
    assert_eq!(
        &*found(json!({"targetPort": 9100}), json!([service]))[0].port,
        "9100"
    );
}

#[test]
fn namespaces_are_the_monitors_own_unless_it_names_others_or_any() {
    let mut other = web();
    other["metadata"]["namespace"] = json!("other");
    let services_found = json!([web(), other]);
    let with = |selector: Value| {
        let mut monitor = monitor(json!({"port": "http"}));
        monitor[0]["spec"]["namespaceSelector"] = selector;
        let targets = resolve(&monitors(monitor), &services(services_found.clone())).targets;
        targets
            .iter()
            .map(|t| t.namespace.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(with(json!({})), ["edge"]);
    assert_eq!(with(json!({"matchNames": ["other"]})), ["other"]);
    assert_eq!(with(json!({"any": true})), ["edge", "other"]);
}

#[test]
fn expressions_of_a_selector_hold() {
    let with = |expression: Value| {
        let mut monitor = monitor(json!({"port": "http"}));
        monitor[0]["spec"]["selector"] = json!({"matchExpressions": [expression]});
        !resolve(&monitors(monitor), &services(json!([web()])))
            .targets
            .is_empty()
    };
    assert!(with(
        json!({"key": "app", "operator": "In", "values": ["web", "api"]})
    ));
    assert!(!with(
        json!({"key": "app", "operator": "NotIn", "values": ["web"]})
    ));
    assert!(with(json!({"key": "app", "operator": "Exists"})));
    assert!(with(json!({"key": "tier", "operator": "DoesNotExist"})));
    assert!(!with(
        json!({"key": "app", "operator": "Like", "values": ["web"]})
    ));
}

#[test]
fn a_path_that_would_leave_the_proxy_is_refused_and_odd_letters_are_encoded() {
    for path in [
        "/../../secrets",
        "/a/%2e%2E/b",
        "..",
        "/a?b=c",
        "/a#b",
        "/a%2fb",
    ] {
        assert_eq!(super::path(path), None, "{path}");
    }
    assert_eq!(
        super::path("/métrics x").as_deref(),
        Some("/m%C3%A9trics%20x")
    );
}

#[test]
fn the_application_is_read_from_the_mark_of_its_service() {
    let with = |labels: Value, annotations: Value| {
        let mut service = web();
        service["metadata"]["labels"] = labels;
        service["metadata"]["annotations"] = annotations;
        let app = found(json!({"port": "http"}), json!([service]))[0]
            .app
            .clone();
        app.map(|app| app.to_string())
    };
    let id = "argocd.argoproj.io/tracking-id";
    assert_eq!(
        with(
            json!({"app": "web"}),
            json!({id: "edge-microservice:/Service:edge/web"})
        )
        .as_deref(),
        Some("edge-microservice")
    );
    assert_eq!(
        with(
            json!({"app": "web"}),
            json!({id: "team_edge-api:/Service:edge/web"})
        )
        .as_deref(),
        Some("edge-api")
    );
    assert_eq!(
        with(
            json!({"app": "web", "app.kubernetes.io/instance": "by-label"}),
            json!({})
        )
        .as_deref(),
        Some("by-label")
    );
    assert_eq!(with(json!({"app": "web"}), json!({})), None);
}

#[test]
fn the_shortest_interval_counts() {
    let mut two = monitor(json!({"port": "http", "interval": "1m30s"}));
    let endpoints = two[0]["spec"]["endpoints"].as_array_mut().unwrap();
    endpoints.push(json!({"port": "metrics", "interval": "20s"}));
    let found = resolve(&monitors(two), &services(json!([web()])));
    assert_eq!(found.interval, Some(Duration::from_secs(20)));
    assert_eq!(duration("1m30s"), Some(Duration::from_secs(90)));
    assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
    for odd in ["", "s", "5", "5x", "99999999999999999999h"] {
        assert_eq!(duration(odd), None, "{odd}");
    }
}

#[test]
fn monitors_without_a_fitting_service_say_what_to_compare() {
    let nothing = resolve(
        &monitors(monitor(json!({"port": "gone"}))),
        &services(json!([web()])),
    );
    assert!(nothing.targets.is_empty());
    assert!(
        nothing
            .message
            .unwrap()
            .as_str()
            .contains("selector and port name")
    );
}
