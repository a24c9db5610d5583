//! Selectors, the same for every command and screen: which clusters, applications and objects are meant.

use globset::{Glob, GlobMatcher};

use super::{AppRef, ClusterId, ObjectRef};

/// A glob over one name; `None` matches everything.
#[derive(Clone, Debug, Default)]
pub struct NameGlob(Option<(String, GlobMatcher)>);

impl NameGlob {
    /// Compiles a glob.
    ///
    /// # Errors
    /// A sentence that names the pattern and what is wrong with it.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let glob = Glob::new(pattern).map_err(|e| {
            format!(
                "The pattern `{pattern}` is not a glob: {}. Use * and ? as wildcards.",
                e.kind()
            )
        })?;
        Ok(Self(Some((pattern.to_owned(), glob.compile_matcher()))))
    }

    /// Whether the name is meant.
    pub fn matches(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|(_, glob)| glob.is_match(name))
    }

    /// The pattern, when there is one.
    pub fn pattern(&self) -> Option<&str> {
        self.0.as_ref().map(|(pattern, _)| pattern.as_str())
    }
}

/// Which part of the fleet a command is about. Empty parts match everything.
#[derive(Clone, Debug, Default)]
pub struct Selector {
    /// Row names.
    pub cluster: NameGlob,
    /// The hub's row name, exactly.
    pub hub: Option<ClusterId>,
    /// Application names.
    pub app: NameGlob,
    /// Kind, case ignored.
    pub kind: Option<String>,
    /// Namespace of the object.
    pub namespace: Option<String>,
    /// Name of the object.
    pub name: Option<String>,
}

impl Selector {
    /// Whether an object of an application on a cluster is meant.
    pub fn matches(&self, cluster: &ClusterId, app: &AppRef, object: &ObjectRef) -> bool {
        self.matches_app(Some(cluster), app) && self.matches_object(object)
    }

    /// Whether the application is meant; an unmatched destination has no cluster and passes only without `--cluster`.
    pub fn matches_app(&self, cluster: Option<&ClusterId>, app: &AppRef) -> bool {
        cluster.map_or(self.cluster.pattern().is_none(), |c| {
            self.cluster.matches(c.as_str())
        }) && self.hub.as_ref().is_none_or(|hub| *hub == app.hub)
            && self.app.matches(&app.name)
    }

    /// Whether the object is meant.
    pub fn matches_object(&self, object: &ObjectRef) -> bool {
        self.kind
            .as_ref()
            .is_none_or(|k| k.eq_ignore_ascii_case(&object.gvk.kind))
            && self
                .namespace
                .as_ref()
                .is_none_or(|n| **n == *object.namespace)
            && self.name.as_ref().is_none_or(|n| **n == *object.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Gvk;

    fn app() -> AppRef {
        AppRef {
            kind: crate::domain::AppKind::Application,
            hub: "hub-1".into(),
            namespace: "argocd".into(),
            name: "edge-microservice".into(),
        }
    }

    #[test]
    fn an_empty_selector_matches_everything() {
        let object = ObjectRef::new(Gvk::new("apps", "v1", "Deployment"), "edge", "web");
        assert!(Selector::default().matches(&"edge-oslo-001".into(), &app(), &object));
    }

    #[test]
    fn every_part_narrows() {
        let object = ObjectRef::new(Gvk::new("apps", "v1", "Deployment"), "edge", "web");
        let of = |s: Selector| s.matches(&"edge-oslo-001".into(), &app(), &object);
        assert!(of(Selector {
            cluster: NameGlob::new("edge-oslo-*").unwrap(),
            kind: Some("deployment".into()),
            ..Selector::default()
        }));
        assert!(!of(Selector {
            cluster: NameGlob::new("edge-paris-*").unwrap(),
            ..Selector::default()
        }));
        assert!(!of(Selector {
            hub: Some("hub-2".into()),
            ..Selector::default()
        }));
        assert!(!of(Selector {
            name: Some("api".into()),
            ..Selector::default()
        }));
        assert!(!of(Selector {
            namespace: Some("other".into()),
            ..Selector::default()
        }));
    }

    #[test]
    fn an_unmatched_destination_is_left_out_once_a_cluster_is_named() {
        assert!(Selector::default().matches_app(None, &app()));
        assert!(
            !Selector {
                cluster: NameGlob::new("edge-*").unwrap(),
                ..Selector::default()
            }
            .matches_app(None, &app())
        );
    }

    #[test]
    fn a_bad_glob_is_named() {
        assert!(NameGlob::new("edge-[").unwrap_err().contains("edge-["));
    }
}
