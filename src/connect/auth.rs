//! The `Authorization` header of one identity, fresh for every request.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Request, Response};
use jiff::Timestamp;
use kube::Config;
use kube::client::{Body, ConfigExt as _};
use kube::config::AuthInfo;
use parking_lot::Mutex;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Layer as _, ServiceExt as _, service_fn};

use super::exec::{Credential, Plugin, Plugins};
use super::fault::{Fault, FaultKind};
use super::target::{ClientCertificate, Target};

/// A token file is read again after this.
const FILE_AGE: Duration = Duration::from_secs(60);

/// Where a target's credentials come from.
pub(super) enum Auth {
    /// From the kubeconfig itself: nothing, a certificate, a token or a password.
    Fixed(Option<HeaderValue>),
    /// From a file that somebody else keeps fresh.
    File {
        path: PathBuf,
        read: Mutex<Option<(Instant, HeaderValue)>>,
    },
    /// From a credential plugin.
    Plugin(Box<Plugin>),
    /// From an identity provider, by a refresh token.
    Oidc(Mutex<Headers>),
}

type Headers = BoxCloneSyncService<Request<Body>, HeaderValue, BoxError>;

impl Auth {
    /// Reads the user entry, in kubectl's order of precedence.
    pub(super) fn of(target: &Target) -> Result<Self, Fault> {
        let user = target.user();
        if user.auth_provider.is_some() {
            return oidc(user).map(|headers| Self::Oidc(Mutex::new(headers)));
        }
        if let (Some(name), Some(password)) = (&user.username, &user.password) {
            let pair = STANDARD.encode(format!("{name}:{}", password.expose_secret()));
            return header("Basic", &pair).map(|h| Self::Fixed(Some(h)));
        }
        if let Some(token) = user
            .token
            .as_ref()
            .filter(|t| !t.expose_secret().is_empty())
        {
            return bearer(token.expose_secret()).map(|h| Self::Fixed(Some(h)));
        }
        if let Some(path) = user.token_file.as_ref().filter(|p| !p.is_empty()) {
            return Ok(Self::File {
                path: path.into(),
                read: Mutex::new(None),
            });
        }
        match &user.exec {
            Some(exec) => Plugin::of(exec, target)
                .map(|plugin| Self::Plugin(Box::new(plugin)))
                .map_err(|e| {
                    Fault::new(FaultKind::Config, format!("The user cannot be used: {e}."))
                }),
            None => Ok(Self::Fixed(None)),
        }
    }

    /// The plugin behind it, if there is one.
    pub(super) fn plugin(&self) -> Option<&Plugin> {
        match self {
            Self::Plugin(plugin) => Some(plugin),
            _ => None,
        }
    }

    /// Whether asking again after a 401 can give something else.
    pub(super) fn is_renewable(&self) -> bool {
        !matches!(self, Self::Fixed(_))
    }

    /// The present proof; `refused` is the serial of one that the server did not take.
    pub(super) async fn proof(
        &self,
        plugins: &Plugins,
        refused: Option<u64>,
    ) -> Result<Proof, Fault> {
        match self {
            Self::Fixed(header) => Ok(Proof::header(header.clone())),
            Self::File { path, read } => {
                from_file(path, read, refused.is_some()).map(Proof::header)
            }
            Self::Plugin(plugin) => {
                let credential = plugins.credential(plugin, refused).await?;
                Proof::of(credential)
            }
            Self::Oidc(headers) => {
                let headers = headers.lock().clone();
                let header = headers.oneshot(Request::new(Body::empty())).await;
                header.map(|h| Proof::header(Some(h))).map_err(|_| {
                    Fault::new(
                        FaultKind::Auth,
                        "The identity provider gave no token; log in again with the tool that wrote the kubeconfig.",
                    )
                })
            }
        }
    }
}

/// What proves the identity of one request.
#[derive(Clone, Default)]
pub(super) struct Proof {
    pub(super) header: Option<HeaderValue>,
    credential: Option<Arc<Credential>>,
}

impl Proof {
    fn header(header: Option<HeaderValue>) -> Self {
        Self {
            header,
            credential: None,
        }
    }

    fn of(credential: Arc<Credential>) -> Result<Self, Fault> {
        let token = credential.token.as_ref();
        let header = token.map(|t| bearer(t.expose_secret())).transpose()?;
        Ok(Self {
            header,
            credential: Some(credential),
        })
    }

    /// The serial of the plugin run behind it; zero for all others.
    pub(super) fn serial(&self) -> u64 {
        self.credential.as_ref().map_or(0, |c| c.serial)
    }

    /// Whether it is about to end.
    pub(super) fn is_ending(&self) -> bool {
        self.credential
            .as_ref()
            .is_some_and(|c| c.is_ending(Timestamp::now()))
    }

    /// The client certificate a plugin gave.
    pub(super) fn certificate(&self) -> Result<Option<ClientCertificate>, Fault> {
        let pair = self
            .credential
            .as_ref()
            .and_then(|c| c.certificate.as_ref());
        pair.map(|(chain, key): &(String, SecretString)| {
            ClientCertificate::from_pem(chain.as_bytes(), key.expose_secret().as_bytes())
        })
        .transpose()
        .map_err(|e| {
            Fault::new(
                FaultKind::Auth,
                format!("The credential plugin's answer cannot be used: {e}."),
            )
        })
    }
}

fn from_file(
    path: &PathBuf,
    read: &Mutex<Option<(Instant, HeaderValue)>>,
    refused: bool,
) -> Result<Option<HeaderValue>, Fault> {
    let mut read = read.lock();
    if let Some((at, header)) = read.as_ref()
        && at.elapsed() < FILE_AGE
        && !refused
    {
        return Ok(Some(header.clone()));
    }
    match (std::fs::read_to_string(path), read.as_ref()) {
        (Ok(token), _) => {
            let header = bearer(token.trim())?;
            *read = Some((Instant::now(), header.clone()));
            Ok(Some(header))
        }
        // The file may be gone on purpose once it was read; the last token goes on until the server refuses it.
        (Err(_), Some((_, header))) => Ok(Some(header.clone())),
        (Err(e), None) => Err(Fault::new(
            FaultKind::Auth,
            format!(
                "The token file {} cannot be read: {e}; correct the path or the file's rights.",
                path.display()
            ),
        )),
    }
}

fn bearer(token: &str) -> Result<HeaderValue, Fault> {
    header("Bearer", token)
}

fn header(scheme: &str, value: &str) -> Result<HeaderValue, Fault> {
    let mut header = HeaderValue::try_from(format!("{scheme} {value}")).map_err(|_| {
        Fault::new(
            FaultKind::Auth,
            "The token holds characters that no token has; write it again.",
        )
    })?;
    header.set_sensitive(true);
    Ok(header)
}

/// kube's own client of identity providers, used only to make the header.
fn oidc(user: &AuthInfo) -> Result<Headers, Fault> {
    let unusable = || {
        Fault::new(
            FaultKind::Auth,
            "The user's auth-provider cannot be used; log in again with the tool that wrote the kubeconfig.",
        )
    };
    let mut config = Config::new(http::Uri::from_static("https://localhost"));
    config.auth_info = user.clone();
    config.auth_info.exec = None;
    let layer = config.auth_layer().map_err(|_| unusable())?;
    let layer = layer.ok_or_else(unusable)?;
    let take = service_fn(|request: Request<Body>| async move {
        let header = request.headers().get(http::header::AUTHORIZATION).cloned();
        let header = header.ok_or_else(|| BoxError::from("no header"))?;
        Ok::<_, BoxError>(Response::new(header))
    });
    let headers = layer.layer(take).map_response(Response::into_body);
    Ok(BoxCloneSyncService::new(headers))
}
