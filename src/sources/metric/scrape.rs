//! One endpoint's answer through the API server's service proxy, within a time and a size.

use std::time::Duration;

use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;

use super::monitor::Target;

/// What is asked for: OpenMetrics is read too, but the plain form is what everything speaks.
pub(super) const ACCEPT: &str =
    "text/plain;version=0.0.4;q=0.9,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1";

/// What one answer may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long it may take, body included.
    pub time: Duration,
    /// Bytes of the body once unpacked.
    pub bytes: usize,
}

impl Default for Limits {
    /// Eight seconds, 16 MiB.
    fn default() -> Self {
        Self {
            time: Duration::from_secs(8),
            bytes: 16 << 20,
        }
    }
}

/// Why an endpoint did not answer. Each reads as the end of a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The proxy is not permitted.
    #[error("not permitted; ask for the right to get services/proxy")]
    Forbidden,
    /// The endpoint wants credentials, which are not sent through the proxy.
    #[error("it asks for credentials; name it as metrics-url with a metrics-token in config.toml")]
    Unauthorized,
    /// No such service, port or path.
    #[error("no such service, port or path (404)")]
    NotFound,
    /// The service has no ready endpoint, or it refused.
    #[error("no endpoint of it is ready ({0})")]
    Unready(u16),
    /// Another status.
    #[error("it answered with status {0}")]
    Status(u16),
    /// Too slow.
    #[error("no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// Too large.
    #[error("the answer has more than {} MiB", .0 >> 20)]
    TooLarge(usize),
    /// The link failed.
    #[error("the link failed")]
    Link,
    /// What makes the request is missing or wrong; the text says it, without any secret.
    #[error("{0}")]
    Setup(String),
    /// The answer could not be read.
    #[error("the answer could not be read")]
    Unreadable,
}

impl Trouble {
    /// What a status other than success means.
    pub(super) fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            code @ (502 | 503) => Self::Unready(code),
            code => Self::Status(code),
        }
    }
}

/// Where the API server proxies to the target.
pub(super) fn proxy_path(target: &Target) -> String {
    let scheme = if target.tls { "https:" } else { "" };
    let question = if target.query.is_empty() { "" } else { "?" };
    let plural = if target.is_pod { "pods" } else { "services" };
    format!(
        "/api/v1/namespaces/{}/{plural}/{scheme}{}:{}/proxy{}{question}{}",
        target.namespace, target.service, target.port, target.path, target.query
    )
}

/// Asks the target through the API server.
///
/// # Errors
/// [`Trouble`], to be shown beside the target.
pub async fn through_proxy(
    client: &Client,
    target: &Target,
    limits: Limits,
) -> Result<String, Trouble> {
    let request = Request::get(proxy_path(target))
        .header(http::header::ACCEPT, ACCEPT)
        .body(Body::empty())
        .map_err(|_| Trouble::Setup("its name makes no request path".to_owned()))?;
    let answered = async {
        let response = client.send(request).await.map_err(|_| Trouble::Link)?;
        if !response.status().is_success() {
            // A Pod without an address reads as a bad request (seen on 1.36).
            return Err(match response.status().as_u16() {
                400 if target.is_pod => Trouble::Unready(400),
                _ => Trouble::of_status(response.status()),
            });
        }
        read(response.into_body(), limits.bytes).await
    };
    tokio::time::timeout(limits.time, answered)
        .await
        .unwrap_or(Err(Trouble::TimedOut(limits.time)))
}

async fn read(mut body: Body, limit: usize) -> Result<String, Trouble> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Trouble::Link)?;
        if let Ok(data) = frame.into_data() {
            if bytes.len() + data.len() > limit {
                return Err(Trouble::TooLarge(limit));
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(text(bytes))
}

/// Metrics are UTF-8; a stray byte in one label must not cost the rest.
pub(super) fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}
