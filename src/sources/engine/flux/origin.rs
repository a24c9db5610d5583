//! What the sources of Flux tell those that build or install from them. Pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::document::{items, text};
use super::{commit, reference};
use crate::domain::{AppKind, AppRef, ClusterId, Name, Unjudged, UnjudgedReason};

/// The sources of one cluster, by what they are called.
pub type Origins = BTreeMap<AppRef, Origin>;

/// One source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A GitRepository.
    Git(Git),
    /// The URL of a HelmRepository.
    Charts(Name),
    /// A HelmChart.
    Chart(Box<Chart>),
    /// An OCIRepository.
    Artifact(Artifact),
    /// A kind whose artifacts are not fetched here.
    Unfetched,
}

/// What a GitRepository tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Git {
    /// The repository.
    pub url: Name,
    /// The commit of the artifact, empty while there is none.
    pub commit: Name,
    /// `spec.ignore`.
    pub ignore: Name,
    /// Why the artifact is more than the commit.
    pub hindrance: Option<Unjudged>,
}

/// A chart that Flux packages, as a HelmChart or a HelmRelease's template of one says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chart {
    /// The repository that it is in.
    pub source: Option<AppRef>,
    /// Its name in a chart repository, or its path in another.
    pub chart: Name,
    /// The version or the range that is followed.
    pub version: Name,
    /// Files that stand in the place of its `values.yaml`.
    pub values_files: Vec<Name>,
    /// Whether such files may be missing.
    pub ignore_missing: bool,
    /// Whether it is packaged anew at every revision of its source.
    pub by_revision: bool,
    /// The version that is packaged, empty while none is.
    pub packaged: Name,
    /// The commit that its source had when it was looked at last, where it has commits.
    pub commit: Name,
}

/// What an OCIRepository tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Artifact {
    /// The repository of a registry.
    pub url: Name,
    /// The digest of the artifact's manifest, empty while there is none.
    pub digest: Name,
    /// The layer that is meant: the first of this type, or the first of all.
    pub media_type: Name,
    /// `spec.ignore`.
    pub ignore: Name,
}

/// The digest in a revision: `latest@sha256:9f31…`, or `sha256:9f31…` by itself.
pub(super) fn digest(revision: &str) -> Name {
    let digest = revision
        .rsplit_once('@')
        .map_or(revision, |(_, digest)| digest);
    digest.into()
}

impl Origin {
    /// Reads a source; `None` for kinds that are none.
    pub fn of(kind: AppKind, object: &Value, holder: &ClusterId) -> Option<Self> {
        Some(match kind {
            AppKind::GitRepository => Self::Git(Git {
                url: text(object, "/spec/url").into(),
                commit: commit(text(object, "/status/artifact/revision")),
                ignore: text(object, "/spec/ignore").into(),
                hindrance: more_than_the_commit(object),
            }),
            AppKind::HelmRepository => Self::Charts(text(object, "/spec/url").into()),
            AppKind::HelmChart => Self::Chart(Box::new(Chart::of(object, holder))),
            AppKind::OciRepository => Self::Artifact(Artifact {
                url: text(object, "/spec/url").into(),
                digest: digest(text(object, "/status/artifact/revision")),
                media_type: text(object, "/spec/layerSelector/mediaType").into(),
                ignore: text(object, "/spec/ignore").into(),
            }),
            AppKind::Bucket | AppKind::ExternalArtifact => Self::Unfetched,
            _ => return None,
        })
    }
}

impl Artifact {
    /// Which layer is meant, as a setting.
    pub(super) fn layer(&self) -> Value {
        json!({"mediaType": *self.media_type})
    }
}

impl Chart {
    fn of(object: &Value, holder: &ClusterId) -> Self {
        let spec = object.get("spec").unwrap_or(&Value::Null);
        Self {
            packaged: text(object, "/status/artifact/revision").into(),
            commit: commit(text(object, "/status/observedSourceArtifactRevision")),
            ..Self::wanted(spec, text(object, "/metadata/namespace"), holder)
        }
    }

    /// The chart that a spec wants; nothing is packaged yet.
    pub fn wanted(spec: &Value, namespace: &str, holder: &ClusterId) -> Self {
        let source = spec.get("sourceRef");
        let files = items(spec, "/valuesFiles").filter_map(Value::as_str);
        Self {
            source: source.and_then(|source| {
                let kind = AppKind::parse(text(source, "/kind"))?;
                Some(reference(source, kind, namespace, holder))
            }),
            chart: text(spec, "/chart").into(),
            version: text(spec, "/version").into(),
            values_files: files.map(Name::from).collect(),
            ignore_missing: spec.get("ignoreMissingValuesFiles") == Some(&Value::Bool(true)),
            by_revision: text(spec, "/reconcileStrategy") == "Revision",
            ..Self::default()
        }
    }
}

fn more_than_the_commit(object: &Value) -> Option<Unjudged> {
    let what = if items(object, "/spec/include").next().is_some() {
        "includes artifacts of other repositories (spec.include)"
    } else if object.pointer("/spec/recurseSubmodules") == Some(&Value::Bool(true)) {
        "includes submodules (spec.recurseSubmodules)"
    } else {
        return None;
    };
    Some(hindered(
        UnjudgedReason::BadSource,
        format!(
            "Its source GitRepository {} {what}, and those are not read here; its verdict is Flux's.",
            text(object, "/metadata/name")
        ),
    ))
}

/// Why nothing is read from a source that has no origin, or one that is not fetched.
pub(super) fn unread(source: &AppRef, known: Option<&Origin>) -> Unjudged {
    let (kind, name) = (source.kind.word(), &source.name);
    let of = format!("{kind} {}/{name}", source.namespace);
    if known.is_none() {
        let message = format!("Its source {of} is not there, or may not be read here.");
        return hindered(UnjudgedReason::NotFound, message);
    }
    hindered(
        UnjudgedReason::BadSource,
        format!(
            "Its source is the {of}, and artifacts of that kind are not fetched here; its verdict is Flux's."
        ),
    )
}

pub(super) fn hindered(reason: UnjudgedReason, message: String) -> Unjudged {
    Unjudged {
        reason,
        message: message.into(),
    }
}
