//! What a row's identity may do, asked of the server itself: one access review a question, which changes nothing and needs no right.

use bytes::Bytes;
use http::Request;
use serde::Deserialize;
use serde_json::json;

use crate::connect::{Connection, Fault, FaultKind, Lane};
use crate::domain::{Permission, Safe};

/// One "may I".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// API group, empty for core.
    pub group: &'static str,
    /// Plural resource, with its subresource after a slash.
    pub resource: &'static str,
    /// Verb.
    pub verb: &'static str,
    /// What does not work without it, as the end of a sentence.
    pub purpose: &'static str,
    /// On which rows it is asked.
    pub matters: Matters,
    /// Whether every actor asks it, and not only the doctor: the console shows the answer.
    pub is_shown: bool,
}

/// On which rows a right is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matters {
    /// On all of them.
    Everywhere,
    /// Where the row is a whole cluster: the objects belong to no namespace.
    ClusterWide,
    /// Where the server has this API group.
    With(&'static str),
    /// Where Argo CD keeps its Applications.
    OnHubs,
}

/// What a row is, as far as it decides which rights are used there.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The namespace that the row is confined to, empty for the whole cluster.
    pub namespace: &'a str,
    /// Whether Argo CD's Applications are served.
    pub is_hub: bool,
    /// The API groups that are served.
    pub groups: &'a [&'a str],
}

const MONITORS: Matters = Matters::With("monitoring.coreos.com");
const KUSTOMIZE: Matters = Matters::With("kustomize.toolkit.fluxcd.io");
const HELM: Matters = Matters::With("helm.toolkit.fluxcd.io");
const SOURCES: Matters = Matters::With("source.toolkit.fluxcd.io");
const EVERYWHERE: Matters = Matters::Everywhere;
const ARGO: &str = "argoproj.io";

/// Every right that the program uses, the most important first. Deployments and ConfigMaps stand for the kinds that applications manage.
#[rustfmt::skip]
pub const USED: [Question; 28] = [
    shown("watch", "apps", "deployments", EVERYWHERE, "drift cannot be watched cluster-wide"),
    shown("watch", "", "configmaps", EVERYWHERE, "drift of ConfigMaps cannot be watched cluster-wide, nor the settings of Argo CD"),
    shown("watch", "", "secrets", EVERYWHERE, "drift of Secrets reads as unknown"),
    shown("patch", "apps", "deployments", EVERYWHERE, "reverts by the direct route and their dry runs are not permitted"),
    asked("create", "apps", "deployments", EVERYWHERE, "objects that are missing cannot be put back by the direct route"),
    asked("delete", "apps", "deployments", EVERYWHERE, "objects that Git does not have cannot be deleted by the direct route"),
    asked("list", "", "pods", EVERYWHERE, "the Pods below a workload, their health and their logs cannot be shown"),
    asked("get", "", "pods/log", EVERYWHERE, "logs cannot be shown"),
    asked("list", "", "events", EVERYWHERE, "the events about an object cannot be shown"),
    asked("get", "", "namespaces", Matters::ClusterWide, "two contexts of the same cluster show as two rows"),
    asked("list", "", "nodes", Matters::ClusterWide, "the nodes of the cluster cannot be shown"),
    asked("list", "monitoring.coreos.com", "servicemonitors", MONITORS, "no endpoint of metrics is found by ServiceMonitors"),
    asked("list", "monitoring.coreos.com", "podmonitors", MONITORS, "no endpoint of metrics is found by PodMonitors"),
    asked("list", "", "services", MONITORS, "ServiceMonitors do not lead to endpoints"),
    shown("get", "", "services/proxy", MONITORS, "metrics cannot be scraped through the API server"),
    asked("get", "", "pods/proxy", MONITORS, "metrics that PodMonitors name cannot be scraped through the API server"),
    shown("watch", ARGO, "applications", Matters::OnHubs, "Applications cannot be watched cluster-wide"),
    shown("patch", ARGO, "applications", Matters::OnHubs, "reverts through Argo CD are not permitted"),
    shown("list", "", "secrets", Matters::OnHubs, "destinations are joined without the hub's cluster Secrets"),
    asked("watch", ARGO, "applicationsets", Matters::OnHubs, "ApplicationSets and their progressive syncs are not shown"),
    asked("watch", ARGO, "appprojects", Matters::OnHubs, "sync windows are not known"),
    shown("watch", "kustomize.toolkit.fluxcd.io", "kustomizations", KUSTOMIZE, "Kustomizations are not shown, nor is what they apply"),
    shown("patch", "kustomize.toolkit.fluxcd.io", "kustomizations", KUSTOMIZE, "reverts through Flux are not permitted for what Kustomizations apply"),
    shown("watch", "helm.toolkit.fluxcd.io", "helmreleases", HELM, "HelmReleases are not shown, nor is what they install"),
    shown("patch", "helm.toolkit.fluxcd.io", "helmreleases", HELM, "reverts through Flux are not permitted for what HelmReleases install"),
    asked("watch", "source.toolkit.fluxcd.io", "gitrepositories", SOURCES, "what Flux deploys is not traced to Git, and keeps Flux's verdict"),
    asked("watch", "", "events", SOURCES, "drift that Flux found or corrected by itself is not told"),
    asked("get", "", "secrets", SOURCES, "what takes values from Secrets keeps Flux's verdict"),
];

const fn asked(
    verb: &'static str,
    group: &'static str,
    resource: &'static str,
    matters: Matters,
    purpose: &'static str,
) -> Question {
    Question {
        group,
        resource,
        verb,
        purpose,
        matters,
        is_shown: false,
    }
}

const fn shown(
    verb: &'static str,
    group: &'static str,
    resource: &'static str,
    matters: Matters,
    purpose: &'static str,
) -> Question {
    Question {
        is_shown: true,
        ..asked(verb, group, resource, matters, purpose)
    }
}

impl Scene<'_> {
    /// Every right that is used on such a row.
    pub fn questions(&self) -> Vec<Question> {
        let used = USED.into_iter();
        used.filter(|q| self.uses(q)).collect()
    }

    fn uses(&self, question: &Question) -> bool {
        match question.matters {
            Matters::Everywhere => true,
            Matters::ClusterWide => self.namespace.is_empty(),
            Matters::With(group) => self.groups.contains(&group),
            Matters::OnHubs => self.is_hub,
        }
    }
}

impl Question {
    /// `patch applications.argoproj.io`, with the namespace when there is one.
    pub fn text(&self, namespace: &str) -> Safe {
        let resource = if self.group.is_empty() {
            self.resource.to_owned()
        } else {
            format!("{}.{}", self.resource, self.group)
        };
        let place = if namespace.is_empty() {
            String::new()
        } else {
            format!(" in {namespace}")
        };
        Safe::from(format!("{} {resource}{place}", self.verb))
    }
}

/// Asks all questions at once; `namespace` is the row's scope, empty for the whole cluster.
///
/// # Errors
/// The server does not answer, or not even this may be asked.
pub async fn permissions(
    connection: &Connection,
    namespace: &str,
    questions: &[Question],
) -> Result<Vec<Permission>, Fault> {
    let asked = questions.iter().map(|q| may(connection, namespace, q));
    let answers = futures::future::try_join_all(asked).await?;
    let named = questions.iter().zip(answers);
    Ok(named
        .map(|(question, allowed)| Permission {
            what: question.text(namespace),
            allowed,
            without: Safe::fixed(question.purpose),
        })
        .collect())
}

/// Asks one question.
///
/// # Errors
/// As [`permissions`].
pub async fn may(
    connection: &Connection,
    namespace: &str,
    question: &Question,
) -> Result<bool, Fault> {
    let (resource, subresource) = question
        .resource
        .split_once('/')
        .unwrap_or((question.resource, ""));
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {
            "namespace": namespace,
            "group": question.group,
            "resource": resource,
            "subresource": subresource,
            "verb": question.verb,
        }},
    });
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let answer: Review = post(connection, path, &review).await?;
    Ok(answer.status.allowed)
}

/// The name the server knows this identity by; `None` where the server is too old to say (before 1.28).
///
/// # Errors
/// No answer, or the credentials are refused.
pub async fn who_am_i(connection: &Connection) -> Result<Option<Safe>, Fault> {
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    match post::<SelfReview>(connection, path, &review).await {
        Ok(answer) => Ok(Some(Safe::new(&answer.status.user_info.username))),
        Err(fault) if matches!(fault.kind, FaultKind::NotFound | FaultKind::Forbidden) => Ok(None),
        Err(fault) => Err(fault),
    }
}

#[derive(Deserialize)]
struct Review {
    #[serde(default)]
    status: ReviewStatus,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ReviewStatus {
    allowed: bool,
}

#[derive(Deserialize)]
struct SelfReview {
    #[serde(default)]
    status: SelfStatus,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SelfStatus {
    user_info: UserInfo,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct UserInfo {
    username: String,
}

async fn post<T: for<'de> Deserialize<'de>>(
    connection: &Connection,
    path: &str,
    body: &serde_json::Value,
) -> Result<T, Fault> {
    let request = Request::post(path)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(Bytes::from(body.to_string()))
        .map_err(|_| Fault::new(FaultKind::Config, format!("{path} cannot be asked for.")))?;
    let answer = connection.call(Lane::Watch, request, 1 << 20).await?;
    serde_json::from_slice(&answer).map_err(|_| {
        Fault::new(
            FaultKind::Garbage,
            format!(
                "{} answered {path} with something else.",
                connection.place()
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(scene: &Scene<'_>) -> Vec<String> {
        let questions = scene.questions();
        questions.iter().map(|q| q.text("").to_string()).collect()
    }

    #[test]
    fn only_what_is_used_on_a_row_is_asked() {
        let edge = Scene {
            namespace: "",
            is_hub: false,
            groups: &["apps"],
        };
        let asked = texts(&edge);
        assert!(asked.contains(&"get pods/log".to_owned()), "{asked:?}");
        let elsewhere = ["applications", "kustomizations", "proxy", "monitors"];
        let of_others = |text: &&String| elsewhere.iter().any(|word| text.contains(word));
        assert_eq!(asked.iter().find(of_others), None);
        let hub = Scene {
            is_hub: true,
            groups: &["monitoring.coreos.com", "kustomize.toolkit.fluxcd.io"],
            ..edge
        };
        let asked = texts(&hub);
        for right in [
            "patch applications.argoproj.io",
            "patch kustomizations.kustomize.toolkit.fluxcd.io",
            "get pods/proxy",
        ] {
            assert!(asked.contains(&right.to_owned()), "{right}: {asked:?}");
        }
        assert!(!asked.iter().any(|text| text.contains("helmreleases")));
    }

    #[test]
    fn a_row_of_one_namespace_is_not_asked_for_what_belongs_to_none() {
        let scene = |namespace| Scene {
            namespace,
            is_hub: false,
            groups: &[],
        };
        assert!(texts(&scene("")).contains(&"list nodes".to_owned()));
        assert!(!texts(&scene("edge")).contains(&"list nodes".to_owned()));
    }

    #[test]
    fn the_page_about_rights_names_every_right_and_what_is_off_without_it() {
        let page = include_str!("../../docs/rights.md");
        for question in USED {
            let row = format!("`{}` | {} |", question.text(""), question.purpose);
            assert!(page.contains(&row), "{row}");
        }
    }
}
