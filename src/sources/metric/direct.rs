//! A metrics URL of the configuration, asked without the API server; its token is a reference and never kept.

use std::fmt;
use std::sync::Arc;

use http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::redirect::Policy;
use secrecy::ExposeSecret as _;

use super::scrape::{self, Limits, Trouble};
use crate::connect::Reference;

/// A URL that is scraped directly.
#[derive(Clone)]
pub struct Direct {
    url: reqwest::Url,
    token: Option<Reference>,
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
        if let Some(token) = self.header().await? {
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

    async fn header(&self) -> Result<Option<HeaderValue>, Trouble> {
        let Some(reference) = &self.token else {
            return Ok(None);
        };
        let token = reference.read().await;
        let token = token.map_err(|error| Trouble::Setup(error.to_string()))?;
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
            .map_err(|_| {
                Trouble::Setup("the token holds characters that no header takes".to_owned())
            })?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

fn token_of(reference: &str) -> Result<Option<Reference>, String> {
    if reference.is_empty() {
        return Ok(None);
    }
    // The text may be a token itself and is not repeated.
    Reference::parse(reference).map(Some).ok_or_else(|| {
        "The metrics-token must be a reference, env:NAME, file:PATH or exec:PROGRAM, never a token."
            .to_owned()
    })
}

#[cfg(test)]
mod tests;
