//! What a kubeconfig may tell driftdeck of itself: the extension named `driftdeck` on a context or a cluster.

use std::collections::BTreeMap;
use std::path::PathBuf;

use http::uri::Authority;
use kube::config::{Cluster, NamedExtension};
use serde::Deserialize;

/// Hints of a kubeconfig's author. They come from the operator's own file and are trusted like it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Hints {
    /// Folders below which `file://` repositories may be read; none by default.
    pub file_repositories: Vec<String>,
    /// The group the row belongs to.
    pub group: Option<String>,
    /// The row's name.
    pub alias: Option<String>,
    /// Local copies of repositories by the URL they stand for.
    pub mirrors: BTreeMap<String, PathBuf>,
    /// Where the cluster is reached in place of its server's own address, as `HOST:PORT`; the server's name still counts for TLS.
    pub address: Option<String>,
}

impl Hints {
    /// Those of the context, completed by those of its cluster; a malformed extension counts as none.
    pub(super) fn read(
        context: Option<&[NamedExtension]>,
        cluster: Option<&[NamedExtension]>,
    ) -> Self {
        let (own, shared) = (one(context), one(cluster));
        Self {
            file_repositories: if own.file_repositories.is_empty() {
                shared.file_repositories
            } else {
                own.file_repositories
            },
            group: own.group.or(shared.group),
            alias: own.alias,
            mirrors: shared.mirrors.into_iter().chain(own.mirrors).collect(),
            address: shared.address,
        }
    }
}

/// Where the kubeconfig says a cluster is reached, if it says so.
///
/// # Errors
/// The end of a sentence, when it is no address.
pub(in crate::connect) fn address(cluster: &Cluster) -> Result<Option<Authority>, String> {
    let Some(written) = one(cluster.extensions.as_deref()).address else {
        return Ok(None);
    };
    let read = written.parse::<Authority>().ok();
    let read = read.filter(|a| a.port_u16().is_some());
    let unreadable = || {
        format!(
            "the `address` {written:?} of its `driftdeck` extension is not HOST:PORT; correct or remove it"
        )
    };
    read.map(Some).ok_or_else(unreadable)
}

fn one(extensions: Option<&[NamedExtension]>) -> Hints {
    let ours = extensions
        .unwrap_or_default()
        .iter()
        .find(|e| e.name == "driftdeck");
    ours.and_then(|e| serde_json::from_value(e.extension.clone()).ok())
        .unwrap_or_default()
}
