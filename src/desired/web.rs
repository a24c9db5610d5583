//! Requests to chart repositories, registries and Argo CD's API: over TLS unless the configuration says otherwise, within limits of time and size.

use std::time::Duration;

use bytes::BytesMut;
use http::header::{ACCEPT, AUTHORIZATION, ETAG, HeaderValue, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Url};

use crate::desired::policy::RepoPolicy;

/// Redirects that are followed: archives often lie at another host than their index. Credentials do not travel along.
const REDIRECTS: usize = 5;

/// Why a request gave nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum WebError {
    /// No client can be made.
    #[error(
        "no TLS client can be made ({0}); check `ca-file` in config.toml and the system's certificates"
    )]
    Client(String),
    /// It wants to know who asks; its challenge, if it made one.
    #[error("it asks for credentials")]
    Unauthorized(Option<String>),
    /// It knows who asks and says no.
    #[error("it refuses access")]
    Forbidden,
    /// There is no such thing.
    #[error("it has no such thing")]
    Missing,
    /// Some other refusal.
    #[error("it answers {0}")]
    Status(StatusCode),
    /// More than may be read.
    #[error("its answer is larger than {} MiB, which is the limit", .0 >> 20)]
    TooLarge(usize),
    /// It took too long.
    #[error("it did not answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// It was not reached, or the link broke.
    #[error("it was not reached ({0})")]
    Link(String),
}

/// The client, made when it is first needed.
#[derive(Debug)]
pub(super) struct Web {
    client: tokio::sync::OnceCell<Client>,
    ca_file: Option<std::path::PathBuf>,
    pub(super) allow_http: bool,
    time: Duration,
}

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Get<'a> {
    pub(super) url: &'a Url,
    /// Bytes of the answer.
    pub(super) limit: usize,
    pub(super) accept: &'static str,
    pub(super) authorization: Option<HeaderValue>,
    /// The tag of what is known already.
    pub(super) known: Option<String>,
}

impl<'a> Get<'a> {
    pub(super) fn new(url: &'a Url, limit: usize, authorization: Option<HeaderValue>) -> Self {
        Self {
            url,
            limit,
            accept: "*/*",
            authorization,
            known: None,
        }
    }
}

/// An answer that was read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
    pub(super) headers: HeaderMap,
    /// Whether what is known already still holds; then there is no body.
    pub(super) unchanged: bool,
}

impl Answer {
    /// A header's text; empty when it is not there.
    pub(super) fn header(&self, name: impl http::header::AsHeaderName) -> &str {
        let value = self.headers.get(name);
        value.and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// The tag by which a later request asks whether anything changed.
    pub(super) fn tag(&self) -> Option<String> {
        Some(self.header(ETAG))
            .filter(|t| !t.is_empty())
            .map(str::to_owned)
    }
}

impl Web {
    /// The client of a policy; one request may take this long.
    pub(super) fn new(policy: &RepoPolicy, time: Duration) -> Self {
        Self {
            client: tokio::sync::OnceCell::new(),
            ca_file: policy.ca_file.clone(),
            allow_http: policy.allow_http,
            time,
        }
    }

    /// Asks.
    ///
    /// # Errors
    /// [`WebError`].
    pub(super) async fn get(&self, get: &Get<'_>) -> Result<Answer, WebError> {
        let answered = tokio::time::timeout(self.time, self.ask(get)).await;
        answered.unwrap_or(Err(WebError::TimedOut(self.time)))
    }

    async fn ask(&self, get: &Get<'_>) -> Result<Answer, WebError> {
        let client = self.client.get_or_try_init(|| self.make()).await?;
        let mut request = client.get(get.url.clone()).header(ACCEPT, get.accept);
        if let Some(authorization) = &get.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        if let Some(tag) = &get.known {
            request = request.header(IF_NONE_MATCH, tag);
        }
        let mut response = request.send().await.map_err(|e| link(&e))?;
        let headers = response.headers().clone();
        check(response.status(), &headers)?;
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| link(&e))? {
            if body.len() + chunk.len() > get.limit {
                return Err(WebError::TooLarge(get.limit));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            unchanged: response.status() == StatusCode::NOT_MODIFIED,
            body: body.into(),
            headers,
        })
    }

    async fn make(&self) -> Result<Client, WebError> {
        // Whoever was first chose one already; a client cannot be made without.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .redirect(Policy::limited(REDIRECTS))
            .https_only(!self.allow_http)
            .connect_timeout(Duration::from_secs(15))
            .user_agent(concat!("driftdeck/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &self.ca_file {
            let pem = tokio::fs::read(path).await;
            let pem =
                pem.map_err(|e| WebError::Client(format!("{}: {}", path.display(), e.kind())))?;
            let bundle = Certificate::from_pem_bundle(&pem).map_err(client)?;
            builder = builder.tls_certs_only(bundle);
        }
        builder.build().map_err(client)
    }
}

fn client(error: reqwest::Error) -> WebError {
    WebError::Client(error.without_url().to_string())
}

fn check(status: StatusCode, headers: &HeaderMap) -> Result<(), WebError> {
    match status {
        status if status.is_success() || status == StatusCode::NOT_MODIFIED => Ok(()),
        StatusCode::UNAUTHORIZED => {
            let challenge = headers.get(http::header::WWW_AUTHENTICATE);
            Err(WebError::Unauthorized(
                challenge.and_then(|c| c.to_str().ok()).map(str::to_owned),
            ))
        }
        StatusCode::FORBIDDEN => Err(WebError::Forbidden),
        StatusCode::NOT_FOUND | StatusCode::GONE => Err(WebError::Missing),
        status => Err(WebError::Status(status)),
    }
}

/// The innermost cause, which says most; never the URL, which may hold a signature.
fn link(error: &reqwest::Error) -> WebError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let text = match error.url() {
        Some(url) => cause.to_string().replace(url.as_str(), "…"),
        None => cause.to_string(),
    };
    WebError::Link(text.chars().take(200).collect())
}
