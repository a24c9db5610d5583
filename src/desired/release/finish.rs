//! What becomes of rendered objects: the marks that Helm and Flux set, and what Secrets gave sealed.

use serde_json::Value;

use super::Release;
use super::values::Values;
use crate::desired::flux::CommonMetadata;
use crate::desired::helm;
use crate::desired::manifest;
use crate::desired::render::Reading;
use crate::desired::taint::{NamesAField, Taint};
use crate::desired::unjudged;
use crate::domain::{ObjectRef, Unjudged, UnjudgedReason};
use crate::drift::seal::SealKey;
use crate::drift::yaml::Limits;

/// One object, and the file that it was made from.
pub(super) type Made = (String, Value);

/// What one run gave: the templates' objects, and the CRDs that stand beside them in the chart.
#[derive(Clone, Debug, Default)]
pub(in crate::desired) struct Printed {
    /// What the templates gave, in one text with the comments that name their files.
    pub(in crate::desired) templates: String,
    /// The CRDs, with their files.
    pub(super) crds: Vec<(String, String)>,
}

impl Printed {
    /// Takes apart what `helm template` printed.
    ///
    /// # Errors
    /// `BadManifest` for what is no text.
    pub(in crate::desired) fn of(release: &Release, text: &[u8]) -> Result<Self, Unjudged> {
        let folder = release.helm.folder();
        let text = std::str::from_utf8(text).map_err(|_| no_text(folder))?;
        let mut printed = Self::default();
        for (file, part) in helm::parts_of(text, folder) {
            if is_beside_templates(&file, folder) {
                printed.crds.push((file, part.to_owned()));
            } else {
                printed.templates.push_str("---\n");
                printed.templates.push_str(part);
            }
        }
        Ok(printed)
    }
}

fn no_text(folder: &str) -> Unjudged {
    let message = format!("What is rendered from the chart in `{folder}/` is no text.");
    unjudged(UnjudgedReason::BadManifest, message)
}

/// Whether a file is a CRD of a chart's `crds` folder, or of one that it carries.
fn is_beside_templates(file: &str, folder: &str) -> bool {
    let mut path = file
        .strip_prefix(folder)
        .unwrap_or(file)
        .trim_start_matches('/');
    while let Some((_, below)) = path.strip_prefix("charts/").and_then(|p| p.split_once('/')) {
        path = below;
    }
    path.starts_with("crds/")
}

/// What the runs of one release gave.
#[derive(Debug, Default)]
pub(in crate::desired) struct Runs {
    /// With what it is installed with.
    pub(in crate::desired) clear: Printed,
    /// With what Secrets gave changed; an error when that cannot be rendered, nothing when Secrets gave nothing of the kind.
    pub(in crate::desired) changed: Option<Result<Printed, Unjudged>>,
    /// With every yes and no turned over, likewise.
    pub(in crate::desired) flipped: Option<Result<Printed, Unjudged>>,
}

/// Takes in what the runs gave; with a key, what Secrets gave is sealed.
///
/// # Errors
/// What is no manifest; `BadManifest` when a value of a Secret names a field.
pub(in crate::desired) fn take_in(
    reading: &mut Reading<'_>,
    release: &Release,
    runs: &Runs,
    key: Option<&SealKey>,
) -> Result<(), Unjudged> {
    let objects = release.objects(&runs.clear);
    let mut objects = objects.map_err(|why| release.said(why))?;
    if let Some(key) = key.filter(|_| release.values.has_secrets()) {
        let seal = Sealing::of(release, runs, key);
        for (file, object) in &mut objects {
            seal.object(object)
                .map_err(|NamesAField| names_a_field(file))?;
        }
    }
    let mut bytes = runs.clear.templates.len();
    for (file, object) in objects {
        reading.take(&file, std::mem::take(&mut bytes), vec![object])?;
    }
    Ok(())
}

impl Release {
    /// The objects of a run, with the marks that Helm sets; CRDs beside the templates get none of them.
    pub(super) fn objects(&self, printed: &Printed) -> Result<Vec<Made>, Unjudged> {
        let folder = self.helm.folder();
        let mut objects = Vec::new();
        for (file, part) in helm::parts_of(&printed.templates, folder) {
            for mut object in manifest::printed(&file, part.as_bytes(), &limits())? {
                self.settings.common_metadata.set_on(&mut object);
                self.helm_metadata().set_on(&mut object);
                objects.push((file.clone(), object));
            }
        }
        for (file, part) in printed.crds.iter().filter(|_| self.settings.replaces_crds) {
            let crds = manifest::printed(file, part.as_bytes(), &limits())?;
            objects.extend(crds.into_iter().map(|crd| (file.clone(), crd)));
        }
        Ok(objects)
    }

    /// What Helm sets on everything that it installs (Helm, `pkg/action`, ownership of objects).
    fn helm_metadata(&self) -> CommonMetadata {
        let entry = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        CommonMetadata {
            labels: [entry("app.kubernetes.io/managed-by", "Helm")].into(),
            annotations: [
                entry("meta.helm.sh/release-name", &self.settings.name),
                entry("meta.helm.sh/release-namespace", &self.settings.namespace),
            ]
            .into(),
        }
    }
}

fn limits() -> Limits {
    Limits {
        bytes: 64 << 20,
        nodes: 4_000_000,
        ..Limits::default()
    }
}

/// How what Secrets gave is told apart.
struct Sealing<'s> {
    key: &'s SealKey,
    values: &'s Values,
    /// The counterparts; `None` when one of them cannot be made, and nothing can be told apart.
    changed: Option<Vec<Made>>,
    /// The objects with every yes and no turned over; `None` when they cannot be made.
    flipped: Option<Vec<Made>>,
}

impl<'s> Sealing<'s> {
    fn of(release: &'s Release, runs: &Runs, key: &'s SealKey) -> Self {
        let objects = |run: &Option<Result<Printed, Unjudged>>| match run {
            None => Some(release.objects(&runs.clear).unwrap_or_default()),
            Some(Ok(printed)) => release.objects(printed).ok(),
            Some(Err(_)) => None,
        };
        Self {
            key,
            values: &release.values,
            changed: objects(&runs.changed),
            flipped: objects(&runs.flipped),
        }
    }

    fn object(&self, object: &mut Value) -> Result<(), NamesAField> {
        let names = |name: &str| self.may_name(name);
        let taint = Taint {
            key: self.key,
            names: &names,
        };
        let Some(changed) = &self.changed else {
            taint.seal_all(object);
            return Ok(());
        };
        self.seal_by(&taint, object, changed)?;
        match &self.flipped {
            Some(flipped) => self.seal_by(&taint, object, flipped),
            // A chart may not be made for the other answer: then every yes and no may be the Secret's.
            None => {
                seal_flags(object, &taint);
                Ok(())
            }
        }
    }

    fn seal_by(
        &self,
        taint: &Taint<'_>,
        object: &mut Value,
        others: &[Made],
    ) -> Result<(), NamesAField> {
        match others.iter().find(|(_, other)| same(object, other)) {
            Some((_, other)) => taint.seal(object, other),
            None => {
                taint.seal_all(object);
                Ok(())
            }
        }
    }

    /// Whether a field's name holds what a Secret gave. What is too short to tell is no name that anybody would look for.
    fn may_name(&self, name: &str) -> bool {
        let mut texts = self.values.secrets.iter().map(|text| text.trim());
        texts.any(|text| text.len() >= TELLING && name.contains(text))
    }
}

/// Bytes from which on a part of a name tells something.
const TELLING: usize = 4;

fn same(one: &Value, other: &Value) -> bool {
    let identity = |object: &Value| ObjectRef::of(object);
    identity(one).is_some() && identity(one) == identity(other)
}

/// Seals whatever reads as a yes or a no.
fn seal_flags(value: &mut Value, taint: &Taint<'_>) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|v| seal_flags(v, taint)),
        Value::Array(items) => items.iter_mut().for_each(|v| seal_flags(v, taint)),
        Value::Bool(_) => crate::drift::seal::seal_whole(value, taint.key),
        Value::String(text) if text == "true" || text == "false" => {
            crate::drift::seal::seal_whole(value, taint.key);
        }
        _ => {}
    }
}

fn names_a_field(file: &str) -> Unjudged {
    unjudged(
        UnjudgedReason::BadManifest,
        format!(
            "A value of a Secret becomes the name of a field in `{file}`, and nothing of a Secret is shown; put the name into a ConfigMap."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crds_beside_the_templates_are_told_from_those_among_them() {
        for (file, folder, beside) in [
            ("charts/web/crds/edge.yaml", "charts/web", true),
            ("crds/edge.yaml", "", true),
            ("charts/db/crds/edge.yaml", "", true),
            ("web/charts/db/charts/x/crds/deep/edge.yaml", "web", true),
            ("web/templates/crds/edge.yaml", "web", false),
            ("crds/web/templates/a.yaml", "crds/web", false),
        ] {
            assert_eq!(is_beside_templates(file, folder), beside, "{file}");
        }
    }
}
