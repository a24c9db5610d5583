//! Which program a source needs: by its own settings, by what `.argocd-source.yaml` adds, by the files in its folder. Argo CD's rules.

use git2::{Oid, Repository, Tree};
use serde_json::{Value, json};

use crate::domain::{Source, Unjudged, UnjudgedReason, Verbatim};
use crate::drift::yaml::{self, Limits};

use super::links::{self, Target};
use super::tree::{broken, join, name_of};
use super::unjudged;

/// What renders a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Manifests as they are (and jsonnet among them).
    Directory,
    /// `kustomize build`.
    Kustomize,
    /// `helm template`.
    Helm,
    /// A Kustomization or a HelmRelease of Flux: kustomize or helm, with what Flux does before and after it.
    Flux,
}

/// The names that make a folder a kustomization.
pub(super) const KUSTOMIZATIONS: [&str; 3] =
    ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Decides by the settings alone; `None` leaves it to the files.
///
/// # Errors
/// `NeedsPlugin`, and `BadSource` for settings of several kinds at once.
pub(super) fn by_settings(source: &Source) -> Result<Option<Kind>, Unjudged> {
    if source.plugin {
        return Err(unjudged(
            UnjudgedReason::NeedsPlugin,
            "The source needs a config management plugin or is hydrated elsewhere, and plugins are never run here; the verdict is Argo CD's.",
        ));
    }
    // Nothing else counts for what Flux carries: a chart is named beside its settings.
    if source.flux.is_some() {
        return Ok(Some(Kind::Flux));
    }
    let directory = source.recurse
        || !source.include.is_empty()
        || !source.exclude.is_empty()
        || source.jsonnet.is_some();
    let mut kinds = [
        (source.kustomize.is_some(), Kind::Kustomize),
        (
            source.helm.is_some() || !source.chart.is_empty(),
            Kind::Helm,
        ),
        (directory, Kind::Directory),
    ]
    .into_iter()
    .filter_map(|(set, kind)| set.then_some(kind));
    match (kinds.next(), kinds.next()) {
        (Some(_), Some(_)) => Err(unjudged(
            UnjudgedReason::BadSource,
            "The source has settings of several kinds (kustomize, helm, directory), which Argo CD refuses too; leave one.",
        )),
        (kind, _) => Ok(kind),
    }
}

/// Decides by the files of the folder: a kustomization before a chart, else plain manifests.
pub(super) fn by_files(folder: &Tree<'_>) -> Kind {
    let names: Vec<String> = folder.iter().map(|e| name_of(&e)).collect();
    if names.iter().any(|n| KUSTOMIZATIONS.contains(&n.as_str())) {
        Kind::Kustomize
    } else if names.iter().any(|n| n.ends_with("Chart.yaml")) {
        Kind::Helm
    } else {
        Kind::Directory
    }
}

/// The source with what the folder's `.argocd-source.yaml`, then `.argocd-source-<application>.yaml`, lay over its settings.
///
/// Repository, path, revision and chart cannot be changed by them.
///
/// # Errors
/// `BadManifest` when one does not parse.
pub(super) fn with_overrides(
    repo: &Repository,
    root: Oid,
    path: &str,
    source: &Source,
    app: &str,
) -> Result<Source, Unjudged> {
    let mut names = vec![".argocd-source.yaml".to_owned()];
    if !app.is_empty() {
        names.push(format!(".argocd-source-{app}.yaml"));
    }
    let mut source = source.clone();
    for name in names {
        let file = join(path, &name);
        if let Target::File(blob, real) = links::resolve(repo, root, &file)?
            && real == file
        {
            let blob = repo.find_blob(blob).map_err(|e| broken(&e))?;
            source = overlaid(&source, blob.content()).map_err(|why| {
                let message =
                    format!("`{file}` does not parse: {why}. Correct the file and push it.");
                unjudged(UnjudgedReason::BadManifest, message)
            })?;
        }
    }
    Ok(source)
}

fn overlaid(source: &Source, text: &[u8]) -> Result<Source, String> {
    let limits = Limits {
        documents: 1,
        ..Limits::default()
    };
    let patches = yaml::parse_values(text, &limits).map_err(|e| e.to_string())?;
    let Some(patch) = patches.into_iter().next() else {
        return Ok(source.clone());
    };
    let settings = |v: &Option<Verbatim>| v.as_ref().map_or(Value::Null, |v| v.value().clone());
    let mut whole = json!({
        "helm": settings(&source.helm),
        "kustomize": settings(&source.kustomize),
        "directory": {
            "recurse": source.recurse,
            "include": *source.include,
            "exclude": *source.exclude,
            "jsonnet": settings(&source.jsonnet),
        },
        "plugin": source.plugin.then(|| json!({})),
    });
    json_patch::merge(&mut whole, &patch);
    let at = |pointer: &str| whole.pointer(pointer).cloned().unwrap_or_default();
    let text = |pointer: &str| at(pointer).as_str().unwrap_or_default().into();
    Ok(Source {
        helm: Verbatim::of(at("/helm")),
        kustomize: Verbatim::of(at("/kustomize")),
        plugin: !at("/plugin").is_null(),
        recurse: at("/directory/recurse") == Value::Bool(true),
        include: text("/directory/include"),
        exclude: text("/directory/exclude"),
        jsonnet: Verbatim::of(at("/directory/jsonnet")),
        ..source.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::testing::{FILE, Origin};

    #[test]
    fn settings_decide_before_files_and_not_two_at_once() {
        let plain = Source::default();
        assert_eq!(by_settings(&plain).unwrap(), None);
        let mut source = Source {
            kustomize: Verbatim::of(json!({"namePrefix": "oslo-"})),
            ..Source::default()
        };
        assert_eq!(by_settings(&source).unwrap(), Some(Kind::Kustomize));
        source.recurse = true;
        let why = by_settings(&source).unwrap_err();
        assert_eq!(why.reason, UnjudgedReason::BadSource);
        let nothing = Source {
            helm: Verbatim::of(json!({})),
            ..Source::default()
        };
        assert_eq!(by_settings(&nothing).unwrap(), None);
    }

    #[test]
    fn what_lies_beside_the_manifests_is_laid_over_the_source_and_cannot_move_it() {
        let origin = Origin::new();
        let root = origin.tree(&[
            (
                "edge/.argocd-source.yaml",
                FILE,
                origin.blob(b"path: elsewhere\nkustomize:\n  images: [web:2]\n"),
            ),
            (
                "edge/.argocd-source-web-oslo.yaml",
                FILE,
                origin.blob(b"kustomize:\n  images: [web:3]\n"),
            ),
        ]);
        let source = Source {
            path: "edge".into(),
            kustomize: Verbatim::of(json!({"namePrefix": "oslo-"})),
            ..Source::default()
        };
        let of = |app| with_overrides(&origin.repo, root, "edge", &source, app).unwrap();
        let images = |s: &Source| s.kustomize.as_ref().unwrap().value()["images"].clone();
        assert_eq!(images(&of("web-bergen")), json!(["web:2"]));
        let oslo = of("web-oslo");
        assert_eq!(images(&oslo), json!(["web:3"]));
        assert_eq!(oslo.kustomize.unwrap().value()["namePrefix"], "oslo-");
        assert_eq!(&*oslo.path, "edge");
    }
}
