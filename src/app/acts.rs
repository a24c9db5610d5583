//! Actions to changes of the model: what all screens share is here, the rest is asked of the screen.

use tui_input::Input;

use super::action::Action;
use super::list::Step;
use super::menu::Menu;
use super::modal::{Confirm, Modal, Then};
use super::model::Model;
use super::msg::{Effect, Notice};
use super::palette::Palette;
use super::screens::run::RunScreen;
use super::screens::{
    ActivityScreen, AppScreen, AppsScreen, ClusterScreen, DiffScreen, DriftScreen, MatrixScreen,
    Next, PlanScreen, Screen,
};
use crate::domain::Safe;
use crate::ops::Plan;
use crate::view::place::Place;

/// Carries out an action.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    if let Some(step) = step_of(model, action) {
        model.on_screen(|screen, ctx| screen.face_mut().step(step, ctx));
        return Vec::new();
    }
    if is_about_the_row(action) {
        // Whoever acts on a row has chosen it, moved or not: from now on the cursor stays with it.
        model.on_screen(|screen, ctx| screen.face_mut().step(Step::By(0), ctx));
    }
    match model.on_screen(|screen, ctx| screen.face_mut().act(action, ctx)) {
        Some(Next::Done) => Vec::new(),
        Some(Next::Push(screen)) => open(model, *screen),
        Some(Next::Say(notice)) => say(model, notice),
        Some(Next::Order(effects)) => effects,
        Some(Next::AskAgain) => ask_again(model),
        Some(Next::Ignored) | None => shared(model, action),
    }
}

fn step_of(model: &Model, action: Action) -> Option<Step> {
    let page = model.face().map_or(1, |f| f.page(&model.ctx()));
    let page = isize::try_from(page).unwrap_or(isize::MAX);
    Some(match action {
        Action::Down => Step::By(1),
        Action::Up => Step::By(-1),
        Action::PageDown => Step::By(page),
        Action::PageUp => Step::By(-page),
        Action::HalfDown => Step::By((page / 2).max(1)),
        Action::HalfUp => Step::By(-(page / 2).max(1)),
        Action::Top => Step::First,
        Action::Bottom => Step::Last,
        _ => return None,
    })
}

/// Whether an action, or what is chosen from the list that it opens, is done to the selected row.
fn is_about_the_row(action: Action) -> bool {
    matches!(
        action,
        Action::Open
            | Action::GoApp
            | Action::GoDiff
            | Action::GoCluster
            | Action::Diff
            | Action::Revert
            | Action::Palette
            | Action::Menu
            | Action::Explain
            | Action::Events
            | Action::Tree
            | Action::History
            | Action::Logs
            | Action::Yaml
            | Action::Compare
            | Action::Word
            | Action::Ack
            | Action::Mark
            | Action::MarkRange
            | Action::Copy
            | Action::CopyLink
            | Action::Retry
            | Action::Login
    )
}

/// What every screen does alike.
fn shared(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Back => back(model),
        Action::Leave => leave(model),
        Action::GoFleet => go(model, Place::Fleet),
        Action::GoDrift => go(model, Place::Drift),
        Action::GoApps => go(model, Place::Apps),
        Action::GoApp => go_app(model),
        Action::GoDiff | Action::Diff => go_diff(model),
        Action::GoPlan => go_plan(model),
        Action::GoMatrix => go(model, Place::Matrix),
        Action::GoActivity => go(model, Place::Activity),
        Action::GoCluster => go_cluster(model),
        Action::Filter => open_filter(model),
        Action::Help => open_modal(model, Modal::Help(0)),
        Action::Palette => {
            let palette = Palette::new(model.place(), &model.themes, &model.keymaps)
                .with_views(&model.kept.views);
            open_modal(model, Modal::Palette(palette))
        }
        Action::Menu => {
            let menu = Menu::new(model);
            open_modal(model, Modal::Menu(menu))
        }
        Action::Explain
        | Action::Events
        | Action::Tree
        | Action::History
        | Action::Logs
        | Action::Yaml
        | Action::Compare
        | Action::Word => super::looks::look(model, action),
        Action::Ack
        | Action::Alerts
        | Action::Newest
        | Action::Forward
        | Action::SaveView
        | Action::CopyLink
        | Action::MarkBy
        | Action::CellField
        | Action::Seen => super::triage::act(model, action),
        Action::Columns | Action::GroupBy => super::laying::act(model, action),
        Action::Revert => revert(model),
        Action::RunPlan => confirm_run(model),
        Action::Rebuild => rebuild(model, |_| {}),
        Action::Route => rebuild(model, PlanScreen::next_route),
        Action::Prune => rebuild(model, |plan| plan.wish.prune = !plan.wish.prune),
        Action::Note => open_note(model),
        Action::Copy => copy(model),
        Action::Suspend => vec![Effect::Suspend],
        Action::Redraw => vec![Effect::Redraw],
        Action::Interrupt => interrupt(model),
        Action::Quit => quit(model),
        _ => Vec::new(),
    }
}

fn say(model: &mut Model, notice: Notice) -> Vec<Effect> {
    model.notice = Some(notice);
    Vec::new()
}

fn open_modal(model: &mut Model, window: Modal) -> Vec<Effect> {
    model.modal = Some(window);
    Vec::new()
}

/// Opens a screen; a difference may first have to ask for its documents.
pub(super) fn open(model: &mut Model, screen: Screen) -> Vec<Effect> {
    model.push(screen);
    ask_again(model)
}

/// Lets the screen ask for what it needs and the fleet does not hold.
pub(super) fn ask_again(model: &mut Model) -> Vec<Effect> {
    let (ask, second) = (model.next_ask(), model.next_ask());
    let effects = model.on_screen(|screen, ctx| match screen {
        Screen::Diff(diff) => diff.opened(ask, ctx),
        Screen::Cluster(cluster) => cluster.opened(ask, ctx),
        Screen::App(app) => app.owed([ask, second], ctx),
        Screen::Matrix(matrix) => matrix.owed(ask, ctx),
        _ => Vec::new(),
    });
    effects.unwrap_or_default()
}

/// Lets the screen ask for what it needs of the row on which the fingers rest.
pub(super) fn rested(model: &mut Model) -> Vec<Effect> {
    let due = model.face().and_then(|face| face.wakes_at(&model.ctx()));
    match due {
        Some(at) if at <= model.now => ask_again(model),
        _ => Vec::new(),
    }
}

fn back(model: &mut Model) -> Vec<Effect> {
    let did = model.on_screen(|screen, ctx| screen.face_mut().back(ctx));
    if did != Some(true) {
        model.pop();
    }
    Vec::new()
}

fn leave(model: &mut Model) -> Vec<Effect> {
    if model.pop() { Vec::new() } else { quit(model) }
}

/// Asks before the end; while a run is going on the question says what that means.
fn quit(model: &mut Model) -> Vec<Effect> {
    let (screens, _) = model.screens();
    let running = screens
        .into_iter()
        .any(|s| matches!(s, Screen::Run(run) if !run.is_over() && run.stopped.is_none()));
    let facts = if running {
        vec![Safe::fixed(
            "A run is going on. Quitting sends nothing more; what is in flight stays in the journal as unknown until it is looked at.",
        )]
    } else {
        Vec::new()
    };
    let confirm = Confirm {
        question: Safe::fixed("Quit driftdeck?"),
        facts,
        needs: None,
        input: Input::default(),
        then: Then::Quit,
    };
    open_modal(model, Modal::Confirm(confirm))
}

fn interrupt(model: &mut Model) -> Vec<Effect> {
    if std::mem::replace(&mut model.interrupted, true) {
        return vec![Effect::Quit];
    }
    say(model, Notice::info("Press ctrl-c again to quit."))
}

/// Goes to a screen by its number: back to it when it is below, else on top.
pub(super) fn go(model: &mut Model, place: Place) -> Vec<Effect> {
    let whole = |s: &Screen| match s {
        Screen::Drift(s) => s.only.is_none(),
        Screen::Apps(s) => s.only.is_none(),
        _ => true,
    };
    let found = model
        .stack
        .iter()
        .rposition(|s| s.face().place() == place && whole(s));
    if let Some(found) = found {
        while model.stack.len() > found + 1 {
            model.pop();
        }
        return Vec::new();
    }
    match place {
        Place::Drift => model.push(Screen::Drift(DriftScreen::default())),
        Place::Apps => model.push(Screen::Apps(AppsScreen::default())),
        Place::Matrix => model.push(Screen::Matrix(MatrixScreen::default())),
        Place::Activity => model.push(Screen::Activity(ActivityScreen::default())),
        _ => {}
    }
    Vec::new()
}

fn go_cluster(model: &mut Model) -> Vec<Effect> {
    if model.place() == Place::Cluster {
        return Vec::new();
    }
    match model.face().and_then(|f| f.cluster(&model.ctx())) {
        Some(id) => open(model, Screen::Cluster(ClusterScreen::new(id))),
        None => say(
            model,
            Notice::info(format!(
                "Choose a cluster first: {} lists them.",
                model.ctx().keys(model.place(), Action::GoFleet)
            )),
        ),
    }
}

fn go_app(model: &mut Model) -> Vec<Effect> {
    if model.place() == Place::App {
        return Vec::new();
    }
    match model.face().and_then(|f| f.app(&model.ctx())) {
        Some(app) => open(model, Screen::App(Box::new(AppScreen::new(app)))),
        None => say(
            model,
            Notice::info(format!(
                "Choose an application first: {} lists them.",
                model.ctx().keys(model.place(), Action::GoApps)
            )),
        ),
    }
}

/// Opens the difference of what is selected; on that screen it asks again for documents that could not be read.
fn go_diff(model: &mut Model) -> Vec<Effect> {
    if model.place() == Place::Diff {
        let ask = model.next_ask();
        let again = model.on_screen(|screen, ctx| match screen {
            Screen::Diff(diff) => diff.again(ask, ctx),
            _ => Vec::new(),
        });
        return again.unwrap_or_default();
    }
    match model.face().and_then(|f| f.object(&model.ctx())) {
        Some(target) => open(model, Screen::Diff(DiffScreen::new(target))),
        None => say(
            model,
            Notice::info(format!(
                "Choose a drifted object first: {} lists them.",
                model.ctx().keys(model.place(), Action::GoDrift)
            )),
        ),
    }
}

fn go_plan(model: &mut Model) -> Vec<Effect> {
    let found = model
        .stack
        .iter()
        .rposition(|s| matches!(s, Screen::Plan(_) | Screen::Run(_)));
    if let Some(found) = found {
        model.stack.truncate(found + 1);
        model.refresh(false);
        return Vec::new();
    }
    match model.parked.take() {
        Some(screen) => {
            model.push(screen);
            Vec::new()
        }
        None => say(
            model,
            Notice::info(format!(
                "There is no plan yet: {} on a drifted row makes one.",
                model.ctx().keys(Place::Drift, Action::Revert)
            )),
        ),
    }
}

fn open_filter(model: &mut Model) -> Vec<Effect> {
    let Some(text) = model
        .face()
        .and_then(|f| f.sieve())
        .map(|s| s.text().to_owned())
    else {
        return Vec::new();
    };
    open_modal(model, Modal::Filter(Input::new(text.clone()), text))
}

fn open_note(model: &mut Model) -> Vec<Effect> {
    let Some(Screen::Plan(plan)) = model.screen() else {
        return Vec::new();
    };
    let note = plan.wish.note.as_ref().map_or("", Safe::as_str);
    let note = Input::new(note.to_owned());
    open_modal(model, Modal::Note(note))
}

fn copy(model: &mut Model) -> Vec<Effect> {
    match model.face().and_then(|f| f.name(&model.ctx())) {
        Some(name) => {
            model.notice = Some(Notice::info(format!("Copied {name}.")));
            vec![Effect::Copy(name)]
        }
        None => Vec::new(),
    }
}

/// A revert always opens a plan and changes nothing.
fn revert(model: &mut Model) -> Vec<Effect> {
    let wish = model.face().map(|f| f.wish(&model.ctx()));
    match wish {
        Some(Ok(wish)) => {
            let ask = model.next_ask();
            model.push(Screen::Plan(PlanScreen::new(ask, wish.clone())));
            vec![Effect::BuildPlan { ask, wish }]
        }
        Some(Err(notice)) => say(model, notice),
        None => Vec::new(),
    }
}

pub(super) fn rebuild(model: &mut Model, change: impl FnOnce(&mut PlanScreen)) -> Vec<Effect> {
    let ask = model.next_ask();
    let Some(Screen::Plan(plan)) = model.stack.last_mut() else {
        return Vec::new();
    };
    change(plan);
    let effect = plan.ask_again(ask);
    let empty = plan.wish.targets.is_empty();
    if empty {
        plan.planned = super::screens::plan::Planned::Failed(Safe::fixed(
            "Every target was left out; go back to choose others.",
        ));
        return Vec::new();
    }
    vec![effect]
}

/// Asks before a plan is run. What was left out since the plan was built means another plan, which is shown first.
fn confirm_run(model: &mut Model) -> Vec<Effect> {
    let Some(Screen::Plan(screen)) = model.screen() else {
        return Vec::new();
    };
    let Some(plan) = screen.plan() else {
        return say(model, Notice::info("There is no plan to run yet."));
    };
    if !screen.left_out.is_empty() {
        let effects = rebuild(model, |_| {});
        model.notice = Some(Notice::info(
            "The plan is built again without what you left out; look at it and run it then.",
        ));
        return effects;
    }
    if plan.sendable() == 0 {
        return say(
            model,
            Notice::info(
                "There is nothing to send: every target is skipped, and its row says why.",
            ),
        );
    }
    if !model.write {
        return say(
            model,
            Notice::warning(format!(
                "This console is read-only. Start it with --write to run plans; {} copies this one as commands.",
                model.ctx().keys(Place::Plan, Action::CopyCommands)
            )),
        );
    }
    let confirm = question(plan);
    open_modal(model, Modal::Confirm(confirm))
}

fn question(plan: &Plan) -> Confirm {
    let sent: Vec<_> = plan.targets.iter().filter(|t| t.order.is_some()).collect();
    let clusters: std::collections::BTreeSet<_> = sent.iter().map(|t| &t.cluster).collect();
    let what = |n: usize, word| super::screens::drift::plural(n, word);
    let question = format!(
        "{} {} on {}?",
        capital(plan),
        what(sent.len(), "object"),
        what(clusters.len(), "cluster")
    );
    let mut facts = Vec::new();
    if plan.restarts() > 0 {
        let pods = usize::try_from(plan.restarts()).unwrap_or(usize::MAX);
        facts.push(Safe::from(format!("Restarts {}.", what(pods, "pod"))));
    }
    let prunes: usize = sent.iter().map(|t| t.prunes.len()).sum();
    if prunes > 0 {
        facts.push(Safe::from(format!("Deletes {}.", what(prunes, "object"))));
    }
    let losers: std::collections::BTreeSet<&Safe> = sent
        .iter()
        .flat_map(|t| t.losers.iter().map(|l| &l.manager))
        .collect();
    if !losers.is_empty() {
        let names: Vec<&str> = losers.iter().map(|l| l.as_str()).collect();
        facts.push(Safe::from(format!(
            "These lose fields: {}.",
            names.join(", ")
        )));
    }
    facts.extend(sent.iter().filter_map(|t| t.danger.clone()));
    Confirm {
        question: question.into(),
        facts,
        needs: plan.guardrail.as_ref().map(|g| g.confirm.clone()),
        input: Input::default(),
        then: Then::Run,
    }
}

fn capital(plan: &Plan) -> &'static str {
    match plan.verb {
        crate::ops::Verb::Revert => "Revert",
        crate::ops::Verb::Undo => "Undo",
    }
}

/// Orders the run of exactly the plan that was confirmed; its screen takes the place of the plan's.
pub(super) fn run(model: &mut Model, confirmation: Option<Safe>) -> Vec<Effect> {
    let Some(Screen::Plan(screen)) = model.screen() else {
        return Vec::new();
    };
    let Some(plan) = screen.plan().cloned() else {
        return Vec::new();
    };
    let effect = Effect::RunPlan {
        plan: plan.id.clone(),
        confirmation,
    };
    model.stack.pop();
    model.push(Screen::Run(RunScreen::new(plan)));
    vec![effect]
}
