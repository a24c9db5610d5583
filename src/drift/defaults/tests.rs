use pretty_assertions::assert_eq;
use serde_json::json;

use super::*;

fn filled(mut object: Value) -> Value {
    let shape = Shape::of_object(&object);
    assert!(shape.is_known());
    apply(&mut object, shape);
    object
}

#[test]
fn a_deployment_gets_what_the_server_gives_it() {
    let object = filled(
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"spec": {
        "containers": [{"name": "app", "image": "edge:1", "ports": [{"containerPort": 80}], "livenessProbe": {"httpGet": {"port": 80}},
            "env": [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]}],
        "volumes": [{"name": "a"}, {"name": "b", "configMap": {"name": "x"}}]}}}}),
    );
    assert_eq!(
        object["spec"],
        json!({
            "replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}},
            "template": {"spec": {
                "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "securityContext": {}, "terminationGracePeriodSeconds": 30,
                "schedulerName": "default-scheduler",
                "containers": [{"name": "app", "image": "edge:1", "imagePullPolicy": "IfNotPresent",
                    "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                    "ports": [{"containerPort": 80, "protocol": "TCP"}],
                    "livenessProbe": {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3,
                        "httpGet": {"port": 80, "path": "/", "scheme": "HTTP"}},
                    "env": [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP", "apiVersion": "v1"}}}]}],
                "volumes": [{"name": "a", "emptyDir": {}}, {"name": "b", "configMap": {"name": "x", "defaultMode": 420}}]}}})
    );
}

#[test]
fn what_is_set_stays() {
    let object = filled(
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 0, "strategy": {"type": "Recreate"}}}),
    );
    assert_eq!(object["spec"]["replicas"], 0);
    assert_eq!(object["spec"]["strategy"], json!({"type": "Recreate"}));
}

#[test]
fn images_decide_how_they_are_pulled() {
    let policy = |image: &str| {
        let pod = filled(
            json!({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "a", "image": image}]}}),
        );
        pod["spec"]["containers"][0]["imagePullPolicy"].clone()
    };
    assert_eq!(policy("registry:5000/edge"), "Always");
    assert_eq!(policy("registry:5000/edge:latest"), "Always");
    assert_eq!(policy("registry:5000/edge:1.2"), "IfNotPresent");
    assert_eq!(policy("edge@sha256:0123"), "IfNotPresent");
}

#[test]
fn services_ports_policies_and_subjects_depend_on_their_neighbours() {
    let service = filled(
        json!({"apiVersion": "v1", "kind": "Service", "spec": {"type": "NodePort", "ports": [{"port": 80}]}}),
    );
    assert_eq!(
        service["spec"]["ports"],
        json!([{"port": 80, "targetPort": 80, "protocol": "TCP"}])
    );
    assert_eq!(service["spec"]["externalTrafficPolicy"], "Cluster");
    let policy = filled(
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "spec": {"egress": [{"ports": [{"port": 53}]}]}}),
    );
    assert_eq!(policy["spec"]["policyTypes"], json!(["Ingress", "Egress"]));
    assert_eq!(policy["spec"]["egress"][0]["ports"][0]["protocol"], "TCP");
    let binding = filled(
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "roleRef": {"name": "r"}, "subjects": [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s"}]}),
    );
    assert_eq!(binding["roleRef"]["apiGroup"], "rbac.authorization.k8s.io");
    assert_eq!(binding["subjects"][1].get("apiGroup"), None);
}

#[test]
fn a_jobs_defaults_are_not_a_cron_jobs_templates() {
    let job = filled(
        json!({"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": {"metadata": {"labels": {"a": "b"}}, "spec": {}}}}),
    );
    assert_eq!(job["spec"]["backoffLimit"], 6);
    assert_eq!(job["metadata"]["labels"], json!({"a": "b"}));
    let cron = filled(
        json!({"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": {}}}}}}),
    );
    assert_eq!(
        cron["spec"]["jobTemplate"]["spec"].get("backoffLimit"),
        None
    );
    assert_eq!(
        cron["spec"]["jobTemplate"]["spec"]["template"]["spec"]["dnsPolicy"],
        "ClusterFirst"
    );
}

#[test]
fn resources_are_rounded_up_to_milli() {
    let pod = filled(
        json!({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "a", "resources": {"limits": {"cpu": "0.0001"}}}]}}),
    );
    assert_eq!(
        pod["spec"]["containers"][0]["resources"]["limits"]["cpu"],
        "1m"
    );
    assert_eq!(
        pod["spec"]["containers"][0]["resources"]["requests"]["cpu"],
        "1m"
    );
}

#[test]
fn every_line_of_the_table_parses_and_names_a_field() {
    let lines = include_str!("fixed.txt").lines().count();
    assert_eq!(FIXED.values().map(Vec::len).sum::<usize>(), lines);
}
