//! The part of a registry's API that pulling needs: tags, manifests, blobs; with the token dance that most registries ask of everybody.
//!
//! The requests are those of the OCI distribution specification 1.1 (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md>),
//! the tokens those of Docker's (<https://distribution.github.io/distribution/spec/auth/token/>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{HeaderValue, LINK};
use parking_lot::Mutex;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::repo::Layers;
use crate::desired::web::{Answer, Get, Web, WebError};

/// Bytes of a manifest, as the specification has it.
const MANIFEST: usize = 4 << 20;
/// Bytes of one page of tags, and pages.
const TAGS: (usize, usize) = (4 << 20, 100);
/// Bytes of a token's answer.
const TOKEN: usize = 256 << 10;

/// What is accepted as a manifest: one that names layers, never a list of manifests.
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

/// Why a registry gave nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum RegistryError {
    #[error(transparent)]
    Web(#[from] WebError),
    /// What it says has not the form that the specification gives it.
    #[error("its {0} cannot be read")]
    Form(&'static str),
    /// What came is not what was asked for.
    #[error("the digest of its {0} is not the one that was asked for, and nothing of it is used")]
    Digest(&'static str),
    /// No layer, several, or one of a kind that is not known.
    #[error("its manifest names {0}, where one archive is expected")]
    Layers(String),
}

/// A registry's repository, and who asks it.
#[derive(Debug)]
pub(super) struct Registry<'a> {
    pub(super) web: &'a Web,
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    pub(super) login: Option<(String, SecretString)>,
    /// The header that worked last.
    pub(super) token: &'a Mutex<Option<HeaderValue>>,
}

/// A manifest that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    /// Its own digest, as `sha256:…`.
    pub(super) digest: String,
    /// The archive that it names.
    pub(super) layer: Layer,
}

/// A blob, as a manifest names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Layer {
    pub(super) media_type: String,
    pub(super) digest: String,
    pub(super) size: u64,
}

/// A Helm chart's archive.
pub(super) const CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// The archives that Argo CD reads from `oci://` sources unless it is configured otherwise.
const FOLDERS: [&str; 2] = [
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawManifest {
    layers: Vec<Layer>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawTags {
    tags: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawToken {
    token: String,
    access_token: String,
}

impl Registry<'_> {
    /// All tags.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub(super) async fn tags(&self) -> Result<Vec<String>, RegistryError> {
        let mut all = Vec::new();
        let mut url = Some(self.url("tags/list?n=1000")?);
        for _ in 0..TAGS.1 {
            let Some(here) = url else { break };
            let answer = self.get(&here, TAGS.0, "application/json").await?;
            let page: RawTags = read(&answer.body, "list of tags")?;
            all.extend(page.tags.into_iter().flatten());
            url = next(&here, answer.header(LINK));
        }
        Ok(all)
    }

    /// The manifest of a tag or a digest.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub(super) async fn manifest(
        &self,
        reference: &str,
        layers: &Layers,
    ) -> Result<Manifest, RegistryError> {
        let url = self.url(&format!("manifests/{reference}"))?;
        let answer = self.get(&url, MANIFEST, MANIFESTS).await?;
        let digest = digest_of(&answer.body);
        if reference.contains(':') && reference != digest {
            return Err(RegistryError::Digest("manifest"));
        }
        let raw: RawManifest = read(&answer.body, "manifest")?;
        Ok(Manifest {
            digest,
            layer: match layers {
                Layers::OneArchive => layer_of(raw.layers)?,
                Layers::First { media_type, .. } => first_of(raw.layers, media_type)?,
            },
        })
    }

    /// A layer's content.
    ///
    /// # Errors
    /// [`RegistryError`]; content of another digest is no content.
    pub(super) async fn blob(&self, layer: &Layer, limit: usize) -> Result<Vec<u8>, RegistryError> {
        if layer.size > limit as u64 {
            return Err(WebError::TooLarge(limit).into());
        }
        let url = self.url(&format!("blobs/{}", layer.digest))?;
        let answer = self.get(&url, limit, "*/*").await?;
        if digest_of(&answer.body) != layer.digest {
            return Err(RegistryError::Digest("archive"));
        }
        Ok(answer.body)
    }

    fn url(&self, what: &str) -> Result<Url, RegistryError> {
        // A registry that speaks no TLS is one on this machine or in a laboratory.
        let scheme = if self.web.allow_http && is_loopback(self.host) {
            "http"
        } else {
            "https"
        };
        let url = format!("{scheme}://{}/v2/{}/{what}", self.host, self.path);
        Url::parse(&url).map_err(|_| RegistryError::Form("address"))
    }

    /// Asks; a challenge is answered once.
    async fn get(
        &self,
        url: &Url,
        limit: usize,
        accept: &'static str,
    ) -> Result<Answer, RegistryError> {
        let known = self.token.lock().clone();
        let ask = |authorization| Get {
            accept,
            ..Get::new(url, limit, authorization)
        };
        let challenge = match self.web.get(&ask(known)).await {
            Err(WebError::Unauthorized(Some(challenge))) => challenge,
            other => return Ok(other?),
        };
        let answer = self.answer(&challenge).await?;
        let outcome = self.web.get(&ask(Some(answer.clone()))).await?;
        *self.token.lock() = Some(answer);
        Ok(outcome)
    }

    /// The header that answers a challenge.
    async fn answer(&self, challenge: &str) -> Result<HeaderValue, RegistryError> {
        let unauthorized = || WebError::Unauthorized(None);
        let (scheme, rest) = challenge.split_once(' ').unwrap_or((challenge, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Ok(self.basic().ok_or_else(unauthorized)?);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(unauthorized().into());
        }
        let realm = parameter(rest, "realm").and_then(|realm| Url::parse(&realm).ok());
        let mut url = realm.ok_or(RegistryError::Form("challenge"))?;
        if let Some(service) = parameter(rest, "service") {
            url.query_pairs_mut().append_pair("service", &service);
        }
        // The scope is ours to name: only reading, only here.
        let scope = format!("repository:{}:pull", self.path);
        url.query_pairs_mut().append_pair("scope", &scope);
        let answer = self.web.get(&Get::new(&url, TOKEN, self.basic())).await?;
        let raw: RawToken = read(&answer.body, "token")?;
        let token = if raw.token.is_empty() {
            raw.access_token
        } else {
            raw.token
        };
        header(&format!("Bearer {token}")).ok_or(RegistryError::Form("token"))
    }

    fn basic(&self) -> Option<HeaderValue> {
        let (user, password) = self.login.as_ref()?;
        basic(user, password)
    }
}

/// The header of a user and a password.
pub(super) fn basic(user: &str, password: &SecretString) -> Option<HeaderValue> {
    let both = format!("{user}:{}", password.expose_secret());
    header(&format!("Basic {}", STANDARD.encode(both)))
}

fn header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    name == "localhost" || address.is_ok_and(|a| a.is_loopback())
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8], what: &'static str) -> Result<T, RegistryError> {
    serde_json::from_slice(body).map_err(|_| RegistryError::Form(what))
}

/// `sha256:` with the digest in hexadecimal digits.
pub(super) fn digest_of(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    format!("sha256:{hex}")
}

/// The one archive among the layers; what a chart's signature adds does not count.
fn layer_of(layers: Vec<Layer>) -> Result<Layer, RegistryError> {
    let is_archive = |l: &Layer| l.media_type == CHART || FOLDERS.contains(&l.media_type.as_str());
    let mut archives: Vec<Layer> = layers.into_iter().filter(is_archive).collect();
    match archives.pop() {
        Some(one) if archives.is_empty() => proper(one),
        Some(_) => Err(RegistryError::Layers(format!(
            "{} archives",
            archives.len() + 1
        ))),
        None => Err(RegistryError::Layers(
            "no archive of a known kind".to_owned(),
        )),
    }
}

/// The first layer of a media type, or of all when none is named: what Flux takes.
fn first_of(layers: Vec<Layer>, media_type: &str) -> Result<Layer, RegistryError> {
    let is_meant = |l: &Layer| media_type.is_empty() || l.media_type == media_type;
    let found = layers.into_iter().find(is_meant);
    found.map_or_else(
        || {
            Err(RegistryError::Layers(
                "no layer that the source selects".to_owned(),
            ))
        },
        proper,
    )
}

fn proper(layer: Layer) -> Result<Layer, RegistryError> {
    let hex = layer.digest.strip_prefix("sha256:").unwrap_or_default();
    let proper = hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit());
    proper.then_some(layer).ok_or(RegistryError::Form("digest"))
}

/// The page that follows, when it lies on the same host.
fn next(here: &Url, link: &str) -> Option<Url> {
    let (target, rest) = link.strip_prefix('<')?.split_once('>')?;
    let url = here.join(target).ok()?;
    let same =
        url.scheme() == here.scheme() && url.host() == here.host() && url.port() == here.port();
    (rest.contains("rel=\"next\"") && same).then_some(url)
}

/// A parameter of a challenge, as `name="value"`.
fn parameter(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    loop {
        let (key, after) = rest.split_once('=')?;
        let (value, tail) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        if key
            .trim()
            .trim_start_matches(',')
            .trim()
            .eq_ignore_ascii_case(name)
        {
            return Some(value.to_owned());
        }
        rest = tail;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(media_type: &str) -> Layer {
        Layer {
            media_type: media_type.to_owned(),
            digest: digest_of(b""),
            size: 0,
        }
    }

    #[test]
    fn the_one_archive_is_taken_and_a_signature_beside_it_does_not_count() {
        let prov = layer("application/vnd.cncf.helm.chart.provenance.v1.prov");
        let found = layer_of(vec![layer(CHART), prov.clone()]).unwrap();
        assert_eq!(found.media_type, CHART);
        assert!(layer_of(vec![prov]).is_err());
        assert!(layer_of(vec![layer(CHART), layer(FOLDERS[1])]).is_err());
        let odd = Layer {
            digest: "sha256:../../x".to_owned(),
            ..layer(CHART)
        };
        assert!(layer_of(vec![odd]).is_err());
    }

    #[test]
    fn flux_takes_the_first_layer_or_the_first_of_a_media_type() {
        let content = "application/vnd.cncf.flux.content.v1.tar+gzip";
        let layers = || vec![layer("text/plain"), layer(content), layer(content)];
        assert_eq!(first_of(layers(), "").unwrap().media_type, "text/plain");
        assert_eq!(first_of(layers(), content).unwrap().media_type, content);
        assert!(first_of(layers(), CHART).is_err() && first_of(Vec::new(), "").is_err());
    }

    #[test]
    fn a_challenge_is_read_whatever_the_order_of_its_parameters() {
        let text = r#"realm="https://auth.example/token?a=b",service="r.example", scope="repository:a:pull,push""#;
        assert_eq!(
            parameter(text, "realm").as_deref(),
            Some("https://auth.example/token?a=b")
        );
        assert_eq!(parameter(text, "Service").as_deref(), Some("r.example"));
        assert_eq!(
            parameter(text, "scope").as_deref(),
            Some("repository:a:pull,push")
        );
        assert_eq!(parameter(text, "error"), None);
        assert_eq!(
            parameter("service=r.example,realm=x", "realm").as_deref(),
            Some("x")
        );
    }

    #[test]
    fn the_next_page_stays_at_the_registry() {
        let here = Url::parse("https://r.example/v2/a/tags/list?n=2").unwrap();
        let to = |link: &str| next(&here, link).map(|u| u.to_string());
        let good = "</v2/a/tags/list?n=2&last=b>; rel=\"next\"";
        assert_eq!(
            to(good).as_deref(),
            Some("https://r.example/v2/a/tags/list?n=2&last=b")
        );
        assert_eq!(to("<https://evil.example/x>; rel=\"next\""), None);
        assert_eq!(to("</v2/a>; rel=\"prev\""), None);
        assert_eq!(to(""), None);
    }

    #[test]
    fn only_this_machine_is_asked_without_tls() {
        for (host, loopback) in [
            ("127.0.0.1:5000", true),
            ("localhost", true),
            ("[::1]:5000", true),
            ("registry.example:5000", false),
            ("127.evil.example", false),
        ] {
            assert_eq!(is_loopback(host), loopback, "{host}");
        }
    }
}
