use rstest::rstest;
use serde_json::json;

use super::*;

fn deployment(spec: Value, status: Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "edge-microservice", "generation": 2}, "spec": spec, "status": status})
}

#[rstest]
#[case(json!({"replicas": 3}), json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}), Health::Healthy, "")]
#[case(json!({"replicas": 3, "paused": true}), json!({}), Health::Suspended, "Deployment is paused")]
#[case(json!({"replicas": 3}), json!({"observedGeneration": 1}), Health::Progressing, "Waiting for rollout to finish: observed deployment generation less than desired generation")]
#[case(json!({"replicas": 3}), json!({"observedGeneration": 2, "updatedReplicas": 1, "replicas": 3}), Health::Progressing, "Waiting for rollout to finish: 1 out of 3 new replicas have been updated...")]
#[case(json!({"replicas": 3}), json!({"observedGeneration": 2, "updatedReplicas": 3, "replicas": 4}), Health::Progressing, "Waiting for rollout to finish: 1 old replicas are pending termination...")]
#[case(json!({"replicas": 3}), json!({"observedGeneration": 2, "updatedReplicas": 3, "replicas": 3, "availableReplicas": 2}), Health::Progressing, "Waiting for rollout to finish: 2 of 3 updated replicas are available...")]
#[case(json!({"replicas": 3}), json!({"observedGeneration": 2, "conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]}), Health::Degraded, "Deployment \"edge-microservice\" exceeded its progress deadline")]
fn deployments_are_as_far_as_their_rollout(
    #[case] spec: Value,
    #[case] status: Value,
    #[case] health: Health,
    #[case] message: &str,
) {
    assert_eq!(
        check(&deployment(spec, status)),
        Some((health, message.to_owned()))
    );
}

#[test]
fn an_object_being_deleted_is_progressing_unless_it_is_a_finished_hook() {
    let mut service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"deletionTimestamp": "2026-11-20T08:00:00Z"}});
    assert_eq!(
        check(&service),
        Some((Health::Progressing, "Pending deletion".to_owned()))
    );
    service["metadata"]["finalizers"] = json!(["argocd.argoproj.io/hook-finalizer"]);
    assert_eq!(check(&service).map(|r| r.0), Some(Health::Healthy));
}

#[test]
fn kinds_without_a_check_have_no_health_and_unknown_versions_are_unknown() {
    assert_eq!(
        check(&json!({"apiVersion": "v1", "kind": "ConfigMap"})),
        None
    );
    assert_eq!(
        check(&json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"})),
        None
    );
    assert_eq!(check(&json!({})), None);
    let old = check(&json!({"apiVersion": "extensions/v1beta1", "kind": "Deployment"}));
    assert_eq!(old, None);
    let beta = check(&json!({"apiVersion": "apps/v1beta1", "kind": "Deployment"}));
    assert_eq!(
        beta,
        Some((
            Health::Unknown,
            "unsupported Deployment GVK: apps/v1beta1, Kind=Deployment".to_owned()
        ))
    );
}

fn pod(policy: &str, status: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"restartPolicy": policy}, "status": status})
}

#[rstest]
#[case("Always", json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}), Health::Healthy, "")]
#[case("Always", json!({"phase": "Running", "containerStatuses": [{"lastState": {"terminated": {"exitCode": 1}}}]}), Health::Degraded, "")]
#[case("Always", json!({"phase": "Running"}), Health::Progressing, "")]
#[case("Always", json!({"phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff", "message": "back off"}}}, {"state": {"waiting": {"reason": "CreateContainerConfigError", "message": "no secret"}}}]}), Health::Degraded, "back off, no secret")]
#[case("Never", json!({"phase": "Running", "containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff", "message": "x"}}}]}), Health::Progressing, "")]
#[case("Never", json!({"phase": "Failed", "containerStatuses": [{"name": "app", "state": {"terminated": {"exitCode": 3}}}]}), Health::Degraded, "container \"app\" failed with exit code 3")]
#[case("Never", json!({"phase": "Failed", "initContainerStatuses": [{"name": "init", "state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}]}), Health::Degraded, "OOMKilled")]
#[case("Never", json!({"phase": "Succeeded", "message": "done"}), Health::Healthy, "done")]
#[case("Always", json!({}), Health::Unknown, "")]
fn pods_are_read_by_phase_restart_policy_and_containers(
    #[case] policy: &str,
    #[case] status: Value,
    #[case] health: Health,
    #[case] message: &str,
) {
    assert_eq!(
        check(&pod(policy, status)),
        Some((health, message.to_owned()))
    );
}

#[test]
fn the_ignore_annotation_reads_a_finite_pod_as_one_for_ever_but_never_a_hook() {
    let mut object = pod(
        "Never",
        json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}),
    );
    object["metadata"]["annotations"] = json!({"argocd.argoproj.io/ignore-restart-policy": "true"});
    assert_eq!(check(&object).map(|r| r.0), Some(Health::Healthy));
    object["metadata"]["annotations"]["argocd.argoproj.io/hook"] = json!("PreSync");
    assert_eq!(check(&object).map(|r| r.0), Some(Health::Progressing));
}

#[rstest]
#[case(json!({"apiVersion": "v1", "kind": "Service", "spec": {"type": "LoadBalancer"}}), Health::Progressing)]
#[case(json!({"apiVersion": "v1", "kind": "Service", "spec": {"type": "ClusterIP"}}), Health::Healthy)]
#[case(json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress"}), Health::Progressing)]
#[case(json!({"apiVersion": "extensions/v1beta1", "kind": "Ingress", "status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}}), Health::Healthy)]
#[case(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": "Lost"}}), Health::Degraded)]
#[case(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim"}), Health::Unknown)]
#[case(json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService"}), Health::Progressing)]
#[case(json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "status": {"phase": "Error"}}), Health::Degraded)]
#[case(json!({"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler"}), Health::Progressing)]
#[case(json!({"apiVersion": "autoscaling/v2beta2", "kind": "HorizontalPodAutoscaler"}), Health::Unknown)]
#[case(json!({"apiVersion": "batch/v1", "kind": "Job", "status": {"conditions": [{"type": "Suspended", "status": "True"}]}}), Health::Suspended)]
#[case(json!({"apiVersion": "batch/v1", "kind": "Job", "status": {"conditions": [{"type": "Complete", "status": "True"}, {"type": "Failed", "status": "True"}]}}), Health::Degraded)]
fn other_kinds(#[case] object: Value, #[case] health: Health) {
    assert_eq!(check(&object).map(|r| r.0), Some(health));
}

#[rstest]
#[case(json!({"spec": {"replicas": 2}, "status": {"observedGeneration": 2, "readyReplicas": 1}}), Health::Progressing, "Waiting for 1 pods to be ready...")]
#[case(json!({"spec": {"replicas": 2, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}}, "status": {"observedGeneration": 2, "readyReplicas": 2}}), Health::Progressing, "Waiting for partitioned roll out to finish: 0 out of 1 new pods have been updated...")]
#[case(json!({"spec": {"replicas": 2, "updateStrategy": {"type": "OnDelete"}}, "status": {"observedGeneration": 2, "readyReplicas": 2}}), Health::Healthy, "statefulset has 2 ready pods")]
#[case(json!({"spec": {"replicas": 2}, "status": {"observedGeneration": 2, "readyReplicas": 2, "updateRevision": "b", "currentRevision": "a", "updatedReplicas": 1}}), Health::Progressing, "waiting for statefulset rolling update to complete 1 pods at revision b...")]
#[case(json!({"spec": {"replicas": 2}}), Health::Progressing, "Waiting for statefulset spec update to be observed...")]
fn stateful_sets_wait_for_their_pods(
    #[case] mut object: Value,
    #[case] health: Health,
    #[case] message: &str,
) {
    object["apiVersion"] = json!("apps/v1");
    object["kind"] = json!("StatefulSet");
    object["metadata"] = json!({"generation": 2});
    assert_eq!(check(&object), Some((health, message.to_owned())));
}

#[test]
fn kstatus_follows_generation_conditions_and_kinds() {
    use kstatus::{Status, compute};
    let now = "2026-11-20T08:00:00Z".parse().unwrap();
    let of = |object: Value| compute(&object, now);
    let behind = of(
        json!({"kind": "Kustomization", "metadata": {"generation": 3}, "status": {"observedGeneration": 2}}),
    );
    assert_eq!(
        behind.message,
        "Kustomization generation is 3, but latest observed generation is 2"
    );
    assert_eq!(
        of(json!({"kind": "X", "status": {"conditions": [{"type": "Stalled", "status": "True"}]}}))
            .status,
        Status::Failed
    );
    assert_eq!(
        of(
            json!({"kind": "X", "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}})
        )
        .status,
        Status::InProgress
    );
    assert_eq!(
        of(json!({"kind": "X", "metadata": {"deletionTimestamp": "2026-11-20T08:00:00Z"}})).status,
        Status::Terminating
    );
    let pending = |created: &str| {
        of(
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"creationTimestamp": created}, "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}}),
        )
    };
    assert_eq!(pending("2026-11-20T07:59:50Z").status, Status::InProgress);
    assert_eq!(pending("2026-11-20T07:59:40Z").status, Status::Failed);
}
