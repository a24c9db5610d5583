//! A metrics URL of the configuration, asked without the API server; its token is a reference and never kept.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::redirect::Policy;

use super::scrape::{self, Limits, Trouble};

/// Where a bearer token is found when it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    None,
    /// An environment variable.
    Env(String),
    /// The content of a file, blanks at both ends cut off.
    File(PathBuf),
}

/// A URL that is scraped directly.
#[derive(Clone)]
pub struct Direct {
    url: reqwest::Url,
    token: Token,
    client: reqwest::Client,
}

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direct")
            .field("id", &self.id())
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}

impl Direct {
    /// Takes `metrics-url` and `metrics-token` of the configuration; the token may be empty. Redirects are not followed: a token must not travel.
    ///
    /// # Errors
    /// One sentence that names the key and what is right.
    pub fn new(url: &str, token: &str) -> Result<Self, String> {
        let parsed = reqwest::Url::parse(url).map_err(|_| {
            "The metrics-url is no URL; write it as https://host/metrics.".to_owned()
        })?;
        if !matches!(parsed.scheme(), "https" | "http") || parsed.host_str().is_none() {
            return Err(
                "The metrics-url must begin with https:// or http:// and name a host.".to_owned(),
            );
        }
        if parsed.password().is_some() || !parsed.username().is_empty() {
            return Err(
                "The metrics-url holds credentials; put a reference such as env:NAME into metrics-token instead."
                    .to_owned(),
            );
        }
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .build()
            .map_err(|_| {
                "No TLS client can be made for the metrics-url; check the system's certificates."
                    .to_owned()
            })?;
        Ok(Self {
            token: token_of(token)?,
            url: parsed,
            client,
        })
    }

    /// Its name, the same in every round.
    pub(super) fn id(&self) -> Arc<str> {
        let port = self.url.port().map(|p| format!(":{p}")).unwrap_or_default();
        let host = self.url.host_str().unwrap_or_default();
        format!("{host}{port}{}", self.url.path()).into()
    }

    /// Asks it.
    ///
    /// # Errors
    /// [`Trouble`], to be shown beside its name.
    pub async fn scrape(&self, limits: Limits) -> Result<String, Trouble> {
        let answered = tokio::time::timeout(limits.time, self.ask(limits.bytes)).await;
        answered.unwrap_or(Err(Trouble::TimedOut(limits.time)))
    }

    async fn ask(&self, limit: usize) -> Result<String, Trouble> {
        let mut request = self
            .client
            .get(self.url.clone())
            .header(ACCEPT, scrape::ACCEPT);
        if let Some(token) = self.token.header().await? {
            request = request.header(AUTHORIZATION, token);
        }
        let mut response = request.send().await.map_err(|_| Trouble::Link)?;
        if !response.status().is_success() {
            return Err(match response.status().as_u16() {
                401 | 403 => Trouble::Setup(
                    "it refuses the credentials; check metrics-token in config.toml".to_owned(),
                ),
                _ => Trouble::of_status(response.status()),
            });
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| Trouble::Link)? {
            if bytes.len() + chunk.len() > limit {
                return Err(Trouble::TooLarge(limit));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(scrape::text(bytes))
    }
}

fn token_of(reference: &str) -> Result<Token, String> {
    match reference.split_once(':') {
        _ if reference.is_empty() => Ok(Token::None),
        Some(("env", name)) if !name.is_empty() => Ok(Token::Env(name.to_owned())),
        Some(("file", path)) if !path.is_empty() => Ok(Token::File(path.into())),
        // The text may be a token itself and is not repeated.
        _ => Err(
            "The metrics-token must be a reference, env:NAME or file:PATH, never a token."
                .to_owned(),
        ),
    }
}

impl Token {
    async fn header(&self) -> Result<Option<HeaderValue>, Trouble> {
        let token = match self {
            Self::None => return Ok(None),
            Self::Env(name) => std::env::var(name).map_err(|_| {
                Trouble::Setup(format!("the environment variable {name} is not set"))
            })?,
            Self::File(path) => tokio::fs::read_to_string(path).await.map_err(|error| {
                Trouble::Setup(format!(
                    "the token file {} cannot be read ({})",
                    path.display(),
                    error.kind()
                ))
            })?,
        };
        let mut value =
            HeaderValue::from_str(&format!("Bearer {}", token.trim())).map_err(|_| {
                Trouble::Setup("the token holds characters that no header takes".to_owned())
            })?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

#[cfg(test)]
mod tests;
