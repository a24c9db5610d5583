//! What a plugin is told and what it answers: the `ExecCredential` object in both directions, and its complaints without secrets.

use jiff::Timestamp;
use kube::config::Cluster;
use secrecy::{ExposeSecret as _, SecretSlice};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Credential, Plugin, failed};
use crate::connect::fault::Fault;
use crate::connect::target::Target;
use crate::domain::Safe;

/// `KUBERNETES_EXEC_INFO`.
pub(super) fn question(plugin: &Plugin, interactive: bool) -> String {
    let mut spec = json!({ "interactive": interactive });
    if let Ok(cluster) = serde_json::from_str::<Value>(&plugin.cluster) {
        spec["cluster"] = cluster;
    }
    json!({
        "kind": "ExecCredential",
        "apiVersion": plugin.api_version,
        "spec": spec,
    })
    .to_string()
}

/// The `cluster` part of the question, for plugins that ask for it.
pub(super) fn cluster_info(target: &Target) -> Result<String, String> {
    use base64::Engine as _;
    let cluster: &Cluster = target.cluster();
    let ca = match (
        &cluster.certificate_authority_data,
        &cluster.certificate_authority,
    ) {
        (Some(data), _) => Some(data.clone()),
        (None, Some(file)) => {
            let bytes = std::fs::read(file).map_err(|e| {
                format!("its certificate-authority file {file} cannot be read: {e}")
            })?;
            Some(base64::engine::general_purpose::STANDARD.encode(bytes))
        }
        (None, None) => None,
    };
    let config = cluster
        .extensions
        .iter()
        .flatten()
        .find(|e| e.name == "client.authentication.k8s.io/exec")
        .map(|e| e.extension.clone());
    let info = json!({
        "server": cluster.server,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "certificate-authority-data": ca,
        "proxy-url": cluster.proxy_url,
        "disable-compression": cluster.disable_compression,
        "config": config,
    });
    Ok(without_nulls(info).to_string())
}

fn without_nulls(mut value: Value) -> Value {
    if let Value::Object(map) = &mut value {
        map.retain(|_, v| !v.is_null());
    }
    value
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default)]
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
    expiration_timestamp: Option<String>,
}

/// Reads the credential out of a plugin's output, JSON or YAML.
pub(super) fn read(
    plugin: &Plugin,
    output: &SecretSlice<u8>,
    serial: u64,
) -> Result<Credential, Fault> {
    let garbage = || failed(plugin, "did not print an ExecCredential");
    let text = std::str::from_utf8(output.expose_secret()).map_err(|_| garbage())?;
    let answer: Answer = serde_json::from_str(text)
        .ok()
        .or_else(|| serde_saphyr::from_str(text).ok())
        .ok_or_else(garbage)?;
    let status = answer
        .status
        .ok_or_else(|| failed(plugin, "printed an ExecCredential without a status"))?;
    let expires = status
        .expiration_timestamp
        .map(|text| text.parse::<Timestamp>())
        .transpose()
        .map_err(|_| failed(plugin, "printed an expirationTimestamp that is no time"))?;
    let certificate = status
        .client_certificate_data
        .zip(status.client_key_data)
        .map(|(chain, key)| (chain, key.into()));
    let token = status.token.filter(|t| !t.is_empty()).map(Into::into);
    if token.is_none() && certificate.is_none() {
        return Err(failed(
            plugin,
            "printed neither a token nor a certificate with its key",
        ));
    }
    Ok(Credential {
        token,
        certificate,
        expires,
        serial,
    })
}

/// The last line of what a plugin complained about, cut and with everything that may be a secret blotted out.
pub(super) fn redacted(complaint: &[u8]) -> String {
    let text = String::from_utf8_lossy(complaint);
    let line = text
        .lines()
        .rev()
        .map(str::trim)
        .find(|l| !l.is_empty())
        .unwrap_or_default();
    let words: Vec<&str> = line.split_whitespace().map(blot).collect();
    let short: String = words.join(" ").chars().take(200).collect();
    Safe::new(short.trim_end_matches('.')).to_string()
}

/// A long unbroken run of letters and digits is taken for a key or a token, and so is what follows a telling name.
fn blot(word: &str) -> &str {
    let telling = ["token", "password", "secret", "authorization", "bearer"];
    let lower = word.to_ascii_lowercase();
    let named = lower
        .split_once(['=', ':'])
        .is_some_and(|(name, value)| !value.is_empty() && telling.iter().any(|t| name.contains(t)));
    let run = |c: char| c.is_ascii_alphanumeric() || "+/_-.=".contains(c);
    let dense = word.len() >= 24
        && word.chars().filter(|c| run(*c)).count() + 2 >= word.chars().count()
        && word.chars().any(|c| c.is_ascii_digit())
        && !word.contains("://")
        && !word.starts_with('/');
    if named || dense { "•••" } else { word }
}
