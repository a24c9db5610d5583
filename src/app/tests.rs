//! Keys in, effects and state out: what each action of the default keymap does.

use std::sync::Arc;

use jiff::SignedDuration;

use super::modal::Modal;
use super::screens::drift::Pane;
use super::screens::plan::Planned;
use super::screens::{Face, Screen};
use super::testkit::{
    app_on, config_map, console, deployment, now, plan_for, planned, press, tell_model,
    troubled_fleet, type_text,
};
use super::*;
use crate::domain::{ClusterEvent, ClusterId, Fact, LinkState, Safe};
use crate::keymap::Keymap;
use crate::ops::{Outcome, RunEvent, Seen, TargetOutcome};

fn reading() -> Model {
    console(troubled_fleet(), 120, 36, false)
}

fn writing() -> Model {
    console(troubled_fleet(), 120, 36, true)
}

fn place(model: &Model) -> Place {
    model.place()
}

fn selected(model: &Model) -> String {
    model
        .face()
        .and_then(|f| f.name(&model.ctx()))
        .unwrap_or_default()
        .to_string()
}

fn notice(model: &Model) -> String {
    model
        .notice
        .as_ref()
        .map_or(String::new(), |n| n.text.to_string())
}

fn fleet_list(model: &Model) -> Vec<String> {
    match &model.stack[0] {
        Screen::Fleet(s) => s.list.keys().iter().map(ToString::to_string).collect(),
        _ => unreachable!("the fleet is always below"),
    }
}

fn marks(model: &Model) -> usize {
    match model.screen() {
        Some(Screen::Fleet(s)) => s.list.marked().len(),
        Some(Screen::Drift(s)) => s.groups.marked().len() + s.members.marked().len(),
        _ => 0,
    }
}

fn drift(model: &Model) -> &super::screens::DriftScreen {
    match model.screen() {
        Some(Screen::Drift(s)) => s,
        other => panic!("{other:?} is not the drift screen"),
    }
}

fn plan(model: &Model) -> &super::screens::PlanScreen {
    match model.screen() {
        Some(Screen::Plan(s)) => s,
        other => panic!("{other:?} is not the plan screen"),
    }
}

fn run(model: &Model) -> &super::screens::RunScreen {
    match model.screen() {
        Some(Screen::Run(s)) => s,
        other => panic!("{other:?} is not the run screen"),
    }
}

fn diff(model: &Model) -> &super::screens::DiffScreen {
    match model.screen() {
        Some(Screen::Diff(s)) => s,
        other => panic!("{other:?} is not the diff screen"),
    }
}

fn fact(cluster: &str, fact: Fact) -> Msg {
    Msg::Facts(vec![ClusterEvent {
        cluster: cluster.into(),
        generation: 1,
        at: now(),
        fact,
    }])
}

fn link(cluster: &str, state: LinkState) -> Msg {
    fact(
        cluster,
        Fact::Link {
            state,
            message: None,
        },
    )
}

// ---- moving

#[test]
fn the_most_urgent_cluster_is_first_and_the_calm_ones_last() {
    let model = reading();
    let list = fleet_list(&model);
    assert_eq!(list[0], "edge-berlin-017");
    assert_eq!(list.last().map(String::as_str), Some("hub-1"));
    assert_eq!(selected(&model), "edge-berlin-017");
}

#[test]
fn every_motion_moves_as_its_name_says() {
    let mut model = reading();
    let list = fleet_list(&model);
    let mut at = |keys: &str| {
        press(&mut model, keys);
        list.iter()
            .position(|name| *name == selected(&model))
            .unwrap()
    };
    assert_eq!(at("j"), 1);
    assert_eq!(at("down j"), 3);
    assert_eq!(at("k"), 2);
    assert_eq!(at("G"), 14);
    assert_eq!(at("g g"), 0);
    assert_eq!(at("ctrl-d"), 14);
    assert_eq!(at("ctrl-u"), 0);
    assert_eq!(at("end"), 14);
    assert_eq!(at("pageup"), 0);
    assert_eq!(at("ctrl-f"), 14);
    assert_eq!(at("home"), 0);
}

#[test]
fn holding_half_page_in_any_screen_orders_nothing() {
    for open in ["", "2", "3", "3 enter", "2 d", "2 s"] {
        let mut model = writing();
        press(&mut model, open);
        for _ in 0..50 {
            assert!(press(&mut model, "ctrl-d").is_empty(), "{open}");
        }
    }
}

#[test]
fn a_chord_that_is_not_finished_is_forgotten_with_escape() {
    let mut model = reading();
    press(&mut model, "j j g");
    assert_eq!(model.pressed.len(), 1);
    press(&mut model, "esc");
    assert!(model.pressed.is_empty());
    assert_eq!(selected(&model), fleet_list(&model)[2]);
}

// ---- screens

#[test]
fn numbers_lead_to_screens_and_back() {
    let mut model = reading();
    for (key, expected) in [
        ("2", Place::Drift),
        ("3", Place::Apps),
        ("2", Place::Drift),
        ("1", Place::Fleet),
    ] {
        press(&mut model, key);
        assert_eq!(place(&model), expected, "{key}");
    }
    assert_eq!(model.stack.len(), 1);
}

#[test]
fn enter_leads_from_a_cluster_to_its_applications_to_the_application_to_the_difference() {
    let mut model = reading();
    press(&mut model, "enter");
    assert_eq!(
        (place(&model), selected(&model).as_str()),
        (Place::Apps, "gateway-berlin-017")
    );
    press(&mut model, "enter");
    assert_eq!(
        (place(&model), selected(&model).as_str()),
        (Place::App, "Deployment edge/gateway")
    );
    press(&mut model, "enter");
    assert_eq!(
        diff(&model).target.cluster,
        ClusterId::from("edge-berlin-017")
    );
    let crumbs: Vec<String> = model.crumbs().iter().map(ToString::to_string).collect();
    assert_eq!(
        crumbs,
        [
            "fleet",
            "edge-berlin-017",
            "gateway-berlin-017",
            "gateway diff"
        ]
    );
    press(&mut model, "q q q");
    assert_eq!(place(&model), Place::Fleet);
}

#[test]
fn d_leads_from_a_cluster_to_its_drift_only() {
    let mut model = reading();
    press(&mut model, "d");
    assert_eq!(drift(&model).only, Some("edge-berlin-017".into()));
    assert_eq!(drift(&model).groups.len(), 2);
    // The number leads to the whole inbox, not back to the part.
    press(&mut model, "2");
    assert_eq!(drift(&model).only, None);
    assert_eq!(drift(&model).groups.len(), 3);
}

#[test]
fn a_screen_that_needs_a_selection_says_what_to_choose() {
    let mut model = reading();
    press(&mut model, "4");
    assert!(
        notice(&model).contains("3 lists them"),
        "{}",
        notice(&model)
    );
    press(&mut model, "5");
    assert!(
        notice(&model).contains("2 lists them"),
        "{}",
        notice(&model)
    );
    press(&mut model, "6");
    assert!(
        notice(&model).contains("s on a drifted row"),
        "{}",
        notice(&model)
    );
    press(&mut model, "2 4");
    assert_eq!(place(&model), Place::App);
}

#[test]
fn escape_closes_filter_then_marks_then_the_screen_and_never_quits() {
    let mut model = reading();
    press(&mut model, "3 / o s l o enter");
    press(&mut model, "esc");
    assert_eq!(place(&model), Place::Apps);
    press(&mut model, "esc esc esc esc");
    assert_eq!((place(&model), model.modal.is_none()), (Place::Fleet, true));
}

#[test]
fn leaving_the_first_screen_asks_and_the_answer_counts() {
    let mut model = reading();
    assert!(press(&mut model, "q").is_empty());
    assert!(matches!(model.modal, Some(Modal::Confirm(_))));
    assert!(press(&mut model, "n").is_empty());
    assert!(model.modal.is_none());
    assert_eq!(press(&mut model, "q y"), [Effect::Quit]);
    assert_eq!(press(&mut reading(), "Q enter"), [Effect::Quit]);
}

#[test]
fn ctrl_c_quits_only_twice_in_a_row() {
    let mut model = reading();
    assert!(press(&mut model, "ctrl-c").is_empty());
    assert!(notice(&model).contains("again"));
    assert!(press(&mut model, "j ctrl-c").is_empty());
    assert_eq!(press(&mut model, "ctrl-c"), [Effect::Quit]);
}

#[test]
fn ctrl_c_closes_a_window_first() {
    let mut model = reading();
    press(&mut model, "? ctrl-c");
    assert!(model.modal.is_none() && notice(&model).is_empty());
}

#[test]
fn suspend_redraw_and_copy_are_orders() {
    let mut model = reading();
    assert_eq!(press(&mut model, "ctrl-z"), [Effect::Suspend]);
    assert_eq!(press(&mut model, "ctrl-l"), [Effect::Redraw]);
    assert_eq!(
        press(&mut model, "c"),
        [Effect::Copy("edge-berlin-017".into())]
    );
}

// ---- filter, problems, sort, marks

#[test]
fn typing_a_filter_narrows_at_each_key_and_escape_brings_everything_back() {
    let mut model = reading();
    press(&mut model, "/");
    type_text(&mut model, "berlin");
    assert_eq!(fleet_list(&model), ["edge-berlin-017", "edge-berlin-018"]);
    press(&mut model, "esc");
    assert_eq!(fleet_list(&model).len(), 15);
}

#[test]
fn letters_typed_into_a_filter_are_text_and_never_actions() {
    let mut model = writing();
    press(&mut model, "/");
    assert!(type_text(&mut model, "sdq?:Q").is_empty());
    assert_eq!(place(&model), Place::Fleet);
    assert!(matches!(model.modal, Some(Modal::Filter(..))));
}

#[test]
fn a_filter_asks_fields() {
    let mut model = reading();
    press(&mut model, "/");
    type_text(&mut model, "group=us drift>0");
    press(&mut model, "enter");
    assert_eq!(fleet_list(&model), ["edge-austin-001", "edge-boston-001"]);
}

#[test]
fn a_filter_that_does_not_read_says_why_and_keeps_the_last_good_one() {
    let mut model = reading();
    press(&mut model, "/");
    update(&mut model, Msg::Paste("drift>0".into()), now());
    update(&mut model, Msg::Paste(" and drfit>1".into()), now());
    let error = model
        .face()
        .and_then(|f| f.sieve())
        .and_then(|s| s.error.clone())
        .unwrap();
    assert!(error.as_str().contains("`drift`"), "{error}");
    assert_eq!(fleet_list(&model).len(), 7);
}

#[test]
fn problems_shows_who_needs_somebody() {
    let mut model = reading();
    press(&mut model, "!");
    let list = fleet_list(&model);
    assert_eq!(list.len(), 9);
    assert!(!list.contains(&"edge-denver-001".to_owned()));
    assert!(list.contains(&"edge-paris-031".to_owned()));
    press(&mut model, "!");
    assert_eq!(fleet_list(&model).len(), 15);
}

#[test]
fn sort_goes_through_the_orders_and_keeps_the_selected_row() {
    let mut model = reading();
    press(&mut model, "j j");
    let before = selected(&model);
    press(&mut model, "S");
    assert_eq!(model.face().and_then(Face::sort_name), Some("name"));
    assert_eq!(fleet_list(&model)[0], "edge-austin-001");
    assert_eq!(selected(&model), before);
}

#[test]
fn marks_range_invert_and_clear() {
    let mut model = reading();
    press(&mut model, "space j j ctrl-space");
    assert_eq!(marks(&model), 3);
    press(&mut model, "*");
    assert_eq!(marks(&model), 12);
    press(&mut model, "ctrl-\\");
    assert_eq!(marks(&model), 0);
}

#[test]
fn rows_keep_their_places_while_somebody_moves() {
    let mut model = reading();
    press(&mut model, "j");
    let before = fleet_list(&model);
    update(
        &mut model,
        link("edge-madrid-001", LinkState::Unreachable),
        now(),
    );
    assert_eq!(fleet_list(&model), before);
    let later = now().checked_add(SignedDuration::from_secs(2)).unwrap();
    assert!(model.wake_at() <= later);
    update(&mut model, Msg::Tick, later);
    assert_ne!(fleet_list(&model), before);
    assert_eq!(selected(&model), before[1]);
}

// ---- cluster actions

#[test]
fn r_reconnects_what_is_marked_or_selected() {
    let mut model = reading();
    assert_eq!(
        press(&mut model, "r"),
        [Effect::Retry("edge-berlin-017".into())]
    );
    assert_eq!(press(&mut model, "space j space r").len(), 2);
}

#[test]
fn login_is_offered_only_where_credentials_are_asked_for() {
    let mut model = reading();
    assert!(press(&mut model, "a").is_empty());
    assert!(notice(&model).contains("does not ask"));
    press(&mut model, "/");
    type_text(&mut model, "lyon");
    assert_eq!(
        press(&mut model, "enter a"),
        [Effect::Login("edge-lyon-001".into())]
    );
    let result = Err(Safe::fixed("the plugin ended with status 1."));
    tell_model(
        &mut model,
        Done::LoggedIn {
            cluster: "edge-lyon-001".into(),
            result,
        },
    );
    assert!(notice(&model).contains("status 1"), "{}", notice(&model));
}

// ---- drift

#[test]
fn groups_open_into_members_and_members_into_the_difference() {
    let mut model = reading();
    press(&mut model, "2 enter");
    assert_eq!(drift(&model).pane, Pane::Members);
    press(&mut model, "j enter");
    assert_eq!(diff(&model).target.object, deployment("gateway"));
    press(&mut model, "esc");
    assert_eq!(drift(&model).pane, Pane::Members);
    press(&mut model, "esc");
    assert_eq!(drift(&model).pane, Pane::Groups);
}

#[test]
fn tab_goes_between_the_panes() {
    let mut model = reading();
    press(&mut model, "2 tab");
    assert_eq!(drift(&model).pane, Pane::Members);
    press(&mut model, "shift-tab");
    assert_eq!(drift(&model).pane, Pane::Groups);
}

#[test]
fn members_that_are_not_current_come_last() {
    let mut model = reading();
    press(&mut model, "2");
    let members: Vec<String> = drift(&model)
        .members
        .keys()
        .iter()
        .map(|(c, _)| c.to_string())
        .collect();
    assert_eq!(members.last().map(String::as_str), Some("edge-munich-009"));
    assert_eq!(members.len(), 5);
}

#[test]
fn the_other_sorts_of_the_inbox() {
    let mut model = reading();
    press(&mut model, "2 S");
    assert_eq!(model.face().and_then(Face::sort_name), Some("newest"));
    press(&mut model, "S");
    assert_eq!(selected(&model), "ConfigMap edge/edge-config".to_owned());
}

// ---- diff

#[test]
fn the_difference_needs_no_question_while_the_fleet_has_the_documents() {
    let mut model = reading();
    assert!(press(&mut model, "2 d").is_empty());
    let counted = diff(&model).rows.iter().filter(|r| r.counts()).count();
    assert_eq!(counted, 1);
}

#[test]
fn documents_that_the_fleet_does_not_hold_are_asked_for_and_late_answers_dropped() {
    let mut model = reading();
    let effects = press(&mut model, "3 enter j j enter");
    let [
        Effect::FetchBodies {
            ask,
            cluster,
            object,
            ..
        },
    ] = effects.as_slice()
    else {
        panic!("{effects:?}");
    };
    assert_eq!(
        (cluster.as_str(), object.to_string().as_str()),
        ("edge-berlin-017", "Service edge/gateway")
    );
    let gone = Err(Safe::fixed("somebody else's answer"));
    tell_model(
        &mut model,
        Done::Bodies {
            ask: ask + 7,
            result: gone,
        },
    );
    assert!(matches!(
        diff(&model).documents,
        super::screens::diff::Documents::Reading
    ));
    let why = Err(Safe::fixed("The object is forbidden."));
    tell_model(
        &mut model,
        Done::Bodies {
            ask: *ask,
            result: why,
        },
    );
    assert!(matches!(
        diff(&model).documents,
        super::screens::diff::Documents::Failed(_)
    ));
    assert!(matches!(
        press(&mut model, "5").as_slice(),
        [Effect::FetchBodies { .. }]
    ));
}

#[test]
fn noise_owners_context_and_split_change_what_is_shown() {
    let mut model = reading();
    press(&mut model, "2 d");
    let lines = diff(&model).lines.len();
    press(&mut model, "z");
    assert!(diff(&model).noise && diff(&model).lines.len() > lines);
    press(&mut model, "z }");
    assert!(diff(&model).lines.len() > lines);
    press(&mut model, "{ { {");
    assert!(diff(&model).lines.len() < lines);
    press(&mut model, "b");
    assert!(!diff(&model).owners);
    assert!(diff(&model).is_split(120));
    press(&mut model, "+");
    assert!(!diff(&model).is_split(120));
}

#[test]
fn side_by_side_is_refused_below_a_hundred_columns() {
    let mut model = console(troubled_fleet(), 80, 24, false);
    press(&mut model, "2 d +");
    assert!(notice(&model).contains("100 columns"));
}

#[test]
fn brackets_go_from_change_to_change_and_columns_scroll() {
    let mut model = console(troubled_fleet(), 80, 10, false);
    press(&mut model, "2 d z");
    let hunks = diff(&model).hunks(&model.ctx());
    assert!(hunks.len() > 1, "{hunks:?}");
    press(&mut model, "]");
    let top = diff(&model).top;
    assert!(top > 0);
    press(&mut model, "n ] ]");
    assert!(diff(&model).top > top);
    press(&mut model, "[ N [ [ [");
    assert_eq!(diff(&model).top, hunks[0].saturating_sub(2));
    press(&mut model, "l l");
    assert_eq!(diff(&model).shift, 16);
    press(&mut model, "left h h");
    assert_eq!(diff(&model).shift, 0);
}

// ---- plan

#[test]
fn revert_opens_a_plan_and_changes_nothing() {
    let mut model = writing();
    let effects = press(&mut model, "2 s");
    let [Effect::BuildPlan { wish, .. }] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    assert_eq!(wish.targets.len(), 5);
    assert_eq!(
        wish.reason.as_str(),
        "Deployment edge/gateway spec.replicas 3→1"
    );
    assert!(matches!(plan(&model).planned, Planned::Building));
}

#[test]
fn revert_takes_the_members_that_are_marked() {
    let mut model = writing();
    let effects = press(&mut model, "2 enter space j space s");
    let [Effect::BuildPlan { wish, .. }] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    let clusters: Vec<&str> = wish.targets.iter().map(|t| t.cluster.as_str()).collect();
    assert_eq!(clusters, ["edge-austin-001", "edge-berlin-017"]);
}

#[test]
fn revert_works_from_every_screen_that_shows_drift() {
    for (keys, objects) in [
        ("s", 2),
        ("3 s", 2),
        ("3 enter s", 1),
        ("2 d s", 1),
        ("space j space s", 3),
    ] {
        let effects = press(&mut writing(), keys);
        let [Effect::BuildPlan { wish, .. }] = effects.as_slice() else {
            panic!("{keys}: {effects:?}");
        };
        assert_eq!(wish.targets.len(), objects, "{keys}");
    }
}

#[test]
fn nothing_to_revert_is_said_and_opens_nothing() {
    let mut model = writing();
    press(&mut model, "G");
    assert!(press(&mut model, "s").is_empty());
    assert_eq!(
        (place(&model), notice(&model).as_str()),
        (Place::Fleet, "Nothing has drifted there.")
    );
}

#[test]
fn a_plan_that_fails_says_why_and_can_be_asked_for_again() {
    let mut model = writing();
    let effects = press(&mut model, "2 s");
    let Effect::BuildPlan { ask, .. } = &effects[0] else {
        panic!("{effects:?}");
    };
    tell_model(
        &mut model,
        Done::Planned {
            ask: *ask,
            result: Err(Safe::fixed("The repository does not answer.")),
        },
    );
    assert!(
        matches!(&plan(&model).planned, Planned::Failed(why) if why.as_str().contains("repository"))
    );
    assert!(
        matches!(press(&mut model, "r").as_slice(), [Effect::BuildPlan { ask: again, .. }] if again != ask)
    );
}

#[test]
fn an_answer_to_an_older_question_is_dropped() {
    let mut model = writing();
    let effects = press(&mut model, "2 s");
    let Effect::BuildPlan { ask, wish } = effects[0].clone() else {
        panic!("{effects:?}");
    };
    press(&mut model, "r");
    tell_model(
        &mut model,
        Done::Planned {
            ask,
            result: Ok(Arc::new(plan_for(&wish, false))),
        },
    );
    assert!(matches!(plan(&model).planned, Planned::Building));
}

#[test]
fn a_read_only_console_runs_nothing_and_says_how_to() {
    let mut model = reading();
    planned(&mut model, "2 s", false);
    assert!(press(&mut model, "enter").is_empty());
    assert!(model.modal.is_none());
    assert!(notice(&model).contains("--write"));
}

#[test]
fn running_asks_first_and_enter_is_the_safe_answer() {
    let mut model = writing();
    planned(&mut model, "2 s", false);
    press(&mut model, "enter");
    assert!(matches!(model.modal, Some(Modal::Confirm(_))));
    assert!(press(&mut model, "enter").is_empty());
    assert_eq!((place(&model), model.modal.is_none()), (Place::Plan, true));
}

#[test]
fn a_confirmed_plan_is_run_and_is_exactly_the_one_that_was_shown() {
    let mut model = writing();
    let shown = planned(&mut model, "2 s", false);
    let effects = press(&mut model, "enter y");
    assert_eq!(
        effects,
        [Effect::RunPlan {
            plan: shown.id.clone(),
            confirmation: None
        }]
    );
    assert!(Arc::ptr_eq(&run(&model).plan, &shown));
}

#[test]
fn a_guardrail_wants_its_name_typed_exactly() {
    let mut model = writing();
    planned(&mut model, "2 s", true);
    press(&mut model, "enter");
    assert!(type_text(&mut model, "prod").is_empty());
    assert!(press(&mut model, "enter y").is_empty());
    press(&mut model, "ctrl-u");
    type_text(&mut model, "prod-eu");
    let effects = press(&mut model, "enter");
    assert!(
        matches!(effects.as_slice(), [Effect::RunPlan { confirmation: Some(typed), .. }] if typed.as_str() == "prod-eu")
    );
}

#[test]
fn a_pasted_name_does_not_confirm() {
    let mut model = writing();
    planned(&mut model, "2 s", true);
    press(&mut model, "enter");
    update(&mut model, Msg::Paste("prod-eu".into()), now());
    assert!(press(&mut model, "enter").is_empty());
}

#[test]
fn leaving_targets_out_means_another_plan_which_is_shown_first() {
    let mut model = writing();
    planned(&mut model, "2 s", false);
    press(&mut model, "space");
    assert_eq!(plan(&model).left_out.len(), 1);
    let effects = press(&mut model, "enter");
    assert!(
        matches!(effects.as_slice(), [Effect::BuildPlan { wish, .. }] if wish.targets.len() == 4),
        "{effects:?}"
    );
    assert!(model.modal.is_none() && notice(&model).contains("built again"));
}

#[test]
fn leaving_every_target_out_asks_for_nothing() {
    let mut model = writing();
    planned(&mut model, "2 s", false);
    assert!(press(&mut model, "a enter").is_empty());
    assert!(matches!(plan(&model).planned, Planned::Failed(_)));
}

#[test]
fn the_route_goes_round_and_builds_the_plan_again() {
    use crate::ops::Route;
    let mut model = writing();
    planned(&mut model, "2 s", false);
    for expected in [Some(Route::Argo), Some(Route::Direct), None] {
        let effects = press(&mut model, "v");
        assert!(
            matches!(effects.as_slice(), [Effect::BuildPlan { wish, .. }] if wish.via == expected)
        );
    }
}

#[test]
fn a_note_is_part_of_the_plan_and_builds_it_again() {
    let mut model = writing();
    planned(&mut model, "2 s", false);
    press(&mut model, "n");
    type_text(&mut model, "INC-4711 ");
    let effects = press(&mut model, "enter");
    assert!(
        matches!(effects.as_slice(), [Effect::BuildPlan { wish, .. }] if wish.note == Some("INC-4711".into())),
        "{effects:?}"
    );
    // The same note again asks for nothing.
    assert!(press(&mut model, "n enter").is_empty());
}

#[test]
fn deleting_what_git_does_not_have_is_asked_for_by_itself() {
    let mut model = writing();
    planned(&mut model, "2 s", false);
    let effects = press(&mut model, "p");
    assert!(
        matches!(effects.as_slice(), [Effect::BuildPlan { wish, .. }] if wish.prune),
        "{effects:?}"
    );
}

#[test]
fn a_plan_is_copied_as_commands_that_do_the_same() {
    let mut model = reading();
    planned(&mut model, "2 d s", false);
    let effects = press(&mut model, "c");
    let [Effect::Copy(text)] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    assert_eq!(
        text.as_str(),
        "driftdeck revert --cluster edge-austin-001 --app gateway-austin-001 --kind Deployment -n edge --name gateway --via direct --write"
    );
}

// ---- run

fn ended(shown: &crate::ops::Plan, index: usize, outcome: Outcome) -> RunEvent {
    let outcome = TargetOutcome {
        target: shown.targets[index].name(),
        outcome,
        message: "admission webhook denied the request: quota exceeded".into(),
        before: Some(Seen {
            resource_version: "881204".into(),
            hash: String::new(),
            differs: 1,
        }),
        after: None,
    };
    RunEvent::Ended(index, Box::new(outcome))
}

fn hear(model: &mut Model, shown: &crate::ops::Plan, event: RunEvent) {
    tell_model(
        model,
        Done::Run {
            plan: shown.id.clone(),
            event,
        },
    );
}

#[test]
fn the_run_screen_follows_the_run_and_puts_what_failed_first() {
    let mut model = writing();
    let shown = planned(&mut model, "2 s", false);
    press(&mut model, "enter y");
    hear(&mut model, &shown, RunEvent::WaveStarted(0));
    hear(&mut model, &shown, RunEvent::Started(2));
    assert_eq!(run(&model).in_flight(), 1);
    hear(&mut model, &shown, ended(&shown, 0, Outcome::Reverted));
    hear(&mut model, &shown, ended(&shown, 2, Outcome::Failed));
    assert_eq!(
        (run(&model).ended(), run(&model).count(Outcome::Failed)),
        (2, 1)
    );
    let later = now().checked_add(SignedDuration::from_secs(5)).unwrap();
    update(&mut model, Msg::Tick, later);
    assert_eq!(run(&model).list.keys().first(), Some(&2));
}

#[test]
fn a_run_goes_on_while_another_screen_is_seen_and_can_be_come_back_to() {
    let mut model = writing();
    let shown = planned(&mut model, "2 s", false);
    press(&mut model, "enter y 1");
    assert_eq!(place(&model), Place::Fleet);
    hear(&mut model, &shown, ended(&shown, 0, Outcome::Reverted));
    press(&mut model, "6");
    assert_eq!(run(&model).ended(), 1);
}

#[test]
fn stop_is_ordered_once() {
    let mut model = writing();
    let shown = planned(&mut model, "2 s", false);
    press(&mut model, "enter y");
    assert_eq!(
        press(&mut model, "t"),
        [Effect::StopRun {
            plan: shown.id.clone()
        }]
    );
    assert!(press(&mut model, "t").is_empty());
}

#[test]
fn a_run_that_is_refused_says_why() {
    let mut model = writing();
    let shown = planned(&mut model, "2 s", false);
    press(&mut model, "enter y");
    let why = Safe::fixed("The journal cannot be written; nothing was sent.");
    tell_model(
        &mut model,
        Done::RunRefused {
            plan: shown.id.clone(),
            why: why.clone(),
        },
    );
    assert_eq!(run(&model).stopped, Some(why));
}

#[test]
fn quitting_during_a_run_says_what_that_means() {
    let mut model = writing();
    planned(&mut model, "2 s", false);
    press(&mut model, "enter y Q");
    let Some(Modal::Confirm(confirm)) = &model.modal else {
        panic!("{:?}", model.modal);
    };
    assert!(confirm.facts[0].as_str().contains("run is going on"));
}

// ---- windows

#[test]
fn help_lists_every_action_of_the_screen_with_its_keys() {
    let keymap = Keymap::load("default", None).unwrap();
    for place in Place::ALL {
        let lines = help::lines(&keymap, place);
        for row in ACTIONS
            .iter()
            .filter(|a| keymap.keys_of(place, a.action).is_some())
        {
            assert!(
                lines.iter().any(|l| l.id == row.id),
                "{} on {place:?}",
                row.id
            );
        }
    }
    let mut model = reading();
    press(&mut model, "? j j");
    assert!(matches!(model.modal, Some(Modal::Help(2))));
    press(&mut model, "x");
    assert!(model.modal.is_none());
}

#[test]
fn the_palette_runs_what_was_found() {
    let mut model = reading();
    press(&mut model, ":");
    type_text(&mut model, "go.apps");
    press(&mut model, "enter");
    assert_eq!(place(&model), Place::Apps);
    press(&mut model, "x");
    type_text(&mut model, "theme light");
    assert_eq!(
        press(&mut model, "enter"),
        [Effect::LoadTheme("light".into())]
    );
    press(&mut model, ":");
    type_text(&mut model, "keymap default");
    assert_eq!(
        press(&mut model, "enter"),
        [Effect::LoadKeymap("default".into())]
    );
}

#[test]
fn pasted_text_is_one_line_of_the_filter() {
    let mut model = reading();
    press(&mut model, "/");
    update(&mut model, Msg::Paste("berlin\n".into()), now());
    assert_eq!(fleet_list(&model).len(), 2);
}

// ---- facts

#[test]
fn facts_that_change_nothing_visible_draw_nothing() {
    let mut model = reading();
    model.take_dirty();
    update(&mut model, fact("edge-madrid-001", Fact::Seen), now());
    assert!(!model.take_dirty());
    update(&mut model, link("edge-madrid-001", LinkState::Stale), now());
    assert!(model.take_dirty());
}

#[test]
fn an_old_life_of_a_cluster_changes_nothing() {
    let mut model = reading();
    model.take_dirty();
    let old = ClusterEvent {
        cluster: "edge-madrid-001".into(),
        generation: 0,
        at: now(),
        fact: Fact::Link {
            state: LinkState::Unreachable,
            message: None,
        },
    };
    update(&mut model, Msg::Facts(vec![old]), now());
    assert!(!model.take_dirty());
}

#[test]
fn a_cluster_that_goes_silent_is_no_longer_counted_as_good() {
    let mut model = reading();
    let good = model.rows.counts.good;
    update(&mut model, link("edge-madrid-001", LinkState::Stale), now());
    assert_eq!(model.rows.counts.good, good - 1);
    assert_eq!(model.rows.counts.stale, 2);
}

#[test]
fn the_screen_sleeps_until_the_next_minute_when_nothing_is_young() {
    let model = reading();
    let wake = model.wake_at();
    assert_eq!(wake.as_second() % 60, 0);
    assert!(wake > now());
}

#[test]
fn a_resize_keeps_the_selected_row_in_sight() {
    let mut model = reading();
    press(&mut model, "G");
    let before = selected(&model);
    for (cols, rows) in [(80, 24), (20, 6), (1, 1), (500, 200), (0, 0), (60, 20)] {
        update(&mut model, Msg::Resize(cols, rows), now());
        let Some(Screen::Fleet(fleet)) = model.screen() else {
            panic!("the fleet is seen");
        };
        let (cursor, offset) = (fleet.list.cursor(), fleet.list.offset());
        assert!(
            cursor >= offset && cursor < offset + fleet.page(&model.ctx()),
            "{cols}x{rows}"
        );
    }
    assert_eq!(selected(&model), before);
}

#[test]
fn a_reverted_object_leaves_the_inbox() {
    let mut model = reading();
    press(&mut model, "2");
    let healed = crate::fleet::testkit::in_sync(
        "gateway-boston-001",
        crate::domain::ObjectRef::new(
            crate::domain::Gvk::new("", "v1", "Service"),
            "edge",
            "gateway",
        ),
    );
    update(
        &mut model,
        fact("edge-boston-001", Fact::Resource(Box::new(healed))),
        now(),
    );
    let later = now().checked_add(SignedDuration::from_secs(5)).unwrap();
    update(&mut model, Msg::Tick, later);
    assert_eq!(drift(&model).groups.len(), 2);
    assert_eq!(
        app_on("edge-boston-001").name.as_ref(),
        "gateway-boston-001"
    );
    assert_eq!(
        config_map("edge-config").to_string(),
        "ConfigMap edge/edge-config"
    );
}
