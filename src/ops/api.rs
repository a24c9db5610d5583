//! One request to one API server, sent once, and its answer told apart: refused, faulted, not sent, or lost on the way.

use std::time::Duration;

use http::{Method, Request};
use kube::Client;
use serde_json::Value;

use crate::domain::Safe;

/// Longest server text that is passed on, in characters.
const LONGEST_TEXT: usize = 400;

/// Why a request has no good answer.
#[derive(Debug)]
pub(super) enum ApiError {
    /// The server said no (4xx): nothing was changed.
    Refused(Answer),
    /// The server failed (5xx): it may or may not have changed something.
    Faulted(Answer),
    /// The request never left: nothing was changed.
    NotSent(Safe),
    /// The request left and no answer came: it may or may not have been carried out.
    Lost(Safe),
}

/// A `Status` as the server sent it. Its message may quote values, so only [`Answer::say`] turns it into text.
pub(super) struct Answer {
    /// HTTP status code.
    pub(super) code: u16,
    /// Machine-readable reason, such as `Conflict`.
    pub(super) reason: String,
    message: String,
    fields: Vec<String>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({} {})", self.code, self.reason)
    }
}

impl Answer {
    fn of(status: kube::core::Status) -> Self {
        let causes = status.details.map(|d| d.causes).unwrap_or_default();
        Self {
            code: status.code,
            reason: status.reason,
            message: status.message,
            fields: causes.into_iter().map(|c| c.field).collect(),
        }
    }

    /// What the server said, fit for people. Of a Secret only code, reason and field names are told: the message may quote values.
    pub(super) fn say(&self, secret: bool) -> Safe {
        if !secret {
            return clip(&self.message);
        }
        let fields = self.fields.join(", ");
        let about = if fields.is_empty() {
            fields
        } else {
            format!(" about {fields}")
        };
        format!(
            "{} {}{about} (the server's words are withheld: they may quote the Secret)",
            self.code, self.reason
        )
        .into()
    }

    /// Whether the object is not there.
    pub(super) fn is_not_found(&self) -> bool {
        self.code == 404
    }

    /// Whether we may not do this.
    pub(super) fn is_forbidden(&self) -> bool {
        self.code == 403
    }

    /// Whether somebody was faster: a failed precondition, an object that exists already, or a UID that no longer fits.
    pub(super) fn is_conflict(&self) -> bool {
        self.code == 409 || (self.code == 422 && self.fields.iter().any(|f| f == "metadata.uid"))
    }
}

impl ApiError {
    /// What happened, in words fit for people.
    pub(super) fn say(&self, secret: bool) -> Safe {
        match self {
            Self::Refused(answer) | Self::Faulted(answer) => answer.say(secret),
            Self::NotSent(text) | Self::Lost(text) => text.clone(),
        }
    }
}

fn clip(raw: &str) -> Safe {
    let mut text: String = raw.chars().take(LONGEST_TEXT).collect();
    if text.len() < raw.len() {
        text.push('…');
    }
    Safe::new(&text)
}

/// One API server, with the longest time that one answer may take.
#[derive(Clone)]
pub(super) struct Api {
    client: Client,
    timeout: Duration,
}

impl Api {
    /// Wraps a client. Its transport must not repeat writes on its own.
    pub(super) fn new(client: Client, timeout: Duration) -> Self {
        Self { client, timeout }
    }

    /// Reads an object; `None` when it is not there.
    pub(super) async fn get(&self, path: &str) -> Result<Option<Value>, ApiError> {
        match self.send(Method::GET, path, None, Vec::new()).await {
            Ok(object) => Ok(Some(object)),
            Err(ApiError::Refused(answer)) if answer.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends a body of the given content type, once.
    pub(super) async fn write(
        &self,
        method: Method,
        path: &str,
        content_type: &'static str,
        body: &Value,
    ) -> Result<Value, ApiError> {
        self.send(
            method,
            path,
            Some(content_type),
            body.to_string().into_bytes(),
        )
        .await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&'static str>,
        body: Vec<u8>,
    ) -> Result<Value, ApiError> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::ACCEPT, "application/json");
        if let Some(content_type) = content_type {
            request = request.header(http::header::CONTENT_TYPE, content_type);
        }
        let request = request.body(body).map_err(|_| {
            ApiError::NotSent(Safe::fixed(
                "The request could not be built: the object's name does not fit into a URL.",
            ))
        })?;
        match tokio::time::timeout(self.timeout, self.client.request::<Value>(request)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(classify(error)),
            Err(_) => Err(ApiError::Lost(
                format!("No answer came within {} s.", self.timeout.as_secs()).into(),
            )),
        }
    }
}

fn classify(error: kube::Error) -> ApiError {
    match error {
        kube::Error::Api(status) => {
            let answer = Answer::of(*status);
            // 408 is the one 4xx that may come after the work was done.
            if answer.code == 408 || answer.code >= 500 {
                ApiError::Faulted(answer)
            } else {
                ApiError::Refused(answer)
            }
        }
        kube::Error::BuildRequest(_) | kube::Error::HttpError(_) | kube::Error::Auth(_) => {
            ApiError::NotSent(clip(&format!("The request was not sent: {error}.")))
        }
        kube::Error::Service(cause) => match connect_failure(cause.as_ref()) {
            Some(text) => ApiError::NotSent(clip(&format!("The request was not sent: {text}."))),
            None => ApiError::Lost(clip(&format!("The answer was lost: {cause}."))),
        },
        kube::Error::HyperError(cause) => {
            ApiError::Lost(clip(&format!("The answer was lost: {cause}.")))
        }
        // The text of a decoding error may quote what it could not read.
        _ => ApiError::Lost(Safe::fixed("The server's answer could not be read.")),
    }
}

/// The text of an error that says no connection was made, so that nothing can have been carried out.
fn connect_failure(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(current) = cause {
        let is_connect = current
            .downcast_ref::<hyper_util::client::legacy::Error>()
            .is_some_and(hyper_util::client::legacy::Error::is_connect);
        if is_connect {
            return Some(current.to_string());
        }
        cause = current.source();
    }
    None
}
