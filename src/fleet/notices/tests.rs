//! Events in, what the engine did about drift out: sentences and stories.

use crate::domain::{
    AppKind, AppRef, Application, Condition, Engine, Fact, Notice, NoticeKind, Warning,
};
use crate::fleet::testkit::{app, at, fleet, live, tell};
use crate::fleet::{Fleet, StoryKind};

const EDGE: &str = "edge-oslo-003";

fn id(kind: AppKind) -> AppRef {
    AppRef {
        hub: EDGE.into(),
        kind,
        namespace: "flux-system".into(),
        name: "infra".into(),
    }
}

fn document(kind: AppKind) -> Application {
    Application {
        id: id(kind),
        engine: Engine::Flux,
        ..app("infra", EDGE)
    }
}

fn notice(kind: NoticeKind, seconds: i64, line: &str) -> Notice {
    Notice {
        kind,
        last: at(seconds),
        count: 1,
        revision: "9f31c02aa".into(),
        lines: vec![line.into()],
        more: 0,
    }
}

fn with(document: Application, notices: Vec<Notice>) -> Fleet {
    let mut fleet = fleet(&[EDGE]);
    live(&mut fleet, EDGE, &[Engine::Flux]);
    let kind = document.id.kind;
    let app = document.id.clone();
    // Events are heard before the documents as often as after them.
    tell(&mut fleet, EDGE, 50, Fact::Notices { app, notices });
    let apps = vec![document];
    tell(&mut fleet, EDGE, 60, Fact::AppsOf { kind, apps });
    fleet
}

fn warnings(fleet: &Fleet, kind: AppKind) -> Vec<Warning> {
    let all = fleet.warnings(&id(kind), at(100)).into_iter();
    all.filter(|w| w.kind.starts_with("drift")).collect()
}

fn kinds(fleet: &Fleet, kind: AppKind) -> Vec<&'static str> {
    warnings(fleet, kind).iter().map(|w| w.kind).collect()
}

#[test]
fn drift_that_a_release_reports_stands_until_something_ends_it() {
    let found = notice(NoticeKind::DriftFound, 0, "Deployment/edge/web removed");
    let release = || document(AppKind::HelmRelease);
    let open = with(release(), vec![found.clone()]);
    let told = warnings(&open, AppKind::HelmRelease);
    assert_eq!(told.len(), 1);
    assert!(
        told[0].text.as_str().ends_with(
            "release: Deployment/edge/web removed. It said so last at 2026-11-21 02:14Z."
        )
    );
    for ending in [NoticeKind::DriftCorrected, NoticeKind::Deployed] {
        let end = notice(ending, 0, "Deployment/edge/web configured");
        let ended = with(release(), vec![found.clone(), end]);
        assert!(
            !kinds(&ended, AppKind::HelmRelease).contains(&"drifted"),
            "{ending:?}"
        );
    }
    let mut undrifted = release();
    undrifted.report.conditions = vec![Condition {
        kind: "Drifted".into(),
        status: "False".into(),
        since: Some(at(5)),
        ..Condition::default()
    }];
    assert!(kinds(&with(undrifted, vec![found]), AppKind::HelmRelease).is_empty());
}

#[test]
fn the_condition_speaks_before_the_event_and_only_once() {
    let mut release = document(AppKind::HelmRelease);
    release.report.conditions = vec![Condition {
        kind: "Drifted".into(),
        status: "True".into(),
        message: "Deployment/edge/web removed".into(),
        ..Condition::default()
    }];
    let found = notice(NoticeKind::DriftFound, 0, "Deployment/edge/web removed");
    let fleet = with(release, vec![found]);
    assert_eq!(kinds(&fleet, AppKind::HelmRelease), ["drifted"]);
}

#[test]
fn what_cannot_be_corrected_is_told_with_the_error() {
    let found = notice(NoticeKind::DriftFound, 0, "Deployment/edge/web removed");
    let failed = notice(
        NoticeKind::CorrectionFailed,
        1,
        "admission webhook denied it",
    );
    let fleet = with(document(AppKind::HelmRelease), vec![found, failed]);
    let told = warnings(&fleet, AppKind::HelmRelease);
    assert_eq!(told[0].kind, "drift-correction-failed");
    assert!(
        told[0]
            .text
            .as_str()
            .ends_with("admission webhook denied it.")
    );
}

#[test]
fn an_apply_corrects_drift_only_while_the_same_build_stood() {
    let change = |seconds| {
        notice(
            NoticeKind::Applied,
            seconds,
            "Deployment/edge/web configured",
        )
    };
    let of = |notices: Vec<Notice>| {
        let mut infra = document(AppKind::Kustomization);
        // The older build was applied once; the newer one stands from 10 on.
        infra.report.standing = vec![(at(10), at(40)), (at(-90), at(-90))];
        kinds(&with(infra, notices), AppKind::Kustomization)
    };
    assert_eq!(of(vec![change(30)]), ["drift-corrected"]);
    assert_eq!(
        of(vec![change(40)]),
        ["drift-corrected"],
        "its own reconciliation"
    );
    assert!(
        of(vec![change(10)]).is_empty(),
        "the apply of the new build"
    );
    assert!(
        of(vec![change(41)]).is_empty(),
        "a newer build may be on its way"
    );
    assert!(of(vec![change(-50)]).is_empty());
}

#[test]
fn without_times_in_the_status_the_event_of_the_deployment_tells_the_first_apply() {
    let deployed = notice(NoticeKind::Deployed, 10, "Reconciliation finished");
    let change = |seconds| {
        notice(
            NoticeKind::Applied,
            seconds,
            "Deployment/edge/web configured",
        )
    };
    let of = |notices| {
        kinds(
            &with(document(AppKind::Kustomization), notices),
            AppKind::Kustomization,
        )
    };
    assert_eq!(
        of(vec![change(9), deployed.clone(), change(30)]),
        ["drift-corrected"]
    );
    assert!(of(vec![change(9), deployed.clone()]).is_empty());
    let repeated = Notice {
        count: 2,
        ..change(30)
    };
    assert!(
        of(vec![deployed, repeated]).is_empty(),
        "its revision is that of its first telling"
    );
    assert!(of(vec![change(30)]).is_empty());
}

#[test]
fn each_correction_is_one_story() {
    let mut infra = document(AppKind::Kustomization);
    infra.report.standing = vec![(at(10), at(40))];
    let change = notice(NoticeKind::Applied, 30, "Deployment/edge/web configured");
    let mut fleet = with(infra.clone(), vec![change.clone()]);
    let told = |fleet: &Fleet| -> Vec<String> {
        let all = fleet.stories().filter(|s| s.kind == StoryKind::Sync);
        all.map(|s| format!("{} {}", s.at, s.what)).collect()
    };
    let story = "2026-11-21T02:14:30Z infra: Flux corrected drift: Deployment/edge/web configured";
    assert_eq!(told(&fleet), [story]);
    // Nothing new, and then the cluster forgets the event.
    let all = vec![(infra.id.clone(), vec![change])];
    let again = tell(
        &mut fleet,
        EDGE,
        70,
        Fact::NoticesOf {
            kind: AppKind::Kustomization,
            all,
        },
    );
    assert!(!again.visible);
    let gone = Fact::NoticesOf {
        kind: AppKind::Kustomization,
        all: Vec::new(),
    };
    assert!(tell(&mut fleet, EDGE, 80, gone).visible);
    assert_eq!(told(&fleet), [story]);
    assert!(kinds(&fleet, AppKind::Kustomization).is_empty());
}
