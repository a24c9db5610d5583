//! Argo CD's API, as far as it tells what an application's objects should be: the way that is left when nothing can be rendered here.
//!
//! `GET /api/v1/applications/NAME/managed-resources` gives each object's `targetState` as a JSON text, as Argo CD rendered it at the revision that
//! it last compared with (argo-cd, server/application/application.proto, `ResourceDiff`). Values of Secrets come masked and are left out.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use reqwest::Url;
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::Value;

use crate::connect::Reference;
use crate::domain::{
    AppRef, DesiredBody, DesiredObject, Name, ObjectRef, Unjudged, UnjudgedReason,
};

use super::policy::RepoPolicy;
use super::unjudged;
use super::web::{Get, Web, WebError};

/// Bytes of one answer.
const BYTES: usize = 64 << 20;

/// Where a hub's API is, and who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgoApi {
    /// Its URL, such as `https://argocd.example`.
    pub url: String,
    /// Where the bearer token is found.
    pub token: Reference,
    /// A CA bundle for it, in PEM, instead of the system's.
    pub ca_file: Option<PathBuf>,
}

/// One application, as the API asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The application.
    pub app: AppRef,
    /// Its project.
    pub project: Name,
    /// The revision that Argo CD last compared with: what the answer is made from.
    pub compared: Name,
    /// The deployed revision.
    pub deployed: Name,
}

/// The API of one hub.
#[derive(Debug)]
pub(super) struct Client {
    api: ArgoApi,
    web: Web,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    items: Option<Vec<Item>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Item {
    target_state: String,
    hook: bool,
}

impl Client {
    pub(super) fn new(api: &ArgoApi, allow_http: bool, time: Duration) -> Self {
        let policy = RepoPolicy {
            ca_file: api.ca_file.clone(),
            allow_http,
            ..RepoPolicy::default()
        };
        Self {
            web: Web::new(&policy, time),
            api: api.clone(),
        }
    }

    /// The objects that Argo CD wants, Secrets without their values.
    ///
    /// # Errors
    /// Why it does not tell; `NotFound` while it compared with another revision than the deployed one.
    pub(super) async fn wanted(&self, asked: &Asked) -> Result<Vec<Arc<DesiredObject>>, Unjudged> {
        if asked.compared.is_empty() || asked.compared != asked.deployed {
            return Err(self.trouble(
                UnjudgedReason::NotFound,
                "tells only the newest revision, and that is not the one that is deployed",
            ));
        }
        let url = self.url(asked)?;
        let answer = self
            .web
            .get(&Get::new(&url, BYTES, Some(self.token().await?)))
            .await;
        let answer = answer.map_err(|why| match why {
            WebError::Unauthorized(_) | WebError::Forbidden => self.trouble(
                UnjudgedReason::NoCredentials,
                "refuses the token; correct `argocd-token` of its [[hub]] in config.toml",
            ),
            why => self.trouble(
                UnjudgedReason::NoAccess,
                &format!("could not be asked: {why}"),
            ),
        })?;
        let answer: Answer = serde_json::from_slice(&answer.body).map_err(|_| {
            self.trouble(
                UnjudgedReason::NoAccess,
                "answers something else; check its URL",
            )
        })?;
        let items = answer.items.into_iter().flatten().filter(|item| !item.hook);
        Ok(items.filter_map(|item| self.object(&item, asked)).collect())
    }

    fn url(&self, asked: &Asked) -> Result<Url, Unjudged> {
        let bad = || {
            self.trouble(
                UnjudgedReason::BadSource,
                "has no proper URL; correct `argocd-url` in config.toml",
            )
        };
        let mut url = Url::parse(&self.api.url).map_err(|_| bad())?;
        url.path_segments_mut()
            .map_err(|()| bad())?
            .pop_if_empty()
            .extend([
                "api",
                "v1",
                "applications",
                &asked.app.name,
                "managed-resources",
            ]);
        url.query_pairs_mut()
            .append_pair("appNamespace", &asked.app.namespace)
            .append_pair("project", &asked.project);
        Ok(url)
    }

    async fn token(&self) -> Result<HeaderValue, Unjudged> {
        let unread = |why: &str| {
            self.trouble(
                UnjudgedReason::NoCredentials,
                &format!("has no token here: {why}"),
            )
        };
        let token = self
            .api
            .token
            .read()
            .await
            .map_err(|why| unread(&why.to_string()))?;
        let mut header = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
            .map_err(|_| unread("it holds characters that no header takes"))?;
        header.set_sensitive(true);
        Ok(header)
    }

    /// An object that Argo CD wants; `None` for one that it would delete, and for what does not parse.
    fn object(&self, item: &Item, asked: &Asked) -> Option<Arc<DesiredObject>> {
        let mut body: Value = serde_json::from_str(&item.target_state).ok()?;
        let object = ObjectRef::of(&body)?;
        if object.gvk.group.is_empty() && &*object.gvk.kind == "Secret" {
            let fields = body.as_object_mut()?;
            fields.remove("data");
            fields.remove("stringData");
        }
        Some(Arc::new(DesiredObject {
            object,
            body: DesiredBody::from(body),
            repo: self.api.url.as_str().into(),
            revision: asked.compared.clone(),
            path: "managed-resources".into(),
        }))
    }

    fn trouble(&self, reason: UnjudgedReason, what: &str) -> Unjudged {
        unjudged(
            reason,
            format!(
                "Argo CD's API at {} {what}.",
                super::policy::redact(&self.api.url)
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::charts::testing::Site;
    use serde_json::json;

    fn asked(compared: &str) -> Asked {
        Asked {
            app: AppRef {
                kind: crate::domain::AppKind::Application,
                hub: "hub-1".into(),
                namespace: "argocd".into(),
                name: "web-oslo".into(),
            },
            project: "edge".into(),
            compared: compared.into(),
            deployed: "abc".into(),
        }
    }

    fn client(site: &Site) -> Client {
        let api = ArgoApi {
            url: format!("{}/argo/", site.url),
            token: Reference::Env("CARGO_PKG_NAME".to_owned()),
            ca_file: None,
        };
        Client::new(&api, true, Duration::from_secs(20))
    }

    const PATH: &str =
        "/argo/api/v1/applications/web-oslo/managed-resources?appNamespace=argocd&project=edge";

    #[tokio::test]
    async fn targets_are_read_hooks_and_what_is_to_be_deleted_are_not_and_secrets_lose_their_masks()
    {
        let site = Site::start().await;
        let state = |kind: &str, more: Value| {
            let mut body = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "a", "namespace": "edge"}});
            body.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            body.to_string()
        };
        let body = json!({"items": [
            {"kind": "ConfigMap", "targetState": state("ConfigMap", json!({"data": {"mode": "edge"}})), "liveState": "null"},
            {"kind": "Secret", "targetState": state("Secret", json!({"data": {"key": "++++++++"}}))},
            {"kind": "Job", "hook": true, "targetState": state("Pod", json!({}))},
            {"kind": "Service", "targetState": "null"},
        ]});
        site.put(PATH, body.to_string());
        let wanted = client(&site).wanted(&asked("abc")).await.unwrap();
        let names: Vec<String> = wanted.iter().map(|o| o.object.to_string()).collect();
        assert_eq!(names, ["ConfigMap edge/a", "Secret edge/a"]);
        assert_eq!(wanted[0].body.document()["data"]["mode"], "edge");
        assert_eq!(wanted[1].body.document().get("data"), None);
        assert_eq!(
            (&*wanted[0].revision, &*wanted[0].path),
            ("abc", "managed-resources")
        );
        assert_eq!(site.heard()[0].1, "Bearer driftdeck");
    }

    #[tokio::test]
    async fn what_it_cannot_tell_is_named_and_the_token_never_shown() {
        let site = Site::start().await;
        let why = client(&site).wanted(&asked("other")).await.unwrap_err();
        assert!(
            why.message
                .as_str()
                .contains("not the one that is deployed"),
            "{why:?}"
        );
        assert!(site.heard().is_empty(), "nothing is asked in vain");
        site.ask_for("Bearer another", "Bearer");
        let why = client(&site).wanted(&asked("abc")).await.unwrap_err();
        assert_eq!(why.reason, UnjudgedReason::NoCredentials);
        assert!(!why.message.as_str().contains("driftdeck\""), "{why:?}");
    }
}
