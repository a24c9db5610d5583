//! The screen of one application: its tree, the tabs, what they ask and when.

use super::*;
use crate::app::inquiry::{Inquiry, Question};
use crate::app::screens::app::{Pane, Tab};
use crate::domain::SyncState;

/// On the application of edge-berlin-017, its tree answered.
fn opened() -> Model {
    let mut model = reading();
    all_answered(&mut model, "3 enter");
    model
}

fn tab(model: &Model) -> Tab {
    application(model).detail.tab
}

fn text(model: &Model) -> String {
    let lines = application(model).lines(&model.ctx());
    let lines = lines.iter().map(|l| format!("{} {}\n", l.label, l.text));
    lines.collect()
}

fn questions(effects: &[Effect]) -> Vec<&Question> {
    let asked = effects.iter().filter_map(|e| match e {
        Effect::Ask { question, .. } => Some(question),
        _ => None,
    });
    asked.collect()
}

/// The same, as if no line had been broken.
fn flat(model: &Model) -> String {
    let text = text(model);
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

/// The fingers rest, and whatever the screen asks then is answered.
fn rest(model: &mut Model) -> Vec<Effect> {
    let later = now().checked_add(SignedDuration::from_millis(400)).unwrap();
    update(model, Msg::Tick, later)
}

#[test]
fn opening_it_asks_what_its_workloads_run_and_the_answer_hangs_below_them() {
    let mut model = reading();
    let effects = press(&mut model, "3 enter");
    let asked = questions(&effects);
    assert!(
        matches!(asked.as_slice(), [Question::Tree(wish)] if wish.roots == [deployment("gateway")]),
        "{effects:?}"
    );
    assert_eq!(application(&model).list.len(), 4);
    let model = opened();
    let names: Vec<String> = application(&model).nodes.iter().map(|n| n.name()).collect();
    assert_eq!(
        names,
        [
            "Application gateway-berlin-017",
            "Deployment gateway",
            "ReplicaSet gateway-6f7d9b",
            "Pod gateway-6f7d9b-q8z1c",
            "Pod gateway-6f7d9b-x4k2m",
            "ConfigMap edge-config",
            "Service gateway",
        ]
    );
}

#[test]
fn the_cursor_begins_on_what_needs_somebody_else_on_the_application() {
    assert_eq!(selected(&opened()), "Deployment edge/gateway");
    let mut model = reading();
    press(&mut model, "3 /");
    type_text(&mut model, "madrid-001");
    press(&mut model, "enter enter");
    assert_eq!(selected(&model), "Application argocd/gateway-madrid-001");
}

#[test]
fn tabs_turn_both_ways_and_take_the_keys() {
    let mut model = opened();
    press(&mut model, "]");
    assert_eq!(
        (tab(&model), application(&model).pane),
        (Tab::Diff, Pane::Detail)
    );
    press(&mut model, "[ [");
    assert_eq!(tab(&model), Tab::Applied);
}

#[test]
fn tab_goes_from_pane_to_pane_and_escape_back_to_the_tree_and_then_away() {
    let mut model = opened();
    press(&mut model, "tab");
    assert_eq!(application(&model).pane, Pane::Detail);
    press(&mut model, "shift-tab enter");
    assert_eq!(application(&model).pane, Pane::Detail);
    press(&mut model, "esc");
    assert_eq!(
        (application(&model).pane, place(&model)),
        (Pane::Tree, Place::App)
    );
    press(&mut model, "esc");
    assert_eq!(place(&model), Place::Apps);
}

#[test]
fn enter_opens_the_detail_and_from_there_the_difference() {
    let mut model = opened();
    press(&mut model, "enter enter");
    assert_eq!(diff(&model).target.object, deployment("gateway"));
}

#[test]
fn left_folds_and_goes_up_and_right_unfolds() {
    let mut model = opened();
    press(&mut model, "left");
    assert_eq!(application(&model).list.len(), 4);
    press(&mut model, "right");
    assert_eq!(application(&model).list.len(), 7);
    press(&mut model, "j j left");
    assert_eq!(selected(&model), "ReplicaSet edge/gateway-6f7d9b");
}

#[test]
fn keys_of_windows_lead_to_tabs_and_the_same_key_reads_again() {
    let mut model = opened();
    let effects = press(&mut model, "e");
    assert!(matches!(
        questions(&effects).as_slice(),
        [Question::Events(targets)] if targets[0].object == deployment("gateway")
    ));
    assert!(
        text(&model).contains("Reading its events"),
        "{}",
        text(&model)
    );
    all_answered(&mut model, "e");
    assert!(
        text(&model).contains("restarting failed container"),
        "{}",
        text(&model)
    );
    assert!(matches!(
        questions(&press(&mut model, "h")).as_slice(),
        [Question::Commits(wish)] if wish.revision.starts_with("9f31c02a")
    ));
    assert!(matches!(
        questions(&press(&mut model, "y")).as_slice(),
        [Question::Yaml(_)]
    ));
    assert!(model.modal.is_none());
}

#[test]
fn yaml_is_asked_once_for_its_three_tabs() {
    let mut model = opened();
    all_answered(&mut model, "y");
    assert!(text(&model).contains("replicas: 1"), "{}", text(&model));
    assert!(press(&mut model, "]").is_empty());
    assert!(text(&model).contains("replicas: 3"), "{}", text(&model));
    press(&mut model, "]");
    assert!(
        text(&model).contains("no last-applied copy"),
        "{}",
        text(&model)
    );
}

#[test]
fn yaml_folds_unfolds_and_a_search_opens_what_is_folded() {
    let mut model = opened();
    all_answered(&mut model, "y");
    let whole = text(&model);
    press(&mut model, "{ {");
    assert!(text(&model).contains("… 7 lines  spec"), "{}", text(&model));
    press(&mut model, "} } } } } } }");
    assert_eq!(text(&model), whole);
    press(&mut model, "{ {");
    press(&mut model, "/");
    type_text(&mut model, "gateway:2.4.1");
    press(&mut model, "enter");
    assert!(text(&model).contains("image: registry"), "{}", text(&model));
    press(&mut model, "n");
    assert!(
        notice(&model).contains("No further match"),
        "{}",
        notice(&model)
    );
    press(&mut model, "esc");
    assert_eq!(
        (tab(&model), application(&model).pane),
        (Tab::Live, Pane::Detail)
    );
    assert_eq!(application(&model).detail.wanted(), None);
}

#[test]
fn matches_are_visited_forward_and_backward() {
    let mut model = console(troubled_fleet(), 80, 10, false);
    all_answered(&mut model, "3 enter");
    all_answered(&mut model, "y");
    press(&mut model, "/");
    type_text(&mut model, "spec");
    press(&mut model, "enter");
    let first = application(&model).detail.top;
    press(&mut model, "n");
    let second = application(&model).detail.top;
    assert!(second > first, "{first} {second}");
    press(&mut model, "N");
    assert_eq!(application(&model).detail.top, first);
}

#[test]
fn the_difference_stands_in_its_tab_with_its_own_keys() {
    let mut model = opened();
    press(&mut model, "]");
    let lines = |model: &Model| application(model).detail.diff.as_ref().unwrap().lines.len();
    let calm = lines(&model);
    press(&mut model, "z");
    assert!(lines(&model) > calm);
    press(&mut model, "z { {");
    assert!(lines(&model) < calm);
    press(&mut model, "b } n N j k right left");
    assert!(!application(&model).detail.diff.as_ref().unwrap().owners);
    press(&mut model, "/");
    type_text(&mut model, "containerPort");
    press(&mut model, "enter");
    assert!(
        application(&model)
            .detail
            .diff
            .as_ref()
            .unwrap()
            .wanted()
            .is_some()
    );
}

#[test]
fn another_node_is_asked_about_only_when_the_fingers_rest() {
    let mut model = opened();
    all_answered(&mut model, "e");
    press(&mut model, "tab");
    assert!(press(&mut model, "j j").is_empty());
    assert_eq!(application(&model).detail.events, Inquiry::Idle);
    let wakes = model.wake_at().duration_since(now());
    assert!(wakes.as_millis() <= 300, "{wakes}");
    let effects = rest(&mut model);
    assert!(matches!(
        questions(&effects).as_slice(),
        [Question::Events(targets)] if &*targets[0].object.name == "gateway-6f7d9b-q8z1c"
    ));
    // Moving on gives the question up, and the next rest asks anew.
    press(&mut model, "j");
    let effects = rest(&mut model);
    assert!(
        matches!(
            effects.as_slice(),
            [Effect::Hush { .. }, Effect::Ask { .. }]
        ),
        "{effects:?}"
    );
    assert!(rest(&mut model).is_empty(), "it is asked already");
}

#[test]
fn what_its_owner_made_has_no_difference_and_says_so() {
    let mut model = opened();
    press(&mut model, "j j d");
    assert_eq!(place(&model), Place::App);
    assert!(
        notice(&model).starts_with("Git does not hold it"),
        "{}",
        notice(&model)
    );
    press(&mut model, "]");
    assert!(
        text(&model).contains("Git does not hold it"),
        "{}",
        text(&model)
    );
}

#[test]
fn the_application_itself_shows_everything_that_drifted_and_events_of_all() {
    let mut model = opened();
    press(&mut model, "k ]");
    assert!(
        text(&model).contains("data.LOG_LEVEL  info → debug"),
        "{}",
        text(&model)
    );
    assert!(matches!(
        questions(&press(&mut model, "]")).as_slice(),
        [Question::Events(targets)] if targets.len() == 3
    ));
    let wish = model.face().unwrap().wish(&model.ctx()).unwrap();
    assert_eq!(wish.targets.len(), 2);
}

#[test]
fn history_names_who_deployed_what_and_the_commits_behind_it() {
    let mut model = opened();
    all_answered(&mut model, "h");
    let text = text(&model);
    for words in [
        "#41",
        "by auto-sync",
        "current",
        "gateway: 3 replicas  a.lee",
        "edge-config: log less",
    ] {
        assert!(text.contains(words), "{words} is missing in\n{text}");
    }
}

#[test]
fn the_summary_names_the_rule_and_the_hubs_other_word() {
    let mut model = opened();
    let mut app = (**model.fleet.app(&app_on("edge-berlin-017")).unwrap()).clone();
    app.resources = vec![crate::domain::ManagedResource {
        object: deployment("gateway"),
        sync: Some(SyncState::Synced),
        health: None,
        hook: false,
        requires_pruning: false,
    }];
    update(&mut model, fact("hub-1", Fact::App(Box::new(app))), now());
    rest(&mut model);
    let text = text(&model);
    for words in [
        "compared by us",
        "hub-1 says Synced",
        "by Argo CD's own check",
        "spec.replicas  3 → 1",
        "kubectl-scale 01:33Z",
    ] {
        assert!(text.contains(words), "{words} is missing in\n{text}");
    }
}

#[test]
fn figures_are_those_of_the_application_and_say_when_there_are_none() {
    let mut model = opened();
    press(&mut model, "[ [ [ [");
    assert_eq!(tab(&model), Tab::Metrics);
    let text = text(&model);
    for words in [
        "2 of 2 endpoints answered",
        "No endpoint that was scraped names this application",
        "cpu",
    ] {
        assert!(text.contains(words), "{words} is missing in\n{text}");
    }
}

#[test]
fn of_a_cluster_that_does_not_answer_nothing_is_asked_and_that_is_said() {
    let mut model = reading();
    press(&mut model, "3 /");
    type_text(&mut model, "munich");
    assert!(questions(&press(&mut model, "enter enter")).is_empty());
    assert!(
        text(&model).contains("What is shown of it is old"),
        "{}",
        text(&model)
    );
    assert!(questions(&press(&mut model, "e")).is_empty());
    assert!(
        flat(&model).contains("9 shows its link"),
        "{}",
        text(&model)
    );
    assert!(rest(&mut model).is_empty());
    // Once it answers again it is asked without a key.
    update(&mut model, link("edge-munich-009", LinkState::Live), now());
    let later = now().checked_add(SignedDuration::from_secs(2)).unwrap();
    let effects = update(&mut model, Msg::Tick, later);
    assert_eq!(questions(&effects).len(), 2, "{effects:?}");
}

#[test]
fn a_refusal_is_shown_with_the_key_that_asks_again() {
    let mut model = opened();
    let effects = press(&mut model, "e");
    let Some(Effect::Ask { ask, .. }) = effects.last() else {
        panic!("{effects:?}");
    };
    let result = Err("The server does not let on-call list events in edge.".into());
    tell_model(&mut model, Done::Answered { ask: *ask, result });
    assert!(text(&model).contains("e asks again."), "{}", text(&model));
    assert_eq!(questions(&press(&mut model, "e")).len(), 1);
}

#[test]
fn a_filter_keeps_what_it_finds_with_its_owners() {
    let mut model = opened();
    press(&mut model, "/");
    type_text(&mut model, "q8z1c");
    press(&mut model, "enter");
    assert_eq!(application(&model).list.len(), 4);
    press(&mut model, "esc");
    assert_eq!(application(&model).list.len(), 7);
}

#[test]
fn t_reads_again_what_hangs_below() {
    let mut model = opened();
    press(&mut model, "]");
    let effects = press(&mut model, "t");
    assert!(matches!(
        questions(&effects).as_slice(),
        [Question::Tree(_)]
    ));
    assert_eq!(application(&model).pane, Pane::Tree);
    assert!(press(&mut model, "t").is_empty(), "it is asked already");
}

#[test]
fn every_keymap_turns_the_tabs() {
    for (name, keys) in [
        ("default", "]"),
        ("vim", "g t"),
        ("vim", "]"),
        ("k9s", "]"),
        ("lazygit", "]"),
        ("argonaut", "]"),
    ] {
        let mut model = opened();
        model.keymap = Keymap::load(name, None).unwrap();
        press(&mut model, keys);
        assert_eq!(tab(&model), Tab::Diff, "{name} {keys}");
        press(&mut model, if keys == "g t" { "g T" } else { "[" });
        assert_eq!(tab(&model), Tab::Summary, "{name}");
    }
}

#[test]
fn yaml_of_the_application_itself_is_its_own_document_on_its_hub() {
    let is_own = |question: &Question| {
        let Question::Yaml(target) = question else {
            return false;
        };
        let object = target.object.to_string();
        target.cluster.as_str() == "hub-1" && object == "Application argocd/gateway-berlin-017"
    };
    let mut model = reading();
    let effects = press(&mut model, "3 y");
    assert!(is_own(questions(&effects)[0]), "{effects:?}");
    assert!(model.modal.is_some());
    let mut model = opened();
    press(&mut model, "k");
    assert_eq!(
        selected(&model),
        "Application argocd/gateway-berlin-017",
        "the tree begins with it"
    );
    let effects = press(&mut model, "y");
    assert!(is_own(questions(&effects)[0]), "{effects:?}");
    assert_eq!(tab(&model), Tab::Live);
}

#[test]
fn the_document_of_an_application_is_read_while_its_edge_is_dark() {
    let mut model = reading();
    press(&mut model, "3 /");
    type_text(&mut model, "munich");
    press(&mut model, "enter enter g g");
    let effects = press(&mut model, "y");
    assert!(
        matches!(questions(&effects).as_slice(), [Question::Yaml(target)] if target.cluster.as_str() == "hub-1"),
        "{effects:?}"
    );
}

#[test]
fn an_object_that_its_owner_made_is_explained_by_owner_health_and_rule() {
    let mut model = opened();
    press(&mut model, "j j X");
    assert_eq!(selected(&model), "Pod edge/gateway-6f7d9b-q8z1c");
    let Some(Modal::Window(window)) = &model.modal else {
        panic!("no window");
    };
    let lines = window.lines();
    let said: Vec<String> = lines
        .iter()
        .map(|line| format!("{} {}", line.label, line.text))
        .collect();
    let said = said.join("\n");
    for words in [
        "Git does not hold it",
        "made by ReplicaSet edge/gateway-6f7d9b",
        "Deployment edge/gateway",
        "part of gateway-berlin-017",
        "CrashLoopBackOff",
        "by Argo CD's own check",
    ] {
        assert!(said.contains(words), "{words} is missing in\n{said}");
    }
}
