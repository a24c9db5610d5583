//! What is asked: one source at a revision, with the sources that its value files may refer to, and for whom.

use std::sync::Arc;

use crate::domain::{Application, HistoryEntry, Name, Source, Unjudged, UnjudgedReason};

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

/// For whom is rendered: what a rendering program is told of the application and its cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Purpose {
    /// The application's name: the release name unless the source names another.
    pub app: Name,
    /// The destination's namespace.
    pub namespace: Name,
    /// The project.
    pub project: Name,
    /// The cluster's Kubernetes version, empty when it is not known.
    pub kube_version: Name,
    /// What the cluster serves, as `group/version` and `group/version/Kind`, sorted.
    pub api_versions: Arc<[Name]>,
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
