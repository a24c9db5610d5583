//! The kubeconfig of the demo: every cluster a context, marked for driftdeck, with a token of its own.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use base64::Engine as _;
use serde_json::{Value, json};

use super::assemble::REPOSITORY;

/// One cluster of the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    /// Name of cluster, user and context.
    pub(crate) name: &'a str,
    pub(crate) url: &'a str,
    /// Where it listens, when its URL is only a name.
    pub(crate) address: Option<SocketAddr>,
    pub(crate) token: &'a str,
    /// The group driftdeck shows it in.
    pub(crate) group: &'a str,
}

/// The file's text. `repositories` is the folder below which driftdeck may read `file://` repositories.
pub(crate) fn text(entries: &[Entry<'_>], ca_pem: &str, repositories: &Path) -> String {
    let ca = base64::engine::general_purpose::STANDARD.encode(ca_pem);
    let clusters: Vec<Value> = entries
        .iter()
        .map(|e| {
            let mut cluster = json!({
                "server": e.url,
                "certificate-authority-data": ca,
            });
            if let Some(address) = e.address {
                let own = json!({
                    "address": address.to_string(),
                    "mirrors": {REPOSITORY: repositories.join("fleet.git")},
                });
                cluster["extensions"] = json!([{"name": "driftdeck", "extension": own}]);
            }
            json!({"name": e.name, "cluster": cluster})
        })
        .collect();
    let users: Vec<Value> = entries
        .iter()
        .map(|e| json!({"name": e.name, "user": {"token": e.token}}))
        .collect();
    let contexts: Vec<Value> = entries
        .iter()
        .map(|e| {
            let own = json!({"group": e.group, "fileRepositories": [repositories]});
            json!({"name": e.name, "context": {
                "cluster": e.name,
                "user": e.name,
                "extensions": [{"name": "driftdeck", "extension": own}],
            }})
        })
        .collect();
    let document = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": entries.first().map_or("", |e| e.name),
        "clusters": clusters,
        "users": users,
        "contexts": contexts,
    });
    // Plain JSON values always have a YAML form.
    serde_yaml::to_string(&document).unwrap_or_default()
}

/// Writes it for its owner only, replacing what was there in one step.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let mut file = tempfile::Builder::new().prefix(".kubeconfig").make_in(
        folder.unwrap_or(Path::new(".")),
        |path| {
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)
        },
    )?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn sample() -> String {
        let entry = Entry {
            name: "edge-oslo-001",
            url: "https://127.0.0.1:4001",
            address: None,
            token: "t0k3n",
            group: "eu-north",
        };
        text(&[entry], "PEM", Path::new("/tmp/demo"))
    }

    #[test]
    fn it_reads_as_a_kubeconfig_with_the_extension() {
        let config: kube::config::Kubeconfig = serde_yaml::from_str(&sample()).unwrap();
        assert_eq!(config.current_context.as_deref(), Some("edge-oslo-001"));
        let context = config.contexts[0].context.as_ref().unwrap();
        let extension = &context.extensions.as_ref().unwrap()[0];
        assert_eq!(extension.name, "driftdeck");
        assert_eq!(extension.extension["group"], "eu-north");
        assert_eq!(extension.extension["fileRepositories"][0], "/tmp/demo");
    }

    #[test]
    fn only_its_owner_may_read_it_even_if_it_was_open_before() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config");
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        write(&path, &sample()).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(
            std::fs::read_to_string(&path)
                .unwrap()
                .contains("edge-oslo-001")
        );
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert!(write(&dir.path().join("no/such/config"), "x").is_err());
    }
}
