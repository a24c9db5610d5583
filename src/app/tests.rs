//! Keys in, effects and state out: what each action of the default keymap does.

mod application;
mod closer;
mod clusters;
mod differing;
mod drifting;
mod facts;
mod fields;
mod grouping;
mod keymaps;
mod laying;
mod lists;
mod looking;
mod mousing;
mod moving;
mod planning;
mod running;
mod screens;
mod triaging;
mod windows;

use std::sync::Arc;

use jiff::SignedDuration;

use super::modal::Modal;
use super::screens::drift::Pane;
use super::screens::plan::Planned;
use super::screens::{Face, Screen};
use super::testkit::{
    all_answered, app_on, config_map, console, deployment, now, plan_for, planned, press,
    tell_model, troubled_fleet, type_text,
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
        Screen::Fleet(s) => {
            let lines = s.list.lines().keys().iter();
            let row = |line: &super::grouped::Line<ClusterId>| match line {
                super::grouped::Line::Row(id) => Some(id.to_string()),
                super::grouped::Line::Head(_) => None,
            };
            lines.filter_map(row).collect()
        }
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

fn application(model: &Model) -> &super::screens::AppScreen {
    match model.screen() {
        Some(Screen::App(s)) => s,
        other => panic!("{other:?} is not the screen of an application"),
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
