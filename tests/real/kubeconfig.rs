//! Kubeconfig files for the clusters of the test bed.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::servers::{Cluster, User};

/// One context.
pub(crate) struct Entry<'a> {
    /// Its name.
    pub(crate) context: String,
    /// Where it leads.
    pub(crate) cluster: &'a Cluster,
    /// Who acts.
    pub(crate) user: User,
    /// The namespace it names, if it names one.
    pub(crate) namespace: Option<String>,
}

impl<'a> Entry<'a> {
    /// A context named like its cluster.
    pub(crate) fn of(cluster: &'a Cluster, user: User) -> Self {
        Self {
            context: cluster.name.clone(),
            cluster,
            user,
            namespace: None,
        }
    }

    /// The same way in under another name.
    pub(crate) fn alias(self, context: &str) -> Self {
        Self {
            context: context.to_owned(),
            ..self
        }
    }

    /// The same way in, naming a namespace.
    pub(crate) fn in_namespace(self, namespace: &str) -> Self {
        Self {
            namespace: Some(namespace.to_owned()),
            ..self
        }
    }

    fn user_name(&self) -> String {
        format!("{}-{}", self.cluster.name, self.user.name())
    }
}

/// The kubeconfig with these contexts, the first of them current.
pub(crate) fn document(entries: &[Entry<'_>]) -> Value {
    let each = |make: &dyn Fn(&Entry<'_>) -> Value| {
        let mut rows: Vec<Value> = entries.iter().map(make).collect();
        let mut names = Vec::new();
        rows.retain(|row| {
            let new = !names.contains(&row["name"]);
            names.push(row["name"].clone());
            new
        });
        rows
    };
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": each(&|e| json!({
            "name": e.cluster.name,
            "cluster": { "server": e.cluster.url, "certificate-authority-data": STANDARD.encode(&e.cluster.ca) },
        })),
        "users": each(&|e| json!({ "name": e.user_name(), "user": { "token": e.cluster.token(e.user) } })),
        "contexts": each(&|e| json!({ "name": e.context, "context": context(e) })),
        "current-context": entries.first().map(|e| e.context.clone()),
    })
}

fn context(entry: &Entry<'_>) -> Value {
    let mut context = json!({ "cluster": entry.cluster.name, "user": entry.user_name() });
    if let Some(namespace) = &entry.namespace {
        context["namespace"] = json!(namespace);
    }
    context
}

/// Writes the kubeconfig with these contexts to `path`.
pub(crate) fn write(path: &Path, entries: &[Entry<'_>]) {
    std::fs::write(path, serde_yaml::to_string(&document(entries)).unwrap()).unwrap();
}
