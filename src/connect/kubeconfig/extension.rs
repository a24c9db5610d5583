//! What a kubeconfig may tell driftdeck of itself: the extension named `driftdeck` on a context or a cluster.

use kube::config::NamedExtension;
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
        }
    }
}

fn one(extensions: Option<&[NamedExtension]>) -> Hints {
    let ours = extensions
        .unwrap_or_default()
        .iter()
        .find(|e| e.name == "driftdeck");
    ours.and_then(|e| serde_json::from_value(e.extension.clone()).ok())
        .unwrap_or_default()
}
