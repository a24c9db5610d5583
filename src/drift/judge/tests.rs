use pretty_assertions::assert_eq;
use serde_json::json;

use super::*;
use crate::domain::{ChangeOp, Fingerprint};
use crate::drift::seal::{SealKey, seal};

mod recorded;

/// edge-microservice as Git says it.
fn git() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "edge-microservice", "namespace": "edge", "labels": {"app": "edge-microservice", "tier": "edge"},
            "annotations": {"argocd.argoproj.io/tracking-id": "edge:apps/Deployment:edge/edge-microservice"}},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "edge-microservice"}}, "strategy": {},
            "template": {"metadata": {"creationTimestamp": null, "labels": {"app": "edge-microservice"}}, "spec": {
                "hostNetwork": false,
                "containers": [{"name": "app", "image": "registry.edge.example/edge-microservice:v1.8.1", "args": ["--site", "oslo"],
                    "ports": [{"containerPort": 8080}],
                    "env": [{"name": "LOG_LEVEL", "value": "info"},
                        {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
                    "resources": {"limits": {"cpu": "1000m", "memory": "0.5Gi"}}}]}}},
    })
}

/// The same as the API server of edge-oslo-003 answers it: defaults filled in, owners recorded.
fn live() -> Value {
    let mut live = git();
    live["metadata"]["uid"] = json!("5b0e");
    live["metadata"]["resourceVersion"] = json!("812");
    live["metadata"]["generation"] = json!(1);
    live["metadata"]["creationTimestamp"] = json!("2026-11-20T08:00:00Z");
    live["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = json!("1");
    live["status"] = json!({"replicas": 3});
    let spec = &mut live["spec"];
    spec["strategy"] = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}});
    spec["progressDeadlineSeconds"] = json!(600);
    let pod = &mut spec["template"]["spec"];
    pod.as_object_mut().unwrap().remove("hostNetwork");
    pod["dnsPolicy"] = json!("ClusterFirst");
    let app = &mut pod["containers"][0];
    app["imagePullPolicy"] = json!("IfNotPresent");
    app["ports"] = json!([{"containerPort": 8080, "protocol": "TCP"}]);
    app["env"][1]["valueFrom"]["fieldRef"]["apiVersion"] = json!("v1");
    app["resources"]["limits"] = json!({"cpu": "1", "memory": "512Mi"});
    own(
        &mut live,
        "argocd-controller",
        "Apply",
        "2026-11-20T08:00:00Z",
        json!({
            "f:metadata": {"f:labels": {"f:app": {}, "f:tier": {}}},
            "f:spec": {"f:replicas": {}, "f:selector": {}, "f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"app\"}": {
                ".": {}, "f:name": {}, "f:image": {}, "f:args": {}, "f:resources": {"f:limits": {"f:cpu": {}, "f:memory": {}}},
                "f:env": {"k:{\"name\":\"LOG_LEVEL\"}": {".": {}, "f:name": {}, "f:value": {}},
                    "k:{\"name\":\"POD_IP\"}": {".": {}, "f:name": {}, "f:valueFrom": {"f:fieldRef": {}}}}}}}}},
        }),
    );
    own(
        &mut live,
        "kube-controller-manager",
        "Update",
        "2026-11-20T08:00:01Z",
        json!({
            "f:metadata": {"f:annotations": {"f:deployment.kubernetes.io/revision": {}}}, "f:status": {"f:replicas": {}},
        }),
    );
    live
}

fn own(live: &mut Value, manager: &str, operation: &str, time: &str, fields: Value) {
    if live["metadata"]["managedFields"].is_null() {
        live["metadata"]["managedFields"] = json!([]);
    }
    let all = live["metadata"]["managedFields"].as_array_mut().unwrap();
    all.push(json!({"manager": manager, "operation": operation, "time": time, "apiVersion": "apps/v1", "fieldsType": "FieldsV1", "fieldsV1": fields}));
}

fn edited_with(live: &mut Value, manager: &str, fields: Value) {
    own(live, manager, "Update", "2026-11-20T09:30:00Z", fields);
}

fn pair(git: &Value, live: &Value) -> Verdict {
    judge(&Comparison {
        deployed: Some(git),
        target: Some(git),
        live: Some(live),
        rules: &IgnoreRules::none(),
        custom: None,
    })
}

fn container(live: &mut Value) -> &mut Value {
    &mut live["spec"]["template"]["spec"]["containers"][0]
}

#[test]
fn an_object_as_the_server_returns_it_has_no_drift() {
    let verdict = pair(&git(), &live());
    assert_eq!(paths(&verdict.changes), Vec::<&str>::new());
    assert!(!verdict.is_drift());
    assert_eq!(verdict.fingerprint, None);
    assert!(ignored_paths(&verdict.ignored).contains(&"spec.progressDeadlineSeconds"));
    assert!(ignored_paths(&verdict.ignored).contains(&"status"));
    assert!(
        !ignored_paths(&verdict.ignored)
            .iter()
            .any(|p| p.contains("uid") || p.contains("managedFields"))
    );
}

#[test]
fn an_object_without_managed_fields_has_no_drift_either() {
    let mut live = live();
    live["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("managedFields");
    assert_eq!(paths(&pair(&git(), &live).changes), Vec::<&str>::new());
}

#[test]
fn every_kind_of_edit_is_named_with_path_values_and_manager() {
    let mut live = live();
    live["spec"]["replicas"] = json!(1);
    live["metadata"]["labels"]
        .as_object_mut()
        .unwrap()
        .remove("tier");
    let app = container(&mut live);
    app["image"] = json!("registry.edge.example/edge-microservice:v1.8.0");
    app["env"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "DEBUG", "value": "1"}));
    edited_with(
        &mut live,
        "kubectl-edit",
        json!({"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"app\"}": {
        "f:image": {}, "f:env": {"k:{\"name\":\"DEBUG\"}": {".": {}, "f:name": {}, "f:value": {}}}}}}}}}),
    );
    let verdict = pair(&git(), &live);
    let told: Vec<_> = verdict
        .changes
        .iter()
        .map(|c| {
            (
                c.path.as_str(),
                c.op,
                c.owner.as_ref().map(|o| o.manager.to_string()),
                c.owner_inferred,
            )
        })
        .collect();
    let hand = || Some("kubectl-edit".to_owned());
    assert_eq!(
        told,
        vec![
            ("metadata.labels.tier", ChangeOp::Removed, hand(), true),
            ("spec.replicas", ChangeOp::Changed, hand(), false),
            (
                "spec.template.spec.containers[name=app].env[name=DEBUG]",
                ChangeOp::Added,
                hand(),
                false
            ),
            (
                "spec.template.spec.containers[name=app].image",
                ChangeOp::Changed,
                hand(),
                false
            ),
        ]
    );
    assert_eq!(verdict.changes[1].desired, Some(json!(3)));
    assert_eq!(verdict.changes[1].live, Some(json!(1)));
    assert_eq!(verdict.states, vec![DriftState::Edited]);
    assert_eq!(verdict.summary.as_str(), "image v1.8.1→v1.8.0 +3 more");
}

#[test]
fn a_field_that_git_sets_counts_even_when_an_autoscaler_owns_it() {
    let mut live = live();
    live["spec"]["replicas"] = json!(7);
    edited_with(
        &mut live,
        "kube-controller-manager",
        json!({"f:spec": {"f:replicas": {}}}),
    );
    live["metadata"]["managedFields"][2]["subresource"] = json!("scale");
    let verdict = pair(&git(), &live);
    assert_eq!(paths(&verdict.changes), ["spec.replicas"]);
    assert_eq!(
        verdict.changes[0]
            .owner
            .as_ref()
            .unwrap()
            .subresource
            .as_str(),
        "scale"
    );
}

#[test]
fn a_field_that_git_does_not_set_is_ignored_with_its_manager() {
    let mut live = live();
    live["metadata"]["labels"]["who"] = json!("me");
    container(&mut live)["resources"]["limits"]["ephemeral-storage"] = json!("1Gi");
    edited_with(
        &mut live,
        "kubectl-edit",
        json!({"f:metadata": {"f:labels": {"f:who": {}}}}),
    );
    let verdict = pair(&git(), &live);
    assert!(!verdict.is_drift());
    let label = verdict
        .ignored
        .iter()
        .find(|i| i.path == "metadata.labels.who")
        .unwrap();
    assert_eq!(
        label.reason,
        "not set by Git: set by kubectl-edit (a tool in a person's hands)"
    );
    assert_eq!(
        label.owner.as_ref().unwrap().manager.as_str(),
        "kubectl-edit"
    );
}

#[test]
fn a_container_that_an_injector_adds_does_not_count_and_one_added_by_hand_does() {
    for (manager, counts) in [
        ("sidecar-injector", false),
        ("kubectl-edit", true),
        ("nightly-script", true),
        ("argocd-controller", false),
    ] {
        let mut live = live();
        live["spec"]["template"]["spec"]["containers"]
            .as_array_mut()
            .unwrap()
            .push(json!({"name": "proxy", "image": "proxy:1"}));
        edited_with(
            &mut live,
            manager,
            json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"proxy\"}": {".": {}, "f:name": {}, "f:image": {}}}}}}}),
        );
        let verdict = pair(&git(), &live);
        let want: Vec<&str> = if counts {
            vec!["spec.template.spec.containers[name=proxy]"]
        } else {
            vec![]
        };
        assert_eq!(paths(&verdict.changes), want, "{manager}");
    }
}

#[test]
fn inside_an_atomic_value_an_addition_counts() {
    let git = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "clusterIP": "", "ports": [{"port": 80}]}});
    let mut live = git.clone();
    live["spec"] = json!({"selector": {"app": "web", "track": "canary"}, "clusterIP": "10.96.0.7", "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}]});
    let verdict = pair(&git, &live);
    assert_eq!(paths(&verdict.changes), ["spec.selector.track"]);
}

#[test]
fn rules_of_a_role_are_compared_one_by_one_and_as_a_whole_when_their_number_differs() {
    let git = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "edge"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]});
    let mut live = git.clone();
    live["rules"][0]["verbs"] = json!(["get", "delete"]);
    assert_eq!(paths(&pair(&git, &live).changes), ["rules[0].verbs"]);
    live["rules"] =
        json!([git["rules"][0], {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]);
    assert_eq!(paths(&pair(&git, &live).changes), ["rules"]);
}

#[test]
fn order_counts_in_arguments_and_not_among_named_entries() {
    let mut live = live();
    container(&mut live)["env"]
        .as_array_mut()
        .unwrap()
        .reverse();
    assert!(!pair(&git(), &live).is_drift());
    container(&mut live)["args"]
        .as_array_mut()
        .unwrap()
        .reverse();
    assert_eq!(
        paths(&pair(&git(), &live).changes),
        ["spec.template.spec.containers[name=app].args"]
    );
}

#[test]
fn config_map_keys_are_gits_one_by_one() {
    let git = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"LOG_LEVEL": "info", "app.properties": "a=1\n", "GONE": ""}});
    let mut live = git.clone();
    live["data"] = json!({"LOG_LEVEL": "debug", "app.properties": "a=1\n", "ADDED": "x"});
    let verdict = pair(&git, &live);
    assert_eq!(paths(&verdict.changes), ["data.GONE", "data.LOG_LEVEL"]);
    assert_eq!(ignored_paths(&verdict.ignored), ["data.ADDED"]);
}

#[test]
fn secret_values_are_compared_and_never_shown() {
    let key = SealKey::new([3; 32]);
    let mut git = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "edge-token"}, "stringData": {"password": "hunter2", "user": "edge"}});
    let mut live = json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": {"name": "edge-token"}, "data": {"password": "aHVudGVyMw==", "user": "ZWRnZQ=="}});
    seal(&mut git, &key);
    seal(&mut live, &key);
    let verdict = pair(&git, &live);
    assert_eq!(paths(&verdict.changes), ["data.password"]);
    assert_eq!(verdict.changes[0].desired, Some(json!("••• 1")));
    assert_eq!(verdict.changes[0].live, Some(json!("••• 2")));
    assert_eq!(verdict.summary.as_str(), "data.password changed");
    assert!(!format!("{verdict:?}").contains("sealed"));
}

#[test]
fn edited_and_behind_are_told_apart_and_can_both_hold() {
    let deployed = git();
    let mut target = git();
    target["spec"]["replicas"] = json!(5);
    let mut live = live();
    container(&mut live)["image"] = json!("registry.edge.example/edge-microservice:hotfix");
    let judged = |live: &Value| {
        judge(&Comparison {
            deployed: Some(&deployed),
            target: Some(&target),
            live: Some(live),
            rules: &IgnoreRules::none(),
            custom: None,
        })
    };
    let verdict = judged(&live);
    assert_eq!(verdict.states, vec![DriftState::Edited, DriftState::Behind]);
    assert_eq!(paths(&verdict.behind), ["spec.replicas"]);
    assert_eq!(
        (&verdict.behind[0].desired, &verdict.behind[0].live),
        (&Some(json!(5)), &Some(json!(3)))
    );
    assert_eq!(judged(&self::live()).states, vec![DriftState::Behind]);
}

/// The verdict when Git has moved from the deployed to the target version.
fn moved(deployed: Option<&Value>, target: &Value, live: &Value) -> Verdict {
    judge(&Comparison {
        deployed,
        target: Some(target),
        live: Some(live),
        rules: &IgnoreRules::none(),
        custom: None,
    })
}

#[test]
fn what_was_done_by_hand_and_committed_afterwards_is_neither_edited_nor_behind() {
    let mut target = git();
    target["spec"]["replicas"] = json!(5);
    let mut live = live();
    live["spec"]["replicas"] = json!(5);
    let verdict = moved(Some(&git()), &target, &live);
    assert_eq!(verdict.states, vec![]);
    assert_eq!(paths(&verdict.behind), [""; 0]);
    assert!(ignored_paths(&verdict.ignored).contains(&"spec.replicas"));

    target["metadata"]["labels"]["site"] = json!("oslo");
    let verdict = moved(Some(&git()), &target, &live);
    assert_eq!(verdict.states, vec![DriftState::Behind]);
    assert_eq!(paths(&verdict.behind), ["metadata.labels.site"]);

    live["spec"]["replicas"] = json!(7);
    let verdict = moved(Some(&git()), &target, &live);
    assert_eq!(verdict.states, vec![DriftState::Edited, DriftState::Behind]);
    assert_eq!(paths(&verdict.changes), ["spec.replicas"]);
}

#[test]
fn a_block_that_live_has_in_part_is_still_behind() {
    let deployed =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "edge-config"}});
    let mut target = deployed.clone();
    target["data"] = json!({"a": "1", "b": "2"});
    let mut live = deployed.clone();
    live["data"] = json!({"a": "1"});
    let verdict = moved(Some(&deployed), &target, &live);
    assert_eq!(verdict.states, vec![DriftState::Behind]);
    live["data"]["b"] = json!("2");
    assert_eq!(moved(Some(&deployed), &target, &live).states, vec![]);
}

#[test]
fn an_object_that_was_there_before_git_wanted_it_is_behind_in_what_differs() {
    let mut target = git();
    assert_eq!(moved(None, &target, &live()).states, vec![]);
    target["spec"]["replicas"] = json!(5);
    let verdict = moved(None, &target, &live());
    assert_eq!(verdict.states, vec![DriftState::Behind]);
    assert_eq!(paths(&verdict.behind), ["spec.replicas"]);
}

#[test]
fn a_field_that_only_the_target_sets_is_behind() {
    let deployed = git();
    let mut target = git();
    target["metadata"]["labels"]["site"] = json!("oslo");
    let verdict = judge(&Comparison {
        deployed: Some(&deployed),
        target: Some(&target),
        live: Some(&live()),
        rules: &IgnoreRules::none(),
        custom: None,
    });
    assert_eq!(paths(&verdict.behind), ["metadata.labels.site"]);
    assert_eq!(
        verdict.summary.as_str(),
        "behind: metadata.labels.site added"
    );
}

#[test]
fn missing_extra_new_and_dropped_objects_have_their_states() {
    let (git, live) = (git(), live());
    let of = |deployed: bool, target: bool, is_live: bool| {
        judge(&Comparison {
            deployed: deployed.then_some(&git),
            target: target.then_some(&git),
            live: is_live.then_some(&live),
            rules: &IgnoreRules::none(),
            custom: None,
        })
        .states
    };
    assert_eq!(of(true, true, false), vec![DriftState::Missing]);
    assert_eq!(of(false, false, true), vec![DriftState::Extra]);
    assert_eq!(of(false, true, false), vec![DriftState::Behind]);
    assert_eq!(of(false, true, true), vec![], "there already");
    assert_eq!(of(true, false, true), vec![DriftState::Behind]);
    assert_eq!(of(true, false, false), vec![]);
    assert_eq!(of(false, false, false), vec![DriftState::Unknown]);
}

#[test]
fn ignore_rules_move_a_change_to_the_ignored_with_the_rule_named() {
    let rules = IgnoreRules::from_spec(&json!([
        {"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas", "/metadata/labels/tier"]},
        {"group": "*", "kind": "*", "managedFieldsManagers": ["image-updater"]},
    ]));
    let mut live = live();
    live["spec"]["replicas"] = json!(1);
    container(&mut live)["image"] = json!("registry.edge.example/edge-microservice:v9");
    container(&mut live)["args"] = json!(["--site", "bergen"]);
    edited_with(
        &mut live,
        "image-updater",
        json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"app\"}": {"f:image": {}}}}}}}),
    );
    let verdict = judge(&Comparison {
        deployed: Some(&git()),
        target: Some(&git()),
        live: Some(&live),
        rules: &rules,
        custom: None,
    });
    assert_eq!(
        paths(&verdict.changes),
        ["spec.template.spec.containers[name=app].args"]
    );
    let reason = |path: &str| {
        verdict
            .ignored
            .iter()
            .find(|i| i.path == path)
            .map(|i| i.reason.clone())
    };
    assert_eq!(
        reason("spec.replicas").as_deref(),
        Some("ignoreDifferences names /spec/replicas")
    );
    assert_eq!(
        reason("spec.template.spec.containers[name=app].image").as_deref(),
        Some("ignoreDifferences trusts the manager image-updater")
    );
}

#[test]
fn a_rule_that_cannot_be_read_or_takes_too_long_is_named_and_hides_nothing() {
    for (expression, word) in [
        ("until(false; .)", "takes too long"),
        ("input", "is not applied"),
    ] {
        let rules = IgnoreRules::from_spec(
            &json!([{"group": "apps", "kind": "Deployment", "jqPathExpressions": [expression]}]),
        );
        let mut live = live();
        live["spec"]["replicas"] = json!(1);
        let verdict = judge(&Comparison {
            deployed: Some(&git()),
            target: Some(&git()),
            live: Some(&live),
            rules: &rules,
            custom: None,
        });
        assert_eq!(paths(&verdict.changes), ["spec.replicas"]);
        let message = verdict.message.unwrap();
        let message = message.as_str();
        assert!(
            message.contains(word) && message.contains(expression),
            "{message}"
        );
    }
}

#[test]
fn another_api_version_with_differences_is_unknown_rather_than_drift() {
    let git = json!({"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}, "spec": {"maxReplicas": 5, "targetCPUUtilizationPercentage": 80}});
    let live = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}, "spec": {"maxReplicas": 5, "metrics": []}});
    let verdict = pair(&git, &live);
    assert_eq!(verdict.states, vec![DriftState::Unknown]);
    assert!(verdict.message.unwrap().as_str().contains("autoscaling/v2"));
    assert!(verdict.changes.is_empty());
}

#[test]
fn custom_resources_are_keyed_as_the_server_owns_them() {
    let git = json!({"apiVersion": "example.com/v1", "kind": "Gateway", "metadata": {"name": "g"}, "spec": {"listeners": [{"name": "a", "port": 1}, {"name": "b", "port": 2}], "zones": ["x", "y"]}});
    let mut live = git.clone();
    live["spec"]["listeners"] =
        json!([{"name": "b", "port": 2}, {"name": "a", "port": 9, "tls": {}}]);
    live["spec"]["zones"] = json!(["y", "x"]);
    own(
        &mut live,
        "argocd-controller",
        "Apply",
        "2026-11-20T08:00:00Z",
        json!({"f:spec": {"f:listeners": {"k:{\"name\":\"a\"}": {".": {}}, "k:{\"name\":\"b\"}": {".": {}}}, "f:zones": {"v:\"x\"": {}, "v:\"y\"": {}}}}),
    );
    assert_eq!(
        paths(&pair(&git, &live).changes),
        ["spec.listeners[name=a].port"]
    );
}

#[test]
fn equal_edits_on_two_clusters_share_a_fingerprint() {
    let print = |pod_ip: &str| -> Option<Fingerprint> {
        let mut live = live();
        live["spec"]["replicas"] = json!(1);
        live["status"]["podIP"] = json!(pod_ip);
        pair(&git(), &live).fingerprint
    };
    assert!(print("10.0.0.1").is_some());
    assert_eq!(print("10.0.0.1"), print("10.0.0.2"));
}

#[test]
fn what_admission_and_conversion_add_inside_atomic_values_is_not_drift() {
    let git = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {
        "template": {"spec": {"containers": [{"name": "a", "env": [{"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}]}],
            "tolerations": [{"key": "edge", "operator": "Exists"}]}},
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "1024Mi"}}}}]}});
    let mut live = git.clone();
    live["spec"]["volumeClaimTemplates"] = json!([{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "creationTimestamp": null},
        "spec": {"resources": {"requests": {"storage": "1Gi"}}, "volumeMode": "Filesystem"}, "status": {"phase": "Pending"}}]);
    let pod = &mut live["spec"]["template"]["spec"];
    pod["containers"][0]["env"][0]["valueFrom"]["resourceFieldRef"]["divisor"] = json!("0");
    pod["tolerations"] = json!([{"key": "edge", "operator": "Exists"},
        {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
        {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}]);
    assert_eq!(paths(&pair(&git, &live).changes), Vec::<&str>::new());
    live["spec"]["volumeClaimTemplates"][0]["spec"]["volumeMode"] = json!("Block");
    live["spec"]["template"]["spec"]["tolerations"][2]["tolerationSeconds"] = json!(9);
    assert_eq!(
        paths(&pair(&git, &live).changes),
        [
            "spec.template.spec.tolerations",
            "spec.volumeClaimTemplates[0].spec.volumeMode"
        ]
    );
}

#[test]
fn defaults_that_depend_on_other_fields_are_known() {
    let git = json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l"}, "spec": {"limits": [{"type": "Container", "default": {"cpu": "500m"}, "max": {"memory": "1024Mi"}}]}});
    let mut live = git.clone();
    live["spec"]["limits"][0]["max"]["memory"] = json!("1Gi");
    live["spec"]["limits"][0]["default"]["memory"] = json!("1Gi");
    live["spec"]["limits"][0]["defaultRequest"] = json!({"cpu": "500m", "memory": "1Gi"});
    assert_eq!(paths(&pair(&git, &live).changes), Vec::<&str>::new());
    live["spec"]["limits"][0]["default"]["memory"] = json!("2Gi");
    assert_eq!(
        paths(&pair(&git, &live).changes),
        ["spec.limits[0].default.memory"]
    );
}

#[test]
fn shadow_drift_is_a_layer_of_its_own_and_counts_nothing() {
    let git = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "labels": {"team": "edge"}}, "data": {"a": "1"}});
    let mut live = git.clone();
    live["metadata"]["labels"]["hotfix"] = json!("yes");
    live["data"]["debug"] = json!("true");
    live["data"]["cache"] = json!("warm");
    live["metadata"]["managedFields"] = json!([
        {"manager": "kubectl-edit", "operation": "Update", "time": "2026-11-20T09:30:00Z", "fieldsV1": {"f:metadata": {"f:labels": {"f:hotfix": {}}}, "f:data": {"f:debug": {}}}},
        {"manager": "cache-operator", "operation": "Update", "time": "2026-11-20T09:31:00Z", "fieldsV1": {"f:data": {"f:cache": {}}}},
    ]);
    let judged = |rules: &IgnoreRules| {
        judge(&Comparison {
            deployed: Some(&git),
            target: Some(&git),
            live: Some(&live),
            rules,
            custom: None,
        })
    };
    let verdict = judged(&IgnoreRules::none());
    assert!(!verdict.is_drift());
    assert_eq!(
        paths(&verdict.shadow),
        ["data.debug", "metadata.labels.hotfix"]
    );
    assert_eq!(verdict.shadow[0].live, Some(json!("true")));
    assert!(ignored_paths(&verdict.ignored).contains(&"data.debug"));
    let rules = IgnoreRules::from_spec(
        &json!([{"group": "*", "kind": "ConfigMap", "jsonPointers": ["/data/debug"]}]),
    );
    assert_eq!(paths(&judged(&rules).shadow), ["metadata.labels.hotfix"]);
}
