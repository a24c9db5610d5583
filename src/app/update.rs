//! The one function that changes the model: a message in, effects out.

use std::sync::Arc;

use jiff::Timestamp;

use super::acts;
use super::inquiry::Answer;
use super::keys;
use super::model::Model;
use super::msg::{Done, Effect, Msg, Notice};
use super::screens::Screen;
use super::shape::Size;
use crate::domain::Safe;
use crate::domain::event::Bodies;
use crate::ops::{Plan, RunEvent};

/// Folds one message into the model and says what has to be done.
pub fn update(model: &mut Model, msg: Msg, now: Timestamp) -> Vec<Effect> {
    model.now = now;
    if matches!(msg, Msg::Tick) {
        model.tick();
    }
    match msg {
        Msg::Facts(events) => {
            model.fold(events);
            return ring(model);
        }
        Msg::Key(event) => {
            model.touch();
            return keys::press(model, event.into());
        }
        Msg::Mouse(at) => {
            model.touch();
            return super::mouse::point(model, at);
        }
        Msg::Paste(text) => {
            model.touch();
            keys::paste(model, &text);
        }
        Msg::Resize(cols, rows) => {
            model.size = Size { cols, rows };
            model.touch();
            model.refresh(false);
        }
        Msg::Tick if model.is_behind() => {
            model.follow();
            return ring(model);
        }
        Msg::Tick => {
            model.touch();
            model.rows.follow(&model.fleet, now);
            model.refresh(false);
            return acts::rested(model);
        }
        Msg::Done(done) => {
            model.touch();
            answered(model, done);
        }
    }
    Vec::new()
}

/// Rings for what became true.
fn ring(model: &mut Model) -> Vec<Effect> {
    match model.alerts.follow(&model.fleet, &model.rows) {
        Some(words) => {
            model.notice = Some(Notice::warning(words.clone()));
            model.touch();
            vec![Effect::Alert(words)]
        }
        None => Vec::new(),
    }
}

/// Takes the answer to an effect. Answers that nobody waits for any more are dropped by the screens, by their numbers.
fn answered(model: &mut Model, done: Done) {
    match done {
        Done::Planned { ask, result } => planned(model, ask, &result),
        Done::Run { plan, event } => heard(model, &plan, &event),
        Done::RunRefused { plan, why } => {
            let (screens, ctx) = model.screens();
            for screen in screens {
                if let Screen::Run(run) = screen {
                    run.refuse(&plan, why.clone());
                    super::screens::Face::refresh(run, &ctx, true);
                }
            }
        }
        Done::Bodies { ask, result } => bodies(model, ask, &result),
        Done::Answered { ask, result } => inquired(model, ask, &result),
        Done::LoggedIn { cluster, result } => {
            model.notice = Some(match result {
                Ok(()) => Notice::info(format!("Logged in to {cluster}; connecting.")),
                Err(why) => Notice::error(format!("The login to {cluster} failed: {why}")),
            });
        }
        Done::Say(notice) => model.notice = Some(notice),
    }
}

fn inquired(model: &mut Model, ask: u64, result: &Result<Answer, Safe>) {
    if let Ok(Answer::Word(said)) = result {
        model.words.hear(said, &model.fleet);
    }
    if super::looks::answered(model, ask, result) {
        return;
    }
    let (screens, ctx) = model.screens();
    for screen in screens {
        match screen {
            Screen::Cluster(cluster) => cluster.answer(ask, result),
            Screen::App(app) => app.answer(ask, result, &ctx),
            Screen::Matrix(matrix) => matrix.readings.answer(ask, result),
            _ => {}
        }
    }
}

fn planned(model: &mut Model, ask: u64, result: &Result<Arc<Plan>, Safe>) {
    let (screens, ctx) = model.screens();
    for screen in screens {
        if let Screen::Plan(plan) = screen {
            plan.answer(ask, result.clone(), &ctx);
        }
    }
}

fn heard(model: &mut Model, plan: &str, event: &RunEvent) {
    super::deeds::tell(model, plan, event);
    let (screens, ctx) = model.screens();
    for screen in screens {
        if let Screen::Run(run) = screen {
            run.hear(plan, event.clone());
            super::screens::Face::refresh(run, &ctx, false);
        }
    }
}

fn bodies(model: &mut Model, ask: u64, result: &Result<Arc<Bodies>, Safe>) {
    let (screens, ctx) = model.screens();
    for screen in screens {
        match screen {
            Screen::Diff(diff) if diff.ask == ask => diff.answer(ask, result.clone(), &ctx),
            Screen::App(app) => app.documents(ask, result.clone(), &ctx),
            _ => {}
        }
    }
}
