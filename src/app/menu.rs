//! The actions menu: everything that could be done here, with its key, and why it is off when it is.

use super::action::{ACTIONS, Action, Danger};
use super::model::Model;
use super::screens::{Ctx, Face, Screen};
use super::shape::SPLIT;
use crate::domain::{ClusterId, LinkState, Safe};
use crate::view::place::Place;

/// One line of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuLine {
    /// The action.
    pub action: Action,
    /// Its keys, or its name for the palette.
    pub keys: Safe,
    /// Why it is off now; `None` when it can be done.
    pub why_not: Option<Safe>,
}

/// State of the menu.
#[derive(Clone, Debug, Default)]
pub struct Menu {
    /// The lines: what can be done first.
    pub lines: Vec<MenuLine>,
    /// The chosen line.
    pub cursor: usize,
}

impl Menu {
    /// The menu of the screen that is seen.
    pub fn new(model: &Model) -> Self {
        let place = model.place();
        let ctx = model.ctx();
        let mut lines: Vec<MenuLine> = ACTIONS
            .iter()
            .filter(|row| row.places.has(place) && is_listed(row.action))
            .map(|row| MenuLine {
                action: row.action,
                keys: ctx.keys(place, row.action).into(),
                why_not: why_not(model, row.action),
            })
            .collect();
        lines.sort_by_key(|line| line.why_not.is_some());
        Self { lines, cursor: 0 }
    }

    /// Moves the cursor.
    pub fn step(&mut self, rows: isize) {
        let last = self.lines.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(rows).min(last);
    }

    /// The chosen line.
    pub fn chosen(&self) -> Option<&MenuLine> {
        self.lines.get(self.cursor)
    }
}

/// What acts on something; moving and switching screens have their own keys and the palette.
fn is_listed(action: Action) -> bool {
    let id = action.info().id;
    let moves = ["move.", "pane.", "nav.", "go.", "app.", "mark.", "view."];
    !moves.iter().any(|area| id.starts_with(area))
        && !matches!(
            action,
            Action::Help | Action::Palette | Action::Menu | Action::Filter
        )
}

/// Why an action cannot be done now, in one sentence.
pub fn why_not(model: &Model, action: Action) -> Option<Safe> {
    let ctx = model.ctx();
    let face = model.face()?;
    match action {
        Action::Revert => face.wish(&ctx).err().map(|notice| notice.text),
        Action::Diff | Action::GoDiff if face.place() != Place::Fleet => no_object(face, &ctx),
        Action::Explain => nothing_selected(face, &ctx),
        Action::Yaml => no_app_or_object(face, &ctx).or_else(|| silent_document(face, &ctx)),
        Action::Events | Action::Compare | Action::Word => {
            no_object(face, &ctx).or_else(|| dark(face, &ctx))
        }
        Action::Logs | Action::Tree => no_app_or_object(face, &ctx).or_else(|| dark(face, &ctx)),
        Action::History => face
            .app(&ctx)
            .is_none()
            .then(|| Safe::fixed("No application is selected.")),
        Action::Login => wants_no_login(face, &ctx),
        Action::Split if ctx.size.cols < SPLIT => {
            Some(Safe::fixed("Side by side needs a terminal of 100 columns."))
        }
        Action::Stop => match model.screen() {
            Some(Screen::Run(run)) if run.is_over() => Some(Safe::fixed("The run is over.")),
            _ => None,
        },
        _ if action.info().danger == Danger::Runs => cannot_run(model),
        _ => None,
    }
}

fn no_object(face: &dyn Face, ctx: &Ctx<'_>) -> Option<Safe> {
    face.object(ctx).is_none().then(|| {
        Safe::fixed("No object is selected; open an application or a group of drift first.")
    })
}

fn nothing_selected(face: &dyn Face, ctx: &Ctx<'_>) -> Option<Safe> {
    let any = face.object(ctx).is_some() || face.app(ctx).is_some() || face.cluster(ctx).is_some();
    (!any).then(|| Safe::fixed("Nothing is selected."))
}

fn no_app_or_object(face: &dyn Face, ctx: &Ctx<'_>) -> Option<Safe> {
    let any = face.object(ctx).is_some() || face.app(ctx).is_some();
    (!any).then(|| Safe::fixed("No application and no object is selected."))
}

/// Questions go to clusters that answer only.
fn dark(face: &dyn Face, ctx: &Ctx<'_>) -> Option<Safe> {
    let id = face.object(ctx).map(|t| t.cluster).or(face.cluster(ctx))?;
    silent(&id, ctx)
}

/// Why a cluster cannot be asked anything; none when it can.
pub(super) fn silent(id: &ClusterId, ctx: &Ctx<'_>) -> Option<Safe> {
    let row = ctx.rows.cluster(id)?;
    let why = row.why_not_current().filter(|_| !row.state.is_current())?;
    Some(format!("{id} does not answer: {why}").into())
}

/// The cluster that holds the object, or the application's own document, has to answer.
fn silent_document(face: &dyn Face, ctx: &Ctx<'_>) -> Option<Safe> {
    let holder = match face.object(ctx) {
        Some(target) => target.cluster,
        None => face.app(ctx)?.hub,
    };
    silent(&holder, ctx)
}

fn wants_no_login(face: &dyn Face, ctx: &Ctx<'_>) -> Option<Safe> {
    let id = face.cluster(ctx)?;
    let asks = ctx
        .rows
        .cluster(&id)
        .is_some_and(|row| row.state == LinkState::Auth);
    (!asks).then(|| format!("{id} does not ask for credentials.").into())
}

fn cannot_run(model: &Model) -> Option<Safe> {
    let Some(Screen::Plan(screen)) = model.screen() else {
        return None;
    };
    match screen.plan() {
        None => Some(Safe::fixed("There is no plan yet.")),
        Some(plan) if plan.sendable() == 0 => Some(Safe::fixed(
            "There is nothing to send: every target is skipped.",
        )),
        Some(_) if !model.write => Some(Safe::fixed(
            "This console is read-only; start it with --write.",
        )),
        Some(_) => None,
    }
}
