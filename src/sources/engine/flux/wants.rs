//! What a Kustomization or a HelmRelease needs beside its own document to be rendered: its source's artifact, ConfigMaps and Secrets. Pure.

use serde_json::{Map, Value, json};

use super::super::document::{items, text};
use super::origin::{Origin, Origins, digest, hindered, unread};
use super::release::Release;
use crate::domain::{
    AppKind, AppRef, Application, Name, Source, Unjudged, UnjudgedReason, Verbatim,
};

/// A ConfigMap or a Secret that is read for a rendering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Whether it is a Secret.
    pub secret: bool,
    /// Its name, in the namespace of whoever refers to it.
    pub name: Name,
    /// Whether it may be missing.
    pub optional: bool,
    /// What it is read for.
    pub purpose: Purpose,
}

/// What a ConfigMap or Secret is read for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Each of its entries is a variable (`spec.postBuild.substituteFrom`).
    Variables,
    /// One of its entries gives values (`spec.valuesFrom`).
    Values(ValuesAt),
    /// The entry of that key, or `value`, or `value.yaml`, is the kubeconfig of another cluster (`spec.kubeConfig`).
    Kubeconfig(Name),
}

/// Where values stand in a ConfigMap or Secret, and where they are set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuesAt {
    /// The entry.
    pub key: Name,
    /// The path that its value is set at; empty for a document of values.
    pub path: Name,
    /// Whether the value is taken as it is.
    pub literal: bool,
}

/// What one Kustomization or HelmRelease wants, without what only others can tell.
#[derive(Clone, Debug)]
pub struct Wants {
    /// Its row.
    pub row: Application,
    /// What has to be read for it.
    pub references: Vec<Reference>,
    what: What,
}

/// What is rendered.
#[derive(Clone, Debug)]
enum What {
    /// A folder of its source.
    Folder {
        settings: Map<String, Value>,
        path: Name,
    },
    /// A chart.
    Release(Box<Release>),
}

/// The parts of a Kustomization's spec that decide what it renders.
const RENDERING: [&str; 12] = [
    "targetNamespace",
    "namePrefix",
    "nameSuffix",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "images",
    "components",
    "ignoreMissingComponents",
    "commonMetadata",
    "postBuild",
    "decryption",
];

impl Wants {
    /// Reads a document; `None` for kinds that are not rendered.
    pub fn of(kind: AppKind, object: &Value, row: &Application) -> Option<Self> {
        let what = match kind {
            AppKind::Kustomization => What::folder(object),
            AppKind::HelmRelease => What::Release(Box::new(Release::of(object, &row.id.hub))),
            _ => return None,
        };
        Some(Self {
            row: row.clone(),
            references: references(object),
            what,
        })
    }

    /// What the director knows the gifts of this application by.
    pub fn receiver(&self) -> Name {
        self.row.id.to_string().into()
    }

    /// Whether its rendering depends on a source.
    pub fn leans_on(&self, id: &AppRef, origins: &Origins) -> bool {
        self.row.report.source.as_ref() == Some(id)
            || matches!(&self.what, What::Release(release) if release.leans_on(id, origins))
    }

    /// The row with everything that its rendering needs; `stamp` says what was given to it.
    pub fn row(&self, origins: &Origins, stamp: Option<&Result<Name, Unjudged>>) -> Application {
        let mut row = self.row.clone();
        let put = match &self.what {
            What::Folder { settings, path } => self.folder(&mut row, settings, path, origins),
            What::Release(release) => release.put_into(&mut row, origins),
        };
        if let Some(Ok(stamp)) = stamp {
            let given = json!({"to": *self.receiver(), "stamp": **stamp});
            let deployed = row.history.iter_mut().filter_map(|h| h.source.as_mut());
            row.sources
                .iter_mut()
                .chain(deployed)
                .for_each(|source| source.flux = with_given(source.flux.as_ref(), &given));
        }
        row.report.hindrance = put.err().or_else(|| self.unread(stamp));
        row
    }

    fn folder(
        &self,
        row: &mut Application,
        settings: &Map<String, Value>,
        path: &Name,
        origins: &Origins,
    ) -> Result<(), Unjudged> {
        let source = row.report.source.as_ref().ok_or_else(|| {
            let message = "It names no source; set spec.sourceRef.";
            hindered(UnjudgedReason::BadSource, message.into())
        })?;
        let mut settings = settings.clone();
        let (url, revision, hindrance) = match origins.get(source) {
            Some(Origin::Git(git)) => {
                settings.insert("sourceIgnore".into(), json!(*git.ignore));
                (&git.url, &git.commit, git.hindrance.clone())
            }
            Some(Origin::Artifact(artifact)) => {
                settings.insert("sourceIgnore".into(), json!(*artifact.ignore));
                settings.insert("layer".into(), artifact.layer());
                if let Some(newest) = row.history.last_mut() {
                    newest.revision = digest(&newest.revision);
                }
                (&artifact.url, &artifact.digest, None)
            }
            other => return Err(unread(source, other)),
        };
        row.sources = vec![Source {
            repo_url: url.clone(),
            path: path.clone(),
            target_revision: revision.clone(),
            flux: Verbatim::of(Value::Object(settings)),
            ..Source::default()
        }];
        hindrance.map_or(Ok(()), Err)
    }

    /// Why what it refers to is not there yet, or not at all.
    fn unread(&self, stamp: Option<&Result<Name, Unjudged>>) -> Option<Unjudged> {
        match stamp {
            Some(Err(why)) => Some(why.clone()),
            None if !self.references.is_empty() => Some(hindered(
                UnjudgedReason::Pending,
                "The ConfigMaps and Secrets that it refers to are still being read.".into(),
            )),
            _ => None,
        }
    }
}

impl What {
    fn folder(object: &Value) -> Self {
        let spec = object.get("spec").and_then(Value::as_object);
        let settings = spec.into_iter().flatten();
        let settings = settings.filter(|(key, _)| RENDERING.contains(&key.as_str()));
        Self::Folder {
            settings: settings.map(|(k, v)| (k.clone(), v.clone())).collect(),
            path: text(object, "/spec/path").into(),
        }
    }
}

/// Settings that say what was given to their application.
fn with_given(settings: Option<&Verbatim>, given: &Value) -> Option<Verbatim> {
    let mut settings = settings.map_or_else(|| json!({}), |s| s.value().clone());
    if let Some(fields) = settings.as_object_mut() {
        fields.insert("given".into(), given.clone());
    }
    Verbatim::of(settings)
}

fn references(object: &Value) -> Vec<Reference> {
    let variables = items(object, "/spec/postBuild/substituteFrom").filter_map(|one| {
        let kind = text(one, "/kind");
        matches!(kind, "ConfigMap" | "Secret").then(|| Reference {
            secret: kind == "Secret",
            name: text(one, "/name").into(),
            optional: one.get("optional") == Some(&Value::Bool(true)),
            purpose: Purpose::Variables,
        })
    });
    let kubeconfig = object.pointer("/spec/kubeConfig/secretRef");
    let kubeconfig = kubeconfig.map(|reference| Reference {
        secret: true,
        name: text(reference, "/name").into(),
        // What stands in it is of use only if it may be read.
        optional: true,
        purpose: Purpose::Kubeconfig(text(reference, "/key").into()),
    });
    variables
        .chain(super::release::references(object))
        .chain(kubeconfig)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::engine::flux::row;

    fn wants(spec: Value) -> Wants {
        let mut object = json!({
            "metadata": {"name": "infra", "namespace": "flux-system"},
            "spec": {"path": "./infra", "sourceRef": {"kind": "GitRepository", "name": "fleet"}, "interval": "10m"},
            "status": {"lastAppliedRevision": "main@sha1:aaa"},
        });
        object["spec"]
            .as_object_mut()
            .unwrap()
            .extend(spec.as_object().unwrap().clone());
        let row = row(AppKind::Kustomization, &object, &"edge-oslo-003".into());
        Wants::of(AppKind::Kustomization, &object, &row).unwrap()
    }

    fn origins() -> Origins {
        let object = json!({"metadata": {"name": "fleet"}, "spec": {"url": "https://git.example/fleet", "ref": {"branch": "main"}, "ignore": "*.md"},
            "status": {"artifact": {"revision": "main@sha1:bbb"}}});
        let holder = "edge-oslo-003".into();
        let origin = Origin::of(AppKind::GitRepository, &object, &holder).unwrap();
        let id = wants(json!({})).row.report.source.unwrap();
        [(id, origin)].into()
    }

    #[test]
    fn source_settings_and_revisions_come_together() {
        let wants = wants(json!({"namePrefix": "oslo-", "timeout": "1m"}));
        let row = wants.row(&origins(), None);
        assert_eq!(row.report.hindrance, None);
        let source = row.sources.first().unwrap();
        assert_eq!(&*source.repo_url, "https://git.example/fleet");
        assert_eq!(
            (&*source.path, &*source.target_revision),
            ("./infra", "bbb")
        );
        assert_eq!(&*row.deployed_revision().unwrap().revision, "aaa");
        let settings = source.flux.as_ref().unwrap().value();
        assert_eq!(
            settings,
            &json!({"namePrefix": "oslo-", "sourceIgnore": "*.md"})
        );
    }

    #[test]
    fn what_stands_in_the_way_is_named() {
        let reason = |row: Application| {
            row.report
                .hindrance
                .map(|h| (h.reason, h.message.to_string()))
        };
        let plain = wants(json!({}));
        assert_eq!(
            reason(plain.row(&Origins::new(), None)).unwrap().0,
            UnjudgedReason::NotFound
        );
        let bucket = wants(json!({"sourceRef": {"kind": "Bucket", "name": "fleet"}}));
        assert!(
            reason(bucket.row(&Origins::new(), None))
                .unwrap()
                .1
                .contains("Bucket flux-system/fleet")
        );
        let from =
            wants(json!({"postBuild": {"substituteFrom": [{"kind": "Secret", "name": "vars"}]}}));
        assert_eq!(
            reason(from.row(&origins(), None)).unwrap().0,
            UnjudgedReason::Pending
        );
        let refused = Err(hindered(UnjudgedReason::NoAccess, "no".into()));
        assert_eq!(
            reason(from.row(&origins(), Some(&refused))).unwrap().0,
            UnjudgedReason::NoAccess
        );
        let given = from.row(&origins(), Some(&Ok("u@7".into())));
        assert_eq!(reason(given.clone()), None);
        let settings = given.sources.first().unwrap().flux.clone().unwrap();
        assert_eq!(
            settings.value().get("given"),
            Some(&json!({"to": "edge-oslo-003/flux-system/Kustomization/infra", "stamp": "u@7"}))
        );
    }

    #[test]
    fn references_are_read_with_what_they_are_for() {
        let wants = wants(json!({
            "postBuild": {"substituteFrom": [{"kind": "ConfigMap", "name": "site", "optional": true}, {"kind": "Secret", "name": "pins"}]},
            "kubeConfig": {"secretRef": {"name": "ber-017", "key": "config"}},
        }));
        let names: Vec<_> = wants
            .references
            .iter()
            .map(|r| (&*r.name, r.secret, r.optional))
            .collect();
        assert_eq!(
            names,
            [
                ("site", false, true),
                ("pins", true, false),
                ("ber-017", true, true)
            ]
        );
        assert_eq!(
            wants.references[2].purpose,
            Purpose::Kubeconfig("config".into())
        );
    }
}
