//! The wish: which objects to put back, by which route, and what is known of each.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::effect::field_manager;
use super::judge::Measure;
use super::{Guardrail, Route, WaveSpec, Yardstick, direct};
use crate::domain::{
    Application, ClusterId, Engine, LinkState, Name, ObjectRef, Safe, Tracking, Verdict,
};
use crate::drift::IgnoreRules;
use crate::drift::argo::Settings;
use crate::drift::openapi::CustomSchema;
use crate::drift::respect::respecting;

/// A manifest as Git has it, Secret values included.
///
/// It lives in memory only: it cannot be serialised, and its `Debug` prints nothing of it. Whatever reads it answers for where the values go.
#[derive(Clone)]
pub struct Unsealed(Arc<Value>);

impl Unsealed {
    /// Wraps a manifest.
    pub fn new(body: impl Into<Arc<Value>>) -> Self {
        Self(body.into())
    }

    /// The manifest. For request bodies, comparisons and keyed hashes, never for text that people or files see.
    pub fn expose(&self) -> &Value {
        &self.0
    }
}

impl fmt::Debug for Unsealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unsealed(…)")
    }
}

/// What the operator wants put back.
#[derive(Clone, Debug)]
pub struct RevertRequest {
    /// The objects, each with what is known of it.
    pub targets: Vec<RevertTarget>,
    /// The route asked for; `None` takes `argo` where it can work and `direct` elsewhere.
    pub via: Option<Route>,
    /// Whether objects that Git does not have may be deleted.
    pub prune: bool,
    /// The operator's note, such as a ticket.
    pub note: Option<Safe>,
    /// What the change is for, in the words of the screen: `ingress spec.replicas`.
    pub reason: Safe,
    /// How the targets are split over time.
    pub waves: WaveSpec,
    /// The guardrail of the widest group that the targets belong to, when the config names one.
    pub guardrail: Option<Guardrail>,
}

/// One object to put back.
#[derive(Clone, Debug)]
pub struct RevertTarget {
    /// The fleet row of the cluster that holds the object.
    pub cluster: ClusterId,
    /// The application that manages it, as last seen; read again before anything is sent.
    pub app: Arc<Application>,
    /// The object.
    pub object: ObjectRef,
    /// `metadata.uid` that the verdict was made on, empty while missing.
    pub uid: Name,
    /// `metadata.resourceVersion` that the verdict was made on, empty while missing.
    pub resource_version: Name,
    /// The verdict that is on the screen.
    pub verdict: Arc<Verdict>,
    /// The manifest at `desired_revision`, with namespace and tracking mark; `None` for an extra object.
    pub desired: Option<Unsealed>,
    /// The commit whose desired state the verdict shows: the deployed one.
    pub desired_revision: Name,
    /// The commit that the application's target revision resolves to now, `None` when that is not known.
    pub target_commit: Option<Name>,
    /// How the hub marks what it manages.
    pub tracking: Tracking,
    /// The type of a custom kind, when the cluster told it.
    pub custom: Option<Arc<CustomSchema>>,
    /// Whether a value of a Secret stands in the manifest of something that is no Secret, and so cannot be masked in what people see.
    pub secretive: bool,
    /// The link to `cluster`.
    pub link: LinkState,
    /// The link to the hub that holds the application.
    pub hub_link: LinkState,
}

impl RevertTarget {
    /// The manifest as it is sent, onto this live object. With `RespectIgnoreDifferences=true` ignored fields keep their live values, as they
    /// would in a sync.
    pub(super) fn manifest(&self, live: Option<&Value>) -> Option<Value> {
        let mut manifest = direct::manifest(self.desired.as_ref()?.expose());
        // A server-side apply with a field that the type lacks is refused as a whole.
        let custom = self.custom.as_deref();
        if let Some(stored) = custom.and_then(|c| c.as_stored(&manifest, live)) {
            manifest = stored;
        }
        let respects = |option: &Name| **option == *"RespectIgnoreDifferences=true";
        let rules = self.rules();
        match live {
            Some(live) if !rules.is_empty() && self.app.sync_options.iter().any(respects) => {
                let kept = respecting(&manifest, live, &rules.for_object(&self.object));
                Some(direct::manifest(&kept))
            }
            _ => Some(manifest),
        }
    }

    /// The field manager of a direct write: the engine's own.
    pub(super) fn manager(&self) -> &'static str {
        field_manager(self.app.id.kind)
    }

    /// The route through the engine that carries the application.
    pub(super) fn through_engine(&self) -> Route {
        match self.app.engine {
            Engine::Argo => Route::Argo,
            Engine::Flux => Route::Flux,
        }
    }

    /// What the application and its hub declare not to be a difference, and how values are spelled.
    fn rules(&self) -> IgnoreRules {
        let ignored = self.tracking.ignoring(self.app.ignore_differences.as_ref());
        let rules = ignored.as_ref().map(IgnoreRules::from_spec);
        let texts = self.tracking.comparing.iter();
        Settings::of_texts(texts.map(|(k, v)| (&**k, &**v))).complete(rules.unwrap_or_default())
    }

    /// How the object is compared: as the verdict was made.
    pub(super) fn measure(&self) -> Measure {
        Measure::new(self.rules(), self.custom.clone())
    }

    /// What the object must be like once it is put back. The manifest is as it is sent.
    pub(super) fn yardstick(&self) -> Yardstick {
        match &self.desired {
            None => Yardstick::gone(),
            Some(desired) => Yardstick::equal_to(
                Unsealed::new(direct::manifest(desired.expose())),
                self.measure(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_manifest_keeps_ignored_fields_as_they_are_live_only_where_the_application_asks_for_it() {
        let mut target = crate::ops::fixtures::target();
        let live = crate::ops::fixtures::live_deployment();
        let replicas = |target: &RevertTarget| {
            target.manifest(Some(&live)).unwrap()["spec"]["replicas"].clone()
        };
        let git = target.manifest(None).unwrap()["spec"]["replicas"].clone();
        let ignored =
            json!([{"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}]);
        let mut app = Application::clone(&target.app);
        app.ignore_differences = Some(ignored);
        target.app = Arc::new(app.clone());
        assert_eq!(replicas(&target), git);
        app.sync_options
            .push("RespectIgnoreDifferences=true".into());
        target.app = Arc::new(app);
        assert_ne!(live["spec"]["replicas"], git);
        assert_eq!(replicas(&target), live["spec"]["replicas"]);
    }

    #[test]
    fn an_unsealed_body_prints_nothing_of_itself() {
        let body = Unsealed::new(json!({"data": {"password": "hunter2"}}));
        assert_eq!(format!("{body:?}"), "Unsealed(…)");
        assert_eq!(body.expose()["data"]["password"], "hunter2");
    }
}
