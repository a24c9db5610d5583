//! Runs: followed, left, stopped, refused.

use super::*;

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
