//! Where a row leads and as whom: one cluster entry and one user entry of the kubeconfig, checked.

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use http::uri::Authority;
use jiff::Timestamp;
use kube::config::{AuthInfo, Cluster};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use super::kubeconfig::{Impersonate, address};
use crate::domain::Name;

/// One server and one identity. Its `Debug` form names the server only.
#[derive(Clone)]
pub struct Target {
    server: Uri,
    address: Option<Authority>,
    cluster: Cluster,
    user: AuthInfo,
    ca: Name,
    key: Name,
}

impl Target {
    /// Checks what the kubeconfig says, reading the certificates it names.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence, with the next step; never a credential.
    pub fn new(
        cluster: Cluster,
        mut user: AuthInfo,
        impersonate: Option<&Impersonate>,
    ) -> Result<Self, String> {
        if let Some(other) = impersonate {
            user.impersonate = Some(other.user.clone());
            user.impersonate_groups = Some(other.groups.clone()).filter(|g| !g.is_empty());
        }
        let server = server(&cluster)?;
        let address = address(&cluster)?;
        proxy(&cluster)?;
        let roots = roots(&cluster)?;
        let ca = roots.as_deref().map_or_else(|| "".into(), hash_of);
        client_certificate(&user)?;
        supported(&user)?;
        let key = key(&server, &cluster, &user, &ca);
        Ok(Self {
            server,
            address,
            cluster,
            user,
            ca,
            key,
        })
    }

    /// The API server's address.
    pub fn server(&self) -> &Uri {
        &self.server
    }

    /// Where it is reached in place of its own address.
    pub fn address(&self) -> Option<&Authority> {
        self.address.as_ref()
    }

    /// Hash of the CA bundle, empty when the system's roots are used.
    pub fn ca(&self) -> &Name {
        &self.ca
    }

    /// Equal for targets that can share connections: same server, same trust, same identity.
    pub fn key(&self) -> &Name {
        &self.key
    }

    /// When the kubeconfig's client certificate ends; `None` without one.
    pub fn certificate_ends(&self) -> Option<Timestamp> {
        let certificate = self.client_certificate().ok().flatten()?;
        let leaf = certificate.chain.first()?;
        let (_, parsed) = x509_parser::parse_x509_certificate(leaf).ok()?;
        Timestamp::from_second(parsed.validity().not_after.timestamp()).ok()
    }

    /// When the kubeconfig's token ends, as it says itself; `None` for opaque tokens and other proofs. The signature is not checked: it is the
    /// server that decides, and this is only told.
    pub fn token_ends(&self) -> Option<Timestamp> {
        let token = self.user.token.as_ref()?.expose_secret();
        let claims = token.split('.').nth(1)?;
        let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let claims = engine.decode(claims.trim_end_matches('=')).ok()?;
        let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
        Timestamp::from_second(claims.get("exp")?.as_i64()?).ok()
    }

    /// How the kubeconfig proves who we are, in words.
    pub fn credential(&self) -> crate::domain::Safe {
        use crate::domain::Safe;
        let user = &self.user;
        if user.auth_provider.is_some() {
            return Safe::fixed("an identity provider (OIDC)");
        }
        if user.username.is_some() && user.password.is_some() {
            return Safe::fixed("user and password");
        }
        if user
            .token
            .as_ref()
            .is_some_and(|t| !t.expose_secret().is_empty())
        {
            return Safe::fixed("a token in the kubeconfig");
        }
        if user.token_file.as_ref().is_some_and(|f| !f.is_empty()) {
            return Safe::fixed("a token file, read again every minute");
        }
        if let Some(exec) = &user.exec {
            let command = exec.command.as_deref().unwrap_or_default();
            return format!("the credential plugin {command}, which renews it").into();
        }
        if matches!(self.client_certificate(), Ok(Some(_))) {
            return Safe::fixed("a client certificate");
        }
        Safe::fixed("none")
    }

    /// The user entry.
    pub(super) fn user(&self) -> &AuthInfo {
        &self.user
    }

    /// The cluster entry.
    pub(super) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Whether the server's certificate is not checked.
    pub fn insecure(&self) -> bool {
        self.cluster.insecure_skip_tls_verify.unwrap_or(false)
    }

    /// The proxy that the kubeconfig names, if any.
    pub(super) fn proxy(&self) -> Option<Uri> {
        proxy(&self.cluster).ok().flatten()
    }

    /// A hash of what stands between us and the server beside its address: proxy, which may hold a password, and TLS name.
    pub(super) fn way(&self) -> String {
        let proxy = self.cluster.proxy_url.as_deref().unwrap_or_default();
        let name = self.cluster.tls_server_name.as_deref().unwrap_or_default();
        hex(&Sha256::digest(format!("{proxy} {name}")))
    }

    /// The CA certificates, read again so that a rotated file is seen.
    pub(super) fn roots(&self) -> Result<Option<Vec<CertificateDer<'static>>>, String> {
        roots(&self.cluster)
    }

    /// The client certificate and key as PEM, read again so that a rotated file is seen.
    pub(super) fn client_certificate(&self) -> Result<Option<ClientCertificate>, String> {
        client_certificate(&self.user)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

/// A client certificate chain and its key.
pub(super) struct ClientCertificate {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

impl ClientCertificate {
    /// Reads both from PEM text.
    pub(super) fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, String> {
        let chain = certificates(chain)
            .map_err(|e| format!("the client certificate cannot be read: {e}"))?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| {
            "the client key is not a PEM private key; write client-key-data again".to_owned()
        })?;
        Ok(Self { chain, key })
    }
}

/// Hash of a CA bundle in PEM, the same for every order of its certificates; empty when it holds none.
pub fn ca_hash(pem: &[u8]) -> Name {
    certificates(pem).map_or_else(|_| "".into(), |ders| hash_of(&ders))
}

fn hash_of(ders: &[CertificateDer<'_>]) -> Name {
    let mut sorted: Vec<&[u8]> = ders.iter().map(|d| &**d).collect();
    sorted.sort_unstable();
    let mut hash = Sha256::new();
    for der in sorted {
        hash.update(der);
    }
    hex(&hash.finalize()).into()
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn server(cluster: &Cluster) -> Result<Uri, String> {
    let text = cluster.server.as_deref().unwrap_or_default().trim();
    if text.is_empty() {
        return Err("its cluster names no server; add `server: https://…`".to_owned());
    }
    let uri: Uri = text
        .parse()
        .map_err(|_| format!("its server `{text}` is not a URL; write https://HOST:PORT"))?;
    let known = matches!(uri.scheme_str(), Some("https" | "http"));
    if !known || uri.host().is_none_or(str::is_empty) {
        return Err(format!(
            "its server `{text}` is not an https URL; write https://HOST:PORT"
        ));
    }
    Ok(uri)
}

/// The proxy; its text may hold a password and is never quoted.
fn proxy(cluster: &Cluster) -> Result<Option<Uri>, String> {
    let Some(text) = cluster.proxy_url.as_deref().filter(|p| !p.is_empty()) else {
        return Ok(None);
    };
    let uri: Uri = text
        .parse()
        .map_err(|_| "its proxy-url is not a URL; write http://HOST:PORT".to_owned())?;
    match uri.scheme_str() {
        Some("http" | "https" | "socks5") if uri.host().is_some() => Ok(Some(uri)),
        _ => Err("its proxy-url is neither http, https nor socks5; write one of these".to_owned()),
    }
}

fn roots(cluster: &Cluster) -> Result<Option<Vec<CertificateDer<'static>>>, String> {
    let bundle = data_or_file(
        "certificate-authority",
        cluster.certificate_authority_data.as_deref(),
        cluster.certificate_authority.as_deref(),
    )?;
    let Some(bundle) = bundle else {
        return Ok(None);
    };
    let ders = certificates(&bundle)
        .map_err(|e| format!("its certificate-authority cannot be read: {e}"))?;
    Ok(Some(ders))
}

fn client_certificate(user: &AuthInfo) -> Result<Option<ClientCertificate>, String> {
    let chain = data_or_file(
        "client-certificate",
        user.client_certificate_data.as_deref(),
        user.client_certificate.as_deref(),
    )?;
    let key_data = user.client_key_data.as_ref();
    let key_data = key_data.map(secrecy::ExposeSecret::expose_secret);
    let key = data_or_file("client-key", key_data, user.client_key.as_deref())?;
    match (chain, key) {
        (None, None) => Ok(None),
        (Some(chain), Some(key)) => ClientCertificate::from_pem(&chain, &key).map(Some),
        (Some(_), None) => Err("it has a client-certificate without a client-key; add it".into()),
        (None, Some(_)) => Err("it has a client-key without a client-certificate; add it".into()),
    }
}

fn data_or_file(
    what: &str,
    data: Option<&str>,
    file: Option<&str>,
) -> Result<Option<Vec<u8>>, String> {
    if let Some(data) = data.filter(|d| !d.is_empty()) {
        let compact: String = data.split_whitespace().collect();
        return STANDARD
            .decode(compact)
            .map(Some)
            .map_err(|_| format!("its {what}-data is not base64; write it again"));
    }
    let Some(file) = file.filter(|f| !f.is_empty()) else {
        return Ok(None);
    };
    std::fs::read(Path::new(file)).map(Some).map_err(|e| {
        format!("its {what} file {file} cannot be read: {e}; correct the path or the file's rights")
    })
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let ders: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match ders {
        Ok(ders) if ders.is_empty() => Err("it holds no PEM certificate; write it again".into()),
        Ok(ders) => Ok(ders),
        Err(_) => Err("it is not PEM; write it again".into()),
    }
}

/// Refuses the auth providers that kubectl dropped; they would run commands of their own.
fn supported(user: &AuthInfo) -> Result<(), String> {
    let provider = user.auth_provider.as_ref().map(|p| p.name.as_str());
    match provider {
        Some("gcp") => Err("its user has the auth-provider gcp, which kubectl no longer knows; switch to gke-gcloud-auth-plugin".into()),
        Some("azure") => Err("its user has the auth-provider azure, which kubectl no longer knows; switch to kubelogin".into()),
        _ => Ok(()),
    }
}

fn key(server: &Uri, cluster: &Cluster, user: &AuthInfo, ca: &str) -> Name {
    let user = serde_json::to_value(user).unwrap_or_default().to_string();
    let parts = [
        crate::domain::join::url_key(&server.to_string()),
        ca.to_owned(),
        cluster.tls_server_name.clone().unwrap_or_default(),
        cluster.proxy_url.clone().unwrap_or_default(),
        cluster
            .insecure_skip_tls_verify
            .unwrap_or(false)
            .to_string(),
        user,
    ];
    hex(&Sha256::digest(parts.join("\u{0}"))).into()
}
