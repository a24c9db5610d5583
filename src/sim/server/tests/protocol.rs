//! Requests and answers: versions of HTTP, users, refusals, patches, tables, proxies.

use super::*;

#[tokio::test]
async fn http_2_is_spoken_and_http_1_too() {
    let bed = bed().await;
    let reply = bed.request("GET", "/version").send().await.unwrap();
    assert_eq!(reply.version(), http::Version::HTTP_2);
    let old = trusting(&bed.tls).http1_only().build().unwrap();
    let reply = old
        .get(format!("{}/version", bed.server.url()))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (reply.version(), reply.status().as_u16()),
        (http::Version::HTTP_11, 200)
    );
}

#[tokio::test]
async fn no_token_is_forbidden_and_a_wrong_one_unauthorized() {
    let bed = bed().await;
    let url = format!("{}/api/v1/pods", bed.server.url());
    let (code, body) = answer(bed.client.get(&url)).await;
    assert_eq!(code, 403);
    assert_eq!(
        body["message"],
        "pods is forbidden: User \"system:anonymous\" cannot list resource \"pods\" in API group \"\" at the cluster scope"
    );
    let (code, body) = answer(bed.client.get(&url).bearer_auth("wrong")).await;
    assert_eq!((code, &body["message"]), (401, &json!("Unauthorized")));
}

#[tokio::test]
async fn a_viewer_reads_and_does_not_write_and_the_refusal_names_everything() {
    let bed = bed().await;
    bed.create(deployment("web"));
    let path = format!("{DEPLOYMENTS}/web");
    let url = format!("{}{path}", bed.server.url());
    let viewer = |r: reqwest::RequestBuilder| r.bearer_auth("viewer-token");
    assert_eq!(answer(viewer(bed.client.get(&url))).await.0, 200);
    let amend = bed
        .client
        .patch(&url)
        .header("content-type", "application/merge-patch+json");
    let (code, body) = answer(viewer(amend.body("{}"))).await;
    assert_eq!(code, 403);
    assert_eq!(
        body["message"],
        "deployments.apps \"web\" is forbidden: User \"viewer\" cannot patch resource \"deployments\" in API group \"apps\" in the namespace \"default\""
    );
    assert_eq!(
        body["details"],
        json!({"name": "web", "group": "apps", "kind": "deployments"})
    );
}

#[tokio::test]
async fn a_namespaced_viewer_lists_its_namespace_and_not_the_cluster() {
    let bed = bed().await;
    let list = |path: &str| {
        let url = format!("{}{path}", bed.server.url());
        answer(bed.client.get(url).bearer_auth("edge-token"))
    };
    assert_eq!(list(CONFIG_MAPS).await.0, 200);
    assert_eq!(list("/api/v1/configmaps").await.0, 403);
    assert_eq!(
        list("/api/v1/namespaces/kube-system/configmaps").await.0,
        403
    );
}

#[tokio::test]
async fn what_is_not_there_is_not_found_in_the_form_of_its_place() {
    let bed = bed().await;
    let (code, body) = bed.get(&format!("{CONFIG_MAPS}/none")).await;
    assert_eq!(
        (code, &body["message"]),
        (404, &json!("configmaps \"none\" not found"))
    );
    let (code, body) = bed.get("/apis/apps/v1/namespaces/default/rollouts").await;
    assert_eq!(
        (code, &body["message"]),
        (
            404,
            &json!("the server could not find the requested resource")
        )
    );
    let reply = bed
        .request("GET", "/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (reply.status().as_u16(), &*reply.text().await.unwrap()),
        (404, "404 page not found\n")
    );
}

#[tokio::test]
async fn an_application_has_no_status_door() {
    let bed = bed().await;
    bed.create(application("web"));
    let path = format!("{APPLICATIONS}/web");
    let status = json!({"status": {"sync": {"status": "OutOfSync"}}});
    let merge = "application/merge-patch+json";
    let (code, body) = bed.patch(&format!("{path}/status"), merge, &status).await;
    assert_eq!(
        (code, &body["message"]),
        (404, &json!("applications.argoproj.io \"web\" not found"))
    );
    let (code, body) = bed.patch(&path, merge, &status).await;
    assert_eq!(
        (code, &body["status"]["sync"]["status"]),
        (200, &json!("OutOfSync"))
    );
}

#[tokio::test]
async fn a_custom_kind_takes_no_strategic_patch() {
    let bed = bed().await;
    bed.create(application("web"));
    let strategic = "application/strategic-merge-patch+json";
    let (code, body) = bed
        .patch(&format!("{APPLICATIONS}/web"), strategic, &json!({}))
        .await;
    assert_eq!(
        (code, &body["reason"]),
        (415, &json!("UnsupportedMediaType"))
    );
}

#[tokio::test]
async fn a_merge_patch_removes_by_null_and_names_its_manager_by_the_user_agent() {
    let bed = bed().await;
    let (_, live) = bed.post(CONFIG_MAPS, &settings("settings", "info")).await;
    assert_eq!(live["metadata"]["namespace"], "default");
    let request = bed
        .request("PATCH", &format!("{CONFIG_MAPS}/settings"))
        .header("content-type", "application/merge-patch+json")
        .header("user-agent", "kubectl/v1.36.0 (linux/amd64)")
        .body(json!({"data": {"level": null, "extra": "x"}}).to_string());
    let (code, live) = answer(request).await;
    assert_eq!((code, &live["data"]), (200, &json!({"extra": "x"})));
    let managers = live["metadata"]["managedFields"].as_array().unwrap();
    assert!(
        managers
            .iter()
            .any(|m| m["manager"] == "kubectl" && m["operation"] == "Update")
    );
}

#[tokio::test]
async fn an_apply_needs_a_manager_and_only_an_apply_may_be_forced() {
    let bed = bed().await;
    let path = format!("{CONFIG_MAPS}/settings");
    let config = settings("settings", "info");
    let (code, body) = bed
        .patch(&path, "application/apply-patch+yaml", &config)
        .await;
    assert_eq!(code, 422);
    assert_eq!(
        body["message"],
        "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch"
    );
    let named = format!("{path}?fieldManager=argocd-controller&force=true");
    assert_eq!(
        bed.patch(&named, "application/apply-patch+yaml", &config)
            .await
            .0,
        201
    );
    let (code, body) = bed
        .patch(
            &format!("{path}?force=true"),
            "application/merge-patch+json",
            &json!({}),
        )
        .await;
    assert_eq!(
        (code, &body["details"]["causes"][0]["field"]),
        (422, &json!("force"))
    );
}

#[tokio::test]
async fn a_dry_run_apply_answers_like_the_real_one_and_leaves_everything_as_it_was() {
    let bed = bed().await;
    bed.create(deployment("web"));
    let path = format!("{DEPLOYMENTS}/web?fieldManager=argocd-controller&force=true&dryRun=All");
    let mut config = deployment("web");
    config["spec"]["replicas"] = json!(5);
    let (code, shown) = bed
        .patch(&path, "application/apply-patch+yaml", &config)
        .await;
    assert_eq!((code, &shown["spec"]["replicas"]), (200, &json!(5)));
    let (_, live) = bed.get(&format!("{DEPLOYMENTS}/web")).await;
    assert_eq!(live["spec"]["replicas"], 2);
}

#[tokio::test]
async fn unknown_fields_warn_by_default_and_fail_when_asked_to() {
    let bed = bed().await;
    let mut document = deployment("web");
    document["spec"]["replica"] = json!(3);
    let reply = bed
        .request("POST", &format!("{DEPLOYMENTS}?dryRun=All"))
        .json(&document)
        .send()
        .await
        .unwrap();
    assert_eq!(
        reply.headers()["warning"],
        "299 - \"unknown field \\\"spec.replica\\\"\""
    );
    let (code, body) = bed
        .post(&format!("{DEPLOYMENTS}?fieldValidation=Strict"), &document)
        .await;
    assert_eq!((code, &body["reason"]), (400, &json!("BadRequest")));
}

#[tokio::test]
async fn lists_of_built_in_kinds_name_the_kind_once_and_those_of_custom_kinds_at_each_item() {
    let bed = bed().await;
    bed.create(settings("settings", "info"));
    bed.create(application("web"));
    let (_, list) = bed.get(CONFIG_MAPS).await;
    assert_eq!(
        (&list["kind"], &list["items"][0]["kind"]),
        (&json!("ConfigMapList"), &Value::Null)
    );
    let (_, list) = bed.get(APPLICATIONS).await;
    assert_eq!(list["items"][0]["kind"], "Application");
}

#[tokio::test]
async fn pages_follow_each_other_and_say_how_many_are_left() {
    let bed = bed().await;
    for name in ["a", "b", "c"] {
        bed.create(settings(name, "info"));
    }
    let (_, first) = bed.get(&format!("{CONFIG_MAPS}?limit=2")).await;
    assert_eq!(first["metadata"]["remainingItemCount"], 1);
    let token = first["metadata"]["continue"].as_str().unwrap();
    let (_, last) = bed
        .get(&format!("{CONFIG_MAPS}?limit=2&continue={token}"))
        .await;
    assert_eq!(last["items"][0]["metadata"]["name"], "c");
    assert_eq!(last["metadata"].get("continue"), None);
}

#[tokio::test]
async fn applications_are_printed_with_their_states() {
    let bed = bed().await;
    bed.create(application("web"));
    let request = bed.request("GET", APPLICATIONS).header(
        "accept",
        "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
    );
    let (_, table) = answer(request).await;
    let columns: Vec<&str> = table["columnDefinitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        columns,
        [
            "Name",
            "Sync Status",
            "Health Status",
            "Revision",
            "Project"
        ]
    );
    assert_eq!(
        table["rows"][0]["cells"],
        json!(["web", "Synced", "Healthy", null, "default"])
    );
    assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
}

#[tokio::test]
async fn a_scale_is_read_and_written_below_its_deployment() {
    let bed = bed().await;
    bed.create(deployment("web"));
    let path = format!("{DEPLOYMENTS}/web/scale");
    let (_, scale) = bed.get(&path).await;
    assert_eq!(
        (
            &scale["kind"],
            &scale["spec"]["replicas"],
            &scale["status"]["selector"]
        ),
        (&json!("Scale"), &json!(2), &json!("app=web"))
    );
    let merge = "application/merge-patch+json";
    let (code, scale) = bed
        .patch(&path, merge, &json!({"spec": {"replicas": 6}}))
        .await;
    assert_eq!((code, &scale["spec"]["replicas"]), (200, &json!(6)));
    assert_eq!(
        bed.get(&format!("{DEPLOYMENTS}/web")).await.1["spec"]["replicas"],
        6
    );
}

#[tokio::test]
async fn the_service_proxy_passes_path_and_query_and_knows_the_ports() {
    let bed = bed().await;
    let service = |name: &str| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default"}, "spec": {"ports": [{"name": "metrics", "port": 9090}]}});
    bed.create(service("web"));
    bed.create(service("idle"));
    let proxied =
        |name: &str| format!("/api/v1/namespaces/default/services/{name}/proxy/metrics?a=b");
    let reply = bed
        .request("GET", &proxied("http:web:metrics"))
        .send()
        .await
        .unwrap();
    assert_eq!(reply.headers()["content-type"], "text/plain; version=0.0.4");
    assert_eq!(reply.text().await.unwrap(), "up{path=\"/metrics?a=b\"} 1\n");
    let (code, body) = bed.get(&proxied("web:other")).await;
    assert_eq!(
        (code, &body["message"]),
        (
            503,
            &json!("no service port \"other\" found for service \"web\"")
        )
    );
    let (code, body) = bed.get(&proxied("idle:9090")).await;
    assert_eq!(
        (code, &body["message"]),
        (
            503,
            &json!("no endpoints available for service \"idle:9090\"")
        )
    );
    assert_eq!(bed.get(&proxied("none:80")).await.0, 404);
}

#[tokio::test]
async fn only_who_may_reads_the_servers_own_metrics() {
    let bed = bed().await;
    bed.create(settings("settings", "info"));
    let reply = bed.request("GET", "/metrics").send().await.unwrap();
    let text = reply.text().await.unwrap();
    assert!(
        text.contains("apiserver_storage_objects{resource=\"configmaps\"} 1\n"),
        "{text}"
    );
    let url = format!("{}/metrics", bed.server.url());
    let (code, body) = answer(bed.client.get(url).bearer_auth("viewer-token")).await;
    assert_eq!(code, 403);
    assert_eq!(
        body["message"],
        "forbidden: User \"viewer\" cannot get path \"/metrics\""
    );
}

#[tokio::test]
async fn a_followed_log_goes_on_until_the_client_leaves() {
    let bed = bed().await;
    bed.create(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-1", "namespace": "default"}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}));
    let path = "/api/v1/namespaces/default/pods/web-1/log?follow=true";
    let mut stream = bed
        .request("GET", path)
        .send()
        .await
        .unwrap()
        .bytes_stream();
    let first = stream.next().await.unwrap().unwrap();
    assert_eq!(first, "web line 0\nweb line 1\nweb line 2\n");
    let more = tokio::time::timeout(Duration::from_millis(100), stream.next()).await;
    assert!(more.is_err(), "it neither ends nor repeats itself");
}

#[tokio::test]
async fn logs_can_be_cut_and_stamped() {
    let bed = bed().await;
    bed.create(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-1", "namespace": "default"}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}));
    let log = |query: &str| {
        let request = bed.request(
            "GET",
            &format!("/api/v1/namespaces/default/pods/web-1/log?{query}"),
        );
        async { request.send().await.unwrap().text().await.unwrap() }
    };
    assert_eq!(log("").await, "web line 0\nweb line 1\nweb line 2\n");
    assert_eq!(
        log("tailLines=1&timestamps=true").await,
        "2026-11-21T05:00:02Z web line 2\n"
    );
    assert!(
        log("container=none")
            .await
            .contains("container none is not valid for pod web-1")
    );
    assert!(log("previous=true").await.contains("is waiting to start"));
}

#[tokio::test]
async fn a_user_can_ask_what_it_may() {
    let bed = bed().await;
    let review = |verb: &str| json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": {"verb": verb, "group": "apps", "resource": "deployments", "namespace": "default"}}});
    let url = format!(
        "{}/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        bed.server.url()
    );
    for (verb, allowed) in [("watch", true), ("patch", false)] {
        let request = bed
            .client
            .post(&url)
            .bearer_auth("viewer-token")
            .json(&review(verb));
        let (code, body) = answer(request).await;
        assert_eq!(
            (code, &body["status"]["allowed"]),
            (201, &json!(allowed)),
            "{verb}"
        );
    }
}

#[tokio::test]
async fn the_kube_client_discovers_lists_and_applies() {
    use kube::api::{Api, DynamicObject, Patch, PatchParams};
    let bed = bed().await;
    let mut config = kube::Config::new(bed.server.url().parse().unwrap());
    let pem = bed.tls.ca_pem().as_bytes();
    let der = x509_parser::pem::parse_x509_pem(pem).unwrap().1.contents;
    config.root_cert = Some(vec![der]);
    config.auth_info.token = Some("admin-token".to_owned().into());
    let client = kube::Client::try_from(config).unwrap();
    let found = kube::discovery::Discovery::new(client.clone())
        .run_aggregated()
        .await
        .unwrap();
    let gvk = kube::api::GroupVersionKind::gvk("argoproj.io", "v1alpha1", "Application");
    let (resource, capabilities) = found.resolve_gvk(&gvk).unwrap();
    assert!(capabilities.supports_operation("watch"));
    let api: Api<DynamicObject> = Api::namespaced_with(client, "default", &resource);
    let params = PatchParams::apply("argocd-controller").force();
    let live = api
        .patch("web", &params, &Patch::Apply(application("web")))
        .await
        .unwrap();
    assert_eq!(live.data["spec"]["project"], "default");
    assert_eq!(
        api.list(&kube::api::ListParams::default())
            .await
            .unwrap()
            .items
            .len(),
        1
    );
    let missing = api.get("none").await.unwrap_err();
    assert!(matches!(missing, kube::Error::Api(status) if status.code == 404));
}
