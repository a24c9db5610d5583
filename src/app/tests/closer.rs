//! Windows that look closer: what they ask, whom, and how they close.

use super::*;
use crate::app::inquiry::Question;
use crate::app::testkit::{asked, window_answered};
use crate::domain::{Application, Gvk, ManagedResource, ObjectRef, SyncState};

fn window(model: &Model) -> &crate::app::window::Window {
    match &model.modal {
        Some(Modal::Window(window)) => window,
        other => panic!("{other:?} is no window"),
    }
}

fn text(model: &Model) -> String {
    let lines = window(model).lines().iter();
    lines.map(|l| format!("{} {}\n", l.label, l.text)).collect()
}

#[test]
fn events_are_asked_for_the_selected_object_and_hushed_when_closed() {
    let mut model = reading();
    let (ask, question) = asked(&mut model, "2 e");
    match question {
        Question::Events(targets) => assert_eq!(targets[0].object, deployment("gateway")),
        other => panic!("{other:?}"),
    }
    assert!(window(&model).waits);
    assert_eq!(press(&mut model, "esc"), [Effect::Hush { ask }]);
    assert!(model.modal.is_none());
}

#[test]
fn an_answer_to_a_closed_window_is_dropped() {
    let mut model = reading();
    let (ask, _) = asked(&mut model, "2 e");
    press(&mut model, "q");
    let result = Err(Safe::fixed("too late"));
    tell_model(&mut model, Done::Answered { ask, result });
    assert!(model.modal.is_none());
}

#[test]
fn logs_of_a_group_follow_every_cluster_that_answers() {
    let mut model = reading();
    let (_, question) = asked(&mut model, "2 l");
    let Question::Logs(targets) = question else {
        panic!("{question:?}");
    };
    let clusters: Vec<&str> = targets.iter().map(|t| t.cluster.as_str()).collect();
    assert_eq!(
        clusters,
        [
            "edge-austin-001",
            "edge-berlin-017",
            "edge-berlin-018",
            "edge-hamburg-002"
        ]
    );
    assert!(window(&model).follows);
}

#[test]
fn logs_of_an_application_are_those_of_its_workloads() {
    let mut model = reading();
    let (_, question) = asked(&mut model, "3 l");
    let Question::Logs(targets) = question else {
        panic!("{question:?}");
    };
    assert!(targets.iter().all(|t| &*t.object.gvk.kind == "Deployment"));
}

#[test]
fn a_dark_cluster_is_not_asked_and_the_reason_is_said() {
    let mut model = reading();
    press(&mut model, "2 enter G");
    assert!(press(&mut model, "e").is_empty());
    assert!(
        notice(&model).starts_with("edge-munich-009 does not answer"),
        "{}",
        notice(&model)
    );
}

#[test]
fn compare_asks_every_cluster_that_answers_and_has_the_object() {
    let mut model = reading();
    let (_, question) = asked(&mut model, "2 =");
    let Question::Compare { clusters, .. } = question else {
        panic!("{question:?}");
    };
    assert_eq!(clusters.len(), 10);
    assert!(!clusters.iter().any(|c| c.as_str() == "edge-munich-009"));
    press(&mut model, "esc");
    window_answered(&mut model, "=");
    assert!(text(&model).contains("+ 1"), "{}", text(&model));
}

#[test]
fn a_servers_word_is_shown_stands_on_the_row_and_counts() {
    let mut model = reading();
    window_answered(&mut model, "2 w");
    assert!(text(&model).contains("server's word"), "{}", text(&model));
    assert!(
        text(&model).contains("The server's word counts, not ours."),
        "{}",
        text(&model)
    );
    press(&mut model, "esc");
    let ctx = model.ctx();
    let face = model.face().unwrap();
    let target = face.object(&ctx).unwrap();
    let resource = model
        .fleet
        .resource(&target.cluster, &target.object)
        .unwrap();
    let word = ctx.words.of(&target.cluster, resource).unwrap();
    assert!(crate::app::words::overrules(word));
}

#[test]
fn yaml_turns_between_live_desired_and_last_applied() {
    let mut model = reading();
    window_answered(&mut model, "2 y");
    assert!(text(&model).contains("replicas: 1"));
    press(&mut model, "tab");
    assert!(text(&model).contains("replicas: 3"), "{}", text(&model));
    press(&mut model, "tab");
    assert!(text(&model).contains("no last-applied copy"));
}

#[test]
fn why_tells_the_verdict_the_owner_and_who_heals() {
    let mut model = reading();
    press(&mut model, "2 X");
    let text = text(&model);
    for words in [
        "edited:",
        "kubectl-scale",
        "Auto-sync is",
        "the server's default",
    ] {
        assert!(text.contains(words), "{words} is missing in\n{text}");
    }
}

#[test]
fn why_of_a_dark_cluster_says_that_nothing_counts_as_good() {
    let mut model = reading();
    press(&mut model, "/");
    type_text(&mut model, "paris-031");
    press(&mut model, "enter X");
    let text = text(&model);
    assert!(text.contains("Connection refused"), "{text}");
    assert!(text.contains("nothing of it counts as good"), "{text}");
}

#[test]
fn the_menu_says_why_something_is_off_and_does_what_is_on() {
    let mut model = reading();
    press(&mut model, "/");
    type_text(&mut model, "boston");
    press(&mut model, "enter x");
    let Some(Modal::Menu(menu)) = &model.modal else {
        panic!("no menu");
    };
    let login = menu.lines.iter().find(|l| l.action == Action::Login);
    assert_eq!(
        login.and_then(|l| l.why_not.clone()),
        Some("edge-boston-001 does not ask for credentials.".into())
    );
    assert!(press(&mut model, "a").is_empty());
    assert!(notice(&model).contains("does not ask for credentials"));
    press(&mut model, "x s");
    assert_eq!(place(&model), Place::Plan);
}

#[test]
fn nothing_in_the_menu_changes_a_cluster_by_itself() {
    let mut model = writing();
    press(&mut model, "2");
    press(&mut model, "x");
    let Some(Modal::Menu(menu)) = &model.modal else {
        panic!("no menu");
    };
    let count = menu.lines.len();
    for i in 0..count {
        let mut model = writing();
        press(&mut model, "2 x");
        for _ in 0..i {
            press(&mut model, "j");
        }
        let effects = press(&mut model, "enter");
        let runs = effects.iter().any(|e| matches!(e, Effect::RunPlan { .. }));
        assert!(!runs, "line {i}");
    }
}

#[test]
fn a_tree_is_asked_for_the_selected_object_in_its_namespace_alone() {
    let mut model = reading();
    let (_, question) = asked(&mut model, "2 t");
    let Question::Tree(wish) = question else {
        panic!("{question:?}");
    };
    assert_eq!(wish.roots, [deployment("gateway")]);
    assert_eq!(wish.namespaces, [deployment("gateway").namespace]);
}

#[test]
fn a_tree_of_an_application_begins_at_its_workloads() {
    let mut model = reading();
    let (_, question) = asked(&mut model, "3 t");
    let Question::Tree(wish) = question else {
        panic!("{question:?}");
    };
    assert!(!wish.roots.is_empty());
    assert!(wish.roots.iter().all(|o| &*o.gvk.kind == "Deployment"));
}

#[test]
fn events_and_logs_of_a_branch_are_at_hand_and_the_tree_comes_back() {
    let mut model = reading();
    window_answered(&mut model, "2 t");
    assert!(
        text(&model).contains("CrashLoopBackOff"),
        "{}",
        text(&model)
    );
    press(&mut model, "j j j j");
    let (ask, question) = asked(&mut model, "e");
    let Question::Events(targets) = question else {
        panic!("{question:?}");
    };
    assert_eq!(&*targets[0].object.name, "gateway-6f7d9b-q8z1c");
    assert_eq!(press(&mut model, "esc"), [Effect::Hush { ask }]);
    assert!(window(&model).title.as_str().starts_with("tree: "));
    assert_eq!(window(&model).cursor, 4);
    let (_, question) = asked(&mut model, "l");
    assert!(matches!(question, Question::Logs(t) if t.len() == 1));
    let hushed = press(&mut model, "ctrl-c");
    assert_eq!(hushed.len(), 2, "both windows close: {hushed:?}");
    assert!(model.modal.is_none());
}

#[test]
fn a_line_that_stands_for_no_object_is_not_looked_at() {
    let mut model = reading();
    window_answered(&mut model, "2 t");
    press(&mut model, "G");
    assert!(press(&mut model, "e").is_empty());
    assert!(window(&model).title.as_str().starts_with("tree: "));
}

#[test]
fn a_tree_of_what_is_not_judged_here_begins_at_what_the_engine_names() {
    let mut model = reading();
    let named = |group: &str, kind: &str, hook| ManagedResource {
        object: ObjectRef::new(Gvk::new(group, "v1", kind), "edge", "unrendered"),
        sync: Some(SyncState::Synced),
        health: None,
        hook,
        requires_pruning: false,
    };
    let unjudged = Application {
        resources: vec![
            named("", "ConfigMap", false),
            named("apps", "StatefulSet", false),
            named("batch", "Job", true),
        ],
        ..crate::fleet::testkit::app("unrendered", "edge-boston-001")
    };
    let told = fact("hub-1", Fact::App(Box::new(unjudged)));
    update(&mut model, told, now());
    let (_, question) = asked(&mut model, "3 / u n r e n d e r e d enter t");
    let Question::Tree(wish) = question else {
        panic!("{question:?}");
    };
    let kinds: Vec<&str> = wish.roots.iter().map(|o| &*o.gvk.kind).collect();
    assert_eq!(kinds, ["StatefulSet"]);
}
