//! One object of an Application: what Git says of it, how it was deployed, what was done to it, and how it was left.

use serde_json::{Value, json};

use super::edits::Edit;
use crate::argocd::app::Touched;
use crate::hunting::ledger::{Entry, entries};
use crate::objects::name_of;
use crate::openapi::Type;

/// The annotation that says whose an object is.
pub(super) const MARK: &str = "argocd.argoproj.io/tracking-id";

/// One object.
pub(super) struct Piece {
    /// `Kind/name`.
    pub(super) title: String,
    /// Where the server has it.
    pub(super) path: String,
    /// What Git says, with Argo CD's mark and a Secret's `stringData` where the server keeps it.
    pub(super) wanted: Value,
    /// The annotations that Git has.
    pub(super) annotations: Value,
    /// As Argo CD deployed it; null when Git does not have it.
    pub(super) deployed: Value,
    /// As it was left; null when it is gone.
    pub(super) live: Value,
    /// What was done to it.
    pub(super) edits: Vec<Edit>,
}

impl Piece {
    /// An object of Git's that nobody has touched yet.
    pub(super) fn new(wanted: Value, path: String) -> Self {
        let kind = wanted["kind"].as_str().unwrap();
        Self {
            title: format!("{kind}/{}", name_of(&wanted)),
            path,
            annotations: wanted["metadata"]["annotations"].clone(),
            deployed: Value::Null,
            live: Value::Null,
            edits: Vec::new(),
            wanted,
        }
    }

    /// Gives it the mark of this Application, as Argo CD does before it applies it.
    pub(super) fn marked(mut self, app: &str) -> Self {
        let mark = self.mark(app, &name_of(&self.wanted));
        if let Some(plain) = self.wanted.as_object_mut().unwrap().remove("stringData") {
            for (key, value) in plain.as_object().unwrap() {
                let text = base64::Engine::encode(
                    &base64::engine::general_purpose::STANDARD,
                    value.as_str().unwrap(),
                );
                self.wanted["data"][key] = json!(text);
            }
        }
        self.wanted["metadata"]["annotations"][MARK] = json!(mark);
        self
    }

    /// The mark of an object of this kind.
    pub(super) fn mark(&self, app: &str, name: &str) -> String {
        let version = self.wanted["apiVersion"].as_str().unwrap();
        let group = version.split_once('/').map_or("", |(group, _)| group);
        let kind = self.wanted["kind"].as_str().unwrap();
        let place = self.wanted["metadata"]["namespace"].as_str().unwrap();
        format!("{app}:{group}/{kind}:{place}/{name}")
    }

    /// What Argo CD has to have seen.
    pub(super) fn touched(&self) -> Touched {
        let version = self.live["metadata"]["resourceVersion"].as_str();
        Touched::new(&self.wanted, version.map(str::to_owned))
    }

    /// What all its edits amount to, by the server's account.
    pub(super) fn entries(&self, of: Type<'_>) -> Vec<Entry> {
        if self.deployed.is_null() || self.live.is_null() {
            return Vec::new();
        }
        entries(&self.deployed, &self.live, &self.wanted, of)
    }

    /// Whether its kind has no built-in schema.
    pub(super) fn is_custom(&self) -> bool {
        let version = self.wanted["apiVersion"].as_str().unwrap();
        version.starts_with("monitoring.coreos.com/")
    }

    /// Whether Git has it.
    pub(super) fn is_of_git(&self) -> bool {
        !self.deployed.is_null()
    }

    /// Whether Argo CD leaves it where it is although Git does not have it.
    pub(super) fn is_kept(&self) -> bool {
        let is = |name: &str, value: &str| self.annotations[name] == value;
        !self.is_of_git()
            && (is("argocd.argoproj.io/sync-options", "Prune=false")
                || is("argocd.argoproj.io/compare-options", "IgnoreExtraneous"))
    }

    /// Kind, name and edits, for messages.
    pub(super) fn story(&self) -> String {
        let edits: Vec<String> = self
            .edits
            .iter()
            .map(|e| format!("{:?} by {}: {}", e.sort, e.manager, e.words))
            .collect();
        format!("{} ({})", self.title, edits.join("; "))
    }
}
