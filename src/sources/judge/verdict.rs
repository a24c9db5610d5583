//! One object's verdict as the fleet keeps it: with its health, its origin, and its documents while it is drifted.

use std::sync::Arc;

use serde_json::Value;

use super::Judge;
use super::last;
use super::lua::HealthWord;
use super::schema::KindType;
use super::settings::{Seen, handling};
use super::wanted::{Wanted, origin};
use crate::domain::event::Bodies;
use crate::domain::{
    DesiredObject, DriftState, Engine, ObjectRef, Resource, Safe, Verdict, VerdictSource,
};
use crate::drift::{self, Comparison, IgnoreRules, Marks};
use crate::health::roll_up::is_ignored;
use crate::sources::assignment::AppAssignment;

/// One object to compare.
pub(super) struct Case<'c> {
    pub(super) object: ObjectRef,
    pub(super) app: &'c AppAssignment,
    pub(super) wanted: Option<&'c Wanted>,
    pub(super) live: Option<Value>,
    pub(super) health: Option<HealthWord>,
    pub(super) ty: &'c KindType,
}

impl Judge {
    pub(super) fn compare(&self, case: Case<'_>) -> Resource {
        let Case {
            object,
            app,
            wanted,
            live,
            health,
            ty,
        } = case;
        let none = IgnoreRules::default();
        let deployed = wanted.and_then(|w| w.deployed.as_deref());
        let target = wanted.and_then(|w| w.target.as_deref());
        let last = || {
            live.as_ref()
                .filter(|_| app.unjudged.is_some())
                .and_then(last::applied)
        };
        let deployed_body = deployed.map(|d| self.document(d)).or_else(last);
        let target_body = target.map(|d| self.document(d)).or_else(last);
        let live =
            live.map(|live| self.sealed_alike(live, deployed_body.iter().chain(&target_body)));
        let mut verdict = drift::judge(&Comparison {
            deployed: deployed_body.as_ref(),
            target: target_body.as_ref(),
            live: live.as_ref(),
            rules: self.rules.get(&app.app).unwrap_or(&none),
            custom: ty.schema(),
        });
        ty.remark(&mut verdict);
        verdict.source = source(app);
        let git = deployed_body.as_ref().or(target_body.as_ref());
        verdict.handling = handling(app, git, live.as_ref());
        let seen = Seen {
            wanted: wanted.is_some() || app.unjudged.is_some(),
            live: live.as_ref(),
        };
        self.dismiss(app, &object.gvk, seen, &mut verdict);
        let text = |pointer: &str| {
            live.as_ref()
                .and_then(|l| l.pointer(pointer)?.as_str())
                .unwrap_or_default()
                .into()
        };
        Resource {
            health_apart: app.app.kind.engine() == Engine::Argo
                && live.as_ref().is_some_and(is_ignored),
            app: app.app.clone(),
            uid: text("/metadata/uid"),
            resource_version: text("/metadata/resourceVersion"),
            health_by: health.as_ref().and_then(|word| word.by.clone()),
            health: health.map(|word| (word.health, word.words)),
            desired: origin(wanted),
            bodies: verdict
                .is_drift()
                .then(|| Arc::new(bodies(deployed_body.or(target_body), live))),
            verdict: Arc::new(verdict),
            object,
        }
    }
}

impl Judge {
    /// The live object, sealed wherever a Secret's value stands in what Git wants.
    fn sealed_alike<'w>(&self, mut live: Value, wanted: impl Iterator<Item = &'w Value>) -> Value {
        wanted.for_each(|wanted| drift::seal::seal_alike(&mut live, wanted, &self.seal));
        live
    }

    /// What Git wants, sealed as the live object is.
    fn document(&self, desired: &DesiredObject) -> Value {
        let mut document = desired.body.document();
        drift::seal(&mut document, &self.seal);
        document
    }
}

/// What the desired state of an application is: Git's, or what stands in for it.
fn source(app: &AppAssignment) -> VerdictSource {
    match (&app.unjudged, app.stand_in) {
        (Some(_), _) => VerdictSource::LastApplied,
        (None, true) => VerdictSource::ArgoApi,
        (None, false) => VerdictSource::Computed,
    }
}

pub(super) fn unknown(
    object: ObjectRef,
    app: &AppAssignment,
    wanted: Option<&Wanted>,
    message: &Safe,
) -> Resource {
    let verdict = Verdict {
        states: vec![DriftState::Unknown],
        message: Some(message.clone()),
        summary: Safe::fixed("cannot be read"),
        ..Verdict::default()
    };
    Resource {
        object,
        app: app.app.clone(),
        uid: "".into(),
        resource_version: "".into(),
        verdict: Arc::new(verdict),
        health: None,
        health_apart: false,
        health_by: None,
        desired: origin(wanted),
        bodies: None,
    }
}

/// The documents for the side-by-side, with marks in place of sealed values and without managedFields.
fn bodies(desired: Option<Value>, mut live: Option<Value>) -> Bodies {
    if let Some(metadata) = live
        .as_mut()
        .and_then(|l| l.get_mut("metadata"))
        .and_then(Value::as_object_mut)
    {
        metadata.remove("managedFields");
    }
    let marks = Marks::of(desired.iter().chain(live.as_ref()));
    Bodies {
        desired: desired.as_ref().map(|d| marks.shown(d, "")),
        live: live.as_ref().map(|l| marks.shown(l, "")),
    }
}
