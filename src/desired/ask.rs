//! What is asked: one source at a revision, with the sources that its value files may refer to, and for whom.

use std::sync::Arc;

use crate::domain::{
    Application, HistoryEntry, Name, Source, Unjudged, UnjudgedReason, managed_kinds,
};

use super::unjudged;

/// One source at a revision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ask {
    /// The source.
    pub source: Source,
    /// Branch, tag, commit, or range of versions; empty is `HEAD`.
    pub revision: Name,
    /// The sources of the same application that have a `ref`, each at its revision: value files name them as `$ref/path`.
    pub refs: Arc<[(Source, Name)]>,
}

impl Ask {
    /// A source alone, at a revision.
    pub fn of(source: &Source, revision: &str) -> Self {
        Self {
            source: source.clone(),
            revision: revision.into(),
            refs: Arc::default(),
        }
    }

    /// What a deployment was made from; where it records no source, the spec's stands in.
    ///
    /// # Errors
    /// `NotFound` when it does not record a revision for each source.
    pub fn deployed(app: &Application, entry: &HistoryEntry) -> Result<Vec<Self>, Unjudged> {
        let sources = if !entry.sources.is_empty() {
            &entry.sources[..]
        } else if let Some(one) = &entry.source {
            std::slice::from_ref(one)
        } else {
            &app.sources[..]
        };
        let single = [entry.revision.clone()];
        let revisions = match sources.len() {
            1 => &single[..],
            _ => &entry.revisions[..],
        };
        if revisions.len() != sources.len() || revisions.iter().any(|r| r.is_empty()) {
            return Err(unjudged(
                UnjudgedReason::NotFound,
                "The newest deployment does not record a revision for each of its sources; sync the application once.",
            ));
        }
        Ok(Self::all(sources, revisions))
    }

    /// All sources of an application, each at the revision of its place. One that is nothing but a reference for others is not asked for itself.
    pub fn all(sources: &[Source], revisions: &[Name]) -> Vec<Self> {
        let at = |place: usize| revisions.get(place).cloned().unwrap_or_default();
        let refs: Arc<[(Source, Name)]> = sources
            .iter()
            .enumerate()
            .filter(|(_, s)| !s.reference.is_empty())
            .map(|(place, s)| (s.clone(), at(place)))
            .collect();
        sources
            .iter()
            .enumerate()
            .filter(|(_, s)| !is_only_reference(s))
            .map(|(place, source)| Self {
                source: source.clone(),
                revision: at(place),
                refs: refs.clone(),
            })
            .collect()
    }
}

fn is_only_reference(source: &Source) -> bool {
    !source.reference.is_empty() && source.path.is_empty() && source.chart.is_empty()
}

/// What a cluster serves: charts are rendered for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Served {
    /// Its Kubernetes version, such as `v1.34.2+k3s1`.
    pub kube_version: Name,
    /// The versions of groups that it serves, as `group/version`, sorted.
    pub api_versions: Arc<[Name]>,
}

/// For whom is rendered: what a rendering program is told of the application and its cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Purpose {
    /// The application's name: the release name unless the source names another.
    pub app: Name,
    /// The destination's namespace.
    pub namespace: Name,
    /// The project.
    pub project: Name,
    /// What the cluster serves; `None` until it was heard.
    pub served: Option<Served>,
    /// `kustomize.buildOptions` of the hub's argocd-cm.
    pub kustomize_options: Name,
    /// Custom kinds that the engine saw in the cluster, as `group/version/Kind`, sorted.
    pub kinds: Arc<[Name]>,
}

impl Purpose {
    /// The purpose of an application, on a cluster of which nothing is known yet.
    pub fn of(app: &Application) -> Self {
        let custom = |group: &str| group.contains('.') && !group.ends_with(".k8s.io");
        let kinds = managed_kinds(app).into_iter().filter(|k| custom(&k.group));
        let mut kinds: Vec<Name> = kinds
            .map(|k| format!("{}/{}/{}", k.group, k.version, k.kind).into())
            .collect();
        kinds.sort();
        Self {
            app: app.id.name.clone(),
            namespace: app.destination.namespace.clone(),
            project: app.project.clone(),
            served: None,
            kustomize_options: Name::default(),
            kinds: kinds.into(),
        }
    }

    /// Nothing is rendered for an application's cluster before it has said what it serves.
    ///
    /// # Errors
    /// `Pending`.
    pub(super) fn require_served(&self) -> Result<(), Unjudged> {
        if self.app.is_empty() || self.served.is_some() {
            return Ok(());
        }
        Err(unjudged(
            UnjudgedReason::Pending,
            "The chart is rendered once its cluster has said which Kubernetes version and which kinds it serves.",
        ))
    }

    /// The cluster's Kubernetes version, empty when it is not known.
    pub(super) fn kube_version(&self) -> Name {
        let served = self.served.as_ref();
        served.map(|s| s.kube_version.clone()).unwrap_or_default()
    }

    /// What the cluster serves, as `group/version` and `group/version/Kind`.
    pub(super) fn api_versions(&self) -> impl Iterator<Item = &Name> {
        let versions = self.served.iter().flat_map(|s| s.api_versions.iter());
        versions.chain(self.kinds.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mere_reference_is_known_to_the_others_and_not_asked_for() {
        let values = Source {
            repo_url: "https://git.example/values".into(),
            reference: "values".into(),
            ..Source::default()
        };
        let chart = Source {
            repo_url: "https://charts.example".into(),
            chart: "redis".into(),
            ..Source::default()
        };
        let both = Source {
            reference: "both".into(),
            path: "edge".into(),
            ..values.clone()
        };
        let asks = Ask::all(
            &[values.clone(), chart.clone(), both.clone()],
            &["v1".into(), "1.2.3".into()],
        );
        assert_eq!(asks.len(), 2);
        assert_eq!((&asks[0].source, &*asks[0].revision), (&chart, "1.2.3"));
        assert_eq!((&asks[1].source, &*asks[1].revision), (&both, ""));
        let refs = [(values, "v1".into()), (both, "".into())];
        assert_eq!(*asks[0].refs, refs);
    }
}
