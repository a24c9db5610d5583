//! Whether a server answers: a real request over TLS, as a client would make it.

use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const PATIENCE: Duration = Duration::from_secs(10);

/// Asks `/readyz` of every URL, one after the other; answers the first that did not say `ok`.
pub(crate) async fn first_silent(ca_pem: &str, urls: &[String]) -> Option<String> {
    let connector = connector(ca_pem)?;
    for url in urls {
        let asked = tokio::time::timeout(PATIENCE, ask(&connector, url)).await;
        if !matches!(asked, Ok(Ok(true))) {
            return Some(url.clone());
        }
    }
    None
}

fn connector(ca_pem: &str) -> Option<TlsConnector> {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(ca_pem.as_bytes()).ok()?;
    roots.add(ca).ok()?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Some(TlsConnector::from(Arc::new(config)))
}

async fn ask(connector: &TlsConnector, url: &str) -> std::io::Result<bool> {
    let address = url.trim_start_matches("https://");
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").map_err(std::io::Error::other)?;
    let mut stream = connector.connect(name, stream).await?;
    stream
        .write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await?;
    let mut answer = [0_u8; 12];
    stream.read_exact(&mut answer).await?;
    Ok(answer.ends_with(b" 200"))
}
