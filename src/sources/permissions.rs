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
}

/// What matters on any row: reading, planning, reverting, metrics.
pub const EDGE: [Question; 5] = [
    question(
        "apps",
        "deployments",
        "watch",
        "drift cannot be watched cluster-wide",
    ),
    question(
        "",
        "configmaps",
        "watch",
        "drift of ConfigMaps cannot be watched cluster-wide",
    ),
    question("", "secrets", "watch", "drift of Secrets reads as unknown"),
    question(
        "apps",
        "deployments",
        "patch",
        "reverts by the direct route and their dry runs are not permitted",
    ),
    question(
        "",
        "services/proxy",
        "get",
        "metrics cannot be scraped through the API server",
    ),
];

/// What matters besides on a hub.
pub const HUB: [Question; 3] = [
    question(
        "argoproj.io",
        "applications",
        "watch",
        "Applications cannot be watched cluster-wide",
    ),
    question(
        "argoproj.io",
        "applications",
        "patch",
        "reverts through Argo CD are not permitted",
    ),
    question(
        "",
        "secrets",
        "list",
        "destinations are joined without the hub's cluster Secrets",
    ),
];

const fn question(
    group: &'static str,
    resource: &'static str,
    verb: &'static str,
    purpose: &'static str,
) -> Question {
    Question {
        group,
        resource,
        verb,
        purpose,
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
