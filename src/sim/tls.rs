//! One demo authority for the whole fleet: a CA, one server key with loopback names, and the broken certificates of the faults.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// Why the demo's certificates could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Making a key or certificate failed.
    #[error("The demo's certificate could not be made: {0}.")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library refused it.
    #[error("The demo's certificate was refused by the TLS library: {0}.")]
    Config(#[from] rustls::Error),
}

/// What every simulated server presents. Made once, shared by all.
#[derive(Debug)]
pub struct DemoTls {
    ca_pem: String,
    sound: Arc<ServerConfig>,
    stranger: Arc<ServerConfig>,
    expired: Arc<ServerConfig>,
}

impl DemoTls {
    /// Makes the authority and its certificates.
    ///
    /// # Errors
    /// When the machine gives no randomness or the libraries disagree.
    pub fn new() -> Result<Self, TlsError> {
        let key = KeyPair::generate()?;
        let ours = authority("driftdeck demo CA")?;
        let theirs = authority("somebody else's CA")?;
        let sound = server_params()?;
        let mut expired = server_params()?;
        expired.not_before = rcgen::date_time_ymd(2020, 1, 1);
        expired.not_after = rcgen::date_time_ymd(2021, 1, 1);
        Ok(Self {
            ca_pem: ours.0,
            sound: config(&sound, &key, &ours.1)?,
            stranger: config(&sound, &key, &theirs.1)?,
            expired: config(&expired, &key, &ours.1)?,
        })
    }

    /// The authority's certificate, for `certificate-authority-data`.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    pub(crate) fn sound(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.sound)
    }

    /// Signed by an authority the kubeconfig does not name.
    pub(crate) fn stranger(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.stranger)
    }

    /// Expired years ago.
    pub(crate) fn expired(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.expired)
    }
}

/// A self-signed authority: its certificate as PEM, and what signs with it.
fn authority(name: &str) -> Result<(String, Issuer<'static, KeyPair>), TlsError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    let pem = params.self_signed(&key)?.pem();
    Ok((pem, Issuer::new(params, key)))
}

fn server_params() -> Result<CertificateParams, TlsError> {
    let names = [
        "localhost",
        "127.0.0.1",
        "::1",
        "kubernetes",
        "kubernetes.default.svc",
        "*.edge.example",
    ];
    let mut params = CertificateParams::new(names.map(str::to_owned).to_vec())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "kube-apiserver");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    Ok(params)
}

fn config(
    params: &CertificateParams,
    key: &KeyPair,
    issuer: &Issuer<'static, KeyPair>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let chain: Vec<CertificateDer<'static>> = vec![params.signed_by(key, issuer)?.der().clone()];
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
