//! Plans: opened, changed, confirmed, refused.

use super::*;

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
        let Some(Effect::BuildPlan { wish, .. }) = effects.last() else {
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
