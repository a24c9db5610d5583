//! A field of configuration that the matrix compares: which objects, and where in them. Values of Secrets are never read for it.

use std::collections::BTreeSet;

use super::screens::{Ctx, MatrixScreen};
use crate::domain::{ObjectRef, Safe};

/// Most words offered.
const OFFERED: usize = 8;

/// Objects by kind and name, and a path in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    kind: String,
    /// `*` for any.
    name: String,
    path: String,
}

impl Field {
    /// Reads `ConfigMap/edge-config data.LOG_LEVEL`, `Deployment/* env.LOG_LEVEL`.
    ///
    /// # Errors
    /// What is missing or refused, in a sentence.
    pub fn parse(text: &str) -> Result<Self, Safe> {
        let form = "Write the object and the path, such as ConfigMap/edge-config data.LOG_LEVEL or Deployment/* env.LOG_LEVEL.";
        let (object, path) = text.trim().split_once(' ').ok_or(Safe::fixed(form))?;
        let (kind, name) = object.split_once('/').unwrap_or((object, "*"));
        let path = path.trim();
        if kind.is_empty() || name.is_empty() || path.is_empty() {
            return Err(Safe::fixed(form));
        }
        if kind.eq_ignore_ascii_case("secret") || kind.eq_ignore_ascii_case("secrets") {
            return Err(Safe::fixed(
                "Values of Secrets are never shown; choose a field of another kind.",
            ));
        }
        Ok(Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            path: path.to_owned(),
        })
    }

    /// Where in the objects.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether an object is meant.
    pub fn means(&self, object: &ObjectRef) -> bool {
        object.gvk.kind.eq_ignore_ascii_case(&self.kind)
            && (self.name == "*" || *object.name == *self.name)
    }
}

impl std::fmt::Display for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{} {}", self.kind, self.name, self.path)
    }
}

/// What the typed text could go on as: objects of the selected application, then paths in them.
pub fn offers(screen: &MatrixScreen, text: &str, ctx: &Ctx<'_>) -> Vec<String> {
    let placements = screen.placed();
    let resources = placements.flat_map(|p| ctx.fleet.resources_of(&p.app));
    let mut all = BTreeSet::new();
    let Some((object, _)) = text.split_once(' ') else {
        for resource in resources.filter(|r| &*r.object.gvk.kind != "Secret") {
            let object = &resource.object;
            all.insert(format!("{}/{} ", object.gvk.kind, object.name));
            all.insert(format!("{}/* ", object.gvk.kind));
        }
        return fitting(all, text);
    };
    let Ok(field) = Field::parse(&format!("{object} x")) else {
        return Vec::new();
    };
    for path in usual_paths(&field.kind) {
        all.insert(format!("{object} {path}"));
    }
    for resource in resources.filter(|r| field.means(&r.object)) {
        let changes = resource.verdict.changes.iter();
        all.extend(changes.map(|change| format!("{object} {}", change.path)));
    }
    fitting(all, text)
}

fn fitting(all: BTreeSet<String>, text: &str) -> Vec<String> {
    let begun = text.to_lowercase();
    let fits = |offer: &String| offer.to_lowercase().starts_with(&begun);
    all.into_iter().filter(fits).take(OFFERED).collect()
}

fn usual_paths(kind: &str) -> &'static [&'static str] {
    match kind {
        "ConfigMap" => &["data."],
        "Deployment" | "StatefulSet" | "DaemonSet" => &[
            "env.",
            "spec.replicas",
            "spec.template.spec.containers[0].image",
            "spec.template.spec.containers[0].resources.limits.memory",
        ],
        _ => &["spec."],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Gvk;

    #[test]
    fn objects_are_meant_by_kind_and_name() {
        let field = Field::parse("configmap/edge-config data.LOG_LEVEL").unwrap();
        let object = |name| ObjectRef::new(Gvk::new("", "v1", "ConfigMap"), "edge", name);
        assert!(field.means(&object("edge-config")) && !field.means(&object("other")));
        let any = Field::parse("ConfigMap data.LOG_LEVEL").unwrap();
        assert!(any.means(&object("other")));
        assert_eq!(any.to_string(), "ConfigMap/* data.LOG_LEVEL");
    }

    #[test]
    fn a_secret_is_refused_and_so_is_half_a_field() {
        assert!(
            Field::parse("Secret/db data.password")
                .unwrap_err()
                .as_str()
                .contains("Secrets")
        );
        assert!(Field::parse("ConfigMap/edge-config").is_err());
        assert!(Field::parse("/x data.y").is_err());
    }
}
