//! What a Kustomization needs beside its own document to be rendered: its source's artifact, ConfigMaps and Secrets. Pure.

use serde_json::{Map, Value, json};

use super::super::document::{items, text};
use super::commit;
use crate::domain::{AppKind, Application, Name, Source, Unjudged, UnjudgedReason, Verbatim};

/// What a GitRepository tells those that build from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The repository.
    pub url: Name,
    /// The commit of the artifact, empty while there is none.
    pub commit: Name,
    /// Branch, tag or range that it follows.
    pub reference: Name,
    /// `spec.ignore`.
    pub ignore: Name,
    /// Why the artifact is more than the commit.
    pub hindrance: Option<Unjudged>,
}

impl Origin {
    /// Reads a source; `None` for kinds that hold no Git repository.
    pub fn of(kind: AppKind, object: &Value) -> Option<Self> {
        (kind == AppKind::GitRepository).then(|| Self {
            url: text(object, "/spec/url").into(),
            commit: commit(text(object, "/status/artifact/revision")),
            reference: super::reference_of(object).into(),
            ignore: text(object, "/spec/ignore").into(),
            hindrance: more_than_the_commit(object),
        })
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
    /// The entry of that key, or `value`, or `value.yaml`, is the kubeconfig of another cluster (`spec.kubeConfig`).
    Kubeconfig(Name),
}

/// What one Kustomization wants, without what only others can tell.
#[derive(Clone, Debug)]
pub struct Wants {
    /// Its row.
    pub row: Application,
    settings: Map<String, Value>,
    path: Name,
    /// What has to be read for it.
    pub references: Vec<Reference>,
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
        if kind != AppKind::Kustomization {
            return None;
        }
        let spec = object.get("spec").and_then(Value::as_object);
        let settings = spec.into_iter().flatten();
        let settings = settings.filter(|(key, _)| RENDERING.contains(&key.as_str()));
        Some(Self {
            row: row.clone(),
            settings: settings.map(|(k, v)| (k.clone(), v.clone())).collect(),
            path: text(object, "/spec/path").into(),
            references: references(object),
        })
    }

    /// What the director knows the gifts of this application by.
    pub fn receiver(&self) -> Name {
        self.row.id.to_string().into()
    }

    /// The row with everything that its rendering needs; `stamp` says what was given to it.
    pub fn row(
        &self,
        origin: Option<&Origin>,
        stamp: Option<&Result<Name, Unjudged>>,
    ) -> Application {
        let mut row = self.row.clone();
        row.report.hindrance = self.hindrance(origin, stamp);
        let Some(origin) = origin else {
            return row;
        };
        let mut settings = self.settings.clone();
        settings.insert("sourceIgnore".into(), json!(*origin.ignore));
        if let Some(Ok(stamp)) = stamp {
            let given = json!({"to": *self.receiver(), "stamp": **stamp});
            settings.insert("given".into(), given);
        }
        row.sources = vec![Source {
            repo_url: origin.url.clone(),
            path: self.path.clone(),
            target_revision: origin.commit.clone(),
            flux: Verbatim::of(Value::Object(settings)),
            ..Source::default()
        }];
        row
    }

    fn hindrance(
        &self,
        origin: Option<&Origin>,
        stamp: Option<&Result<Name, Unjudged>>,
    ) -> Option<Unjudged> {
        let Some(origin) = origin else {
            return Some(self.unread_source());
        };
        let unread = stamp.and_then(|s| s.as_ref().err()).cloned();
        let waiting = || {
            let reads = !self.references.is_empty() && stamp.is_none();
            reads.then(|| {
                hindered(
                    UnjudgedReason::Pending,
                    "The ConfigMaps and Secrets that it refers to are still being read.".into(),
                )
            })
        };
        origin.hindrance.clone().or(unread).or_else(waiting)
    }

    fn unread_source(&self) -> Unjudged {
        let Some(source) = &self.row.report.source else {
            return hindered(
                UnjudgedReason::BadSource,
                "It names no source; set spec.sourceRef.".into(),
            );
        };
        let (kind, name) = (source.kind.word(), &source.name);
        if source.kind == AppKind::GitRepository {
            return hindered(
                UnjudgedReason::NotFound,
                format!(
                    "Its source {kind} {}/{name} is not there.",
                    source.namespace
                ),
            );
        }
        hindered(
            UnjudgedReason::BadSource,
            format!(
                "Its source is the {kind} {}/{name}, and artifacts of that kind are not fetched here; its verdict is Flux's.",
                source.namespace
            ),
        )
    }
}

fn hindered(reason: UnjudgedReason, message: String) -> Unjudged {
    Unjudged {
        reason,
        message: message.into(),
    }
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
    variables.chain(kubeconfig).collect()
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

    fn origin() -> Origin {
        let object = json!({"metadata": {"name": "fleet"}, "spec": {"url": "https://git.example/fleet", "ref": {"branch": "main"}, "ignore": "*.md"},
            "status": {"artifact": {"revision": "main@sha1:bbb"}}});
        Origin::of(AppKind::GitRepository, &object).unwrap()
    }

    #[test]
    fn source_settings_and_revisions_come_together() {
        let wants = wants(json!({"namePrefix": "oslo-", "timeout": "1m"}));
        let row = wants.row(Some(&origin()), None);
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
            reason(plain.row(None, None)).unwrap().0,
            UnjudgedReason::NotFound
        );
        let bucket = wants(json!({"sourceRef": {"kind": "Bucket", "name": "fleet"}}));
        assert!(
            reason(bucket.row(None, None))
                .unwrap()
                .1
                .contains("Bucket flux-system/fleet")
        );
        let from =
            wants(json!({"postBuild": {"substituteFrom": [{"kind": "Secret", "name": "vars"}]}}));
        assert_eq!(
            reason(from.row(Some(&origin()), None)).unwrap().0,
            UnjudgedReason::Pending
        );
        let refused = Err(hindered(UnjudgedReason::NoAccess, "no".into()));
        assert_eq!(
            reason(from.row(Some(&origin()), Some(&refused))).unwrap().0,
            UnjudgedReason::NoAccess
        );
        let given = from.row(Some(&origin()), Some(&Ok("u@7".into())));
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
