//! The kinds of documents that engines keep, and what each is to the fleet.

use serde::{Deserialize, Serialize};

use super::Engine;

/// A kind of an engine's document.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum AppKind {
    /// Argo CD's Application.
    #[default]
    Application,
    /// Argo CD's ApplicationSet.
    ApplicationSet,
    /// Flux: applies a folder.
    Kustomization,
    /// Flux: installs a chart.
    HelmRelease,
    /// flux-operator: installs Flux itself.
    FluxInstance,
    /// flux-operator: applies templates.
    ResourceSet,
    /// Flux source.
    GitRepository,
    /// Flux source.
    #[serde(rename = "OCIRepository")]
    OciRepository,
    /// Flux source.
    HelmRepository,
    /// Flux source.
    HelmChart,
    /// Flux source.
    Bucket,
    /// Flux source that somebody else fills.
    ExternalArtifact,
}

impl AppKind {
    /// All kinds of Flux and its operator.
    pub const FLUX: [Self; 10] = [
        Self::Kustomization,
        Self::HelmRelease,
        Self::FluxInstance,
        Self::ResourceSet,
        Self::GitRepository,
        Self::OciRepository,
        Self::HelmRepository,
        Self::HelmChart,
        Self::Bucket,
        Self::ExternalArtifact,
    ];

    /// The kinds that source-controller fetches.
    pub const FETCHED: [Self; 5] = [
        Self::GitRepository,
        Self::OciRepository,
        Self::HelmRepository,
        Self::HelmChart,
        Self::Bucket,
    ];

    /// The kind as Kubernetes spells it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Application => "Application",
            Self::ApplicationSet => "ApplicationSet",
            Self::Kustomization => "Kustomization",
            Self::HelmRelease => "HelmRelease",
            Self::FluxInstance => "FluxInstance",
            Self::ResourceSet => "ResourceSet",
            Self::GitRepository => "GitRepository",
            Self::OciRepository => "OCIRepository",
            Self::HelmRepository => "HelmRepository",
            Self::HelmChart => "HelmChart",
            Self::Bucket => "Bucket",
            Self::ExternalArtifact => "ExternalArtifact",
        }
    }

    /// The kind with this spelling.
    pub fn parse(word: &str) -> Option<Self> {
        let argo = [Self::Application, Self::ApplicationSet];
        let mut all = argo.into_iter().chain(Self::FLUX);
        all.find(|kind| kind.word() == word)
    }

    /// Its API group.
    pub fn group(self) -> &'static str {
        match self {
            Self::Application | Self::ApplicationSet => "argoproj.io",
            Self::Kustomization => "kustomize.toolkit.fluxcd.io",
            Self::HelmRelease => "helm.toolkit.fluxcd.io",
            Self::FluxInstance | Self::ResourceSet => "fluxcd.controlplane.io",
            Self::GitRepository
            | Self::OciRepository
            | Self::HelmRepository
            | Self::HelmChart
            | Self::Bucket
            | Self::ExternalArtifact => "source.toolkit.fluxcd.io",
        }
    }

    /// Whose kind it is.
    pub fn engine(self) -> Engine {
        match self {
            Self::Application | Self::ApplicationSet => Engine::Argo,
            _ => Engine::Flux,
        }
    }

    /// Whether it brings objects to a cluster, and so counts among the applications; the others provide or generate.
    pub fn applies(self) -> bool {
        matches!(
            self,
            Self::Application
                | Self::Kustomization
                | Self::HelmRelease
                | Self::FluxInstance
                | Self::ResourceSet
        )
    }

    /// Whether what it wants can be rendered here, and so is judged.
    pub fn is_rendered(self) -> bool {
        matches!(
            self,
            Self::Application | Self::Kustomization | Self::HelmRelease
        )
    }

    /// Whether it is Argo CD's Application, the default.
    pub fn is_application(&self) -> bool {
        *self == Self::Application
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_written_and_read_by_its_own_spelling() {
        for kind in AppKind::FLUX {
            assert_eq!(AppKind::parse(kind.word()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.word());
        }
        assert_eq!(AppKind::parse("Rollout"), None);
    }
}
