//! Throw-away certificate authorities: one for each cluster, as in the field, and one for the Git server.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// A certificate authority that signs server certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate.
    pub(crate) pem: String,
}

/// Certificate and key of one server, as files.
pub(crate) struct ServerFiles {
    /// The certificate, PEM.
    pub(crate) cert: PathBuf,
    /// Its key, PEM.
    pub(crate) key: PathBuf,
}

impl Authority {
    /// A new authority of this name.
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, format!("{name} test authority"));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// A certificate for a server on loopback: certificate and key, PEM.
    pub(crate) fn server(&self) -> (String, String) {
        let names = ["localhost", "127.0.0.1", "kubernetes.default.svc"];
        let params = CertificateParams::new(names.map(String::from)).unwrap();
        let key = KeyPair::generate().unwrap();
        (
            params.signed_by(&key, &self.issuer).unwrap().pem(),
            key.serialize_pem(),
        )
    }

    /// The same, written to files in `dir`.
    pub(crate) fn server_files(&self, dir: &Path) -> ServerFiles {
        let (cert, key) = self.server();
        let files = ServerFiles {
            cert: dir.join("server.crt"),
            key: dir.join("server.key"),
        };
        std::fs::write(&files.cert, cert).unwrap();
        std::fs::write(&files.key, key).unwrap();
        files
    }
}

/// A key pair for service account tokens: the key that signs and the one that checks, PEM.
pub(crate) fn signing_keys() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    (key.serialize_pem(), key.public_key_pem())
}
