//! The catalogue: manifests of the kinds that everybody runs, written the way people write them.
//!
//! Nothing in them is drift: octal modes, `yes` and `off`, quantities in every spelling, nulls, empty lists and maps, fields at their
//! default and fields left out, deprecated fields, anchors, base64 with line breaks, `stringData` over `data`.

use driftdeck::domain::Verdict;
use driftdeck::drift::yaml::{Limits, parse_documents};
use driftdeck::drift::{Comparison, IgnoreRules, SealKey, judge, seal};
use serde_json::Value;

const FILES: [&str; 5] = [
    include_str!("manifests/settings.yaml"),
    include_str!("manifests/storage.yaml"),
    include_str!("manifests/network.yaml"),
    include_str!("manifests/workloads.yaml"),
    include_str!("manifests/extension.yaml"),
];

/// One manifest as it stands in a file.
#[derive(Clone)]
pub(crate) struct Manifest {
    /// Its YAML.
    pub(crate) text: String,
}

impl Manifest {
    /// As driftdeck reads it.
    pub(crate) fn object(&self) -> Value {
        let mut all = parse_documents(self.text.as_bytes(), &Limits::default())
            .unwrap_or_else(|e| panic!("{e}:\n{}", self.text));
        assert_eq!(all.len(), 1, "{}", self.text);
        all.remove(0)
    }

    /// The same in a file that ends without a line break: the last text of a block then has none either.
    pub(crate) fn without_line_break(self) -> Self {
        let text = self.text.trim_end().to_owned();
        Self { text }
    }

    /// Kind and name, for messages.
    pub(crate) fn title(&self) -> String {
        title(&self.object())
    }
}

/// Kind and name, for messages.
pub(crate) fn title(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    format!(
        "{} {}",
        text(&object["kind"]),
        text(&object["metadata"]["name"])
    )
}

/// The whole catalogue for one namespace, in the order in which it can be applied. Cluster-wide names begin with the namespace's.
///
/// `port` is a node port that nobody else uses.
pub(crate) fn manifests(namespace: &str, port: u16) -> Vec<Manifest> {
    let place = |text: &str| {
        text.replace("NSPACE", namespace)
            .replace("NODEPORT", &port.to_string())
    };
    FILES.iter().flat_map(|file| split(&place(file))).collect()
}

/// The definitions of the catalogue's own kinds.
pub(crate) fn definitions() -> Vec<Manifest> {
    split(include_str!("manifests/definitions.yaml"))
}

fn split(file: &str) -> Vec<Manifest> {
    file.trim_end()
        .split("\n---\n")
        .map(|text| Manifest {
            text: format!("{text}\n"),
        })
        .collect()
}

/// The product's verdict, Git having this manifest and the cluster this object.
pub(crate) fn verdict(desired: &Value, live: &Value) -> Verdict {
    let key = SealKey::new([9; 32]);
    let (mut desired, mut live) = (desired.clone(), live.clone());
    seal(&mut desired, &key);
    seal(&mut live, &key);
    judge(&Comparison {
        deployed: Some(&desired),
        target: Some(&desired),
        live: Some(&live),
        rules: &IgnoreRules::none(),
        custom: None,
    })
}
