//! What a HelmRelease wants: a chart of some source, rendered with its settings. Pure.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::super::document::{items, text};
use super::origin::{Artifact, Chart, Git, Origin, Origins, hindered, unread};
use super::reference;
use super::wants::{Purpose, Reference, ValuesAt};
use crate::domain::{
    AppKind, AppRef, Application, ClusterId, Name, Source, Unjudged, UnjudgedReason, Verbatim,
};

/// One HelmRelease, as far as its rendering goes.
#[derive(Clone, Debug)]
pub(super) struct Release {
    /// The object that its chart comes from: a HelmChart, or what `spec.chartRef` names.
    from: Option<AppRef>,
    /// The chart that its template asks for, where the HelmChart cannot be read.
    template: Option<Chart>,
    settings: Map<String, Value>,
    /// The version that was deployed last.
    version: Name,
    /// The digest of the values that it was deployed with.
    config: Name,
    /// The digest of the artifact that its chart came from, where it came from a registry's.
    artifact: Name,
    /// Why nothing of it can be told, whatever its chart.
    hindrance: Option<Unjudged>,
}

/// What is deployed and what is the target.
struct Rendered {
    /// The target.
    source: Source,
    /// What the newest release was made from.
    deployed: Source,
}

impl Release {
    /// Reads a HelmRelease.
    pub(super) fn of(object: &Value, holder: &ClusterId) -> Self {
        let own = text(object, "/metadata/namespace");
        let template = object.pointer("/spec/chart/spec");
        let template = template.map(|spec| Chart::wanted(spec, own, holder));
        Self {
            from: from(object, template.as_ref(), holder),
            template,
            settings: settings(object),
            version: text(object, "/status/history/0/chartVersion").into(),
            config: text(object, "/status/history/0/configDigest").into(),
            artifact: text(object, "/status/history/0/ociDigest").into(),
            hindrance: hindrance(object),
        }
    }

    /// Whether its rendering depends on a source.
    pub(super) fn leans_on(&self, id: &AppRef, origins: &Origins) -> bool {
        let chart = self.chart(origins).and_then(|chart| chart.source);
        self.from.as_ref() == Some(id) || chart.as_ref() == Some(id)
    }

    /// The chart, as its HelmChart says it or else as the template does.
    fn chart(&self, origins: &Origins) -> Option<Chart> {
        let known = self.from.as_ref().and_then(|from| origins.get(from));
        match known {
            Some(Origin::Chart(chart)) => Some((**chart).clone()),
            _ => self.template.clone(),
        }
    }

    /// Puts what has to be rendered into its row.
    ///
    /// # Errors
    /// Why nothing can be.
    pub(super) fn put_into(
        &self,
        row: &mut Application,
        origins: &Origins,
    ) -> Result<(), Unjudged> {
        let mut rendered = self.rendered(origins)?;
        rendered.deployed.flux = self.as_deployed(rendered.deployed.flux.as_ref());
        row.sources = vec![rendered.source];
        if let Some(newest) = row.history.last_mut() {
            newest.revision = rendered.deployed.target_revision.clone();
            newest.source = Some(rendered.deployed);
        }
        Ok(())
    }

    fn rendered(&self, origins: &Origins) -> Result<Rendered, Unjudged> {
        if let Some(why) = &self.hindrance {
            return Err(why.clone());
        }
        let known = self.from.as_ref().and_then(|from| origins.get(from));
        if let Some(Origin::Artifact(artifact)) = known {
            return self.of_artifact(artifact);
        }
        let Some(chart) = self.chart(origins) else {
            let from = self.from.as_ref().ok_or_else(no_chart)?;
            return Err(unread(from, origins.get(from)));
        };
        let repository = chart.source.as_ref().ok_or_else(no_chart)?;
        match origins.get(repository) {
            Some(Origin::Charts(url)) => Ok(self.of_repository(&chart, url)),
            Some(Origin::Git(git)) => self.of_git(&chart, git),
            other => Err(unread(repository, other)),
        }
    }

    /// A chart of a chart repository, at its versions.
    fn of_repository(&self, chart: &Chart, url: &Name) -> Rendered {
        let source = |version: &str| Source {
            repo_url: url.clone(),
            chart: chart.chart.clone(),
            target_revision: published(chart, version),
            flux: self.written(chart, version, ""),
            ..Source::default()
        };
        let target = match (&*chart.packaged, &*chart.version) {
            ("", "") => "*",
            ("", range) => range,
            (packaged, _) => packaged,
        };
        Rendered {
            deployed: source(&self.version),
            source: source(target),
        }
    }

    /// A chart of a Git repository, at the commits that it was packaged from.
    fn of_git(&self, chart: &Chart, git: &Git) -> Result<Rendered, Unjudged> {
        if let Some(why) = &git.hindrance {
            return Err(why.clone());
        }
        let newest = if chart.commit.is_empty() {
            &git.commit
        } else {
            &chart.commit
        };
        let source = |version: &str| {
            let (number, metadata) = version.split_once('+').unwrap_or((version, ""));
            let commit = metadata.split('.').next().unwrap_or_default();
            let (revision, packaged) = if chart.by_revision && !commit.is_empty() {
                (commit.into(), "")
            } else {
                (newest.clone(), number)
            };
            Source {
                repo_url: git.url.clone(),
                path: chart.chart.clone(),
                target_revision: revision,
                flux: self.written(chart, version, packaged),
                ..Source::default()
            }
        };
        Ok(Rendered {
            deployed: source(&self.version),
            source: source(&chart.packaged),
        })
    }

    /// A chart that is an artifact of a registry, at its digests.
    fn of_artifact(&self, artifact: &Artifact) -> Result<Rendered, Unjudged> {
        if self.artifact.is_empty() {
            return Err(hindered(
                UnjudgedReason::NotFound,
                "Its newest release does not tell which artifact its chart came from (status.history[0].ociDigest); it is told with the next release.".into(),
            ));
        }
        // Unless Flux is told not to, it puts the beginning of the digest into the chart's version.
        let tracks = self.version.contains('+');
        let source = |digest: &Name| {
            let mark = digest.trim_start_matches("sha256:").get(..HASH);
            let mark = mark.filter(|_| tracks).unwrap_or_default();
            let mut settings = self.settings.clone();
            settings.insert("versionMetadata".to_owned(), json!(mark));
            Source {
                repo_url: artifact.url.clone(),
                target_revision: digest.clone(),
                flux: Verbatim::of(json!({"release": settings, "layer": artifact.layer()})),
                ..Source::default()
            }
        };
        Ok(Rendered {
            deployed: source(&self.artifact),
            source: source(&artifact.digest),
        })
    }

    /// The settings, with the digest of the values that count.
    fn as_deployed(&self, written: Option<&Verbatim>) -> Option<Verbatim> {
        let mut settings = written?.value().clone();
        if let Some(Value::Object(release)) = settings.get_mut("release") {
            release.insert("configDigest".to_owned(), json!(*self.config));
        }
        Verbatim::of(settings)
    }

    /// The settings, with what the chart adds.
    fn written(&self, chart: &Chart, version: &str, packaged: &str) -> Option<Verbatim> {
        let mut settings = self.settings.clone();
        let files: Vec<&str> = chart.values_files.iter().map(|file| &**file).collect();
        settings.insert("valuesFiles".to_owned(), json!(files));
        let ignores = json!(chart.ignore_missing);
        settings.insert("ignoreMissingValuesFiles".to_owned(), ignores);
        settings.insert("packaged".to_owned(), json!(packaged));
        let metadata = version.split_once('+').map_or("", |(_, metadata)| metadata);
        settings.insert("versionMetadata".to_owned(), json!(metadata));
        Verbatim::of(json!({"release": settings}))
    }
}

/// A chart whose `values.yaml` Flux replaces has another version than the one that was published: what follows the plus is Flux's.
fn published(chart: &Chart, version: &str) -> Name {
    match version.split_once('+') {
        Some((published, _)) if !chart.values_files.is_empty() => published.into(),
        _ => version.into(),
    }
}

fn no_chart() -> Unjudged {
    hindered(
        UnjudgedReason::BadSource,
        "It names no chart; set spec.chart or spec.chartRef.".into(),
    )
}

/// What `spec.chartRef` names, or the HelmChart that Flux makes of the template.
fn from(object: &Value, template: Option<&Chart>, holder: &ClusterId) -> Option<AppRef> {
    let own = text(object, "/metadata/namespace");
    if let Some(named) = object.pointer("/spec/chartRef") {
        let kind = AppKind::parse(text(named, "/kind"))?;
        return Some(reference(named, kind, own, holder));
    }
    let source = template?.source.as_ref()?;
    let name = format!("{own}-{}", text(object, "/metadata/name"));
    Some(AppRef {
        hub: holder.clone(),
        kind: AppKind::HelmChart,
        namespace: source.namespace.clone(),
        name: name.into(),
    })
}

/// What is deployed of a release that did not end well, and with values that nobody states, is not told.
fn hindrance(object: &Value) -> Option<Unjudged> {
    let newest = object.pointer("/status/history/0")?;
    let status = text(newest, "/status");
    if status != "deployed" {
        let message = format!(
            "Its newest release is `{status}`, and not deployed: what of it has reached the cluster cannot be told. See why it is not ready."
        );
        return Some(hindered(UnjudgedReason::NeverDeployed, message));
    }
    let keeps = object.pointer("/spec/upgrade/preserveValues") == Some(&Value::Bool(true));
    (keeps && is_upgraded(object)).then(|| {
        hindered(
            UnjudgedReason::BadSource,
            "It keeps the values of earlier releases (spec.upgrade.preserveValues), and those are not known here; its verdict is Flux's.".into(),
        )
    })
}

fn is_upgraded(object: &Value) -> bool {
    let version = object.pointer("/status/history/0/version");
    match text(object, "/status/history/0/action") {
        "" => version.and_then(Value::as_i64).is_some_and(|v| v > 1),
        action => action != "install",
    }
}

/// The parts of the document that decide what is rendered.
fn settings(object: &Value) -> Map<String, Value> {
    let upgraded = is_upgraded(object);
    let last = if upgraded { "upgrade" } else { "install" };
    let of_last = |field: &str| object.pointer(&format!("/spec/{last}/{field}"));
    let mut settings = Map::new();
    for (key, pointer) in [
        ("values", "/spec/values"),
        ("postRenderers", "/spec/postRenderers"),
        ("commonMetadata", "/spec/commonMetadata"),
    ] {
        if let Some(value) = object.pointer(pointer).filter(|v| !v.is_null()) {
            settings.insert(key.to_owned(), value.clone());
        }
    }
    let replaces = of_last("crds").and_then(Value::as_str) == Some("CreateReplace");
    let skips = of_last("disableSchemaValidation") == Some(&Value::Bool(true));
    for (key, value) in [
        ("name", json!(release_name(object))),
        ("namespace", json!(namespace(object))),
        ("upgraded", json!(upgraded)),
        ("replacesCrds", json!(replaces)),
        ("skipSchemaValidation", json!(skips)),
    ] {
        settings.insert(key.to_owned(), value);
    }
    settings
}

fn namespace(object: &Value) -> &str {
    match text(object, "/spec/targetNamespace") {
        "" => text(object, "/metadata/namespace"),
        target => target,
    }
}

/// Bytes of a release's name, at most.
const NAME: usize = 53;
/// Characters of a hash that tell a shortened name from others.
const HASH: usize = 12;

/// `spec.releaseName`, else target namespace and name; what is too long is cut and told apart by a hash.
fn release_name(object: &Value) -> String {
    let name = text(object, "/metadata/name");
    let whole = match (
        text(object, "/spec/releaseName"),
        text(object, "/spec/targetNamespace"),
    ) {
        ("", "") => name.to_owned(),
        ("", target) => format!("{target}-{name}"),
        (own, _) => own.to_owned(),
    };
    if whole.len() <= NAME {
        return whole;
    }
    let hash: String = Sha256::digest(&whole)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let kept: String = whole.chars().take(NAME - HASH - 1).collect();
    format!("{kept}-{}", hash.get(..HASH).unwrap_or_default())
}

/// The ConfigMaps and Secrets that give values, in the order in which they count.
pub(super) fn references(object: &Value) -> impl Iterator<Item = Reference> {
    items(object, "/spec/valuesFrom").filter_map(|one| {
        let kind = text(one, "/kind");
        let key = match text(one, "/valuesKey") {
            "" => "values.yaml",
            key => key,
        };
        matches!(kind, "ConfigMap" | "Secret").then(|| Reference {
            secret: kind == "Secret",
            name: text(one, "/name").into(),
            optional: one.get("optional") == Some(&Value::Bool(true)),
            purpose: Purpose::Values(ValuesAt {
                key: key.into(),
                path: text(one, "/targetPath").into(),
                literal: one.get("literal") == Some(&Value::Bool(true)),
            }),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(spec: &Value, history: Value) -> Value {
        let mut object = json!({
            "metadata": {"name": "edge-microservice", "namespace": "apps"},
            "spec": {"chart": {"spec": {"chart": "web", "version": "1.x", "sourceRef": {"kind": "HelmRepository", "name": "stable"}}}},
            "status": {"history": [history]},
        });
        let fields = spec.as_object().unwrap().clone();
        object["spec"].as_object_mut().unwrap().extend(fields);
        object
    }

    fn deployed(version: &str) -> Value {
        json!({"status": "deployed", "chartVersion": version, "version": 1})
    }

    fn origin(kind: AppKind, name: &str, document: &Value) -> (AppRef, Origin) {
        let id = AppRef {
            hub: "edge-oslo-003".into(),
            kind,
            namespace: "apps".into(),
            name: name.into(),
        };
        let origin = Origin::of(kind, document, &"edge-oslo-003".into());
        (id, origin.unwrap())
    }

    fn stable() -> (AppRef, Origin) {
        let document = json!({"spec": {"url": "https://charts.example/stable"}});
        origin(AppKind::HelmRepository, "stable", &document)
    }

    fn chart(spec: &Value, status: &Value) -> (AppRef, Origin) {
        let document = json!({"metadata": {"namespace": "apps"}, "spec": spec, "status": status});
        origin(AppKind::HelmChart, "apps-edge-microservice", &document)
    }

    fn rendered(object: &Value, origins: Vec<(AppRef, Origin)>) -> Result<Rendered, Unjudged> {
        let release = Release::of(object, &"edge-oslo-003".into());
        release.rendered(&origins.into_iter().collect())
    }

    #[test]
    fn a_chart_of_a_repository_is_asked_for_at_the_deployed_and_at_the_packaged_version() {
        let spec = json!({"chart": "web", "version": "1.x", "sourceRef": {"kind": "HelmRepository", "name": "stable"}});
        let packaged = chart(&spec, &json!({"artifact": {"revision": "1.3.0"}}));
        let found = rendered(
            &object(&json!({}), deployed("1.2.0")),
            vec![stable(), packaged],
        );
        let found = found.unwrap();
        assert_eq!(
            (
                &*found.source.repo_url,
                &*found.source.chart,
                &*found.source.target_revision
            ),
            ("https://charts.example/stable", "web", "1.3.0")
        );
        assert_eq!(&*found.deployed.target_revision, "1.2.0");
        // Without the right to read HelmCharts the template says what is followed.
        let found = rendered(&object(&json!({}), deployed("1.2.0")), vec![stable()]).unwrap();
        assert_eq!(&*found.source.target_revision, "1.x");
    }

    #[test]
    fn what_flux_adds_to_a_version_is_not_asked_of_the_repository() {
        let spec = json!({"chart": "web", "valuesFiles": ["values-prod.yaml"], "sourceRef": {"kind": "HelmRepository", "name": "stable"}});
        let packaged = chart(&spec, &json!({"artifact": {"revision": "1.2.0+3"}}));
        let found = rendered(
            &object(&json!({}), deployed("1.2.0+3")),
            vec![stable(), packaged],
        );
        let found = found.unwrap();
        assert_eq!(&*found.deployed.target_revision, "1.2.0");
        let settings = found.source.flux.unwrap();
        assert_eq!(
            settings.value().pointer("/release/valuesFiles"),
            Some(&json!(["values-prod.yaml"]))
        );
    }

    #[test]
    fn a_chart_in_git_is_found_by_its_version_or_by_the_commit_in_it() {
        let git = json!({"spec": {"url": "https://git.example/fleet"}, "status": {"artifact": {"revision": "main@sha1:ccc"}}});
        let git = || origin(AppKind::GitRepository, "fleet", &git);
        let spec = json!({"chart": {"spec": {"chart": "./charts/web", "sourceRef": {"kind": "GitRepository", "name": "fleet"}}}});
        let found = rendered(&object(&spec, deployed("0.1.0")), vec![git()]).unwrap();
        let packaged = |source: &Source| {
            source
                .flux
                .as_ref()
                .unwrap()
                .value()
                .pointer("/release/packaged")
                .cloned()
        };
        let made_from = found.deployed;
        assert_eq!(
            (&*made_from.path, &*made_from.target_revision),
            ("./charts/web", "ccc")
        );
        assert_eq!(packaged(&made_from), Some(json!("0.1.0")));

        let by_revision = json!({"chart": "./charts/web", "reconcileStrategy": "Revision", "sourceRef": {"kind": "GitRepository", "name": "fleet"}});
        let status = json!({"artifact": {"revision": "0.1.0+bbbbbbbbbbbb"}, "observedSourceArtifactRevision": "main@sha1:bbb"});
        let found = rendered(
            &object(&spec, deployed("0.1.0+aaaaaaaaaaaa.2")),
            vec![git(), chart(&by_revision, &status)],
        );
        let found = found.unwrap();
        assert_eq!(&*found.deployed.target_revision, "aaaaaaaaaaaa");
        assert_eq!(&*found.source.target_revision, "bbbbbbbbbbbb");
        assert_eq!(packaged(&found.source), Some(json!("")));
    }

    #[test]
    fn what_stands_in_the_way_is_named() {
        let reason =
            |object: &Value, origins| rendered(object, origins).err().map(|why| why.reason);
        let failed = json!({"status": "failed", "chartVersion": "1.2.0"});
        assert_eq!(
            reason(&object(&json!({}), failed), vec![stable()]),
            Some(UnjudgedReason::NeverDeployed)
        );
        let keeps = object(
            &json!({"upgrade": {"preserveValues": true}}),
            json!({"status": "deployed", "version": 2}),
        );
        assert_eq!(
            reason(&keeps, vec![stable()]),
            Some(UnjudgedReason::BadSource)
        );
        assert_eq!(
            reason(&object(&json!({}), deployed("1.2.0")), vec![]),
            Some(UnjudgedReason::NotFound)
        );
        let artifact =
            json!({"chartRef": {"kind": "ExternalArtifact", "name": "web"}, "chart": null});
        assert_eq!(
            reason(&object(&artifact, deployed("1.2.0")), vec![]),
            Some(UnjudgedReason::NotFound)
        );
    }

    #[test]
    fn a_release_is_called_as_flux_calls_it() {
        let name = |spec: &Value| release_name(&object(spec, Value::Null));
        assert_eq!(name(&json!({})), "edge-microservice");
        assert_eq!(
            name(&json!({"targetNamespace": "edge"})),
            "edge-edge-microservice"
        );
        assert_eq!(
            name(&json!({"targetNamespace": "edge", "releaseName": "web"})),
            "web"
        );
        // The example of Flux's documentation.
        let long =
            json!({"releaseName": "a-very-lengthy-target-namespace-with-a-nice-object-name"});
        let name = name(&long);
        assert_eq!(
            (name.len(), name.get(..41)),
            (53, Some("a-very-lengthy-target-namespace-with-a-n-"))
        );
    }

    #[test]
    fn the_last_action_says_what_becomes_of_crds() {
        let crds = json!({"install": {"crds": "CreateReplace"}, "upgrade": {"crds": "Skip"}});
        let replaces = |history: Value| {
            settings(&object(&crds, history))
                .get("replacesCrds")
                .cloned()
        };
        assert_eq!(replaces(deployed("1.2.0")), Some(json!(true)));
        assert_eq!(replaces(json!({"version": 2})), Some(json!(false)));
        assert_eq!(
            replaces(json!({"version": 2, "action": "install"})),
            Some(json!(true))
        );
    }

    #[test]
    fn values_are_referred_to_in_their_order() {
        let spec = json!({"valuesFrom": [
            {"kind": "ConfigMap", "name": "site"},
            {"kind": "Secret", "name": "pins", "valuesKey": "pin", "targetPath": "db.pin", "optional": true, "literal": true},
            {"kind": "Other", "name": "x"},
        ]});
        let found: Vec<Reference> = references(&object(&spec, Value::Null)).collect();
        assert_eq!(found.len(), 2);
        let at = |key: &str, path: &str, literal| {
            Purpose::Values(ValuesAt {
                key: key.into(),
                path: path.into(),
                literal,
            })
        };
        assert_eq!(
            (found[0].secret, &found[0].purpose),
            (false, &at("values.yaml", "", false))
        );
        assert_eq!(
            (found[1].optional, &found[1].purpose),
            (true, &at("pin", "db.pin", true))
        );
    }
}
