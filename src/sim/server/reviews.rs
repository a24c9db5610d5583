//! Reviews: what may I do, and who am I. Asked for by creating an object that is never stored.

use serde_json::{Value, json};

use super::auth::{Ask, Rule};
use super::call::Call;
use super::reply::{self, Reply};
use crate::sim::store::value::text;
use crate::sim::store::{ApiStatus, FieldValidation, KindRef, Source, read_document, stamp};

/// Answers a review.
pub(crate) fn answer(call: &Call, kind: KindRef) -> Result<Reply, ApiStatus> {
    let sent = call.document()?;
    let strict = FieldValidation::Ignore;
    let mut document = read_document(kind, sent, strict, Source::Body)?.document;
    let status = match kind.plural {
        "selfsubjectaccessreviews" => json!({"allowed": allowed(call, &document["spec"])?}),
        "selfsubjectrulesreviews" => {
            let rules = rules(call, text(&document["spec"], "namespace"))?;
            document["spec"] = json!({});
            rules
        }
        _ => {
            document["metadata"]["creationTimestamp"] = stamp(call.now());
            let (user, groups) = (&call.identity.user, call.identity.all_groups());
            json!({"userInfo": {"username": user, "groups": groups}})
        }
    };
    document["status"] = status;
    Ok(reply::json(201, &document))
}

fn allowed(call: &Call, spec: &Value) -> Result<bool, ApiStatus> {
    if let Some(attributes) = spec.get("resourceAttributes").filter(|a| !a.is_null()) {
        let resource = match text(attributes, "subresource") {
            "" => text(attributes, "resource").to_owned(),
            sub => format!("{}/{sub}", text(attributes, "resource")),
        };
        return Ok(call.identity.may(&Ask {
            verb: text(attributes, "verb"),
            group: text(attributes, "group"),
            resource: &resource,
            namespace: text(attributes, "namespace"),
            name: text(attributes, "name"),
        }));
    }
    match spec.get("nonResourceAttributes").filter(|a| !a.is_null()) {
        Some(path) => Ok(call
            .identity
            .may_path(text(path, "verb"), text(path, "path"))),
        None => Err(ApiStatus::new(
            422,
            "Invalid",
            ".authorization.k8s.io \"\" is invalid: spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified",
        )),
    }
}

/// The rules that hold in a namespace.
fn rules(call: &Call, namespace: &str) -> Result<Value, ApiStatus> {
    if namespace.is_empty() {
        return Err(ApiStatus::bad_request("no namespace on request"));
    }
    let all = call.identity.all_rules();
    let here = |rule: &&Rule| {
        let places = rule.namespaces.as_ref();
        places.is_none_or(|list| list.iter().any(|ns| ns == namespace))
    };
    let resources = all.iter().filter(here).filter(|r| !r.resources.is_empty());
    let paths = all.iter().filter(|r| !r.paths.is_empty());
    Ok(json!({
        "resourceRules": resources.map(resource_rule).collect::<Vec<_>>(),
        "nonResourceRules": paths.map(path_rule).collect::<Vec<_>>(),
        "incomplete": false,
    }))
}

fn resource_rule(rule: &Rule) -> Value {
    let mut written =
        json!({"verbs": rule.verbs, "apiGroups": rule.groups, "resources": rule.resources});
    if !rule.names.is_empty() {
        written["resourceNames"] = rule.names.as_slice().into();
    }
    written
}

fn path_rule(rule: &Rule) -> Value {
    json!({"verbs": rule.verbs, "nonResourceURLs": rule.paths})
}

#[cfg(test)]
mod tests {
    use super::super::auth::Identity;
    use super::*;

    #[test]
    fn a_namespaced_viewer_may_not_list_the_whole_cluster() {
        let viewer = Identity::namespaced_viewer("eve", &["edge"]);
        let ask = |verb, namespace| {
            viewer.may(&Ask {
                verb,
                group: "apps",
                resource: "deployments",
                namespace,
                name: "",
            })
        };
        assert!(ask("list", "edge"));
        assert!(!ask("list", ""));
        assert!(!ask("list", "kube-system"));
        assert!(!ask("patch", "edge"));
    }

    #[test]
    fn a_viewer_reads_neither_secrets_nor_roles() {
        let viewer = Identity::viewer("eve");
        let ask = |group, resource| {
            viewer.may(&Ask {
                verb: "get",
                group,
                resource,
                namespace: "edge",
                name: "a",
            })
        };
        assert!(ask("", "configmaps") && ask("argoproj.io", "applications") && ask("", "pods/log"));
        assert!(!ask("", "secrets") && !ask("rbac.authorization.k8s.io", "roles"));
    }

    #[test]
    fn everybody_with_a_token_may_ask_what_they_may() {
        let nobody = Identity::with_rules("nobody", Vec::new());
        assert!(nobody.may(&Ask {
            verb: "create",
            group: "authorization.k8s.io",
            resource: "selfsubjectaccessreviews",
            namespace: "",
            name: "",
        }));
        assert!(nobody.may_path("get", "/apis/apps/v1"));
        assert!(!nobody.may_path("get", "/metrics"));
        assert!(!Identity::anonymous().may_path("get", "/api"));
        assert!(Identity::anonymous().may_path("get", "/version"));
    }

    #[test]
    fn a_rule_for_one_name_holds_for_no_other() {
        let rule = Rule {
            verbs: vec!["patch".into()],
            groups: vec!["apps".into()],
            resources: vec!["deployments".into(), "deployments/scale".into()],
            names: vec!["web".into()],
            ..Rule::default()
        };
        let user = Identity::with_rules("eve", vec![rule]);
        let ask = |resource, name| {
            user.may(&Ask {
                verb: "patch",
                group: "apps",
                resource,
                namespace: "edge",
                name,
            })
        };
        assert!(ask("deployments", "web") && ask("deployments/scale", "web"));
        assert!(!ask("deployments", "api") && !ask("deployments/status", "web"));
    }
}
