//! Objects that Flux applies: which route, under whose name, and what is refused with which words.

use serde_json::Value;

use super::*;
use crate::domain::AppKind;

/// How the one target is decided, with its document changed like this.
fn decision(target: &RevertTarget, via: Option<Route>, change: &Value) -> Decision {
    let mut document = kustomization_json();
    json_patch::merge(&mut document, change);
    let app = AppReading {
        fresh: Ok(document),
        window: Ok(Window::Open),
        may_patch: Some(true),
    };
    let request = RevertRequest {
        via,
        ..request(Vec::new())
    };
    Case::new(&request, target, &reading(), Some(&app)).decide()
}

/// The same as a HelmRelease.
fn release() -> Arc<crate::domain::Application> {
    let mut release = crate::domain::Application::clone(&flux_target().app);
    release.id.kind = AppKind::HelmRelease;
    Arc::new(release)
}

fn ready(status: &str, reason: &str) -> Value {
    json!({"status": {"conditions": [{"type": "Ready", "status": status, "reason": reason}]}})
}

#[test]
fn flux_is_asked_by_default_and_says_that_it_applies_everything() {
    let decided = decision(&flux_target(), None, &json!({}));
    assert_eq!(decided.row.route, Route::Flux);
    assert!(matches!(decided.part, Some(Part::Engine(_))));
    let warnings: Vec<&str> = decided.row.warnings.iter().map(Safe::as_str).collect();
    assert!(
        warnings.contains(&"Flux applies all of the Kustomization apps, not this object alone"),
        "{warnings:?}"
    );
}

#[test]
fn the_direct_route_writes_under_the_engines_own_name() {
    let manager = |target: &RevertTarget| {
        let decided = decision(target, Some(Route::Direct), &json!({}));
        match decided.part {
            Some(Part::Direct(Effect::Apply(apply))) => apply.manager,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(manager(&flux_target()), "kustomize-controller");
    assert_eq!(
        manager(&RevertTarget {
            app: release(),
            ..flux_target()
        }),
        "helm-controller"
    );
    assert_eq!(manager(&target()), "argocd-controller");
}

#[test]
fn a_suspended_kustomization_goes_direct_and_is_refused_when_flux_is_asked_for() {
    let suspended = json!({"spec": {"suspend": true}});
    let decided = decision(&flux_target(), Some(Route::Flux), &suspended);
    assert_eq!(
        why(&decided.row),
        "the Kustomization is suspended, so Flux leaves it alone: resume it with `flux resume kustomization apps -n flux-system`, or put it back with --via direct"
    );
    let decided = decision(&flux_target(), None, &suspended);
    assert!(matches!(decided.part, Some(Part::Direct(_))));
    assert!(decided.row.warnings.iter().any(|w| {
        w.as_str()
            .starts_with("direct, because the Kustomization is suspended")
    }));
}

#[test]
fn flux_is_not_asked_where_it_would_not_apply_or_apply_something_else() {
    let refused = |target: &RevertTarget, change: &Value| {
        let row = decision(target, Some(Route::Flux), change).row;
        why(&row).to_owned()
    };
    let broken = refused(&flux_target(), &ready("False", "BuildFailed"));
    assert!(
        broken.starts_with("Flux cannot apply it now (BuildFailed)"),
        "{broken}"
    );
    let ill = decision(
        &flux_target(),
        Some(Route::Flux),
        &ready("False", "HealthCheckFailed"),
    );
    assert!(ill.part.is_some(), "it was applied, and is again");
    let moved = RevertTarget {
        target_commit: Some("0badc0ffee".into()),
        ..flux_target()
    };
    assert!(refused(&moved, &json!({})).starts_with("its source has moved on to 0badc0ffee"));
    let another = refused(&flux_target(), &json!({"metadata": {"uid": "ks-uid-2"}}));
    assert!(another.starts_with("it was deleted and made again"));
}

#[test]
fn a_release_that_does_not_correct_drift_is_forced_only_when_flux_is_asked_for() {
    let target = RevertTarget {
        app: release(),
        ..flux_target()
    };
    let decided = decision(&target, None, &json!({}));
    assert!(matches!(decided.part, Some(Part::Direct(_))));
    let decided = decision(&target, Some(Route::Flux), &json!({}));
    assert!(matches!(decided.part, Some(Part::Engine(_))));
    assert!(
        decided
            .row
            .warnings
            .iter()
            .any(|w| w.as_str().starts_with("a forced upgrade is asked for"))
    );
    let corrects = json!({"spec": {"driftDetection": {"mode": "enabled"}}});
    assert_eq!(decision(&target, None, &corrects).row.route, Route::Flux);
    let suspended = json!({"spec": {"suspend": true}});
    assert!(
        decision(&target, Some(Route::Flux), &suspended)
            .part
            .is_none()
    );
}

#[test]
fn what_no_plan_covers_is_told_in_one_sentence() {
    let told = |target: &RevertTarget, via| {
        let request = RevertRequest {
            via,
            ..request(Vec::new())
        };
        settled_early(&request, target).map(|row| why(&row).to_owned())
    };
    let secretive = RevertTarget {
        secretive: true,
        ..flux_target()
    };
    assert_eq!(
        told(&secretive, None).unwrap(),
        "values of Secrets stand in it (postBuild.substituteFrom), which no plan may show: let Flux put it back with `flux reconcile kustomization apps -n flux-system`"
    );
    let release = RevertTarget {
        app: release(),
        ..secretive
    };
    assert_eq!(
        told(&release, None).unwrap(),
        "values of Secrets stand in it (valuesFrom), which no plan may show: let Flux put it back with `flux reconcile helmrelease apps -n flux-system --force`"
    );
    assert!(
        told(&flux_target(), Some(Route::Argo))
            .unwrap()
            .contains("--via flux")
    );
    assert!(
        told(&target(), Some(Route::Flux))
            .unwrap()
            .contains("--via argo")
    );
    assert_eq!(told(&flux_target(), Some(Route::Flux)), None);
    let mut set = crate::domain::Application::clone(&flux_target().app);
    set.id.kind = AppKind::ResourceSet;
    let set = RevertTarget {
        app: Arc::new(set),
        ..flux_target()
    };
    assert!(
        told(&set, None)
            .unwrap()
            .starts_with("a ResourceSet is not rendered here")
    );
}

#[test]
fn only_what_carries_the_kustomizations_labels_is_deleted() {
    let claimed = |live: &Value| is_claimed(&flux_target(), live);
    let mut live = json!({"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"}}});
    assert!(claimed(&live));
    live["metadata"]["annotations"] = json!({"kustomize.toolkit.fluxcd.io/prune": "disabled"});
    assert!(!claimed(&live));
    assert!(!claimed(&live_deployment()), "Argo CD's mark is not Flux's");
}
