//! Reads the ConfigMaps and Secrets that objects of Flux refer to. Values of Secrets pass through here to the renderer, and nowhere else.

use std::sync::Arc;

use serde_json::Value;

use crate::connect::{Connection, FaultKind, Lane};
use crate::desired::{Given, GivenText, GivenValues};
use crate::domain::{Name, Unjudged, UnjudgedReason};
use crate::drift::decode_base64;
use crate::drift::yaml::{Limits, parse_values};
use crate::sources::engine::flux::wants::{Purpose, Reference, ValuesAt};

/// Bytes that a ConfigMap or Secret may have; the API server takes no more than about one mebibyte.
const LIMIT: usize = 4 << 20;

/// What was read for one application.
#[derive(Clone, Debug, Default)]
pub(super) struct Gifts {
    /// Which objects in which versions.
    pub(super) stamp: Name,
    /// What the renderer gets.
    pub(super) given: Arc<Given>,
    /// The URL of the cluster that a kubeconfig leads to.
    pub(super) server: Option<Name>,
}

/// Reads everything that is referred to, later ones over earlier ones.
///
/// # Errors
/// What is missing or may not be read, unless it is optional.
pub(super) async fn read(
    connection: &Connection,
    namespace: &str,
    references: &[Reference],
) -> Result<Gifts, Unjudged> {
    let mut given = Given::default();
    let mut server = None;
    let mut stamps = Vec::new();
    for reference in references {
        let Some(object) = fetch(connection, namespace, reference).await? else {
            continue;
        };
        match &reference.purpose {
            Purpose::Variables => {
                stamps.push(version(&object));
                given.variables.extend(texts(&object, reference.secret));
            }
            Purpose::Values(at) => {
                stamps.push(version(&object));
                given
                    .values
                    .extend(values(&object, namespace, reference, at)?);
            }
            Purpose::Kubeconfig(key) => server = server_of(&object, key),
        }
    }
    Ok(Gifts {
        stamp: stamps.join(",").into(),
        given: Arc::new(given),
        server,
    })
}

async fn fetch(
    connection: &Connection,
    namespace: &str,
    reference: &Reference,
) -> Result<Option<Value>, Unjudged> {
    let plural = if reference.secret {
        "secrets"
    } else {
        "configmaps"
    };
    let name = &reference.name;
    let path = format!("/api/v1/namespaces/{namespace}/{plural}/{name}");
    let refuse = |reason, why: &str| Err(refused(namespace, reference, reason, why));
    let fault = match connection.get(Lane::Watch, &path, LIMIT).await {
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(object) => return Ok(Some(object)),
            Err(_) => {
                return refuse(
                    UnjudgedReason::NoAccess,
                    "does not read; look at the server.",
                );
            }
        },
        Err(fault) => fault,
    };
    match fault.kind {
        FaultKind::NotFound if reference.optional => Ok(None),
        FaultKind::Forbidden if matches!(reference.purpose, Purpose::Kubeconfig(_)) => Ok(None),
        FaultKind::NotFound => refuse(
            UnjudgedReason::NotFound,
            "is not there; create it, or make the reference optional.",
        ),
        FaultKind::Forbidden => refuse(
            UnjudgedReason::NoAccess,
            "this identity may not read: what it deploys cannot be told here. Allow `get` on it.",
        ),
        _ => refuse(
            UnjudgedReason::NoAccess,
            "could not be read; it is tried again when Flux reconciles.",
        ),
    }
}

fn version(object: &Value) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    format!(
        "{}@{}",
        text("/metadata/uid").unwrap_or_default(),
        text("/metadata/resourceVersion").unwrap_or_default()
    )
}

fn refused(namespace: &str, reference: &Reference, reason: UnjudgedReason, why: &str) -> Unjudged {
    Unjudged {
        reason,
        message: format!("It refers to {}, which {why}", named(namespace, reference)).into(),
    }
}

fn named(namespace: &str, reference: &Reference) -> String {
    let kind = if reference.secret {
        "Secret"
    } else {
        "ConfigMap"
    };
    format!("the {kind} {namespace}/{}", reference.name)
}

/// The values that an entry gives; none where the reference is optional and there is no such entry.
fn values(
    object: &Value,
    namespace: &str,
    reference: &Reference,
    at: &ValuesAt,
) -> Result<Option<GivenValues>, Unjudged> {
    let mut texts = texts(object, reference.secret);
    match texts.find(|(key, _)| **key == *at.key) {
        Some((_, given)) => Ok(Some(GivenValues {
            given,
            from: named(namespace, reference),
            target_path: at.path.to_string(),
            literal: at.literal,
        })),
        None if reference.optional => Ok(None),
        None => {
            let why = format!(
                "has no entry `{}`; add it, or correct `valuesKey` of the reference.",
                at.key
            );
            Err(refused(
                namespace,
                reference,
                UnjudgedReason::NotFound,
                &why,
            ))
        }
    }
}

/// The entries of `data` as texts.
fn texts(object: &Value, secret: bool) -> impl Iterator<Item = (String, GivenText)> {
    let data = object.get("data").and_then(Value::as_object);
    let entries = data.into_iter().flatten();
    entries.filter_map(move |(key, value)| {
        let text = value.as_str()?;
        let text = if secret {
            String::from_utf8_lossy(&decode_base64(text)?).into_owned()
        } else {
            text.to_owned()
        };
        Some((key.clone(), GivenText { text, secret }))
    })
}

/// The URL of the cluster that a kubeconfig's current context names; nothing else of it is kept.
fn server_of(secret: &Value, key: &str) -> Option<Name> {
    let entry = [key, "value", "value.yaml"]
        .iter()
        .find_map(|key| secret.get("data")?.get(key)?.as_str());
    let config = parse_values(&decode_base64(entry?)?, &Limits::default()).ok()?;
    let config = config.first()?;
    let named = |list: &str, name: &Value| {
        let mut entries = config.get(list)?.as_array()?.iter();
        entries.find(|e| e.get("name") == Some(name)).cloned()
    };
    let context = named("contexts", config.get("current-context")?)?;
    let cluster = named("clusters", context.pointer("/context/cluster")?)?;
    let server = cluster.pointer("/cluster/server")?.as_str()?;
    Some(server.trim_end_matches('/').into())
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use serde_json::json;

    use super::*;

    #[test]
    fn entries_of_secrets_are_decoded_and_marked() {
        let secret = json!({"data": {"pin": "aHVudGVyMg==", "bad": "%"}});
        let read: Vec<_> = texts(&secret, true).collect();
        assert_eq!(read.len(), 1);
        let (key, text) = &read[0];
        assert_eq!(
            (key.as_str(), text.text.as_str(), text.secret),
            ("pin", "hunter2", true)
        );
        assert!(!format!("{read:?}").contains("hunter2"));
        let map = json!({"data": {"site": "oslo"}});
        assert!(texts(&map, false).all(|(_, t)| t.text == "oslo" && !t.secret));
    }

    #[test]
    fn a_kubeconfig_gives_its_current_contexts_url_and_nothing_else() {
        let config = "current-context: b\ncontexts:\n- {name: a, context: {cluster: x}}\n- {name: b, context: {cluster: y, user: u}}\nclusters:\n- {name: y, cluster: {server: 'https://ber.example:6443/'}}\nusers:\n- {name: u, user: {token: secret}}\n";
        let encoded = base64::engine::general_purpose::STANDARD.encode(config);
        let secret = json!({"data": {"value": encoded}});
        assert_eq!(
            server_of(&secret, "").as_deref(),
            Some("https://ber.example:6443")
        );
        assert_eq!(server_of(&json!({"data": {}}), ""), None);
    }
}
